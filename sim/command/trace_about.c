/* Gathering. */
#include "command/trace_about.h"

#include <math.h>
#include <stdlib.h>

void hd_trace_about(const struct hd_trace *t, double service_s,
                    struct hd_trace_about *a) {
    *a = (struct hd_trace_about){
        .trace = t,
        .stats = hd_trace_stats(t, service_s),
        .ties = hd_ties(t),
        .correlation = hd_token_correlation(t),
        .model = hd_model_stats(t),
        .order = hd_trace_by_popularity(t),
    };
    hd_rate_over_time(t, HD_ABOUT_INTERVALS_MAX, &a->rate);
    a->dispersions = hd_dispersions(t, a->dispersion);
    for (int side = 0; side < 2; side++)
        hd_token_counts(t, (enum hd_side)side, false, &a->tokens[side]);
    hd_popularity(t->model_rows, t->models, &a->popularity);
    hd_activity(t, service_s, &a->activity);
    hd_reuse(t, &a->reuse);
}

struct hd_said hd_about_length(double seconds) {
    static const struct {
        int seconds;
        const char *name;
    } unit[] = {{86400, "d"}, {3600, "h"}, {60, "min"}};
    struct hd_said said = hd_say_limit(seconds);
    for (int i = 0; i < 3; i++) {
        double count = seconds / unit[i].seconds;
        if (count < 1 || count != floor(count)) continue;
        snprintf(said.text, sizeof said.text, "%.0f %s", count, unit[i].name);
        break;
    }
    return said;
}

struct hd_about_units hd_about_units(const struct hd_trace_stats *s) {
    static const double seconds[] = {1, 60, 3600, 86400};
    static const char *const times[] = {"seconds", "minutes", "hours", "days"};
    static const char *const rates[] = {"second", "minute", "hour", "day"};
    int time = 3, rate = 0;
    while (time > 0 && s->span_s < 4 * seconds[time]) time--;
    while (rate < 3 && s->rate_per_s * seconds[rate] < 1) rate++;
    return (struct hd_about_units){seconds[time], seconds[rate], times[time],
                                   rates[rate]};
}

void hd_trace_about_free(struct hd_trace_about *a) {
    hd_rate_over_time_free(&a->rate);
    for (int side = 0; side < 2; side++) hd_token_counts_free(&a->tokens[side]);
    hd_activity_free(&a->activity);
    hd_reuse_free(&a->reuse);
    free(a->model);
    free(a->order);
    if (a->demand) {
        hd_demand_free(&a->demand->demand);
        free(a->demand->gpu);
        free(a->demand->models);
        free(a->demand->engine);
        free(a->demand);
    }
    *a = (struct hd_trace_about){0};
}
