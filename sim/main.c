/* hotdesk: argv to command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/problem.h"
#include "command/version.h"

static int usage(FILE *out) {
    fputs("usage: hotdesk COMMAND [options]\n       COMMAND:", out);
    for (int i = 0; i < hd_commands_count; i++)
        fprintf(out, " %s", hd_commands[i].name);
    fputs("\n       `hotdesk --help` says what each does\n", out);
    return HD_EXIT_USAGE;
}

static int full_help(void) {
    printf("hotdesk simulates GPU pooling for LLM serving: which policy serves many "
           "models\non the fewest GPUs, and what that does to latency.\n\n"
           "usage: hotdesk COMMAND [options]\n\ncommands:\n");
    for (int i = 0; i < hd_commands_count; i++)
        printf("  %-10s %s\n", hd_commands[i].name, hd_commands[i].does);
    printf(
        "\n`hotdesk COMMAND --help` lists its options, `hotdesk --version` what it is "
        "built on.\n\nexamples:\n"
        "  hotdesk compare --scenario traces/demo.lua\n"
        "  hotdesk trace info traces/market40.csv\n");
    return HD_EXIT_OK;
}

static int unknown(const char *name) {
    struct hd_problem problem = {0};
    const char **names = hd_alloc((size_t)hd_commands_count * sizeof *names);
    for (int i = 0; i < hd_commands_count; i++) names[i] = hd_commands[i].name;
    const char *near = hd_nearest(name, names, hd_commands_count);
    free(names);
    if (near)
        hd_usage(&problem, "%s: no such command; the nearest is %s", name, near);
    else
        hd_usage(&problem, "%s: no such command; `hotdesk --help` lists them", name);
    return hd_problem_print(&problem);
}

static int run(int argc, char **argv) {
    if (argc < 2) return usage(stderr);
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return full_help();
    if (strcmp(name, "--version") == 0) return hd_print_version();
    for (int i = 0; i < hd_commands_count; i++)
        if (strcmp(name, hd_commands[i].name) == 0)
            return hd_commands[i].run(argc - 1, argv + 1);
    return unknown(name);
}

/* An answer that did not arrive is none. */
int main(int argc, char **argv) {
    struct hd_problem problem = {0};
    int code = run(argc, argv);
    bool answered = code == HD_EXIT_OK || code == HD_EXIT_NO;
    return answered && !hd_stdout_flush(&problem) ? hd_problem_print(&problem) : code;
}
