/* Attainment, and the rule by which a run keeps its SLO or not. */
#include "measure/pass.h"

#include <math.h>

const char *hd_pass_rule_name(enum hd_pass_rule rule) {
    static const char *const name[HD_PASS_RULES] = {"model", "pooled"};
    return name[rule];
}

/* What an attainment is made of; sums of these are again one. */
struct sums {
    int64_t requests, tokens, on_time, ok;
    hd_wide units;
};

/* Of one model: as it stands, or (`best`) if all that is still open did perfectly. */
static struct sums of_model(const struct hd_measure *m, int model, bool best) {
    const struct hd_model_result *r = &m->model[model];
    struct sums s = {r->requests, r->tokens, r->tokens_on_time, r->requests_ok,
                     r->ratio_units};
    if (!best) return s;
    int64_t open = r->requests;
    for (int status = 0; status < HD_STATUSES; status++) open -= r->finished[status];
    s.on_time = r->tokens - r->tokens_late;
    s.ok += open;
    s.units += (hd_wide)open * HD_RATIO_ONE;
    return s;
}

static void add(struct sums *to, struct sums s) {
    to->requests += s.requests;
    to->tokens += s.tokens;
    to->on_time += s.on_time;
    to->ok += s.ok;
    to->units += s.units;
}

/* Non-decreasing in on_time, ok and units, rounding included: a bound on these
 * bounds the attainment. */
static double attained(struct sums s, enum hd_metric metric) {
    if (s.requests == 0) return 1;
    if (metric == HD_METRIC_TOKEN) return (double)s.on_time / (double)s.tokens;
    if (metric == HD_METRIC_REQUEST) return (double)s.ok / (double)s.requests;
    return (double)s.units / ((double)HD_RATIO_ONE * (double)s.requests);
}

int64_t hd_judged_from(double attain) {
    if (attain >= 1) return 1;
    return llround(10 / (1 - attain));
}

double hd_target(const struct hd_measure *m, int model, double attain) {
    double own = m->model[model].attain;
    return own > 0 ? own : attain;
}

bool hd_judged(const struct hd_measure *m, int model, double attain) {
    int64_t requests = m->model[model].requests;
    return requests > 0 && requests >= hd_judged_from(hd_target(m, model, attain));
}

double hd_attained(const struct hd_measure *m, enum hd_metric metric, int model,
                   double target) {
    if (model >= 0) return attained(of_model(m, model, false), metric);
    struct sums all = {0};
    for (int n = 0; n < m->models; n++)
        if (model == -1 ||
            (hd_target(m, n, target) == target && !hd_judged(m, n, target)))
            add(&all, of_model(m, n, false));
    return attained(all, metric);
}

/* The rule among the models of one target. */
static bool reaches_target(const struct hd_measure *m, const struct hd_criterion *c,
                           double target, bool best) {
    struct sums rest = {0}; /* all requests, or those of the rare models */
    int64_t judged_from = hd_judged_from(target);
    for (int n = 0; n < m->models; n++) {
        if (hd_target(m, n, c->attain) != target) continue;
        struct sums s = of_model(m, n, best);
        if (c->rule == HD_PASS_POOLED || s.requests < judged_from)
            add(&rest, s);
        else if (attained(s, c->metric) < target)
            return false;
    }
    return attained(rest, c->metric) >= target;
}

static bool reaches(const struct hd_measure *m, const struct hd_criterion *c,
                    bool best) {
    for (double done = 0;;) { /* the targets there are, ascending; most often one */
        double target = INFINITY;
        for (int n = 0; n < m->models; n++) {
            double t = hd_target(m, n, c->attain);
            if (t > done && t < target) target = t;
        }
        if (target == INFINITY) return true;
        if (!reaches_target(m, c, target, best)) return false;
        done = target;
    }
}

bool hd_passes(const struct hd_measure *m, const struct hd_criterion *c) {
    return reaches(m, c, false);
}

bool hd_cannot_pass(const struct hd_measure *m, const struct hd_criterion *c) {
    return !reaches(m, c, true);
}
