/* Finding the sections of a binary trace; nothing in it is trusted. */
#include "trace/binary_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/mem.h"
#include "base/sha256.h"
#include "base/spill.h"
#include "trace/binary.h"

enum { HASHED = 1 << 20 }; /* bytes in one go */

bool hd_binary_recognise(const char *path) {
    struct stat about;
    char magic[HD_BINARY_MAGIC_BYTES];
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode)) return false;
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    bool ours = fread(magic, sizeof magic, 1, file) == 1 &&
                memcmp(magic, HD_BINARY_MAGIC, sizeof magic) == 0;
    fclose(file);
    return ours;
}

const struct hd_binary_head *hd_binary_head(const struct hd_trace_mapping *m) {
    return (const void *)m->byte;
}

const void *hd_binary_data(const struct hd_trace_mapping *m, enum hd_binary_kind kind) {
    return m->section[kind] ? m->byte + m->section[kind]->offset : NULL;
}

size_t hd_binary_bytes(const struct hd_trace_mapping *m, enum hd_binary_kind kind) {
    return m->section[kind] ? m->section[kind]->bytes : 0;
}

static bool map_file(const char *path, struct hd_trace_mapping *m, struct hd_err *err) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return hd_fail(err, "%s: %s", path, strerror(errno));
    struct stat about;
    void *at = MAP_FAILED;
    bool there = fstat(file, &about) == 0;
    size_t bytes = there ? (size_t)about.st_size : 0;
    if (bytes >= sizeof(struct hd_binary_head))
        at = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
    int why = errno;
    close(file);
    if (there && bytes < sizeof(struct hd_binary_head))
        return hd_fail(err, "%s: is cut off: %zu bytes are no binary trace", path,
                       bytes);
    if (at == MAP_FAILED) return hd_fail(err, "%s: %s", path, strerror(why));
    m->byte = at;
    m->bytes = bytes;
    return true;
}

/* Of a part of the file, whose pages may go behind it. */
static uint32_t crc_of(const char *data, size_t bytes) {
    uLong sum = crc32_z(0, NULL, 0);
    for (size_t at = 0, some; at < bytes; at += some) {
        some = bytes - at < HASHED ? bytes - at : HASHED;
        sum = crc32_z(sum, (const Bytef *)data + at, some);
        hd_mapped_pass(data, at);
    }
    return (uint32_t)sum;
}

static bool flipped(const char *path, const char *part, struct hd_err *err) {
    return hd_fail(err,
                   "%s: is damaged: its %s do not have the checksum that was written "
                   "with them; convert the trace again",
                   path, part);
}

static bool check_head(const char *path, const struct hd_trace_mapping *m,
                       struct hd_err *err) {
    struct hd_binary_head head = *hd_binary_head(m);
    if (head.version != HD_BINARY_VERSION)
        return hd_fail(err,
                       "%s: is a binary trace of version %u; this hotdesk reads "
                       "version %d",
                       path, head.version, HD_BINARY_VERSION);
    if (head.bytes != m->bytes)
        return hd_fail(err, "%s: is %s: %zu bytes of %llu", path,
                       m->bytes < head.bytes ? "cut off" : "longer than it was",
                       m->bytes, (unsigned long long)head.bytes);
    size_t table = head.sections * sizeof(struct hd_binary_section);
    if (head.sections > HD_BINARY_KINDS || sizeof head + table > m->bytes)
        return flipped(path, "first bytes", err);
    uint32_t crc = head.crc;
    head.crc = 0;
    uLong sum = crc32_z(0, (const Bytef *)&head, sizeof head);
    sum = crc32_z(sum, (const Bytef *)m->byte + sizeof head, table);
    return sum == crc || flipped(path, "first bytes", err);
}

static bool find_sections(const char *path, struct hd_trace_mapping *m,
                          struct hd_err *err) {
    const struct hd_binary_head *head = hd_binary_head(m);
    const struct hd_binary_section *table = (const void *)(m->byte + sizeof *head);
    for (uint32_t i = 0; i < head->sections; i++) {
        const struct hd_binary_section *s = &table[i];
        if (s->kind >= HD_BINARY_KINDS || m->section[s->kind] ||
            s->offset % HD_BINARY_ALIGN || s->offset > m->bytes ||
            s->bytes > m->bytes - s->offset)
            return hd_fail(err, "%s: is no binary trace that hotdesk wrote: section %u",
                           path, i);
        m->section[s->kind] = s;
        if (s->kind != HD_BINARY_ROWS &&
            crc_of(m->byte + s->offset, s->bytes) != s->crc)
            return flipped(path, "notes or fields", err);
    }
    return true;
}

struct hd_trace_mapping *hd_binary_map(const char *path, struct hd_err *err) {
    struct hd_trace_mapping *m = hd_alloc(sizeof *m);
    if (map_file(path, m, err) && check_head(path, m, err) &&
        find_sections(path, m, err))
        return m;
    hd_binary_unmap_file(m);
    return NULL;
}

void hd_binary_unmap_file(struct hd_trace_mapping *m) {
    if (!m) return;
    if (m->byte) munmap((void *)(uintptr_t)m->byte, m->bytes);
    free(m);
}

bool hd_binary_chunk_holds(const struct hd_trace_mapping *m, int64_t chunk) {
    const struct hd_trace_row *row = hd_binary_data(m, HD_BINARY_ROWS);
    const uint32_t *crc = hd_binary_data(m, HD_BINARY_ROW_CRCS);
    size_t first = (size_t)chunk * HD_BINARY_CRC_ROWS;
    size_t rows = hd_binary_bytes(m, HD_BINARY_ROWS) / sizeof *row - first;
    if (rows > HD_BINARY_CRC_ROWS) rows = HD_BINARY_CRC_ROWS;
    return hd_binary_crc(row + first, rows * sizeof *row) == crc[chunk];
}

bool hd_binary_verify(const char *path, struct hd_err *err) {
    struct hd_trace_mapping *m = hd_binary_map(path, err);
    if (!m) return false;
    const struct hd_binary_head *head = hd_binary_head(m);
    uint8_t sum[32];
    struct hd_sha256 *context = hd_sha256_begin();
    for (size_t at = sizeof *head, some; at < m->bytes; at += some) {
        some = m->bytes - at < HASHED ? m->bytes - at : HASHED;
        hd_sha256_add(context, m->byte + at, some);
        hd_mapped_pass(m->byte, at);
    }
    hd_sha256_end(context, sum);
    bool holds = memcmp(sum, head->sha256, sizeof sum) == 0;
    hd_binary_unmap_file(m);
    return holds || flipped(path, "bytes", err);
}
