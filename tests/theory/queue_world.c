/* The engine as a textbook queue: see the header. */
#include "theory/queue_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "plain_timing.h"

const char *qw_size_name(enum qw_size size) {
    static const char *const name[] = {"constant", "exponential", "two-point"};
    return name[size];
}

double qw_size_mean(enum qw_size size, double mean) {
    if (size == QW_EXPONENTIAL) return 1 / -expm1(-1 / mean);
    return mean;
}

double qw_size_square(enum qw_size size, double mean) {
    if (size == QW_CONSTANT) return mean * mean;
    if (size == QW_TWO_POINT) return (5.0 / 6 / 25 + 25.0 / 6) * mean * mean;
    double success = -expm1(-1 / mean);
    return (2 - success) / (success * success);
}

struct source {
    const struct qw *w;
    gsl_rng *random;
    double now;
};

static int next_arrival(void *context, struct hd_arrival *a) {
    struct source *s = context;
    const struct qw *w = s->w;
    s->now -= log(gsl_rng_uniform_pos(s->random)) / w->rate;
    if (s->now >= w->warm_s + w->span_s) return 0;
    double tokens = w->mean_tokens;
    if (w->size == QW_EXPONENTIAL)
        tokens = ceil(-log(gsl_rng_uniform_pos(s->random)) * w->mean_tokens);
    else if (w->size == QW_TWO_POINT)
        tokens *= gsl_rng_uniform(s->random) < 5.0 / 6 ? 0.2 : 5;
    if (tokens < 1) tokens = 1;
    int model = 0;
    if (w->models > 1)
        model = (int)gsl_rng_uniform_int(s->random, (unsigned long)w->models);
    *a = (struct hd_arrival){.at = hd_tick_from_s(s->now),
                             .model = model,
                             .input_tokens = 1,
                             .output_tokens = (int32_t)lround(tokens)};
    return 1;
}

struct watcher {
    qw_seen seen;
    void *context;
};

static void on_finished(void *context, const struct hd_finished *f) {
    const struct watcher *w = context;
    if (!f->measured) return;
    assert_int_equal(f->status, HD_STATUS_DONE);
    if (w->seen) w->seen(w->context, f);
}

struct hd_measure *qw_run(const struct qw *w, uint64_t seed, qw_seen seen,
                          void *context) {
    struct hd_timing *timing =
        hd_timing_plain(&(struct hd_plain_law){.step = hd_tick_from_s(w->step_s),
                                               .sequence = hd_tick_from_s(w->per_seq_s),
                                               .prefill = hd_tick_from_s(w->prefill_s),
                                               .stretches = 1});
    struct hd_run_model *model = hd_alloc(sizeof *model * (size_t)w->models);
    int64_t *none = hd_alloc(sizeof *none * (size_t)w->models);
    for (int m = 0; m < w->models; m++)
        model[m] = (struct hd_run_model){.name = "m",
                                         .slo_class = "default",
                                         .tp = 1,
                                         .replicas = w->replicas,
                                         .weights_bytes = 1,
                                         .kv_token_bytes = 1,
                                         .kv_heads = 1,
                                         .max_context = INT32_MAX,
                                         .ttft = HD_TICK_NEVER,
                                         .tbt = HD_TICK_NEVER};
    struct hd_gpu_kind kind = {.name = "server", .usable_bytes = INT64_C(1) << 50};
    struct hd_node_config node = {.gpus = w->models * w->replicas,
                                  .dram_bytes = 1e12,
                                  .disk_bytes_per_s = 1e12,
                                  .pcie_bytes_per_s = 1e12,
                                  .pcie_shared_by = 1,
                                  .nvlink_bytes_per_s = 1e12,
                                  .nic_bytes_per_s = 1e12};
    struct source source = {w, gsl_rng_alloc(gsl_rng_mt19937), 0};
    gsl_rng_set(source.random, (unsigned long)seed);
    hd_tick from = hd_tick_from_s(w->warm_s);
    struct hd_run_config config = {.model = model,
                                   .models = w->models,
                                   .kind = &kind,
                                   .kinds = 1,
                                   .node = &node,
                                   .nodes = 1,
                                   .timing = plain_timing,
                                   .timing_context = timing,
                                   .next = next_arrival,
                                   .next_context = &source,
                                   .switching = hd_switching_default(),
                                   .serving = hd_serving_default(),
                                   .from = from,
                                   .to = from + hd_tick_from_s(w->span_s),
                                   .failure = w->failure,
                                   .failures = w->failures,
                                   .seed = seed};
    config.switching.placed = true;
    config.serving.max_batch = w->max_batch;
    config.serving.watermark = 0;
    struct hd_expected expected = {w->models, none, none};
    struct hd_measure *m = hd_measure_new(&expected, config.from, config.to);
    struct watcher watcher = {seen, context};
    m->on_finished = on_finished;
    m->on_finished_context = &watcher;
    struct hd_policy *own =
        w->policy ? NULL : hd_builtin_new(w->which, w->replicas, w->slots);
    struct hd_err note = {0}, err = {0};
    enum hd_run_end end = hd_run(&config, own ? own : w->policy, m, &note, &err);
    if (end != HD_RUN_WHOLE)
        fail_msg("the run did not end well: %s%s", note.text, err.text);
    m->on_finished = NULL;
    hd_builtin_free(own);
    gsl_rng_free(source.random);
    hd_timing_free(timing);
    free(model);
    free(none);
    return m;
}

void qw_add(struct qw_stat *s, double value) {
    s->count++;
    s->sum += value;
    s->square += value * value;
}

double qw_mean(const struct qw_stat *s) {
    return s->sum / (double)s->count;
}

double qw_error(const struct qw_stat *s) {
    double n = (double)s->count, mean = s->sum / n;
    double variance = (s->square - n * mean * mean) / (n - 1);
    return sqrt((variance > 0 ? variance : 0) / n);
}

void qw_expect(const char *what, double expected, const struct qw_stat *s, double bias,
               double sharpness) {
    double mean = qw_mean(s), error = qw_error(s);
    printf("%-58s expected %9.5f  measured %9.5f +- %.5f\n", what, expected, mean,
           error);
    sharpness *= sqrt(20.0 / QW_REPLICATIONS);
    if (error > sharpness * fabs(expected))
        fail_msg("%s: standard error %g: the check would say nothing", what, error);
    if (fabs(mean - expected) > 4 * error + bias)
        fail_msg("%s: %g, expected %g, standard error %g", what, mean, expected, error);
}
