/* Links shared by transfers: each of n jobs on a link progresses at 1/n of its
 * bandwidth. Virtual time advances at 1/n, so a start or an end of a job costs
 * O(log n) and nothing else is touched but the other links of the same lanes: the
 * opposite direction, which may cost some of the rate, and what waits behind. All of it
 * in integers. */
#include <math.h>
#include <stdlib.h>

#include "engine/parts.h"

enum { FRACTION_BITS = 20 }; /* of a tick, in virtual time */
#define WHOLE ((int64_t)1 << FRACTION_BITS)

void hd_link_init(struct hd_link *l, double bytes_per_s) {
    *l = (struct hd_link){.bytes_per_s = bytes_per_s,
                          .opposite = -1,
                          .ahead = -1,
                          .behind = -1,
                          .both = WHOLE};
}

void hd_link_pair(struct hd_engine *e, int in, int out, double both) {
    int64_t part = both > 0 && both < 1 ? (int64_t)(both * (double)WHOLE) : WHOLE;
    int pair[2] = {in, out};
    for (int n = 0; n < 2; n++) {
        e->link[pair[n]].opposite = pair[1 - n];
        e->link[pair[n]].both = part > 1 ? part : 1;
    }
}

void hd_link_behind(struct hd_engine *e, int behind, int link) {
    struct hd_link *l = &e->link[behind], *first = &e->link[link];
    l->ahead = link;
    l->opposite = first->opposite;
    l->both = first->both;
    first->behind = behind;
}

static bool busy(const struct hd_engine *e, int link) {
    const struct hd_link *l = &e->link[link];
    return l->jobs > 0 || (l->behind >= 0 && e->link[l->behind].jobs > 0);
}

/* Of 2^20, all jobs together. */
static int64_t speed(const struct hd_engine *e, const struct hd_link *l) {
    if (l->ahead >= 0 && e->link[l->ahead].jobs) return 0;
    return l->opposite >= 0 && busy(e, l->opposite) ? l->both : WHOLE;
}

static void advance(const struct hd_engine *e, struct hd_link *l, hd_tick now) {
    int sharing = l->delay ? 1 : l->jobs;
    if (sharing) l->virtual_now += (hd_wide)(now - l->last) * speed(e, l) / sharing;
    l->last = now;
}

/* When the first job will be done. Rounded up, so that it is done then. */
static void schedule(struct hd_engine *e, int link) {
    struct hd_link *l = &e->link[link];
    int64_t rate = l->jobs ? speed(e, l) : 0;
    if (rate == 0) {
        hd_events_remove(&e->events, link);
        return;
    }
    hd_wide left = l->job[0].target - l->virtual_now;
    if (left < 0) left = 0;
    hd_wide ticks = left * (l->delay ? 1 : l->jobs);
    ticks = (ticks + rate - 1) / rate + l->last;
    hd_events_set(&e->events, link,
                  ticks < HD_TICK_NEVER ? (hd_tick)ticks : HD_TICK_NEVER);
}

/* All links of the same lanes, itself first: what happens on one may change the speed
 * of the others. Returns how many. */
static int kin(const struct hd_engine *e, int link, int of[4]) {
    int count = 0;
    of[count++] = link;
    const struct hd_link *l = &e->link[link];
    if (l->ahead >= 0) of[count++] = l->ahead;
    if (l->behind >= 0) of[count++] = l->behind;
    if (l->opposite >= 0) {
        of[count++] = l->opposite;
        if (e->link[l->opposite].behind >= 0 && count < 4)
            of[count++] = e->link[l->opposite].behind;
    }
    return count;
}

static void advance_kin(struct hd_engine *e, int link) {
    int of[4], count = kin(e, link, of);
    for (int n = 0; n < count; n++) advance(e, &e->link[of[n]], e->now);
}

static void schedule_kin(struct hd_engine *e, int link) {
    int of[4], count = kin(e, link, of);
    for (int n = 0; n < count; n++) schedule(e, of[n]);
}

static bool before(const struct hd_job *a, const struct hd_job *b) {
    return a->target < b->target || (a->target == b->target && a->order < b->order);
}

static void sift_up(struct hd_link *l, int at, struct hd_job job) {
    while (at > 0 && before(&job, &l->job[(at - 1) / 2])) {
        l->job[at] = l->job[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    l->job[at] = job;
}

static void sift_down(struct hd_link *l, int at, struct hd_job job) {
    for (;;) {
        int child = 2 * at + 1;
        if (child >= l->jobs) break;
        if (child + 1 < l->jobs && before(&l->job[child + 1], &l->job[child])) child++;
        if (!before(&l->job[child], &job)) break;
        l->job[at] = l->job[child];
        at = child;
    }
    l->job[at] = job;
}

static void take_job(struct hd_link *l, int at) {
    struct hd_job last = l->job[--l->jobs];
    if (at == l->jobs) return;
    if (at > 0 && before(&last, &l->job[(at - 1) / 2]))
        sift_up(l, at, last);
    else
        sift_down(l, at, last);
}

/* Ticks that `bytes` need on the link alone; at least 1, so that time moves on, and
 * for ever (4e18) on a link that is not there. */
hd_tick hd_link_demand(const struct hd_link *l, double bytes) {
    double ticks = ceil(bytes / l->bytes_per_s * (double)HD_TICKS_PER_S);
    if (!(ticks < 4e18)) return (hd_tick)4e18;
    return ticks < 1 ? 1 : (hd_tick)ticks;
}

int hd_transfer_new(struct hd_engine *e, enum hd_transfer_kind kind, int instance,
                    int model) {
    int slot = e->free_transfer;
    if (slot >= 0) {
        e->free_transfer = e->transfer[slot].next_free;
    } else {
        e->transfer = hd_grow(e->transfer, &e->transfer_capacity, e->transfers + 1,
                              sizeof *e->transfer);
        slot = e->transfers++;
        e->transfer[slot].request = NULL;
        e->transfer[slot].capacity = 0;
    }
    struct hd_transfer *t = &e->transfer[slot];
    t->kind = (uint8_t)kind;
    t->from_disk = t->staging = t->demanded = false;
    t->instance = instance;
    t->model = model;
    t->parts = t->requests = t->arrived = 0;
    t->since = e->now;
    t->bytes = 0;
    return slot;
}

void hd_transfer_free(struct hd_engine *e, int transfer) {
    e->transfer[transfer].next_free = e->free_transfer;
    e->free_transfer = transfer;
}

void hd_transfer_job(struct hd_engine *e, int transfer, int link, hd_tick demand) {
    advance_kin(e, link);
    struct hd_link *l = &e->link[link];
    l->job = hd_grow(l->job, &l->capacity, l->jobs + 1, sizeof *l->job);
    struct hd_job job = {l->virtual_now +
                             ((hd_wide)(demand < 1 ? 1 : demand) << FRACTION_BITS),
                         transfer, l->orders++};
    sift_up(l, l->jobs++, job);
    e->transfer[transfer].parts++;
    schedule_kin(e, link);
}

/* What is left of the transfer's job on the link, in ticks of the link alone; -1: it
 * has none there. */
static hd_tick take_off(struct hd_engine *e, int link, int transfer) {
    struct hd_link *l = &e->link[link];
    hd_tick left = -1;
    for (int j = 0; j < l->jobs; j++) {
        if (l->job[j].transfer != transfer) continue;
        advance_kin(e, link);
        left = (hd_tick)((l->job[j].target - l->virtual_now + WHOLE - 1) / WHOLE);
        take_job(l, j);
        schedule_kin(e, link);
        e->transfer[transfer].parts--;
        j = -1; /* the heap has moved */
    }
    return left;
}

void hd_load_cancel(struct hd_engine *e, const struct hd_instance *i, int transfer) {
    if (e->network) hd_path_cancel(e, i, transfer);
    for (int g = 0; g < i->tp; g++) {
        int link = e->gpu_link_in[i->gpu[g]];
        take_off(e, link, transfer);
        if (e->link[link].behind >= 0) take_off(e, e->link[link].behind, transfer);
    }
    take_off(e, e->node[i->node].disk, transfer);
    take_off(e, e->node[i->node].delay, transfer);
    HD_CHECK(e->transfer[transfer].parts == 0);
    if (e->config->observer) hd_observe_transfer(e, transfer, true);
    hd_transfer_free(e, transfer);
}

void hd_load_hasten(struct hd_engine *e, const struct hd_instance *i, int transfer) {
    if (e->network) hd_path_hasten(e, i, transfer);
    for (int g = 0; g < i->tp; g++) {
        int link = e->gpu_link_in[i->gpu[g]], behind = e->link[link].behind;
        hd_tick left = behind >= 0 ? take_off(e, behind, transfer) : -1;
        if (left >= 0) hd_transfer_job(e, transfer, link, left);
    }
}

void hd_link_event(struct hd_engine *e, int link) {
    if (e->network && !e->link[link].delay) {
        hd_path_event(e, link);
        return;
    }
    advance_kin(e, link);
    struct hd_link *l = &e->link[link];
    while (l->jobs && l->job[0].target <= l->virtual_now) {
        int transfer = l->job[0].transfer;
        take_job(l, 0);
        if (--e->transfer[transfer].parts == 0) hd_transfer_done(e, transfer);
        l = &e->link[link];
    }
    schedule_kin(e, link);
}
