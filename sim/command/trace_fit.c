/* hotdesk trace fit: a recipe whose market is like a real trace. */
#include <stdlib.h>

#include "base/mem.h"
#include "base/new_file.h"
#include "command/trace_files.h"
#include "market/fit.h"

static const struct hd_option options[] = {
    HD_TRACE_IN_OPTIONS,
    {HD_GROUP_WHEN, 1, "from", "CLOCK", NULL, "its first request", false,
     "on the trace's own clock: +2h, 13:00 or 2026-11-17 13:00"},
    {HD_GROUP_WHEN, 1, "to", "CLOCK", NULL, "its last request", false,
     "as --from; requests at this instant are left out"},
    {HD_GROUP_WRITTEN, 1, "out", "FILE.lua", NULL, "standard output", false,
     "where the recipe goes; how well it fits is then printed"},
    {HD_GROUP_WRITTEN, 1, "force", NULL, NULL, NULL, false,
     "replace FILE.lua if it is there"},
};

static const struct hd_help help = {
    "hotdesk trace fit FILE [options]",
    "Fits a recipe to a trace, so that a synthetic twin can be shared in its place:\n"
    "rate, shares, rate over time, gaps and the joint lengths, no request of it. Says\n"
    "how far a twin is from the trace, and a twin of its first half from the second.",
    {"hotdesk trace fit traces/market40.csv --out twin.lua --force",
     "hotdesk trace fit traces/market40.csv --from +10m"},
};

/* The name of a file as a note can carry it. */
static char *about_of(const struct hd_trace *t) {
    char *about = hd_format("a twin of %s (sha256 %.12s)", t->name, t->sha256);
    for (char *c = about; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\') *c = '?';
    return about;
}

static bool write_recipe(const struct hd_args *args, const struct hd_trace *t,
                         const struct hd_market *m, const struct hd_fit_check *whole,
                         const struct hd_fit_check *halves,
                         struct hd_problem *problem) {
    const char *path = hd_args_get(args, "out");
    char *about = about_of(t);
    struct hd_err why = {0};
    struct hd_new_file file;
    if (!path) {
        hd_fit_write(m, about, whole, halves, stdout);
    } else if (hd_new_file_begin(&file, path, hd_args_get(args, "force") != NULL,
                                 &why)) {
        hd_fit_write(m, about, whole, halves, file.stream);
        if (hd_new_file_keep(&file, &why))
            hd_fit_check_write(whole, halves, "", stdout);
    }
    free(about);
    return why.text[0] ? hd_bad_input(problem, "%s", why.text)
                       : hd_stdout_flush(problem);
}

static bool fit(const struct hd_args *args, struct hd_problem *problem) {
    struct hd_err why = {0}, no_halves = {0};
    if (!hd_args_get(args, "out") && hd_args_get(args, "force"))
        return hd_usage(problem, "--force: there is no --out FILE.lua to replace");
    struct hd_trace *t = hd_trace_in(args, args->word[0], hd_args_get(args, "from"),
                                     hd_args_get(args, "to"), problem);
    if (!t) return false;
    struct hd_fit_check whole, halves;
    struct hd_market *m = hd_fit(t, &why);
    bool done = m && hd_fit_check_whole(t, m, &whole, &why);
    if (!done) hd_bad_input(problem, "%s: %s", t->path, why.text);
    if (done) {
        bool both = hd_fit_check_halves(t, &halves, &no_halves);
        if (!both) fprintf(stderr, "note: no held-out half: %s\n", no_halves.text);
        done = write_recipe(args, t, m, &whole, both ? &halves : NULL, problem);
    }
    hd_market_free(m);
    hd_trace_free(t);
    return done;
}

const struct hd_trace_command hd_trace_fit = {
    .name = "fit",
    .full_name = "trace fit",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = fit,
};
