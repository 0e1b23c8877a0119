/* From searches that are done to the answers of a comparison. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/compare.h"

/* ---- what stands lowest -------------------------------------------------- */

enum { ALL = -1, RARE = -2 };

/* What the criterion hangs on: the judged model that is furthest below its target (or
 * least above it), the rare ones together, or all. */
static double lowest(const struct hd_measure *m, const struct hd_criterion *c,
                     int *which) {
    *which = c->rule == HD_PASS_POOLED ? ALL : RARE;
    double attained = hd_attained(m, c->metric, *which, c->attain);
    double gap = attained - c->attain;
    for (int n = 0; n < m->models && c->rule == HD_PASS_MODEL; n++) {
        if (!hd_judged(m, n, c->attain)) continue;
        double of_model = hd_attained(m, c->metric, n, 0);
        if (of_model - hd_target(m, n, c->attain) >= gap) continue;
        gap = of_model - hd_target(m, n, c->attain);
        attained = of_model;
        *which = n;
    }
    return attained;
}

/* Whose attainment it is, as the beginning of a sentence. */
static char *who(const struct hd_question *q, int which) {
    if (which == ALL) return hd_strdup("");
    if (which == RARE) return hd_strdup("the rare models together: ");
    return hd_format("%s: ", q->model[which].name);
}

static bool belongs(const struct hd_measure *m, double attain, int model, int which) {
    if (which == RARE)
        return !hd_judged(m, model, attain) && hd_target(m, model, attain) == attain;
    return which == ALL || which == model;
}

/* No run is needed to see that the criterion is out of reach. */
static void explain_beyond_reach(const struct hd_compare *c, struct hd_answer *a,
                                 const struct hd_criterion *criterion) {
    const struct hd_question *q = c->question;
    int which, unfit = -1;
    a->best = lowest(c->perfect, criterion, &which);
    int64_t all = 0, too_long = 0, empty = 0;
    for (int m = 0; m < q->models; m++) {
        if (!belongs(c->perfect, criterion->attain, m, which)) continue;
        const struct hd_model_result *r = &c->perfect->model[m];
        all += r->requests;
        empty += r->finished[HD_STATUS_EMPTY];
        too_long += r->finished[HD_STATUS_TOO_LONG];
        int64_t weights = q->model[m].spec->weights_bytes / q->model[m].tp;
        if (r->requests && weights >= hd_setup_usable_bytes(c->setup, m) &&
            (unfit < 0 || which == m))
            unfit = m;
    }
    char *of = who(q, which);
    if (unfit >= 0)
        a->why_not = hd_format(
            "%sthe weights of %s take %.1f GB on each of %d GPUs, which have %.1f GB",
            of, q->model[unfit].name,
            (double)q->model[unfit].spec->weights_bytes / q->model[unfit].tp / 1e9,
            q->model[unfit].tp, (double)hd_setup_usable_bytes(c->setup, unfit) / 1e9);
    else
        a->why_not = hd_format(
            "%sof %lld requests %lld exceed their model's context and %lld have no "
            "output",
            of, (long long)all, (long long)too_long, (long long)empty);
    free(of);
}

static int latest(const struct hd_measure *m) {
    int most = 0;
    for (int n = 1; n < m->models; n++)
        if (m->model[n].tokens_late > m->model[most].tokens_late) most = n;
    return most;
}

/* Is the limit below what one mean request takes on an idle GPU? NULL: no. */
static char *explain_by_floor(const struct hd_compare *c, const struct hd_measure *m,
                              double scale, int which) {
    const struct hd_question *q = c->question;
    if (which < 0) which = latest(m);
    struct hd_mean_request f = hd_setup_mean_request(c->setup, which, 1);
    const struct hd_slo_class *slo = &q->slo[q->model[which].slo];
    if (f.prefill_s > slo->ttft_s * scale)
        return hd_format(
            "a prefill of %lld tokens (the mean of %s) alone takes %.3g s, "
            "the TTFT limit is %.3g s",
            (long long)f.input, q->model[which].name, f.prefill_s, slo->ttft_s * scale);
    if (f.step_s > slo->tbt_s * scale)
        return hd_format("a decode step of %s alone takes %.3g s, the TBT limit is "
                         "%.3g s",
                         q->model[which].name, f.step_s, slo->tbt_s * scale);
    return NULL;
}

static void explain_not_found(const struct hd_compare *c, const struct hd_cell *cell,
                              int k, struct hd_answer *a) {
    int n = cell->search.most;
    const struct hd_probe *p = hd_cell_probe_at(cell, n);
    const struct hd_whole *w = hd_cell_whole_at(cell, n);
    if (!w) {
        a->why_not = hd_strdup(p && p->text ? p->text : "not run");
        return;
    }
    int which;
    const struct hd_measure *m = w->record.measure;
    a->best = lowest(m, &cell->criterion[k], &which);
    char *of = who(c->question, which);
    char *why = explain_by_floor(c, m, w->record.scale, which);
    if (!why && w->limit[k].known)
        why = hd_format("%s costs the most late tokens, of %s", w->limit[k].resource,
                        w->limit[k].models);
    a->why_not =
        hd_format("%s%s", of, why ? why : "no token is late, and yet it is below");
    free(why);
    free(of);
}

/* ---- answers ------------------------------------------------------------- */

static const struct hd_cell *find_cell(const struct hd_compare *c, int policy,
                                       int scale, int attain) {
    for (int n = 0; n < c->cells; n++) {
        const struct hd_cell *cell = &c->cell[n];
        if (cell->kind == HD_CELL_SEARCH && cell->policy == policy &&
            cell->scale == scale && (cell->attain < 0 || cell->attain == attain))
            return cell;
    }
    return NULL;
}

static int find_criterion(const struct hd_cell *cell, double attain,
                          enum hd_pass_rule rule) {
    for (int k = 0; k < cell->criteria; k++)
        if (cell->criterion[k].attain == attain && cell->criterion[k].rule == rule)
            return k;
    return -1;
}

static struct hd_limit copy_limit(const struct hd_limit *limit) {
    struct hd_limit copy = *limit;
    if (limit->models) copy.models = hd_strdup(limit->models);
    return copy;
}

static void append(char **text, char *more) {
    char *longer = *text ? hd_format("%s; %s", *text, more) : hd_strdup(more);
    free(*text);
    free(more);
    *text = longer;
}

/* What makes a fixed layout larger than its needs, whom it cannot serve, and why a
 * policy does not start on fewer GPUs. */
static void add_note(const struct hd_question *q, const struct hd_cell *cell,
                     struct hd_answer *a) {
    if (cell->need && a->gpus > cell->base_gpus)
        append(&a->note, hd_format("%d more than its models need alone (%d)",
                                   a->gpus - cell->base_gpus, cell->base_gpus));
    int hopeless = 0, first = -1;
    for (int m = 0; m < q->models && cell->need; m++) {
        if (cell->need[m].hopeless && first < 0) first = m;
        hopeless += cell->need[m].hopeless;
    }
    if (hopeless)
        append(&a->note,
               hd_format("%d of its models, %s the first, reach the target alone on no "
                         "number of GPUs",
                         hopeless, q->model[first].name));
    const struct hd_probe *below = hd_cell_probe_at(cell, a->gpus - 1);
    if (below && below->end == HD_RUN_CANNOT && below->text)
        append(&a->note, hd_format("%d: %s", a->gpus - 1, below->text));
}

static void fill_baseline(const struct hd_compare *c, int scale, int attain,
                          struct hd_answer *a) {
    const struct hd_cell *cell = find_cell(c, HD_POLICY_FIXED, scale, attain);
    int k = find_criterion(cell, a->attain, a->rule);
    if (cell->stage == HD_CELL_DONE && k >= 0 && cell->found[k].reached)
        a->baseline_gpus = cell->found[k].n;
    if (a->reached && a->baseline_gpus)
        a->saved = 1 - (double)a->gpus / a->baseline_gpus;
    if (c->one_each[scale].known) a->one_each_attained = c->one_each[scale].attained;
}

static struct hd_answer answer(const struct hd_compare *c, int policy, int scale,
                               int attain, enum hd_pass_rule rule) {
    const struct hd_question *q = c->question;
    struct hd_answer a = {.policy = policy,
                          .scale = q->scale[scale],
                          .attain = q->attain[attain],
                          .rule = rule,
                          .saved = NAN,
                          .best = NAN,
                          .one_each_attained = NAN};
    const struct hd_cell *cell = find_cell(c, policy, scale, attain);
    int k = find_criterion(cell, a.attain, rule);
    a.whole = cell->stage == HD_CELL_DONE;
    a.probes = cell->effort.runs;
    a.probes_cut = cell->effort.cut;
    if (k < 0) {
        a.whole = true;
        explain_beyond_reach(c, &a, &(struct hd_criterion){q->metric, rule, a.attain});
    } else if (a.whole) {
        a.above = hd_search_dips(&cell->search, k, a.fails_above, HD_FAILS_ABOVE_MAX);
        a.reached = cell->found[k].reached;
        if (a.reached) {
            a.gpus = cell->found[k].n;
            const struct hd_whole *below = hd_cell_whole_at(cell, a.gpus - 1);
            if (below) a.limit = copy_limit(&below->limit[k]);
            add_note(q, cell, &a);
        } else {
            explain_not_found(c, cell, k, &a);
        }
    }
    fill_baseline(c, scale, attain, &a);
    return a;
}

/* Moves the runs that answers show from the cells to the comparison. */
static void move_records(const struct hd_compare *c, struct hd_comparison *out) {
    int most = 0;
    for (int n = 0; n < c->cells; n++) most += c->cell[n].wholes;
    out->record = hd_alloc(sizeof *out->record * (size_t)(most + 1));
    int *cell_of = hd_alloc(sizeof *cell_of * (size_t)(most + 1));
    for (int i = 0; i < out->answers; i++) {
        struct hd_answer *a = &out->answer[i];
        int scale = 0, attain = 0;
        while (c->question->scale[scale] != a->scale) scale++;
        while (c->question->attain[attain] != a->attain) attain++;
        const struct hd_cell *cell = find_cell(c, a->policy, scale, attain);
        int k = find_criterion(cell, a->attain, a->rule);
        if (!a->whole || k < 0) continue;
        int n = a->reached ? a->gpus : cell->search.most;
        struct hd_whole *w = hd_cell_whole_at(cell, n);
        if (!w) continue;
        for (int r = 0; r < out->records && !a->record; r++)
            if (cell_of[r] == cell - c->cell && out->record[r].gpus == n)
                a->record = &out->record[r];
        if (a->record) continue;
        cell_of[out->records] = (int)(cell - c->cell);
        a->record = &out->record[out->records];
        out->record[out->records++] = w->record;
        memset(&w->record, 0, sizeof w->record);
    }
    free(cell_of);
}

void hd_compare_answers(const struct hd_compare *c, struct hd_comparison *out) {
    const struct hd_question *q = c->question;
    out->complete = true;
    out->load = hd_setup_load(c->setup);
    out->one_each_gpus = c->one_each_gpus;
    out->answer =
        hd_alloc(sizeof *out->answer * (size_t)q->scales * (size_t)q->attains *
                 HD_PASS_RULES * (size_t)(q->policies + 1));
    for (int s = 0; s < q->scales; s++)
        for (int a = 0; a < q->attains; a++)
            for (int r = 0; r < HD_PASS_RULES; r++)
                for (int p = 0; p < q->policies && q->pass[r]; p++)
                    out->answer[out->answers++] =
                        answer(c, p, s, a, (enum hd_pass_rule)r);
    move_records(c, out);
    int64_t measured = hd_setup_measured(c->setup, -1);
    for (int n = 0; n < c->cells; n++) {
        const struct hd_cell *cell = &c->cell[n];
        out->complete &= cell->stage == HD_CELL_DONE;
        out->requests_simulated += cell->effort.simulated;
        out->requests_saved += cell->effort.saved;
        for (int w = 0; w < cell->wholes; w++)
            if (cell->whole[w].done) out->requests_simulated += measured;
    }
}
