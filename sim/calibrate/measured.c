/* Reading measured iterations. */
#include "calibrate/measured.h"

#include <stdlib.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/units.h"

enum { MODEL, GPU, INPUT, BATCH, PREFILL, DECODE, COLUMNS };
static const char *const columns[COLUMNS] = {"model", "gpu", "i", "b", "pre", "dec"};

static bool find_columns(const struct hd_csv_row *header, int *at, struct hd_err *why) {
    for (int n = 0; n < COLUMNS; n++) {
        at[n] = hd_csv_column(header, columns[n]);
        if (at[n] < 0) return hd_fail(why, "no column '%s'", columns[n]);
    }
    return true;
}

static bool read_row(const struct hd_catalog *catalog, const struct hd_csv_row *row,
                     const int *at, struct hd_measured_row *to, struct hd_err *why) {
    for (int n = 0; n < COLUMNS; n++)
        if (at[n] >= row->count)
            return hd_fail(why, "%d fields; expected one for '%s'", row->count,
                           columns[n]);
    long input, batch;
    to->model = hd_catalog_model(catalog, row->field[at[MODEL]], why);
    to->gpu = to->model ? hd_catalog_gpu(catalog, row->field[at[GPU]], why) : NULL;
    if (!to->gpu || !hd_parse_integer(row->field[at[INPUT]], 1, 1 << 24, &input, why) ||
        !hd_parse_integer(row->field[at[BATCH]], 1, 1 << 16, &batch, why) ||
        !hd_parse_number(row->field[at[PREFILL]], &to->prefill_s, why) ||
        !hd_parse_number(row->field[at[DECODE]], &to->decode_s, why))
        return false;
    to->input_tokens = (int)input;
    to->batch = (int)batch;
    return true;
}

bool hd_measured_read(const struct hd_catalog *catalog, const char *path,
                      struct hd_measured *measured, struct hd_err *err) {
    *measured = (struct hd_measured){0};
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    struct hd_csv_row row;
    struct hd_err why = {0};
    int at[COLUMNS], capacity = 0, got;
    bool fine = true, header = true;
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        if (header) {
            fine = find_columns(&row, at, &why);
            header = false;
            continue;
        }
        measured->row = hd_grow(measured->row, &capacity, measured->rows + 1,
                                sizeof *measured->row);
        fine = read_row(catalog, &row, at, &measured->row[measured->rows++], &why);
    }
    if (!fine)
        hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
    else if (got < 0)
        fine = false; /* err has it */
    else if (measured->rows == 0)
        fine = hd_fail(err, "%s: no rows; expected measured iterations", path);
    hd_csv_close(csv);
    if (!fine) hd_measured_free(measured);
    return fine;
}

void hd_measured_free(struct hd_measured *measured) {
    free(measured->row);
    *measured = (struct hd_measured){0};
}

bool hd_measured_is_clean(const struct hd_measured_row *row) {
    return (long)row->input_tokens * row->batch <= 2048 && row->prefill_s > 0 &&
           row->decode_s > 1e-3;
}

double hd_measured_context(const struct hd_measured_row *row) {
    return (double)row->batch * (row->input_tokens + 5.0);
}
