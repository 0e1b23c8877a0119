/* Builds the world of report_world.h. */
#include "unit/report_world.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static hd_tick at_s(double seconds) {
    return hd_tick_from_s(seconds);
}

static void finish(struct hd_measure *m, int64_t id, int model, enum hd_status status,
                   int tokens, int on_time, bool ok) {
    hd_tick arrival = at_s(0.3125 * (double)id);
    bool served = status == HD_STATUS_DONE;
    struct hd_finished f = {.id = id,
                            .model = model,
                            .instance = served ? model : -1,
                            .measured = true,
                            .status = status,
                            .input_tokens = 100,
                            .output_tokens = tokens,
                            .emitted_tokens = served ? tokens : 0,
                            .tokens_on_time = on_time,
                            .ratio = (double)on_time / tokens,
                            .request_ok = ok,
                            .arrival = arrival,
                            .first_token = served ? arrival + at_s(0.5) : -1,
                            .last_token = served ? arrival + at_s(2) : -1,
                            .ended = served ? arrival + at_s(2) : arrival,
                            .gap_longest = served ? at_s(0.25) : -1,
                            .cached_tokens = served ? 32 : -1};
    if (served) {
        f.blame[HD_BLAME_QUEUE] = at_s(0.25);
        f.blame[HD_BLAME_PREFILL] = at_s(0.25);
        f.blame[HD_BLAME_DECODE] = at_s(1.5);
        for (int k = 1; k < tokens; k++) hd_hist_add(&m->tbt, at_s(0.125), 1);
        m->tokens_emitted += tokens;
    }
    hd_measure_finish(m, &f);
}

static struct hd_measure *measured(void) {
    int64_t requests[] = {200, 100, 10}, tokens[] = {2000, 400, 20};
    struct hd_measure *m =
        hd_measure_new(&(struct hd_expected){3, requests, tokens}, 0, at_s(100));
    int64_t id = 0;
    for (int n = 0; n < 180; n++) finish(m, id++, 0, HD_STATUS_DONE, 10, 10, true);
    for (int n = 0; n < 20; n++) finish(m, id++, 0, HD_STATUS_DONE, 10, 5, false);
    for (int n = 0; n < 100; n++) finish(m, id++, 1, HD_STATUS_DONE, 4, 4, true);
    for (int n = 0; n < 5; n++) finish(m, id++, 2, HD_STATUS_DONE, 2, 1, false);
    for (int n = 0; n < 5; n++) finish(m, id++, 2, HD_STATUS_REJECTED, 2, 0, false);
    hd_measure_gpu(m, HD_GPU_PREFILL, 1, 0, at_s(50));
    hd_measure_gpu(m, HD_GPU_DECODE, 3, 0, at_s(50));
    hd_measure_gpu(m, (enum hd_gpu_use)(HD_GPU_STAGE + HD_STAGE_LOAD), 1, 0, at_s(100));
    hd_measure_gpu(m, HD_GPU_IDLE_FREE, 5, 0, at_s(100));
    hd_measure_stage(m, HD_STAGE_LOAD, at_s(12.5));
    hd_measure_active(m, 2, 0, at_s(75));
    m->active_models_peak = 3;
    m->switches = 40;
    m->switches_hidden = 10;
    m->peak_vram_bytes = 123456789012;
    m->peak_dram_bytes = 98765432109;
    m->vram.gpu_ticks = 10; /* GB of a card: 0, 1, ... 8 */
    for (int p = 0; p < HD_VRAM_PARTS; p++) {
        m->vram.peak[p] = (p + 1) * INT64_C(1000000000);
        m->vram.sum[p] = (hd_wide)p * 1000000000 * 10;
        m->vram.card += m->vram.sum[p];
    }
    m->vram.fragments_peak = 0.75;
    hd_measure_close(m, at_s(110));
    return m;
}

static void make_trace(struct report_world *w) {
    static const char *const name[] = {"hot", "warm", "cold"};
    for (int i = 0; i < 310; i++)
        w->row[i] = (struct hd_trace_row){.at = at_s(0.3125 * i),
                                          .model = i < 200   ? 0
                                                   : i < 300 ? 1
                                                             : 2,
                                          .input_tokens = 100,
                                          .output_tokens = i < 200   ? 10
                                                           : i < 300 ? 4
                                                                     : 2,
                                          .line = i + 2};
    static int64_t rows[] = {200, 100, 10};
    for (int i = 0; i < 3; i++) w->trace_model[i] = (char *)name[i];
    w->trace = (struct hd_trace){.path = "market.csv",
                                 .name = "market.csv",
                                 .format = "native",
                                 .row = w->row,
                                 .rows = 310,
                                 .models = 3,
                                 .model = w->trace_model,
                                 .model_rows = rows,
                                 .from = -1,
                                 .to = -1,
                                 .rows_read = 310};
    memset(w->trace.sha256, 'a', 64);
}

static void make_policies(struct report_world *w) {
    static const char *const name[] = {"dedicated", "serverless", "aegaeon", "oracle"};
    static const char *const source = "return {}\n";
    for (int i = 0; i < 4; i++) {
        w->script[i] = (struct hd_script){.name = (char *)name[i],
                                          .path = "policies/x.lua",
                                          .about = "made up",
                                          .source = (char *)source,
                                          .length = strlen(source)};
        memset(w->script[i].sha256, 'b' + i, 64);
        w->policy[i] = (struct hd_policy_choice){(char *)name[i], &w->script[i], NULL};
    }
    w->script[3].sees_output = w->script[3].sees_rates = w->script[3].clairvoyant =
        true;
}

void report_world_make(struct report_world *w) {
    memset(w, 0, sizeof *w);
    make_trace(w);
    make_policies(w);
    w->spec = (struct hd_model_spec){.name = "llama-2-13b"};
    w->gpu = (struct hd_gpu_spec){.name = "Made-up",
                                  .fitted = &w->gpu,
                                  .linked = &w->gpu,
                                  .tabled = &w->gpu,
                                  .small = &w->gpu};
    w->engine = (struct hd_engine_profile){.name = "made-up-sync",
                                           .max_batch = 256,
                                           .step_tokens = 8192,
                                           .watermark = 0.01,
                                           .gpu_memory = 0.9,
                                           .measured = "",
                                           .published = "",
                                           .assumed = "",
                                           .source = "made up",
                                           .revision = "0123456789ab"};
    for (int i = 0; i < 3; i++)
        w->model[i] = (struct hd_market_model){
            .name = w->trace_model[i], .spec = &w->spec, .tp = 1};
    w->slo[0] = (struct hd_slo_class){"default", 10, 0.1, 0};
    w->question = (struct hd_question){
        .trace = &w->trace,
        .models = 3,
        .model = w->model,
        .classes = 1,
        .slo = w->slo,
        .parts = 1,
        .part = {{.gpu = &w->gpu,
                  .gpus = 8,
                  .node = {.gpus = 8, .dram_bytes = 2e12, .pcie_bytes_per_s = 32e9}}},
        .policies = 4,
        .policy = w->policy,
        .attains = 1,
        .scales = 1,
        .attain = {0.9},
        .scale = {1},
        .pass = {[HD_PASS_MODEL] = true},
        .from = 0,
        .to = at_s(100),
        .warm_up = at_s(5),
        .switching = hd_switching_default(),
        .engine = &w->engine,
        .serving = hd_serving_default(),
        .sharing = hd_sharing_default(),
        .seed = 1,
        .jobs = 1,
        .command = "hotdesk replay --trace market.csv",
        .fleet_text = "Made-up:8",
        .models_text = "*=llama-2-13b",
    };
    w->timing[0] = (struct hd_timing_source){.gpu = "Made-up",
                                             .model = "llama-2-13b",
                                             .tp = 1,
                                             .revision = "0123456789ab",
                                             .source = "made up",
                                             .error_p50 = 0.05,
                                             .error_p90 = 0.14};
    w->record = (struct hd_run_record){
        .policy = 2,
        .scale = 1,
        .gpus = 8,
        .end = HD_RUN_WHOLE,
        .measure = measured(),
        .timings = 1,
        .timing = w->timing,
        .limit = {true, at_s(90), at_s(100), "cold hot", "prefill queue"},
        .load = {310, 310, 310, 0, 0, 0, 0, 0},
    };
    w->warning[0] = (struct hd_warning){"made_up", "3 rows are \"odd\"", 3};
    w->report = (struct hd_report){.question = &w->question,
                                   .scenario = "return {}\n",
                                   .warnings = 1,
                                   .warning = w->warning};
}

void report_world_compare(struct report_world *w, int scales) {
    static const double scale[] = {1, 0.8, 0.6, 0.4, 0.2};
    static const double attain[] = {0.9, 0.99};
    struct hd_question *q = &w->question;
    struct hd_comparison *c = &w->comparison;
    q->command = "hotdesk compare --trace market.csv";
    q->fleet_text = "Made-up";
    q->part[0].gpus = 0;
    q->gpus_max = 1024;
    q->attains = 2;
    q->scales = scales;
    for (int i = 0; i < 2; i++) q->attain[i] = attain[i];
    for (int i = 0; i < scales; i++) q->scale[i] = scale[i];
    q->pass[HD_PASS_MODEL] = q->pass[HD_PASS_POOLED] = true;
    *c = (struct hd_comparison){.complete = true,
                                .answers = scales * 2 * 2 * 4,
                                .one_each_gpus = 40,
                                .load = w->record.load};
    c->answer = hd_alloc((size_t)c->answers * sizeof *c->answer);
    int n = 0;
    for (int s = 0; s < scales; s++)
        for (int t = 0; t < 2; t++)
            for (int rule = 0; rule < HD_PASS_RULES; rule++)
                for (int p = 0; p < 4; p++) {
                    static const int base[] = {52, 31, 18, 14};
                    bool reached = !(p == 3 && s > 0 && s == scales - 1);
                    double harder = (1 + 0.8 * (1 / scale[s] - 1) * (p ? 0.5 : 0.1)) *
                                    (t ? 1.15 : 1) * (rule ? 0.85 : 1);
                    struct hd_answer *a = &c->answer[n++];
                    *a = (struct hd_answer){
                        .policy = p,
                        .scale = scale[s],
                        .attain = attain[t],
                        .rule = rule,
                        .whole = true,
                        .reached = reached,
                        .gpus = reached ? (int)(base[p] * harder) : 0,
                        .best = 0.8125,
                        .why_not = reached ? NULL : "0.4 % of requests are too long",
                        .record = reached ? &w->record : NULL,
                        .limit = {reached, at_s(90), at_s(100), "cold hot",
                                  "KV memory"},
                        .bound_gpus = (int)(9 * harder),
                        .one_each_attained = 0.41,
                        .probes = 9,
                        .probes_cut = 4,
                        .saved = NAN,
                    };
                    a->baseline_gpus = a[-p].gpus;
                    if (reached) a->saved = 1 - (double)a->gpus / a->baseline_gpus;
                }
    c->answer[2].above = 2;
    c->answer[2].fails_above[0] = 23;
    c->answer[2].fails_above[1] = 25;
}

void report_world_free(struct report_world *w) {
    hd_measure_free(w->record.measure);
    free(w->comparison.answer);
}

char *report_world_print(void (*write)(void *context, FILE *), void *context) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    write(context, memory);
    fclose(memory);
    return text;
}
