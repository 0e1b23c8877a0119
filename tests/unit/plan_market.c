/* Makes small markets, and prints comparisons of them in full. */
#include "plan_market.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "hardware/node.h"

static double uniform(uint64_t *seed) { /* splitmix64 */
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static int by_time(const void *a, const void *b) {
    const struct hd_trace_row *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return x->model - y->model;
}

static void make_trace(struct market *m, int models, double rate, double skew,
                       double span_s, uint64_t seed) {
    struct hd_trace *t = &m->trace;
    int rows = 0, capacity = 0;
    for (int n = 0; n < models; n++) {
        double per_s = rate * pow(skew, n), at = 0;
        while ((at -= log(1 - uniform(&seed)) / per_s) < span_s) {
            t->row = hd_grow(t->row, &capacity, rows + 1, sizeof *t->row);
            t->row[rows++] = (struct hd_trace_row){
                .at = hd_tick_from_s(at),
                .model = n,
                .input_tokens = 50 + (int)(uniform(&seed) * 1500),
                .output_tokens = 1 + (int)(-150 * log(1 - uniform(&seed)))};
        }
    }
    if (rows) qsort(t->row, (size_t)rows, sizeof *t->row, by_time);
    t->rows = rows;
    t->path = "made here";
    t->name = "made";
    t->models = models;
    t->from = t->to = -1;
}

struct market *market_new(int models, double rate, double skew, double span_s,
                          uint64_t seed) {
    static const char *const sizes[] = {"qwen2.5-7b", "yi-1.5-9b", "llama-2-13b"};
    struct hd_err err = {0};
    struct market *m = hd_alloc(sizeof *m);
    m->catalog = hd_catalog_load(&err);
    m->engines = hd_engines_load(&err);
    if (!m->catalog || !m->engines) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    make_trace(m, models, rate, skew, span_s, seed);
    m->model = hd_alloc(sizeof *m->model * (size_t)models);
    m->name = hd_alloc(sizeof *m->name * (size_t)models);
    for (int n = 0; n < models; n++) {
        m->name[n] = hd_format("m%02d", n);
        m->model[n] = (struct hd_market_model){
            .name = m->name[n],
            .spec = hd_catalog_model(m->catalog, sizes[n % 3], &err),
            .tp = 1};
    }
    m->trace.model = m->name;
    m->slo = (struct hd_slo_class){.name = "default", .ttft_s = 10, .tbt_s = 0.1};
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(m->catalog, "H100", &err);
    struct hd_node_spec node;
    hd_node_defaults(gpu, &node, NULL);
    m->question = (struct hd_question){
        .catalog = m->catalog,
        .trace = &m->trace,
        .models = models,
        .model = m->model,
        .classes = 1,
        .slo = &m->slo,
        .parts = 1,
        .part = {{.gpu = gpu,
                  .gpus = 8,
                  .node = {.gpus = node.gpus,
                           .dram_bytes = node.dram_bytes,
                           .disk_bytes_per_s = node.disk_bytes_per_s,
                           .pcie_bytes_per_s = node.pcie_bytes_per_s,
                           .pcie_shared_by = node.pcie_shared_by,
                           .nvlink_bytes_per_s = node.nvlink_bytes_per_s,
                           .nic_bytes_per_s = node.nic_bytes_per_s},
                  .usable_bytes = (double)hd_gpu_usable_bytes(gpu)}},
        .gpus_max = 64,
        .attains = 1,
        .attain = {0.9},
        .scales = 1,
        .scale = {1},
        .metric = HD_METRIC_TOKEN,
        .pass = {true, true},
        .from = 0,
        .to = hd_tick_from_s(span_s) + 1,
        .switching = hd_switching_default(),
        .engine = hd_engines_find(m->engines, HD_ENGINE_DEFAULT, &err),
        .serving = hd_serving_default(),
        .sharing = hd_sharing_default(),
        .seed = 1,
        .jobs = 1};
    return m;
}

void market_policy(struct market *m, const char *name, const char *lua) {
    struct hd_err err = {0};
    struct hd_question *q = &m->question;
    char folder[] = P_tmpdir "/hd_plan_XXXXXX";
    if (!mkdtemp(folder)) exit(1);
    char *path = hd_format("%s/%s.lua", folder, name);
    FILE *f = fopen(path, "w");
    fputs(lua, f);
    fclose(f);
    q->policy = hd_realloc(q->policy, sizeof *q->policy * (size_t)(q->policies + 1));
    struct hd_policy_choice *p = &q->policy[q->policies++];
    p->label = hd_strdup(name);
    p->script = hd_script_load(path, &err);
    if (!p->script) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    p->values = hd_values_new(p->script);
    remove(path);
    rmdir(folder);
    free(path);
}

void market_free(struct market *m) {
    for (int p = 0; p < m->question.policies; p++) {
        struct hd_policy_choice *choice = &m->question.policy[p];
        hd_values_free(choice->script, choice->values);
        hd_script_free(choice->script);
        free(choice->label);
    }
    free(m->question.policy);
    for (int n = 0; n < m->question.models; n++) free(m->name[n]);
    free(m->name);
    free(m->model);
    free(m->trace.row);
    hd_catalog_free(m->catalog);
    hd_engines_free(m->engines);
    free(m);
}

static void print_limit(FILE *f, const struct hd_limit *l) {
    if (!l->known)
        fprintf(f, " limit -");
    else
        fprintf(f, " limit %lld-%lld %s %s", (long long)l->from, (long long)l->to,
                l->models, l->resource);
}

char *market_text(const struct hd_question *q, const struct hd_comparison *c) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);
    fprintf(f, "complete %d one each %d simulated %lld saved %lld\n", c->complete,
            c->one_each_gpus, (long long)c->requests_simulated,
            (long long)c->requests_saved);
    for (int n = 0; n < c->answers; n++) {
        const struct hd_answer *a = &c->answer[n];
        fprintf(f, "%s %g %g %s: whole %d reached %d gpus %d",
                q->policy[a->policy].label, a->scale, a->attain,
                hd_pass_rule_name(a->rule), a->whole, a->reached, a->gpus);
        fprintf(f, " baseline %d saved %a one each %a probes %d cut %d best %a",
                a->baseline_gpus, a->saved, a->one_each_attained, a->probes,
                a->probes_cut, a->best);
        for (int i = 0; i < a->above && i < HD_FAILS_ABOVE_MAX; i++)
            fprintf(f, " dip %d", a->fails_above[i]);
        if (a->why_not) fprintf(f, " why not: %s", a->why_not);
        if (a->note) fprintf(f, " note: %s", a->note);
        print_limit(f, &a->limit);
        const struct hd_run_record *r = a->record;
        if (r) {
            fprintf(f, " record %d end %d on time %lld of %lld switches %lld", r->gpus,
                    r->end, (long long)r->measure->tokens_on_time,
                    (long long)r->measure->tokens, (long long)r->measure->switches);
            fprintf(f, " ttft %lld tbt %lld",
                    (long long)hd_hist_quantile(&r->measure->ttft, 0.99),
                    (long long)hd_hist_quantile(&r->measure->tbt, 0.99));
            for (int t = 0; t < r->timings; t++)
                fprintf(f, " %s/%s/%d", r->timing[t].gpu, r->timing[t].model,
                        r->timing[t].tp);
            print_limit(f, &r->limit);
        }
        fputc('\n', f);
    }
    fclose(f);
    return text;
}
