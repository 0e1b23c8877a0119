/* Runs one scene once. */
#include "plan/once.h"

#include <stdlib.h>
#include <string.h>

#include "base/wall.h"
#include "plan/setup_state.h"
#include "policy/builtin.h"

static bool hopeless(void *context, const struct hd_measure *m) {
    struct hd_watch *w = context;
    int64_t ended = 0;
    for (int s = 0; s < HD_STATUSES; s++) ended += m->finished[s];
    uint32_t left = w->open;
    for (int c = 0; c < w->criteria; c++) {
        if (w->lost_at[c] == INT64_MAX && hd_cannot_pass(m, &w->criterion[c]))
            w->lost_at[c] = ended;
        if (w->lost_at[c] != INT64_MAX) left &= ~(1u << c);
    }
    return w->open && !left;
}

struct ear {
    const struct hd_views *views;
    struct hd_scene *scene;
    struct hd_late *late;
};

static void heard(void *context, const struct hd_finished *f) {
    struct ear *e = context;
    if (e->late) hd_late_add(e->late, f);
    if (!e->views->on_finished && !e->views->timeline) return;
    struct hd_finished with_row = *f;
    if (e->scene->alone < 0) with_row.id = hd_setup_row(e->scene->setup, f->id);
    if (e->views->timeline)
        hd_timeline_finished(e->views->timeline, &with_row, with_row.id);
    if (e->views->on_finished)
        e->views->on_finished(e->views->on_finished_context, &with_row);
}

static struct hd_policy *make_policy(const struct hd_question *q, int policy,
                                     struct hd_err *err) {
    if (policy == HD_POLICY_FIXED) return hd_builtin_new(HD_BUILTIN_DEDICATED, 0, 1);
    return hd_script_new(q->policy[policy].script, q->policy[policy].values, err);
}

static void watch(struct hd_watch *w, struct hd_measure *m) {
    for (int c = 0; c < w->criteria; c++) w->lost_at[c] = INT64_MAX;
    w->passes = 0;
    m->hopeless = hopeless;
    m->hopeless_context = w;
}

static void judge(struct hd_watch *w, const struct hd_outcome *o) {
    for (int c = 0; c < w->criteria; c++) {
        if (o->end == HD_RUN_CANNOT) w->lost_at[c] = 0;
        if (hd_outcome_whole(o) && hd_passes(o->measure, &w->criterion[c]))
            w->passes |= 1u << c;
    }
}

static struct hd_profile profile(const struct hd_policy *p, int64_t run_ns) {
    enum { LOOKS = 1000 };
    struct hd_profile f = {.timed = true, .run_s = (double)run_ns * 1e-9};
    memcpy(f.calls, hd_script_calls(p), sizeof f.calls);
    for (int c = 0; c < HD_CALLBACKS; c++)
        f.callback_s[c] = (double)hd_script_ns(p)[c] * 1e-9;
    int64_t since = hd_wall_ns(), now = since;
    for (int n = 0; n < LOOKS; n++) now = hd_wall_ns();
    f.clock_s = (double)(now - since) * 1e-9 / LOOKS;
    return f;
}

static int64_t row_of(const void *setup, int64_t id) {
    return hd_setup_row(setup, id);
}

void hd_once(struct hd_scene *scene, int policy, const struct hd_views *views,
             struct hd_outcome *o) {
    memset(o, 0, sizeof *o);
    o->end = HD_RUN_FAILED;
    o->gpus = hd_scene_gpus(scene);
    o->measure = hd_setup_measure(scene->setup, scene->alone);
    if (views->watch) watch(views->watch, o->measure);
    if (views->late) o->late = hd_late_new(o->measure, scene->config.model);
    struct ear ear = {views, scene, o->late};
    if (views->timeline)
        scene->config.observer =
            hd_timeline_observer(views->timeline, row_of, scene->setup);
    if (o->late || views->on_finished || views->timeline) {
        o->measure->on_finished = heard;
        o->measure->on_finished_context = &ear;
    }
    struct hd_policy *p = make_policy(scene->setup->question, policy, &o->err);
    if (p) {
        bool timed = views->profile && policy != HD_POLICY_FIXED;
        if (timed) hd_script_time(p);
        int64_t since = hd_wall_ns();
        o->end = hd_run(&scene->config, p, o->measure, &o->note, &o->err);
        if (timed) o->profile = profile(p, hd_wall_ns() - since);
        if (policy == HD_POLICY_FIXED)
            hd_builtin_free(p);
        else
            hd_script_end(p);
    }
    o->measure->on_finished = NULL;
    o->measure->hopeless = NULL;
    o->measure->on_finished_context = o->measure->hopeless_context = NULL;
    if (views->watch) judge(views->watch, o);
    if (views->timings) o->timing = hd_scene_timings(scene, &o->timings);
}

void hd_outcome_free(struct hd_outcome *o) {
    hd_measure_free(o->measure);
    hd_late_free(o->late);
    free(o->timing);
    o->measure = NULL;
    o->late = NULL;
    o->timing = NULL;
}

void hd_outcome_record(struct hd_outcome *o, const struct hd_setup *s, int policy,
                       double scale, int *replicas, struct hd_run_record *record) {
    *record = (struct hd_run_record){.policy = policy,
                                     .scale = scale,
                                     .gpus = o->gpus,
                                     .replicas = replicas,
                                     .end = o->end,
                                     .measure = o->measure,
                                     .note = o->note,
                                     .err = o->err,
                                     .timings = o->timings,
                                     .timing = o->timing,
                                     .load = hd_setup_load(s),
                                     .profile = o->profile};
    if (o->late && hd_outcome_whole(o))
        record->limit = hd_late_limit(o->late, o->measure, NULL);
    o->measure = NULL;
    o->timing = NULL;
}

bool hd_outcome_whole(const struct hd_outcome *o) {
    return o->end == HD_RUN_WHOLE || o->end == HD_RUN_STALLED;
}
