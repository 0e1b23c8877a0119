/* requests.csv, written while a run goes on. */
#include <math.h>

#include "plan/report.h"
#include "plan/report_schema.h"

void hd_requests_csv_start(struct hd_requests_csv *r, const struct hd_question *q,
                           FILE *file) {
    r->question = q;
    hd_csv_start(&r->writer, file);
    hd_fields_csv_header(&hd_schema_requests, &r->writer);
}

static double seconds(hd_tick ticks) {
    return ticks < 0 ? NAN : hd_s_from_tick(ticks);
}

void hd_requests_csv_row(void *requests_csv, const struct hd_finished *f) {
    struct hd_requests_csv *r = requests_csv;
    const struct hd_market_model *model = &r->question->model[f->model];
    bool done = f->status == HD_STATUS_DONE;
    struct hd_request_row row = {
        .id = f->id,
        .arrival_s = hd_trace_since_zero_s(r->question->trace, f->arrival),
        .model = model->name,
        .slo_class = r->question->slo[model->slo].name,
        .measured = f->measured,
        .status = hd_status_name(f->status),
        .input_tokens = f->input_tokens,
        .output_tokens = f->output_tokens,
        .tokens_on_time = done ? f->tokens_on_time : 0,
        .ttft_s = f->first_token < 0 ? NAN : seconds(f->first_token - f->arrival),
        .tpot_s = done && f->output_tokens > 1
                      ? seconds(f->last_token - f->first_token) / (f->output_tokens - 1)
                      : NAN,
        .e2e_s = done ? seconds(f->last_token - f->arrival) : NAN,
        .gap_longest_s = seconds(f->gap_longest),
        .instance = f->instance < 0 ? HD_INT_ABSENT : f->instance,
    };
    for (int b = 0; b < HD_BLAMES; b++) row.blame_s[b] = hd_s_from_tick(f->blame[b]);
    hd_fields_csv_row(&hd_schema_requests, &row, &r->writer);
}
