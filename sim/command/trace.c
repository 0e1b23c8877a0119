/* hotdesk trace: one file per subcommand; here they are found. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/args.h"
#include "command/command.h"
#include "command/trace_commands.h"
#include "command/trace_info.h"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "format", "FORMAT", NULL, "by the header", false,
     "native, dated, azure, aegaeon, burstgpt, vidur or arena"},
    {HD_GROUP_WHAT, 1, "sort", NULL, NULL, NULL, false,
     "put rows in order of time; without it disorder is an error"},
    {HD_GROUP_WHEN, 1, "from", "CLOCK", NULL, "its first request", false,
     "on the trace's own clock: +2h, 13:00 or 2026-11-17 13:00"},
    {HD_GROUP_WHEN, 1, "to", "CLOCK", NULL, "its last request", false,
     "as --from; requests at this instant are left out"},
    {HD_GROUP_JUDGED, 1, "service-time", "TIME", NULL, "16.79s", false,
     "how long a request keeps its model active"},
    {HD_GROUP_WRITTEN, 1, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
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

/* ---- the command --------------------------------------------------------- */

static const struct hd_trace_command info_command = {
    .name = "info",
    .full_name = "trace info",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &info_help,
    .run = info,
};

static const struct hd_trace_command *const commands[] = {&info_command,
                                                          &hd_trace_synth};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *out) {
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "%s%s\n", i ? "       " : "usage: ", commands[i]->help->usage);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(out, "%shotdesk trace %s --help",
                i ? ", " : "more:  ", commands[i]->name);
    fputc('\n', out);
}

static void help(void) {
    usage(stdout);
    for (int i = 0; i < COMMANDS; i++)
        printf("\n%s\nexamples:\n  %s\n  %s\n", commands[i]->help->does,
               commands[i]->help->example[0], commands[i]->help->example[1]);
}

static bool right_words(const struct hd_trace_command *c, const struct hd_args *args,
                        struct hd_problem *problem) {
    if (args->words == c->words) return true;
    if (c->words == 1)
        return hd_usage(problem, "%s: %s; expected one file", c->full_name,
                        args->words ? "more than one file" : "no file");
    return hd_usage(problem, "%s: %d file%s; expected %d", c->full_name, args->words,
                    args->words == 1 ? "" : "s", c->words);
}

static int run(const struct hd_trace_command *c, int argc, char **argv) {
    char *name = hd_strdup(c->full_name); /* who speaks in messages */
    char **word = hd_alloc((size_t)(argc + 1) * sizeof *word);
    memcpy(word, argv, (size_t)argc * sizeof *word);
    word[0] = name;
    struct hd_args args;
    struct hd_problem problem = {0};
    if (hd_args_parse(c->option, c->options, 1, argc, word, &args, &problem)) {
        if (args.help)
            hd_args_help(stdout, c->help, c->option, c->options, 1);
        else if (right_words(c, &args, &problem))
            c->run(&args, &problem);
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
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) {
        names[i] = commands[i]->name;
        if (strcmp(argv[1], names[i]) == 0) return run(commands[i], argc - 1, argv + 1);
    }
    struct hd_problem problem = {0};
    const char *near = hd_nearest(argv[1], names, COMMANDS);
    hd_usage(&problem, "trace %s: no such command; %s%s", argv[1],
             near ? "the nearest is " : "`hotdesk trace --help` lists them",
             near ? near : "");
    return hd_problem_print(&problem);
}
