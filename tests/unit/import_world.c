/* Writing profiles, importing them, looking at the rows. */
#include "unit/import_world.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

int import_world_open(void **state) {
    struct import_world *w = hd_alloc(sizeof *w);
    memcpy(w->folder, "/tmp/hd_import_XXXXXX", 22);
    w->catalog = hd_catalog_load(&w->err);
    *state = w;
    return w->catalog && mkdtemp(w->folder) ? 0 : -1;
}

int import_world_close(void **state) {
    struct import_world *w = *state;
    char *command = hd_format("rm -r %s", w->folder);
    int left = system(command);
    free(command);
    free(w->path);
    hd_kernels_free(&w->set);
    hd_catalog_free(w->catalog);
    free(w);
    return left;
}

void import_put(struct import_world *w, const char *name, const char *text) {
    free(w->path);
    w->path = hd_format("%s/%s", w->folder, name);
    for (char *c = w->path + strlen(w->folder) + 1; *c; c++)
        if (*c == '/') {
            *c = '\0';
            mkdir(w->path, 0777);
            *c = '/';
        }
    FILE *file = fopen(w->path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

bool import_as(struct import_world *w, int source, const struct hd_gpu_spec *gpu) {
    const char *path = w->path;
    hd_kernels_free(&w->set);
    w->err = (struct hd_err){0};
    return hd_import(&w->set, w->catalog, source, &path, 1, gpu, &w->report, &w->err);
}

void import_takes(struct import_world *w, int source, int rows) {
    if (!import_as(w, source, NULL)) print_error("%s\n", w->err.text);
    assert_int_equal(w->err.text[0], 0);
    assert_int_equal(w->set.rows, rows);
}

void import_refuses(struct import_world *w, int source, const char *why) {
    bool fine = import_as(w, source, NULL);
    if (fine || !strstr(w->err.text, why))
        print_error("want '%s', got '%s'\n", why, w->err.text);
    assert_false(fine);
    assert_non_null(strstr(w->err.text, why));
    assert_int_equal(strncmp(w->err.text, w->path, strlen(w->path)), 0);
}

int64_t import_noted(const struct import_world *w, const char *what) {
    for (int n = 0; n < w->report.notes; n++)
        if (strstr(w->report.note[n].what, what)) return w->report.note[n].count;
    return 0;
}

void row_has(const struct hd_kernel_row *row, enum hd_kernel_op op, int64_t m,
             int64_t n, int64_t k) {
    assert_int_equal(row->op, op);
    assert_int_equal(row->shape[HD_DIM_M], m);
    assert_int_equal(row->shape[HD_DIM_N], n);
    assert_int_equal(row->shape[HD_DIM_K], k);
}

void row_has_heads(const struct hd_kernel_row *row, int64_t heads, int64_t kv_heads) {
    assert_int_equal(row->shape[HD_DIM_HEADS], heads);
    assert_int_equal(row->shape[HD_DIM_KV_HEADS], kv_heads);
    assert_int_equal(row->shape[HD_DIM_HEAD_DIM], 128);
}
