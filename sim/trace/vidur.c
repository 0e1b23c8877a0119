/* Traces of the Vidur simulator (microsoft/vidur, MIT; the Azure traces among
 * them): seconds since the start, one model. */
#include <stddef.h>

#include "trace/format.h"

const struct hd_format hd_format_vidur = {
    .name = "vidur",
    .column = {"arrived_at", "num_prefill_tokens", "num_decode_tokens", NULL},
    .model_name = "vidur",
    .clock = HD_CLOCK_SECONDS,
    .stamp = hd_stamp_seconds,
};
