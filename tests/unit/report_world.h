/* A made-up question with made-up results, whose figures are easy to work out by
 * hand: what the tests of the report print.
 *
 * Three models over a window of 100 s. `hot` has 200 requests of 10 tokens, 180 of
 * them all on time and 20 with 5; `warm` has 100 of 4 tokens, all on time; `cold` has
 * 10 of 2 tokens, of which 5 are done with 1 token on time and 5 rejected. */
#ifndef HD_TESTS_REPORT_WORLD_H
#define HD_TESTS_REPORT_WORLD_H

#include "plan/report.h"

struct report_world {
    struct hd_question question;
    struct hd_trace trace;
    struct hd_trace_row row[310];
    char *trace_model[3];
    struct hd_model_spec spec;
    struct hd_gpu_spec gpu;
    struct hd_engine_profile engine;
    struct hd_market_model model[3];
    struct hd_slo_class slo[1];
    struct hd_script script[4];
    struct hd_policy_choice policy[4];
    struct hd_run_record record;
    struct hd_timing_source timing[1];
    struct hd_report report;
    struct hd_warning warning[1];
    struct hd_comparison comparison;
};

void report_world_make(struct report_world *);
/* A comparison of `scales` scales, two targets and both rules: the GPUs follow a
 * formula, the last policy reaches nothing at the strictest of several scales. */
void report_world_compare(struct report_world *, int scales);
void report_world_free(struct report_world *);

/* What `write` prints, as a string; the caller frees it. */
char *report_world_print(void (*write)(void *context, FILE *), void *context);

#endif
