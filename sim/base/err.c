/* Error text, and the nearest name to a misspelt one. */
#include "base/err.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Messages quote what stands in files; a terminal shows no bytes of theirs that would
 * move its cursor. */
static void make_printable(char *text) {
    for (int step; *text; text += step) {
        step = hd_utf8_bytes(text);
        if (step == 0 || (unsigned char)*text < ' ' || *text == 127) *text = '?';
        if (step == 0) step = 1;
    }
}

bool hd_vfail(struct hd_err *err, const char *format, va_list args) {
    if (!err || err->text[0]) return false;
    vsnprintf(err->text, sizeof err->text, format, args);
    make_printable(err->text);
    return false;
}

bool hd_fail(struct hd_err *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    hd_vfail(err, format, args);
    va_end(args);
    return false;
}

/* Levenshtein distance; words longer than 63 bytes are far from all. */
static int edit_distance(const char *a, const char *b) {
    size_t na = strlen(a), nb = strlen(b);
    int row[64];
    if (na > 63 || nb > 63) return INT_MAX;
    for (size_t j = 0; j <= nb; j++) row[j] = (int)j;
    for (size_t i = 1; i <= na; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= nb; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[nb];
}

const char *hd_nearest(const char *word, const char *const *candidates, int count) {
    const char *best = NULL;
    int least = (int)strlen(word) / 3 + 2;
    for (int i = 0; i < count; i++) {
        int distance = edit_distance(word, candidates[i]);
        if (distance < least) {
            least = distance;
            best = candidates[i];
        }
    }
    return best;
}
