/* Parts of a market: changing one leaves the draws of all others as they were; what
 * recipes may say of each and what is refused; prefixes as they are written; a fit
 * finds what was drawn. */
#include <math.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "market/fit.h"
#include "market/recipe.h"
#include "trace/stats_reuse.h"
#include "unit/market_draws.h"

/* ---- changing one part --------------------------------------------------- */

#define LOAD "load = {rate_per_s = 4, span = '10m', label = 'invented'},"
#define POPULARITY "popularity = {kind = 'zipf', s = 1, shift = 0, label = 'fitted'},"
#define ARRIVALS "arrivals = {kind = 'gamma', cv = 1.5, label = 'published'},"
#define BURSTS "bursts = {on = '20s', off = '40s', quiet = 0.5, label = 'invented'},"
#define RHYTHM                                                                         \
    "rhythm = {period = '5m', peak = '1m', amplitude = 0.5, spread = '30s',"           \
    "label = 'invented'},"
#define GROUPS                                                                         \
    "groups = {count = 1, size = 2, on = '1m', off = '2m', quiet = 0.2, label = "      \
    "'invented'},"
#define INPUT "input = {p50 = 50, mean = 70, min = 1, max = 900, label = 'fitted'},"
#define OUTPUT "output = {p50 = 50, mean = 70, min = 1, max = 900, label = 'real'},"
#define SESSIONS                                                                       \
    "sessions = {turns = 3, think = {p50 = '2s', mean = '3s'}, token = '10ms',"        \
    "context_max = 100000, label = 'invented'},"
#define PREFIXES                                                                       \
    "prefixes = {block_tokens = 16, prompts = 2, system = {p50 = 100, mean = 120,"     \
    "min = 20, max = 400}, label = 'invented'},"
#define CLASSES                                                                        \
    "classes = {{name = 'a', share = 0.5}, {name = 'b', share = 0.5, deadline = "      \
    "'9s'}, label = 'invented'},"

enum { PARTS = 11 };
static const char *const base_part[PARTS] = {LOAD,   POPULARITY, ARRIVALS, BURSTS,
                                             RHYTHM, GROUPS,     INPUT,    OUTPUT,
                                             NULL,   PREFIXES,   CLASSES};
static char *recipe_of(const char *const *part) {
    char *text = hd_strdup("return {models = 5, ");
    for (int i = 0; i < PARTS; i++) {
        char *longer = hd_format("%s%s", text, part[i] ? part[i] : "");
        free(text);
        text = longer;
    }
    char *whole = hd_format("%s}", text);
    free(text);
    return whole;
}

static struct hd_market *market_of(const char *text) {
    struct hd_err err = {0};
    struct hd_market *m = hd_recipe_load(file_of(text), &err);
    if (!m) fail_msg("%s in %s", err.text, text);
    return m;
}

static struct hd_market_requests draw_text(const char *text) {
    struct hd_market *m = market_of(text);
    struct hd_market_requests r = draw(m, 7);
    hd_market_free(m);
    return r;
}

/* What a request has of each part. In a market without sessions request `number` of a
 * model is the same draw whenever it comes. */
enum { AT = 1, IN = 2, OUT = 4, CLASS = 8, PROMPT = 16 };

/* Which of the five are the same in all requests that both have. */
static unsigned same(const struct hd_market_requests *a,
                     const struct hd_market_requests *b) {
    unsigned all = AT | IN | OUT | CLASS | PROMPT;
    int compared = 0;
    for (int model = 0; model < 5; model++)
        for (int64_t i = 0, j = 0;; i++, j++) {
            while (i < a->count && a->of[i].model != model) i++;
            while (j < b->count && b->of[j].model != model) j++;
            if (i >= a->count || j >= b->count) break;
            const struct hd_market_request *x = &a->of[i], *y = &b->of[j];
            assert_int_equal(x->number, y->number);
            if (x->at_us != y->at_us) all &= ~(unsigned)AT;
            if (x->prompt != y->prompt) all &= ~(unsigned)PROMPT;
            if (x->class_ != y->class_) all &= ~(unsigned)CLASS;
            if (x->output_tokens != y->output_tokens) all &= ~(unsigned)OUT;
            if (x->input_tokens != y->input_tokens) all &= ~(unsigned)IN;
            compared++;
        }
    assert_true(compared > 100);
    return all;
}

static void one_part_changes(void **state) {
    (void)state;
    static const struct {
        int part;
        const char *other;
        unsigned changes;
    } rows[] = {
        {0, "load = {rate_per_s = 6, span = '10m', label = 'invented'},", AT},
        {1, "popularity = {kind = 'uniform', label = 'fitted'},", AT},
        {1,
         "popularity = {kind = 'two-class', cold_models = 0.6, cold_share = 0.3, label "
         "= 'published'},",
         AT},
        {2, "arrivals = {kind = 'weibull', cv = 2, label = 'fitted'},", AT},
        {2,
         "arrivals = {kind = 'mmpp', {level = 1, hold = '9s'}, {level = 3, hold = "
         "'5s'}, label = 'fitted'},",
         AT},
        {2,
         "arrivals = {kind = 'windows', window = '1m', shifted = true, {level = 1, "
         "gaps "
         "= 'gamma', cv = 2}, {level = 2, gaps = 'poisson'}, label = 'fitted'},",
         AT},
        {3, "bursts = {on = '10s', off = '40s', quiet = 0.1, label = 'invented'},", AT},
        {4, "rhythm = {period = '2m', 1, 2, 3, label = 'invented'},", AT},
        {5,
         "groups = {count = 2, size = 2, on = '30s', off = '2m', quiet = 0, label = "
         "'invented'},",
         AT},
        {6, "input = {p50 = 60, mean = 70, min = 1, max = 900, label = 'fitted'},", IN},
        {6, "input = {quantiles = {1, 50, 600}, label = 'fitted'},", IN},
        {7, "output = {p50 = 60, mean = 70, min = 1, max = 900, label = 'fitted'},",
         OUT},
        {9,
         "prefixes = {block_tokens = 32, prompts = 2, system = {p50 = 150, mean = 160,"
         "min = 20, max = 400}, label = 'invented'},",
         IN},
        {9,
         "prefixes = {block_tokens = 16, prompts = 5, system = {p50 = 100, mean = 120,"
         "min = 20, max = 400}, label = 'invented'},",
         IN | PROMPT},
        {10,
         "classes = {{name = 'a', share = 0.2}, {name = 'b', share = 0.8}, label = "
         "'invented'},",
         CLASS},
    };
    char *text = recipe_of(base_part);
    struct hd_market_requests base = draw_text(text), again = draw_text(text);
    assert_int_equal(same(&base, &again), AT | IN | OUT | CLASS | PROMPT);
    assert_int_equal(base.count, again.count);
    hd_market_requests_free(&again);
    free(text);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *part[PARTS];
        memcpy(part, base_part, sizeof part);
        part[rows[i].part] = rows[i].other;
        text = recipe_of(part);
        struct hd_market_requests r = draw_text(text);
        unsigned expected = (AT | IN | OUT | CLASS | PROMPT) & ~rows[i].changes;
        unsigned got = same(&base, &r);
        if (got != expected)
            fail_msg("%s: same %x, expected %x", rows[i].other, got, expected);
        hd_market_requests_free(&r);
        free(text);
    }
    hd_market_requests_free(&base);
}

/* Joint lengths in place of two laws: nothing but lengths. Sessions: how many turns and
 * what is thought do not touch when sessions begin. */
static void lengths_and_sessions_change(void **state) {
    (void)state;
    const char *part[PARTS];
    memcpy(part, base_part, sizeof part);
    part[6] = "lengths = {kind = 'joint', correlation = 0.5, input = {p50 = 50, mean = "
              "70, min = 1, max = 900}, output = {p50 = 50, mean = 70, min = 1, max = "
              "900}, label = 'fitted'},";
    part[7] = NULL;
    char *text = recipe_of(base_part), *other = recipe_of(part);
    struct hd_market_requests a = draw_text(text), b = draw_text(other);
    assert_int_equal(same(&a, &b), AT | CLASS | PROMPT);
    hd_market_requests_free(&a);
    hd_market_requests_free(&b);
    free(text);
    free(other);

    memcpy(part, base_part, sizeof part);
    part[8] = SESSIONS;
    text = recipe_of(part);
    part[8] = "sessions = {turns = 3, think = {p50 = '5s', mean = '9s'}, token = '0s',"
              "context_max = 100000, label = 'invented'},";
    other = recipe_of(part);
    a = draw_text(text);
    b = draw_text(other);
    for (int model = 0; model < 5; model++)
        for (int64_t i = 0, j = 0;; i++, j++) { /* those that began in the trace */
            while (i < a.count && (a.of[i].model != model || a.of[i].turn)) i++;
            while (j < b.count && (b.of[j].model != model || b.of[j].turn)) j++;
            assert_int_equal(i < a.count, j < b.count);
            if (i >= a.count) break;
            assert_int_equal(a.of[i].at_us, b.of[j].at_us);
            assert_int_equal(a.of[i].input_tokens, b.of[j].input_tokens);
            assert_int_equal(a.of[i].class_, b.of[j].class_);
        }
    hd_market_requests_free(&a);
    hd_market_requests_free(&b);
    free(text);
    free(other);
}

/* ---- what recipes say ---------------------------------------------------- */

#define WITH(part) "return {models = 3, " LOAD part "}"
#define REST POPULARITY ARRIVALS INPUT OUTPUT

static void bad_recipes(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } recipes[] = {
        {WITH("popularity = {kind = 'two-class', cold_models = 0.01, cold_share = 0.1, "
              "label = 'real'}," ARRIVALS INPUT OUTPUT),
         "0.01 of 3 models are 0"},
        {WITH("popularity = {kind = 'points', {models = 2, share = 0.5}, {models = 1, "
              "share = 1}, label = 'real'}," ARRIVALS INPUT OUTPUT),
         "expected both to rise"},
        {WITH("popularity = {kind = 'points', {models = 2, share = 0.5}, label = "
              "'real'}," ARRIVALS INPUT OUTPUT),
         "all 3 models with share 1"},
        {WITH("popularity = {kind = 'uniform', s = 2, label = 'real'}," ARRIVALS INPUT
                  OUTPUT),
         "s"},
        {WITH("popularity = {kind = 'trace', from = 'x.csv', label = 'real'}," ARRIVALS
                  INPUT OUTPUT),
         "expected trace \"FILE\""},
        {WITH("popularity = {kind = 'trace', from = trace 'none.csv', label = 'real'}"
              "," ARRIVALS INPUT OUTPUT),
         "none.csv: No such file"},
        {WITH(POPULARITY INPUT OUTPUT
              "arrivals = {kind = 'mmpp', {level = 1, hold = '1s'}, label = 'real'}"),
         "1 states; expected at least 2"},
        {WITH(POPULARITY INPUT OUTPUT "arrivals = {kind = 'mmpp', {level = 0, hold = "
                                      "'1s'}, {level = 0, hold = '1s'}, label = "
                                      "'real'}"),
         "every level is 0"},
        {WITH(POPULARITY INPUT OUTPUT
              "arrivals = {kind = 'windows', window = '1m', label = 'real'}"),
         "has no windows"},
        {WITH(POPULARITY INPUT OUTPUT
              "arrivals = {kind = 'windows', window = '1m', {level = 1, gaps = "
              "'gamma'}, label = 'real'}"),
         "has no `cv`"},
        {WITH(POPULARITY INPUT OUTPUT
              "arrivals = {kind = 'stream', method = 'thn', label = 'real'}"),
         "'thn' is none of thin, shift, split, each"},
        {WITH(POPULARITY INPUT OUTPUT
              "arrivals = {kind = 'stream', method = 'thin', label = 'real'}"),
         "has no `from`"},
        {WITH(REST "rhythm = {period = '1h', peak = '1h', amplitude = 2, label = "
                   "'real'}"),
         "2 lies outside 0 to 1"},
        {WITH(REST "rhythm = {period = '1h', 1, 2, peak = '1h', label = 'real'}"),
         "expected one of the two"},
        {WITH(POPULARITY ARRIVALS "lengths = {kind = 'joint', input = {p50 = 5, mean = "
                                  "7, min = 1, max = 9}, label = 'real'}"),
         "has no `output`"},
        {WITH(REST "lengths = {kind = 'pairs', label = 'real'}"),
         "stands beside `input`"},
        {WITH(POPULARITY ARRIVALS OUTPUT
              "input = {quantiles = {5, 4}, label = 'real'}"),
         "4 lies outside 5"},
        {WITH(REST "sessions = {turns = 3, think = {p50 = '2s', mean = '1s'}, token = "
                   "'1ms', context_max = 9000, label = 'real'}"),
         "is not above p50"},
        {WITH(REST "sessions = {turns = 3, think = {p50 = '2s', mean = '3s'}, token = "
                   "'1ms', context_max = 1000, label = 'real'}"),
         "a first turn may have 1800 tokens"},
        {WITH(REST "classes = {{name = 'a', share = 0.5}, {name = 'a', share = 0.5}, "
                   "label = 'real'}"),
         "two classes are named a"},
        {WITH(REST "classes = {{name = 'a,b', share = 1}, label = 'real'}"),
         "is no name"},
        {WITH(REST "classes = {{name = 'a', share = 1, deadline_per_token = '1ms'}, "
                   "label = 'real'}"),
         "there is no `deadline`"},
        {WITH(REST "names = {{prefix = 'x', models = 2}}"),
         "names are for 2 models; `models` says 3"},
        {WITH(REST "about = 'two\\nlines'"), "a note cannot carry"},
    };
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        struct hd_err err = {0};
        if (hd_recipe_load(file_of(recipes[i].text), &err))
            fail_msg("was read: %s", recipes[i].text);
        assert_says(err.text, recipes[i].says);
        assert_says(err.text, ".csv:1: ");
    }
}

/* A recipe that draws on a trace, beside it in its folder. */
static void real_parts(void **state) {
    (void)state;
    char path[64], text[2048];
    snprintf(path, sizeof path, "/tmp/hd-market-real-%ld.csv", (long)getpid());
    FILE *file = fopen(path, "w");
    fputs("arrival_s,model,input_tokens,output_tokens\n", file);
    for (int i = 0; i < 100; i++)
        fprintf(file, "%d.5,%c,%d,%d\n", i, "aaabbc"[i % 6], i + 1,
                i % 10 ? 2 * i + 1 : 0);
    fclose(file);
    static const char *const method[] = {"thin", "shift", "split", "each"};
    for (int k = 0; k < 4; k++) {
        snprintf(
            text, sizeof text,
            "return {about = 'x', models = 3, load = {rate_per_s = 0.5, span = "
            "'10m', label = 'real'}, popularity = {kind = 'trace', from = trace "
            "'%s', label = 'real'}, arrivals = {kind = 'stream', from = trace "
            "'%s', method = '%s', label = 'real'}, lengths = {kind = 'pairs', from "
            "= trace '%s', label = 'real'}}",
            path + 5, path + 5, method[k], path + 5);
        struct hd_market *m = market_of(text);
        assert_true(fabs(m->share[0] - 0.51) < 1e-12 &&
                    fabs(m->share[2] - 0.16) < 1e-12);
        char expected[160]; /* the method is always stated */
        snprintf(expected, sizeof expected, "arrivals real (%s of %s)", method[k],
                 path + 5);
        assert_non_null(strstr(m->parts, expected));
        assert_non_null(strstr(m->sources, path + 5));
        assert_null(strstr(m->sources, "), ")); /* one file, named once */
        assert_int_equal(m->pairs.count, 90);   /* those with an answer */
        struct hd_market_requests r = draw(m, 7);
        for (int64_t i = 0; i < r.count; i++)
            assert_int_equal(r.of[i].output_tokens, 2 * r.of[i].input_tokens - 1);
        assert_true(r.count > 200 && r.count < 400);
        hd_market_requests_free(&r);
        hd_market_free(m);
    }
    struct hd_err err = {0};
    char *rate = strstr(text, "rate_per_s = 0.5");
    memcpy(rate, "rate_per_s = 9.5", 16);
    memcpy(strstr(text, "'each'"), "'thin'", 6);
    assert_null(hd_recipe_load(file_of(text), &err));
    assert_says(err.text, "thinning adds none");
    unlink(path);
}

/* Clients by rate, each with its own windows; what is wrong is placed. */
static void servegen(void **state) {
    (void)state;
    char folder[64], path[128], text[1024];
    snprintf(folder, sizeof folder, "/tmp/hd-market-servegen-%ld", (long)getpid());
    mkdir(folder, 0700);
    static const char *const rows[] = {"0,1,2,Gamma,0,0\r\n600,0,0,,0,0\r\n",
                                       "0,0,0,,0,0\n600,9,1.5,Weibull,0,0\n",
                                       "0,0,0,,0,0\n600,0,0,,0,0\n"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/chunk-%d-trace.csv", folder, i);
        FILE *file = fopen(path, "w");
        fputs(rows[i], file);
        fclose(file);
    }
    snprintf(
        text, sizeof text,
        "return {about = 'x', models = 2, load = {rate_per_s = 8, span = '20m', "
        "label = 'real'}, popularity = {kind = 'uniform', label = 'real'}, arrivals "
        "= {kind = 'windows', from = servegen '%s', label = 'real'}," INPUT OUTPUT "}",
        folder + 5);
    struct hd_market *m = market_of(text);
    assert_int_equal(m->own_window_sets, 2); /* the third has no request */
    assert_true(m->own_windows[0].window_s == 600);
    assert_true(m->own_windows[0].window[1].level == 2 &&
                m->own_windows[0].window[1].cv == 1.5 &&
                m->own_windows[0].window[1].law == HD_GAP_WEIBULL);
    assert_true(m->own_windows[1].window[0].level == 2 &&
                m->own_windows[1].window[0].law == HD_GAP_GAMMA);
    struct hd_market_requests r = draw(m, 7); /* one after the other */
    assert_true(r.count > 8000);
    for (int64_t i = 0; i < r.count; i++)
        assert_int_equal(r.of[i].model, r.of[i].at_us < 600000000);
    hd_market_requests_free(&r);
    hd_market_free(m);
    struct hd_err err = {0};
    *strstr(text, "models = 2") = ' ';
    memcpy(strstr(text, "odels = 2"), "models=3 ", 9);
    assert_null(hd_recipe_load(file_of(text), &err));
    assert_says(err.text, "2 clients have requests; `models` says 3");
    static const struct {
        const char *row, *says;
    } bad[] = {{"0,1,2,Gamma,0\n", "-2-trace.csv:1: 5 columns; expected 6"},
               {"0,1,2,Gama,0,0\n", "-2-trace.csv:1: column 4: 'Gama' is none"},
               {"0,-1,2,Gamma,0,0\n", "-2-trace.csv:1: column 2: -1 lies outside"},
               {"0,1,0,Gamma,0,0\n", "-2-trace.csv:1: column 3: 0 lies outside"},
               {"0,0,0,,0,0\n9,0,0,,0,0\n8,0,0,,0,0\n",
                "-2-trace.csv:3: begins at 8 s; expected 18 s"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        FILE *file = fopen(path, "w");
        fputs(bad[i].row, file);
        fclose(file);
        err = (struct hd_err){0};
        assert_null(hd_recipe_load(file_of(text), &err));
        assert_says(err.text, bad[i].says);
    }
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/chunk-%d-trace.csv", folder, i);
        unlink(path);
    }
    err = (struct hd_err){0};
    assert_null(hd_recipe_load(file_of(text), &err));
    assert_says(err.text, "no chunk-N-trace.csv");
    rmdir(folder);
}

/* ---- prefixes as they are written ---------------------------------------- */

static struct hd_trace *written(const struct hd_market *m,
                                const struct hd_market_requests *r) {
    struct hd_err err = {0};
    char *text;
    size_t bytes;
    FILE *out = hd_text_stream(&text, &bytes);
    assert_true(hd_market_write(m, "by a test", r, out));
    hd_text_stream_end(out, &text);
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    struct hd_trace *t = hd_trace_load(file_of_bytes(text, bytes), &asked, &err);
    if (!t) fail_msg("%s", err.text);
    free(text);
    assert_int_equal(t->rows, r->count);
    return t;
}

static void prefixes(void **state) {
    (void)state;
    const char *part[PARTS];
    memcpy(part, base_part, sizeof part);
    part[8] = SESSIONS;
    char *text = recipe_of(part);
    struct hd_market *m = market_of(text);
    struct hd_market_requests r = draw(m, 7);
    struct hd_trace *t = written(m, &r);
    const struct hd_trace_extra *x = t->extra;
    assert_int_equal(x->prefix_block_tokens, 16);
    int turns = 0, neighbours = 0;
    for (int64_t i = 0; i < t->rows; i++) {
        int64_t blocks = x->prefix_first[i + 1] - x->prefix_first[i];
        const int32_t *own = &x->prefix[x->prefix_first[i]];
        assert_int_equal(blocks, (t->row[i].input_tokens + 15) / 16);
        assert_int_equal(x->deadline[i] >= 0, r.of[i].class_ == 1);
        for (int64_t k = i + 1; k < t->rows && k < i + 400; k++) {
            const int32_t *other = &x->prefix[x->prefix_first[k]];
            int64_t others = x->prefix_first[k + 1] - x->prefix_first[k], shared = 0;
            while (shared < blocks && shared < others && own[shared] == other[shared])
                shared++;
            const struct hd_market_request *a = &r.of[i], *b = &r.of[k];
            int64_t expected = 0; /* whole blocks that say the same */
            if (a->session == b->session)
                expected = a->input_tokens / 16, turns++;
            else if (a->model == b->model && a->prompt == b->prompt)
                expected = r.system_tokens[a->model * 2 + a->prompt] / 16, neighbours++;
            assert_int_equal(shared, expected);
        }
    }
    assert_true(turns > 100 && neighbours > 100);
    hd_trace_free(t);
    hd_market_requests_free(&r);
    hd_market_free(m);
    free(text);
}

/* ---- fits ---------------------------------------------------------------- */

/* From a known market: its law and variation, shares, lengths and their correlation. */
static void a_fit_finds_what_was_drawn(void **state) {
    (void)state;
    static const struct {
        const char *arrivals;
        enum hd_gap_law law;
        double cv;
    } rows[] = {{"kind = 'poisson'", HD_GAP_POISSON, 1},
                {"kind = 'gamma', cv = 2", HD_GAP_GAMMA, 2},
                {"kind = 'weibull', cv = 0.6", HD_GAP_WEIBULL, 0.6}};
    for (int i = 0; i < 3; i++) {
        char *text = hd_format(
            "return {models = 4, load = {rate_per_s = 8, span = '40m', label = "
            "'invented'}, " POPULARITY "arrivals = {%s, label = 'invented'}, lengths = "
            "{kind = 'joint', correlation = 0.5, input = {p50 = 500, mean = 700, min = "
            "1, max = 90000}, output = {p50 = 100, mean = 150, min = 1, max = 90000}, "
            "label = 'invented'}}",
            rows[i].arrivals);
        struct hd_market *m = market_of(text);
        struct hd_market_requests r = draw(m, 7);
        struct hd_trace *t = written(m, &r);
        struct hd_err err = {0};
        struct hd_market *fit = hd_fit(t, &err);
        if (!fit) fail_msg("%s", err.text);
        print_message("law %d cv %.3f, of %d cv %.3f; correlation %.3f of 0.5\n",
                      fit->gaps, fit->gap_cv, rows[i].law, rows[i].cv,
                      fit->correlation);
        if (rows[i].law != HD_GAP_POISSON) assert_int_equal(fit->gaps, rows[i].law);
        assert_true(fabs(fit->gap_cv / rows[i].cv - 1) < 0.08);
        assert_true(fabs(fit->correlation - 0.5) < 0.03);
        for (int k = 0; k < 4; k++)
            assert_true(fabs(fit->share[k] - m->share[k]) < 0.02);
        struct hd_fit_check whole, halves;
        assert_true(hd_fit_check_whole(t, fit, &whole, &err));
        assert_true(hd_fit_check_halves(t, &halves, &err));
        assert_true(whole.distance.model_gaps < 0.03 &&
                    halves.distance.model_gaps < 0.05);
        assert_true(whole.distance.input < 0.02 && halves.distance.input < 0.03);
        fit->gaps = HD_GAP_GAMMA; /* a wrong one is seen to be */
        fit->gap_cv = rows[i].cv * 2;
        assert_true(hd_fit_check_whole(t, fit, &whole, &err));
        assert_true(whole.distance.model_gaps > 0.08);
        hd_market_free(fit);
        hd_trace_free(t);
        hd_market_requests_free(&r);
        hd_market_free(m);
        free(text);
    }
}

/* A twin's recipe is a recipe, and says what the fit is. */
static void a_fit_is_written_as_a_recipe(void **state) {
    (void)state;
    char *text = recipe_of(base_part);
    struct hd_market *m = market_of(text);
    struct hd_market_requests r = draw(m, 7);
    struct hd_trace *t = written(m, &r);
    struct hd_err err = {0};
    struct hd_market *fit = hd_fit(t, &err);
    struct hd_fit_check whole;
    assert_true(fit && hd_fit_check_whole(t, fit, &whole, &err));
    char *recipe;
    size_t bytes;
    FILE *out = hd_text_stream(&recipe, &bytes);
    hd_fit_write(fit, "a twin", &whole, NULL, out);
    hd_text_stream_end(out, &recipe);
    struct hd_market *read = market_of(recipe);
    assert_int_equal(read->models, fit->models);
    assert_int_equal(read->gaps, fit->gaps);
    assert_true(fabs(read->gap_cv / fit->gap_cv - 1) < 1e-3);
    assert_int_equal(read->rhythm.levels, fit->rhythm.levels);
    assert_int_equal(read->input.quantiles, fit->input.quantiles);
    for (int i = 0; i < fit->input.quantiles; i++)
        assert_true(read->input.quantile[i] == fit->input.quantile[i]);
    assert_true(fabs(read->correlation - fit->correlation) < 1e-6);
    assert_string_equal(read->about, "a twin");
    free(recipe);
    hd_market_free(read);
    hd_market_free(fit);
    hd_trace_free(t);
    hd_market_requests_free(&r);
    hd_market_free(m);
    free(text);
}

/* ---- distances ----------------------------------------------------------- */

static void distances(void **state) {
    (void)state;
    double a[] = {3, 1, 2, 2}, b[] = {2, 4}, c[] = {9}, d[] = {1, 1, 2, 3};
    /* by hand: after 1: 1/4 - 0; after 2: 3/4 - 1/2; after 3: 1 - 1/2 */
    assert_true(hd_ks_distance(a, 4, b, 2) == 0.5);
    assert_true(hd_ks_distance(a, 4, c, 1) == 1);
    assert_true(hd_ks_distance(a, 4, d, 4) == 0.25);
    assert_true(hd_ks_distance(a, 4, a, 4) == 0);
    assert_true(isnan(hd_ks_distance(a, 0, b, 2)));
    /* Smirnov's 1 % point: 1.6276 sqrt(1/n + 1/m) */
    assert_true(fabs(hd_ks_one_percent(50, 200) - 1.6276 * sqrt(0.025)) < 1e-4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_part_changes),
        cmocka_unit_test(lengths_and_sessions_change),
        cmocka_unit_test(bad_recipes),
        cmocka_unit_test(real_parts),
        cmocka_unit_test(servegen),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(a_fit_finds_what_was_drawn),
        cmocka_unit_test(a_fit_is_written_as_a_recipe),
        cmocka_unit_test(distances),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
