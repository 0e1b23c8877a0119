/* Replicas of models alone, and layouts of them on nodes. */
#include "plan/replicas.h"

#include <stdlib.h>

#include "base/mem.h"
#include "plan/once.h"

/* ---- one model alone ----------------------------------------------------- */

struct alone {
    struct hd_setup *setup;
    int model;
    double scale;
    struct hd_watch watch;
    int most;
    struct hd_effort *effort;
    struct hd_err *err;
    struct hd_need *need; /* margin: what was attained, until it is known */
};

/* Runs the model on k replicas. False: interrupted or failed. */
static bool run_alone(struct alone *a, int k, uint32_t open, double *attained) {
    struct hd_case what = {a->scale, hd_setup_gpus_for(a->setup, a->model, k), a->model,
                           &k};
    struct hd_scene scene;
    struct hd_outcome o;
    hd_scene_open(a->setup, &what, &scene);
    a->watch.open = open;
    hd_once(&scene, HD_POLICY_FIXED, &(struct hd_views){.watch = &a->watch}, &o);
    hd_scene_close(&scene);
    int64_t ended = 0, all = hd_setup_measured(a->setup, a->model);
    for (int s = 0; s < HD_STATUSES; s++) ended += o.measure->finished[s];
    bool cut = o.end == HD_RUN_DECIDED;
    a->effort->runs++;
    a->effort->cut += cut;
    a->effort->simulated += ended;
    a->effort->saved += cut ? all - ended : 0;
    *attained = hd_outcome_whole(&o)
                    ? hd_attained(o.measure, a->watch.criterion[0].metric, 0, 0)
                    : -1;
    bool fine = o.end != HD_RUN_FAILED && o.end != HD_RUN_INTERRUPTED;
    if (o.end == HD_RUN_FAILED) hd_fail(a->err, "%s", o.err.text);
    hd_outcome_free(&o);
    return fine;
}

/* The fewest replicas for each criterion; 0: none up to the most. */
static bool search_alone(struct alone *a, int *found_n) {
    struct hd_search s = {.criteria = a->watch.criteria,
                          .first = 1,
                          .step = 1,
                          .least = 1,
                          .most = a->most};
    struct hd_found found[HD_SEARCH_CRITERIA_MAX];
    uint32_t open;
    int n, probes = 0, capacity = 0;
    struct probe {
        int n;
        double attained;
    } *probe = NULL;
    bool fine = true;
    while (fine && (n = hd_search_next(&s, &open, found))) {
        probe = hd_grow(probe, &capacity, probes + 1, sizeof *probe);
        probe[probes].n = n;
        fine = run_alone(a, n, open, &probe[probes].attained);
        uint32_t known = probe[probes++].attained < 0 ? open : UINT32_MAX;
        hd_search_add(&s, (struct hd_verdict){n, known, a->watch.passes});
    }
    for (int c = 0; fine && c < s.criteria; c++) {
        found_n[c] = found[c].reached ? found[c].n : 0;
        for (int p = 0; p < probes; p++)
            if (probe[p].n == found_n[c] && !a->need[c].hopeless)
                a->need[c].margin = probe[p].attained;
    }
    free(probe);
    hd_search_free(&s);
    return fine;
}

/* For what cannot be reached: the share of it that can. */
static bool search_share(struct alone *a, const double *target, int *found_n) {
    double most;
    if (!run_alone(a, a->most, 0, &most)) return false;
    for (int c = 0; c < a->watch.criteria; c++) {
        /* Any positive target is kept by what attains nothing of nothing. */
        double share = target[c] * (most > 0 ? most : 1);
        if (found_n[c] == 0) a->need[c].hopeless = true; /* more would not help */
        a->watch.criterion[c].attain = found_n[c] ? target[c] : share;
    }
    int again[HD_SEARCH_CRITERIA_MAX];
    if (most > 0 && !search_alone(a, again)) return false;
    for (int c = 0; c < a->watch.criteria; c++)
        if (found_n[c] == 0) found_n[c] = most > 0 && again[c] > 0 ? again[c] : 1;
    return true;
}

bool hd_needs_of(struct hd_setup *s, int model, double scale, const double *target,
                 int targets, struct hd_need *need, struct hd_effort *effort,
                 struct hd_err *err) {
    const struct hd_question *q = hd_setup_question(s);
    const struct hd_market_model *m = &q->model[model];
    double own = q->slo[m->slo].attain, wanted[HD_SEARCH_CRITERIA_MAX];
    /* A replay says nothing of it. */
    int limit = (q->gpus_max > 0 ? q->gpus_max : HD_GPUS_MAX_DEFAULT) / m->tp;
    int64_t sent = hd_setup_sent(s, model);
    struct alone a = {.setup = s,
                      .model = model,
                      .scale = scale,
                      .most = sent < limit ? (int)sent : limit,
                      .effort = effort,
                      .err = err,
                      .need = need};
    if (a.most < 1) a.most = 1;
    a.watch.criteria = targets;
    for (int c = 0; c < targets; c++) {
        need[c] = (struct hd_need){.replicas = 1, .margin = 1};
        wanted[c] = own > 0 ? own : target[c];
        a.watch.criterion[c] =
            (struct hd_criterion){q->metric, HD_PASS_POOLED, wanted[c]};
    }
    int found[HD_SEARCH_CRITERIA_MAX];
    bool any_hopeless = false;
    if (hd_setup_measured(s, model) > 0) {
        if (!search_alone(&a, found)) return false;
        for (int c = 0; c < targets; c++) any_hopeless |= found[c] == 0;
        if (any_hopeless && !search_share(&a, wanted, found)) return false;
        for (int c = 0; c < targets; c++) need[c].replicas = found[c];
    }
    for (int c = 0; c < targets; c++) {
        if (!need[c].hopeless) need[c].margin -= wanted[c];
        if (need[c].replicas < m->min_replicas) need[c].replicas = m->min_replicas;
    }
    return true;
}

/* ---- layouts ------------------------------------------------------------- */

static int total_gpus(const struct hd_question *q, const int *replicas) {
    int sum = 0;
    for (int m = 0; m < q->models; m++) sum += replicas[m] * q->model[m].tp;
    return sum;
}

/* As `form` picks GPUs: the first node with enough free ones. */
static bool fit(const struct hd_question *q, const int *replicas, int gpus) {
    int node = q->part[0].node.gpus, nodes = (gpus + node - 1) / node;
    if (total_gpus(q, replicas) > gpus) return false;
    int *left = hd_alloc(sizeof *left * (size_t)(nodes + 1));
    for (int n = 0; n < nodes; n++)
        left[n] = n < nodes - 1 ? node : gpus - (nodes - 1) * node;
    bool fits = true;
    for (int m = 0; m < q->models && fits; m++) {
        int n = 0;
        for (int r = 0; r < replicas[m] && fits; r++) {
            while (n < nodes && left[n] < q->model[m].tp) n++;
            fits = n < nodes;
            if (fits) left[n] -= q->model[m].tp;
        }
    }
    free(left);
    return fits;
}

int hd_replicas_gpus(const struct hd_setup *s, const int *replicas) {
    const struct hd_question *q = hd_setup_question(s);
    int gpus = total_gpus(q, replicas);
    while (!fit(q, replicas, gpus)) gpus++;
    return gpus;
}

struct ranked {
    int model;
    double margin;
};

static int by_margin(const void *a, const void *b) {
    const struct ranked *x = a, *y = b;
    if (x->margin != y->margin) return x->margin < y->margin ? -1 : 1;
    return x->model - y->model;
}

void hd_replicas_on(const struct hd_setup *s, int gpus, const struct hd_need *need,
                    int *replicas) {
    const struct hd_question *q = hd_setup_question(s);
    struct ranked *order = hd_alloc(sizeof *order * (size_t)(q->models + 1));
    for (int m = 0; m < q->models; m++) {
        replicas[m] = need[m].replicas;
        order[m] = (struct ranked){m, need[m].margin};
    }
    qsort(order, (size_t)q->models, sizeof *order, by_margin);
    int used = total_gpus(q, replicas);
    bool more = q->parts == 1 && fit(q, replicas, gpus);
    while (more) {
        more = false;
        for (int n = 0; n < q->models; n++) {
            int m = order[n].model, tp = q->model[m].tp;
            if (used + tp > gpus) continue;
            replicas[m]++;
            if (fit(q, replicas, gpus)) {
                used += tp;
                more = true;
            } else {
                replicas[m]--;
            }
        }
    }
    free(order);
}
