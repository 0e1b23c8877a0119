/* What a reader of a result has to know beside its figures. */
#ifndef HD_COMMAND_WARNINGS_H
#define HD_COMMAND_WARNINGS_H

#include "plan/report.h"

/* Fills report->warning from the trace and what became of its rows; run is the
 * replay's, NULL for a comparison. */
void hd_warnings_make(struct hd_report *, const struct hd_load *,
                      const struct hd_run_record *run);
void hd_warnings_free(struct hd_report *);

#endif
