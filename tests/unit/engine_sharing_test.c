/* Instances side by side on one GPU, by hand: a prefill and a decode step take 1 ms on
 * a GPU of its own; half the SMs make a prefill twice as long, and two decodes that
 * draw the whole bandwidth take twice as long each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/small_house.h"

static const int gpu_0[] = {0};

static void add_form(struct house *h, double share, enum hd_share_way way,
                     double memory) {
    h->form[h->forms++] = (struct hd_form){.role = "serve",
                                           .node = -1,
                                           .on = gpu_0,
                                           .share = share,
                                           .sharing = way,
                                           .memory_bytes = memory};
}

static void expect_last(const struct house *h, int request, double ms) {
    double got = (double)h->finished[request].last_token / (double)MS;
    hd_tick expected = (hd_tick)(ms * 1000 + 0.5) * (MS / 1000);
    if (h->finished[request].last_token != expected)
        fail_msg("request %d: last token at %g ms instead of %g", request, got, ms);
}

/* Both prefill until 2. Instance 0 plans first, while its neighbour's prefill is not
 * yet known to be over: a step alone, until 3; then 5, 7, 9. Instance 1 decodes beside
 * it: 4, 6, 8, and a step that began at 8 stays as long as it was, until 10. */
static void two_halves(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    add_form(&h, 0.5, HD_SHARE_DEFAULT, 0);
    add_form(&h, 0.5, HD_SHARE_DEFAULT, 0);
    house_add(&h, 0, 8, 5, 0);
    house_add(&h, 0, 8, 5, 1);
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].first_token, 2 * MS);
        assert_int_equal(h.finished[1].first_token, 2 * MS);
        expect_last(&h, 0, 9);
        expect_last(&h, 1, 10);
        /* GPU 0 prefills for 2, then decodes for 8, whoever does; three are idle */
        assert_int_equal(h.gpu_ticks[HD_GPU_PREFILL], 2 * MS);
        assert_int_equal(h.gpu_ticks[HD_GPU_DECODE], 8 * MS);
        assert_int_equal(h.gpu_ticks[HD_GPU_IDLE_FREE], 30 * MS);
    }
    hd_timing_free(h.timing);
}

/* Alone a decode draws all bandwidth with half the SMs: tokens at 2, 3, ... 8, the last
 * step of which began at 7, when the neighbour's prefill (5 to 7) ended. Beside its
 * decodes (9, 11): 10, 12. It rests from 11 on, so the step that begins at 12 takes 1.
 */
static void one_alone_then_joined(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    add_form(&h, 0.5, HD_SHARE_SPACE, 1500);
    add_form(&h, 0.5, HD_SHARE_SPACE, 1500);
    house_add(&h, 0, 8, 10, 0);
    house_add(&h, 5, 8, 3, 1);
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect_last(&h, 1, 11);
        expect_last(&h, 0, 13);
        /* a prefill beside decodes counts as one: 0 to 2 and 5 to 7 */
        assert_int_equal(h.gpu_ticks[HD_GPU_PREFILL], 4 * MS);
        assert_int_equal(h.gpu_ticks[HD_GPU_DECODE], 9 * MS);
    }
    hd_timing_free(h.timing);
}

/* A microsecond more for each token of context, 100 after the prefill: a first step of
 * 1.1 ms alone, then twice 1.101; the other's are twice 1.1 and twice 1.101. */
static void steps_stay_linear(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    hd_timing_free(h.timing);
    h.timing = hd_timing_plain(&(struct hd_plain_law){
        .step = MS, .prefill = MS, .stretches = 1, .slope = {MS / 1000}});
    add_form(&h, 0.5, HD_SHARE_SPACE, 0);
    add_form(&h, 0.5, HD_SHARE_SPACE, 0);
    house_add(&h, 0, 100, 3, 0);
    house_add(&h, 0, 100, 3, 1);
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect_last(&h, 0, 2 + 1.1 + 2.202);
        expect_last(&h, 1, 2 + 2.2 + 2.202);
    }
    hd_timing_free(h.timing);
}

/* A prefill may use more SMs than decodes: 1 ms on all of them; beside one that does
 * so, too, each has half. */
static void prefills_use_their_own_share(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    for (int n = 0; n < 2; n++) {
        add_form(&h, 0.5, HD_SHARE_SPACE, 1500);
        h.form[n].prefill_share = 1;
        house_add(&h, 0, 8, 1, n);
    }
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect_last(&h, 0, 1); /* it began alone */
        expect_last(&h, 1, 2);
    }
    hd_timing_free(h.timing);
}

/* Slices of 2 ms and 0.5 ms to change: two that work take 2 x 2.5 / 2 = 2.5 times as
 * long, three 3.75 times. */
static void time_slices(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.kind.usable_bytes = 6000;
    h.kind.contention = (struct hd_contention){.slice_s = 0.002, .switch_s = 0.0005};
    add_form(&h, 1, HD_SHARE_TIME, 1500);
    add_form(&h, 1, HD_SHARE_TIME, 1500);
    house_add(&h, 0, 8, 4, 0);
    house_add(&h, 0, 8, 4, 1);
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect_last(&h, 0, 1 + 3 * 2.5); /* 1: its prefill began alone */
        expect_last(&h, 1, 4 * 2.5);
    }
    add_form(&h, 1, HD_SHARE_TIME, 1500);
    house_add(&h, 0, 8, 2, 2);
    h.arrival[0].output_tokens = h.arrival[1].output_tokens = 2;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect_last(&h, 0, 1 + 3.75);
        expect_last(&h, 1, 2.5 + 3.75);
        expect_last(&h, 2, 3.75 + 3.75);
    }
    hd_timing_free(h.timing);
}

/* 3,000 bytes, and 200 more for each process but the first. */
static void who_does_not_fit(void **state) {
    (void)state;
    static const struct {
        double share[2], memory[2];
        enum hd_share_way way[2];
        bool fits;
    } cases[] = {
        {{0.5, 0.5}, {1500, 1500}, {HD_SHARE_SPACE, HD_SHARE_SPACE}, false},
        {{0.5, 0.5}, {1500, 1300}, {HD_SHARE_SPACE, HD_SHARE_SPACE}, true},
        {{0.5, 0.5}, {0, 0}, {HD_SHARE_SPACE, HD_SHARE_SPACE}, true}, /* 1,400 each */
        {{0.7, 0.6}, {1500, 1300}, {HD_SHARE_SPACE, HD_SHARE_SPACE}, false}, /* 1.3 */
        {{0.6, 0.6}, {1500, 1300}, {HD_SHARE_SPACE, HD_SHARE_SPACE}, true},
        {{1, 1},
         {1500, 1300},
         {HD_SHARE_SPACE, HD_SHARE_SPACE},
         true}, /* none set apart */
        {{1, 1}, {1500, 1300}, {HD_SHARE_TIME, HD_SHARE_TIME}, true},
        {{0.5, 1}, {1500, 1300}, {HD_SHARE_SPACE, HD_SHARE_TIME}, false},
        {{0.5, 1}, {1500, 0}, {HD_SHARE_SPACE, HD_SHARE_DEFAULT}, false},
        {{1, 0.5}, {0, 1300}, {HD_SHARE_DEFAULT, HD_SHARE_SPACE}, false},
    };
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct house h;
        house_build(&h);
        h.kind.process_bytes = 200;
        for (int k = 0; k < 2; k++)
            add_form(&h, cases[n].share[k], cases[n].way[k], cases[n].memory[k]);
        house_add(&h, 0, 8, 2, 0);
        assert_int_equal(house_run(&h, false), HD_RUN_WHOLE);
        assert_int_equal(h.formed[0], 0);
        if ((h.formed[1] == 1) != cases[n].fits)
            fail_msg("case %zu: the second is instance %d", n, h.formed[1]);
        hd_timing_free(h.timing);
    }
}

static bool moves_memory(struct house *h, struct hd_engine *e, const char *what,
                         int64_t id) {
    (void)h, (void)id;
    if (hd_ask_now(e) != 20 * MS || what[0] != 'a') return true;
    assert_int_equal(hd_ask_gpu_free_bytes(e, 0), 0);
    if (!hd_act_limit(e, 0, 0, 1100) || !hd_act_limit(e, 1, 0, 5000)) return false;
    assert_int_equal(hd_ask_instance_kv_total(e, 0), 100);
    assert_int_equal(hd_ask_instance_kv_total(e, 1), 700); /* 3,000 - 1,100 - 200 */
    return hd_act_limit(e, 0, 0, 10) && hd_ask_instance_kv_total(e, 0) == 0;
}

/* What one gives back another can have, and no more than there is; weights stay. */
static void memory_moves_between_them(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.kind.process_bytes = 200;
    add_form(&h, 0.5, HD_SHARE_SPACE, 0);
    add_form(&h, 0.5, HD_SHARE_SPACE, 0);
    house_add(&h, 20, 8, 2, 1);
    h.extra = moves_memory;
    for (int step = 0; step < 2; step++)
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
    hd_timing_free(h.timing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_halves),
        cmocka_unit_test(one_alone_then_joined),
        cmocka_unit_test(steps_stay_linear),
        cmocka_unit_test(prefills_use_their_own_share),
        cmocka_unit_test(time_slices),
        cmocka_unit_test(who_does_not_fit),
        cmocka_unit_test(memory_moves_between_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
