/* The words that memory is filled with, so that a copied or summed result can be told
 * from any other: each word depends on its index and on a seed, none is likely 0. */
#ifndef HOTDESK_CUDA_PATTERN_H
#define HOTDESK_CUDA_PATTERN_H

#include <stdint.h>

#include "device.h"

/* Mixes all bits of x into each bit of the result: the finaliser of splitmix64 (Steele,
 * Lea and Flood 2014), which maps different x to different results. */
DEVICE uint64_t pattern_mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* The 4-byte word at this index (in words, over all of the memory). One mix serves the
 * four words of 16 bytes, so that writing the pattern is limited by memory and not by
 * arithmetic; an odd step tells the four apart. */
DEVICE uint32_t pattern_word(uint32_t seed, uint64_t index) {
    uint64_t mixed = pattern_mix(((uint64_t)seed << 40) ^ (index >> 2));
    return (uint32_t)mixed + (uint32_t)(index & 3) * 0x9e3779b9u;
}

#endif
