/* Inside the policy room only: what its files share. Nobody else includes this. */
#ifndef HD_POLICY_LUA_HOST_H
#define HD_POLICY_LUA_HOST_H

#include <lauxlib.h>
#include <lua.h>

#include "base/sandbox.h"
#include "policy/host.h"

enum hd_kind { /* of handles; also the rough order in `pairs` */
               HD_KIND_POOL,
               HD_KIND_SET,
               HD_KIND_MODEL,
               HD_KIND_NODE,
               HD_KIND_GPU,
               HD_KIND_INSTANCE,
               HD_KIND_GROUP,
               HD_KIND_REQUEST,
               HD_KINDS
};

/* Every userdata that a script can get hold of begins like this. One object has
 * one handle, so that == and table keys work; its user value is the `tag`. */
struct hd_handle {
    struct hd_lua *host;
    enum hd_kind kind;
    int32_t slot, serial; /* serial: requests and groups */
    bool gone;            /* a finished request, a closed group */
    bool tagged;          /* has had a `tag` */
    uint8_t state;        /* of a request that is gone */
    int ref;              /* registry reference that keeps it alive; 0: not kept */
    int32_t model;        /* of requests and groups, also when gone */
    int64_t rank;         /* among handles of its kind */
};

struct hd_handles { /* of one kind, by slot */
    struct hd_handle **at;
    int capacity;
};

/* The names of a kind's fields and methods by the address of Lua's own string: there
 * is one string of each text, and these live as long as the state. */
enum { HD_NAME_SLOTS = 128 }; /* a power of two, at least twice the most names */
struct hd_names {
    const void *name[HD_NAME_SLOTS];
    int what[HD_NAME_SLOTS]; /* a field's id, or -1 - the place of a method */
};

enum { HD_ROLES_SEEN = 64 }; /* a power of two */

struct hd_lua { /* a script's run */
    struct hd_policy policy;
    const struct hd_script *script;
    struct hd_sandbox *box;
    lua_State *L;
    struct hd_engine *engine; /* NULL before `start` */
    struct hd_handles handles[HD_KINDS];
    struct hd_names names[HD_KINDS];
    int *free_ref; /* registry references that no handle uses now */
    int free_refs, free_ref_capacity;
    int metatable[HD_KINDS]; /* registry references */
    int models;              /* registry reference: the array pool.models */
    int timers;              /* registry reference: what timers carry */
    int roles;               /* registry reference: name -> number */
    struct {
        const void *name; /* address of Lua's string; roles[n + 1] keeps it alive */
        int role;
    } role_seen[HD_ROLES_SEEN]; /* by address: those asked for lately */
    int closed; /* registry reference: handles of closed groups, weak; 0: none kept */
    int64_t live, live_most;      /* objects that have handles */
    int64_t ranks;                /* handles of groups made so far */
    int parameters[HD_CALLBACKS]; /* how many arguments each callback takes */
    int64_t calls[HD_CALLBACKS];
    bool timed;
    int64_t ns[HD_CALLBACKS];
};

/* ---- lua_handles.c ------------------------------------------------------- */

void hd_lua_push(struct hd_lua *, enum hd_kind, int slot); /* slot < 0: nil */
void hd_lua_push_request(struct hd_lua *, struct hd_req);
void hd_lua_push_group(struct hd_lua *, struct hd_grp); /* closed ones too */
void hd_lua_forget_request(void *host, struct hd_req);
void hd_lua_forget_group(void *host, struct hd_grp);
const char *hd_lua_kind_name(enum hd_kind); /* "an instance" */
const char *hd_lua_bare_name(enum hd_kind); /* "instance" */
/* A new handle, on the stack; nothing but the stack keeps it. */
struct hd_handle *hd_lua_make(struct hd_lua *, enum hd_kind, int slot, int serial);

/* The handle at that place of the stack, or NULL for anything else. */
struct hd_handle *hd_lua_handle(lua_State *, int at);
/* An argument of that kind, or an error that names the call; a request that is
 * finished and a group that is closed are errors, too. */
struct hd_handle *hd_lua_self(lua_State *, enum hd_kind, const char *call);
struct hd_handle *hd_lua_argument(lua_State *, int at, enum hd_kind, const char *call);
/* The handle, or an error that names the call: it is finished, or closed. */
struct hd_handle *hd_lua_still_there(lua_State *, struct hd_handle *, const char *call);
/* What stands there, as a person would say it: "a number", "a model". */
const char *hd_lua_describe(lua_State *, int at);
/* "CALL: argument N is a number; expected WHAT" */
int hd_lua_wrong(lua_State *, int at, const char *call, const char *expected);
int64_t hd_lua_integer(lua_State *, int at, const char *call);
double hd_lua_number(lua_State *, int at, const char *call);
const char *hd_lua_text(lua_State *, int at, const char *call);
int hd_lua_choice(lua_State *, int at, const char *call, const char *const *names,
                  int count);

static inline struct hd_req hd_lua_req(const struct hd_handle *h) {
    return (struct hd_req){h->slot, h->serial};
}
static inline struct hd_grp hd_lua_grp(const struct hd_handle *h) {
    return (struct hd_grp){h->slot, h->serial};
}

/* ---- lua_open.c ---------------------------------------------------------- */

/* Opens the script's world in the host's sandbox: metatables, `pool`, `set`. */
void hd_lua_open(struct hd_lua *);
void hd_lua_open_values(struct hd_lua *); /* from now on `set` can be read */

/* ---- lua_fleet.c, lua_work.c: fields ------------------------------------- */

enum { HD_FIELD_TAG }; /* the policy's own, in every kind */
struct hd_lua_field {
    const char *name;
    int id;
};
/* The fields of a kind, ended by a NULL name, and what pushes one. */
extern const struct hd_lua_field hd_lua_pool_fields[], hd_lua_model_fields[],
    hd_lua_node_fields[], hd_lua_gpu_fields[], hd_lua_instance_fields[],
    hd_lua_group_fields[], hd_lua_request_fields[];
int hd_lua_read_pool(lua_State *, struct hd_lua *, int id);
int hd_lua_read_model(lua_State *, struct hd_lua *, int model, int id);
int hd_lua_read_node(lua_State *, struct hd_lua *, int node, int id);
int hd_lua_read_gpu(lua_State *, struct hd_lua *, int gpu, int id);
int hd_lua_read_instance(lua_State *, struct hd_lua *, int instance, int id);
int hd_lua_read_group(lua_State *, const struct hd_handle *, int id);
int hd_lua_read_request(lua_State *, const struct hd_handle *, int id);
/* An array of handles: of these slots, or (NULL) of 0 to count - 1. */
void hd_lua_push_array(struct hd_lua *, enum hd_kind, const int *slots, int count);

/* ---- lua_actions.c, lua_questions.c: methods, ended by a NULL name ------- */

const luaL_Reg *hd_lua_actions(enum hd_kind);
const luaL_Reg *hd_lua_questions(enum hd_kind);

/* An optional table of options at that place of the stack: calls `take` with the
 * value on top for each of its entries; false from it means: no such option. */
void hd_lua_options(lua_State *, int at, const char *call, const char *const *names,
                    void (*take)(lua_State *, int option, const char *call, void *out),
                    void *out);

/* ---- script.c ------------------------------------------------------------ */

/* Checks the policy's table (alone on the stack) and fills in what it declares:
 * declare.c. */
bool hd_lua_declare(struct hd_script *, lua_State *, struct hd_err *);
/* Compiles and runs the script's text; its table is then on the stack. */
bool hd_lua_run_chunk(struct hd_lua *, const struct hd_script *, struct hd_err *);
/* The values as fields of the table on top of the stack. */
void hd_lua_push_values(lua_State *, const struct hd_script *,
                        const struct hd_param_values *);

#endif
