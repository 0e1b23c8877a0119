/* The Chatbot Arena trace of 27 models (Ying1123/VTC-artifact, Apache-2.0; Sheng
 * et al., OSDI'24) as a table: seconds; an adapter stands for a model. */
#include "trace/format.h"

const struct hd_format hd_format_arena = {
    .name = "arena",
    .column = {"req_time_s", "prompt_len", "output_len", "adapter"},
    .clock = HD_CLOCK_SECONDS,
    .stamp = hd_stamp_seconds,
};
