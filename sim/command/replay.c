/* hotdesk replay: one trace, one fleet, one policy. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "command/command.h"
#include "command/interrupt.h"
#include "command/session.h"
#include "command/warnings.h"
#include "plan/plan.h"

static const struct hd_help help = {
    "hotdesk replay --trace FILE --fleet SPEC --policy NAME [options]",
    "Replays a trace on a fleet under one policy and says what came of it: how many\n"
    "tokens were in time, latencies, what GPUs and requests waited for.",
    {"hotdesk replay --scenario traces/demo.lua --fleet H100:16 --policy aegaeon",
     "hotdesk replay --scenario traces/demo.lua --fleet H100:8+A10:16 \\\n"
     "      --policy serverless --from +10m --to +20m --require 'ttft.p99<=20s'"}};

/* requests.csv is written beside its name and gets it when whole. */
struct requests {
    const char *path;
    char *temporary;
    FILE *file;
    struct hd_requests_csv csv;
};

static bool open_requests(struct requests *r, const struct hd_session *s,
                          struct hd_problem *problem) {
    r->path = hd_args_get(&s->args, "requests");
    if (!r->path) return true;
    if (access(r->path, F_OK) == 0 && !hd_args_get(&s->args, "force"))
        return hd_bad_input(problem, "%s: is there already; --force replaces it",
                            r->path);
    r->temporary = hd_format("%s.%ld.new", r->path, (long)getpid());
    r->file = fopen(r->temporary, "wx");
    if (!r->file)
        return hd_bad_input(problem, "%s: %s; expected a place to write to", r->path,
                            strerror(errno));
    hd_requests_csv_start(&r->csv, &s->resolved.question, r->file);
    return true;
}

static bool keep_requests(struct requests *r, struct hd_problem *problem) {
    if (!r->path) return true;
    bool whole = hd_requests_csv_finish(&r->csv);
    whole &= fclose(r->file) == 0;
    r->file = NULL;
    if (whole && rename(r->temporary, r->path) == 0) return true;
    return hd_bad_input(problem, "%s: %s", r->path, strerror(errno));
}

static void drop_requests(struct requests *r) {
    if (r->file) fclose(r->file);
    if (r->temporary) unlink(r->temporary); /* gone already if it was kept */
    free(r->temporary);
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
    if (!open_requests(&requests, s, problem)) return HD_EXIT_BAD;
    hd_session_header(s);
    bool fine = hd_replay(q, 0, q->scale[0], requests.path ? hd_requests_csv_row : NULL,
                          &requests.csv, &record, &err);
    if (!fine) {
        hd_bad_input(problem, "%s", err.text);
    } else if (record.end == HD_RUN_INTERRUPTED) {
        fprintf(stderr, "interrupted: a run that is not whole has no result\n");
        code = hd_interrupt_exit_code();
    } else {
        hd_warnings_make(&s->report, &record.load, &record);
        bool hold = hd_require_check_run(&s->report, &record);
        if (s->talk) hd_report_run(&s->report, &record, s->talk);
        fine = write_all(s, &record, &requests, problem);
        if (!hold || record.end == HD_RUN_CANNOT) code = HD_EXIT_NO;
    }
    drop_requests(&requests);
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
