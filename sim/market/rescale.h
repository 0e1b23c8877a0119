/* The same traffic, more or less of it: thinned, superposed or pressed in time. Each
 * returns a new trace without notes, or NULL with "why" (no place) in err. */
#ifndef HD_MARKET_RESCALE_H
#define HD_MARKET_RESCALE_H

#include <stdint.h>

#include "trace/trace.h"

/* What is drawn as one: it is kept whole or not at all. A request without a session is
 * its own. */
enum hd_unit { HD_UNIT_REQUEST, HD_UNIT_SESSION, HD_UNIT_MODEL };

/* Keeps each unit with probability `keep`, independently. */
struct hd_trace *hd_thin(const struct hd_trace *, double keep, enum hd_unit,
                         uint64_t seed, struct hd_err *);

/* `times` (above 1) copies: the trace as it is, and whole copies, each moved in time by
 * an amount of its own, uniform in [0, shift], what passes the end coming back in at
 * the beginning; the last copy is thinned where `times` is not whole. The span stays. A
 * session that is cut there goes on as two. */
struct hd_trace *hd_superpose(const struct hd_trace *, double times, enum hd_unit,
                              hd_tick shift, uint64_t seed, struct hd_err *);

/* The length of time on which copies go round: to the last request and a mean gap. */
hd_tick hd_round_trip(const struct hd_trace *);

/* Every instant after the zero comes `factor` times as early: factor is that
 * many times HD_TICKS_PER_S, so that decimals are exact; nearest tick. */
struct hd_trace *hd_press(const struct hd_trace *, hd_wide factor_ticks,
                          struct hd_err *);

#endif
