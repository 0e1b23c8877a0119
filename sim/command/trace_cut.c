/* hotdesk trace cut: a window of time. */
#include <stdlib.h>

#include "base/mem.h"
#include "command/trace_files.h"
#include "output/quantity.h"
#include "trace/compose.h"
#include "trace/notes.h"
#include "trace/stats_arrivals.h"

static const struct hd_option options[] = {
    HD_TRACE_IN_OPTIONS,
    {HD_GROUP_WHEN, 1, "from", "CLOCK", NULL, "its first request", false,
     "on the trace's own clock: +2h, 13:00 or 2026-11-17 13:00"},
    {HD_GROUP_WHEN, 1, "to", "CLOCK", NULL, "its last request", false,
     "as --from; requests at this instant are left out"},
    HD_TRACE_OUT_OPTIONS,
};

static const struct hd_help help = {
    "hotdesk trace cut FILE --from CLOCK --to CLOCK --out FILE [options]",
    "Writes the requests of a window of time, and shows it beside the whole. Seconds "
    "then\n"
    "count from the window's begin; dates stay. Warns where the window begins while "
    "the\n"
    "traffic still comes up.",
    {"hotdesk trace cut traces/market40.csv --from +10m --to +20m --out ten.hdt "
     "--force",
     "hotdesk trace cut traces/market40.csv --to +90s --out - --as native"},
};

enum { INTERVALS = 50 };

static int by_size(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Traffic comes up until the first interval, of some 50 in the trace, with half as many
 * requests as the median one: where that begins, in ticks; 0: at once. */
static hd_tick ramp_end(const struct hd_trace *t) {
    struct hd_rate_over_time rate;
    hd_rate_over_time(t, INTERVALS, &rate);
    hd_tick end = 0;
    if (rate.intervals >= 10) {
        size_t bytes = (size_t)rate.intervals * sizeof *rate.requests;
        int64_t *sorted = hd_alloc(bytes);
        for (int i = 0; i < rate.intervals; i++) sorted[i] = rate.requests[i];
        qsort(sorted, (size_t)rate.intervals, sizeof *sorted, by_size);
        int64_t median = sorted[rate.intervals / 2];
        int up = 0;
        while (up < rate.intervals && 2 * rate.requests[up] < median) up++;
        if (up) end = t->row[0].at + hd_tick_from_s(up * rate.interval_s);
        free(sorted);
    }
    hd_rate_over_time_free(&rate);
    return end;
}

static void warn_of_ramp(const struct hd_trace *whole, const struct hd_trace *part) {
    hd_tick end = ramp_end(whole);
    char text[HD_CLOCK_TEXT_BYTES];
    if (!end || part->origin + part->row[0].at >= whole->origin + end) return;
    fprintf(
        stderr,
        "warning: the window begins while the trace's traffic still comes up: until "
        "%s (+%s) it has less than half of its median rate\n",
        hd_trace_clock_text(whole, end, text),
        hd_say_span(hd_trace_since_zero_s(whole, end)).text);
}

/* As a file of its own has it: seconds from the window's begin, dates as they are. */
static struct hd_trace *alone(const struct hd_trace *t, struct hd_err *err) {
    bool dates = t->clock == HD_CLOCK_DATE;
    hd_wide base = dates ? 0 : t->origin;
    hd_wide start = dates ? t->origin + t->row[0].at : 0;
    struct hd_compose *c = hd_compose_begin(t->clock, start, start);
    hd_compose_source(c, t, NULL);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        struct hd_pick pick = {.at = t->origin + t->row[i].at - base, .row = i};
        if (hd_compose_add(c, &pick, err)) continue;
        hd_compose_drop(c);
        return NULL;
    }
    return hd_compose_end(c);
}

static bool write_cut(const struct hd_args *args, const struct hd_trace *whole,
                      const struct hd_trace *part, struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_trace *made = alone(part, &why);
    if (!made) return hd_bad_input(problem, "%s: %s", whole->path, why.text);
    const struct hd_trace *both[] = {whole, made};
    static const char *const title[] = {"whole", "cut"};
    int first = part->drawn ? 1 : 0; /* there is no whole */
    if (!part->drawn) warn_of_ramp(whole, part);
    hd_trace_beside(both + first, title + first, 2 - first, hd_trace_said(args));
    hd_trace_note_origin(made, part, args, "trace cut");
    bool done = hd_trace_out(args, made, problem);
    hd_trace_free(made);
    return done;
}

static bool cut(const struct hd_args *args, struct hd_problem *problem) {
    const char *from = hd_args_get(args, "from"), *to = hd_args_get(args, "to");
    if (!hd_trace_out_asked(args, problem)) return false;
    if (!from && !to)
        return hd_usage(problem, "trace cut: no window; expected --from, --to or both");
    struct hd_trace *part = hd_trace_in(args, args->word[0], from, to, problem);
    if (!part) return false;
    /* Of what is drawn there is no more than the part. */
    struct hd_trace *whole =
        part->drawn ? part : hd_trace_in(args, args->word[0], NULL, NULL, problem);
    bool done = whole && write_cut(args, whole, part, problem);
    if (whole != part) hd_trace_free(whole);
    hd_trace_free(part);
    return done;
}

const struct hd_trace_command hd_trace_cut = {
    .name = "cut",
    .full_name = "trace cut",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = cut,
};
