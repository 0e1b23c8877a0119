/* ServeGen's folders: the figures that are published of them. */
#include <math.h>

#include "market/servegen.h"
#include "trace/servegen.h"
#include "validation/real_traces.h"

/* Windows of both models together, by their law; idle ones have none. */
static void windows_by_law(void **state) {
    (void)state;
    static const char *const names[] = {"servegen/language/m-small",
                                        "servegen/reason/deepseek-r1"};
    static const int clients[] = {43, 73}, windows[] = {2016, 144};
    int laws[2] = {0, 0}, idle = 0;
    for (int n = 0; n < 2; n++) {
        struct hd_err err = {0};
        char *path = data(names[n]), sha256[65];
        int active;
        struct hd_windows *w = hd_servegen_load(path, &active, sha256, &err);
        if (!w) fail_msg("%s", err.text);
        assert_true(active <= clients[n]);
        idle += (clients[n] - active) * windows[n]; /* left out: never a request */
        for (int c = 0; c < active; c++) {
            assert_int_equal(w[c].windows, windows[n]);
            assert_true(w[c].window_s == 600);
            for (int i = 0; i < w[c].windows; i++)
                if (w[c].window[i].level == 0)
                    idle++;
                else
                    laws[w[c].window[i].law == HD_GAP_WEIBULL]++;
        }
        hd_servegen_free(w, active);
        free(path);
    }
    assert_int_equal(idle, 53994);
    assert_int_equal(laws[0], 30508);
    assert_int_equal(laws[1], 12698);
}

static int most_first(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

static struct hd_servegen *clients_of(const char *name) {
    struct hd_err err = {0};
    char *path = data(name);
    struct hd_servegen *s = hd_servegen_open(path, true, &err);
    if (!s) fail_msg("%s", err.text);
    free(path);
    return s;
}

/* Rates of the whole folder: mean, busiest 10 minutes, shares of the 1, 5 and 10
 * busiest clients, how many have 90 %, CV of the windows weighted by rate. */
static void rates(const struct hd_servegen *s, const char *const expected[7]) {
    double *rate = hd_alloc((size_t)s->clients * sizeof *rate);
    double total = 0, peak = 0, cv = 0, all = 0, first = 0;
    int windows = s->client[0].windows, most = 0;
    for (int c = 0; c < s->clients; c++) total += rate[c] = s->client[c].rate_per_s;
    for (int i = 0; i < windows; i++) {
        double now = 0;
        for (int c = 0; c < s->clients; c++) {
            now += s->client[c].window[i].rate_per_s;
            cv += s->client[c].window[i].rate_per_s * s->client[c].window[i].cv;
        }
        peak = fmax(peak, now);
        all += now;
    }
    qsort(rate, (size_t)s->clients, sizeof *rate, most_first);
    published("mean rate, 1/s", total, expected[0]);
    published("busiest 10 minutes, 1/s", peak, expected[1]);
    for (int c = 0; c < 10; c++) {
        first += rate[c] / total;
        if (c == 0) published("share of the busiest", first, expected[2]);
        if (c == 4) published("share of five", first, expected[3]);
        if (c == 9) published("share of ten", first, expected[4]);
    }
    for (first = 0; first < 0.9; most++) first += rate[most] / total;
    published("clients for 90 %", most, expected[5]);
    published("CV by rate", cv / all, expected[6]);
    free(rate);
}

/* Mean tokens of all periods alike, as Python's own reading of the files has it. */
static void mean_tokens(const struct hd_servegen *s, const char *const expected[2]) {
    double mean[2] = {0, 0};
    int periods = 0;
    for (int c = 0; c < s->clients; c++)
        for (int n = 0; n < s->client[c].periods; n++, periods++)
            for (int side = 0; side < 2; side++) {
                const struct hd_servegen_period *p = &s->client[c].period[n];
                const struct hd_token_law *law = side ? &p->output : &p->input;
                for (int v = 0; v < law->values; v++)
                    mean[side] +=
                        law->tokens[v] * (law->up_to[v] - (v ? law->up_to[v - 1] : 0));
            }
    published("input tokens", mean[0] / periods, expected[0]);
    published("output tokens", mean[1] / periods, expected[1]);
}

static void rates_and_tokens(void **state) {
    (void)state;
    struct hd_servegen *s = clients_of("servegen/language/m-small");
    rates(s,
          (const char *const[]){"1174", "3880", ".299", ".770", ".928", "9", "3.58"});
    mean_tokens(s, (const char *const[]){"49.77", "7.62"});
    hd_servegen_close(s);
    s = clients_of("servegen/reason/deepseek-r1");
    rates(s,
          (const char *const[]){"16.0", "42.5", ".286", ".525", ".677", "25", "2.28"});
    mean_tokens(s, (const char *const[]){"352.88", "1118.37"});
    hd_servegen_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_by_law),
        cmocka_unit_test(rates_and_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
