/* hotdesk-bench: the GPU's kernels, copies and calls, measured. */
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "device_facts.h"
#include "hardware/device_name.h"
#include "options.h"
#include "suite.h"
#include "supervise.h"

#define LONGEST_PROBE_S 120

/* In the order of the table in README.md, which is also the order of measuring. */
static const struct quantity *const quantities[] = {
    &quantity_hbm,
    &quantity_copies,
    &quantity_overlap,
    &quantity_blocks,
    &quantity_launch,
    &quantity_graph,
    &quantity_sync,
    &quantity_allocate,
    &quantity_host_alloc,
    &quantity_context,
    &quantity_priority,
    &quantity_time_slice,
    &quantity_corun,
    &quantity_gemm,
    &quantity_attention_prefill,
    &quantity_attention_decode,
    &quantity_small_ops,
    &quantity_collectives,
    &quantity_clocks,
};

enum { QUANTITIES = sizeof quantities / sizeof *quantities };

static const struct device_facts *find_device(void) {
    struct device_facts *facts = (struct device_facts *)shared_memory(sizeof *facts);
    char why[128];
    struct outcome outcome = supervise(device_facts_read, facts, LONGEST_PROBE_S);
    outcome_text(&outcome, why, sizeof why);
    if (facts->found && !why[0]) return facts;
    fprintf(stderr, "hotdesk-bench: no CUDA device: %s\n", why[0] ? why : facts->error);
    return NULL;
}

static int measure(const struct options *options) {
    const struct device_facts *facts = find_device();
    if (!facts) return 1;
    const char *gpu =
        options->gpu ? options->gpu : hd_device_gpu(facts->properties.name);
    if (!gpu) {
        fprintf(
            stderr,
            "hotdesk-bench: the device is %s, which has no name in the catalogue of "
            "GPUs; give it one with --gpu NAME\n",
            facts->properties.name);
        return 2;
    }
    char path[256];
    snprintf(path, sizeof path, "hotdesk-bench-%s.csv", gpu);
    fprintf(stderr, "%s as %s, driver %s, %.0f s\n", facts->properties.name, gpu,
            facts->driver, options->budget_s);
    struct suite suite = {options,       quantities,    QUANTITIES,    gpu,
                          facts->driver, facts->bus_id, bench_measure, (void *)facts};
    return suite_run(&suite, options->output ? options->output : path);
}

int main(int argc, char **argv) {
    const char *names[QUANTITIES];
    struct options options;
    struct hd_err err = {};
    for (int i = 0; i < QUANTITIES; i++) names[i] = quantities[i]->name;
    if (!options_parse(&options, argc, argv, names, QUANTITIES, &err)) {
        fprintf(stderr, "hotdesk-bench: %s\n", err.text);
        return 2;
    }
    if (options.help) {
        options_help(stdout);
        return 0;
    }
    if (options.list) {
        suite_list(stdout, quantities, QUANTITIES);
        return 0;
    }
    return measure(&options);
}
