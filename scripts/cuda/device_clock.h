/* The GPU's clock in ns: one for all SMs and all processes, and it does not stop. */
#ifndef HOTDESK_CUDA_DEVICE_CLOCK_H
#define HOTDESK_CUDA_DEVICE_CLOCK_H

static __device__ inline unsigned long long device_ns(void) {
    unsigned long long ns;
    asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(ns));
    return ns;
}

#endif
