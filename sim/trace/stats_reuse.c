/* Each side array by itself. */
#include "trace/stats_reuse.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/number_map.h"

/* ---- prefixes ------------------------------------------------------------ */

static void count_prefixes(const struct hd_trace *t, struct hd_reuse *r) {
    const struct hd_trace_extra *x = t->extra;
    struct hd_number_map seen = {0}; /* model and identity */
    r->block_tokens = x->prefix_block_tokens;
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        int64_t first = x->prefix_first[i], blocks = x->prefix_first[i + 1] - first;
        int64_t input = t->row[i].input_tokens, hit = 0;
        bool running = true; /* nothing new so far */
        if (blocks == 0) continue;
        for (int64_t b = 0; b < blocks; b++) {
            uint64_t key =
                (uint64_t)t->row[i].model << 32 | (uint32_t)x->prefix[first + b];
            int32_t before = seen.numbers;
            running &= hd_number_map(&seen, key) < before;
            hit += running;
        }
        r->prefixed++;
        r->blocks += blocks;
        r->blocks_hit += hit;
        r->tokens += input;
        r->tokens_hit += hit == blocks ? input : hit * r->block_tokens;
        r->full_hits += hit == blocks;
    }
    r->blocks_distinct = seen.numbers;
    hd_number_map_free(&seen);
}

/* ---- sessions ------------------------------------------------------------ */

static void count_sessions(const struct hd_trace *t, struct hd_reuse *r) {
    const struct hd_trace_extra *x = t->extra;
    size_t sessions = (size_t)x->sessions;
    double *turns = hd_alloc(sessions * sizeof *turns);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        if (x->session[i] < 0) continue;
        turns[x->session[i]]++;
        r->in_session++;
    }
    gsl_sort(turns, 1, sessions);
    while (r->single_turn < x->sessions && turns[r->single_turn] == 1) r->single_turn++;
    r->sessions = x->sessions;
    r->turns_mean = (double)r->in_session / x->sessions;
    r->turns_p50 = gsl_stats_quantile_from_sorted_data(turns, 1, sessions, 0.5);
    r->turns_p99 = gsl_stats_quantile_from_sorted_data(turns, 1, sessions, 0.99);
    r->turns_most = (int)turns[sessions - 1];
    free(turns);
}

/* ---- classes and deadlines ----------------------------------------------- */

static void count_classes(const struct hd_trace *t, struct hd_reuse *r) {
    r->class_rows = hd_alloc((size_t)t->extra->classes * sizeof *r->class_rows);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        if (t->extra->class_[i] >= 0) r->class_rows[t->extra->class_[i]]++;
    }
}

struct deadline {
    hd_tick after;
    int64_t requests;
};

static int by_deadline(const void *a, const void *b) {
    const struct deadline *x = a, *y = b;
    return (x->after > y->after) - (x->after < y->after);
}

/* The rank-th shortest, from 0. */
static double ranked_s(const struct deadline *d, int64_t rank) {
    for (; rank >= d->requests; d++) rank -= d->requests;
    return hd_s_from_tick(d->after);
}

/* Each that there is once, since most traces have a few. */
static void count_deadlines(const struct hd_trace *t, struct hd_reuse *r) {
    struct hd_number_map seen = {0};
    struct deadline *d = NULL;
    int capacity = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        hd_tick after = t->extra->deadline[i];
        if (after < 0) continue;
        int32_t known = seen.numbers, n = hd_number_map(&seen, (uint64_t)after);
        if (n == known) {
            d = hd_grow(d, &capacity, n + 1, sizeof *d);
            d[n] = (struct deadline){.after = after};
        }
        d[n].requests++;
        r->deadlines++;
    }
    if (d) {
        qsort(d, (size_t)seen.numbers, sizeof *d, by_deadline);
        r->deadline_least_s = hd_s_from_tick(d[0].after);
        r->deadline_p50_s =
            (ranked_s(d, (r->deadlines - 1) / 2) + ranked_s(d, r->deadlines / 2)) / 2;
        r->deadline_most_s = hd_s_from_tick(d[seen.numbers - 1].after);
    }
    free(d);
    hd_number_map_free(&seen);
}

void hd_reuse(const struct hd_trace *t, struct hd_reuse *r) {
    const struct hd_trace_extra *x = t->extra;
    *r = (struct hd_reuse){0};
    if (!x) return;
    if (x->prefix_first) count_prefixes(t, r);
    if (x->session && x->sessions) count_sessions(t, r);
    if (x->class_ && x->classes) count_classes(t, r);
    if (x->deadline) count_deadlines(t, r);
}

void hd_reuse_free(struct hd_reuse *r) {
    free(r->class_rows);
    *r = (struct hd_reuse){0};
}
