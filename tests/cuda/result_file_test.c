/* The file of rows: what the simulator reads of it, going on, and unfit files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "calibrate/kernel.h"
#include "result_file.h"

#define DRIVER "580.159.04 cuda 13.0"

static char path[64];

static int make_path(void **state) {
    (void)state;
    strcpy(path, "/tmp/result-file-XXXXXX");
    int file = mkstemp(path);
    return file < 0 || close(file) != 0 || unlink(path) != 0;
}

static int remove_path(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static struct record gemm(long m) {
    struct shape shape = shape_of("gemm", "", "bf16");
    shape.m = m;
    shape.n = 4096;
    shape.k = 14336;
    return (struct record){"H100-SXM",  shape, 12.5, 0.25,  40,
                           STOP_STDREL, 1755,  2619, DRIVER};
}

static struct result_file *open_it(long *cut, struct hd_err *err) {
    *err = (struct hd_err){0};
    return result_file_open(path, "H100-SXM", DRIVER, cut, err);
}

static void put(const char *text) {
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

/* By the whole text: nothing else is in the file. */
static void written_row(void **state) {
    (void)state;
    char row[512], key[512], small[8];
    struct record record = gemm(64);
    size_t length = record_row(row, sizeof row, &record);
    assert_string_equal(row,
                        "H100-SXM,gemm,,bf16,64,4096,14336,,,,,,,,,,,12.5000,0.2500,"
                        "40,stdrel,1755,2619," DRIVER ",hotdesk-bench,MIT\n");
    assert_int_equal(length, strlen(row));
    record_key(key, sizeof key, "H100-SXM", &record.shape);
    assert_string_equal(key, "H100-SXM,gemm,,bf16,64,4096,14336,,,,,,,,,,");
    assert_int_equal(record_row(small, sizeof small, &record), length);
    assert_string_equal(small, "H100-SX");
    record.sm_mhz = record.memory_mhz = 0;
    record_row(row, sizeof row, &record);
    assert_non_null(strstr(row, ",stdrel,,," DRIVER));
}

/* A row of each op of this suite's own quantities, read by the simulator's reader. */
static void read_by_the_simulator(void **state) {
    (void)state;
    struct hd_err err = {0};
    long cut;
    struct result_file *file = open_it(&cut, &err);
    assert_non_null(file);
    struct shape launch = shape_of("launch", "calls", "");
    launch.count = 10;
    launch.bytes = 0;
    struct shape graph = shape_of("graph", "upload", "");
    graph.count = 2000;
    struct shape allocate = shape_of("allocate", "mem_map", "");
    allocate.bytes = 2097152;
    struct shape host = shape_of("host_alloc", "host_free", "");
    host.bytes = 1048576;
    const struct shape shapes[] = {launch,
                                   graph,
                                   allocate,
                                   host,
                                   shape_of("sync", "spin", ""),
                                   shape_of("context", "create_cold", ""),
                                   shape_of("clock", "gemm_hot", "")};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    for (int i = 0; i < SHAPES; i++) {
        struct record record = gemm(1);
        record.shape = shapes[i];
        record.stop = (enum stop_reason)(i % 4);
        record.mad_us = 0;
        assert_true(result_file_add(file, &record, &err));
    }
    result_file_close(file);
    struct hd_catalog *catalog = hd_catalog_load(&err);
    struct hd_kernels kernels = {0};
    assert_non_null(catalog);
    if (!hd_kernels_read(&kernels, catalog, path, &err)) fail_msg("%s", err.text);
    assert_int_equal(kernels.rows, SHAPES);
    for (int i = 0; i < SHAPES; i++) {
        assert_string_equal(hd_kernel_op_name(kernels.row[i].op), shapes[i].op);
        assert_string_equal(kernels.row[i].variant, shapes[i].variant);
        assert_int_equal(kernels.row[i].shape[HD_DIM_BYTES], shapes[i].bytes);
        assert_int_equal(kernels.row[i].shape[HD_DIM_COUNT], shapes[i].count);
        assert_int_equal(kernels.row[i].samples, 40);
        assert_int_equal(kernels.row[i].sm_mhz, 1755);
    }
    hd_kernels_free(&kernels);
    hd_catalog_free(catalog);
}

/* A session that was killed while it wrote the third row. */
static void goes_on(void **state) {
    (void)state;
    struct hd_err err;
    long cut, length;
    struct record record[] = {gemm(1), gemm(2), gemm(3)};
    struct result_file *file = open_it(&cut, &err);
    assert_non_null(file);
    assert_int_equal(cut, 0);
    for (int i = 0; i < 2; i++) assert_true(result_file_add(file, &record[i], &err));
    result_file_close(file);
    FILE *out = fopen(path, "a");
    fputs("H100-SXM,gemm,,bf16,3,40", out);
    length = ftell(out);
    fclose(out);
    file = open_it(&cut, &err);
    assert_non_null(file);
    assert_int_equal(cut, 24);
    assert_int_equal(result_file_rows(file), 2);
    assert_true(result_file_has(file, &record[1].shape));
    assert_false(result_file_has(file, &record[2].shape));
    assert_true(result_file_add(file, &record[2], &err));
    result_file_close(file);
    size_t bytes;
    char *text = hd_read_text(path, 1 << 20, &bytes, &err);
    assert_non_null(text);
    assert_true((long)bytes > length);
    int lines = 0;
    for (const char *c = text; *c; c++) lines += *c == '\n';
    assert_int_equal(lines, 4);
    assert_int_equal(text[bytes - 1], '\n');
    free(text);
}

/* Cut in its first line, and the file that someone else's hand began. */
static void cut_header(void **state) {
    (void)state;
    struct hd_err err;
    long cut;
    put("gpu,op,var");
    struct result_file *file = open_it(&cut, &err);
    assert_non_null(file);
    assert_int_equal(cut, 10);
    result_file_close(file);
    put("my diary");
    assert_null(open_it(&cut, &err));
    assert_non_null(strstr(err.text, ": line 1: expected the header gpu,op,"));
    size_t bytes;
    char *text = hd_read_text(path, 1 << 20, &bytes, &err);
    assert_string_equal(text, "my diary");
    free(text);
}

static void unfit(void **state) {
    (void)state;
    char header[512], row[512], text[2048];
    struct record record = gemm(5);
    snprintf(header, sizeof header, "%s\n", record_header());
    record_row(row, sizeof row, &record);
    struct hd_err err;
    long cut;
    put("gpu,op\n");
    assert_null(open_it(&cut, &err));
    assert_non_null(strstr(err.text, "line 1: expected the header"));
    snprintf(text, sizeof text, "%s%s%s", header, row, row);
    put(text);
    assert_null(open_it(&cut, &err));
    assert_non_null(strstr(err.text, "line 3: a second row of H100-SXM,gemm,,bf16,5,"));
    snprintf(text, sizeof text, "%sH100-SXM,gemm\n", header);
    put(text);
    assert_null(open_it(&cut, &err));
    assert_non_null(strstr(err.text, "line 2: expected 26 columns"));
    record.driver = "570.1 cuda 12.8";
    record_row(row, sizeof row, &record);
    snprintf(text, sizeof text, "%s%s", header, row);
    put(text);
    assert_null(open_it(&cut, &err));
    assert_non_null(strstr(err.text, "line 2: measured under driver 570.1 cuda 12.8, "
                                     "this machine has " DRIVER));
    /* Another GPU's rows may be of another driver. */
    record.gpu = "H100-SXM2";
    record_row(row, sizeof row, &record);
    snprintf(text, sizeof text, "%s%s", header, row);
    put(text);
    struct result_file *file = open_it(&cut, &err);
    assert_non_null(file);
    result_file_close(file);
}

static void no_second_row(void **state) {
    (void)state;
    struct hd_err err;
    long cut;
    struct record record = gemm(5);
    struct result_file *file = open_it(&cut, &err);
    assert_true(result_file_add(file, &record, &err));
    assert_false(result_file_add(file, &record, &err));
    assert_non_null(strstr(err.text, "a second row"));
    const double times[] = {0, -1, 0.00001, 0.0 / 0.0};
    for (int i = 0; i < 4; i++) {
        record = gemm(6);
        record.time_us = times[i];
        err = (struct hd_err){0};
        assert_false(result_file_add(file, &record, &err));
        assert_non_null(strstr(err.text, "is no time"));
    }
    assert_int_equal(result_file_rows(file), 1);
    result_file_close(file);
}

static void one_at_a_time(void **state) {
    (void)state;
    struct hd_err err;
    long cut;
    struct result_file *file = open_it(&cut, &err);
    assert_non_null(file);
    assert_null(open_it(&cut, &err));
    assert_non_null(strstr(err.text, "another hotdesk-bench writes to it"));
    result_file_close(file);
}

/* Keys come in any order and are found again. */
static void many_rows(void **state) {
    (void)state;
    struct hd_err err;
    long cut;
    struct result_file *file = open_it(&cut, &err);
    for (long i = 0; i < 500; i++) {
        struct record record = gemm(1 + i * 7919 % 500);
        assert_true(result_file_add(file, &record, &err));
    }
    result_file_close(file);
    file = open_it(&cut, &err);
    assert_int_equal(result_file_rows(file), 500);
    for (long m = 1; m <= 501; m++) {
        struct record record = gemm(m);
        assert_int_equal(result_file_has(file, &record.shape), m <= 500);
    }
    result_file_close(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_row),
        TEST(read_by_the_simulator),
        TEST(goes_on),
        TEST(cut_header),
        TEST(unfit),
        TEST(no_second_row),
        TEST(one_at_a_time),
        TEST(many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
