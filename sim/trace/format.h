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
    HD_COLUMNS
};

struct hd_format {
    const char *name;
    const char *column[HD_COLUMNS]; /* matched without regard to case or order;
                                       NULL for the model: the file is of one */
    const char *model_name;         /* then the name of that one */
    enum hd_clock clock;
    const char *(*stamp)(const char *text, struct hd_stamp *);
};

extern const struct hd_format hd_format_native, hd_format_dated, hd_format_azure,
    hd_format_aegaeon, hd_format_burstgpt, hd_format_vidur, hd_format_arena;

#endif
