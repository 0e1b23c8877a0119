/* Max-min fair rates of jobs on paths of links. */
#include "engine/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/state.h"

/* Bytes, and bytes per tick, in units of 2^-50: 0.05 bytes a tick (50 GB/s) are known
 * to 2e-14 of themselves, and 1e12 bytes times a day fit. */
enum { UNIT_BITS = 50 };

struct flow {
    struct hd_path path;
    uint8_t flow_class;
    bool seen, filled;
    int32_t tag, next_free;
    int64_t order, rate;
    hd_wide left; /* at `since` */
    hd_tick since, end;
};

struct net_link {
    int64_t capacity, left;
    int64_t weight; /* of jobs whose rate still rises */
    bool seen;
    int32_t *crossing; /* jobs, as often as they cross it; in no order */
    int crossings, crossing_capacity;
};

struct hd_network {
    bool strict;
    int weight[HD_FLOW_CLASSES];
    struct net_link *link;
    int links, link_capacity;
    struct flow *flow;
    int flows, flow_capacity, free_flow;
    int64_t orders;
    int32_t *touched, *member; /* of the component in hand: links, jobs */
    int touches, touched_capacity, members, member_capacity;
};

struct hd_network *hd_network_new(bool strict, const int weight[HD_FLOW_CLASSES]) {
    struct hd_network *n = hd_alloc(sizeof *n);
    n->strict = strict;
    memcpy(n->weight, weight, sizeof n->weight);
    n->free_flow = -1;
    return n;
}

void hd_network_free(struct hd_network *n) {
    if (!n) return;
    for (int l = 0; l < n->links; l++) free(n->link[l].crossing);
    free(n->link);
    free(n->flow);
    free(n->touched);
    free(n->member);
    free(n);
}

int hd_network_link(struct hd_network *n, double bytes_per_s) {
    n->link = hd_grow(n->link, &n->link_capacity, n->links + 1, sizeof *n->link);
    n->link[n->links] = (struct net_link){
        .capacity = (int64_t)ldexp(bytes_per_s / (double)HD_TICKS_PER_S, UNIT_BITS)};
    return n->links++;
}

/* ---- the jobs that share links, directly or by way of others --------------- */

static void see_link(struct hd_network *n, int link) {
    if (n->link[link].seen) return;
    n->link[link].seen = true;
    n->touched =
        hd_grow(n->touched, &n->touched_capacity, n->touches + 1, sizeof *n->touched);
    n->touched[n->touches++] = link;
}

/* By number, so that ties do not depend on how the links were found. */
static int by_number(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void find_component(struct hd_network *n, const struct hd_path *from) {
    n->touches = n->members = 0;
    for (int l = 0; l < from->links; l++) see_link(n, from->link[l]);
    for (int at = 0; at < n->touches; at++) {
        const struct net_link *link = &n->link[n->touched[at]];
        for (int c = 0; c < link->crossings; c++) {
            struct flow *f = &n->flow[link->crossing[c]];
            if (f->seen) continue;
            f->seen = true;
            n->member = hd_grow(n->member, &n->member_capacity, n->members + 1,
                                sizeof *n->member);
            n->member[n->members++] = link->crossing[c];
            for (int l = 0; l < f->path.links; l++) see_link(n, f->path.link[l]);
        }
    }
    for (int t = 0; t < n->touches; t++) n->link[n->touched[t]].seen = false;
    for (int m = 0; m < n->members; m++) n->flow[n->member[m]].seen = false;
    qsort(n->touched, (size_t)n->touches, sizeof *n->touched, by_number);
}

/* ---- rates ----------------------------------------------------------------- */

static void bring_forward(struct flow *f, hd_tick now) {
    f->left -= (hd_wide)f->rate * (now - f->since);
    if (f->left < 0) f->left = 0; /* an end is rounded up to a tick */
    f->since = now;
}

static void keep_rate(struct hd_network *n, struct flow *f, int64_t rate) {
    int weight = n->strict ? 1 : n->weight[f->flow_class];
    f->filled = true;
    f->rate = rate;
    for (int l = 0; l < f->path.links; l++) {
        n->link[f->path.link[l]].left -= rate;
        n->link[f->path.link[l]].weight -= weight;
    }
}

/* Raises the rates of a class, -1: of all, until none can rise. A full link is met
 * where what is left of it, divided by the weight on it, is least. */
static void fill(struct hd_network *n, int only) {
    for (int m = 0; m < n->members; m++) {
        struct flow *f = &n->flow[n->member[m]];
        if (only >= 0 && f->flow_class != only) continue;
        f->filled = false;
        for (int l = 0; l < f->path.links; l++)
            n->link[f->path.link[l]].weight += n->strict ? 1 : n->weight[f->flow_class];
    }
    for (;;) {
        int full = -1;
        int64_t least = 0;
        for (int t = 0; t < n->touches; t++) {
            const struct net_link *link = &n->link[n->touched[t]];
            if (!link->weight) continue;
            int64_t share = link->left / link->weight;
            if (full >= 0 && share >= least) continue;
            full = n->touched[t];
            least = share;
        }
        if (full < 0) return;
        for (int c = 0; c < n->link[full].crossings; c++) {
            struct flow *f = &n->flow[n->link[full].crossing[c]];
            if (!f->filled)
                keep_rate(n, f, n->strict ? least : least * n->weight[f->flow_class]);
        }
    }
}

static void set_end(struct flow *f) {
    f->end = HD_TICK_NEVER;
    if (f->left == 0) f->end = f->since;
    if (f->left == 0 || f->rate == 0) return;
    hd_wide ticks = (f->left + f->rate - 1) / f->rate + f->since;
    if (ticks < HD_TICK_NEVER) f->end = (hd_tick)ticks;
}

static void share_again(struct hd_network *n, hd_tick now,
                        const struct hd_path *changed) {
    find_component(n, changed);
    for (int t = 0; t < n->touches; t++) {
        n->link[n->touched[t]].left = n->link[n->touched[t]].capacity;
        n->link[n->touched[t]].weight = 0;
    }
    for (int m = 0; m < n->members; m++) {
        bring_forward(&n->flow[n->member[m]], now);
        n->flow[n->member[m]].filled = true;
    }
    for (int c = 0; n->strict && c < HD_FLOW_CLASSES; c++) fill(n, c);
    if (!n->strict) fill(n, -1);
    for (int m = 0; m < n->members; m++) set_end(&n->flow[n->member[m]]);
    for (int t = 0; t < n->touches; t++) {
        const struct net_link *link = &n->link[n->touched[t]];
        hd_wide sum = 0;
        for (int c = 0; c < link->crossings; c++)
            sum += n->flow[link->crossing[c]].rate;
        HD_CHECK(sum <= link->capacity && link->left == link->capacity - (int64_t)sum);
        (void)sum;
    }
}

/* ---- jobs ------------------------------------------------------------------ */

void hd_network_start(struct hd_network *n, hd_tick now, const struct hd_path *path,
                      int flow_class, double bytes, int32_t tag) {
    int slot = n->free_flow;
    if (slot >= 0) {
        n->free_flow = n->flow[slot].next_free;
    } else {
        n->flow = hd_grow(n->flow, &n->flow_capacity, n->flows + 1, sizeof *n->flow);
        slot = n->flows++;
    }
    if (bytes < 1) bytes = 1;
    n->flow[slot] = (struct flow){.path = *path,
                                  .flow_class = (uint8_t)flow_class,
                                  .tag = tag,
                                  .order = n->orders++,
                                  .left = (hd_wide)ceil(bytes) << UNIT_BITS,
                                  .since = now};
    for (int l = 0; l < path->links; l++) {
        struct net_link *link = &n->link[path->link[l]];
        link->crossing = hd_grow(link->crossing, &link->crossing_capacity,
                                 link->crossings + 1, sizeof *link->crossing);
        link->crossing[link->crossings++] = slot;
    }
    share_again(n, now, path);
}

static void take_out(struct hd_network *n, hd_tick now, int slot) {
    struct hd_path path = n->flow[slot].path;
    for (int l = 0; l < path.links; l++) {
        struct net_link *link = &n->link[path.link[l]];
        int at = 0;
        while (link->crossing[at] != slot) at++;
        link->crossing[at] = link->crossing[--link->crossings];
    }
    n->flow[slot].next_free = n->free_flow;
    n->free_flow = slot;
    share_again(n, now, &path);
}

/* The first in order of the jobs that cross the link and have the tag; -1: none. */
static int find_tag(const struct hd_network *n, int link, int32_t tag) {
    int found = -1;
    for (int c = 0; c < n->link[link].crossings; c++) {
        int slot = n->link[link].crossing[c];
        if (n->flow[slot].tag != tag) continue;
        if (found < 0 || n->flow[slot].order < n->flow[found].order) found = slot;
    }
    return found;
}

bool hd_network_stop(struct hd_network *n, hd_tick now, int link, int32_t tag) {
    int slot = find_tag(n, link, tag);
    n->touches = 0;
    if (slot >= 0) take_out(n, now, slot);
    return slot >= 0;
}

void hd_network_reclass(struct hd_network *n, hd_tick now, int link, int32_t tag,
                        int flow_class) {
    int last = -1;
    n->touches = 0;
    for (int c = 0; c < n->link[link].crossings; c++) {
        int slot = n->link[link].crossing[c];
        struct flow *f = &n->flow[slot];
        if (f->tag != tag || f->flow_class == flow_class) continue;
        f->flow_class = (uint8_t)flow_class;
        last = slot;
    }
    if (last >= 0) {
        struct hd_path path = n->flow[last].path;
        share_again(n, now, &path);
    }
}

int32_t hd_network_take(struct hd_network *n, hd_tick now, int link) {
    int found = -1;
    n->touches = 0;
    for (int c = 0; c < n->link[link].crossings; c++) {
        int slot = n->link[link].crossing[c];
        const struct flow *f = &n->flow[slot];
        if (f->path.link[0] != link || f->end > now) continue;
        if (found < 0 || f->order < n->flow[found].order) found = slot;
    }
    if (found < 0) return -1;
    struct flow *f = &n->flow[found];
    bring_forward(f, now);
    HD_CHECK(f->left == 0); /* no byte is lost, none is sent twice */
    int32_t tag = f->tag;
    take_out(n, now, found);
    return tag;
}

hd_tick hd_network_next(const struct hd_network *n, int link) {
    hd_tick first = HD_TICK_NEVER;
    for (int c = 0; c < n->link[link].crossings; c++) {
        const struct flow *f = &n->flow[n->link[link].crossing[c]];
        if (f->path.link[0] == link && f->end < first) first = f->end;
    }
    return first;
}

int hd_network_touched(const struct hd_network *n, const int32_t **links) {
    *links = n->touched;
    return n->touches;
}

double hd_network_rate(const struct hd_network *n, int link) {
    hd_wide sum = 0;
    for (int c = 0; c < n->link[link].crossings; c++)
        sum += n->flow[n->link[link].crossing[c]].rate;
    return ldexp((double)sum, -UNIT_BITS) * (double)HD_TICKS_PER_S;
}
