/* How fast traces are read: one of 2,000,000 requests as native CSV and as a binary
 * file, both in the page cache, by hd_trace_load; medians over the rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "trace/binary.h"
#include "trace/trace.h"

enum { REQUESTS = 2000000, ROUNDS = 5 };

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct hd_trace *load(const char *path) {
    struct hd_err err = {0};
    struct hd_trace *t = hd_trace_load(path, &HD_TRACE_OPTIONS, &err);
    if (t) return t;
    fprintf(stderr, "%s\n", err.text);
    exit(1);
}

static void measure(const char *name, const char *path) {
    double s[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now_s();
        hd_trace_free(load(path));
        s[i] = now_s() - begin;
    }
    qsort(s, ROUNDS, sizeof *s, by_value);
    printf("| %s | %.2f |\n", name, REQUESTS / s[ROUNDS / 2] / 1e6);
}

int main(void) {
    char csv[64], binary[64];
    snprintf(csv, sizeof csv, "/tmp/hd-trace-bench-%ld.csv", (long)getpid());
    snprintf(binary, sizeof binary, "/tmp/hd-trace-bench-%ld.hdt", (long)getpid());
    FILE *out = fopen(csv, "w");
    if (!out) return perror(csv), 1;
    fprintf(out, "arrival_s,model,input_tokens,output_tokens\n");
    for (int i = 0; i < REQUESTS; i++)
        fprintf(out, "%d.%06d,m%d,%d,%d\n", i / 100, i % 100 * 10000, i % 40, i % 4099,
                i % 811);
    fclose(out);
    struct hd_trace *t = load(csv);
    out = fopen(binary, "wb");
    if (!out) return perror(binary), 1;
    bool written = hd_binary_write(t, out);
    written &= fclose(out) == 0;
    hd_trace_free(t);
    if (written) {
        printf("| %d requests | M requests/s |\n|---|---|\n", REQUESTS);
        measure("native CSV", csv);
        measure("binary, every checksum and value checked", binary);
    }
    unlink(csv);
    unlink(binary);
    return !written;
}
