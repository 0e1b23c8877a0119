/* hotdesk trace scale: more or less of the same traffic. */
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "command/trace_files.h"

static const struct hd_option options[] = {
    HD_TRACE_IN_OPTIONS,
    {HD_GROUP_WHAT, 1, "rate", "xN", NULL, NULL, false,
     "N times the requests in the same span: whole copies moved in time (N above 1), "
     "or "
     "each kept with probability N (below 1)"},
    {HD_GROUP_WHAT, 1, "time", "xN", NULL, NULL, false,
     "the same requests in a span N times as short: bursts, lulls and pauses within "
     "sessions shrink with it"},
    {HD_GROUP_WHAT, 1, "each", "UNIT", NULL, "session", false,
     "what --rate keeps whole or not at all where N is not whole: request, session or "
     "model"},
    {HD_GROUP_WHAT, 1, "shift", "TIME", NULL, "the whole span", false,
     "how far a copy is moved at most; a short one keeps the rhythm of the day, and "
     "bursts that last longer than it"},
    HD_TRACE_OUT_OPTIONS,
};

static const struct hd_help help = {
    "hotdesk trace scale FILE --rate xN|--time xN --out FILE [options]",
    "Scales a trace's load, and says how bursty it was and is. The two ways differ:\n"
    "--rate lays copies over it that are moved in time at random (or thins it): more\n"
    "users of the same kind, whose bursts average out, so that gaps come closer to a\n"
    "Poisson stream's. --time runs the clock faster: the gaps keep their CV, and a "
    "user\n"
    "thinks, and a burst lasts, N times as short. Deadlines stay as they are.\n"
    "A copy's sessions and prefix blocks are its own.",
    {"hotdesk trace scale traces/market40.csv --rate x2.5 --out more.csv --force",
     "hotdesk trace scale traces/market40.csv --time x2 --out - --as native"},
};

/* "x2.5": also exactly, as ticks for a second. */
static bool read_factor(const struct hd_args *args, const char *option, double *factor,
                        hd_wide *ticks, struct hd_problem *problem) {
    const char *asked = hd_args_get(args, option);
    struct hd_stamp exact;
    struct hd_err why = {0};
    if (*asked != 'x')
        return hd_usage(problem, "--%s %.60s: is no factor; expected xN, as x2 or x0.5",
                        option, asked);
    if (hd_stamp_seconds(asked + 1, &exact) ||
        !hd_parse_number(asked + 1, factor, &why) || !(*factor >= 0.001) ||
        *factor > 1000)
        return hd_usage(problem, "--%s %.60s: is no factor from x0.001 to x1000",
                        option, asked);
    *ticks = exact.at;
    return true;
}

static bool read_shift(const struct hd_args *args, hd_tick *shift,
                       struct hd_problem *problem) {
    const char *asked = hd_args_get(args, "shift");
    struct hd_err why = {0};
    double s = INFINITY;
    if (asked && !hd_parse_duration(asked, &s, &why))
        return hd_usage(problem, "--shift: %s", why.text);
    *shift = hd_tick_from_s(s);
    return true;
}

static bool scale(const struct hd_args *args, struct hd_problem *problem) {
    bool rate = hd_args_get(args, "rate"), time = hd_args_get(args, "time");
    struct hd_err why = {0};
    uint64_t seed;
    enum hd_unit unit;
    hd_tick shift = 0;
    double factor = 0;
    hd_wide ticks = 0;
    if (!hd_trace_out_asked(args, problem)) return false;
    if (rate == time)
        return hd_usage(problem, "trace scale: %s; expected one of --rate and --time",
                        rate ? "both --rate and --time" : "no factor");
    if (!read_factor(args, rate ? "rate" : "time", &factor, &ticks, problem) ||
        !hd_trace_seed(args, &seed, problem) || !hd_trace_unit(args, &unit, problem) ||
        !read_shift(args, &shift, problem))
        return false;
    struct hd_trace *t = hd_trace_in(args, args->word[0], NULL, NULL, problem);
    if (!t) return false;
    struct hd_trace *made = time ? hd_press(t, ticks, &why)
                            : factor > 1
                                ? hd_superpose(t, factor, unit, shift, seed, &why)
                                : hd_thin(t, factor, unit, seed, &why);
    bool done = false;
    if (made) {
        const struct hd_trace *both[] = {t, made};
        hd_trace_beside(both, (const char *const[]){"before", "after"}, 2,
                        hd_trace_said(args));
        hd_trace_note_origin(made, t, args, "trace scale");
        done = hd_trace_out(args, made, problem);
    } else {
        hd_bad_input(problem, "%s: %s", t->path, why.text);
    }
    hd_trace_free(made);
    hd_trace_free(t);
    return done;
}

const struct hd_trace_command hd_trace_scale = {
    .name = "scale",
    .full_name = "trace scale",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = scale,
};
