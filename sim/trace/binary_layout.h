/* What lies where in a binary trace. Internal to this room. */
#ifndef HD_TRACE_BINARY_LAYOUT_H
#define HD_TRACE_BINARY_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "trace/trace.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "binary traces are mapped as they are: little-endian machines only");
_Static_assert(sizeof(struct hd_trace_row) == 24, "the layout of a row is the file's");

/* Seven letters and a byte that no text has. */
#define HD_BINARY_MAGIC "hotdesk\x1a"
enum {
    HD_BINARY_MAGIC_BYTES = 8,
    HD_BINARY_VERSION = 1,
    HD_BINARY_ALIGN = 64,
    HD_BINARY_CRC_ROWS = 65536 /* rows under one CRC-32 */
};

enum hd_binary_kind {
    HD_BINARY_ABOUT, /* JSON */
    HD_BINARY_ROWS,
    HD_BINARY_ROW_CRCS,
    HD_BINARY_SESSION,
    HD_BINARY_SESSION_TEXT,
    HD_BINARY_CLASS,
    HD_BINARY_DEADLINE,
    HD_BINARY_PREFIX_FIRST,
    HD_BINARY_PREFIX,
    HD_BINARY_PREFIX_IDENTITY,
    HD_BINARY_KINDS
};

struct hd_binary_head {
    char magic[HD_BINARY_MAGIC_BYTES];
    uint32_t version, sections;
    uint64_t bytes; /* of the file */
    uint8_t sha256[32];
    uint32_t crc; /* of head and table, this field being 0 */
    uint32_t zero;
};
_Static_assert(sizeof(struct hd_binary_head) == 64, "the head is 64 bytes");

struct hd_binary_section {
    uint32_t kind, crc; /* crc: 0 for rows, which have theirs apart */
    uint64_t offset, bytes;
};
_Static_assert(sizeof(struct hd_binary_section) == 24, "a section's entry is 24 bytes");

static inline uint64_t hd_binary_aligned(uint64_t offset) {
    return (offset + HD_BINARY_ALIGN - 1) / HD_BINARY_ALIGN * HD_BINARY_ALIGN;
}

/* CRC-32 (zlib) of any number of bytes. */
uint32_t hd_binary_crc(const void *data, size_t bytes);

#endif
