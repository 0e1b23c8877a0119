/* The contract of an event list, for whichever one was included before: least (time,
 * id) first, one entry for each id, moved and removed in place, against a plain scan,
 * with nearly all times tied. The program's main is here, too. */
#ifndef HD_TESTS_EVENTS_ORDER_H
#define HD_TESTS_EVENTS_ORDER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/events.h"
#include "unit/scenario_policy.h"

enum { EVENT_IDS = 300 };

static int least_event(const int64_t *at, int ids) {
    int least = -1;
    for (int id = 0; id < ids; id++)
        if (at[id] >= 0 && (least < 0 || at[id] < at[least])) least = id;
    return least;
}

/* apart: the most that a new time lies after the last one that was taken. */
static void follow(int ids, uint64_t apart, int events, uint64_t *seed) {
    struct hd_events e = {0};
    hd_events_reserve(&e, ids / 2);
    hd_events_reserve(&e, ids);
    int64_t at[EVENT_IDS], now = 0; /* at: -1 for absent */
    for (int id = 0; id < ids; id++) at[id] = -1;
    for (int n = 0; n < events; n++) {
        int id = (int)draw_below(seed, (uint64_t)ids), least = least_event(at, ids);
        uint64_t what = draw_below(seed, 8);
        if (what == 0) {
            hd_events_remove(&e, id);
            at[id] = -1;
        } else if (what < 4 && least >= 0) {
            hd_events_take(&e);
            now = at[least];
            at[least] = -1;
        } else {
            at[id] = now + (int64_t)draw_below(seed, apart);
            hd_events_set(&e, id, at[id]);
        }
        if (draw_below(seed, 3) == 0) continue; /* nobody looks */
        const struct hd_heap_node *first = hd_events_first(&e);
        least = least_event(at, ids);
        if (least < 0) {
            assert_null(first);
        } else {
            assert_int_equal(first->id, least);
            assert_int_equal(first->key, at[least]);
        }
    }
    hd_events_free(&e);
}

static void least_time_then_least_id(void **state) {
    (void)state;
    uint64_t seed = 11;
    for (int run = 0; run < 300; run++) {
        follow(2 + run % 20, 2, 200, &seed); /* tied but for a few */
        follow(20, 6, 200, &seed);
        follow(20, (uint64_t)1 << (20 + run % 25), 200, &seed);
    }
    follow(EVENT_IDS, 3, 40000, &seed);
    follow(EVENT_IDS, (uint64_t)1 << 36, 40000, &seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(least_time_then_least_id)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
