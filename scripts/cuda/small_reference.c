#include "small_reference.h"

#include <string.h>

#include "number_formats.h"

bool is_op(const struct shape *s, const char *op) {
    return strcmp(s->op, op) == 0;
}

long row_elements(const struct shape *s) {
    return is_op(s, "rope") ? (s->heads + 2 * s->kv_heads) * s->head_dim : s->n;
}

int position_of(long token) {
    return (int)(token * 37 % POSITIONS);
}

double rope_angle(int position, long i, long head_dim) {
    const long half = head_dim / 2;
    const double angle =
        position * pow(10000, -2.0 * (double)(i % half) / (double)head_dim);
    return float_of_bf16(bf16_of_float((float)(i < half ? cos(angle) : sin(angle))));
}

int embedding_row(long table_rows, long token) {
    return (int)(scrambled((uint64_t)token, SMALL_DATA_SEED) % (uint64_t)table_rows);
}

static double datum(long i) {
    return float_of_bf16(random_bf16((uint64_t)i, SMALL_DATA_SEED));
}

static double rmsnorm_output(long width, long row, long column) {
    double squares = 0;
    for (long i = 0; i < width; i++)
        squares += datum(row * width + i) * datum(row * width + i);
    return datum(row * width + column) / sqrt(squares / (double)width + 1e-5) *
           float_of_bf16(random_bf16((uint64_t)column, SMALL_WEIGHT_SEED));
}

static double rope_output(const struct shape *s, long row, long column) {
    const long half = s->head_dim / 2, in_head = column % s->head_dim,
               i = in_head % half;
    const double cosine = rope_angle(position_of(row), i, s->head_dim);
    const double sine = rope_angle(position_of(row), i + half, s->head_dim);
    const long first = row * row_elements(s) + column - in_head + i;
    const double x = datum(first), y = datum(first + half);
    return in_head < half ? x * cosine - y * sine : y * cosine + x * sine;
}

double small_output(const struct shape *s, long table_rows, long row, long column) {
    const long width = row_elements(s), at = row * width + column;
    if (is_op(s, "norm")) return rmsnorm_output(width, row, column);
    if (is_op(s, "add")) return datum(at) + datum(at + s->m * width);
    if (is_op(s, "embedding"))
        return datum(embedding_row(table_rows, row) * width + column);
    if (is_op(s, "rope")) return rope_output(s, row, column);
    const double gate = datum(2 * row * width + column);
    return gate / (1 + exp(-gate)) * datum((2 * row + 1) * width + column);
}

double choice_score(const struct shape *s, long row, long index) {
    const uint64_t at = (uint64_t)(row * s->n + index);
    const double logit = 8 * random_value(at, LOGIT_SEED);
    if (strcmp(s->variant, "temperature") != 0) return logit;
    return logit / TEMPERATURE - log_exponential(at, DRAW_SEED);
}
