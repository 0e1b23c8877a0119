/* Samples taken in a process of its own: for what a process does but once, or only
 * before its first call of CUDA. */
#ifndef HOTDESK_CUDA_APART_H
#define HOTDESK_CUDA_APART_H

#ifdef __cplusplus
extern "C" {
#endif

enum { APART_VALUES = 256 };

/* What a process reports: times in seconds, as many as `count`; the rest is not read.
 */
struct apart_report {
    int count;
    double seconds[APART_VALUES];
};

struct apart {
    /* Takes the samples; ends the process (exit 1) where it can't, saying why. */
    void (*work)(void *argument, struct apart_report *);
    void *argument;
    double limit_s; /* then it is stopped */
};

/* Runs it in a child of a process that has made no call of CUDA. The number of values
 * reported, in seconds[0 .. APART_VALUES - 1]; -1 if the child failed, which is said on
 * stderr under `name`. */
int apart_run(const struct apart *, const char *name, double *seconds);

#ifdef __cplusplus
}
#endif
#endif
