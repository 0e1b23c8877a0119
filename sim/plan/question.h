/* What was asked, resolved: all that a run or a search depends on, whether it came
 * from an option, a scenario or a default. The command room fills it in, plan and
 * output read it; nothing is written to it once runs have begun. */
#ifndef HD_PLAN_QUESTION_H
#define HD_PLAN_QUESTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"
#include "hardware/catalog.h"
#include "hardware/engines.h"
#include "measure/pass.h"
#include "policy/host.h"
#include "trace/trace.h"

enum { HD_GPUS_MAX_DEFAULT = 1024 };
enum { HD_ATTAINS_MAX = 8, HD_SCALES_MAX = 16, HD_FLEET_PARTS_MAX = 16 };

struct hd_slo_class {
    char *name;           /* "default" when there is one for all */
    double ttft_s, tbt_s; /* INFINITY: none; before any scale */
    double attain;        /* of this class alone; 0: the question's */
};

struct hd_market_model { /* a model of the trace, mapped */
    char *name;          /* the trace's */
    const struct hd_model_spec *spec;
    int tp;           /* GPUs per replica */
    int slo;          /* index of its class */
    char *gpu;        /* GPU type asked for, or NULL */
    int min_replicas; /* of a models file; 0: none asked */
};

struct hd_fleet_part { /* `gpus` GPUs of one kind, in nodes of node.gpus */
    const struct hd_gpu_spec *gpu;
    int gpus;
    struct hd_node_config node; /* node.kind is set when a run is laid out */
    double usable_bytes;        /* per GPU, for weights and KV */
    double process_bytes;       /* of it, for each process that shares it, but one */
};

struct hd_policy_choice {
    char *label; /* unique in the question: "aegaeon", "aegaeon-2", ... */
    struct hd_script *script;
    struct hd_param_values *values;
};

enum hd_unservable { HD_FAIL, HD_DROP, HD_CLIP };

struct hd_question {
    const struct hd_catalog *catalog;
    const struct hd_trace *trace;
    int models;
    struct hd_market_model *model; /* in the order of the trace's model ids */
    int classes;
    struct hd_slo_class *slo;
    /* replay: the fleet. compare: one part, whose `gpus` the search chooses. */
    int parts;
    struct hd_fleet_part part[HD_FLEET_PARTS_MAX];
    int gpus_max; /* compare: give up above so many; replay: 0 */
    int policies;
    struct hd_policy_choice *policy;
    int attains, scales;
    double attain[HD_ATTAINS_MAX], scale[HD_SCALES_MAX]; /* scale: of every limit */
    enum hd_metric metric;
    bool pass[HD_PASS_RULES]; /* the rules to answer for */
    hd_tick from, to;         /* measurement window of arrivals */
    hd_tick warm_up, cool_down;
    enum hd_unservable too_long, zero_output;
    const char *switching_rung; /* whose mechanisms `switching` starts from, a rung of
                                   engine/ladder.h; NULL: the engine's defaults */
    struct hd_switching switching;
    const struct hd_engine_profile *engine; /* whose settings `serving` starts from */
    struct hd_serving serving;
    struct hd_sharing sharing;
    uint64_t seed;
    int jobs;
    bool step;
    bool profile;                  /* replay: how long the policy's callbacks take */
    const atomic_int *interrupted; /* set by SIGINT or SIGTERM; may be NULL */

    /* For the record: what results print of where all this came from. */
    char *command;       /* the command line */
    char *scenario_path; /* or NULL */
    char scenario_sha256[65];
    char *fleet_text, *models_text; /* as asked */
};

#endif
