/* Prompts that begin alike. The cache of runs against one of single blocks that anyone
 * can check by eye; and cases whose times can be worked out by hand, in both modes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/prefix_cache.h"
#include "unit/scenario_policy.h"
#include "unit/small_house.h"

/* ---- single blocks, plainly ---------------------------------------------- */

enum { BLOCKS_MOST = 4096, PROMPTS = 24, IDS_MOST = 12, MODELS = 2 };

/* A prompt's block is a text: the model, the number of the block, the ids before. */
struct block {
    int model, number, ids, id[IDS_MOST];
    int holders;
    int64_t used; /* when it was let go; the least goes first */
    bool there;
};

struct plain {
    struct block block[BLOCKS_MOST];
    int blocks;
    int64_t clock;
};

struct prompt {
    int model, ids, id[IDS_MOST];
    uint64_t hash[IDS_MOST];
    int64_t blocks, shared; /* shared: it holds so many */
    bool runs;
};

static struct block text_of(const struct prompt *p, int number, int tokens) {
    struct block b = {.model = p->model, .number = number};
    b.ids = ((number + 1) * HD_BLOCK_TOKENS + tokens - 1) / tokens;
    for (int n = 0; n < b.ids; n++) b.id[n] = p->id[n];
    return b;
}

static struct block *plain_find(struct plain *all, const struct block *text) {
    for (int n = 0; n < all->blocks; n++) {
        struct block *b = &all->block[n];
        if (b->there && b->model == text->model && b->number == text->number &&
            b->ids == text->ids &&
            memcmp(b->id, text->id, sizeof *b->id * (size_t)b->ids) == 0)
            return b;
    }
    return NULL;
}

static struct block *block_of(struct plain *all, const struct prompt *p, int64_t number,
                              int tokens) {
    struct block text = text_of(p, (int)number, tokens);
    return plain_find(all, &text);
}

static void plain_evict(struct plain *all, int64_t bytes, const int64_t *size) {
    while (bytes > 0) {
        struct block *first = NULL;
        for (int n = 0; n < all->blocks; n++) {
            struct block *b = &all->block[n];
            if (b->there && !b->holders && (!first || b->used < first->used)) first = b;
        }
        if (!first) return;
        first->there = false;
        bytes -= size[first->model];
    }
}

static void plain_add(struct plain *all, struct block text) {
    int n = 0;
    while (n < all->blocks && all->block[n].there) n++;
    assert_true(n < BLOCKS_MOST);
    if (n == all->blocks) all->blocks++;
    text.holders = 1;
    text.there = true;
    all->block[n] = text;
}

/* ---- one against the other ----------------------------------------------- */

struct pair {
    struct plain *plain;
    struct hd_prefix_cache *cache;
    int tokens; /* of a block of the trace */
    int64_t size[MODELS];
    uint64_t random;
    int64_t hits, evicted;
};

static int draw(struct pair *p, int below) {
    return (int)draw_below(&p->random, (uint64_t)below);
}

static struct hd_prompt_chain chain_of(const struct pair *p, const struct prompt *q) {
    return (struct hd_prompt_chain){q->hash, q->ids, p->tokens, q->model};
}

/* Few ids, so that many begin alike. */
static void new_prompt(struct pair *p, struct prompt *q) {
    *q = (struct prompt){.model = draw(p, MODELS), .ids = 1 + draw(p, IDS_MOST)};
    uint64_t hash = hd_chain_begin(q->model);
    for (int n = 0; n < q->ids; n++) {
        q->id[n] = draw(p, n < 3 ? 2 : 3);
        q->hash[n] = hash = hd_chain_next(hash, (uint64_t)q->id[n]);
    }
    int64_t most = (int64_t)q->ids * p->tokens;
    q->blocks = (most - draw(p, p->tokens)) / HD_BLOCK_TOKENS;
}

static void begin(struct pair *p, struct prompt *q) {
    struct hd_prompt_chain chain = chain_of(p, q);
    int64_t limit = q->blocks - draw(p, 2), found = 0, held = 0, said, woken;
    if (limit < 0) limit = 0;
    for (struct block *b; found < limit; found++) {
        b = block_of(p->plain, q, found, p->tokens);
        if (!b) break;
        held += b->holders > 0;
    }
    assert_int_equal(hd_prefix_cache_find(p->cache, &chain, limit, &said), found);
    assert_int_equal(said, held);
    assert_int_equal(
        hd_prefix_cache_hold(p->cache, &chain, limit, p->size[q->model], &woken),
        found);
    assert_int_equal(woken, found - held);
    for (int64_t n = 0; n < found; n++) block_of(p->plain, q, n, p->tokens)->holders++;
    q->shared = found;
    q->runs = true;
    p->hits += found;
}

static void compute(struct pair *p, struct prompt *q) {
    struct hd_prompt_chain chain = chain_of(p, q);
    int64_t to = q->shared + draw(p, (int)(q->blocks - q->shared) + 1), at = q->shared;
    for (; at < to; at++) {
        if (block_of(p->plain, q, at, p->tokens)) break;
        plain_add(p->plain, text_of(q, (int)at, p->tokens));
    }
    int64_t said = hd_prefix_cache_add(p->cache, &chain, q->shared, to);
    assert_int_equal(said, at);
    q->shared = said;
}

static void let_go(struct pair *p, struct prompt *q, bool keep) {
    struct hd_prompt_chain chain = chain_of(p, q);
    int64_t idle = 0;
    for (int64_t n = q->shared - 1; n >= 0; n--) {
        struct block *b = block_of(p->plain, q, n, p->tokens);
        if (--b->holders) continue;
        b->used = p->plain->clock++;
        b->there = keep;
        idle++;
    }
    assert_int_equal(
        hd_prefix_cache_release(p->cache, &chain, q->shared, p->size[q->model], keep),
        idle);
    q->runs = false;
}

static int64_t idle_bytes(const struct pair *p) {
    int64_t bytes = 0;
    for (int n = 0; n < p->plain->blocks; n++) {
        const struct block *b = &p->plain->block[n];
        if (b->there && !b->holders) bytes += p->size[b->model];
    }
    return bytes;
}

static void drop_model(struct pair *p, int model) {
    for (int n = 0; n < p->plain->blocks; n++) {
        struct block *b = &p->plain->block[n];
        if (b->there && !b->holders && b->model == model) b->there = false;
    }
    hd_prefix_cache_drop(p->cache, model, p->size[model]);
}

static void runs_are_blocks_in_a_row(void **state) {
    (void)state;
    static const int tokens[] = {16, 16, 64, 512, 8, 24, 40};
    int64_t hits = 0, evicted = 0;
    for (uint64_t seed = 1; seed <= 140; seed++) {
        struct pair p = {.plain = calloc(1, sizeof *p.plain),
                         .cache = hd_prefix_cache_new(),
                         .tokens = tokens[seed % 7],
                         .random = seed};
        for (int m = 0; m < MODELS; m++) p.size[m] = 1 + draw(&p, 40);
        struct prompt prompt[PROMPTS];
        for (int n = 0; n < PROMPTS; n++) new_prompt(&p, &prompt[n]);
        for (int act = 0; act < 300; act++) {
            struct prompt *q = &prompt[draw(&p, PROMPTS)];
            int64_t before = p.cache->idle_bytes;
            switch (draw(&p, 8)) {
            case 0:
                hd_prefix_cache_evict(p.cache, act * 3, p.size);
                plain_evict(p.plain, act * 3, p.size);
                evicted += before - p.cache->idle_bytes;
                break;
            case 1:
                if (draw(&p, 10) == 0) drop_model(&p, draw(&p, MODELS));
                break;
            case 2:
            case 3:
                if (q->runs) let_go(&p, q, draw(&p, 20) > 0);
                if (draw(&p, 3) == 0 && !q->runs) new_prompt(&p, q);
                break;
            default:
                if (q->runs)
                    compute(&p, q);
                else
                    begin(&p, q);
            }
            assert_int_equal(p.cache->idle_bytes, idle_bytes(&p));
        }
        hits += p.hits;
        hd_prefix_cache_free(p.cache);
        free(p.plain);
    }
    assert_true(hits > 10000 && evicted > 10000);
}

/* ---- by hand ------------------------------------------------------------- */

/* A prefill takes 1 ms and 1 ms for each block of 16 tokens that it computes. */
static void build(struct house *h, int block_tokens) {
    house_build(h);
    hd_timing_free(h->timing);
    h->timing = hd_timing_plain(&(struct hd_plain_law){
        .step = MS, .prefill = MS, .token = MS / 16, .stretches = 1});
    h->config.serving.prefix_cache = true;
    h->config.prefix_block_tokens = block_tokens;
}

/* A request on instance 0 whose prompt has these blocks in the trace. */
static void add(struct house *h, int at_ms, int input, int output, const int32_t *id,
                int ids) {
    house_add(h, at_ms, input, output, 0);
    h->arrival[h->arrivals - 1].prefix = id;
    h->arrival[h->arrivals - 1].prefix_blocks = ids;
}

static void expect(struct house *h, int n, int cached, int first_ms) {
    assert_int_equal(h->finished[n].status, HD_STATUS_DONE);
    assert_int_equal(h->finished[n].cached_tokens, cached);
    assert_int_equal(h->finished[n].first_token, first_ms * MS);
}

/* Of 80 tokens 64 are taken: the last block is computed, for its last token is. All 80
 * are where a block more follows; none without the cache, or where nothing is known. */
static void the_same_prompt_again(void **state) {
    (void)state;
    static const int32_t id[] = {7, 8, 9, 10, 11, 12};
    for (int step = 0; step < 2; step++) {
        struct house h;
        build(&h, 16);
        add(&h, 0, 80, 1, id, 5);
        add(&h, 20, 80, 1, id, 5);
        add(&h, 40, 96, 1, id, 6);
        add(&h, 60, 80, 1, NULL, 0);
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect(&h, 0, 0, 6);
        expect(&h, 1, 64, 22);
        expect(&h, 2, 80, 42);
        expect(&h, 3, 0, 66);
        h.config.serving.prefix_cache = false;
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect(&h, 1, -1, 26);
        hd_timing_free(h.timing);
    }
}

/* Two at once: the second finds what the first computes in the same iteration. And a
 * prompt that agrees in its second block only finds nothing. */
static void a_shared_first_block(void **state) {
    (void)state;
    static const int32_t a[] = {1, 2}, b[] = {1, 3}, c[] = {4, 2};
    for (int step = 0; step < 2; step++) {
        struct house h;
        build(&h, 32);
        add(&h, 0, 64, 1, a, 2);
        add(&h, 0, 64, 1, b, 2);
        add(&h, 20, 64, 1, c, 2);
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect(&h, 0, 0, 7); /* 4 + 2 blocks in one prefill */
        expect(&h, 1, 32, 7);
        expect(&h, 2, 0, 25);
        hd_timing_free(h.timing);
    }
}

/* A block of the trace is 32 of the cache's; its partial last one counts as far as
 * whole blocks go: 600 tokens are 37 of them. */
static void long_blocks_of_the_trace(void **state) {
    (void)state;
    static const int32_t a[] = {1, 2}, b[] = {1, 3};
    for (int step = 0; step < 2; step++) {
        struct house h;
        build(&h, 512);
        add(&h, 0, 600, 1, a, 2);
        add(&h, 100, 600, 1, a, 2);
        add(&h, 200, 640, 1, b, 2);
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[0].first_token, MS + 600 * (MS / 16));
        assert_int_equal(h.finished[1].cached_tokens, 37 * 16);
        assert_int_equal(h.finished[2].cached_tokens, 512);
        hd_timing_free(h.timing);
    }
}

/* 125 blocks. 50 of A and 60 of B stay; C of 40 takes 15 free ones and 25 of A's, its
 * last. A again finds its first 25 and takes 25 of B's; C again computes its last
 * block, for which one more of B's goes: 34 are left. */
static void the_least_recently_used_goes_first(void **state) {
    (void)state;
    static const int32_t a[] = {1}, b[] = {2}, c[] = {3};
    for (int step = 0; step < 2; step++) {
        struct house h;
        build(&h, 1600);
        add(&h, 0, 800, 1, a, 1);
        add(&h, 100, 960, 1, b, 1);
        add(&h, 200, 640, 1, c, 1);
        add(&h, 300, 800, 1, a, 1);
        add(&h, 400, 640, 1, c, 1);
        add(&h, 500, 960, 1, b, 1);
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect(&h, 2, 0, 241);
        expect(&h, 3, 400, 326);
        expect(&h, 4, 624, 402);
        expect(&h, 5, 544, 527);
        hd_timing_free(h.timing);
    }
}

/* Two that share 60 of 64 blocks run together where alone they would not fit: 125 are
 * there, and each needs 4 of its own. */
static void shared_blocks_are_there_once(void **state) {
    (void)state;
    static const int32_t a[] = {1, 2}, b[] = {1, 3};
    for (int step = 0; step < 2; step++) {
        struct house h;
        build(&h, 960);
        add(&h, 0, 1024, 30, a, 2);
        add(&h, 66, 1024, 30, b, 2);
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect(&h, 0, 0, 65);
        expect(&h, 1, 960, 71);
        assert_int_equal(h.finished[1].preempted, 0);
        h.config.serving.prefix_cache = false;
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_true(h.finished[1].first_token > 94 * MS); /* once the other is over */
        hd_timing_free(h.timing);
    }
}

/* Two of 992 tokens fill the pool; at the first step the youngest has to go. All of
 * its 61 whole blocks but what the other takes are there when it comes back. */
static void who_is_preempted_finds_its_own(void **state) {
    (void)state;
    static const int32_t a[] = {1}, b[] = {2};
    hd_tick last[2];
    for (int cached = 0; cached < 2; cached++) {
        for (int step = 0; step < 2; step++) {
            struct house h;
            build(&h, 992);
            h.config.serving.prefix_cache = cached;
            h.config.serving.watermark = 0;
            add(&h, 0, 992, 40, a, 1);
            add(&h, 0, 992, 40, b, 1);
            assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
            assert_true(h.finished[1].preempted > 0);
            if (step && cached) assert_int_equal(h.finished[1].last_token, last[1]);
            last[cached] = h.finished[1].last_token;
            hd_timing_free(h.timing);
        }
    }
    /* 62 blocks again, or 3: the first's 40 tokens took two of its last */
    assert_true(last[0] - last[1] >= 55 * MS);
}

/* Chunks of 32 tokens: a prompt of 96 takes three steps, the same again one. */
static void chunks_begin_behind_what_is_cached(void **state) {
    (void)state;
    static const int32_t id[] = {1, 2, 3, 4, 5, 6};
    for (int step = 0; step < 2; step++) {
        struct house h;
        build(&h, 16);
        h.config.serving.chunk_tokens = 32;
        add(&h, 0, 96, 1, id, 6);
        add(&h, 20, 96, 1, id, 6);
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        expect(&h, 0, 0, 9);
        expect(&h, 1, 80, 22);
        hd_timing_free(h.timing);
    }
}

static bool unloads(struct house *h, struct hd_engine *e, const char *what,
                    int64_t id) {
    (void)h;
    if (strcmp(what, "done") != 0 || id > 0) return true;
    return hd_act_after(e, 0.005, 1);
}

static bool unloads_on_timer(struct house *h, struct hd_engine *e, const char *what,
                             int64_t id) {
    if (strcmp(what, "timer") == 0) return hd_act_unload(e, 0, -1);
    return unloads(h, e, what, id);
}

static void an_unload_drops_the_cache(void **state) {
    (void)state;
    static const int32_t id[] = {1, 2};
    for (int step = 0; step < 2; step++) {
        struct house h;
        build(&h, 32);
        h.extra = unloads_on_timer;
        add(&h, 0, 64, 1, id, 2);
        add(&h, 40, 64, 1, id, 2);
        add(&h, 80, 64, 1, id, 2);
        assert_int_equal(house_run(&h, step), HD_RUN_WHOLE);
        assert_int_equal(h.finished[1].cached_tokens, 0);
        assert_int_equal(h.finished[2].cached_tokens, 48);
        hd_timing_free(h.timing);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_blocks_in_a_row),
        cmocka_unit_test(the_same_prompt_again),
        cmocka_unit_test(a_shared_first_block),
        cmocka_unit_test(long_blocks_of_the_trace),
        cmocka_unit_test(the_least_recently_used_goes_first),
        cmocka_unit_test(shared_blocks_are_there_once),
        cmocka_unit_test(who_is_preempted_finds_its_own),
        cmocka_unit_test(chunks_begin_behind_what_is_cached),
        cmocka_unit_test(an_unload_drops_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
