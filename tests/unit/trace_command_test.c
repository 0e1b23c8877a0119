/* hotdesk trace: what goes to stdout, what to stderr, which exit code. */
#include <fcntl.h>

#include "base/mem.h"
#include "base/text.h"
#include "command/command.h"
#include "unit/trace_files.h"

#define HEADER "arrival_s,model,input_tokens,output_tokens\n"

static char *out, *err; /* of the last call */

static char *taken(const char *path) {
    struct hd_err why = {0};
    size_t bytes;
    char *text = hd_read_text(path, 1 << 20, &bytes, &why);
    if (!text) fail_msg("%s", why.text);
    unlink(path);
    return text;
}

/* Runs the command with its words, blanks between; FILE stands for the test file. */
static int run(const char *words) {
    char text[512], out_path[64], err_path[64], *word[16];
    snprintf(text, sizeof text, "%s", words);
    snprintf(out_path, sizeof out_path, "/tmp/hd-trace-out-%ld", (long)getpid());
    snprintf(err_path, sizeof err_path, "/tmp/hd-trace-err-%ld", (long)getpid());
    char file[64];
    snprintf(file, sizeof file, "/tmp/hd-trace-test-%ld.csv", (long)getpid());
    int count = 0;
    for (char *w = strtok(text, " "); w; w = strtok(NULL, " "))
        word[count++] = strcmp(w, "FILE") == 0 ? file : w;
    word[count] = NULL;
    fflush(stdout);
    fflush(stderr);
    int keep_out = dup(1), keep_err = dup(2);
    int to_out = open(out_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    int to_err = open(err_path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    dup2(to_out, 1);
    dup2(to_err, 2);
    int code = hd_command_trace(count, word);
    fflush(stdout);
    fflush(stderr);
    dup2(keep_out, 1);
    dup2(keep_err, 2);
    close(keep_out), close(keep_err), close(to_out), close(to_err);
    free(out);
    free(err);
    out = taken(out_path);
    err = taken(err_path);
    return code;
}

static int lines(const char *text) {
    int n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

/* Exit code, nothing on stdout, one line on stderr that says so. */
static void assert_refused(const char *words, int code, const char *says) {
    assert_int_equal(run(words), code);
    assert_string_equal(out, "");
    if (!strstr(err, says)) fail_msg("stderr: '%s', expected '%s'", err, says);
    assert_int_equal(strncmp(err, "hotdesk: ", 9), 0);
    assert_int_equal(lines(err), 1);
}

static void info_as_text(void **state) {
    (void)state;
    file_of(HEADER "1,a,10,20\n2,b,30,0\n4,a,50,60\n");
    assert_int_equal(run("trace info FILE"), 0);
    assert_string_equal(err, "");
    assert_non_null(strstr(out, "requests  3, 2 models, 3 s"));
    assert_non_null(strstr(out, "clock     1.000 s to 4.000 s"));
    assert_non_null(strstr(out, "top share 66.7 %"));
    assert_non_null(strstr(out, "1 row without output tokens, 0 without input"));
    assert_non_null(strstr(out, "\noutput"));
    assert_non_null(strstr(out, " 26.7 "));
    assert_null(strchr(out, '\033'));
}

static void info_as_json(void **state) {
    (void)state;
    file_of("# parts: all invented\n" HEADER "1,a,10,20\n2,b,30,0\n4,a,50,60\n");
    assert_int_equal(run("trace info --json FILE --service-time 2s"), 0);
    assert_string_equal(err, "");
    static const char *const parts[] = {
        "{\n  \"schema\": \"hotdesk.trace/1\",",
        "\"format\": \"native\"",
        "\"parts\": \"all invented\"",
        "\"made\": null",
        "\"rows_no_output\": 1",
        "\"span_s\": 3",
        "\"service_s\": 2",
        "\"mean_tokens\": 30",
        "{\"name\": \"a\", \"requests\": 2, \"gap_cv\": 0,",
    };
    const char *at = out;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        at = strstr(at, parts[i]); /* in this order */
        if (!at) fail_msg("no %s in: %s", parts[i], out);
    }
    file_of(HEADER "1,a,10,20\n"); /* what cannot be said is null */
    assert_int_equal(run("trace info --json FILE"), 0);
    assert_non_null(strstr(out, "\"gap_cv\": null"));
    assert_null(strstr(out, "nan"));
}

static void info_refused(void **state) {
    (void)state;
    file_of(HEADER "2,a,10,20\n1,b,30,0\n");
    assert_refused("trace info FILE", 1, ".csv:3: time runs backwards");
    assert_refused("trace info /nonexistent.csv", 1, "/nonexistent.csv: No such file");
    assert_refused("trace info", 2, "trace info: no file; expected one file");
    assert_refused("trace info FILE FILE", 2, "more than one file");
    assert_refused("trace info FILE --srt", 2, "the nearest is --sort");
    assert_refused("trace info FILE --jobs 1", 2, "no such option");
    assert_refused("trace info FILE --sort --format excel", 2,
                   "--format excel: no such");
    assert_refused("trace info FILE --sort --from 10", 2, "--from: '10' is not on");
    assert_refused("trace info FILE --service-time 10", 2, "needs a unit");
    assert_refused("trace info FILE --service-time 0s", 2, "lies outside");
    assert_refused("trace inof FILE", 2, "the nearest is info");
    assert_int_equal(run("trace info FILE --sort"), 0);
    assert_non_null(strstr(out, "sorted    1 row behind a later one in the file"));
}

static void help_and_usage(void **state) {
    (void)state;
    assert_int_equal(run("trace"), 2);
    assert_string_equal(out, "");
    assert_non_null(strstr(err, "usage: hotdesk trace info FILE"));
    assert_non_null(strstr(err, "hotdesk trace synth --help"));
    static const char *const asked[] = {"trace --help", "trace info --help",
                                        "trace synth -h", "trace fit --help",
                                        "trace compare --help"};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(run(asked[i]), 0);
        assert_string_equal(err, "");
        assert_non_null(strstr(out, "examples:"));
    }
}

#define RECIPE                                                                         \
    "return {models = 2, load = {rate_per_s = 3, span = '10s', label = 'invented'},"   \
    "popularity = {kind = 'shares', 0.5, 0.5, label = 'invented'},"                    \
    "arrivals = {kind = 'poisson', label = 'invented'},"                               \
    "input = {p50 = 5, mean = 7, min = 1, max = 90, label = 'invented'},"              \
    "output = {p50 = 5, mean = 7, min = 1, max = 90, label = 'invented'}}"

static void synth(void **state) {
    (void)state;
    file_of(RECIPE);
    assert_int_equal(run("trace synth FILE --seed 3"), 0);
    assert_string_equal(err, "");
    assert_int_equal(strncmp(out, "# parts: load invented, popularity invented", 43),
                     0);
    assert_non_null(strstr(out, " --seed 3 (recipe sha256 "));
    assert_non_null(strstr(out, "\n" HEADER));
    char *first = hd_strdup(out), path[64], words[128];
    snprintf(path, sizeof path, "/tmp/hd-trace-synth-%ld.csv", (long)getpid());
    snprintf(words, sizeof words, "trace synth FILE --seed 3 --out %s", path);
    assert_int_equal(run(words), 0);
    assert_string_equal(out, "");
    assert_refused(words, 1, "is there already; --force replaces it");
    struct hd_err why = {0};
    size_t bytes;
    char *written = hd_read_text(path, 1 << 20, &bytes, &why);
    assert_string_equal(written, first);
    free(written);
    unlink(path);
    assert_int_equal(run("trace synth FILE --seed 4"), 0);
    assert_string_not_equal(out, first);
    free(first);
    assert_refused("trace synth FILE --seed -1", 2, "--seed: -1 lies outside");
    assert_refused("trace synth FILE --force", 2, "--force: there is no --out");
    assert_refused("trace synth FILE --out /nonexistent/x.csv", 1,
                   "/nonexistent/x.csv: No such file");
    file_of("return {models = 2}");
    assert_refused("trace synth FILE", 1, "has no `load`");
    assert_refused("trace synth /nonexistent.lua", 1, "/nonexistent.lua");
}

static int clean(void **state) {
    free(out);
    free(err);
    return remove_file(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(info_as_text), cmocka_unit_test(info_as_json),
        cmocka_unit_test(info_refused), cmocka_unit_test(help_and_usage),
        cmocka_unit_test(synth),
    };
    return cmocka_run_group_tests(tests, NULL, clean);
}
