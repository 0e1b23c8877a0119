/* The names, units and meanings of everything that results show. */
#ifndef HD_PLAN_REPORT_SCHEMA_H
#define HD_PLAN_REPORT_SCHEMA_H

#include "measure/measure.h"
#include "output/fields.h"

#define HD_SCHEMA_RUN "hotdesk.run/1"
#define HD_SCHEMA_COMPARE "hotdesk.compare/1"
#define HD_SCHEMA_BUNDLE "hotdesk.bundle/1"
#define HD_SCHEMA_MACHINE "hotdesk.machine/1"

extern const struct hd_field_set hd_schema_run;      /* of struct hd_run_figures */
extern const struct hd_field_set hd_schema_model;    /* of struct hd_model_figures */
extern const struct hd_field_set hd_schema_class;    /* of struct hd_class_figures */
extern const struct hd_field_set hd_schema_compare;  /* of struct hd_row_figures */
extern const struct hd_field_set hd_schema_answer;   /* the same: in JSON only */
extern const struct hd_field_set hd_schema_requests; /* of struct hd_request_row */

struct hd_request_row {
    int64_t id;
    double arrival_s;
    const char *model, *slo_class;
    int measured;
    const char *status;
    int64_t input_tokens, output_tokens, tokens_on_time;
    double ttft_s, tpot_s, e2e_s, gap_longest_s, blame_s[HD_BLAMES];
    int64_t instance;
};

#endif
