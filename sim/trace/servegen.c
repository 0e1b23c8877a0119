/* Reading a ServeGen directory. */
#include "trace/servegen.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "base/units.h"
#include "trace/reader.h"

/* ---- windows --------------------------------------------------------------- */

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
static bool read_row(const char *path, const struct hd_csv_row *row,
                     struct hd_servegen_client *c, struct hd_err *err) {
    struct hd_servegen_window *x = &c->window[c->windows];
    double at_s;
    if (row->count != 6)
        return hd_fail(err,
                       "%s:%ld: %d columns; expected 6, as ServeGen's windows have",
                       path, row->line, row->count);
    if (!number(path, row, 0, 1e9, &at_s, err) ||
        !number(path, row, 1, 1e9, &x->rate_per_s, err) ||
        !number(path, row, 2, 1000, &x->cv, err))
        return false;
    if (c->windows == 1) c->window_s = at_s;
    if (at_s != c->windows * c->window_s || (c->windows && !(at_s > 0)))
        return hd_fail(err, "%s:%ld: begins at %g s; expected %g s", path, row->line,
                       at_s, c->windows * c->window_s);
    const char *law = row->field[3];
    if (strcmp(law, "Gamma") == 0)
        x->law = HD_GAP_GAMMA;
    else if (strcmp(law, "Weibull") == 0)
        x->law = HD_GAP_WEIBULL;
    else if (*law || x->rate_per_s > 0)
        return hd_fail(err, "%s:%ld: column 4: '%.20s' is none of Gamma, Weibull", path,
                       row->line, law);
    if (x->rate_per_s > 0 && x->cv < 0.05)
        return hd_fail(err, "%s:%ld: column 3: %g lies outside 0.05 to 1000", path,
                       row->line, x->cv);
    c->rate_per_s += x->rate_per_s;
    c->windows++;
    return true;
}

static bool read_windows(const char *path, struct hd_servegen_client *c,
                         struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(path, err);
    struct hd_csv_row row;
    int capacity = 0, got = -1;
    if (!csv) return false;
    while ((got = hd_csv_next(csv, &row, err)) > 0) {
        c->window = hd_grow(c->window, &capacity, c->windows + 1, sizeof *c->window);
        c->window[c->windows] = (struct hd_servegen_window){.law = HD_GAP_POISSON};
        if (!read_row(path, &row, c, err)) {
            got = -1;
            break;
        }
    }
    hd_csv_close(csv);
    if (got < 0) return false;
    if (c->windows < 2) return hd_fail(err, "%s: has no two windows", path);
    c->rate_per_s /= c->windows;
    return true;
}

/* ---- tokens ---------------------------------------------------------------- */

/* "{13: 0.496, 14: 0.476}", weights that need not sum to 1; {} has no values. */
static bool read_law(const char *text, struct hd_token_law *law) {
    int capacity = 0, weights = 0;
    double sum = 0;
    const char *at = text + strspn(text, " ");
    if (*at++ != '{') return false;
    for (;;) {
        long tokens;
        double weight;
        int used = 0;
        at += strspn(at, " ");
        if (*at == '}' && !law->values) break;
        if (sscanf(at, "%10ld :%lf%n", &tokens, &weight, &used) != 2 || !used ||
            tokens < 0 || tokens > HD_TRACE_TOKENS_MAX ||
            !(weight >= 0 && weight < 1e300))
            return false;
        at += used;
        law->tokens =
            hd_grow(law->tokens, &capacity, law->values + 1, sizeof *law->tokens);
        law->up_to = hd_grow(law->up_to, &weights, law->values + 1, sizeof *law->up_to);
        law->tokens[law->values] = (int32_t)tokens;
        law->up_to[law->values++] = sum += weight;
        at += strspn(at, " ");
        if (*at == '}') break;
        if (*at++ != ',') return false;
    }
    if (at[1 + strspn(at + 1, " \n")] != '\0') return false;
    if (law->values && !(sum > 0)) return false;
    for (int i = 0; i < law->values; i++) law->up_to[i] /= sum;
    return true;
}

static void free_law(struct hd_token_law *law) {
    free(law->tokens);
    free(law->up_to);
}

static bool read_tokens(const char *path, const char *second, json_t *laws,
                        const char *which, struct hd_token_law *law,
                        struct hd_err *err) {
    json_t *text = json_object_get(laws, which);
    if (json_is_string(text) && read_law(json_string_value(text), law)) return true;
    return hd_fail(err, "%s: \"%.20s\": %s: expected a text \"{tokens: weight, ...}\"",
                   path, second, which);
}

static int by_time(const void *a, const void *b) {
    const struct hd_servegen_period *x = a, *y = b;
    return (x->from_s > y->from_s) - (x->from_s < y->from_s);
}

static bool read_period(const char *path, const char *second, json_t *laws,
                        struct hd_servegen_period *p, struct hd_err *err) {
    struct hd_err why = {0};
    if (!hd_parse_number(second, &p->from_s, &why) || !(p->from_s >= 0))
        return hd_fail(err, "%s: key \"%.20s\": expected a second", path, second);
    return read_tokens(path, second, laws, "input_tokens", &p->input, err) &&
           read_tokens(path, second, laws, "output_tokens", &p->output, err);
}

static bool read_dataset(const char *path, struct hd_servegen_client *c,
                         struct hd_err *err) {
    json_error_t why;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &why);
    if (!root) return hd_fail(err, "%s:%d: %s", path, why.line, why.text);
    bool fine = json_is_object(root) ||
                hd_fail(err, "%s: expected an object, \"second\": tokens", path);
    int capacity = 0;
    const char *second;
    json_t *laws;
    json_object_foreach(root, second, laws) {
        if (!fine) break;
        struct hd_servegen_period p = {0};
        fine = read_period(path, second, laws, &p, err);
        if (fine && p.input.values && p.output.values) {
            c->period =
                hd_grow(c->period, &capacity, c->periods + 1, sizeof *c->period);
            c->period[c->periods++] = p;
        } else { /* no request was seen in it */
            free_law(&p.input);
            free_law(&p.output);
        }
    }
    json_decref(root);
    if (c->periods) qsort(c->period, (size_t)c->periods, sizeof *c->period, by_time);
    return fine;
}

const struct hd_servegen_period *
hd_servegen_period_at(const struct hd_servegen_client *c, double at_s) {
    int n = 0;
    while (n + 1 < c->periods && c->period[n + 1].from_s <= at_s) n++;
    return &c->period[n];
}

int32_t hd_token_law_value(const struct hd_token_law *law, double uniform) {
    int low = 0, high = law->values - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (law->up_to[middle] > uniform)
            high = middle;
        else
            low = middle + 1;
    }
    return law->tokens[low];
}

/* ---- the folder ------------------------------------------------------------ */

static int by_number(const void *a, const void *b) {
    const struct hd_servegen_client *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

static bool list_clients(const char *directory, struct hd_servegen *all,
                         struct hd_err *err) {
    DIR *folder = opendir(directory);
    int capacity = 0;
    if (!folder) return hd_fail(err, "%s: %s", directory, strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        int client, end = 0;
        sscanf(entry->d_name, "chunk-%9d-trace.csv%n", &client, &end);
        if (!end || entry->d_name[end] || client < 0) continue;
        all->client =
            hd_grow(all->client, &capacity, all->clients + 1, sizeof *all->client);
        all->client[all->clients++] = (struct hd_servegen_client){.number = client};
    }
    closedir(folder);
    if (!all->clients)
        return hd_fail(err,
                       "%s: is a directory with no chunk-N-trace.csv; expected a trace "
                       "file, or a folder of ServeGen's",
                       directory);
    qsort(all->client, (size_t)all->clients, sizeof *all->client, by_number);
    return true;
}

static bool add_sum(struct hd_sha256 *sums, const char *path, struct hd_err *err) {
    char sum[65];
    if (!hd_sha256_file(path, sum))
        return hd_fail(err, "%s: %s", path, strerror(errno));
    hd_sha256_add(sums, sum, 64);
    return true;
}

static bool read_client(const char *directory, struct hd_servegen_client *c,
                        bool tokens, struct hd_sha256 *sums, struct hd_err *err) {
    char *path = hd_format("%s/chunk-%d-trace.csv", directory, c->number);
    bool fine = read_windows(path, c, err) && add_sum(sums, path, err);
    free(path);
    path = hd_format("%s/chunk-%d-dataset.json", directory, c->number);
    if (fine && tokens && access(path, F_OK) == 0)
        fine = read_dataset(path, c, err) && add_sum(sums, path, err);
    free(path);
    return fine;
}

struct hd_servegen *hd_servegen_open(const char *directory, bool tokens,
                                     struct hd_err *err) {
    struct hd_servegen *all = hd_alloc(sizeof *all);
    struct hd_sha256 *sums = hd_sha256_begin();
    bool fine = list_clients(directory, all, err);
    for (int i = 0; i < all->clients && fine; i++)
        fine = read_client(directory, &all->client[i], tokens, sums, err);
    hd_sha256_end_text(sums, all->sha256);
    if (fine) return all;
    hd_servegen_close(all);
    return NULL;
}

void hd_servegen_close(struct hd_servegen *all) {
    if (!all) return;
    for (int i = 0; i < all->clients; i++) {
        struct hd_servegen_client *c = &all->client[i];
        for (int p = 0; p < c->periods; p++) {
            free_law(&c->period[p].input);
            free_law(&c->period[p].output);
        }
        free(c->period);
        free(c->window);
    }
    free(all->client);
    free(all);
}
