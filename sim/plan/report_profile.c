/* Where the time of a run went: the engine's own, and each callback's. */
#include "plan/report_profile.h"

#include <math.h>

#include "output/quantity.h"
#include "output/text_table.h"
#include "plan/report_parts.h"

#define COUNT(set) (int)(sizeof(set) / sizeof *(set))

typedef struct hd_profile_figures figures;
#define F(name, type, unit, member, about)                                             \
    { name, HD_FIELD_##type, unit, offsetof(figures, member), about }
static const struct hd_field profile_field[] = {
    F("run_s", REAL, "s", run_s, "the run by the clock on the wall, without reading"),
    F("requests_per_s", REAL, "1/s", requests_per_s, "requests sent, per such second"),
    F("engine_s", REAL, "s", engine_s, "of it, outside the policy's callbacks"),
    F("engine_share", REAL, "fraction", engine_share, "the same as a share of run_s"),
    F("clock_ns", REAL, "ns", clock_ns,
      "of a look at the clock, which each callback's time holds"),
    F("iterations", INT, "", iterations, "forward passes simulated"),
    F("iterations_stepped", INT, "", iterations_stepped,
      "of those, mixed ones: simulated one by one"),
    F("segments", INT, "", segments,
      "stretches of iterations that were simulated at once, each of at least one"),
};
#undef F
const struct hd_field_set hd_schema_profile = {
    "run.json, profile",
    "where the program's time went (--profile; on stdout alone, since no two runs "
    "agree)",
    profile_field, COUNT(profile_field)};

typedef struct hd_callback_figures callback;
#define F(name, type, unit, member, about)                                             \
    { name, HD_FIELD_##type, unit, offsetof(callback, member), about }
static const struct hd_field callback_field[] = {
    F("name", TEXT, "", name, "of the callback"),
    F("calls", INT, "", calls, "how often it ran"),
    F("ns_per_call", REAL, "ns", ns_per_call,
      "with all that it asked of the engine and did"),
    F("share", REAL, "fraction", share, "of run_s"),
};
#undef F
const struct hd_field_set hd_schema_callback = {"run.json, profile.callbacks",
                                                "a callback that the policy has",
                                                callback_field, COUNT(callback_field)};

static void fill(const struct hd_run_record *r, figures *f) {
    const struct hd_profile *p = &r->profile;
    double callbacks_s = 0;
    for (int n = 0; n < HD_CALLBACKS; n++) callbacks_s += p->callback_s[n];
    *f = (figures){.run_s = p->run_s,
                   .requests_per_s = (double)r->load.sent / p->run_s,
                   .engine_s = p->run_s - callbacks_s,
                   .engine_share = 1 - callbacks_s / p->run_s,
                   .clock_ns = p->clock_s * 1e9,
                   .iterations = r->measure->iterations,
                   .iterations_stepped = r->measure->iterations_stepped,
                   .segments = r->measure->segments};
}

static bool fill_callback(const struct hd_profile *p, int n, callback *c) {
    *c = (callback){.name = hd_callback_name((enum hd_callback)n),
                    .calls = p->calls[n],
                    .ns_per_call = p->callback_s[n] * 1e9 / (double)p->calls[n],
                    .share = p->callback_s[n] / p->run_s};
    return p->calls[n] > 0;
}

void hd_report_profile(const struct hd_run_record *r, int width, FILE *out) {
    figures f;
    callback c;
    fill(r, &f);
    fprintf(out,
            "profile   the run took %s, %s requests/s; %s segments for %s iterations",
            hd_say_seconds(f.run_s).text, hd_say_rough(f.requests_per_s).text,
            hd_say_count(f.segments).text, hd_say_count(f.iterations).text);
    if (f.iterations_stepped)
        fprintf(
            out, " (%s of them mixed, one by one)",
            hd_say_percent((double)f.iterations_stepped / (double)f.iterations).text);
    fprintf(out, "; a look at the clock takes %.0f ns\n", f.clock_ns);
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "time", false);
    hd_text_table_column(t, "calls", true);
    hd_text_table_column(t, "ns per call", true);
    hd_text_table_column(t, "of the run", true);
    hd_text_table_cell(t, "engine");
    hd_text_table_cell(t, "-");
    hd_text_table_cell(t, "-");
    hd_text_table_cell(t, "%s", hd_say_percent(f.engine_share).text);
    for (int n = 0; n < HD_CALLBACKS; n++) {
        if (!fill_callback(&r->profile, n, &c)) continue;
        hd_text_table_cell(t, "%s", c.name);
        hd_text_table_cell(t, "%s", hd_say_count(c.calls).text);
        hd_text_table_cell(t, "%.0f", c.ns_per_call);
        hd_text_table_cell(t, "%s", hd_say_percent(c.share).text);
    }
    hd_text_table_print(t, width, out);
    hd_text_table_free(t);
}

void hd_report_profile_json(const struct hd_run_record *r, struct hd_json *j) {
    figures f;
    callback c;
    fill(r, &f);
    hd_json_object(j, "profile");
    hd_fields_json(&hd_schema_profile, &f, j);
    hd_json_array(j, "callbacks");
    for (int n = 0; n < HD_CALLBACKS; n++) {
        if (!fill_callback(&r->profile, n, &c)) continue;
        hd_json_inline_object(j, NULL);
        hd_fields_json(&hd_schema_callback, &c, j);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_close(j);
}
