/* The table of options. What it says is what the program does: the parser, the
 * help, the scenario reader and the record of settings all read it. */
#include "command/options.h"

#include <string.h>

#include "hardware/engines.h"

#define WHAT HD_GROUP_WHAT
#define WHEN HD_GROUP_WHEN
#define JUDGED HD_GROUP_JUDGED
#define SERVED HD_GROUP_SERVED
#define RUN HD_GROUP_RUN
#define WRITTEN HD_GROUP_WRITTEN
#define R HD_FOR_REPLAY
#define C HD_FOR_COMPARE
#define RC HD_FOR_BOTH

/* group, commands, option, value, scenario key, default, repeats, help */
const struct hd_option hd_options[] = {
    {WHAT, RC, "scenario", "FILE.lua", NULL, NULL, false,
     "settings from a file; options override it (`hotdesk help scenario`)"},
    {WHAT, RC, "trace", "FILE", "trace.file", NULL, false, "the requests to replay"},
    {WHAT, RC, "lengths", "IN,OUT|FILE", "trace.lengths", "none", false,
     "of requests in a trace without tokens: the same for all, or drawn from a trace"},
    {WHAT, RC, "skip-bad", "N", "trace.skip_bad", "0", false,
     "so many malformed rows are passed over, counted and listed"},
    {WHAT, RC, "format", "NAME", "trace.format", "auto", false,
     "of the trace (`hotdesk help traces`); auto goes by the header or the first line"},
    {WHAT, RC, "sort", NULL, "trace.sort", "no", false,
     "put requests in order of time; without it disorder is an error"},
    {WHAT, RC, "models", "MAP|FILE.csv", "models", NULL, true,
     "which LLM each model name of the trace is, as 'name=llama-2-13b/tp2;m_*=A:6,B:4' "
     "or a file (`hotdesk help models`); needed unless they are catalogue names"},
    {WHAT, R, "fleet", "SPEC|NAME", "fleet", NULL, false,
     "the GPUs: H100:16, H100:8+A10:16, or a fleet named in the scenario"},
    {WHAT, C, "gpu", "KIND", "gpu", NULL, false, "the kind of GPU to count"},
    {WHAT, C, "max-gpus", "N", "max_gpus", "1024", false, "give up above so many"},
    {WHAT, R, "policy", "NAME|FILE", "policy", NULL, false,
     "who decides: one of `hotdesk policy list`, or a Lua file; NAME{key=value} sets "
     "its parameters"},
    {WHAT, C, "policy", "LIST", "policy", "dedicated,serverless,aegaeon", false,
     "policies to compare: names and Lua files; NAME{key=value} gives one its own "
     "parameters"},
    {WHAT, RC, "set", "[POLICY.]KEY=VALUE", "set", NULL, true,
     "a parameter of every policy that declares it, or of one"},
    {WHAT, RC, "node", "[KIND.]KEY=VALUE,..", "node", NULL, true,
     "what a node has: gpus, dram, disk, pcie, pcie_shared_by, pcie_both (share of its "
     "rate that a direction keeps beside the other), nvlink, nic, and where --links "
     "has "
     "paths pcie_switch, switch_uplink, dram_rate; of each kind of GPU, or of one "
     "(`hotdesk help nodes`)"},

    {WHEN, RC, "from", "TIME", "trace.from", NULL, false,
     "measure arrivals from here on, by the trace's own clock: '2023-11-16 18:20', "
     "13:00 or +2h"},
    {WHEN, RC, "to", "TIME", "trace.to", NULL, false, "and up to here"},
    {WHEN, RC, "warm-up", "TIME", "window.warm_up", "auto", false,
     "simulated before the window but not counted; auto: 10 % of the span, at most "
     "10 min"},
    {WHEN, RC, "cool-down", "TIME", "window.cool_down", "auto", false,
     "simulated after it but not counted; auto: TTFT + TBT x p99 of the output, at "
     "most 10 % of the span and 10 min"},

    {JUDGED, RC, "slo", "ttft=TIME,tbt=TIME", "slo", "ttft=10s,tbt=100ms", false,
     "limits of time to first token and time between tokens, none for no limit; "
     "classes of models only in a scenario"},
    {JUDGED, R, "slo-scale", "X", "slo_scale", "1", false, "multiplies every limit"},
    {JUDGED, C, "slo-scale", "X,..", "slo_scale", "1", false,
     "multiplies every limit; with several, the chart shows GPUs against strictness"},
    {JUDGED, R, "attain", "FRACTION", "attain", "0.9", false,
     "how much must be in time"},
    {JUDGED, C, "attain", "FRACTION,..", "attain", "0.9,0.99", false,
     "how much must be in time"},
    {JUDGED, RC, "metric", "NAME", "slo.metric", "token", false,
     "what is counted: token, ratio or request (`hotdesk help metrics`)"},
    {JUDGED, R, "pass", "RULE", "slo.pass", "model", false,
     "model: every model keeps the target; pooled: all requests together do "
     "(`hotdesk help pass`)"},
    {JUDGED, C, "pass", "RULE,..", "slo.pass", "model", false,
     "model: every model keeps the target; pooled: all requests together do "
     "(`hotdesk help pass`)"},
    {JUDGED, RC, "too-long", "fail|drop|clip", "too_long", "fail", false,
     "requests beyond their model's context (`hotdesk help too-long`)"},
    {JUDGED, RC, "zero-output", "fail|drop", "zero_output", "fail", false,
     "requests that record no output"},
    {JUDGED, RC, "require", "EXPR", "require", NULL, true,
     "'ttft.p99<=2s', 'policy.aegaeon.gpus<policy.dedicated.gpus', pass: exit 3 unless "
     "it holds"},

    {SERVED, RC, "start", "cold|placed", "switching.start", "cold", false,
     "placed: what the policy loads at time 0 is loaded"},
    {SERVED, RC, "engine", "NAME", "serving.engine", HD_ENGINE_DEFAULT, false,
     "whose serving engine, one of `hotdesk catalog engines`: the defaults of "
     "max-batch "
     "to front-sequence (`hotdesk help engines`)"},
    {SERVED, RC, "type", "TYPE", "serving.type", "bf16", false,
     "of weights and activations: bf16, fp16 or fp8, where --models says nothing of "
     "it; fp8 needs kernels measured so (--engine)"},
    {SERVED, RC, "kv-type", "TYPE", "serving.kv_type", "bf16", false,
     "of the KV cache, likewise"},
    {SERVED, RC, "max-batch", "N", "serving.max_batch", "256", false,
     "requests that decode together"},
    {SERVED, RC, "prefill-tokens", "N", "serving.prefill_tokens", "8192", false,
     "prompt tokens of one prefill"},
    {SERVED, RC, "chunk", "TOKENS", "serving.chunk", "0", false,
     "chunked prefill: new tokens of one step, of which each decode takes one; 0: "
     "whole "
     "prompts first"},
    {SERVED, RC, "prefix-cache", "on|off", "serving.prefix_cache", "off", false,
     "KV of prompts stays for others that begin alike, where the trace says which do"},
    {SERVED, RC, "kv-slab", "SIZE|none", "serving.kv_slab", "none", false,
     "KV memory comes in slabs of that size, each for models whose blocks are alike; "
     "none: any block for any model"},
    {SERVED, RC, "watermark", "FRACTION", "serving.watermark", "0.01", false,
     "of the KV pool, left free by admission"},
    {SERVED, RC, "gpu-memory", "FRACTION", "serving.gpu_memory", "0.9", false,
     "of each GPU's memory, for weights and KV"},
    {SERVED, RC, "front", "TIME", "serving.front", "0s", false,
     "outside the engine (HTTP, tokenising), in TTFT and E2E"},
    {SERVED, RC, "front-sequence", "TIME", "serving.front_sequence", "0s", false,
     "the same for each request that runs beside it"},
    {SERVED, RC, "preempt", "recompute|swap", "serving.preempt", "recompute", false,
     "what a request loses when KV memory is full"},
    {SERVED, RC, "sharing", "mps|time_slice", "serving.sharing", "mps", false,
     "of instances on a part of a GPU, where the policy does not say: each has a share "
     "of the SMs, or the driver's time slices"},
    {SERVED, RC, "share-limit", "FRACTION", "serving.share_limit", "1.2", false,
     "the most that such shares of SMs on one GPU add up to"},
    {SERVED, RC, "patience", "TIME", "serving.patience", "none", false,
     "a request whose prefill has not begun by then fails"},
    {SERVED, RC, "switching", "RUNG", "switching.rung", "default", false,
     "the defaults of restart to prefetch: a rung of `hotdesk ladder`, from restart "
     "and "
     "naive to prefetch (`hotdesk help switching`)"},
    {SERVED, RC, "engine-start", "TIME", "switching.engine_start", "20s", false,
     "to start an engine after time 0"},
    {SERVED, RC, "restart", "TIME", "switching.restart", "0s", false,
     "to start a process at a change of model; what was loaded ahead is lost"},
    {SERVED, RC, "reinit", "TIME", "switching.reinit", "0s", false,
     "re-initialisation of the engine at a change of model"},
    {SERVED, RC, "gc", "TIME", "switching.gc", "0s", false,
     "to collect the memory of the last model at a change of model"},
    {SERVED, RC, "load-rate", "RATE|link", "switching.load_rate", "link", false,
     "of a loader, onto each GPU; link: as fast as the links"},
    {SERVED, RC, "staging", "RATE|pinned", "switching.staging", "pinned", false,
     "at which pinned buffers are filled from host memory; pinned: the host's copy is"},
    {SERVED, RC, "load-chunk", "SIZE|whole", "switching.load_chunk", "whole", false,
     "of a buffer that is sent while the next is filled"},
    {SERVED, RC, "prefetch", "yes|no", "switching.prefetch", "yes", false,
     "weights may load while another model computes"},
    {SERVED, RC, "prefetch-share", "equal|rest", "switching.prefetch_share", "equal",
     false, "of PCIe; rest: weights that no turn waits for get what others leave"},
    {SERVED, RC, "host-cache", "warm|cold|none", "switching.host_cache", "warm", false,
     "warm: host memory holds the weights that fit at time 0; none: weights always "
     "come "
     "from disk"},
    {SERVED, RC, "host-keeps", "lru|pinned|policy", "switching.host_keeps", "lru",
     false,
     "of weights in host memory that is full: those used last; pinned: those that came "
     "first; policy: only what a policy puts there (node:cache) comes or goes"},
    {SERVED, RC, "staging-memory", "SIZE|none", "switching.staging_memory", "none",
     false, "of each node's memory, for the pinned buffers of each GPU"},
    {SERVED, RC, "links", "alone|fair|weighted|strict", "switching.links", "alone",
     false,
     "a transfer holds its slowest link alone; or all on its path, in fair shares, "
     "shares by class or class by class: loads that are waited for, KV, loads ahead"},
    {SERVED, RC, "remote", "RATE|none", "switching.remote", "none", false,
     "of the store that all nodes share; from there come weights that are not on a "
     "node (disk=0GB/s)"},
    {SERVED, RC, "kv-leaves", "beside|first", "switching.kv_leaves", "beside", false,
     "first: a switch waits until KV has left the GPU"},
    {SERVED, RC, "kv-sync", "batch|request", "switching.kv_sync", "batch", false,
     "request: KV moves request by request, and each goes on when its own is there"},
    {SERVED, RC, "kv-in", "TIME|auto", "switching.kv_in", "auto", false,
     "to bring a token's KV back to a GPU; auto: its bytes over PCIe"},
    {SERVED, RC, "kv-out", "copied|free", "switching.kv_out", "copied", false,
     "free: moving KV off a GPU takes no time"},

    {RUN, RC, "seed", "N", "seed", "1", false, "of everything that is drawn"},
    {RUN, C, "jobs", "N", "jobs", "auto", false,
     "threads, auto: one per core; never changes a result"},
    {RUN, RC, "step", NULL, NULL, NULL, false,
     "simulate one iteration at a time: the same result, slowly"},
    {RUN, R, "profile", NULL, NULL, NULL, false,
     "where the program's own time goes: the engine, each callback of the policy"},

    {WRITTEN, RC, "out", "DIR", NULL, NULL, false,
     "results, settings, policies and charts; without it nothing is written"},
    {WRITTEN, RC, "force", NULL, NULL, NULL, false, "replace a result that lies there"},
    {WRITTEN, R, "requests", "FILE.csv", NULL, NULL, false,
     "every request, one row each"},
    {WRITTEN, R, "timeline", "FILE.json", NULL, NULL, false,
     "turns, switches, transfers and requests over time, for https://ui.perfetto.dev "
     "(`hotdesk help timeline`)"},
    {WRITTEN, R, "timeline-window", "FROM..TO", NULL, "all", false,
     "only what touches it, by the trace's clock: +10m..+12m"},
    {WRITTEN, R, "timeline-gpus", "LIST", NULL, "all", false,
     "only these, numbered node by node from 0 on: 0,3,8-15"},
    {WRITTEN, R, "timeline-rows", "N", NULL, "500000", false, "at most so many slices"},
    {WRITTEN, RC, "json", NULL, NULL, NULL, false,
     "the result to stdout as JSON; the table then goes to stderr"},
    {WRITTEN, RC, "csv", NULL, NULL, NULL, false,
     "the result to stdout as CSV; the table then goes to stderr"},
    {WRITTEN, RC, "quiet", NULL, NULL, NULL, false, "errors only on stderr"},
    {WRITTEN, RC, "verbose", NULL, NULL, NULL, false,
     "more about each model or search"},
    {WRITTEN, RC, "print-scenario", NULL, NULL, NULL, false,
     "print the resolved settings and where each came from, and stop"},

    /* In scenario files only. */
    {JUDGED, RC, NULL, "TIME", "slo.ttft", "10s", false, ""},
    {JUDGED, RC, NULL, "TIME", "slo.tbt", "100ms", false, ""},
    {JUDGED, RC, NULL, "TABLE", "slo.classes", NULL, false, ""},
};

const int hd_options_count = sizeof hd_options / sizeof *hd_options;

const struct hd_option *hd_option_of_key(const char *key, unsigned commands) {
    for (int i = 0; i < hd_options_count; i++) {
        const struct hd_option *o = &hd_options[i];
        if (o->key && (o->commands & commands) && strcmp(o->key, key) == 0) return o;
    }
    return NULL;
}
