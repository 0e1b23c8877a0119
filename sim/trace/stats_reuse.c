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
    for (int64_t i = 0; i < t->rows; i++)
        if (t->extra->class_[i] >= 0) r->class_rows[t->extra->class_[i]]++;
}

static void count_deadlines(const struct hd_trace *t, struct hd_reuse *r) {
    double *seconds = hd_alloc((size_t)t->rows * sizeof *seconds);
    size_t count = 0;
    for (int64_t i = 0; i < t->rows; i++)
        if (t->extra->deadline[i] >= 0)
            seconds[count++] = hd_s_from_tick(t->extra->deadline[i]);
    gsl_sort(seconds, 1, count);
    r->deadlines = (int64_t)count;
    if (count) {
        r->deadline_least_s = seconds[0];
        r->deadline_p50_s = gsl_stats_quantile_from_sorted_data(seconds, 1, count, 0.5);
        r->deadline_most_s = seconds[count - 1];
    }
    free(seconds);
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
