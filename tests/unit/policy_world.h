/* For the tests of policies: a script, from text or a file, on one of the miniature
 * workloads, and what came of it to the last bit. */
#ifndef HD_TESTS_POLICY_WORLD_H
#define HD_TESTS_POLICY_WORLD_H

#include "engine/engine.h"
#include "policy/host.h"

enum { /* workloads by number */
       WORLD_BURST,
       WORLD_HOT,
       WORLD_COLD,
       WORLD_LARGE,
       WORLD_FAILURES,
       WORLD_ALL_DOWN,
       WORLD_TIES,
       WORLD_ONE_GPU,
       WORLD_MIXED,
       WORLD_DEGREES,
       WORLD_COUNT
};

struct policy_outcome {
    enum hd_run_end end;
    char text[1024]; /* the error, or why it could not start */
    char note[1024];
    uint64_t digest; /* of every finished request in order, and of the totals */
    int done, rejected, unfinished, too_long;
    int64_t calls[HD_CALLBACKS];
};

/* The script in a temporary file, loaded; the name in messages is "t.lua". NULL with
 * the error in text. */
struct hd_script *policy_script(const char *source, char *text, size_t size);

struct policy_outcome policy_run(const struct hd_script *,
                                 const struct hd_param_values *, int workload,
                                 bool step);
/* Both in one; a script that does not load gives HD_RUN_FAILED and its error. */
struct policy_outcome policy_run_text(const char *source, int workload, bool step);

/* A shipped policy's source without its last `return P`, then `more`; to be freed. */
char *policy_extended(const char *name, const char *more);
/* A file below the project's folder; to be freed. */
char *policy_file(const char *part);

#endif
