/* A binary trace as a struct hd_trace. What a section says is checked against the
 * others: an array has an element for each row, a number a name. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "trace/binary.h"
#include "trace/binary_map.h"
#include "trace/compose.h"
#include "trace/cut.h"
#include "trace/notes.h"
#include "trace/reader.h"
#include "trace/row_fields.h"

struct load {
    const char *path;
    struct hd_trace_mapping *map;
    struct hd_trace *trace; /* the whole of it */
    json_t *about;
};

static bool not_ours(const struct load *l, const char *what, struct hd_err *err) {
    return hd_fail(err, "%s: is no binary trace that hotdesk wrote: %s", l->path, what);
}

static void blank_controls(char *text) {
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = ' ';
}

/* A copy of a text of the JSON, without control characters; NULL: absent. */
static char *text_of(const json_t *about, const char *key) {
    const char *text = json_string_value(json_object_get(about, key));
    char *copy = text ? hd_strdup(text) : NULL;
    if (copy) blank_controls(copy);
    return copy;
}

static bool wide_of(const json_t *about, const char *key, hd_wide *at) {
    const json_t *pair = json_object_get(about, key);
    const json_t *seconds = json_array_get(pair, 0), *ticks = json_array_get(pair, 1);
    json_int_t s = json_integer_value(seconds);
    if (!json_is_integer(seconds) || !json_is_integer(ticks)) return false;
    if (s > 31557600000000 || s < -31557600000000) return false;
    *at = (hd_wide)s * HD_TICKS_PER_S + json_integer_value(ticks);
    return true;
}

static bool name_holds(const char *name) {
    size_t bytes = strlen(name), whole = bytes;
    const char *text = name;
    return !hd_field_name(&text, &bytes) && bytes == whole && bytes > 0;
}

static bool names_of(const json_t *list, char ***name, int *count) {
    const json_t *item;
    size_t i;
    if (!json_is_array(list)) return false;
    *name = hd_alloc(json_array_size(list) * sizeof **name + 1);
    json_array_foreach(list, i, item) {
        const char *text = json_string_value(item);
        if (!text || !name_holds(text)) return false;
        (*name)[(*count)++] = hd_strdup(text);
    }
    return true;
}

/* All of them, those without a key and those with the same one too. */
static void read_notes(struct hd_trace *t, const json_t *list) {
    const json_t *item;
    size_t i;
    int notes = 0;
    char **note = hd_alloc(json_array_size(list) * sizeof *note + 1);
    json_array_foreach(list, i, item) {
        if (!json_is_string(item)) continue;
        note[notes] = hd_strdup(json_string_value(item));
        blank_controls(note[notes++]);
    }
    hd_trace_take_notes(t, note, notes);
    while (notes > 0) free(note[--notes]);
    free(note);
}

static bool read_about(struct load *l, struct hd_err *err) {
    struct hd_trace *t = l->trace;
    json_error_t why;
    const char *json = hd_binary_data(l->map, HD_BINARY_ABOUT);
    l->about = json
                   ? json_loadb(json, hd_binary_bytes(l->map, HD_BINARY_ABOUT), 0, &why)
                   : NULL;
    if (!json_is_object(l->about)) return not_ours(l, "no notes", err);
    t->format = "binary";
    read_notes(t, json_object_get(l->about, "notes"));
    t->unused_columns = text_of(l->about, "unused");
    json_int_t clock = json_integer_value(json_object_get(l->about, "clock"));
    if (clock < HD_CLOCK_SECONDS || clock > HD_CLOCK_DATE ||
        !wide_of(l->about, "zero", &t->zero) || !wide_of(l->about, "start", &t->origin))
        return not_ours(l, "its clock", err);
    t->clock = (enum hd_clock)clock;
    if (!names_of(json_object_get(l->about, "models"), &t->model, &t->models) ||
        !t->models)
        return not_ours(l, "its models", err);
    t->model_rows = hd_alloc((size_t)t->models * sizeof *t->model_rows);
    return true;
}

/* Where an array lies: NULL where there is none. False when it has another size. */
static bool array_of(const struct load *l, enum hd_binary_kind kind, size_t bytes,
                     void *array) {
    const void *data = hd_binary_data(l->map, kind);
    if (data && hd_binary_bytes(l->map, kind) != bytes) return false;
    memcpy(array, &data, sizeof data);
    return true;
}

static bool read_sessions(struct load *l, struct hd_trace_extra *x) {
    x->session_text_bytes = (int64_t)hd_binary_bytes(l->map, HD_BINARY_SESSION_TEXT);
    if (!array_of(l, HD_BINARY_SESSION_TEXT, (size_t)x->session_text_bytes,
                  &x->session_text))
        return false;
    if (!x->session) return !x->session_text && !x->sessions;
    if (!x->session_text || !x->session_text_bytes) return false;
    const char *at = x->session_text, *end = at + x->session_text_bytes;
    if (end[-1]) return false;
    int32_t names = 0;
    for (; at < end && names < x->sessions; at += strlen(at) + 1, names++)
        if (!name_holds(at)) return false;
    return names == x->sessions && at == end;
}

static bool counts_of(struct load *l, struct hd_trace_extra *x) {
    json_int_t sessions = json_integer_value(json_object_get(l->about, "sessions"));
    json_int_t ids = json_integer_value(json_object_get(l->about, "prefix_ids"));
    json_int_t tokens =
        json_integer_value(json_object_get(l->about, "prefix_block_tokens"));
    if (sessions < 0 || sessions > INT32_MAX || ids < 0 || ids > INT32_MAX ||
        tokens < 1 || tokens > HD_TRACE_TOKENS_MAX)
        return false;
    x->sessions = (int32_t)sessions;
    x->prefix_ids = (int32_t)ids;
    x->prefix_block_tokens = (int)tokens;
    return true;
}

static bool read_extra(struct load *l, struct hd_err *err) {
    if (!json_object_get(l->about, "classes")) return true;
    struct hd_trace_extra *x = l->trace->extra = hd_alloc(sizeof *x);
    size_t rows = (size_t)l->trace->rows;
    bool holds =
        names_of(json_object_get(l->about, "classes"), &x->class_name, &x->classes) &&
        counts_of(l, x) && array_of(l, HD_BINARY_SESSION, rows * 4, &x->session) &&
        array_of(l, HD_BINARY_CLASS, rows * 4, &x->class_) &&
        array_of(l, HD_BINARY_DEADLINE, rows * 8, &x->deadline) &&
        array_of(l, HD_BINARY_PREFIX_FIRST, rows * 8 + 8, &x->prefix_first) &&
        array_of(l, HD_BINARY_PREFIX, hd_binary_bytes(l->map, HD_BINARY_PREFIX),
                 &x->prefix) &&
        array_of(l, HD_BINARY_PREFIX_IDENTITY, (size_t)x->prefix_ids * 8,
                 &x->prefix_identity) &&
        read_sessions(l, x);
    if (holds && x->prefix_first)
        holds = x->prefix && x->prefix_identity && x->prefix_first[0] == 0 &&
                hd_binary_bytes(l->map, HD_BINARY_PREFIX) % 4 == 0 &&
                x->prefix_first[rows] ==
                    (int64_t)hd_binary_bytes(l->map, HD_BINARY_PREFIX) / 4;
    return holds || not_ours(l, "its optional fields", err);
}

static bool tokens_hold(int32_t tokens) {
    return tokens >= 0 && tokens <= HD_TRACE_TOKENS_MAX;
}

static bool blocks_hold(const struct hd_trace *t, int64_t i) {
    const struct hd_trace_extra *x = t->extra;
    int64_t first = x->prefix_first[i], end = x->prefix_first[i + 1];
    int64_t all = x->prefix_first[t->rows], input = t->row[i].input_tokens;
    int64_t tokens = x->prefix_block_tokens;
    if (first < 0 || end < first || end > all) return false;
    if (end - first > (input + tokens - 1) / tokens) return false;
    for (int64_t b = first; b < end; b++)
        if (x->prefix[b] < 0 || x->prefix[b] >= x->prefix_ids) return false;
    return true;
}

static bool extra_holds(const struct hd_trace *t, int64_t i) {
    const struct hd_trace_extra *x = t->extra;
    if (x->session && (x->session[i] < -1 || x->session[i] >= x->sessions))
        return false;
    if (x->class_ && (x->class_[i] < -1 || x->class_[i] >= x->classes)) return false;
    if (x->deadline && (x->deadline[i] < -1 || x->deadline[i] > HD_TICK_SPAN_MAX))
        return false;
    return !x->prefix_first || blocks_hold(t, i);
}

/* One pass over the rows [first, end): sums and values; counts those of each model. */
static bool check_rows(const struct load *l, int64_t first, int64_t end,
                       struct hd_err *err) {
    struct hd_trace *t = l->trace;
    hd_tick before = 0;
    for (int64_t i = first; i < end; i++) {
        if (i == first || i % HD_BINARY_CRC_ROWS == 0) {
            if (!hd_binary_chunk_holds(l->map, i / HD_BINARY_CRC_ROWS))
                return hd_fail(err,
                               "%s: is damaged: requests %lld to %lld do not have the "
                               "checksum that was written with them; convert the trace "
                               "again",
                               l->path, (long long)(i - i % HD_BINARY_CRC_ROWS) + 1,
                               (long long)(i - i % HD_BINARY_CRC_ROWS) +
                                   HD_BINARY_CRC_ROWS);
        }
        hd_trace_step(t, i);
        const struct hd_trace_row *r = &t->row[i];
        if (r->at < before || r->at > HD_TICK_SPAN_MAX || r->model < 0 ||
            r->model >= t->models || !tokens_hold(r->input_tokens) ||
            !tokens_hold(r->output_tokens) || (t->extra && !extra_holds(t, i)))
            return hd_fail(err,
                           "%s: is no binary trace that hotdesk wrote: request %lld",
                           l->path, (long long)i + 1);
        before = r->at;
        t->model_rows[r->model]++;
        t->rows_no_output += r->output_tokens == 0;
        t->rows_no_input += r->input_tokens == 0;
    }
    hd_trace_passed(t, end);
    return true;
}

/* The first row at or after an instant of the trace's clock. */
static int64_t row_at(const struct hd_trace *t, hd_wide at) {
    int64_t low = 0, high = t->rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (t->origin + t->row[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void name_file(struct load *l, struct hd_trace *t) {
    static const char digit[] = "0123456789abcdef";
    const char *slash = strrchr(l->path, '/');
    const uint8_t *sum = hd_binary_head(l->map)->sha256;
    t->path = hd_strdup(l->path);
    t->name = hd_strdup(slash ? slash + 1 : l->path);
    for (int i = 0; i < 32; i++) {
        t->sha256[2 * i] = digit[sum[i] >> 4];
        t->sha256[2 * i + 1] = digit[sum[i] & 15];
    }
}

/* The part asked for, on the heap. */
static struct hd_trace *cut(struct load *l, const struct hd_trace_options *asked,
                            struct hd_err *err) {
    struct hd_trace *t = l->trace;
    struct hd_cut cut;
    hd_wide low, high, last = t->origin + t->row[t->rows - 1].at;
    if (!hd_cut_resolve(asked, t->clock, t->zero, t->origin + t->row[0].at, &cut, err))
        return NULL;
    hd_cut_close(&cut, asked, last);
    if (row_at(t, cut.from) == row_at(t, cut.to)) {
        hd_cut_empty(l->path, t->clock, last, err);
        return NULL;
    }
    hd_cut_keeps(&cut, asked, last, &low, &high);
    int64_t first = row_at(t, low), end = row_at(t, high);
    if (!check_rows(l, first, end, err)) return NULL;
    struct hd_compose *c = hd_compose_begin(t->clock, cut.zero, low);
    int source = hd_compose_source(c, t, NULL);
    struct hd_err why = {0};
    for (int64_t i = first; i < end; i++) {
        struct hd_pick pick = {
            .at = t->origin + t->row[i].at, .row = i, .source = source};
        if (hd_compose_add(c, &pick, &why)) continue;
        hd_compose_drop(c);
        hd_fail(err, "%s: %s", l->path, why.text);
        return NULL;
    }
    struct hd_trace *kept = hd_compose_end(c);
    hd_cut_mark(&cut, asked, low, kept);
    kept->rows_read = t->rows;
    kept->rows_before = first;
    kept->rows_after = t->rows - end;
    hd_trace_take_notes(kept, t->note, t->notes);
    kept->format = t->format;
    kept->unused_columns = t->unused_columns ? hd_strdup(t->unused_columns) : NULL;
    return kept;
}

static bool begin(struct load *l, const struct hd_trace_options *asked,
                  struct hd_err *err) {
    struct hd_trace *t = l->trace;
    if (asked->format && strcmp(asked->format, "binary") != 0)
        return hd_fail(err, "--format %.60s: %s is a binary trace", asked->format,
                       l->path);
    if (!(l->map = t->mapping = hd_binary_map(l->path, err))) return false;
    size_t bytes = hd_binary_bytes(l->map, HD_BINARY_ROWS);
    t->rows = t->rows_read = (int64_t)(bytes / sizeof *t->row);
    t->from = t->to = -1;
    size_t chunks = ((size_t)t->rows + HD_BINARY_CRC_ROWS - 1) / HD_BINARY_CRC_ROWS;
    uint32_t *crcs;
    if (t->rows == 0 || bytes % sizeof *t->row || t->rows >= INT32_MAX ||
        !array_of(l, HD_BINARY_ROWS, bytes, &t->row) ||
        !array_of(l, HD_BINARY_ROW_CRCS, chunks * sizeof *crcs, &crcs) || !crcs)
        return not_ours(l, "its requests", err);
    return read_about(l, err) && read_extra(l, err);
}

struct hd_trace *hd_binary_load(const char *path, const struct hd_trace_options *asked,
                                struct hd_err *err) {
    struct load l = {.path = path, .trace = hd_alloc(sizeof *l.trace)};
    struct hd_trace *out = NULL;
    if (begin(&l, asked, err)) {
        if (asked->from || asked->to)
            out = cut(&l, asked, err);
        else if (check_rows(&l, 0, l.trace->rows, err))
            out = l.trace;
    }
    if (out) name_file(&l, out);
    json_decref(l.about);
    if (out != l.trace) hd_trace_free(l.trace);
    return out;
}

void hd_binary_unmap(struct hd_trace *t) {
    struct hd_trace_extra *x = t->extra;
    if (x) {
        x->session = x->class_ = x->prefix = NULL;
        x->session_text = NULL;
        x->deadline = NULL;
        x->prefix_first = NULL;
        x->prefix_identity = NULL;
    }
    hd_binary_unmap_file(t->mapping);
    t->mapping = NULL;
    t->row = NULL;
}
