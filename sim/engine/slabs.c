/* KV in slabs: each lies in one shape of KV, that is, bytes per block, on a GPU. Blocks
 * lie as close as they can: a shape has no more slabs than its blocks need. So what is
 * lost to fragmentation is a lower bound for an allocator that cannot move blocks. */
#include "engine/parts.h"

/* Blocks of the shape of KV, as of now: those of a plan grow unseen. */
static int64_t blocks_now(const struct hd_engine *e, const struct hd_instance *i,
                          int kv_shape) {
    int64_t blocks = i->slab_blocks[kv_shape];
    if (i->phase != HD_PHASE_DECODE) return blocks;
    int model = e->group[i->turn].model;
    if (e->shape[i->shape].kv_shape[model] != kv_shape) return blocks;
    int64_t grown = hd_instance_kv_planned(e, i) - i->kv;
    return blocks + grown / hd_block_bytes(e, i, model);
}

static int64_t slabs_of(int64_t blocks, int64_t blocks_per_slab) {
    return (blocks + blocks_per_slab - 1) / blocks_per_slab;
}

static int64_t per_slab(const struct hd_engine *e, int shape, int model) {
    return e->config->serving.slab_bytes / e->shape[shape].block_bytes[model];
}

/* Slabs beyond those taken that so many more blocks of the model need. */
static int64_t more_slabs(const struct hd_engine *e, const struct hd_instance *i,
                          int model, int64_t blocks) {
    int64_t per = per_slab(e, i->shape, model);
    int64_t now = blocks_now(e, i, e->shape[i->shape].kv_shape[model]);
    return slabs_of(now + blocks, per) - slabs_of(now, per);
}

void hd_slabs_take(struct hd_engine *e, struct hd_instance *i, int model,
                   int64_t blocks) {
    int64_t per = per_slab(e, i->shape, model);
    int64_t *here = &i->slab_blocks[e->shape[i->shape].kv_shape[model]];
    i->slabs -= slabs_of(*here, per);
    *here += blocks;
    i->slabs += slabs_of(*here, per);
    HD_CHECK(*here >= 0);
}

int64_t hd_slabs_held(const struct hd_engine *e, const struct hd_instance *i) {
    int64_t slabs = i->slabs;
    if (i->phase == HD_PHASE_DECODE) {
        int model = e->group[i->turn].model;
        int kv_shape = e->shape[i->shape].kv_shape[model];
        int64_t per = per_slab(e, i->shape, model);
        slabs += slabs_of(blocks_now(e, i, kv_shape), per) -
                 slabs_of(i->slab_blocks[kv_shape], per);
    }
    return slabs * e->config->serving.slab_bytes;
}

int64_t hd_pool_blocks(const struct hd_engine *e, int shape, int model, int64_t bytes) {
    int64_t slab = e->config->serving.slab_bytes;
    if (bytes < 0) return 0;
    if (slab > 0) return bytes / slab * per_slab(e, shape, model);
    return bytes / e->shape[shape].block_bytes[model];
}

int64_t hd_room_blocks(const struct hd_engine *e, const struct hd_instance *i,
                       int model) {
    int64_t free = hd_free_kv_bytes(e, i);
    if (!i->slab_blocks) return free / hd_block_bytes(e, i, model);
    int64_t per = per_slab(e, i->shape, model);
    int64_t now = blocks_now(e, i, e->shape[i->shape].kv_shape[model]);
    return hd_pool_blocks(e, i->shape, model, free) + slabs_of(now, per) * per - now;
}

int64_t hd_kv_need_bytes(const struct hd_engine *e, const struct hd_instance *i,
                         int model, int64_t blocks, int other, int64_t other_blocks) {
    if (!i->slab_blocks)
        return blocks * hd_block_bytes(e, i, model) +
               (other_blocks > 0 ? other_blocks * hd_block_bytes(e, i, other) : 0);
    const int32_t *kv_shape = e->shape[i->shape].kv_shape;
    int64_t slabs;
    if (other_blocks > 0 && kv_shape[model] == kv_shape[other])
        slabs = more_slabs(e, i, model, blocks + other_blocks);
    else
        slabs = more_slabs(e, i, model, blocks) +
                (other_blocks > 0 ? more_slabs(e, i, other, other_blocks) : 0);
    return slabs * e->config->serving.slab_bytes;
}
