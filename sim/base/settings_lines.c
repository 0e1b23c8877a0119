/* A reader of just enough Lua to find table constructors: names, strings, numbers,
 * brackets. What it does not understand it passes over, and the line stays unknown;
 * the value itself always comes from Lua. */
#include "base/settings_lines.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum kind { END, NAME, STRING, OTHER };

struct token {
    enum kind kind;
    int line;
    char symbol; /* OTHER: first character; '=' is assignment only */
    const char *text;
    int length;
};

struct entry { /* key = value, or an element, of a constructor; or of the file */
    int parent, line, index;
    char *key;
    int inside;  /* the constructor that is the value, or -1 */
    char *alias; /* the value is this name */
};

struct hd_lines {
    const char *at;
    int line;
    struct entry *entry;
    int entries, capacity, constructors, root;
};

/* ---- tokens -------------------------------------------------------------- */

/* [[ ... ]] or [==[ ... ]==] at s, its end; or NULL. */
static const char *long_bracket(const char *s) {
    size_t level = 0;
    if (*s != '[') return NULL;
    while (s[1 + level] == '=') level++;
    if (s[1 + level] != '[') return NULL;
    for (const char *c = s + level + 2; *c; c++) {
        if (*c != ']' || strspn(c + 1, "=") != level || c[level + 1] != ']') continue;
        return c + level + 2;
    }
    return s + strlen(s);
}

static void skip_to(struct hd_lines *l, const char *to) {
    for (; l->at < to; l->at++) l->line += *l->at == '\n';
}

static struct token next_token(struct hd_lines *l) {
    for (;;) {
        const char *c = l->at, *end;
        if (isspace((unsigned char)*c)) {
            skip_to(l, c + 1);
        } else if (c[0] == '-' && c[1] == '-') {
            end = long_bracket(c + 2);
            skip_to(l, end ? end : c + strcspn(c, "\n"));
        } else {
            break;
        }
    }
    struct token t = {.line = l->line, .text = l->at};
    const char *c = l->at, *end = long_bracket(c);
    if (!*c) return t;
    if (end) {
        t.kind = STRING;
    } else if (*c == '"' || *c == '\'') {
        t.kind = STRING;
        for (end = c + 1; *end && *end != *c && *end != '\n'; end++)
            if (*end == '\\' && end[1]) end++;
        t.text = c + 1;
        t.length = (int)(end - c - 1);
        if (*end) end++;
    } else if (isalnum((unsigned char)*c) || *c == '_') {
        t.kind = isdigit((unsigned char)*c) ? OTHER : NAME;
        t.symbol = '0';
        for (end = c; isalnum((unsigned char)*end) || *end == '_' || *end == '.'; end++)
            ;
        if (t.kind == NAME) end = c + strcspn(c, ".") < end ? c + strcspn(c, ".") : end;
        t.length = (int)(end - c);
    } else {
        t.kind = OTHER;
        bool twin = *c && strchr("=~<>", *c) && c[1] == '=';
        t.symbol = twin ? '~' : *c;
        end = c + 1 + twin;
    }
    skip_to(l, end);
    return t;
}

/* ---- constructors -------------------------------------------------------- */

static struct entry *add(struct hd_lines *l, int parent, const struct token *key,
                         int index, int line) {
    l->entry = hd_grow(l->entry, &l->capacity, l->entries + 1, sizeof *l->entry);
    struct entry *e = &l->entry[l->entries++];
    *e = (struct entry){.parent = parent, .line = line, .index = index, .inside = -1};
    if (key) e->key = hd_format("%.*s", key->length, key->text);
    return e;
}

static bool is(const struct token *t, char symbol) {
    return t->kind == OTHER && t->symbol == symbol;
}

static bool is_word(const struct token *t, const char *word) {
    return t->kind == NAME && (int)strlen(word) == t->length &&
           strncmp(t->text, word, (size_t)t->length) == 0;
}

/* Reads one value: up to a `,` `;` or `}` of this level. Returns that token. */
static struct token read_value(struct hd_lines *l, int entry, struct token t);

/* Reads the inside of a constructor; its number. */
static int read_constructor(struct hd_lines *l) {
    int own = l->constructors++, index = 0;
    struct token t = next_token(l);
    while (t.kind != END && !is(&t, '}')) {
        struct token key = t, value = t;
        bool bracket = is(&t, '[');
        if (bracket) key = next_token(l);
        bool named = bracket ? key.kind == STRING : key.kind == NAME;
        if (bracket) {
            for (t = key; t.kind != END && !is(&t, ']');) t = next_token(l);
        }
        if (named || bracket) {
            const char *at = l->at;
            int line = l->line;
            struct token equals = next_token(l);
            if (is(&equals, '=')) {
                value = next_token(l);
            } else { /* it was an element after all: a name, a call */
                named = bracket = false;
                l->at = at;
                l->line = line;
            }
        }
        if (!named && !bracket) index++;
        add(l, own, named ? &key : NULL, named || bracket ? 0 : index, key.line);
        t = read_value(l, l->entries - 1, value);
        if (is(&t, ',') || is(&t, ';')) t = next_token(l);
    }
    return own;
}

static struct token read_value(struct hd_lines *l, int entry, struct token t) {
    int depth = 0;
    bool first = true;
    for (; t.kind != END; t = next_token(l), first = false) {
        if (depth == 0 && (is(&t, ',') || is(&t, ';') || is(&t, '}'))) return t;
        if (is(&t, '{')) {
            int inside = read_constructor(l);
            if (first) l->entry[entry].inside = inside;
        } else if (is(&t, '(') || is_word(&t, "function") || is_word(&t, "if") ||
                   is_word(&t, "do")) {
            depth++;
        } else if ((is(&t, ')') || is_word(&t, "end")) && depth > 0) {
            depth--;
        } else if (first && t.kind == NAME) {
            l->entry[entry].alias = hd_format("%.*s", t.length, t.text);
        } else if (!first && l->entry[entry].alias && depth == 0) {
            free(l->entry[entry].alias); /* more than a name */
            l->entry[entry].alias = NULL;
        }
    }
    return t;
}

struct hd_lines *hd_lines_scan(const char *source) {
    struct hd_lines *l = hd_alloc(sizeof *l);
    l->at = source;
    l->line = 1;
    l->root = -1;
    struct token before = {0}, t;
    for (t = next_token(l); t.kind != END; t = next_token(l)) {
        if (is_word(&t, "return")) {
            struct token value = next_token(l);
            if (is(&value, '{')) {
                l->root = read_constructor(l);
            } else if (value.kind == NAME) { /* return P */
                int line, inside = -1;
                char *name = hd_format("%.*s", value.length, value.text);
                line = hd_lines_find(l, -1, name, 0, &inside);
                if (line) l->root = inside;
                free(name);
            }
        } else if (is(&t, '=') && before.kind == NAME) {
            struct token value = next_token(l);
            if (is(&value, '{')) {
                int entry = l->entries;
                add(l, -1, &before, 0, before.line);
                int inside = read_constructor(l);
                l->entry[entry].inside = inside;
            }
            t = value;
        } else if (is(&t, '{')) {
            read_constructor(l);
        }
        before = t;
    }
    l->at = NULL;
    return l;
}

void hd_lines_free(struct hd_lines *l) {
    if (!l) return;
    for (int n = 0; n < l->entries; n++) {
        free(l->entry[n].key);
        free(l->entry[n].alias);
    }
    free(l->entry);
    free(l);
}

int hd_lines_root(const struct hd_lines *l) {
    return l->root;
}

int hd_lines_find(const struct hd_lines *l, int constructor, const char *key, int index,
                  int *inside) {
    *inside = -1;
    int outer = constructor < 0 ? -1 : constructor;
    for (int n = l->entries - 1; n >= 0; n--) { /* the last assignment holds */
        const struct entry *e = &l->entry[n];
        if (e->parent != outer) continue;
        if (key ? !e->key || strcmp(e->key, key) != 0 : e->key || e->index != index)
            continue;
        *inside = e->inside;
        if (e->alias) hd_lines_find(l, -1, e->alias, 0, inside);
        return e->line;
    }
    return 0;
}
