/* What sharing a GPU costs, against what hotdesk-bench measured: the law is fitted anew
 * on some of the rows and judged by others that it has not seen; time slices beside a
 * simulation of every slice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "timing/contention.h"

enum { ROWS = 200, COUNT_FIELD = 16 };

struct row {
    char variant[64];
    int count; /* percent of the SMs, or processes */
    double time_us;
};

static int read_rows(const char *gpu, const char *op, struct row *out) {
    char *part = hd_format("results/calibration/%s/measured.csv", gpu), line[1024];
    char *path = hd_home_path(part);
    FILE *f = fopen(path, "r");
    int rows = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char *field[COUNT_FIELD + 2], *rest = line;
        int n = 0;
        while (n < COUNT_FIELD + 2 && rest) field[n++] = strsep(&rest, ",");
        if (n < COUNT_FIELD + 2 || strcmp(field[1], op) != 0) continue;
        assert_true(rows < ROWS);
        snprintf(out[rows].variant, sizeof out->variant, "%s", field[2]);
        out[rows].count = atoi(field[COUNT_FIELD]);
        out[rows++].time_us = atof(field[COUNT_FIELD + 1]);
    }
    fclose(f);
    free(path);
    free(part);
    return rows;
}

static double alone_us(const struct row *row, int rows, const char *kernel) {
    for (int n = 0; n < rows; n++)
        if (row[n].count == 100 &&
            strncmp(row[n].variant, kernel, strlen(kernel)) == 0 &&
            strstr(row[n].variant, "_alone"))
            return row[n].time_us;
    fail_msg("no %s alone", kernel);
    return 0;
}

static enum hd_bound bound_of(const char *kernel) {
    return strncmp(kernel, "compute", 7) == 0 ? HD_BOUND_COMPUTE : HD_BOUND_MEMORY;
}

/* Logarithm of predicted over measured. */
static double error_of(const struct hd_contention *law, const struct row *r,
                       double alone) {
    const char *other = strstr(r->variant, "_beside_");
    double share[2] = {r->count / 100.0, 1 - r->count / 100.0};
    enum hd_bound bound[2] = {bound_of(r->variant),
                              other ? bound_of(other + 8) : HD_BOUND_NONE};
    return log(hd_contention_space(law, other ? 2 : 1, bound, share) * alone /
               r->time_us);
}

static bool one_of(int count, const int *list) {
    for (; *list; list++)
        if (*list == count) return true;
    return false;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct errors {
    int rows;
    double p50, p90, squares;
};

/* Over rows of those shares; of copies, or of reads and computing. */
static struct errors errors_of(const struct hd_contention *law, const struct row *row,
                               int rows, const int *shares, bool copies) {
    double all[ROWS];
    struct errors e = {0};
    for (int n = 0; n < rows; n++) {
        const char *v = row[n].variant;
        if (!one_of(row[n].count, shares) || strstr(v, "streams")) continue;
        if ((strstr(v, "copy") != NULL) != copies) continue;
        char kernel[16] = "";
        sscanf(v, "%15[a-z]", kernel);
        double error = error_of(law, &row[n], alone_us(row, rows, kernel));
        e.squares += error * error;
        all[e.rows++] = fabs(expm1(error));
    }
    qsort(all, (size_t)e.rows, sizeof *all, by_size);
    e.p50 = all[e.rows / 2];
    e.p90 = all[e.rows * 9 / 10];
    return e;
}

static const char *const measured[] = {"H100-SXM", "H200-SXM"};
static const int fitted[] = {12, 88, 30, 70, 0},
                 held_out[] = {24, 76, 42, 58, 45, 55, 0},
                 both[] = {12, 88, 30, 70, 24, 76, 42, 58, 45, 55, 0};

static void the_law_is_what_was_measured(void **state) {
    (void)state;
    for (int g = 0; g < 2; g++) {
        struct row row[ROWS];
        int rows = read_rows(measured[g], "corun", row);
        struct hd_contention law = hd_contention_of(measured[g]), best = law, try = law;
        double least = INFINITY;
        for (try.knee = 0.1; try.knee < 0.4; try.knee += 0.01)
            for (try.power = 2; try.power < 4; try.power += 0.05) {
                double squares = errors_of(&try, row, rows, fitted, false).squares;
                if (squares < least) least = squares, best = try;
            }
        assert_true(fabs(best.knee - law.knee) < 0.011);
        assert_true(fabs(best.power - law.power) < 0.11);
        struct errors seen = errors_of(&law, row, rows, fitted, false),
                      unseen = errors_of(&law, row, rows, held_out, false),
                      copies = errors_of(&law, row, rows, both, true);
        printf(
            "%s, p50 / p90: fitted on %d rows %.1f / %.1f %%, held out %d rows %.1f / "
            "%.1f %%, with copies %d rows %.1f / %.1f %%\n",
            measured[g], seen.rows, 100 * seen.p50, 100 * seen.p90, unseen.rows,
            100 * unseen.p50, 100 * unseen.p90, copies.rows, 100 * copies.p50,
            100 * copies.p90);
        assert_true(unseen.rows >= 30 && unseen.p50 < 0.02 && unseen.p90 < 0.06);
        assert_true(copies.p50 < 0.08 && copies.p90 < 0.25);
        assert_int_equal(strncmp(law.basis, "measured", 8), 0);
    }
    assert_int_equal(strncmp(hd_contention_of("A10").basis, "assumed", 7), 0);
}

/* 0.12 + 0.88 of the SMs read memory: the first draws 1 / 2.47 alone, but has 0.12 of
 * the bandwidth then: 1 / 0.12. With room for both each draws what it can alone. */
static void bandwidth_by_hand(void **state) {
    (void)state;
    const struct hd_contention flat = {0}, knee = {.knee = 0.3, .power = 1};
    const enum hd_bound m = HD_BOUND_MEMORY, c = HD_BOUND_COMPUTE;
    double f;
    f = hd_contention_space(&flat, 2, (enum hd_bound[]){m, m}, (double[]){0.12, 0.88});
    assert_true(fabs(f - 1 / 0.12) < 1e-9);
    f = hd_contention_space(&flat, 2, (enum hd_bound[]){m, c}, (double[]){0.12, 0.88});
    assert_true(f == 1);
    f = hd_contention_space(&flat, 2, (enum hd_bound[]){c, m}, (double[]){0.5, 0.75});
    assert_true(fabs(f - 2.5) < 1e-9); /* 0.5 of 1.25 */
    /* each draws 0.1 / 0.4 = 1/4 of it: together half */
    f = hd_contention_space(&knee, 2, (enum hd_bound[]){m, m}, (double[]){0.1, 0.1});
    assert_true(fabs(f - 4) < 1e-9);
    /* The first draws 0.05 / 0.35 = 1/7, more than its part by SMs, 0.05 of 0.95; so do
     * the others (0.6: 2/3, 0.3: 1/2): all get their parts. */
    f = hd_contention_space(&knee, 3, (enum hd_bound[]){m, m, m},
                            (double[]){0.05, 0.6, 0.3});
    assert_true(fabs(f - 0.95 / 0.05) < 1e-9);
    /* The large one draws 0.9 / 1.2 = 3/4, less than its part, 0.9: what it leaves is
     * for the small one, which would draw 0.1 / 0.4 = 1/4 alone: just enough. */
    f = hd_contention_space(&knee, 2, (enum hd_bound[]){m, m}, (double[]){0.1, 0.9});
    assert_true(fabs(f - 4) < 1e-9);
}

static void slices_as_measured(void **state) {
    (void)state;
    for (int g = 0; g < 2; g++) {
        struct row row[ROWS];
        int rows = read_rows(measured[g], "time_slice", row), seen = 0;
        struct hd_contention law = hd_contention_of(measured[g]);
        for (int n = 0; n < rows; n++) {
            if (strcmp(row[n].variant, "stretch_full") != 0) continue;
            double got = hd_contention_time(&law, row[n].count);
            seen++;
            if (fabs(got / (row[n].time_us / 1000) - 1) > 0.004)
                fail_msg("%s, %d processes: %.3f instead of %.3f", measured[g],
                         row[n].count, got, row[n].time_us / 1000);
        }
        assert_int_equal(seen, 4);
    }
}

/* ---- every slice --------------------------------------------------------- */

enum { MOST = 4 };

struct process {
    double comes, work, ends; /* work: seconds of the GPU */
};

/* Round robin, slice by slice: who has work has the GPU for a slice or until it is
 * done; a switch lies between two that are not the same. */
static void every_slice(struct process *p, int count, double slice, double change) {
    double now = 0, left[MOST];
    int had = -1, undone = count;
    for (int n = 0; n < count; n++) left[n] = p[n].work;
    while (undone) {
        int next = -1;
        double soonest = INFINITY;
        for (int k = 1; k <= count; k++) {
            int n = (had + k + count) % count;
            if (left[n] <= 0) continue;
            if (p[n].comes <= now && next < 0) next = n;
            if (p[n].comes < soonest) soonest = p[n].comes;
        }
        if (next < 0) {
            now = soonest;
            continue;
        }
        if (had >= 0 && next != had) now += change;
        double run = left[next] < slice ? left[next] : slice;
        now += run;
        left[next] -= run;
        had = next;
        if (left[next] > 1e-12) continue;
        left[next] = 0;
        p[next].ends = now;
        undone--;
    }
}

/* The same by the law: all that have work go on at 1 / factor. */
static void by_factor(struct process *p, int count, const struct hd_contention *law) {
    double now = 0, left[MOST];
    int undone = count;
    for (int n = 0; n < count; n++) left[n] = p[n].work;
    while (undone) {
        int running = 0;
        double until = INFINITY;
        for (int n = 0; n < count; n++) {
            running += left[n] > 0 && p[n].comes <= now;
            if (p[n].comes > now && p[n].comes < until) until = p[n].comes;
        }
        double factor = hd_contention_time(law, running);
        for (int n = 0; n < count; n++)
            if (left[n] > 0 && p[n].comes <= now && now + left[n] * factor < until)
                until = now + left[n] * factor;
        for (int n = 0; n < count; n++) {
            if (left[n] <= 0 || p[n].comes > now) continue;
            left[n] -= (until - now) / factor;
            if (left[n] > 1e-12) continue;
            left[n] = 0;
            p[n].ends = until;
            undone--;
        }
        now = until;
    }
}

/* Nobody is off by more than one round of everybody's slices. */
static void the_law_beside_every_slice(void **state) {
    (void)state;
    const struct hd_contention law = {.slice_s = 0.002, .switch_s = 0.0002};
    const double round = law.slice_s + law.switch_s;
    uint64_t random = 1;
    double worst = 0;
    for (int world = 0; world < 2000; world++) {
        struct process slow[MOST], fast[MOST];
        int count = 1 + world % MOST;
        for (int n = 0; n < count; n++) {
            double draw[2];
            for (int k = 0; k < 2; k++) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                draw[k] = (double)(random >> 33) / (double)(UINT64_C(1) << 31);
            }
            slow[n] =
                (struct process){.comes = 0.2 * draw[0], .work = 0.5 * draw[1] + 0.001};
            fast[n] = slow[n];
        }
        every_slice(slow, count, law.slice_s, law.switch_s);
        by_factor(fast, count, &law);
        for (int n = 0; n < count; n++) {
            double off = fabs(slow[n].ends - fast[n].ends);
            if (off > worst) worst = off;
            if (off > count * round)
                fail_msg("world %d: process %d of %d ends at %g s, by the law at %g",
                         world, n, count, slow[n].ends, fast[n].ends);
        }
    }
    printf("slices: off by %.1f rounds of a slice and a switch at most\n",
           worst / round);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_law_is_what_was_measured),
        cmocka_unit_test(bandwidth_by_hand),
        cmocka_unit_test(slices_as_measured),
        cmocka_unit_test(the_law_beside_every_slice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
