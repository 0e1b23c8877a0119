/* Memory that is there or the program ends: one line on stderr, exit 1. */
#ifndef HD_BASE_MEM_H
#define HD_BASE_MEM_H

#include <stddef.h>
#include <stdio.h>

void *hd_alloc(size_t bytes);              /* zeroed */
void *hd_realloc(void *old, size_t bytes); /* not zeroed beyond the old size */
char *hd_strdup(const char *text);
char *hd_format(const char *format, ...) /* a new string; the caller frees it */
    __attribute__((format(printf, 1, 2), nonnull(1)));

/* Text of any length, written as to a file: *text and *bytes hold once the stream has
 * ended, and the caller frees *text. */
FILE *hd_text_stream(char **text, size_t *bytes);
void hd_text_stream_end(FILE *, char *const *text);

void *hd_grow_more(void *array, int *capacity, int need, size_t element_bytes);

/* Makes room for `need` elements in a growing array; capacity doubles. The new
 * elements are not initialised. */
static inline void *hd_grow(void *array, int *capacity, int need,
                            size_t element_bytes) {
    if (need <= *capacity) return array;
    return hd_grow_more(array, capacity, need, element_bytes);
}

#endif
