/* Fills memory with the pattern and finds what differs from it, on the GPU. The memory
 * is the device's, or pinned and then read over the bus. The functions wait until they
 * are done and end the quantity where CUDA fails. */
#ifndef HOTDESK_CUDA_VERIFY_H
#define HOTDESK_CUDA_VERIFY_H

#include <stddef.h>
#include <stdint.h>

/* Writes the words with the indices first, first + 1, ... */
void verify_fill(void *memory, size_t bytes, uint32_t seed, uint64_t first);

/* How many of the words are not those that verify_fill() writes. */
unsigned long long verify_wrong(const void *memory, size_t bytes, uint32_t seed,
                                uint64_t first);

/* The exclusive or of the words, from their indices alone. */
uint32_t verify_xor(size_t bytes, uint32_t seed, uint64_t first);

/* The same as verify_wrong() for memory that only the host can read: all words of the
 * first and the last MB and one word of each 1,024 bytes between. */
unsigned long long verify_wrong_on_host(const void *memory, size_t bytes, uint32_t seed,
                                        uint64_t first);

#endif
