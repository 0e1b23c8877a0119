/* From the driver's name of a device to the catalogue's (sim/catalog/gpus.csv). */
#ifndef HOTDESK_CUDA_GPU_NAME_H
#define HOTDESK_CUDA_GPU_NAME_H

#ifdef __cplusplus
extern "C" {
#endif

/* "NVIDIA H100 80GB HBM3" -> "H100-SXM"; NULL: the catalogue has no such GPU. */
const char *gpu_name(const char *device);

#ifdef __cplusplus
}
#endif
#endif
