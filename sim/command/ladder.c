/* hotdesk ladder: what a switch of models costs, one mechanism after the other. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "calibrate/shipped.h"
#include "command/args.h"
#include "command/command.h"
#include "hardware/model.h"
#include "hardware/node.h"
#include "output/quantity.h"
#include "plan/ladder_report.h"

enum { LADDER = 1 };

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, LADDER, "model", "NAME", NULL, NULL, false, "of the catalogue"},
    {HD_GROUP_WHAT, LADDER, "gpu", "KIND", NULL, NULL, false, "of the catalogue"},
    {HD_GROUP_WHAT, LADDER, "tp", "N", NULL, "1", false, "GPUs that share the model"},
    {HD_GROUP_WHAT, LADDER, "requests", "N", NULL, "4", false,
     "of the batch that leaves, and of the one that comes"},
    {HD_GROUP_WHAT, LADDER, "tokens", "N", NULL, "1000", false,
     "of KV that each of them has; about 1,000 in the published experiment"},
    {HD_GROUP_SERVED, LADDER, "pcie", "RATE|gpu", NULL, "32GB/s", false,
     "of one GPU's link, each way; gpu: what runs give this kind of GPU"},
    {HD_GROUP_SERVED, LADDER, "set", "COST=VALUE", NULL, NULL, true,
     "a cost of a stage: restart, reinit and gc (times), load-rate, staging and disk "
     "(rates), chunk (a size)"},
    {HD_GROUP_WRITTEN, LADDER, "plot", "FILE.png", NULL, NULL, false,
     "draws it, with data and gnuplot script beside the picture"},
    {HD_GROUP_WRITTEN, LADDER, "force", NULL, NULL, NULL, false,
     "replace a picture that is there"},
    {HD_GROUP_WRITTEN, LADDER, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk ladder --model NAME --gpu KIND [options]",
    "Runs one switch between two models of a size for each rung of the ladder, from "
    "an\n"
    "engine that is made anew to weights that are there before they are asked for, "
    "and\n"
    "says what each stage takes and where its cost is from. The same stages make up "
    "the\n"
    "switches of runs: `replay --switching RUNG`.",
    {"hotdesk ladder --model llama-2-13b --gpu H800",
     "hotdesk ladder --model qwen2.5-7b --gpu H100 --pcie gpu --set gc=2s --json"},
};

static const char published_bus[] = "published: the bus of the experiment that the "
                                    "costs are from";

/* ---- words --------------------------------------------------------------- */

static bool number(const struct hd_args *args, const char *option, long most, int *to,
                   struct hd_problem *problem) {
    const char *text = hd_args_get(args, option);
    struct hd_err why = {0};
    long value;
    if (!text) return true;
    if (!hd_parse_integer(text, 1, most, &value, &why))
        return hd_usage(problem, "--%s: %s", option, why.text);
    *to = (int)value;
    return true;
}

static bool ends_in(const char *text, const char *end) {
    size_t length = strlen(text), most = strlen(end);
    return length > most && strcmp(text + length - most, end) == 0;
}

static bool positive(double value, const char *given, struct hd_problem *problem) {
    return value > 0 || hd_usage(problem, "--set %s: expected more than 0", given);
}

/* COST=VALUE. */
static bool set(struct hd_ladder_report *r, const char *given,
                struct hd_problem *problem) {
    const char *sign = strchr(given, '=');
    struct hd_err why = {0};
    if (!sign) return hd_usage(problem, "--set %s: expected COST=VALUE", given);
    size_t length = (size_t)(sign - given);
    if (length == 4 && strncmp(given, "disk", length) == 0) {
        r->disk_basis = "set";
        if (!hd_parse_bandwidth(sign + 1, &r->world.disk_bytes_per_s, &why))
            return hd_usage(problem, "--set %s: %s", given, why.text);
        return positive(r->world.disk_bytes_per_s, given, problem);
    }
    for (int n = 0; n < HD_SWITCH_COSTS; n++) {
        struct hd_switch_cost_of *c = &r->cost[n];
        if (strlen(c->name) != length || strncmp(c->name, given, length) != 0) continue;
        bool time = strcmp(c->unit, "s") == 0;
        bool fine = time ? hd_parse_duration(sign + 1, &c->value, &why)
                    : strcmp(c->unit, "bytes") == 0
                        ? hd_parse_size(sign + 1, &c->value, &why)
                        : hd_parse_bandwidth(sign + 1, &c->value, &why);
        c->basis = "set";
        if (!fine) return hd_usage(problem, "--set %s: %s", given, why.text);
        if (time && !(c->value <= 86400))
            return hd_usage(problem, "--set %s: expected at most a day", given);
        return time || positive(c->value, given, problem);
    }
    return hd_usage(problem,
                    "--set %s: no such cost; expected restart, reinit, gc, load-rate, "
                    "staging, chunk or disk",
                    given);
}

static bool read_costs(const struct hd_args *args, struct hd_ladder_report *r,
                       struct hd_problem *problem) {
    const char *pcie = hd_args_get(args, "pcie");
    struct hd_err why = {0};
    for (int c = 0; c < HD_SWITCH_COSTS; c++)
        r->cost[c] = *hd_switch_cost((enum hd_switch_cost)c);
    r->world.pcie_bytes_per_s = 32e9;
    r->pcie_basis = published_bus;
    if (pcie && strcmp(pcie, "gpu") != 0) {
        r->pcie_basis = "set";
        if (!hd_parse_bandwidth(pcie, &r->world.pcie_bytes_per_s, &why))
            return hd_usage(problem, "--pcie: %s", why.text);
        if (!(r->world.pcie_bytes_per_s > 0))
            return hd_usage(problem, "--pcie %s: expected more than 0", pcie);
    }
    for (int n = 0; n < args->count; n++)
        if (strcmp(args->given[n].option->name, "set") == 0 &&
            !set(r, args->given[n].value, problem))
            return false;
    return true;
}

static bool read_world(const struct hd_args *args, const struct hd_catalog *catalog,
                       struct hd_ladder_report *r, struct hd_problem *problem) {
    const char *model = hd_args_get(args, "model"), *gpu = hd_args_get(args, "gpu");
    const char *pcie = hd_args_get(args, "pcie"), *picture = hd_args_get(args, "plot");
    struct hd_err why = {0};
    struct hd_ladder_case *w = &r->world;
    w->tp = 1;
    w->requests = 4;
    w->tokens = 1000;
    if (!number(args, "tp", 64, &w->tp, problem) ||
        !number(args, "requests", 256, &w->requests, problem) ||
        !number(args, "tokens", 1000000, &w->tokens, problem))
        return false;
    if (picture && !ends_in(picture, ".png"))
        return hd_usage(problem, "--plot %s: expected a name that ends in .png",
                        picture);
    if (!model) return hd_usage(problem, "ladder: no model; expected --model NAME");
    if (!gpu) return hd_usage(problem, "ladder: no GPU; expected --gpu KIND");
    const struct hd_model_spec *m = hd_catalog_model(catalog, model, &why);
    if (!m) return hd_usage(problem, "--model: %s", why.text);
    const struct hd_gpu_spec *g = hd_catalog_gpu(catalog, gpu, &why);
    if (!g) return hd_usage(problem, "--gpu: %s", why.text);
    if (m->heads % w->tp != 0)
        return hd_usage(problem, "--tp %d: %s has %d heads; expected a divisor", w->tp,
                        m->name, m->heads);
    struct hd_node_spec node;
    const char *basis[HD_NODE_FIGURES];
    hd_node_defaults(g, &node, basis);
    r->model = m->name;
    r->gpu = g->name;
    r->gpu_pcie_bytes_per_s = node.pcie_bytes_per_s;
    r->disk_basis = basis[HD_NODE_DISK];
    w->weights_bytes = m->weights_bytes;
    w->kv_token_bytes = m->kv_token_bytes;
    w->kv_heads = m->kv_rank > 0 ? 1 : m->kv_heads;
    w->usable_bytes = hd_gpu_usable_bytes(g);
    w->disk_bytes_per_s = node.disk_bytes_per_s;
    w->dram_bytes = node.dram_bytes;
    if (!read_costs(args, r, problem)) return false;
    if (pcie && strcmp(pcie, "gpu") == 0) {
        w->pcie_bytes_per_s = node.pcie_bytes_per_s;
        r->pcie_basis = basis[HD_NODE_PCIE];
    }
    return true;
}

/* ---- what we measured ---------------------------------------------------- */

/* The row of the most bytes, or NULL. */
static const struct hd_kernel_row *largest(const struct hd_kernels *set,
                                           enum hd_kernel_op op, const char *variant) {
    const struct hd_kernel_row *found = NULL;
    for (int n = 0; n < set->rows; n++) {
        const struct hd_kernel_row *row = &set->row[n];
        if (row->op != op || strcmp(row->variant, variant) != 0) continue;
        if (!found || row->shape[HD_DIM_BYTES] > found->shape[HD_DIM_BYTES])
            found = row;
    }
    return found;
}

static void check(struct hd_ladder_report *r, const struct hd_kernel_row *row,
                  bool rate, const char *what, const char *beside, double used) {
    if (!row || r->checks == HD_LADDER_CHECKS_MAX) return;
    double seconds = row->time_us * 1e-6;
    r->measured_on = row->gpu->name;
    r->check[r->checks++] = (struct hd_ladder_check){
        .what = what,
        .unit = rate ? "bytes/s" : "s",
        .measured = rate ? (double)row->shape[HD_DIM_BYTES] / seconds : seconds,
        .beside = beside,
        .used = used};
}

/* Our suite's H200; what it says of buses and drivers is no worse elsewhere than an
 * assumption. Not its H100, whose copies scatter (scripts/cuda/README.md). */
static bool read_checks(const struct hd_catalog *catalog, struct hd_ladder_report *r,
                        struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_kernels set = {0};
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(catalog, "H200-SXM", &why);
    if (!gpu) return true;
    if (!hd_shipped_measurements(&set, catalog, gpu, &why))
        return hd_bad_input(problem, "%s", why.text);
    const struct hd_switch_cost_of *c = r->cost;
    check(r, largest(&set, HD_OP_COPY, "h2d_pinned"), true,
          "host to GPU, pinned memory, 4 GiB", "the bus", r->world.pcie_bytes_per_s);
    check(r, largest(&set, HD_OP_COPY, "h2d_pageable"), true,
          "host to GPU, pageable memory, 4 GiB", "load-rate",
          c[HD_COST_LOAD_RATE].value);
    check(r, largest(&set, HD_OP_CONTEXT, "runtime_cold"), false,
          "CUDA runtime and context in a new process", "restart, of which it is a part",
          c[HD_COST_RESTART].value);
    check(r, largest(&set, HD_OP_HOST_ALLOC, "host_alloc"), false,
          "pinning 4 GiB of host memory", "reinit, of which it is a part",
          c[HD_COST_REINIT].value);
    check(r, largest(&set, HD_OP_ALLOCATE, "cuda_malloc"), false,
          "taking 40 GiB of GPU memory", "gc, at whose end it is taken again",
          c[HD_COST_GC].value);
    check(r, largest(&set, HD_OP_ALLOCATE, "cuda_free"), false, "giving it back",
          "gc, of which it is a part", c[HD_COST_GC].value);
    hd_kernels_free(&set);
    return true;
}

/* ---- the command --------------------------------------------------------- */

static bool answer(const struct hd_args *args, struct hd_ladder_report *r,
                   struct hd_problem *problem) {
    struct hd_err why = {0};
    const char *picture = hd_args_get(args, "plot");
    if (!hd_ladder_climb(r, &why))
        return hd_bad_input(problem, "ladder: %s on %s, TP %d: %s", r->model, r->gpu,
                            r->world.tp, why.text);
    if (picture &&
        !hd_ladder_plot(r, picture, hd_args_get(args, "force") != NULL, &why))
        return hd_bad_input(problem, "%s", why.text);
    if (hd_args_get(args, "json"))
        hd_ladder_json(r, stdout);
    else
        hd_ladder_text(r, stdout);
    if (picture) fprintf(stderr, "written: %s\n", picture);
    return hd_stdout_flush(problem);
}

static bool run(const struct hd_args *args, struct hd_problem *problem) {
    struct hd_ladder_report r = {0};
    struct hd_err why = {0};
    if (args->words > 0)
        return hd_usage(problem, "ladder: '%s'; expected options only", args->word[0]);
    struct hd_catalog *catalog = hd_catalog_load(&why);
    if (!catalog) return hd_bad_input(problem, "%s", why.text);
    bool fine = read_world(args, catalog, &r, problem) &&
                read_checks(catalog, &r, problem) && answer(args, &r, problem);
    hd_catalog_free(catalog);
    return fine;
}

int hd_command_ladder(int argc, char **argv) {
    struct hd_args args;
    struct hd_problem problem = {0};
    if (hd_args_parse(options, OPTIONS, LADDER, argc, argv, &args, &problem)) {
        if (args.help)
            hd_args_help(stdout, &help, options, OPTIONS, LADDER);
        else
            run(&args, &problem);
    }
    hd_args_free(&args);
    return problem.exit_code ? hd_problem_print(&problem) : HD_EXIT_OK;
}
