/* Requests of a trace file, one at a time, whatever the format. Memory does not
 * depend on the file's length, but for the names of models, service levels and
 * sessions.
 *
 * CSV, by the header's column names (any order, any case; further columns are not read,
 * and named by hd_reader_unused):
 *     native         arrival_s,model,input_tokens,output_tokens   seconds; optionally
 *                    session, class, deadline_s, prefix (an empty field: none)
 *     dated          arrival,model,input_tokens,output_tokens     dates; as native
 *     azure          TIMESTAMP,ContextTokens,GeneratedTokens      dates; NumImages
 *     aegaeon        Request Time,Model Name,Input Length,Output Length   hh:mm:ss.mmm
 *     burstgpt       Timestamp,Model,Request tokens,Response tokens,...   seconds
 *     vidur          arrived_at,num_prefill_tokens,num_decode_tokens      seconds
 *     arena          req_time_s,adapter,prompt_len,output_len     seconds
 *     splitwise      arrival_timestamp,application_id,prompt_size,token_size   seconds
 *     fineserve      timestamp,architecture,scale,input_length,output_length
 *                    microseconds; a row without a time is left out and counted
 *     gentd26        gmt_create,checkpoint_model_version_id       dates; no tokens
 *     functions2021  app,func,end_timestamp,duration              seconds; no tokens;
 *                    a request arrives at end - duration
 * Lines that begin with # ahead of the header are notes ("# key: text").
 * JSON, an object a line, by the first one's keys (any order; further keys are not
 * read):
 *     mooncake       timestamp (ms), input_length, output_length, optionally hash_ids
 *                    (a block of 512 tokens each), model
 *     qwen-bailian   chat_id, parent_chat_id, timestamp (s), input_length,
 *                    output_length, optionally type (read as class), hash_ids (16
 *                    tokens each); a session is a chat with all that descends from it
 * Files may be compressed with gzip or zstd.
 * Drawn with the seed, since they say how many and not when:
 *     servegen       a folder of ServeGen's windows (trace/servegen.h); a client is a
 *                    model
 *     functions2019  HashOwner,HashApp,HashFunction,Trigger,1,2,...   calls of
 * functions in each minute; no tokens
 *
 * A row that does not read as its columns say is malformed: an error, or, up to as many
 * as the options allow, passed over, counted and listed. */
#ifndef HD_TRACE_READER_H
#define HD_TRACE_READER_H

#include <stdint.h>

#include "base/err.h"
#include "base/tick.h"
#include "trace/clock.h"

/* Most tokens one side of a request may have: the sum of both fits an int32. */
#define HD_TRACE_TOKENS_MAX 1000000000

struct hd_reader;

struct hd_row {
    hd_wide at;    /* ticks on the file's clock: since its own zero, or of its dates in
                      the time zone of the first row */
    int32_t model; /* in order of first appearance */
    int32_t input_tokens, output_tokens; /* 0 to HD_TRACE_TOKENS_MAX; both may be 0 */
    long line;
    int32_t session;  /* in order of first appearance; -1: none */
    int32_t class_;   /* of service levels, in order of first appearance; -1: none */
    hd_wide deadline; /* ticks after arrival by which the last token is due, at most
                         HD_TICK_SPAN_MAX; -1: none */
    /* Identities of the prompt's leading blocks, in order. A block's identity stands
     * for all that precedes it too. The last may be partial: it then counts for all of
     * the prompt that is left. Valid until the next call. */
    const uint64_t *prefix;
    int prefix_blocks;
};

struct hd_reader_options {
    const char *format; /* a name; NULL: by header or content */
    bool any_order; /* rows that step back in time are handed out too; without it they
                       are an error that names both rows */
    long skip_bad;  /* as many malformed rows are passed over */
    const char
        *lengths;    /* of requests in formats without tokens: "512,128", or a trace
                        whose pairs are drawn from; NULL: such a format is an error */
    uint64_t seed;   /* of what is drawn */
    bool times_only; /* in formats without tokens requests have none, and that is right
                      */
};

/* Opens a file and reads its header. NULL on failure, with one line in err. */
struct hd_reader *hd_reader_open(const char *path, const struct hd_reader_options *,
                                 struct hd_err *err);

/* What was left out or is not simulated, so far. */
struct hd_reader_count {
    int64_t bad;                 /* malformed rows passed over */
    char **why;                  /* of each, "PATH:LINE: what is wrong" */
    int whys;                    /* capacity of the list */
    int64_t no_time;             /* rows without a time, in formats that have such */
    int64_t images, rows_images; /* pictures, and the rows that have any */
};
const struct hd_reader_count *hd_reader_count(const struct hd_reader *);

/* 1: a row; 0: the end; -1: error, "PATH:LINE: what is wrong". Rows of equal time
 * come in file order. A file without any row is an error. */
int hd_reader_next(struct hd_reader *, struct hd_row *, struct hd_err *);

int hd_reader_models(const struct hd_reader *); /* so far */
const char *hd_reader_model_name(const struct hd_reader *, int model);
int hd_reader_classes(const struct hd_reader *); /* so far */
const char *hd_reader_class_name(const struct hd_reader *, int class_);
/* Names of the classes and of the sessions so far, by number. */
char *const *hd_reader_class_names(const struct hd_reader *);
char *const *hd_reader_session_names(const struct hd_reader *);
/* Tokens of a prompt that one identity of hd_row.prefix stands for. The note
 * "# prefix_block_tokens: N" says it in native files; 16 without. */
int hd_reader_prefix_block_tokens(const struct hd_reader *);
const char *hd_reader_format(const struct hd_reader *);
enum hd_clock hd_reader_clock(const struct hd_reader *);
/* The sum of the files in a folder that the trace is read from; NULL: it is a file. */
const char *hd_reader_sha256(const struct hd_reader *);
/* How many rows about will be drawn, where they are as they are asked for: who needs no
 * more may stop. 0: they are read. */
double hd_reader_drawn(const struct hd_reader *);
/* What a trace made of parts rests on: its note, or where its lengths are from; or
 * NULL. */
const char *hd_reader_made_of(const struct hd_reader *);
/* Columns of the header that no row is read from, "a, b"; NULL when none. */
const char *hd_reader_unused(const struct hd_reader *);
/* The note of that key, or NULL. */
const char *hd_reader_note(const struct hd_reader *, const char *key);

/* All of them, "key: text" in the file's order. */
char *const *hd_reader_notes(const struct hd_reader *, int *count);

void hd_reader_close(struct hd_reader *);

/* Names of the formats, comma-separated, for messages and help. */
const char *hd_reader_formats(void);

#endif
