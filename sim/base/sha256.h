/* SHA-256, by OpenSSL: with the processor's own instructions where it has them. */
#ifndef HD_BASE_SHA256_H
#define HD_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { HD_SHA256_BYTES = 32, HD_SHA256_TEXT_BYTES = 65 };

struct hd_sha256; /* a sum that is being made */

struct hd_sha256 *hd_sha256_begin(void);
void hd_sha256_add(struct hd_sha256 *, const void *data, size_t bytes);
/* The sum of all that was added; the struct is freed. */
void hd_sha256_end(struct hd_sha256 *, uint8_t sum[HD_SHA256_BYTES]);
/* The same in hexadecimal. */
void hd_sha256_end_text(struct hd_sha256 *, char text[HD_SHA256_TEXT_BYTES]);

/* Of bytes in memory, in hexadecimal; returns text. */
char *hd_sha256_text(const void *data, size_t bytes, char text[HD_SHA256_TEXT_BYTES]);
/* Of a file; NULL, with errno, if it cannot be read. */
char *hd_sha256_file(const char *path, char text[HD_SHA256_TEXT_BYTES]);

#endif
