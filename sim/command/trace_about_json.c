/* A trace's figures as JSON. */
#include <math.h>

#include "command/trace_about.h"
#include "output/fields.h"

struct record {
    const char *name, *sha256, *format, *parts, *made, *unused_columns, *first, *last;
    int64_t ties, rows_read, rows_before, rows_after, rows_out_of_order, rows_bad,
        rows_no_time, images, rows_no_output, rows_no_input, rows, models, hold_half,
        hold_90, hold_99, hot, active_p99, active_most, poisson_p99, correlated;
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
    ROWS(rows_bad, "malformed, passed over (--skip-bad)"),
    ROWS(rows_no_time, "without a time, left out"),
    {"images", HD_FIELD_INT, "", offsetof(struct record, images), "not simulated"},
    ROWS(rows_no_output, "requests without output tokens"),
    ROWS(rows_no_input, "requests without input tokens"),
    {"requests", HD_FIELD_INT, "", offsetof(struct record, rows), "rows kept"},
    {"models", HD_FIELD_INT, "", offsetof(struct record, models), "with a request"},
    REAL("span_s", "s", span_s, "from the first request to the last"),
    REAL("rate_per_s", "1/s", rate_per_s, "requests over span"),
    FIGURE("same_instant", INT, "", ties, "requests, as the one before"),
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

/* ---- the parts of it that only some traces have, and its lists ------------ */

struct popular {
    const char *name;
    int64_t requests;
    struct hd_model_stats m;
    double gpu_s;
};
#define OF(record_type, name, type, unit, member, about)                               \
    { name, HD_FIELD_##type, unit, offsetof(struct record_type, member), about }
static const struct hd_field popular_fields[] = {
    OF(popular, "name", TEXT, "", name, "of the model, the most popular first"),
    OF(popular, "requests", INT, "", requests, "for it"),
    OF(popular, "gap_cv", REAL, "", m.gap_cv, "of its own gaps"),
    OF(popular, "input_mean_tokens", REAL, "tokens", m.input_mean, "of its requests"),
    OF(popular, "output_mean_tokens", REAL, "tokens", m.output_mean, "of its requests"),
    OF(popular, "gpu_s", REAL, "s", gpu_s, "its load, with --gpu"),
};

struct scale {
    struct hd_dispersion d;
    int64_t bins;
};
static const struct hd_field scale_fields[] = {
    OF(scale, "bin_s", REAL, "s", d.bin_s, "length of the bins"),
    OF(scale, "whole_bins", INT, "", bins, "that the trace fills"),
    OF(scale, "iod", REAL, "", d.iod, "variance over mean of requests per bin"),
    OF(scale, "peak_over_mean", REAL, "", d.peak_over_mean, "fullest bin"),
};

struct besides {
    struct hd_reuse r;
    double block_share, token_share;
    int64_t block_tokens, sessions, single_turn, turns_most;
};
static const struct hd_field prefix_fields[] = {
    OF(besides, "requests", INT, "", r.prefixed, "that name blocks of their prompt"),
    OF(besides, "block_tokens", INT, "tokens", block_tokens, "of one block"),
    OF(besides, "blocks", INT, "", r.blocks, "of all these"),
    OF(besides, "blocks_distinct", INT, "", r.blocks_distinct,
       "model by model: what a cache without end would come to hold"),
    OF(besides, "block_hit_share", REAL, "fraction", block_share,
       "of blocks, that such a cache would find"),
    OF(besides, "token_hit_share", REAL, "fraction", token_share,
       "of input tokens, that it would save"),
    OF(besides, "requests_hit_whole", INT, "", r.full_hits,
       "whose every block it would find"),
};
static const struct hd_field session_fields[] = {
    OF(besides, "sessions", INT, "", sessions, "conversations"),
    OF(besides, "requests", INT, "", r.in_session, "that belong to one"),
    OF(besides, "of_one_turn", INT, "", single_turn, "sessions"),
    OF(besides, "turns_mean", REAL, "", r.turns_mean, "requests of a session"),
    OF(besides, "turns_p50", REAL, "", r.turns_p50, "median"),
    OF(besides, "turns_p99", REAL, "", r.turns_p99, "99 % quantile"),
    OF(besides, "turns_most", INT, "", turns_most, "most"),
};
static const struct hd_field deadline_fields[] = {
    OF(besides, "requests", INT, "", r.deadlines, "with a deadline"),
    OF(besides, "least_s", REAL, "s", r.deadline_least_s, "after arrival, shortest"),
    OF(besides, "p50_s", REAL, "s", r.deadline_p50_s, "median"),
    OF(besides, "most_s", REAL, "s", r.deadline_most_s, "longest"),
};

struct level {
    const char *name;
    int64_t requests;
};
static const struct hd_field level_fields[] = {
    OF(level, "name", TEXT, "", name, "of a service level"),
    OF(level, "requests", INT, "", requests, "of it"),
};

struct load {
    const char *gpu, *models, *engine;
    int64_t batch;
    struct hd_demand d;
    double busy_gpus;
};
static const struct hd_field load_fields[] = {
    OF(load, "gpu", TEXT, "", gpu, "of --gpu"),
    OF(load, "models", TEXT, "", models, "of --models"),
    OF(load, "engine", TEXT, "", engine, "profile"),
    OF(load, "batch", INT, "", batch, "requests that decode together"),
    OF(load, "requests", INT, "", d.counted, "that are counted"),
    OF(load, "requests_too_long", INT, "", d.too_long,
       "beyond their model's context, not counted"),
    OF(load, "requests_without_output", INT, "", d.empty, "not counted"),
    OF(load, "prefill_gpu_s", REAL, "s", d.prefill_gpu_s, "GPU time of prompts"),
    OF(load, "decode_gpu_s", REAL, "s", d.decode_gpu_s, "GPU time of outputs"),
    OF(load, "busy_gpus", REAL, "GPUs", busy_gpus, "both over the span"),
    OF(load, "error_p90", REAL, "fraction", d.error_p90,
       "of the timings, held out, the largest"),
};
#define SET(what, about, fields)                                                       \
    { "trace info --json, " what, about, fields, sizeof(fields) / sizeof *(fields) }
static const struct hd_field_set dispersion_set =
    SET("dispersion", "a time scale", scale_fields);
static const struct hd_field_set prefix_set =
    SET("prefixes", "where the trace names blocks", prefix_fields);
static const struct hd_field_set session_set =
    SET("sessions", "where the trace tells them", session_fields);
static const struct hd_field_set level_set =
    SET("classes", "where the trace tells them", level_fields);
static const struct hd_field_set deadline_set =
    SET("deadlines", "where the trace tells them", deadline_fields);
static const struct hd_field_set load_set = SET("load", "with --gpu", load_fields);
static const struct hd_field_set popular_set =
    SET("popularity", "a model", popular_fields);

void hd_trace_about_schema(FILE *out) {
    static const struct hd_field_set *const sets[] = {
        &schema,    &dispersion_set, &prefix_set, &session_set,
        &level_set, &deadline_set,   &load_set,   &popular_set,
    };
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        fputc('\n', out);
        hd_fields_help(sets[i], out);
    }
    fputs(
        "lists of numbers: requests_over_time, of each interval; load.gpu_s_over_time, "
        "the same of GPU\ntime; share_of_time_active and "
        "share_of_time_active_if_independent, with 0, 1, 2, ... models active\n",
        out);
}

/* ---- writing --------------------------------------------------------------- */

static int64_t if_active(const struct hd_activity *a, int value) {
    return a->levels ? value : HD_INT_ABSENT;
}

static void write_row(const struct hd_field_set *set, const void *record,
                      struct hd_json *json) {
    hd_json_inline_object(json, NULL);
    hd_fields_json(set, record, json);
    hd_json_close(json);
}

static void write_part(const char *key, const struct hd_field_set *set,
                       const void *record, struct hd_json *json) {
    hd_json_object(json, key);
    hd_fields_json(set, record, json);
    hd_json_close(json);
}

static void write_numbers(const char *key, const double *value, int count,
                          struct hd_json *json) {
    hd_json_inline_array(json, key);
    for (int i = 0; i < count; i++) hd_json_real(json, NULL, value[i]);
    hd_json_close(json);
}

static void write_popularity(const struct hd_trace_about *a, struct hd_json *json) {
    hd_json_array(json, "popularity");
    for (int i = 0; i < a->trace->models; i++) {
        int model = a->order[i];
        struct popular p = {a->trace->model[model], a->trace->model_rows[model],
                            a->model[model],
                            a->demand ? a->demand->demand.model_gpu_s[model] : NAN};
        write_row(&popular_set, &p, json);
    }
    hd_json_close(json);
}

static void write_over_time(const struct hd_trace_about *a, struct hd_json *json) {
    hd_json_inline_array(json, "requests_over_time");
    for (int i = 0; i < a->rate.intervals; i++)
        hd_json_int(json, NULL, a->rate.requests[i]);
    hd_json_close(json);
    hd_json_array(json, "dispersion");
    for (int i = 0; i < a->dispersions; i++) {
        struct scale s = {a->dispersion[i], a->dispersion[i].bins};
        write_row(&dispersion_set, &s, json);
    }
    hd_json_close(json);
}

static double share(int64_t part, int64_t whole) {
    return whole ? (double)part / (double)whole : NAN;
}

/* Only what the trace tells. */
static void write_besides(const struct hd_trace_about *a, struct hd_json *json) {
    const struct hd_reuse *r = &a->reuse;
    struct besides b = {
        .r = *r,
        .block_share = share(r->blocks_hit, r->blocks),
        .token_share = share(r->tokens_hit, r->tokens),
        .block_tokens = r->block_tokens,
        .sessions = r->sessions,
        .single_turn = r->single_turn,
        .turns_most = r->turns_most,
    };
    if (r->prefixed) write_part("prefixes", &prefix_set, &b, json);
    if (r->sessions) write_part("sessions", &session_set, &b, json);
    if (r->class_rows) {
        hd_json_array(json, "classes");
        for (int i = 0; i < a->trace->extra->classes; i++) {
            struct level l = {a->trace->extra->class_name[i], r->class_rows[i]};
            write_row(&level_set, &l, json);
        }
        hd_json_close(json);
    }
    if (r->deadlines) write_part("deadlines", &deadline_set, &b, json);
}

static void write_load(const struct hd_trace_about *a, struct hd_json *json) {
    const struct hd_demand *d = &a->demand->demand;
    struct load l = {
        .gpu = a->demand->gpu,
        .models = a->demand->models,
        .engine = a->demand->engine,
        .batch = d->batch,
        .d = *d,
        .busy_gpus = (d->prefill_gpu_s + d->decode_gpu_s) / a->stats.span_s,
    };
    hd_json_object(json, "load");
    hd_fields_json(&load_set, &l, json);
    write_numbers("gpu_s_over_time", d->interval_gpu_s, a->rate.intervals, json);
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
        .ties = a->ties,
        .rows_read = t->rows_read,
        .rows_before = t->rows_before,
        .rows_after = t->rows_after,
        .rows_out_of_order = t->rows_out_of_order,
        .rows_bad = t->rows_bad,
        .rows_no_time = t->rows_no_time,
        .images = t->images,
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
    write_over_time(a, &json);
    write_numbers("share_of_time_active", a->activity.share, a->activity.levels, &json);
    write_numbers("share_of_time_active_if_independent", a->activity.poisson_share,
                  a->activity.levels, &json);
    write_besides(a, &json);
    if (a->demand) write_load(a, &json);
    write_popularity(a, &json);
    hd_json_close(&json);
    return hd_json_finish(&json);
}
