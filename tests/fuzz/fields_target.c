/* Single fields against slow twins: whole numbers of any length in decimal arithmetic
 * on their digits, days of the calendar by timegm. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "trace/clock.h"
#include "trace/row_fields.h"

/* A year, month and day as the text begins; false: it does not. */
static bool begins_with_day(const char *text, struct tm *day) {
    int used = 0;
    char year[5], month[3], of_month[3];
    if (sscanf(text, " %4[0-9]-%2[0-9]-%2[0-9]%n", year, month, of_month, &used) != 3 ||
        strlen(year) != 4 || strlen(month) != 2 || strlen(of_month) != 2)
        return false;
    *day = (struct tm){.tm_year = atoi(year) - 1900,
                       .tm_mon = atoi(month) - 1,
                       .tm_mday = atoi(of_month)};
    return true;
}

static void check_date(const char *text) {
    struct hd_stamp stamp;
    struct tm day;
    if (hd_stamp_date(text, &stamp)) return;
    fuzz_require(begins_with_day(text, &day), "'%s' is no date", text);
    int month = day.tm_mon, of_month = day.tm_mday;
    hd_wide zero = (hd_wide)timegm(&day) * HD_TICKS_PER_S;
    fuzz_require(day.tm_mon == month && day.tm_mday == of_month, "'%s' is no day",
                 text);
    fuzz_require(stamp.at >= zero && stamp.at < zero + 86401 * (hd_wide)HD_TICKS_PER_S,
                 "'%s' lies in another day", text);
}

/* A decimal number of nothing but digits and at most one point, below 10^9 s and with
 * at most 18 decimals: half a tick more or less, digit by digit. */
static void check_seconds(const char *text) {
    struct hd_stamp stamp;
    size_t digits = strspn(text, "0123456789"), decimals = 0;
    if (digits == 0 || digits > 9) return;
    if (text[digits] == '.') decimals = strspn(text + digits + 1, "0123456789");
    if (decimals > 18 || text[digits + (text[digits] == '.') + decimals]) return;
    hd_wide part = 0, unit = 1; /* below 2^60 */
    for (size_t i = 0; i < decimals; i++) {
        part = part * 10 + (text[digits + 1 + i] - '0');
        unit *= 10;
    }
    hd_wide whole = (hd_wide)atol(text) * HD_TICKS_PER_S;
    hd_wide twin = whole + (2 * part * HD_TICKS_PER_S + unit) / (2 * unit);
    const char *why = hd_stamp_seconds(text, &stamp);
    fuzz_require(!why && stamp.at == twin, "'%s' is read as %lld ticks", text,
                 (long long)stamp.at);
}

static void check_tokens(const char *text) {
    int32_t tokens = -1;
    const char *why = hd_field_tokens(text, &tokens);
    size_t digits = strspn(text, "0123456789");
    if (text[digits] || !digits) return;
    size_t zeros = strspn(text, "0");
    bool fits = digits - zeros < 10 ||
                (digits - zeros == 10 && strcmp(text + zeros, "1000000000") <= 0);
    fuzz_require(!why == fits, "'%s': %s", text, why ? why : "is read");
    fuzz_require(why || tokens == atol(text), "'%s' is read as %d", text, tokens);
}

void fuzz_fields(const uint8_t *bytes, size_t count) {
    char *text = hd_alloc(count + 1);
    if (count) memcpy(text, bytes, count);
    for (char *at = text, *line; (line = strsep(&at, "\n"));) {
        struct hd_stamp stamp;
        hd_stamp_milliseconds(line, &stamp);
        hd_stamp_microseconds(line, &stamp);
        hd_stamp_time(line, &stamp);
        check_seconds(line);
        check_date(line);
        check_tokens(line);
        const char *name = line;
        size_t length = strlen(line);
        if (!hd_field_name(&name, &length))
            fuzz_require(length <= 255 && name >= line, "a name outside its field");
        struct hd_blocks blocks = {0};
        hd_field_blocks(line, &blocks);
        free(blocks.id);
    }
    free(text);
}
