/* Files of the schema: read with every check, written whole or not at all. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/new_file.h"
#include "base/units.h"
#include "calibrate/kernel.h"
#include "calibrate/roof.h"
#include "output/csv_writer.h"
#include "output/quantity.h"

enum {
    GPU,
    OP,
    VARIANT,
    DTYPE,
    SHAPE,
    TIME = SHAPE + HD_DIMS,
    MAD,
    SAMPLES,
    STOP,
    SM_MHZ,
    MEMORY_MHZ,
    DRIVER,
    SOURCE,
    LICENCE
};

/* ---- reading ------------------------------------------------------------- */

static bool check_header(const struct hd_csv_row *row, struct hd_err *why) {
    for (int n = 0; n < HD_KERNEL_COLUMNS; n++) {
        const char *got = n < row->count ? row->field[n] : "";
        if (strcmp(got, hd_kernel_columns[n]) != 0)
            return hd_fail(why,
                           "column %d is '%.40s'; expected '%s': not a file of kernel "
                           "measurements",
                           n + 1, got, hd_kernel_columns[n]);
    }
    return row->count == HD_KERNEL_COLUMNS ||
           hd_fail(why, "%d columns; expected %d", row->count, HD_KERNEL_COLUMNS);
}

static bool find_op(const char *name, enum hd_kernel_op *op, struct hd_err *why) {
    const char *names[HD_OPS];
    for (int n = 0; n < HD_OPS; n++) {
        names[n] = hd_kernel_op_name(n);
        if (strcmp(names[n], name) == 0) {
            *op = n;
            return true;
        }
    }
    const char *near = hd_nearest(name, names, HD_OPS);
    return hd_fail(why, "op '%.40s' is unknown; %s%s", name,
                   near ? "the nearest is "
                        : "expected gemm, copy or another of the "
                          "schema",
                   near ? near : "");
}

/* An integer in [0, most], or `absent` for an empty field. */
static bool take_integer(const struct hd_csv_row *row, int column, int64_t absent,
                         long least, long most, int64_t *to, struct hd_err *why) {
    long value;
    struct hd_err what = {0};
    *to = absent;
    if (!row->field[column][0]) return true;
    if (!hd_parse_integer(row->field[column], least, most, &value, &what))
        return hd_fail(why, "%s: %s", hd_kernel_columns[column], what.text);
    *to = value;
    return true;
}

static bool take_number(const struct hd_csv_row *row, int column, double *to,
                        struct hd_err *why) {
    struct hd_err what = {0};
    return hd_parse_number(row->field[column], to, &what) ||
           hd_fail(why, "%s: %s", hd_kernel_columns[column], what.text);
}

static bool take_numbers(const struct hd_csv_row *row, struct hd_kernel_row *to,
                         struct hd_err *why) {
    for (int dim = 0; dim < HD_DIMS; dim++)
        if (!take_integer(row, SHAPE + dim, HD_DIM_ABSENT, 0, LONG_MAX / 4,
                          &to->shape[dim], why))
            return false;
    int64_t sm, memory;
    if (!take_number(row, TIME, &to->time_us, why)) return false;
    if (row->field[MAD][0] && !take_number(row, MAD, &to->mad_us, why)) return false;
    if (!take_integer(row, SAMPLES, 0, 1, LONG_MAX / 4, &to->samples, why) ||
        !take_integer(row, SM_MHZ, 0, 0, 1 << 20, &sm, why) ||
        !take_integer(row, MEMORY_MHZ, 0, 0, 1 << 20, &memory, why))
        return false;
    to->sm_mhz = (int)sm;
    to->memory_mhz = (int)memory;
    return true;
}

static bool take_row(struct hd_kernels *set, const struct hd_catalog *catalog,
                     const struct hd_csv_row *row, struct hd_kernel_row *to,
                     struct hd_err *why) {
    if (row->count != HD_KERNEL_COLUMNS)
        return hd_fail(why, "%s; expected %d", hd_say_things(row->count, "field").text,
                       HD_KERNEL_COLUMNS);
    char *const *field = row->field;
    enum hd_kernel_op op = HD_OPS;
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, field[GPU], why);
    if (!gpu || !find_op(field[OP], &op, why)) return false;
    *to = hd_kernel_row_of(gpu, op);
    if (!take_numbers(row, to, why)) return false;
    to->variant = hd_kernels_text(set, field[VARIANT]);
    to->dtype = hd_kernels_text(set, field[DTYPE]);
    to->stop = hd_kernels_text(set, field[STOP]);
    to->driver = hd_kernels_text(set, field[DRIVER]);
    to->source = hd_kernels_text(set, field[SOURCE]);
    to->licence = hd_kernels_text(set, field[LICENCE]);
    to->line = row->line;
    return hd_kernel_row_check(to, why) && hd_kernel_is_possible(to, NULL, why);
}

/* No two rows from `first` on with the same key. */
static bool check_unique(const struct hd_kernels *set, int first, const char *path,
                         struct hd_err *err) {
    int *order = hd_kernels_sorted(set);
    const struct hd_kernel_row *again = NULL, *before = NULL;
    for (int n = 1; n < set->rows; n++) {
        int i = order[n - 1], j = order[n];
        if (i < first || j < first) continue;
        if (hd_kernel_compare(&set->row[i], &set->row[j]) != 0) continue;
        if (again && again->line < set->row[j].line) continue;
        before = &set->row[i];
        again = &set->row[j];
    }
    free(order);
    return !again ||
           hd_fail(err, "%s:%ld: the same key as line %ld; expected each once", path,
                   again->line, before->line);
}

static bool read_rows(struct hd_kernels *set, const struct hd_catalog *catalog,
                      struct hd_csv *csv, const char *path, struct hd_err *err) {
    struct hd_csv_row row;
    struct hd_kernel_row made;
    struct hd_err why = {0};
    int got, file = -1, first = set->rows;
    while ((got = hd_csv_next(csv, &row, err)) > 0) {
        bool header = file < 0;
        if (header) file = hd_kernels_file(set, path);
        if (header ? !check_header(&row, &why)
                   : !take_row(set, catalog, &row, &made, &why))
            return hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
        if (header) continue;
        made.file = file;
        hd_kernels_add(set, &made);
    }
    if (got < 0) return false;
    if (set->rows == first)
        return hd_fail(err, "%s: no rows; expected kernel measurements", path);
    if (hd_csv_cut_off(csv))
        return hd_fail(err, "%s:%ld: the last line has no end; expected a whole file",
                       path, set->row[set->rows - 1].line);
    return check_unique(set, first, path, err);
}

bool hd_kernels_read(struct hd_kernels *set, const struct hd_catalog *catalog,
                     const char *path, struct hd_err *err) {
    int rows = set->rows, files = set->files;
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    bool fine = read_rows(set, catalog, csv, path, err);
    hd_csv_close(csv);
    if (fine) return true;
    set->rows = rows;
    while (set->files > files) free(set->file[--set->files]);
    return false;
}

/* ---- writing ------------------------------------------------------------- */

static void put_text(struct hd_csv_writer *w, const char *text) {
    hd_csv_text(w, *text ? text : NULL);
}

static void put_count(struct hd_csv_writer *w, int64_t value, int64_t absent) {
    if (value == absent)
        hd_csv_empty(w);
    else
        hd_csv_int(w, value);
}

static void put_row(struct hd_csv_writer *w, const struct hd_kernel_row *row) {
    put_text(w, row->gpu->name);
    put_text(w, hd_kernel_op_name(row->op));
    put_text(w, row->variant);
    put_text(w, row->dtype);
    for (int dim = 0; dim < HD_DIMS; dim++)
        put_count(w, row->shape[dim], HD_DIM_ABSENT);
    hd_csv_real(w, row->time_us);
    hd_csv_real(w, row->mad_us);
    put_count(w, row->samples, 0);
    put_text(w, row->stop);
    put_count(w, row->sm_mhz, 0);
    put_count(w, row->memory_mhz, 0);
    put_text(w, row->driver);
    put_text(w, row->source);
    put_text(w, row->licence);
    hd_csv_end_row(w);
}

bool hd_kernels_write(const struct hd_kernels *set, const char *path, bool replace,
                      struct hd_err *err) {
    struct hd_new_file file;
    if (!hd_new_file_begin(&file, path, replace, err)) return false;
    struct hd_csv_writer w;
    hd_csv_start(&w, file.stream);
    for (int n = 0; n < HD_KERNEL_COLUMNS; n++) hd_csv_text(&w, hd_kernel_columns[n]);
    hd_csv_end_row(&w);
    for (int n = 0; n < set->rows; n++) put_row(&w, &set->row[n]);
    return hd_new_file_keep(&file, err);
}
