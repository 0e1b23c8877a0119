/* The worked example of Aegaeon's decode rounds: three batches that could each decode
 * n = 4 tokens in the time of one (TBT 100 ms, steps of 25 ms), c = 3 s of switches a
 * round (1 s each), alpha = 1. Quotas q = c / (n (alpha - sum 1/n)) = 3 s: a round of
 * 3 * (1 + 3) = 12 s, 120 tokens of every request in each, which is what TBT asks for,
 * so nothing is late. The formula is that of the paper (SOSP'25, Algorithm 2). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/engine.h"
#include "plain_timing.h"

enum {
    BATCHES = 3,
    MEMBERS = 4,
    ROUNDS = 10,
    TOKENS = 120 * ROUNDS,
    GIGA = 1000000000
};

struct rounds { /* the policy: one group per model, served in turn for its quota */
    double quota_s;
    struct hd_grp group[BATCHES];
    struct hd_req member[BATCHES];
    int next, turns;
    hd_tick began[BATCHES * (ROUNDS + 2)]; /* of each turn */
    int tokens[BATCHES * (ROUNDS + 2)];    /* of a member of its batch, before it */
};

static bool start(void *state, struct hd_engine *e, const char **reason) {
    struct rounds *r = state;
    (void)reason;
    struct hd_form form = {.role = "decode", .gpus = 1, .node = -1};
    if (hd_act_form(e, &form) != 0) return false;
    for (int m = 0; m < BATCHES; m++) r->group[m] = hd_act_group(e, 0, m);
    return true;
}

static bool arrive(void *state, struct hd_engine *e, struct hd_req request) {
    struct rounds *r = state;
    int model = hd_ask_request_model(e, request);
    r->member[model] = request;
    return hd_act_join_group(e, request, r->group[model], HD_KV_PULL);
}

static bool turn(void *state, struct hd_engine *e, int instance, enum hd_why why,
                 struct hd_grp group) {
    struct rounds *r = state;
    (void)why;
    (void)group;
    for (int tried = 0; tried < BATCHES; tried++) {
        int m = r->next;
        r->next = (r->next + 1) % BATCHES;
        if (!hd_ask_group_open(e, r->group[m]) ||
            hd_ask_group_size(e, r->group[m]) == 0)
            continue;
        r->began[r->turns] = hd_ask_now(e);
        r->tokens[r->turns++] = hd_ask_request_tokens(e, r->member[m]);
        struct hd_turn t = HD_TURN;
        t.for_s = r->quota_s;
        t.strict = true;
        t.out = HD_OUT_LAZY; /* KV stays: only weights are switched */
        return hd_act_run(e, instance, r->group[m], &t);
    }
    return true;
}

static int next_arrival(void *context, struct hd_arrival *a) {
    int *given = context;
    *a = (struct hd_arrival){
        .model = *given % BATCHES, .input_tokens = 16, .output_tokens = TOKENS};
    return (*given)++ < BATCHES * MEMBERS;
}

/* Late tokens when a switch takes switch_s and the first token is due at ttft_s. */
static int64_t late_tokens(struct rounds *r, double switch_s, double ttft_s,
                           bool step) {
    hd_tick step_ticks = hd_tick_from_s(0.025);
    struct hd_timing *timing = hd_timing_plain(&(struct hd_plain_law){
        .step = step_ticks, .prefill = step_ticks, .stretches = 1});
    struct hd_run_model model[BATCHES];
    for (int m = 0; m < BATCHES; m++)
        model[m] = (struct hd_run_model){.name = "m",
                                         .slo_class = "default",
                                         .tp = 1,
                                         .weights_bytes = 16LL * GIGA,
                                         .kv_token_bytes = 1,
                                         .kv_heads = 1,
                                         .max_context = 4096,
                                         .ttft = hd_tick_from_s(ttft_s),
                                         .tbt = hd_tick_from_s(0.1)};
    struct hd_gpu_kind kind = {.name = "gpu", .usable_bytes = 20LL * GIGA};
    struct hd_node_config node = {.gpus = 1,
                                  .dram_bytes = 1e12,
                                  .disk_bytes_per_s = 1e9,
                                  .pcie_bytes_per_s = 16e9 / switch_s,
                                  .pcie_shared_by = 1,
                                  .nvlink_bytes_per_s = 1e12,
                                  .nic_bytes_per_s = 1e12};
    int given = 0;
    struct hd_run_config config = {.model = model,
                                   .models = BATCHES,
                                   .kind = &kind,
                                   .kinds = 1,
                                   .node = &node,
                                   .nodes = 1,
                                   .timing = plain_timing,
                                   .timing_context = timing,
                                   .next = next_arrival,
                                   .next_context = &given,
                                   .switching = hd_switching_default(),
                                   .serving = hd_serving_default(),
                                   .to = HD_TICK_SPAN_MAX,
                                   .step = step};
    config.switching.prefetch = false;
    struct hd_policy policy = {
        .name = "rounds", .state = r, .start = start, .arrive = arrive, .turn = turn};
    int64_t requests[BATCHES], tokens[BATCHES];
    for (int m = 0; m < BATCHES; m++)
        requests[m] = MEMBERS, tokens[m] = MEMBERS * TOKENS;
    struct hd_expected expected = {BATCHES, requests, tokens};
    struct hd_measure *measure = hd_measure_new(&expected, 0, config.to);
    struct hd_err err = {0};
    enum hd_run_end end = hd_run(&config, &policy, measure, NULL, &err);
    if (end != HD_RUN_WHOLE) fail_msg("%s", err.text);
    assert_int_equal(measure->finished[HD_STATUS_DONE], BATCHES * MEMBERS);
    assert_int_equal(measure->tokens_emitted, measure->tokens);
    int64_t late = measure->tokens - measure->tokens_on_time;
    hd_measure_free(measure);
    hd_timing_free(timing);
    return late;
}

static double quota(double n, double alpha, double c) {
    return c / (n * (alpha - BATCHES / n));
}

static void rounds_are_as_worked_out(void **state) {
    (void)state;
    for (int step = 0; step < 2; step++) {
        struct rounds r = {.quota_s = quota(4, 1, 3)};
        assert_true(r.quota_s == 3);
        /* The third batch has its first token after 3 switches and 2 quotas. */
        int64_t late = late_tokens(&r, 1, 9.025, step);
        double round = hd_s_from_tick(r.began[3] - r.began[0]);
        printf("quota: expected 3 s, 12 s a round, 120 tokens each, 0 late; measured "
               "%g s, %g s, %d tokens, %ld late\n",
               hd_s_from_tick(r.began[1] - r.began[0]) - 1, round,
               r.tokens[3] - r.tokens[0], (long)late);
        assert_int_equal(r.turns, BATCHES * ROUNDS);
        for (int n = 0; n + BATCHES < r.turns; n++) {
            assert_true(r.began[n + 1] - r.began[n] == 4 * HD_TICKS_PER_S);
            assert_int_equal(r.tokens[n + BATCHES] - r.tokens[n], 120);
        }
        assert_int_equal(late, 0);
    }
}

/* The same quotas leave no slack: by a tenth of a second less for the first token, or
 * by a switch that takes longer, tokens are late, and as many as can be worked out. */
static void no_slack_is_left(void **state) {
    (void)state;
    struct rounds r = {.quota_s = 3};
    /* Deadlines 50 ms earlier. In a turn the k-th token comes at 25 k ms and is due at
     * 100 k ms less 50: the first (k = 0) is late by 50 ms, the second has 25 ms to
     * spare. One token of each member of the third batch and turn. */
    assert_int_equal(late_tokens(&r, 1, 8.975, false), MEMBERS * ROUNDS);
    /* Switches of 1.25 s: rounds of 12.75 s for 12 s worth of tokens. In ms, token k of
     * a batch's turn in a round, counted out. */
    int64_t late = 0;
    for (int batch = 0; batch < BATCHES; batch++)
        for (int round = 0; round < ROUNDS; round++)
            for (int k = 0; k < 120; k++) {
                int64_t begun = 1250 + 4250 * batch + 12750 * round;
                int64_t at = begun + 25 * (k + 1);
                late += at > 9025 + 100 * (120 * round + k);
            }
    struct rounds slow = {.quota_s = 3};
    int64_t got = late_tokens(&slow, 1.25, 9.025, false);
    printf("switches of 1.25 s: expected %ld late tokens, measured %ld\n",
           (long)(late * MEMBERS), (long)got);
    assert_true(late > 0);
    assert_int_equal(got, late * MEMBERS);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_are_as_worked_out),
        cmocka_unit_test(no_slack_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
