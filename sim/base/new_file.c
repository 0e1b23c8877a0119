/* A temporary name, and a rename at the end. */
#include "base/new_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

bool hd_new_file_begin(struct hd_new_file *f, const char *path, bool replace,
                       struct hd_err *err) {
    *f = (struct hd_new_file){0};
    if (!replace && access(path, F_OK) == 0)
        return hd_fail(err, "%s: is there already; --force replaces it", path);
    *f = (struct hd_new_file){.path = hd_strdup(path),
                              .temporary =
                                  hd_format("%s.%ld.partial", path, (long)getpid())};
    f->stream = fopen(f->temporary, "wx");
    if (f->stream) return true;
    hd_fail(err, "%s: %s; expected a place to write to", path, strerror(errno));
    free(f->path);
    free(f->temporary);
    *f = (struct hd_new_file){0};
    return false;
}

bool hd_new_file_keep(struct hd_new_file *f, struct hd_err *err) {
    bool lost = ferror(f->stream);
    bool whole = fclose(f->stream) == 0 && !lost;
    f->stream = NULL;
    whole = whole && rename(f->temporary, f->path) == 0;
    if (!whole)
        hd_fail(err, "%s: cannot be written: %s", f->path,
                lost ? "is the disk full?" : strerror(errno));
    hd_new_file_drop(f);
    return whole;
}

void hd_new_file_drop(struct hd_new_file *f) {
    if (f->stream) fclose(f->stream);
    if (f->temporary) unlink(f->temporary); /* gone already if it was kept */
    free(f->path);
    free(f->temporary);
    *f = (struct hd_new_file){0};
}
