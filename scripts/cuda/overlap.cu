/* Copies while a kernel runs: how much each is slowed down by the other.
 *
 * X_beside_Y is the time of X while Y is repeated beside it all along; X_alone that of
 * X with nothing beside it. X and Y are a copy (h2d, d2h: pinned memory; d2d) and a
 * kernel with its own length in microseconds (compute_1000us: multiply-adds in
 * registers; memory_1000us: reads the GPU's memory). bytes are the copy's, 0 where
 * there is none. */
#include <stdio.h>

#include "bench.h"
#include "beside.h"
#include "coarse_first.h"
#include "loads.h"
#include "verify.h"

enum { SEED = 4, POISON = 96, COPY_MOST_LOG2 = 30, PART_LOG2 = 30 };
enum { WAYS = 3, LENGTHS = 5, SIZES = 6, BLOCKS_PER_SM = 4 };
#define ROW_S 0.08

static const int length_us[LENGTHS] = {100, 300, 1000, 3000, 10000};
static const int size_log2[SIZES] = {20, 22, 24, 26, 28, 30}; /* 1 MB to 1 GB */

struct way {
    const char *name;
    cudaMemcpyKind kind;
    char *to, *from;
    double alone_us[SIZES];
};

struct copy {
    const struct way *way;
    size_t bytes, room;
};

struct overlap {
    struct bench *bench;
    struct load_memory memory;
    bool right; /* all that was compared so far */
    struct way way[WAYS];
    struct load load[2][LENGTHS];
    double load_us[2][LENGTHS];
    cudaStream_t copies, kernels;
};

static void enqueue_copy(void *state, int turn, cudaStream_t stream) {
    const struct copy *c = (const struct copy *)state;
    size_t places = c->room / c->bytes, at = (size_t)turn % places * c->bytes;
    CUDA(cudaMemcpyAsync(c->way->to + at, c->way->from + at, c->bytes, c->way->kind,
                         stream));
}

static struct shape shape_for(const char *variant, size_t bytes) {
    struct shape shape = shape_of("copy_overlap", variant, "");
    shape.bytes = (long)bytes;
    return shape;
}

static bool wanted(const struct overlap *o, const char *variant, size_t bytes) {
    struct shape shape = shape_for(variant, bytes);
    return bench_wants(o->bench, &shape);
}

/* Measures `timed` beside `other` (NULL: alone), also an earlier session's row where
 * its time is needed here (us). false: the budget is used up. */
static bool measure(struct overlap *o, const char *variant, size_t bytes,
                    const struct beside_work *timed, double timed_us,
                    const struct beside_work *other, double other_us, double *us) {
    struct shape shape = shape_for(variant, bytes);
    if (!us && !bench_wants(o->bench, &shape)) return bench_left_s(o->bench) > 0;
    struct beside_time t;
    bench_verified(o->bench, &shape, o->right, "a kernel or a copy went wrong");
    if (!beside_measure(timed, timed_us, other, other_us, ROW_S, &t))
        return bench_left_s(o->bench) > 0;
    if (us) *us = t.time_us;
    if (t.uncovered > 0)
        fprintf(stderr, "hotdesk-bench: %s: %ld samples dropped, not covered\n",
                variant, t.uncovered);
    return bench_value(o->bench, &shape, t.time_us, t.mad_us, t.samples);
}

static bool copy_alone(struct overlap *o, struct way *way, int size) {
    if (way->alone_us[size] > 0) return true;
    struct copy copy = {way, (size_t)1 << size_log2[size], (size_t)1 << COPY_MOST_LOG2};
    struct beside_work work = {enqueue_copy, &copy, o->copies};
    char variant[48];
    snprintf(variant, sizeof variant, "%s_alone", way->name);
    verify_fill(way->to, copy.bytes, POISON, 0);
    enqueue_copy(&copy, 0, o->copies);
    CUDA(cudaStreamSynchronize(o->copies));
    unsigned long long wrong = verify_wrong(way->to, copy.bytes, SEED, 0);
    if (wrong > 0)
        fprintf(stderr, "hotdesk-bench: %s left %llu wrong words of %zu bytes\n",
                variant, wrong, copy.bytes);
    o->right = o->right && wrong == 0;
    return measure(o, variant, copy.bytes, &work, (double)copy.bytes / 25e3, NULL, 0,
                   &way->alone_us[size]);
}

static bool kernel_alone(struct overlap *o, int kind, int length) {
    if (o->load_us[kind][length] > 0) return true;
    struct load *load = &o->load[kind][length];
    int sms = bench_properties(o->bench)->multiProcessorCount;
    double about = load_prepare(load, (enum load_kind)kind, &o->memory, sms,
                                BLOCKS_PER_SM, length_us[length], o->kernels);
    struct beside_work work = {load_enqueue, load, o->kernels};
    char variant[48];
    snprintf(variant, sizeof variant, "%s_%dus_alone", load_name[kind],
             length_us[length]);
    return measure(o, variant, 0, &work, about, NULL, 0, &o->load_us[kind][length]);
}

/* One copy beside one kernel: the time of each. */
static bool pair(struct overlap *o, struct way *way, int size, int kind, int length) {
    char kernel[32], variant[2][64];
    snprintf(kernel, sizeof kernel, "%s_%dus", load_name[kind], length_us[length]);
    snprintf(variant[0], sizeof variant[0], "%s_beside_%s", way->name, kernel);
    snprintf(variant[1], sizeof variant[1], "%s_beside_%s", kernel, way->name);
    size_t bytes = (size_t)1 << size_log2[size];
    if (!wanted(o, variant[0], bytes) && !wanted(o, variant[1], bytes))
        return bench_left_s(o->bench) > 0;
    if (!copy_alone(o, way, size) || !kernel_alone(o, kind, length)) return false;
    double copy_us = way->alone_us[size], kernel_us = o->load_us[kind][length];
    if (copy_us <= 0 || kernel_us <= 0) return true; /* said by measure() */
    struct copy copy = {way, bytes, (size_t)1 << COPY_MOST_LOG2};
    struct beside_work c = {enqueue_copy, &copy, o->copies};
    struct beside_work k = {load_enqueue, &o->load[kind][length], o->kernels};
    return measure(o, variant[0], bytes, &c, copy_us, &k, kernel_us, NULL) &&
           measure(o, variant[1], bytes, &k, kernel_us, &c, copy_us, NULL);
}

static bool grid(struct overlap *o, int sizes, int lengths, int ways) {
    int size[SIZES], length[LENGTHS];
    coarse_first(size, SIZES);
    coarse_first(length, LENGTHS);
    for (int s = 0; s < sizes; s++)
        for (int l = 0; l < lengths; l++)
            for (int w = 0; w < ways; w++)
                for (int kind = LOAD_COMPUTE; kind <= LOAD_MEMORY; kind++)
                    if (!pair(o, &o->way[w], size[s], kind, length[l])) return false;
    return true;
}

/* Two rows per pair, and one per copy and kernel alone. */
static long rows_of(int sizes, int lengths, int ways) {
    return 4L * sizes * lengths * ways + sizes * ways + 2L * lengths;
}

static void run(struct bench *bench) {
    struct overlap o = {};
    size_t bytes = (size_t)1 << COPY_MOST_LOG2;
    char *device[3], *pinned[2];
    o.bench = bench;
    for (char *&memory : device) {
        CUDA(cudaMalloc(&memory, bytes));
        verify_fill(memory, bytes, SEED, 0);
    }
    for (char *&memory : pinned) {
        CUDA(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault));
        verify_fill(memory, bytes, SEED, 0);
    }
    o.way[0] = {"h2d", cudaMemcpyHostToDevice, device[0], pinned[0], {}};
    o.way[1] = {"d2h", cudaMemcpyDeviceToHost, pinned[1], device[1], {}};
    o.way[2] = {"d2d", cudaMemcpyDeviceToDevice, device[2], device[1], {}};
    CUDA(cudaStreamCreateWithFlags(&o.copies, cudaStreamNonBlocking));
    CUDA(cudaStreamCreateWithFlags(&o.kernels, cudaStreamNonBlocking));
    load_memory_open(&o.memory, bench, (size_t)1 << PART_LOG2);
    o.right = load_verify(&o.memory);
    /* the ends and the middle of the ranges first, then all of them */
    if (bench_quick(bench)) {
        bench_expect(bench, rows_of(2, 2, 2));
        grid(&o, 2, 2, 2);
    } else {
        bench_expect(bench, rows_of(3, 3, WAYS) + rows_of(SIZES, LENGTHS, WAYS));
        if (grid(&o, 3, 3, WAYS)) grid(&o, SIZES, LENGTHS, WAYS);
    }
    load_memory_close(&o.memory);
    CUDA(cudaStreamDestroy(o.kernels));
    CUDA(cudaStreamDestroy(o.copies));
    for (char *memory : pinned) CUDA(cudaFreeHost(memory));
    for (char *memory : device) CUDA(cudaFree(memory));
}

const struct quantity quantity_overlap = {
    "overlap", "copies beside a compute or a memory kernel: the slowdown of both", 0.05,
    run};
