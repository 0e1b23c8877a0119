/* A recipe's lengths, sessions and prefixes. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "market/recipe_parts.h"

enum { TOKENS_MAX = 100000000, PAIRS_MAX = 1 << 26 };

static bool read_quantiles(const struct hd_value *v, struct hd_length_law *law,
                           struct hd_err *err) {
    static const char *const keys[] = {"quantiles", "label"};
    const struct hd_value *q = hd_value_find(v, "quantiles");
    if (!hd_value_only(v, keys, HD_COUNT(keys), false, err) ||
        !hd_value_table(q, err) || !hd_value_only(q, NULL, 0, true, err))
        return false;
    if (q->items < 2)
        return hd_value_fail(q, err, "%d quantiles; expected at least 2", q->items);
    law->quantiles = q->items;
    law->quantile = hd_alloc((size_t)q->items * sizeof *law->quantile);
    for (int i = 0; i < q->items; i++) {
        double least = i ? law->quantile[i - 1] : 1;
        if (!hd_recipe_item(&q->item[i], least, TOKENS_MAX, &law->quantile[i], err))
            return false;
    }
    law->min = (int)round(law->quantile[0]);
    law->max = (int)round(law->quantile[q->items - 1]);
    return true;
}

static bool read_law(const struct hd_value *v, struct hd_length_law *law,
                     struct hd_err *err) {
    if (hd_value_find(v, "quantiles")) return read_quantiles(v, law, err);
    if (!hd_recipe_number(v, "p50", 1, TOKENS_MAX, &law->p50, err) ||
        !hd_recipe_number(v, "mean", 1, TOKENS_MAX, &law->mean, err) ||
        !hd_recipe_integer(v, "min", 1, TOKENS_MAX, &law->min, err) ||
        !hd_recipe_integer(v, "max", law->min, TOKENS_MAX, &law->max, err))
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

static const char *const law_keys[] = {"p50", "mean",      "min",
                                       "max", "quantiles", "label"};

static bool read_inner_law(const struct hd_value *v, const char *key,
                           struct hd_length_law *law, struct hd_err *err) {
    const struct hd_value *inner = hd_recipe_need(v, key, err);
    return inner && hd_value_table(inner, err) &&
           hd_value_only(inner, law_keys, 5, false, err) && read_law(inner, law, err);
}

/* Pairs with an answer: a request without one says nothing of lengths. */
static bool read_pairs(struct hd_market *m, const struct hd_value *v,
                       struct hd_err *err) {
    static const char *const keys[] = {"kind", "label", "from"};
    struct hd_length_pairs *p = &m->pairs;
    if (!hd_value_only(v, keys, HD_COUNT(keys), false, err)) return false;
    struct hd_trace *t = hd_recipe_trace(m, v, false, err);
    if (!t) return false;
    size_t rows = t->rows < PAIRS_MAX ? (size_t)t->rows : PAIRS_MAX;
    p->input = hd_alloc(rows * sizeof *p->input);
    p->output = hd_alloc(rows * sizeof *p->output);
    for (int64_t i = 0; i < t->rows && p->count < PAIRS_MAX; i++) {
        const struct hd_trace_row *row = &t->row[i];
        if (!row->input_tokens || !row->output_tokens) continue;
        p->input[p->count] = row->input_tokens;
        p->output[p->count++] = row->output_tokens;
        if (row->input_tokens > m->input.max) m->input.max = row->input_tokens;
        if (row->output_tokens > m->output.max) m->output.max = row->output_tokens;
    }
    bool ok = p->count > 0 || hd_value_fail(v, err,
                                            "%s has no request with input and output "
                                            "tokens",
                                            t->name);
    hd_trace_free(t);
    return ok;
}

static bool read_lengths(struct hd_market *m, const struct hd_value *root,
                         struct hd_err *err) {
    static const char *const kinds[] = {"joint", "pairs"};
    static const char *const keys[] = {"kind",   "label",       "input",
                                       "output", "correlation", "from"};
    const struct hd_value *v =
        hd_recipe_part(m, root, "lengths", keys, HD_COUNT(keys), false, NULL, err);
    int kind = v ? hd_recipe_word(v, "kind", kinds, HD_COUNT(kinds), err) : -1;
    if (kind < 0) return false;
    m->lengths = kind ? HD_LENGTHS_PAIRS : HD_LENGTHS_JOINT;
    if (kind) return read_pairs(m, v, err);
    return hd_value_only(v, keys, 5, false, err) &&
           read_inner_law(v, "input", &m->input, err) &&
           read_inner_law(v, "output", &m->output, err) &&
           hd_recipe_number(v, "correlation", -1, 1, &m->correlation, err);
}

static bool read_apart(struct hd_market *m, const struct hd_value *root,
                       const char *name, struct hd_length_law *law,
                       struct hd_err *err) {
    const struct hd_value *v =
        hd_recipe_part(m, root, name, law_keys, HD_COUNT(law_keys), false, NULL, err);
    return v && read_law(v, law, err);
}

static bool read_sessions(struct hd_market *m, const struct hd_value *root,
                          struct hd_err *err) {
    static const char *const keys[] = {"turns", "think", "token", "context_max",
                                       "label"};
    static const char *const think_keys[] = {"p50", "mean"};
    struct hd_session_law *s = &m->sessions;
    const struct hd_value *v =
        hd_recipe_part(m, root, "sessions", keys, HD_COUNT(keys), false, NULL, err);
    const struct hd_value *think = v ? hd_recipe_need(v, "think", err) : NULL;
    if (!think || !hd_recipe_number(v, "turns", 1, 10000, &s->turns, err) ||
        !hd_value_table(think, err) ||
        !hd_value_only(think, think_keys, HD_COUNT(think_keys), false, err) ||
        !hd_recipe_duration(think, "p50", false, &s->think_p50_s, err) ||
        !hd_recipe_duration(think, "mean", false, &s->think_mean_s, err) ||
        !hd_recipe_duration(v, "token", true, &s->token_s, err))
        return false;
    if (s->think_mean_s <= s->think_p50_s)
        return hd_value_fail(think, err,
                             "mean %gs is not above p50 %gs, as a lognormal's is",
                             s->think_mean_s, s->think_p50_s);
    return hd_recipe_integer(v, "context_max", 1, TOKENS_MAX, &s->context_max, err);
}

static bool read_prefixes(struct hd_market *m, const struct hd_value *root,
                          struct hd_err *err) {
    static const char *const keys[] = {"block_tokens", "prompts", "system", "label"};
    struct hd_prefix_law *p = &m->prefixes;
    const struct hd_value *v =
        hd_recipe_part(m, root, "prefixes", keys, HD_COUNT(keys), false, NULL, err);
    return v && hd_recipe_integer(v, "block_tokens", 1, 65536, &p->block_tokens, err) &&
           hd_recipe_integer(v, "prompts", 1, 1000, &p->prompts, err) &&
           read_inner_law(v, "system", &p->system, err);
}

/* The first turn of a session must fit whatever is drawn. */
static bool first_turn_fits(const struct hd_market *m, const struct hd_value *root,
                            struct hd_err *err) {
    int64_t most = (int64_t)m->prefixes.system.max + m->input.max + m->output.max;
    if (!(m->sessions.turns > 0) || most <= m->sessions.context_max) return true;
    return hd_value_fail(hd_value_find(root, "sessions.context_max"), err,
                         "a first turn may have %lld tokens (system, input and output "
                         "at their most); expected at least that",
                         (long long)most);
}

bool hd_recipe_lengths(struct hd_market *m, const struct hd_value *root,
                       struct hd_err *err) {
    const struct hd_value *both = hd_value_find(root, "lengths");
    if (both && (hd_value_find(root, "input") || hd_value_find(root, "output")))
        return hd_value_fail(both, err,
                             "stands beside `input` or `output`; expected one of the "
                             "two");
    if (both ? !read_lengths(m, root, err)
             : !read_apart(m, root, "input", &m->input, err) ||
                   !read_apart(m, root, "output", &m->output, err))
        return false;
    if (hd_value_find(root, "sessions") && !read_sessions(m, root, err)) return false;
    if (hd_value_find(root, "prefixes") && !read_prefixes(m, root, err)) return false;
    return first_turn_fits(m, root, err);
}
