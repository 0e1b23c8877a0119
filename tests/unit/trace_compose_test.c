/* Lanes merged in order, beside all their rows sorted. */
#include "base/mem.h"
#include "trace/compose.h"
#include "unit/trace_files.h"

enum { ROWS = 300, LANES = 4 };

struct place {
    hd_wide at;
    int lane, row;
};

static int by_order(const void *a, const void *b) {
    const struct place *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    if (x->lane != y->lane) return x->lane < y->lane ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* Five requests an instant, so that lanes meet all the time. */
static struct hd_trace *trace_of_ties(void) {
    char *text;
    size_t bytes;
    struct hd_err err = {0};
    FILE *out = hd_text_stream(&text, &bytes);
    fputs("arrival_s,model,input_tokens,output_tokens\n", out);
    for (int i = 0; i < ROWS; i++) fprintf(out, "%d,a,%d,1\n", i / 5, i + 1);
    hd_text_stream_end(out, &text);
    struct hd_trace *t = hd_trace_load(file_of(text), &HD_TRACE_OPTIONS, &err);
    if (!t) fail_msg("%s", err.text);
    free(text);
    return t;
}

static void lanes_come_in_order(void **state) {
    (void)state;
    struct hd_trace *t = trace_of_ties();
    uint8_t kept[ROWS / 8 + 1];
    for (size_t i = 0; i < sizeof kept; i++) kept[i] = (uint8_t)(i * 37 + 5);
    const hd_wide second = HD_TICKS_PER_S;
    struct hd_lane lane[LANES] = {{.end = ROWS, .shift = 10 * second},
                                  {.row = 100, .end = ROWS, .shift = -9 * second},
                                  {.end = ROWS, .shift = 12 * second, .kept = kept},
                                  {.row = 7, .end = 7}};
    struct place expected[LANES * ROWS];
    int count = 0;
    for (int l = 0; l < LANES; l++)
        for (int r = (int)lane[l].row; r < lane[l].end; r++)
            if (!lane[l].kept || kept[r / 8] >> r % 8 & 1)
                expected[count++] = (struct place){lane[l].shift + t->row[r].at, l, r};
    qsort(expected, (size_t)count, sizeof *expected, by_order);
    struct hd_compose *c = hd_compose_begin(HD_CLOCK_SECONDS, 0, 0);
    struct hd_err err = {0};
    hd_compose_source(c, t, NULL);
    assert_true(hd_compose_merge(c, lane, LANES, &err));
    struct hd_trace *made = hd_compose_end(c);
    assert_int_equal(made->rows, count);
    for (int i = 0; i < count; i++) {
        assert_true(made->row[i].at == (hd_tick)expected[i].at);
        assert_int_equal(made->row[i].input_tokens, expected[i].row + 1);
    }
    hd_trace_free(made);
    hd_trace_free(t);
}

static void what_lies_before_the_zero_is_refused(void **state) {
    (void)state;
    struct hd_trace *t = trace_of_ties();
    struct hd_lane lane = {.end = ROWS, .shift = -HD_TICKS_PER_S};
    struct hd_compose *c = hd_compose_begin(HD_CLOCK_SECONDS, 0, 0);
    struct hd_err err = {0};
    hd_compose_source(c, t, NULL);
    assert_false(hd_compose_merge(c, &lane, 1, &err));
    assert_says(err.text, "days from the trace's zero");
    hd_compose_drop(c);
    hd_trace_free(t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_come_in_order),
        cmocka_unit_test(what_lies_before_the_zero_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
