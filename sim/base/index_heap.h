/* An indexed binary heap: at most one entry per id, the least (key, id) on top.
 * Equal keys are ordered by id, never by insertion, so that the order of events
 * does not depend on how often they were planned again. */
#ifndef HD_BASE_INDEX_HEAP_H
#define HD_BASE_INDEX_HEAP_H

#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"

struct hd_heap_node {
    int64_t key;
    int32_t id;
};

struct hd_index_heap {
    struct hd_heap_node *node;
    int32_t *place; /* of each id, -1 when absent */
    int count, capacity, ids;
    int hole; /* 1: node[0] has been taken, and still counts */
};

static inline int hd_heap_before(struct hd_heap_node a, struct hd_heap_node b) {
    return (a.key < b.key) | ((a.key == b.key) & (a.id < b.id));
}

/* Makes ids 0 to ids-1 usable. */
static inline void hd_heap_reserve(struct hd_index_heap *h, int ids) {
    if (ids <= h->ids) return;
    int capacity = h->ids;
    h->place = hd_grow(h->place, &capacity, ids, sizeof *h->place);
    for (int i = h->ids; i < capacity; i++) h->place[i] = -1;
    h->ids = capacity;
    h->node = hd_grow(h->node, &h->capacity, capacity, sizeof *h->node);
}

static inline void hd_heap_free(struct hd_index_heap *h) {
    free(h->node);
    free(h->place);
    *h = (struct hd_index_heap){0};
}

static inline void hd_heap_put(struct hd_index_heap *h, int at,
                               struct hd_heap_node node) {
    h->node[at] = node;
    h->place[node.id] = at;
}

static inline void hd_heap_up(struct hd_index_heap *h, int at,
                              struct hd_heap_node node) {
    while (at > 0) {
        int parent = (at - 1) / 2;
        if (!hd_heap_before(node, h->node[parent])) break;
        hd_heap_put(h, at, h->node[parent]);
        at = parent;
    }
    hd_heap_put(h, at, node);
}

static inline void hd_heap_down(struct hd_index_heap *h, int at,
                                struct hd_heap_node node) {
    for (;;) {
        int child = 2 * at + 1;
        if (child >= h->count) break;
        if (child + 1 < h->count)
            child += hd_heap_before(h->node[child + 1], h->node[child]);
        if (!hd_heap_before(h->node[child], node)) break;
        hd_heap_put(h, at, h->node[child]);
        at = child;
    }
    hd_heap_put(h, at, node);
}

static inline int hd_heap_has(const struct hd_index_heap *h, int id) {
    return id < h->ids && h->place[id] >= 0;
}

static inline void hd_heap_close_hole(struct hd_index_heap *h) {
    h->hole = 0;
    if (--h->count > 0) hd_heap_down(h, 0, h->node[h->count]);
}

/* The least entry, or NULL; valid until the heap changes. */
static inline const struct hd_heap_node *hd_heap_first(const struct hd_index_heap *h) {
    if (!h->hole) return h->count ? h->node : NULL;
    if (h->count < 2) return NULL;
    return h->node + 1 + (h->count > 2 && hd_heap_before(h->node[2], h->node[1]));
}

/* Takes out the least entry, which there must be; its id. */
static inline int hd_heap_take(struct hd_index_heap *h) {
    if (h->hole) hd_heap_close_hole(h);
    int id = h->node[0].id;
    h->place[id] = -1;
    h->hole = 1;
    return id;
}

/* Inserts id, or moves it to a new key. */
static inline void hd_heap_set(struct hd_index_heap *h, int id, int64_t key) {
    struct hd_heap_node node = {key, id};
    int at = h->place[id];
    if (h->hole) {
        if (at < 0) {
            h->hole = 0;
            hd_heap_down(h, 0, node);
            return;
        }
        hd_heap_close_hole(h);
        at = h->place[id];
    }
    if (at < 0) {
        hd_heap_up(h, h->count++, node);
    } else if (hd_heap_before(node, h->node[at])) {
        hd_heap_up(h, at, node);
    } else {
        hd_heap_down(h, at, node);
    }
}

/* Removes id if it is there. */
static inline void hd_heap_remove(struct hd_index_heap *h, int id) {
    if (!hd_heap_has(h, id)) return;
    if (h->hole) hd_heap_close_hole(h);
    int at = h->place[id];
    h->place[id] = -1;
    if (at == --h->count) return;
    struct hd_heap_node last = h->node[h->count];
    if (at > 0 && hd_heap_before(last, h->node[(at - 1) / 2]))
        hd_heap_up(h, at, last);
    else
        hd_heap_down(h, at, last);
}

#endif
