/* The output directory: what is in it, that other programs read it, that screen, CSV
 * and JSON say the same, and that it is the same bytes every time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/csv.h"
#include "base/mem.h"
#include "unit/report_world.h"

static char root[32];
static struct report_world world;

static int set_up(void **state) {
    (void)state;
    strcpy(root, "/tmp/hotdesk-files-XXXXXX");
    report_world_make(&world);
    return mkdtemp(root) ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char *command = hd_format("rm -rf %s", root);
    int failed = system(command);
    free(command);
    report_world_free(&world);
    return failed;
}

/* Runs a shell command inside root; its exit status. */
static int shell(const char *command) {
    char *all = hd_format("cd %s && { %s ; } >/dev/null", root, command);
    int status = system(all);
    free(all);
    return status;
}

/* The first line that a shell command prints inside root. */
static void shell_says(const char *command, char *line, int bytes) {
    char *all = hd_format("cd %s && %s", root, command);
    FILE *pipe = popen(all, "r");
    assert_non_null(pipe);
    if (!fgets(line, bytes, pipe)) *line = '\0';
    line[strcspn(line, "\n")] = '\0';
    pclose(pipe);
    free(all);
}

static bool have(const char *program) {
    char *command = hd_format("command -v %s >/dev/null", program);
    bool yes = system(command) == 0;
    free(command);
    return yes;
}

static struct hd_outdir *begin(const char *name, bool force, bool *same,
                               struct hd_err *err) {
    char *path = hd_format("%s/%s", root, name);
    struct hd_outdir *out = hd_report_begin(&world.report, path, force, same, err);
    free(path);
    return out;
}

static bool write_comparison(const char *name, struct hd_err *no_figure) {
    struct hd_err err = {""};
    static double wall_s = 1; /* differs every time, and must not be seen */
    struct hd_outdir *out = begin(name, false, NULL, &err);
    return out && hd_report_write_comparison(&world.report, &world.comparison,
                                             &(struct hd_machine){wall_s++, 2}, out,
                                             no_figure, &err);
}

static void same_bytes(void **state) {
    (void)state;
    struct hd_err no_figure = {""};
    report_world_compare(&world, 3);
    assert_true(write_comparison("a", &no_figure));
    sleep(1); /* a date in a figure would differ */
    assert_true(write_comparison("b", &no_figure));
    assert_int_equal(shell("diff -r -x machine.json a b"), 0);
    assert_int_not_equal(shell("cmp -s a/machine.json b/machine.json"), 0);
}

static void every_file_is_there(void **state) {
    (void)state;
    struct hd_err no_figure = {""};
    report_world_compare(&world, 3);
    world.policy[3].label = "o'hara `date` %d"; /* must not mean a thing to gnuplot */
    assert_true(write_comparison("a", &no_figure));
    static const char *const name[] = {
        "bundle.json",     "compare.csv",      "compare.json",
        "machine.json",    "scenario.lua",     "policies/aegaeon.lua",
        "figures/gpus.gp", "figures/gpus.dat", "runs/aegaeon-x1-model-0.9-8/run.json"};
    for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
        char *command = hd_format("test -s a/%s", name[i]);
        if (shell(command) != 0) fail_msg("%s is missing", name[i]);
        free(command);
    }
    assert_int_equal(shell("test $(ls a/runs | wc -l) = 44"), 0); /* 48 less 4 */
    if (have("gnuplot")) {
        assert_string_equal(no_figure.text, "");
        assert_int_equal(shell("test -s a/compare.png && test -s a/figures/gpus.pdf"),
                         0);
        /* a user can draw it again, and gets the same */
        assert_int_equal(
            shell("cp a/compare.png before.png && cd a/figures && "
                  "gnuplot gpus.gp && cmp ../compare.png ../../before.png"),
            0);
    }
}

static void no_gnuplot_no_picture(void **state) {
    (void)state;
    struct hd_err no_figure = {""};
    char *path = hd_strdup(getenv("PATH"));
    report_world_compare(&world, 1);
    setenv("PATH", root, 1);
    bool ok = write_comparison("a", &no_figure);
    setenv("PATH", path, 1);
    free(path);
    assert_true(ok);
    assert_non_null(strstr(no_figure.text, "gnuplot"));
    assert_null(strchr(no_figure.text, '\n'));
    assert_int_equal(shell("test ! -e a/compare.png && test ! -e a/figures/gpus.pdf && "
                           "test -s a/compare.csv && test -s a/figures/gpus.gp"),
                     0);
}

/* Results of other inputs are kept; the same inputs may be written again. */
static void knows_its_inputs(void **state) {
    (void)state;
    struct hd_err no_figure = {""}, err = {""};
    bool same = true;
    report_world_compare(&world, 1);
    hd_outdir_abort(begin("a", false, &same, &err));
    assert_false(same);
    world.comparison.complete = false; /* interrupted: the same command goes on */
    assert_true(write_comparison("a", &no_figure));
    hd_outdir_abort(begin("a", false, &same, &err));
    assert_false(same);
    world.comparison.complete = true;
    assert_true(write_comparison("a", &no_figure));
    hd_outdir_abort(begin("a", false, &same, &err));
    assert_true(same);
    assert_string_equal(err.text, "");
    world.question.seed = 2;
    assert_null(begin("a", false, &same, &err));
    assert_false(same);
    assert_non_null(strstr(err.text, "other inputs"));
    err.text[0] = '\0';
    hd_outdir_abort(begin("a", true, &same, &err));
    assert_string_equal(err.text, "");
}

static void json_is_read_by_others(void **state) {
    (void)state;
    struct hd_err no_figure = {""}, err = {""};
    if (!have("jq")) skip();
    struct hd_outdir *out = begin("run", false, NULL, &err);
    assert_true(hd_report_write_run(&world.report, &world.record,
                                    &(struct hd_machine){1, 2}, out, &err));
    assert_int_equal(
        shell("jq -e '.counts | .measured == .done + .rejected + .too_long + "
              ".empty + .unfinished' run/run.json"),
        0);
    assert_int_equal(shell("jq -e '[.gpu[]] | add - 1 | fabs < 1e-9' run/run.json"), 0);
    assert_int_equal(
        shell("jq -e '([.blame[]] | add) - .latency_s | fabs < 1e-9' run/run.json"), 0);
    assert_int_equal(shell("jq -e '[.models[].requests] | add == 310' run/run.json"),
                     0);
    /* the keys that scripts rely on, in their order */
    char keys[1024];
    shell_says("jq -r 'keys_unsorted | join(\" \")' run/run.json", keys, sizeof keys);
    assert_string_equal(
        keys,
        "schema version complete end error command inputs replicas window counts "
        "prefix pass attain ttft tbt tpot e2e gap_longest goodput tokens gpu gpu_hours "
        "gpu_time "
        "blame latency_s switches peak vram load cost limit observed models classes "
        "requirements warnings");
    report_world_compare(&world, 3);
    assert_true(write_comparison("a", &no_figure));
    assert_int_equal(
        shell("for f in $(find a -name '*.json'); do jq -e . $f || exit 1; "
              "done"),
        0);
    assert_int_equal(shell("jq -e '.schema == \"hotdesk.compare/1\" and .complete and "
                           "(.policy | length == 48)' a/compare.json"),
                     0);
}

/* Each number of compare.csv is the one of compare.json. */
static void csv_and_json_agree(void **state) {
    (void)state;
    static const struct {
        const char *csv, *json;
    } pair[] = {{"policy", ".policy"},
                {"gpus", ".gpus"},
                {"saved", ".saved"},
                {"attain_target", ".attain.target"},
                {"attain_pooled", ".attain.pooled"},
                {"attain_worst_model", ".attain.worst_model"},
                {"ttft_p99_s", ".ttft.p99_s"},
                {"tbt_p50_s", ".tbt.p50_s"},
                {"gap_longest_p99_s", ".gap_longest.p99_s"},
                {"busy_fraction", ".busy_fraction"},
                {"output_tokens", ".output_tokens"},
                {"timing_error_p50", ".timing.error_p50"},
                {"gpus_p50", ".gpus_p50"}};
    enum { PAIRS = sizeof pair / sizeof *pair };
    struct hd_err no_figure = {""}, err = {""};
    if (!have("jq")) skip();
    report_world_compare(&world, 3);
    assert_true(write_comparison("a", &no_figure));
    char *path = hd_format("%s/a/compare.csv", root);
    struct hd_csv *csv = hd_csv_open(path, &err);
    struct hd_csv_row row;
    assert_non_null(csv);
    assert_int_equal(hd_csv_next(csv, &row, &err), 1);
    int column[PAIRS], rows = 0;
    for (int i = 0; i < PAIRS; i++) {
        column[i] = hd_csv_column(&row, pair[i].csv);
        assert_true(column[i] >= 0);
    }
    char *command = hd_format("cd %s/a && jq -r '.policy[] | ", root);
    for (int i = 0; i < PAIRS; i++) {
        char *longer = hd_format("%s%s%s", command, i ? ", " : "", pair[i].json);
        free(command);
        command = longer;
    }
    char *all = hd_format("%s | . // \"\"' compare.json", command);
    FILE *jq = popen(all, "r");
    assert_non_null(jq);
    for (; hd_csv_next(csv, &row, &err) == 1; rows++) {
        for (int i = 0; i < PAIRS; i++) {
            char line[128], *end;
            assert_non_null(fgets(line, sizeof line, jq));
            line[strcspn(line, "\n")] = '\0';
            double number = strtod(line, &end);
            if (*line && !*end) /* jq may write a number in another way */
                assert_true(strtod(row.field[column[i]], NULL) == number);
            else
                assert_string_equal(row.field[column[i]], line);
        }
    }
    assert_int_equal(rows, 48);
    pclose(jq);
    hd_csv_close(csv);
    free(path);
    free(command);
    free(all);
}

/* compare.csv's columns are promised to scripts. */
static void columns_are_as_promised(void **state) {
    (void)state;
    static const char promised[] =
        "policy,policy_sha256,clairvoyant,params,tuned_trials,slo_scale,attain_target,"
        "metric,pass_rule,reached,gpus,gpus_replicates,gpus_p05,gpus_p50,gpus_p95,"
        "baseline_gpus,saved,saved_lo,saved_hi,reference_policy,diff_gpus,diff_lo,diff_"
        "hi,"
        "wins,bound_gpus,fails_above,attain_pooled,attain_mean_model,attain_p10_model,"
        "attain_worst_model,worst_model,judged_models,rare_models,ttft_p50_s,ttft_p90_"
        "s,"
        "ttft_p99_s,tbt_p50_s,tbt_p90_s,tbt_p99_s,gap_longest_p99_s,e2e_p50_s,e2e_p99_"
        "s,"
        "busy_fraction,switch_fraction,switches,output_tokens,output_tokens_per_s,gpu_"
        "hours,"
        "models_per_gpu,limit_window_s,limit_models,limit_resource,"
        "timing_measured_fraction,timing_error_p50,probes,probes_cut\n";
    static const char requests[] =
        "id,arrival_s,model,class,measured,status,input_tokens,output_tokens,"
        "tokens_on_time,ttft_s,tpot_s,e2e_s,gap_longest_s,queue_s,switch_s,prefill_s,"
        "kv_s,"
        "decode_s,wait_s,instance\n";
    char *text = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&text, &bytes);
    assert_true(hd_report_comparison_csv(&world.report, &world.comparison, memory));
    fclose(memory);
    assert_string_equal(text, promised);
    free(text);
    memory = open_memstream(&text, &bytes);
    struct hd_requests_csv csv;
    hd_requests_csv_start(&csv, &world.question, memory);
    assert_true(hd_csv_finish(&csv.writer));
    fclose(memory);
    assert_string_equal(text, requests);
    free(text);
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        EACH(same_bytes),
        EACH(every_file_is_there),
        EACH(no_gnuplot_no_picture),
        EACH(knows_its_inputs),
        EACH(json_is_read_by_others),
        EACH(csv_and_json_agree),
        EACH(columns_are_as_promised),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
