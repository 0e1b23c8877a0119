/* hotdesk trace info. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/resolve.h"
#include "command/trace_about.h"
#include "command/trace_commands.h"
#include "command/trace_files.h"
#include "command/trace_plot.h"
#include "hardware/engines.h"

static const struct hd_option options[] = {
    HD_TRACE_IN_OPTIONS,
    {HD_GROUP_WHEN, 1, "from", "CLOCK", NULL, "its first request", false,
     "on the trace's own clock: +2h, 13:00 or 2026-11-17 13:00"},
    {HD_GROUP_WHEN, 1, "to", "CLOCK", NULL, "its last request", false,
     "as --from; requests at this instant are left out"},
    {HD_GROUP_JUDGED, 1, "service-time", "TIME", NULL, "16.79s", false,
     "how long a request keeps its model active"},
    {HD_GROUP_SERVED, 1, "gpu", "KIND", NULL, NULL, false,
     "say what load the requests are on that kind of GPU, in GPU-seconds"},
    {HD_GROUP_SERVED, 1, "models", "MAP|FILE.csv", NULL, NULL, true,
     "which LLM each model name is, as for replay; needed unless they are catalogue "
     "names"},
    {HD_GROUP_SERVED, 1, "engine", "NAME", NULL, HD_ENGINE_DEFAULT, false,
     "the engine profile of that load"},
    {HD_GROUP_SERVED, 1, "batch", "N", NULL, "8", false,
     "requests that decode together in that load"},
    {HD_GROUP_WRITTEN, 1, "json", NULL, NULL, NULL, false,
     "one JSON value instead of text"},
    {HD_GROUP_WRITTEN, 1, "plot", "FILE.png", NULL, NULL, false,
     "draw it on one page; the gnuplot script with its data goes beside it, FILE.gp"},
    {HD_GROUP_WRITTEN, 1, "force", NULL, NULL, NULL, false,
     "replace FILE.png and FILE.gp if they are there"},
};

static const struct hd_help help = {
    "hotdesk trace info FILE [options]",
    "Says what a trace of requests is like: how many, of which models, how bursty, "
    "how\n"
    "long, which models are active together, what load they are on a GPU, and what "
    "could\n"
    "not be read or served. `hotdesk help figures` says how to read it.",
    {"hotdesk trace info traces/market40.csv --gpu H100 --models '*=llama-2-7b'",
     "hotdesk trace info traces/market40.csv --from +10m --to +20m --json"},
};

/* ---- the load on a kind of GPU ------------------------------------------- */

/* Passes an option on as compare would have it. */
static void pass_on(const struct hd_args *args, const char *name, const char *key,
                    struct hd_asked *asked) {
    const struct hd_option *option = hd_option_of_key(key, HD_FOR_COMPARE);
    char *place = hd_format("--%s", name);
    for (int i = 0; i < args->count; i++)
        if (strcmp(args->given[i].option->name, name) == 0)
            hd_asked_add(asked, option, NULL, NULL, args->given[i].value,
                         HD_FROM_OPTION, place);
    free(place);
}

static char *models_of(const struct hd_args *args) {
    const char *models = hd_args_get(args, "models");
    return hd_strdup(models ? models : "models as named in the trace");
}

static bool measure_demand(const struct hd_args *args, struct hd_asked *asked,
                           struct hd_resolved *r, long batch, struct hd_trace_about *a,
                           struct hd_problem *problem) {
    struct hd_err err = {0};
    struct hd_question *q = &r->question;
    if (!(r->catalog = hd_catalog_load(&err)) || !(r->engines = hd_engines_load(&err)))
        return hd_bad_input(problem, "%s", err.text);
    q->catalog = r->catalog;
    if (!hd_resolve_engine(asked, r, problem) ||
        !hd_resolve_judging(asked, r, problem) || !hd_resolve_fleet(asked, r, problem))
        return false;
    struct hd_model_rules *rules = hd_model_rules_read(asked, r, problem);
    bool fine = rules && hd_model_rules_apply(rules, r, problem);
    hd_model_rules_free(rules);
    if (!fine) return false;
    a->demand = hd_alloc(sizeof *a->demand);
    a->demand->gpu = hd_strdup(q->part[0].gpu->name);
    a->demand->models = models_of(args);
    a->demand->engine = hd_strdup(q->engine->name);
    return hd_demand(q, (int)batch, a->rate.interval_s, a->rate.intervals,
                     &a->demand->demand, &err) ||
           hd_bad_input(problem, "%s", err.text);
}

/* The trace is lent to the question for as long as it is asked. */
static bool demand(const struct hd_args *args, struct hd_trace *trace,
                   struct hd_trace_about *a, struct hd_problem *problem) {
    const char *batch_text = hd_args_get(args, "batch");
    long batch = HD_DEMAND_BATCH;
    struct hd_err why = {0};
    if (!hd_args_get(args, "gpu")) return true;
    if (batch_text && !hd_parse_integer(batch_text, 1, 4096, &batch, &why))
        return hd_usage(problem, "--batch: %s", why.text);
    struct hd_asked asked;
    struct hd_resolved r = {.trace = trace};
    hd_asked_init(&asked, HD_FOR_COMPARE);
    pass_on(args, "models", "models", &asked);
    pass_on(args, "gpu", "gpu", &asked);
    pass_on(args, "engine", "serving.engine", &asked);
    r.question.trace = trace;
    bool fine = measure_demand(args, &asked, &r, batch, a, problem);
    r.trace = NULL;
    hd_resolved_free(&r);
    hd_asked_free(&asked);
    return fine;
}

/* ---- the command --------------------------------------------------------- */

static struct hd_trace *load(const struct hd_args *args, struct hd_problem *problem) {
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    struct hd_err why = {0};
    if (!hd_trace_reading(args, &asked, problem)) return NULL;
    asked.from = hd_args_get(args, "from");
    asked.to = hd_args_get(args, "to");
    asked.before_s = asked.after_s = 0;
    struct hd_trace *trace = hd_trace_load(args->word[0], &asked, &why);
    if (!trace) { /* a mistake in an option is named by its dashes */
        if (strncmp(why.text, "--", 2) == 0)
            hd_usage(problem, "%s", why.text);
        else
            hd_bad_input(problem, "%s", why.text);
    }
    return trace;
}

/* Before anything is printed: a picture that fails leaves nothing. */
static bool picture(const struct hd_args *args, const struct hd_trace_about *a,
                    struct hd_problem *problem) {
    const char *path = hd_args_get(args, "plot");
    struct hd_err why = {0};
    if (!path) return true;
    if (!(a->stats.span_s > 0))
        return hd_bad_input(problem,
                            "%s: all requests come at once; expected a trace "
                            "that takes time to plot",
                            a->trace->path);
    return hd_trace_plot(a, path, hd_args_get(args, "force") != NULL, &why) ||
           hd_bad_input(problem, "%s", why.text);
}

/* What can be judged before the trace is read. */
static bool check_words(const struct hd_args *args, struct hd_problem *problem) {
    static const char *const needs_gpu[] = {"models", "engine", "batch"};
    const char *plot = hd_args_get(args, "plot");
    size_t bytes = plot ? strlen(plot) : 0;
    if (plot && (bytes < 5 || strcmp(plot + bytes - 4, ".png") != 0))
        return hd_usage(problem, "--plot %s: expected FILE.png", plot);
    if (!plot && hd_args_get(args, "force"))
        return hd_usage(problem, "--force: there is no --plot FILE.png to replace");
    for (int i = 0; i < 3; i++)
        if (!hd_args_get(args, "gpu") && hd_args_get(args, needs_gpu[i]))
            return hd_usage(problem, "--%s: the load on which GPU? expected --gpu KIND",
                            needs_gpu[i]);
    return true;
}

static bool info(const struct hd_args *args, struct hd_problem *problem) {
    double service_s = HD_SERVICE_S_PUBLISHED;
    struct hd_err why = {0};
    const char *service = hd_args_get(args, "service-time");
    if (service && !hd_parse_duration(service, &service_s, &why))
        return hd_usage(problem, "--service-time: %s", why.text);
    if (!(service_s > 0 && service_s < 1e6))
        return hd_usage(problem, "--service-time: %s lies outside 0 to 1e6 s", service);
    struct hd_trace *trace = check_words(args, problem) ? load(args, problem) : NULL;
    if (!trace) return false;
    struct hd_trace_about about;
    hd_trace_about(trace, service_s, &about);
    bool fine = demand(args, trace, &about, problem) && picture(args, &about, problem);
    if (fine) {
        if (hd_args_get(args, "json"))
            hd_trace_about_json(&about, stdout);
        else
            hd_trace_about_text(&about, stdout);
    }
    hd_trace_about_free(&about);
    hd_trace_free(trace);
    return fine && hd_stdout_flush(problem);
}

const struct hd_trace_command hd_trace_info = {
    .name = "info",
    .full_name = "trace info",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = info,
};
