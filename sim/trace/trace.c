/* Loading: rows into one array, in order, cut to what was asked for. */
#include "trace/trace.h"

#include <errno.h>
#include <math.h>
#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "trace/extra.h"
#include "trace/reader.h"

#define DEFAULT_MARGIN_S 600.0

struct loader {
    const char *path;
    const struct hd_trace_options *asked;
    struct hd_reader *reader;
    struct hd_trace *trace;
    struct hd_extra_builder extra;
    int capacity;
    hd_wide base;     /* of the file's clock: what rows are relative to for now */
    hd_wide zero;     /* of the trace */
    hd_wide from, to; /* on the file's clock, once known */
    hd_wide last;     /* latest request of the file */
    bool begun;
};

static hd_wide margin(double asked_s, hd_wide cut) {
    if (asked_s >= 0) /* more than 30 years is as good as all there is */
        return (hd_wide)(fmin(asked_s, 1e9) * (double)HD_TICKS_PER_S + 0.5);
    hd_wide most = (hd_wide)(DEFAULT_MARGIN_S * (double)HD_TICKS_PER_S);
    return cut / 10 < most ? cut / 10 : most;
}

/* The widest margin that the rule can come to, for when the cut's end is not
 * known yet. */
static hd_wide margin_bound(double asked_s) {
    return margin(asked_s, (hd_wide)HD_TICKS_PER_S * 1000000);
}

static bool parse_option(struct loader *l, const char *option, const char *text,
                         hd_wide not_before, hd_wide *at, struct hd_err *err) {
    struct hd_err why = {0};
    if (hd_clock_parse(hd_reader_clock(l->reader), l->zero, not_before, text, at, &why))
        return true;
    return hd_fail(err, "%s: %s", option, why.text);
}

/* Once the zero is known, the cut's ends are. */
static bool resolve_cut(struct loader *l, hd_wide first, struct hd_err *err) {
    l->zero = hd_reader_clock(l->reader) == HD_CLOCK_DATE ? first : 0;
    l->from = first;
    if (l->asked->from &&
        !parse_option(l, "--from", l->asked->from, first, &l->from, err))
        return false;
    if (l->asked->to && !parse_option(l, "--to", l->asked->to, l->from, &l->to, err))
        return false;
    if (l->asked->from && l->asked->to && l->to <= l->from)
        return hd_fail(err, "--to %s: is not after --from %s", l->asked->to,
                       l->asked->from);
    return true;
}

/* `far`: from what ticks count from. */
static bool too_far(const struct loader *l, hd_wide far, long line,
                    struct hd_err *err) {
    const hd_wide day = (hd_wide)HD_TICKS_PER_S * 86400;
    return hd_fail(err,
                   "%s:%ld: lies %ld days from the trace's zero; a run holds at most "
                   "%ld days: cut the trace with --from and --to",
                   l->path, line, (long)((far < 0 ? -far : far) / day),
                   (long)(HD_TICK_SPAN_MAX / day));
}

static bool take_row(struct loader *l, const struct hd_row *row, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    const struct hd_trace_options *asked = l->asked;
    if (!l->begun) {
        if (asked->sort) { /* bounds wait until the earliest row is known */
            l->base = hd_reader_clock(l->reader) == HD_CLOCK_DATE ? row->at : 0;
        } else {
            if (!resolve_cut(l, row->at, err)) return false;
            l->base = l->zero;
            if (asked->from && l->from - margin_bound(asked->before_s) > l->zero)
                l->base = l->from - margin_bound(asked->before_s);
        }
        l->last = row->at;
        l->begun = true;
    }
    t->rows_read++;
    if (row->at < l->last) t->rows_out_of_order++;
    if (row->at > l->last || !asked->sort) l->last = row->at;
    if (!asked->sort) { /* drop early what the cut will not keep */
        if (asked->from && row->at < l->base) {
            t->rows_before++;
            return true;
        }
        if (asked->to && row->at >= l->to + margin_bound(asked->after_s)) {
            t->rows_after++;
            return true;
        }
    }
    hd_wide at = row->at - l->base;
    if (at > HD_TICK_SPAN_MAX || at < -HD_TICK_SPAN_MAX)
        return too_far(l, at, row->line, err);
    if (t->rows == INT32_MAX - 1)
        return hd_fail(err, "%s:%ld: more than 2147483646 requests", l->path,
                       row->line);
    t->row = hd_grow(t->row, &l->capacity, (int)t->rows + 1, sizeof *t->row);
    t->row[t->rows++] = (struct hd_trace_row){
        (hd_tick)at, row->model, row->input_tokens, row->output_tokens,
        row->line < INT32_MAX ? (int32_t)row->line : INT32_MAX};
    return hd_extra_add(&l->extra, row, l->path, err);
}

struct place {
    hd_tick at;
    int64_t row;
};

static int by_time_then_row(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Equal stamps keep file order. */
static bool sort_rows(struct loader *l, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    if (t->rows_out_of_order) {
        size_t rows = (size_t)t->rows;
        struct place *place = hd_alloc(rows * sizeof *place);
        int64_t *from = hd_alloc(rows * sizeof *from);
        struct hd_trace_row *sorted = hd_alloc(rows * sizeof *sorted);
        for (size_t i = 0; i < rows; i++)
            place[i] = (struct place){t->row[i].at, (int64_t)i};
        qsort(place, rows, sizeof *place, by_time_then_row);
        for (size_t i = 0; i < rows; i++) sorted[i] = t->row[from[i] = place[i].row];
        free(place);
        free(t->row);
        t->row = sorted;
        hd_extra_pick(&l->extra, from);
        free(from);
    }
    return resolve_cut(l, t->row[0].at + l->base, err);
}

/* Keeps the rows from `low` to before `high` and makes `low` tick 0. */
static bool trim(struct loader *l, hd_wide low, hd_wide high, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    int64_t first = t->rows, end = t->rows;
    for (int64_t i = 0; i < t->rows; i++) { /* rows are in order of time */
        hd_wide at = t->row[i].at + l->base;
        if (at < low) {
            t->rows_before++;
        } else if (at >= high) {
            t->rows_after++;
            if (i < end) end = i;
        } else if (at - low > HD_TICK_SPAN_MAX) {
            return too_far(l, at - low, t->row[i].line, err);
        } else {
            t->row[i].at = (hd_tick)(at - low);
            if (i < first) first = i;
        }
    }
    t->rows = end - first;
    memmove(t->row, t->row + first, (size_t)t->rows * sizeof *t->row);
    hd_extra_keep(&l->extra, first, t->rows);
    t->origin = low;
    t->zero = l->zero;
    return true;
}

static bool cut(struct loader *l, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    const struct hd_trace_options *asked = l->asked;
    if (!asked->to) l->to = l->last + 1;
    hd_wide length = l->to - l->from, low = l->zero, high = l->last + 1;
    int64_t inside = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        hd_wide at = t->row[i].at + l->base;
        inside += at >= l->from && at < l->to;
    }
    if (inside == 0) {
        char last[HD_CLOCK_TEXT_BYTES];
        return hd_fail(err, "%s: no request between --from and --to; the last is at %s",
                       l->path, hd_clock_text(t->clock, l->last, last));
    }
    if (asked->from && l->from - margin(asked->before_s, length) > low)
        low = l->from - margin(asked->before_s, length);
    if (asked->to) high = l->to + margin(asked->after_s, length);
    if (!trim(l, low, high, err)) return false;
    t->from = asked->from ? (hd_tick)(l->from - low) : -1;
    t->to = asked->to ? (hd_tick)(l->to - low) : -1;
    if (asked->from && l->from < low) t->from = 0; /* asked for from before zero */
    if (asked->to && l->to - low > HD_TICK_SPAN_MAX) t->to = HD_TICK_SPAN_MAX;
    return true;
}

/* Numbers the models anew, by first appearance among the rows that stayed. */
static void name_models(struct loader *l) {
    struct hd_trace *t = l->trace;
    int known = hd_reader_models(l->reader);
    int32_t *number = hd_alloc((size_t)known * sizeof *number);
    for (int i = 0; i < known; i++) number[i] = -1;
    t->model = hd_alloc((size_t)known * sizeof *t->model);
    t->model_rows = hd_alloc((size_t)known * sizeof *t->model_rows);
    for (int64_t i = 0; i < t->rows; i++) {
        struct hd_trace_row *row = &t->row[i];
        int32_t *n = &number[row->model];
        if (*n < 0) {
            *n = t->models++;
            t->model[*n] = hd_strdup(hd_reader_model_name(l->reader, row->model));
        }
        row->model = *n;
        t->model_rows[*n]++;
        t->rows_no_output += row->output_tokens == 0;
        t->rows_no_input += row->input_tokens == 0;
    }
    free(number);
}

static char *copy(const char *text) {
    return text ? hd_strdup(text) : NULL;
}

static bool load(struct loader *l, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    struct hd_row row;
    int got;
    while ((got = hd_reader_next(l->reader, &row, err)) > 0)
        if (!take_row(l, &row, err)) return false;
    if (got < 0) return false;
    t->format = hd_reader_format(l->reader);
    t->clock = hd_reader_clock(l->reader);
    t->parts = copy(hd_reader_note(l->reader, "parts"));
    t->made = copy(hd_reader_note(l->reader, "made"));
    t->recipe = copy(hd_reader_note(l->reader, "recipe"));
    t->sources = copy(hd_reader_note(l->reader, "sources"));
    t->unused_columns = copy(hd_reader_unused(l->reader));
    if (l->asked->sort && !sort_rows(l, err)) return false;
    if (!cut(l, err)) return false;
    name_models(l);
    t->extra = hd_extra_end(&l->extra, l->reader);
    if (!SHA256File(l->path, t->sha256))
        return hd_fail(err, "%s: %s", l->path, strerror(errno));
    return true;
}

struct hd_trace *hd_trace_load(const char *path, const struct hd_trace_options *asked,
                               struct hd_err *err) {
    struct hd_reader *reader = hd_reader_open(path, asked->format, asked->sort, err);
    if (!reader) return NULL;
    struct hd_trace *trace = hd_alloc(sizeof *trace);
    const char *slash = strrchr(path, '/');
    trace->path = hd_strdup(path);
    trace->name = hd_strdup(slash ? slash + 1 : path);
    struct loader loader = {
        .path = path, .asked = asked, .reader = reader, .trace = trace};
    bool loaded = load(&loader, err);
    hd_extra_drop(&loader.extra);
    hd_reader_close(reader);
    if (loaded) return trace;
    hd_trace_free(trace);
    return NULL;
}

void hd_trace_free(struct hd_trace *t) {
    if (!t) return;
    for (int i = 0; i < t->models; i++) free(t->model[i]);
    free(t->model);
    free(t->model_rows);
    free(t->row);
    hd_extra_free(t->extra);
    free(t->path);
    free(t->name);
    free(t->parts);
    free(t->made);
    free(t->recipe);
    free(t->sources);
    free(t->unused_columns);
    free(t);
}

double hd_trace_since_zero_s(const struct hd_trace *t, hd_tick tick) {
    return (double)(t->origin - t->zero + tick) / (double)HD_TICKS_PER_S;
}

char *hd_trace_clock_text(const struct hd_trace *t, hd_tick tick,
                          char text[HD_CLOCK_TEXT_BYTES]) {
    return hd_clock_text(t->clock, t->origin + tick, text);
}
