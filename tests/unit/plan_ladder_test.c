/* A switch, stage by stage, against sums worked out by hand: each mechanism alone, and
 * the rungs of the ladder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/ladder.h"
#include "plan/ladder.h"

#define US HD_TICKS_PER_US

/* Weights take 1,000 us over PCIe and 2,000 from disk, KV of a request 100 us. */
static struct hd_ladder_case plain(void) {
    struct hd_ladder_case c = {.weights_bytes = 1000,
                               .kv_token_bytes = 1,
                               .kv_heads = 1,
                               .tp = 1,
                               .usable_bytes = 50000,
                               .pcie_bytes_per_s = 1e6,
                               .disk_bytes_per_s = 5e5,
                               .dram_bytes = 1e6,
                               .requests = 2,
                               .tokens = 100,
                               .switching = hd_switching_default()};
    c.switching.prefetch = false;
    return c;
}

/* In us, in the order of the stages. Links count in ticks, rounded up at each job. */
static void takes(const struct hd_ladder_case *c, const hd_tick expected[HD_STAGES]) {
    for (int step = 0; step < 2; step++) {
        struct hd_ladder_switch s;
        struct hd_err err = {0};
        hd_tick sum = 0;
        if (!hd_ladder_run(c, step, &s, &err)) fail_msg("%s", err.text);
        for (int n = 0; n < HD_STAGES; n++) {
            if (llabs(s.stage[n] - expected[n] * US) > 4)
                fail_msg("%s: %.4f us instead of %lld", hd_stage_name(n),
                         (double)s.stage[n] / (double)US, (long long)expected[n]);
            sum += s.stage[n];
        }
        assert_true(sum == s.total);
    }
}
#define TAKES(c, ...) takes(&(c), (hd_tick[HD_STAGES]){__VA_ARGS__})

static void by_default_kv_leaves_beside_the_load(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    TAKES(c, 0, 0, 0, 0, 1000, 200);
    c.switching.kv_first = true;
    TAKES(c, 200, 0, 0, 0, 1000, 200);
}

static void set_times_follow_one_another(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    c.switching.gc_s = 300e-6;
    c.switching.restart_s = 400e-6;
    c.switching.reinit_s = 500e-6;
    TAKES(c, 0, 300, 400, 500, 1000, 200);
    c.switching.kv_first = true;
    TAKES(c, 200, 300, 400, 500, 1000, 200);
    c.switching.restart_s = 0;
    TAKES(c, 200, 300, 0, 500, 1000, 200);
}

static void a_slow_loader_is_no_faster_on_a_fast_link(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    c.switching.load_bytes_per_s = 4e5;
    TAKES(c, 0, 0, 0, 0, 2500, 200);
    c.switching.no_cache = true; /* nor from a disk that is faster than it */
    TAKES(c, 0, 0, 0, 0, 2500, 200);
    c.switching.load_bytes_per_s = 1e7;
    TAKES(c, 0, 0, 0, 0, 2000, 200);
}

/* Two stages in a row: a first buffer, then the slower of filling and sending. */
static void buffers_are_filled_while_others_are_sent(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    c.switching.staging_bytes_per_s = 2e6;
    TAKES(c, 0, 0, 0, 0, 500 + 1000, 200); /* in one piece */
    c.switching.chunk_bytes = 250;
    TAKES(c, 0, 0, 0, 0, 125 + 1000, 200);
    c.switching.staging_bytes_per_s = 5e5;
    TAKES(c, 0, 0, 0, 0, 2000 + 250, 200);
    c.switching.load_bytes_per_s = 2e5;
    TAKES(c, 0, 0, 0, 0, 5000, 200);
    c.switching.load_bytes_per_s = 0;
    c.switching.no_cache = true; /* the disk fills them */
    TAKES(c, 0, 0, 0, 0, 2000, 200);
    c.switching.chunk_bytes = 0;
    TAKES(c, 0, 0, 0, 0, 2000 + 1000, 200);
}

static void the_first_request_does_not_wait_for_the_others(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    c.switching.kv_events = true;
    TAKES(c, 0, 0, 0, 0, 1000, 100);
    c.requests = 5;
    TAKES(c, 0, 0, 0, 0, 1000, 100);
    c.switching.kv_events = false;
    TAKES(c, 0, 0, 0, 0, 1000, 500);
    c.switching.kv_in_s_per_token = 3e-6;
    TAKES(c, 0, 0, 0, 0, 1000, 1500);
    c.switching.kv_events = true;
    TAKES(c, 0, 0, 0, 0, 1000, 300);
}

static void weights_that_came_ahead_cost_nothing(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    struct hd_ladder_switch s;
    struct hd_err err = {0};
    c.switching.prefetch = true;
    TAKES(c, 0, 0, 0, 0, 0, 200);
    assert_true(hd_ladder_run(&c, false, &s, &err));
    assert_true(llabs(s.ahead - 1000 * US) <= 4);
    c.switching.restart_s = 100e-6; /* they do not outlive the process */
    TAKES(c, 0, 0, 100, 0, 1000, 200);
    c.switching.restart_s = 0;
    c.usable_bytes = 2 * 1000 + 16 * 1024 - 1; /* the running KV would starve */
    TAKES(c, 0, 0, 0, 0, 1000, 200);
    c.usable_bytes++;
    TAKES(c, 0, 0, 0, 0, 0, 200);
}

/* Over a link so slow that the load takes twice the turn before, half is left of it. */
static void weights_that_come_too_late_are_waited_for(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    c.switching.prefetch = true;
    c.pcie_bytes_per_s = 1000 / 2e5; /* the turn takes 1e5 s */
    for (int step = 0; step < 2; step++) {
        struct hd_ladder_switch s;
        struct hd_err err = {0};
        if (!hd_ladder_run(&c, step, &s, &err)) fail_msg("%s", err.text);
        double left_s = hd_s_from_tick(s.stage[HD_STAGE_LOAD]);
        assert_true(left_s > 1e5 - 1e-3 && left_s < 1e5 + 1e-3);
        assert_true(s.stage[HD_STAGE_KV_OUT] == 0);
    }
}

static void gpus_share_a_model(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    c.tp = 2;
    c.kv_heads = 2;
    TAKES(c, 0, 0, 0, 0, 500, 100);
    c.switching.load_bytes_per_s = 2e5; /* each */
    TAKES(c, 0, 0, 0, 0, 2500, 100);
}

static void what_does_not_fit_is_said(void **state) {
    (void)state;
    struct hd_ladder_case c = plain();
    struct hd_ladder_switch s;
    struct hd_err err = {0};
    c.usable_bytes = 1100;
    assert_false(hd_ladder_run(&c, false, &s, &err));
    assert_true(*err.text);
}

/* A 13B model on a bus of 32 GB/s: 26.9 s published for the naive way, 0.81 s for the
 * bus alone, below a second once weights come from memory beside KV that leaves. */
static void the_published_ladder(void **state) {
    (void)state;
    struct hd_ladder_case c = {.weights_bytes = 26031728640,
                               .kv_token_bytes = 819200,
                               .kv_heads = 40,
                               .tp = 1,
                               .usable_bytes = 70000000000,
                               .pcie_bytes_per_s = 32e9,
                               .disk_bytes_per_s = 20e9,
                               .dram_bytes = 1e12,
                               .requests = 4,
                               .tokens = 1000};
    double total_s[HD_RUNGS], load = 26031728640 / 32e9;
    for (int r = 0; r < HD_RUNGS; r++) {
        struct hd_ladder_switch s;
        struct hd_err err = {0};
        c.switching = hd_switching_rung((enum hd_rung)r, NULL);
        if (!hd_ladder_run(&c, false, &s, &err)) fail_msg("%s", err.text);
        total_s[r] = hd_s_from_tick(s.total);
        if (r) assert_true(total_s[r] < total_s[r - 1]);
    }
    assert_true(total_s[HD_RUNG_NAIVE] > 26.85 && total_s[HD_RUNG_NAIVE] < 26.95);
    assert_true(total_s[HD_RUNG_CACHED] > load);
    assert_true(total_s[HD_RUNG_OVERLAP] > load && total_s[HD_RUNG_OVERLAP] < 1);
    assert_true(total_s[HD_RUNG_PREFETCH] < 0.1);
}

/* The mechanisms of the last rung are those of a default run, but for what the default
 * leaves out: buffers, and KV by request. */
static void the_default_is_near_the_top(void **state) {
    (void)state;
    struct hd_switching top = hd_switching_rung(HD_RUNG_PREFETCH, NULL);
    struct hd_switching usual = hd_switching_default();
    top.staging_bytes_per_s = top.chunk_bytes = 0;
    top.kv_events = false;
    assert_true(top.prefetch == usual.prefetch && top.no_cache == usual.no_cache);
    assert_true(top.kv_first == usual.kv_first && top.gc_s == usual.gc_s);
    assert_true(top.reinit_s == usual.reinit_s && top.restart_s == usual.restart_s);
    assert_true(top.load_bytes_per_s == usual.load_bytes_per_s);
    assert_true(top.warm_cache == usual.warm_cache);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_default_kv_leaves_beside_the_load),
        cmocka_unit_test(set_times_follow_one_another),
        cmocka_unit_test(a_slow_loader_is_no_faster_on_a_fast_link),
        cmocka_unit_test(buffers_are_filled_while_others_are_sent),
        cmocka_unit_test(the_first_request_does_not_wait_for_the_others),
        cmocka_unit_test(weights_that_came_ahead_cost_nothing),
        cmocka_unit_test(weights_that_come_too_late_are_waited_for),
        cmocka_unit_test(gpus_share_a_model),
        cmocka_unit_test(what_does_not_fit_is_said),
        cmocka_unit_test(the_published_ladder),
        cmocka_unit_test(the_default_is_near_the_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
