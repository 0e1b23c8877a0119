/* A house so small that every time can be worked out by hand: four nodes of one GPU,
 * one model, a prefill or a decode step takes 1 ms; and a policy that notes what it is
 * told. */
#ifndef HD_TESTS_SMALL_HOUSE_H
#define HD_TESTS_SMALL_HOUSE_H

#include "engine/engine.h"

#define MS (HD_TICKS_PER_S / 1000)

enum { HOUSE_INSTANCES = 4, HOUSE_MOST = 16 };

struct house {
    struct hd_run_config config;
    struct hd_run_model model;
    struct hd_gpu_kind kind;
    struct hd_node_config node[HOUSE_INSTANCES];
    struct hd_timing *timing;
    struct hd_arrival arrival[HOUSE_MOST];
    int arrivals, next;
    struct hd_failure failure[2];
    struct hd_form form[HOUSE_INSTANCES]; /* its instances; none: one on each GPU */
    int forms, formed[HOUSE_INSTANCES];   /* formed: what hd_act_form said of each */
    /* what the policy does */
    bool prefills_on_0;   /* turns of instance 0 are prefills of one */
    double quantum_s;     /* of every turn, strict; 0: none */
    int home[HOUSE_MOST]; /* instance of each request, -1: it is held */
    double timer_s, tick_s;
    hd_tick watched; /* the instant whose callbacks are noted */
    char log[1024];
    int depth; /* of callbacks: never above 1 */
    bool (*extra)(struct house *, struct hd_engine *, const char *what, int64_t id);
    /* what came of it */
    struct hd_finished finished[HOUSE_MOST];
    hd_wide gpu_ticks[HD_GPU_USES];
    struct hd_vram_account vram;
    int64_t peak_dram_bytes;
    enum hd_request_state last_state;
    struct hd_err err;
};

/* Fills it; the caller frees `timing`. */
void house_build(struct house *);
/* A request; home: the instance it goes to, -1: it is held. */
void house_add(struct house *, int at_ms, int input, int output, int home);
enum hd_run_end house_run(struct house *, bool step);

#endif
