/* Rows on disk and their keys in memory. */
#include "result_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { KEY_COLUMNS = 17, DRIVER_COLUMN = 23, COLUMNS = 26, KEY_BYTES = 512 };

struct result_file {
    char *path, *gpu, *driver;
    int file;
    off_t read; /* up to where its rows are known */
    long line;
    char **key; /* ascending */
    int keys, capacity;
};

static bool fail(const struct result_file *f, struct hd_err *err) {
    return hd_fail(err, "%s: %s", f->path, strerror(errno));
}

/* Where the key lies or would lie among the others. */
static int place_of(const struct result_file *f, const char *key, bool *found) {
    int low = 0, high = f->keys;
    *found = false;
    while (low < high) {
        int middle = low + (high - low) / 2, order = strcmp(f->key[middle], key);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool add_key(struct result_file *f, const char *key) {
    bool found;
    int place = place_of(f, key, &found);
    if (found) return false;
    f->key = hd_grow(f->key, &f->capacity, f->keys + 1, sizeof *f->key);
    memmove(f->key + place + 1, f->key + place,
            (size_t)(f->keys - place) * sizeof *f->key);
    f->key[place] = hd_strdup(key);
    f->keys++;
    return true;
}

/* Where column `index` begins; a quoted field may hold commas. NULL: there are fewer.
 */
static char *column(char *row, int index) {
    bool quoted = false;
    for (; index > 0; row++) {
        if (*row == '\0') return NULL;
        if (*row == '"') quoted = !quoted;
        if (*row == ',' && !quoted) index--;
    }
    return row;
}

static bool take_row(struct result_file *f, char *row, struct hd_err *err) {
    char *driver = column(row, DRIVER_COLUMN), *end = column(row, KEY_COLUMNS);
    if (!column(row, COLUMNS - 1) || column(row, COLUMNS))
        return hd_fail(err, "%s: line %ld: expected %d columns", f->path, f->line,
                       (int)COLUMNS);
    size_t gpu = strlen(f->gpu), length = strlen(f->driver);
    if (strncmp(row, f->gpu, gpu) == 0 && row[gpu] == ',' &&
        (strncmp(driver, f->driver, length) != 0 || driver[length] != ','))
        return hd_fail(err,
                       "%s: line %ld: measured under driver %.*s, this machine has %s; "
                       "expected rows of one driver: give another --output",
                       f->path, f->line, (int)strcspn(driver, ","), driver, f->driver);
    end[-1] = '\0';
    if (!add_key(f, row))
        return hd_fail(err, "%s: line %ld: a second row of %s", f->path, f->line, row);
    return true;
}

static bool take_line(struct result_file *f, char *line, struct hd_err *err) {
    f->line++;
    if (f->line > 1) return take_row(f, line, err);
    if (strcmp(line, record_header()) == 0) return true;
    return hd_fail(err, "%s: line 1: expected the header %.40s...", f->path,
                   record_header());
}

/* Takes the whole lines behind what is known. */
static bool read_on(struct result_file *f, struct hd_err *err) {
    struct stat status;
    if (fstat(f->file, &status) != 0) return fail(f, err);
    size_t bytes = (size_t)(status.st_size - f->read), have = 0;
    char *text = hd_alloc(bytes + 1);
    while (have < bytes) {
        ssize_t got = pread(f->file, text + have, bytes - have, f->read + (off_t)have);
        if (got <= 0) {
            free(text);
            return got == 0 ? hd_fail(err, "%s: became shorter", f->path)
                            : fail(f, err);
        }
        have += (size_t)got;
    }
    bool ok = true;
    char *line = text, *end;
    while (ok && (end = memchr(line, '\n', bytes - (size_t)(line - text)))) {
        *end = '\0';
        ok = take_line(f, line, err);
        line = end + 1;
    }
    f->read += line - text;
    free(text);
    return ok;
}

/* Puts `text` at the end; what was there before if that does not work. */
static bool append(struct result_file *f, const char *text, size_t bytes,
                   struct hd_err *err) {
    ssize_t written = write(f->file, text, bytes);
    if (written == (ssize_t)bytes) {
        f->read += written;
        return true;
    }
    if (written >= 0) errno = ENOSPC;
    fail(f, err);
    if (written > 0 && ftruncate(f->file, f->read) != 0) fail(f, err);
    return false;
}

/* A file without one whole line may be cut only if it is the beginning of our header.
 */
static bool is_ours(const struct result_file *f, long bytes) {
    char text[512];
    if (bytes >= (long)sizeof text) return false;
    return pread(f->file, text, (size_t)bytes, 0) == bytes &&
           strncmp(text, record_header(), (size_t)bytes) == 0;
}

bool result_file_catch_up(struct result_file *f, long *cut, struct hd_err *err) {
    struct stat status;
    *cut = 0;
    if (!read_on(f, err)) return false;
    if (fstat(f->file, &status) != 0) return fail(f, err);
    *cut = (long)(status.st_size - f->read);
    if (f->line == 0 && !is_ours(f, *cut))
        return hd_fail(err, "%s: line 1: expected the header %.40s...", f->path,
                       record_header());
    return *cut == 0 || ftruncate(f->file, f->read) == 0 || fail(f, err);
}

static bool begin(struct result_file *f, long *cut, struct hd_err *err) {
    if (flock(f->file, LOCK_EX | LOCK_NB) != 0)
        return hd_fail(err, "%s: another hotdesk-bench writes to it", f->path);
    if (!result_file_catch_up(f, cut, err)) return false;
    if (f->line > 0) return true;
    char *header = hd_format("%s\n", record_header());
    bool ok = append(f, header, strlen(header), err);
    free(header);
    f->line = 1;
    return ok;
}

struct result_file *result_file_open(const char *path, const char *gpu,
                                     const char *driver, long *cut,
                                     struct hd_err *err) {
    struct result_file *f = hd_alloc(sizeof *f);
    *f = (struct result_file){
        .path = hd_strdup(path),
        .gpu = hd_strdup(gpu),
        .driver = hd_strdup(driver),
        .file = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666)};
    *cut = 0;
    if (f->file < 0)
        fail(f, err);
    else if (begin(f, cut, err))
        return f;
    result_file_close(f);
    return NULL;
}

void result_file_close(struct result_file *f) {
    if (!f) return;
    if (f->file >= 0) close(f->file);
    for (int i = 0; i < f->keys; i++) free(f->key[i]);
    free(f->key);
    free(f->path);
    free(f->gpu);
    free(f->driver);
    free(f);
}

bool result_file_has(const struct result_file *f, const struct shape *shape) {
    char key[KEY_BYTES];
    bool found;
    record_key(key, sizeof key, f->gpu, shape);
    place_of(f, key, &found);
    return found;
}

long result_file_rows(const struct result_file *f) {
    return f->keys;
}

bool result_file_add(struct result_file *f, const struct record *record,
                     struct hd_err *err) {
    char row[2 * KEY_BYTES], key[KEY_BYTES];
    size_t length = record_row(row, sizeof row, record);
    record_key(key, sizeof key, record->gpu, &record->shape);
    if (length >= sizeof row) return hd_fail(err, "%s: a row too long", f->path);
    if (!(record->time_us >= 0.0001) || !(record->mad_us >= 0))
        return hd_fail(err, "%s: %s: %g us is no time", f->path, key, record->time_us);
    bool found;
    place_of(f, key, &found);
    if (found) return hd_fail(err, "%s: a second row of %s", f->path, key);
    if (!append(f, row, length, err)) return false;
    add_key(f, key);
    f->line++;
    return true;
}
