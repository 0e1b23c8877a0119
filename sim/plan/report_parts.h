/* Between the report_*.c files only. */
#ifndef HD_PLAN_REPORT_PARTS_H
#define HD_PLAN_REPORT_PARTS_H

#include "output/json.h"
#include "plan/report.h"
#include "plan/report_figures.h"
#include "timing/calibration.h"

/* What was asked, in full: two questions with the same object have the same answer
 * (under the same version). */
void hd_report_question_json(const struct hd_report *, const char *key,
                             struct hd_json *);
void hd_report_trace_json(const struct hd_report *, const char *key, struct hd_json *);

/* The held-out error of a GPU's timing, the largest over the forms in which the
 * question's models are kept (16-bit, fp8). */
struct hd_calibration_error hd_report_timing_error(const struct hd_question *,
                                                   const struct hd_calibration *);

/* What a replay is judged by: the attainment and the rule asked for. */
struct hd_criterion hd_report_criterion(const struct hd_question *);

/* run.json under one criterion. own: with the report's requirements, which are those
 * of a replay. */
bool hd_report_judged_json(const struct hd_report *, const struct hd_run_record *,
                           const struct hd_criterion *, bool own, FILE *);

/* The run whose load the report describes: of `dedicated` if it was asked for, else
 * the first there is; NULL if there is none. */
const struct hd_answer *hd_report_typical(const struct hd_report *,
                                          const struct hd_comparison *);

/* The rows of a comparison in its order; the caller frees each, and the array. */
struct hd_row_figures *hd_report_rows(const struct hd_report *,
                                      const struct hd_comparison *);
void hd_report_rows_free(struct hd_row_figures *, const struct hd_comparison *);

/* Draws compare.png and figures/gpus.* below the directory. False with a line in err
 * when a file could not be written; no_figure gets a line when only the pictures are
 * missing. */
bool hd_report_chart(const struct hd_report *, const struct hd_comparison *,
                     struct hd_outdir *, struct hd_err *no_figure, struct hd_err *err);

/* A stretch of arrivals on the trace's own clock: "14:05:00 to 14:20:00". Returns
 * text. */
enum { HD_SPAN_TEXT_BYTES = 2 * HD_CLOCK_TEXT_BYTES + 8 };
char *hd_report_span_text(const struct hd_trace *, hd_tick from_tick, hd_tick to_tick,
                          char text[HD_SPAN_TEXT_BYTES]);

/* Lines that end every screen: requirements, then warnings. */
void hd_report_closing(const struct hd_report *, FILE *);

#endif
