/* Prompts that begin alike: what of a request's prompt is in its instance's cache, and
 * who holds it. A request holds the blocks it found there, and those it computed and
 * was the first to put there; all others are its own. */
#include <stdlib.h>
#include <string.h>

#include "engine/parts.h"

void hd_prompt_new(struct hd_engine *e, int slot, const struct hd_arrival *a) {
    if (e->config->prefix_block_tokens <= 0) return;
    e->prompt =
        hd_grow(e->prompt, &e->prompt_capacity, e->requests + 1, sizeof *e->prompt);
    for (; e->prompts <= slot; e->prompts++)
        e->prompt[e->prompts] = (struct hd_prompt){0};
    struct hd_prompt *p = &e->prompt[slot];
    p->chain =
        hd_grow(p->chain, &p->chain_capacity, a->prefix_blocks + 1, sizeof *p->chain);
    uint64_t hash = hd_chain_begin(a->model);
    for (int n = 0; n < a->prefix_blocks; n++)
        p->chain[n] = hash = hd_chain_next(hash, (uint64_t)a->prefix[n]);
    p->chains = a->prefix_blocks;
    p->shared = 0;
    p->found = -1;
    int64_t known = (int64_t)a->prefix_blocks * e->config->prefix_block_tokens;
    p->blocks = (known < a->input_tokens ? known : a->input_tokens) / HD_BLOCK_TOKENS;
}

void hd_prompts_free(struct hd_engine *e) {
    for (int n = 0; n < e->prompts; n++) free(e->prompt[n].chain);
    free(e->prompt);
}

static struct hd_prompt_chain chain_of(const struct hd_engine *e, int slot) {
    const struct hd_prompt *p = &e->prompt[slot];
    return (struct hd_prompt_chain){p->chain, p->chains, e->config->prefix_block_tokens,
                                    e->request[slot].model};
}

/* What may be taken from the cache: at least the last token is computed, for the next
 * one comes of it. */
static int64_t most_found(const struct hd_engine *e, int slot) {
    int64_t most = (hd_prompt_tokens(&e->request[slot]) - 1) / HD_BLOCK_TOKENS;
    return most < e->prompt[slot].blocks ? most : e->prompt[slot].blocks;
}

int64_t hd_prefill_blocks(const struct hd_engine *e, const struct hd_instance *i,
                          int slot) {
    int64_t blocks = hd_blocks_of(hd_prompt_tokens(&e->request[slot])), held;
    if (!i->cache || e->prompt[slot].blocks == 0) return blocks;
    struct hd_prompt_chain chain = chain_of(e, slot);
    hd_prefix_cache_find(i->cache, &chain, most_found(e, slot), &held);
    return blocks - held;
}

int64_t hd_prefix_tokens(const struct hd_engine *e, const struct hd_instance *i,
                         int slot) {
    if (!i->cache || e->prompt[slot].blocks == 0) return 0;
    struct hd_prompt_chain chain = chain_of(e, slot);
    int64_t held;
    return HD_BLOCK_TOKENS *
           hd_prefix_cache_find(i->cache, &chain, most_found(e, slot), &held);
}

int64_t hd_prefix_hold(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_prompt *p = &e->prompt[slot];
    const struct hd_request *r = &e->request[slot];
    int64_t size = hd_block_bytes(e, i, r->model), woken = 0, found = 0;
    if (p->blocks > 0) {
        struct hd_prompt_chain chain = chain_of(e, slot);
        found =
            hd_prefix_cache_hold(i->cache, &chain, most_found(e, slot), size, &woken);
    }
    i->kv += woken * size;
    p->shared = found;
    if (p->found < 0) p->found = found * HD_BLOCK_TOKENS;
    return found;
}

void hd_prefix_computed(struct hd_engine *e, struct hd_instance *i, int slot,
                        int64_t tokens) {
    struct hd_prompt *p = &e->prompt[slot];
    int64_t blocks = tokens / HD_BLOCK_TOKENS;
    if (blocks > p->blocks) blocks = p->blocks;
    if (blocks <= p->shared) return;
    struct hd_prompt_chain chain = chain_of(e, slot);
    p->shared = hd_prefix_cache_add(i->cache, &chain, p->shared, blocks);
}

int64_t hd_prefix_release(struct hd_engine *e, struct hd_instance *i, int slot) {
    struct hd_prompt *p = &e->prompt[slot];
    int64_t shared = p->shared;
    int model = e->request[slot].model;
    if (shared == 0) return 0;
    struct hd_prompt_chain chain = chain_of(e, slot);
    int64_t size = hd_block_bytes(e, i, model);
    i->kv -= size * hd_prefix_cache_release(i->cache, &chain, shared, size,
                                            hd_residence(i, model) != HD_ABSENT);
    p->shared = 0;
    return shared;
}

void hd_prefix_trim(struct hd_engine *e, struct hd_instance *i) {
    int64_t room = hd_free_bytes(e, i), kv_room = hd_free_kv_bytes(e, i);
    if (kv_room < room) room = kv_room;
    if (i->cache->idle_bytes > room)
        hd_prefix_cache_evict(i->cache, i->cache->idle_bytes - room,
                              e->shape[i->shape].block_bytes);
}
