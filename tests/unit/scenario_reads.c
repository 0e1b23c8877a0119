/* The tests' generator and digests, and a policy's eyes: reads every field that there
 * is, and checks answers of the host primitives against a plain scan. */
#include "unit/scenario_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const wanderer_role[] = {"one", "two"};

uint64_t draw_next(uint64_t *state) {
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t draw_below(uint64_t *state, uint64_t below) {
    return draw_next(state) % below;
}

void digest_add(uint64_t *digest, uint64_t value) {
    uint64_t z = (*digest ^ value) * 0xff51afd7ed558ccdu;
    *digest = (z ^ (z >> 32)) + 0x9e3779b97f4a7c15u;
}

void digest_double(uint64_t *digest, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    digest_add(digest, bits);
}

void wanderer_read_request(struct wanderer *w, struct hd_engine *e, struct hd_req r) {
    uint64_t *d = &w->digest;
    digest_add(d, (uint64_t)hd_ask_request_id(e, r));
    digest_add(d, (uint64_t)hd_ask_request_tokens(e, r));
    digest_add(d, (uint64_t)hd_ask_request_context(e, r));
    digest_double(d, hd_ask_request_slack_s(e, r));
    digest_add(d, (uint64_t)hd_ask_request_state(e, r));
    digest_add(d, (uint64_t)hd_ask_request_kv(e, r));
    digest_add(d, (uint64_t)hd_ask_request_kv_at(e, r));
    digest_add(d, (uint64_t)hd_ask_request_retries(e, r));
    digest_add(d, (uint64_t)hd_ask_request_group(e, r).slot);
}

static void read_group(struct wanderer *w, struct hd_engine *e, struct hd_grp g) {
    uint64_t *d = &w->digest;
    struct hd_req member[WANDERER_MOST];
    int size = hd_ask_group_size(e, g);
    digest_add(d, (uint64_t)size);
    digest_add(d, (uint64_t)hd_ask_group_model(e, g));
    digest_add(d, (uint64_t)hd_ask_group_waiting(e, g));
    digest_add(d, (uint64_t)hd_ask_group_waiting_tokens(e, g));
    digest_add(d, (uint64_t)hd_ask_group_context(e, g));
    digest_add(d, (uint64_t)hd_ask_group_blocks(e, g));
    digest_add(d, hd_ask_group_started(e, g));
    digest_add(d, (uint64_t)hd_ask_group_first(e, g).slot);
    digest_add(d, hd_ask_group_fits(e, g, HD_NO_REQ, 17));
    digest_double(d, hd_ask_step_s(e, g));
    if (size > WANDERER_MOST) return;
    if (hd_ask_group_members(e, g, member) != size) abort();
    if (size && member[0].slot != hd_ask_group_first(e, g).slot) abort();
    for (int m = 0; m < size; m++) {
        wanderer_read_request(w, e, member[m]);
        digest_add(d, (uint64_t)hd_ask_cached_tokens(e, hd_ask_group_instance(e, g),
                                                     member[m]));
    }
}

static void read_instance(struct wanderer *w, struct hd_engine *e, int n) {
    uint64_t *d = &w->digest;
    struct hd_instance_view v = hd_ask_instance(e, n);
    digest_add(d, v.alive);
    digest_add(d, (uint64_t)v.state);
    digest_add(d, (uint64_t)v.turns);
    digest_add(d, (uint64_t)v.model);
    digest_add(d, (uint64_t)v.groups);
    digest_add(d, (uint64_t)v.requests);
    digest_add(d, (uint64_t)v.waiting);
    digest_add(d, (uint64_t)v.waiting_tokens);
    digest_add(d, (uint64_t)v.tail_model);
    digest_add(d, (uint64_t)v.tail_size);
    digest_add(d, (uint64_t)v.rest_at);
    if (!v.alive) return;
    digest_add(d, (uint64_t)hd_ask_instance_turn(e, n).slot);
    digest_add(d, (uint64_t)hd_ask_instance_head(e, n).slot);
    digest_double(d, hd_ask_instance_queue_s(e, n));
    digest_add(d, (uint64_t)hd_ask_instance_kv_total(e, n));
    digest_add(d, (uint64_t)hd_ask_instance_kv_used(e, n));
    digest_add(d, (uint64_t)hd_ask_instance_step_at(e, n));
    for (int m = 0; m < w->models; m++) digest_double(d, hd_ask_switch_s(e, n, m));
    const struct hd_req *held;
    int waiting = hd_ask_held(e, -1, &held);
    for (int r = 0; r < waiting && r < 4; r++)
        digest_add(d, (uint64_t)hd_ask_cached_tokens(e, n, held[r]));
    struct hd_grp group[WANDERER_MOST];
    if (v.groups > WANDERER_MOST) return;
    int groups = hd_ask_instance_groups(e, n, draw_below(&w->random, 2), group);
    for (int g = 0; g < groups; g++) read_group(w, e, group[g]);
}

/* The primitive's answer is that of a plain scan. */
static void check_least(struct hd_engine *e, int role, enum hd_key key, bool most,
                        int answer) {
    const int *all;
    int count = hd_ask_each(e, role, HD_ALL, &all), best = -1;
    double best_value = 0;
    for (int n = 0; n < count; n++) {
        struct hd_instance_view v = hd_ask_instance(e, all[n]);
        double value = key == HD_KEY_GROUPS     ? v.groups
                       : key == HD_KEY_REQUESTS ? v.requests
                       : key == HD_KEY_WAITING  ? v.waiting
                       : key == HD_KEY_WAITING_TOKENS
                           ? (double)v.waiting_tokens
                           : hd_ask_instance_queue_s(e, all[n]);
        if (v.state == HD_INST_CLOSING) continue;
        if (best >= 0 && (most ? value <= best_value : value >= best_value)) continue;
        best = all[n];
        best_value = value;
    }
    if (best == answer) return;
    fprintf(stderr, "scenario: %s of key %d is %d, a scan says %d\n",
            most ? "most" : "least", (int)key, answer, best);
    abort();
}

void wanderer_read_all(struct wanderer *w, struct hd_engine *e) {
    uint64_t *d = &w->digest;
    for (int n = 0; n < hd_ask_instances(e); n++) read_instance(w, e, n);
    for (int n = 0; n < hd_ask_nodes(e); n++) {
        digest_add(d, (uint64_t)hd_ask_node_free(e, n));
        digest_add(d, (uint64_t)hd_ask_node_dram_free(e, n));
        for (int m = 0; m < w->models; m++)
            digest_add(d, hd_ask_node_tier(e, n, m)[1] == 'r');
    }
    for (int g = 0; g < hd_ask_gpus(e); g++)
        digest_add(d, (uint64_t)hd_ask_gpu_free_bytes(e, g));
    digest_add(d, (uint64_t)hd_ask_free_gpus(e));
    for (int m = 0; m < w->models; m++) {
        digest_add(d, (uint64_t)hd_ask_model_held(e, m));
        digest_double(d, hd_ask_model_rate(e, m));
    }
    for (int r = 0; r < 2; r++) {
        int role = hd_ask_role(e, wanderer_role[r]);
        for (int key = 0; key < HD_KEYS; key++) {
            int least = hd_ask_least(e, role, (enum hd_key)key, HD_ALL);
            int most = hd_ask_most(e, role, (enum hd_key)key, HD_ALL);
            digest_add(d, (uint64_t)least);
            digest_add(d, (uint64_t)most);
            if (key >= HD_KEY_QUEUE_S) continue;
            check_least(e, role, (enum hd_key)key, false, least);
            check_least(e, role, (enum hd_key)key, true, most);
        }
        for (int m = 0; m < w->models; m++) {
            struct hd_filter f = {m, HD_NO_REQ};
            digest_add(d, (uint64_t)hd_ask_count(e, role, f));
            digest_add(d, (uint64_t)hd_ask_least(e, role, HD_KEY_REQUESTS, f));
        }
    }
}
