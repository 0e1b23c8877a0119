/* Rates over time: drawn once per model or group, multiplied where several apply. */
#include "market/rates.h"

#include <gsl/gsl_randist.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static void add_piece(struct hd_rate_path *p, double at_s, double level) {
    p->at_s = hd_grow(p->at_s, &p->at_capacity, p->pieces + 1, sizeof *p->at_s);
    p->level = hd_grow(p->level, &p->level_capacity, p->pieces + 1, sizeof *p->level);
    p->at_s[p->pieces] = at_s;
    p->level[p->pieces++] = level;
}

void hd_rate_draw(struct hd_rate_path *p, const struct hd_on_off *law, double span_s,
                  gsl_rng *rng) {
    *p = (struct hd_rate_path){0};
    if (law->on_s <= 0) {
        add_piece(p, 0, 1);
        return;
    }
    double cycle = law->on_s + law->off_s;
    double high = cycle / (law->on_s + law->quiet * law->off_s);
    bool on = gsl_rng_uniform(rng) < law->on_s / cycle;
    for (double at = 0; at < span_s; on = !on) { /* exponential: memoryless */
        add_piece(p, at, on ? high : law->quiet * high);
        at += gsl_ran_exponential(rng, on ? law->on_s : law->off_s);
    }
}

void hd_rate_draw_mmpp(struct hd_rate_path *p, const struct hd_mmpp *law, double span_s,
                       gsl_rng *rng) {
    *p = (struct hd_rate_path){0};
    double sum = 0;
    for (int s = 0; s < law->states; s++) sum += law->hold_s[s];
    double pick = sum * gsl_rng_uniform(rng);
    int state = 0;
    while (state + 1 < law->states && pick >= law->hold_s[state])
        pick -= law->hold_s[state++];
    for (double at = 0; at < span_s;) {
        add_piece(p, at, law->level[state]);
        at += gsl_ran_exponential(rng, law->hold_s[state]);
        int other = (int)gsl_rng_uniform_int(rng, (unsigned long)law->states - 1);
        state = other < state ? other : other + 1;
    }
}

void hd_rate_windows(struct hd_rate_path *p, const struct hd_windows *w, int first,
                     double span_s) {
    *p = (struct hd_rate_path){0};
    for (int i = 0; i * w->window_s < span_s; i++)
        add_piece(p, i * w->window_s, w->window[(first + i) % w->windows].level);
}

void hd_rate_rhythm(struct hd_rate_path *p, const struct hd_rhythm *r, double shift_s,
                    double span_s) {
    *p = (struct hd_rate_path){0};
    double length = r->period_s / r->levels;
    double into = shift_s - r->period_s * floor(shift_s / r->period_s);
    int at = (int)(into / length);
    add_piece(p, 0, r->level[at % r->levels]);
    for (double end = (at + 1) * length - into; end < span_s; end += length)
        add_piece(p, end, r->level[++at % r->levels]);
}

void hd_rate_multiply(struct hd_rate_path *path, struct hd_rate_path *by) {
    struct hd_rate_path product;
    hd_rate_product(&product, path, by);
    hd_rate_free(path);
    hd_rate_free(by);
    *path = product;
}

void hd_rate_product(struct hd_rate_path *product, const struct hd_rate_path *a,
                     const struct hd_rate_path *b) {
    *product = (struct hd_rate_path){0};
    for (int i = 0, j = 0; i < a->pieces && j < b->pieces;) {
        double at = a->at_s[i] > b->at_s[j] ? a->at_s[i] : b->at_s[j];
        add_piece(product, at, a->level[i] * b->level[j]);
        bool more_a = i + 1 < a->pieces, more_b = j + 1 < b->pieces;
        if (!more_a && !more_b) return;
        if (!more_b || (more_a && a->at_s[i + 1] <= b->at_s[j + 1]))
            i++;
        else
            j++;
    }
}

void hd_rate_free(struct hd_rate_path *p) {
    free(p->at_s);
    free(p->level);
}
