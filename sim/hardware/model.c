/* Parameters, bytes and work from a model's shape. */
#include "hardware/model.h"

static int number_bytes(enum hd_number n) {
    return n == HD_NUMBER_FP8 ? 1 : 2;
}

static int64_t latent_attention(const struct hd_model_spec *m) {
    int64_t h = m->hidden, heads = m->heads, d = m->head_dim;
    int64_t query = h * m->q_rank + m->q_rank * heads * (d + m->rope_dim);
    int64_t kv = h * (m->kv_rank + m->rope_dim) + m->kv_rank * heads * (d + d);
    return query + kv + heads * d * h;
}

static int64_t attention_weights(const struct hd_model_spec *m) {
    if (m->kv_rank) return latent_attention(m);
    int64_t h = m->hidden, d = m->head_dim;
    return h * (m->heads + 2 * m->kv_heads) * d + m->heads * d * h;
}

static int64_t gated_ffn(const struct hd_model_spec *m, int width) {
    return (int64_t)3 * m->hidden * width;
}

int hd_model_expert_layers(const struct hd_model_spec *m) {
    return m->experts ? m->layers - m->dense_layers : 0;
}

int64_t hd_model_expert_weights(const struct hd_model_spec *m) {
    return m->experts ? gated_ffn(m, m->moe_ffn) : 0;
}

int64_t hd_model_head_weights(const struct hd_model_spec *m) {
    return (int64_t)m->hidden * m->vocab;
}

int64_t hd_model_common_weights(const struct hd_model_spec *m) {
    int64_t with_experts = hd_model_expert_layers(m);
    int64_t router = (int64_t)m->hidden * m->experts;
    return m->layers * attention_weights(m) +
           (m->layers - with_experts) * gated_ffn(m, m->ffn) +
           with_experts * (gated_ffn(m, m->shared_ffn) + router);
}

/* Norms and biases of one layer, without those of its experts. */
static int64_t layer_vectors(const struct hd_model_spec *m) {
    int64_t d = m->head_dim, sum = 2 * (int64_t)m->hidden;
    if (m->qk_norm) sum += 2 * d;
    if (m->kv_rank) sum += m->q_rank + m->kv_rank;
    if (m->bias != HD_BIAS_NONE) sum += (m->heads + 2 * (int64_t)m->kv_heads) * d;
    if (m->bias == HD_BIAS_ALL) /* output projection, and a sink per head */
        sum += m->hidden + m->heads;
    return sum;
}

static int64_t expert_vectors(const struct hd_model_spec *m) {
    return m->bias == HD_BIAS_ALL ? 2 * (int64_t)m->moe_ffn + m->hidden : 0;
}

/* The matrices of the layers. Embedding, output head, routers, norms and biases stay at
 * 16 bits whatever these are, as in vLLM's fp8. */
static int64_t quantised_weights(const struct hd_model_spec *m) {
    int64_t with_experts = hd_model_expert_layers(m);
    int64_t router = (int64_t)m->hidden * m->experts;
    return hd_model_common_weights(m) +
           with_experts * (m->experts * hd_model_expert_weights(m) - router);
}

void hd_model_derive(struct hd_model_spec *m) {
    int64_t layers = hd_model_expert_layers(m);
    int64_t expert = hd_model_expert_weights(m) + expert_vectors(m);
    int64_t router = m->bias == HD_BIAS_ALL || m->kv_rank ? m->experts : 0;
    int64_t common = hd_model_common_weights(m) + m->layers * layer_vectors(m) +
                     layers * router + m->hidden +
                     hd_model_head_weights(m) * (m->tied ? 1 : 2);
    m->params = common + layers * m->experts * expert;
    m->active_params = common + layers * m->topk * expert;
    int64_t small = quantised_weights(m);
    m->weights_bytes = 2 * (m->params - small) + number_bytes(m->weights) * small;
    m->kv_token_bytes = (int64_t)hd_model_kv_token_bytes(m, 1);
}

double hd_model_kv_token_bytes(const struct hd_model_spec *m, int tp) {
    int bytes = number_bytes(m->kv);
    if (m->kv_rank) return (double)m->layers * (m->kv_rank + m->rope_dim) * bytes;
    int on_each = (m->kv_heads + tp - 1) / tp;
    return 2.0 * m->layers * on_each * m->head_dim * bytes;
}
