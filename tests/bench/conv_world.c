/* The Azure conversation trace on a fleet of 70B-like instances: see the header. */
#include "bench/conv_world.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plain_timing.h"
#include "trace/trace.h"

static struct hd_trace *load_trace(void) {
    const char *folder = getenv("HOTDESK_DATA");
    char *path = hd_format("%s/traces/azure/AzureLLMInferenceTrace_conv.csv",
                           folder ? folder : "../shared/data");
    struct hd_err err = {0};
    struct hd_trace *trace = hd_trace_load(path, &HD_TRACE_OPTIONS, &err);
    free(path);
    return trace;
}

/* As many arrivals over the same hour, Poisson, with log-normal lengths of the trace's
 * means (1,155 in, 211 out). */
static void generate(struct conv *c) {
    c->rows = 19366;
    c->row = hd_alloc(sizeof *c->row * (size_t)c->rows);
    gsl_rng *random = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(random, 2023);
    double now = 0;
    for (int64_t n = 0; n < c->rows; n++) {
        now += gsl_ran_exponential(random, 3501.0 / (double)c->rows);
        double input = gsl_ran_lognormal(random, log(1155) - 0.5, 1);
        double output = gsl_ran_lognormal(random, log(211) - 0.32, 0.8);
        c->row[n] =
            (struct hd_arrival){.at = hd_tick_from_s(now),
                                .input_tokens = input < 1       ? 1
                                                : input > 14000 ? 14000
                                                                : (int32_t)input,
                                .output_tokens = output < 1      ? 1
                                                 : output > 2000 ? 2000
                                                                 : (int32_t)output};
    }
    gsl_rng_free(random);
}

struct conv *conv_load(int copies, double speed) {
    struct conv *c = hd_alloc(sizeof *c);
    struct hd_trace *trace = load_trace();
    c->real = trace != NULL;
    if (trace) {
        c->rows = trace->rows;
        c->row = hd_alloc(sizeof *c->row * (size_t)c->rows);
        for (int64_t n = 0; n < c->rows; n++)
            c->row[n] =
                (struct hd_arrival){.at = trace->row[n].at,
                                    .input_tokens = trace->row[n].input_tokens,
                                    .output_tokens = trace->row[n].output_tokens};
        hd_trace_free(trace);
    } else {
        generate(c);
    }
    int64_t once = c->rows;
    hd_tick last = c->row[once - 1].at, period = last + last / (once - 1);
    c->rows = once * copies;
    c->row = hd_realloc(c->row, sizeof *c->row * (size_t)c->rows);
    for (int64_t n = 0; n < c->rows; n++) {
        if (n >= once) {
            c->row[n] = c->row[n % once];
            c->row[n].at += period * (n / once);
        }
        c->input += c->row[n].input_tokens;
        c->output += c->row[n].output_tokens > 0 ? c->row[n].output_tokens : 1;
    }
    for (int64_t n = 0; n < c->rows && speed != 1; n++)
        c->row[n].at = (hd_tick)((double)c->row[n].at / speed);
    return c;
}

void conv_free(struct conv *c) {
    free(c->row);
    free(c);
}

static int next_arrival(void *context, struct hd_arrival *a) {
    struct conv_world *w = context;
    if (w->next >= w->conv->rows) return 0;
    *a = w->conv->row[w->next++];
    return 1;
}

void conv_world_make(struct conv_world *w, const struct conv *c, int instances) {
    *w = (struct conv_world){.conv = c, .requests = c->rows, .tokens = c->output};
    /* decode 36 ms + 0.03 ms/sequence + 82 to 101 ns/token of context; prefill 8 ms +
     * 0.33 ms/token + 4 ns/token^2 */
    w->timing = hd_timing_plain(&(struct hd_plain_law){
        .step = 36000 * HD_TICKS_PER_US,
        .sequence = 30 * HD_TICKS_PER_US,
        .prefill = 8000 * HD_TICKS_PER_US,
        .token = 330 * HD_TICKS_PER_US,
        .square_1024 = 4 * HD_TICKS_PER_NS * 1024,
        .stretches = 3,
        .from = {0, 8192, 24576},
        .slope = {82 * HD_TICKS_PER_NS, 92 * HD_TICKS_PER_NS, 101 * HD_TICKS_PER_NS}});
    int64_t kv = 327680; /* 80 layers * 8 KV heads * 128 * 2 bytes * (K and V) */
    w->model =
        (struct hd_run_model){.name = "llama-2-70b",
                              .slo_class = "default",
                              .tp = 2,
                              .replicas = instances,
                              .weights_bytes = INT64_C(137953296384),
                              .kv_token_bytes = kv,
                              .kv_heads = 8,
                              .max_context = 53248,
                              .ttft = 10 * HD_TICKS_PER_S,
                              .tbt = HD_TICKS_PER_S / 10,
                              .mean_input = (double)c->input / (double)c->rows,
                              .mean_output = (double)c->output / (double)c->rows};
    w->kind = (struct hd_gpu_kind){
        .name = "a100", .usable_bytes = w->model.weights_bytes / 2 + 53248 * kv / 2};
    w->node = (struct hd_node_config){.gpus = 2 * instances,
                                      .dram_bytes = 2e12,
                                      .disk_bytes_per_s = 4e9,
                                      .pcie_bytes_per_s = 24e9,
                                      .pcie_shared_by = 1,
                                      .nvlink_bytes_per_s = 250e9,
                                      .nic_bytes_per_s = 25e9};
    w->config = (struct hd_run_config){.model = &w->model,
                                       .models = 1,
                                       .kind = &w->kind,
                                       .kinds = 1,
                                       .node = &w->node,
                                       .nodes = 1,
                                       .timing = plain_timing,
                                       .timing_context = w->timing,
                                       .next = next_arrival,
                                       .next_context = w,
                                       .switching = hd_switching_default(),
                                       .serving = hd_serving_default(),
                                       .to = c->row[c->rows - 1].at + 1,
                                       .seed = 1};
    w->config.switching.placed = true;
    w->config.serving.max_batch = 128;
}

void conv_world_free(struct conv_world *w) {
    hd_timing_free(w->timing);
}

struct hd_measure *conv_world_measure(struct conv_world *w) {
    w->next = 0;
    struct hd_expected expected = {1, &w->requests, &w->tokens};
    return hd_measure_new(&expected, w->config.from, w->config.to);
}
