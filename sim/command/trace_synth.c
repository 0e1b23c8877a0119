/* hotdesk trace synth: a market drawn from a recipe. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/new_file.h"
#include "base/sha256.h"
#include "base/units.h"
#include "command/trace_commands.h"
#include "market/recipe.h"

static const struct hd_option options[] = {
    {HD_GROUP_RUN, 1, "seed", "N", NULL, "1", false,
     "of all random draws; the same recipe and seed give the same bytes"},
    {HD_GROUP_WRITTEN, 1, "out", "FILE", NULL, "standard output", false,
     "where the trace goes"},
    {HD_GROUP_WRITTEN, 1, "force", NULL, NULL, NULL, false,
     "replace FILE if it is there"},
};

static const struct hd_help help = {
    "hotdesk trace synth RECIPE.lua [options]",
    "Draws a market of models from a recipe and writes it as a native trace that says\n"
    "what each of its parts rests on (`hotdesk help recipes`).",
    {"hotdesk trace synth traces/market40.lua --seed 2 --out market40-2.csv --force",
     "hotdesk trace synth traces/agents8.lua --seed 3 >agents8-3.csv"},
};

struct drawn {
    struct hd_market *market;
    struct hd_market_requests all;
    char *made;
};

static bool draw(const char *recipe, long seed, struct drawn *d,
                 struct hd_problem *problem) {
    struct hd_err why = {0};
    char sha256[65];
    d->market = hd_recipe_load(recipe, &why);
    if (!d->market) return hd_bad_input(problem, "%s", why.text);
    if (!hd_market_draw(d->market, (uint64_t)seed, &d->all, &why))
        return hd_bad_input(problem, "%s: %s", recipe, why.text);
    if (!hd_sha256_file(recipe, sha256))
        return hd_bad_input(problem, "%s: %s", recipe, strerror(errno));
    const char *slash = strrchr(recipe, '/');
    d->made = hd_format("hotdesk trace synth %s --seed %ld (recipe sha256 %.12s)",
                        slash ? slash + 1 : recipe, seed, sha256);
    return true;
}

static bool write_file(const char *path, bool force, const struct drawn *d,
                       struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_new_file file;
    if (hd_new_file_begin(&file, path, force, &why)) {
        hd_market_write(d->market, d->made, &d->all, file.stream);
        hd_new_file_keep(&file, &why);
    }
    return !why.text[0] || hd_bad_input(problem, "%s", why.text);
}

static void say_what_is_missing(const struct drawn *d) {
    int models = d->market->models, silent = 0;
    bool *asked = hd_alloc((size_t)models * sizeof *asked);
    for (int64_t i = 0; i < d->all.count; i++) asked[d->all.of[i].model] = true;
    for (int m = 0; m < models; m++) silent += !asked[m];
    free(asked);
    if (silent)
        fprintf(stderr, "note: %d of %d models got no request\n", silent, models);
    if (d->all.sessions_cut)
        fprintf(stderr,
                "note: %lld sessions ended early, at the context limit; the rate is "
                "lower by their turns\n",
                (long long)d->all.sessions_cut);
}

static bool synth(const struct hd_args *args, struct hd_problem *problem) {
    long seed = 1;
    struct hd_err why = {0};
    const char *asked = hd_args_get(args, "seed"), *path = hd_args_get(args, "out");
    if (asked && !hd_parse_integer(asked, 0, INT32_MAX, &seed, &why))
        return hd_usage(problem, "--seed: %s", why.text);
    if (!path && hd_args_get(args, "force"))
        return hd_usage(problem, "--force: there is no --out FILE to replace");
    struct drawn d = {0};
    bool done = draw(args->word[0], seed, &d, problem);
    if (done && path) {
        done = write_file(path, hd_args_get(args, "force") != NULL, &d, problem);
        if (done)
            fprintf(stderr, "%s: %lld requests, %d models\n", path,
                    (long long)d.all.count, d.market->models);
    } else if (done) {
        hd_market_write(d.market, d.made, &d.all, stdout);
        done = hd_stdout_flush(problem);
    }
    if (done) say_what_is_missing(&d);
    hd_market_free(d.market);
    hd_market_requests_free(&d.all);
    free(d.made);
    return done;
}

const struct hd_trace_command hd_trace_synth = {
    .name = "synth",
    .full_name = "trace synth",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = synth,
};
