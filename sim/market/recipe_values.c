/* Checked values of a recipe's table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "market/recipe_parts.h"

const struct hd_value *hd_recipe_need(const struct hd_value *table, const char *key,
                                      struct hd_err *err) {
    const struct hd_value *v = hd_value_find(table, key);
    if (!v) hd_value_fail(table, err, "has no `%s`", key);
    return v;
}

bool hd_recipe_item(const struct hd_value *v, double min, double max, double *out,
                    struct hd_err *err) {
    if (!hd_value_number(v, out, err)) return false;
    if (*out >= min && *out <= max) return true;
    return hd_value_fail(v, err, "%g lies outside %g to %g", *out, min, max);
}

bool hd_recipe_number(const struct hd_value *table, const char *key, double min,
                      double max, double *out, struct hd_err *err) {
    const struct hd_value *v = hd_recipe_need(table, key, err);
    return v && hd_recipe_item(v, min, max, out, err);
}

bool hd_recipe_integer(const struct hd_value *table, const char *key, int min, int max,
                       int *out, struct hd_err *err) {
    long value;
    const struct hd_value *v = hd_recipe_need(table, key, err);
    if (!v || !hd_value_integer(v, min, max, &value, err)) return false;
    *out = (int)value;
    return true;
}

bool hd_recipe_duration(const struct hd_value *table, const char *key, bool zero,
                        double *out, struct hd_err *err) {
    const struct hd_value *v = hd_recipe_need(table, key, err);
    const char *text;
    struct hd_err why = {0};
    if (!v || !hd_value_text(v, &text, err)) return false;
    if (!hd_parse_duration(text, out, &why))
        return hd_value_fail(v, err, "%s", why.text);
    if ((*out > 0 || (zero && *out == 0)) && *out <= 90.0 * 86400) return true;
    return hd_value_fail(v, err, "'%s' lies outside 0 to 90 days", text);
}

int hd_recipe_word(const struct hd_value *table, const char *key,
                   const char *const *words, int count, struct hd_err *err) {
    const struct hd_value *v = hd_recipe_need(table, key, err);
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

static void append(char **list, char *entry) {
    char *longer = *list ? hd_format("%s, %s", *list, entry) : hd_strdup(entry);
    free(*list);
    free(entry);
    *list = longer;
}

const struct hd_value *hd_recipe_part(struct hd_market *m, const struct hd_value *root,
                                      const char *name, const char *const *keys,
                                      int count, bool array, const char *how,
                                      struct hd_err *err) {
    static const char *const labels[] = {"real", "fitted", "published", "invented"};
    const struct hd_value *v = hd_recipe_need(root, name, err);
    if (!v || !hd_value_table(v, err) || !hd_value_only(v, keys, count, array, err))
        return NULL;
    int label = hd_recipe_word(v, "label", labels, HD_COUNT(labels), err);
    if (label < 0) return NULL;
    append(&m->parts, how ? hd_format("%s %s (%s)", name, labels[label], how)
                          : hd_format("%s %s", name, labels[label]));
    return v;
}

const char *hd_recipe_file_name(const struct hd_value *v) {
    const char *slash = strrchr(v->text, '/');
    return slash ? slash + 1 : v->text;
}

void hd_recipe_source(struct hd_market *m, const char *name, const char *sha256) {
    char *entry = hd_format("%s (sha256 %.12s)", name, sha256);
    if (m->sources && strstr(m->sources, entry))
        free(entry);
    else
        append(&m->sources, entry);
}

struct hd_trace *hd_recipe_trace(struct hd_market *m, const struct hd_value *part,
                                 bool times_only, struct hd_err *err) {
    const struct hd_value *v = hd_recipe_need(part, "from", err);
    if (!v) return NULL;
    if (v->type != HD_VALUE_FILE || strcmp(v->call, "trace") != 0) {
        hd_value_fail(v, err, "expected trace \"FILE\"");
        return NULL;
    }
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    struct hd_err why = {0};
    asked.before_s = asked.after_s = 0;
    asked.times_only = times_only;
    struct hd_trace *t = hd_trace_load(v->text, &asked, &why);
    if (!t) {
        hd_value_fail(v, err, "%s", why.text);
        return NULL;
    }
    hd_recipe_source(m, t->name, t->sha256);
    return t;
}

bool hd_recipe_normalise(const struct hd_value *v, double *share, int count,
                         struct hd_err *err) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += share[i];
    if (fabs(sum - 1) > 0.01)
        return hd_value_fail(v, err, "shares sum to %g; expected 1", sum);
    for (int i = 0; i < count; i++) share[i] /= sum;
    return true;
}

bool hd_recipe_gap_law(const struct hd_value *v, const char *key, enum hd_gap_law *law,
                       double *cv_out, struct hd_err *err) {
    static const char *const laws[] = {"poisson", "gamma", "weibull"};
    int number = hd_recipe_word(v, key, laws, HD_COUNT(laws), err);
    if (number < 0) return false;
    *law = (enum hd_gap_law)number;
    if (*law != HD_GAP_POISSON) return hd_recipe_number(v, "cv", 0.05, 10, cv_out, err);
    const struct hd_value *cv = hd_value_find(v, "cv");
    return !cv ||
           hd_value_fail(cv, err, "gaps of kind poisson have cv 1: leave it out");
}
