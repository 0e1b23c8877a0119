/* Arrays that leave the heap when they grow. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/spill.h"

static bool in_file(const void *array) {
    return ((const struct hd_spill *)array)[-1].file >= 0;
}

static uint64_t value(size_t i) {
    return i * 0x9e3779b97f4a7c15u + 1;
}

/* Elements one by one, as callers add them. */
static uint64_t *filled(size_t count) {
    uint64_t *array = NULL;
    for (size_t i = 0; i < count; i++) {
        array = hd_spill_room(array, (i + 1) * sizeof *array);
        array[i] = value(i);
    }
    return array;
}

static void holds(const uint64_t *array, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i % 65536 == 0) hd_spill_pass(array, i * sizeof *array);
        if (array[i] != value(i)) fail_msg("element %zu is wrong", i);
    }
}

/* 2 MB on the heap; 80 MB past it and past the first step of the file. */
enum { LONG = 10 << 20, SHORT = 1 << 18 };

static void what_was_written_is_there(void **state) {
    (void)state;
    uint64_t *small = filled(SHORT), *large = filled(LONG);
    assert_false(in_file(small));
    assert_true(in_file(large));
    for (int pass = 0; pass < 2; pass++) { /* pages given back are read again */
        holds(small, SHORT);
        holds(large, LONG);
    }
    large[5] = 7;
    hd_spill_pass(large, 1 << 22);
    assert_int_equal(large[5], 7);
    hd_spill_free(small);
    hd_spill_free(large);
    hd_spill_free(NULL);
    hd_spill_pass(NULL, 8);
}

static void room_at_once_is_there(void **state) {
    (void)state;
    uint64_t *array = hd_spill_room(NULL, sizeof *array * LONG);
    assert_true(in_file(array));
    array[0] = 1;
    array[LONG - 1] = 2;
    assert_int_equal(array[0], 1);
    hd_spill_free(array);
}

/* Neither a folder that is not there nor a full disk loses anything. */
static void without_a_file_it_stays_on_the_heap(void **state) {
    (void)state;
    setenv("TMPDIR", "/nonexistent/folder", 1);
    uint64_t *array = filled(LONG / 2);
    assert_false(in_file(array));
    holds(array, LONG / 2);
    hd_spill_free(array);
    unsetenv("TMPDIR");
}

static void a_full_disk_sends_it_back_to_the_heap(void **state) {
    (void)state;
    struct rlimit before, most;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    most = before;
    most.rlim_cur = 40 << 20; /* of a file: the first step fits, the third does not */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &most), 0);
    signal(SIGXFSZ, SIG_IGN);
    uint64_t *array = filled(SHORT * 3);
    assert_true(in_file(array));
    for (size_t i = (size_t)SHORT * 3; i < LONG; i++) {
        array = hd_spill_room(array, (i + 1) * sizeof *array);
        array[i] = value(i);
    }
    assert_false(in_file(array));
    holds(array, LONG);
    hd_spill_free(array);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_there),
        cmocka_unit_test(room_at_once_is_there),
        cmocka_unit_test(without_a_file_it_stays_on_the_heap),
        cmocka_unit_test(a_full_disk_sends_it_back_to_the_heap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
