/* Requests that were treated unlike the rest, and averages that hide something. */
#include "command/warnings.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "output/quantity.h"

struct making {
    struct hd_warning *warning;
    int count, capacity;
};

/* Takes over the text. */
static void add(struct making *m, const char *code, int64_t count, char *text) {
    m->warning = hd_grow(m->warning, &m->capacity, m->count + 1, sizeof *m->warning);
    m->warning[m->count++] = (struct hd_warning){code, text, count};
}

static const char *treated(enum hd_unservable how) {
    return how == HD_FAIL   ? "counted as failed"
           : how == HD_DROP ? "left out"
                            : "cut to fit";
}

/* Under `pooled`, models that miss their target although all together keep it. */
static int hidden(const struct hd_question *q, const struct hd_measure *m) {
    const struct hd_criterion c = {
        .metric = q->metric, .rule = HD_PASS_POOLED, .attain = q->attain[0]};
    int below = 0;
    if (!q->pass[HD_PASS_POOLED] || !hd_passes(m, &c)) return 0;
    for (int i = 0; i < q->models; i++)
        below += m->model[i].requests > 0 &&
                 hd_attained(m, q->metric, i, 0) < hd_target(m, i, q->attain[0]);
    return below;
}

/* The share of all time to first token that was spent in queues. With most of it there,
 * who waits waits for others to end, and errors of their steps add up in it. */
static double waited(const struct hd_measure *m) {
    double first_s =
        hd_hist_mean(&m->ttft) * (double)m->ttft.total / (double)HD_TICKS_PER_S;
    return first_s > 0 ? fmin(1, m->blame_s[HD_BLAME_QUEUE] / first_s) : 0;
}

/* Rows that have a class, or a deadline. */
static int64_t count_told(const struct hd_trace *t, const int32_t *class_,
                          const hd_tick *deadline) {
    int64_t count = 0;
    for (int64_t n = 0; n < t->rows; n++) {
        hd_trace_step(t, n);
        count += class_ ? class_[n] >= 0 : deadline[n] >= 0;
    }
    return count;
}

void hd_warnings_make(struct hd_report *report, const struct hd_load *load,
                      const struct hd_run_record *run) {
    const struct hd_question *q = report->question;
    struct making m = {0};
    if (load->empty)
        add(&m, "zero_output", load->empty,
            hd_format("%s without output in the trace: %s (--zero-output)",
                      hd_say_things(load->empty, "request").text,
                      treated(q->zero_output)));
    if (load->too_long)
        add(&m, "too_long", load->too_long,
            hd_format("%s beyond the model's context, of all sent: %s (--too-long)",
                      hd_say_things(load->too_long, "request").text,
                      treated(q->too_long)));
    if (load->no_input)
        add(&m, "zero_input", load->no_input,
            hd_format("%s without input in the trace: sent as one token",
                      hd_say_things(load->no_input, "request").text));
    if (q->trace->rows_out_of_order)
        add(&m, "out_of_order", q->trace->rows_out_of_order,
            hd_format("%s behind a later one in the trace: sorted (--sort)",
                      hd_say_things(q->trace->rows_out_of_order, "request").text));
    const struct hd_trace *t = q->trace;
    if (t->rows_bad)
        add(&m, "malformed", t->rows_bad,
            hd_format("%s of the trace passed over (--skip-bad), the first: %s",
                      hd_say_things(t->rows_bad, "malformed row").text, t->bad[0]));
    if (t->rows_no_time)
        add(&m, "no_time", t->rows_no_time,
            hd_format("%s without a time in the trace: left out",
                      hd_say_things(t->rows_no_time, "row").text));
    if (t->images)
        add(&m, "images", t->images,
            hd_format("%s of the trace are not simulated",
                      hd_say_things(t->images, "picture").text));
    const struct hd_trace_extra *extra = t->extra;
    int64_t classes = extra && extra->class_ ? count_told(t, extra->class_, NULL) : 0;
    if (classes)
        add(&m, "classes_unused", classes,
            hd_format("%s of the trace name an SLO class: limits are by model here "
                      "(`slo` of a scenario, a models file), not by request",
                      hd_say_things(classes, "request").text));
    int64_t deadlines =
        extra && extra->deadline ? count_told(t, NULL, extra->deadline) : 0;
    if (deadlines)
        add(&m, "deadlines_unused", deadlines,
            hd_format(
                "%s of the trace have a deadline: it does not count, TTFT and TBT "
                "do",
                hd_say_things(deadlines, "request").text));
    hd_tick first = t->row[0].at, last = t->row[t->rows - 1].at;
    if (q->to != HD_TICK_NEVER && (first - q->from > (q->to - q->from) / 10 ||
                                   q->to - last - 1 > (q->to - q->from) / 10)) {
        char from[HD_CLOCK_TEXT_BYTES], to[HD_CLOCK_TEXT_BYTES];
        add(&m, "window_beyond", 1,
            hd_format("the trace has requests from %s to %s only: rates are over the "
                      "whole window",
                      hd_trace_clock_text(t, first, from),
                      hd_trace_clock_text(t, last, to)));
    }
    int below = run && (run->end == HD_RUN_WHOLE || run->end == HD_RUN_STALLED)
                    ? hidden(q, run->measure)
                    : 0;
    if (below)
        add(&m, "pooled_hides", below,
            hd_format("pooled hides %s below target",
                      hd_say_things(below, "model").text));
    double share = run && run->end == HD_RUN_WHOLE ? waited(run->measure) : 0;
    /* of engine profiles alone: what runs without one print stays as it was */
    if (q->engine->tables && share >= 0.5)
        add(&m, "ttft_waits", run->measure->measured,
            hd_format("%.0f %% of the time to first token is waiting in queues: an "
                      "error of the step times can move it several times as far",
                      100 * share));
    report->warning = m.warning;
    report->warnings = m.count;
}

void hd_warnings_free(struct hd_report *report) {
    for (int i = 0; i < report->warnings; i++) free((char *)report->warning[i].text);
    free((struct hd_warning *)report->warning);
    report->warning = NULL;
    report->warnings = 0;
}
