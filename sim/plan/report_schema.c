/* The schema: one table for each kind of record. */
#include "plan/report_schema.h"

#include "plan/report.h"
#include "plan/report_figures.h"
#include "plan/report_profile.h"

#define COUNT(set) (int)(sizeof(set) / sizeof *(set))

/* Percentiles of one latency; `what` begins the sentences. */
#define LATENCY(S, name, member, what)                                                 \
    {name ".p50_s", HD_FIELD_REAL, "s", offsetof(S, member.p50_s), what ", median"},   \
        {name ".p90_s", HD_FIELD_REAL, "s", offsetof(S, member.p90_s),                 \
         what ", 90th percentile"},                                                    \
        {name ".p99_s", HD_FIELD_REAL, "s", offsetof(S, member.p99_s),                 \
         what ", 99th percentile"},                                                    \
    {                                                                                  \
        name ".mean_s", HD_FIELD_REAL, "s", offsetof(S, member.mean_s), what ", mean"  \
    }

#define BLAME(S, name, i, what)                                                        \
    {                                                                                  \
        "blame." name "_s", HD_FIELD_REAL, "s",                                        \
            offsetof(S, blame_s) + (i) * sizeof(double), what                          \
    }
#define BLAMES(S)                                                                      \
    BLAME(S, "queue", HD_BLAME_QUEUE,                                                  \
          "waiting for a first prefill; outside the engine"),                          \
        BLAME(S, "switch", HD_BLAME_SWITCH,                                            \
              "waiting while an instance made the model runnable"),                    \
        BLAME(S, "prefill", HD_BLAME_PREFILL, "in prefills of their own"),             \
        BLAME(S, "kv", HD_BLAME_KV, "waiting for KV cache to move"),                   \
        BLAME(S, "decode", HD_BLAME_DECODE, "in decode iterations"),                   \
        BLAME(S, "wait", HD_BLAME_WAIT,                                                \
              "between tokens without an iteration: other models' turns, others' "     \
              "prefills, preemption")

#define TTFT_ABOUT "time to first token, of measured requests that got one"
#define TBT_ABOUT "time between tokens, of all gaps of measured requests"
#define TPOT_ABOUT "mean gap of a request, of measured requests that were done"
#define E2E_ABOUT "arrival to last token, of measured requests that were done"
#define GAP_ABOUT "longest gap of a request, of measured requests with two tokens"

/* ---- run.json ------------------------------------------------------------ */

typedef struct hd_run_figures run;
#define F(name, type, unit, member, about)                                             \
    { name, HD_FIELD_##type, unit, offsetof(run, member), about }
#define GPU(name, use, about)                                                          \
    {                                                                                  \
        "gpu." name, HD_FIELD_REAL, "fraction",                                        \
            offsetof(run, gpu) + (use) * sizeof(double), about                         \
    }
#define USE(use, name, about)                                                          \
    {                                                                                  \
        "gpu_time." name "_s", HD_FIELD_REAL, "s",                                     \
            offsetof(run, gpu_s) + (use) * sizeof(double), about                       \
    }
#define STAGE(name, stage, about)                                                      \
    {                                                                                  \
        "switches.seconds_by_stage." name, HD_FIELD_REAL, "s",                         \
            offsetof(run, stage_s) + (stage) * sizeof(double), about                   \
    }
#define VRAM(name, part, about)                                                        \
    {                                                                                  \
        "vram.mean_bytes." name, HD_FIELD_REAL, "bytes",                               \
            offsetof(run, vram.mean_bytes) + (part) * sizeof(double), about            \
    }
#define VRAM_PEAK(name, part)                                                          \
    {                                                                                  \
        "vram.peak_bytes." name, HD_FIELD_INT, "bytes",                                \
            offsetof(run, vram.peak_bytes) + (part) * sizeof(int64_t),                 \
            "the most of it on one GPU, as sampled"                                    \
    }
#define LATER(name, unit, about)                                                       \
    { name, HD_FIELD_LATER, unit, 0, about }

static const struct hd_field run_field[] = {
    F("window.from_s", REAL, "s", window.from_s,
      "arrivals are measured from here, in seconds since the trace's zero"),
    F("window.to_s", REAL, "s", window.to_s, "and before here"),
    F("window.warm_up_s", REAL, "s", window.warm_up_s,
      "simulated before the window, not counted"),
    F("window.cool_down_s", REAL, "s", window.cool_down_s,
      "simulated after the window, not counted"),
    F("counts.measured", INT, "requests", counts.measured,
      "arrived inside the window: the sum of the next five"),
    F("counts.done", INT, "requests", counts.done, "all tokens emitted"),
    F("counts.rejected", INT, "requests", counts.rejected,
      "by the policy, or out of patience; late"),
    F("counts.too_long", INT, "requests", counts.too_long,
      "beyond their model's context, or more than any instance could hold; late"),
    F("counts.empty", INT, "requests", counts.empty,
      "the trace records no output; one late token each"),
    F("counts.unfinished", INT, "requests", counts.unfinished,
      "left when nothing moved any more; late"),
    F("counts.preempted", INT, "times", counts.preempted,
      "measured requests that lost their place to a full KV memory, each time"),
    F("prefix.prompt_tokens", INT, "tokens", prefix.prompt_tokens,
      "of measured requests' prompts, where prompts are cached (--prefix-cache)"),
    F("prefix.cached_tokens", INT, "tokens", prefix.cached_tokens,
      "of those, found in the cache when the first prefill began"),
    F("prefix.hit_rate", REAL, "fraction", prefix.hit_rate,
      "cached over prompt tokens"),
    F("pass.rule", TEXT, "", pass.rule,
      "model: every judged model and the rare ones together reach the target; pooled: "
      "all requests together do"),
    F("pass.metric", TEXT, "", pass.metric, "what is counted: token, ratio or request"),
    F("pass.target", REAL, "fraction", pass.target, "attainment asked for"),
    F("pass.slo_scale", REAL, "", pass.slo_scale, "multiplies every limit of the SLO"),
    F("pass.ok", BOOL, "", pass.ok, "the run keeps its SLO by that rule"),
    F("pass.judged_from", INT, "requests", pass.judged_from,
      "a model with so many measured requests is judged on its own: 10/(1-target)"),
    F("pass.judged_models", INT, "models", pass.judged_models, "judged on their own"),
    F("pass.rare_models", INT, "models", pass.rare_models,
      "have fewer requests and are judged together, as `(rare)`"),
    F("pass.failing_models", TEXTS, "", pass.failing_models,
      "judged models below the target, and `(rare)` if those together are"),
    F("attain.token", REAL, "fraction", attain.token,
      "tokens emitted by their deadline, arrival + TTFT limit + (n-1) TBT limit, of "
      "all tokens of measured requests"),
    F("attain.ratio", REAL, "fraction", attain.ratio,
      "mean over requests of the time ratio of Aegaeon's artifact"),
    F("attain.request", REAL, "fraction", attain.request,
      "requests done with TTFT and mean gap within their limits"),
    F("attain.worst_model", REAL, "fraction", spread.worst,
      "least by pass.metric over judged models and the rare ones together"),
    F("attain.worst_name", TEXT, "", worst_model, "whose that is"),
    F("attain.mean_model", REAL, "fraction", spread.mean, "mean over the same"),
    F("attain.p10_model", REAL, "fraction", spread.p10,
      "10th percentile over the same (nearest rank)"),
    F("attain.jain", REAL, "", spread.jain,
      "Jain's index of fairness over the same: 1 when all are alike, 1/n when one has "
      "everything"),
    LATENCY(run, "ttft", ttft, TTFT_ABOUT),
    LATENCY(run, "tbt", tbt, TBT_ABOUT),
    LATENCY(run, "tpot", tpot, TPOT_ABOUT),
    LATENCY(run, "e2e", e2e, E2E_ABOUT),
    LATENCY(run, "gap_longest", gap_longest, GAP_ABOUT),
    F("goodput.requests_per_s", REAL, "1/s", goodput.requests_per_s,
      "measured requests that kept their limits, per second of the window"),
    F("goodput.tokens_per_s", REAL, "1/s", goodput.tokens_per_s,
      "tokens on time, of all measured requests, per second of the window"),
    F("tokens.output", INT, "tokens", output_tokens, "emitted for measured requests"),
    F("tokens.output_per_s", REAL, "1/s", output_tokens_per_s,
      "the same, per second of the window"),
    GPU("busy", HD_SHARE_BUSY, "of all GPU-time in the window: in iterations"),
    GPU("switching", HD_SHARE_SWITCHING, "making a model runnable"),
    GPU("idle_waiting", HD_SHARE_IDLE_WAITING, "idle while requests waited for it"),
    GPU("idle_free", HD_SHARE_IDLE_FREE, "idle with nothing to do"),
    F("gpu_hours", REAL, "h", gpu_hours, "GPU-time of the whole fleet in the window"),
    F("gpu_time.all_s", REAL, "s", gpus_s,
      "the same in GPU-seconds: the sum of the next twelve"),
    USE(HD_GPU_PREFILL, "prefill", "in iterations with prompts alone"),
    USE(HD_GPU_MIXED, "mixed", "in steps of prompts in chunks and decodes"),
    USE(HD_GPU_DECODE, "decode", "in decode steps"),
    USE(HD_GPU_START, "start", "while its engine started"),
    USE(HD_GPU_STAGE + HD_STAGE_KV_OUT, "kv_out",
        "switching: KV left, or room was waited for"),
    USE(HD_GPU_STAGE + HD_STAGE_GC, "gc", "switching: memory was collected"),
    USE(HD_GPU_STAGE + HD_STAGE_RESTART, "restart", "switching: a process started"),
    USE(HD_GPU_STAGE + HD_STAGE_REINIT, "reinit", "switching: the engine began anew"),
    USE(HD_GPU_STAGE + HD_STAGE_LOAD, "load", "switching: weights came"),
    USE(HD_GPU_STAGE + HD_STAGE_KV_IN, "kv_in", "switching: KV came back"),
    USE(HD_GPU_IDLE_WAITING, "idle_waiting", "idle while requests waited for it"),
    USE(HD_GPU_IDLE_FREE, "idle_free", "idle with nothing to do"),
    BLAMES(run),
    F("latency_s", REAL, "s", latency_s,
      "sum of blame: time in the system of all measured requests"),
    F("switches.count", INT, "switches", switches, "turns that changed the model"),
    F("switches.hidden", INT, "switches", switches_hidden,
      "of those, found the weights already there"),
    STAGE("reinit", HD_STAGE_REINIT, "turns waited for re-initialisation"),
    STAGE("gc", HD_STAGE_GC, "for memory to be collected"),
    STAGE("restart", HD_STAGE_RESTART, "for a process to start"),
    STAGE("load", HD_STAGE_LOAD, "for weights"),
    STAGE("kv_out", HD_STAGE_KV_OUT, "for KV cache to leave"),
    STAGE("kv_in", HD_STAGE_KV_IN, "for KV cache to come"),
    F("peak.vram_bytes", INT, "bytes", vram_bytes, "most weights and KV on one GPU"),
    F("peak.host_dram_bytes", INT, "bytes", dram_bytes,
      "most weights and KV in the memory of one node"),
    F("peak.active_models", INT, "models", active_models_peak,
      "most models with work at once"),
    F("vram.card_bytes", REAL, "bytes", vram.card_bytes,
      "memory of a GPU, mean over those that are up: the sum of the next nine, each "
      "sampled over the window"),
    VRAM("unclaimed", HD_VRAM_UNCLAIMED, "not asked for by the engine (--gpu-memory)"),
    VRAM("context", HD_VRAM_CONTEXT,
         "driver and context of each process; assumed 0.5 GiB"),
    VRAM("workspace", HD_VRAM_WORKSPACE,
         "workspace and activations of each process; assumed 1.5 GiB"),
    VRAM("weights", HD_VRAM_WEIGHTS, "weights that are there"),
    VRAM("loading", HD_VRAM_LOADING,
         "weights on their way, or prefetched until they are there"),
    VRAM("kv", HD_VRAM_KV, "KV blocks of requests"),
    VRAM("cached", HD_VRAM_CACHED, "KV of prompts that nobody holds"),
    VRAM("fragments", HD_VRAM_FRAGMENTS, "of slabs, in no block (--kv-slab)"),
    VRAM("free", HD_VRAM_FREE, "the rest"),
    VRAM_PEAK("unclaimed", HD_VRAM_UNCLAIMED),
    VRAM_PEAK("context", HD_VRAM_CONTEXT),
    VRAM_PEAK("workspace", HD_VRAM_WORKSPACE),
    VRAM_PEAK("weights", HD_VRAM_WEIGHTS),
    VRAM_PEAK("loading", HD_VRAM_LOADING),
    VRAM_PEAK("kv", HD_VRAM_KV),
    VRAM_PEAK("cached", HD_VRAM_CACHED),
    VRAM_PEAK("fragments", HD_VRAM_FRAGMENTS),
    VRAM_PEAK("free", HD_VRAM_FREE),
    F("vram.fragmented", REAL, "fraction", vram.fragments,
      "of the bytes of all slabs, in no block: mean over the window"),
    F("vram.fragmented_peak", REAL, "fraction", vram.fragments_peak, "and the most"),
    F("load.active_models", REAL, "models", load.active_models,
      "models with work at once, mean over the window"),
    F("load.active_models_if_independent", REAL, "models",
      load.active_models_if_independent,
      "the same if each model's requests came alone and at random: sum of "
      "1 - exp(-rate * time in the system)"),
    F("load.models", INT, "models", models, "with a measured request"),
    F("load.models_per_gpu", REAL, "", models_per_gpu, "those, for each GPU"),
    LATER("cost.usd", "USD", "not computed yet"),
    LATER("cost.usd_per_million_output_tokens", "USD", "not computed yet"),
    LATER("cost.kwh", "kWh", "not computed yet"),
    F("limit.window_s", RANGE, "s", limit.window_s,
      "arrivals with the most late tokens, of models below the target if the run does "
      "not pass, since the trace's zero"),
    F("limit.models", TEXT, "", limit.models,
      "up to three models late there, worst first"),
    F("limit.resource", TEXT, "", limit.resource, "what they waited for"),
};
const struct hd_field_set hd_schema_run = {
    "run.json", "one run (" HD_SCHEMA_RUN "), beside its inputs", run_field,
    COUNT(run_field)};
#undef F

/* ---- run.json: models[], classes[] --------------------------------------- */

#define ATTAIN(S)                                                                      \
    {"attain.token", HD_FIELD_REAL, "fraction", offsetof(S, attain.token),             \
     "its tokens on time"},                                                            \
        {"attain.ratio", HD_FIELD_REAL, "fraction", offsetof(S, attain.ratio),         \
         "its mean time ratio"},                                                       \
    {                                                                                  \
        "attain.request", HD_FIELD_REAL, "fraction", offsetof(S, attain.request),      \
            "its requests within their limits"                                         \
    }

typedef struct hd_model_figures model;
#define F(name, type, unit, member, about)                                             \
    { name, HD_FIELD_##type, unit, offsetof(model, member), about }
static const struct hd_field model_field[] = {
    F("name", TEXT, "", name, "in the trace"),
    F("model", TEXT, "", model, "in the catalogue"),
    F("tp", INT, "GPUs", tp, "tensor-parallel degree"),
    F("class", TEXT, "", slo_class, "of SLO"),
    F("requests", INT, "requests", requests, "measured"),
    F("done", INT, "requests", done, "see counts"),
    F("rejected", INT, "requests", rejected, "see counts"),
    F("too_long", INT, "requests", too_long, "see counts"),
    F("empty", INT, "requests", empty, "see counts"),
    F("unfinished", INT, "requests", unfinished, "see counts"),
    F("judged", BOOL, "", judged, "has enough requests to be judged on its own"),
    ATTAIN(model),
    LATENCY(model, "ttft", ttft, TTFT_ABOUT),
    LATENCY(model, "e2e", e2e, E2E_ABOUT),
    BLAMES(model),
};
const struct hd_field_set hd_schema_model = {
    "run.json: models[]", "one model of the trace", model_field, COUNT(model_field)};
#undef F

typedef struct hd_class_figures slo_class;
#define F(name, type, unit, member, about)                                             \
    { name, HD_FIELD_##type, unit, offsetof(slo_class, member), about }
static const struct hd_field class_field[] = {
    F("name", TEXT, "", name, "of the class"),
    F("ttft_limit_s", REAL, "s", ttft_limit_s, "its limit, scaled; absent: none"),
    F("tbt_limit_s", REAL, "s", tbt_limit_s, "its limit, scaled; absent: none"),
    F("target", REAL, "fraction", target, "attainment asked for"),
    F("models", INT, "models", models, "of the class"),
    F("requests", INT, "requests", requests, "measured"),
    ATTAIN(slo_class),
    F("worst_model_attain", REAL, "fraction", worst_model_attain,
      "least of its judged models"),
    F("worst_model", TEXT, "", worst_model, "whose that is"),
    LATENCY(slo_class, "ttft", ttft, TTFT_ABOUT),
    LATENCY(slo_class, "e2e", e2e, E2E_ABOUT),
};
const struct hd_field_set hd_schema_class = {"run.json: classes[]", "one class of SLO",
                                             class_field, COUNT(class_field)};
#undef F

/* ---- compare.csv, compare.json: policy[] --------------------------------- */

typedef struct hd_row_figures row;
#define F(name, type, unit, member, about)                                             \
    { name, HD_FIELD_##type, unit, offsetof(row, member), about }
static const struct hd_field row_field[] = {
    F("policy", TEXT, "", policy, "its name; two of one name are numbered"),
    F("policy_sha256", TEXT, "", policy_sha256, "of its source"),
    F("clairvoyant", BOOL, "", clairvoyant,
      "it asked to see output lengths and future rates"),
    F("params", TEXT, "", params, "its parameters, key=value"),
    LATER("tuned_trials", "runs", "spent on tuning; absent: not tuned"),
    F("slo_scale", REAL, "", slo_scale, "multiplies every limit of the SLO"),
    F("attain.target", REAL, "fraction", attain_target, "attainment asked for"),
    F("metric", TEXT, "", metric, "what is counted: token, ratio or request"),
    F("pass_rule", TEXT, "", pass_rule,
      "model: every judged model and the rare ones together reach the target; pooled: "
      "all requests together do"),
    F("reached", BOOL, "", reached, "some number of GPUs passes; absent: interrupted"),
    F("gpus", INT, "GPUs", gpus, "the least N such that N to N+4 all pass"),
    LATER("gpus_replicates", "runs", "arrival sequences behind the next three"),
    LATER("gpus_p05", "GPUs", "spread of gpus over replicates"),
    LATER("gpus_p50", "GPUs", "the same"),
    LATER("gpus_p95", "GPUs", "the same"),
    F("baseline_gpus", INT, "GPUs", baseline_gpus,
      "`dedicated` at the same scale, target and rule"),
    F("saved", REAL, "fraction", saved, "1 - gpus / baseline_gpus"),
    LATER("saved_lo", "fraction", "95 % interval over replicates"),
    LATER("saved_hi", "fraction", "the same"),
    LATER("reference_policy", "", "against which differences are taken"),
    LATER("diff_gpus", "GPUs", "gpus less the reference's, paired by replicate"),
    LATER("diff_lo", "GPUs", "95 % interval over replicates"),
    LATER("diff_hi", "GPUs", "the same"),
    LATER("wins", "replicates", "in which it needs fewer GPUs than the reference"),
    F("bound_gpus", INT, "GPUs", bound_gpus, "no policy can do with fewer"),
    F("fails_above", INTS, "GPUs", fails_above,
      "numbers of GPUs that failed although fewer passed"),
    F("attain.pooled", REAL, "fraction", f.pooled,
      "of all measured requests together, by the metric; this and what follows with "
      "that many GPUs, and where none passes with those of `run`"),
    F("attain.mean_model", REAL, "fraction", f.spread.mean,
      "mean over judged models and the rare ones together"),
    F("attain.p10_model", REAL, "fraction", f.spread.p10,
      "10th percentile over the same (nearest rank)"),
    F("attain.worst_model", REAL, "fraction", f.spread.worst, "least of the same"),
    F("worst_model", TEXT, "", f.worst_model, "whose that is"),
    F("judged_models", INT, "models", f.pass.judged_models, "judged on their own"),
    F("rare_models", INT, "models", f.pass.rare_models,
      "have fewer requests and are judged together, as `(rare)`"),
    F("ttft.p50_s", REAL, "s", f.ttft.p50_s, TTFT_ABOUT ", median"),
    F("ttft.p90_s", REAL, "s", f.ttft.p90_s, TTFT_ABOUT ", 90th percentile"),
    F("ttft.p99_s", REAL, "s", f.ttft.p99_s, TTFT_ABOUT ", 99th percentile"),
    F("tbt.p50_s", REAL, "s", f.tbt.p50_s, TBT_ABOUT ", median"),
    F("tbt.p90_s", REAL, "s", f.tbt.p90_s, TBT_ABOUT ", 90th percentile"),
    F("tbt.p99_s", REAL, "s", f.tbt.p99_s, TBT_ABOUT ", 99th percentile"),
    F("gap_longest.p99_s", REAL, "s", f.gap_longest.p99_s,
      GAP_ABOUT ", 99th percentile"),
    F("e2e.p50_s", REAL, "s", f.e2e.p50_s, E2E_ABOUT ", median"),
    F("e2e.p99_s", REAL, "s", f.e2e.p99_s, E2E_ABOUT ", 99th percentile"),
    F("busy_fraction", REAL, "fraction", f.gpu[HD_SHARE_BUSY],
      "of all GPU-time in the window: in iterations"),
    F("switch_fraction", REAL, "fraction", f.gpu[HD_SHARE_SWITCHING],
      "making a model runnable"),
    F("switches", INT, "switches", f.switches, "turns that changed the model"),
    F("output_tokens", INT, "tokens", f.output_tokens, "emitted for measured requests"),
    F("output_tokens_per_s", REAL, "1/s", f.output_tokens_per_s,
      "the same, per second of the window"),
    F("gpu_hours", REAL, "h", f.gpu_hours, "GPU-time of the fleet in the window"),
    F("models_per_gpu", REAL, "", f.models_per_gpu, "models with a measured request"),
    F("limit.window_s", RANGE, "s", limit.window_s,
      "with one GPU less: arrivals with the most late tokens, since the trace's zero"),
    F("limit.models", TEXT, "", limit.models,
      "up to three models late there, worst first"),
    F("limit.resource", TEXT, "", limit.resource, "what they waited for"),
    LATER("timing.measured_fraction", "fraction",
          "of the GPU-time that rests on measured kernels"),
    F("timing.error_p50", REAL, "fraction", f.timing_error_p50,
      "median error of the timing on models it had not seen; the largest of those "
      "used"),
    F("probes", INT, "runs", probes, "of the serial search"),
    F("probes_cut", INT, "runs", probes_cut,
      "of those, stopped once they could not pass"),
};
const struct hd_field_set hd_schema_compare = {
    "compare.csv, compare.json: policy[]",
    "one (policy, scale, target, rule); in CSV a dot is an underscore", row_field,
    COUNT(row_field)};

static const struct hd_field answer_field[] = {
    F("best_attain", REAL, "fraction", best, "not reached: the most that was seen"),
    F("why_not", TEXT, "", why_not, "not reached: the reason"),
    F("note", TEXT, "", note, "what else to know of the answer"),
    F("one_each_attain", REAL, "fraction", one_each_attain,
      "what one replica of each model attains"),
    F("run", TEXT, "", run, "the run behind the figures, in the same folder"),
};
const struct hd_field_set hd_schema_answer = {"compare.json: policy[]",
                                              "more of the same, in JSON only",
                                              answer_field, COUNT(answer_field)};
#undef F

/* ---- requests.csv -------------------------------------------------------- */

typedef struct hd_request_row request;
#define F(name, type, unit, member, about)                                             \
    { name, HD_FIELD_##type, unit, offsetof(request, member), about }
static const struct hd_field request_field[] = {
    F("id", INT, "", id, "row of what is replayed of the trace, from 0"),
    F("arrival_s", REAL, "s", arrival_s, "since the trace's zero"),
    F("model", TEXT, "", model, "its name in the trace"),
    F("class", TEXT, "", slo_class, "of SLO"),
    F("measured", BOOL, "", measured, "arrived inside the window"),
    F("status", TEXT, "", status, "done, rejected, too_long, empty or unfinished"),
    F("input_tokens", INT, "tokens", input_tokens, "of the prompt"),
    F("output_tokens", INT, "tokens", output_tokens, "of the answer, as recorded"),
    F("tokens_on_time", INT, "tokens", tokens_on_time, "emitted by their deadline"),
    F("ttft_s", REAL, "s", ttft_s, "arrival to first token"),
    F("tpot_s", REAL, "s", tpot_s, "mean gap between tokens"),
    F("e2e_s", REAL, "s", e2e_s, "arrival to last token, if done"),
    F("gap_longest_s", REAL, "s", gap_longest_s, "between two tokens"),
    F("queue_s", REAL, "s", blame_s[HD_BLAME_QUEUE], "see blame"),
    F("switch_s", REAL, "s", blame_s[HD_BLAME_SWITCH], "see blame"),
    F("prefill_s", REAL, "s", blame_s[HD_BLAME_PREFILL], "see blame"),
    F("kv_s", REAL, "s", blame_s[HD_BLAME_KV], "see blame"),
    F("decode_s", REAL, "s", blame_s[HD_BLAME_DECODE], "see blame"),
    F("wait_s", REAL, "s", blame_s[HD_BLAME_WAIT], "see blame"),
    F("instance", INT, "", instance, "of its last iteration"),
};
const struct hd_field_set hd_schema_requests = {
    "requests.csv", "one request, in the order in which they ended", request_field,
    COUNT(request_field)};

void hd_report_schema(FILE *out) {
    fputs(
        "Seconds, bytes, fractions from 0 to 1. What is absent is null in JSON and "
        "empty in CSV.\nA key is never renamed under the same schema number; keys may "
        "be added.\n\n",
        out);
    const struct hd_field_set *const set[] = {&hd_schema_compare,  &hd_schema_answer,
                                              &hd_schema_run,      &hd_schema_model,
                                              &hd_schema_class,    &hd_schema_profile,
                                              &hd_schema_callback, &hd_schema_requests};
    for (int i = 0; i < COUNT(set); i++) {
        if (i) putc('\n', out);
        hd_fields_help(set[i], out);
    }
}
