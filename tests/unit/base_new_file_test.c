/* Files that appear whole or not at all: kept, dropped, in the way of another, and on
 * a disk that is full. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/new_file.h"
#include "base/text.h"

static char folder[64], *path;

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s/hotdesk-XXXXXX", P_tmpdir);
    if (!mkdtemp(folder)) return -1;
    path = hd_format("%s/a.csv", folder);
    return 0;
}

/* Nothing but the file itself is left there. */
static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    free(path);
    return rmdir(folder);
}

static void assert_holds(const char *expected) {
    struct hd_err err = {0};
    size_t bytes;
    char *text = hd_read_text(path, 1 << 20, &bytes, &err);
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void put(const char *text, bool replace) {
    struct hd_err err = {0};
    struct hd_new_file f;
    assert_true(hd_new_file_begin(&f, path, replace, &err));
    fputs(text, f.stream);
    assert_true(hd_new_file_keep(&f, &err));
    hd_new_file_drop(&f);
}

static void kept_and_replaced(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_new_file f;
    put("one", false);
    assert_holds("one");
    assert_false(hd_new_file_begin(&f, path, false, &err));
    assert_non_null(strstr(err.text, "is there already"));
    put("two", true);
    assert_holds("two");
}

static void dropped(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_new_file f = {0};
    hd_new_file_drop(&f);
    assert_true(hd_new_file_begin(&f, path, false, &err));
    fputs("half", f.stream);
    hd_new_file_drop(&f);
    assert_int_equal(access(path, F_OK), -1);
    char *nowhere = hd_format("%s/none/a.csv", folder);
    assert_false(hd_new_file_begin(&f, nowhere, false, &err));
    assert_non_null(strstr(err.text, "No such file"));
    hd_new_file_drop(&f);
    free(nowhere);
}

static void full_disk(void **state) {
    (void)state;
    struct hd_err err = {0};
    struct hd_new_file f;
    struct rlimit before, little = {4096, RLIM_INFINITY};
    put("old", false);
    assert_true(hd_new_file_begin(&f, path, true, &err));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    little.rlim_max = before.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
    for (int n = 0; n < 10000; n++) fprintf(f.stream, "%d\n", n);
    bool kept = hd_new_file_keep(&f, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_false(kept);
    assert_non_null(strstr(err.text, "cannot be written"));
    assert_holds("old");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(kept_and_replaced, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(dropped, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(full_disk, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
