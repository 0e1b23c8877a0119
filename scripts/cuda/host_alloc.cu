/* 9: pinned host memory: what setting up a host cache of weights or KV costs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "phases.h"

#define MIB (1L << 20)
/* Of what the machine says is free: pinned memory can't be paged out. */
#define MOST_OF_FREE 0.6

static const long sizes[] = {1 * MIB,    16 * MIB,    256 * MIB,  1024 * MIB,
                             4096 * MIB, 16384 * MIB, 65536 * MIB};
enum { MOST_SAMPLES = 20, QUICK_SIZES = 4, ROWS_OF_A_SIZE = 4 };

struct host_memory {
    size_t bytes;
    double once_s; /* of the repetition before, all of it */
};

static bool alloc_and_free(void *state, double *seconds) {
    struct host_memory *m = (struct host_memory *)state;
    size_t bytes = m->bytes;
    void *memory;
    double start = bench_now_s();
    CUDA(cudaHostAlloc(&memory, bytes, cudaHostAllocDefault));
    double middle = bench_now_s();
    CUDA(cudaFreeHost(memory));
    seconds[0] = middle - start;
    seconds[1] = bench_now_s() - middle;
    m->once_s = bench_now_s() - start;
    return true;
}

/* The pages are there before: a file that was read, say, is pinned afterwards. */
static bool register_and_back(void *state, double *seconds) {
    struct host_memory *m = (struct host_memory *)state;
    size_t bytes = m->bytes;
    void *memory = NULL;
    double before = bench_now_s();
    if (posix_memalign(&memory, 4096, bytes) != 0) return false;
    memset(memory, 1, bytes);
    double start = bench_now_s();
    CUDA(cudaHostRegister(memory, bytes, cudaHostRegisterDefault));
    double middle = bench_now_s();
    CUDA(cudaHostUnregister(memory));
    seconds[0] = middle - start;
    seconds[1] = bench_now_s() - middle;
    free(memory);
    m->once_s = bench_now_s() - before;
    return true;
}

static double free_bytes(void) {
    return (double)sysconf(_SC_AVPHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}

static bool measure(struct bench *b, struct host_memory *m, double most_s) {
    const struct phases ways[] = {
        {2, {"host_alloc", "host_free"}, alloc_and_free, m, MOST_SAMPLES, most_s},
        {2,
         {"host_register", "host_unregister"},
         register_and_back,
         m,
         MOST_SAMPLES,
         most_s}};
    struct shape shape = shape_of("host_alloc", "", "");
    shape.bytes = (long)m->bytes;
    for (const struct phases &way : ways)
        if (!bench_phases(b, &shape, &way)) return false;
    return true;
}

static void run(struct bench *b) {
    struct host_memory m = {};
    int count = bench_quick(b) ? QUICK_SIZES : (int)(sizeof sizes / sizeof *sizes);
    CUDA(cudaSetDevice(0));
    CUDA(cudaFree(NULL)); /* makes the context */
    bench_expect(b, (long)ROWS_OF_A_SIZE * count);
    for (int i = 0; i < count; i++) {
        /* Registering is the slower way: twice the last one's time covers both. */
        double needed_s = i > 0 ? 2 * m.once_s * sizes[i] / sizes[i - 1] : 0;
        if ((double)sizes[i] > MOST_OF_FREE * free_bytes()) {
            bench_skip(b, "the host has too little free memory for the larger sizes");
            return;
        }
        if (needed_s > bench_left_s(b)) {
            bench_skip(b, "there is too little time for the larger sizes");
            return;
        }
        m.bytes = (size_t)sizes[i];
        if (!measure(b, &m, bench_left_s(b) / (4.0 * (count - i)))) return;
    }
}

const struct quantity quantity_host_alloc = {
    "host_alloc", "pinned host memory: allocate, register, and back", 0.06, run};
