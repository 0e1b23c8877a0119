/* Transfers that hold several links at once. The bytes of a job flow at one rate over
 * every link of its path, and rates are max-min fair: they rise together, by weight,
 * until a link is full, whose jobs keep what they have while the others rise on
 * (progressive filling; Bertsekas and Gallager, Data Networks, 6.5.2). They are worked
 * out again when a job starts, ends or changes its class, among the jobs that are
 * joined to it by links, and nowhere else. Integers only: the same on every machine.
 *
 * It knows nothing of GPUs or requests, and leaves the time of the next end to the
 * event list of its caller. Inside this room only. */
#ifndef HD_ENGINE_NETWORK_H
#define HD_ENGINE_NETWORK_H

#include <stdbool.h>

#include "base/tick.h"

enum { HD_PATH_MAX = 8, HD_FLOW_CLASSES = 3 };

struct hd_path { /* a link that the bytes cross twice stands there twice */
    int32_t link[HD_PATH_MAX];
    int links;
};

struct hd_network;

/* strict: a class gets what those before it leave, and jobs of one share alike. Else
 * all share, by the weight of their class, 1 to 1000. */
struct hd_network *hd_network_new(bool strict, const int weight[HD_FLOW_CLASSES]);
void hd_network_free(struct hd_network *);

/* The next link, numbered from 0; 1 to 1e15 bytes per second. */
int hd_network_link(struct hd_network *, double bytes_per_s);

/* A job of at least one byte begins, on a path of at least one link; `tag` is the
 * caller's. At `now`, never before that of an earlier call; the same holds below. */
void hd_network_start(struct hd_network *, hd_tick now, const struct hd_path *,
                      int flow_class, double bytes, int32_t tag);

/* The first of the jobs that have the tag and cross the link goes; false: none does. */
bool hd_network_stop(struct hd_network *, hd_tick now, int link, int32_t tag);
/* All of those change class. */
void hd_network_reclass(struct hd_network *, hd_tick now, int link, int32_t tag,
                        int flow_class);

/* The tag of a job whose path begins at the link and whose last byte is there; it goes.
 * Of several, the one that began first; -1: none. */
int32_t hd_network_take(struct hd_network *, hd_tick now, int link);

/* When the first of the jobs whose path begins at the link ends; HD_TICK_NEVER: none
 * does, as things are. */
hd_tick hd_network_next(const struct hd_network *, int link);

/* The links whose hd_network_next the last start, stop, reclass or take may have
 * changed; how many. */
int hd_network_touched(const struct hd_network *, const int32_t **links);

/* Bytes per second that flow over the link now. */
double hd_network_rate(const struct hd_network *, int link);

#endif
