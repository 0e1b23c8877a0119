/* Keeps some repetitions of the background in flight, by chunks of a millisecond or one
 * repetition, until the timed work has ended. */
#include "beside.h"

#include <stdio.h>
#include <stdlib.h>

#include "statistics.h"

enum { CHUNKS = 2, CHUNK_MOST = 128, SAMPLES_LEAST = 5, SAMPLES_MOST = 41 };
#define CHUNK_US 1000.0
#define SAMPLE_US 200.0 /* short work is repeated until a sample lasts this long */
#define WARM_ALONE_S 0.05
#define WARM_BESIDE_S 0.005
#define SAMPLE_LIMIT_S 10 /* nothing here takes longer: the device hangs */

struct feed {
    const struct beside_work *work; /* NULL: nothing */
    int per_chunk, turn;
    cudaEvent_t ended[CHUNKS]; /* of the chunks in flight, the oldest at `oldest` */
    int oldest;
};

static int repetitions(double wanted_us, double each_us, int most) {
    double count = each_us > 0 ? wanted_us / each_us + 1 : 1;
    return count < most ? (int)count : most;
}

static void feed_chunk(struct feed *f, int slot) {
    for (int i = 0; i < f->per_chunk; i++)
        f->work->enqueue(f->work->state, f->turn++, f->work->stream);
    CUDA(cudaEventRecord(f->ended[slot], f->work->stream));
}

static bool reached(cudaEvent_t event) {
    cudaError_t answer = cudaEventQuery(event);
    if (answer == cudaErrorNotReady) return false;
    CUDA(answer);
    return true;
}

/* Puts new chunks behind the oldest ones as they end. */
static void feed_on(struct feed *f) {
    if (!f->work || !reached(f->ended[f->oldest])) return;
    feed_chunk(f, f->oldest);
    f->oldest = (f->oldest + 1) % CHUNKS;
}

/* Whether anything of the background is still to run. */
static bool feeding(const struct feed *f) {
    return !reached(f->ended[(f->oldest + CHUNKS - 1) % CHUNKS]);
}

/* One sample in us; below 0: the background ended before the timed work did. */
static double sample(const struct beside_work *timed, int repeat, int *turn,
                     struct feed *f, cudaEvent_t start, cudaEvent_t stop) {
    if (f->work)
        for (int slot = 0; slot < CHUNKS; slot++) feed_chunk(f, slot);
    f->oldest = 0;
    timed->enqueue(timed->state, (*turn)++, timed->stream); /* ahead of the host */
    CUDA(cudaEventRecord(start, timed->stream));
    for (int i = 0; i < repeat; i++)
        timed->enqueue(timed->state, (*turn)++, timed->stream);
    CUDA(cudaEventRecord(stop, timed->stream));
    double began = bench_now_s();
    while (!reached(stop)) {
        feed_on(f);
        if (bench_now_s() - began > SAMPLE_LIMIT_S) {
            fprintf(stderr,
                    "hotdesk-bench: work beside other work did not end in %d s\n",
                    SAMPLE_LIMIT_S);
            exit(1);
        }
    }
    bool covered = !f->work || feeding(f);
    CUDA(cudaStreamSynchronize(timed->stream));
    if (f->work) CUDA(cudaStreamSynchronize(f->work->stream));
    float ms = 0;
    CUDA(cudaEventElapsedTime(&ms, start, stop));
    return covered ? 1e3 * (double)ms / repeat : -1;
}

static bool summarise(const double *us, int count, long uncovered,
                      struct beside_time *t) {
    t->samples = count;
    t->uncovered = uncovered;
    if (count == 0) {
        fprintf(stderr,
                "hotdesk-bench: the work beside ended before the timed work in all "
                "%ld samples\n",
                uncovered);
        return false;
    }
    t->time_us = median_of(us, count);
    t->mad_us = mad_of(us, count, t->time_us);
    return true;
}

bool beside_measure(const struct beside_work *timed, double timed_us,
                    const struct beside_work *background, double background_us,
                    double seconds, struct beside_time *t) {
    struct feed feed = {};
    feed.work = background;
    feed.per_chunk = repetitions(CHUNK_US, background_us, CHUNK_MOST);
    cudaEvent_t start, stop;
    CUDA(cudaEventCreate(&start));
    CUDA(cudaEventCreate(&stop));
    for (int i = 0; i < CHUNKS; i++)
        CUDA(cudaEventCreateWithFlags(&feed.ended[i], cudaEventDisableTiming));
    int repeat = repetitions(SAMPLE_US, timed_us, CHUNK_MOST), turn = 0, count = 0;
    long uncovered = 0;
    double us[SAMPLES_MOST], began = bench_now_s();
    /* clocks that fell while the GPU was idle rise again */
    do sample(timed, repeat, &turn, &feed, start, stop);
    while (bench_now_s() - began < (background ? WARM_BESIDE_S : WARM_ALONE_S));
    began = bench_now_s();
    while (count < SAMPLES_MOST &&
           (count + uncovered < SAMPLES_LEAST || bench_now_s() - began < seconds)) {
        double one = sample(timed, repeat, &turn, &feed, start, stop);
        if (one > 0) {
            us[count++] = one;
        } else {
            uncovered++;
            if (feed.per_chunk < CHUNK_MOST) feed.per_chunk *= 2;
        }
    }
    for (int i = 0; i < CHUNKS; i++) CUDA(cudaEventDestroy(feed.ended[i]));
    CUDA(cudaEventDestroy(start));
    CUDA(cudaEventDestroy(stop));
    return summarise(us, count, uncovered, t);
}
