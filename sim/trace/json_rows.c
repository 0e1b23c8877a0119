/* Requests as JSON objects, one a line: Mooncake's traces (kvcache-ai/Mooncake,
 * Apache-2.0; Qin et al., FAST'25) and Qwen-Bailian's
 * (alibaba-edu/qwen-bailian-usagetraces-anon, Apache-2.0; Wang et al., ATC'25). jansson
 * reads a line at a time. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/input.h"
#include "base/mem.h"
#include "base/number_map.h"
#include "trace/reader_parts.h"

enum { CHUNK_BYTES = 1 << 16, LINE_BYTES_MAX = 1 << 24 };

struct json_rows {
    struct hd_input *file;
    char *text; /* bytes at to count are not handed out yet */
    int capacity, at, count;
    long line;
    bool ended, chats, opened;
    json_t *first; /* the row that told the format, until it is handed out */
    struct hd_number_map chat;
    int32_t *session; /* of each chat */
    int session_capacity;
};

/* ---- lines ---------------------------------------------------------------- */

static bool read_more(struct hd_reader *r, struct json_rows *j, struct hd_err *err) {
    if (j->at) memmove(j->text, j->text + j->at, (size_t)(j->count - j->at));
    j->count -= j->at;
    j->at = 0;
    if (j->count > LINE_BYTES_MAX)
        return hd_fail(err, "%s:%ld: a line of more than 16 MiB: no trace?", r->path,
                       j->line);
    const char *why;
    j->text = hd_grow(j->text, &j->capacity, j->count + CHUNK_BYTES, 1);
    long got = hd_input_read(j->file, j->text + j->count, CHUNK_BYTES, &why);
    if (got < 0) return hd_fail(err, "%s:%ld: %s", r->path, j->line, why);
    j->ended = got == 0;
    j->count += (int)got;
    return true;
}

static bool blank(const char *text, int bytes) {
    for (int i = 0; i < bytes; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i]) return false;
    return true;
}

/* The next line with anything on it, *text to *bytes; HD_GOT_ROW, END or FAILED. */
static enum hd_got next_line(struct hd_reader *r, struct json_rows *j,
                             const char **text, int *bytes, struct hd_err *err) {
    int seen = 0;
    for (;;) {
        const char *from = j->text + j->at;
        int left = j->count - j->at;
        const char *end =
            left > seen ? memchr(from + seen, '\n', (size_t)(left - seen)) : NULL;
        if (!end && !j->ended) {
            seen = left;
            if (!read_more(r, j, err)) return HD_GOT_FAILED;
            continue;
        }
        if (left == 0) return HD_GOT_END;
        *text = from;
        *bytes = end ? (int)(end - from) : left;
        j->at += *bytes + (end != NULL);
        j->line++;
        if (j->line == 1 && *bytes >= 3 && memcmp(from, "\xEF\xBB\xBF", 3) == 0) {
            *text += 3;
            *bytes -= 3;
        }
        if (!blank(*text, *bytes)) return HD_GOT_ROW;
        seen = 0;
    }
}

static enum hd_got next_object(struct hd_reader *r, struct json_rows *j,
                               json_t **object, struct hd_err *err) {
    const char *text;
    int bytes;
    enum hd_got got = next_line(r, j, &text, &bytes, err);
    if (got != HD_GOT_ROW) return got;
    json_error_t why;
    *object = json_loadb(text, (size_t)bytes, JSON_REJECT_DUPLICATES, &why);
    if (!*object) {
        for (char *c = why.text; *c; c++)
            if (*c < 0x20 || *c > 0x7E) *c = '?';
        hd_fail(err, "%s:%ld: is no JSON object: %s", r->path, j->line, why.text);
        return HD_GOT_BAD;
    }
    if (json_is_object(*object)) return HD_GOT_ROW;
    json_decref(*object);
    hd_fail(err, "%s:%ld: is no JSON object; expected {\"timestamp\": ...}", r->path,
            j->line);
    return HD_GOT_BAD;
}

/* ---- a row ---------------------------------------------------------------- */

static bool wrong(const struct hd_reader *r, const struct hd_row *row, const char *key,
                  const char *why, struct hd_err *err) {
    return hd_fail(err, "%s:%ld: key '%s': %s", r->path, row->line, key, why);
}

static bool read_tokens(const struct hd_reader *r, const json_t *object,
                        const char *key, int32_t *tokens, struct hd_row *row,
                        struct hd_err *err) {
    const json_t *value = json_object_get(object, key);
    double number = json_number_value(value);
    if (!value) return wrong(r, row, key, "is missing", err);
    if (!json_is_number(value) || number != trunc(number))
        return wrong(r, row, key, "is not a whole number of tokens", err);
    if (number < 0) return wrong(r, row, key, "is negative", err);
    if (number > HD_TRACE_TOKENS_MAX)
        return wrong(r, row, key, "is more than 1000000000 tokens", err);
    *tokens = (int32_t)number;
    return true;
}

/* Through text of 17 digits: what was written, where a double holds it. */
static bool read_time(struct hd_reader *r, const json_t *object, struct hd_row *row,
                      struct hd_err *err) {
    const json_t *value = json_object_get(object, "timestamp");
    char text[40];
    struct hd_stamp stamp;
    if (!value) return wrong(r, row, "timestamp", "is missing", err);
    if (json_is_integer(value))
        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        snprintf(text, sizeof text, "%.15g", json_real_value(value));
    else
        return wrong(r, row, "timestamp", "is no number", err);
    const struct json_rows *j = r->state;
    const char *why =
        j->chats ? hd_stamp_seconds(text, &stamp) : hd_stamp_milliseconds(text, &stamp);
    if (why) return wrong(r, row, "timestamp", why, err);
    row->at = stamp.at;
    return true;
}

/* A text's number; -1 where the key is missing or null. */
static bool read_name(struct hd_reader *r, const json_t *object, const char *key,
                      struct hd_intern *names, int32_t *number,
                      const struct hd_row *row, struct hd_err *err) {
    const json_t *value = json_object_get(object, key);
    *number = -1;
    if (!value || json_is_null(value)) return true;
    if (!json_is_string(value)) return wrong(r, row, key, "is no text", err);
    const char *name = json_string_value(value);
    size_t bytes = json_string_length(value);
    const char *why = hd_field_name(&name, &bytes);
    if (why) return wrong(r, row, key, why, err);
    if (bytes) *number = hd_intern(names, name, bytes);
    return true;
}

static bool read_model(struct hd_reader *r, const json_t *object, struct hd_row *row,
                       struct hd_err *err) {
    if (!read_name(r, object, "model", &r->models, &row->model, row, err)) return false;
    if (row->model < 0)
        row->model = hd_intern(&r->models, r->format, strlen(r->format));
    return true;
}

static bool read_blocks(struct hd_reader *r, const json_t *object, struct hd_row *row,
                        struct hd_err *err) {
    const json_t *list = json_object_get(object, "hash_ids"), *value;
    size_t i;
    r->blocks.count = 0;
    if (list && !json_is_array(list) && !json_is_null(list))
        return wrong(r, row, "hash_ids", "is no list", err);
    json_array_foreach(list, i, value) {
        if (!json_is_integer(value))
            return wrong(r, row, "hash_ids", "holds what is no whole number", err);
        r->blocks.id = hd_grow(r->blocks.id, &r->blocks.capacity, r->blocks.count + 1,
                               sizeof *r->blocks.id);
        r->blocks.id[r->blocks.count++] = (uint64_t)json_integer_value(value);
    }
    row->prefix = r->blocks.id;
    row->prefix_blocks = r->blocks.count;
    return hd_blocks_fit(r, row, "key 'hash_ids'", err);
}

/* ---- sessions ------------------------------------------------------------- */

/* The session of a chat, a new one if it was never seen. */
static int32_t *session_of(struct json_rows *j, int64_t chat) {
    int32_t known = j->chat.numbers, number = hd_number_map(&j->chat, (uint64_t)chat);
    if (number < 0) return NULL;
    if (number == known) {
        j->session =
            hd_grow(j->session, &j->session_capacity, number + 1, sizeof *j->session);
        j->session[number] = -1;
    }
    return &j->session[number];
}

/* A chat without a parent opens a session; another is of its parent's, also where the
 * parent itself lies before the trace. */
static bool read_session(struct hd_reader *r, const json_t *object, struct hd_row *row,
                         struct hd_err *err) {
    struct json_rows *j = r->state;
    const json_t *chat = json_object_get(object, "chat_id");
    const json_t *parent = json_object_get(object, "parent_chat_id");
    row->session = -1;
    if (!j->chats) return true;
    if (!json_is_integer(chat))
        return wrong(r, row, "chat_id", "is missing or no whole number", err);
    if (parent && !json_is_integer(parent) && !json_is_null(parent))
        return wrong(r, row, "parent_chat_id", "is no whole number", err);
    int64_t above = json_is_integer(parent) ? json_integer_value(parent) : -1;
    int32_t *session = session_of(j, above < 0 ? json_integer_value(chat) : above);
    if (!session) return wrong(r, row, "chat_id", "one chat too many", err);
    if (*session < 0) { /* named by the chat that opens it */
        char name[24];
        int bytes = snprintf(name, sizeof name, "%lld",
                             (long long)(above < 0 ? json_integer_value(chat) : above));
        *session = hd_intern(&r->sessions, name, (size_t)bytes);
    }
    row->session = *session;
    if (above >= 0 && (session = session_of(j, json_integer_value(chat))))
        *session = row->session;
    return true;
}

/* ---- the source ----------------------------------------------------------- */

static bool read_row(struct hd_reader *r, const json_t *object, struct hd_row *row,
                     struct hd_err *err) {
    row->line = ((struct json_rows *)r->state)->line;
    row->deadline = row->class_ = -1;
    return read_tokens(r, object, "input_length", &row->input_tokens, row, err) &&
           read_tokens(r, object, "output_length", &row->output_tokens, row, err) &&
           read_time(r, object, row, err) && read_model(r, object, row, err) &&
           (!((struct json_rows *)r->state)->chats ||
            read_name(r, object, "type", &r->classes, &row->class_, row, err)) &&
           read_blocks(r, object, row, err) && read_session(r, object, row, err);
}

static enum hd_got next(struct hd_reader *r, struct hd_row *row, struct hd_err *err) {
    struct json_rows *j = r->state;
    json_t *object = j->first;
    j->first = NULL;
    if (!object) {
        enum hd_got got = next_object(r, j, &object, err);
        if (got != HD_GOT_ROW) return got;
    }
    bool good = read_row(r, object, row, err);
    json_decref(object);
    return good ? HD_GOT_ROW : HD_GOT_BAD;
}

static void close_rows(void *state) {
    struct json_rows *j = state;
    json_decref(j->first);
    hd_input_close(j->file);
    hd_number_map_free(&j->chat);
    free(j->session);
    free(j->text);
    free(j);
}

/* Keys of the first row that are not read. */
static void list_unused(struct hd_reader *r, json_t *first, bool chats) {
    static const char *const known[] = {"timestamp", "input_length",  "output_length",
                                        "hash_ids",  "model",         "chat_id",
                                        "type",      "parent_chat_id"};
    const char *key;
    json_t *value;
    json_object_foreach(first, key, value) {
        bool used = false;
        for (int i = 0; i < (chats ? 8 : 5); i++) used |= strcmp(key, known[i]) == 0;
        const char *name = key;
        size_t bytes = strlen(key);
        if (!used) hd_reader_add_unused(r, hd_field_name(&name, &bytes) ? "?" : key);
    }
}

/* The first row tells the format. A malformed one tells nothing, so it is an error even
 * where some may be passed over. */
bool hd_json_rows_open(struct hd_reader *r, struct hd_err *err) {
    static const struct hd_source source = {next, close_rows};
    struct hd_input *file = hd_input_open(r->path, err);
    if (!file) return false;
    struct json_rows *j = hd_alloc(sizeof *j);
    j->file = file;
    j->text = hd_grow(NULL, &j->capacity, CHUNK_BYTES, 1);
    r->source = &source;
    r->state = j;
    enum hd_got got = next_object(r, j, &j->first, err);
    if (got == HD_GOT_END)
        return hd_fail(err, "%s: is empty; expected a JSON object a line", r->path);
    if (got != HD_GOT_ROW) {
        j->first = NULL;
        return false;
    }
    j->chats = r->asked.format ? strcmp(r->asked.format, "qwen-bailian") == 0
                               : json_object_get(j->first, "chat_id") != NULL;
    r->format = j->chats ? "qwen-bailian" : "mooncake";
    r->clock = HD_CLOCK_SECONDS;
    r->prefix_block_tokens = j->chats ? 16 : 512;
    list_unused(r, j->first, j->chats);
    return true;
}
