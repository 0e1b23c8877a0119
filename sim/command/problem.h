/* Why a command stops: one line for a person, at most one hint, and the exit code.
 * A mistake on the command line is usage (2); one in a file is bad input (1). */
#ifndef HD_COMMAND_PROBLEM_H
#define HD_COMMAND_PROBLEM_H

#include <stdbool.h>

#include "base/err.h"

enum { HD_EXIT_OK = 0, HD_EXIT_BAD = 1, HD_EXIT_USAGE = 2, HD_EXIT_NO = 3 };

struct hd_problem {
    struct hd_err err;
    char hint[512]; /* a command that can be pasted, or empty */
    int exit_code;  /* 0 while nothing went wrong */
};

/* "PLACE: what is wrong; what was expected", exit 2 or 1. Return false; the first
 * one stands. The third: "what does not hold", exit 3. */
bool hd_usage(struct hd_problem *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool hd_bad_input(struct hd_problem *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

bool hd_answer_no(struct hd_problem *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds the hint; returns false. */
bool hd_hint(struct hd_problem *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Flushes standard output; false, with the problem, when something was lost there (disk
 * full, closed). */
bool hd_stdout_flush(struct hd_problem *);

/* Prints it on stderr as "hotdesk: ..." and returns the exit code. */
int hd_problem_print(const struct hd_problem *);

#endif
