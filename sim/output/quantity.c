/* Numbers as text for people. */
#include "output/quantity.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct hd_said absent(void) {
    return (struct hd_said){"-"};
}

/* x to three significant digits, without an exponent for x in [0.001, 1e15). */
static void three_digits(double x, char *text, size_t bytes) {
    int decimals = 2;
    double size = fabs(x);
    if (size >= 99.95)
        decimals = 0;
    else if (size >= 9.995)
        decimals = 1;
    snprintf(text, bytes, "%.*f", decimals, x);
}

struct scale {
    double from, unit;
    const char *name;
};

static struct hd_said scaled(double x, const struct scale *scale, int scales) {
    if (!isfinite(x)) return absent();
    int i = scales - 1;
    while (i > 0 && fabs(x) < scale[i].from) i--;
    struct hd_said said;
    char number[24];
    three_digits(x / scale[i].unit, number, sizeof number);
    snprintf(said.text, sizeof said.text, "%s%s", number, scale[i].name);
    return said;
}

struct hd_said hd_say_seconds(double seconds) {
    /* 999.6 us would round to "1000 us": each step begins where rounding does */
    static const struct scale scale[] = {
        {0, 1e-6, " us"}, {0.9995e-3, 1e-3, " ms"}, {0.9995, 1, " s"}};
    if (seconds == 0) return (struct hd_said){"0 s"};
    return scaled(seconds, scale, 3);
}

struct hd_said hd_say_limit(double seconds) {
    if (!isfinite(seconds)) return absent();
    struct hd_said said;
    bool large = seconds >= 1 || seconds == 0, small = seconds < 1e-3;
    snprintf(said.text, sizeof said.text, "%.6g%s",
             large   ? seconds
             : small ? seconds * 1e6
                     : seconds * 1e3,
             large   ? " s"
             : small ? " us"
                     : " ms");
    return said;
}

struct hd_said hd_say_span(double seconds) {
    static const struct scale scale[] = {
        {0, 1, " s"}, {600, 60, " min"}, {7200, 3600, " h"}, {345600, 86400, " d"}};
    if (fabs(seconds) < 600 && seconds == floor(seconds)) {
        struct hd_said said;
        snprintf(said.text, sizeof said.text, "%.0f s", seconds);
        return said;
    }
    return scaled(seconds, scale, 4);
}

struct hd_said hd_say_percent(double fraction) {
    if (!isfinite(fraction)) return absent();
    if (fraction == 1) return (struct hd_said){"100 %"};
    struct hd_said said;
    /* the nudge keeps 0.9 at 90.0 although 0.9 * 1000 may fall short of 900 */
    double tenths = floor(fraction * 1000 + 1e-9);
    snprintf(said.text, sizeof said.text, "%.1f %%", tenths / 10);
    return said;
}

struct hd_said hd_say_count(int64_t count) {
    struct hd_said said;
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64,
             count < 0 ? (uint64_t)0 - (uint64_t)count : (uint64_t)count);
    size_t length = strlen(digits), n = 0;
    if (count < 0) said.text[n++] = '-';
    for (size_t i = 0; i < length; i++) {
        if (i && (length - i) % 3 == 0) said.text[n++] = ',';
        said.text[n++] = digits[i];
    }
    said.text[n] = '\0';
    return said;
}

struct hd_said hd_say_things(int64_t count, const char *thing) {
    struct hd_said said = hd_say_count(count);
    size_t n = strlen(said.text);
    snprintf(said.text + n, sizeof said.text - n, " %s%s", thing,
             count == 1 ? "" : "s");
    return said;
}

struct hd_said hd_say_rough(double count) {
    static const struct scale scale[] = {
        {0, 1, ""}, {99950, 1e3, " k"}, {999500, 1e6, " M"}, {999.5e6, 1e9, " G"}};
    if (isfinite(count) && fabs(count) < 99950 && count == floor(count))
        return hd_say_count((int64_t)count);
    return scaled(count, scale, 4);
}

struct hd_said hd_say_bytes(double bytes) {
    if (bytes == 0) return (struct hd_said){"0 B"};
    static const struct scale scale[] = {{0, 1, " B"},
                                         {999.5, 1e3, " kB"},
                                         {999.5e3, 1e6, " MB"},
                                         {999.5e6, 1e9, " GB"},
                                         {999.5e9, 1e12, " TB"}};
    return scaled(bytes, scale, 5);
}

struct hd_said hd_say_share(double fraction) {
    if (!isfinite(fraction)) return absent();
    struct hd_said said;
    snprintf(said.text, sizeof said.text, "%.10g %%", fraction * 100);
    return said;
}
