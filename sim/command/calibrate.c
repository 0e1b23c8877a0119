/* hotdesk calibrate: measurements in, coefficients and their errors out. */
#include "command/calibrate.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "command/command.h"

static const struct hd_calibrate_word *const words[] = {
    &hd_calibrate_import,  &hd_calibrate_show, &hd_calibrate_plot,
    &hd_calibrate_compare, &hd_calibrate_fit,  &hd_calibrate_log,
    &hd_calibrate_kernels, &hd_calibrate_check};
enum { WORDS = sizeof words / sizeof *words };

static void usage(FILE *out) {
    for (int n = 0; n < WORDS; n++)
        fprintf(out, "%s %s\n", n ? "      " : "usage:", words[n]->help->usage);
    fputs("more:  hotdesk calibrate WORD --help\n", out);
}

static void help(void) {
    usage(stdout);
    for (int n = 0; n < WORDS; n++)
        printf("\n%s\nexamples:\n  %s\n  %s\n", words[n]->help->does,
               words[n]->help->example[0], words[n]->help->example[1]);
}

bool hd_calibrate_has(const char *data, const char *part, struct hd_problem *problem) {
    char *path = hd_format("%s/%s", data, part);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there || hd_bad_input(problem,
                                 "%s: no %s/ there; expected the folder of the "
                                 "published measurements (--data)",
                                 data, part);
}

static int run(const struct hd_calibrate_word *word, int argc, char **argv) {
    char *name = hd_strdup(word->full_name);
    char **rest = hd_alloc((size_t)(argc + 1) * sizeof *rest);
    memcpy(rest, argv, (size_t)argc * sizeof *rest);
    rest[0] = name;
    struct hd_args args;
    struct hd_problem problem = {0};
    if (hd_args_parse(word->options, word->count, 1, argc, rest, &args, &problem)) {
        if (args.help)
            hd_args_help(stdout, word->help, word->options, word->count, 1);
        else if (args.words < word->least)
            hd_usage(&problem, "%s: %s; expected %s", word->full_name,
                     args.words ? "a word too few" : "nothing named", word->expects);
        else if (word->most >= 0 && args.words > word->most)
            hd_usage(&problem, "%s: '%s' is one word too many; expected %s",
                     word->full_name, args.word[word->most], word->expects);
        else
            word->run(&args, &problem);
    }
    hd_args_free(&args);
    free(rest);
    free(name);
    return problem.exit_code ? hd_problem_print(&problem) : HD_EXIT_OK;
}

/* "import, show or fit": all words. */
static void list_words(char *text, size_t bytes) {
    size_t at = 0;
    for (int n = 0; n < WORDS && at < bytes; n++)
        at += (size_t)snprintf(text + at, bytes - at, "%s%s",
                               n == 0           ? ""
                               : n == WORDS - 1 ? " or "
                                                : ", ",
                               words[n]->name);
}

int hd_command_calibrate(int argc, char **argv) {
    if (argc < 2) {
        usage(stderr);
        return HD_EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        help();
        return HD_EXIT_OK;
    }
    const char *names[WORDS];
    for (int n = 0; n < WORDS; n++) {
        names[n] = words[n]->name;
        if (strcmp(argv[1], names[n]) == 0) return run(words[n], argc - 1, argv + 1);
    }
    struct hd_problem problem = {0};
    const char *near = hd_nearest(argv[1], names, WORDS);
    char list[256];
    list_words(list, sizeof list);
    hd_usage(&problem, "calibrate %s: no such command; %s%s", argv[1],
             near ? "the nearest is " : "expected ", near ? near : list);
    return hd_problem_print(&problem);
}
