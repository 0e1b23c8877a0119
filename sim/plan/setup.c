/* What all runs of a question share: its rows, denominators, kinds and timings. */
#include "plan/setup.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "hardware/node.h"
#include "plan/setup_state.h"

const struct hd_question *hd_setup_question(const struct hd_setup *s) {
    return s->question;
}

struct hd_load hd_setup_load(const struct hd_setup *s) {
    return s->load;
}

/* ---- rows ---------------------------------------------------------------- */

bool hd_setup_arrival(const struct hd_setup *s, int64_t row, struct hd_arrival *a) {
    const struct hd_question *q = s->question;
    const struct hd_trace_row *r = &q->trace->row[row];
    hd_trace_step(q->trace, row);
    *a = (struct hd_arrival){.at = r->at,
                             .model = r->model,
                             .input_tokens = r->input_tokens > 0 ? r->input_tokens : 1,
                             .output_tokens = r->output_tokens};
    const struct hd_trace_extra *extra = q->trace->extra;
    if (extra && extra->prefix) {
        a->prefix = extra->prefix + extra->prefix_first[row];
        a->prefix_blocks =
            (int)(extra->prefix_first[row + 1] - extra->prefix_first[row]);
    }
    if (r->output_tokens == 0) return q->zero_output != HD_DROP;
    int context = q->model[r->model].spec->max_context_tokens;
    if ((int64_t)a->input_tokens + a->output_tokens <= context) return true;
    if (q->too_long == HD_CLIP) {
        /* The output yields first; a prompt that leaves no room for one token is cut.
         */
        if (a->input_tokens > context - 1) a->input_tokens = context - 1;
        a->output_tokens = context - a->input_tokens;
    }
    a->too_long = q->too_long != HD_CLIP;
    return q->too_long != HD_DROP;
}

static bool in_window(const struct hd_question *q, hd_tick at) {
    return at >= q->from && at < q->to;
}

/* Counts the rows, what they promise, and what becomes of those that cannot be served
 * as they are. */
static void count_rows(struct hd_setup *s) {
    const struct hd_question *q = s->question;
    const struct hd_trace *t = q->trace;
    int capacity = 0;
    s->load.rows = t->rows;
    for (int64_t n = 0; n < t->rows; n++) {
        const struct hd_trace_row *r = &t->row[n];
        struct hd_arrival a;
        bool sent = hd_setup_arrival(s, n, &a), measured = in_window(q, r->at);
        bool empty = r->output_tokens == 0;
        int input = r->input_tokens > 0 ? r->input_tokens : 1;
        bool too_long = !empty && (int64_t)input + r->output_tokens >
                                      q->model[r->model].spec->max_context_tokens;
        s->load.empty += empty;
        s->load.empty_measured += empty && measured;
        s->load.too_long += too_long;
        s->load.too_long_measured += too_long && measured;
        if (!sent) {
            s->unsent =
                hd_grow(s->unsent, &capacity, s->unsents + 1, sizeof *s->unsent);
            s->unsent[s->unsents++] = s->load.sent;
            continue;
        }
        s->load.sent++;
        s->load.no_input += r->input_tokens == 0;
        struct hd_setup_model *m = &s->model[r->model];
        m->sent++;
        m->input += a.input_tokens;
        m->output += a.output_tokens;
        if (!measured) continue;
        s->load.measured++;
        s->requests[r->model]++;
        s->tokens[r->model] += empty ? 1 : a.output_tokens;
    }
}

/* Rows that are sent, model by model in order of time. */
static void index_rows(struct hd_setup *s) {
    const struct hd_trace *t = s->question->trace;
    int models = s->question->models;
    s->by_model = hd_alloc(sizeof *s->by_model * (size_t)(s->load.sent + 1));
    s->first = hd_alloc(sizeof *s->first * (size_t)(models + 1));
    for (int m = 0; m < models; m++) s->first[m + 1] = s->first[m] + s->model[m].sent;
    int64_t *at = hd_alloc(sizeof *at * (size_t)(models + 1));
    memcpy(at, s->first, sizeof *at * (size_t)models);
    for (int64_t n = 0; n < t->rows; n++) {
        struct hd_arrival a;
        if (hd_setup_arrival(s, n, &a)) s->by_model[at[a.model]++] = (int32_t)n;
    }
    free(at);
}

void hd_setup_index(struct hd_setup *s) {
    pthread_mutex_lock(&s->indexing);
    if (!s->by_model) index_rows(s);
    pthread_mutex_unlock(&s->indexing);
}

int64_t hd_setup_row(const struct hd_setup *s, int64_t id) {
    int low = 0, high = s->unsents; /* those that lie before it */
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (s->unsent[middle] <= id)
            low = middle + 1;
        else
            high = middle;
    }
    return id + low;
}

/* ---- fleet and models ---------------------------------------------------- */

static bool add_kind(struct hd_setup *s, int part, struct hd_err *err) {
    const struct hd_fleet_part *p = &s->question->part[part];
    if (!hd_timings_add_gpu(s->timings, p->gpu, err)) return false;
    int64_t usable = (int64_t)p->usable_bytes;
    for (int k = 0; k < s->kinds; k++) {
        s->kind_of_part[part] = k;
        if (s->gpu[k] == p->gpu && s->kind[k].usable_bytes == usable) return true;
    }
    s->kind_of_part[part] = s->kinds;
    s->gpu[s->kinds] = p->gpu;
    s->kind[s->kinds++] =
        (struct hd_gpu_kind){.name = p->gpu->name,
                             .usable_bytes = usable,
                             .context_bytes = HD_GPU_CONTEXT_BYTES,
                             .process_bytes = (int64_t)p->process_bytes,
                             .vram_bytes = p->gpu->vram_bytes,
                             .contention = hd_contention_of(p->gpu->name)};
    return true;
}

/* The part whose GPUs offer the model the most memory, the first of equals: where it
 * runs alone, and what it could ever be given. */
/* A slab that no block fits, or that does not fit beside the weights, would refuse
 * every request. Weights that fit nowhere are said elsewhere. */
static bool slabs_fit(const struct hd_question *q, const struct hd_market_model *m,
                      const struct hd_fleet_part *part, struct hd_err *err) {
    double slab = (double)q->serving.slab_bytes;
    double block = (double)m->spec->kv_token_bytes * HD_BLOCK_TOKENS;
    double left = part->usable_bytes - (double)m->spec->weights_bytes / m->tp;
    if (slab <= 0) return true;
    if (slab < block)
        return hd_fail(err,
                       "a slab of %.0f bytes holds no block of model %s; expected "
                       "at least %.0f",
                       slab, m->name, block);
    if (left > 0 && left < slab)
        return hd_fail(err,
                       "a slab of %.1f GB does not fit beside the weights of model "
                       "%s, which leave %.1f GB on each GPU",
                       slab / 1e9, m->name, left / 1e9);
    return true;
}

static bool place_model(struct hd_setup *s, int model, struct hd_err *err) {
    const struct hd_question *q = s->question;
    const struct hd_market_model *m = &q->model[model];
    int largest = 0, best = -1;
    for (int p = 0; p < q->parts; p++) {
        const struct hd_fleet_part *part = &q->part[p];
        if (m->gpu && strcmp(m->gpu, part->gpu->name) != 0) continue;
        if (!hd_timings_serve(s->timings, part->gpu, m->spec, err)) return false;
        if (part->node.gpus > largest) largest = part->node.gpus;
        if (part->node.gpus < m->tp) continue;
        if (best < 0 || part->usable_bytes > q->part[best].usable_bytes) best = p;
    }
    s->model[model].part = best;
    if (best >= 0) return slabs_fit(q, m, &q->part[best], err);
    if (!largest)
        return hd_fail(err, "model %s asks for GPU %s; the fleet has none", m->name,
                       m->gpu);
    return hd_fail(err, "model %s needs %d GPUs in one node (tp); the largest has %d",
                   m->name, m->tp, largest);
}

static bool place(struct hd_setup *s, struct hd_err *err) {
    const struct hd_question *q = s->question;
    for (int p = 0; p < q->parts; p++)
        if (!add_kind(s, p, err)) return false;
    for (int m = 0; m < q->models; m++)
        if (!place_model(s, m, err)) return false;
    return true;
}

/* A plan of the engine spans less than 60 s of tokens. */
static bool check_limits(const struct hd_question *q, struct hd_err *err) {
    for (int c = 0; c < q->classes; c++)
        for (int n = 0; n < q->scales; n++) {
            double tbt = q->slo[c].tbt_s * q->scale[n];
            if (isfinite(tbt) && tbt >= 60)
                return hd_fail(err,
                               "SLO class %s: a TBT limit of %g s at scale %g; it must "
                               "be below 60 s, or none",
                               q->slo[c].name, q->slo[c].tbt_s, q->scale[n]);
        }
    return true;
}

int hd_setup_gpus_for(const struct hd_setup *s, int model, int replicas) {
    const struct hd_question *q = s->question;
    int tp = q->model[model].tp;
    int node = q->part[s->model[model].part].node.gpus;
    return replicas / (node / tp) * node + replicas % (node / tp) * tp;
}

struct hd_mean_request hd_setup_mean_request(const struct hd_setup *s, int model,
                                             int batch) {
    const struct hd_market_model *m = &s->question->model[model];
    const struct hd_setup_model *has = &s->model[model];
    int64_t sent = has->sent > 0 ? has->sent : 1, until;
    struct hd_mean_request r = {.input = has->input / sent,
                                .output = has->output / sent};
    int64_t input = r.input > 0 ? r.input : 1;
    int entry;
    const struct hd_gpu_spec *gpu = s->question->part[has->part].gpu;
    const struct hd_timing *t =
        hd_timings_get(s->timings, gpu, m->spec, m->tp, 1, &entry);
    hd_tick slope;
    r.prefill_s = hd_s_from_tick(hd_timing_prefill(t, input, 1, input * input, 0, 0));
    r.step_s = hd_s_from_tick(
        hd_timing_step(t, batch, batch * (input + r.output / 2), &slope, &until));
    return r;
}

/* ---- the whole ----------------------------------------------------------- */

struct hd_setup *hd_setup_new(const struct hd_question *q, struct hd_err *err) {
    struct hd_setup *s = hd_alloc(sizeof *s);
    s->question = q;
    pthread_mutex_init(&s->indexing, NULL);
    s->timings = hd_timings_new(q->engine, q->serving.max_batch);
    s->model = hd_alloc(sizeof *s->model * (size_t)(q->models + 1));
    s->requests = hd_alloc(sizeof *s->requests * (size_t)(q->models + 1));
    s->tokens = hd_alloc(sizeof *s->tokens * (size_t)(q->models + 1));
    bool fine = check_limits(q, err) && place(s, err);
    if (fine && q->trace->rows > INT32_MAX)
        fine = hd_fail(err, "%s: %lld rows; at most %d can be replayed at once",
                       q->trace->path, (long long)q->trace->rows, INT32_MAX);
    if (fine) {
        count_rows(s);
        fine = s->load.measured > 0 ||
               hd_fail(err, "%s: no request arrives in the window of %g to %g s",
                       q->trace->path, hd_s_from_tick(q->from), hd_s_from_tick(q->to));
    }
    if (fine) return s;
    hd_setup_free(s);
    return NULL;
}

void hd_setup_free(struct hd_setup *s) {
    if (!s) return;
    hd_timings_free(s->timings);
    free(s->model);
    free(s->requests);
    free(s->tokens);
    free(s->by_model);
    free(s->first);
    free(s->unsent);
    pthread_mutex_destroy(&s->indexing);
    free(s);
}

struct hd_measure *hd_setup_measure(const struct hd_setup *s, int model) {
    const struct hd_question *q = s->question;
    int first = model < 0 ? 0 : model, models = model < 0 ? q->models : 1;
    struct hd_expected e = {models, s->requests + first, s->tokens + first};
    struct hd_measure *m = hd_measure_new(&e, q->from, q->to);
    for (int n = 0; n < models; n++)
        m->model[n].attain = q->slo[q->model[first + n].slo].attain;
    return m;
}

int64_t hd_setup_measured(const struct hd_setup *s, int model) {
    return model < 0 ? s->load.measured : s->requests[model];
}

int64_t hd_setup_sent(const struct hd_setup *s, int model) {
    return model < 0 ? s->load.sent : s->model[model].sent;
}

int64_t hd_setup_usable_bytes(const struct hd_setup *s, int model) {
    return s->kind[s->kind_of_part[s->model[model].part]].usable_bytes;
}

struct hd_measure *hd_setup_perfect(const struct hd_setup *s) {
    const struct hd_question *q = s->question;
    struct hd_measure *m = hd_setup_measure(s, -1);
    for (int64_t n = 0; n < q->trace->rows; n++) {
        struct hd_arrival a;
        if (!hd_setup_arrival(s, n, &a) || !in_window(q, a.at)) continue;
        const struct hd_market_model *model = &q->model[a.model];
        int64_t weights = (model->spec->weights_bytes + model->tp - 1) / model->tp;
        bool holds = weights < hd_setup_usable_bytes(s, a.model);
        struct hd_finished f = {.model = a.model,
                                .measured = true,
                                .status = a.output_tokens == 0   ? HD_STATUS_EMPTY
                                          : a.too_long || !holds ? HD_STATUS_TOO_LONG
                                                                 : HD_STATUS_DONE,
                                .output_tokens = a.output_tokens,
                                .tokens_on_time = a.output_tokens,
                                .ratio = 1,
                                .request_ok = true,
                                .arrival = a.at,
                                .first_token = -1,
                                .last_token = a.at,
                                .gap_longest = -1};
        hd_measure_finish(m, &f);
    }
    return m;
}
