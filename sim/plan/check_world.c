/* Ten small worlds. Models of 14 GB load in under a second, a request takes a few
 * seconds, GPUs are enough for one replica of each model unless the point is that
 * they are not. */
#include "plan/check_world.h"

#include <stdio.h>
#include <string.h>

static const hd_tick MS = 1000 * HD_TICKS_PER_US;

static const int64_t GB = 1000000000;

static hd_tick seconds(double s) {
    return hd_tick_from_s(s);
}

static void add_models(struct hd_mini *w, int count, int tp) {
    for (int n = 0; n < count; n++) {
        int m = w->config.models++;
        snprintf(w->model_name[m], sizeof w->model_name[m], "m%02d", m);
        w->model[m] = (struct hd_run_model){.name = w->model_name[m],
                                            .slo_class = "default",
                                            .tp = tp,
                                            .replicas = 1,
                                            .weights_bytes = 14 * GB * tp,
                                            .kv_token_bytes = 131072,
                                            .kv_heads = 8,
                                            .max_context = 8192,
                                            .ttft = seconds(10),
                                            .tbt = seconds(0.1),
                                            .mean_rate = 0.1,
                                            .mean_input = 300,
                                            .mean_output = 100};
    }
}

/* GPUs of 72 GB (kind 0) or 24 GB (kind 1). */
static void add_node(struct hd_mini *w, int kind, int gpus) {
    w->node[w->config.nodes++] = (struct hd_node_config){.kind = kind,
                                                         .gpus = gpus,
                                                         .dram_bytes = 1e12,
                                                         .disk_bytes_per_s = 4e9,
                                                         .pcie_bytes_per_s = 25e9,
                                                         .pcie_shared_by = 2,
                                                         .nvlink_bytes_per_s = 300e9,
                                                         .nic_bytes_per_s = 25e9};
    if (w->config.kinds <= kind) w->config.kinds = kind + 1;
}

static void add(struct hd_mini *w, double at_s, int model, int input, int output) {
    w->arrival[w->arrivals++] = (struct hd_arrival){.at = seconds(at_s),
                                                    .model = model,
                                                    .input_tokens = input,
                                                    .output_tokens = output};
}

static void fail(struct hd_mini *w, double at_s, int gpu, bool up) {
    w->failure[w->config.failures++] = (struct hd_failure){seconds(at_s), gpu, up};
}

/* A spread of lengths and gaps that is the same everywhere: no generator needed. */
static int vary(int n, int from, int to) {
    return from + (int)((unsigned)n * 2654435761U % (unsigned)(to - from + 1));
}

static void burst(struct hd_mini *w) {
    add_models(w, 4, 1);
    add_node(w, 0, 4);
    add(w, 5, 0, 200, 20);
    for (int n = 0; n < 80; n++)
        add(w, 20 + n * 0.01, n % 4, vary(n, 50, 800), vary(n, 1, 120));
    for (int n = 0; n < 40; n++)
        add(w, 90 + n * 0.001, n % 2, vary(n, 50, 800), vary(n, 1, 120));
}

static void one_hot(struct hd_mini *w) {
    add_models(w, 4, 1);
    add_node(w, 0, 6);
    for (int n = 0; n < 180; n++)
        add(w, 1 + n * 0.3, n % 9 == 0 ? 1 + n / 9 % 3 : 0, vary(n, 50, 600),
            vary(n, 10, 150));
}

static void many_cold(struct hd_mini *w) {
    add_models(w, 12, 1);
    add_node(w, 0, 6);
    for (int n = 0; n < 48; n++)
        add(w, 1 + n * 13.7, n * 5 % 12, vary(n, 50, 600), vary(n, 10, 150));
}

/* 72 - 14 GB hold 442,504 tokens. */
static void larger_than_any_pool(struct hd_mini *w) {
    add_models(w, 3, 1);
    add_node(w, 0, 4);
    for (int n = 0; n < 30; n++) {
        if (n % 10 == 4)
            add(w, 1 + n * 2.0, n % 3, 500000, 10);
        else if (n % 10 == 7)
            add(w, 1 + n * 2.0, n % 3, 442000, 20);
        else
            add(w, 1 + n * 2.0, n % 3, vary(n, 50, 600), vary(n, 10, 150));
    }
}

static void failures(struct hd_mini *w) {
    add_models(w, 4, 1);
    add_node(w, 0, 6);
    for (int n = 0; n < 120; n++)
        add(w, 1 + n * 0.6, n % 4, vary(n, 50, 600), vary(n, 10, 150));
    fail(w, 10, 1, false);
    fail(w, 12.5, 2, false);
    fail(w, 12.5, 3, false);
    fail(w, 30, 2, true);
    fail(w, 31, 5, false);
    fail(w, 40, 1, true);
    fail(w, 40, 3, true);
    fail(w, 40, 0, false);
    fail(w, 55, 0, true);
    fail(w, 55, 5, true);
}

static void all_down(struct hd_mini *w) {
    add_models(w, 3, 1);
    add_node(w, 0, 4);
    for (int n = 0; n < 60; n++)
        add(w, 1 + n * 0.5, n % 3, vary(n, 50, 600), vary(n, 10, 150));
    for (int gpu = 0; gpu < 4; gpu++) fail(w, 8.25, gpu, false);
    for (int gpu = 0; gpu < 4; gpu++) fail(w, 40 + gpu, gpu, true);
}

/* Whole milliseconds and equal lengths: arrivals, ends of prefills and finishes all
 * fall on the same instants. */
static void ties(struct hd_mini *w) {
    add_models(w, 4, 1);
    add_node(w, 0, 4);
    for (int n = 0; n < 60; n++)
        add(w, 2 + n / 12 * 3, n % 4, 200, n % 24 < 12 ? 40 : 1);
}

static void one_gpu(struct hd_mini *w) {
    add_models(w, 2, 1);
    add_node(w, 0, 1);
    for (int n = 0; n < 30; n++)
        add(w, 1 + n * 3.1, n % 2, vary(n, 50, 600), vary(n, 10, 100));
}

/* Model 1 loads only on the large GPUs; some requests of model 0 fit only there. */
static void mixed(struct hd_mini *w) {
    add_models(w, 3, 1);
    add_node(w, 0, 4);
    add_node(w, 1, 4);
    w->model[1].weights_bytes = 40 * GB;
    for (int n = 0; n < 60; n++)
        add(w, 1 + n * 0.9, n % 3, n % 12 == 3 ? 120000 : vary(n, 50, 600),
            vary(n, 10, 150));
}

static void tensor_parallel(struct hd_mini *w) {
    add_models(w, 2, 1);
    add_models(w, 1, 2);
    add_models(w, 1, 4);
    add_node(w, 0, 8);
    add_node(w, 0, 8);
    for (int n = 0; n < 80; n++)
        add(w, 1 + n * 0.7, n % 4, vary(n, 50, 600), vary(n, 10, 150));
}

static const struct {
    const char *name, *why;
    void (*make)(struct hd_mini *);
} workloads[] = {
    {"burst", "80 requests within a second, after silence", burst},
    {"one hot model", "most requests are for one model of four", one_hot},
    {"many cold models", "12 models on 6 GPUs, seldom asked for", many_cold},
    {"too large", "requests that fill a pool, and some larger than any",
     larger_than_any_pool},
    {"failures", "GPUs fail and return, up to three at a time", failures},
    {"all down", "every GPU fails at once and returns", all_down},
    {"ties", "equal arrival times, equal finishes", ties},
    {"one GPU", "two models on one GPU", one_gpu},
    {"mixed fleet", "a model and requests that fit one GPU type only", mixed},
    {"tensor parallel", "models on 1, 2 and 4 GPUs side by side", tensor_parallel}};

static int next_arrival(void *context, struct hd_arrival *a) {
    struct hd_mini *w = context;
    if (w->next == w->arrivals) return 0;
    *a = w->arrival[w->next++];
    return 1;
}

static const struct hd_timing *timing_of(void *context, int model, int kind, int tp,
                                         double share) {
    const struct hd_mini *w = context;
    (void)model;
    (void)tp;
    (void)share;
    return w->timing[kind];
}

void hd_mini_make(struct hd_mini *w, int number) {
    memset(w, 0, sizeof *w);
    w->name = workloads[number].name;
    w->why = workloads[number].why;
    w->kind[0] = (struct hd_gpu_kind){.name = "large", .usable_bytes = 72 * GB};
    w->kind[1] = (struct hd_gpu_kind){.name = "small", .usable_bytes = 24 * GB};
    for (int kind = 0; kind < HD_MINI_KINDS_MAX; kind++)
        w->timing[kind] = hd_timing_plain(
            &(struct hd_plain_law){.step = (10 + 10 * kind) * MS,
                                   .sequence = MS,
                                   .prefill = 20 * MS,
                                   .token = MS / 20, /* 20 tokens in a millisecond */
                                   .stretches = 1,
                                   .slope = {MS / 100000}});
    workloads[number].make(w);
    struct hd_run_config *c = &w->config;
    c->model = w->model;
    c->kind = w->kind;
    c->node = w->node;
    c->failure = w->failure;
    c->timing = timing_of;
    c->timing_context = w;
    c->next = next_arrival;
    c->next_context = w;
    c->switching = hd_switching_default();
    c->switching.engine_start_s = 2;
    c->serving = hd_serving_default();
    c->sharing = hd_sharing_default();
    c->to = HD_TICK_SPAN_MAX;
    c->seed = 1;
}

void hd_mini_free(struct hd_mini *w) {
    for (int kind = 0; kind < HD_MINI_KINDS_MAX; kind++)
        hd_timing_free(w->timing[kind]);
}
