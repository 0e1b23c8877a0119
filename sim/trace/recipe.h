/* Reading a market's recipe: a Lua file that returns a table.
 *
 *   load       = {rate_per_s = 5, span = "30m", label = L}
 *   models     = 40
 *   popularity = {kind = "zipf", s = 2, shift = 4, label = L}
 *              | {kind = "classes", {models = 2, share = 0.9}, {...}, label = L}
 *              | {kind = "shares", 0.5, 0.3, 0.2, label = L}
 *   arrivals   = {kind = "poisson", label = L}
 *              | {kind = "gamma" or "weibull", cv = 1.5, label = L}
 *   bursts     = {on = "20s", off = "40s", quiet = 0.1, label = L}        optional
 *   groups     = {count = 4, size = 6, on = "2m", off = "4m", quiet = 0, label = L}
 *   input      = {p50 = 545, mean = 714, min = 4, max = 3072, label = L}
 *   output     = {p50 = 267, mean = 303, min = 16, max = 1024, label = L}
 *
 * L is "real", "fitted", "published" or "invented": what that part rests on. Every
 * part has one, and the trace carries them. Shares and classes are scaled to sum
 * to 1 only if they do to within 1 %; else it is an error. */
#ifndef HD_TRACE_RECIPE_H
#define HD_TRACE_RECIPE_H

#include "trace/market.h"

/* NULL on failure, with "FILE:LINE: what is wrong" in err. */
struct hd_market *hd_recipe_load(const char *path, struct hd_err *err);
void hd_market_free(struct hd_market *);

#endif
