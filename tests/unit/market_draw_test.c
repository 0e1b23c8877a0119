/* Markets: the laws they are drawn from, streams that do not disturb one another,
 * recipes and what is wrong with them, and the bundled trace from its recipe. */
#include "market/market.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/text.h"
#include "command/command.h"
#include "market/rates.h"
#include "market/recipe.h"
#include "unit/market_draws.h"

static double even_share[8] = {0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125};

static struct hd_market plain(void) {
    return (struct hd_market){
        .models = 8,
        .share = even_share,
        .rate_per_s = 8,
        .span_s = 4000,
        .gap_cv = 1,
        .input = {.p50 = 500, .mean = 700, .min = 1, .max = 1000000},
        .output = {.p50 = 100, .mean = 150, .min = 1, .max = 1000000},
        .parts = (char[]){"all invented"},
    };
}

/* Within `sigmas` of what theory says; prints both. */
static void expect(const char *what, double got, double theory, double sigma) {
    print_message("%-28s %.4f, theory %.4f +- %.4f\n", what, got, theory, sigma);
    if (!(fabs(got - theory) <= 4 * sigma)) fail_msg("%s: beyond 4 sigma", what);
}

/* Requests of n models in all: mean n r t, variance cv^2 of that in the long run. */
static void rates_and_gaps(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum hd_gap_law law;
        double cv;
    } laws[] = {{"poisson", HD_GAP_POISSON, 1},
                {"gamma, cv 1.4", HD_GAP_GAMMA, 1.4},
                {"gamma, cv 0.5", HD_GAP_GAMMA, 0.5},
                {"weibull, cv 1.4", HD_GAP_WEIBULL, 1.4},
                {"weibull, cv 3", HD_GAP_WEIBULL, 3}};
    for (size_t k = 0; k < sizeof laws / sizeof *laws; k++) {
        struct hd_market market = plain();
        market.gaps = laws[k].law;
        market.gap_cv = laws[k].cv;
        struct hd_market_requests r = draw(&market, 5);
        double n = market.rate_per_s * market.span_s;
        expect(laws[k].name, (double)r.count / n, 1, laws[k].cv / sqrt(n));
        double sum = 0, squares = 0, last[8], gaps = 0;
        for (int i = 0; i < 8; i++) last[i] = -1;
        for (int64_t i = 0; i < r.count; i++) {
            double at = (double)r.of[i].at_us / 1e6, *before = &last[r.of[i].model];
            if (*before >= 0) {
                sum += at - *before;
                squares += (at - *before) * (at - *before);
                gaps++;
            }
            *before = at;
        }
        double mean = sum / gaps, cv = sqrt(squares / gaps / (mean * mean) - 1);
        expect("  cv of gaps", cv / laws[k].cv, 1, laws[k].cv / sqrt(gaps));
        free(r.of);
    }
}

/* Without the equilibrium start, bursty gaps would bring too many early requests:
 * in every window the expected number must be rate times length. */
static void renewals_start_in_equilibrium(void **state) {
    (void)state;
    static const enum hd_gap_law laws[] = {HD_GAP_GAMMA, HD_GAP_WEIBULL};
    for (int k = 0; k < 2; k++) {
        struct hd_market market = plain();
        market.gaps = laws[k];
        market.gap_cv = 2;
        market.span_s = 1;
        double n = 0, squares = 0;
        enum { SEEDS = 8000 };
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct hd_market_requests r = {0};
            struct hd_err err = {0};
            hd_market_draw(&market, seed, &r, &err);
            n += (double)r.count;
            squares += (double)r.count * (double)r.count;
            free(r.of);
        }
        double sigma = sqrt(squares / SEEDS - n / SEEDS * (n / SEEDS)) / sqrt(SEEDS);
        expect("requests in the first second", n / SEEDS, 8, sigma);
    }
}

static void weibull_shapes(void **state) {
    (void)state;
    assert_true(fabs(hd_weibull_shape(1) - 1) < 1e-9); /* the exponential law */
    /* k = 1/2: mean 2, variance 24 - 4 */
    assert_true(fabs(hd_weibull_shape(sqrt(20) / 2) - 0.5) < 1e-9);
    /* k = 2, Rayleigh: 4/pi - 1 */
    assert_true(fabs(hd_weibull_shape(sqrt(4 / acos(-1) - 1)) - 2) < 1e-9);
}

/* Kolmogorov-Smirnov distance of input tokens from the lognormal law, and the
 * bounds' effect. */
static void lengths(void **state) {
    (void)state;
    struct hd_market market = plain();
    market.rate_per_s = 2;
    struct hd_market_requests r = draw(&market, 3);
    double sigma = sqrt(2 * log(700.0 / 500)), worst = 0;
    for (int tokens = 10; tokens < 5000; tokens += 7) {
        int64_t below = 0;
        for (int64_t i = 0; i < r.count; i++) below += r.of[i].input_tokens <= tokens;
        double off = (double)below / (double)r.count -
                     gsl_cdf_lognormal_P(tokens + 0.5, log(500), sigma);
        if (fabs(off) > worst) worst = fabs(off);
    }
    print_message("KS distance %.4f, 1 %% point %.4f\n", worst,
                  1.63 / sqrt((double)r.count));
    assert_true(worst < 1.63 / sqrt((double)r.count));
    free(r.of);
    market.input.min = 300;
    market.input.max = 400;
    r = draw(&market, 3);
    for (int64_t i = 0; i < r.count; i++)
        assert_in_range(r.of[i].input_tokens, 300, 400);
    free(r.of);
}

static void on_and_off(void **state) {
    (void)state;
    struct hd_on_off law = {.on_s = 20, .off_s = 60, .quiet = 0.25};
    gsl_rng *rng = gsl_rng_alloc(gsl_rng_taus2);
    struct hd_rate_path a, b, product;
    hd_rate_draw(&a, &law, 400000, rng);
    double sum = 0, on = 0;
    for (int i = 0; i < a.pieces; i++) {
        double length = (i + 1 < a.pieces ? a.at_s[i + 1] : 400000) - a.at_s[i];
        assert_true(length > 0);
        sum += length * a.level[i];
        if (a.level[i] > 1) on += length;
        if (i)
            assert_true(fabs(fmax(a.level[i], a.level[i - 1]) /
                                 fmin(a.level[i], a.level[i - 1]) -
                             4) < 1e-12);
    }
    /* 5,000 cycles; the share of time on has sigma 2 p (1-p) sqrt(1/(2 cycles)) */
    expect("share of time on", on / 400000, 0.25, 2 * 0.25 * 0.75 / sqrt(10000));
    expect("mean level", sum / 400000, 1, 0.02);
    law.quiet = 0;
    hd_rate_draw(&b, &law, 400000, rng);
    hd_rate_product(&product, &a, &b);
    for (double at = 0.5; at < 400000; at += 997) {
        double level[3];
        const struct hd_rate_path *path[] = {&a, &b, &product};
        for (int p = 0; p < 3; p++) {
            int i = 0;
            while (i + 1 < path[p]->pieces && path[p]->at_s[i + 1] <= at) i++;
            level[p] = path[p]->level[i];
        }
        assert_true(level[2] == level[0] * level[1]);
    }
    hd_rate_free(&a);
    hd_rate_free(&b);
    hd_rate_free(&product);
    gsl_rng_free(rng);
}

/* Models of a group are active together, others are not: correlation of counts. */
static void groups_wake_together(void **state) {
    (void)state;
    struct hd_market market = plain();
    market.span_s = 40000;
    market.groups = 2;
    market.group_size = 3; /* models 2, 4, 6 and 3, 5, 7 */
    market.group_activity = (struct hd_on_off){.on_s = 50, .off_s = 100, .quiet = 0};
    struct hd_market_requests r = draw(&market, 1);
    enum { BINS = 800 };
    static double count[8][BINS];
    memset(count, 0, sizeof count);
    for (int64_t i = 0; i < r.count; i++)
        count[r.of[i].model][r.of[i].at_us / 50000000]++;
    double mean[8], deviation[8], c[8][8];
    for (int m = 0; m < 8; m++) {
        double sum = 0, squares = 0;
        for (int b = 0; b < BINS; b++)
            sum += count[m][b], squares += count[m][b] * count[m][b];
        mean[m] = sum / BINS;
        deviation[m] = sqrt(squares / BINS - mean[m] * mean[m]);
    }
    for (int m = 0; m < 8; m++)
        for (int o = 0; o < 8; o++) {
            double sum = 0;
            for (int b = 0; b < BINS; b++)
                sum += (count[m][b] - mean[m]) * (count[o][b] - mean[o]);
            c[m][o] = sum / BINS / deviation[m] / deviation[o];
        }
    assert_true(c[2][4] > 0.6 && c[4][6] > 0.6 && c[3][7] > 0.6);
    assert_true(fabs(c[2][3]) < 0.2 && fabs(c[0][1]) < 0.2 && fabs(c[0][2]) < 0.2);
    free(r.of);
}

/* ---- one part changes, the others stay ----------------------------------- */

/* The k-th request of each model, k = 0, 1, ... */
static void assert_same_lengths(struct hd_market_requests a,
                                struct hd_market_requests b, bool input, bool output) {
    int compared = 0;
    for (int model = 0; model < 8; model++) {
        for (int64_t i = 0, j = 0;; i++, j++) {
            while (i < a.count && a.of[i].model != model) i++;
            while (j < b.count && b.of[j].model != model) j++;
            if (i >= a.count || j >= b.count) break;
            if (input) assert_int_equal(a.of[i].input_tokens, b.of[j].input_tokens);
            if (output) assert_int_equal(a.of[i].output_tokens, b.of[j].output_tokens);
            compared++;
        }
    }
    assert_true(compared > 1000);
}

static void parts_do_not_disturb_one_another(void **state) {
    (void)state;
    struct hd_market market = plain();
    market.span_s = 400;
    struct hd_market_requests base = draw(&market, 9), again = draw(&market, 9);
    assert_int_equal(base.count, again.count);
    assert_memory_equal(base.of, again.of, (size_t)base.count * sizeof *base.of);
    free(again.of);

    struct hd_market other = market; /* lengths: the same instants */
    other.output.mean = 300;
    struct hd_market_requests r = draw(&other, 9);
    assert_int_equal(r.count, base.count);
    for (int64_t i = 0; i < r.count; i++) {
        assert_int_equal(r.of[i].at_us, base.of[i].at_us);
        assert_int_equal(r.of[i].input_tokens, base.of[i].input_tokens);
    }
    free(r.of);

    other = market; /* arrivals: the same lengths */
    other.gaps = HD_GAP_GAMMA;
    other.gap_cv = 2;
    other.bursts = (struct hd_on_off){.on_s = 5, .off_s = 5, .quiet = 0.5};
    r = draw(&other, 9);
    assert_same_lengths(base, r, true, true);
    free(r.of);

    other = market; /* twice the rate: the same arrivals at half the time */
    other.rate_per_s *= 2;
    other.span_s /= 2;
    r = draw(&other, 9);
    assert_int_equal(r.count, base.count);
    for (int64_t i = 0; i < r.count; i++)
        assert_true(llabs(2 * r.of[i].at_us - base.of[i].at_us) <= 1);
    free(r.of);

    other = market; /* popularity: a model's own arrivals, stretched */
    double share[8] = {0.25, 0, 0.125, 0.125, 0.125, 0.125, 0.125, 0.125};
    other.share = share;
    share[1] = 1e-12;
    r = draw(&other, 9);
    assert_same_lengths(base, r, true, true);
    free(r.of);

    r = draw(&market, 10); /* another seed: others */
    assert_true(r.count != base.count || r.of[0].at_us != base.of[0].at_us);
    free(r.of);
    free(base.of);
}

static void shares(void **state) {
    (void)state;
    double share[100];
    hd_share_zipf(share, 100, 1, 0);
    /* traces: Zipf 1 over 100 models has a top share of 19.3 % */
    assert_true(fabs(share[0] - 0.19278) < 1e-4);
    hd_share_classes(share, (const int[]){6, 94}, (const double[]){0.9865, 0.0135}, 2);
    assert_true(fabs(share[0] - 0.9865 / 6) < 1e-15);
    assert_true(fabs(share[99] - 0.0135 / 94) < 1e-15);
    double sum = 0;
    for (int i = 0; i < 100; i++) sum += share[i];
    assert_true(fabs(sum - 1) < 1e-12);
}

static void too_much_or_nothing(void **state) {
    (void)state;
    struct hd_market market = plain();
    struct hd_err err = {0};
    struct hd_market_requests r;
    market.rate_per_s = 1e6;
    assert_false(hd_market_draw(&market, 1, &r, &err));
    assert_says(err.text, "more than 20000000 requests");
    err = (struct hd_err){0};
    market.rate_per_s = 1e-9;
    assert_false(hd_market_draw(&market, 1, &r, &err));
    assert_says(err.text, "no request came");
}

/* ---- recipes ------------------------------------------------------------- */

#define LOAD "load = {rate_per_s = 2, span = '10m', label = 'invented'},"
#define POPULARITY "popularity = {kind = 'zipf', s = 1, shift = 0, label = 'fitted'},"
#define ARRIVALS "arrivals = {kind = 'poisson', label = 'published'},"
#define INPUT "input = {p50 = 5, mean = 7, min = 1, max = 90, label = 'fitted'},"
#define OUTPUT "output = {p50 = 5, mean = 7, min = 1, max = 90, label = 'real'},"

static void a_recipe(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_market *m = hd_recipe_load(
        file_of("return {models = 3, " LOAD
                "popularity = {kind = 'classes', {models = 1, share = 0.9},"
                " {models = 2, share = 0.1}, label = 'published'},"
                "arrivals = {kind = 'weibull', cv = 1.5, label = 'fitted'},"
                "bursts = {on = '20s', off = '40s', quiet = 0.5, label = 'invented'},"
                "groups = {count = 1, size = 2, on = '1m', off = '2m', quiet = 0,"
                " label = 'invented'}," INPUT OUTPUT "}"),
        &err);
    if (!m) fail_msg("%s", err.text);
    assert_int_equal(m->models, 3);
    assert_true(m->rate_per_s == 2 && m->span_s == 600);
    assert_true(m->share[0] == 0.9 && m->share[1] == 0.05);
    assert_true(m->gaps == HD_GAP_WEIBULL && m->gap_cv == 1.5);
    assert_true(m->bursts.on_s == 20 && m->bursts.quiet == 0.5);
    assert_true(m->groups == 1 && m->group_size == 2 && m->group_activity.off_s == 120);
    assert_true(m->input.mean == 7 && m->output.max == 90);
    assert_string_equal(m->parts,
                        "load invented, popularity published, arrivals fitted, "
                        "bursts invented, groups invented, input fitted, "
                        "output real");
    hd_market_free(m);
}

static void bad_recipes(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } recipes[] = {
        {"return {", ".csv:1:"},
        {"return 5", ".csv"},
        {"return {models = 3}", "has no `load`"},
        {"return {modles = 3}", "models"},
        {"return {models = 0, " LOAD POPULARITY ARRIVALS INPUT OUTPUT "}", "models"},
        {"return {models = 3, load = {rate_per_s = 2, span = 600, label = "
         "'invented'}," POPULARITY ARRIVALS INPUT OUTPUT "}",
         "span"},
        {"return {models = 3, load = {rate_per_s = 2, span = '600', label = "
         "'invented'}," POPULARITY ARRIVALS INPUT OUTPUT "}",
         "needs a unit"},
        {"return {models = 3, load = {rate_per_s = -2, span = '6s', label = "
         "'invented'}," POPULARITY ARRIVALS INPUT OUTPUT "}",
         "-2 lies outside"},
        {"return {models = 3, load = {rate_per_s = 2, span = '10m', label = "
         "'guess'}," POPULARITY ARRIVALS INPUT OUTPUT "}",
         "'guess' is none of real, fitted, published, invented"},
        {"return {models = 3, load = {rate_per_s = 2, span = '10m'}, " POPULARITY
             ARRIVALS INPUT OUTPUT "}",
         "has no `label`"},
        {"return {models = 3, " LOAD ARRIVALS INPUT OUTPUT
         "popularity = {kind = 'shares', 0.5, 0.4, label = 'real'}}",
         "2 shares; `models` says 3"},
        {"return {models = 2, " LOAD ARRIVALS INPUT OUTPUT
         "popularity = {kind = 'shares', 0.5, 0.4, label = 'real'}}",
         "shares sum to 0.9; expected 1"},
        {"return {models = 2, " LOAD ARRIVALS INPUT OUTPUT
         "popularity = {kind = 'shares', 1, 0, label = 'real'}}",
         "0 is no share"},
        {"return {models = 3, " LOAD ARRIVALS INPUT OUTPUT
         "popularity = {kind = 'classes', {models = 2, share = 1}, label = 'real'}}",
         "the classes have 2 models; `models` says 3"},
        {"return {models = 3, " LOAD ARRIVALS INPUT OUTPUT
         "popularity = {kind = 'classes', s = 2, {models = 3, share = 1},"
         " label = 'real'}}",
         "s"},
        {"return {models = 3, " LOAD POPULARITY INPUT OUTPUT
         "arrivals = {kind = 'poisson', cv = 2, label = 'real'}}",
         "leave it out"},
        {"return {models = 3, " LOAD POPULARITY INPUT OUTPUT
         "arrivals = {kind = 'gamma', label = 'real'}}",
         "has no `cv`"},
        {"return {models = 3, " LOAD POPULARITY ARRIVALS INPUT
         "output = {p50 = 7, mean = 5, min = 1, max = 9, label = 'real'}}",
         "mean 5 is not above p50 7"},
        {"return {models = 3, " LOAD POPULARITY ARRIVALS INPUT
         "output = {p50 = 5, mean = 7, min = 5000, max = 9000, label = 'real'}}",
         "less than 1 %"},
        {"return {models = 3, " LOAD POPULARITY ARRIVALS INPUT OUTPUT
         "groups = {count = 2, size = 2, on = '1m', off = '2m', quiet = 0,"
         " label = 'invented'}}",
         "size"},
        {"return {models = 3, " LOAD POPULARITY ARRIVALS INPUT OUTPUT
         "bursts = {on = '1m', off = '2m', quiet = 2, label = 'invented'}}",
         "2 lies outside 0 to 1"},
    };
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        struct hd_err err = {0};
        if (hd_recipe_load(file_of(recipes[i].text), &err))
            fail_msg("was read: %s", recipes[i].text);
        assert_says(err.text, recipes[i].says);
        assert_says(err.text, ".csv");
    }
}

/* traces/market40.csv is what its own "made" line says, byte for byte. */
static void the_bundled_market(void **state) {
    (void)state;
    char *recipe = hd_home_path("traces/market40.lua");
    char *bundled = hd_home_path("traces/market40.csv");
    char *drawn = hd_strdup(file_of(""));
    char *words[] = {"trace", "synth", recipe,    "--seed", "1",
                     "--out", drawn,   "--force", NULL};
    assert_int_equal(hd_command_trace(8, words), 0);
    struct hd_err err = {0};
    size_t have, want;
    char *a = hd_read_text(drawn, 1 << 20, &have, &err);
    char *b = hd_read_text(bundled, 1 << 20, &want, &err);
    if (!a || !b) fail_msg("%s", err.text);
    assert_int_equal(have, want);
    assert_memory_equal(a, b, want);
    free(a);
    free(b);
    free(recipe);
    free(bundled);
    free(drawn);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_and_gaps),
        cmocka_unit_test(renewals_start_in_equilibrium),
        cmocka_unit_test(weibull_shapes),
        cmocka_unit_test(lengths),
        cmocka_unit_test(on_and_off),
        cmocka_unit_test(groups_wake_together),
        cmocka_unit_test(parts_do_not_disturb_one_another),
        cmocka_unit_test(shares),
        cmocka_unit_test(too_much_or_nothing),
        cmocka_unit_test(a_recipe),
        cmocka_unit_test(bad_recipes),
        cmocka_unit_test(the_bundled_market),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
