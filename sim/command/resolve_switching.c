/* What a change of model costs: a rung of the ladder, and what is said beside it. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "command/resolve.h"
#include "engine/ladder.h"

static const double DAY_S = 86400;

/* ---- the rung ------------------------------------------------------------ */

/* Where nothing was said, it is what the rung has. */
static void rung_has(struct hd_asked *asked, const char *rung, const char *key,
                     const char *value) {
    char *place = hd_format("switching %s", rung);
    hd_asked_add(asked, hd_option_of_key(key, asked->command), NULL, NULL, value,
                 HD_FROM_DEFAULT, place);
    free(place);
}

static void rung_has_amount(struct hd_asked *asked, const char *rung, const char *key,
                            const char *format, double amount) {
    char *text = hd_format(format, amount);
    rung_has(asked, rung, key, text);
    free(text);
}

static bool take_rung(struct hd_asked *asked, struct hd_question *q,
                      struct hd_problem *problem) {
    const char *words[HD_RUNGS + 1] = {"default"};
    for (int n = 0; n < HD_RUNGS; n++) words[n + 1] = hd_rung_name((enum hd_rung)n);
    int word = hd_asked_word(asked, "switching.rung", words, HD_RUNGS + 1, problem);
    if (word <= 0) return word == 0;
    const char *rung = words[word];
    struct hd_switching s = hd_switching_rung((enum hd_rung)(word - 1), NULL);
    q->switching_rung = rung;
    rung_has_amount(asked, rung, "switching.restart", "%.9gs", s.restart_s);
    rung_has_amount(asked, rung, "switching.reinit", "%.9gs", s.reinit_s);
    rung_has_amount(asked, rung, "switching.gc", "%.9gs", s.gc_s);
    if (s.load_bytes_per_s > 0)
        rung_has_amount(asked, rung, "switching.load_rate", "%.9gGB/s",
                        s.load_bytes_per_s / 1e9);
    if (s.staging_bytes_per_s > 0) {
        rung_has_amount(asked, rung, "switching.staging", "%.9gGB/s",
                        s.staging_bytes_per_s / 1e9);
        rung_has_amount(asked, rung, "switching.load_chunk", "%.9gMiB",
                        s.chunk_bytes / (1 << 20));
    }
    rung_has(asked, rung, "switching.host_cache", s.no_cache ? "none" : "warm");
    rung_has(asked, rung, "switching.kv_leaves", s.kv_first ? "first" : "beside");
    rung_has(asked, rung, "switching.kv_sync", s.kv_events ? "request" : "batch");
    rung_has(asked, rung, "switching.prefetch", s.prefetch ? "yes" : "no");
    return true;
}

/* ---- single settings ----------------------------------------------------- */

static bool times(struct hd_asked *asked, struct hd_switching *s,
                  struct hd_problem *problem) {
    return hd_asked_duration_most(asked, "switching.engine_start", DAY_S,
                                  &s->engine_start_s, problem) &&
           hd_asked_duration_most(asked, "switching.restart", DAY_S, &s->restart_s,
                                  problem) &&
           hd_asked_duration_most(asked, "switching.reinit", DAY_S, &s->reinit_s,
                                  problem) &&
           hd_asked_duration_most(asked, "switching.gc", DAY_S, &s->gc_s, problem);
}

/* A rate or a size, or the word that stands for none (0). */
static bool amount(struct hd_asked *asked, const char *key, const char *none,
                   bool (*parse)(const char *, double *, struct hd_err *), double *to,
                   struct hd_problem *problem) {
    const struct hd_setting *s = hd_asked_find(asked, key, NULL, NULL);
    struct hd_err err = {0};
    *to = 0;
    if (strcmp(s->value, none) == 0) return true;
    if (!parse(s->value, to, &err))
        return hd_setting_fail(s, problem, "%s, or %s", err.text, none);
    return *to >= 1 ||
           hd_setting_fail(s, problem, "'%s' is nothing; expected at least 1, or %s",
                           s->value, none);
}

static bool staging_memory(struct hd_asked *asked, struct hd_switching *s,
                           struct hd_problem *problem) {
    double bytes;
    if (!amount(asked, "switching.staging_memory", "none", hd_parse_size, &bytes,
                problem))
        return false;
    if (bytes > 1e15)
        return hd_setting_fail(
            hd_asked_find(asked, "switching.staging_memory", NULL, NULL), problem,
            "expected at most 1000TB");
    s->staging_bytes = (int64_t)bytes;
    return true;
}

static bool loading(struct hd_asked *asked, struct hd_switching *s,
                    struct hd_problem *problem) {
    return amount(asked, "switching.load_rate", "link", hd_parse_bandwidth,
                  &s->load_bytes_per_s, problem) &&
           amount(asked, "switching.staging", "pinned", hd_parse_bandwidth,
                  &s->staging_bytes_per_s, problem) &&
           amount(asked, "switching.remote", "none", hd_parse_bandwidth,
                  &s->remote_bytes_per_s, problem) &&
           amount(asked, "switching.load_chunk", "whole", hd_parse_size,
                  &s->chunk_bytes, problem) &&
           staging_memory(asked, s, problem);
}

/* Index of the setting's word, -1 with the problem set. */
static int choice(struct hd_asked *asked, const char *key, const char *first,
                  const char *second, struct hd_problem *problem) {
    const char *const words[] = {first, second};
    return hd_asked_word(asked, key, words, 2, problem);
}

static bool words(struct hd_asked *asked, struct hd_switching *s,
                  struct hd_problem *problem) {
    static const char *const caches[] = {"cold", "warm", "none"};
    int start = choice(asked, "switching.start", "cold", "placed", problem);
    if (start < 0) return false;
    int prefetch = choice(asked, "switching.prefetch", "no", "yes", problem);
    if (prefetch < 0) return false;
    int yields = choice(asked, "switching.prefetch_share", "equal", "rest", problem);
    if (yields < 0) return false;
    int cache = hd_asked_word(asked, "switching.host_cache", caches, 3, problem);
    if (cache < 0) return false;
    static const char *const keeps[] = {"lru", "pinned", "policy"};
    int kept = hd_asked_word(asked, "switching.host_keeps", keeps, 3, problem);
    if (kept < 0) return false;
    int kv_out = choice(asked, "switching.kv_out", "copied", "free", problem);
    if (kv_out < 0) return false;
    int first = choice(asked, "switching.kv_leaves", "beside", "first", problem);
    if (first < 0) return false;
    int sync = choice(asked, "switching.kv_sync", "batch", "request", problem);
    if (sync < 0) return false;
    const char *modes[HD_LINKS_STRICT + 1];
    for (int n = 0; n <= HD_LINKS_STRICT; n++) modes[n] = hd_links_name(n);
    int links =
        hd_asked_word(asked, "switching.links", modes, HD_LINKS_STRICT + 1, problem);
    if (links < 0) return false;
    s->links = (uint8_t)links;
    if (yields && links != HD_LINKS_ALONE)
        return hd_setting_fail(
            hd_asked_find(asked, "switching.prefetch_share", NULL, NULL), problem,
            "where transfers hold paths --links says who yields; expected --links "
            "strict alone");
    s->placed = start;
    s->prefetch = prefetch;
    s->prefetch_yields = yields;
    s->warm_cache = cache == 1;
    s->no_cache = cache == 2;
    s->host_keeps = (enum hd_host_keeps)kept;
    s->kv_out_free = kv_out;
    s->kv_first = first;
    s->kv_events = sync;
    return true;
}

bool hd_resolve_switching(struct hd_asked *asked, struct hd_resolved *r,
                          struct hd_problem *problem) {
    struct hd_switching *s = &r->question.switching;
    *s = hd_switching_default();
    if (!take_rung(asked, &r->question, problem) || !times(asked, s, problem) ||
        !loading(asked, s, problem) || !words(asked, s, problem))
        return false;
    const struct hd_setting *kv_in =
        hd_asked_find(asked, "switching.kv_in", NULL, NULL);
    if (strcmp(kv_in->value, "auto") == 0) return true;
    if (!hd_asked_duration_most(asked, "switching.kv_in", 0.1, &s->kv_in_s_per_token,
                                problem))
        return false;
    return s->kv_in_s_per_token > 0 ||
           hd_setting_fail(kv_in, problem,
                           "'%s' is no cost; expected more than 0, or auto",
                           kv_in->value);
}
