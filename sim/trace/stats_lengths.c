/* Counting tokens. Numbers up to 2^20 are counted in a table, so that a trace of any
 * length needs no copy of itself; larger ones, which no known trace has, are sorted. */
#include "trace/stats_lengths.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum { TABLE = (1 << 20) + 1 };

static int32_t tokens_of(const struct hd_trace_row *row, enum hd_side side) {
    return side == HD_INPUT ? row->input_tokens : row->output_tokens;
}

static bool has_both(const struct hd_trace_row *row) {
    return row->input_tokens > 0 && row->output_tokens > 0;
}

static int by_tokens(const void *a, const void *b) {
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void add(struct hd_token_counts *c, int *capacity, int32_t tokens,
                int64_t requests) {
    int room = *capacity;
    c->tokens = hd_grow(c->tokens, &room, c->distinct + 1, sizeof *c->tokens);
    c->below = hd_grow(c->below, capacity, c->distinct + 1, sizeof *c->below);
    c->tokens[c->distinct] = tokens;
    c->below[c->distinct++] = c->rows;
    c->rows += requests;
    if (tokens == 0) c->zeros = requests;
}

void hd_token_counts(const struct hd_trace *t, enum hd_side side, bool both,
                     struct hd_token_counts *c) {
    int64_t *table = hd_alloc(TABLE * sizeof *table);
    int32_t *large = NULL;
    int larges = 0, large_capacity = 0, capacity = 0;
    *c = (struct hd_token_counts){0};
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        if (both && !has_both(&t->row[i])) continue;
        int32_t tokens = tokens_of(&t->row[i], side);
        if (tokens < TABLE) {
            table[tokens]++;
        } else {
            large = hd_grow(large, &large_capacity, larges + 1, sizeof *large);
            large[larges++] = tokens;
        }
    }
    for (int32_t tokens = 0; tokens < TABLE; tokens++)
        if (table[tokens]) add(c, &capacity, tokens, table[tokens]);
    if (larges) qsort(large, (size_t)larges, sizeof *large, by_tokens);
    for (int i = 0; i < larges;) {
        int begin = i;
        while (i < larges && large[i] == large[begin]) i++;
        add(c, &capacity, large[begin], i - begin);
    }
    c->below = hd_grow(c->below, &capacity, c->distinct + 1, sizeof *c->below);
    c->below[c->distinct] = c->rows;
    free(table);
    free(large);
}

void hd_token_counts_free(struct hd_token_counts *c) {
    free(c->tokens);
    free(c->below);
    *c = (struct hd_token_counts){0};
}

double hd_token_mean(const struct hd_token_counts *c) {
    int64_t sum = 0; /* at most 2^31 rows of 1e9 tokens */
    for (int i = 0; i < c->distinct; i++)
        sum += c->tokens[i] * (c->below[i + 1] - c->below[i]);
    return (double)sum / (double)c->rows;
}

/* The rank-th smallest, from 0. */
static double ranked(const struct hd_token_counts *c, int64_t rank) {
    int low = 0, high = c->distinct - 1;
    while (low < high) {
        int middle = low + (high - low + 1) / 2;
        if (c->below[middle] <= rank)
            low = middle;
        else
            high = middle - 1;
    }
    return c->tokens[low];
}

double hd_token_quantile(const struct hd_token_counts *c, double fraction) {
    if (c->rows == 0) return NAN;
    double at = fraction * (double)(c->rows - 1);
    int64_t rank = (int64_t)at;
    double beyond = at - (double)rank;
    if (rank + 1 >= c->rows) return ranked(c, c->rows - 1);
    return (1 - beyond) * ranked(c, rank) + beyond * ranked(c, rank + 1);
}

/* ---- correlation --------------------------------------------------------- */

static int index_of(const struct hd_token_counts *c, int32_t tokens) {
    int low = 0, high = c->distinct - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (c->tokens[middle] < tokens)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What a number of tokens counts as: its logarithm, or its rank; less the mean. */
static double *centred(const struct hd_token_counts *c, bool rank, double *variance) {
    double *x = hd_alloc(((size_t)c->distinct + 1) * sizeof *x), mean = 0;
    double rows = (double)c->rows;
    for (int i = 0; i < c->distinct; i++) {
        double weight = (double)(c->below[i + 1] - c->below[i]);
        x[i] = rank ? (double)c->below[i] + (weight + 1) / 2 : log(c->tokens[i]);
        mean += weight * x[i] / rows;
    }
    *variance = 0;
    for (int i = 0; i < c->distinct; i++) {
        x[i] -= mean;
        *variance += (double)(c->below[i + 1] - c->below[i]) * x[i] * x[i];
    }
    return x;
}

struct hd_token_correlation hd_token_correlation(const struct hd_trace *t) {
    struct hd_token_counts count[2];
    double *x[2][2], variance[2][2], together[2] = {0, 0}; /* [rank][side] */
    for (int side = 0; side < 2; side++) {
        hd_token_counts(t, (enum hd_side)side, true, &count[side]);
        for (int rank = 0; rank < 2; rank++)
            x[rank][side] = centred(&count[side], rank, &variance[rank][side]);
    }
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        if (!has_both(&t->row[i])) continue;
        int in = index_of(&count[HD_INPUT], t->row[i].input_tokens);
        int out = index_of(&count[HD_OUTPUT], t->row[i].output_tokens);
        for (int rank = 0; rank < 2; rank++)
            together[rank] += x[rank][HD_INPUT][in] * x[rank][HD_OUTPUT][out];
    }
    struct hd_token_correlation c = {.rows = count[0].rows};
    bool defined = count[HD_INPUT].distinct > 1 && count[HD_OUTPUT].distinct > 1;
    double r[2];
    for (int rank = 0; rank < 2; rank++)
        r[rank] = defined ? together[rank] / sqrt(variance[rank][0] * variance[rank][1])
                          : NAN;
    c.pearson_of_logs = r[0];
    c.spearman = r[1];
    for (int side = 0; side < 2; side++) {
        for (int rank = 0; rank < 2; rank++) free(x[rank][side]);
        hd_token_counts_free(&count[side]);
    }
    return c;
}
