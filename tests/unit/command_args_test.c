/* Options against their table: what is read, what is refused and in which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command/options.h"

static struct hd_args args;
static struct hd_problem problem;

/* Parses words for compare; the last one is NULL. */
static bool parse(const char *first, ...) {
    static char *words[32];
    int count = 0;
    va_list more;
    words[count++] = (char *)"compare";
    va_start(more, first);
    for (const char *w = first; w; w = va_arg(more, const char *))
        words[count++] = (char *)w;
    va_end(more);
    hd_args_free(&args);
    problem = (struct hd_problem){0};
    return hd_args_parse(hd_options, hd_options_count, HD_FOR_COMPARE, count, words,
                         &args, &problem);
}

static void refused(const char *text) {
    assert_int_equal(problem.exit_code, HD_EXIT_USAGE);
    if (!strstr(problem.err.text, text))
        fail_msg("'%s' does not say '%s'", problem.err.text, text);
}

static void values_come_both_ways(void **state) {
    (void)state;
    assert_true(parse("--trace", "a.csv", "--gpu=H100", "--json", NULL));
    assert_string_equal(hd_args_get(&args, "trace"), "a.csv");
    assert_string_equal(hd_args_get(&args, "gpu"), "H100");
    assert_string_equal(hd_args_get(&args, "json"), "");
    assert_null(hd_args_get(&args, "csv"));
    assert_true(parse("--models=a=b", "--models", "c=d", "--", "--json", NULL));
    assert_string_equal(args.given[0].value, "a=b");
    assert_string_equal(hd_args_get(&args, "models"), "c=d");
    assert_int_equal(args.words, 1);
    assert_string_equal(args.word[0], "--json");
}

static void slips_name_the_nearest(void **state) {
    (void)state;
    assert_false(parse("--polcy", "aegaeon", NULL));
    refused("--polcy: no such option; the nearest is --policy");
    assert_false(parse("--xyzzyx", "1", NULL));
    refused("lists them");
    assert_false(parse("-o", "x", NULL));
    refused("options begin with --");
    /* An option of replay alone. */
    assert_false(parse("--fleet", "H100:8", NULL));
    refused("--fleet: no such option");
}

static void values_must_be_there_once(void **state) {
    (void)state;
    assert_false(parse("--trace", NULL));
    refused("--trace: needs a value: --trace FILE");
    assert_false(parse("--trace", "--json", NULL));
    refused("--trace: needs a value");
    assert_false(parse("--trace=", NULL));
    refused("the value is empty");
    assert_false(parse("--json=yes", NULL));
    refused("--json: takes no value");
    assert_false(parse("--gpu", "H100", "--gpu", "A10", NULL));
    refused("--gpu: given twice");
}

/* What later versions will have must not pass for something that acts. */
static void later_options_are_refused(void **state) {
    (void)state;
    static const char *const later[] = {"--replicates", "--tune",    "--vary",
                                        "--budget",     "--dry-run", "--mechanisms"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        assert_false(parse(later[i], NULL));
        refused("no such option");
    }
}

static void help_comes_first(void **state) {
    (void)state;
    assert_true(parse("--nonsense", "--help", NULL));
    assert_true(args.help);
}

/* Each option stands in the help of its command and is explained. */
static void help_shows_every_option(void **state) {
    (void)state;
    static const struct hd_help help = {"u", "d", {"one", "two"}};
    for (unsigned command = HD_FOR_REPLAY; command <= HD_FOR_COMPARE; command++) {
        char *text = NULL;
        size_t length = 0;
        FILE *out = open_memstream(&text, &length);
        hd_args_help(out, &help, hd_options, hd_options_count, command);
        fclose(out);
        for (int i = 0; i < hd_options_count; i++) {
            const struct hd_option *o = &hd_options[i];
            if (!o->name || !(o->commands & command)) continue;
            char name[64];
            snprintf(name, sizeof name, "  --%s", o->name);
            assert_non_null(strstr(text, name));
            assert_true(strlen(o->help) > 5);
        }
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            if (strlen(line) > 90) fail_msg("too wide: %s", line);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_both_ways),
        cmocka_unit_test(slips_name_the_nearest),
        cmocka_unit_test(values_must_be_there_once),
        cmocka_unit_test(later_options_are_refused),
        cmocka_unit_test(help_comes_first),
        cmocka_unit_test(help_shows_every_option),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    hd_args_free(&args);
    return failed;
}
