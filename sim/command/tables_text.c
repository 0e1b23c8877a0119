/* Prints kernel tables. */
#include "command/tables_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/text_table.h"

/* The sizes of an operator's grid, as hd_roof_axes gives them. */
static const char *axis_of(enum hd_roof_op op, int axis) {
    static const char *const gemm[] = {"m", "n", "k", ""};
    static const char *const prefill[] = {"batch x heads", "chunk", "heads / KV heads",
                                          "1 + prefix / chunk"};
    static const char *const decode[] = {"batch x KV heads", "context",
                                         "heads / KV heads", "chunk beside"};
    switch (op) {
    case HD_ROOF_PREFILL:
        return prefill[axis];
    case HD_ROOF_DECODE:
    case HD_ROOF_MIXED:
        return decode[axis];
    default:
        return gemm[axis];
    }
}

/* A table with where it stands. */
struct entry {
    const struct hd_kernel_table *table;
    const struct hd_kernel_origin *origin;
    enum hd_roof_op op;
    enum hd_roof_type type;
};

enum { ENTRIES_MAX = HD_KERNEL_ORIGINS_MAX * HD_ROOF_OPS * HD_ROOF_TYPES };

/* What is asked for each operator, and no other table. */
static int list(const struct hd_kernel_set *set, struct entry entry[ENTRIES_MAX]) {
    int count = 0;
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) {
            struct entry e = {.op = op, .type = type};
            e.table = hd_kernel_set_find(set, op, type, &e.origin);
            if (e.table) entry[count++] = e;
        }
    return count;
}

static double edge(const struct hd_grid *grid, int axis, bool last) {
    /* sizes are whole; ratios to six digits */
    return round(1e6 * exp(grid->log_at[axis][last ? grid->knots[axis] - 1 : 0])) / 1e6;
}

/* ---- text ---------------------------------------------------------------- */

static void cell_error(struct hd_text_table *t, const struct hd_kernel_error *e) {
    if (e->values)
        hd_text_table_cell(t, "%.1f / %.1f", 100 * e->p50, 100 * e->p90);
    else
        hd_text_table_cell(t, "-");
}

static void print_errors(const struct entry *entry, int count, FILE *out) {
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "kernels", false);
    hd_text_table_column(t, "type", false);
    hd_text_table_column(t, "measured on", false);
    hd_text_table_column(t, "in sample\n%", true);
    hd_text_table_column(t, "held out\n%", true);
    hd_text_table_column(t, "roofline\nalone, %", true);
    hd_text_table_column(t, "values", true);
    hd_text_table_column(t, "", false);
    for (int n = 0; n < count; n++) {
        const struct hd_kernel_table *table = entry[n].table;
        hd_text_table_cell(t, "%s", hd_roof_op_name(entry[n].op));
        hd_text_table_cell(t, "%s", hd_roof_type_name(entry[n].type));
        hd_text_table_cell(t, "%s", entry[n].origin->gpu);
        cell_error(t, &table->in_sample);
        cell_error(t, &table->held_out);
        cell_error(t, &table->roof_only);
        hd_text_table_cell(t, "%d", table->in_sample.values);
        hd_text_table_cell(t, "%s", table->superseded ? "superseded" : "");
    }
    hd_text_table_print(t, 0, out);
    hd_text_table_free(t);
}

static void print_span(const struct entry *e, FILE *out) {
    const struct hd_grid *grid = &e->table->law.grid;
    fprintf(out, "%s %s:", hd_roof_op_name(e->op), hd_roof_type_name(e->type));
    for (int axis = 0; axis < grid->axes; axis++) {
        fprintf(out, "%s %s %.6g", axis ? "," : "", axis_of(e->op, axis),
                edge(grid, axis, false));
        if (grid->knots[axis] > 1)
            fprintf(out, " to %.6g (%d)", edge(grid, axis, true), grid->knots[axis]);
    }
    if (grid->axes == 0) fprintf(out, " no grid");
    fprintf(out, "\n    %s (%s)\n", e->table->source, e->table->licence);
}

/* The holes: operators without a table of a type that others have. */
static void print_missing(const struct hd_kernel_set *set, FILE *out) {
    bool any = false;
    for (int op = 0; op < HD_ROOF_OPS; op++)
        for (int type = 0; type < HD_ROOF_TYPES; type++) {
            bool fp8 = type == HD_ROOF_FP8;
            if (fp8 && (op > HD_ROOF_DECODE || set->gpu->fp8_flops <= 0)) continue;
            if (hd_kernel_set_find(set, op, type, NULL)) continue;
            fprintf(out, "%s%s %s", any ? ", " : "no table of ", hd_roof_op_name(op),
                    hd_roof_type_name(type));
            any = true;
        }
    if (any) putc('\n', out);
}

void hd_tables_text(const struct hd_kernel_set *set, FILE *out) {
    struct entry entry[ENTRIES_MAX];
    int count = list(set, entry);
    if (count == 0) return;
    fprintf(out, "\n");
    print_errors(entry, count, out);
    fprintf(out, "\nErrors are median / 90th percentile. The grids span, with so many "
                 "knots:\n\n");
    for (int n = 0; n < count; n++) print_span(&entry[n], out);
    print_missing(set, out);
}

/* ---- JSON ---------------------------------------------------------------- */

static void put_error(struct hd_json *j, const char *key,
                      const struct hd_kernel_error *e) {
    if (e->values == 0) {
        hd_json_null(j, key);
        return;
    }
    hd_json_inline_object(j, key);
    hd_json_real(j, "p50", e->p50);
    hd_json_real(j, "p90", e->p90);
    hd_json_int(j, "values", e->values);
    hd_json_close(j);
}

static void put_entry(struct hd_json *j, const struct entry *e) {
    const struct hd_kernel_table *table = e->table;
    const struct hd_grid *grid = &table->law.grid;
    hd_json_object(j, NULL);
    hd_json_text(j, "op", hd_roof_op_name(e->op));
    hd_json_text(j, "type", hd_roof_type_name(e->type));
    hd_json_text(j, "of", e->origin->gpu);
    hd_json_bool(j, "own", e->origin->own);
    hd_json_bool(j, "superseded", table->superseded);
    put_error(j, "in_sample", &table->in_sample);
    put_error(j, "held_out", &table->held_out);
    put_error(j, "roofline_alone", &table->roof_only);
    hd_json_array(j, "grid");
    for (int axis = 0; axis < grid->axes; axis++) {
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "axis", axis_of(e->op, axis));
        hd_json_real(j, "least", edge(grid, axis, false));
        hd_json_real(j, "most", edge(grid, axis, true));
        hd_json_int(j, "knots", grid->knots[axis]);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_text(j, "source", table->source);
    hd_json_text(j, "licence", table->licence);
    hd_json_close(j);
}

void hd_tables_json(const struct hd_kernel_set *set, struct hd_json *j) {
    struct entry entry[ENTRIES_MAX];
    int count = list(set, entry);
    hd_json_object(j, "kernels");
    hd_json_text(j, "revision", count ? set->revision : NULL);
    hd_json_array(j, "tables");
    for (int n = 0; n < count; n++) put_entry(j, &entry[n]);
    hd_json_close(j);
    hd_json_close(j);
}
