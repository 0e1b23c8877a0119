/* hotdesk trace: what a trace is like, and markets drawn from a recipe. */
#include <errno.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/new_file.h"
#include "base/units.h"
#include "command/args.h"
#include "command/command.h"
#include "command/trace_info.h"
#include "trace/recipe.h"

enum { INFO = 1, SYNTH = 2 };

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, INFO, "format", "FORMAT", NULL, "by the header", false,
     "native, dated, azure, aegaeon, burstgpt, vidur or arena"},
    {HD_GROUP_WHAT, INFO, "sort", NULL, NULL, NULL, false,
     "put rows in order of time; without it disorder is an error"},
    {HD_GROUP_WHEN, INFO, "from", "CLOCK", NULL, "its first request", false,
     "on the trace's own clock: +2h, 13:00 or 2026-11-17 13:00"},
    {HD_GROUP_WHEN, INFO, "to", "CLOCK", NULL, "its last request", false,
     "as --from; requests at this instant are left out"},
    {HD_GROUP_JUDGED, INFO, "service-time", "TIME", NULL, "16.79s", false,
     "how long a request keeps its model active"},
    {HD_GROUP_WRITTEN, INFO, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
    {HD_GROUP_RUN, SYNTH, "seed", "N", NULL, "1", false,
     "of all random draws; the same recipe and seed give the same bytes"},
    {HD_GROUP_WRITTEN, SYNTH, "out", "FILE", NULL, "standard output", false,
     "where the trace goes"},
    {HD_GROUP_WRITTEN, SYNTH, "force", NULL, NULL, NULL, false,
     "replace FILE if it is there"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help info_help = {
    "hotdesk trace info FILE [options]",
    "Says what a trace of requests is like: how many, of which models, how bursty, "
    "how\n"
    "long, and what could not be read or served.",
    {"hotdesk trace info traces/market40.csv",
     "hotdesk trace info traces/market40.csv --from +10m --to +20m --json"},
};
static const struct hd_help synth_help = {
    "hotdesk trace synth RECIPE.lua [options]",
    "Draws a market of models from a recipe and writes it as a native trace that says\n"
    "what each of its parts rests on.",
    {"hotdesk trace synth traces/market40.lua --seed 2 --out market40-2.csv --force",
     "hotdesk trace synth traces/market40.lua | head -n 5"},
};

/* ---- info ---------------------------------------------------------------- */

static bool info(const struct hd_args *args, struct hd_problem *problem) {
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    double service_s = HD_SERVICE_S_PUBLISHED;
    struct hd_err why = {0};
    asked.format = hd_args_get(args, "format");
    asked.sort = hd_args_get(args, "sort") != NULL;
    asked.from = hd_args_get(args, "from");
    asked.to = hd_args_get(args, "to");
    asked.before_s = asked.after_s = 0;
    const char *service = hd_args_get(args, "service-time");
    if (service && !hd_parse_duration(service, &service_s, &why))
        return hd_usage(problem, "--service-time: %s", why.text);
    if (!(service_s > 0 && service_s < 1e6))
        return hd_usage(problem, "--service-time: %s lies outside 0 to 1e6 s", service);
    struct hd_trace *trace = hd_trace_load(args->word[0], &asked, &why);
    if (!trace) /* a mistake in an option is named by its dashes */
        return strncmp(why.text, "--", 2) == 0 ? hd_usage(problem, "%s", why.text)
                                               : hd_bad_input(problem, "%s", why.text);
    struct hd_trace_stats stats = hd_trace_stats(trace, service_s);
    if (hd_args_get(args, "json"))
        hd_trace_info_json(trace, &stats, stdout);
    else
        hd_trace_info_text(trace, &stats, stdout);
    hd_trace_free(trace);
    return hd_stdout_flush(problem);
}

/* ---- synth --------------------------------------------------------------- */

struct drawn {
    struct hd_market *market;
    struct hd_market_request *request;
    int64_t count;
    char *made;
};

static bool draw(const char *recipe, long seed, struct drawn *d,
                 struct hd_problem *problem) {
    struct hd_err why = {0};
    char sha256[65];
    d->market = hd_recipe_load(recipe, &why);
    if (!d->market) return hd_bad_input(problem, "%s", why.text);
    d->request = hd_market_draw(d->market, (uint64_t)seed, &d->count, &why);
    if (!d->request) return hd_bad_input(problem, "%s: %s", recipe, why.text);
    if (!SHA256File(recipe, sha256))
        return hd_bad_input(problem, "%s: %s", recipe, strerror(errno));
    const char *slash = strrchr(recipe, '/');
    d->made = hd_format("hotdesk trace synth %s --seed %ld (recipe sha256 %.12s)",
                        slash ? slash + 1 : recipe, seed, sha256);
    return true;
}

static bool write_file(const char *path, bool force, const struct drawn *d,
                       struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_new_file file;
    if (hd_new_file_begin(&file, path, force, &why)) {
        hd_market_write(d->market, d->made, d->request, d->count, file.stream);
        hd_new_file_keep(&file, &why);
    }
    return !why.text[0] || hd_bad_input(problem, "%s", why.text);
}

static bool synth(const struct hd_args *args, struct hd_problem *problem) {
    long seed = 1;
    struct hd_err why = {0};
    const char *asked = hd_args_get(args, "seed"), *path = hd_args_get(args, "out");
    if (asked && !hd_parse_integer(asked, 0, INT32_MAX, &seed, &why))
        return hd_usage(problem, "--seed: %s", why.text);
    if (!path && hd_args_get(args, "force"))
        return hd_usage(problem, "--force: there is no --out FILE to replace");
    struct drawn d = {0};
    bool done = draw(args->word[0], seed, &d, problem);
    if (done && path) {
        done = write_file(path, hd_args_get(args, "force") != NULL, &d, problem);
        if (done)
            fprintf(stderr, "%s: %lld requests, %d models\n", path, (long long)d.count,
                    d.market->models);
    } else if (done) {
        hd_market_write(d.market, d.made, d.request, d.count, stdout);
        done = hd_stdout_flush(problem);
    }
    hd_market_free(d.market);
    free(d.request);
    free(d.made);
    return done;
}

/* ---- the command --------------------------------------------------------- */

static const struct subcommand {
    const char *name, *full_name;
    unsigned bit;
    const struct hd_help *help;
    bool (*run)(const struct hd_args *, struct hd_problem *);
} subcommands[] = {
    {"info", "trace info", INFO, &info_help, info},
    {"synth", "trace synth", SYNTH, &synth_help, synth},
};
enum { SUBCOMMANDS = sizeof subcommands / sizeof *subcommands };

static void usage(FILE *out) {
    fputs("usage: hotdesk trace info FILE [options]\n"
          "       hotdesk trace synth RECIPE.lua [options]\n"
          "more:  hotdesk trace info --help, hotdesk trace synth --help\n",
          out);
}

static void help(void) {
    usage(stdout);
    for (int i = 0; i < SUBCOMMANDS; i++)
        printf("\n%s\nexamples:\n  %s\n  %s\n", subcommands[i].help->does,
               subcommands[i].help->example[0], subcommands[i].help->example[1]);
}

static int run(const struct subcommand *sub, int argc, char **argv) {
    char *name = hd_strdup(sub->full_name); /* who speaks in messages */
    char **word = hd_alloc((size_t)(argc + 1) * sizeof *word);
    memcpy(word, argv, (size_t)argc * sizeof *word);
    word[0] = name;
    struct hd_args args;
    struct hd_problem problem = {0};
    if (hd_args_parse(options, OPTIONS, sub->bit, argc, word, &args, &problem)) {
        if (args.help)
            hd_args_help(stdout, sub->help, options, OPTIONS, sub->bit);
        else if (args.words != 1)
            hd_usage(&problem, "%s: %s; expected one file", sub->full_name,
                     args.words ? "more than one file" : "no file");
        else
            sub->run(&args, &problem);
    }
    hd_args_free(&args);
    free(word);
    free(name);
    return problem.exit_code ? hd_problem_print(&problem) : HD_EXIT_OK;
}

int hd_command_trace(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return HD_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help();
        return HD_EXIT_OK;
    }
    const char *names[SUBCOMMANDS];
    for (int i = 0; i < SUBCOMMANDS; i++) {
        names[i] = subcommands[i].name;
        if (strcmp(argv[1], names[i]) == 0)
            return run(&subcommands[i], argc - 1, argv + 1);
    }
    struct hd_problem problem = {0};
    const char *near = hd_nearest(argv[1], names, SUBCOMMANDS);
    hd_usage(&problem, "trace %s: no such command; %s%s", argv[1],
             near ? "the nearest is " : "expected info or synth", near ? near : "");
    return hd_problem_print(&problem);
}
