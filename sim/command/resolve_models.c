/* Reading which LLM each model name of the trace is: maps, files and tables. */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/units.h"
#include "command/model_rules.h"

struct reading {
    struct hd_model_rules *rules;
    const struct hd_resolved *resolved;
    const struct hd_setting *setting;
};

void hd_model_rules_free(struct hd_model_rules *rules) {
    if (!rules) return;
    for (int i = 0; i < rules->rules; i++) {
        free(rules->rule[i].pattern);
        free(rules->rule[i].place);
        free(rules->rule[i].card);
    }
    free(rules->rule);
    free(rules);
}

static struct hd_model_rule *new_rule(struct hd_model_rules *rules, const char *pattern,
                                      const char *place) {
    rules->rule =
        hd_grow(rules->rule, &rules->capacity, rules->rules + 1, sizeof *rules->rule);
    struct hd_model_rule *rule = &rules->rule[rules->rules++];
    *rule = (struct hd_model_rule){.pattern = hd_strdup(pattern),
                                   .place = hd_strdup(place),
                                   .exact = !strpbrk(pattern, "*?"),
                                   .slo = -1};
    return rule;
}

static bool stands(const struct hd_model_rules *rules, const char *pattern) {
    for (int i = 0; i < rules->rules; i++)
        if (strcmp(rules->rule[i].pattern, pattern) == 0) return true;
    return false;
}

/* ---- what a name may be -------------------------------------------------- */

static bool check_tp(const struct hd_model_spec *spec, long tp, struct hd_err *err) {
    if (tp < 1 || tp > 64 || spec->heads % tp != 0)
        return hd_fail(err,
                       "%s cannot be split over %ld GPUs; expected a divisor of its %d "
                       "attention heads",
                       spec->name, tp, spec->heads);
    return true;
}

/* MODEL[/fp8][/kv-fp8][/tpN], or with bf16 in place of fp8 */
static bool read_model(const struct hd_catalog *catalog, const char *text,
                       struct hd_model_card *card, struct hd_err *err) {
    const char *slash = strrchr(text, '/');
    bool split = slash && strncmp(slash, "/tp", 3) == 0;
    char *name =
        hd_format("%.*s", split ? (int)(slash - text) : (int)strlen(text), text);
    card->spec = hd_catalog_model_said(catalog, name, card->said, err);
    free(name);
    if (!card->spec || !split) return card->spec != NULL;
    long tp;
    if (!hd_parse_integer(slash + 3, 1, 64, &tp, err)) return false;
    card->tp = (int)tp;
    return check_tp(card->spec, tp, err);
}

/* Keeps its weights, or its KV, as the word says. */
static bool keep_as(struct hd_model_card *card, bool kv, const char *word,
                    struct hd_err *err) {
    int number = hd_number_of(word);
    const struct hd_model_spec *m = card->spec;
    if (number < 0)
        return hd_fail(err, "%s '%s' is not simulated; expected bf16, fp16 or fp8",
                       kv ? "kv_dtype" : "dtype", word);
    if (card->said[kv] && (kv ? m->kv : m->weights) != (enum hd_number)number)
        return hd_fail(err, "%s beside '%s'; expected one of them", m->name, word);
    card->spec = kv ? m->as[m->weights][number] : m->as[number][m->kv];
    card->said[kv] = true;
    return true;
}

static int class_of(const struct hd_question *q, const char *name, struct hd_err *err) {
    const char **names = hd_alloc(sizeof *names * (size_t)(q->classes + 1));
    int found = -1;
    for (int i = 0; i < q->classes; i++) {
        names[i] = q->slo[i].name;
        if (strcmp(names[i], name) == 0) found = i;
    }
    if (found < 0) {
        const char *near = hd_nearest(name, names, q->classes);
        hd_fail(err, "class '%s' has no SLO%s%s", name,
                near ? "; the nearest is " : "; expected one of slo.classes",
                near ? near : "");
    }
    free(names);
    return found;
}

/* ---- maps ---------------------------------------------------------------- */

/* MODEL[/tpN][:WEIGHT] */
static bool take_card(void *context, const char *piece, struct hd_problem *problem) {
    struct reading *r = context;
    struct hd_model_rule *rule = &r->rules->rule[r->rules->rules - 1];
    struct hd_model_card card = {.weight = 1};
    struct hd_err err = {0};
    const char *colon = strrchr(piece, ':');
    char *model =
        hd_format("%.*s", colon ? (int)(colon - piece) : (int)strlen(piece), piece);
    bool fine = read_model(r->resolved->catalog, model, &card, &err) &&
                (!colon || hd_parse_integer(colon + 1, 1, 1000000, &card.weight, &err));
    free(model);
    if (!fine) return hd_setting_fail(r->setting, problem, "%s", err.text);
    rule->card =
        hd_grow(rule->card, &rule->capacity, rule->cards + 1, sizeof *rule->card);
    rule->card[rule->cards++] = card;
    return true;
}

static bool take_map(void *context, const char *piece, struct hd_problem *problem) {
    struct reading *r = context;
    const char *equals = strchr(piece, '=');
    if (!equals || equals == piece)
        return hd_setting_fail(r->setting, problem,
                               "'%s' maps nothing; expected 'NAME=MODEL' or "
                               "'PATTERN=MODEL:WEIGHT,...'",
                               piece);
    char *pattern = hd_format("%.*s", (int)(equals - piece), piece);
    if (stands(r->rules, pattern)) {
        hd_setting_fail(r->setting, problem, "%s stands there twice", pattern);
        free(pattern);
        return false;
    }
    struct hd_model_rule *rule = new_rule(r->rules, pattern, r->setting->place);
    free(pattern);
    char *list = hd_strdup(equals + 1);
    char *at = strrchr(list, '@');
    if (at && strcmp(at, "@order") == 0) {
        rule->in_order = true;
        *at = '\0';
    }
    bool fine = hd_each_piece(r->setting, list, ',', take_card, r, problem);
    free(list);
    return fine;
}

/* ---- files --------------------------------------------------------------- */

enum column { NAME, MODEL, TP, CLASS, DTYPE, KV_DTYPE, MIN_REPLICAS, COLUMNS };
static const char *const column_name[COLUMNS] = {
    "name", "model", "tp", "class", "dtype", "kv_dtype", "min_replicas"};

static bool read_row(struct reading *r, const struct hd_csv_row *row,
                     const int column[COLUMNS], const char *place, struct hd_err *err) {
    const char *text[COLUMNS];
    for (int c = 0; c < COLUMNS; c++)
        text[c] = column[c] >= 0 && column[c] < row->count ? row->field[column[c]] : "";
    if (!text[NAME][0] || !text[MODEL][0])
        return hd_fail(err, "a name or a model is missing; expected both");
    if (stands(r->rules, text[NAME]))
        return hd_fail(err, "%s stands there twice", text[NAME]);
    struct hd_model_rule *rule = new_rule(r->rules, text[NAME], place);
    struct hd_model_card card = {.weight = 1};
    if (!read_model(r->resolved->catalog, text[MODEL], &card, err)) return false;
    long number;
    if (text[TP][0]) {
        if (!hd_parse_integer(text[TP], 1, 64, &number, err) ||
            !check_tp(card.spec, number, err))
            return false;
        card.tp = (int)number;
    }
    if (text[CLASS][0] &&
        (rule->slo = class_of(&r->resolved->question, text[CLASS], err)) < 0)
        return false;
    for (int kv = 0; kv < 2; kv++) {
        const char *word = text[kv ? KV_DTYPE : DTYPE];
        if (word[0] && !keep_as(&card, kv, word, err)) return false;
    }
    if (text[MIN_REPLICAS][0]) {
        if (!hd_parse_integer(text[MIN_REPLICAS], 0, 100000, &number, err))
            return false;
        rule->min_replicas = (int)number;
    }
    rule->card = hd_alloc(sizeof *rule->card);
    rule->card[rule->cards++] = card;
    return true;
}

static bool read_header(const struct hd_csv_row *row, int column[COLUMNS],
                        struct hd_err *err) {
    for (int c = 0; c < COLUMNS; c++) column[c] = hd_csv_column(row, column_name[c]);
    if (column[NAME] < 0 || column[MODEL] < 0)
        return hd_fail(err, "a column is missing; expected name,model and if need be "
                            "tp,class,dtype,kv_dtype,min_replicas");
    for (int i = 0; i < row->count; i++) {
        bool known = false;
        for (int c = 0; c < COLUMNS; c++) known |= column[c] == i;
        if (!known) {
            const char *near = hd_nearest(row->field[i], column_name, COLUMNS);
            return hd_fail(err, "column '%s' means nothing here; %s%s", row->field[i],
                           near ? "the nearest is "
                                : "expected name,model,tp,class,"
                                  "dtype,kv_dtype,min_replicas",
                           near ? near : "");
        }
    }
    return true;
}

static bool read_file(struct reading *r, const char *path, struct hd_problem *problem) {
    struct hd_err err = {0};
    struct hd_csv *csv = hd_csv_open(path, &err);
    if (!csv) return hd_bad_input(problem, "%s", err.text);
    int column[COLUMNS], got;
    long rows = 0;
    struct hd_csv_row row;
    while ((got = hd_csv_next(csv, &row, &err)) == 1) {
        struct hd_err why = {0};
        char *place = hd_format("%s:%ld", path, row.line);
        bool fine = rows++ == 0 ? read_header(&row, column, &why)
                                : read_row(r, &row, column, place, &why);
        if (!fine) hd_bad_input(problem, "%s: %s", place, why.text);
        free(place);
        if (!fine) break;
    }
    hd_csv_close(csv);
    if (got < 0) hd_bad_input(problem, "%s", err.text);
    if (got == 0 && rows < 2)
        hd_bad_input(problem, "%s: no row; expected name,model and a row per model",
                     path);
    return problem->exit_code == HD_EXIT_OK;
}

/* ---- tables of a scenario ------------------------------------------------ */

/* The fields of one name, at its first. */
static bool read_table(struct hd_asked *asked, struct reading *r, int first,
                       struct hd_problem *problem) {
    const char *name = asked->setting[first]->name;
    struct hd_model_rule *rule = new_rule(r->rules, name, asked->setting[first]->place);
    int at = r->rules->rules - 1;
    const struct hd_setting *model = hd_asked_said(asked, "models", name, "model");
    r->setting = model;
    if (!hd_each_piece(model, model->value, ',', take_card, r, problem)) return false;
    rule = &r->rules->rule[at];
    struct hd_err err = {0};
    long number;
    const struct hd_setting *s = hd_asked_said(asked, "models", name, "tp");
    if (s) {
        if (!hd_parse_integer(s->value, 1, 64, &number, &err))
            return hd_setting_fail(s, problem, "%s", err.text);
        for (int i = 0; i < rule->cards; i++) {
            if (!check_tp(rule->card[i].spec, number, &err))
                return hd_setting_fail(s, problem, "%s", err.text);
            rule->card[i].tp = (int)number;
        }
    }
    for (int kv = 0; kv < 2; kv++) {
        s = hd_asked_said(asked, "models", name, kv ? "kv_dtype" : "dtype");
        for (int i = 0; s && i < rule->cards; i++)
            if (!keep_as(&rule->card[i], kv, s->value, &err))
                return hd_setting_fail(s, problem, "%s", err.text);
    }
    s = hd_asked_said(asked, "models", name, "class");
    if (s && (rule->slo = class_of(&r->resolved->question, s->value, &err)) < 0)
        return hd_setting_fail(s, problem, "%s", err.text);
    s = hd_asked_said(asked, "models", name, "min_replicas");
    if (s && !hd_parse_integer(s->value, 0, 100000, &number, &err))
        return hd_setting_fail(s, problem, "%s", err.text);
    if (s) rule->min_replicas = (int)number;
    return true;
}

struct hd_model_rules *hd_model_rules_read(struct hd_asked *asked,
                                           const struct hd_resolved *resolved,
                                           struct hd_problem *problem) {
    struct hd_model_rules *rules = hd_alloc(sizeof *rules);
    rules->seed = resolved->question.seed;
    struct reading r = {rules, resolved, NULL};
    static const char *const numbers[] = {"bf16", "fp16", "fp8"};
    int weights = hd_asked_word(asked, "serving.type", numbers, 3, problem);
    int kv = hd_asked_word(asked, "serving.kv_type", numbers, 3, problem);
    bool fine = weights >= 0 && kv >= 0;
    if (fine) {
        rules->weights = (enum hd_number)hd_number_of(numbers[weights]);
        rules->kv = (enum hd_number)hd_number_of(numbers[kv]);
    }
    for (int i = 0; i < asked->count && fine; i++) {
        const struct hd_setting *s = asked->setting[i];
        if (strcmp(s->option->key, "models") != 0) continue;
        r.setting = s;
        if (s->name) {
            bool seen = false;
            for (int k = 0; k < i; k++)
                seen |= strcmp(asked->setting[k]->option->key, "models") == 0 &&
                        asked->setting[k]->name &&
                        strcmp(asked->setting[k]->name, s->name) == 0;
            if (!seen) fine = read_table(asked, &r, i, problem);
        } else if (s->is_file || !strchr(s->value, '=')) {
            fine = read_file(&r, s->value, problem);
        } else {
            fine = hd_each_piece(s, s->value, ';', take_map, &r, problem);
        }
    }
    if (fine) return rules;
    hd_model_rules_free(rules);
    return NULL;
}
