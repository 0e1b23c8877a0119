/* zlib and libzstd are fed from one buffer; what is not compressed passes by it. */
#include "base/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { BUFFER_BYTES = 1 << 17, GZIP_WINDOW = 15 + 16, MAGIC_BYTES = 4 };

struct hd_input {
    int file;
    enum { PLAIN, GZIP, ZSTD } kind;
    unsigned char *buffer; /* of the file as it lies */
    size_t at, count;
    bool ended;  /* the file */
    bool within; /* a member or frame has begun and not ended */
    z_stream zip;
    ZSTD_DStream *zstd;
    char why[160];
};

static bool refill(struct hd_input *in) {
    while (in->at == in->count && !in->ended) {
        ssize_t got = read(in->file, in->buffer, BUFFER_BYTES);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            snprintf(in->why, sizeof in->why, "%s", strerror(errno));
            return false;
        }
        in->ended = got == 0;
        in->at = 0;
        in->count = (size_t)got;
    }
    return true;
}

static bool begins_with(const struct hd_input *in, const char *magic, size_t bytes) {
    return in->count - in->at >= bytes &&
           memcmp(in->buffer + in->at, magic, bytes) == 0;
}

/* By the first bytes, all of which are in the buffer unless the file is shorter. */
static void find_kind(struct hd_input *in) {
    if (begins_with(in, "\x1F\x8B", 2)) {
        in->kind = GZIP;
        if (inflateInit2(&in->zip, GZIP_WINDOW) != Z_OK) abort(); /* no memory */
    } else if (begins_with(in, "\x28\xB5\x2F\xFD", MAGIC_BYTES)) {
        in->kind = ZSTD;
        in->zstd = ZSTD_createDStream();
        if (!in->zstd) abort();
    }
}

struct hd_input *hd_input_open(const char *path, struct hd_err *err) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        hd_fail(err, "%s: %s", path, strerror(errno));
        return NULL;
    }
    struct hd_input *in = hd_alloc(sizeof *in);
    in->file = file;
    in->buffer = hd_alloc(BUFFER_BYTES);
    while (in->count < MAGIC_BYTES && !in->ended) { /* a pipe may give less at once */
        ssize_t got = read(file, in->buffer + in->count, BUFFER_BYTES - in->count);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            hd_fail(err, "%s: %s", path, strerror(errno));
            hd_input_close(in);
            return NULL;
        }
        in->ended = got == 0;
        in->count += (size_t)got;
    }
    find_kind(in);
    return in;
}

static long read_plain(struct hd_input *in, void *bytes, size_t most) {
    if (in->at == in->count) {
        ssize_t got;
        do got = read(in->file, bytes, most);
        while (got < 0 && errno == EINTR);
        if (got < 0) snprintf(in->why, sizeof in->why, "%s", strerror(errno));
        return got;
    }
    size_t left = in->count - in->at, take = left < most ? left : most;
    memcpy(bytes, in->buffer + in->at, take);
    in->at += take;
    return (long)take;
}

static long damaged(struct hd_input *in, const char *what) {
    snprintf(in->why, sizeof in->why, "the compressed file is damaged: %s", what);
    return -1;
}

/* What lies behind the last member is passed over, as gzip itself does. */
static long read_gzip(struct hd_input *in, void *bytes, size_t most) {
    in->zip.next_out = bytes;
    in->zip.avail_out = (unsigned)most;
    while (in->zip.avail_out == most) {
        if (!refill(in)) return -1;
        if (!in->within && !begins_with(in, "\x1F", 1)) return 0;
        in->within = true;
        in->zip.next_in = in->buffer + in->at;
        in->zip.avail_in = (unsigned)(in->count - in->at);
        int code = inflate(&in->zip, Z_NO_FLUSH);
        in->at = in->count - in->zip.avail_in;
        if (code == Z_STREAM_END) {
            in->within = false;
            inflateReset(&in->zip);
        } else if (code == Z_BUF_ERROR && in->ended) {
            strcpy(in->why, "the compressed file is cut off here");
            return -1;
        } else if (code != Z_OK && code != Z_BUF_ERROR &&
                   in->zip.avail_out == most) { /* else the next call says it */
            return damaged(in, in->zip.msg ? in->zip.msg : "no gzip data");
        }
    }
    return (long)(most - in->zip.avail_out);
}

static long read_zstd(struct hd_input *in, void *bytes, size_t most) {
    ZSTD_outBuffer out = {bytes, most, 0};
    while (out.pos == 0) {
        if (!refill(in)) return -1;
        if (in->ended && !in->within) return 0;
        ZSTD_inBuffer from = {in->buffer, in->count, in->at};
        size_t left = ZSTD_decompressStream(in->zstd, &out, &from);
        if (ZSTD_isError(left)) return damaged(in, ZSTD_getErrorName(left));
        in->at = from.pos;
        in->within = left != 0;
        if (in->ended && in->within && out.pos == 0) {
            strcpy(in->why, "the compressed file is cut off here");
            return -1;
        }
    }
    return (long)out.pos;
}

long hd_input_read(struct hd_input *in, void *bytes, size_t most, const char **why) {
    if (most > 1 << 30) most = 1 << 30; /* zlib counts in unsigned */
    long got = in->kind == GZIP   ? read_gzip(in, bytes, most)
               : in->kind == ZSTD ? read_zstd(in, bytes, most)
                                  : read_plain(in, bytes, most);
    if (got < 0) *why = in->why;
    return got;
}

void hd_input_close(struct hd_input *in) {
    if (!in) return;
    close(in->file);
    if (in->kind == GZIP) inflateEnd(&in->zip);
    ZSTD_freeDStream(in->zstd);
    free(in->buffer);
    free(in);
}
