/* Traces in and out of the subcommands that make a new one. Internal to the trace
 * command. */
#ifndef HD_COMMAND_TRACE_FILES_H
#define HD_COMMAND_TRACE_FILES_H

#include "command/trace_commands.h"
#include "market/rescale.h"
#include "trace/trace.h"

#define HD_TRACE_IN_OPTIONS                                                            \
    {HD_GROUP_WHAT, 1,                                                                 \
     "format",      "FORMAT",                                                          \
     NULL,          "by the header",                                                   \
     false,         "of the trace, as for `hotdesk trace info`"},                      \
        {HD_GROUP_WHAT,                                                                \
         1,                                                                            \
         "lengths",                                                                    \
         "IN,OUT|FILE",                                                                \
         NULL,                                                                         \
         NULL,                                                                         \
         false,                                                                        \
         "of requests in a trace without tokens: the same for all, or drawn from a "   \
         "trace"},                                                                     \
        {HD_GROUP_WHAT, 1,                                                             \
         "skip-bad",    "N",                                                           \
         NULL,          "0",                                                           \
         false,         "so many malformed rows are passed over, counted and listed"}, \
        {HD_GROUP_WHAT, 1,                                                             \
         "sort",        NULL,                                                          \
         NULL,          NULL,                                                          \
         false,         "put rows in order of time; without it disorder is an error"}, \
    {                                                                                  \
        HD_GROUP_RUN, 1, "seed", "N", NULL, "1", false,                                \
            "of all random draws; the same trace and seed give the same bytes"         \
    }

/* --format, --sort, --lengths, --skip-bad and --seed. */
bool hd_trace_reading(const struct hd_args *, struct hd_trace_options *,
                      struct hd_problem *);

#define HD_TRACE_OUT_OPTIONS                                                           \
    {HD_GROUP_WRITTEN,                                                                 \
     1,                                                                                \
     "out",                                                                            \
     "FILE",                                                                           \
     NULL,                                                                             \
     NULL,                                                                             \
     false,                                                                            \
     "where the new trace goes, - for standard output; must be given"},                \
        {HD_GROUP_WRITTEN,                                                             \
         1,                                                                            \
         "as",                                                                         \
         "FORMAT",                                                                     \
         NULL,                                                                         \
         "binary for .hdt, else native",                                               \
         false,                                                                        \
         "of the new trace: native (CSV) or binary"},                                  \
    {                                                                                  \
        HD_GROUP_WRITTEN, 1, "force", NULL, NULL, NULL, false,                         \
            "replace FILE if it is there"                                              \
    }

/* Whether --out, --as and --force go together; asked before work begins. */
bool hd_trace_out_asked(const struct hd_args *, struct hd_problem *);

/* Reads a trace as --format and --sort say; from, to: a cut without margins, or NULL.
 * NULL with the problem told. */
struct hd_trace *hd_trace_in(const struct hd_args *, const char *path, const char *from,
                             const char *to, struct hd_problem *);

bool hd_trace_seed(const struct hd_args *, uint64_t *seed, struct hd_problem *);
/* --each request, session (the default) or model. */
bool hd_trace_unit(const struct hd_args *, enum hd_unit *, struct hd_problem *);

/* Gives `made` the notes of what it was made from, and one that says how: the command
 * line and the file with its sha256. */
void hd_trace_note_origin(struct hd_trace *made, const struct hd_trace *of,
                          const struct hd_args *, const char *command);

/* Writes it as asked, and says on standard output what it holds (on standard error
 * where the trace itself goes to standard output). */
bool hd_trace_out(const struct hd_args *, const struct hd_trace *, struct hd_problem *);

/* Where a person reads what a command says: not where the trace goes. */
FILE *hd_trace_said(const struct hd_args *);

/* A table of the figures of traces that tell how alike they are. */
void hd_trace_beside(const struct hd_trace *const *, const char *const *title,
                     int count, FILE *);

#endif
