/* Fields as people and programs write them, read without a double between. */
#include "trace/row_fields.h"

#include <ctype.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "trace/reader.h"

const char *hd_field_tokens(const char *text, int32_t *tokens) {
    static const char *const expected = "is not a whole number of tokens";
    long number = 0;
    unsigned digit;
    bool negative = *text == '-';
    if (*text == '-' || *text == '+') text++;
    if (!isdigit((unsigned char)*text)) return expected;
    for (; (digit = (unsigned)*text - '0') < 10; text++)
        if (number <= HD_TRACE_TOKENS_MAX) number = number * 10 + (long)digit;
    if (*text == '.')
        for (text++; *text == '0';) text++;
    while (*text == ' ') text++;
    if (*text) return expected;
    if (negative && number) return "is negative";
    if (number > HD_TRACE_TOKENS_MAX) return "is more than 1000000000 tokens";
    *tokens = (int32_t)number;
    return NULL;
}

const char *hd_field_name(const char **text, size_t *bytes) {
    while (*bytes && **text == ' ') ++*text, --*bytes;
    while (*bytes && (*text)[*bytes - 1] == ' ') --*bytes;
    if (*bytes > 255) return "is too long a name";
    const char *at = *text, *end = at + *bytes;
    for (int step; at < end; at += step) {
        unsigned char c = (unsigned char)*at;
        step = c < 0x80 ? 1 : hd_utf8_bytes(at);
        if (c < 0x20 || c == 0x7F || !step) return "is not printable UTF-8 text";
    }
    return NULL;
}

const char *hd_field_blocks(const char *text, struct hd_blocks *blocks) {
    blocks->count = 0;
    for (;;) {
        while (*text == ' ') text++;
        if (!*text) return NULL;
        if (!isdigit((unsigned char)*text))
            return "is not a list of whole numbers with blanks between";
        uint64_t number = 0;
        for (; isdigit((unsigned char)*text); text++) {
            uint64_t digit = (uint64_t)(*text - '0');
            if (number > (UINT64_MAX - digit) / 10) return "has a number above 2^64-1";
            number = number * 10 + digit;
        }
        blocks->id = hd_grow(blocks->id, &blocks->capacity, blocks->count + 1,
                             sizeof *blocks->id);
        blocks->id[blocks->count++] = number;
    }
}
