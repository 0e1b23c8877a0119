/* hotdesk calibrate check: how far off predictions are on what no fit has seen. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/new_file.h"
#include "calibrate/check.h"
#include "command/calibrate.h"
#include "output/text_table.h"

#define WRITTEN "results/reference/calibration.md"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "data", "DIR", NULL, "$HOTDESK_DATA, else ../shared/data", false,
     "the published measurements: a folder with measured/ and kernels/"},
    {HD_GROUP_WRITTEN, 1, "out", "FILE", NULL, WRITTEN, false,
     "where the same is written as Markdown"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate check [options]",
    "Fits to parts of the published measurements, predicts the other parts, and prints "
    "the\n"
    "absolute error, median / 90th percentile in percent: of what was fitted to, of "
    "what was\n"
    "held out, beside what an earlier fit to the same data gave and the gate that must "
    "hold.\n"
    "Exit code 3: a gate is missed.",
    {"hotdesk calibrate check", "hotdesk calibrate check --out /tmp/calibration.md"},
};

typedef bool check_kind(const struct hd_catalog *, const char *data, struct hd_checks *,
                        struct hd_err *);
static check_kind *const kinds[] = {
    hd_check_tables,   hd_check_mixed,   hd_check_layers, hd_check_iterations,
    hd_check_composed, hd_check_reduces, hd_check_logs};

/* ---- one table, two forms ------------------------------------------------- */

enum { COLUMNS = 11 };

static const struct {
    const char *title, *heading; /* of text, which may break; of Markdown */
    bool right;
} column[COLUMNS] = {{"gate", "gate", false},
                     {"predicted", "predicted", false},
                     {"GPU", "GPU", false},
                     {"measured by", "measured by", false},
                     {"how", "how", true},
                     {"in sample\n%", "in sample, %", true},
                     {"held out\n%", "held out, %", true},
                     {"values", "values", true},
                     {"earlier fit\n%", "earlier fit, %", true},
                     {"at most\n%", "at most, %", true},
                     {"", "", false}};

struct row {
    char cell[COLUMNS][128];
};

/* Procedures, numbered from 1 in the order of the checks. */
struct procedures {
    const char **text;
    int count, capacity;
};

static int number_of(struct procedures *all, const char *text) {
    for (int n = 0; n < all->count; n++)
        if (strcmp(all->text[n], text) == 0) return n + 1;
    all->text = hd_grow(all->text, &all->capacity, all->count + 1, sizeof *all->text);
    all->text[all->count++] = text;
    return all->count;
}

static void say_error(char cell[128], const struct hd_fit_error *e) {
    if (e->values > 0)
        snprintf(cell, 128, "%.1f / %.1f", 100 * e->p50, 100 * e->p90);
    else
        snprintf(cell, 128, "-");
}

static void say_limit(char cell[128], const struct hd_check_limit *e, int digits) {
    if (e->p50 > 0 && e->p90 > 0)
        snprintf(cell, 128, "%.*f / %.*f", digits, 100 * e->p50, digits, 100 * e->p90);
    else if (e->p50 > 0)
        snprintf(cell, 128, "%.*f", digits, 100 * e->p50);
    else
        snprintf(cell, 128, "-");
}

static struct row row_of(const struct hd_check *c, struct procedures *how) {
    struct row row;
    snprintf(row.cell[0], 128, "%s", c->gate);
    snprintf(row.cell[1], 128, "%s", c->name);
    snprintf(row.cell[2], 128, "%s", c->gpu);
    snprintf(row.cell[3], 128, "%s", c->data);
    snprintf(row.cell[4], 128, "%d", number_of(how, c->procedure));
    say_error(row.cell[5], &c->in_sample);
    say_error(row.cell[6], &c->held_out);
    snprintf(row.cell[7], 128, "%d", c->held_out.values);
    say_limit(row.cell[8], &c->reference, 1);
    say_limit(row.cell[9], &c->limit, 0);
    snprintf(row.cell[10], 128, "%s",
             !(c->limit.p50 > 0)  ? ""
             : hd_check_passes(c) ? "holds"
                                  : "MISSED");
    return row;
}

static void print_text(const struct row *row, int rows, const struct procedures *how) {
    struct hd_text_table *t = hd_text_table_new();
    for (int n = 0; n < COLUMNS; n++)
        hd_text_table_column(t, column[n].title, column[n].right);
    for (int r = 0; r < rows; r++)
        for (int n = 0; n < COLUMNS; n++) hd_text_table_cell(t, "%s", row[r].cell[n]);
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    putchar('\n');
    for (int n = 0; n < how->count; n++) printf("%d  %s\n", n + 1, how->text[n]);
}

static void print_markdown(const struct row *row, int rows,
                           const struct procedures *how, FILE *f) {
    fputs("# How far off predicted times are\n\n"
          "Written by `hotdesk calibrate check` (`make validate`). Absolute error of "
          "the prediction,\nmedian / 90th percentile in percent; *held out* is what "
          "the fit had not seen, *earlier fit*\nwhat another program gave on the same "
          "data, held out. Lines without a gate have no limit.\n\n",
          f);
    for (int n = 0; n < COLUMNS; n++) fprintf(f, "| %s ", column[n].heading);
    fputs("|\n", f);
    for (int n = 0; n < COLUMNS; n++) fputs(column[n].right ? "|---:" : "|---", f);
    fputs("|\n", f);
    for (int r = 0; r < rows; r++) {
        for (int n = 0; n < COLUMNS; n++) fprintf(f, "| %s ", row[r].cell[n]);
        fputs("|\n", f);
    }
    fputs("\nHow:\n\n", f);
    for (int n = 0; n < how->count; n++) fprintf(f, "%d. %s.\n", n + 1, how->text[n]);
}

/* ---- the word ------------------------------------------------------------ */

static bool write_file(const struct row *row, int rows, const struct procedures *how,
                       const char *path, struct hd_err *why) {
    struct hd_new_file file;
    if (!hd_new_file_begin(&file, path, true, why)) return false;
    print_markdown(row, rows, how, file.stream);
    if (!hd_new_file_keep(&file, why)) return false;
    fprintf(stderr, "written: %s\n", path);
    return true;
}

static bool show(const struct hd_checks *all, const char *path,
                 struct hd_problem *problem) {
    struct procedures how = {0};
    struct row *row = hd_alloc((size_t)all->count * sizeof *row);
    int gates = 0, missed = 0;
    for (int n = 0; n < all->count; n++) {
        row[n] = row_of(&all->check[n], &how);
        gates += all->check[n].limit.p50 > 0;
        missed += !hd_check_passes(&all->check[n]);
    }
    print_text(row, all->count, &how);
    printf("\n%d of %d gates hold\n", gates - missed, gates);
    bool fine = hd_stdout_flush(problem);
    struct hd_err why = {0};
    if (fine && !write_file(row, all->count, &how, path, &why))
        fine = hd_bad_input(problem, "%s", why.text);
    if (fine && missed)
        fine = hd_answer_no(problem, "%d of %d gates missed", missed, gates);
    free(row);
    free(how.text);
    return fine;
}

static char *data_folder(const struct hd_args *args) {
    const char *named = hd_args_get(args, "data");
    if (!named) named = getenv("HOTDESK_DATA");
    return named ? hd_strdup(named) : hd_home_path("../shared/data");
}

static bool check(const struct hd_args *args, struct hd_problem *problem) {
    const char *named = hd_args_get(args, "out");
    char *data = data_folder(args);
    char *path = named ? hd_strdup(named) : hd_home_path(WRITTEN);
    struct hd_err why = {0};
    struct hd_checks all = {0};
    struct hd_catalog *catalog = hd_catalog_load(&why);
    bool fine = catalog != NULL || hd_bad_input(problem, "%s", why.text);
    fine = fine && hd_calibrate_has(data, "kernels", problem);
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds && fine; n++)
        fine = kinds[n](catalog, data, &all, &why);
    if (fine)
        fine = show(&all, path, problem);
    else if (problem->exit_code == HD_EXIT_OK)
        hd_bad_input(problem, "%s", why.text);
    hd_checks_free(&all);
    hd_catalog_free(catalog);
    free(path);
    free(data);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_check = {
    "check", "calibrate check", options, OPTIONS, &help, 0,
    0,       "no further word", check};
