/* Time stamps to ticks, exactly, and back. */
#include "trace/clock.h"

#include <time.h>

#include "unit/trace_files.h"

typedef const char *(*reader)(const char *, struct hd_stamp *);

static hd_wide at(reader read, const char *text) {
    struct hd_stamp stamp;
    const char *why = read(text, &stamp);
    if (why) fail_msg("'%s' %s", text, why);
    return stamp.at;
}

static void assert_ticks(reader read, const char *text, hd_wide ticks) {
    hd_wide got = at(read, text);
    if (got != ticks)
        fail_msg("'%s': %lld ticks, expected %lld", text, (long long)got,
                 (long long)ticks);
}

static void assert_refused(reader read, const char *text, const char *because) {
    struct hd_stamp stamp;
    const char *why = read(text, &stamp);
    if (!why) fail_msg("'%s' was read", text);
    assert_says(why, because);
}

static void seconds_are_exact(void **state) {
    (void)state;
    assert_ticks(hd_stamp_seconds, "0", 0);
    assert_ticks(hd_stamp_seconds, "5", 5 * HD_TICKS_PER_S);
    assert_ticks(hd_stamp_seconds, " 600.0 ", 600 * HD_TICKS_PER_S);
    assert_ticks(hd_stamp_seconds, ".5", HD_TICKS_PER_S / 2);
    assert_ticks(hd_stamp_seconds, "7.", 7 * HD_TICKS_PER_S);
    assert_ticks(hd_stamp_seconds, "+1e3", 1000 * HD_TICKS_PER_S);
    assert_ticks(hd_stamp_seconds, "5e-05", 50 * HD_TICKS_PER_US);
    assert_ticks(hd_stamp_seconds, "1.5E-9", 1536);
    assert_ticks(hd_stamp_seconds, "0.000000001", HD_TICKS_PER_NS);
    assert_ticks(hd_stamp_seconds, "-0.0", 0);
    assert_ticks(hd_stamp_seconds, "0e999999999999", 0);
    assert_ticks(hd_stamp_seconds, "1e-999999999999", 0);
}

/* One tick is 2^-10 ns = 0.9765625 ps; halves go up. */
static void rounding_is_to_the_nearest_tick(void **state) {
    (void)state;
    assert_ticks(hd_stamp_seconds, "0.0000000000009765625", 1);
    assert_ticks(hd_stamp_seconds, "0.00000000000048828125", 1);
    assert_ticks(hd_stamp_seconds, "0.00000000000048828124", 0);
    assert_ticks(hd_stamp_seconds, "0.00000000000146484375", 2);
    assert_ticks(hd_stamp_seconds, "0.00000000000146484374", 1);
    /* 0.20793754160099873 s * 1024e9 = 212928042599.4227 */
    assert_ticks(hd_stamp_seconds, "0.20793754160099873", 212928042599);
    /* beyond the 25th digit nothing is read, and nothing breaks */
    assert_ticks(hd_stamp_seconds,
                 "1.000000000000000000000000000000000000000000000000000000009",
                 HD_TICKS_PER_S);
}

static void seconds_refused(void **state) {
    (void)state;
    static const char *const wrong[] = {"",    "nan", "inf",  "-",   ".",
                                        "1e",  "1e+", "0x10", "1 2", "1,5",
                                        "12s", "--1", "1.2.3"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_refused(hd_stamp_seconds, wrong[i], "is not a time in seconds");
    assert_refused(hd_stamp_seconds, "-0.001", "negative");
    assert_refused(hd_stamp_seconds, "1e15", "million years");
    assert_refused(hd_stamp_seconds, "99999999999999999999999999999999999999999999",
                   "million years");
    assert_refused(hd_stamp_seconds, "1e999999999999", "million years");
}

static void hours_without_limit(void **state) {
    (void)state;
    assert_ticks(hd_stamp_time, "00:00:00.418", 418 * 1000 * HD_TICKS_PER_US);
    assert_ticks(hd_stamp_time, "00:01:59.795", 119795 * 1000 * HD_TICKS_PER_US);
    assert_ticks(hd_stamp_time, "100:00:00", 360000 * (hd_wide)HD_TICKS_PER_S);
    assert_ticks(hd_stamp_time, "1:02:03", 3723 * HD_TICKS_PER_S);
    assert_refused(hd_stamp_time, "00:60:00", "59 minutes");
    assert_refused(hd_stamp_time, "00:00:60", "59 seconds");
    assert_refused(hd_stamp_time, "00:00", "no seconds");
    assert_refused(hd_stamp_time, "00:0:01", "two digits");
    assert_refused(hd_stamp_time, "00:00:01.", "point");
    assert_refused(hd_stamp_time, "00:00:01.5x", "not a time");
    assert_refused(hd_stamp_time, "-00:00:01", "not a time");
    assert_refused(hd_stamp_time, "", "not a time");
    assert_refused(hd_stamp_time, "12.5", "no minutes");
}

/* The 100 ns digit survives: a double of seconds since 1970 has steps of 238 ns. */
static void dates_keep_every_digit(void **state) {
    (void)state;
    hd_wide a = at(hd_stamp_date, "2023-11-16 18:17:03.9799600");
    hd_wide b = at(hd_stamp_date, "2023-11-16 18:17:03.9799601");
    assert_true(b - a == 100 * HD_TICKS_PER_NS);
    /* date -u -d '2023-11-16 18:17:03' +%s */
    assert_true(a == (hd_wide)1700158623 * HD_TICKS_PER_S +
                         979960 * (hd_wide)HD_TICKS_PER_US);
    assert_ticks(hd_stamp_date, "1970-01-01T00:00:00", 0);
    assert_true(at(hd_stamp_date, "2024-02-29 00:00:00") + HD_TICKS_PER_S * 86400 ==
                at(hd_stamp_date, "2024-03-01 00:00:00"));
    assert_true(at(hd_stamp_date, "1969-12-31 23:59:59") == -HD_TICKS_PER_S);
}

static void dates_refused(void **state) {
    (void)state;
    assert_refused(hd_stamp_date, "2023-02-29 00:00:00", "no day");
    assert_refused(hd_stamp_date, "2023-13-01 00:00:00", "no day");
    assert_refused(hd_stamp_date, "2023-00-10 00:00:00", "no day");
    assert_refused(hd_stamp_date, "0000-01-01 00:00:00", "no day");
    assert_refused(hd_stamp_date, "2023-11-16", "not a date and time");
    assert_refused(hd_stamp_date, "2023-11-16 24:00:00", "23 hours");
    assert_refused(hd_stamp_date, "2023-11-16 12:00", "no seconds");
    assert_refused(hd_stamp_date, "16/11/2023 12:00:00", "not a date");
    assert_refused(hd_stamp_date, "20", "not a date");
    assert_refused(hd_stamp_date, "2023-11-16 12:00:00 CET", "time zone");
    assert_refused(hd_stamp_date, "2023-11-16 12:00:00+1", "time zone");
    assert_refused(hd_stamp_date, "2023-11-16 12:00:00+19:00", "time zone");
    assert_refused(hd_stamp_date, "2023-11-16 12:00:00+01:00x", "not a date");
}

/* Every day that there could be from 1896 to 2004, and of all years those around the
 * leap day and the year's ends, by the C library. */
static void days_are_the_librarys(void **state) {
    (void)state;
    for (int year = 1; year <= 9999; year++)
        for (int month = 1; month <= 13; month++)
            for (int day = 0; day <= 32; day++) {
                bool edge = (month < 4 && (day < 2 || day > 27)) || month == 12;
                if ((year < 1896 || year > 2004) && !(edge && day % 5 < 2)) continue;
                char text[32];
                struct hd_stamp stamp;
                struct tm tm = {
                    .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
                hd_wide zero = (hd_wide)timegm(&tm) * HD_TICKS_PER_S;
                bool is_day = tm.tm_mon == month - 1 && tm.tm_mday == day;
                snprintf(text, sizeof text, "%04d-%02d-%02d 00:00:00", year, month,
                         day);
                if (!hd_stamp_date(text, &stamp) != is_day)
                    fail_msg("%s is %sread", text, is_day ? "not " : "");
                if (is_day && stamp.at != zero) fail_msg("%s is another day", text);
            }
}

/* The way that takes no division against the general one, which reads the same number
 * with an exponent or with more zeros than it takes. */
static void the_short_way_is_the_long_way(void **state) {
    (void)state;
    uint64_t random = 5;
    for (int i = 0; i < 30000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        uint64_t number = random >> 24;
        int decimals = (int)(random >> 20 & 15), digits = (int)(random >> 16 & 15);
        char text[64], twin[80], part[32];
        snprintf(part, sizeof part, "%020llu", (unsigned long long)number);
        snprintf(text, sizeof text, "%.*s%s%.*s", digits, part + 8, decimals ? "." : "",
                 decimals, part + 3);
        snprintf(twin, sizeof twin, "%se0", text);
        struct hd_stamp stamp = {0}, other = {0};
        static const reader readers[] = {hd_stamp_seconds, hd_stamp_milliseconds,
                                         hd_stamp_microseconds};
        for (int r = 0; r < 3; r++) {
            const char *why = readers[r](text, &stamp);
            assert_true(!why == !readers[r](twin, &other));
            if (!why && stamp.at != other.at) fail_msg("%s is not %s", text, twin);
        }
        if (!decimals) continue;
        snprintf(text, sizeof text, "01:02:03.%.*s", decimals, part + 3);
        snprintf(twin, sizeof twin, "%s0000000000", text);
        assert_ticks(hd_stamp_time, text, at(hd_stamp_time, twin));
    }
}

static void zones_are_read_and_not_applied(void **state) {
    (void)state;
    struct hd_stamp stamp;
    assert_null(hd_stamp_date("2024-05-10 00:00:00.009930+00:00", &stamp));
    assert_true(stamp.zoned);
    assert_int_equal(stamp.zone_minutes, 0);
    assert_null(hd_stamp_date("2024-05-10T00:00:00-0530", &stamp));
    assert_int_equal(stamp.zone_minutes, -330);
    assert_null(hd_stamp_date("2024-05-10 00:00:00 +02", &stamp));
    assert_int_equal(stamp.zone_minutes, 120);
    assert_null(hd_stamp_date("2024-05-10 00:00:00Z", &stamp));
    assert_true(stamp.zoned);
    assert_null(hd_stamp_date("2024-05-10 00:00:00", &stamp));
    assert_false(stamp.zoned);
}

static void clocks_as_text(void **state) {
    (void)state;
    char text[HD_CLOCK_TEXT_BYTES];
    hd_wide date = at(hd_stamp_date, "2023-11-16 18:17:03.9799600");
    assert_string_equal(
        hd_clock_text(HD_CLOCK_DATE, at(hd_stamp_date, "0646-05-10 00:00:00"), text),
        "0646-05-10 00:00:00.000");
    assert_string_equal(hd_clock_text(HD_CLOCK_DATE, date, text),
                        "2023-11-16 18:17:03.97996");
    assert_string_equal(hd_clock_text(HD_CLOCK_DATE, -HD_TICKS_PER_S / 2, text),
                        "1969-12-31 23:59:59.500");
    assert_string_equal(
        hd_clock_text(HD_CLOCK_TIME, at(hd_stamp_time, "26:01:59.795"), text),
        "26:01:59.795");
    assert_string_equal(hd_clock_text(HD_CLOCK_SECONDS, 12 * HD_TICKS_PER_S + 1, text),
                        "12.000 s");
    assert_string_equal(
        hd_clock_text(HD_CLOCK_SECONDS, at(hd_stamp_seconds, "0.207937542"), text),
        "0.207937542 s");
}

static void assert_instant(enum hd_clock clock, hd_wide zero, hd_wide not_before,
                           const char *text, hd_wide expected) {
    struct hd_err err = {0};
    hd_wide got = -1;
    if (!hd_clock_parse(clock, zero, not_before, text, &got, &err))
        fail_msg("%s", err.text);
    if (got != expected) fail_msg("'%s' is %lld", text, (long long)got);
}

static void instants_as_users_ask(void **state) {
    (void)state;
    hd_wide zero = at(hd_stamp_date, "2026-11-16 22:00:00");
    hd_wide day = (hd_wide)HD_TICKS_PER_S * 86400;
    assert_instant(HD_CLOCK_DATE, zero, zero, "+2h", zero + 7200 * HD_TICKS_PER_S);
    assert_instant(HD_CLOCK_DATE, zero, zero, "22:00", zero);
    assert_instant(HD_CLOCK_DATE, zero, zero, "23:30:00.5",
                   zero + 5400 * HD_TICKS_PER_S + HD_TICKS_PER_S / 2);
    /* the first such time at or after the first row: tomorrow's */
    assert_instant(HD_CLOCK_DATE, zero, zero, "01:00", zero + 10800 * HD_TICKS_PER_S);
    assert_instant(HD_CLOCK_DATE, zero, zero + day, "21:59",
                   zero + 2 * day - 60 * HD_TICKS_PER_S);
    assert_instant(HD_CLOCK_DATE, zero, zero, "2026-11-17",
                   at(hd_stamp_date, "2026-11-17 00:00:00"));
    assert_instant(HD_CLOCK_DATE, zero, zero, "2026-11-17T13:00",
                   at(hd_stamp_date, "2026-11-17 13:00:00"));
    assert_instant(HD_CLOCK_TIME, 0, 0, "01:30", 5400 * HD_TICKS_PER_S);
    assert_instant(HD_CLOCK_SECONDS, 0, 0, "100:00:00",
                   360000 * (hd_wide)HD_TICKS_PER_S);
    assert_instant(HD_CLOCK_SECONDS, 0, 0, "+250ms", HD_TICKS_PER_S / 4);
}

static void instants_refused(void **state) {
    (void)state;
    static const struct {
        enum hd_clock clock;
        const char *text, *because;
    } wrong[] = {
        {HD_CLOCK_SECONDS, "2026-11-17 13:00", "is a date"},
        {HD_CLOCK_SECONDS, "120", "not on the trace's clock"},
        {HD_CLOCK_SECONDS, "+120", "needs a unit"},
        {HD_CLOCK_SECONDS, "+none", "no span"},
        {HD_CLOCK_SECONDS, "", "not on the trace's clock"},
        {HD_CLOCK_DATE, "25:00", "23 hours"},
        {HD_CLOCK_DATE, "2026-11-31", "no day"},
        {HD_CLOCK_DATE, "2026-11-17x", "not a date"},
        {HD_CLOCK_DATE, "2026-11-17 24:00", "23 hours"},
        {HD_CLOCK_TIME, "12:61", "59 minutes"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct hd_err err = {0};
        hd_wide got;
        if (hd_clock_parse(wrong[i].clock, 0, 0, wrong[i].text, &got, &err))
            fail_msg("'%s' was read", wrong[i].text);
        assert_says(err.text, wrong[i].because);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seconds_are_exact),
        cmocka_unit_test(rounding_is_to_the_nearest_tick),
        cmocka_unit_test(seconds_refused),
        cmocka_unit_test(hours_without_limit),
        cmocka_unit_test(dates_keep_every_digit),
        cmocka_unit_test(dates_refused),
        cmocka_unit_test(days_are_the_librarys),
        cmocka_unit_test(the_short_way_is_the_long_way),
        cmocka_unit_test(zones_are_read_and_not_applied),
        cmocka_unit_test(clocks_as_text),
        cmocka_unit_test(instants_as_users_ask),
        cmocka_unit_test(instants_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
