/* Allocation that cannot fail quietly. */
#include "base/mem.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t bytes) {
    if (memory || bytes == 0) return memory;
    fprintf(stderr, "hotdesk: out of memory: %zu bytes were refused\n", bytes);
    exit(1);
}

void *hd_alloc(size_t bytes) {
    if (bytes == 0) bytes = 1;
    return checked(calloc(1, bytes), bytes);
}

void *hd_realloc(void *old, size_t bytes) {
    if (bytes == 0) bytes = 1;
    return checked(realloc(old, bytes), bytes);
}

char *hd_strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(hd_alloc(bytes), text, bytes);
}

char *hd_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = hd_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}

FILE *hd_text_stream(char **text, size_t *bytes) {
    *text = NULL;
    *bytes = 0;
    return checked(open_memstream(text, bytes), 1);
}

void hd_text_stream_end(FILE *stream, char *const *text) {
    bool lost = ferror(stream);
    lost |= fclose(stream) != 0;
    checked(lost ? NULL : *text, 1);
}

void *hd_grow_more(void *array, int *capacity, int need, size_t element_bytes) {
    int wanted = *capacity ? *capacity : 16;
    while (wanted < need) wanted = wanted <= INT_MAX / 2 ? 2 * wanted : INT_MAX;
    *capacity = wanted;
    return hd_realloc(array, (size_t)wanted * element_bytes);
}
