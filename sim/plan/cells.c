/* One search of a comparison, run by run. */
#include "plan/cells.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- probes -------------------------------------------------------------- */

struct hd_probe *hd_cell_probe_at(const struct hd_cell *c, int n) {
    for (int p = 0; p < c->probes; p++)
        if (c->probe[p]->n == n) return c->probe[p];
    return NULL;
}

static struct hd_probe *start_probe(struct hd_cell *c, int n, uint32_t open) {
    struct hd_probe *p = hd_alloc(sizeof *p);
    p->n = n;
    p->open = open;
    p->out = true;
    c->probe = hd_grow(c->probe, &c->probe_capacity, c->probes + 1, sizeof *c->probe);
    return c->probe[c->probes++] = p;
}

/* Would the run have stopped early, had only these criteria been open? */
static bool would_stop(const struct hd_cell *c, const struct hd_probe *p, uint32_t open,
                       int64_t *at) {
    *at = 0;
    if (p->end == HD_RUN_CANNOT) return false;
    for (int k = 0; k < c->criteria; k++) {
        if (!(open >> k & 1)) continue;
        if (p->lost_at[k] == INT64_MAX) return false;
        if (p->lost_at[k] > *at) *at = p->lost_at[k];
    }
    return true;
}

static struct hd_verdict verdict_of(const struct hd_cell *c, const struct hd_probe *p,
                                    uint32_t open) {
    int64_t at;
    if (would_stop(c, p, open, &at)) return (struct hd_verdict){p->n, open, 0};
    return (struct hd_verdict){p->n, UINT32_MAX, p->passes};
}

struct hd_probe *hd_cell_next(struct hd_cell *c) {
    if (c->stage != HD_CELL_SEEKS) return NULL;
    uint32_t open;
    int n = hd_search_next(&c->search, &open, NULL);
    return n && !hd_cell_probe_at(c, n) ? start_probe(c, n, open) : NULL;
}

/* Follows the search along supposed verdicts, all passing or all failing, nearest
 * first, to a number that nobody has run. */
struct hd_probe *hd_cell_ahead(struct hd_cell *c, int ahead) {
    enum { SUPPOSED = 31 };
    if (c->stage != HD_CELL_SEEKS) return NULL;
    int out = 0;
    for (int p = 0; p < c->probes; p++) out += c->probe[p]->out;
    if (out >= ahead) return NULL;
    struct hd_search queue[SUPPOSED + 2];
    int first = 0, count = 1, wanted = 0;
    uint32_t now_open, open;
    hd_search_next(&c->search, &now_open, NULL);
    queue[0] = hd_search_copy(&c->search);
    for (; first < count && !wanted; first++) {
        int n = hd_search_next(&queue[first], &open, NULL);
        if (!n) continue;
        const struct hd_probe *p = hd_cell_probe_at(c, n);
        if (!p) {
            wanted = n;
        } else if (!p->out && count <= SUPPOSED) {
            queue[count] = hd_search_copy(&queue[first]);
            hd_search_add(&queue[count++], verdict_of(c, p, open));
        } else {
            for (int passes = 0; passes < 2 && count <= SUPPOSED; passes++) {
                queue[count] = hd_search_copy(&queue[first]);
                hd_search_add(
                    &queue[count++],
                    (struct hd_verdict){n, UINT32_MAX, passes ? UINT32_MAX : 0});
            }
        }
    }
    for (int q = 0; q < count; q++) hd_search_free(&queue[q]);
    return wanted ? start_probe(c, wanted, now_open) : NULL;
}

/* ---- runs that answers show ---------------------------------------------- */

struct hd_whole *hd_cell_whole_at(const struct hd_cell *c, int n) {
    for (int w = 0; w < c->wholes; w++)
        if (c->whole[w].n == n) return &c->whole[w];
    return NULL;
}

static void add_whole(struct hd_cell *c, int n) {
    const struct hd_probe *p = hd_cell_probe_at(c, n);
    if (n < 1 || (p && p->end == HD_RUN_CANNOT) || hd_cell_whole_at(c, n)) return;
    c->whole[c->wholes++].n = n;
}

/* The answers, what fails just below them, and where one was given up. */
static void plan_wholes(struct hd_cell *c) {
    if (c->policy == HD_POLICY_FIXED) { /* of a baseline the number is shown alone */
        c->stage = HD_CELL_DONE;
        return;
    }
    c->whole = hd_alloc(sizeof *c->whole * (size_t)(2 * c->criteria + 1));
    for (int k = 0; k < c->criteria; k++) {
        if (!c->found[k].reached) {
            add_whole(c, c->search.most);
            continue;
        }
        add_whole(c, c->found[k].n);
        if (c->found[k].n > c->search.least) add_whole(c, c->found[k].n - 1);
    }
    c->stage = c->wholes ? HD_CELL_RECORDS : HD_CELL_DONE;
}

struct hd_whole *hd_cell_whole(struct hd_cell *c) {
    if (c->stage != HD_CELL_RECORDS) return NULL;
    for (int w = 0; w < c->wholes; w++)
        if (!c->whole[w].out && !c->whole[w].done) return &c->whole[w];
    return NULL;
}

/* ---- the serial search --------------------------------------------------- */

static void count_probe(struct hd_cell *c, const struct hd_probe *p, uint32_t open,
                        int64_t measured) {
    int64_t at;
    bool stops = would_stop(c, p, open, &at);
    c->effort.runs++;
    c->effort.cut += stops;
    if (p->end == HD_RUN_CANNOT) return;
    c->effort.simulated += stops ? at : measured;
    c->effort.saved += stops ? measured - at : 0;
}

static void seek(struct hd_cell *c) {
    uint32_t open;
    for (;;) {
        int n = hd_search_next(&c->search, &open, c->found);
        if (!n) break;
        const struct hd_probe *p = hd_cell_probe_at(c, n);
        if (!p || p->out) return;
        if (p->end == HD_RUN_FAILED) {
            c->failed = true;
            hd_fail(&c->err, "%s", p->text);
            return;
        }
        count_probe(c, p, open, c->measured);
        hd_search_add(&c->search, verdict_of(c, p, open));
    }
    plan_wholes(c);
}

void hd_cell_absorb(struct hd_cell *c) {
    if (c->stage == HD_CELL_SEEKS) seek(c);
    if (c->stage != HD_CELL_RECORDS) return;
    for (int w = 0; w < c->wholes; w++) {
        if (!c->whole[w].done) return;
        if (c->whole[w].record.end != HD_RUN_FAILED) continue;
        c->failed = true;
        hd_fail(&c->err, "%s", c->whole[w].record.err.text);
        return;
    }
    c->stage = HD_CELL_DONE;
}

/* ---- making the runs ----------------------------------------------------- */

/* The scene at n GPUs; *replicas is the caller's to free. */
static void open_scene(struct hd_setup *s, const struct hd_cell *c, int n,
                       struct hd_scene *scene, int **replicas) {
    const struct hd_question *q = hd_setup_question(s);
    *replicas = NULL;
    if (c->need) {
        *replicas = hd_alloc(sizeof **replicas * (size_t)(q->models + 1));
        hd_replicas_on(s, n, c->need, *replicas);
    }
    hd_scene_open(s, &(struct hd_case){q->scale[c->scale], n, -1, *replicas}, scene);
}

void hd_cell_probe(struct hd_setup *s, const struct hd_cell *c, struct hd_probe *p) {
    struct hd_watch watch = {.criteria = c->criteria, .open = p->open};
    memcpy(watch.criterion, c->criterion, sizeof watch.criterion);
    struct hd_scene scene;
    struct hd_outcome o;
    int *replicas;
    open_scene(s, c, p->n, &scene, &replicas);
    hd_once(&scene, c->policy, &(struct hd_views){.watch = &watch}, &o);
    p->end = o.end;
    p->passes = watch.passes;
    memcpy(p->lost_at, watch.lost_at, sizeof p->lost_at);
    if (o.err.text[0]) p->text = hd_strdup(o.err.text);
    hd_outcome_free(&o);
    hd_scene_close(&scene);
    free(replicas);
}

/* Is the run itself shown, or only what it says about the next? */
static bool is_shown(const struct hd_cell *c, int n) {
    for (int k = 0; k < c->criteria; k++)
        if (n == (c->found[k].reached ? c->found[k].n : c->search.most)) return true;
    return false;
}

void hd_cell_record(struct hd_setup *s, const struct hd_cell *c, struct hd_whole *w) {
    struct hd_scene scene;
    struct hd_outcome o;
    int *replicas;
    open_scene(s, c, w->n, &scene, &replicas);
    hd_once(&scene, c->policy, &(struct hd_views){.late = true, .timings = true}, &o);
    for (int k = 0; k < c->criteria && hd_outcome_whole(&o); k++)
        w->limit[k] = hd_late_limit(o.late, o.measure, &c->criterion[k]);
    hd_outcome_record(&o, s, c->policy, hd_setup_question(s)->scale[c->scale], replicas,
                      &w->record);
    if (!is_shown(c, w->n)) {
        hd_measure_free(w->record.measure);
        w->record.measure = NULL;
    }
    hd_outcome_free(&o);
    hd_scene_close(&scene);
}

void hd_cell_free(struct hd_cell *c) {
    for (int p = 0; p < c->probes; p++) {
        free(c->probe[p]->text);
        free(c->probe[p]);
    }
    free(c->probe);
    for (int w = 0; w < c->wholes; w++) {
        hd_run_record_free(&c->whole[w].record);
        for (int k = 0; k < c->criteria; k++) free(c->whole[w].limit[k].models);
    }
    free(c->whole);
    hd_search_free(&c->search);
}
