/* 5: what it costs to launch kernels that do nothing: the floor under every layer of an
 * engine that launches each kernel by itself. */
#include "bench.h"

/* The kernel's arguments are copied at every launch. */
template <int BYTES> struct arguments { unsigned char byte[BYTES]; };

static __global__ void empty() {}
template <int BYTES> static __global__ void empty_with(struct arguments<BYTES>) {}

static void launch_none(cudaStream_t stream) {
    empty<<<1, 1, 0, stream>>>();
}

template <int BYTES> static void launch_with(cudaStream_t stream) {
    static const struct arguments<BYTES> all_zero = {};
    empty_with<BYTES><<<1, 1, 0, stream>>>(all_zero);
}

static const struct {
    long bytes;
    void (*launch)(cudaStream_t);
} kernels[] = {{0, launch_none},
               {64, launch_with<64>},
               {256, launch_with<256>},
               {1024, launch_with<1024>},
               {4096, launch_with<4096>}};

static const long counts[] = {1, 10, 100, 1000, 2, 5, 20, 50, 200, 500};
enum { KERNELS = sizeof kernels / sizeof *kernels, MOST_BEHIND_GATE = 500 };

struct launches {
    void (*launch)(cudaStream_t);
    long count;
    cudaStream_t stream;
};

static void enqueue(void *state, int, cudaStream_t stream) {
    const struct launches *l = (const struct launches *)state;
    for (long i = 0; i < l->count; i++) l->launch(stream);
}

/* Until the last call has returned: the host is free again, the device may lag. */
static double time_calls(void *state, int turn) {
    const struct launches *l = (const struct launches *)state;
    CUDA(cudaStreamSynchronize(l->stream));
    double start = bench_now_s();
    enqueue(state, turn, l->stream);
    double seconds = bench_now_s() - start;
    CUDA(cudaGetLastError());
    return seconds;
}

/* Until the host knows that the last one has ended. */
static double time_complete(void *state, int turn) {
    const struct launches *l = (const struct launches *)state;
    CUDA(cudaStreamSynchronize(l->stream));
    double start = bench_now_s();
    enqueue(state, turn, l->stream);
    CUDA(cudaStreamSynchronize(l->stream));
    return bench_now_s() - start;
}

static bool measure(struct bench *b, struct launches *l, long bytes) {
    struct shape shape = shape_of("launch", "calls", "");
    struct host_work calls = {time_calls, l, 0}, complete = {time_complete, l, 0};
    struct device_work device = {enqueue, l, (int)l->count};
    shape.count = l->count;
    shape.bytes = bytes;
    if (!bench_host(b, &shape, &calls)) return false;
    shape.variant = "complete";
    if (!bench_host(b, &shape, &complete)) return false;
    shape.variant = "device";
    return l->count > MOST_BEHIND_GATE || bench_device(b, &shape, &device);
}

static void run(struct bench *b) {
    struct launches l = {};
    int sizes = bench_quick(b) ? 4 : (int)(sizeof counts / sizeof *counts);
    CUDA(cudaStreamCreateWithFlags(&l.stream, cudaStreamNonBlocking));
    bench_expect(b, 3L * sizes * KERNELS);
    for (int i = 0; i < sizes; i++) {
        for (int j = 0; j < KERNELS; j++) {
            l.launch = kernels[j].launch;
            l.count = counts[i];
            if (!measure(b, &l, kernels[j].bytes)) return;
        }
    }
    CUDA(cudaStreamDestroy(l.stream));
}

const struct quantity quantity_launch = {
    "launch", "launching empty kernels: calls, completion, on the device", 0.03, run};
