/* hotdesk trace anonymise: the traffic without the names. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/trace_files.h"
#include "output/quantity.h"
#include "trace/compose.h"
#include "trace/notes.h"
#include "trace/stats.h"

static const struct hd_option options[] = {HD_TRACE_IN_OPTIONS, HD_TRACE_OUT_OPTIONS};

static const struct hd_help help = {
    "hotdesk trace anonymise FILE --out FILE [options]",
    "Takes names out of a trace: models become m1, m2, ... from most to fewest "
    "requests,\n"
    "service levels c1, c2, ..., sessions and prefix blocks numbers, the first "
    "request\n"
    "comes at 0 s, and no note is kept. Gaps, lengths, deadlines, shares and who "
    "shares\n"
    "what stay exact: who has the original can tell. `hotdesk trace fit` keeps less.",
    {"hotdesk trace anonymise traces/market40.csv --out shared.csv --force",
     "hotdesk trace anonymise traces/agents8.csv --out - --as native"},
};

static struct hd_trace *from_zero(const struct hd_trace *t, struct hd_err *err) {
    struct hd_compose *c = hd_compose_begin(HD_CLOCK_SECONDS, 0, 0);
    hd_compose_source(c, t, NULL);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        struct hd_pick pick = {.at = t->row[i].at - t->row[0].at, .row = i};
        if (hd_compose_add(c, &pick, err)) continue;
        hd_compose_drop(c);
        return NULL;
    }
    return hd_compose_end(c);
}

static void rename_all(struct hd_trace *t) {
    struct hd_trace_extra *x = t->extra;
    int *rank = hd_trace_by_popularity(t);
    int width = snprintf(NULL, 0, "%d", t->models);
    for (int i = 0; i < t->models; i++) {
        free(t->model[rank[i]]);
        t->model[rank[i]] = hd_format("m%0*d", width, i + 1);
    }
    free(rank);
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        t->row[i].line = (int32_t)i + 1;
    }
    if (!x) return;
    for (int i = 0; i < x->classes; i++) {
        free(x->class_name[i]);
        x->class_name[i] = hd_format("c%d", i + 1);
    }
    for (int32_t i = 0; i < x->prefix_ids; i++) x->prefix_identity[i] = (uint64_t)i;
    if (!x->session) return;
    size_t bytes;
    free(x->session_text);
    FILE *out = hd_text_stream(&x->session_text, &bytes);
    for (int32_t i = 0; i < x->sessions; i++) fprintf(out, "%d%c", i, '\0');
    hd_text_stream_end(out, &x->session_text);
    x->session_text_bytes = (int64_t)bytes;
}

static void say_what(const struct hd_trace *of, const struct hd_trace *t, FILE *out) {
    const struct hd_trace_extra *x = t->extra;
    fprintf(out, "renamed: %s", hd_say_things(t->models, "model").text);
    if (x && x->classes) fprintf(out, ", %s", hd_say_things(x->classes, "level").text);
    if (x && x->sessions)
        fprintf(out, ", %s", hd_say_things(x->sessions, "session").text);
    if (x && x->prefix_ids)
        fprintf(out, ", %s", hd_say_things(x->prefix_ids, "block").text);
    fprintf(out, "\nleft out: %s%s%s\n", of->clock == HD_CLOCK_DATE ? "dates, " : "",
            hd_say_things(of->notes, "note").text,
            of->unused_columns ? ", columns that were not read" : "");
    fprintf(out, "kept: gaps and lengths of every request%s, shares of models%s\n",
            x && x->deadline ? ", deadlines" : "",
            x && (x->session || x->prefix) ? ", who shares a session or a prefix" : "");
}

static bool anonymise(const struct hd_args *args, struct hd_problem *problem) {
    struct hd_err why = {0};
    if (!hd_trace_out_asked(args, problem)) return false;
    struct hd_trace *t = hd_trace_in(args, args->word[0], NULL, NULL, problem);
    if (!t) return false;
    struct hd_trace *made = from_zero(t, &why);
    bool done = false;
    if (made) {
        rename_all(made);
        hd_trace_set_note(made, "made", "hotdesk trace anonymise");
        say_what(t, made, hd_trace_said(args));
        done = hd_trace_out(args, made, problem);
    } else {
        hd_bad_input(problem, "%s: %s", t->path, why.text);
    }
    hd_trace_free(made);
    hd_trace_free(t);
    return done;
}

const struct hd_trace_command hd_trace_anonymise = {
    .name = "anonymise",
    .full_name = "trace anonymise",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = anonymise,
};
