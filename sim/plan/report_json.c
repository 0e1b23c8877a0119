/* run.json, compare.json and their CSV forms. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plan/report_parts.h"
#include "plan/report_profile.h"
#include "plan/report_schema.h"
#include "trace/stats.h"

static void requirements_json(const struct hd_report *report, struct hd_json *j) {
    hd_json_array(j, "requirements");
    for (int i = 0; i < report->requirements; i++) {
        const struct hd_requirement *r = &report->requirement[i];
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "expr", r->expr);
        hd_json_real(j, "value", r->value);
        hd_json_real(j, "limit", r->limit);
        hd_json_bool(j, "ok", r->ok);
        hd_json_close(j);
    }
    hd_json_close(j);
}

static void warning_json(struct hd_json *j, const char *code, const char *text,
                         int64_t count) {
    hd_json_inline_object(j, NULL);
    hd_json_text(j, "code", code);
    hd_json_text(j, "text", text);
    hd_json_int(j, "count", count);
    hd_json_close(j);
}

static void warnings_json(const struct hd_report *report, const char *stalled,
                          struct hd_json *j) {
    hd_json_array(j, "warnings");
    for (int i = 0; i < report->warnings; i++)
        warning_json(j, report->warning[i].code, report->warning[i].text,
                     report->warning[i].count);
    if (stalled && *stalled) warning_json(j, "stalled", stalled, 1);
    hd_json_close(j);
}

static const char *end_name(enum hd_run_end end) {
    static const char *const name[] = {"whole",   "stalled",     "cannot",
                                       "decided", "interrupted", "failed"};
    return name[end];
}

/* ---- a run --------------------------------------------------------------- */

static void inputs_json(const struct hd_report *report, const struct hd_run_record *r,
                        struct hd_json *j) {
    const struct hd_question *q = report->question;
    const struct hd_policy_choice *policy = &q->policy[r->policy];
    char *params = hd_params_text(policy);
    hd_json_object(j, "inputs");
    hd_report_trace_json(report, "trace", j);
    hd_json_text(j, "scenario_sha256", *q->scenario_sha256 ? q->scenario_sha256 : NULL);
    hd_json_inline_object(j, "policy");
    hd_json_text(j, "name", policy->label);
    hd_json_text(j, "sha256", policy->script->sha256);
    hd_json_text(j, "params", params);
    hd_json_bool(j, "clairvoyant", policy->script->clairvoyant);
    hd_json_close(j);
    hd_json_array(j, "timing");
    for (int i = 0; i < r->timings; i++) {
        const struct hd_timing_source *t = &r->timing[i];
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "gpu", t->gpu);
        hd_json_text(j, "model", t->model);
        hd_json_int(j, "tp", t->tp);
        hd_json_text(j, "revision", t->revision);
        hd_json_text(j, "source", t->source);
        hd_json_real(j, "error_p50", t->error_p50);
        hd_json_real(j, "error_p90", t->error_p90);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_text(j, "fleet", q->fleet_text);
    hd_json_int(j, "gpus", r->gpus);
    hd_json_int(j, "seed", (int64_t)q->seed);
    hd_json_close(j);
    free(params);
}

static void replicas_json(const struct hd_question *q, const struct hd_run_record *r,
                          struct hd_json *j) {
    if (!r->replicas) {
        hd_json_null(j, "replicas");
        return;
    }
    hd_json_inline_array(j, "replicas");
    for (int n = 0; n < q->models; n++) hd_json_int(j, NULL, r->replicas[n]);
    hd_json_close(j);
}

static void models_json(const struct hd_report *report, const struct hd_run_record *r,
                        double target, struct hd_json *j) {
    hd_json_array(j, "models");
    for (int n = 0; n < report->question->models && hd_run_is_whole(r); n++) {
        struct hd_model_figures model;
        hd_model_figures(report->question, r, target, n, &model);
        hd_json_inline_object(j, NULL);
        hd_fields_json(&hd_schema_model, &model, j);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_array(j, "classes");
    for (int c = 0; c < report->question->classes && hd_run_is_whole(r); c++) {
        struct hd_class_figures class;
        hd_class_figures(report->question, r, target, c, &class);
        hd_json_inline_object(j, NULL);
        hd_fields_json(&hd_schema_class, &class, j);
        hd_json_close(j);
    }
    hd_json_close(j);
}

bool hd_report_judged_json(const struct hd_report *report,
                           const struct hd_run_record *r, const struct hd_criterion *c,
                           bool own, FILE *out) {
    struct hd_json j;
    struct hd_run_figures f;
    hd_run_figures(report->question, r, c, &f);
    hd_json_start(&j, out);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "schema", HD_SCHEMA_RUN);
    hd_json_text(&j, "version", HD_VERSION);
    hd_json_bool(&j, "complete", hd_run_is_complete(r));
    hd_json_text(&j, "end", end_name(r->end));
    hd_json_text(&j, "error", *r->err.text ? r->err.text : NULL);
    hd_json_text(&j, "command", report->question->command);
    inputs_json(report, r, &j);
    replicas_json(report->question, r, &j);
    hd_fields_json(&hd_schema_run, &f, &j);
    hd_json_null(&j, "observed");
    models_json(report, r, c->attain, &j);
    if (own) {
        requirements_json(report, &j);
    } else { /* those of a comparison are in compare.json */
        hd_json_inline_array(&j, "requirements");
        hd_json_close(&j);
    }
    warnings_json(report, r->note.text, &j);
    if (r->profile.timed) hd_report_profile_json(r, &j);
    hd_json_close(&j);
    hd_run_figures_free(&f);
    return hd_json_finish(&j);
}

/* What a replay is judged by: the attainment and the rule asked for. */
struct hd_criterion hd_report_criterion(const struct hd_question *q) {
    return (struct hd_criterion){
        q->metric, q->pass[HD_PASS_MODEL] ? HD_PASS_MODEL : HD_PASS_POOLED,
        q->attain[0]};
}

bool hd_report_run_json(const struct hd_report *report, const struct hd_run_record *r,
                        FILE *out) {
    struct hd_criterion c = hd_report_criterion(report->question);
    return hd_report_judged_json(report, r, &c, true, out);
}

bool hd_report_run_csv(const struct hd_report *report, const struct hd_run_record *r,
                       FILE *out) {
    struct hd_csv_writer w;
    hd_csv_start(&w, out);
    hd_fields_csv_header(&hd_schema_model, &w);
    for (int n = 0; n < report->question->models && hd_run_is_whole(r); n++) {
        struct hd_model_figures model;
        hd_model_figures(report->question, r, report->question->attain[0], n, &model);
        hd_fields_csv_row(&hd_schema_model, &model, &w);
    }
    return hd_csv_finish(&w);
}

/* ---- a comparison -------------------------------------------------------- */

bool hd_report_comparison_csv(const struct hd_report *report,
                              const struct hd_comparison *c, FILE *out) {
    struct hd_csv_writer w;
    hd_csv_start(&w, out);
    hd_fields_csv_header(&hd_schema_compare, &w);
    struct hd_row_figures *row = hd_report_rows(report, c);
    for (int i = 0; i < c->answers; i++)
        hd_fields_csv_row(&hd_schema_compare, &row[i], &w);
    hd_report_rows_free(row, c);
    return hd_csv_finish(&w);
}

const struct hd_answer *hd_report_typical(const struct hd_report *report,
                                          const struct hd_comparison *c) {
    const struct hd_answer *first = NULL;
    for (int i = 0; i < c->answers; i++) {
        const struct hd_answer *a = &c->answer[i];
        if (!a->record || !hd_run_is_whole(a->record)) continue;
        if (strcmp(report->question->policy[a->policy].script->name, "dedicated") == 0)
            return a;
        if (!first) first = a;
    }
    return first;
}

/* What the trace is like; active models by the run that hd_report_typical names. */
static void load_json(const struct hd_report *report, const struct hd_comparison *c,
                      struct hd_json *j) {
    struct hd_trace_stats s =
        hd_trace_stats(report->question->trace, HD_SERVICE_S_PUBLISHED);
    const struct hd_answer *a = hd_report_typical(report, c);
    struct hd_run_figures f = {.load = {NAN, NAN}};
    if (a)
        hd_run_figures(
            report->question, a->record,
            &(struct hd_criterion){report->question->metric, a->rule, a->attain}, &f);
    hd_json_object(j, "load");
    hd_json_int(j, "requests", s.rows);
    hd_json_int(j, "models", s.models);
    hd_json_real(j, "span_s", s.span_s);
    hd_json_real(j, "rate_per_s", s.rate_per_s);
    hd_json_real(j, "iod_60s", s.iod_60s);
    hd_json_real(j, "gini", s.gini);
    hd_json_real(j, "top_share", s.top_share);
    hd_json_real(j, "active_models", f.load.active_models);
    hd_json_real(j, "active_models_if_independent",
                 f.load.active_models_if_independent);
    hd_json_text(j, "active_models_under",
                 a ? report->question->policy[a->policy].label : NULL);
    hd_json_int(j, "sent", c->load.sent);
    hd_json_int(j, "measured", c->load.measured);
    hd_json_int(j, "too_long", c->load.too_long);
    hd_json_int(j, "empty", c->load.empty);
    hd_json_int(j, "no_input", c->load.no_input);
    hd_json_close(j);
    hd_run_figures_free(&f);
}

/* Each answer's baseline stands in its row; here are those of the first block. */
static void baselines_json(const struct hd_comparison *c, struct hd_json *j) {
    const struct hd_answer *a = c->answers ? &c->answer[0] : NULL;
    hd_json_object(j, "baselines");
    if (a && a->baseline_gpus > 0)
        hd_json_int(j, "dedicated", a->baseline_gpus);
    else
        hd_json_null(j, "dedicated");
    hd_json_inline_object(j, "one_each");
    hd_json_int(j, "gpus", c->one_each_gpus);
    hd_json_real(j, "attain", a ? a->one_each_attained : NAN);
    hd_json_close(j);
    hd_json_null(j, "own");
    hd_json_close(j);
}

bool hd_report_comparison_json(const struct hd_report *report,
                               const struct hd_comparison *c, FILE *out) {
    struct hd_json j;
    hd_json_start(&j, out);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "schema", HD_SCHEMA_COMPARE);
    hd_json_text(&j, "version", HD_VERSION);
    hd_json_bool(&j, "complete", c->complete);
    hd_json_text(&j, "command", report->question->command);
    hd_report_question_json(report, "question", &j);
    load_json(report, c, &j);
    baselines_json(c, &j);
    struct hd_row_figures *row = hd_report_rows(report, c);
    hd_json_array(&j, "policy");
    for (int i = 0; i < c->answers; i++) {
        hd_json_object(&j, NULL);
        hd_fields_json(&hd_schema_compare, &row[i], &j);
        hd_fields_json(&hd_schema_answer, &row[i], &j);
        hd_json_inline_array(&j, "replicates");
        hd_json_close(&j);
        hd_json_inline_array(&j, "risk");
        hd_json_close(&j);
        hd_json_close(&j);
    }
    hd_json_close(&j);
    hd_report_rows_free(row, c);
    requirements_json(report, &j);
    warnings_json(report, NULL, &j);
    hd_json_close(&j);
    return hd_json_finish(&j);
}
