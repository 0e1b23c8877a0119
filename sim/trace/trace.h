/* A whole trace, 24 bytes a row, read once and then shared by as many runs and threads
 * as like: nothing here changes after hd_trace_load. Rows are mapped, those of a binary
 * file (trace/binary.h) from it, those of a long text from a file without a name
 * (base/spill.h): memory grows with the distinct models, sessions and prefix blocks,
 * and not with the rows, if loops over them call hd_trace_step.
 *
 * Tick 0 is the file's own zero where its clock counts seconds or hours, and the
 * first request where its clock has dates. A trace that was cut begins at tick 0
 * with the first instant that was kept: `before_s` ahead of the cut. */
#ifndef HD_TRACE_TRACE_H
#define HD_TRACE_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/tick.h"
#include "trace/clock.h"

struct hd_trace_row {
    hd_tick at; /* >= 0, never falling; at most HD_TICK_SPAN_MAX */
    int32_t model;
    int32_t input_tokens;  /* 0 is possible */
    int32_t output_tokens; /* 0: nothing was generated */
    int32_t line;          /* of the file; INT32_MAX beyond */
};

/* What some traces say of a request besides, one element a row; an array is NULL when
 * no row has it. Arrays by row and `prefix` are of base/spill.h or mapped. All numbers
 * are in order of first appearance among the rows. */
struct hd_trace_extra {
    int32_t *session; /* -1: none */
    int32_t sessions;
    char *session_text; /* their names, each with a NUL behind it */
    int64_t session_text_bytes;
    int32_t *class_; /* of service level; -1: none */
    char **class_name;
    int classes;
    hd_tick *deadline; /* after arrival, for the last token; -1: none */
    /* Identities of the prompt's leading blocks, as hd_row.prefix has them: row i's are
     * prefix[prefix_first[i]] to before prefix_first[i + 1], each 0 to prefix_ids - 1.
     */
    int64_t *prefix_first; /* rows + 1 */
    int32_t *prefix;
    int32_t prefix_ids;
    uint64_t *prefix_identity; /* by id: what the file has for it */
    int prefix_block_tokens;   /* of one identity */
};

/* Tokens of one prefix block where a file does not say. */
enum { HD_BLOCK_TOKENS = 16 };

struct hd_trace_options {
    const char *format; /* NULL: by header or content */
    long skip_bad;      /* as in struct hd_reader_options, like the three below */
    const char *lengths;
    uint64_t seed;
    bool times_only;
    bool sort;        /* put rows in order of time (stable), else disorder is an
                         error */
    const char *from; /* the requests asked about arrive from here */
    const char *to;   /* and before here, on the trace's clock (hd_clock_parse);
                         NULL: the trace's first and last */
    /* How much of the real trace is kept before `from` (to warm up) and from `to`
     * on (to keep the load up); negative: a tenth of the cut, at most 10 minutes. */
    double before_s, after_s;
};
#define HD_TRACE_OPTIONS ((struct hd_trace_options){.before_s = -1, .after_s = -1})

struct hd_trace {
    char *path, *name; /* as given; without its folders */
    char sha256[65];
    const char *format;
    char **note; /* "key: text" of all notes, in the file's order */
    int notes;
    char *parts;          /* where each part of a generated trace comes from, or NULL */
    char *made;           /* what made a generated trace, or NULL */
    char *recipe;         /* of a drawn one, on one line, or NULL */
    char *sources;        /* the files that its recipe draws on, or NULL */
    char *unused_columns; /* "a, b", or NULL */

    struct hd_trace_row *row; /* read only */
    int64_t rows;
    struct hd_trace_mapping *mapping; /* of a binary file; else NULL */
    bool drawn; /* rows are not of a file: those after the cut never came to be */
    bool spill; /* rows are an array of base/spill.h, as those of extra always are where
                   there is no mapping; else they are on the heap */
    struct hd_trace_extra *extra; /* NULL when no row has any of it */
    int models;                   /* those with a row, in order of first appearance */
    char **model;
    int64_t *model_rows;

    enum hd_clock clock;
    hd_wide zero;     /* of the whole file, on its clock: what "+2h" counts from */
    hd_wide origin;   /* the file's clock at tick 0 */
    hd_tick from, to; /* the cut asked for; -1: none */

    /* What the file held, so that nothing is lost unsaid. */
    int64_t rows_read;                     /* = rows + rows_before + rows_after */
    int64_t rows_before, rows_after;       /* left out by the cut */
    int64_t rows_out_of_order;             /* stood behind a later one until sorted */
    int64_t rows_no_output, rows_no_input; /* of `rows`: tokens are 0 */
    int64_t rows_bad;                      /* malformed, passed over on request */
    char **bad;                            /* why, each "PATH:LINE: what is wrong" */
    int64_t rows_no_time;                  /* left out: the format has such */
    int64_t images, rows_images;           /* of rows_read: pictures, not simulated */
};

/* Reads a file. NULL on failure, with one line in err: "PATH[:LINE]: ..." when the
 * file is at fault (also when the cut leaves no request, or the span is more than a
 * run can hold), "--from: ...", "--to ..." or "--format ..." when the option is. */
struct hd_trace *hd_trace_load(const char *path, const struct hd_trace_options *,
                               struct hd_err *err);
void hd_trace_free(struct hd_trace *);

/* Rows before `row` are not needed for now: the memory of mapped ones can be given back
 * (they are read again from the file if they are). Nothing happens on the heap. */
void hd_trace_passed(const struct hd_trace *, int64_t row);

/* The same of one array of its rows or of extra, but for names and identities. */
void hd_trace_passed_bytes(const struct hd_trace *, const void *array, size_t bytes);

/* At the top of a loop over all rows: does that every so often. */
static inline void hd_trace_step(const struct hd_trace *t, int64_t row) {
    if (row % 16384 == 0) hd_trace_passed(t, row);
}
/* The same for a loop that comes from row `before` and leaves out those between. */
static inline void hd_trace_leap(const struct hd_trace *t, int64_t before,
                                 int64_t row) {
    if (row / 16384 != before / 16384) hd_trace_passed(t, row);
}

/* Seconds since the trace's zero, which lies before tick 0 in a cut. */
double hd_trace_since_zero_s(const struct hd_trace *, hd_tick tick);
/* The trace's own clock at a tick, as a person reads it; returns text. */
char *hd_trace_clock_text(const struct hd_trace *, hd_tick tick,
                          char text[HD_CLOCK_TEXT_BYTES]);

#endif
