/* The actions of a policy, as methods of its objects. The engine says what is
 * impossible; here only what Lua wrote is checked. */
#include <math.h>
#include <string.h>

#include "policy/lua_host.h"

/* The engine refused: its text becomes a Lua error, which has the script's line. */
static int refused(lua_State *L, struct hd_lua *h) {
    lua_pushstring(L, hd_ask_error(h->engine));
    hd_act_forgive(h->engine);
    return luaL_error(L, "%s", lua_tostring(L, -1));
}

void hd_lua_options(lua_State *L, int at, const char *call, const char *const *names,
                    void (*take)(lua_State *, int, const char *, void *), void *out) {
    if (lua_isnoneornil(L, at)) return;
    if (lua_type(L, at) != LUA_TTABLE) hd_lua_wrong(L, at, call, "a table of options");
    int count = 0;
    while (names[count]) count++;
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
        int option = 0;
        while (option < count && strcmp(names[option], name) != 0) option++;
        if (option < count) {
            take(L, option, call, out);
            continue;
        }
        const char *near = hd_nearest(name, names, count);
        if (near) luaL_error(L, "%s: no option '%s'; nearest: %s", call, name, near);
        luaL_Buffer list;
        luaL_buffinit(L, &list);
        for (int n = 0; n < count; n++) {
            luaL_addstring(&list, n ? ", " : "");
            luaL_addstring(&list, names[n]);
        }
        luaL_pushresult(&list);
        luaL_error(L, "%s: no option '%s'; there are: %s", call, name,
                   lua_tostring(L, -1));
    }
}

/* An option's value, at the top of the stack. */
static int wrong_value(lua_State *L, const char *call, const char *option,
                       const char *expected) {
    return luaL_error(L, "%s: %s is a %s; expected %s", call, option,
                      luaL_typename(L, -1), expected);
}

static double number_value(lua_State *L, const char *call, const char *option) {
    if (lua_type(L, -1) != LUA_TNUMBER) wrong_value(L, call, option, "a number");
    double n = lua_tonumber(L, -1);
    if (isnan(n)) luaL_error(L, "%s: %s is not a number (NaN)", call, option);
    return n;
}

static int whole_value(lua_State *L, const char *call, const char *option, int least) {
    int whole;
    lua_Integer n = lua_tointegerx(L, -1, &whole);
    if (!whole || lua_type(L, -1) != LUA_TNUMBER)
        wrong_value(L, call, option, "a whole number");
    if (n < least || n > INT32_MAX)
        luaL_error(L, "%s: %s is %I; expected at least %d", call, option,
                   (LUAI_UACINT)n, least);
    return (int)n;
}

static double bytes_value(lua_State *L, const char *call, const char *option) {
    double n = number_value(L, call, option);
    if (n <= 0) luaL_error(L, "%s: %s is %f; expected more than 0", call, option, n);
    return n;
}

static double share_value(lua_State *L, const char *call, const char *option) {
    double n = number_value(L, call, option);
    if (!(n > 0 && n <= 1))
        luaL_error(L, "%s: %s is %f; expected more than 0, at most 1", call, option, n);
    return n;
}

static const char *text_value(lua_State *L, const char *call, const char *option) {
    if (lua_type(L, -1) != LUA_TSTRING) wrong_value(L, call, option, "a string");
    return lua_tostring(L, -1);
}

static bool flag_value(lua_State *L, const char *call, const char *option) {
    if (lua_type(L, -1) != LUA_TBOOLEAN) wrong_value(L, call, option, "true or false");
    return lua_toboolean(L, -1);
}

static bool word_is(lua_State *L, const char *call, const char *option, const char *yes,
                    const char *no) {
    const char *text = text_value(L, call, option);
    if (strcmp(text, yes) == 0) return true;
    if (strcmp(text, no) != 0)
        luaL_error(L, "%s: %s is \"%s\"; expected \"%s\" or \"%s\"", call, option, text,
                   no, yes);
    return false;
}

/* ---- instances ----------------------------------------------------------- */

static const char *const form_options[] = {
    "role",    "gpus",    "type",   "node",          "on", "share", "kv_bytes", "kv",
    "weights", "sharing", "memory", "prefill_share", NULL};

struct form {
    struct hd_form form;
    int on[64], named; /* named: GPUs of `on`; gpus may be left out then */
};

static void take_gpus(lua_State *L, struct form *f) {
    if (lua_type(L, -1) != LUA_TTABLE) wrong_value(L, "form", "on", "an array of GPUs");
    f->named = (int)lua_rawlen(L, -1);
    if (f->named < 1 || f->named > 64)
        luaL_error(L, "form: on has %d GPUs; expected 1 to 64", f->named);
    for (int n = 0; n < f->named; n++) {
        lua_rawgeti(L, -1, n + 1);
        const struct hd_handle *gpu = hd_lua_handle(L, -1);
        if (!gpu || gpu->kind != HD_KIND_GPU)
            luaL_error(L, "form: on[%d] is not a GPU; expected an array of GPUs",
                       n + 1);
        f->on[n] = gpu->slot;
        for (int before = 0; before < n; before++)
            if (f->on[before] == gpu->slot)
                luaL_error(L, "form: on names GPU %d twice", gpu->slot);
        lua_pop(L, 1);
    }
    f->form.on = f->on;
}

static void take_form(lua_State *L, int option, const char *call, void *out) {
    struct form *f = out;
    const struct hd_handle *node;
    const char *name = form_options[option];
    switch (option) {
    case 0:
        f->form.role = text_value(L, call, name);
        break;
    case 1:
        f->form.gpus = whole_value(L, call, name, 1);
        break;
    case 2:
        f->form.type = text_value(L, call, name);
        break;
    case 3:
        node = hd_lua_handle(L, -1);
        if (!node || node->kind != HD_KIND_NODE) wrong_value(L, call, name, "a node");
        f->form.node = node->slot;
        break;
    case 4:
        take_gpus(L, f);
        break;
    case 5:
        f->form.share = share_value(L, call, name);
        break;
    case 6:
        f->form.kv_bytes = bytes_value(L, call, name);
        break;
    case 7:
        if (word_is(L, call, name, "elastic", "fixed"))
            luaL_error(L,
                       "form: kv = \"elastic\": not modelled; use inst:limit{memory=}");
        break;
    case 8:
        f->form.many = word_is(L, call, name, "many", "one");
        break;
    case 9:
        f->form.sharing = word_is(L, call, name, "time_slice", "mps") ? HD_SHARE_TIME
                                                                      : HD_SHARE_SPACE;
        break;
    case 10:
        f->form.memory_bytes = bytes_value(L, call, name);
        break;
    case 11:
        f->form.prefill_share = share_value(L, call, name);
        break;
    }
}

static int act_form(lua_State *L) {
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, "form")->host;
    struct form f = {.form = {.node = -1}};
    if (lua_type(L, 2) != LUA_TTABLE)
        hd_lua_wrong(L, 2, "form", "a table such as {role = \"serve\"}");
    hd_lua_options(L, 2, "form", form_options, take_form, &f);
    if (!f.form.role) return luaL_error(L, "form: needs role = \"NAME\"");
    if (f.named && f.form.gpus && f.named != f.form.gpus)
        return luaL_error(L, "form: gpus is %d, but on names %d", f.form.gpus, f.named);
    if (f.named) f.form.gpus = f.named;
    int number = hd_act_form(h->engine, &f.form);
    if (number == -2) return refused(L, h);
    hd_lua_push(h, HD_KIND_INSTANCE, number);
    return 1;
}

static void take_drain(lua_State *L, int option, const char *call, void *out) {
    (void)option;
    *(bool *)out = flag_value(L, call, "drain");
}

static int act_dissolve(lua_State *L) {
    static const char *const options[] = {"drain", NULL};
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "dissolve");
    bool drain = false;
    hd_lua_options(L, 2, "dissolve", options, take_drain, &drain);
    if (!hd_act_dissolve(inst->host->engine, inst->slot, drain))
        return refused(L, inst->host);
    return 0;
}

struct limit {
    double kv_bytes, memory_bytes;
};

static void take_limit(lua_State *L, int option, const char *call, void *out) {
    struct limit *limit = out;
    if (option == 2)
        luaL_error(L,
                   "limit: share: an instance keeps the one that it was formed with");
    if (option == 0) limit->kv_bytes = bytes_value(L, call, "kv_bytes");
    if (option == 1) limit->memory_bytes = bytes_value(L, call, "memory");
}

static int act_limit(lua_State *L) {
    static const char *const options[] = {"kv_bytes", "memory", "share", NULL};
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "limit");
    struct limit limit = {.kv_bytes = INFINITY};
    hd_lua_options(L, 2, "limit", options, take_limit, &limit);
    if (!hd_act_limit(inst->host->engine, inst->slot, limit.kv_bytes,
                      limit.memory_bytes))
        return refused(L, inst->host);
    return 0;
}

static int act_group(lua_State *L) {
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "group");
    struct hd_handle *model = hd_lua_argument(L, 2, HD_KIND_MODEL, "group");
    struct hd_grp g = hd_act_group(inst->host->engine, inst->slot, model->slot);
    if (g.slot < 0) return refused(L, inst->host);
    hd_lua_push_group(inst->host, g);
    return 1;
}

static const char *const turn_options[] = {"prefill", "for_s", "strict", "out",
                                           "max",     "chunk", NULL};

static void take_turn(lua_State *L, int option, const char *call, void *out) {
    static const char *const outs[] = {"host", "drop", "lazy"};
    struct hd_turn *t = out;
    const char *name = turn_options[option], *text;
    switch (option) {
    case 0:
        t->prefill = whole_value(L, call, name, 0);
        break;
    case 1:
        t->for_s = number_value(L, call, name);
        if (t->for_s <= 0)
            luaL_error(L, "run: for_s is %f; expected more than 0", t->for_s);
        if (isinf(t->for_s)) t->for_s = 0; /* no quantum */
        break;
    case 2:
        t->strict = flag_value(L, call, name);
        break;
    case 3:
        text = text_value(L, call, name);
        for (int n = 0; n < 3; n++)
            if (strcmp(outs[n], text) == 0) {
                t->out = (enum hd_out)n;
                return;
            }
        luaL_error(L, "run: out is \"%s\"; expected \"host\", \"drop\" or \"lazy\"",
                   text);
        break;
    case 4:
        t->max = whole_value(L, call, name, 1);
        break;
    case 5:
        t->chunk = whole_value(L, call, name, 0);
        if (t->chunk == 0) t->chunk = -1; /* whole prompts, whatever the engine's */
        break;
    }
}

static int act_run(lua_State *L) {
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "run");
    struct hd_handle *group = hd_lua_argument(L, 2, HD_KIND_GROUP, "run");
    struct hd_turn t = HD_TURN;
    hd_lua_options(L, 3, "run", turn_options, take_turn, &t);
    if (!hd_act_run(inst->host->engine, inst->slot, hd_lua_grp(group), &t))
        return refused(L, inst->host);
    return 0;
}

static int act_interrupt(lua_State *L) {
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "interrupt");
    if (!hd_act_interrupt(inst->host->engine, inst->slot))
        return refused(L, inst->host);
    return 0;
}

static int act_load(lua_State *L) {
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "load");
    struct hd_handle *model = hd_lua_argument(L, 2, HD_KIND_MODEL, "load");
    int done = hd_act_load(inst->host->engine, inst->slot, model->slot);
    if (done < 0) return refused(L, inst->host);
    lua_pushboolean(L, done);
    return 1;
}

static int act_unload(lua_State *L) {
    struct hd_handle *inst = hd_lua_self(L, HD_KIND_INSTANCE, "unload");
    int model = -1;
    if (!lua_isnoneornil(L, 2))
        model = hd_lua_argument(L, 2, HD_KIND_MODEL, "unload")->slot;
    if (!hd_act_unload(inst->host->engine, inst->slot, model))
        return refused(L, inst->host);
    return 0;
}

/* ---- requests ------------------------------------------------------------ */

static const char *const kv_moves[] = {"pull", "push", "live",
                                       "drop"}; /* as the enum */

static void take_kv(lua_State *L, int option, const char *call, void *out) {
    (void)option;
    const char *text = text_value(L, call, "kv");
    if (strcmp(text, "live") == 0)
        luaL_error(L,
                   "join: kv = \"live\": copying while decoding is not modelled yet");
    for (int n = 0; n < 4; n++)
        if (strcmp(kv_moves[n], text) == 0) {
            *(enum hd_kv_move *)out = (enum hd_kv_move)n;
            return;
        }
    luaL_error(L, "join: kv is \"%s\"; expected \"pull\", \"push\" or \"drop\"", text);
}

static int act_join(lua_State *L) {
    static const char *const options[] = {"kv", NULL};
    struct hd_handle *req = hd_lua_self(L, HD_KIND_REQUEST, "join");
    struct hd_engine *e = req->host->engine;
    enum hd_kv_move how = HD_KV_PULL;
    hd_lua_options(L, 3, "join", options, take_kv, &how);
    const struct hd_handle *to = hd_lua_handle(L, 2);
    bool fine;
    if (lua_isnoneornil(L, 2))
        fine = hd_act_hold(e, hd_lua_req(req));
    else if (to && to->kind == HD_KIND_INSTANCE)
        fine = hd_act_join_instance(e, hd_lua_req(req), to->slot, how);
    else if (to && to->kind == HD_KIND_GROUP)
        fine = hd_act_join_group(
            e, hd_lua_req(req),
            hd_lua_grp(hd_lua_argument(L, 2, HD_KIND_GROUP, "join")), how);
    else
        return hd_lua_wrong(L, 2, "join", "an instance, a group, or nil");
    return fine ? 0 : refused(L, req->host);
}

static int act_reject(lua_State *L) {
    struct hd_handle *req = hd_lua_self(L, HD_KIND_REQUEST, "reject");
    if (!hd_act_reject(req->host->engine, hd_lua_req(req)))
        return refused(L, req->host);
    return 0;
}

static int act_park(lua_State *L) {
    static const char *const places[] = {"drop", "host"};
    struct hd_handle *req = hd_lua_self(L, HD_KIND_REQUEST, "park");
    bool host = hd_lua_choice(L, 2, "park", places, 2);
    if (!hd_act_park(req->host->engine, hd_lua_req(req), host))
        return refused(L, req->host);
    return 0;
}

/* ---- groups, nodes, timers ----------------------------------------------- */

static int room_argument(lua_State *L, int at, const char *call) {
    if (lua_isnoneornil(L, at)) return 0;
    int64_t room = hd_lua_integer(L, at, call);
    if (room < 0 || room > 1 << 24)
        luaL_error(L, "%s: room is %I; expected tokens, 0 or more", call,
                   (LUAI_UACINT)room);
    return (int)room;
}

static int act_move(lua_State *L) {
    struct hd_handle *group = hd_lua_self(L, HD_KIND_GROUP, "move");
    struct hd_handle *inst = hd_lua_argument(L, 2, HD_KIND_INSTANCE, "move");
    struct hd_lua *h = group->host;
    struct hd_grp new = hd_act_move(h->engine, hd_lua_grp(group), inst->slot);
    if (new.slot < 0) return refused(L, h);
    hd_lua_push_group(h, new);
    return 1;
}

static int act_merge(lua_State *L) {
    struct hd_handle *group = hd_lua_self(L, HD_KIND_GROUP, "merge");
    struct hd_handle *other = hd_lua_argument(L, 2, HD_KIND_GROUP, "merge");
    struct hd_lua *h = group->host;
    int room = room_argument(L, 3, "merge");
    struct hd_grp rest;
    if (!hd_act_merge(h->engine, hd_lua_grp(group), hd_lua_grp(other), room, &rest))
        return refused(L, h);
    hd_lua_push_group(h, rest);
    return 1;
}

static int act_split(lua_State *L) {
    struct hd_handle *group = hd_lua_self(L, HD_KIND_GROUP, "split");
    struct hd_lua *h = group->host;
    int room = room_argument(L, 2, "split");
    struct hd_grp rest;
    if (!hd_act_split(h->engine, hd_lua_grp(group), room, &rest)) return refused(L, h);
    hd_lua_push_group(h, rest);
    return 1;
}

static int act_cache(lua_State *L) {
    struct hd_handle *node = hd_lua_self(L, HD_KIND_NODE, "cache");
    struct hd_handle *model = hd_lua_argument(L, 2, HD_KIND_MODEL, "cache");
    if (lua_type(L, 3) != LUA_TBOOLEAN)
        return hd_lua_wrong(L, 3, "cache", "true or false");
    if (!hd_act_cache(node->host->engine, node->slot, model->slot, lua_toboolean(L, 3)))
        return refused(L, node->host);
    return 0;
}

static int act_after(lua_State *L) {
    struct hd_lua *h = hd_lua_self(L, HD_KIND_POOL, "after")->host;
    double seconds = hd_lua_number(L, 2, "after");
    if (!h->policy.timer)
        return luaL_error(L, "after: the policy has no `timer` to be called");
    lua_settop(L, 3);
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->timers);
    lua_insert(L, 3);
    int cookie = luaL_ref(L, 3);
    if (!hd_act_after(h->engine, seconds, cookie)) return refused(L, h);
    return 0;
}

const luaL_Reg *hd_lua_actions(enum hd_kind kind) {
    static const luaL_Reg pool[] = {
        {"form", act_form}, {"after", act_after}, {NULL, NULL}};
    static const luaL_Reg instance[] = {
        {"dissolve", act_dissolve},   {"limit", act_limit},
        {"group", act_group},         {"run", act_run},
        {"interrupt", act_interrupt}, {"load", act_load},
        {"unload", act_unload},       {NULL, NULL}};
    static const luaL_Reg request[] = {
        {"join", act_join}, {"reject", act_reject}, {"park", act_park}, {NULL, NULL}};
    static const luaL_Reg group[] = {
        {"move", act_move}, {"merge", act_merge}, {"split", act_split}, {NULL, NULL}};
    static const luaL_Reg node[] = {{"cache", act_cache}, {NULL, NULL}};
    static const luaL_Reg *const all[HD_KINDS] = {[HD_KIND_POOL] = pool,
                                                  [HD_KIND_INSTANCE] = instance,
                                                  [HD_KIND_REQUEST] = request,
                                                  [HD_KIND_GROUP] = group,
                                                  [HD_KIND_NODE] = node};
    return all[kind];
}
