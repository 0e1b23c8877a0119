/* Every setting that replay and compare know: as an option, as a key of a scenario
 * file, with its default and its help. */
#ifndef HD_COMMAND_OPTIONS_H
#define HD_COMMAND_OPTIONS_H

#include "command/args.h"

enum { HD_FOR_REPLAY = 1, HD_FOR_COMPARE = 2, HD_FOR_BOTH = 3 };

extern const struct hd_option hd_options[];
extern const int hd_options_count;

/* The row with that scenario key for the command (any of the bits), or NULL. */
const struct hd_option *hd_option_of_key(const char *key, unsigned commands);

#endif
