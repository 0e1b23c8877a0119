/* Slices, switches and gaps out of the logs of several processes. */
#include "slice_times.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "statistics.h"

enum { BINS_PER_OCTAVE = 8, BINS = 64 * BINS_PER_OCTAVE };

struct owned_slice {
    struct slice at;
    int process;
};

static int by_begin(const void *a, const void *b) {
    const struct owned_slice *x = a, *y = b;
    return (x->at.begin > y->at.begin) - (x->at.begin < y->at.begin);
}

static double ns_to_us(uint64_t ns) {
    return (double)ns / 1e3;
}

void slice_times_free(struct slice_times *t) {
    free(t->slice_us);
    free(t->switch_us);
    free(t->gap_us);
    memset(t, 0, sizeof *t);
}

/* What of the slice lies between from and to. */
static uint64_t inside(struct slice s, uint64_t from, uint64_t to) {
    uint64_t begin = s.begin > from ? s.begin : from, end = s.end < to ? s.end : to;
    return end > begin ? end - begin : 0;
}

static void per_process(const struct process_slices *p, uint64_t from, uint64_t to,
                        struct slice_times *t, double *stretch) {
    uint64_t ran = 0;
    for (int i = 0; i < p->count; i++) {
        struct slice s = p->slice[i];
        ran += inside(s, from, to);
        if (i > 0 && p->slice[i - 1].end >= from && s.begin <= to)
            t->gap_us[t->gaps++] = ns_to_us(s.begin - p->slice[i - 1].end);
        if (i > 0 && i + 1 < p->count && s.begin >= from && s.end <= to)
            t->slice_us[t->slices++] = ns_to_us(s.end - s.begin);
    }
    *stretch += ran > 0 ? (double)(to - from) / (double)ran : 0;
}

/* Switches between different processes, along the one clock. */
static void between(const struct owned_slice *s, int count, uint64_t from, uint64_t to,
                    struct slice_times *t) {
    for (int i = 1; i < count; i++) {
        if (s[i].process == s[i - 1].process) continue;
        if (s[i - 1].at.end < from || s[i].at.begin > to) continue;
        if (s[i].at.begin < s[i - 1].at.end)
            t->overlaps++;
        else
            t->switch_us[t->switches++] = ns_to_us(s[i].at.begin - s[i - 1].at.end);
    }
}

bool slice_times_of(const struct process_slices *p, int processes,
                    struct slice_times *t) {
    memset(t, 0, sizeof *t);
    uint64_t from = 0, to = UINT64_MAX;
    int total = 0;
    for (int i = 0; i < processes; i++) {
        if (p[i].count < 1) return false;
        uint64_t begin = p[i].slice[0].begin, end = p[i].slice[p[i].count - 1].end;
        if (begin > from) from = begin;
        if (end < to) to = end;
        total += p[i].count;
    }
    if (total < 1 || to <= from) return false;
    size_t bytes = (size_t)total * sizeof(double);
    struct owned_slice *all = hd_alloc((size_t)total * sizeof *all);
    t->slice_us = hd_alloc(bytes);
    t->switch_us = hd_alloc(bytes);
    t->gap_us = hd_alloc(bytes);
    int n = 0;
    for (int i = 0; i < processes; i++) {
        per_process(&p[i], from, to, t, &t->stretch);
        for (int k = 0; k < p[i].count; k++)
            all[n++] = (struct owned_slice){p[i].slice[k], i};
    }
    t->stretch /= processes;
    qsort(all, (size_t)n, sizeof *all, by_begin);
    between(all, n, from, to, t);
    free(all);
    return true;
}

/* Bin 0 begins at 2^-32 us. */
static int bin_of(double us) {
    int bin = (int)floor((log2(us) + 32) * BINS_PER_OCTAVE);
    return bin < 1 ? 1 : bin > BINS - 2 ? BINS - 2 : bin;
}

double slice_mode_us(const double *us, int count, double *mad_us, int *used) {
    int histogram[BINS] = {0}, fullest = 1;
    for (int i = 0; i < count; i++) histogram[bin_of(us[i])]++;
    for (int bin = 1; bin < BINS; bin++)
        if (histogram[bin] > histogram[fullest]) fullest = bin;
    double *near = hd_alloc((size_t)count * sizeof *near);
    *used = 0;
    for (int i = 0; i < count; i++) {
        int bin = bin_of(us[i]);
        if (bin >= fullest - 1 && bin <= fullest + 1) near[(*used)++] = us[i];
    }
    double mode = median_of(near, *used);
    *mad_us = mad_of(near, *used, mode);
    free(near);
    return mode;
}
