/* libcuda.so.1, opened by hand. */
#include "driver_api.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_OF(name) #name
#define TEXT(name)                                                                     \
    TEXT_OF(name) /* cuda.h maps some names to those of newer versions                 \
                   */

template <typename FUNCTION>
static void look_up(void *library, const char *name, FUNCTION *function) {
    *function = (FUNCTION)dlsym(library, name);
    if (*function) return;
    fprintf(stderr, "\nlibcuda.so.1 has no %s\n", name);
    exit(1);
}

struct driver_api driver_api_load(void) {
    struct driver_api api;
    void *library = dlopen("libcuda.so.1", RTLD_NOW);
    if (!library) {
        fprintf(stderr, "\n%s\n", dlerror());
        exit(1);
    }
    look_up(library, TEXT(cuInit), &api.init);
    look_up(library, TEXT(cuDeviceGet), &api.device_get);
    look_up(library, TEXT(cuGetErrorString), &api.error_text);
    look_up(library, TEXT(cuDevicePrimaryCtxRetain), &api.primary_retain);
    look_up(library, TEXT(cuDevicePrimaryCtxRelease), &api.primary_release);
    look_up(library, "cuCtxCreate_v2", &api.context_create);
    look_up(library, TEXT(cuCtxDestroy), &api.context_destroy);
    look_up(library, TEXT(cuModuleLoadData), &api.module_load);
    look_up(library, TEXT(cuModuleUnload), &api.module_unload);
    look_up(library, TEXT(cuMemGetAllocationGranularity), &api.granularity);
    look_up(library, TEXT(cuMemAddressReserve), &api.address_reserve);
    look_up(library, TEXT(cuMemAddressFree), &api.address_free);
    look_up(library, TEXT(cuMemCreate), &api.mem_create);
    look_up(library, TEXT(cuMemRelease), &api.mem_release);
    look_up(library, TEXT(cuMemMap), &api.mem_map);
    look_up(library, TEXT(cuMemUnmap), &api.mem_unmap);
    look_up(library, TEXT(cuMemSetAccess), &api.set_access);
    return api;
}

void driver_api_check(const struct driver_api *api, CUresult result, const char *call,
                      const char *file, int line) {
    if (result == CUDA_SUCCESS) return;
    const char *text = NULL, *name = strrchr(file, '/');
    api->error_text(result, &text);
    fprintf(stderr, "\n%s:%d: %s: %s\n", name ? name + 1 : file, line, call,
            text ? text : "unknown error");
    exit(1);
}
