/* The catalogue: every row against arithmetic of its own and published facts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hardware/catalog.h"
#include "hardware/device_name.h"
#include "hardware/model.h"
#include "hardware/node.h"

static int load(void **state) {
    struct hd_err err = {0};
    struct hd_catalog *c = hd_catalog_load(&err);
    if (!c) print_error("%s\n", err.text);
    *state = c;
    return c ? 0 : -1;
}

static int unload(void **state) {
    hd_catalog_free(*state);
    return 0;
}

/* Parameters counted matrix by matrix, the slow way. */
static int64_t count_params(const struct hd_model_spec *m, int experts_counted) {
    int64_t sum = (int64_t)m->vocab * m->hidden;
    if (!m->tied) sum += (int64_t)m->vocab * m->hidden;
    sum += m->hidden; /* the last norm */
    for (int layer = 0; layer < m->layers; layer++) {
        int64_t h = m->hidden, q = (int64_t)m->heads * m->head_dim,
                kv = (int64_t)m->kv_heads * m->head_dim;
        sum += 2 * h;
        if (m->kv_rank) {
            sum += h * m->q_rank + m->q_rank;
            sum += (int64_t)m->q_rank * m->heads * (m->head_dim + m->rope_dim);
            sum += h * (m->kv_rank + m->rope_dim) + m->kv_rank;
            sum += (int64_t)m->kv_rank * m->heads * 2 * m->head_dim;
            sum += q * h;
        } else {
            sum += h * q + h * kv + h * kv + q * h;
        }
        if (m->qk_norm) sum += m->head_dim + m->head_dim;
        if (m->bias != HD_BIAS_NONE) sum += q + kv + kv;
        if (m->bias == HD_BIAS_ALL) sum += h + m->heads;
        if (m->experts == 0 || layer < m->dense_layers) {
            sum += h * m->ffn + h * m->ffn + m->ffn * h;
            continue;
        }
        sum += h * m->experts; /* the router */
        if (m->bias == HD_BIAS_ALL || m->kv_rank) sum += m->experts;
        sum += 3 * h * m->shared_ffn;
        for (int e = 0; e < experts_counted; e++) {
            sum += 3 * h * m->moe_ffn;
            if (m->bias == HD_BIAS_ALL) sum += 2 * (int64_t)m->moe_ffn + h;
        }
    }
    return sum;
}

static void every_model_adds_up(void **state) {
    int count;
    const struct hd_model_spec *all = hd_catalog_models(*state, &count);
    assert_true(count >= 36);
    for (int n = 0; n < count; n++) {
        const struct hd_model_spec *m = &all[n];
        int64_t params = count_params(m, m->experts);
        if (m->params != params) print_error("%s\n", m->name);
        assert_true(m->params == params);
        assert_true(m->active_params == count_params(m, m->topk));
        assert_true(m->weights_bytes == 2 * params);
        int64_t kv = 0;
        for (int layer = 0; layer < m->layers; layer++)
            kv += m->kv_rank ? 2 * (m->kv_rank + m->rope_dim)
                             : 2 * 2 * (int64_t)m->kv_heads * m->head_dim;
        assert_true(m->kv_token_bytes == kv);
        if (m->published_params > 0)
            assert_true((int64_t)m->published_params == m->params);
    }
}

/* Totals and KV sizes that others published; exact, so a wrong width shows. */
static void published_totals(void **state) {
    static const struct {
        const char *name;
        int64_t params, kv_bytes;
    } facts[] = {
        {"llama-2-7b", 6738415616, 524288},    {"llama-2-13b", 13015864320, 819200},
        {"llama-2-70b", 68976648192, 327680},  {"mistral-7b", 7241732096, 131072},
        {"mixtral-8x7b", 46702792704, 131072}, {"qwen2.5-7b", 7615616512, 57344},
        {"yi-1.5-9b", 8829407232, 98304},      {"internlm2.5-7b", 7737708544, 131072},
        {"deepseek-v3", 671026419200, 70272},  {"gpt-oss-20b", 20914757184, 49152},
    };
    for (size_t n = 0; n < sizeof facts / sizeof *facts; n++) {
        struct hd_err err = {0};
        const struct hd_model_spec *m = hd_catalog_model(*state, facts[n].name, &err);
        assert_non_null(m);
        assert_true(m->params == facts[n].params);
        assert_true(m->kv_token_bytes == facts[n].kv_bytes);
    }
}

/* Matrices of the layers by hand; embedding, head, routers and norms keep 16 bits. */
static void forms_of_fewer_bits(void **state) {
    struct hd_err err = {0};
    static const struct {
        const char *name, *called;
        int64_t weights, kv;
    } facts[] = {
        {"llama-2-7b", "meta-llama/Llama-2-7b", INT64_C(2) * 6738415616, 524288},
        {"llama-2-7b/bf16/kv-fp16", "meta-llama/Llama-2-7b", INT64_C(2) * 6738415616,
         524288},
        {"LLAMA-2-7b/FP8", "meta-llama/Llama-2-7b/fp8",
         INT64_C(2) * 6738415616 -
             32 * (4 * INT64_C(4096) * 4096 + 3 * INT64_C(4096) * 11008),
         524288},
        {"meta-llama/Llama-2-7b/kv-fp8", "meta-llama/Llama-2-7b/kv-fp8",
         INT64_C(2) * 6738415616, 262144},
        {"mixtral-8x7b/kv-fp8/fp8", "mistralai/Mixtral-8x7B-v0.1/fp8/kv-fp8",
         INT64_C(2) * 46702792704 -
             32 * (2 * INT64_C(4096) * 4096 + 2 * INT64_C(4096) * 1024 +
                   8 * 3 * INT64_C(4096) * 14336),
         65536},
    };
    for (size_t n = 0; n < sizeof facts / sizeof *facts; n++) {
        const struct hd_model_spec *m = hd_catalog_model(*state, facts[n].name, &err);
        if (!m) fail_msg("%s", err.text);
        assert_string_equal(m->name, facts[n].called);
        assert_true(m->weights_bytes == facts[n].weights);
        assert_true(m->kv_token_bytes == facts[n].kv);
        assert_ptr_equal(m->as[m->weights][m->kv], m);
        assert_ptr_equal(m->as[0][0]->as[1][1], m->as[1][1]);
        assert_true(m->params == m->as[0][0]->params);
    }
    bool said[2];
    assert_non_null(hd_catalog_model_said(*state, "llama-2-7b/kv-bf16", said, &err));
    assert_true(!said[0] && said[1]);
    static const char *const wrong[] = {"llama-2-7b/fp9", "llama-2-7b/fp8/bf16", "/fp8",
                                        "llama-2-7b/kv-", "llama-2-7b/tp2"};
    for (size_t n = 0; n < sizeof wrong / sizeof *wrong; n++)
        assert_null(hd_catalog_model(*state, wrong[n], &err));
}

static void every_gpu_is_plausible(void **state) {
    int count;
    const struct hd_gpu_spec *all = hd_catalog_gpus(*state, &count);
    assert_true(count >= 17);
    for (int n = 0; n < count; n++) {
        const struct hd_gpu_spec *g = &all[n];
        assert_true(g->vram_bytes > INT64_C(20) << 30);
        assert_true(g->vram_bytes < INT64_C(300) << 30);
        /* operations per byte of memory traffic of anything that is sold */
        double intensity = g->bf16_flops / g->hbm_bytes_per_s;
        assert_true(intensity > 30 && intensity < 500);
        assert_true(g->fp8_flops == 0 || (g->fp8_flops > 1.9 * g->bf16_flops &&
                                          g->fp8_flops < 2.1 * g->bf16_flops));
        struct hd_node_spec node;
        const char *basis[HD_NODE_FIGURES];
        hd_node_defaults(g, &node, basis);
        assert_true(node.pcie_bytes_per_s < g->pcie_bytes_per_s);
        assert_int_equal(node.gpus % node.pcie_shared_by, 0);
        for (int b = 0; b < HD_NODE_FIGURES; b++)
            assert_true(strncmp(basis[b], "measured: ", 10) == 0 ||
                        strncmp(basis[b], "published: ", 11) == 0 ||
                        strncmp(basis[b], "assumed: ", 9) == 0);
    }
}

static void vram_is_bytes_of_the_driver(void **state) {
    struct hd_err err = {0};
    const struct hd_gpu_spec *g = hd_catalog_gpu(*state, "h100", &err);
    assert_string_equal(g->name, "H100-SXM");
    assert_true(g->vram_bytes == INT64_C(81559) * 1048576);
    /* 0.9 of it, less 2 GiB */
    assert_true(hd_gpu_usable_bytes(g) ==
                INT64_C(85520809984) / 10 * 9 + 3 - INT64_C(2147483648));
    struct hd_gpu_reserve all = {1, 0};
    assert_true(hd_gpu_usable(g, &all) == g->vram_bytes);
    all.bytes = 1e12;
    assert_int_equal(hd_gpu_usable(g, &all), 0);
}

static void kv_splits_until_heads_run_out(void **state) {
    struct hd_err err = {0};
    const struct hd_model_spec *m = hd_catalog_model(*state, "llama-2-70b", &err);
    assert_true(hd_model_kv_token_bytes(m, 2) == m->kv_token_bytes / 2.0);
    assert_true(hd_model_kv_token_bytes(m, 8) == m->kv_token_bytes / 8.0);
    assert_true(hd_model_kv_token_bytes(m, 16) == m->kv_token_bytes / 8.0);
    m = hd_catalog_model(*state, "deepseek-v3", &err);
    assert_true(hd_model_kv_token_bytes(m, 8) == (double)m->kv_token_bytes);
}

static void names_and_aliases(void **state) {
    struct hd_err err = {0};
    const struct hd_model_spec *m = hd_catalog_model(*state, "QWEN2.5-7b", &err);
    assert_ptr_equal(m, hd_catalog_model(*state, "Qwen/Qwen2.5-7B-Instruct", &err));
    assert_ptr_equal(m, hd_catalog_model(*state, "qwen2_5_7b", &err));
    assert_null(hd_catalog_model(*state, "", &err));
    memset(&err, 0, sizeof err);
    assert_null(hd_catalog_model(*state, "qwen2.5-7", &err));
    assert_non_null(strstr(err.text, "nearest is qwen2.5-7b"));
    memset(&err, 0, sizeof err);
    assert_null(hd_catalog_gpu(*state, "H1000", &err));
    assert_non_null(strstr(err.text, "nearest is H100"));
    memset(&err, 0, sizeof err);
    assert_null(hd_catalog_gpu(*state, "a-very-strange-thing", &err));
    assert_non_null(strstr(err.text, "hotdesk catalog gpus"));
}

/* ---- wrong files --------------------------------------------------------- */

static const char gpu_head[] =
    "gpu,aliases,vram_mib,hbm_gb_per_s,bf16_tflops,fp8_tflops,pcie_gb_per_s,"
    "nvlink_gb_per_s,sms,fitted_as,reduce_as,kernels_as,small_as,verified,source\n";
static const char gpu_row[] = "G,,100,1000,100,0,32,0,10,G,G,G,G,yes,s\n";
static const char model_head[] =
    "model,aliases,layers,hidden,heads,kv_heads,head_dim,ffn,vocab,tied,bias,qk_norm,"
    "experts,topk,moe_ffn,shared_ffn,dense_layers,q_rank,kv_rank,rope_dim,"
    "max_context_tokens,published_params,verified,source\n";

static void write_file(char *path, const char *text) {
    strcpy(path, "/tmp/hd_catalog_XXXXXX");
    int handle = mkstemp(path);
    assert_true(handle >= 0);
    assert_true(write(handle, text, strlen(text)) == (ssize_t)strlen(text));
    close(handle);
}

static void refuses(const char *gpus, const char *models, const char *why) {
    char gpu_path[32], model_path[32], gpu_text[1024], model_text[2048];
    snprintf(gpu_text, sizeof gpu_text, "%s", gpus);
    snprintf(model_text, sizeof model_text, "%s%s", model_head, models);
    write_file(gpu_path, gpu_text);
    write_file(model_path, model_text);
    struct hd_err err = {0};
    struct hd_catalog *c = hd_catalog_read(gpu_path, model_path, &err);
    if (c || !strstr(err.text, why))
        print_error("wanted '%s', got '%s'\n", why, err.text);
    assert_null(c);
    assert_non_null(strstr(err.text, why));
    unlink(gpu_path);
    unlink(model_path);
}

static void wrong_files_are_refused(void **state) {
    (void)state;
    char gpus[1024];
    const char *fine = "M,,2,8,2,1,4,16,100,no,none,no,0,0,0,0,0,0,0,0,64,0,yes,s\n";
    refuses("", fine, "no rows");
    refuses("gpu,aliases\n", fine, "no column 'vram_mib'");
    snprintf(gpus, sizeof gpus, "%sG,,100\n", gpu_head);
    refuses(gpus, fine, ":2: 3 fields; expected one for 'hbm_gb_per_s'");
    snprintf(gpus, sizeof gpus, "%sG,,0,1,1,0,1,0,1,G,G,G,G,yes,s\n", gpu_head);
    refuses(gpus, fine, "vram_mib");
    snprintf(gpus, sizeof gpus, "%sG,,9,1,1,0,1,0,1,X,G,G,G,yes,s\n", gpu_head);
    refuses(gpus, fine, "no GPU 'X'");
    snprintf(gpus, sizeof gpus, "%sG,,9,1,1,0,1,0,1,G,G,G,Y,yes,s\n", gpu_head);
    refuses(gpus, fine, "no GPU 'Y'");
    snprintf(gpus, sizeof gpus, "%s%s%s", gpu_head, gpu_row, gpu_row);
    refuses(gpus, fine, "the name G stands for two rows");
    snprintf(gpus, sizeof gpus, "%s%s", gpu_head, gpu_row);
    refuses(gpus, "M,,2,8,2,3,4,16,100,no,none,no,0,0,0,0,0,0,0,0,64,0,yes,s\n",
            "more kv_heads than heads");
    refuses(gpus, "M,,2,8,2,1,4,16,100,maybe,none,no,0,0,0,0,0,0,0,0,64,0,yes,s\n",
            "tied: 'maybe'; expected yes or no");
    refuses(gpus, "M,,2,8,2,1,4,16,100,no,none,no,4,8,1,0,0,0,0,0,64,0,yes,s\n",
            "experts of M");
    refuses(gpus, "M,,2,8,2,1,4,16,100,no,none,no,0,0,0,0,0,0,0,0,64,9999,yes,s\n",
            "9999 were published");
    refuses(gpus, "M,,2,8,-2,1,4,16,100,no,none,no,0,0,0,0,0,0,0,0,64,0,yes,s\n",
            ":2: heads");
}

/* The driver's names of devices, and none of them for a relative of another speed. */
static void device_names(void **state) {
    static const struct {
        const char *device, *name;
    } cases[] = {
        {"NVIDIA H100 80GB HBM3", "H100-SXM"},
        {"NVIDIA H100 PCIe", "H100-PCIe"},
        {"NVIDIA H100 NVL", NULL},
        {"NVIDIA H200", "H200-SXM"},
        {"NVIDIA H200 NVL", NULL},
        {"NVIDIA H20", "H20"},
        {"NVIDIA H20-3e", NULL},
        {"NVIDIA GH200 480GB", NULL},
        {"NVIDIA A100-SXM4-80GB", "A100-80-SXM"},
        {"NVIDIA A100-SXM4-40GB", "A100-40-SXM"},
        {"NVIDIA A100 80GB PCIe", "A100-80-PCIe"},
        {"NVIDIA A100-PCIE-40GB", NULL},
        {"NVIDIA B200", "B200-SXM"},
        {"NVIDIA GB200", "GB200"},
        {"NVIDIA L40S", "L40S"},
        {"NVIDIA L40", NULL},
        {"NVIDIA L4", "L4"},
        {"NVIDIA A30", "A30"},
        {"NVIDIA A10", "A10"},
        {"NVIDIA A10G", NULL},
        {"NVIDIA RTX A1000", NULL},
        {"NVIDIA GeForce RTX 4090", "RTX-4090"},
        {"NVIDIA GeForce RTX 4090 D", NULL},
        {"NVIDIA GeForce RTX 4090 Laptop GPU", NULL},
        {"NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX-PRO-6000-Server"},
        {"NVIDIA RTX PRO 6000 Blackwell Workstation Edition", NULL},
    };
    struct hd_err err = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *name = hd_device_gpu(cases[i].device);
        if (!cases[i].name) {
            assert_null(name);
            continue;
        }
        assert_non_null(name);
        assert_string_equal(name, cases[i].name);
        const struct hd_gpu_spec *gpu = hd_catalog_gpu(*state, name, &err);
        assert_non_null(gpu);
        assert_string_equal(gpu->name, name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_adds_up),
        cmocka_unit_test(published_totals),
        cmocka_unit_test(forms_of_fewer_bits),
        cmocka_unit_test(every_gpu_is_plausible),
        cmocka_unit_test(vram_is_bytes_of_the_driver),
        cmocka_unit_test(kv_splits_until_heads_run_out),
        cmocka_unit_test(names_and_aliases),
        cmocka_unit_test(device_names),
        cmocka_unit_test(wrong_files_are_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
