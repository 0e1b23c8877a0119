/* The team of threads: every piece is done once, what waits for another piece is
 * waited for, and a refusal ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#include "plan/team.h"

enum { PIECES = 400 };

/* Piece n may be taken once piece n / 2 has come back: a tree. */
struct tree {
    int piece[PIECES], done[PIECES], taken[PIECES];
    atomic_int at_once, most_at_once, performed;
    int threads, back, stop_after;
    bool wrong;
};

static void *take(void *context) {
    struct tree *t = context;
    for (int n = 0; n < PIECES; n++) {
        if (t->taken[n] || (n > 0 && !t->done[n / 2])) continue;
        t->taken[n]++;
        t->piece[n] = n;
        return &t->piece[n];
    }
    return NULL;
}

static void perform(void *context, void *piece) {
    struct tree *t = context;
    int now = atomic_fetch_add(&t->at_once, 1) + 1;
    int most = atomic_load(&t->most_at_once);
    while (now > most && !atomic_compare_exchange_weak(&t->most_at_once, &most, now)) {
    }
    volatile unsigned work = *(int *)piece;
    for (int n = 0; n < 2000; n++) work = work * 1664525 + 1013904223;
    atomic_fetch_add(&t->performed, 1);
    atomic_fetch_sub(&t->at_once, 1);
}

static bool give_back(void *context, void *piece) {
    struct tree *t = context;
    int n = *(int *)piece;
    t->wrong |= t->done[n] != 0 || (n > 0 && !t->done[n / 2]);
    t->done[n]++;
    return ++t->back != t->stop_after;
}

static const struct hd_work work = {take, perform, give_back};

static void every_piece_once(void **state) {
    (void)state;
    for (int threads = 1; threads <= 8; threads++) {
        struct tree t = {.threads = threads};
        hd_team_run(threads, &work, &t);
        assert_false(t.wrong);
        assert_int_equal(t.back, PIECES);
        assert_int_equal(atomic_load(&t.performed), PIECES);
        assert_in_range(atomic_load(&t.most_at_once), 1, threads);
        for (int n = 0; n < PIECES; n++) assert_int_equal(t.done[n], 1);
    }
}

static void a_refusal_ends_it(void **state) {
    (void)state;
    for (int threads = 1; threads <= 5; threads++) {
        struct tree t = {.threads = threads, .stop_after = 50};
        hd_team_run(threads, &work, &t);
        assert_false(t.wrong);
        assert_in_range(t.back, 50,
                        50 + threads - 1); /* those that were out came back */
        assert_int_equal(t.back, atomic_load(&t.performed));
    }
}

static void *nothing(void *context) {
    ++*(int *)context;
    return NULL;
}

static void nothing_to_do(void **state) {
    (void)state;
    int asked = 0;
    hd_team_run(4, &(struct hd_work){nothing, NULL, NULL}, &asked);
    assert_true(asked >= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_once),
        cmocka_unit_test(a_refusal_ends_it),
        cmocka_unit_test(nothing_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
