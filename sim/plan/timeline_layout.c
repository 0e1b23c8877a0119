/* Lanes for what overlaps, and the events in order. */
#include "plan/timeline_layout.h"

#include <stdlib.h>

#include "base/mem.h"

/* Threads of a GPU; and beyond so many phases of requests no arrows are drawn. */
enum { GPU_TIDS = 1000, FLOWS_MAX = 50000 };

static int64_t ns_of(const struct hd_timeline *t, hd_tick at) {
    const struct hd_trace *trace = t->question->trace;
    return (int64_t)((trace->origin - trace->zero + at) / HD_TICKS_PER_NS);
}

/* ---- lanes --------------------------------------------------------------- */

/* The first lane that is free at `since`; a new one if none is. */
static int lane_of(int64_t **end, int *lanes, int *capacity, int64_t since,
                   int64_t until) {
    int lane = 0;
    while (lane < *lanes && (*end)[lane] > since) lane++;
    if (lane == *lanes) {
        *end = hd_grow(*end, capacity, *lanes + 1, sizeof **end);
        ++*lanes;
    }
    (*end)[lane] = until;
    return lane;
}

/* ---- requests ------------------------------------------------------------ */

static int by_row(const void *a, const void *b) {
    const struct hd_timeline_whole *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->ended < 0) - (y->ended < 0); /* its record first */
}

static int by_begin(const void *a, const void *b) {
    const struct hd_timeline_whole *x = a, *y = b;
    if (x->since != y->since) return x->since < y->since ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static bool on_shown_gpu(const struct hd_timeline *t, int instance) {
    return instance >= 0 && instance < t->instances && t->instance[instance].shown > 0;
}

/* One for each request of which something was kept. */
static void gather_requests(struct hd_timeline_layout *w) {
    const struct hd_timeline *t = w->t;
    int kept = 0, all = t->requests;
    for (int n = 0; n < t->rows; n++) all += t->row[n].kind == HD_SEEN_REQUEST;
    w->whole = hd_alloc(sizeof *w->whole * (size_t)(all + 1));
    for (int n = 0; n < t->requests; n++) {
        const struct hd_timeline_request *r = &t->request[n];
        w->whole[w->wholes++] = (struct hd_timeline_whole){
            r->row, r->arrival, r->ended, r->model, 0, !w->hides, n};
    }
    for (int n = 0; n < t->rows; n++) {
        const struct hd_timeline_row *r = &t->row[n];
        if (r->kind == HD_SEEN_REQUEST)
            w->whole[w->wholes++] = (struct hd_timeline_whole){
                r->id,    r->since, r->until,
                r->model, 0,        !w->hides || on_shown_gpu(t, r->instance),
                -1};
    }
    qsort(w->whole, (size_t)w->wholes, sizeof *w->whole, by_row);
    for (int n = 0; n < w->wholes; n++) {
        struct hd_timeline_whole *last = kept ? &w->whole[kept - 1] : NULL,
                                 *next = &w->whole[n];
        if (!last || last->row != next->row) {
            w->whole[kept++] = *next;
            continue;
        }
        last->shown |= next->shown;
        if (next->since < last->since) last->since = next->since;
        if (next->until > last->until) last->until = next->until;
    }
    w->wholes = kept;
}

static void lay_out_requests(struct hd_timeline_layout *w) {
    int models = w->t->question->models;
    int64_t **end = hd_alloc(sizeof *end * (size_t)(models + 1));
    int *capacity = hd_alloc(sizeof *capacity * (size_t)(models + 1));
    w->lanes = hd_alloc(sizeof *w->lanes * (size_t)(models + 1));
    qsort(w->whole, (size_t)w->wholes, sizeof *w->whole, by_begin);
    for (int n = 0; n < w->wholes; n++) {
        struct hd_timeline_whole *r = &w->whole[n];
        if (r->shown)
            r->lane = lane_of(&end[r->model], &w->lanes[r->model], &capacity[r->model],
                              ns_of(w->t, r->since), ns_of(w->t, r->until));
    }
    for (int m = 0; m < models; m++) free(end[m]);
    free(end);
    free(capacity);
    qsort(w->whole, (size_t)w->wholes, sizeof *w->whole, by_row);
}

static const struct hd_timeline_whole *whole_of(const struct hd_timeline_layout *w,
                                                int64_t row) {
    struct hd_timeline_whole key = {.row = row};
    int low = 0, high = w->wholes - 1;
    while (low <= high) {
        int mid = low + (high - low) / 2;
        if (w->whole[mid].row == key.row) return &w->whole[mid];
        if (w->whole[mid].row < key.row)
            low = mid + 1;
        else
            high = mid - 1;
    }
    return NULL;
}

/* ---- events -------------------------------------------------------------- */

static void add(struct hd_timeline_layout *w, hd_tick since, hd_tick until, int pid,
                int tid, int depth, enum hd_timeline_event_kind kind, int64_t of) {
    w->event = hd_grow(w->event, &w->event_capacity, w->events + 1, sizeof *w->event);
    w->event[w->events++] = (struct hd_timeline_event){
        ns_of(w->t, since), ns_of(w->t, until), pid, tid, depth, kind, of, 0};
}

int hd_timeline_gpu_tid(const struct hd_timeline_node *n, int gpu) {
    return 1 + (gpu - n->first) * GPU_TIDS;
}

static int request_tid(const struct hd_timeline_whole *r) {
    return 1 + r->lane;
}

bool hd_timeline_moves(const struct hd_timeline_row *r) {
    return r->kind == HD_SEEN_LOAD || r->kind == HD_SEEN_KV_OUT ||
           r->kind == HD_SEEN_KV_IN;
}

static int row_by_begin(const void *a, const void *b, void *rows) {
    const struct hd_timeline_row *x =
        &((struct hd_timeline_row *)rows)[*(const int *)a];
    const struct hd_timeline_row *y =
        &((struct hd_timeline_row *)rows)[*(const int *)b];
    if (x->since != y->since) return x->since < y->since ? -1 : 1;
    return *(const int *)a - *(const int *)b;
}

/* Transfers, on each of their GPUs that is shown. */
static void add_transfers(struct hd_timeline_layout *w) {
    struct hd_timeline *t = w->t;
    int *order = hd_alloc(sizeof *order * (size_t)(t->rows + 1)), count = 0;
    int64_t **end = hd_alloc(sizeof *end * (size_t)(t->gpus + 1));
    int *capacity = hd_alloc(sizeof *capacity * (size_t)(t->gpus + 1));
    w->copies = hd_alloc(sizeof *w->copies * (size_t)(t->gpus + 1));
    for (int n = 0; n < t->rows; n++)
        if (hd_timeline_moves(&t->row[n])) order[count++] = n;
    qsort_r(order, (size_t)count, sizeof *order, row_by_begin, t->row);
    for (int k = 0; k < count; k++) {
        const struct hd_timeline_row *r = &t->row[order[k]];
        const struct hd_timeline_instance *i = &t->instance[r->instance];
        for (int g = 0; g < i->gpus; g++) {
            int gpu = i->gpu[g];
            if (!t->gpu[gpu]) continue;
            struct hd_timeline_node n = hd_timeline_node_of(t->question, gpu);
            int lane = lane_of(&end[gpu], &w->copies[gpu], &capacity[gpu],
                               ns_of(t, r->since), ns_of(t, r->until));
            add(w, r->since, r->until, HD_NODE_PID + n.node,
                hd_timeline_gpu_tid(&n, gpu) + 1 + lane, 0, HD_EVENT_SLICE_ROW,
                order[k]);
        }
    }
    for (int g = 0; g < t->gpus; g++) free(end[g]);
    free(end);
    free(capacity);
    free(order);
}

/* Turns and what is in them, on each of the instance's GPUs that is shown. */
static void add_turns(struct hd_timeline_layout *w) {
    struct hd_timeline *t = w->t;
    for (int n = 0; n < t->rows; n++) {
        const struct hd_timeline_row *r = &t->row[n];
        if (r->kind == HD_SEEN_REQUEST || hd_timeline_moves(r)) continue;
        const struct hd_timeline_instance *i = &t->instance[r->instance];
        for (int g = 0; g < i->gpus; g++) {
            if (!t->gpu[i->gpu[g]]) continue;
            struct hd_timeline_node node = hd_timeline_node_of(t->question, i->gpu[g]);
            add(w, r->since, r->until, HD_NODE_PID + node.node,
                hd_timeline_gpu_tid(&node, i->gpu[g]), r->kind == HD_SEEN_TURN ? 0 : 1,
                HD_EVENT_SLICE_ROW, n);
        }
    }
}

/* From a request that begins to be prefilled, or to decode, to the first of the
 * instance's GPUs. */
static void add_flow(struct hd_timeline_layout *w, const struct hd_timeline_whole *r,
                     int64_t row, int64_t flow) {
    const struct hd_timeline *t = w->t;
    const struct hd_timeline_row *phase = &t->row[row];
    bool runs = phase->detail == HD_BLAME_PREFILL || phase->detail == HD_BLAME_DECODE;
    if (!w->flows || !runs || !on_shown_gpu(t, phase->instance)) return;
    const struct hd_timeline_instance *i = &t->instance[phase->instance];
    int gpu = -1;
    for (int g = 0; g < i->gpus && gpu < 0; g++)
        if (t->gpu[i->gpu[g]]) gpu = i->gpu[g];
    struct hd_timeline_node n = hd_timeline_node_of(t->question, gpu);
    add(w, phase->since, phase->since, HD_MODEL_PID + r->model, request_tid(r), 2,
        HD_EVENT_FLOW_FROM, row);
    w->event[w->events - 1].flow = flow;
    add(w, phase->since, phase->since, HD_NODE_PID + n.node,
        hd_timeline_gpu_tid(&n, gpu), 3, HD_EVENT_FLOW_TO, row);
    w->event[w->events - 1].flow = flow;
}

/* By request, then time: the same whatever order they were told in. */
static int phase_order(const void *a, const void *b, void *rows) {
    const struct hd_timeline_row *x =
        &((struct hd_timeline_row *)rows)[*(const int *)a];
    const struct hd_timeline_row *y =
        &((struct hd_timeline_row *)rows)[*(const int *)b];
    if (x->id != y->id) return x->id < y->id ? -1 : 1;
    return (x->since > y->since) - (x->since < y->since);
}

static void add_requests(struct hd_timeline_layout *w) {
    struct hd_timeline *t = w->t;
    int *order = hd_alloc(sizeof *order * (size_t)(t->rows + 1)), count = 0;
    for (int n = 0; n < w->wholes; n++) {
        const struct hd_timeline_whole *r = &w->whole[n];
        if (r->shown)
            add(w, r->since, r->until, HD_MODEL_PID + r->model, request_tid(r), 0,
                HD_EVENT_SLICE_REQUEST, n);
    }
    for (int n = 0; n < t->rows; n++)
        if (t->row[n].kind == HD_SEEN_REQUEST) order[count++] = n;
    qsort_r(order, (size_t)count, sizeof *order, phase_order, t->row);
    for (int k = 0; k < count; k++) {
        const struct hd_timeline_row *row = &t->row[order[k]];
        const struct hd_timeline_whole *r = whole_of(w, row->id);
        if (!r->shown) continue;
        add(w, row->since, row->until, HD_MODEL_PID + r->model, request_tid(r), 1,
            HD_EVENT_SLICE_ROW, order[k]);
        add_flow(w, r, order[k], k + 1);
    }
    free(order);
}

/* By time; of those that begin together the outer first. */
static int by_time(const void *a, const void *b) {
    const struct hd_timeline_event *x = a, *y = b;
    if (x->since != y->since) return x->since < y->since ? -1 : 1;
    if (x->depth != y->depth) return x->depth - y->depth;
    if (x->until != y->until) return x->until > y->until ? -1 : 1;
    if (x->pid != y->pid) return x->pid - y->pid;
    if (x->tid != y->tid) return x->tid - y->tid;
    if (x->flow != y->flow) return x->flow < y->flow ? -1 : 1;
    return (x->of > y->of) - (x->of < y->of);
}

void hd_timeline_lay_out(struct hd_timeline_layout *w) {
    int64_t phases = 0;
    for (int g = 0; g < w->t->gpus; g++) w->hides |= !w->t->gpu[g];
    for (int n = 0; n < w->t->rows; n++) phases += w->t->row[n].kind == HD_SEEN_REQUEST;
    w->flows = phases <= FLOWS_MAX;
    gather_requests(w);
    lay_out_requests(w);
    add_turns(w);
    add_transfers(w);
    add_requests(w);
    qsort(w->event, (size_t)w->events, sizeof *w->event, by_time);
}

void hd_timeline_layout_free(struct hd_timeline_layout *w) {
    free(w->event);
    free(w->whole);
    free(w->lanes);
    free(w->copies);
}
