/* The fewest GPUs of every policy: cells made, shared out among threads, and read. */
#include "plan/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/guess.h"
#include "plan/team.h"

/* ---- what there is to be found ------------------------------------------- */

bool hd_reads_replicas(const struct hd_script *script) {
    return strstr(script->source, "replicas") != NULL;
}

struct hd_need *hd_compare_needs(const struct hd_compare *c, int scale, int attain) {
    const struct hd_question *q = c->question;
    return c->need + ((int64_t)scale * q->attains + attain) * q->models;
}

static void order_criteria(struct hd_compare *c) {
    const struct hd_question *q = c->question;
    int *order = c->attains_by_ease;
    for (int a = 0; a < q->attains; a++) {
        int at = a;
        for (; at > 0 && q->attain[order[at - 1]] > q->attain[a]; at--)
            order[at] = order[at - 1];
        order[at] = a;
    }
    static const enum hd_pass_rule rules[] = {HD_PASS_POOLED, HD_PASS_MODEL};
    for (int a = 0; a < q->attains; a++)
        for (int r = 0; r < HD_PASS_RULES; r++) {
            if (!q->pass[rules[r]]) continue;
            c->attain_of[c->criteria] = order[a];
            c->criterion[c->criteria++] =
                (struct hd_criterion){q->metric, rules[r], q->attain[order[a]]};
        }
}

/* Gives a search the criteria that are not beyond reach, all or of one attainment. */
static void give_criteria(const struct hd_compare *c, struct hd_cell *cell) {
    for (int k = 0; k < c->criteria; k++) {
        if (cell->attain >= 0 && cell->attain != c->attain_of[k]) continue;
        if (!hd_passes(c->perfect, &c->criterion[k])) continue;
        cell->criterion[cell->criteria++] = c->criterion[k];
    }
    cell->search.criteria = cell->criteria;
    cell->measured = hd_setup_measured(c->setup, -1);
}

static struct hd_cell *add_cell(struct hd_compare *c, enum hd_cell_kind kind,
                                int scale) {
    struct hd_cell *cell = &c->cell[c->cells++];
    cell->kind = kind;
    cell->stage = HD_CELL_SEEKS;
    cell->scale = scale;
    cell->attain = -1;
    return cell;
}

/* A search that stands on the needs of one attainment, which are not known yet. */
static void add_planned(struct hd_compare *c, int policy, int scale, int attain) {
    struct hd_cell *cell = add_cell(c, HD_CELL_SEARCH, scale);
    cell->policy = policy;
    cell->attain = attain;
    cell->stage = HD_CELL_WAITS;
    give_criteria(c, cell);
}

static void add_search(struct hd_compare *c, int policy, int scale) {
    struct hd_cell *cell = add_cell(c, HD_CELL_SEARCH, scale);
    cell->policy = policy;
    give_criteria(c, cell);
    const struct hd_question *q = c->question;
    int guess =
        hd_guess_gpus(c->setup, q->policy[policy].script->pooling, q->scale[scale]);
    cell->search.first = guess < q->gpus_max ? guess : q->gpus_max;
    /* What passes within HD_ABOVE of the answer has to be run anyhow. */
    cell->search.step = guess / 16 > HD_ABOVE + 1 ? guess / 16 : HD_ABOVE + 1;
    cell->search.least = 1;
    cell->search.most = q->gpus_max;
    cell->search.above = HD_ABOVE;
    hd_cell_absorb(cell); /* with nothing in reach it is done */
}

/* The baselines come first: without them an interrupted comparison says little. */
static void add_cells(struct hd_compare *c) {
    const struct hd_question *q = c->question;
    int most = q->scales * ((q->policies + 1) * q->attains + q->models + 1);
    c->cell = hd_alloc(sizeof *c->cell * (size_t)most);
    for (int s = 0; s < q->scales; s++) {
        for (int m = 0; m < q->models; m++) add_cell(c, HD_CELL_NEEDS, s)->model = m;
        add_cell(c, HD_CELL_ONE_EACH, s)->policy = HD_POLICY_FIXED;
        for (int p = HD_POLICY_FIXED; p < q->policies; p++)
            for (int a = 0; a < q->attains; a++)
                if (p == HD_POLICY_FIXED || hd_reads_replicas(q->policy[p].script))
                    add_planned(c, p, s, a);
    }
    for (int s = 0; s < q->scales; s++)
        for (int p = 0; p < q->policies; p++)
            if (!hd_reads_replicas(q->policy[p].script)) add_search(c, p, s);
    for (int n = 0; n < c->cells; n++) {
        if (c->cell[n].kind != HD_CELL_SEARCH) continue;
        c->progress.searches++;
        c->progress.searches_done += c->cell[n].stage == HD_CELL_DONE;
    }
}

/* ---- needs --------------------------------------------------------------- */

static void find_needs(struct hd_compare *c, struct hd_cell *cell) {
    const struct hd_question *q = c->question;
    double target[HD_ATTAINS_MAX];
    struct hd_need need[HD_ATTAINS_MAX];
    for (int a = 0; a < q->attains; a++) target[a] = q->attain[c->attains_by_ease[a]];
    bool fine = hd_needs_of(c->setup, cell->model, q->scale[cell->scale], target,
                            q->attains, need, &cell->effort, &cell->err);
    cell->failed = !fine && cell->err.text[0];
    for (int a = 0; a < q->attains && fine; a++)
        hd_compare_needs(c, cell->scale, c->attains_by_ease[a])[cell->model] = need[a];
}

/* All models' needs at a scale are known: what waited for them begins. */
static void release(struct hd_compare *c, int scale) {
    const struct hd_question *q = c->question;
    int *replicas = hd_alloc(sizeof *replicas * (size_t)(q->models + 1));
    for (int n = 0; n < c->cells; n++) {
        struct hd_cell *cell = &c->cell[n];
        if (cell->stage != HD_CELL_WAITS || cell->scale != scale) continue;
        cell->need = hd_compare_needs(c, scale, cell->attain);
        for (int m = 0; m < q->models; m++) replicas[m] = cell->need[m].replicas;
        cell->base_gpus = hd_replicas_gpus(c->setup, replicas);
        /* The baseline is looked for wherever it lies. */
        int most = q->gpus_max;
        if (cell->policy == HD_POLICY_FIXED && most < 2 * cell->base_gpus)
            most = 2 * cell->base_gpus;
        int first = cell->base_gpus < most ? cell->base_gpus : most;
        cell->search.first = first;
        cell->search.step = cell->search.least = 1;
        cell->search.most = most;
        cell->search.above = HD_ABOVE;
        cell->stage = HD_CELL_SEEKS;
        hd_cell_absorb(cell);
        c->progress.searches_done += cell->stage == HD_CELL_DONE;
    }
    free(replicas);
}

static void run_one_each(struct hd_compare *c, struct hd_cell *cell) {
    struct hd_scene scene;
    struct hd_outcome o;
    hd_scene_open(
        c->setup,
        &(struct hd_case){c->question->scale[cell->scale], c->one_each_gpus, -1, NULL},
        &scene);
    hd_once(&scene, HD_POLICY_FIXED, &(struct hd_views){0}, &o);
    hd_scene_close(&scene);
    cell->failed = o.end == HD_RUN_FAILED;
    if (cell->failed) hd_fail(&cell->err, "%s", o.err.text);
    if (hd_outcome_whole(&o)) {
        c->one_each[cell->scale] = (struct hd_one_each){
            true, hd_attained(o.measure, c->question->metric, -1, 0)};
        cell->effort = (struct hd_effort){1, 0, cell->measured, 0};
    }
    hd_outcome_free(&o);
}

/* ---- threads ------------------------------------------------------------- */

static bool is_interrupted(const struct hd_question *q) {
    return q->interrupted && *q->interrupted;
}

static struct hd_piece *make_piece(struct hd_cell *cell, struct hd_probe *probe,
                                   struct hd_whole *whole) {
    struct hd_piece *p = hd_alloc(sizeof *p);
    *p = (struct hd_piece){cell, probe, whole};
    return p;
}

static void *take(void *context) {
    struct hd_compare *c = context;
    if (is_interrupted(c->question)) {
        c->interrupted = true;
        return NULL;
    }
    for (int n = 0; n < c->failed; n++) {
        struct hd_cell *cell = &c->cell[n];
        if (cell->kind != HD_CELL_SEARCH) {
            if (cell->stage == HD_CELL_DONE || cell->out) continue;
            cell->out = true;
            return make_piece(cell, NULL, NULL);
        }
        struct hd_probe *probe = hd_cell_next(cell);
        if (probe) return make_piece(cell, probe, NULL);
        struct hd_whole *whole = hd_cell_whole(cell);
        if (!whole) continue;
        whole->out = true;
        return make_piece(cell, NULL, whole);
    }
    for (int n = 0; n < c->failed && c->question->jobs > 1; n++) {
        if (c->cell[n].kind != HD_CELL_SEARCH) continue;
        struct hd_probe *probe = hd_cell_ahead(&c->cell[n], c->question->jobs);
        if (probe) return make_piece(&c->cell[n], probe, NULL);
    }
    return NULL;
}

static void perform(void *context, void *piece) {
    struct hd_compare *c = context;
    struct hd_piece *p = piece;
    if (p->probe)
        hd_cell_probe(c->setup, p->cell, p->probe);
    else if (p->whole)
        hd_cell_record(c->setup, p->cell, p->whole);
    else if (p->cell->kind == HD_CELL_NEEDS)
        find_needs(c, p->cell);
    else
        run_one_each(c, p->cell);
}

static void take_back(struct hd_compare *c, struct hd_piece *p) {
    struct hd_cell *cell = p->cell;
    bool was_done = cell->stage == HD_CELL_DONE;
    if (p->probe) {
        p->probe->out = false;
        c->progress.runs++;
        c->progress.runs_cut += p->probe->end == HD_RUN_DECIDED;
    } else if (p->whole) {
        p->whole->out = false;
        p->whole->done = true;
        c->progress.runs++;
    } else {
        cell->out = false;
        cell->stage = HD_CELL_DONE;
        c->progress.runs += cell->effort.runs;
        c->progress.runs_cut += cell->effort.cut;
        if (cell->kind == HD_CELL_NEEDS && !cell->failed &&
            --c->needs_left[cell->scale] == 0)
            release(c, cell->scale);
    }
    if (cell->kind == HD_CELL_SEARCH && !was_done) { /* else it was run in vain */
        hd_cell_absorb(cell);
        c->progress.searches_done += cell->stage == HD_CELL_DONE;
    }
    if (cell->failed && cell - c->cell < c->failed) c->failed = (int)(cell - c->cell);
}

static bool give_back(void *context, void *piece) {
    struct hd_compare *c = context;
    struct hd_piece *p = piece;
    if (is_interrupted(c->question)) /* the run is likely half one: it does not count */
        c->interrupted = true;
    else
        take_back(c, p);
    free(p);
    if (c->tell) c->tell(c->tell_context, &c->progress);
    return !c->interrupted;
}

/* ---- the whole ----------------------------------------------------------- */

static void begin(struct hd_compare *c) {
    const struct hd_question *q = c->question;
    c->perfect = hd_setup_perfect(c->setup);
    c->need = hd_alloc(sizeof *c->need * (size_t)q->scales * (size_t)q->attains *
                       (size_t)(q->models + 1));
    c->one_each = hd_alloc(sizeof *c->one_each * (size_t)q->scales);
    c->needs_left = hd_alloc(sizeof *c->needs_left * (size_t)q->scales);
    for (int s = 0; s < q->scales; s++) c->needs_left[s] = q->models;
    int *ones = hd_alloc(sizeof *ones * (size_t)(q->models + 1));
    for (int m = 0; m < q->models; m++) ones[m] = 1;
    c->one_each_gpus = hd_replicas_gpus(c->setup, ones);
    free(ones);
    order_criteria(c);
    add_cells(c);
    c->failed = c->cells;
}

static void end(struct hd_compare *c) {
    for (int n = 0; n < c->cells; n++) hd_cell_free(&c->cell[n]);
    free(c->cell);
    free(c->need);
    free(c->one_each);
    free(c->needs_left);
    hd_measure_free(c->perfect);
    hd_setup_free(c->setup);
}

bool hd_compare(const struct hd_question *q, hd_progress_fn tell, void *tell_context,
                struct hd_comparison *result, struct hd_err *err) {
    memset(result, 0, sizeof *result);
    struct hd_compare c = {.question = q, .tell = tell, .tell_context = tell_context};
    if (q->parts != 1)
        return hd_fail(err,
                       "compare: the fleet is of one kind of GPU, whose number is "
                       "sought; %d were asked for",
                       q->parts);
    c.setup = hd_setup_new(q, err);
    if (!c.setup) return false;
    begin(&c);
    hd_team_run(q->jobs, &(struct hd_work){take, perform, give_back}, &c);
    bool fine = c.failed == c.cells;
    if (fine)
        hd_compare_answers(&c, result);
    else
        hd_fail(err, "%s", c.cell[c.failed].err.text);
    end(&c);
    return fine;
}
