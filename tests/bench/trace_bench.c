/* How fast traces are read: 2,000,000 requests as native CSV, as Azure's CSV and as a
 * binary file, all in the page cache; beside a bare read of the same file and libcsv
 * alone on its bytes. Medians over the rounds, of processor time; in each round every
 * way is taken once. */
#include <csv.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "trace/binary.h"
#include "trace/reader.h"
#include "trace/trace.h"

enum { REQUESTS = 2000000, ROUNDS = 7, PART_BYTES = 1 << 16 };

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void stop(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

static struct hd_trace *load(const char *path) {
    struct hd_err err = {0};
    struct hd_trace *t = hd_trace_load(path, &HD_TRACE_OPTIONS, &err);
    if (!t) stop(err.text);
    return t;
}

/* ---- ways to read a file ----------------------------------------------------- */

static void take_field(void *data, size_t bytes, void *fields) {
    (void)data, (void)bytes;
    ++*(long *)fields;
}

static void take_row(int end, void *fields) {
    (void)end, (void)fields;
}

/* With a parser: libcsv alone, all of its bytes; NULL: the bytes are looked at by no
 * one. */
static void read_bytes(const char *path, struct csv_parser *parser) {
    static char part[PART_BYTES];
    long fields = 0;
    ssize_t got;
    int file = open(path, O_RDONLY);
    if (file < 0) stop(path);
    while ((got = read(file, part, sizeof part)) > 0)
        if (parser && csv_parse(parser, part, (size_t)got, take_field, take_row,
                                &fields) != (size_t)got)
            stop(path);
    close(file);
    if (parser && fields < 3L * REQUESTS) stop(path);
}

static void bare_read(const char *path) {
    read_bytes(path, NULL);
}

static void libcsv_alone(const char *path) {
    struct csv_parser parser;
    csv_init(&parser, CSV_STRICT);
    read_bytes(path, &parser);
    csv_free(&parser);
}

static void stream(const char *path) {
    struct hd_err err = {0};
    struct hd_reader *reader =
        hd_reader_open(path, &(struct hd_reader_options){0}, &err);
    struct hd_row row;
    long rows = 0;
    if (!reader) stop(err.text);
    while (hd_reader_next(reader, &row, &err) > 0) rows++;
    hd_reader_close(reader);
    if (rows != REQUESTS) stop(err.text);
}

static void load_whole(const char *path) {
    hd_trace_free(load(path));
}

static const struct {
    const char *name;
    void (*read)(const char *path);
    bool binary;
} ways[] = {
    {"a bare read", bare_read, true},
    {"libcsv alone", libcsv_alone, false},
    {"streamed", stream, false},
    {"loaded", load_whole, true},
};
enum { WAYS = sizeof ways / sizeof *ways };

static void measure(const char *name, const char *path, bool binary) {
    double s[WAYS][ROUNDS];
    for (int round = 0; round < ROUNDS; round++)
        for (int w = 0; w < WAYS; w++) {
            double begin = now_s();
            if (ways[w].binary || !binary) ways[w].read(path);
            s[w][round] = now_s() - begin;
        }
    for (int w = 0; w < WAYS; w++) {
        if (binary && !ways[w].binary) continue;
        qsort(s[w], ROUNDS, sizeof **s, by_value);
        double median = s[w][ROUNDS / 2];
        printf("| %s, %s | %.2f | %.1f |\n", name, ways[w].name,
               REQUESTS / median / 1e6, median / s[0][ROUNDS / 2]);
    }
}

/* ---- the files ---------------------------------------------------------------- */

static void write_csv(const char *path, bool azure) {
    FILE *out = fopen(path, "w");
    if (!out) stop(path);
    fputs(azure ? "TIMESTAMP,ContextTokens,GeneratedTokens\n"
                : "arrival_s,model,input_tokens,output_tokens\n",
          out);
    for (int i = 0; i < REQUESTS; i++) {
        int s = i / 100, part = i % 100 * 10000;
        if (azure)
            fprintf(out, "2023-11-16 %02d:%02d:%02d.%06d0,%d,%d\n", 18 + s / 3600,
                    s / 60 % 60, s % 60, part, i % 4099, i % 811);
        else
            fprintf(out, "%d.%06d,m%d,%d,%d\n", s, part, i % 40, i % 4099, i % 811);
    }
    if (fclose(out) != 0) stop(path);
}

int main(void) {
    char *native = hd_format("/tmp/hd-trace-bench-%ld.csv", (long)getpid());
    char *azure = hd_format("/tmp/hd-trace-bench-%ld-azure.csv", (long)getpid());
    char *binary = hd_format("/tmp/hd-trace-bench-%ld.hdt", (long)getpid());
    write_csv(native, false);
    write_csv(azure, true);
    struct hd_trace *t = load(native);
    FILE *out = fopen(binary, "wb");
    if (!out || !hd_binary_write(t, out) || fclose(out) != 0) stop(binary);
    hd_trace_free(t);
    printf("| %d requests | M requests/s | times a bare read |\n|---|---|---|\n",
           REQUESTS);
    measure("native CSV", native, false);
    measure("Azure CSV", azure, false);
    measure("binary", binary, true);
    printf(
        "\nStreamed: every row as checked numbers, one at a time. Loaded: all rows "
        "kept, "
        "and the text's SHA-256; of the binary file every checksum and value checked. "
        "libcsv alone: its parser on the same bytes, fields counted and left.\n");
    unlink(native);
    unlink(azure);
    unlink(binary);
    free(native);
    free(azure);
    free(binary);
    return 0;
}
