/* Repetitions of several timed calls. */
#include "phases.h"

#include <vector>

#include "statistics.h"

static bool any_wanted(struct bench *b, const struct shape *shape,
                       const struct phases *phases) {
    bool any = false;
    for (int i = 0; i < phases->count; i++) {
        struct shape row = *shape;
        row.variant = phases->variant[i];
        any |= bench_wants(b, &row);
    }
    return any;
}

bool bench_samples(struct bench *b, const struct shape *shape, const double *seconds,
                   int count) {
    double middle = median_of(seconds, count);
    double mad = mad_of(seconds, count, middle);
    return bench_value(b, shape, middle * 1e6, mad * 1e6, count);
}

bool bench_phases(struct bench *b, const struct shape *shape,
                  const struct phases *phases) {
    std::vector<double> samples[PHASES_MOST];
    double seconds[PHASES_MOST];
    if (!any_wanted(b, shape, phases)) return bench_left_s(b) > 0;
    double began = bench_now_s();
    bool warm = false, done = false;
    while (!done) {
        if (!phases->once(phases->state, seconds)) return true;
        double elapsed = bench_now_s() - began;
        if (!warm && elapsed < phases->most_s / 4) {
            warm = true;
            continue;
        }
        for (int i = 0; i < phases->count; i++) samples[i].push_back(seconds[i]);
        done = elapsed >= phases->most_s || (int)samples[0].size() >= phases->most;
        warm = true;
    }
    bool go_on = true;
    for (int i = 0; i < phases->count && go_on; i++) {
        struct shape row = *shape;
        row.variant = phases->variant[i];
        go_on = bench_samples(b, &row, samples[i].data(), (int)samples[i].size());
    }
    return go_on;
}
