/* Every request asks its model's compiled timing twice. */
#include "plan/demand.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "plan/timings.h"

struct work {
    double prefill_s, decode_s;
};

static struct work work_of(const struct hd_timing *timing, int batch, int64_t input,
                           int64_t output) {
    hd_tick slope;
    int64_t until;
    hd_tick prefill = hd_timing_prefill(timing, input, 1, input * input, 0, 0);
    hd_tick step =
        hd_timing_step(timing, batch, batch * (input + output / 2), &slope, &until);
    return (struct work){hd_s_from_tick(prefill),
                         (double)(output - 1) * hd_s_from_tick(step) / batch};
}

static void count(const struct hd_question *q, const struct hd_timing *const *timing,
                  double interval_s, int intervals, struct hd_demand *d) {
    const struct hd_trace *t = q->trace;
    hd_tick interval = hd_tick_from_s(interval_s);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        const struct hd_trace_row *row = &t->row[i];
        const struct hd_market_model *m = &q->model[row->model];
        int64_t input = row->input_tokens > 0 ? row->input_tokens : 1;
        if (row->output_tokens == 0) {
            d->empty++;
            continue;
        }
        if (input + row->output_tokens > m->spec->max_context_tokens) {
            d->too_long++;
            continue;
        }
        struct work w =
            work_of(timing[row->model], d->batch, input, row->output_tokens);
        hd_tick at = (row->at - t->row[0].at) / interval;
        d->counted++;
        d->prefill_gpu_s += m->tp * w.prefill_s;
        d->decode_gpu_s += m->tp * w.decode_s;
        d->model_gpu_s[row->model] += m->tp * (w.prefill_s + w.decode_s);
        d->interval_gpu_s[at < intervals ? at : intervals - 1] +=
            m->tp * (w.prefill_s + w.decode_s);
    }
}

bool hd_demand(const struct hd_question *q, int batch, double interval_s, int intervals,
               struct hd_demand *d, struct hd_err *err) {
    const struct hd_gpu_spec *gpu = q->part[0].gpu;
    struct hd_timings *timings = hd_timings_new(q->engine, batch);
    bool fine = hd_timings_add_gpu(timings, gpu, err);
    *d = (struct hd_demand){.batch = batch};
    if (fine) {
        const struct hd_timing **timing =
            hd_alloc((size_t)q->models * sizeof(const struct hd_timing *));
        d->model_gpu_s = hd_alloc((size_t)q->models * sizeof *d->model_gpu_s);
        d->interval_gpu_s = hd_alloc((size_t)intervals * sizeof *d->interval_gpu_s);
        for (int m = 0; m < q->models; m++) {
            int entry;
            struct hd_timing_source source;
            timing[m] = hd_timings_get(timings, gpu, q->model[m].spec, q->model[m].tp,
                                       1, &entry);
            hd_timings_source(timings, entry, &source);
            d->error_p90 = fmax(d->error_p90, source.error_p90);
        }
        count(q, timing, interval_s, intervals, d);
        free(timing);
    }
    hd_timings_free(timings);
    return fine;
}

void hd_demand_free(struct hd_demand *d) {
    free(d->model_gpu_s);
    free(d->interval_gpu_s);
    *d = (struct hd_demand){0};
}
