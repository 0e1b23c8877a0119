/* The gates of timing on published measurements, of kernels and of whole runs: each
 * within its limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/home.h"
#include "base/mem.h"
#include "calibrate/check.h"
#include "timing/kernel_set.h"

struct world {
    char *data;
    struct hd_catalog *catalog; /* NULL: no data */
};

static int open_data(void **state) {
    static struct world w;
    const char *folder = getenv("HOTDESK_DATA");
    w.data = folder ? hd_strdup(folder) : hd_home_path("../shared/data");
    char *probe = hd_format("%s/kernels/aiconfigurator/LICENSE", w.data);
    struct hd_err err = {0};
    if (hd_file_exists(probe)) w.catalog = hd_catalog_load(&err);
    free(probe);
    *state = &w;
    return err.text[0] ? -1 : 0;
}

static int close_data(void **state) {
    struct world *w = *state;
    free(w->data);
    hd_catalog_free(w->catalog);
    return 0;
}

typedef bool check_kind(const struct hd_catalog *, const char *, struct hd_checks *,
                        struct hd_err *);

static void all_pass(void **state, check_kind *kind, int gates) {
    const struct world *w = *state;
    if (!w->catalog) {
        print_message("skipped: no data in %s\n", w->data);
        skip();
    }
    struct hd_checks all = {0};
    struct hd_err err = {0};
    if (!kind(w->catalog, w->data, &all, &err)) fail_msg("%s", err.text);
    int limited = 0, failed = 0;
    for (int n = 0; n < all.count; n++) {
        const struct hd_check *c = &all.check[n];
        print_message("%-2s %-24s %-19s held out %4.1f / %4.1f of %5d, reference "
                      "%4.1f / %4.1f%s\n",
                      c->gate, c->name, c->gpu, 100 * c->held_out.p50,
                      100 * c->held_out.p90, c->held_out.values, 100 * c->reference.p50,
                      100 * c->reference.p90, hd_check_passes(c) ? "" : "  FAILS");
        limited += c->limit.p50 > 0;
        failed += !hd_check_passes(c);
        assert_true(c->held_out.values >= 8);
    }
    hd_checks_free(&all);
    assert_int_equal(limited, gates);
    assert_int_equal(failed, 0);
}

static void kernels_of_unseen_shape(void **state) {
    all_pass(state, hd_check_tables, 2);
}

static void layers_at_unseen_token_counts(void **state) {
    all_pass(state, hd_check_layers, 2);
}

static void all_reduces_of_unseen_size(void **state) {
    all_pass(state, hd_check_reduces, 5);
}

static void whole_runs_of_an_engine(void **state) {
    all_pass(state, hd_check_logs, 4);
}

/* Not a gate: how far kernels alone carry to another engine's whole iterations. */
static void prefills_by_kernels_alone(void **state) {
    all_pass(state, hd_check_composed, 0);
}

/* What predictions carry where nobody measured is what the checks found, no less. */
static void bands_cover(void **state, check_kind *kind, const char *name, double p50,
                        double p90) {
    const struct world *w = *state;
    if (!w->catalog) skip();
    struct hd_checks all = {0};
    struct hd_err err = {0};
    int named = 0;
    if (!kind(w->catalog, w->data, &all, &err)) fail_msg("%s", err.text);
    for (int n = 0; n < all.count; n++) {
        const struct hd_check *c = &all.check[n];
        if (!strstr(c->name, name)) continue;
        named++;
        assert_true(c->held_out.values > 1000);
        if (c->held_out.p50 > p50 + 0.005 || c->held_out.p90 > p90 + 0.005)
            fail_msg("%s on %s: %g / %g", c->name, c->gpu, c->held_out.p50,
                     c->held_out.p90);
    }
    assert_true(named >= 2);
    hd_checks_free(&all);
}

static void sums_of_a_mixed_batch(void **state) {
    bands_cover(state, hd_check_mixed, "mixed attention", HD_SUMMED_P50, HD_SUMMED_P90);
}

static void small_operators_of_a_relative(void **state) {
    bands_cover(state, hd_check_layers, "relative's", HD_UNSEEN_SMALL_P50,
                HD_UNSEEN_SMALL_P90);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_of_unseen_shape),
        cmocka_unit_test(layers_at_unseen_token_counts),
        cmocka_unit_test(all_reduces_of_unseen_size),
        cmocka_unit_test(whole_runs_of_an_engine),
        cmocka_unit_test(prefills_by_kernels_alone),
        cmocka_unit_test(sums_of_a_mixed_batch),
        cmocka_unit_test(small_operators_of_a_relative),
    };
    return cmocka_run_group_tests(tests, open_data, close_data);
}
