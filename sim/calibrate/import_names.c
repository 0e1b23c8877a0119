/* GPUs and models by the names that profiles, folders and drivers give them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "calibrate/import_parts.h"
#include "hardware/device_name.h"

const struct hd_gpu_spec *hd_gpu_of_device(const struct hd_catalog *catalog,
                                           const char *device) {
    struct hd_err ignored = {0};
    const char *name = hd_device_gpu(device);
    return name ? hd_catalog_gpu(catalog, name, &ignored) : NULL;
}

/* ---- by path ------------------------------------------------------------- */

static bool between_words(char c) {
    return c == '-' || c == '_' || c == ' ';
}

/* Whether two names are the same without case and separators. */
static bool same_loosely(const char *a, size_t bytes_a, const char *b, size_t bytes_b) {
    size_t i = 0, j = 0;
    for (;;) {
        while (i < bytes_a && between_words(a[i])) i++;
        while (j < bytes_b && between_words(b[j])) j++;
        if (i == bytes_a || j == bytes_b) return i == bytes_a && j == bytes_b;
        if (tolower((unsigned char)a[i++]) != tolower((unsigned char)b[j++]))
            return false;
    }
}

static bool has_name(const struct hd_gpu_spec *gpu, const char *name, size_t bytes) {
    if (same_loosely(gpu->name, strlen(gpu->name), name, bytes)) return true;
    for (const char *alias = gpu->aliases; *alias;) {
        size_t length = strcspn(alias, " ");
        if (same_loosely(alias, length, name, bytes)) return true;
        alias += length + (alias[length] == ' ');
    }
    return false;
}

/* In one part of a path: the longest run of its words, the first of several. */
static const struct hd_gpu_spec *gpu_of_part(const struct hd_catalog *catalog,
                                             const char *part, size_t bytes) {
    int gpus;
    const struct hd_gpu_spec *gpu = hd_catalog_gpus(catalog, &gpus), *best = NULL;
    size_t longest = 0;
    for (size_t from = 0; from < bytes; from++) {
        if (from > 0 && !between_words(part[from - 1])) continue;
        for (size_t to = bytes; to > from + longest; to--) {
            if (to < bytes && !between_words(part[to]) && part[to] != '.') continue;
            for (int n = 0; n < gpus; n++)
                if (to - from > longest && has_name(&gpu[n], part + from, to - from)) {
                    best = &gpu[n];
                    longest = to - from;
                }
        }
    }
    return best;
}

const struct hd_gpu_spec *hd_gpu_of_path(const struct hd_catalog *catalog,
                                         const char *path) {
    size_t end = strlen(path);
    while (end > 0) {
        size_t from = end;
        while (from > 0 && path[from - 1] != '/') from--;
        const struct hd_gpu_spec *gpu = gpu_of_part(catalog, path + from, end - from);
        if (gpu) return gpu;
        end = from > 0 ? from - 1 : 0;
    }
    return NULL;
}

const struct hd_gpu_spec *hd_profile_gpu(struct hd_profile *p, const char *device) {
    const struct hd_gpu_spec *named = hd_gpu_of_path(p->catalog, p->place);
    const struct hd_gpu_spec *gpu = p->gpu ? p->gpu : named;
    if (device) {
        const struct hd_gpu_spec *told = hd_gpu_of_device(p->catalog, device);
        if (!told && !p->gpu) {
            hd_fail(&p->why,
                    "device '%.80s' is none of the catalogue; --gpu says which "
                    "it is",
                    device);
            return NULL;
        }
        if (told && gpu && told != gpu) {
            hd_fail(&p->why, "measured on %.80s, but %s says %s", device,
                    p->gpu ? "--gpu" : "the file's name or folder", gpu->name);
            return NULL;
        }
        if (told) gpu = told;
    }
    if (!gpu)
        hd_fail(&p->why, "neither the file's name nor its folders name a GPU of the "
                         "catalogue; --gpu does");
    return gpu;
}

char *hd_profile_folder(const struct hd_profile *p, int nth) {
    size_t end = strlen(p->place), from = end;
    for (int n = 0; n <= nth; n++) {
        if (n > 0) end = from > 0 ? from - 1 : 0;
        from = end;
        while (from > 0 && p->place[from - 1] != '/') from--;
    }
    return hd_format("%.*s", (int)(end - from), p->place + from);
}

/* ---- models -------------------------------------------------------------- */

/* Whether one of the model's names has that part behind its '/'. */
static bool has_tail(const struct hd_model_spec *model, const char *name) {
    const char *text[] = {model->name, model->aliases};
    for (int n = 0; n < 2; n++)
        for (const char *at = text[n]; *at;) {
            size_t length = strcspn(at, " ");
            const char *slash = memchr(at, '/', length);
            const char *tail = slash ? slash + 1 : at;
            size_t bytes = length - (size_t)(tail - at);
            if (strlen(name) == bytes && strncasecmp(tail, name, bytes) == 0)
                return true;
            at += length + (at[length] == ' ');
        }
    return false;
}

const struct hd_model_spec *hd_model_of_folder(const struct hd_catalog *catalog,
                                               const char *above, const char *name) {
    struct hd_err ignored = {0};
    char *full = hd_format("%s/%s", above, name);
    const struct hd_model_spec *found = hd_catalog_model(catalog, full, &ignored);
    free(full);
    int models;
    const struct hd_model_spec *model = hd_catalog_models(catalog, &models);
    for (int n = 0; !found && n < models; n++)
        if (has_tail(&model[n], name)) found = &model[n];
    return found;
}
