/* Arrays that may grow longer than memory: on the heap while they are small, beyond
 * 4 MiB in a file without a name that is mapped, so that its pages need not stay in
 * memory. The file lies in $TMPDIR, or /var/tmp, and ends with the process; where none
 * can be made or the disk is full, an array stays on the heap. */
#ifndef HD_BASE_SPILL_H
#define HD_BASE_SPILL_H

#include <stddef.h>

/* What lies before the elements of such an array. */
struct hd_spill {
    size_t ready;    /* bytes that may be used before hd_spill_more is due */
    size_t capacity; /* bytes there are */
    size_t given;    /* bytes before this were given back once */
    int file;        /* -1: on the heap */
    char unused[36];
};
_Static_assert(sizeof(struct hd_spill) == 64, "elements stay on a cache line");

void *hd_spill_more(void *array, size_t bytes);

/* Makes room for so many bytes, as realloc does: what there was is kept, the array may
 * move, the rest is not initialised. NULL begins one. Memory of an array that is filled
 * from its begin to its end does not grow with it. */
static inline void *hd_spill_room(void *array, size_t bytes) {
    if (array && bytes <= ((const struct hd_spill *)array)[-1].ready) return array;
    return hd_spill_more(array, bytes);
}
void hd_spill_free(void *array); /* NULL is fine */

/* In a pass from the begin to the end: what lies before so many bytes is not needed for
 * now. Reading it again is right, and reads the file. */
void hd_spill_pass(const void *array, size_t bytes); /* NULL is fine */

/* The same of any mapped file that begins at `array`. At most the last 32 MiB before
 * `bytes` are given back, so that a pass calls it at least that often. */
void hd_mapped_pass(const void *array, size_t bytes);

#endif
