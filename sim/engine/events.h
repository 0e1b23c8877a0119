/* The event list: when each link and each instance has something to do next. One entry
 * for each id at most, moved or removed in place, so that nothing stale is ever in it;
 * equal times go by id. Inside this room only.
 *
 * It is an indexed binary heap, chosen by measurement (README): tests/bench has others
 * behind the same names, which a build can put in its place. */
#ifndef HD_ENGINE_EVENTS_H
#define HD_ENGINE_EVENTS_H

#include "base/index_heap.h"

struct hd_events {
    struct hd_index_heap heap;
};

static inline void hd_events_reserve(struct hd_events *e, int ids) {
    hd_heap_reserve(&e->heap, ids);
}

static inline void hd_events_free(struct hd_events *e) {
    hd_heap_free(&e->heap);
}

/* The least (time, id), or NULL; valid until the list changes. */
static inline const struct hd_heap_node *hd_events_first(const struct hd_events *e) {
    return hd_heap_first(&e->heap);
}

/* Takes that one out; it must be there. */
static inline void hd_events_take(struct hd_events *e) {
    hd_heap_take(&e->heap);
}

/* Inserts it, or moves it. Never before the time of one that was taken. */
static inline void hd_events_set(struct hd_events *e, int id, int64_t at) {
    hd_heap_set(&e->heap, id, at);
}

static inline void hd_events_remove(struct hd_events *e, int id) {
    hd_heap_remove(&e->heap, id);
}

#endif
