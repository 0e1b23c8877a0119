/* Causal prefill attention, thread by thread, against plain attention in double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "attention_reference.h"
#include "cuda/emulator.h"
#include "prefill_kernels.h"

static uint16_t *random_buffer(size_t elements, uint32_t seed) {
    uint16_t *const buffer = aligned_alloc(16, elements * sizeof *buffer);
    assert_non_null(buffer);
    for (size_t i = 0; i < elements; i++) buffer[i] = random_bf16(i, seed);
    return buffer;
}

static void run_64(void *call) {
    prefill_kernel_64(*(struct prefill_call *)call);
}
static void run_128(void *call) {
    prefill_kernel_128(*(struct prefill_call *)call);
}

static void check_query(const struct prefill_call *c, int dim, int query, int head) {
    enum { TOKENS_MOST = 1024 };
    const int tokens = c->prefix + query + 1;
    uint64_t rows[TOKENS_MOST];
    double must[PREFILL_LARGEST_DIM];
    assert_true(tokens <= TOKENS_MOST);
    for (int i = 0; i < tokens; i++)
        rows[i] = (uint64_t)((i * c->kv_heads + head / (c->heads / c->kv_heads)) * dim);
    const uint64_t at = (uint64_t)((query * c->heads + head) * dim);
    attention_reference(must, at, rows, tokens, dim);
    for (int i = 0; i < dim; i++) {
        const double is = float_of_bf16(c->outputs[at + (uint64_t)i]);
        if (!(fabs(is - must[i]) <= attention_tolerance(must[i])))
            fail_msg("query %d head %d element %d: %g instead of %g", query, head, i,
                     is, must[i]);
    }
}

/* Runs all of it and compares every element of some queries: step apart. */
static void check(int chunk, int prefix, int heads, int kv_heads, int dim, int step) {
    const size_t queries = (size_t)(chunk * heads * dim);
    const size_t tokens = (size_t)((prefix + chunk) * kv_heads * dim);
    uint16_t *const q = random_buffer(queries, QUERY_SEED);
    uint16_t *const k = random_buffer(tokens, KEY_SEED);
    uint16_t *const v = random_buffer(tokens, VALUE_SEED);
    uint16_t *const out = random_buffer(queries + 8, 99);
    struct prefill_call call = {
        .queries = q,
        .keys = k,
        .values = v,
        .outputs = out,
        .chunk = chunk,
        .prefix = prefix,
        .heads = heads,
        .kv_heads = kv_heads,
        .scale = (float)(attention_scale(dim) * 1.4426950408889634),
    };
    emulate((chunk + BLOCK_ROWS - 1) / BLOCK_ROWS, heads, 1, PREFILL_THREADS,
            prefill_shared_bytes(dim), dim == 64 ? run_64 : run_128, &call);
    for (int head = 0; head < heads; head++) {
        for (int query = 0; query < chunk; query += step)
            check_query(&call, dim, query, head);
        check_query(&call, dim, chunk - 1, head);
    }
    for (size_t i = queries; i < queries + 8; i++) /* nothing beyond */
        assert_int_equal(out[i], random_bf16(i, 99));
    free(q);
    free(k);
    free(v);
    free(out);
}

static void one_block(void **state) {
    (void)state;
    check(100, 0, 1, 1, 128, 1);
}

static void after_a_prefix(void **state) {
    (void)state;
    check(40, 77, 2, 1, 128, 1);
}

static void blocks(void **state) {
    (void)state;
    check(200, 130, 1, 1, 128, 7);
}

static void small_heads(void **state) {
    (void)state;
    check(150, 64, 3, 1, 64, 3);
}

static void one_token(void **state) {
    (void)state;
    check(1, 0, 1, 1, 128, 1);
    check(1, 200, 2, 1, 64, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_block), cmocka_unit_test(after_a_prefix),
        cmocka_unit_test(blocks),    cmocka_unit_test(small_heads),
        cmocka_unit_test(one_token),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
