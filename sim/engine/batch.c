/* The running members of a turn, fast: a plan of k decode steps is one
 * arithmetic series, settled at once. README.md has the formulas. */
#include <stdlib.h>
#include <string.h>

#include "engine/parts.h"

/* k is capped so that slope * members * k^2 / 2 and step * TBT stay in int64. */
enum { STEPS_MAX = 1 << 16 };

hd_tick hd_batch_time(const struct hd_batch *b, int64_t k) {
    return k * b->tau + b->delta * (k * (k - 1) / 2);
}

/* Smallest k in [1, steps] with time(k) >= x; steps if there is none. A guess in
 * floating point, corrected in integers. */
int64_t hd_batch_inverse(const struct hd_batch *b, hd_tick x) {
    if (x <= b->tau) return 1;
    int64_t k;
    if (b->delta == 0) {
        k = (x + b->tau - 1) / b->tau;
        return k < b->steps ? k : b->steps;
    }
    double half = 0.5 * (double)b->delta, linear = (double)b->tau - half;
    double root = __builtin_sqrt(linear * linear + 4 * half * (double)x);
    double guess = (root - linear) / (2 * half);
    k = guess < 1 ? 1 : guess > (double)b->steps ? b->steps : (int64_t)guess;
    while (k > 1 && hd_batch_time(b, k - 1) >= x) k--;
    while (k < b->steps && hd_batch_time(b, k) < x) k++;
    return k;
}

int64_t hd_batch_done_by(const struct hd_instance *i, hd_tick t) {
    const struct hd_batch *b = &i->batch;
    hd_tick x = t - b->start;
    if (i->phase != HD_PHASE_DECODE || x < b->tau) return 0;
    int64_t k = hd_batch_inverse(b, x);
    return hd_batch_time(b, k) <= x ? k : k - 1;
}

int64_t hd_batch_blocks_after(const struct hd_batch *b, int64_t k) {
    /* All 16 are looked at, without a branch: k mod 16 is as good as random. */
    int rest = (int)(k % HD_BLOCK_TOKENS),
        now = (int)(-b->step & (HD_BLOCK_TOKENS - 1));
    int32_t grown = 0;
    for (int c = 0; c < HD_BLOCK_TOKENS; c++)
        grown += b->residue[c] & -(((now - c) & (HD_BLOCK_TOKENS - 1)) < rest);
    return b->blocks + k / HD_BLOCK_TOKENS * b->count + grown;
}

int64_t hd_batch_growth(const struct hd_engine *e, const struct hd_instance *i) {
    if (e->step) return hd_plain_growth(e, i);
    return i->batch.residue[-i->batch.step & (HD_BLOCK_TOKENS - 1)];
}

/* Largest k with blocks(k) - blocks <= free, at most `most`. */
int64_t hd_batch_steps_that_fit(const struct hd_batch *b, int64_t free_blocks,
                                int64_t most) {
    int64_t cycles = (most + HD_BLOCK_TOKENS - 1) / HD_BLOCK_TOKENS;
    if (cycles * b->count <= free_blocks) return most;
    int64_t k = free_blocks / b->count * HD_BLOCK_TOKENS;
    free_blocks -= k / HD_BLOCK_TOKENS * b->count;
    for (int64_t r = -(b->step + k); k < most; k++, r--) {
        free_blocks -= b->residue[r & (HD_BLOCK_TOKENS - 1)];
        if (free_blocks < 0) break;
    }
    return k < most ? k : most;
}

/* ---- members: a heap by (finish, order) ---------------------------------- */

static bool before(const struct hd_member *a, const struct hd_member *b) {
    return (a->finish < b->finish) | ((a->finish == b->finish) & (a->order < b->order));
}

static void heap_up(struct hd_batch *b, int at, struct hd_member m) {
    while (at > 0) {
        int parent = (at - 1) / 2;
        if (!before(&m, &b->member[parent])) break;
        b->member[at] = b->member[parent];
        at = parent;
    }
    b->member[at] = m;
}

static void heap_down(struct hd_batch *b, int at, struct hd_member m) {
    for (;;) {
        int child = 2 * at + 1;
        if (child >= b->count) break;
        if (child + 1 < b->count)
            child += before(&b->member[child + 1], &b->member[child]);
        if (!before(&b->member[child], &m)) break;
        b->member[at] = b->member[child];
        at = child;
    }
    b->member[at] = m;
}

static struct hd_member heap_take(struct hd_batch *b, int at) {
    struct hd_member taken = b->member[at];
    struct hd_member last = b->member[--b->count];
    if (at < b->count) {
        if (at > 0 && before(&last, &b->member[(at - 1) / 2]))
            heap_up(b, at, last);
        else
            heap_down(b, at, last);
    }
    return taken;
}

int hd_batch_youngest(const struct hd_instance *i) {
    const struct hd_batch *b = &i->batch;
    int youngest = 0;
    for (int m = 1; m < b->count; m++)
        if (b->member[m].order > b->member[youngest].order) youngest = m;
    return b->member[youngest].slot;
}

/* A fresh start once nobody is left: steps count from 0, nothing is remembered. */
static void reset(struct hd_batch *b) {
    b->step = 0;
    b->least_bound = HD_TICK_NEVER;
    b->first_piece = b->next_piece = 0;
    b->peaks = 0;
    b->fresh_count = b->fresh_measured = 0;
    b->longest = 0;
    b->longest_known = true;
}

static hd_tick bound_of(const struct hd_run_model *model, const struct hd_request *r,
                        int64_t step) {
    if (model->tbt == HD_TICK_NEVER) return HD_TICK_NEVER;
    if (model->ttft == HD_TICK_NEVER) return HD_TICK_NEVER;
    return hd_sent_at(r) + model->ttft + (r->emitted - step - 1) * model->tbt;
}

void hd_batch_add(struct hd_engine *e, struct hd_instance *i, int slot) {
    if (e->step) {
        hd_plain_add(e, i, slot);
        return;
    }
    struct hd_batch *b = &i->batch;
    struct hd_request *r = &e->request[slot];
    int64_t context = hd_kv_tokens(r);
    if (b->count == 0) reset(b);
    b->member =
        hd_grow(b->member, &b->member_capacity, b->count + 1, sizeof *b->member);
    struct hd_member m = {b->step + r->output - r->emitted, b->orders++, slot,
                          bound_of(&e->config->model[r->model], r, b->step)};
    heap_up(b, b->count++, m);
    if (m.bound < b->least_bound) b->least_bound = m.bound;
    if (context - b->step > b->longest) b->longest = context - b->step;
    b->residue[(context - b->step) & (HD_BLOCK_TOKENS - 1)]++;
    b->context += context;
    b->blocks += hd_blocks_of(context);
    b->measured += r->measured;
    b->fresh =
        hd_grow(b->fresh, &b->fresh_capacity, b->fresh_count + 1, sizeof *b->fresh);
    b->fresh[b->fresh_count++] = slot;
    b->fresh_measured += r->measured;
    r->join_step = b->step;
    r->peak_after = b->step + 1; /* its first gap is its own: see count_gaps */
    r->join_order = m.order;
    r->first_piece = b->next_piece;
    r->join_at = e->now;
    r->stall_base = b->stall;
    r->instance = hd_instance_number(e, i);
    hd_request_phase(e, r, HD_BLAME_DECODE);
}

/* ---- longest gap of a stay ----------------------------------------------- */

void hd_peak_push(struct hd_batch *b, int64_t step, hd_tick gap) {
    while (b->peaks && b->peak[b->peaks - 1].gap <= gap) b->peaks--;
    b->peak = hd_grow(b->peak, &b->peak_capacity, b->peaks + 1, sizeof *b->peak);
    b->peak[b->peaks++] = (struct hd_peak){step, gap};
}

/* Largest gap that ended after step `after`. Peaks fall from bottom to top, so it
 * is the lowest one that is late enough. */
hd_tick hd_peak_since(const struct hd_batch *b, int64_t after) {
    int low = 0, high = b->peaks;
    while (low < high) {
        int middle = (low + high) / 2;
        if (b->peak[middle].step > after)
            high = middle;
        else
            low = middle + 1;
    }
    return low < b->peaks ? b->peak[low].gap : -1;
}

/* Closes a member's stay; it is out of the heap, its KV still counted here. */
static void leave(struct hd_engine *e, struct hd_instance *i,
                  const struct hd_member *m) {
    struct hd_batch *b = &i->batch;
    struct hd_request *r = &e->request[m->slot];
    int64_t tokens = b->step - r->join_step;
    if (tokens > 0) {
        hd_score_stay(&e->config->model[r->model], b, r, m->bound, tokens);
        hd_tick gap = hd_peak_since(b, r->peak_after);
        if (gap > r->gap_longest) r->gap_longest = gap;
        r->emitted += (int32_t)tokens;
        r->last_token = b->last_at;
    } else {
        for (int f = 0; f < b->fresh_count; f++) {
            if (b->fresh[f] != m->slot) continue;
            b->fresh[f] = b->fresh[--b->fresh_count];
            b->fresh_measured -= r->measured;
            break;
        }
    }
    int64_t context = hd_kv_tokens(r);
    b->residue[(context - b->step) & (HD_BLOCK_TOKENS - 1)]--;
    if (context - b->step >= b->longest) b->longest_known = false;
    b->context -= context;
    b->blocks -= hd_blocks_of(context);
    b->measured -= r->measured;
    hd_tick stalled = b->stall - r->stall_base;
    r->blame[HD_BLAME_DECODE] -= stalled;
    r->blame[HD_BLAME_WAIT] += stalled;
    hd_request_phase(e, r, HD_BLAME_WAIT);
    if (b->count == 0) {
        HD_CHECK(b->context == 0 && b->blocks == 0 && b->measured == 0);
        reset(b);
    }
}

void hd_batch_remove(struct hd_engine *e, struct hd_instance *i, int slot) {
    if (e->step) {
        hd_plain_remove(e, i, slot);
        return;
    }
    struct hd_batch *b = &i->batch;
    int at = 0;
    while (b->member[at].slot != slot) at++;
    struct hd_member m = heap_take(b, at);
    leave(e, i, &m);
}

/* ---- plan and settle ----------------------------------------------------- */

/* Closes every stay and opens it again, so that step numbers start from 0: keeps
 * step * TBT within int64 for turns without end. Changes no result. */
static void rebase(struct hd_engine *e, struct hd_instance *i) {
    struct hd_batch *b = &i->batch;
    int count = b->count;
    const struct hd_run_model *model = &e->config->model[e->group[i->turn].model];
    for (int m = 0; m < count; m++) {
        struct hd_member *member = &b->member[m];
        struct hd_request *r = &e->request[member->slot];
        int64_t tokens = b->step - r->join_step;
        hd_score_stay(model, b, r, member->bound, tokens);
        hd_tick gap = hd_peak_since(b, r->peak_after);
        if (gap > r->gap_longest) r->gap_longest = gap;
        r->emitted += (int32_t)tokens;
        r->last_token = b->last_at;
        member->finish -= b->step;
        member->bound = bound_of(model, r, 0);
    }
    int32_t shifted[HD_BLOCK_TOKENS];
    for (int c = 0; c < HD_BLOCK_TOKENS; c++)
        shifted[(c + b->step) & (HD_BLOCK_TOKENS - 1)] = b->residue[c];
    memcpy(b->residue, shifted, sizeof shifted);
    b->longest += b->step;
    b->step = 0;
    b->first_piece = b->next_piece = 0;
    b->peaks = 0;
    b->least_bound = HD_TICK_NEVER;
    for (int m = 0; m < count; m++) {
        struct hd_request *r = &e->request[b->member[m].slot];
        r->join_step = r->peak_after = 0;
        r->first_piece = 0;
        if (b->member[m].bound < b->least_bound) b->least_bound = b->member[m].bound;
    }
}

/* KV tokens of the longest member; looked for when the one that was it has left. */
static int64_t longest(const struct hd_engine *e, struct hd_batch *b) {
    if (!b->longest_known) {
        b->longest = INT64_MIN;
        for (int m = 0; m < b->count; m++) {
            const struct hd_request *r = &e->request[b->member[m].slot];
            int64_t key = hd_kv_tokens(r) - r->join_step;
            if (key > b->longest) b->longest = key;
        }
        b->longest_known = true;
    }
    return b->longest + b->step;
}

void hd_batch_plan(struct hd_engine *e, struct hd_instance *i, hd_tick until) {
    if (e->step) {
        hd_plain_plan(e, i);
        return;
    }
    struct hd_batch *b = &i->batch;
    int model = e->group[i->turn].model;
    /* fresh members have their first gap ahead: rebase only without them */
    int64_t often = e->cuts ? 50 : STEPS_MAX; /* tests do it for no need */
    if (b->step >= often && b->fresh_count == 0) rebase(e, i);
    hd_tick slope;
    int64_t stretch_end;
    const struct hd_timing *t = hd_timing_of(e, i, model);
    b->start = e->now + hd_fill(i, t, b->count);
    b->tau = hd_timing_ragged(t)
                 ? hd_timing_ragged_step(t, b->count, b->context, longest(e, b), &slope,
                                         &stretch_end)
                 : hd_timing_step(t, b->count, b->context, &slope, &stretch_end);
    b->tau = hd_share_stretch_step(e, i, b->tau, b->context, &slope);
    b->delta = slope * b->count;
    int64_t k = b->member[0].finish - b->step;
    if (k > STEPS_MAX) k = STEPS_MAX;
    if (stretch_end != INT64_MAX) {
        int64_t in_stretch = (stretch_end - b->context + b->count - 1) / b->count;
        if (k > in_stretch) k = in_stretch;
    }
    int64_t cycles = (k + HD_BLOCK_TOKENS - 1) / HD_BLOCK_TOKENS;
    if (!hd_blocks_free(e, i, model, cycles * b->count))
        k = hd_batch_steps_that_fit(b, hd_room_blocks(e, i, model), k);
    HD_CHECK(k >= 1);
    b->steps = k;
    if (until != HD_TICK_NEVER) b->steps = k = hd_batch_inverse(b, until - b->start);
    if (e->cuts && k > 1)
        b->steps = 1 + (int64_t)gsl_rng_uniform_int(e->cuts, (unsigned long)k);
    hd_instance_wake(e, i, b->start + hd_batch_time(b, b->steps));
}

/* Remembers the plan's F if somebody may have been late in it. */
static void record(struct hd_engine *e, struct hd_batch *b, hd_tick tbt, int64_t k) {
    struct hd_piece p = {b->start, b->tau, b->delta, 0, 0, b->step, k};
    hd_tick first = hd_piece_f(&p, tbt, 1), last = hd_piece_f(&p, tbt, k);
    p.high = first > last ? first : last;
    if (p.high <= b->least_bound) return;
    hd_tick least = HD_TICK_NEVER; /* the holder of the least may have left */
    for (int m = 0; m < b->count; m++)
        if (b->member[m].bound < least) least = b->member[m].bound;
    b->least_bound = least;
    if (p.high <= least) return;
    p.low = first < last ? first : last; /* refined when it matters, in score.c */
    if (b->next_piece - b->first_piece >= b->piece_capacity) {
        int64_t oldest = b->next_piece;
        for (int m = 0; m < b->count; m++) {
            int64_t since = e->request[b->member[m].slot].first_piece;
            if (since < oldest) oldest = since;
        }
        b->first_piece = oldest;
        if (2 * (b->next_piece - oldest) >= b->piece_capacity) {
            int capacity = b->piece_capacity ? 2 * b->piece_capacity : 32;
            struct hd_piece *larger = hd_alloc((size_t)capacity * sizeof *larger);
            for (int64_t n = oldest; n < b->next_piece; n++)
                larger[n & (capacity - 1)] = b->piece[n & (b->piece_capacity - 1)];
            free(b->piece);
            b->piece = larger;
            b->piece_capacity = capacity;
        }
    }
    b->piece[b->next_piece++ & (b->piece_capacity - 1)] = p;
}

/* Gaps between tokens: the first step of a plan ends a pause that differs between
 * old and fresh members; the others form one ramp for all. */
static void count_gaps(struct hd_engine *e, struct hd_batch *b, int64_t k) {
    struct hd_hist *tbt = &e->measure->tbt;
    hd_tick first = b->start + b->tau;
    if (b->count > b->fresh_count) {
        hd_tick gap = first - b->last_at;
        int old = b->measured - b->fresh_measured;
        if (old) hd_hist_add(tbt, gap, (uint64_t)old);
        hd_peak_push(b, b->step + 1, gap);
    }
    for (int f = 0; f < b->fresh_count; f++) {
        struct hd_request *r = &e->request[b->fresh[f]];
        hd_tick gap = first - r->last_token;
        if (r->measured) hd_hist_add(tbt, gap, 1);
        if (gap > r->gap_longest) r->gap_longest = gap;
    }
    b->fresh_count = b->fresh_measured = 0;
    if (k > 1) {
        hd_hist_add_ramp(tbt, b->tau + b->delta, b->delta, k - 1,
                         (uint64_t)b->measured);
        hd_peak_push(b, b->step + k, b->tau + b->delta * (k - 1));
    }
}

void hd_batch_settle(struct hd_engine *e, struct hd_instance *i, int64_t k) {
    if (e->step) {
        hd_plain_settle(e, i);
        return;
    }
    struct hd_batch *b = &i->batch;
    int model = e->group[i->turn].model;
    hd_tick tbt = e->config->model[model].tbt;
    if (tbt != HD_TICK_NEVER) record(e, b, tbt, k);
    count_gaps(e, b, k);
    if (e->config->observer) hd_observe_phase(e, i);
    i->phase = HD_PHASE_BOUNDARY;
    int64_t blocks = hd_batch_blocks_after(b, k);
    if (blocks != b->blocks) hd_kv_take(e, i, model, blocks - b->blocks);
    b->blocks = blocks;
    b->context += b->count * k;
    b->step += k;
    b->last_at = b->start + hd_batch_time(b, k);
    i->step_at = b->last_at;
    i->turn_iterations += k;
    i->flows = true;
    e->measure->iterations += k;
    e->measure->segments++;
    e->measure->tokens_emitted += k * b->measured;
    while (b->count && b->member[0].finish == b->step) {
        struct hd_member m = heap_take(b, 0);
        leave(e, i, &m);
        hd_request_finish(e, m.slot, HD_STATUS_DONE, true);
    }
}

void hd_batch_free(struct hd_batch *b) {
    free(b->member);
    free(b->fresh);
    free(b->piece);
    free(b->peak);
}
