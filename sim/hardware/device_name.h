/* From the driver's name of a device to the catalogue's (sim/catalog/gpus.csv). The
 * suite of benchmarks uses it, too: it needs nothing else of the simulator. */
#ifndef HD_HARDWARE_DEVICE_NAME_H
#define HD_HARDWARE_DEVICE_NAME_H

#ifdef __cplusplus
extern "C" {
#endif

/* "NVIDIA H100 80GB HBM3" -> "H100-SXM"; NULL: the catalogue has no such GPU. */
const char *hd_device_gpu(const char *device);

#ifdef __cplusplus
}
#endif
#endif
