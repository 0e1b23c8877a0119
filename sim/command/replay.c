/* hotdesk replay: one trace, one fleet, one policy. */

#include "base/new_file.h"
#include "command/command.h"
#include "command/interrupt.h"
#include "command/session.h"
#include "command/timeline.h"
#include "command/warnings.h"
#include "plan/plan.h"

static const struct hd_help help = {
    "hotdesk replay --trace FILE --fleet SPEC --policy NAME [options]",
    "Replays a trace on a fleet under one policy and says what came of it: how many\n"
    "tokens were in time, latencies, what GPUs and requests waited for.",
    {"hotdesk replay --scenario traces/demo.lua --fleet H100:16 --policy aegaeon",
     "hotdesk replay --scenario traces/demo.lua --fleet H100:8+A10:16 \\\n"
     "      --policy serverless --from +10m --to +20m --require 'ttft.p99<=20s'"}};

/* The file of --requests, if it was asked for. */
struct requests {
    const char *path;
    struct hd_new_file file;
    struct hd_requests_csv csv;
};

static bool open_requests(struct requests *r, const struct hd_session *s,
                          struct hd_problem *problem) {
    struct hd_err why = {0};
    r->path = hd_args_get(&s->args, "requests");
    if (!r->path) return true;
    if (!hd_new_file_begin(&r->file, r->path, hd_args_get(&s->args, "force") != NULL,
                           &why))
        return hd_bad_input(problem, "%s", why.text);
    hd_requests_csv_start(&r->csv, &s->resolved.question, r->file.stream);
    return true;
}

static bool keep_requests(struct requests *r, struct hd_problem *problem) {
    struct hd_err why = {0};
    return !r->path || hd_new_file_keep(&r->file, &why) ||
           hd_bad_input(problem, "%s", why.text);
}

static bool write_all(struct hd_session *s, const struct hd_run_record *record,
                      struct requests *requests, struct hd_problem *problem) {
    struct hd_err err = {0};
    struct hd_outdir *out = s->out;
    s->out = NULL; /* spent by what follows */
    struct hd_machine machine = {hd_session_elapsed_s(s), 1};
    if (!keep_requests(requests, problem)) {
        hd_outdir_abort(out);
        return false;
    }
    if (out && !hd_report_write_run(&s->report, record, &machine, out, &err))
        return hd_bad_input(problem, "%s", err.text);
    if (s->format == HD_OUT_JSON) hd_report_run_json(&s->report, record, stdout);
    if (s->format == HD_OUT_CSV) hd_report_run_csv(&s->report, record, stdout);
    return hd_stdout_flush(problem);
}

static int run(struct hd_session *s, struct hd_problem *problem) {
    struct requests requests = {0};
    struct hd_run_record record = {0};
    struct hd_err err = {0};
    const struct hd_question *q = &s->resolved.question;
    int code = HD_EXIT_OK;
    struct hd_timeline_asked timeline = {0};
    if (!hd_timeline_open(&timeline, s, problem) ||
        !open_requests(&requests, s, problem)) {
        hd_timeline_drop(&timeline);
        return HD_EXIT_BAD;
    }
    hd_session_header(s);
    bool fine = hd_replay(q, 0, q->scale[0], requests.path ? hd_requests_csv_row : NULL,
                          &requests.csv, timeline.timeline, &record, &err);
    if (!fine) {
        hd_bad_input(problem, "%s", err.text);
    } else if (record.end == HD_RUN_INTERRUPTED) {
        fprintf(stderr, "interrupted: a run that is not whole has no result\n");
        code = hd_interrupt_exit_code();
    } else {
        hd_warnings_make(&s->report, &record.load, &record);
        bool hold = hd_require_check_run(&s->report, &record);
        if (s->talk) hd_report_run(&s->report, &record, s->talk);
        fine = hd_timeline_keep(&timeline, s->quiet, problem) &&
               write_all(s, &record, &requests, problem);
        if (!hold || record.end == HD_RUN_CANNOT) code = HD_EXIT_NO;
    }
    hd_new_file_drop(&requests.file);
    hd_timeline_drop(&timeline);
    hd_run_record_free(&record);
    return code;
}

int hd_command_replay(int argc, char **argv) {
    struct hd_session session;
    struct hd_problem problem = {0};
    int code = HD_EXIT_OK;
    if (hd_session_begin(&session, HD_FOR_REPLAY, &help, argc, argv, &problem) &&
        !session.finished)
        code = run(&session, &problem);
    hd_session_end(&session);
    return problem.exit_code ? hd_problem_print(&problem) : code;
}
