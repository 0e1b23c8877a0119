/* Arrivals drawn one by one: see the header. */
#include "bench/stream_world.h"

#include <math.h>
#include <stddef.h>

#define DAY_S 86400.0

/* Uniform in (0, 1]: splitmix64 (Steele et al., OOPSLA 2014). */
static double uniform(struct stream_world *w) {
    uint64_t z = w->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return (double)((z ^ z >> 31) >> 11) * 0x1p-53 + 0x1p-53;
}

static int32_t tokens(double normal, double mean, double sigma, double most) {
    double n = exp(log(mean) - sigma * sigma / 2 + sigma * normal);
    return (int32_t)(n < 1 ? 1 : n > most ? most : n);
}

static int next(void *context, struct hd_arrival *a) {
    struct stream_world *w = context;
    if (w->left-- <= 0) return 0;
    double rate = w->per_s * (1 + 0.5 * sin(2 * M_PI / DAY_S * w->now_s));
    w->now_s -= log(uniform(w)) / rate;
    /* a pair of normal numbers (Box and Muller, 1958) */
    double radius = sqrt(-2 * log(uniform(w))), angle = 2 * M_PI * uniform(w);
    *a = (struct hd_arrival){
        .at = hd_tick_from_s(w->now_s),
        .input_tokens = tokens(radius * cos(angle), 1155, 1, 14000),
        .output_tokens = tokens(radius * sin(angle), 211, 0.8, 2000)};
    return 1;
}

static void begin(struct stream_world *w) {
    w->now_s = 0;
    w->state = 2023;
    w->left = w->fleet.requests;
}

void stream_world_make(struct stream_world *w, int64_t requests, double per_s,
                       int instances) {
    struct conv *like = conv_load(1, 1);
    *w = (struct stream_world){.per_s = per_s};
    conv_world_make(&w->fleet, like, instances);
    conv_free(like);
    w->fleet.conv = NULL;
    w->fleet.requests = requests;
    w->fleet.tokens = 0;
    begin(w);
    struct hd_arrival a;
    while (next(w, &a)) w->fleet.tokens += a.output_tokens; /* what is expected */
    w->fleet.config.to = a.at + 1;
    w->fleet.config.next = next;
    w->fleet.config.next_context = w;
}

void stream_world_free(struct stream_world *w) {
    conv_world_free(&w->fleet);
}

struct hd_measure *stream_world_measure(struct stream_world *w) {
    begin(w);
    return conv_world_measure(&w->fleet);
}
