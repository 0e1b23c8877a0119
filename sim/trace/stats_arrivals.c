/* Arrivals: sums run in row order, so they are the same everywhere. */
#include "trace/stats_arrivals.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

double hd_gap_cv(const struct hd_trace *t) {
    int64_t gaps = t->rows - 1;
    if (gaps < 1) return NAN;
    double mean = (double)(t->row[gaps].at - t->row[0].at) / (double)gaps, sum = 0;
    if (mean == 0) return NAN;
    for (int64_t i = 0; i < gaps; i++) {
        hd_trace_step(t, i);
        double off = (double)(t->row[i + 1].at - t->row[i].at) - mean;
        sum += off * off;
    }
    return sqrt(sum / (double)gaps) / mean;
}

int64_t hd_ties(const struct hd_trace *t) {
    int64_t ties = 0;
    for (int64_t i = 1; i < t->rows; i++) {
        hd_trace_step(t, i);
        ties += t->row[i].at == t->row[i - 1].at;
    }
    return ties;
}

/* Empty bins count; they are not visited: a long trace in short bins has many. */
double hd_dispersion(const struct hd_trace *t, hd_tick bin, bool whole, double *peak,
                     int64_t *bins) {
    hd_tick first = t->row[0].at, span = t->row[t->rows - 1].at - first;
    *peak = NAN;
    *bins = span / bin + !whole;
    if (span == 0 || *bins == 0) return NAN;
    double squares = 0, most = 0;
    int64_t i = 0;
    while (i < t->rows) {
        hd_tick number = (t->row[i].at - first) / bin;
        if (number >= *bins) break;
        hd_tick end = first + (number + 1) * bin;
        int64_t begin = i;
        while (i < t->rows && t->row[i].at < end) hd_trace_step(t, i++);
        double count = (double)(i - begin);
        squares += count * count;
        if (count > most) most = count;
    }
    double n = (double)*bins, mean = (double)i / n;
    *peak = most / mean;
    return (squares / n - mean * mean) / mean;
}

int hd_dispersions(const struct hd_trace *t,
                   struct hd_dispersion at[HD_DISPERSION_SCALES]) {
    static const int scale_s[HD_DISPERSION_SCALES] = {1, 10, 60, 600, 3600};
    int count = 0;
    for (int i = 0; i < HD_DISPERSION_SCALES; i++) {
        struct hd_dispersion d = {.bin_s = scale_s[i]};
        d.iod = hd_dispersion(t, scale_s[i] * HD_TICKS_PER_S, true, &d.peak_over_mean,
                              &d.bins);
        if (d.bins >= HD_DISPERSION_BINS_MIN) at[count++] = d;
    }
    return count;
}

/* ---- rate over time ------------------------------------------------------ */

/* Lengths that a person reads off a clock; below a second, tenths and so on. */
static hd_tick round_interval(hd_tick span, int intervals_max) {
    static const int seconds[] = {1,     2,     5,     10,    20,     30,    60,
                                  120,   300,   600,   1200,  1800,   3600,  7200,
                                  14400, 21600, 43200, 86400, 172800, 604800};
    static const int part[] = {1, 2, 5};
    for (hd_tick unit = HD_TICKS_PER_US; unit < HD_TICKS_PER_S; unit *= 10)
        for (int i = 0; i < 3; i++)
            if (span / (unit * part[i]) < intervals_max) return unit * part[i];
    for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++)
        if (span / (seconds[i] * HD_TICKS_PER_S) < intervals_max)
            return seconds[i] * HD_TICKS_PER_S;
    return span / intervals_max + 1;
}

void hd_rate_over_time(const struct hd_trace *t, int intervals_max,
                       struct hd_rate_over_time *r) {
    hd_tick first = t->row[0].at, span = t->row[t->rows - 1].at - first;
    hd_tick length = round_interval(span, intervals_max);
    int whole = (int)(span / length);
    *r = (struct hd_rate_over_time){
        .interval_s = hd_s_from_tick(length),
        .last_s = hd_s_from_tick(span - whole * length),
        .intervals = whole + 1,
        .least_per_s = NAN,
        .most_per_s = NAN,
    };
    r->requests = hd_alloc((size_t)r->intervals * sizeof *r->requests);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        r->requests[(t->row[i].at - first) / length]++;
    }
    for (int i = 0; i < whole; i++) { /* fmin and fmax pass over NAN */
        double rate = (double)r->requests[i] / r->interval_s;
        r->least_per_s = fmin(r->least_per_s, rate);
        r->most_per_s = fmax(r->most_per_s, rate);
    }
}

void hd_rate_over_time_free(struct hd_rate_over_time *r) {
    free(r->requests);
    *r = (struct hd_rate_over_time){0};
}

/* ---- models -------------------------------------------------------------- */

struct hd_model_stats *hd_model_stats(const struct hd_trace *t) {
    size_t models = (size_t)t->models;
    struct hd_model_stats *m = hd_alloc(models * sizeof *m);
    hd_tick *first = hd_alloc(models * sizeof *first);
    hd_tick *last = hd_alloc(models * sizeof *last);
    int64_t *input = hd_alloc(models * sizeof *input);
    int64_t *output = hd_alloc(models * sizeof *output);
    for (size_t k = 0; k < models; k++) first[k] = -1;
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        const struct hd_trace_row *row = &t->row[i];
        if (first[row->model] < 0) first[row->model] = row->at;
        last[row->model] = row->at;
        input[row->model] += row->input_tokens;
        output[row->model] += row->output_tokens;
    }
    for (size_t k = 0; k < models; k++) {
        double rows = (double)t->model_rows[k];
        m[k].input_mean = (double)input[k] / rows;
        m[k].output_mean = (double)output[k] / rows;
        m[k].gap_cv = (double)(last[k] - first[k]) / (rows - 1); /* the mean gap */
        last[k] = -1;
    }
    double *squares = hd_alloc(models * sizeof *squares);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        int32_t k = t->row[i].model;
        if (last[k] >= 0) {
            double off = (double)(t->row[i].at - last[k]) - m[k].gap_cv;
            squares[k] += off * off;
        }
        last[k] = t->row[i].at;
    }
    for (size_t k = 0; k < models; k++) {
        double gaps = (double)t->model_rows[k] - 1, mean = m[k].gap_cv;
        m[k].gap_cv = gaps > 0 && mean > 0 ? sqrt(squares[k] / gaps) / mean : NAN;
    }
    free(squares);
    free(first);
    free(last);
    free(input);
    free(output);
    return m;
}
