/* Files of kernel measurements: what is read, what is refused and where, and that what
 * is written reads back the same. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "calibrate/kernel.h"

#define HEADER                                                                         \
    "gpu,op,variant,dtype,m,n,k,batch,chunk,prefix,context,heads,kv_heads,head_dim,"   \
    "gpus,bytes,count,time_us,mad_us,samples,stop,sm_mhz,memory_mhz,driver,source,"    \
    "licence\n"
#define GEMM_KEY "H100-SXM,gemm,,bf16,16,4096,1024,,,,,,,,,,"
#define TAIL ",stdrel,1980,2619,580 cuda 13.0,own,MIT\n"
#define GEMM GEMM_KEY ",12.5,0.25,31" TAIL

struct world {
    struct hd_catalog *catalog;
    char folder[32], *path;
};

static int open_world(void **state) {
    static struct world w = {.folder = "/tmp/hd_kernel_XXXXXX"};
    struct hd_err err = {0};
    w.catalog = hd_catalog_load(&err);
    if (!w.catalog || !mkdtemp(w.folder)) return -1;
    w.path = hd_format("%s/k.csv", w.folder);
    *state = &w;
    return 0;
}

static int close_world(void **state) {
    struct world *w = *state;
    unlink(w->path);
    rmdir(w->folder);
    free(w->path);
    hd_catalog_free(w->catalog);
    return 0;
}

static void put(const struct world *w, const char *text, size_t bytes, bool packed) {
    gzFile file = gzopen(w->path, packed ? "wb" : "wbT");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)bytes), bytes);
    assert_int_equal(gzclose(file), Z_OK);
}

static void refuses(void **state, const char *text, const char *why) {
    const struct world *w = *state;
    put(w, text, strlen(text), false);
    struct hd_kernels set = {0};
    struct hd_err err = {0};
    bool fine = hd_kernels_read(&set, w->catalog, w->path, &err);
    if (fine || !strstr(err.text, why))
        print_error("want '%s', got '%s'\n", why, err.text);
    assert_false(fine);
    assert_non_null(strstr(err.text, why));
    assert_int_equal(strncmp(err.text, w->path, strlen(w->path)), 0);
    assert_int_equal(set.rows, 0);
    assert_int_equal(set.files, 0);
    hd_kernels_free(&set);
}

static void every_field_is_read(void **state) {
    const struct world *w = *state;
    const char *text = HEADER GEMM
        "A10,sync,spin,,,,,,,,,,,,,,,3,,,fixed,,,,\"own, too\",MIT\n"
        "H100,attention_decode,ragged_2,fp8,,,,4,,,0,32,8,128,,,900,7e1,0,2" TAIL;
    put(w, text, strlen(text), false);
    struct hd_kernels set = {0};
    struct hd_err err = {0};
    assert_true(hd_kernels_read(&set, w->catalog, w->path, &err));
    assert_int_equal(set.rows, 3);
    const struct hd_kernel_row *r = set.row;
    assert_string_equal(r[0].gpu->name, "H100-SXM");
    assert_int_equal(r[0].op, HD_OP_GEMM);
    assert_int_equal(r[0].shape[HD_DIM_M], 16);
    assert_int_equal(r[0].shape[HD_DIM_N], 4096);
    assert_int_equal(r[0].shape[HD_DIM_K], 1024);
    assert_int_equal(r[0].shape[HD_DIM_BATCH], HD_DIM_ABSENT);
    assert_true(r[0].time_us == 12.5 && r[0].mad_us == 0.25 && r[0].samples == 31);
    assert_true(r[0].sm_mhz == 1980 && r[0].memory_mhz == 2619);
    assert_string_equal(r[0].driver, "580 cuda 13.0");
    assert_int_equal(r[0].line, 2);
    assert_true(isnan(r[1].mad_us) && r[1].samples == 0 && r[1].sm_mhz == 0);
    assert_string_equal(r[1].source, "own, too");
    assert_string_equal(r[2].gpu->name, "H100-SXM");
    assert_int_equal(r[2].shape[HD_DIM_CONTEXT], 0);
    assert_int_equal(r[2].shape[HD_DIM_COUNT], 900);
    assert_string_equal(set.file[r[2].file], w->path);
    hd_kernels_free(&set);
}

static void wrong_rows_are_refused(void **state) {
    refuses(state, "", "no rows");
    refuses(state, HEADER, "no rows");
    refuses(state, "gpu,op,dtype\n" GEMM,
            ":1: column 3 is 'dtype'; expected 'variant'");
    refuses(state, "gemm_dtype,m,n,k,latency\nbf16,1,1,1,1\n", "expected 'gpu'");
    refuses(state, HEADER "H100-SXM,gemm\n", ":2: 2 fields; expected 26");
    refuses(state,
            HEADER "H101-SXM"
                   ","
                   "gemm,,bf16,1,1,1,,,,,,,,,,,1,,1" TAIL,
            ":2: H101-SXM: no such GPU");
    refuses(state, HEADER "A10,gem,,bf16,1,1,1,,,,,,,,,,,1,,1" TAIL,
            "the nearest is gemm");
    refuses(state, HEADER "A10,gemm,,bf17,1,1,1,,,,,,,,,,,1,,1" TAIL, "dtype 'bf17'");
    refuses(state, HEADER "A10,gemm,,,1,1,1,,,,,,,,,,,1,,1" TAIL, "dtype is empty");
    refuses(state, HEADER "A10,sync,spin,fp8,,,,,,,,,,,,,,1,,1" TAIL, "dtype is fp8");
    refuses(state, HEADER "A10,gemm,,bf16,1,1,,,,,,,,,,,,1,,1" TAIL, "k is empty");
    refuses(state, HEADER "A10,gemm,,bf16,1,1,1,,,,,,,,,,7,1,,1" TAIL, "count is 7");
    refuses(state, HEADER "A10,gemm,,bf16,1,1,0,,,,,,,,,,,1,,1" TAIL, "k is 0");
    refuses(state, HEADER "A10,gemm,,bf16,1,1,-4,,,,,,,,,,,1,,1" TAIL, "k: -4 lies");
    refuses(state, HEADER "A10,gemm,,bf16,1.5,1,1,,,,,,,,,,,1,,1" TAIL,
            "m: '1.5' is not a whole number");
    refuses(state, HEADER GEMM_KEY ",0.0125,0,1" TAIL,
            ":2: 0.0125 us is less than a tenth of the");
    refuses(state, HEADER GEMM_KEY ",12500,0,1" TAIL, "us is more than 200 times the");
    refuses(state, HEADER "A10,norm,,bf16,1,64,,,,,,,,,,,,0.003,,1" TAIL,
            "0.003 us is less than any kernel takes");
    refuses(state, HEADER GEMM_KEY ",0,0,1" TAIL, ":2: time_us is 0");
    refuses(state, HEADER GEMM_KEY ",-1,0,1" TAIL, "time_us is -1");
    refuses(state, HEADER GEMM_KEY ",nan,0,1" TAIL, "time_us");
    refuses(state, HEADER GEMM_KEY ",,0,1" TAIL, "time_us");
    refuses(state, HEADER GEMM_KEY ",1,-0.5,1" TAIL, "mad_us is -0.5");
    refuses(state, HEADER GEMM_KEY ",1,0,0" TAIL, "samples: 0 lies");
    refuses(state, HEADER GEMM_KEY ",1,0,1,when,,,,own,MIT\n", "stop is 'when'");
    refuses(state, HEADER GEMM_KEY ",1,0,1,fixed,,,,,MIT\n", "source is empty");
    refuses(state, HEADER GEMM_KEY ",1,0,1,fixed,,,,own,\n", "licence is empty");
    refuses(state, HEADER "A10,step,run:x,fp16,,,,1,,,,,,,,,,1,,1" TAIL, "'run:x'");
    refuses(state, HEADER "A10,step,decode:x,fp16,,,,1,4,,,,,,,,,1,,1" TAIL,
            "context is empty");
    refuses(state,
            HEADER GEMM "A10,sync,spin,,,,,,,,,,,,,,,3,,,fixed,,,,own,MIT\n" GEMM,
            ":4: the same key as line 2");
    refuses(state, HEADER GEMM GEMM_KEY ",12", ":3: 18 fields");
    refuses(state, HEADER GEMM GEMM_KEY ",12.5,0.25,31,stdrel,1980,2619,580,own,MI",
            ":3: the last line has no end");
}

static void the_same_shape_twice_is_not_the_same_key(void **state) {
    const struct world *w = *state;
    const char *text =
        HEADER GEMM "H100-SXM,gemm,cold,bf16,16,4096,1024,,,,,,,,,,,20,,1" TAIL
                    "A10,gemm,,bf16,16,4096,1024,,,,,,,,,,,20,,1" TAIL
                    "H100-SXM,gemm,,fp8,16,4096,1024,,,,,,,,,,,20,,1" TAIL
                    "H100-SXM,gemm,,bf16,17,4096,1024,,,,,,,,,,,20,,1" TAIL;
    put(w, text, strlen(text), false);
    struct hd_kernels set = {0};
    struct hd_err err = {0};
    assert_true(hd_kernels_read(&set, w->catalog, w->path, &err));
    assert_int_equal(set.rows, 5);
    /* A second file may measure the same again. */
    assert_true(hd_kernels_read(&set, w->catalog, w->path, &err));
    assert_int_equal(set.rows, 10);
    int *order = hd_kernels_sorted(&set);
    for (int n = 1; n < set.rows; n++) {
        int c = hd_kernel_compare(&set.row[order[n - 1]], &set.row[order[n]]);
        assert_true(n % 2 ? c == 0 : c < 0);
    }
    free(order);
    hd_kernels_free(&set);
}

static void packed_files_are_read_and_cut_ones_refused(void **state) {
    const struct world *w = *state;
    char *text = NULL;
    size_t bytes;
    FILE *stream = hd_text_stream(&text, &bytes);
    fputs(HEADER, stream);
    for (int m = 1; m <= 2000; m++)
        fprintf(stream, "H100-SXM,gemm,,bf16,%d,2048,2048,,,,,,,,,,,%d.%d,,1" TAIL, m,
                m, m * 7 % 10);
    hd_text_stream_end(stream, &text);
    put(w, text, bytes, true);
    struct hd_kernels set = {0};
    struct hd_err err = {0};
    assert_true(hd_kernels_read(&set, w->catalog, w->path, &err));
    assert_int_equal(set.rows, 2000);
    assert_true(set.row[1999].time_us == 2000.0);
    hd_kernels_free(&set);

    size_t packed;
    char *whole = hd_read_text(w->path, 1 << 20, &packed, &err);
    assert_non_null(whole);
    assert_true(packed < bytes / 2); /* it was compressed indeed */
    assert_int_equal(truncate(w->path, (off_t)packed / 2), 0);
    assert_false(hd_kernels_read(&set, w->catalog, w->path, &err));
    assert_non_null(strstr(err.text, "cut off here"));
    assert_int_equal(set.rows, 0);

    whole[packed / 2] ^= 0x55;
    FILE *file = fopen(w->path, "wb");
    assert_true(fwrite(whole, 1, packed, file) == packed && fclose(file) == 0);
    err = (struct hd_err){0};
    assert_false(hd_kernels_read(&set, w->catalog, w->path, &err));
    hd_kernels_free(&set);
    free(whole);
    free(text);
}

static void what_is_written_reads_back(void **state) {
    const struct world *w = *state;
    const char *text =
        HEADER GEMM "A10,sync,spin,,,,,,,,,,,,,,,3,,,fixed,,,,\"own, too\",MIT\n"
                    "A10,copy,h2d_pinned,,,,,,,,,,,,,4096,,0.1,0,9,budget,,,,own,MIT\n";
    put(w, text, strlen(text), false);
    struct hd_kernels set = {0};
    struct hd_err err = {0};
    assert_true(hd_kernels_read(&set, w->catalog, w->path, &err));
    assert_false(hd_kernels_write(&set, w->path, false, &err)); /* it is there */
    err = (struct hd_err){0};
    assert_true(hd_kernels_write(&set, w->path, true, &err));
    size_t bytes;
    char *again = hd_read_text(w->path, 1 << 20, &bytes, &err);
    assert_string_equal(again, text);
    free(again);
    hd_kernels_free(&set);
    assert_false(hd_kernels_write(&set, "/nowhere/k.csv", true, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(wrong_rows_are_refused),
        cmocka_unit_test(the_same_shape_twice_is_not_the_same_key),
        cmocka_unit_test(packed_files_are_read_and_cut_ones_refused),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
