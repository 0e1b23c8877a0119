/* Usable GPU memory and default servers. */
#include "hardware/node.h"

#include <stdbool.h>

#define GIB 1073741824.0

struct hd_gpu_reserve hd_gpu_reserve_default(void) {
    return (struct hd_gpu_reserve){.utilisation = 0.9, .bytes = 2 * GIB};
}

int64_t hd_gpu_usable(const struct hd_gpu_spec *gpu, const struct hd_gpu_reserve *r) {
    double bytes = (double)gpu->vram_bytes * r->utilisation - r->bytes;
    return bytes > 0 ? (int64_t)bytes : 0;
}

int64_t hd_gpu_usable_bytes(const struct hd_gpu_spec *gpu) {
    struct hd_gpu_reserve reserve = hd_gpu_reserve_default();
    return hd_gpu_usable(gpu, &reserve);
}

/* ---- servers ------------------------------------------------------------- */

/* What the measured server got of its link: Qwen3-32B, 65.5 GB, in 1.207 s over
 * PCIe 5 x16 at 64 GB/s, the median of repeated loads from host memory
 * (ServerlessLLM, 8x H100 SXM, December 2025). Pinned copies alone are 2 % faster on an
 * H200 (results/calibration/H200-SXM, copy h2d_pinned). */
#define PCIE_ACHIEVED (65.524e9 / 1.207 / 64e9)

/* Copies of 268 MB both ways at once, 50.7 GB/s each, beside 55.4 of one alone
 * (results/calibration/H200-SXM, copy h2d_d2h_both and h2d_pinned). An H100,
 * whose large copies scattered, kept less: 42.4 of 54.7. */
#define PCIE_BOTH (50.7 / 55.4)

struct server {       /* of GPUs with at least that PCIe generation and kind of board */
    double pcie_peak; /* bytes per second, at least */
    bool nvlink;
    struct hd_node_spec spec;
    const char *shared, *dram, *disk, *nic;
};

static const char two_on_a_switch[] =
    "assumed: one x16 uplink for each of the four PCIe switches that 8-GPU boards "
    "are published to have";
static const char own_link[] = "assumed: every card on lanes of its own";
static const char big_dram[] = "assumed: three quarters of the 2 TB of a DGX";
static const char small_dram[] = "assumed: three quarters of 1 TB";
static const char disk_5[] =
    "measured: ServerlessLLM, 8x H100, NVMe, random copies: 65.5 GB in 3.23 s";
static const char disk_4[] =
    "measured: ServerlessLLM, 8x A5000, 2 NVMe, random copies: 13.3 GB in 1.06 s";

static const struct server servers[] = {
    {60e9,
     true,
     {8, 2, 0, 1.5e12, 20.3e9, 0, 0, 50e9},
     two_on_a_switch,
     big_dram,
     disk_5,
     "published: DGX H100, one 400 Gb/s adapter per GPU"},
    {60e9,
     false,
     {8, 1, 0, 0.75e12, 20.3e9, 0, 0, 25e9},
     own_link,
     small_dram,
     disk_5,
     "assumed: 200 Gb/s per GPU"},
    {0,
     true,
     {8, 2, 0, 1.5e12, 12.6e9, 0, 0, 25e9},
     two_on_a_switch,
     big_dram,
     disk_4,
     "published: DGX A100, one 200 Gb/s adapter per GPU"},
    {0,
     false,
     {8, 1, 0, 0.75e12, 12.6e9, 0, 0, 12.5e9},
     own_link,
     small_dram,
     disk_4,
     "assumed: 100 Gb/s per GPU"},
};

void hd_node_defaults(const struct hd_gpu_spec *gpu, struct hd_node_spec *node,
                      const char *basis[HD_NODE_FIGURES]) {
    const struct server *s = servers;
    while (gpu->pcie_bytes_per_s < s->pcie_peak ||
           s->nvlink != (gpu->nvlink_bytes_per_s > 0))
        s++;
    *node = s->spec;
    node->pcie_bytes_per_s = PCIE_ACHIEVED * gpu->pcie_bytes_per_s;
    node->pcie_both = PCIE_BOTH;
    node->nvlink_bytes_per_s = gpu->nvlink_bytes_per_s;
    if (!basis) return;
    bool measured = gpu->pcie_bytes_per_s == 64e9;
    basis[HD_NODE_GPUS] = "assumed: 8, the usual board or chassis";
    basis[HD_NODE_SHARED] = s->shared;
    basis[HD_NODE_DRAM] = s->dram;
    basis[HD_NODE_DISK] = s->disk;
    basis[HD_NODE_PCIE] =
        measured ? "measured: ServerlessLLM, 8x H100, repeated loads from host memory: "
                   "65.5 GB in 1.207 s; hotdesk-bench, H200, pinned copies: 4.29 GB in "
                   "0.0773 s"
                 : "assumed: the share of its peak that was measured on PCIe 5, 85 %";
    basis[HD_NODE_BOTH] =
        measured
            ? "measured: hotdesk-bench, H200, 268 MB each way at once: 50.7 of 55.4 "
              "GB/s; an H100: 42.4 of 54.7"
            : "assumed: the share that was measured on PCIe 5, 92 %";
    basis[HD_NODE_NVLINK] =
        gpu->nvlink_bytes_per_s > 0 ? "published: data sheet" : "published: none";
    basis[HD_NODE_NIC] = s->nic;
}
