/* --timeline and its bounds, of a replay. */
#ifndef HD_COMMAND_TIMELINE_H
#define HD_COMMAND_TIMELINE_H

#include "base/new_file.h"
#include "command/session.h"
#include "plan/timeline.h"

struct hd_timeline_asked { /* all zero: was not asked for */
    struct hd_timeline *timeline;
    struct hd_new_file file;
};

/* Reads the options and begins the file. False with the problem. */
bool hd_timeline_open(struct hd_timeline_asked *, const struct hd_session *,
                      struct hd_problem *);
/* Writes it and says on stderr how much it is, and if it is full; nothing if `quiet`:
 * the file says so too. */
bool hd_timeline_keep(struct hd_timeline_asked *, bool quiet, struct hd_problem *);
void hd_timeline_drop(struct hd_timeline_asked *);

#endif
