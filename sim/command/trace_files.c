/* What the subcommands that make a new trace have in common. */
#include "command/trace_files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/new_file.h"
#include "base/units.h"
#include "output/quantity.h"
#include "output/text_table.h"
#include "trace/binary.h"
#include "trace/csv_write.h"
#include "trace/notes.h"
#include "trace/stats.h"

static bool ends_with(const char *text, const char *end) {
    size_t bytes = strlen(text), tail = strlen(end);
    return bytes >= tail && strcmp(text + bytes - tail, end) == 0;
}

static bool to_stdout(const struct hd_args *args) {
    return strcmp(hd_args_get(args, "out"), "-") == 0;
}

FILE *hd_trace_said(const struct hd_args *args) {
    const char *out = hd_args_get(args, "out");
    return out && strcmp(out, "-") == 0 ? stderr : stdout;
}

bool hd_trace_out_asked(const struct hd_args *args, struct hd_problem *problem) {
    const char *as = hd_args_get(args, "as");
    if (!hd_args_get(args, "out"))
        return hd_usage(problem,
                        "--out: is missing; expected a file, or - for standard "
                        "output");
    if (as && strcmp(as, "native") != 0 && strcmp(as, "binary") != 0)
        return hd_usage(problem, "--as %.60s: is none; expected native or binary", as);
    if (to_stdout(args) && hd_args_get(args, "force"))
        return hd_usage(problem, "--force: there is no --out FILE to replace");
    return true;
}

bool hd_trace_reading(const struct hd_args *args, struct hd_trace_options *asked,
                      struct hd_problem *problem) {
    const char *bad = hd_args_get(args, "skip-bad");
    struct hd_err why = {0};
    asked->format = hd_args_get(args, "format");
    asked->sort = hd_args_get(args, "sort") != NULL;
    asked->lengths = hd_args_get(args, "lengths");
    if (bad && !hd_parse_integer(bad, 0, 1000000, &asked->skip_bad, &why))
        return hd_usage(problem, "--skip-bad: %s", why.text);
    return hd_trace_seed(args, &asked->seed, problem);
}

struct hd_trace *hd_trace_in(const struct hd_args *args, const char *path,
                             const char *from, const char *to,
                             struct hd_problem *problem) {
    struct hd_trace_options asked = {.from = from, .to = to};
    struct hd_err why = {0};
    if (!hd_trace_reading(args, &asked, problem)) return NULL;
    struct hd_trace *t = hd_trace_load(path, &asked, &why);
    if (t) return t;
    if (strncmp(why.text, "--", 2) == 0) /* a mistake in an option */
        hd_usage(problem, "%s", why.text);
    else
        hd_bad_input(problem, "%s", why.text);
    return NULL;
}

bool hd_trace_seed(const struct hd_args *args, uint64_t *seed,
                   struct hd_problem *problem) {
    const char *asked = hd_args_get(args, "seed");
    struct hd_err why = {0};
    long number = 1;
    if (asked && !hd_parse_integer(asked, 0, INT32_MAX, &number, &why))
        return hd_usage(problem, "--seed: %s", why.text);
    *seed = (uint64_t)number;
    return true;
}

bool hd_trace_unit(const struct hd_args *args, enum hd_unit *unit,
                   struct hd_problem *problem) {
    static const char *const name[] = {"request", "session", "model"};
    const char *asked = hd_args_get(args, "each");
    *unit = HD_UNIT_SESSION;
    for (int i = 0; asked && i < 3; i++)
        if (strcmp(asked, name[i]) == 0) {
            *unit = (enum hd_unit)i;
            return true;
        }
    return !asked || hd_usage(problem,
                              "--each %.60s: is none; expected request, session or "
                              "model",
                              asked);
}

/* The command line without what only says where to. */
static void put_command(const struct hd_args *args, const char *command, FILE *out) {
    static const char *const apart[] = {"out", "as", "force"};
    fprintf(out, "hotdesk %s", command);
    for (int i = 0; i < args->count; i++) {
        const struct hd_given *g = &args->given[i];
        bool says = true;
        for (int k = 0; k < 3; k++) says &= strcmp(g->option->name, apart[k]) != 0;
        if (!says) continue;
        fprintf(out, " --%s", g->option->name);
        if (g->option->value)
            fprintf(out, strchr(g->value, ' ') ? " '%s'" : " %s", g->value);
    }
}

void hd_trace_note_origin(struct hd_trace *made, const struct hd_trace *of,
                          const struct hd_args *args, const char *command) {
    char *text;
    size_t bytes;
    if (!made->note && made != of) hd_trace_take_notes(made, of->note, of->notes);
    FILE *out = hd_text_stream(&text, &bytes);
    const char *before = made->made;
    put_command(args, command, out);
    fprintf(out, " of %s (%s, sha256 %.12s)", of->name, of->format, of->sha256);
    if (before) fprintf(out, "; before that: %s", before);
    hd_text_stream_end(out, &text);
    hd_trace_set_note(made, "made", text);
    free(text);
}

static bool write_as(const struct hd_args *args, const struct hd_trace *t, FILE *out) {
    const char *as = hd_args_get(args, "as"), *path = hd_args_get(args, "out");
    bool binary = as ? strcmp(as, "binary") == 0 : ends_with(path, ".hdt");
    return binary ? hd_binary_write(t, out) : hd_csv_trace_write(t, out);
}

bool hd_trace_out(const struct hd_args *args, const struct hd_trace *t,
                  struct hd_problem *problem) {
    const char *path = hd_args_get(args, "out");
    struct hd_err why = {0};
    struct hd_new_file file;
    if (to_stdout(args)) {
        write_as(args, t, stdout);
        if (!hd_stdout_flush(problem)) return false;
    } else if (hd_new_file_begin(&file, path, hd_args_get(args, "force") != NULL,
                                 &why)) {
        write_as(args, t, file.stream);
        hd_new_file_keep(&file, &why);
    }
    if (why.text[0]) return hd_bad_input(problem, "%s", why.text);
    fprintf(
        hd_trace_said(args), "%s: %s, %s\n", to_stdout(args) ? "standard output" : path,
        hd_say_things(t->rows, "request").text, hd_say_things(t->models, "model").text);
    return hd_stdout_flush(problem);
}

static void put_figure(struct hd_text_table *table, double figure) {
    if (isnan(figure))
        hd_text_table_cell(table, "-");
    else
        hd_text_table_cell(table, "%.3g", figure);
}

void hd_trace_beside(const struct hd_trace *const *t, const char *const *title,
                     int count, FILE *out) {
    struct hd_text_table *table = hd_text_table_new();
    static const char *const column[] = {"requests",   "span",       "req/s",
                                         "gap CV",     "IoD 1 s",    "IoD 60 s",
                                         "input mean", "output mean"};
    hd_text_table_column(table, "", false);
    for (size_t i = 0; i < sizeof column / sizeof *column; i++)
        hd_text_table_column(table, column[i], true);
    for (int i = 0; i < count; i++) {
        struct hd_trace_stats s = hd_trace_stats(t[i], HD_SERVICE_S_PUBLISHED);
        hd_text_table_cell(table, "%s", title[i]);
        hd_text_table_cell(table, "%s", hd_say_count(s.rows).text);
        hd_text_table_cell(table, "%s", hd_say_span(s.span_s).text);
        put_figure(table, s.rate_per_s);
        put_figure(table, s.gap_cv);
        put_figure(table, s.iod_1s);
        put_figure(table, s.iod_60s);
        hd_text_table_cell(table, "%.0f", s.input.mean);
        hd_text_table_cell(table, "%.0f", s.output.mean);
    }
    hd_text_table_print(table, 0, out);
    hd_text_table_free(table);
}
