/* Which policies, with which parameters. */
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "command/resolve.h"

struct choosing {
    struct hd_resolved *resolved;
    const struct hd_setting *setting;
    struct hd_policy_choice *choice; /* the one at hand */
    int capacity;
    struct own { /* NAME{...} of each policy */
        char *text;
        const struct hd_setting *setting;
    } * own;
    int own_capacity;
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
        if (hd_policy_is_file(piece)) return hd_bad_input(problem, "%s", err.text);
        return hd_setting_fail(c->setting, problem, "%s", err.text);
    }
    q->policy = hd_grow(q->policy, &c->capacity, q->policies + 1, sizeof *q->policy);
    c->own = hd_grow(c->own, &c->own_capacity, q->policies + 1, sizeof *c->own);
    q->policy[q->policies] =
        (struct hd_policy_choice){.script = script, .values = hd_values_new(script)};
    c->own[q->policies++] = (struct own){
        brace ? hd_format("%.*s", (int)(piece + length - brace - 2), brace + 1) : NULL,
        c->setting};
    return true;
}

static bool taken(const struct hd_question *q, int before, const char *label) {
    for (int i = 0; i < before; i++)
        if (strcmp(q->policy[i].label, label) == 0) return true;
    return false;
}

/* "aegaeon", the second of that name "aegaeon-2". */
static void label(struct hd_question *q) {
    for (int i = 0; i < q->policies; i++) {
        char *label = hd_strdup(q->policy[i].script->name);
        for (int n = 2; taken(q, i, label); n++) {
            free(label);
            label = hd_format("%s-%d", q->policy[i].script->name, n);
        }
        q->policy[i].label = label;
    }
}

/* ---- parameters ---------------------------------------------------------- */

/* A scenario may set parameters of a policy that is not asked about this time. */
static bool elsewhere(const struct hd_setting *s) {
    struct hd_err ignored = {0};
    struct hd_script *script =
        s->origin == HD_FROM_SCENARIO ? hd_script_load(s->name, &ignored) : NULL;
    bool found = script != NULL;
    hd_script_free(script);
    return found;
}

/* --set [POLICY.]key=value */
static bool apply(struct choosing *c, const struct hd_setting *s,
                  struct hd_problem *problem) {
    struct hd_question *q = &c->resolved->question;
    bool any = false;
    for (int i = 0; i < q->policies; i++) {
        c->choice = &q->policy[i];
        if (s->name && strcmp(s->name, c->choice->label) != 0 &&
            strcmp(s->name, c->choice->script->name) != 0)
            continue;
        if (!s->name && q->policies > 1 && !has(c->choice->script, s->field)) continue;
        any = true;
        if (!set(c, s, s->field, s->value, problem)) return false;
    }
    if (any || (s->name && elsewhere(s))) return true;
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

static bool apply_all(struct choosing *c, const struct hd_asked *asked,
                      enum hd_origin origin, bool named, struct hd_problem *problem) {
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "set") == 0 && s->origin == origin &&
            (s->name != NULL) == named && !apply(c, s, problem))
            return false;
    }
    return true;
}

static bool apply_own(struct choosing *c, enum hd_origin origin,
                      struct hd_problem *problem) {
    struct hd_question *q = &c->resolved->question;
    for (int i = 0; i < q->policies; i++) {
        if (!c->own[i].text || c->own[i].setting->origin != origin) continue;
        c->choice = &q->policy[i];
        c->setting = c->own[i].setting;
        if (!hd_each_piece(c->setting, c->own[i].text, ',', take_parameter, c, problem))
            return false;
    }
    return true;
}

/* What is said of one policy wins over what is said of all, and what an option says
 * over what the scenario says. */
static bool set_parameters(struct choosing *c, const struct hd_asked *asked,
                           struct hd_problem *problem) {
    for (int o = HD_FROM_SCENARIO; o <= HD_FROM_OPTION; o++)
        if (!apply_all(c, asked, (enum hd_origin)o, false, problem) ||
            !apply_own(c, (enum hd_origin)o, problem) ||
            !apply_all(c, asked, (enum hd_origin)o, true, problem))
            return false;
    return true;
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

static bool choose(struct choosing *c, struct hd_asked *asked,
                   struct hd_problem *problem) {
    struct hd_question *q = &c->resolved->question;
    for (int i = 0; i < asked->count; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "policy") != 0 || s->origin == HD_FROM_DEFAULT)
            continue;
        c->setting = s;
        if (!take_policy(c, s->value, problem)) return false;
    }
    if (q->policies == 0) {
        c->setting = hd_asked_find(asked, "policy", NULL, NULL);
        if (!c->setting)
            return hd_usage(problem, "--policy: which policy decides is not said; "
                                     "expected one of `hotdesk policy list` or a Lua "
                                     "file");
        if (!hd_each_piece(c->setting, c->setting->value, ',', take_policy, c, problem))
            return false;
    }
    label(q);
    return asked->command == HD_FOR_COMPARE || q->policies == 1 ||
           hd_setting_fail(c->setting, problem,
                           "a replay runs one policy; choose with --policy %s",
                           q->policy[0].label);
}

bool hd_resolve_policies(struct hd_asked *asked, struct hd_resolved *r,
                         struct hd_problem *problem) {
    struct hd_question *q = &r->question;
    struct choosing c = {.resolved = r};
    bool fine = choose(&c, asked, problem) && set_parameters(&c, asked, problem);
    for (int i = 0; i < q->policies && fine; i++)
        for (int k = 0; k < i && fine; k++)
            if (alike(&q->policy[i], &q->policy[k]))
                fine = hd_setting_fail(c.own[i].setting, problem,
                                       "%s stands there twice with the same "
                                       "parameters; two of one policy must differ",
                                       q->policy[i].script->name);
    for (int i = 0; i < q->policies; i++) free(c.own[i].text);
    free(c.own);
    return fine;
}
