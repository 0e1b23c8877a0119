/* A gate holds when both errors are within it, and something was judged. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "calibrate/check.h"

static struct hd_check check_of(double p50, double p90, int values) {
    return (struct hd_check){.held_out = {p50, p90, values}, .limit = {.04, .13}};
}

static void both_errors_count(void **state) {
    (void)state;
    struct hd_check within = check_of(.04, .13, 10), median = check_of(.041, .05, 10),
                    tail = check_of(.01, .131, 10);
    assert_true(hd_check_passes(&within));
    assert_false(hd_check_passes(&median));
    assert_false(hd_check_passes(&tail));
}

static void nothing_judged_is_missed(void **state) {
    (void)state;
    struct hd_check empty = check_of(NAN, NAN, 0), nan = check_of(NAN, NAN, 3);
    assert_false(hd_check_passes(&empty));
    assert_false(hd_check_passes(&nan));
}

static void a_report_has_no_limit(void **state) {
    (void)state;
    struct hd_check report = check_of(.9, 2, 10);
    report.limit = (struct hd_check_limit){0, 0};
    assert_true(hd_check_passes(&report));
}

static void checks_keep_their_order_and_texts(void **state) {
    (void)state;
    struct hd_checks all = {0};
    for (int n = 0; n < 40; n++) {
        char name[8] = {(char)('a' + n % 26), 0};
        hd_checks_add(&all, "G1", name, "H100-SXM", "somebody", "how");
    }
    assert_int_equal(all.count, 40);
    for (int n = 0; n < 40; n++) assert_int_equal(all.check[n].name[0], 'a' + n % 26);
    assert_string_equal(all.check[39].gpu, "H100-SXM");
    assert_int_equal(all.check[39].held_out.values, 0);
    hd_checks_free(&all);
    assert_int_equal(all.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_errors_count),
        cmocka_unit_test(nothing_judged_is_missed),
        cmocka_unit_test(a_report_has_no_limit),
        cmocka_unit_test(checks_keep_their_order_and_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
