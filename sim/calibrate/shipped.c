/* Which of the files that ship are measurements. */
#include "calibrate/shipped.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/home.h"
#include "base/mem.h"

static bool is_measurements(const char *path) {
    struct hd_err ignored = {0};
    struct hd_csv *csv = hd_csv_open(path, &ignored);
    struct hd_csv_row row;
    bool is = csv && hd_csv_next(csv, &row, &ignored) > 0 && row.count > 1 &&
              strcmp(row.field[0], hd_kernel_columns[0]) == 0 &&
              strcmp(row.field[1], hd_kernel_columns[1]) == 0;
    hd_csv_close(csv);
    return is;
}

bool hd_shipped_measurements(struct hd_kernels *set, const struct hd_catalog *catalog,
                             const struct hd_gpu_spec *gpu, struct hd_err *err) {
    char *part = hd_format("results/calibration/%s/*.csv*", gpu->name);
    char *pattern = hd_home_path(part);
    glob_t found = {0};
    bool fine = true;
    if (glob(pattern, 0, NULL, &found) == 0)
        for (size_t n = 0; fine && n < found.gl_pathc; n++)
            if (is_measurements(found.gl_pathv[n]))
                fine = hd_kernels_read(set, catalog, found.gl_pathv[n], err);
    globfree(&found);
    free(pattern);
    free(part);
    return fine;
}
