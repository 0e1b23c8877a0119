/* The answer of a comparison, for people. */
#include <math.h>

#include "output/quantity.h"
#include "output/text_table.h"
#include "plan/report_parts.h"
#include "trace/stats.h"

/* More blocks than this and only those at the first scale are shown in full. */
enum { BLOCKS_MAX = 4 };

static bool same_block(const struct hd_answer *a, const struct hd_answer *b) {
    return a->scale == b->scale && a->attain == b->attain && a->rule == b->rule;
}

static const char *mark(const struct hd_row_figures *row) {
    return row->clairvoyant ? "*" : "";
}

static const char *gpus_text(const struct hd_answer *a,
                             const struct hd_row_figures *row, char text[32]) {
    if (!a->whole)
        return "?";
    else if (!a->reached)
        return "none";
    snprintf(text, 32, "%lld", (long long)row->gpus);
    return text;
}

/* ---- GPUs by scale ------------------------------------------------------- */

static void scale_table(const struct hd_report *report, const struct hd_comparison *c,
                        const struct hd_row_figures *row, FILE *out) {
    const struct hd_question *q = report->question;
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "GPUs needed", false);
    hd_text_table_column(t, "at", true);
    hd_text_table_column(t, "rule", false);
    for (int s = 0; s < q->scales; s++) {
        char title[32];
        snprintf(title, sizeof title, "SLO\nx%g", q->scale[s]);
        hd_text_table_column(t, title, true);
    }
    for (int i = 0; i < c->answers; i++) {
        const struct hd_answer *a = &c->answer[i];
        if (a->scale != q->scale[0]) continue;
        hd_text_table_cell(t, "%s%s", row[i].policy, mark(&row[i]));
        hd_text_table_cell(t, "%s", hd_say_share(a->attain).text);
        hd_text_table_cell(t, "%s", row[i].pass_rule);
        for (int s = 0; s < q->scales; s++) {
            const char *cell = "";
            char text[32];
            for (int k = 0; k < c->answers; k++) {
                const struct hd_answer *b = &c->answer[k];
                if (b->policy == a->policy && b->attain == a->attain &&
                    b->rule == a->rule && b->scale == q->scale[s])
                    cell = gpus_text(b, &row[k], text);
            }
            hd_text_table_cell(t, "%s", cell);
        }
    }
    hd_text_table_print(t, report->width, out);
    hd_text_table_free(t);
}

/* ---- one block in full --------------------------------------------------- */

static void block_columns(struct hd_text_table *t, enum hd_metric metric) {
    const char *what = metric == HD_METRIC_RATIO     ? "time ratio\npooled"
                       : metric == HD_METRIC_REQUEST ? "requests\npooled"
                                                     : "attained\npooled";
    const char *const title[] = {"\npolicy",     "\nGPUs",
                                 "\nsaved",      what,
                                 "worst\nmodel", "TTFT\np50",
                                 "\np90",        "\np99",
                                 "TBT\np50",     "\np90",
                                 "\np99",        "longest\ngap p99",
                                 "busy\nGPU",    "switching\nGPU-time",
                                 "\nswitches",   "tokens\nout"};
    for (int i = 0; i < (int)(sizeof title / sizeof *title); i++)
        hd_text_table_column(t, title[i], i > 0);
}

static void block_row(struct hd_text_table *t, const struct hd_answer *a,
                      const struct hd_row_figures *row) {
    const struct hd_run_figures *f = &row->f;
    char gpus[32];
    hd_text_table_cell(t, "%s%s", row->policy, mark(row));
    hd_text_table_cell(t, "%s", gpus_text(a, row, gpus));
    hd_text_table_cell(t, "%s", hd_say_percent(row->saved).text);
    hd_text_table_cell(t, "%s", hd_say_percent(f->pooled).text);
    hd_text_table_cell(t, "%s", hd_say_percent(f->spread.worst).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->ttft.p50_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->ttft.p90_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->ttft.p99_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->tbt.p50_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->tbt.p90_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->tbt.p99_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->gap_longest.p99_s).text);
    hd_text_table_cell(t, "%s", hd_say_percent(f->gpu[HD_SHARE_BUSY]).text);
    hd_text_table_cell(t, "%s", hd_say_percent(f->gpu[HD_SHARE_SWITCHING]).text);
    if (f->switches == HD_INT_ABSENT)
        hd_text_table_cell(t, "-");
    else
        hd_text_table_cell(t, "%s", hd_say_count(f->switches).text);
    if (f->output_tokens == HD_INT_ABSENT)
        hd_text_table_cell(t, "-");
    else
        hd_text_table_cell(t, "%s", hd_say_count(f->output_tokens).text);
}

static void bound_row(struct hd_text_table *t, const struct hd_row_figures *row) {
    hd_text_table_cell(t, "lower bound");
    hd_text_table_cell(t, "%lld", (long long)row->bound_gpus);
    double saved = row->baseline_gpus > 0
                       ? 1 - (double)row->bound_gpus / (double)row->baseline_gpus
                       : NAN;
    hd_text_table_cell(t, "%s", hd_say_percent(saved).text);
    for (int i = 3; i < 16; i++) hd_text_table_cell(t, "%s", "");
}

/* "86 fail: mixtral-03, 14:05:00 to 14:20:00, KV memory; 87 to 91 pass." */
static void deciding_line(const struct hd_question *q, const struct hd_answer *a,
                          const struct hd_row_figures *row, FILE *out) {
    char when[HD_SPAN_TEXT_BYTES];
    fprintf(out, "%s: ", row->policy);
    if (!a->whole) {
        fputs("not answered, interrupted", out);
    } else if (!a->reached) {
        fprintf(out, "no number of GPUs up to %d reaches %s", q->gpus_max,
                hd_say_share(a->attain).text);
        if (!isnan(a->best)) fprintf(out, ": at most %s", hd_say_percent(a->best).text);
        if (a->why_not) fprintf(out, " (%s)", a->why_not);
        if (a->record)
            fprintf(out, "; its figures are those with %s",
                    hd_say_things(a->record->gpus, "GPU").text);
    } else {
        if (a->limit.known)
            fprintf(out, "%d fail: %s, %s, %s; ", a->gpus - 1, a->limit.models,
                    hd_report_span_text(q->trace, a->limit.from, a->limit.to, when),
                    a->limit.resource);
        fprintf(out, "%d to %d pass", a->gpus, a->gpus + HD_ABOVE);
    }
    if (a->whole && a->above > 0) {
        fputs("; fail although fewer passed: ", out);
        for (int i = 0; i < a->above && i < HD_FAILS_ABOVE_MAX; i++)
            fprintf(out, "%s%d", i ? ", " : "", a->fails_above[i]);
        if (a->above > HD_FAILS_ABOVE_MAX)
            fprintf(out, " and %d more", a->above - HD_FAILS_ABOVE_MAX);
    }
    putc('\n', out);
    if (a->rule == HD_PASS_POOLED && row->f.pass.failing_models.count)
        fprintf(out, "  pooled hides %d of its models below %s\n",
                row->f.pass.failing_models.count, hd_say_share(a->attain).text);
    if (a->note) fprintf(out, "  %s\n", a->note);
}

/* What the savings are measured against. */
static void baseline_line(const struct hd_comparison *c, const struct hd_answer *a,
                          const struct hd_row_figures *row, int count, FILE *out) {
    if (a->baseline_gpus > 0)
        fprintf(out, "saved is against `dedicated` at the same rule (%s)",
                hd_say_things(a->baseline_gpus, "GPU").text);
    else
        fputs("nothing saved can be told: `dedicated` has no answer here", out);
    fprintf(out, "; one replica of each model takes %s",
            hd_say_things(c->one_each_gpus, "GPU").text);
    if (!isnan(a->one_each_attained))
        fprintf(out, " and attains %s", hd_say_percent(a->one_each_attained).text);
    int best = -1;
    for (int i = 0; i < count; i++)
        if (a[i].whole && a[i].reached && !row[i].clairvoyant &&
            (best < 0 || row[i].gpus < row[best].gpus))
            best = i;
    if (best >= 0 && row[best].gpus < c->one_each_gpus)
        fprintf(out, ": against that %s saves %s", row[best].policy,
                hd_say_percent(1 - (double)row[best].gpus / c->one_each_gpus).text);
    putc('\n', out);
}

static void block(const struct hd_report *report, const struct hd_comparison *c,
                  const struct hd_row_figures *row, int first, int count, FILE *out) {
    const struct hd_question *q = report->question;
    const struct hd_answer *a = &c->answer[first];
    fprintf(out, "\n%s of %s in time, %s", hd_say_share(a->attain).text,
            q->metric == HD_METRIC_REQUEST ? "requests" : "tokens",
            a->rule == HD_PASS_MODEL ? "each model" : "all models pooled");
    if (q->metric == HD_METRIC_RATIO) fputs(" (by the artifact's time ratio)", out);
    if (q->scales > 1) fprintf(out, ", SLO x%g", a->scale);
    if (q->classes == 1)
        fprintf(out, ": ttft %s, tbt %s",
                hd_say_limit(q->slo[0].ttft_s * a->scale).text,
                hd_say_limit(q->slo[0].tbt_s * a->scale).text);
    fputs(c->complete ? "\n" : "  (incomplete)\n", out);
    struct hd_text_table *t = hd_text_table_new();
    block_columns(t, q->metric);
    for (int i = 0; i < count; i++) block_row(t, &a[i], &row[first + i]);
    if (row[first].bound_gpus != HD_INT_ABSENT) bound_row(t, &row[first]);
    hd_text_table_print(t, report->width, out);
    hd_text_table_free(t);
    for (int i = 0; i < count; i++) deciding_line(q, &a[i], &row[first + i], out);
    baseline_line(c, a, &row[first], count, out);
}

/* ---- the whole ----------------------------------------------------------- */

static void load_line(const struct hd_report *report, const struct hd_comparison *c,
                      FILE *out) {
    const struct hd_question *q = report->question;
    const struct hd_answer *a = hd_report_typical(report, c);
    struct hd_trace_stats s = hd_trace_stats(q->trace, HD_SERVICE_S_PUBLISHED);
    fputs("saving depends on skew: ", out);
    if (a) {
        struct hd_run_figures f;
        hd_run_figures(q, a->record,
                       &(struct hd_criterion){q->metric, a->rule, a->attain}, &f);
        fprintf(out, "%.1f models active at once under %s (%.1f if independent), ",
                f.load.active_models, q->policy[a->policy].label,
                f.load.active_models_if_independent);
        hd_run_figures_free(&f);
    }
    fprintf(out, "Gini %.2f, top model %s, index of dispersion (60 s) ", s.gini,
            hd_say_percent(s.top_share).text);
    fprintf(out, isfinite(s.iod_60s) ? "%.3g\n" : "-\n", s.iod_60s);
}

void hd_report_comparison(const struct hd_report *report, const struct hd_comparison *c,
                          FILE *out) {
    const struct hd_question *q = report->question;
    struct hd_row_figures *row = hd_report_rows(report, c);
    int blocks = 0, shown = 0;
    for (int i = 0; i < c->answers; i++)
        blocks += i == 0 || !same_block(&c->answer[i], &c->answer[i - 1]);
    if (q->scales > 1) {
        putc('\n', out);
        scale_table(report, c, row, out);
    }
    bool all = report->verbose || blocks <= BLOCKS_MAX;
    for (int i = 0; i < c->answers;) {
        int count = 1;
        while (i + count < c->answers &&
               same_block(&c->answer[i], &c->answer[i + count]))
            count++;
        if (all || c->answer[i].scale == q->scale[0]) {
            block(report, c, row, i, count, out);
            shown++;
        }
        i += count;
    }
    putc('\n', out);
    if (shown < blocks)
        fprintf(out,
                "%d of %d blocks shown; --verbose prints all, compare.csv has them\n",
                shown, blocks);
    load_line(report, c, out);
    for (int i = 0; i < q->policies; i++)
        if (q->policy[i].script->clairvoyant)
            fprintf(out, "* %s sees the future: not a policy that could be deployed\n",
                    q->policy[i].label);
    fputs("one arrival sequence: no interval\n", out);
    hd_report_closing(report, out);
    hd_report_rows_free(row, c);
}
