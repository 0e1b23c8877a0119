/* How fast the engine simulates: requests and iterations per second of one core, with
 * everything counted (paged KV, preemption, both attainments, histograms, blame).
 *
 *   engine_bench [--runs N] [--copies N] [--only NAME, or part of names]
 *
 * Thread CPU time of the run alone: the trace is in memory before it begins. Cases are
 * run in turn, N times round, so that a busy minute of the machine falls on all of
 * them; medians, with the least and the most; ratios are those of one round, then the
 * median. Prints Markdown. */
#include <gsl/gsl_sort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/units.h"
#include "bench/conv_world.h"
#include "measure/pass.h"
#include "policy/builtin.h"

enum { RUNS_MAX = 99, INSTANCES = 8 };

struct bench { /* a case */
    const char *name;
    double speed; /* of arrivals */
    enum hd_builtin policy;
    double ttft_s, tbt_s;
    bool step;
    bool few; /* slow: a tenth of the requests */
    struct conv_world world;
    double requests_s[RUNS_MAX], iterations_s[RUNS_MAX];
    double token, ratio, segments;
    int64_t requests;
};

static struct bench bench[] = {
    {.name = "round robin in C", .speed = 1, .policy = HD_BUILTIN_ROUND_ROBIN},
    {.name = "dedicated in C", .speed = 1, .policy = HD_BUILTIN_DEDICATED},
    {.name = "round robin in C, tight SLO",
     .speed = 1,
     .policy = HD_BUILTIN_ROUND_ROBIN,
     .ttft_s = 0.5,
     .tbt_s = 0.04},
    {.name = "round robin in C, heavy (arrivals x2)",
     .speed = 2,
     .policy = HD_BUILTIN_ROUND_ROBIN},
    {.name = "round robin in C, `--step`",
     .speed = 1,
     .policy = HD_BUILTIN_ROUND_ROBIN,
     .step = true,
     .few = true},
};
enum { CASES = sizeof bench / sizeof *bench };

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void run(struct bench *b, int round) {
    struct conv_world *w = &b->world;
    struct hd_measure *m = conv_world_measure(w);
    struct hd_policy *policy = hd_builtin_new(b->policy, 0, 1);
    struct hd_err note = {0}, err = {0};
    double before = cpu_s();
    enum hd_run_end end = hd_run(&w->config, policy, m, &note, &err);
    double seconds = cpu_s() - before;
    if (end != HD_RUN_WHOLE) {
        fprintf(stderr, "engine_bench: %s: %s%s\n", b->name, err.text, note.text);
        exit(1);
    }
    b->requests = m->measured;
    b->requests_s[round] = (double)m->measured / seconds;
    b->iterations_s[round] = (double)m->iterations / seconds;
    b->segments = (double)m->segments / (double)m->measured;
    b->token = hd_attained(m, HD_METRIC_TOKEN, -1, 1);
    b->ratio = hd_attained(m, HD_METRIC_RATIO, -1, 1);
    hd_builtin_free(policy);
    hd_measure_free(m);
}

static double median(const double *value, int count) {
    double sorted[RUNS_MAX];
    memcpy(sorted, value, sizeof *sorted * (size_t)count);
    gsl_sort(sorted, 1, (size_t)count);
    return count % 2 ? sorted[count / 2]
                     : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static double least(const double *value, int count, double sign) {
    double best = value[0];
    for (int n = 1; n < count; n++)
        if (sign * value[n] < sign * best) best = value[n];
    return best;
}

static void print_line(const struct bench *b, const struct bench *first, int runs) {
    double against[RUNS_MAX];
    for (int n = 0; n < runs; n++) against[n] = b->requests_s[n] / first->requests_s[n];
    printf("| %s | %lld | %.4f / %.4f | %.2f | %.3f (%.3f to %.3f) | %.1f | %.2f |\n",
           b->name, (long long)b->requests, b->token, b->ratio, b->segments,
           median(b->requests_s, runs) / 1e6, least(b->requests_s, runs, 1) / 1e6,
           least(b->requests_s, runs, -1) / 1e6, median(b->iterations_s, runs) / 1e6,
           median(against, runs));
}

static int whole(const char *text, long max) {
    long number;
    struct hd_err err = {0};
    if (text && hd_parse_integer(text, 1, max, &number, &err)) return (int)number;
    fprintf(stderr, "engine_bench: expected a whole number from 1 to %ld\n", max);
    exit(2);
}

int main(int argc, char **argv) {
    int runs = 9, copies = 50;
    const char *only = "";
    for (int n = 1; n < argc; n += 2) {
        if (strcmp(argv[n], "--runs") == 0) {
            runs = whole(argv[n + 1], RUNS_MAX);
        } else if (strcmp(argv[n], "--copies") == 0) {
            copies = whole(argv[n + 1], 500);
        } else if (strcmp(argv[n], "--only") == 0 && argv[n + 1]) {
            only = argv[n + 1];
        } else {
            fprintf(stderr, "engine_bench: %s: expected --runs, --copies or --only\n",
                    argv[n]);
            return 2;
        }
    }
    struct conv *conv[CASES] = {0};
    struct bench *chosen[CASES];
    int cases = 0;
    bool exact = false;
    for (int n = 0; n < CASES; n++) exact |= strcmp(bench[n].name, only) == 0;
    for (int n = 0; n < CASES; n++) {
        struct bench *b = &bench[n];
        if (!strstr(b->name, only) || (exact && strcmp(b->name, only) != 0)) continue;
        conv[n] = conv_load(b->few ? (copies + 9) / 10 : copies, b->speed);
        conv_world_make(&b->world, conv[n], INSTANCES);
        b->world.config.step = b->step;
        if (b->ttft_s > 0) {
            b->world.model.ttft = hd_tick_from_s(b->ttft_s);
            b->world.model.tbt = hd_tick_from_s(b->tbt_s);
        }
        chosen[cases++] = b;
    }
    if (cases == 0) {
        fprintf(stderr, "engine_bench: no case is called '%s'\n", only);
        return 2;
    }
    const struct conv *c = chosen[0]->world.conv;
    printf("%s, mean %lld tokens in and %lld out, on %d instances; %d rounds.\n\n",
           c->real ? "Azure conversations of 2023, repeated"
                   : "No data at hand: generated arrivals like Azure's conversations",
           (long long)(c->input / c->rows), (long long)(c->output / c->rows), INSTANCES,
           runs);
    printf("| policy | requests | attained T / Q | segments per request | M requests/s "
           "(least to most) | M iterations/s | against the first |\n"
           "|---|---|---|---|---|---|---|\n");
    for (int round = 0; round < runs; round++)
        for (int n = 0; n < cases; n++) run(chosen[n], round);
    for (int n = 0; n < cases; n++) print_line(chosen[n], chosen[0], runs);
    for (int n = 0; n < cases; n++) conv_world_free(&chosen[n]->world);
    for (int n = 0; n < CASES; n++)
        if (conv[n]) conv_free(conv[n]);
    return 0;
}
