/* hotdesk trace merge: several traces as one. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/trace_files.h"
#include "trace/compose.h"
#include "trace/notes.h"

static const struct hd_option options[] = {
    HD_TRACE_IN_OPTIONS,
    {HD_GROUP_WHAT, 1, "apart", NULL, NULL, NULL, false,
     "a model is its file's alone, 1/NAME, 2/NAME, ... in the order given; without it "
     "equal names are one model"},
    {HD_GROUP_WHEN, 1, "align", "start", NULL, "by their clocks", false,
     "start: each trace's first request comes at 0 s, whatever its clock says"},
    HD_TRACE_OUT_OPTIONS,
};

static const struct hd_help help = {
    "hotdesk trace merge FILE FILE... --out FILE [options]",
    "Puts the requests of several traces together. Clocks of dates go by their dates "
    "and\n"
    "clocks of seconds by each file's own zero; the two kinds mix with --align start\n"
    "alone. Sessions and prefix blocks stay those of their file.",
    {"hotdesk trace merge traces/market40.csv traces/arena27.csv --apart --out "
     "both.hdt "
     "--force",
     "hotdesk trace merge traces/arena27.csv traces/agents8.csv --align start --out -"},
};

struct merge {
    struct hd_trace **part;
    int parts;
    bool align_start;
};

static bool load(const struct hd_args *args, struct merge *m,
                 struct hd_problem *problem) {
    for (int i = 0; i < args->words; i++) {
        struct hd_trace *t = hd_trace_in(args, args->word[i], NULL, NULL, problem);
        if (!t) return false;
        m->part[m->parts++] = t;
        if (!m->align_start &&
            (t->clock == HD_CLOCK_DATE) != (m->part[0]->clock == HD_CLOCK_DATE))
            return hd_bad_input(
                problem,
                "%s: its clock %s and that of %s %s; --align start lets "
                "each begin at 0 s",
                t->path, t->clock == HD_CLOCK_DATE ? "has dates" : "counts seconds",
                m->part[0]->path,
                t->clock == HD_CLOCK_DATE ? "counts seconds" : "has dates");
    }
    return true;
}

static hd_wide first_of(const struct hd_trace *t) {
    return t->origin + t->row[0].at;
}

static struct hd_trace *join(const struct merge *m, bool apart, struct hd_err *err) {
    bool dates = m->part[0]->clock == HD_CLOCK_DATE && !m->align_start;
    hd_wide zero = dates ? first_of(m->part[0]) : 0;
    for (int i = 0; dates && i < m->parts; i++)
        if (first_of(m->part[i]) < zero) zero = first_of(m->part[i]);
    struct hd_compose *c =
        hd_compose_begin(dates ? HD_CLOCK_DATE : HD_CLOCK_SECONDS, zero, zero);
    struct hd_lane *lane = hd_alloc((size_t)m->parts * sizeof *lane);
    for (int i = 0; i < m->parts; i++) {
        const struct hd_trace *t = m->part[i];
        hd_wide base = t->origin - (m->align_start ? first_of(t) : 0);
        char *prefix = apart ? hd_format("%d/", i + 1) : NULL;
        int source = hd_compose_source(c, t, prefix);
        free(prefix);
        lane[i] = (struct hd_lane){.end = t->rows, .shift = base, .source = source};
    }
    struct hd_trace *made = NULL;
    if (hd_compose_merge(c, lane, m->parts, err))
        made = hd_compose_end(c);
    else
        hd_compose_drop(c);
    free(lane);
    return made;
}

/* Notes of a part do not hold for the whole: only what each was made of does. */
static void note_parts(const struct hd_args *args, const struct merge *m,
                       struct hd_trace *made) {
    char *text;
    size_t bytes;
    FILE *out = hd_text_stream(&text, &bytes);
    fprintf(out, "hotdesk trace merge%s%s of",
            hd_args_get(args, "apart") ? " --apart" : "",
            m->align_start ? " --align start" : "");
    for (int i = 0; i < m->parts; i++) {
        const struct hd_trace *t = m->part[i];
        fprintf(out, "%s %s (%s, sha256 %.12s%s%s%s%s)", i ? " and" : "", t->name,
                t->format, t->sha256, t->made ? "; before that: " : "",
                t->made ? t->made : "", t->parts ? "; parts: " : "",
                t->parts ? t->parts : "");
    }
    hd_text_stream_end(out, &text);
    hd_trace_set_note(made, "made", text);
    free(text);
}

static bool write_merged(const struct hd_args *args, const struct merge *m,
                         struct hd_problem *problem) {
    struct hd_err why = {0};
    struct hd_trace *made = join(m, hd_args_get(args, "apart"), &why);
    if (!made) return hd_bad_input(problem, "%s: %s", m->part[0]->path, why.text);
    int count = m->parts + 1;
    const struct hd_trace **row = hd_alloc((size_t)count * sizeof *row);
    const char **title = hd_alloc((size_t)count * sizeof *title);
    for (int i = 0; i < m->parts; i++) {
        row[i] = m->part[i];
        title[i] = m->part[i]->name;
    }
    row[m->parts] = made;
    title[m->parts] = "merged";
    hd_trace_beside(row, title, count, hd_trace_said(args));
    note_parts(args, m, made);
    bool done = hd_trace_out(args, made, problem);
    free(row);
    free(title);
    hd_trace_free(made);
    return done;
}

static bool merge(const struct hd_args *args, struct hd_problem *problem) {
    const char *align = hd_args_get(args, "align");
    if (!hd_trace_out_asked(args, problem)) return false;
    if (align && strcmp(align, "start") != 0)
        return hd_usage(problem, "--align %.60s: is none; expected start", align);
    struct merge m = {.align_start = align};
    m.part = hd_alloc((size_t)args->words * sizeof *m.part);
    bool done = load(args, &m, problem) && write_merged(args, &m, problem);
    for (int i = 0; i < m.parts; i++) hd_trace_free(m.part[i]);
    free(m.part);
    return done;
}

const struct hd_trace_command hd_trace_merge = {
    .name = "merge",
    .full_name = "trace merge",
    .words = HD_TRACE_WORDS_SEVERAL,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = merge,
};
