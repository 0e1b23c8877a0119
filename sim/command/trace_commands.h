/* The subcommands of `hotdesk trace`: each is a file that fills in one of these.
 * Internal to the trace command. */
#ifndef HD_COMMAND_TRACE_COMMANDS_H
#define HD_COMMAND_TRACE_COMMANDS_H

#include "command/args.h"

enum { HD_TRACE_WORDS_SEVERAL = -1 }; /* two files or more */

struct hd_trace_command {
    const char *name, *full_name;   /* "synth", "trace synth" */
    int words;                      /* files that it takes, or HD_TRACE_WORDS_SEVERAL */
    const struct hd_option *option; /* their `commands` is 1 */
    int options;
    const struct hd_help *help;
    bool (*run)(const struct hd_args *, struct hd_problem *);
    /* In place of run, words and options: reads its words itself (argv[0] is
     * "trace NAME") and returns the exit code. */
    int (*run_words)(int argc, char **argv);
};

extern const struct hd_trace_command hd_trace_info, hd_trace_synth, hd_trace_fit,
    hd_trace_compare, hd_trace_convert, hd_trace_cut, hd_trace_scale, hd_trace_merge,
    hd_trace_sample, hd_trace_anonymise, hd_trace_check;

#endif
