/* Scripts on miniature workloads. */
#include "policy_world.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/text.h"
#include "plan/check_world.h"

struct hd_script *policy_script(const char *source, char *text, size_t size) {
    char folder[] = P_tmpdir "/hotdesk_XXXXXX", before[PATH_MAX];
    struct hd_err err = {""};
    struct hd_script *s = NULL;
    if (mkdtemp(folder) && getcwd(before, sizeof before) && chdir(folder) == 0) {
        FILE *file = fopen("t.lua", "w");
        if (file && fwrite(source, 1, strlen(source), file) == strlen(source) &&
            fclose(file) == 0)
            s = hd_script_load("t.lua", &err);
        unlink("t.lua");
        if (chdir(before) != 0) abort();
        rmdir(folder);
    }
    snprintf(text, size, "%s", err.text);
    return s;
}

static void digest(uint64_t *d, const void *bytes, size_t count) {
    for (size_t n = 0; n < count; n++)
        *d = (*d ^ ((const unsigned char *)bytes)[n]) * 1099511628211U;
}

static void on_finished(void *context, const struct hd_finished *f) {
    struct policy_outcome *o = context;
    o->done += f->status == HD_STATUS_DONE;
    o->rejected += f->status == HD_STATUS_REJECTED;
    o->unfinished += f->status == HD_STATUS_UNFINISHED;
    o->too_long += f->status == HD_STATUS_TOO_LONG;
    int64_t numbers[] = {f->id,
                         f->instance,
                         f->status,
                         f->emitted_tokens,
                         f->tokens_on_time,
                         f->first_token,
                         f->last_token,
                         f->gap_longest,
                         f->preempted};
    digest(&o->digest, numbers, sizeof numbers);
    digest(&o->digest, f->blame, sizeof f->blame);
}

struct policy_outcome policy_run(const struct hd_script *script,
                                 const struct hd_param_values *values, int workload,
                                 bool step) {
    struct policy_outcome o = {.end = HD_RUN_FAILED, .digest = 14695981039346656037U};
    struct hd_err err = {""}, note = {""};
    struct hd_policy *policy = hd_script_new(script, values, &err);
    if (policy) {
        struct hd_mini *w = hd_alloc(sizeof *w);
        int64_t requests[HD_MINI_MODELS_MAX] = {0}, tokens[HD_MINI_MODELS_MAX] = {0};
        hd_mini_make(w, workload);
        w->config.step = step;
        struct hd_expected expected = {w->config.models, requests, tokens};
        struct hd_measure *m = hd_measure_new(&expected, 0, w->config.to);
        m->on_finished = on_finished;
        m->on_finished_context = &o;
        o.end = hd_run(&w->config, policy, m, &note, &err);
        int64_t numbers[] = {m->iterations, m->switches, m->callbacks, m->end};
        digest(&o.digest, numbers, sizeof numbers);
        memcpy(o.calls, hd_script_calls(policy), sizeof o.calls);
        hd_measure_free(m);
        hd_mini_free(w);
        free(w);
        hd_script_end(policy);
    }
    snprintf(o.text, sizeof o.text, "%s", err.text);
    snprintf(o.note, sizeof o.note, "%s", note.text);
    return o;
}

struct policy_outcome policy_run_text(const char *source, int workload, bool step) {
    struct policy_outcome o = {.end = HD_RUN_FAILED};
    struct hd_script *s = policy_script(source, o.text, sizeof o.text);
    if (!s) return o;
    o = policy_run(s, NULL, workload, step);
    hd_script_free(s);
    return o;
}

char *policy_file(const char *part) {
    struct hd_err err = {""};
    size_t length;
    char *path = hd_home_path(part), *text = hd_read_text(path, 1 << 20, &length, &err);
    if (!text) {
        fprintf(stderr, "%s\n", err.text);
        abort();
    }
    free(path);
    return text;
}

char *policy_extended(const char *name, const char *more) {
    char *part = hd_format("policies/%s.lua", name), *text = policy_file(part);
    char *last = NULL;
    for (char *at = text; (at = strstr(at, "\nreturn P")); at++) last = at;
    if (!last) abort();
    char *whole = hd_format("%.*s\n%s\nreturn P\n", (int)(last - text), text, more);
    free(part);
    free(text);
    return whole;
}
