/* The catalogue of engine profiles: what ships, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "hardware/engines.h"

static const char header[] =
    "engine,aliases,async,tables,graph,step_us,sequence_us,layer_us,front_ms,"
    "front_sequence_ms,max_batch,step_tokens,chunked,prefix_cache,gpu_memory,watermark,"
    "measured,"
    "published,assumed,source\n";

static const char provenance[] =
    "step_us,async tables graph sequence_us layer_us front_ms front_sequence_ms,"
    "max_batch step_tokens chunked prefix_cache gpu_memory watermark,made up\n";

/* What is wrong with a file of this row; "" for nothing. The caller frees it. */
static char *said_of(const char *row) {
    char path[] = P_tmpdir "/hd_engines_XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    FILE *f = fdopen(file, "w");
    fprintf(f, "%s%s", header, row);
    fclose(f);
    struct hd_err err = {0};
    struct hd_engines *e = hd_engines_read(path, &err);
    hd_engines_free(e);
    remove(path);
    assert_true((e == NULL) == (*err.text != '\0'));
    const char *rest =
        strncmp(err.text, path, strlen(path)) ? err.text : err.text + strlen(path);
    return hd_strdup(rest);
}

static void refused(const char *values, const char *more, const char *why) {
    char *row = hd_format("%s,%s", values, more);
    char *said = said_of(row);
    if (!strstr(said, why)) fail_msg("'%s' of: %s", said, row);
    free(said);
    free(row);
}

static void wrong_rows_are_refused(void **state) {
    (void)state;
    static const char fine[] = "e,x y,yes,yes,yes,5,1,0,1,0,256,2048,yes,yes,0.9,0";
    char *row = hd_format("%s,%s", fine, provenance);
    char *said = said_of(row);
    assert_string_equal(said, "");
    free(said);
    free(row);
    refused("e,,yes,yes,yes,5 us,1,0,1,0,256,2048,yes,yes,0.9,0", provenance,
            ":2: step_us");
    refused("e,,yes,yes,yes,-5,1,0,1,0,256,2048,yes,yes,0.9,0", provenance, "below 0");
    refused("e,,yes,no,yes,5,1,0,1,0,256,2048,yes,yes,0.9,0", provenance,
            "host times of a step are in the fitted iterations");
    refused("e,,yes,yes,yes,5,1,2,1,0,256,2048,yes,yes,0.9,0", provenance,
            "a graph has no launches");
    refused("e,,yes,yes,yes,5,1,0,1,0,256,128,yes,yes,0.9,0", provenance,
            "step_tokens below max_batch");
    refused("e,,yes,yes,yes,5,1,0,1,0,256,2048,yes,yes,1.5,0", provenance,
            "gpu_memory");
    refused("e,,maybe,yes,yes,5,1,0,1,0,256,2048,yes,yes,0.9,0", provenance,
            "expected yes or no");
    refused("e,E,yes,yes,yes,5,1,0,1,0,256,2048,yes,yes,0.9,0", provenance,
            "stands for two rows");
    refused(fine, "async,,,made up\n", ":2: tables of e stands 0 times");
    refused(fine, "async,async,,made up\n", "async of e stands 2 times");
    refused(fine,
            "step_us,async tables graph sequence_us layer_us front_ms "
            "front_sequence_ms,max_batch step_tokens chunked prefix_cache gpu_memory "
            "watermark "
            "colour,made up\n",
            "names what is no constant");
}

static void what_ships_is_found_by_name_and_alias(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_engines *e = hd_engines_load(&err);
    assert_non_null(e);
    const struct hd_engine_profile *p = hd_engines_find(e, "VLLM-0.19", &err);
    assert_non_null(p);
    assert_string_equal(p->name, "vllm-0.14-async");
    assert_true(p->async && p->chunked);
    assert_string_equal(hd_engine_provenance(p, "step_us"), "measured");
    assert_string_equal(hd_engine_provenance(p, "front_ms"), "assumed");
    assert_int_equal(strlen(p->revision), 12);
    assert_null(hd_engines_find(e, "vllm-0.19x", &err));
    assert_non_null(strstr(err.text, "the nearest is vllm-0.19"));
    hd_engines_free(e);
}

/* What is served without a word about the engine is what it was before there were any
 * profiles. */
static void the_default_is_what_the_engine_does_by_itself(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_engines *e = hd_engines_load(&err);
    assert_non_null(e);
    const struct hd_engine_profile *p = hd_engines_find(e, HD_ENGINE_DEFAULT, &err);
    struct hd_serving s = hd_serving_default();
    assert_non_null(p);
    assert_int_equal(p->max_batch, s.max_batch);
    assert_int_equal(p->step_tokens, s.prefill_tokens);
    assert_int_equal(p->chunked, s.chunk_tokens > 0);
    assert_int_equal(p->async, s.async);
    assert_true(p->watermark == s.watermark && p->front_s == s.front_s);
    assert_true(p->step_s + p->sequence_s + p->layer_s + p->front_sequence_s == 0);
    hd_engines_free(e);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_rows_are_refused),
        cmocka_unit_test(what_ships_is_found_by_name_and_alias),
        cmocka_unit_test(the_default_is_what_the_engine_does_by_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
