/* Where hotdesk's own files lie: catalogue, calibration, policies, traces. */
#ifndef HD_BASE_HOME_H
#define HD_BASE_HOME_H

#include <stdbool.h>

/* The folder that holds sim/catalog, results/calibration and policies: the one
 * of the running program (a build in a clone), a parent of it, or the folder it
 * was installed to. Constant for the process; never NULL. */
const char *hd_home(void);

/* home/part as a new string; the caller frees it. */
char *hd_home_path(const char *part);

bool hd_file_exists(const char *path);

#endif
