/* The few calls of NVML that are needed, looked up at run time: the header is not part
 * of every CUDA installation, and a machine without a driver still runs --list. */
#include "nvml.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Values of NVML's enumerations, from its public documentation. */
enum { NVML_OK = 0, CLOCK_SM = 1, CLOCK_MEMORY = 2, SENSOR_GPU = 0 };

typedef void *handle;
struct nvml {
    void *library;
    handle device;
    int (*shutdown)(void);
    int (*clock)(handle, int, unsigned *);
    int (*power)(handle, unsigned *);
    int (*power_limit)(handle, unsigned *);
    int (*temperature)(handle, int, unsigned *);
    int (*reasons)(handle, unsigned long long *);
    int (*driver)(char *, unsigned);
};

/* ISO C has no way to make a function pointer of dlsym's result but through memory. */
static void look_up(const struct nvml *n, const char *name, void *function) {
    void *symbol = dlsym(n->library, name);
    memcpy(function, &symbol, sizeof symbol);
}

struct nvml *nvml_open(const char *bus_id) {
    struct nvml *n = hd_alloc(sizeof *n);
    int (*init)(void) = NULL;
    int (*find)(const char *, handle *) = NULL;
    n->library = dlopen("libnvidia-ml.so.1", RTLD_NOW);
    if (n->library) {
        look_up(n, "nvmlInit_v2", &init);
        look_up(n, "nvmlDeviceGetHandleByPciBusId_v2", &find);
        look_up(n, "nvmlShutdown", &n->shutdown);
        look_up(n, "nvmlDeviceGetClockInfo", &n->clock);
        look_up(n, "nvmlDeviceGetPowerUsage", &n->power);
        look_up(n, "nvmlDeviceGetEnforcedPowerLimit", &n->power_limit);
        look_up(n, "nvmlDeviceGetTemperature", &n->temperature);
        look_up(n, "nvmlDeviceGetCurrentClocksThrottleReasons", &n->reasons);
        look_up(n, "nvmlSystemGetDriverVersion", &n->driver);
        if (init && find && init() == NVML_OK) {
            if (find(bus_id, &n->device) == NVML_OK) return n;
            if (n->shutdown) n->shutdown();
        }
        dlclose(n->library);
    }
    free(n);
    return NULL;
}

void nvml_close(struct nvml *n) {
    if (!n) return;
    if (n->shutdown) n->shutdown();
    dlclose(n->library);
    free(n);
}

struct nvml_state nvml_read(const struct nvml *n) {
    struct nvml_state state = {-1, -1, -1, -1, -1, -1};
    unsigned value = 0;
    unsigned long long reasons = 0;
    if (!n) return state;
    if (n->clock && n->clock(n->device, CLOCK_SM, &value) == NVML_OK)
        state.sm_mhz = (int)value;
    if (n->clock && n->clock(n->device, CLOCK_MEMORY, &value) == NVML_OK)
        state.memory_mhz = (int)value;
    if (n->power && n->power(n->device, &value) == NVML_OK) state.power_w = value / 1e3;
    if (n->power_limit && n->power_limit(n->device, &value) == NVML_OK)
        state.power_limit_w = value / 1e3;
    if (n->temperature && n->temperature(n->device, SENSOR_GPU, &value) == NVML_OK)
        state.temperature_c = (int)value;
    if (n->reasons && n->reasons(n->device, &reasons) == NVML_OK)
        state.reasons = (long long)reasons;
    return state;
}

void nvml_driver(const struct nvml *n, char *text, unsigned bytes) {
    if (!n || !n->driver || n->driver(text, bytes) != NVML_OK) text[0] = '\0';
}
