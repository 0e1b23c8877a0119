/* Words: the nearest name to a misspelt one, which bytes are UTF-8, and text of any
 * length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"

static void nearest_name(void **state) {
    (void)state;
    static const char *const names[] = {"dedicated", "serverless", "aegaeon"};
    assert_string_equal(hd_nearest("agaeon", names, 3), "aegaeon");
    assert_string_equal(hd_nearest("dedicate", names, 3), "dedicated");
    assert_null(hd_nearest("x", names, 3));
    assert_null(hd_nearest("aegaeon", NULL, 0));
    /* However long a word is, it is not near to everything. */
    char word[1000];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    assert_null(hd_nearest(word, names, 3));
    word[64] = '\0';
    assert_null(hd_nearest(word, names, 3));
}

static void first_error_wins(void **state) {
    (void)state;
    struct hd_err err = {0};
    assert_false(hd_fail(&err, "the %s", "cause"));
    assert_false(hd_fail(&err, "a consequence"));
    assert_string_equal(err.text, "the cause");
    assert_false(hd_fail(NULL, "nobody listens"));
}

/* Also where the message is cut off within a character. */
static void one_printable_line(void **state) {
    (void)state;
    struct hd_err err = {0};
    hd_fail(&err, "%s", "a\nb\033[2J\x7f caf\xc3\xa9 caf\xe9 \xe2\x82");
    assert_string_equal(err.text, "a?b?[2J? caf\xc3\xa9 caf? ??");
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text + sizeof err.text - 2, "\xc3\xa9", 2);
    err = (struct hd_err){0};
    hd_fail(&err, "%s", text);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(err.text[sizeof err.text - 2], '?');
}

/* Every lead and second byte against what the definition says, decoded plainly. */
static void utf8_sequences(void **state) {
    (void)state;
    for (unsigned first = 1; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            char text[] = {(char)first, (char)second, (char)0xBF, (char)0xBF, '\0'};
            int bytes = first < 0x80   ? 1
                        : first < 0xC0 ? 0
                        : first < 0xE0 ? 2
                        : first < 0xF0 ? 3
                        : first < 0xF8 ? 4
                                       : 0;
            unsigned long code = bytes > 1 ? first & (0x7Fu >> bytes) : first;
            for (int n = 1; n < bytes; n++) {
                unsigned char next = (unsigned char)text[n];
                if ((next & 0xC0) != 0x80) {
                    bytes = 0;
                    break;
                }
                code = code << 6 | (next & 0x3F);
            }
            static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
            if (bytes > 1 && (code < least[bytes] || code > 0x10FFFF ||
                              (code >= 0xD800 && code < 0xE000)))
                bytes = 0;
            assert_int_equal(hd_utf8_bytes(text), bytes);
        }
    assert_int_equal(hd_utf8_bytes("\xE2\x82"), 0); /* ends too early */
    assert_int_equal(hd_utf8_bytes(""), 1);
}

static void text_of_any_length(void **state) {
    (void)state;
    char *text;
    size_t bytes;
    FILE *stream = hd_text_stream(&text, &bytes);
    for (int n = 0; n < 10000; n++) fprintf(stream, "%d,", n % 10);
    hd_text_stream_end(stream, &text);
    assert_int_equal(bytes, 20000);
    assert_int_equal(strlen(text), 20000);
    free(text);
    stream = hd_text_stream(&text, &bytes);
    hd_text_stream_end(stream, &text);
    assert_string_equal(text, "");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nearest_name),       cmocka_unit_test(first_error_wins),
        cmocka_unit_test(one_printable_line), cmocka_unit_test(utf8_sequences),
        cmocka_unit_test(text_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
