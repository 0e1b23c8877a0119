/* A script as a policy of the engine: its callbacks, called protected. */
#include "policy/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/wall.h"
#include "policy/lua_host.h"

/* `start` and `fleet` lay out whole fleets, so they may take longer. */
enum { LAYOUT_INSTRUCTIONS = 100 * 1000 * 1000 };

static struct hd_lua *host_of(const struct hd_policy *p) {
    return p->state;
}

/* Calls the function below `arguments`; callbacks stand at places 1 to 8 of the
 * stack. Adds place, callback and time to an error. */
static bool call(struct hd_lua *h, enum hd_callback callback, int arguments,
                 int results) {
    struct hd_err why;
    why.text[0] = '\0';
    h->calls[callback]++;
    int64_t since = h->timed ? hd_wall_ns() : 0;
    bool layout = callback == HD_CALLBACK_START || callback == HD_CALLBACK_FLEET;
    bool fine = layout ? hd_sandbox_call_within(h->box, LAYOUT_INSTRUCTIONS, arguments,
                                                results, &why)
                       : hd_sandbox_call(h->box, arguments, results, &why);
    if (h->timed) h->ns[callback] += hd_wall_ns() - since;
    if (fine) return true;
    const char *path = h->script->path;
    bool placed = strncmp(why.text, path, strlen(path)) == 0;
    hd_act_forgive(h->engine);
    return hd_act_fail(h->engine, "%s%s%s (in %s, at %.3f s)", placed ? "" : path,
                       placed ? "" : ": ", why.text, hd_callback_name(callback),
                       hd_s_from_tick(hd_ask_now(h->engine)));
}

static void push_callback(struct hd_lua *h, enum hd_callback callback) {
    lua_pushvalue(h->L, (int)callback + 1);
}

/* ---- callbacks ----------------------------------------------------------- */

static double uniform(void *host) {
    return hd_ask_random(((struct hd_lua *)host)->engine);
}

static bool on_start(void *state, struct hd_engine *e, const char **reason) {
    struct hd_lua *h = state;
    lua_State *L = h->L;
    h->engine = e;
    hd_lua_open_values(h);
    hd_sandbox_random(h->box, uniform, h);
    push_callback(h, HD_CALLBACK_START);
    if (!call(h, HD_CALLBACK_START, 0, 1)) return false;
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return true;
    }
    if (lua_type(L, -1) != LUA_TSTRING)
        return hd_act_fail(e,
                           "%s: `start` returned a %s; expected nothing, or the reason "
                           "why this fleet cannot do",
                           h->script->path, luaL_typename(L, -1));
    *reason = lua_tostring(L, -1);
    luaL_ref(L, LUA_REGISTRYINDEX); /* keeps the text */
    return true;
}

static bool on_request(struct hd_lua *h, enum hd_callback callback, struct hd_req r) {
    push_callback(h, callback);
    hd_lua_push_request(h, r);
    return call(h, callback, 1, 0);
}

static bool on_arrive(void *state, struct hd_engine *e, struct hd_req r) {
    (void)e;
    return on_request(state, HD_CALLBACK_ARRIVE, r);
}

static bool on_prefilled(void *state, struct hd_engine *e, struct hd_req r) {
    (void)e;
    return on_request(state, HD_CALLBACK_PREFILLED, r);
}

static bool on_done(void *state, struct hd_engine *e, struct hd_req r) {
    (void)e;
    return on_request(state, HD_CALLBACK_DONE, r);
}

static bool on_turn(void *state, struct hd_engine *e, int instance, enum hd_why why,
                    struct hd_grp group) {
    struct hd_lua *h = state;
    (void)e;
    int arguments = h->parameters[HD_CALLBACK_TURN];
    push_callback(h, HD_CALLBACK_TURN);
    if (arguments > 0) hd_lua_push(h, HD_KIND_INSTANCE, instance);
    if (arguments > 1) lua_pushstring(h->L, hd_why_name(why));
    if (arguments > 2) hd_lua_push_group(h, group);
    return call(h, HD_CALLBACK_TURN, arguments < 3 ? arguments : 3, 0);
}

static bool on_timer(void *state, struct hd_engine *e, int64_t cookie) {
    struct hd_lua *h = state;
    (void)e;
    push_callback(h, HD_CALLBACK_TIMER);
    lua_rawgeti(h->L, LUA_REGISTRYINDEX, h->timers);
    lua_rawgeti(h->L, -1, cookie);
    luaL_unref(h->L, -2, (int)cookie);
    lua_remove(h->L, -2);
    return call(h, HD_CALLBACK_TIMER, 1, 0);
}

static bool on_tick(void *state, struct hd_engine *e) {
    struct hd_lua *h = state;
    (void)e;
    push_callback(h, HD_CALLBACK_TICK);
    return call(h, HD_CALLBACK_TICK, 0, 0);
}

static bool on_fleet(void *state, struct hd_engine *e, enum hd_fleet_event event,
                     const int *gpus, int count) {
    static const char *const name[] = {"down", "up", "free"};
    struct hd_lua *h = state;
    lua_State *L = h->L;
    (void)e;
    push_callback(h, HD_CALLBACK_FLEET);
    lua_pushstring(L, name[event]);
    lua_createtable(L, count, 0);
    for (int n = 0; n < count; n++) {
        hd_lua_push(h, HD_KIND_GPU, gpus[n]);
        lua_rawseti(L, -2, n + 1);
    }
    return call(h, HD_CALLBACK_FLEET, 2, 0);
}

/* ---- a run --------------------------------------------------------------- */

/* Moves the callbacks out of the script's table (on top) to places 1 to 8. */
static void take_callbacks(struct hd_lua *h) {
    lua_State *L = h->L;
    bool there[HD_CALLBACKS];
    for (int n = 0; n < HD_CALLBACKS; n++) {
        there[n] =
            lua_getfield(L, 1, hd_callback_name((enum hd_callback)n)) == LUA_TFUNCTION;
        if (!there[n]) continue;
        lua_Debug about;
        lua_pushvalue(L, -1);
        lua_getinfo(L, ">u", &about);
        h->parameters[n] = about.isvararg ? 255 : about.nparams;
    }
    lua_remove(L, 1); /* the table itself is garbage now */
    struct hd_policy *p = &h->policy;
    p->start = there[HD_CALLBACK_START] ? on_start : NULL;
    p->arrive = there[HD_CALLBACK_ARRIVE] ? on_arrive : NULL;
    p->turn = there[HD_CALLBACK_TURN] ? on_turn : NULL;
    p->prefilled = there[HD_CALLBACK_PREFILLED] ? on_prefilled : NULL;
    p->done = there[HD_CALLBACK_DONE] ? on_done : NULL;
    p->timer = there[HD_CALLBACK_TIMER] ? on_timer : NULL;
    p->tick = there[HD_CALLBACK_TICK] ? on_tick : NULL;
    p->fleet = there[HD_CALLBACK_FLEET] ? on_fleet : NULL;
    /* Only `done` and a third argument of `turn` ever show a closed group that the
     * script may hold already. */
    if (!p->done && h->parameters[HD_CALLBACK_TURN] < 3) return;
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    h->closed = luaL_ref(L, LUA_REGISTRYINDEX);
}

struct hd_policy *hd_script_new(const struct hd_script *s,
                                const struct hd_param_values *values,
                                struct hd_err *err) {
    struct hd_lua *h = hd_alloc(sizeof *h);
    h->script = s;
    h->box = hd_sandbox_new(hd_sandbox_limits_default());
    h->L = hd_sandbox_lua(h->box);
    h->policy = (struct hd_policy){.name = s->name,
                                   .about = s->about,
                                   .sees_output = s->sees_output,
                                   .sees_rates = s->sees_rates,
                                   .period_s = s->period_s,
                                   .state = h,
                                   .forget_request = hd_lua_forget_request,
                                   .forget_group = hd_lua_forget_group};
    hd_lua_open(h);
    lua_getfield(h->L, LUA_REGISTRYINDEX, "hotdesk.values");
    hd_lua_push_values(h->L, s, values);
    lua_settop(h->L, 0);
    if (!hd_lua_run_chunk(h, s, err)) {
        hd_script_end(&h->policy);
        return NULL;
    }
    take_callbacks(h);
    return &h->policy;
}

void hd_script_end(struct hd_policy *p) {
    if (!p) return;
    struct hd_lua *h = host_of(p);
    hd_sandbox_free(h->box);
    for (int kind = 0; kind < HD_KINDS; kind++) free(h->handles[kind].at);
    free(h->free_ref);
    free(h);
}

const int64_t *hd_script_calls(const struct hd_policy *p) {
    return host_of(p)->calls;
}

void hd_script_time(struct hd_policy *p) {
    host_of(p)->timed = true;
}

const int64_t *hd_script_ns(const struct hd_policy *p) {
    return host_of(p)->ns;
}
