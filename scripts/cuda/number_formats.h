/* bf16 and fp8 (e4m3) numbers as bits, and the data that kernels are fed: the same on
 * the GPU and on the host. The common subset of C17 and C++. */
#ifndef HOTDESK_CUDA_NUMBER_FORMATS_H
#define HOTDESK_CUDA_NUMBER_FORMATS_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "device.h"

/* 16 bytes: eight bf16 or four float. */
struct words4 {
    uint32_t w[4];
} __attribute__((aligned(16)));

DEVICE struct words4 words4_of(uint32_t a, uint32_t b, uint32_t c, uint32_t d) {
    struct words4 v;
    v.w[0] = a;
    v.w[1] = b;
    v.w[2] = c;
    v.w[3] = d;
    return v;
}

DEVICE float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

DEVICE uint32_t bits_of_float(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

DEVICE float float_of_bf16(uint16_t bits) {
    return float_of_bits((uint32_t)bits << 16);
}

/* The nearest bf16, ties to even. Not for NaN. */
DEVICE uint16_t bf16_of_float(float value) {
    const uint32_t bits = bits_of_float(value);
    return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

/* Two bf16 in a word: the lower address in the lower half. */
DEVICE float bf16_low(uint32_t pair) {
    return float_of_bits(pair << 16);
}
DEVICE float bf16_high(uint32_t pair) {
    return float_of_bits(pair & 0xffff0000u);
}

DEVICE uint32_t bf16_pair(float low, float high) {
#ifdef __CUDA_ARCH__
    uint32_t pair;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
    return pair;
#else
    return (uint32_t)bf16_of_float(low) | (uint32_t)bf16_of_float(high) << 16;
#endif
}

/* The value of an e4m3 number: 4 bits of exponent (bias 7), 3 of mantissa. Not for NaN.
 */
DEVICE float float_of_e4m3(uint8_t bits) {
    const int exponent = (bits >> 3) & 15;
    const float mantissa = (float)(bits & 7) / 8;
    const float size =
        exponent == 0 ? ldexpf(mantissa, -6) : ldexpf(1 + mantissa, exponent - 7);
    return (bits & 128) != 0 ? -size : size;
}

/* 32 bits that differ without pattern from one index to the next (the finaliser of
 * MurmurHash3, on the index's two halves). */
DEVICE uint32_t scrambled(uint64_t index, uint32_t seed) {
    uint32_t h = (uint32_t)index * 0x9e3779b9u + (uint32_t)(index >> 32) * 0x85ebca77u;
    h ^= seed;
    h = (h ^ (h >> 16)) * 0x85ebca6bu;
    h = (h ^ (h >> 13)) * 0xc2b2ae35u;
    return h ^ (h >> 16);
}

/* Element `index` of the random data of a buffer, in [-1, 1). Zeros would be quicker
 * than real data: the chip draws less power on them. */
DEVICE float random_value(uint64_t index, uint32_t seed) {
    return (float)(scrambled(index, seed) >> 8) * (2.0f / 16777216.0f) - 1.0f;
}

DEVICE uint16_t random_bf16(uint64_t index, uint32_t seed) {
    return bf16_of_float(random_value(index, seed));
}

/* Any sign and mantissa, sizes from 1/8 to below 2. */
DEVICE uint8_t random_e4m3(uint64_t index, uint32_t seed) {
    const uint32_t h = scrambled(index, seed);
    return (uint8_t)((h & 0x80u) | (0x20u + ((h >> 8) & 0x1fu)));
}

/* The logarithm of an exponentially distributed number, drawn for one element. */
DEVICE float log_exponential(uint64_t draw, uint32_t seed) {
    const float uniform =
        ((float)(scrambled(draw, seed) >> 9) + 0.5f) * (1.0f / 8388608.0f);
    return logf(-logf(uniform));
}

/* The larger of two errors; what is no number is infinite. */
DEVICE double larger_error(double a, double b) {
    if (!(b <= a)) a = b > a ? b : INFINITY;
    return a;
}

#endif
