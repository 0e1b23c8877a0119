/* A trace on one page: `hotdesk trace info --plot`. Internal to this room. */
#ifndef HD_COMMAND_TRACE_PLOT_H
#define HD_COMMAND_TRACE_PLOT_H

#include "command/trace_about.h"

/* Draws `path`, a .png, and puts the gnuplot script with its data beside it, as .gp.
 * replace: these may be there. False with one line in err if either cannot be made;
 * then what was there before still is. */
bool hd_trace_plot(const struct hd_trace_about *, const char *path, bool replace,
                   struct hd_err *err);

/* The script: whole, with its data, drawing `picture` in the folder it is run in. */
void hd_trace_plot_script(const struct hd_trace_about *, const char *picture, FILE *);

#endif
