/* The memory-bound kernels against plain double arithmetic, thread by thread. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cuda/emulator.h"
#include "fill_kernels.h"
#include "small_kernels.h"
#include "small_reference.h"

static uint16_t *bf16_buffer(size_t elements, uint32_t seed) {
    uint16_t *const buffer = aligned_alloc(16, elements * sizeof *buffer);
    assert_non_null(buffer);
    for (size_t i = 0; i < elements; i++) buffer[i] = random_bf16(i, seed);
    return buffer;
}

/* bf16 keeps 8 bits: half a unit of the last is up to 2^-8 of the value. */
static void assert_near(double is, double must, double rounding) {
    if (fabs(is - must) > rounding * fabs(must) + 1e-6)
        fail_msg("%.9g instead of %.9g", is, must);
}

static const double BF16 = 1.01 / 256, FLOAT = 1e-5;

static void formats(void **state) {
    (void)state;
    assert_int_equal(bf16_of_float(1.0f), 0x3f80);
    assert_int_equal(bf16_of_float(1.00390625f), 0x3f80); /* a tie goes to even */
    assert_int_equal(bf16_of_float(1.01171875f), 0x3f82);
    assert_int_equal(bf16_of_float(1.005f), 0x3f81);
    assert_int_equal(bf16_pair(1.0f, -2.0f), 0xc0003f80);
    assert_true(bf16_low(0xc0003f80) == 1.0f && bf16_high(0xc0003f80) == -2.0f);
    assert_true(float_of_e4m3(0x38) == 1.0f && float_of_e4m3(0xb9) == -1.125f);
    assert_true(float_of_e4m3(0x7e) == 448.0f && float_of_e4m3(1) == 0.001953125f);
}

static void errors(void **state) {
    (void)state;
    assert_true(larger_error(1, 2) == 2 && larger_error(2, 1) == 2);
    assert_true(isinf(larger_error(0, NAN)) && isinf(larger_error(INFINITY, 1)));
}

/* Random data look it: mean 0, variance 1/3, neighbours and seeds unrelated. */
static void random_data(void **state) {
    (void)state;
    enum { COUNT = 200000 };
    double sum = 0, squares = 0, neighbours = 0, seeds = 0;
    for (uint64_t i = 0; i < COUNT; i++) {
        const double x = random_value(i, 5);
        assert_true(x >= -1 && x < 1);
        sum += x;
        squares += x * x;
        neighbours += x * random_value(i + 1, 5);
        seeds += x * random_value(i, 6);
        const double e = fabs(float_of_e4m3(random_e4m3(i, 7)));
        assert_true(e >= 0.125 && e < 2);
    }
    assert_true(fabs(sum / COUNT) < 0.01);
    assert_true(fabs(squares / COUNT - 1.0 / 3) < 0.01);
    assert_true(fabs(neighbours / COUNT) < 0.01 && fabs(seeds / COUNT) < 0.01);
    assert_true(random_value(1ull << 32, 5) != random_value(0, 5));
}

struct call {
    const uint16_t *a, *b;
    uint16_t *out;
    uint8_t *bytes;
    const int *ids;
    const float *logits;
    float *sums;
    int *chosen;
    int width, heads, kv_heads, head_dim;
};

static void run_fill_bf16(void *p) {
    const struct call *const c = p;
    fill_bf16_kernel(c->out, (size_t)c->width, 9);
}
static void run_fill_e4m3(void *p) {
    const struct call *const c = p;
    fill_e4m3_kernel(c->bytes, (size_t)c->width, 9);
}
static void run_fill_logits(void *p) {
    const struct call *const c = p;
    fill_logits_kernel(c->sums, (size_t)c->width, 9);
}

static void fills(void **state) {
    (void)state;
    enum { COUNT = 2 * 64 * 16 * 3 + 16 }; /* a few turns of the grid and a rest */
    struct call c = {.out = aligned_alloc(16, COUNT * 2),
                     .bytes = aligned_alloc(16, COUNT),
                     .sums = aligned_alloc(16, COUNT * 4),
                     .width = COUNT};
    emulate(2, 1, 1, 64, 0, run_fill_bf16, &c);
    emulate(2, 1, 1, 64, 0, run_fill_e4m3, &c);
    emulate(2, 1, 1, 64, 0, run_fill_logits, &c);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(c.out[i], random_bf16((uint64_t)i, 9));
        assert_int_equal(c.bytes[i], random_e4m3((uint64_t)i, 9));
        assert_true(c.sums[i] == 8 * random_value((uint64_t)i, 9));
    }
    free(c.out);
    free(c.bytes);
    free(c.sums);
}

static void run_rmsnorm(void *p) {
    const struct call *const c = p;
    rmsnorm_kernel(c->a, c->b, c->out, c->width);
}

static void rmsnorm(void **state) {
    (void)state;
    enum { ROWS = 3, WIDTH = 896 };
    uint16_t *const in = bf16_buffer(ROWS * WIDTH, 1), *const weight =
                                                           bf16_buffer(WIDTH, 2);
    uint16_t *const out = bf16_buffer(ROWS * WIDTH, 3);
    struct call c = {.a = in, .b = weight, .out = out, .width = WIDTH};
    emulate(ROWS, 1, 1, 64, 0, run_rmsnorm, &c);
    for (int row = 0; row < ROWS; row++) {
        double squares = 0;
        for (int i = 0; i < WIDTH; i++) {
            const double x = float_of_bf16(in[row * WIDTH + i]);
            squares += x * x;
        }
        const double root = sqrt(squares / WIDTH + 1e-5);
        for (int i = 0; i < WIDTH; i++)
            assert_near(float_of_bf16(out[row * WIDTH + i]),
                        float_of_bf16(in[row * WIDTH + i]) / root *
                            float_of_bf16(weight[i]),
                        BF16);
    }
    free(in);
    free(weight);
    free(out);
}

static void run_add(void *p) {
    const struct call *const c = p;
    add_kernel(c->a, c->b, c->out, (size_t)c->width);
}
static void run_silu_mul(void *p) {
    const struct call *const c = p;
    silu_mul_kernel(c->a, c->out, c->width);
}
static void run_embedding(void *p) {
    const struct call *const c = p;
    embedding_kernel(c->a, c->ids, c->out, c->width);
}

static void elementwise(void **state) {
    (void)state;
    enum { ROWS = 3, WIDTH = 600, ALL = 2 * ROWS * WIDTH };
    const int ids[ROWS] = {5, 0, 3};
    uint16_t *const a = bf16_buffer(ALL, 1), *const b = bf16_buffer(ALL, 2);
    uint16_t *const out = bf16_buffer(ALL, 3);
    struct call c = {.a = a, .b = b, .out = out, .ids = ids, .width = ROWS * WIDTH};
    emulate((ROWS * WIDTH / 8 + 31) / 32, 1, 1, 32, 0, run_add, &c);
    for (int i = 0; i < ROWS * WIDTH; i++)
        assert_near(float_of_bf16(out[i]), float_of_bf16(a[i]) + float_of_bf16(b[i]),
                    BF16);
    assert_int_equal(out[ROWS * WIDTH],
                     random_bf16(ROWS * WIDTH, 3)); /* nothing beyond */

    c.width = WIDTH;
    emulate(ROWS, 3, 1, 32, 0, run_silu_mul, &c);
    for (int i = 0; i < ROWS * WIDTH; i++) {
        const int at = i / WIDTH * 2 * WIDTH + i % WIDTH;
        const double gate = float_of_bf16(a[at]), up = float_of_bf16(a[at + WIDTH]);
        assert_near(float_of_bf16(out[i]), gate / (1 + exp(-gate)) * up, BF16);
    }
    emulate(ROWS, 3, 1, 32, 0, run_embedding, &c);
    for (int i = 0; i < ROWS * WIDTH; i++)
        assert_int_equal(out[i], a[ids[i / WIDTH] * WIDTH + i % WIDTH]);
    free(a);
    free(b);
    free(out);
}

static void run_rope(void *p) {
    const struct call *const c = p;
    rope_kernel(c->a, c->ids, c->b, c->out, c->heads, c->kv_heads, c->head_dim);
}

static void rope(void **state) {
    (void)state;
    enum { TOKENS = 2, HEADS = 3, KV = 1, DIM = 64, WIDTH = (HEADS + 2 * KV) * DIM };
    const int positions[TOKENS] = {7, 2};
    uint16_t *const rows = bf16_buffer(TOKENS * WIDTH, 1);
    uint16_t *const out = bf16_buffer(TOKENS * WIDTH, 3);
    uint16_t *const angles = bf16_buffer(8 * DIM, 2);
    for (int position = 0; position < 8; position++)
        for (int i = 0; i < DIM / 2; i++) {
            const double angle = position * pow(10000, -2.0 * i / DIM);
            angles[position * DIM + i] = bf16_of_float((float)cos(angle));
            angles[position * DIM + DIM / 2 + i] = bf16_of_float((float)sin(angle));
        }
    struct call c = {.a = rows,
                     .b = angles,
                     .out = out,
                     .ids = positions,
                     .heads = HEADS,
                     .kv_heads = KV,
                     .head_dim = DIM};
    emulate(TOKENS, 1, 1, 32, 0, run_rope, &c);
    for (int token = 0; token < TOKENS; token++)
        for (int head = 0; head < HEADS + 2 * KV; head++)
            for (int i = 0; i < DIM / 2; i++) {
                const int at = token * WIDTH + head * DIM + i;
                if (head >= HEADS + KV) { /* values are left alone */
                    assert_int_equal(out[at], random_bf16((uint64_t)at, 3));
                    continue;
                }
                const double angle = positions[token] * pow(10000, -2.0 * i / DIM);
                const double x = float_of_bf16(rows[at]);
                const double y = float_of_bf16(rows[at + DIM / 2]);
                const double scale =
                    fabs(x) + fabs(y); /* sine and cosine are rounded */
                assert_true(fabs(float_of_bf16(out[at]) - x * cos(angle) +
                                 y * sin(angle)) < 2 * BF16 * scale + 1e-6);
                assert_true(fabs(float_of_bf16(out[at + DIM / 2]) - y * cos(angle) -
                                 x * sin(angle)) < 2 * BF16 * scale + 1e-6);
            }
    free(rows);
    free(out);
    free(angles);
}

/* Compares all of an op's output with what the suite compares a GPU's with. */
static void as_on_device(const char *op, long m, long n, void (*kernel)(void *),
                         struct call *c, int blocks, int slices) {
    struct shape s = shape_of(op, "", "bf16");
    const long table_rows = 16;
    s.m = m;
    s.n = n;
    s.heads = c->heads;
    s.kv_heads = c->kv_heads;
    s.head_dim = c->head_dim;
    emulate(blocks, slices, 1, 32, 0, kernel, c);
    const long width = row_elements(&s);
    const long written = width - (is_op(&s, "rope") ? c->kv_heads * c->head_dim : 0);
    for (long row = 0; row < m; row++)
        for (long column = 0; column < written; column++)
            assert_near(float_of_bf16(c->out[row * width + column]),
                        small_output(&s, table_rows, row, column), BF16);
}

static void references(void **state) {
    (void)state;
    enum { TOKENS = 3, WIDTH = 384, HEADS = 4, KV = 1, DIM = 64 };
    uint16_t *const data = bf16_buffer(16 * WIDTH, SMALL_DATA_SEED);
    uint16_t *const weight = bf16_buffer(WIDTH, SMALL_WEIGHT_SEED);
    uint16_t *const out = bf16_buffer(TOKENS * WIDTH, 3);
    uint16_t *const angles = bf16_buffer(POSITIONS * DIM, 3);
    int ids[TOKENS];
    for (int i = 0; i < TOKENS; i++) ids[i] = embedding_row(16, i);
    struct call c = {.a = data, .b = weight, .out = out, .ids = ids, .width = WIDTH};
    as_on_device("norm", TOKENS, WIDTH, run_rmsnorm, &c, TOKENS, 1);
    as_on_device("activation", TOKENS, WIDTH, run_silu_mul, &c, TOKENS, 2);
    as_on_device("embedding", TOKENS, WIDTH, run_embedding, &c, TOKENS, 2);
    c.b = data + TOKENS * WIDTH;
    c.width = TOKENS * WIDTH;
    as_on_device("add", TOKENS, WIDTH, run_add, &c, (TOKENS * WIDTH / 8 + 31) / 32, 1);
    for (int i = 0; i < TOKENS; i++) {
        ids[i] = position_of(i);
        for (int j = 0; j < DIM; j++)
            angles[ids[i] * DIM + j] = bf16_of_float((float)rope_angle(ids[i], j, DIM));
    }
    c = (struct call){.a = data, .b = angles, .out = out, .ids = ids};
    c.heads = HEADS;
    c.kv_heads = KV;
    c.head_dim = DIM;
    as_on_device("rope", TOKENS, -1, run_rope, &c, TOKENS, 1);
    free(data);
    free(weight);
    free(out);
    free(angles);
}

static void run_argmax(void *p) {
    const struct call *const c = p;
    argmax_kernel(c->logits, c->width, c->chosen);
}

static void argmax(void **state) {
    (void)state;
    enum { ROWS = 2, WORDS = 1000 };
    float *const logits = aligned_alloc(16, ROWS * WORDS * sizeof *logits);
    int chosen[ROWS];
    for (int i = 0; i < ROWS * WORDS; i++) logits[i] = random_value((uint64_t)i, 4) - 3;
    logits[777] = logits[778] = logits[12] = -1; /* the first of equals, all below 0 */
    logits[WORDS + 999] = 2;
    struct call c = {.logits = logits, .chosen = chosen, .width = WORDS};
    emulate(ROWS, 1, 1, 64, 0, run_argmax, &c);
    assert_int_equal(chosen[0], 12);
    assert_int_equal(chosen[1], 999);
    free(logits);
}

static void run_draw(void *p) {
    const struct call *const c = p;
    draw_kernel(c->logits, c->width, 1 / 0.7f, (uint32_t)c->heads, c->sums, c->chosen);
}

/* Drawn words have the softmax's frequencies, and its sums are right. */
static void draw(void **state) {
    (void)state;
    enum { ROWS = 64, WORDS = 16, SEEDS = 12 };
    float *const logits = aligned_alloc(16, ROWS * WORDS * sizeof *logits);
    float sums[2 * ROWS];
    int chosen[ROWS], counts[WORDS] = {0};
    double p[WORDS], sum = 0, largest = -INFINITY;
    for (int i = 0; i < ROWS * WORDS; i++)
        logits[i] = 2 * random_value((uint64_t)(i % WORDS), 4);
    for (int i = 0; i < WORDS; i++) {
        p[i] = exp(logits[i] / 0.7);
        sum += p[i];
        largest = fmax(largest, logits[i] / 0.7);
    }
    struct call c = {.logits = logits, .chosen = chosen, .sums = sums, .width = WORDS};
    for (c.heads = 0; c.heads < SEEDS; c.heads++) {
        emulate(ROWS, 1, 1, 32, 0, run_draw, &c);
        for (int row = 0; row < ROWS; row++) {
            counts[chosen[row]]++;
            assert_near(sums[2 * row], largest, FLOAT);
            assert_near(sums[2 * row + 1], sum / exp(largest), FLOAT);
        }
    }
    double chi_square = 0;
    for (int i = 0; i < WORDS; i++) {
        const double expected = p[i] / sum * ROWS * SEEDS;
        chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
    }
    assert_true(chi_square < 37.7); /* 15 degrees of freedom, one in a thousand */
    free(logits);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),     cmocka_unit_test(errors),
        cmocka_unit_test(random_data), cmocka_unit_test(fills),
        cmocka_unit_test(rmsnorm),     cmocka_unit_test(elementwise),
        cmocka_unit_test(rope),        cmocka_unit_test(references),
        cmocka_unit_test(argmax),      cmocka_unit_test(draw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
