/* Numbers of any size to small ones, in order of first appearance. */
#ifndef HD_BASE_NUMBER_MAP_H
#define HD_BASE_NUMBER_MAP_H

#include <stdint.h>

struct hd_number_map {
    struct hd_number_slot *slot; /* open addressing, at most half full */
    int64_t slots;
    int32_t numbers; /* so far: 0 to numbers - 1 are given */
};

/* The small number of `key`, the next one if it was never seen; -1 when there are
 * 2147483646 already. */
int32_t hd_number_map(struct hd_number_map *, uint64_t key);
void hd_number_map_free(struct hd_number_map *);

#endif
