/* Mean demand and one standard deviation of it (square-root staffing). */
#include "plan/guess.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

/* GPUs wanted on average, and the variance, of models that each want `gpus` while they
 * have a request, but no fewer than `least` on average. A model whose requests stay
 * stay_s has none with probability exp(-rate stay), whatever the law of the stay
 * (M/G/infinity; trace/stats_activity.h). */
struct staffing {
    double mean, variance;
};

static void staff(struct staffing *s, const struct hd_guess_model *m, double stay_s,
                  double gpus, double least) {
    double none = exp(-m->rate_per_s * stay_s);
    s->mean += fmax(gpus * (1 - none), least);
    s->variance += gpus * gpus * none * (1 - none);
}

static int whole(const struct staffing *s) {
    double gpus = round(s->mean + sqrt(s->variance));
    return gpus < 1 ? 1 : gpus < 1e6 ? (int)gpus : 1000000;
}

int hd_guess_by_models(const struct hd_guess_model *model, int models) {
    struct staffing s = {0};
    for (int n = 0; n < models; n++) {
        const struct hd_guess_model *m = &model[n];
        double stay_s = m->switch_s + m->prefill_s + m->output_tokens * m->step_s;
        double busy = m->rate_per_s * (m->prefill_s + m->output_tokens * m->token_s);
        staff(&s, m, stay_s, m->tp, m->tp * busy);
    }
    return whole(&s);
}

/* A token is not asked for before TBT has passed, so a request may stay that long for
 * each of its own, and asks for step/TBT of a GPU meanwhile; of a turn of TURN_S, the
 * longest of Aegaeon's, the switch to it is no use. Prompts of a model wait for each
 * other, half the TTFT: their switches come once for all of these. */
int hd_guess_by_tokens(const struct hd_guess_model *model, int models) {
    enum { TURN_S = 4, PATIENT_S = 60 };
    struct staffing s = {0};
    for (int n = 0; n < models; n++) {
        const struct hd_guess_model *m = &model[n];
        double pace_s = fmax(fmin(m->tbt_s, 1), m->step_s);
        double share = fmin(m->step_s / pace_s * (1 + m->switch_s / TURN_S), 1);
        double busy = m->rate_per_s * m->output_tokens * m->token_s;
        staff(&s, m, m->output_tokens * pace_s, m->tp * share, m->tp * busy);
        double wait_s = fmin(m->ttft_s, PATIENT_S) / 2;
        double switches_per_s = m->rate_per_s / (1 + m->rate_per_s * wait_s);
        s.mean += m->tp * (m->rate_per_s * m->prefill_s + m->switch_s * switches_per_s);
    }
    return whole(&s);
}

/* The stages of a switch that take a set time, and its weights from the host's memory.
 */
static double switch_s(const struct hd_question *q, const struct hd_market_model *m) {
    const struct hd_switching *w = &q->switching;
    double rate = q->part[0].node.pcie_bytes_per_s;
    if (w->load_bytes_per_s > 0) rate = fmin(rate, w->load_bytes_per_s);
    return w->gc_s + w->restart_s + w->reinit_s +
           (double)m->spec->weights_bytes / m->tp / rate;
}

static struct hd_guess_model of_model(const struct hd_setup *s, int n, double scale) {
    enum { BATCH = 8 }; /* a moderate one */
    const struct hd_question *q = hd_setup_question(s);
    const struct hd_market_model *m = &q->model[n];
    const struct hd_slo_class *slo = &q->slo[m->slo];
    const struct hd_trace *t = q->trace;
    double span_s = hd_s_from_tick(t->row[t->rows - 1].at - t->row[0].at);
    struct hd_mean_request alone = hd_setup_mean_request(s, n, 1),
                           many = hd_setup_mean_request(s, n, BATCH);
    return (struct hd_guess_model){
        .tp = m->tp,
        .rate_per_s = (double)hd_setup_sent(s, n) / fmax(span_s, 1),
        .prefill_s = alone.prefill_s,
        .output_tokens = (double)alone.output,
        .step_s = alone.step_s,
        .token_s = many.step_s / BATCH,
        .switch_s = switch_s(q, m),
        .ttft_s = slo->ttft_s * scale,
        .tbt_s = slo->tbt_s * scale,
    };
}

int hd_guess_gpus(const struct hd_setup *s, enum hd_pooling pooling, double scale) {
    int models = hd_setup_question(s)->models;
    struct hd_guess_model *m = hd_alloc((size_t)(models + 1) * sizeof *m);
    for (int n = 0; n < models; n++) m[n] = of_model(s, n, scale);
    int gpus = pooling == HD_POOLS_TOKENS ? hd_guess_by_tokens(m, models)
                                          : hd_guess_by_models(m, models);
    free(m);
    return gpus;
}
