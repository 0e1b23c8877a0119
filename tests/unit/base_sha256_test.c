/* SHA-256 against the standard's own examples (NIST FIPS 180-4, "SHA256" examples). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/sha256.h"

static void published_sums(void **state) {
    (void)state;
    static const struct {
        const char *data, *sum;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char text[HD_SHA256_TEXT_BYTES];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(hd_sha256_text(cases[i].data, strlen(cases[i].data), text),
                            cases[i].sum);
}

/* A million letters a, in pieces that do not fit its blocks, and as a file. */
static void in_pieces_and_of_a_file(void **state) {
    (void)state;
    static const char expected[] =
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    enum { LETTERS = 1000000 };
    char *letters = hd_alloc(LETTERS), text[HD_SHA256_TEXT_BYTES], path[64];
    memset(letters, 'a', LETTERS);
    struct hd_sha256 *sum = hd_sha256_begin();
    for (size_t at = 0, some; at < LETTERS; at += some) {
        some = at % 97 + 1;
        if (some > LETTERS - at) some = LETTERS - at;
        hd_sha256_add(sum, letters + at, some);
    }
    hd_sha256_end_text(sum, text);
    assert_string_equal(text, expected);
    snprintf(path, sizeof path, "/tmp/hd-sha256-test-%ld", (long)getpid());
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(letters, 1, LETTERS, file), LETTERS);
    fclose(file);
    assert_string_equal(hd_sha256_file(path, text), expected);
    unlink(path);
    assert_null(hd_sha256_file(path, text));
    assert_int_equal(errno, ENOENT);
    free(letters);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_sums),
        cmocka_unit_test(in_pieces_and_of_a_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
