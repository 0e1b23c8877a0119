/* Links shared by transfers: each of n jobs on a link progresses at 1/n of its
 * bandwidth. Virtual time advances at 1/n, so a start or an end of a job costs
 * O(log n) and nothing else is touched; all of it in integers. */
#include <math.h>
#include <stdlib.h>

#include "engine/parts.h"

enum { FRACTION_BITS = 20 }; /* of a tick, in virtual time */

static void advance(struct hd_link *l, hd_tick now) {
    int sharing = l->delay ? 1 : l->jobs;
    if (sharing)
        l->virtual_now += ((hd_wide)(now - l->last) << FRACTION_BITS) / sharing;
    l->last = now;
}

/* When the first job will be done. Rounded up, so that it is done then. */
static void schedule(struct hd_engine *e, int link) {
    struct hd_link *l = &e->link[link];
    if (l->jobs == 0) {
        hd_events_remove(&e->events, link);
        return;
    }
    hd_wide left = l->job[0].target - l->virtual_now;
    if (left < 0) left = 0;
    hd_wide ticks = left * (l->delay ? 1 : l->jobs);
    ticks = (ticks + ((hd_wide)1 << FRACTION_BITS) - 1) >> FRACTION_BITS;
    ticks += l->last;
    hd_events_set(&e->events, link,
                ticks < HD_TICK_NEVER ? (hd_tick)ticks : HD_TICK_NEVER);
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
    t->from_disk = t->staging = false;
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
    struct hd_link *l = &e->link[link];
    advance(l, e->now);
    l->job = hd_grow(l->job, &l->capacity, l->jobs + 1, sizeof *l->job);
    struct hd_job job = {l->virtual_now +
                             ((hd_wide)(demand < 1 ? 1 : demand) << FRACTION_BITS),
                         transfer, l->orders++};
    sift_up(l, l->jobs++, job);
    e->transfer[transfer].parts++;
    schedule(e, link);
}

static void take_off(struct hd_engine *e, int link, int transfer) {
    struct hd_link *l = &e->link[link];
    for (int j = 0; j < l->jobs; j++) {
        if (l->job[j].transfer != transfer) continue;
        advance(l, e->now);
        take_job(l, j);
        schedule(e, link);
        e->transfer[transfer].parts--;
        j = -1; /* the heap has moved */
    }
}

void hd_load_cancel(struct hd_engine *e, const struct hd_instance *i, int transfer) {
    for (int g = 0; g < i->tp; g++) take_off(e, e->gpu_link_in[i->gpu[g]], transfer);
    take_off(e, e->node[i->node].disk, transfer);
    take_off(e, e->node[i->node].delay, transfer);
    HD_CHECK(e->transfer[transfer].parts == 0);
    if (e->config->observer) hd_observe_transfer(e, transfer, true);
    hd_transfer_free(e, transfer);
}

void hd_link_event(struct hd_engine *e, int link) {
    struct hd_link *l = &e->link[link];
    advance(l, e->now);
    while (l->jobs && l->job[0].target <= l->virtual_now) {
        int transfer = l->job[0].transfer;
        take_job(l, 0);
        if (--e->transfer[transfer].parts == 0) hd_transfer_done(e, transfer);
        l = &e->link[link];
    }
    schedule(e, link);
}
