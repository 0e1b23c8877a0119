/* 7: what it costs the host to learn what the device has done: part of the constant of
 * every step. */
#include <stdio.h>

#include "apart.h"
#include "bench.h"
#include "phases.h"

#define KERNEL_NS 100000ull /* long enough that a waiting thread is put to sleep */
#define APART_LIMIT_S 60

enum { CALLS = 100, WAKES = 100, WAKE_WARM_UPS = 5 };

struct marks {
    cudaStream_t stream;
    cudaEvent_t event;
};

static __global__ void last(unsigned long long ns, unsigned long long *took) {
    unsigned long long start, now;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(start));
    do {
        asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now));
    } while (now - start < ns);
    *took = now - start;
}

/* The calls are short against the clock: the mean of many is one sample. */
template <typename CALL> static double mean_of_calls(CALL call) {
    double start = bench_now_s();
    for (int i = 0; i < CALLS; i++) CUDA(call());
    return (bench_now_s() - start) / CALLS;
}

static double event_record(void *state, int) {
    const struct marks *m = (const struct marks *)state;
    CUDA(cudaStreamSynchronize(m->stream));
    return mean_of_calls([=] { return cudaEventRecord(m->event, m->stream); });
}

static double event_query(void *state, int) {
    const struct marks *m = (const struct marks *)state;
    CUDA(cudaStreamSynchronize(m->stream));
    return mean_of_calls([=] { return cudaEventQuery(m->event); });
}

static double event_sync(void *state, int) {
    const struct marks *m = (const struct marks *)state;
    CUDA(cudaStreamSynchronize(m->stream));
    return mean_of_calls([=] { return cudaEventSynchronize(m->event); });
}

static double stream_sync(void *state, int) {
    const struct marks *m = (const struct marks *)state;
    return mean_of_calls([=] { return cudaStreamSynchronize(m->stream); });
}

static double stream_wait_event(void *state, int) {
    const struct marks *m = (const struct marks *)state;
    CUDA(cudaStreamSynchronize(m->stream));
    return mean_of_calls([=] { return cudaStreamWaitEvent(m->stream, m->event, 0); });
}

/* Launch a kernel, wait for it, less the time that it ran: the way there and back. How
 * the host waits is decided before the context is made. */
static void wake(void *argument, struct apart_report *report) {
    unsigned flags = *(const unsigned *)argument;
    unsigned long long *took, *took_on_device;
    cudaStream_t stream;
    CUDA(cudaSetDeviceFlags(flags | cudaDeviceMapHost));
    CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    CUDA(cudaHostAlloc((void **)&took, sizeof *took, cudaHostAllocMapped));
    CUDA(cudaHostGetDevicePointer((void **)&took_on_device, took, 0));
    for (int i = 0; i < WAKES + WAKE_WARM_UPS; i++) {
        double start = bench_now_s();
        last<<<1, 1, 0, stream>>>(KERNEL_NS, took_on_device);
        CUDA(cudaGetLastError());
        CUDA(cudaStreamSynchronize(stream));
        double seconds = bench_now_s() - start - *took * 1e-9;
        if (i >= WAKE_WARM_UPS) report->seconds[report->count++] = seconds;
    }
}

static bool measure_waiting(struct bench *b) {
    static const struct {
        const char *variant;
        unsigned flags;
    } ways[] = {{"spin", cudaDeviceScheduleSpin},
                {"yield", cudaDeviceScheduleYield},
                {"blocking", cudaDeviceScheduleBlockingSync}};
    for (auto way : ways) {
        struct shape shape = shape_of("sync", way.variant, "");
        struct apart apart = {wake, &way.flags, APART_LIMIT_S};
        double seconds[APART_VALUES];
        if (!bench_wants(b, &shape)) continue;
        int count = apart_run(&apart, "sync", seconds);
        bench_verified(b, &shape, count > 0, "no samples");
        if (count > 0 && !bench_samples(b, &shape, seconds, count)) return false;
    }
    return true;
}

static void run(struct bench *b) {
    static const struct {
        const char *variant;
        double (*once)(void *, int);
    } calls[] = {{"event_record", event_record},
                 {"event_query", event_query},
                 {"event_sync", event_sync},
                 {"stream_sync", stream_sync},
                 {"stream_wait_event", stream_wait_event}};
    struct marks m;
    bench_expect(b, 8);
    if (!measure_waiting(b)) return;
    CUDA(cudaStreamCreateWithFlags(&m.stream, cudaStreamNonBlocking));
    CUDA(cudaEventCreateWithFlags(&m.event, cudaEventDisableTiming));
    CUDA(cudaEventRecord(m.event, m.stream));
    for (auto call : calls) {
        struct shape shape = shape_of("sync", call.variant, "");
        struct host_work work = {call.once, &m, 0};
        if (!bench_host(b, &shape, &work)) return;
    }
}

const struct quantity quantity_sync = {
    "sync", "events and streams: record, query, wait; spinning, yielding, blocking",
    0.01, run};
