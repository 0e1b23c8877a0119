/* Iterations of eager vLLM that Aegaeon's authors measured (Zyyeric/Aegaeon): a prefill
 * of b prompts with i tokens each, and the decode steps after it, in seconds, one GPU,
 * 16-bit weights. A decode step reads what the prompt left and, in the middle of those
 * measured, five tokens more. Rows that do not show what they seem to are kept, since
 * they were measured, and counted. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/import_parts.h"

#define S 1e6 /* in us */

enum { MODEL, GPU, INPUT, BATCH, PREFILL, DECODE, COLUMNS };
static const char *const names[COLUMNS] = {"model", "gpu", "i", "b", "pre", "dec"};

static bool knows(const struct hd_profile *p) {
    for (int n = 0; n < COLUMNS; n++)
        if (hd_profile_column(p, names[n]) < 0) return false;
    return true;
}

/* That engine cut prompts above 2048 tokens into chunks, and the steps after it had
 * parts of them (on the H800 above 8192); some values are below any possible step. */
static bool is_clean(const struct hd_gpu_spec *gpu, int64_t tokens, double decode_us) {
    int64_t most = strcmp(gpu->name, "H800-SXM") == 0 ? 8192 : 2048;
    return tokens <= most && decode_us > 1000;
}

struct optional { /* columns, -1: not there */
    int samples, deviation;
};

static bool take_step(struct hd_profile *p, const char *phase,
                      const struct hd_model_spec *model, int time,
                      const struct optional *o, struct hd_kernel_row *row, bool clean) {
    if (!hd_profile_time(p, time, S, &row->time_us)) return false;
    if (o->samples >= 0 && !hd_profile_integer(p, o->samples, 1, &row->samples))
        return false;
    if (o->deviation >= 0 &&
        !hd_profile_deviation(p, o->deviation, S * HD_MAD_OF_STD, &row->mad_us))
        return false;
    char *variant = hd_format("%s:%s", phase, model->name);
    row->variant = hd_kernels_text(p->set, variant);
    free(variant);
    row->dtype = hd_kernels_text(p->set, "fp16");
    row->source = hd_kernels_text(p->set, "Zyyeric/Aegaeon profiles: eager vLLM");
    row->licence = hd_kernels_text(p->set, "Apache-2.0");
    return hd_profile_keep(p, row, clean);
}

static bool take(struct hd_profile *p) {
    int at[COLUMNS], got;
    if (!hd_profile_columns(p, names, COLUMNS, at)) return false;
    struct optional prefill = {hd_profile_column(p, "np_"),
                               hd_profile_column(p, "psd")};
    struct optional decode = {hd_profile_column(p, "nd"), hd_profile_column(p, "dsd")};
    while ((got = hd_profile_next(p)) > 0) {
        const struct hd_gpu_spec *gpu =
            hd_catalog_gpu(p->catalog, p->row.field[at[GPU]], &p->why);
        const struct hd_model_spec *model =
            gpu ? hd_catalog_model(p->catalog, p->row.field[at[MODEL]], &p->why) : NULL;
        int64_t input, batch;
        double step_us;
        if (!model || !hd_profile_integer(p, at[INPUT], 1, &input) ||
            !hd_profile_integer(p, at[BATCH], 1, &batch) ||
            !hd_profile_time(p, at[DECODE], S, &step_us))
            return false;
        if (p->gpu && p->gpu != gpu)
            return hd_fail(&p->why, "measured on %s, but --gpu says %s", gpu->name,
                           p->gpu->name);
        bool clean = is_clean(gpu, input * batch, step_us);
        if (!clean)
            hd_import_note(p->report,
                           "with chunked prefills or impossible steps: kept");
        else if (strcmp(gpu->name, "H20") == 0)
            hd_import_note(p->report,
                           "of the H20, whose decode steps are suspect: kept");
        struct hd_kernel_row row = hd_kernel_row_of(gpu, HD_OP_STEP);
        row.shape[HD_DIM_GPUS] = 1;
        row.shape[HD_DIM_BATCH] = batch;
        row.shape[HD_DIM_CHUNK] = input;
        if (!take_step(p, "prefill", model, at[PREFILL], &prefill, &row, clean))
            return false;
        row.shape[HD_DIM_CONTEXT] = input + 5;
        row.samples = 0;
        if (!take_step(p, "decode", model, at[DECODE], &decode, &row, clean))
            return false;
    }
    return got == 0;
}

const struct hd_import_reader hd_import_aegaeon = {
    "aegaeon", "a table of iterations with model,gpu,i,b,pre,dec", knows, take};
