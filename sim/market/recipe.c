/* From a recipe's table to a market: what it is, who is in it, and its parts. */
#include "market/recipe.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "market/recipe_parts.h"
#include "market/recipe_text.h"
#include "market/servegen.h"

enum { MODELS_MAX = 100000, NAME_BYTES_MAX = 64 };

/* A name goes into a CSV field and a note. */
static bool plain_name(const struct hd_value *table, const char *key, const char **name,
                       struct hd_err *err) {
    const struct hd_value *v = hd_recipe_need(table, key, err);
    if (!v || !hd_value_text(v, name, err)) return false;
    const char *text = *name;
    size_t good = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "0123456789._-/");
    if (*text && !text[good] && strlen(text) <= NAME_BYTES_MAX) return true;
    return hd_value_fail(v, err,
                         "'%.80s' is no name; expected 1 to %d letters, digits and . "
                         "_ - /",
                         text, NAME_BYTES_MAX);
}

/* Of `models` models of that prefix in the whole recipe. */
static int models_named(const struct hd_value *names, const char *prefix) {
    double sum = 0;
    for (int i = 0; i < names->items; i++) {
        const struct hd_value *p = hd_value_find(&names->item[i], "prefix");
        const struct hd_value *n = hd_value_find(&names->item[i], "models");
        if (strcmp(p->text, prefix) == 0) sum += n->number;
    }
    return (int)sum;
}

static int named_before(const struct hd_value *names, int end, const char *prefix) {
    struct hd_value part = *names;
    part.items = end;
    return models_named(&part, prefix);
}

static bool read_names(struct hd_market *m, const struct hd_value *root,
                       struct hd_err *err) {
    static const char *const keys[] = {"prefix", "models"};
    const struct hd_value *v = hd_value_find(root, "names");
    if (!v) return true;
    if (!hd_value_table(v, err) || !hd_value_only(v, NULL, 0, true, err)) return false;
    int sum = 0;
    for (int i = 0; i < v->items; i++) {
        const struct hd_value *x = &v->item[i];
        const char *prefix;
        int models;
        if (!hd_value_table(x, err) ||
            !hd_value_only(x, keys, HD_COUNT(keys), false, err) ||
            !plain_name(x, "prefix", &prefix, err) ||
            !hd_recipe_integer(x, "models", 1, m->models, &models, err))
            return false;
        sum += models;
        if (sum > m->models) break;
    }
    if (sum != m->models)
        return hd_value_fail(v, err, "names are for %s%d models; `models` says %d",
                             sum > m->models ? "at least " : "", sum, m->models);
    m->name = hd_alloc((size_t)m->models * sizeof *m->name);
    for (int i = 0, at = 0; i < v->items; i++) {
        const char *prefix = hd_value_find(&v->item[i], "prefix")->text;
        int models = (int)hd_value_find(&v->item[i], "models")->number;
        int width = snprintf(NULL, 0, "%d", models_named(v, prefix));
        int before = named_before(v, i, prefix);
        for (int k = 1; k <= models; k++)
            m->name[at++] = hd_format("%s%0*d", prefix, width, before + k);
    }
    return true;
}

static bool read_load(struct hd_market *m, const struct hd_value *root,
                      struct hd_err *err) {
    static const char *const keys[] = {"rate_per_s", "span", "label"};
    const struct hd_value *v =
        hd_recipe_part(m, root, "load", keys, HD_COUNT(keys), false, NULL, err);
    return v && hd_recipe_number(v, "rate_per_s", 1e-9, 1e6, &m->rate_per_s, err) &&
           hd_recipe_duration(v, "span", false, &m->span_s, err);
}

static bool read_class(struct hd_class_law *c, const struct hd_value *v,
                       struct hd_err *err) {
    static const char *const keys[] = {"name", "share", "deadline",
                                       "deadline_per_token"};
    const char *name;
    c->deadline_s = -1;
    if (!hd_value_table(v, err) ||
        !hd_value_only(v, keys, HD_COUNT(keys), false, err) ||
        !plain_name(v, "name", &name, err) ||
        !hd_recipe_number(v, "share", 1e-9, 1.01, &c->share, err))
        return false;
    c->name = hd_strdup(name);
    const struct hd_value *per_token = hd_value_find(v, "deadline_per_token");
    if (!hd_value_find(v, "deadline"))
        return !per_token || hd_value_fail(per_token, err, "there is no `deadline`");
    return hd_recipe_duration(v, "deadline", true, &c->deadline_s, err) &&
           (!per_token || hd_recipe_duration(v, "deadline_per_token", true,
                                             &c->deadline_per_token_s, err));
}

static bool read_slo_classes(struct hd_market *m, const struct hd_value *root,
                             struct hd_err *err) {
    static const char *const keys[] = {"label"};
    if (!hd_value_find(root, "classes")) return true;
    const struct hd_value *v =
        hd_recipe_part(m, root, "classes", keys, HD_COUNT(keys), true, NULL, err);
    if (!v) return false;
    if (!v->items) return hd_value_fail(v, err, "has no class");
    m->classes = v->items;
    m->class_ = hd_alloc((size_t)v->items * sizeof *m->class_);
    double *share = hd_alloc((size_t)v->items * sizeof *share);
    bool ok = true;
    for (int i = 0; i < v->items && ok; i++) {
        ok = read_class(&m->class_[i], &v->item[i], err);
        share[i] = m->class_[i].share;
        for (int k = 0; k < i && ok; k++)
            if (strcmp(m->class_[k].name, m->class_[i].name) == 0)
                ok = hd_value_fail(&v->item[i], err, "two classes are named %s",
                                   m->class_[i].name);
    }
    ok = ok && hd_recipe_normalise(v, share, v->items, err);
    for (int i = 0; i < v->items && ok; i++) m->class_[i].share = share[i];
    free(share);
    return ok;
}

/* A line for a note: a trace's reader takes no control characters there. */
static bool read_about(struct hd_market *m, const struct hd_value *root,
                       struct hd_err *err) {
    const struct hd_value *v = hd_value_find(root, "about");
    const char *text;
    if (!v) return true;
    if (!hd_value_text(v, &text, err)) return false;
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '"')
            return hd_value_fail(v, err,
                                 "has a character that a note cannot carry; expected "
                                 "printable ASCII without \"");
    m->about = hd_strdup(text);
    m->text = hd_recipe_text(root);
    return true;
}

static bool read_market(struct hd_market *m, const struct hd_value *root,
                        struct hd_err *err) {
    static const char *const keys[] = {"about",      "models",   "names",  "load",
                                       "popularity", "arrivals", "bursts", "rhythm",
                                       "groups",     "input",    "output", "lengths",
                                       "sessions",   "prefixes", "classes"};
    return hd_value_only(root, keys, HD_COUNT(keys), false, err) &&
           hd_recipe_integer(root, "models", 1, MODELS_MAX, &m->models, err) &&
           read_load(m, root, err) && hd_recipe_popularity(m, root, err) &&
           hd_recipe_arrivals(m, root, err) && hd_recipe_activity(m, root, err) &&
           hd_recipe_lengths(m, root, err) && read_slo_classes(m, root, err) &&
           read_names(m, root, err) && read_about(m, root, err) &&
           hd_recipe_stream_suffices(m, root, err);
}

struct hd_market *hd_recipe_load(const char *path, struct hd_err *err) {
    static const char *const calls[] = {"trace", "servegen"};
    struct hd_settings *settings = hd_settings_load(path, calls, 2, err);
    if (!settings) return NULL;
    struct hd_market *market = hd_alloc(sizeof *market);
    bool read = read_market(market, hd_settings_root(settings), err);
    hd_settings_free(settings);
    if (read) return market;
    hd_market_free(market);
    return NULL;
}

void hd_market_free(struct hd_market *m) {
    if (!m) return;
    for (int i = 0; m->name && i < m->models; i++) free(m->name[i]);
    for (int i = 0; i < m->classes; i++) free(m->class_[i].name);
    void *const owned[] = {
        m->name,           m->class_,         m->about,
        m->text,           m->sources,        m->parts,
        m->share,          m->mmpp.level,     m->mmpp.hold_s,
        m->windows.window, m->stream.at_s,    m->stream.rank,
        m->rhythm.level,   m->input.quantile, m->output.quantile,
        m->pairs.input,    m->pairs.output,   m->prefixes.system.quantile};
    for (int i = 0; i < HD_COUNT(owned); i++) free(owned[i]);
    hd_servegen_free(m->own_windows, m->own_window_sets);
    free(m);
}
