/* hotdesk's own format with calendar stamps, as an operator's log has them. */
#include "trace/format.h"

const struct hd_format hd_format_dated = {
    .name = "dated",
    .column = {"arrival", "input_tokens", "output_tokens", "model", HD_OWN_OPTIONAL},
    .clock = HD_CLOCK_DATE,
    .stamp = hd_stamp_date,
};
