/* The question and its inputs as JSON. */
#include <math.h>
#include <stdlib.h>

#include "plan/report_parts.h"

static void slo_json(const struct hd_question *q, struct hd_json *j) {
    hd_json_object(j, "slo");
    hd_json_array(j, "classes");
    for (int i = 0; i < q->classes; i++) {
        const struct hd_slo_class *c = &q->slo[i];
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "name", c->name);
        hd_json_real(j, "ttft_s", c->ttft_s);
        hd_json_real(j, "tbt_s", c->tbt_s);
        hd_json_real(j, "attain", c->attain > 0 ? c->attain : NAN);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_text(j, "metric", hd_metric_name(q->metric));
    hd_json_inline_array(j, "scale");
    for (int i = 0; i < q->scales; i++) hd_json_real(j, NULL, q->scale[i]);
    hd_json_close(j);
    hd_json_close(j);
}

static void pass_json(const struct hd_question *q, struct hd_json *j) {
    hd_json_object(j, "pass");
    hd_json_inline_array(j, "attain");
    for (int i = 0; i < q->attains; i++) hd_json_real(j, NULL, q->attain[i]);
    hd_json_close(j);
    hd_json_inline_array(j, "rules");
    for (int r = 0; r < HD_PASS_RULES; r++)
        if (q->pass[r]) hd_json_text(j, NULL, hd_pass_rule_name(r));
    hd_json_close(j);
    hd_json_close(j);
}

/* 0 stands for none. */
static double limit(double x) {
    return x > 0 ? x : NAN;
}

static void paths_json(const struct hd_node_config *n, struct hd_json *j) {
    hd_json_int(j, "pcie_switch", n->pcie_switch);
    hd_json_real(j, "switch_uplink_bytes_per_s", limit(n->switch_bytes_per_s));
    hd_json_real(j, "dram_bytes_per_s", limit(n->host_bytes_per_s));
}

static void fleet_json(const struct hd_question *q, struct hd_json *j) {
    hd_json_object(j, "fleet");
    hd_json_text(j, "asked", q->fleet_text);
    hd_json_int(j, "gpus_max", q->gpus_max);
    hd_json_array(j, "parts");
    for (int i = 0; i < q->parts; i++) {
        const struct hd_fleet_part *p = &q->part[i];
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "gpu", p->gpu->name);
        hd_json_int(j, "gpus", p->gpus);
        hd_json_int(j, "node_gpus", p->node.gpus);
        hd_json_real(j, "usable_bytes", p->usable_bytes);
        hd_json_real(j, "dram_bytes", p->node.dram_bytes);
        hd_json_real(j, "disk_bytes_per_s", p->node.disk_bytes_per_s);
        hd_json_real(j, "pcie_bytes_per_s", p->node.pcie_bytes_per_s);
        hd_json_int(j, "pcie_shared_by", p->node.pcie_shared_by);
        hd_json_real(j, "pcie_both", p->node.pcie_both > 0 ? p->node.pcie_both : 1);
        hd_json_real(j, "nvlink_bytes_per_s", p->node.nvlink_bytes_per_s);
        hd_json_real(j, "nic_bytes_per_s", p->node.nic_bytes_per_s);
        if (q->switching.links != HD_LINKS_ALONE) paths_json(&p->node, j);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_close(j);
}

static void mechanisms_json(const struct hd_question *q, struct hd_json *j) {
    const struct hd_switching *w = &q->switching;
    const struct hd_serving *s = &q->serving;
    const struct hd_engine_profile *p = q->engine;
    hd_json_object(j, "mechanisms");
    hd_json_inline_object(j, "engine");
    hd_json_text(j, "name", p->name);
    hd_json_text(j, "revision", p->revision);
    hd_json_bool(j, "async", p->async);
    hd_json_bool(j, "tables", p->tables);
    hd_json_bool(j, "graph", p->graph);
    hd_json_real(j, "step_s", p->step_s);
    hd_json_real(j, "sequence_s", p->sequence_s);
    hd_json_real(j, "layer_s", p->layer_s);
    hd_json_text(j, "measured", *p->measured ? p->measured : NULL);
    hd_json_text(j, "published", *p->published ? p->published : NULL);
    hd_json_text(j, "assumed", *p->assumed ? p->assumed : NULL);
    hd_json_text(j, "source", p->source);
    hd_json_close(j);
    hd_json_inline_object(j, "switching");
    hd_json_real(j, "engine_start_s", w->engine_start_s);
    hd_json_real(j, "reinit_s", w->reinit_s);
    hd_json_bool(j, "prefetch", w->prefetch);
    hd_json_bool(j, "warm_cache", w->warm_cache);
    hd_json_bool(j, "placed", w->placed);
    hd_json_real(j, "kv_in_s_per_token", w->kv_in_s_per_token);
    hd_json_bool(j, "kv_out_free", w->kv_out_free);
    hd_json_text(j, "rung", q->switching_rung);
    hd_json_real(j, "restart_s", w->restart_s);
    hd_json_real(j, "gc_s", w->gc_s);
    hd_json_real(j, "load_bytes_per_s", limit(w->load_bytes_per_s));
    hd_json_real(j, "staging_bytes_per_s", limit(w->staging_bytes_per_s));
    hd_json_real(j, "chunk_bytes", limit(w->chunk_bytes));
    hd_json_bool(j, "no_cache", w->no_cache);
    hd_json_text(j, "host_keeps", hd_host_keeps_name(w->host_keeps));
    hd_json_int(j, "staging_bytes", w->staging_bytes);
    hd_json_bool(j, "kv_first", w->kv_first);
    hd_json_bool(j, "kv_events", w->kv_events);
    hd_json_bool(j, "prefetch_yields", w->prefetch_yields);
    hd_json_text(j, "links", hd_links_name(w->links));
    if (w->remote_bytes_per_s > 0)
        hd_json_real(j, "remote_bytes_per_s", w->remote_bytes_per_s);
    hd_json_close(j);
    hd_json_inline_object(j, "serving");
    hd_json_int(j, "max_batch", s->max_batch);
    hd_json_int(j, "prefill_tokens", s->prefill_tokens);
    hd_json_int(j, "chunk_tokens", s->chunk_tokens);
    hd_json_bool(j, "prefix_cache", s->prefix_cache);
    hd_json_real(j, "slab_bytes", limit((double)s->slab_bytes));
    hd_json_real(j, "front_s", s->front_s);
    hd_json_real(j, "front_sequence_s", s->front_sequence_s);
    hd_json_text(j, "sharing", q->sharing.time_slice ? "time_slice" : "mps");
    hd_json_real(j, "share_limit", q->sharing.share_limit);
    hd_json_bool(j, "preempt_swap", s->preempt_swap);
    hd_json_real(j, "watermark", s->watermark);
    hd_json_real(j, "patience_s", s->patience_s > 0 ? s->patience_s : NAN);
    hd_json_real(j, "drain_s", s->drain_s);
    hd_json_close(j);
    hd_json_close(j);
}

struct hd_calibration_error hd_report_timing_error(const struct hd_question *q,
                                                   const struct hd_calibration *c) {
    struct hd_calibration_error worst = {0, 0};
    struct hd_timing_source source;
    for (int i = 0; i < q->models; i++) {
        hd_timing_source_of(c, q->model[i].spec, 1, &source);
        worst.p50 = fmax(worst.p50, source.error_p50);
        worst.p90 = fmax(worst.p90, source.error_p90);
    }
    return q->models ? worst : c->held_out;
}

/* A question rests on one calibration for each kind of GPU. */
static void timing_json(const struct hd_question *q, struct hd_json *j) {
    hd_json_array(j, "timing");
    for (int i = 0; i < q->parts; i++) {
        struct hd_err ignored = {""};
        struct hd_calibration *c =
            hd_calibration_load(q->part[i].gpu, q->engine, &ignored);
        if (!c) continue; /* the runs will say so */
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "gpu", c->gpu);
        hd_json_text(j, "fitted_on", c->fitted);
        hd_json_text(j, "basis", hd_calibration_basis_name(c->basis));
        hd_json_text(j, "revision", c->revision);
        hd_json_text(j, "source", c->source);
        struct hd_calibration_error error = hd_report_timing_error(q, c);
        hd_json_real(j, "error_p50", error.p50);
        hd_json_real(j, "error_p90", error.p90);
        hd_json_close(j);
        hd_calibration_free(c);
    }
    hd_json_close(j);
}

static void models_json(const struct hd_question *q, struct hd_json *j) {
    hd_json_object(j, "models");
    hd_json_text(j, "asked", q->models_text);
    hd_json_array(j, "mapped");
    for (int i = 0; i < q->models; i++) {
        const struct hd_market_model *m = &q->model[i];
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "name", m->name);
        hd_json_text(j, "model", m->spec->name);
        hd_json_int(j, "tp", m->tp);
        hd_json_text(j, "class", q->slo[m->slo].name);
        hd_json_text(j, "gpu", m->gpu);
        hd_json_int(j, "min_replicas", m->min_replicas);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_close(j);
}

static void policies_json(const struct hd_question *q, struct hd_json *j) {
    hd_json_array(j, "policies");
    for (int i = 0; i < q->policies; i++) {
        char *params = hd_params_text(&q->policy[i]);
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "name", q->policy[i].label);
        hd_json_text(j, "sha256", q->policy[i].script->sha256);
        hd_json_text(j, "params", params);
        hd_json_close(j);
        free(params);
    }
    hd_json_close(j);
}

void hd_report_trace_json(const struct hd_report *report, const char *key,
                          struct hd_json *j) {
    const struct hd_trace *t = report->question->trace;
    char text[HD_CLOCK_TEXT_BYTES];
    hd_json_object(j, key);
    hd_json_text(j, "name", t->name);
    hd_json_text(j, "sha256", t->sha256);
    hd_json_int(j, "rows", t->rows);
    if (t->rows) {
        hd_json_text(j, "first", hd_trace_clock_text(t, t->row[0].at, text));
        hd_json_text(j, "last", hd_trace_clock_text(t, t->row[t->rows - 1].at, text));
    } else {
        hd_json_null(j, "first");
        hd_json_null(j, "last");
    }
    hd_json_text(j, "format", t->format);
    hd_json_text(j, "made", t->made);
    hd_json_text(j, "parts", t->parts);
    hd_json_text(j, "recipe", t->recipe);
    hd_json_text(j, "sources", t->sources);
    hd_json_close(j);
}

void hd_report_question_json(const struct hd_report *report, const char *key,
                             struct hd_json *j) {
    static const char *const unservable[] = {"fail", "drop", "clip"};
    const struct hd_question *q = report->question;
    hd_json_object(j, key);
    hd_report_trace_json(report, "trace", j);
    hd_json_inline_object(j, "window");
    hd_json_real(j, "from_s", hd_trace_since_zero_s(q->trace, q->from));
    hd_json_real(j, "to_s",
                 q->to == HD_TICK_NEVER ? NAN : hd_trace_since_zero_s(q->trace, q->to));
    hd_json_real(j, "warm_up_s", hd_s_from_tick(q->warm_up));
    hd_json_real(j, "cool_down_s", hd_s_from_tick(q->cool_down));
    hd_json_close(j);
    slo_json(q, j);
    pass_json(q, j);
    hd_json_text(j, "too_long", unservable[q->too_long]);
    hd_json_text(j, "zero_output", unservable[q->zero_output]);
    fleet_json(q, j);
    mechanisms_json(q, j);
    timing_json(q, j);
    policies_json(q, j);
    models_json(q, j);
    hd_json_int(j, "replicates", 0);
    hd_json_int(j, "seed", (int64_t)q->seed);
    hd_json_text(j, "scenario_sha256", *q->scenario_sha256 ? q->scenario_sha256 : NULL);
    hd_json_close(j);
}
