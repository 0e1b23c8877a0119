/* Many small KV blocks between the GPU and pinned host memory: what a block and what a
 * byte costs, by the way that they are moved.
 *
 * bytes are those of one block, count the blocks; *_d2h swaps out, *_h2d swaps in:
 * - memcpy_each: one copy per block, both sides scattered
 * - memcpy_batch: one call for all, both sides scattered
 * - gather_kernel: a kernel gathers (scatters) them in the GPU's memory, one copy moves
 *   them
 * - direct_kernel: a kernel moves them from or to the host's memory, both sides
 * scattered
 * - one_copy: the floor, as many bytes in one piece
 *
 * The host's time from the first call until the data is there; nothing else runs. */
#include <stdio.h>

#include "bench.h"
#include "block_map.h"
#include "coarse_first.h"
#include "verify.h"

enum { SEED = 5, POISON = 95, THREADS = 256, BLOCKS_PER_SM = 8 };
enum { POOL_LOG2 = 30, MOVED_MOST_LOG2 = 29 };
enum { SIZES = 5, COUNTS = 9, SIZES_QUICK = 2, COUNTS_QUICK = 3 };
static const int size_log2[SIZES] = {13, 15, 17, 19, 21};
static const int count_log2[COUNTS] = {0, 2, 4, 6, 8, 10, 12, 14, 16};

enum method { EACH, BATCH, GATHER, DIRECT, ONE, METHODS };
static const char *const method_name[] = {"memcpy_each", "memcpy_batch",
                                          "gather_kernel", "direct_kernel", "one_copy"};

struct blocks {
    struct bench *bench;
    char *device_from, *device_to, *host_from,
        *host_to;  /* pools of 2^POOL_LOG2 bytes */
    char *staging; /* device memory for the blocks behind one another */
    cudaStream_t stream;
    int sms;
};

/* One row. */
struct block_work {
    struct blocks *b;
    enum method method;
    bool up;   /* to the host */
    int shift; /* a block has 2^shift bytes */
    uint32_t count;
    char *to;
    const char *from;
    void **batch_to; /* for the batch: where each block goes and comes from */
    const void **batch_from;
    size_t *batch_bytes;
};

static __global__ void move_kernel(vector16 *to, struct block_map to_map,
                                   const vector16 *from, struct block_map from_map,
                                   int shift, size_t count) {
    size_t thread = (size_t)blockIdx.x * blockDim.x + threadIdx.x;
    size_t threads = (size_t)gridDim.x * blockDim.x;
    block_move(to, to_map, from, from_map, shift, count, thread, threads);
}

/* Fills the blocks' words with poison (wrong NULL), or counts those that are not the
 * pattern of the place that they came from. */
static __global__ void check_kernel(uint32_t *to, struct block_map to_map,
                                    struct block_map from_map, int words_log2,
                                    size_t count, unsigned long long *wrong) {
    size_t threads = (size_t)gridDim.x * blockDim.x, words = count << words_log2;
    unsigned long long mine = 0;
    for (size_t i = (size_t)blockIdx.x * blockDim.x + threadIdx.x; i < words;
         i += threads) {
        uint32_t block = (uint32_t)(i >> words_log2);
        size_t inside = i - ((size_t)block << words_log2);
        size_t there = (block_slot(to_map, block) << words_log2) + inside;
        size_t came_from = (block_slot(from_map, block) << words_log2) + inside;
        if (wrong)
            mine += to[there] != pattern_word(SEED, came_from);
        else
            to[there] = pattern_word(POISON, there);
    }
    if (mine > 0) atomicAdd(wrong, mine);
}

/* The slots of a turn's blocks: the next ones of the pool each time. */
static struct block_map scattered(const struct block_work *w, int turn, uint32_t step) {
    uint32_t slots = 1u << (POOL_LOG2 - w->shift);
    return {step, (uint32_t)turn * w->count * step, slots};
}

static struct block_map in_a_row(const struct block_work *w, int turn) {
    return scattered(w, turn, 1);
}

static struct block_map from_map(const struct block_work *w, int turn) {
    bool rows = w->method == ONE || (w->method == GATHER && !w->up);
    return rows ? in_a_row(w, turn) : scattered(w, turn, 2654435761u);
}

static struct block_map to_map(const struct block_work *w, int turn) {
    bool rows = w->method == ONE || (w->method == GATHER && w->up);
    return rows ? in_a_row(w, turn) : scattered(w, turn, 2246822519u);
}

static int launch_blocks(const struct block_work *w) {
    size_t needed = ((size_t)w->count << w->shift) / sizeof(vector16) / THREADS;
    size_t most = (size_t)w->b->sms * BLOCKS_PER_SM;
    return (int)(needed < 1 ? 1 : needed < most ? needed : most);
}

static void move_by_kernel(const struct block_work *w, char *to, struct block_map to_at,
                           const char *from, struct block_map from_at) {
    move_kernel<<<launch_blocks(w), THREADS, 0, w->b->stream>>>(
        (vector16 *)to, to_at, (const vector16 *)from, from_at, w->shift - 4, w->count);
    CUDA(cudaGetLastError());
}

static cudaMemcpyKind kind_of(const struct block_work *w) {
    return w->up ? cudaMemcpyDeviceToHost : cudaMemcpyHostToDevice;
}

static size_t byte_at(const struct block_work *w, struct block_map map,
                      uint32_t block) {
    return block_slot(map, block) << w->shift;
}

static void move_each(const struct block_work *w, int turn) {
    struct block_map to = to_map(w, turn), from = from_map(w, turn);
    for (uint32_t i = 0; i < w->count; i++)
        CUDA(cudaMemcpyAsync(w->to + byte_at(w, to, i), w->from + byte_at(w, from, i),
                             (size_t)1 << w->shift, kind_of(w), w->b->stream));
}

static void list_batch(const struct block_work *w, int turn) {
    struct block_map to = to_map(w, turn), from = from_map(w, turn);
    for (uint32_t i = 0; i < w->count; i++) {
        w->batch_to[i] = w->to + byte_at(w, to, i);
        w->batch_from[i] = w->from + byte_at(w, from, i);
        w->batch_bytes[i] = (size_t)1 << w->shift;
    }
}

static cudaError_t move_batch(const struct block_work *w) {
#if CUDART_VERSION >= 12080
    struct cudaMemcpyAttributes attributes = {};
    size_t first = 0;
    attributes.srcAccessOrder = cudaMemcpySrcAccessOrderStream;
#if CUDART_VERSION >= 13000
    return cudaMemcpyBatchAsync(w->batch_to, w->batch_from, w->batch_bytes, w->count,
                                &attributes, &first, 1, w->b->stream);
#else
    size_t failed = 0;
    return cudaMemcpyBatchAsync(w->batch_to, (void **)w->batch_from, w->batch_bytes,
                                w->count, &attributes, &first, 1, &failed,
                                w->b->stream);
#endif
#else
    (void)w;
    return cudaErrorNotSupported;
#endif
}

/* The copy's side in the host's memory lies in a row; the GPU's is gathered before it
 * leaves, or scattered once it is there. */
static void move_gathered(const struct block_work *w, int turn) {
    size_t bytes = (size_t)w->count << w->shift;
    struct block_map staged = in_a_row(w, 0), to = to_map(w, turn),
                     from = from_map(w, turn);
    if (w->up) {
        move_by_kernel(w, w->b->staging, staged, w->from, from);
        CUDA(cudaMemcpyAsync(w->to + byte_at(w, to, 0), w->b->staging, bytes,
                             kind_of(w), w->b->stream));
    } else {
        CUDA(cudaMemcpyAsync(w->b->staging, w->from + byte_at(w, from, 0), bytes,
                             kind_of(w), w->b->stream));
        move_by_kernel(w, w->to, to, w->b->staging, staged);
    }
}

static double once(void *state, int turn) {
    const struct block_work *w = (const struct block_work *)state;
    if (w->method == BATCH) list_batch(w, turn);
    double began = bench_now_s();
    switch (w->method) {
    case EACH:
        move_each(w, turn);
        break;
    case BATCH: {
        cudaError_t answer = move_batch(w);
        if (answer != cudaSuccess) {
            cudaGetLastError();
            fprintf(stderr, "hotdesk-bench: cudaMemcpyBatchAsync of %u blocks: %s\n",
                    w->count, cudaGetErrorString(answer));
            return -1;
        }
        break;
    }
    case GATHER:
        move_gathered(w, turn);
        break;
    case DIRECT:
        move_by_kernel(w, w->to, to_map(w, turn), w->from, from_map(w, turn));
        break;
    default:
        CUDA(cudaMemcpyAsync(w->to + byte_at(w, to_map(w, turn), 0),
                             w->from + byte_at(w, from_map(w, turn), 0),
                             (size_t)w->count << w->shift, kind_of(w), w->b->stream));
    }
    CUDA(cudaStreamSynchronize(w->b->stream));
    return bench_now_s() - began;
}

/* Moves one turn's blocks into poisoned slots and compares them. false: it could not be
 * done at all, which once() has said. */
static bool verify(struct block_work *w, const struct shape *shape) {
    int turn = 1;
    unsigned long long *count, wrong = 0;
    CUDA(cudaMalloc(&count, sizeof *count));
    CUDA(cudaMemset(count, 0, sizeof *count));
    check_kernel<<<1024, THREADS>>>((uint32_t *)w->to, to_map(w, turn),
                                    from_map(w, turn), w->shift - 2, w->count, NULL);
    CUDA(cudaDeviceSynchronize());
    bool moved = once(w, turn) >= 0;
    if (moved) {
        check_kernel<<<1024, THREADS>>>((uint32_t *)w->to, to_map(w, turn),
                                        from_map(w, turn), w->shift - 2, w->count,
                                        count);
        CUDA(cudaGetLastError());
        CUDA(cudaMemcpy(&wrong, count, sizeof wrong, cudaMemcpyDeviceToHost));
        bench_verified(w->b->bench, shape, wrong == 0,
                       "%llu words of %u blocks of %ld bytes differ", wrong, w->count,
                       shape->bytes);
    }
    CUDA(cudaFree(count));
    return moved;
}

static bool row(struct blocks *b, enum method method, bool up, int shift,
                uint32_t count) {
    char variant[40];
    snprintf(variant, sizeof variant, "%s_%s", method_name[method], up ? "d2h" : "h2d");
    struct shape shape = shape_of("block_gather", variant, "");
    shape.bytes = 1L << shift;
    shape.count = count;
    if (!bench_wants(b->bench, &shape)) return bench_left_s(b->bench) > 0;
    struct block_work w = {};
    w.b = b;
    w.method = method;
    w.up = up;
    w.shift = shift;
    w.count = count;
    w.to = up ? b->host_to : b->device_to;
    w.from = up ? b->device_from : b->host_from;
    if (method == BATCH) {
        w.batch_to = new void *[count];
        w.batch_from = new const void *[count];
        w.batch_bytes = new size_t[count];
    }
    struct host_work work = {once, &w, 0};
    bool go_on = true;
    if (verify(&w, &shape))
        go_on = bench_host(b->bench, &shape, &work);
    else
        bench_skip(b->bench, "blocks: cudaMemcpyBatchAsync refuses it");
    delete[] w.batch_to;
    delete[] w.batch_from;
    delete[] w.batch_bytes;
    return go_on;
}

static bool point(struct blocks *b, int shift, int log2_count) {
    if (shift + log2_count > MOVED_MOST_LOG2) return true;
    for (int up = 1; up >= 0; up--)
        for (int m = 0; m < METHODS; m++) {
            if (m == BATCH && CUDART_VERSION < 12080) continue; /* said in run() */
            if (!row(b, (enum method)m, up == 1, shift, 1u << log2_count)) return false;
        }
    return true;
}

static bool all_points(struct blocks *b, int sizes, int counts) {
    int size[SIZES], count[COUNTS];
    coarse_first(size, SIZES);
    coarse_first(count, COUNTS);
    for (int c = 0; c < counts; c++)
        for (int s = 0; s < sizes; s++)
            if (!point(b, size_log2[size[s]], count_log2[count[c]])) return false;
    return true;
}

static void run(struct bench *bench) {
    size_t pool = (size_t)1 << POOL_LOG2;
    struct blocks b = {};
    b.bench = bench;
    b.sms = bench_properties(bench)->multiProcessorCount;
    CUDA(cudaMalloc(&b.device_from, pool));
    CUDA(cudaMalloc(&b.device_to, pool));
    CUDA(cudaMalloc(&b.staging, (size_t)1 << MOVED_MOST_LOG2));
    CUDA(cudaHostAlloc(&b.host_from, pool, cudaHostAllocDefault));
    CUDA(cudaHostAlloc(&b.host_to, pool, cudaHostAllocDefault));
    CUDA(cudaStreamCreateWithFlags(&b.stream, cudaStreamNonBlocking));
    verify_fill(b.device_from, pool, SEED, 0);
    verify_fill(b.host_from, pool, SEED, 0);
    if (CUDART_VERSION < 12080)
        bench_skip(bench, "blocks: cudaMemcpyBatchAsync needs CUDA 12.8");
    int points = 0;
    for (int c = 0; c < COUNTS; c++)
        for (int s = 0; s < SIZES; s++)
            points += size_log2[s] + count_log2[c] <= MOVED_MOST_LOG2;
    bench_expect(bench, 2L * METHODS *
                            (bench_quick(bench) ? SIZES_QUICK * COUNTS_QUICK : points));
    if (bench_quick(bench))
        all_points(&b, SIZES_QUICK, COUNTS_QUICK);
    else
        all_points(&b, SIZES, COUNTS);
    CUDA(cudaStreamDestroy(b.stream));
    CUDA(cudaFreeHost(b.host_to));
    CUDA(cudaFreeHost(b.host_from));
    CUDA(cudaFree(b.staging));
    CUDA(cudaFree(b.device_to));
    CUDA(cudaFree(b.device_from));
}

const struct quantity quantity_blocks = {
    "blocks", "many KV blocks between GPU and host: copies, batches, kernels", 0.06,
    run};
