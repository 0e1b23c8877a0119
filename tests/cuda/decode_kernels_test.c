/* Paged decode attention, thread by thread, against plain attention in double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attention_reference.h"
#include "cuda/emulator.h"
#include "decode_kernels.h"

static uint16_t *random_buffer(size_t elements, uint32_t seed) {
    uint16_t *const buffer = aligned_alloc(16, elements * sizeof *buffer);
    assert_non_null(buffer);
    for (size_t i = 0; i < elements; i++) buffer[i] = random_bf16(i, seed);
    return buffer;
}

static void run_64(void *call) {
    decode_kernel_64(*(struct decode_call *)call);
}
static void run_128(void *call) {
    decode_kernel_128(*(struct decode_call *)call);
}
static void run_merge(void *call) {
    merge_splits_kernel(*(struct decode_call *)call);
}

enum { POOL_PAGES = 64, SEQUENCES_MOST = 3 };

/* Runs all of it and compares every element. */
static void check(const int *contexts, int sequences, int heads, int kv_heads, int dim,
                  int pages_per_split) {
    int first_page[SEQUENCES_MOST], pages[POOL_PAGES], used = 0, splits = 1;
    for (int i = 0; i < sequences; i++) {
        const int here = splits_of(pages_of(contexts[i]), pages_per_split);
        first_page[i] = used;
        used += pages_of(contexts[i]);
        if (here > splits) splits = here;
    }
    assert_true(used <= POOL_PAGES);
    for (int i = 0; i < POOL_PAGES; i++)
        pages[i] = scattered_page(i, scatter_step(POOL_PAGES), POOL_PAGES);
    const size_t stride = (size_t)(kv_heads * dim);
    const size_t pool = page_element(POOL_PAGES, stride);
    const size_t rows = (size_t)(sequences * heads), parts = rows * (size_t)splits;
    uint16_t *const queries = random_buffer(rows * (size_t)dim, QUERY_SEED);
    uint16_t *const keys = random_buffer(pool, KEY_SEED);
    uint16_t *const values = random_buffer(pool, VALUE_SEED);
    uint16_t *const outputs = random_buffer(rows * (size_t)dim, 99);
    float *const partial = malloc(parts * (size_t)dim * sizeof *partial);
    float *const sums = malloc(2 * parts * sizeof *sums);
    struct decode_call call = {
        .queries = queries,
        .keys = keys,
        .values = values,
        .pages = pages,
        .first_page = first_page,
        .contexts = contexts,
        .partial_outputs = partial,
        .partial_sums = sums,
        .outputs = outputs,
        .heads = heads,
        .kv_heads = kv_heads,
        .splits = splits,
        .pages_per_split = pages_per_split,
        .scale = (float)(attention_scale(dim) * 1.4426950408889634),
    };
    emulate(kv_heads, splits, sequences, DECODE_THREADS, 0,
            dim == 64 ? run_64 : run_128, &call);
    if (splits > 1) emulate(heads, sequences, 1, dim, 0, run_merge, &call);
    for (int i = 0; i < sequences; i++)
        for (int head = 0; head < heads; head++) {
            uint64_t tokens[POOL_PAGES * PAGE_TOKENS];
            double must[LARGEST_DIM];
            for (int j = 0; j < contexts[i]; j++) {
                const int page = pages[first_page[i] + j / PAGE_TOKENS];
                tokens[j] = page_element(page, stride) +
                            (size_t)(j % PAGE_TOKENS) * stride +
                            (size_t)(head / (heads / kv_heads) * dim);
            }
            const size_t row = (size_t)(i * heads + head) * (size_t)dim;
            attention_reference(must, row, tokens, contexts[i], dim);
            for (int j = 0; j < dim; j++) {
                const double is = float_of_bf16(outputs[row + (size_t)j]);
                if (!(fabs(is - must[j]) <= attention_tolerance(must[j])))
                    fail_msg("sequence %d head %d element %d: %g instead of %g", i,
                             head, j, is, must[j]);
            }
        }
    free(queries);
    free(keys);
    free(values);
    free(outputs);
    free(partial);
    free(sums);
}

static void one_split(void **state) {
    (void)state;
    const int contexts[] = {1, 100, 16};
    check(contexts, 3, 4, 2, 128, 8);
}

static void many_splits(void **state) {
    (void)state;
    const int contexts[] = {333, 40, 129};
    check(contexts, 3, 4, 1, 128, 4);
}

static void small_heads(void **state) {
    (void)state;
    const int contexts[] = {200, 31};
    check(contexts, 2, 14, 2, 64, 5);
}

static void largest_group(void **state) {
    (void)state;
    const int contexts[] = {150};
    check(contexts, 1, 16, 1, 128, 4);
}

static void no_group(void **state) {
    (void)state;
    const int contexts[] = {77, 5};
    check(contexts, 2, 2, 2, 128, 4);
}

/* Each page of the table once, whatever the pool's size. */
static void scattered(void **state) {
    (void)state;
    for (long pages = 1; pages < 500; pages++) {
        char seen[500] = {0};
        const long step = scatter_step(pages);
        for (long i = 0; i < pages; i++) {
            const int page = scattered_page(i, step, pages);
            assert_in_range(page, 0, pages - 1);
            assert_int_equal(seen[page]++, 0);
        }
    }
    assert_in_range(scattered_page(5000000, scatter_step(5242880), 5242880), 0,
                    5242879);
}

static void ragged(void **state) {
    (void)state;
    const long batches[] = {17, 32, 512}, means[] = {64, 1000, 8192};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            const long batch = batches[i], mean = means[j];
            long sum = 0;
            for (long s = 0; s < batch; s++) {
                const int context = context_of(batch, mean, 16 * mean, s);
                assert_in_range(context, 1, 16 * mean);
                assert_true(s == 0 || context < mean);
                sum += context;
            }
            assert_int_equal(sum, batch * mean);
            assert_int_equal(context_of(batch, mean, -1, 3), mean);
        }
}

/* Few sequences are split until they fill the GPU; many are not split at all. */
static void plans(void **state) {
    (void)state;
    const int resident = 264;
    int each = pages_per_split_of(pages_of(65536), 8, resident);
    assert_in_range(splits_of(pages_of(65536), each) * 8, resident, 7 * resident);
    each = pages_per_split_of(512L * pages_of(1024), 8, resident);
    assert_int_equal(splits_of(pages_of(1024), each), 1);
    assert_int_equal(pages_per_split_of(1, 1, resident), 4);
    /* one sequence of 8192 tokens: all blocks at once */
    each = pages_per_split_of(pages_of(8192), 8, resident);
    assert_in_range(splits_of(pages_of(8192), each) * 8, resident / 2, resident);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_split),   cmocka_unit_test(many_splits),
        cmocka_unit_test(small_heads), cmocka_unit_test(largest_group),
        cmocka_unit_test(no_group),    cmocka_unit_test(scattered),
        cmocka_unit_test(ragged),      cmocka_unit_test(plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
