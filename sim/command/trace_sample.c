/* hotdesk trace sample: some of the requests, sessions or models. */
#include "base/units.h"
#include "command/trace_files.h"

static const struct hd_option options[] = {
    HD_TRACE_IN_OPTIONS,
    {HD_GROUP_WHAT, 1, "keep", "SHARE", NULL, NULL, false,
     "with what probability each is kept, 0.1 or 10%; must be given"},
    {HD_GROUP_WHAT, 1, "each", "UNIT", NULL, "session", false,
     "what is kept whole or not at all: request, session (a request without one alone) "
     "or model"},
    HD_TRACE_OUT_OPTIONS,
};

static const struct hd_help help = {
    "hotdesk trace sample FILE --keep SHARE --out FILE [options]",
    "Keeps each request, session or model of a trace with a probability, "
    "independently.",
    {"hotdesk trace sample traces/market40.csv --keep 10% --out tenth.csv --force",
     "hotdesk trace sample traces/market40.csv --keep 0.5 --each model --out - --seed "
     "2"},
};

static bool sample(const struct hd_args *args, struct hd_problem *problem) {
    const char *asked = hd_args_get(args, "keep");
    struct hd_err why = {0};
    double keep;
    uint64_t seed;
    enum hd_unit unit;
    if (!hd_trace_out_asked(args, problem) || !hd_trace_seed(args, &seed, problem) ||
        !hd_trace_unit(args, &unit, problem))
        return false;
    if (!asked)
        return hd_usage(problem, "--keep: is missing; expected a share, as 10%%");
    if (!hd_parse_fraction(asked, &keep, &why))
        return hd_usage(problem, "--keep: %s", why.text);
    struct hd_trace *t = hd_trace_in(args, args->word[0], NULL, NULL, problem);
    if (!t) return false;
    struct hd_trace *kept = hd_thin(t, keep, unit, seed, &why);
    bool done = false;
    if (kept) {
        const struct hd_trace *both[] = {t, kept};
        hd_trace_beside(both, (const char *const[]){"whole", "sample"}, 2,
                        hd_trace_said(args));
        hd_trace_note_origin(kept, t, args, "trace sample");
        done = hd_trace_out(args, kept, problem);
    } else {
        hd_bad_input(problem, "%s: %s", t->path, why.text);
    }
    hd_trace_free(kept);
    hd_trace_free(t);
    return done;
}

const struct hd_trace_command hd_trace_sample = {
    .name = "sample",
    .full_name = "trace sample",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = sample,
};
