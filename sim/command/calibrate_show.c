/* hotdesk calibrate show: what a GPU's timing rests on, and what measurements cover. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/shipped.h"
#include "command/calibrate.h"
#include "command/coverage_text.h"
#include "command/tables_text.h"
#include "output/quantity.h"
#include "timing/calibration.h"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "measurements", "FILES...", NULL, "what ships", true,
     "files of kernel measurements: `hotdesk calibrate import` makes them"},
    {HD_GROUP_WRITTEN, 1, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate show GPU [options]",
    "Shows what is known about a GPU's timing: the coefficients that ship with their "
    "source\n"
    "and error, and what measurements cover by op, range and octave, with the holes.",
    {"hotdesk calibrate show H100", "hotdesk calibrate show A10 --json"},
};

struct shown {
    const struct hd_gpu_spec *gpu;
    struct hd_calibration *shipped; /* NULL: files of measurements were named */
    struct hd_kernel_set *tables;   /* the same */
    struct hd_kernels set;
    struct hd_coverage coverage;
};

/* ---- what there is ------------------------------------------------------- */

/* Measurements that ship beside the coefficients. */
static bool read_shipped(struct shown *s, const struct hd_catalog *catalog,
                         struct hd_err *why) {
    s->shipped = hd_calibration_load(s->gpu, NULL, why);
    s->tables = s->shipped ? hd_kernel_set_load(s->gpu, false, why) : NULL;
    if (!s->tables) return false;
    return hd_shipped_measurements(&s->set, catalog, s->gpu, why);
}

static bool read_named(struct shown *s, const struct hd_args *args,
                       const struct hd_catalog *catalog, struct hd_err *why) {
    for (int n = 0; n < args->count; n++)
        if (strcmp(args->given[n].option->name, "measurements") == 0 &&
            !hd_kernels_read(&s->set, catalog, args->given[n].value, why))
            return false;
    for (int n = 1; n < args->words; n++)
        if (!hd_kernels_read(&s->set, catalog, args->word[n], why)) return false;
    for (int n = 0; n < s->set.rows; n++)
        if (s->set.row[n].gpu == s->gpu) return true;
    return hd_fail(why, "%s: no measurement of %s; the first is of %s", s->set.file[0],
                   s->gpu->name, s->set.row[0].gpu->name);
}

/* ---- printing ------------------------------------------------------------ */

static void print_error(const char *what, const struct hd_calibration_error *e) {
    printf("%s %.1f / %.1f %%", what, 100 * e->p50, 100 * e->p90);
}

static void print_shipped(const struct hd_calibration *c) {
    printf("%s: %s, revision %s\n", c->gpu, hd_calibration_basis_name(c->basis),
           c->revision);
    printf("iterations  of %s, %d %s: ", c->fitted, c->models,
           c->models == 1 ? "model" : "models");
    if (c->basis != HD_CALIBRATION_SCALED) {
        print_error("in sample", &c->in_sample);
        printf(", ");
    }
    print_error(c->basis == HD_CALIBRATION_SCALED ? "on GPUs not seen"
                                                  : "models held out",
                &c->held_out);
    printf(" (median / p90)\n    %s\n", c->source);
    for (int n = 0; n < c->reduce.groups; n++) {
        const struct hd_reduce_group *g = &c->reduce.group[n];
        printf("all-reduce  of %s, %d GPUs: %s to %s, %d knots\n", c->linked, g->gpus,
               hd_say_bytes(g->bytes[0]).text,
               hd_say_bytes(g->bytes[g->knots - 1]).text, g->knots);
    }
}

static void print_text(const struct shown *s) {
    if (s->shipped) print_shipped(s->shipped);
    if (s->tables) hd_tables_text(s->tables, stdout);
    if (s->coverage.rows) {
        if (s->shipped) putchar('\n');
        printf("%s: %s measurement%s in %s\n\n", s->gpu->name,
               hd_say_count(s->coverage.rows).text, s->coverage.rows == 1 ? "" : "s",
               hd_say_things(s->set.files, "file").text);
        hd_coverage_text(&s->coverage, stdout);
    }
}

static void put_error(struct hd_json *j, const char *key,
                      const struct hd_calibration_error *e) {
    hd_json_inline_object(j, key);
    hd_json_real(j, "p50", e->p50);
    hd_json_real(j, "p90", e->p90);
    hd_json_close(j);
}

static void put_shipped(struct hd_json *j, const struct hd_calibration *c) {
    hd_json_object(j, "shipped");
    hd_json_text(j, "basis", hd_calibration_basis_name(c->basis));
    hd_json_text(j, "revision", c->revision);
    hd_json_object(j, "iterations");
    hd_json_text(j, "of", c->fitted);
    hd_json_int(j, "models", c->models);
    put_error(j, "in_sample", &c->in_sample);
    put_error(j, "held_out", &c->held_out);
    hd_json_text(j, "source", c->source);
    hd_json_close(j);
    hd_json_object(j, "all_reduce");
    hd_json_text(j, "of", c->linked);
    hd_json_array(j, "groups");
    for (int n = 0; n < c->reduce.groups; n++) {
        const struct hd_reduce_group *g = &c->reduce.group[n];
        hd_json_inline_object(j, NULL);
        hd_json_int(j, "gpus", g->gpus);
        hd_json_int(j, "knots", g->knots);
        hd_json_real(j, "least_bytes", g->bytes[0]);
        hd_json_real(j, "most_bytes", g->bytes[g->knots - 1]);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_close(j);
    hd_json_close(j);
}

static void print_json(const struct shown *s) {
    struct hd_json j;
    hd_json_start(&j, stdout);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "gpu", s->gpu->name);
    if (s->shipped) put_shipped(&j, s->shipped);
    if (s->tables) hd_tables_json(s->tables, &j);
    hd_json_object(&j, "measurements");
    hd_json_int(&j, "rows", s->coverage.rows);
    hd_json_array(&j, "files");
    for (int n = 0; n < s->set.files; n++) hd_json_text(&j, NULL, s->set.file[n]);
    hd_json_close(&j);
    hd_coverage_json(&s->coverage, &j);
    hd_json_close(&j);
    hd_json_close(&j);
    hd_json_finish(&j);
}

/* ---- the word ------------------------------------------------------------ */

static bool show(const struct hd_args *args, struct hd_problem *problem) {
    bool named = hd_args_get(args, "measurements") != NULL;
    if (args->words > 1 && !named)
        return hd_usage(problem,
                        "calibrate show: '%s' is one word too many; expected one "
                        "GPU, and files behind --measurements",
                        args->word[1]);
    struct hd_err why = {0};
    struct hd_catalog *catalog = hd_catalog_load(&why);
    if (!catalog) return hd_bad_input(problem, "%s", why.text);
    struct shown s = {.gpu = hd_catalog_gpu(catalog, args->word[0], &why)};
    bool fine = s.gpu || hd_usage(problem, "%s", why.text);
    if (fine)
        fine = (named ? read_named(&s, args, catalog, &why)
                      : read_shipped(&s, catalog, &why)) ||
               hd_bad_input(problem, "%s", why.text);
    if (fine) {
        hd_coverage_of(&s.coverage, &s.set, s.gpu);
        if (hd_args_get(args, "json"))
            print_json(&s);
        else
            print_text(&s);
        fine = hd_stdout_flush(problem);
    }
    hd_coverage_free(&s.coverage);
    hd_kernels_free(&s.set);
    hd_calibration_free(s.shipped);
    hd_kernel_set_free(s.tables);
    hd_catalog_free(catalog);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_show = {
    "show", "calibrate show", options, OPTIONS, &help, 1, -1, "one GPU", show};
