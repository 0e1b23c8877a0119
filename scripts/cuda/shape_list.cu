/* Lists of shapes: what fits, and the loop over them. */
#include "shape_list.h"

#include <stdio.h>
#include <stdlib.h>

#include "math_shapes.h"

void *host_memory(size_t bytes) {
    void *const at = malloc(bytes);
    if (at != NULL) return at;
    fprintf(stderr, "out of memory\n");
    exit(1);
}

void shapes_drop(struct bench *b, struct shape_list *l) {
    int kept = 0;
    for (int i = 0; i < l->count; i++)
        if (l->fits(l->work.state, &l->shape[i], bench_properties(b)))
            l->shape[kept++] = l->shape[i];
    if (kept < l->count) {
        char why[80];
        snprintf(why, sizeof why, "%d shapes need more memory than their share",
                 l->count - kept);
        bench_skip(b, why);
    }
    l->count = kept;
}

void shapes_measure(struct bench *b, const struct shape_list *l) {
    bench_expect(b, rows_within(bench_left_s(b), l->count));
    for (int i = 0; i < l->count; i++) {
        if (!bench_wants(b, &l->shape[i])) continue;
        l->prepare(l->work.state, &l->shape[i], bench_properties(b));
        if (!bench_device(b, &l->shape[i], &l->work)) break;
    }
}
