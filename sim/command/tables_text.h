/* The kernel tables that a GPU's iterations are composed from, for a person and as
 * JSON. */
#ifndef HD_COMMAND_TABLES_TEXT_H
#define HD_COMMAND_TABLES_TEXT_H

#include "output/json.h"
#include "timing/kernel_set.h"

/* A line per table with its errors and the sizes that its grid spans, then the sources;
 * nothing if there is no table. */
void hd_tables_text(const struct hd_kernel_set *, FILE *);

/* The member "kernels" of the object that is open. */
void hd_tables_json(const struct hd_kernel_set *, struct hd_json *);

#endif
