/* Building the side arrays of a trace (struct hd_trace_extra) while its rows are read,
 * put in order and cut. Internal to this room. */
#ifndef HD_TRACE_EXTRA_H
#define HD_TRACE_EXTRA_H

#include "base/number_map.h"
#include "trace/reader.h"
#include "trace/trace.h"

struct hd_extra_builder {
    struct hd_trace_extra extra; /* numbers are the reader's until the end */
    int64_t rows, blocks;
    struct hd_number_map prefix_ids;
    uint64_t *identity; /* by number of prefix_ids */
    int identity_capacity;
};

/* What the numbers of a builder's rows stand for. */
struct hd_extra_names {
    char *const *session, *const *class_;
    int prefix_block_tokens;
};

/* The fields of the next row. False when a trace has too many distinct blocks, with
 * "PATH:LINE: why" in err. */
bool hd_extra_add(struct hd_extra_builder *, const struct hd_row *, const char *path,
                  struct hd_err *err);

/* Row i becomes what row from[i] was. */
void hd_extra_pick(struct hd_extra_builder *, const int32_t *from);
/* Leaves `rows` rows, from row `first` on. */
void hd_extra_keep(struct hd_extra_builder *, int64_t first, int64_t rows);

/* What there is for these rows, numbered anew by first appearance among them; NULL when
 * no row has anything. The builder is empty afterwards. */
struct hd_trace_extra *hd_extra_end(struct hd_extra_builder *,
                                    const struct hd_extra_names *);
void hd_extra_drop(struct hd_extra_builder *);
void hd_extra_free(struct hd_trace_extra *);

#endif
