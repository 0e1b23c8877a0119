/* A trace's figures on a screen. */
#include <math.h>
#include <stdlib.h>

#include "command/trace_about.h"
#include "output/text_table.h"

enum { POPULAR_SHOWN = 5 };

/* A figure with so many decimals, "-" when absent. */
static struct hd_said say(const char *format, double value) {
    struct hd_said said = {"-"};
    if (isfinite(value)) snprintf(said.text, sizeof said.text, format, value);
    return said;
}

/* Three digits, or as many as a large number has before its point. */
static struct hd_said say_3(double value) {
    double size = fabs(value);
    if (size >= 1000 && size < 1e15) return hd_say_count(llround(value));
    return say(size >= 99.95   ? "%.0f"
               : size >= 9.995 ? "%.1f"
               : size >= 0.1   ? "%.2f"
                               : "%.3g",
               value);
}

static void line(FILE *out, const char *label) {
    fprintf(out, "%-10s", label);
}

/* ---- what was read ------------------------------------------------------- */

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
    if (t->rows_bad) {
        line(out, "malformed");
        fprintf(out, "%s passed over (--skip-bad)\n",
                hd_say_things(t->rows_bad, "row").text);
        for (int64_t i = 0; i < t->rows_bad; i++)
            fprintf(out, "          %s\n", t->bad[i]);
    }
    if (t->rows_no_time) {
        line(out, "no time");
        fprintf(out, "%s without one left out\n",
                hd_say_things(t->rows_no_time, "row").text);
    }
    if (t->images) {
        line(out, "images");
        fprintf(out, "%s in %s, not simulated\n",
                hd_say_things(t->images, "picture").text,
                hd_say_things(t->rows_images, "row").text);
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

static void print_head(const struct hd_trace_about *a, FILE *out) {
    const struct hd_trace *t = a->trace;
    const struct hd_trace_stats *s = &a->stats;
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
    print_rows(t, out);
}

/* ---- arrivals ------------------------------------------------------------ */

/* A character for each interval, as high as its rate: eighths of the highest, and a
 * blank for no request at all. */
static void print_rate(const struct hd_trace_about *a, FILE *out) {
    static const char *const bar[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                      "\u2585", "\u2586", "\u2587", "\u2588"};
    const struct hd_rate_over_time *r = &a->rate;
    struct hd_about_units units = hd_about_units(&a->stats);
    if (r->intervals < 2) return;
    line(out, "rate");
    for (int i = 0; i < r->intervals; i++) {
        double length = i + 1 < r->intervals ? r->interval_s : r->last_s;
        double level = length > 0 ? (double)r->requests[i] / length / r->most_per_s : 1;
        int eighth = (int)ceil(8 * fmin(level, 1)) - 1;
        fputs(r->requests[i] ? bar[eighth < 0 ? 0 : eighth] : " ", out);
    }
    fprintf(out, "\n          %s of %s, whole ones ",
            hd_say_things(r->intervals, "interval").text,
            hd_about_length(r->interval_s).text);
    fprintf(out, "%s to %s requests per %s\n", say_3(r->least_per_s * units.rate).text,
            say_3(r->most_per_s * units.rate).text, units.rate_name);
}

static void print_dispersion(const struct hd_trace_about *a, FILE *out) {
    if (a->dispersions == 0) return;
    struct hd_text_table *table = hd_text_table_new();
    hd_text_table_column(table, "burstiness over", false);
    for (int i = 0; i < a->dispersions; i++)
        hd_text_table_column(table, hd_about_length(a->dispersion[i].bin_s).text, true);
    hd_text_table_cell(table, "index of dispersion");
    for (int i = 0; i < a->dispersions; i++)
        hd_text_table_cell(table, "%s", say_3(a->dispersion[i].iod).text);
    hd_text_table_cell(table, "fullest / mean");
    for (int i = 0; i < a->dispersions; i++)
        hd_text_table_cell(table, "%s", say_3(a->dispersion[i].peak_over_mean).text);
    hd_text_table_cell(table, "whole bins");
    for (int i = 0; i < a->dispersions; i++)
        hd_text_table_cell(table, "%s", hd_say_count(a->dispersion[i].bins).text);
    hd_text_table_print(table, 0, out);
    hd_text_table_free(table);
    fputc('\n', out);
}

static void print_arrivals(const struct hd_trace_about *a, FILE *out) {
    const struct hd_trace_stats *s = &a->stats;
    print_rate(a, out);
    line(out, "arrivals");
    fprintf(out,
            "CV of gaps %s, index of dispersion %s (60 s) %s (1 s), peak minute %s x "
            "mean\n",
            say("%.2f", s->gap_cv).text, say("%.1f", s->iod_60s).text,
            say("%.2f", s->iod_1s).text, say("%.2f", s->peak_minute_over_mean).text);
    if (a->ties)
        fprintf(out, "          %s at the same instant as the one before\n",
                hd_say_things(a->ties, "request").text);
}

/* ---- models -------------------------------------------------------------- */

static void print_popularity(const struct hd_trace_about *a, FILE *out) {
    const struct hd_popularity *p = &a->popularity;
    line(out, "models");
    fprintf(out, "top share %.1f %%, top five %.1f %%, Gini %.3f\n", 100 * p->top1,
            100 * p->top5, p->gini);
    if (p->models < 2) return;
    fprintf(out,
            "          half of the requests are for %s, 90 %% for %d, 99 %% for %d; "
            "%.1f %% "
            "for the colder half\n",
            hd_say_things(p->hold_half, "model").text, p->hold_90, p->hold_99,
            100 * p->coldest_half);
    line(out, "Zipf");
    fprintf(out,
            "exponent %.3f, standard error %s; %.1f %% of requests lie elsewhere\n",
            p->zipf, say("%.2g", p->zipf_error).text, 100 * p->zipf_off);
    line(out, "classes");
    if (p->hot)
        fprintf(
            out,
            "%d hot of %d models share %.2f %%; %.1f %% of requests lie elsewhere\n",
            p->hot, p->models, 100 * p->hot_share, 100 * p->classes_off);
    else
        fputs("all models are alike\n", out);
}

/* The two comparisons in words: see trace/stats_activity.h. */
static void print_ties(const struct hd_activity *is, FILE *out) {
    double more = is->mean / is->poisson_mean - 1;
    if (isfinite(more))
        fprintf(out, "          %.1f %% %s than independent: %s\n", 100 * fabs(more),
                more < 0 ? "fewer" : "more",
                more < -0.02  ? "the requests of a model come in clusters"
                : more > 0.02 ? "the requests of a model keep apart"
                              : "as if each request came by itself");
    if (isnan(is->variance_ratio)) return;
    double beyond = is->variance_ratio - 1;
    fprintf(
        out,
        "          varies %s x as much as models that do not know of each other would "
        "(1 +- %s by chance):\n          %s\n",
        say_3(is->variance_ratio).text, say("%.2g", is->chance).text,
        beyond > is->chance    ? "they wake together, in correlated bursts"
        : beyond < -is->chance ? "they take turns"
                               : "no correlated bursts to be seen");
}

static void print_activity(const struct hd_trace_about *a, FILE *out) {
    const struct hd_trace_stats *s = &a->stats;
    const struct hd_activity *is = &a->activity;
    line(out, "active");
    fprintf(out,
            "%s models at once on average, %s if independent, at %.2f s a request\n",
            say_3(s->active_models).text, say_3(s->active_models_if_independent).text,
            s->service_s);
    if (is->levels == 0 || s->models < 2) return;
    fprintf(out, "          99 %% of the time at most %d, %d if independent; most %d\n",
            is->p99, is->poisson_p99, is->most);
    print_ties(is, out);
}

static void print_popular(const struct hd_trace_about *a, FILE *out) {
    static const char *const title[] = {"requests", "share", "CV of gaps", "mean input",
                                        "mean output"};
    const struct hd_trace *t = a->trace;
    struct hd_text_table *table = hd_text_table_new();
    hd_text_table_column(table, "model", false);
    for (int i = 0; i < 5; i++) hd_text_table_column(table, title[i], true);
    for (int i = 0; i < t->models && i < POPULAR_SHOWN; i++) {
        int model = a->order[i];
        int64_t rows = t->model_rows[model];
        hd_text_table_cell(table, "%s", t->model[model]);
        hd_text_table_cell(table, "%s", hd_say_count(rows).text);
        hd_text_table_cell(table, "%.1f %%", 100.0 * (double)rows / (double)t->rows);
        hd_text_table_cell(table, "%s", say("%.2f", a->model[model].gap_cv).text);
        hd_text_table_cell(table, "%.0f", a->model[model].input_mean);
        hd_text_table_cell(table, "%.0f", a->model[model].output_mean);
    }
    hd_text_table_print(table, 0, out);
    hd_text_table_free(table);
    if (t->models > POPULAR_SHOWN)
        fprintf(out, "and %d more, the last with %s\n", t->models - POPULAR_SHOWN,
                hd_say_count(t->model_rows[a->order[t->models - 1]]).text);
}

/* ---- what requests say besides ------------------------------------------- */

static void print_reuse(const struct hd_trace_about *a, FILE *out) {
    const struct hd_reuse *r = &a->reuse;
    if (r->prefixed) {
        line(out, "prefixes");
        fprintf(out,
                "%.1f %% of blocks and %.1f %% of input tokens stood at the head of an "
                "earlier prompt\n",
                100 * (double)r->blocks_hit / (double)r->blocks,
                100 * (double)r->tokens_hit / (double)(r->tokens ? r->tokens : 1));
        fprintf(out, "          %s blocks of %d tokens, %s different, in %s",
                hd_say_count(r->blocks).text, r->block_tokens,
                hd_say_count(r->blocks_distinct).text,
                hd_say_things(r->prefixed, "request").text);
        fprintf(out, "; %s found whole\n", hd_say_count(r->full_hits).text);
    }
    if (r->sessions) {
        line(out, "sessions");
        fprintf(out, "%s; turns: mean %.2f, median %.0f, 99 %% at most %.0f, most %s",
                hd_say_count(r->sessions).text, r->turns_mean, r->turns_p50,
                r->turns_p99, hd_say_count(r->turns_most).text);
        fprintf(out, "; %s of one turn; %s without\n",
                hd_say_count(r->single_turn).text,
                hd_say_things(a->trace->rows - r->in_session, "request").text);
    }
    if (r->class_rows) {
        line(out, "levels");
        fputs("of service: ", out);
        for (int i = 0; i < a->trace->extra->classes; i++)
            fprintf(out, "%s%s %s (%.1f %%)", i ? ", " : "",
                    a->trace->extra->class_name[i], hd_say_count(r->class_rows[i]).text,
                    100 * (double)r->class_rows[i] / (double)a->trace->rows);
        fputc('\n', out);
    }
    if (r->deadlines) {
        line(out, "deadlines");
        fprintf(out, "%s with one, %s to", hd_say_things(r->deadlines, "request").text,
                hd_say_seconds(r->deadline_least_s).text);
        fprintf(out, " %s, median %s\n", hd_say_seconds(r->deadline_most_s).text,
                hd_say_seconds(r->deadline_p50_s).text);
    }
}

/* ---- tokens -------------------------------------------------------------- */

static void print_tokens(const struct hd_trace_about *a, FILE *out) {
    static const char *const title[] = {"tokens", "mean", "p10", "p50",
                                        "p90",    "p99",  "max", "zero"};
    struct hd_text_table *table = hd_text_table_new();
    for (int i = 0; i < 8; i++) hd_text_table_column(table, title[i], i > 0);
    const struct hd_token_stats *both[] = {&a->stats.input, &a->stats.output};
    for (int i = 0; i < 2; i++) {
        hd_text_table_cell(table, "%s", i ? "output" : "input");
        hd_text_table_cell(table, "%.1f", both[i]->mean);
        hd_text_table_cell(table, "%.0f", both[i]->p10);
        hd_text_table_cell(table, "%.0f", both[i]->p50);
        hd_text_table_cell(table, "%.0f", both[i]->p90);
        hd_text_table_cell(table, "%.0f", both[i]->p99);
        hd_text_table_cell(table, "%.0f", both[i]->max);
        hd_text_table_cell(table, "%s", hd_say_count(a->tokens[i].zeros).text);
    }
    hd_text_table_print(table, 0, out);
    hd_text_table_free(table);
    const struct hd_token_correlation *c = &a->correlation;
    if (isfinite(c->spearman))
        fprintf(out,
                "correlation of input and output: %.3f of logarithms, %.3f of ranks\n",
                c->pearson_of_logs, c->spearman);
}

/* ---- demand -------------------------------------------------------------- */

static void print_demand(const struct hd_trace_about *a, FILE *out) {
    const struct hd_demand *d = &a->demand->demand;
    double span_s = a->stats.span_s, most = NAN;
    for (int i = 0; i + 1 < a->rate.intervals; i++)
        most = fmax(most, d->interval_gpu_s[i] / a->rate.interval_s);
    line(out, "load");
    fprintf(out, "%s GPU-s on %s: %s of prompts",
            say_3(d->prefill_gpu_s + d->decode_gpu_s).text, a->demand->gpu,
            say_3(d->prefill_gpu_s).text);
    fprintf(out, ", %s of outputs\n", say_3(d->decode_gpu_s).text);
    if (span_s > 0)
        fprintf(out, "          %s GPUs busy on average, %s in the busiest %s\n",
                say_3((d->prefill_gpu_s + d->decode_gpu_s) / span_s).text,
                say_3(most).text, hd_about_length(a->rate.interval_s).text);
    fprintf(out,
            "          %s; prompts alone, outputs in batches of %d, no "
            "switching, no idle GPU\n",
            a->demand->models, d->batch);
    fprintf(out,
            "          by engine %s; times are off by up to %.0f %% (p90, held out)\n",
            a->demand->engine, 100 * d->error_p90);
    if (d->too_long || d->empty)
        fprintf(out,
                "          not counted: %s beyond the model's context, %s without "
                "output\n",
                hd_say_things(d->too_long, "request").text,
                hd_say_count(d->empty).text);
}

void hd_trace_about_text(const struct hd_trace_about *a, FILE *out) {
    print_head(a, out);
    print_arrivals(a, out);
    print_popularity(a, out);
    print_activity(a, out);
    print_reuse(a, out);
    if (a->demand) print_demand(a, out);
    fputc('\n', out);
    print_dispersion(a, out);
    print_tokens(a, out);
    fputc('\n', out);
    print_popular(a, out);
}
