/* A hash table: linear probing on the key's bits, mixed. */
#include "base/number_map.h"

#include <stdlib.h>

#include "base/mem.h"

struct hd_number_slot {
    uint64_t key;
    int32_t number_plus_1; /* 0: empty */
};

/* The finaliser of MurmurHash3: every bit of the key moves every bit of the place. */
static uint64_t mix(uint64_t key) {
    key = (key ^ key >> 33) * 0xFF51AFD7ED558CCDu;
    key = (key ^ key >> 33) * 0xC4CEB9FE1A85EC53u;
    return key ^ key >> 33;
}

/* Where the key is, or the empty slot where it belongs. */
static struct hd_number_slot *find(const struct hd_number_map *map, uint64_t key) {
    uint64_t mask = (uint64_t)map->slots - 1;
    for (uint64_t at = mix(key) & mask;; at = (at + 1) & mask) {
        struct hd_number_slot *slot = &map->slot[at];
        if (!slot->number_plus_1 || slot->key == key) return slot;
    }
}

static void grow(struct hd_number_map *map) {
    struct hd_number_map old = *map;
    map->slots = old.slots ? old.slots * 2 : 64;
    map->slot = hd_alloc((size_t)map->slots * sizeof *map->slot);
    for (int64_t i = 0; i < old.slots; i++)
        if (old.slot[i].number_plus_1) *find(map, old.slot[i].key) = old.slot[i];
    free(old.slot);
}

int32_t hd_number_map(struct hd_number_map *map, uint64_t key) {
    if (2 * ((int64_t)map->numbers + 1) > map->slots) grow(map);
    struct hd_number_slot *slot = find(map, key);
    if (!slot->number_plus_1) {
        if (map->numbers == INT32_MAX - 1) return -1;
        *slot = (struct hd_number_slot){key, ++map->numbers};
    }
    return slot->number_plus_1 - 1;
}

void hd_number_map_free(struct hd_number_map *map) {
    free(map->slot);
    *map = (struct hd_number_map){0};
}
