/* Names of a catalogue's rows: each has its own and aliases separated by blanks. */
#ifndef HD_HARDWARE_NAMES_H
#define HD_HARDWARE_NAMES_H

#include <stdbool.h>

#include "base/err.h"

/* Words separated by blanks, compared without regard to case. */
bool hd_has_word(const char *words, const char *word);
int hd_count_words(const char *words);

/* Whether a name is the row's own or one of its aliases. */
bool hd_is_called(const char *own, const char *aliases, const char *name);

struct hd_names { /* of all rows, each alias by itself */
    char **name;
    int count, capacity;
};
void hd_names_add(struct hd_names *, const char *own, const char *aliases);
void hd_names_free(struct hd_names *);

/* False, with one line in err, if one stands for two rows of the file. */
bool hd_names_differ(const struct hd_names *, const char *path, struct hd_err *err);

/* One line in err: no such `what` has that name; the nearest, or the `hotdesk catalog`
 * that lists them. */
void hd_names_unknown(const struct hd_names *, const char *what, const char *name,
                      const char *command, struct hd_err *err);

#endif
