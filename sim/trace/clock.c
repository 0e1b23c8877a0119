/* Fixed-point reading of time stamps: never through a double, which at today's
 * dates would lose the 100 ns digit of the Azure traces and tie distinct rows. */
#include "trace/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/units.h"

#define WIDE(x) ((hd_wide)(x))
enum { DIGITS_KEPT = 25, DAY_S = 86400 };

static hd_wide power_of_ten(int exponent) {
    hd_wide power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

static const char *skip_blanks(const char *at) {
    while (*at == ' ' || *at == '\t') at++;
    return at;
}

/* mantissa * 10^exponent seconds in ticks, or -1 beyond a million years. Exact:
 * 10^25 * ticks per second is below 2^127. */
static hd_wide scale(hd_wide mantissa, int exponent) {
    if (mantissa == 0) return 0;
    if (exponent > 13) return -1;
    if (exponent >= 0) {
        hd_wide seconds = mantissa;
        while (exponent-- > 0)
            if ((seconds *= 10) > WIDE(31557600000000)) return -1;
        return seconds > WIDE(31557600000000) ? -1 : seconds * HD_TICKS_PER_S;
    }
    if (exponent < -38) return 0; /* less than 10^-1 ticks */
    hd_wide divisor = power_of_ten(-exponent);
    hd_wide ticks = mantissa * HD_TICKS_PER_S;
    hd_wide whole = ticks / divisor, rest = ticks % divisor;
    if (whole > WIDE(31557600000000) * HD_TICKS_PER_S) return -1;
    return whole + (rest >= divisor - rest);
}

/* Digits with an optional decimal point from *at on, as mantissa * 10^exponent;
 * false when there is no digit. */
static bool read_decimal(const char **at, hd_wide *mantissa, int *exponent) {
    const char *p = *at;
    int kept = 0;
    bool any = false, point = false;
    *mantissa = 0;
    *exponent = 0;
    for (;; p++) {
        if (*p == '.' && !point) {
            point = true;
            continue;
        }
        if (!isdigit((unsigned char)*p)) break;
        any = true;
        if (kept < DIGITS_KEPT) {
            *mantissa = *mantissa * 10 + (*p - '0');
            if (*mantissa) kept++;
            if (point) --*exponent;
        } else if (!point) {
            ++*exponent;
        }
    }
    if (!any) return false;
    *at = p;
    return true;
}

/* Digits from *at on, as a number that wraps around beyond 19 of them; how many. */
static int read_run(const char **at, uint64_t *number) {
    const char *begin = *at;
    for (unsigned digit; (digit = (unsigned)**at - '0') < 10; ++*at)
        *number = *number * 10 + digit;
    return (int)(*at - begin);
}

/* Ticks of the n-th decimal of a second, all whole. */
static const hd_tick decimal_ticks[] = {
    HD_TICKS_PER_S,           HD_TICKS_PER_S / 10,       HD_TICKS_PER_S / 100,
    HD_TICKS_PER_S / 1000,    HD_TICKS_PER_S / 10000,    HD_TICKS_PER_S / 100000,
    HD_TICKS_PER_S / 1000000, HD_TICKS_PER_S / 10000000, HD_TICKS_PER_S / 100000000,
    HD_TICKS_PER_NS};
enum { DECIMALS_SHORT = 9 };

/* What nearly all stamps are: digits, a point and no more of them than divide a second
 * into whole ticks, which takes no division. False where the text is another number, or
 * none: the general way says which. */
static bool read_short(const char *at, int shift, hd_wide *ticks) {
    uint64_t mantissa = 0;
    int digits = read_run(&at, &mantissa), decimals = 0;
    if (*at == '.' && digits) {
        at++;
        decimals = read_run(&at, &mantissa);
    }
    if (*at || !digits || digits + decimals > 18 || decimals - shift > DECIMALS_SHORT ||
        digits + shift > 12) /* a million years has 14 digits of seconds */
        return false;
    *ticks = (hd_wide)mantissa * decimal_ticks[decimals - shift];
    return true;
}

/* ".97996" with at most 9 decimals, as above. */
static bool read_short_fraction(const char **at, hd_wide *ticks) {
    const char *end = *at + 1;
    uint64_t mantissa = 0;
    int decimals = read_run(&end, &mantissa);
    if (!decimals || decimals > DECIMALS_SHORT) return false;
    *ticks = (hd_wide)mantissa * decimal_ticks[decimals];
    *at = end;
    return true;
}

/* expected: what to say of text that is no number; shift: 10^shift s is the unit. */
static const char *read_number(const char *text, int shift, const char *expected,
                               struct hd_stamp *stamp) {
    const char *at = skip_blanks(text);
    hd_wide ticks;
    if (read_short(at, shift, &ticks)) {
        *stamp = (struct hd_stamp){.at = ticks};
        return NULL;
    }
    bool negative = *at == '-';
    hd_wide mantissa;
    int exponent;
    if (*at == '-' || *at == '+') at++;
    if (!read_decimal(&at, &mantissa, &exponent)) return expected;
    if (*at == 'e' || *at == 'E') {
        int sign = 1, power = 0;
        at++;
        if (*at == '-' || *at == '+') sign = *at++ == '-' ? -1 : 1;
        if (!isdigit((unsigned char)*at)) return expected;
        for (; isdigit((unsigned char)*at); at++)
            if (power < 100000) power = power * 10 + (*at - '0');
        exponent += sign * power;
    }
    if (*skip_blanks(at)) return expected;
    *stamp = (struct hd_stamp){.at = scale(mantissa, exponent + shift)};
    if (stamp->at < 0) return "is more than a million years";
    if (negative && stamp->at) return "is negative; a trace's time begins at 0";
    return NULL;
}

const char *hd_stamp_seconds(const char *text, struct hd_stamp *stamp) {
    return read_number(text, 0, "is not a time in seconds", stamp);
}

const char *hd_stamp_milliseconds(const char *text, struct hd_stamp *stamp) {
    return read_number(text, -3, "is not a time in milliseconds", stamp);
}

const char *hd_stamp_microseconds(const char *text, struct hd_stamp *stamp) {
    return read_number(text, -6, "is not a time in microseconds", stamp);
}

/* n digits exactly. */
static bool read_digits(const char **at, int n, int *value) {
    *value = 0;
    for (int i = 0; i < n; i++) {
        unsigned digit = (unsigned)(*at)[i] - '0';
        if (digit > 9) return false;
        *value = *value * 10 + (int)digit;
    }
    *at += n;
    return true;
}

/* ":mm" and, unless seconds are optional and missing, ":ss[.fff]". */
static const char *read_minutes(const char **at, bool seconds_optional,
                                hd_wide *ticks) {
    int minutes, seconds = 0;
    *ticks = 0;
    if (**at != ':') return "has no minutes";
    ++*at;
    if (!read_digits(at, 2, &minutes)) return "has no minutes of two digits";
    if (minutes > 59) return "has more than 59 minutes";
    if (**at == ':') {
        ++*at;
        if (!read_digits(at, 2, &seconds)) return "has no seconds of two digits";
        if (seconds > 59) return "has more than 59 seconds";
        if (**at == '.' && !read_short_fraction(at, ticks)) {
            hd_wide mantissa;
            int exponent;
            if (!read_decimal(at, &mantissa, &exponent))
                return "has a point without decimals";
            *ticks = scale(mantissa, exponent);
        }
    } else if (!seconds_optional) {
        return "has no seconds";
    }
    *ticks += WIDE(minutes * 60 + seconds) * HD_TICKS_PER_S;
    return NULL;
}

static const char *read_time(const char *text, bool seconds_optional, hd_wide *ticks) {
    const char *at = skip_blanks(text);
    long hours = 0;
    int digits = 0;
    for (; isdigit((unsigned char)*at) && digits < 8; at++, digits++)
        hours = hours * 10 + (*at - '0');
    if (digits == 0) return "is not a time hh:mm:ss.mmm";
    const char *why = read_minutes(&at, seconds_optional, ticks);
    if (why) return why;
    if (*skip_blanks(at)) return "is not a time hh:mm:ss.mmm";
    *ticks += WIDE(hours) * 3600 * HD_TICKS_PER_S;
    return NULL;
}

const char *hd_stamp_time(const char *text, struct hd_stamp *stamp) {
    *stamp = (struct hd_stamp){0};
    return read_time(text, false, &stamp->at);
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, from year 1 on: 719162 lie
 * before it. False: there is no such day. */
static bool count_days(int year, int month, int day, int *days) {
    static const int ahead[] = {0,   31,  59,  90,  120, 151, 181,
                                212, 243, 273, 304, 334, 365};
    if (year < 1 || month < 1 || month > 12) return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int length = ahead[month] - ahead[month - 1] + (leap && month == 2),
        past = year - 1;
    if (day < 1 || day > length) return false;
    *days = 365 * past + past / 4 - past / 100 + past / 400 + ahead[month - 1] +
            (leap && month > 2) + day - 1 - 719162;
    return true;
}

/* "2023-11-16" as seconds since 1970-01-01. */
static const char *read_day(const char **at, hd_wide *seconds) {
    int year, month, day, days;
    if (!read_digits(at, 4, &year) || *(*at)++ != '-' || !read_digits(at, 2, &month) ||
        *(*at)++ != '-' || !read_digits(at, 2, &day))
        return "is not a date and time like 2023-11-16 18:17:03.9799600";
    if (!count_days(year, month, day, &days)) return "is no day of the calendar";
    *seconds = WIDE(days) * DAY_S;
    return NULL;
}

/* "Z", "+02:00", "+0200", "+02" or nothing. */
static const char *read_zone(const char **at, struct hd_stamp *stamp) {
    static const char *const wrong = "has a time zone that is not Z or +hh:mm";
    *at = skip_blanks(*at);
    if (**at == '\0') return NULL;
    stamp->zoned = true;
    if (**at == 'Z' || **at == 'z') {
        ++*at;
        return NULL;
    }
    int sign = **at == '-' ? -1 : 1, hours, minutes = 0;
    if (**at != '-' && **at != '+') return wrong;
    ++*at;
    if (!read_digits(at, 2, &hours)) return wrong;
    bool colon = **at == ':';
    if (colon) ++*at;
    if ((colon || isdigit((unsigned char)**at)) && !read_digits(at, 2, &minutes))
        return wrong;
    if (hours > 18 || minutes > 59) return wrong;
    stamp->zone_minutes = sign * (hours * 60 + minutes);
    return NULL;
}

const char *hd_stamp_date(const char *text, struct hd_stamp *stamp) {
    static const char *const expected =
        "is not a date and time like 2023-11-16 18:17:03.9799600";
    const char *at = skip_blanks(text);
    hd_wide day_s, ticks;
    int hours;
    *stamp = (struct hd_stamp){0};
    const char *why = read_day(&at, &day_s);
    if (why) return why;
    if ((*at != ' ' && *at != 'T') || (at++, !read_digits(&at, 2, &hours)))
        return expected;
    if (hours > 23) return "has more than 23 hours";
    if ((why = read_minutes(&at, false, &ticks))) return why;
    if ((why = read_zone(&at, stamp))) return why;
    if (*skip_blanks(at)) return expected;
    stamp->at = (day_s + WIDE(hours) * 3600) * HD_TICKS_PER_S + ticks;
    return NULL;
}

bool hd_clock_is_date(hd_wide at) {
    return at >= WIDE(-62135596800) * HD_TICKS_PER_S && /* 0001-01-01 */
           at < WIDE(253402300800) * HD_TICKS_PER_S;    /* 10000-01-01 */
}

char *hd_clock_text(enum hd_clock clock, hd_wide at, char text[HD_CLOCK_TEXT_BYTES]) {
    hd_wide second = at / HD_TICKS_PER_S, part = at % HD_TICKS_PER_S;
    if (part < 0) {
        part += HD_TICKS_PER_S;
        second--;
    }
    long s = (long)second;
    int used;
    if (clock == HD_CLOCK_DATE) {
        struct tm tm;
        time_t t = s;
        gmtime_r(&t, &tm);
        used = snprintf(text, 40, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900,
                        tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    } else if (clock == HD_CLOCK_TIME) {
        used = snprintf(text, 40, "%02ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    } else {
        used = snprintf(text, 40, "%ld", s);
    }
    used += snprintf(text + used, 16, ".%09ld", (long)(part / HD_TICKS_PER_NS));
    for (int spare = 6; spare > 0 && text[used - 1] == '0'; spare--)
        text[--used] = '\0';
    if (clock == HD_CLOCK_SECONDS) memcpy(text + used, " s", 3);
    return text;
}

bool hd_clock_parse(enum hd_clock clock, hd_wide zero, hd_wide not_before,
                    const char *text, hd_wide *at, struct hd_err *err) {
    const hd_wide day = WIDE(DAY_S) * HD_TICKS_PER_S;
    if (*text == '+') {
        double seconds;
        if (!hd_parse_duration(text + 1, &seconds, err)) return false;
        if (!(seconds < 1e9)) return hd_fail(err, "'%s' is no span of a trace", text);
        *at = zero + (hd_wide)(seconds * (double)HD_TICKS_PER_S + 0.5);
        return true;
    }
    hd_wide ticks = 0;
    const char *colon = strchr(text, ':'), *dash = strchr(text, '-');
    if (dash && clock == HD_CLOCK_DATE) {
        const char *p = text;
        const char *why = read_day(&p, at);
        if (!why && (*p == ' ' || *p == 'T'))
            why = read_time(p + 1, true, &ticks);
        else if (!why && *p)
            why = "is not a date, or a date and a time";
        if (!why && ticks >= day) why = "has more than 23 hours";
        if (why) return hd_fail(err, "'%s' %s", text, why);
        *at = *at * HD_TICKS_PER_S + ticks;
        return true;
    }
    if (dash && colon)
        return hd_fail(err,
                       "'%s' is a date, but the trace's clock counts from its own "
                       "zero; expected +2h or 13:00",
                       text);
    if (colon) {
        const char *why = read_time(text, true, &ticks);
        if (why) return hd_fail(err, "'%s' %s", text, why);
        *at = ticks;
        if (clock == HD_CLOCK_DATE) {
            if (ticks >= day) return hd_fail(err, "'%s' has more than 23 hours", text);
            hd_wide midnight = not_before / day * day;
            *at = midnight + ticks + (midnight + ticks < not_before ? day : 0);
        }
        return true;
    }
    return hd_fail(err, "'%s' is not on the trace's clock; expected %s, 13:00 or +2h",
                   text, clock == HD_CLOCK_DATE ? "2026-11-17 13:00" : "01:30:00");
}
