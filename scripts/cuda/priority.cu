/* How long a short kernel of high priority waits behind long blocks of low priority:
 * the GPU gives way between blocks, not within one.
 *
 * count is the length of the low-priority blocks in us, 0 where nothing else runs. The
 * low-priority kernel fills all SMs with several rounds of blocks; the other one is
 * launched at a random moment of a block, and timed by the host from the launch until
 * it is known to have ended. Variants:
 * - high: one block; all low-priority blocks are equally long and end together
 * - high_staggered: the blocks last 0.5 to 1.5 times as long, and end one by one
 * - high_wide: as many blocks as there are SMs
 * - same: as high, without a priority: it waits for the whole kernel */
#include <stdio.h>

#include "bench.h"
#include "device_clock.h"
#include "pattern.h"

enum { LOW_THREADS = 1024, LOW_PER_SM = 2, ROUNDS = 6, SAMPLES_MOST = 60 };
#define START_LIMIT_S 2.0

enum variant { HIGH, STAGGERED, WIDE, SAME, VARIANTS };
static const char *const variant_name[] = {"high", "high_staggered", "high_wide",
                                           "same"};

struct priority {
    struct bench *bench;
    cudaStream_t low, high, same;
    volatile int *started, *started_on_device; /* the turn whose blocks run */
    int sms;
};

struct wait_work {
    struct priority *p;
    enum variant variant;
    int block_us; /* 0: nothing else runs */
};

/* Each block spins for its time. 2 blocks of 1,024 threads hold all threads of an SM,
 * so that nothing fits beside them. */
static __global__ void __launch_bounds__(LOW_THREADS, LOW_PER_SM)
    low_kernel(unsigned long long ns, bool staggered, volatile int *started, int turn) {
    unsigned long long begin = device_ns(), mine = ns;
    if (blockIdx.x == 0 && threadIdx.x == 0) {
        *started = turn;
        __threadfence_system();
    }
    if (staggered) mine = ns / 2 + pattern_mix(blockIdx.x) % (ns + 1);
    while (device_ns() - begin < mine) {
    }
}

static __global__ void short_kernel(void) {}

/* Waits until the low-priority blocks run. */
static bool low_runs(struct priority *p, int turn) {
    double began = bench_now_s();
    while (*p->started != turn)
        if (bench_now_s() - began > START_LIMIT_S) {
            fprintf(stderr, "hotdesk-bench: the low-priority kernel did not start\n");
            return false;
        }
    return true;
}

static double once(void *state, int turn) {
    const struct wait_work *w = (const struct wait_work *)state;
    struct priority *p = w->p;
    cudaStream_t stream = w->variant == SAME ? p->same : p->high;
    int blocks = w->variant == WIDE ? p->sms : 1;
    if (w->block_us > 0) {
        int low_blocks = p->sms * LOW_PER_SM * ROUNDS;
        double within =
            (double)(pattern_mix(bench_seed(p->bench) + (uint64_t)turn) >> 11) /
            (double)(1ull << 53) * w->block_us * 1e-6;
        *p->started = -1;
        low_kernel<<<low_blocks, LOW_THREADS, 0, p->low>>>(
            1000ull * (unsigned)w->block_us, w->variant == STAGGERED,
            p->started_on_device, turn);
        CUDA(cudaGetLastError());
        if (!low_runs(p, turn)) return -1;
        for (double began = bench_now_s(); bench_now_s() - began < within;) {
        }
    }
    double began = bench_now_s();
    short_kernel<<<blocks, LOW_THREADS, 0, stream>>>();
    cudaError_t answer;
    while ((answer = cudaStreamQuery(stream)) == cudaErrorNotReady) {
    }
    double seconds = bench_now_s() - began;
    CUDA(answer);
    CUDA(cudaStreamSynchronize(p->low));
    return seconds;
}

static bool row(struct priority *p, enum variant variant, int block_us) {
    struct shape shape = shape_of("preemption", variant_name[variant], "");
    shape.count = block_us;
    struct wait_work w = {p, variant, block_us};
    struct host_work work = {once, &w, SAMPLES_MOST};
    return bench_host(p->bench, &shape, &work);
}

static bool all_rows(struct priority *p) {
    static const int lengths[] = {1000, 100, 10000, 300, 3000, 200, 500, 2000, 5000};
    int count = bench_quick(p->bench) ? 2 : (int)(sizeof lengths / sizeof *lengths);
    bench_expect(p->bench, VARIANTS * count + 2);
    if (!row(p, HIGH, 0) || !row(p, WIDE, 0)) return false;
    for (int i = 0; i < count; i++)
        for (int v = 0; v < VARIANTS; v++)
            if (!row(p, (enum variant)v, lengths[i])) return false;
    return true;
}

static void run(struct bench *bench) {
    struct priority p = {};
    int least, greatest;
    p.bench = bench;
    p.sms = bench_properties(bench)->multiProcessorCount;
    CUDA(cudaDeviceGetStreamPriorityRange(&least, &greatest));
    if (least == greatest) {
        bench_skip(bench, "the device has no stream priorities");
        return;
    }
    CUDA(cudaStreamCreateWithPriority(&p.low, cudaStreamNonBlocking, least));
    CUDA(cudaStreamCreateWithPriority(&p.high, cudaStreamNonBlocking, greatest));
    CUDA(cudaStreamCreateWithPriority(&p.same, cudaStreamNonBlocking, least));
    CUDA(cudaHostAlloc((void **)&p.started, sizeof *p.started, cudaHostAllocMapped));
    CUDA(cudaHostGetDevicePointer((void **)&p.started_on_device, (void *)p.started, 0));
    all_rows(&p);
    CUDA(cudaFreeHost((void *)p.started));
    CUDA(cudaStreamDestroy(p.same));
    CUDA(cudaStreamDestroy(p.high));
    CUDA(cudaStreamDestroy(p.low));
}

const struct quantity quantity_priority = {
    "priority", "a short high-priority kernel behind long low-priority blocks", 0.02,
    run};
