/* Arithmetic that runs on the device and, in the tests, on the CPU: a header of such
 * functions keeps to what C and C++ share and marks each one DEVICE. */
#ifndef HOTDESK_CUDA_DEVICE_H
#define HOTDESK_CUDA_DEVICE_H

#ifdef __CUDACC__
#define DEVICE static __host__ __device__ inline
#else
#define DEVICE static inline
#endif

#endif
