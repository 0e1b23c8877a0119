/* Roofline first, then the grid of what it leaves over. */
#include "calibrate/roof_fit.h"

#include <gsl/gsl_vector.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "calibrate/descend.h"
#include "calibrate/grid_fit.h"

void hd_roof_points_add(struct hd_roof_points *p, const struct hd_roof_shape *shape,
                        double seconds, double share) {
    p->point = hd_grow(p->point, &p->capacity, p->points + 1, sizeof *p->point);
    p->point[p->points++] = (struct hd_roof_point){*shape, seconds, share};
}

void hd_roof_points_free(struct hd_roof_points *p) {
    free(p->point);
    p->point = NULL;
    p->points = p->capacity = 0;
}

/* ---- the roofline -------------------------------------------------------- */

enum { COEFFICIENTS = 4, ITERATIONS_MAX = 600, ROOF_POINTS_MAX = 4000 };

struct problem {
    const struct hd_roof_points *of;
    const struct hd_roof_point **point; /* those that the roofline is fitted to */
    int points;
};

/* Kernels as serving has them. Smaller ones are launches, and a working set that fits
 * the L2 cache reads faster than the memory: neither belongs under a roofline. */
static bool is_served(enum hd_roof_op op, const struct hd_roof_shape *s) {
    switch (op) {
    case HD_ROOF_GEMM:
        return s->n >= 1024 && s->k >= 1024 && s->n <= 32768 && s->k <= 32768;
    case HD_ROOF_PREFILL:
        return s->batch * s->chunk >= 64 && s->batch * s->chunk <= 65536;
    case HD_ROOF_DECODE:
        return s->batch <= 512 && s->context >= 64;
    default:
        return true;
    }
}

static bool has_work(enum hd_roof_op op) {
    return op == HD_ROOF_GEMM || op == HD_ROOF_PREFILL || op == HD_ROOF_DECODE;
}

/* Coefficients from what is searched, all of it positive or free:
 * ln t0, ln ec, ln em, ln (p - 1). */
static struct hd_roof_law law_of(enum hd_roof_op op, const gsl_vector *x) {
    struct hd_roof_law law = {
        .known = true,
        .t0_s = exp(gsl_vector_get(x, 0)),
        .ec = has_work(op) ? exp(gsl_vector_get(x, 1)) : 1,
        .em = exp(gsl_vector_get(x, 2)),
        .p = has_work(op) ? 1 + exp(gsl_vector_get(x, 3)) : 2,
    };
    if (op == HD_ROOF_DECODE || op == HD_ROOF_PREFILL) law.p = 2;
    return law;
}

static double above_peak(double efficiency) {
    return efficiency > 1.05 ? efficiency - 1.05 : 0;
}

static double objective(const gsl_vector *x, void *context) {
    const struct problem *p = context;
    struct hd_roof_law law = law_of(p->of->op, x);
    double sum = 0;
    for (int n = 0; n < p->points; n++) {
        const struct hd_roof_point *at = p->point[n];
        sum += fabs(log(
            hd_roof_bare_s(&law, p->of->op, p->of->type, p->of->gpu, 1, &at->shape) /
            at->seconds));
    }
    /* small operators find their inputs in the L2 cache: faster than the memory */
    double penalty = has_work(p->of->op) ? above_peak(law.em) : 0;
    if (p->of->op != HD_ROOF_DECODE) penalty += above_peak(law.ec);
    if (law.p > 8) penalty += law.p - 8; /* as good as the larger of the two */
    return sum / p->points + penalty;
}

static void fit_roof(const struct hd_roof_points *of, struct hd_roof_law *law) {
    struct problem p = {.of = of,
                        .point = hd_alloc((size_t)of->points * sizeof *p.point)};
    for (int n = 0; n < of->points; n++)
        if (is_served(of->op, &of->point[n].shape)) p.point[p.points++] = &of->point[n];
    if (p.points == 0)
        for (int n = 0; n < of->points; n++) p.point[p.points++] = &of->point[n];
    int stride = 1 + p.points / ROOF_POINTS_MAX, kept = 0;
    for (int n = 0; n < p.points; n += stride) p.point[kept++] = p.point[n];
    p.points = kept;
    gsl_multimin_function f = {objective, COEFFICIENTS, &p};
    gsl_vector *x = gsl_vector_alloc(COEFFICIENTS);
    gsl_vector_set(x, 0, log(5e-6));
    gsl_vector_set(x, 1, log(of->op == HD_ROOF_DECODE ? 3e-6 : 0.7));
    gsl_vector_set(x, 2, log(0.8));
    gsl_vector_set(x, 3, 0);
    hd_descend(&f, x, 0.4, 1e-5, ITERATIONS_MAX);
    hd_descend(&f, x, 0.2, 1e-5, ITERATIONS_MAX);
    hd_descend(&f, x, -0.1, 1e-5, ITERATIONS_MAX);
    *law = law_of(of->op, x);
    law->t0_s = hd_fit_rounded(law->t0_s);
    law->ec = hd_fit_rounded(law->ec);
    law->em = hd_fit_rounded(law->em);
    law->p = hd_fit_rounded(law->p);
    gsl_vector_free(x);
    free(p.point);
}

/* ---- knots --------------------------------------------------------------- */

/* Both sides of the steps that tiles of 16, 64, 128 and 256 rows make; fp8 kernels step
 * at every further multiple of 256 too. */
static const double gemm_m[] = {1,    16,   17,   64,   65,   128,  129,
                                256,  257,  512,  513,  1024, 1025, 2048,
                                2049, 4096, 4097, 8192, 32768};
static const double gemm_m_fp8[] = {1,    16,   17,   64,   65,   128,  129,
                                    256,  257,  512,  513,  768,  769,  1024,
                                    1025, 1280, 1281, 1536, 1537, 2048, 2049,
                                    2560, 2561, 3072, 3073, 4096, 8192, 32768};
static const double gemm_nk[] = {512,   1024,  2048,   4096,  8192,
                                 16384, 65536, 131072, 262144};
static const double units[] = {1, 4, 16, 64, 256, 1024, 4096, 16384};
static const double fine_units[] = {1,   2,   4,   8,    16,   32,  64,
                                    128, 256, 512, 1024, 2048, 4096};
static const double prefixes[] = {1, 2, 4, 16, 64, 256, 1024};
static const double chunks[] = {16, 256, 1024, 2048, 8192};
static const double lengths[] = {1,    2,    16,   32,   64,    128,   256,   512,
                                 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072};
static const double groups[] = {1, 2, 4, 8, 16, 32, 64};
static const double rows[] = {1,   4,    16,   32,   64,   128,   256,
                              512, 1024, 2048, 4096, 8192, 16384, 32768};
static const double widths[] = {1024, 2048, 4096, 8192, 16384, 32768, 131072, 262144};

#define LIST(array) array, sizeof array / sizeof *array

/* The knots of a list from the last one not above the least to the first one not below
 * the most: what lies beyond has no points. */
static void set_axis(struct hd_grid_knots *k, int axis, const double *list,
                     size_t count, double least, double most) {
    size_t first = 0, last = count - 1;
    while (first < last && list[first + 1] <= least) first++;
    while (last > first && list[last - 1] >= most) last--;
    k->knots[axis] = 0;
    for (size_t n = first; n <= last; n++) k->at[axis][k->knots[axis]++] = list[n];
}

void hd_roof_knots_for(const struct hd_roof_points *of, struct hd_grid_knots *k) {
    double least[HD_GRID_AXES_MAX], most[HD_GRID_AXES_MAX], x[HD_GRID_AXES_MAX];
    *k = (struct hd_grid_knots){0};
    for (int n = 0; n < of->points; n++) {
        k->axes = hd_roof_axes(of->op, &of->point[n].shape, x);
        for (int a = 0; a < k->axes; a++) {
            least[a] = n ? fmin(least[a], x[a]) : x[a];
            most[a] = n ? fmax(most[a], x[a]) : x[a];
        }
    }
    if (k->axes == 0) return;
    if (of->op == HD_ROOF_GEMM) {
        if (of->type == HD_ROOF_FP8)
            set_axis(k, 0, LIST(gemm_m_fp8), least[0], most[0]);
        else
            set_axis(k, 0, LIST(gemm_m), least[0], most[0]);
        set_axis(k, 1, LIST(gemm_nk), least[1], most[1]);
        set_axis(k, 2, LIST(gemm_nk), least[2], most[2]);
    } else if (of->op == HD_ROOF_PREFILL || of->op == HD_ROOF_DECODE) {
        set_axis(k, 0, LIST(units), least[0], most[0]);
        set_axis(k, 1, LIST(lengths), least[1], most[1]);
        set_axis(k, 2, LIST(groups), least[2], most[2]);
        if (of->op == HD_ROOF_PREFILL)
            set_axis(k, 3, LIST(prefixes), least[3], most[3]);
    } else if (of->op == HD_ROOF_MIXED) {
        set_axis(k, 0, LIST(fine_units), least[0], most[0]);
        set_axis(k, 1, LIST(lengths), least[1], most[1]);
        set_axis(k, 2, LIST(groups), least[2], most[2]);
        set_axis(k, 3, LIST(chunks), least[3], most[3]);
    } else {
        set_axis(k, 0, LIST(rows), least[0], most[0]);
        set_axis(k, 1, LIST(widths), least[1], most[1]);
    }
}

/* ---- the grid ------------------------------------------------------------ */

/* Three digits after the point are a tenth of a per cent. */
static double rounded(double residual) {
    return round(residual * 1e3) / 1e3;
}

static void fit_grid(const struct hd_roof_points *of, const struct hd_grid_knots *knots,
                     struct hd_roof_law *law) {
    struct hd_grid_point *point = hd_alloc((size_t)of->points * sizeof *point);
    for (int n = 0; n < of->points; n++) {
        const struct hd_roof_point *at = &of->point[n];
        hd_roof_axes(of->op, &at->shape, point[n].x);
        point[n].weight = at->share * at->share;
        point[n].residual = log(at->seconds / hd_roof_bare_s(law, of->op, of->type,
                                                             of->gpu, 1, &at->shape));
    }
    hd_grid_init(&law->grid, knots);
    hd_grid_fit(&law->grid, point, of->points);
    for (int n = 0; n < hd_grid_values(&law->grid); n++)
        law->grid.value[n] = rounded(law->grid.value[n]);
    free(point);
}

void hd_roof_fit(const struct hd_roof_points *of, const struct hd_grid_knots *knots,
                 struct hd_roof_law *law) {
    if (of->op == HD_ROOF_MIXED) /* its roofline is 1 */
        *law = (struct hd_roof_law){.known = true, .ec = 1, .em = 1, .p = 2};
    else
        fit_roof(of, law);
    if (knots->axes) fit_grid(of, knots, law);
}

struct hd_fit_error hd_roof_errors(const struct hd_roof_law *law,
                                   const struct hd_roof_points *of,
                                   bool (*among)(const struct hd_roof_shape *)) {
    double *error = hd_alloc((size_t)of->points * sizeof *error);
    int count = 0;
    for (int n = 0; n < of->points; n++) {
        const struct hd_roof_point *at = &of->point[n];
        if (among && !among(&at->shape)) continue;
        double s = hd_roof_s(law, of->op, of->type, of->gpu, 1, &at->shape);
        error[count++] = at->share * fabs(s / at->seconds - 1);
    }
    struct hd_fit_error e = hd_fit_error_of(error, count);
    free(error);
    return e;
}
