/* Opens profiles, hands them to their reader, checks and merges what comes. */
#include "calibrate/import.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "calibrate/import_parts.h"
#include "calibrate/roof.h"
#include "output/quantity.h"

static const struct hd_import_reader *const readers[HD_IMPORT_SOURCES] = {
    &hd_import_vidur, &hd_import_aiconfigurator, &hd_import_llmservingsim,
    &hd_import_aegaeon};

const char *hd_import_source_name(int source) {
    return readers[source]->name;
}

int hd_import_source(const char *name, struct hd_err *why) {
    const char *names[HD_IMPORT_SOURCES];
    for (int n = 0; n < HD_IMPORT_SOURCES; n++) {
        names[n] = readers[n]->name;
        if (strcmp(names[n], name) == 0) return n;
    }
    const char *near = hd_nearest(name, names, HD_IMPORT_SOURCES);
    hd_fail(why, "'%s' is unknown; %s%s", name, near ? "the nearest is " : "expected ",
            near ? near : "vidur, aiconfigurator, llmservingsim or aegaeon");
    return -1;
}

void hd_import_note(struct hd_import_report *report, const char *what) {
    int n = 0;
    while (n < report->notes && strcmp(report->note[n].what, what) != 0) n++;
    if (n == HD_IMPORT_NOTES_MAX) return;
    if (n == report->notes) report->note[report->notes++].what = what;
    report->note[n].count++;
}

/* ---- fields -------------------------------------------------------------- */

int hd_profile_column(const struct hd_profile *p, const char *name) {
    for (int n = 0; n < p->columns; n++)
        if (strcmp(p->column[n], name) == 0) return n;
    return -1;
}

bool hd_profile_columns(struct hd_profile *p, const char *const *name, int count,
                        int *at) {
    for (int n = 0; n < count; n++) {
        at[n] = hd_profile_column(p, name[n]);
        if (at[n] < 0) return hd_fail(&p->why, "no column '%s'", name[n]);
    }
    return true;
}

int hd_profile_next(struct hd_profile *p) {
    int got = hd_csv_next(p->csv, &p->row, &p->why);
    if (got < 0) {
        p->line = 0; /* why has it */
        return -1;
    }
    if (got == 0) {
        if (!hd_csv_cut_off(p->csv)) return 0;
        hd_fail(&p->why, "the last line has no end; expected a whole file");
        return -1;
    }
    p->line = p->row.line;
    p->report->rows++;
    if (p->row.count == p->columns) return 1;
    hd_fail(&p->why, "%s; expected %d, as the header has",
            hd_say_things(p->row.count, "field").text, p->columns);
    return -1;
}

bool hd_profile_integer(struct hd_profile *p, int column, long least, int64_t *to) {
    long value;
    struct hd_err what = {0};
    if (!hd_parse_integer(p->row.field[column], least, 1L << 50, &value, &what))
        return hd_fail(&p->why, "%s: %s", p->column[column], what.text);
    *to = value;
    return true;
}

double hd_import_rounded(double value) {
    char text[32];
    snprintf(text, sizeof text, "%.12g", value);
    return strtod(text, NULL);
}

static bool take_number(struct hd_profile *p, int column, double factor, double *to) {
    struct hd_err what = {0};
    double value;
    if (!hd_parse_number(p->row.field[column], &value, &what))
        return hd_fail(&p->why, "%s: %s", p->column[column], what.text);
    *to = hd_import_rounded(value * factor);
    return true;
}

bool hd_profile_time(struct hd_profile *p, int column, double us, double *to) {
    if (!take_number(p, column, us, to)) return false;
    return *to > 0 || hd_fail(&p->why, "%s is %s; expected a time above 0",
                              p->column[column], p->row.field[column]);
}

bool hd_profile_deviation(struct hd_profile *p, int column, double us, double *to) {
    if (!take_number(p, column, us, to)) return false;
    return *to >= 0 || hd_fail(&p->why, "%s is %s; expected a deviation of at least 0",
                               p->column[column], p->row.field[column]);
}

const char *hd_profile_dtype(struct hd_profile *p, const char *name) {
    static const char *const known[][2] = {
        {"bfloat16", "bf16"}, {"bf16", "bf16"}, {"half", "fp16"},
        {"float16", "fp16"},  {"fp16", "fp16"}, {"fp8", "fp8"},
        {"float32", "fp32"},  {"int8", "int8"},
    };
    for (size_t n = 0; n < sizeof known / sizeof *known; n++)
        if (strcmp(known[n][0], name) == 0) return hd_kernels_text(p->set, known[n][1]);
    hd_fail(&p->why, "dtype '%.40s' is unknown; expected bfloat16, half, fp8 or int8",
            name);
    return NULL;
}

/* ---- keeping ------------------------------------------------------------- */

static bool is_possible(struct hd_profile *p, const struct hd_kernel_row *row) {
    const struct hd_model_spec *model = NULL;
    struct hd_err ignored = {0};
    const char *colon = strchr(row->variant, ':');
    if (row->op == HD_OP_STEP && colon)
        model = hd_catalog_model(p->catalog, colon + 1, &ignored);
    return hd_kernel_is_possible(row, model, &p->why);
}

bool hd_profile_keep(struct hd_profile *p, struct hd_kernel_row *row, bool possible) {
    row->file = p->file;
    row->line = p->line;
    if (!hd_kernel_row_check(row, &p->why)) return false;
    if (strcmp(row->dtype, "fp8") == 0 && row->op == HD_OP_GEMM &&
        row->gpu->fp8_flops <= 0)
        return hd_fail(&p->why, "fp8 on %s, which has none; another GPU's profile?",
                       row->gpu->name);
    if (possible && !is_possible(p, row)) return false;
    p->report->made++;
    hd_kernels_add(p->set, row);
    return true;
}

/* ---- a file -------------------------------------------------------------- */

static bool read_header(struct hd_profile *p) {
    int got = hd_csv_next(p->csv, &p->row, &p->why);
    p->line = got < 0 ? 0 : 1;
    if (got < 0) return false;
    if (got == 0) return hd_fail(&p->why, "is empty; expected a header");
    p->line = p->row.line;
    p->column = hd_alloc((size_t)p->row.count * sizeof *p->column);
    while (p->columns < p->row.count) {
        p->column[p->columns] = hd_strdup(p->row.field[p->columns]);
        p->columns++;
    }
    return true;
}

/* A header that the reader does not know may be one that another does. */
static bool check_kind(struct hd_profile *p, const struct hd_import_reader *reader) {
    if (reader->knows(p)) return true;
    for (int n = 0; n < HD_IMPORT_SOURCES; n++)
        if (readers[n] != reader && readers[n]->knows(p))
            return hd_fail(&p->why, "the header is one of %s; expected %s of %s",
                           readers[n]->name, reader->files, reader->name);
    return hd_fail(&p->why, "the header is not known; expected %s of %s", reader->files,
                   reader->name);
}

static bool take_file(struct hd_profile *p, const struct hd_import_reader *reader) {
    int64_t before = p->report->made;
    if (!read_header(p) || !check_kind(p, reader) || !reader->take(p)) return false;
    return p->report->made > before ||
           hd_fail(&p->why, "no measurement in it; expected %s of %s", reader->files,
                   reader->name);
}

static bool import_file(struct hd_profile *p, const struct hd_import_reader *reader,
                        struct hd_err *err) {
    p->csv = hd_csv_open(p->path, err);
    if (!p->csv) return false;
    p->place = realpath(p->path, NULL);
    if (!p->place) p->place = hd_strdup(p->path);
    p->file = hd_kernels_file(p->set, p->path);
    bool fine = take_file(p, reader);
    if (!fine && p->line)
        hd_fail(err, "%s:%ld: %s", p->path, p->line, p->why.text);
    else if (!fine)
        hd_fail(err, "%s", p->why.text);
    for (int n = 0; n < p->columns; n++) free(p->column[n]);
    free(p->column);
    free(p->place);
    hd_csv_close(p->csv);
    return fine;
}

bool hd_import(struct hd_kernels *set, const struct hd_catalog *catalog, int source,
               const char *const *path, int paths, const struct hd_gpu_spec *gpu,
               struct hd_import_report *report, struct hd_err *err) {
    *report = (struct hd_import_report){0};
    for (int n = 0; n < paths; n++) {
        struct hd_profile p = {.catalog = catalog,
                               .gpu = gpu,
                               .set = set,
                               .report = report,
                               .path = path[n]};
        if (!import_file(&p, readers[source], err)) return false;
    }
    return hd_import_merge(set, report, err);
}
