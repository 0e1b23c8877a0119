/* An array comes to be with the first row that has something for it. */
#include "trace/extra.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/spill.h"

/* What is long ago passed; an array's first `count` elements. */
static void step(const void *array, int64_t count, size_t bytes) {
    if (count % 16384 == 0) hd_spill_pass(array, (size_t)count * bytes);
}

/* An array with a value for each row so far. */
static int32_t *none_yet(const struct hd_extra_builder *b) {
    int32_t *array = hd_spill_room(NULL, sizeof *array);
    for (int64_t i = 0; i < b->rows; i++) {
        array = hd_spill_room(array, (size_t)(i + 1) * sizeof *array);
        array[i] = -1;
    }
    return array;
}

static int64_t *as_many(const struct hd_extra_builder *b, int64_t value) {
    int64_t *array = hd_spill_room(NULL, sizeof *array);
    for (int64_t i = 0; i <= b->rows; i++) {
        array = hd_spill_room(array, (size_t)(i + 1) * sizeof *array);
        array[i] = value;
    }
    return array;
}

static void begin_arrays(struct hd_extra_builder *b, const struct hd_row *row) {
    struct hd_trace_extra *x = &b->extra;
    if (row->session >= 0 && !x->session) x->session = none_yet(b);
    if (row->class_ >= 0 && !x->class_) x->class_ = none_yet(b);
    if (row->deadline >= 0 && !x->deadline) x->deadline = as_many(b, -1);
    if (row->prefix_blocks && !x->prefix_first) x->prefix_first = as_many(b, 0);
}

/* Room for one more row in the arrays that there are. */
static void grow_rows(struct hd_extra_builder *b) {
    struct hd_trace_extra *x = &b->extra;
    size_t n = (size_t)b->rows + 1;
    if (x->session) x->session = hd_spill_room(x->session, n * sizeof *x->session);
    if (x->class_) x->class_ = hd_spill_room(x->class_, n * sizeof *x->class_);
    if (x->deadline) x->deadline = hd_spill_room(x->deadline, n * sizeof *x->deadline);
    if (x->prefix_first)
        x->prefix_first = hd_spill_room(x->prefix_first, (n + 1) * sizeof(int64_t));
}

static bool add_blocks(struct hd_extra_builder *b, const struct hd_row *row) {
    struct hd_trace_extra *x = &b->extra;
    x->prefix = hd_spill_room(x->prefix, (size_t)(b->blocks + row->prefix_blocks + 1) *
                                             sizeof *x->prefix);
    for (int i = 0; i < row->prefix_blocks; i++) {
        int32_t known = b->prefix_ids.numbers;
        int32_t id = hd_number_map(&b->prefix_ids, row->prefix[i]);
        if (id < 0) return false;
        if (id == known) {
            b->identity = hd_grow(b->identity, &b->identity_capacity, id + 1,
                                  sizeof *b->identity);
            b->identity[id] = row->prefix[i];
        }
        x->prefix[b->blocks++] = id;
    }
    x->prefix_first[b->rows + 1] = b->blocks;
    return true;
}

bool hd_extra_add(struct hd_extra_builder *b, const struct hd_row *row,
                  const char *path, struct hd_err *err) {
    struct hd_trace_extra *x = &b->extra;
    begin_arrays(b, row);
    grow_rows(b);
    if (x->session) x->session[b->rows] = row->session;
    if (x->class_) x->class_[b->rows] = row->class_;
    if (x->deadline) x->deadline[b->rows] = (hd_tick)row->deadline;
    if (x->prefix_first && !add_blocks(b, row))
        return hd_fail(err, "%s:%ld: more than 2147483646 distinct prefix blocks", path,
                       row->line);
    b->rows++;
    return true;
}

void hd_extra_pick(struct hd_extra_builder *b, const int32_t *from) {
    struct hd_extra_builder picked = {.rows = b->rows};
    struct hd_trace_extra old = b->extra, *x = &picked.extra;
    size_t n = (size_t)b->rows + 1;
    if (old.session) x->session = hd_spill_room(NULL, n * sizeof *x->session);
    if (old.class_) x->class_ = hd_spill_room(NULL, n * sizeof *x->class_);
    if (old.deadline) x->deadline = hd_spill_room(NULL, n * sizeof *x->deadline);
    if (old.prefix_first) {
        x->prefix_first = hd_spill_room(NULL, n * sizeof *x->prefix_first);
        x->prefix = hd_spill_room(NULL, (size_t)b->blocks * sizeof *x->prefix);
        x->prefix_first[0] = 0;
    }
    for (int64_t i = 0; i < b->rows; i++) {
        if (x->session) x->session[i] = old.session[from[i]];
        if (x->class_) x->class_[i] = old.class_[from[i]];
        if (x->deadline) x->deadline[i] = old.deadline[from[i]];
        if (!x->prefix_first) continue;
        int64_t first = old.prefix_first[from[i]];
        int64_t count = old.prefix_first[from[i] + 1] - first;
        memcpy(x->prefix + picked.blocks, old.prefix + first,
               (size_t)count * sizeof *x->prefix);
        x->prefix_first[i + 1] = picked.blocks += count;
    }
    picked.prefix_ids = b->prefix_ids;
    picked.identity = b->identity;
    picked.identity_capacity = b->identity_capacity;
    b->prefix_ids = (struct hd_number_map){0};
    b->identity = NULL;
    hd_extra_drop(b);
    *b = picked;
}

static void move_down(void *array, int64_t first, int64_t count, size_t bytes) {
    const size_t chunk = (size_t)1 << 20;
    char *to = array;
    if (!array || !first) return;
    for (size_t at = 0, all = (size_t)count * bytes, some; at < all; at += some) {
        size_t from = (size_t)first * bytes + at;
        some = all - at < chunk ? all - at : chunk;
        memmove(to + at, to + from, some);
        hd_spill_pass(array, at);
        hd_spill_pass(array, from);
    }
}

void hd_extra_keep(struct hd_extra_builder *b, int64_t first, int64_t rows) {
    struct hd_trace_extra *x = &b->extra;
    move_down(x->session, first, rows, sizeof *x->session);
    move_down(x->class_, first, rows, sizeof *x->class_);
    move_down(x->deadline, first, rows, sizeof *x->deadline);
    move_down(x->prefix_first, first, rows + 1, sizeof *x->prefix_first);
    b->rows = rows;
    if (!x->prefix_first) return;
    int64_t before = x->prefix_first[0];
    b->blocks = x->prefix_first[rows] - before;
    move_down(x->prefix, before, b->blocks, sizeof *x->prefix);
    for (int64_t i = 0; i <= rows; i++) {
        step(x->prefix_first, i, sizeof *x->prefix_first);
        x->prefix_first[i] -= before;
    }
}

/* Numbers what is in the array anew, by first appearance; the array is freed and NULL
 * when there is nothing. Returns how many there are; *was[new] is the old number. */
static int32_t number_anew(int32_t **array, int64_t count, int32_t **was) {
    struct hd_number_map map = {0};
    int capacity = 0;
    *was = NULL;
    for (int64_t i = 0; *array && i < count; i++) {
        step(*array, i, sizeof **array);
        int32_t *number = &(*array)[i], known = map.numbers;
        if (*number < 0) continue;
        int32_t fresh = hd_number_map(&map, (uint64_t)*number);
        if (fresh == known) {
            *was = hd_grow(*was, &capacity, fresh + 1, sizeof **was);
            (*was)[fresh] = *number;
        }
        *number = fresh;
    }
    int32_t numbers = map.numbers;
    hd_number_map_free(&map);
    if (numbers == 0) {
        hd_spill_free(*array);
        *array = NULL;
    }
    return numbers;
}

static void drop_empty_deadlines(struct hd_extra_builder *b) {
    struct hd_trace_extra *x = &b->extra;
    for (int64_t i = 0; x->deadline && i < b->rows; i++)
        if (x->deadline[i] >= 0) return;
    hd_spill_free(x->deadline);
    x->deadline = NULL;
}

static void name_sessions(struct hd_trace_extra *x, const int32_t *was,
                          char *const *name) {
    for (int i = 0; i < x->sessions; i++)
        x->session_text_bytes += (int64_t)strlen(name[was[i]]) + 1;
    char *end = x->session_text = hd_alloc((size_t)x->session_text_bytes + 1);
    for (int i = 0; i < x->sessions; i++) end = stpcpy(end, name[was[i]]) + 1;
}

static void identify_blocks(struct hd_extra_builder *b) {
    struct hd_trace_extra *x = &b->extra;
    int32_t *was;
    x->prefix_ids = number_anew(&x->prefix, b->blocks, &was);
    if (x->prefix) {
        x->prefix_identity = hd_alloc((size_t)x->prefix_ids * sizeof(uint64_t));
        for (int32_t i = 0; i < x->prefix_ids; i++)
            x->prefix_identity[i] = b->identity[was[i]];
    } else {
        hd_spill_free(x->prefix_first);
        x->prefix_first = NULL;
    }
    free(was);
}

struct hd_trace_extra *hd_extra_end(struct hd_extra_builder *b,
                                    const struct hd_extra_names *names) {
    struct hd_trace_extra *x = &b->extra;
    int32_t *was;
    x->sessions = number_anew(&x->session, b->rows, &was);
    if (x->session) name_sessions(x, was, names->session);
    free(was);
    x->classes = number_anew(&x->class_, b->rows, &was);
    x->class_name = hd_alloc((size_t)x->classes * sizeof *x->class_name + 1);
    for (int i = 0; i < x->classes; i++)
        x->class_name[i] = hd_strdup(names->class_[was[i]]);
    free(was);
    drop_empty_deadlines(b);
    identify_blocks(b);
    x->prefix_block_tokens = names->prefix_block_tokens;
    struct hd_trace_extra *out = hd_alloc(sizeof *out);
    *out = *x;
    hd_number_map_free(&b->prefix_ids);
    free(b->identity);
    *b = (struct hd_extra_builder){0};
    if (out->session || out->class_ || out->deadline || out->prefix) return out;
    hd_extra_free(out);
    return NULL;
}

void hd_extra_drop(struct hd_extra_builder *b) {
    struct hd_trace_extra *out = hd_alloc(sizeof *out);
    *out = b->extra;
    hd_extra_free(out);
    hd_number_map_free(&b->prefix_ids);
    free(b->identity);
    *b = (struct hd_extra_builder){0};
}

void hd_extra_free(struct hd_trace_extra *x) {
    if (!x) return;
    for (int i = 0; i < x->classes; i++) free(x->class_name[i]);
    free(x->class_name);
    hd_spill_free(x->session);
    free(x->session_text);
    hd_spill_free(x->class_);
    hd_spill_free(x->deadline);
    hd_spill_free(x->prefix_first);
    hd_spill_free(x->prefix);
    free(x->prefix_identity);
    free(x);
}
