/* The lint of traces. Thresholds are chosen, not derived: each is where a published
 * trace with that quirk stands out from those without. */
#include "trace/lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    ROWS_MIN = 100,  /* fewer say nothing of grids and caps */
    RUN_MIN = 20,    /* equal lengths in a row that chance does not give */
    BEYOND_MIN = 10, /* requests beyond a percentile that it can rest on */
    RATE_MAX_PER_S = 20000,
    TOKENS_MEAN_MAX = 200000,
    SPAN_MIN_DAYS = 14
};

static void find(struct hd_lints *l, const char *what, char *text) {
    l->of = hd_grow(l->of, &l->capacity, l->count + 1, sizeof *l->of);
    l->of[l->count++] = (struct hd_lint){what, text};
}

static double percent(int64_t part, int64_t whole) {
    return 100.0 * (double)part / (double)whole;
}

static double span_s(const struct hd_trace *t) {
    return hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at);
}

static void look_at_units(const struct hd_trace *t, struct hd_lints *l) {
    int64_t whole = 0;
    double input = 0, output = 0, span = span_s(t), days = span / 86400;
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        whole += t->row[i].at % HD_TICKS_PER_S == 0;
        input += t->row[i].input_tokens;
        output += t->row[i].output_tokens;
    }
    double rows = (double)t->rows;
    if (t->clock == HD_CLOCK_SECONDS && whole == t->rows && days > SPAN_MIN_DAYS &&
        span / rows > 60)
        find(l, "units",
             hd_format(
                 "every arrival is a whole number, one each %.3g s over %.3g days: "
                 "milliseconds read as seconds?",
                 span / rows, days));
    if (t->rows >= ROWS_MIN && rows / span > RATE_MAX_PER_S)
        find(l, "units",
             hd_format("%.3g requests per second over %.3g s: minutes or hours read as "
                       "seconds?",
                       rows / span, span));
    if (input / rows > TOKENS_MEAN_MAX || output / rows > TOKENS_MEAN_MAX)
        find(l, "units",
             hd_format("%.3g input and %.3g output tokens on average: characters or "
                       "bytes read as tokens?",
                       input / rows, output / rows));
}

static bool same_lengths(const struct hd_trace_row *a, const struct hd_trace_row *b) {
    return a->input_tokens == b->input_tokens && a->output_tokens == b->output_tokens;
}

static void look_at_blocks(const struct hd_trace *t, struct hd_lints *l) {
    int64_t in_runs = 0, longest = 0, where = 0, gap_longest = 0, gap_where = 0;
    for (int64_t i = 0, end; i < t->rows; i = end) {
        hd_trace_step(t, i);
        for (end = i + 1; end < t->rows && same_lengths(&t->row[i], &t->row[end]);)
            hd_trace_step(t, end++);
        if (end - i >= RUN_MIN) in_runs += end - i;
        if (end - i > longest) {
            longest = end - i;
            where = i;
        }
    }
    for (int64_t i = 1, end; i < t->rows; i = end) {
        hd_trace_step(t, i);
        hd_tick gap = t->row[i].at - t->row[i - 1].at;
        for (end = i + 1; end < t->rows && t->row[end].at - t->row[end - 1].at == gap;)
            hd_trace_step(t, end++);
        if (gap && end - i > gap_longest) {
            gap_longest = end - i;
            gap_where = i;
        }
    }
    if (longest >= RUN_MIN)
        find(
            l, "blocks",
            hd_format("%lld requests in a row have %d input and %d output tokens, from "
                      "line %d on; %.3g %% of all lie in such runs of %d or more: "
                      "generated?",
                      (long long)longest, t->row[where].input_tokens,
                      t->row[where].output_tokens, t->row[where].line,
                      percent(in_runs, t->rows), RUN_MIN));
    if (gap_longest >= RUN_MIN)
        find(l, "blocks",
             hd_format("%lld gaps in a row are %.6g s, from line %d on: generated?",
                       (long long)gap_longest,
                       hd_s_from_tick(t->row[gap_where].at - t->row[gap_where - 1].at),
                       t->row[gap_where - 1].line));
}

/* The coarsest of these steps that 99 % of the arrivals keep to. */
static void look_at_grid(const struct hd_trace *t, struct hd_lints *l) {
    static const int step_ms[] = {3600000, 60000, 30000, 10000, 5000,
                                  3000,    2000,  1000,  500,   100};
    if (t->rows < ROWS_MIN) return;
    for (size_t s = 0; s < sizeof step_ms / sizeof *step_ms; s++) {
        hd_tick step = step_ms[s] * (HD_TICKS_PER_S / 1000);
        int64_t on = 0, instants = 1;
        for (int64_t i = 0; i < t->rows; i++) {
            hd_trace_step(t, i);
            on += (t->row[i].at - t->row[0].at) % step == 0;
            instants += i && t->row[i].at != t->row[i - 1].at;
        }
        if (instants < 3 || (double)on < 0.99 * (double)t->rows) continue;
        find(l, "grid",
             hd_format("%.4g %% of the arrivals lie on a grid of %g s; %lld requests "
                       "share %lld instants: bursts within a step are made up",
                       percent(on, t->rows), step_ms[s] / 1e3, (long long)t->rows,
                       (long long)instants));
        return;
    }
}

/* A cap: the largest lengths, within a thousandth, are as many as a range ten times as
 * wide a range below them would have. */
static void look_at_cap(const struct hd_trace *t, bool input, struct hd_lints *l) {
    int32_t most = 0, least = INT32_MAX;
    int64_t top = 0, below = 0;
    for (int pass = 0; pass < 2; pass++) {
        int64_t width = most / 1000 + 1;
        for (int64_t i = 0; i < t->rows; i++) {
            hd_trace_step(t, i);
            int32_t n = input ? t->row[i].input_tokens : t->row[i].output_tokens;
            if (!pass) {
                if (n > most) most = n;
                if (n < least) least = n;
            } else if (n > most - width) {
                top++;
            } else if (n > most - 21 * width) {
                below++;
            }
        }
    }
    if (t->rows < ROWS_MIN || most - least < 50 || top < 5 || top * 1000 < t->rows ||
        top * 2 < below)
        return;
    int64_t width = most / 1000 + 1;
    find(l, "capped",
         hd_format(
             "%lld requests (%.3g %%) have %s of %lld to %d tokens, the largest, and "
             "%lld any of the %lld lengths below: cut off there?",
             (long long)top, percent(top, t->rows), input ? "inputs" : "outputs",
             (long long)(most - width + 1), most, (long long)below,
             (long long)(20 * width)));
}

static void look_at_counts(const struct hd_trace *t, double percentile,
                           struct hd_lints *l) {
    double need = BEYOND_MIN / (1 - percentile);
    int few = 0;
    for (int m = 0; m < t->models; m++) few += (double)t->model_rows[m] < need;
    if ((double)t->rows < need)
        find(l, "few",
             hd_format("%lld requests: a p%.6g rests on %.3g of them; %.0f would give "
                       "%d",
                       (long long)t->rows, 100 * percentile,
                       (double)t->rows * (1 - percentile), need, BEYOND_MIN));
    else if (few && t->models > 1)
        find(l, "few",
             hd_format(
                 "%d of %d models have fewer than %.0f requests: a p%.6g of one of "
                 "them alone rests on fewer than %d",
                 few, t->models, need, 100 * percentile, BEYOND_MIN));
}

static int by_content(const void *a, const void *b) {
    const struct hd_trace_row *x = a, *y = b;
    if (x->model != y->model) return x->model < y->model ? -1 : 1;
    if (x->input_tokens != y->input_tokens)
        return x->input_tokens < y->input_tokens ? -1 : 1;
    return (x->output_tokens > y->output_tokens) -
           (x->output_tokens < y->output_tokens);
}

static void look_at_doubles(const struct hd_trace *t, struct hd_lints *l) {
    int64_t twice = 0;
    int capacity = 0;
    struct hd_trace_row *group = NULL;
    for (int64_t i = 0, end; i < t->rows; i = end) {
        hd_trace_step(t, i);
        for (end = i + 1; end < t->rows && t->row[end].at == t->row[i].at;)
            hd_trace_step(t, end++);
        int count = (int)(end - i);
        if (count < 2) continue;
        group = hd_grow(group, &capacity, count, sizeof *group);
        memcpy(group, t->row + i, (size_t)count * sizeof *group);
        qsort(group, (size_t)count, sizeof *group, by_content);
        for (int k = 1; k < count; k++)
            twice += by_content(&group[k - 1], &group[k]) == 0;
    }
    free(group);
    if (twice)
        find(l, "twice",
             hd_format("%lld (%.3g %%) repeat a request of the same instant, model "
                       "and lengths",
                       (long long)twice, percent(twice, t->rows)));
}

static void look_at_empty(const struct hd_trace *t, struct hd_lints *l) {
    if (t->rows_no_output || t->rows_no_input)
        find(
            l, "empty",
            hd_format("%lld requests (%.3g %%) have no output tokens and %lld no input "
                      "tokens",
                      (long long)t->rows_no_output, percent(t->rows_no_output, t->rows),
                      (long long)t->rows_no_input));
}

void hd_lint(const struct hd_trace *t, double percentile, struct hd_lints *l) {
    look_at_units(t, l);
    look_at_blocks(t, l);
    look_at_grid(t, l);
    look_at_cap(t, true, l);
    look_at_cap(t, false, l);
    look_at_counts(t, percentile, l);
    look_at_doubles(t, l);
    look_at_empty(t, l);
}

void hd_lints_free(struct hd_lints *l) {
    for (int i = 0; i < l->count; i++) free(l->of[i].text);
    free(l->of);
}
