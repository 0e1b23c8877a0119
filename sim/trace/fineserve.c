/* FineServe's replay traces (hihiztc1/FineServe): microseconds since the first request.
 * What is published of a model is its architecture and its size class. */
#include "trace/format.h"

const struct hd_format hd_format_fineserve = {
    .name = "fineserve",
    .column = {"timestamp", "input_length", "output_length", "architecture", "scale"},
    .time_may_lack = true,
    .clock = HD_CLOCK_SECONDS,
    .stamp = hd_stamp_microseconds,
};
