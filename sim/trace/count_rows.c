/* Azure Functions 2019 (Azure/AzurePublicDataset, CC-BY-4.0; Shahrad et al., ATC'20),
 * the shape of AlpaServe's first workload too: a row a function, with how often it was
 * called in each minute of a day. Of such counts a trace can take the arrivals: as many
 * as are told, each at a uniform instant of its minute. */
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/mem.h"
#include "base/random_stream.h"
#include "base/units.h"
#include "trace/header.h"
#include "trace/reader_parts.h"
#include "trace/row_fields.h"

enum { NAMES = 4, MINUTES_MAX = 1440 * 14, CALLS_MAX = 1000000 };

static const char *const names[NAMES] = {"HashOwner", "HashApp", "HashFunction",
                                         "Trigger"};

struct calls { /* of a function in a minute */
    int32_t minute, count, model, line;
};

struct arrival {
    double at_s;
    int32_t model, line;
};

struct count_rows {
    struct calls *calls; /* by minute, then by row */
    int kinds, capacity, next;
    struct arrival *arrival; /* of one minute, in order */
    int arrivals, room, handed;
    gsl_rng *rng;
};

/* ---- reading --------------------------------------------------------------- */

static int by_minute(const void *a, const void *b) {
    const struct calls *x = a, *y = b;
    if (x->minute != y->minute) return x->minute < y->minute ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

static bool read_header(const char *path, const struct hd_csv_row *row, int *minutes,
                        struct hd_err *err) {
    char text[HD_EXCERPT_BYTES], minute[16];
    for (int i = 0; i < row->count; i++) {
        snprintf(minute, sizeof minute, "%d", i - NAMES + 1);
        const char *wanted = i < NAMES ? names[i] : minute;
        if (strcmp(row->field[i], wanted) != 0)
            return hd_fail(err, "%s:%ld: column %d is '%s'; expected '%s'", path,
                           row->line, i + 1, hd_excerpt(row->field[i], text), wanted);
    }
    *minutes = row->count - NAMES;
    return (*minutes >= 1 && *minutes <= MINUTES_MAX) ||
           hd_fail(err, "%s:%ld: %d minutes; expected 1 to %d", path, row->line,
                   *minutes, MINUTES_MAX);
}

static bool read_function(struct hd_reader *r, struct count_rows *c,
                          const struct hd_csv_row *row, int minutes,
                          struct hd_err *err) {
    if (row->count != minutes + NAMES)
        return hd_fail(err, "%s:%ld: %d fields; the header has %d", r->path, row->line,
                       row->count, minutes + NAMES);
    char excerpt[HD_EXCERPT_BYTES];
    const char *part[2];
    size_t bytes[2];
    for (int i = 0; i < 2; i++) {
        part[i] = row->field[1 + i];
        bytes[i] = row->length[1 + i];
        const char *why = hd_field_name(&part[i], &bytes[i]);
        if (!why && bytes[i]) continue;
        return hd_fail(err, "%s:%ld: column '%s' %s", r->path, row->line, names[1 + i],
                       why ? why : "is empty");
    }
    int before = c->kinds;
    for (int m = 0; m < minutes; m++) {
        long count;
        struct hd_err why = {0};
        const char *text = row->field[NAMES + m];
        if (!hd_parse_integer(text, 0, CALLS_MAX, &count, &why)) {
            c->kinds = before;
            return hd_fail(
                err, "%s:%ld: column '%d': '%s' is not a number of calls up to 1000000",
                r->path, row->line, m + 1, hd_excerpt(text, excerpt));
        }
        if (!count) continue;
        c->calls = hd_grow(c->calls, &c->capacity, c->kinds + 1, sizeof *c->calls);
        c->calls[c->kinds++] = (struct calls){m, (int32_t)count, 0, (int32_t)row->line};
    }
    if (c->kinds == before) return true;
    char *name = hd_format("%.*s/%.*s", (int)bytes[0], part[0], (int)bytes[1], part[1]);
    int32_t model = hd_intern(&r->models, name, strlen(name));
    for (int n = before; n < c->kinds; n++) c->calls[n].model = model;
    free(name);
    return true;
}

static bool read_all(struct hd_reader *r, struct count_rows *c, struct hd_err *err) {
    struct hd_csv *csv = hd_csv_open(r->path, err);
    struct hd_csv_row row;
    int minutes = 0, got = -1;
    bool fine = csv && (got = hd_csv_next(csv, &row, err)) > 0 &&
                read_header(r->path, &row, &minutes, err);
    while (fine) {
        struct hd_err why = {0};
        got = hd_csv_next(csv, &row, &why);
        if (got == 0) break;
        if (got < 0 && !hd_csv_went_on(csv))
            fine = hd_fail(err, "%s", why.text);
        else if (got < 0 || !read_function(r, c, &row, minutes, &why))
            fine = hd_reader_pass_over(r, why.text, err);
    }
    hd_csv_close(csv);
    if (!fine) return false;
    if (!c->kinds) return hd_fail(err, "%s: no function was called", r->path);
    qsort(c->calls, (size_t)c->kinds, sizeof *c->calls, by_minute);
    return true;
}

/* ---- arrivals -------------------------------------------------------------- */

static int by_time(const void *a, const void *b) {
    const struct arrival *x = a, *y = b;
    if (x->at_s != y->at_s) return x->at_s < y->at_s ? -1 : 1;
    return (x->line > y->line) - (x->line < y->line);
}

/* Those of the next minute that has any; microseconds, so that a trace written of them
 * reads back the same. */
static void draw_minute(struct count_rows *c) {
    int minute = c->calls[c->next].minute;
    c->arrivals = c->handed = 0;
    for (; c->next < c->kinds && c->calls[c->next].minute == minute; c->next++) {
        const struct calls *k = &c->calls[c->next];
        c->arrival =
            hd_grow(c->arrival, &c->room, c->arrivals + k->count, sizeof *c->arrival);
        for (int n = 0; n < k->count; n++)
            c->arrival[c->arrivals++] = (struct arrival){
                minute * 60.0 + floor(gsl_rng_uniform(c->rng) * 60e6) / 1e6, k->model,
                k->line};
    }
    qsort(c->arrival, (size_t)c->arrivals, sizeof *c->arrival, by_time);
}

static enum hd_got next(struct hd_reader *r, struct hd_row *out, struct hd_err *err) {
    (void)err;
    struct count_rows *c = r->state;
    if (c->handed == c->arrivals) {
        if (c->next == c->kinds) return HD_GOT_END;
        draw_minute(c);
    }
    const struct arrival *a = &c->arrival[c->handed++];
    *out = (struct hd_row){.at = (hd_wide)llround(a->at_s * 1e6) *
                                 (HD_TICKS_PER_S / 1000000),
                           .model = a->model,
                           .line = a->line,
                           .session = -1,
                           .class_ = -1,
                           .deadline = -1};
    return HD_GOT_ROW;
}

static void close_rows(void *state) {
    struct count_rows *c = state;
    gsl_rng_free(c->rng);
    free(c->calls);
    free(c->arrival);
    free(c);
}

bool hd_count_rows_header(const char *line) {
    return strncmp(line, "HashOwner,HashApp,HashFunction,", 31) == 0;
}

bool hd_count_rows_open(struct hd_reader *r, struct hd_err *err) {
    static const struct hd_source source = {next, close_rows};
    struct count_rows *c = hd_alloc(sizeof *c);
    r->source = &source;
    r->state = c;
    r->format = "functions2019";
    r->clock = HD_CLOCK_SECONDS;
    c->rng = hd_random_stream(r->asked.seed, "calls", 0);
    if (!hd_reader_needs_lengths(r, "counts of calls have no tokens", err) ||
        !read_all(r, c, err))
        return false;
    char *parts =
        hd_format("%s; arrivals: the minutes' counts, each at a uniform instant "
                  "of its minute, seed %llu",
                  r->parts, (unsigned long long)r->asked.seed);
    free(r->parts);
    r->parts = parts;
    return true;
}
