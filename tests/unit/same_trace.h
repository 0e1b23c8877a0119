/* Whether two traces are the same to all who read them. */
#ifndef TESTS_SAME_TRACE_H
#define TESTS_SAME_TRACE_H

#include "trace/trace.h"

/* What differs first, of all that a run reads; NULL: nothing. Lines of the files,
 * notes, names of files and how a clock is written may. */
const char *trace_difference(const struct hd_trace *, const struct hd_trace *);

#endif
