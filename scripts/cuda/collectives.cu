/* Collectives of NCCL between the GPUs of this machine, by one process: launched each
 * time, or as a CUDA graph. What is timed is the first GPU's stream: its part ends when
 * all that it waits for has come. `bytes` is what one GPU has in the end, of all_gather
 * thus the whole; send_recv goes one way. Messages are as warm as the layer before left
 * them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "math_shapes.h"
#include "number_formats.h"

#ifdef HD_NCCL
#include <nccl.h>

namespace {

enum { MOST_GPUS = 8 };
const size_t BUFFER_BYTES = (size_t)512 << 20;

void nccl_check(ncclResult_t result, const char *call, int line) {
    if (result == ncclSuccess) return;
    fprintf(stderr, "collectives.cu:%d: %s: %s\n", line, call,
            ncclGetErrorString(result));
    exit(1);
}
#define NCCL(call) nccl_check((call), #call, __LINE__)

/* Communicators and streams of the first `count` GPUs. */
struct group {
    int count;
    ncclComm_t members[MOST_GPUS];
    cudaStream_t streams[MOST_GPUS]; /* the first GPU works in the caller's */
    cudaEvent_t begun, done[MOST_GPUS];
};

struct collectives {
    unsigned char *from[MOST_GPUS], *to[MOST_GPUS];
    struct group groups[MOST_GPUS + 1]; /* of so many; made when first needed */
    /* of the shape at hand */
    struct group *group;
    const struct shape *shape;
    cudaGraphExec_t graph;
};

bool is_op(const struct shape *s, const char *op) {
    return strcmp(s->op, op) == 0;
}
bool is_graph(const struct shape *s) {
    return strcmp(s->variant, "nccl_graph") == 0;
}

void group_create(struct group *g, int count) {
    g->count = count;
    NCCL(ncclCommInitAll(g->members, count, NULL));
    for (int i = 0; i < count; i++) {
        CUDA(cudaSetDevice(i));
        CUDA(cudaStreamCreateWithFlags(&g->streams[i], cudaStreamNonBlocking));
        CUDA(cudaEventCreateWithFlags(&g->done[i], cudaEventDisableTiming));
        if (i == 0) CUDA(cudaEventCreateWithFlags(&g->begun, cudaEventDisableTiming));
    }
    CUDA(cudaSetDevice(0));
}

void group_destroy(struct group *g) {
    for (int i = 0; i < g->count; i++) {
        CUDA(cudaSetDevice(i));
        CUDA(cudaStreamSynchronize(g->streams[i]));
        NCCL(ncclCommDestroy(g->members[i]));
        CUDA(cudaStreamDestroy(g->streams[i]));
        CUDA(cudaEventDestroy(g->done[i]));
    }
    CUDA(cudaSetDevice(0));
    CUDA(cudaEventDestroy(g->begun));
}

/* Sending is timed where it arrives: on the first GPU. */
void call_member(const struct collectives *c, int i, cudaStream_t stream) {
    const struct shape *const s = c->shape;
    const size_t elements = (size_t)s->bytes / 2;
    const ncclComm_t member = c->group->members[i];
    if (is_op(s, "all_reduce"))
        NCCL(ncclAllReduce(c->from[i], c->to[i], elements, ncclBfloat16, ncclSum,
                           member, stream));
    else if (is_op(s, "all_gather"))
        NCCL(ncclAllGather(c->from[i], c->to[i], elements / (size_t)s->gpus,
                           ncclBfloat16, member, stream));
    else if (i == 0)
        NCCL(ncclRecv(c->to[0], elements, ncclBfloat16, 1, member, stream));
    else
        NCCL(ncclSend(c->from[1], elements, ncclBfloat16, 0, member, stream));
}

void call_all(const struct collectives *c, cudaStream_t first) {
    NCCL(ncclGroupStart());
    for (int i = 0; i < c->group->count; i++)
        call_member(c, i, i == 0 ? first : c->group->streams[i]);
    NCCL(ncclGroupEnd());
}

/* The others' streams join the first one's capture and come back to it. */
void capture(struct collectives *c) {
    struct group *const g = c->group;
    cudaGraph_t graph;
    CUDA(cudaStreamBeginCapture(g->streams[0], cudaStreamCaptureModeThreadLocal));
    CUDA(cudaEventRecord(g->begun, g->streams[0]));
    for (int i = 1; i < g->count; i++)
        CUDA(cudaStreamWaitEvent(g->streams[i], g->begun, 0));
    call_all(c, g->streams[0]);
    for (int i = 1; i < g->count; i++) {
        CUDA(cudaSetDevice(i));
        CUDA(cudaEventRecord(g->done[i], g->streams[i]));
        CUDA(cudaSetDevice(0));
        CUDA(cudaStreamWaitEvent(g->streams[0], g->done[i], 0));
    }
    CUDA(cudaStreamEndCapture(g->streams[0], &graph));
    CUDA(cudaGraphInstantiate(&c->graph, graph, 0));
    CUDA(cudaGraphDestroy(graph));
}

void enqueue(void *state, int turn, cudaStream_t stream) {
    const struct collectives *const c = (const struct collectives *)state;
    (void)turn;
    if (is_graph(c->shape))
        CUDA(cudaGraphLaunch(c->graph, stream));
    else
        call_all(c, stream);
}

void wait_for_all(const struct group *g) {
    for (int i = 0; i < g->count; i++) {
        CUDA(cudaSetDevice(i));
        CUDA(cudaDeviceSynchronize());
    }
    CUDA(cudaSetDevice(0));
}

/* Readies the group and the graph; a first call sets up the connections. */
void prepare(struct collectives *c, const struct shape *s) {
    c->group = &c->groups[s->gpus];
    if (c->group->count == 0) group_create(c->group, (int)s->gpus);
    c->shape = s;
    call_all(c, c->group->streams[0]);
    wait_for_all(c->group);
    if (is_graph(s)) capture(c);
}

void finish(struct collectives *c) {
    wait_for_all(c->group);
    if (is_graph(c->shape)) CUDA(cudaGraphExecDestroy(c->graph));
}

/* Element i of GPU r's message: whole numbers, whose sums bf16 holds. */
int datum(size_t i, int r) {
    return (int)((i * 7 + (size_t)r * 3) % 16);
}

int must_be(const struct shape *s, size_t i) {
    if (is_op(s, "send_recv")) return datum(i, 1);
    const size_t each = (size_t)s->bytes / 2 / (size_t)s->gpus;
    if (is_op(s, "all_gather")) return datum(i % each, (int)(i / each));
    int sum = 0;
    for (int r = 0; r < s->gpus; r++) sum += datum(i, r);
    return sum;
}

void verify(struct bench *b, struct collectives *c, const struct shape *s) {
    const size_t elements = (size_t)s->bytes / 2;
    uint16_t *const message = (uint16_t *)malloc((size_t)s->bytes);
    if (message == NULL) {
        fprintf(stderr, "collectives: out of memory\n");
        exit(1);
    }
    for (int r = 0; r < s->gpus; r++) {
        for (size_t i = 0; i < elements; i++)
            message[i] = bf16_of_float((float)datum(i, r));
        CUDA(cudaMemcpy(c->from[r], message, (size_t)s->bytes, cudaMemcpyHostToDevice));
        CUDA(cudaMemset(c->to[r], 0xff, (size_t)s->bytes));
    }
    prepare(c, s);
    enqueue(c, 0, c->group->streams[0]);
    wait_for_all(c->group);
    CUDA(cudaMemcpy(message, c->to[0], (size_t)s->bytes, cudaMemcpyDeviceToHost));
    size_t wrong = 0;
    for (size_t i = 0; i < elements; i++)
        if (!(float_of_bf16(message[i]) == (float)must_be(s, i))) wrong++;
    bench_verified(b, s, wrong == 0, "%zu of %zu elements are wrong", wrong, elements);
    finish(c);
    free(message);
}

void verify_all(struct bench *b, struct collectives *c, const struct shape *list,
                int count) {
    enum { VERIFIED_BYTES = 65536 };
    for (int i = 0; i < count; i++)
        if (list[i].bytes == VERIFIED_BYTES) verify(b, c, &list[i]);
}

void run_between(struct bench *b, int gpus) {
    struct shape *const list = (struct shape *)malloc(MATH_SHAPES_MOST * sizeof *list);
    struct collectives c;
    memset(&c, 0, sizeof c);
    if (list == NULL) {
        fprintf(stderr, "collectives: out of memory\n");
        exit(1);
    }
    for (int i = 0; i < gpus; i++) {
        CUDA(cudaSetDevice(i));
        CUDA(cudaMalloc((void **)&c.from[i], BUFFER_BYTES));
        CUDA(cudaMalloc((void **)&c.to[i], BUFFER_BYTES));
        CUDA(cudaMemset(c.from[i], 0x3c, BUFFER_BYTES)); /* small numbers, not zeros */
    }
    CUDA(cudaSetDevice(0));
    const int count = collective_shapes(list, gpus);
    verify_all(b, &c, list, count);
    struct device_work work;
    memset(&work, 0, sizeof work);
    work.enqueue = enqueue;
    work.state = &c;
    bench_expect(b, rows_within(bench_left_s(b), count));
    for (int i = 0; i < count; i++) {
        if (!bench_wants(b, &list[i])) continue;
        prepare(&c, &list[i]);
        const bool more = bench_device(b, &list[i], &work);
        finish(&c);
        if (!more) break;
    }
    for (int i = 2; i <= gpus; i++)
        if (c.groups[i].count > 0) group_destroy(&c.groups[i]);
    for (int i = 0; i < gpus; i++) {
        CUDA(cudaFree(c.from[i]));
        CUDA(cudaFree(c.to[i]));
    }
    free(list);
}

void run(struct bench *b) {
    int gpus = 0;
    CUDA(cudaGetDeviceCount(&gpus));
    if (gpus < 2)
        bench_skip(b, "this machine has one GPU");
    else
        run_between(b, gpus < MOST_GPUS ? gpus : MOST_GPUS);
}

} // namespace

#else

static void run(struct bench *b) {
    bench_skip(b, "built without NCCL");
}

#endif

extern const struct quantity quantity_collectives = {
    "collectives", "NCCL's all-reduce, all-gather, send-receive between GPUs", 0.05,
    run};
