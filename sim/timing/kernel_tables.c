/* Rows of fitted kernels, in and out. */
#include "timing/kernel_tables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/units.h"

const char *const hd_kernel_files[HD_KERNEL_FILES] = {
    "gemm.csv", "attention_prefill.csv", "attention_decode.csv", "small_ops.csv"};

int hd_kernel_file_of(enum hd_roof_op op) {
    switch (op) {
    case HD_ROOF_GEMM:
        return 0;
    case HD_ROOF_PREFILL:
        return 1;
    case HD_ROOF_DECODE:
    case HD_ROOF_MIXED:
        return 2;
    default:
        return 3;
    }
}

/* ---- reading ------------------------------------------------------------- */

/* One table as its rows come in; the grid is made when all axes are there. */
struct reading {
    bool seen[11]; /* fields that may stand once */
    struct hd_grid_knots knots;
    double *value;
    int values, capacity;
    long line; /* of the last row, for what is missing */
};

enum { T0, EC, EM, P, IN_SAMPLE, ROOF_ONLY, SOURCE, LICENCE, NEEDED };
enum { HELD_OUT = NEEDED, SUPERSEDED, SKEW, ONCE };
static const char *const once[ONCE] = {"t0_s",      "ec",         "em",     "p",
                                       "in_sample", "roof_only",  "source", "licence",
                                       "held_out",  "superseded", "skew"};

/* Numbers separated by blanks, into at most `most`; -1: not so. */
static int numbers(const char *text, double *to, int most, struct hd_err *why) {
    char *copy = hd_strdup(text), *rest = NULL;
    int count = 0;
    for (char *word = strtok_r(copy, " ", &rest); word && count >= 0;
         word = strtok_r(NULL, " ", &rest)) {
        if (count == most)
            hd_fail(why, "more than %d numbers", most);
        else if (hd_parse_number(word, &to[count], why)) {
            count++;
            continue;
        }
        count = -1;
    }
    free(copy);
    if (count == 0) hd_fail(why, "no numbers");
    return count > 0 ? count : -1;
}

static bool read_axis(struct reading *r, const char *text, struct hd_err *why) {
    struct hd_grid_knots *k = &r->knots;
    if (r->values) return hd_fail(why, "an axis after residuals; expected it before");
    if (k->axes == HD_GRID_AXES_MAX)
        return hd_fail(why, "more than %d axes", HD_GRID_AXES_MAX);
    int count = numbers(text, k->at[k->axes], HD_GRID_KNOTS_MAX, why);
    if (count < 0) return false;
    for (int n = 0; n < count; n++)
        if (!(k->at[k->axes][n] > (n ? k->at[k->axes][n - 1] : 0)))
            return hd_fail(why, "knots are not positive and ascending");
    k->knots[k->axes++] = count;
    return true;
}

/* Values of one row: all of the last two axes. */
static int in_a_row(int axes, const int *knots) {
    int values = 1;
    for (int a = axes > 2 ? axes - 2 : 0; a < axes; a++) values *= knots[a];
    return values;
}

static bool read_residuals(struct reading *r, const char *text, struct hd_err *why) {
    if (r->knots.axes == 0) return hd_fail(why, "residuals before an axis");
    int expected = in_a_row(r->knots.axes, r->knots.knots);
    r->value = hd_grow(r->value, &r->capacity, r->values + expected, sizeof *r->value);
    double *to = r->value + r->values;
    int count = numbers(text, to, expected, why);
    if (count < 0) return false;
    if (count != expected)
        return hd_fail(why,
                       "%d residuals; expected %d, one for each pair of knots of "
                       "the last two axes",
                       count, expected);
    for (int n = 0; n < count; n++) {
        if (!(fabs(to[n]) <= 5000))
            return hd_fail(why, "a residual of %g; expected thousandths within 5000",
                           to[n]);
        to[n] /= 1e3;
    }
    r->values += count;
    return true;
}

static bool read_error(struct hd_kernel_error *to, const char *text,
                       struct hd_err *why) {
    double v[3];
    int count = numbers(text, v, 3, why);
    if (count < 0) return false;
    if (count != 3 || v[0] < 0 || v[1] < v[0] || v[2] < 1)
        return hd_fail(why, "expected median, 90th percentile and number of values");
    *to = (struct hd_kernel_error){v[0], v[1], (int)v[2]};
    return true;
}

static bool read_text(char *to, size_t size, const char *text, struct hd_err *why) {
    if (strlen(text) >= size) return hd_fail(why, "longer than %zu bytes", size - 1);
    memcpy(to, text, strlen(text) + 1);
    return true;
}

static bool read_coefficient(double *to, const char *text, bool may_be_0,
                             struct hd_err *why) {
    if (!hd_parse_number(text, to, why)) return false;
    return *to > 0 || (may_be_0 && *to == 0) ||
           hd_fail(why, "%s; expected a number above 0", text);
}

static bool read_once(struct hd_kernel_table *t, struct reading *r, int field,
                      const char *text, struct hd_err *why) {
    if (r->seen[field])
        return hd_fail(why, "%s for the second time; expected it once", once[field]);
    r->seen[field] = true;
    switch (field) {
    case T0:
        return read_coefficient(&t->law.t0_s, text, true, why);
    case EC:
        return read_coefficient(&t->law.ec, text, true, why);
    case EM:
        return read_coefficient(&t->law.em, text, false, why);
    case P:
        return read_coefficient(&t->law.p, text, false, why);
    case IN_SAMPLE:
        return read_error(&t->in_sample, text, why);
    case ROOF_ONLY:
        return read_error(&t->roof_only, text, why);
    case HELD_OUT:
        return read_error(&t->held_out, text, why);
    case SOURCE:
        return read_text(t->source, sizeof t->source, text, why);
    case SUPERSEDED:
        t->superseded = strcmp(text, "yes") == 0;
        return t->superseded || hd_fail(why, "'%s'; expected yes or no row", text);
    case SKEW:
        return read_coefficient(&t->skew, text, false, why);
    default:
        return read_text(t->licence, sizeof t->licence, text, why);
    }
}

typedef struct reading readings[HD_ROOF_OPS][HD_ROOF_TYPES];

static bool read_row(struct hd_kernel_tables *tables, readings all,
                     const struct hd_csv_row *row, struct hd_err *why) {
    if (row->count != 4)
        return hd_fail(why, "%d fields; expected op,type,field,values", row->count);
    int op = hd_roof_op_of(row->field[0]), type = hd_roof_type_of(row->field[1]);
    if (op < 0) return hd_fail(why, "unknown op '%s'", row->field[0]);
    if (type < 0)
        return hd_fail(why, "unknown type '%s'; expected bf16 or fp8", row->field[1]);
    struct hd_kernel_table *t = &tables->of[op][type];
    struct reading *r = &all[op][type];
    if (t->law.known)
        return hd_fail(why, "%s of %s is there already", row->field[0], row->field[1]);
    r->line = row->line;
    const char *field = row->field[2], *text = row->field[3];
    if (strcmp(field, "axis") == 0) return read_axis(r, text, why);
    if (strcmp(field, "residual") == 0) return read_residuals(r, text, why);
    for (int n = 0; n < ONCE; n++)
        if (strcmp(field, once[n]) == 0) return read_once(t, r, n, text, why);
    return hd_fail(why, "unknown field '%s'", field);
}

/* Grids from what was read, and nothing missing. */
static bool finish(struct hd_kernel_tables *tables, readings all, const char *path,
                   struct hd_err *err) {
    bool any = false, fine = true;
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) {
            struct reading *r = &all[op][type];
            struct hd_roof_law *law = &tables->of[op][type].law;
            if (!r->line) continue;
            any = true;
            for (int n = 0; n < NEEDED && fine; n++)
                if (!r->seen[n])
                    fine = hd_fail(err, "%s: no %s of %s %s", path, once[n],
                                   hd_roof_op_name((enum hd_roof_op)op),
                                   hd_roof_type_name((enum hd_roof_type)type));
            if (r->knots.axes && fine) {
                hd_grid_init(&law->grid, &r->knots);
                int expected = hd_grid_values(&law->grid);
                if (r->values != expected)
                    fine = hd_fail(err, "%s:%ld: %d residuals; expected %d", path,
                                   r->line, r->values, expected);
                else
                    memcpy(law->grid.value, r->value,
                           (size_t)expected * sizeof *r->value);
            }
            law->known = fine;
        }
    return fine && (any || hd_fail(err, "%s: no rows", path));
}

bool hd_kernel_tables_read(struct hd_kernel_tables *tables, const char *path,
                           struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return false;
    static const char *const header[] = {"op", "type", "field", "values"};
    struct reading(*all)[HD_ROOF_TYPES] = hd_alloc(sizeof(readings));
    struct hd_csv_row row;
    struct hd_err why = {0};
    bool first = true, fine = true;
    int got;
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        if (!first) {
            fine = read_row(tables, all, &row, &why);
            continue;
        }
        for (int n = 0; n < 4; n++)
            fine = fine && row.count == 4 && strcmp(row.field[n], header[n]) == 0;
        if (!fine) hd_fail(&why, "expected the header op,type,field,values");
        first = false;
    }
    if (!fine) hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
    fine = fine && got == 0 && finish(tables, all, path, err);
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) free(all[op][type].value);
    free(all);
    hd_csv_close(csv);
    return fine;
}

/* ---- writing ------------------------------------------------------------- */

static void put_grid(FILE *out, const char *name, const struct hd_grid *g) {
    for (int a = 0; a < g->axes; a++) {
        fprintf(out, "%s,axis,", name);
        for (int n = 0; n < g->knots[a]; n++)
            fprintf(out, "%s%.0f", n ? " " : "", exp(g->log_at[a][n]));
        putc('\n', out);
    }
    int last = in_a_row(g->axes, g->knots);
    for (int n = 0; n < hd_grid_values(g); n++) {
        if (n % last == 0) fprintf(out, "%s,residual,", name);
        fprintf(out, "%ld%c", lround(g->value[n] * 1e3),
                n % last == last - 1 ? '\n' : ' ');
    }
}

static void put_error(FILE *out, const char *name, const char *field,
                      const struct hd_kernel_error *e) {
    fprintf(out, "%s,%s,%.4f %.4f %d\n", name, field, e->p50, e->p90, e->values);
}

static void put_table(FILE *out, const char *name, const struct hd_kernel_table *t) {
    fprintf(out, "%s,t0_s,%.4g\n", name, t->law.t0_s);
    fprintf(out, "%s,ec,%.4g\n", name, t->law.ec);
    fprintf(out, "%s,em,%.4g\n", name, t->law.em);
    fprintf(out, "%s,p,%.4g\n", name, t->law.p);
    put_error(out, name, "in_sample", &t->in_sample);
    put_error(out, name, "roof_only", &t->roof_only);
    if (t->held_out.values) put_error(out, name, "held_out", &t->held_out);
    fprintf(out, "%s,source,%s\n", name, t->source);
    fprintf(out, "%s,licence,%s\n", name, t->licence);
    if (t->skew > 0) fprintf(out, "%s,skew,%.4g\n", name, t->skew);
    if (t->superseded) fprintf(out, "%s,superseded,yes\n", name);
    put_grid(out, name, &t->law.grid);
}

void hd_kernel_tables_print(const struct hd_kernel_tables *tables, int file,
                            FILE *out) {
    fprintf(out, "op,type,field,values\n");
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) {
            const struct hd_kernel_table *t = &tables->of[op][type];
            if (!t->law.known || hd_kernel_file_of((enum hd_roof_op)op) != file)
                continue;
            char *name = hd_format("%s,%s", hd_roof_op_name((enum hd_roof_op)op),
                                   hd_roof_type_name((enum hd_roof_type)type));
            put_table(out, name, t);
            free(name);
        }
}

void hd_kernel_tables_free(struct hd_kernel_tables *tables) {
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++)
            hd_grid_free(&tables->of[op][type].law.grid);
    *tables = (struct hd_kernel_tables){0};
}
