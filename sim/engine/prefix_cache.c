/* The cache of prompts' blocks: runs in a hash table and in a list. Indices, not
 * pointers, so that it grows in place. */
#include "engine/prefix_cache.h"

#include <stdlib.h>

#include "base/mem.h"

/* Spreads a number over all 64 bits (the finaliser of SplitMix64, Steele et al. 2014).
 */
static uint64_t spread(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t hd_chain_begin(int model) {
    return spread((uint64_t)model);
}

uint64_t hd_chain_next(uint64_t before, uint64_t id) {
    return spread(spread(before) + id);
}

/* Blocks of the cache that lie within the first `count` of the trace. */
static int64_t end_of(const struct hd_prompt_chain *c, int64_t count) {
    return count * c->block_tokens / HD_BLOCK_TOKENS;
}

static uint64_t key_of(uint64_t hash, int64_t block) {
    return spread(hash + (uint64_t)block);
}

/* ---- the table ----------------------------------------------------------- */

struct hd_prefix_cache *hd_prefix_cache_new(void) {
    struct hd_prefix_cache *c = hd_alloc(sizeof *c);
    c->oldest = c->newest = c->free = -1;
    return c;
}

void hd_prefix_cache_free(struct hd_prefix_cache *c) {
    if (!c) return;
    free(c->run);
    free(c->bucket);
    free(c->scratch);
    free(c);
}

static int32_t *bucket_of(const struct hd_prefix_cache *c, uint64_t key) {
    return &c->bucket[key & (uint64_t)(c->buckets - 1)];
}

static int32_t find(const struct hd_prefix_cache *c, uint64_t key) {
    if (c->buckets == 0) return -1;
    int32_t at = *bucket_of(c, key);
    while (at >= 0 && c->run[at].key != key) at = c->run[at].next;
    return at;
}

static void link_bucket(struct hd_prefix_cache *c, int32_t at) {
    int32_t *bucket = bucket_of(c, c->run[at].key);
    c->run[at].next = *bucket;
    *bucket = at;
}

static void grow(struct hd_prefix_cache *c) {
    c->buckets = c->buckets ? 2 * c->buckets : 256;
    c->bucket = hd_realloc(c->bucket, (size_t)c->buckets * sizeof *c->bucket);
    for (int n = 0; n < c->buckets; n++) c->bucket[n] = -1;
    for (int32_t n = 0; n < c->runs; n++)
        if (c->run[n].blocks) link_bucket(c, n);
}

static int32_t add(struct hd_prefix_cache *c, struct hd_prefix_run run) {
    if (c->live >= c->buckets) grow(c);
    int32_t at = c->free;
    if (at >= 0) {
        c->free = c->run[at].next;
    } else {
        c->run = hd_grow(c->run, &c->capacity, c->runs + 1, sizeof *c->run);
        at = c->runs++;
    }
    c->run[at] = run;
    link_bucket(c, at);
    c->live++;
    return at;
}

static void forget(struct hd_prefix_cache *c, int32_t at) {
    int32_t *from = bucket_of(c, c->run[at].key);
    while (*from != at) from = &c->run[*from].next;
    *from = c->run[at].next;
    c->run[at].blocks = 0;
    c->run[at].next = c->free;
    c->free = at;
    c->live--;
}

/* ---- the list of those that nobody holds --------------------------------- */

/* Newer than `older`; -1: the oldest of all. */
static void link_list(struct hd_prefix_cache *c, int32_t at, int32_t older) {
    struct hd_prefix_run *r = &c->run[at];
    r->older = older;
    r->newer = older >= 0 ? c->run[older].newer : c->oldest;
    if (older >= 0)
        c->run[older].newer = at;
    else
        c->oldest = at;
    if (r->newer >= 0)
        c->run[r->newer].older = at;
    else
        c->newest = at;
}

static void unlink_list(struct hd_prefix_cache *c, int32_t at) {
    struct hd_prefix_run *r = &c->run[at];
    if (r->older >= 0)
        c->run[r->older].newer = r->newer;
    else
        c->oldest = r->newer;
    if (r->newer >= 0)
        c->run[r->newer].older = r->older;
    else
        c->newest = r->older;
}

/* ---- walking along a prompt ---------------------------------------------- */

/* A prompt's blocks, run by run. */
struct walk {
    const struct hd_prefix_cache *cache;
    const struct hd_prompt_chain *chain;
    int64_t block, limit; /* the next one; no further than this */
    int at;               /* block of the trace that it lies in */
    int64_t taken;        /* blocks of the present run within the limit */
};

static struct walk walk_of(const struct hd_prefix_cache *cache,
                           const struct hd_prompt_chain *chain, int64_t limit) {
    int64_t all = end_of(chain, chain->count);
    return (struct walk){cache, chain, 0, limit < all ? limit : all, 0, 0};
}

/* The next run; -1 at the end, or where a block is not there. */
static int32_t step(struct walk *w) {
    w->block += w->taken;
    w->taken = 0;
    if (w->block >= w->limit) return -1;
    while (end_of(w->chain, w->at + 1) <= w->block) w->at++;
    int32_t found = find(w->cache, key_of(w->chain->hash[w->at], w->block));
    if (found < 0) return -1;
    int64_t left = w->limit - w->block;
    w->taken = w->cache->run[found].blocks < left ? w->cache->run[found].blocks : left;
    return found;
}

int32_t hd_prefix_cache_run(const struct hd_prefix_cache *c,
                            const struct hd_prompt_chain *chain, int64_t block) {
    int at = 0;
    while (end_of(chain, at + 1) <= block) at++;
    return find(c, key_of(chain->hash[at], block));
}

int64_t hd_prefix_cache_find(const struct hd_prefix_cache *c,
                             const struct hd_prompt_chain *chain, int64_t limit,
                             int64_t *held) {
    struct walk w = walk_of(c, chain, limit);
    *held = 0;
    for (int32_t at; (at = step(&w)) >= 0;)
        if (c->run[at].holders) *held += w.taken;
    return w.block;
}

/* Its blocks from the one at `first` (> 0) on become a run of their own. */
static void split(struct hd_prefix_cache *c, int32_t at, uint64_t key, int64_t first) {
    struct hd_prefix_run rest = c->run[at];
    rest.key = key;
    rest.blocks -= (int32_t)first;
    c->run[at].blocks = (int32_t)first;
    int32_t behind = add(c, rest);
    if (rest.holders == 0) link_list(c, behind, c->run[at].older); /* goes first */
}

int64_t hd_prefix_cache_hold(struct hd_prefix_cache *c,
                             const struct hd_prompt_chain *chain, int64_t limit,
                             int64_t block_bytes, int64_t *woken) {
    struct walk w = walk_of(c, chain, limit);
    *woken = 0;
    for (int32_t at; (at = step(&w)) >= 0;) {
        if (w.taken < c->run[at].blocks)
            split(c, at, key_of(chain->hash[w.at], w.block + w.taken), w.taken);
        if (c->run[at].holders++ > 0) continue;
        unlink_list(c, at);
        *woken += w.taken;
    }
    c->idle_bytes -= *woken * block_bytes;
    return w.block;
}

int64_t hd_prefix_cache_add(struct hd_prefix_cache *c,
                            const struct hd_prompt_chain *chain, int64_t from,
                            int64_t to) {
    for (int n = 0; n < chain->count && from < to; n++) {
        int64_t end = end_of(chain, n + 1);
        if (end <= from) continue;
        if (end > to) end = to;
        uint64_t key = key_of(chain->hash[n], from);
        if (find(c, key) >= 0) break;
        add(c, (struct hd_prefix_run){.key = key,
                                      .model = chain->model,
                                      .blocks = (int32_t)(end - from),
                                      .holders = 1});
        from = end;
    }
    return from;
}

int64_t hd_prefix_cache_release(struct hd_prefix_cache *c,
                                const struct hd_prompt_chain *chain, int64_t blocks,
                                int64_t block_bytes, bool keep) {
    struct walk w = walk_of(c, chain, blocks);
    int64_t idle = 0;
    int count = 0;
    for (int32_t at; (at = step(&w)) >= 0;) {
        c->scratch =
            hd_grow(c->scratch, &c->scratch_capacity, count + 1, sizeof *c->scratch);
        c->scratch[count++] = at;
    }
    while (count > 0) { /* its last first */
        int32_t at = c->scratch[--count];
        if (--c->run[at].holders > 0) continue;
        idle += c->run[at].blocks;
        if (keep)
            link_list(c, at, c->newest);
        else
            forget(c, at);
    }
    if (keep) c->idle_bytes += idle * block_bytes;
    return idle;
}

/* ---- forgetting ---------------------------------------------------------- */

void hd_prefix_cache_evict(struct hd_prefix_cache *c, int64_t bytes,
                           const int64_t *block_bytes) {
    while (bytes > 0 && c->oldest >= 0) {
        int32_t at = c->oldest;
        int64_t size = block_bytes[c->run[at].model];
        int64_t blocks = (bytes + size - 1) / size;
        if (blocks > c->run[at].blocks) blocks = c->run[at].blocks;
        bytes -= blocks * size;
        c->idle_bytes -= blocks * size;
        if (blocks < c->run[at].blocks) {
            c->run[at].blocks -= (int32_t)blocks; /* its last go */
            continue;
        }
        unlink_list(c, at);
        forget(c, at);
    }
}

void hd_prefix_cache_drop(struct hd_prefix_cache *c, int model, int64_t block_bytes) {
    int32_t newer;
    for (int32_t at = c->oldest; at >= 0; at = newer) {
        newer = c->run[at].newer;
        if (c->run[at].model != model) continue;
        c->idle_bytes -= c->run[at].blocks * block_bytes;
        unlink_list(c, at);
        forget(c, at);
    }
}
