/* 19: what heat does to the clock, to a GEMM and to a copy from the host. With the log
 * of clocks that the suite writes beside its rows this says whether those hold. */
#include <stdio.h>
#include <string.h>

#include <algorithm>
#include <vector>

#include "bench.h"
#include "clock_log.h"
#include "heat.h"
#include "phases.h"

#define COPY_BYTES (256L << 20)
#define FULL_HEAT_S 20.0
#define QUICK_HEAT_S 4.0

enum { COOL_SAMPLES = 20, AT_ONCE = 8, COPIES = 20, COPY_EVERY = 4 };

struct card {
    struct heat *heat;
    cudaStream_t stream, copying;
    cudaEvent_t start, stop;
    void *host, *device;
};

/* The mean of some GEMMs back to back, in seconds. */
static double time_gemms(struct card *c) {
    float ms;
    CUDA(cudaEventRecord(c->start, c->stream));
    for (int i = 0; i < AT_ONCE; i++) heat_enqueue(c->heat, c->stream);
    CUDA(cudaEventRecord(c->stop, c->stream));
    CUDA(cudaEventSynchronize(c->stop));
    CUDA(cudaEventElapsedTime(&ms, c->start, c->stop));
    return ms * 1e-3 / AT_ONCE;
}

/* Alone: nothing else is on the card, but it keeps its temperature. */
static double time_copy(struct card *c) {
    CUDA(cudaDeviceSynchronize());
    double start = bench_now_s();
    CUDA(cudaMemcpyAsync(c->device, c->host, COPY_BYTES, cudaMemcpyHostToDevice,
                         c->copying));
    CUDA(cudaStreamSynchronize(c->copying));
    return bench_now_s() - start;
}

/* A GEMM, or a copy, while the card is cool, and at the end of the heat. */
struct readings {
    std::vector<double> gemm_s, copy_s, watts, mhz;
    long long reasons;
};

static void look(const struct nvml *nvml, struct readings *r) {
    struct nvml_state state = nvml_read(nvml);
    if (state.power_w > 0) r->watts.push_back(state.power_w);
    if (state.sm_mhz > 0) r->mhz.push_back(state.sm_mhz);
    if (state.reasons > 0) r->reasons |= state.reasons;
}

static void take_cool(struct bench *b, struct card *c, struct readings *r) {
    time_gemms(c);
    time_copy(c);
    for (int i = 0; i < COPIES; i++) r->copy_s.push_back(time_copy(c));
    for (int i = 0; i < COOL_SAMPLES; i++) r->gemm_s.push_back(time_gemms(c));
    look(bench_nvml(b), r);
}

/* The first two thirds heat; what is timed comes after. */
static void take_hot(struct bench *b, struct card *c, double heat_s,
                     struct readings *r) {
    double start = bench_now_s(), now;
    for (int round = 0; (now = bench_now_s()) - start < heat_s; round++) {
        double gemm_s = time_gemms(c);
        if (now - start < heat_s * 2 / 3) continue;
        r->gemm_s.push_back(gemm_s);
        if (round % COPY_EVERY == 0) {
            look(bench_nvml(b), r);
            r->copy_s.push_back(time_copy(c));
        }
    }
}

/* While the card is at work: the rows get the clocks of now. */
static bool write(struct bench *b, struct card *c, const struct readings *r,
                  const char *gemm, const char *copy) {
    struct shape clock = shape_of("clock", gemm, ""),
                 bytes = shape_of("copy", copy, "");
    bytes.bytes = COPY_BYTES;
    bytes.count = 1;
    for (int i = 0; i < AT_ONCE; i++) heat_enqueue(c->heat, c->stream);
    return (r->gemm_s.empty() ||
            bench_samples(b, &clock, r->gemm_s.data(), (int)r->gemm_s.size())) &&
           (r->copy_s.empty() ||
            bench_samples(b, &bytes, r->copy_s.data(), (int)r->copy_s.size()));
}

static void say(const char *when, const struct readings *r) {
    if (r->mhz.empty() || r->watts.empty()) return;
    fprintf(stderr, "\nclocks: %s: %.0f to %.0f MHz, at most %.0f W, held by ", when,
            *std::min_element(r->mhz.begin(), r->mhz.end()),
            *std::max_element(r->mhz.begin(), r->mhz.end()),
            *std::max_element(r->watts.begin(), r->watts.end()));
    clock_log_reasons(stderr, r->reasons);
    fputs(r->reasons ? "\n" : "nothing\n", stderr);
}

static void run(struct bench *b) {
    struct card c;
    struct readings cool = {}, hot = {};
    double heat_s = bench_quick(b) ? QUICK_HEAT_S : FULL_HEAT_S;
    struct shape last = shape_of("clock", "gemm_hot", "");
    if (!bench_wants(b, &last)) return;
    CUDA(cudaSetDevice(0));
    CUDA(cudaStreamCreateWithFlags(&c.stream, cudaStreamNonBlocking));
    CUDA(cudaStreamCreateWithFlags(&c.copying, cudaStreamNonBlocking));
    CUDA(cudaEventCreate(&c.start));
    CUDA(cudaEventCreate(&c.stop));
    CUDA(cudaHostAlloc(&c.host, COPY_BYTES, cudaHostAllocDefault));
    CUDA(cudaMalloc(&c.device, COPY_BYTES));
    memset(c.host, 1, COPY_BYTES);
    c.heat = heat_begin();
    take_cool(b, &c, &cool);
    bool all = write(b, &c, &cool, "gemm_cool", "h2d_pinned_cool");
    take_hot(b, &c, std::min(heat_s, 0.8 * bench_left_s(b)), &hot);
    all = all && write(b, &c, &hot, "gemm_hot", "h2d_pinned_hot");
    say("cool", &cool);
    say("hot", &hot);
    if (!all) fprintf(stderr, "clocks: no time left to write all\n");
    CUDA(cudaDeviceSynchronize());
    heat_end(c.heat);
}

const struct quantity quantity_clocks = {
    "clocks", "what heat does to the clock, a GEMM and a copy; run last", 0.02, run};
