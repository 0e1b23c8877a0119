/* Which bytes are UTF-8. */
#ifndef HD_BASE_UTF8_H
#define HD_BASE_UTF8_H

/* Bytes of the well-formed sequence at `text`, which ends with a NUL: 1 to 4; 0 if it
 * is none. Well-formed as in Unicode 15, table 3-7: no overlong forms, no surrogates,
 * nothing beyond U+10FFFF. */
int hd_utf8_bytes(const char *text);

#endif
