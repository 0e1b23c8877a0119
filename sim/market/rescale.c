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

/* The new trace of these picks; frees them. */
static struct hd_trace *compose(const struct hd_trace *t, struct hd_pick *pick,
                                int64_t count, struct hd_err *err) {
    struct hd_trace *made = NULL;
    struct hd_compose *c = hd_compose_begin(t->clock, t->zero, t->origin);
    hd_compose_source(c, t, NULL);
    if (count == 0)
        hd_fail(err, "no request is left");
    else if (hd_compose_add_all(c, pick, count, err))
        made = hd_compose_end(c);
    if (!made) hd_compose_drop(c);
    free(pick);
    return made;
}

struct hd_trace *hd_thin(const struct hd_trace *t, double keep, enum hd_unit unit,
                         uint64_t seed, struct hd_err *err) {
    struct hd_pick *pick = hd_alloc((size_t)t->rows * sizeof *pick);
    struct draw draw;
    int64_t count = 0;
    draw_begin(&draw, t, keep, unit, seed, 0);
    for (int64_t i = 0; i < t->rows; i++)
        if (is_kept(&draw, t, i))
            pick[count++] = (struct hd_pick){.at = t->origin + t->row[i].at, .row = i};
    draw_end(&draw);
    return compose(t, pick, count, err);
}

hd_tick hd_round_trip(const struct hd_trace *t) {
    hd_tick span = t->row[t->rows - 1].at - t->row[0].at;
    return t->rows > 1 ? span + span / (t->rows - 1) + 1 : 1;
}

/* Rows of a copy, from pick[count] on; returns the new count. */
static int64_t add_copy(const struct hd_trace *t, int copy, hd_tick shift,
                        struct draw *draw, struct hd_pick *pick, int64_t count) {
    hd_tick round = hd_round_trip(t), first = t->row[0].at;
    for (int64_t i = 0; i < t->rows; i++) {
        if (draw && !is_kept(draw, t, i)) continue;
        hd_tick at = t->row[i].at - first + shift;
        bool again = at >= round;
        if (again) at -= round;
        pick[count++] = (struct hd_pick){.at = t->origin + first + at,
                                         .row = i,
                                         .copy = copy,
                                         .session_copy = 2 * copy - !again};
    }
    return count;
}

struct hd_trace *hd_superpose(const struct hd_trace *t, double times, enum hd_unit unit,
                              hd_tick shift, uint64_t seed, struct hd_err *err) {
    int whole = (int)times;
    double rest = times - whole;
    if ((double)t->rows * (times + 1) > INT32_MAX) {
        hd_fail(err, "more than 2147483646 requests");
        return NULL;
    }
    struct hd_pick *pick =
        hd_alloc(((size_t)whole + 1) * (size_t)t->rows * sizeof *pick);
    int64_t count = 0;
    hd_tick most = shift < hd_round_trip(t) ? shift : hd_round_trip(t) - 1;
    for (; count < t->rows; count++)
        pick[count] =
            (struct hd_pick){.at = t->origin + t->row[count].at, .row = count};
    for (int copy = 1; copy < whole + (rest > 0); copy++) {
        gsl_rng *rng = hd_random_stream(seed, "shift", copy);
        hd_tick moved = (hd_tick)(gsl_rng_uniform(rng) * (double)most);
        struct draw draw;
        gsl_rng_free(rng);
        draw_begin(&draw, t, rest, unit, seed, copy);
        count = add_copy(t, copy, moved, copy == whole ? &draw : NULL, pick, count);
        draw_end(&draw);
    }
    return compose(t, pick, count, err);
}

struct hd_trace *hd_press(const struct hd_trace *t, hd_wide factor,
                          struct hd_err *err) {
    struct hd_pick *pick = hd_alloc((size_t)t->rows * sizeof *pick);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_wide scaled = (t->origin + t->row[i].at - t->zero) * HD_TICKS_PER_S;
        pick[i] =
            (struct hd_pick){.at = t->zero + (scaled + factor / 2) / factor, .row = i};
    }
    return compose(t, pick, t->rows, err);
}
