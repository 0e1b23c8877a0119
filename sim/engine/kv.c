/* How KV moves: out to the host, in from the host or another GPU, and what is lost. */
#include <stdlib.h>

#include "engine/parts.h"

/* ---- KV out: GPU to host ------------------------------------------------- */

static void chain(struct hd_engine *e, int transfer, int slot) {
    struct hd_transfer *t = &e->transfer[transfer];
    t->request = hd_grow(t->request, &t->capacity, t->requests + 1, sizeof *t->request);
    t->request[t->requests++] = slot;
    e->request[slot].transfer = transfer;
    e->request[slot].kv = HD_KV_MOVING;
}

/* Tells whoever runs the request's group that something changed for it. */
static void tell_group(struct hd_engine *e, int slot) {
    const struct hd_request *r = &e->request[slot];
    if (r->group < 0) return;
    struct hd_instance *i = &e->instance[e->group[r->group].instance];
    if (i->turn == r->group)
        hd_instance_cut(e, i);
    else
        hd_instance_work(e, i, slot);
}

/* Its idle KV is gone; a member is prefilled again. */
void hd_kv_lose(struct hd_engine *e, int slot) {
    hd_kv_drop(e, slot);
    struct hd_request *r = &e->request[slot];
    if (r->group >= 0 && r->state == HD_REQ_READY) {
        hd_group_ready_remove(e, r->group, slot);
        hd_group_waiting_add(e, r->group, slot);
        tell_group(e, slot);
    }
}

/* How many requests' KV goes in one piece. */
static int piece(const struct hd_engine *e, const struct hd_transfer *t) {
    return e->config->switching.kv_events ? t->arrived + 1 : t->requests;
}

/* Starts the next piece of a transfer to the host, from its request `arrived` on. */
static void send_out(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    const struct hd_instance *i = &e->instance[t->instance];
    double bytes = 0;
    for (int n = t->arrived, end = piece(e, t); n < end; n++) {
        const struct hd_request *r = &e->request[t->request[n]];
        bytes += (double)hd_kv_tokens(r) * (double)hd_block_bytes(e, i, r->model) /
                 HD_BLOCK_TOKENS;
    }
    t->bytes += bytes * i->tp;
    for (int g = 0; g < i->tp; g++) {
        struct hd_path path = hd_path_gpu(e, i->gpu[g], true);
        hd_path_add(&path, e->node[i->node].host);
        hd_transfer_path(e, transfer, &path, bytes);
    }
}

/* Idle KV of these requests leaves for the host; without room there it is lost. */
bool hd_kv_out(struct hd_engine *e, struct hd_instance *i, const int32_t *slots,
               int count) {
    int transfer = -1;
    int64_t tokens = 0;
    for (int n = 0; n < count; n++) {
        struct hd_request *r = &e->request[slots[n]];
        int64_t bytes = hd_whole_kv_bytes(e, r);
        if (!hd_dram_room(e, i->node, bytes)) {
            hd_kv_lose(e, slots[n]);
            continue;
        }
        hd_idle_kv_remove(e, i, slots[n]);
        hd_host_kv(e, i->node, bytes);
        if (e->config->switching.kv_out_free) {
            hd_kv_leave(e, i, slots[n], hd_kv_tokens(r));
            r->kv = HD_KV_HOST;
            r->kv_at = i->node;
            tell_group(e, slots[n]);
            continue;
        }
        if (transfer < 0)
            transfer =
                hd_transfer_new(e, HD_MOVE_OUT, hd_instance_number(e, i), r->model);
        chain(e, transfer, slots[n]);
        tokens += hd_kv_tokens(r);
    }
    if (transfer < 0) return false;
    i->transfers_out++;
    send_out(e, transfer);
    return tokens > 0;
}

/* The idle KV that is not the group's: to the host or dropped, oldest first, until it
 * makes up so many bytes of each GPU (-1: all). Number of requests. */
int hd_kv_out_others(struct hd_engine *e, struct hd_instance *i, int group,
                     int64_t bytes, bool drop) {
    int32_t few[64], *slots = few;
    int count = 0, capacity = 64;
    int64_t found = 0;
    for (int s = i->idle_kv_first; s >= 0 && (bytes < 0 || found < bytes);
         s = e->request[s].kv_next) {
        const struct hd_request *r = &e->request[s];
        if (r->group == group && group >= 0) continue;
        found += hd_blocks_of(hd_kv_tokens(r)) * hd_block_bytes(e, i, r->model);
        if (count == capacity) {
            int32_t *larger = hd_alloc(2 * sizeof *larger * (size_t)capacity);
            for (int n = 0; n < count; n++) larger[n] = slots[n];
            if (slots != few) free(slots);
            slots = larger;
            capacity *= 2;
        }
        slots[count++] = s;
    }
    if (drop) {
        for (int n = 0; n < count; n++) hd_kv_lose(e, slots[n]);
    } else if (count) {
        hd_kv_out(e, i, slots, count);
    }
    if (slots != few) free(slots);
    return count;
}

/* The KV of one request has left. */
static void one_left(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_request *r = &e->request[slot];
    r->transfer = -1;
    hd_kv_leave(e, i, slot, hd_kv_tokens(r));
    r->kv = HD_KV_HOST;
    r->kv_at = i->node;
    if (r->doomed) {
        hd_kv_drop(e, slot);
        hd_request_release(e, slot);
    } else {
        tell_group(e, slot);
    }
}

/* ---- KV in: host, or another instance's GPU, to this one ----------------- */

/* Between GPUs of a node without NVLink it comes over PCIe, like the host's. */
enum { PATH_HOST, PATH_NVLINK, PATH_NIC, PATHS };

/* The node that a request's KV leaves. */
static int node_left(const struct hd_engine *e, const struct hd_request *r) {
    return r->kv_home >= 0 ? r->kv_home : e->instance[r->kv_from].node;
}

/* The next piece of a transfer between nodes: one job for each request and GPU. It is
 * read from the other host's memory, or goes straight from GPU to network (RDMA), and
 * straight to the GPU. */
static void send_from_nodes(struct hd_engine *e, int transfer, double per_token) {
    const struct hd_transfer *t = &e->transfer[transfer];
    const struct hd_instance *i = &e->instance[t->instance];
    for (int k = t->arrived, end = piece(e, t); k < end; k++) {
        const struct hd_request *r = &e->request[t->request[k]];
        const struct hd_node *from = &e->node[node_left(e, r)];
        for (int g = 0; g < i->tp; g++) {
            struct hd_path path = hd_path_gpu(e, i->gpu[g], false);
            hd_path_add(&path, e->node[i->node].nic);
            hd_path_add(&path, from->nic_out);
            if (r->kv_home >= 0) hd_path_add(&path, from->host);
            hd_transfer_path(e, transfer, &path, per_token * (double)hd_kv_tokens(r));
        }
    }
}

/* Starts the next piece of a transfer to a GPU. */
static void send_in(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    const struct hd_instance *i = &e->instance[t->instance];
    const struct hd_node *n = &e->node[i->node];
    double per_token = (double)hd_block_bytes(e, i, t->model) / HD_BLOCK_TOKENS;
    double own = e->config->switching.kv_in_s_per_token;
    int64_t tokens = 0;
    for (int k = t->arrived, end = piece(e, t); k < end; k++)
        tokens += hd_kv_tokens(&e->request[t->request[k]]);
    double bytes = per_token * (double)tokens;
    t->bytes += bytes * i->tp;
    if (own > 0) {
        hd_transfer_job(e, transfer, n->delay, hd_tick_from_s(own * (double)tokens));
        return;
    }
    if (t->path == PATH_NIC && e->network) {
        send_from_nodes(e, transfer, per_token);
        return;
    }
    if (t->path != PATH_HOST) {
        struct hd_path path = {{t->path == PATH_NIC ? n->nic : n->nvlink}, 1};
        hd_transfer_path(e, transfer, &path, per_token * i->tp * (double)tokens);
        return;
    }
    for (int g = 0; g < i->tp; g++) {
        struct hd_path path = hd_path_gpu(e, i->gpu[g], false);
        hd_path_add(&path, n->host);
        hd_transfer_path(e, transfer, &path, bytes);
    }
}

int hd_kv_in(struct hd_engine *e, struct hd_instance *i, int group, int only,
             int most) {
    struct hd_group *g = &e->group[group];
    int transfer[PATHS] = {-1, -1, -1}, started = 0, here = hd_instance_number(e, i);
    int next, there = 0; /* there: or on the way */
    /* the iteration under way may need a block for each at its end */
    int running = i->batch.count ? e->group[i->turn].model : -1;
    for (int s = g->ready.first; s >= 0 && (most < 0 || there < most); s = next) {
        struct hd_request *r = &e->request[s];
        next = r->next;
        if (only >= 0 && s != only) continue;
        if (r->kv == HD_KV_MOVING) {
            there += r->kv_at == here && e->transfer[r->transfer].kind == HD_MOVE_IN;
            continue;
        }
        HD_CHECK(r->kv != HD_KV_NONE);
        there++;
        if (r->kv == HD_KV_GPU && r->kv_at == here) continue;
        int64_t blocks = hd_blocks_of(hd_kv_tokens(r) + 1);
        if (hd_kv_need_bytes(e, i, g->model, blocks, running, i->batch.count) >
            hd_free_kv_bytes(e, i))
            break;
        int node = r->kv == HD_KV_HOST ? r->kv_at : e->instance[r->kv_at].node;
        bool nvlink = e->link[e->node[i->node].nvlink].bytes_per_s > 0;
        int path = node != i->node                  ? PATH_NIC
                   : r->kv == HD_KV_HOST || !nvlink ? PATH_HOST
                                                    : PATH_NVLINK;
        r->kv_home = r->kv == HD_KV_HOST ? r->kv_at : -1;
        r->kv_from = r->kv == HD_KV_GPU ? r->kv_at : -1;
        if (r->kv_from >= 0) hd_idle_kv_remove(e, &e->instance[r->kv_from], s);
        hd_kv_take(e, i, g->model, hd_blocks_of(hd_kv_tokens(r)));
        if (transfer[path] < 0) {
            transfer[path] = hd_transfer_new(e, HD_MOVE_IN, here, g->model);
            e->transfer[transfer[path]].path = (uint8_t)path;
        }
        r->kv_at = here;
        chain(e, transfer[path], s);
        started++;
    }
    if (started && i->phase == HD_PHASE_DECODE) hd_instance_cut(e, i);
    for (int p = 0; p < PATHS; p++) {
        if (transfer[p] < 0) continue;
        i->transfers_in++;
        send_in(e, transfer[p]);
    }
    return started;
}

/* The KV of one request is here. */
static void one_came(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_request *r = &e->request[slot];
    r->transfer = -1;
    if (r->kv_from >= 0) {
        hd_kv_leave(e, &e->instance[r->kv_from], slot, hd_kv_tokens(r));
    } else {
        hd_host_kv(e, r->kv_home, -hd_whole_kv_bytes(e, r));
    }
    r->kv_from = r->kv_home = -1;
    hd_idle_kv_add(e, i, slot);
    if (r->doomed) {
        hd_kv_drop(e, slot);
        hd_request_release(e, slot);
    } else if (r->group >= 0 &&
               e->group[r->group].instance != hd_instance_number(e, i)) {
        tell_group(e, slot); /* it went elsewhere meanwhile */
    }
}

/* An instance died: KV that was leaving it or coming to it is lost. */
void hd_kv_abandon(struct hd_engine *e, int instance) {
    for (int slot = 0; slot < e->requests; slot++) {
        struct hd_request *r = &e->request[slot];
        if (r->kv != HD_KV_MOVING || r->transfer < 0) continue;
        struct hd_transfer *t = &e->transfer[r->transfer];
        if (r->kv_at != instance && r->kv_from != instance) continue;
        struct hd_instance *i = &e->instance[r->kv_at];
        if (t->kind == HD_MOVE_OUT) {
            hd_kv_leave(e, i, slot, hd_kv_tokens(r));
            hd_host_kv(e, i->node, -hd_whole_kv_bytes(e, r));
        } else {
            hd_kv_give(e, i, r->model, hd_blocks_of(hd_kv_tokens(r)));
            if (r->kv_home >= 0)
                hd_host_kv(e, r->kv_home, -hd_whole_kv_bytes(e, r));
            else
                hd_kv_leave(e, &e->instance[r->kv_from], slot, hd_kv_tokens(r));
        }
        r->kv = HD_KV_NONE;
        r->kv_at = r->kv_from = r->kv_home = r->transfer = -1;
        if (r->doomed)
            hd_request_release(e, slot);
        else
            hd_kv_lose(e, slot);
    }
}

/* A piece of KV is through: its requests are, and what is left of them goes next, past
 * those that no longer count. True when none is left. */
static bool kv_done(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    struct hd_instance *i = &e->instance[t->instance];
    bool out = t->kind == HD_MOVE_OUT;
    int from = t->arrived, end = piece(e, t);
    t->arrived = end;
    while (t->arrived < t->requests &&
           e->request[t->request[t->arrived]].transfer != transfer)
        t->arrived++;
    bool all = t->arrived >= t->requests;
    if (all && out)
        i->transfers_out--;
    else if (all)
        i->transfers_in--;
    else if (out)
        send_out(e, transfer);
    else
        send_in(e, transfer);
    for (int n = from; n < end; n++) {
        int slot = t->request[n];
        if (e->request[slot].transfer != transfer) continue;
        if (out)
            one_left(e, i, slot);
        else
            one_came(e, i, slot);
    }
    hd_instance_cut(e, i);
    if (all && out) hd_instance_maybe_close(e, i);
    return all;
}

void hd_transfer_done(struct hd_engine *e, int transfer) {
    struct hd_transfer *t = &e->transfer[transfer];
    if (t->kind == HD_MOVE_LOAD && t->staging) {
        hd_load_send(e, transfer);
        return;
    }
    if (t->kind == HD_MOVE_LOAD)
        hd_load_done(e, t);
    else if (!kv_done(e, transfer))
        return;
    if (e->config->observer) hd_observe_transfer(e, transfer, false);
    hd_transfer_free(e, transfer);
}
