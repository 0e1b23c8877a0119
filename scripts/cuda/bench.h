/* What one quantity (one .cu file) sees of the suite.
 *
 * Each quantity runs in a process of its own, in which no call of CUDA was made before
 * run(): it may fork before its first one (a bench_ function that needs the device is
 * such a call: bench_device, bench_host with a work that uses it). What ends that
 * process, or outlasts its share of the budget by far, is said and counted, and the
 * suite goes on with the next quantity. */
#ifndef HOTDESK_CUDA_BENCH_H
#define HOTDESK_CUDA_BENCH_H

#include <cuda_runtime.h>

#include "nvml.h"
#include "quantity.h"
#include "record.h"

struct bench; /* one session of measuring */

/* Work that the GPU does: puts one repetition into the stream. turn counts up by one
 * each time: pick the buffers turn % copies, so that their sum exceeds twice the L2
 * cache (bench_properties(b)->l2CacheSize). It must not wait for the device: pageable
 * copies, and more than 800 launches in one repetition, are host work. Work on other
 * streams is joined to this one with events before and after. */
struct device_work {
    void (*enqueue)(void *state, int turn, cudaStream_t stream);
    void *state;
    int launches; /* in one repetition: kernels and copies; 0 as 1 */
};

/* Measures it behind a blocking kernel with events, cold, until the noise is low enough
 * or the row's share of the budget is used; samples at a throttled clock are dropped
 * and counted. A sample is the mean of some repetitions back to back, so that the clock
 * of the events does not round short ones. Writes the row. false: the budget is used up
 * or the user interrupted; stop. A row that exists from an earlier session is not
 * measured again (true at once). */
bool bench_device(struct bench *, const struct shape *, const struct device_work *);

/* Work that the host waits for: returns the seconds that one repetition took, by the
 * function's own clock (bench_now_s, or events that it records), so that preparation is
 * left out; a value below 0: this repetition failed and said why on stderr, and the row
 * is given up. */
struct host_work {
    double (*once)(void *state, int turn);
    void *state;
    int samples; /* most to take; 0: as the stopping rules have it */
};
bool bench_host(struct bench *, const struct shape *, const struct host_work *);

/* A value measured in another way (a histogram's mode, a fit): samples and mad given.
 */
bool bench_value(struct bench *, const struct shape *, double time_us, double mad_us,
                 long samples);

/* Whether the row still needs measuring in this session (not there yet, budget left):
 * ask before costly preparation. */
bool bench_wants(struct bench *, const struct shape *);

/* How many rows follow at most, to share the quantity's time fairly between them; say
 * it once before the first. Unsaid, a row may take up to half a second. */
void bench_expect(struct bench *, long rows);

/* A result of the device compared with what it must be, before the rows that stand on
 * it. Not ok: says the difference and fails the session (exit 1 at its end); the rows
 * with this op, variant and dtype are then not written in this session, the others are.
 */
void bench_verified(struct bench *, const struct shape *, bool ok, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

/* For what this machine cannot measure (one GPU, no MPS): said and counted. */
void bench_skip(struct bench *, const char *why);

double bench_now_s(void); /* a steady clock */
const cudaDeviceProp *bench_properties(const struct bench *);
bool bench_quick(const struct bench *); /* --quick: the short lists of shapes */
unsigned long bench_seed(const struct bench *);
const struct nvml *bench_nvml(const struct bench *); /* NULL: not there */
double bench_left_s(const struct bench *); /* of this quantity's share of the budget */

/* Ends the quantity with file, line and the error's text where a call failed; its other
 * rows are lost, those written stay. */
#define CUDA(call) bench_cuda_check((call), #call, __FILE__, __LINE__)
void bench_cuda_check(cudaError_t, const char *call, const char *file, int line);

/* Each .cu file defines one, `const struct quantity quantity_hbm = {...}`; main.cu has
 * the table of all 19. */
extern const struct quantity quantity_hbm, quantity_copies, quantity_overlap,
    quantity_blocks, quantity_launch, quantity_graph, quantity_sync, quantity_allocate,
    quantity_host_alloc, quantity_context, quantity_priority, quantity_time_slice,
    quantity_corun, quantity_gemm, quantity_attention_prefill,
    quantity_attention_decode, quantity_small_ops, quantity_collectives,
    quantity_clocks;

#endif
