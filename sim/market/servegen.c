/* Reading a ServeGen directory. */
#include "market/servegen.h"

#include <dirent.h>
#include <errno.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/units.h"

struct client {
    int number; /* of its file */
    struct hd_windows windows;
    double rate_per_s;
};

struct found {
    struct client *client;
    int clients, capacity;
};

static bool number(const char *path, const struct hd_csv_row *row, int column,
                   double max, double *out, struct hd_err *err) {
    struct hd_err why = {0};
    if (!hd_parse_number(row->field[column], out, &why))
        return hd_fail(err, "%s:%ld: column %d: %s", path, row->line, column + 1,
                       why.text);
    if (*out >= 0 && *out <= max) return true;
    return hd_fail(err, "%s:%ld: column %d: %g lies outside 0 to %g", path, row->line,
                   column + 1, *out, max);
}

/* Windows follow one another without gaps; the first two say how long one is. */
static bool read_row(const char *path, const struct hd_csv_row *row, struct client *c,
                     struct hd_err *err) {
    struct hd_windows *w = &c->windows;
    struct hd_window *x = &w->window[w->windows];
    double at_s;
    if (row->count != 6)
        return hd_fail(err,
                       "%s:%ld: %d columns; expected 6, as ServeGen's windows have",
                       path, row->line, row->count);
    if (!number(path, row, 0, 1e9, &at_s, err) ||
        !number(path, row, 1, 1e9, &x->level, err) ||
        !number(path, row, 2, 1000, &x->cv, err))
        return false;
    if (w->windows == 1) w->window_s = at_s;
    if (at_s != w->windows * w->window_s || (w->windows && !(at_s > 0)))
        return hd_fail(err, "%s:%ld: begins at %g s; expected %g s", path, row->line,
                       at_s, w->windows * w->window_s);
    const char *law = row->field[3];
    if (strcmp(law, "Gamma") == 0)
        x->law = HD_GAP_GAMMA;
    else if (strcmp(law, "Weibull") == 0)
        x->law = HD_GAP_WEIBULL;
    else if (*law || x->level > 0)
        return hd_fail(err, "%s:%ld: column 4: '%.20s' is none of Gamma, Weibull", path,
                       row->line, law);
    if (x->level > 0 && x->cv < 0.05)
        return hd_fail(err, "%s:%ld: column 3: %g lies outside 0.05 to 1000", path,
                       row->line, x->cv);
    c->rate_per_s += x->level;
    w->windows++;
    return true;
}

static bool read_client(const char *path, struct client *c, struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(path, err);
    struct hd_csv_row row;
    int capacity = 0, got = -1;
    if (!csv) return false;
    while ((got = hd_csv_next(csv, &row, err)) > 0) {
        struct hd_windows *w = &c->windows;
        w->window = hd_grow(w->window, &capacity, w->windows + 1, sizeof *w->window);
        w->window[w->windows] = (struct hd_window){.law = HD_GAP_POISSON};
        if (!read_row(path, &row, c, err)) {
            got = -1;
            break;
        }
    }
    hd_csv_close(csv);
    if (got < 0) return false;
    if (c->windows.windows < 2) return hd_fail(err, "%s: has no two windows", path);
    c->rate_per_s /= c->windows.windows;
    for (int i = 0; i < c->windows.windows && c->rate_per_s > 0; i++)
        c->windows.window[i].level /= c->rate_per_s;
    return true;
}

static int by_number(const void *a, const void *b) {
    const struct client *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Equal rates by number. */
static int by_rate(const void *a, const void *b) {
    const struct client *x = a, *y = b;
    if (x->rate_per_s != y->rate_per_s) return x->rate_per_s > y->rate_per_s ? -1 : 1;
    return by_number(a, b);
}

static bool list_clients(const char *directory, struct found *all, struct hd_err *err) {
    DIR *folder = opendir(directory);
    if (!folder) return hd_fail(err, "%s: %s", directory, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        int client, end = 0;
        sscanf(entry->d_name, "chunk-%d-trace.csv%n", &client, &end);
        if (!end || entry->d_name[end]) continue;
        all->client =
            hd_grow(all->client, &all->capacity, all->clients + 1, sizeof *all->client);
        all->client[all->clients++] = (struct client){.number = client};
    }
    closedir(folder);
    if (!all->clients)
        return hd_fail(err, "%s: no chunk-N-trace.csv; expected a folder of ServeGen's",
                       directory);
    qsort(all->client, (size_t)all->clients, sizeof *all->client, by_number);
    return true;
}

struct hd_windows *hd_servegen_load(const char *directory, int *clients,
                                    char sha256[65], struct hd_err *err) {
    struct found all = {0};
    SHA2_CTX sums;
    SHA256Init(&sums);
    bool fine = list_clients(directory, &all, err);
    for (int i = 0; i < all.clients && fine; i++) {
        char *path =
            hd_format("%s/chunk-%d-trace.csv", directory, all.client[i].number);
        char sum[65];
        fine = read_client(path, &all.client[i], err) &&
               (SHA256File(path, sum) || hd_fail(err, "%s: %s", path, strerror(errno)));
        if (fine) SHA256Update(&sums, (const uint8_t *)sum, 64);
        free(path);
    }
    SHA256End(&sums, sha256);
    if (all.clients)
        qsort(all.client, (size_t)all.clients, sizeof *all.client, by_rate);
    struct hd_windows *windows = hd_alloc((size_t)(all.clients + 1) * sizeof *windows);
    *clients = 0;
    for (int i = 0; i < all.clients; i++) {
        if (fine && all.client[i].rate_per_s > 0)
            windows[(*clients)++] = all.client[i].windows;
        else
            free(all.client[i].windows.window);
    }
    free(all.client);
    if (fine) return windows;
    free(windows);
    return NULL;
}

void hd_servegen_free(struct hd_windows *windows, int clients) {
    for (int i = 0; i < clients; i++) free(windows[i].window);
    free(windows);
}
