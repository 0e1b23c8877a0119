/* hotdesk catalog: the GPUs, models and engines that are known, and how well. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/args.h"
#include "command/catalog_engines.h"
#include "command/command.h"
#include "hardware/node.h"
#include "output/csv_writer.h"
#include "output/json.h"
#include "output/quantity.h"
#include "output/text_table.h"
#include "timing/calibration.h"

enum { CATALOG = 1 };

static const struct hd_option options[] = {
    {HD_GROUP_WRITTEN, CATALOG, "json", NULL, NULL, NULL, false,
     "one JSON value, with all sources and the default servers"},
    {HD_GROUP_WRITTEN, CATALOG, "csv", NULL, NULL, NULL, false,
     "the rows as CSV; takes one of the lists"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk catalog [gpus | models | engines] [options]",
    "Lists the GPUs, models and serving engines that can be asked for. `verified` "
    "says\n"
    "whether every figure of a row was found in a public source; `timing` whether\n"
    "iterations were measured on the GPU (fitted), or a relative's efficiencies stand\n"
    "for its own (scaled); `error` how far off that was, median and 90th percentile, "
    "on\n"
    "a model or a GPU that the fit had not seen.",
    {"hotdesk catalog gpus", "hotdesk catalog models --json"},
};

struct lists {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model;
    int gpus, models;               /* 0: not asked */
    struct hd_engines *engines;     /* NULL: not asked */
    struct hd_calibration **timing; /* per GPU */
};

static const char *yes_no(bool yes) {
    return yes ? "yes" : "no";
}

/* ---- GPUs ---------------------------------------------------------------- */

static void timing_text(const struct hd_calibration *c, char *text, size_t bytes) {
    if (c->basis == HD_CALIBRATION_SCALED)
        snprintf(text, bytes, "scaled from %s", c->fitted);
    else
        snprintf(text, bytes, "%s, %d model%s", hd_calibration_basis_name(c->basis),
                 c->models, c->models == 1 ? "" : "s");
}

static void gpus_text(const struct lists *l) {
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "GPU", false);
    hd_text_table_column(t, "also", false);
    hd_text_table_column(t, "memory\nGiB", true);
    hd_text_table_column(t, "usable\nGiB", true);
    hd_text_table_column(t, "HBM\nGB/s", true);
    hd_text_table_column(t, "bf16\nTFLOP/s", true);
    hd_text_table_column(t, "PCIe\nGB/s", true);
    hd_text_table_column(t, "NVLink\nGB/s", true);
    hd_text_table_column(t, "verified", false);
    hd_text_table_column(t, "timing", false);
    hd_text_table_column(t, "error\n%", true);
    for (int n = 0; n < l->gpus; n++) {
        const struct hd_gpu_spec *g = &l->gpu[n];
        const struct hd_calibration *c = l->timing[n];
        char timing[80];
        struct hd_node_spec node;
        hd_node_defaults(g, &node, NULL);
        timing_text(c, timing, sizeof timing);
        hd_text_table_cell(t, "%s", g->name);
        hd_text_table_cell(t, "%.*s", (int)strcspn(g->aliases, " "), g->aliases);
        hd_text_table_cell(t, "%.1f", (double)g->vram_bytes / (1 << 30));
        hd_text_table_cell(t, "%.1f", (double)hd_gpu_usable_bytes(g) / (1 << 30));
        hd_text_table_cell(t, "%.0f", g->hbm_bytes_per_s / 1e9);
        hd_text_table_cell(t, "%.0f", g->bf16_flops / 1e12);
        hd_text_table_cell(t, "%.1f", node.pcie_bytes_per_s / 1e9);
        hd_text_table_cell(t, "%.0f", g->nvlink_bytes_per_s / 1e9);
        hd_text_table_cell(t, "%s", yes_no(g->verified));
        hd_text_table_cell(t, "%s", timing);
        hd_text_table_cell(t, "%.1f / %.1f", 100 * c->held_out.p50,
                           100 * c->held_out.p90);
    }
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    printf(
        "\nusable: for weights and KV. PCIe: achievable, one direction, of one "
        "link.\nNVLink: one direction. error: median / 90th percentile, held out.\n");
}

static void put_node(struct hd_json *j, const struct hd_gpu_spec *g) {
    struct hd_node_spec node;
    const char *basis[HD_NODE_FIGURES];
    hd_node_defaults(g, &node, basis);
    const struct {
        const char *name;
        double value;
    } figure[HD_NODE_FIGURES] = {
        [HD_NODE_GPUS] = {"gpus", node.gpus},
        [HD_NODE_SHARED] = {"pcie_shared_by", node.pcie_shared_by},
        [HD_NODE_DRAM] = {"dram_bytes", node.dram_bytes},
        [HD_NODE_DISK] = {"disk_bytes_per_s", node.disk_bytes_per_s},
        [HD_NODE_PCIE] = {"pcie_bytes_per_s", node.pcie_bytes_per_s},
        [HD_NODE_BOTH] = {"pcie_both", node.pcie_both},
        [HD_NODE_NVLINK] = {"nvlink_bytes_per_s", node.nvlink_bytes_per_s},
        [HD_NODE_NIC] = {"nic_bytes_per_s", node.nic_bytes_per_s},
    };
    hd_json_object(j, "node");
    for (int n = 0; n < HD_NODE_FIGURES; n++) {
        hd_json_inline_object(j, figure[n].name);
        hd_json_real(j, "value", figure[n].value);
        hd_json_text(j, "basis", basis[n]);
        hd_json_close(j);
    }
    hd_json_close(j);
}

static void put_timing(struct hd_json *j, const struct hd_calibration *c) {
    hd_json_object(j, "timing");
    hd_json_text(j, "basis", hd_calibration_basis_name(c->basis));
    hd_json_text(j, "fitted_on", c->fitted);
    hd_json_text(j, "all_reduce_of", c->linked);
    hd_json_text(j, "revision", c->revision);
    hd_json_text(j, "source", c->source);
    hd_json_real(j, "held_out_error_p50", c->held_out.p50);
    hd_json_real(j, "held_out_error_p90", c->held_out.p90);
    hd_json_close(j);
}

static void gpus_json(const struct lists *l, struct hd_json *j) {
    hd_json_array(j, "gpus");
    for (int n = 0; n < l->gpus; n++) {
        const struct hd_gpu_spec *g = &l->gpu[n];
        hd_json_object(j, NULL);
        hd_json_text(j, "name", g->name);
        hd_json_text(j, "aliases", g->aliases);
        hd_json_int(j, "memory_bytes", g->vram_bytes);
        hd_json_int(j, "usable_bytes", hd_gpu_usable_bytes(g));
        hd_json_real(j, "hbm_bytes_per_s", g->hbm_bytes_per_s);
        hd_json_real(j, "bf16_flops_per_s", g->bf16_flops);
        hd_json_real(j, "fp8_flops_per_s", g->fp8_flops);
        hd_json_real(j, "pcie_peak_bytes_per_s", g->pcie_bytes_per_s);
        hd_json_real(j, "nvlink_bytes_per_s", g->nvlink_bytes_per_s);
        hd_json_int(j, "sms", g->sms);
        hd_json_bool(j, "verified", g->verified);
        hd_json_text(j, "source", g->source);
        put_timing(j, l->timing[n]);
        put_node(j, g);
        hd_json_close(j);
    }
    hd_json_close(j);
}

static void gpus_csv(const struct lists *l, struct hd_csv_writer *w) {
    static const char *const header[] = {
        "gpu",          "memory_bytes", "usable_bytes",     "hbm_bytes_per_s",
        "bf16_flops",   "fp8_flops",    "pcie_bytes_per_s", "nvlink_bytes_per_s",
        "sms",          "verified",     "timing",           "fitted_on",
        "held_out_p50", "held_out_p90", "revision",         "source"};
    for (size_t n = 0; n < sizeof header / sizeof *header; n++)
        hd_csv_text(w, header[n]);
    hd_csv_end_row(w);
    for (int n = 0; n < l->gpus; n++) {
        const struct hd_gpu_spec *g = &l->gpu[n];
        const struct hd_calibration *c = l->timing[n];
        hd_csv_text(w, g->name);
        hd_csv_int(w, g->vram_bytes);
        hd_csv_int(w, hd_gpu_usable_bytes(g));
        hd_csv_real(w, g->hbm_bytes_per_s);
        hd_csv_real(w, g->bf16_flops);
        hd_csv_real(w, g->fp8_flops);
        hd_csv_real(w, g->pcie_bytes_per_s);
        hd_csv_real(w, g->nvlink_bytes_per_s);
        hd_csv_int(w, g->sms);
        hd_csv_text(w, yes_no(g->verified));
        hd_csv_text(w, hd_calibration_basis_name(c->basis));
        hd_csv_text(w, c->fitted);
        hd_csv_real(w, c->held_out.p50);
        hd_csv_real(w, c->held_out.p90);
        hd_csv_text(w, c->revision);
        hd_csv_text(w, g->source);
        hd_csv_end_row(w);
    }
}

/* ---- models -------------------------------------------------------------- */

static void models_text(const struct lists *l) {
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "model", false);
    hd_text_table_column(t, "in full", false);
    hd_text_table_column(t, "parameters\n10^9", true);
    hd_text_table_column(t, "active\n10^9", true);
    hd_text_table_column(t, "weights\nGB", true);
    hd_text_table_column(t, "KV\nkB/token", true);
    hd_text_table_column(t, "context\ntokens", true);
    hd_text_table_column(t, "layers", true);
    hd_text_table_column(t, "verified", false);
    for (int n = 0; n < l->models; n++) {
        const struct hd_model_spec *m = &l->model[n];
        const char *shortest = *m->aliases ? m->aliases : m->name;
        hd_text_table_cell(t, "%.*s", (int)strcspn(shortest, " "), shortest);
        hd_text_table_cell(t, "%s", m->name);
        hd_text_table_cell(t, "%.2f", (double)m->params / 1e9);
        hd_text_table_cell(t, "%.2f", (double)m->active_params / 1e9);
        hd_text_table_cell(t, "%.1f", (double)m->weights_bytes / 1e9);
        hd_text_table_cell(t, "%.1f", (double)m->kv_token_bytes / 1e3);
        hd_text_table_cell(t, "%s", hd_say_count(m->max_context_tokens).text);
        hd_text_table_cell(t, "%d", m->layers);
        hd_text_table_cell(t, "%s", yes_no(m->verified));
    }
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    printf("\nWeights and KV in 16 bits. active: parameters that one token passes.\n");
}

static void models_json(const struct lists *l, struct hd_json *j) {
    hd_json_array(j, "models");
    for (int n = 0; n < l->models; n++) {
        const struct hd_model_spec *m = &l->model[n];
        hd_json_object(j, NULL);
        hd_json_text(j, "name", m->name);
        hd_json_text(j, "aliases", m->aliases);
        hd_json_int(j, "parameters", m->params);
        hd_json_int(j, "active_parameters", m->active_params);
        hd_json_int(j, "weights_bytes", m->weights_bytes);
        hd_json_int(j, "kv_token_bytes", m->kv_token_bytes);
        hd_json_int(j, "max_context_tokens", m->max_context_tokens);
        hd_json_int(j, "layers", m->layers);
        hd_json_int(j, "hidden", m->hidden);
        hd_json_int(j, "heads", m->heads);
        hd_json_int(j, "kv_heads", m->kv_heads);
        hd_json_int(j, "experts", m->experts);
        hd_json_bool(j, "verified", m->verified);
        hd_json_text(j, "source", m->source);
        hd_json_close(j);
    }
    hd_json_close(j);
}

static void models_csv(const struct lists *l, struct hd_csv_writer *w) {
    static const char *const header[] = {
        "model",         "parameters",     "active_parameters",
        "weights_bytes", "kv_token_bytes", "max_context_tokens",
        "layers",        "verified",       "source"};
    for (size_t n = 0; n < sizeof header / sizeof *header; n++)
        hd_csv_text(w, header[n]);
    hd_csv_end_row(w);
    for (int n = 0; n < l->models; n++) {
        const struct hd_model_spec *m = &l->model[n];
        hd_csv_text(w, m->name);
        hd_csv_int(w, m->params);
        hd_csv_int(w, m->active_params);
        hd_csv_int(w, m->weights_bytes);
        hd_csv_int(w, m->kv_token_bytes);
        hd_csv_int(w, m->max_context_tokens);
        hd_csv_int(w, m->layers);
        hd_csv_text(w, yes_no(m->verified));
        hd_csv_text(w, m->source);
        hd_csv_end_row(w);
    }
}

/* ---- the command --------------------------------------------------------- */

static void print_lists(const struct lists *l, const struct hd_args *args) {
    if (hd_args_get(args, "json")) {
        struct hd_json j;
        hd_json_start(&j, stdout);
        hd_json_object(&j, NULL);
        if (l->gpus) gpus_json(l, &j);
        if (l->models) models_json(l, &j);
        if (l->engines) hd_engines_json(l->engines, &j);
        hd_json_close(&j);
        hd_json_finish(&j);
    } else if (hd_args_get(args, "csv")) {
        struct hd_csv_writer w;
        hd_csv_start(&w, stdout);
        if (l->gpus) gpus_csv(l, &w);
        if (l->models) models_csv(l, &w);
        if (l->engines) hd_engines_csv(l->engines, &w);
        hd_csv_finish(&w);
    } else {
        if (l->gpus) gpus_text(l);
        if (l->gpus && l->models) putchar('\n');
        if (l->models) models_text(l);
        if (l->models && l->engines) putchar('\n');
        if (l->engines) hd_engines_text(l->engines);
    }
}

enum { GPUS, MODELS, ENGINES, LISTS };
static const char *const list_names[LISTS] = {"gpus", "models", "engines"};

static bool list(const struct hd_args *args, const bool asked[LISTS],
                 struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_catalog *catalog = hd_catalog_load(&why);
    if (!catalog) return hd_bad_input(problem, "%s", why.text);
    struct lists l = {0};
    if (asked[GPUS]) l.gpu = hd_catalog_gpus(catalog, &l.gpus);
    if (asked[MODELS]) l.model = hd_catalog_models(catalog, &l.models);
    l.timing = hd_alloc((size_t)l.gpus * sizeof *l.timing);
    bool fine = true;
    if (asked[ENGINES]) {
        l.engines = hd_engines_load(&why);
        fine = l.engines || hd_bad_input(problem, "%s", why.text);
    }
    for (int n = 0; fine && n < l.gpus; n++) {
        l.timing[n] = hd_calibration_load(&l.gpu[n], NULL, &why);
        fine = l.timing[n] || hd_bad_input(problem, "%s", why.text);
    }
    if (fine) print_lists(&l, args);
    for (int n = 0; n < l.gpus; n++) hd_calibration_free(l.timing[n]);
    free(l.timing);
    hd_engines_free(l.engines);
    hd_catalog_free(catalog);
    return fine;
}

static bool ask(const struct hd_args *args, struct hd_problem *problem) {
    bool asked[LISTS] = {false};
    if (args->words > 1)
        return hd_usage(problem,
                        "catalog: '%s' too many; expected gpus, models or engines",
                        args->word[1]);
    for (int n = 0; n < LISTS; n++)
        asked[n] = args->words == 0 || strcmp(args->word[0], list_names[n]) == 0;
    if (!asked[GPUS] && !asked[MODELS] && !asked[ENGINES]) {
        const char *near = hd_nearest(args->word[0], list_names, LISTS);
        return hd_usage(problem, "catalog: '%s' is no list; %s%s", args->word[0],
                        near ? "the nearest is " : "expected gpus, models or engines",
                        near ? near : "");
    }
    if (hd_args_get(args, "csv") && hd_args_get(args, "json"))
        return hd_usage(problem, "--csv: and --json; expected one of them");
    if (hd_args_get(args, "csv") && args->words == 0)
        return hd_usage(problem,
                        "--csv: of three lists; expected gpus, models or engines");
    return list(args, asked, problem);
}

int hd_command_catalog(int argc, char **argv) {
    struct hd_args args;
    struct hd_problem problem = {0};
    if (hd_args_parse(options, OPTIONS, CATALOG, argc, argv, &args, &problem)) {
        if (args.help)
            hd_args_help(stdout, &help, options, OPTIONS, CATALOG);
        else
            ask(&args, &problem);
    }
    hd_args_free(&args);
    return problem.exit_code ? hd_problem_print(&problem) : HD_EXIT_OK;
}
