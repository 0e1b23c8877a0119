/* Single fields of trace rows, from text to numbers. Internal to this room. Each
 * returns NULL, or what is wrong with the text, to stand behind it in a message. */
#ifndef HD_TRACE_ROW_FIELDS_H
#define HD_TRACE_ROW_FIELDS_H

#include <stddef.h>
#include <stdint.h>

/* "63" or "63.0", 0 to HD_TRACE_TOKENS_MAX. */
const char *hd_field_tokens(const char *text, int32_t *tokens);

/* A name without the blanks around it: *text and *bytes become what is left, of which
 * there may be nothing. Names go to terminals, CSV and JSON, so they are UTF-8 without
 * control characters, of at most 255 bytes. */
const char *hd_field_name(const char **text, size_t *bytes);

struct hd_blocks {
    uint64_t *id;
    int count, capacity;
};

/* Identities in decimal, separated by blanks; none is fine. */
const char *hd_field_blocks(const char *text, struct hd_blocks *);

#endif
