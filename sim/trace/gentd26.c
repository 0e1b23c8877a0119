/* GenTD26 (alibaba/clusterdata, cluster-trace-v2026-GenAI; Lin et al., SoCC'25):
 * requests for pictures. Real arrivals and a real popularity of models, but no tokens:
 * the column prompt_length counts characters. 25 rows name no model; published figures
 * count them as one. */
#include <stddef.h>

#include "trace/format.h"

const struct hd_format hd_format_gentd26 = {
    .name = "gentd26",
    .column = {"gmt_create", NULL, NULL, "checkpoint_model_version_id"},
    .unnamed = "unnamed",
    .no_tokens = "its requests are for pictures and have no tokens",
    .clock = HD_CLOCK_DATE,
    .stamp = hd_stamp_date,
};
