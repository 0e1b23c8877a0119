/* Reads --timeline and its bounds; the file at the end. */
#include "command/timeline.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "output/quantity.h"

/* An instant by the trace's clock, as --from takes it. */
static bool instant(const struct hd_trace *t, const char *given, const char *text,
                    hd_tick *at, struct hd_problem *problem) {
    struct hd_err why = {0};
    hd_wide clock;
    if (!hd_clock_parse(t->clock, t->zero, t->origin, text, &clock, &why))
        return hd_usage(problem, "--timeline-window %s: %s", given, why.text);
    hd_wide tick = clock - t->origin;
    *at = tick < -HD_TICK_SPAN_MAX  ? -HD_TICK_SPAN_MAX
          : tick > HD_TICK_SPAN_MAX ? HD_TICK_SPAN_MAX
                                    : (hd_tick)tick;
    return true;
}

/* FROM..TO, of which either may be left out. */
static bool window(const struct hd_trace *t, const char *given,
                   struct hd_timeline_bounds *b, struct hd_problem *problem) {
    const char *dots = strstr(given, "..");
    if (!dots)
        return hd_usage(
            problem, "--timeline-window %s: expected FROM..TO, as +10m..+12m", given);
    char *from = hd_format("%.*s", (int)(dots - given), given);
    bool fine = !*from || instant(t, given, from, &b->from, problem);
    fine = fine && (!dots[2] || instant(t, given, dots + 2, &b->to, problem));
    free(from);
    return fine &&
           (b->from < b->to ||
            hd_usage(problem, "--timeline-window %s: ends before it begins", given));
}

/* "0,3,8-15": each a number of a GPU, or a range of them. */
static bool gpus(const char *given, int all, bool *gpu, struct hd_problem *problem) {
    const char *at = given;
    for (;;) {
        size_t length = strcspn(at, ",");
        char *piece = hd_format("%.*s", (int)length, at);
        char *dash = strchr(piece, '-');
        long first, last;
        struct hd_err why = {0};
        if (dash) *dash = '\0';
        bool fine = hd_parse_integer(piece, 0, all - 1, &first, &why);
        last = first;
        if (fine && dash)
            fine = hd_parse_integer(dash + 1, first, all - 1, &last, &why);
        free(piece);
        if (!fine)
            return hd_usage(problem,
                            "--timeline-gpus %s: %s; expected GPUs from 0 on, "
                            "as 0,3,8-15",
                            given, why.text);
        for (long g = first; g <= last; g++) gpu[g] = true;
        if (!at[length]) return true;
        at += length + 1;
    }
}

static bool read_bounds(const struct hd_session *s, struct hd_timeline_bounds *b,
                        bool *gpu, struct hd_problem *problem) {
    const struct hd_question *q = &s->resolved.question;
    const char *when = hd_args_get(&s->args, "timeline-window");
    const char *which = hd_args_get(&s->args, "timeline-gpus");
    const char *rows = hd_args_get(&s->args, "timeline-rows");
    struct hd_err why = {0};
    long most = HD_TIMELINE_ROWS_DEFAULT;
    if (rows && !hd_parse_integer(rows, 1, HD_TIMELINE_ROWS_MAX, &most, &why))
        return hd_usage(problem, "--timeline-rows: %s", why.text);
    *b = (struct hd_timeline_bounds){
        .from = -HD_TICK_SPAN_MAX, .to = HD_TICK_NEVER, .rows = most};
    if (when && !window(q->trace, when, b, problem)) return false;
    if (!which) return true;
    b->gpu = gpu;
    return gpus(which, hd_timeline_gpus(q), gpu, problem);
}

bool hd_timeline_open(struct hd_timeline_asked *a, const struct hd_session *s,
                      struct hd_problem *problem) {
    static const char *const bounds[] = {"timeline-window", "timeline-gpus",
                                         "timeline-rows"};
    const struct hd_question *q = &s->resolved.question;
    const char *path = hd_args_get(&s->args, "timeline");
    struct hd_timeline_bounds b;
    struct hd_err why = {0};
    for (int n = 0; n < 3 && !path; n++)
        if (hd_args_get(&s->args, bounds[n]))
            return hd_usage(problem, "--%s: bounds a timeline; expected --timeline too",
                            bounds[n]);
    if (!path) return true;
    bool *gpu = hd_alloc(sizeof *gpu * (size_t)(hd_timeline_gpus(q) + 1));
    bool fine = read_bounds(s, &b, gpu, problem);
    if (fine && !hd_new_file_begin(&a->file, path,
                                   hd_args_get(&s->args, "force") != NULL, &why))
        fine = hd_bad_input(problem, "%s", why.text);
    if (fine) a->timeline = hd_timeline_new(q, &b);
    free(gpu);
    return fine;
}

bool hd_timeline_keep(struct hd_timeline_asked *a, bool quiet,
                      struct hd_problem *problem) {
    struct hd_err why = {0};
    if (!a->timeline) return true;
    hd_timeline_write(a->timeline, a->file.stream);
    if (!hd_new_file_keep(&a->file, &why)) return hd_bad_input(problem, "%s", why.text);
    double full = hd_timeline_full_s(a->timeline);
    const char *rows = hd_say_things(hd_timeline_rows(a->timeline), "row").text;
    if (quiet) return true;
    if (!isnan(full))
        fprintf(
            stderr,
            "warning: the timeline is full: %s, and nothing that ends after %.3f s; "
            "--timeline-window, --timeline-gpus and --timeline-rows bound it\n",
            rows, full);
    else
        fprintf(stderr, "timeline  %s: open it in https://ui.perfetto.dev\n", rows);
    return true;
}

void hd_timeline_drop(struct hd_timeline_asked *a) {
    hd_new_file_drop(&a->file);
    hd_timeline_free(a->timeline);
    a->timeline = NULL;
}
