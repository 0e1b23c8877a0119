/* What every trace that was read keeps, wherever it came from. */
#ifndef TESTS_FUZZ_TRACE_CHECKS_H
#define TESTS_FUZZ_TRACE_CHECKS_H

#include "trace/trace.h"

/* Written as binary and read again it is the same; as CSV too where it is `ours`: read
 * from text, which numbers all names by first appearance. */
void fuzz_check_trace(const struct hd_trace *, bool ours);

#endif
