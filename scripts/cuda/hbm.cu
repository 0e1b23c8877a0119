/* Reading, writing, copying and adding arrays in the GPU's memory: what share of the
 * data sheet's bandwidth a kernel gets, from which size on, and at which occupancy.
 *
 * bytes are all those that one repetition reads and writes, so that bytes / time is the
 * bandwidth: a copy of bytes moves half of them from one array to another, a triad has
 * three arrays of a third. Caches are cold, but for the *_warm variants: these use the
 * same bytes again each time, so that the knee at the size of the L2 cache shows
 * against the cold ones. *_occupancy_P: P percent of the threads that an SM can hold.
 */
#include <stdio.h>

#include "bench.h"
#include "coarse_first.h"
#include "stream_memory.h"
#include "verify.h"

/* 64 warps are the most that an SM of any GPU holds. */
enum { WARPS_PER_SM = 64 };
enum { THREADS = 256, SMALL_THREADS = 64, SEED = 1, POISON = 99 };
enum { LEAST_LOG2 = 12, MOST_LOG2 = 33, WARM_MOST_LOG2 = 28, SIZES = 22 };
enum { COARSE_SIZES = 8, QUICK_SIZES = 5, OCCUPANCY_STEPS = 10 };

enum access { READ, WRITE, COPY, TRIAD, ACCESSES };
static const char *const access_name[] = {"read", "write", "copy", "triad"};
static const int arrays_of[] = {1, 1, 2, 3};

/* The xor of a warp is stored once per warp: without a use the loads would go away. */
static __device__ void store_xor(uint32_t mine, uint32_t *result, size_t thread) {
    mine = __reduce_xor_sync(0xffffffffu, mine);
    if (thread % 32 == 0) result[thread / 32] = mine;
}

template <enum access ACCESS>
static __device__ void access_memory(vector16 *out, const vector16 *a,
                                     const vector16 *b, size_t count,
                                     uint32_t *result) {
    size_t thread = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t threads = (size_t)gridDim.x * blockDim.x;
    if (ACCESS == READ)
        store_xor(stream_read(a, count, STREAM_NO_WRAP, thread, threads), result,
                  thread);
    else if (ACCESS == WRITE)
        stream_write(out, count, SEED, thread, threads);
    else if (ACCESS == COPY)
        stream_copy(out, a, count, STREAM_NO_WRAP, thread, threads);
    else
        stream_triad(out, a, b, count, thread, threads);
}

/* The bounds leave registers for all the threads that an SM can hold. */
template <enum access ACCESS>
static __global__ void __launch_bounds__(THREADS, 2048 / THREADS)
    memory_kernel(vector16 *out, const vector16 *a, const vector16 *b, size_t count,
                  uint32_t *result) {
    access_memory<ACCESS>(out, a, b, count, result);
}

typedef void (*kernel)(vector16 *, const vector16 *, const vector16 *, size_t,
                       uint32_t *);
static const kernel kernel_of[] = {memory_kernel<READ>, memory_kernel<WRITE>,
                                   memory_kernel<COPY>, memory_kernel<TRIAD>};

/* One row: its arrays behind one another, in as many places as a cold cache demands. */
struct memory_work {
    enum access access;
    char *arena;
    size_t array_bytes, place_bytes;
    int places, blocks, threads;
    uint32_t *result; /* one word per warp */
};

static vector16 *array_at(const struct memory_work *w, int turn, int array) {
    return (vector16 *)(w->arena + (size_t)(turn % w->places) * w->place_bytes +
                        (size_t)array * w->array_bytes);
}

/* The last array is the output where there is one beside the inputs. */
static vector16 *output_at(const struct memory_work *w, int turn) {
    return array_at(w, turn, arrays_of[w->access] - 1);
}

static void enqueue(void *state, int turn, cudaStream_t stream) {
    const struct memory_work *w = (const struct memory_work *)state;
    const vector16 *second = w->access == TRIAD ? array_at(w, turn, 1) : NULL;
    kernel_of[w->access]<<<w->blocks, w->threads, 0, stream>>>(
        output_at(w, turn), array_at(w, turn, 0), second,
        w->array_bytes / sizeof(vector16), w->result);
}

struct hbm {
    struct bench *bench;
    char *arena;
    size_t arena_bytes;
    uint32_t *result;
    int l2_bytes, sms;
};

/* How many of the words at the output's beginning and end differ from a + 3 b. */
static unsigned long long triad_wrong(const struct memory_work *w, int turn) {
    const size_t piece_most = 1 << 16;
    uint32_t *word = new uint32_t[piece_most];
    unsigned long long wrong = 0;
    size_t words = w->array_bytes / 4;
    size_t piece = words < piece_most ? words : piece_most;
    for (int end = 0; end < 2; end++) {
        size_t first = end ? words - piece : 0;
        const char *from = (const char *)output_at(w, turn) + first * 4;
        CUDA(cudaMemcpy(word, from, piece * 4, cudaMemcpyDeviceToHost));
        for (size_t i = 0; i < piece; i++)
            wrong += word[i] != pattern_word(SEED, first + i) +
                                    3 * pattern_word(SEED + 1, first + i);
    }
    delete[] word;
    return wrong;
}

static unsigned long long read_wrong(const struct memory_work *w) {
    size_t warps = (size_t)w->blocks * (size_t)w->threads / 32;
    uint32_t *sum = new uint32_t[warps];
    uint32_t all = 0;
    CUDA(cudaMemcpy(sum, w->result, warps * sizeof *sum, cudaMemcpyDeviceToHost));
    for (size_t i = 0; i < warps; i++) all ^= sum[i];
    delete[] sum;
    return all != verify_xor(w->array_bytes, SEED, 0);
}

/* One repetition in the last place, against what it must leave. */
static void verify(struct hbm *h, const struct shape *shape, struct memory_work *w) {
    int turn = w->places - 1;
    unsigned long long wrong = 0;
    for (int array = 0; array < arrays_of[w->access]; array++)
        verify_fill(array_at(w, turn, array), w->array_bytes, SEED + (uint32_t)array,
                    0);
    if (w->access != READ) verify_fill(output_at(w, turn), w->array_bytes, POISON, 0);
    enqueue(w, turn, 0);
    CUDA(cudaGetLastError());
    CUDA(cudaDeviceSynchronize());
    switch (w->access) {
    case READ:
        wrong = read_wrong(w);
        break;
    case TRIAD:
        wrong = triad_wrong(w, turn);
        break;
    default:
        wrong = verify_wrong(output_at(w, turn), w->array_bytes, SEED, 0);
    }
    bench_verified(h->bench, shape, wrong == 0,
                   "%llu results (words, or the sum that was read) of %zu bytes differ",
                   wrong, w->array_bytes);
}

/* Measures one row; occupancy in percent, 0: as large blocks have it. */
static bool row(struct hbm *h, enum access access, size_t bytes, bool warm,
                int occupancy) {
    struct memory_work w = {};
    w.access = access;
    w.arena = h->arena;
    char variant[40];
    snprintf(variant, sizeof variant, "%s%s", access_name[access], warm ? "_warm" : "");
    w.array_bytes =
        bytes / (size_t)arrays_of[access] / sizeof(vector16) * sizeof(vector16);
    size_t used = w.array_bytes * (size_t)arrays_of[access];
    w.place_bytes = (used + 511) / 512 * 512;
    size_t cold = 4 * (size_t)h->l2_bytes / used + 1,
           room = h->arena_bytes / w.place_bytes;
    if (room < 1) return true; /* the list of sizes ends below: see run() */
    w.places = warm ? 1 : (int)(cold < room ? cold : room);
    w.result = h->result;
    w.threads = THREADS;
    int per_sm = 0;
    if (occupancy > 0) {
        snprintf(variant, sizeof variant, "%s_occupancy_%d", access_name[access],
                 occupancy);
        w.threads = SMALL_THREADS;
        int most = bench_properties(h->bench)->maxThreadsPerMultiProcessor / w.threads;
        per_sm = most * occupancy / 100 > 0 ? most * occupancy / 100 : 1;
    } else {
        CUDA(cudaOccupancyMaxActiveBlocksPerMultiprocessor(&per_sm, kernel_of[access],
                                                           w.threads, 0));
    }
    size_t needed = (w.array_bytes / sizeof(vector16) + w.threads - 1) / w.threads;
    size_t resident = (size_t)per_sm * (size_t)h->sms;
    w.blocks = (int)(needed < resident ? needed : resident);
    struct shape shape = shape_of("hbm", variant, "");
    shape.bytes = (long)used;
    if (!bench_wants(h->bench, &shape)) return bench_left_s(h->bench) > 0;
    verify(h, &shape, &w);
    struct device_work work = {enqueue, &w, 1};
    return bench_device(h->bench, &shape, &work);
}

static bool size_rows(struct hbm *h, int log2_bytes) {
    size_t bytes = (size_t)1 << log2_bytes;
    for (int a = 0; a < ACCESSES; a++) {
        if (!row(h, (enum access)a, bytes, false, 0)) return false;
        bool warm = log2_bytes <= WARM_MOST_LOG2 && (a == READ || a == COPY);
        if (warm && !row(h, (enum access)a, bytes, true, 0)) return false;
    }
    return true;
}

static bool occupancy_rows(struct hbm *h) {
    size_t bytes = (size_t)1 << 30;
    for (int step = 1; step <= OCCUPANCY_STEPS; step++)
        for (int a = 0; a < ACCESSES; a++)
            if (!row(h, (enum access)a, bytes, false, 100 * step / OCCUPANCY_STEPS))
                return false;
    return true;
}

static bool all_rows(struct hbm *h, int sizes) {
    int order[SIZES];
    coarse_first(order, sizes);
    bool quick = bench_quick(h->bench);
    int last = quick ? QUICK_SIZES : sizes;
    for (int i = 0; i < last && i < sizes; i++) {
        if (i == COARSE_SIZES && !occupancy_rows(h)) return false;
        if (!size_rows(h, LEAST_LOG2 + order[i])) return false;
    }
    return true;
}

static void run(struct bench *bench) {
    const cudaDeviceProp *p = bench_properties(bench);
    struct hbm h = {};
    h.bench = bench;
    h.l2_bytes = p->l2CacheSize;
    h.sms = p->multiProcessorCount;
    size_t free_bytes, total_bytes;
    CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    int sizes = SIZES;
    while (((size_t)1 << (LEAST_LOG2 + sizes - 1)) > free_bytes / 2) sizes--;
    if (sizes < SIZES) bench_skip(bench, "hbm: the largest arrays do not fit");
    h.arena_bytes = (size_t)1 << (LEAST_LOG2 + sizes - 1);
    CUDA(cudaMalloc(&h.arena, h.arena_bytes));
    verify_fill(h.arena, h.arena_bytes, SEED, 0); /* zeros might be read faster */
    CUDA(cudaMalloc(&h.result, (size_t)h.sms * WARPS_PER_SM * sizeof *h.result));
    bench_expect(bench, bench_quick(bench) ? 6 * QUICK_SIZES
                                           : 6 * sizes + ACCESSES * OCCUPANCY_STEPS);
    all_rows(&h, sizes);
    CUDA(cudaFree(h.result));
    CUDA(cudaFree(h.arena));
}

const struct quantity quantity_hbm = {
    "hbm", "reading, writing, copying, adding arrays in GPU memory, 4 KB to 8 GB", 0.05,
    run};
