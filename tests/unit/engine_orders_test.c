/* The order of things within one instant, where nearly all times are whole
 * milliseconds and tie: what the policy interface promises, in both modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/engine.h"

#define MS (HD_TICKS_PER_S / 1000)

enum { INSTANCES = 4, MOST = 16 };

/* A small house: four nodes of one GPU, one model, a prefill or a step each 1 ms. */
struct house {
    struct hd_run_config config;
    struct hd_run_model model;
    struct hd_gpu_kind kind;
    struct hd_node_config node[INSTANCES];
    struct hd_timing *timing;
    struct hd_arrival arrival[MOST];
    int arrivals, next;
    struct hd_failure failure[2];
    /* what the policy does */
    bool prefills_on_0; /* turns of instance 0 are prefills of one */
    int home[MOST];     /* instance of each request, -1: it is held */
    double timer_s, tick_s;
    hd_tick watched; /* the instant whose callbacks are noted */
    char log[1024];
    int depth; /* of callbacks: never above 1 */
    bool (*extra)(struct house *, struct hd_engine *, const char *what, int64_t id);
    /* what came of it */
    struct hd_finished finished[MOST];
    enum hd_request_state last_state;
    struct hd_err err;
};

static const struct hd_timing *timing_of(void *context, int model, int kind, int tp,
                                         double share) {
    (void)model, (void)kind, (void)tp, (void)share;
    return ((struct house *)context)->timing;
}

static int next_arrival(void *context, struct hd_arrival *a) {
    struct house *h = context;
    if (h->next == h->arrivals) return 0;
    *a = h->arrival[h->next++];
    return 1;
}

static void note_end(void *context, const struct hd_finished *f) {
    ((struct house *)context)->finished[f->id] = *f;
}

static void build(struct house *h) {
    memset(h, 0, sizeof *h);
    h->timing = hd_timing_plain(
        &(struct hd_plain_law){.step = MS, .prefill = MS, .stretches = 1});
    h->model = (struct hd_run_model){.name = "m",
                                     .slo_class = "m",
                                     .tp = 1,
                                     .weights_bytes = 1000,
                                     .kv_token_bytes = 1,
                                     .kv_heads = 1,
                                     .max_context = 1000,
                                     .ttft = 1000 * MS,
                                     .tbt = 10 * MS};
    h->kind = (struct hd_gpu_kind){"gpu", 3000};
    for (int n = 0; n < INSTANCES; n++)
        h->node[n] = (struct hd_node_config){.gpus = 1,
                                             .dram_bytes = 1e6,
                                             .disk_bytes_per_s = 1e6,
                                             .pcie_bytes_per_s = 1e6,
                                             .pcie_shared_by = 1,
                                             .nvlink_bytes_per_s = 1e6,
                                             .nic_bytes_per_s = 1e6};
    struct hd_run_config *c = &h->config;
    c->model = &h->model;
    c->models = 1;
    c->kind = &h->kind;
    c->kinds = 1;
    c->node = h->node;
    c->nodes = INSTANCES;
    c->timing = timing_of;
    c->timing_context = h;
    c->next = next_arrival;
    c->next_context = h;
    c->failure = h->failure;
    c->switching = hd_switching_default();
    c->switching.placed = true;
    c->serving = hd_serving_default();
    c->to = HD_TICK_NEVER;
}

static void add(struct house *h, int at_ms, int input, int output, int home) {
    h->home[h->arrivals] = home;
    h->arrival[h->arrivals++] = (struct hd_arrival){
        .at = at_ms * MS, .input_tokens = input, .output_tokens = output};
}

static bool noted(struct house *h, struct hd_engine *e, const char *what, int64_t id) {
    assert_int_equal(h->depth, 0);
    h->depth++;
    if (hd_ask_now(e) == h->watched) {
        size_t used = strlen(h->log);
        snprintf(h->log + used, sizeof h->log - used, "%s %lld\n", what, (long long)id);
    }
    bool fine = !h->extra || h->extra(h, e, what, id);
    h->depth--;
    return fine;
}

static bool on_start(void *state, struct hd_engine *e, const char **reason) {
    struct house *h = state;
    (void)reason;
    for (int n = 0; n < INSTANCES; n++)
        if (hd_act_form(e, &(struct hd_form){.role = "serve", .node = n}) != n ||
            hd_act_load(e, n, 0) != 1)
            return false;
    return h->timer_s <= 0 || hd_act_after(e, h->timer_s, 77);
}

static bool on_arrive(void *state, struct hd_engine *e, struct hd_req r) {
    struct house *h = state;
    int64_t id = hd_ask_request_id(e, r);
    int home = h->home[id];
    if (!noted(h, e, "arrive", id)) return false;
    if (home < 0 || !hd_ask_instance_alive(e, home)) return true;
    return hd_act_join_instance(e, r, home, HD_KV_PULL);
}

static bool on_turn(void *state, struct hd_engine *e, int n, enum hd_why why,
                    struct hd_grp g) {
    struct house *h = state;
    char what[40];
    (void)g;
    snprintf(what, sizeof what, "turn %s", hd_why_name(why));
    if (!noted(h, e, what, n)) return false;
    if (why == HD_WHY_FULL) return true;
    struct hd_grp head = hd_ask_instance_head(e, n);
    if (head.slot < 0 || hd_ask_group_size(e, head) == 0) return true;
    struct hd_turn turn = HD_TURN;
    if (h->prefills_on_0 && n == 0) turn.prefill = 1;
    return hd_act_run(e, n, head, &turn);
}

static bool on_prefilled(void *state, struct hd_engine *e, struct hd_req r) {
    return noted(state, e, "prefilled", hd_ask_request_id(e, r));
}

static bool on_done(void *state, struct hd_engine *e, struct hd_req r) {
    ((struct house *)state)->last_state = hd_ask_request_state(e, r);
    return noted(state, e, "done", hd_ask_request_id(e, r));
}

static bool on_timer(void *state, struct hd_engine *e, int64_t cookie) {
    return noted(state, e, "timer", cookie);
}

static bool on_tick(void *state, struct hd_engine *e) {
    return noted(state, e, "tick", 0);
}

static bool on_fleet(void *state, struct hd_engine *e, enum hd_fleet_event event,
                     const int *gpus, int count) {
    (void)count;
    return noted(state, e, event == HD_FLEET_DOWN ? "down" : "up", gpus[0]);
}

static enum hd_run_end run(struct house *h, bool step) {
    int64_t requests = h->arrivals, tokens = 0;
    for (int n = 0; n < h->arrivals; n++) tokens += h->arrival[n].output_tokens;
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){1, &requests, &tokens}, 0, HD_TICK_NEVER);
    m->on_finished = note_end;
    m->on_finished_context = h;
    struct hd_policy policy = {.name = "orders",
                               .period_s = h->tick_s,
                               .state = h,
                               .start = on_start,
                               .arrive = on_arrive,
                               .turn = on_turn,
                               .prefilled = on_prefilled,
                               .done = on_done,
                               .timer = on_timer,
                               .tick = on_tick,
                               .fleet = on_fleet};
    h->next = 0;
    h->log[0] = 0;
    h->err.text[0] = 0;
    h->config.step = step;
    enum hd_run_end end = hd_run(&h->config, &policy, m, NULL, &h->err);
    hd_measure_free(m);
    return end;
}

static void everything_at_once(void **state) {
    (void)state;
    struct house h;
    build(&h);
    add(&h, 0, 8, 10, 0);  /* request 0: ends at 10 ms */
    add(&h, 0, 8, 100, 3); /* 1: its GPU fails at 10 ms */
    add(&h, 9, 8, 3, 1);   /* 2: its prefill ends at 10 ms */
    add(&h, 10, 8, 2, 2);
    add(&h, 10, 8, 2, -1);
    h.failure[0] = (struct hd_failure){.at = 10 * MS, .gpu = 3};
    h.failure[1] = (struct hd_failure){.at = 15 * MS, .gpu = 3, .up = true};
    h.config.failures = 2;
    h.config.serving.drain_s = 0.1;
    h.timer_s = 0.010;
    h.tick_s = 0.005;
    h.watched = 10 * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(run(&h, step), HD_RUN_STALLED); /* 1 and 4 stay held */
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
    build(&h);
    add(&h, 0, 8, 20, 2);
    add(&h, 5, 8, 2, 1);
    h.watched = 5 * MS;
    h.extra = reads_tokens;
    for (int step = 0; step < 2; step++) assert_int_equal(run(&h, step), HD_RUN_WHOLE);
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
        build(&h);
        add(&h, 0, 8, 5, flip ? 2 : 1);
        add(&h, 0, 8, 30, flip ? 1 : 2);
        add(&h, 0, 8, 4, -1);
        h.watched = flip ? 1 : 2; /* the instance */
        h.extra = follows_up;
        for (int step = 0; step < 2; step++) {
            assert_int_equal(run(&h, step), HD_RUN_WHOLE);
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
    for (int n = 0; n < INSTANCES; n++) {
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
    build(&h);
    add(&h, 10, 8, 2, 3);
    add(&h, 10, 8, 2, 1);
    h.tick_s = 0.010;
    h.watched = 10 * MS;
    h.extra = gives_turns;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(run(&h, step), HD_RUN_WHOLE);
        assert_string_equal(h.log, "arrive 0\narrive 1\ntick 0\n");
        h.extra = NULL;
        assert_int_equal(run(&h, step), HD_RUN_WHOLE);
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
    build(&h);
    add(&h, 0, 8, 9, 0);
    add(&h, 0, 8, 9, 0);
    add(&h, 3, 8, 5, 0); /* joins at 4 ms: the others stand still for 1 ms */
    h.watched = 10 * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].last_token, 10 * MS);
        assert_string_equal(h.log, "done 0\ndone 1\nturn empty 0\n");
        assert_int_equal(h.finished[2].last_token, 8 * MS);
    }
    hd_timing_free(h.timing);
}

/* The watermark holds for a batch that runs; an empty one takes any prompt that
 * fits, or a long prompt would wait for ever. */
static void an_empty_batch_admits_what_fits(void **state) {
    (void)state;
    struct house h;
    build(&h);
    add(&h, 0, 1900, 60, 0); /* 1,959 of 2,000 tokens in the end */
    add(&h, 0, 10, 5, 0);
    h.config.serving.watermark = 0.2;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(run(&h, step), HD_RUN_WHOLE);
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
        return hd_act_limit(e, h->home[1], 16); /* bytes: one block */
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
        build(&h);
        add(&h, 0, 8, 30, flip);
        add(&h, 10, 600, 5, 1 - flip); /* will not fit */
        add(&h, 10, 8, 2, -1);
        h.watched = 10 * MS;
        h.extra = joins_when_full;
        h.config.serving.drain_s = 0.1;
        for (int step = 0; step < 2; step++) {
            assert_int_equal(run(&h, step), HD_RUN_STALLED);
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
    build(&h);
    add(&h, 0, 1000, 500, 1); /* 94 of 125 blocks in the end */
    add(&h, 50, 600, 50, 0);  /* 38 of them */
    h.prefills_on_0 = true;
    h.extra = pushes;
    h.node[1].nic_bytes_per_s = 1000; /* under way for 0.6 s */
    hd_tick last[2];
    for (int step = 0; step < 2; step++) {
        assert_int_equal(run(&h, step), HD_RUN_WHOLE);
        last[step] = h.finished[0].last_token;
        assert_int_equal(h.finished[1].status, HD_STATUS_DONE);
        assert_int_equal(h.finished[0].preempted, 0);
    }
    assert_int_equal(last[0], last[1]);
    assert_true(last[0] > 500 * MS); /* it stood still while the room was made */
    hd_timing_free(h.timing);
}

static void patience_ends(void **state) {
    (void)state;
    struct house h;
    build(&h);
    add(&h, 0, 8, 5, -1);
    add(&h, 2, 8, 5, 0);
    h.config.serving.patience_s = 0.020;
    h.watched = 20 * MS;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(run(&h, step), HD_RUN_WHOLE);
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
    build(&h);
    add(&h, 0, 8, 5, 0);
    h.extra = never_rests;
    for (int step = 0; step < 2; step++) {
        assert_int_equal(run(&h, step), HD_RUN_FAILED);
        assert_non_null(strstr(h.err.text, "policy livelock"));
        assert_non_null(strstr(h.err.text, "timer"));
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
        cmocka_unit_test(an_empty_batch_admits_what_fits),
        cmocka_unit_test(after_the_plans_iterations_have_begun),
        cmocka_unit_test(a_push_ends_a_plan_that_counted_on_the_room),
        cmocka_unit_test(patience_ends),
        cmocka_unit_test(a_livelock_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
