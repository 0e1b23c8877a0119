/* The search for the fewest GPUs, on tables of verdicts made up here, against the
 * definition tried number by number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "plan/search.h"

enum { MOST = 200, ABOVE = 4, CRITERIA = 3 };

struct table {
    uint32_t passes[MOST + ABOVE + 1]; /* by number; bit per criterion */
    int probed[MOST + ABOVE + 1];
};

/* The least number from which `above` more all pass; 0: none. */
static int by_definition(const struct table *t, int criterion, int most, int above) {
    for (int n = 1; n <= most; n++) {
        int in_a_row = 0;
        while (in_a_row <= above && t->passes[n + in_a_row] >> criterion & 1)
            in_a_row++;
        if (in_a_row > above) return n;
    }
    return 0;
}

/* Answers every criterion from the table. A probe that fails all that is asked for
 * tells nothing else, like a run that was stopped early. */
static int search(struct table *t, struct hd_search *s, struct hd_found *found) {
    int probes = 0, n;
    uint32_t open, before = UINT32_MAX;
    while ((n = hd_search_next(s, &open, found))) {
        assert_in_range(n, s->least, s->most + s->above);
        assert_int_equal(open & ~before, 0); /* criteria never open again */
        before = open;
        uint32_t all = (1u << s->criteria) - 1;
        uint32_t known = t->passes[n] & open ? all : open;
        assert_int_equal(t->probed[n]++, 0); /* no number twice */
        hd_search_add(s, (struct hd_verdict){n, known, t->passes[n] & known});
        probes++;
    }
    return probes;
}

static struct hd_search make(int first) {
    return (struct hd_search){.criteria = CRITERIA,
                              .first = first,
                              .step = first > 1 ? first / 2 : 1,
                              .least = 1,
                              .most = MOST,
                              .above = ABOVE};
}

static void thresholds(struct table *t, int a, int b, int c) {
    int from[CRITERIA] = {a, b, c};
    *t = (struct table){0};
    for (int n = 1; n <= MOST + ABOVE; n++)
        for (int k = 0; k < CRITERIA; k++)
            if (n >= from[k]) t->passes[n] |= 1u << k;
}

static void monotone_tables_give_the_threshold(void **state) {
    (void)state;
    int most_probes = 0;
    for (int a = 1; a <= MOST; a += 7) {
        for (int first = 1; first <= MOST; first += 11) {
            struct table t;
            int from[CRITERIA] = {a, a + (MOST - a) / 3, a + (MOST - a) / 2};
            thresholds(&t, from[0], from[1], from[2]);
            struct hd_search s = make(first);
            struct hd_found found[CRITERIA];
            int probes = search(&t, &s, found);
            if (probes > most_probes) most_probes = probes;
            for (int k = 0; k < CRITERIA; k++) {
                assert_true(found[k].answered && found[k].reached);
                assert_int_equal(found[k].n, from[k]);
                assert_int_equal(hd_search_dips(&s, k, NULL, 0), 0);
            }
            hd_search_free(&s);
        }
    }
    /* Three answers: log2(200) steps each way for each, and its confirmation. */
    assert_in_range(most_probes, 1, 3 * (2 * 8 + ABOVE));
}

static void never_and_always(void **state) {
    (void)state;
    struct table t;
    thresholds(&t, 1, 1, MOST + ABOVE + 1);
    for (int first = 1; first <= MOST; first += 33) {
        struct hd_search s = make(first);
        struct hd_found found[CRITERIA];
        for (int n = 0; n <= MOST + ABOVE; n++) t.probed[n] = 0;
        search(&t, &s, found);
        assert_int_equal(found[0].n, 1);
        assert_int_equal(found[1].n, 1);
        assert_true(found[2].answered);
        assert_false(found[2].reached);
        assert_int_equal(t.probed[MOST], 1); /* it was not given up before the end */
        hd_search_free(&s);
    }
    /* Passing only beyond the largest answer is not an answer. */
    thresholds(&t, MOST + 1, MOST + 1, MOST + 1);
    struct hd_search s = make(5);
    struct hd_found found[CRITERIA];
    search(&t, &s, found);
    assert_false(found[0].reached);
    hd_search_free(&s);
}

static void a_dip_above_the_first_that_passes_moves_the_answer_over_it(void **state) {
    (void)state;
    for (int gap = 1; gap <= ABOVE + 2; gap++) {
        for (int first = 1; first <= MOST; first += 5) {
            struct table t;
            thresholds(&t, 40, 70, 100);
            t.passes[40 + gap] &= ~1u;
            struct hd_search s = make(first);
            struct hd_found found[CRITERIA];
            search(&t, &s, found);
            /* The first guesses may happen upon the dip and climb from there. */
            if (gap <= ABOVE) {
                assert_int_equal(found[0].n, 40 + gap + 1);
            } else {
                assert_true(found[0].n == 40 || found[0].n == 40 + gap + 1);
            }
            int dip = 0, dips = hd_search_dips(&s, 0, &dip, 1);
            if (dips) assert_int_equal(dip, 40 + gap);
            assert_true(dips == 1 || gap > ABOVE || !t.probed[40 + gap] ||
                        found[0].n == 40 + gap + 1);
            assert_int_equal(found[1].n, 70);
            assert_int_equal(found[2].n, 100);
            hd_search_free(&s);
        }
    }
}

/* A number that passes is a whole run. With a guess that is less than twice the
 * confirmation off, none is run that does not lie within an answer's confirmation. */
static void a_good_guess_runs_nothing_whole_that_need_not_be(void **state) {
    (void)state;
    for (int a = 12; a <= 60; a++)
        for (int first = a - 2 * (ABOVE + 1); first <= a + ABOVE; first++) {
            struct table t;
            thresholds(&t, a, a, a);
            struct hd_search s = make(first);
            struct hd_found found[CRITERIA];
            s.step = ABOVE + 1;
            search(&t, &s, found);
            assert_int_equal(found[0].n, a);
            int whole = 0;
            for (int n = 1; n <= MOST; n++) whole += t.probed[n] && t.passes[n];
            assert_in_range(whole, ABOVE + 1, ABOVE + 1 + (first < a - ABOVE - 1));
            hd_search_free(&s);
        }
}

static uint64_t random_of(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

/* Any table at all: what is found is as promised, and never less than the
 * definition's; where less than a whole run of passes lies below every failing
 * number, it is the definition's. */
static void random_tables(void **state) {
    (void)state;
    uint64_t seed = 1;
    int exact = 0, rounds = 3000;
    for (int round = 0; round < rounds; round++) {
        struct table t = {0};
        int most = 1 + (int)(random_of(&seed) % 60);
        int above = (int)(random_of(&seed) % (ABOVE + 1));
        int noise = 1 + (int)(random_of(&seed) % 12);
        for (int k = 0; k < CRITERIA; k++) {
            int from = 1 + (int)(random_of(&seed) % (uint64_t)(most + 10));
            for (int n = 1; n <= most + above; n++) {
                int at = n + (int)(random_of(&seed) % (uint64_t)noise) - noise / 2;
                if (at >= from) t.passes[n] |= 1u << k;
            }
        }
        struct hd_search s = {.criteria = CRITERIA,
                              .first = 1 + (int)(random_of(&seed) % (uint64_t)most),
                              .step = 1 + (int)(random_of(&seed) % 9),
                              .least = 1,
                              .most = most,
                              .above = above};
        struct hd_found found[CRITERIA];
        search(&t, &s, found);
        for (int k = 0; k < CRITERIA; k++) {
            int least = by_definition(&t, k, most, above);
            assert_true(found[k].answered);
            int last_failing = 0, row_below = 0, row = 0;
            for (int n = 1; n <= most + above; n++) {
                if (t.passes[n] >> k & 1) {
                    row++;
                    continue;
                }
                if (row > row_below) row_below = row;
                row = 0;
                last_failing = n;
            }
            bool gentle = row_below <= above;
            if (gentle) {
                exact++;
                assert_int_equal(found[k].reached, least > 0);
                if (least) assert_int_equal(found[k].n, least);
            }
            if (!found[k].reached) {
                assert_true(!least || last_failing > least);
                continue;
            }
            int n = found[k].n;
            assert_in_range(n, least, most);
            for (int i = n; i <= n + above; i++) assert_true(t.passes[i] >> k & 1);
            assert_true(n == 1 || !(t.passes[n - 1] >> k & 1));
            assert_true(n == 1 || t.probed[n - 1]); /* and it was seen to fail */
        }
        hd_search_free(&s);
    }
    print_message("the definition's answer was due in %d of %d\n", exact,
                  rounds * CRITERIA);
    assert_in_range(exact, rounds, rounds * CRITERIA);
}

/* What is asked for next depends on the verdicts alone, not on their order. */
static void suppositions_leave_no_trace(void **state) {
    (void)state;
    struct table t;
    thresholds(&t, 33, 60, 61);
    struct hd_search s = make(7);
    struct hd_found found[CRITERIA];
    uint32_t open;
    int n, order[64], count = 0;
    while ((n = hd_search_next(&s, &open, found))) {
        struct hd_search other = hd_search_copy(&s);
        hd_search_add(&other, (struct hd_verdict){n, 7, 0});
        uint32_t ahead_open;
        hd_search_next(&other, &ahead_open, NULL);
        hd_search_free(&other);
        order[count++] = n;
        hd_search_add(&s, (struct hd_verdict){n, 7, t.passes[n]});
    }
    struct hd_search backwards = make(7);
    for (int i = count; i-- > 0;)
        hd_search_add(&backwards, (struct hd_verdict){order[i], 7, t.passes[order[i]]});
    struct hd_found again[CRITERIA];
    assert_int_equal(hd_search_next(&backwards, &open, again), 0);
    for (int k = 0; k < CRITERIA; k++) assert_int_equal(found[k].n, again[k].n);
    hd_search_free(&s);
    hd_search_free(&backwards);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(monotone_tables_give_the_threshold),
        cmocka_unit_test(never_and_always),
        cmocka_unit_test(a_dip_above_the_first_that_passes_moves_the_answer_over_it),
        cmocka_unit_test(a_good_guess_runs_nothing_whole_that_need_not_be),
        cmocka_unit_test(random_tables),
        cmocka_unit_test(suppositions_leave_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
