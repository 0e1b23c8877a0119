/* What counts as good enough, and how the engine serves. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/resolve.h"

static const double DAY_S = 86400;
static const double TBT_MOST_S = 60; /* see hd_run_model in engine/engine.h */

/* ---- SLO ----------------------------------------------------------------- */

static bool limit(const struct hd_setting *s, double *seconds,
                  struct hd_problem *problem) {
    struct hd_err err = {0};
    if (!hd_parse_duration(s->value, seconds, &err))
        return hd_setting_fail(s, problem, "%s", err.text);
    return *seconds > 0 || hd_setting_fail(s, problem,
                                           "'%s' can be kept by nothing; expected more "
                                           "than 0, or none",
                                           s->value);
}

static bool one_class(struct hd_asked *asked, struct hd_question *q,
                      struct hd_problem *problem) {
    q->classes = 1;
    q->slo = hd_alloc(sizeof *q->slo);
    q->slo[0].name = hd_strdup("default");
    return limit(hd_asked_find(asked, "slo.ttft", NULL, NULL), &q->slo[0].ttft_s,
                 problem) &&
           limit(hd_asked_find(asked, "slo.tbt", NULL, NULL), &q->slo[0].tbt_s,
                 problem);
}

static bool resolve_classes(struct hd_asked *asked, struct hd_question *q,
                            struct hd_problem *problem) {
    int capacity = 0;
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "slo.classes") != 0) continue;
        struct hd_slo_class *c = NULL;
        for (int k = 0; k < q->classes; k++)
            if (strcmp(q->slo[k].name, s->name) == 0) c = &q->slo[k];
        if (!c) {
            q->slo = hd_grow(q->slo, &capacity, q->classes + 1, sizeof *q->slo);
            c = &q->slo[q->classes++];
            *c = (struct hd_slo_class){.name = hd_strdup(s->name)};
        }
        struct hd_err err = {0};
        if (strcmp(s->field, "attain") == 0) {
            if (!hd_parse_fraction(s->value, &c->attain, &err))
                return hd_setting_fail(s, problem, "%s", err.text);
        } else if (!limit(s, strcmp(s->field, "ttft") == 0 ? &c->ttft_s : &c->tbt_s,
                          problem)) {
            return false;
        }
    }
    return q->classes > 0 || one_class(asked, q, problem);
}

/* ---- lists --------------------------------------------------------------- */

struct collecting {
    struct hd_question *question;
    const struct hd_setting *setting;
};

static bool take_attain(void *context, const char *piece, struct hd_problem *problem) {
    struct collecting *c = context;
    struct hd_question *q = c->question;
    struct hd_err err = {0};
    double attain;
    if (!hd_parse_fraction(piece, &attain, &err))
        return hd_setting_fail(c->setting, problem, "%s", err.text);
    for (int i = 0; i < q->attains; i++)
        if (q->attain[i] == attain)
            return hd_setting_fail(c->setting, problem, "%s stands there twice", piece);
    if (q->attains == HD_ATTAINS_MAX)
        return hd_setting_fail(c->setting, problem, "more than %d of them",
                               HD_ATTAINS_MAX);
    q->attain[q->attains++] = attain;
    return true;
}

static bool take_scale(void *context, const char *piece, struct hd_problem *problem) {
    struct collecting *c = context;
    struct hd_question *q = c->question;
    struct hd_err err = {0};
    double scale;
    if (!hd_parse_number(piece, &scale, &err))
        return hd_setting_fail(c->setting, problem, "%s", err.text);
    if (scale <= 0 || scale > 1000)
        return hd_setting_fail(c->setting, problem,
                               "%s is not a scale; expected more than 0 and at most "
                               "1000, where 1 is the limits as they are",
                               piece);
    for (int i = 0; i < q->scales; i++)
        if (q->scale[i] == scale)
            return hd_setting_fail(c->setting, problem, "%s stands there twice", piece);
    if (q->scales == HD_SCALES_MAX)
        return hd_setting_fail(c->setting, problem, "more than %d of them",
                               HD_SCALES_MAX);
    q->scale[q->scales++] = scale;
    return true;
}

static bool take_rule(void *context, const char *piece, struct hd_problem *problem) {
    static const char *const rules[] = {"model", "pooled"}; /* as in hd_pass_rule */
    struct collecting *c = context;
    int rule = hd_word_of(c->setting, piece, rules, 2, problem);
    if (rule < 0) return false;
    if (c->question->pass[rule])
        return hd_setting_fail(c->setting, problem, "%s stands there twice", piece);
    c->question->pass[rule] = true;
    return true;
}

static bool collect(struct hd_asked *asked, const char *key, struct hd_question *q,
                    bool (*take)(void *, const char *, struct hd_problem *),
                    struct hd_problem *problem) {
    struct collecting c = {q, hd_asked_find(asked, key, NULL, NULL)};
    /* One scenario serves both commands: a replay is judged by the first entry. On
     * its own command line a list is a mistake. */
    const char *comma = strchr(c.setting->value, ',');
    if (asked->command == HD_FOR_COMPARE || !comma)
        return hd_each_piece(c.setting, c.setting->value, ',', take, &c, problem);
    if (c.setting->origin == HD_FROM_OPTION)
        return hd_setting_fail(c.setting, problem,
                               "'%s' is a list; a replay is judged by one of them",
                               c.setting->value);
    char *first = hd_format("%.*s", (int)(comma - c.setting->value), c.setting->value);
    bool fine = take(&c, first, problem);
    free(first);
    return fine;
}

/* Deadlines are instants, and there is a last tick: no limit of the class may exceed
 * `most` at any scale. */
static bool check_limit(struct hd_asked *asked, const struct hd_question *q,
                        const struct hd_slo_class *c, bool ttft,
                        struct hd_problem *problem) {
    double limit_s = ttft ? c->ttft_s : c->tbt_s, most = ttft ? DAY_S : TBT_MOST_S;
    const struct hd_setting *s =
        hd_asked_said(asked, "slo.classes", c->name, ttft ? "ttft" : "tbt");
    if (!s) s = hd_asked_find(asked, ttft ? "slo.ttft" : "slo.tbt", NULL, NULL);
    for (int k = 0; k < q->scales && isfinite(limit_s); k++)
        if (limit_s * q->scale[k] >= most)
            return hd_setting_fail(s, problem,
                                   "'%s' at scale %g is too long; expected less than "
                                   "%g s, or none",
                                   s->value, q->scale[k], most);
    return true;
}

static bool check_limits(struct hd_asked *asked, const struct hd_question *q,
                         struct hd_problem *problem) {
    for (int i = 0; i < q->classes; i++)
        if (!check_limit(asked, q, &q->slo[i], true, problem) ||
            !check_limit(asked, q, &q->slo[i], false, problem))
            return false;
    return true;
}

bool hd_resolve_judging(struct hd_asked *asked, struct hd_resolved *r,
                        struct hd_problem *problem) {
    static const char *const metrics[] = {"token", "ratio", "request"};
    static const char *const unservable[] = {"fail", "drop", "clip"};
    struct hd_question *q = &r->question;
    if (!resolve_classes(asked, q, problem)) return false;
    int metric = hd_asked_word(asked, "slo.metric", metrics, HD_METRICS, problem);
    if (metric < 0) return false;
    q->metric = (enum hd_metric)metric;
    int too_long = hd_asked_word(asked, "too_long", unservable, 3, problem);
    if (too_long < 0) return false;
    q->too_long = (enum hd_unservable)too_long;
    int empty = hd_asked_word(asked, "zero_output", unservable, 2, problem);
    if (empty < 0) return false;
    q->zero_output = (enum hd_unservable)empty;
    return collect(asked, "attain", q, take_attain, problem) &&
           collect(asked, "slo_scale", q, take_scale, problem) &&
           collect(asked, "slo.pass", q, take_rule, problem) &&
           check_limits(asked, q, problem);
}

/* ---- serving ---------------------------------------------------------- */

/* Where nothing was said, it is what the engine has. */
static void engine_has(struct hd_asked *asked, const struct hd_engine_profile *p,
                       const char *key, const char *format, double value) {
    char *place = hd_format("engine %s", p->name), *text = hd_format(format, value);
    hd_asked_add(asked, hd_option_of_key(key, asked->command), NULL, NULL, text,
                 HD_FROM_DEFAULT, place);
    free(place);
    free(text);
}

bool hd_resolve_engine(struct hd_asked *asked, struct hd_resolved *r,
                       struct hd_problem *problem) {
    const struct hd_setting *s = hd_asked_find(asked, "serving.engine", NULL, NULL);
    struct hd_err err = {0};
    const struct hd_engine_profile *p = hd_engines_find(r->engines, s->value, &err);
    if (!p) return hd_setting_fail(s, problem, "%s", err.text);
    r->question.engine = p;
    engine_has(asked, p, "serving.max_batch", "%.0f", p->max_batch);
    engine_has(asked, p, "serving.prefill_tokens", "%.0f", p->step_tokens);
    engine_has(asked, p, "serving.chunk", "%.0f", p->chunked ? p->step_tokens : 0);
    engine_has(asked, p, "serving.prefix_cache", p->prefix_cache ? "on" : "off", 0);
    engine_has(asked, p, "serving.watermark", "%g", p->watermark);
    engine_has(asked, p, "serving.gpu_memory", "%g", p->gpu_memory);
    engine_has(asked, p, "serving.front", "%gms", p->front_s * 1e3);
    engine_has(asked, p, "serving.front_sequence", "%gms", p->front_sequence_s * 1e3);
    return true;
}

static bool whole(struct hd_asked *asked, const char *key, long min, int *number,
                  struct hd_problem *problem) {
    long value;
    if (!hd_asked_integer(asked, key, min, 1000000, &value, problem)) return false;
    *number = (int)value;
    return true;
}

static bool slabs(struct hd_asked *asked, struct hd_serving *serving,
                  struct hd_problem *problem) {
    const struct hd_setting *s = hd_asked_find(asked, "serving.kv_slab", NULL, NULL);
    struct hd_err err = {0};
    double bytes;
    serving->slab_bytes = 0;
    if (strcmp(s->value, "none") == 0) return true;
    if (!hd_parse_size(s->value, &bytes, &err))
        return hd_setting_fail(s, problem, "%s, or none", err.text);
    if (bytes < 1 || bytes > 1e12)
        return hd_setting_fail(s, problem,
                               "'%s' is no size of a slab; expected 1B to 1TB, or none",
                               s->value);
    if (serving->prefix_cache)
        return hd_setting_fail(s, problem,
                               "slabs and a cache of prompts do not go together; "
                               "expected none, or --prefix-cache off");
    serving->slab_bytes = (int64_t)bytes;
    return true;
}

bool hd_resolve_serving(struct hd_asked *asked, struct hd_resolved *r,
                        struct hd_problem *problem) {
    struct hd_serving *serving = &r->question.serving;
    *serving = hd_serving_default();
    r->question.sharing = hd_sharing_default();
    double patience, watermark;
    serving->async = r->question.engine->async;
    if (!whole(asked, "serving.max_batch", 1, &serving->max_batch, problem) ||
        !whole(asked, "serving.prefill_tokens", 1, &serving->prefill_tokens, problem) ||
        !whole(asked, "serving.chunk", 0, &serving->chunk_tokens, problem) ||
        !hd_asked_duration_most(asked, "serving.front", 1, &serving->front_s,
                                problem) ||
        !hd_asked_duration_most(asked, "serving.front_sequence", 0.01,
                                &serving->front_sequence_s, problem) ||
        !hd_asked_duration(asked, "serving.patience", &patience, problem))
        return false;
    const struct hd_setting *waits =
        hd_asked_find(asked, "serving.patience", NULL, NULL);
    if (patience <= 0 || (isfinite(patience) && patience > DAY_S))
        return hd_setting_fail(waits, problem,
                               "%s is no time to wait; expected more than 0 and at "
                               "most a day, or none",
                               waits->value);
    serving->patience_s = isfinite(patience) ? patience : 0;

    const struct hd_setting *s = hd_asked_find(asked, "serving.watermark", NULL, NULL);
    struct hd_err err = {0};
    char *end = s->value + strlen(s->value);
    bool percent = end > s->value && end[-1] == '%';
    char *number = hd_format("%.*s", (int)(end - s->value - percent), s->value);
    bool fine = hd_parse_number(number, &watermark, &err);
    free(number);
    if (percent) watermark /= 100;
    if (!fine || watermark < 0 || watermark >= 0.5)
        return hd_setting_fail(s, problem,
                               "'%s' is not a watermark; expected at least 0 and "
                               "less than 0.5",
                               s->value);
    serving->watermark = watermark;

    static const char *const switches[] = {"off", "on"};
    int cached = hd_asked_word(asked, "serving.prefix_cache", switches, 2, problem);
    if (cached < 0) return false;
    serving->prefix_cache = cached;
    if (!slabs(asked, serving, problem)) return false;

    static const char *const ways[] = {"mps", "time_slice"};
    struct hd_sharing *sharing = &r->question.sharing;
    int way = hd_asked_word(asked, "serving.sharing", ways, 2, problem);
    if (way < 0) return false;
    sharing->time_slice = way;
    s = hd_asked_find(asked, "serving.share_limit", NULL, NULL);
    fine = hd_parse_number(s->value, &sharing->share_limit, &err);
    if (!fine || sharing->share_limit < 1 || sharing->share_limit > 48)
        return hd_setting_fail(s, problem, "'%s' is no sum of shares; expected 1 to 48",
                               s->value);

    static const char *const preempts[] = {"recompute", "swap"};
    int preempt = hd_asked_word(asked, "serving.preempt", preempts, 2, problem);
    serving->preempt_swap = preempt > 0;
    return preempt >= 0;
}
