/* The words of a command line, read against one table of options. The same table
 * renders the help, so that the two cannot disagree. */
#ifndef HD_COMMAND_ARGS_H
#define HD_COMMAND_ARGS_H

#include <stdbool.h>
#include <stdio.h>

#include "command/problem.h"

enum hd_option_group { /* the question that an option answers */
                       HD_GROUP_WHAT,
                       HD_GROUP_WHEN,
                       HD_GROUP_JUDGED,
                       HD_GROUP_SERVED,
                       HD_GROUP_RUN,
                       HD_GROUP_WRITTEN,
                       HD_GROUPS
};

struct hd_option {
    enum hd_option_group group;
    unsigned commands;    /* bits of the commands that take it */
    const char *name;     /* without the dashes; NULL: in scenario files only */
    const char *value;    /* "TIME"; NULL: a switch */
    const char *key;      /* where a scenario file has it; NULL: nowhere */
    const char *fallback; /* the default as a user would write it, or NULL */
    bool repeats;
    const char *help;
};

struct hd_given {
    const struct hd_option *option;
    const char *value; /* "" for a switch; lives as long as argv */
};

struct hd_args {
    struct hd_given *given; /* in the order of the command line */
    int count, capacity;
    const char **word; /* what is no option */
    int words, words_capacity;
    bool help; /* --help or -h was among them: nothing else was checked */
};

/* Reads `--name value` and `--name=value`; "--" ends the options. Only options of
 * the command's bit count. False names the place and the nearest option. */
bool hd_args_parse(const struct hd_option *table, int options, unsigned command,
                   int argc, char **argv, struct hd_args *, struct hd_problem *);
void hd_args_free(struct hd_args *);

/* The last value given for that option, "" for a switch, NULL: not given. */
const char *hd_args_get(const struct hd_args *, const char *name);

struct hd_help {
    const char *usage;      /* "hotdesk compare [options]" */
    const char *does;       /* a sentence or two */
    const char *example[2]; /* each runs in a fresh clone */
};
void hd_args_help(FILE *, const struct hd_help *, const struct hd_option *table,
                  int options, unsigned command);

#endif
