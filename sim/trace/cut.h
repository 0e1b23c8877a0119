/* Which part of a trace `from` and `to` ask for, and what is kept around it. Internal
 * to this room. Instants are on the trace's clock. */
#ifndef HD_TRACE_CUT_H
#define HD_TRACE_CUT_H

#include "trace/trace.h"

struct hd_cut {
    hd_wide zero;
    hd_wide from, to;
};

/* Once the zero and the first request are known, the cut's ends are, but for a `to`
 * that was not asked for. False with "--from: why" or "--to ...: why". */
bool hd_cut_resolve(const struct hd_trace_options *, enum hd_clock, hd_wide zero,
                    hd_wide first, struct hd_cut *, struct hd_err *);

/* With the last request, the end of a cut without `to`. */
void hd_cut_close(struct hd_cut *, const struct hd_trace_options *, hd_wide last);

/* Rows from *low to before *high are kept, margins and all; *low is tick 0. */
void hd_cut_keeps(const struct hd_cut *, const struct hd_trace_options *, hd_wide last,
                  hd_wide *low, hd_wide *high);

/* The widest margin that the rule can come to, for when the cut's end is not known. */
hd_wide hd_cut_margin_most(double asked_s);

/* Fills in from, to, origin and zero of the trace. */
void hd_cut_mark(const struct hd_cut *, const struct hd_trace_options *, hd_wide low,
                 struct hd_trace *);

/* The error of a cut without a request; returns false. */
bool hd_cut_empty(const char *path, enum hd_clock, hd_wide last, struct hd_err *);

#endif
