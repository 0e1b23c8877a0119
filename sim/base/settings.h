/* Settings written as a Lua file that returns a table (scenario files, recipes),
 * read into plain C. The file runs in the sandbox and is gone afterwards. */
#ifndef HD_BASE_SETTINGS_H
#define HD_BASE_SETTINGS_H

#include <stdbool.h>

#include "base/err.h"

enum hd_value_type {
    HD_VALUE_BOOLEAN,
    HD_VALUE_NUMBER,
    HD_VALUE_TEXT,
    HD_VALUE_FILE, /* what a call such as  csv "models.csv"  returned */
    HD_VALUE_TABLE
};

struct hd_value {
    enum hd_value_type type;
    const char *file; /* of the settings, for messages */
    int line;         /* where it is assigned; 0: not known */
    char *path;       /* "slo.classes.chat", "options[2].policy"; "" for the root */
    const char *key;  /* last part of path; "" for the root and in arrays */
    bool boolean;
    double number;         /* never NaN */
    char *text;            /* TEXT; FILE: the path, relative to the process */
    const char *call;      /* FILE: the function's name */
    struct hd_value *item; /* TABLE: elements 1 to n in order */
    int items;
    struct hd_value *field; /* TABLE: values with a name, in order of the names */
    int fields;
};

struct hd_settings;

/* Runs the file. `calls` are the functions that it may use to name other files,
 * such as "csv" and "recipe": paths are relative to the settings file. NULL on
 * failure, with "FILE:LINE: why" in err. */
struct hd_settings *hd_settings_load(const char *path, const char *const *calls,
                                     int count, struct hd_err *);
/* The same from text; `name` stands for the file in messages. */
struct hd_settings *hd_settings_read(const char *text, const char *name,
                                     const char *const *calls, int count,
                                     struct hd_err *);
void hd_settings_free(struct hd_settings *);

/* The table that the file returned. */
const struct hd_value *hd_settings_root(const struct hd_settings *);

/* The value at a dotted path below v ("slo.classes"), or NULL. v may be NULL. */
const struct hd_value *hd_value_find(const struct hd_value *v, const char *path);

/* "boolean", "number", ... for messages. */
const char *hd_value_type_name(enum hd_value_type);

/* "FILE:LINE: PATH: message"; returns false. */
bool hd_value_fail(const struct hd_value *, struct hd_err *, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What it is, or an error that says what was expected instead. */
bool hd_value_number(const struct hd_value *, double *, struct hd_err *);
bool hd_value_integer(const struct hd_value *, long min, long max, long *,
                      struct hd_err *);
bool hd_value_text(const struct hd_value *, const char **, struct hd_err *);
bool hd_value_table(const struct hd_value *, struct hd_err *);

/* False, naming the nearest, if the table has a named key that is not in the list,
 * or (unless `array`) elements without a name. */
bool hd_value_only(const struct hd_value *, const char *const *keys, int count,
                   bool array, struct hd_err *);

#endif
