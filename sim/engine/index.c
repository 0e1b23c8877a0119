/* Instances by role and key, and by model: what the host primitives answer from. */
#include <stdlib.h>
#include <string.h>

#include "engine/parts.h"

int hd_ask_role(struct hd_engine *e, const char *name) {
    for (int r = 0; r < e->roles; r++)
        if (strcmp(e->role[r].name, name) == 0) return r;
    e->role = hd_realloc(e->role, sizeof *e->role * (size_t)(e->roles + 1));
    e->role[e->roles] = (struct hd_role){.name = hd_strdup(name)};
    return e->roles++;
}

static int64_t key_of(const struct hd_engine *e, const struct hd_instance *i,
                      enum hd_key key) {
    switch (key) {
    case HD_KEY_GROUPS:
        return i->groups;
    case HD_KEY_REQUESTS:
        return i->requests;
    case HD_KEY_WAITING:
        return i->waiting;
    case HD_KEY_WAITING_TOKENS:
        return i->waiting_tokens;
    case HD_KEY_QUEUE_S:
        return hd_tick_from_s(hd_ask_instance_queue_s(e, hd_instance_number(e, i)));
    default:
        return i->rest_at;
    }
}

/* Resting for the purpose of rest_at: no turn, none due, nothing queued. */
static bool has_key(const struct hd_instance *i, enum hd_key key) {
    if (key != HD_KEY_REST_AT) return true;
    return i->turn < 0 && i->requests == 0 && !i->closing && i->phase == HD_PHASE_REST;
}

static void place(struct hd_engine *e, struct hd_index *x, int instance,
                  enum hd_key key) {
    const struct hd_instance *i = &e->instance[instance];
    bool in = i->alive && !i->closing && has_key(i, key);
    int64_t value = in ? key_of(e, i, key) : 0;
    if (x->asked_least) {
        hd_heap_reserve(&x->least, instance + 1);
        if (in)
            hd_heap_set(&x->least, instance, value);
        else
            hd_heap_remove(&x->least, instance);
    }
    if (x->asked_most) {
        hd_heap_reserve(&x->most, instance + 1);
        if (in)
            hd_heap_set(&x->most, instance, -value);
        else
            hd_heap_remove(&x->most, instance);
    }
}

static struct hd_index *index_of(struct hd_engine *e, int role, int shape,
                                 enum hd_key key) {
    struct hd_role *r = &e->role[role];
    if (shape >= r->indexed_shapes) {
        size_t before = (size_t)r->indexed_shapes * HD_KEYS,
               after = (size_t)(shape + 1) * HD_KEYS;
        r->index = hd_realloc(r->index, after * sizeof *r->index);
        memset(r->index + before, 0, (after - before) * sizeof *r->index);
        r->indexed_shapes = shape + 1;
    }
    return &r->index[shape * HD_KEYS + (int)key];
}

void hd_index_touch(struct hd_engine *e, struct hd_instance *i) {
    struct hd_role *r = &e->role[i->role];
    if (r->asked == 0 || i->shape >= r->indexed_shapes) return;
    for (int key = 0; key < HD_KEYS; key++) {
        if (!(r->asked & (1 << key))) continue;
        struct hd_index *x = &r->index[i->shape * HD_KEYS + key];
        if (x->asked_least || x->asked_most)
            place(e, x, hd_instance_number(e, i), (enum hd_key)key);
    }
}

void hd_index_reshape(struct hd_engine *e, struct hd_instance *i, int shape) {
    struct hd_role *r = &e->role[i->role];
    int number = hd_instance_number(e, i);
    for (int key = 0; i->shape < r->indexed_shapes && key < HD_KEYS; key++) {
        struct hd_index *x = &r->index[i->shape * HD_KEYS + key];
        hd_heap_remove(&x->least, number);
        hd_heap_remove(&x->most, number);
    }
    i->shape = shape;
    hd_index_touch(e, i);
}

void hd_index_join(struct hd_engine *e, int instance) {
    struct hd_role *r = &e->role[e->instance[instance].role];
    r->member = hd_grow(r->member, &r->capacity, r->members + 1, sizeof *r->member);
    r->member[r->members++] = instance; /* numbers only grow */
    hd_index_touch(e, &e->instance[instance]);
}

void hd_index_leave(struct hd_engine *e, int instance) {
    struct hd_role *r = &e->role[e->instance[instance].role];
    int at = 0;
    while (r->member[at] != instance) at++;
    memmove(r->member + at, r->member + at + 1,
            sizeof *r->member * (size_t)(--r->members - at));
    hd_index_touch(e, &e->instance[instance]);
}

/* ---- by model ------------------------------------------------------------ */

static int holder_at(const struct hd_model_state *m, int instance) {
    int low = 0, high = m->holders;
    while (low < high) {
        int middle = (low + high) / 2;
        if (m->holder[middle] < instance)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void hd_holder_add(struct hd_engine *e, int model, int instance) {
    struct hd_model_state *m = &e->model[model];
    int at = holder_at(m, instance);
    if (at < m->holders && m->holder[at] == instance) {
        m->holder_uses[at]++;
        return;
    }
    int capacity = m->holder_capacity;
    m->holder = hd_grow(m->holder, &capacity, m->holders + 1, sizeof *m->holder);
    m->holder_uses = hd_grow(m->holder_uses, &m->holder_capacity, m->holders + 1,
                             sizeof *m->holder_uses);
    size_t behind = (size_t)(m->holders - at);
    memmove(m->holder + at + 1, m->holder + at, behind * sizeof *m->holder);
    memmove(m->holder_uses + at + 1, m->holder_uses + at,
            behind * sizeof *m->holder_uses);
    m->holder[at] = instance;
    m->holder_uses[at] = 1;
    m->holders++;
}

void hd_holder_remove(struct hd_engine *e, int model, int instance) {
    struct hd_model_state *m = &e->model[model];
    int at = holder_at(m, instance);
    if (--m->holder_uses[at] > 0) return;
    size_t behind = (size_t)(--m->holders - at);
    memmove(m->holder + at, m->holder + at + 1, behind * sizeof *m->holder);
    memmove(m->holder_uses + at, m->holder_uses + at + 1,
            behind * sizeof *m->holder_uses);
}

/* ---- the primitives ------------------------------------------------------ */

static bool holds(const struct hd_engine *e, const struct hd_instance *i,
                  const struct hd_filter *f) {
    if (f->req.slot < 0) return true;
    const struct hd_request *r = &e->request[f->req.slot];
    return hd_could_hold(e, i->shape, r->model, (int64_t)r->input + r->output - 1);
}

/* Among a model's instances, each of which is looked at. */
static int extreme_of_model(const struct hd_engine *e, int role, enum hd_key key,
                            const struct hd_filter *f, bool most) {
    const struct hd_model_state *m = &e->model[f->model];
    int best = -1;
    int64_t best_key = 0;
    for (int n = 0; n < m->holders; n++) {
        const struct hd_instance *i = &e->instance[m->holder[n]];
        if (i->role != role || i->closing || !has_key(i, key)) continue;
        if (!holds(e, i, f)) continue;
        int64_t value = most ? -key_of(e, i, key) : key_of(e, i, key);
        if (best >= 0 && value >= best_key) continue;
        best = m->holder[n];
        best_key = value;
    }
    return best;
}

/* Among a role's instances: the best of each shape's index, which is kept from the
 * first question on. */
static int extreme_of_role(struct hd_engine *e, int role, enum hd_key key,
                           const struct hd_filter *f, bool most) {
    struct hd_role *r = &e->role[role];
    int best = -1;
    int64_t best_key = 0;
    for (int shape = 0; shape < e->shapes; shape++) {
        struct hd_index *x = index_of(e, role, shape, key);
        bool *asked = most ? &x->asked_most : &x->asked_least;
        if (!*asked) {
            *asked = true;
            r->asked |= 1 << key;
            for (int n = 0; n < r->members; n++)
                if (e->instance[r->member[n]].shape == shape)
                    place(e, x, r->member[n], key);
        }
        const struct hd_index_heap *h = most ? &x->most : &x->least;
        if (h->count == 0 || !holds(e, &e->instance[h->node[0].id], f)) continue;
        if (best >= 0 && (h->node[0].key > best_key ||
                          (h->node[0].key == best_key && h->node[0].id > best)))
            continue;
        best = h->node[0].id;
        best_key = h->node[0].key;
    }
    return best;
}

/* A model with more instances than this is likely to have the best of the role. */
enum { HOLDERS_MANY = 64 };

static int extreme(struct hd_engine *e, int role, enum hd_key key, struct hd_filter f,
                   bool most) {
    if (f.model < 0) return extreme_of_role(e, role, key, &f, most);
    const struct hd_model_state *m = &e->model[f.model];
    /* queue_s moves without its index being told */
    if (m->holders > HOLDERS_MANY && key != HD_KEY_QUEUE_S) {
        int best = extreme_of_role(e, role, key, &f, most);
        int at = best < 0 ? m->holders : holder_at(m, best);
        if (at < m->holders && m->holder[at] == best) return best;
    }
    return extreme_of_model(e, role, key, &f, most);
}

int hd_ask_least(struct hd_engine *e, int role, enum hd_key key, struct hd_filter f) {
    return extreme(e, role, key, f, false);
}

int hd_ask_most(struct hd_engine *e, int role, enum hd_key key, struct hd_filter f) {
    return extreme(e, role, key, f, true);
}

int hd_ask_each(struct hd_engine *e, int role, struct hd_filter f, const int **out) {
    const int32_t *from = e->role[role].member;
    int count = e->role[role].members, kept = 0;
    if (f.model >= 0) {
        from = e->model[f.model].holder;
        count = e->model[f.model].holders;
    }
    e->scratch = hd_grow(e->scratch, &e->scratch_capacity, count, sizeof *e->scratch);
    for (int n = 0; n < count; n++) {
        const struct hd_instance *i = &e->instance[from[n]];
        if (i->role == role && holds(e, i, &f)) e->scratch[kept++] = from[n];
    }
    *out = e->scratch;
    return kept;
}

int hd_ask_count(struct hd_engine *e, int role, struct hd_filter f) {
    if (f.model < 0 && f.req.slot < 0) return e->role[role].members;
    const int *ignored;
    return hd_ask_each(e, role, f, &ignored);
}

int hd_ask_held(struct hd_engine *e, int model, const struct hd_req **out) {
    int kept = 0;
    e->held_scratch = hd_grow(e->held_scratch, &e->held_capacity, e->held.count + 1,
                              sizeof *e->held_scratch);
    for (int s = e->held.count ? e->held.first : -1; s >= 0; s = e->request[s].next)
        if (model < 0 || e->request[s].model == model)
            e->held_scratch[kept++] = hd_req_of(e, s);
    *out = e->held_scratch;
    return kept;
}

struct hd_grp hd_ask_find(struct hd_engine *e, struct hd_req req, int role,
                          int max_waiting, int max_size, int room) {
    const struct hd_request *r = &e->request[req.slot];
    for (int g = e->model[r->model].first_group; g >= 0; g = e->group[g].model_next) {
        const struct hd_group *group = &e->group[g];
        const struct hd_instance *i = &e->instance[group->instance];
        if (i->role != role || i->closing) continue;
        if (max_waiting >= 0 && group->waiting.count >= max_waiting) continue;
        if (max_size >= 0 && group->size >= max_size) continue;
        if (!holds(e, i, &(struct hd_filter){-1, req})) continue;
        if (room >= 0 && !hd_ask_group_fits(e, hd_grp_of(e, g), req, room)) continue;
        return hd_grp_of(e, g);
    }
    return HD_NO_GRP;
}
