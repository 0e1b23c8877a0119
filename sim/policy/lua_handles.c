/* Handles: the objects of a script. Made when first seen, one for each object,
 * marked when the object goes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/lua_host.h"

enum { HANDLE_BYTES = 1024 }; /* memory allowed for each object there is */

const char *hd_lua_kind_name(enum hd_kind kind) {
    static const char *const name[] = {"the pool", "the parameters", "a model",
                                       "a node",   "a GPU",          "an instance",
                                       "a group",  "a request"};
    return name[kind];
}

static const char *bare_name(enum hd_kind kind) {
    return strchr(hd_lua_kind_name(kind), ' ') + 1;
}

/* ---- arguments ----------------------------------------------------------- */

struct hd_handle *hd_lua_handle(lua_State *L, int at) {
    return lua_type(L, at) == LUA_TUSERDATA ? lua_touserdata(L, at) : NULL;
}

/* What stands there, as a person would say it. */
static const char *describe(lua_State *L, int at) {
    const struct hd_handle *h = hd_lua_handle(L, at);
    if (h) return hd_lua_kind_name(h->kind);
    switch (lua_type(L, at)) {
    case LUA_TNONE:
        return "missing";
    case LUA_TNIL:
        return "nil";
    default:
        lua_pushfstring(L, "a %s", luaL_typename(L, at));
        return lua_tostring(L, -1);
    }
}

int hd_lua_wrong(lua_State *L, int at, const char *call, const char *expected) {
    const char *is = lua_type(L, at) == LUA_TNONE ? "" : "is ";
    return luaL_error(L, "%s: argument %d %s%s; expected %s", call, at - 1, is,
                      describe(L, at), expected);
}

static struct hd_handle *still_there(lua_State *L, struct hd_handle *h,
                                     const char *call) {
    if (h->gone)
        luaL_error(L, "%s: the %s", call,
                   h->kind == HD_KIND_GROUP ? "group is closed"
                                            : "request is finished");
    return h;
}

struct hd_handle *hd_lua_self(lua_State *L, enum hd_kind kind, const char *call) {
    struct hd_handle *h = hd_lua_handle(L, 1);
    if (!h || h->kind != kind)
        luaL_error(L, "%s: called on %s; expected %s:%s(...) with %s before the colon",
                   call, describe(L, 1), bare_name(kind), call, hd_lua_kind_name(kind));
    if (!h->host->engine) luaL_error(L, "%s: only inside callbacks", call);
    return still_there(L, h, call);
}

struct hd_handle *hd_lua_argument(lua_State *L, int at, enum hd_kind kind,
                                  const char *call) {
    struct hd_handle *h = hd_lua_handle(L, at);
    if (!h || h->kind != kind) hd_lua_wrong(L, at, call, hd_lua_kind_name(kind));
    return still_there(L, h, call);
}

int64_t hd_lua_integer(lua_State *L, int at, const char *call) {
    int whole;
    lua_Integer n = lua_tointegerx(L, at, &whole);
    if (!whole || lua_type(L, at) != LUA_TNUMBER)
        hd_lua_wrong(L, at, call, "a whole number");
    return n;
}

double hd_lua_number(lua_State *L, int at, const char *call) {
    if (lua_type(L, at) != LUA_TNUMBER) hd_lua_wrong(L, at, call, "a number");
    return lua_tonumber(L, at);
}

const char *hd_lua_text(lua_State *L, int at, const char *call) {
    if (lua_type(L, at) != LUA_TSTRING) hd_lua_wrong(L, at, call, "a string");
    return lua_tostring(L, at);
}

int hd_lua_choice(lua_State *L, int at, const char *call, const char *const *names,
                  int count) {
    const char *text = hd_lua_text(L, at, call);
    for (int n = 0; n < count; n++)
        if (strcmp(names[n], text) == 0) return n;
    luaL_Buffer list;
    luaL_buffinit(L, &list);
    for (int n = 0; n < count; n++) {
        luaL_addstring(&list, n ? ", " : "");
        luaL_addstring(&list, names[n]);
    }
    luaL_pushresult(&list);
    return luaL_error(L, "%s: \"%s\"; expected one of: %s", call, text,
                      lua_tostring(L, -1));
}

/* ---- making and finding -------------------------------------------------- */

/* Leaves the new handle on the stack. */
static struct hd_handle *make(struct hd_lua *h, enum hd_kind kind, int slot,
                              int serial) {
    lua_State *L = h->L;
    struct hd_handle *new = lua_newuserdatauv(L, sizeof *new, 1);
    *new = (struct hd_handle){.host = h, .kind = kind, .slot = slot, .serial = serial};
    new->model = -1;
    new->rank = slot;
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->metatable[kind]);
    lua_setmetatable(L, -2);
    return new;
}

/* Remembers the handle on top of the stack as the one of its slot. What a backlog
 * costs, with a little of the script's own for each, is not held against it. */
static void keep(struct hd_lua *h, struct hd_handle *handle) {
    if (++h->live > h->live_most) {
        h->live_most = h->live;
        hd_sandbox_allow(h->box, HANDLE_BYTES);
    }
    struct hd_handles *all = &h->handles[handle->kind];
    int before = all->capacity;
    all->at = hd_grow(all->at, &all->capacity, handle->slot + 1, sizeof *all->at);
    for (int n = before; n < all->capacity; n++) all->at[n] = NULL;
    all->at[handle->slot] = handle;
    lua_rawgeti(h->L, LUA_REGISTRYINDEX, all->table);
    lua_pushvalue(h->L, -2);
    lua_rawseti(h->L, -2, handle->slot + 1);
    lua_pop(h->L, 1);
}

static struct hd_handle *known(const struct hd_lua *h, enum hd_kind kind, int slot) {
    const struct hd_handles *all = &h->handles[kind];
    return slot < all->capacity ? all->at[slot] : NULL;
}

static void push_known(struct hd_lua *h, enum hd_kind kind, int slot) {
    lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->handles[kind].table);
    lua_rawgeti(h->L, -1, slot + 1);
    lua_replace(h->L, -2);
}

void hd_lua_push(struct hd_lua *h, enum hd_kind kind, int slot) {
    if (slot < 0)
        lua_pushnil(h->L);
    else if (known(h, kind, slot))
        push_known(h, kind, slot);
    else
        keep(h, make(h, kind, slot, 0));
}

void hd_lua_push_request(struct hd_lua *h, struct hd_req r) {
    if (r.slot < 0) {
        lua_pushnil(h->L);
        return;
    }
    struct hd_handle *own = known(h, HD_KIND_REQUEST, r.slot);
    if (own && own->serial == r.serial) {
        push_known(h, HD_KIND_REQUEST, r.slot);
        return;
    }
    own = make(h, HD_KIND_REQUEST, r.slot, r.serial);
    own->model = hd_ask_request_model(h->engine, r);
    own->rank = hd_ask_request_id(h->engine, r);
    keep(h, own);
}

static int64_t closed_key(struct hd_grp g) {
    return (int64_t)g.slot << 32 | (uint32_t)g.serial;
}

void hd_lua_push_group(struct hd_lua *h, struct hd_grp g) {
    lua_State *L = h->L;
    if (g.slot < 0) {
        lua_pushnil(L);
        return;
    }
    struct hd_handle *own = known(h, HD_KIND_GROUP, g.slot);
    if (own && own->serial == g.serial) {
        push_known(h, HD_KIND_GROUP, g.slot);
        return;
    }
    bool open = hd_ask_group_open(h->engine, g);
    if (!open && h->closed) { /* the handle that the script may still hold */
        lua_rawgeti(L, LUA_REGISTRYINDEX, h->closed);
        bool found = lua_rawgeti(L, -1, closed_key(g)) != LUA_TNIL;
        lua_remove(L, -2);
        if (found) return;
        lua_pop(L, 1);
    }
    own = make(h, HD_KIND_GROUP, g.slot, g.serial);
    own->rank = h->ranks++;
    own->gone = !open;
    if (open) {
        own->model = hd_ask_group_model(h->engine, g);
        keep(h, own);
    } else if (h->closed) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, h->closed);
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, closed_key(g));
        lua_pop(L, 1);
    }
}

/* ---- forgetting ---------------------------------------------------------- */

/* The handle, if the script has one, marked as gone and on the stack. */
static struct hd_handle *drop(struct hd_lua *h, enum hd_kind kind, int slot,
                              int serial) {
    struct hd_handle *own = known(h, kind, slot);
    lua_State *L = h->L;
    if (!own || own->serial != serial) return NULL;
    h->handles[kind].at[slot] = NULL;
    h->live--;
    own->gone = true;
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->handles[kind].table);
    lua_rawgeti(L, -1, slot + 1);
    lua_pushboolean(L, 0); /* not nil: the table stays an array */
    lua_rawseti(L, -3, slot + 1);
    lua_remove(L, -2);
    lua_pushnil(L);
    lua_setiuservalue(L, -2, 1);
    return own;
}

void hd_lua_forget_request(void *host, struct hd_req r) {
    struct hd_lua *h = host;
    struct hd_handle *own = drop(h, HD_KIND_REQUEST, r.slot, r.serial);
    if (!own) return;
    own->state = (uint8_t)hd_ask_request_state(h->engine, r);
    lua_pop(h->L, 1);
}

void hd_lua_forget_group(void *host, struct hd_grp g) {
    struct hd_lua *h = host;
    if (!drop(h, HD_KIND_GROUP, g.slot, g.serial)) return;
    if (h->closed) {
        lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->closed);
        lua_pushvalue(h->L, -2);
        lua_rawseti(h->L, -2, closed_key(g));
        lua_pop(h->L, 1);
    }
    lua_pop(h->L, 1);
}

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

/* handle.name: a method, or a field by number. */
static int index_handle(lua_State *L) {
    struct hd_handle *h = lua_touserdata(L, 1);
    lua_pushvalue(L, 2);
    int type = lua_rawget(L, lua_upvalueindex(1));
    if (type == LUA_TFUNCTION) return 1;
    if (type == LUA_TNUMBER) return read_field(L, h, (int)lua_tointeger(L, -1));
    if (lua_type(L, 2) != LUA_TSTRING)
        return luaL_error(L, "%s has fields with names only, not %s",
                          hd_lua_kind_name(h->kind), describe(L, 2));
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
    still_there(L, h, "tag");
    lua_setiuservalue(L, 1, 1);
    return 0;
}

static int describe_handle(lua_State *L) {
    const struct hd_handle *h = lua_touserdata(L, 1);
    if (h->kind <= HD_KIND_SET)
        lua_pushstring(L, bare_name(h->kind));
    else if (h->kind == HD_KIND_MODEL)
        lua_pushfstring(L, "model %s", hd_ask_model(h->host->engine, h->slot).name);
    else
        lua_pushfstring(L, "%s %d", bare_name(h->kind), (int)h->rank);
    return 1;
}

/* Kinds, then the order of numbers: what `pairs` goes by. */
static int64_t rank(lua_State *L, int at) {
    const struct hd_handle *h = lua_touserdata(L, at);
    return (int64_t)h->kind << 56 | h->rank;
}

static void add_methods(lua_State *L, const luaL_Reg *method) {
    for (; method && method->name; method++) {
        lua_pushcfunction(L, method->func);
        lua_setfield(L, -2, method->name);
    }
}

static void open_kind(struct hd_lua *h, enum hd_kind kind) {
    lua_State *L = h->L;
    lua_createtable(L, 0, 6);
    if (kind != HD_KIND_SET) {
        lua_newtable(L);
        for (const struct hd_lua_field *f = fields_of(kind); f->name; f++) {
            lua_pushinteger(L, f->id);
            lua_setfield(L, -2, f->name);
        }
        add_methods(L, hd_lua_actions(kind));
        add_methods(L, hd_lua_questions(kind));
        lua_pushcclosure(L, index_handle, 1);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, assign_handle);
        lua_setfield(L, -2, "__newindex");
    }
    lua_pushcfunction(L, describe_handle);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    h->metatable[kind] = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    h->handles[kind].table = luaL_ref(L, LUA_REGISTRYINDEX);
}

/* ---- set ----------------------------------------------------------------- */

static int read_parameter(lua_State *L) {
    const struct hd_handle *h = lua_touserdata(L, 1);
    const struct hd_script *s = h->host->script;
    const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?";
    if (!h->host->engine) return luaL_error(L, "set.%s: only inside callbacks", name);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
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

void hd_lua_open(struct hd_lua *h) {
    lua_State *L = h->L;
    for (int kind = 0; kind < HD_KINDS; kind++) open_kind(h, (enum hd_kind)kind);
    hd_sandbox_rank(h->box, rank);
    make(h, HD_KIND_POOL, 0, 0);
    lua_setglobal(L, "pool");
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->metatable[HD_KIND_SET]);
    lua_newtable(L); /* the values; hd_lua_push_values fills it */
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, "hotdesk.values");
    lua_pushcclosure(L, read_parameter, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, assign_parameter);
    lua_setfield(L, -2, "__newindex");
    lua_pop(L, 1);
    make(h, HD_KIND_SET, 0, 0);
    lua_setglobal(L, "set");
    lua_newtable(L);
    h->timers = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_newtable(L);
    h->roles = luaL_ref(L, LUA_REGISTRYINDEX);
}
