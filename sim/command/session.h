/* What replay and compare have in common: from argv to a question that is ready to
 * run, and from a result to streams, folder and exit code. */
#ifndef HD_COMMAND_SESSION_H
#define HD_COMMAND_SESSION_H

#include <time.h>

#include "command/resolve.h"
#include "plan/report.h"

struct hd_session {
    struct hd_args args;
    struct hd_asked asked;
    struct hd_resolved resolved;
    struct hd_report report;
    struct hd_outdir *out; /* NULL without --out; spent once results are written */
    struct timespec start;
    FILE *talk; /* where the table goes: stdout, stderr beside --json, or NULL */
    enum hd_format_out { HD_OUT_TABLE, HD_OUT_JSON, HD_OUT_CSV } format;
    bool quiet, verbose;
    bool finished; /* there is nothing to run: help or --print-scenario was asked */
};

/* Reads the command line and all it names, and begins the output directory. False
 * with the problem; end with hd_session_end in any case. */
bool hd_session_begin(struct hd_session *, unsigned command, const struct hd_help *,
                      int argc, char **argv, struct hd_problem *);

/* Says what was asked and what the answer rests on, before the runs. */
void hd_session_header(const struct hd_session *);

/* Seconds since it began. */
double hd_session_elapsed_s(const struct hd_session *);

void hd_session_end(struct hd_session *);

#endif
