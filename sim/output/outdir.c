/* An output directory that appears whole or not at all. */
#include "output/outdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

enum { MARKER_BYTES_MAX = 1 << 26 }; /* far more than any that was written */

struct hd_outdir {
    char *path;   /* the final name, without trailing slashes */
    char *folder; /* the temporary one */
    char *made;   /* the highest folder above path that had to be made, or NULL */
    bool there;   /* something is at path and will be replaced */
};

static int remove_one(const char *path, const struct stat *is, int kind,
                      struct FTW *where) {
    (void)is, (void)kind, (void)where;
    remove(path); /* what cannot be removed keeps its parents, and no more */
    return 0;
}

static void remove_tree(const char *path) {
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool is_empty(const char *path) {
    DIR *dir = opendir(path);
    if (!dir) return false;
    bool empty = true;
    for (struct dirent *entry; empty && (entry = readdir(dir));)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

/* May what is at path be replaced? */
static bool may_replace(const char *path, bool force, const char *marker,
                        const char *const *mark, int marks, int *again,
                        struct hd_err *err) {
    struct stat is;
    if (stat(path, &is) != 0) return hd_fail(err, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(is.st_mode))
        return hd_fail(err, "%s: is a file; expected a directory or a new name", path);
    if (is_empty(path)) return true;
    char *name = hd_format("%s/%s", path, marker);
    size_t bytes;
    char *found = hd_read_text(name, MARKER_BYTES_MAX, &bytes, NULL);
    free(name);
    if (!found)
        return hd_fail(err,
                       "%s: is there and holds no hotdesk result (%s); expected a new "
                       "name or an empty directory",
                       path, marker);
    for (int i = 0; i < marks && *again < 0; i++)
        if (strcmp(found, mark[i]) == 0) *again = i;
    free(found);
    if (*again >= 0 || force) return true;
    return hd_fail(
        err,
        "%s: holds a result of other inputs; another --out keeps it, --force "
        "replaces it",
        path);
}

/* Makes every folder above `path` that is missing; *made (may be NULL) gets the first
 * of them. */
static bool make_parents(const char *path, char **made, struct hd_err *err) {
    char *copy = hd_strdup(path);
    bool ok = true;
    for (char *slash = copy + 1; ok && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        bool new = mkdir(copy, 0777) == 0;
        ok = new || errno == EEXIST;
        if (!ok) hd_fail(err, "%s: %s", copy, strerror(errno));
        if (new &&made && !*made) *made = hd_strdup(copy);
        *slash = '/';
    }
    free(copy);
    return ok;
}

/* Takes away the folders above path that were made for it, as far as they are empty. */
static void remove_made_parents(const struct hd_outdir *out) {
    if (!out->made) return;
    char *copy = hd_strdup(out->path), *slash;
    size_t least = strlen(out->made);
    while ((slash = strrchr(copy, '/')) && (size_t)(slash - copy) >= least) {
        *slash = '\0';
        if (rmdir(copy) != 0) break;
    }
    free(copy);
}

/* PATH/../.NAME.XXXXXX: beside its final place, so that a rename suffices. */
static char *temporary_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? hd_format("%.*s.%s.partial-XXXXXX", (int)(slash + 1 - path), path,
                             slash + 1)
                 : hd_format(".%s.partial-XXXXXX", path);
}

struct hd_outdir *hd_outdir_begin(const char *path, bool force, const char *marker,
                                  const char *const *mark, int marks, int *again,
                                  struct hd_err *err) {
    int ignored;
    if (!again) again = &ignored;
    *again = -1;
    struct hd_outdir *out = hd_alloc(sizeof *out);
    out->path = hd_strdup(path);
    for (size_t n = strlen(path); n > 1 && out->path[n - 1] == '/'; n--)
        out->path[n - 1] = '\0';
    char *real = realpath(path, NULL); /* a link stays, what it leads to changes */
    if (real) {
        free(out->path);
        out->path = real;
    }
    struct stat is;
    out->there = lstat(out->path, &is) == 0;
    bool ok = *path || hd_fail(err, "an output directory needs a name");
    ok = ok && (!out->there ||
                may_replace(out->path, force, marker, mark, marks, again, err));
    ok = ok && make_parents(out->path, &out->made, err);
    if (ok) {
        out->folder = temporary_name(out->path);
        if (!mkdtemp(out->folder)) {
            ok = hd_fail(err, "%s: cannot be written: %s", path, strerror(errno));
            free(out->folder);
            out->folder = NULL;
        } else {
            mode_t mask = umask(0); /* mkdtemp's 0700 is for secrets */
            umask(mask);
            chmod(out->folder, 0777 & ~mask);
        }
    }
    if (ok) return out;
    hd_outdir_abort(out);
    return NULL;
}

FILE *hd_outdir_open(struct hd_outdir *out, const char *name, struct hd_err *err) {
    char *path = hd_format("%s/%s", out->folder, name);
    FILE *file = NULL;
    if (make_parents(path, NULL, err)) {
        file = fopen(path, "wb");
        if (!file) hd_fail(err, "%s/%s: %s", out->path, name, strerror(errno));
    }
    free(path);
    return file;
}

bool hd_outdir_close(struct hd_outdir *out, FILE *file, const char *name,
                     struct hd_err *err) {
    bool lost = ferror(file);
    if (fclose(file) != 0)
        return hd_fail(err, "%s/%s: cannot be written: %s", out->path, name,
                       strerror(errno));
    return !lost ||
           hd_fail(err, "%s/%s: cannot be written: is the disk full?", out->path, name);
}

bool hd_outdir_put(struct hd_outdir *out, const char *name, const char *text,
                   struct hd_err *err) {
    FILE *file = hd_outdir_open(out, name, err);
    if (!file) return false;
    fputs(text, file);
    return hd_outdir_close(out, file, name, err);
}

const char *hd_outdir_folder(const struct hd_outdir *out) {
    return out->folder;
}

static void free_handle(struct hd_outdir *out) {
    free(out->path);
    free(out->folder);
    free(out->made);
    free(out);
}

bool hd_outdir_commit(struct hd_outdir *out, struct hd_err *err) {
    /* A directory with files in it cannot be renamed over: the two change names,
     * and the old one goes. */
    bool ok = out->there && !is_empty(out->path)
                  ? renameat2(AT_FDCWD, out->folder, AT_FDCWD, out->path,
                              RENAME_EXCHANGE) == 0
                  : rename(out->folder, out->path) == 0;
    if (!ok) hd_fail(err, "%s: cannot be replaced: %s", out->path, strerror(errno));
    remove_tree(out->folder); /* the old result, or the new one that has no name */
    if (!ok) remove_made_parents(out);
    free_handle(out);
    return ok;
}

void hd_outdir_abort(struct hd_outdir *out) {
    if (!out) return;
    if (out->folder) remove_tree(out->folder);
    remove_made_parents(out);
    free_handle(out);
}
