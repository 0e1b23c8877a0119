/* Beginning and end of replay and compare. */
#include "command/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "command/interrupt.h"
#include "command/scenario.h"
#include "command/warnings.h"

double hd_session_elapsed_s(const struct hd_session *s) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - s->start.tv_sec) +
           (double)(now.tv_nsec - s->start.tv_nsec) / 1e9;
}

/* Columns of the stream if it is a terminal; else no limit. */
static int width_of(FILE *stream) {
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (!isatty(fileno(stream))) return 0;
    if (columns && atoi(columns) > 0) return atoi(columns);
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

static bool streams(struct hd_session *s, struct hd_problem *problem) {
    bool json = hd_args_get(&s->args, "json"), csv = hd_args_get(&s->args, "csv");
    if (json && csv)
        return hd_usage(problem,
                        "--csv: stands beside --json; expected one of the two");
    s->quiet = hd_args_get(&s->args, "quiet");
    s->verbose = hd_args_get(&s->args, "verbose");
    s->format = json ? HD_OUT_JSON : csv ? HD_OUT_CSV : HD_OUT_TABLE;
    s->talk = s->format == HD_OUT_TABLE ? stdout : s->quiet ? NULL : stderr;
    return true;
}

/* ---- requirements and warnings ------------------------------------------- */

static bool requirements(struct hd_session *s, struct hd_problem *problem) {
    struct hd_report *report = &s->report;
    int capacity = 0;
    for (int i = 0; i < s->asked.count; i++) {
        const struct hd_setting *setting = s->asked.setting[i];
        struct hd_err err = {0};
        if (strcmp(setting->option->key, "require") != 0) continue;
        report->requirement =
            hd_grow(report->requirement, &capacity, report->requirements + 1,
                    sizeof *report->requirement);
        struct hd_requirement *requirement = &report->requirement[report->requirements];
        *requirement = (struct hd_requirement){0};
        if (!hd_require_read(setting->value, &s->resolved.question,
                             s->asked.command == HD_FOR_COMPARE, requirement, &err))
            return hd_setting_fail(setting, problem, "%s", err.text);
        report->requirements++;
    }
    return true;
}

/* ---- begin --------------------------------------------------------------- */

static bool gather(struct hd_session *s, struct hd_problem *problem) {
    const char *scenario = hd_args_get(&s->args, "scenario");
    if (s->args.words)
        return hd_usage(problem,
                        "%s: no option, and this command takes no other words; "
                        "expected --NAME VALUE",
                        s->args.word[0]);
    if (scenario && !hd_scenario_read(&s->asked, scenario, problem)) return false;
    return hd_asked_options(&s->asked, &s->args, problem);
}

bool hd_session_begin(struct hd_session *s, unsigned command,
                      const struct hd_help *help, int argc, char **argv,
                      struct hd_problem *problem) {
    *s = (struct hd_session){0};
    clock_gettime(CLOCK_MONOTONIC, &s->start);
    hd_asked_init(&s->asked, command);
    if (!hd_args_parse(hd_options, hd_options_count, command, argc, argv, &s->args,
                       problem))
        return false;
    if (s->args.help) {
        hd_args_help(stdout, help, hd_options, hd_options_count, command);
        s->finished = true;
        return true;
    }
    struct hd_question *q = &s->resolved.question;
    if (!streams(s, problem) || !gather(s, problem) ||
        !hd_resolve(&s->asked, &s->args, &s->resolved, problem))
        return false;
    s->report.question = q;
    if (!requirements(s, problem)) return false;
    if (hd_args_get(&s->args, "print-scenario")) {
        char *text = hd_scenario_text(&s->asked, true, NULL);
        fputs(text, stdout);
        free(text);
        s->finished = true;
        return true;
    }
    q->interrupted = hd_interrupt_watch();
    if (q->scenario_path && !hd_sha256_file(q->scenario_path, q->scenario_sha256))
        return hd_bad_input(problem, "%s: %s", q->scenario_path, strerror(errno));
    s->report.width = s->talk ? width_of(s->talk) : 0;
    s->report.verbose = s->verbose;
    const char *out = hd_args_get(&s->args, "out");
    struct hd_err err = {0};
    if (out &&
        !(s->out = hd_report_begin(&s->report, out,
                                   hd_args_get(&s->args, "force") != NULL, NULL, &err)))
        return hd_bad_input(problem, "%s", err.text);
    /* Paths in it are seen from the directory, whose parents are there by now. */
    s->report.scenario = hd_scenario_text(&s->asked, false, out);
    return true;
}

void hd_session_header(const struct hd_session *s) {
    if (!s->talk) return;
    hd_report_header(&s->report, s->talk);
    fflush(s->talk);
}

void hd_session_end(struct hd_session *s) {
    hd_outdir_abort(s->out);
    for (int i = 0; i < s->report.requirements; i++)
        hd_require_free(&s->report.requirement[i]);
    free(s->report.requirement);
    hd_warnings_free(&s->report);
    free((char *)s->report.scenario);
    hd_resolved_free(&s->resolved);
    hd_asked_free(&s->asked);
    hd_args_free(&s->args);
}
