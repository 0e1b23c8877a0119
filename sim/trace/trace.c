/* Loading: rows into one array, in order, cut to what was asked for. */
#include "trace/trace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/spill.h"
#include "trace/binary.h"
#include "trace/binary_map.h"
#include "trace/cut.h"
#include "trace/extra.h"
#include "trace/notes.h"
#include "trace/reader.h"

#define DRAWN_MAX 1e8 /* rows, where no end is asked for */

struct loader {
    const char *path;
    const struct hd_trace_options *asked;
    struct hd_reader *reader;
    struct hd_trace *trace;
    struct hd_extra_builder extra;
    hd_wide base; /* of the file's clock: what rows are relative to for now */
    struct hd_cut cut;
    hd_wide last; /* latest request of the file */
    bool begun;
};

/* Once the earliest row is known. */
static bool resolve_cut(struct loader *l, hd_wide first, struct hd_err *err) {
    enum hd_clock clock = hd_reader_clock(l->reader);
    hd_wide zero = clock == HD_CLOCK_DATE ? first : 0;
    return hd_cut_resolve(l->asked, clock, zero, first, &l->cut, err);
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
            l->base = l->cut.zero;
            if (asked->from &&
                l->cut.from - hd_cut_margin_most(asked->before_s) > l->cut.zero)
                l->base = l->cut.from - hd_cut_margin_most(asked->before_s);
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
        if (asked->to && row->at >= l->cut.to + hd_cut_margin_most(asked->after_s)) {
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
    t->row = hd_spill_room(t->row, (size_t)(t->rows + 1) * sizeof *t->row);
    t->row[t->rows++] = (struct hd_trace_row){
        (hd_tick)at, row->model, row->input_tokens, row->output_tokens,
        row->line < INT32_MAX ? (int32_t)row->line : INT32_MAX};
    return hd_extra_add(&l->extra, row, l->path, err);
}

static int by_time_then_row(const void *a, const void *b, void *all) {
    const struct hd_trace_row *row = all;
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    if (row[x].at != row[y].at) return row[x].at < row[y].at ? -1 : 1;
    return (x > y) - (x < y);
}

/* Equal stamps keep file order. */
static bool sort_rows(struct loader *l, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    if (t->rows_out_of_order) {
        size_t rows = (size_t)t->rows;
        int32_t *from = hd_alloc(rows * sizeof *from);
        struct hd_trace_row *sorted = NULL;
        for (size_t i = 0; i < rows; i++) from[i] = (int32_t)i;
        qsort_r(from, rows, sizeof *from, by_time_then_row, t->row);
        for (size_t i = 0; i < rows; i++) {
            sorted = hd_spill_room(sorted, (i + 1) * sizeof *sorted);
            sorted[i] = t->row[from[i]];
        }
        hd_spill_free(t->row);
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
        hd_trace_step(t, i);
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
    for (int64_t i = 0; first && i < t->rows; i++) {
        hd_trace_step(t, i);
        hd_trace_step(t, first + i);
        t->row[i] = t->row[first + i];
    }
    hd_extra_keep(&l->extra, first, t->rows);
    return true;
}

/* Whether all rows stay, and their ticks as they are: first and last tell it. */
static bool stays_whole(const struct loader *l) {
    const struct hd_trace *t = l->trace;
    hd_wide low, high;
    if (t->rows == 0) return false;
    hd_cut_keeps(&l->cut, l->asked, l->last, &low, &high);
    hd_wide first = t->row[0].at + l->base, last = t->row[t->rows - 1].at + l->base;
    return low == l->base && first >= low && last < high && first >= l->cut.from &&
           last < l->cut.to;
}

static bool cut(struct loader *l, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    hd_wide low, high;
    int64_t inside = 0;
    hd_cut_close(&l->cut, l->asked, l->last);
    if (stays_whole(l)) {
        hd_cut_mark(&l->cut, l->asked, l->base, t);
        return true;
    }
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        hd_wide at = t->row[i].at + l->base;
        inside += at >= l->cut.from && at < l->cut.to;
    }
    if (inside == 0) return hd_cut_empty(l->path, t->clock, l->last, err);
    hd_cut_keeps(&l->cut, l->asked, l->last, &low, &high);
    if (!trim(l, low, high, err)) return false;
    if (t->rows ==
        0) /* calls that ended after the file's zero may have come before it */
        return hd_fail(err, "%s: every request came before the trace's zero", l->path);
    hd_cut_mark(&l->cut, l->asked, low, t);
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
        hd_trace_step(t, i);
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

static void keep_counts(struct loader *l) {
    struct hd_trace *t = l->trace;
    const struct hd_reader_count *c = hd_reader_count(l->reader);
    t->rows_bad = c->bad;
    t->bad = hd_alloc((size_t)c->bad * sizeof *t->bad + 1);
    for (int64_t i = 0; i < c->bad; i++) t->bad[i] = hd_strdup(c->why[i]);
    t->rows_no_time = c->no_time;
    t->images = c->images;
    t->rows_images = c->rows_images;
}

/* What is drawn has no file that says how large it is. */
static bool begin_drawn(struct loader *l, struct hd_err *err) {
    double rows = hd_reader_drawn(l->reader);
    l->trace->drawn = rows > 0;
    return l->asked->to || rows < DRAWN_MAX ||
           hd_fail(
               err,
               "%s: all that it says would be about %.2g requests; expected a part, "
               "--to +1h here or `hotdesk trace cut --to +1h` before",
               l->path, rows);
}

static bool load(struct loader *l, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    struct hd_row row;
    int got;
    if (!begin_drawn(l, err)) return false;
    while ((got = hd_reader_next(l->reader, &row, err)) > 0) {
        if (!take_row(l, &row, err)) return false;
        if (t->rows_after && t->drawn) break;
    }
    if (got < 0) return false;
    t->format = hd_reader_format(l->reader);
    t->clock = hd_reader_clock(l->reader);
    int notes;
    char *const *note = hd_reader_notes(l->reader, &notes);
    hd_trace_take_notes(t, note, notes);
    if (hd_reader_made_of(l->reader) && !t->parts) /* goes where the trace goes */
        hd_trace_set_note(t, "parts", hd_reader_made_of(l->reader));
    keep_counts(l);
    t->unused_columns = copy(hd_reader_unused(l->reader));
    if (l->asked->sort && !sort_rows(l, err)) return false;
    if (!cut(l, err)) return false;
    name_models(l);
    struct hd_extra_names names = {hd_reader_session_names(l->reader),
                                   hd_reader_class_names(l->reader),
                                   hd_reader_prefix_block_tokens(l->reader)};
    t->extra = hd_extra_end(&l->extra, &names);
    if (hd_reader_sha256(l->reader))
        memcpy(t->sha256, hd_reader_sha256(l->reader), sizeof t->sha256);
    else if (!hd_sha256_file(l->path, t->sha256))
        return hd_fail(err, "%s: %s", l->path, strerror(errno));
    return true;
}

struct hd_trace *hd_trace_load(const char *path, const struct hd_trace_options *asked,
                               struct hd_err *err) {
    if (hd_binary_recognise(path)) return hd_binary_load(path, asked, err);
    struct hd_reader_options options = {.format = asked->format,
                                        .any_order = asked->sort,
                                        .skip_bad = asked->skip_bad,
                                        .lengths = asked->lengths,
                                        .seed = asked->seed,
                                        .times_only = asked->times_only};
    struct hd_reader *reader = hd_reader_open(path, &options, err);
    if (!reader) return NULL;
    struct hd_trace *trace = hd_alloc(sizeof *trace);
    trace->spill = true;
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
    for (int64_t i = 0; i < t->rows_bad; i++) free(t->bad[i]);
    free(t->bad);
    if (t->mapping)
        hd_binary_unmap(t);
    else if (t->spill)
        hd_spill_free(t->row);
    else
        free(t->row);
    hd_extra_free(t->extra);
    free(t->path);
    free(t->name);
    hd_trace_drop_notes(t);
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

void hd_trace_passed_bytes(const struct hd_trace *t, const void *array, size_t bytes) {
    if (t->mapping)
        hd_mapped_pass(array, array ? bytes : 0);
    else if (t->spill)
        hd_spill_pass(array, bytes);
}

void hd_trace_passed(const struct hd_trace *t, int64_t row) {
    const struct hd_trace_extra *x = t->extra;
    size_t rows = (size_t)row;
    hd_trace_passed_bytes(t, t->row, rows * sizeof *t->row);
    if (!x) return;
    hd_trace_passed_bytes(t, x->session, rows * sizeof *x->session);
    hd_trace_passed_bytes(t, x->class_, rows * sizeof *x->class_);
    hd_trace_passed_bytes(t, x->deadline, rows * sizeof *x->deadline);
    if (!x->prefix_first) return;
    int64_t blocks = x->prefix_first[row]; /* of a file, that may hold anything */
    if (blocks > 0 && blocks <= x->prefix_first[t->rows])
        hd_trace_passed_bytes(t, x->prefix, (size_t)blocks * sizeof *x->prefix);
    hd_trace_passed_bytes(t, x->prefix_first, rows * sizeof *x->prefix_first);
}
