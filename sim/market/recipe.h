/* Reading a market's recipe: a Lua file that returns a table.
 *
 *   about      = "a line on what it stands for"                          optional
 *   models     = 40
 *   names      = {{prefix = "small", models = 28}, ...}                  optional
 *                by rank, each prefix numbered from 1 on; else m1, m2, ...
 *   load       = {rate_per_s = 5, span = "30m", label = L}
 *   popularity = {kind = "zipf", s = 2, shift = 4, label = L}
 *              | {kind = "uniform", label = L}
 *              | {kind = "two-class", cold_models = 0.941, cold_share = 0.0135, ...}
 *              | {kind = "classes", {models = 2, share = 0.9}, ..., label = L}
 *              | {kind = "points", {models = 1, share = 0.2}, ..., label = L}
 *                the first so many hold so much, the last point all
 *              | {kind = "shares", 0.5, 0.3, 0.2, label = L}
 *              | {kind = "trace", from = trace "FILE", label = L}
 *   arrivals   = {kind = "poisson", label = L}
 *              | {kind = "gamma" or "weibull", cv = 1.5, label = L}
 *              | {kind = "mmpp", {level = 1, hold = "1m"}, ..., label = L}
 *              | {kind = "windows", window = "10m", shifted = true,
 *                 {level = 1, gaps = "gamma", cv = 1.2}, ..., label = L}
 *              | {kind = "windows", from = servegen "FOLDER", begin = "34h", ...}
 *                of its busiest clients, one a model; `shifted` too
 *              | {kind = "stream", from = trace "FILE", jitter = "3s",
 *                 method = "thin", "shift", "split" or "each", label = L}
 *   bursts     = {on = "20s", off = "40s", quiet = 0.1, label = L}       optional
 *   rhythm     = {period = "24h", peak = "14h", amplitude = 0.6, spread = "2h", ...}
 *              | {period = "24h", 0.4, 0.2, ..., 1.1, label = L}         optional
 *   groups     = {count = 4, size = 6, on = "2m", off = "4m", quiet = 0, label = L}
 *   input      = {p50 = 545, mean = 714, min = 4, max = 3072, label = L}
 *              | {quantiles = {4, 120, 545, 900, 3072}, label = L}
 *   output     = as input
 *   lengths    in place of these two
 *              = {kind = "joint", input = {p50 = ...}, output = {...},
 *                 correlation = 0.3, label = L}
 *              | {kind = "pairs", from = trace "FILE", label = L}
 *   sessions   = {turns = 6, think = {p50 = "20s", mean = "60s"}, token = "30ms",
 *                 context_max = 32768, label = L}                        optional
 *   prefixes   = {block_tokens = 512, prompts = 2, system = {p50 = ...}, label = L}
 *   classes    = {{name = "chat", share = 0.8}, {name = "batch", share = 0.2,
 *                 deadline = "10m", deadline_per_token = "50ms"}, label = L}
 *
 * L is "real", "fitted", "published" or "invented": what that part rests on. Every
 * part has one, and the trace carries them. A recipe with `about` is written into the
 * trace whole. Shares and classes are scaled to sum to 1 only if they do to within 1 %,
 * else it is an error; levels are scaled to a mean of 1. */
#ifndef HD_MARKET_RECIPE_H
#define HD_MARKET_RECIPE_H

#include "market/market.h"

/* NULL on failure, with "FILE:LINE: what is wrong" in err. */
struct hd_market *hd_recipe_load(const char *path, struct hd_err *err);

#endif
