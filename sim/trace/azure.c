/* Azure LLM inference traces of 2023, 2024 and, with pictures, 2025
 * (Azure/AzurePublicDataset, CC-BY-4.0; Patel et al., Splitwise, ISCA'24; Stojkovic et
 * al., DynamoLLM, HPCA'25): dates with up to seven decimals, in 2024 with a time zone.
 * A file is one service. */
#include "trace/format.h"

const struct hd_format hd_format_azure = {
    .name = "azure",
    .column = {"TIMESTAMP", "ContextTokens",
               "GeneratedTokens", [HD_COLUMN_IMAGES] = "NumImages"},
    .model_name = "azure",
    .clock = HD_CLOCK_DATE,
    .stamp = hd_stamp_date,
};
