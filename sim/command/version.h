/* hotdesk --version. */
#ifndef HD_COMMAND_VERSION_H
#define HD_COMMAND_VERSION_H

/* Prints hotdesk's version, the libraries it stands on and the revisions of the
 * timing calibrations it finds. Returns the exit code. */
int hd_print_version(void);

#endif
