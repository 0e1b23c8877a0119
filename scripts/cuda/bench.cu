/* Measuring on the device: the blocking kernel, events, clocks. */
#include "bench.h"

#include <algorithm>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vector>

#include "device_facts.h"
#include "statistics.h"
#include "stopping.h"

/* A sample this long makes the half microsecond that events resolve a small error. */
#define LEAST_SAMPLE_S 200e-6
#define RECOVERY_S 0.05 /* pause after a throttled sample, as nvbench's */
/* Long enough for a clock that ticks each microsecond to tell the rate of another. */
#define CLOCK_NS 32000ull
/* The host never needs this long to fill a queue; a call that waits for the device does
 * for ever. */
#define GATE_TIMEOUT_NS 200000000ull

enum {
    MOST_LAUNCHES = 512, /* behind the blocking kernel: half of what a queue holds */
    MOST_REPEATS = 64,
    WARM_UPS = 2,
    MOST_TIMEOUTS = 3
};

/* Between the host and the blocking kernel, in pinned host memory. */
struct gate {
    volatile int open;
    volatile int timed_out;
    volatile unsigned long long cycles, ns; /* of the SM's clock, behind the work */
};

struct bench {
    struct session *session;
    const struct device_facts *facts;
    struct nvml *nvml;
    bool ready; /* the rest is there */
    cudaStream_t stream;
    cudaEvent_t start, stop;
    struct gate *gate, *gate_on_device;
};

static __device__ unsigned long long device_ns(void) {
    unsigned long long ns;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
    return ns;
}

/* Holds the stream until the host has put all there is to measure behind it. */
static __global__ void hold(struct gate *gate) {
    unsigned long long start = device_ns(), now;
    do {
        now = device_ns();
    } while (!gate->open && now - start < GATE_TIMEOUT_NS);
    gate->timed_out = !gate->open;
}

/* Counts the SM's cycles for a while. Right behind the work, as the clock does not
 * change within some microseconds: while the device waits it is another. */
static __global__ void count_cycles(struct gate *gate) {
    unsigned long long start = device_ns(), now;
    long long cycles = clock64();
    do {
        now = device_ns();
    } while (now - start < CLOCK_NS);
    gate->cycles = (unsigned long long)(clock64() - cycles);
    gate->ns = now - start;
}

void bench_cuda_check(cudaError_t result, const char *call, const char *file,
                      int line) {
    if (result == cudaSuccess) return;
    const char *name = strrchr(file, '/');
    fprintf(stderr, "\n%s:%d: %s: %s\n", name ? name + 1 : file, line, call,
            cudaGetErrorString(result));
    exit(1);
}

static void prepare(struct bench *b) {
    if (b->ready) return;
    CUDA(cudaSetDevice(0));
    CUDA(cudaStreamCreateWithFlags(&b->stream, cudaStreamNonBlocking));
    CUDA(cudaEventCreate(&b->start));
    CUDA(cudaEventCreate(&b->stop));
    CUDA(cudaHostAlloc((void **)&b->gate, sizeof *b->gate, cudaHostAllocMapped));
    CUDA(cudaHostGetDevicePointer((void **)&b->gate_on_device, b->gate, 0));
    /* Loads both kernels: behind a closed gate that could have to wait for it. */
    b->gate->open = 1;
    hold<<<1, 1, 0, b->stream>>>(b->gate_on_device);
    count_cycles<<<1, 1, 0, b->stream>>>(b->gate_on_device);
    CUDA(cudaGetLastError());
    CUDA(cudaStreamSynchronize(b->stream));
    b->ready = true;
}

struct sample {
    double total_s; /* all repetitions */
    double mhz;     /* 0: not known */
    bool timed_out;
};

static struct sample take_sample(struct bench *b, const struct device_work *work,
                                 int repeats, int *turn) {
    float ms;
    b->gate->open = 0;
    b->gate->timed_out = 0;
    b->gate->cycles = b->gate->ns = 0;
    hold<<<1, 1, 0, b->stream>>>(b->gate_on_device);
    CUDA(cudaGetLastError());
    CUDA(cudaEventRecord(b->start, b->stream));
    for (int i = 0; i < repeats; i++) work->enqueue(work->state, (*turn)++, b->stream);
    CUDA(cudaEventRecord(b->stop, b->stream));
    count_cycles<<<1, 1, 0, b->stream>>>(b->gate_on_device);
    CUDA(cudaGetLastError());
    b->gate->open = 1;
    __sync_synchronize();
    CUDA(cudaStreamSynchronize(b->stream));
    CUDA(cudaEventElapsedTime(&ms, b->start, b->stop));
    struct sample sample = {ms * 1e-3, 0, b->gate->timed_out != 0};
    if (b->gate->ns > 0) sample.mhz = (double)b->gate->cycles * 1e3 / b->gate->ns;
    return sample;
}

static void fail(struct bench *b, const struct shape *shape, const char *format, ...) {
    va_list args;
    va_start(args, format);
    session_fail(b->session, shape, format, args);
    va_end(args);
}

/* 0: not known. */
static int memory_mhz(const struct bench *b) {
    return std::max(0, nvml_read(b->nvml).memory_mhz);
}

static void pause_s(double seconds) {
    struct timespec time = {0, (long)(seconds * 1e9)};
    nanosleep(&time, NULL);
}

struct row { /* being measured */
    std::vector<double> samples_s, mhz;
    struct stopping stopping;
    struct throttle throttle;
    enum stop_reason reason;
    double began_s;
};

static void write_row(struct bench *b, const struct shape *shape,
                      const struct row *row) {
    int count = (int)row->samples_s.size();
    double middle = median_of(row->samples_s.data(), count);
    double mad = mad_of(row->samples_s.data(), count, middle);
    double mhz = 0;
    if (!row->mhz.empty()) mhz = median_of(row->mhz.data(), (int)row->mhz.size());
    session_write(b->session, shape, middle * 1e6, mad * 1e6, count, row->reason,
                  (int)(mhz + 0.5), memory_mhz(b));
    if (row->throttle.accepted) b->session->tally->low_clock++;
}

/* How many repetitions make a sample; 0: the work can't be held back. */
static int repeats_of(struct bench *b, const struct device_work *work, int *turn) {
    for (int i = 0; i < WARM_UPS; i++) work->enqueue(work->state, (*turn)++, b->stream);
    CUDA(cudaGetLastError());
    CUDA(cudaStreamSynchronize(b->stream));
    struct sample first = {0, 0, true};
    for (int i = 0; i < MOST_TIMEOUTS && first.timed_out; i++)
        first = take_sample(b, work, 1, turn);
    if (first.timed_out) return 0;
    int most = std::min<int>(MOST_REPEATS, MOST_LAUNCHES / std::max(1, work->launches));
    double needed = first.total_s > 0 ? LEAST_SAMPLE_S / first.total_s + 1 : most;
    return std::max(1, (int)std::min<double>(most, needed));
}

static bool measure_device(struct bench *b, const struct device_work *work,
                           struct row *row) {
    int turn = 0, timeouts = 0, repeats = repeats_of(b, work, &turn);
    while (repeats > 0) {
        struct sample sample = take_sample(b, work, repeats, &turn);
        double elapsed = now_s() - row->began_s;
        if (sample.timed_out) {
            if (++timeouts == MOST_TIMEOUTS) break;
            continue;
        }
        if (elapsed >= row->stopping.limits.most_s)
            row->throttle.accepted |= row->throttle.in_a_row > 0;
        if (!throttle_keeps(&row->throttle, sample.mhz)) {
            b->session->tally->dropped++;
            pause_s(RECOVERY_S);
            continue;
        }
        double each = sample.total_s / repeats;
        if (each <= 0) each = 1e-9; /* below what events resolve */
        row->samples_s.push_back(each);
        if (sample.mhz > 0) row->mhz.push_back(sample.mhz);
        if (stopping_add(&row->stopping, each, sample.total_s, elapsed, &row->reason))
            return true;
    }
    return false;
}

static void start_row(struct bench *b, struct row *row) {
    struct stopping_limits limits = session_limits(b->session);
    stopping_start(&row->stopping, &limits);
    throttle_start(&row->throttle, b->facts->default_mhz);
    row->began_s = now_s();
}

bool bench_device(struct bench *b, const struct shape *shape,
                  const struct device_work *work) {
    enum session_answer answer = session_ask(b->session, shape);
    if (answer == SESSION_STOP) return false;
    if (answer == SESSION_MEASURE) {
        struct row row = {};
        prepare(b);
        start_row(b, &row);
        if (measure_device(b, work, &row))
            write_row(b, shape, &row);
        else
            fail(b, shape, "enqueueing it waits for the device: not measured");
    }
    session_passed(b->session, shape);
    return true;
}

static bool measure_host(struct bench *b, const struct host_work *work,
                         struct row *row) {
    int turn = 0, most = work->samples;
    double warm_s = work->once(work->state, turn++);
    /* The first is for warming up, unless there is little time for others. */
    bool counts = most == 1 || warm_s > row->stopping.limits.most_s / 4;
    for (;;) {
        double sample = counts ? warm_s : work->once(work->state, turn++);
        counts = false;
        if (sample < 0 || warm_s < 0) return false;
        if (sample <= 0) sample = 1e-9;
        row->samples_s.push_back(sample);
        if (stopping_add(&row->stopping, sample, sample, now_s() - row->began_s,
                         &row->reason))
            break;
        if ((int)row->samples_s.size() == most) {
            row->reason = STOP_FIXED;
            break;
        }
    }
    int mhz = nvml_read(b->nvml).sm_mhz;
    if (mhz > 0) row->mhz.push_back(mhz);
    return true;
}

bool bench_host(struct bench *b, const struct shape *shape,
                const struct host_work *work) {
    enum session_answer answer = session_ask(b->session, shape);
    if (answer == SESSION_STOP) return false;
    if (answer == SESSION_MEASURE) {
        struct row row = {};
        start_row(b, &row);
        if (measure_host(b, work, &row))
            write_row(b, shape, &row);
        else
            fail(b, shape, "a repetition failed: not measured");
    }
    session_passed(b->session, shape);
    return true;
}

bool bench_value(struct bench *b, const struct shape *shape, double time_us,
                 double mad_us, long samples) {
    enum session_answer answer = session_ask(b->session, shape);
    if (answer == SESSION_STOP) return false;
    if (answer == SESSION_MEASURE) {
        if (time_us > 0 && mad_us >= 0 && samples >= 1)
            session_write(b->session, shape, time_us, mad_us, samples, STOP_FIXED,
                          std::max(0, nvml_read(b->nvml).sm_mhz), memory_mhz(b));
        else
            fail(b, shape, "%g us (+- %g, %ld samples) is no measurement", time_us,
                 mad_us, samples);
    }
    session_passed(b->session, shape);
    return true;
}

bool bench_wants(struct bench *b, const struct shape *shape) {
    enum session_answer answer = session_ask(b->session, shape);
    if (answer == SESSION_PASS) session_passed(b->session, shape);
    return answer == SESSION_MEASURE;
}

void bench_expect(struct bench *b, long rows) {
    session_expect(b->session, rows);
}

void bench_verified(struct bench *b, const struct shape *shape, bool ok,
                    const char *format, ...) {
    if (ok) return;
    va_list args;
    va_start(args, format);
    session_fail(b->session, shape, format, args);
    va_end(args);
    session_withhold(b->session, shape);
}

void bench_skip(struct bench *b, const char *why) {
    session_skip(b->session, why);
}

double bench_now_s(void) {
    return now_s();
}

const cudaDeviceProp *bench_properties(const struct bench *b) {
    return &b->facts->properties;
}

bool bench_quick(const struct bench *b) {
    return b->session->quick;
}

unsigned long bench_seed(const struct bench *b) {
    return b->session->seed;
}

double bench_left_s(const struct bench *b) {
    return b->session->deadline_s - now_s();
}

const struct nvml *bench_nvml(const struct bench *b) {
    return b->nvml;
}

void device_facts_read(void *to) {
    struct device_facts *facts = (struct device_facts *)to;
    int version = 0, khz = 0;
    char driver[64] = "";
    cudaError_t result = cudaGetDeviceProperties(&facts->properties, 0);
    if (result == cudaSuccess) result = cudaRuntimeGetVersion(&version);
    if (result == cudaSuccess)
        result = cudaDeviceGetPCIBusId(facts->bus_id, sizeof facts->bus_id, 0);
    if (result == cudaSuccess)
        result = cudaDeviceGetAttribute(&khz, cudaDevAttrClockRate, 0);
    if (result != cudaSuccess) {
        snprintf(facts->error, sizeof facts->error, "%s", cudaGetErrorString(result));
        return;
    }
    struct nvml *nvml = nvml_open(facts->bus_id);
    nvml_driver(nvml, driver, sizeof driver);
    nvml_close(nvml);
    snprintf(facts->driver, sizeof facts->driver, "%s cuda %d.%d",
             driver[0] ? driver : "unknown", version / 1000, version % 1000 / 10);
    facts->default_mhz = khz / 1000;
    facts->found = true;
}

void bench_measure(void *facts, const struct quantity *quantity,
                   struct session *session) {
    struct bench b = {};
    b.session = session;
    b.facts = (const struct device_facts *)facts;
    b.nvml = nvml_open(b.facts->bus_id);
    quantity->run(&b);
    nvml_close(b.nvml);
}
