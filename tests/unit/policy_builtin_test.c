/* The reference policies in C: each arrival goes where plain code says it should, with
 * few instances and with very many, while GPUs fail and return. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "policy/builtin.h"
#include "theory/queue_world.h"

enum { MODELS = 2 };

struct judge { /* around the policy: works out where the next request must go */
    const struct hd_policy *inner;
    enum hd_builtin which;
    int slots, next[MODELS];
    long checked, held;
};

static int fewest(struct hd_engine *e, const int *instance, int count) {
    int best = -1;
    for (int n = 0; n < count; n++)
        if (best < 0 || hd_ask_instance(e, instance[n]).requests <
                            hd_ask_instance(e, best).requests)
            best = instance[n];
    return best;
}

static bool start(void *state, struct hd_engine *e, const char **reason) {
    const struct hd_policy *p = ((struct judge *)state)->inner;
    return p->start(p->state, e, reason);
}

static bool arrive(void *state, struct hd_engine *e, struct hd_req request) {
    struct judge *j = state;
    int model = hd_ask_request_model(e, request);
    const int *instance;
    int count = hd_ask_each(e, hd_ask_role(e, "serve"),
                            (struct hd_filter){model, HD_NO_REQ}, &instance);
    int expect = fewest(e, instance, count);
    bool waits = count == 0;
    if (j->which == HD_BUILTIN_ROUND_ROBIN && count > 0) {
        if (j->next[model] >= count) j->next[model] = 0;
        expect = instance[j->next[model]++];
    }
    if (j->which == HD_BUILTIN_CENTRAL && count > 0)
        waits = hd_ask_instance(e, expect).requests >= j->slots;
    if (!j->inner->arrive(j->inner->state, e, request)) return false;
    struct hd_grp group = hd_ask_request_group(e, request);
    j->checked++;
    j->held += waits;
    if (waits)
        assert_int_equal(hd_ask_request_state(e, request), HD_REQ_HELD);
    else
        assert_int_equal(hd_ask_group_instance(e, group), expect);
    return true;
}

static bool done(void *state, struct hd_engine *e, struct hd_req request) {
    struct judge *j = state;
    if (!j->inner->done(j->inner->state, e, request)) return false;
    for (int n = 0; n < hd_ask_instances(e); n++)
        assert_true(hd_ask_instance(e, n).requests <= j->slots);
    return true;
}

static bool fleet(void *state, struct hd_engine *e, enum hd_fleet_event event,
                  const int *gpus, int count) {
    struct judge *j = state;
    return j->inner->fleet(j->inner->state, e, event, gpus, count);
}

static void judge(enum hd_builtin which, int replicas, int slots, double load,
                  const struct hd_failure *failure, int failures) {
    struct hd_policy *inner = hd_builtin_new(which, replicas, slots);
    struct judge j = {.inner = inner, .which = which, .slots = slots};
    struct hd_policy policy = {.name = "judge",
                               .state = &j,
                               .start = start,
                               .arrive = arrive,
                               .done = inner->done ? done : NULL,
                               .fleet = fleet};
    struct qw w = {.models = MODELS,
                   .replicas = replicas,
                   .max_batch = slots,
                   .step_s = 0.01,
                   .prefill_s = 0.01,
                   .size = QW_EXPONENTIAL,
                   .mean_tokens = 100,
                   .span_s = 2000.0 / replicas,
                   .policy = &policy,
                   .failure = failure,
                   .failures = failures};
    w.rate = load * MODELS * replicas * slots / (w.step_s * w.mean_tokens);
    hd_measure_free(qw_run(&w, 11, NULL, NULL)); /* every request ends well */
    printf("%s, %d replicas: %ld arrivals judged, %ld of them held\n", inner->name,
           replicas, j.checked, j.held);
    assert_true(j.checked > 1000);
    hd_builtin_free(inner);
}

static void least_requests(void **state) {
    (void)state;
    judge(HD_BUILTIN_DEDICATED, 3, 4, 0.8, NULL, 0);
    judge(HD_BUILTIN_DEDICATED, 100, 4, 0.8, NULL, 0);
}

static void in_turns(void **state) {
    (void)state;
    judge(HD_BUILTIN_ROUND_ROBIN, 3, 4, 0.8, NULL, 0);
    judge(HD_BUILTIN_ROUND_ROBIN, 100, 4, 0.8, NULL, 0);
}

static void one_queue(void **state) {
    (void)state;
    judge(HD_BUILTIN_CENTRAL, 3, 4, 0.95, NULL, 0);
    judge(HD_BUILTIN_CENTRAL, 100, 1, 0.95, NULL, 0);
}

/* All GPUs of a model leave, and one after the other returns. */
static void failures(void **state) {
    (void)state;
    struct hd_failure failure[6];
    for (int n = 0; n < 3; n++) {
        failure[n] = (struct hd_failure){(100 + n) * HD_TICKS_PER_S, n, false};
        failure[3 + n] = (struct hd_failure){(200 + n) * HD_TICKS_PER_S, n, true};
    }
    judge(HD_BUILTIN_DEDICATED, 3, 4, 0.5, failure, 6);
    judge(HD_BUILTIN_ROUND_ROBIN, 3, 4, 0.5, failure, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_requests),
        cmocka_unit_test(in_turns),
        cmocka_unit_test(one_queue),
        cmocka_unit_test(failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
