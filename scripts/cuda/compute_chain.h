/* Work for the arithmetic units alone: chains of fused multiply-adds in registers,
 * several at once to hide their latency. */
#ifndef HOTDESK_CUDA_COMPUTE_CHAIN_H
#define HOTDESK_CUDA_COMPUTE_CHAIN_H

#include <math.h>
#include <stdint.h>

#include "device.h"

enum { COMPUTE_CHAINS = 8 };

/* The sum of the thread's chains after `rounds` steps x -> 0.9375 x + own, one rounding
 * each. A chain tends to 16 own, which lies between 1/8 and 1: never 0, never denormal.
 */
DEVICE float compute_chains(uint32_t thread, int rounds) {
    float x[COMPUTE_CHAINS], own[COMPUTE_CHAINS], sum = 0;
    for (int c = 0; c < COMPUTE_CHAINS; c++) {
        x[c] = 1.0f + (float)((thread + (uint32_t)c) & 15) * 0.0625f;
        own[c] = (float)(1 + ((thread + (uint32_t)c) & 7)) * 0.0078125f;
    }
    for (int r = 0; r < rounds; r++)
        for (int c = 0; c < COMPUTE_CHAINS; c++) x[c] = fmaf(x[c], 0.9375f, own[c]);
    for (int c = 0; c < COMPUTE_CHAINS; c++) sum += x[c];
    return sum;
}

#endif
