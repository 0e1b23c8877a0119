/* What lies behind the handles of a script: the names that each kind has, `tag`, and
 * `set`. */
#include <string.h>

#include "base/mem.h"
#include "policy/lua_host.h"

/* ---- metatables ---------------------------------------------------------- */

static const struct hd_lua_field *fields_of(enum hd_kind kind) {
    static const struct hd_lua_field *const all[HD_KINDS] = {
        [HD_KIND_POOL] = hd_lua_pool_fields,
        [HD_KIND_MODEL] = hd_lua_model_fields,
        [HD_KIND_NODE] = hd_lua_node_fields,
        [HD_KIND_GPU] = hd_lua_gpu_fields,
        [HD_KIND_INSTANCE] = hd_lua_instance_fields,
        [HD_KIND_GROUP] = hd_lua_group_fields,
        [HD_KIND_REQUEST] = hd_lua_request_fields};
    return all[kind];
}

static int read_field(lua_State *L, const struct hd_handle *own, int id) {
    struct hd_lua *h = own->host;
    if (id == HD_FIELD_TAG) {
        lua_getiuservalue(L, 1, 1);
        return 1;
    }
    if (!h->engine) return luaL_error(L, "fields can be read only inside callbacks");
    switch (own->kind) {
    case HD_KIND_POOL:
        return hd_lua_read_pool(L, h, id);
    case HD_KIND_MODEL:
        return hd_lua_read_model(L, h, own->slot, id);
    case HD_KIND_NODE:
        return hd_lua_read_node(L, h, own->slot, id);
    case HD_KIND_GPU:
        return hd_lua_read_gpu(L, h, own->slot, id);
    case HD_KIND_INSTANCE:
        return hd_lua_read_instance(L, h, own->slot, id);
    case HD_KIND_GROUP:
        return hd_lua_read_group(L, own, id);
    default:
        return hd_lua_read_request(L, own, id);
    }
}

static int name_slot(const struct hd_names *names, const void *name) {
    uintptr_t address = (uintptr_t)name;
    int at = (int)((address >> 4 ^ address >> 11) & (HD_NAME_SLOTS - 1));
    while (names->name[at] && names->name[at] != name)
        at = (at + 1) & (HD_NAME_SLOTS - 1);
    return at;
}

/* handle.name: a field, or a method, which stands behind the table of all names. */
static int index_handle(lua_State *L) {
    const struct hd_handle *h = lua_touserdata(L, 1);
    const struct hd_names *known_names = &h->host->names[h->kind];
    int at = name_slot(known_names, lua_topointer(L, 2));
    int what = known_names->what[at];
    if (known_names->name[at]) {
        if (what >= 0) return read_field(L, h, what);
        lua_pushvalue(L, lua_upvalueindex(1 - what));
        return 1;
    }
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "%s has fields with names only, not %s",
                          hd_lua_kind_name(h->kind), hd_lua_describe(L, 2));
    const char *names[64];
    int count = 0;
    for (lua_pushnil(L); lua_next(L, lua_upvalueindex(1)) && count < 64; lua_pop(L, 1))
        names[count++] = lua_tostring(L, -2);
    /* hd_nearest takes the first of equals: in an order that is always the same */
    for (int n = 1; n < count; n++)
        for (int at = n; at > 0 && strcmp(names[at - 1], names[at]) > 0; at--) {
            const char *swap = names[at];
            names[at] = names[at - 1];
            names[at - 1] = swap;
        }
    const char *name = lua_tostring(L, 2), *near = hd_nearest(name, names, count);
    return luaL_error(L, "%s has no field '%s'%s%s", hd_lua_kind_name(h->kind), name,
                      near ? "; nearest: " : "", near ? near : "");
}

static int assign_handle(lua_State *L) {
    struct hd_handle *h = lua_touserdata(L, 1);
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    if (strcmp(name, "tag") != 0)
        return luaL_error(L, "field '%s' of %s is read-only; only `tag` is yours", name,
                          hd_lua_kind_name(h->kind));
    hd_lua_still_there(L, h, "tag");
    h->tagged = true;
    lua_setiuservalue(L, 1, 1);
    return 0;
}

static int describe_handle(lua_State *L) {
    const struct hd_handle *h = lua_touserdata(L, 1);
    if (h->kind <= HD_KIND_SET)
        lua_pushstring(L, hd_lua_bare_name(h->kind));
    else if (h->kind == HD_KIND_MODEL)
        lua_pushfstring(L, "model %s", hd_ask_model(h->host->engine, h->slot).name);
    else
        lua_pushfstring(L, "%s %d", hd_lua_bare_name(h->kind), (int)h->rank);
    return 1;
}

/* Kinds, then the order of numbers: what `pairs` goes by. */
static int64_t rank(lua_State *L, int at) {
    const struct hd_handle *h = lua_touserdata(L, at);
    return (int64_t)h->kind << 56 | h->rank;
}

/* Adds a name to the table on top. */
static void add_name(struct hd_lua *h, enum hd_kind kind, const char *name, int what) {
    struct hd_names *names = &h->names[kind];
    lua_pushstring(h->L, name);
    const void *address = lua_topointer(h->L, -1);
    int at = name_slot(names, address);
    names->name[at] = address;
    names->what[at] = what;
    lua_pushboolean(h->L, 1);
    lua_rawset(h->L, -3);
}

/* The function behind __index: closes over the table of names (on top, taken) and
 * the methods. */
static void push_index(struct hd_lua *h, enum hd_kind kind) {
    const luaL_Reg *const lists[] = {hd_lua_actions(kind), hd_lua_questions(kind)};
    int methods = 0;
    for (int n = 0; n < 2; n++)
        for (const luaL_Reg *m = lists[n]; m && m->name; m++) {
            lua_pushvalue(h->L, -1 - methods);
            add_name(h, kind, m->name, -1 - methods++);
            lua_pop(h->L, 1);
            lua_pushcfunction(h->L, m->func);
        }
    lua_pushcclosure(h->L, index_handle, 1 + methods);
}

static void open_kind(struct hd_lua *h, enum hd_kind kind) {
    lua_State *L = h->L;
    lua_createtable(L, 0, 6);
    if (kind != HD_KIND_SET) {
        lua_newtable(L);
        for (const struct hd_lua_field *f = fields_of(kind); f->name; f++)
            add_name(h, kind, f->name, f->id);
        push_index(h, kind);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, assign_handle);
        lua_setfield(L, -2, "__newindex");
    }
    lua_pushcfunction(L, describe_handle);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    h->metatable[kind] = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* ---- set ----------------------------------------------------------------- */

/* What is not among the values, or before there are any. */
static int no_parameter(lua_State *L) {
    const struct hd_lua *h = lua_touserdata(L, lua_upvalueindex(1));
    const struct hd_script *s = h->script;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    if (!h->engine) return luaL_error(L, "set.%s: only inside callbacks", name);
    luaL_Buffer list;
    luaL_buffinit(L, &list);
    for (int n = 0; n < s->params; n++) {
        luaL_addstring(&list, n ? ", " : "");
        luaL_addstring(&list, s->param[n].name);
    }
    luaL_pushresult(&list);
    return luaL_error(L, "set.%s: no such parameter is declared; there are: %s", name,
                      s->params ? lua_tostring(L, -1) : "none");
}

static int assign_parameter(lua_State *L) {
    return luaL_error(L, "set: parameters are read-only");
}

/* `set.name` finds its value in a table that no script can reach otherwise. */
void hd_lua_open_values(struct hd_lua *h) {
    lua_State *L = h->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->metatable[HD_KIND_SET]);
    lua_getfield(L, LUA_REGISTRYINDEX, "hotdesk.values");
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}

static void open_set(struct hd_lua *h) {
    lua_State *L = h->L;
    lua_newtable(L); /* the values; hd_lua_push_values fills it */
    lua_createtable(L, 0, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->metatable[HD_KIND_SET]);
    lua_pushlightuserdata(L, h);
    lua_pushcclosure(L, no_parameter, 1);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
    lua_setfield(L, -3, "__index");
    lua_pushcfunction(L, assign_parameter);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "hotdesk.values");
    hd_lua_make(h, HD_KIND_SET, 0, 0);
    lua_setglobal(L, "set");
}

void hd_lua_open(struct hd_lua *h) {
    lua_State *L = h->L;
    for (int kind = 0; kind < HD_KINDS; kind++) open_kind(h, (enum hd_kind)kind);
    hd_sandbox_rank(h->box, rank);
    hd_lua_make(h, HD_KIND_POOL, 0, 0);
    lua_setglobal(L, "pool");
    open_set(h);
    lua_newtable(L);
    h->timers = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    h->roles = luaL_ref(L, LUA_REGISTRYINDEX);
}
