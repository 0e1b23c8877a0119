#include "attention_reference.h"

#include "number_formats.h"

double attention_scale(int dim) {
    return 6 / sqrt(dim);
}

double attention_tolerance(double out) {
    return fabs(out) / 128 + 1.0 / 512;
}

static double score(uint64_t query, uint64_t key, int dim) {
    double sum = 0;
    for (int i = 0; i < dim; i++)
        sum += (double)float_of_bf16(random_bf16(query + (uint64_t)i, QUERY_SEED)) *
               (double)float_of_bf16(random_bf16(key + (uint64_t)i, KEY_SEED));
    return sum * attention_scale(dim);
}

/* No score is beyond 6 sqrt(dim), so that no exponential overflows: the plain sums. */
void attention_reference(double *out, uint64_t query, const uint64_t *rows, long tokens,
                         int dim) {
    double sum = 0;
    for (int i = 0; i < dim; i++) out[i] = 0;
    for (long token = 0; token < tokens; token++) {
        const double weight = exp(score(query, rows[token], dim));
        sum += weight;
        for (int i = 0; i < dim; i++)
            out[i] += weight * (double)float_of_bf16(
                                   random_bf16(rows[token] + (uint64_t)i, VALUE_SEED));
    }
    for (int i = 0; i < dim; i++) out[i] /= sum;
}
