/* The order of things within one instant, where nearly all times are whole
 * milliseconds and tie: what the policy interface promises, in both modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "unit/small_house.h"

static void everything_at_once(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 8, 10, 0);  /* request 0: ends at 10 ms */
    house_add(&h, 0, 8, 100, 3); /* 1: its GPU fails at 10 ms */
    house_add(&h, 9, 8, 3, 1);   /* 2: its prefill ends at 10 ms */
    house_add(&h, 10, 8, 2, 2);
    house_add(&h, 10, 8, 2, -1);
    h.failure[0] = (struct hd_failure){.at = 10 * MS, .gpu = 3};
    h.failure[1] = (struct hd_failure){.at = 15 * MS, .gpu = 3, .up = true};
    h.config.failures = 2;
    h.config.serving.drain_s = 0.1;
    h.timer_s = 0.010;
    h.tick_s = 0.005;
    h.watched = 10 * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_STALLED); /* 1 and 4 stay held */
        assert_string_equal(h.log, "down 3\narrive 1\ndone 0\nprefilled 2\n"
                                   "arrive 3\narrive 4\ntimer 77\ntick 0\n"
                                   "turn empty 0\nturn work 2\n");
        assert_int_equal(h.finished[0].last_token, 10 * MS);
        assert_int_equal(h.finished[3].first_token, 11 * MS);
        assert_int_equal(h.finished[1].emitted_tokens, 10); /* that of 10 ms counts */
    }
    hd_timing_free(h.timing);
}

static bool reads_tokens(struct house *h, struct hd_engine *e, const char *what,
                         int64_t id) {
    if (hd_ask_now(e) != h->watched || strcmp(what, "arrive") != 0 || id == 0)
        return true;
    struct hd_req member[4];
    struct hd_grp g = hd_ask_instance_turn(e, 2);
    assert_int_equal(hd_ask_group_members(e, g, member), 1);
    assert_int_equal(hd_ask_request_tokens(e, member[0]), 5);
    assert_int_equal(hd_ask_request_context(e, member[0]), 13);
    assert_int_equal(hd_ask_instance_step_at(e, 2), 5 * MS);
    assert_int_equal(hd_ask_instance_kv_used(e, 2), 16);
    return true;
}

/* Every boundary at or before the instant has happened when a callback looks. */
static void boundaries_come_before_callbacks(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 8, 20, 2);
    house_add(&h, 5, 8, 2, 1);
    h.watched = 5 * MS;
    h.extra = reads_tokens;
    for (int step = 0; step < 2; step++)
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
    hd_timing_free(h.timing);
}

static bool follows_up(struct house *h, struct hd_engine *e, const char *what,
                       int64_t id) {
    const struct hd_req *held;
    if (strcmp(what, "done") != 0 || id != 0) return true;
    assert_int_equal(hd_ask_held(e, -1, &held), 1);
    return hd_act_join_instance(e, held[0], (int)h->watched, HD_KV_PULL);
}

/* A finish sends a held request to an instance that has an inner boundary at the
 * same instant: it is prefilled at once, whichever of the two has the lower number. */
static void a_follow_up_joins_at_the_same_instant(void **state) {
    (void)state;
    for (int flip = 0; flip < 2; flip++) {
        struct house h;
        house_build(&h);
        house_add(&h, 0, 8, 5, flip ? 2 : 1);
        house_add(&h, 0, 8, 30, flip ? 1 : 2);
        house_add(&h, 0, 8, 4, -1);
        h.watched = flip ? 1 : 2; /* the instance */
        h.extra = follows_up;
        for (int step = 0; step < 2; step++) {
            assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
            assert_int_equal(h.finished[0].last_token, 5 * MS);
            assert_int_equal(h.finished[2].first_token, 6 * MS);
            assert_int_equal(h.finished[1].gap_longest, 2 * MS); /* it stood still */
        }
        hd_timing_free(h.timing);
    }
}

static bool gives_turns(struct house *h, struct hd_engine *e, const char *what,
                        int64_t id) {
    if (strcmp(what, "tick") != 0) return true;
    (void)h, (void)id;
    for (int n = 0; n < HOUSE_INSTANCES; n++) {
        struct hd_grp head = hd_ask_instance_head(e, n);
        if (head.slot >= 0 && hd_ask_instance_turn(e, n).slot < 0 &&
            !hd_act_run(e, n, head, &HD_TURN))
            return false;
    }
    return true;
}

/* A turn that was given meanwhile makes the callback for one needless. */
static void a_given_turn_is_not_asked_for(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 10, 8, 2, 3);
    house_add(&h, 10, 8, 2, 1);
    h.tick_s = 0.010;
    h.watched = 10 * MS;
    h.extra = gives_turns;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_string_equal(h.log, "arrive 0\narrive 1\ntick 0\n");
        h.extra = NULL;
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_string_equal(h.log,
                            "arrive 0\narrive 1\ntick 0\nturn work 1\nturn work 3\n");
        h.extra = gives_turns;
    }
    hd_timing_free(h.timing);
}

/* Simultaneous finishers of one batch leave in order of joining. */
static void finishers_in_order_of_joining(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 8, 9, 0);
    house_add(&h, 0, 8, 9, 0);
    house_add(&h, 3, 8, 5, 0); /* joins at 4 ms: the others stand still for 1 ms */
    h.watched = 10 * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].last_token, 10 * MS);
        assert_string_equal(h.log, "done 0\ndone 1\nturn empty 0\n");
        assert_int_equal(h.finished[2].last_token, 8 * MS);
        /* and where their time went */
        const hd_tick *blame = h.finished[0].blame;
        assert_int_equal(blame[HD_BLAME_PREFILL], MS);
        assert_int_equal(blame[HD_BLAME_DECODE], 8 * MS);
        assert_int_equal(blame[HD_BLAME_WAIT], MS);
    }
    hd_timing_free(h.timing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_at_once),
        cmocka_unit_test(boundaries_come_before_callbacks),
        cmocka_unit_test(a_follow_up_joins_at_the_same_instant),
        cmocka_unit_test(a_given_turn_is_not_asked_for),
        cmocka_unit_test(finishers_in_order_of_joining),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
