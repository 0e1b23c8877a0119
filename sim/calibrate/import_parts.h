/* What the readers of profiles share; for the files import_*.c only. */
#ifndef HD_CALIBRATE_IMPORT_PARTS_H
#define HD_CALIBRATE_IMPORT_PARTS_H

#include "base/csv.h"
#include "calibrate/import.h"

/* A file that is being read. Its readers return false with the reason in why; who
 * called them adds file and line. */
struct hd_profile {
    const struct hd_catalog *catalog;
    const struct hd_gpu_spec *gpu; /* asked for, else NULL */
    struct hd_kernels *set;
    struct hd_import_report *report;
    const char *path; /* as given */
    char *place;      /* with all its folders */
    int file;         /* number in the set */
    struct hd_csv *csv;
    struct hd_csv_row row;
    char **column; /* the header's names */
    int columns;
    long line; /* that why is about */
    struct hd_err why;
};

struct hd_import_reader {
    const char *name;
    const char *files; /* which it reads, for a person */
    /* Whether the header is one that it reads. */
    bool (*knows)(const struct hd_profile *);
    /* Takes all rows. */
    bool (*take)(struct hd_profile *);
};

extern const struct hd_import_reader hd_import_vidur, hd_import_aiconfigurator,
    hd_import_llmservingsim, hd_import_aegaeon;

/* The column of that name, or -1; the second form fails in words. */
int hd_profile_column(const struct hd_profile *, const char *name);
bool hd_profile_columns(struct hd_profile *, const char *const *name, int count,
                        int *at);

/* The next row: 1, or 0 at the end, or -1 if it is broken. */
int hd_profile_next(struct hd_profile *);

/* Fields of the row: a whole number of at least `least`; a time in units of `us`
 * microseconds, more than 0; a deviation in the same units, at least 0. */
bool hd_profile_integer(struct hd_profile *, int column, long least, int64_t *to);
bool hd_profile_time(struct hd_profile *, int column, double us, double *to);
bool hd_profile_deviation(struct hd_profile *, int column, double us, double *to);

/* A dtype's name in the schema ("bf16" of "bfloat16"); NULL and why: unknown. */
const char *hd_profile_dtype(struct hd_profile *, const char *name);

/* The GPU as asked for or as the path says, and if `device` is given as that says; a
 * contradiction and a name that is nowhere are errors. */
const struct hd_gpu_spec *hd_profile_gpu(struct hd_profile *, const char *device);

/* A model by the name of a folder, with that of the folder above ("meta-llama",
 * "Llama-3.1-8B"), or by its own. NULL: not in the catalogue. */
const struct hd_model_spec *hd_model_of_folder(const struct hd_catalog *,
                                               const char *above, const char *name);

/* The nth folder above the file: 1 is the one it lies in. "" if there is none. The
 * caller frees it. */
char *hd_profile_folder(const struct hd_profile *, int nth);

/* To 12 digits: products and differences have more than were measured. */
double hd_import_rounded(double);

/* Adds the row as a measurement of this line, checked; possible: its time must also be
 * one that the GPU can reach. */
bool hd_profile_keep(struct hd_profile *, struct hd_kernel_row *, bool possible);

/* Counts a row of which there is something to say; `what` is a constant. */
void hd_import_note(struct hd_import_report *, const char *what);

/* Makes rows with the same key one, as import.h says. */
bool hd_import_merge(struct hd_kernels *, struct hd_import_report *,
                     struct hd_err *err);

/* Median absolute deviation of a normal distribution with that standard deviation. */
#define HD_MAD_OF_STD 0.6745

#endif
