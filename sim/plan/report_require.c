/* --require: figures by the names of the schema, held against limits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "output/quantity.h"
#include "plan/report_parts.h"
#include "plan/report_schema.h"

enum of { OF_PASS, OF_RUN, OF_MODEL, OF_CLASS, OF_POLICY, OF_NOTHING };

struct key {
    enum of of;
    int index; /* of the model, class or policy */
    const struct hd_field *field;
};

enum op { OP_LE, OP_GE, OP_EQ, OP_NE, OP_LT, OP_GT };
static const char *const op_text[] = {"<=", ">=", "==", "!=", "<", ">"};

struct expression {
    struct key left, right; /* right.of OF_NOTHING: a literal */
    enum op op;
    double literal;
};

/* ---- reading ------------------------------------------------------------- */

static bool unknown_field(const struct hd_field_set *set, const char *key,
                          struct hd_err *err) {
    const char **name = hd_alloc((size_t)set->fields * sizeof *name);
    for (int i = 0; i < set->fields; i++) name[i] = set->field[i].name;
    const char *near = hd_nearest(key, name, set->fields);
    free(name);
    return hd_fail(
        err, "no figure is called `%s`%s%s%s; `hotdesk help schema` lists them", key,
        near ? "; did you mean `" : "", near ? near : "", near ? "`" : "");
}

static bool find_field(const struct hd_field_set *set, const char *text,
                       struct key *key, struct hd_err *err) {
    key->field = hd_fields_find(set, text);
    if (!key->field) return unknown_field(set, text, err);
    switch (key->field->type) {
    case HD_FIELD_INT:
    case HD_FIELD_REAL:
    case HD_FIELD_BOOL:
    case HD_FIELD_LATER:
        return true;
    default:
        return hd_fail(err, "`%s` is not a number; expected one that is", text);
    }
}

static const char *entry_name(const struct hd_question *q, enum of of, int i) {
    return of == OF_MODEL   ? q->model[i].name
           : of == OF_CLASS ? q->slo[i].name
                            : q->policy[i].label;
}

/* "NAME.KEY" where names may have dots: the longest name that fits. */
static bool find_entry(const struct hd_question *q, enum of of, const char *what,
                       const char *text, struct key *key, struct hd_err *err) {
    int count = of == OF_MODEL ? q->models : of == OF_CLASS ? q->classes : q->policies;
    size_t longest = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entry_name(q, of, i);
        size_t length = strlen(name);
        if (length < longest || strncmp(text, name, length) != 0 || text[length] != '.')
            continue;
        longest = length;
        key->index = i;
    }
    key->of = of;
    if (longest) {
        const struct hd_field_set *set = of == OF_MODEL   ? &hd_schema_model
                                         : of == OF_CLASS ? &hd_schema_class
                                                          : &hd_schema_compare;
        return find_field(set, text + longest + 1, key, err);
    }
    const char **name = hd_alloc((size_t)(count + 1) * sizeof *name);
    for (int i = 0; i < count; i++) name[i] = entry_name(q, of, i);
    char *asked = hd_strdup(text);
    asked[strcspn(asked, ".")] = '\0';
    const char *near = hd_nearest(asked, name, count);
    hd_fail(err, "there is no %s `%s`%s%s%s", what, asked,
            near ? "; did you mean `" : "", near ? near : "", near ? "`" : "");
    free(asked);
    free(name);
    return false;
}

static bool find_key(const struct hd_question *q, bool compare, const char *text,
                     struct key *key, struct hd_err *err) {
    *key = (struct key){.of = OF_RUN};
    if (strcmp(text, "pass") == 0 || (!compare && strcmp(text, "pass.ok") == 0)) {
        key->of = OF_PASS;
        return true;
    }
    if (compare) {
        if (strncmp(text, "policy.", 7) == 0)
            return find_entry(q, OF_POLICY, "policy", text + 7, key, err);
        return hd_fail(err,
                       "`%s`: compare knows `pass` and policy.NAME.FIGURE, such as "
                       "policy.%s.gpus",
                       text, q->policies ? q->policy[0].label : "aegaeon");
    }
    if (strncmp(text, "models.", 7) == 0)
        return find_entry(q, OF_MODEL, "model", text + 7, key, err);
    if (strncmp(text, "classes.", 8) == 0)
        return find_entry(q, OF_CLASS, "class", text + 8, key, err);
    return find_field(&hd_schema_run, text, key, err);
}

/* A literal in the unit of the figure that it limits. */
static bool read_literal(const struct key *left, const char *text, double *value,
                         struct hd_err *err) {
    if (left->of == OF_PASS || left->field->type == HD_FIELD_BOOL) {
        bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;
        *value = yes;
        return yes || strcmp(text, "no") == 0 || strcmp(text, "false") == 0 ||
               hd_fail(err, "`%s`: expected yes or no", text);
    }
    const char *unit = left->field->unit;
    if (strcmp(unit, "s") == 0) return hd_parse_duration(text, value, err);
    if (strcmp(unit, "bytes") == 0) return hd_parse_size(text, value, err);
    if (strcmp(unit, "fraction") == 0) {
        *value = 0;
        if (strcmp(text, "0") == 0 || strcmp(text, "0%") == 0) return true;
        return hd_parse_fraction(text, value, err);
    }
    if (strcmp(unit, "h") == 0) {
        bool ok = hd_parse_duration(text, value, err);
        *value /= 3600;
        return ok;
    }
    size_t length = strlen(text);
    bool rate = strcmp(unit, "1/s") == 0;
    if (rate && (length < 3 || strcmp(text + length - 2, "/s") != 0))
        return hd_fail(err, "`%s` needs a unit: %s/s", text, text);
    char *number = hd_strdup(text);
    if (rate) number[length - 2] = '\0';
    bool ok = hd_parse_number(number, value, err);
    free(number);
    return ok;
}

/* The text between two places without outer blanks; the caller frees it. */
static char *trimmed(const char *from, const char *to) {
    while (from < to && (*from == ' ' || *from == '\t')) from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t')) to--;
    return hd_format("%.*s", (int)(to - from), from);
}

static bool is_key(const char *text) {
    return (*text >= 'a' && *text <= 'z') && strcmp(text, "yes") != 0 &&
           strcmp(text, "no") != 0 && strcmp(text, "true") != 0 &&
           strcmp(text, "false") != 0;
}

static const char *unit_of(const struct key *key) {
    return key->of == OF_PASS || key->field->type == HD_FIELD_BOOL ? "yes or no"
                                                                   : key->field->unit;
}

static bool read_right(const struct hd_question *q, bool compare, const char *text,
                       struct expression *e, struct hd_err *err) {
    if (!is_key(text)) return read_literal(&e->left, text, &e->literal, err);
    if (!find_key(q, compare, text, &e->right, err)) return false;
    if (e->right.of == OF_PASS) return hd_fail(err, "`pass` stands on the left");
    return strcmp(unit_of(&e->left), unit_of(&e->right)) == 0 ||
           hd_fail(err, "left is in %s, right in %s", unit_of(&e->left),
                   unit_of(&e->right));
}

static bool read_expression(const struct hd_question *q, bool compare, const char *text,
                            struct expression *e, struct hd_err *err) {
    *e = (struct expression){.right.of = OF_NOTHING};
    const char *at = text + strcspn(text, "<>=!"), *end = text + strlen(text);
    char *left = trimmed(text, at);
    bool ok = find_key(q, compare, left, &e->left, err);
    free(left);
    if (!ok) return false;
    if (!*at && e->left.of == OF_PASS) {
        e->op = OP_EQ;
        e->literal = 1;
        return true;
    }
    int op = 0, ops = sizeof op_text / sizeof *op_text;
    while (op < ops && strncmp(at, op_text[op], strlen(op_text[op])) != 0) op++;
    if (op == ops) return hd_fail(err, "expected <=, >=, <, >, == or != and a limit");
    e->op = (enum op)op;
    char *right = trimmed(at + strlen(op_text[op]), end);
    ok = *right ? read_right(q, compare, right, e, err)
                : hd_fail(err, "expected a limit behind %s", op_text[op]);
    free(right);
    return ok;
}

bool hd_require_read(const char *expr, const struct hd_question *q, bool compare,
                     struct hd_requirement *r, struct hd_err *err) {
    struct expression e;
    struct hd_err why = {""};
    *r = (struct hd_requirement){.value = NAN, .limit = NAN};
    if (!read_expression(q, compare, expr, &e, &why))
        return hd_fail(err, "%s: %s", expr, why.text);
    r->expr = hd_strdup(expr);
    r->unit = unit_of(&e.left);
    return true;
}

void hd_require_free(struct hd_requirement *r) {
    free(r->expr);
    free(r->where);
    r->expr = r->where = NULL;
}

/* ---- checking ------------------------------------------------------------ */

static bool holds(enum op op, double value, double limit) {
    if (isnan(value) || isnan(limit)) return false;
    switch (op) {
    case OP_LE:
        return value <= limit;
    case OP_GE:
        return value >= limit;
    case OP_LT:
        return value < limit;
    case OP_GT:
        return value > limit;
    case OP_EQ:
        return value == limit;
    case OP_NE:
        return value != limit;
    }
    return false;
}

static double of_run(const struct hd_question *q, const struct hd_run_record *r,
                     const struct hd_run_figures *f, const struct key *key) {
    double target = f->pass.target;
    struct hd_model_figures model;
    struct hd_class_figures class;
    if (key->of == OF_PASS) return f->pass.ok < 0 ? NAN : f->pass.ok;
    if (key->of == OF_RUN) return hd_field_number(key->field, f);
    if (!hd_run_is_whole(r)) return NAN;
    if (key->of == OF_MODEL) {
        hd_model_figures(q, r, target, key->index, &model);
        return hd_field_number(key->field, &model);
    }
    hd_class_figures(q, r, target, key->index, &class);
    return hd_field_number(key->field, &class);
}

bool hd_require_check_run(const struct hd_report *report,
                          const struct hd_run_record *r) {
    const struct hd_question *q = report->question;
    struct hd_criterion c = hd_report_criterion(q);
    struct hd_run_figures f;
    hd_run_figures(q, r, &c, &f);
    bool all = true;
    for (int i = 0; i < report->requirements; i++) {
        struct hd_requirement *require = &report->requirement[i];
        struct expression e;
        read_expression(q, false, require->expr, &e, &(struct hd_err){""});
        require->value = of_run(q, r, &f, &e.left);
        require->limit =
            e.right.of == OF_NOTHING ? e.literal : of_run(q, r, &f, &e.right);
        require->ok = holds(e.op, require->value, require->limit);
        all = all && require->ok;
    }
    hd_run_figures_free(&f);
    return all;
}

/* The value of a key in the block of answers that `at` belongs to. */
static double of_block(const struct hd_comparison *c, const struct hd_row_figures *row,
                       int at, const struct key *key) {
    for (int i = 0; i < c->answers; i++) {
        const struct hd_answer *a = &c->answer[i], *b = &c->answer[at];
        if (a->policy == key->index && a->scale == b->scale && a->attain == b->attain &&
            a->rule == b->rule)
            return hd_field_number(key->field, &row[i]);
    }
    return NAN;
}

static char *row_name(const struct hd_row_figures *row) {
    return hd_format("%s at %s, rule %s, SLO x%g", row->policy,
                     hd_say_share(row->attain_target).text, row->pass_rule,
                     row->slo_scale);
}

/* A requirement holds if it holds in every block that it speaks of. */
static void check_rows(const struct hd_comparison *c, const struct hd_row_figures *row,
                       const struct expression *e, struct hd_requirement *require) {
    bool seen = false;
    require->ok = true;
    for (int i = 0; i < c->answers && require->ok; i++) {
        bool pass = e->left.of == OF_PASS;
        if (!pass && c->answer[i].policy != e->left.index) continue;
        double value = pass ? (row[i].reached < 0 ? NAN : row[i].reached)
                            : hd_field_number(e->left.field, &row[i]);
        double limit =
            e->right.of == OF_NOTHING ? e->literal : of_block(c, row, i, &e->right);
        bool ok = holds(e->op, value, limit);
        if (seen && ok) continue;
        seen = true;
        require->value = value;
        require->limit = limit;
        require->ok = ok;
        free(require->where);
        require->where = row_name(&row[i]);
    }
    require->ok = require->ok && seen;
}

bool hd_require_check_comparison(const struct hd_report *report,
                                 const struct hd_comparison *c) {
    struct hd_row_figures *row = hd_report_rows(report, c);
    bool all = true;
    for (int i = 0; i < report->requirements; i++) {
        struct hd_requirement *require = &report->requirement[i];
        struct expression e;
        read_expression(report->question, true, require->expr, &e,
                        &(struct hd_err){""});
        check_rows(c, row, &e, require);
        all = all && require->ok;
    }
    hd_report_rows_free(row, c);
    return all;
}
