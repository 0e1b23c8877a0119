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
    HD_COLUMNS_ASKED, /* those that a format must have, but for the model */
    HD_COLUMN_SESSION = HD_COLUMNS_ASKED,
    HD_COLUMN_CLASS,
    HD_COLUMN_DEADLINE,
    HD_COLUMN_PREFIX,
    HD_COLUMNS
};

/* The optional columns of our own formats. */
#define HD_OWN_OPTIONAL "session", "class", "deadline_s", "prefix"

struct hd_format {
    const char *name;
    const char *column[HD_COLUMNS]; /* matched without regard to case or order;
                                       NULL for the model: the file is of one;
                                       NULL for what a format does not have */
    const char *model_name;         /* then the name of that one */
    enum hd_clock clock;
    const char *(*stamp)(const char *text, struct hd_stamp *);
};

extern const struct hd_format hd_format_native, hd_format_dated, hd_format_azure,
    hd_format_aegaeon, hd_format_burstgpt, hd_format_vidur, hd_format_arena;

#endif
