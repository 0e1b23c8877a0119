/* Which notation a trace is in, and what all of them have in common. */
#include "trace/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/input.h"
#include "base/mem.h"
#include "trace/notes.h"
#include "trace/reader_parts.h"

/* ---- opening -------------------------------------------------------------- */

/* A trace is read twice, its rows and its sha256, so it must be a plain file. */
static bool plain_file(const char *path, struct hd_err *err) {
    struct stat about;
    if (stat(path, &about) != 0) return hd_fail(err, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return hd_fail(err, "%s: is not a plain file; a trace is read twice", path);
    return true;
}

static bool is_folder(const char *path) {
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

enum { HEAD_BYTES = 64 };

/* What a file begins with, behind a byte order mark and blanks. */
static void read_head(const char *path, char head[HEAD_BYTES]) {
    struct hd_err err = {0};
    struct hd_input *file = hd_input_open(path, &err);
    const char *why;
    long got = file ? hd_input_read(file, head, HEAD_BYTES - 1, &why) : 0;
    hd_input_close(file);
    head[got > 0 ? got : 0] = '\0';
    char *at = strncmp(head, "\xEF\xBB\xBF", 3) == 0 ? head + 3 : head;
    at += strspn(at, " \t\r\n");
    memmove(head, at, strlen(at) + 1);
}

static bool is_named(const char *format, const char *one, const char *other) {
    return strcmp(format, one) == 0 || strcmp(format, other) == 0;
}

static bool open_source(struct hd_reader *r, struct hd_err *err) {
    const char *asked = r->asked.format;
    if (is_folder(r->path)) return hd_servegen_rows_open(r, err);
    if (!plain_file(r->path, err)) return false;
    char head[HEAD_BYTES];
    read_head(r->path, head);
    if (asked ? is_named(asked, "mooncake", "qwen-bailian") : *head == '{')
        return hd_json_rows_open(r, err);
    if (asked ? strcmp(asked, "functions2019") == 0 : hd_count_rows_header(head))
        return hd_count_rows_open(r, err);
    return hd_csv_rows_open(r, err);
}

struct hd_reader *hd_reader_open(const char *path,
                                 const struct hd_reader_options *asked,
                                 struct hd_err *err) {
    struct hd_reader *r = hd_alloc(sizeof *r);
    r->path = hd_strdup(path);
    r->asked = *asked;
    if (open_source(r, err)) {
        if (!asked->lengths || r->lengths) return r;
        hd_fail(err, "--lengths %.60s: %s says the lengths of its requests itself",
                asked->lengths, path);
    }
    hd_reader_close(r);
    return NULL;
}

bool hd_reader_needs_lengths(struct hd_reader *r, const char *what,
                             struct hd_err *err) {
    if (r->asked.times_only) {
        r->parts = hd_format("arrivals and models of %s", r->format);
        return true;
    }
    if (!r->asked.lengths)
        return hd_fail(err,
                       "%s: %s; expected --lengths INPUT,OUTPUT or --lengths FILE, a "
                       "trace to draw them from",
                       r->path, what);
    r->lengths = hd_given_lengths_open(r->asked.lengths, r->asked.seed, err);
    if (!r->lengths) return false;
    r->parts = hd_format("arrivals and models of %s (%s); lengths: %s", r->format, what,
                         hd_given_lengths_about(r->lengths));
    return true;
}

void hd_reader_add_unused(struct hd_reader *r, const char *name) {
    char *list = r->unused ? hd_format("%s, %s", r->unused, name) : hd_strdup(name);
    free(r->unused);
    r->unused = list;
}

/* ---- rows ----------------------------------------------------------------- */

bool hd_blocks_fit(const struct hd_reader *r, const struct hd_row *row,
                   const char *name, struct hd_err *err) {
    int full = row->input_tokens / r->prefix_block_tokens;
    int most = full + (row->input_tokens % r->prefix_block_tokens != 0);
    return row->prefix_blocks <= most ||
           hd_fail(err, "%s:%ld: %s: %d blocks of %d tokens; its %d tokens fill %d",
                   r->path, row->line, name, row->prefix_blocks, r->prefix_block_tokens,
                   row->input_tokens, most);
}

static bool in_order(struct hd_reader *r, const struct hd_row *row,
                     struct hd_err *err) {
    if (r->begun && row->at < r->last && !r->asked.any_order) {
        char now[HD_CLOCK_TEXT_BYTES], before[HD_CLOCK_TEXT_BYTES];
        return hd_fail(err,
                       "%s:%ld: time runs backwards: %s after %s (line %ld); "
                       "--sort puts rows in order",
                       r->path, row->line, hd_clock_text(r->clock, row->at, now),
                       hd_clock_text(r->clock, r->last, before), r->last_line);
    }
    r->begun = true;
    r->last = row->at;
    r->last_line = row->line;
    return true;
}

bool hd_reader_pass_over(struct hd_reader *r, const char *why, struct hd_err *err) {
    struct hd_reader_count *c = &r->count;
    if (c->bad < r->asked.skip_bad) {
        c->why = hd_grow(c->why, &c->whys, (int)c->bad + 1, sizeof *c->why);
        c->why[c->bad++] = hd_strdup(why);
        return true;
    }
    if (c->bad == 0) return hd_fail(err, "%s", why);
    return hd_fail(err, "%s (malformed, as %ld before it that --skip-bad passed over)",
                   why, (long)c->bad);
}

int hd_reader_next(struct hd_reader *r, struct hd_row *out, struct hd_err *err) {
    for (;;) {
        struct hd_err why;
        why.text[0] = '\0'; /* all of it would take as long as reading a field */
        out->input_tokens = out->output_tokens = 0; /* a format may have none */
        switch (r->source->next(r, out, &why)) {
        case HD_GOT_ROW:
            if (r->lengths)
                hd_given_lengths_next(r->lengths, &out->input_tokens,
                                      &out->output_tokens);
            return in_order(r, out, err) ? 1 : -1;
        case HD_GOT_END:
            if (r->begun) return 0;
            hd_fail(err, "%s: has a header but no request", r->path);
            return -1;
        case HD_GOT_BAD:
            if (!hd_reader_pass_over(r, why.text, err)) return -1;
            break;
        case HD_GOT_NO_TIME:
            r->count.no_time++;
            break;
        case HD_GOT_FAILED:
            hd_fail(err, "%s", why.text);
            return -1;
        }
    }
}

/* ---- what is known of the trace ------------------------------------------- */

const struct hd_reader_count *hd_reader_count(const struct hd_reader *r) {
    return &r->count;
}

const char *hd_reader_made_of(const struct hd_reader *r) {
    return r->parts ? r->parts : hd_reader_note(r, "parts");
}

int hd_reader_models(const struct hd_reader *r) {
    return r->models.names;
}

const char *hd_reader_model_name(const struct hd_reader *r, int model) {
    return r->models.name[model];
}

int hd_reader_classes(const struct hd_reader *r) {
    return r->classes.names;
}

const char *hd_reader_class_name(const struct hd_reader *r, int class_) {
    return r->classes.name[class_];
}

char *const *hd_reader_class_names(const struct hd_reader *r) {
    return r->classes.name;
}

char *const *hd_reader_session_names(const struct hd_reader *r) {
    return r->sessions.name;
}

int hd_reader_prefix_block_tokens(const struct hd_reader *r) {
    return r->prefix_block_tokens;
}

const char *hd_reader_format(const struct hd_reader *r) {
    return r->format;
}

enum hd_clock hd_reader_clock(const struct hd_reader *r) {
    return r->clock;
}

const char *hd_reader_sha256(const struct hd_reader *r) {
    return *r->sha256 ? r->sha256 : NULL;
}

double hd_reader_drawn(const struct hd_reader *r) {
    return r->drawn;
}

const char *hd_reader_unused(const struct hd_reader *r) {
    return r->unused;
}

const char *hd_reader_note(const struct hd_reader *r, const char *key) {
    return hd_note(r->note, r->notes, key);
}

char *const *hd_reader_notes(const struct hd_reader *r, int *count) {
    *count = r->notes;
    return r->note;
}

void hd_reader_close(struct hd_reader *r) {
    if (!r) return;
    if (r->source) r->source->close(r->state);
    hd_given_lengths_close(r->lengths);
    for (int64_t i = 0; i < r->count.bad; i++) free(r->count.why[i]);
    free(r->count.why);
    hd_intern_free(&r->models);
    hd_intern_free(&r->sessions);
    hd_intern_free(&r->classes);
    free(r->blocks.id);
    for (int i = 0; i < r->notes; i++) free(r->note[i]);
    free(r->note);
    free(r->unused);
    free(r->parts);
    free(r->path);
    free(r);
}
