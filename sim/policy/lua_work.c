/* Fields of instances, groups and requests. ~ those that change while a turn runs
 * are computed by the engine from its closed forms when they are read. */
#include "policy/lua_host.h"

enum {
    INSTANCE_ID = HD_FIELD_TAG + 1,
    INSTANCE_ROLE,
    INSTANCE_NODE,
    INSTANCE_GPU,
    INSTANCE_GPUS,
    INSTANCE_TP,
    INSTANCE_SHARE,
    INSTANCE_ALIVE,
    INSTANCE_STATE,
    INSTANCE_TURN,
    INSTANCE_TURNS,
    INSTANCE_MODEL,
    INSTANCE_GROUPS,
    INSTANCE_HEAD,
    INSTANCE_TAIL,
    INSTANCE_TAIL_SIZE,
    INSTANCE_REQUESTS,
    INSTANCE_WAITING,
    INSTANCE_WAITING_TOKENS,
    INSTANCE_QUEUE_S,
    INSTANCE_KV_TOTAL,
    INSTANCE_KV_USED,
    INSTANCE_REST_AT,
    INSTANCE_STEP_AT
};
enum {
    GROUP_INST = HD_FIELD_TAG + 1,
    GROUP_MODEL,
    GROUP_SIZE,
    GROUP_FIRST,
    GROUP_WAITING,
    GROUP_WAITING_TOKENS,
    GROUP_CONTEXT,
    GROUP_BLOCKS,
    GROUP_STARTED,
    GROUP_OPEN
};
enum {
    REQUEST_ID = HD_FIELD_TAG + 1,
    REQUEST_MODEL,
    REQUEST_CLASS,
    REQUEST_PREFIX,
    REQUEST_ARRIVAL,
    REQUEST_INPUT,
    REQUEST_OUTPUT,
    REQUEST_TOKENS,
    REQUEST_CONTEXT,
    REQUEST_SLACK_S,
    REQUEST_GROUP,
    REQUEST_STATE,
    REQUEST_KV,
    REQUEST_KV_AT,
    REQUEST_RETRIES
};

const struct hd_lua_field hd_lua_instance_fields[] = {
    {"id", INSTANCE_ID},
    {"role", INSTANCE_ROLE},
    {"node", INSTANCE_NODE},
    {"gpu", INSTANCE_GPU},
    {"gpus", INSTANCE_GPUS},
    {"tp", INSTANCE_TP},
    {"share", INSTANCE_SHARE},
    {"alive", INSTANCE_ALIVE},
    {"state", INSTANCE_STATE},
    {"turn", INSTANCE_TURN},
    {"turns", INSTANCE_TURNS},
    {"model", INSTANCE_MODEL},
    {"groups", INSTANCE_GROUPS},
    {"head", INSTANCE_HEAD},
    {"tail", INSTANCE_TAIL},
    {"tail_size", INSTANCE_TAIL_SIZE},
    {"requests", INSTANCE_REQUESTS},
    {"waiting", INSTANCE_WAITING},
    {"waiting_tokens", INSTANCE_WAITING_TOKENS},
    {"queue_s", INSTANCE_QUEUE_S},
    {"kv_total", INSTANCE_KV_TOTAL},
    {"kv_used", INSTANCE_KV_USED},
    {"rest_at", INSTANCE_REST_AT},
    {"step_at", INSTANCE_STEP_AT},
    {"tag", HD_FIELD_TAG},
    {NULL, 0}};

const struct hd_lua_field hd_lua_group_fields[] = {
    {"inst", GROUP_INST},       {"model", GROUP_MODEL},
    {"size", GROUP_SIZE},       {"first", GROUP_FIRST},
    {"waiting", GROUP_WAITING}, {"waiting_tokens", GROUP_WAITING_TOKENS},
    {"context", GROUP_CONTEXT}, {"blocks", GROUP_BLOCKS},
    {"started", GROUP_STARTED}, {"open", GROUP_OPEN},
    {"tag", HD_FIELD_TAG},      {NULL, 0}};

const struct hd_lua_field hd_lua_request_fields[] = {{"id", REQUEST_ID},
                                                     {"model", REQUEST_MODEL},
                                                     {"class", REQUEST_CLASS},
                                                     {"prefix", REQUEST_PREFIX},
                                                     {"arrival", REQUEST_ARRIVAL},
                                                     {"input", REQUEST_INPUT},
                                                     {"output", REQUEST_OUTPUT},
                                                     {"tokens", REQUEST_TOKENS},
                                                     {"context", REQUEST_CONTEXT},
                                                     {"slack_s", REQUEST_SLACK_S},
                                                     {"group", REQUEST_GROUP},
                                                     {"state", REQUEST_STATE},
                                                     {"kv", REQUEST_KV},
                                                     {"kv_at", REQUEST_KV_AT},
                                                     {"retries", REQUEST_RETRIES},
                                                     {"tag", HD_FIELD_TAG},
                                                     {NULL, 0}};

static void push_seconds(lua_State *L, hd_tick t) {
    lua_pushnumber(L, hd_s_from_tick(t));
}

int hd_lua_read_instance(lua_State *L, struct hd_lua *h, int instance, int id) {
    struct hd_engine *e = h->engine;
    int count, *list;
    switch (id) {
    case INSTANCE_ID:
        lua_pushinteger(L, instance);
        return 1;
    case INSTANCE_GPUS:
        count = hd_ask_instance_gpus(e, instance, NULL);
        list = lua_newuserdatauv(L, sizeof *list * (size_t)(count + 1), 0);
        hd_ask_instance_gpus(e, instance, list);
        hd_lua_push_array(h, HD_KIND_GPU, list, count);
        return 1;
    case INSTANCE_TURN:
        hd_lua_push_group(h, hd_ask_instance_turn(e, instance));
        return 1;
    case INSTANCE_HEAD:
        hd_lua_push_group(h, hd_ask_instance_head(e, instance));
        return 1;
    case INSTANCE_QUEUE_S:
        lua_pushnumber(L, hd_ask_instance_queue_s(e, instance));
        return 1;
    case INSTANCE_KV_TOTAL:
        lua_pushinteger(L, hd_ask_instance_kv_total(e, instance));
        return 1;
    case INSTANCE_KV_USED:
        lua_pushinteger(L, hd_ask_instance_kv_used(e, instance));
        return 1;
    case INSTANCE_STEP_AT:
        push_seconds(L, hd_ask_instance_step_at(e, instance));
        return 1;
    }
    struct hd_instance_view v = hd_ask_instance(e, instance);
    switch (id) { /* what stands in it */
    case INSTANCE_ROLE:
        lua_pushstring(L, v.role);
        break;
    case INSTANCE_NODE:
        hd_lua_push(h, HD_KIND_NODE, v.node);
        break;
    case INSTANCE_GPU:
        lua_pushstring(L, v.gpu);
        break;
    case INSTANCE_TP:
        lua_pushinteger(L, v.tp);
        break;
    case INSTANCE_SHARE:
        lua_pushnumber(L, v.share);
        break;
    case INSTANCE_ALIVE:
        lua_pushboolean(L, v.alive);
        break;
    case INSTANCE_STATE:
        lua_pushstring(L, v.alive ? hd_instance_state_name(v.state) : "dead");
        break;
    case INSTANCE_TURNS:
        lua_pushinteger(L, v.turns);
        break;
    case INSTANCE_MODEL:
        hd_lua_push(h, HD_KIND_MODEL, v.model);
        break;
    case INSTANCE_GROUPS:
        lua_pushinteger(L, v.groups);
        break;
    case INSTANCE_TAIL:
        hd_lua_push(h, HD_KIND_MODEL, v.tail_model);
        break;
    case INSTANCE_TAIL_SIZE:
        lua_pushinteger(L, v.tail_size);
        break;
    case INSTANCE_REQUESTS:
        lua_pushinteger(L, v.requests);
        break;
    case INSTANCE_WAITING:
        lua_pushinteger(L, v.waiting);
        break;
    case INSTANCE_WAITING_TOKENS:
        lua_pushinteger(L, v.waiting_tokens);
        break;
    case INSTANCE_REST_AT:
        lua_pushnumber(L, v.rest_at < 0 ? -1 : hd_s_from_tick(v.rest_at));
        break;
    }
    return 1;
}

int hd_lua_read_group(lua_State *L, const struct hd_handle *own, int id) {
    struct hd_lua *h = own->host;
    struct hd_engine *e = h->engine;
    struct hd_grp g = hd_lua_grp(own);
    if (id == GROUP_OPEN) {
        lua_pushboolean(L, !own->gone);
        return 1;
    }
    if (id == GROUP_MODEL && own->model >= 0) {
        hd_lua_push(h, HD_KIND_MODEL, own->model);
        return 1;
    }
    if (own->gone) return luaL_error(L, "the group is closed: only `open` can be read");
    switch (id) {
    case GROUP_INST:
        hd_lua_push(h, HD_KIND_INSTANCE, hd_ask_group_instance(e, g));
        break;
    case GROUP_SIZE:
        lua_pushinteger(L, hd_ask_group_size(e, g));
        break;
    case GROUP_FIRST:
        hd_lua_push_request(h, hd_ask_group_first(e, g));
        break;
    case GROUP_WAITING:
        lua_pushinteger(L, hd_ask_group_waiting(e, g));
        break;
    case GROUP_WAITING_TOKENS:
        lua_pushinteger(L, hd_ask_group_waiting_tokens(e, g));
        break;
    case GROUP_CONTEXT:
        lua_pushinteger(L, hd_ask_group_context(e, g));
        break;
    case GROUP_BLOCKS:
        lua_pushinteger(L, hd_ask_group_blocks(e, g));
        break;
    case GROUP_STARTED:
        lua_pushboolean(L, hd_ask_group_started(e, g));
        break;
    }
    return 1;
}

static void push_kv(lua_State *L, struct hd_lua *h, struct hd_req r, bool place) {
    enum hd_kv_place kv = hd_ask_request_kv(h->engine, r);
    int at = hd_ask_request_kv_at(h->engine, r);
    if (place && kv == HD_KV_GPU)
        hd_lua_push(h, HD_KIND_INSTANCE, at);
    else if (place && kv == HD_KV_HOST)
        hd_lua_push(h, HD_KIND_NODE, at);
    else if (place || kv == HD_KV_NONE)
        lua_pushnil(L);
    else
        lua_pushstring(L, kv == HD_KV_GPU    ? "gpu"
                          : kv == HD_KV_HOST ? "host"
                                             : "moving");
}

/* A table of what the prompt's blocks are, or nil where the trace does not say. */
static void push_prefix(lua_State *L, struct hd_engine *e, struct hd_req r) {
    const uint64_t *block;
    int blocks = hd_ask_request_prefix(e, r, &block);
    if (blocks == 0) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, blocks, 0);
    for (int n = 0; n < blocks; n++) {
        lua_pushinteger(L, (lua_Integer)block[n]);
        lua_rawseti(L, -2, n + 1);
    }
}

int hd_lua_read_request(lua_State *L, const struct hd_handle *own, int id) {
    struct hd_lua *h = own->host;
    struct hd_engine *e = h->engine;
    struct hd_req r = hd_lua_req(own);
    switch (id) { /* what stays readable for ever */
    case REQUEST_ID:
        lua_pushinteger(L, own->rank);
        return 1;
    case REQUEST_MODEL:
        hd_lua_push(h, HD_KIND_MODEL, own->model);
        return 1;
    case REQUEST_CLASS:
        lua_pushstring(L, hd_ask_model(e, own->model).slo_class);
        return 1;
    case REQUEST_STATE:
        lua_pushstring(L, hd_request_state_name(own->gone
                                                    ? (enum hd_request_state)own->state
                                                    : hd_ask_request_state(e, r)));
        return 1;
    }
    if (own->gone)
        return luaL_error(L, "the request is finished: only `id`, `model` and `state` "
                             "can be read after its `done`");
    switch (id) {
    case REQUEST_ARRIVAL:
        push_seconds(L, hd_ask_request_arrival(e, r));
        break;
    case REQUEST_PREFIX:
        push_prefix(L, e, r);
        break;
    case REQUEST_INPUT:
        lua_pushinteger(L, hd_ask_request_input(e, r));
        break;
    case REQUEST_OUTPUT:
        if (!h->script->sees_output)
            return luaL_error(L, "request.output: hidden; a policy that declares "
                                 "oracle = {\"output\"} sees it");
        lua_pushinteger(L, hd_ask_request_output(e, r));
        break;
    case REQUEST_TOKENS:
        lua_pushinteger(L, hd_ask_request_tokens(e, r));
        break;
    case REQUEST_CONTEXT:
        lua_pushinteger(L, hd_ask_request_context(e, r));
        break;
    case REQUEST_SLACK_S:
        lua_pushnumber(L, hd_ask_request_slack_s(e, r));
        break;
    case REQUEST_GROUP:
        hd_lua_push_group(h, hd_ask_request_group(e, r));
        break;
    case REQUEST_KV:
        push_kv(L, h, r, false);
        break;
    case REQUEST_KV_AT:
        push_kv(L, h, r, true);
        break;
    case REQUEST_RETRIES:
        lua_pushinteger(L, hd_ask_request_retries(e, r));
        break;
    }
    return 1;
}
