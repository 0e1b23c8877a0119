/* hotdesk's own format: seconds since the file's zero. */
#include "trace/format.h"

const struct hd_format hd_format_native = {
    .name = "native",
    .column = {"arrival_s", "input_tokens", "output_tokens", "model", HD_OWN_OPTIONAL},
    .clock = HD_CLOCK_SECONDS,
    .stamp = hd_stamp_seconds,
};
