/* The output directory: inputs, settings, policies, results. */
#include <sha256.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/home.h"
#include "base/mem.h"
#include "base/sha256.h"
#include "plan/report_parts.h"
#include "plan/report_schema.h"

static const char bundle_name[] = "bundle.json";

/* One file that a result depends on. */
static void input_json(struct hd_json *j, const char *kind, const char *name,
                       const char *path, const char *sha256) {
    char digest[HD_SHA256_TEXT_BYTES];
    struct stat is;
    hd_json_inline_object(j, NULL);
    hd_json_text(j, "kind", kind);
    hd_json_text(j, "name", name);
    if (!sha256 && path) sha256 = hd_sha256_file(path, digest);
    hd_json_text(j, "sha256", sha256);
    if (path && stat(path, &is) == 0)
        hd_json_int(j, "bytes", is.st_size);
    else
        hd_json_null(j, "bytes");
    hd_json_null(j, "licence"); /* no input states one that a program can read */
    hd_json_close(j);
}

/* One that ships with hotdesk. */
static void shipped_json(struct hd_json *j, const char *kind, const char *part) {
    char *path = hd_home_path(part);
    if (hd_file_exists(path)) input_json(j, kind, part, path, NULL);
    free(path);
}

static void calibration_json(struct hd_json *j, const struct hd_gpu_spec *gpu,
                             const struct hd_engine_profile *engine) {
    char *part[HD_CALIBRATION_FILES_MAX];
    int files = hd_calibration_files(gpu, engine, part);
    for (int n = 0; n < files; n++) {
        shipped_json(j, "calibration", part[n]);
        free(part[n]);
    }
}

/* A scenario is named by its file; where it lay is nobody's business. */
static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Says all that the result depends on, so that two results with the same bundle hold
 * the same bytes. */
static char *bundle_text(const struct hd_report *report, bool complete) {
    const struct hd_question *q = report->question;
    char *text;
    size_t bytes;
    FILE *memory = hd_text_stream(&text, &bytes);
    struct hd_json j;
    hd_json_start(&j, memory);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "schema", HD_SCHEMA_BUNDLE);
    hd_json_text(&j, "version", HD_VERSION);
    hd_json_bool(&j, "complete", complete);
    hd_json_text(&j, "command", q->command);
    hd_json_array(&j, "inputs");
    input_json(&j, "trace", q->trace->name, q->trace->path, q->trace->sha256);
    if (q->scenario_path)
        input_json(&j, "scenario", last_part(q->scenario_path), q->scenario_path,
                   *q->scenario_sha256 ? q->scenario_sha256 : NULL);
    shipped_json(&j, "catalogue", "sim/catalog/gpus.csv");
    shipped_json(&j, "catalogue", "sim/catalog/models.csv");
    shipped_json(&j, "catalogue", "sim/catalog/engines.csv");
    for (int i = 0; i < q->parts; i++) calibration_json(&j, q->part[i].gpu, q->engine);
    for (int i = 0; i < q->policies; i++) {
        char *name = hd_format("policies/%s.lua", q->policy[i].label);
        hd_json_inline_object(&j, NULL);
        hd_json_text(&j, "kind", "policy");
        hd_json_text(&j, "name", name);
        hd_json_text(&j, "sha256", q->policy[i].script->sha256);
        hd_json_int(&j, "bytes", (int64_t)q->policy[i].script->length);
        hd_json_null(&j, "licence");
        hd_json_close(&j);
        free(name);
    }
    hd_json_close(&j);
    hd_report_question_json(report, "question", &j);
    hd_json_close(&j);
    hd_json_finish(&j);
    hd_text_stream_end(memory, &text);
    return text;
}

struct hd_outdir *hd_report_begin(const struct hd_report *report, const char *path,
                                  bool force, bool *same, struct hd_err *err) {
    char *mark[2] = {bundle_text(report, true), bundle_text(report, false)};
    int again = -1;
    struct hd_outdir *dir = hd_outdir_begin(path, force, bundle_name,
                                            (const char *const *)mark, 2, &again, err);
    if (same) *same = again == 0;
    free(mark[0]);
    free(mark[1]);
    return dir;
}

static bool put_machine(const struct hd_machine *machine, struct hd_outdir *dir,
                        struct hd_err *err) {
    static const char name[] = "machine.json";
    FILE *f = hd_outdir_open(dir, name, err);
    if (!f) return false;
    struct utsname host;
    bool known = uname(&host) == 0;
    struct hd_json j;
    hd_json_start(&j, f);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "schema", HD_SCHEMA_MACHINE);
    hd_json_real(&j, "wall_s", machine->wall_s);
    hd_json_text(&j, "host", known ? host.nodename : NULL);
    hd_json_text(&j, "system", known ? host.release : NULL);
    hd_json_text(&j, "architecture", known ? host.machine : NULL);
    hd_json_int(&j, "cores", sysconf(_SC_NPROCESSORS_ONLN));
    hd_json_int(&j, "jobs", machine->jobs);
    hd_json_text(&j, "compiler", __VERSION__);
    hd_json_close(&j);
    hd_json_finish(&j);
    return hd_outdir_close(dir, f, name, err);
}

/* What every command's directory holds. */
static bool put_common(const struct hd_report *report, bool complete,
                       const struct hd_machine *machine, struct hd_outdir *dir,
                       struct hd_err *err) {
    const struct hd_question *q = report->question;
    char *bundle = bundle_text(report, complete);
    bool ok = hd_outdir_put(dir, bundle_name, bundle, err);
    free(bundle);
    if (ok && report->scenario)
        ok = hd_outdir_put(dir, "scenario.lua", report->scenario, err);
    for (int i = 0; i < q->policies && ok; i++) {
        char *name = hd_format("policies/%s.lua", q->policy[i].label);
        FILE *f = hd_outdir_open(dir, name, err);
        ok = f != NULL;
        if (f) {
            fwrite(q->policy[i].script->source, 1, q->policy[i].script->length, f);
            ok = hd_outdir_close(dir, f, name, err);
        }
        free(name);
    }
    return ok && put_machine(machine, dir, err);
}

static bool commit_or_abort(bool ok, struct hd_outdir *dir, struct hd_err *err) {
    if (ok) return hd_outdir_commit(dir, err);
    hd_outdir_abort(dir);
    return false;
}

bool hd_report_write_run(const struct hd_report *report, const struct hd_run_record *r,
                         const struct hd_machine *machine, struct hd_outdir *dir,
                         struct hd_err *err) {
    bool ok = put_common(report, hd_run_is_complete(r), machine, dir, err);
    struct hd_run_record same = *r;
    same.profile.timed = false; /* it differs from run to run, and a result may not */
    FILE *f = ok ? hd_outdir_open(dir, "run.json", err) : NULL;
    if (f) {
        hd_report_run_json(report, &same, f);
        ok = hd_outdir_close(dir, f, "run.json", err);
    } else {
        ok = false;
    }
    f = ok ? hd_outdir_open(dir, "time.csv", err) : NULL;
    if (f) hd_report_time_csv(report, &same, f);
    ok = f && hd_outdir_close(dir, f, "time.csv", err);
    return commit_or_abort(ok, dir, err);
}

/* runs/POLICY-ATTAIN-N/run.json of every answer. */
static bool put_runs(const struct hd_report *report, const struct hd_comparison *c,
                     struct hd_outdir *dir, struct hd_err *err) {
    bool ok = true;
    for (int i = 0; i < c->answers && ok; i++) {
        const struct hd_answer *a = &c->answer[i];
        if (!a->record) continue;
        struct hd_criterion criterion = {report->question->metric, a->rule, a->attain};
        char *folder = hd_run_folder(report->question, a);
        char *name = hd_format("%s/run.json", folder);
        FILE *f = hd_outdir_open(dir, name, err);
        ok = f != NULL;
        if (f) {
            hd_report_judged_json(report, a->record, &criterion, false, f);
            ok = hd_outdir_close(dir, f, name, err);
        }
        free(name);
        free(folder);
    }
    return ok;
}

static bool put_result(const struct hd_report *report, const struct hd_comparison *c,
                       const char *name,
                       bool (*write)(const struct hd_report *,
                                     const struct hd_comparison *, FILE *),
                       struct hd_outdir *dir, struct hd_err *err) {
    FILE *f = hd_outdir_open(dir, name, err);
    if (!f) return false;
    write(report, c, f);
    return hd_outdir_close(dir, f, name, err);
}

bool hd_report_write_comparison(const struct hd_report *report,
                                const struct hd_comparison *c,
                                const struct hd_machine *machine, struct hd_outdir *dir,
                                struct hd_err *no_figure, struct hd_err *err) {
    bool ok =
        put_common(report, c->complete, machine, dir, err) &&
        put_result(report, c, "compare.csv", hd_report_comparison_csv, dir, err) &&
        put_result(report, c, "compare.json", hd_report_comparison_json, dir, err) &&
        put_runs(report, c, dir, err) &&
        hd_report_chart(report, c, dir, no_figure, err);
    return commit_or_abort(ok, dir, err);
}
