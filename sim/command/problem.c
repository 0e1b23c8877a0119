/* Problems on their way to stderr. */
#include "command/problem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool stop(struct hd_problem *problem, int exit_code, const char *format,
                 va_list args) {
    if (problem->exit_code == HD_EXIT_OK) {
        problem->exit_code = exit_code;
        hd_vfail(&problem->err, format, args);
    }
    return false;
}

bool hd_usage(struct hd_problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    stop(problem, HD_EXIT_USAGE, format, args);
    va_end(args);
    return false;
}

bool hd_bad_input(struct hd_problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    stop(problem, HD_EXIT_BAD, format, args);
    va_end(args);
    return false;
}

bool hd_answer_no(struct hd_problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    stop(problem, HD_EXIT_NO, format, args);
    va_end(args);
    return false;
}

bool hd_hint(struct hd_problem *problem, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (problem->hint[0] == '\0')
        vsnprintf(problem->hint, sizeof problem->hint, format, args);
    va_end(args);
    return false;
}

bool hd_stdout_flush(struct hd_problem *problem) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    return hd_bad_input(problem, "standard output: %s; the result is not whole there",
                        strerror(errno));
}

int hd_problem_print(const struct hd_problem *problem) {
    fprintf(stderr, "hotdesk: %s\n", problem->err.text);
    if (problem->hint[0]) fprintf(stderr, "hint: %s\n", problem->hint);
    return problem->exit_code;
}
