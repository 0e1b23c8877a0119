/* Stopping rules and the throttle rule. */
#include "stopping.h"

#include <math.h>

#include "statistics.h"

/* nvbench's defaults. */
#define MOST_NOISE 0.005
#define MOST_ANGLE_DEGREES 0.048
#define LEAST_R2 0.36
#define LEAST_CLOCK 0.75

/* Times are binned where nvbench counts equal ones: what the events of a device of
 * today say is too fine for two samples ever to be equal. As wide as the noise that
 * the first rule accepts. */
#define BIN_WIDTH MOST_NOISE

void stopping_start(struct stopping *s, const struct stopping_limits *limits) {
    *s = (struct stopping){.limits = *limits};
}

/* The number of its bin, or -1 when there are too many. */
static int bin_of(struct stopping *s, double sample_s) {
    int value = (int)floor(log(sample_s) / log1p(BIN_WIDTH));
    for (int i = 0; i < s->bins; i++)
        if (s->bin[i] == value) return i;
    if (s->bins == STOPPING_BINS) return -1;
    s->bin[s->bins] = value;
    return s->bins++;
}

double stopping_noise(const struct stopping *s) {
    if (s->count < 2) return 0;
    return sqrt(s->squares / (s->count - 1)) / s->mean;
}

double stopping_entropy(const struct stopping *s) {
    if (s->count == 0) return 0;
    return log2(s->count) - s->count_log_count / s->count;
}

static bool settled(const struct stopping *s) {
    double window[STOPPING_WINDOW];
    int n = s->count < STOPPING_WINDOW ? s->count : STOPPING_WINDOW;
    for (int i = 0; i < n; i++)
        window[i] = s->entropy[(s->count - n + i) % STOPPING_WINDOW];
    struct line_fit fit = fit_line(window, n);
    double degrees = atan(fit.slope) * 180 / acos(-1);
    return fabs(degrees) <= MOST_ANGLE_DEGREES && fit.r2 >= LEAST_R2;
}

bool stopping_add(struct stopping *s, double sample_s, double measured_s,
                  double elapsed_s, enum stop_reason *reason) {
    int bin = bin_of(s, sample_s);
    if (bin >= 0) {
        double before = s->in[bin], after = ++s->in[bin];
        s->count_log_count +=
            after * log2(after) - (before > 0 ? before * log2(before) : 0);
    }
    s->count++;
    s->measured_s += measured_s;
    double off = sample_s - s->mean;
    s->mean += off / s->count;
    s->squares += off * (sample_s - s->mean);
    s->entropy[(s->count - 1) % STOPPING_WINDOW] = stopping_entropy(s);

    bool some =
        s->count >= s->limits.least_samples && s->measured_s >= s->limits.least_s;
    if (some && stopping_noise(s) < MOST_NOISE) {
        *reason = STOP_STDREL;
        return true;
    }
    /* Every other sample, as laying the line costs as much as a short one. */
    if (some && s->count % 2 == 0 && settled(s)) {
        *reason = STOP_ENTROPY;
        return true;
    }
    *reason = s->count >= s->limits.most_samples ? STOP_FIXED : STOP_BUDGET;
    return *reason == STOP_FIXED || elapsed_s >= s->limits.most_s;
}

void throttle_start(struct throttle *t, double default_mhz) {
    *t = (struct throttle){.least_mhz = LEAST_CLOCK * default_mhz};
}

bool throttle_keeps(struct throttle *t, double mhz) {
    if (t->accepted || mhz <= 0 || mhz >= t->least_mhz) {
        t->in_a_row = 0;
        return true;
    }
    t->dropped++;
    t->in_a_row++;
    if (t->in_a_row >= THROTTLE_PATIENCE) t->accepted = true;
    return false;
}
