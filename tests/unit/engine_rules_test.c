/* Rules of serving and switching, each by a case whose times can be worked out by
 * hand, in both modes: what the stepping twin shares with fast-forward and so cannot
 * show to be wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "unit/small_house.h"

/* The watermark holds for a batch that runs; an empty one takes any prompt that
 * fits, or a long prompt would wait for ever. */
static void an_empty_batch_admits_what_fits(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 1900, 60, 0); /* 1,959 of 2,000 tokens in the end */
    house_add(&h, 0, 10, 5, 0);
    h.config.serving.watermark = 0.2;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].first_token, MS);
        assert_int_equal(h.finished[0].status, HD_STATUS_DONE);
        assert_true(h.finished[1].first_token > 60 * MS);
    }
    hd_timing_free(h.timing);
}

static bool joins_when_full(struct house *h, struct hd_engine *e, const char *what,
                            int64_t id) {
    const struct hd_req *held;
    if (strcmp(what, "arrive") == 0 && id == 1)
        return hd_act_limit(e, h->home[1], 16, 0); /* bytes: one block */
    if (strcmp(what, "turn full") != 0) return true;
    assert_int_equal(hd_ask_held(e, -1, &held), 1);
    return hd_act_join_instance(e, held[0], h->home[0], HD_KV_PULL);
}

/* A turn that turns out to be impossible is known only when plans are made: what the
 * policy does then finds the others' next iterations begun. */
static void after_the_plans_iterations_have_begun(void **state) {
    (void)state;
    for (int flip = 0; flip < 2; flip++) {
        struct house h;
        house_build(&h);
        house_add(&h, 0, 8, 30, flip);
        house_add(&h, 10, 600, 5, 1 - flip); /* will not fit */
        house_add(&h, 10, 8, 2, -1);
        h.watched = 10 * MS;
        h.extra = joins_when_full;
        h.config.serving.drain_s = 0.1;
        for (int step = 0; step < 2; step++) {
            assert_int_equal(house_run(&h, step), HD_RUN_STALLED);
            assert_int_equal(h.finished[2].first_token, 12 * MS);
            assert_int_equal(h.finished[0].status, HD_STATUS_DONE);
            assert_int_equal(h.finished[1].status, HD_STATUS_UNFINISHED);
        }
        hd_timing_free(h.timing);
    }
}

static bool pushes(struct house *h, struct hd_engine *e, const char *what, int64_t id) {
    const struct hd_req *held;
    (void)h;
    if (strcmp(what, "prefilled") != 0 || id != 1) return true;
    assert_int_equal(hd_ask_held(e, -1, &held), 1);
    struct hd_req r = held[0];
    struct hd_grp g = hd_act_group(e, 1, 0); /* behind the one that runs */
    return g.slot >= 0 && hd_act_join_group(e, r, g, HD_KV_PUSH);
}

/* KV pushed to an instance that decodes takes blocks on which its plan had counted:
 * the plan ends where the pool is full now, and what was pushed goes to the host. */
static void a_push_ends_a_plan_that_counted_on_the_room(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 1000, 500, 1); /* 94 of 125 blocks in the end */
    house_add(&h, 50, 600, 50, 0);  /* 38 of them */
    h.prefills_on_0 = true;
    h.extra = pushes;
    h.node[1].nic_bytes_per_s = 1000; /* under way for 0.6 s */
    hd_tick last[2];
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        last[step] = h.finished[0].last_token;
        assert_int_equal(h.finished[1].status, HD_STATUS_DONE);
        assert_int_equal(h.finished[0].preempted, 0);
    }
    assert_int_equal(last[0], last[1]);
    assert_true(last[0] > 500 * MS); /* it stood still while the room was made */
    hd_timing_free(h.timing);
}

/* A cold start, by hand: the re-initialisation and the load are the turn's switch; who
 * comes in the middle of it has waited for the rest only. */
static void blame_of_a_cold_start(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.config.switching.placed = false;
    h.config.switching.reinit_s = 0.003;
    for (int n = 0; n < HOUSE_INSTANCES; n++) h.node[n].pcie_bytes_per_s = 1e5;
    house_add(&h, 20, 8, 1, 0); /* in `start` the load of 10 ms began: it is there */
    house_add(&h, 22, 8, 1, 0);
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].blame[HD_BLAME_SWITCH], 3 * MS);
        assert_int_equal(h.finished[0].blame[HD_BLAME_PREFILL], MS);
        assert_int_equal(h.finished[1].blame[HD_BLAME_SWITCH], MS);
        assert_int_equal(h.finished[1].blame[HD_BLAME_QUEUE], 0);
        assert_int_equal(h.finished[1].last_token, 24 * MS);
    }
    hd_timing_free(h.timing);
}

/* What four GPUs do in the 39 ms until the last request ends: by hand, to the tick. */
static void each_gpu_does_one_thing_at_a_time(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.config.switching.placed = false;
    h.config.switching.gc_s = 0.002;
    h.config.switching.reinit_s = 0.003;
    for (int n = 0; n < HOUSE_INSTANCES; n++) h.node[n].pcie_bytes_per_s = 1e5;
    house_add(&h, 2, 8, 5, 0); /* its load of 10 ms has run for 2 */
    house_add(&h, 30, 8, 4, 1);
    hd_wide expected[HD_GPU_USES] = {[HD_GPU_PREFILL] = 2 * MS,
                                     [HD_GPU_DECODE] = (4 + 3) * MS,
                                     [HD_GPU_STAGE + HD_STAGE_GC] = 4 * MS,
                                     [HD_GPU_STAGE + HD_STAGE_REINIT] = 6 * MS,
                                     [HD_GPU_STAGE + HD_STAGE_LOAD] = 3 * MS};
    expected[HD_GPU_IDLE_FREE] = (4 * 39 - 2 - 7 - 4 - 6 - 3) * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].last_token, (2 + 5 + 3 + 1 + 4) * MS);
        assert_int_equal(h.finished[1].last_token, 39 * MS);
        for (int u = 0; u < HD_GPU_USES; u++)
            if (h.gpu_ticks[u] != expected[u])
                fail_msg("%s: %lld us instead of %lld", hd_gpu_use_name(u),
                         (long long)(h.gpu_ticks[u] / HD_TICKS_PER_US),
                         (long long)(expected[u] / HD_TICKS_PER_US));
    }
    hd_timing_free(h.timing);
}

static bool limits(struct house *h, struct hd_engine *e, const char *what, int64_t id) {
    (void)h;
    if (strcmp(what, "turn interrupted") == 0) return hd_act_unload(e, 0, -1);
    if (strcmp(what, "arrive") != 0) return true;
    if (id == 1) return hd_act_interrupt(e, 0);
    if (id == 2) return hd_act_limit(e, 0, 400, 0);
    if (id == 3) assert_int_equal(hd_ask_instance_kv_total(e, 0), 400);
    return true;
}

/* A limit set while a turn switches holds from its first boundary on. */
static void a_limit_during_a_switch(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    h.config.switching.reinit_s = 0.003;
    house_add(&h, 0, 8, 90, 0); /* decodes from 4 ms on */
    house_add(&h, 30, 8, 1,
              1); /* now its turn ends; the next one switches until 33 ms */
    house_add(&h, 32, 8, 1, 1); /* now the limit is set */
    house_add(&h, 50, 8, 1, 1);
    h.extra = limits;
    for (int step = 0; step < 2; step++)
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
    hd_timing_free(h.timing);
}

static void patience_ends(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 8, 5, -1);
    house_add(&h, 2, 8, 5, 0);
    h.config.serving.patience_s = 0.020;
    h.watched = 20 * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].status, HD_STATUS_REJECTED);
        assert_int_equal(h.finished[1].status, HD_STATUS_DONE);
        assert_string_equal(h.log, "done 0\n");
        assert_int_equal(h.last_state, HD_REQ_TIMED_OUT);
    }
    hd_timing_free(h.timing);
}

static bool never_rests(struct house *h, struct hd_engine *e, const char *what,
                        int64_t id) {
    (void)h, (void)what, (void)id;
    return hd_act_after(e, 0, 1);
}

static void a_livelock_is_an_error(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 8, 5, 0);
    h.extra = never_rests;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_FAILED);
        assert_non_null(strstr(h.err.text, "policy livelock"));
        assert_non_null(strstr(h.err.text, "timer"));
    }
    hd_timing_free(h.timing);
}

/* Asynchronous: what a step holds is decided as the one before it begins. */
static void an_asynchronous_scheduler_lets_in_one_step_later(void **state) {
    (void)state;
    for (int async = 0; async < 2; async++) {
        struct house h;
        house_build(&h);
        house_add(&h, 0, 8, 20, 0); /* nothing runs: at once */
        house_add(&h, 3, 8, 20, 0); /* at a boundary; prefilled from 3, or from 4 */
        h.config.serving.async = async;
        for (int step = 0; step < 2; step++) {
            assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
            assert_int_equal(h.finished[0].first_token, MS);
            assert_int_equal(h.finished[1].first_token, (4 + async) * MS);
        }
        hd_timing_free(h.timing);
    }
}

static bool joins_late(struct house *h, struct hd_engine *e, const char *what,
                       int64_t id) {
    const struct hd_req *held;
    (void)id;
    if (strcmp(what, "timer") != 0) return true;
    assert_int_equal(hd_ask_held(e, -1, &held), 1);
    return hd_act_join_instance(e, held[0], h->home[0], HD_KV_PULL);
}

/* The decision holds for one step: request 2 was to come in at 4 ms, but 1 got in front
 * of it and took the last place at 5. When that is free, at 9, it is decided anew. */
static void a_place_that_was_promised_is_not_kept(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 8, 10, 0);
    house_add(&h, 1, 8, 4, -1);
    house_add(&h, 3, 8, 4, 0);
    h.config.serving.async = true;
    h.config.serving.max_batch = 2;
    h.timer_s = 0.0035;
    h.extra = joins_late;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[1].first_token, 6 * MS);
        assert_int_equal(h.finished[1].last_token, 9 * MS);
        assert_int_equal(h.finished[2].first_token, 11 * MS);
    }
    hd_timing_free(h.timing);
}

/* A place that falls free is filled a step later too; unless nothing is left to run,
 * for then there is no step to decide beside. */
static void a_freed_place_is_filled_one_step_later(void **state) {
    (void)state;
    for (int places = 1; places < 3; places++) {
        struct house h;
        house_build(&h);
        house_add(&h, 0, 8, 3, 0);
        house_add(&h, 0, 8, places == 1 ? 3 : 20, 0);
        house_add(&h, 0, 8, 5, 0);
        h.config.serving.async = true;
        h.config.serving.max_batch = places;
        for (int step = 0; step < 2; step++) {
            assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
            assert_int_equal(h.finished[0].last_token, 3 * MS);
            assert_int_equal(h.finished[places].first_token,
                             (places == 1 ? 4 : 5) * MS);
        }
        hd_timing_free(h.timing);
    }
}

/* Host work of 3 ms beside kernels of 1 ms: steps take 3 ms, and before the first there
 * is nothing to hide it behind. */
static void host_work_hides_behind_the_step_before(void **state) {
    (void)state;
    for (int hidden = 0; hidden < 2; hidden++) {
        struct house h;
        house_build(&h);
        hd_timing_free(h.timing);
        h.timing = hd_timing_plain(
            &(struct hd_plain_law){.step = MS,
                                   .prefill = MS,
                                   .stretches = 1,
                                   .host = {.step = 3 * MS, .overlapped = hidden}});
        house_add(&h, 0, 8, 4, 0);
        house_add(&h, 50, 8, 4, 0);
        for (int step = 0; step < 2; step++) {
            assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
            for (int n = 0; n < 2; n++) {
                hd_tick first = h.finished[n].first_token - h.finished[n].arrival;
                hd_tick rest = h.finished[n].last_token - h.finished[n].first_token;
                assert_int_equal(first, (hidden ? 6 : 4) * MS);
                assert_int_equal(rest, 3 * (hidden ? 3 : 4) * MS);
            }
        }
        hd_timing_free(h.timing);
    }
}

/* A step of 32 tokens: 32 of the first prompt; then the 8 that it has left beside two
 * whole ones and half of a third. */
static void prompts_share_the_tokens_of_a_step(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 40, 4, 0);
    house_add(&h, 0, 8, 4, 0);
    house_add(&h, 0, 8, 4, 0);
    house_add(&h, 0, 13, 4, 0);
    h.config.serving.chunk_tokens = 32;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        for (int n = 0; n < 4; n++)
            assert_int_equal(h.finished[n].first_token, (n < 3 ? 2 : 3) * MS);
        assert_int_equal(h.finished[0].last_token, 5 * MS); /* decodes go on beside */
    }
    hd_timing_free(h.timing);
}

/* 1,000 ticks for each pair of tokens that attend to each other: however a prompt is
 * cut, in the end it is its square. */
static void a_chunk_attends_to_what_is_cached(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    hd_timing_free(h.timing);
    h.timing = hd_timing_plain(&(struct hd_plain_law){
        .step = MS, .prefill = MS, .square_1024 = 1024 * 1000, .stretches = 1});
    house_add(&h, 0, 40, 1, 0);
    h.config.serving.chunk_tokens = 32;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].first_token, 2 * MS + 40 * 40 * 1000);
    }
    hd_timing_free(h.timing);
}

/* A turn whose time is over finishes the prompt that it has begun and takes no other;
 * with prompts to fill every step it would never end. */
static void a_turn_that_is_over_begins_no_prompt(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    for (int n = 0; n < 6; n++) house_add(&h, 0, 40, 2, 0);
    h.config.serving.chunk_tokens = 32;
    h.quantum_s = 0.002;
    h.watched = 3 * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[1].first_token, 3 * MS);
        assert_non_null(strstr(h.log, "turn quantum 0"));
    }
    hd_timing_free(h.timing);
}

/* With decodes that take all tokens of a step, no prompt comes in until one is done. */
static void decodes_have_the_tokens_first(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 1, 6, 0);
    house_add(&h, 0, 1, 9, 0);
    house_add(&h, 0, 1, 3, 0);
    h.config.serving.chunk_tokens = 2;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].last_token, 6 * MS);
        assert_int_equal(h.finished[2].first_token, 7 * MS);
    }
    hd_timing_free(h.timing);
}

/* Time outside the engine is in the first and the last token alike, and in the limits.
 */
static void the_front_end_delays_all_tokens_alike(void **state) {
    (void)state;
    struct house h;
    house_build(&h);
    house_add(&h, 0, 8, 10, 0);
    house_add(&h, 2, 8, 10, 0);
    h.config.serving.front_s = 0.005;
    h.config.serving.front_sequence_s = 0.001;
    for (int step = 0; step < 2; step++) {
        h.model.ttft = 7 * MS;
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].first_token, (1 + 5 + 1) * MS);
        assert_int_equal(h.finished[0].last_token, (11 + 5 + 1) * MS);
        assert_int_equal(h.finished[0].tokens_on_time, 10);
        assert_int_equal(h.finished[0].blame[HD_BLAME_QUEUE], 6 * MS);
        assert_int_equal(h.finished[1].first_token, (3 + 5 + 2) * MS);
        assert_int_equal(h.finished[1].tokens_on_time, 9);
        h.model.ttft = 7 * MS - 1;
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].tokens_on_time, 9);
        assert_false(h.finished[0].request_ok);
    }
    hd_timing_free(h.timing);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_batch_admits_what_fits),
        cmocka_unit_test(after_the_plans_iterations_have_begun),
        cmocka_unit_test(a_push_ends_a_plan_that_counted_on_the_room),
        cmocka_unit_test(blame_of_a_cold_start),
        cmocka_unit_test(each_gpu_does_one_thing_at_a_time),
        cmocka_unit_test(a_limit_during_a_switch),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(a_livelock_is_an_error),
        cmocka_unit_test(an_asynchronous_scheduler_lets_in_one_step_later),
        cmocka_unit_test(a_place_that_was_promised_is_not_kept),
        cmocka_unit_test(a_freed_place_is_filled_one_step_later),
        cmocka_unit_test(host_work_hides_behind_the_step_before),
        cmocka_unit_test(prompts_share_the_tokens_of_a_step),
        cmocka_unit_test(a_chunk_attends_to_what_is_cached),
        cmocka_unit_test(a_turn_that_is_over_begins_no_prompt),
        cmocka_unit_test(decodes_have_the_tokens_first),
        cmocka_unit_test(the_front_end_delays_all_tokens_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
