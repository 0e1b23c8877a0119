/* The sandbox: nothing of the world is in reach, everything ends, nothing depends
 * on an address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lua.h>
#include <string.h>

#include "base/sandbox.h"

/* Runs a script that returns a text (or fails); what it returned, or the error. */
static const char *run(const char *script, struct hd_err *err) {
    struct hd_sandbox *s = hd_sandbox_new(
        (struct hd_sandbox_limits){.memory_bytes = 8 << 20, .instructions = 1000000});
    *err = (struct hd_err){""};
    if (hd_sandbox_compile(s, script, strlen(script), "t.lua", err) &&
        hd_sandbox_call(s, 0, 1, err)) {
        const char *text = luaL_tolstring(hd_sandbox_lua(s), -1, NULL);
        strncat(err->text, text, sizeof err->text - 1);
    }
    hd_sandbox_free(s);
    return err->text;
}

static void expect(const char *script, const char *want) {
    struct hd_err err;
    const char *got = run(script, &err);
    if (strcmp(got, want) != 0)
        fail_msg("%s\n  gave      '%s'\n  expected  '%s'", script, got, want);
}

static void expect_part(const char *script, const char *want) {
    struct hd_err err;
    const char *got = run(script, &err);
    if (!strstr(got, want))
        fail_msg("%s\n  gave      '%s'\n  expected  '%s'", script, got, want);
    assert_null(strchr(got, '\n'));
}

static void test_nothing_of_the_world(void **state) {
    (void)state;
    static const char *const gone[] = {
        "io",          "os",          "package",         "debug",          "coroutine",
        "utf8",        "require",     "dofile",          "loadfile",       "load",
        "loadstring",  "pcall",       "xpcall",          "collectgarbage", "warn",
        "string.dump", "string.pack", "math.randomseed", "_G.io",          "_G._G.os"};
    for (size_t n = 0; n < sizeof gone / sizeof *gone; n++) {
        char script[80];
        snprintf(script, sizeof script, "return %s == nil", gone[n]);
        expect(script, "true");
    }
    expect("return getmetatable('').__index == string", "true");
    expect_part("\033LuaR", "not a text file");
    expect("return type(string) .. type(table) .. type(math)", "tabletabletable");
}

/* Each of these would run for minutes or for ever. */
static void test_everything_ends(void **state) {
    (void)state;
    static const char *const endless[] = {
        "while true do end",
        "repeat until false",
        "::a:: goto a",
        "local function f() return f() end f()",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) "
        "for i = 1, 1e9 do local x = #t end",
        "string.rep('', 1e15)",
        "('a'):rep(20000):find(('.-'):rep(20) .. 'b')",
        "('a'):rep(20000):gsub('.-.-.-b', '')",
        "for _ in ('a'):rep(900000):gmatch('a-b') do end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do table.insert(t, 1, "
        "0) "
        "table.remove(t, 1) end",
        "table.concat({}, '', 1, 1e15)",
        "table.move({}, 1, 1e15, 2)",
        "local t = {} for i = 1, 1e5 do t[i] = -i end while true do table.sort(t) end",
        "table.sort({3, 2, 1, 5}, function(a, b) while true do end end)",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do for _ in pairs(t) "
        "do "
        "break end end",
        "local t = {} for i = 1, 1e5 do t[i] = i end while true do next(t) end",
        "local s = ('x'):rep(1e6) while true do local t = s:upper() end",
        "local x <close> = setmetatable({}, {__close = function() while true do end "
        "end})"};
    for (size_t n = 0; n < sizeof endless / sizeof *endless; n++)
        expect_part(endless[n], "does not end: more than 1000000 instructions");
    expect_part("\n\nwhile true do\nend", "t.lua:3: does not end");
}

static void test_memory_is_bounded(void **state) {
    (void)state;
    expect_part("local t = {} for i = 1, 1e9 do t[i] = {} end", "not enough memory");
    expect_part("local s = 'x' while true do s = s .. s end", "not enough memory");
    expect_part("return ('x'):rep(5e6)", "not enough memory");
    expect_part("return #table.concat({('x'):rep(1e6), ('y'):rep(1e6)})",
                "not enough memory");
    expect_part("local function f(x) return 1 + f(x) end return f(1)",
                "not enough memory");
    expect("return #('x'):rep(1000000)", "1000000");
}

static void test_errors_are_one_line(void **state) {
    (void)state;
    expect("error('a\\nb\\tc')", "t.lua:1: a b c");
    expect("error({})", "error called with a table; expected a message");
    expect("error()", "error called with a nil; expected a message");
    expect("error(setmetatable({}, {__tostring = function() return 'x' end}))",
           "error called with a table; expected a message");
    expect("local x = nil\nx.y = 1",
           "t.lua:2: attempt to index a nil value (local 'x')");
    expect_part("return 1 +", "t.lua:1: unexpected symbol near <eof>");
}

/* What Lua itself leaves to addresses or to the time. */
static void test_same_in_every_run(void **state) {
    (void)state;
    expect(
        "local s = '' for k, v in pairs{b = 1, a = 2, [3] = 3, [1.5] = 4, [1] = 5, "
        "[true] = 6, aa = 7, [false] = 8, [-1] = 9} do s = s .. tostring(k) .. ' ' end "
        "return s",
        "-1 1 1.5 3 a aa b false true ");
    expect("local t, s = {c = 1, a = 1, b = 1}, '' local k = next(t) while k do s = s "
           ".. k "
           "k = next(t, k) end return s",
           "abc");
    expect("return next({})", "nil");
    expect("local t, s = {1, 2, 3, x = 4}, '' for k, v in pairs(t) do t[k] = nil t.x = "
           "nil "
           "s = s .. k end return s",
           "123");
    expect_part("for k in pairs{[{}] = 1} do end", "keys of type table have no order");
    expect_part("for k in pairs{[print] = 1} do end", "keys of type function");
    expect("return tostring({}) .. tostring(print) .. tostring(nil)",
           "tablefunctionnil");
    expect("return string.format('%s %d %5.1f%%', {}, 3, 2.25)", "table 3   2.2%");
    expect_part("return string.format('%p', {})", "t.lua:1: string.format: %p");
    expect_part("return string.format('%-10p', {})", "%p is not available");
    expect_part("return string.format('%d', 'x')", "t.lua:1: bad argument #2");
    expect_part("setmetatable({}, {__gc = print})", "__gc is not available");
    expect_part("setmetatable({}, {__mode = 'k'})", "__mode is not available");
    expect("return getmetatable(setmetatable({}, {x = 'y'})).x", "y");
    expect("local t = {} for i = 1, 300 do t[i] = {i % 7, i} end "
           "table.sort(t, function(a, b) return a[1] < b[1] end) "
           "for i = 2, #t do local a, b = t[i - 1], t[i] "
           "if a[1] > b[1] or (a[1] == b[1] and a[2] > b[2]) then return i end end "
           "return 'stable'",
           "stable");
    expect("local t = {} table.sort(t) t = {2, 1} table.sort(t) return t[1] .. t[2]",
           "12");
    expect("for count = 0, 40 do local t = {} " /* few are inserted, more merged */
           "for i = 1, count do t[i] = {i * 7 % 5, i} end "
           "table.sort(t, function(a, b) return a[1] < b[1] end) "
           "for i = 1, count do local a, b = t[i - 1] or {-1, 0}, t[i] "
           "if a[1] > b[1] or (a[1] == b[1] and a[2] > b[2]) then return count end end "
           "if #t ~= count then return 'lost some' end end return 'stable'",
           "stable");
    expect("local t = {'b', 'a', 'c', 'd', 'A'} table.sort(t) return table.concat(t)",
           "Aabcd");
    expect_part("table.sort({1, 'x'})", "attempt to compare");
}

static double half(void *context) {
    (void)context;
    return 0.5;
}

static double almost_one(void *context) {
    (void)context;
    return 0x1.fffffep-1;
}

static void test_random_is_the_runs(void **state) {
    (void)state;
    struct hd_err err = {""};
    struct hd_sandbox *s = hd_sandbox_new(hd_sandbox_limits_default());
    lua_State *L = hd_sandbox_lua(s);
    static const char script[] =
        "return math.random(), math.random(10), math.random(3, 4), math.random(1, 1)";
    hd_sandbox_random(s, half, NULL);
    assert_true(hd_sandbox_compile(s, script, strlen(script), "t", &err));
    assert_true(hd_sandbox_call(s, 0, 4, &err));
    assert_true(lua_tonumber(L, -4) == 0.5);
    assert_int_equal(lua_tointeger(L, -3), 6);
    assert_int_equal(lua_tointeger(L, -2), 4);
    assert_int_equal(lua_tointeger(L, -1), 1);
    lua_pop(L, 4);
    hd_sandbox_random(s, almost_one, NULL);
    assert_true(hd_sandbox_compile(s, script, strlen(script), "t", &err));
    assert_true(hd_sandbox_call(s, 0, 4, &err));
    assert_int_equal(lua_tointeger(L, -3), 10);
    assert_int_equal(lua_tointeger(L, -2), 4);
    hd_sandbox_free(s);
    expect_part("return math.random()",
                "t.lua:1: math.random: only while a run goes on");
}

/* A budget is of one call, not of the state's life. */
static void test_each_call_has_its_own_budget(void **state) {
    (void)state;
    struct hd_err err = {""};
    struct hd_sandbox *s = hd_sandbox_new(hd_sandbox_limits_default());
    lua_State *L = hd_sandbox_lua(s);
    static const char script[] =
        "return function(n) local x = 0 for i = 1, n do x = x + i end return x end";
    assert_true(hd_sandbox_compile(s, script, strlen(script), "t", &err));
    assert_true(hd_sandbox_call(s, 0, 1, &err));
    for (int n = 0; n < 20; n++) {
        lua_pushvalue(L, -1);
        lua_pushinteger(L, 200000);
        if (!hd_sandbox_call(s, 1, 1, &err)) fail_msg("%s", err.text);
        lua_pop(L, 1);
    }
    lua_pushvalue(L, -1);
    lua_pushinteger(L, 2000000);
    assert_false(hd_sandbox_call(s, 1, 1, &err));
    assert_non_null(strstr(err.text, "more than 1000000 instructions"));
    err.text[0] = '\0';
    lua_pushvalue(L, -1);
    lua_pushinteger(L, 2000000);
    assert_true(hd_sandbox_call_within(s, 100000000, 1, 1, &err));
    lua_pop(L, 1);
    assert_int_equal(lua_gettop(L), 1);
    hd_sandbox_free(s);
}

/* What the owner keeps there is not the script's. */
static void test_owner_may_allow_more(void **state) {
    (void)state;
    static const char script[] = "local t = {} for i = 1, 40000 do t[i] = {} end";
    for (int allowed = 0; allowed < 2; allowed++) {
        struct hd_err err = {""};
        struct hd_sandbox *s = hd_sandbox_new((struct hd_sandbox_limits){
            .memory_bytes = 1 << 20, .instructions = 1000000});
        if (allowed) hd_sandbox_allow(s, 4 << 20);
        assert_true(hd_sandbox_compile(s, script, strlen(script), "t", &err));
        assert_int_equal(hd_sandbox_call(s, 0, 0, &err), allowed);
        hd_sandbox_free(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_of_the_world),
        cmocka_unit_test(test_everything_ends),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_errors_are_one_line),
        cmocka_unit_test(test_same_in_every_run),
        cmocka_unit_test(test_random_is_the_runs),
        cmocka_unit_test(test_each_call_has_its_own_budget),
        cmocka_unit_test(test_owner_may_allow_more)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
