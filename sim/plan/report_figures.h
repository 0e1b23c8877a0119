/* Every figure that results show of a run, computed once: screen, CSV, JSON and
 * requirements read them here. Absent figures are NaN, HD_INT_ABSENT or NULL. */
#ifndef HD_PLAN_REPORT_FIGURES_H
#define HD_PLAN_REPORT_FIGURES_H

#include "output/fields.h"
#include "plan/result.h"

struct hd_latency {
    double p50_s, p90_s, p99_s, mean_s;
};

struct hd_attainments {
    double token, ratio, request;
};

struct hd_limit_figures {
    struct hd_range window_s;
    const char *models, *resource;
};
struct hd_limit_figures hd_limit_figures(const struct hd_question *,
                                         const struct hd_limit *);

/* How attainment is spread over the judged models and, as one more entry, all rarer
 * models together: the entries that the pass rule `model` looks at, so that the
 * worst of them tells what it says. */
struct hd_spread {
    double worst, mean;
    double p10;  /* nearest rank: the ceil(n/10)-th smallest */
    double jain; /* (sum x)^2 / (n sum x^2); absent when all are 0 */
    int worst_entry;
};
struct hd_spread hd_spread_of(const double *value, int count);

#define HD_RARE_NAME "(rare)" /* the rarer models together, where a name is due */

/* One run, judged by one criterion. Texts belong to the question or the record. */
/* What GPUs do, in short. */
enum hd_gpu_share {
    HD_SHARE_BUSY,
    HD_SHARE_SWITCHING,
    HD_SHARE_IDLE_WAITING,
    HD_SHARE_IDLE_FREE,
    HD_GPU_SHARES
};

struct hd_run_figures {
    struct {
        double from_s, to_s, warm_up_s, cool_down_s, span_s; /* span: to - from */
    } window;
    struct {
        int64_t measured, done, rejected, too_long, empty, unfinished, preempted;
    } counts;
    struct {
        /* Of measured requests whose prefill began where prompts are cached; absent
         * without a cache or without identities. */
        int64_t prompt_tokens, cached_tokens;
        double hit_rate; /* cached over prompt tokens */
    } prefix;
    struct {
        const char *rule, *metric;
        double target, slo_scale;
        int ok; /* -1: the run was not whole */
        int64_t judged_from, judged_models, rare_models;
        struct hd_text_list failing_models;
    } pass;
    struct hd_attainments attain;
    double pooled; /* the one of attain that the criterion's metric names */
    struct hd_spread spread;
    const char *worst_model;
    struct hd_latency ttft, tbt, tpot, e2e, gap_longest;
    struct {
        double requests_per_s, tokens_per_s;
    } goodput;
    struct {
        double active_models, active_models_if_independent;
    } load;
    double gpu[HD_GPU_SHARES];            /* fractions of gpus_s */
    double gpu_s[HD_GPU_USES], gpus_s;    /* gpus_s: the sum of gpu_s */
    double blame_s[HD_BLAMES], latency_s; /* latency_s: the sum of blame_s */
    int64_t switches, switches_hidden;
    double stage_s[HD_STAGES];
    int64_t vram_bytes, dram_bytes, active_models_peak;
    struct {
        double mean_bytes[HD_VRAM_PARTS]; /* of a GPU, in the window */
        int64_t peak_bytes[HD_VRAM_PARTS];
        double card_bytes;                /* the sum of the means */
        double fragments, fragments_peak; /* shares of the slabs' bytes */
    } vram;
    int64_t gpus, models;
    int64_t output_tokens;
    double output_tokens_per_s, gpu_hours, models_per_gpu;
    struct hd_limit_figures limit;
    double timing_error_p50; /* largest of the held-out medians of the timings used */
    char **failing;          /* behind failing_models; its names are the question's */
};

/* Fills in the figures; end with hd_run_figures_free. A run that is not whole
 * (stopped early, failed, interrupted) has a window and nothing else. */
void hd_run_figures(const struct hd_question *, const struct hd_run_record *,
                    const struct hd_criterion *, struct hd_run_figures *);
void hd_run_figures_free(struct hd_run_figures *);
/* Where there is no run at all. */
void hd_run_figures_absent(struct hd_run_figures *);

/* Is the record's run one whose figures mean something? */
bool hd_run_is_whole(const struct hd_run_record *);
/* Is it an answer? One that the policy said it cannot serve is one, without figures. */
bool hd_run_is_complete(const struct hd_run_record *);

struct hd_model_figures {
    const char *name, *model, *slo_class;
    int64_t tp, requests, done, rejected, too_long, empty, unfinished;
    int judged;
    struct hd_attainments attain;
    struct hd_latency ttft, e2e;
    double blame_s[HD_BLAMES];
};
void hd_model_figures(const struct hd_question *, const struct hd_run_record *,
                      double target, int model, struct hd_model_figures *);

/* All models of one SLO class together. */
struct hd_class_figures {
    const char *name;
    double ttft_limit_s, tbt_limit_s; /* at the run's scale; absent: no limit */
    double target;
    int64_t models, requests;
    struct hd_attainments attain;
    double worst_model_attain;
    const char *worst_model;
    struct hd_latency ttft, e2e;
};
void hd_class_figures(const struct hd_question *, const struct hd_run_record *,
                      double target, int slo_class, struct hd_class_figures *);

/* One answer of a comparison, with the run that it rests on. */
struct hd_row_figures {
    const char *policy, *policy_sha256;
    int clairvoyant;
    char *params;
    double slo_scale, attain_target;
    const char *metric, *pass_rule;
    int reached;
    int64_t gpus, baseline_gpus, bound_gpus;
    double saved;
    struct hd_int_list fails_above;
    struct hd_limit_figures limit; /* of the run with one GPU less */
    int64_t probes, probes_cut;
    double best, one_each_attain; /* see struct hd_answer */
    const char *why_not, *note;
    char *run; /* where its run.json lies below the result, or NULL */
    struct hd_run_figures f;
};
void hd_row_figures(const struct hd_question *, const struct hd_answer *,
                    struct hd_row_figures *);
void hd_row_figures_free(struct hd_row_figures *);

/* "key=value,key=value" of a policy's parameters, "" for none; the caller frees. */
char *hd_params_text(const struct hd_policy_choice *);

/* "runs/aegaeon-0.9-36", with the scale and the rule where the question has several;
 * the caller frees it. */
char *hd_run_folder(const struct hd_question *, const struct hd_answer *);

#endif
