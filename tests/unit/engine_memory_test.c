/* Memory by hand: slabs, what a GPU's memory is used for, and what a host keeps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "unit/small_house.h"

/* 2,000 bytes beside the weights are 125 blocks of 16 bytes. In slabs of 1,000 bytes,
 * which hold 62 whole blocks, they are 124: the 1,990 tokens do not fit any more,
 * though 2,000 bytes are free. */
static void a_slab_is_refused_while_bytes_are_free(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.model.max_context = 4000;
    house_add(&h, 0, 1980, 10, 0);
    for (int slabs = 0; slabs < 2; slabs++)
        for (int step = 0; step < 2; step++) {
            h.config.serving.slab_bytes = slabs ? 1000 : 0;
            assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
            assert_int_equal(h.finished[0].status,
                             slabs ? HD_STATUS_TOO_LONG : HD_STATUS_DONE);
        }
    hd_timing_free(h.timing);
}

/* Of slabs of 1,500 bytes one fits, 93 blocks: the second prompt of 50 waits for the
 * first to end, though 2,000 bytes hold both. */
static void the_second_waits_for_a_slab(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.config.serving.watermark = 0;
    house_add(&h, 0, 790, 10, 0); /* prefill to 1 ms, 9 steps: 10 ms */
    house_add(&h, 0, 790, 10, 0);
    for (int slabs = 0; slabs < 2; slabs++)
        for (int step = 0; step < 2; step++) {
            h.config.serving.slab_bytes = slabs ? 1500 : 0;
            assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
            assert_int_equal(h.finished[0].last_token, 10 * MS);
            assert_int_equal(h.finished[1].first_token, slabs ? 11 * MS : MS);
        }
    hd_timing_free(h.timing);
}

/* The pool is full in the middle of a plan: 124 blocks of two that grow in step. The
 * younger is preempted where the 125th is needed. */
static void a_plan_ends_where_slabs_do(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.config.serving.watermark = 0;
    h.config.serving.slab_bytes = 1000;
    house_add(&h, 0, 960, 200, 0); /* 60 blocks each, then one for every 16 tokens */
    house_add(&h, 0, 960, 200, 0);
    /* Prefill to 1 ms leaves 960 tokens of KV each. The step that ends at n ms leaves
     * 960 + n - 1: 61 blocks each from the second ms on, 62 from the 18th. The 35th
     * step would need 63 each. */
    hd_tick gap[2];
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].last_token, 200 * MS);
        assert_int_equal(h.finished[0].preempted, 0);
        assert_int_equal(h.finished[1].preempted, 1);
        gap[step] = h.finished[1].gap_longest;
    }
    assert_int_equal(gap[0], gap[1]);
    /* 33 ms emitted its last token before; the prompt is computed again after the
     * other's 200th ms. */
    assert_int_equal(gap[0], (201 - 33) * MS);
    hd_timing_free(h.timing);
}

/* 10 blocks of 16 bytes in a slab of 1,600, for 16 ms: of four GPUs, looked at at 0 and
 * 10 ms. Nine tenths of the slab are in no block. */
static void the_parts_of_a_card(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.kind.context_bytes = 100;
    h.kind.process_bytes = 300;
    h.kind.vram_bytes = 4000;
    h.config.serving.slab_bytes = 1600;
    house_add(&h, 0, 145, 16, 0); /* 160 tokens in the end */
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].last_token, 16 * MS);
        hd_wide each = h.vram.gpu_ticks / 4, sum = 0; /* two looks */
        hd_wide expected[HD_VRAM_PARTS] = {[HD_VRAM_UNCLAIMED] = 4 * 700,
                                           [HD_VRAM_CONTEXT] = 4 * 100,
                                           [HD_VRAM_WORKSPACE] = 4 * 200,
                                           [HD_VRAM_WEIGHTS] = 4 * 1000,
                                           [HD_VRAM_KV] = 160,
                                           [HD_VRAM_FRAGMENTS] = 1440,
                                           [HD_VRAM_FREE] = 400 + 3 * 2000};
        for (int p = 0; p < HD_VRAM_PARTS; p++) {
            if (h.vram.sum[p] != expected[p] * each)
                fail_msg("part %d: %g instead of %g", p, (double)h.vram.sum[p] / (double)each,
                         (double)expected[p]);
            sum += h.vram.sum[p];
        }
        assert_true(sum == h.vram.card && sum == 4 * 4000 * each);
        assert_true(h.vram.fragments_peak == 0.9);
        assert_int_equal(h.vram.peak[HD_VRAM_FRAGMENTS], 1440);
    }
    hd_timing_free(h.timing);
}

/* ---- hosts ---------------------------------------------------------------- */

struct tiers {
    struct house house; /* first: the policy's state */
    char of_model[4];   /* 'd' or 'm' for disk and memory, at the end */
};

/* At 1 ms node 0 reads the third model; at 10 ms we look. */
static bool reads_a_third(struct house *h, struct hd_engine *e, const char *what,
                          int64_t id) {
    struct tiers *t = (struct tiers *)h;
    if (strcmp(what, "arrive") != 0) return true;
    if (id == 0) return hd_act_load(e, 0, 2) == 1;
    for (int m = 0; m < 3; m++)
        t->of_model[m] = strcmp(hd_ask_node_tier(e, 0, m), "dram") == 0 ? 'm' : 'd';
    return true;
}

/* Three models of 1,000 bytes; memory holds the first two at time 0, the second of
 * which was never used. */
static void what_a_host_keeps(void **state) {
    (void)state;
    struct {
        enum hd_host_keeps keeps;
        int dram, staging;
        const char *expected;
    } cases[] = {
        {HD_HOST_KEEPS_LRU, 2500, 0, "mdm"},    {HD_HOST_KEEPS_PINNED, 2500, 0, "mmd"},
        {HD_HOST_KEEPS_POLICY, 2500, 0, "mmd"}, {HD_HOST_KEEPS_LRU, 3500, 0, "mmm"},
        {HD_HOST_KEEPS_LRU, 3500, 1000, "mdm"}, /* buffers of 1,000 of its 3,500 */
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct tiers t = {0};
        struct hd_run_model model[3];
        house_build(&t.house);
        for (int m = 0; m < 3; m++) model[m] = t.house.model;
        t.house.config.model = model;
        t.house.config.models = 3;
        t.house.extra = reads_a_third;
        t.house.config.switching.host_keeps = cases[n].keeps;
        t.house.config.switching.staging_bytes = cases[n].staging;
        for (int i = 0; i < HOUSE_INSTANCES; i++)
            t.house.node[i].dram_bytes = cases[n].dram;
        house_add(&t.house, 1, 8, 1, 1);
        house_add(&t.house, 10, 8, 1, 1);
        for (int step = 0; step < 2; step++) {
            assert_int_equal(house_run(&t.house, step), HD_RUN_WHOLE);
            assert_string_equal(t.of_model, cases[n].expected);
            assert_true(t.house.peak_dram_bytes <= cases[n].dram);
        }
        hd_timing_free(t.house.timing);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slab_is_refused_while_bytes_are_free),
        cmocka_unit_test(the_second_waits_for_a_slab),
        cmocka_unit_test(a_plan_ends_where_slabs_do),
        cmocka_unit_test(the_parts_of_a_card),
        cmocka_unit_test(what_a_host_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
