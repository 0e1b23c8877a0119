/* Two kernels that share the GPU: what each one takes beside the other and alone.
 *
 * X_beside_Y is the time of X while Y is repeated beside it, X_alone that of X with
 * nothing beside it; compute multiplies and adds in registers, memory reads the GPU's
 * memory, copy reads and writes it. Such a kernel takes half of an SM's threads, so
 * that two fit, and lasts about 300 us on the whole GPU; gemm is bf16, 8192 x 8192 x
 * 8192. *_streams: two streams, both on all SMs. The others: parts of the SMs for each,
 * by green contexts, where count is the share of X in percent and Y has what is left.
 * The work of a kernel stays the same. */
#include <stdio.h>

#include "bench.h"
#include "beside.h"
#include "heat.h"
#include "loads.h"
#include "sm_share.h"

enum { PART_LOG2 = 31, BLOCKS_PER_SM = 4, WANTED_US = 300, SHARES = 5 };
#define ROW_S 0.12
#define GEMM_ABOUT_US 2000.0

struct corun {
    struct bench *bench;
    struct load_memory memory;
    bool right;
    int sms;
    struct load load[LOAD_KINDS]; /* on the whole GPU */
};

/* The same work by the blocks that fit on so many SMs: a thread's rounds are a
 * thread's, the vectors are divided among all. */
static struct load load_on(const struct corun *c, int kind, int sms) {
    struct load load = c->load[kind];
    load.blocks = sms * BLOCKS_PER_SM;
    if (kind == LOAD_COMPUTE) load.amount = load.amount * (size_t)c->sms / (size_t)sms;
    return load;
}

static bool row(struct corun *c, const char *variant, int share,
                const struct beside_work *timed, double timed_us,
                const struct beside_work *other, double other_us, double *us) {
    struct shape shape = shape_of("corun", variant, "");
    shape.count = share;
    if (!us && !bench_wants(c->bench, &shape)) return bench_left_s(c->bench) > 0;
    bench_verified(c->bench, &shape, c->right, "a load computed wrongly");
    struct beside_time t;
    if (!beside_measure(timed, timed_us, other, other_us, ROW_S, &t))
        return bench_left_s(c->bench) > 0;
    if (us) *us = t.time_us;
    if (t.uncovered > 0)
        fprintf(stderr,
                "hotdesk-bench: corun: %s %d: %ld samples dropped, not covered\n",
                variant, share, t.uncovered);
    return bench_value(c->bench, &shape, t.time_us, t.mad_us, t.samples);
}

static int percent(const struct corun *c, int sms) {
    return (100 * sms + c->sms / 2) / c->sms;
}

/* The times of each kind alone on a part; count: its share. */
static bool alone(struct corun *c, const struct sm_part *part, double *us) {
    for (int kind = 0; kind < LOAD_KINDS; kind++) {
        struct load load = load_on(c, kind, part->sms);
        struct beside_work work = {load_enqueue, &load, part->stream};
        char variant[48];
        snprintf(variant, sizeof variant, "%s_alone", load_name[kind]);
        if (!row(c, variant, percent(c, part->sms), &work, WANTED_US, NULL, 0,
                 &us[kind]))
            return false;
    }
    return true;
}

/* All pairs, the first of which runs and is timed in `mine`. */
static bool pairs(struct corun *c, const struct sm_part *mine, const double *mine_us,
                  const struct sm_part *other, const double *other_us,
                  const char *suffix) {
    for (int a = 0; a < LOAD_KINDS; a++)
        for (int b = 0; b < LOAD_KINDS; b++) {
            if (mine_us[a] <= 0 || other_us[b] <= 0) continue; /* row() said why */
            struct load load_a = load_on(c, a, mine->sms);
            struct load load_b = load_on(c, b, other->sms);
            load_b.part = 1;
            struct beside_work work_a = {load_enqueue, &load_a, mine->stream};
            struct beside_work work_b = {load_enqueue, &load_b, other->stream};
            char variant[64];
            snprintf(variant, sizeof variant, "%s_beside_%s%s", load_name[a],
                     load_name[b], suffix);
            if (!row(c, variant, percent(c, mine->sms), &work_a, mine_us[a], &work_b,
                     other_us[b], NULL))
                return false;
        }
    return true;
}

static void enqueue_gemm(void *state, int, cudaStream_t stream) {
    heat_enqueue((struct heat *)state, stream);
}

/* A GEMM of cuBLASLt takes all of an SM's shared memory, as it likes: on two streams
 * alone, since its blocks may ask for clusters that a part of the SMs has not. */
static bool gemm_rows(struct corun *c, struct heat *heat, const struct sm_part *whole,
                      const double *us) {
    struct beside_work gemm = {enqueue_gemm, heat, whole[0].stream};
    double gemm_us = 0;
    if (!row(c, "gemm_alone", 100, &gemm, GEMM_ABOUT_US, NULL, 0, &gemm_us))
        return false;
    for (int kind = 0; kind < LOAD_KINDS && gemm_us > 0; kind++) {
        if (us[kind] <= 0) continue; /* row() said why */
        struct load load = load_on(c, kind, c->sms);
        struct beside_work other = {load_enqueue, &load, whole[1].stream};
        char variant[2][64];
        snprintf(variant[0], sizeof variant[0], "gemm_beside_%s_streams",
                 load_name[kind]);
        snprintf(variant[1], sizeof variant[1], "%s_beside_gemm_streams",
                 load_name[kind]);
        if (!row(c, variant[0], 100, &gemm, gemm_us, &other, us[kind], NULL) ||
            !row(c, variant[1], 100, &other, us[kind], &gemm, gemm_us, NULL))
            return false;
    }
    return true;
}

static bool on_streams(struct corun *c, const struct sm_part *whole) {
    double us[LOAD_KINDS] = {};
    if (!alone(c, &whole[0], us) || !pairs(c, &whole[0], us, &whole[1], us, "_streams"))
        return false;
    struct heat *heat = heat_begin();
    bool more = gemm_rows(c, heat, whole, us);
    heat_end(heat);
    return more;
}

/* Whether kernels and events do in such streams what they do in others: everything that
 * a measurement needs, once, with answers instead of an end. */
static bool works(struct corun *c, const struct sm_part *part, const char **why) {
    struct load load = load_on(c, LOAD_MEMORY, part->sms);
    cudaEvent_t start, stop;
    float ms;
    CUDA(cudaEventCreate(&start));
    CUDA(cudaEventCreate(&stop));
    cudaError_t answer = cudaEventRecord(start, part->stream);
    if (answer == cudaSuccess) answer = load_try(&load, part->stream);
    if (answer == cudaSuccess) answer = cudaEventRecord(stop, part->stream);
    if (answer == cudaSuccess) answer = cudaStreamSynchronize(part->stream);
    if (answer == cudaSuccess) answer = cudaEventElapsedTime(&ms, start, stop);
    cudaGetLastError();
    CUDA(cudaEventDestroy(stop));
    CUDA(cudaEventDestroy(start));
    *why = cudaGetErrorString(answer);
    return answer == cudaSuccess;
}

/* Both parts of one division, either one timed beside the other. */
static bool on_parts(struct corun *c, const struct sm_share *share) {
    double first[LOAD_KINDS] = {}, rest[LOAD_KINDS] = {};
    return alone(c, &share->first, first) && alone(c, &share->rest, rest) &&
           pairs(c, &share->first, first, &share->rest, rest, "") &&
           pairs(c, &share->rest, rest, &share->first, first, "");
}

static void skip(struct corun *c, const char *what, const char *why) {
    char text[160];
    snprintf(text, sizeof text, "%s: %s", what, why);
    bench_skip(c->bench, text);
}

/* Shares of 10 to 50 percent: the rest has the other shares. Those that the GPU rounds
 * to the same number of SMs are measured once. */
static void on_shares(struct corun *c) {
    static const int shares[SHARES] = {50, 10, 30, 20, 40};
    const int count = bench_quick(c->bench) ? 1 : SHARES;
    const char *why = "";
    struct sm_share_driver *driver = sm_share_open(&why);
    if (!driver) {
        skip(c, "corun: shares of the SMs", why);
        return;
    }
    bool more = true;
    for (int i = 0; i < count && more; i++) {
        struct sm_share share;
        char what[64];
        snprintf(what, sizeof what, "corun: a share of %d percent", shares[i]);
        if (!sm_share_split(driver, c->sms * shares[i] / 100, &share, &why)) {
            skip(c, what, why);
            continue;
        }
        if (works(c, &share.first, &why) && works(c, &share.rest, &why))
            more = on_parts(c, &share);
        else
            skip(c, what, why);
        CUDA(cudaDeviceSynchronize());
        sm_share_end(driver, &share);
    }
    sm_share_close(driver);
}

/* Alone: one row per kind; pairs: one per two of them; the GEMM on streams alone. */
static long rows_of(int shares) {
    const long alone_rows = LOAD_KINDS, pair_rows = LOAD_KINDS * LOAD_KINDS;
    return alone_rows + pair_rows + 1 + 2 * LOAD_KINDS +
           2L * shares * (alone_rows + pair_rows);
}

static void run(struct bench *bench) {
    struct corun c = {};
    struct sm_part whole[2] = {};
    c.bench = bench;
    c.sms = bench_properties(bench)->multiProcessorCount;
    load_memory_open(&c.memory, bench, (size_t)1 << PART_LOG2);
    c.right = load_verify(&c.memory);
    for (struct sm_part &part : whole) {
        part.sms = c.sms;
        CUDA(cudaStreamCreateWithFlags(&part.stream, cudaStreamNonBlocking));
    }
    for (int kind = 0; kind < LOAD_KINDS; kind++)
        load_prepare(&c.load[kind], (enum load_kind)kind, &c.memory, c.sms,
                     BLOCKS_PER_SM, WANTED_US, whole[0].stream);
    bench_expect(bench, rows_of(bench_quick(bench) ? 1 : SHARES));
    if (on_streams(&c, whole)) on_shares(&c);
    for (struct sm_part &part : whole) CUDA(cudaStreamDestroy(part.stream));
    load_memory_close(&c.memory);
}

const struct quantity quantity_corun = {
    "corun", "pairs of compute, memory and copy kernels: streams, shares of the SMs",
    0.06, run};
