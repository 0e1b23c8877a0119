/* Engine profiles: what surrounds the kernels of a serving engine, named and shipped.
 *
 * sim/catalog/engines.csv has one row for each; every constant in it says whether it
 * was measured, published or assumed. */
#ifndef HD_HARDWARE_ENGINES_H
#define HD_HARDWARE_ENGINES_H

#include <stdbool.h>

#include "base/err.h"

#define HD_ENGINE_DEFAULT "eager-2024"

struct hd_engine_profile {
    const char *name, *aliases; /* aliases: separated by blanks, "" for none */
    /* Asynchronous scheduling: the next step is decided and prepared while one runs, so
     * that host time hides behind the kernels and who comes waits one step longer. */
    bool async;
    bool tables; /* kernels from tables; else the GPU's fitted iterations as a whole,
                    whose host times they hold already: step, sequence, layer are 0 */
    bool graph;  /* kernels are launched as one graph, all-reduces too */
    double step_s, sequence_s; /* host time of a step, and of each of its sequences */
    double layer_s;            /* launches of one layer: a floor beside its kernels */
    /* Outside the engine (HTTP, tokenising, streaming), for a request and for each one
     * beside it: in TTFT and E2E, not between tokens. */
    double front_s, front_sequence_s;
    int max_batch;   /* sequences that run together */
    int step_tokens; /* new tokens of one step */
    bool
        chunked; /* prompts share step_tokens with decodes; else they go first, whole */
    bool prefix_cache; /* KV of prompts stays, for others that begin alike */
    double gpu_memory; /* share of a GPU's memory for weights, KV and workspace */
    double watermark;  /* share of the KV pool that admission leaves free */
    const char *measured, *published, *assumed; /* the columns that were */
    const char *source;
    char revision[13]; /* of the file: start of its SHA-256 */
};

struct hd_engines;

/* Reads the file. NULL with one line in err if it is missing or wrong: a value out of
 * range, a constant whose provenance is not given exactly once, a name twice. */
struct hd_engines *hd_engines_load(struct hd_err *err);
struct hd_engines *hd_engines_read(const char *path, struct hd_err *err);
void hd_engines_free(struct hd_engines *);

/* By name or alias, ignoring case. NULL when unknown; err then names the nearest. */
const struct hd_engine_profile *hd_engines_find(const struct hd_engines *,
                                                const char *name, struct hd_err *err);
/* All of them, in the order of the file. */
const struct hd_engine_profile *hd_engines_all(const struct hd_engines *, int *count);

/* "measured", "published" or "assumed": where a constant, by its column, is from. */
const char *hd_engine_provenance(const struct hd_engine_profile *, const char *column);

/* The columns that hold constants, in the order of the file. */
const char *const *hd_engine_constants(int *count);

#endif
