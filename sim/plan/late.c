/* The account of late tokens, and what it says about a verdict. */
#include "plan/late.h"

#include <stdlib.h>

#include "base/mem.h"

enum cause { /* what time was spent on: the blames, and one part taken out */
             CAUSE_PREEMPTED = HD_BLAMES, /* waiting of requests that were preempted */
             CAUSES
};

enum refusal { REJECTED, TOO_LONG, EMPTY, REFUSALS };

struct cell { /* of one bin and model */
    int64_t late, refused[REFUSALS];
    double cause_s[CAUSES];
};

struct hd_late {
    const struct hd_run_model *model;
    int models, bins;
    hd_tick from, bin_ticks;
    struct cell *cell; /* bin by bin */
};

/* Bins cover every arrival that a trace may hold, even in a window without end. */
static void lay_out_bins(struct hd_late *l, hd_tick to) {
    hd_tick window = to - l->from;
    if (window > HD_TICK_SPAN_MAX) window = HD_TICK_SPAN_MAX;
    if (window < 1) window = 1;
    l->bin_ticks = 300 * HD_TICKS_PER_S;
    if (window < 10 * l->bin_ticks) l->bin_ticks = (window + 9) / 10;
    l->bins = (int)((window + l->bin_ticks - 1) / l->bin_ticks);
}

struct hd_late *hd_late_new(const struct hd_measure *m,
                            const struct hd_run_model *model) {
    struct hd_late *l = hd_alloc(sizeof *l);
    l->model = model;
    l->models = m->models;
    l->from = m->from;
    lay_out_bins(l, m->to);
    l->cell = hd_alloc(sizeof *l->cell * (size_t)l->models * (size_t)l->bins);
    return l;
}

void hd_late_free(struct hd_late *l) {
    if (!l) return;
    free(l->cell);
    free(l);
}

void hd_late_add(struct hd_late *l, const struct hd_finished *f) {
    int64_t due = f->output_tokens > 0 ? f->output_tokens : 1;
    int64_t late = due - (f->status == HD_STATUS_DONE ? f->tokens_on_time : 0);
    if (!f->measured || late == 0) return;
    int64_t bin = (f->arrival - l->from) / l->bin_ticks;
    struct cell *c = &l->cell[bin * l->models + f->model];
    c->late += late;
    if (f->status == HD_STATUS_REJECTED) c->refused[REJECTED] += late;
    if (f->status == HD_STATUS_TOO_LONG) c->refused[TOO_LONG] += late;
    if (f->status == HD_STATUS_EMPTY) c->refused[EMPTY] += late;
    for (int b = 0; b < HD_BLAMES; b++) {
        hd_tick spent = f->blame[b];
        hd_tick tbt = l->model[f->model].tbt;
        if (b == HD_BLAME_DECODE) {
            hd_tick steps = f->emitted_tokens > 1 ? f->emitted_tokens - 1 : 0;
            bool granted = tbt == HD_TICK_NEVER || spent <= (hd_wide)steps * tbt;
            spent = granted ? 0 : spent - steps * tbt;
        }
        int cause = b == HD_BLAME_WAIT && f->preempted ? (int)CAUSE_PREEMPTED : b;
        c->cause_s[cause] += hd_s_from_tick(spent);
    }
}

/* Does the model belong to what fails the criterion? */
static bool fails(const struct hd_measure *m, const struct hd_criterion *c, int model) {
    double target = hd_target(m, model, c->attain);
    if (c->rule == HD_PASS_MODEL && hd_judged(m, model, c->attain))
        return hd_attained(m, c->metric, model, 0) < target;
    /* One of several that count together: it is to blame if it is below itself. */
    return m->model[model].requests > 0 && hd_attained(m, c->metric, model, 0) < target;
}

static const char *name_of(const struct cell *sum) {
    static const char *const refused[REFUSALS] = {
        "rejections", "requests beyond their model's context",
        "requests without output"};
    static const char *const cause[CAUSES] = {[HD_BLAME_QUEUE] = "prefill queue",
                                              [HD_BLAME_SWITCH] = "switching",
                                              [HD_BLAME_PREFILL] = "prefill compute",
                                              [HD_BLAME_KV] = "KV transfer",
                                              [HD_BLAME_DECODE] = "decode compute",
                                              [HD_BLAME_WAIT] = "waiting between turns",
                                              [CAUSE_PREEMPTED] = "KV memory"};
    for (int r = 0; r < REFUSALS; r++)
        if (sum->refused[r] > sum->late / 2) return refused[r];
    int most = 0;
    for (int c = 1; c < CAUSES; c++)
        if (sum->cause_s[c] > sum->cause_s[most]) most = c;
    return cause[most];
}

/* Up to three models of the bin, the most late tokens first. */
static char *worst_models(const struct hd_late *l, const struct cell *bin,
                          const bool *counts) {
    char *names = NULL;
    bool *named = hd_alloc(sizeof *named * (size_t)(l->models + 1));
    for (int n = 0; n < 3; n++) {
        int worst = -1;
        for (int m = 0; m < l->models; m++) {
            if (!counts[m] || named[m] || bin[m].late == 0) continue;
            if (worst < 0 || bin[m].late > bin[worst].late) worst = m;
        }
        if (worst < 0) break;
        named[worst] = true;
        char *longer = names ? hd_format("%s %s", names, l->model[worst].name)
                             : hd_strdup(l->model[worst].name);
        free(names);
        names = longer;
    }
    free(named);
    return names;
}

struct hd_limit hd_late_limit(const struct hd_late *l, const struct hd_measure *m,
                              const struct hd_criterion *criterion) {
    bool *counts = hd_alloc(sizeof *counts * (size_t)(l->models + 1));
    for (int n = 0; n < l->models; n++)
        counts[n] = !criterion || fails(m, criterion, n);
    int worst = -1;
    struct cell most = {0};
    for (int b = 0; b < l->bins; b++) {
        struct cell sum = {0};
        for (int n = 0; n < l->models; n++) {
            const struct cell *c = &l->cell[(int64_t)b * l->models + n];
            if (!counts[n]) continue;
            sum.late += c->late;
            for (int r = 0; r < REFUSALS; r++) sum.refused[r] += c->refused[r];
            for (int s = 0; s < CAUSES; s++) sum.cause_s[s] += c->cause_s[s];
        }
        if (sum.late <= most.late) continue;
        most = sum;
        worst = b;
    }
    struct hd_limit limit = {0};
    if (worst >= 0) {
        hd_tick from = l->from + worst * l->bin_ticks, to = from + l->bin_ticks;
        limit = (struct hd_limit){
            .known = true,
            .from = from,
            .to = to < m->to ? to : m->to,
            .models = worst_models(l, &l->cell[(int64_t)worst * l->models], counts),
            .resource = name_of(&most)};
    }
    free(counts);
    return limit;
}
