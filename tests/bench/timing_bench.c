/* What one question to a compiled timing costs, and making one. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "timing/calibration.h"

enum { QUESTIONS = 1 << 14, ROUNDS = 25, BATCHES = 256 };

struct question { /* spread over what engines ask, made before the clock starts */
    int batch;
    int64_t context, longest, tokens, square;
};

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static struct question *make_questions(void) {
    struct question *q = hd_alloc(QUESTIONS * sizeof *q);
    uint64_t state = 1;
    for (int n = 0; n < QUESTIONS; n++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        uint64_t x = state >> 20;
        int batch = 1 + (int)(x % BATCHES);
        int64_t mean = 16 + (int64_t)((x >> 8) % 4000),
                chunk = 1 + (int64_t)((x >> 20) % 2048);
        q[n] = (struct question){batch, batch * mean, 2 * mean, chunk + batch,
                                 chunk * (chunk + 2 * (int64_t)((x >> 30) % 3000))};
    }
    return q;
}

enum kind { STEP, RAGGED, PREFILL, KINDS };

static hd_tick ask(const struct hd_timing *t, const struct question *q,
                   enum kind kind) {
    hd_tick slope, sum = 0;
    int64_t until;
    for (int n = 0; n < QUESTIONS; n++) {
        const struct question *a = &q[n];
        if (kind == STEP)
            sum += hd_timing_step(t, a->batch, a->context, &slope, &until) + slope;
        else if (kind == RAGGED)
            sum += hd_timing_ragged_step(t, a->batch, a->context, a->longest, &slope,
                                         &until);
        else
            sum += hd_timing_prefill(t, a->tokens, a->batch + 1, a->square, a->batch,
                                     a->context);
    }
    return sum;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    struct hd_err err = {0};
    struct hd_catalog *catalog = hd_catalog_load(&err);
    struct hd_engines *engines = catalog ? hd_engines_load(&err) : NULL;
    if (!engines) {
        fprintf(stderr, "timing_bench: %s\n", err.text);
        return 1;
    }
    static const char *const engine[] = {"eager-2024", "vllm-0.14-async"};
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, "H100", &err);
    const struct hd_model_spec *model = hd_catalog_model(catalog, "llama-3.1-8b", &err);
    struct question *q = make_questions();
    printf("Llama-3.1-8B on an H100, batches to %d, contexts and chunks at random; "
           "medians of %d rounds (least).\n\n"
           "| engine | decode step, ns | uneven step, ns | prefill or mixed, ns | "
           "compiling, ms |\n|---|---|---|---|---|\n",
           BATCHES, ROUNDS);
    hd_tick sum = 0;
    for (size_t e = 0; e < sizeof engine / sizeof *engine; e++) {
        const struct hd_engine_profile *p = hd_engines_find(engines, engine[e], &err);
        struct hd_calibration *c = p ? hd_calibration_load(gpu, p, &err) : NULL;
        if (!c) {
            fprintf(stderr, "timing_bench: %s\n", err.text);
            return 1;
        }
        double start = now_s();
        struct hd_timing *t = hd_timing_compile(c, gpu, model, 1, 1, p, BATCHES);
        double compile_s = now_s() - start;
        printf("| %s ", engine[e]);
        for (int k = 0; k < KINDS; k++) {
            double ns[ROUNDS];
            for (int r = 0; r < ROUNDS; r++) {
                start = now_s();
                sum += ask(t, q, (enum kind)k);
                ns[r] = (now_s() - start) / QUESTIONS * 1e9;
            }
            qsort(ns, ROUNDS, sizeof *ns, by_value);
            printf("| %.1f (%.1f) ", ns[ROUNDS / 2], ns[0]);
        }
        printf("| %.1f |\n", compile_s * 1e3);
        hd_timing_free(t);
        hd_calibration_free(c);
    }
    free(q);
    hd_engines_free(engines);
    hd_catalog_free(catalog);
    return sum == 0; /* so that no question is left out */
}
