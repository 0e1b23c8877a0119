/* Green contexts through the driver's entry points: the program is not linked to the
 * driver, and an older one without them is an answer and not an error. */
#include "sm_share.h"

#include <cuda.h>
#include <stddef.h>

struct sm_share_driver {
    decltype(&cuGetErrorString) error_string;
    decltype(&cuDeviceGetDevResource) resource;
    decltype(&cuDevSmResourceSplitByCount) split;
    decltype(&cuDevResourceGenerateDesc) describe;
    decltype(&cuGreenCtxCreate) create;
    decltype(&cuGreenCtxDestroy) destroy;
    decltype(&cuGreenCtxStreamCreate) create_stream;
    decltype(&cuStreamDestroy) destroy_stream;
};

template <typename FUNCTION> static bool find(const char *name, FUNCTION *function) {
    cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
    void *found = NULL;
    cudaError_t answer = cudaGetDriverEntryPointByVersion(name, &found, CUDA_VERSION,
                                                          cudaEnableDefault, &result);
    if (answer != cudaSuccess || result != cudaDriverEntryPointSuccess || !found) {
        cudaGetLastError(); /* not to be found by the next check */
        return false;
    }
    *function = (FUNCTION)found;
    return true;
}

struct sm_share_driver *sm_share_open(const char **why) {
    struct sm_share_driver *d = new struct sm_share_driver();
    if (find("cuGetErrorString", &d->error_string) &&
        find("cuDeviceGetDevResource", &d->resource) &&
        find("cuDevSmResourceSplitByCount", &d->split) &&
        find("cuDevResourceGenerateDesc", &d->describe) &&
        find("cuGreenCtxCreate", &d->create) &&
        find("cuGreenCtxDestroy", &d->destroy) &&
        find("cuGreenCtxStreamCreate", &d->create_stream) &&
        find("cuStreamDestroy", &d->destroy_stream))
        return d;
    delete d;
    *why = "the driver has no green contexts";
    return NULL;
}

void sm_share_close(struct sm_share_driver *d) {
    delete d;
}

static bool failed(const struct sm_share_driver *d, CUresult result, const char **why) {
    if (result == CUDA_SUCCESS) return false;
    *why = "unknown error of the driver";
    d->error_string(result, why);
    return true;
}

static void end_part(const struct sm_share_driver *d, struct sm_part *part) {
    if (part->stream) d->destroy_stream((CUstream)part->stream);
    if (part->context) d->destroy((CUgreenCtx)part->context);
    part->stream = NULL;
    part->context = NULL;
}

static bool start_part(const struct sm_share_driver *d, CUdevResource *sms,
                       struct sm_part *part, const char **why) {
    CUdevResourceDesc description;
    CUgreenCtx context;
    CUstream stream;
    part->sms = (int)sms->sm.smCount;
    if (failed(d, d->describe(&description, sms, 1), why) ||
        failed(d, d->create(&context, description, 0, CU_GREEN_CTX_DEFAULT_STREAM),
               why))
        return false;
    part->context = context;
    if (failed(d, d->create_stream(&stream, context, CU_STREAM_NON_BLOCKING, 0), why))
        return false;
    part->stream = (cudaStream_t)stream;
    return true;
}

bool sm_share_split(const struct sm_share_driver *d, int sms, struct sm_share *share,
                    const char **why) {
    CUdevResource all = {}, part = {}, rest = {};
    unsigned groups = 1;
    *share = {};
    if (failed(d, d->resource(0, &all, CU_DEV_RESOURCE_TYPE_SM), why) ||
        failed(d, d->split(&part, &groups, &all, &rest, 0, (unsigned)sms), why))
        return false;
    if (groups != 1 || rest.type != CU_DEV_RESOURCE_TYPE_SM || rest.sm.smCount == 0) {
        *why = "the SMs can't be divided so";
        return false;
    }
    if (start_part(d, &part, &share->first, why) &&
        start_part(d, &rest, &share->rest, why))
        return true;
    sm_share_end(d, share);
    return false;
}

void sm_share_end(const struct sm_share_driver *d, struct sm_share *share) {
    end_part(d, &share->first);
    end_part(d, &share->rest);
}
