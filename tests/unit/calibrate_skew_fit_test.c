/* The share of a step that waits for its longest sequence, found again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "calibrate/skew_fit.h"

static const char header[] = "regime,pc,t_mean_us,t_max_us,t_skew_us\n";

static bool fit(const char *text, struct hd_skew_fit *to, struct hd_err *err) {
    char folder[] = "/tmp/hd_skew_XXXXXX", path[96], kernels[64];
    assert_non_null(mkdtemp(folder));
    snprintf(kernels, sizeof kernels, "%s/kernels", folder);
    snprintf(path, sizeof path, "%s/s.csv", kernels);
    assert_int_equal(mkdir(kernels, 0700), 0);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "%s%s", header, text);
    fclose(file);
    bool fine = hd_skew_fit_read(folder, (const char *const[]){"s.csv", NULL}, to, err);
    unlink(path);
    rmdir(kernels);
    rmdir(folder);
    return fine;
}

static void the_share_is_found(void **state) {
    (void)state;
    struct hd_skew_fit f;
    struct hd_err err = {0};
    /* a quarter; the third row has a prefill beside it, the fourth is nearly even */
    assert_true(fit("pure,0,100,200,125\n"
                    "pure,0,50,250,100\n"
                    "mixed,64,100,200,199\n"
                    "pure,0,100,105,300\n"
                    "pure,0,10,50,20\n",
                    &f, &err));
    assert_true(fabs(f.skew - 0.25) < 1e-9);
    assert_int_equal(f.held_out.values, 1);
    assert_true(f.held_out.p50 < 1e-9);
    assert_true(fabs(f.ignored.p50 - 0.5) < 1e-9);
}

static void wrong_rows_name_their_line(void **state) {
    (void)state;
    struct hd_skew_fit f;
    struct hd_err err = {0};
    assert_false(fit("pure,0,100,200,0\n", &f, &err));
    assert_non_null(strstr(err.text, "s.csv:2: t_skew_us is not above 0"));
    err = (struct hd_err){0};
    assert_false(fit("pure,0,100,fast,10\n", &f, &err));
    assert_non_null(strstr(err.text, "s.csv:2: "));
    err = (struct hd_err){0};
    assert_false(fit("", &f, &err));
    assert_non_null(strstr(err.text, "no uneven decodes"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_share_is_found),
        cmocka_unit_test(wrong_rows_name_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
