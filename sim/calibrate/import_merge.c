/* Rows with the same key become one. */
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "calibrate/import_parts.h"

/* Repeats in Vidur's profiles differ by up to 1.19; its grid of 1 us makes more of the
 * shortest. Further apart, one of the two is no measurement of the same thing. */
#define REPEAT_FACTOR 1.5
#define REPEAT_SLACK_US 2.0

static bool close_together(const struct hd_kernels *set, const int *order, int count,
                           struct hd_err *err) {
    const struct hd_kernel_row *shortest = &set->row[order[0]], *longest = shortest;
    for (int n = 1; n < count; n++) {
        const struct hd_kernel_row *row = &set->row[order[n]];
        if (row->time_us < shortest->time_us) shortest = row;
        if (row->time_us > longest->time_us) longest = row;
    }
    if (longest->time_us <= REPEAT_FACTOR * shortest->time_us + REPEAT_SLACK_US)
        return true;
    return hd_fail(
        err,
        "%s:%ld: %g us, but %g us at %s:%ld for the same %s; expected repeats "
        "within a factor of %g",
        set->file[longest->file], longest->line, longest->time_us, shortest->time_us,
        set->file[shortest->file], shortest->line, hd_kernel_op_name(longest->op),
        REPEAT_FACTOR);
}

/* Into the first of them. */
static void take_median(struct hd_kernels *set, const int *order, int count) {
    double *time = hd_alloc((size_t)count * sizeof *time);
    double deviation = 0;
    int64_t samples = 0;
    bool known = true;
    for (int n = 0; n < count; n++) {
        const struct hd_kernel_row *row = &set->row[order[n]];
        time[n] = row->time_us;
        if (row->mad_us > deviation) deviation = row->mad_us;
        known &= row->samples > 0;
        samples += row->samples;
    }
    gsl_sort(time, 1, (size_t)count);
    double median = gsl_stats_median_from_sorted_data(time, 1, (size_t)count);
    for (int n = 0; n < count; n++) time[n] = fabs(time[n] - median);
    gsl_sort(time, 1, (size_t)count);
    struct hd_kernel_row *kept = &set->row[order[0]];
    kept->time_us = hd_import_rounded(median);
    kept->mad_us = hd_import_rounded(
        fmax(deviation, gsl_stats_median_from_sorted_data(time, 1, (size_t)count)));
    kept->samples = known ? samples : 0;
    free(time);
}

bool hd_import_merge(struct hd_kernels *set, struct hd_import_report *report,
                     struct hd_err *err) {
    int *order = hd_kernels_sorted(set);
    bool *drop = hd_alloc((size_t)(set->rows + 1) * sizeof *drop);
    bool fine = true;
    for (int from = 0, to; fine && from < set->rows; from = to) {
        const struct hd_kernel_row *first = &set->row[order[from]];
        bool same = true;
        for (to = from + 1; to < set->rows; to++) {
            const struct hd_kernel_row *row = &set->row[order[to]];
            if (hd_kernel_compare(first, row) != 0) break;
            same &= row->time_us == first->time_us;
            drop[order[to]] = true;
        }
        if (same) {
            report->identical += to - from - 1;
            continue;
        }
        report->merged += to - from - 1;
        fine = close_together(set, order + from, to - from, err);
        if (fine) take_median(set, order + from, to - from);
    }
    int kept = 0;
    for (int n = 0; n < set->rows; n++)
        if (!drop[n]) set->row[kept++] = set->row[n];
    set->rows = kept;
    free(drop);
    free(order);
    return fine;
}
