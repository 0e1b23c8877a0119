/* Arithmetic on a model's shape: parameters, bytes, work per token. */
#ifndef HD_HARDWARE_MODEL_H
#define HD_HARDWARE_MODEL_H

#include "hardware/catalog.h"

/* Fills in params, active_params, weights_bytes and kv_token_bytes. */
void hd_model_derive(struct hd_model_spec *);

/* Multiply-add weights of all layers that every token passes: attention, dense FFN,
 * shared experts, routers. Without norms and biases, which cost next to nothing. */
int64_t hd_model_common_weights(const struct hd_model_spec *);

/* Weights of one routed expert, and how many layers have experts; 0 when dense. */
int64_t hd_model_expert_weights(const struct hd_model_spec *);
int hd_model_expert_layers(const struct hd_model_spec *);

/* Weights of the output head: hidden * vocab. */
int64_t hd_model_head_weights(const struct hd_model_spec *);

/* KV bytes per token on each of tp GPUs: KV heads are split, and replicated once
 * tp exceeds them; a latent cache is replicated on all. */
double hd_model_kv_token_bytes(const struct hd_model_spec *, int tp);

#endif
