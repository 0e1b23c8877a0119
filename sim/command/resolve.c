/* Putting a question together. */
#include "command/resolve.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/units.h"
#include "trace/stats.h"

/* ---- the trace and its window -------------------------------------------- */

/* Seconds of a warm-up or cool-down; -1: auto. */
static bool margin(struct hd_asked *asked, const char *key, double *seconds,
                   struct hd_problem *problem) {
    const struct hd_setting *s = hd_asked_find(asked, key, NULL, NULL);
    *seconds = -1;
    if (strcmp(s->value, "auto") == 0) return true;
    if (!hd_asked_duration(asked, key, seconds, problem)) return false;
    return isfinite(*seconds) ||
           hd_setting_fail(s, problem,
                           "'none' is no time; expected 0s or more, or auto");
}

/* The longest that a judged request may take: TTFT + TBT x p99 of the output. */
static double longest_s(const struct hd_question *q,
                        const struct hd_trace_stats *stats) {
    double longest = 0;
    for (int i = 0; i < q->classes; i++)
        longest = fmax(longest, q->slo[i].ttft_s + q->slo[i].tbt_s * stats->output.p99);
    return longest;
}

/* Which arrivals count. Warm-up and cool-down lie outside a cut that was asked for,
 * as far as the trace goes; without a cut they are taken from its ends. */
static bool lay_window(struct hd_asked *asked, struct hd_resolved *r, double before_s,
                       double after_s, struct hd_problem *problem) {
    struct hd_question *q = &r->question;
    const struct hd_trace *t = r->trace;
    hd_tick first = t->row[0].at, last = t->row[t->rows - 1].at + 1;
    bool from = hd_asked_said(asked, "trace.from", NULL, NULL) != NULL;
    bool to = hd_asked_said(asked, "trace.to", NULL, NULL) != NULL;
    hd_tick begin = from ? t->from : first, end = to ? t->to : last;
    double tenth = hd_s_from_tick(end - begin) / 10;
    q->warm_up = hd_tick_from_s(before_s >= 0 ? before_s : fmin(tenth, 600));
    q->cool_down = hd_tick_from_s(
        after_s >= 0 ? after_s : fmin(fmin(tenth, 600), longest_s(q, r->stats)));
    /* A warm-up may be as long as a time can be: it is not added to one unless it is
     * shorter than what is there. */
    q->from = from ? begin : q->warm_up < end - begin ? begin + q->warm_up : end;
    q->to = to ? end : end - q->cool_down;
    if (from && q->warm_up > q->from) q->warm_up = q->from; /* no more was kept */
    if (to && q->cool_down > last - q->to)
        q->cool_down = last > q->to ? last - q->to : 0;
    if (q->from < q->to) return true;
    return hd_bad_input(problem,
                        "%s: nothing is left between warm-up and cool-down; expected a "
                        "trace or a cut longer than the two",
                        t->path);
}

/* What is wrong with an option of the trace begins with its dashes: the blame goes to
 * whoever set it. */
static bool trace_fails(const char *why, struct hd_asked *asked,
                        struct hd_problem *problem) {
    static const char *const option[][2] = {
        {"--from", "trace.from"}, {"--to", "trace.to"}, {"--format", "trace.format"}};
    for (size_t n = 0; n < sizeof option / sizeof *option; n++) {
        size_t length = strlen(option[n][0]);
        const struct hd_setting *s = hd_asked_find(asked, option[n][1], NULL, NULL);
        if (!s || strncmp(why, option[n][0], length) != 0) continue;
        return hd_setting_fail(s, problem, "%s",
                               why + length + strspn(why + length, ": "));
    }
    return hd_bad_input(problem, "%s", why);
}

bool hd_resolve_trace(struct hd_asked *asked, struct hd_resolved *r,
                      struct hd_problem *problem) {
    const struct hd_setting *file = hd_asked_said(asked, "trace.file", NULL, NULL);
    const struct hd_setting *from = hd_asked_said(asked, "trace.from", NULL, NULL);
    const struct hd_setting *to = hd_asked_said(asked, "trace.to", NULL, NULL);
    static const char *const yes_no[] = {"no", "yes"};
    if (!file)
        return hd_usage(problem, "--trace: which requests to replay is not said; "
                                 "expected --trace FILE");
    int sort = hd_asked_word(asked, "trace.sort", yes_no, 2, problem);
    double before_s, after_s;
    if (sort < 0 || !margin(asked, "window.warm_up", &before_s, problem) ||
        !margin(asked, "window.cool_down", &after_s, problem))
        return false;
    const char *format = hd_asked_find(asked, "trace.format", NULL, NULL)->value;
    struct hd_trace_options options = HD_TRACE_OPTIONS;
    options.format = strcmp(format, "auto") == 0 ? NULL : format;
    options.sort = sort;
    const char *lengths = hd_asked_find(asked, "trace.lengths", NULL, NULL)->value;
    options.lengths = strcmp(lengths, "none") == 0 ? NULL : lengths;
    options.seed = r->question.seed;
    if (!hd_asked_integer(asked, "trace.skip_bad", 0, 1000000, &options.skip_bad,
                          problem))
        return false;
    options.from = from ? from->value : NULL;
    options.to = to ? to->value : NULL;
    options.before_s = before_s;
    options.after_s = after_s;
    struct hd_err err = {0};
    r->trace = hd_trace_load(file->value, &options, &err);
    if (!r->trace) return trace_fails(err.text, asked, problem);
    r->stats = hd_alloc(sizeof *r->stats);
    *r->stats = hd_trace_stats(r->trace, HD_SERVICE_S_PUBLISHED);
    r->question.trace = r->trace;
    return lay_window(asked, r, before_s, after_s, problem);
}

/* ---- the record ---------------------------------------------------------- */

static char *quoted(const char *word) {
    size_t safe = strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789_-+=.,:/@%");
    if (*word && word[safe] == '\0') return hd_strdup(word);
    char *text = hd_strdup("'");
    for (; *word; word++) {
        char *longer =
            *word == '\'' ? hd_format("%s'\\''", text) : hd_format("%s%c", text, *word);
        free(text);
        text = longer;
    }
    char *whole = hd_format("%s'", text);
    free(text);
    return whole;
}

/* The command line without what cannot change a result: where it is written to,
 * and by how many threads. */
static char *command_line(const struct hd_asked *asked, const struct hd_args *args) {
    char *line =
        hd_format("hotdesk %s", asked->command == HD_FOR_REPLAY ? "replay" : "compare");
    for (int i = 0; i < args->count; i++) {
        const struct hd_option *o = args->given[i].option;
        if (o->group == HD_GROUP_WRITTEN || strcmp(o->name, "jobs") == 0) continue;
        char *value = o->value ? quoted(args->given[i].value) : hd_strdup("");
        char *longer =
            hd_format("%s --%s%s%s", line, o->name, o->value ? " " : "", value);
        free(value);
        free(line);
        line = longer;
    }
    return line;
}

static char *models_text(const struct hd_asked *asked) {
    char *text = NULL;
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "models") != 0) continue;
        if (s->field && strcmp(s->field, "model") != 0) continue;
        char *longer = hd_format("%s%s%s%s%s", text ? text : "", text ? ";" : "",
                                 s->name ? s->name : "", s->name ? "=" : "", s->value);
        free(text);
        text = longer;
    }
    return text ? text : hd_strdup("as named in the trace");
}

/* ---- the whole ----------------------------------------------------------- */

static bool resolve_run(struct hd_asked *asked, struct hd_question *q,
                        struct hd_problem *problem) {
    long seed, jobs = sysconf(_SC_NPROCESSORS_ONLN);
    if (!hd_asked_integer(asked, "seed", 0, 4294967295, &seed, problem)) return false;
    q->seed = (uint64_t)seed;
    const struct hd_setting *s = hd_asked_find(asked, "jobs", NULL, NULL);
    if (s && strcmp(s->value, "auto") != 0 &&
        !hd_asked_integer(asked, "jobs", 1, 4096, &jobs, problem))
        return false;
    q->jobs = jobs < 1 ? 1 : (int)jobs;
    return true;
}

bool hd_resolve(struct hd_asked *asked, const struct hd_args *words,
                struct hd_resolved *r, struct hd_problem *problem) {
    struct hd_question *q = &r->question;
    struct hd_err err = {0};
    r->catalog = hd_catalog_load(&err);
    if (!r->catalog) return hd_bad_input(problem, "%s", err.text);
    q->catalog = r->catalog;
    r->engines = hd_engines_load(&err);
    if (!r->engines) return hd_bad_input(problem, "%s", err.text);
    q->command = command_line(asked, words);
    q->scenario_path = asked->scenario ? hd_strdup(asked->scenario) : NULL;
    q->models_text = models_text(asked);
    q->step = hd_args_get(words, "step") != NULL;
    q->profile = hd_args_get(words, "profile") != NULL;
    if (!resolve_run(asked, q, problem) || !hd_resolve_engine(asked, r, problem) ||
        !hd_resolve_judging(asked, r, problem) ||
        !hd_resolve_serving(asked, r, problem) ||
        !hd_resolve_switching(asked, r, problem) ||
        !hd_resolve_fleet(asked, r, problem) || !hd_resolve_policies(asked, r, problem))
        return false;
    struct hd_model_rules *rules = hd_model_rules_read(asked, r, problem);
    bool fine = rules && hd_resolve_trace(asked, r, problem) &&
                hd_model_rules_apply(rules, r, problem);
    hd_model_rules_free(rules);
    return fine;
}

void hd_resolved_free(struct hd_resolved *r) {
    struct hd_question *q = &r->question;
    for (int i = 0; i < q->models && q->model; i++) {
        free(q->model[i].name);
        free(q->model[i].gpu);
    }
    free(q->model);
    for (int i = 0; i < q->classes; i++) free(q->slo[i].name);
    free(q->slo);
    for (int i = 0; i < q->policies; i++) {
        free(q->policy[i].label);
        hd_values_free(q->policy[i].script, q->policy[i].values);
        hd_script_free(q->policy[i].script);
    }
    free(q->policy);
    free(q->command);
    free(q->scenario_path);
    free(q->fleet_text);
    free(q->models_text);
    free(r->stats);
    hd_trace_free(r->trace);
    hd_catalog_free(r->catalog);
    hd_engines_free(r->engines);
    *r = (struct hd_resolved){0};
}
