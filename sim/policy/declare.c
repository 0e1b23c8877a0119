/* Reading what a policy's table declares: everything in it is checked here, before
 * any run, with the line where it stands. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/settings_lines.h"
#include "policy/lua_host.h"

enum { NAME_LENGTH_MAX = 60 };

/* What is being read, for messages. */
struct reader {
    struct hd_script *script;
    lua_State *L;
    struct hd_lines *lines;
    struct hd_err *err;
};

/* "PATH:LINE: KEY: message"; the line of a key of the table, or of a parameter. */
static bool complain(struct reader *r, const char *key, const char *parameter,
                     const char *format, ...) {
    char text[600], place[32] = "", name[160] = "";
    int inside, line = 0, root = hd_lines_root(r->lines);
    if (key && root >= 0) line = hd_lines_find(r->lines, root, key, 0, &inside);
    if (parameter && line && inside >= 0) {
        int own = hd_lines_find(r->lines, inside, parameter, 0, &inside);
        if (own) line = own;
    }
    if (line) snprintf(place, sizeof place, ":%d", line);
    if (key)
        snprintf(name, sizeof name, "%s%s%s: ", key, parameter ? "." : "",
                 parameter ? parameter : "");
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return hd_fail(r->err, "%s%s: %s%s", r->script->path, place, name, text);
}

/* ---- parameters ---------------------------------------------------------- */

static bool is_name(const char *text) {
    size_t length = strlen(text);
    return length && length <= NAME_LENGTH_MAX && !strchr("0123456789", *text) &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_") == length;
}

/* min or max, on top of the stack. */
static bool read_limit(struct reader *r, struct hd_param *p, const char *which) {
    if (p->type > HD_PARAM_NUMBER)
        return complain(r, "params", p->name, "has a %s, but its default is %s", which,
                        hd_param_type_name(p->type));
    if (lua_type(r->L, -1) != LUA_TNUMBER || isnan(lua_tonumber(r->L, -1)))
        return complain(r, "params", p->name, "%s is a %s; expected a number", which,
                        luaL_typename(r->L, -1));
    bool low = which[1] == 'i';
    *(low ? &p->min : &p->max) = lua_tonumber(r->L, -1);
    *(low ? &p->has_min : &p->has_max) = true;
    return true;
}

/* The texts that a parameter may be, on top of the stack. */
static bool read_choices(struct reader *r, struct hd_param *p) {
    lua_State *L = r->L;
    int count = lua_istable(L, -1) ? (int)lua_rawlen(L, -1) : 0;
    if (p->type != HD_PARAM_TEXT || count == 0)
        return complain(r, "params", p->name,
                        "among: expected an array of texts, for a default that is one");
    p->choice = hd_alloc(sizeof *p->choice * (size_t)count);
    while (p->choices < count) {
        if (lua_rawgeti(L, -1, p->choices + 1) != LUA_TSTRING)
            return complain(r, "params", p->name, "among: has a %s; expected texts",
                            luaL_typename(L, -1));
        p->choice[p->choices++] = hd_strdup(lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return true;
}

/* The default, on top of the stack. */
static bool read_default(struct reader *r, struct hd_param *p) {
    switch (lua_type(r->L, -1)) {
    case LUA_TNUMBER:
        p->type = lua_isinteger(r->L, -1) ? HD_PARAM_WHOLE : HD_PARAM_NUMBER;
        p->number = lua_tonumber(r->L, -1);
        if (!isnan(p->number)) return true;
        return complain(r, "params", p->name, "its default is not a number (NaN)");
    case LUA_TBOOLEAN:
        p->type = HD_PARAM_BOOLEAN;
        p->boolean = lua_toboolean(r->L, -1);
        return true;
    case LUA_TSTRING:
        p->type = HD_PARAM_TEXT;
        p->text = hd_strdup(lua_tostring(r->L, -1));
        return true;
    default:
        return complain(r, "params", p->name,
                        "its default is a %s; expected a number, a boolean or a string",
                        luaL_typename(r->L, -1));
    }
}

/* One entry {default, help, min =, max =}, on top of the stack. */
static bool read_param(struct reader *r, struct hd_param *p) {
    lua_State *L = r->L;
    if (!lua_istable(L, -1))
        return complain(r, "params", p->name,
                        "is a %s; expected {default, \"what it is\"}",
                        luaL_typename(L, -1));
    lua_rawgeti(L, -1, 1);
    if (!read_default(r, p)) return false;
    lua_pop(L, 1);
    lua_rawgeti(L, -1, 2);
    if (lua_type(L, -1) != LUA_TSTRING)
        return complain(r, "params", p->name,
                        "has no help text; expected {default, \"what it is\"}");
    p->help = hd_strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) <= 2) continue;
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        bool among = strcmp(key, "among") == 0;
        if (!among && strcmp(key, "min") != 0 && strcmp(key, "max") != 0)
            return complain(
                r, "params", p->name,
                "has an entry '%s'; expected default, help, min, max or among", key);
        if (among ? !read_choices(r, p) : !read_limit(r, p, key)) return false;
    }
    bool known = p->choices == 0;
    for (int n = 0; n < p->choices; n++) known |= strcmp(p->choice[n], p->text) == 0;
    if (!known)
        return complain(r, "params", p->name, "its default '%s' is not among its texts",
                        p->text);
    if ((p->has_min && p->number < p->min) || (p->has_max && p->number > p->max))
        return complain(r, "params", p->name, "its default lies outside its range");
    return true;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct hd_param *)a)->name,
                  ((const struct hd_param *)b)->name);
}

static bool read_params(struct reader *r) {
    lua_State *L = r->L;
    struct hd_script *s = r->script;
    int capacity = 0;
    if (lua_isnil(L, -1)) return true;
    if (!lua_istable(L, -1))
        return complain(r, "params", NULL, "is a %s; expected a table",
                        luaL_typename(L, -1));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !is_name(lua_tostring(L, -2)))
            return complain(
                r, "params", NULL,
                "an entry is not called by a name of letters, digits and _");
        s->param = hd_grow(s->param, &capacity, s->params + 1, sizeof *s->param);
        s->param[s->params] = (struct hd_param){.name = hd_strdup(lua_tostring(L, -2))};
        if (!read_param(r, &s->param[s->params++])) return false;
    }
    if (s->params) qsort(s->param, (size_t)s->params, sizeof *s->param, by_name);
    return true;
}

/* ---- the rest of the table ----------------------------------------------- */

static bool read_oracle(struct reader *r) {
    lua_State *L = r->L;
    if (lua_isnil(L, -1)) return true;
    if (!lua_istable(L, -1))
        return complain(r, "oracle", NULL,
                        "is a %s; expected a table such as {\"output\", \"rates\"}",
                        luaL_typename(L, -1));
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        const char *what = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "?";
        if (lua_isinteger(L, -2) && strcmp(what, "output") == 0)
            r->script->sees_output = true;
        else if (lua_isinteger(L, -2) && strcmp(what, "rates") == 0)
            r->script->sees_rates = true;
        else
            return complain(r, "oracle", NULL,
                            "has '%s'; expected \"output\" or \"rates\"", what);
    }
    return true;
}

static bool read_period(struct reader *r) {
    if (lua_isnil(r->L, -1)) return true;
    double period = lua_type(r->L, -1) == LUA_TNUMBER ? lua_tonumber(r->L, -1) : -1;
    if (!(period >= 1e-3 && period <= 1e6))
        return complain(r, "period_s", NULL,
                        "expected seconds between ticks, 0.001 to 1000000");
    r->script->period_s = period;
    return true;
}

static bool read_pools(struct reader *r) {
    if (lua_isnil(r->L, -1)) return true;
    const char *text = lua_type(r->L, -1) == LUA_TSTRING ? lua_tostring(r->L, -1) : "?";
    bool tokens = strcmp(text, "tokens") == 0;
    if (!tokens && strcmp(text, "models") != 0)
        return complain(r, "pools", NULL, "expected \"models\" or \"tokens\"");
    r->script->pooling = tokens ? HD_POOLS_TOKENS : HD_POOLS_MODELS;
    return true;
}

static bool check_keys(struct reader *r) {
    static const char *const known[] = {
        "start", "arrive", "turn",   "prefilled", "done",        "timer",    "tick",
        "fleet", "about",  "params", "oracle",    "clairvoyant", "period_s", "pools"};
    enum { KNOWN = sizeof known / sizeof *known };
    lua_State *L = r->L;
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            return complain(
                r, NULL, NULL,
                "the table has an entry without a name; helper functions and "
                "data belong in locals");
        const char *key = lua_tostring(L, -2);
        int n = 0;
        while (n < KNOWN && strcmp(known[n], key) != 0) n++;
        if (n == KNOWN) {
            const char *near = hd_nearest(key, known, KNOWN);
            return complain(r, key, NULL, "is no part of a policy; %s%s",
                            near ? "nearest: "
                                 : "helper functions and data belong in locals",
                            near ? near : "");
        }
        if (n < HD_CALLBACKS && !lua_isfunction(L, -1))
            return complain(r, key, NULL, "is a %s; expected a function",
                            luaL_typename(L, -1));
    }
    return true;
}

/* The policy's table is at the bottom of the stack. */
static bool has(lua_State *L, const char *key) {
    bool there = lua_getfield(L, 1, key) != LUA_TNIL;
    lua_pop(L, 1);
    return there;
}

/* The table that the script returned, on top of the stack. */
static bool read_table(struct reader *r) {
    lua_State *L = r->L;
    struct hd_script *s = r->script;
    if (!check_keys(r)) return false;
    if (lua_getfield(L, -1, "about") != LUA_TNIL &&
        (lua_type(L, -1) != LUA_TSTRING || strchr(lua_tostring(L, -1), '\n')))
        return complain(r, "about", NULL, "expected a text of one line");
    s->about = hd_strdup(lua_isnil(L, -1) ? "(it does not say)" : lua_tostring(L, -1));
    lua_pop(L, 1);
    bool fine = true;
    lua_getfield(L, -1, "params");
    fine = fine && read_params(r);
    lua_settop(L, 1);
    lua_getfield(L, -1, "oracle");
    fine = fine && read_oracle(r);
    lua_settop(L, 1);
    lua_getfield(L, -1, "period_s");
    fine = fine && read_period(r);
    lua_settop(L, 1);
    lua_getfield(L, -1, "pools");
    fine = fine && read_pools(r);
    lua_settop(L, 1);
    if (!fine) return false;
    if (lua_getfield(L, -1, "clairvoyant") > LUA_TNIL) {
        if (!lua_isboolean(L, -1))
            return complain(r, "clairvoyant", NULL, "is a %s; expected true or false",
                            luaL_typename(L, -1));
        if (lua_toboolean(L, -1)) s->sees_output = s->sees_rates = true;
    }
    s->clairvoyant = s->sees_output && s->sees_rates;
    lua_pop(L, 1);
    if (!has(L, "start"))
        return complain(r, NULL, NULL,
                        "has no `start`: nothing would form an instance");
    if (has(L, "tick") && s->period_s == 0)
        return complain(r, "tick", NULL, "needs period_s, the seconds between ticks");
    if (!has(L, "tick") && s->period_s > 0)
        return complain(r, "period_s", NULL, "is set, but there is no `tick`");
    return true;
}

bool hd_lua_declare(struct hd_script *s, lua_State *L, struct hd_err *err) {
    struct reader r = {s, L, hd_lines_scan(s->source), err};
    bool fine = read_table(&r);
    hd_lines_free(r.lines);
    return fine;
}
