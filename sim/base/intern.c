/* A hash table (FNV-1a, linear probing, at most half full) over a list of names. */
#include "base/intern.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static uint64_t hash(const char *name, size_t bytes) {
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < bytes; i++)
        h = (h ^ (unsigned char)name[i]) * 1099511628211u;
    return h;
}

/* Where the name is, or the empty slot where it belongs. */
static int32_t *find(const struct hd_intern *in, const char *name, size_t bytes) {
    uint64_t mask = (uint64_t)in->slots - 1;
    for (uint64_t at = hash(name, bytes) & mask;; at = (at + 1) & mask) {
        int32_t *slot = &in->slot[at];
        if (*slot < 0) return slot;
        const char *known = in->name[*slot];
        if (strncmp(known, name, bytes) == 0 && known[bytes] == '\0') return slot;
    }
}

static void grow(struct hd_intern *in) {
    in->slots = in->slots ? in->slots * 2 : 64;
    in->slot = hd_realloc(in->slot, (size_t)in->slots * sizeof *in->slot);
    for (int i = 0; i < in->slots; i++) in->slot[i] = -1;
    for (int i = 0; i < in->names; i++) *find(in, in->name[i], strlen(in->name[i])) = i;
}

int hd_intern(struct hd_intern *in, const char *name, size_t bytes) {
    if (2 * (in->names + 1) > in->slots) grow(in);
    int32_t *slot = find(in, name, bytes);
    if (*slot >= 0) return *slot;
    in->name = hd_grow(in->name, &in->capacity, in->names + 1, sizeof *in->name);
    char *copy = hd_alloc(bytes + 1);
    memcpy(copy, name, bytes);
    in->name[in->names] = copy;
    return *slot = in->names++;
}

void hd_intern_free(struct hd_intern *in) {
    for (int i = 0; i < in->names; i++) free(in->name[i]);
    free(in->name);
    free(in->slot);
    *in = (struct hd_intern){0};
}
