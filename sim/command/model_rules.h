/* Rules that say which LLM each model name of a trace is. Internal to this room:
 * resolve_models.c reads them, model_deal.c applies them.
 *
 * A MODEL is a name of the catalogue, with /fp8, /kv-fp8 and /tpN behind it if need be.
 * A map is 'NAME=MODEL', or 'PATTERN=MODEL:WEIGHT,...' with * and ? in the pattern:
 * then the names that match are dealt the models in that proportion. The n names
 * get n cards, counted out by largest remainder and shuffled by the seed; with
 * @order behind the list the k-th name (in order of first appearance) gets entry
 * k mod sum(weights) of the list written out, as the simulator of Aegaeon's
 * authors does. A name that stands there as it is wins over any pattern; among
 * patterns the one with the most letters of its own, then the first. */
#ifndef HD_COMMAND_MODEL_RULES_H
#define HD_COMMAND_MODEL_RULES_H

#include "command/resolve.h"

struct hd_model_card {
    const struct hd_model_spec *spec;
    int tp;       /* 0: the default */
    bool said[2]; /* how weights and KV are kept; else the default */
    long weight;
};

struct hd_model_rule {
    char *pattern, *place;
    bool exact, in_order;
    struct hd_model_card *card;
    int cards, capacity;
    int slo; /* index of its class, -1: not said */
    int min_replicas;
};

struct hd_model_rules {
    struct hd_model_rule *rule;
    int rules, capacity;
    enum hd_number weights, kv; /* of models that say nothing of them */
    uint64_t seed;
};

#endif
