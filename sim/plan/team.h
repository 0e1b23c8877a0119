/* Threads that share out pieces of work whose order decides nothing. */
#ifndef HD_PLAN_TEAM_H
#define HD_PLAN_TEAM_H

#include <stdbool.h>

struct hd_work {
    /* Under the team's lock: a piece to be done now, or NULL: none until one that is
     * being done comes back. */
    void *(*take)(void *context);
    void (*perform)(void *context, void *piece); /* outside the lock */
    /* Under the lock again. False: nothing more is to be taken. */
    bool (*give_back)(void *context, void *piece);
};

/* Runs until `take` has nothing and no piece is out. The caller's thread is one of
 * the `threads` (>= 1); if no more can be started, fewer do the work. */
void hd_team_run(int threads, const struct hd_work *, void *context);

#endif
