/* The order of things, the budget and the account. */
#include "suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "clock_log.h"
#include "result_file.h"
#include "supervise.h"

/* A quantity looks at its deadline between rows alone: a row begun in time may end
 * after it, and whatever hangs is stopped. */
#define OVERRUN_FACTOR 1.25
#define OVERRUN_S 45.0

enum { EXIT_INTERRUPTED = 130 };

struct job {
    const struct suite *suite;
    const struct quantity *quantity;
    struct session session;
};

static void run_job(void *argument) {
    struct job *job = argument;
    job->suite->measure(job->suite->context, job->quantity, &job->session);
    session_end(&job->session);
}

static bool wanted(const struct suite *suite, int i) {
    return options_want(suite->options, suite->table[i]->name);
}

/* The time from now on that quantity i may take. */
static double share_s(const struct suite *suite, int i, double left_s) {
    double shares = 0;
    for (int j = i; j < suite->count; j++)
        if (wanted(suite, j)) shares += suite->table[j]->share;
    return left_s > 0 ? left_s * suite->table[i]->share / shares : 0;
}

static struct outcome run_one(const struct suite *suite, int i, double left_s,
                              struct result_file *file, struct tally *tally) {
    double share = share_s(suite, i, left_s);
    struct job job = {suite,
                      suite->table[i],
                      {.quantity = suite->table[i]->name,
                       .gpu = suite->gpu,
                       .driver = suite->driver,
                       .quick = suite->options->quick,
                       .seed = suite->options->seed,
                       .deadline_s = now_s() + share,
                       .file = file,
                       .tally = tally,
                       .terminal = isatty(STDERR_FILENO),
                       .left = -1}};
    return supervise(run_job, &job, share * OVERRUN_FACTOR + OVERRUN_S);
}

static void say_counts(const struct tally *t) {
    fprintf(stderr, "%ld rows written", t->written);
    if (t->missing) fprintf(stderr, ", %ld or more missing (no time left)", t->missing);
    if (t->withheld) fprintf(stderr, ", %ld withheld by failed checks", t->withheld);
    if (t->failed) fprintf(stderr, ", %ld failed", t->failed);
    if (t->skipped) fprintf(stderr, ", %ld skipped", t->skipped);
    if (t->dropped)
        fprintf(stderr, ", %ld samples dropped (clock below 0.75 of the default)",
                t->dropped);
    if (t->low_clock) fprintf(stderr, ", %ld rows at a low clock", t->low_clock);
    fputc('\n', stderr);
}

/* False: the user wants no more. */
static bool account(const struct suite *suite, int i, const struct outcome *outcome,
                    const struct tally *before, struct tally *tally) {
    char why[128];
    outcome_text(outcome, why, sizeof why);
    fprintf(stderr, "%-18s %6.1f s  %5ld rows%s%s\n", suite->table[i]->name,
            outcome->seconds, tally->written - before->written, why[0] ? "  " : "",
            why);
    if (outcome->interrupted) return false;
    if (why[0]) tally->failed++;
    return true;
}

static struct clock_log *begin_log(const struct suite *suite, const char *path) {
    if (!suite->bus_id) return NULL;
    size_t length = strlen(path);
    if (length > 4 && strcmp(path + length - 4, ".csv") == 0) length -= 4;
    char *beside = hd_format("%.*s-clocks.csv", (int)length, path);
    struct clock_log *log = clock_log_begin(beside, suite->bus_id);
    free(beside);
    return log;
}

static void say_cut(const char *path, long bytes) {
    if (bytes > 0)
        fprintf(stderr, "%s: removed a last line without its end (%ld bytes)\n", path,
                bytes);
}

int suite_run(const struct suite *suite, const char *path) {
    struct hd_err err = {0};
    long cut;
    struct result_file *file =
        result_file_open(path, suite->gpu, suite->driver, &cut, &err);
    if (!file) {
        fprintf(stderr, "hotdesk-bench: %s\n", err.text);
        return 1;
    }
    say_cut(path, cut);
    if (result_file_rows(file) > 0)
        fprintf(stderr, "%s: goes on behind %ld rows\n", path, result_file_rows(file));
    struct clock_log *log = begin_log(suite, path);
    struct tally *tally = shared_memory(sizeof *tally);
    double until = now_s() + suite->options->budget_s;
    bool go_on = true;
    for (int i = 0; i < suite->count && go_on; i++) {
        if (!wanted(suite, i)) continue;
        struct tally before = *tally;
        struct outcome outcome = run_one(suite, i, until - now_s(), file, tally);
        go_on = account(suite, i, &outcome, &before, tally);
        if (!result_file_catch_up(file, &cut, &err)) {
            fprintf(stderr, "hotdesk-bench: %s\n", err.text);
            tally->failed++;
            break;
        }
        say_cut(path, cut);
    }
    say_counts(tally);
    fprintf(stderr, "wrote %s (%ld rows)\n", path, result_file_rows(file));
    int status = tally->failed ? 1 : 0;
    clock_log_end(log);
    munmap(tally, sizeof *tally);
    result_file_close(file);
    return go_on ? status : EXIT_INTERRUPTED;
}

void suite_list(FILE *out, const struct quantity *const *table, int count) {
    for (int i = 0; i < count; i++)
        fprintf(out, "%-18s %s\n", table[i]->name, table[i]->about);
}
