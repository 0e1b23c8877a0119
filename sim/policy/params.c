/* Parameters of a policy: declared defaults, values that a user sets. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "policy/lua_host.h"

struct value { /* text is owned */
    double number;
    bool boolean;
    char *text;
};

struct hd_param_values {
    int count;
    struct value value[];
};

const char *hd_param_type_name(enum hd_param_type type) {
    static const char *const name[] = {"whole number", "number", "true or false",
                                       "text"};
    return name[type];
}

struct hd_param_values *hd_values_new(const struct hd_script *s) {
    struct hd_param_values *v =
        hd_alloc(sizeof *v + sizeof v->value[0] * (size_t)s->params);
    v->count = s->params;
    for (int n = 0; n < s->params; n++) {
        v->value[n].number = s->param[n].number;
        v->value[n].boolean = s->param[n].boolean;
        if (s->param[n].text) v->value[n].text = hd_strdup(s->param[n].text);
    }
    return v;
}

void hd_values_free(const struct hd_script *s, struct hd_param_values *v) {
    (void)s;
    for (int n = 0; v && n < v->count; n++) free(v->value[n].text);
    free(v);
}

/* ---- numbers as text ----------------------------------------------------- */

/* The shortest decimal that reads back the same. */
static char *number_text(double number) {
    char text[32];
    if (isinf(number)) return hd_strdup(number > 0 ? "inf" : "-inf");
    if (number == floor(number) && fabs(number) < 1e15)
        return hd_format("%.0f", number);
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number) break;
    }
    return hd_strdup(text);
}

static char *value_text(enum hd_param_type type, double number, bool boolean,
                        const char *text) {
    if (type == HD_PARAM_TEXT) return hd_strdup(text);
    if (type == HD_PARAM_BOOLEAN) return hd_strdup(boolean ? "true" : "false");
    if (type == HD_PARAM_WHOLE) return hd_format("%lld", (long long)number);
    return number_text(number);
}

char *hd_value_of(const struct hd_script *s, const struct hd_param_values *v, int n) {
    const struct value *own = &v->value[n];
    return value_text(s->param[n].type, own->number, own->boolean, own->text);
}

char *hd_param_default(const struct hd_param *p) {
    return value_text(p->type, p->number, p->boolean, p->text);
}

char *hd_param_limit(const struct hd_param *p, bool max) {
    if (max ? !p->has_max : !p->has_min) return NULL;
    return number_text(max ? p->max : p->min);
}

/* ---- setting ------------------------------------------------------------- */

static bool no_such(const struct hd_script *s, const char *key, struct hd_err *err) {
    char list[600] = "none";
    size_t used = 0;
    for (int n = 0; n < s->params && used < sizeof list - 1; n++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "",
                                 s->param[n].name);
    return hd_fail(err, "%s: policy `%s` has no such parameter; it has: %s", key,
                   s->name, list);
}

static bool read_number(const struct hd_param *p, const char *text, double *number,
                        struct hd_err *err) {
    struct hd_err ignored = {""};
    if (p->type == HD_PARAM_NUMBER && strcmp(text, "inf") == 0)
        *number = INFINITY;
    else if (!hd_parse_number(text, number, &ignored))
        return hd_fail(err, "%s: '%s' is not a number; expected a %s", p->name, text,
                       hd_param_type_name(p->type));
    if (p->type == HD_PARAM_WHOLE &&
        (*number != floor(*number) || fabs(*number) > 0x1p53))
        return hd_fail(err, "%s: '%s'; expected a whole number", p->name, text);
    if ((!p->has_min || *number >= p->min) && (!p->has_max || *number <= p->max))
        return true;
    char *low = p->has_min ? number_text(p->min) : hd_strdup("-inf");
    char *high = p->has_max ? number_text(p->max) : hd_strdup("inf");
    hd_fail(err, "%s: %s is out of range; expected %s to %s", p->name, text, low, high);
    free(low);
    free(high);
    return false;
}

static bool may_be(const struct hd_param *p, const char *text, struct hd_err *err) {
    char list[400] = "";
    size_t used = 0;
    for (int n = 0; n < p->choices; n++) {
        if (strcmp(p->choice[n], text) == 0) return true;
        if (used < sizeof list - 1)
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                     n ? ", " : "", p->choice[n]);
    }
    if (p->choices == 0) return true;
    return hd_fail(err, "%s: '%s'; expected one of: %s", p->name, text, list);
}

bool hd_script_set(const struct hd_script *s, struct hd_param_values *v,
                   const char *key, const char *text, struct hd_err *err) {
    int n = 0;
    while (n < s->params && strcmp(s->param[n].name, key) != 0) n++;
    if (n == s->params) return no_such(s, key, err);
    const struct hd_param *p = &s->param[n];
    struct value *own = &v->value[n];
    switch (p->type) {
    case HD_PARAM_TEXT:
        if (!may_be(p, text, err)) return false;
        free(own->text);
        own->text = hd_strdup(text);
        return true;
    case HD_PARAM_BOOLEAN:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return hd_fail(err, "%s: '%s'; expected true or false", key, text);
        own->boolean = *text == 't';
        return true;
    default:
        break;
    }
    double number;
    if (!read_number(p, text, &number, err)) return false;
    own->number = number;
    return true;
}

void hd_lua_push_values(lua_State *L, const struct hd_script *s,
                        const struct hd_param_values *v) {
    for (int n = 0; n < s->params; n++) {
        const struct hd_param *p = &s->param[n];
        double number = v ? v->value[n].number : p->number;
        if (p->type == HD_PARAM_TEXT)
            lua_pushstring(L, v ? v->value[n].text : p->text);
        else if (p->type == HD_PARAM_BOOLEAN)
            lua_pushboolean(L, v ? v->value[n].boolean : p->boolean);
        else if (p->type == HD_PARAM_WHOLE)
            lua_pushinteger(L, (lua_Integer)number);
        else
            lua_pushnumber(L, number);
        lua_setfield(L, -2, p->name);
    }
}
