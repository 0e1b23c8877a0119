/* Scenario files: what they may hold, what options do to it, and that the printed
 * scenario says the same again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "command/scenario.h"

static char folder[] = P_tmpdir "/hd_scenario_XXXXXX";
static char path[64];
static struct hd_problem problem;

static void write_text(const char *text) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool read_text(struct hd_asked *asked, unsigned command, const char *text) {
    problem = (struct hd_problem){0};
    write_text(text);
    hd_asked_init(asked, command);
    return hd_scenario_read(asked, path, &problem);
}

static void options(struct hd_asked *asked, int argc, const char **argv) {
    struct hd_args args;
    problem = (struct hd_problem){0};
    assert_true(hd_args_parse(hd_options, hd_options_count, asked->command, argc,
                              (char **)argv, &args, &problem));
    assert_true(hd_asked_options(asked, &args, &problem));
    hd_args_free(&args);
}

static const char *value(struct hd_asked *asked, const char *key, const char *name,
                         const char *field) {
    const struct hd_setting *s = hd_asked_find(asked, key, name, field);
    return s ? s->value : NULL;
}

static void refused(const char *text, const char *message) {
    struct hd_asked asked;
    assert_false(read_text(&asked, HD_FOR_COMPARE, text));
    assert_int_equal(problem.exit_code, HD_EXIT_BAD);
    if (!strstr(problem.err.text, message) || !strstr(problem.err.text, path))
        fail_msg("'%s' does not name the file and '%s'", problem.err.text, message);
    hd_asked_free(&asked);
}

static const char whole[] =
    "return {\n"
    "  trace = {file = 'day.csv', from = '13:00', to = '15:00', sort = true},\n"
    "  models = {'m_*=qwen2.5-7b:6,llama-2-13b:2', m1 = 'llama-2-70b/tp4',\n"
    "            m2 = {model = 'llama-2-7b', tp = 2, class = 'chat'}},\n"
    "  slo = {classes = {chat = {ttft = '2s', tbt = '60ms', attain = 0.99}},\n"
    "         metric = 'token', pass = {'model', 'pooled'}},\n"
    "  node = {H100 = {gpus = 4, pcie = '25GB/s'}, dram = '1TB'},\n"
    "  fleet = {today = 'H100:8', mixed = 'H100:8+A10:16'},\n"
    "  gpu = 'H100', attain = {0.9, 0.99}, slo_scale = {1, 0.5},\n"
    "  policies = {'dedicated', 'mine/x.lua', 'aegaeon{slice_s=2,group=4}'},\n"
    "  set = {slice_s = 2.5, aegaeon = {group = 4}},\n"
    "  window = {warm_up = '0s'}, seed = 7,\n"
    "  serving = {chunk = 512}, switching = {prefetch = false},\n"
    "  require = {'pass'},\n"
    "}\n";

static void all_keys_are_read(void **state) {
    (void)state;
    struct hd_asked a;
    char expected[128];
    assert_true(read_text(&a, HD_FOR_COMPARE, whole));
    snprintf(expected, sizeof expected, "%s/day.csv", folder);
    assert_string_equal(value(&a, "trace.file", NULL, NULL), expected);
    assert_string_equal(value(&a, "trace.sort", NULL, NULL), "yes");
    assert_string_equal(value(&a, "models", "m1", "model"), "llama-2-70b/tp4");
    assert_string_equal(value(&a, "models", "m2", "tp"), "2");
    assert_string_equal(value(&a, "slo.classes", "chat", "tbt"), "60ms");
    assert_string_equal(value(&a, "slo.pass", NULL, NULL), "model,pooled");
    assert_string_equal(value(&a, "node", "H100", "pcie"), "25GB/s");
    assert_string_equal(value(&a, "node", NULL, "dram"), "1TB");
    assert_string_equal(value(&a, "fleet", "mixed", NULL), "H100:8+A10:16");
    assert_string_equal(value(&a, "attain", NULL, NULL), "0.9,0.99");
    assert_string_equal(value(&a, "set", NULL, "slice_s"), "2.5");
    assert_string_equal(value(&a, "set", "aegaeon", "group"), "4");
    assert_string_equal(value(&a, "switching.prefetch", NULL, NULL), "no");
    assert_string_equal(value(&a, "policy", NULL, NULL), "aegaeon{slice_s=2,group=4}");
    assert_string_equal(value(&a, "serving.max_batch", NULL, NULL), "256");
    const struct hd_setting *s = hd_asked_find(&a, "serving.chunk", NULL, NULL);
    snprintf(expected, sizeof expected, "%s:13: serving.chunk", path);
    assert_string_equal(s->place, expected);
    hd_asked_free(&a);
}

static void options_override(void **state) {
    (void)state;
    struct hd_asked a;
    assert_true(read_text(&a, HD_FOR_COMPARE, whole));
    const char *words[] = {
        "compare",         "--slo",        "ttft=1s,tbt=none", "--attain", "99%",
        "--models",        "x=llama-2-7b", "--policy",         "a,b{c=d}", "--set",
        "aegaeon.group=6", "--node",       "H100.pcie=30GB/s"};
    options(&a, 13, words);
    assert_string_equal(value(&a, "slo.ttft", NULL, NULL), "1s");
    assert_string_equal(value(&a, "slo.tbt", NULL, NULL), "none");
    assert_null(hd_asked_said(&a, "slo.classes", "chat", "ttft"));
    assert_string_equal(value(&a, "attain", NULL, NULL), "99%");
    assert_null(hd_asked_said(&a, "models", "m1", "model"));
    assert_string_equal(value(&a, "models", NULL, NULL), "x=llama-2-7b");
    assert_string_equal(value(&a, "policy", NULL, NULL), "b{c=d}");
    assert_string_equal(value(&a, "set", "aegaeon", "group"), "6");
    assert_string_equal(value(&a, "set", NULL, "slice_s"), "2.5"); /* stays */
    assert_string_equal(value(&a, "node", "H100", "pcie"), "30GB/s");
    assert_string_equal(value(&a, "node", "H100", "gpus"), "4");
    hd_asked_free(&a);
}

/* Settings as the printed scenario, read again, printed again: the same text. */
static void what_is_printed_says_the_same(void **state) {
    (void)state;
    for (unsigned command = HD_FOR_REPLAY; command <= HD_FOR_COMPARE; command++) {
        struct hd_asked a, b;
        assert_true(read_text(&a, command, whole));
        if (command == HD_FOR_REPLAY) {
            const char *words[] = {"replay", "--fleet", "mixed"};
            options(&a, 3, words);
        }
        char *first = hd_scenario_text(&a, false, path);
        assert_true(read_text(&b, command, first));
        char *again = hd_scenario_text(&b, false, path);
        assert_string_equal(first, again);
        assert_int_equal(strstr(first, "H100:8+A10:16") != NULL,
                         command == HD_FOR_REPLAY);
        assert_non_null(strstr(first, "max_batch = \"256\""));
        assert_non_null(strstr(first, "seed = \"7\""));
        free(first);
        free(again);
        hd_asked_free(&a);
        hd_asked_free(&b);
    }
}

static void origins_are_shown(void **state) {
    (void)state;
    struct hd_asked a;
    assert_true(read_text(&a, HD_FOR_COMPARE, "return {gpu = 'H100'}"));
    const char *words[] = {"compare", "--seed", "3"};
    options(&a, 3, words);
    char *text = hd_scenario_text(&a, true, NULL), expected[128];
    snprintf(expected, sizeof expected, "-- %s:1: gpu\n", path);
    assert_non_null(strstr(text, expected));
    assert_non_null(strstr(text, "-- --seed\n"));
    assert_non_null(strstr(text, "metric = \"token\","));
    assert_non_null(strstr(text, "-- default\n"));
    free(text);
    hd_asked_free(&a);
}

static void mistakes_name_file_and_line(void **state) {
    (void)state;
    refused("return {\n  atain = 0.9}", ":2: atain: no such setting; the nearest is "
                                        "attain");
    refused("return {slo = {tfft = '1s'}}", "the nearest is ttft");
    refused("return {vary = {}}", "belongs to a later version");
    refused("return {replicates = {count = 3}}", "belongs to a later version");
    refused("return {window = {train = '0h-1h'}}", "belongs to a later version");
    refused("return {slo = {ttft = '1s', classes = {a = {ttft = '1s', tbt = '1s'}}}}",
            "stands beside slo.classes");
    refused("return {slo = {classes = {a = {ttft = '1s'}}}}", "lacks a limit");
    refused("return {models = {m = {tp = 2}}}", "names no model");
    refused("return {node = {H100 = {pci = '1GB/s'}}}", "pcie");
    refused("return {attain = {}}", "expected one value or a list");
    refused("return {seed = {a = 1}}", "expected one value or a list");
    refused("return 3", "");
    refused("return {", "");
}

static int set_up(void **state) {
    (void)state;
    if (!mkdtemp(folder)) return 1;
    snprintf(path, sizeof path, "%s/s.lua", folder);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_keys_are_read),
        cmocka_unit_test(options_override),
        cmocka_unit_test(what_is_printed_says_the_same),
        cmocka_unit_test(origins_are_shown),
        cmocka_unit_test(mistakes_name_file_and_line),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
