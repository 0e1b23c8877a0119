/* What is drawn against the laws it is drawn from: Kolmogorov-Smirnov and chi-square at
 * fixed seeds, each with a wrong law beside it that must fail. */
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>

#include "base/mem.h"
#include "market/market.h"
#include "unit/market_draws.h"

static double equal_share[4] = {0.25, 0.25, 0.25, 0.25};

static struct hd_market plain(void) {
    return (struct hd_market){
        .models = 4,
        .share = equal_share,
        .rate_per_s = 8,
        .span_s = 1000,
        .gap_cv = 1,
        .input = {.p50 = 500, .mean = 700, .min = 1, .max = 1000000},
        .output = {.p50 = 100, .mean = 150, .min = 1, .max = 1000000},
        .parts = (char[]){"all invented"},
    };
}

/* ---- the two tests ------------------------------------------------------- */

typedef double (*law)(double x, const double *parameter);

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double ks(double *value, int64_t n, law cdf, const double *parameter) {
    qsort(value, (size_t)n, sizeof *value, by_value);
    double worst = 0;
    for (int64_t i = 0; i < n; i++) {
        double p = cdf(value[i], parameter);
        worst = fmax(worst,
                     fmax(p - (double)i / (double)n, (double)(i + 1) / (double)n - p));
    }
    return worst;
}

/* The right law stays below the 0.1 % point, the wrong one far above. */
static void expect_law(const char *what, double *value, int64_t n, law cdf,
                       const double *right, const double *wrong) {
    double limit = 1.95 / sqrt((double)n);
    double is = ks(value, n, cdf, right), is_not = ks(value, n, cdf, wrong);
    print_message("%-24s KS %.4f, wrong law %.4f, 0.1 %% point %.4f, n %lld\n", what,
                  is, is_not, limit, (long long)n);
    assert_true(n > 500);
    assert_true(is < limit);
    assert_true(is_not > 1.5 * limit);
}

static double chi_square_p(const double *seen, const double *expected, int cells) {
    double sum = 0;
    for (int i = 0; i < cells; i++) {
        assert_true(expected[i] > 5);
        sum += (seen[i] - expected[i]) * (seen[i] - expected[i]) / expected[i];
    }
    return gsl_cdf_chisq_Q(sum, cells - 1);
}

static void expect_counts(const char *what, const double *seen, const double *right,
                          const double *wrong, int cells) {
    double total = 0, rights = 0, wrongs = 0, a[64], b[64];
    for (int i = 0; i < cells; i++)
        total += seen[i], rights += right[i], wrongs += wrong[i];
    for (int i = 0; i < cells; i++) {
        a[i] = total * right[i] / rights;
        b[i] = total * wrong[i] / wrongs;
    }
    double is = chi_square_p(seen, a, cells), is_not = chi_square_p(seen, b, cells);
    print_message("%-24s chi-square p %.3f, wrong law %.1e\n", what, is, is_not);
    assert_true(is > 0.001);
    assert_true(is_not < 1e-6);
}

/* ---- gaps ---------------------------------------------------------------- */

static double exponential(double x, const double *p) {
    return gsl_cdf_exponential_P(x, p[0]);
}
static double gamma_law(double x, const double *p) {
    return gsl_cdf_gamma_P(x, 1 / (p[1] * p[1]), p[0] * p[1] * p[1]);
}
static double weibull_law(double x, const double *p) {
    double k = hd_weibull_shape(p[1]);
    return gsl_cdf_weibull_P(x, p[0] / gsl_sf_gamma(1 + 1 / k), k);
}

/* Of each model's requests, one after the other. */
static double *gaps_of(const struct hd_market_requests *r, int64_t *count) {
    double *gap = hd_alloc((size_t)r->count * sizeof *gap), last[64];
    *count = 0;
    for (int m = 0; m < 64; m++) last[m] = -1;
    for (int64_t i = 0; i < r->count; i++) {
        double at = (double)r->of[i].at_us / 1e6, *before = &last[r->of[i].model];
        if (*before >= 0) gap[(*count)++] = at - *before;
        *before = at;
    }
    return gap;
}

static void gaps(void **state) {
    (void)state;
    static const struct {
        const char *what;
        enum hd_gap_law law;
        law cdf;
        double cv, wrong_cv;
    } rows[] = {{"gamma, cv 1.4", HD_GAP_GAMMA, gamma_law, 1.4, 1.7},
                {"gamma, cv 0.6", HD_GAP_GAMMA, gamma_law, 0.6, 0.75},
                {"weibull, cv 2", HD_GAP_WEIBULL, weibull_law, 2, 1.6},
                {"weibull as gamma", HD_GAP_WEIBULL, weibull_law, 2, 2}};
    for (int i = 0; i < 4; i++) {
        struct hd_market m = plain();
        m.gaps = rows[i].law;
        m.gap_cv = rows[i].cv;
        struct hd_market_requests r = draw(&m, 2);
        int64_t n;
        double *gap = gaps_of(&r, &n), right[] = {0.5, rows[i].cv};
        if (i < 3) {
            expect_law(rows[i].what, gap, n, rows[i].cdf, right,
                       (double[]){0.5, rows[i].wrong_cv});
        } else { /* the same variation, another law */
            double off = ks(gap, n, gamma_law, right);
            print_message("%-24s KS %.4f\n", rows[i].what, off);
            assert_true(off > 1.5 * 1.95 / sqrt((double)n));
        }
        free(gap);
        hd_market_requests_free(&r);
    }
    struct hd_market m = plain();
    struct hd_market_requests r = draw(&m, 2);
    int64_t n;
    double *gap = gaps_of(&r, &n);
    expect_law("poisson", gap, n, exponential, (double[]){0.5}, (double[]){0.55});
    free(gap);
    hd_market_requests_free(&r);
}

/* Counts in bins of t of a Poisson process with two rates, left at rates a and b:
 * variance over mean is 1 + A - A (1 - exp(-s t)) / (s t) with s = a + b and
 * A = 2 a b (difference of rates)^2 / (s^2 (rate b + other a)) (Fischer and
 * Meier-Hellstern, Performance Evaluation 18, 1993). */
static void mmpp(void **state) {
    (void)state;
    double level[] = {0.25, 2.5}, hold[] = {20, 10}, share[] = {1};
    struct hd_market m = plain();
    m.models = 1;
    m.share = share;
    m.rate_per_s = 2;
    m.span_s = 200000;
    m.arrivals = HD_ARRIVALS_MMPP;
    m.mmpp = (struct hd_mmpp){.states = 2, .level = level, .hold_s = hold};
    struct hd_market_requests r = draw(&m, 4);
    double a = 1 / hold[0], b = 1 / hold[1], s = a + b, low = 2 * level[0],
           high = 2 * level[1];
    double A = 2 * a * b * (low - high) * (low - high) / (s * s * (low * b + high * a));
    double mean = (double)r.count / m.span_s;
    print_message("rate %.3f, theory 2\n", mean);
    assert_true(fabs(mean - 2) < 0.06);
    for (int bin = 5; bin <= 125; bin *= 5) {
        int bins = (int)(m.span_s / bin);
        double *count = hd_alloc((size_t)bins * sizeof *count), sum = 0, squares = 0;
        for (int64_t i = 0; i < r.count; i++)
            if (r.of[i].at_us / 1000000 / bin < bins)
                count[r.of[i].at_us / 1000000 / bin]++;
        for (int i = 0; i < bins; i++) sum += count[i], squares += count[i] * count[i];
        double iod = (squares / bins - sum / bins * sum / bins) / (sum / bins);
        double theory = 1 + A - A * (1 - exp(-s * bin)) / (s * bin);
        print_message("dispersion at %d s: %.3f, theory %.3f\n", bin, iod, theory);
        assert_true(fabs(iod / theory - 1) < 0.1);
        assert_true(theory > 3);
        free(count);
    }
    hd_market_requests_free(&r);
}

static void count_by_time(const struct hd_market_requests *r, double length_s,
                          int cells, double *seen) {
    for (int i = 0; i < cells; i++) seen[i] = 0;
    for (int64_t i = 0; i < r->count; i++)
        seen[(int)((double)r->of[i].at_us / 1e6 / length_s) % cells]++;
}

static void windows_and_rhythm(void **state) {
    (void)state;
    struct hd_window window[] = {{0.5, HD_GAP_POISSON, 1},
                                 {2, HD_GAP_POISSON, 1},
                                 {0.8, HD_GAP_POISSON, 1},
                                 {0.7, HD_GAP_POISSON, 1}};
    double right[] = {0.5, 2, 0.8, 0.7}, wrong[] = {0.7, 2, 0.8, 0.5}, seen[4];
    struct hd_market m = plain();
    m.arrivals = HD_ARRIVALS_WINDOWS;
    m.windows = (struct hd_windows){.window_s = 50, .windows = 4, .window = window};
    struct hd_market_requests r = draw(&m, 1);
    count_by_time(&r, 50, 4, seen);
    expect_counts("windows", seen, right, wrong, 4);
    hd_market_requests_free(&r);
    m.windows.shifted = true; /* models begin elsewhere: the sum no longer says it */
    r = draw(&m, 1);
    double level[4] = {0};
    for (int k = 0; k < 4; k++) {
        double own[4] = {0};
        for (int64_t i = 0; i < r.count; i++)
            if (r.of[i].model == k) own[r.of[i].at_us / 50000000 % 4]++;
        int most = 0;
        for (int i = 1; i < 4; i++)
            if (own[i] > own[most]) most = i;
        level[most]++;
    }
    assert_true(level[0] < 4 && level[1] < 4 && level[2] < 4 && level[3] < 4);
    hd_market_requests_free(&r);
    m = plain();
    m.rhythm = (struct hd_rhythm){.period_s = 200, .levels = 4, .level = right};
    r = draw(&m, 1);
    count_by_time(&r, 50, 4, seen);
    expect_counts("rhythm", seen, right, wrong, 4);
    hd_market_requests_free(&r);
}

/* In each window the law and variation that it says. */
static void a_window_has_its_own_law(void **state) {
    (void)state;
    struct hd_window window[] = {{1, HD_GAP_GAMMA, 0.5}, {1, HD_GAP_WEIBULL, 2}};
    struct hd_market m = plain();
    m.arrivals = HD_ARRIVALS_WINDOWS;
    m.windows = (struct hd_windows){.window_s = 500, .windows = 2, .window = window};
    struct hd_market_requests r = draw(&m, 6), half[2] = {0};
    for (int h = 0; h < 2; h++) {
        half[h].of = hd_alloc((size_t)r.count * sizeof *r.of);
        for (int64_t i = 0; i < r.count; i++)
            if ((r.of[i].at_us >= 500000000) == h)
                half[h].of[half[h].count++] = r.of[i];
    }
    int64_t n;
    double *gap = gaps_of(&half[0], &n);
    expect_law("first window", gap, n, gamma_law, (double[]){0.5, 0.5},
               (double[]){0.5, 0.7});
    free(gap);
    gap = gaps_of(&half[1], &n);
    expect_law("second window", gap, n, weibull_law, (double[]){0.5, 2},
               (double[]){0.5, 1.5});
    free(gap);
    free(half[0].of);
    free(half[1].of);
    hd_market_requests_free(&r);
}

/* ---- popularity ---------------------------------------------------------- */

static void popularity(void **state) {
    (void)state;
    enum { N = 20 };
    double share[N], wrong[N], seen[N];
    for (int kind = 0; kind < 4; kind++) {
        static const char *const name[] = {"zipf", "two classes", "points", "uniform"};
        hd_share_zipf(wrong, N, 0.9, 0);
        if (kind == 0) hd_share_zipf(share, N, 0.8, 0);
        if (kind == 1)
            hd_share_classes(share, (const int[]){5, 15}, (const double[]){0.8, 0.2},
                             2);
        if (kind == 2)
            hd_share_points(share, (const int[]){2, 5, 20},
                            (const double[]){0.4, 0.7, 1}, 3);
        if (kind == 3)
            hd_share_classes(share, (const int[]){N}, (const double[]){1}, 1);
        struct hd_market m = plain();
        m.models = N;
        m.share = share;
        m.rate_per_s = 20;
        struct hd_market_requests r = draw(&m, 8);
        for (int i = 0; i < N; i++) seen[i] = 0;
        for (int64_t i = 0; i < r.count; i++) seen[r.of[i].model]++;
        expect_counts(name[kind], seen, share, wrong, N);
        hd_market_requests_free(&r);
    }
}

/* Points are kept and shares fall, but for a step where two stretches meet. */
static void points(void **state) {
    (void)state;
    static const int models[] = {1, 2, 5, 10, 13, 27};
    static const double held[] = {0.197, 0.372, 0.629, 0.799, 0.871, 1};
    double share[27], sum = 0;
    hd_share_points(share, models, held, 6);
    for (int i = 0, p = 0; i < 27; i++) {
        sum += share[i];
        if (i) assert_true(share[i] <= share[i - 1] * 1.15);
        if (i + 1 == models[p]) assert_true(fabs(sum - held[p++]) < 1e-12);
    }
    assert_true(share[26] > 0 && share[26] < share[13]);
}

/* ---- lengths ------------------------------------------------------------- */

static double lognormal(double x, const double *p) {
    return gsl_cdf_lognormal_P(x + 0.5, log(p[0]), sqrt(2 * log(p[1] / p[0])));
}
static const double quantile[] = {10, 100, 1000, 4000, 8000};
static double by_quantiles(double x, const double *p) {
    int i = 0;
    while (i < 3 && x >= p[i + 1]) i++;
    return (i + log(fmin(fmax((x + 0.5) / p[i], 1), p[i + 1] / p[i])) /
                    log(p[i + 1] / p[i])) /
           4;
}

static double *tokens(const struct hd_market_requests *r, bool output) {
    double *value = hd_alloc((size_t)r->count * sizeof *value);
    for (int64_t i = 0; i < r->count; i++)
        value[i] = output ? r->of[i].output_tokens : r->of[i].input_tokens;
    return value;
}

/* Correlation of the normal variates behind both. */
static double normal_correlation(const struct hd_market_requests *r) {
    double x = 0, y = 0, xx = 0, yy = 0, xy = 0, n = (double)r->count;
    for (int64_t i = 0; i < r->count; i++) {
        double a = log(r->of[i].input_tokens), b = log(r->of[i].output_tokens);
        x += a, y += b, xx += a * a, yy += b * b, xy += a * b;
    }
    return (xy / n - x / n * y / n) /
           sqrt((xx / n - x / n * x / n) * (yy / n - y / n * y / n));
}

static void lengths(void **state) {
    (void)state;
    struct hd_market m = plain();
    m.lengths = HD_LENGTHS_JOINT;
    m.correlation = 0.6;
    struct hd_market_requests r = draw(&m, 2);
    double *in = tokens(&r, false), *out = tokens(&r, true);
    expect_law("joint, input", in, r.count, lognormal, (double[]){500, 700},
               (double[]){440, 700});
    double correlation = normal_correlation(&r);
    print_message("correlation %.3f, asked 0.6\n", correlation);
    assert_true(fabs(correlation - 0.6) < 4 * (1 - 0.36) / sqrt((double)r.count));
    free(in);
    free(out);
    hd_market_requests_free(&r);

    m.output = (struct hd_length_law){
        .quantiles = 5, .quantile = (double *)quantile, .min = 10, .max = 8000};
    m.lengths = HD_LENGTHS_APART;
    for (int joint = 0; joint < 2; joint++) {
        r = draw(&m, 2);
        out = tokens(&r, true);
        expect_law("quantiles", out, r.count, by_quantiles, quantile,
                   (double[]){10, 200, 1000, 4000, 8000});
        for (int64_t i = 0; i < r.count; i++)
            assert_in_range(r.of[i].output_tokens, 10, 8000);
        free(out);
        hd_market_requests_free(&r);
        m.lengths = HD_LENGTHS_JOINT;
    }
}

/* Pairs stay pairs, each as likely as any. */
static void pairs(void **state) {
    (void)state;
    int32_t input[] = {10, 10, 30, 40, 50}, output[] = {5, 6, 7, 5, 9};
    double even[] = {1, 1, 1, 1, 1}, wrong[] = {1, 1, 1, 1, 1.3}, seen[5] = {0};
    struct hd_market m = plain();
    m.lengths = HD_LENGTHS_PAIRS;
    m.pairs = (struct hd_length_pairs){5, input, output};
    struct hd_market_requests r = draw(&m, 2);
    for (int64_t i = 0; i < r.count; i++) {
        int k = 0;
        while (k < 5 &&
               (r.of[i].input_tokens != input[k] || r.of[i].output_tokens != output[k]))
            k++;
        assert_true(k < 5);
        seen[k]++;
    }
    expect_counts("pairs", seen, even, wrong, 5);
    hd_market_requests_free(&r);
}

/* ---- sessions, classes --------------------------------------------------- */

static double think_law(double x, const double *p) {
    return gsl_cdf_lognormal_P(x, log(p[0]), sqrt(2 * log(p[1] / p[0])));
}

static void sessions(void **state) {
    (void)state;
    struct hd_market m = plain();
    m.span_s = 4000;
    m.input = m.output =
        (struct hd_length_law){.p50 = 10, .mean = 12, .min = 1, .max = 90};
    m.sessions = (struct hd_session_law){.turns = 3,
                                         .think_p50_s = 4,
                                         .think_mean_s = 6,
                                         .token_s = 0.1,
                                         .context_max = 1000000};
    struct hd_market_requests r = draw(&m, 3);
    int64_t sessions = 0, thoughts = 0;
    for (int64_t i = 0; i < r.count; i++)
        if (r.of[i].session >= sessions) sessions = r.of[i].session + 1;
    struct seen {
        int64_t at_us;
        int32_t turns, said, first, model;
    } *of = hd_alloc((size_t)sessions * sizeof *of);
    double *think = hd_alloc((size_t)r.count * sizeof *think);
    for (int64_t i = 0; i < r.count; i++) {
        const struct hd_market_request *q = &r.of[i];
        struct seen *s = &of[q->session];
        if (!s->turns) {
            *s = (struct seen){.first = q->turn, .model = q->model};
        } else {
            assert_int_equal(q->turn, s->first + s->turns); /* none is left out */
            assert_int_equal(q->model, s->model);
            assert_true(q->input_tokens > s->said); /* all that was said, and more */
            think[thoughts++] = (double)(q->at_us - s->at_us) / 1e6;
        }
        s->turns++;
        s->said = q->input_tokens + q->output_tokens;
        s->at_us = q->at_us + 100000 * q->output_tokens;
    }
    expect_law("think times", think, thoughts, think_law, (double[]){4, 6},
               (double[]){4.3, 6});
    /* Turns of sessions that began early enough to be seen whole. */
    double seen[9] = {0}, right[9], wrong[9];
    for (int64_t s = 0; s < sessions; s++)
        if (of[s].first == 0 && of[s].at_us < 3500000000)
            seen[of[s].turns < 9 ? of[s].turns - 1 : 8]++;
    for (int k = 0; k < 9; k++) {
        right[k] = k < 8 ? pow(2 / 3.0, k) / 3 : pow(2 / 3.0, 8);
        wrong[k] = k < 8 ? pow(0.7, k) * 0.3 : pow(0.7, 8);
    }
    expect_counts("turns", seen, right, wrong, 9);
    /* In equilibrium from the start: as many requests in the first minute as later. */
    double rate = (double)r.count / m.span_s, first = 0;
    for (int64_t i = 0; i < r.count; i++) first += r.of[i].at_us < 60000000;
    print_message("requests/s %.3f, in the first minute %.3f, asked 8\n", rate,
                  first / 60);
    assert_true(fabs(rate / 8 - 1) < 0.05);
    assert_true(fabs(first / 60 / 8 - 1) < 0.2);
    assert_int_equal(r.sessions_cut, 0);
    free(think);
    free(of);
    hd_market_requests_free(&r);
    m.sessions.context_max = 270; /* what a first turn may have, and little more */
    r = draw(&m, 3);
    assert_true(r.sessions_cut > 0);
    for (int64_t i = 0; i < r.count; i++)
        assert_true(r.of[i].input_tokens + r.of[i].output_tokens <= 270);
    hd_market_requests_free(&r);
}

static void classes(void **state) {
    (void)state;
    struct hd_class_law law[] = {{"a", 0.6, -1, 0}, {"b", 0.3, 1, 0}, {"c", 0.1, 1, 0}};
    double right[] = {6, 3, 1}, wrong[] = {6, 3, 1.4}, seen[3] = {0};
    struct hd_market m = plain();
    m.classes = 3;
    m.class_ = law;
    struct hd_market_requests r = draw(&m, 2);
    for (int64_t i = 0; i < r.count; i++) seen[r.of[i].class_]++;
    expect_counts("classes", seen, right, wrong, 3);
    hd_market_requests_free(&r);
}

/* ---- real streams -------------------------------------------------------- */

enum { STAMPS = 3000 };

/* On and off: 10 requests in 1 s, then 9 s without. */
static struct hd_stream stream(enum hd_stream_method method) {
    static double at[STAMPS];
    static int32_t rank[STAMPS];
    for (int i = 0; i < STAMPS; i++) {
        at[i] = i / 10 * 10 + i % 10 * 0.1;
        rank[i] = i % 7 < 4 ? 0 : i % 7 < 6 ? 1 : i % 2 + 2;
    }
    return (struct hd_stream){
        .method = method, .count = STAMPS, .at_s = at, .rank = rank, .cycle_s = STAMPS};
}

static double gap_cv(const struct hd_market_requests *r) {
    int64_t n;
    double *gap = gaps_of(r, &n), sum = 0, squares = 0;
    for (int64_t i = 0; i < n; i++) sum += gap[i], squares += gap[i] * gap[i];
    free(gap);
    return sqrt(squares / (double)n / (sum / (double)n * sum / (double)n) - 1);
}

static void streams(void **state) {
    (void)state;
    struct hd_market m = plain();
    m.arrivals = HD_ARRIVALS_STREAM;
    m.rate_per_s = 0.4; /* of the stream's 1 a second; 0.1 a model */
    m.span_s = 20000;
    m.stream = stream(HD_STREAM_THIN);
    struct hd_market_requests r = draw(&m, 5);
    double n = m.rate_per_s * m.span_s;
    print_message("thinned: %lld, expected %.0f\n", (long long)r.count, n);
    assert_true(fabs((double)r.count - n) < 4 * sqrt(n));
    double thinned = gap_cv(&r);
    hd_market_requests_free(&r);

    m.stream.method = HD_STREAM_SHIFT;
    r = draw(&m, 5);
    assert_true(fabs((double)r.count - n) < 4 * 10); /* a burst more or less a model */
    double shifted = gap_cv(&r);
    print_message("CV of gaps: thinned %.2f, shifted %.2f, theirs 2.70\n", thinned,
                  shifted);
    assert_true(thinned < 1.6); /* burstiness fades */
    assert_true(fabs(shifted - 2.7) < 0.05);
    int64_t first[4] = {-1, -1, -1, -1}; /* each from a place of its own */
    for (int64_t i = r.count; i-- > 0;) first[r.of[i].model] = r.of[i].at_us;
    assert_true(first[0] != first[1] && first[1] != first[2] && first[2] != first[3]);
    hd_market_requests_free(&r);

    m.stream.method = HD_STREAM_SPLIT; /* every request, on one clock */
    r = draw(&m, 5);
    double seen[4] = {0}, even[] = {1, 1, 1, 1}, wrong[] = {1, 1, 1, 1.3};
    assert_int_equal(r.count, 8000);
    for (int64_t i = 0; i < r.count; i++) {
        double at = (m.stream.at_s[i % STAMPS] + (double)(i / STAMPS) * STAMPS) / 0.4;
        assert_true(fabs((double)r.of[i].at_us / 1e6 - at) < 2e-6);
        seen[r.of[i].model]++;
    }
    expect_counts("split", seen, even, wrong, 4);
    hd_market_requests_free(&r);

    m.stream.method = HD_STREAM_EACH; /* and to whom the file says */
    r = draw(&m, 5);
    assert_int_equal(r.count, 8000);
    for (int64_t i = 0; i < r.count; i++) {
        double at = (m.stream.at_s[i % STAMPS] + (double)(i / STAMPS) * STAMPS) / 0.4;
        assert_true(fabs((double)r.of[i].at_us / 1e6 - at) < 2e-6);
        assert_int_equal(r.of[i].model, m.stream.rank[i % STAMPS]);
    }
    hd_market_requests_free(&r);

    m.stream.jitter_s = 0.1; /* fills the grid: uniform within its steps */
    m.rate_per_s = 1;
    m.span_s = 3000;
    r = draw(&m, 5);
    double cell[10] = {0}, flat[10], slope[10];
    for (int64_t i = 0; i < r.count; i++) cell[r.of[i].at_us % 100000 / 10000]++;
    for (int i = 0; i < 10; i++) flat[i] = 1, slope[i] = 1 + 0.06 * i;
    expect_counts("jitter", cell, flat, slope, 10);
    hd_market_requests_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps),
        cmocka_unit_test(mmpp),
        cmocka_unit_test(windows_and_rhythm),
        cmocka_unit_test(a_window_has_its_own_law),
        cmocka_unit_test(popularity),
        cmocka_unit_test(points),
        cmocka_unit_test(lengths),
        cmocka_unit_test(pairs),
        cmocka_unit_test(sessions),
        cmocka_unit_test(classes),
        cmocka_unit_test(streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
