/* BurstGPT (HPMLL/BurstGPT, CC-BY-4.0; Wang et al., KDD'25): seconds since local
 * midnight. Later versions of the files insert columns among these, so they are
 * found by name. Rows of 0 and 0 tokens are failed requests. */
#include "trace/format.h"

const struct hd_format hd_format_burstgpt = {
    .name = "burstgpt",
    .column = {"Timestamp", "Request tokens", "Response tokens",
               "Model", [HD_COLUMN_SESSION] = "Session ID"},
    .clock = HD_CLOCK_SECONDS,
    .stamp = hd_stamp_seconds,
};
