/* From settings to the question: files read, names looked up, defaults that depend
 * on the trace worked out. */
#ifndef HD_COMMAND_RESOLVE_H
#define HD_COMMAND_RESOLVE_H

#include "command/asked.h"
#include "plan/question.h"
#include "trace/stats.h"

struct hd_resolved {
    struct hd_question question; /* points into the rest */
    struct hd_catalog *catalog;
    struct hd_engines *engines;
    struct hd_trace *trace;
    struct hd_trace_stats *stats;
};

/* Whatever can be judged without the trace is judged before it is read. False with
 * the problem placed; what was made so far is freed by hd_resolved_free all the
 * same. `words` is the command line, for the record. */
bool hd_resolve(struct hd_asked *, const struct hd_args *words, struct hd_resolved *,
                struct hd_problem *);
void hd_resolved_free(struct hd_resolved *);

/* ---- the steps, in order; each frees nothing ----------------------------- */

/* The specification in force: what --fleet says, which may name one of the
 * scenario's, or the scenario's only one. NULL: none said; with a problem if the
 * choice is open or the name unknown. problem may be NULL. */
const struct hd_setting *hd_fleet_in_force(struct hd_asked *, struct hd_problem *);

/* fleet and node settings -> parts; --gpu for compare. */
bool hd_resolve_fleet(struct hd_asked *, struct hd_resolved *, struct hd_problem *);
/* slo, attain, metric, pass, scales, too-long and the like. */
bool hd_resolve_judging(struct hd_asked *, struct hd_resolved *, struct hd_problem *);
/* The engine profile; its constants are the defaults of what it sets. */
bool hd_resolve_engine(struct hd_asked *, struct hd_resolved *, struct hd_problem *);
bool hd_resolve_serving(struct hd_asked *, struct hd_resolved *, struct hd_problem *);
bool hd_resolve_switching(struct hd_asked *, struct hd_resolved *, struct hd_problem *);
bool hd_resolve_policies(struct hd_asked *, struct hd_resolved *, struct hd_problem *);
/* The trace, its cut and the window. */
bool hd_resolve_trace(struct hd_asked *, struct hd_resolved *, struct hd_problem *);

/* Maps, files and tables of models, read and checked before the trace; then each
 * of its names is given one. */
struct hd_model_rules;
struct hd_model_rules *
hd_model_rules_read(struct hd_asked *, const struct hd_resolved *, struct hd_problem *);
/* The smallest power of two of GPUs on which the weights leave a tenth of the usable
 * memory for KV, on the roomiest kind of the fleet; 0: none up to its nodes' size. */
int hd_default_tp(const struct hd_question *, const struct hd_model_spec *);
bool hd_model_rules_apply(const struct hd_model_rules *, struct hd_resolved *,
                          struct hd_problem *);
void hd_model_rules_free(struct hd_model_rules *);

#endif
