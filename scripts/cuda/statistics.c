/* Medians and a straight line. */
#include "statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts the values that it is given. */
static double middle_of(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

double median_of(const double *values, int count) {
    double *sorted = hd_alloc((size_t)count * sizeof *sorted);
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    double middle = middle_of(sorted, count);
    free(sorted);
    return middle;
}

double mad_of(const double *values, int count, double middle) {
    double *distance = hd_alloc((size_t)count * sizeof *distance);
    for (int i = 0; i < count; i++) distance[i] = fabs(values[i] - middle);
    double mad = middle_of(distance, count);
    free(distance);
    return mad;
}

struct line_fit fit_line(const double *y, int count) {
    double mean_x = (count - 1) / 2.0, mean_y = 0, xx = 0, xy = 0, yy = 0;
    for (int i = 0; i < count; i++) mean_y += y[i] / count;
    for (int i = 0; i < count; i++) {
        double dx = i - mean_x, dy = y[i] - mean_y;
        xx += dx * dx;
        xy += dx * dy;
        yy += dy * dy;
    }
    struct line_fit fit = {0, mean_y, 1};
    if (xx > 0) fit.slope = xy / xx;
    fit.intercept = mean_y - fit.slope * mean_x;
    if (xx > 0 && yy > 0) fit.r2 = xy * xy / (xx * yy);
    return fit;
}
