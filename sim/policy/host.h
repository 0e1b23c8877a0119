/* Policies written in Lua: finding one, reading what it declares, and running it
 * as a policy of the engine. policies/README.md is the manual for their authors. */
#ifndef HD_POLICY_HOST_H
#define HD_POLICY_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/policy.h"

enum hd_param_type { HD_PARAM_WHOLE, HD_PARAM_NUMBER, HD_PARAM_BOOLEAN, HD_PARAM_TEXT };
const char *hd_param_type_name(enum hd_param_type); /* "whole number", ... */

struct hd_param { /* name = {default, help, min =, max =, among = {texts}} */
    char *name, *help;
    enum hd_param_type type; /* of the default: 4 is whole, 4.0 a number */
    bool has_min, has_max;   /* numbers only */
    double min, max;
    double number; /* the default; whole numbers too */
    bool boolean;
    char *text;
    int choices; /* texts only; 0: any */
    char **choice;
};

/* How it shares GPUs among models; only a search's first guess hangs on it. */
enum hd_pooling {
    HD_POOLS_MODELS, /* one holds a model until it has no request */
    HD_POOLS_TOKENS  /* models take turns between tokens */
};

/* A policy's file, read and checked; nothing is written to it afterwards, so that
 * runs on several threads can share it. */
struct hd_script {
    char *name; /* "aegaeon": the file's name without .lua */
    char *path; /* as error messages have it */
    char *about;
    char *source;
    size_t length;                             /* bytes of source */
    char sha256[65];                           /* of source */
    bool sees_output, sees_rates, clairvoyant; /* clairvoyant: both */
    enum hd_pooling pooling;
    double period_s; /* of tick; 0: none */
    int params;
    struct hd_param *param; /* in order of name */
};

/* Whether a policy is given as a file, not by the name of one that ships: it has a
 * slash in it, or ends in .lua. */
bool hd_script_is_file(const char *name_or_path);

/* A bare name means policies/NAME.lua of hotdesk's own files. NULL on failure: "PLACE:
 * what; what was expected". */
struct hd_script *hd_script_load(const char *name_or_path, struct hd_err *);
void hd_script_free(struct hd_script *);

/* Names of the policies that ship, sorted; the caller frees each and the array.
 * NULL if there are none or the folder cannot be read. */
char **hd_script_names(int *count);

/* ---- parameters ---------------------------------------------------------- */

struct hd_param_values; /* one value for each parameter of one script */

struct hd_param_values *hd_values_new(const struct hd_script *); /* as declared */
void hd_values_free(const struct hd_script *, struct hd_param_values *);

/* Checked against the declared name, type and range. */
bool hd_script_set(const struct hd_script *, struct hd_param_values *, const char *key,
                   const char *text, struct hd_err *);

/* The value of parameter n as text that hd_script_set reads back to the same;
 * the caller frees it. */
char *hd_value_of(const struct hd_script *, const struct hd_param_values *, int n);
/* The default and the limits of parameter n as such texts; NULL: no limit. */
char *hd_param_default(const struct hd_param *);
char *hd_param_limit(const struct hd_param *, bool max);

/* ---- running ------------------------------------------------------------- */

/* The script as a policy, with a Lua state of its own: for one run, on one thread
 * at a time. values may be NULL (as declared). The script and the values must
 * outlive it. NULL on failure. */
struct hd_policy *hd_script_new(const struct hd_script *,
                                const struct hd_param_values *, struct hd_err *);
void hd_script_end(struct hd_policy *);

enum hd_callback {
    HD_CALLBACK_START,
    HD_CALLBACK_ARRIVE,
    HD_CALLBACK_TURN,
    HD_CALLBACK_PREFILLED,
    HD_CALLBACK_DONE,
    HD_CALLBACK_TIMER,
    HD_CALLBACK_TICK,
    HD_CALLBACK_FLEET,
    HD_CALLBACKS
};
const char *hd_callback_name(enum hd_callback);

/* How often each callback has run, HD_CALLBACKS numbers. */
const int64_t *hd_script_calls(const struct hd_policy *);

/* From now on each callback is timed by the clock on the wall, with all that it asks of
 * the engine: two looks at the clock a call. No result depends on it. */
void hd_script_time(struct hd_policy *);
/* Nanoseconds spent in each callback since then, HD_CALLBACKS numbers. */
const int64_t *hd_script_ns(const struct hd_policy *);

#endif
