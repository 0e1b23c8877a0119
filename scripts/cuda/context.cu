/* 10: what a process pays before its first kernel: the floor under the start of an
 * engine. Each sample is a process of its own; "cold" is its first such call, "warm"
 * the second. */
#include <cublasLt.h>
#include <stdio.h>
#include <stdlib.h>

#include <vector>

#include "apart.h"
#include "bench.h"
#include "driver_api.h"
#include "phases.h"

#define APART_LIMIT_S 60

enum { STEPS_MOST = 16, FULL_SAMPLES = 15, QUICK_SAMPLES = 3 };

/* A module that the driver compiles, as small as can be; for any device of today. */
static const char module_text[] = ".version 7.0\n.target sm_80\n.address_size 64\n"
                                  ".visible .entry nothing() { ret; }\n";

static void add(struct apart_report *report, double *mark) {
    double now = bench_now_s();
    report->seconds[report->count++] = now - *mark;
    *mark = bench_now_s();
}

/* Contexts by the driver's calls. */
static const char *const driver_steps[] = {
    "init_cold",    "create_cold",         "destroy_cold",   "create_warm",
    "destroy_warm", "primary_retain_cold", "primary_release"};

static void driver_calls(void *, struct apart_report *report) {
    CUdevice device;
    CUcontext context;
    double mark = bench_now_s();
    struct driver_api loaded = driver_api_load();
    const struct driver_api *api = &loaded;
    DRIVER(api, api->init(0));
    add(report, &mark);
    DRIVER(api, api->device_get(&device, 0));
    mark = bench_now_s();
    for (int i = 0; i < 2; i++) {
        DRIVER(api, api->context_create(&context, 0, device));
        add(report, &mark);
        DRIVER(api, api->context_destroy(context));
        add(report, &mark);
    }
    DRIVER(api, api->primary_retain(&context, device));
    add(report, &mark);
    DRIVER(api, api->primary_release(device));
    add(report, &mark);
}

/* Compiling at the start, without the cache that the driver keeps on disk. */
static const char *const module_steps[] = {"module_ptx_cold", "module_ptx_warm"};

static void module_calls(void *, struct apart_report *report) {
    CUdevice device;
    CUcontext context;
    CUmodule module;
    setenv("CUDA_CACHE_DISABLE", "1", 1);
    struct driver_api loaded = driver_api_load();
    const struct driver_api *api = &loaded;
    DRIVER(api, api->init(0));
    DRIVER(api, api->device_get(&device, 0));
    DRIVER(api, api->context_create(&context, 0, device));
    for (int i = 0; i < 2; i++) {
        double mark = bench_now_s();
        DRIVER(api, api->module_load(&module, module_text));
        add(report, &mark);
        DRIVER(api, api->module_unload(module));
    }
}

/* The same as the runtime does it, and what an engine makes next. */
static const char *const runtime_steps[] = {"runtime_cold",
                                            "module_load_cold",
                                            "first_launch_cold",
                                            "stream_create_cold",
                                            "cublas_handle_cold",
                                            "cublas_handle_warm",
                                            "reset"};

static __global__ void first() {}

static void runtime_calls(void *, struct apart_report *report) {
    cudaFuncAttributes attributes;
    cudaStream_t stream;
    cublasLtHandle_t handle;
    double mark = bench_now_s();
    CUDA(cudaSetDevice(0));
    CUDA(cudaFree(NULL));
    add(report, &mark);
    CUDA(cudaFuncGetAttributes(&attributes, first));
    add(report, &mark);
    first<<<1, 1>>>();
    CUDA(cudaGetLastError());
    CUDA(cudaDeviceSynchronize());
    add(report, &mark);
    CUDA(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    add(report, &mark);
    for (int i = 0; i < 2; i++) {
        if (cublasLtCreate(&handle) != CUBLAS_STATUS_SUCCESS) {
            fprintf(stderr, "\ncublasLtCreate failed\n");
            exit(1);
        }
        add(report, &mark);
        cublasLtDestroy(handle);
        mark = bench_now_s();
    }
    CUDA(cudaStreamDestroy(stream));
    mark = bench_now_s();
    CUDA(cudaDeviceReset());
    add(report, &mark);
}

struct group {
    void (*work)(void *, struct apart_report *);
    const char *const *step;
    int steps;
};

static void measure(struct bench *b, const struct group *group, int samples) {
    std::vector<double> taken[STEPS_MOST];
    struct apart apart = {group->work, NULL, APART_LIMIT_S};
    struct shape shape = shape_of("context", "", "");
    double seconds[APART_VALUES], until = bench_left_s(b) / 2;
    bool any = false;
    for (int i = 0; i < group->steps; i++) {
        shape.variant = group->step[i];
        any |= bench_wants(b, &shape);
    }
    double began = bench_now_s();
    for (int i = 0; any && i < samples && bench_now_s() - began < until; i++) {
        int count = apart_run(&apart, "context", seconds);
        if (count == group->steps) {
            for (int j = 0; j < count; j++) taken[j].push_back(seconds[j]);
            continue;
        }
        bench_verified(b, &shape, false, "%d of %d steps in a process of its own",
                       count, group->steps);
        break;
    }
    for (int i = 0; i < group->steps && !taken[i].empty(); i++) {
        shape.variant = group->step[i];
        if (!bench_samples(b, &shape, taken[i].data(), (int)taken[i].size())) return;
    }
}

static void run(struct bench *b) {
    const struct group groups[] = {
        {driver_calls, driver_steps, sizeof driver_steps / sizeof *driver_steps},
        {module_calls, module_steps, sizeof module_steps / sizeof *module_steps},
        {runtime_calls, runtime_steps, sizeof runtime_steps / sizeof *runtime_steps}};
    for (const struct group &group : groups)
        measure(b, &group, bench_quick(b) ? QUICK_SAMPLES : FULL_SAMPLES);
}

const struct quantity quantity_context = {
    "context", "contexts, modules and handles: in a fresh process, and again", 0.04,
    run};
