#include "cudnn_attention.h"

#include <stdio.h>

#if __has_include(<cudnn.h>)

#include <float.h>
#include <vector>

#include "bench.h"
#include "cudnn_library.h"

namespace {

/* Names of the tensors that the kernel is given. */
enum { Q = 1, K, V, O, SCALE, KV_TOKENS, Q_TOKENS, LOWEST, GIVEN = LOWEST };

typedef cudnnBackendDescriptor_t descriptor;

} // namespace

/* One plan at a time. The first call that fails leaves its status, and those behind it
 * do nothing. */
struct cudnn_attention {
    struct cudnn_library library;
    cudnnHandle_t handle;
    cudnnStatus_t status;
    const char *failed; /* what failed */
    std::vector<descriptor> made;
    descriptor plan;
    int64_t names; /* given to tensors so far */
    int64_t workspace_bytes;
    void *workspace;
    float scale, lowest;
    int32_t kv_tokens, q_tokens;
};

namespace {

void check(struct cudnn_attention *a, cudnnStatus_t status, const char *what) {
    if (a->status != CUDNN_STATUS_SUCCESS || status == CUDNN_STATUS_SUCCESS) return;
    a->status = status;
    a->failed = what;
}

descriptor make(struct cudnn_attention *a, cudnnBackendDescriptorType_t type) {
    descriptor d = NULL;
    if (a->status != CUDNN_STATUS_SUCCESS) return d;
    check(a, a->library.create_descriptor(type, &d), "a descriptor");
    if (d != NULL) a->made.push_back(d);
    return d;
}

void set(struct cudnn_attention *a, descriptor d, cudnnBackendAttributeName_t name,
         cudnnBackendAttributeType_t type, int64_t count, const void *values) {
    if (a->status == CUDNN_STATUS_SUCCESS)
        check(a, a->library.set_attribute(d, name, type, count, values),
              "an attribute");
}

void link(struct cudnn_attention *a, descriptor d, cudnnBackendAttributeName_t name,
          descriptor other) {
    set(a, d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other);
}

descriptor finalized(struct cudnn_attention *a, descriptor d, const char *what) {
    if (a->status == CUDNN_STATUS_SUCCESS) check(a, a->library.finalize(d), what);
    return d;
}

enum where { INSIDE, ON_DEVICE, BY_VALUE };

struct extent {
    int64_t dims[4], strides[4];
};

struct extent extent_of(int64_t heads, int64_t rows, int64_t columns,
                        int64_t head_stride, int64_t row_stride,
                        int64_t column_stride) {
    struct extent e = {
        {1, heads, rows, columns},
        {heads * rows * columns, head_stride, row_stride, column_stride}};
    return e;
}

struct extent packed(int64_t heads, int64_t rows, int64_t columns) {
    return extent_of(heads, rows, columns, rows * columns, columns, 1);
}

descriptor tensor(struct cudnn_attention *a, int64_t name, cudnnDataType_t type,
                  const struct extent &e, enum where where) {
    const int64_t alignment = 16;
    const bool is_virtual = where == INSIDE, by_value = where == BY_VALUE;
    const descriptor d = make(a, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(a, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &name);
    set(a, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(a, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, e.dims);
    set(a, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, e.strides);
    set(a, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    set(a, d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    set(a, d, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &by_value);
    return finalized(a, d, "a tensor");
}

descriptor inside(struct cudnn_attention *a, cudnnDataType_t type,
                  const struct extent &e) {
    return tensor(a, ++a->names, type, e, INSIDE);
}

descriptor value(struct cudnn_attention *a, int64_t name, cudnnDataType_t type) {
    return tensor(a, name, type, packed(1, 1, 1), BY_VALUE);
}

descriptor matmul(struct cudnn_attention *a, descriptor x, descriptor y,
                  descriptor out) {
    const cudnnDataType_t computed = CUDNN_DATA_FLOAT;
    const descriptor how = make(a, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    set(a, how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &computed);
    finalized(a, how, "a matrix product's type");
    const descriptor d = make(a, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    link(a, d, CUDNN_ATTR_OPERATION_MATMUL_ADESC, x);
    link(a, d, CUDNN_ATTR_OPERATION_MATMUL_BDESC, y);
    link(a, d, CUDNN_ATTR_OPERATION_MATMUL_CDESC, out);
    link(a, d, CUDNN_ATTR_OPERATION_MATMUL_DESC, how);
    return finalized(a, d, "a matrix product");
}

descriptor reduction(struct cudnn_attention *a, cudnnReduceTensorOp_t op, descriptor x,
                     descriptor out) {
    const cudnnDataType_t computed = CUDNN_DATA_FLOAT;
    const descriptor how = make(a, CUDNN_BACKEND_REDUCTION_DESCRIPTOR);
    set(a, how, CUDNN_ATTR_REDUCTION_OPERATOR, CUDNN_TYPE_REDUCTION_OPERATOR_TYPE, 1,
        &op);
    set(a, how, CUDNN_ATTR_REDUCTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &computed);
    finalized(a, how, "a reduction's type");
    const descriptor d = make(a, CUDNN_BACKEND_OPERATION_REDUCTION_DESCRIPTOR);
    link(a, d, CUDNN_ATTR_OPERATION_REDUCTION_XDESC, x);
    link(a, d, CUDNN_ATTR_OPERATION_REDUCTION_YDESC, out);
    link(a, d, CUDNN_ATTR_OPERATION_REDUCTION_DESC, how);
    return finalized(a, d, "a reduction");
}

/* y and mask: NULL where the operation takes none. axis: of an index, else negative. */
descriptor pointwise(struct cudnn_attention *a, cudnnPointwiseMode_t mode,
                     cudnnDataType_t computed, int64_t axis, descriptor x, descriptor y,
                     descriptor mask, descriptor out) {
    const descriptor how = make(a, CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    set(a, how, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(a, how, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &computed);
    if (axis >= 0) set(a, how, CUDNN_ATTR_POINTWISE_AXIS, CUDNN_TYPE_INT64, 1, &axis);
    finalized(a, how, "a pointwise operation's type");
    const descriptor d = make(a, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    link(a, d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, how);
    link(a, d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (y != NULL) link(a, d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, y);
    if (mask != NULL) link(a, d, CUDNN_ATTR_OPERATION_POINTWISE_TDESC, mask);
    link(a, d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, out);
    return finalized(a, d, "a pointwise operation");
}

/* Attention spelt out, from which cuDNN recognises the fused kernel: scores, scaled;
 * the lowest number where the key comes after the query, whose places both are counted
 * from the end; softmax; weighted values. */
std::vector<descriptor> attention(struct cudnn_attention *a,
                                  const struct prefill_call *c, int64_t dim) {
    const cudnnDataType_t f32 = CUDNN_DATA_FLOAT, i32 = CUDNN_DATA_INT32;
    const cudnnDataType_t bf16 = CUDNN_DATA_BFLOAT16, logical = CUDNN_DATA_BOOLEAN;
    const int64_t heads = c->heads, kv = c->kv_heads, rows = c->chunk;
    const int64_t tokens = c->prefix + c->chunk;
    const struct extent queries = extent_of(heads, rows, dim, dim, heads * dim, 1);
    const struct extent square = packed(heads, rows, tokens),
                        column = packed(heads, rows, 1);
    const descriptor q = tensor(a, Q, bf16, queries, ON_DEVICE);
    const descriptor keys =
        tensor(a, K, bf16, extent_of(kv, dim, tokens, dim, 1, kv * dim), ON_DEVICE);
    const descriptor values =
        tensor(a, V, bf16, extent_of(kv, tokens, dim, dim, kv * dim, 1), ON_DEVICE);
    const descriptor out = tensor(a, O, bf16, queries, ON_DEVICE);
    const descriptor raw = inside(a, f32, square), scaled = inside(a, f32, square);
    const descriptor row = inside(a, i32, square), key = inside(a, i32, square);
    const descriptor from_end = inside(a, i32, square), place = inside(a, i32, square);
    const descriptor seen = inside(a, logical, square), masked = inside(a, f32, square);
    const descriptor largest = inside(a, f32, column), less = inside(a, f32, square);
    const descriptor power = inside(a, f32, square), sum = inside(a, f32, column);
    const descriptor weights = inside(a, bf16, square);
    std::vector<descriptor> ops;
    ops.push_back(matmul(a, q, keys, raw));
    ops.push_back(pointwise(a, CUDNN_POINTWISE_MUL, f32, -1, raw, value(a, SCALE, f32),
                            NULL, scaled));
    ops.push_back(
        pointwise(a, CUDNN_POINTWISE_GEN_INDEX, f32, 2, scaled, NULL, NULL, row));
    ops.push_back(
        pointwise(a, CUDNN_POINTWISE_GEN_INDEX, f32, 3, scaled, NULL, NULL, key));
    ops.push_back(pointwise(a, CUDNN_POINTWISE_ADD, i32, -1, row,
                            value(a, KV_TOKENS, i32), NULL, from_end));
    ops.push_back(pointwise(a, CUDNN_POINTWISE_SUB, i32, -1, from_end,
                            value(a, Q_TOKENS, i32), NULL, place));
    ops.push_back(
        pointwise(a, CUDNN_POINTWISE_CMP_GE, logical, -1, place, key, NULL, seen));
    ops.push_back(pointwise(a, CUDNN_POINTWISE_BINARY_SELECT, f32, -1, scaled,
                            value(a, LOWEST, f32), seen, masked));
    ops.push_back(reduction(a, CUDNN_REDUCE_TENSOR_MAX, masked, largest));
    ops.push_back(
        pointwise(a, CUDNN_POINTWISE_SUB, f32, -1, masked, largest, NULL, less));
    ops.push_back(pointwise(a, CUDNN_POINTWISE_EXP, f32, -1, less, NULL, NULL, power));
    ops.push_back(reduction(a, CUDNN_REDUCE_TENSOR_ADD, power, sum));
    ops.push_back(
        pointwise(a, CUDNN_POINTWISE_DIV, f32, -1, power, sum, NULL, weights));
    ops.push_back(matmul(a, weights, values, out));
    return ops;
}

/* The first of the heuristic's configurations that makes a plan. */
void choose_plan(struct cudnn_attention *a, descriptor graph) {
    enum { MOST = 16 };
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    descriptor configurations[MOST];
    int64_t count = 0;
    const descriptor heuristic = make(a, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    link(a, heuristic, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    set(a, heuristic, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    finalized(a, heuristic, "the heuristic");
    for (int i = 0; i < MOST; i++)
        configurations[i] = make(a, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    if (a->status != CUDNN_STATUS_SUCCESS) return;
    check(a,
          a->library.get_attribute(heuristic, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                   CUDNN_TYPE_BACKEND_DESCRIPTOR, MOST, &count,
                                   configurations),
          "the heuristic's answer");
    for (int64_t i = 0; i < count && i < MOST && a->plan == NULL; i++) {
        const descriptor plan = make(a, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
        set(a, plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
            &a->handle);
        link(a, plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configurations[i]);
        if (a->status != CUDNN_STATUS_SUCCESS) return;
        if (a->library.finalize(plan) == CUDNN_STATUS_SUCCESS) a->plan = plan;
    }
    if (a->plan == NULL) check(a, CUDNN_STATUS_NOT_SUPPORTED, "a plan");
}

void forget_plan(struct cudnn_attention *a) {
    while (!a->made.empty()) {
        a->library.destroy_descriptor(a->made.back());
        a->made.pop_back();
    }
    a->plan = NULL;
    a->status = CUDNN_STATUS_SUCCESS;
    a->names = GIVEN;
}

/* What failed, and cuDNN's own words on it, in one line. */
void explain(const struct cudnn_attention *a, char *why, size_t bytes) {
    char text[256] = "";
    a->library.last_error(text, sizeof text);
    for (char *c = text; *c != 0; c++)
        if (*c == '\n') *c = ' ';
    snprintf(why, bytes, "cuDNN: %s: %s: %s", a->failed,
             a->library.error_string(a->status), text);
}

void make_plan(struct cudnn_attention *a, const struct prefill_call *c, int dim) {
    forget_plan(a);
    const std::vector<descriptor> ops = attention(a, c, dim);
    const descriptor graph = make(a, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(a, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &a->handle);
    set(a, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
        (int64_t)ops.size(), ops.data());
    finalized(a, graph, "the graph of operations");
    choose_plan(a, graph);
}

} // namespace

struct cudnn_attention *cudnn_attention_open(char *why, size_t bytes) {
    struct cudnn_attention *const a = new struct cudnn_attention();
    if (cudnn_library_open(&a->library, why, bytes)) {
        const cudnnStatus_t status = a->library.create(&a->handle);
        if (status == CUDNN_STATUS_SUCCESS) return a;
        snprintf(why, bytes, "cudnnCreate: %s", a->library.error_string(status));
    }
    delete a;
    return NULL;
}

void cudnn_attention_close(struct cudnn_attention *a) {
    if (a == NULL) return;
    forget_plan(a);
    a->library.destroy(a->handle);
    CUDA(cudaFree(a->workspace));
    delete a;
}

bool cudnn_attention_plan(struct cudnn_attention *a, const struct prefill_call *c,
                          int dim, float scale, char *why, size_t bytes) {
    a->scale = scale;
    a->lowest = -FLT_MAX;
    a->kv_tokens = c->prefix + c->chunk;
    a->q_tokens = c->chunk;
    make_plan(a, c, dim);
    int64_t needed = 0;
    if (a->status == CUDNN_STATUS_SUCCESS)
        check(a,
              a->library.get_attribute(a->plan,
                                       CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                                       CUDNN_TYPE_INT64, 1, NULL, &needed),
              "the plan's memory");
    if (a->status != CUDNN_STATUS_SUCCESS) {
        explain(a, why, bytes);
        return false;
    }
    if (needed > a->workspace_bytes) {
        CUDA(cudaFree(a->workspace));
        CUDA(cudaMalloc(&a->workspace, (size_t)needed));
        a->workspace_bytes = needed;
    }
    return true;
}

bool cudnn_attention_enqueue(struct cudnn_attention *a, const struct prefill_call *c,
                             cudaStream_t stream) {
    static const int64_t NAMES[GIVEN] = {Q,     K,         V,        O,
                                         SCALE, KV_TOKENS, Q_TOKENS, LOWEST};
    const void *const at[GIVEN] = {c->queries, c->keys,       c->values,    c->outputs,
                                   &a->scale,  &a->kv_tokens, &a->q_tokens, &a->lowest};
    descriptor pack = NULL;
    check(a, a->library.set_stream(a->handle, stream), "the stream");
    check(a, a->library.create_descriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack),
          "the buffers");
    set(a, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, GIVEN, NAMES);
    set(a, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, GIVEN, at);
    set(a, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1,
        &a->workspace);
    finalized(a, pack, "the buffers");
    if (a->status == CUDNN_STATUS_SUCCESS)
        check(a, a->library.execute(a->handle, a->plan, pack), "the kernel");
    if (pack != NULL) a->library.destroy_descriptor(pack);
    if (a->status == CUDNN_STATUS_SUCCESS) return true;
    fprintf(stderr, "cudnn_attention.cu: %s: %s\n", a->failed,
            a->library.error_string(a->status));
    return false;
}

#else

struct cudnn_attention *cudnn_attention_open(char *why, size_t bytes) {
    snprintf(why, bytes, "built without cudnn.h");
    return NULL;
}

void cudnn_attention_close(struct cudnn_attention *) {}

bool cudnn_attention_plan(struct cudnn_attention *, const struct prefill_call *, int,
                          float, char *, size_t) {
    return false;
}

bool cudnn_attention_enqueue(struct cudnn_attention *, const struct prefill_call *,
                             cudaStream_t) {
    return false;
}

#endif
