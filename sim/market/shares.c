/* Popularity: shares of the mean rate, by rank. */
#include <math.h>

#include "market/market.h"

void hd_share_classes(double *out, const int *models, const double *share,
                      int classes) {
    for (int c = 0; c < classes; c++)
        for (int i = 0; i < models[c]; i++) *out++ = share[c] / models[c];
}

void hd_share_zipf(double *out, int n, double s, double shift) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += out[i] = pow(i + 1 + shift, -s);
    for (int i = 0; i < n; i++) out[i] /= sum;
}

/* n shares of one ratio that sum to `sum`, the first about as far above the mean as
 * the ratio says. */
static void geometric(double *out, int n, double sum, double ratio) {
    double weight = 0;
    for (int i = 0; i < n; i++) weight += pow(ratio, i);
    for (int i = 0; i < n; i++) out[i] = sum * pow(ratio, i) / weight;
}

/* The ratio within a stretch leads from the mean share of the stretch before to that
 * of the next, so that shares about meet where two stretches do. */
void hd_share_points(double *out, const int *models, const double *share, int points) {
    double before = 0, before_middle = 0;
    for (int p = 0, first = 0; p < points; p++) {
        int n = models[p] - first;
        double held = share[p] - (p ? share[p - 1] : 0), mean = held / n;
        double middle = first + (n - 1) / 2.0, ratio = 1;
        if (p + 1 < points) {
            int next = models[p + 1] - models[p];
            double next_mean = (share[p + 1] - share[p]) / next;
            double to = models[p] + (next - 1) / 2.0;
            double from = p ? before_middle : middle, high = p ? before : mean;
            ratio = pow(next_mean / high, 1 / (to - from));
        } else if (p) {
            ratio = pow(mean / before, 1 / (middle - before_middle));
        }
        geometric(out + first, n, held, fmin(ratio, 1));
        before = mean;
        before_middle = middle;
        first = models[p];
    }
}
