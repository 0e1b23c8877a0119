#include "fuzz/input.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void fuzz_complain(const char *file, int line, const char *format, ...) {
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

static void write_all(int file, const char *bytes, size_t count) {
    while (count) {
        ssize_t wrote = write(file, bytes, count);
        fuzz_require(wrote > 0, "a file cannot be written: %s", strerror(errno));
        bytes += wrote;
        count -= (size_t)wrote;
    }
}

const char *fuzz_file(int number, const void *bytes, size_t count) {
    static char path[FUZZ_FILES][64];
    static int file[FUZZ_FILES];
    if (!*path[number]) {
        file[number] = memfd_create("fuzz", 0);
        fuzz_require(file[number] >= 0, "no file in memory: %s", strerror(errno));
        snprintf(path[number], sizeof *path, "/proc/self/fd/%d", file[number]);
    }
    fuzz_require(ftruncate(file[number], 0) == 0 && !lseek(file[number], 0, SEEK_SET),
                 "%s: %s", path[number], strerror(errno));
    write_all(file[number], bytes, count);
    return path[number];
}

static char folder[] = "/tmp/hd-fuzz-XXXXXX";
static char folder_file[4][128];

static void drop_folder(void) {
    for (int i = 0; i < 4; i++)
        if (*folder_file[i]) unlink(folder_file[i]);
    rmdir(folder);
}

const char *fuzz_folder(const char *const *name, int names, const void *bytes,
                        size_t count) {
    if (strstr(folder, "XXXXXX")) {
        fuzz_require(mkdtemp(folder), "%s: %s", folder, strerror(errno));
        atexit(drop_folder);
    }
    for (int i = 0; i < 4; i++)
        if (*folder_file[i]) unlink(folder_file[i]);
    const char *at = bytes;
    for (int i = 0; i < names && at; i++) {
        const char *end = count ? memmem(at, count, "%%\n", 3) : NULL;
        size_t take = end ? (size_t)(end - at) : count;
        snprintf(folder_file[i], sizeof *folder_file, "%s/%s", folder, name[i]);
        FILE *file = fopen(folder_file[i], "wb");
        fuzz_require(file, "%s: %s", folder_file[i], strerror(errno));
        bool written = fwrite(at, 1, take, file) == take;
        written &= fclose(file) == 0;
        fuzz_require(written, "%s: cannot be written", folder_file[i]);
        count -= end ? take + 3 : take;
        at = end ? end + 3 : NULL;
    }
    return folder;
}

void fuzz_check_error(const struct hd_err *err) {
    fuzz_require(*err->text, "a failure without a word");
    fuzz_require(strchr(err->text, ':'), "no place in '%s'", err->text);
    for (const char *c = err->text; *c; c++)
        fuzz_require((unsigned char)*c >= ' ' && *c != 127,
                     "a control character in '%s'", err->text);
}

void fuzz_same_bytes(const char *what, const void *a, size_t a_bytes, const void *b,
                     size_t b_bytes) {
    fuzz_require(a_bytes == b_bytes && (!a_bytes || memcmp(a, b, a_bytes) == 0),
                 "%s: %zu and %zu bytes that differ", what, a_bytes, b_bytes);
}
