/* From a recipe's table to a market, every value checked. */
#include "trace/recipe.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/settings.h"
#include "base/units.h"

enum { MODELS_MAX = 100000 };
#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

/* The value of that name in a table; missing is an error at the table. */
static const struct hd_value *need(const struct hd_value *table, const char *key,
                                   struct hd_err *err) {
    const struct hd_value *v = hd_value_find(table, key);
    if (!v) hd_value_fail(table, err, "has no `%s`", key);
    return v;
}

static bool number(const struct hd_value *table, const char *key, double min,
                   double max, double *out, struct hd_err *err) {
    const struct hd_value *v = need(table, key, err);
    if (!v || !hd_value_number(v, out, err)) return false;
    if (*out >= min && *out <= max) return true;
    return hd_value_fail(v, err, "%g lies outside %g to %g", *out, min, max);
}

static bool integer(const struct hd_value *table, const char *key, int min, int max,
                    int *out, struct hd_err *err) {
    long value;
    const struct hd_value *v = need(table, key, err);
    if (!v || !hd_value_integer(v, min, max, &value, err)) return false;
    *out = (int)value;
    return true;
}

static bool duration(const struct hd_value *table, const char *key, double *out,
                     struct hd_err *err) {
    const struct hd_value *v = need(table, key, err);
    const char *text;
    struct hd_err why = {0};
    if (!v || !hd_value_text(v, &text, err)) return false;
    if (!hd_parse_duration(text, out, &why))
        return hd_value_fail(v, err, "%s", why.text);
    if (*out > 0 && *out <= 90.0 * 86400) return true;
    return hd_value_fail(v, err, "'%s' lies outside 0 to 90 days", text);
}

/* One of several words; its index, or -1. */
static int word(const struct hd_value *table, const char *key, const char *const *words,
                int count, struct hd_err *err) {
    const struct hd_value *v = need(table, key, err);
    const char *text;
    if (!v || !hd_value_text(v, &text, err)) return -1;
    char list[128];
    int used = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(text, words[i]) == 0) return i;
        used += snprintf(list + used, sizeof list - (size_t)used, "%s%s", i ? ", " : "",
                         words[i]);
    }
    hd_value_fail(v, err, "'%.60s' is none of %s", text, list);
    return -1;
}

/* A part of the recipe: a table with known keys and a label, which joins the text
 * that travels with the trace. */
static const struct hd_value *part(struct hd_market *m, const struct hd_value *root,
                                   const char *name, const char *const *keys, int count,
                                   bool array, struct hd_err *err) {
    static const char *const labels[] = {"real", "fitted", "published", "invented"};
    const struct hd_value *v = need(root, name, err);
    if (!v || !hd_value_table(v, err) || !hd_value_only(v, keys, count, array, err))
        return NULL;
    int label = word(v, "label", labels, COUNT(labels), err);
    if (label < 0) return NULL;
    char *parts = m->parts ? hd_format("%s, %s %s", m->parts, name, labels[label])
                           : hd_format("%s %s", name, labels[label]);
    free(m->parts);
    m->parts = parts;
    return v;
}

static bool read_load(struct hd_market *m, const struct hd_value *root,
                      struct hd_err *err) {
    static const char *const keys[] = {"rate_per_s", "span", "label"};
    const struct hd_value *v = part(m, root, "load", keys, COUNT(keys), false, err);
    return v && number(v, "rate_per_s", 1e-9, 1e6, &m->rate_per_s, err) &&
           duration(v, "span", &m->span_s, err);
}

/* Shares must sum to 1 to within 1 %, and are then made to. */
static bool normalise(const struct hd_value *v, double *share, int count,
                      struct hd_err *err) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += share[i];
    if (fabs(sum - 1) > 0.01)
        return hd_value_fail(v, err, "shares sum to %g; expected 1", sum);
    for (int i = 0; i < count; i++) share[i] /= sum;
    return true;
}

static bool read_classes(struct hd_market *m, const struct hd_value *v,
                         struct hd_err *err) {
    static const char *const keys[] = {"models", "share"};
    int *models = hd_alloc((size_t)(v->items + 1) * sizeof *models), sum = 0;
    double *share = hd_alloc((size_t)(v->items + 1) * sizeof *share);
    bool ok = true;
    for (int i = 0; i < v->items && ok; i++) {
        const struct hd_value *c = &v->item[i];
        ok = hd_value_table(c, err) &&
             hd_value_only(c, keys, COUNT(keys), false, err) &&
             integer(c, "models", 1, m->models, &models[i], err) &&
             number(c, "share", 1e-9, 1.01, &share[i], err);
        if (ok) sum += models[i];
        if (ok && sum > m->models)
            ok = hd_value_fail(v, err,
                               "the classes have more than %d models, which is "
                               "what `models` says",
                               m->models);
    }
    if (ok && sum != m->models)
        ok = hd_value_fail(v, err, "the classes have %d models; `models` says %d", sum,
                           m->models);
    ok = ok && normalise(v, share, v->items, err);
    if (ok) hd_share_classes(m->share, models, share, v->items);
    free(models);
    free(share);
    return ok;
}

static bool read_shares(struct hd_market *m, const struct hd_value *v,
                        struct hd_err *err) {
    if (v->items != m->models)
        return hd_value_fail(v, err, "%d shares; `models` says %d", v->items,
                             m->models);
    for (int i = 0; i < v->items; i++) {
        if (!hd_value_number(&v->item[i], &m->share[i], err)) return false;
        if (!(m->share[i] > 0 && m->share[i] <= 1.01))
            return hd_value_fail(&v->item[i], err,
                                 "%g is no share; expected more than "
                                 "0 and at most 1",
                                 m->share[i]);
    }
    return normalise(v, m->share, m->models, err);
}

static bool read_zipf(struct hd_market *m, const struct hd_value *v,
                      struct hd_err *err) {
    double s, shift;
    if (v->items) return hd_value_fail(v, err, "kind zipf takes no list");
    if (!number(v, "s", 0, 20, &s, err) || !number(v, "shift", 0, 1e6, &shift, err))
        return false;
    hd_share_zipf(m->share, m->models, s, shift);
    return true;
}

static bool read_popularity(struct hd_market *m, const struct hd_value *root,
                            struct hd_err *err) {
    static const char *const kinds[] = {"zipf", "classes", "shares"};
    static const char *const keys[] = {"kind", "label", "s", "shift"};
    const struct hd_value *v =
        part(m, root, "popularity", keys, COUNT(keys), true, err);
    int kind = v ? word(v, "kind", kinds, COUNT(kinds), err) : -1;
    if (kind < 0) return false;
    m->share = hd_alloc((size_t)m->models * sizeof *m->share);
    if (kind == 0) return read_zipf(m, v, err);
    if (!hd_value_only(v, keys, 2, true, err)) return false;
    return kind == 1 ? read_classes(m, v, err) : read_shares(m, v, err);
}

static bool read_arrivals(struct hd_market *m, const struct hd_value *root,
                          struct hd_err *err) {
    static const char *const kinds[] = {"poisson", "gamma", "weibull"};
    static const char *const keys[] = {"kind", "label", "cv"};
    const struct hd_value *v = part(m, root, "arrivals", keys, COUNT(keys), false, err);
    int kind = v ? word(v, "kind", kinds, COUNT(kinds), err) : -1;
    if (kind < 0) return false;
    m->gaps = (enum hd_gap_law)kind;
    m->gap_cv = 1;
    if (m->gaps != HD_GAP_POISSON) return number(v, "cv", 0.05, 10, &m->gap_cv, err);
    const struct hd_value *cv = hd_value_find(v, "cv");
    return !cv ||
           hd_value_fail(cv, err, "gaps of kind poisson have cv 1: leave it out");
}

static bool read_on_off(const struct hd_value *v, struct hd_on_off *law,
                        struct hd_err *err) {
    return duration(v, "on", &law->on_s, err) && duration(v, "off", &law->off_s, err) &&
           number(v, "quiet", 0, 1, &law->quiet, err);
}

static bool read_activity(struct hd_market *m, const struct hd_value *root,
                          struct hd_err *err) {
    static const char *const keys[] = {"on", "off", "quiet", "label", "count", "size"};
    if (hd_value_find(root, "bursts")) {
        const struct hd_value *v = part(m, root, "bursts", keys, 4, false, err);
        if (!v || !read_on_off(v, &m->bursts, err)) return false;
    }
    if (!hd_value_find(root, "groups")) return true;
    const struct hd_value *v = part(m, root, "groups", keys, COUNT(keys), false, err);
    return v && integer(v, "count", 1, m->models, &m->groups, err) &&
           integer(v, "size", 1, m->models / m->groups, &m->group_size, err) &&
           read_on_off(v, &m->group_activity, err);
}

static bool read_length(struct hd_market *m, const struct hd_value *root,
                        const char *name, struct hd_length_law *law,
                        struct hd_err *err) {
    static const char *const keys[] = {"p50", "mean", "min", "max", "label"};
    const struct hd_value *v = part(m, root, name, keys, COUNT(keys), false, err);
    if (!v || !number(v, "p50", 1, 1e8, &law->p50, err) ||
        !number(v, "mean", 1, 1e8, &law->mean, err) ||
        !integer(v, "min", 1, 100000000, &law->min, err) ||
        !integer(v, "max", law->min, 100000000, &law->max, err))
        return false;
    if (law->mean <= law->p50)
        return hd_value_fail(v, err, "mean %g is not above p50 %g, as a lognormal's is",
                             law->mean, law->p50);
    double zeta = log(law->p50), sigma = sqrt(2 * log(law->mean / law->p50));
    double inside = gsl_cdf_lognormal_P(law->max + 0.5, zeta, sigma) -
                    gsl_cdf_lognormal_P(law->min - 0.5, zeta, sigma);
    if (inside >= 0.01) return true;
    return hd_value_fail(v, err, "less than 1 %% of lengths lie within min and max");
}

static bool read_market(struct hd_market *m, const struct hd_value *root,
                        struct hd_err *err) {
    static const char *const keys[] = {"models", "load",   "popularity", "arrivals",
                                       "bursts", "groups", "input",      "output"};
    return hd_value_only(root, keys, COUNT(keys), false, err) &&
           integer(root, "models", 1, MODELS_MAX, &m->models, err) &&
           read_load(m, root, err) && read_popularity(m, root, err) &&
           read_arrivals(m, root, err) && read_activity(m, root, err) &&
           read_length(m, root, "input", &m->input, err) &&
           read_length(m, root, "output", &m->output, err);
}

struct hd_market *hd_recipe_load(const char *path, struct hd_err *err) {
    struct hd_settings *settings = hd_settings_load(path, NULL, 0, err);
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
    free(m->share);
    free(m->parts);
    free(m);
}
