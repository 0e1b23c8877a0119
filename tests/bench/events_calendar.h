/* In place of engine/events.h: a calendar queue (Brown, CACM 1988). Days of a power of
 * two of ticks in a ring; a day is a doubly linked list by id, so that an entry is
 * moved and removed in O(1). The width of a day follows the gaps between events taken.
 */
#ifndef HD_ENGINE_EVENTS_H
#define HD_ENGINE_EVENTS_H

#include <stdlib.h>

#include "base/index_heap.h"

struct hd_events {
    struct hd_heap_node *node; /* by id */
    int32_t *next, *before;    /* before: -1 - day for the first of a day */
    char *there;
    int32_t *day;
    int ids, days, shift, count, first; /* first: the least id, -1: to be looked for */
    int64_t last, taken;                /* last: time of the one taken last */
    double gap;
};

static inline int hd_events_day(const struct hd_events *e, int64_t at) {
    return (int)(at >> e->shift & (e->days - 1));
}

static inline void hd_events_link(struct hd_events *e, int id) {
    int day = hd_events_day(e, e->node[id].key), first = e->day[day];
    e->next[id] = first;
    if (first >= 0) e->before[first] = id;
    e->before[id] = -1 - day;
    e->day[day] = id;
}

static inline void hd_events_unlink(struct hd_events *e, int id) {
    int next = e->next[id], before = e->before[id];
    if (next >= 0) e->before[next] = before;
    if (before >= 0)
        e->next[before] = next;
    else
        e->day[-1 - before] = next;
}

static inline void hd_events_rebuild(struct hd_events *e, int days, int shift) {
    e->day = hd_realloc(e->day, sizeof *e->day * (size_t)days);
    e->days = days;
    e->shift = shift;
    for (int d = 0; d < days; d++) e->day[d] = -1;
    for (int id = 0; id < e->ids; id++)
        if (e->there[id]) hd_events_link(e, id);
}

static inline void hd_events_reserve(struct hd_events *e, int ids) {
    if (ids <= e->ids) return;
    int before = e->ids;
    while (e->ids < ids) e->ids = e->ids ? 2 * e->ids : 64;
    size_t n = (size_t)e->ids;
    e->node = hd_realloc(e->node, sizeof *e->node * n);
    e->next = hd_realloc(e->next, sizeof *e->next * n);
    e->before = hd_realloc(e->before, sizeof *e->before * n);
    e->there = hd_realloc(e->there, n);
    for (int id = before; id < e->ids; id++) {
        e->there[id] = 0;
        e->node[id] = (struct hd_heap_node){0, id};
    }
    if (!before) e->first = -1;
    hd_events_rebuild(e, before ? e->days : 16, before ? e->shift : 40);
}

static inline void hd_events_free(struct hd_events *e) {
    free(e->node);
    free(e->next);
    free(e->before);
    free(e->there);
    free(e->day);
}

static inline void hd_events_look(struct hd_events *e, int day, int64_t number) {
    for (int id = e->day[day]; id >= 0; id = e->next[id]) {
        if (number >= 0 && e->node[id].key >> e->shift != number) continue;
        if (e->first < 0 || hd_heap_before(e->node[id], e->node[e->first]))
            e->first = id;
    }
}

static inline const struct hd_heap_node *
hd_events_first(const struct hd_events *constant) {
    struct hd_events *e = (struct hd_events *)constant; /* what it finds is kept */
    if (!e->count) return NULL;
    int64_t number = e->last >> e->shift;
    for (int n = 0; n < e->days && e->first < 0; n++, number++)
        hd_events_look(e, (int)(number & (e->days - 1)), number);
    for (int day = 0; day < e->days && number >= 0 && e->first < 0; day++)
        hd_events_look(e, day, -1);
    return &e->node[e->first];
}

static inline void hd_events_drop(struct hd_events *e, int id) {
    hd_events_unlink(e, id);
    e->there[id] = 0;
    e->count--;
    if (e->first == id) e->first = -1;
}

static inline void hd_events_take(struct hd_events *e) {
    int id = hd_events_first(e)->id;
    e->gap += ((double)(e->node[id].key - e->last) - e->gap) / 1024;
    e->last = e->node[id].key;
    hd_events_drop(e, id);
    if (++e->taken % 8192) return;
    int shift = 1, days = 16;
    while (shift < 50 && (double)((int64_t)1 << (shift + 1)) < 4 * e->gap) shift++;
    while (days < 2 * e->count) days *= 2;
    if (abs(shift - e->shift) > 1 || days > e->days || 4 * days < e->days)
        hd_events_rebuild(e, days, shift);
}

static inline void hd_events_set(struct hd_events *e, int id, int64_t at) {
    if (e->there[id]) {
        hd_events_unlink(e, id);
        if (e->first == id && at > e->node[id].key) e->first = -1;
    } else {
        if (e->count++ == 0) e->first = id;
    }
    e->there[id] = 1;
    e->node[id].key = at;
    hd_events_link(e, id);
    if (e->first >= 0 && hd_heap_before(e->node[id], e->node[e->first])) e->first = id;
}

static inline void hd_events_remove(struct hd_events *e, int id) {
    if (e->there[id]) hd_events_drop(e, id);
}

#endif
