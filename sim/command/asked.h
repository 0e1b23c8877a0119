/* The settings of one command, gathered from the command line, the scenario file
 * and the defaults. Each keeps where it came from, so that a message, the printed
 * scenario and the exit code can name the right culprit. */
#ifndef HD_COMMAND_ASKED_H
#define HD_COMMAND_ASKED_H

#include "command/options.h"

enum hd_origin { HD_FROM_DEFAULT, HD_FROM_SCENARIO, HD_FROM_OPTION };

/* A value, as text. Most keys have one; some have many, told apart by a name
 * and a field:
 *     key           name           field
 *     models        -              -            a map, or the path of a models file
 *     models        trace's name   model, tp, class, dtype, kv_dtype,
 *                                            min_replicas
 *     slo.classes   class          ttft, tbt, attain
 *     node          kind or NULL   gpus, dram, ...
 *     fleet         NULL or its    NULL         a specification
 *     set           policy or NULL parameter
 *     policy, require              NULL         entries of a list, in order */
struct hd_setting {
    const struct hd_option *option;
    char *name, *field; /* or NULL */
    char *value;
    bool is_file; /* the path of a models file, a scenario's  csv "FILE" */
    enum hd_origin origin;
    char *place; /* "--slo", "paper.lua:12: slo.ttft", "default" */
};

/* Whether an entry of `policy`, NAME or NAME{key=value}, is given by its file. */
bool hd_policy_is_file(const char *entry);

/* The fields of `node`. */
enum { HD_NODE_FIELDS = 11 };
extern const char *const hd_node_fields[HD_NODE_FIELDS];

struct hd_asked {
    unsigned command;
    struct hd_setting **setting; /* scenario first, then options; defaults made on
                                    demand and kept */
    int count, capacity;
    char *scenario; /* path, or NULL */
};

void hd_asked_init(struct hd_asked *, unsigned command);
void hd_asked_free(struct hd_asked *);

/* Copies all texts; name and field may be NULL. */
struct hd_setting *hd_asked_add(struct hd_asked *, const struct hd_option *,
                                const char *name, const char *field, const char *value,
                                enum hd_origin, const char *place);

/* Takes over what options say. What an option says replaces what the scenario
 * says at the same key; of `set` and `node`, at the same parameter alone. */
bool hd_asked_options(struct hd_asked *, const struct hd_args *, struct hd_problem *);

/* The setting in force: the last of that name and field, else the default, else
 * NULL. */
const struct hd_setting *hd_asked_find(struct hd_asked *, const char *key,
                                       const char *name, const char *field);
/* Nothing but what was said, no default. */
const struct hd_setting *hd_asked_said(const struct hd_asked *, const char *key,
                                       const char *name, const char *field);

/* The value in force, read as what it must be. False with the problem placed. The
 * key has a default. */
bool hd_asked_duration(struct hd_asked *, const char *key, double *s,
                       struct hd_problem *);
/* The same, at most `most`: sums of such times must stay far from the last tick. */
bool hd_asked_duration_most(struct hd_asked *, const char *key, double most, double *s,
                            struct hd_problem *);
bool hd_asked_fraction(struct hd_asked *, const char *key, double *,
                       struct hd_problem *);
bool hd_asked_integer(struct hd_asked *, const char *key, long min, long max, long *,
                      struct hd_problem *);
/* The index of the value among the words, -1: none of them. */
int hd_asked_word(struct hd_asked *, const char *key, const char *const *words,
                  int count, struct hd_problem *);

/* The same for any setting at hand. */
int hd_word_of(const struct hd_setting *, const char *value, const char *const *words,
               int count, struct hd_problem *);

/* "PLACE: message"; exit 2 for an option, 1 for a scenario. Returns false. */
bool hd_setting_fail(const struct hd_setting *, struct hd_problem *, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

/* Calls take(context, piece) for each piece of a list, blanks around it cut off;
 * an empty piece is an error. `separator` within {} does not count. */
bool hd_each_piece(const struct hd_setting *, const char *list, char separator,
                   bool (*take)(void *context, const char *piece, struct hd_problem *),
                   void *context, struct hd_problem *);

#endif
