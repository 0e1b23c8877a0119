/* Fixed, or bootstrapped pairs. */
#include "trace/given_lengths.h"

#include <gsl/gsl_rng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "trace/reader.h"

struct pair {
    int32_t input, output;
};

struct hd_given_lengths {
    struct pair *pair;
    int pairs, capacity;
    gsl_rng *rng;
    char *about;
};

static bool two_numbers(const char *text, struct pair *pair) {
    int used = 0;
    return sscanf(text, "%9d,%9d%n", &pair->input, &pair->output, &used) == 2 &&
           text[used] == '\0' && pair->input >= 0 && pair->output >= 0;
}

static bool read_pairs(struct hd_given_lengths *l, const char *path,
                       struct hd_err *err) {
    struct hd_reader_options options = {.any_order = true};
    struct hd_err why = {0};
    struct hd_reader *reader = hd_reader_open(path, &options, &why);
    struct hd_row row;
    int got = -1;
    while (reader && (got = hd_reader_next(reader, &row, &why)) > 0) {
        l->pair = hd_grow(l->pair, &l->capacity, l->pairs + 1, sizeof *l->pair);
        l->pair[l->pairs++] = (struct pair){row.input_tokens, row.output_tokens};
    }
    hd_reader_close(reader);
    if (got == 0) return true;
    return hd_fail(err, "--lengths: %s", why.text);
}

struct hd_given_lengths *hd_given_lengths_open(const char *asked, uint64_t seed,
                                               struct hd_err *err) {
    struct hd_given_lengths *l = hd_alloc(sizeof *l);
    struct pair both;
    l->rng = gsl_rng_alloc(gsl_rng_mt19937);
    gsl_rng_set(l->rng, seed);
    if (two_numbers(asked, &both)) {
        l->pair = hd_grow(l->pair, &l->capacity, 1, sizeof *l->pair);
        l->pair[l->pairs++] = both;
        l->about =
            hd_format("invented, %d in and %d out each", both.input, both.output);
        return l;
    }
    if (!read_pairs(l, asked, err)) {
        hd_given_lengths_close(l);
        return NULL;
    }
    const char *slash = strrchr(asked, '/');
    l->about = hd_format("pairs drawn from the %d of %s, seed %llu", l->pairs,
                         slash ? slash + 1 : asked, (unsigned long long)seed);
    return l;
}

void hd_given_lengths_next(struct hd_given_lengths *l, int32_t *input,
                           int32_t *output) {
    unsigned long at =
        l->pairs > 1 ? gsl_rng_uniform_int(l->rng, (unsigned long)l->pairs) : 0;
    *input = l->pair[at].input;
    *output = l->pair[at].output;
}

const char *hd_given_lengths_about(const struct hd_given_lengths *l) {
    return l->about;
}

void hd_given_lengths_close(struct hd_given_lengths *l) {
    if (!l) return;
    gsl_rng_free(l->rng);
    free(l->pair);
    free(l->about);
    free(l);
}
