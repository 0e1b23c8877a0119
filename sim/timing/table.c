/* Reading compiled timing: one row per batch, one stretch per range of context.
 *
 * A stretch is found from the context's bits (four per octave), without a search;
 * at a stretch's end the next one takes over at exactly the same tick. */
#include "timing/table.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "timing/ranges.h"
#include "timing/surface.h"

struct stretch {
    hd_tick at, slope; /* ticks at its start, ticks per token within */
};

enum { PARTS = 4, MULTIPLY = 0, READ = 1, REDUCE = 2, BESIDE = 3, NORM_RANGES = 64 };

/* Of the prefill grid; ticks as doubles, rounded once per answer. BESIDE: a factor. */
struct point {
    double tokens, at[PARTS], slope[PARTS];
};

struct hd_timing {
    int batches; /* rows; 0: the plain law below */
    int stretches;
    struct stretch *row;  /* [batch - 1][stretch] */
    struct stretch *last; /* the part that waits for the longest, or NULL */
    hd_tick sequence;     /* per sequence beyond the last row */
    struct hd_host_time host;
    int points,
        behind; /* a point of the grid is at its range's first number + behind */
    struct point *point;
    double fixed, per_sequence, floor_4, logits, square, token_kv, kv; /* ticks */
    double *rows;    /* ticks of logits for 0 to `batches` rows, or NULL: the above */
    double more_row; /* of each row beyond */
    struct hd_surface *attention, *beside; /* ticks; NULL: by the formulae */
    double norm[NORM_RANGES + 2];          /* (1 + x)^0.4 at x = 0, 1/64, ... */
    struct hd_plain_law plain;
    hd_tick plain_at[HD_PLAIN_STRETCHES_MAX]; /* context's part at each start */
};

/* ---- grids --------------------------------------------------------------- */

/* Ranges as in ranges.h. The small ones of tokens matter to mixtures of experts, whose
 * reads grow with the first tokens. */
enum { CONTEXT_UNIT = 6, CONTEXT_FINE = 2, TOKENS_UNIT = 0, TOKENS_FINE = 3 };
enum { ATTENTION_UNIT = 4, DECODES_UNIT = 0, ATTENTION_FINE = 2 };

/* ---- the plain law ------------------------------------------------------- */

static hd_tick plain_context(const struct hd_timing *t, int64_t context, hd_tick *slope,
                             int64_t *until) {
    const struct hd_plain_law *law = &t->plain;
    int n = 0;
    while (n + 1 < law->stretches && context >= law->from[n + 1]) n++;
    *slope = law->slope[n];
    *until = n + 1 < law->stretches ? law->from[n + 1] : INT64_MAX;
    return t->plain_at[n] + law->slope[n] * (context - law->from[n]);
}

struct hd_timing *hd_timing_plain(const struct hd_plain_law *law) {
    assert(law->stretches >= 1 && law->stretches <= HD_PLAIN_STRETCHES_MAX);
    assert(law->from[0] == 0);
    struct hd_timing *t = hd_alloc(sizeof *t);
    t->plain = *law;
    t->host = law->host;
    for (int n = 1; n < law->stretches; n++) {
        assert(law->from[n] > law->from[n - 1]);
        t->plain_at[n] =
            t->plain_at[n - 1] + law->slope[n - 1] * (law->from[n] - law->from[n - 1]);
    }
    return t;
}

static hd_tick plain_prefill(const struct hd_timing *t, int64_t tokens, int sequences,
                             int64_t square, int64_t context) {
    const struct hd_plain_law *law = &t->plain;
    hd_tick slope;
    int64_t until;
    hd_tick squares = (hd_tick)(((hd_wide)law->square_1024 * square) >> 10);
    return law->prefill + law->token * tokens + law->sequence * sequences + squares +
           plain_context(t, context, &slope, &until);
}

/* ---- sampling ------------------------------------------------------------ */

static double ticks(double seconds) {
    assert(isfinite(seconds) && seconds >= 0);
    return seconds * (double)HD_TICKS_PER_S;
}

/* One batch's row, of the law times a weight. Each slope aims from where the row has
 * got to at the law's value at the next start, so that roundings do not add up and no
 * tick is skipped. */
static void sample_row(const struct hd_timing *t, const struct hd_law *law, int batch,
                       double weight, struct stretch *rows) {
    struct stretch *row = rows + (size_t)(batch - 1) * (size_t)t->stretches;
    hd_tick at = llround(weight * ticks(law->step_s(law->context, batch, 0)));
    for (int n = 0; n < t->stretches; n++) {
        int64_t start = hd_range_start(n, CONTEXT_UNIT, CONTEXT_FINE);
        int64_t width = hd_range_start(n + 1, CONTEXT_UNIT, CONTEXT_FINE) - start;
        double next =
            weight * ticks(law->step_s(law->context, batch, (double)(start + width)));
        hd_tick slope = llround((next - (double)at) / (double)width);
        if (slope < 0) slope = 0;
        row[n] = (struct stretch){at, slope};
        at += slope * width;
    }
}

/* Parts of the prefill law at x tokens, without slopes. */
static struct point sample_point(const struct hd_law *law, int64_t tokens) {
    double x = (double)tokens;
    struct point p = {.tokens = x};
    p.at[MULTIPLY] = ticks(law->multiply_s(law->context, x));
    if (law->read_s) p.at[READ] = ticks(law->read_s(law->context, x));
    if (law->reduce_s) p.at[REDUCE] = ticks(law->reduce_s(law->context, x));
    p.at[BESIDE] = law->beside_factor ? law->beside_factor(law->context, x) : 1;
    return p;
}

/* Kernels jump behind sizes that fill their tiles, 512 and such, where ranges begin:
 * theirs go from just behind one such size up to the next, so that both sides of a jump
 * are as the law has them. */
static void sample_points(struct hd_timing *t, const struct hd_law *law) {
    t->points = hd_range_of((int64_t)law->tokens_max, TOKENS_UNIT, TOKENS_FINE) + 1;
    t->behind = law->rows_s != NULL;
    t->point = hd_alloc((size_t)t->points * sizeof *t->point);
    for (int n = 0; n < t->points; n++) {
        int64_t from = hd_range_start(n, TOKENS_UNIT, TOKENS_FINE) + t->behind;
        int64_t to = hd_range_start(n + 1, TOKENS_UNIT, TOKENS_FINE);
        struct point here = sample_point(law, from), next = sample_point(law, to);
        for (int p = 0; p < PARTS && to > from; p++) {
            here.slope[p] = (next.at[p] - here.at[p]) / (next.tokens - here.tokens);
            if (p != BESIDE && !t->behind) here.slope[p] = fmax(0, here.slope[p]);
        }
        t->point[n] = here;
    }
    for (int n = 0; n < NORM_RANGES + 2; n++)
        t->norm[n] = pow(1 + (double)n / NORM_RANGES, 0.4);
}

/* At 0 as at 1: the least that a kernel takes. Without chunks nobody asks. */
static double attention_ticks(const void *context, double tokens, double mean) {
    const struct hd_law *law = context;
    return ticks(law->attention_s(law->context, fmax(1, tokens), fmax(1, mean)));
}

static double beside_ticks(const void *context, double decodes, double kv_tokens) {
    const struct hd_law *law = context;
    return decodes > 0 ? ticks(law->beside_s(law->context, decodes, kv_tokens)) : 0;
}

/* What a law by kernels has instead of coefficients. */
static void sample_surfaces(struct hd_timing *t, const struct hd_law *law) {
    int64_t tokens = (int64_t)law->tokens_max, kv = (int64_t)law->context_max;
    if (law->attention_s)
        t->attention = hd_surface_new(
            (struct hd_surface_axis){ATTENTION_UNIT, ATTENTION_FINE, tokens},
            (struct hd_surface_axis){ATTENTION_UNIT, ATTENTION_FINE, 2 * tokens},
            attention_ticks, law);
    if (law->beside_s)
        t->beside = hd_surface_new(
            (struct hd_surface_axis){DECODES_UNIT, ATTENTION_FINE, t->batches},
            (struct hd_surface_axis){CONTEXT_UNIT, ATTENTION_FINE, kv}, beside_ticks,
            law);
    if (!law->rows_s) return;
    t->rows = hd_alloc((size_t)(t->batches + 1) * sizeof *t->rows);
    for (int n = 1; n <= t->batches; n++)
        t->rows[n] = ticks(law->rows_s(law->context, n));
    t->more_row =
        fmax(0, ticks(law->rows_s(law->context, t->batches + 1)) - t->rows[t->batches]);
}

struct hd_timing *hd_timing_sample(const struct hd_law *law, int batches) {
    assert(batches >= 1 && law->context_max >= 1 && law->tokens_max >= 1);
    assert(law->skew >= 0 && law->skew <= 1);
    struct hd_timing *t = hd_alloc(sizeof *t);
    t->batches = batches;
    t->stretches =
        hd_range_of((int64_t)law->context_max, CONTEXT_UNIT, CONTEXT_FINE) + 1;
    size_t cells = (size_t)batches * (size_t)t->stretches;
    t->row = hd_alloc(cells * sizeof *t->row);
    if (law->skew > 0) t->last = hd_alloc(cells * sizeof *t->last);
    for (int b = 1; b <= batches; b++) {
        sample_row(t, law, b, 1 - law->skew, t->row);
        if (t->last) sample_row(t, law, b, law->skew, t->last);
    }
    hd_tick last = hd_tick_from_s(law->step_s(law->context, batches, 0));
    hd_tick more = hd_tick_from_s(law->step_s(law->context, batches + 1, 0)) - last;
    t->sequence = more > 0 ? more : 0;
    sample_points(t, law);
    sample_surfaces(t, law);
    double floor = ticks(law->floor_s);
    t->floor_4 = floor * floor * floor * floor;
    t->logits = ticks(law->logits_s);
    t->fixed = ticks(law->fixed_s);
    t->per_sequence = ticks(law->sequence_s);
    t->square = ticks(law->square_s);
    t->token_kv = ticks(law->token_kv_s);
    t->kv = ticks(law->kv_s);
    t->host =
        (struct hd_host_time){hd_tick_from_s(law->host_step_s),
                              hd_tick_from_s(law->host_sequence_s), law->overlapped};
    return t;
}

void hd_timing_free(struct hd_timing *t) {
    if (!t) return;
    free(t->row);
    free(t->last);
    free(t->point);
    free(t->rows);
    hd_surface_free(t->attention);
    hd_surface_free(t->beside);
    free(t);
}

/* ---- asking -------------------------------------------------------------- */

/* From the row of a batch: ticks at `context`, with the slope there and its end. */
static inline hd_tick on_row(const struct hd_timing *t, const struct stretch *rows,
                             int row, int64_t context, hd_tick *slope, int64_t *until) {
    int n = hd_range_of(context, CONTEXT_UNIT, CONTEXT_FINE);
    *until = hd_range_start(n + 1, CONTEXT_UNIT, CONTEXT_FINE);
    if (n >= t->stretches - 1) {
        n = t->stretches - 1;
        *until = INT64_MAX;
    }
    const struct stretch *s =
        &rows[(size_t)(row - 1) * (size_t)t->stretches + (size_t)n];
    *slope = s->slope;
    return s->at + s->slope * (context - hd_range_start(n, CONTEXT_UNIT, CONTEXT_FINE));
}

/* The kernels of a decode step; `most` is the context if all were as long as the
 * longest. It grows with each step as the context does, so that what is linear in
 * either is linear in the steps. */
static hd_tick step_kernels(const struct hd_timing *t, int batch, int64_t context,
                            int64_t most, hd_tick *slope, int64_t *until) {
    hd_tick time, more_slope = 0;
    int64_t more_until = INT64_MAX;
    if (t->batches == 0) {
        const struct hd_plain_law *law = &t->plain;
        time =
            law->step + law->sequence * batch + plain_context(t, context, slope, until);
        if (law->skewed) {
            time += law->skewed * plain_context(t, most, &more_slope, &more_until);
            more_slope *= law->skewed;
        }
    } else {
        int row = batch < t->batches ? batch : t->batches;
        time =
            on_row(t, t->row, row, context, slope, until) + t->sequence * (batch - row);
        if (t->last) time += on_row(t, t->last, row, most, &more_slope, &more_until);
    }
    *slope += more_slope;
    if (more_until != INT64_MAX && more_until - most < *until - context)
        *until = context + (more_until - most);
    return time > 0 ? time : 1;
}

static inline hd_tick host_of(const struct hd_timing *t, int sequences) {
    return t->host.step + t->host.sequence * sequences;
}

static inline hd_tick step_time(const struct hd_timing *t, int batch, int64_t context,
                                int64_t most, hd_tick *slope, int64_t *until) {
    hd_tick time = step_kernels(t, batch, context, most, slope, until);
    hd_tick host = host_of(t, batch);
    if (!t->host.overlapped) return time + host;
    if (time >= host) return time;
    if (*slope > 0) { /* until the kernels are the longer */
        int64_t there = context + (host - time + *slope - 1) / *slope;
        if (there < *until) *until = there;
    }
    *slope = 0;
    return host;
}

hd_tick hd_timing_step(const struct hd_timing *t, int batch, int64_t context,
                       hd_tick *slope, int64_t *until) {
    return step_time(t, batch, context, context, slope, until);
}

hd_tick hd_timing_ragged_step(const struct hd_timing *t, int batch, int64_t context,
                              int64_t longest, hd_tick *slope, int64_t *until) {
    return step_time(t, batch, context, batch * longest, slope, until);
}

bool hd_timing_ragged(const struct hd_timing *t) {
    return t->last || (t->batches == 0 && t->plain.skewed);
}

hd_tick hd_timing_fill(const struct hd_timing *t, int sequences) {
    return t->host.overlapped ? host_of(t, sequences) : 0;
}

/* (a^2.5 + b^2.5)^0.4 with the root from a table; a and b are not both 0. */
static double soft_maximum(const struct hd_timing *t, double a, double b) {
    double most = a > b ? a : b, ratio = (a > b ? b : a) / most;
    double x = ratio * ratio * sqrt(ratio) * NORM_RANGES;
    int n = (int)x;
    return most * (t->norm[n] + (t->norm[n + 1] - t->norm[n]) * (x - n));
}

static double logits_of(const struct hd_timing *t, int sequences) {
    if (!t->rows) return t->logits * sequences;
    if (sequences <= t->batches) return t->rows[sequences];
    return t->rows[t->batches] + t->more_row * (sequences - t->batches);
}

/* Attention of the chunks, and what the decodes beside them add. */
static double attention_of(const struct hd_timing *t, int64_t tokens, int64_t square,
                           int decodes, int64_t context, double beside) {
    double chunks, more = t->kv * (double)context;
    int64_t own = tokens - decodes;
    if (t->attention) {
        /* a division of doubles is the faster one; both are below 2^53 */
        int64_t mean = own > 0 ? (int64_t)((double)square / (double)own) : 0;
        chunks = own > 0 ? hd_surface_at(t->attention, own, mean) : 0;
    } else {
        double squares = t->square * (double)square;
        double reads = t->token_kv * (double)tokens;
        chunks = squares > reads ? squares : reads;
    }
    if (t->beside && decodes > 0)
        more = hd_surface_at(t->beside, decodes, context) * (own > 0 ? beside : 1);
    return chunks + more;
}

hd_tick hd_timing_prefill(const struct hd_timing *t, int64_t tokens, int sequences,
                          int64_t square, int decodes, int64_t context) {
    hd_tick time;
    if (t->batches == 0) {
        time = plain_prefill(t, tokens, sequences, square, context);
    } else {
        int n = hd_range_of(tokens - t->behind, TOKENS_UNIT, TOKENS_FINE);
        const struct point *p = &t->point[n < t->points ? n : t->points - 1];
        double along = (double)tokens - p->tokens;
        double multiply =
            p->at[MULTIPLY] + p->slope[MULTIPLY] * along + logits_of(t, sequences);
        double read = p->at[READ] + p->slope[READ] * along;
        double gpu = read > 0 ? soft_maximum(t, multiply, read) : multiply;
        gpu += attention_of(t, tokens, square, decodes, context,
                            p->at[BESIDE] + p->slope[BESIDE] * along);
        if (t->floor_4 > 0) gpu = sqrt(sqrt(gpu * gpu * (gpu * gpu) + t->floor_4));
        time = (hd_tick)(t->fixed + t->per_sequence * sequences + gpu + p->at[REDUCE] +
                         p->slope[REDUCE] * along + 0.5);
    }
    if (time < 1) time = 1;
    hd_tick host = host_of(t, sequences);
    if (!t->host.overlapped) return time + host;
    return time > host ? time : host;
}
