/* Rows of one quantity, and the account of them. */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "result_file.h"

#define LONGEST_ROW_S 3.0
#define SHORTEST_ROW_S 0.01
#define UNSAID_ROW_S 0.5
#define LEAST_MEASURED_S 0.5 /* as nvbench has it, where the row has that time */
#define DRAW_EVERY_S 0.2

enum { LEAST_SAMPLES = 10, MOST_SAMPLES = 2000 };

double now_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + now.tv_nsec * 1e-9;
}

static void wipe(struct session *s) {
    if (s->drawn_s > 0) fputs("\r\033[K", stderr);
    s->drawn_s = 0;
}

/* The rows that one check vouches for. */
static void group_of(char *text, size_t bytes, const struct shape *shape) {
    snprintf(text, bytes, "%s,%s,%s", shape->op, shape->variant, shape->dtype);
}

static bool is_withheld(const struct session *s, const struct shape *shape) {
    char group[sizeof s->withheld[0]];
    group_of(group, sizeof group, shape);
    for (int i = 0; i < s->withheld_count; i++)
        if (strcmp(s->withheld[i], group) == 0) return true;
    return false;
}

enum session_answer session_ask(struct session *s, const struct shape *shape) {
    if (result_file_has(s->file, shape)) return SESSION_PASS;
    if (is_withheld(s, shape)) {
        s->tally->withheld++;
        return SESSION_PASS;
    }
    if (now_s() < s->deadline_s) return SESSION_MEASURE;
    s->out_of_time = true;
    return SESSION_STOP;
}

void session_expect(struct session *s, long rows) {
    s->left = rows;
}

void session_passed(struct session *s, const struct shape *shape) {
    s->rows++;
    if (s->left > 0) s->left--;
    if (!s->terminal || now_s() - s->drawn_s < DRAW_EVERY_S) return;
    fprintf(stderr, "\r\033[K%s  row %ld", s->quantity, s->rows);
    if (s->left >= 0) fprintf(stderr, " of %ld", s->rows + s->left);
    fprintf(stderr, "  %s %s %s  %.0f s left", shape->op, shape->variant, shape->dtype,
            s->deadline_s - now_s());
    s->drawn_s = now_s();
}

struct stopping_limits session_limits(const struct session *s) {
    double share = UNSAID_ROW_S;
    if (s->left > 0) share = (s->deadline_s - now_s()) / (double)s->left;
    if (share > LONGEST_ROW_S) share = LONGEST_ROW_S;
    if (share < SHORTEST_ROW_S) share = SHORTEST_ROW_S;
    /* A quarter: measuring is not all that a row costs, and noise stops it late. */
    double least = share / 4 < LEAST_MEASURED_S ? share / 4 : LEAST_MEASURED_S;
    return (struct stopping_limits){least, share, LEAST_SAMPLES, MOST_SAMPLES};
}

void session_write(struct session *s, const struct shape *shape, double time_us,
                   double mad_us, long samples, enum stop_reason stop, int sm_mhz,
                   int memory_mhz) {
    struct hd_err err = {0};
    struct record record = {s->gpu, *shape, time_us,    mad_us,   samples,
                            stop,   sm_mhz, memory_mhz, s->driver};
    if (!result_file_add(s->file, &record, &err)) {
        wipe(s);
        fprintf(stderr, "hotdesk-bench: %s\n", err.text);
        s->tally->failed++;
        exit(1);
    }
    s->tally->written++;
}

void session_fail(struct session *s, const struct shape *shape, const char *format,
                  va_list args) {
    char key[512], text[512];
    record_key(key, sizeof key, s->gpu, shape);
    vsnprintf(text, sizeof text, format, args);
    wipe(s);
    fprintf(stderr, "%s: %s: %s\n", s->quantity, key, text);
    s->tally->failed++;
}

void session_withhold(struct session *s, const struct shape *shape) {
    if (is_withheld(s, shape)) return;
    if (s->withheld_count == SESSION_WITHHELD) {
        fprintf(stderr, "%s: too many checks failed\n", s->quantity);
        exit(1);
    }
    group_of(s->withheld[s->withheld_count++], sizeof s->withheld[0], shape);
}

void session_skip(struct session *s, const char *why) {
    wipe(s);
    fprintf(stderr, "%s: skipped: %s\n", s->quantity, why);
    s->tally->skipped++;
}

void session_end(struct session *s) {
    wipe(s);
    if (!s->out_of_time) return;
    if (s->left > 0) {
        s->tally->missing += s->left;
        fprintf(stderr, "%s: its time is used up, about %ld rows are missing\n",
                s->quantity, s->left);
    } else {
        s->tally->missing++;
        fprintf(stderr, "%s: its time is used up, rows are missing\n", s->quantity);
    }
}
