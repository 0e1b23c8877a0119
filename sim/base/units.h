/* Quantities as a person writes them: a number and its unit. A bare number
 * where a unit belongs is an error that says so. */
#ifndef HD_BASE_UNITS_H
#define HD_BASE_UNITS_H

#include "base/err.h"

/* "10s", "100ms", "1.5h": ns us ms s m h d -> seconds. "0s" needs its unit too.
 * "none" -> infinity. */
bool hd_parse_duration(const char *text, double *seconds, struct hd_err *err);

/* "2TB", "64GiB": B kB MB GB TB (powers of 1000), KiB MiB GiB TiB -> bytes. */
bool hd_parse_size(const char *text, double *bytes, struct hd_err *err);

/* "16GB/s", "400Gb/s" (small b: bits) -> bytes per second. */
bool hd_parse_bandwidth(const char *text, double *bytes_per_s, struct hd_err *err);

/* "0.9" or "90%" -> 0.9; must lie in (0, 1]. "90" is an error that offers both. */
bool hd_parse_fraction(const char *text, double *fraction, struct hd_err *err);

/* A plain decimal number, all of the text; no NaN, no infinity. */
bool hd_parse_number(const char *text, double *number, struct hd_err *err);

/* A whole number in [min, max]. */
bool hd_parse_integer(const char *text, long min, long max, long *number,
                      struct hd_err *err);

#endif
