/* Fast-forward equals one iteration at a time, to the last bit, in random worlds; and
 * so does fast-forward with every plan cut at a random earlier step. Every request
 * ends once, and tokens, blame and GPU time add up.
 *
 *     engine_twin_test [scenarios [first]]      or HD_SCENARIOS=N in the environment
 *     engine_twin_test -1 SEED                  prints one world and its three runs */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unit/scenario.h"

static int64_t scenarios = 1500, first = 1;
static volatile uint64_t running; /* seed, for whoever reads a crash */

static void crashed(int signal_number) {
    signal(signal_number, SIG_DFL);
    fprintf(stderr, "seed %llu crashed: engine_twin_test -1 %llu\n",
            (unsigned long long)running, (unsigned long long)running);
    raise(signal_number);
}

/* NULL, or what is wrong with a world's three runs. */
static const char *wrong(const struct outcome *fast, const struct outcome *step,
                         const struct outcome *cut) {
    if (fast->end == HD_RUN_FAILED) return "the run failed";
    if (fast->end != step->end || fast->digest != step->digest)
        return "fast-forward and --step differ";
    if (fast->end != cut->end || fast->digest != cut->digest)
        return "cut plans give another result";
    if (!fast->conserved) return "requests, tokens or GPU time are not conserved";
    if (fast->bad_blame) return "blame does not add up to the latency";
    return NULL;
}

static void show(const char *what, const struct outcome *o) {
    printf(
        "%-5s end %d, %lld finished, %lld iterations, %lld callbacks, %lld preempted, "
        "%lld switches, late %lld, digest %016llx, policy's %016llx; %s\n      %s\n",
        what, (int)o->end, (long long)o->finished, (long long)o->iterations,
        (long long)o->callbacks, (long long)o->preempted, (long long)o->switches,
        (long long)o->late, (unsigned long long)o->digest, (unsigned long long)o->reads,
        o->error, o->last);
}

static const char *run_all(struct world *w, struct outcome *fast, struct outcome *step,
                           struct outcome *cut) {
    *fast = world_run(w, false, 0);
    *step = world_run(w, true, 0);
    *cut = world_run(w, false, w->seed + 1);
    return wrong(fast, step, cut);
}

/* Leaves out failures of GPUs and arrivals, by halves, then by quarters, ... as long as
 * something stays wrong. */
static void shrink(struct world *w) {
    static struct hd_arrival all[WORLD_ARRIVALS_MAX];
    struct outcome fast, step, cut;
    int failures = w->config.failures;
    w->config.failures = 0;
    if (!run_all(w, &fast, &step, &cut)) w->config.failures = failures;
    for (int out = w->arrivals / 2; out > 0; out /= 2)
        for (int at = 0; at + out <= w->arrivals;) {
            int before = w->arrivals;
            size_t behind = (size_t)(before - at - out);
            memcpy(all, w->arrival, sizeof all);
            memmove(w->arrival + at, w->arrival + at + out, behind * sizeof *all);
            w->arrivals -= out;
            if (w->arrivals > 0 && run_all(w, &fast, &step, &cut)) continue;
            memcpy(w->arrival, all, sizeof all);
            w->arrivals = before;
            at += out;
        }
}

static void one_world(uint64_t seed) {
    struct world w;
    world_make(&w, seed);
    world_print(&w);
    fflush(stdout);
    struct outcome step = world_run_logged(&w, true, 0, stdout);
    show("step", &step);
    struct outcome fast = world_run_logged(&w, false, 0, stdout);
    show("fast", &fast);
    struct outcome cut = world_run(&w, false, seed + 1);
    show("cut", &cut);
    const char *what = wrong(&fast, &step, &cut);
    printf("%s\n", what ? what : "fine");
    world_free(&w);
}

static void fast_equals_step(void **state) {
    (void)state;
    int64_t requests = 0, tokens = 0, late = 0, preempted = 0, switches = 0, ties = 0;
    int64_t iterations = 0, stepped = 0, segments = 0, cut_segments = 0, callbacks = 0;
    int64_t ended[HD_STATUSES] = {0}, stalled = 0, failed = 0, prompts = 0, cached = 0;
    for (int64_t n = 0; n < scenarios; n++) {
        uint64_t seed = (uint64_t)(first + n);
        struct world w;
        running = seed;
        world_make(&w, seed);
        struct outcome fast, step, cut;
        const char *what = run_all(&w, &fast, &step, &cut);
        if (what) {
            printf("seed %llu: %s\n", (unsigned long long)seed, what);
            if (getenv("HD_STOP")) exit(1);
            if (failed++ < 5) {
                int arrivals = w.arrivals;
                shrink(&w);
                what = run_all(&w, &fast, &step, &cut);
                printf("shrunk from %d arrivals to %d: %s\n", arrivals, w.arrivals,
                       what);
                world_print(&w);
                show("fast", &fast);
                show("step", &step);
                show("cut", &cut);
            }
        }
        for (int a = 1; a < w.arrivals; a++)
            ties += w.arrival[a].at == w.arrival[a - 1].at;
        for (int s = 0; s < HD_STATUSES; s++) ended[s] += fast.ended[s];
        requests += fast.arrivals;
        tokens += fast.tokens;
        late += fast.late;
        prompts += fast.prompt_tokens;
        cached += fast.cached_tokens;
        preempted += fast.preempted;
        switches += fast.switches;
        iterations += fast.iterations;
        stepped += fast.stepped;
        segments += fast.segments;
        cut_segments += cut.segments;
        callbacks += fast.callbacks;
        stalled += fast.end == HD_RUN_STALLED;
        world_free(&w);
    }
    double per = requests ? 100.0 / (double)requests : 0;
    printf(
        "%lld scenarios, %lld requests, %lld iterations (%.1f %% mixed) in %lld plans, "
        "%lld when cut, %lld callbacks\n"
        "%.1f %% of tokens late; per 100 requests: %.1f preemptions, %.1f switches, "
        "%.1f tied arrivals; %lld runs stalled\n"
        "%.1f %% of %lld tokens of prompts cached\n"
        "done %.1f %%, rejected %.1f, too long %.1f, empty %.1f, unfinished %.1f\n",
        (long long)scenarios, (long long)requests, (long long)iterations,
        100.0 * (double)stepped / (double)(iterations + 1), (long long)segments,
        (long long)cut_segments, (long long)callbacks,
        100.0 * (double)late / (double)(tokens + 1), per * (double)preempted,
        per * (double)switches, per * (double)ties, (long long)stalled,
        100.0 * (double)cached / (double)(prompts + 1), (long long)prompts,
        per * (double)ended[0], per * (double)ended[1], per * (double)ended[2],
        per * (double)ended[3], per * (double)ended[4]);
    assert_int_equal(failed, 0);
}

int main(int argc, char **argv) {
    signal(SIGABRT, crashed);
    signal(SIGSEGV, crashed);
    const char *wanted = getenv("HD_SCENARIOS");
    if (wanted) scenarios = strtoll(wanted, NULL, 10);
    if (argc > 2 && strtol(argv[1], NULL, 10) < 0) {
        one_world(strtoull(argv[2], NULL, 10));
        return 0;
    }
    if (argc > 1) scenarios = strtoll(argv[1], NULL, 10);
    if (argc > 2) first = strtoll(argv[2], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(fast_equals_step)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
