/* Names to numbers, in order of first appearance. */
#ifndef HD_BASE_INTERN_H
#define HD_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct hd_intern {
    char **name;
    int names, capacity;
    int32_t *slot; /* open addressing; -1 empty */
    int slots;
};

/* The number of the name, a new one if it was never seen. */
int hd_intern(struct hd_intern *, const char *name, size_t bytes);
void hd_intern_free(struct hd_intern *);

#endif
