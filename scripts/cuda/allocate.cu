/* 8: device memory given and taken back: what an elastic pool of KV blocks and the
 * eviction of a model cost. */
#include "bench.h"
#include "driver_api.h"
#include "phases.h"

#define MIB (1L << 20)
#define SPIN_NS 1000000ull /* of the kernel that cudaFree has to wait for */

static const long sizes[] = {2 * MIB,     64 * MIB, 1024 * MIB, 16384 * MIB,
                             40960 * MIB, 16 * MIB, 256 * MIB,  4096 * MIB};
enum { MOST_SAMPLES = 30, QUICK_SIZES = 4, ROWS_OF_A_SIZE = 13 };

/* A size that the device has no room for is left out. */
static bool fits(long bytes) {
    size_t free, total;
    CUDA(cudaMemGetInfo(&free, &total));
    return (size_t)bytes <= free / 10 * 9;
}

struct pool {
    long bytes;
    cudaStream_t stream;
    cudaMemPool_t memory;
    struct driver_api api;
    CUmemAllocationProp place;
};

/* Seconds since *mark, which moves on. */
static double lap(double *mark) {
    double now = bench_now_s(), seconds = now - *mark;
    *mark = now;
    return seconds;
}

static bool malloc_and_free(void *state, double *seconds) {
    const struct pool *p = (const struct pool *)state;
    void *memory;
    CUDA(cudaDeviceSynchronize());
    double mark = bench_now_s();
    CUDA(cudaMalloc(&memory, (size_t)p->bytes));
    seconds[0] = lap(&mark);
    CUDA(cudaFree(memory));
    seconds[1] = lap(&mark);
    return true;
}

static __global__ void spin(unsigned long long ns) {
    unsigned long long start, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(start));
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (now - start < ns);
}

/* While a kernel of 1 ms runs on another stream: what is freed must be free of work. */
static bool free_beside(void *state, double *seconds) {
    const struct pool *p = (const struct pool *)state;
    void *memory;
    CUDA(cudaMalloc(&memory, (size_t)p->bytes));
    CUDA(cudaDeviceSynchronize());
    spin<<<1, 1, 0, p->stream>>>(SPIN_NS);
    CUDA(cudaGetLastError());
    double mark = bench_now_s();
    CUDA(cudaFree(memory));
    seconds[0] = lap(&mark);
    CUDA(cudaStreamSynchronize(p->stream));
    return true;
}

/* Of the stream's pool, until the memory may be used: from the pool when it is warm. */
static bool async(const struct pool *p, double *seconds) {
    void *memory;
    CUDA(cudaStreamSynchronize(p->stream));
    double mark = bench_now_s();
    CUDA(cudaMallocAsync(&memory, (size_t)p->bytes, p->memory, p->stream));
    CUDA(cudaStreamSynchronize(p->stream));
    seconds[0] = lap(&mark);
    CUDA(cudaFreeAsync(memory, p->stream));
    CUDA(cudaStreamSynchronize(p->stream));
    seconds[1] = lap(&mark);
    return true;
}

static bool async_warm(void *state, double *seconds) {
    return async((const struct pool *)state, seconds);
}

static bool async_cold(void *state, double *seconds) {
    const struct pool *p = (const struct pool *)state;
    CUDA(cudaMemPoolTrimTo(p->memory, 0));
    async(p, seconds);
    double mark = bench_now_s();
    CUDA(cudaMemPoolTrimTo(p->memory, 0));
    seconds[1] = lap(&mark);
    return true;
}

/* Addresses and memory apart, as an elastic pool has them. */
static bool map_and_unmap(void *state, double *seconds) {
    const struct pool *p = (const struct pool *)state;
    const struct driver_api *api = &p->api;
    size_t bytes = (size_t)p->bytes;
    CUmemAccessDesc access = {p->place.location, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    CUmemGenericAllocationHandle memory;
    CUdeviceptr address;
    CUDA(cudaDeviceSynchronize());
    double mark = bench_now_s();
    DRIVER(api, api->address_reserve(&address, bytes, 0, 0, 0));
    seconds[0] = lap(&mark);
    DRIVER(api, api->mem_create(&memory, bytes, &p->place, 0));
    seconds[1] = lap(&mark);
    DRIVER(api, api->mem_map(address, bytes, 0, memory, 0));
    seconds[2] = lap(&mark);
    DRIVER(api, api->set_access(address, bytes, &access, 1));
    seconds[3] = lap(&mark);
    /* The driver has up to here been free to do nothing yet. */
    CUDA(cudaMemset((void *)address, 0, bytes));
    CUDA(cudaDeviceSynchronize());
    lap(&mark);
    DRIVER(api, api->mem_unmap(address, bytes));
    seconds[4] = lap(&mark);
    DRIVER(api, api->mem_release(memory));
    seconds[5] = lap(&mark);
    DRIVER(api, api->address_free(address, bytes));
    return true;
}

static bool measure(struct bench *b, struct pool *p, double most_s) {
    const struct phases all[] = {
        {2, {"cuda_malloc", "cuda_free"}, malloc_and_free, p, MOST_SAMPLES, most_s},
        {1, {"cuda_free_beside_1ms"}, free_beside, p, MOST_SAMPLES, most_s},
        {2, {"malloc_async", "free_async"}, async_warm, p, MOST_SAMPLES, most_s},
        {2, {"malloc_async_cold", "pool_trim"}, async_cold, p, MOST_SAMPLES, most_s},
        {6,
         {"address_reserve", "mem_create", "mem_map", "set_access", "mem_unmap",
          "mem_release"},
         map_and_unmap,
         p,
         MOST_SAMPLES,
         most_s}};
    struct shape shape = shape_of("allocate", "", "");
    shape.bytes = p->bytes;
    for (const struct phases &phases : all)
        if (!bench_phases(b, &shape, &phases)) return false;
    /* Nothing of the pool may stand in the way of the next size. */
    CUDA(cudaMemPoolTrimTo(p->memory, 0));
    return true;
}

static void run(struct bench *b) {
    struct pool p = {};
    unsigned long long keep_all = ~0ull;
    int count = bench_quick(b) ? QUICK_SIZES : (int)(sizeof sizes / sizeof *sizes);
    CUDA(cudaSetDevice(0));
    CUDA(cudaStreamCreateWithFlags(&p.stream, cudaStreamNonBlocking));
    CUDA(cudaDeviceGetDefaultMemPool(&p.memory, 0));
    CUDA(cudaMemPoolSetAttribute(p.memory, cudaMemPoolAttrReleaseThreshold, &keep_all));
    p.api = driver_api_load();
    p.place.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    p.place.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    p.place.location.id = 0;
    bench_expect(b, (long)ROWS_OF_A_SIZE * count);
    for (int i = 0; i < count; i++) {
        p.bytes = sizes[i];
        if (!fits(p.bytes)) {
            bench_skip(b, "no room on the device for the larger sizes");
            continue;
        }
        if (!measure(b, &p, bench_left_s(b) / (5.0 * (count - i)))) return;
    }
}

const struct quantity quantity_allocate = {
    "allocate", "device memory: cudaMalloc, pools, cuMemCreate and mapping, and back",
    0.04, run};
