/* Reading a whole file. */
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

char *hd_read_text(const char *path, size_t most, size_t *length, struct hd_err *err) {
    struct stat about;
    FILE *file = fopen(path, "rb");
    if (!file || fstat(fileno(file), &about) != 0) {
        hd_fail(err, "%s: %s", path, strerror(errno));
        if (file) fclose(file);
        return NULL;
    }
    if (S_ISDIR(about.st_mode)) {
        hd_fail(err, "%s: is a directory; expected a file", path);
        fclose(file);
        return NULL;
    }
    size_t size = 0, room = 1 << 14;
    char *text = hd_realloc(NULL, room + 1);
    for (size_t got; (got = fread(text + size, 1, room - size, file)) > 0;) {
        size += got;
        if (size > most) break;
        if (size == room) text = hd_realloc(text, (room *= 2) + 1);
    }
    bool failed = ferror(file);
    fclose(file);
    if (failed || size > most) {
        hd_fail(err, failed ? "%s: cannot be read" : "%s: is too large", path);
        free(text);
        return NULL;
    }
    text[size] = '\0';
    *length = size;
    return text;
}
