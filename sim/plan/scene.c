/* One run laid out: nodes, models with their limits, and the source of arrivals. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/setup_state.h"

/* ---- arrivals ------------------------------------------------------------ */

static int next_of_all(void *context, struct hd_arrival *a) {
    struct hd_scene *c = context;
    while (c->next < c->end)
        if (hd_setup_arrival(c->setup, c->next++, a)) return 1;
    return 0;
}

static int next_of_one(void *context, struct hd_arrival *a) {
    struct hd_scene *c = context;
    if (c->next == c->end) return 0;
    const int32_t *row = &c->setup->by_model[c->next++];
    if (c->next > 1) hd_trace_leap(c->setup->question->trace, row[-1], *row);
    hd_setup_arrival(c->setup, *row, a);
    a->model = 0;
    return 1;
}

/* ---- timing -------------------------------------------------------------- */

static const struct hd_timing *timing_of(void *context, int model, int kind, int tp,
                                         double share) {
    struct hd_scene *c = context;
    const struct hd_question *q = c->setup->question;
    int entry;
    const struct hd_timing *t = hd_timings_get(
        c->setup->timings, c->setup->gpu[kind],
        q->model[c->alone >= 0 ? c->alone : model].spec, tp, share, &entry);
    int had = c->used_capacity;
    c->used = hd_grow(c->used, &c->used_capacity, entry + 1, sizeof *c->used);
    for (; had < c->used_capacity; had++) c->used[had] = false;
    c->used[entry] = true;
    return t;
}

static int by_name(const void *a, const void *b) {
    const struct hd_timing_source *x = a, *y = b;
    int order = strcmp(x->gpu, y->gpu);
    if (!order) order = strcmp(x->model, y->model);
    return order ? order : x->tp - y->tp;
}

struct hd_timing_source *hd_scene_timings(const struct hd_scene *c, int *count) {
    struct hd_timing_source *source = NULL;
    int capacity = 0, sources = 0;
    for (int n = 0; n < c->used_capacity; n++) {
        if (!c->used[n]) continue;
        source = hd_grow(source, &capacity, sources + 1, sizeof *source);
        memset(&source[sources], 0, sizeof *source);
        hd_timings_source(c->setup->timings, n, &source[sources++]);
    }
    if (sources) qsort(source, (size_t)sources, sizeof *source, by_name);
    int kept = 0; /* shares of one GPU rest on the same figures */
    for (int n = 0; n < sources; n++)
        if (!kept || by_name(&source[kept - 1], &source[n]) != 0)
            source[kept++] = source[n];
    *count = kept;
    return source;
}

/* ---- fleet and models ---------------------------------------------------- */

static void add_nodes(struct hd_scene *c, int part, int gpus) {
    const struct hd_fleet_part *p = &c->setup->question->part[part];
    while (gpus > 0) {
        c->node =
            hd_grow(c->node, &c->node_capacity, c->config.nodes + 1, sizeof *c->node);
        struct hd_node_config *node = &c->node[c->config.nodes++];
        *node = p->node;
        node->kind = c->setup->kind_of_part[part];
        if (gpus < node->gpus) node->gpus = gpus;
        gpus -= node->gpus;
    }
}

static struct hd_run_model make_model(const struct hd_setup *s, int model, double scale,
                                      int replicas) {
    const struct hd_question *q = s->question;
    const struct hd_market_model *m = &q->model[model];
    const struct hd_slo_class *slo = &q->slo[m->slo];
    const struct hd_setup_model *has = &s->model[model];
    const struct hd_trace *t = q->trace;
    double span_s = hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at);
    double sent = has->sent ? (double)has->sent : 1;
    return (struct hd_run_model){
        .name = m->name,
        .slo_class = slo->name,
        .gpu = m->gpu,
        .tp = m->tp,
        .replicas = replicas,
        .weights_bytes = m->spec->weights_bytes,
        .kv_token_bytes = m->spec->kv_token_bytes,
        .kv_heads = m->spec->kv_rank > 0 ? 1 : m->spec->kv_heads,
        .max_context = m->spec->max_context_tokens,
        .ttft = hd_tick_from_s(slo->ttft_s * scale),
        .tbt = hd_tick_from_s(slo->tbt_s * scale),
        .mean_rate = span_s > 0 ? (double)has->sent / span_s : 0,
        .mean_input = (double)has->input / sent,
        .mean_output = (double)has->output / sent};
}

static int prefix_block_tokens(const struct hd_question *q) {
    const struct hd_trace_extra *extra = q->trace->extra;
    return extra && extra->prefix ? extra->prefix_block_tokens : 0;
}

void hd_scene_open(struct hd_setup *s, const struct hd_case *what, struct hd_scene *c) {
    const struct hd_question *q = s->question;
    memset(c, 0, sizeof *c);
    c->setup = s;
    c->alone = what->model;
    int models = what->model < 0 ? q->models : 1;
    c->model = hd_alloc(sizeof *c->model * (size_t)(models + 1));
    for (int m = 0; m < models; m++)
        c->model[m] = make_model(s, what->model < 0 ? m : what->model, what->scale,
                                 what->replicas ? what->replicas[m] : 1);
    if (what->model >= 0)
        add_nodes(c, s->model[what->model].part, what->gpus);
    else
        for (int p = 0; p < q->parts; p++)
            add_nodes(c, p, what->gpus > 0 ? what->gpus : q->part[p].gpus);
    if (what->model < 0) {
        c->end = q->trace->rows;
    } else {
        hd_setup_index(s);
        c->next = s->first[what->model];
        c->end = s->first[what->model + 1];
    }
    c->config =
        (struct hd_run_config){.model = c->model,
                               .models = models,
                               .kind = s->kind,
                               .kinds = s->kinds,
                               .node = c->node,
                               .nodes = c->config.nodes,
                               .timing = timing_of,
                               .timing_context = c,
                               .next = what->model < 0 ? next_of_all : next_of_one,
                               .next_context = c,
                               .switching = q->switching,
                               .serving = q->serving,
                               .sharing = q->sharing,
                               .prefix_block_tokens = prefix_block_tokens(q),
                               .from = q->from,
                               .to = q->to,
                               .seed = q->seed,
                               .step = q->step,
                               .interrupted = q->interrupted};
}

int hd_scene_gpus(const struct hd_scene *c) {
    int gpus = 0;
    for (int n = 0; n < c->config.nodes; n++) gpus += c->node[n].gpus;
    return gpus;
}

void hd_scene_close(struct hd_scene *c) {
    free(c->model);
    free(c->node);
    free(c->used);
}
