#include "fuzz/targets.h"

const struct fuzz_target fuzz_targets[FUZZ_TARGETS] = {
    {"csv", fuzz_csv},           {"trace", fuzz_trace},
    {"binary", fuzz_binary},     {"compressed", fuzz_compressed},
    {"fields", fuzz_fields},     {"servegen", fuzz_servegen},
    {"log", fuzz_log},           {"calibration", fuzz_calibration},
    {"kernels", fuzz_kernels},   {"catalog", fuzz_catalog},
    {"scenario", fuzz_scenario}, {"recipe", fuzz_recipe},
    {"policy", fuzz_policy},
};
