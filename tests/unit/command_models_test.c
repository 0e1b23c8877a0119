/* Which LLM a name of the trace gets: maps, files, decks, defaults, and the fleets
 * that they must fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "command/model_rules.h"

enum { NAMES_MAX = 64 };

static struct hd_catalog *catalog;
static struct hd_problem problem;

/* A question over the trace's names, on nodes of 8 GPUs with 70 GB each. */
struct bench {
    struct hd_asked asked;
    struct hd_resolved r;
    struct hd_trace trace;
    char *name[NAMES_MAX];
    struct hd_slo_class classes[2];
};

static void begin(struct bench *b, int names, const char *pattern) {
    struct hd_err err = {0};
    *b = (struct bench){0};
    problem = (struct hd_problem){0};
    hd_asked_init(&b->asked, HD_FOR_COMPARE);
    for (int i = 0; i < names; i++) {
        char text[32];
        snprintf(text, sizeof text, "%s", pattern);
        char *digits = strstr(text, "%02d");
        if (digits) snprintf(digits, 8, "%02d", i);
        b->name[i] = hd_strdup(text);
    }
    b->trace =
        (struct hd_trace){.path = (char *)"t.csv", .models = names, .model = b->name};
    struct hd_question *q = &b->r.question;
    b->r.catalog = catalog;
    b->r.trace = &b->trace;
    b->classes[0].name = (char *)"default";
    q->classes = 1;
    q->slo = b->classes;
    q->seed = 1;
    q->parts = 1;
    q->part[0].gpu = hd_catalog_gpu(catalog, "H100", &err);
    q->part[0].node.gpus = 8;
    q->part[0].usable_bytes = 70e9;
}

static void map(struct bench *b, const char *value) {
    hd_asked_add(&b->asked, hd_option_of_key("models", HD_FOR_COMPARE), NULL, NULL,
                 value, HD_FROM_OPTION, "--models");
}

static void end(struct bench *b) {
    struct hd_question *q = &b->r.question;
    for (int i = 0; i < q->models && q->model; i++) free(q->model[i].name);
    free(q->model);
    for (int i = 0; i < NAMES_MAX; i++) free(b->name[i]);
    hd_asked_free(&b->asked);
}

static bool resolve(struct bench *b) {
    struct hd_question *q = &b->r.question;
    for (int i = 0; i < q->models && q->model; i++) free(q->model[i].name);
    free(q->model);
    q->model = NULL;
    q->models = 0;
    problem = (struct hd_problem){0};
    struct hd_model_rules *rules = hd_model_rules_read(&b->asked, &b->r, &problem);
    bool fine = rules && hd_model_rules_apply(rules, &b->r, &problem);
    hd_model_rules_free(rules);
    return fine;
}

static const char *model(struct bench *b, int i) {
    return b->r.question.model[i].spec->name;
}

static void refused(struct bench *b, int exit_code, const char *text) {
    assert_false(resolve(b));
    assert_int_equal(problem.exit_code, exit_code);
    if (!strstr(problem.err.text, text))
        fail_msg("'%s' does not say '%s'", problem.err.text, text);
    end(b);
}

static int count(struct bench *b, const char *name) {
    int n = 0;
    for (int i = 0; i < b->r.question.models; i++) n += strcmp(model(b, i), name) == 0;
    return n;
}

static void a_deck_keeps_its_proportion(void **state) {
    (void)state;
    struct bench b;
    char first[40], second[40];
    begin(&b, 40, "m%02d");
    map(&b, "m*=qwen2.5-7b:6,yi-1.5-9b:2,llama-2-13b:2");
    assert_true(resolve(&b));
    assert_int_equal(count(&b, "Qwen/Qwen2.5-7B"), 24);
    assert_int_equal(count(&b, "01-ai/Yi-1.5-9B"), 8);
    assert_int_equal(count(&b, "meta-llama/Llama-2-13b"), 8);
    for (int i = 0; i < 40; i++) first[i] = model(&b, i)[0];
    assert_true(resolve(&b)); /* the same seed: the same deal */
    for (int i = 0; i < 40; i++) assert_int_equal(first[i], model(&b, i)[0]);
    b.r.question.seed = 2;
    assert_true(resolve(&b));
    for (int i = 0; i < 40; i++) second[i] = model(&b, i)[0];
    assert_memory_not_equal(first, second, 40);
    assert_int_equal(count(&b, "Qwen/Qwen2.5-7B"), 24);
    end(&b);
}

/* 7 names in 6:2:2: 4.2, 1.4, 1.4; the two largest remainders get one more. */
static void remainders_are_shared_out(void **state) {
    (void)state;
    struct bench b;
    begin(&b, 7, "m%02d");
    map(&b, "m*=qwen2.5-7b:6,yi-1.5-9b:2,llama-2-13b:2");
    assert_true(resolve(&b));
    assert_int_equal(count(&b, "Qwen/Qwen2.5-7B"), 4);
    assert_int_equal(count(&b, "01-ai/Yi-1.5-9B"), 2);
    assert_int_equal(count(&b, "meta-llama/Llama-2-13b"), 1);
    end(&b);
}

static void order_repeats_the_list(void **state) {
    (void)state;
    struct bench b;
    begin(&b, 23, "m%02d");
    map(&b, "m*=qwen2.5-7b:6,yi-1.5-9b:2,llama-2-13b:2@order");
    assert_true(resolve(&b));
    for (int i = 0; i < 23; i++)
        assert_string_equal(model(&b, i), i % 10 < 6   ? "Qwen/Qwen2.5-7B"
                                          : i % 10 < 8 ? "01-ai/Yi-1.5-9B"
                                                       : "meta-llama/Llama-2-13b");
    end(&b);
}

static void the_closest_rule_wins(void **state) {
    (void)state;
    struct bench b;
    begin(&b, 12, "m%02d");
    map(&b, "*=qwen2.5-7b;m0?=yi-1.5-9b;m*=llama-2-7b");
    map(&b, "m03=llama-2-70b/tp8");
    assert_true(resolve(&b));
    assert_string_equal(model(&b, 1), "01-ai/Yi-1.5-9B");
    assert_string_equal(model(&b, 11), "meta-llama/Llama-2-7b");
    assert_string_equal(model(&b, 3), "meta-llama/Llama-2-70b");
    assert_int_equal(b.r.question.model[3].tp, 8);
    end(&b);
}

/* 138 GB on GPUs with 70 GB: two would leave nothing, four do. */
static void parallelism_fits_the_gpu(void **state) {
    (void)state;
    struct bench b;
    begin(&b, 1, "llama-2-70b");
    assert_true(resolve(&b)); /* a catalogue name needs no map */
    assert_int_equal(b.r.question.model[0].tp, 4);
    b.r.question.part[0].usable_bytes = 20e9;
    assert_true(resolve(&b));
    assert_int_equal(b.r.question.model[0].tp, 8);
    b.r.question.part[0].usable_bytes = 10e9;
    refused(&b, HD_EXIT_BAD, "more than 8 H100-SXM hold");
    begin(&b, 1, "big");
    map(&b, "big=llama-2-70b/tp1");
    refused(&b, HD_EXIT_BAD, "more than 1 H100-SXM hold");
    begin(&b, 1, "big");
    map(&b, "big=llama-2-70b/tp3");
    refused(&b, HD_EXIT_USAGE, "cannot be split over 3 GPUs");
}

static void mistakes_are_named(void **state) {
    (void)state;
    struct bench b;
    begin(&b, 12, "m%02d");
    map(&b, "m0*=qwen2.5-7b");
    refused(&b, HD_EXIT_BAD, "2 of 12 model names: m10, m11");
    begin(&b, 2, "m%02d");
    map(&b, "m*=qwen2.5-7c");
    refused(&b, HD_EXIT_USAGE, "qwen2.5-7");
    begin(&b, 2, "m%02d");
    map(&b, "m*=qwen2.5-7b:0,llama-2-7b:1");
    refused(&b, HD_EXIT_USAGE, "lies outside");
    begin(&b, 2, "m%02d");
    map(&b, "=qwen2.5-7b");
    refused(&b, HD_EXIT_USAGE, "maps nothing");
    begin(&b, 2, "m%02d");
    map(&b, "m*=qwen2.5-7b;m*=llama-2-7b");
    refused(&b, HD_EXIT_USAGE, "stands there twice");
    begin(&b, 2, "m%02d");
    map(&b, "no/such/file.csv");
    refused(&b, HD_EXIT_BAD, "no/such/file.csv");
    begin(&b, 2, "m%02d");
    b.classes[0].name = (char *)"chat";
    map(&b, "m*=qwen2.5-7b");
    refused(&b, HD_EXIT_BAD, "has no SLO class");
}

static char file[] = P_tmpdir "/hd_models_XXXXXX";

static void put_file(const char *text) {
    FILE *out = fopen(file, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void refused_file(const char *text, const char *message) {
    struct bench b;
    put_file(text);
    begin(&b, 3, "m%02d");
    map(&b, file);
    refused(&b, HD_EXIT_BAD, message);
}

static void files_are_read(void **state) {
    (void)state;
    struct bench b;
    put_file("model,name,class,tp,min_replicas,dtype\r\n"
             "llama-2-13b,m00,chat,2,3,bf16\r\n"
             "llama-2-7b,m*,batch,,,\r\n");
    begin(&b, 3, "m%02d");
    b.classes[0].name = (char *)"batch";
    b.classes[1].name = (char *)"chat";
    b.r.question.classes = 2;
    map(&b, file);
    assert_true(resolve(&b));
    const struct hd_market_model *m = b.r.question.model;
    assert_string_equal(m[0].spec->name, "meta-llama/Llama-2-13b");
    assert_int_equal(m[0].tp, 2);
    assert_int_equal(m[0].slo, 1);
    assert_int_equal(m[0].min_replicas, 3);
    assert_string_equal(m[2].spec->name, "meta-llama/Llama-2-7b");
    assert_int_equal(m[2].tp, 1);
    assert_int_equal(m[2].slo, 0);
    end(&b);
    refused_file("name,model,dtype\nm*,llama-2-7b,int4\n", ":2: dtype 'int4'");
    refused_file("name,model,kv_dtype\nm*,llama-2-7b,8\n", ":2: kv_dtype '8'");
    refused_file("name,modell\nm*,llama-2-7b\n", "a column is missing");
    refused_file("name,model,tpp\nm*,llama-2-7b,1\n", "the nearest is tp");
    refused_file("name,model\n", "no row");
    refused_file("name,model\nm*,\n", ":2: a name or a model is missing");
    refused_file("name,model,class\nm*,llama-2-7b,chatt\n", "class 'chatt' has no SLO");
    refused_file("name,model\nm*,llama-2-7b\nm*,yi-34b\n", ":3: m* stands there twice");
}

static void say(struct bench *b, const char *key, const char *value) {
    hd_asked_add(&b->asked, hd_option_of_key(key, HD_FOR_COMPARE), NULL, NULL, value,
                 HD_FROM_OPTION, "--type");
}

/* What a map or a file says of numbers wins over the run's. */
static void numbers_are_kept_as_said(void **state) {
    (void)state;
    struct bench b;
    struct hd_err err = {0};
    struct hd_engines *engines = hd_engines_load(&err);
    assert_non_null(engines);
    put_file("name,model,dtype,kv_dtype\n"
             "m00,llama-2-70b,fp8,\n"
             "m01,llama-2-7b/kv-bf16,,\n"
             "m02,llama-2-7b/bf16,BF16,fp8\n"
             "m03,llama-2-7b,,fp16\n");
    begin(&b, 5, "m%02d");
    b.r.question.engine = hd_engines_find(engines, "vllm", &err);
    map(&b, file);
    map(&b, "*=llama-2-7b/fp8/kv-fp8/tp2");
    assert_true(resolve(&b));
    assert_string_equal(model(&b, 0), "meta-llama/Llama-2-70b/fp8");
    assert_int_equal(b.r.question.model[0].tp, 2); /* 70 GB, not 138 */
    assert_string_equal(model(&b, 1), "meta-llama/Llama-2-7b");
    assert_string_equal(model(&b, 2), "meta-llama/Llama-2-7b/kv-fp8");
    assert_string_equal(model(&b, 3), "meta-llama/Llama-2-7b");
    assert_string_equal(model(&b, 4), "meta-llama/Llama-2-7b/fp8/kv-fp8");
    assert_int_equal(b.r.question.model[4].tp, 2);
    say(&b, "serving.type", "fp8");
    say(&b, "serving.kv_type", "fp8");
    assert_true(resolve(&b));
    assert_string_equal(model(&b, 0), "meta-llama/Llama-2-70b/fp8/kv-fp8");
    assert_string_equal(model(&b, 1), "meta-llama/Llama-2-7b/fp8");
    assert_string_equal(model(&b, 2), "meta-llama/Llama-2-7b/kv-fp8");
    assert_string_equal(model(&b, 3), "meta-llama/Llama-2-7b/fp8");
    say(&b, "serving.type", "int8");
    refused(&b, HD_EXIT_USAGE, "'int8' is unknown; expected bf16, fp16 or fp8");
    put_file("name,model,dtype\nm*,llama-2-7b/bf16,fp8\n");
    begin(&b, 2, "m%02d");
    map(&b, file);
    refused(&b, HD_EXIT_BAD, ":2: meta-llama/Llama-2-7b beside 'fp8'");
    begin(&b, 2, "m%02d");
    b.r.question.engine = hd_engines_find(engines, "eager-2024", &err);
    map(&b, "*=llama-2-7b/fp8");
    refused(&b, HD_EXIT_BAD, "--models: meta-llama/Llama-2-7b/fp8: engine eager-2024");
    hd_engines_free(engines);
}

static int set_up(void **state) {
    (void)state;
    struct hd_err err = {0};
    int fd = mkstemp(file);
    if (fd >= 0) close(fd);
    catalog = hd_catalog_load(&err);
    return fd < 0 || !catalog;
}

static int tear_down(void **state) {
    (void)state;
    hd_catalog_free(catalog);
    return unlink(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deck_keeps_its_proportion),
        cmocka_unit_test(remainders_are_shared_out),
        cmocka_unit_test(order_repeats_the_list),
        cmocka_unit_test(the_closest_rule_wins),
        cmocka_unit_test(parallelism_fits_the_gpu),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(files_are_read),
        cmocka_unit_test(numbers_are_kept_as_said),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
