/* A recipe's popularity. */
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "market/recipe_parts.h"
#include "trace/stats.h"

static const char *const kinds[] = {"zipf",   "classes", "shares",   "uniform",
                                    "points", "trace",   "two-class"};

static bool read_classes(struct hd_market *m, const struct hd_value *v,
                         struct hd_err *err) {
    static const char *const keys[] = {"models", "share"};
    int *models = hd_alloc((size_t)(v->items + 1) * sizeof *models), sum = 0;
    double *share = hd_alloc((size_t)(v->items + 1) * sizeof *share);
    bool ok = true;
    for (int i = 0; i < v->items && ok; i++) {
        const struct hd_value *c = &v->item[i];
        ok = hd_value_table(c, err) &&
             hd_value_only(c, keys, HD_COUNT(keys), false, err) &&
             hd_recipe_integer(c, "models", 1, m->models, &models[i], err) &&
             hd_recipe_number(c, "share", 1e-9, 1.01, &share[i], err);
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
    ok = ok && hd_recipe_normalise(v, share, v->items, err);
    if (ok) hd_share_classes(m->share, models, share, v->items);
    free(models);
    free(share);
    return ok;
}

/* Both rise to all models and the whole. */
static bool check_points(const struct hd_market *m, const struct hd_value *v,
                         const int *models, const double *share, struct hd_err *err) {
    for (int i = 1; i < v->items; i++)
        if (models[i] <= models[i - 1] || share[i] <= share[i - 1])
            return hd_value_fail(&v->item[i], err,
                                 "the first %d models hold %g, after the first %d hold "
                                 "%g; expected both to rise",
                                 models[i], share[i], models[i - 1], share[i - 1]);
    if (v->items && models[v->items - 1] == m->models && share[v->items - 1] == 1)
        return true;
    return hd_value_fail(v, err, "the last point is to be all %d models with share 1",
                         m->models);
}

static bool read_points(struct hd_market *m, const struct hd_value *v,
                        struct hd_err *err) {
    static const char *const keys[] = {"models", "share"};
    int *models = hd_alloc((size_t)(v->items + 1) * sizeof *models);
    double *share = hd_alloc((size_t)(v->items + 1) * sizeof *share);
    bool ok = true;
    for (int i = 0; i < v->items && ok; i++) {
        const struct hd_value *p = &v->item[i];
        ok = hd_value_table(p, err) &&
             hd_value_only(p, keys, HD_COUNT(keys), false, err) &&
             hd_recipe_integer(p, "models", 1, m->models, &models[i], err) &&
             hd_recipe_number(p, "share", 1e-9, 1, &share[i], err);
    }
    ok = ok && check_points(m, v, models, share, err);
    if (ok) hd_share_points(m->share, models, share, v->items);
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
    return hd_recipe_normalise(v, m->share, m->models, err);
}

static bool read_zipf(struct hd_market *m, const struct hd_value *v,
                      struct hd_err *err) {
    double s, shift;
    if (!hd_recipe_number(v, "s", 0, 20, &s, err) ||
        !hd_recipe_number(v, "shift", 0, 1e6, &shift, err))
        return false;
    hd_share_zipf(m->share, m->models, s, shift);
    return true;
}

/* As many hot models as the fraction comes nearest to, at least one of each kind. */
static bool read_two_class(struct hd_market *m, const struct hd_value *v,
                           struct hd_err *err) {
    double cold_models, cold_share;
    if (!hd_recipe_number(v, "cold_models", 0, 1, &cold_models, err) ||
        !hd_recipe_number(v, "cold_share", 1e-9, 1 - 1e-9, &cold_share, err))
        return false;
    int cold = (int)round(cold_models * m->models);
    if (cold < 1 || cold >= m->models)
        return hd_value_fail(v, err, "%g of %d models are %d; expected some of each",
                             cold_models, m->models, cold);
    hd_share_classes(m->share, (const int[]){m->models - cold, cold},
                     (const double[]){1 - cold_share, cold_share}, 2);
    return true;
}

static bool read_trace(struct hd_market *m, const struct hd_value *v,
                       struct hd_err *err) {
    struct hd_trace *t = hd_recipe_trace(m, v, true, err);
    if (!t) return false;
    bool ok = t->models == m->models ||
              hd_value_fail(v, err, "%s has %d models; `models` says %d", t->name,
                            t->models, m->models);
    int *order = hd_trace_by_popularity(t);
    for (int i = 0; ok && i < m->models; i++)
        m->share[i] = (double)t->model_rows[order[i]] / (double)t->rows;
    free(order);
    hd_trace_free(t);
    return ok;
}

bool hd_recipe_popularity(struct hd_market *m, const struct hd_value *root,
                          struct hd_err *err) {
    static const struct {
        bool (*read)(struct hd_market *, const struct hd_value *, struct hd_err *);
        bool list;
        const char *keys[4]; /* beside kind and label */
    } read[] = {
        {read_zipf, false, {"kind", "label", "s", "shift"}},
        {read_classes, true, {"kind", "label"}},
        {read_shares, true, {"kind", "label"}},
        {NULL, false, {"kind", "label"}},
        {read_points, true, {"kind", "label"}},
        {read_trace, false, {"kind", "label", "from"}},
        {read_two_class, false, {"kind", "label", "cold_models", "cold_share"}},
    };
    static const char *const keys[] = {"kind", "label",       "s",         "shift",
                                       "from", "cold_models", "cold_share"};
    const struct hd_value *v =
        hd_recipe_part(m, root, "popularity", keys, HD_COUNT(keys), true, NULL, err);
    int kind = v ? hd_recipe_word(v, "kind", kinds, HD_COUNT(kinds), err) : -1;
    if (kind < 0) return false;
    int known = 2;
    while (known < 4 && read[kind].keys[known]) known++;
    if (!hd_value_only(v, read[kind].keys, known, true, err)) return false;
    if (v->items && !read[kind].list)
        return hd_value_fail(v, err, "kind %s takes no list", kinds[kind]);
    m->share = hd_alloc((size_t)m->models * sizeof *m->share);
    if (read[kind].read) return read[kind].read(m, v, err);
    hd_share_classes(m->share, &m->models, (const double[]){1}, 1);
    return true;
}
