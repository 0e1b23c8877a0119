/* Azure Functions 2021 (Azure/AzurePublicDataset, CC-BY-4.0; Zhang et al., SOSP'21):
 * calls of functions, of which a trace of requests can take the arrivals. A function's
 * identity is unique within its application only. */
#include <stddef.h>

#include "trace/format.h"

const struct hd_format hd_format_functions2021 = {
    .name = "functions2021",
    .column = {"end_timestamp", NULL, NULL, "app", "func", "duration"},
    .no_tokens = "calls of functions have no tokens",
    .clock = HD_CLOCK_SECONDS,
    .stamp = hd_stamp_seconds,
};
