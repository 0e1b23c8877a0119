/* The windows of a ServeGen directory's clients, as a market's models have them. */
#include "market/servegen.h"

#include <stdlib.h>

#include "base/mem.h"
#include "trace/servegen.h"

/* Equal rates by number. */
static int by_rate(const void *a, const void *b) {
    const struct hd_servegen_client *x = *(struct hd_servegen_client *const *)a,
                                    *y = *(struct hd_servegen_client *const *)b;
    if (x->rate_per_s != y->rate_per_s) return x->rate_per_s > y->rate_per_s ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static struct hd_windows windows_of(const struct hd_servegen_client *c) {
    struct hd_windows w = {.window_s = c->window_s, .windows = c->windows};
    w.window = hd_alloc((size_t)c->windows * sizeof *w.window);
    for (int i = 0; i < c->windows; i++)
        w.window[i] =
            (struct hd_window){.level = c->window[i].rate_per_s / c->rate_per_s,
                               .law = c->window[i].law,
                               .cv = c->window[i].cv};
    return w;
}

struct hd_windows *hd_servegen_load(const char *directory, int *clients,
                                    char sha256[65], struct hd_err *err) {
    struct hd_servegen *all = hd_servegen_open(directory, false, err);
    if (!all) return NULL;
    size_t room = (size_t)all->clients + 1;
    struct hd_servegen_client **order = hd_alloc(room * sizeof *order);
    struct hd_windows *windows = hd_alloc(room * sizeof *windows);
    *clients = 0;
    for (int i = 0; i < all->clients; i++)
        if (all->client[i].rate_per_s > 0) order[(*clients)++] = &all->client[i];
    if (*clients) qsort(order, (size_t)*clients, sizeof *order, by_rate);
    for (int i = 0; i < *clients; i++) windows[i] = windows_of(order[i]);
    for (int i = 0; i < 65; i++) sha256[i] = all->sha256[i];
    free(order);
    hd_servegen_close(all);
    return windows;
}

void hd_servegen_free(struct hd_windows *windows, int clients) {
    for (int i = 0; i < clients; i++) free(windows[i].window);
    free(windows);
}
