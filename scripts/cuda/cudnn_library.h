/* The functions of cuDNN that the suite calls, found when they are first needed, so
 * that it runs where the library is not there. */
#ifndef HOTDESK_CUDA_CUDNN_LIBRARY_H
#define HOTDESK_CUDA_CUDNN_LIBRARY_H

#include <cudnn.h>
#include <dlfcn.h>
#include <stdio.h>

struct cudnn_library {
    decltype(&cudnnCreate) create;
    decltype(&cudnnDestroy) destroy;
    decltype(&cudnnSetStream) set_stream;
    decltype(&cudnnGetErrorString) error_string;
    decltype(&cudnnGetLastErrorString) last_error; /* of this thread, at length */
    decltype(&cudnnBackendCreateDescriptor) create_descriptor;
    decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor;
    decltype(&cudnnBackendSetAttribute) set_attribute;
    decltype(&cudnnBackendGetAttribute) get_attribute;
    decltype(&cudnnBackendFinalize) finalize;
    decltype(&cudnnBackendExecute) execute;
};

template <typename Function>
static inline bool find_function(void *library, const char *name, Function *function) {
    *function = (Function)dlsym(library, name);
    return *function != NULL;
}

/* False and a reason where it is not there; it stays open to the end. */
static inline bool cudnn_library_open(struct cudnn_library *l, char *why,
                                      size_t bytes) {
    void *const h = dlopen("libcudnn.so.9", RTLD_NOW | RTLD_GLOBAL);
    if (h == NULL) {
        snprintf(why, bytes, "cuDNN: %s", dlerror());
        return false;
    }
    if (find_function(h, "cudnnCreate", &l->create) &&
        find_function(h, "cudnnDestroy", &l->destroy) &&
        find_function(h, "cudnnSetStream", &l->set_stream) &&
        find_function(h, "cudnnGetErrorString", &l->error_string) &&
        find_function(h, "cudnnGetLastErrorString", &l->last_error) &&
        find_function(h, "cudnnBackendCreateDescriptor", &l->create_descriptor) &&
        find_function(h, "cudnnBackendDestroyDescriptor", &l->destroy_descriptor) &&
        find_function(h, "cudnnBackendSetAttribute", &l->set_attribute) &&
        find_function(h, "cudnnBackendGetAttribute", &l->get_attribute) &&
        find_function(h, "cudnnBackendFinalize", &l->finalize) &&
        find_function(h, "cudnnBackendExecute", &l->execute))
        return true;
    snprintf(why, bytes, "cuDNN: libcudnn.so.9 lacks a function that the suite calls");
    return false;
}

#endif
