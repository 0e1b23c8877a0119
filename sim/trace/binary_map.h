/* A binary trace's file in memory: its sections found and their sums checked. Internal
 * to this room. */
#ifndef HD_TRACE_BINARY_MAP_H
#define HD_TRACE_BINARY_MAP_H

#include "trace/binary_layout.h"

struct hd_trace_mapping {
    const char *byte;
    size_t bytes;
    const struct hd_binary_section *section[HD_BINARY_KINDS]; /* NULL: none */
};

/* Maps a file and checks head, table, sizes and the sums of all sections but rows. NULL
 * with "PATH: why". */
struct hd_trace_mapping *hd_binary_map(const char *path, struct hd_err *);
void hd_binary_unmap_file(struct hd_trace_mapping *);

const struct hd_binary_head *hd_binary_head(const struct hd_trace_mapping *);
/* Where a section lies; NULL where there is none. */
const void *hd_binary_data(const struct hd_trace_mapping *, enum hd_binary_kind);
size_t hd_binary_bytes(const struct hd_trace_mapping *, enum hd_binary_kind);

/* The 65536 rows from number chunk * 65536 on have their sum. */
bool hd_binary_chunk_holds(const struct hd_trace_mapping *, int64_t chunk);

#endif
