/* Requests of other traces put together. */
#include "trace/compose.h"

#include <stdlib.h>
#include <string.h>

#include "base/index_heap.h"
#include "base/intern.h"
#include "base/mem.h"
#include "base/spill.h"
#include "trace/extra.h"

struct source {
    const struct hd_trace *trace;
    int32_t *model, *class_;   /* numbers in the new trace of its own */
    const char **session_name; /* of its sessions */
};

struct hd_compose {
    struct hd_trace *made;
    struct hd_extra_builder extra;
    int block_tokens;
    struct hd_intern models, classes;
    struct hd_number_map session_of; /* (source, copy, session) */
    char **session;
    int session_capacity;
    uint64_t *blocks; /* of the row at hand */
    int blocks_capacity;
    struct source *source;
    int sources, source_capacity;
};

struct hd_compose *hd_compose_begin(enum hd_clock clock, hd_wide zero, hd_wide start) {
    struct hd_compose *c = hd_alloc(sizeof *c);
    c->made = hd_alloc(sizeof *c->made);
    c->made->spill = true;
    c->made->clock = clock;
    c->made->zero = zero;
    c->made->origin = start;
    c->made->from = c->made->to = -1;
    return c;
}

static void name_extra(struct hd_compose *c, struct source *s) {
    const struct hd_trace_extra *x = s->trace->extra;
    s->class_ = hd_alloc((size_t)x->classes * sizeof *s->class_ + 1);
    for (int i = 0; i < x->classes; i++)
        s->class_[i] =
            hd_intern(&c->classes, x->class_name[i], strlen(x->class_name[i]));
    if (!x->session) return;
    s->session_name = hd_alloc((size_t)x->sessions * sizeof *s->session_name);
    const char *name = x->session_text;
    for (int32_t i = 0; i < x->sessions; i++, name += strlen(name) + 1)
        s->session_name[i] = name;
}

int hd_compose_source(struct hd_compose *c, const struct hd_trace *t,
                      const char *prefix) {
    c->source =
        hd_grow(c->source, &c->source_capacity, c->sources + 1, sizeof *c->source);
    struct source *s = &c->source[c->sources];
    *s = (struct source){.trace = t};
    s->model = hd_alloc((size_t)t->models * sizeof *s->model);
    for (int i = 0; i < t->models; i++) {
        char *name = hd_format("%s%s", prefix ? prefix : "", t->model[i]);
        s->model[i] = hd_intern(&c->models, name, strlen(name));
        free(name);
    }
    if (t->extra) name_extra(c, s);
    return c->sources++;
}

/* Of a copy of a source; 0 for the first of the first. */
static uint64_t part_of(int source, int copy) {
    return (uint64_t)copy << 16 | (uint64_t)source;
}

static char *session_name(const char *name, const struct hd_pick *pick) {
    if (pick->source && pick->session_copy)
        return hd_format("%s@%d~%d", name, pick->source, pick->session_copy);
    if (pick->source) return hd_format("%s@%d", name, pick->source);
    if (pick->session_copy) return hd_format("%s~%d", name, pick->session_copy);
    return hd_strdup(name);
}

static int32_t session_number(struct hd_compose *c, const struct hd_pick *pick) {
    const struct source *s = &c->source[pick->source];
    int32_t session = s->trace->extra->session[pick->row];
    if (session < 0) return -1;
    uint64_t key = part_of(pick->source, pick->session_copy) << 31 | (uint64_t)session;
    int32_t known = c->session_of.numbers, number = hd_number_map(&c->session_of, key);
    if (number != known) return number;
    c->session =
        hd_grow(c->session, &c->session_capacity, number + 1, sizeof *c->session);
    c->session[number] = session_name(s->session_name[session], pick);
    return number;
}

/* Another identity for each part: the finaliser of splitmix64 (Steele et al., OOPSLA
 * 2014) is one to one, so that two blocks of a part stay two; that blocks of two parts
 * meet is as likely as that two random numbers of 64 bits do. */
static uint64_t identity_in(uint64_t identity, uint64_t part) {
    if (part == 0) return identity;
    uint64_t h = identity + part * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

static bool take_blocks(struct hd_compose *c, const struct hd_pick *pick,
                        struct hd_row *out, struct hd_err *err) {
    const struct hd_trace_extra *x = c->source[pick->source].trace->extra;
    int64_t first = x->prefix_first[pick->row];
    uint64_t part = part_of(pick->source, pick->copy);
    out->prefix_blocks = (int)(x->prefix_first[pick->row + 1] - first);
    if (!out->prefix_blocks) return true;
    if (c->block_tokens && c->block_tokens != x->prefix_block_tokens)
        return hd_fail(err, "prefix blocks of %d and of %d tokens do not go together",
                       c->block_tokens, x->prefix_block_tokens);
    c->block_tokens = x->prefix_block_tokens;
    c->blocks =
        hd_grow(c->blocks, &c->blocks_capacity, out->prefix_blocks, sizeof *c->blocks);
    for (int i = 0; i < out->prefix_blocks; i++)
        c->blocks[i] = identity_in(x->prefix_identity[x->prefix[first + i]], part);
    out->prefix = c->blocks;
    return true;
}

static bool take_extra(struct hd_compose *c, const struct hd_pick *pick,
                       struct hd_err *err) {
    const struct source *s = &c->source[pick->source];
    const struct hd_trace_extra *x = s->trace->extra;
    struct hd_row out = {.session = -1, .class_ = -1, .deadline = -1};
    struct hd_err why = {0};
    if (x && x->session) out.session = session_number(c, pick);
    if (x && x->class_ && x->class_[pick->row] >= 0)
        out.class_ = s->class_[x->class_[pick->row]];
    if (x && x->deadline) out.deadline = x->deadline[pick->row];
    if (x && x->prefix && !take_blocks(c, pick, &out, err)) return false;
    return hd_extra_add(&c->extra, &out, "", &why) ||
           hd_fail(err, "more than 2147483646 distinct prefix blocks");
}

bool hd_compose_add(struct hd_compose *c, const struct hd_pick *pick,
                    struct hd_err *err) {
    struct hd_trace *t = c->made;
    const struct source *s = &c->source[pick->source];
    const struct hd_trace_row *r = &s->trace->row[pick->row];
    hd_wide tick = pick->at - t->origin;
    if (tick < 0 || tick > HD_TICK_SPAN_MAX)
        return hd_fail(err,
                       "a request would lie more than %d days from the trace's zero; "
                       "a run holds no more",
                       (int)(HD_TICK_SPAN_MAX / HD_TICKS_PER_S / 86400));
    if (t->rows == INT32_MAX - 1) return hd_fail(err, "more than 2147483646 requests");
    t->row = hd_spill_room(t->row, (size_t)(t->rows + 1) * sizeof *t->row);
    t->row[t->rows++] = (struct hd_trace_row){
        (hd_tick)tick, s->model[r->model], r->input_tokens, r->output_tokens, r->line};
    return take_extra(c, pick, err);
}

/* The lane's next row that is kept, if there is one, takes its place. */
static void enter(struct hd_index_heap *heap, const struct hd_compose *c,
                  struct hd_lane *lane, int number) {
    const struct hd_trace *t = c->source[lane->source].trace;
    while (lane->kept && lane->row < lane->end &&
           !(lane->kept[lane->row / 8] >> lane->row % 8 & 1))
        hd_trace_step(t, lane->row++);
    if (lane->row >= lane->end) return;
    hd_trace_step(t, lane->row);
    hd_wide tick = lane->shift + t->row[lane->row].at - c->made->origin;
    /* What is out of range comes out where it is refused. */
    hd_tick key = tick < 0                  ? -1
                  : tick > HD_TICK_SPAN_MAX ? HD_TICK_NEVER
                                            : (hd_tick)tick;
    hd_heap_set(heap, number, key);
}

bool hd_compose_merge(struct hd_compose *c, struct hd_lane *lane, int lanes,
                      struct hd_err *err) {
    struct hd_index_heap heap = {0};
    bool fine = true;
    hd_heap_reserve(&heap, lanes);
    for (int i = 0; i < lanes; i++) enter(&heap, c, &lane[i], i);
    while (fine && hd_heap_first(&heap)) {
        int i = hd_heap_take(&heap);
        const struct hd_trace *t = c->source[lane[i].source].trace;
        struct hd_pick pick = {.at = lane[i].shift + t->row[lane[i].row].at,
                               .row = lane[i].row++,
                               .source = lane[i].source,
                               .copy = lane[i].copy,
                               .session_copy = lane[i].session_copy};
        fine = hd_compose_add(c, &pick, err);
        enter(&heap, c, &lane[i], i);
    }
    hd_heap_free(&heap);
    return fine;
}

struct hd_trace *hd_compose_end(struct hd_compose *c) {
    struct hd_trace *t = c->made;
    int known = c->models.names;
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
            t->model[*n] = hd_strdup(c->models.name[row->model]);
        }
        row->model = *n;
        t->model_rows[*n]++;
        t->rows_no_output += row->output_tokens == 0;
        t->rows_no_input += row->input_tokens == 0;
    }
    free(number);
    t->rows_read = t->rows;
    struct hd_extra_names names = {c->session, c->classes.name,
                                   c->block_tokens ? c->block_tokens : HD_BLOCK_TOKENS};
    t->extra = hd_extra_end(&c->extra, &names);
    c->made = NULL;
    hd_compose_drop(c);
    return t;
}

void hd_compose_drop(struct hd_compose *c) {
    if (!c) return;
    for (int i = 0; i < c->sources; i++) {
        free(c->source[i].model);
        free(c->source[i].class_);
        free(c->source[i].session_name);
    }
    free(c->source);
    hd_trace_free(c->made);
    hd_extra_drop(&c->extra);
    for (int32_t i = 0; i < c->session_of.numbers; i++) free(c->session[i]);
    free(c->session);
    hd_number_map_free(&c->session_of);
    hd_intern_free(&c->models);
    hd_intern_free(&c->classes);
    free(c->blocks);
    free(c);
}
