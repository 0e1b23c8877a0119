/* Settings from a scenario file, and settings back into one. */
#ifndef HD_COMMAND_SCENARIO_H
#define HD_COMMAND_SCENARIO_H

#include <stdbool.h>

#include "command/asked.h"

/* Reads the file into asked. Every key must be one that replay or compare knows;
 * keys of one command are ignored by the other, so that one file serves both. */
bool hd_scenario_read(struct hd_asked *, const char *path, struct hd_problem *);

/* The settings in force as a scenario file that says the same. `origins`: each
 * line ends with where its value came from. Paths are printed as seen from
 * `folder`, which need not exist yet but whose parent does (NULL: as they are,
 * relative to the process). The caller frees it. */
char *hd_scenario_text(struct hd_asked *, bool origins, const char *folder);

#endif
