/* What a policy's file declares, what of it is refused, and setting parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy_world.h"

#define START "start = function() end"

static void refuse(const char *source, const char *want) {
    char text[1024];
    struct hd_script *s = policy_script(source, text, sizeof text);
    if (s) fail_msg("accepted: %s", source);
    if (!strstr(text, want))
        fail_msg("%s\n  gave      '%s'\n  expected  '%s'", source, text, want);
    assert_null(strchr(text, '\n'));
}

static void test_what_is_refused(void **state) {
    (void)state;
    refuse("return {", "t.lua:1: ");
    refuse("", "t.lua: returns a nil; expected the policy's table");
    refuse("return setmetatable({}, {__index = function() error('x') end})",
           "t.lua: the policy's table has a metatable");
    refuse("return {about = 'x'}", "t.lua: has no `start`");
    refuse("local P = {about = 'x', " START "}\nfunction P.arive(req) end\nreturn P",
           "arive: is no part of a policy; nearest: arrive");
    refuse(
        "return {about = 'x', " START ",\n helper = 3}",
        "t.lua:2: helper: is no part of a policy; helper functions and data belong in "
        "locals");
    refuse("return {about = 'x', start = 3}", "t.lua:1: start: is a number; expected a "
                                              "function");
    refuse("return {about = 'x', " START ", 7}", "an entry without a name");
    refuse("return {about = 3, " START "}",
           "t.lua:1: about: expected a text of one line");
    refuse("return {about = 'x', " START ", tick = function() end}",
           "tick: needs period_s");
    refuse("return {about = 'x', " START ", period_s = 1}", "but there is no `tick`");
    refuse("return {about = 'x', " START ", tick = function() end, period_s = 1e-4}",
           "period_s: expected seconds between ticks, 0.001 to 1000000");
    refuse("return {about = 'x', " START ", oracle = {'future'}}",
           "oracle: has 'future'; expected \"output\" or \"rates\"");
    refuse("return {about = 'x', " START ", clairvoyant = 1}",
           "clairvoyant: is a number; expected true or false");
    refuse("return {about = 'x', " START ", params = 3}", "params: is a number");
    refuse("return {about = 'x', " START ", params = {3}}",
           "an entry is not called by");
    refuse("return {about = 'x', " START ",\n params = {\n  a = 3}}",
           "t.lua:3: params.a: is a number; expected {default, \"what it is\"}");
    refuse("return {about = 'x', " START ",\n params = {\n  a = {3}}}",
           "t.lua:3: params.a: has no help text");
    refuse("return {about = 'x', " START ", params = {a = {print, 'h'}}}",
           "params.a: its default is a function");
    refuse("return {about = 'x', " START ", params = {a = {0/0, 'h'}}}", "NaN");
    refuse("return {about = 'x', " START ", params = {a = {3, 'h', least = 2}}}",
           "params.a: has an entry 'least'; expected default, help, min, max or among");
    refuse("return {about = 'x', " START ", params = {a = {3, 'h', min = 4}}}",
           "params.a: its default lies outside its range");
    refuse("return {about = 'x', " START ", params = {a = {true, 'h', min = 4}}}",
           "params.a: has a min, but its default is true or false");
    refuse("return {about = 'x', " START ", params = {a = {3, 'h', max = 'z'}}}",
           "params.a: max is a string; expected a number");
    refuse("return {about = 'x', " START ", params = {a = {3, 'h', among = {'z'}}}}",
           "params.a: among: expected an array of texts, for a default that is one");
    refuse("return {about = 'x', " START ", params = {a = {'y', 'h', among = {'z'}}}}",
           "params.a: its default 'y' is not among its texts");
    refuse("return {about = 'x', " START
           ", params = {a = {'y', 'h', among = {'y', 1}}}}",
           "params.a: among: has a number; expected texts");
    refuse("while true do end", "t.lua:1: does not end");
    refuse("local x = pool.now", "t.lua:1: fields can be read only inside callbacks");
    refuse("local x = set.a", "t.lua:1: set.a: only inside callbacks");
    refuse("pool:form{role = 'a'}", "t.lua:1: form: only inside callbacks");
    refuse("os.exit(0)", "t.lua:1: attempt to index a nil value (global 'os')");
    refuse("\033Lua", "t.lua: is not a text file");
    struct hd_err err = {""};
    assert_null(hd_script_load("aegeon", &err));
    assert_string_equal(err.text, "policy `aegeon`: there is none; nearest: aegaeon");
    err.text[0] = '\0';
    assert_null(hd_script_load("quantum-annealer", &err));
    assert_non_null(strstr(err.text, "there are: aegaeon, dedicated, muxserve, prism"));
    err.text[0] = '\0';
    assert_null(hd_script_load("no/such.lua", &err));
    assert_string_equal(err.text, "no/such.lua: No such file or directory");
}

static const char declared[] =
    "local P = {about = 'all kinds', clairvoyant = true, period_s = 2.5,\n"
    "  params = {whole = {4, 'w', min = 1, max = 9}, number = {0.5, 'n', min = 0},\n"
    "            flag = {true, 'f'}, text = {'abc', 't', among = {'abc', 'x, y=z'}}, "
    "long = {math.huge, 'l'}}}\n"
    "function P.start() return table.concat({set.whole, set.number, "
    "tostring(set.flag),\n"
    "  set.text, set.long, math.type(set.whole), math.type(set.number)}, ' ') end\n"
    "function P.tick() end\n"
    "return P\n";

static void test_declarations(void **state) {
    (void)state;
    char text[1024];
    struct hd_script *s = policy_script(declared, text, sizeof text);
    if (!s) fail_msg("%s", text);
    assert_string_equal(s->name, "t");
    assert_string_equal(s->path, "t.lua");
    assert_string_equal(s->about, "all kinds");
    assert_true(s->sees_output && s->sees_rates && s->clairvoyant);
    assert_true(s->period_s == 2.5);
    assert_int_equal(s->params, 5);
    static const char *const names[] = {"flag", "long", "number", "text", "whole"};
    static const enum hd_param_type types[] = {HD_PARAM_BOOLEAN, HD_PARAM_NUMBER,
                                               HD_PARAM_NUMBER, HD_PARAM_TEXT,
                                               HD_PARAM_WHOLE};
    for (int n = 0; n < 5; n++) {
        assert_string_equal(s->param[n].name, names[n]);
        assert_int_equal(s->param[n].type, types[n]);
    }
    assert_true(s->param[4].has_min && s->param[4].min == 1 && s->param[4].max == 9);
    assert_true(s->param[2].has_min && !s->param[2].has_max);
    assert_string_equal(s->source, declared);
    assert_int_equal(strlen(s->sha256), 64);
    hd_script_free(s);
    s = policy_script("return {start = print}", text, sizeof text);
    assert_non_null(s);
    assert_false(s->sees_output || s->sees_rates || s->clairvoyant);
    hd_script_free(s);
    s = policy_script("return {about = '', start = print, oracle = {'rates'}}", text,
                      sizeof text);
    assert_true(s->sees_rates && !s->sees_output && !s->clairvoyant);
    hd_script_free(s);
}

static void test_setting(void **state) {
    (void)state;
    char text[1024];
    struct hd_script *s = policy_script(declared, text, sizeof text);
    assert_non_null(s);
    struct hd_param_values *v = hd_values_new(s);
    struct policy_outcome o = policy_run(s, v, WORLD_BURST, false);
    assert_int_equal(o.end, HD_RUN_CANNOT);
    assert_string_equal(o.text, "4 0.5 true abc inf integer float");
    static const char *const good[][2] = {{"whole", "9"},
                                          {"number", "60"},
                                          {"flag", "false"},
                                          {"text", "x, y=z"},
                                          {"long", "1e-3"}};
    struct hd_err err = {""};
    for (size_t n = 0; n < sizeof good / sizeof *good; n++)
        if (!hd_script_set(s, v, good[n][0], good[n][1], &err))
            fail_msg("%s", err.text);
    o = policy_run(s, v, WORLD_BURST, false);
    assert_string_equal(o.text, "9 60.0 false x, y=z 0.001 integer float");
    static const char *const texts[] = {"false", "0.001", "60", "x, y=z", "9"};
    for (int n = 0; n < 5; n++) {
        char *value = hd_value_of(s, v, n);
        assert_string_equal(value, texts[n]);
        assert_true(
            hd_script_set(s, v, s->param[n].name, value, &err)); /* reads back */
        free(value);
    }
    assert_true(hd_script_set(s, v, "long", "inf", &err));
    static const char *const bad[][3] = {
        {"whole", "2.5", "whole: '2.5'; expected a whole number"},
        {"whole", "10", "whole: 10 is out of range; expected 1 to 9"},
        {"whole", "inf", "whole: 'inf' is not a number; expected a whole number"},
        {"number", "-1", "number: -1 is out of range; expected 0 to inf"},
        {"number", "4s", "number: '4s' is not a number; expected a number"},
        {"number", "nan", "number: 'nan' is not a number; expected a number"},
        {"text", "ab", "text: 'ab'; expected one of: abc, x, y=z"},
        {"flag", "1", "flag: '1'; expected true or false"},
        {"wole", "3",
         "wole: policy `t` has no such parameter; it has: flag, long, number, text, "
         "whole"}};
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        err.text[0] = '\0';
        assert_false(hd_script_set(s, v, bad[n][0], bad[n][1], &err));
        assert_string_equal(err.text, bad[n][2]);
    }
    hd_values_free(s, v);
    hd_script_free(s);
}

static void test_shipped_names(void **state) {
    (void)state;
    int count;
    char **name = hd_script_names(&count);
    assert_true(count >= 3);
    for (int n = 0; n < count; n++) {
        struct hd_err err = {""};
        struct hd_script *s = hd_script_load(name[n], &err);
        if (!s) fail_msg("%s", err.text);
        assert_string_equal(s->name, name[n]);
        assert_true(n == count - 1 || strcmp(name[n], name[n + 1]) < 0);
        assert_int_equal(strncmp(s->path, "policies/", 9), 0);
        hd_script_free(s);
        free(name[n]);
    }
    free(name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_refused), cmocka_unit_test(test_declarations),
        cmocka_unit_test(test_setting), cmocka_unit_test(test_shipped_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
