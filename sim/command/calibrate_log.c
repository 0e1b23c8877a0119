/* hotdesk calibrate log: a measured run of an engine, replayed and compared. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "calibrate/log_replay.h"
#include "command/calibrate.h"
#include "output/json.h"
#include "output/quantity.h"
#include "output/text_table.h"
#include "timing/calibration.h"

#define LOG_ENGINE "vllm-0.14-async"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "gpu", "KIND", NULL, NULL, false, "the GPUs that it ran on"},
    {HD_GROUP_WHAT, 1, "model", "NAME", NULL, "the log's", false,
     "of the catalogue, if the log calls it otherwise; /fp8 behind it, /kv-fp8: as it "
     "was kept, if meta.json does not say so"},
    {HD_GROUP_SERVED, 1, "engine", "NAME", NULL, LOG_ENGINE, false,
     "the engine profile; sequences, tokens of a step and KV blocks are the log's "
     "where "
     "it has them"},
    {HD_GROUP_RUN, 1, "step", NULL, NULL, NULL, false,
     "simulate one iteration at a time: the same result, slowly"},
    {HD_GROUP_WRITTEN, 1, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate log FOLDER --gpu KIND [options]",
    "Replays a measured run of a serving engine (requests.jsonl and meta.json, as\n"
    "LLMServingSim records vLLM) with the engine's own settings, and prints how far "
    "off\n"
    "the simulation is: means, and how the errors of single requests are spread.\n"
    "Requests with the same \"prompt_id\" have the same prompt, for the prefix cache.",
    {"hotdesk calibrate log RUN --gpu RTX-PRO-6000",
     "hotdesk calibrate log RUN --gpu H100 --engine vllm-0.10-sync --json"},
};

static void figure_row(struct hd_text_table *t, const char *name,
                       const struct hd_log_figure *f) {
    hd_text_table_cell(t, "%s", name);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->measured_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(f->simulated_s).text);
    hd_text_table_cell(t, "%+.1f", 100 * hd_log_bias(f->simulated_s, f->measured_s));
    for (int q = 0; q < HD_LOG_QUANTILES; q++)
        hd_text_table_cell(t, "%+.1f", 100 * f->quantile[q]);
    hd_text_table_cell(t, "%.1f / %.1f", 100 * f->p50, 100 * f->p90);
}

static void print_text(const struct hd_log *log, const struct hd_log_world *w,
                       const struct hd_timing_source *source,
                       const struct hd_log_errors *e) {
    printf("log       requests %d, %s %s, TP %d, sequences %d, tokens a step %d, KV "
           "blocks "
           "%d\n",
           log->requests, log->model, log->version, log->tp, e->max_batch,
           e->step_tokens, e->kv_blocks);
    printf("engine    %s (revision %.6s)\ntiming    %s\n\n", w->engine->name,
           w->engine->revision, source->source);
    struct hd_text_table *t = hd_text_table_new();
    static const char *const right[] = {
        "measured\nmean", "simulated\nmean", "off\n%",
        "5 %\nof",        "25 %\nrequests",  "50 %\noff",
        "75 %\nby",       "95 %\n%",         "absolute\np50 / p90"};
    hd_text_table_column(t, "", false);
    for (size_t n = 0; n < sizeof right / sizeof *right; n++)
        hd_text_table_column(t, right[n], true);
    figure_row(t, "TTFT", &e->ttft);
    figure_row(t, "TPOT", &e->tpot);
    figure_row(t, "E2E", &e->latency);
    hd_text_table_cell(t, "makespan");
    hd_text_table_cell(t, "%s", hd_say_seconds(e->makespan_measured_s).text);
    hd_text_table_cell(t, "%s", hd_say_seconds(e->makespan_simulated_s).text);
    hd_text_table_cell(
        t, "%+.1f", 100 * hd_log_bias(e->makespan_simulated_s, e->makespan_measured_s));
    for (int n = 0; n < HD_LOG_QUANTILES + 1; n++) hd_text_table_cell(t, "%s", "");
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    if (!isnan(e->hit_rate))
        printf("\nprompts: %d different ones; %s of their tokens were in the cache\n",
               log->prompts, hd_say_percent(e->hit_rate).text);
    if (log->unfinished)
        printf("\nleft out, without stamps of their tokens: %d\n", log->unfinished);
    if (e->not_served)
        printf("\nnot compared, too long for the KV memory: %d\n", e->not_served);
    if (e->peak_batch < 0.85 * e->max_batch) return;
    printf("\nplaces taken at once: %d of %d. If steps took 4 %% less or more, the "
           "mean TTFT\nwould be %s or ",
           e->peak_batch, e->max_batch, hd_say_seconds(e->ttft_low_s).text);
    printf("%s\n", hd_say_seconds(e->ttft_high_s).text);
}

static void put_figure(struct hd_json *j, const char *name,
                       const struct hd_log_figure *f) {
    hd_json_object(j, name);
    hd_json_real(j, "measured_mean_s", f->measured_s);
    hd_json_real(j, "simulated_mean_s", f->simulated_s);
    hd_json_real(j, "bias", hd_log_bias(f->simulated_s, f->measured_s));
    hd_json_inline_object(j, "error_quantiles");
    static const char *const names[HD_LOG_QUANTILES] = {"p05", "p25", "p50", "p75",
                                                        "p95"};
    for (int q = 0; q < HD_LOG_QUANTILES; q++)
        hd_json_real(j, names[q], f->quantile[q]);
    hd_json_close(j);
    hd_json_real(j, "absolute_error_p50", f->p50);
    hd_json_real(j, "absolute_error_p90", f->p90);
    hd_json_close(j);
}

static void print_json(const struct hd_log *log, const struct hd_log_world *w,
                       const struct hd_timing_source *source,
                       const struct hd_log_errors *e) {
    struct hd_json j;
    hd_json_start(&j, stdout);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "schema", "hotdesk.log/1");
    hd_json_int(&j, "requests", log->requests);
    hd_json_int(&j, "compared", e->requests);
    hd_json_int(&j, "not_served", e->not_served);
    hd_json_int(&j, "unfinished", log->unfinished);
    hd_json_text(&j, "gpu", w->gpu->name);
    hd_json_text(&j, "model", w->model->name);
    hd_json_int(&j, "tp", log->tp);
    hd_json_int(&j, "max_batch", e->max_batch);
    hd_json_int(&j, "step_tokens", e->step_tokens);
    hd_json_int(&j, "kv_blocks", e->kv_blocks);
    hd_json_text(&j, "engine", w->engine->name);
    hd_json_text(&j, "engine_revision", w->engine->revision);
    hd_json_text(&j, "timing_source", source->source);
    hd_json_text(&j, "timing_revision", source->revision);
    put_figure(&j, "ttft", &e->ttft);
    put_figure(&j, "tpot", &e->tpot);
    put_figure(&j, "e2e", &e->latency);
    hd_json_object(&j, "makespan");
    hd_json_real(&j, "measured_s", e->makespan_measured_s);
    hd_json_real(&j, "simulated_s", e->makespan_simulated_s);
    hd_json_real(&j, "bias",
                 hd_log_bias(e->makespan_simulated_s, e->makespan_measured_s));
    hd_json_close(&j);
    hd_json_int(&j, "peak_batch", e->peak_batch);
    hd_json_int(&j, "prompts", log->prompts);
    hd_json_real(&j, "hit_rate", e->hit_rate);
    hd_json_real(&j, "ttft_mean_if_steps_4_percent_less_s", e->ttft_low_s);
    hd_json_real(&j, "ttft_mean_if_steps_4_percent_more_s", e->ttft_high_s);
    hd_json_close(&j);
    hd_json_finish(&j);
}

static bool replay(const struct hd_args *args, const struct hd_catalog *catalog,
                   const struct hd_engines *engines, const struct hd_log *log,
                   struct hd_problem *problem) {
    const char *gpu = hd_args_get(args, "gpu"), *model = hd_args_get(args, "model");
    const char *engine = hd_args_get(args, "engine");
    struct hd_err why = {0};
    struct hd_log_world w = {.step = hd_args_get(args, "step") != NULL};
    w.gpu = hd_catalog_gpu(catalog, gpu, &why);
    if (!w.gpu) return hd_usage(problem, "--gpu: %s", why.text);
    w.engine = hd_engines_find(engines, engine ? engine : LOG_ENGINE, &why);
    if (!w.engine) return hd_usage(problem, "--engine: %s", why.text);
    w.model = hd_log_model(log, catalog, model, &why);
    if (!w.model)
        return model ? hd_usage(problem, "--model: %s", why.text)
                     : hd_bad_input(problem, "%s; --model says which one it is",
                                    why.text);
    struct hd_calibration *c = hd_calibration_load(w.gpu, w.engine, &why);
    if (!c) return hd_bad_input(problem, "%s", why.text);
    if (!hd_calibration_serves(c, w.model, w.engine, &why)) {
        hd_calibration_free(c);
        return hd_bad_input(problem, "%s", why.text);
    }
    struct hd_timing_source source;
    struct hd_timing *timing =
        hd_timing_compile(c, w.gpu, w.model, log->tp, 1, w.engine,
                          log->max_batch ? log->max_batch : w.engine->max_batch);
    hd_timing_source_of(c, w.model, log->tp, &source);
    w.timing = timing;
    struct hd_log_errors errors;
    bool fine =
        hd_log_replay(log, &w, &errors, &why) || hd_bad_input(problem, "%s", why.text);
    if (fine && hd_args_get(args, "json"))
        print_json(log, &w, &source, &errors);
    else if (fine)
        print_text(log, &w, &source, &errors);
    hd_timing_free(timing);
    hd_calibration_free(c);
    return fine;
}

static bool run(const struct hd_args *args, struct hd_problem *problem) {
    struct hd_err why = {0};
    if (!hd_args_get(args, "gpu"))
        return hd_usage(problem, "calibrate log: no GPU; expected --gpu KIND");
    struct hd_catalog *catalog = hd_catalog_load(&why);
    struct hd_engines *engines = catalog ? hd_engines_load(&why) : NULL;
    struct hd_log *log = engines ? hd_log_read(args->word[0], &why) : NULL;
    bool fine = log ? replay(args, catalog, engines, log, problem)
                    : hd_bad_input(problem, "%s", why.text);
    hd_log_free(log);
    hd_engines_free(engines);
    hd_catalog_free(catalog);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_log = {
    "log", "calibrate log", options, OPTIONS, &help, 1, 1, "the folder of a log", run};
