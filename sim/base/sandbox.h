/* Lua with nothing in it that could reach the world, run for ever, or make one
 * run differ from the next: no files, no clock, no bytecode, bounded memory and
 * instructions per call, and an order of `pairs` that depends on the keys alone.
 *
 * What a script has: assert error getmetatable ipairs next pairs print rawequal
 * rawget rawlen rawset select setmetatable tonumber tostring type, and of math,
 * string and table what is safe. There is no pcall: an error ends the script.
 *
 * A sandbox belongs to one thread at a time; two share nothing. */
#ifndef HD_BASE_SANDBOX_H
#define HD_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct lua_State;
struct hd_sandbox;

struct hd_sandbox_limits {
    size_t memory_bytes;  /* of everything the script holds at a time */
    int64_t instructions; /* of one hd_sandbox_call; allocated bytes, sorting and
                             pattern matching are charged as well */
};
/* 64 MiB, 10^6 */
struct hd_sandbox_limits hd_sandbox_limits_default(void);

struct hd_sandbox *hd_sandbox_new(struct hd_sandbox_limits);
void hd_sandbox_free(struct hd_sandbox *);

struct lua_State *hd_sandbox_lua(struct hd_sandbox *);
/* From inside a C function that Lua called. */
struct hd_sandbox *hd_sandbox_of(struct lua_State *);

/* Compiles text (never bytecode) and leaves the chunk on the stack; `name` is what
 * error messages call it. */
bool hd_sandbox_compile(struct hd_sandbox *, const char *text, size_t length,
                        const char *name, struct hd_err *);

/* lua_pcall under the limits: a function and `arguments` are on the stack. On
 * failure the stack is as below the function, and err has one line that begins
 * with PLACE:LINE where Lua knows it. */
bool hd_sandbox_call(struct hd_sandbox *, int arguments, int results, struct hd_err *);

/* The same with limits of its own for this call. */
bool hd_sandbox_call_within(struct hd_sandbox *, int64_t instructions, int arguments,
                            int results, struct hd_err *);

/* More memory, for what the owner keeps there on its own account. */
void hd_sandbox_allow(struct hd_sandbox *, size_t bytes);

/* Counts work that a C function does on the script's behalf; raises a Lua error
 * when the call's instructions are used up. */
void hd_sandbox_charge(struct lua_State *, int64_t instructions);

/* math.random draws from this: uniform in [0, 1). Until it is set, math.random
 * is an error. */
void hd_sandbox_random(struct hd_sandbox *, double (*uniform)(void *context),
                       void *context);

/* How keys that are not numbers, strings or booleans are ordered in `pairs`: the
 * rank of the userdata at that place of the stack. Until it is set, pairs over
 * such keys is an error, since their order would be that of addresses. */
void hd_sandbox_rank(struct hd_sandbox *, int64_t (*rank)(struct lua_State *, int at));

#endif
