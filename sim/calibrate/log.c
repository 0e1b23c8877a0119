/* Reading a run's log, on Jansson. */
#include "calibrate/log.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/mem.h"

/* ---- requests.jsonl ------------------------------------------------------ */

struct line {          /* of the file, with the stamps as they stand there */
    char *id, *prompt; /* prompt: NULL where it is not there */
    long number;
    double arrival, queued, first, last;
    int input, output;
    bool finished;
};

struct lines {
    struct line *line;
    int count, capacity;
};

static bool number_of(const json_t *object, const char *field, double *to,
                      struct hd_err *why) {
    const json_t *value = json_object_get(object, field);
    if (!value) return hd_fail(why, "no field '%s'", field);
    if (!json_is_number(value)) return hd_fail(why, "%s is not a number", field);
    *to = json_number_value(value);
    return isfinite(*to) || hd_fail(why, "%s is not finite", field);
}

static bool tokens_of(const json_t *object, const char *field, int *to,
                      struct hd_err *why) {
    const json_t *value = json_object_get(object, field);
    if (!value) return hd_fail(why, "no field '%s'", field);
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    *to = (int)number;
    return (number >= 1 && number <= 1 << 28) ||
           hd_fail(why,
                   "%s is not a number of tokens; expected a whole number of at "
                   "least 1",
                   field);
}

/* Text or a whole number; it may be absent. */
static bool take_prompt(const json_t *value, struct line *l, struct hd_err *why) {
    if (!value || json_is_null(value)) return true;
    if (json_is_string(value))
        l->prompt = hd_strdup(json_string_value(value));
    else if (json_is_integer(value))
        l->prompt = hd_format("%lld", (long long)json_integer_value(value));
    return l->prompt || hd_fail(why, "prompt_id is neither text nor a whole number");
}

static bool take_line(const json_t *object, struct line *l, struct hd_err *why) {
    if (!json_is_object(object)) return hd_fail(why, "expected one JSON object a line");
    const json_t *id = json_object_get(object, "request_id");
    if (!json_is_string(id)) return hd_fail(why, "no text in field 'request_id'");
    l->id = hd_strdup(json_string_value(id));
    if (!take_prompt(json_object_get(object, "prompt_id"), l, why)) return false;
    if (!tokens_of(object, "input_toks", &l->input, why) ||
        !tokens_of(object, "output_toks", &l->output, why) ||
        !number_of(object, "arrival_time", &l->arrival, why))
        return false;
    if (json_is_null(json_object_get(object, "first_token_ts")) ||
        json_is_null(json_object_get(object, "last_token_ts")))
        return true; /* the engine gave it up */
    l->finished = true;
    if (!number_of(object, "queued_ts", &l->queued, why) ||
        !number_of(object, "first_token_ts", &l->first, why) ||
        !number_of(object, "last_token_ts", &l->last, why))
        return false;
    if (l->first <= l->queued)
        return hd_fail(why, "first_token_ts is not after queued_ts");
    return l->last >= l->first ||
           hd_fail(why, "last_token_ts is before first_token_ts");
}

static bool read_lines(const char *path, struct lines *all, struct hd_err *err) {
    FILE *f = fopen(path, "r");
    if (!f) return hd_fail(err, "%s: %s", path, strerror(errno));
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    bool fine = true;
    for (long n = 1; fine && (length = getline(&text, &room, f)) >= 0; n++) {
        if (strspn(text, " \t\r\n") == (size_t)length) continue;
        json_error_t bad;
        json_t *object = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &bad);
        if (!object) {
            fine = hd_fail(err, "%s:%ld: not JSON: %s", path, n, bad.text);
            continue;
        }
        all->line =
            hd_grow(all->line, &all->capacity, all->count + 1, sizeof *all->line);
        struct line *l = &all->line[all->count++];
        *l = (struct line){.number = n};
        struct hd_err why = {0};
        fine =
            take_line(object, l, &why) || hd_fail(err, "%s:%ld: %s", path, n, why.text);
        json_decref(object);
    }
    if (fine && ferror(f)) fine = hd_fail(err, "%s: %s", path, strerror(errno));
    free(text);
    fclose(f);
    return fine && (all->count > 0 || hd_fail(err, "%s: no requests", path));
}

static int by_id(const void *a, const void *b) {
    const struct line *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order ? order : (x->number > y->number) - (x->number < y->number);
}

static int by_arrival(const void *a, const void *b) {
    const struct line *x = a, *y = b;
    if (x->arrival != y->arrival) return x->arrival < y->arrival ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

/* Numbers prompts by their ids. */
static bool number_prompts(struct hd_log *log, const struct lines *all,
                           const char *path, struct hd_err *err) {
    struct hd_intern ids = {0};
    int *first = hd_alloc((size_t)all->count * sizeof *first), at = 0;
    bool fine = true;
    for (int n = 0; fine && n < all->count; n++) {
        const struct line *l = &all->line[n];
        int known = ids.names;
        int32_t prompt = l->prompt ? hd_intern(&ids, l->prompt, strlen(l->prompt)) : -1;
        if (prompt >= known) first[prompt] = n;
        const struct line *same = prompt < 0 ? l : &all->line[first[prompt]];
        if (same->input != l->input)
            fine =
                hd_fail(err, "%s:%ld: prompt_id %s has %d tokens, in line %ld %d", path,
                        l->number, l->prompt, l->input, same->number, same->input);
        if (l->finished) log->request[at++].prompt = prompt;
    }
    log->prompts = ids.names;
    free(first);
    hd_intern_free(&ids);
    return fine;
}

static bool take_requests(struct hd_log *log, struct lines *all, const char *path,
                          struct hd_err *err) {
    double zero = INFINITY, apart = INFINITY;
    qsort(all->line, (size_t)all->count, sizeof *all->line, by_id);
    for (int n = 1; n < all->count; n++)
        if (strcmp(all->line[n].id, all->line[n - 1].id) == 0)
            return hd_fail(err, "%s:%ld: request %s again; it is in line %ld", path,
                           all->line[n].number, all->line[n].id,
                           all->line[n - 1].number);
    qsort(all->line, (size_t)all->count, sizeof *all->line, by_arrival);
    for (int n = 0; n < all->count; n++) {
        const struct line *l = &all->line[n];
        if (!l->finished) continue;
        zero = fmin(zero, l->arrival);
        apart = fmin(apart, l->queued - l->arrival);
    }
    log->request = hd_alloc((size_t)all->count * sizeof *log->request);
    for (int n = 0; n < all->count; n++) {
        const struct line *l = &all->line[n];
        if (!l->finished) {
            log->unfinished++;
            continue;
        }
        log->request[log->requests++] = (struct hd_log_request){l->arrival - zero,
                                                                l->first - apart - zero,
                                                                l->last - apart - zero,
                                                                l->input,
                                                                l->output,
                                                                -1};
    }
    return number_prompts(log, all, path, err) &&
           (log->requests > 0 ||
            hd_fail(err, "%s: no request has its tokens' stamps", path));
}

/* ---- meta.json ----------------------------------------------------------- */

/* A whole number of the settings; 0 where it is not there or null. */
static bool setting_of(const json_t *kwargs, const char *field, int *to,
                       struct hd_err *why) {
    const json_t *value = json_object_get(kwargs, field);
    *to = 0;
    if (!value || json_is_null(value)) return true;
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;
    *to = (int)number;
    return (number >= 1 && number <= INT_MAX) ||
           hd_fail(why, "%s: expected a whole number of at least 1", field);
}

/* How numbers are kept: 16-bit where the field is not there, null or a word of those;
 * fp8 where there may be such. */
static bool number_of_kwargs(const json_t *kwargs, const char *field,
                             enum hd_number *to, struct hd_err *why) {
    static const char *const plain[] = {"auto", "none", "bfloat16", "float16", "half"};
    const json_t *value = json_object_get(kwargs, field);
    const char *word = json_is_string(value) ? json_string_value(value) : "";
    bool known = !value || json_is_null(value);
    for (size_t n = 0; n < sizeof plain / sizeof *plain; n++)
        known |= strcmp(word, plain[n]) == 0;
    bool fp8 = to && strncmp(word, "fp8", 3) == 0; /* fp8_e4m3, ... */
    if (to) *to = fp8 ? HD_NUMBER_FP8 : HD_NUMBER_16BIT;
    return known || fp8 ||
           hd_fail(why, "%s '%.40s' is not simulated; expected 16 bits%s", field, word,
                   to ? " or fp8" : "");
}

static bool take_meta(struct hd_log *log, const json_t *meta, struct hd_err *why) {
    const json_t *kwargs = json_object_get(meta, "engine_kwargs");
    const json_t *model = json_object_get(meta, "model");
    const json_t *version = json_object_get(meta, "vllm_version");
    if (!json_is_object(kwargs)) return hd_fail(why, "no object 'engine_kwargs'");
    if (!json_is_string(model)) return hd_fail(why, "no text in field 'model'");
    log->model = hd_strdup(json_string_value(model));
    log->version = hd_strdup(json_is_string(version) ? json_string_value(version) : "");
    if (!setting_of(kwargs, "tensor_parallel_size", &log->tp, why) ||
        !setting_of(kwargs, "max_num_seqs", &log->max_batch, why) ||
        !setting_of(kwargs, "max_num_batched_tokens", &log->step_tokens, why) ||
        !setting_of(kwargs, "num_gpu_blocks_override", &log->kv_blocks, why) ||
        (log->kv_blocks == 0 &&
         !setting_of(meta, "num_gpu_blocks", &log->kv_blocks, why)))
        return false;
    if (!number_of_kwargs(kwargs, "dtype", NULL, why) ||
        !number_of_kwargs(kwargs, "quantization", &log->weights, why) ||
        !number_of_kwargs(kwargs, "kv_cache_dtype", &log->kv, why))
        return false;
    int replicas;
    if (!setting_of(kwargs, "data_parallel_size", &replicas, why)) return false;
    if (replicas > 1)
        return hd_fail(why, "data_parallel_size of %d; expected 1: a log of one engine",
                       replicas);
    if (log->tp == 0) log->tp = 1;
    return true;
}

static bool read_meta(struct hd_log *log, const char *path, struct hd_err *err) {
    FILE *f = fopen(path, "r");
    if (!f) return hd_fail(err, "%s: %s", path, strerror(errno));
    json_error_t bad;
    struct hd_err why = {0};
    json_t *meta = json_loadf(f, JSON_REJECT_DUPLICATES, &bad);
    fclose(f);
    if (!meta) return hd_fail(err, "%s:%d: not JSON: %s", path, bad.line, bad.text);
    bool fine = take_meta(log, meta, &why) || hd_fail(err, "%s: %s", path, why.text);
    json_decref(meta);
    return fine;
}

/* ---- the whole ----------------------------------------------------------- */

struct hd_log *hd_log_read(const char *folder, struct hd_err *err) {
    struct hd_log *log = hd_alloc(sizeof *log);
    struct lines all = {0};
    char *requests = hd_format("%s/requests.jsonl", folder);
    char *meta = hd_format("%s/meta.json", folder);
    bool fine = read_meta(log, meta, err) && read_lines(requests, &all, err) &&
                take_requests(log, &all, requests, err);
    for (int n = 0; n < all.count; n++) {
        free(all.line[n].id);
        free(all.line[n].prompt);
    }
    free(all.line);
    free(requests);
    free(meta);
    if (fine) return log;
    hd_log_free(log);
    return NULL;
}

void hd_log_free(struct hd_log *log) {
    if (!log) return;
    free(log->model);
    free(log->version);
    free(log->request);
    free(log);
}

const struct hd_model_spec *hd_log_model(const struct hd_log *log,
                                         const struct hd_catalog *catalog,
                                         const char *name, struct hd_err *err) {
    bool said[2];
    const struct hd_model_spec *m =
        hd_catalog_model_said(catalog, name ? name : log->model, said, err);
    return m ? m->as[said[0] ? m->weights : log->weights][said[1] ? m->kv : log->kv]
             : NULL;
}
