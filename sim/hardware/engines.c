/* Reading the catalogue of engine profiles. */
#include "hardware/engines.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/units.h"
#include "hardware/columns.h"
#include "hardware/names.h"

struct hd_engines {
    int count, capacity;
    struct hd_engine_profile *profile;
};

#define AT(field) offsetof(struct hd_engine_profile, field)

static const struct hd_column columns[] = {
    {"engine", HD_COLUMN_TEXT, AT(name), 0, NULL},
    {"aliases", HD_COLUMN_TEXT, AT(aliases), 0, NULL},
    {"async", HD_COLUMN_FLAG, AT(async), 0, NULL},
    {"tables", HD_COLUMN_FLAG, AT(tables), 0, NULL},
    {"graph", HD_COLUMN_FLAG, AT(graph), 0, NULL},
    {"step_us", HD_COLUMN_RATE, AT(step_s), 1e-6, NULL},
    {"sequence_us", HD_COLUMN_RATE, AT(sequence_s), 1e-6, NULL},
    {"layer_us", HD_COLUMN_RATE, AT(layer_s), 1e-6, NULL},
    {"front_ms", HD_COLUMN_RATE, AT(front_s), 1e-3, NULL},
    {"front_sequence_ms", HD_COLUMN_RATE, AT(front_sequence_s), 1e-3, NULL},
    {"max_batch", HD_COLUMN_WHOLE, AT(max_batch), 1, NULL},
    {"step_tokens", HD_COLUMN_WHOLE, AT(step_tokens), 1, NULL},
    {"chunked", HD_COLUMN_FLAG, AT(chunked), 0, NULL},
    {"prefix_cache", HD_COLUMN_FLAG, AT(prefix_cache), 0, NULL},
    {"gpu_memory", HD_COLUMN_RATE, AT(gpu_memory), 1, NULL},
    {"watermark", HD_COLUMN_RATE, AT(watermark), 1, NULL},
    {"measured", HD_COLUMN_TEXT, AT(measured), 0, NULL},
    {"published", HD_COLUMN_TEXT, AT(published), 0, NULL},
    {"assumed", HD_COLUMN_TEXT, AT(assumed), 0, NULL},
    {"source", HD_COLUMN_TEXT, AT(source), 0, NULL},
};
enum {
    COLUMNS = sizeof columns / sizeof *columns,
    FIRST_CONSTANT = 2,
    CONSTANTS = COLUMNS - FIRST_CONSTANT - 4
};

const char *const *hd_engine_constants(int *count) {
    static const char *const names[CONSTANTS] = {
        "async",       "tables",      "graph",    "step_us",
        "sequence_us", "layer_us",    "front_ms", "front_sequence_ms",
        "max_batch",   "step_tokens", "chunked",  "prefix_cache",
        "gpu_memory",  "watermark"};
    *count = CONSTANTS;
    return names;
}

const char *hd_engine_provenance(const struct hd_engine_profile *p,
                                 const char *column) {
    if (hd_has_word(p->measured, column)) return "measured";
    return hd_has_word(p->published, column) ? "published" : "assumed";
}

static bool provenance_is_sound(const struct hd_engine_profile *p, struct hd_err *why) {
    const char *const list[] = {p->measured, p->published, p->assumed};
    int count, said = 0;
    const char *const *constant = hd_engine_constants(&count);
    for (int n = 0; n < count; n++) {
        int times = 0;
        for (int l = 0; l < 3; l++) times += hd_has_word(list[l], constant[n]);
        said += times;
        if (times != 1)
            return hd_fail(why,
                           "%s of %s stands %d times in measured, published and "
                           "assumed; expected once",
                           constant[n], p->name, times);
    }
    int words = 0;
    for (int l = 0; l < 3; l++) words += hd_count_words(list[l]);
    return words == said ||
           hd_fail(why,
                   "measured, published or assumed of %s names what is no constant",
                   p->name);
}

static bool is_sound(const struct hd_engine_profile *p, struct hd_err *why) {
    if (!*p->name) return hd_fail(why, "an engine without a name");
    if (!p->tables && (p->step_s > 0 || p->sequence_s > 0 || p->layer_s > 0))
        return hd_fail(
            why,
            "%s: host times of a step are in the fitted iterations; expected "
            "0 where `tables` is no",
            p->name);
    if (p->graph && p->layer_s > 0)
        return hd_fail(why, "%s: a graph has no launches; expected layer_us of 0",
                       p->name);
    if (p->chunked && p->step_tokens < p->max_batch)
        return hd_fail(why,
                       "%s: step_tokens below max_batch: a step must hold all decodes",
                       p->name);
    if (p->gpu_memory <= 0 || p->gpu_memory > 1 || p->watermark >= 0.5)
        return hd_fail(why,
                       "%s: expected gpu_memory above 0 and at most 1, watermark below "
                       "0.5",
                       p->name);
    return provenance_is_sound(p, why);
}

static bool names_are_sound(const struct hd_engines *e, const char *path,
                            struct hd_err *err) {
    struct hd_names all = {0};
    for (int n = 0; n < e->count; n++)
        hd_names_add(&all, e->profile[n].name, e->profile[n].aliases);
    bool fine = hd_names_differ(&all, path, err);
    hd_names_free(&all);
    return fine;
}

static bool read_rows(struct hd_engines *e, struct hd_csv *csv, const char *path,
                      struct hd_err *err) {
    struct hd_csv_row row;
    struct hd_err why = {0};
    int at[COLUMNS], got;
    bool fine = true, header = true;
    while (fine && (got = hd_csv_next(csv, &row, err)) > 0) {
        if (header) {
            fine = hd_columns_find(&row, columns, COLUMNS, at, &why);
            header = false;
            continue;
        }
        e->profile =
            hd_grow(e->profile, &e->capacity, e->count + 1, sizeof *e->profile);
        struct hd_engine_profile *p = &e->profile[e->count++];
        *p = (struct hd_engine_profile){0};
        fine =
            hd_columns_read(&row, columns, COLUMNS, at, p, &why) && is_sound(p, &why);
    }
    if (!fine) return hd_fail(err, "%s:%ld: %s", path, row.line, why.text);
    if (got < 0) return false; /* err has it */
    return e->count > 0 || hd_fail(err, "%s: no rows; expected at least one", path);
}

struct hd_engines *hd_engines_read(const char *path, struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(path, err);
    if (!csv) return NULL;
    struct hd_engines *e = hd_alloc(sizeof *e);
    char digest[HD_SHA256_TEXT_BYTES];
    bool fine =
        read_rows(e, csv, path, err) && names_are_sound(e, path, err) &&
        (hd_sha256_file(path, digest) || hd_fail(err, "%s: cannot be read", path));
    hd_csv_close(csv);
    if (fine) {
        for (int n = 0; n < e->count; n++) {
            char *to = e->profile[n].revision;
            memcpy(to, digest, sizeof e->profile[n].revision - 1);
        }
        return e;
    }
    hd_engines_free(e);
    return NULL;
}

struct hd_engines *hd_engines_load(struct hd_err *err) {
    char *path = hd_home_path("sim/catalog/engines.csv");
    struct hd_engines *e = hd_engines_read(path, err);
    free(path);
    return e;
}

void hd_engines_free(struct hd_engines *e) {
    if (!e) return;
    for (int n = 0; n < e->count; n++)
        hd_columns_free(&e->profile[n], columns, COLUMNS);
    free(e->profile);
    free(e);
}

const struct hd_engine_profile *hd_engines_find(const struct hd_engines *e,
                                                const char *name, struct hd_err *err) {
    struct hd_names all = {0};
    for (int n = 0; n < e->count; n++)
        if (hd_is_called(e->profile[n].name, e->profile[n].aliases, name))
            return &e->profile[n];
    for (int n = 0; n < e->count; n++)
        hd_names_add(&all, e->profile[n].name, e->profile[n].aliases);
    hd_names_unknown(&all, "engine", name, "engines", err);
    hd_names_free(&all);
    return NULL;
}

const struct hd_engine_profile *hd_engines_all(const struct hd_engines *e, int *count) {
    *count = e->count;
    return e->profile;
}
