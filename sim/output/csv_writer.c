/* Writes CSV rows. */
#include "output/csv_writer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "output/json.h"

void hd_csv_start(struct hd_csv_writer *w, FILE *file) {
    *w = (struct hd_csv_writer){.file = file};
}

static void lead(struct hd_csv_writer *w) {
    if (w->inside) putc(',', w->file);
    w->inside = true;
}

void hd_csv_text(struct hd_csv_writer *w, const char *text) {
    lead(w);
    if (!text) return;
    /* An empty text is quoted: it is there, unlike an absent one. */
    if (*text && !strpbrk(text, ",\"\r\n")) {
        fputs(text, w->file);
        return;
    }
    putc('"', w->file);
    for (; *text; text++) {
        if (*text == '"') putc('"', w->file);
        putc(*text, w->file);
    }
    putc('"', w->file);
}

void hd_csv_int(struct hd_csv_writer *w, int64_t value) {
    lead(w);
    fprintf(w->file, "%" PRId64, value);
}

void hd_csv_real(struct hd_csv_writer *w, double value) {
    lead(w);
    if (!isfinite(value)) return;
    char text[HD_REAL_TEXT_BYTES];
    hd_shortest(value, text);
    fputs(text, w->file);
}

void hd_csv_empty(struct hd_csv_writer *w) {
    lead(w);
}

void hd_csv_end_row(struct hd_csv_writer *w) {
    putc('\n', w->file);
    w->inside = false;
}

bool hd_csv_finish(struct hd_csv_writer *w) {
    return fflush(w->file) == 0 && !ferror(w->file);
}
