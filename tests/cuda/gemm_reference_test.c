/* What a GEMM is compared with, against sums over operands written out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gemm_reference.h"

enum { ROWS = 3, OUTPUTS = 5, INNER = 40, FIRST = 7 };

static void check(bool fp8) {
    double x[ROWS * INNER], w[FIRST + OUTPUTS * INNER];
    for (uint64_t i = 0; i < ROWS * INNER; i++)
        x[i] = fp8 ? float_of_e4m3(random_e4m3(i, INPUT_SEED))
                   : float_of_bf16(random_bf16(i, INPUT_SEED));
    for (uint64_t i = 0; i < FIRST + OUTPUTS * INNER; i++)
        w[i] = fp8 ? float_of_e4m3(random_e4m3(i, WEIGHT_SEED))
                   : float_of_bf16(random_bf16(i, WEIGHT_SEED));
    int told_apart = 0;
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < OUTPUTS; j++) {
            double sum = 0, transposed = 0;
            for (int k = 0; k < INNER; k++) {
                sum += x[i * INNER + k] * w[FIRST + j * INNER + k];
                transposed += x[i * INNER + k] * w[FIRST + k * OUTPUTS + j];
            }
            const struct gemm_output out =
                gemm_reference(fp8, FIRST, (uint64_t)i, (uint64_t)j, INNER);
            assert_true(fabs(out.value - sum) < 1e-9);
            /* a rounded output passes, one from weights read the wrong way round fails
             */
            assert_true(fabs(float_of_bf16(bf16_of_float((float)sum)) - sum) <=
                        out.tolerance);
            told_apart += fabs(transposed - sum) > out.tolerance;
        }
    assert_true(told_apart >= ROWS * OUTPUTS - 2);
}

static void bf16(void **state) {
    (void)state;
    check(false);
}

static void fp8(void **state) {
    (void)state;
    check(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(bf16), cmocka_unit_test(fp8)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
