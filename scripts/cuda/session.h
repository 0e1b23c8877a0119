/* The measuring of one quantity as seen from its process: what is still to be measured,
 * how long each row may take, what was written, what went wrong. No CUDA in it. */
#ifndef HOTDESK_CUDA_SESSION_H
#define HOTDESK_CUDA_SESSION_H

#include <stdarg.h>
#include <stdbool.h>

#include "record.h"
#include "stopping.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Counted across the suite; lies in memory that its processes share, so that what a
 * process counted outlives it. */
struct tally {
    long written;   /* rows */
    long missing;   /* rows that the budget left no time for, as far as is known */
    long withheld;  /* rows that a failed check kept back */
    long failed;    /* checks, rows and quantities that went wrong */
    long skipped;   /* what this machine cannot measure */
    long dropped;   /* samples at a throttled clock */
    long low_clock; /* rows whose clock did not recover: measured as it was */
};

struct result_file;

enum { SESSION_WITHHELD = 64 };

struct session {
    const char *quantity, *gpu, *driver;
    bool quick;
    unsigned long seed;
    double deadline_s; /* by now_s() */
    struct result_file *file;
    struct tally *tally;
    bool terminal;   /* progress may be drawn on stderr */
    double drawn_s;  /* when it was, last; 0: nothing is on the line */
    long rows, left; /* passed; expected still, -1: not known */
    bool out_of_time;
    char withheld[SESSION_WITHHELD][96]; /* "op,variant,dtype" */
    int withheld_count;
};

double now_s(void); /* a steady clock */

enum session_answer {
    SESSION_MEASURE,
    SESSION_PASS, /* is there already, or is withheld: on to the next row */
    SESSION_STOP  /* no time left */
};
enum session_answer session_ask(struct session *, const struct shape *);

void session_expect(struct session *, long rows);

/* The row was dealt with, whatever came of it. */
void session_passed(struct session *, const struct shape *);

/* What the next row may take: its part of the time that is left. */
struct stopping_limits session_limits(const struct session *);

/* Writes the row. A file that cannot be written ends the process with exit 1. */
void session_write(struct session *, const struct shape *, double time_us,
                   double mad_us, long samples, enum stop_reason, int sm_mhz,
                   int memory_mhz);

/* A row or check that failed: said on stderr with the row's shape, counted. */
void session_fail(struct session *, const struct shape *, const char *format,
                  va_list args);
/* Keeps back the rows with this op, variant and dtype from now on. */
void session_withhold(struct session *, const struct shape *);
void session_skip(struct session *, const char *why);

/* The quantity is done: the progress line is wiped, what is missing is said. */
void session_end(struct session *);

#ifdef __cplusplus
}
#endif
#endif
