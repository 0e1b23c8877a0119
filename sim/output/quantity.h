/* Quantities as a person reads them: three digits and a unit. Files hold the full
 * numbers; these are for the screen and for labels. What is absent is "-".
 *
 * Each call returns its text by value, so it can stand in a printf. */
#ifndef HD_OUTPUT_QUANTITY_H
#define HD_OUTPUT_QUANTITY_H

#include <stdint.h>

struct hd_said {
    char text[32];
};

struct hd_said hd_say_seconds(double seconds); /* "850 us", "25.3 ms", "9.42 s" */
struct hd_said hd_say_limit(double seconds);   /* as a person set it: "10 s", "80 ms" */
struct hd_said hd_say_span(double seconds);    /* a long time: "20 min", "48.0 h" */
/* "97.1 %", cut and not rounded, so that what misses a target never looks as if it
 * met it; "100 %" only when all of it. */
struct hd_said hd_say_percent(double fraction);
struct hd_said hd_say_count(int64_t count); /* "1,214,330" */
/* "1 request", "2,341 requests": of a thing whose plural is made with an s, at most ten
 * letters long. */
struct hd_said hd_say_things(int64_t count, const char *thing);
struct hd_said hd_say_rough(double count);    /* "12.3 M" */
struct hd_said hd_say_bytes(double bytes);    /* "75.2 GB", powers of 1000 */
struct hd_said hd_say_share(double fraction); /* "0.9" as "90 %", "0.995" "99.5 %" */

#endif
