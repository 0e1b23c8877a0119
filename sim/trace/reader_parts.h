/* The reader and where its rows come from. Internal to this room. */
#ifndef HD_TRACE_READER_PARTS_H
#define HD_TRACE_READER_PARTS_H

#include "base/intern.h"
#include "trace/given_lengths.h"
#include "trace/reader.h"
#include "trace/row_fields.h"

/* What a source says of its next row. */
enum hd_got {
    HD_GOT_END,
    HD_GOT_ROW,
    HD_GOT_BAD,     /* a malformed row, said in err; the next call goes on behind it */
    HD_GOT_NO_TIME, /* a row that has everything but a time */
    HD_GOT_FAILED   /* said in err; there is no more */
};

struct hd_reader;

/* Where rows come from: a notation of files. */
struct hd_source {
    enum hd_got (*next)(struct hd_reader *, struct hd_row *, struct hd_err *);
    void (*close)(void *state);
};

struct hd_reader {
    char *path;
    const char *format;
    enum hd_clock clock;
    const struct hd_source *source;
    void *state; /* the source's own */
    struct hd_reader_options asked;
    char *unused, *parts;
    char **note; /* "key: text" */
    int notes, note_capacity;
    struct hd_intern models, sessions, classes;
    struct hd_blocks blocks; /* of the row handed out */
    int prefix_block_tokens;
    struct hd_given_lengths *lengths; /* NULL: rows have their own */
    char sha256[65];                  /* of a folder's files; "": the file's own */
    double drawn; /* rows, about, that are made as they are asked for; 0: read */
    bool begun;
    hd_wide last;
    long last_line;
    struct hd_reader_count count;
};

/* Each opens its notation, sets format, clock, source and state, and reads as far as
 * the first row; false with a word in err. */
bool hd_csv_rows_open(struct hd_reader *, struct hd_err *);
bool hd_json_rows_open(struct hd_reader *, struct hd_err *);
bool hd_servegen_rows_open(struct hd_reader *, struct hd_err *);
bool hd_count_rows_open(struct hd_reader *, struct hd_err *);
/* Whether a file that begins so is one of the last. */
bool hd_count_rows_header(const char *line);

/* A malformed row that a source met while it opened: whether it may be passed over;
 * else it is the error. */
bool hd_reader_pass_over(struct hd_reader *, const char *why, struct hd_err *);

/* "a, b" and one more. */
void hd_reader_add_unused(struct hd_reader *, const char *name);

/* More identities than the prompt's tokens fill: false with a word in err. */
bool hd_blocks_fit(const struct hd_reader *, const struct hd_row *, const char *name,
                   struct hd_err *);

/* A trace without lengths needs them from elsewhere: false with a word in err. what:
 * "it has no tokens", ... */
bool hd_reader_needs_lengths(struct hd_reader *, const char *what, struct hd_err *);

#endif
