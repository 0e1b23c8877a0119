/* The command line of hotdesk-bench. */
#ifndef HOTDESK_CUDA_OPTIONS_H
#define HOTDESK_CUDA_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { OPTIONS_ONLY = 32 };

struct options {
    bool help, list, quick;
    double budget_s;
    const char *output; /* NULL: hotdesk-bench-GPU.csv */
    const char *gpu;    /* NULL: from the device's name */
    unsigned long seed;
    int only; /* 0: all */
    const char *name[OPTIONS_ONLY];
};

/* Reads `--name value` and `--name=value`; `known` are the names that --only takes.
 * False with one line in err. Its texts are those of argv and known. */
bool options_parse(struct options *, int argc, char **argv, const char *const *known,
                   int count, struct hd_err *);

/* Whether --only asks for it. */
bool options_want(const struct options *, const char *name);

void options_help(FILE *);

#ifdef __cplusplus
}
#endif

#endif
