/* The names a sandboxed script has. Taken from Lua: whatever is harmless. Replaced:
 * what would differ between two runs of the same script (the order of `pairs`,
 * which follows addresses and a random seed; sort's random pivot; addresses in
 * text) and what works long without the instruction count noticing. */
#include "base/sandbox_lib.h"

#include <lualib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sandbox.h"

/* ---- an order of keys ---------------------------------------------------- */

struct key {
    int kind; /* 0 number, 1 string, 2 boolean, 3 handle */
    bool whole;
    int64_t integer; /* whole numbers, booleans, ranks */
    double number;
    const char *text;
    size_t length;
};

static struct key key_at(lua_State *L, int at) {
    struct key k = {.kind = 3};
    int64_t (*rank)(lua_State *, int) = hd_sandbox_hooks(hd_sandbox_of(L))->rank;
    switch (lua_type(L, at)) {
    case LUA_TNUMBER:
        k.kind = 0;
        k.whole = lua_isinteger(L, at);
        k.integer = k.whole ? lua_tointeger(L, at) : 0;
        k.number = lua_tonumber(L, at);
        return k;
    case LUA_TSTRING:
        k.kind = 1;
        k.text = lua_tolstring(L, at, &k.length);
        return k;
    case LUA_TBOOLEAN:
        k.kind = 2;
        k.integer = lua_toboolean(L, at);
        return k;
    case LUA_TUSERDATA:
        if (rank) {
            k.integer = rank(L, at);
            return k;
        }
    }
    luaL_error(L,
               "keys of type %s have no order that is the same in every run; "
               "keep the objects in an array",
               luaL_typename(L, at));
    return k;
}

static int compare(const struct key *a, const struct key *b) {
    if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
    if (a->kind == 0 && !(a->whole && b->whole)) {
        if (a->number != b->number) return a->number < b->number ? -1 : 1;
        return (int)b->whole - (int)a->whole;
    }
    if (a->kind == 1) {
        size_t least = a->length < b->length ? a->length : b->length;
        int order = memcmp(a->text, b->text, least);
        if (order) return order;
        return (a->length > b->length) - (a->length < b->length);
    }
    return (a->integer > b->integer) - (a->integer < b->integer);
}

static int compare_keys(const void *a, const void *b) {
    return compare(a, b);
}

/* The iterator of pairs: a snapshot of the keys, those removed since left out. */
static int step_pairs(lua_State *L) {
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
    for (;;) {
        if (lua_rawgeti(L, lua_upvalueindex(1), ++at) == LUA_TNIL) return 1;
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) break;
        lua_pop(L, 2);
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int sorted_pairs(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) count++;
    hd_sandbox_charge(L, 8 * count);
    struct key *key = lua_newuserdatauv(L, sizeof *key * (size_t)(count + 1), 0);
    lua_Integer at = 0;
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) key[at++] = key_at(L, -2);
    qsort(key, (size_t)count, sizeof *key, compare_keys);
    lua_createtable(L, (int)count, 0);
    for (at = 0; at < count; at++) {
        const struct key *k = &key[at];
        if (k->kind == 0 && k->whole)
            lua_pushinteger(L, k->integer);
        else if (k->kind == 0)
            lua_pushnumber(L, k->number);
        else if (k->kind == 1)
            lua_pushlstring(L, k->text, k->length);
        else if (k->kind == 2)
            lua_pushboolean(L, (int)k->integer);
        else
            lua_pushnil(L);
        lua_rawseti(L, -2, at + 1);
    }
    bool handles = count && key[count - 1].kind == 3;
    if (handles) { /* the objects themselves: put each where its rank belongs */
        for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
            if (lua_type(L, -2) != LUA_TUSERDATA) continue;
            struct key own = key_at(L, -2);
            struct key *place =
                bsearch(&own, key, (size_t)count, sizeof *key, compare_keys);
            lua_pushvalue(L, -2);
            lua_rawseti(L, -4, place - key + 1);
        }
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, step_pairs, 2);
    lua_pushvalue(L, 1);
    return 2;
}

static int sorted_next(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    bool from = !lua_isnil(L, 2), found = false;
    struct key after = {0}, best = {0};
    if (from) after = key_at(L, 2);
    int64_t count = 0;
    lua_pushnil(L); /* 3: the best so far */
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        struct key k = key_at(L, -2);
        count++;
        if (from && compare(&k, &after) <= 0) continue;
        if (found && compare(&k, &best) >= 0) continue;
        found = true;
        best = k;
        lua_pushvalue(L, -2);
        lua_replace(L, 3);
    }
    hd_sandbox_charge(L, 4 * count);
    lua_settop(L, 3);
    if (!found) return 1;
    lua_pushvalue(L, 3);
    lua_rawget(L, 1);
    return 2;
}

/* ---- text without addresses ---------------------------------------------- */

static bool speaks(lua_State *L, int at) {
    int type = lua_type(L, at);
    if (type != LUA_TTABLE && type != LUA_TUSERDATA && type != LUA_TFUNCTION)
        return true;
    if (!luaL_getmetafield(L, at, "__tostring")) return false;
    lua_pop(L, 1);
    return true;
}

static int safe_tostring(lua_State *L) {
    luaL_checkany(L, 1);
    if (speaks(L, 1))
        luaL_tolstring(L, 1, NULL);
    else
        lua_pushstring(L, luaL_typename(L, 1));
    return 1;
}

/* For whoever tries a script out: a line on stderr. */
static int print_line(lua_State *L) {
    int count = lua_gettop(L);
    for (int n = 1; n <= count; n++) {
        if (speaks(L, n))
            luaL_tolstring(L, n, NULL);
        else
            lua_pushstring(L, luaL_typename(L, n));
        fprintf(stderr, n > 1 ? "\t%s" : "%s", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    fputc('\n', stderr);
    return 0;
}

/* A guard calls the function that it guards in its own frame, so that an error
 * still names the script's line. */
static int guarded(lua_State *L) {
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int guard_format(lua_State *L) {
    const char *format = luaL_checkstring(L, 1);
    for (const char *c = format; (c = strchr(c, '%')); c++) {
        c += 1 + strspn(c + 1, "-+ #0123456789.");
        if (*c == 'p') return luaL_error(L, "string.format: %%p is not available");
        if (!*c) break;
    }
    int count = lua_gettop(L);
    for (int n = 2; n <= count; n++) {
        if (speaks(L, n)) continue;
        lua_pushstring(L, luaL_typename(L, n));
        lua_replace(L, n);
    }
    return guarded(L);
}

/* ---- work that the count of instructions does not see -------------------- */

/* Matching backtracks: at worst, each start times each length of each repetition. */
static int guard_pattern(lua_State *L) {
    size_t subject, length;
    luaL_checklstring(L, 1, &subject);
    const char *pattern = luaL_checklstring(L, 2, &length);
    double starts = (double)subject + 1, work = starts;
    for (size_t n = 0; n < length; n++)
        if (strchr("*+-?", pattern[n])) work *= starts;
    hd_sandbox_charge(L, (int64_t)fmin(work / 16, 1e15));
    return guarded(L);
}

static int guard_rep(lua_State *L) {
    lua_Integer count = luaL_checkinteger(L, 2);
    if (count > 0) hd_sandbox_charge(L, count / 8);
    return guarded(L);
}

/* concat(t, sep, i, j), unpack(t, i, j) and move(t, i, j, to). */
static void charge_range(lua_State *L, int first) {
    lua_Integer i = luaL_optinteger(L, first, 1);
    lua_Integer j = lua_isnoneornil(L, first + 1) ? luaL_len(L, 1)
                                                  : luaL_checkinteger(L, first + 1);
    double count = (double)j - (double)i;
    if (count > 0) hd_sandbox_charge(L, (int64_t)fmin(count / 4, 1e15));
}

static int guard_concat(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    charge_range(L, 3);
    return guarded(L);
}

static int guard_range(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    charge_range(L, 2);
    return guarded(L);
}

/* insert(t, at, x) and remove(t, at) shift what is behind. */
static int guard_shift(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_isinteger(L, 2)) {
        lua_Integer behind = luaL_len(L, 1) - lua_tointeger(L, 2);
        if (behind > 0) hd_sandbox_charge(L, behind / 4);
    }
    return guarded(L);
}

enum { FEW = 6 }; /* to sort by insertion */

static bool less(lua_State *L, int function) {
    if (lua_isnil(L, function)) return lua_compare(L, -2, -1, LUA_OPLT);
    lua_pushvalue(L, function);
    lua_pushvalue(L, -3);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 1);
    bool answer = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return answer;
}

/* Merges runs [low, middle) and [middle, high) of table `from` into `to`. */
static void merge(lua_State *L, int from, int to, lua_Integer low, lua_Integer middle,
                  lua_Integer high) {
    lua_Integer a = low, b = middle;
    for (lua_Integer out = low; out < high; out++) {
        bool second = a >= middle;
        if (a < middle && b < high) {
            lua_rawgeti(L, from, b);
            lua_rawgeti(L, from, a);
            second = less(L, 2);
            lua_pop(L, 2);
        }
        lua_rawgeti(L, from, second ? b++ : a++);
        lua_rawseti(L, to, out);
    }
}

/* Elements are few: each moves down past those that come behind it. */
static void insert_each(lua_State *L, lua_Integer count) {
    for (lua_Integer n = 2; n <= count; n++) {
        lua_rawgeti(L, 1, n); /* 3: what moves */
        lua_Integer at = n;
        for (; at > 1; at--) {
            lua_pushvalue(L, 3);
            lua_rawgeti(L, 1, at - 1);
            if (!less(L, 2)) break;
            lua_rawseti(L, 1, at);
            lua_pop(L, 1);
        }
        lua_settop(L, 3);
        lua_rawseti(L, 1, at);
    }
}

/* table.sort: a stable merge sort, so that equal elements keep their order. */
static int stable_sort(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    lua_Integer count = luaL_len(L, 1);
    if (count < 2) return 0;
    int rounds = 1;
    while (rounds < 62 && ((lua_Integer)1 << rounds) < count) rounds++;
    hd_sandbox_charge(L, (int64_t)fmin((double)count * rounds, 1e15));
    if (count <= FEW) {
        insert_each(L, count);
        return 0;
    }
    lua_createtable(L, (int)count, 0);
    lua_createtable(L, (int)count, 0);
    for (lua_Integer n = 1; n <= count; n++) {
        lua_rawgeti(L, 1, n);
        lua_rawseti(L, 3, n);
    }
    int from = 3;
    for (lua_Integer width = 1; width < count; width *= 2, from = 7 - from)
        for (lua_Integer low = 1; low <= count; low += 2 * width) {
            lua_Integer middle = low + width, high = low + 2 * width;
            if (middle > count + 1) middle = count + 1;
            if (high > count + 1) high = count + 1;
            merge(L, from, 7 - from, low, middle, high);
        }
    for (lua_Integer n = 1; n <= count; n++) {
        lua_rawgeti(L, from, n);
        lua_rawseti(L, 1, n);
    }
    return 0;
}

/* ---- the rest ------------------------------------------------------------ */

/* Finalizers and weak tables would let the garbage collector decide things. */
static int guard_setmetatable(lua_State *L) {
    static const char *const forbidden[] = {"__gc", "__mode"};
    for (int n = 0; lua_istable(L, 2) && n < 2; n++) {
        lua_pushstring(L, forbidden[n]);
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L, "setmetatable: %s is not available", forbidden[n]);
        lua_pop(L, 1);
    }
    return guarded(L);
}

static double uniform(lua_State *L) {
    const struct hd_sandbox_hooks *h = hd_sandbox_hooks(hd_sandbox_of(L));
    if (!h->uniform) return luaL_error(L, "math.random: only while a run goes on");
    return h->uniform(h->uniform_context);
}

static int seeded_random(lua_State *L) {
    int count = lua_gettop(L);
    lua_Integer low = 1, high;
    if (count == 0) {
        lua_pushnumber(L, uniform(L));
        return 1;
    }
    if (count > 1) low = luaL_checkinteger(L, 1);
    high = luaL_checkinteger(L, count > 1 ? 2 : 1);
    double width = (double)high - (double)low + 1;
    if (width < 1 || width > 0x1p53)
        return luaL_error(L, "math.random: empty or too wide a range");
    double u = uniform(L);
    if (width > 65536) u = (floor(u * 0x1p21) + uniform(L)) * 0x1p-21;
    double at = floor(u * width);
    lua_pushinteger(L, low + (lua_Integer)(at < width ? at : width - 1));
    return 1;
}

/* Puts a function that needs the original one below it into the table on top. */
static void guard(lua_State *L, const char *name, lua_CFunction with) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, with, 1);
    lua_setfield(L, -2, name);
}

static void remove_names(lua_State *L, const char *const *name) {
    for (; *name; name++) {
        lua_pushnil(L);
        lua_setfield(L, -2, *name);
    }
}

void hd_sandbox_open(lua_State *L) {
    static const char *const no_base[] = {"collectgarbage", "dofile", "load",
                                          "loadfile",       "pcall",  "require",
                                          "warn",           "xpcall", NULL};
    static const char *const no_math[] = {"randomseed", NULL};
    static const char *const no_string[] = {"dump", "pack", "packsize", "unpack", NULL};
    luaL_requiref(L, "_G", luaopen_base, 1);
    remove_names(L, no_base);
    guard(L, "setmetatable", guard_setmetatable);
    static const luaL_Reg base[] = {{"pairs", sorted_pairs},
                                    {"next", sorted_next},
                                    {"tostring", safe_tostring},
                                    {"print", print_line},
                                    {NULL, NULL}};
    luaL_setfuncs(L, base, 0);
    lua_pop(L, 1);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    remove_names(L, no_math);
    lua_pushcfunction(L, seeded_random);
    lua_setfield(L, -2, "random");
    lua_pop(L, 1);
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    remove_names(L, no_string);
    guard(L, "format", guard_format);
    guard(L, "rep", guard_rep);
    guard(L, "find", guard_pattern);
    guard(L, "match", guard_pattern);
    guard(L, "gmatch", guard_pattern);
    guard(L, "gsub", guard_pattern);
    lua_pop(L, 1);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    guard(L, "concat", guard_concat);
    guard(L, "unpack", guard_range);
    guard(L, "move", guard_range);
    guard(L, "insert", guard_shift);
    guard(L, "remove", guard_shift);
    lua_pushcfunction(L, stable_sort);
    lua_setfield(L, -2, "sort");
    lua_pop(L, 1);
    lua_pushnil(L); /* luaL_requiref keeps a table of modules: out of reach */
    lua_setfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
}
