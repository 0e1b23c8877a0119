/* Progress on stderr. A terminal gets a bar that is drawn over; a log gets a line at
 * the start, one every minute, so that no watchdog takes the job for dead, and one
 * at the end. */
#include "command/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output/quantity.h"

enum { BAR = 20 };
static const double EVERY_S = 60, REDRAW_S = 0.1;

static double elapsed_s(const struct hd_progress_bar *bar) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - bar->start.tv_sec) +
           (double)(now.tv_nsec - bar->start.tv_nsec) / 1e9;
}

void hd_progress_start(struct hd_progress_bar *bar, bool silent) {
    *bar = (struct hd_progress_bar){.silent = silent, .terminal = isatty(2)};
    clock_gettime(CLOCK_MONOTONIC, &bar->start);
    bar->said_s = bar->terminal ? -1 : 0;
}

static void wipe(struct hd_progress_bar *bar) {
    if (bar->drawn) fputs("\r\033[K", stderr);
    bar->drawn = false;
}

void hd_progress_show(void *context, const struct hd_progress *p) {
    struct hd_progress_bar *bar = context;
    bool first = bar->last.searches == 0;
    bar->last = *p;
    if (bar->silent) return;
    double now = elapsed_s(bar);
    if (bar->terminal) {
        if (now - bar->said_s < REDRAW_S && p->searches_done < p->searches) return;
        char dashes[BAR + 1];
        int filled = p->searches ? BAR * p->searches_done / p->searches : 0;
        memset(dashes, '-', BAR);
        memset(dashes, '#', (size_t)filled);
        dashes[BAR] = '\0';
        wipe(bar);
        fprintf(stderr, "[%s]  %d/%d searches   %d runs, %d stopped early   %s", dashes,
                p->searches_done, p->searches, p->runs, p->runs_cut,
                hd_say_span(now).text);
        bar->drawn = true;
    } else if (first) {
        fprintf(stderr, "searching: %d to do\n", p->searches);
    } else if (now - bar->said_s >= EVERY_S) {
        fprintf(stderr, "%d/%d searches, %d runs, %d stopped early, %s\n",
                p->searches_done, p->searches, p->runs, p->runs_cut,
                hd_say_span(now).text);
    } else {
        return;
    }
    bar->said_s = now;
    fflush(stderr);
}

void hd_progress_end(struct hd_progress_bar *bar) {
    wipe(bar);
    if (!bar->silent && !bar->terminal && bar->last.searches)
        fprintf(stderr, "searched: %d of %d, %d runs, %d stopped early, %s\n",
                bar->last.searches_done, bar->last.searches, bar->last.runs,
                bar->last.runs_cut, hd_say_span(elapsed_s(bar)).text);
}
