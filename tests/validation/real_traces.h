/* Real traces, where there are any. */
#ifndef TESTS_REAL_TRACES_H
#define TESTS_REAL_TRACES_H

#include <math.h>

#include "base/home.h"
#include "base/mem.h"
#include "trace/trace.h"
#include "unit/trace_files.h"

/* The file of that name below HOTDESK_DATA (default ../shared/data beside the
 * project), or a skipped test. */
static inline char *data(const char *name) {
    const char *folder = getenv("HOTDESK_DATA");
    char *root = folder ? hd_strdup(folder) : hd_home_path("../shared/data");
    char *path = hd_format("%s/traces/%s", root, name);
    free(root);
    if (hd_file_exists(path)) return path;
    free(path);
    print_message("skipped: no data\n");
    skip();
    return NULL;
}

static inline struct hd_trace *load(const char *name) {
    struct hd_err err = {0};
    char *path = data(name);
    struct hd_trace *trace = hd_trace_load(path, &HD_TRACE_OPTIONS, &err);
    if (!trace) fail_msg("%s", err.text);
    free(path);
    return trace;
}

/* Equal when rounded to the decimals of what was published. */
static inline void published(const char *what, double got, const char *text) {
    const char *point = strchr(text, '.');
    int decimals = point ? (int)strlen(point + 1) : 0;
    double unit = pow(10, -decimals);
    print_message("%-24s %.6g, published %s\n", what, got, text);
    if (!(fabs(got - atof(text)) <= 0.5 * unit * (1 + 1e-9))) fail_msg("%s", what);
}

#endif
