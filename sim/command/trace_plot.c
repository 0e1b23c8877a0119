/* The page is made in a folder of its own beside its place, and moved there whole. */
#include "command/trace_plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/home.h"
#include "base/mem.h"
#include "output/figure.h"

struct page {
    char *folder;           /* made for it */
    char *picture, *script; /* names in it */
    char *to_picture, *to_script;
};

static void name(struct page *p, const char *path) {
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    int stem = (int)strlen(base) - 4, whole = (int)strlen(path) - 4;
    p->picture = hd_strdup(base);
    p->script = hd_format("%.*s.gp", stem, base);
    p->to_picture = hd_strdup(path);
    p->to_script = hd_format("%.*s.gp", whole, path);
    p->folder = hd_format("%.*s.XXXXXX", whole, path);
}

static bool write_script(const struct page *p, const struct hd_trace_about *a,
                         struct hd_err *err) {
    char *path = hd_format("%s/%s", p->folder, p->script);
    FILE *f = fopen(path, "wx");
    if (f) hd_trace_plot_script(a, p->picture, f);
    bool lost = !f || ferror(f);
    if (f && fclose(f) != 0) lost = true;
    if (lost) hd_fail(err, "%s: cannot be written: %s", path, strerror(errno));
    free(path);
    return !lost;
}

static bool move(const struct page *p, const char *name, const char *to,
                 struct hd_err *err) {
    char *from = hd_format("%s/%s", p->folder, name);
    bool fine = rename(from, to) == 0 || hd_fail(err, "%s: %s", to, strerror(errno));
    free(from);
    return fine;
}

static void clear(const struct page *p) {
    const char *const left[] = {p->picture, p->script};
    for (int i = 0; i < 2; i++) {
        char *path = hd_format("%s/%s", p->folder, left[i]);
        unlink(path);
        free(path);
    }
    rmdir(p->folder);
}

bool hd_trace_plot(const struct hd_trace_about *a, const char *path, bool replace,
                   struct hd_err *err) {
    struct page p;
    name(&p, path);
    bool fine = true;
    const char *const to[] = {p.to_picture, p.to_script};
    for (int i = 0; i < 2 && fine; i++)
        if (!replace && hd_file_exists(to[i]))
            fine = hd_fail(err, "%s: is there already; --force replaces it", to[i]);
    if (fine && !mkdtemp(p.folder))
        fine =
            hd_fail(err, "%s: %s; expected a place to write to", path, strerror(errno));
    else if (fine) {
        const char *const picture[] = {p.picture};
        fine = write_script(&p, a, err) &&
               hd_figure_draw(p.folder, p.script, picture, 1, err) &&
               move(&p, p.script, p.to_script, err) &&
               move(&p, p.picture, p.to_picture, err);
        clear(&p);
    }
    free(p.folder);
    free(p.picture);
    free(p.script);
    free(p.to_picture);
    free(p.to_script);
    return fine;
}
