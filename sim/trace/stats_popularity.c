/* Popularity: counts sorted from the hottest model on, then prefix sums. */
#include "trace/stats_popularity.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static int most_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

static double share_of_top(const int64_t *rows, int models, int count, double all) {
    int64_t sum = 0;
    for (int i = 0; i < models && i < count; i++) sum += rows[i];
    return (double)sum / all;
}

static int holders(const int64_t *rows, int models, double share, double all) {
    int64_t sum = 0;
    int i = 0;
    while (i < models && (double)sum < share * all) sum += rows[i++];
    return i;
}

/* ---- Zipf ---------------------------------------------------------------- */

struct zipf {
    int models;
    double mean_log; /* of the ranks, over requests */
    double variance; /* of log rank under the law, at the last exponent tried */
};

/* Mean of log rank under the law, less the data's: falls with the exponent. */
static double zipf_excess(double s, void *context) {
    struct zipf *z = context;
    double sum = 0, first = 0, second = 0;
    for (int i = 0; i < z->models; i++) {
        double l = log(i + 1.0), weight = exp(-s * l);
        sum += weight;
        first += weight * l;
        second += weight * l * l;
    }
    z->variance = second / sum - first / sum * (first / sum);
    return first / sum - z->mean_log;
}

/* The score is zero where the two means meet (the law is an exponential family). Ranks
 * are sorted by count, so that the exponent is not below 0. */
static void fit_zipf(const int64_t *rows, int models, double all,
                     struct hd_popularity *p) {
    struct zipf z = {.models = models};
    for (int i = 0; i < models; i++) z.mean_log += (double)rows[i] / all * log(i + 1.0);
    double low = 0, high = 1;
    if (zipf_excess(0, &z) <= 0) { /* all alike, but for rounding */
        p->zipf = 0;
    } else {
        while (zipf_excess(high, &z) > 0) high *= 2;
        gsl_root_fsolver *solver = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
        if (!solver) abort();
        gsl_function f = {zipf_excess, &z};
        gsl_root_fsolver_set(solver, &f, low, high);
        for (int n = 0; n < 100; n++) {
            gsl_root_fsolver_iterate(solver);
            low = gsl_root_fsolver_x_lower(solver);
            high = gsl_root_fsolver_x_upper(solver);
            if (gsl_root_test_interval(low, high, 1e-12, 0) == GSL_SUCCESS) break;
        }
        p->zipf = gsl_root_fsolver_root(solver);
        gsl_root_fsolver_free(solver);
    }
    zipf_excess(p->zipf, &z);
    p->zipf_error = 1 / sqrt(all * z.variance);
    double sum = 0, off = 0;
    for (int i = 0; i < models; i++) sum += pow(i + 1.0, -p->zipf);
    for (int i = 0; i < models; i++)
        off += fabs((double)rows[i] / all - pow(i + 1.0, -p->zipf) / sum);
    p->zipf_off = off / 2;
}

/* ---- two classes --------------------------------------------------------- */

static void fit_classes(const int64_t *rows, int models, double all,
                        struct hd_popularity *p) {
    double best = -all * log(models), hot = 0;
    for (int h = 1; h < models; h++) {
        hot += (double)rows[h - 1];
        double cold = all - hot;
        double likelihood =
            hot * log(hot / all / h) + cold * log(cold / all / (models - h));
        if (likelihood <= best + 1e-9 * all) continue;
        best = likelihood;
        p->hot = h;
        p->hot_share = hot / all;
    }
    if (p->hot == 0) return;
    double off = 0, each_hot = p->hot_share / p->hot,
           each_cold = (1 - p->hot_share) / (models - p->hot);
    for (int i = 0; i < models; i++)
        off += fabs((double)rows[i] / all - (i < p->hot ? each_hot : each_cold));
    p->classes_off = off / 2;
}

/* ---- the whole ----------------------------------------------------------- */

static double slope_of(const int64_t *rows, int models, double all) {
    double *x = hd_alloc((size_t)models * sizeof *x);
    double *y = hd_alloc((size_t)models * sizeof *y);
    double level, slope, unused[4];
    for (int i = 0; i < models; i++) {
        x[i] = log(i + 1.0);
        y[i] = log((double)rows[i] / all);
    }
    gsl_fit_linear(x, 1, y, 1, (size_t)models, &level, &slope, &unused[0], &unused[1],
                   &unused[2], &unused[3]);
    free(x);
    free(y);
    return slope;
}

void hd_popularity(const int64_t *model_rows, int models, struct hd_popularity *p) {
    int64_t *rows = hd_alloc((size_t)models * sizeof *rows), sum = 0;
    double weighted = 0, n = models;
    for (int i = 0; i < models; i++) sum += rows[i] = model_rows[i];
    qsort(rows, (size_t)models, sizeof *rows, most_first);
    for (int i = 0; i < models; i++) /* rank 1 is the least popular */
        weighted += (n - i) * (double)rows[i];
    double all = (double)sum;
    *p = (struct hd_popularity){
        .models = models,
        .top1 = share_of_top(rows, models, 1, all),
        .top2 = share_of_top(rows, models, 2, all),
        .top5 = share_of_top(rows, models, 5, all),
        .top10 = share_of_top(rows, models, 10, all),
        .coldest_half = 1 - share_of_top(rows, models, models / 2, all),
        .hold_half = holders(rows, models, 0.5, all),
        .hold_90 = holders(rows, models, 0.9, all),
        .hold_99 = holders(rows, models, 0.99, all),
        .gini = 2 * weighted / (n * all) - (n + 1) / n,
        .slope = NAN,
        .zipf = NAN,
        .zipf_error = NAN,
        .zipf_off = NAN,
        .classes_off = NAN,
    };
    if (models > 1) {
        p->slope = slope_of(rows, models, all);
        fit_zipf(rows, models, all, p);
        fit_classes(rows, models, all, p);
    }
    free(rows);
}
