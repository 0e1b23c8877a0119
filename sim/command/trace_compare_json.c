/* Two traces beside each other as JSON. */
#include <math.h>

#include "command/trace_compare.h"
#include "output/fields.h"

struct one {
    const char *name, *sha256;
    int64_t rows, models, counted, too_long, empty;
    struct hd_trace_stats s;
    struct hd_likeness like;
};
#define OF(record, name, type, unit, member, about)                                    \
    { name, HD_FIELD_##type, unit, offsetof(struct record, member), about }
#define TOKENS(side)                                                                   \
    OF(one, #side ".p50_tokens", REAL, "tokens", s.side.p50, "median"),                \
        OF(one, #side ".p99_tokens", REAL, "tokens", s.side.p99, "99 % quantile")

static const struct hd_field one_fields[] = {
    OF(one, "name", TEXT, "", name, "the file's name without its folders"),
    OF(one, "sha256", TEXT, "", sha256, "of the file"),
    OF(one, "requests", INT, "", rows, "of it"),
    OF(one, "models", INT, "", models, "with a request"),
    OF(one, "span_s", REAL, "s", like.span_s, "from the first request to the last"),
    OF(one, "rate_per_s", REAL, "1/s", like.rate_per_s, "requests over span"),
    OF(one, "gap_cv", REAL, "", s.gap_cv, "coefficient of variation of the gaps"),
    OF(one, "model_gap_cv", REAL, "", like.model_gap_cv,
       "the same of the models' own gaps, each over its mean"),
    OF(one, "iod_1s", REAL, "", like.dispersion[0], "index of dispersion, bins of 1 s"),
    OF(one, "iod_10s", REAL, "", like.dispersion[1], "of 10 s"),
    OF(one, "iod_60s", REAL, "", like.dispersion[2], "of 60 s"),
    OF(one, "iod_600s", REAL, "", like.dispersion[3], "of 600 s"),
    OF(one, "top_share", REAL, "fraction", s.top_share, "of the most popular model"),
    OF(one, "gini", REAL, "", s.gini, "of the models' shares"),
    OF(one, "active_models", REAL, "", s.active_models,
       "at once, as trace info has it"),
    TOKENS(input),
    TOKENS(output),
    OF(one, "correlation", REAL, "", like.correlation, "of input and output, by rank"),
    OF(one, "reuse", REAL, "fraction", like.reuse, "of prefix blocks"),
    OF(one, "requests_counted", INT, "", counted, "by the answers"),
    OF(one, "requests_too_long", INT, "", too_long, "beyond their model's context"),
    OF(one, "requests_without_output", INT, "", empty, ""),
};

struct apart {
    struct hd_distance d;
    double one_percent;
};
static const struct hd_field apart_fields[] = {
    OF(apart, "gaps_ks", REAL, "", d.gaps,
       "Kolmogorov-Smirnov, of gaps over their mean"),
    OF(apart, "model_gaps_ks", REAL, "", d.model_gaps, "of a model's own gaps"),
    OF(apart, "input_ks", REAL, "", d.input, "of input tokens"),
    OF(apart, "output_ks", REAL, "", d.output, "of output tokens"),
    OF(apart, "popularity", REAL, "", d.popularity,
       "total variation of shares, rank by rank"),
    OF(apart, "ks_one_percent", REAL, "", one_percent,
       "what two samples of one law stay below 99 times of 100"),
};

struct answers {
    const char *policy, *pass_rule;
    double attain_target, slo_scale;
    int64_t gpus[2];
    double saved[2];
    int complete[2];
    const char *why_not[2];
};
static const struct hd_field answer_fields[] = {
    OF(answers, "policy", TEXT, "", policy, "as asked"),
    OF(answers, "attain_target", REAL, "fraction", attain_target, "asked for"),
    OF(answers, "pass_rule", TEXT, "", pass_rule, "model or pooled"),
    OF(answers, "slo_scale", REAL, "", slo_scale, "of every limit"),
    OF(answers, "a.gpus", INT, "GPUs", gpus[0], "fewest; null: none reached it"),
    OF(answers, "a.saved", REAL, "fraction", saved[0], "against dedicated"),
    OF(answers, "a.complete", BOOL, "", complete[0], "false: interrupted"),
    OF(answers, "a.why_not", TEXT, "", why_not[0], "none reached it"),
    OF(answers, "b.gpus", INT, "GPUs", gpus[1], "the same of the other trace"),
    OF(answers, "b.saved", REAL, "fraction", saved[1], ""),
    OF(answers, "b.complete", BOOL, "", complete[1], ""),
    OF(answers, "b.why_not", TEXT, "", why_not[1], ""),
};

#define SET(what, about, fields)                                                       \
    { "trace compare --json" what, about, fields, sizeof(fields) / sizeof *(fields) }
static const struct hd_field_set one_set =
    SET(" a, b", "one of the traces", one_fields);
static const struct hd_field_set apart_set =
    SET(" distance", "0 alike, 1 nothing in common", apart_fields);
static const struct hd_field_set answer_set =
    SET(" answers", "the fewest GPUs for each", answer_fields);

void hd_trace_compare_schema(FILE *out) {
    static const struct hd_field_set *const sets[] = {&one_set, &apart_set,
                                                      &answer_set};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        fputc('\n', out);
        hd_fields_help(sets[i], out);
    }
}

static void write_one(const char *key, const struct hd_trace_side *side,
                      struct hd_json *json) {
    const struct hd_trace *t = side->session.resolved.trace;
    const struct hd_load *load = &side->comparison.load;
    struct one one = {.name = t->name,
                      .sha256 = t->sha256,
                      .rows = t->rows,
                      .models = t->models,
                      .counted = load->measured,
                      .too_long = load->too_long,
                      .empty = load->empty,
                      .s = *side->session.resolved.stats,
                      .like = side->like};
    hd_json_object(json, key);
    hd_fields_json(&one_set, &one, json);
    hd_json_close(json);
}

static void write_answer(const struct hd_trace_side side[2], int n,
                         struct hd_json *json) {
    const struct hd_answer *first = &side[0].comparison.answer[n];
    struct answers row = {
        .policy = side[0].session.resolved.question.policy[first->policy].label,
        .pass_rule = first->rule == HD_PASS_POOLED ? "pooled" : "model",
        .attain_target = first->attain,
        .slo_scale = first->scale};
    for (int i = 0; i < 2; i++) {
        const struct hd_answer *a = &side[i].comparison.answer[n];
        row.gpus[i] = a->whole && a->reached ? a->gpus : HD_INT_ABSENT;
        row.saved[i] = a->saved;
        row.complete[i] = a->whole;
        row.why_not[i] = a->why_not;
    }
    hd_json_object(json, NULL);
    hd_fields_json(&answer_set, &row, json);
    hd_json_close(json);
}

bool hd_trace_compare_json(const struct hd_trace_side side[2], FILE *out) {
    const struct hd_trace *a = side[0].session.resolved.trace,
                          *b = side[1].session.resolved.trace;
    struct apart apart = {.one_percent = hd_ks_one_percent(a->rows, b->rows)};
    hd_distance(a, b, &apart.d);
    struct hd_json json;
    hd_json_start(&json, out);
    hd_json_object(&json, NULL);
    hd_json_text(&json, "schema", "hotdesk.trace_compare/1");
    write_one("a", &side[0], &json);
    write_one("b", &side[1], &json);
    hd_json_object(&json, "distance");
    hd_fields_json(&apart_set, &apart, &json);
    hd_json_close(&json);
    hd_json_text(&json, "assumed_gpu", side[0].no_gpu ? "H100" : NULL);
    hd_json_text(&json, "assumed_models", side[0].no_models ? "*=qwen2.5-7b" : NULL);
    hd_json_array(&json, "answers");
    for (int n = 0; n < side[0].comparison.answers && n < side[1].comparison.answers;
         n++)
        write_answer(side, n, &json);
    hd_json_close(&json);
    hd_json_close(&json);
    return hd_json_finish(&json);
}
