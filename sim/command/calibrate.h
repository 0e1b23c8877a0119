/* The words of `hotdesk calibrate`: each is a file calibrate_WORD.c. */
#ifndef HD_COMMAND_CALIBRATE_H
#define HD_COMMAND_CALIBRATE_H

#include "command/args.h"

struct hd_calibrate_word {
    const char *name, *full_name; /* "fit", "calibrate fit": who speaks in messages */
    const struct hd_option *options; /* their command's bit is 1 */
    int count;
    const struct hd_help *help;
    int least, most;     /* further words that it takes; most -1: any number */
    const char *expects; /* what these are, for a person */
    bool (*run)(const struct hd_args *, struct hd_problem *);
};

/* Whether a folder of published measurements can be one: has `part`, kernels or
 * measured, in it. False with the problem. */
bool hd_calibrate_has(const char *data, const char *part, struct hd_problem *);

extern const struct hd_calibrate_word hd_calibrate_check, hd_calibrate_compare,
    hd_calibrate_fit, hd_calibrate_import, hd_calibrate_kernels, hd_calibrate_log,
    hd_calibrate_plot, hd_calibrate_show;

#endif
