/* Groups: requests of one model on one instance, first come first served. */
#include <string.h>

#include "engine/parts.h"

/* ---- lists of requests in order of id; the usual insertion is at the tail ---- */

void hd_list_insert(struct hd_engine *e, struct hd_list *list, int slot) {
    struct hd_request *all = e->request;
    if (list->count == 0) list->first = list->last = -1;
    int after = list->last;
    while (after >= 0 && all[after].id > all[slot].id) after = all[after].prev;
    int next = after >= 0 ? all[after].next : list->first;
    all[slot].prev = after;
    all[slot].next = next;
    if (after >= 0)
        all[after].next = slot;
    else
        list->first = slot;
    if (next >= 0)
        all[next].prev = slot;
    else
        list->last = slot;
    list->count++;
}

void hd_list_remove(struct hd_engine *e, struct hd_list *list, int slot) {
    struct hd_request *r = &e->request[slot];
    if (r->prev >= 0)
        e->request[r->prev].next = r->next;
    else
        list->first = r->next;
    if (r->next >= 0)
        e->request[r->next].prev = r->prev;
    else
        list->last = r->prev;
    r->prev = r->next = -1;
    if (--list->count == 0) list->first = list->last = -1;
}

/* ---- groups -------------------------------------------------------------- */

/* The open groups of a model stand in order of (instance, age). */
static void model_link(struct hd_engine *e, int group) {
    struct hd_group *g = &e->group[group];
    struct hd_model_state *m = &e->model[g->model];
    int after = m->last_group;
    while (after >= 0 &&
           (e->group[after].instance > g->instance ||
            (e->group[after].instance == g->instance && e->group[after].age > g->age)))
        after = e->group[after].model_prev;
    g->model_prev = after;
    g->model_next = after >= 0 ? e->group[after].model_next : m->first_group;
    if (after >= 0)
        e->group[after].model_next = group;
    else
        m->first_group = group;
    if (g->model_next >= 0)
        e->group[g->model_next].model_prev = group;
    else
        m->last_group = group;
}

static void model_unlink(struct hd_engine *e, int group) {
    struct hd_group *g = &e->group[group];
    struct hd_model_state *m = &e->model[g->model];
    if (g->model_prev >= 0)
        e->group[g->model_prev].model_next = g->model_next;
    else
        m->first_group = g->model_next;
    if (g->model_next >= 0)
        e->group[g->model_next].model_prev = g->model_prev;
    else
        m->last_group = g->model_prev;
}

/* A new open group on the instance, behind another one (-1: at the tail). */
int hd_group_new(struct hd_engine *e, int instance, int model, int behind) {
    int slot = e->free_group;
    int32_t serial = 0;
    if (slot >= 0) {
        serial = e->group[slot].serial;
        e->free_group = e->group[slot].next;
    } else {
        e->group =
            hd_grow(e->group, &e->group_capacity, e->groups + 1, sizeof *e->group);
        slot = e->groups++;
    }
    struct hd_group *g = &e->group[slot];
    struct hd_instance *i = &e->instance[instance];
    memset(g, 0, sizeof *g);
    g->serial = serial;
    g->model = model;
    g->instance = instance;
    g->age = e->group_ages++;
    g->waiting = g->ready = (struct hd_list){-1, -1, 0};
    if (behind < 0) behind = i->last_group;
    g->prev = behind;
    g->next = behind >= 0 ? e->group[behind].next : -1;
    if (behind >= 0)
        e->group[behind].next = slot;
    else
        i->first_group = slot;
    if (g->next >= 0)
        e->group[g->next].prev = slot;
    else
        i->last_group = slot;
    i->groups++;
    model_link(e, slot);
    hd_holder_add(e, model, instance);
    hd_index_touch(e, i);
    return slot;
}

static void close_group(struct hd_engine *e, int slot) {
    struct hd_group *g = &e->group[slot];
    int instance = g->instance;
    struct hd_instance *i = &e->instance[instance];
    if (g->prev >= 0)
        e->group[g->prev].next = g->next;
    else
        i->first_group = g->next;
    if (g->next >= 0)
        e->group[g->next].prev = g->prev;
    else
        i->last_group = g->prev;
    i->groups--;
    model_unlink(e, slot);
    hd_holder_remove(e, g->model, instance);
    if (e->policy->forget_group)
        e->policy->forget_group(e->policy->state, hd_grp_of(e, slot));
    g->instance = -1;
    g->serial++;
    g->next = e->free_group;
    e->free_group = slot;
    hd_index_touch(e, i);
    hd_instance_maybe_close(e, i);
}

void hd_group_close_if_empty(struct hd_engine *e, int group) {
    struct hd_group *g = &e->group[group];
    if (g->instance < 0 || g->size > 0 || !g->had_members) return;
    if (e->instance[g->instance].turn == group) return;
    close_group(e, group);
}

void hd_group_waiting_add(struct hd_engine *e, int group, int slot) {
    struct hd_group *g = &e->group[group];
    struct hd_request *r = &e->request[slot];
    struct hd_instance *i = &e->instance[g->instance];
    int64_t tokens = (int64_t)r->input + r->emitted;
    r->state = HD_REQ_WAITING;
    r->seen_at = -1;
    hd_list_insert(e, &g->waiting, slot);
    g->waiting_tokens += tokens;
    g->residue[tokens % HD_BLOCK_TOKENS]++;
    i->waiting++;
    i->waiting_tokens += tokens;
    hd_index_touch(e, i);
}

void hd_group_waiting_remove(struct hd_engine *e, int group, int slot) {
    struct hd_group *g = &e->group[group];
    struct hd_request *r = &e->request[slot];
    struct hd_instance *i = &e->instance[g->instance];
    int64_t tokens = (int64_t)r->input + r->emitted;
    hd_list_remove(e, &g->waiting, slot);
    g->waiting_tokens -= tokens;
    g->residue[tokens % HD_BLOCK_TOKENS]--;
    i->waiting--;
    i->waiting_tokens -= tokens;
    hd_index_touch(e, i);
}

void hd_group_ready_add(struct hd_engine *e, int group, int slot) {
    struct hd_group *g = &e->group[group];
    struct hd_request *r = &e->request[slot];
    r->state = HD_REQ_READY;
    r->seen_at = -1;
    hd_list_insert(e, &g->ready, slot);
    g->ready_context += hd_kv_tokens(r);
    g->residue[hd_kv_tokens(r) % HD_BLOCK_TOKENS]++;
    g->ready_blocks += hd_blocks_of(hd_kv_tokens(r));
}

void hd_group_ready_remove(struct hd_engine *e, int group, int slot) {
    struct hd_group *g = &e->group[group];
    struct hd_request *r = &e->request[slot];
    hd_list_remove(e, &g->ready, slot);
    g->ready_context -= hd_kv_tokens(r);
    g->residue[hd_kv_tokens(r) % HD_BLOCK_TOKENS]--;
    g->ready_blocks -= hd_blocks_of(hd_kv_tokens(r));
}

void hd_group_add(struct hd_engine *e, int group, int slot) {
    struct hd_group *g = &e->group[group];
    struct hd_request *r = &e->request[slot];
    struct hd_instance *i = &e->instance[g->instance];
    hd_request_regroup(e, r, group);
    if (g->size++ == 0) i->with_work++;
    g->had_members = true;
    i->requests++;
    if (r->kv == HD_KV_NONE)
        hd_group_waiting_add(e, group, slot);
    else
        hd_group_ready_add(e, group, slot);
    hd_index_touch(e, i);
    hd_instance_work(e, i, slot);
}

void hd_group_remove(struct hd_engine *e, int slot) {
    struct hd_request *r = &e->request[slot];
    int group = r->group;
    struct hd_group *g = &e->group[group];
    struct hd_instance *i = &e->instance[g->instance];
    if (r->state == HD_REQ_WAITING)
        hd_group_waiting_remove(e, group, slot);
    else if (r->state == HD_REQ_READY)
        hd_group_ready_remove(e, group, slot);
    hd_request_regroup(e, r, -1);
    if (--g->size == 0) i->with_work--;
    i->requests--;
    hd_index_touch(e, i);
}
