/* Each closed form of the engine against brute force, on random cases: what a few
 * thousand random worlds would hardly meet is met here thousands of times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/parts.h"
#include "unit/scenario_policy.h"

static uint64_t seed = 42;

static int64_t between(int64_t low, int64_t high) {
    return low + (int64_t)draw_below(&seed, (uint64_t)(high - low + 1));
}

/* Mostly small, sometimes large: both ends of what a table may hold. */
static int64_t sized(int64_t most) {
    return between(0, between(0, 2) ? (most < 30 ? most : 30) : most);
}

static void duration_and_inverse(void **state) {
    (void)state;
    for (int n = 0; n < 20000; n++) {
        struct hd_batch b = {.tau = 1 + sized(100 * HD_TICKS_PER_S / 1000),
                             .delta = sized(200000000)};
        b.steps = 1 + sized(n % 50 ? 300 : 65535);
        hd_tick sum = 0, probe = between(0, hd_batch_time(&b, b.steps) + 5);
        int64_t first = 0; /* with time >= probe */
        for (int64_t k = 1; k <= b.steps; k++) {
            sum += b.tau + b.delta * (k - 1);
            assert_int_equal(hd_batch_time(&b, k), sum);
            if (!first && sum >= probe) first = k;
            if (between(0, 15)) continue;
            assert_int_equal(hd_batch_inverse(&b, sum), k);
            assert_int_equal(hd_batch_inverse(&b, sum + 1), k < b.steps ? k + 1 : k);
            if (sum - 1 > sum - b.tau)
                assert_int_equal(hd_batch_inverse(&b, sum - 1), k);
        }
        assert_int_equal(hd_batch_inverse(&b, probe), first ? first : b.steps);
        /* a plan may be cut anywhere */
        int64_t k = between(1, b.steps), j = between(0, k);
        struct hd_batch rest = {.tau = b.tau + b.delta * j, .delta = b.delta};
        assert_int_equal(hd_batch_time(&b, j) + hd_batch_time(&rest, k - j),
                         hd_batch_time(&b, k));
    }
}

static int64_t blocks_by_hand(const int64_t *length, int count, int64_t steps) {
    int64_t blocks = 0;
    for (int m = 0; m < count; m++) blocks += (length[m] + steps + 15) / 16;
    return blocks;
}

static void blocks_and_pool_full(void **state) {
    (void)state;
    for (int n = 0; n < 60000; n++) {
        struct hd_batch b = {.count = (int)between(1, n % 9 ? 6 : 60),
                             .step = sized(1000)};
        int64_t length[60], k = sized(100);
        for (int m = 0; m < b.count; m++) {
            length[m] = between(0, 70);
            b.residue[(length[m] - b.step) & (HD_BLOCK_TOKENS - 1)]++;
        }
        b.blocks = blocks_by_hand(length, b.count, 0);
        assert_int_equal(hd_batch_blocks_after(&b, k),
                         blocks_by_hand(length, b.count, k));
        int64_t most = 1 + sized(200), pool = sized(b.count * 12), by_hand = 0;
        while (by_hand < most &&
               blocks_by_hand(length, b.count, by_hand + 1) - b.blocks <= pool)
            by_hand++;
        assert_int_equal(hd_batch_steps_that_fit(&b, pool, most), by_hand);
    }
}

/* A piece whose step time passes TBT somewhere, so that F turns round in it. */
static struct hd_piece some_piece(hd_tick tbt) {
    struct hd_piece p = {.start = sized(1000000), .step = sized(5000)};
    p.steps = 1 + sized(200);
    p.delta = between(0, 3) ? sized(50) : 0;
    p.tau = 1 + between(0, 3) * tbt / 2 + sized(40);
    if (p.delta && between(0, 1)) p.tau = tbt - p.delta * between(0, p.steps) / 2;
    if (p.tau < 1) p.tau = 1;
    hd_tick first = hd_piece_f(&p, tbt, 1), last = hd_piece_f(&p, tbt, p.steps);
    p.high = first > last ? first : last;
    p.low = first < last ? first : last;
    return p;
}

static void late_tokens_of_a_piece(void **state) {
    (void)state;
    int dips = 0, some = 0;
    for (int n = 0; n < 300000; n++) {
        hd_tick tbt = 1 + sized(2000);
        struct hd_piece p = some_piece(tbt);
        hd_tick bound = hd_piece_f(&p, tbt, between(1, p.steps)) + between(-3, 3);
        int64_t late = 0, turns = 0;
        bool before = false, first = false;
        hd_tick t = p.start;
        for (int64_t j = 1; j <= p.steps; j++) {
            t += p.tau + p.delta * (j - 1);
            hd_tick f = t - (p.step + j) * tbt;
            assert_int_equal(hd_piece_f(&p, tbt, j), f);
            bool is_late = f > bound;
            late += is_late;
            if (j == 1) first = is_late;
            turns += j > 1 && is_late != before;
            before = is_late;
        }
        assert_int_equal(hd_piece_late(&p, tbt, bound), late);
        dips += first && before && turns == 2;
        some += late > 0 && late < p.steps;
    }
    assert_true(dips > 5000); /* late, on time, late again */
    assert_true(some > 50000);
}

/* Both metrics over several stays in a batch, against the loop over tokens. */
static void scores_over_stays(void **state) {
    (void)state;
    int missed = 0, perfect = 0;
    for (int n = 0; n < 40000; n++) {
        struct hd_run_model model = {.tbt = 1 + sized(300), .ttft = sized(3000)};
        if (n % 40 == 0) model.tbt = HD_TICK_NEVER;
        if (n % 41 == 0) model.ttft = HD_TICK_NEVER;
        struct hd_run_config config = {.model = &model};
        struct hd_engine fast = {.config = &config}, step = {.config = &config};
        step.step = true;
        struct hd_request f = {.arrival = sized(10000)}, s = f;
        f.score.fast.last_miss = -2;
        hd_tick now = f.arrival + sized(4000);
        for (int stay = (int)between(0, 2); stay >= 0; stay--) {
            hd_score_token(&model, &f, now); /* by a prefill */
            hd_plain_token(&step, &s, now);
            f.emitted = ++s.emitted;
            struct hd_piece ring[8];
            struct hd_batch b = {.piece = ring, .piece_capacity = 8};
            b.step = f.join_step = sized(100);
            b.first_piece = b.next_piece = f.first_piece = between(0, 20);
            hd_tick bound = HD_TICK_NEVER;
            if (model.tbt != HD_TICK_NEVER && model.ttft != HD_TICK_NEVER)
                bound = f.arrival + model.ttft + (f.emitted - b.step - 1) * model.tbt;
            for (int pieces = (int)between(0, 8); pieces > 0; pieces--) {
                now += sized(500); /* a pause before it */
                struct hd_piece p =
                    some_piece(model.tbt == HD_TICK_NEVER ? 50 : model.tbt);
                p.start = now;
                p.step = b.step;
                p.steps = 1 + p.steps % 25;
                hd_tick limit = model.tbt == HD_TICK_NEVER ? 0 : model.tbt;
                hd_tick a = hd_piece_f(&p, limit, 1),
                        z = hd_piece_f(&p, limit, p.steps);
                p.high = a > z ? a : z;
                p.low = a < z ? a : z;
                ring[b.next_piece++ & 7] = p;
                b.step += p.steps;
                for (int64_t j = 1; j <= p.steps; j++) {
                    now += p.tau + p.delta * (j - 1);
                    hd_plain_token(&step, &s, now);
                    s.emitted++;
                }
            }
            hd_score_stay(&model, &b, &f, bound, b.step - f.join_step);
            f.emitted += (int32_t)(b.step - f.join_step);
            assert_int_equal(f.emitted, s.emitted);
            assert_int_equal(hd_score_on_time(&fast, &f), hd_score_on_time(&step, &s));
            f.last_token = s.last_token = now;
            now += sized(2000);
        }
        double ratio = hd_score_ratio(&fast, &f);
        assert_true(ratio == hd_score_ratio(&step, &s));
        assert_true(ratio >= 0 && ratio <= 1);
        perfect += ratio == 1;
        missed += ratio < 1;
    }
    assert_true(missed > 10000 && perfect > 2000);
}

/* The published example: tokens at 3, 6, 7, 8 with limits (3, 2) give 5/8. */
static void the_example_of_metric_q(void **state) {
    (void)state;
    static const hd_tick at[] = {3, 6, 7, 8};
    struct hd_run_model model = {.ttft = 3, .tbt = 2};
    struct hd_run_config config = {.model = &model};
    for (int mode = 0; mode < 2; mode++) {
        struct hd_engine e = {.config = &config, .step = mode == 1};
        struct hd_request r = {0};
        if (!e.step) r.score.fast.last_miss = -2;
        for (int n = 0; n < 4; n++) {
            if (e.step)
                hd_plain_token(&e, &r, at[n]);
            else
                hd_score_token(&model, &r, at[n]);
            r.emitted++;
            r.last_token = at[n];
        }
        assert_true(hd_score_ratio(&e, &r) == 5.0 / 8);
        assert_int_equal(hd_score_on_time(&e, &r), 3); /* 6 > 3 + 2 */
    }
}

static void largest_gap_since(void **state) {
    (void)state;
    for (int n = 0; n < 5000; n++) {
        struct hd_batch b = {0};
        hd_tick gap[40];
        int count = (int)between(0, 40);
        for (int g = 0; g < count; g++) {
            gap[g] = sized(60);
            hd_peak_push(&b, 10 * g, gap[g]);
        }
        int64_t after = between(-5, 410);
        hd_tick most = -1;
        for (int g = 0; g < count; g++)
            if (10 * g > after && gap[g] > most) most = gap[g];
        assert_int_equal(hd_peak_since(&b, after), most);
        free(b.peak);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(duration_and_inverse),
        cmocka_unit_test(blocks_and_pool_full),
        cmocka_unit_test(late_tokens_of_a_piece),
        cmocka_unit_test(scores_over_stays),
        cmocka_unit_test(the_example_of_metric_q),
        cmocka_unit_test(largest_gap_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
