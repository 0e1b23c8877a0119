/* Parsing of quantities with units. */
#include "base/units.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double factor;
};

static const struct unit durations[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3},
                                        {"s", 1},     {"m", 60},    {"h", 3600},
                                        {"d", 86400}, {NULL, 0}};
static const struct unit sizes[] = {
    {"B", 1},          {"kB", 1e3},          {"MB", 1e6},
    {"GB", 1e9},       {"TB", 1e12},         {"KiB", 1024},
    {"MiB", 1048576.}, {"GiB", 1073741824.}, {"TiB", 1099511627776.},
    {NULL, 0}};
static const struct unit bandwidths[] = {{"B/s", 1},
                                         {"kB/s", 1e3},
                                         {"MB/s", 1e6},
                                         {"GB/s", 1e9},
                                         {"TB/s", 1e12},
                                         {"MiB/s", 1048576.},
                                         {"GiB/s", 1073741824.},
                                         {"Mb/s", 1e6 / 8},
                                         {"Gb/s", 1e9 / 8},
                                         {"Tb/s", 1e12 / 8},
                                         {NULL, 0}};

/* Splits "10ms" into 10 and its factor; false leaves err untouched. */
static bool split(const char *text, const struct unit *units, double *value,
                  char *end[]) {
    errno = 0;
    double number = strtod(text, end);
    if (*end == text || errno == ERANGE || !isfinite(number)) return false;
    for (const struct unit *u = units; u->name; u++) {
        if (strcmp(*end, u->name) == 0) {
            *value = number * u->factor;
            return true;
        }
    }
    return false;
}

static bool parse_unit(const char *text, const struct unit *units, const char *examples,
                       const char *all, double *value, struct hd_err *err) {
    char *end = NULL;
    if (split(text, units, value, &end)) {
        if (*value >= 0) return true;
        return hd_fail(err, "'%s' is negative", text);
    }
    if (end && end != text && *end == '\0')
        return hd_fail(err, "'%s' needs a unit: %s%s or %s%s", text, text, examples,
                       text, examples + strlen(examples) + 1);
    return hd_fail(err, "'%s' is not a quantity; expected a number and one of %s", text,
                   all);
}

bool hd_parse_duration(const char *text, double *seconds, struct hd_err *err) {
    if (strcmp(text, "none") == 0) {
        *seconds = INFINITY;
        return true;
    }
    return parse_unit(text, durations, "s\0ms", "ns us ms s m h d", seconds, err);
}

bool hd_parse_size(const char *text, double *bytes, struct hd_err *err) {
    return parse_unit(text, sizes, "GB\0GiB", "B kB MB GB TB KiB MiB GiB TiB", bytes,
                      err);
}

bool hd_parse_bandwidth(const char *text, double *bytes_per_s, struct hd_err *err) {
    return parse_unit(text, bandwidths, "GB/s\0Gb/s",
                      "B/s kB/s MB/s GB/s TB/s MiB/s GiB/s Mb/s Gb/s Tb/s", bytes_per_s,
                      err);
}

bool hd_parse_number(const char *text, double *number, struct hd_err *err) {
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    if (end != text && *end == '\0' && errno != ERANGE && isfinite(*number))
        return true;
    return hd_fail(err, "'%s' is not a number", text);
}

bool hd_parse_fraction(const char *text, double *fraction, struct hd_err *err) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || !isfinite(number) || (*end && strcmp(end, "%") != 0))
        return hd_fail(err, "'%s' is not a fraction; expected 0.9 or 90%%", text);
    bool percent = *end == '%';
    *fraction = percent ? number / 100 : number;
    if (*fraction > 0 && *fraction <= 1) return true;
    if (!percent && number > 1 && number <= 100)
        return hd_fail(err, "'%s' is more than all of them: use %g or %g%%", text,
                       number / 100, number);
    return hd_fail(err, "'%s' lies outside 0 to 1 (0 %% to 100 %%)", text);
}

bool hd_parse_integer(const char *text, long min, long max, long *number,
                      struct hd_err *err) {
    char *end;
    errno = 0;
    *number = strtol(text, &end, 10);
    if (end == text || *end || errno == ERANGE)
        return hd_fail(err, "'%s' is not a whole number", text);
    if (*number < min || *number > max)
        return hd_fail(err, "%s lies outside %ld to %ld", text, min, max);
    return true;
}
