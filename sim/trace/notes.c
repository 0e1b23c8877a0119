/* Notes by key. */
#include "trace/notes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static bool is_of(const char *note, const char *key) {
    size_t bytes = strlen(key);
    return strncmp(note, key, bytes) == 0 && note[bytes] == ':';
}

static int find(char *const *note, int notes, const char *key) {
    int i = 0;
    while (i < notes && !is_of(note[i], key)) i++;
    return i;
}

const char *hd_note(char *const *note, int notes, const char *key) {
    int i = find(note, notes, key);
    if (i == notes) return NULL;
    const char *text = note[i] + strlen(key) + 1;
    return text + strspn(text, " ");
}

/* The notes that have a field of their own. */
static void read_fields(struct hd_trace *t) {
    char **field[] = {&t->parts, &t->made, &t->recipe, &t->sources};
    static const char *const key[] = {"parts", "made", "recipe", "sources"};
    for (size_t i = 0; i < sizeof field / sizeof *field; i++) {
        const char *text = hd_note(t->note, t->notes, key[i]);
        free(*field[i]);
        *field[i] = text ? hd_strdup(text) : NULL;
    }
}

void hd_trace_take_notes(struct hd_trace *t, char *const *note, int notes) {
    t->note = hd_alloc((size_t)notes * sizeof *t->note + 1);
    t->notes = notes;
    for (int i = 0; i < notes; i++) t->note[i] = hd_strdup(note[i]);
    read_fields(t);
}

void hd_trace_drop_notes(struct hd_trace *t) {
    for (int i = 0; i < t->notes; i++) free(t->note[i]);
    free(t->note);
    t->note = NULL;
    t->notes = 0;
    free(t->parts);
    free(t->made);
    free(t->recipe);
    free(t->sources);
    t->parts = t->made = t->recipe = t->sources = NULL;
}

void hd_trace_set_note(struct hd_trace *t, const char *key, const char *text) {
    int at = find(t->note, t->notes, key);
    if (at == t->notes) {
        t->note = hd_realloc(t->note, (size_t)++t->notes * sizeof *t->note);
        t->note[at] = NULL;
    }
    char *note = hd_format("%s: %s", key, text);
    for (char *c = note; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
    free(t->note[at]);
    t->note[at] = note;
    read_fields(t);
}
