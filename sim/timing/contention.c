/* Factors of instances that share a GPU. */
#include "timing/contention.h"

#include <math.h>
#include <string.h>

/* knee and power: least squares of the logarithms over the corun rows `memory_alone`
 * and `memory_beside_*` at 12, 30, 70 and 88 % of the SMs (timing_contention_test fits
 * them anew and judges them by the other rows). Slices: time_slice rows, two processes
 * whose kernels fill the GPU. */
static const struct {
    const char *gpu;
    struct hd_contention law;
} measured[] = {
    {"H100-SXM",
     {0.19, 2.75, 2047.0e-6, 231.4e-6, "measured: hotdesk-bench, H100-SXM"}},
    {"H200-SXM",
     {0.29, 3.05, 2051.6e-6, 223.8e-6, "measured: hotdesk-bench, H200-SXM"}},
};

struct hd_contention hd_contention_of(const char *gpu) {
    for (size_t n = 0; n < sizeof measured / sizeof *measured; n++)
        if (strcmp(measured[n].gpu, gpu) == 0) return measured[n].law;
    struct hd_contention law = measured[0].law;
    law.basis = "assumed: as measured on an H100-SXM";
    return law;
}

static double alone(const struct hd_contention *c, double share) {
    if (c->knee <= 0) return 1;
    return pow(1 + pow(c->knee / share, c->power), 1 / c->power);
}

double hd_contention_space(const struct hd_contention *c, int count,
                           const enum hd_bound *demand, const double *share) {
    double sum = 0, draws[HD_RUNNERS_MAX], granted[HD_RUNNERS_MAX];
    for (int n = 0; n < count; n++) sum += share[n];
    if (sum < 1) sum = 1;
    if (demand[0] == HD_BOUND_COMPUTE) return sum / share[0];
    for (int n = 0; n < count; n++) {
        granted[n] = share[n] / sum;
        draws[n] = demand[n] == HD_BOUND_MEMORY ? 1 / alone(c, granted[n]) : 0;
    }
    /* Whoever draws less than its part of what is left has all that it draws; what is
     * left after that is for the others, by their SMs. */
    double left = 1;
    bool settled[HD_RUNNERS_MAX] = {false};
    for (;;) {
        double all = 0, weight = 0;
        for (int n = 0; n < count; n++) {
            if (settled[n] || draws[n] <= 0) continue;
            all += draws[n];
            weight += granted[n];
        }
        if (all <= left) return 1 / draws[0];
        double taken = 0;
        for (int n = 0; n < count; n++) {
            if (settled[n] || draws[n] <= 0) continue;
            if (draws[n] * weight > left * granted[n]) continue;
            settled[n] = true;
            taken += draws[n];
        }
        if (settled[0]) return 1 / draws[0];
        if (taken <= 0) return weight / (left * granted[0]);
        left -= taken;
    }
}

double hd_contention_time(const struct hd_contention *c, int count) {
    if (count < 2) return 1;
    double change = c->slice_s > 0 ? c->switch_s / c->slice_s : 0;
    return count * (1 + change);
}
