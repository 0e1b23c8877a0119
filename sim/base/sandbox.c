/* The restricted Lua state: memory, instructions, and which names exist. The
 * functions that replace or guard Lua's own are in sandbox_lib.c. */
#include "base/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sandbox_lib.h"

enum {
    HOOK_EVERY = 1000,          /* instructions between looks at the budget */
    BYTES_PER_INSTRUCTION = 64, /* allocated memory, as work */
    OVERDRAFT = 1 << 22,        /* instructions that allocation may overdraw */
    STRING_BYTES_MAX = 1 << 20, /* so that comparing and joining strings stays cheap */
    SMALL_BYTES_MAX = 256,      /* blocks up to here are kept when Lua frees them */
    SMALL_STEP = 16,            /* their sizes are rounded up to multiples of this */
#ifdef HD_CHECKED
    SMALL_KEPT = 0 /* so that a sanitizer sees what is used after it was freed */
#else
    SMALL_KEPT = 4096 /* of each size */
#endif
};

/* Freed blocks of one size, for the next of that size: a script makes and drops small
 * objects all the time, and malloc costs five times as much. */
struct spare {
    void *first; /* each begins with a pointer to the next */
    int count;
};

struct hd_sandbox {
    lua_State *lua;
    struct hd_sandbox_limits limit;
    size_t used, allowed; /* bytes; allowed: beyond the limit */
    int64_t left;         /* instructions of the running call */
    bool exhausted;       /* they were used up: the call is being unwound */
    bool running;         /* limits bind only inside a protected call */
    struct spare spare[SMALL_BYTES_MAX / SMALL_STEP + 1]; /* by size / SMALL_STEP */
    struct hd_sandbox_hooks hooks;
};

struct hd_sandbox_limits hd_sandbox_limits_default(void) {
    return (struct hd_sandbox_limits){.memory_bytes = (size_t)64 << 20,
                                      .instructions = 1000000};
}

struct hd_sandbox *hd_sandbox_of(lua_State *L) {
    return *(struct hd_sandbox **)lua_getextraspace(L);
}

lua_State *hd_sandbox_lua(struct hd_sandbox *s) {
    return s->lua;
}

struct hd_sandbox_hooks *hd_sandbox_hooks(struct hd_sandbox *s) {
    return &s->hooks;
}

void hd_sandbox_random(struct hd_sandbox *s, double (*uniform)(void *), void *context) {
    s->hooks.uniform = uniform;
    s->hooks.uniform_context = context;
}

void hd_sandbox_rank(struct hd_sandbox *s, int64_t (*rank)(lua_State *, int)) {
    s->hooks.rank = rank;
}

void hd_sandbox_allow(struct hd_sandbox *s, size_t bytes) {
    s->allowed += bytes;
}

static size_t rounded(size_t bytes) {
    return (bytes + SMALL_STEP - 1) & ~(size_t)(SMALL_STEP - 1);
}

static void *take_block(struct hd_sandbox *s, size_t bytes) {
    if (bytes > SMALL_BYTES_MAX) return malloc(bytes);
    struct spare *spare = &s->spare[rounded(bytes) / SMALL_STEP];
    void *block = spare->first;
    if (!block) return malloc(rounded(bytes));
    memcpy(&spare->first, block, sizeof spare->first);
    spare->count--;
    return block;
}

static void give_block(struct hd_sandbox *s, void *block, size_t bytes) {
    struct spare *spare =
        bytes > SMALL_BYTES_MAX ? NULL : &s->spare[rounded(bytes) / SMALL_STEP];
    if (!spare || spare->count == SMALL_KEPT) {
        free(block);
        return;
    }
    memcpy(block, &spare->first, sizeof spare->first);
    spare->first = block;
    spare->count++;
}

/* realloc for blocks of both kinds. */
static void *resize_block(struct hd_sandbox *s, void *old, size_t before,
                          size_t bytes) {
    if (before > SMALL_BYTES_MAX && bytes > SMALL_BYTES_MAX) return realloc(old, bytes);
    if (rounded(before) == rounded(bytes)) return old;
    void *new = take_block(s, bytes);
    if (!new) return bytes < before ? old : NULL; /* Lua wants no shrinking to fail */
    memcpy(new, old, before < bytes ? before : bytes);
    give_block(s, old, before);
    return new;
}

static void free_spare(struct hd_sandbox *s) {
    for (int n = 0; n <= SMALL_BYTES_MAX / SMALL_STEP; n++)
        for (void *block = s->spare[n].first, *next; block; block = next) {
            memcpy(&next, block, sizeof next);
            free(block);
        }
}

/* lua_Alloc. For a new object, old_bytes is its Lua type. */
static void *allocate(void *context, void *old, size_t old_bytes, size_t bytes) {
    struct hd_sandbox *s = context;
    size_t before = old ? old_bytes : 0;
    if (bytes == 0) {
        if (old) give_block(s, old, before);
        s->used -= before;
        return NULL;
    }
    if (s->running && bytes > before) {
        size_t more = bytes - before;
        s->left -= (int64_t)(more / BYTES_PER_INSTRUCTION);
        /* The hook stops the call at its next look, and knows the line; what is far
         * beyond the budget within one look is stopped here. */
        bool far = s->left < -OVERDRAFT;
        s->exhausted |= far;
        size_t most = s->limit.memory_bytes + s->allowed;
        if (far || more > most || s->used > most - more) return NULL;
        if (!old && old_bytes == LUA_TSTRING && bytes > STRING_BYTES_MAX) return NULL;
    }
    void *new = old ? resize_block(s, old, before, bytes) : take_block(s, bytes);
    if (new) s->used = s->used - before + bytes;
    return new;
}

static void describe_exhaustion(const struct hd_sandbox *s, char *out, size_t size) {
    snprintf(out, size, "does not end: more than %lld instructions in one call",
             (long long)s->limit.instructions);
}

/* A little is left for the message, and for whatever the script closes. */
static void exhaust(struct hd_sandbox *s, char *out, size_t size) {
    s->exhausted = true;
    s->left = HOOK_EVERY / 2;
    describe_exhaustion(s, out, size);
}

static void count_hook(lua_State *L, lua_Debug *at) {
    struct hd_sandbox *s = hd_sandbox_of(L);
    s->left -= HOOK_EVERY;
    if (s->left >= 0) return;
    char text[96];
    exhaust(s, text, sizeof text);
    lua_getinfo(L, "Sl", at);
    lua_pushfstring(L, "%s:%d: %s", at->short_src, at->currentline, text);
    lua_error(L);
}

void hd_sandbox_charge(lua_State *L, int64_t instructions) {
    struct hd_sandbox *s = hd_sandbox_of(L);
    if (instructions <= s->left) {
        s->left -= instructions;
        return;
    }
    char text[96];
    exhaust(s, text, sizeof text);
    luaL_error(L, "%s", text);
}

static int panic(lua_State *L) {
    const char *text = lua_tostring(L, -1);
    fprintf(stderr, "hotdesk: Lua failed outside a protected call: %s\n",
            text ? text : "?");
    exit(1);
}

struct hd_sandbox *hd_sandbox_new(struct hd_sandbox_limits limit) {
    struct hd_sandbox *s = hd_alloc(sizeof *s);
    s->limit = limit;
    lua_State *L = lua_newstate(allocate, s);
    if (!L) {
        fprintf(stderr, "hotdesk: out of memory\n");
        exit(1);
    }
    s->lua = L;
    lua_atpanic(L, panic);
    *(struct hd_sandbox **)lua_getextraspace(L) = s;
    hd_sandbox_open(L);
    lua_sethook(L, count_hook, LUA_MASKCOUNT, HOOK_EVERY);
    lua_gc(L, LUA_GCINC, 400, 400, 0); /* collects seldom: memory is cheaper than time,
                                          and the limit makes it collect anyway */
    return s;
}

void hd_sandbox_free(struct hd_sandbox *s) {
    if (!s) return;
    lua_close(s->lua);
    free_spare(s);
    free(s);
}

/* The error object on top of the stack as one line; pops it. */
static void explain(struct hd_sandbox *s, int status, struct hd_err *err) {
    lua_State *L = s->lua;
    char line[512];
    if (status == LUA_ERRMEM && s->exhausted)
        describe_exhaustion(s, line, sizeof line);
    else if (status == LUA_ERRMEM)
        snprintf(line, sizeof line,
                 "not enough memory: a script may hold %zu MiB, one string 1 MiB",
                 s->limit.memory_bytes >> 20);
    else if (lua_type(L, -1) == LUA_TSTRING)
        snprintf(line, sizeof line, "%s", lua_tostring(L, -1));
    else
        snprintf(line, sizeof line, "error called with a %s; expected a message",
                 luaL_typename(L, -1));
    lua_pop(L, 1);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
    hd_fail(err, "%s", line);
}

bool hd_sandbox_compile(struct hd_sandbox *s, const char *text, size_t length,
                        const char *name, struct hd_err *err) {
    char chunk[512];
    if (length && (text[0] == LUA_SIGNATURE[0] || memchr(text, '\0', length)))
        return hd_fail(err, "%s: is not a text file; expected Lua source", name);
    snprintf(chunk, sizeof chunk, "@%s", name);
    s->left = s->limit.instructions;
    s->exhausted = false;
    s->running = true;
    int status = luaL_loadbufferx(s->lua, text, length, chunk, "t");
    s->running = false;
    if (status == LUA_OK) return true;
    explain(s, status, err);
    return false;
}

bool hd_sandbox_call_within(struct hd_sandbox *s, int64_t instructions, int arguments,
                            int results, struct hd_err *err) {
    int64_t usual = s->limit.instructions;
    s->limit.instructions = instructions;
    bool fine = hd_sandbox_call(s, arguments, results, err);
    s->limit.instructions = usual;
    return fine;
}

bool hd_sandbox_call(struct hd_sandbox *s, int arguments, int results,
                     struct hd_err *err) {
    s->left = s->limit.instructions;
    s->exhausted = false;
    s->running = true;
    int status = lua_pcall(s->lua, arguments, results, 0);
    s->running = false;
    if (status == LUA_OK) return true;
    explain(s, status, err);
    return false;
}
