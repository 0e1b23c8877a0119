/* hotdesk help: a command's options, or a topic. */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/options.h"
#include "command/topics.h"
#include "command/trace_about.h"
#include "command/trace_compare.h"
#include "plan/report.h"

static int list(void) {
    printf("usage: hotdesk help COMMAND | TOPIC\n\ncommands:\n ");
    for (int i = 0; i < hd_commands_count; i++)
        if (hd_commands[i].run != hd_command_help) printf(" %s", hd_commands[i].name);
    printf("\n\ntopics:\n");
    for (int i = 0; i < hd_topics_count; i++)
        printf("  %-10s %s\n", hd_topics[i].name, hd_topics[i].about);
    printf("  %-10s every file of results: names, units and meanings\n", "schema");
    printf("  %-10s scenario files; `help scenario NAME` prints one to start from\n",
           "scenario");
    return HD_EXIT_OK;
}

static int nearest(const char *what, const char *word, const char *const *names,
                   int count) {
    struct hd_problem problem = {0};
    const char *near = hd_nearest(word, names, count);
    hd_usage(&problem, "help %s: no such %s; %s%s", word, what,
             near ? "the nearest is " : "`hotdesk help` lists them", near ? near : "");
    return hd_problem_print(&problem);
}

/* Every key that a scenario may have, from the table of options. */
static void keys(void) {
    for (int i = 0; i < hd_options_count; i++) {
        const struct hd_option *o = &hd_options[i];
        bool again = false; /* the row of the other command */
        for (int k = 0; k < i && o->key; k++)
            again |= hd_options[k].key && strcmp(hd_options[k].key, o->key) == 0;
        if (!o->key || again || strcmp(o->key, "slo") == 0) continue;
        const char *name = o->name                         ? o->name
                           : strcmp(o->key, "slo.classes") ? "slo"
                                                           : NULL;
        printf("  %-24s %s%s\n", o->key, name ? "--" : "no option", name ? name : "");
    }
}

static int scenario(const char *name) {
    const char *names[8];
    if (!name) {
        printf(
            "A scenario file is Lua that returns a table of settings. Options override "
            "it, and\n`--print-scenario` prints all settings in force as such a file. "
            "`csv \"FILE\"` names\na file; paths are relative to the scenario. One "
            "file serves both commands: where\n"
            "`compare` takes a list, `replay` takes its first entry.\n\n"
            "examples to start from:\n");
        for (int i = 0; i < hd_example_scenarios_count; i++)
            printf("  hotdesk help scenario %-11s %s\n", hd_example_scenarios[i].name,
                   hd_example_scenarios[i].about);
        printf("\nkeys, with the option that says the same:\n");
        keys();
        return HD_EXIT_OK;
    }
    for (int i = 0; i < hd_example_scenarios_count; i++) {
        names[i] = hd_example_scenarios[i].name;
        if (strcmp(name, names[i]) != 0) continue;
        fputs(hd_example_scenarios[i].text, stdout);
        return HD_EXIT_OK;
    }
    return nearest("scenario", name, names, hd_example_scenarios_count);
}

int hd_command_help(int argc, char **argv) {
    const char *names[64];
    int count = 0;
    if (argc < 2) return list();
    const char *topic = argv[1];
    if (argc > 2 && strcmp(topic, "scenario") != 0) {
        struct hd_problem problem = {0};
        hd_usage(&problem, "help %s %s: one topic at a time", topic, argv[2]);
        return hd_problem_print(&problem);
    }
    if (strcmp(topic, "scenario") == 0) return scenario(argc > 2 ? argv[2] : NULL);
    if (strcmp(topic, "schema") == 0) {
        hd_report_schema(stdout);
        hd_trace_about_schema(stdout);
        hd_trace_compare_schema(stdout);
        return HD_EXIT_OK;
    }
    for (int i = 0; i < hd_commands_count; i++) {
        if (hd_commands[i].run == hd_command_help) continue;
        if (strcmp(topic, hd_commands[i].name) == 0) {
            char *words[] = {argv[1], "--help", NULL};
            return hd_commands[i].run(2, words);
        }
        names[count++] = hd_commands[i].name;
    }
    for (int i = 0; i < hd_topics_count; i++) {
        if (strcmp(topic, hd_topics[i].name) == 0) {
            fputs(hd_topics[i].text, stdout);
            return HD_EXIT_OK;
        }
        names[count++] = hd_topics[i].name;
    }
    names[count++] = "schema";
    names[count++] = "scenario";
    return nearest("topic", topic, names, count);
}
