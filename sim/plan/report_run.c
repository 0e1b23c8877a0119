/* The summary of one run, for people. */
#include <math.h>
#include <string.h>

#include "output/quantity.h"
#include "output/text_table.h"
#include "plan/report_parts.h"
#include "plan/report_profile.h"

static const char *const words_of_blame[HD_BLAMES] = {
    "queueing", "switching", "prefill", "KV moves", "decode", "waiting between tokens"};

/* "71.0 % queueing, 18.2 % switching, ...": what took any time, most first. */
static void blame_text(const double *blame_s, FILE *out) {
    double all = 0;
    bool told[HD_BLAMES] = {false};
    for (int b = 0; b < HD_BLAMES; b++) all += blame_s[b];
    if (!(all > 0)) fputs("-", out);
    for (int k = 0; all > 0 && k < HD_BLAMES; k++) {
        int most = -1;
        for (int b = 0; b < HD_BLAMES; b++)
            if (!told[b] && (most < 0 || blame_s[b] > blame_s[most])) most = b;
        if (!(blame_s[most] > 0)) break;
        told[most] = true;
        fprintf(out, "%s%.2f %% %s", k ? ", " : "", 100 * blame_s[most] / all,
                words_of_blame[most]);
    }
}

static void count_line(const struct hd_run_figures *f, FILE *out) {
    fprintf(out,
            "requests  %s measured = %s done + %s rejected + %s too long + %s empty + "
            "%s unfinished",
            hd_say_count(f->counts.measured).text, hd_say_count(f->counts.done).text,
            hd_say_count(f->counts.rejected).text,
            hd_say_count(f->counts.too_long).text, hd_say_count(f->counts.empty).text,
            hd_say_count(f->counts.unfinished).text);
    if (f->counts.preempted)
        fprintf(out, "; %s", hd_say_things(f->counts.preempted, "preemption").text);
    putc('\n', out);
}

static void prefix_line(const struct hd_run_figures *f, FILE *out) {
    if (isnan(f->prefix.hit_rate)) return;
    fprintf(out, "prefixes  %s of %s prompt tokens were in the cache (%s)\n",
            hd_say_count(f->prefix.cached_tokens).text,
            hd_say_count(f->prefix.prompt_tokens).text,
            hd_say_percent(f->prefix.hit_rate).text);
}

static void verdict_lines(const struct hd_question *q, const struct hd_run_figures *f,
                          FILE *out) {
    const char *what = q->metric == HD_METRIC_RATIO     ? "time ratio"
                       : q->metric == HD_METRIC_REQUEST ? "requests in time"
                                                        : "attained";
    fprintf(out, "%-9s %s pooled, worst model %s", what, hd_say_percent(f->pooled).text,
            hd_say_percent(f->spread.worst).text);
    if (f->worst_model && strcmp(f->worst_model, HD_RARE_NAME) == 0)
        fputs(" (the rarer ones together)", out);
    else if (f->worst_model)
        fprintf(out, " (%s)", f->worst_model);
    fprintf(out, ", p10 %s, mean %s over models", hd_say_percent(f->spread.p10).text,
            hd_say_percent(f->spread.mean).text);
    if (!isnan(f->spread.jain)) fprintf(out, ", Jain %.3f", f->spread.jain);
    putc('\n', out);
    fprintf(out, "          tokens %s, time ratio %s, requests %s\n",
            hd_say_percent(f->attain.token).text, hd_say_percent(f->attain.ratio).text,
            hd_say_percent(f->attain.request).text);
    int failing = f->pass.failing_models.count;
    fprintf(out, "%-9s rule %s at %s: ", f->pass.ok ? "passes" : "FAILS", f->pass.rule,
            hd_say_share(f->pass.target).text);
    fprintf(out, "%s judged alone, %s together",
            hd_say_things(f->pass.judged_models, "model").text,
            hd_say_things(f->pass.rare_models, "rarer one").text);
    if (failing) {
        fprintf(out, "; %sbelow it: ",
                strcmp(f->pass.rule, "pooled") == 0 ? "pooled hides what is " : "");
        for (int i = 0; i < failing && i < 5; i++)
            fprintf(out, "%s%s", i ? ", " : "", f->pass.failing_models.item[i]);
        if (failing > 5) fprintf(out, " and %d more", failing - 5);
    }
    putc('\n', out);
}

static void latency_row(struct hd_text_table *t, const char *name,
                        const struct hd_latency *l) {
    hd_text_table_cell(t, "%s", name);
    hd_text_table_cell(t, "%s", hd_say_seconds(l->p50_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(l->p90_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(l->p99_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(l->mean_s).text);
}

static void latency_table(const struct hd_run_figures *f, int width, FILE *out) {
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "latency", false);
    hd_text_table_column(t, "p50", true);
    hd_text_table_column(t, "p90", true);
    hd_text_table_column(t, "p99", true);
    hd_text_table_column(t, "mean", true);
    latency_row(t, "TTFT (first token)", &f->ttft);
    latency_row(t, "TBT (between tokens)", &f->tbt);
    latency_row(t, "TPOT (mean gap of a request)", &f->tpot);
    latency_row(t, "longest gap of a request", &f->gap_longest);
    latency_row(t, "end to end", &f->e2e);
    hd_text_table_print(t, width, out);
    hd_text_table_free(t);
}

/* Of all GPU-time, what was not nothing, in the order of a turn's life; the parts make
 * up the whole. */
static void gpu_time_line(const struct hd_run_figures *f, FILE *out) {
    static const char *const words[HD_GPU_USES] = {
        "prefill", "mixed steps", "decode",           "engine starts",
        "KV out",  "collection",  "process restarts", "re-initialisation",
        "weights", "KV in",       "idle with work",   "idle without"};
    int said = 0;
    fputs("gpu time  ", out);
    for (int u = 0; u < HD_GPU_USES; u++)
        if (f->gpu_s[u] > 0)
            fprintf(out, "%s%s %.2f %%", said++ ? ", " : "", words[u],
                    100 * f->gpu_s[u] / f->gpus_s);
    fputs(said ? "\n" : "-\n", out);
}

static void use_lines(const struct hd_run_figures *f, FILE *out) {
    fprintf(out,
            "gpu       busy %s, switching %s, idle while requests waited %s, idle %s "
            "(%.4g GPU-hours)\n",
            hd_say_percent(f->gpu[HD_SHARE_BUSY]).text,
            hd_say_percent(f->gpu[HD_SHARE_SWITCHING]).text,
            hd_say_percent(f->gpu[HD_SHARE_IDLE_WAITING]).text,
            hd_say_percent(f->gpu[HD_SHARE_IDLE_FREE]).text, f->gpu_hours);
    gpu_time_line(f, out);
    fprintf(out,
            "switches  %s, %s hidden; waited %s for re-initialisation, %s for weights, "
            "%s for KV out, %s for KV in\n",
            hd_say_count(f->switches).text, hd_say_count(f->switches_hidden).text,
            hd_say_span(f->stage_s[HD_STAGE_REINIT]).text,
            hd_say_span(f->stage_s[HD_STAGE_LOAD]).text,
            hd_say_span(f->stage_s[HD_STAGE_KV_OUT]).text,
            hd_say_span(f->stage_s[HD_STAGE_KV_IN]).text);
    if (f->stage_s[HD_STAGE_GC] > 0 || f->stage_s[HD_STAGE_RESTART] > 0)
        fprintf(out, "          and %s for collection, %s for processes to start\n",
                hd_say_span(f->stage_s[HD_STAGE_GC]).text,
                hd_say_span(f->stage_s[HD_STAGE_RESTART]).text);
    fprintf(out, "tokens    %s out, %s/s; goodput %s tokens/s, %s requests/s\n",
            hd_say_count(f->output_tokens).text,
            hd_say_rough(f->output_tokens_per_s).text,
            hd_say_rough(f->goodput.tokens_per_s).text,
            hd_say_rough(f->goodput.requests_per_s).text);
    fputs("time      of requests: ", out);
    blame_text(f->blame_s, out);
    putc('\n', out);
    fprintf(out,
            "peak      %s on one GPU, %s in the memory of one node, %s with work "
            "at once\n",
            hd_say_bytes((double)f->vram_bytes).text,
            hd_say_bytes((double)f->dram_bytes).text,
            hd_say_things(f->active_models_peak, "model").text);
    if (f->vram.peak_bytes[HD_VRAM_FRAGMENTS] > 0)
        fprintf(out,
                "slabs     %.1f %% of their bytes in no block on average, %.1f %% at "
                "most\n",
                100 * f->vram.fragments, 100 * f->vram.fragments_peak);
    fprintf(out,
            "load      %.1f models with work at once on average (%.1f if they were "
            "independent), %.2g models for each GPU\n",
            f->load.active_models, f->load.active_models_if_independent,
            f->models_per_gpu);
}

static void model_table(const struct hd_report *report, const struct hd_run_record *r,
                        double target, FILE *out) {
    struct hd_text_table *t = hd_text_table_new();
    static const char *const title[] = {"model",     "is",        "tp",
                                        "requests",  "judged",    "attained\n%",
                                        "TTFT\np50", "TTFT\np99", "end to end\np50"};
    for (int c = 0; c < (int)(sizeof title / sizeof *title); c++)
        hd_text_table_column(t, title[c], c >= 2);
    for (int n = 0; n < report->question->models; n++) {
        struct hd_model_figures m;
        hd_model_figures(report->question, r, target, n, &m);
        double attained[HD_METRICS] = {m.attain.token, m.attain.ratio,
                                       m.attain.request};
        hd_text_table_cell(t, "%s", m.name);
        hd_text_table_cell(t, "%s", m.model);
        hd_text_table_cell(t, "%d", (int)m.tp);
        hd_text_table_cell(t, "%s", hd_say_count(m.requests).text);
        hd_text_table_cell(t, "%s", m.judged ? "alone" : "rare");
        hd_text_table_cell(t, "%s",
                           hd_say_percent(attained[report->question->metric]).text);
        hd_text_table_cell(t, "%s", hd_say_seconds(m.ttft.p50_s).text);
        hd_text_table_cell(t, "%s", hd_say_seconds(m.ttft.p99_s).text);
        hd_text_table_cell(t, "%s", hd_say_seconds(m.e2e.p50_s).text);
    }
    hd_text_table_print(t, report->width, out);
    hd_text_table_free(t);
}

void hd_report_run(const struct hd_report *report, const struct hd_run_record *r,
                   FILE *out) {
    const struct hd_question *q = report->question;
    struct hd_criterion c = hd_report_criterion(q);
    struct hd_run_figures f;
    char when[HD_SPAN_TEXT_BYTES];
    hd_run_figures(q, r, &c, &f);
    fprintf(out, "replay    %s on %s, seed %llu\n", q->policy[r->policy].label,
            hd_say_things(r->gpus, "GPU").text, (unsigned long long)q->seed);
    if (!hd_run_is_whole(r)) {
        fprintf(out, "%-9s %s\n",
                r->end == HD_RUN_CANNOT   ? "cannot"
                : r->end == HD_RUN_FAILED ? "failed"
                                          : "stopped",
                *r->err.text ? r->err.text : "before its end; there are no figures");
    } else {
        count_line(&f, out);
        prefix_line(&f, out);
        verdict_lines(q, &f, out);
        latency_table(&f, report->width, out);
        use_lines(&f, out);
        if (f.limit.resource && (!f.pass.ok || f.pooled < 1))
            fprintf(out, "late      most in %s: %s; %s\n",
                    hd_report_span_text(q->trace, r->limit.from, r->limit.to, when),
                    f.limit.models, f.limit.resource);
        if (report->verbose) model_table(report, r, c.attain, out);
    }
    if (r->profile.timed) hd_report_profile(r, report->width, out);
    if (*r->note.text) fprintf(out, "warning: %s\n", r->note.text);
    hd_report_closing(report, out);
    hd_run_figures_free(&f);
}
