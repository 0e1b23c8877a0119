/* hotdesk trace compare: how alike two traces are, and whether they give one answer. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/interrupt.h"
#include "command/progress.h"
#include "command/trace_commands.h"
#include "command/trace_compare.h"

static const struct hd_help help = {
    "hotdesk trace compare A B [options]",
    "Says how alike two traces are: rates, gaps, lengths, popularity, burstiness at\n"
    "several scales, reuse of prefixes; and the answer: the fewest GPUs that each "
    "needs\n"
    "under every policy, by the options of `hotdesk compare`. Without --gpu, H100;\n"
    "without --models, every model is qwen2.5-7b.",
    {"hotdesk trace compare traces/market40.csv traces/market40.csv --attain 0.9 \\\n"
     "      --policy aegaeon",
     "hotdesk trace compare traces/market40.csv traces/market40.csv --gpu A100 \\\n"
     "      --policy serverless --attain 0.9 --models '*=yi-1.5-9b'"},
};

/* ---- the question, once for each ----------------------------------------- */

/* The words of a comparison of one trace: what was asked, and the file. */
static bool begin(struct hd_trace_side *s, const struct hd_args *args, const char *file,
                  struct hd_problem *problem) {
    int room = 2 * args->count + 8, n = 0;
    char **word = hd_alloc((size_t)room * sizeof *word);
    char **owned = hd_alloc((size_t)room * sizeof *owned);
    int owns = 0;
    word[n++] = "trace compare";
    word[n++] = "--trace";
    word[n++] = (char *)file;
    bool scenario = hd_args_get(args, "scenario");
    s->no_gpu = !scenario && !hd_args_get(args, "gpu");
    s->no_models = !scenario && !hd_args_get(args, "models");
    if (s->no_gpu) {
        word[n++] = "--gpu";
        word[n++] = "H100";
    }
    if (s->no_models) {
        word[n++] = "--models";
        word[n++] = "*=qwen2.5-7b";
    }
    for (int i = 0; i < args->count; i++) {
        const struct hd_given *g = &args->given[i];
        word[n++] = owned[owns++] = hd_format("--%s", g->option->name);
        if (g->option->value) word[n++] = (char *)g->value;
    }
    bool begun = hd_session_begin(&s->session, HD_FOR_COMPARE, &help, n, word, problem);
    /* The session's settings are copies; only its own words pointed here. */
    for (int i = 0; i < owns; i++) free(owned[i]);
    free(owned);
    free(word);
    return begun;
}

static bool answer(struct hd_trace_side *s, struct hd_problem *problem) {
    struct hd_err err = {0};
    struct hd_progress_bar bar;
    hd_progress_start(&bar, s->session.quiet);
    bool fine = hd_compare(&s->session.resolved.question, hd_progress_show, &bar,
                           &s->comparison, &err);
    hd_progress_end(&bar);
    return fine ||
           hd_bad_input(problem, "%s: %s", s->session.resolved.trace->path, err.text);
}

/* ---- likeness ------------------------------------------------------------ */

static void figures(const char *what, const char *format, double a, double b) {
    char text[2][32];
    const double value[] = {a, b};
    for (int i = 0; i < 2; i++) {
        if (isfinite(value[i]))
            snprintf(text[i], sizeof text[i], format, value[i]);
        else
            snprintf(text[i], sizeof text[i], "-");
    }
    printf("%-36s %16s %16s\n", what, text[0], text[1]);
}

static void heads(const char *what, const struct hd_trace_side *a,
                  const struct hd_trace_side *b) {
    printf("%-36s %16.16s %16.16s\n", what, a->session.resolved.trace->name,
           b->session.resolved.trace->name);
}

static void print_likeness(const struct hd_trace_side *a,
                           const struct hd_trace_side *b) {
    const struct hd_trace_stats *x = a->session.resolved.stats,
                                *y = b->session.resolved.stats;
    const struct hd_likeness *p = &a->like, *q = &b->like;
    heads("", a, b);
    figures("requests", "%.0f", (double)x->rows, (double)y->rows);
    figures("models", "%.0f", x->models, y->models);
    figures("span, s", "%.1f", p->span_s, q->span_s);
    figures("requests/s", "%.4g", p->rate_per_s, q->rate_per_s);
    figures("CV of gaps", "%.3g", x->gap_cv, y->gap_cv);
    figures("CV of a model's gaps, over its mean", "%.3g", p->model_gap_cv,
            q->model_gap_cv);
    for (int s = 0; s < HD_DISTANCE_SCALES; s++) {
        char what[40];
        snprintf(what, sizeof what, "index of dispersion, %g s",
                 hd_distance_scale_s[s]);
        figures(what, "%.3g", p->dispersion[s], q->dispersion[s]);
    }
    figures("top share", "%.3g", x->top_share, y->top_share);
    figures("Gini", "%.3f", x->gini, y->gini);
    figures("models at once", "%.3g", x->active_models, y->active_models);
    figures("input tokens, p50", "%.0f", x->input.p50, y->input.p50);
    figures("input tokens, p99", "%.0f", x->input.p99, y->input.p99);
    figures("output tokens, p50", "%.0f", x->output.p50, y->output.p50);
    figures("output tokens, p99", "%.0f", x->output.p99, y->output.p99);
    figures("rank correlation of input, output", "%.3f", p->correlation,
            q->correlation);
    figures("reuse of prefix blocks", "%.3f", p->reuse, q->reuse);
}

static void print_distance(const struct hd_trace_side *a,
                           const struct hd_trace_side *b) {
    const struct hd_trace *x = a->session.resolved.trace,
                          *y = b->session.resolved.trace;
    struct hd_distance d;
    hd_distance(x, y, &d);
    const struct {
        const char *what;
        double off;
    } row[] = {{"gaps, each over the mean (KS)", d.gaps},
               {"a model's gaps, over its mean (KS)", d.model_gaps},
               {"input tokens (KS)", d.input},
               {"output tokens (KS)", d.output},
               {"popularity, rank by rank", d.popularity}};
    printf(
        "\ndistance: 0 alike, 1 nothing in common; two samples of one law of so many "
        "requests\nstay below %.3f in KS 99 times of 100\n",
        hd_ks_one_percent(x->rows, y->rows));
    for (int i = 0; i < 5; i++)
        if (isfinite(row[i].off)) printf("%-36s %16.3f\n", row[i].what, row[i].off);
}

/* ---- the answer ---------------------------------------------------------- */

static const char *gpus_text(const struct hd_answer *a, int most, char text[40]) {
    if (!a->whole)
        snprintf(text, 40, "interrupted");
    else if (a->reached)
        snprintf(text, 40, "%d", a->gpus);
    else
        snprintf(text, 40, "none up to %d", most);
    return text;
}

static void print_answers(const struct hd_trace_side *a,
                          const struct hd_trace_side *b) {
    const struct hd_question *q = &a->session.resolved.question;
    printf("\n");
    if (a->no_gpu || a->no_models)
        printf("assumed: %s%s%s\n", a->no_gpu ? "--gpu H100" : "",
               a->no_gpu && a->no_models ? " " : "",
               a->no_models ? "--models '*=qwen2.5-7b'" : "");
    heads("fewest GPUs", a, b);
    for (int i = 0; i < a->comparison.answers && i < b->comparison.answers; i++) {
        const struct hd_answer *x = &a->comparison.answer[i],
                               *y = &b->comparison.answer[i];
        char what[64], text[2][40];
        snprintf(what, sizeof what, "%.18s, %g %%%s%s", q->policy[x->policy].label,
                 100 * x->attain, x->rule == HD_PASS_POOLED ? ", pooled" : "",
                 x->scale == 1 ? "" : ", SLO scaled");
        printf("%-36s %16s %16s\n", what, gpus_text(x, q->gpus_max, text[0]),
               gpus_text(y, q->gpus_max, text[1]));
        if (isfinite(x->saved) && isfinite(y->saved) && x->saved != 0)
            printf("%-36s %14.0f %% %14.0f %%\n", "  saved against dedicated",
                   100 * x->saved, 100 * y->saved);
    }
    const struct hd_load *x = &a->comparison.load, *y = &b->comparison.load;
    figures("requests counted", "%.0f", (double)x->measured, (double)y->measured);
    if (x->too_long + y->too_long)
        figures("beyond their model's context", "%.0f", (double)x->too_long,
                (double)y->too_long);
    if (x->empty + y->empty)
        figures("without output", "%.0f", (double)x->empty, (double)y->empty);
}

static bool all_reached(const struct hd_comparison *c) {
    for (int i = 0; i < c->answers; i++)
        if (!c->answer[i].reached) return false;
    return true;
}

static int compare_two(struct hd_trace_side side[2], bool json,
                       struct hd_problem *problem) {
    for (int i = 0; i < 2; i++)
        hd_likeness(side[i].session.resolved.trace, &side[i].like);
    if (!json) {
        print_likeness(&side[0], &side[1]);
        print_distance(&side[0], &side[1]);
        fflush(stdout);
    }
    for (int i = 0; i < 2; i++)
        if (!answer(&side[i], problem)) return HD_EXIT_BAD;
    if (json)
        hd_trace_compare_json(side, stdout);
    else
        print_answers(&side[0], &side[1]);
    if (!hd_stdout_flush(problem)) return HD_EXIT_BAD;
    if (!side[0].comparison.complete || !side[1].comparison.complete) {
        fputs("interrupted: not all answers were found\n", stderr);
        return hd_interrupt_exit_code();
    }
    return all_reached(&side[0].comparison) && all_reached(&side[1].comparison)
               ? HD_EXIT_OK
               : HD_EXIT_NO;
}

/* ---- the command --------------------------------------------------------- */

/* What compare writes elsewhere has no place for two traces. */
static bool fit_for_two(const struct hd_args *args, struct hd_problem *problem) {
    static const char *const not_here[] = {"trace", "out",     "force",
                                           "csv",   "require", "print-scenario"};
    for (size_t i = 0; i < sizeof not_here / sizeof *not_here; i++)
        if (hd_args_get(args, not_here[i]))
            return hd_usage(
                problem,
                "--%s: not with `trace compare`; `hotdesk compare` takes it "
                "for one trace",
                not_here[i]);
    if (args->words == 2) return true;
    return hd_usage(problem, "trace compare: %d file%s; expected two traces",
                    args->words, args->words == 1 ? "" : "s");
}

static int run(int argc, char **argv) {
    struct hd_args args;
    struct hd_problem problem = {0};
    struct hd_trace_side side[2] = {0};
    int code = HD_EXIT_OK, begun = 0;
    if (hd_args_parse(hd_options, hd_options_count, HD_FOR_COMPARE, argc, argv, &args,
                      &problem)) {
        if (args.help) {
            hd_args_help(stdout, &help, hd_options, hd_options_count, HD_FOR_COMPARE);
        } else if (fit_for_two(&args, &problem)) {
            bool ready = true;
            for (int i = 0; i < 2 && ready; i++) {
                ready = begin(&side[i], &args, args.word[i], &problem);
                begun++;
            }
            if (ready)
                code = compare_two(side, hd_args_get(&args, "json") != NULL, &problem);
        }
    }
    for (int i = 0; i < begun; i++) {
        hd_comparison_free(&side[i].comparison);
        hd_session_end(&side[i].session);
    }
    hd_args_free(&args);
    return problem.exit_code ? hd_problem_print(&problem) : code;
}

const struct hd_trace_command hd_trace_compare = {
    .name = "compare",
    .full_name = "trace compare",
    .help = &help,
    .run_words = run,
};
