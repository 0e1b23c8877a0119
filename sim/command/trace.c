/* hotdesk trace: one file per subcommand; here they are found. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/args.h"
#include "command/command.h"
#include "command/trace_commands.h"

static const struct hd_trace_command *const commands[] = {
    &hd_trace_info,  &hd_trace_check, &hd_trace_convert, &hd_trace_cut,
    &hd_trace_scale, &hd_trace_merge, &hd_trace_sample,  &hd_trace_anonymise,
    &hd_trace_synth, &hd_trace_fit,   &hd_trace_compare};
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
    if (c->words == HD_TRACE_WORDS_SEVERAL)
        return args->words > 1 ||
               hd_usage(problem, "%s: %d file%s; expected two or more", c->full_name,
                        args->words, args->words == 1 ? "" : "s");
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
    if (c->run_words) {
        int code = c->run_words(argc, word);
        free(word);
        free(name);
        return code;
    }
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
