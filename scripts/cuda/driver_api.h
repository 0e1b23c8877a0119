/* The calls of the CUDA driver that the runtime has no like of. Looked up at run time:
 * the program also starts where there is no driver, and loading the library can be
 * timed. */
#ifndef HOTDESK_CUDA_DRIVER_API_H
#define HOTDESK_CUDA_DRIVER_API_H

#include <cuda.h>

struct driver_api {
    decltype(&cuInit) init;
    decltype(&cuDeviceGet) device_get;
    decltype(&cuGetErrorString) error_text;
    decltype(&cuDevicePrimaryCtxRetain) primary_retain;
    decltype(&cuDevicePrimaryCtxRelease) primary_release;
    /* As it was before CUDA 13 gave it more parameters; drivers have it still. */
    CUresult(CUDAAPI *context_create)(CUcontext *, unsigned, CUdevice);
    decltype(&cuCtxDestroy) context_destroy;
    decltype(&cuModuleLoadData) module_load;
    decltype(&cuModuleUnload) module_unload;
    decltype(&cuMemGetAllocationGranularity) granularity;
    decltype(&cuMemAddressReserve) address_reserve;
    decltype(&cuMemAddressFree) address_free;
    decltype(&cuMemCreate) mem_create;
    decltype(&cuMemRelease) mem_release;
    decltype(&cuMemMap) mem_map;
    decltype(&cuMemUnmap) mem_unmap;
    decltype(&cuMemSetAccess) set_access;
};

/* Loads the library and finds all of them; ends the process, saying why, if one is
 * missing. Initialises nothing. */
struct driver_api driver_api_load(void);

/* Ends the process with file, line and the error's text where a call failed. */
#define DRIVER(api, call) driver_api_check(api, (call), #call, __FILE__, __LINE__)
void driver_api_check(const struct driver_api *, CUresult, const char *call,
                      const char *file, int line);

#endif
