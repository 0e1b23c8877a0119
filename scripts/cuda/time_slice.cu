/* How the GPU divides its time between processes (no MPS): the length of a slice and
 * the cost of a switch, from kernels that note when they ran.
 *
 * count processes each run one kernel for a second that reads the GPU's clock in a
 * loop; a step of the clock means that it stood still:
 *
 *   slice_X    length of a slice, the most frequent value
 *   switch_X   from its end to another process's next one, likewise
 *   gap_X      how long a process stands still, likewise
 *   stretch_X  the time in which a process gets 1,000 us of the GPU
 *
 * X is full: the kernel fills all SMs, whose registers a switch has to save; or block:
 * one block of one warp. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "device_clock.h"
#include "slice_times.h"

enum { PROCESSES_MOST = 4, FULL_THREADS = 1024, FULL_PER_SM = 2 };
#define LEAST_GAP_NS 10000ull /* a turn of the loop takes below 1,000 */
#define RUN_NS 1000000000ull
#define WARM_NS 1000000ull
#define READY_LIMIT_S 40.0 /* contexts are created one after the other */
#define RESULT_LIMIT_S 15.0

struct run_log {
    struct slice_watch watch;
    struct slice slice[SLICE_LOG_MOST];
};

static __global__ void __launch_bounds__(FULL_THREADS, FULL_PER_SM)
    watch_kernel(struct run_log *log, unsigned long long run_ns) {
    unsigned long long begin = device_ns(), now = begin;
    if (blockIdx.x > 0 || threadIdx.x >= 32) {
        while (device_ns() - begin < run_ns) __nanosleep(2000);
        return;
    }
    if (threadIdx.x > 0) return; /* the watcher has its warp to itself */
    struct slice_watch watch = slice_watch_at(begin, LEAST_GAP_NS);
    while (now - begin < run_ns) {
        now = device_ns();
        slice_watch_see(&watch, log->slice, now);
    }
    slice_watch_end(&watch, log->slice);
    log->watch = watch;
}

/* In a child: its own checks, since what it would end is not the suite. */
#define CHILD(call) child_check((call), #call)
static void child_check(cudaError_t answer, const char *call) {
    if (answer == cudaSuccess) return;
    fprintf(stderr, "hotdesk-bench: time_slice: %s: %s\n", call,
            cudaGetErrorString(answer));
    _exit(1);
}

static bool write_all(int fd, const void *bytes, size_t count) {
    const char *at = (const char *)bytes;
    while (count > 0) {
        ssize_t n = write(fd, at, count);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        count -= (size_t)n;
    }
    return true;
}

/* Says that it is ready, waits for the word, runs, and sends the log. */
static void child(int in, int out, bool full) {
    static struct run_log log;
    struct run_log *on_device;
    int sms = 0;
    char word = 'r';
    CHILD(cudaSetDevice(0));
    CHILD(cudaDeviceGetAttribute(&sms, cudaDevAttrMultiProcessorCount, 0));
    CHILD(cudaMalloc(&on_device, sizeof *on_device));
    CHILD(cudaMemset(on_device, 0, sizeof *on_device));
    int blocks = 1, threads = 32;
    if (full) {
        blocks = sms * FULL_PER_SM;
        threads = FULL_THREADS;
    }
    watch_kernel<<<blocks, threads>>>(on_device, WARM_NS);
    CHILD(cudaGetLastError());
    CHILD(cudaDeviceSynchronize());
    if (!write_all(out, &word, 1) || read(in, &word, 1) != 1) _exit(1);
    watch_kernel<<<blocks, threads>>>(on_device, RUN_NS);
    CHILD(cudaGetLastError());
    CHILD(cudaMemcpy(&log, on_device, sizeof log, cudaMemcpyDeviceToHost));
    _exit(write_all(out, &log, sizeof log) ? 0 : 1);
}

struct process {
    pid_t pid;
    int to, from; /* pipes */
};

static bool start(struct process *p, bool full) {
    int down[2], up[2];
    if (pipe2(down, O_CLOEXEC) != 0) return false;
    if (pipe2(up, O_CLOEXEC) != 0) {
        close(down[0]);
        close(down[1]);
        return false;
    }
    pid_t parent = getpid();
    p->pid = fork();
    if (p->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_DFL);
        alarm((unsigned)(READY_LIMIT_S + RESULT_LIMIT_S) + 5);
        if (getppid() != parent) _exit(1);
        close(down[1]);
        close(up[0]);
        child(down[0], up[1], full);
    }
    close(down[0]);
    close(up[1]);
    p->to = down[1];
    p->from = up[0];
    if (p->pid > 0) return true;
    close(p->to);
    close(p->from);
    return false;
}

static void stop(struct process *p) {
    kill(p->pid, SIGKILL);
    waitpid(p->pid, NULL, 0);
    close(p->to);
    close(p->from);
}

/* Reads so many bytes until the time comes. */
static bool read_until(int fd, void *bytes, size_t count, double until_s) {
    char *at = (char *)bytes;
    while (count > 0) {
        double left_s = until_s - bench_now_s();
        struct pollfd ready = {fd, POLLIN, 0};
        if (left_s <= 0 || poll(&ready, 1, (int)(left_s * 1e3) + 1) < 0) return false;
        if (ready.revents == 0) continue;
        ssize_t n = read(fd, at, count);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        count -= (size_t)n;
    }
    return true;
}

/* Lets the processes run at the same time and collects their logs. */
static bool run_together(struct process *p, int processes, struct run_log *log) {
    char word;
    double until = bench_now_s() + READY_LIMIT_S;
    for (int i = 0; i < processes; i++)
        if (!read_until(p[i].from, &word, 1, until)) return false;
    for (int i = 0; i < processes; i++)
        if (!write_all(p[i].to, "g", 1)) return false;
    until = bench_now_s() + RESULT_LIMIT_S;
    for (int i = 0; i < processes; i++)
        if (!read_until(p[i].from, &log[i], sizeof log[i], until)) return false;
    return true;
}

static bool run_processes(int processes, bool full, struct run_log *log) {
    struct process p[PROCESSES_MOST];
    int started = 0;
    while (started < processes && start(&p[started], full)) started++;
    bool well = started == processes && run_together(p, processes, log);
    for (int i = 0; i < started; i++) stop(&p[i]);
    return well;
}

static bool value(struct bench *b, const char *what, const char *how, int processes,
                  double us, double mad_us, int samples) {
    char variant[32];
    snprintf(variant, sizeof variant, "%s_%s", what, how);
    struct shape shape = shape_of("time_slice", variant, "");
    shape.count = processes;
    return bench_value(b, &shape, us, mad_us, samples);
}

static bool mode(struct bench *b, const char *what, const char *how, int processes,
                 const double *us, int count) {
    double mad_us;
    int used;
    if (count == 0) {
        fprintf(stderr, "hotdesk-bench: time_slice: %d processes, %s: no %s seen\n",
                processes, how, what);
        return true;
    }
    double mode_us = slice_mode_us(us, count, &mad_us, &used);
    return value(b, what, how, processes, mode_us, mad_us, used);
}

static bool rows(struct bench *b, int processes, const char *how,
                 const struct run_log *log) {
    struct process_slices p[PROCESSES_MOST];
    struct slice_times t;
    for (int i = 0; i < processes; i++) {
        uint32_t count = log[i].watch.count;
        if (count > SLICE_LOG_MOST)
            fprintf(stderr,
                    "hotdesk-bench: time_slice: %u slices of a process not kept\n",
                    count - SLICE_LOG_MOST);
        p[i].slice = log[i].slice;
        p[i].count = (int)(count < SLICE_LOG_MOST ? count : (uint32_t)SLICE_LOG_MOST);
    }
    if (!slice_times_of(p, processes, &t)) {
        fprintf(stderr,
                "hotdesk-bench: time_slice: %d processes did not run at the same "
                "time\n",
                processes);
        return true;
    }
    if (t.overlaps > 0)
        fprintf(stderr,
                "hotdesk-bench: time_slice: %d times two processes ran at once\n",
                t.overlaps);
    bool more = value(b, "stretch", how, processes, 1e3 * t.stretch, 0, processes);
    if (processes > 1)
        more = more && mode(b, "slice", how, processes, t.slice_us, t.slices) &&
               mode(b, "switch", how, processes, t.switch_us, t.switches) &&
               mode(b, "gap", how, processes, t.gap_us, t.gaps);
    slice_times_free(&t);
    return more;
}

static bool measure(struct bench *b, int processes, bool full, struct run_log *log) {
    const char *how = full ? "full" : "block";
    char variant[32];
    snprintf(variant, sizeof variant, "stretch_%s", how);
    struct shape shape = shape_of("time_slice", variant, "");
    shape.count = processes;
    if (!bench_wants(b, &shape)) return bench_left_s(b) > 0;
    if (!run_processes(processes, full, log)) {
        char why[96];
        snprintf(why, sizeof why,
                 "time_slice: %d processes, %s: they did not all answer", processes,
                 how);
        bench_skip(b, why);
        return true;
    }
    return rows(b, processes, how, log);
}

static void run(struct bench *bench) {
    static const int counts[] = {2, 1, 4, 3};
    struct run_log *log = new struct run_log[PROCESSES_MOST];
    bool quick = bench_quick(bench), more = true;
    signal(SIGPIPE, SIG_IGN); /* a child that ended is seen by what write() returns */
    bench_expect(bench, quick ? 5 : 26);
    for (int full = 1; full >= (quick ? 1 : 0) && more; full--)
        for (int i = 0; i < (quick ? 2 : PROCESSES_MOST) && more; i++)
            more = measure(bench, counts[i], full == 1, log);
    delete[] log;
}

const struct quantity quantity_time_slice = {
    "time_slice", "1 to 4 processes on one GPU: length of a slice, cost of a switch",
    0.04, run};
