/* Between sandbox.c and sandbox_lib.c only: what the replaced functions need. */
#ifndef HD_BASE_SANDBOX_LIB_H
#define HD_BASE_SANDBOX_LIB_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>

struct hd_sandbox;

struct hd_sandbox_hooks {
    double (*uniform)(void *context);
    void *uniform_context;
    int64_t (*rank)(lua_State *, int at);
};
struct hd_sandbox_hooks *hd_sandbox_hooks(struct hd_sandbox *);

/* Opens what a script may have in a fresh state. */
void hd_sandbox_open(lua_State *);

#endif
