/* Time stamps of trace files, to and from ticks, by integer arithmetic alone.
 *
 * A file's clock is one of three: seconds since its own zero, hh:mm:ss since its
 * own zero, or calendar dates. Ticks of a date count from 1970-01-01 on the
 * trace's own clock, which no 64-bit integer holds: hence hd_wide. */
#ifndef HD_TRACE_CLOCK_H
#define HD_TRACE_CLOCK_H

#include <stdbool.h>

#include "base/err.h"
#include "base/tick.h"

enum hd_clock { HD_CLOCK_SECONDS, HD_CLOCK_TIME, HD_CLOCK_DATE };

struct hd_stamp {
    hd_wide at;       /* ticks on the stamp's own clock, zone not applied */
    bool zoned;       /* a date with Z, +02:00, ... behind it */
    int zone_minutes; /* east of UTC */
};

/* A stamp in one of these notations, blanks around it allowed:
 *     seconds   12, 0.20793754160099873, 5e-05; milli- and microseconds alike
 *     time      00:01:59.795, hours without limit
 *     date      2023-11-16 18:17:03.9799600, T for the blank, a zone behind it
 * Each is rounded to the nearest tick, halves up; decimals of a second beyond
 * the 25th are not read. NULL when it is one, else what is wrong with the text. */
const char *hd_stamp_seconds(const char *text, struct hd_stamp *stamp);
const char *hd_stamp_milliseconds(const char *text, struct hd_stamp *stamp);
const char *hd_stamp_microseconds(const char *text, struct hd_stamp *stamp);
const char *hd_stamp_time(const char *text, struct hd_stamp *stamp);
const char *hd_stamp_date(const char *text, struct hd_stamp *stamp);

/* Whether an instant on a clock of dates lies in the years 1 to 9999, and so has a text
 * that is read again. */
bool hd_clock_is_date(hd_wide at);

enum { HD_CLOCK_TEXT_BYTES = 64 };

/* The clock as a person reads it: "2023-11-16 18:17:03.97996", "00:01:59.795" or
 * "0.208 s", with three to nine decimals; rounded down to ns. Returns text. */
char *hd_clock_text(enum hd_clock clock, hd_wide at, char text[HD_CLOCK_TEXT_BYTES]);

/* An instant as a user asks for it (--from, --to):
 *     +2h, +90s     since `zero`
 *     13:00[:05.5]  on a clock of dates the first such time at or after
 *                   `not_before`; else since the file's own zero
 *     2026-11-17[ 13:00[:05.5]]   on a clock of dates alone
 * False with a reason in err (no place: the caller knows the option). */
bool hd_clock_parse(enum hd_clock clock, hd_wide zero, hd_wide not_before,
                    const char *text, hd_wide *at, struct hd_err *err);

#endif
