/* 6: CUDA graphs of empty kernels in a chain: what a start of a model pays to make
 * them, and the floor under every step that runs as one. */
#include "bench.h"

static const long counts[] = {1, 10, 100, 1000, 2, 5, 20, 50, 200, 500, 2000};

static __global__ void node() {}

struct chain {
    long count;
    cudaStream_t stream;
    cudaGraph_t graph;
    cudaGraphExec_t ready; /* uploaded */
};

static void capture(const struct chain *c, cudaGraph_t *graph) {
    CUDA(cudaStreamBeginCapture(c->stream, cudaStreamCaptureModeThreadLocal));
    for (long i = 0; i < c->count; i++) node<<<1, 1, 0, c->stream>>>();
    CUDA(cudaStreamEndCapture(c->stream, graph));
}

static double time_capture(void *state, int) {
    cudaGraph_t graph;
    double start = bench_now_s();
    capture((const struct chain *)state, &graph);
    double seconds = bench_now_s() - start;
    CUDA(cudaGraphDestroy(graph));
    return seconds;
}

static double time_instantiate(void *state, int) {
    const struct chain *c = (const struct chain *)state;
    cudaGraphExec_t executable;
    double start = bench_now_s();
    CUDA(cudaGraphInstantiate(&executable, c->graph, 0));
    double seconds = bench_now_s() - start;
    CUDA(cudaGraphExecDestroy(executable));
    return seconds;
}

/* Each executable graph is uploaded once: a second upload has nothing to do. */
static double time_upload(void *state, int) {
    const struct chain *c = (const struct chain *)state;
    cudaGraphExec_t executable;
    CUDA(cudaGraphInstantiate(&executable, c->graph, 0));
    double start = bench_now_s();
    CUDA(cudaGraphUpload(executable, c->stream));
    CUDA(cudaStreamSynchronize(c->stream));
    double seconds = bench_now_s() - start;
    CUDA(cudaGraphExecDestroy(executable));
    return seconds;
}

static double time_launch(void *state, int) {
    const struct chain *c = (const struct chain *)state;
    CUDA(cudaStreamSynchronize(c->stream));
    double start = bench_now_s();
    CUDA(cudaGraphLaunch(c->ready, c->stream));
    return bench_now_s() - start;
}

static double time_complete(void *state, int) {
    const struct chain *c = (const struct chain *)state;
    CUDA(cudaStreamSynchronize(c->stream));
    double start = bench_now_s();
    CUDA(cudaGraphLaunch(c->ready, c->stream));
    CUDA(cudaStreamSynchronize(c->stream));
    return bench_now_s() - start;
}

static void enqueue(void *state, int, cudaStream_t stream) {
    CUDA(cudaGraphLaunch(((const struct chain *)state)->ready, stream));
}

static bool measure(struct bench *b, struct chain *c) {
    static const struct {
        const char *variant;
        double (*once)(void *, int);
    } steps[] = {{"capture", time_capture},
                 {"instantiate", time_instantiate},
                 {"upload", time_upload},
                 {"launch", time_launch},
                 {"complete", time_complete}};
    struct shape shape = shape_of("graph", "", "");
    shape.count = c->count;
    for (auto step : steps) {
        struct host_work work = {step.once, c, 0};
        shape.variant = step.variant;
        if (!bench_host(b, &shape, &work)) return false;
    }
    /* A launch of a long graph takes several places in the queue of the device. */
    struct device_work device = {enqueue, c, (int)c->count};
    shape.variant = "device";
    return bench_device(b, &shape, &device);
}

static void run(struct bench *b) {
    struct chain c = {};
    int sizes = bench_quick(b) ? 4 : (int)(sizeof counts / sizeof *counts);
    CUDA(cudaStreamCreateWithFlags(&c.stream, cudaStreamNonBlocking));
    bench_expect(b, 6L * sizes);
    for (int i = 0; i < sizes; i++) {
        c.count = counts[i];
        capture(&c, &c.graph);
        CUDA(cudaGraphInstantiate(&c.ready, c.graph, 0));
        CUDA(cudaGraphUpload(c.ready, c.stream));
        bool go_on = measure(b, &c);
        CUDA(cudaStreamSynchronize(c.stream));
        CUDA(cudaGraphExecDestroy(c.ready));
        CUDA(cudaGraphDestroy(c.graph));
        if (!go_on) return;
    }
    CUDA(cudaStreamDestroy(c.stream));
}

const struct quantity quantity_graph = {
    "graph", "CUDA graphs: capture, instantiate, upload, launch, completion", 0.03,
    run};
