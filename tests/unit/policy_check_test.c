/* The shipped policies and the manual's example on the miniature workloads; what the
 * check says of unsound ones; and that looking changes nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/check.h"
#include "policy_world.h"

static const char *const shipped[] = {
    "dedicated", "serverless", "aegaeon", "serverless-plus",
    "timeslice", "muxserve",   "prism"};
enum { SHIPPED = sizeof shipped / sizeof *shipped };

static void expect_sound(const struct hd_script *s, int refused) {
    struct hd_check c;
    struct hd_err err = {""};
    if (!hd_check_policy(s, NULL, false, &c, &err)) fail_msg("%s", err.text);
    for (int n = 0; n < c.workloads; n++)
        if (c.result[n].ran && !c.result[n].passed)
            fail_msg("%s: %s: %d lost, %d starved; %s", s->name, c.result[n].name,
                     c.result[n].lost, c.result[n].starved, c.result[n].note.text);
    assert_int_equal(c.workloads, HD_CHECK_WORKLOADS);
    assert_int_equal(c.refused, refused);
    assert_int_equal(c.passed, HD_CHECK_WORKLOADS - refused);
    assert_int_equal(c.lost + c.starved, 0);
    /* muxserve: beside other models' weights two of the largest never fit */
    assert_int_equal(c.rejected, strcmp(s->name, "muxserve") == 0 ? 2 : 0);
    for (int n = 0; n < c.workloads; n++) /* nobody is counted twice or not at all */
        if (c.result[n].ran)
            assert_int_equal(c.result[n].requests, c.result[n].done +
                                                       c.result[n].too_long +
                                                       c.result[n].rejected);
    assert_int_equal(c.result[WORLD_LARGE].too_long, 3);
}

static void test_shipped_policies_pass(void **state) {
    static const int refused[SHIPPED] = {2, 0, 1, 0, 0, 0, 0};
    (void)state;
    for (int n = 0; n < SHIPPED; n++) {
        struct hd_err err = {""};
        struct hd_script *s = hd_script_load(shipped[n], &err);
        if (!s) fail_msg("%s", err.text);
        bool oracle = strcmp(s->name, "serverless-plus") == 0;
        bool rates = oracle || strcmp(s->name, "muxserve") == 0;
        assert_true(s->clairvoyant == oracle && s->sees_output == oracle &&
                    s->sees_rates == rates);
        expect_sound(s, refused[n]);
        hd_script_free(s);
    }
}

/* The first ```lua block of the manual that returns a policy. */
static void test_example_of_the_manual(void **state) {
    (void)state;
    char *manual = policy_file("policies/README.md"), text[1024];
    char *begin = strstr(manual, "```lua\nlocal P");
    assert_non_null(begin);
    begin += strlen("```lua\n");
    char *end = strstr(begin, "```");
    assert_non_null(end);
    *end = '\0';
    int lines = 0;
    for (char *c = begin; *c; c++) lines += *c == '\n';
    assert_in_range(lines, 8, 20); /* "a dozen lines" */
    struct hd_script *s = policy_script(begin, text, sizeof text);
    if (!s) fail_msg("%s", text);
    expect_sound(s, 0);
    hd_script_free(s);
    free(manual);
}

/* Whatever is read, and one iteration at a time or not: the same to the last bit. */
static void test_looking_changes_nothing(void **state) {
    (void)state;
    char *reader = policy_file("tests/policies/read_all.lua"), text[1024];
    for (int n = 0; n < SHIPPED; n++) {
        char *source = policy_extended(shipped[n], ""),
             *watched = policy_extended(shipped[n], reader);
        struct hd_script *plain = policy_script(source, text, sizeof text);
        if (!plain) fail_msg("%s", text);
        struct hd_script *looks = policy_script(watched, text, sizeof text);
        if (!looks) fail_msg("%s", text);
        for (int w = 0; w < WORLD_COUNT; w++) {
            struct policy_outcome a = policy_run(plain, NULL, w, false),
                                  b = policy_run(looks, NULL, w, false),
                                  c = policy_run(looks, NULL, w, true);
            if (a.digest != b.digest || b.digest != c.digest || a.end != c.end)
                fail_msg("%s, workload %d: differs when %s: %s", shipped[n], w,
                         a.digest != b.digest ? "watched" : "stepped", b.text);
        }
        hd_script_free(plain);
        hd_script_free(looks);
        free(source);
        free(watched);
    }
    free(reader);
}

#define HEAD "local P = {about = 'test'}\n"
#define FORM "function P.start() repeat until not pool:form{role = 's'} end\n"

static struct hd_check check_text(const char *source, struct hd_err *err) {
    char text[1024];
    struct hd_check c = {0};
    *err = (struct hd_err){""};
    struct hd_script *s = policy_script(source, text, sizeof text);
    if (!s) fail_msg("%s", text);
    hd_check_policy(s, NULL, false, &c, err);
    hd_script_free(s);
    return c;
}

static void test_unsound_policies_are_found(void **state) {
    (void)state;
    struct hd_err err;
    /* keeps everything */
    struct hd_check c = check_text(HEAD FORM "return P", &err);
    assert_string_equal(err.text, "");
    assert_int_equal(c.passed, 0);
    assert_int_equal(c.refused, 0);
    assert_int_equal(c.result[WORLD_BURST].lost, 121);
    assert_int_equal(c.result[WORLD_BURST].first_lost, 0);
    assert_non_null(strstr(c.result[WORLD_BURST].note.text, "121 requests were left"));
    /* loses one request in each workload */
    c = check_text(HEAD FORM
                   "function P.arrive(req) if req.id ~= 7 then "
                   "req:join(pool:least('s', 'requests', req)) end end return P",
                   &err);
    assert_int_equal(c.result[WORLD_COLD].lost, 1);
    assert_int_equal(c.result[WORLD_COLD].first_lost, 7);
    assert_false(c.result[WORLD_COLD].passed);
    /* rejects: allowed, but said */
    c = check_text(HEAD FORM "function P.arrive(req) req:reject() end return P", &err);
    assert_int_equal(c.rejected, c.result[WORLD_BURST].rejected + c.rejected -
                                     c.result[WORLD_BURST].requests);
    assert_int_equal(c.lost, 0);
    /* leaves a request until the next failure of a GPU, or for ever */
    c = check_text(
        HEAD FORM
        "function P.arrive(req) pool:after(req.id == 0 and 200 or 0, req) end "
        "function P.timer(req) req:join(pool:least('s', 'requests', req)) end "
        "return P",
        &err);
    assert_int_equal(c.result[WORLD_BURST].starved, 1);
    assert_int_equal(c.result[WORLD_BURST].lost, 0);
    assert_false(c.result[WORLD_BURST].passed);
    /* cannot do anything */
    c = check_text(HEAD "function P.start() return 'no' end return P", &err);
    assert_int_equal(c.refused, HD_CHECK_WORKLOADS);
    assert_int_equal(c.passed, 0);
    assert_string_equal(c.result[0].note.text, "no");
}

static void test_failing_scripts_are_errors(void **state) {
    (void)state;
    static const struct {
        const char *source, *error;
    } wrong[] = {
        {HEAD FORM "function P.arrive(req) while true do end end return P",
         "t.lua:3: does not end: more than 1000000 instructions in one call (in "
         "arrive, "
         "at 5.000 s); workload `burst`"},
        {HEAD FORM "\nfunction P.arrive(req)\n local x = nil + 1 end return P",
         "t.lua:5: attempt to perform arithmetic on a nil value (in arrive, at 5.000 "
         "s); "
         "workload `burst`"},
        {HEAD "function P.start() return 3 end return P",
         "t.lua: `start` returned a number; expected nothing, or the reason why this "
         "fleet cannot do; workload `burst`"},
        {HEAD "function P.start() end return P",
         "`start` formed no instance; workload `burst`"},
        {HEAD
         "function P.start() local t = {} while true do t[#t + 1] = {{}, {}} end end "
         "return P",
         "t.lua: not enough memory: a script may hold 64 MiB, one string 1 MiB (in "
         "start, at 0.000 s); workload `burst`"},
        {HEAD "function P.start() local function f() f() return 1 end f() end return P",
         "t.lua: not enough memory"},
        {HEAD "function P.start() error{} end return P",
         "t.lua: error called with a table; expected a message (in start, at 0.000 s)"},
        {HEAD FORM
         "function P.arrive(req) req:join(pool:least('s', 'requests', req)) end "
         "function P.turn() pool:after(0) end "
         "function P.timer() pool:after(0) end return P",
         "livelock"}};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        struct hd_err err;
        check_text(wrong[n].source, &err);
        if (!strstr(err.text, wrong[n].error))
            fail_msg("%s\n  gave      '%s'\n  expected  '%s'", wrong[n].source,
                     err.text, wrong[n].error);
        assert_null(strchr(err.text, '\n'));
    }
}

/* The table of quotas of the Aegaeon algorithm (d = 0.1 s, n = d / step time, c =
 * switching of a round): the script's own function, called with its numbers. The
 * expected values are the published example and the formula worked by hand:
 * q = c / (n (alpha - S)), alpha = max(c / (min n Q_MAX) + S, 0.5). */
static void test_quotas_of_aegaeon(void **state) {
    (void)state;
    static const char call[] =
        "function P.start()\n"
        "  local function near(a, b) return math.abs(a - b) < 5e-4 * b end\n"
        "  local function case(n, c, alpha, quota)\n"
        "    local q, a = quotas(n, c)\n"
        "    if not near(a, alpha) then error('alpha ' .. a .. ' not ' .. alpha) end\n"
        "    for k, x in ipairs(q) do\n"
        "      local want = type(quota) == 'table' and quota[k] or quota\n"
        "      if not near(x, want) then error('quota ' .. x .. ' not ' .. want) end\n"
        "    end\n"
        "  end\n"
        "  if set.slice_s == 3 then\n"
        "    case({4, 4, 4}, 3, 1, 3)                  -- the paper's example\n"
        "  else\n"
        "    case({4, 4, 4}, 3, 0.9375, 4)             -- the same with Q_MAX 4 s\n"
        "    case({10, 10}, 2, 0.5, 0.6667)            -- the floor binds\n"
        "    case({10, 10, 10, 10, 10, 10, 10}, 9.8, 0.945, 4)\n"
        "    case({8, 8, 8, 8, 8, 8, 8}, 9.8, 1.18125, 4)\n"
        "    case({2, 4, 8}, 3, 1.25, {4, 2, 1})       -- slowest step: all of Q_MAX\n"
        "    case({10}, 1, 0.5, 0.25)                  -- alone\n"
        "  end\n"
        "  return 'checked'\n"
        "end\n";
    char *source = policy_extended("aegaeon", call), text[1024];
    struct hd_err err = {""};
    struct hd_script *s = policy_script(source, text, sizeof text);
    if (!s) fail_msg("%s", text);
    struct hd_param_values *values = hd_values_new(s);
    for (int slice = 4; slice >= 3; slice--) {
        assert_true(
            hd_script_set(s, values, "slice_s", slice == 3 ? "3" : "4.0", &err));
        struct policy_outcome o = policy_run(s, values, WORLD_BURST, false);
        if (o.end != HD_RUN_CANNOT || strcmp(o.text, "checked") != 0)
            fail_msg("%s", o.text);
    }
    hd_values_free(s, values);
    hd_script_free(s);
    free(source);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_policies_pass),
        cmocka_unit_test(test_example_of_the_manual),
        cmocka_unit_test(test_looking_changes_nothing),
        cmocka_unit_test(test_unsound_policies_are_found),
        cmocka_unit_test(test_failing_scripts_are_errors),
        cmocka_unit_test(test_quotas_of_aegaeon)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
