/* What the memory kernels do, thread by thread on the CPU: each vector once, whatever
 * the number of threads, and the pattern that tells right from wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "coarse_first.h"
#include "compute_chain.h"
#include "stream_memory.h"

enum { VECTORS = 1000, SEED = 7 };
static const size_t thread_counts[] = {1, 3, 32, 250, 333, 1000, 4096};
enum { THREAD_COUNTS = sizeof thread_counts / sizeof *thread_counts };

/* The first outputs of splitmix64 from state 0, as its authors publish them. */
static void mixes_as_published(void **state) {
    (void)state;
    assert_true(pattern_mix(0) == 0xe220a8397b1dcdafu);
    assert_true(pattern_mix(0x9e3779b97f4a7c15u) == 0x6e789e6aa1b965f4u);
    assert_true(pattern_mix(2 * 0x9e3779b97f4a7c15u) == 0x06c45d188009454fu);
}

static void words_differ(void **state) {
    (void)state;
    int zeros = 0, same_as_next = 0, same_as_seed = 0;
    for (uint64_t i = 0; i < 100000; i++) {
        zeros += pattern_word(SEED, i) == 0;
        same_as_next += pattern_word(SEED, i) == pattern_word(SEED, i + 1);
        same_as_seed += pattern_word(SEED, i) == pattern_word(SEED + 1, i);
    }
    assert_int_equal(zeros, 0);
    assert_int_equal(same_as_next, 0);
    assert_in_range(same_as_seed, 0, 1);
    /* an index above 2^32 words, as arrays of 8 GB have it, is not cut off */
    assert_true(pattern_word(SEED, 5) != pattern_word(SEED, 5 + (1ull << 32)));
}

static void vectors_hold_words(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 1000; i++) {
        vector16 v = vector_pattern(SEED, i);
        uint32_t word[4];
        memcpy(word, &v, sizeof v);
        for (uint64_t k = 0; k < 4; k++)
            assert_int_equal(word[k], pattern_word(SEED, 4 * i + k));
    }
}

static void fill(vector16 *to, uint32_t seed) {
    for (size_t i = 0; i < VECTORS; i++) to[i] = vector_pattern(seed, i);
}

static void read_takes_each_once(void **state) {
    (void)state;
    static vector16 in[VECTORS];
    fill(in, SEED);
    uint32_t expected = 0;
    for (uint64_t i = 0; i < 4 * VECTORS; i++) expected ^= pattern_word(SEED, i);
    for (int c = 0; c < THREAD_COUNTS; c++) {
        uint32_t sum = 0;
        for (size_t t = 0; t < thread_counts[c]; t++)
            sum ^= stream_read(in, VECTORS, STREAM_NO_WRAP, t, thread_counts[c]);
        assert_int_equal(sum, expected);
    }
}

/* One and a half times round a buffer of 512: the first half is read twice. */
static void read_goes_round(void **state) {
    (void)state;
    static vector16 in[VECTORS];
    fill(in, SEED);
    uint32_t expected = 0, sum = 0;
    for (uint64_t i = 4 * 256; i < 4 * 512; i++) expected ^= pattern_word(SEED, i);
    for (size_t t = 0; t < 96; t++) sum ^= stream_read(in, 512 + 256, 511, t, 96);
    assert_int_equal(sum, expected);
}

static void writes_and_copies(void **state) {
    (void)state;
    static vector16 in[VECTORS], out[VECTORS + 1], right[VECTORS + 1];
    fill(in, SEED);
    fill(right, SEED);
    memset(&right[VECTORS], 0x55, sizeof *right);
    for (int c = 0; c < THREAD_COUNTS; c++) {
        memset(out, 0x55, sizeof out);
        for (size_t t = 0; t < thread_counts[c]; t++)
            stream_copy(out, in, VECTORS, STREAM_NO_WRAP, t, thread_counts[c]);
        assert_memory_equal(out, right, sizeof out);
        memset(out, 0x55, sizeof out);
        for (size_t t = 0; t < thread_counts[c]; t++)
            stream_write(out, VECTORS, SEED, t, thread_counts[c]);
        assert_memory_equal(out, right, sizeof out);
    }
}

static void triad_adds(void **state) {
    (void)state;
    static vector16 a[VECTORS], b[VECTORS], out[VECTORS];
    fill(a, SEED);
    fill(b, SEED + 1);
    for (int c = 0; c < THREAD_COUNTS; c++) {
        memset(out, 0, sizeof out);
        for (size_t t = 0; t < thread_counts[c]; t++)
            stream_triad(out, a, b, VECTORS, t, thread_counts[c]);
        for (uint64_t i = 0; i < 4 * VECTORS; i++) {
            uint32_t word;
            memcpy(&word, (const char *)out + 4 * i, 4);
            assert_int_equal(word, (uint32_t)(pattern_word(SEED, i) +
                                              3 * pattern_word(SEED + 1, i)));
        }
    }
}

/* x -> 0.9375 x + own from x0: 16 own + (x0 - 16 own) 0.9375^n. */
static void chains_follow_their_closed_form(void **state) {
    (void)state;
    for (uint32_t thread = 0; thread < 40; thread++) {
        double sum = 0;
        for (uint32_t c = 0; c < COMPUTE_CHAINS; c++) {
            double start = 1 + ((thread + c) & 15) * 0.0625;
            double limit = 16 * (1 + ((thread + c) & 7)) * 0.0078125;
            sum += limit + (start - limit) * pow(0.9375, 50);
        }
        assert_float_equal(compute_chains(thread, 50), (float)sum, 1e-5F);
    }
}

/* Every index once; each beginning leaves no hole larger than twice the ideal. */
static void coarse_comes_first(void **state) {
    (void)state;
    for (int count = 1; count <= 40; count++) {
        int order[40], seen[40] = {0};
        coarse_first(order, count);
        assert_int_equal(order[0], 0);
        if (count > 1) assert_int_equal(order[1], count - 1);
        for (int n = 0; n < count; n++) {
            assert_in_range(order[n], 0, count - 1);
            assert_int_equal(seen[order[n]]++, 0);
            int hole = 0, last = 0;
            for (int i = 0; i < count && n >= 1; i++) {
                if (!seen[i]) continue;
                if (i - last > hole) hole = i - last;
                last = i;
            }
            if (n >= 1) assert_true(hole <= 2 * ((count - 1 + n - 1) / n));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes_as_published),
        cmocka_unit_test(words_differ),
        cmocka_unit_test(vectors_hold_words),
        cmocka_unit_test(read_takes_each_once),
        cmocka_unit_test(read_goes_round),
        cmocka_unit_test(writes_and_copies),
        cmocka_unit_test(triad_adds),
        cmocka_unit_test(chains_follow_their_closed_form),
        cmocka_unit_test(coarse_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
