/* Copies while a kernel runs: how much each is slowed down by the other.
 *
 * X_beside_Y is the time of X while Y is repeated beside it all along; X_alone that of
 * X with nothing beside it. X and Y are a copy (h2d, d2h: pinned memory; d2d) and a
 * kernel: compute_1000us multiplies and adds in registers, memory_1000us reads the
 * GPU's memory, each for about so long alone; gemm is bf16, 8192 x 8192 x 8192. bytes
 * are the copy's, 0 where there is none. */
#include <stdio.h>

#include "bench.h"
#include "beside.h"
#include "coarse_first.h"
#include "heat.h"
#include "loads.h"
#include "verify.h"

enum { SEED = 4, POISON = 96, COPY_MOST_LOG2 = 30, PART_LOG2 = 30 };
enum { WAYS = 3, LENGTHS = 5, SIZES = 6, BLOCKS_PER_SM = 4 };
enum { KERNELS = 1 + 2 * LENGTHS };
#define ROW_S 0.08
#define GEMM_ABOUT_US 2000.0

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

struct kernel {
    char name[24];
    int length_us; /* of a load; 0: the GEMM */
    struct load load;
    double alone_us; /* 0: not measured yet */
};

struct overlap {
    struct bench *bench;
    struct load_memory memory;
    struct heat *heat;
    bool right; /* all that was compared so far */
    struct way way[WAYS];
    struct kernel kernel[KERNELS]; /* in the order of measuring */
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

static void enqueue_gemm(void *state, int, cudaStream_t stream) {
    heat_enqueue((struct heat *)state, stream);
}

static struct beside_work kernel_work(struct overlap *o, struct kernel *k) {
    if (k->length_us == 0) return {enqueue_gemm, o->heat, o->kernels};
    return {load_enqueue, &k->load, o->kernels};
}

static bool kernel_alone(struct overlap *o, struct kernel *k) {
    if (k->alone_us > 0) return true;
    double about = GEMM_ABOUT_US;
    if (k->length_us > 0)
        about = load_prepare(&k->load, k->load.kind, &o->memory,
                             bench_properties(o->bench)->multiProcessorCount,
                             BLOCKS_PER_SM, k->length_us, o->kernels);
    struct beside_work work = kernel_work(o, k);
    char variant[48];
    snprintf(variant, sizeof variant, "%s_alone", k->name);
    return measure(o, variant, 0, &work, about, NULL, 0, &k->alone_us);
}

/* One copy beside one kernel: the time of each. */
static bool pair(struct overlap *o, struct way *way, int size, struct kernel *kernel) {
    char variant[2][64];
    snprintf(variant[0], sizeof variant[0], "%s_beside_%s", way->name, kernel->name);
    snprintf(variant[1], sizeof variant[1], "%s_beside_%s", kernel->name, way->name);
    size_t bytes = (size_t)1 << size_log2[size];
    if (!wanted(o, variant[0], bytes) && !wanted(o, variant[1], bytes))
        return bench_left_s(o->bench) > 0;
    if (!copy_alone(o, way, size) || !kernel_alone(o, kernel)) return false;
    double copy_us = way->alone_us[size], kernel_us = kernel->alone_us;
    if (copy_us <= 0 || kernel_us <= 0) return true; /* said by measure() */
    struct copy copy = {way, bytes, (size_t)1 << COPY_MOST_LOG2};
    struct beside_work c = {enqueue_copy, &copy, o->copies};
    struct beside_work k = kernel_work(o, kernel);
    return measure(o, variant[0], bytes, &c, copy_us, &k, kernel_us, NULL) &&
           measure(o, variant[1], bytes, &k, kernel_us, &c, copy_us, NULL);
}

/* The GEMM, then compute and memory in each length, ends and middle first. */
static void list_kernels(struct overlap *o) {
    int order[LENGTHS], count = 0;
    coarse_first(order, LENGTHS);
    snprintf(o->kernel[count++].name, sizeof o->kernel[0].name, "gemm");
    for (int l = 0; l < LENGTHS; l++)
        for (int kind = LOAD_COMPUTE; kind <= LOAD_MEMORY; kind++) {
            struct kernel *k = &o->kernel[count++];
            k->length_us = length_us[order[l]];
            k->load.kind = (enum load_kind)kind;
            snprintf(k->name, sizeof k->name, "%s_%dus", load_name[kind], k->length_us);
        }
}

static bool grid(struct overlap *o, int sizes, int kernels, int ways) {
    int size[SIZES];
    coarse_first(size, SIZES);
    for (int s = 0; s < sizes; s++)
        for (int k = 0; k < kernels; k++)
            for (int w = 0; w < ways; w++)
                if (!pair(o, &o->way[w], size[s], &o->kernel[k])) return false;
    return true;
}

/* Two rows per pair, and one per copy and kernel alone. */
static long rows_of(int sizes, int kernels, int ways) {
    return 2L * sizes * kernels * ways + sizes * ways + kernels;
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
    o.heat = heat_begin();
    list_kernels(&o);
    /* the ends and the middle of the ranges first, then all of them */
    if (bench_quick(bench)) {
        bench_expect(bench, rows_of(2, 5, 2));
        grid(&o, 2, 5, 2);
    } else {
        bench_expect(bench, rows_of(3, 7, WAYS) + rows_of(SIZES, KERNELS, WAYS));
        if (grid(&o, 3, 7, WAYS)) grid(&o, SIZES, KERNELS, WAYS);
    }
    heat_end(o.heat);
    load_memory_close(&o.memory);
    CUDA(cudaStreamDestroy(o.kernels));
    CUDA(cudaStreamDestroy(o.copies));
    for (char *memory : pinned) CUDA(cudaFreeHost(memory));
    for (char *memory : device) CUDA(cudaFree(memory));
}

const struct quantity quantity_overlap = {
    "overlap", "copies beside compute, memory and GEMM kernels: the slowdown of both",
    0.05, run};
