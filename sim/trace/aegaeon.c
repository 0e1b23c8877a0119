/* Traces of Aegaeon's artifact (SOSP'25, doi 10.5281/zenodo.16673199, Apache-2.0):
 * hh:mm:ss.mmm since the start. */
#include "trace/format.h"

const struct hd_format hd_format_aegaeon = {
    .name = "aegaeon",
    .column = {"Request Time", "Input Length", "Output Length", "Model Name"},
    .clock = HD_CLOCK_TIME,
    .stamp = hd_stamp_time,
};
