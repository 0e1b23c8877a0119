/* Max-min fair rates on paths of links: miniatures worked by hand, and random jobs
 * beside a plain twin that raises all rates step by step, at every event, in long
 * double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/network.h"

enum { LINKS_MAX = 12, JOBS_MAX = 40 };

static const int equal[] = {1, 1, 1};

struct house { /* a network whose jobs end at their times */
    struct hd_network *net;
    int links;
    hd_tick now, ended[JOBS_MAX];
};

static struct house open_house(bool strict, const int *weight, int links,
                               const double *rate) {
    struct house h = {.net = hd_network_new(strict, weight), .links = links};
    for (int l = 0; l < links; l++)
        assert_int_equal(hd_network_link(h.net, rate[l]), l);
    return h;
}

/* Ends what ends by `until`; the order of equal ends is that of links. */
static void run_until(struct house *h, hd_tick until) {
    for (;;) {
        int first = -1;
        for (int l = 0; l < h->links; l++)
            if (hd_network_next(h->net, l) <= until &&
                (first < 0 ||
                 hd_network_next(h->net, l) < hd_network_next(h->net, first)))
                first = l;
        if (first < 0) break;
        h->now = hd_network_next(h->net, first);
        if (h->now == HD_TICK_NEVER) break;
        int32_t tag = hd_network_take(h->net, h->now, first);
        assert_true(tag >= 0);
        h->ended[tag] = h->now;
    }
    if (until < HD_TICK_NEVER) h->now = until;
}

static void start(struct house *h, double at_s, int tag, int flow_class, double gb,
                  int links, int a, int b, int c) {
    run_until(h, hd_tick_from_s(at_s));
    struct hd_path path = {{a, b, c}, links};
    hd_network_start(h->net, h->now, &path, flow_class, gb * 1e9, tag);
}

static void expect_ends(struct house *h, int jobs, const double *seconds) {
    run_until(h, HD_TICK_NEVER);
    for (int j = 0; j < jobs; j++) {
        double got = hd_s_from_tick(h->ended[j]);
        if (fabs(got - seconds[j]) > 1e-9)
            fail_msg("job %d ended at %.12f s, expected %.12f", j, got, seconds[j]);
    }
    hd_network_free(h->net);
}

/* Two GPUs of 10 GB/s each behind a switch of 12, and a third job held to 2 GB/s by its
 * disk: it takes 2, the others (12 - 2) / 2 = 5 each, though a third of 12 is 4. 10 GB
 * at 5 GB/s end at 2 s; the third, 8 GB at 2 GB/s, at 4 s. */
static void one_limited_elsewhere_leaves_more_to_the_others(void **state) {
    (void)state;
    enum { SWITCH, ONE, TWO, DISK };
    struct house h =
        open_house(false, equal, 4, (const double[]){12e9, 10e9, 10e9, 2e9});
    start(&h, 0, 0, 0, 10, 2, ONE, SWITCH, 0);
    start(&h, 0, 1, 0, 10, 2, TWO, SWITCH, 0);
    start(&h, 0, 2, 0, 8, 2, DISK, SWITCH, 0);
    assert_true(fabs(hd_network_rate(h.net, ONE) - 5e9) < 1);
    assert_true(fabs(hd_network_rate(h.net, DISK) - 2e9) < 1);
    expect_ends(&h, 3, (const double[]){2, 2, 4});
}

/* A prefetch of 10 GB alone on 10 GB/s; at 0.5 s a load of 5 GB overtakes it and ends
 * at 1 s; the prefetch, 5 GB left, ends at 1.5 s. By weights 4 : 1 the load has 8 GB/s
 * and ends at 1.125 s; the prefetch then has 5 - 1.25 GB left: 1.5 s. */
static void a_load_that_is_waited_for_overtakes_a_prefetch(void **state) {
    (void)state;
    for (int strict = 0; strict < 2; strict++) {
        struct house h =
            open_house(strict, (const int[]){4, 2, 1}, 1, (const double[]){10e9});
        start(&h, 0, 0, 2, 10, 1, 0, 0, 0);
        start(&h, 0.5, 1, 0, 5, 1, 0, 0, 0);
        expect_ends(&h, 2,
                    strict ? (const double[]){1.5, 1} : (const double[]){1.5, 1.125});
    }
}

/* A prefetch that comes too late: 10 GB on 10 GB/s beside KV of 20 GB, class by class.
 * At 1 s it stands at 0 GB, and somebody waits for it: now it goes first and ends at
 * 2 s; the KV, 10 GB left, at 3 s. Left a prefetch, it would have ended at 3 s. */
static void a_prefetch_that_is_waited_for_changes_class(void **state) {
    (void)state;
    struct house h = open_house(true, equal, 1, (const double[]){10e9});
    start(&h, 0, 0, 2, 10, 1, 0, 0, 0);
    start(&h, 0, 1, 1, 20, 1, 0, 0, 0);
    run_until(&h, hd_tick_from_s(1));
    hd_network_reclass(h.net, h.now, 0, 0, 0);
    expect_ends(&h, 2, (const double[]){2, 3});
}

/* 10 GB/s each way and 15 both ways together: 7.5 each. In ends its 7.5 GB at 1 s; out
 * has 7.5 of its 15 GB left and ends alone at 1.75 s. */
static void both_directions_slow_each_other(void **state) {
    (void)state;
    enum { IN, OUT, BOTH };
    struct house h = open_house(false, equal, 3, (const double[]){10e9, 10e9, 15e9});
    start(&h, 0, 0, 0, 7.5, 2, IN, BOTH, 0);
    start(&h, 0, 1, 1, 15, 2, OUT, BOTH, 0);
    expect_ends(&h, 2, (const double[]){1, 1.75});
}

/* A store of 4 GB/s for two nodes; from 1 s on both load: 4 GB at 4 GB/s, then 2 GB/s
 * each. The first, 8 GB, has 4 left at 1 s and ends at 3 s; the second has 4 of its 8
 * GB then and ends at 4 s. What goes through memory twice takes twice of it. */
static void nodes_share_the_remote_store(void **state) {
    (void)state;
    enum { STORE, NIC1, NIC2, MEMORY };
    struct house h = open_house(false, equal, 3, (const double[]){4e9, 5e9, 5e9});
    start(&h, 0, 0, 0, 8, 2, NIC1, STORE, 0);
    start(&h, 1, 1, 0, 8, 2, NIC2, STORE, 0);
    expect_ends(&h, 2, (const double[]){3, 4});
    h = open_house(false, equal, 4, (const double[]){4e9, 5e9, 5e9, 6e9});
    start(&h, 0, 0, 0, 6, 3, NIC1, MEMORY, MEMORY);
    expect_ends(&h, 1, (const double[]){2});
}

/* Two jobs of 10 GB on 10 GB/s; one is stopped at 1 s: the other has 5 GB left. */
static void what_is_stopped_makes_room(void **state) {
    (void)state;
    struct house h = open_house(false, equal, 1, (const double[]){10e9});
    start(&h, 0, 0, 0, 10, 1, 0, 0, 0);
    start(&h, 0, 1, 0, 10, 1, 0, 0, 0);
    run_until(&h, hd_tick_from_s(1));
    assert_true(hd_network_stop(h.net, h.now, 0, 0));
    assert_false(hd_network_stop(h.net, h.now, 0, 0));
    h.ended[0] = 0;
    expect_ends(&h, 2, (const double[]){0, 1.5});
}

/* ---- the plain twin -------------------------------------------------------- */

struct plain_job {
    struct hd_path path;
    int flow_class;
    bool there, rises;
    long double left, rate;
};

static int crosses(const struct plain_job *j, int link) {
    int times = 0;
    for (int l = 0; l < j->path.links; l++) times += j->path.link[l] == link;
    return times;
}

/* Raises the rates of the jobs that rise until a link is full, again and again. */
static void fill(struct plain_job *job, int jobs, int links, const double *rate,
                 const int *weight) {
    for (;;) {
        long double step = INFINITY, used[LINKS_MAX] = {0}, rising[LINKS_MAX] = {0};
        for (int l = 0; l < links; l++) {
            for (int j = 0; j < jobs; j++) {
                if (!job[j].there) continue;
                used[l] += crosses(&job[j], l) * job[j].rate;
                if (job[j].rises)
                    rising[l] += crosses(&job[j], l) * weight[job[j].flow_class];
            }
            long double can = fmaxl(0, rate[l] - used[l]) / rising[l];
            if (rising[l] > 0 && can < step) step = can;
        }
        if (step == INFINITY) return;
        for (int j = 0; j < jobs; j++)
            if (job[j].there && job[j].rises)
                job[j].rate += step * weight[job[j].flow_class];
        for (int l = 0; l < links; l++) {
            used[l] += step * rising[l];
            if (rising[l] == 0 || used[l] < rate[l] * (1 - 1e-15L)) continue;
            for (int j = 0; j < jobs; j++)
                if (job[j].there && crosses(&job[j], l)) job[j].rises = false;
        }
    }
}

static void plain_rates(struct plain_job *job, int jobs, int links, const double *rate,
                        bool strict, const int *weight) {
    for (int j = 0; j < jobs; j++) job[j].rate = 0;
    for (int c = 0; c < HD_FLOW_CLASSES; c++) {
        for (int j = 0; j < jobs; j++)
            job[j].rises = strict ? job[j].flow_class == c : c == 0;
        fill(job, jobs, links, rate, weight);
    }
}

static unsigned below(uint64_t *random, unsigned n) {
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (unsigned)(*random >> 33) % n;
}

/* Jobs start every second or so; each end by the twin's clock is the network's. */
static void random_jobs(uint64_t seed) {
    uint64_t random = seed;
    for (int n = 0; n < 8; n++) below(&random, 2);
    bool strict = below(&random, 3) == 0;
    int weight[HD_FLOW_CLASSES] = {1, 1, 1};
    for (int c = 0; !strict && c < HD_FLOW_CLASSES; c++)
        weight[c] = 1 + (int)below(&random, 4);
    int links = 1 + (int)below(&random, LINKS_MAX), jobs = 1 + (int)below(&random, 25);
    double rate[LINKS_MAX];
    for (int l = 0; l < links; l++) rate[l] = 1e9 * (1 + below(&random, 50));
    struct house h = open_house(strict, weight, links, rate);
    struct plain_job job[JOBS_MAX] = {0};
    long double now = 0, ended[JOBS_MAX] = {0};
    for (int j = 0, left = 0; j < jobs || left;) {
        bool more = j < jobs;
        long double start_at = more && j ? now + 0.1L * below(&random, 10) : now;
        if (more) start_at = ceill(start_at * 1e3L) / 1e3L; /* a whole tick */
        for (;;) {                                          /* ends before it */
            plain_rates(job, j, links, rate, strict, weight);
            int first = -1;
            long double least = INFINITY;
            for (int n = 0; n < j; n++)
                if (job[n].there && job[n].rate > 0 &&
                    job[n].left / job[n].rate < least)
                    least = job[n].left / job[n].rate, first = n;
            bool ends = first >= 0 && (!more || now + least <= start_at);
            long double step = ends ? least : start_at - now;
            for (int n = 0; n < j; n++)
                if (job[n].there) job[n].left -= step * job[n].rate;
            now += step;
            if (!ends) break;
            ended[first] = now;
            job[first].there = false;
            left--;
            if (!more && !left) break;
        }
        if (!more) break;
        struct plain_job *to = &job[j];
        to->path.links = 1 + (int)below(&random, 4);
        for (int l = 0; l < to->path.links; l++)
            to->path.link[l] = (int32_t)below(&random, (unsigned)links);
        to->flow_class = (int)below(&random, 3);
        /* no end falls on a start, where a tick would decide who is first */
        double bytes = 1e8 * (1 + below(&random, 100)) + 7654321;
        to->left = bytes;
        to->there = true;
        left++;
        hd_tick at = (hd_tick)roundl(start_at * 1e3L) * (HD_TICKS_PER_S / 1000);
        run_until(&h, at);
        hd_network_start(h.net, at, &to->path, to->flow_class, bytes, j++);
    }
    run_until(&h, HD_TICK_NEVER);
    for (int j = 0; j < jobs; j++) {
        long double got = (long double)h.ended[j] / HD_TICKS_PER_S;
        if (fabsl(got - ended[j]) > 1e-9L * (1 + ended[j]))
            fail_msg("seed %llu, job %d of %d ended at %.12Lf s, by the twin %.12Lf",
                     (unsigned long long)seed, j, jobs, got, ended[j]);
    }
    hd_network_free(h.net);
}

static void rates_are_those_of_plain_filling(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 2000; seed++) random_jobs(seed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_limited_elsewhere_leaves_more_to_the_others),
        cmocka_unit_test(a_load_that_is_waited_for_overtakes_a_prefetch),
        cmocka_unit_test(a_prefetch_that_is_waited_for_changes_class),
        cmocka_unit_test(both_directions_slow_each_other),
        cmocka_unit_test(nodes_share_the_remote_store),
        cmocka_unit_test(what_is_stopped_makes_room),
        cmocka_unit_test(rates_are_those_of_plain_filling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
