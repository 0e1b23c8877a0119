/* The profile of a run, for people and programs. Between the report_*.c files only. */
#ifndef HD_PLAN_REPORT_PROFILE_H
#define HD_PLAN_REPORT_PROFILE_H

#include "output/fields.h"
#include "plan/result.h"

struct hd_profile_figures {
    double run_s, requests_per_s, engine_s, engine_share, clock_ns;
    int64_t iterations, iterations_stepped, segments;
};
struct hd_callback_figures {
    const char *name;
    int64_t calls;
    double ns_per_call, share;
};

extern const struct hd_field_set hd_schema_profile;  /* of struct hd_profile_figures */
extern const struct hd_field_set hd_schema_callback; /* of struct hd_callback_figures */

/* Both want a record whose profile is timed. */
void hd_report_profile(const struct hd_run_record *, int width, FILE *);
void hd_report_profile_json(const struct hd_run_record *, struct hd_json *);

#endif
