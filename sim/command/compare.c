/* hotdesk compare: the fewest GPUs that each policy needs. */

#include "command/command.h"
#include "command/interrupt.h"
#include "command/progress.h"
#include "command/session.h"
#include "command/warnings.h"
#include "plan/plan.h"

static const struct hd_help help = {
    "hotdesk compare --trace FILE --gpu KIND [options]",
    "Finds, for every policy, the fewest GPUs that keep the SLO: the least N such "
    "that\n"
    "N to N+4 all pass. Prints them beside each other, with what is saved against\n"
    "`dedicated` and what decided each answer.",
    {"hotdesk compare --scenario traces/demo.lua --slo-scale 1 --attain 0.9",
     "hotdesk compare --trace traces/market40.csv --models '*=qwen2.5-7b' --gpu H100 "
     "\\\n"
     "      --policy 'dedicated,aegaeon,aegaeon{slice_s=2}' --attain 0.9"}};

/* The answer is no: some policy has no number of GPUs that passes. With
 * requirements it is for them to say what matters. */
static bool all_reached(const struct hd_comparison *c) {
    for (int i = 0; i < c->answers; i++)
        if (c->answer[i].whole && !c->answer[i].reached) return false;
    return true;
}

static bool write_all(struct hd_session *s, const struct hd_comparison *comparison,
                      struct hd_problem *problem) {
    struct hd_err err = {0}, no_figure = {0};
    struct hd_outdir *out = s->out;
    s->out = NULL; /* spent by what follows */
    struct hd_machine machine = {hd_session_elapsed_s(s), s->resolved.question.jobs};
    if (out && !hd_report_write_comparison(&s->report, comparison, &machine, out,
                                           &no_figure, &err))
        return hd_bad_input(problem, "%s", err.text);
    if (no_figure.text[0]) fprintf(stderr, "warning: %s\n", no_figure.text);
    if (s->format == HD_OUT_JSON)
        hd_report_comparison_json(&s->report, comparison, stdout);
    if (s->format == HD_OUT_CSV)
        hd_report_comparison_csv(&s->report, comparison, stdout);
    return hd_stdout_flush(problem);
}

static int run(struct hd_session *s, struct hd_problem *problem) {
    struct hd_comparison comparison = {0};
    struct hd_err err = {0};
    struct hd_progress_bar bar;
    hd_session_header(s);
    hd_progress_start(&bar, s->quiet);
    bool fine =
        hd_compare(&s->resolved.question, hd_progress_show, &bar, &comparison, &err);
    hd_progress_end(&bar);
    int code = HD_EXIT_OK;
    if (!fine) {
        hd_bad_input(problem, "%s", err.text);
    } else {
        hd_warnings_make(&s->report, &comparison.load, NULL);
        bool hold = hd_require_check_comparison(&s->report, &comparison);
        if (s->talk) hd_report_comparison(&s->report, &comparison, s->talk);
        int whole = 0;
        for (int i = 0; i < comparison.answers; i++)
            whole += comparison.answer[i].whole;
        write_all(s, &comparison, problem);
        if (!comparison.complete) {
            fprintf(stderr, "interrupted: %d of %d answers kept\n", whole,
                    comparison.answers);
            code = hd_interrupt_exit_code();
        } else if (s->report.requirements ? !hold : !all_reached(&comparison)) {
            code = HD_EXIT_NO;
        }
    }
    hd_comparison_free(&comparison);
    return code;
}

int hd_command_compare(int argc, char **argv) {
    struct hd_session session;
    struct hd_problem problem = {0};
    int code = HD_EXIT_OK;
    if (hd_session_begin(&session, HD_FOR_COMPARE, &help, argc, argv, &problem) &&
        !session.finished)
        code = run(&session, &problem);
    hd_session_end(&session);
    return problem.exit_code ? hd_problem_print(&problem) : code;
}
