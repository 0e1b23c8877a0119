/* Output directories are whole or not there; figures too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "output/figure.h"
#include "output/outdir.h"

static char root[] = "/tmp/hotdesk-out-XXXXXX";
static char *dir; /* below root, not there at the start of a test */

static int make_root(void **state) {
    (void)state;
    strcpy(root, "/tmp/hotdesk-out-XXXXXX");
    if (!mkdtemp(root)) return -1;
    dir = hd_format("%s/a/result", root);
    return 0;
}

static int remove_root(void **state) {
    (void)state;
    char *command = hd_format("rm -rf %s", root);
    int failed = system(command);
    free(command);
    free(dir);
    return failed;
}

/* Entries of a folder, hidden ones too. */
static int entries(const char *path) {
    DIR *d = opendir(path);
    if (!d) return -1;
    int count = -2; /* . and .. */
    while (readdir(d)) count++;
    closedir(d);
    return count;
}

static char *parent(void) {
    return hd_format("%s/a", root);
}

static void assert_holds(const char *name, const char *text) {
    char *path = hd_format("%s/%s", dir, name), line[256] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t got = fread(line, 1, sizeof line - 1, f);
    fclose(f);
    line[got] = '\0';
    assert_string_equal(line, text);
    free(path);
}

static void make(const char *marker, bool force) {
    struct hd_err err = {""};
    const char *mark[] = {marker};
    struct hd_outdir *out =
        hd_outdir_begin(dir, force, "bundle.json", mark, 1, NULL, &err);
    assert_non_null(out);
    assert_true(hd_outdir_put(out, "bundle.json", marker, &err));
    assert_true(hd_outdir_put(out, "runs/one/run.json", "{}", &err));
    assert_true(hd_outdir_commit(out, &err));
    assert_string_equal(err.text, "");
}

static void appears_whole(void **state) {
    (void)state;
    struct hd_err err = {""};
    char *above = parent();
    struct hd_outdir *out =
        hd_outdir_begin(dir, false, "bundle.json", NULL, 0, NULL, &err);
    assert_non_null(out);
    assert_true(hd_outdir_put(out, "runs/one/run.json", "{}", &err));
    assert_true(access(dir, F_OK) != 0); /* not under its name yet */
    assert_int_equal(entries(above), 1);
    assert_true(hd_outdir_commit(out, &err));
    assert_holds("runs/one/run.json", "{}");
    assert_int_equal(entries(above), 1); /* and nothing beside it */
    free(above);
}

static void abort_leaves_nothing(void **state) {
    (void)state;
    struct hd_err err = {""};
    char *above = parent();
    struct hd_outdir *out =
        hd_outdir_begin(dir, false, "bundle.json", NULL, 0, NULL, &err);
    assert_true(hd_outdir_put(out, "runs/one/run.json", "{}", &err));
    assert_int_equal(entries(above), 1);
    hd_outdir_abort(out);
    assert_int_equal(entries(root), 0); /* nor the folder that was made above it */
    mkdir(above, 0777);
    hd_outdir_abort(hd_outdir_begin(dir, false, "bundle.json", NULL, 0, NULL, &err));
    assert_int_equal(entries(root), 1); /* one that was there stays */
    hd_outdir_abort(NULL);
    free(above);
}

static void replaces_only_its_own(void **state) {
    (void)state;
    struct hd_err err = {""};
    const char *mark[] = {"first", "second"};
    int again = 7;
    make("second", false);
    /* the same inputs: fine, and it is said which */
    struct hd_outdir *out =
        hd_outdir_begin(dir, false, "bundle.json", mark, 2, &again, &err);
    assert_non_null(out);
    assert_int_equal(again, 1);
    assert_true(hd_outdir_put(out, "bundle.json", "first", &err));
    assert_true(hd_outdir_commit(out, &err));
    assert_holds("bundle.json", "first");
    char *old = hd_format("%s/runs", dir);
    assert_true(access(old, F_OK) != 0); /* nothing of the old one is mixed in */
    free(old);
    /* other inputs: refused, what is there stays */
    const char *other[] = {"third"};
    assert_null(hd_outdir_begin(dir, false, "bundle.json", other, 1, &again, &err));
    assert_non_null(strstr(err.text, "--force"));
    assert_int_equal(again, -1);
    assert_holds("bundle.json", "first");
    /* unless forced */
    make("third", true);
    assert_holds("bundle.json", "third");
    char *above = parent();
    assert_int_equal(entries(above), 1);
    free(above);
}

/* A folder that holds something else is never touched, not even by force. */
static void spares_what_is_not_a_result(void **state) {
    (void)state;
    struct hd_err err = {""};
    char *above = parent(), *file = hd_format("%s/thesis.txt", dir);
    mkdir(above, 0777);
    mkdir(dir, 0777);
    struct hd_outdir *out =
        hd_outdir_begin(dir, false, "bundle.json", NULL, 0, NULL, &err);
    assert_non_null(out); /* an empty one is fine */
    hd_outdir_abort(out);
    fclose(fopen(file, "w"));
    assert_null(hd_outdir_begin(dir, true, "bundle.json", NULL, 0, NULL, &err));
    assert_non_null(strstr(err.text, "no hotdesk result"));
    assert_true(access(file, F_OK) == 0);
    /* nor a file in the way */
    err.text[0] = '\0';
    assert_null(hd_outdir_begin(file, true, "bundle.json", NULL, 0, NULL, &err));
    assert_non_null(strstr(err.text, "is a file"));
    /* nor a place below a file */
    err.text[0] = '\0';
    char *below = hd_format("%s/result", file);
    assert_null(hd_outdir_begin(below, true, "bundle.json", NULL, 0, NULL, &err));
    assert_non_null(strstr(err.text, "Not a directory"));
    err.text[0] = '\0';
    assert_null(
        hd_outdir_begin("/proc/result", false, "bundle.json", NULL, 0, NULL, &err));
    assert_null(strchr(err.text, '\n'));
    assert_int_equal(entries(above), 1);
    free(below);
    free(file);
    free(above);
}

/* Killed in the middle, a program leaves no result under the name. */
static void killed_midway(void **state) {
    (void)state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        struct hd_err err = {""};
        struct hd_outdir *out =
            hd_outdir_begin(dir, false, "bundle.json", NULL, 0, NULL, &err);
        hd_outdir_put(out, "bundle.json", "half", &err);
        if (write(ready[1], "x", 1) == 1) pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(access(dir, F_OK) != 0);
    make("whole", false); /* what the dead one left is in nobody's way */
    assert_holds("bundle.json", "whole");
    close(ready[0]);
    close(ready[1]);
}

/* ---- figures ------------------------------------------------------------- */

static void put_file(const char *folder, const char *name, const char *text,
                     mode_t mode) {
    char *path = hd_format("%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
    free(path);
}

static bool there(const char *name) {
    char *path = hd_format("%s/%s", root, name);
    bool yes = access(path, F_OK) == 0;
    free(path);
    return yes;
}

/* Runs with `gnuplot` being what lies in root, or nothing. */
static bool draw(const char *gnuplot, struct hd_err *err) {
    static const char *const file[] = {"a.png", "b.pdf"};
    char *path = hd_strdup(getenv("PATH"));
    if (gnuplot) put_file(root, "gnuplot", gnuplot, 0755);
    char *with_root = hd_format("%s:/usr/bin:/bin", root);
    setenv("PATH", gnuplot ? with_root : root, 1);
    free(with_root);
    bool ok = hd_figure_draw(root, "plot.gp", file, 2, err);
    setenv("PATH", path, 1);
    free(path);
    return ok;
}

static void no_broken_pictures(void **state) {
    (void)state;
    static const struct {
        const char *gnuplot, *says;
    } row[] = {
        {NULL, "cannot be run"},
        {"#!/bin/sh\necho half >a.png; echo >&2; echo 'line 3: bad' >&2; exit 1\n",
         "failed: line 3: bad"},
        {"#!/bin/sh\necho half >a.png\n", "drew no b.pdf"},
        {"#!/bin/sh\n: >a.png; echo x >b.pdf\n", "drew no a.png"},
        {"#!/bin/sh\necho half >a.png; kill -9 $$\n", "failed"},
        {"#!/bin/sh\necho half >a.png; head -c 100000 /dev/zero >&2; exit 1\n",
         "failed"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct hd_err err = {""};
        assert_false(draw(row[i].gnuplot, &err));
        assert_non_null(strstr(err.text, row[i].says));
        assert_null(strchr(err.text, '\n'));
        assert_false(there("a.png") || there("b.pdf"));
    }
}

static void undates_pdf(void **state) {
    (void)state;
    struct hd_err err = {""};
    assert_true(draw("#!/bin/sh\necho $1 $2 >a.png\n"
                     "printf 'x /CreationDate (D:%s) y' \"20261231235959Z\" >b.pdf\n",
                     &err));
    char *path = hd_format("%s/b.pdf", root), text[128] = "";
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    free(path);
    assert_string_equal(text, "x /CreationDate (D:20000101000000Z) y");
    path = hd_format("%s/a.png", root);
    f = fopen(path, "r");
    assert_non_null(fgets(text, sizeof text, f));
    fclose(f);
    free(path);
    assert_string_equal(text, "-d plot.gp\n"); /* no start-up files of the user */
}

int main(void) {
#define EACH(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)
    const struct CMUnitTest tests[] = {
        EACH(appears_whole),         EACH(abort_leaves_nothing),
        EACH(replaces_only_its_own), EACH(spares_what_is_not_a_result),
        EACH(killed_midway),         EACH(no_broken_pictures),
        EACH(undates_pdf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
