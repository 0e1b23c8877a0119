/* Other people's profiles into the schema of kernel measurements: each kind of profile
 * has a reader of its own, what they read is checked and merged the same way. */
#ifndef HD_CALIBRATE_IMPORT_H
#define HD_CALIBRATE_IMPORT_H

#include "calibrate/kernel.h"

/* Names of the kinds: "vidur", "aiconfigurator", "llmservingsim", "aegaeon". */
enum { HD_IMPORT_SOURCES = 4 };
const char *hd_import_source_name(int source);
int hd_import_source(const char *name, struct hd_err *why); /* -1: unknown */

enum { HD_IMPORT_NOTES_MAX = 32 };

struct hd_import_report {
    int64_t rows; /* of the files, without their headers */
    int64_t made; /* measurements that these rows hold */
    int64_t
        identical;  /* of these, dropped: the same key and the same time as another */
    int64_t merged; /* of these, dropped: a repeat whose time went into a median */
    struct {        /* what else there is to say, and of how many rows */
        const char *what;
        int64_t count;
    } note[HD_IMPORT_NOTES_MAX];
    int notes;
};

/* A GPU of the catalogue as files and folders name it: the longest run of words of the
 * last part of the path that has one, ignoring case and - _ and blanks ("h100_sxm",
 * "RTXPRO6000"). NULL: none. */
const struct hd_gpu_spec *hd_gpu_of_path(const struct hd_catalog *, const char *path);

/* As the driver calls it ("NVIDIA H100 80GB HBM3"). NULL: none. */
const struct hd_gpu_spec *hd_gpu_of_device(const struct hd_catalog *,
                                           const char *device);

/* Adds what the files hold to the set, which must be empty. gpu: whose profile it is;
 * NULL: as the file or its path says. Rows with the same key become one: identical ones
 * are dropped; of others, as long as the longest time is not above 1.5 times the
 * shortest plus 2 us, the median stays, and the deviation is at least theirs; what lies
 * further apart is refused. So is a time outside 0.1 to 200 times what the GPU's data
 * sheet says of that shape: wrong units, or another GPU's profile. False with
 * "FILE:LINE: what, and what was expected" in err. */
bool hd_import(struct hd_kernels *, const struct hd_catalog *, int source,
               const char *const *path, int paths, const struct hd_gpu_spec *gpu,
               struct hd_import_report *, struct hd_err *err);

#endif
