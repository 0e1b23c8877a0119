/* hotdesk trace convert: any format to native CSV or binary. */
#include <string.h>

#include "command/trace_files.h"
#include "trace/notes.h"

static const struct hd_option options[] = {HD_TRACE_IN_OPTIONS, HD_TRACE_OUT_OPTIONS};

static const struct hd_help help = {
    "hotdesk trace convert FILE --out FILE [options]",
    "Writes a trace as hotdesk's own CSV, or as a binary file that is mapped and not\n"
    "read, with all its fields and notes (`hotdesk help traces`).",
    {"hotdesk trace convert traces/market40.csv --out market40.hdt --force",
     "hotdesk trace convert traces/agents8.csv --out - --as native"},
};

static bool convert(const struct hd_args *args, struct hd_problem *problem) {
    if (!hd_trace_out_asked(args, problem)) return false;
    struct hd_trace *t = hd_trace_in(args, args->word[0], NULL, NULL, problem);
    if (!t) return false;
    bool own = strcmp(t->format, "native") == 0 || strcmp(t->format, "dated") == 0 ||
               strcmp(t->format, "binary") == 0;
    /* What is ours already keeps its notes as they are, so that it comes back the same.
     */
    if (!own) hd_trace_note_origin(t, t, args, "trace convert");
    if (t->unused_columns && strcmp(t->format, "binary") != 0)
        fprintf(stderr,
                "note: columns that no trace of hotdesk holds are left out: %s\n",
                t->unused_columns);
    bool done = hd_trace_out(args, t, problem);
    hd_trace_free(t);
    return done;
}

const struct hd_trace_command hd_trace_convert = {
    .name = "convert",
    .full_name = "trace convert",
    .words = 1,
    .option = options,
    .options = sizeof options / sizeof *options,
    .help = &help,
    .run = convert,
};
