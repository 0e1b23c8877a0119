/* A GPU's usable memory, and the server that it comes in when nothing is said. */
#ifndef HD_HARDWARE_NODE_H
#define HD_HARDWARE_NODE_H

#include "hardware/catalog.h"

struct hd_gpu_reserve { /* what weights and KV cannot have */
    double utilisation; /* share of the capacity that the engine claims at all */
    double bytes;       /* of that: CUDA context, activations, workspace */
};

/* Of those bytes: driver and CUDA context with its libraries; assumed. */
enum { HD_GPU_CONTEXT_BYTES = 512 * 1024 * 1024 };

/* utilisation 0.9, vLLM's default; 2 GiB, assumed: about 0.5 GiB of CUDA context and
 * libraries and 1.5 GiB of peak activations at some thousand tokens a batch. */
struct hd_gpu_reserve hd_gpu_reserve_default(void);

/* Bytes of one GPU for weights and KV; never below 0. */
int64_t hd_gpu_usable(const struct hd_gpu_spec *, const struct hd_gpu_reserve *);
int64_t hd_gpu_usable_bytes(const struct hd_gpu_spec *); /* with the default */

struct hd_node_spec {
    int gpus;
    int pcie_shared_by; /* GPUs behind one PCIe link of the host */
    double pcie_both;  /* of its rate, that a direction keeps while the other is busy */
    double dram_bytes; /* for the host cache of weights and swapped KV */
    double disk_bytes_per_s; /* sequential read, all drives together */
    double pcie_bytes_per_s; /* achievable, each direction, of one link */
    double nvlink_bytes_per_s, nic_bytes_per_s; /* each direction, per GPU */
};

/* The default server of a GPU kind. Where each figure comes from, in its order:
 * "measured: ...", "published: ..." or "assumed: ...". */
enum {
    HD_NODE_GPUS,
    HD_NODE_SHARED,
    HD_NODE_DRAM,
    HD_NODE_DISK,
    HD_NODE_PCIE,
    HD_NODE_BOTH,
    HD_NODE_NVLINK,
    HD_NODE_NIC,
    HD_NODE_FIGURES
};
void hd_node_defaults(const struct hd_gpu_spec *, struct hd_node_spec *,
                      const char *basis[HD_NODE_FIGURES] /* may be NULL */);

#endif
