/* Profiles of whole layers and iterations, of Vidur, LLMServingSim and Aegaeon, become
 * rows of the schema: shapes by tensor-parallel degree, units, names, and what is
 * refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "unit/import_world.h"

/* ---- Vidur --------------------------------------------------------------- */

static const char *const vidur_ops[] = {
    "emb",         "input_layernorm", "attn_pre_proj",
    "attn_rope",   "attn_post_proj",  "post_attention_layernorm",
    "mlp_up_proj", "mlp_act",         "mlp_down_proj",
    "add"};

/* One row each for tp 1 and 2 of a shape of the 70B, 16 tokens. */
static char *vidur_table(const char *heads, double norm_ms) {
    char *text = NULL;
    size_t bytes;
    FILE *out = hd_text_stream(&text, &bytes);
    for (int n = 0; n < 10; n++)
        fprintf(out, "time_stats.%s.median,time_stats.%s.std,", vidur_ops[n],
                vidur_ops[n]);
    fprintf(out, "n_head,n_kv_head,n_embd,n_expanded_embd,vocab_size,use_gated_mlp,"
                 "num_tokens,num_tensor_parallel_workers\n");
    for (int tp = 1; tp <= 2; tp++) {
        for (int n = 0; n < 10; n++) {
            bool gemm = n == 2 || n == 4 || n == 6 || n == 8;
            fprintf(out, "%g,%g,", gemm ? 0.25 / tp : norm_ms, gemm ? 0.004 : 0);
        }
        fprintf(out, "%s,8,8192,28672,32768,True,16,%d\n", heads, tp);
    }
    hd_text_stream_end(out, &text);
    return text;
}

static void layers_of_vidur_are_split_by_tp(void **state) {
    struct import_world *w = *state;
    char *text = vidur_table("64", 0.006);
    import_put(w, "a100/Llama-2-70b-hf/mlp.csv", text);
    free(text);
    import_takes(w, VIDUR, 20);
    const struct hd_kernel_row *r = w->set.row;
    assert_string_equal(r[0].gpu->name, "A100-80-SXM");
    row_has(&r[0], HD_OP_EMBEDDING, 16, 8192, HD_DIM_ABSENT);
    row_has(&r[1], HD_OP_NORM, 16, 8192, HD_DIM_ABSENT);
    row_has(&r[2], HD_OP_GEMM, 16, 80 * 128, 8192);
    row_has_heads(&r[3], 64, 8);
    row_has(&r[4], HD_OP_GEMM, 16, 8192, 8192);
    row_has(&r[6], HD_OP_GEMM, 16, 2 * 28672, 8192);
    row_has(&r[7], HD_OP_ACTIVATION, 16, 28672, HD_DIM_ABSENT);
    row_has(&r[8], HD_OP_GEMM, 16, 8192, 28672);
    row_has(&r[9], HD_OP_ADD, 16, 8192, HD_DIM_ABSENT);
    row_has(&r[12], HD_OP_GEMM, 16, 40 * 128, 8192);
    row_has_heads(&r[13], 32, 4);
    row_has(&r[14], HD_OP_GEMM, 16, 8192, 4096);
    row_has(&r[16], HD_OP_GEMM, 16, 28672, 8192);
    row_has(&r[17], HD_OP_ACTIVATION, 16, 14336, HD_DIM_ABSENT);
    row_has(&r[18], HD_OP_GEMM, 16, 8192, 14336);
    assert_string_equal(r[12].variant, "attn_pre_proj:meta-llama/Llama-2-70b:tp2");
    assert_string_equal(r[12].dtype, "fp16");
    assert_true(r[1].time_us == 6 && r[1].mad_us == 0.5); /* half the grid */
    assert_true(r[2].time_us == 250);
    assert_true(fabs(r[2].mad_us - 4 * 0.6745) < 1e-6);
    assert_int_equal(import_noted(w, "grid of 1 us"), 20);
}

static void layers_of_another_model_are_refused(void **state) {
    struct import_world *w = *state;
    char *text = vidur_table("64", 0.006);
    import_put(w, "h100/Llama-2-7b-hf/mlp.csv", text);
    import_refuses(w, VIDUR, ":2: 64 heads, 8 KV heads");
    import_put(w, "h100/SomeModel/mlp.csv",
               text); /* not in the catalogue: as it says */
    import_takes(w, VIDUR, 20);
    assert_string_equal(w->set.row[2].variant, "attn_pre_proj:SomeModel:tp1");
    import_put(w, "somewhere/Llama-2-70b-hf/mlp.csv", text);
    import_refuses(w, VIDUR, "--gpu does");
    free(text);
    text = vidur_table("60", 0.006);
    import_put(w, "h100/Llama-2-70b-hf/mlp.csv", text);
    import_refuses(w, VIDUR, "cannot be split");
    free(text);
    text = vidur_table("64", 0);
    import_put(w, "h100/Llama-2-70b-hf/mlp.csv", text);
    import_refuses(w, VIDUR, ":2: time_stats.emb.median is 0; expected a time above 0");
    free(text);
    text = vidur_table("64", 6); /* us where ms belong */
    import_put(w, "h100/Llama-2-70b-hf/mlp.csv", text);
    import_refuses(w, VIDUR, "wrong units");
    free(text);
}

static void all_reduces_across_nodes_are_dropped(void **state) {
    struct import_world *w = *state;
    const char *head =
        ",time_stats.all_reduce.median,time_stats.all_reduce.std,rank,"
        "num_workers,size,collective,devices_per_node,max_devices_per_node\n";
    char *text = hd_format("%s0,0.043,0.02,0,2,2048,all_reduce,1,8\n"
                           "1,0.046,0.001,0,2,2048,all_reduce,2,8\n"
                           "2,0.06,0,0,8,4096,all_reduce,8,8\n",
                           head);
    import_put(w, "network/a100_dgx/all_reduce.csv", text);
    free(text);
    import_takes(w, VIDUR, 2);
    assert_int_equal(w->report.rows, 3);
    assert_int_equal(import_noted(w, "several nodes"), 1);
    assert_string_equal(w->set.row[0].gpu->name, "A100-80-SXM");
    assert_int_equal(w->set.row[0].op, HD_OP_ALL_REDUCE);
    assert_int_equal(w->set.row[0].shape[HD_DIM_BYTES], 2048); /* bytes already */
    assert_true(w->set.row[0].time_us == 46);
    assert_int_equal(w->set.row[1].shape[HD_DIM_GPUS], 8);
    text = hd_format("%s0,0.043,0.02,0,2,2048,send_recv,2,8\n", head);
    import_put(w, "network/a100_dgx/all_reduce.csv", text);
    free(text);
    import_refuses(w, VIDUR, ":2: collective is 'send_recv'");
}

/* ---- LLMServingSim ------------------------------------------------------- */

#define LLAMA "RTXPRO6000/meta-llama/Llama-3.1-8B/bf16/"

static void folders_of_llmservingsim_give_the_shape(void **state) {
    struct import_world *w = *state;
    import_put(
        w, LLAMA "meta.yaml",
        "vllm_version: 0.19.0\ngpu: NVIDIA RTX PRO 6000 Blackwell Server Edition\n"
        "model: meta-llama/Llama-3.1-8B\nmeasurement_iterations: 3\n");
    import_put(
        w, LLAMA "tp2/dense.csv",
        "layer,tokens,time_us\nqkv_proj,16,20\ngate_up_proj,16,60\ndown_proj,16,40\n"
        "o_proj,16,15\nact_fn,16,3\nlayernorm,16,3\nrotary_emb,16,3\nembedding,16,3\n");
    import_takes(w, LLMSERVINGSIM, 8);
    const struct hd_kernel_row *r = w->set.row;
    assert_string_equal(r[0].gpu->name, "RTX-PRO-6000-Server");
    row_has(&r[0], HD_OP_GEMM, 16, 24 * 128, 4096);
    row_has(&r[1], HD_OP_GEMM, 16, 14336, 4096);
    row_has(&r[2], HD_OP_GEMM, 16, 4096, 7168);
    row_has(&r[3], HD_OP_GEMM, 16, 4096, 2048);
    row_has(&r[4], HD_OP_ACTIVATION, 16, 7168, HD_DIM_ABSENT);
    row_has(&r[5], HD_OP_NORM, 16, 4096, HD_DIM_ABSENT);
    row_has_heads(&r[6], 16, 4);
    assert_true(r[0].time_us == 20 && r[0].samples == 3);
    assert_string_equal(r[0].variant, "qkv_proj:meta-llama/Meta-Llama-3.1-8B:tp2");
    assert_string_equal(r[5].variant, "layernorm:meta-llama/Meta-Llama-3.1-8B");
    assert_non_null(strstr(r[0].source, "vLLM 0.19.0"));
    import_put(w, LLAMA "tp2/per_sequence.csv",
               "layer,sequences,time_us\nlm_head,4,600\nsampler,4,40\n");
    import_takes(w, LLMSERVINGSIM, 2);
    row_has(&w->set.row[0], HD_OP_LM_HEAD, 4, 64128, 4096);
    row_has(&w->set.row[1], HD_OP_SAMPLING, 4, 128256, HD_DIM_ABSENT);
}

static void mixed_batches_and_ragged_ones_are_told_apart(void **state) {
    struct import_world *w = *state;
    import_put(w, LLAMA "tp1/attention.csv",
               "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,8,1024,30\n"
               "512,1024,0,0,100\n512,0,8,1024,110\n");
    import_takes(w, LLMSERVINGSIM, 3);
    const struct hd_kernel_row *r = w->set.row;
    assert_int_equal(r[0].op, HD_OP_ATTENTION_DECODE);
    assert_int_equal(r[0].shape[HD_DIM_BATCH], 8);
    assert_int_equal(r[0].shape[HD_DIM_CONTEXT], 1024);
    assert_int_equal(r[1].op, HD_OP_ATTENTION_PREFILL);
    assert_int_equal(r[1].shape[HD_DIM_BATCH], 1);
    assert_int_equal(r[1].shape[HD_DIM_PREFIX], 1024);
    assert_int_equal(r[2].op, HD_OP_ATTENTION_MIXED);
    assert_int_equal(r[2].shape[HD_DIM_CHUNK], 512);
    row_has_heads(&r[2], 32, 8);
    import_put(
        w, LLAMA "tp1/skew.csv",
        "regime,n,nb,ratio,skew,pc,kp,kvs,kv_big,kv_mean,t_mean_us,t_max_us,t_skew_us,"
        "alpha\npure,2,1,0.5,4.0,0,0,128,512,320,46.4,50.1,47.3,0.2\n");
    import_takes(w, LLMSERVINGSIM, 1);
    assert_int_equal(w->set.row[0].op, HD_OP_ATTENTION_DECODE);
    assert_int_equal(w->set.row[0].shape[HD_DIM_CONTEXT], 320);
    assert_int_equal(w->set.row[0].shape[HD_DIM_COUNT], 512);
    assert_true(w->set.row[0].time_us == 47.3);
    assert_int_equal(strncmp(w->set.row[0].variant, "ragged", 6), 0);
    import_put(w, LLAMA "tp1/attention.csv",
               "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,0,0,30\n");
    import_refuses(w, LLMSERVINGSIM, ":2: neither a chunk nor decodes");
}

static void mixed_up_folders_are_refused(void **state) {
    struct import_world *w = *state;
    const char *dense = "layer,tokens,time_us\nqkv_proj,16,20\n";
    import_put(w, LLAMA "dense.csv", dense);
    import_refuses(w, LLMSERVINGSIM, ":1: lies in a folder 'bf16'");
    import_put(w, LLAMA "tp3/dense.csv", dense);
    import_refuses(w, LLMSERVINGSIM, "cannot be split on 3 GPUs");
    import_put(w, "RTX4090/Qwen/Qwen9-1B/bf16/tp1/dense.csv", dense);
    import_refuses(w, LLMSERVINGSIM, "Qwen/Qwen9-1B");
    import_put(w, "RTX4090/Qwen/Qwen3-32B/w4/tp1/dense.csv", dense);
    import_refuses(w, LLMSERVINGSIM, "dtype 'w4'");
    import_put(w, "RTX4090/Qwen/Qwen3-32B/bf16/tp1/dense.csv",
               "layer,tokens,time_us\nmoe_gate,16,20\n");
    import_refuses(w, LLMSERVINGSIM, ":2: layer 'moe_gate' is unknown");
    import_put(w, "RTX4090/Qwen/Qwen3-32B/bf16/meta.yaml", "gpu: 'NVIDIA L40S'\n");
    import_put(w, "RTX4090/Qwen/Qwen3-32B/bf16/tp1/dense.csv", dense);
    import_refuses(w, LLMSERVINGSIM, "meta.yaml says NVIDIA L40S; expected RTX-4090");
    import_put(w, "RTX4090/Qwen/Qwen3-32B/bf16/meta.yaml", "model: Qwen/Qwen3-8B\n");
    import_put(w, "RTX4090/Qwen/Qwen3-32B/bf16/tp1/dense.csv", dense);
    import_refuses(w, LLMSERVINGSIM, "meta.yaml says Qwen/Qwen3-8B");
}

/* ---- Aegaeon ------------------------------------------------------------- */

static void iterations_are_in_seconds(void **state) {
    struct import_world *w = *state;
    import_put(w, "iterations.csv",
               "model,gpu,i,b,np_,nd,pre,dec,psd,dsd\n"
               "qwen2_5_7b,H100,128,8,12,12,0.025,0.0095,0.001,0.0002\n"
               "qwen2_5_7b,H100,4096,2,12,12,0.2,0.0004,0.001,0.0001\n"
               "qwen2_5_7b,H800,4096,2,12,12,0.2,0.012,0.001,0.0001\n");
    import_takes(w, AEGAEON, 6);
    const struct hd_kernel_row *r = w->set.row;
    assert_int_equal(r[0].op, HD_OP_STEP);
    assert_string_equal(r[0].variant, "prefill:Qwen/Qwen2.5-7B");
    assert_true(r[0].time_us == 25000 && r[0].samples == 12);
    assert_true(fabs(r[0].mad_us - 674.5) < 1e-6);
    assert_int_equal(r[0].shape[HD_DIM_CHUNK], 128);
    assert_int_equal(r[0].shape[HD_DIM_BATCH], 8);
    assert_int_equal(r[0].shape[HD_DIM_CONTEXT], HD_DIM_ABSENT);
    assert_string_equal(r[1].variant, "decode:Qwen/Qwen2.5-7B");
    assert_int_equal(r[1].shape[HD_DIM_CONTEXT], 133);
    assert_true(r[1].time_us == 9500);
    assert_int_equal(import_noted(w, "chunked prefills"), 1); /* the second, kept */
    import_put(w, "iterations.csv",
               "model,gpu,i,b,pre,dec\nqwen2_5_7b,H100,128,8,25,9.5\n");
    import_refuses(w, AEGAEON, ":2: 2.5e+07 us is more than 200 times"); /* ms as s */
    import_put(w, "iterations.csv",
               "model,gpu,i,b,pre,dec\nqwen2_5_7b,H101,128,8,0.1,0.1\n");
    import_refuses(w, AEGAEON, ":2: H101");
    import_put(w, "iterations.csv",
               "model,gpu,i,b,pre,dec\nqwen2_5_7b,H100,128,8,0.1,0\n");
    import_refuses(w, AEGAEON, ":2: dec is 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_of_vidur_are_split_by_tp),
        cmocka_unit_test(layers_of_another_model_are_refused),
        cmocka_unit_test(all_reduces_across_nodes_are_dropped),
        cmocka_unit_test(folders_of_llmservingsim_give_the_shape),
        cmocka_unit_test(mixed_batches_and_ragged_ones_are_told_apart),
        cmocka_unit_test(mixed_up_folders_are_refused),
        cmocka_unit_test(iterations_are_in_seconds),
    };
    return cmocka_run_group_tests(tests, import_world_open, import_world_close);
}
