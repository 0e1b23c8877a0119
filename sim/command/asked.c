/* Gathering settings, and reading their values. */
#include "command/asked.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "policy/host.h"

const char *const hd_node_fields[HD_NODE_FIELDS] = {
    "gpus",   "dram", "disk",        "pcie",          "pcie_shared_by", "pcie_both",
    "nvlink", "nic",  "pcie_switch", "switch_uplink", "dram_rate"};

bool hd_policy_is_file(const char *entry) {
    char *name = hd_format("%.*s", (int)strcspn(entry, "{"), entry);
    bool file = hd_script_is_file(name);
    free(name);
    return file;
}

void hd_asked_init(struct hd_asked *asked, unsigned command) {
    *asked = (struct hd_asked){.command = command};
}

static void free_setting(struct hd_setting *s) {
    free(s->name);
    free(s->field);
    free(s->value);
    free(s->place);
    free(s);
}

void hd_asked_free(struct hd_asked *asked) {
    for (int i = 0; i < asked->count; i++) free_setting(asked->setting[i]);
    free(asked->setting);
    free(asked->scenario);
    *asked = (struct hd_asked){0};
}

static char *copy(const char *text) {
    return text ? hd_strdup(text) : NULL;
}

struct hd_setting *hd_asked_add(struct hd_asked *asked, const struct hd_option *option,
                                const char *name, const char *field, const char *value,
                                enum hd_origin origin, const char *place) {
    struct hd_setting *s = hd_alloc(sizeof *s);
    *s = (struct hd_setting){.option = option,
                             .name = copy(name),
                             .field = copy(field),
                             .value = copy(value),
                             .origin = origin,
                             .place = copy(place)};
    asked->setting = hd_grow(asked->setting, &asked->capacity, asked->count + 1,
                             sizeof(struct hd_setting *));
    asked->setting[asked->count++] = s;
    return s;
}

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

const struct hd_setting *hd_asked_said(const struct hd_asked *asked, const char *key,
                                       const char *name, const char *field) {
    for (int i = asked->count - 1; i >= 0; i--) {
        const struct hd_setting *s = asked->setting[i];
        if (s->origin != HD_FROM_DEFAULT && strcmp(s->option->key, key) == 0 &&
            same(s->name, name) && same(s->field, field))
            return s;
    }
    return NULL;
}

const struct hd_setting *hd_asked_find(struct hd_asked *asked, const char *key,
                                       const char *name, const char *field) {
    const struct hd_setting *said = hd_asked_said(asked, key, name, field);
    if (said) return said;
    const struct hd_option *option = hd_option_of_key(key, asked->command);
    if (!option || !option->fallback || name || field) return NULL;
    for (int i = 0; i < asked->count; i++)
        if (asked->setting[i]->origin == HD_FROM_DEFAULT &&
            asked->setting[i]->option == option)
            return asked->setting[i];
    return hd_asked_add(asked, option, NULL, NULL, option->fallback, HD_FROM_DEFAULT,
                        "default");
}

/* ---- options ------------------------------------------------------------- */

/* Options replace what the scenario says at that key, once, before the first of
 * them is taken. */
static void forget_scenario(struct hd_asked *asked, const char *key) {
    int kept = 0;
    for (int i = 0; i < asked->count; i++) {
        struct hd_setting *s = asked->setting[i];
        if (s->origin == HD_FROM_SCENARIO && strcmp(s->option->key, key) == 0)
            free_setting(s);
        else
            asked->setting[kept++] = s;
    }
    asked->count = kept;
}

struct taking {
    struct hd_asked *asked;
    const struct hd_option *option;
    const struct hd_setting *whole;
    const char *place;
};

/* ttft=10s */
static bool take_slo(void *context, const char *piece, struct hd_problem *problem) {
    struct taking *t = context;
    static const char *const names[] = {"ttft", "tbt"};
    const char *equals = strchr(piece, '=');
    if (!equals)
        return hd_usage(problem, "--slo: '%s' is no limit; expected ttft=10s,tbt=100ms",
                        piece);
    char *name = hd_format("%.*s", (int)(equals - piece), piece);
    int which = hd_word_of(t->whole, name, names, 2, problem);
    free(name);
    if (which < 0) return false;
    char *key = hd_format("slo.%s", names[which]);
    char *place = hd_format("--slo %s", names[which]);
    const struct hd_setting *twice = hd_asked_said(t->asked, key, NULL, NULL);
    bool fine = !twice || twice->origin != HD_FROM_OPTION ||
                hd_usage(problem, "%s: given twice", place);
    if (fine)
        hd_asked_add(t->asked, hd_option_of_key(key, t->asked->command), NULL, NULL,
                     equals + 1, HD_FROM_OPTION, place);
    free(key);
    free(place);
    return fine;
}

/* [NAME.]KEY=VALUE; `dot_from_end` as no kind or policy has a dot in its key. */
static bool take_pair(void *context, const char *piece, struct hd_problem *problem) {
    struct taking *t = context;
    const char *equals = strchr(piece, '=');
    if (!equals || equals == piece || equals[1] == '\0')
        return hd_usage(problem, "--%s: '%s' sets nothing; expected %s",
                        t->option->name, piece, t->option->value);
    const char *dot = NULL;
    for (const char *c = piece; c < equals; c++)
        if (*c == '.') dot = c;
    char *name = dot ? hd_format("%.*s", (int)(dot - piece), piece) : NULL;
    const char *key = dot ? dot + 1 : piece;
    char *field = hd_format("%.*s", (int)(equals - key), key);
    char *place = hd_format("--%s %.*s", t->option->name, (int)(equals - piece), piece);
    hd_asked_add(t->asked, t->option, name, field, equals + 1, HD_FROM_OPTION, place);
    free(name);
    free(field);
    free(place);
    return true;
}

static bool take_entry(void *context, const char *piece, struct hd_problem *problem) {
    (void)problem;
    struct taking *t = context;
    hd_asked_add(t->asked, t->option, NULL, NULL, piece, HD_FROM_OPTION, t->place);
    return true;
}

static bool take_option(struct hd_asked *asked, const struct hd_given *given,
                        struct hd_problem *problem) {
    const struct hd_option *o = given->option;
    char place[64];
    snprintf(place, sizeof place, "--%s", o->name);
    struct hd_setting whole = {.option = o,
                               .value = (char *)given->value,
                               .origin = HD_FROM_OPTION,
                               .place = place};
    struct taking taking = {asked, o, &whole, place};
    if (strcmp(o->key, "slo") == 0)
        return hd_each_piece(&whole, given->value, ',', take_slo, &taking, problem);
    if (strcmp(o->key, "set") == 0) return take_pair(&taking, given->value, problem);
    if (strcmp(o->key, "node") == 0)
        return hd_each_piece(&whole, given->value, ',', take_pair, &taking, problem);
    if (strcmp(o->key, "policy") == 0)
        return hd_each_piece(&whole, given->value, ',', take_entry, &taking, problem);
    hd_asked_add(asked, o, NULL, NULL, o->value ? given->value : "yes", HD_FROM_OPTION,
                 place)
        ->is_file = strcmp(o->key, "models") == 0 && !strchr(given->value, '=');
    return true;
}

bool hd_asked_options(struct hd_asked *asked, const struct hd_args *args,
                      struct hd_problem *problem) {
    for (int i = 0; i < args->count; i++) {
        const char *key = args->given[i].option->key;
        if (!key || strcmp(key, "set") == 0 || strcmp(key, "node") == 0) continue;
        /* --fleet NAME chooses among the scenario's fleets, and so needs them. */
        if (strcmp(key, "fleet") != 0) forget_scenario(asked, key);
        if (strcmp(key, "slo") == 0) forget_scenario(asked, "slo.classes");
    }
    for (int i = 0; i < args->count; i++)
        if (args->given[i].option->key && !take_option(asked, &args->given[i], problem))
            return false;
    return true;
}

/* ---- values -------------------------------------------------------------- */

bool hd_setting_fail(const struct hd_setting *setting, struct hd_problem *problem,
                     const char *format, ...) {
    char text[sizeof problem->err.text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (setting->origin == HD_FROM_SCENARIO)
        return hd_bad_input(problem, "%s: %s", setting->place, text);
    return hd_usage(problem, "%s: %s", setting->place, text);
}

bool hd_asked_duration(struct hd_asked *asked, const char *key, double *s,
                       struct hd_problem *problem) {
    const struct hd_setting *setting = hd_asked_find(asked, key, NULL, NULL);
    struct hd_err err = {0};
    return hd_parse_duration(setting->value, s, &err) ||
           hd_setting_fail(setting, problem, "%s", err.text);
}

bool hd_asked_duration_most(struct hd_asked *asked, const char *key, double most,
                            double *s, struct hd_problem *problem) {
    if (!hd_asked_duration(asked, key, s, problem)) return false;
    const struct hd_setting *setting = hd_asked_find(asked, key, NULL, NULL);
    return *s <= most ||
           hd_setting_fail(setting, problem, "'%s' is too long; expected at most %g s",
                           setting->value, most);
}

bool hd_asked_fraction(struct hd_asked *asked, const char *key, double *fraction,
                       struct hd_problem *problem) {
    const struct hd_setting *setting = hd_asked_find(asked, key, NULL, NULL);
    struct hd_err err = {0};
    return hd_parse_fraction(setting->value, fraction, &err) ||
           hd_setting_fail(setting, problem, "%s", err.text);
}

bool hd_asked_integer(struct hd_asked *asked, const char *key, long min, long max,
                      long *number, struct hd_problem *problem) {
    const struct hd_setting *setting = hd_asked_find(asked, key, NULL, NULL);
    struct hd_err err = {0};
    return hd_parse_integer(setting->value, min, max, number, &err) ||
           hd_setting_fail(setting, problem, "%s", err.text);
}

int hd_word_of(const struct hd_setting *setting, const char *value,
               const char *const *words, int count, struct hd_problem *problem) {
    for (int i = 0; i < count; i++)
        if (strcmp(value, words[i]) == 0) return i;
    char list[256] = "";
    for (int i = 0; i < count; i++) {
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s",
                 i == 0           ? ""
                 : i + 1 == count ? " or "
                                  : ", ",
                 words[i]);
    }
    hd_setting_fail(setting, problem, "'%s' is unknown; expected %s", value, list);
    return -1;
}

int hd_asked_word(struct hd_asked *asked, const char *key, const char *const *words,
                  int count, struct hd_problem *problem) {
    const struct hd_setting *setting = hd_asked_find(asked, key, NULL, NULL);
    return hd_word_of(setting, setting->value, words, count, problem);
}

bool hd_each_piece(const struct hd_setting *setting, const char *list, char separator,
                   bool (*take)(void *context, const char *piece, struct hd_problem *),
                   void *context, struct hd_problem *problem) {
    for (const char *at = list;;) {
        const char *end = at;
        for (int depth = 0; *end && (*end != separator || depth > 0); end++)
            depth += *end == '{' ? 1 : *end == '}' && depth > 0 ? -1 : 0;
        const char *first = at, *last = end;
        while (first < last && isspace((unsigned char)*first)) first++;
        while (last > first && isspace((unsigned char)last[-1])) last--;
        if (first == last)
            return hd_setting_fail(setting, problem,
                                   "'%s' has an empty entry; expected values with '%c' "
                                   "between them",
                                   list, separator);
        char *piece = hd_format("%.*s", (int)(last - first), first);
        bool fine = take(context, piece, problem);
        free(piece);
        if (!fine) return false;
        if (*end == '\0') return true;
        at = end + 1;
    }
}
