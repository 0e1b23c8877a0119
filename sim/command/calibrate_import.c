/* hotdesk calibrate import: other people's profiles into the schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calibrate/import.h"
#include "command/calibrate.h"
#include "output/quantity.h"

static const struct hd_option options[] = {
    {HD_GROUP_WHAT, 1, "from", "NAME", NULL, NULL, false,
     "whose profiles they are: vidur, aiconfigurator, llmservingsim or aegaeon"},
    {HD_GROUP_WHAT, 1, "gpu", "NAME", NULL, "as the file's name or folder says", false,
     "which GPU was measured, a name of the catalogue"},
    {HD_GROUP_WRITTEN, 1, "out", "FILE", NULL, NULL, false,
     "the measurements, in the schema of sim/calibrate/README.md"},
    {HD_GROUP_WRITTEN, 1, "force", NULL, NULL, NULL, false,
     "replace FILE if it is there"},
};
enum { OPTIONS = sizeof options / sizeof *options };

static const struct hd_help help = {
    "hotdesk calibrate import --from NAME FILES... --out FILE [options]",
    "Reads kernel and iteration profiles of other projects, plain or gzip, checks "
    "them\n"
    "against the GPU's data sheet, and writes them in the one schema that tables are "
    "built\n"
    "from. What was read, kept and dropped is counted on stderr.",
    {"hotdesk calibrate import --from aegaeon "
     "../shared/data/measured/aegaeon_iterations.csv --out /tmp/steps.csv --force",
     "hotdesk calibrate import --from vidur "
     "../shared/data/kernels/vidur/h100/*/mlp.csv "
     "--out /tmp/layers.csv --force"},
};

static void say_count(int64_t count, const char *what) {
    fprintf(stderr, "  %11s  %s\n", hd_say_count(count).text, what);
}

static void say(const struct hd_import_report *r, int files, const char *out,
                int kept) {
    fprintf(stderr, "%s: %s measurement%s from %s\n", out, hd_say_count(kept).text,
            kept == 1 ? "" : "s", hd_say_things(files, "file").text);
    say_count(r->rows, "rows read");
    say_count(r->made, "measurements in them");
    if (r->identical)
        say_count(r->identical, "dropped: the same as another, to the last digit");
    if (r->merged)
        say_count(r->merged, "dropped: repeats, of which the median is kept");
    for (int n = 0; n < r->notes; n++) say_count(r->note[n].count, r->note[n].what);
}

static bool take(const struct hd_args *args, int source,
                 const struct hd_catalog *catalog, const struct hd_gpu_spec *gpu,
                 struct hd_problem *problem) {
    const char *out = hd_args_get(args, "out");
    bool force = hd_args_get(args, "force") != NULL;
    if (!force && access(out, F_OK) == 0)
        return hd_bad_input(problem, "%s: is there already; --force replaces it", out);
    struct hd_kernels set = {0};
    struct hd_import_report report;
    struct hd_err why = {0};
    if (hd_import(&set, catalog, source, args->word, args->words, gpu, &report, &why) &&
        hd_kernels_write(&set, out, force, &why))
        say(&report, args->words, out, set.rows);
    hd_kernels_free(&set);
    return !why.text[0] || hd_bad_input(problem, "%s", why.text);
}

static bool import(const struct hd_args *args, struct hd_problem *problem) {
    const char *from = hd_args_get(args, "from"), *named = hd_args_get(args, "gpu");
    struct hd_err why = {0};
    if (!from)
        return hd_usage(problem, "calibrate import: no --from NAME; expected vidur, "
                                 "aiconfigurator, llmservingsim or aegaeon");
    int source = hd_import_source(from, &why);
    if (source < 0) return hd_usage(problem, "--from: %s", why.text);
    if (!hd_args_get(args, "out"))
        return hd_usage(problem,
                        "calibrate import: no --out FILE; expected where to write");
    struct hd_catalog *catalog = hd_catalog_load(&why);
    if (!catalog) return hd_bad_input(problem, "%s", why.text);
    const struct hd_gpu_spec *gpu = named ? hd_catalog_gpu(catalog, named, &why) : NULL;
    bool fine = !named || gpu || hd_usage(problem, "--gpu: %s", why.text);
    fine = fine && take(args, source, catalog, gpu, problem);
    hd_catalog_free(catalog);
    return fine;
}

const struct hd_calibrate_word hd_calibrate_import = {
    "import", "calibrate import",    options, OPTIONS, &help, 1,
    -1,       "one profile or more", import};
