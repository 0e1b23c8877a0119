/* A fit beside what it was fitted to, and beside what it was not. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "market/fit.h"

/* The rows of a trace in [from, to), its models numbered anew. */
static struct hd_trace *part_of(const struct hd_trace *t, hd_tick from, hd_tick to) {
    struct hd_trace *part = hd_alloc(sizeof *part);
    int32_t *number = hd_alloc((size_t)t->models * sizeof *number);
    part->row = hd_alloc((size_t)t->rows * sizeof *part->row);
    part->model_rows = hd_alloc((size_t)t->models * sizeof *part->model_rows);
    for (int m = 0; m < t->models; m++) number[m] = -1;
    for (int64_t i = 0; i < t->rows; i++) {
        if (t->row[i].at < from || t->row[i].at >= to) continue;
        int32_t *n = &number[t->row[i].model];
        if (*n < 0) *n = part->models++;
        part->row[part->rows] = t->row[i];
        part->row[part->rows++].model = *n;
        part->model_rows[*n]++;
    }
    part->model = hd_alloc((size_t)part->models * sizeof *part->model);
    free(number);
    return part;
}

static struct hd_trace *twin_of(const struct hd_market *m, struct hd_err *err) {
    struct hd_market_requests all;
    if (!hd_market_draw(m, 1, &all, err)) return NULL;
    struct hd_trace *twin = hd_alloc(sizeof *twin);
    twin->rows = all.count;
    twin->models = m->models;
    twin->row = hd_alloc((size_t)all.count * sizeof *twin->row);
    twin->model_rows = hd_alloc((size_t)m->models * sizeof *twin->model_rows);
    twin->model = hd_alloc((size_t)m->models * sizeof *twin->model);
    for (int64_t i = 0; i < all.count; i++) {
        const struct hd_market_request *r = &all.of[i];
        twin->row[i] =
            (struct hd_trace_row){.at = hd_tick_from_s((double)r->at_us / 1e6),
                                  .model = r->model,
                                  .input_tokens = r->input_tokens,
                                  .output_tokens = r->output_tokens};
        twin->model_rows[r->model]++;
    }
    hd_market_requests_free(&all);
    return twin;
}

bool hd_fit_check_whole(const struct hd_trace *t, const struct hd_market *m,
                        struct hd_fit_check *c, struct hd_err *err) {
    struct hd_trace *twin = twin_of(m, err);
    if (!twin) return false;
    *c = (struct hd_fit_check){.fitted = t->rows, .twin = twin->rows, .held = t->rows};
    hd_likeness(t, &c->of_held);
    hd_likeness(twin, &c->of_twin);
    hd_distance(t, twin, &c->distance);
    hd_trace_free(twin);
    return true;
}

bool hd_fit_check_halves(const struct hd_trace *t, struct hd_fit_check *c,
                         struct hd_err *err) {
    hd_tick first = t->row[0].at, last = t->row[t->rows - 1].at;
    hd_tick middle = first + (last - first) / 2;
    struct hd_trace *seen = part_of(t, first, middle);
    struct hd_trace *held = part_of(t, middle, last + 1);
    struct hd_market *m = seen->rows ? hd_fit(seen, err) : NULL;
    bool ok = m && held->rows > 1 && hd_fit_check_whole(held, m, c, err);
    if (ok) c->fitted = seen->rows;
    if (!ok) hd_fail(err, "a half has %lld requests", (long long)seen->rows);
    hd_market_free(m);
    hd_trace_free(seen);
    hd_trace_free(held);
    return ok;
}
