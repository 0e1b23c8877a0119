/* Links alone: jobs that share one, two directions of the same lanes, loads that wait
 * for others; by hand, and against an obvious twin that takes tiny steps of time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "engine/parts.h"
#include "unit/scenario_policy.h"

enum { IN, OUT, BEHIND, LINKS, JOBS = 12 };

struct job { /* what is asked for, and when it was done */
    int link;
    hd_tick from, demand, done;
};

static const struct hd_run_config config;

/* Transfers never end: each has a part that no link carries, so that only links are
 * tried here. */
static void run(struct job *job, int jobs, double both) {
    struct hd_engine e = {.config = &config, .free_transfer = -1};
    e.link = calloc(LINKS, sizeof *e.link);
    for (e.links = 0; e.links < LINKS; e.links++) hd_link_init(&e.link[e.links], 1);
    hd_link_pair(&e, IN, OUT, both);
    hd_link_behind(&e, BEHIND, IN);
    hd_events_reserve(&e.events, LINKS);
    int begun = 0, of[JOBS];
    for (;;) { /* jobs are in order of `from` */
        const struct hd_heap_node *first = hd_events_first(&e.events);
        if (!first && begun == jobs) break;
        if (begun < jobs && (!first || job[begun].from <= first->key)) {
            e.now = job[begun].from;
            of[begun] = hd_transfer_new(&e, HD_MOVE_IN, 0, 0);
            e.transfer[of[begun]].parts = 1;
            hd_transfer_job(&e, of[begun], job[begun].link, job[begun].demand);
            begun++;
            continue;
        }
        int link = first->id;
        e.now = first->key;
        hd_events_take(&e.events);
        hd_link_event(&e, link);
        for (int j = 0; j < begun; j++)
            if (!job[j].done && e.transfer[of[j]].parts == 1) job[j].done = e.now;
    }
    for (int n = 0; n < LINKS; n++) free(e.link[n].job);
    free(e.link);
    free(e.transfer);
    hd_events_free(&e.events);
}

/* At each moment a link's jobs share its speed. */
static void twin(struct job *job, int jobs, double both, hd_tick step) {
    long double left[JOBS];
    int open = jobs;
    for (int j = 0; j < jobs; j++) left[j] = (long double)job[j].demand;
    for (hd_tick now = 0; open; now += step) {
        int count[LINKS] = {0};
        for (int j = 0; j < jobs; j++)
            count[job[j].link] += !job[j].done && job[j].from <= now;
        bool in = count[IN] || count[BEHIND], out = count[OUT] > 0;
        for (int j = 0; j < jobs; j++) {
            if (job[j].done || job[j].from > now) continue;
            long double speed = in && out ? (long double)both : 1;
            if (job[j].link == BEHIND && count[IN]) speed = 0;
            left[j] -= speed * (long double)step / count[job[j].link];
            if (left[j] > 0) continue;
            job[j].done = now + step;
            open--;
        }
    }
}

static void done_at(const struct job *job, int jobs, const hd_tick *expected) {
    for (int j = 0; j < jobs; j++) assert_int_equal(job[j].done, expected[j]);
}

/* 100 and 300 on one link from 0 on: each at a half until the first is done at 200,
 * then 200 are left of the other, alone: 400. */
static void two_jobs_share(void **state) {
    (void)state;
    struct job job[] = {{IN, 0, 100, 0}, {IN, 0, 300, 0}};
    run(job, 2, 1);
    done_at(job, 2, (hd_tick[]){200, 400});
}

/* In from 0, out from 100, each 400 and 3/4 of the rate while both are busy. At 100
 * there are 300 left of the first: 400 ticks, to 500. Of the other 400 - 300 = 100 are
 * left then: 600. */
static void directions_take_from_each_other(void **state) {
    (void)state;
    struct job job[] = {{IN, 0, 400, 0}, {OUT, 100, 400, 0}};
    run(job, 2, 0.75);
    done_at(job, 2, (hd_tick[]){500, 600});
    struct job apart[] = {{IN, 0, 400, 0}, {OUT, 100, 400, 0}};
    run(apart, 2, 1);
    done_at(apart, 2, (hd_tick[]){400, 500});
}

/* A load of 300 that nobody waits for; at 100 one of 50 that somebody does, at 120 one
 * of 50 more. The two share: 20 of the first are done by 120, 30 left, both at a half:
 * 180; the second has 20 left, 200. Then the rest of the load, 200 more: 400. */
static void what_waits_gets_the_rest(void **state) {
    (void)state;
    struct job job[] = {{BEHIND, 0, 300, 0}, {IN, 100, 50, 0}, {IN, 120, 50, 0}};
    run(job, 3, 1);
    done_at(job, 3, (hd_tick[]){400, 180, 200});
}

static void as_in_tiny_steps(void **state) {
    (void)state;
    uint64_t seed = 7;
    for (int round = 0; round < 300; round++) {
        struct job job[JOBS] = {{0}}, slow[JOBS];
        int jobs = 1 + (int)draw_below(&seed, JOBS);
        hd_tick at = 0, step = 1 << 10;
        double both = 0.3 + 0.1 * (double)draw_below(&seed, 8);
        for (int j = 0; j < jobs; j++) {
            at += (hd_tick)draw_below(&seed, 400) * step;
            job[j] = (struct job){(int)draw_below(&seed, LINKS), at,
                                  (1 + (hd_tick)draw_below(&seed, 900)) * step, 0};
            slow[j] = job[j];
        }
        run(job, jobs, both);
        twin(slow, jobs, both, step / 16);
        /* An end is late by at most a step, and makes those behind it late. */
        for (int j = 0; j < jobs; j++)
            assert_true(llabs((long long)(job[j].done - slow[j].done)) <
                        (jobs + 1) * step);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_jobs_share),
        cmocka_unit_test(directions_take_from_each_other),
        cmocka_unit_test(what_waits_gets_the_rest),
        cmocka_unit_test(as_in_tiny_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
