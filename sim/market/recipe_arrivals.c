/* A recipe's arrivals, and what moves their rates. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "market/recipe_parts.h"
#include "market/servegen.h"
#include "trace/stats.h"

static bool read_mmpp(struct hd_market *m, const struct hd_value *v,
                      struct hd_err *err) {
    static const char *const keys[] = {"level", "hold"};
    struct hd_mmpp *law = &m->mmpp;
    if (v->items < 2)
        return hd_value_fail(v, err, "%d states; expected at least 2", v->items);
    law->states = v->items;
    law->level = hd_alloc((size_t)v->items * sizeof *law->level);
    law->hold_s = hd_alloc((size_t)v->items * sizeof *law->hold_s);
    double sum = 0, hold = 0;
    for (int i = 0; i < v->items; i++) {
        const struct hd_value *s = &v->item[i];
        if (!hd_value_table(s, err) ||
            !hd_value_only(s, keys, HD_COUNT(keys), false, err) ||
            !hd_recipe_number(s, "level", 0, 1e9, &law->level[i], err) ||
            !hd_recipe_duration(s, "hold", false, &law->hold_s[i], err))
            return false;
        sum += law->level[i] * law->hold_s[i];
        hold += law->hold_s[i];
    }
    if (!(sum > 0)) return hd_value_fail(v, err, "every level is 0");
    for (int i = 0; i < v->items; i++) law->level[i] *= hold / sum;
    return true;
}

/* Each model has the windows of the client of its rank. */
static bool read_servegen(struct hd_market *m, const struct hd_value *v, bool shifted,
                          struct hd_err *err) {
    const struct hd_value *from = hd_value_find(v, "from");
    struct hd_err why = {0};
    char sha256[65];
    if (from->type != HD_VALUE_FILE || strcmp(from->call, "servegen") != 0)
        return hd_value_fail(from, err, "expected servegen \"FOLDER\"");
    if (v->items || hd_value_find(v, "window"))
        return hd_value_fail(v, err, "the folder has the windows: leave the rest out");
    if (hd_value_find(v, "begin") &&
        !hd_recipe_duration(v, "begin", true, &m->windows_begin_s, err))
        return false;
    m->own_windows = hd_servegen_load(from->text, &m->own_window_sets, sha256, &why);
    if (!m->own_windows) return hd_value_fail(from, err, "%s", why.text);
    if (m->own_window_sets < m->models)
        return hd_value_fail(from, err, "%d clients have requests; `models` says %d",
                             m->own_window_sets, m->models);
    for (int i = 0; i < m->models; i++) m->own_windows[i].shifted = shifted;
    hd_recipe_source(m, hd_recipe_file_name(from), sha256);
    char *how = hd_format("%s (windows of the %d busiest clients in %s)", m->parts,
                          m->models, hd_recipe_file_name(from));
    free(m->parts);
    m->parts = how;
    return true;
}

static bool read_windows(struct hd_market *m, const struct hd_value *v,
                         struct hd_err *err) {
    static const char *const keys[] = {"level", "gaps", "cv"};
    struct hd_windows *w = &m->windows;
    const struct hd_value *shifted = hd_value_find(v, "shifted");
    if (shifted && shifted->type != HD_VALUE_BOOLEAN)
        return hd_value_fail(shifted, err, "expected true or false");
    w->shifted = shifted && shifted->boolean;
    if (hd_value_find(v, "from")) return read_servegen(m, v, w->shifted, err);
    if (hd_value_find(v, "begin"))
        return hd_value_fail(hd_value_find(v, "begin"), err,
                             "goes with `from` only: begin the list there");
    if (!hd_recipe_duration(v, "window", false, &w->window_s, err)) return false;
    if (m->span_s / w->window_s > 1e6)
        return hd_value_fail(v, err, "more than a million windows in the span");
    if (!v->items) return hd_value_fail(v, err, "has no windows");
    w->windows = v->items;
    w->window = hd_alloc((size_t)v->items * sizeof *w->window);
    double sum = 0;
    for (int i = 0; i < v->items; i++) {
        const struct hd_value *x = &v->item[i];
        if (!hd_value_table(x, err) ||
            !hd_value_only(x, keys, HD_COUNT(keys), false, err) ||
            !hd_recipe_number(x, "level", 0, 1e9, &w->window[i].level, err) ||
            !hd_recipe_gap_law(x, "gaps", &w->window[i].law, &w->window[i].cv, err))
            return false;
        sum += w->window[i].level;
    }
    if (!(sum > 0)) return hd_value_fail(v, err, "every level is 0");
    for (int i = 0; i < v->items; i++) w->window[i].level *= v->items / sum;
    return true;
}

static void take_stream(struct hd_stream *s, const struct hd_trace *t) {
    int *order = hd_trace_by_popularity(t);
    int32_t *rank = hd_alloc((size_t)t->models * sizeof *rank);
    for (int i = 0; i < t->models; i++) rank[order[i]] = i;
    s->count = t->rows;
    s->at_s = hd_alloc((size_t)t->rows * sizeof *s->at_s);
    s->rank = hd_alloc((size_t)t->rows * sizeof *s->rank);
    for (int64_t i = 0; i < t->rows; i++) {
        s->at_s[i] = hd_s_from_tick(t->row[i].at - t->row[0].at);
        s->rank[i] = rank[t->row[i].model];
    }
    double span_s = s->at_s[t->rows - 1];
    s->cycle_s = span_s + span_s / (double)(t->rows - 1);
    free(rank);
    free(order);
}

static bool read_stream(struct hd_market *m, const struct hd_value *v,
                        struct hd_err *err) {
    static const char *const methods[] = {"thin", "shift", "split", "each"};
    int method = hd_recipe_word(v, "method", methods, HD_COUNT(methods), err);
    if (method < 0) return false;
    m->stream.method = (enum hd_stream_method)method;
    if (hd_value_find(v, "jitter") &&
        !hd_recipe_duration(v, "jitter", false, &m->stream.jitter_s, err))
        return false;
    struct hd_trace *t = hd_recipe_trace(m, v, true, err);
    if (!t) return false;
    bool ok = (t->rows > 1 && t->row[t->rows - 1].at > t->row[0].at) ||
              hd_value_fail(v, err, "%s has no two instants", t->name);
    if (m->stream.method == HD_STREAM_EACH && t->models != m->models)
        ok = hd_value_fail(v, err, "%s has %d models; `models` says %d", t->name,
                           t->models, m->models);
    if (ok) take_stream(&m->stream, t);
    char *how = hd_format("%s (%s of %s)", m->parts, methods[method], t->name);
    free(m->parts);
    m->parts = how;
    hd_trace_free(t);
    return ok;
}

bool hd_recipe_arrivals(struct hd_market *m, const struct hd_value *root,
                        struct hd_err *err) {
    static const char *const kinds[] = {"poisson", "gamma",   "weibull",
                                        "mmpp",    "windows", "stream"};
    static const char *const keys[] = {"kind", "label",  "cv",     "window", "shifted",
                                       "from", "method", "jitter", "begin"};
    static const struct {
        const char *keys[6];
        int count;
    } of[] = {{{"kind", "label", "cv"}, 3},
              {{"kind", "label", "cv"}, 3},
              {{"kind", "label", "cv"}, 3},
              {{"kind", "label"}, 2},
              {{"kind", "label", "window", "shifted", "from", "begin"}, 6},
              {{"kind", "label", "from", "method", "jitter"}, 5}};
    const struct hd_value *v =
        hd_recipe_part(m, root, "arrivals", keys, HD_COUNT(keys), true, NULL, err);
    int kind = v ? hd_recipe_word(v, "kind", kinds, HD_COUNT(kinds), err) : -1;
    if (kind < 0 || !hd_value_only(v, of[kind].keys, of[kind].count, true, err))
        return false;
    if (v->items && kind != 3 && kind != 4)
        return hd_value_fail(v, err, "kind %s takes no list", kinds[kind]);
    m->arrivals = kind < 3 ? HD_ARRIVALS_RENEWAL
                           : (enum hd_arrivals)(HD_ARRIVALS_MMPP + kind - 3);
    if (kind < 3) return hd_recipe_gap_law(v, "kind", &m->gaps, &m->gap_cv, err);
    return kind == 3   ? read_mmpp(m, v, err)
           : kind == 4 ? read_windows(m, v, err)
                       : read_stream(m, v, err);
}

bool hd_recipe_stream_suffices(const struct hd_market *m, const struct hd_value *root,
                               struct hd_err *err) {
    const struct hd_stream *s = &m->stream;
    if (m->arrivals != HD_ARRIVALS_STREAM || s->method != HD_STREAM_THIN) return true;
    double stream_per_s = (double)s->count / s->cycle_s;
    double per_s = m->rate_per_s / (m->sessions.turns > 0 ? m->sessions.turns : 1);
    for (int i = 0; i < m->models; i++)
        if (m->share[i] * per_s > stream_per_s)
            return hd_value_fail(hd_value_find(root, "arrivals"), err,
                                 "the model of rank %d is to have %.4g requests a "
                                 "second and the stream has %.4g: thinning adds none",
                                 i + 1, m->share[i] * per_s, stream_per_s);
    return true;
}

static bool read_on_off(const struct hd_value *v, struct hd_on_off *law,
                        struct hd_err *err) {
    return hd_recipe_duration(v, "on", false, &law->on_s, err) &&
           hd_recipe_duration(v, "off", false, &law->off_s, err) &&
           hd_recipe_number(v, "quiet", 0, 1, &law->quiet, err);
}

/* A cosine, in so many steps a period. */
enum { RHYTHM_STEPS = 96 };

static bool read_cosine(struct hd_rhythm *r, const struct hd_value *v,
                        struct hd_err *err) {
    double peak_s, amplitude;
    if (!hd_recipe_duration(v, "peak", true, &peak_s, err) ||
        !hd_recipe_number(v, "amplitude", 0, 1, &amplitude, err))
        return false;
    r->levels = RHYTHM_STEPS;
    r->level = hd_alloc(RHYTHM_STEPS * sizeof *r->level);
    for (int i = 0; i < RHYTHM_STEPS; i++)
        r->level[i] =
            1 + amplitude *
                    cos(2 * M_PI * ((i + 0.5) / RHYTHM_STEPS - peak_s / r->period_s));
    return true;
}

static bool read_levels(struct hd_rhythm *r, const struct hd_value *v,
                        struct hd_err *err) {
    if (hd_value_find(v, "peak") || hd_value_find(v, "amplitude"))
        return hd_value_fail(v, err,
                             "has a list of levels and a peak or an amplitude; "
                             "expected one of the two");
    double sum = 0;
    r->levels = v->items;
    r->level = hd_alloc((size_t)v->items * sizeof *r->level);
    for (int i = 0; i < v->items; i++) {
        if (!hd_recipe_item(&v->item[i], 0, 1e9, &r->level[i], err)) return false;
        sum += r->level[i];
    }
    if (!(sum > 0)) return hd_value_fail(v, err, "every level is 0");
    for (int i = 0; i < v->items; i++) r->level[i] *= v->items / sum;
    return true;
}

static bool read_rhythm(struct hd_market *m, const struct hd_value *root,
                        struct hd_err *err) {
    static const char *const keys[] = {"period", "spread", "peak", "amplitude",
                                       "label"};
    struct hd_rhythm *r = &m->rhythm;
    const struct hd_value *v =
        hd_recipe_part(m, root, "rhythm", keys, HD_COUNT(keys), true, NULL, err);
    if (!v || !hd_recipe_duration(v, "period", false, &r->period_s, err) ||
        (hd_value_find(v, "spread") &&
         !hd_recipe_duration(v, "spread", true, &r->spread_s, err)))
        return false;
    if (!(v->items ? read_levels(r, v, err) : read_cosine(r, v, err))) return false;
    if (m->span_s / r->period_s * r->levels > 1e6)
        return hd_value_fail(v, err, "more than a million steps in the span");
    return true;
}

bool hd_recipe_activity(struct hd_market *m, const struct hd_value *root,
                        struct hd_err *err) {
    static const char *const keys[] = {"on", "off", "quiet", "label", "count", "size"};
    static const char *const parts[] = {"bursts", "rhythm", "groups"};
    for (int i = 0; i < 3 && m->arrivals == HD_ARRIVALS_STREAM; i++) {
        const struct hd_value *v = hd_value_find(root, parts[i]);
        if (v)
            return hd_value_fail(v, err,
                                 "arrivals of kind stream have the stream's own rate");
    }
    if (hd_value_find(root, "bursts")) {
        const struct hd_value *v =
            hd_recipe_part(m, root, "bursts", keys, 4, false, NULL, err);
        if (!v || !read_on_off(v, &m->bursts, err)) return false;
    }
    if (hd_value_find(root, "rhythm") && !read_rhythm(m, root, err)) return false;
    if (!hd_value_find(root, "groups")) return true;
    const struct hd_value *v =
        hd_recipe_part(m, root, "groups", keys, HD_COUNT(keys), false, NULL, err);
    return v && hd_recipe_integer(v, "count", 1, m->models, &m->groups, err) &&
           hd_recipe_integer(v, "size", 1, m->models / m->groups, &m->group_size,
                             err) &&
           read_on_off(v, &m->group_activity, err);
}
