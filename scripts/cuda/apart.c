/* A child that reports through shared memory. */
#include "apart.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "supervise.h"

struct call {
    const struct apart *apart;
    struct apart_report *report;
};

static void run_call(void *argument) {
    struct call *call = argument;
    call->apart->work(call->apart->argument, call->report);
}

int apart_run(const struct apart *apart, const char *name, double *seconds) {
    struct apart_report *report = shared_memory(sizeof *report);
    struct call call = {apart, report};
    struct outcome outcome = supervise(run_call, &call, apart->limit_s);
    char why[128];
    outcome_text(&outcome, why, sizeof why);
    int count = report->count;
    if (why[0]) {
        fprintf(stderr, "\n%s: in a process of its own: %s\n", name, why);
        count = -1;
    } else {
        memcpy(seconds, report->seconds, (size_t)count * sizeof *seconds);
    }
    munmap(report, sizeof *report);
    return count;
}
