/* The scenario writer: the settings in force, as Lua that reads back the same. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/resolve.h"
#include "command/scenario.h"

struct writing {
    FILE *out;
    struct hd_asked *asked;
    bool origins;
    const char *folder;
};

/* path as seen from the folder; as it is when one of them cannot be followed. */
static char *seen_from(const char *folder, const char *path) {
    char from[PATH_MAX], to[PATH_MAX];
    if (!folder || path[0] == '/') return hd_strdup(path);
    char *bare = hd_strdup(folder);
    for (size_t n = strlen(bare); n > 1 && bare[n - 1] == '/'; n--) bare[n - 1] = '\0';
    char *slash = strrchr(bare, '/');
    if (slash) *slash = '\0';
    bool found = realpath(!slash          ? "."
                          : slash == bare ? "/"
                                          : bare,
                          from) &&
                 realpath(path, to);
    free(bare);
    if (!found) return hd_strdup(path);
    size_t common = 0, at = 0;
    for (; from[at] && from[at] == to[at]; at++)
        if (from[at] == '/') common = at;
    if (from[at] == '\0' && to[at] == '/') common = at;
    char *up = hd_strdup("../");
    for (const char *rest = from + common; *rest; rest++) {
        if (*rest != '/' || rest[1] == '\0') continue;
        char *longer = hd_format("%s../", up);
        free(up);
        up = longer;
    }
    char *seen = hd_format("%s%s", up, to + common + (to[common] == '/'));
    free(up);
    return seen;
}

/* The path that a setting holds, as seen from the folder; a policy's parameters stay
 * behind it. */
static char *moved(const char *folder, const struct hd_setting *s) {
    bool policy = strcmp(s->option->key, "policy") == 0;
    size_t length = policy ? strcspn(s->value, "{") : strlen(s->value);
    char *path = hd_format("%.*s", (int)length, s->value);
    char *seen = seen_from(folder, path);
    char *value = hd_format("%s%s", seen, s->value + length);
    free(path);
    free(seen);
    return value;
}

static void quote(FILE *out, const char *text) {
    fputc('"', out);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(out, "\\%c", c);
        else if (c < 32 || c == 127)
            fprintf(out, "\\%03d", c);
        else
            fputc(c, out);
    }
    fputc('"', out);
}

static bool plain_name(const char *name) {
    static const char *const reserved[] = {
        "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
        "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
        "repeat",   "return", "then", "true", "until",  "while"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (strcmp(name, reserved[i]) == 0) return false;
    if (*name >= '0' && *name <= '9') return false;
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
                             "0123456789")] == '\0' &&
           *name;
}

/* One line: [name =] value, -- origin */
static void line(struct writing *w, int depth, const char *name,
                 const struct hd_setting *s, bool path) {
    char *text;
    size_t length;
    FILE *out = hd_text_stream(&text, &length);
    fprintf(out, "%*s", 2 * depth, "");
    if (name && plain_name(name)) {
        fprintf(out, "%s = ", name);
    } else if (name) {
        fputc('[', out);
        quote(out, name);
        fputs("] = ", out);
    }
    char *value = path ? moved(w->folder, s) : hd_strdup(s->value);
    if (s->is_file) fputs("csv ", out);
    quote(out, value);
    free(value);
    fputc(',', out);
    hd_text_stream_end(out, &text);
    fputs(text, w->out);
    if (w->origins)
        fprintf(w->out, "%*s -- %s", length < 48 ? (int)(48 - length) : 0, "",
                s->place);
    fputc('\n', w->out);
    free(text);
}

static void open_table(struct writing *w, int depth, const char *name) {
    fprintf(w->out, "%*s", 2 * depth, "");
    if (plain_name(name)) {
        fputs(name, w->out);
    } else {
        fputc('[', w->out);
        quote(w->out, name);
        fputc(']', w->out);
    }
    fputs(" = {\n", w->out);
}

static void close_table(struct writing *w, int depth) {
    fprintf(w->out, "%*s},\n", 2 * depth, "");
}

/* A file of models or a policy in a file. */
static bool is_path(const struct hd_setting *s) {
    if (s->is_file) return true;
    if (strcmp(s->option->key, "policy") == 0) return hd_policy_is_file(s->value);
    return strcmp(s->option->key, "trace.file") == 0;
}

static bool in_force(struct writing *w, const struct hd_setting *s, const char *key) {
    return s->origin != HD_FROM_DEFAULT && strcmp(s->option->key, key) == 0 &&
           hd_asked_said(w->asked, key, s->name, s->field) == s;
}

/* models, node, set, slo.classes: fields of nameless things, then of named ones. */
static void family(struct writing *w, int depth, const char *label, const char *key) {
    struct hd_asked *a = w->asked;
    bool opened = false;
    for (int i = 0; i < a->count; i++) { /* nameless */
        const struct hd_setting *s = a->setting[i];
        if (s->name || s->origin == HD_FROM_DEFAULT || strcmp(s->option->key, key) != 0)
            continue;
        if (s->field && !in_force(w, s, key)) continue;
        if (!opened) open_table(w, depth, label);
        opened = true;
        line(w, depth + 1, s->field, s, is_path(s));
    }
    for (int i = 0; i < a->count; i++) { /* named, each at its first field */
        const struct hd_setting *s = a->setting[i];
        if (!s->name || s->origin == HD_FROM_DEFAULT ||
            strcmp(s->option->key, key) != 0)
            continue;
        bool seen = false;
        for (int k = 0; k < i && !seen; k++)
            seen = a->setting[k]->name && a->setting[k]->option->key &&
                   strcmp(a->setting[k]->option->key, key) == 0 &&
                   strcmp(a->setting[k]->name, s->name) == 0;
        if (seen) continue;
        if (!opened) open_table(w, depth, label);
        opened = true;
        open_table(w, depth + 1, s->name);
        for (int k = i; k < a->count; k++) {
            const struct hd_setting *f = a->setting[k];
            if (f->name && strcmp(f->name, s->name) == 0 && in_force(w, f, key))
                line(w, depth + 2, f->field, f, false);
        }
        close_table(w, depth + 1);
    }
    if (opened) close_table(w, depth);
}

/* policy, require: what was said, else the default. */
static void entries(struct writing *w, const char *key) {
    struct hd_asked *a = w->asked;
    bool opened = false;
    for (int i = 0; i < a->count; i++) {
        const struct hd_setting *s = a->setting[i];
        if (s->origin == HD_FROM_DEFAULT || strcmp(s->option->key, key) != 0) continue;
        if (!opened) open_table(w, 1, key);
        opened = true;
        line(w, 2, NULL, s, is_path(s));
    }
    if (opened) {
        close_table(w, 1);
        return;
    }
    const struct hd_setting *s = hd_asked_find(a, key, NULL, NULL);
    if (s) line(w, 1, key, s, false);
}

static void one(struct writing *w, int depth, const char *key, const char *label) {
    const struct hd_setting *s = hd_asked_find(w->asked, key, NULL, NULL);
    if (!s) return;
    line(w, depth, label, s, is_path(s));
}

/* All keys "group.*". */
static void group(struct writing *w, const char *name) {
    size_t length = strlen(name);
    bool classes = false, opened = false;
    for (int i = 0; i < w->asked->count; i++)
        classes |= strcmp(w->asked->setting[i]->option->key, "slo.classes") == 0;
    for (int i = 0; i < hd_options_count; i++) {
        const struct hd_option *o = &hd_options[i];
        if (!o->key || !(o->commands & w->asked->command) ||
            strncmp(o->key, name, length) != 0 || o->key[length] != '.')
            continue;
        const char *label = o->key + length + 1;
        bool limit = strcmp(o->key, "slo.ttft") == 0 || strcmp(o->key, "slo.tbt") == 0;
        if (!hd_asked_find(w->asked, o->key, NULL, NULL) &&
            strcmp(o->key, "slo.classes") != 0)
            continue;
        if (!opened) open_table(w, 1, name);
        opened = true;
        if (strcmp(o->key, "slo.classes") == 0)
            family(w, 2, label, o->key);
        else if (!limit || !classes)
            one(w, 2, o->key, label);
    }
    if (opened) close_table(w, 1);
}

char *hd_scenario_text(struct hd_asked *asked, bool origins, const char *folder) {
    char *text;
    size_t length;
    struct writing w = {hd_text_stream(&text, &length), asked, origins, folder};
    fprintf(w.out, "-- Settings of a `hotdesk %s`, resolved.\nreturn {\n",
            asked->command == HD_FOR_REPLAY ? "replay" : "compare");
    group(&w, "trace");
    family(&w, 1, "models", "models");
    if (asked->command == HD_FOR_REPLAY) {
        const struct hd_setting *fleet = hd_fleet_in_force(asked, NULL);
        if (fleet) line(&w, 1, "fleet", fleet, false);
    }
    one(&w, 1, "gpu", "gpu");
    one(&w, 1, "max_gpus", "max_gpus");
    entries(&w, "policy");
    family(&w, 1, "set", "set");
    family(&w, 1, "node", "node");
    group(&w, "window");
    group(&w, "slo");
    one(&w, 1, "slo_scale", "slo_scale");
    one(&w, 1, "attain", "attain");
    one(&w, 1, "too_long", "too_long");
    one(&w, 1, "zero_output", "zero_output");
    entries(&w, "require");
    group(&w, "serving");
    group(&w, "switching");
    one(&w, 1, "seed", "seed");
    fprintf(w.out, "}\n");
    hd_text_stream_end(w.out, &text);
    return text;
}
