/* Names of a catalogue's rows. */
#include "hardware/names.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/units.h"

bool hd_has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *w = words; length && *w;) {
        size_t has = strcspn(w, " ");
        if (has == length && strncasecmp(w, word, length) == 0) return true;
        w += has + strspn(w + has, " ");
    }
    return false;
}

int hd_count_words(const char *words) {
    int count = 0;
    for (const char *w = words; *w; count++) {
        w += strcspn(w, " ");
        w += strspn(w, " ");
    }
    return count;
}

bool hd_is_called(const char *own, const char *aliases, const char *name) {
    return strcasecmp(own, name) == 0 || hd_has_word(aliases, name);
}

void hd_names_add(struct hd_names *n, const char *own, const char *aliases) {
    n->name = hd_grow(n->name, &n->capacity, n->count + 1, sizeof *n->name);
    n->name[n->count++] = hd_strdup(own);
    for (const char *a = aliases; *a;) {
        size_t word = strcspn(a, " ");
        n->name = hd_grow(n->name, &n->capacity, n->count + 1, sizeof *n->name);
        n->name[n->count++] = hd_format("%.*s", (int)word, a);
        a += word + strspn(a + word, " ");
    }
}

void hd_names_free(struct hd_names *n) {
    for (int i = 0; i < n->count; i++) free(n->name[i]);
    free(n->name);
}

void hd_names_unknown(const struct hd_names *n, const char *what, const char *name,
                      const char *command, struct hd_err *err) {
    const char *near = hd_nearest(name, (const char *const *)n->name, n->count);
    if (near)
        hd_fail(err, "%s: no such %s in the catalogue; the nearest is %s", name, what,
                near);
    else
        hd_fail(err, "%s: no such %s in the catalogue; `hotdesk catalog %s` lists them",
                name, what, command);
}

bool hd_names_differ(const struct hd_names *n, const char *path, struct hd_err *err) {
    for (int i = 0; i < n->count; i++)
        for (int j = 0; j < i; j++)
            if (strcasecmp(n->name[i], n->name[j]) == 0)
                return hd_fail(err, "%s: the name %s stands for two rows", path,
                               n->name[i]);
    return true;
}
