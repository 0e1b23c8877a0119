/* What a person, a script and a folder get of a run or a comparison. All of it comes
 * from the figures in report_figures.h under the names in report_schema.h.
 *
 * Order of use: read --require expressions with hd_require_read; begin the output
 * directory, if one is asked for, before the runs (it refuses early); run; check the
 * requirements; print; write. */
#ifndef HD_PLAN_REPORT_H
#define HD_PLAN_REPORT_H

#include <stdio.h>

#include "output/csv_writer.h"
#include "output/outdir.h"
#include "plan/result.h"

/* Something a reader of the result has to know. */
struct hd_warning {
    const char *code; /* "zero_output", "too_long", ...: never changes */
    const char *text; /* one line */
    int64_t count;    /* of what the text is about */
};

/* --require: `key op value` or `key op key`, or `pass` alone. */
struct hd_requirement {
    char *expr;
    double value, limit; /* as found, by hd_require_check_...; NaN: null, which fails */
    bool ok;
    const char *unit; /* of both; as in the schema */
    char *where;      /* compare: the row of `value`, or the first that fails; NULL */
};
/* False, with one line that names the nearest key, if the expression cannot be
 * answered by that command: a mistake of usage. `compare`: else replay. */
bool hd_require_read(const char *expr, const struct hd_question *, bool compare,
                     struct hd_requirement *, struct hd_err *err);
void hd_require_free(struct hd_requirement *);

/* All that reports are made of beside the results themselves. Everything is the
 * caller's and may be NULL or 0. */
struct hd_report {
    const struct hd_question *question; /* never NULL */
    const char *scenario;               /* the resolved settings: scenario.lua */
    int warnings;
    const struct hd_warning *warning;
    int requirements;
    struct hd_requirement *requirement;
    int width;    /* of the screen in columns; 0: no limit */
    bool verbose; /* every block and every model */
};

/* Fills in value, limit and ok of all; true if all hold. */
bool hd_require_check_run(const struct hd_report *, const struct hd_run_record *);
bool hd_require_check_comparison(const struct hd_report *,
                                 const struct hd_comparison *);

/* For people. The header says what was asked and what the answer rests on; it may be
 * printed before the runs. Then the result, the requirements and the warnings. */
void hd_report_header(const struct hd_report *, FILE *);
void hd_report_run(const struct hd_report *, const struct hd_run_record *, FILE *);
void hd_report_comparison(const struct hd_report *, const struct hd_comparison *,
                          FILE *);

/* For programs. False if the stream had an error. The CSV of a run is a row for each
 * model. */
bool hd_report_run_json(const struct hd_report *, const struct hd_run_record *, FILE *);
bool hd_report_run_csv(const struct hd_report *, const struct hd_run_record *, FILE *);
/* time.csv: GPU-seconds by what GPUs did, and seconds of measured requests by what they
 * waited for; each sums to its whole. */
bool hd_report_time_csv(const struct hd_report *, const struct hd_run_record *, FILE *);
bool hd_report_comparison_json(const struct hd_report *, const struct hd_comparison *,
                               FILE *);
bool hd_report_comparison_csv(const struct hd_report *, const struct hd_comparison *,
                              FILE *);

/* requests.csv: a row for each request as it ends, in that order. Give
 * hd_requests_csv_row to hd_replay as on_finished. */
struct hd_requests_csv {
    struct hd_csv_writer writer;
    const struct hd_question *question;
};
void hd_requests_csv_start(struct hd_requests_csv *, const struct hd_question *,
                           FILE *);
void hd_requests_csv_row(void *requests_csv, const struct hd_finished *);

/* The directory of --out. Begin before the runs: what cannot be written or must not
 * be replaced is known then. *same (may be NULL): a complete result of the same
 * inputs is there; writing it again gives the same bytes. */
struct hd_outdir *hd_report_begin(const struct hd_report *, const char *path,
                                  bool force, bool *same, struct hd_err *err);

struct hd_machine { /* goes to machine.json alone */
    double wall_s;
    int jobs;
};

/* Fills the directory and gives it its name; the handle is spent either way. False
 * with one line in err, and nothing left. *no_figure (compare) gets a line when
 * gnuplot could not draw; all else is whole then. Files opened by the caller
 * (requests.csv) are closed before. */
bool hd_report_write_run(const struct hd_report *, const struct hd_run_record *,
                         const struct hd_machine *, struct hd_outdir *,
                         struct hd_err *err);
bool hd_report_write_comparison(const struct hd_report *, const struct hd_comparison *,
                                const struct hd_machine *, struct hd_outdir *,
                                struct hd_err *no_figure, struct hd_err *err);

/* `hotdesk help schema`: every file, its fields, units and a sentence each. */
void hd_report_schema(FILE *);

#endif
