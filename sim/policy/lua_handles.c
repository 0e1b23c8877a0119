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

const char *hd_lua_bare_name(enum hd_kind kind) {
    return strchr(hd_lua_kind_name(kind), ' ') + 1;
}

/* ---- arguments ----------------------------------------------------------- */

struct hd_handle *hd_lua_handle(lua_State *L, int at) {
    return lua_touserdata(L, at); /* scripts see no other userdata */
}

/* What stands there, as a person would say it. */
const char *hd_lua_describe(lua_State *L, int at) {
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
                      hd_lua_describe(L, at), expected);
}

struct hd_handle *hd_lua_still_there(lua_State *L, struct hd_handle *h,
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
                   call, hd_lua_describe(L, 1), hd_lua_bare_name(kind), call,
                   hd_lua_kind_name(kind));
    if (!h->host->engine) luaL_error(L, "%s: only inside callbacks", call);
    return hd_lua_still_there(L, h, call);
}

struct hd_handle *hd_lua_argument(lua_State *L, int at, enum hd_kind kind,
                                  const char *call) {
    struct hd_handle *h = hd_lua_handle(L, at);
    if (!h || h->kind != kind) hd_lua_wrong(L, at, call, hd_lua_kind_name(kind));
    return hd_lua_still_there(L, h, call);
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

struct hd_handle *hd_lua_make(struct hd_lua *h, enum hd_kind kind, int slot,
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
    lua_pushvalue(h->L, -1);
    if (h->free_refs)
        lua_rawseti(h->L, LUA_REGISTRYINDEX, handle->ref = h->free_ref[--h->free_refs]);
    else
        handle->ref = luaL_ref(h->L, LUA_REGISTRYINDEX);
    struct hd_handles *all = &h->handles[handle->kind];
    int before = all->capacity;
    all->at = hd_grow(all->at, &all->capacity, handle->slot + 1, sizeof *all->at);
    for (int n = before; n < all->capacity; n++) all->at[n] = NULL;
    all->at[handle->slot] = handle;
}

static struct hd_handle *known(const struct hd_lua *h, enum hd_kind kind, int slot) {
    const struct hd_handles *all = &h->handles[kind];
    return slot < all->capacity ? all->at[slot] : NULL;
}

static void push_known(const struct hd_handle *own) {
    lua_rawgeti(own->host->L, LUA_REGISTRYINDEX, own->ref);
}

void hd_lua_push(struct hd_lua *h, enum hd_kind kind, int slot) {
    if (slot < 0) {
        lua_pushnil(h->L);
        return;
    }
    const struct hd_handle *own = known(h, kind, slot);
    if (own)
        push_known(own);
    else
        keep(h, hd_lua_make(h, kind, slot, 0));
}

void hd_lua_push_request(struct hd_lua *h, struct hd_req r) {
    if (r.slot < 0) {
        lua_pushnil(h->L);
        return;
    }
    struct hd_handle *own = known(h, HD_KIND_REQUEST, r.slot);
    if (own && own->serial == r.serial) {
        push_known(own);
        return;
    }
    own = hd_lua_make(h, HD_KIND_REQUEST, r.slot, r.serial);
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
        push_known(own);
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
    own = hd_lua_make(h, HD_KIND_GROUP, g.slot, g.serial);
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

/* The handle, if the script has one, marked as gone; the script may keep it. */
static struct hd_handle *drop(struct hd_lua *h, enum hd_kind kind, int slot,
                              int serial) {
    struct hd_handle *own = known(h, kind, slot);
    lua_State *L = h->L;
    if (!own || own->serial != serial) return NULL;
    h->handles[kind].at[slot] = NULL;
    h->live--;
    own->gone = true;
    if (own->tagged) {
        push_known(own);
        lua_pushnil(L);
        lua_setiuservalue(L, -2, 1);
        lua_pop(L, 1);
    }
    return own;
}

/* From here on only the script keeps the handle alive. */
static void let_go(struct hd_lua *h, struct hd_handle *own) {
    h->free_ref = hd_grow(h->free_ref, &h->free_ref_capacity, h->free_refs + 1,
                          sizeof *h->free_ref);
    h->free_ref[h->free_refs++] = own->ref;
    lua_pushboolean(h->L, 0); /* not nil: the registry stays an array */
    lua_rawseti(h->L, LUA_REGISTRYINDEX, own->ref);
}

void hd_lua_forget_request(void *host, struct hd_req r) {
    struct hd_lua *h = host;
    struct hd_handle *own = drop(h, HD_KIND_REQUEST, r.slot, r.serial);
    if (!own) return;
    own->state = (uint8_t)hd_ask_request_state(h->engine, r);
    let_go(h, own);
}

void hd_lua_forget_group(void *host, struct hd_grp g) {
    struct hd_lua *h = host;
    struct hd_handle *own = drop(h, HD_KIND_GROUP, g.slot, g.serial);
    if (!own) return;
    if (h->closed) {
        lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->closed);
        push_known(own);
        lua_rawseti(h->L, -2, closed_key(g));
        lua_pop(h->L, 1);
    }
    let_go(h, own);
}
