/* The answers of a comparison as rows of figures. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plan/report_parts.h"

char *hd_params_text(const struct hd_policy_choice *p) {
    char *text = hd_strdup("");
    for (int n = 0; n < p->script->params; n++) {
        char *value = hd_value_of(p->script, p->values, n);
        char *longer = hd_format("%s%s%s=%s", text, *text ? "," : "",
                                 p->script->param[n].name, value);
        free(text);
        free(value);
        text = longer;
    }
    return text;
}

char *hd_run_folder(const struct hd_question *q, const struct hd_answer *a) {
    int rules = 0;
    for (int r = 0; r < HD_PASS_RULES; r++) rules += q->pass[r];
    char attain[HD_REAL_TEXT_BYTES], scale[HD_REAL_TEXT_BYTES];
    hd_shortest(a->attain, attain);
    hd_shortest(a->scale, scale);
    return hd_format("runs/%s%s%s%s%s-%s-%d", q->policy[a->policy].label,
                     q->scales > 1 ? "-x" : "", q->scales > 1 ? scale : "",
                     rules > 1 ? "-" : "", rules > 1 ? hd_pass_rule_name(a->rule) : "",
                     attain, a->record ? a->record->gpus : a->gpus);
}

void hd_row_figures(const struct hd_question *q, const struct hd_answer *a,
                    struct hd_row_figures *row) {
    const struct hd_policy_choice *policy = &q->policy[a->policy];
    struct hd_criterion c = {q->metric, a->rule, a->attain};
    *row = (struct hd_row_figures){
        .policy = policy->label,
        .policy_sha256 = policy->script->sha256,
        .clairvoyant = policy->script->clairvoyant,
        .params = hd_params_text(policy),
        .slo_scale = a->scale,
        .attain_target = a->attain,
        .metric = hd_metric_name(q->metric),
        .pass_rule = hd_pass_rule_name(a->rule),
        .reached = a->whole ? a->reached : -1,
        .gpus = a->whole && a->reached ? a->gpus : HD_INT_ABSENT,
        .baseline_gpus = a->baseline_gpus > 0 ? a->baseline_gpus : HD_INT_ABSENT,
        .bound_gpus = a->bound_gpus > 0 ? a->bound_gpus : HD_INT_ABSENT,
        .saved = a->whole && a->reached ? a->saved : NAN,
        .fails_above = {a->whole ? (a->above < HD_FAILS_ABOVE_MAX ? a->above
                                                                  : HD_FAILS_ABOVE_MAX)
                                 : 0,
                        a->fails_above},
        .probes = a->probes,
        .probes_cut = a->probes_cut,
        .best = a->whole && !a->reached ? a->best : NAN,
        .one_each_attain = a->one_each_attained,
        .why_not = a->whole && !a->reached ? a->why_not : NULL,
        .note = a->note,
        .limit = hd_limit_figures(q, &a->limit),
    };
    if (a->record) {
        char *folder = hd_run_folder(q, a);
        row->run = hd_format("%s/run.json", folder);
        free(folder);
        hd_run_figures(q, a->record, &c, &row->f);
    } else {
        hd_run_figures_absent(&row->f);
    }
}

void hd_row_figures_free(struct hd_row_figures *row) {
    free(row->params);
    free(row->run);
    hd_run_figures_free(&row->f);
}

struct hd_row_figures *hd_report_rows(const struct hd_report *report,
                                      const struct hd_comparison *c) {
    struct hd_row_figures *row = hd_alloc(sizeof *row * (size_t)(c->answers + 1));
    for (int i = 0; i < c->answers; i++)
        hd_row_figures(report->question, &c->answer[i], &row[i]);
    return row;
}

void hd_report_rows_free(struct hd_row_figures *row, const struct hd_comparison *c) {
    for (int i = 0; i < c->answers; i++) hd_row_figures_free(&row[i]);
    free(row);
}
