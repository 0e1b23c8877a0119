/* Work in a process of its own, so that what it breaks is its own alone. */
#ifndef HOTDESK_CUDA_SUPERVISE_H
#define HOTDESK_CUDA_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct outcome {
    bool ended;       /* false: the process could not be started or not be ended */
    bool timed_out;   /* it was stopped after limit_s */
    bool interrupted; /* it was stopped because the user wished so */
    int signal;       /* that ended it; 0: none */
    int status;       /* exit status */
    double seconds;
};

/* Runs work(argument) in a child, which then exits 0, and waits for it. The child and
 * what it has started are killed after limit_s, or when SIGINT or SIGTERM comes. */
struct outcome supervise(void (*work)(void *), void *argument, double limit_s);

/* "exit status 1", "ended by signal 11 (Segmentation fault)", ...; "" when it went
 * well. */
void outcome_text(const struct outcome *, char *text, size_t bytes);

/* Zeroed memory that children share with their parent; ends the program if there is
 * none. */
void *shared_memory(size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
