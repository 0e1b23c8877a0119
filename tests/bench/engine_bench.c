/* How fast the engine simulates: requests and iterations per second of one core, with
 * everything counted (paged KV, preemption, both attainments, histograms, blame).
 *
 *   engine_bench [--runs N] [--copies N] [--market FILE] [--only NAME, or part of
 * names]
 *
 * FILE: what `hotdesk trace synth tests/bench/market100.lua` draws; without it that
 * case is left out.
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

#include "base/home.h"
#include "base/mem.h"
#include "base/units.h"
#include "bench/conv_world.h"
#include "bench/market_world.h"
#include "measure/pass.h"
#include "policy/builtin.h"
#include "policy/host.h"

enum { RUNS_MAX = 99, INSTANCES = 8, MANY = 1000 };

struct bench {                  /* a case */
    const char *name, *against; /* against: the case that ratios are taken with */
    double speed;               /* of arrivals; 0: the market */
    int instances;              /* 0: INSTANCES */
    enum hd_builtin policy;
    const char *script; /* in Lua, instead of `policy` */
    const char *fleet;  /* of the market given as --market; NULL: of the bundled one */
    double ttft_s, tbt_s;
    bool step;
    bool few; /* slow: a tenth of the requests */

    struct conv *conv;
    struct conv_world world;
    struct market_world market;
    struct hd_script *read;
    double requests_s[RUNS_MAX], iterations_s[RUNS_MAX];
    double token, ratio, segments, callbacks;
    int64_t requests;
};

#define MARKET "market of 40 models on 16 GPUs, aegaeon in Lua"
#define FIRST "round robin in C"
static struct bench bench[] = {
    {.name = FIRST, .speed = 1, .policy = HD_BUILTIN_ROUND_ROBIN},
    {.name = FIRST ", tight SLO",
     .against = FIRST,
     .speed = 1,
     .policy = HD_BUILTIN_ROUND_ROBIN,
     .ttft_s = 0.5,
     .tbt_s = 0.04},
    {.name = FIRST ", arrivals x2",
     .against = FIRST,
     .speed = 2,
     .policy = HD_BUILTIN_ROUND_ROBIN},
    {.name = FIRST ", `--step`",
     .against = FIRST,
     .speed = 1,
     .policy = HD_BUILTIN_ROUND_ROBIN,
     .step = true,
     .few = true},
    {.name = FIRST ", 1,000 instances, arrivals x125",
     .against = FIRST,
     .speed = (double)MANY / INSTANCES,
     .instances = MANY,
     .policy = HD_BUILTIN_ROUND_ROBIN},
    {.name = "dedicated in C",
     .against = FIRST,
     .speed = 1,
     .policy = HD_BUILTIN_DEDICATED},
    {.name = "dedicated in Lua",
     .against = "dedicated in C",
     .speed = 1,
     .script = "dedicated"},
    {.name = MARKET, .script = "aegaeon"},
    {.name = MARKET ", `--step`", .against = MARKET, .script = "aegaeon", .step = true},
    {.name = "market of 100 models on 200 GPUs, aegaeon in Lua",
     .against = MARKET,
     .script = "aegaeon",
     .fleet = "H100:200"},
};
enum { CASES = sizeof bench / sizeof *bench };

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(bool fine, const struct bench *b, const char *why) {
    if (fine) return;
    fprintf(stderr, "engine_bench: %s: %s\n", b->name, why);
    exit(1);
}

static void make(struct bench *b, int copies, const char *market) {
    struct hd_err err = {0};
    if (b->script) {
        b->read = hd_script_load(b->script, &err);
        must(b->read, b, err.text);
    }
    if (b->speed <= 0) {
        char *bundled = hd_home_path("traces/market40.csv");
        market_world_make(&b->market, b->fleet ? market : bundled,
                          b->fleet ? b->fleet : "H100:16");
        free(bundled);
        return;
    }
    b->conv = conv_load(b->few ? (copies + 9) / 10 : copies, b->speed);
    conv_world_make(&b->world, b->conv, b->instances ? b->instances : INSTANCES);
    if (b->ttft_s <= 0) return;
    b->world.model.ttft = hd_tick_from_s(b->ttft_s);
    b->world.model.tbt = hd_tick_from_s(b->tbt_s);
}

static void unmake(struct bench *b) {
    hd_script_free(b->read);
    if (b->speed <= 0) {
        market_world_free(&b->market);
        return;
    }
    conv_world_free(&b->world);
    conv_free(b->conv);
}

static void run(struct bench *b, int round) {
    bool market = b->speed <= 0;
    struct hd_measure *m =
        market ? market_world_measure(&b->market) : conv_world_measure(&b->world);
    struct hd_run_config config = market ? b->market.scene.config : b->world.config;
    struct hd_err note = {0}, err = {0};
    struct hd_policy *policy =
        b->read ? hd_script_new(b->read, NULL, &err) : hd_builtin_new(b->policy, 0, 1);
    must(policy, b, err.text);
    config.step = b->step;
    double before = cpu_s();
    enum hd_run_end end = hd_run(&config, policy, m, &note, &err);
    double seconds = cpu_s() - before;
    must(end == HD_RUN_WHOLE, b, err.text[0] ? err.text : note.text);
    b->requests = market ? hd_setup_sent(b->market.setup, -1) : m->measured;
    double requests = (double)b->requests;
    b->requests_s[round] = requests / seconds;
    b->iterations_s[round] = (double)m->iterations / seconds;
    b->segments = (double)m->segments / requests;
    b->callbacks = (double)m->callbacks / requests;
    b->token = hd_attained(m, HD_METRIC_TOKEN, -1, 1);
    b->ratio = hd_attained(m, HD_METRIC_RATIO, -1, 1);
    if (b->read)
        hd_script_end(policy);
    else
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

static void print_line(const struct bench *b, int runs) {
    double against[RUNS_MAX];
    const struct bench *other = NULL;
    for (int n = 0; n < CASES && b->against; n++)
        if (strcmp(bench[n].name, b->against) == 0 && bench[n].requests)
            other = &bench[n];
    for (int n = 0; n < runs && other; n++)
        against[n] = b->requests_s[n] / other->requests_s[n];
    printf("| %s | %lld | %.4f / %.4f | %.2f | %.2f | %.3f (%.3f to %.3f) | %.1f |",
           b->name, (long long)b->requests, b->token, b->ratio, b->segments,
           b->callbacks, median(b->requests_s, runs) / 1e6,
           least(b->requests_s, runs, 1) / 1e6, least(b->requests_s, runs, -1) / 1e6,
           median(b->iterations_s, runs) / 1e6);
    if (other)
        printf(" %.2f of %s |\n", median(against, runs), other->name);
    else
        printf(" |\n");
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
    const char *only = "", *market = NULL;
    for (int n = 1; n < argc; n += 2) {
        if (strcmp(argv[n], "--runs") == 0) {
            runs = whole(argv[n + 1], RUNS_MAX);
        } else if (strcmp(argv[n], "--copies") == 0) {
            copies = whole(argv[n + 1], 500);
        } else if (strcmp(argv[n], "--only") == 0 && argv[n + 1]) {
            only = argv[n + 1];
        } else if (strcmp(argv[n], "--market") == 0 && argv[n + 1]) {
            market = argv[n + 1];
        } else {
            fprintf(stderr,
                    "engine_bench: %s: expected --runs, --copies, --market or --only\n",
                    argv[n]);
            return 2;
        }
    }
    bool exact = false;
    for (int n = 0; n < CASES; n++) exact |= strcmp(bench[n].name, only) == 0;
    struct bench *chosen[CASES];
    int cases = 0;
    for (int n = 0; n < CASES; n++)
        if ((market || !bench[n].fleet) &&
            (exact ? strcmp(bench[n].name, only) == 0
                   : strstr(bench[n].name, only) != NULL))
            chosen[cases++] = &bench[n];
    if (cases == 0) {
        fprintf(stderr, "engine_bench: no case is called '%s'\n", only);
        return 2;
    }
    for (int n = 0; n < cases; n++) make(chosen[n], copies, market);
    const struct conv *c = NULL;
    for (int n = 0; n < cases && !c; n++) c = chosen[n]->conv;
    if (c)
        printf("%s, mean %lld tokens in and %lld out, on %d instances of two GPUs.\n",
               c->real
                   ? "Azure's conversations of 2023, repeated"
                   : "No data at hand: arrivals generated like Azure's conversations",
               (long long)(c->input / c->rows), (long long)(c->output / c->rows),
               INSTANCES);
    printf("GPUs of markets are H100. %d rounds.\n\n", runs);
    for (int n = 0; n < cases; n++)
        if (!chosen[n]->few) run(chosen[n], 0); /* warms caches, compiles timings */
    for (int round = 0; round < runs; round++)
        for (int n = 0; n < cases; n++) run(chosen[n], round);
    printf("| case | requests | attained T / Q | segments per request | callbacks per "
           "request | M requests/s (least to most) | M iterations/s | ratio |\n"
           "|---|---|---|---|---|---|---|---|\n");
    for (int n = 0; n < cases; n++) print_line(chosen[n], runs);
    for (int n = 0; n < cases; n++) unmake(chosen[n]);
    return 0;
}
