/* Collects what the timeline shows, within its bounds. */
#include "plan/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/timeline_parts.h"

struct hd_timeline_node hd_timeline_node_of(const struct hd_question *q, int gpu) {
    struct hd_timeline_node n = {0};
    for (int p = 0; p < q->parts; p++) { /* as a run is laid out */
        int left = q->part[p].gpus;
        while (left > 0) {
            n.part = p;
            n.gpus = left < q->part[p].node.gpus ? left : q->part[p].node.gpus;
            if (gpu < n.first + n.gpus) return n;
            left -= n.gpus;
            n.first += n.gpus;
            n.node++;
        }
    }
    return n;
}

int hd_timeline_gpus(const struct hd_question *q) {
    int gpus = 0;
    for (int p = 0; p < q->parts; p++) gpus += q->part[p].gpus;
    return gpus;
}

/* ---- what is kept -------------------------------------------------------- */

/* Room for so many rows of the file; the first that finds none closes it. */
static bool room(struct hd_timeline *t, int64_t rows, hd_tick until) {
    if (t->full_at != HD_TICK_NEVER) return false;
    if (t->rows_used + rows <= t->most) {
        t->rows_used += rows;
        return true;
    }
    t->full_at = until;
    return false;
}

static bool in_window(const struct hd_timeline *t, hd_tick since, hd_tick until) {
    return since < t->to && until > t->from;
}

static struct hd_timeline_instance *instance_of(struct hd_timeline *t,
                                                const struct hd_seen *s) {
    while (t->instances <= s->instance) {
        t->instance = hd_grow(t->instance, &t->instance_capacity, t->instances + 1,
                              sizeof *t->instance);
        t->instance[t->instances++] = (struct hd_timeline_instance){.last = -1};
    }
    struct hd_timeline_instance *i = &t->instance[s->instance];
    if (i->gpu || !s->gpu) return i;
    i->gpu = hd_alloc(sizeof *i->gpu * (size_t)s->gpus);
    memcpy(i->gpu, s->gpu, sizeof *i->gpu * (size_t)s->gpus);
    i->gpus = s->gpus;
    for (int g = 0; g < i->gpus; g++) i->shown += t->gpu[i->gpu[g]];
    return i;
}

/* A batch that goes on as it was: its rows are one, however its plans were cut. */
static bool goes_on(struct hd_timeline *t, struct hd_timeline_instance *i,
                    const struct hd_seen *s) {
    bool pieces = s->kind == HD_SEEN_DECODE || s->kind == HD_SEEN_MIXED ||
                  s->kind == HD_SEEN_STALL || s->kind == HD_SEEN_STAGE;
    if (!pieces || i->last < 0) return false;
    struct hd_timeline_row *r = &t->row[i->last];
    if (r->kind != (int)s->kind || r->detail != s->detail || r->id != s->id ||
        r->requests != s->requests || r->until != s->since)
        return false;
    r->until = s->until;
    return true;
}

static void seen(void *context, const struct hd_seen *s) {
    struct hd_timeline *t = context;
    if (!in_window(t, s->since, s->until)) return;
    bool of_request = s->kind == HD_SEEN_REQUEST;
    struct hd_timeline_instance *i = s->instance < 0 ? NULL : instance_of(t, s);
    if (!of_request && !i->shown) return;
    if (!of_request && goes_on(t, i, s)) return;
    if (!room(t, of_request ? 1 : i->shown, s->until)) return;
    t->row = hd_grow(t->row, &t->row_capacity, t->rows + 1, sizeof *t->row);
    bool inner = !of_request && s->kind != HD_SEEN_TURN && s->kind != HD_SEEN_LOAD &&
                 s->kind != HD_SEEN_KV_OUT && s->kind != HD_SEEN_KV_IN;
    if (inner) i->last = t->rows;
    t->row[t->rows++] = (struct hd_timeline_row){
        .since = s->since,
        .until = s->until,
        .id = of_request ? t->row_of(t->row_context, s->id) : s->id,
        .bytes = s->bytes,
        .kind = (int32_t)s->kind,
        .detail = s->detail,
        .model = s->model,
        .instance = s->instance,
        .requests = s->requests};
}

void hd_timeline_finished(struct hd_timeline *t, const struct hd_finished *f,
                          int64_t row) {
    if (!in_window(t, f->arrival, f->ended) || !room(t, 1, f->ended)) return;
    t->request =
        hd_grow(t->request, &t->request_capacity, t->requests + 1, sizeof *t->request);
    struct hd_timeline_request *r = &t->request[t->requests++];
    *r = (struct hd_timeline_request){.row = row,
                                      .arrival = f->arrival,
                                      .ended = f->ended,
                                      .first_token = f->first_token,
                                      .model = f->model,
                                      .status = (int32_t)f->status,
                                      .input = f->input_tokens,
                                      .output = f->output_tokens,
                                      .on_time = f->tokens_on_time};
    memcpy(r->blame, f->blame, sizeof r->blame);
}

/* ---- life ---------------------------------------------------------------- */

struct hd_timeline *hd_timeline_new(const struct hd_question *q,
                                    const struct hd_timeline_bounds *b) {
    struct hd_timeline *t = hd_alloc(sizeof *t);
    t->question = q;
    t->from = b->from;
    t->to = b->to;
    t->most = b->rows;
    t->full_at = HD_TICK_NEVER;
    t->gpus = hd_timeline_gpus(q);
    t->gpu = hd_alloc(sizeof *t->gpu * (size_t)(t->gpus + 1));
    for (int g = 0; g < t->gpus; g++) t->gpu[g] = !b->gpu || b->gpu[g];
    t->observer = (struct hd_observer){t, seen};
    return t;
}

void hd_timeline_free(struct hd_timeline *t) {
    if (!t) return;
    for (int n = 0; n < t->instances; n++) free(t->instance[n].gpu);
    free(t->instance);
    free(t->request);
    free(t->row);
    free(t->gpu);
    free(t);
}

const struct hd_observer *hd_timeline_observer(struct hd_timeline *t,
                                               int64_t (*row_of)(const void *, int64_t),
                                               const void *context) {
    t->row_of = row_of;
    t->row_context = context;
    return &t->observer;
}

int64_t hd_timeline_rows(const struct hd_timeline *t) {
    return t->rows_used;
}

double hd_timeline_full_s(const struct hd_timeline *t) {
    return t->full_at == HD_TICK_NEVER
               ? NAN
               : hd_trace_since_zero_s(t->question->trace, t->full_at);
}
