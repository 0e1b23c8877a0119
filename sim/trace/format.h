/* What tells one trace format from another: the names of its columns and the
 * notation of its time. Internal to this room; one file per format. */
#ifndef HD_TRACE_FORMAT_H
#define HD_TRACE_FORMAT_H

#include "trace/clock.h"

enum hd_column {
    HD_COLUMN_TIME,
    HD_COLUMN_INPUT,
    HD_COLUMN_OUTPUT,
    HD_COLUMN_MODEL,
    HD_COLUMN_PART,     /* of the model's name, behind the first */
    HD_COLUMN_DURATION, /* seconds; the time is then that of the end */
    HD_COLUMNS_ASKED,   /* those that a format must have, if it names them */
    HD_COLUMN_SESSION = HD_COLUMNS_ASKED,
    HD_COLUMN_CLASS,
    HD_COLUMN_DEADLINE,
    HD_COLUMN_PREFIX,
    HD_COLUMN_IMAGES,
    HD_COLUMNS
};

/* The optional columns of our own formats. */
#define HD_OWN_OPTIONAL                                                                \
    [HD_COLUMN_SESSION] = "session", [HD_COLUMN_CLASS] = "class",                      \
    [HD_COLUMN_DEADLINE] = "deadline_s", [HD_COLUMN_PREFIX] = "prefix"

struct hd_format {
    const char *name;
    const char *column[HD_COLUMNS]; /* matched without regard to case or order; NULL for
                                       what a format does not have */
    const char *model_name; /* of formats without a column for it: the file is of one */
    const char *unnamed;    /* what a row's empty name of a model is read as; NULL: that
                               is malformed */
    const char *no_tokens;  /* why a format has no lengths, or NULL */
    bool time_may_lack;     /* rows without a time are left out and counted */
    enum hd_clock clock;
    const char *(*stamp)(const char *text, struct hd_stamp *);
};

extern const struct hd_format hd_format_native, hd_format_dated, hd_format_azure,
    hd_format_aegaeon, hd_format_burstgpt, hd_format_vidur, hd_format_arena,
    hd_format_splitwise, hd_format_fineserve, hd_format_gentd26,
    hd_format_functions2021;

#endif
