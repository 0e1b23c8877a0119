/* One run, whole, on the fleet as asked. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "plan/compare.h"
#include "plan/late.h"
#include "plan/report_parts.h"

/* The needs of all models at one attainment; the caller frees it. NULL with one line
 * in err, or without when interrupted. */
static struct hd_need *all_needs(struct hd_setup *s, double scale, double attain,
                                 struct hd_err *err) {
    const struct hd_question *q = hd_setup_question(s);
    struct hd_need *need = hd_alloc(sizeof *need * (size_t)(q->models + 1));
    struct hd_effort effort = {0};
    for (int m = 0; m < q->models; m++) {
        if (hd_needs_of(s, m, scale, &attain, 1, &need[m], &effort, err)) continue;
        free(need);
        return NULL;
    }
    return need;
}

/* A run that does not pass owes its limit to the models that miss the target, not to
 * whoever has most late tokens. */
static void say_what_failed(const struct hd_question *q, const struct hd_late *late,
                            struct hd_run_record *record) {
    struct hd_criterion c = hd_report_criterion(q);
    if (hd_passes(record->measure, &c)) return;
    free(record->limit.models);
    record->limit = hd_late_limit(late, record->measure, &c);
}

bool hd_replay(const struct hd_question *q, int policy, double scale,
               void (*on_finished)(void *context, const struct hd_finished *),
               void *on_finished_context, struct hd_timeline *timeline,
               struct hd_run_record *record, struct hd_err *err) {
    memset(record, 0, sizeof *record);
    struct hd_setup *s = hd_setup_new(q, err);
    if (!s) return false;
    int *replicas = NULL;
    if (hd_reads_replicas(q->policy[policy].script)) {
        struct hd_need *need = all_needs(s, scale, q->attain[0], err);
        if (!need) {
            hd_setup_free(s);
            record->end = HD_RUN_INTERRUPTED;
            return !err->text[0];
        }
        replicas = hd_alloc(sizeof *replicas * (size_t)(q->models + 1));
        hd_replicas_on(s, q->part[0].gpus, need, replicas);
        free(need);
    }
    struct hd_scene scene;
    struct hd_outcome o;
    hd_scene_open(s, &(struct hd_case){scale, 0, -1, replicas}, &scene);
    hd_once(&scene, policy,
            &(struct hd_views){.late = true,
                               .timings = true,
                               .profile = q->profile,
                               .on_finished = on_finished,
                               .on_finished_context = on_finished_context,
                               .timeline = timeline},
            &o);
    hd_outcome_record(&o, s, policy, scale, replicas, record);
    if (hd_run_is_whole(record)) say_what_failed(q, o.late, record);
    hd_outcome_free(&o);
    hd_scene_close(&scene);
    hd_setup_free(s);
    if (record->end != HD_RUN_FAILED) return true;
    hd_fail(err, "%s", record->err.text);
    hd_run_record_free(record);
    memset(record, 0, sizeof *record);
    return false;
}
