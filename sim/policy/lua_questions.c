/* The host primitives: what a policy asks about many objects at once, answered in
 * C, and estimates of time. */
#include <string.h>

#include "policy/lua_host.h"

/* ---- filters and iterators ----------------------------------------------- */

/* Up to two arguments: a model, a request, both, or nothing. */
static struct hd_filter filter_argument(lua_State *L, int first, const char *call) {
    struct hd_filter f = HD_ALL;
    for (int at = first; at < first + 2; at++) {
        if (lua_isnoneornil(L, at)) continue;
        const struct hd_handle *h = hd_lua_handle(L, at);
        if (h && h->kind == HD_KIND_MODEL)
            f.model = h->slot;
        else if (h && h->kind == HD_KIND_REQUEST)
            f.req = hd_lua_req(hd_lua_argument(L, at, HD_KIND_REQUEST, call));
        else
            hd_lua_wrong(L, at, call, "a model, a request, or nothing");
    }
    return f;
}

/* A role's number: by the string's address, else by the string, else by its text. */
static int role_argument(lua_State *L, struct hd_lua *h, int at, const char *call) {
    const void *address = lua_topointer(L, at);
    int seen = (int)((uintptr_t)address >> 4 & (HD_ROLES_SEEN - 1));
    if (address && h->role_seen[seen].name == address) return h->role_seen[seen].role;
    const char *name = hd_lua_text(L, at, call);
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->roles);
    lua_pushvalue(L, at);
    if (lua_rawget(L, -2) != LUA_TNUMBER) {
        lua_pushvalue(L, at);
        lua_pushinteger(L, hd_ask_role(h->engine, name));
        lua_copy(L, -1, -3);
        lua_rawset(L, -4);
    }
    int role = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_pushvalue(L, at);
    lua_rawseti(L, -2, seen + 1);
    lua_pop(L, 1);
    h->role_seen[seen].name = address;
    h->role_seen[seen].role = role;
    return role;
}

struct snapshot {
    struct hd_lua *host;
    enum hd_kind kind;
    int count, next;
    union {
        int slot;
        struct hd_grp group;
        struct hd_req request;
    } item[]; /* also an array of any one of these */
};
_Static_assert(sizeof(struct hd_grp) == sizeof(int64_t) &&
                   sizeof(struct hd_req) == sizeof(int64_t),
               "groups and requests fill an item");

/* The next of the snapshot that is still there, or nil. */
static int step_each(lua_State *L) {
    struct snapshot *s = lua_touserdata(L, lua_upvalueindex(1));
    struct hd_engine *e = s->host->engine;
    while (s->next < s->count) {
        int n = s->next++;
        if (s->kind == HD_KIND_INSTANCE) {
            if (!hd_ask_instance_alive(e, s->item[n].slot)) continue;
            hd_lua_push(s->host, HD_KIND_INSTANCE, s->item[n].slot);
        } else if (s->kind == HD_KIND_GROUP) {
            if (!hd_ask_group_open(e, s->item[n].group)) continue;
            hd_lua_push_group(s->host, s->item[n].group);
        } else {
            if (!hd_ask_request_known(e, s->item[n].request)) continue;
            hd_lua_push_request(s->host, s->item[n].request);
        }
        return 1;
    }
    lua_pushnil(L);
    return 1;
}

static struct snapshot *new_snapshot(lua_State *L, struct hd_lua *h, enum hd_kind kind,
                                     int count) {
    hd_sandbox_charge(L, count / 4);
    struct snapshot *s = lua_newuserdatauv(
        L, sizeof *s + sizeof s->item[0] * (size_t)(count > 0 ? count : 0), 0);
    *s = (struct snapshot){.host = h, .kind = kind, .count = count};
    return s;
}

static int return_iterator(lua_State *L) {
    lua_pushcclosure(L, step_each, 1);
    return 1;
}

static int pool_each(lua_State *L) {
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, "each")->host;
    int role = role_argument(L, h, 2, "each");
    struct hd_filter f = filter_argument(L, 3, "each");
    const int *found;
    int count = hd_ask_each(h->engine, role, f, &found);
    struct snapshot *s = new_snapshot(L, h, HD_KIND_INSTANCE, count);
    for (int n = 0; n < count; n++) s->item[n].slot = found[n];
    return return_iterator(L);
}

static int instance_each(lua_State *L) {
    static const char *const orders[] = {"model"};
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "each");
    struct hd_lua *h = inst->host;
    bool by_model = !lua_isnoneornil(L, 2);
    if (by_model) hd_lua_choice(L, 2, "each", orders, 1);
    int room = hd_ask_instance(h->engine, inst->slot).groups;
    struct snapshot *s = new_snapshot(L, h, HD_KIND_GROUP, room);
    s->count =
        hd_ask_instance_groups(h->engine, inst->slot, by_model, &s->item[0].group);
    return return_iterator(L);
}

static int group_each(lua_State *L) {
    struct hd_handle *group = hd_lua_self(L, HD_KIND_GROUP, "each");
    struct hd_lua *h = group->host;
    int room = hd_ask_group_size(h->engine, hd_lua_grp(group));
    struct snapshot *s = new_snapshot(L, h, HD_KIND_REQUEST, room);
    s->count = hd_ask_group_members(h->engine, hd_lua_grp(group), &s->item[0].request);
    return return_iterator(L);
}

static int pool_held(lua_State *L) {
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, "held")->host;
    int model = -1;
    if (!lua_isnoneornil(L, 2))
        model = hd_lua_argument(L, 2, HD_KIND_MODEL, "held")->slot;
    const struct hd_req *found;
    int count = hd_ask_held(h->engine, model, &found);
    struct snapshot *s = new_snapshot(L, h, HD_KIND_REQUEST, count);
    for (int n = 0; n < count; n++) s->item[n].request = found[n];
    return return_iterator(L);
}

/* ---- choosing ------------------------------------------------------------ */

static const char *const find_options[] = {"waiting", "size", "room", NULL};

static void take_limit(lua_State *L, int option, const char *call, void *out) {
    int whole;
    lua_Integer n = lua_tointegerx(L, -1, &whole);
    if (!whole || n < 0 || n > INT32_MAX)
        luaL_error(L, "%s: %s: expected a whole number, 0 or more", call,
                   find_options[option]);
    ((int *)out)[option] = (int)n;
}

static int pool_find(lua_State *L) {
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, "find")->host;
    struct hd_handle *req = hd_lua_argument(L, 2, HD_KIND_REQUEST, "find");
    int role = role_argument(L, h, 3, "find");
    int limit[3] = {-1, -1, -1};
    hd_lua_options(L, 4, "find", find_options, take_limit, limit);
    hd_lua_push_group(
        h, hd_ask_find(h->engine, hd_lua_req(req), role, limit[0], limit[1], limit[2]));
    return 1;
}

static int extreme(lua_State *L, const char *call,
                   int (*ask)(struct hd_engine *, int, enum hd_key, struct hd_filter)) {
    static const char *const keys[] = {"groups",         "requests", "waiting",
                                       "waiting_tokens", "queue_s",  "rest_at"};
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, call)->host;
    int role = role_argument(L, h, 2, call);
    int key = hd_lua_choice(L, 3, call, keys, HD_KEYS);
    struct hd_filter f = filter_argument(L, 4, call);
    hd_lua_push(h, HD_KIND_INSTANCE, ask(h->engine, role, (enum hd_key)key, f));
    return 1;
}

static int pool_least(lua_State *L) {
    return extreme(L, "least", hd_ask_least);
}

static int pool_most(lua_State *L) {
    return extreme(L, "most", hd_ask_most);
}

static int pool_count(lua_State *L) {
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, "count")->host;
    int role = role_argument(L, h, 2, "count");
    struct hd_filter f = filter_argument(L, 3, "count");
    lua_pushinteger(L, hd_ask_count(h->engine, role, f));
    return 1;
}

static int group_fits(lua_State *L) {
    struct hd_handle *group = hd_lua_self(L, HD_KIND_GROUP, "fits");
    struct hd_req req = HD_NO_REQ;
    int64_t room = 0;
    if (!lua_isnoneornil(L, 2))
        req = hd_lua_req(hd_lua_argument(L, 2, HD_KIND_REQUEST, "fits"));
    if (!lua_isnoneornil(L, 3)) room = hd_lua_integer(L, 3, "fits");
    if (room < 0 || room > 1 << 24)
        return luaL_error(L, "fits: room is %I; expected tokens, 0 or more",
                          (LUAI_UACINT)room);
    lua_pushboolean(
        L, hd_ask_group_fits(group->host->engine, hd_lua_grp(group), req, (int)room));
    return 1;
}

static int instance_cached(lua_State *L) {
    struct hd_handle *instance = hd_lua_self(L, HD_KIND_INSTANCE, "cached");
    struct hd_handle *req = hd_lua_argument(L, 2, HD_KIND_REQUEST, "cached");
    lua_pushinteger(L, hd_ask_cached_tokens(instance->host->engine, instance->slot,
                                            hd_lua_req(req)));
    return 1;
}

static int node_tier(lua_State *L) {
    struct hd_handle *node = hd_lua_self(L, HD_KIND_NODE, "tier");
    struct hd_handle *model = hd_lua_argument(L, 2, HD_KIND_MODEL, "tier");
    lua_pushstring(L, hd_ask_node_tier(node->host->engine, node->slot, model->slot));
    return 1;
}

/* ---- estimates ----------------------------------------------------------- */

enum { PREFILL, STEP, SWITCH, LOAD, SWAP };
static const char *const estimates[] = {"prefill", "step", "switch", "load", "swap"};

/* A request, or a number of tokens and (unless one has run here) a model. */
static double prefill(lua_State *L, const struct hd_handle *inst) {
    struct hd_engine *e = inst->host->engine;
    const struct hd_handle *what = hd_lua_handle(L, 3);
    if (what && what->kind == HD_KIND_REQUEST) {
        hd_lua_argument(L, 3, HD_KIND_REQUEST, "estimate");
        return hd_ask_prefill_s(e, inst->slot, what->model,
                                hd_ask_request_context(e, hd_lua_req(what)));
    }
    if (!lua_isinteger(L, 3))
        hd_lua_wrong(L, 3, "estimate", "a request, or a whole number of tokens");
    int model = hd_ask_instance(e, inst->slot).model;
    if (!lua_isnoneornil(L, 4))
        model = hd_lua_argument(L, 4, HD_KIND_MODEL, "estimate")->slot;
    if (model < 0)
        luaL_error(L,
                   "estimate: no model has run on this instance; name one behind the "
                   "tokens");
    int64_t tokens = lua_tointeger(L, 3);
    if (tokens < 0 || tokens > 1 << 24)
        luaL_error(L, "estimate: %I tokens; expected 0 to 2^24", (LUAI_UACINT)tokens);
    return hd_ask_prefill_s(e, inst->slot, model, tokens);
}

static double swap(lua_State *L, const struct hd_handle *inst) {
    struct hd_engine *e = inst->host->engine;
    const struct hd_handle *what = hd_lua_handle(L, 3);
    if (!what || (what->kind != HD_KIND_GROUP && what->kind != HD_KIND_REQUEST))
        hd_lua_wrong(L, 3, "estimate", "a group or a request");
    hd_lua_argument(L, 3, what->kind, "estimate");
    int64_t tokens = what->kind == HD_KIND_GROUP
                         ? hd_ask_group_context(e, hd_lua_grp(what))
                         : hd_ask_request_context(e, hd_lua_req(what));
    return hd_ask_swap_s(e, inst->slot, tokens, what->model);
}

static int instance_estimate(lua_State *L) {
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "estimate");
    struct hd_engine *e = inst->host->engine;
    const struct hd_handle *what;
    double seconds = 0;
    switch (hd_lua_choice(L, 2, "estimate", estimates, 5)) {
    case PREFILL:
        seconds = prefill(L, inst);
        break;
    case STEP:
        what = hd_lua_argument(L, 3, HD_KIND_GROUP, "estimate");
        if (hd_ask_group_instance(e, hd_lua_grp(what)) != inst->slot)
            return luaL_error(L, "estimate: the group is on instance %d, not %d",
                              hd_ask_group_instance(e, hd_lua_grp(what)), inst->slot);
        seconds = hd_ask_step_s(e, hd_lua_grp(what));
        break;
    case SWITCH:
        what = hd_lua_argument(L, 3, HD_KIND_MODEL, "estimate");
        seconds = hd_ask_switch_s(e, inst->slot, what->slot);
        break;
    case LOAD:
        what = hd_lua_argument(L, 3, HD_KIND_MODEL, "estimate");
        seconds = hd_ask_load_s(e, inst->slot, what->slot);
        break;
    default:
        seconds = swap(L, inst);
    }
    lua_pushnumber(L, seconds);
    return 1;
}

/* estimate(kind, gpu, tp, share, model, ...): of an instance that does not exist,
 * for planning a layout. */
static int pool_estimate(lua_State *L) {
    static const char *const kinds[] = {"prefill", "step", "load"};
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, "estimate")->host;
    int kind = hd_lua_choice(L, 2, "estimate", kinds, 3);
    struct hd_layout at = {.type = hd_lua_text(L, 3, "estimate")};
    at.tp = (int)hd_lua_integer(L, 4, "estimate");
    at.share = hd_lua_number(L, 5, "estimate");
    at.model = hd_lua_argument(L, 6, HD_KIND_MODEL, "estimate")->slot;
    int64_t first = 0, second = 0;
    if (kind < 2) first = hd_lua_integer(L, 7, "estimate");
    if (kind == 1) second = hd_lua_integer(L, 8, "estimate");
    double seconds = kind == 0   ? hd_ask_layout_prefill_s(h->engine, &at, first)
                     : kind == 1 ? hd_ask_layout_step_s(h->engine, &at, first, second)
                                 : hd_ask_layout_load_s(h->engine, &at);
    if (seconds < 0) {
        lua_pushstring(L, hd_ask_error(h->engine));
        hd_act_forgive(h->engine);
        return luaL_error(L, "%s", lua_tostring(L, -1));
    }
    lua_pushnumber(L, seconds);
    return 1;
}

const luaL_Reg *hd_lua_questions(enum hd_kind kind) {
    static const luaL_Reg pool[] = {{"find", pool_find},         {"least", pool_least},
                                    {"most", pool_most},         {"count", pool_count},
                                    {"each", pool_each},         {"held", pool_held},
                                    {"estimate", pool_estimate}, {NULL, NULL}};
    static const luaL_Reg instance[] = {{"each", instance_each},
                                        {"estimate", instance_estimate},
                                        {"cached", instance_cached},
                                        {NULL, NULL}};
    static const luaL_Reg group[] = {
        {"each", group_each}, {"fits", group_fits}, {NULL, NULL}};
    static const luaL_Reg node[] = {{"tier", node_tier}, {NULL, NULL}};
    static const luaL_Reg *const all[HD_KINDS] = {[HD_KIND_POOL] = pool,
                                                  [HD_KIND_INSTANCE] = instance,
                                                  [HD_KIND_GROUP] = group,
                                                  [HD_KIND_NODE] = node};
    return all[kind];
}
