/* The one variable that is written while runs go on: signal handlers get no
 * argument of ours. */
#include "command/interrupt.h"

#include <signal.h>
#include <stddef.h>

static atomic_int caught;

static void note(int signal_number) {
    caught = signal_number;
}

const atomic_int *hd_interrupt_watch(void) {
    struct sigaction action = {.sa_handler = note,
                               .sa_flags = (int)(SA_RESETHAND | SA_RESTART)};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* A reader that goes away is an error of writing, not the end: what was begun
     * elsewhere is finished or removed. */
    signal(SIGPIPE, SIG_IGN);
    return &caught;
}

int hd_interrupt_exit_code(void) {
    return caught ? 128 + caught : 0;
}
