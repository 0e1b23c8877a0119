/* A trace's figures as JSON. */
#include <math.h>

#include "command/trace_about.h"
#include "output/fields.h"

struct record {
    const char *name, *sha256, *format, *parts, *made, *unused_columns, *first, *last;
    int64_t rows_read, rows_before, rows_after, rows_out_of_order, rows_no_output,
        rows_no_input, rows, models, hold_half, hold_90, hold_99, hot, active_p99,
        active_most, poisson_p99, correlated;
    struct hd_trace_stats s;
    struct hd_token_correlation correlation;
    struct hd_popularity popularity;
    struct hd_activity activity;
    struct hd_rate_over_time rate;
};

#define TEXT(member, about)                                                            \
    { #member, HD_FIELD_TEXT, "", offsetof(struct record, member), about }
#define ROWS(member, about)                                                            \
    { #member, HD_FIELD_INT, "rows", offsetof(struct record, member), about }
#define FIGURE(name, type, unit, member, about)                                        \
    { name, HD_FIELD_##type, unit, offsetof(struct record, member), about }
#define REAL(name, unit, member, about) FIGURE(name, REAL, unit, s.member, about)
#define TOKENS(side)                                                                   \
    REAL(#side ".mean_tokens", "tokens", side.mean, "mean of " #side " tokens"),       \
        REAL(#side ".p10_tokens", "tokens", side.p10, "10 % quantile"),                \
        REAL(#side ".p50_tokens", "tokens", side.p50, "median"),                       \
        REAL(#side ".p90_tokens", "tokens", side.p90, "90 % quantile"),                \
        REAL(#side ".p99_tokens", "tokens", side.p99, "99 % quantile"),                \
        REAL(#side ".max_tokens", "tokens", side.max, "largest")

static const struct hd_field fields[] = {
    TEXT(name, "the file's name without its folders"),
    TEXT(sha256, "of the file"),
    TEXT(format, "recognised or asked for"),
    TEXT(parts, "what each part of a generated trace rests on"),
    TEXT(made, "what made a generated trace"),
    TEXT(unused_columns, "columns that nothing was read from"),
    TEXT(first, "first request on the trace's own clock"),
    TEXT(last, "last request on the trace's own clock"),
    ROWS(rows_read, "rows of the file"),
    ROWS(rows_before, "left out before the cut"),
    ROWS(rows_after, "left out after the cut"),
    ROWS(rows_out_of_order, "stood behind a later one until sorted"),
    ROWS(rows_no_output, "requests without output tokens"),
    ROWS(rows_no_input, "requests without input tokens"),
    {"requests", HD_FIELD_INT, "", offsetof(struct record, rows), "rows kept"},
    {"models", HD_FIELD_INT, "", offsetof(struct record, models), "with a request"},
    REAL("span_s", "s", span_s, "from the first request to the last"),
    REAL("rate_per_s", "1/s", rate_per_s, "requests over span"),
    REAL("gap_cv", "", gap_cv, "coefficient of variation of the gaps"),
    REAL("iod_1s", "", iod_1s, "variance over mean of requests per second"),
    REAL("iod_60s", "", iod_60s, "variance over mean of requests per minute"),
    REAL("peak_minute_over_mean", "", peak_minute_over_mean, "fullest minute"),
    REAL("top_share", "fraction", top_share, "of requests, by the top model"),
    REAL("top5_share", "fraction", top5_share, "by the top five"),
    REAL("gini", "", gini, "coefficient of requests over models"),
    REAL("service_s", "s", service_s, "assumed for the two below"),
    REAL("active_models", "models", active_models, "at once, as requests came"),
    REAL("active_models_if_independent", "models", active_models_if_independent,
         "at once, if arrivals were independent and Poisson"),
    TOKENS(input),
    TOKENS(output),
    FIGURE("correlation.requests", INT, "", correlated, "with tokens on both sides"),
    FIGURE("correlation.pearson_of_logs", REAL, "", correlation.pearson_of_logs,
           "of the logarithms of input and output tokens"),
    FIGURE("correlation.spearman", REAL, "", correlation.spearman, "of their ranks"),
    FIGURE("top2_share", REAL, "fraction", popularity.top2, "by the top two"),
    FIGURE("top10_share", REAL, "fraction", popularity.top10, "by the top ten"),
    FIGURE("coldest_half_share", REAL, "fraction", popularity.coldest_half,
           "by the less popular half of the models"),
    FIGURE("models_with_half", INT, "models", hold_half,
           "the hottest, that have half of the requests"),
    FIGURE("models_with_90pct", INT, "models", hold_90, "and 90 %"),
    FIGURE("models_with_99pct", INT, "models", hold_99, "and 99 %"),
    FIGURE("rank_slope", REAL, "", popularity.slope,
           "of log share over log rank, least squares"),
    FIGURE("zipf.exponent", REAL, "", popularity.zipf,
           "share proportional to rank^-exponent, maximum likelihood"),
    FIGURE("zipf.standard_error", REAL, "", popularity.zipf_error, "of the exponent"),
    FIGURE("zipf.off_share", REAL, "fraction", popularity.zipf_off,
           "of requests that are elsewhere than the law says"),
    FIGURE("two_classes.hot_models", INT, "models", hot,
           "of the hotter class, maximum likelihood; 0: all models are alike"),
    FIGURE("two_classes.hot_share", REAL, "fraction", popularity.hot_share,
           "of requests, by them"),
    FIGURE("two_classes.off_share", REAL, "fraction", popularity.classes_off,
           "of requests that are elsewhere than two classes say"),
    FIGURE("activity.deviation", REAL, "models", activity.deviation,
           "standard deviation over time of the models active at once"),
    FIGURE("activity.p99", INT, "models", active_p99,
           "not exceeded for 99 % of the time"),
    FIGURE("activity.most", INT, "models", active_most, "most at once"),
    FIGURE("activity.independent_deviation", REAL, "models", activity.poisson_deviation,
           "if arrivals were independent and Poisson"),
    FIGURE("activity.independent_p99", INT, "models", poisson_p99, "the same"),
    FIGURE("activity.alone_deviation", REAL, "models", activity.alone_deviation,
           "of independent models, each active as much as it was"),
    FIGURE("activity.variance_ratio", REAL, "", activity.variance_ratio,
           "deviation^2 over alone_deviation^2: above 1 models wake together"),
    FIGURE("activity.variance_ratio_by_chance", REAL, "", activity.chance,
           "how far from 1 it comes by itself"),
    FIGURE("rate.interval_s", REAL, "s", rate.interval_s, "of the requests below"),
    FIGURE("rate.last_interval_s", REAL, "s", rate.last_s, "how long the last one is"),
    FIGURE("rate.least_per_s", REAL, "1/s", rate.least_per_s, "over whole intervals"),
    FIGURE("rate.most_per_s", REAL, "1/s", rate.most_per_s, "over whole intervals"),
};
static const struct hd_field_set schema = {"trace info --json", "a trace", fields,
                                           sizeof fields / sizeof *fields};

static int64_t if_active(const struct hd_activity *a, int value) {
    return a->levels ? value : HD_INT_ABSENT;
}

static void write_popularity(const struct hd_trace_about *a, struct hd_json *json) {
    hd_json_array(json, "popularity");
    for (int i = 0; i < a->trace->models; i++) {
        int model = a->order[i];
        hd_json_inline_object(json, NULL);
        hd_json_text(json, "name", a->trace->model[model]);
        hd_json_int(json, "requests", a->trace->model_rows[model]);
        hd_json_real(json, "gap_cv", a->model[model].gap_cv);
        hd_json_real(json, "input_mean_tokens", a->model[model].input_mean);
        hd_json_real(json, "output_mean_tokens", a->model[model].output_mean);
        if (a->demand)
            hd_json_real(json, "gpu_s", a->demand->demand.model_gpu_s[model]);
        hd_json_close(json);
    }
    hd_json_close(json);
}

static void write_dispersion(const struct hd_trace_about *a, struct hd_json *json) {
    hd_json_array(json, "dispersion");
    for (int i = 0; i < a->dispersions; i++) {
        hd_json_inline_object(json, NULL);
        hd_json_real(json, "bin_s", a->dispersion[i].bin_s);
        hd_json_int(json, "whole_bins", a->dispersion[i].bins);
        hd_json_real(json, "iod", a->dispersion[i].iod);
        hd_json_real(json, "peak_over_mean", a->dispersion[i].peak_over_mean);
        hd_json_close(json);
    }
    hd_json_close(json);
}

static void write_requests_over_time(const struct hd_trace_about *a,
                                     struct hd_json *json) {
    hd_json_inline_array(json, "requests_over_time");
    for (int i = 0; i < a->rate.intervals; i++)
        hd_json_int(json, NULL, a->rate.requests[i]);
    hd_json_close(json);
}

static void write_share_of_time(const char *key, const double *share, int levels,
                                struct hd_json *json) {
    hd_json_inline_array(json, key);
    for (int k = 0; k < levels; k++) hd_json_real(json, NULL, share[k]);
    hd_json_close(json);
}

static double share(int64_t part, int64_t whole) {
    return whole ? (double)part / (double)whole : NAN;
}

/* Only what the trace tells. */
static void write_reuse(const struct hd_trace_about *a, struct hd_json *json) {
    const struct hd_reuse *r = &a->reuse;
    if (r->prefixed) {
        hd_json_object(json, "prefixes");
        hd_json_int(json, "requests", r->prefixed);
        hd_json_int(json, "block_tokens", r->block_tokens);
        hd_json_int(json, "blocks", r->blocks);
        hd_json_int(json, "blocks_distinct", r->blocks_distinct);
        hd_json_real(json, "block_hit_share", share(r->blocks_hit, r->blocks));
        hd_json_real(json, "token_hit_share", share(r->tokens_hit, r->tokens));
        hd_json_int(json, "requests_hit_whole", r->full_hits);
        hd_json_close(json);
    }
    if (r->sessions) {
        hd_json_object(json, "sessions");
        hd_json_int(json, "sessions", r->sessions);
        hd_json_int(json, "requests", r->in_session);
        hd_json_int(json, "of_one_turn", r->single_turn);
        hd_json_real(json, "turns_mean", r->turns_mean);
        hd_json_real(json, "turns_p50", r->turns_p50);
        hd_json_real(json, "turns_p99", r->turns_p99);
        hd_json_int(json, "turns_most", r->turns_most);
        hd_json_close(json);
    }
    if (r->class_rows) {
        hd_json_array(json, "classes");
        for (int i = 0; i < a->trace->extra->classes; i++) {
            hd_json_inline_object(json, NULL);
            hd_json_text(json, "name", a->trace->extra->class_name[i]);
            hd_json_int(json, "requests", r->class_rows[i]);
            hd_json_close(json);
        }
        hd_json_close(json);
    }
    if (r->deadlines) {
        hd_json_object(json, "deadlines");
        hd_json_int(json, "requests", r->deadlines);
        hd_json_real(json, "least_s", r->deadline_least_s);
        hd_json_real(json, "p50_s", r->deadline_p50_s);
        hd_json_real(json, "most_s", r->deadline_most_s);
        hd_json_close(json);
    }
}

static void write_demand(const struct hd_trace_about *a, struct hd_json *json) {
    const struct hd_demand *d = &a->demand->demand;
    double gpu_s = d->prefill_gpu_s + d->decode_gpu_s;
    hd_json_object(json, "load");
    hd_json_text(json, "gpu", a->demand->gpu);
    hd_json_text(json, "models", a->demand->models);
    hd_json_text(json, "engine", a->demand->engine);
    hd_json_int(json, "batch", d->batch);
    hd_json_int(json, "requests", d->counted);
    hd_json_int(json, "requests_too_long", d->too_long);
    hd_json_int(json, "requests_without_output", d->empty);
    hd_json_real(json, "prefill_gpu_s", d->prefill_gpu_s);
    hd_json_real(json, "decode_gpu_s", d->decode_gpu_s);
    hd_json_real(json, "busy_gpus",
                 a->stats.span_s > 0 ? gpu_s / a->stats.span_s : NAN);
    hd_json_real(json, "error_p90", d->error_p90);
    hd_json_inline_array(json, "gpu_s_over_time");
    for (int i = 0; i < a->rate.intervals; i++)
        hd_json_real(json, NULL, d->interval_gpu_s[i]);
    hd_json_close(json);
    hd_json_close(json);
}

bool hd_trace_about_json(const struct hd_trace_about *a, FILE *out) {
    const struct hd_trace *t = a->trace;
    char first[HD_CLOCK_TEXT_BYTES], last[HD_CLOCK_TEXT_BYTES];
    struct record record = {
        .name = t->name,
        .sha256 = t->sha256,
        .format = t->format,
        .parts = t->parts,
        .made = t->made,
        .unused_columns = t->unused_columns,
        .first = hd_trace_clock_text(t, t->row[0].at, first),
        .last = hd_trace_clock_text(t, t->row[t->rows - 1].at, last),
        .rows_read = t->rows_read,
        .rows_before = t->rows_before,
        .rows_after = t->rows_after,
        .rows_out_of_order = t->rows_out_of_order,
        .rows_no_output = t->rows_no_output,
        .rows_no_input = t->rows_no_input,
        .rows = t->rows,
        .models = t->models,
        .hold_half = a->popularity.hold_half,
        .hold_90 = a->popularity.hold_90,
        .hold_99 = a->popularity.hold_99,
        .hot = a->popularity.hot,
        .active_p99 = if_active(&a->activity, a->activity.p99),
        .active_most = if_active(&a->activity, a->activity.most),
        .poisson_p99 = if_active(&a->activity, a->activity.poisson_p99),
        .correlated = a->correlation.rows,
        .s = a->stats,
        .correlation = a->correlation,
        .popularity = a->popularity,
        .activity = a->activity,
        .rate = a->rate,
    };
    if (record.hot == 0) record.popularity.hot_share = NAN;
    struct hd_json json;
    hd_json_start(&json, out);
    hd_json_object(&json, NULL);
    hd_json_text(&json, "schema", "hotdesk.trace/1");
    hd_fields_json(&schema, &record, &json);
    write_requests_over_time(a, &json);
    write_dispersion(a, &json);
    write_share_of_time("share_of_time_active", a->activity.share, a->activity.levels,
                        &json);
    write_share_of_time("share_of_time_active_if_independent",
                        a->activity.poisson_share, a->activity.levels, &json);
    write_reuse(a, &json);
    if (a->demand) write_demand(a, &json);
    write_popularity(a, &json);
    hd_json_close(&json);
    return hd_json_finish(&json);
}
