#include "emulator.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__ /* gcc */
#define FOLLOWED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) /* clang */
#define FOLLOWED
#endif
#endif
#ifdef FOLLOWED
#include <dlfcn.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum { MOST_THREADS = 1024, LANES = 32, STACK_BYTES = 64 << 10, COPIES = 128 };

struct copy {
    void *to;
    struct words4 bytes;
    int group;
};

struct fibre {
    ucontext_t context;
    char *stack;
    bool done;
    struct emulated_place place;
    struct copy copies[COPIES]; /* on their way, oldest first */
    int in_flight, committed;
};

/* A meeting of the threads of a warp or a block: each waits until all have come. What
 * they bring lies in one of two tables in turn, as the quick ones come to the next
 * meeting while the slow still read. */
struct meeting {
    int members, arrived, round;
    char brought[2][LANES][64];
};

struct block {
    ucontext_t scheduler;
    const void *scheduler_stack; /* as the address sanitizer knows it */
    size_t scheduler_bytes;
    struct fibre fibres[MOST_THREADS];
    struct meeting all, warps[MOST_THREADS / LANES];
    struct fibre *running;
    bool progress;
    void *shared;
    void (*kernel)(void *);
    void *arguments;
};

static struct block *block; /* the one that is emulated at the moment */

const struct emulated_place *emulated_place(void) {
    return &block->running->place;
}
void *emulated_shared(void) {
    return block->shared;
}

#ifdef FOLLOWED
/* The address sanitizer has to be told which stack comes next. Its own swapcontext()
 * only says that it does not know; the library's lies behind it. */
static void change(ucontext_t *from, ucontext_t *to, const void *stack, size_t bytes) {
    static int (*library)(ucontext_t *, const ucontext_t *);
    void *mine = NULL;
    if (!library) *(void **)&library = dlsym(RTLD_NEXT, "swapcontext");
    __sanitizer_start_switch_fiber(&mine, stack, bytes);
    library(from, to);
    __sanitizer_finish_switch_fiber(mine, NULL, NULL);
}
static void arrive(void) {
    __sanitizer_finish_switch_fiber(NULL, &block->scheduler_stack,
                                    &block->scheduler_bytes);
}
static void leave_for_ever(void) {
    __sanitizer_start_switch_fiber(NULL, block->scheduler_stack,
                                   block->scheduler_bytes);
}
#else
static void change(ucontext_t *from, ucontext_t *to, const void *stack, size_t bytes) {
    (void)stack, (void)bytes;
    swapcontext(from, to);
}
static void arrive(void) {}
static void leave_for_ever(void) {}
#endif

static void yield_fibre(void) {
    struct fibre *const me = block->running;
    change(&me->context, &block->scheduler, block->scheduler_stack,
           block->scheduler_bytes);
}

static void meet(struct meeting *meeting) {
    const int round = meeting->round;
    block->progress = true;
    meeting->arrived++;
    if (meeting->arrived == meeting->members) {
        meeting->arrived = 0;
        meeting->round++;
    }
    while (meeting->round == round) yield_fibre();
}

void sync_block(void) {
    meet(&block->all);
}

void sync_warp(void) {
    meet(&block->warps[THREAD / LANES]);
}

/* Gives the warp `bytes` of the thread's own and returns what all lanes gave, 64 bytes
 * each. */
static const char *exchange(const void *mine, size_t bytes) {
    const int thread = THREAD;
    struct meeting *const warp = &block->warps[thread / LANES];
    char(*const table)[64] = warp->brought[warp->round & 1];
    assert_true(bytes <= 64);
    memcpy(table[thread % LANES], mine, bytes);
    meet(warp);
    return table[0];
}

float shuffle_xor(float value, int mask) {
    float other;
    const char *const all = exchange(&value, sizeof value);
    memcpy(&other, all + 64 * ((THREAD % LANES) ^ mask), sizeof other);
    return other;
}

int shuffle_xor_int(int value, int mask) {
    int other;
    const char *const all = exchange(&value, sizeof value);
    memcpy(&other, all + 64 * ((THREAD % LANES) ^ mask), sizeof other);
    return other;
}

static void assert_aligned(const void *at) {
    assert_int_equal((uintptr_t)at % 16, 0);
}

struct words4 load16(const void *at) {
    struct words4 v;
    assert_aligned(at);
    memcpy(&v, at, sizeof v);
    return v;
}

struct words4 load16_shared(const void *at) {
    return load16(at);
}

void store16(void *at, struct words4 v) {
    assert_aligned(at);
    memcpy(at, &v, sizeof v);
}

uint32_t low_halves(uint32_t a, uint32_t b) {
    return (a & 0xffffu) | b << 16;
}
uint32_t high_halves(uint32_t a, uint32_t b) {
    return a >> 16 | (b & 0xffff0000u);
}
float exp2_fast(float x) {
    return exp2f(x);
}

static float half_of(uint32_t pair, int high) {
    return high ? bf16_high(pair) : bf16_low(pair);
}

/* Lane 4 g + t holds of a: rows g and g + 8, columns 2 t and 2 t + 8 and their right
 * neighbours; of b: the same as rows, column g; of d: rows g and g + 8, columns 2 t and
 * 2 t + 1 (PTX ISA, "Matrix Fragments for mma.m16n8k16"). */
void mma_bf16(float d[4], const uint32_t a[4], uint32_t b0, uint32_t b1) {
    const uint32_t mine[6] = {a[0], a[1], a[2], a[3], b0, b1};
    const char *const all = exchange(mine, sizeof mine);
    const int group = THREAD % LANES / 4, in_group = THREAD % 4;
    for (int element = 0; element < 4; element++) {
        const int column = 2 * in_group + (element & 1);
        float sum = 0;
        for (int k = 0; k < 16; k++) {
            uint32_t left[6], right[6];
            const int holder = k % 8 / 2;
            memcpy(left, all + (size_t)64 * (size_t)(4 * group + holder), sizeof left);
            memcpy(right, all + (size_t)64 * (size_t)(4 * column + holder),
                   sizeof right);
            sum += half_of(left[(element >> 1) + 2 * (k >= 8)], k & 1) *
                   half_of(right[4 + (k >= 8)], k & 1);
        }
        d[element] += sum;
    }
}

static uint16_t matrix_element(const char *all, int matrix, int row, int column) {
    const uint16_t *address;
    memcpy(&address, all + (size_t)64 * (size_t)(8 * matrix + row), sizeof address);
    assert_aligned(address);
    return address[column];
}

static void load_any(uint32_t r[4], const void *row, bool transposed) {
    const char *const all = exchange(&row, sizeof row);
    const int x = THREAD % LANES / 4, y = 2 * (THREAD % 4);
    for (int i = 0; i < 4; i++) {
        const uint16_t low =
            transposed ? matrix_element(all, i, y, x) : matrix_element(all, i, x, y);
        const uint16_t high = transposed ? matrix_element(all, i, y + 1, x)
                                         : matrix_element(all, i, x, y + 1);
        r[i] = low | (uint32_t)high << 16;
    }
    /* the hardware reads all at once: no lane may overwrite a row before all have read
     */
    exchange(&row, sizeof row);
}

void load_matrices(uint32_t r[4], const void *row) {
    load_any(r, row, false);
}
void load_matrices_transposed(uint32_t r[4], const void *row) {
    load_any(r, row, true);
}

void copy16_async(void *to, const void *from, bool there) {
    struct fibre *const me = block->running;
    assert_aligned(to);
    assert_true(me->in_flight < COPIES);
    struct copy *const copy = &me->copies[me->in_flight++];
    *copy = (struct copy){.to = to, .group = me->committed};
    if (there) copy->bytes = load16(from);
}

void copies_commit(void) {
    block->running->committed++;
}

void copies_wait(int left) {
    struct fibre *const me = block->running;
    int kept = 0;
    for (int i = 0; i < me->in_flight; i++) {
        if (me->copies[i].group < me->committed - left) {
            store16(me->copies[i].to, me->copies[i].bytes);
        } else {
            me->copies[kept++] = me->copies[i];
        }
    }
    me->in_flight = kept;
}

static void run_fibre(void) {
    arrive();
    block->kernel(block->arguments);
    block->running->done = true;
    block->progress = true;
    leave_for_ever();
}

static void run_block(int threads) {
    int left = threads;
    while (left > 0) {
        block->progress = false;
        for (int i = 0; i < threads; i++) {
            struct fibre *const fibre = &block->fibres[i];
            if (fibre->done) continue;
            block->running = fibre;
            change(&block->scheduler, &fibre->context, fibre->stack, STACK_BYTES);
            if (fibre->done) left--;
        }
        if (!block->progress) fail_msg("the block's threads wait for one another");
    }
}

static void begin_fibre(struct fibre *fibre, struct emulated_place place) {
    fibre->place = place;
    fibre->done = false;
    fibre->in_flight = fibre->committed = 0;
    getcontext(&fibre->context);
    fibre->context.uc_stack.ss_sp = fibre->stack;
    fibre->context.uc_stack.ss_size = STACK_BYTES;
    fibre->context.uc_link = &block->scheduler;
    makecontext(&fibre->context, run_fibre, 0);
}

static void begin_block(struct emulated_place place) {
    block->all = (struct meeting){.members = place.threads};
    for (int i = 0; i < place.threads / LANES; i++)
        block->warps[i] = (struct meeting){.members = LANES};
    for (int i = 0; i < place.threads; i++) {
        place.thread = i;
        begin_fibre(&block->fibres[i], place);
    }
}

void emulate(int grid_x, int grid_y, int grid_z, int threads, size_t dynamic_shared,
             void (*kernel)(void *), void *arguments) {
    assert_true(threads % LANES == 0 && threads <= MOST_THREADS);
    block = calloc(1, sizeof *block);
    assert_non_null(block);
    block->kernel = kernel;
    block->arguments = arguments;
    block->shared = aligned_alloc(128, (dynamic_shared + 255) / 128 * 128);
    char *const stacks = malloc((size_t)threads * STACK_BYTES);
    assert_true(block->shared != NULL && stacks != NULL);
    for (int i = 0; i < threads; i++)
        block->fibres[i].stack = stacks + (size_t)i * STACK_BYTES;
    for (int z = 0; z < grid_z; z++)
        for (int y = 0; y < grid_y; y++)
            for (int x = 0; x < grid_x; x++) {
                begin_block((struct emulated_place){.threads = threads,
                                                    .grid_x = grid_x,
                                                    .block_x = x,
                                                    .block_y = y,
                                                    .block_z = z});
                run_block(threads);
            }
    free(stacks);
    free(block->shared);
    free(block);
    block = NULL;
}
