/* hotdesk calibrate compare: two sets of measurements of one GPU, side by side. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "calibrate/agreement.h"
#include "command/calibrate.h"
#include "output/json.h"
#include "output/quantity.h"
#include "output/text_table.h"

static const struct hd_option options[] = {
    {HD_GROUP_WRITTEN, 1, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate compare A B [--json]",
    "Compares two files of kernel measurements of one GPU, op by op: times at the "
    "same\n"
    "shapes, and between the rows of the larger set, linear in the logarithms, where "
    "the\n"
    "other has a shape that it spans; nothing is extrapolated. Ratios are B / A. Rows "
    "that\n"
    "have no counterpart are counted, by reason.",
    {"hotdesk calibrate compare published.csv "
     "results/calibration/H200-SXM/measured.csv",
     "hotdesk calibrate compare a.csv b.csv --json"},
};

struct pair {
    struct hd_kernels set[2]; /* A and B */
    struct hd_agreement is;
};

static const char letter[] = "AB";

/* ---- text ---------------------------------------------------------------- */

/* "m 64 n 4096 k 4096"; the caller frees it. */
static char *shape_text(const struct hd_kernel_row *row) {
    char *text;
    size_t bytes;
    FILE *f = hd_text_stream(&text, &bytes);
    const char *between = "";
    for (int dim = 0; dim < HD_DIMS; dim++) {
        if (row->shape[dim] == HD_DIM_ABSENT) continue;
        fprintf(f, "%s%s %" PRId64, between, hd_kernel_dim_name(dim), row->shape[dim]);
        between = " ";
    }
    hd_text_stream_end(f, &text);
    return text;
}

static void cell_group(struct hd_text_table *t, const struct hd_agreement_group *g) {
    hd_text_table_cell(t, "%s%s%s", hd_kernel_op_name(g->op), *g->dtype ? " " : "",
                       g->dtype);
    for (int s = 0; s < 2; s++)
        hd_text_table_cell(t, "%s", *g->kind[s] ? g->kind[s] : "-");
    hd_text_table_cell(t, "%d", g->same);
    if (g->between)
        hd_text_table_cell(t, "%d of %c", g->between, letter[g->grid]);
    else
        hd_text_table_cell(t, "0");
    if (!g->worst) {
        for (int n = 0; n < 4; n++) hd_text_table_cell(t, "-");
        return;
    }
    char *shape = shape_text(g->worst);
    hd_text_table_cell(t, "%.2f", g->ratio);
    hd_text_table_cell(t, "%.1f", 100 * g->difference.p50);
    hd_text_table_cell(t, "%.1f", 100 * g->difference.p90);
    hd_text_table_cell(t, "%.2f at %s", g->worst_ratio, shape);
    free(shape);
}

static void print_compared(const struct hd_agreement *is) {
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "op", false);
    hd_text_table_column(t, "A", false);
    hd_text_table_column(t, "B", false);
    hd_text_table_column(t, "same\nshape", true);
    hd_text_table_column(t, "between\nrows", true);
    hd_text_table_column(t, "B / A\nmedian", true);
    hd_text_table_column(t, "off by, %\nmedian", true);
    hd_text_table_column(t, "\np90", true);
    hd_text_table_column(t, "worst B / A", false);
    for (int n = 0; n < is->groups; n++) cell_group(t, &is->group[n]);
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
}

static void print_missing(const struct hd_agreement_group *g) {
    char grid = letter[g->grid], other = letter[!g->grid];
    char *name = hd_format("%s%s%s%s%s", hd_kernel_op_name(g->op), *g->dtype ? " " : "",
                           g->dtype, *g->kind[!g->grid] ? " " : "", g->kind[!g->grid]);
    for (int dim = 0; dim < HD_DIMS; dim++)
        if (g->unlike[dim])
            printf("  %s: %s of %c, whose %s no row of %c has\n", name,
                   hd_say_things(g->unlike[dim], "row").text, other,
                   hd_kernel_dim_name(dim), grid);
    if (g->outside)
        printf("  %s: %s of %c outside of what %c spans\n", name,
               hd_say_things(g->outside, "row").text, other, grid);
    if (g->sparse)
        printf("  %s: %s of %c where the rows of %c are more than a factor of %g "
               "apart\n",
               name, hd_say_things(g->sparse, "row").text, other, grid,
               HD_LOOKUP_STEP_MOST);
    if (g->unused)
        printf("  %s: %s of %c at shapes that %c does not ask for\n", name,
               hd_say_things(g->unused, "row").text, grid, other);
    free(name);
}

static const char *const lacks[] = {
    [HD_LONE_OP] = "op", [HD_LONE_TYPE] = "type", [HD_LONE_KIND] = "variant"};

/* By op and reason, so that twenty variants of a memory call are one line. */
static void print_lones(const struct hd_agreement *is) {
    for (int n = 0; n < is->lones;) {
        const struct hd_agreement_lone *first = &is->lone[n];
        int rows = 0, kinds = 0;
        for (; n < is->lones && is->lone[n].set == first->set &&
               is->lone[n].op == first->op && is->lone[n].why == first->why;
             n++)
            rows += is->lone[n].rows, kinds++;
        char other = letter[!first->set];
        printf("  %s%s%s: %s of %c", hd_kernel_op_name(first->op),
               kinds == 1 && *first->kind ? " " : "", kinds == 1 ? first->kind : "",
               hd_say_things(rows, "row").text, letter[first->set]);
        if (kinds > 1) printf(" in %d variants", kinds);
        printf("; %c has no such %s\n", other, lacks[first->why]);
    }
}

static void print_text(const struct pair *p) {
    printf("%s\n", p->set[0].row[0].gpu->name);
    for (int s = 0; s < 2; s++)
        printf("%c  %s, %s\n", letter[s], p->set[s].file[0],
               hd_say_things(p->set[s].rows, "row").text);
    putchar('\n');
    if (p->is.groups)
        print_compared(&p->is);
    else
        puts("nothing in common");
    bool any = p->is.lones > 0;
    for (int n = 0; n < p->is.groups; n++) {
        const struct hd_agreement_group *g = &p->is.group[n];
        any |= g->unused || g->same + g->between < g->rows[!g->grid];
    }
    if (any) printf("\nnot compared\n");
    for (int n = 0; n < p->is.groups; n++) print_missing(&p->is.group[n]);
    print_lones(&p->is);
}

/* ---- JSON ---------------------------------------------------------------- */

static void put_group(const struct hd_agreement_group *g, struct hd_json *j) {
    hd_json_object(j, NULL);
    hd_json_text(j, "op", hd_kernel_op_name(g->op));
    hd_json_text(j, "dtype", *g->dtype ? g->dtype : NULL);
    hd_json_inline_array(j, "kinds");
    for (int s = 0; s < 2; s++) hd_json_text(j, NULL, g->kind[s]);
    hd_json_close(j);
    hd_json_inline_array(j, "rows");
    for (int s = 0; s < 2; s++) hd_json_int(j, NULL, g->rows[s]);
    hd_json_close(j);
    hd_json_text(j, "read_at_the_others_shapes", g->grid ? "B" : "A");
    hd_json_int(j, "same_shape", g->same);
    hd_json_int(j, "between_rows", g->between);
    hd_json_real(j, "ratio_median", g->ratio);
    hd_json_real(j, "difference_p50", g->difference.p50);
    hd_json_real(j, "difference_p90", g->difference.p90);
    hd_json_object(j, "worst");
    hd_json_real(j, "ratio", g->worst ? g->worst_ratio : NAN);
    for (int dim = 0; g->worst && dim < HD_DIMS; dim++)
        if (g->worst->shape[dim] != HD_DIM_ABSENT)
            hd_json_int(j, hd_kernel_dim_name(dim), g->worst->shape[dim]);
    hd_json_close(j);
    hd_json_object(j, "not_compared");
    for (int dim = 0; dim < HD_DIMS; dim++)
        if (g->unlike[dim]) hd_json_int(j, hd_kernel_dim_name(dim), g->unlike[dim]);
    hd_json_int(j, "outside", g->outside);
    hd_json_int(j, "sparse", g->sparse);
    hd_json_int(j, "unused", g->unused);
    hd_json_close(j);
    hd_json_close(j);
}

static void print_json(const struct pair *p) {
    struct hd_json j;
    hd_json_start(&j, stdout);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "gpu", p->set[0].row[0].gpu->name);
    hd_json_array(&j, "files");
    for (int s = 0; s < 2; s++) hd_json_text(&j, NULL, p->set[s].file[0]);
    hd_json_close(&j);
    hd_json_array(&j, "groups");
    for (int n = 0; n < p->is.groups; n++) put_group(&p->is.group[n], &j);
    hd_json_close(&j);
    hd_json_array(&j, "only_in_one");
    for (int n = 0; n < p->is.lones; n++) {
        const struct hd_agreement_lone *l = &p->is.lone[n];
        hd_json_inline_object(&j, NULL);
        hd_json_text(&j, "file", l->set ? "B" : "A");
        hd_json_text(&j, "op", hd_kernel_op_name(l->op));
        hd_json_text(&j, "dtype", *l->dtype ? l->dtype : NULL);
        hd_json_text(&j, "kind", l->kind);
        hd_json_int(&j, "rows", l->rows);
        hd_json_text(&j, "the_other_lacks", lacks[l->why]);
        hd_json_close(&j);
    }
    hd_json_close(&j);
    hd_json_close(&j);
    hd_json_finish(&j);
}

/* ---- the word ------------------------------------------------------------ */

static bool compare(const struct hd_args *args, struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_catalog *catalog = hd_catalog_load(&why);
    struct pair p = {0};
    bool fine = catalog != NULL;
    for (int s = 0; s < 2; s++)
        fine = fine && hd_kernels_read(&p.set[s], catalog, args->word[s], &why);
    fine = fine && hd_agreement_of(&p.is, &p.set[0], &p.set[1], &why);
    if (fine) {
        if (hd_args_get(args, "json"))
            print_json(&p);
        else
            print_text(&p);
        fine = hd_stdout_flush(problem);
    } else {
        hd_bad_input(problem, "%s", why.text);
    }
    hd_agreement_free(&p.is);
    for (int s = 0; s < 2; s++) hd_kernels_free(&p.set[s]);
    hd_catalog_free(catalog);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_compare = {
    "compare", "calibrate compare",
    options,   OPTIONS,
    &help,     2,
    2,         "two files of kernel measurements",
    compare};
