/* Binary traces and what is written of a trace: every field comes back, a damaged file
 * never does, and a cut of the mapping is the cut of the text. */
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "market/rescale.h"
#include "trace/binary.h"
#include "trace/csv_write.h"
#include "trace/trace.h"
#include "unit/same_trace.h"
#include "unit/trace_files.h"

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* A trace of text, with whatever optional columns `columns` has bits for. */
static char *random_text(uint64_t seed, unsigned columns, bool dates) {
    char *text;
    size_t bytes;
    uint64_t s = seed, at = 0;
    FILE *out = hd_text_stream(&text, &bytes);
    fprintf(out,
            "# about: x, y\n# prefix_block_tokens: "
            "32\n%s,model,input_tokens,output_tokens%s%s%s%s\n",
            dates ? "arrival" : "arrival_s", columns & 1 ? ",session" : "",
            columns & 2 ? ",class" : "", columns & 4 ? ",deadline_s" : "",
            columns & 8 ? ",prefix" : "");
    int rows = 1 + (int)(next_random(&s) % 60);
    for (int i = 0; i < rows; i++) {
        at += next_random(&s) % 3 ? next_random(&s) % 1500000000 : 0;
        if (dates)
            fprintf(out, "2024-02-29 23:59:%02d.%09d", (int)(at / 1000000000 % 60),
                    (int)(at % 1000000000));
        else
            fprintf(out, "%d.%09d", (int)(at / 1000000000), (int)(at % 1000000000));
        int input = (int)(next_random(&s) % 100);
        fprintf(out, ",\"m,%d\",%d,%d", (int)(next_random(&s) % 5), input,
                (int)(next_random(&s) % 9));
        bool has = next_random(&s) % 4;
        if (columns & 1)
            has ? fprintf(out, ",u%d", (int)(next_random(&s) % 7)) : fputc(',', out);
        if (columns & 2)
            has ? fprintf(out, ",c%d", (int)(next_random(&s) % 3)) : fputc(',', out);
        if (columns & 4)
            has ? fprintf(out, ",%d.5", (int)(next_random(&s) % 9)) : fputc(',', out);
        if (columns & 8) fputc(',', out);
        for (int b = 0; columns & 8 && b < input / 32; b++)
            fprintf(out, " %d", (int)(next_random(&s) % 20));
        fputc('\n', out);
        if (dates && at > 50000000000) break;
    }
    hd_text_stream_end(out, &text);
    return text;
}

static struct hd_trace *load(const char *path, struct hd_trace_options asked) {
    struct hd_err err = {0};
    struct hd_trace *t = hd_trace_load(path, &asked, &err);
    if (!t) fail_msg("%s", err.text);
    return t;
}

static char *written(const struct hd_trace *t, bool binary, size_t *bytes) {
    char *text;
    FILE *out = hd_text_stream(&text, bytes);
    assert_true(binary ? hd_binary_write(t, out) : hd_csv_trace_write(t, out));
    hd_text_stream_end(out, &text);
    return text;
}

static void put(const char *path, const char *data, size_t bytes) {
    FILE *file = fopen(path, "wb");
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static void assert_same(const struct hd_trace *a, const struct hd_trace *b) {
    const char *what = trace_difference(a, b);
    if (what) fail_msg("they differ in their %s", what);
}

static void every_field_comes_back(void **state) {
    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        char *text = random_text(i, i % 16, i % 32 > 20);
        char *csv = hd_strdup(file_of(text));
        struct hd_trace *t = load(csv, HD_TRACE_OPTIONS);
        size_t bytes, again_bytes;
        char *binary = written(t, true, &bytes);
        char *path = hd_format("%s.hdt", csv);
        put(path, binary, bytes);
        struct hd_trace *mapped = load(path, HD_TRACE_OPTIONS);
        assert_non_null(mapped->mapping);
        assert_same(t, mapped);
        char *again = written(mapped, true, &again_bytes);
        assert_int_equal(again_bytes, bytes);
        assert_memory_equal(again, binary, bytes);
        free(again);
        again = written(mapped, false, &again_bytes);
        put(csv, again, again_bytes);
        struct hd_trace *native = load(csv, HD_TRACE_OPTIONS);
        assert_same(t, native);
        struct hd_trace_options cut = {
            .from = "+3s", .to = "+20s", .after_s = -1, .before_s = 1};
        struct hd_err a = {0}, b = {0};
        struct hd_trace *cut_text = hd_trace_load(csv, &cut, &a);
        struct hd_trace *cut_map = hd_trace_load(path, &cut, &b);
        assert_true(!cut_text == !cut_map);
        if (cut_text) assert_same(cut_text, cut_map);
        hd_trace_free(cut_text);
        hd_trace_free(cut_map);
        hd_trace_free(native);
        hd_trace_free(mapped);
        hd_trace_free(t);
        unlink(path);
        free(again);
        free(binary);
        free(path);
        free(csv);
        free(text);
    }
}

/* Each byte flipped, each length cut short: an error that names the file, or, where the
 * byte is padding, the SHA-256 tells. */
static void damage_is_found(void **state) {
    (void)state;
    char *text = random_text(7, 15, false);
    char *path = hd_format("%s.hdt", file_of(text));
    struct hd_trace *t = load(file_of(text), HD_TRACE_OPTIONS);
    size_t bytes;
    char *binary = written(t, true, &bytes);
    for (size_t i = 8; i < bytes; i++) {
        binary[i] ^= 1 << i % 8;
        put(path, binary, bytes);
        struct hd_err err = {0};
        struct hd_trace *damaged = hd_trace_load(path, &HD_TRACE_OPTIONS, &err);
        if (damaged) assert_false(hd_binary_verify(path, &err));
        hd_trace_free(damaged);
        assert_non_null(strstr(err.text, path));
        binary[i] ^= 1 << i % 8;
    }
    for (size_t short_of = 8; short_of < bytes; short_of += 13) {
        struct hd_err err = {0};
        put(path, binary, short_of);
        assert_null(hd_trace_load(path, &HD_TRACE_OPTIONS, &err));
        assert_non_null(strstr(err.text, "is cut off"));
    }
    put(path, binary, bytes);
    struct hd_err err = {0};
    assert_true(hd_binary_verify(path, &err));
    unlink(path);
    hd_trace_free(t);
    free(binary);
    free(path);
    free(text);
}

/* Two copies have twice of everything, each session of a copy whole or cut in two, and
 * no block of the other; thinning keeps sessions whole. */
static void scaled_traffic(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        char *text = random_text(seed + 1000, 15, false);
        struct hd_trace *t = load(file_of(text), HD_TRACE_OPTIONS);
        struct hd_err err = {0};
        struct hd_trace *two =
            hd_superpose(t, 2, HD_UNIT_SESSION, HD_TICK_NEVER, seed, &err);
        assert_int_equal(two->rows, 2 * t->rows);
        for (int m = 0; m < two->models; m++)
            for (int k = 0; k < t->models; k++)
                if (strcmp(two->model[m], t->model[k]) == 0)
                    assert_int_equal(two->model_rows[m], 2 * t->model_rows[k]);
        if (t->extra && t->extra->prefix)
            assert_int_equal(two->extra->prefix_ids, 2 * t->extra->prefix_ids);
        if (t->extra && t->extra->session)
            assert_in_range(two->extra->sessions, 2 * t->extra->sessions,
                            3 * t->extra->sessions);
        struct hd_trace *half = hd_thin(t, 0.5, HD_UNIT_SESSION, seed, &err);
        if (half && half->extra && half->extra->session) {
            int64_t of[16] = {0}, kept[16] = {0};
            for (int64_t i = 0; i < t->rows; i++)
                if (t->extra->session[i] >= 0) of[t->extra->session[i]]++;
            for (int64_t i = 0; i < half->rows; i++)
                if (half->extra->session[i] >= 0) kept[half->extra->session[i]]++;
            const char *name = half->extra->session_text;
            for (int k = 0; k < half->extra->sessions; k++, name += strlen(name) + 1) {
                const char *was = t->extra->session_text;
                int number = 0;
                for (; strcmp(was, name) != 0; number++) was += strlen(was) + 1;
                assert_int_equal(kept[k], of[number]);
            }
        }
        struct hd_trace *fast = hd_press(t, HD_TICKS_PER_S * 4, &err);
        for (int64_t i = 0; i < t->rows; i++)
            assert_true(fast->row[i].at == (t->row[i].at + 2) / 4);
        hd_trace_free(fast);
        hd_trace_free(half);
        hd_trace_free(two);
        hd_trace_free(t);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(scaled_traffic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
