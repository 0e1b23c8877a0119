/* One number from rows of three times. */
#include "calibrate/skew_fit.h"

#include <math.h>
#include <stdlib.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/units.h"

enum { CHUNK, MEAN, LONGEST, SKEWED, COLUMNS };
static const char *const names[COLUMNS] = {"pc", "t_mean_us", "t_max_us", "t_skew_us"};

struct rows { /* over the time at the mean: of the longest, less 1; as measured, less 1
               */
    double *more, *measured;
    int count, capacity, same;
};

static bool add_row(const struct hd_csv_row *row, const int *at, struct rows *to,
                    struct hd_err *why) {
    double v[COLUMNS];
    for (int n = 0; n < COLUMNS; n++) {
        if (at[n] >= row->count) return hd_fail(why, "%d fields", row->count);
        if (!hd_parse_number(row->field[at[n]], &v[n], why)) return false;
        if (n != CHUNK && v[n] <= 0) return hd_fail(why, "%s is not above 0", names[n]);
    }
    double more = v[LONGEST] / v[MEAN] - 1;
    if (v[CHUNK] != 0 || more < 0.1) return true;
    to->more = hd_grow(to->more, &to->capacity, to->count + 1, sizeof *to->more);
    to->measured = hd_grow(to->measured, &to->same, to->count + 1, sizeof *to->more);
    to->more[to->count] = more;
    to->measured[to->count++] = v[SKEWED] / v[MEAN] - 1;
    return true;
}

static bool read_rows(const char *path, struct rows *to, struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    struct hd_csv_row row;
    struct hd_err why = {0};
    int at[COLUMNS], got;
    bool header = true, fine = true;
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        for (int n = 0; header && n < COLUMNS; n++) {
            at[n] = hd_csv_column(&row, names[n]);
            if (at[n] < 0) fine = hd_fail(&why, "no column '%s'", names[n]);
        }
        if (!header) fine = add_row(&row, at, to, &why);
        header = false;
    }
    if (!fine)
        hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
    else
        fine = got == 0;
    hd_csv_close(csv);
    return fine;
}

/* Of every `stride`th row from `first`. */
static double least_squares(const struct rows *r, int first, int stride) {
    double product = 0, square = 0;
    for (int n = first; n < r->count; n += stride) {
        product += r->more[n] * r->measured[n];
        square += r->more[n] * r->more[n];
    }
    return square > 0 ? fmin(1, fmax(0, product / square)) : 0;
}

static struct hd_fit_error errors(const struct rows *r, double skew, double *error) {
    int count = 0;
    for (int n = 1; n < r->count; n += 2)
        error[count++] = fabs((1 + skew * r->more[n]) / (1 + r->measured[n]) - 1);
    return hd_fit_error_of(error, count);
}

bool hd_skew_fit_read(const char *data, const char *const *file, struct hd_skew_fit *to,
                      struct hd_err *err) {
    struct rows r = {0};
    bool fine = true;
    for (int n = 0; fine && file[n]; n++) {
        char *path = hd_format("%s/kernels/%s", data, file[n]);
        fine = read_rows(path, &r, err);
        free(path);
    }
    if (fine && r.count < 2) fine = hd_fail(err, "%s: no uneven decodes", file[0]);
    if (fine) {
        double *error = hd_alloc((size_t)r.count * sizeof *error);
        to->skew = hd_fit_rounded(least_squares(&r, 0, 1));
        to->held_out = errors(&r, least_squares(&r, 0, 2), error);
        to->ignored = errors(&r, 0, error);
        free(error);
    }
    free(r.more);
    free(r.measured);
    return fine;
}
