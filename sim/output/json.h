/* A JSON value written as it is made: keys stay in the order of the calls, so the
 * same result is the same bytes.
 *
 * Every call but the first at the top level sits inside an object (key given) or
 * an array (key NULL). Numbers are the shortest decimals that read back the same;
 * what is absent (NULL, NaN, infinity) is null. */
#ifndef HD_OUTPUT_JSON_H
#define HD_OUTPUT_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { HD_JSON_DEPTH_MAX = 16 };

struct hd_json {
    FILE *file;
    int depth;
    struct {
        bool array, any, inline_;
    } level[HD_JSON_DEPTH_MAX];
};

void hd_json_start(struct hd_json *, FILE *);

void hd_json_object(struct hd_json *, const char *key);
void hd_json_array(struct hd_json *, const char *key);
/* An array or object whose members stay on one line. */
void hd_json_inline_object(struct hd_json *, const char *key);
void hd_json_inline_array(struct hd_json *, const char *key);
void hd_json_close(struct hd_json *); /* the innermost array or object */

/* Bytes that are not UTF-8 become U+FFFD, so that the file always parses. */
void hd_json_text(struct hd_json *, const char *key, const char *text);
void hd_json_int(struct hd_json *, const char *key, int64_t);
void hd_json_real(struct hd_json *, const char *key, double);
void hd_json_bool(struct hd_json *, const char *key, bool);
void hd_json_null(struct hd_json *, const char *key);

/* Ends the value with a newline. False if the stream had an error. */
bool hd_json_finish(struct hd_json *);

enum { HD_REAL_TEXT_BYTES = 32 };
/* The shortest decimal that strtod reads back as x, into text; x is finite. */
void hd_shortest(double x, char text[HD_REAL_TEXT_BYTES]);

#endif
