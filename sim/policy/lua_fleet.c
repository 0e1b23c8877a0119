/* Fields of the pool, of models, nodes and GPUs. Each is read from the engine when it
 * is asked for; reading never changes a result. */
#include "policy/lua_host.h"

enum { POOL_NOW = HD_FIELD_TAG + 1, POOL_MODELS, POOL_NODES, POOL_FREE_GPUS };
enum {
    MODEL_NAME = HD_FIELD_TAG + 1,
    MODEL_KIND,
    MODEL_CLASS,
    MODEL_TP,
    MODEL_GPU,
    MODEL_WEIGHTS,
    MODEL_KV_TOKEN,
    MODEL_TTFT_S,
    MODEL_TBT_S,
    MODEL_RATE,
    MODEL_HELD,
    MODEL_REPLICAS,
    MODEL_MEAN_RATE,
    MODEL_MEAN_INPUT,
    MODEL_MEAN_OUTPUT
};
enum { NODE_ID = HD_FIELD_TAG + 1, NODE_GPUS, NODE_FREE, NODE_DRAM_FREE };
enum {
    GPU_ID = HD_FIELD_TAG + 1,
    GPU_NODE,
    GPU_TYPE,
    GPU_FREE_BYTES,
    GPU_PROCESS_BYTES,
    GPU_INSTANCES
};

const struct hd_lua_field hd_lua_pool_fields[] = {
    {"now", POOL_NOW},     {"models", POOL_MODELS},
    {"nodes", POOL_NODES}, {"free_gpus", POOL_FREE_GPUS},
    {"tag", HD_FIELD_TAG}, {NULL, 0}};

const struct hd_lua_field hd_lua_model_fields[] = {{"name", MODEL_NAME},
                                                   {"kind", MODEL_KIND},
                                                   {"class", MODEL_CLASS},
                                                   {"tp", MODEL_TP},
                                                   {"gpu", MODEL_GPU},
                                                   {"weights", MODEL_WEIGHTS},
                                                   {"kv_token", MODEL_KV_TOKEN},
                                                   {"ttft_s", MODEL_TTFT_S},
                                                   {"tbt_s", MODEL_TBT_S},
                                                   {"rate", MODEL_RATE},
                                                   {"held", MODEL_HELD},
                                                   {"replicas", MODEL_REPLICAS},
                                                   {"mean_rate", MODEL_MEAN_RATE},
                                                   {"mean_input", MODEL_MEAN_INPUT},
                                                   {"mean_output", MODEL_MEAN_OUTPUT},
                                                   {"tag", HD_FIELD_TAG},
                                                   {NULL, 0}};

const struct hd_lua_field hd_lua_node_fields[] = {
    {"id", NODE_ID},       {"gpus", NODE_GPUS},
    {"free", NODE_FREE},   {"dram_free", NODE_DRAM_FREE},
    {"tag", HD_FIELD_TAG}, {NULL, 0}};

const struct hd_lua_field hd_lua_gpu_fields[] = {{"id", GPU_ID},
                                                 {"node", GPU_NODE},
                                                 {"type", GPU_TYPE},
                                                 {"free_bytes", GPU_FREE_BYTES},
                                                 {"process_bytes", GPU_PROCESS_BYTES},
                                                 {"instances", GPU_INSTANCES},
                                                 {"tag", HD_FIELD_TAG},
                                                 {NULL, 0}};

/* `count` handles of consecutive slots, or of those in list. */
void hd_lua_push_array(struct hd_lua *h, enum hd_kind kind, const int *list,
                       int count) {
    lua_createtable(h->L, count, 0);
    for (int n = 0; n < count; n++) {
        hd_lua_push(h, kind, list ? list[n] : n);
        lua_rawseti(h->L, -2, n + 1);
    }
}

int hd_lua_read_pool(lua_State *L, struct hd_lua *h, int id) {
    switch (id) {
    case POOL_NOW:
        lua_pushnumber(L, hd_s_from_tick(hd_ask_now(h->engine)));
        break;
    case POOL_MODELS:
        if (!h->models) {
            hd_lua_push_array(h, HD_KIND_MODEL, NULL, hd_ask_models(h->engine));
            h->models = luaL_ref(L, LUA_REGISTRYINDEX);
        }
        lua_rawgeti(L, LUA_REGISTRYINDEX, h->models);
        break;
    case POOL_NODES:
        hd_lua_push_array(h, HD_KIND_NODE, NULL, hd_ask_nodes(h->engine));
        break;
    case POOL_FREE_GPUS:
        lua_pushinteger(L, hd_ask_free_gpus(h->engine));
        break;
    }
    return 1;
}

/* A figure of the whole trace: only for policies that say so. */
static void need_rates(lua_State *L, const struct hd_lua *h, const char *field) {
    if (!h->script->sees_rates)
        luaL_error(L,
                   "model.%s: hidden; a policy that declares oracle = {\"rates\"} "
                   "sees it",
                   field);
}

int hd_lua_read_model(lua_State *L, struct hd_lua *h, int model, int id) {
    struct hd_engine *e = h->engine;
    struct hd_model_view v = hd_ask_model(e, model);
    switch (id) {
    case MODEL_NAME:
        lua_pushstring(L, v.name);
        break;
    case MODEL_KIND:
        lua_pushliteral(L, "llm");
        break;
    case MODEL_CLASS:
        lua_pushstring(L, v.slo_class);
        break;
    case MODEL_TP:
        lua_pushinteger(L, v.tp);
        break;
    case MODEL_GPU:
        lua_pushstring(L, v.gpu);
        break;
    case MODEL_WEIGHTS:
        lua_pushinteger(L, v.weights_bytes);
        break;
    case MODEL_KV_TOKEN:
        lua_pushinteger(L, v.kv_token_bytes);
        break;
    case MODEL_TTFT_S:
        lua_pushnumber(L, v.ttft_s);
        break;
    case MODEL_TBT_S:
        lua_pushnumber(L, v.tbt_s);
        break;
    case MODEL_RATE:
        lua_pushnumber(L, hd_ask_model_rate(e, model));
        break;
    case MODEL_HELD:
        lua_pushinteger(L, hd_ask_model_held(e, model));
        break;
    case MODEL_REPLICAS:
        lua_pushinteger(L, v.replicas > 0 ? v.replicas : 1);
        break;
    case MODEL_MEAN_RATE:
        need_rates(L, h, "mean_rate");
        lua_pushnumber(L, hd_ask_model_mean_rate(e, model));
        break;
    case MODEL_MEAN_INPUT:
        need_rates(L, h, "mean_input");
        lua_pushnumber(L, hd_ask_model_mean_input(e, model));
        break;
    case MODEL_MEAN_OUTPUT:
        need_rates(L, h, "mean_output");
        lua_pushnumber(L, hd_ask_model_mean_output(e, model));
        break;
    }
    return 1;
}

int hd_lua_read_node(lua_State *L, struct hd_lua *h, int node, int id) {
    struct hd_engine *e = h->engine;
    int count, *list;
    switch (id) {
    case NODE_ID:
        lua_pushinteger(L, node);
        break;
    case NODE_GPUS:
        count = hd_ask_node_gpus(e, node, NULL);
        list = lua_newuserdatauv(L, sizeof *list * (size_t)(count + 1), 0);
        hd_ask_node_gpus(e, node, list);
        hd_lua_push_array(h, HD_KIND_GPU, list, count);
        break;
    case NODE_FREE:
        lua_pushinteger(L, hd_ask_node_free(e, node));
        break;
    case NODE_DRAM_FREE:
        lua_pushinteger(L, hd_ask_node_dram_free(e, node));
        break;
    }
    return 1;
}

int hd_lua_read_gpu(lua_State *L, struct hd_lua *h, int gpu, int id) {
    struct hd_engine *e = h->engine;
    int count, *list;
    switch (id) {
    case GPU_ID:
        lua_pushinteger(L, gpu);
        break;
    case GPU_NODE:
        hd_lua_push(h, HD_KIND_NODE, hd_ask_gpu_node(e, gpu));
        break;
    case GPU_TYPE:
        lua_pushstring(L, hd_ask_gpu_type(e, gpu));
        break;
    case GPU_FREE_BYTES:
        lua_pushinteger(L, hd_ask_gpu_free_bytes(e, gpu));
        break;
    case GPU_PROCESS_BYTES:
        lua_pushinteger(L, hd_ask_gpu_process_bytes(e, gpu));
        break;
    case GPU_INSTANCES:
        count = hd_ask_gpu_instances(e, gpu, NULL);
        list = lua_newuserdatauv(L, sizeof *list * (size_t)(count + 1), 0);
        hd_ask_gpu_instances(e, gpu, list);
        hd_lua_push_array(h, HD_KIND_INSTANCE, list, count);
        break;
    }
    return 1;
}
