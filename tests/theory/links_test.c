/* Transfers that share a link: n at a time each progress at 1/n. Worked by hand, and
 * as an M/G/1-PS queue of model loads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gsl/gsl_rng.h>

#include "engine/engine.h"
#include "plain_timing.h"
#include "theory/queue_world.h"

enum { LOADS_MAX = 8, GIGA = 1000000000 };

/* ---- loads by hand ------------------------------------------------------- */

/* Loads of models on instances of their own, each begun at its own time. */
struct plan {
    int loads;
    int tp[LOADS_MAX];
    double begin_s[LOADS_MAX], expect_s[LOADS_MAX], got_s[LOADS_MAX];
};

static bool form_all(void *state, struct hd_engine *e, const char **reason) {
    struct plan *p = state;
    (void)reason;
    for (int n = 0; n < p->loads; n++) {
        struct hd_form form = {.role = "serve", .gpus = p->tp[n], .node = -1};
        if (hd_act_form(e, &form) != n || !hd_act_after(e, p->begin_s[n], n))
            return false;
    }
    return true;
}

static bool begin(void *state, struct hd_engine *e, int64_t load) {
    (void)state;
    return hd_act_load(e, (int)load, (int)load) == 1;
}

static bool turn(void *state, struct hd_engine *e, int instance, enum hd_why why,
                 struct hd_grp group) {
    (void)group;
    if (why == HD_WHY_LOADED)
        ((struct plan *)state)->got_s[instance] = hd_s_from_tick(hd_ask_now(e));
    return true;
}

static int one_late_arrival(void *context, struct hd_arrival *a) {
    int *left = context;
    *a = (struct hd_arrival){.at = 1000 * HD_TICKS_PER_S, /* keeps the run going */
                             .input_tokens = 1,
                             .output_tokens = 1};
    return (*left)--;
}

static bool reject(void *state, struct hd_engine *e, struct hd_req request) {
    (void)state;
    return hd_act_reject(e, request);
}

/* 16 GB/s per link, `shared` GPUs on each; from disk at `disk` B/s unless cached. */
static void expect_loads(const char *what, struct plan *p, const double *gigabytes,
                         int shared, bool cached, double disk) {
    struct hd_run_model model[LOADS_MAX];
    int gpus = 0;
    for (int n = 0; n < p->loads; n++) {
        model[n] =
            (struct hd_run_model){.name = "m",
                                  .tp = p->tp[n],
                                  .weights_bytes = (int64_t)(gigabytes[n] * GIGA),
                                  .kv_token_bytes = 1,
                                  .kv_heads = 8,
                                  .max_context = 1000,
                                  .ttft = HD_TICK_NEVER,
                                  .tbt = HD_TICK_NEVER};
        gpus += p->tp[n];
    }
    struct hd_timing *timing =
        hd_timing_plain(&(struct hd_plain_law){.step = 1, .stretches = 1});
    struct hd_gpu_kind kind = {.name = "gpu", .usable_bytes = INT64_C(80) * GIGA};
    struct hd_node_config node = {.gpus = gpus,
                                  .dram_bytes = 2e12,
                                  .disk_bytes_per_s = disk,
                                  .pcie_bytes_per_s = 16e9,
                                  .pcie_shared_by = shared,
                                  .nvlink_bytes_per_s = 1e12,
                                  .nic_bytes_per_s = 1e12};
    int left = 1;
    struct hd_run_config config = {.model = model,
                                   .models = p->loads,
                                   .kind = &kind,
                                   .kinds = 1,
                                   .node = &node,
                                   .nodes = 1,
                                   .timing = plain_timing,
                                   .timing_context = timing,
                                   .next = one_late_arrival,
                                   .next_context = &left,
                                   .switching = hd_switching_default(),
                                   .serving = hd_serving_default(),
                                   .to = HD_TICK_NEVER};
    config.switching.warm_cache = cached;
    struct hd_policy policy = {.name = "loads",
                               .state = p,
                               .start = form_all,
                               .timer = begin,
                               .turn = turn,
                               .arrive = reject};
    int64_t none[LOADS_MAX] = {0};
    struct hd_expected expected = {p->loads, none, none};
    struct hd_measure *m = hd_measure_new(&expected, 0, config.to);
    struct hd_err err = {0};
    enum hd_run_end end = hd_run(&config, &policy, m, NULL, &err);
    if (end != HD_RUN_WHOLE) fail_msg("%s: %s", what, err.text);
    for (int n = 0; n < p->loads; n++) {
        printf("%s, load %d: expected %.9f s, measured %.9f s\n", what, n + 1,
               p->expect_s[n], p->got_s[n]);
        /* a tick is 1e-12 s; each start or end of a transfer may round one up */
        assert_true(fabs(p->got_s[n] - p->expect_s[n]) < 1e-10);
    }
    hd_measure_free(m);
    hd_timing_free(timing);
}

static void equal_loads_take_n_times_as_long(void **state) {
    (void)state;
    static const double size[LOADS_MAX] = {16, 16, 16, 16, 16, 16, 16, 16};
    for (int n = 1; n <= LOADS_MAX; n++) {
        struct plan p = {.loads = n};
        for (int k = 0; k < n; k++) p.tp[k] = 1, p.expect_s[k] = n;
        char name[48];
        snprintf(name, sizeof name, "%d equal loads on one link", n);
        expect_loads(name, &p, size, n, true, 1e9);
    }
    struct plan own = {.loads = 3, .tp = {1, 1, 1}, .expect_s = {1, 1, 1}};
    expect_loads("3 loads on links of their own", &own, size, 1, true, 1e9);
}

/* 16, 16 and 8 GB at 0, 0.5 and 1 s on 16 GB/s. Alone, the first moves 8 GB; by two,
 * 4 GB each until 1 s; by three, 16/3 GB/s each: the first has 4 GB left and ends at
 * 1.75 s. Then by two: the third has 4 GB left, done at 2.25 s; the second, with 8 GB
 * left at 1.75 s and 4 GB at 2.25 s, ends alone at 2.5 s. */
static void staggered_loads(void **state) {
    (void)state;
    struct plan p = {.loads = 3,
                     .tp = {1, 1, 1},
                     .begin_s = {0, 0.5, 1},
                     .expect_s = {1.75, 2.5, 2.25}};
    expect_loads("staggered loads", &p, (const double[]){16, 16, 8}, 3, true, 1e9);
}

/* On two GPUs with a link each, each half moves on its own link. On two that share
 * one, both halves share it. */
static void tensor_parallel_loads(void **state) {
    (void)state;
    static const double size[] = {16};
    struct plan apart = {.loads = 1, .tp = {2}, .expect_s = {0.5}};
    struct plan together = {.loads = 1, .tp = {2}, .expect_s = {1}};
    expect_loads("2 GPUs, a link each", &apart, size, 1, true, 1e9);
    expect_loads("2 GPUs on one link", &together, size, 2, true, 1e9);
}

/* From disk at 4 GB/s: the disk decides and is shared by all GPUs of the node; with a
 * disk faster than the link, the link decides. */
static void loads_from_disk(void **state) {
    (void)state;
    static const double size[] = {16, 16};
    struct plan one = {.loads = 1, .tp = {1}, .expect_s = {4}};
    struct plan two = {.loads = 2, .tp = {1, 1}, .expect_s = {8, 8}};
    struct plan fast = {.loads = 1, .tp = {1}, .expect_s = {1}};
    expect_loads("from disk, one", &one, size, 1, false, 4e9);
    expect_loads("from disk, two", &two, size, 1, false, 4e9);
    expect_loads("from a fast disk", &fast, size, 1, false, 64e9);
}

/* ---- loads as an M/G/1-PS queue ------------------------------------------ */

/* Each request is a load of a small or a large model on an idle GPU, all on one link;
 * the weights go as soon as it is done. The mean time on the link is S / (1 - rho) for
 * either size. */
enum { SERVERS = 64 };

struct market {
    gsl_rng *random;
    double now, rate, end;
    double sum[2];
    long count[2];
};

static int next_load(void *context, struct hd_arrival *a) {
    struct market *k = context;
    k->now -= log(gsl_rng_uniform_pos(k->random)) / k->rate;
    *a = (struct hd_arrival){.at = hd_tick_from_s(k->now),
                             .model = gsl_rng_uniform(k->random) < 5.0 / 6 ? 0 : 1,
                             .input_tokens = 1,
                             .output_tokens = 1};
    return k->now < k->end;
}

static bool form_servers(void *state, struct hd_engine *e, const char **reason) {
    (void)state;
    (void)reason;
    struct hd_form form = {.role = "serve", .gpus = 1, .node = -1};
    for (int n = 0; n < SERVERS; n++)
        if (hd_act_form(e, &form) < 0) return false;
    return true;
}

static bool to_idle(void *state, struct hd_engine *e, struct hd_req request) {
    (void)state;
    int role = hd_ask_role(e, "serve");
    int instance = hd_ask_least(e, role, HD_KEY_REST_AT, HD_ALL);
    if (instance < 0) return hd_act_fail(e, "no idle instance: make SERVERS larger");
    return hd_act_join_instance(e, request, instance, HD_KV_PULL);
}

static bool forget_weights(void *state, struct hd_engine *e, int instance,
                           enum hd_why why, struct hd_grp group) {
    (void)state;
    (void)group;
    if (why == HD_WHY_EMPTY) return hd_act_unload(e, instance, -1);
    struct hd_grp head = hd_ask_instance_head(e, instance);
    return head.slot < 0 || hd_act_run(e, instance, head, &HD_TURN);
}

static void note_load(void *context, const struct hd_finished *f) {
    struct market *k = context;
    if (!f->measured) return;
    assert_int_equal(f->status, HD_STATUS_DONE);
    k->sum[f->model] += hd_s_from_tick(f->blame[HD_BLAME_SWITCH]);
    k->count[f->model]++;
}

static void loads_as_processor_sharing(void **state) {
    (void)state;
    double load = 0.6, service[2] = {0.2, 5}; /* 3.2 and 80 GB on 16 GB/s: mean 1 s */
    struct hd_run_model model[2];
    for (int m = 0; m < 2; m++)
        model[m] =
            (struct hd_run_model){.name = "m",
                                  .tp = 1,
                                  .weights_bytes = (int64_t)(service[m] * 16 * GIGA),
                                  .kv_token_bytes = 1,
                                  .kv_heads = 1,
                                  .max_context = 1000,
                                  .ttft = HD_TICK_NEVER,
                                  .tbt = HD_TICK_NEVER};
    struct hd_timing *timing =
        hd_timing_plain(&(struct hd_plain_law){.step = 1, .stretches = 1});
    struct hd_gpu_kind kind = {.name = "gpu", .usable_bytes = INT64_C(96) * GIGA};
    struct hd_node_config node = {.gpus = SERVERS,
                                  .dram_bytes = 1e12,
                                  .disk_bytes_per_s = 1e9,
                                  .pcie_bytes_per_s = 16e9,
                                  .pcie_shared_by = SERVERS,
                                  .nvlink_bytes_per_s = 1e12,
                                  .nic_bytes_per_s = 1e12};
    struct hd_policy policy = {.name = "loads",
                               .start = form_servers,
                               .arrive = to_idle,
                               .turn = forget_weights};
    struct qw_stat of[2] = {0};
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct market k = {
            .random = gsl_rng_alloc(gsl_rng_mt19937), .rate = load, .end = 20000};
        gsl_rng_set(k.random, (unsigned long)seed);
        struct hd_run_config config = {.model = model,
                                       .models = 2,
                                       .kind = &kind,
                                       .kinds = 1,
                                       .node = &node,
                                       .nodes = 1,
                                       .timing = plain_timing,
                                       .timing_context = timing,
                                       .next = next_load,
                                       .next_context = &k,
                                       .switching = hd_switching_default(),
                                       .serving = hd_serving_default(),
                                       .from = 200 * HD_TICKS_PER_S,
                                       .to = HD_TICK_SPAN_MAX};
        int64_t none[2] = {0};
        struct hd_expected expected = {2, none, none};
        struct hd_measure *m = hd_measure_new(&expected, config.from, config.to);
        m->on_finished = note_load;
        m->on_finished_context = &k;
        struct hd_err err = {0};
        enum hd_run_end end = hd_run(&config, &policy, m, NULL, &err);
        if (end != HD_RUN_WHOLE) fail_msg("%s", err.text);
        for (int n = 0; n < 2; n++) qw_add(&of[n], k.sum[n] / (double)k.count[n]);
        hd_measure_free(m);
        gsl_rng_free(k.random);
    }
    hd_timing_free(timing);
    qw_expect("loads of 3.2 GB on a link at load 0.6, s", service[0] / (1 - load),
              &of[0], 0, 0.02);
    qw_expect("loads of 80 GB on a link at load 0.6, s", service[1] / (1 - load),
              &of[1], 0, 0.03);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_loads_take_n_times_as_long),
        cmocka_unit_test(staggered_loads),
        cmocka_unit_test(tensor_parallel_loads),
        cmocka_unit_test(loads_from_disk),
        cmocka_unit_test(loads_as_processor_sharing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
