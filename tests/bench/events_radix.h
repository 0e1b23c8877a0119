/* In place of engine/events.h: a radix heap (Ahuja, Mehlhorn, Orlin, Tarjan, JACM
 * 1990). Entries lie by the highest bit in which they differ from the time taken last.
 * What was moved or removed stays until it is met. To look at the first one moves
 * nothing, since an arrival may still come before it. */
#ifndef HD_ENGINE_EVENTS_H
#define HD_ENGINE_EVENTS_H

#include <stdlib.h>

#include "base/index_heap.h"

enum { HD_EVENTS_BUCKETS = 65 };

struct hd_events {
    struct {
        struct hd_heap_node *node;
        int count, capacity;
    } bucket[HD_EVENTS_BUCKETS];
    int64_t *key; /* by id, -1: absent */
    int ids, count;
    int64_t last;
    struct hd_heap_node first; /* id -1: to be looked for */
    int first_bucket;
};

static inline int hd_events_bucket(const struct hd_events *e, int64_t at) {
    uint64_t differ = (uint64_t)(at ^ e->last);
    return differ ? 64 - __builtin_clzll(differ) : 0;
}

static inline void hd_events_put(struct hd_events *e, struct hd_heap_node node) {
    int b = hd_events_bucket(e, node.key);
    e->bucket[b].node = hd_grow(e->bucket[b].node, &e->bucket[b].capacity,
                                e->bucket[b].count + 1, sizeof node);
    e->bucket[b].node[e->bucket[b].count++] = node;
}

static inline void hd_events_reserve(struct hd_events *e, int ids) {
    if (ids <= e->ids) return;
    int before = e->ids;
    e->key = hd_grow(e->key, &e->ids, ids, sizeof *e->key);
    for (int id = before; id < e->ids; id++) e->key[id] = -1;
    if (!before) e->first.id = -1;
}

static inline void hd_events_free(struct hd_events *e) {
    for (int b = 0; b < HD_EVENTS_BUCKETS; b++) free(e->bucket[b].node);
    free(e->key);
}

static inline const struct hd_heap_node *
hd_events_first(const struct hd_events *constant) {
    struct hd_events *e = (struct hd_events *)constant; /* what it finds is kept */
    if (!e->count) return NULL;
    for (int b = 0; b < HD_EVENTS_BUCKETS && e->first.id < 0; b++) {
        int kept = 0;
        struct hd_heap_node *node = e->bucket[b].node;
        for (int n = 0; n < e->bucket[b].count; n++) {
            if (e->key[node[n].id] != node[n].key) continue;
            if (e->first.id < 0 || hd_heap_before(node[n], e->first))
                e->first = node[n];
            node[kept++] = node[n];
        }
        e->bucket[b].count = kept;
        e->first_bucket = b;
    }
    return &e->first;
}

static inline void hd_events_take(struct hd_events *e) {
    struct hd_heap_node first = *hd_events_first(e);
    e->key[first.id] = -1;
    e->count--;
    e->first.id = -1;
    if (first.key == e->last) return;
    int b = hd_events_bucket(e, first.key), count = e->bucket[b].count;
    e->last = first.key;
    e->bucket[b].count = 0;
    for (int n = 0; n < count; n++) {
        struct hd_heap_node node = e->bucket[b].node[n];
        if (e->key[node.id] == node.key) hd_events_put(e, node);
    }
}

static inline void hd_events_set(struct hd_events *e, int id, int64_t at) {
    struct hd_heap_node node = {at, id};
    if (e->key[id] == at) return;
    if (e->key[id] < 0 && e->count++ == 0)
        e->first = node;
    else if (e->first.id == id || (e->first.id >= 0 && hd_heap_before(node, e->first)))
        e->first = e->first.id != id || at < e->first.key
                       ? node
                       : (struct hd_heap_node){0, -1};
    e->key[id] = at;
    hd_events_put(e, node);
}

static inline void hd_events_remove(struct hd_events *e, int id) {
    if (e->key[id] < 0) return;
    e->key[id] = -1;
    e->count--;
    if (e->first.id == id) e->first.id = -1;
}

#endif
