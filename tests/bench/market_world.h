/* A market on H100s under aegaeon, set up as `hotdesk replay` does: its models are
 * dealt from three sizes on one GPU each. */
#ifndef HD_TESTS_MARKET_WORLD_H
#define HD_TESTS_MARKET_WORLD_H

#include "command/session.h"
#include "plan/setup.h"

struct market_world {
    struct hd_session session;
    struct hd_setup *setup;
    struct hd_scene scene; /* of one run: its config */
    bool open;
};

/* Ends the program with one line where it cannot be. */
void market_world_make(struct market_world *, const char *trace, const char *fleet);
void market_world_free(struct market_world *);
/* A measure for one run; starts the arrivals anew. */
struct hd_measure *market_world_measure(struct market_world *);

#endif
