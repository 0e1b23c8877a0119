/* A trace's figures, as a screen and as JSON. */
#include "command/trace_info.h"

#include <math.h>
#include <stdlib.h>

#include "output/fields.h"
#include "output/quantity.h"
#include "output/text_table.h"

enum { POPULAR_SHOWN = 5 };

/* ---- the screen ---------------------------------------------------------- */

/* A figure with so many decimals, "-" when absent. */
static struct hd_said say(const char *format, double value) {
    struct hd_said said = {"-"};
    if (isfinite(value)) snprintf(said.text, sizeof said.text, format, value);
    return said;
}

static void line(FILE *out, const char *label) {
    fprintf(out, "%-10s", label);
}

static void print_rows(const struct hd_trace *t, FILE *out) {
    if (t->rows != t->rows_read) {
        line(out, "cut");
        fprintf(out, "%s of %s rows: %s before and %s after it are left out\n",
                hd_say_count(t->rows).text, hd_say_count(t->rows_read).text,
                hd_say_count(t->rows_before).text, hd_say_count(t->rows_after).text);
    }
    if (t->rows_out_of_order) {
        line(out, "sorted");
        fprintf(out, "%s behind a later one in the file\n",
                hd_say_things(t->rows_out_of_order, "row").text);
    }
    line(out, "empty");
    fprintf(out, "%s without output tokens, %s without input tokens (all kept)\n",
            hd_say_things(t->rows_no_output, "row").text,
            hd_say_count(t->rows_no_input).text);
    if (t->unused_columns) {
        line(out, "not read");
        fprintf(out, "columns %s\n", t->unused_columns);
    }
    if (t->parts) {
        line(out, "parts");
        fprintf(out, "%s\n", t->parts);
    }
    if (t->made) {
        line(out, "made by");
        fprintf(out, "%s\n", t->made);
    }
}

static void print_tokens(const struct hd_trace_stats *s, FILE *out) {
    struct hd_text_table *table = hd_text_table_new();
    static const char *const title[] = {"tokens", "mean", "p50", "p90", "p99", "max"};
    for (int i = 0; i < 6; i++) hd_text_table_column(table, title[i], i > 0);
    const struct hd_token_stats *both[] = {&s->input, &s->output};
    for (int i = 0; i < 2; i++) {
        hd_text_table_cell(table, "%s", i ? "output" : "input");
        hd_text_table_cell(table, "%.1f", both[i]->mean);
        hd_text_table_cell(table, "%.0f", both[i]->p50);
        hd_text_table_cell(table, "%.0f", both[i]->p90);
        hd_text_table_cell(table, "%.0f", both[i]->p99);
        hd_text_table_cell(table, "%.0f", both[i]->max);
    }
    hd_text_table_print(table, 0, out);
    hd_text_table_free(table);
}

static void print_popular(const struct hd_trace *t, FILE *out) {
    int *order = hd_trace_by_popularity(t);
    struct hd_text_table *table = hd_text_table_new();
    hd_text_table_column(table, "model", false);
    hd_text_table_column(table, "requests", true);
    hd_text_table_column(table, "share", true);
    for (int i = 0; i < t->models && i < POPULAR_SHOWN; i++) {
        int64_t rows = t->model_rows[order[i]];
        hd_text_table_cell(table, "%s", t->model[order[i]]);
        hd_text_table_cell(table, "%s", hd_say_count(rows).text);
        hd_text_table_cell(table, "%.1f %%", 100.0 * (double)rows / (double)t->rows);
    }
    hd_text_table_print(table, 0, out);
    hd_text_table_free(table);
    if (t->models > POPULAR_SHOWN)
        fprintf(out, "and %d more, the last with %s\n", t->models - POPULAR_SHOWN,
                hd_say_count(t->model_rows[order[t->models - 1]]).text);
    free(order);
}

void hd_trace_info_text(const struct hd_trace *t, const struct hd_trace_stats *s,
                        FILE *out) {
    char first[HD_CLOCK_TEXT_BYTES], last[HD_CLOCK_TEXT_BYTES];
    line(out, "trace");
    fprintf(out, "%s   format %s, sha256 %.12s\n", t->name, t->format, t->sha256);
    line(out, "requests");
    fprintf(out, "%s, %s, %s, %s/s\n", hd_say_count(s->rows).text,
            hd_say_things(s->models, "model").text, hd_say_span(s->span_s).text,
            say("%.3f", s->rate_per_s).text);
    line(out, "clock");
    fprintf(out, "%s to %s (span %s s)\n", hd_trace_clock_text(t, t->row[0].at, first),
            hd_trace_clock_text(t, t->row[t->rows - 1].at, last),
            say("%.1f", s->span_s).text);
    line(out, "arrivals");
    fprintf(out,
            "CV of gaps %s, index of dispersion %s (60 s) %s (1 s), peak minute %s x "
            "mean\n",
            say("%.2f", s->gap_cv).text, say("%.1f", s->iod_60s).text,
            say("%.2f", s->iod_1s).text, say("%.2f", s->peak_minute_over_mean).text);
    line(out, "models");
    fprintf(out, "top share %.1f %%, top five %.1f %%, Gini %.3f\n", 100 * s->top_share,
            100 * s->top5_share, s->gini);
    line(out, "active");
    fprintf(out,
            "%s models at once on average, %s if independent, at %.2f s a request\n",
            say("%.1f", s->active_models).text,
            say("%.1f", s->active_models_if_independent).text, s->service_s);
    print_rows(t, out);
    fputc('\n', out);
    print_tokens(s, out);
    fputc('\n', out);
    print_popular(t, out);
}

/* ---- JSON ---------------------------------------------------------------- */

struct record {
    const char *name, *sha256, *format, *parts, *made, *unused_columns, *first, *last;
    int64_t rows_read, rows_before, rows_after, rows_out_of_order, rows_no_output,
        rows_no_input, rows, models;
    struct hd_trace_stats s;
};

#define TEXT(member, about)                                                            \
    { #member, HD_FIELD_TEXT, "", offsetof(struct record, member), about }
#define ROWS(member, about)                                                            \
    { #member, HD_FIELD_INT, "rows", offsetof(struct record, member), about }
#define REAL(name, unit, member, about)                                                \
    { name, HD_FIELD_REAL, unit, offsetof(struct record, s.member), about }
#define TOKENS(side)                                                                   \
    REAL(#side ".mean_tokens", "tokens", side.mean, "mean of " #side " tokens"),       \
        REAL(#side ".p50_tokens", "tokens", side.p50, "median"),                       \
        REAL(#side ".p90_tokens", "tokens", side.p90, "90 % quantile"),                \
        REAL(#side ".p99_tokens", "tokens", side.p99, "99 % quantile"),                \
        REAL(#side ".max_tokens", "tokens", side.max, "largest")

static const struct hd_field fields[] = {
    TEXT(name, "the file's name without its folders"),
    TEXT(sha256, "of the file"),
    TEXT(format, "recognised or asked for"),
    TEXT(parts, "what each part of a generated trace rests on"),
    TEXT(made, "what made a generated trace"),
    TEXT(unused_columns, "columns that nothing was read from"),
    TEXT(first, "first request on the trace's own clock"),
    TEXT(last, "last request on the trace's own clock"),
    ROWS(rows_read, "rows of the file"),
    ROWS(rows_before, "left out before the cut"),
    ROWS(rows_after, "left out after the cut"),
    ROWS(rows_out_of_order, "stood behind a later one until sorted"),
    ROWS(rows_no_output, "requests without output tokens"),
    ROWS(rows_no_input, "requests without input tokens"),
    {"requests", HD_FIELD_INT, "", offsetof(struct record, rows), "rows kept"},
    {"models", HD_FIELD_INT, "", offsetof(struct record, models), "with a request"},
    REAL("span_s", "s", span_s, "from the first request to the last"),
    REAL("rate_per_s", "1/s", rate_per_s, "requests over span"),
    REAL("gap_cv", "", gap_cv, "coefficient of variation of the gaps"),
    REAL("iod_1s", "", iod_1s, "variance over mean of requests per second"),
    REAL("iod_60s", "", iod_60s, "variance over mean of requests per minute"),
    REAL("peak_minute_over_mean", "", peak_minute_over_mean, "fullest minute"),
    REAL("top_share", "fraction", top_share, "of requests, by the top model"),
    REAL("top5_share", "fraction", top5_share, "by the top five"),
    REAL("gini", "", gini, "coefficient of requests over models"),
    REAL("service_s", "s", service_s, "assumed for the two below"),
    REAL("active_models", "models", active_models, "at once, as requests came"),
    REAL("active_models_if_independent", "models", active_models_if_independent,
         "at once, if arrivals were independent and Poisson"),
    TOKENS(input),
    TOKENS(output),
};
static const struct hd_field_set schema = {"trace info --json", "a trace", fields,
                                           sizeof fields / sizeof *fields};

bool hd_trace_info_json(const struct hd_trace *t, const struct hd_trace_stats *s,
                        FILE *out) {
    char first[HD_CLOCK_TEXT_BYTES], last[HD_CLOCK_TEXT_BYTES];
    struct record record = {
        .name = t->name,
        .sha256 = t->sha256,
        .format = t->format,
        .parts = t->parts,
        .made = t->made,
        .unused_columns = t->unused_columns,
        .first = hd_trace_clock_text(t, t->row[0].at, first),
        .last = hd_trace_clock_text(t, t->row[t->rows - 1].at, last),
        .rows_read = t->rows_read,
        .rows_before = t->rows_before,
        .rows_after = t->rows_after,
        .rows_out_of_order = t->rows_out_of_order,
        .rows_no_output = t->rows_no_output,
        .rows_no_input = t->rows_no_input,
        .rows = t->rows,
        .models = t->models,
        .s = *s,
    };
    struct hd_json json;
    hd_json_start(&json, out);
    hd_json_object(&json, NULL);
    hd_json_text(&json, "schema", "hotdesk.trace/1");
    hd_fields_json(&schema, &record, &json);
    hd_json_array(&json, "popularity");
    int *order = hd_trace_by_popularity(t);
    for (int i = 0; i < t->models; i++) {
        hd_json_inline_object(&json, NULL);
        hd_json_text(&json, "name", t->model[order[i]]);
        hd_json_int(&json, "requests", t->model_rows[order[i]]);
        hd_json_close(&json);
    }
    free(order);
    hd_json_close(&json);
    hd_json_close(&json);
    return hd_json_finish(&json);
}
