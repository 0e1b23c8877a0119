/* Simulated time: whole ticks of 2^-10 ns.
 *
 * Inside the engine there is only integer addition and multiplication of ticks,
 * so a plan may be cut anywhere without moving any later instant. int64 reaches
 * 104 days; a trace's span is checked against HD_TICK_SPAN_MAX when it is read. */
#ifndef HD_BASE_TICK_H
#define HD_BASE_TICK_H

#include <stdint.h>

typedef int64_t hd_tick;
__extension__ typedef __int128 hd_wide; /* sums of ticks that int64 might not hold */

#define HD_TICKS_PER_NS ((hd_tick)1024)
#define HD_TICKS_PER_US (HD_TICKS_PER_NS * 1000)
#define HD_TICKS_PER_S (HD_TICKS_PER_NS * 1000000000)
#define HD_TICK_NEVER INT64_MAX
#define HD_TICK_SPAN_MAX (HD_TICKS_PER_S * 90 * 86400) /* leaves two weeks to drain */

/* Nearest tick to a time in seconds; saturates at HD_TICK_NEVER. */
static inline hd_tick hd_tick_from_s(double seconds) {
    double ticks = seconds * (double)HD_TICKS_PER_S;
    if (!(ticks < 9.2e18)) return HD_TICK_NEVER;
    return (hd_tick)(ticks < 0 ? ticks - 0.5 : ticks + 0.5);
}

static inline double hd_s_from_tick(hd_tick ticks) {
    return (double)ticks / (double)HD_TICKS_PER_S;
}

#endif
