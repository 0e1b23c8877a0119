/* Which kernels an iteration has, of what shape, and their sum. */
#include "timing/kernels.h"

#include <assert.h>
#include <math.h>

#include "hardware/model.h"

/* All-reduces held out, every second size: the largest of the measured GPUs'. */
#define REDUCE_P50 0.04
#define REDUCE_P90 0.12

/* ---- the model's kernels ------------------------------------------------- */

static void add_as(struct hd_composition *c, const char *name, enum hd_roof_op op,
                   enum hd_roof_type type, double times, double n, double k) {
    if (!(times > 0 && n > 0)) return;
    assert(c->pieces < HD_PIECES_MAX);
    struct hd_piece *p = &c->piece[c->pieces++];
    *p = (struct hd_piece){.name = name,
                           .op = op,
                           .type = type,
                           .times = times,
                           .per = HD_PER_TOKEN,
                           .factor = 1,
                           .n = n,
                           .k = k};
    p->table = hd_kernel_set_find(c->set, op, type, &p->origin);
    if (!p->table) c->pieces--; /* residuals that no kernel of its own adds */
}

static void add(struct hd_composition *c, const char *name, enum hd_roof_op op,
                double times, double n, double k) {
    add_as(c, name, op, op == HD_ROOF_GEMM ? c->type : HD_ROOF_BF16, times, n, k);
}

static void per(struct hd_composition *c, int kind, double factor) {
    c->piece[c->pieces - 1].per = kind;
    c->piece[c->pieces - 1].factor = factor;
}

static double heads_of(const struct hd_composition *c) {
    return ceil((double)c->model->heads / c->tp);
}

static double kv_heads_of(const struct hd_composition *c) {
    return c->model->kv_rank ? 1 : ceil((double)c->model->kv_heads / c->tp);
}

static void add_attention(struct hd_composition *c) {
    const struct hd_model_spec *m = c->model;
    double heads = heads_of(c), kv = kv_heads_of(c), d = m->head_dim, h = m->hidden;
    double layers = m->layers, rope = m->rope_dim;
    if (m->kv_rank) {
        double down = m->kv_rank + rope;
        double queries = heads * (d + rope);
        add(c, "query and KV down", HD_ROOF_GEMM, layers,
            down + (m->q_rank ? m->q_rank : queries), h);
        if (m->q_rank) add(c, "query up", HD_ROOF_GEMM, layers, queries, m->q_rank);
        add(c, "KV up", HD_ROOF_GEMM, layers, 2 * heads * d, m->kv_rank);
        add(c, "latent norms", HD_ROOF_NORM, layers, m->q_rank + m->kv_rank, 0);
        add(c, "rotary embedding", HD_ROOF_ROPE, layers, (heads + 1) * rope, 0);
    } else {
        add(c, "query, key, value", HD_ROOF_GEMM, layers, (heads + 2 * kv) * d, h);
        if (m->qk_norm)
            add(c, "query and key norm", HD_ROOF_NORM, layers, (heads + kv) * d, 0);
        add(c, "rotary embedding", HD_ROOF_ROPE, layers, (heads + kv) * d, 0);
    }
    add(c, "output projection", HD_ROOF_GEMM, layers, h, heads * d);
}

static void add_ffn(struct hd_composition *c) {
    const struct hd_model_spec *m = c->model;
    double h = m->hidden, mixed = hd_model_expert_layers(m), dense = m->layers - mixed;
    double f = ceil((double)m->ffn / c->tp), e = ceil((double)m->moe_ffn / c->tp);
    double shared = ceil((double)m->shared_ffn / c->tp);
    if (dense > 0) {
        add(c, "FFN gate and up", HD_ROOF_GEMM, dense, 2 * f, h);
        add(c, "FFN activation", HD_ROOF_ACTIVATION, dense, f, 0);
        add(c, "FFN down", HD_ROOF_GEMM, dense, h, f);
    }
    if (mixed <= 0) return;
    add_as(c, "router", HD_ROOF_GEMM, HD_ROOF_BF16, mixed, m->experts, h);
    /* rows out to their experts, and back with their weights */
    add(c, "rows to experts", HD_ROOF_NORM, 2 * mixed, h, 0);
    per(c, HD_PER_TOKEN, m->topk);
    add(c, "experts gate and up", HD_ROOF_GEMM, mixed, 2 * e, h);
    per(c, HD_PER_EXPERT, m->topk);
    add(c, "experts activation", HD_ROOF_ACTIVATION, mixed, e, 0);
    per(c, HD_PER_TOKEN, m->topk);
    add(c, "experts down", HD_ROOF_GEMM, mixed, h, e);
    per(c, HD_PER_EXPERT, m->topk);
    if (m->shared_ffn <= 0) return;
    add(c, "shared gate and up", HD_ROOF_GEMM, mixed, 2 * shared, h);
    add(c, "shared activation", HD_ROOF_ACTIVATION, mixed, shared, 0);
    add(c, "shared down", HD_ROOF_GEMM, mixed, h, shared);
}

void hd_compose(struct hd_composition *c, const struct hd_kernel_set *set,
                const struct hd_reduce_fit *reduce, const struct hd_gpu_spec *gpu,
                const struct hd_model_spec *model, int tp, double share) {
    assert(tp >= 1 && share > 0 && share <= 1);
    *c = (struct hd_composition){.gpu = gpu,
                                 .model = model,
                                 .set = set,
                                 .reduce = tp > 1 ? reduce : NULL,
                                 .tp = tp,
                                 .share = share,
                                 .type = hd_roof_type_as(model->weights),
                                 .kv_type = hd_roof_type_as(model->kv)};
    add(c, "embedding", HD_ROOF_EMBEDDING, 1, model->hidden, 0);
    add(c, "norms", HD_ROOF_NORM, 2.0 * model->layers + 1, model->hidden, 0);
    /* engines of today add the residual within the norm */
    if (set->superseded)
        add(c, "residual", HD_ROOF_ADD, model->layers, model->hidden, 0);
    add_attention(c);
    add_ffn(c);
    add_as(c, "output head", HD_ROOF_GEMM, HD_ROOF_BF16, 1,
           ceil((double)model->vocab / tp), model->hidden);
    per(c, HD_PER_ROW, 1);
    add(c, "sampling", HD_ROOF_SAMPLING, 1, model->vocab, 0);
    per(c, HD_PER_ROW, 1);
}

/* ---- seconds ------------------------------------------------------------- */

static double touched(const struct hd_model_spec *m, double tokens) {
    return m->experts * (1 - pow(1 - (double)m->topk / m->experts, tokens));
}

static struct hd_roof_shape shape_of(const struct hd_composition *c,
                                     const struct hd_piece *p, double count) {
    struct hd_roof_shape s = {.m = count * p->factor, .n = p->n, .k = p->k};
    if (p->per == HD_PER_EXPERT) s.batch = touched(c->model, count);
    return s;
}

static double piece_s(const struct hd_composition *c, const struct hd_piece *p,
                      double count) {
    struct hd_roof_shape s = shape_of(c, p, count);
    /* the grid was measured on single matrices: a group has the roofline alone */
    return p->times *
           (p->per == HD_PER_EXPERT
                ? hd_roof_bare_s(&p->table->law, p->op, p->type, c->gpu, c->share, &s)
                : hd_roof_s(&p->table->law, p->op, p->type, c->gpu, c->share, &s));
}

static double pieces_s(const struct hd_composition *c, bool rows, double count) {
    double sum = 0;
    if (!(count > 0)) return 0;
    for (int n = 0; n < c->pieces; n++)
        if ((c->piece[n].per == HD_PER_ROW) == rows)
            sum += piece_s(c, &c->piece[n], count);
    return sum;
}

double hd_compose_tokens_s(const struct hd_composition *c, double tokens) {
    return pieces_s(c, false, tokens);
}

double hd_compose_rows_s(const struct hd_composition *c, double rows) {
    return pieces_s(c, true, rows);
}

static struct hd_roof_shape prefill_shape(const struct hd_composition *c,
                                          const struct hd_batch_shape *b) {
    const struct hd_model_spec *m = c->model;
    /* latent attention: heads of their own, wider in the scores than in the values */
    return (struct hd_roof_shape){.batch = b->prefills,
                                  .chunk = b->chunk,
                                  .prefix = b->prefix,
                                  .heads = heads_of(c),
                                  .kv_heads = m->kv_rank ? heads_of(c) : kv_heads_of(c),
                                  .head_dim = m->head_dim +
                                              (m->kv_rank ? m->rope_dim / 2.0 : 0)};
}

static struct hd_roof_shape decode_shape(const struct hd_composition *c, double decodes,
                                         double context) {
    const struct hd_model_spec *m = c->model;
    return (struct hd_roof_shape){
        .batch = decodes,
        .context = fmax(1, context / decodes),
        .heads = heads_of(c),
        .kv_heads = kv_heads_of(c),
        .head_dim = m->kv_rank ? (m->kv_rank + m->rope_dim) / 2.0 : m->head_dim};
}

double hd_compose_prefill_s(const struct hd_composition *c,
                            const struct hd_batch_shape *b) {
    if (!(b->prefills > 0 && b->chunk > 0)) return 0;
    struct hd_roof_shape s = prefill_shape(c, b);
    const struct hd_kernel_table *t =
        hd_kernel_set_find(c->set, HD_ROOF_PREFILL, c->kv_type, NULL);
    return c->model->layers *
           hd_roof_s(&t->law, HD_ROOF_PREFILL, c->kv_type, c->gpu, c->share, &s);
}

/* Scores and values of a latent decode: every head reads the whole latent vector. */
static double latent_work_s(const struct hd_composition *c, double context) {
    const struct hd_model_spec *m = c->model;
    if (!m->kv_rank) return 0;
    const struct hd_kernel_table *t =
        hd_kernel_set_find(c->set, HD_ROOF_PREFILL, HD_ROOF_BF16, NULL);
    double flops = 2 * heads_of(c) * context * (2.0 * m->kv_rank + m->rope_dim);
    return flops / (t->law.ec * c->gpu->bf16_flops * c->share);
}

double hd_compose_decode_s(const struct hd_composition *c, double decodes,
                           double context) {
    if (!(decodes > 0)) return 0;
    struct hd_roof_shape s = decode_shape(c, decodes, context);
    const struct hd_kernel_table *t =
        hd_kernel_set_find(c->set, HD_ROOF_DECODE, c->kv_type, NULL);
    double one = hd_roof_s(&t->law, HD_ROOF_DECODE, c->kv_type, c->gpu, c->share, &s);
    return c->model->layers * fmax(one, latent_work_s(c, context));
}

double hd_compose_beside_s(const struct hd_composition *c, double decodes,
                           double context, double chunk) {
    double alone = hd_compose_decode_s(c, decodes, context);
    const struct hd_kernel_table *t =
        hd_kernel_set_find(c->set, HD_ROOF_MIXED, HD_ROOF_BF16, NULL);
    if (!(alone > 0) || !t) return alone;
    struct hd_roof_shape s = decode_shape(c, decodes, context);
    s.chunk = chunk;
    return alone *
           hd_roof_s(&t->law, HD_ROOF_MIXED, HD_ROOF_BF16, c->gpu, c->share, &s);
}

double hd_compose_reduce_s(const struct hd_composition *c, double tokens) {
    if (!c->reduce || !(tokens > 0)) return 0;
    return 2.0 * c->model->layers *
           hd_reduce_s(c->reduce, c->tp, tokens * c->model->hidden * 2);
}

void hd_batch_prefills(struct hd_batch_shape *b, double tokens, double square) {
    double mean = square / tokens;
    b->chunk = fmin(mean, tokens);
    b->prefills = tokens / b->chunk;
    b->prefix = mean > tokens ? (mean - tokens) / 2 : 0;
}

/* ---- parts --------------------------------------------------------------- */

static void judge(struct hd_part *p, const struct hd_roof_shape *s, enum hd_roof_op op,
                  bool bare) {
    struct hd_kernel_band band = hd_kernel_band(p->table, p->origin, op, s, bare);
    p->inside = band.inside;
    p->p50 = band.p50;
    p->p90 = band.p90;
}

static void add_part(struct hd_part *part, int *count, const struct hd_composition *c,
                     const char *name, enum hd_roof_op op, double seconds,
                     const struct hd_roof_shape *s) {
    struct hd_part *p = &part[(*count)++];
    *p = (struct hd_part){.name = name, .times = c->model->layers, .seconds = seconds};
    p->table = hd_kernel_set_find(c->set, op, c->kv_type, &p->origin);
    judge(p, s, op, false);
}

static void assume(struct hd_part *p, double p50, double p90, const char *note) {
    p->inside = false;
    p->p50 = fmax(p->p50, p50);
    p->p90 = fmax(p->p90, p90);
    p->note = note;
}

static void add_attention_parts(const struct hd_composition *c,
                                const struct hd_batch_shape *b, struct hd_part *part,
                                int *count) {
    if (b->prefills > 0 && b->chunk > 0) {
        struct hd_roof_shape s = prefill_shape(c, b);
        add_part(part, count, c, "prefill attention", HD_ROOF_PREFILL,
                 hd_compose_prefill_s(c, b), &s);
    }
    if (!(b->decodes > 0)) return;
    struct hd_roof_shape s = decode_shape(c, b->decodes, b->context);
    double chunks = b->prefills * b->chunk;
    add_part(part, count, c, "decode attention", HD_ROOF_DECODE,
             chunks > 0 ? hd_compose_beside_s(c, b->decodes, b->context, chunks)
                        : hd_compose_decode_s(c, b->decodes, b->context),
             &s);
    if (chunks > 0 && !hd_kernel_set_find(c->set, HD_ROOF_MIXED, HD_ROOF_BF16, NULL))
        for (int n = 1; n <= 2; n++)
            assume(&part[*count - n], HD_SUMMED_P50, HD_SUMMED_P90,
                   "attention of prefills and decodes in one batch was not measured on "
                   "this GPU: the sum of both");
}

int hd_compose_parts(const struct hd_composition *c, const struct hd_batch_shape *b,
                     struct hd_part part[HD_PARTS_MAX]) {
    int count = 0;
    for (int n = 0; n < c->pieces; n++) {
        const struct hd_piece *p = &c->piece[n];
        double number = p->per == HD_PER_ROW ? b->rows : b->tokens;
        if (!(number > 0)) continue;
        struct hd_roof_shape s = shape_of(c, p, number);
        struct hd_part *to = &part[count++];
        *to = (struct hd_part){.name = p->name,
                               .times = p->times,
                               .seconds = piece_s(c, p, number),
                               .table = p->table,
                               .origin = p->origin};
        judge(to, &s, p->op, p->per == HD_PER_EXPERT);
        if (p->per == HD_PER_EXPERT)
            assume(to, HD_UNSEEN_GPU_P50, HD_UNSEEN_GPU_P90,
                   "grouped kernels of experts were measured nowhere: the roofline of "
                   "plain GEMMs, tokens spread evenly");
    }
    add_attention_parts(c, b, part, &count);
    if (c->reduce)
        part[count++] = (struct hd_part){.name = "all-reduce",
                                         .times = 2.0 * c->model->layers,
                                         .seconds = hd_compose_reduce_s(c, b->tokens),
                                         .inside = true,
                                         .p50 = REDUCE_P50,
                                         .p90 = REDUCE_P90};
    return count;
}
