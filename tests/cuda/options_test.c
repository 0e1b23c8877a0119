/* The command line: what is understood, and what each mistake is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "options.h"

static const char *const known[] = {"hbm", "copies", "gemm"};
enum { KNOWN = 3, WORDS = 8 };

/* Parses words separated by one blank. */
static bool parse(struct options *o, const char *line, char *err_text) {
    static char text[256];
    struct hd_err err = {0};
    char *argv[WORDS] = {"hotdesk-bench"}, *rest = text, *word;
    int argc = 1;
    strcpy(text, line);
    while (argc < WORDS && (word = strsep(&rest, " "))) argv[argc++] = word;
    bool ok = options_parse(o, line[0] ? argc : 1, argv, known, KNOWN, &err);
    strcpy(err_text, err.text);
    return ok;
}

static void understood(void **state) {
    (void)state;
    struct options o;
    char err[1024];
    assert_true(parse(&o, "", err));
    assert_false(o.quick || o.list || o.help);
    assert_float_equal(o.budget_s, 1500, 1e-9F);
    assert_int_equal(o.seed, 1);
    assert_true(options_want(&o, "copies"));
    assert_true(parse(&o, "--quick --output=a.csv --gpu X-1 --seed 7", err));
    assert_float_equal(o.budget_s, 240, 1e-9F);
    assert_string_equal(o.output, "a.csv");
    assert_string_equal(o.gpu, "X-1");
    assert_int_equal(o.seed, 7);
    assert_true(parse(&o, "--budget 90 --list", err));
    assert_float_equal(o.budget_s, 90, 1e-9F);
    assert_true(o.list);
    assert_true(parse(&o, "--budget 2.5m --help", err));
    assert_float_equal(o.budget_s, 150, 1e-9F);
    assert_true(o.help);
}

static void only_some(void **state) {
    (void)state;
    struct options o;
    char err[1024];
    assert_true(parse(&o, "--only gemm,hbm --only gemm", err));
    assert_int_equal(o.only, 2);
    assert_true(options_want(&o, "gemm"));
    assert_true(options_want(&o, "hbm"));
    assert_false(options_want(&o, "copies"));
}

static void mistakes(void **state) {
    (void)state;
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"--bugdet 3", "--bugdet: no such option; the nearest is --budget"},
        {"--zzzzzzzzzz", "--zzzzzzzzzz: no such option; --help lists them"},
        {"hbm", "hbm: expected an option; --help lists them"},
        {"--", "--: expected an option; --help lists them"},
        {"--budget", "--budget: expected --budget SECONDS"},
        {"--budget 3x",
         "--budget: '3x' is not a quantity; expected a number and one of "
         "ns us ms s m h d"},
        {"--budget 0", "--budget: '0' is no time to measure in; expected seconds above "
                       "0"},
        {"--budget none", "--budget: 'none' is no time to measure in; expected seconds "
                          "above 0"},
        {"--only copie", "--only copie: no such quantity; the nearest is copies"},
        {"--only xxxxxxx", "--only xxxxxxx: no such quantity; --list prints them"},
        {"--only gemm,", "--only : no such quantity; --list prints them"},
        {"--seed -1", "--seed: -1 lies outside 0 to 1000000000"},
        {"--seed 1 --seed 1", "--seed: given twice; once is enough"},
        {"--quick=1", "--quick takes no value"},
        {"--gpu a,b", "--gpu: 'a,b' is no name"},
        {"--output=", "--output: expected the name of a file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct options o;
        char err[1024];
        assert_false(parse(&o, cases[i].line, err));
        assert_string_equal(err, cases[i].says);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understood),
        cmocka_unit_test(only_some),
        cmocka_unit_test(mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
