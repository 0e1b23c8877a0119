/* Settings files: run in the sandbox, copied out of Lua as a tree. */
#include "base/settings.h"

#include <lauxlib.h>
#include <lua.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sandbox.h"
#include "base/settings_lines.h"
#include "base/text.h"

enum { DEPTH_MAX = 32, FILE_BYTES_MAX = 16 << 20 };

struct hd_settings {
    char *file, *folder; /* folder: "" or with a slash at its end */
    char **call;
    int calls;
    struct hd_value root;
    struct hd_lines *lines;
};

static const char FILE_MARK[] = "hotdesk.file";

/* A call such as  csv "models.csv": an object that remembers both words. */
static int name_file(lua_State *L) {
    const char *path = luaL_checkstring(L, 1);
    if (!*path)
        return luaL_error(L, "%s: the file has no name",
                          lua_tostring(L, lua_upvalueindex(1)));
    lua_newuserdatauv(L, 0, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    luaL_setmetatable(L, FILE_MARK);
    return 1;
}

/* ---- the copy ------------------------------------------------------------ */

static bool copy(struct hd_settings *s, lua_State *L, int inside, int depth,
                 struct hd_value *v, struct hd_err *err);

static void name_child(struct hd_value *child, const struct hd_value *parent,
                       const char *key, int index) {
    child->file = parent->file;
    if (key)
        child->path = hd_format(*parent->path ? "%s.%s" : "%s%s", parent->path, key);
    else
        child->path = hd_format("%s[%d]", parent->path, index);
    child->key = key ? child->path + strlen(child->path) - strlen(key) : "";
}

static int by_key(const void *a, const void *b) {
    return strcmp(((const struct hd_value *)a)->key, ((const struct hd_value *)b)->key);
}

/* The table on top of the stack. */
static bool copy_table(struct hd_settings *s, lua_State *L, int inside, int depth,
                       struct hd_value *v, struct hd_err *err) {
    int items = 0, fields = 0, longest = 0;
    if (depth >= DEPTH_MAX)
        return hd_value_fail(v, err, "tables within tables, more than %d deep",
                             DEPTH_MAX);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_isinteger(L, -2) && lua_tointeger(L, -2) >= 1 &&
            lua_tointeger(L, -2) <= 1 << 24) {
            items++;
            if (lua_tointeger(L, -2) > longest) longest = (int)lua_tointeger(L, -2);
        } else if (lua_type(L, -2) == LUA_TSTRING) {
            fields++;
        } else {
            return hd_value_fail(v, err,
                                 "has a key of type %s; expected names, or "
                                 "elements 1, 2, ...",
                                 luaL_typename(L, -2));
        }
    }
    if (longest != items)
        return hd_value_fail(v, err, "element %d is there, but one before it is nil",
                             longest);
    v->item = hd_alloc(sizeof *v->item * (size_t)(items + 1));
    v->field = hd_alloc(sizeof *v->field * (size_t)(fields + 1));
    for (int n = 1; n <= items; n++) {
        struct hd_value *child = &v->item[v->items++];
        int within;
        name_child(child, v, NULL, n);
        child->line = hd_lines_find(s->lines, inside, NULL, n, &within);
        if (inside < 0 || !child->line) child->line = v->line;
        lua_rawgeti(L, -1, n);
        if (!copy(s, L, inside < 0 ? -1 : within, depth + 1, child, err)) return false;
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) continue;
        name_child(&v->field[v->fields++], v, lua_tostring(L, -2), 0);
    }
    qsort(v->field, (size_t)v->fields, sizeof *v->field, by_key);
    for (int n = 0; n < v->fields; n++) {
        struct hd_value *child = &v->field[n];
        int within = -1;
        child->line =
            inside < 0 ? 0 : hd_lines_find(s->lines, inside, child->key, 0, &within);
        if (!child->line) child->line = v->line;
        lua_pushstring(L, child->key);
        lua_rawget(L, -2);
        if (!copy(s, L, within, depth + 1, child, err)) return false;
        lua_pop(L, 1);
    }
    return true;
}

static bool copy(struct hd_settings *s, lua_State *L, int inside, int depth,
                 struct hd_value *v, struct hd_err *err) {
    luaL_checkstack(L, 8, NULL);
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        v->type = HD_VALUE_BOOLEAN;
        v->boolean = lua_toboolean(L, -1);
        return true;
    case LUA_TNUMBER:
        v->type = HD_VALUE_NUMBER;
        v->number = lua_tonumber(L, -1);
        if (isnan(v->number)) return hd_value_fail(v, err, "is not a number (NaN)");
        return true;
    case LUA_TSTRING:
        v->type = HD_VALUE_TEXT;
        if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
            return hd_value_fail(v, err, "has a zero byte in its text");
        v->text = hd_strdup(lua_tostring(L, -1));
        return true;
    case LUA_TTABLE:
        v->type = HD_VALUE_TABLE;
        return copy_table(s, L, inside, depth, v, err);
    case LUA_TUSERDATA:
        v->type = HD_VALUE_FILE;
        lua_getiuservalue(L, -1, 1);
        for (int n = 0; n < s->calls; n++)
            if (strcmp(s->call[n], lua_tostring(L, -1)) == 0) v->call = s->call[n];
        lua_getiuservalue(L, -2, 2);
        const char *path = lua_tostring(L, -1);
        v->text = hd_format("%s%s", *path == '/' ? "" : s->folder, path);
        lua_pop(L, 2);
        return true;
    default:
        return hd_value_fail(v, err, "is a %s; expected a value or a table",
                             luaL_typename(L, -1));
    }
}

/* ---- loading ------------------------------------------------------------- */

static bool run(struct hd_settings *s, struct hd_sandbox *box, const char *text,
                size_t length, struct hd_err *err) {
    lua_State *L = hd_sandbox_lua(box);
    struct hd_err why = {""};
    luaL_newmetatable(L, FILE_MARK);
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    for (int n = 0; n < s->calls; n++) {
        lua_pushstring(L, s->call[n]);
        lua_pushcclosure(L, name_file, 1);
        lua_setglobal(L, s->call[n]);
    }
    if (!hd_sandbox_compile(box, text, length, s->file, &why) ||
        !hd_sandbox_call_within(box, 100000000, 0, 1, &why)) {
        bool placed = strncmp(why.text, s->file, strlen(s->file)) == 0;
        return placed ? hd_fail(err, "%s", why.text)
                      : hd_fail(err, "%s: %s", s->file, why.text);
    }
    if (!lua_istable(L, -1))
        return hd_fail(err, "%s: returns a %s; expected `return { ... }`", s->file,
                       luaL_typename(L, -1));
    s->lines = hd_lines_scan(text);
    return copy(s, L, hd_lines_root(s->lines), 0, &s->root, err);
}

static struct hd_settings *load(const char *text, size_t length, const char *name,
                                const char *const *calls, int count,
                                struct hd_err *err) {
    struct hd_settings *s = hd_alloc(sizeof *s);
    struct hd_sandbox_limits limits = hd_sandbox_limits_default();
    limits.instructions = 10000000; /* of compiling */
    struct hd_sandbox *box = hd_sandbox_new(limits);
    const char *slash = strrchr(name, '/');
    s->file = hd_strdup(name);
    s->folder = hd_format("%.*s", slash ? (int)(slash - name + 1) : 0, name);
    s->call = hd_alloc(sizeof *s->call * (size_t)(count + 1));
    for (; s->calls < count; s->calls++) s->call[s->calls] = hd_strdup(calls[s->calls]);
    s->root.file = s->file;
    s->root.path = hd_strdup("");
    s->root.key = "";
    bool fine = run(s, box, text, length, err);
    hd_sandbox_free(box);
    hd_lines_free(s->lines);
    s->lines = NULL;
    if (fine) return s;
    hd_settings_free(s);
    return NULL;
}

struct hd_settings *hd_settings_read(const char *text, const char *name,
                                     const char *const *calls, int count,
                                     struct hd_err *err) {
    return load(text, strlen(text), name, calls, count, err);
}

struct hd_settings *hd_settings_load(const char *path, const char *const *calls,
                                     int count, struct hd_err *err) {
    size_t length;
    char *text = hd_read_text(path, FILE_BYTES_MAX, &length, err);
    if (!text) return NULL;
    struct hd_settings *s = load(text, length, path, calls, count, err);
    free(text);
    return s;
}

static void free_value(struct hd_value *v) {
    for (int n = 0; n < v->items; n++) free_value(&v->item[n]);
    for (int n = 0; n < v->fields; n++) free_value(&v->field[n]);
    free(v->item);
    free(v->field);
    free(v->text);
    free(v->path);
}

void hd_settings_free(struct hd_settings *s) {
    if (!s) return;
    free_value(&s->root);
    for (int n = 0; n < s->calls; n++) free(s->call[n]);
    free(s->call);
    free(s->file);
    free(s->folder);
    free(s);
}

/* ---- reading ------------------------------------------------------------- */

const struct hd_value *hd_settings_root(const struct hd_settings *s) {
    return &s->root;
}

const struct hd_value *hd_value_find(const struct hd_value *v, const char *path) {
    while (v && *path) {
        size_t length = strcspn(path, ".");
        const struct hd_value *found = NULL;
        for (int n = 0; n < v->fields && !found; n++)
            if (strlen(v->field[n].key) == length &&
                strncmp(v->field[n].key, path, length) == 0)
                found = &v->field[n];
        v = found;
        path += length + (path[length] == '.');
    }
    return v;
}

const char *hd_value_type_name(enum hd_value_type type) {
    static const char *const name[] = {"boolean", "number", "text", "file", "table"};
    return name[type];
}

bool hd_value_fail(const struct hd_value *v, struct hd_err *err, const char *format,
                   ...) {
    char text[800], place[32] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (v->line) snprintf(place, sizeof place, ":%d", v->line);
    if (!*v->path) return hd_fail(err, "%s%s: %s", v->file, place, text);
    return hd_fail(err, "%s%s: %s: %s", v->file, place, v->path, text);
}

static bool expect(const struct hd_value *v, enum hd_value_type type,
                   struct hd_err *err) {
    if (v->type == type) return true;
    return hd_value_fail(v, err, "is a %s; expected a %s", hd_value_type_name(v->type),
                         hd_value_type_name(type));
}

bool hd_value_number(const struct hd_value *v, double *number, struct hd_err *err) {
    if (!expect(v, HD_VALUE_NUMBER, err)) return false;
    *number = v->number;
    return true;
}

bool hd_value_integer(const struct hd_value *v, long min, long max, long *number,
                      struct hd_err *err) {
    if (!expect(v, HD_VALUE_NUMBER, err)) return false;
    double n = v->number;
    if (n != floor(n) || n < (double)min || n > (double)max)
        return hd_value_fail(
            v, err, "is %.17g; expected a whole number from %ld to %ld", n, min, max);
    *number = (long)n;
    return true;
}

bool hd_value_text(const struct hd_value *v, const char **text, struct hd_err *err) {
    if (!expect(v, HD_VALUE_TEXT, err)) return false;
    *text = v->text;
    return true;
}

bool hd_value_table(const struct hd_value *v, struct hd_err *err) {
    return expect(v, HD_VALUE_TABLE, err);
}

bool hd_value_only(const struct hd_value *v, const char *const *keys, int count,
                   bool array, struct hd_err *err) {
    if (!expect(v, HD_VALUE_TABLE, err)) return false;
    for (int n = 0; n < v->fields; n++) {
        const struct hd_value *field = &v->field[n];
        bool known = false;
        for (int k = 0; k < count; k++) known |= strcmp(keys[k], field->key) == 0;
        if (known) continue;
        const char *nearest = hd_nearest(field->key, keys, count);
        if (nearest)
            return hd_value_fail(field, err, "no such setting; nearest: %s", nearest);
        char list[400] = "";
        for (int k = 0; k < count; k++)
            snprintf(list + strlen(list), sizeof list - strlen(list), "%s%s",
                     k ? ", " : "", keys[k]);
        return hd_value_fail(field, err, "no such setting; there are: %s", list);
    }
    if (v->items && !array)
        return hd_value_fail(&v->item[0], err, "has no name; expected NAME = value");
    return true;
}
