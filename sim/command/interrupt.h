/* Ctrl-C and SIGTERM: a flag that long work looks at. */
#ifndef HD_COMMAND_INTERRUPT_H
#define HD_COMMAND_INTERRUPT_H

#include <stdatomic.h>

/* From here on both signals set the flag, once: a second one ends the process at
 * once. The flag holds the signal's number, or 0. */
const atomic_int *hd_interrupt_watch(void);

/* 130 after SIGINT, 143 after SIGTERM, 0 after neither. */
int hd_interrupt_exit_code(void);

#endif
