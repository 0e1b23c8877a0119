/* The layers of gzip and zstd: what zlib or libzstd packed comes back, and of damaged
 * bytes the same is read in large pieces as one byte at a time. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/input.h"
#include "base/mem.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"

enum { MOST = 1 << 20 }; /* a small file can hold very much */

/* All that the file holds, up to MOST bytes and what `step` goes beyond; *why: what
 * stopped it, or NULL. */
static char *read_file(const char *path, size_t step, size_t *count, const char **word,
                       struct hd_err *stopped) {
    struct hd_err err = {0};
    struct hd_input *in = hd_input_open(path, &err);
    fuzz_require(in, "%s", err.text);
    char *bytes = NULL;
    int capacity = 0;
    long got = 1;
    *count = 0;
    while (got > 0 && *count < MOST) {
        bytes = hd_grow(bytes, &capacity, (int)(*count + step), 1);
        got = hd_input_read(in, bytes + *count, step, word);
        if (got > 0) *count += (size_t)got;
    }
    if (got < 0) hd_fail(stopped, "%s: %s", path, *word);
    hd_input_close(in);
    return bytes;
}

static void packed(const void *file, size_t count, const uint8_t *bytes,
                   size_t expected) {
    struct hd_err stopped = {0};
    const char *why;
    size_t got;
    char *read = read_file(fuzz_file(0, file, count), 1 << 16, &got, &why, &stopped);
    fuzz_require(!*stopped.text, "%s", stopped.text);
    fuzz_same_bytes("packed", read, got, bytes, expected);
    free(read);
}

static void pack_both(const uint8_t *bytes, size_t count) {
    size_t room = ZSTD_compressBound(count) + 1024;
    char *file = hd_alloc(room);
    packed(file, ZSTD_compress(file, room, bytes, count, 1), bytes, count);
    z_stream zip = {0};
    fuzz_require(deflateInit2(&zip, 1, Z_DEFLATED, 9 + 16, 1, Z_DEFAULT_STRATEGY) ==
                     Z_OK,
                 "no zlib");
    zip.next_in = (Bytef *)(uintptr_t)bytes;
    zip.avail_in = (uInt)count;
    zip.next_out = (Bytef *)file;
    zip.avail_out = (uInt)room;
    fuzz_require(deflate(&zip, Z_FINISH) == Z_STREAM_END, "zlib wants more room");
    packed(file, zip.total_out, bytes, count);
    deflateEnd(&zip);
    free(file);
}

void fuzz_compressed(const uint8_t *bytes, size_t count) {
    if (count == 0) return;
    struct hd_err large = {0}, small = {0};
    const char *why;
    size_t many, few;
    const char *path = fuzz_file(0, bytes, count);
    char *whole = read_file(path, 1 << 16, &many, &why, &large);
    char *pieces = read_file(path, 1 + bytes[count - 1] % 7, &few, &why, &small);
    if (*large.text) fuzz_check_error(&large);
    /* A piece that is damaged within may be lost to a large read as a whole. */
    size_t both = many < few ? many : few;
    fuzz_same_bytes("in pieces", whole, both, pieces, both);
    fuzz_require(many >= MOST || few >= MOST || !*large.text == !*small.text,
                 "at once '%s', in pieces '%s'", large.text, small.text);
    fuzz_require(many >= MOST || *large.text || many == few,
                 "%zu bytes at once, %zu in pieces", many, few);
    free(whole);
    free(pieces);
    pack_both(bytes, count);
}
