/* Traces of the Splitwise simulator (Mutinifni/splitwise-sim; Patel et al., ISCA'24):
 * seconds; an application stands for a model. */
#include "trace/format.h"

const struct hd_format hd_format_splitwise = {
    .name = "splitwise",
    .column = {"arrival_timestamp", "prompt_size", "token_size", "application_id"},
    .clock = HD_CLOCK_SECONDS,
    .stamp = hd_stamp_seconds,
};
