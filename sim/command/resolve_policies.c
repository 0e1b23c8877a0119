/* Which policies, with which parameters. */
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "command/resolve.h"

struct choosing {
    struct hd_asked *asked;
    struct hd_resolved *resolved;
    const struct hd_setting *setting;
    struct hd_policy_choice *choice; /* the one being made */
    int capacity;
};

/* "quota_max_s, group_max" or "none". */
static char *parameters_of(const struct hd_script *script) {
    char *list = hd_strdup(script->params ? "" : "none");
    for (int i = 0; i < script->params; i++) {
        char *longer = hd_format("%s%s%s", list, i ? ", " : "", script->param[i].name);
        free(list);
        list = longer;
    }
    return list;
}

static bool has(const struct hd_script *script, const char *name) {
    for (int i = 0; i < script->params; i++)
        if (strcmp(script->param[i].name, name) == 0) return true;
    return false;
}

static bool no_such(const struct hd_setting *s, const struct hd_script *script,
                    const char *name, struct hd_problem *problem) {
    char *list = parameters_of(script);
    const char **names = hd_alloc(sizeof *names * (size_t)(script->params + 1));
    for (int i = 0; i < script->params; i++) names[i] = script->param[i].name;
    const char *near = hd_nearest(name, names, script->params);
    hd_setting_fail(s, problem, "policy `%s` has no parameter '%s'; it has: %s%s%s",
                    script->name, name, list, near ? "; the nearest is " : "",
                    near ? near : "");
    hd_hint(problem, "hotdesk policy %s",
            hd_file_exists(script->path) ? script->path : script->name);
    free(list);
    free(names);
    return false;
}

static bool set(struct choosing *c, const struct hd_setting *s, const char *name,
                const char *value, struct hd_problem *problem) {
    struct hd_err err = {0};
    if (!has(c->choice->script, name))
        return no_such(s, c->choice->script, name, problem);
    return hd_script_set(c->choice->script, c->choice->values, name, value, &err) ||
           hd_setting_fail(s, problem, "%s", err.text);
}

/* key=value within NAME{...} */
static bool take_parameter(void *context, const char *piece,
                           struct hd_problem *problem) {
    struct choosing *c = context;
    const char *equals = strchr(piece, '=');
    if (!equals || equals == piece || !equals[1])
        return hd_setting_fail(c->setting, problem,
                               "'%s' sets nothing; expected NAME{key=value,...}",
                               piece);
    char *name = hd_format("%.*s", (int)(equals - piece), piece);
    bool fine = set(c, c->setting, name, equals + 1, problem);
    free(name);
    return fine;
}

static bool take_policy(void *context, const char *piece, struct hd_problem *problem) {
    struct choosing *c = context;
    struct hd_question *q = &c->resolved->question;
    const char *brace = strchr(piece, '{');
    size_t length = strlen(piece);
    if (brace && (piece[length - 1] != '}' || brace == piece))
        return hd_setting_fail(c->setting, problem,
                               "'%s' is no policy; expected NAME or NAME{key=value}",
                               piece);
    char *name = hd_format("%.*s", brace ? (int)(brace - piece) : (int)length, piece);
    struct hd_err err = {0};
    struct hd_script *script = hd_script_load(name, &err);
    free(name);
    if (!script) { /* the name is at fault, or what the file holds */
        if (strchr(piece, '/') || strstr(piece, ".lua"))
            return hd_bad_input(problem, "%s", err.text);
        return hd_setting_fail(c->setting, problem, "%s", err.text);
    }
    q->policy = hd_grow(q->policy, &c->capacity, q->policies + 1, sizeof *q->policy);
    c->choice = &q->policy[q->policies++];
    *c->choice =
        (struct hd_policy_choice){.script = script, .values = hd_values_new(script)};
    if (!brace) return true;
    char *inside = hd_format("%.*s", (int)(piece + length - 1 - brace - 1), brace + 1);
    bool fine = hd_each_piece(c->setting, inside, ',', take_parameter, c, problem);
    free(inside);
    return fine;
}

/* "aegaeon", the second of that name "aegaeon-2". */
static void label(struct hd_question *q) {
    for (int i = 0; i < q->policies; i++) {
        int earlier = 0;
        for (int k = 0; k < i; k++)
            earlier +=
                strcmp(q->policy[k].script->name, q->policy[i].script->name) == 0;
        q->policy[i].label =
            earlier ? hd_format("%s-%d", q->policy[i].script->name, earlier + 1)
                    : hd_strdup(q->policy[i].script->name);
    }
}

/* --set [POLICY.]key=value, in order: the later one wins. */
static bool apply(struct choosing *c, const struct hd_setting *s,
                  struct hd_problem *problem) {
    struct hd_question *q = &c->resolved->question;
    bool taken = false;
    for (int i = 0; i < q->policies; i++) {
        c->choice = &q->policy[i];
        if (s->name && strcmp(s->name, c->choice->label) != 0 &&
            strcmp(s->name, c->choice->script->name) != 0)
            continue;
        if (!s->name && q->policies > 1 && !has(c->choice->script, s->field)) continue;
        taken = true;
        if (!set(c, s, s->field, s->value, problem)) return false;
    }
    if (taken) return true;
    char *all = hd_strdup("");
    for (int i = 0; i < q->policies; i++) {
        char *own = parameters_of(q->policy[i].script);
        char *longer =
            s->name
                ? hd_format("%s%s%s", all, i ? ", " : "", q->policy[i].label)
                : hd_format("%s%s%s: %s", all, i ? "; " : "", q->policy[i].label, own);
        free(own);
        free(all);
        all = longer;
    }
    if (s->name)
        hd_setting_fail(s, problem, "no policy '%s' here; there are: %s", s->name, all);
    else
        hd_setting_fail(s, problem, "no policy has such a parameter; they have: %s",
                        all);
    free(all);
    return false;
}

static bool alike(const struct hd_policy_choice *a, const struct hd_policy_choice *b) {
    if (strcmp(a->script->sha256, b->script->sha256) != 0) return false;
    for (int i = 0; i < a->script->params; i++) {
        char *one = hd_value_of(a->script, a->values, i);
        char *other = hd_value_of(b->script, b->values, i);
        bool equal = strcmp(one, other) == 0;
        free(one);
        free(other);
        if (!equal) return false;
    }
    return true;
}

bool hd_resolve_policies(struct hd_asked *asked, struct hd_resolved *r,
                         struct hd_problem *problem) {
    struct hd_question *q = &r->question;
    struct choosing c = {.asked = asked, .resolved = r};
    bool said = false;
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "policy") != 0 || s->origin == HD_FROM_DEFAULT)
            continue;
        said = true;
        c.setting = s;
        if (!take_policy(&c, s->value, problem)) return false;
    }
    if (!said) {
        c.setting = hd_asked_find(asked, "policy", NULL, NULL);
        if (!c.setting)
            return hd_usage(problem, "--policy: which policy decides is not said; "
                                     "expected one of `hotdesk policy list` or a Lua "
                                     "file");
        if (!hd_each_piece(c.setting, c.setting->value, ',', take_policy, &c, problem))
            return false;
    }
    label(q);
    if (asked->command == HD_FOR_REPLAY && q->policies > 1)
        return hd_setting_fail(c.setting, problem,
                               "a replay runs one policy; choose with --policy %s",
                               q->policy[0].label);
    for (int i = 0; i < asked->count; i++)
        if (strcmp(asked->setting[i]->option->key, "set") == 0 &&
            !apply(&c, asked->setting[i], problem))
            return false;
    for (int i = 0; i < q->policies; i++)
        for (int k = 0; k < i; k++)
            if (alike(&q->policy[i], &q->policy[k]))
                return hd_setting_fail(c.setting, problem,
                                       "%s stands there twice with the same "
                                       "parameters; two of one policy must differ",
                                       q->policy[i].script->name);
    return true;
}
