/* Files for the targets, and how they complain. */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stddef.h>

#include "base/err.h"

/* Ends the process with a word unless it holds. */
#define fuzz_require(holds, ...)                                                       \
    do {                                                                               \
        if (!(holds)) fuzz_complain(__FILE__, __LINE__, __VA_ARGS__);                  \
    } while (0)
_Noreturn void fuzz_complain(const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A file in memory that holds these bytes, and its path, the same one for each number:
 * what it held before is gone. */
enum { FUZZ_FILES = 4 };
const char *fuzz_file(int number, const void *bytes, size_t count);

/* A folder with the parts of the bytes, which lines "%%" separate, in files of these
 * names; a part that is not there is no file. It goes when the process ends. */
const char *fuzz_folder(const char *const *name, int names, const void *bytes,
                        size_t count);

/* One line for a person, of printable characters, with a place. */
void fuzz_check_error(const struct hd_err *);

/* Whether both are in one piece the same. */
void fuzz_same_bytes(const char *what, const void *a, size_t a_bytes, const void *b,
                     size_t b_bytes);

#endif
