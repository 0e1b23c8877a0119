/* Which tokens were on time, without visiting them: metrics T and Q over the
 * recorded pieces of a batch. README.md has the derivation. */
#include "engine/parts.h"

/* F(j) = time of step j of the piece - (step number) * TBT: shared by the whole
 * batch; a member's token is on time iff F <= its bound. */
hd_tick hd_piece_f(const struct hd_piece *p, hd_tick tbt, int64_t j) {
    return p->start + j * p->tau + p->delta * (j * (j - 1) / 2) - (p->step + j) * tbt;
}

/* Last j in [low, high] with F(j) > bound, given F(low) > bound >= F(high), or
 * with `rising` the first one, given F(low) <= bound < F(high). */
static int64_t crossing(const struct hd_piece *p, hd_tick tbt, hd_tick bound,
                        int64_t low, int64_t high, bool rising) {
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if ((hd_piece_f(p, tbt, middle) > bound) == rising)
            high = middle;
        else
            low = middle;
    }
    return rising ? high : low;
}

/* Steps of the piece with F > bound. F is convex, so those on time are one run. */
int64_t hd_piece_late(const struct hd_piece *p, hd_tick tbt, hd_tick bound) {
    int64_t k = p->steps;
    bool first_late = hd_piece_f(p, tbt, 1) > bound;
    bool last_late = hd_piece_f(p, tbt, k) > bound;
    if (!first_late && !last_late) return 0;
    if (!first_late) return k - crossing(p, tbt, bound, 1, k, true) + 1;
    if (!last_late) return crossing(p, tbt, bound, 1, k, false);
    if (p->delta == 0) return k;
    /* Both ends late: the middle may dip. Smallest j with F(j+1) - F(j) =
     * tau + delta*j - TBT >= 0 is where the minimum lies. */
    int64_t dip = tbt > p->tau ? (tbt - p->tau - 1) / p->delta + 1 : 1;
    if (dip < 1) dip = 1;
    if (dip > k) dip = k;
    if (hd_piece_f(p, tbt, dip) > bound) return k;
    int64_t before = crossing(p, tbt, bound, 1, dip, false);
    int64_t after = crossing(p, tbt, bound, dip, k, true);
    return before + (k - after + 1);
}

/* First j > after with F(j) > bound, or 0. */
static int64_t next_late(const struct hd_piece *p, hd_tick tbt, hd_tick bound,
                         int64_t after) {
    int64_t k = p->steps, j = after + 1;
    if (j > k) return 0;
    if (hd_piece_f(p, tbt, j) > bound) return j;
    if (hd_piece_f(p, tbt, k) <= bound) return 0;
    return crossing(p, tbt, bound, j, k, true);
}

/* Deadline of token i relative to arrival; NEVER without a limit. */
static hd_wide deadline(const struct hd_run_model *m, int64_t i) {
    if (m->ttft == HD_TICK_NEVER || (i > 0 && m->tbt == HD_TICK_NEVER))
        return (hd_wide)HD_TICK_NEVER * 4;
    return m->ttft + (i ? (hd_wide)i * m->tbt : 0);
}

/* A miss of metric Q at token i, emitted at t (relative): the interval since the
 * last miss earns what its last token on time was due. */
static void miss(const struct hd_run_model *m, struct hd_score *s, int64_t i,
                 hd_tick t) {
    if (i > 0 && s->last_miss != i - 1) s->earned += deadline(m, i - 1);
    s->start = t;
    s->last_miss = (int32_t)i;
}

void hd_score_token(const struct hd_run_model *m, struct hd_request *r, hd_tick now) {
    struct hd_score *s = &r->score.fast;
    hd_tick t = now - hd_sent_at(r);
    hd_wide due = deadline(m, r->emitted);
    s->on_time += t <= due;
    if (t - s->start > due) miss(m, s, r->emitted, t);
}

void hd_score_stay(const struct hd_run_model *m, const struct hd_batch *b,
                   struct hd_request *r, hd_tick bound, int64_t tokens) {
    struct hd_score *s = &r->score.fast;
    int64_t late = 0;
    int64_t from = r->first_piece > b->first_piece ? r->first_piece : b->first_piece;
    if (bound != HD_TICK_NEVER) {
        for (int64_t n = from; n < b->next_piece; n++) {
            const struct hd_piece *p = &b->piece[n & (b->piece_capacity - 1)];
            if (p->high <= bound) continue; /* then below bound + start as well */
            late += hd_piece_late(p, m->tbt, bound);
            int64_t j = 0;
            while (p->high > bound + s->start &&
                   (j = next_late(p, m->tbt, bound + s->start, j)) != 0) {
                hd_tick t = p->start + j * p->tau + p->delta * (j * (j - 1) / 2);
                int64_t token = r->emitted + (p->step + j - r->join_step) - 1;
                miss(m, s, token, t - hd_sent_at(r));
            }
        }
    }
    s->on_time += (int32_t)(tokens - late);
}

/* Metric Q of a finished request: time that counted over time that it took. */
double hd_score_ratio(const struct hd_engine *e, const struct hd_request *r) {
    const struct hd_run_model *m = &e->config->model[r->model];
    hd_tick total = r->last_token - hd_sent_at(r);
    if (r->emitted == 0) return 0;
    if (total <= 0) return 1;
    if (e->step) {
        const struct hd_plain_score *s = &r->score.plain;
        hd_wide open = total - s->start;
        hd_wide earned = s->qos + (s->target < open ? s->target : open);
        return (double)earned / (double)total;
    }
    const struct hd_score *s = &r->score.fast;
    if (s->last_miss < 0) return 1; /* all of the time counted */
    hd_wide due = deadline(m, r->emitted), open = total - s->start;
    return (double)(s->earned + (due < open ? due : open)) / (double)total;
}

int hd_score_on_time(const struct hd_engine *e, const struct hd_request *r) {
    return e->step ? r->score.plain.on_time : r->score.fast.on_time;
}
