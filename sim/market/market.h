/* A market of models that is drawn, not recorded: who is popular, when requests
 * come, how long they are.
 *
 * Every part draws from streams of its own, one per model (gaps, bursts, input,
 * output, ...) or per group, seeded from (seed, part, number) alone. So changing one
 * part leaves the draws of all others as they were, which makes two markets
 * comparable; and a market is a function of its recipe, the files that the recipe
 * names, and the seed.
 *
 * The same bytes anywhere: the generator works on integers, arithmetic is IEEE double
 * without contraction, times are rounded down to whole microseconds and tokens to
 * whole numbers. What is left to the C library is the last bit of exp, log and pow,
 * which would have to fall on the edge of such a unit to be seen. */
#ifndef HD_MARKET_MARKET_H
#define HD_MARKET_MARKET_H

#include <stdint.h>
#include <stdio.h>

#include "base/err.h"
#include "trace/gaps.h"

/* A rate that alternates between high and low for exponential times, its mean kept:
 * low = quiet * high. on_s = 0: it does not alternate. */
struct hd_on_off {
    double on_s, off_s; /* mean durations */
    double quiet;       /* 0 to 1: the low rate over the high one */
};

/* What the instants of a model's requests come from. */
enum hd_arrivals {
    HD_ARRIVALS_RENEWAL, /* gaps by a law, over the mean rate */
    HD_ARRIVALS_MMPP,    /* Poisson at the rate of a hidden state */
    HD_ARRIVALS_WINDOWS, /* renewal, with rate and law by the window */
    HD_ARRIVALS_STREAM   /* the instants of a real trace */
};

/* A Markov-modulated Poisson process: each state is held for an exponential time and
 * any other follows with equal chance, so time in a state is in proportion to its
 * hold. */
struct hd_mmpp {
    int states;
    double *level, *hold_s; /* level: of the mean rate; their mean over time is 1 */
};

/* Windows of equal length that follow one another and begin anew at the end. */
struct hd_window {
    double level; /* of the mean rate; the mean over all windows is 1 */
    enum hd_gap_law law;
    double cv;
};
struct hd_windows {
    double window_s;
    int windows;
    struct hd_window *window;
    bool shifted; /* each model begins with a window of its own, drawn */
};

/* How a real stream becomes the requests of a model that is to have another rate. */
enum hd_stream_method {
    HD_STREAM_THIN,  /* each request kept with the same chance: burstiness fades */
    HD_STREAM_SHIFT, /* all kept, from a place of the model's own round the end, its
                        clock run at the speed that gives the rate */
    HD_STREAM_SPLIT, /* the whole stream, its clock run so that it has the market's
                        rate; each request goes to a model drawn by its share */
    HD_STREAM_EACH   /* the file's models by rank, one clock for all: what is
                        correlated stays so */
};
struct hd_stream {
    enum hd_stream_method method;
    int64_t count;
    double *at_s;    /* from 0 on, never falling */
    int32_t *rank;   /* of the request's model in the file, 0 the most popular */
    double cycle_s;  /* from the first to the last, and a mean gap more */
    double jitter_s; /* adds a uniform time below it to each: stamps on a grid */
};

/* A rate that comes back every period, the same for all models but for a shift of each
 * by up to spread_s either way: levels in turn, of equal length and mean 1. */
struct hd_rhythm {
    double period_s, spread_s;
    int levels; /* 0: none */
    double *level;
};

/* Tokens: lognormal with that median and mean, drawn again outside [min, max]; or by
 * quantiles at even steps from 0 to 1, by a constant ratio between two. */
struct hd_length_law {
    double p50, mean; /* before the bounds take effect; mean > p50 */
    int min, max;
    int quantiles; /* 0: lognormal; else at least 2 */
    double *quantile;
};

enum hd_lengths {
    HD_LENGTHS_APART, /* input and output independent */
    HD_LENGTHS_JOINT, /* tied by a Gaussian copula: the normal variates behind both have
                         that correlation (for lognormals, their logarithms do) */
    HD_LENGTHS_PAIRS  /* pairs of a real trace, drawn with replacement */
};
struct hd_length_pairs {
    int count;
    int32_t *input, *output;
};

/* Sessions: a request is a turn of one, its prompt all that was said before and then
 * what is new. `input` tokens are what is new. The number of turns is geometric; a turn
 * follows the one before after token_s for each of its output tokens (what the answer
 * is taken to need) and a lognormal think time. One ends early where its prompt would
 * exceed context_max. */
struct hd_session_law {
    double turns; /* mean, at least 1; 0: no sessions */
    double think_p50_s, think_mean_s, token_s;
    int context_max; /* prompt and answer, tokens */
};

/* Prefixes: every prompt begins with one of its model's system prompts (with equal
 * chance, the same for a whole session); `input` tokens come after it. */
struct hd_prefix_law {
    int block_tokens; /* 0: none */
    int prompts;      /* per model */
    struct hd_length_law system;
};

/* An SLO class: the last token is due deadline_s + output * deadline_per_token_s after
 * arrival. A session keeps its class. */
struct hd_class_law {
    char *name;
    double share;      /* sums to 1 over the classes */
    double deadline_s; /* negative: none */
    double deadline_per_token_s;
};

struct hd_market {
    char *about;               /* a line on what it stands for, or NULL */
    char *text;                /* the recipe on one line, or NULL */
    char *sources;             /* "FILE (sha256 ...), ..." that it read, or NULL */
    char *parts;               /* where each part comes from: real, fitted, ... */
    int models;                /* by rank, 0 the most popular */
    char **name;               /* NULL: m1, m2, ... zero-padded to one width */
    double *share;             /* of the mean rate, per model; sums to 1 */
    double rate_per_s, span_s; /* requests per second of the whole market */

    enum hd_arrivals arrivals;
    enum hd_gap_law gaps; /* RENEWAL */
    double gap_cv;        /* of gamma and Weibull gaps, over the mean rate */
    struct hd_mmpp mmpp;
    struct hd_windows windows;
    struct hd_windows *own_windows; /* of each model; NULL: all have `windows` */
    int own_window_sets;            /* at least one a model */
    double windows_begin_s;         /* of the windows, at time 0 */
    struct hd_stream stream;

    struct hd_on_off bursts; /* of each model by itself */
    /* Groups of models that wake together: the groups * group_size last models,
     * dealt to the groups in turn. */
    int groups, group_size;
    struct hd_on_off group_activity;
    struct hd_rhythm rhythm;

    enum hd_lengths lengths;
    struct hd_length_law input, output;
    double correlation; /* JOINT */
    struct hd_length_pairs pairs;
    struct hd_session_law sessions;
    struct hd_prefix_law prefixes;
    int classes;
    struct hd_class_law *class_;
};

void hd_market_free(struct hd_market *);

struct hd_market_request {
    int64_t at_us;
    int32_t model, number; /* among the model's requests as drawn, from 0 */
    int32_t input_tokens, output_tokens;
    int32_t session; /* of the market, or -1 */
    int32_t turn;    /* of the session, from 0 */
    int32_t prompt;  /* which of the model's system prompts it begins with */
    int32_t class_;  /* or -1 */
};

/* What was drawn, in order of time (then model, then number). */
struct hd_market_requests {
    int64_t count;
    struct hd_market_request *of;
    int32_t *system_tokens; /* of each system prompt, by model; NULL without prefixes */
    int64_t sessions_cut;   /* ended by context_max, counting those before the trace */
};
void hd_market_requests_free(struct hd_market_requests *);

/* False with a reason in err when they would be more than 20 million, or none came. */
bool hd_market_draw(const struct hd_market *, uint64_t seed,
                    struct hd_market_requests *, struct hd_err *err);

/* Writes a native trace: notes ("# parts: ...", "# made: ..."), header, rows. False
 * on a write error. */
bool hd_market_write(const struct hd_market *, const char *made,
                     const struct hd_market_requests *, FILE *);

/* Shares of n models. Classes: `classes` groups of models[c] equal models that
 * hold share[c] together. Zipf-Mandelbrot: proportional to (rank + shift)^-s. Points:
 * the `models[p]` most popular hold share[p] together, both rising; between two points
 * shares fall by one ratio from rank to rank (across a point they may rise a little).
 */
void hd_share_classes(double *out, const int *models, const double *share, int classes);
void hd_share_zipf(double *out, int n, double s, double shift);
void hd_share_points(double *out, const int *models, const double *share, int points);

#endif
