/* The scenario reader: walks the tree of values by the table of options. */
#include "command/scenario.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/settings.h"

/* Keys that are promised for commands that do not exist yet. To take one and do
 * nothing would be worse than to refuse it. */
static const char *const later[] = {
    "market",       "growth",      "spare",         "buy",        "options",
    "vary",         "tune",        "turns",         "replicates", "mechanisms",
    "window.train", "window.test", "trace.observed"};

struct reading {
    struct hd_asked *asked;
    struct hd_problem *problem;
};

static bool refuse(struct reading *r, const struct hd_value *v, const char *text) {
    return hd_bad_input(r->problem, "%s:%d: %s: %s", v->file, v->line, v->path, text);
}

/* A scalar as its text; NULL with the problem set. The caller frees it. */
static char *text_of(struct reading *r, const struct hd_value *v) {
    switch (v->type) {
    case HD_VALUE_BOOLEAN:
        return hd_strdup(v->boolean ? "yes" : "no");
    case HD_VALUE_NUMBER:
        if (v->number == floor(v->number) && fabs(v->number) < 1e15)
            return hd_format("%.0f", v->number);
        for (int digits = 6; digits <= 17; digits++) { /* the shortest that is it */
            char *text = hd_format("%.*g", digits, v->number);
            if (strtod(text, NULL) == v->number) return text;
            free(text);
        }
        break;
    case HD_VALUE_TEXT:
        if (v->text[0]) return hd_strdup(v->text);
        refuse(r, v, "is empty");
        return NULL;
    case HD_VALUE_FILE:
        return hd_strdup(v->text);
    case HD_VALUE_TABLE:
        break;
    }
    refuse(r, v, "is a table; expected one value");
    return NULL;
}

static bool add(struct reading *r, const struct hd_option *option, const char *name,
                const char *field, const struct hd_value *v) {
    char *text = text_of(r, v);
    if (!text) return false;
    char *place = hd_format("%s:%d: %s", v->file, v->line, v->path);
    hd_asked_add(r->asked, option, name, field, text, HD_FROM_SCENARIO, place)
        ->is_file = v->type == HD_VALUE_FILE;
    free(text);
    free(place);
    return true;
}

/* Paths in a scenario are relative to it. */
static void rebase_path(struct hd_setting *s, const char *file) {
    const char *slash = strrchr(file, '/');
    if (!slash || s->is_file || s->value[0] == '/') return;
    char *path = hd_format("%.*s/%s", (int)(slash - file), file, s->value);
    free(s->value);
    s->value = path;
}

static struct hd_setting *last(struct reading *r) {
    return r->asked->setting[r->asked->count - 1];
}

/* ---- keys that hold tables ----------------------------------------------- */

static const struct hd_option *any(const char *key) {
    return hd_option_of_key(key, HD_FOR_BOTH);
}

static bool named_fields(struct reading *r, const struct hd_option *option,
                         const char *name, const struct hd_value *table,
                         const char *const *fields, int count) {
    struct hd_err err = {0};
    if (!hd_value_only(table, fields, count, false, &err))
        return hd_bad_input(r->problem, "%s", err.text);
    for (int i = 0; i < table->fields; i++)
        if (!add(r, option, name, table->field[i].key, &table->field[i])) return false;
    return true;
}

/* A map, or a file of them with or without csv in front. */
static bool read_map(struct reading *r, const struct hd_option *option,
                     const struct hd_value *v) {
    if (!add(r, option, NULL, NULL, v)) return false;
    struct hd_setting *s = last(r);
    if (s->is_file || strchr(s->value, '=')) return true;
    rebase_path(s, v->file);
    s->is_file = true;
    return true;
}

/* "a=b;c=d"; csv "FILE"; {"a=b", csv "FILE", name = "model", name = {model = ...}} */
static bool read_models(struct reading *r, const struct hd_value *v) {
    static const char *const fields[] = {"model", "tp",       "class",
                                         "dtype", "kv_dtype", "min_replicas"};
    const struct hd_option *option = any("models");
    if (v->type != HD_VALUE_TABLE) return read_map(r, option, v);
    for (int i = 0; i < v->items; i++)
        if (!read_map(r, option, &v->item[i])) return false;
    for (int i = 0; i < v->fields; i++) {
        const struct hd_value *m = &v->field[i];
        if (m->type == HD_VALUE_TABLE) {
            if (!named_fields(r, option, m->key, m, fields, 6)) return false;
            if (!hd_value_find(m, "model"))
                return refuse(r, m, "names no model; expected model = \"...\"");
        } else if (!add(r, option, m->key, "model", m)) {
            return false;
        }
    }
    return v->items + v->fields > 0 || refuse(r, v, "is empty");
}

static bool read_classes(struct reading *r, const struct hd_value *v) {
    static const char *const fields[] = {"ttft", "tbt", "attain"};
    if (v->type != HD_VALUE_TABLE || v->items || !v->fields)
        return refuse(r, v, "expected {NAME = {ttft = ..., tbt = ...}, ...}");
    for (int i = 0; i < v->fields; i++) {
        const struct hd_value *c = &v->field[i];
        if (c->type != HD_VALUE_TABLE)
            return refuse(r, c, "expected {ttft = ..., tbt = ..., attain = ...}");
        if (!named_fields(r, any("slo.classes"), c->key, c, fields, 3)) return false;
        if (!hd_value_find(c, "ttft") || !hd_value_find(c, "tbt"))
            return refuse(r, c,
                          "lacks a limit; expected both ttft and tbt, \"none\" "
                          "for no limit");
    }
    return true;
}

/* {KIND = {pcie = ...}, pcie = ...}: of one kind, of all. */
static bool read_node(struct reading *r, const struct hd_value *v) {
    if (v->type != HD_VALUE_TABLE || v->items)
        return refuse(r, v, "expected {KIND = {gpus = 8, pcie = \"55GB/s\", ...}}");
    for (int i = 0; i < v->fields; i++) {
        const struct hd_value *n = &v->field[i];
        if (n->type == HD_VALUE_TABLE) {
            if (!named_fields(r, any("node"), n->key, n, hd_node_fields,
                              HD_NODE_FIELDS))
                return false;
            continue;
        }
        bool known = false;
        for (int f = 0; f < HD_NODE_FIELDS; f++)
            known |= strcmp(n->key, hd_node_fields[f]) == 0;
        if (!known) {
            const char *near = hd_nearest(n->key, hd_node_fields, HD_NODE_FIELDS);
            char *text = hd_format("is no property of a node%s%s",
                                   near ? "; the nearest is " : " and no kind of GPU",
                                   near ? near : "");
            refuse(r, n, text);
            free(text);
            return false;
        }
        if (!add(r, any("node"), NULL, n->key, n)) return false;
    }
    return true;
}

static bool read_fleet(struct reading *r, const struct hd_value *v) {
    if (v->type != HD_VALUE_TABLE) return add(r, any("fleet"), NULL, NULL, v);
    if (v->items || !v->fields)
        return refuse(r, v, "expected \"H100:16\" or {NAME = \"H100:16\", ...}");
    for (int i = 0; i < v->fields; i++)
        if (!add(r, any("fleet"), v->field[i].key, NULL, &v->field[i])) return false;
    return true;
}

static bool read_set(struct reading *r, const struct hd_value *v) {
    if (v->type != HD_VALUE_TABLE || v->items)
        return refuse(r, v,
                      "expected {PARAMETER = value, POLICY = {PARAMETER = value}}");
    for (int i = 0; i < v->fields; i++) {
        const struct hd_value *s = &v->field[i];
        if (s->type != HD_VALUE_TABLE) {
            const char *dot = strrchr(s->key, '.');
            char *name = dot ? hd_format("%.*s", (int)(dot - s->key), s->key) : NULL;
            bool fine = add(r, any("set"), name, dot ? dot + 1 : s->key, s);
            free(name);
            if (!fine) return false;
            continue;
        }
        if (s->items) return refuse(r, s, "expected {PARAMETER = value}");
        for (int p = 0; p < s->fields; p++)
            if (!add(r, any("set"), s->key, s->field[p].key, &s->field[p]))
                return false;
    }
    return true;
}

struct listing {
    struct reading *reading;
    const struct hd_value *value;
    const struct hd_option *option;
};

static bool take_entry(void *context, const char *piece, struct hd_problem *problem) {
    (void)problem;
    struct listing *l = context;
    const struct hd_value *v = l->value;
    char *place = hd_format("%s:%d: %s", v->file, v->line, v->path);
    struct hd_setting *s = hd_asked_add(l->reading->asked, l->option, NULL, NULL, piece,
                                        HD_FROM_SCENARIO, place);
    free(place);
    if (strcmp(l->option->key, "policy") == 0 && hd_policy_is_file(piece))
        rebase_path(s, v->file);
    return true;
}

/* A list of entries, or one text with commas in it. */
static bool read_entries(struct reading *r, const char *key, const struct hd_value *v) {
    struct listing l = {r, v, any(key)};
    if (v->type == HD_VALUE_TABLE && (v->fields || !v->items))
        return refuse(r, v, "expected a list");
    for (int i = 0; i < (v->type == HD_VALUE_TABLE ? v->items : 1); i++) {
        l.value = v->type == HD_VALUE_TABLE ? &v->item[i] : v;
        char *text = text_of(r, l.value);
        if (!text) return false;
        bool fine = strcmp(key, "policy") == 0;
        if (fine) {
            struct hd_setting whole = {.origin = HD_FROM_SCENARIO, .place = v->path};
            fine = hd_each_piece(&whole, text, ',', take_entry, &l, r->problem);
        } else {
            fine = take_entry(&l, text, r->problem);
        }
        free(text);
        if (!fine) return false;
    }
    return true;
}

/* attain = {0.9, 0.99}: as "0.9,0.99", the notation of the option. */
static bool read_list(struct reading *r, const struct hd_option *option,
                      const struct hd_value *v) {
    if (v->type != HD_VALUE_TABLE) return add(r, option, NULL, NULL, v);
    if (v->fields || !v->items) return refuse(r, v, "expected one value or a list");
    char *all = NULL;
    for (int i = 0; i < v->items; i++) {
        char *one = text_of(r, &v->item[i]);
        if (!one) {
            free(all);
            return false;
        }
        char *longer = all ? hd_format("%s,%s", all, one) : hd_strdup(one);
        free(one);
        free(all);
        all = longer;
    }
    char *place = hd_format("%s:%d: %s", v->file, v->line, v->path);
    hd_asked_add(r->asked, option, NULL, NULL, all, HD_FROM_SCENARIO, place);
    free(place);
    free(all);
    return true;
}

/* ---- the walk ------------------------------------------------------------ */

static bool unknown(struct reading *r, const struct hd_value *v, const char *prefix) {
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strcmp(v->path, later[i]) == 0)
            return refuse(r, v,
                          "belongs to a later version; this one has replay and "
                          "compare");
    /* The keys that stand where it stands. */
    const char *names[96];
    char *parts[96];
    int count = 0;
    size_t skip = strlen(prefix);
    for (int i = 0; i < hd_options_count && count < 94; i++) {
        const char *key = hd_options[i].key;
        if (!key || strncmp(key, prefix, skip) != 0 || !key[skip]) continue;
        parts[count] = hd_format("%.*s", (int)strcspn(key + skip, "."), key + skip);
        names[count] = parts[count];
        count++;
    }
    const char *near = hd_nearest(v->key, names, count);
    if (near)
        hd_bad_input(r->problem, "%s:%d: %s: no such setting; the nearest is %s",
                     v->file, v->line, v->path, near);
    else
        hd_bad_input(r->problem,
                     "%s:%d: %s: no such setting; `hotdesk help scenario` "
                     "lists them",
                     v->file, v->line, v->path);
    for (int i = 0; i < count; i++) free(parts[i]);
    return false;
}

static bool read_value(struct reading *r, const struct hd_value *v,
                       const char *prefix) {
    const char *key = v->path;
    if (strcmp(key, "policies") == 0) key = "policy";
    if (strcmp(key, "models") == 0) return read_models(r, v);
    if (strcmp(key, "slo.classes") == 0) return read_classes(r, v);
    if (strcmp(key, "node") == 0) return read_node(r, v);
    if (strcmp(key, "fleet") == 0) return read_fleet(r, v);
    if (strcmp(key, "set") == 0) return read_set(r, v);
    if (strcmp(key, "policy") == 0 || strcmp(key, "require") == 0)
        return read_entries(r, key, v);
    if (strcmp(key, "trace") == 0 && v->type != HD_VALUE_TABLE) {
        if (!add(r, any("trace.file"), NULL, NULL, v)) return false;
        rebase_path(last(r), v->file);
        return true;
    }
    static const char *const groups[] = {"trace", "slo", "window", "serving",
                                         "switching"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        if (strcmp(key, groups[i]) != 0) continue;
        if (v->type != HD_VALUE_TABLE || v->items)
            return refuse(r, v, "expected a table of named settings");
        char *inner = hd_format("%s.", key);
        bool fine = true;
        for (int f = 0; f < v->fields && fine; f++)
            fine = read_value(r, &v->field[f], inner);
        free(inner);
        return fine;
    }
    const struct hd_option *option = any(key);
    if (!option || strcmp(key, "slo") == 0) return unknown(r, v, prefix);
    if (!read_list(r, option, v)) return false;
    if (strcmp(key, "trace.file") == 0) rebase_path(last(r), v->file);
    return true;
}

bool hd_scenario_read(struct hd_asked *asked, const char *path,
                      struct hd_problem *problem) {
    static const char *const calls[] = {"csv"};
    struct hd_err err = {0};
    struct hd_settings *settings = hd_settings_load(path, calls, 1, &err);
    if (!settings) return hd_bad_input(problem, "%s", err.text);
    asked->scenario = hd_strdup(path);
    struct reading r = {asked, problem};
    const struct hd_value *root = hd_settings_root(settings);
    bool fine =
        root->items == 0 || hd_bad_input(problem,
                                         "%s: the table has entries without a name; "
                                         "expected NAME = value",
                                         path);
    for (int i = 0; i < root->fields && fine; i++)
        fine = read_value(&r, &root->field[i], "");
    /* One class or several, not both: which would hold? */
    const struct hd_value *one = hd_value_find(root, "slo.ttft");
    if (!one) one = hd_value_find(root, "slo.tbt");
    if (fine && one && hd_value_find(root, "slo.classes"))
        fine = refuse(&r, one,
                      "stands beside slo.classes; expected limits for all or "
                      "classes");
    hd_settings_free(settings);
    return fine;
}
