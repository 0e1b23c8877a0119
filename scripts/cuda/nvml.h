/* Clocks, power and their limits, as the driver's management library says them. Only
 * read, never set. The library comes with the driver; without it nothing is known. */
#ifndef HOTDESK_CUDA_NVML_H
#define HOTDESK_CUDA_NVML_H

#ifdef __cplusplus
extern "C" {
#endif

struct nvml; /* NULL where the library or the device is absent: then all is unknown */

/* By the device's address on the bus, "0000:01:00.0". */
struct nvml *nvml_open(const char *bus_id);
void nvml_close(struct nvml *);

struct nvml_state { /* -1: not known */
    int sm_mhz, memory_mhz;
    double power_w, power_limit_w;
    int temperature_c;
    long long reasons; /* bits of NVML_REASON_: why the clock is not higher */
};
struct nvml_state nvml_read(const struct nvml *);

enum {
    NVML_REASON_IDLE = 0x1,
    NVML_REASON_APPLICATION = 0x2, /* clocks that someone has set */
    NVML_REASON_POWER_CAP = 0x4,
    NVML_REASON_HARDWARE = 0x8,
    NVML_REASON_SYNC_BOOST = 0x10,
    NVML_REASON_SOFT_THERMAL = 0x20,
    NVML_REASON_HARD_THERMAL = 0x40,
    NVML_REASON_POWER_BRAKE = 0x80
};

/* The driver's version in text; "" when not known. */
void nvml_driver(const struct nvml *, char *text, unsigned bytes);

#ifdef __cplusplus
}
#endif
#endif
