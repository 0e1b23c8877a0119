/* Slices, switches and gaps out of clocks that are made up here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "slice_times.h"

/* A loop that reads the clock each 300 ns and stands still from 5 to 8 us. */
static void a_gap_ends_a_slice(void **state) {
    (void)state;
    struct slice kept[4];
    struct slice_watch w = slice_watch_at(100, 2000);
    for (uint64_t now = 400; now <= 5000; now += 300) slice_watch_see(&w, kept, now);
    uint64_t last = w.last;
    for (uint64_t now = 8000; now <= 9000; now += 300) slice_watch_see(&w, kept, now);
    slice_watch_end(&w, kept);
    assert_int_equal(w.count, 2);
    assert_int_equal(kept[0].begin, 100);
    assert_int_equal(kept[0].end, last);
    assert_int_equal(kept[1].begin, 8000);
    assert_int_equal(kept[1].end, 8900);
}

/* More slices than there is room for are counted and not written. */
static void the_log_has_an_end(void **state) {
    (void)state;
    static struct slice kept[SLICE_LOG_MOST + 1];
    kept[SLICE_LOG_MOST].begin = 77;
    struct slice_watch w = slice_watch_at(0, 10);
    for (uint64_t i = 1; i <= SLICE_LOG_MOST + 5; i++)
        slice_watch_see(&w, kept, i * 10);
    slice_watch_end(&w, kept);
    assert_int_equal(w.count, SLICE_LOG_MOST + 6);
    assert_int_equal(kept[SLICE_LOG_MOST].begin, 77);
    assert_int_equal(kept[SLICE_LOG_MOST - 1].begin, (SLICE_LOG_MOST - 1) * 10);
}

/* Two processes in turn: slices of 2 ms, switches of 0.1 ms; one began 5 ms earlier
 * and ends 3 ms later than the other. */
static void two_in_turn(void **state) {
    (void)state;
    enum { TURNS = 50 };
    struct slice a[TURNS + 2], b[TURNS];
    const uint64_t ms = 1000000, slice = 2 * ms, turn = 2 * (slice + ms / 10);
    a[0] = (struct slice){0, 5 * ms};
    for (uint64_t i = 0; i < TURNS; i++) {
        uint64_t begin = 5 * ms + ms / 10 + i * turn;
        b[i] = (struct slice){begin, begin + slice};
        begin += slice + ms / 10;
        a[i + 1] = (struct slice){begin, begin + slice};
    }
    a[TURNS].end += 3 * ms;
    struct process_slices p[] = {{a, TURNS + 1}, {b, TURNS}};
    struct slice_times t;
    assert_true(slice_times_of(p, 2, &t));
    assert_int_equal(t.overlaps, 0);
    /* b without its first and last, a without what sticks out at both ends */
    assert_int_equal(t.slices, TURNS - 2 + TURNS - 1);
    for (int i = 0; i < t.slices; i++) assert_float_equal(t.slice_us[i], 2000, 1e-3F);
    for (int i = 0; i < t.switches; i++) assert_float_equal(t.switch_us[i], 100, 1e-3F);
    assert_int_equal(t.switches, 2 * TURNS - 2); /* not the first and last of b */
    assert_int_equal(t.gaps, TURNS - 1 + TURNS - 2);
    for (int i = 0; i < t.gaps; i++) assert_float_equal(t.gap_us[i], 2200, 1e-3F);
    /* b ran 50 x 2 ms, a 49 x 2 ms, of 50 turns less one last switch and slice */
    double passed = TURNS * 4.2 - 2.2;
    assert_float_equal(t.stretch, (passed / 100 + passed / 98) / 2, 1e-6F);
    slice_times_free(&t);
}

static void at_once_is_no_switch(void **state) {
    (void)state;
    struct slice a[] = {{0, 900}}, b[] = {{100, 1000}};
    struct process_slices p[] = {{a, 1}, {b, 1}};
    struct slice_times t;
    assert_true(slice_times_of(p, 2, &t));
    assert_int_equal(t.overlaps, 1);
    assert_int_equal(t.switches, 0);
    assert_int_equal(t.slices, 0);
    assert_float_equal(t.stretch, 1, 1e-6F);
    slice_times_free(&t);
}

static void not_at_the_same_time(void **state) {
    (void)state;
    struct slice a[] = {{0, 900}}, b[] = {{1000, 2000}};
    struct process_slices p[] = {{a, 1}, {b, 1}}, none[] = {{a, 1}, {b, 0}};
    struct slice_times t;
    assert_false(slice_times_of(p, 2, &t));
    assert_false(slice_times_of(none, 2, &t));
}

/* 60 values about 2000 and 30 about 150, and what an average would make of them. */
static void mode_of_a_mixture(void **state) {
    (void)state;
    double us[90], mad;
    int used;
    for (int i = 0; i < 60; i++) us[i] = 1990 + i % 21; /* 1990 to 2010 */
    for (int i = 60; i < 90; i++) us[i] = 145 + i % 10;
    double mode = slice_mode_us(us, 90, &mad, &used);
    assert_float_equal(mode, 2000, 1.5F);
    assert_int_equal(used, 60);
    assert_true(mad >= 4 && mad <= 6);
    mode = slice_mode_us(us + 60, 1, &mad, &used);
    assert_float_equal(mode, us[60], 1e-9F);
    assert_int_equal(used, 1);
    assert_float_equal(mad, 0, 1e-9F);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gap_ends_a_slice),   cmocka_unit_test(the_log_has_an_end),
        cmocka_unit_test(two_in_turn),          cmocka_unit_test(at_once_is_no_switch),
        cmocka_unit_test(not_at_the_same_time), cmocka_unit_test(mode_of_a_mixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
