/* A policy's file: finding it and running it once, to see what it declares. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/text.h"
#include "policy/lua_host.h"

enum { SOURCE_BYTES_MAX = 1 << 20 };

static const char *const callbacks[HD_CALLBACKS] = {
    "start", "arrive", "turn", "prefilled", "done", "timer", "tick", "fleet"};

const char *hd_callback_name(enum hd_callback callback) {
    return callbacks[callback];
}

bool hd_lua_run_chunk(struct hd_lua *h, const struct hd_script *s, struct hd_err *err) {
    struct hd_err why = {""};
    lua_State *L = h->L;
    if (!hd_sandbox_compile(h->box, s->source, s->length, s->path, &why) ||
        !hd_sandbox_call(h->box, 0, 1, &why)) {
        bool placed = strncmp(why.text, s->path, strlen(s->path)) == 0;
        return hd_fail(err, "%s%s%s", placed ? "" : s->path, placed ? "" : ": ",
                       why.text);
    }
    if (lua_istable(L, -1) && !lua_getmetatable(L, -1)) return true;
    if (lua_istable(L, -1))
        return hd_fail(err,
                       "%s: the policy's table has a metatable; expected a plain "
                       "table",
                       s->path);
    return hd_fail(err, "%s: returns a %s; expected the policy's table", s->path,
                   luaL_typename(L, -1));
}

static bool read_declarations(struct hd_script *s, struct hd_err *err) {
    struct hd_lua host = {.script = s};
    host.box = hd_sandbox_new(hd_sandbox_limits_default());
    host.L = hd_sandbox_lua(host.box);
    hd_lua_open(&host);
    bool fine = hd_lua_run_chunk(&host, s, err);
    if (fine) {
        lua_settop(host.L, 1);
        fine = hd_lua_declare(s, host.L, err);
    }
    hd_sandbox_free(host.box);
    return fine;
}

/* ---- files --------------------------------------------------------------- */

static int by_text(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **hd_script_names(int *count) {
    char *folder = hd_home_path("policies");
    DIR *dir = opendir(folder);
    char **name = NULL;
    int capacity = 0;
    *count = 0;
    free(folder);
    if (!dir) return NULL;
    for (struct dirent *d; (d = readdir(dir));) {
        size_t length = strlen(d->d_name);
        if (length <= 4 || *d->d_name == '.' ||
            strcmp(d->d_name + length - 4, ".lua") != 0)
            continue;
        name = hd_grow(name, &capacity, *count + 1, sizeof *name);
        name[(*count)++] = hd_format("%.*s", (int)length - 4, d->d_name);
    }
    closedir(dir);
    if (*count) qsort(name, (size_t)*count, sizeof *name, by_text);
    return name;
}

static bool unknown_name(const char *name, struct hd_err *err) {
    int count;
    char **all = hd_script_names(&count), list[500] = "none";
    size_t used = 0;
    const char *near = hd_nearest(name, (const char *const *)all, count);
    for (int n = 0; n < count && used < sizeof list - 1; n++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "",
                                 all[n]);
    if (near)
        hd_fail(err, "policy `%s`: there is none; nearest: %s", name, near);
    else
        hd_fail(err, "policy `%s`: there is none; there are: %s, or a FILE.lua", name,
                list);
    for (int n = 0; n < count; n++) free(all[n]);
    free(all);
    return false;
}

bool hd_script_is_file(const char *given) {
    size_t length = strlen(given);
    return strchr(given, '/') ||
           (length > 4 && strcmp(given + length - 4, ".lua") == 0);
}

/* Where the text lies, and what messages call it. */
static char *locate(const char *given, char **shown, struct hd_err *err) {
    if (hd_script_is_file(given)) {
        *shown = hd_strdup(given);
        return hd_strdup(given);
    }
    char *part = hd_format("policies/%s.lua", given);
    char *path = hd_home_path(part);
    if (*given && hd_file_exists(path)) {
        *shown = part;
        return path;
    }
    unknown_name(given, err);
    free(part);
    free(path);
    return NULL;
}

struct hd_script *hd_script_load(const char *given, struct hd_err *err) {
    struct hd_script *s = hd_alloc(sizeof *s);
    char *path = locate(given, &s->path, err);
    if (path) s->source = hd_read_text(path, SOURCE_BYTES_MAX, &s->length, err);
    free(path);
    if (!s->source) {
        hd_script_free(s);
        return NULL;
    }
    const char *slash = strrchr(s->path, '/');
    const char *base = slash ? slash + 1 : s->path, *dot = strrchr(base, '.');
    s->name = hd_format("%.*s", dot ? (int)(dot - base) : (int)strlen(base), base);
    hd_sha256_text(s->source, s->length, s->sha256);
    if (read_declarations(s, err)) return s;
    hd_script_free(s);
    return NULL;
}

void hd_script_free(struct hd_script *s) {
    if (!s) return;
    for (int n = 0; n < s->params; n++) {
        free(s->param[n].name);
        free(s->param[n].help);
        free(s->param[n].text);
        for (int c = 0; c < s->param[n].choices; c++) free(s->param[n].choice[c]);
        free(s->param[n].choice);
    }
    free(s->param);
    free(s->name);
    free(s->path);
    free(s->about);
    free(s->source);
    free(s);
}
