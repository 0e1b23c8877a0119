/* What people read: numbers, tables, and records by their names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "output/fields.h"
#include "output/quantity.h"
#include "output/text_table.h"

static void says_quantities(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *seconds, *span, *percent;
    } row[] = {
        {0, "0 s", "0 s", "0.0 %"},
        {0.00085, "850 us", "0.00 s", "0.0 %"},
        {0.025, "25.0 ms", "0.03 s", "2.5 %"},
        {0.8996, "900 ms", "0.90 s", "89.9 %"}, /* cut: it misses 90 % */
        {0.9, "900 ms", "0.90 s", "90.0 %"},
        {0.99999, "1.00 s", "1.00 s", "99.9 %"},
        {1, "1.00 s", "1 s", "100 %"},
        {9.999, "10.0 s", "10.0 s", "999.9 %"},
        {1200, "1200 s", "20.0 min", "120000.0 %"},
        {172800, "172800 s", "48.0 h", "17280000.0 %"},
        {NAN, "-", "-", "-"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        assert_string_equal(hd_say_seconds(row[i].value).text, row[i].seconds);
        assert_string_equal(hd_say_span(row[i].value).text, row[i].span);
        assert_string_equal(hd_say_percent(row[i].value).text, row[i].percent);
    }
    /* no fraction of whole thousandths loses its last digit */
    for (int n = 0; n < 1000; n++) {
        char expected[32];
        snprintf(expected, sizeof expected, "%d.%d %%", n / 10, n % 10);
        assert_string_equal(hd_say_percent(n / 1000.0).text, expected);
    }
    assert_string_equal(hd_say_count(1214330).text, "1,214,330");
    assert_string_equal(hd_say_count(-1000).text, "-1,000");
    assert_string_equal(hd_say_count(999).text, "999");
    assert_string_equal(hd_say_count(INT64_MAX).text, "9,223,372,036,854,775,807");
    assert_string_equal(hd_say_things(1, "GPU").text, "1 GPU");
    assert_string_equal(hd_say_things(0, "rarer one").text, "0 rarer ones");
    assert_string_equal(hd_say_things(1234567, "request").text, "1,234,567 requests");
    assert_string_equal(hd_say_rough(12345678).text, "12.3 M");
    assert_string_equal(hd_say_rough(2410).text, "2,410");
    assert_string_equal(hd_say_bytes(75.2e9).text, "75.2 GB");
    assert_string_equal(hd_say_share(0.9).text, "90 %");
    assert_string_equal(hd_say_share(0.995).text, "99.5 %");
    assert_string_equal(hd_say_limit(10).text, "10 s");
    assert_string_equal(hd_say_limit(0.08).text, "80 ms");
    assert_string_equal(hd_say_limit(1.5).text, "1.5 s");
    assert_string_equal(hd_say_limit(INFINITY).text, "-");
}

static char *printed(const struct hd_text_table *t, int width) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    hd_text_table_print(t, width, memory);
    fclose(memory);
    return text;
}

static void aligns_tables(void **state) {
    (void)state;
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "policy", false);
    hd_text_table_column(t, "GPUs", true);
    hd_text_table_column(t, "gap\np99", true);
    hd_text_table_cell(t, "aegaeon");
    hd_text_table_cell(t, "%d", 113);
    hd_text_table_cell(t, "9.1 s");
    hd_text_table_cell(t, "K\xc3\xb6ln"); /* four columns, five bytes */
    hd_text_table_cell(t, "%d", 7);
    hd_text_table_cell(t, "%s", "");
    char *text = printed(t, 0);
    assert_string_equal(text, "                 gap\n"
                              "policy   GPUs    p99\n"
                              "aegaeon   113  9.1 s\n"
                              "K\xc3\xb6ln        7\n");
    free(text);
    text = printed(t, 15); /* too narrow: two tables with the first column each */
    assert_string_equal(text, "\n"
                              "policy   GPUs\n"
                              "aegaeon   113\n"
                              "K\xc3\xb6ln        7\n"
                              "\n"
                              "           gap\n"
                              "policy     p99\n"
                              "aegaeon  9.1 s\n"
                              "K\xc3\xb6ln\n");
    free(text);
    hd_text_table_free(t);
}

struct record {
    const char *name;
    int64_t gpus;
    double p50, p99;
    int ok;
    struct hd_int_list above;
    struct hd_text_list models;
    struct hd_range window;
};

static const struct hd_field field[] = {
    {"name", HD_FIELD_TEXT, "", offsetof(struct record, name), "who"},
    {"ttft.p50_s", HD_FIELD_REAL, "s", offsetof(struct record, p50), "median"},
    {"gpus", HD_FIELD_INT, "GPUs", offsetof(struct record, gpus), "how many"},
    {"gpus_p05", HD_FIELD_LATER, "GPUs", 0, "not yet"},
    {"ttft.p99_s", HD_FIELD_REAL, "s", offsetof(struct record, p99), "tail"},
    {"ok", HD_FIELD_BOOL, "", offsetof(struct record, ok), "is it"},
    {"deep.er.above", HD_FIELD_INTS, "", offsetof(struct record, above), "list"},
    {"models", HD_FIELD_TEXTS, "", offsetof(struct record, models), "list"},
    {"deep.window_s", HD_FIELD_RANGE, "s", offsetof(struct record, window), "when"},
};
static const struct hd_field_set set = {"made.up", "a record", field,
                                        sizeof field / sizeof *field};

static const int above[] = {3, 5};
static char *const models[] = {"a", "b"};

static const struct record full = {"x,y", 4,          0.5,         1.25,
                                   1,     {2, above}, {2, models}, {60, 120}};
static const struct record hollow = {NULL, HD_INT_ABSENT, NAN,       INFINITY,
                                     -1,   {0, NULL},     {0, NULL}, {NAN, NAN}};

static char *as_json(const struct record *r) {
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    struct hd_json j;
    hd_json_start(&j, memory);
    hd_json_inline_object(&j, NULL);
    hd_fields_json(&set, r, &j);
    hd_json_close(&j);
    hd_json_finish(&j);
    fclose(memory);
    return text;
}

/* Groups are nested where their first field stands, whatever lies between. */
static void records_as_json(void **state) {
    (void)state;
    char *text = as_json(&full);
    assert_string_equal(
        text, "{\"name\": \"x,y\", \"ttft\": {\"p50_s\": 0.5, \"p99_s\": 1.25}, "
              "\"gpus\": 4, \"gpus_p05\": null, \"ok\": true, "
              "\"deep\": {\"er\": {\"above\": [3, 5]}, \"window_s\": [60, 120]}, "
              "\"models\": [\"a\", \"b\"]}\n");
    free(text);
    text = as_json(&hollow);
    assert_string_equal(
        text, "{\"name\": null, \"ttft\": {\"p50_s\": null, \"p99_s\": null}, "
              "\"gpus\": null, \"gpus_p05\": null, \"ok\": null, "
              "\"deep\": {\"er\": {\"above\": []}, \"window_s\": null}, "
              "\"models\": []}\n");
    free(text);
}

static void records_as_csv(void **state) {
    (void)state;
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    struct hd_csv_writer w;
    hd_csv_start(&w, memory);
    hd_fields_csv_header(&set, &w);
    hd_fields_csv_row(&set, &full, &w);
    hd_fields_csv_row(&set, &hollow, &w);
    hd_csv_finish(&w);
    fclose(memory);
    assert_string_equal(
        text, "name,ttft_p50_s,gpus,gpus_p05,ttft_p99_s,ok,deep_er_above,models,"
              "deep_window_s\n"
              "\"x,y\",0.5,4,,1.25,yes,3 5,a b,60-120\n"
              ",,,,,,,,\n");
    free(text);
}

static void finds_fields(void **state) {
    (void)state;
    assert_ptr_equal(hd_fields_find(&set, "ttft.p99_s"), &field[4]);
    assert_ptr_equal(hd_fields_find(&set, "ttft_p99_s"), &field[4]);
    assert_ptr_equal(hd_fields_find(&set, "ttft.p99"), &field[4]);
    assert_ptr_equal(hd_fields_find(&set, "gpus"), &field[2]);
    assert_null(hd_fields_find(&set, "ttft"));
    assert_null(hd_fields_find(&set, "gpus_p0"));
    assert_null(hd_fields_find(&set, ""));
    assert_true(hd_field_number(&field[4], &full) == 1.25);
    assert_true(hd_field_number(&field[5], &full) == 1);
    assert_true(isnan(hd_field_number(&field[2], &hollow)));
    assert_true(isnan(hd_field_number(&field[4], &hollow)));
    assert_true(isnan(hd_field_number(&field[0], &full)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_quantities), cmocka_unit_test(aligns_tables),
        cmocka_unit_test(records_as_json), cmocka_unit_test(records_as_csv),
        cmocka_unit_test(finds_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
