#include "math_shapes.h"

#include "coarse_first.h"

/* A value of one axis and when its turn comes: 0 in the coarse grid. */
struct step {
    long value;
    int depth;
};

struct model {
    long hidden, heads, kv_heads, head_dim, ffn, vocabulary;
    int depth;
};

/* The dense parts of sim/catalog/models.csv, those most served first; of the models
 * with experts the width of one expert. DeepSeek's attention has another form: left
 * out. */
static const struct model MODELS[] = {
    {4096, 32, 8, 128, 14336, 128256, 0}, /* Llama-3.1-8B */
    {8192, 64, 8, 128, 28672, 128256, 1}, /* Llama-3.1-70B */
    {3584, 28, 4, 128, 18944, 152064, 1}, /* Qwen2.5-7B */
    {5120, 40, 40, 128, 13824, 32000, 2}, /* Llama-2-13b */
    {4096, 32, 32, 128, 11008, 32000, 2}, /* Llama-2-7b */
    {5120, 40, 8, 128, 27648, 152064, 2}, /* Qwen2.5-32B */
    {8192, 64, 8, 128, 29568, 152064, 2}, /* Qwen2.5-72B */
    {4096, 32, 8, 128, 12288, 151936, 3}, /* Qwen3-8B */
    {5120, 40, 8, 128, 17408, 151936, 3}, /* Qwen3-14B */
    {5120, 64, 8, 128, 25600, 151936, 3}, /* Qwen3-32B */
    {2048, 32, 4, 128, 768, 151936, 3},   /* Qwen3-30B-A3B, one expert */
    {4096, 64, 4, 128, 1536, 151936, 3},  /* Qwen3-235B-A22B, one expert */
    {2880, 64, 8, 64, 2880, 201088, 3},   /* gpt-oss, one expert */
    {5120, 40, 8, 128, 13824, 152064, 4}, /* Qwen2.5-14B */
    {4096, 32, 8, 128, 14336, 32000, 4},  /* Llama-2-70b's kin: Mistral, Mixtral 8x7B */
    {8192, 64, 8, 128, 28672, 32000, 4},  /* Llama-2-70b */
    {5120, 32, 8, 128, 14336, 131072, 4}, /* Mistral-Nemo */
    {6144, 48, 8, 128, 16384, 32000, 4},  /* Mixtral 8x22B */
    {7168, 56, 8, 128, 20480, 64000, 4},  /* Yi-34B */
    {4096, 32, 4, 128, 11008, 64000, 4},  /* Yi-1.5 */
    {8192, 64, 8, 128, 22016, 32000, 4},  /* CodeLlama-34b */
    {4096, 32, 8, 128, 14336, 92544, 4},  /* InternLM2.5-7b */
    {5120, 40, 40, 128, 13824, 103168, 4},  /* InternLM-20b */
    {5120, 40, 40, 128, 13696, 152064, 4},  /* Qwen1.5-14B */
    {2560, 32, 8, 128, 9728, 151936, 4},    /* Qwen3-4B */
    {2048, 16, 2, 128, 11008, 151936, 4},   /* Qwen2.5-3B */
    {1536, 12, 2, 128, 8960, 151936, 4},    /* Qwen2.5-1.5B */
    {896, 14, 2, 64, 4864, 151936, 4},      /* Qwen2.5-0.5B */
    {2048, 16, 8, 128, 6144, 151936, 4},    /* Qwen3-1.7B */
    {1024, 16, 8, 128, 3072, 151936, 4},    /* Qwen3-0.6B */
    {2048, 32, 4, 128, 6144, 151936, 5},    /* Qwen3-30B-A3B, its dense width */
    {4096, 64, 4, 128, 12288, 151936, 5},   /* Qwen3-235B-A22B, likewise */
    {16384, 128, 8, 128, 53248, 128256, 5}, /* Llama-3.1-405B */
};

/* Powers of two, and an odd number between each two of them, some of them just beside a
 * multiple of 64 or 128, where the tiles of a GEMM change. */
static const struct step TOKENS[] = {
    {1, 0},   {16, 0},  {64, 0},   {256, 0},  {1024, 0}, {4096, 0}, {8, 1},    {32, 1},
    {128, 1}, {512, 1}, {2048, 1}, {8192, 1}, {5, 2},    {11, 2},   {23, 2},   {47, 2},
    {65, 2},  {191, 2}, {383, 2},  {641, 2},  {1535, 2}, {2561, 2}, {6143, 2}, {2, 3},
    {4, 3},   {129, 3}, {96, 3},   {193, 3},  {768, 3},  {1536, 3}, {3072, 3},
};

static const struct step SEQUENCES[] = {
    {1, 0},   {16, 0}, {128, 0}, {4, 1},  {64, 1}, {256, 1}, {2, 2},
    {512, 2}, {8, 2},  {32, 2},  {23, 3}, {65, 3}, {191, 3},
};

static const struct step CHUNKS[] = {
    {64, 0}, {512, 0}, {2048, 0}, {8192, 0}, {128, 1}, {1024, 1}, {4096, 1},
    {16, 2}, {256, 2}, {33, 3},   {191, 3},  {769, 3}, {1535, 3}, {6143, 3},
};

static const struct step PREFIXES[] = {
    {0, 0},    {2048, 1},  {8192, 1}, {512, 2}, {32768, 2},
    {4096, 2}, {16384, 2}, {1024, 3}, {100, 3},
};

static const struct step BATCHES[] = {
    {1, 0}, {16, 0}, {128, 0}, {4, 1},  {64, 1}, {512, 1}, {2, 2},
    {8, 2}, {32, 2}, {256, 2}, {12, 3}, {48, 3}, {192, 3}, {384, 3},
};

static const struct step CONTEXTS[] = {
    {1024, 0}, {8192, 0},   {256, 1}, {4096, 1},  {32768, 1}, {64, 2},   {2048, 2},
    {512, 2},  {131072, 2}, {128, 3}, {16384, 2}, {65536, 3}, {1500, 3},
};

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))

struct list {
    struct shape *shapes;
    int count;
};

long rows_within(double left_s, long count) {
    const double rows = left_s / 25e-3;
    return rows < 1 ? 1 : rows < (double)count ? (long)rows : count;
}

static void append(struct list *list, struct shape shape) {
    if (list->count < MATH_SHAPES_MOST) list->shapes[list->count++] = shape;
}

/* What a model is asked for, so that two that agree in it are measured once. */
typedef bool same_model(const struct model *, const struct model *);

static bool same_width(const struct model *a, const struct model *b) {
    return a->hidden == b->hidden;
}
static bool same_ffn(const struct model *a, const struct model *b) {
    return a->ffn == b->ffn;
}
static bool same_vocabulary(const struct model *a, const struct model *b) {
    return a->vocabulary == b->vocabulary;
}
static bool same_head(const struct model *a, const struct model *b) {
    return same_width(a, b) && same_vocabulary(a, b);
}
static bool same_heads(const struct model *a, const struct model *b) {
    return a->heads == b->heads && a->kv_heads == b->kv_heads &&
           a->head_dim == b->head_dim;
}

/* Whether the model is the first of the table with what it is asked for. */
static bool is_first(const struct model *model, same_model *same) {
    for (const struct model *m = MODELS; m < model; m++)
        if (same(m, model)) return false;
    return true;
}

/* Weight matrices: outputs n by inputs k. */
struct weights {
    long n, k;
    int depth;
};

enum { WEIGHTS_MOST = 4 * COUNT(MODELS) + 9 };

static int add_weights(struct weights *all, int count, long n, long k, int depth) {
    for (int i = 0; i < count; i++)
        if (all[i].n == n && all[i].k == k) return count;
    all[count].n = n;
    all[count].k = k;
    all[count].depth = depth;
    return count + 1;
}

static int all_weights(struct weights *all) {
    static const long ROUND[] = {4096, 1024, 16384};
    int count = 0;
    for (const struct model *m = MODELS; m < MODELS + COUNT(MODELS); m++) {
        const long rows = (m->heads + 2 * m->kv_heads) * m->head_dim;
        count = add_weights(all, count, 2 * m->ffn, m->hidden, m->depth);
        count = add_weights(all, count, m->hidden, m->ffn, m->depth);
        count = add_weights(all, count, rows, m->hidden, m->depth);
        count = add_weights(all, count, m->hidden, m->heads * m->head_dim, m->depth);
        if (m != MODELS) continue;
        for (int i = 0; i < COUNT(ROUND); i++)
            for (int j = 0; j < COUNT(ROUND); j++)
                count = add_weights(all, count, ROUND[i], ROUND[j], i == j ? 0 : 1);
    }
    return count;
}

static struct shape gemm_shape(const char *op, const char *dtype, long m, long n,
                               long k) {
    struct shape s = shape_of(op, "", dtype);
    s.m = m;
    s.n = n;
    s.k = k;
    return s;
}

static void append_lm_heads(struct list *list, const char *dtype, int depth) {
    for (const struct model *m = MODELS; m < MODELS + COUNT(MODELS); m++)
        for (const struct step *s = SEQUENCES; s < SEQUENCES + COUNT(SEQUENCES); s++)
            if (m->depth + s->depth == depth && is_first(m, same_head))
                append(list, gemm_shape("lm_head", dtype, s->value, m->vocabulary,
                                        m->hidden));
}

int gemm_shapes(struct shape *shapes, int depth) {
    struct list list = {shapes, 0};
    struct weights weights[WEIGHTS_MOST];
    const int count = all_weights(weights);
    /* fp8 comes one turn after bf16; no depth is beyond 5 + 3 + 1 */
    for (int turn = 0; turn <= depth && turn <= 9; turn++) {
        for (int fp8 = 0; fp8 <= 1 && fp8 <= turn; fp8++) {
            const char *const dtype = fp8 != 0 ? "fp8" : "bf16";
            for (int i = 0; i < count; i++)
                for (const struct step *s = TOKENS; s < TOKENS + COUNT(TOKENS); s++)
                    if (weights[i].depth + s->depth + fp8 == turn)
                        append(&list, gemm_shape("gemm", dtype, s->value, weights[i].n,
                                                 weights[i].k));
            if (fp8 == 0) append_lm_heads(&list, dtype, turn);
        }
    }
    return list.count;
}

static struct shape attention_shape(const char *op, const char *variant,
                                    const struct model *m, long batch) {
    struct shape s = shape_of(op, variant, "bf16");
    s.batch = batch;
    s.heads = m->heads;
    s.kv_heads = m->kv_heads;
    s.head_dim = m->head_dim;
    return s;
}

int prefill_shapes(struct shape *shapes, int depth) {
    struct list list = {shapes, 0};
    for (int turn = 0; turn <= depth && turn <= 11; turn++)
        for (const struct model *m = MODELS; m < MODELS + COUNT(MODELS); m++)
            for (const struct step *p = PREFIXES; p < PREFIXES + COUNT(PREFIXES); p++)
                for (const struct step *c = CHUNKS; c < CHUNKS + COUNT(CHUNKS); c++) {
                    if (m->depth + p->depth + c->depth != turn ||
                        !is_first(m, same_heads))
                        continue;
                    struct shape s =
                        attention_shape("attention_prefill", "own_mma", m, 1);
                    s.chunk = c->value;
                    s.prefix = p->value;
                    append(&list, s);
                }
    return list.count;
}

static void append_decode(struct list *list, const struct model *m, long batch,
                          long context) {
    struct shape s = attention_shape("attention_decode", "", m, batch);
    s.context = context;
    append(list, s);
}

/* The mean includes the long one, so that the others are shorter than the mean. */
static void append_ragged(struct list *list, const struct model *m, long batch,
                          long context, const char *variant, long factor) {
    struct shape s = attention_shape("attention_decode", variant, m, batch);
    s.context = context;
    s.count = factor * context;
    if (batch > factor) append(list, s);
}

int decode_shapes(struct shape *shapes, int depth) {
    struct list list = {shapes, 0};
    for (int turn = 0; turn <= depth && turn <= 13; turn++)
        for (const struct model *m = MODELS; m < MODELS + COUNT(MODELS); m++)
            for (const struct step *b = BATCHES; b < BATCHES + COUNT(BATCHES); b++)
                for (const struct step *c = CONTEXTS; c < CONTEXTS + COUNT(CONTEXTS);
                     c++) {
                    const int at = m->depth + b->depth + c->depth;
                    if (!is_first(m, same_heads)) continue;
                    if (at == turn) append_decode(&list, m, b->value, c->value);
                    if (at + 1 != turn || c->value > 8192) continue;
                    append_ragged(&list, m, b->value, c->value, "ragged_4", 4);
                    append_ragged(&list, m, b->value, c->value, "ragged_16", 16);
                }
    return list.count;
}

static void append_wide(struct list *list, const char *op, const char *variant,
                        const char *dtype, long m, long n) {
    struct shape s = shape_of(op, variant, dtype);
    s.m = m;
    s.n = n;
    append(list, s);
}

static void append_rope(struct list *list, const struct model *model, long m) {
    struct shape s = shape_of("rope", "", "bf16");
    s.m = m;
    s.heads = model->heads;
    s.kv_heads = model->kv_heads;
    s.head_dim = model->head_dim;
    append(list, s);
}

static void append_for_tokens(struct list *list, const struct model *model, long m) {
    if (is_first(model, same_width)) {
        append_wide(list, "norm", "rmsnorm", "bf16", m, model->hidden);
        append_wide(list, "add", "", "bf16", m, model->hidden);
        append_wide(list, "embedding", "", "bf16", m, model->hidden);
    }
    if (is_first(model, same_ffn))
        append_wide(list, "activation", "silu_mul", "bf16", m, model->ffn);
    if (is_first(model, same_heads)) append_rope(list, model, m);
}

int small_shapes(struct shape *shapes, int depth) {
    struct list list = {shapes, 0};
    for (int turn = 0; turn <= depth && turn <= 8; turn++)
        for (const struct model *m = MODELS; m < MODELS + COUNT(MODELS); m++) {
            for (const struct step *s = TOKENS; s < TOKENS + COUNT(TOKENS); s++)
                if (m->depth + s->depth == turn) append_for_tokens(&list, m, s->value);
            for (const struct step *s = SEQUENCES; s < SEQUENCES + COUNT(SEQUENCES);
                 s++) {
                if (m->depth + s->depth != turn || !is_first(m, same_vocabulary))
                    continue;
                append_wide(&list, "sampling", "argmax", "fp32", s->value,
                            m->vocabulary);
                append_wide(&list, "sampling", "temperature", "fp32", s->value,
                            m->vocabulary);
            }
        }
    return list.count;
}

static void append_collectives(struct list *list, long gpus, long bytes) {
    static const char *const OPS[] = {"all_reduce", "all_gather", "send_recv"};
    static const char *const MODES[] = {"nccl", "nccl_graph"};
    for (int op = 0; op < COUNT(OPS); op++)
        for (int mode = 0; mode < COUNT(MODES); mode++) {
            struct shape s = shape_of(OPS[op], MODES[mode], "bf16");
            if (op == 2 && gpus > 2) continue; /* between two, whoever else is there */
            s.gpus = gpus;
            s.bytes = bytes;
            append(list, s);
        }
}

int collective_shapes(struct shape *shapes, int gpus) {
    enum { SMALLEST = 8, LARGEST = 29, POWERS = LARGEST - SMALLEST + 1 };
    struct list list = {shapes, 0};
    int order[POWERS];
    coarse_first(order, POWERS);
    for (int i = 0; i < POWERS; i++)
        for (long n = 2; n <= 8 && n <= gpus; n *= 2)
            append_collectives(&list, n, 1L << (SMALLEST + order[i]));
    return list.count;
}
