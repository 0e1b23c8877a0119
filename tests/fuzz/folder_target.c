/* Folders of several files, which lines "%%" separate in the input: ServeGen's windows
 * and lengths, measured logs, fitted calibrations. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "calibrate/log.h"
#include "fuzz/input.h"
#include "fuzz/targets.h"
#include "timing/calibration.h"
#include "trace/reader.h"
#include "trace/servegen.h"

enum { ROWS_MOST = 100 };

static void check_servegen(const struct hd_servegen *s) {
    fuzz_require(s->clients > 0, "a folder without clients");
    for (int i = 0; i < s->clients; i++) {
        const struct hd_servegen_client *c = &s->client[i];
        fuzz_require(c->rate_per_s >= 0 && c->rate_per_s < 1e300, "a rate of %g",
                     c->rate_per_s);
        for (int w = 0; w < c->windows; w++)
            fuzz_require(c->window[w].rate_per_s >= 0 && c->window[w].cv >= 0,
                         "a window of rate %g", c->window[w].rate_per_s);
        for (int p = 0; p < c->periods; p++)
            for (int u = 0; u < 5; u++) {
                int32_t tokens = hd_token_law_value(&c->period[p].input, u / 5.0);
                fuzz_require(tokens >= 0 && tokens <= HD_TRACE_TOKENS_MAX, "%d tokens",
                             tokens);
            }
    }
}

/* The first requests drawn of the folder, for the same seed. */
static int draw(const char *folder, struct hd_row *row, struct hd_err *err) {
    struct hd_reader_options asked = {.times_only = true, .seed = 7};
    struct hd_reader *reader = hd_reader_open(folder, &asked, err);
    int rows = 0;
    while (reader && rows < ROWS_MOST && hd_reader_next(reader, &row[rows], err) > 0)
        rows++;
    hd_reader_close(reader);
    return rows;
}

void fuzz_servegen(const uint8_t *bytes, size_t count) {
    static const char *const names[] = {"chunk-0-trace.csv", "chunk-0-dataset.json",
                                        "chunk-17-trace.csv"};
    const char *folder = fuzz_folder(names, 3, bytes, count);
    struct hd_err err = {0}, other = {0};
    struct hd_servegen *s = hd_servegen_open(folder, true, &err);
    if (!s) {
        fuzz_check_error(&err);
        return;
    }
    check_servegen(s);
    hd_servegen_close(s);
    static struct hd_row row[2][ROWS_MOST];
    memset(row, 0, sizeof row);
    err = (struct hd_err){0};
    int rows = draw(folder, row[0], &err), again = draw(folder, row[1], &other);
    fuzz_require(rows == again && strcmp(err.text, other.text) == 0, "%d and %d drawn",
                 rows, again);
    for (int i = 0; i < rows; i++)
        fuzz_require(row[0][i].at == row[1][i].at &&
                         row[0][i].model == row[1][i].model &&
                         (i == 0 || row[0][i].at >= row[0][i - 1].at),
                     "request %d drawn twice differs, or lies before another", i);
    if (*err.text) fuzz_check_error(&err);
}

void fuzz_log(const uint8_t *bytes, size_t count) {
    static const char *const names[] = {"requests.jsonl", "meta.json"};
    struct hd_err err = {0};
    struct hd_log *log = hd_log_read(fuzz_folder(names, 2, bytes, count), &err);
    if (!log) {
        fuzz_check_error(&err);
        return;
    }
    fuzz_require(log->requests > 0 && log->model, "a log without requests or model");
    for (int i = 0; i < log->requests; i++) {
        const struct hd_log_request *r = &log->request[i];
        fuzz_require(r->input_tokens >= 1 && r->output_tokens >= 1 &&
                         r->last_s >= r->first_s && r->arrival_s >= 0,
                     "request %d cannot be", i);
    }
    hd_log_free(log);
}

/* Where the folder lies as seen from hotdesk's own calibrations: the name of a GPU
 * leads there. */
void fuzz_calibration(const uint8_t *bytes, size_t count) {
    static const char *const names[] = {"iteration.csv", "allreduce.csv"};
    const char *folder = fuzz_folder(names, 2, bytes, count);
    char *name = hd_format("../../../../../../../../..%s", folder);
    struct hd_gpu_spec gpu = {.name = name, .pcie_bytes_per_s = 64e9};
    gpu.fitted = gpu.linked = gpu.tabled = gpu.small = &gpu;
    struct hd_err err = {0}, other = {0};
    struct hd_calibration *c = hd_calibration_load(&gpu, NULL, &err);
    struct hd_calibration *again = hd_calibration_load(&gpu, NULL, &other);
    fuzz_require(!c == !again && strcmp(err.text, other.text) == 0,
                 "once '%s', then '%s'", err.text, other.text);
    if (!c) fuzz_check_error(&err);
    hd_calibration_free(c);
    hd_calibration_free(again);
    free(name);
}
