/* Writing a binary trace in one go: all sums are known before the first byte is out, so
 * that a pipe will do. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "trace/binary.h"
#include "trace/binary_layout.h"

struct plan {
    struct hd_binary_head head;
    struct hd_binary_section table[HD_BINARY_KINDS];
    const void *data[HD_BINARY_KINDS];
    uint64_t end;
};

uint32_t hd_binary_crc(const void *data, size_t bytes) {
    return (uint32_t)crc32_z(crc32_z(0, NULL, 0), data, bytes);
}

/* Arrays that may be long; the others are names and what goes with them. */
static bool is_array(uint32_t kind) {
    return kind == HD_BINARY_ROWS || kind == HD_BINARY_SESSION ||
           kind == HD_BINARY_CLASS || kind == HD_BINARY_DEADLINE ||
           kind == HD_BINARY_PREFIX_FIRST || kind == HD_BINARY_PREFIX;
}

/* Hands out a section in parts. */
static void visit_section(const struct plan *p, uint32_t i, const struct hd_trace *t,
                          void (*take)(void *to, const void *data, size_t bytes),
                          void *to) {
    const size_t part = (size_t)1 << 20;
    const char *data = p->data[i];
    for (size_t at = 0, some; at < p->table[i].bytes; at += some) {
        some = p->table[i].bytes - at < part ? p->table[i].bytes - at : part;
        take(to, data + at, some);
        if (is_array(p->table[i].kind)) hd_trace_passed_bytes(t, data, at + some);
    }
}

static void to_crc(void *to, const void *data, size_t bytes) {
    uint32_t *crc = to;
    *crc = (uint32_t)crc32_z(*crc, data, bytes);
}

static void place(struct plan *p, enum hd_binary_kind kind, const void *data,
                  size_t bytes) {
    if (!data) return;
    uint32_t i = p->head.sections++;
    p->table[i] = (struct hd_binary_section){(uint32_t)kind, 0, 0, bytes};
    p->data[i] = data;
}

/* Whole seconds and the ticks beyond them: 64 bits hold each. */
static json_t *wide(hd_wide at) {
    return json_pack("[I,I]", (json_int_t)(at / HD_TICKS_PER_S),
                     (json_int_t)(at % HD_TICKS_PER_S));
}

static json_t *texts(char *const *text, int count) {
    json_t *list = json_array();
    for (int i = 0; i < count; i++) json_array_append_new(list, json_string(text[i]));
    return list;
}

static char *about(const struct hd_trace *t) {
    const struct hd_trace_extra *x = t->extra;
    json_t *root = json_pack("{s:i,s:o,s:o,s:o,s:o,s:s*}", "clock", (int)t->clock,
                             "zero", wide(t->zero), "start", wide(t->origin), "models",
                             texts(t->model, t->models), "notes",
                             texts(t->note, t->notes), "unused", t->unused_columns);
    if (x) {
        json_object_set_new(root, "sessions", json_integer(x->sessions));
        json_object_set_new(root, "classes", texts(x->class_name, x->classes));
        json_object_set_new(root, "prefix_ids", json_integer(x->prefix_ids));
        json_object_set_new(root, "prefix_block_tokens",
                            json_integer(x->prefix_block_tokens));
    }
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(root);
    return text;
}

static void place_all(struct plan *p, const struct hd_trace *t, const char *json,
                      const uint32_t *crcs, size_t chunks) {
    const struct hd_trace_extra *x = t->extra;
    size_t rows = (size_t)t->rows;
    place(p, HD_BINARY_ABOUT, json, strlen(json));
    place(p, HD_BINARY_ROWS, t->row, rows * sizeof *t->row);
    place(p, HD_BINARY_ROW_CRCS, crcs, chunks * sizeof *crcs);
    if (!x) return;
    place(p, HD_BINARY_SESSION, x->session, rows * sizeof *x->session);
    place(p, HD_BINARY_SESSION_TEXT, x->session_text, (size_t)x->session_text_bytes);
    place(p, HD_BINARY_CLASS, x->class_, rows * sizeof *x->class_);
    place(p, HD_BINARY_DEADLINE, x->deadline, rows * sizeof *x->deadline);
    place(p, HD_BINARY_PREFIX_FIRST, x->prefix_first,
          (rows + 1) * sizeof *x->prefix_first);
    if (!x->prefix) return;
    place(p, HD_BINARY_PREFIX, x->prefix,
          (size_t)x->prefix_first[rows] * sizeof *x->prefix);
    place(p, HD_BINARY_PREFIX_IDENTITY, x->prefix_identity,
          (size_t)x->prefix_ids * sizeof *x->prefix_identity);
}

/* Every byte behind the head, in order; to a sum or to a file. */
static void visit(const struct plan *p, const struct hd_trace *t,
                  void (*take)(void *to, const void *data, size_t bytes), void *to) {
    static const char zeros[HD_BINARY_ALIGN];
    size_t table = p->head.sections * sizeof *p->table;
    uint64_t at = sizeof p->head + table;
    take(to, p->table, table);
    for (uint32_t i = 0; i < p->head.sections; i++) {
        take(to, zeros, p->table[i].offset - at);
        visit_section(p, i, t, take, to);
        at = p->table[i].offset + p->table[i].bytes;
    }
}

static void to_sum(void *to, const void *data, size_t bytes) {
    hd_sha256_add(to, data, bytes);
}

static void to_file(void *to, const void *data, size_t bytes) {
    fwrite(data, 1, bytes, to);
}

bool hd_binary_write(const struct hd_trace *t, FILE *out) {
    struct plan p = {0};
    size_t chunks = ((size_t)t->rows + HD_BINARY_CRC_ROWS - 1) / HD_BINARY_CRC_ROWS;
    uint32_t *crcs = hd_alloc(chunks * sizeof *crcs);
    for (size_t c = 0; c < chunks; c++) {
        size_t first = c * HD_BINARY_CRC_ROWS, rows = (size_t)t->rows - first;
        if (rows > HD_BINARY_CRC_ROWS) rows = HD_BINARY_CRC_ROWS;
        crcs[c] = hd_binary_crc(t->row + first, rows * sizeof *t->row);
        hd_trace_passed(t, (int64_t)(first + rows));
    }
    char *json = about(t);
    memcpy(p.head.magic, HD_BINARY_MAGIC, HD_BINARY_MAGIC_BYTES);
    p.head.version = HD_BINARY_VERSION;
    place_all(&p, t, json, crcs, chunks);
    size_t table = p.head.sections * sizeof *p.table;
    p.head.bytes = sizeof p.head + table;
    for (uint32_t i = 0; i < p.head.sections; i++) {
        if (p.table[i].kind != HD_BINARY_ROWS)
            visit_section(&p, i, t, to_crc, &p.table[i].crc);
        p.table[i].offset = hd_binary_aligned(p.head.bytes);
        p.head.bytes = p.table[i].offset + p.table[i].bytes;
    }
    struct hd_sha256 *sum = hd_sha256_begin();
    visit(&p, t, to_sum, sum);
    hd_sha256_end(sum, p.head.sha256);
    uLong crc = crc32_z(0, (const Bytef *)&p.head, sizeof p.head);
    p.head.crc = (uint32_t)crc32_z(crc, (const Bytef *)p.table, table);
    fwrite(&p.head, sizeof p.head, 1, out);
    visit(&p, t, to_file, out);
    free(json);
    free(crcs);
    return fflush(out) == 0 && !ferror(out);
}
