/* Transfers on paths: over which links bytes go, and the events of their ends. */
#include "engine/parts.h"

/* The event of a link is the first end of the jobs whose path begins there. */
static void reschedule(struct hd_engine *e) {
    const int32_t *link;
    for (int n = hd_network_touched(e->network, &link); n > 0; n--) {
        hd_tick next = hd_network_next(e->network, link[n - 1]);
        if (next < HD_TICK_NEVER)
            hd_events_set(&e->events, link[n - 1], next);
        else
            hd_events_remove(&e->events, link[n - 1]);
    }
}

void hd_path_add(struct hd_path *p, int link) {
    if (link >= 0) p->link[p->links++] = link;
}

/* PCIe first: jobs that end together are ended GPU by GPU. */
struct hd_path hd_path_gpu(const struct hd_engine *e, int gpu, bool out) {
    const struct hd_gpu *g = &e->gpu[gpu];
    struct hd_path p = {.links = 0};
    hd_path_add(&p, out ? e->gpu_link_out[gpu] : e->gpu_link_in[gpu]);
    hd_path_add(&p, g->both);
    hd_path_add(&p, out ? g->switch_out : g->switch_in);
    return p;
}

/* A load onto a GPU: what comes from disk or over the network is written into the
 * host's memory, and read from there. */
struct hd_path hd_path_load(const struct hd_engine *e, int gpu, enum hd_tier from) {
    const struct hd_node *n = &e->node[e->gpu[gpu].node];
    struct hd_path p = hd_path_gpu(e, gpu, false);
    hd_path_add(&p, n->host);
    if (from == HD_TIER_HOST) return p;
    hd_path_add(&p, n->host);
    struct hd_path rest = hd_path_host(e, e->gpu[gpu].node, from);
    for (int l = 0; l < rest.links; l++)
        if (rest.link[l] != n->host) hd_path_add(&p, rest.link[l]);
    return p;
}

struct hd_path hd_path_host(const struct hd_engine *e, int node, enum hd_tier from) {
    const struct hd_node *n = &e->node[node];
    struct hd_path p = {.links = 0};
    if (from == HD_TIER_DISK) hd_path_add(&p, n->disk);
    if (from == HD_TIER_REMOTE) hd_path_add(&p, n->nic);
    if (from == HD_TIER_REMOTE) hd_path_add(&p, e->remote);
    hd_path_add(&p, n->host);
    return p;
}

enum hd_tier hd_tier_of(const struct hd_engine *e, int node, int model) {
    const struct hd_node *n = &e->node[node];
    if (n->cached[model].there) return HD_TIER_HOST;
    return e->link[n->disk].bytes_per_s > 0 ? HD_TIER_DISK : HD_TIER_REMOTE;
}

/* Classes in the order of enum hd_links' comment. */
static int class_of(const struct hd_transfer *t) {
    return t->kind != HD_MOVE_LOAD ? 1 : t->demanded ? 0 : 2;
}

void hd_transfer_path(struct hd_engine *e, int transfer, const struct hd_path *p,
                      double bytes) {
    if (!e->network) {
        HD_CHECK(p->links == 1);
        const struct hd_link *l = &e->link[p->link[0]];
        hd_transfer_job(e, transfer, p->link[0], hd_link_demand(l, bytes));
        return;
    }
    struct hd_transfer *t = &e->transfer[transfer];
    t->parts++;
    hd_network_start(e->network, e->now, p, class_of(t), bytes, transfer);
    reschedule(e);
}

/* The links that a load of the instance may cross, of which each of its jobs crosses
 * one; of a job into the host's buffers the last two. */
static int load_links(const struct hd_engine *e, const struct hd_instance *i,
                      int link[HD_GPUS_PER_INSTANCE_MAX + 2]) {
    int links = 0;
    for (int g = 0; g < i->tp; g++) link[links++] = e->gpu_link_in[i->gpu[g]];
    link[links++] = e->node[i->node].disk;
    link[links++] = e->node[i->node].nic;
    return links;
}

void hd_path_hasten(struct hd_engine *e, const struct hd_instance *i, int transfer) {
    int link[HD_GPUS_PER_INSTANCE_MAX + 2], links = load_links(e, i, link);
    e->transfer[transfer].demanded = true;
    for (int l = 0; l < links; l++) {
        hd_network_reclass(e->network, e->now, link[l], transfer, 0);
        reschedule(e);
    }
}

void hd_path_cancel(struct hd_engine *e, const struct hd_instance *i, int transfer) {
    int link[HD_GPUS_PER_INSTANCE_MAX + 2], links = load_links(e, i, link);
    for (int l = 0; l < links; l++)
        while (hd_network_stop(e->network, e->now, link[l], transfer)) {
            e->transfer[transfer].parts--;
            reschedule(e);
        }
}

void hd_path_event(struct hd_engine *e, int link) {
    int32_t transfer;
    while ((transfer = hd_network_take(e->network, e->now, link)) >= 0) {
        reschedule(e);
        if (--e->transfer[transfer].parts == 0) hd_transfer_done(e, transfer);
    }
}

const char *hd_links_name(int links) {
    static const char *const name[] = {"alone", "fair", "weighted", "strict"};
    return name[links];
}
