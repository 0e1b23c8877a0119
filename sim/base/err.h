/* One line of explanation for a person: what is wrong, what was expected. */
#ifndef HD_BASE_ERR_H
#define HD_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>

struct hd_err {
    char text[1024]; /* empty while nothing went wrong */
};

/* Formats the message into err and returns false, so that a caller can write
 * `return hd_fail(err, "...")`. The first message wins: a later one is a
 * consequence, and the cause is what the user needs. Control characters, line ends too,
 * and what is not UTF-8 become '?': a message is one line whatever it quotes. */
bool hd_fail(struct hd_err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The same for a caller that has a va_list. */
bool hd_vfail(struct hd_err *err, const char *format, va_list args);

/* The candidate closest to word by edit distance, or NULL when nothing is
 * near enough to be a likely slip of the finger. */
const char *hd_nearest(const char *word, const char *const *candidates, int count);

#endif
