/* Small markets for the tests of plan: a question with a trace made here. */
#ifndef HD_TESTS_PLAN_MARKET_H
#define HD_TESTS_PLAN_MARKET_H

#include "plan/plan.h"

struct market {
    struct hd_question question;
    struct hd_catalog *catalog;
    struct hd_engines *engines;
    struct hd_trace trace;
    struct hd_slo_class slo;
    struct hd_market_model *model;
    char **name;
};

/* `models` models dealt from three sizes, on H100 nodes of 8; each model n gets
 * Poisson arrivals at rate * skew^n per second for `span_s` seconds. */
struct market *market_new(int models, double rate, double skew, double span_s,
                          uint64_t seed);
/* Adds a policy from a Lua file that is written from the text and removed again. */
void market_policy(struct market *, const char *name, const char *lua);
void market_free(struct market *);

/* All of an answer's and its record's numbers as text; the caller frees it. */
char *market_text(const struct hd_question *, const struct hd_comparison *);

#endif
