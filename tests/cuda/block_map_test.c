/* Where KV blocks lie, and that moving them loses none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "block_map.h"

enum { SLOTS = 64, SHIFT = 3, POOL = SLOTS << SHIFT };
#define STEP_A 2654435761u
#define STEP_B 2246822519u

static void slots_are_all_different(void **state) {
    (void)state;
    const uint32_t steps[] = {1, STEP_A, STEP_B};
    for (int s = 0; s < 3; s++)
        for (uint32_t first = 0; first < 5; first++) {
            struct block_map map = {steps[s], first * 17, SLOTS};
            int seen[SLOTS] = {0};
            for (uint32_t i = 0; i < SLOTS; i++) {
                assert_in_range(block_slot(map, i), 0, SLOTS - 1);
                assert_int_equal(seen[block_slot(map, i)]++, 0);
            }
        }
}

/* No two blocks that follow each other lie side by side, in a pool of any size. */
static void scattered_blocks_are_apart(void **state) {
    (void)state;
    const uint32_t steps[] = {STEP_A, STEP_B};
    for (int s = 0; s < 2; s++)
        for (uint32_t slots = 512; slots <= 1u << 17; slots *= 2) {
            struct block_map map = {steps[s], 0, slots};
            for (uint32_t i = 0; i + 1 < slots; i++) {
                size_t a = block_slot(map, i), b = block_slot(map, i + 1);
                assert_true((a > b ? a - b : b - a) > 1);
            }
        }
}

static void vectors_stay_in_their_block(void **state) {
    (void)state;
    struct block_map map = {STEP_A, 11, SLOTS};
    for (size_t v = 0; v < POOL; v++) {
        size_t at = block_vector(map, SHIFT, v);
        assert_int_equal(at >> SHIFT, block_slot(map, (uint32_t)(v >> SHIFT)));
        assert_int_equal(at & ((1 << SHIFT) - 1), v & ((1 << SHIFT) - 1));
    }
}

/* Moves 40 of 64 blocks: they arrive, the other slots stay as they were. */
static void moving_loses_none(void **state) {
    (void)state;
    static vector16 from[POOL], to[POOL], untouched[POOL];
    struct block_map a = {STEP_A, 5, SLOTS}, b = {STEP_B, 9, SLOTS};
    const size_t count = 40, thread_counts[] = {1, 7, 64, 1000};
    for (size_t i = 0; i < POOL; i++) from[i] = vector_pattern(3, i);
    memset(untouched, 0x55, sizeof untouched);
    for (int c = 0; c < 4; c++) {
        memset(to, 0x55, sizeof to);
        for (size_t t = 0; t < thread_counts[c]; t++)
            block_move(to, b, from, a, SHIFT, count, t, thread_counts[c]);
        for (uint32_t i = 0; i < SLOTS; i++) {
            const vector16 *block = &to[block_slot(b, i) << SHIFT];
            const vector16 *right =
                i < count ? &from[block_slot(a, i) << SHIFT] : untouched;
            assert_memory_equal(block, right, sizeof *block << SHIFT);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slots_are_all_different),
        cmocka_unit_test(scattered_blocks_are_apart),
        cmocka_unit_test(vectors_stay_in_their_block),
        cmocka_unit_test(moving_loses_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
