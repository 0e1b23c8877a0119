/* hotdesk timing: how long one iteration takes, part by part. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/args.h"
#include "command/command.h"
#include "hardware/engines.h"
#include "hardware/model.h"
#include "output/json.h"
#include "output/quantity.h"
#include "output/text_table.h"
#include "timing/predict.h"

enum { TIMING = 1 };

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, TIMING, "model", "NAME", NULL, NULL, false, "of the catalogue"},
    {HD_GROUP_WHAT, TIMING, "gpu", "KIND", NULL, NULL, false, "of the catalogue"},
    {HD_GROUP_WHAT, TIMING, "tp", "N", NULL, "1", false, "GPUs that share the model"},
    {HD_GROUP_WHAT, TIMING, "prefill", "TOKENS[,CACHED]", NULL, NULL, false,
     "a prompt, or its next tokens after the cached ones"},
    {HD_GROUP_WHAT, TIMING, "decode", "BATCH,CONTEXT", NULL, NULL, false,
     "sequences, and tokens of context of each; beside the prefill if both are given"},
    {HD_GROUP_SERVED, TIMING, "engine", "NAME", NULL, "vllm-0.14-async", false,
     "the engine profile: `hotdesk catalog engines` lists them"},
    {HD_GROUP_SERVED, TIMING, "type", "TYPE", NULL, "bf16", false,
     "of weights and activations: bf16, fp16 or fp8; or behind the model: /fp8"},
    {HD_GROUP_SERVED, TIMING, "kv-type", "TYPE", NULL, "bf16", false,
     "of the KV cache; or behind the model: /kv-fp8"},
    {HD_GROUP_WRITTEN, TIMING, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk timing --model NAME --gpu KIND [--prefill TOKENS] [--decode "
    "BATCH,CONTEXT]",
    "Predicts one iteration of an engine: each kernel with its share and source, host "
    "time,\n"
    "and the error to expect, from measurements that the fit had not seen.",
    {"hotdesk timing --model llama-3.1-8b --gpu H100 --decode 64,1000",
     "hotdesk timing --model llama-2-70b --gpu A100 --tp 4 --prefill 512,2048 --decode "
     "32,900 --json"},
};

struct asked {
    const struct hd_gpu_spec *gpu;
    const struct hd_model_spec *model;
    const struct hd_engine_profile *engine;
    long tp, prefill, cached, decodes, context;
};

/* ---- words --------------------------------------------------------------- */

/* "64,1000": one or two whole numbers. */
static bool pair(const char *option, const char *text, long *first, long *second,
                 bool needs_both, struct hd_problem *problem) {
    size_t length = strcspn(text, ",");
    char *one = hd_format("%.*s", (int)length, text);
    struct hd_err why = {0};
    bool both = text[length] == ',';
    bool fine =
        hd_parse_integer(one, 1, 1 << 24, first, &why) &&
        (!both || hd_parse_integer(text + length + 1, 0, 1 << 24, second, &why));
    free(one);
    if (!fine) return hd_usage(problem, "--%s %s: %s", option, text, why.text);
    return both || !needs_both ||
           hd_usage(problem, "--%s %s: one number; expected BATCH,CONTEXT", option,
                    text);
}

static bool read_numbers(const struct hd_args *args, struct asked *a,
                         struct hd_problem *problem) {
    const char *tp = hd_args_get(args, "tp"), *prefill = hd_args_get(args, "prefill");
    const char *decode = hd_args_get(args, "decode");
    struct hd_err why = {0};
    a->tp = 1;
    if (tp && !hd_parse_integer(tp, 1, 1024, &a->tp, &why))
        return hd_usage(problem, "--tp: %s", why.text);
    if (!prefill && !decode)
        return hd_usage(problem, "timing: no iteration; expected --prefill TOKENS, "
                                 "--decode BATCH,CONTEXT or both");
    return (!prefill ||
            pair("prefill", prefill, &a->prefill, &a->cached, false, problem)) &&
           (!decode || pair("decode", decode, &a->decodes, &a->context, true, problem));
}

/* What the option says, over what the model's name does. */
static bool keep_as(const struct hd_args *args, bool kv, struct asked *a,
                    struct hd_problem *problem) {
    const char *option = kv ? "kv-type" : "type", *word = hd_args_get(args, option);
    if (!word) return true;
    int number = hd_number_of(word);
    if (number < 0)
        return hd_usage(problem, "--%s %s: expected bf16, fp16 or fp8", option, word);
    const struct hd_model_spec *m = a->model;
    a->model = kv ? m->as[m->weights][number] : m->as[number][m->kv];
    return true;
}

static bool read_names(const struct hd_args *args, const struct hd_catalog *catalog,
                       const struct hd_engines *engines, struct asked *a,
                       struct hd_problem *problem) {
    const char *gpu = hd_args_get(args, "gpu"), *model = hd_args_get(args, "model");
    const char *engine = hd_args_get(args, "engine");
    struct hd_err why = {0};
    if (!model) return hd_usage(problem, "timing: no model; expected --model NAME");
    if (!gpu) return hd_usage(problem, "timing: no GPU; expected --gpu KIND");
    a->model = hd_catalog_model(catalog, model, &why);
    if (!a->model) return hd_usage(problem, "--model: %s", why.text);
    if (!keep_as(args, false, a, problem) || !keep_as(args, true, a, problem))
        return false;
    a->gpu = hd_catalog_gpu(catalog, gpu, &why);
    if (!a->gpu) return hd_usage(problem, "--gpu: %s", why.text);
    a->engine = hd_engines_find(engines, engine ? engine : "vllm-0.14-async", &why);
    if (!a->engine) return hd_usage(problem, "--engine: %s", why.text);
    if (a->model->heads % a->tp != 0)
        return hd_usage(problem, "--tp %ld: %s has %d heads; expected a divisor", a->tp,
                        a->model->name, a->model->heads);
    return true;
}

/* ---- answers ------------------------------------------------------------- */

static const char *source_of(const struct hd_part *part,
                             const struct hd_calibration *c) {
    if (part->table) return part->table->source;
    return strcmp(part->name, "all-reduce") == 0 ? "all-reduce kernels" : c->source;
}

static const char *origin_of(const struct hd_part *part,
                             const struct hd_calibration *c) {
    if (part->origin) return part->origin->gpu;
    return strcmp(part->name, "all-reduce") == 0 ? c->linked : c->fitted;
}

static const char *standing_of(const struct hd_part *part,
                               const struct hd_calibration *c) {
    if (part->note) return "assumed";
    if (strcmp(origin_of(part, c), c->gpu) != 0) return "scaled";
    return part->inside ? "measured" : "beyond";
}

static const char *type_of(enum hd_number number) {
    return hd_roof_type_name(hd_roof_type_as(number));
}

static void print_question(const struct asked *a) {
    printf("model     %s on %s, TP %ld, %s%s; engine %s\n", a->model->name,
           a->gpu->name, a->tp, type_of(a->model->weights),
           a->model->kv == a->model->weights ? ""
           : a->model->kv                    ? ", KV fp8"
                                             : ", KV bf16",
           a->engine->name);
    printf("step      ");
    if (a->prefill) {
        printf("prefill of %s", hd_say_things(a->prefill, "token").text);
        if (a->cached) printf(" after %s cached", hd_say_count(a->cached).text);
    }
    if (a->decodes)
        printf("%sdecode of %s with %s of context each",
               a->prefill ? ", beside it " : "",
               hd_say_things(a->decodes, "sequence").text,
               hd_say_things(a->context, "token").text);
    putchar('\n');
}

static void print_parts(const struct hd_step_prediction *p,
                        const struct hd_calibration *c) {
    struct hd_text_table *t = hd_text_table_new();
    static const char *const right[] = {"times", "each", "together", "share",
                                        "error, %\np50 / p90"};
    hd_text_table_column(t, "kernel", false);
    for (size_t n = 0; n < sizeof right / sizeof *right; n++)
        hd_text_table_column(t, right[n], true);
    hd_text_table_column(t, "", false);
    hd_text_table_column(t, "on", false);
    for (int n = 0; n < p->parts; n++) {
        const struct hd_part *part = &p->part[n];
        hd_text_table_cell(t, "%s", part->name);
        hd_text_table_cell(t, "%.0f", part->times);
        hd_text_table_cell(t, "%s", hd_say_seconds(part->seconds / part->times).text);
        hd_text_table_cell(t, "%s", hd_say_seconds(part->seconds).text);
        hd_text_table_cell(t, "%.1f %%", 100 * part->seconds / p->kernels_s);
        hd_text_table_cell(t, "%.0f / %.0f", 100 * part->p50, 100 * part->p90);
        hd_text_table_cell(t, "%s", standing_of(part, c));
        hd_text_table_cell(t, "%s", origin_of(part, c));
    }
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
}

static void print_sources(const struct hd_step_prediction *p,
                          const struct hd_calibration *c) {
    for (int n = 0; n < p->parts; n++) {
        const struct hd_part *part = &p->part[n];
        bool said = false;
        for (int b = 0; b < n; b++)
            said |= strcmp(source_of(&p->part[b], c), source_of(part, c)) == 0 &&
                    strcmp(origin_of(&p->part[b], c), origin_of(part, c)) == 0;
        if (!said)
            printf("%s%s: %s\n", n ? "          " : "sources   ", origin_of(part, c),
                   source_of(part, c));
    }
    for (int n = 0; n < p->parts; n++) {
        const char *note = p->part[n].note;
        for (int b = 0; b < n && note; b++)
            if (p->part[b].note == note) note = NULL;
        if (note) printf("assumed   %s\n", note);
    }
}

static void print_text(const struct asked *a, const struct hd_step_prediction *p,
                       const struct hd_calibration *c) {
    print_question(a);
    printf("timing    %s, %s%s%s (%s)\n\n", c->gpu, hd_calibration_basis_name(c->basis),
           c->basis == HD_CALIBRATION_SCALED ? " from specification, relative " : "",
           c->basis == HD_CALIBRATION_SCALED ? c->fitted : "", c->revision);
    print_parts(p, c);
    printf("\nkernels   %s\n", hd_say_seconds(p->kernels_s).text);
    if (p->launch_s > 1e-7)
        printf("launches  %s more, not hidden behind kernels\n",
               hd_say_seconds(p->launch_s).text);
    printf("host      %s, %s\n", hd_say_seconds(p->host_s).text,
           !p->overlapped ? "added"
           : p->host_s > p->kernels_s + p->launch_s
               ? "longer than the kernels beside it"
               : "hidden behind the kernels");
    printf(
        "step      %s; half of such predictions are off by less than %.0f %%, nine of "
        "ten by less than\n          %.0f %%: %s to %s\n",
        hd_say_seconds(p->step_s).text, 100 * p->p50, 100 * p->p90,
        hd_say_seconds(p->step_s / (1 + p->p90)).text,
        hd_say_seconds(p->step_s * (1 + p->p90)).text);
    print_sources(p, c);
}

static void print_json(const struct asked *a, const struct hd_step_prediction *p,
                       const struct hd_calibration *c) {
    struct hd_json j;
    hd_json_start(&j, stdout);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "model", a->model->name);
    hd_json_text(&j, "gpu", a->gpu->name);
    hd_json_int(&j, "tp", a->tp);
    hd_json_text(&j, "type", type_of(a->model->weights));
    hd_json_text(&j, "kv_type", type_of(a->model->kv));
    hd_json_text(&j, "engine", a->engine->name);
    hd_json_int(&j, "prefill_tokens", a->prefill);
    hd_json_int(&j, "cached_tokens", a->cached);
    hd_json_int(&j, "decodes", a->decodes);
    hd_json_int(&j, "context_tokens", a->context);
    hd_json_text(&j, "basis", hd_calibration_basis_name(c->basis));
    hd_json_text(&j, "fitted_on", c->fitted);
    hd_json_text(&j, "revision", c->revision);
    hd_json_array(&j, "parts");
    for (int n = 0; n < p->parts; n++) {
        const struct hd_part *part = &p->part[n];
        hd_json_inline_object(&j, NULL);
        hd_json_text(&j, "kernel", part->name);
        hd_json_real(&j, "times", part->times);
        hd_json_real(&j, "seconds", part->seconds);
        hd_json_real(&j, "share", part->seconds / p->kernels_s);
        hd_json_text(&j, "standing", standing_of(part, c));
        hd_json_text(&j, "measured_on", origin_of(part, c));
        hd_json_text(&j, "source", source_of(part, c));
        hd_json_text(&j, "assumed", part->note);
        hd_json_real(&j, "error_p50", part->p50);
        hd_json_real(&j, "error_p90", part->p90);
        hd_json_close(&j);
    }
    hd_json_close(&j);
    hd_json_real(&j, "kernels_s", p->kernels_s);
    hd_json_real(&j, "launch_s", p->launch_s);
    hd_json_real(&j, "host_s", p->host_s);
    hd_json_bool(&j, "host_overlapped", p->overlapped);
    hd_json_real(&j, "step_s", p->step_s);
    hd_json_real(&j, "error_p50", p->p50);
    hd_json_real(&j, "error_p90", p->p90);
    hd_json_real(&j, "low_s", p->step_s / (1 + p->p90));
    hd_json_real(&j, "high_s", p->step_s * (1 + p->p90));
    hd_json_bool(&j, "inside", p->inside);
    hd_json_close(&j);
    hd_json_finish(&j);
}

/* ---- the command --------------------------------------------------------- */

static struct hd_batch_shape shape_of(const struct asked *a) {
    return (struct hd_batch_shape){.tokens = (double)(a->prefill + a->decodes),
                                   .rows = (double)(a->decodes + (a->prefill > 0)),
                                   .prefills = a->prefill > 0,
                                   .chunk = (double)a->prefill,
                                   .prefix = (double)a->cached,
                                   .decodes = (double)a->decodes,
                                   .context = (double)(a->decodes * a->context)};
}

static bool answer(const struct asked *a, bool json, struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_calibration *c = hd_calibration_load(a->gpu, a->engine, &why);
    if (!c) return hd_bad_input(problem, "%s", why.text);
    bool fine = hd_calibration_serves(c, a->model, a->engine, &why) ||
                hd_usage(problem, "%s", why.text);
    if (fine) {
        struct hd_step_prediction p;
        struct hd_batch_shape b = shape_of(a);
        hd_predict_step(c, a->gpu, a->model, (int)a->tp, a->engine, &b, &p);
        if (json)
            print_json(a, &p, c);
        else
            print_text(a, &p, c);
        if (!json && (double)a->model->weights_bytes / (double)a->tp >
                         (double)a->gpu->vram_bytes)
            fprintf(stderr, "warning: the weights alone, %s on each GPU, do not fit\n",
                    hd_say_bytes((double)a->model->weights_bytes / (double)a->tp).text);
        fine = hd_stdout_flush(problem);
    }
    hd_calibration_free(c);
    return fine;
}

static bool run(const struct hd_args *args, struct hd_problem *problem) {
    struct asked a = {0};
    struct hd_err why = {0};
    if (args->words > 0)
        return hd_usage(problem, "timing: '%s'; expected options only", args->word[0]);
    if (!read_numbers(args, &a, problem)) return false;
    struct hd_catalog *catalog = hd_catalog_load(&why);
    struct hd_engines *engines = catalog ? hd_engines_load(&why) : NULL;
    bool fine = engines || hd_bad_input(problem, "%s", why.text);
    fine = fine && read_names(args, catalog, engines, &a, problem) &&
           answer(&a, hd_args_get(args, "json") != NULL, problem);
    hd_engines_free(engines);
    hd_catalog_free(catalog);
    return fine;
}

int hd_command_timing(int argc, char **argv) {
    struct hd_args args;
    struct hd_problem problem = {0};
    if (hd_args_parse(options, OPTIONS, TIMING, argc, argv, &args, &problem)) {
        if (args.help)
            hd_args_help(stdout, &help, options, OPTIONS, TIMING);
        else
            run(&args, &problem);
    }
    hd_args_free(&args);
    return problem.exit_code ? hd_problem_print(&problem) : HD_EXIT_OK;
}
