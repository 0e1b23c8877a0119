/* Lengths: by two laws, by two laws that are tied, or pairs of a real trace. */
#include "market/lengths.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <math.h>

#include "base/random_stream.h"

/* By a constant ratio between two quantiles, which suits a long tail in its last step.
 */
static double by_quantiles(const struct hd_length_law *law, double u) {
    double at = u * (law->quantiles - 1);
    int below = (int)fmin(at, law->quantiles - 2);
    double low = law->quantile[below], high = law->quantile[below + 1];
    return round(low * pow(high / low, at - below));
}

static double sigma_of(const struct hd_length_law *law) {
    return sqrt(2 * log(law->mean / law->p50));
}

int32_t hd_length_draw(const struct hd_length_law *law, gsl_rng *rng) {
    if (law->quantiles) return (int32_t)by_quantiles(law, gsl_rng_uniform(rng));
    double sigma = sigma_of(law);
    for (;;) {
        double tokens = round(gsl_ran_lognormal(rng, log(law->p50), sigma));
        if (tokens >= law->min && tokens <= law->max) return (int32_t)tokens;
    }
}

double hd_length_mean(const struct hd_length_law *law) {
    if (!law->quantiles) return law->mean;
    double sum = 0;
    for (int i = 0; i + 1 < law->quantiles; i++) {
        double low = law->quantile[i], high = law->quantile[i + 1];
        sum += high > low ? (high - low) / log(high / low) : low;
    }
    return sum / (law->quantiles - 1);
}

/* From a standard normal variate; false outside the bounds. */
static bool from_normal(const struct hd_length_law *law, double z, int32_t *tokens) {
    double value = law->quantiles ? by_quantiles(law, gsl_cdf_ugaussian_P(z))
                                  : round(law->p50 * exp(sigma_of(law) * z));
    if (!law->quantiles && !(value >= law->min && value <= law->max)) return false;
    *tokens = (int32_t)value;
    return true;
}

void hd_lengths_begin(struct hd_lengths_source *l, const struct hd_market *m,
                      uint64_t seed, int model) {
    *l = (struct hd_lengths_source){.market = m};
    if (m->lengths == HD_LENGTHS_APART) {
        l->input = hd_random_stream(seed, "input", model);
        l->output = hd_random_stream(seed, "output", model);
    } else {
        l->both = hd_random_stream(seed, "lengths", model);
    }
}

void hd_lengths_next(struct hd_lengths_source *l, int32_t *input, int32_t *output) {
    const struct hd_market *m = l->market;
    if (m->lengths == HD_LENGTHS_APART) {
        *input = hd_length_draw(&m->input, l->input);
        *output = hd_length_draw(&m->output, l->output);
    } else if (m->lengths == HD_LENGTHS_PAIRS) {
        unsigned long pick =
            gsl_rng_uniform_int(l->both, (unsigned long)m->pairs.count);
        *input = m->pairs.input[pick];
        *output = m->pairs.output[pick];
    } else {
        double x, y;
        do gsl_ran_bivariate_gaussian(l->both, 1, 1, m->correlation, &x, &y);
        while (!from_normal(&m->input, x, input) ||
               !from_normal(&m->output, y, output));
    }
}

void hd_lengths_end(struct hd_lengths_source *l) {
    gsl_rng *const all[] = {l->input, l->output, l->both};
    for (int i = 0; i < 3; i++)
        if (all[i]) gsl_rng_free(all[i]);
}

double hd_lengths_mean_output(const struct hd_market *m) {
    if (m->lengths != HD_LENGTHS_PAIRS) return hd_length_mean(&m->output);
    double sum = 0;
    for (int i = 0; i < m->pairs.count; i++) sum += m->pairs.output[i];
    return sum / m->pairs.count;
}
