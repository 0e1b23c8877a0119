/* The readers, each as a function of the bytes of a file: whatever these are, it comes
 * back, and what it promises of them holds; else the process aborts with a word. The
 * same functions serve libFuzzer (libfuzzer.c) and the corpus (corpus_test.c). */
#ifndef TESTS_FUZZ_TARGETS_H
#define TESTS_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

struct fuzz_target {
    const char *name; /* of its folder in tests/fuzz/corpus too */
    void (*run)(const uint8_t *bytes, size_t count);
};
enum { FUZZ_TARGETS = 13 };
extern const struct fuzz_target fuzz_targets[FUZZ_TARGETS];

void fuzz_csv(const uint8_t *, size_t);
void fuzz_trace(const uint8_t *, size_t);
void fuzz_binary(const uint8_t *, size_t);
void fuzz_compressed(const uint8_t *, size_t);
void fuzz_fields(const uint8_t *, size_t);
void fuzz_servegen(const uint8_t *, size_t);
void fuzz_log(const uint8_t *, size_t);
void fuzz_calibration(const uint8_t *, size_t);
void fuzz_kernels(const uint8_t *, size_t);
void fuzz_catalog(const uint8_t *, size_t);
void fuzz_scenario(const uint8_t *, size_t);
void fuzz_recipe(const uint8_t *, size_t);
void fuzz_policy(const uint8_t *, size_t);

#endif
