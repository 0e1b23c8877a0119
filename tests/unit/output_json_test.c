/* JSON and CSV writers: every value reads back as what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "output/csv_writer.h"
#include "output/json.h"

static uint64_t seed = 1;

static uint64_t draw(void) { /* splitmix64 */
    uint64_t z = seed += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void shortest_reads_back(void **state) {
    (void)state;
    char text[HD_REAL_TEXT_BYTES];
    hd_shortest(0.1, text);
    assert_string_equal(text, "0.1");
    hd_shortest(0.1 + 0.2, text);
    assert_string_equal(text, "0.30000000000000004");
    hd_shortest(16.79, text);
    assert_string_equal(text, "16.79");
    hd_shortest(123456789012, text);
    assert_string_equal(text, "123456789012");
    hd_shortest(-DBL_MAX, text);
    assert_true(strtod(text, NULL) == -DBL_MAX);
    for (int i = 0; i < 100000; i++) { /* any bits */
        uint64_t bits = draw();
        double x;
        memcpy(&x, &bits, sizeof x);
        if (!isfinite(x)) continue;
        hd_shortest(x, text);
        assert_true(strtod(text, NULL) == x);
    }
    for (int i = 0; i < 10000; i++) { /* decimals come back as they were typed */
        char typed[HD_REAL_TEXT_BYTES];
        double x = (double)(draw() % 1000000000) / 1e6;
        snprintf(typed, sizeof typed, "%.15g", x);
        hd_shortest(strtod(typed, NULL), text);
        assert_string_equal(text, typed);
    }
}

static void keeps_form(void **state) {
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    struct hd_json j;
    hd_json_start(&j, memory);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "text", "a\"b\\c\n\t\x01");
    hd_json_int(&j, "least", INT64_MIN);
    hd_json_real(&j, "nan", NAN);
    hd_json_real(&j, "infinity", INFINITY);
    hd_json_text(&j, "absent", NULL);
    hd_json_bool(&j, "yes", true);
    hd_json_array(&j, "empty");
    hd_json_close(&j);
    hd_json_inline_array(&j, "line");
    hd_json_real(&j, NULL, 0.5);
    hd_json_object(&j, NULL);
    hd_json_int(&j, "in", 1);
    hd_json_close(&j);
    hd_json_close(&j);
    hd_json_close(&j);
    assert_true(hd_json_finish(&j));
    fclose(memory);
    assert_string_equal(text, "{\n"
                              "  \"text\": \"a\\\"b\\\\c\\n\\t\\u0001\",\n"
                              "  \"least\": -9223372036854775808,\n"
                              "  \"nan\": null,\n"
                              "  \"infinity\": null,\n"
                              "  \"absent\": null,\n"
                              "  \"yes\": true,\n"
                              "  \"empty\": [],\n"
                              "  \"line\": [0.5, {\"in\": 1}]\n"
                              "}\n");
    free(text);
}

/* Bytes that are no UTF-8 must not make a file that no reader takes. */
static void repairs_utf8(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } pair[] = {{"K\xc3\xb6ln", "\"K\xc3\xb6ln\""},
                {"\xe2\x82\xac \xf0\x9f\x98\x80", "\"\xe2\x82\xac \xf0\x9f\x98\x80\""},
                {"\xff", "\"\\ufffd\""},
                {"a\xc3", "\"a\\ufffd\""},
                {"\xc0\xaf", "\"\\ufffd\\ufffd\""},             /* overlong */
                {"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}}; /* a surrogate */
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        char *text = NULL;
        size_t bytes = 0;
        FILE *memory = open_memstream(&text, &bytes);
        struct hd_json j;
        hd_json_start(&j, memory);
        hd_json_text(&j, NULL, pair[i].in);
        assert_true(hd_json_finish(&j));
        fclose(memory);
        text[strlen(text) - 1] = '\0'; /* the newline */
        assert_string_equal(text, pair[i].out);
        free(text);
    }
}

static void reports_a_full_disk(void **state) {
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full) skip();
    struct hd_json j;
    hd_json_start(&j, full);
    hd_json_int(&j, NULL, 1);
    assert_false(hd_json_finish(&j));
    fclose(full);
    full = fopen("/dev/full", "w");
    struct hd_csv_writer w;
    hd_csv_start(&w, full);
    hd_csv_int(&w, 1);
    hd_csv_end_row(&w);
    assert_false(hd_csv_finish(&w));
    fclose(full);
}

static void csv_reads_back(void **state) {
    (void)state;
    static const char *const field[] = {"plain",      "with,comma", "with \"quotes\"",
                                        "two\nlines", "",           "K\xc3\xb6ln"};
    enum { FIELDS = sizeof field / sizeof *field };
    char path[] = "/tmp/hotdesk-csv-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    struct hd_csv_writer w;
    hd_csv_start(&w, file);
    for (int i = 0; i < FIELDS; i++) hd_csv_text(&w, field[i]);
    hd_csv_end_row(&w);
    hd_csv_real(&w, 0.1 + 0.2);
    hd_csv_real(&w, NAN);
    hd_csv_int(&w, -7);
    hd_csv_text(&w, NULL);
    hd_csv_empty(&w);
    hd_csv_int(&w, 5);
    hd_csv_end_row(&w);
    assert_true(hd_csv_finish(&w));
    fclose(file);

    struct hd_err err = {""};
    struct hd_csv_row row;
    struct hd_csv *csv = hd_csv_open(path, &err);
    assert_non_null(csv);
    assert_int_equal(hd_csv_next(csv, &row, &err), 1);
    assert_int_equal(row.count, FIELDS);
    for (int i = 0; i < FIELDS; i++) assert_string_equal(row.field[i], field[i]);
    assert_int_equal(hd_csv_next(csv, &row, &err), 1);
    assert_int_equal(row.count, 6);
    assert_true(strtod(row.field[0], NULL) == 0.1 + 0.2);
    assert_string_equal(row.field[1], "");
    assert_string_equal(row.field[2], "-7");
    assert_string_equal(row.field[3], "");
    assert_string_equal(row.field[5], "5");
    assert_int_equal(hd_csv_next(csv, &row, &err), 0);
    hd_csv_close(csv);
    unlink(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shortest_reads_back), cmocka_unit_test(keeps_form),
        cmocka_unit_test(repairs_utf8),        cmocka_unit_test(reports_a_full_disk),
        cmocka_unit_test(csv_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
