/* Kernel tables of aiconfigurator become rows of the schema; what any profile goes
 * through: units, repeats, refusals, names of GPUs. The profiles are small ones written
 * here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "calibrate/roof.h"
#include "unit/import_world.h"

/* ---- aiconfigurator ------------------------------------------------------ */

static void gemm_tables_are_in_ms(void **state) {
    struct import_world *w = *state;
    import_put(
        w, "gemm_h100_sxm.csv",
        "gemm_dtype,m,n,k,latency\nbfloat16,1,512,768,0.003788\nfp8,64,4096,1024,0."
        "01\n");
    import_takes(w, AICONFIGURATOR, 2);
    const struct hd_kernel_row *r = w->set.row;
    row_has(&r[0], HD_OP_GEMM, 1, 512, 768);
    assert_true(r[0].time_us == 3.788 && isnan(r[0].mad_us) && r[0].samples == 0);
    assert_string_equal(r[0].gpu->name, "H100-SXM");
    assert_string_equal(r[0].dtype, "bf16");
    assert_string_equal(r[1].dtype, "fp8");
    assert_string_equal(r[0].stop, "imported");
    assert_string_equal(r[0].licence, "Apache-2.0");
    assert_string_equal(r[0].source, "ai-dynamo/aiconfigurator gemm_h100_sxm.csv");
    assert_int_equal(r[1].line, 3);
}

static void attention_tables_tell_prefill_from_decode(void **state) {
    struct import_world *w = *state;
    import_put(
        w, "systems/l40s/vllm/attention.csv",
        "kv_cache_dtype,batch_size,isl,num_heads,num_key_value_heads,step,latency\n"
        "bfloat16,2,1024,32,8,0,1.5\nfp8,16,1,32,4,8191,0.5\nbfloat16,1,1,32,8,0,0."
        "01\n");
    import_takes(w, AICONFIGURATOR, 3);
    const struct hd_kernel_row *r = w->set.row;
    assert_string_equal(r[0].gpu->name, "L40S");
    assert_int_equal(r[0].op, HD_OP_ATTENTION_PREFILL);
    assert_int_equal(r[0].shape[HD_DIM_BATCH], 2);
    assert_int_equal(r[0].shape[HD_DIM_CHUNK], 1024);
    assert_int_equal(r[0].shape[HD_DIM_PREFIX], 0);
    row_has_heads(&r[0], 32, 8);
    assert_int_equal(r[1].op, HD_OP_ATTENTION_DECODE);
    assert_int_equal(r[1].shape[HD_DIM_CONTEXT], 8191);
    assert_int_equal(r[1].shape[HD_DIM_CHUNK], HD_DIM_ABSENT);
    assert_true(r[1].time_us == 500);
    assert_int_equal(r[2].op, HD_OP_ATTENTION_PREFILL);
    assert_int_equal(import_noted(w, "128 assumed"), 3);
    import_put(
        w, "attention_l40s.csv",
        "kv_cache_dtype,batch_size,isl,num_heads,num_key_value_heads,step,latency\n"
        "bfloat16,2,1024,32,8,7,1.5\n");
    import_refuses(w, AICONFIGURATOR, ":2: isl 1024 at step 7");
}

static void collectives_are_sized_in_elements(void **state) {
    struct import_world *w = *state;
    import_put(
        w, "comm_h100_sxm_nccl_2.29.2_nccl.csv",
        "framework,version,device,op_name,kernel_source,nccl_dtype,num_gpus,message_"
        "size,"
        "latency\n"
        "TRTLLM,2.29.2,NVIDIA H100 80GB HBM3,all_reduce,NCCL,half,2,1024,0.00531\n"
        "TRTLLM,2.29.2,NVIDIA H100 80GB HBM3,alltoall,NCCL,int8,8,1024,0.006\n");
    import_takes(w, AICONFIGURATOR, 2);
    assert_int_equal(w->set.row[0].op, HD_OP_ALL_REDUCE);
    assert_int_equal(w->set.row[0].shape[HD_DIM_BYTES], 2048);
    assert_int_equal(w->set.row[0].shape[HD_DIM_GPUS], 2);
    assert_string_equal(w->set.row[0].variant, "nccl");
    assert_int_equal(w->set.row[1].op, HD_OP_ALL_TO_ALL);
    assert_int_equal(w->set.row[1].shape[HD_DIM_BYTES], 1024);
    assert_non_null(strstr(w->set.row[0].source, "TRTLLM 2.29.2"));
    /* The device's own word against the file's name. */
    import_put(
        w, "comm_a100_sxm.csv",
        "device,op_name,kernel_source,allreduce_dtype,num_gpus,message_size,latency\n"
        "NVIDIA H100 80GB HBM3,all_reduce,vLLM_custom_graph,bfloat16,2,128,0.005\n");
    import_refuses(w, AICONFIGURATOR, ":2: measured on NVIDIA H100 80GB HBM3, but");
    import_put(
        w, "comm.csv",
        "device,op_name,kernel_source,allreduce_dtype,num_gpus,message_size,latency\n"
        "NVIDIA RTX PRO 6000 Blackwell Server Edition,all_reduce,vLLM_custom_graph,"
        "bfloat16,2,128,0.005\n");
    import_takes(w, AICONFIGURATOR, 1);
    assert_string_equal(w->set.row[0].gpu->name, "RTX-PRO-6000-Server");
    assert_string_equal(w->set.row[0].variant, "vllm_custom_graph");
}

static void wrong_units_and_other_gpus_are_noticed(void **state) {
    struct import_world *w = *state;
    const char *head = "gemm_dtype,m,n,k,latency\nbfloat16,64,4096,4096,0.02\n";
    char *text = hd_format("%sbfloat16,64,4096,8192,40\n", head); /* us as ms */
    import_put(w, "gemm_h100.csv", text);
    free(text);
    import_refuses(w, AICONFIGURATOR, ":3: 40000 us is more than 200 times");
    text = hd_format("%sbfloat16,64,4096,8192,0.00004\n", head); /* s as ms */
    import_put(w, "gemm_h100.csv", text);
    free(text);
    import_refuses(w, AICONFIGURATOR, ":3: 0.04 us is less than a tenth");
    text = hd_format("%sfp8,64,4096,8192,0.04\n", head);
    import_put(w, "gemm_a100.csv", text);
    free(text);
    import_refuses(w, AICONFIGURATOR, ":3: fp8 on A100-80-SXM");
    import_put(w, "gemm.csv", head);
    import_refuses(w, AICONFIGURATOR, "--gpu does");
    assert_true(
        import_as(w, AICONFIGURATOR, hd_catalog_gpu(w->catalog, "L40S", &w->err)));
    assert_string_equal(w->set.row[0].gpu->name, "L40S");
}

static void broken_tables_are_refused(void **state) {
    struct import_world *w = *state;
#define TABLE(rows) "gemm_dtype,m,n,k,latency\nbfloat16,1,512,512,0.004\n" rows
    static const char *const wrong[][2] = {
        {"", "is empty"},
        {"gemm_dtype,m,n,k,latency\n", "no measurement"},
        {"gemm_dtype,m,n,latency\nbfloat16,1,512,0.004\n", ":1: no column 'k'"},
        {"a,b,c\n1,2,3\n", ":1: the header is not known"},
        {"model,gpu,i,b,pre,dec\n",
         ":1: the header is one of aegaeon; expected a GEMM"},
        {TABLE("bfloat16,2,512\n"), ":3: 3 fields; expected 5"},
        {TABLE("bfloat16,2,512,512,0.00"), ":3: latency is 0.00"},
        {TABLE("bfloat16,2,512,512,0.004"), ":3: the last line has no end"},
        {TABLE("bfloat16,2,512,512,0\n"), ":3: latency is 0; expected a time above 0"},
        {TABLE("bfloat16,2,512,512,-0.004\n"), ":3: latency is -0.004"},
        {TABLE("bfloat16,2,512,512,x\n"), ":3: latency: "},
        {TABLE("bfloat16,0,512,512,0.004\n"), ":3: m: 0 lies outside"},
        {TABLE("bfloat17,2,512,512,0.004\n"), ":3: dtype 'bfloat17' is unknown"},
    };
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++) {
        import_put(w, "gemm_h100.csv", wrong[n][0]);
        import_refuses(w, AICONFIGURATOR, wrong[n][1]);
    }
}

static void repeats_become_one(void **state) {
    struct import_world *w = *state;
    import_put(w, "gemm_h100.csv",
               TABLE("bfloat16,1,512,512,0.004\nbfloat16,2,512,512,0.004\n"
                     "bfloat16,2,512,512,0.005\nbfloat16,2,512,512,0.0048\n"));
    import_takes(w, AICONFIGURATOR, 2);
    assert_int_equal(w->report.rows, 5);
    assert_int_equal(w->report.made, 5);
    assert_int_equal(w->report.identical, 1);
    assert_int_equal(w->report.merged, 2);
    assert_true(w->set.row[0].time_us == 4 && isnan(w->set.row[0].mad_us));
    assert_true(w->set.row[1].time_us == 4.8 && w->set.row[1].line == 4);
    assert_true(fabs(w->set.row[1].mad_us - 0.2) < 1e-9);
    import_put(w, "gemm_h100.csv",
               TABLE("bfloat16,2,512,512,0.004\nbfloat16,2,512,512,0.009\n"));
    import_refuses(w, AICONFIGURATOR, ":4: 9 us, but 4 us at");
}

/* ---- names and the yardstick --------------------------------------------- */

static void gpus_are_found_in_paths(void **state) {
    struct import_world *w = *state;
    static const char *const path[][2] = {
        {"gemm_h100_sxm.csv.gz", "H100-SXM"},
        {"comm_rtx_pro_6000_server_vllm_0.19.0_custom.csv", "RTX-PRO-6000-Server"},
        {"/a10/h100_dgx/all_reduce.csv", "H100-SXM"},
        {"/data/a100_pcie/x.csv", "A100-80-PCIe"},
        {"RTX4090/meta-llama/m/x.csv", "RTX-4090"},
        {"/x/h100s/y.csv", NULL},
        {"", NULL},
    };
    for (size_t n = 0; n < sizeof path / sizeof *path; n++) {
        const struct hd_gpu_spec *gpu = hd_gpu_of_path(w->catalog, path[n][0]);
        if (path[n][1]) assert_non_null(gpu);
        if (path[n][1])
            assert_string_equal(gpu->name, path[n][1]);
        else
            assert_null(gpu);
    }
}

static void roofs_follow_the_data_sheet(void **state) {
    struct import_world *w = *state;
    const struct hd_gpu_spec *gpu = hd_catalog_gpu(w->catalog, "H100-SXM", &w->err);
    struct hd_kernel_row row = hd_kernel_row_of(gpu, HD_OP_GEMM);
    row.dtype = "bf16";
    row.shape[HD_DIM_M] = row.shape[HD_DIM_N] = row.shape[HD_DIM_K] = 8192;
    double flops_us = 2 * 8192.0 * 8192 * 8192 / 989e12 * 1e6;
    assert_true(fabs(hd_kernel_roof_us(&row, NULL) / flops_us - 1) < 1e-12);
    row.shape[HD_DIM_M] = 1;
    double bytes_us = 2 * (8192.0 * 8192 + 2 * 8192) / 3350e9 * 1e6;
    assert_true(fabs(hd_kernel_roof_us(&row, NULL) / bytes_us - 1) < 1e-12);
    row = hd_kernel_row_of(gpu, HD_OP_ATTENTION_DECODE);
    row.dtype = "fp8";
    row.shape[HD_DIM_BATCH] = 64;
    row.shape[HD_DIM_CONTEXT] = 8191;
    row.shape[HD_DIM_HEADS] = 32;
    row.shape[HD_DIM_KV_HEADS] = 8;
    row.shape[HD_DIM_HEAD_DIM] = 128;
    struct hd_kernel_work work = hd_kernel_work_of(&row, NULL);
    assert_true(work.flops == 4.0 * 32 * 128 * 64 * 8192);
    assert_true(work.bytes == 2.0 * 64 * 8192 * 8 * 128 + 4.0 * 64 * 32 * 128);
    row = hd_kernel_row_of(gpu, HD_OP_SYNC);
    assert_true(hd_kernel_roof_us(&row, NULL) == 0);
}

/* Whatever happens to a profile, it is refused in one line, or what is kept is valid.
 */
static void spoilt_profiles_do_no_harm(void **state) {
    struct import_world *w = *state;
    const char *whole =
        "device,op_name,kernel_source,nccl_dtype,num_gpus,message_size,latency\n"
        "NVIDIA H100 80GB HBM3,all_reduce,NCCL,half,2,1024,0.00531\n"
        "NVIDIA H100 80GB HBM3,all_gather,NCCL,int8,8,2048,0.006\n"
        "\"NVIDIA H100 80GB HBM3\",all_reduce,NCCL,half,2,4096,0.007\n";
    static const char letters[] = "0123456789.,-\"\n\reNab ";
    uint64_t draw = 1;
    int refused = 0, kept = 0;
    for (int n = 0; n < 3000; n++) {
        char *text = hd_strdup(whole);
        int changes = 1 + n % 3;
        for (int k = 0; k < changes; k++) {
            draw = draw * 6364136223846793005u + 1442695040888963407u;
            size_t at = (size_t)(draw >> 33) % strlen(text);
            draw = draw * 6364136223846793005u + 1442695040888963407u;
            text[at] = n % 7 ? letters[(draw >> 33) % (sizeof letters - 1)] : '\0';
            if (text[0] == '\0') text[0] = 'x';
        }
        import_put(w, "comm_h100.csv", text);
        free(text);
        if (import_as(w, AICONFIGURATOR, NULL)) {
            kept++;
            struct hd_err why = {0};
            for (int i = 0; i < w->set.rows; i++)
                assert_true(hd_kernel_row_check(&w->set.row[i], &why));
        } else {
            refused++;
            assert_int_equal(strncmp(w->err.text, w->path, strlen(w->path)), 0);
        }
    }
    assert_true(refused > 1000 && kept > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gemm_tables_are_in_ms),
        cmocka_unit_test(attention_tables_tell_prefill_from_decode),
        cmocka_unit_test(collectives_are_sized_in_elements),
        cmocka_unit_test(wrong_units_and_other_gpus_are_noticed),
        cmocka_unit_test(broken_tables_are_refused),
        cmocka_unit_test(repeats_become_one),
        cmocka_unit_test(gpus_are_found_in_paths),
        cmocka_unit_test(roofs_follow_the_data_sheet),
        cmocka_unit_test(spoilt_profiles_do_no_harm),
    };
    return cmocka_run_group_tests(tests, import_world_open, import_world_close);
}
