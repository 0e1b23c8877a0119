#include "unit/same_trace.h"

#include <string.h>

static bool same(const void *a, const void *b, size_t bytes) {
    return !a == !b && (!a || bytes == 0 || memcmp(a, b, bytes) == 0);
}

static const char *extra_difference(const struct hd_trace_extra *x,
                                    const struct hd_trace_extra *y, size_t rows) {
    if (!x || !y) return x == y ? NULL : "whether there are optional fields";
    if (!same(x->session, y->session, rows * 4) ||
        x->session_text_bytes != y->session_text_bytes ||
        !same(x->session_text, y->session_text, (size_t)x->session_text_bytes))
        return "sessions";
    if (!same(x->class_, y->class_, rows * 4) || x->classes != y->classes)
        return "classes";
    for (int i = 0; i < x->classes; i++)
        if (strcmp(x->class_name[i], y->class_name[i]) != 0) return "names of classes";
    if (!same(x->deadline, y->deadline, rows * 8)) return "deadlines";
    if (!x->prefix || !y->prefix)
        return !x->prefix == !y->prefix ? NULL : "whether there are prefixes";
    if (x->prefix_block_tokens != y->prefix_block_tokens ||
        x->prefix_ids != y->prefix_ids ||
        !same(x->prefix_first, y->prefix_first, rows * 8 + 8) ||
        !same(x->prefix, y->prefix, (size_t)x->prefix_first[rows] * 4) ||
        !same(x->prefix_identity, y->prefix_identity, (size_t)x->prefix_ids * 8))
        return "prefixes";
    return NULL;
}

const char *trace_difference(const struct hd_trace *a, const struct hd_trace *b) {
    if (a->rows != b->rows) return "number of requests";
    if (a->models != b->models) return "number of models";
    if (a->zero != b->zero || a->origin != b->origin || a->from != b->from ||
        a->to != b->to)
        return "clock";
    for (int i = 0; i < a->models; i++)
        if (strcmp(a->model[i], b->model[i]) != 0 ||
            a->model_rows[i] != b->model_rows[i])
            return "models";
    for (int64_t i = 0; i < a->rows; i++) {
        const struct hd_trace_row *p = &a->row[i], *q = &b->row[i];
        if (p->at != q->at) return "arrivals";
        if (p->model != q->model) return "models of requests";
        if (p->input_tokens != q->input_tokens || p->output_tokens != q->output_tokens)
            return "tokens";
    }
    return extra_difference(a->extra, b->extra, (size_t)a->rows);
}
