/* Models active at once, against every instant and every subset tried, and against
 * closed forms. */
#include "trace/stats_activity.h"

#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

#include "base/mem.h"
#include "market/market.h"
#include "unit/trace_files.h"

static void near(double got, double expected, double within) {
    if (!(fabs(got - expected) <= within))
        fail_msg("%.17g, expected %.17g", got, expected);
}

/* A trace of requests at whole milliseconds; the caller frees what it points to. */
static struct hd_trace trace_of(const int *at_ms, const int *model, int rows,
                                int models) {
    struct hd_trace t = {.rows = rows, .models = models};
    t.row = hd_alloc((size_t)rows * sizeof *t.row);
    t.model_rows = hd_alloc((size_t)models * sizeof *t.model_rows);
    for (int i = 0; i < rows; i++) {
        t.row[i] = (struct hd_trace_row){.at = at_ms[i] * HD_TICKS_PER_US * 1000,
                                         .model = model[i]};
        t.model_rows[model[i]]++;
    }
    return t;
}

static void drop(struct hd_trace *t) {
    free(t->row);
    free(t->model_rows);
}

static void by_hand(void **state) {
    (void)state;
    static const int at[] = {0, 1000, 2000, 6000}, model[] = {0, 0, 1, 0};
    struct hd_trace t = trace_of(at, model, 4, 2);
    struct hd_activity a;
    hd_activity(&t, 2, &a); /* from 2 to 6: a until 3, b from 2 to 4 */
    near(a.mean, 0.75, 1e-15);
    near(hd_active_models(&t, 2), 0.75, 1e-15);
    near(a.share[0], 0.5, 1e-15);
    near(a.share[1], 0.25, 1e-15);
    near(a.share[2], 0.25, 1e-15);
    near(a.deviation, sqrt(0.5 * 0.5625 + 0.25 * 0.0625 + 0.25 * 1.5625), 1e-15);
    near(a.alone_deviation, sqrt(0.25 * 0.75 + 0.5 * 0.5), 1e-15);
    near(a.variance_ratio, 0.6875 / 0.4375, 1e-12);
    assert_int_equal(a.most, 2);
    assert_int_equal(a.p99, 2);
    near(a.poisson_mean, 2 - exp(-1) - exp(-1.0 / 3), 1e-12);
    hd_activity_free(&a);
    hd_activity(&t, 6, &a); /* as long as the trace */
    assert_true(isnan(a.mean) && isnan(a.variance_ratio) && a.levels == 0);
    hd_activity_free(&a);
    drop(&t);
}

static void against_slow_twins(void **state) {
    (void)state;
    enum { ROWS = 150, MODELS = 7, SERVICE = 400 };
    int at[ROWS], model[ROWS];
    unsigned random = 11;
    for (int i = 0, ms = 0; i < ROWS; i++) { /* ties, gaps, requests of one model */
        random = random * 1103515245u + 12345u;
        ms += (int)(random >> 16) % (i % 20 == 0 ? 2000 : 90) * ((random >> 9) % 4 > 0);
        at[i] = ms;
        model[i] = (int)((random >> 12) % MODELS * ((random >> 24) % 2));
    }
    for (int m = 0; m < MODELS; m++) model[ROWS / 2 + m] = m;
    struct hd_trace t = trace_of(at, model, ROWS, MODELS);
    struct hd_activity a;
    hd_activity(&t, SERVICE / 1000.0, &a);
    int from = at[0] + SERVICE, to = at[ROWS - 1];
    double share[MODELS + 1] = {0}, alone[MODELS] = {0}, time = to - from;
    for (int ms = from; ms < to; ms++) {
        int level = 0;
        for (int m = 0; m < MODELS; m++) {
            bool busy = false;
            for (int i = 0; i < ROWS; i++)
                busy |= model[i] == m && at[i] <= ms && ms < at[i] + SERVICE;
            level += busy;
            alone[m] += busy / time;
        }
        share[level] += 1 / time;
    }
    double mean = 0, variance = 0, independent = 0;
    for (int k = 0; k <= MODELS; k++) mean += k * share[k];
    for (int k = 0; k <= MODELS; k++) {
        variance += share[k] * (k - mean) * (k - mean);
        near(k < a.levels ? a.share[k] : 0, share[k], 1e-9);
    }
    int p99 = 0, poisson_p99 = 0; /* the fewest that cover 99 % */
    for (double sum = share[0]; sum < 0.99; sum += share[p99]) p99++;
    assert_int_equal(a.p99, p99);
    for (int m = 0; m < MODELS; m++) independent += alone[m] * (1 - alone[m]);
    near(a.mean, mean, 1e-9);
    near(a.deviation, sqrt(variance), 1e-9);
    near(a.alone_deviation, sqrt(independent), 1e-9);
    /* Independent Poisson models: every subset of them. */
    double p[MODELS], of[MODELS + 1] = {0}, span = (to - at[0]) / 1000.0;
    for (int m = 0; m < MODELS; m++)
        p[m] = 1 - exp(-(double)t.model_rows[m] / span * SERVICE / 1000);
    for (int set = 0; set < 1 << MODELS; set++) {
        double chance = 1;
        for (int m = 0; m < MODELS; m++) chance *= set >> m & 1 ? p[m] : 1 - p[m];
        of[__builtin_popcount((unsigned)set)] += chance;
    }
    mean = variance = 0;
    for (int k = 0; k <= MODELS; k++) near(a.poisson_share[k], of[k], 1e-12);
    for (double sum = of[0]; sum < 0.99; sum += of[poisson_p99]) poisson_p99++;
    assert_int_equal(a.poisson_p99, poisson_p99);
    for (int k = 0; k <= MODELS; k++) mean += k * of[k];
    for (int k = 0; k <= MODELS; k++) variance += (k - mean) * (k - mean) * of[k];
    near(a.poisson_mean, mean, 1e-12);
    near(a.poisson_deviation, sqrt(variance), 1e-12);
    hd_activity_free(&a);
    drop(&t);
}

/* Poisson arrivals of independent models are what the closed form says; models that are
 * switched on and off together keep the mean that each has by itself but vary more. */
static void independent_and_together(void **state) {
    (void)state;
    enum { MODELS = 20, ROWS = 60000, HOUR_MS = 3600000 };
    int *at = hd_alloc(ROWS * sizeof *at), *model = hd_alloc(ROWS * sizeof *model);
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    struct hd_activity a;
    for (int together = 0; together < 2; together++) {
        int rows = 0;
        for (double s = 0; rows < ROWS; s += gsl_ran_exponential(rng, 0.2)) {
            if (together && fmod(s, 60) < 30) continue; /* all sleep */
            at[rows] = (int)(s * 1000);
            model[rows++] = (int)gsl_rng_uniform_int(rng, MODELS);
        }
        struct hd_trace t = trace_of(at, model, ROWS, MODELS);
        hd_activity(&t, 3, &a);
        print_message("%s: %.3f models, %.3f by the closed form; variance %.3f x\n",
                      together ? "together" : "independent", a.mean, a.poisson_mean,
                      a.variance_ratio);
        if (together) {
            /* each model by itself: half a minute at a quarter per second, of which
             * 3 s to rise, and 3 s to fall afterwards */
            double p = 1 - exp(-0.75);
            near(a.mean / (MODELS * (27 * p + 2 * (3 - p / 0.25)) / 60), 1, 0.01);
            assert_true(a.variance_ratio > 2);
        } else {
            near(a.mean / a.poisson_mean, 1, 0.01);
            near(a.variance_ratio, 1, a.chance);
            for (int k = 0; k < a.levels; k++)
                near(a.share[k], a.poisson_share[k], 0.02);
        }
        hd_activity_free(&a);
        drop(&t);
    }
    gsl_rng_free(rng);
    free(at);
    free(model);
}

/* The published table: models active at once at three rates, 16.79 s a request. */
static void published_table(void **state) {
    (void)state;
    enum { MOST = 779 };
    static const int hundred[] = {6, 94}, many[] = {46, 733};
    static const double two[] = {0.9865, 0.0135}, rate[] = {0.5, 3.7, 20};
    static const struct {
        const char *name;
        int models;
        double zipf, expected[3], top, coldest; /* the last two in percent */
    } rows[] = {
        {"uniform", 100, 0, {8.1, 46.3, 96.5}, 1.0, 94},
        {"Zipf 1", 100, 1, {6.9, 30.7, 74.2}, 19.3, 52.8},
        {"Zipf 1.5", 100, 1.5, {5.0, 17.7, 44.1}, 41.4, 24.2},
        {"Zipf 2", 100, 2, {3.5, 10.0, 22.9}, 61.2, 8.8},
        {"two classes", 100, -1, {4.6, 6.8, 10.4}, 16.4, 1.3},
        {"two classes", 779, -1, {7.7, 34.7, 50.5}, 2.1, 1.4},
    };
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        double share[MOST], per_s[MOST], coldest = 0;
        int models = rows[n].models, hot = models - (int)lround(0.941 * models);
        if (rows[n].zipf >= 0)
            hd_share_zipf(share, models, rows[n].zipf, 0);
        else
            hd_share_classes(share, models == 100 ? hundred : many, two, 2);
        for (int i = hot; i < models; i++) coldest += share[i];
        near(100 * share[0], rows[n].top, 0.05 + 1e-9);
        near(100 * coldest, rows[n].coldest, 0.06);
        for (int r = 0; r < 3; r++) {
            for (int i = 0; i < models; i++) per_s[i] = rate[r] * share[i];
            double got = hd_active_models_expected(per_s, models, 16.79);
            print_message("%s, %d models, %g/s: %.2f, published %.1f\n", rows[n].name,
                          models, rate[r], got, rows[n].expected[r]);
            near(got, rows[n].expected[r], 0.05 + 1e-9);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(against_slow_twins),
        cmocka_unit_test(independent_and_together),
        cmocka_unit_test(published_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
