/* OpenSSL's functions of this one sum: deprecated for its general ones, which load
 * providers and settings first. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum { PART_BYTES = 1 << 16 };

struct hd_sha256 {
    SHA256_CTX context;
};

struct hd_sha256 *hd_sha256_begin(void) {
    struct hd_sha256 *s = hd_alloc(sizeof *s);
    SHA256_Init(&s->context);
    return s;
}

void hd_sha256_add(struct hd_sha256 *s, const void *data, size_t bytes) {
    if (bytes) SHA256_Update(&s->context, data, bytes);
}

void hd_sha256_end(struct hd_sha256 *s, uint8_t sum[HD_SHA256_BYTES]) {
    SHA256_Final(sum, &s->context);
    free(s);
}

void hd_sha256_end_text(struct hd_sha256 *s, char text[HD_SHA256_TEXT_BYTES]) {
    static const char digit[] = "0123456789abcdef";
    uint8_t sum[HD_SHA256_BYTES];
    hd_sha256_end(s, sum);
    for (int i = 0; i < HD_SHA256_BYTES; i++) {
        text[2 * i] = digit[sum[i] >> 4];
        text[2 * i + 1] = digit[sum[i] & 15];
    }
    text[2 * HD_SHA256_BYTES] = '\0';
}

char *hd_sha256_text(const void *data, size_t bytes, char text[HD_SHA256_TEXT_BYTES]) {
    struct hd_sha256 *s = hd_sha256_begin();
    hd_sha256_add(s, data, bytes);
    hd_sha256_end_text(s, text);
    return text;
}

char *hd_sha256_file(const char *path, char text[HD_SHA256_TEXT_BYTES]) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return NULL;
    struct hd_sha256 *s = hd_sha256_begin();
    char *part = hd_alloc(PART_BYTES);
    ssize_t got;
    while ((got = read(file, part, PART_BYTES)) > 0 || (got < 0 && errno == EINTR))
        if (got > 0) hd_sha256_add(s, part, (size_t)got);
    int why = errno;
    hd_sha256_end_text(s, text);
    free(part);
    close(file);
    errno = why;
    return got < 0 ? NULL : text;
}
