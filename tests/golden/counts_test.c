/* Whole numbers that must not change unnoticed: the bundled market under the shipped
 * policies, at sizes where they are comfortable and where they are not, against
 * tests/golden/counts.csv. Each run is also made one iteration at a time, and must
 * give the same run.json and requests.csv to the byte.
 *
 * After a change that is meant to change results,
 *     build/gcc/tests/golden/counts_test write
 * writes the file anew; read the difference before you keep it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/home.h"
#include "base/mem.h"
#include "command/session.h"
#include "plan/plan.h"

enum { COUNTS = 14, LINE_BYTES = 512, EXTRA = 8 };

static const char *const count_name[COUNTS] = {"done",
                                               "rejected",
                                               "too_long",
                                               "unfinished",
                                               "preempted",
                                               "tokens",
                                               "emitted",
                                               "tokens_on_time",
                                               "requests_ok",
                                               "iterations",
                                               "single_iterations",
                                               "switches",
                                               "hidden_switches",
                                               "callbacks"};

static const struct place {
    const char *policy, *fleet;
} places[] = {{"dedicated", "H100:40"},  {"serverless", "H100:13"},
              {"serverless", "H100:16"}, {"aegaeon", "H100:8"},
              {"aegaeon", "H100:10"},    {"aegaeon", "H100:16"}};

/* What each place is run with. Less memory for KV is what makes requests lose their
 * place: without it the bundled market never fills a pool. */
static const struct variant {
    const char *name;
    bool always; /* when checked, too */
    const char *option[EXTRA];
} variants[] = {
    {"plain", true, {NULL}},
    {"chunked", false, {"--chunk", "512"}},
    {"recompute", false, {"--gpu-memory", "0.37"}},
    {"swap", false, {"--gpu-memory", "0.37", "--preempt", "swap"}},
    {"chunked-swap",
     true,
     {"--gpu-memory", "0.37", "--preempt", "swap", "--chunk", "512"}},
    {"half-slo", false, {"--slo-scale", "0.5"}},
    {"cold", false, {"--host-cache", "cold", "--reinit", "2s", "--prefetch", "no"}},
    {"placed", false, {"--start", "placed", "--patience", "5s"}},
};

/* Two kinds of GPU; and one on which some models need two GPUs. */
static const struct place others[] = {{"dedicated", "H100:24+A10:32"},
                                      {"serverless", "H100:8+A10:16"},
                                      {"aegaeon", "H100:8+A10:16"},
                                      {"serverless", "A10:32"},
                                      {"aegaeon", "A10:32"}};

/* Models side by side on shared GPUs. */
static const struct place together[] = {
    {"muxserve", "H100:24"}, {"prism", "H100:10"}, {"timeslice", "H100:16"}};
static const struct variant side_by_side = {"side by side", false, {NULL}};

/* Where every invariant is checked and sanitizers look on, single iterations take
 * minutes: some of the rows there, and no twins. */
#ifdef HD_CHECKED
static const bool checked = true;
#else
static const bool checked = false;
#endif

static FILE *golden; /* counts.csv, at its next row */
static bool write_anew;
static int differences, runs;

/* ---- runs --------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t length;
};

struct made {
    int64_t count[COUNTS];
    struct text json, requests;
};

static void run(struct hd_session *s, bool step, struct made *out) {
    struct hd_question *q = &s->resolved.question;
    struct hd_run_record record;
    struct hd_requests_csv csv;
    struct hd_err err = {0};
    q->step = step;
    FILE *requests = open_memstream(&out->requests.bytes, &out->requests.length);
    hd_requests_csv_start(&csv, q, requests);
    if (!hd_replay(q, 0, q->scale[0], hd_requests_csv_row, &csv, NULL, &record, &err))
        fail_msg("%s", err.text);
    assert_true(hd_csv_finish(&csv.writer));
    fclose(requests);
    FILE *json = open_memstream(&out->json.bytes, &out->json.length);
    assert_true(hd_report_run_json(&s->report, &record, json));
    fclose(json);
    const struct hd_measure *m = record.measure;
    int64_t lost = m->measured;
    for (int i = 0; i < HD_STATUSES; i++) lost -= m->finished[i];
    assert_int_equal(lost, 0);
    const int64_t count[COUNTS] = {m->finished[HD_STATUS_DONE],
                                   m->finished[HD_STATUS_REJECTED],
                                   m->finished[HD_STATUS_TOO_LONG],
                                   m->finished[HD_STATUS_UNFINISHED],
                                   m->preempted,
                                   m->tokens,
                                   m->tokens_emitted,
                                   m->tokens_on_time,
                                   m->requests_ok,
                                   m->iterations,
                                   m->iterations_stepped,
                                   m->switches,
                                   m->switches_hidden,
                                   m->callbacks};
    memcpy(out->count, count, sizeof count);
    hd_run_record_free(&record);
}

static void made_free(struct made *m) {
    free(m->json.bytes);
    free(m->requests.bytes);
}

/* The first line in which they differ, into a failure. */
static void same_text(const char *name, const char *file, const struct text *fast,
                      const struct text *step) {
    const char *a = fast->bytes, *b = step->bytes;
    if (fast->length == step->length && memcmp(a, b, fast->length) == 0) return;
    int line = 1;
    while (*a && *a == *b) line += *a++ == '\n', b++;
    while (a > fast->bytes && a[-1] != '\n') a--, b--;
    print_error("%s, %s:%d: fast\n%.*s\nstep\n%.*s\n", name, file, line,
                (int)strcspn(a, "\n"), a, (int)strcspn(b, "\n"), b);
    differences++;
}

static void same_counts(const char *name, const struct made *fast,
                        const struct made *step) {
    for (int i = 0; i < COUNTS; i++) {
        if (strcmp(count_name[i], "single_iterations") == 0) continue;
        if (fast->count[i] == step->count[i]) continue;
        print_error("%s, %s: fast %lld, step %lld\n", name, count_name[i],
                    (long long)fast->count[i], (long long)step->count[i]);
        differences++;
    }
}

/* ---- the file ----------------------------------------------------------------- */

static void write_row(const char *name, const struct made *m) {
    fputs(name, golden);
    for (int i = 0; i < COUNTS; i++) fprintf(golden, ",%lld", (long long)m->count[i]);
    fputc('\n', golden);
}

/* The next row of the file is of that name and holds these counts; NULL: whatever. */
static void check_row(const char *name, const struct made *m) {
    char line[LINE_BYTES];
    size_t length = strlen(name);
    if (!fgets(line, sizeof line, golden)) fail_msg("counts.csv ends before %s", name);
    if (strncmp(line, name, length) != 0 || line[length] != ',')
        fail_msg("counts.csv has '%.60s' where %s belongs", line, name);
    char *at = line + length;
    for (int i = 0; m && i < COUNTS; i++) {
        if (*at != ',') fail_msg("counts.csv: the row of %s is too short", name);
        long long was = strtoll(at + 1, &at, 10);
        if (was == m->count[i]) continue;
        print_error("%s, %s: is %lld, was %lld\n", name, count_name[i],
                    (long long)m->count[i], was);
        differences++;
    }
    if (m && *at != '\n') fail_msg("counts.csv: the row of %s is too long", name);
}

/* One run, against the file and against its own twin. */
static void check(const char *name, const struct place *place,
                  const struct variant *variant) {
    static const struct hd_help help = {"", "", {NULL}};
    char *scenario = hd_home_path("traces/demo.lua");
    char *words[12 + EXTRA] = {
        "replay",   "--scenario",          scenario, "--fleet", (char *)place->fleet,
        "--policy", (char *)place->policy, "--json", "--quiet"};
    int count = 9;
    for (int i = 0; i < EXTRA && variant->option[i]; i++)
        words[count++] = (char *)variant->option[i];
    struct hd_session session;
    struct hd_problem problem = {0};
    if (!hd_session_begin(&session, HD_FOR_REPLAY, &help, count, words, &problem))
        fail_msg("%s: exit %d", name, hd_problem_print(&problem));
    struct made fast, step;
    run(&session, false, &fast);
    if (write_anew)
        write_row(name, &fast);
    else
        check_row(name, &fast);
    if (!checked) {
        run(&session, true, &step);
        same_counts(name, &fast, &step);
        same_text(name, "run.json", &fast.json, &step.json);
        same_text(name, "requests.csv", &fast.requests, &step.requests);
        made_free(&step);
    }
    made_free(&fast);
    hd_session_end(&session);
    free(scenario);
    runs++;
}

static void check_all(const struct place *place, size_t count,
                      const struct variant *variant) {
    for (size_t p = 0; p < count; p++) {
        char *name =
            hd_format("%s %s %s", place[p].policy, place[p].fleet, variant->name);
        if (checked && !variant->always)
            check_row(name, NULL);
        else
            check(name, &place[p], variant);
        free(name);
    }
}

static void counts(void **state) {
    (void)state;
    assert_false(checked && write_anew); /* not all rows would be there */
    for (size_t v = 0; v < sizeof variants / sizeof *variants; v++)
        check_all(places, sizeof places / sizeof *places, &variants[v]);
    check_all(others, sizeof others / sizeof *others, &variants[0]);
    check_all(together, sizeof together / sizeof *together, &side_by_side);
    print_message("%d runs%s\n", runs, checked ? "" : ", each twice");
    assert_int_equal(differences, 0);
}

static int open_golden(void **state) {
    (void)state;
    char *path = hd_home_path("tests/golden/counts.csv"), header[LINE_BYTES], *end;
    golden = fopen(path, write_anew ? "w" : "r");
    if (!golden) fail_msg("%s: %s", path, strerror(errno));
    free(path);
    end = header + sprintf(header, "case");
    for (int i = 0; i < COUNTS; i++) end += sprintf(end, ",%s", count_name[i]);
    if (write_anew) return fprintf(golden, "%s\n", header) < 0;
    char line[LINE_BYTES];
    if (!fgets(line, sizeof line, golden)) return 1;
    line[strcspn(line, "\n")] = '\0';
    assert_string_equal(line, header);
    return 0;
}

static int close_golden(void **state) {
    (void)state;
    bool more = !write_anew && fgetc(golden) != EOF;
    if (more) print_error("counts.csv has more rows\n");
    return fclose(golden) != 0 || more;
}

int main(int argc, char **argv) {
    write_anew = argc > 1 && strcmp(argv[1], "write") == 0;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts, open_golden, close_golden)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
