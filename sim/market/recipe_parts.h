/* Values of a recipe, each checked. Internal to this room.
 *
 * All return false (or NULL, or -1) with "FILE:LINE: ..." in err. */
#ifndef HD_MARKET_RECIPE_PARTS_H
#define HD_MARKET_RECIPE_PARTS_H

#include "base/settings.h"
#include "market/market.h"
#include "trace/trace.h"

#define HD_COUNT(array) (int)(sizeof(array) / sizeof *(array))

/* The value of that name in a table; missing is an error at the table. */
const struct hd_value *hd_recipe_need(const struct hd_value *table, const char *key,
                                      struct hd_err *err);
bool hd_recipe_number(const struct hd_value *table, const char *key, double min,
                      double max, double *out, struct hd_err *err);
bool hd_recipe_integer(const struct hd_value *table, const char *key, int min, int max,
                       int *out, struct hd_err *err);
/* Seconds, from `min` (0 or just above) to 90 days. */
bool hd_recipe_duration(const struct hd_value *table, const char *key, bool zero,
                        double *out, struct hd_err *err);
/* One of several words; its index, or -1. */
int hd_recipe_word(const struct hd_value *table, const char *key,
                   const char *const *words, int count, struct hd_err *err);
/* A number of the list, of at least min. */
bool hd_recipe_item(const struct hd_value *item, double min, double max, double *out,
                    struct hd_err *err);

/* A part of the recipe: a table with known keys and a label, which joins the text
 * that travels with the trace; `how` (or NULL) stands behind it. */
const struct hd_value *hd_recipe_part(struct hd_market *, const struct hd_value *root,
                                      const char *name, const char *const *keys,
                                      int count, bool array, const char *how,
                                      struct hd_err *err);

/* A file or folder without what it lies in. */
const char *hd_recipe_file_name(const struct hd_value *);

/* Notes a file among the sources, once. */
void hd_recipe_source(struct hd_market *, const char *name, const char *sha256);

/* The trace that `from` names, loaded whole and noted among the sources. times_only: its
 * tokens are not asked for, so a format without them will do; what such a format leaves
 * to be drawn is drawn with seed 0 for every market. */
struct hd_trace *hd_recipe_trace(struct hd_market *, const struct hd_value *part,
                                 bool times_only, struct hd_err *err);

/* Shares must sum to 1 to within 1 %, and are then made to. */
bool hd_recipe_normalise(const struct hd_value *, double *share, int count,
                         struct hd_err *err);

/* Coefficient of variation where the law has one; `gaps` names the key of the law. */
bool hd_recipe_gap_law(const struct hd_value *, const char *gaps, enum hd_gap_law *,
                       double *cv, struct hd_err *err);

bool hd_recipe_popularity(struct hd_market *, const struct hd_value *root,
                          struct hd_err *err);
bool hd_recipe_arrivals(struct hd_market *, const struct hd_value *root,
                        struct hd_err *err);
/* Once all is read: a stream that is thinned has the rate that every model is to
 * have. */
bool hd_recipe_stream_suffices(const struct hd_market *, const struct hd_value *root,
                               struct hd_err *err);
/* Bursts, rhythm and groups. */
bool hd_recipe_activity(struct hd_market *, const struct hd_value *root,
                        struct hd_err *err);
/* Input, output, sessions and prefixes. */
bool hd_recipe_lengths(struct hd_market *, const struct hd_value *root,
                       struct hd_err *err);

#endif
