/* Token distributions and rates over time, against plain sorting and counting. */
#include "trace/stats_lengths.h"

#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>

#include "base/mem.h"
#include "trace/stats_arrivals.h"
#include "unit/trace_files.h"

enum { ROWS = 400 };

static void near(double got, double expected, double within) {
    if (!(fabs(got - expected) <= within))
        fail_msg("%.17g, expected %.17g", got, expected);
}

/* Lengths with many ties, zeros on either side and a few that are longer than the
 * table; output follows input with noise. */
static struct hd_trace_row *rows_of(void) {
    struct hd_trace_row *row = hd_alloc(ROWS * sizeof *row);
    unsigned random = 3;
    hd_tick at = 5 * HD_TICKS_PER_S;
    for (int i = 0; i < ROWS; i++) {
        random = random * 1103515245u + 12345u;
        at += (random >> 16) % (i % 40 ? 900 : 90000) * (i % 7 > 0) * HD_TICKS_PER_US *
              1000;
        int in = (int)((random >> 10) % 31);
        row[i] = (struct hd_trace_row){.at = at,
                                       .input_tokens = i % 90 == 7 ? 2000000 + in : in,
                                       .output_tokens = (in / 4 + (int)(random >> 28))};
    }
    return row;
}

static void distribution(void **state) {
    (void)state;
    struct hd_trace t = {.rows = ROWS, .row = rows_of()};
    for (int side = 0; side < 2; side++) {
        double value[ROWS];
        int zeros = 0;
        for (int i = 0; i < ROWS; i++) {
            value[i] =
                side == HD_INPUT ? t.row[i].input_tokens : t.row[i].output_tokens;
            zeros += value[i] == 0;
        }
        struct hd_token_counts c;
        hd_token_counts(&t, (enum hd_side)side, false, &c);
        gsl_sort(value, 1, ROWS);
        assert_int_equal(c.rows, ROWS);
        assert_int_equal(c.zeros, zeros);
        assert_true(zeros > 0);
        assert_true(c.tokens[0] == 0 && c.below[0] == 0);
        near(hd_token_mean(&c), gsl_stats_mean(value, 1, ROWS), 1e-6);
        for (int percent = 0; percent <= 100; percent++)
            assert_true(
                hd_token_quantile(&c, percent / 100.0) ==
                gsl_stats_quantile_from_sorted_data(value, 1, ROWS, percent / 100.0));
        for (int i = 0; i < c.distinct; i++) {
            int below = 0;
            for (int k = 0; k < ROWS; k++) below += value[k] < c.tokens[i];
            assert_int_equal(c.below[i], below);
        }
        hd_token_counts_free(&c);
    }
    free(t.row);
}

static void correlation(void **state) {
    (void)state;
    struct hd_trace t = {.rows = ROWS, .row = rows_of()};
    double in[ROWS], out[ROWS], work[2 * ROWS], log_in[ROWS], log_out[ROWS];
    int n = 0;
    for (int i = 0; i < ROWS; i++) {
        if (t.row[i].input_tokens == 0 || t.row[i].output_tokens == 0) continue;
        in[n] = t.row[i].input_tokens;
        out[n] = t.row[i].output_tokens;
        log_in[n] = log(in[n]);
        log_out[n] = log(out[n]);
        n++;
    }
    struct hd_token_correlation c = hd_token_correlation(&t);
    assert_int_equal(c.rows, n);
    assert_true(n < ROWS);
    near(c.pearson_of_logs, gsl_stats_correlation(log_in, 1, log_out, 1, (size_t)n),
         1e-12);
    near(c.spearman, gsl_stats_spearman(in, 1, out, 1, (size_t)n, work), 1e-12);
    assert_true(c.spearman > 0.3);
    for (int i = 0; i < ROWS; i++) t.row[i].output_tokens = 9;
    c = hd_token_correlation(&t);
    assert_true(isnan(c.spearman) && isnan(c.pearson_of_logs));
    for (int i = 0; i < ROWS; i++) t.row[i].output_tokens = 0;
    c = hd_token_correlation(&t);
    assert_true(c.rows == 0 && isnan(c.spearman));
    free(t.row);
}

/* Every bin of every scale, and every interval. stretched: so long that 10 min fit
 * four times, which are too few. */
static void over_time(int stretched) {
    struct hd_trace t = {.rows = ROWS, .row = rows_of()};
    struct hd_dispersion d[HD_DISPERSION_SCALES];
    for (int i = 0; i < ROWS; i++) t.row[i].at *= stretched;
    hd_tick first = t.row[0].at, span = t.row[ROWS - 1].at - first;
    int scales = hd_dispersions(&t, d);
    assert_int_equal(span / (600 * HD_TICKS_PER_S), stretched == 1 ? 0 : 4);
    assert_int_equal(scales, 3);
    for (int n = 0; n < scales; n++) {
        hd_tick bin = (hd_tick)d[n].bin_s * HD_TICKS_PER_S;
        int bins = (int)(span / bin), most = 0;
        double sum = 0, squares = 0;
        assert_int_equal(d[n].bins, bins);
        assert_true(bins >= HD_DISPERSION_BINS_MIN);
        for (int b = 0; b < bins; b++) {
            int count = 0;
            for (int i = 0; i < ROWS; i++)
                count += t.row[i].at - first >= b * bin &&
                         t.row[i].at - first < (b + 1) * bin;
            sum += count;
            squares += (double)count * count;
            if (count > most) most = count;
        }
        double mean = sum / bins;
        near(d[n].iod, (squares / bins - mean * mean) / mean, 1e-9);
        near(d[n].peak_over_mean, most / mean, 1e-12);
    }
    int ties = 0;
    for (int i = 1; i < ROWS; i++) ties += t.row[i].at <= t.row[i - 1].at;
    assert_true(ties > 0 && hd_ties(&t) == ties);
    struct hd_rate_over_time r;
    for (int most = 1; most < 3000; most = most * 2 + 1) {
        hd_rate_over_time(&t, most, &r);
        assert_true(r.intervals <= most && r.intervals * 6 > most);
        near((r.intervals - 1) * r.interval_s + r.last_s, hd_s_from_tick(span), 1e-9);
        int64_t sum = 0;
        double least = INFINITY, highest = 0;
        for (int b = 0; b < r.intervals; b++) {
            int64_t count = 0;
            for (int i = 0; i < ROWS; i++) {
                double at = hd_s_from_tick(t.row[i].at - first);
                count += at >= b * r.interval_s && at < (b + 1) * r.interval_s;
            }
            assert_int_equal(r.requests[b], count);
            sum += count;
            if (b + 1 == r.intervals) break; /* cut short */
            least = fmin(least, (double)count / r.interval_s);
            highest = fmax(highest, (double)count / r.interval_s);
        }
        assert_int_equal(sum, ROWS);
        if (r.intervals == 1) {
            assert_true(isnan(r.least_per_s) && isnan(r.most_per_s));
        } else {
            near(r.least_per_s, least, 1e-9);
            near(r.most_per_s, highest, 1e-9);
        }
        hd_rate_over_time_free(&r);
    }
    free(t.row);
}

static void some_minutes(void **state) {
    (void)state;
    over_time(1);
}

static void most_of_an_hour(void **state) {
    (void)state;
    over_time(7);
}

/* Each model's requests taken out and looked at alone. */
static void each_model(void **state) {
    (void)state;
    enum { MODELS = 5 };
    struct hd_trace_row *row = rows_of(), *own = hd_alloc(ROWS * sizeof *own);
    int64_t count[MODELS] = {0};
    for (int i = 0; i < ROWS; i++) {
        row[i].model = i == 200 ? 4 : i * i / 7 % 4; /* the last has one request */
        count[row[i].model]++;
    }
    struct hd_trace t = {
        .rows = ROWS, .row = row, .models = MODELS, .model_rows = count};
    struct hd_model_stats *m = hd_model_stats(&t);
    for (int k = 0; k < MODELS; k++) {
        struct hd_trace alone = {.row = own};
        for (int i = 0; i < ROWS; i++)
            if (row[i].model == k) own[alone.rows++] = row[i];
        struct hd_token_counts c;
        hd_token_counts(&alone, HD_INPUT, false, &c);
        near(m[k].input_mean, hd_token_mean(&c), 1e-6);
        hd_token_counts_free(&c);
        hd_token_counts(&alone, HD_OUTPUT, false, &c);
        near(m[k].output_mean, hd_token_mean(&c), 1e-9);
        hd_token_counts_free(&c);
        if (k == 4)
            assert_true(isnan(m[k].gap_cv) && isnan(hd_gap_cv(&alone)));
        else
            near(m[k].gap_cv, hd_gap_cv(&alone), 1e-9);
    }
    free(m);
    free(row);
    free(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distribution), cmocka_unit_test(correlation),
        cmocka_unit_test(some_minutes), cmocka_unit_test(most_of_an_hour),
        cmocka_unit_test(each_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
