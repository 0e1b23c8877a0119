/* The ends of a cut and its margins. */
#include "trace/cut.h"

#include <math.h>

#define DEFAULT_MARGIN_S 600.0

static hd_wide margin(double asked_s, hd_wide cut) {
    if (asked_s >= 0) /* more than 30 years is as good as all there is */
        return (hd_wide)(fmin(asked_s, 1e9) * (double)HD_TICKS_PER_S + 0.5);
    hd_wide most = (hd_wide)(DEFAULT_MARGIN_S * (double)HD_TICKS_PER_S);
    return cut / 10 < most ? cut / 10 : most;
}

hd_wide hd_cut_margin_most(double asked_s) {
    return margin(asked_s, (hd_wide)HD_TICKS_PER_S * 1000000);
}

bool hd_cut_resolve(const struct hd_trace_options *asked, enum hd_clock clock,
                    hd_wide zero, hd_wide first, struct hd_cut *cut,
                    struct hd_err *err) {
    struct hd_err why = {0};
    cut->zero = zero;
    cut->from = first;
    if (asked->from &&
        !hd_clock_parse(clock, zero, first, asked->from, &cut->from, &why))
        return hd_fail(err, "--from: %s", why.text);
    if (asked->to && !hd_clock_parse(clock, zero, cut->from, asked->to, &cut->to, &why))
        return hd_fail(err, "--to: %s", why.text);
    if (asked->from && asked->to && cut->to <= cut->from)
        return hd_fail(err, "--to %s: is not after --from %s", asked->to, asked->from);
    return true;
}

void hd_cut_close(struct hd_cut *cut, const struct hd_trace_options *asked,
                  hd_wide last) {
    if (!asked->to) cut->to = last + 1;
}

void hd_cut_keeps(const struct hd_cut *cut, const struct hd_trace_options *asked,
                  hd_wide last, hd_wide *low, hd_wide *high) {
    hd_wide length = cut->to - cut->from;
    hd_wide before = margin(asked->before_s, length);
    *low = cut->zero;
    *high = last + 1;
    if (asked->from && cut->from - before > *low) *low = cut->from - before;
    if (asked->to) *high = cut->to + margin(asked->after_s, length);
}

void hd_cut_mark(const struct hd_cut *cut, const struct hd_trace_options *asked,
                 hd_wide low, struct hd_trace *t) {
    t->origin = low;
    t->zero = cut->zero;
    t->from = asked->from ? (hd_tick)(cut->from - low) : -1;
    t->to = asked->to ? (hd_tick)(cut->to - low) : -1;
    if (asked->from && cut->from < low) t->from = 0; /* asked for from before zero */
    if (asked->to && cut->to - low > HD_TICK_SPAN_MAX) t->to = HD_TICK_SPAN_MAX;
}

bool hd_cut_empty(const char *path, enum hd_clock clock, hd_wide last,
                  struct hd_err *err) {
    char text[HD_CLOCK_TEXT_BYTES];
    return hd_fail(err, "%s: no request between --from and --to; the last is at %s",
                   path, hd_clock_text(clock, last, text));
}
