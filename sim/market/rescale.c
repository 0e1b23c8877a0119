/* Thinning, superposition and compression of a trace. */
#include "market/rescale.h"

#include <gsl/gsl_rng.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random_stream.h"
#include "trace/compose.h"

/* Which units are kept; drawn in order of number, so that it hangs on nothing else. */
struct draw {
    bool *kept; /* by unit; NULL: as requests come */
    gsl_rng *rng;
    double keep;
    enum hd_unit unit;
};

static void draw_begin(struct draw *d, const struct hd_trace *t, double keep,
                       enum hd_unit unit, uint64_t seed, int number) {
    *d = (struct draw){.keep = keep, .unit = unit};
    d->rng = hd_random_stream(seed, "thin", number);
    int units = unit == HD_UNIT_MODEL                 ? t->models
                : unit == HD_UNIT_SESSION && t->extra ? t->extra->sessions
                                                      : 0;
    if (unit == HD_UNIT_REQUEST) return;
    d->kept = hd_alloc((size_t)units * sizeof *d->kept + 1);
    for (int u = 0; u < units; u++) d->kept[u] = gsl_rng_uniform(d->rng) < keep;
}

static void draw_end(struct draw *d) {
    free(d->kept);
    gsl_rng_free(d->rng);
}

static bool is_kept(struct draw *d, const struct hd_trace *t, int64_t row) {
    if (d->unit == HD_UNIT_MODEL) return d->kept[t->row[row].model];
    if (d->unit == HD_UNIT_SESSION && t->extra && t->extra->session &&
        t->extra->session[row] >= 0)
        return d->kept[t->extra->session[row]];
    return gsl_rng_uniform(d->rng) < d->keep;
}

static struct hd_compose *begin(const struct hd_trace *t) {
    struct hd_compose *c = hd_compose_begin(t->clock, t->zero, t->origin);
    hd_compose_source(c, t, NULL);
    return c;
}

static struct hd_trace *end(struct hd_compose *c, bool fine) {
    if (fine) return hd_compose_end(c);
    hd_compose_drop(c);
    return NULL;
}

struct hd_trace *hd_thin(const struct hd_trace *t, double keep, enum hd_unit unit,
                         uint64_t seed, struct hd_err *err) {
    struct hd_compose *c = begin(t);
    struct draw draw;
    int64_t count = 0;
    bool fine = true;
    draw_begin(&draw, t, keep, unit, seed, 0);
    for (int64_t i = 0; fine && i < t->rows; i++) {
        hd_trace_step(t, i);
        if (!is_kept(&draw, t, i)) continue;
        struct hd_pick pick = {.at = t->origin + t->row[i].at, .row = i};
        fine = hd_compose_add(c, &pick, err);
        count++;
    }
    draw_end(&draw);
    if (!count) fine = hd_fail(err, "no request is left");
    return end(c, fine);
}

hd_tick hd_round_trip(const struct hd_trace *t) {
    hd_tick span = t->row[t->rows - 1].at - t->row[0].at;
    return t->rows > 1 ? span + span / (t->rows - 1) + 1 : 1;
}

/* The first row that is moved past the end of the round trip. */
static int64_t first_again(const struct hd_trace *t, hd_tick shift) {
    hd_tick round = hd_round_trip(t), first = t->row[0].at;
    int64_t low = 0, high = t->rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (t->row[middle].at - first + shift >= round)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* A copy is two lanes: what comes round again at the begin, and before that the rest.
 */
static void add_copy(const struct hd_trace *t, int copy, hd_tick shift,
                     const uint8_t *kept, struct hd_lane lane[2]) {
    int64_t again = first_again(t, shift);
    lane[0] = (struct hd_lane){.end = again,
                               .shift = t->origin + shift,
                               .kept = kept,
                               .copy = copy,
                               .session_copy = 2 * copy - 1};
    lane[1] = lane[0];
    lane[1].row = again;
    lane[1].end = t->rows;
    lane[1].shift -= hd_round_trip(t);
    lane[1].session_copy = 2 * copy;
}

/* Which rows the last copy has, drawn in their order. */
static uint8_t *kept_of(const struct hd_trace *t, double keep, enum hd_unit unit,
                        uint64_t seed, int copy) {
    uint8_t *kept = hd_alloc((size_t)t->rows / 8 + 1);
    struct draw draw;
    draw_begin(&draw, t, keep, unit, seed, copy);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        if (is_kept(&draw, t, i)) kept[i / 8] |= (uint8_t)(1 << i % 8);
    }
    draw_end(&draw);
    return kept;
}

struct hd_trace *hd_superpose(const struct hd_trace *t, double times, enum hd_unit unit,
                              hd_tick shift, uint64_t seed, struct hd_err *err) {
    int whole = (int)times;
    double rest = times - whole;
    if ((double)t->rows * (times + 1) > INT32_MAX) {
        hd_fail(err, "more than 2147483646 requests");
        return NULL;
    }
    struct hd_lane *lane = hd_alloc(((size_t)whole + 1) * 2 * sizeof *lane);
    int lanes = 0;
    hd_tick most = shift < hd_round_trip(t) ? shift : hd_round_trip(t) - 1;
    uint8_t *kept = rest > 0 ? kept_of(t, rest, unit, seed, whole) : NULL;
    lane[lanes++] = (struct hd_lane){.end = t->rows, .shift = t->origin};
    for (int copy = 1; copy < whole + (rest > 0); copy++) {
        gsl_rng *rng = hd_random_stream(seed, "shift", copy);
        hd_tick moved = (hd_tick)(gsl_rng_uniform(rng) * (double)most);
        gsl_rng_free(rng);
        add_copy(t, copy, moved, copy == whole ? kept : NULL, &lane[lanes]);
        lanes += 2;
    }
    struct hd_compose *c = begin(t);
    struct hd_trace *made = end(c, hd_compose_merge(c, lane, lanes, err));
    free(kept);
    free(lane);
    return made;
}

struct hd_trace *hd_press(const struct hd_trace *t, hd_wide factor,
                          struct hd_err *err) {
    struct hd_compose *c = begin(t);
    bool fine = true;
    for (int64_t i = 0; fine && i < t->rows; i++) {
        hd_trace_step(t, i);
        hd_wide scaled = (t->origin + t->row[i].at - t->zero) * HD_TICKS_PER_S;
        struct hd_pick pick = {.at = t->zero + (scaled + factor / 2) / factor,
                               .row = i};
        fine = hd_compose_add(c, &pick, err);
    }
    return end(c, fine);
}
