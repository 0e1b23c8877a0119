/* How far the engine goes: a week of 44 million requests, fleets of 10 to 10,000 GPUs
 * at equal load, traces of 10^4 to 10^7 requests.
 *
 *   scale_bench [--runs N] [--only PART OF A NAME]
 *
 * Each run is a process of its own, so that its peak of resident memory is its own.
 * Thread CPU time of the run alone; requests are drawn as the engine asks for them,
 * which the time holds. Cases of a table take turns; medians, ratios within a round.
 * Prints Markdown. */
#include <gsl/gsl_sort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "bench/stream_world.h"
#include "measure/pass.h"
#include "policy/builtin.h"

enum { RUNS_MAX = 99, WEEK_S = 7 * 86400 };

struct run { /* what comes of one */
    double seconds, attained;
    int64_t segments, kib;
};

struct scale { /* a row of a table */
    const char *table;
    int64_t requests;
    int gpus;
    double per_s; /* of the whole fleet */
    int runs;     /* 0: as many as asked for */
    struct run run[RUNS_MAX];
};

#define WEEK "A week"
#define FLEET "Growing fleet"
#define TRACE "Growing trace"
#define EVENTS "Event list"
#define PER_GPU (5.53 / 16) /* requests/s: the conversation trace's on 8 instances */
static struct scale scale[] = {
    {.table = WEEK,
     .requests = 44000000,
     .gpus = 1000,
     .per_s = 44e6 / WEEK_S,
     .runs = 1},
    {.table = FLEET, .requests = 1000000, .gpus = 10, .per_s = 10 * PER_GPU},
    {.table = FLEET, .requests = 1000000, .gpus = 100, .per_s = 100 * PER_GPU},
    {.table = FLEET, .requests = 1000000, .gpus = 1000, .per_s = 1000 * PER_GPU},
    {.table = FLEET, .requests = 1000000, .gpus = 10000, .per_s = 10000 * PER_GPU},
    {.table = EVENTS, .requests = 1000000, .gpus = 20, .per_s = 20 * PER_GPU},
    {.table = EVENTS, .requests = 1000000, .gpus = 2000, .per_s = 2000 * PER_GPU},
    {.table = EVENTS, .requests = 1000000, .gpus = 200000, .per_s = 200000 * PER_GPU},
    {.table = TRACE, .requests = 10000, .gpus = 16, .per_s = 16 * PER_GPU},
    {.table = TRACE, .requests = 100000, .gpus = 16, .per_s = 16 * PER_GPU},
    {.table = TRACE, .requests = 1000000, .gpus = 16, .per_s = 16 * PER_GPU},
    {.table = TRACE, .requests = 10000000, .gpus = 16, .per_s = 16 * PER_GPU},
};
enum { SCALES = sizeof scale / sizeof *scale };

static double cpu_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(bool fine, const char *why) {
    if (fine) return;
    fprintf(stderr, "scale_bench: %s\n", why);
    exit(1);
}

/* In a process of its own. Short runs are repeated: the clock is no finer than some
 * tenths of a millisecond. */
static void measure(const struct scale *s, struct run *r) {
    struct stream_world w;
    stream_world_make(&w, s->requests, s->per_s, s->gpus / 2);
    int times = s->requests < 1000000 ? (int)(1000000 / s->requests) : 1;
    *r = (struct run){0};
    for (int n = 0; n < times; n++) {
        struct hd_measure *m = stream_world_measure(&w);
        struct hd_policy *p = hd_builtin_new(HD_BUILTIN_ROUND_ROBIN, 0, 1);
        struct hd_err note = {0}, err = {0};
        double before = cpu_s();
        enum hd_run_end end = hd_run(&w.fleet.config, p, m, &note, &err);
        r->seconds += (cpu_s() - before) / times;
        must(end == HD_RUN_WHOLE, err.text[0] ? err.text : note.text);
        r->attained = hd_attained(m, HD_METRIC_TOKEN, -1, 1);
        r->segments = m->segments;
        hd_builtin_free(p);
        hd_measure_free(m);
    }
    stream_world_free(&w);
}

static void apart(const struct scale *s, struct run *r) {
    int pipes[2], status;
    must(pipe(pipes) == 0, "no pipe");
    fflush(stdout);
    pid_t child = fork();
    must(child >= 0, "no second process");
    if (child == 0) {
        measure(s, r);
        struct rusage use;
        getrusage(RUSAGE_SELF, &use);
        r->kib = use.ru_maxrss;
        _exit(write(pipes[1], r, sizeof *r) == sizeof *r ? 0 : 1);
    }
    close(pipes[1]);
    must(read(pipes[0], r, sizeof *r) == sizeof *r, "a run failed");
    close(pipes[0]);
    must(waitpid(child, &status, 0) == child && status == 0, "a run failed");
}

static double median(double *value, int count) {
    gsl_sort(value, 1, (size_t)count);
    return count % 2 ? value[count / 2] : (value[count / 2 - 1] + value[count / 2]) / 2;
}

static void print_table(const char *table, int runs) {
    const struct scale *first = NULL;
    printf("### %s\n\n| requests | GPUs | attained T | segments per request | s | M "
           "requests/s | ns per request | times the first | peak resident, MB |\n"
           "|---|---|---|---|---|---|---|---|---|\n",
           table);
    for (int n = 0; n < SCALES; n++) {
        const struct scale *s = &scale[n];
        if (strcmp(s->table, table) != 0) continue;
        if (!first) first = s;
        double seconds[RUNS_MAX], times[RUNS_MAX], requests = (double)s->requests;
        int64_t kib = 0;
        for (int r = 0; r < (s->runs ? s->runs : runs); r++) {
            seconds[r] = s->run[r].seconds;
            times[r] = s->run[r].seconds / requests /
                       (first->run[r].seconds / (double)first->requests);
            if (s->run[r].kib > kib) kib = s->run[r].kib;
        }
        int count = s->runs ? s->runs : runs;
        double middle = median(seconds, count);
        printf("| %lld | %d | %.4f | %.2f | %.3f | %.3f | %.0f | %.2f | %.1f |\n",
               (long long)s->requests, s->gpus, s->run[0].attained,
               (double)s->run[0].segments / requests, middle, requests / middle / 1e6,
               1e9 * middle / requests, median(times, count), (double)kib / 976.5625);
    }
    putchar('\n');
}

int main(int argc, char **argv) {
    long runs = 5;
    const char *only = "";
    struct hd_err err = {0};
    for (int n = 1; n < argc; n += 2) {
        if (strcmp(argv[n], "--runs") == 0 && argv[n + 1] &&
            hd_parse_integer(argv[n + 1], 1, RUNS_MAX, &runs, &err))
            continue;
        if (strcmp(argv[n], "--only") == 0 && argv[n + 1]) {
            only = argv[n + 1];
            continue;
        }
        fprintf(stderr, "scale_bench: %s: expected --runs N or --only NAME\n", argv[n]);
        return 2;
    }
    static const char *const tables[] = {WEEK, FLEET, TRACE, EVENTS};
    for (int t = 0; t < 4; t++) {
        if (!strstr(tables[t], only)) continue;
        for (int r = 0; r < runs; r++)
            for (int n = 0; n < SCALES; n++)
                if (strcmp(scale[n].table, tables[t]) == 0 &&
                    (!scale[n].runs || r < scale[n].runs))
                    apart(&scale[n], &scale[n].run[r]);
        print_table(tables[t], (int)runs);
    }
    return 0;
}
