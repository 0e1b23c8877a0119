/* The lists of shapes: whole, without repetition, coarse first; and how a pool's parts
 * take turns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "hardware/catalog.h"
#include "math_shapes.h"
#include "rotation.h"

typedef int make_list(struct shape *, int depth);

struct lists {
    struct shape *gemm, *prefill, *decode, *small;
    int gemms, prefills, decodes, smalls;
};

static struct shape *new_list(make_list *make, int depth, int *count) {
    struct shape *const list = malloc(MATH_SHAPES_MOST * sizeof *list);
    assert_non_null(list);
    *count = make(list, depth);
    return list;
}

static int setup(void **state) {
    struct lists *const l = malloc(sizeof *l);
    l->gemm = new_list(gemm_shapes, WHOLE_LIST, &l->gemms);
    l->prefill = new_list(prefill_shapes, WHOLE_LIST, &l->prefills);
    l->decode = new_list(decode_shapes, WHOLE_LIST, &l->decodes);
    l->small = new_list(small_shapes, WHOLE_LIST, &l->smalls);
    *state = l;
    return 0;
}

static int teardown(void **state) {
    struct lists *const l = *state;
    free(l->gemm);
    free(l->prefill);
    free(l->decode);
    free(l->small);
    free(l);
    return 0;
}

static int compare(const void *a, const void *b) {
    char left[256], right[256];
    record_key(left, sizeof left, "", a);
    record_key(right, sizeof right, "", b);
    return strcmp(left, right);
}

/* Room is left, and no key comes twice. */
static void each_once(const struct shape *list, int count) {
    struct shape *const sorted = malloc((size_t)count * sizeof *sorted);
    assert_in_range(count, 100, MATH_SHAPES_MOST - 1);
    memcpy(sorted, list, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare);
    for (int i = 1; i < count; i++) {
        char key[256];
        record_key(key, sizeof key, "", &sorted[i]);
        if (compare(&sorted[i - 1], &sorted[i]) == 0) fail_msg("twice: %s", key);
    }
    free(sorted);
}

static void no_shape_twice(void **state) {
    const struct lists *const l = *state;
    each_once(l->gemm, l->gemms);
    each_once(l->prefill, l->prefills);
    each_once(l->decode, l->decodes);
    each_once(l->small, l->smalls);
}

/* What is refined less is the beginning of what is refined more. */
static void refined_in_order(void **state) {
    const struct lists *const l = *state;
    make_list *const make[] = {gemm_shapes, prefill_shapes, decode_shapes,
                               small_shapes};
    const struct shape *const whole[] = {l->gemm, l->prefill, l->decode, l->small};
    const int counts[] = {l->gemms, l->prefills, l->decodes, l->smalls};
    for (int i = 0; i < 4; i++) {
        int before = 0;
        for (int depth = 0; depth <= 2; depth++) {
            int count;
            struct shape *const list = new_list(make[i], depth, &count);
            assert_in_range(count, before + 1, counts[i]);
            for (int j = 0; j < count; j++)
                assert_int_equal(compare(&list[j], &whole[i][j]), 0);
            before = count;
            free(list);
        }
    }
}

/* The first turn spans the range already. */
static void coarse_first(void **state) {
    (void)state;
    int count;
    bool one = false, many = false, small = false, large = false;
    struct shape *list = new_list(gemm_shapes, 0, &count);
    assert_true(count < 100);
    for (int i = 0; i < count; i++) {
        one |= list[i].m == 1;
        many |= list[i].m == 4096;
        small |= list[i].n == 1024 && list[i].k == 1024;
        large |= list[i].n == 16384 && list[i].k == 16384;
    }
    assert_true(one && many && small && large);
    free(list);
    one = many = small = large = false;
    list = new_list(decode_shapes, 1, &count);
    for (int i = 0; i < count; i++) {
        one |= list[i].batch == 1;
        many |= list[i].batch == 512;
        small |= list[i].context == 256;
        large |= list[i].context == 32768;
    }
    assert_true(one && many && small && large);
    free(list);
}

static bool has_gemm(const struct lists *l, const char *op, const char *dtype, long m,
                     long n, long k) {
    for (int i = 0; i < l->gemms; i++) {
        const struct shape *const s = &l->gemm[i];
        if (strcmp(s->op, op) == 0 && strcmp(s->dtype, dtype) == 0 && s->m == m &&
            s->n == n && s->k == k)
            return true;
    }
    return false;
}

static void round_sizes(void **state) {
    const struct lists *const l = *state;
    const long sizes[] = {1024, 4096, 16384};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            for (long m = 1; m <= 8192; m *= 2) {
                assert_true(has_gemm(l, "gemm", "bf16", m, sizes[i], sizes[j]));
                assert_true(has_gemm(l, "gemm", "fp8", m, sizes[i], sizes[j]));
            }
}

static bool has_heads(const struct shape *list, int count,
                      const struct hd_model_spec *model) {
    for (int i = 0; i < count; i++)
        if (list[i].heads == model->heads && list[i].kv_heads == model->kv_heads &&
            list[i].head_dim == model->head_dim)
            return true;
    return false;
}

static bool has_width(const struct lists *l, const char *op, long n) {
    for (int i = 0; i < l->smalls; i++)
        if (strcmp(l->small[i].op, op) == 0 && l->small[i].n == n) return true;
    return false;
}

static void covers(const struct lists *l, const struct hd_model_spec *s) {
    const long ffn = s->experts > 0 ? s->moe_ffn : s->ffn, heads = s->heads;
    const long rows = (heads + 2 * s->kv_heads) * s->head_dim;
    if (!has_gemm(l, "gemm", "fp8", 65, rows, s->hidden) ||
        !has_gemm(l, "gemm", "bf16", 65, s->hidden, heads * s->head_dim) ||
        !has_gemm(l, "gemm", "bf16", 65, 2 * ffn, s->hidden) ||
        !has_gemm(l, "gemm", "bf16", 65, s->hidden, ffn) ||
        !has_gemm(l, "lm_head", "bf16", 64, s->vocab, s->hidden) ||
        !has_heads(l->prefill, l->prefills, s) ||
        !has_heads(l->decode, l->decodes, s) || !has_heads(l->small, l->smalls, s) ||
        !has_width(l, "norm", s->hidden) || !has_width(l, "activation", ffn) ||
        !has_width(l, "sampling", s->vocab))
        fail_msg("a kernel of %s has no shape", s->name);
}

/* A model added to the catalogue must be added to the lists, too. */
static void shipped_models(void **state) {
    struct hd_err err;
    struct hd_catalog *const catalog = hd_catalog_load(&err);
    assert_non_null(catalog);
    int count, covered = 0;
    const struct hd_model_spec *const models = hd_catalog_models(catalog, &count);
    for (int i = 0; i < count; i++) {
        if (models[i].kv_rank > 0) continue; /* latent attention: other kernels */
        covers(*state, &models[i]);
        covered++;
    }
    assert_true(covered > 20);
    hd_catalog_free(catalog);
}

/* What the kernels stand on: 16-byte accesses, the mean of a ragged batch. */
static void kernels_can(void **state) {
    const struct lists *const l = *state;
    for (int i = 0; i < l->gemms; i++)
        assert_true(l->gemm[i].n % 16 == 0 && l->gemm[i].k % 16 == 0);
    for (int i = 0; i < l->smalls; i++)
        assert_true(l->small[i].n < 0 || l->small[i].n % 8 == 0);
    for (int i = 0; i < l->decodes; i++) {
        const struct shape *const s = &l->decode[i];
        assert_true(s->heads / s->kv_heads <= 16 && s->heads % s->kv_heads == 0);
        assert_true(s->head_dim == 64 || s->head_dim == 128);
        if (s->count < 0) continue;
        /* the others share what the long one leaves of the sum */
        assert_true(s->count > s->context && s->batch * s->context > s->count);
    }
}

static void turns(void **state) {
    (void)state;
    const size_t l2 = 50 << 20, pool = 1 << 30;
    struct rotation r = rotation_of(1000, pool, l2);
    assert_true(r.stride == 1024 && (size_t)r.copies * 1000 >= 3 * l2);
    assert_int_equal(rotation_offset(&r, r.copies - 1), (size_t)(r.copies - 1) * 1024);
    assert_int_equal(rotation_offset(&r, r.copies), 0);
    r = rotation_of(400u << 20, pool, l2); /* two large ones, if only for the overlap */
    assert_int_equal(r.copies, 2);
    r = rotation_of(600u << 20, pool, l2); /* room for one, itself beyond the cache */
    assert_int_equal(r.copies, 1);
    r = rotation_of(100u << 20, 150u << 20, l2); /* one that would stay in the cache */
    assert_int_equal(r.copies, 0);
    r = rotation_of(2u << 30, pool, l2);
    assert_int_equal(r.copies, 0);
}

static void collectives(void **state) {
    (void)state;
    struct shape *const list = malloc(MATH_SHAPES_MOST * sizeof *list);
    assert_int_equal(collective_shapes(list, 1), 0);
    /* 22 sizes, two modes; sending and receiving is between two alone */
    assert_int_equal(collective_shapes(list, 2), 22 * 2 * 3);
    const int count = collective_shapes(list, 8);
    assert_int_equal(count, 22 * 2 * (3 + 2 + 2));
    each_once(list, count);
    for (int i = 0; i < count; i++) {
        assert_in_range(list[i].bytes, 256, 512 << 20);
        assert_true(list[i].gpus == 2 || list[i].gpus == 4 || list[i].gpus == 8);
    }
    assert_int_equal(list[0].bytes, 256);
    free(list);
}

static void time_for_rows(void **state) {
    (void)state;
    assert_int_equal(rows_within(500, 1000), 1000);
    assert_int_equal(rows_within(10, 1000), 400);
    assert_int_equal(rows_within(-1, 1000), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_shape_twice), cmocka_unit_test(refined_in_order),
        cmocka_unit_test(coarse_first),   cmocka_unit_test(round_sizes),
        cmocka_unit_test(shipped_models), cmocka_unit_test(kernels_can),
        cmocka_unit_test(turns),          cmocka_unit_test(time_for_rows),
        cmocka_unit_test(collectives),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
