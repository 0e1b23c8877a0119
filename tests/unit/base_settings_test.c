/* Settings files: values, lines, paths of other files, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"

static const char *const calls[] = {"csv", "recipe"};

static struct hd_settings *read_text(const char *text, struct hd_err *err) {
    *err = (struct hd_err){""};
    return hd_settings_read(text, "conf/s.lua", calls, 2, err);
}

static void expect_error(const char *text, const char *message) {
    struct hd_err err;
    struct hd_settings *s = read_text(text, &err);
    if (s) fail_msg("accepted: %s", text);
    if (!strstr(err.text, message))
        fail_msg("'%s'\n  gave      '%s'\n  expected  '%s'", text, err.text, message);
    assert_null(strchr(err.text, '\n'));
}

static const char scenario[] = "-- a comment = {1}\n"
                               "local chat = {ttft = \"2s\",\n"
                               "              tbt = \"60ms\"}\n"
                               "return {\n"
                               "  models = csv \"models.csv\",\n"
                               "  absolute = csv \"/data/m.csv\",\n"
                               "  slo = {classes = {chat = chat, code = {\n"
                               "     ttft = 8}}, metric = \"token\"},\n"
                               "  --[[ skipped = 1,\n ]]\n"
                               "  [\"fleet.x\"] = true, list = {10, 20,\n"
                               "     {name = [[a]], n = 1 + 1}},\n"
                               "  text = \"}{=,\", f = math.max(1, 2),\n"
                               "  seed = 1,\n"
                               "}\n";

static void test_values(void **state) {
    (void)state;
    struct hd_err err;
    struct hd_settings *s = read_text(scenario, &err);
    if (!s) fail_msg("%s", err.text);
    const struct hd_value *root = hd_settings_root(s), *v;
    double number;
    const char *text;
    long whole;
    v = hd_value_find(root, "models");
    assert_int_equal(v->type, HD_VALUE_FILE);
    assert_string_equal(v->text, "conf/models.csv");
    assert_string_equal(v->call, "csv");
    assert_string_equal(hd_value_find(root, "absolute")->text, "/data/m.csv");
    v = hd_value_find(root, "slo.classes.chat.tbt");
    assert_true(hd_value_text(v, &text, &err));
    assert_string_equal(text, "60ms");
    assert_string_equal(v->path, "slo.classes.chat.tbt");
    v = hd_value_find(root, "slo.classes.code.ttft");
    assert_true(hd_value_number(v, &number, &err));
    assert_true(number == 8);
    assert_true(
        hd_value_integer(hd_value_find(root, "list")->item, 0, 10, &whole, &err));
    assert_int_equal(whole, 10);
    v = hd_value_find(root, "list");
    assert_int_equal(v->items, 3);
    assert_string_equal(v->item[2].path, "list[3]");
    assert_string_equal(hd_value_find(&v->item[2], "name")->text, "a");
    for (int n = 0; n < root->fields; n++)
        if (strcmp(root->field[n].key, "fleet.x") == 0) {
            assert_int_equal(root->field[n].type, HD_VALUE_BOOLEAN);
            assert_true(root->field[n].boolean);
        }
    assert_null(hd_value_find(root, "slo.nothing"));
    assert_null(hd_value_find(NULL, "slo"));
    hd_settings_free(s);
}

/* A function among the values does not hide what follows it. */
static void test_lines_behind_functions(void **state) {
    (void)state;
    expect_error(
        "return {\n a = (function(x)\n local p, q = 1, 2\n if x then p = 3 end\n"
        " for i = 1, 2 do q = q, i end\n return p, q end)(1),\n b = print}",
        "conf/s.lua:7: b: is a function");
}

/* The line is where the key stands, also through a local that holds the table. */
static void test_lines(void **state) {
    (void)state;
    static const struct {
        const char *path;
        int line;
    } want[] = {{"models", 5},
                {"slo", 7},
                {"slo.classes.chat", 7},
                {"slo.classes.chat.ttft", 2},
                {"slo.classes.chat.tbt", 3},
                {"slo.classes.code", 7},
                {"slo.classes.code.ttft", 8},
                {"slo.metric", 8},
                {"list", 11},
                {"text", 13},
                {"f", 13},
                {"seed", 14}};
    struct hd_err err;
    struct hd_settings *s = read_text(scenario, &err);
    assert_non_null(s);
    for (size_t n = 0; n < sizeof want / sizeof *want; n++) {
        const struct hd_value *v = hd_value_find(hd_settings_root(s), want[n].path);
        if (!v || v->line != want[n].line)
            fail_msg("%s: line %d, expected %d", want[n].path, v ? v->line : -1,
                     want[n].line);
    }
    const struct hd_value *list = hd_value_find(hd_settings_root(s), "list");
    assert_int_equal(list->item[2].line, 12);
    assert_int_equal(hd_value_find(&list->item[2], "name")->line, 12);
    hd_settings_free(s);
}

static void test_refused_files(void **state) {
    (void)state;
    expect_error("return {", "conf/s.lua:1:");
    expect_error("", "returns a nil; expected `return { ... }`");
    expect_error("return 3", "returns a number");
    expect_error("\033Lua", "not a text file");
    expect_error("return {\n a = 1,\n b = print,\n}", "conf/s.lua:3: b: is a function");
    expect_error("return {a = {[true] = 1}}", "a: has a key of type boolean");
    expect_error("return {a = {1, nil, 3}}", "a: element 3 is there, but");
    expect_error("return {a = 0/0}", "a: is not a number");
    expect_error("return {a = 'x\\0y'}", "zero byte");
    expect_error("return {a = csv ''}", "csv: the file has no name");
    expect_error("return {a = csv()}", "conf/s.lua:1:");
    expect_error("return {a = io.open('x')}", "conf/s.lua:1:");
    expect_error("local t = {} t.t = t return t", "deep");
    expect_error("while true do end", "does not end");
    expect_error("local s = 'x' while true do s = s .. s end", "not enough memory");
    expect_error("error({})", "error called with a table");
    expect_error("\n\nerror('no')", "conf/s.lua:3: no");
    expect_error("return {a = math.random()}", "math.random: only while a run goes on");
    struct hd_err err = {""};
    assert_null(hd_settings_load("no/such.lua", calls, 2, &err));
    assert_string_equal(err.text, "no/such.lua: No such file or directory");
    err.text[0] = '\0';
    assert_null(hd_settings_load(".", calls, 2, &err));
    assert_string_equal(err.text, ".: is a directory; expected a file");
}

static void test_checks(void **state) {
    (void)state;
    struct hd_err err;
    struct hd_settings *s = read_text("return {\n ttft = 3,\n slo = {tfft = true},\n"
                                      " zebra = 1.5, 7}",
                                      &err);
    assert_non_null(s);
    const struct hd_value *root = hd_settings_root(s);
    static const char *const keys[] = {"ttft", "slo", "zebra"};
    const char *text;
    long whole;
    assert_false(hd_value_text(hd_value_find(root, "ttft"), &text, &err));
    assert_string_equal(err.text, "conf/s.lua:2: ttft: is a number; expected a text");
    err.text[0] = '\0';
    assert_false(hd_value_only(hd_value_find(root, "slo"), keys, 1, false, &err));
    assert_string_equal(err.text,
                        "conf/s.lua:3: slo.tfft: no such setting; nearest: ttft");
    err.text[0] = '\0';
    assert_false(hd_value_only(root, keys, 2, true, &err));
    assert_string_equal(err.text,
                        "conf/s.lua:4: zebra: no such setting; there are: ttft, slo");
    err.text[0] = '\0';
    assert_false(hd_value_only(root, keys, 3, false, &err));
    assert_string_equal(err.text,
                        "conf/s.lua:4: [1]: has no name; expected NAME = value");
    err.text[0] = '\0';
    assert_true(hd_value_only(root, keys, 3, true, &err));
    assert_false(hd_value_integer(hd_value_find(root, "zebra"), 0, 9, &whole, &err));
    assert_string_equal(
        err.text, "conf/s.lua:4: zebra: is 1.5; expected a whole number from 0 to 9");
    hd_settings_free(s);
}

static void test_from_a_file(void **state) {
    (void)state;
    char path[] = P_tmpdir "/hotdesk_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, "return {a = 'b', c = csv 'x'}", 29) == 29);
    close(fd);
    struct hd_err err = {""};
    struct hd_settings *s = hd_settings_load(path, calls, 1, &err);
    unlink(path);
    if (!s) fail_msg("%s", err.text);
    assert_string_equal(hd_value_find(hd_settings_root(s), "a")->text, "b");
    assert_string_equal(hd_value_find(hd_settings_root(s), "c")->text, P_tmpdir "/x");
    hd_settings_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_lines),
                                       cmocka_unit_test(test_lines_behind_functions),
                                       cmocka_unit_test(test_refused_files),
                                       cmocka_unit_test(test_checks),
                                       cmocka_unit_test(test_from_a_file)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
