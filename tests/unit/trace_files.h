/* Small files for the tests of the trace room. */
#ifndef TESTS_TRACE_FILES_H
#define TESTS_TRACE_FILES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A file of those bytes, always the same one of this process. */
static inline const char *file_of_bytes(const void *bytes, size_t count) {
    static char path[64];
    snprintf(path, sizeof path, "/tmp/hd-trace-test-%ld.csv", (long)getpid());
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
    return path;
}

static inline const char *file_of(const char *text) {
    return file_of_bytes(text, strlen(text));
}

static inline int remove_file(void **state) {
    (void)state;
    unlink(file_of_bytes("", 0));
    return 0;
}

/* The message is one line, names the file and contains what is expected. */
static inline void assert_says(const char *message, const char *expected) {
    if (!strstr(message, expected))
        fail_msg("message: '%s'\nexpected in it: '%s'", message, expected);
    assert_null(strchr(message, '\n'));
}

#endif
