/* A measured run of a serving engine: its settings, and for each request when it came
 * and when its first and last token did.
 *
 * A folder with requests.jsonl and meta.json, as LLMServingSim records vLLM runs. */
#ifndef HD_CALIBRATE_LOG_H
#define HD_CALIBRATE_LOG_H

#include <stdint.h>

#include "base/err.h"
#include "hardware/catalog.h"

struct hd_log_request { /* seconds since the first arrival */
    double arrival_s, first_s, last_s;
    int input_tokens, output_tokens; /* >= 1 */
    int32_t prompt; /* of field prompt_id: the same number is the same prompt, whole;
                       -1: not there */
};

struct hd_log {
    char *model;   /* as the engine was told */
    char *version; /* of the engine, "" if it is not there */
    int tp;
    enum hd_number weights, kv; /* quantization, kv_cache_dtype; 16-bit where they are
                                   not there */
    int max_batch, step_tokens; /* max_num_seqs, max_num_batched_tokens; 0: not there */
    int kv_blocks;              /* num_gpu_blocks; 0: not there */
    int unfinished;             /* requests without stamps of tokens; left out */
    int requests;               /* >= 1, in order of arrival */
    struct hd_log_request *request;
    int prompts; /* distinct prompt_ids; 0: the log does not say which are alike */
};

/* Reads both files. Arrivals are on the wall clock and the engine's stamps on another;
 * between them lies the least time from an arrival to its queueing, which so counts as
 * none. NULL with one line in err, "FILE:LINE: what": not JSON, a field missing or not
 * a number, tokens below 1, a last token before the first or that before its queueing,
 * an id twice, prompts of
 * one prompt_id that differ in length, no request, numbers kept otherwise than in 16
 * bits or fp8. */
struct hd_log *hd_log_read(const char *folder, struct hd_err *err);
void hd_log_free(struct hd_log *);

/* The model of a catalogue that it ran, by the log's name or by `name` (NULL: the
 * log's), its numbers kept as the name says or else as the log does. NULL with one line
 * in err. */
const struct hd_model_spec *hd_log_model(const struct hd_log *,
                                         const struct hd_catalog *, const char *name,
                                         struct hd_err *err);

#endif
