/* A list of checks. */
#include "calibrate/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

struct hd_check *hd_checks_add(struct hd_checks *all, const char *gate,
                               const char *name, const char *gpu, const char *data,
                               const char *procedure) {
    all->check =
        hd_grow(all->check, &all->capacity, all->count + 1, sizeof *all->check);
    struct hd_check *c = &all->check[all->count++];
    *c = (struct hd_check){.procedure = procedure};
    snprintf(c->gate, sizeof c->gate, "%s", gate);
    snprintf(c->name, sizeof c->name, "%s", name);
    snprintf(c->gpu, sizeof c->gpu, "%s", gpu);
    snprintf(c->data, sizeof c->data, "%s", data);
    return c;
}

bool hd_check_passes(const struct hd_check *c) {
    if (!(c->limit.p50 > 0)) return true;
    return c->held_out.values > 0 && c->held_out.p50 <= c->limit.p50 &&
           (c->limit.p90 == 0 || c->held_out.p90 <= c->limit.p90);
}

void hd_checks_free(struct hd_checks *all) {
    free(all->check);
    *all = (struct hd_checks){0};
}
