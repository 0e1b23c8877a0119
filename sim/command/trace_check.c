/* hotdesk trace check: a lint. */
#include <string.h>

#include "base/units.h"
#include "command/trace_files.h"
#include "output/quantity.h"
#include "trace/binary.h"
#include "trace/lint.h"

static const struct hd_option options[] = {
    HD_TRACE_IN_OPTIONS,
    {HD_GROUP_JUDGED, 1, "percentile", "SHARE", NULL, "99%", false,
     "the percentile that will be asked of its requests"},
    {HD_GROUP_JUDGED, 1, "strict", NULL, NULL, NULL, false,
     "exit 3 if there is any finding"},
};

static const struct hd_help help = {
    "hotdesk trace check FILE [options]",
    "Looks for what is often wrong with a trace: units (milliseconds as seconds), "
    "blocks\n"
    "of equal requests that look generated, arrivals on a grid, lengths cut off at a "
    "cap,\n"
    "too few requests for a percentile, repeated and empty ones. A line each, with "
    "what\n"
    "was measured. The SHA-256 of a binary trace is computed anew.",
    {"hotdesk trace check traces/market40.csv",
     "hotdesk trace check traces/market40.csv --percentile 99.9%"},
};

static bool check(const struct hd_args *args, struct hd_problem *problem) {
    const char *asked = hd_args_get(args, "percentile");
    struct hd_err why = {0};
    double percentile = 0.99;
    if (asked && !hd_parse_fraction(asked, &percentile, &why))
        return hd_usage(problem, "--percentile: %s", why.text);
    if (percentile >= 1)
        return hd_usage(problem,
                        "--percentile: %s is the largest; expected less than "
                        "100%%",
                        asked);
    struct hd_trace *t = hd_trace_in(args, args->word[0], NULL, NULL, problem);
    if (!t) return false;
    struct hd_lints found = {0};
    bool done = strcmp(t->format, "binary") != 0 || hd_binary_verify(t->path, &why);
    if (done) {
        hd_lint(t, percentile, &found);
        for (int i = 0; i < found.count; i++)
            printf("%s: %s: %s\n", t->path, found.of[i].what, found.of[i].text);
        printf("%s: %s, %s\n", t->path, hd_say_things(t->rows, "request").text,
               hd_say_things(found.count, "finding").text);
        done = hd_stdout_flush(problem);
        if (done && found.count && hd_args_get(args, "strict"))
            done = hd_answer_no(problem, "%s: %s", t->path,
                                hd_say_things(found.count, "finding").text);
    } else {
        hd_bad_input(problem, "%s", why.text);
    }
    hd_lints_free(&found);
    hd_trace_free(t);
    return done;
}

const struct hd_trace_command hd_trace_check = {
    .name = "check",
    .full_name = "trace check",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = check,
};
