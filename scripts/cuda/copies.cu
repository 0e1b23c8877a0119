/* Copies between the host and the GPU, within the GPU and between GPUs: a fixed time
 * and a bandwidth for each way.
 *
 * bytes are those of all streams together, count the streams, each of which copies its
 * part. h2d_d2h_both copies bytes each way at once and ends with the slower one;
 * h2d_beside_d2h is the time of the first while copies the other way go on. Pinned
 * copies are timed on the device, behind a blocking kernel; pageable ones by the host's
 * clock, since they keep the host busy. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "beside.h"
#include "coarse_first.h"
#include "pattern.h"
#include "verify.h"

enum { SEED = 2, POISON = 98, STREAMS_MOST = 4, PLACES_MOST = 4096 };
enum { LEAST_LOG2 = 10, MOST_LOG2 = 32, SIZES = MOST_LOG2 - LEAST_LOG2 + 1 };
enum { QUICK_SIZES = 5, QUICK_MOST_LOG2 = 28, PAGEABLE_SAMPLES = 5 };

struct copies {
    struct bench *bench;
    char *device, *device_to; /* the second one for copies within the GPU */
    char *pinned, *pageable;
    size_t bytes; /* of each of them */
    cudaStream_t stream[STREAMS_MOST];
    cudaEvent_t begun, ended[STREAMS_MOST];
};

/* One row's copy: bytes from the same place of one memory to that of the other; the
 * places follow one another, so that the host's caches are cold. */
struct copy_work {
    struct copies *c;
    char *to;
    const char *from;
    cudaMemcpyKind kind;
    size_t bytes, stride; /* from one place to the next */
    int streams, places;
};

static size_t place_of(const struct copy_work *w, int turn) {
    return (size_t)(turn % w->places) * w->stride;
}

static void enqueue_part(const struct copy_work *w, size_t at, int part,
                         cudaStream_t stream) {
    size_t each = w->bytes / (size_t)w->streams / 16 * 16, begin = each * (size_t)part;
    size_t bytes = part == w->streams - 1 ? w->bytes - begin : each;
    if (bytes == 0) return;
    CUDA(cudaMemcpyAsync(w->to + at + begin, w->from + at + begin, bytes, w->kind,
                         stream));
}

static void enqueue(void *state, int turn, cudaStream_t stream) {
    const struct copy_work *w = (const struct copy_work *)state;
    size_t at = place_of(w, turn);
    if (w->streams == 1) {
        enqueue_part(w, at, 0, stream);
        return;
    }
    CUDA(cudaEventRecord(w->c->begun, stream));
    for (int s = 0; s < w->streams; s++) {
        CUDA(cudaStreamWaitEvent(w->c->stream[s], w->c->begun, 0));
        enqueue_part(w, at, s, w->c->stream[s]);
        CUDA(cudaEventRecord(w->c->ended[s], w->c->stream[s]));
        CUDA(cudaStreamWaitEvent(stream, w->c->ended[s], 0));
    }
}

/* Copies once into poisoned memory and compares. */
static void verify(const struct copy_work *w, const struct shape *shape, int turn) {
    struct copies *c = w->c;
    size_t at = place_of(w, turn);
    bool pageable = w->to == c->pageable;
    if (pageable)
        for (size_t i = 0; i < w->bytes; i += 512) w->to[at + i] = (char)~w->to[at + i];
    else
        verify_fill(w->to + at, w->bytes, POISON, at / 4);
    enqueue((void *)w, turn, c->stream[0]);
    CUDA(cudaStreamSynchronize(c->stream[0]));
    unsigned long long wrong =
        pageable ? verify_wrong_on_host(w->to + at, w->bytes, SEED, at / 4)
                 : verify_wrong(w->to + at, w->bytes, SEED, at / 4);
    bench_verified(c->bench, shape, wrong == 0, "%llu words of %zu bytes differ", wrong,
                   w->bytes);
}

/* Each repetition is timed from an idle device until the data is there. */
static double once(void *state, int turn) {
    const struct copy_work *w = (const struct copy_work *)state;
    double began = bench_now_s();
    enqueue(state, turn, w->c->stream[0]);
    CUDA(cudaStreamSynchronize(w->c->stream[0]));
    return bench_now_s() - began;
}

/* A way from one memory to another. */
struct way {
    const char *variant;
    cudaMemcpyKind kind;
    char *to, *from;
    bool pageable;
};

static struct copy_work work_of(struct copies *c, const struct way *way, size_t bytes,
                                int streams) {
    struct copy_work w = {};
    w.c = c;
    w.to = way->to;
    w.from = way->from;
    w.kind = way->kind;
    w.bytes = bytes;
    w.streams = streams;
    size_t least = c->bytes / PLACES_MOST;
    w.stride = bytes > least ? bytes : least;
    w.places = (int)(c->bytes / w.stride);
    return w;
}

static bool row(struct copies *c, const struct way *way, size_t bytes, int streams) {
    struct shape shape = shape_of("copy", way->variant, "");
    shape.bytes = (long)bytes;
    shape.count = streams;
    if (!bench_wants(c->bench, &shape)) return bench_left_s(c->bench) > 0;
    struct copy_work w = work_of(c, way, bytes, streams);
    verify(&w, &shape, w.places - 1);
    if (way->pageable) {
        struct host_work host = {once, &w, PAGEABLE_SAMPLES};
        return bench_host(c->bench, &shape, &host);
    }
    struct device_work device = {enqueue, &w, streams == 1 ? 1 : 4 * streams + 1};
    return bench_device(c->bench, &shape, &device);
}

/* Both ways at once: the halves of the pinned memory, so that nothing is read and
 * written at the same time. */
struct both_work {
    struct copy_work down, up; /* to the device, from it */
};

static void enqueue_both(void *state, int turn, cudaStream_t stream) {
    struct both_work *w = (struct both_work *)state;
    struct copies *c = w->down.c;
    CUDA(cudaEventRecord(c->begun, stream));
    CUDA(cudaStreamWaitEvent(c->stream[1], c->begun, 0));
    enqueue(&w->down, turn, stream);
    enqueue(&w->up, turn, c->stream[1]);
    CUDA(cudaEventRecord(c->ended[1], c->stream[1]));
    CUDA(cudaStreamWaitEvent(stream, c->ended[1], 0));
}

static bool beside_row(struct copies *c, const char *variant, struct copy_work *timed,
                       struct copy_work *other) {
    struct shape shape = shape_of("copy", variant, "");
    shape.bytes = (long)timed->bytes;
    shape.count = 1;
    if (!bench_wants(c->bench, &shape)) return bench_left_s(c->bench) > 0;
    struct beside_work a = {enqueue, timed, c->stream[0]};
    struct beside_work b = {enqueue, other, c->stream[1]};
    double guess_us = (double)timed->bytes / 25e3; /* 25 GB/s: PCIe 4 x16 */
    struct beside_time t;
    if (!beside_measure(&a, guess_us, &b, guess_us, 0.1, &t)) return true;
    return bench_value(c->bench, &shape, t.time_us, t.mad_us, t.samples);
}

static bool both_rows(struct copies *c, size_t bytes) {
    size_t half = c->bytes / 2;
    struct way down = {"", cudaMemcpyHostToDevice, c->device, c->pinned, false};
    struct way up = {"", cudaMemcpyDeviceToHost, c->pinned + half, c->device_to + half,
                     false};
    struct both_work w = {work_of(c, &down, bytes, 1), work_of(c, &up, bytes, 1)};
    w.down.places = w.up.places = w.down.places > 1 ? w.down.places / 2 : 1;
    struct shape shape = shape_of("copy", "h2d_d2h_both", "");
    shape.bytes = (long)bytes;
    shape.count = 1;
    struct device_work device = {enqueue_both, &w, 6};
    if (bench_wants(c->bench, &shape)) {
        verify_fill(w.down.to, bytes, POISON, 0);
        verify_fill(w.up.to, bytes, POISON, 0);
        enqueue_both(&w, 0, c->stream[0]);
        CUDA(cudaDeviceSynchronize());
        unsigned long long wrong = verify_wrong(w.up.to, bytes, SEED, half / 4) +
                                   verify_wrong(w.down.to, bytes, SEED, 0);
        bench_verified(c->bench, &shape, wrong == 0, "%llu words of %zu bytes differ",
                       wrong, 2 * bytes);
        if (!bench_device(c->bench, &shape, &device)) return false;
    }
    return beside_row(c, "h2d_beside_d2h", &w.down, &w.up) &&
           beside_row(c, "d2h_beside_h2d", &w.up, &w.down);
}

static bool size_rows(struct copies *c, int log2_bytes) {
    const struct way ways[] = {
        {"h2d_pinned", cudaMemcpyHostToDevice, c->device, c->pinned, false},
        {"d2h_pinned", cudaMemcpyDeviceToHost, c->pinned, c->device, false},
        {"d2d", cudaMemcpyDeviceToDevice, c->device_to, c->device, false},
        {"h2d_pageable", cudaMemcpyHostToDevice, c->device, c->pageable, true},
        {"d2h_pageable", cudaMemcpyDeviceToHost, c->pageable, c->device, true}};
    size_t bytes = (size_t)1 << log2_bytes;
    for (const struct way &way : ways) {
        /* the dearer rows at every second or fourth size */
        if (way.pageable && log2_bytes % 2 != 0) continue;
        if (!row(c, &way, bytes, 1)) return false;
        if (way.pageable || log2_bytes % 4 != 0) continue;
        for (int streams = 2; streams <= STREAMS_MOST; streams++)
            if (!row(c, &way, bytes, streams)) return false;
    }
    return log2_bytes % 2 != 0 || bytes > c->bytes / 2 || both_rows(c, bytes);
}

static bool all_rows(struct copies *c, int sizes) {
    int order[SIZES];
    coarse_first(order, sizes);
    for (int i = 0; i < sizes; i++) {
        if (bench_quick(c->bench) && i >= QUICK_SIZES) break;
        if (!size_rows(c, LEAST_LOG2 + order[i])) return false;
    }
    return true;
}

/* From this GPU to the next one, and what arrived there copied back. */
static void peer_rows(struct copies *c, int sizes) {
    int devices = 0, device = 0, can_access = 0;
    CUDA(cudaGetDeviceCount(&devices));
    CUDA(cudaGetDevice(&device));
    if (devices < 2) {
        bench_skip(c->bench, "copies between GPUs: there is one GPU");
        return;
    }
    int other = (device + 1) % devices;
    CUDA(cudaDeviceCanAccessPeer(&can_access, device, other));
    const char *variant = can_access ? "p2p" : "p2p_by_host";
    if (can_access) CUDA(cudaDeviceEnablePeerAccess(other, 0));
    struct way way = {variant, cudaMemcpyDefault, NULL, c->device, false};
    CUDA(cudaSetDevice(other));
    CUDA(cudaMalloc(&way.to, c->bytes));
    CUDA(cudaSetDevice(device));
    int order[SIZES];
    coarse_first(order, sizes);
    for (int i = 0; i < sizes; i++) {
        size_t bytes = (size_t)1 << (LEAST_LOG2 + order[i]);
        struct shape shape = shape_of("copy", variant, "");
        shape.bytes = (long)bytes;
        shape.count = 1;
        struct copy_work w = work_of(c, &way, bytes, 1);
        struct device_work work = {enqueue, &w, 1};
        verify_fill(c->device_to, bytes, POISON, 0);
        CUDA(cudaMemcpy(way.to, c->device, bytes, cudaMemcpyDefault));
        CUDA(cudaMemcpy(c->device_to, way.to, bytes, cudaMemcpyDefault));
        bench_verified(c->bench, &shape,
                       verify_wrong(c->device_to, bytes, SEED, 0) == 0,
                       "words of %zu bytes differ", bytes);
        if (!bench_device(c->bench, &shape, &work)) break;
    }
    CUDA(cudaFree(way.to));
}

static void prepare(struct copies *c) {
    CUDA(cudaMalloc(&c->device, c->bytes));
    CUDA(cudaMalloc(&c->device_to, c->bytes));
    CUDA(cudaHostAlloc(&c->pinned, c->bytes, cudaHostAllocDefault));
    c->pageable = (char *)malloc(c->bytes);
    if (!c->pageable) {
        fprintf(stderr, "hotdesk-bench: no %zu bytes of host memory\n", c->bytes);
        exit(1);
    }
    verify_fill(c->device, c->bytes, SEED, 0);
    verify_fill(c->device_to, c->bytes, SEED, 0);
    CUDA(cudaMemcpy(c->pinned, c->device, c->bytes, cudaMemcpyDeviceToHost));
    CUDA(cudaMemcpy(c->pageable, c->device, c->bytes, cudaMemcpyDeviceToHost));
    for (int s = 0; s < STREAMS_MOST; s++) {
        CUDA(cudaStreamCreateWithFlags(&c->stream[s], cudaStreamNonBlocking));
        CUDA(cudaEventCreateWithFlags(&c->ended[s], cudaEventDisableTiming));
    }
    CUDA(cudaEventCreateWithFlags(&c->begun, cudaEventDisableTiming));
}

static void release(struct copies *c) {
    CUDA(cudaEventDestroy(c->begun));
    for (int s = 0; s < STREAMS_MOST; s++) {
        CUDA(cudaEventDestroy(c->ended[s]));
        CUDA(cudaStreamDestroy(c->stream[s]));
    }
    free(c->pageable);
    CUDA(cudaFreeHost(c->pinned));
    CUDA(cudaFree(c->device_to));
    CUDA(cudaFree(c->device));
}

/* The largest size of which two fit into the GPU and two into a quarter of
 * the memory that the host has. */
static int sizes_that_fit(struct bench *bench) {
    size_t free_bytes, total_bytes;
    CUDA(cudaMemGetInfo(&free_bytes, &total_bytes));
    size_t host = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    size_t most = free_bytes / 3 < host / 8 ? free_bytes / 3 : host / 8;
    int sizes = bench_quick(bench) ? QUICK_MOST_LOG2 - LEAST_LOG2 + 1 : SIZES;
    while (sizes > 1 && ((size_t)1 << (LEAST_LOG2 + sizes - 1)) > most) sizes--;
    return sizes;
}

static void run(struct bench *bench) {
    struct copies c = {};
    c.bench = bench;
    int sizes = sizes_that_fit(bench);
    if (!bench_quick(bench) && sizes < SIZES)
        bench_skip(bench, "copies: the largest do not fit into the free memory");
    c.bytes = (size_t)1 << (LEAST_LOG2 + sizes - 1);
    /* 3 ways at each size, 2 more and both ways at once (3) at every second one, 9 more
     * with several streams at every fourth one */
    bench_expect(bench, bench_quick(bench) ? 8 * QUICK_SIZES : 8 * sizes);
    prepare(&c);
    if (all_rows(&c, sizes)) peer_rows(&c, sizes);
    release(&c);
}

const struct quantity quantity_copies = {
    "copies", "copies between host and GPU, within and between GPUs, 1 KB to 4 GB",
    0.06, run};
