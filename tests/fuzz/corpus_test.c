/* Every input of tests/fuzz/corpus through its target: seeds, what has once crashed a
 * reader, and what the fuzzer found to reach further. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/text.h"
#include "fuzz/targets.h"

static void replay(void **state) {
    const struct fuzz_target *target = *state;
    char *folder = hd_format("%s/tests/fuzz/corpus/%s", hd_home(), target->name);
    struct dirent **entry;
    int entries = scandir(folder, &entry, NULL, alphasort), inputs = 0;
    if (entries < 0) fail_msg("%s: cannot be read", folder);
    for (int i = 0; i < entries; i++) {
        char *path = hd_format("%s/%s", folder, entry[i]->d_name);
        struct hd_err err = {0};
        size_t count;
        char *bytes =
            *entry[i]->d_name == '.' ? NULL : hd_read_text(path, 1 << 20, &count, &err);
        if (bytes) {
            target->run((const uint8_t *)bytes, count);
            inputs++;
        } else if (*err.text) {
            fail_msg("%s", err.text);
        }
        free(bytes);
        free(path);
        free(entry[i]);
    }
    free(entry);
    free(folder);
    target->run(NULL, 0);
    assert_true(inputs > 0);
}

int main(void) {
    struct CMUnitTest tests[FUZZ_TARGETS];
    for (int i = 0; i < FUZZ_TARGETS; i++)
        tests[i] = (struct CMUnitTest){fuzz_targets[i].name, replay, NULL, NULL,
                                       (void *)(uintptr_t)&fuzz_targets[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
