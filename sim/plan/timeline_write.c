/* Writes the timeline as trace events (the "JSON Object Format" of Chrome's tracing):
 * complete events, names of processes and threads, flows. */
#include <math.h>
#include <stdio.h>

#include "output/json.h"
#include "output/quantity.h"
#include "plan/timeline_layout.h"

struct writing {
    struct hd_timeline_layout l;
    struct hd_json *j;
};

static const char *model_name(const struct writing *w, int model) {
    return model < 0 ? "" : w->l.t->question->model[model].name;
}

/* What a slice is called, and its category. */
static const char *name_row(const struct writing *w, const struct hd_timeline_row *r,
                            char *text, size_t bytes) {
    static const char *const stages[HD_STAGES] = {
        "switch: KV leaves",      "switch: memory is collected",
        "switch: process starts", "switch: engine begins anew",
        "switch: weights come",   "switch: KV comes"};
    static const char *const phases[HD_BLAMES] = {
        "waits for prefill", "switch", "prefill",
        "KV moves",          "decode", "waits between turns"};
    const char *model = model_name(w, r->model);
    const char *requests = hd_say_things(r->requests, "request").text;
    switch ((enum hd_seen_kind)r->kind) {
    case HD_SEEN_TURN:
        snprintf(text, bytes, "turn of %s", model);
        return "turn";
    case HD_SEEN_START:
        snprintf(text, bytes, "engine starts");
        return "switch";
    case HD_SEEN_STAGE:
        snprintf(text, bytes, "%s", stages[r->detail]);
        return "switch";
    case HD_SEEN_PREFILL:
        snprintf(text, bytes, "prefill of %s", requests);
        return "iteration";
    case HD_SEEN_MIXED:
        snprintf(text, bytes, "prefill and decode of %s", requests);
        return "iteration";
    case HD_SEEN_DECODE:
        snprintf(text, bytes, "decode of %s", requests);
        return "iteration";
    case HD_SEEN_STALL:
        snprintf(text, bytes, "nothing can run");
        return "stall";
    case HD_SEEN_LOAD:
        snprintf(text, bytes, "%s %s", r->detail ? "broken off: load" : "load", model);
        return "transfer";
    case HD_SEEN_KV_OUT:
        snprintf(text, bytes, "KV out, %s of %s", requests, model);
        return "transfer";
    case HD_SEEN_KV_IN:
        snprintf(text, bytes, "KV in, %s of %s", requests, model);
        return "transfer";
    case HD_SEEN_REQUEST:
        snprintf(text, bytes, "%s", phases[r->detail]);
        return "request";
    }
    return "";
}

static void begin_event(struct writing *w, const char *phase,
                        const struct hd_timeline_event *e, const char *name,
                        const char *category) {
    hd_json_inline_object(w->j, NULL);
    hd_json_text(w->j, "ph", phase);
    hd_json_text(w->j, "name", name);
    hd_json_text(w->j, "cat", category);
    hd_json_real(w->j, "ts", (double)e->since / 1e3);
    hd_json_int(w->j, "pid", e->pid);
    hd_json_int(w->j, "tid", e->tid);
}

static void row_slice(struct writing *w, const struct hd_timeline_event *e) {
    const struct hd_timeline_row *r = &w->l.t->row[e->of];
    char name[256];
    const char *category = name_row(w, r, name, sizeof name);
    begin_event(w, "X", e, name, category);
    hd_json_real(w->j, "dur", (double)(e->until - e->since) / 1e3);
    hd_json_inline_object(w->j, "args");
    if (r->kind != HD_SEEN_REQUEST) hd_json_int(w->j, "instance", r->instance);
    if (r->kind == HD_SEEN_TURN) {
        hd_json_int(w->j, "turn", r->id);
        hd_json_text(w->j, "ended",
                     r->detail < 0 ? "with its instance, or the run"
                                   : hd_why_name((enum hd_why)r->detail));
        hd_json_int(w->j, "requests_left", r->requests);
    }
    if (hd_timeline_moves(r)) hd_json_real(w->j, "bytes", r->bytes);
    hd_json_close(w->j);
    hd_json_close(w->j);
}

static void request_slice(struct writing *w, const struct hd_timeline_event *e) {
    static const char *const blames[HD_BLAMES] = {"queue_s", "switch_s", "prefill_s",
                                                  "kv_s",    "decode_s", "wait_s"};
    const struct hd_timeline_whole *r = &w->l.whole[e->of];
    char name[64];
    snprintf(name, sizeof name, "request %lld%s", (long long)r->row,
             r->ended < 0 ? " (its end is not shown)" : "");
    begin_event(w, "X", e, name, "request");
    hd_json_real(w->j, "dur", (double)(e->until - e->since) / 1e3);
    hd_json_inline_object(w->j, "args");
    if (r->ended >= 0) {
        const struct hd_timeline_request *f = &w->l.t->request[r->ended];
        hd_json_text(w->j, "status", hd_status_name((enum hd_status)f->status));
        hd_json_int(w->j, "input_tokens", f->input);
        hd_json_int(w->j, "output_tokens", f->output);
        hd_json_int(w->j, "tokens_on_time", f->on_time);
        hd_json_real(w->j, "ttft_s",
                     f->first_token < 0 ? NAN
                                        : hd_s_from_tick(f->first_token - f->arrival));
        for (int b = 0; b < HD_BLAMES; b++)
            hd_json_real(w->j, blames[b], hd_s_from_tick(f->blame[b]));
    }
    hd_json_close(w->j);
    hd_json_close(w->j);
}

static void flow(struct writing *w, const struct hd_timeline_event *e) {
    const struct hd_timeline_row *r = &w->l.t->row[e->of];
    bool to = e->kind == HD_EVENT_FLOW_TO;
    begin_event(w, to ? "f" : "s", e,
                r->detail == HD_BLAME_PREFILL ? "is prefilled" : "decodes", "flow");
    hd_json_int(w->j, "id", e->flow);
    if (to) hd_json_text(w->j, "bp", "e");
    hd_json_close(w->j);
}

static void metadata(struct writing *w, const char *what, int pid, int tid,
                     const char *name, int sort) {
    hd_json_inline_object(w->j, NULL);
    hd_json_text(w->j, "ph", "M");
    hd_json_text(w->j, "name", what);
    hd_json_int(w->j, "pid", pid);
    hd_json_int(w->j, "tid", tid);
    hd_json_inline_object(w->j, "args");
    if (name)
        hd_json_text(w->j, "name", name);
    else
        hd_json_int(w->j, "sort_index", sort);
    hd_json_close(w->j);
    hd_json_close(w->j);
}

static void name_thread(struct writing *w, int pid, int tid, const char *name) {
    metadata(w, "thread_name", pid, tid, name, 0);
    metadata(w, "thread_sort_index", pid, tid, NULL, tid);
}

static void name_process(struct writing *w, int pid, const char *name) {
    metadata(w, "process_name", pid, 0, name, 0);
    metadata(w, "process_sort_index", pid, 0, NULL, pid);
}

static void name_gpus(struct writing *w) {
    const struct hd_question *q = w->l.t->question;
    char name[256];
    int named = -1;
    for (int gpu = 0; gpu < w->l.t->gpus; gpu++) {
        struct hd_timeline_node n = hd_timeline_node_of(q, gpu);
        if (!w->l.t->gpu[gpu]) continue;
        if (n.node != named) {
            snprintf(name, sizeof name, "node %d: %d x %s", n.node, n.gpus,
                     q->part[n.part].gpu->name);
            name_process(w, HD_NODE_PID + n.node, name);
            named = n.node;
        }
        snprintf(name, sizeof name, "GPU %d: turns", gpu);
        name_thread(w, HD_NODE_PID + n.node, hd_timeline_gpu_tid(&n, gpu), name);
        for (int lane = 0; lane < w->l.copies[gpu]; lane++) {
            snprintf(name, sizeof name, "GPU %d: transfers%s", gpu,
                     lane ? ", beside others" : "");
            name_thread(w, HD_NODE_PID + n.node,
                        hd_timeline_gpu_tid(&n, gpu) + 1 + lane, name);
        }
    }
}

static void name_models(struct writing *w) {
    char name[512];
    for (int m = 0; m < w->l.t->question->models; m++) {
        if (!w->l.lanes[m]) continue;
        snprintf(name, sizeof name, "requests of %s", model_name(w, m));
        name_process(w, HD_MODEL_PID + m, name);
        for (int lane = 0; lane < w->l.lanes[m]; lane++) {
            snprintf(name, sizeof name, "lane %d", lane + 1);
            name_thread(w, HD_MODEL_PID + m, 1 + lane, name);
        }
    }
}

static void about(struct writing *w) {
    const struct hd_timeline *t = w->l.t;
    const struct hd_trace *trace = t->question->trace;
    hd_json_object(w->j, "otherData");
    hd_json_text(w->j, "made_by", "hotdesk replay --timeline");
    hd_json_text(w->j, "trace", trace->name);
    hd_json_text(w->j, "policy", t->question->policy[0].label);
    hd_json_text(w->j, "time", "since the trace's zero");
    hd_json_real(w->j, "from_s", hd_trace_since_zero_s(trace, t->from));
    hd_json_real(w->j, "to_s",
                 t->to == HD_TICK_NEVER ? NAN : hd_trace_since_zero_s(trace, t->to));
    hd_json_int(w->j, "rows", t->rows_used);
    hd_json_int(w->j, "rows_most", t->most);
    hd_json_real(w->j, "full_at_s", hd_timeline_full_s(t));
    hd_json_text(w->j, "arrows",
                 w->l.flows ? "from a request to the GPU that prefills or decodes it"
                            : "none: too many requests");
    hd_json_close(w->j);
}

bool hd_timeline_write(struct hd_timeline *t, FILE *file) {
    struct hd_json j;
    struct writing w = {{.t = t}, &j};
    hd_timeline_lay_out(&w.l);
    hd_json_start(&j, file);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "displayTimeUnit", "ms");
    about(&w);
    hd_json_array(&j, "traceEvents");
    name_gpus(&w);
    name_models(&w);
    for (int n = 0; n < w.l.events; n++) {
        const struct hd_timeline_event *e = &w.l.event[n];
        if (e->kind == HD_EVENT_SLICE_ROW)
            row_slice(&w, e);
        else if (e->kind == HD_EVENT_SLICE_REQUEST)
            request_slice(&w, e);
        else
            flow(&w, e);
    }
    hd_json_close(&j);
    hd_json_close(&j);
    hd_timeline_layout_free(&w.l);
    return hd_json_finish(&j);
}
