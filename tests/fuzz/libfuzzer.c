/* The target named by HD_FUZZ, for libFuzzer, which brings main. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/targets.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static const struct fuzz_target *asked; /* by LLVMFuzzerInitialize, once */

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *name = getenv("HD_FUZZ");
    (void)argc, (void)argv;
    for (int i = 0; i < FUZZ_TARGETS; i++)
        if (name && strcmp(name, fuzz_targets[i].name) == 0) asked = &fuzz_targets[i];
    if (asked) return 0;
    fprintf(stderr, "HD_FUZZ: expected the name of a folder of tests/fuzz/corpus\n");
    exit(2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    asked->run(bytes, count);
    return 0;
}
