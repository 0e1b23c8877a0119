/* Which blocks of prompts an instance keeps, by what is in them: a cache that many
 * requests read. Internal to the engine; it knows of blocks, not of requests.
 *
 * A block's identity is the whole prompt up to its end. A prompt gives it as a chain:
 * one hash for each block of the trace, over that block and all before it. Blocks of
 * the trace may be longer than the cache's (Mooncake's 512 tokens) or shorter. The
 * cache keeps runs: blocks in a row within one block of the trace, held by the same
 * requests. So a prompt costs as many steps as it has blocks in the trace.
 *
 * Blocks that nobody holds stay, least recently used first in a list. A request lets
 * go of its last block first, so a block always goes before those that it continues:
 * what is kept of a prompt is always its beginning. */
#ifndef HD_ENGINE_PREFIX_CACHE_H
#define HD_ENGINE_PREFIX_CACHE_H

#include <stdbool.h>
#include <stdint.h>

enum { HD_BLOCK_TOKENS = 16 }; /* of the cache, and of KV in general */

struct hd_prompt_chain {
    const uint64_t *hash; /* one for each block of the trace */
    int count;
    int block_tokens; /* of the trace, >= 1 */
    int model;
};

/* Hash of a block with the identity `id` behind those that `before` stands for; 0 and
 * the model's number begin a chain. */
uint64_t hd_chain_begin(int model);
uint64_t hd_chain_next(uint64_t before, uint64_t id);

struct hd_prefix_run {
    uint64_t key; /* of its first block */
    int32_t model, blocks, holders;
    int32_t older, newer; /* in the list, while nobody holds it; -1 at its ends */
    int32_t next;         /* of those in the same bucket, or of the free ones; -1 */
};

struct hd_prefix_cache {
    struct hd_prefix_run *run; /* blocks 0: a free slot */
    int runs, capacity, free, live;
    int32_t *bucket;
    int buckets; /* a power of two */
    int32_t oldest, newest;
    int64_t idle_bytes; /* on each GPU, of blocks that nobody holds */
    int32_t *scratch;
    int scratch_capacity;
};

struct hd_prefix_cache *hd_prefix_cache_new(void);
void hd_prefix_cache_free(struct hd_prefix_cache *);

/* Leading blocks that are there, at most `limit`; *held: of those, held by somebody. */
int64_t hd_prefix_cache_find(const struct hd_prefix_cache *,
                             const struct hd_prompt_chain *, int64_t limit,
                             int64_t *held);
/* Somebody more holds them: as many as find says. *woken: of those, nobody did. */
int64_t hd_prefix_cache_hold(struct hd_prefix_cache *, const struct hd_prompt_chain *,
                             int64_t limit, int64_t block_bytes, int64_t *woken);
/* A holder of the first `from` blocks has computed those up to `to`; from now on they
 * are there, and held by it. Returns how many it holds: fewer than `to` where somebody
 * else's are there already, then its own stay its own. */
int64_t hd_prefix_cache_add(struct hd_prefix_cache *, const struct hd_prompt_chain *,
                            int64_t from, int64_t to);
/* A holder of the first `blocks` lets go. Returns how many nobody holds now: they are
 * kept as those used last, or forgotten. */
int64_t hd_prefix_cache_release(struct hd_prefix_cache *,
                                const struct hd_prompt_chain *, int64_t blocks,
                                int64_t block_bytes, bool keep);
/* Forgets blocks that nobody holds, least recently used first, until so many bytes are
 * free, or none are left. block_bytes: of each model. */
void hd_prefix_cache_evict(struct hd_prefix_cache *, int64_t bytes,
                           const int64_t *block_bytes);
/* Forgets those of a model that nobody holds. */
void hd_prefix_cache_drop(struct hd_prefix_cache *, int model, int64_t block_bytes);

/* The slot of the run that begins with a block of a chain; -1: it is not there. For
 * checks. */
int32_t hd_prefix_cache_run(const struct hd_prefix_cache *,
                            const struct hd_prompt_chain *, int64_t block);

#endif
