/* hotdesk: argv to command. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "command/command.h"
#include "command/problem.h"
#include "command/version.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *does;
} commands[] = {
    {"replay", hd_command_replay, "one trace, fleet and policy: what came of it"},
    {"compare", hd_command_compare, "the fewest GPUs that each policy needs"},
    {"trace", hd_command_trace, "info: what a trace is like; synth: draw a market"},
    {"policy", hd_command_policy, "list, show, check and start policies"},
    {"catalog", hd_command_catalog, "the GPUs and models that are known"},
    {"calibrate", hd_command_calibrate, "fit the timing model and check it"},
    {"help", hd_command_help, "a command, or a topic: `hotdesk help` lists them"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int usage(FILE *out) {
    fprintf(out, "usage: hotdesk COMMAND [options]\n"
                 "       COMMAND: replay compare trace policy catalog calibrate help\n"
                 "       `hotdesk --help` says what each does\n");
    return HD_EXIT_USAGE;
}

static int full_help(void) {
    printf("hotdesk simulates GPU pooling for LLM serving: which policy serves many "
           "models\non the fewest GPUs, and what that does to latency.\n\n"
           "usage: hotdesk COMMAND [options]\n\ncommands:\n");
    for (int i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].does);
    printf(
        "\n`hotdesk COMMAND --help` lists its options, `hotdesk --version` what it is "
        "built on.\n\nexamples:\n"
        "  hotdesk compare --scenario traces/demo.lua\n"
        "  hotdesk trace info traces/market40.csv\n");
    return HD_EXIT_OK;
}

static int unknown(const char *name) {
    struct hd_problem problem = {0};
    const char *names[COMMANDS];
    for (int i = 0; i < COMMANDS; i++) names[i] = commands[i].name;
    const char *near = hd_nearest(name, names, COMMANDS);
    if (near)
        hd_usage(&problem, "%s: no such command; the nearest is %s", name, near);
    else
        hd_usage(&problem, "%s: no such command; `hotdesk --help` lists them", name);
    return hd_problem_print(&problem);
}

int main(int argc, char **argv) {
    if (argc < 2) return usage(stderr);
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) return full_help();
    if (strcmp(name, "--version") == 0) return hd_print_version();
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i].name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    return unknown(name);
}
