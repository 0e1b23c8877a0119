/* Sessions, service levels, deadlines and prefix blocks: from the file to the side
 * arrays, through order and cut. */
#include "base/number_map.h"
#include "trace/reader.h"
#include "trace/trace.h"
#include "unit/trace_files.h"

#define HEADER "arrival_s,model,input_tokens,output_tokens"
#define ALL HEADER ",session,class,deadline_s,prefix\n"

static struct hd_trace *load(const char *text, struct hd_trace_options asked) {
    struct hd_err err = {0};
    struct hd_trace *trace = hd_trace_load(file_of(text), &asked, &err);
    if (!trace) fail_msg("%s", err.text);
    return trace;
}

static void assert_fails(const char *text, const char *says) {
    struct hd_err err = {0};
    if (hd_trace_load(file_of(text), &HD_TRACE_OPTIONS, &err))
        fail_msg("was loaded; expected: %s", says);
    assert_says(err.text, says);
}

static void columns_of_native(void **state) {
    (void)state;
    struct hd_trace *t = load("# prefix_block_tokens: 512\n" ALL
                              "0,m,1025,1,chat-7,fast,1.5,18446744073709551615 3 9\n"
                              "1,m,10,1,,,,\n"
                              "2,m,1025,1,chat-2,slow,30, 3  18446744073709551615\n"
                              "3,m,10,1,chat-7,fast,0,7\n",
                              HD_TRACE_OPTIONS);
    const struct hd_trace_extra *x = t->extra;
    assert_non_null(x);
    assert_null(t->unused_columns);
    assert_memory_equal(x->session, ((int32_t[]){0, -1, 1, 0}), 16);
    assert_int_equal(x->sessions, 2);
    assert_memory_equal(x->class_, ((int32_t[]){0, -1, 1, 0}), 16);
    assert_int_equal(x->classes, 2);
    assert_string_equal(x->class_name[0], "fast");
    assert_string_equal(x->class_name[1], "slow");
    assert_true(x->deadline[0] == HD_TICKS_PER_S * 3 / 2);
    assert_true(x->deadline[1] == -1);
    assert_true(x->deadline[2] == HD_TICKS_PER_S * 30);
    assert_true(x->deadline[3] == 0);
    assert_memory_equal(x->prefix_first, ((int64_t[]){0, 3, 3, 5, 6}), 40);
    assert_memory_equal(x->prefix, ((int32_t[]){0, 1, 2, 1, 0, 3}), 24);
    assert_int_equal(x->prefix_ids, 4);
    assert_int_equal(x->prefix_block_tokens, 512);
    hd_trace_free(t);
}

static void nothing_said_nothing_kept(void **state) {
    (void)state;
    struct hd_trace *t = load(HEADER "\n0,m,1,1\n", HD_TRACE_OPTIONS);
    assert_null(t->extra);
    hd_trace_free(t);
    t = load(ALL "0,m,1,1,,,,\n", HD_TRACE_OPTIONS);
    assert_null(t->extra);
    hd_trace_free(t);
    t = load(HEADER ",class\n0,m,1,1,\n1,m,1,1,fast\n", HD_TRACE_OPTIONS);
    assert_null(t->extra->session);
    assert_null(t->extra->deadline);
    assert_null(t->extra->prefix);
    assert_null(t->extra->prefix_first);
    assert_int_equal(t->extra->class_[1], 0);
    assert_int_equal(t->extra->prefix_block_tokens, 16);
    hd_trace_free(t);
}

static void mistakes(void **state) {
    (void)state;
    assert_fails(
        ALL "0,m,32,1,,,,1 2\n1,m,33,1,,,,1 2 3 4\n",
        ".csv:3: column 'prefix': 4 blocks of 16 tokens; its 33 tokens fill 3");
    assert_fails(ALL "0,m,16,1,,,,-1\n", ".csv:2: column 'prefix': '-1' is not a list");
    assert_fails(ALL "0,m,16,1,,,,18446744073709551616\n", "has a number above 2^64-1");
    assert_fails(ALL "0,m,1,1,,,-1,\n",
                 ".csv:2: column 'deadline_s': '-1' is negative");
    assert_fails(ALL "0,m,1,1,,,8000000,\n", "is longer than a run can be");
    assert_fails(ALL "0,m,1,1,a\tb,,,\n", ".csv:2: column 'session': 'a?b' is not");
    assert_fails(ALL "0,m,1,1,,caf\xe9,,\n", ".csv:2: column 'class': 'caf?' is not");
    assert_fails("# prefix_block_tokens: many\n" ALL "0,m,1,1,,,,\n",
                 ".csv: note prefix_block_tokens: ");
}

/* Random rows, sorted and cut; each is known again by its line. */
enum { ROWS = 400, VALUES = 12 };

struct written {
    int session, class_, deadline, blocks, block[4];
};

static unsigned draw(uint64_t *state, unsigned below) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*state >> 40) % below;
}

static char *write_rows(uint64_t seed, struct written *row) {
    static char text[ROWS * 80];
    char *end = text + sprintf(text, ALL);
    for (int i = 0; i < ROWS; i++) {
        struct written *w = &row[i];
        *w = (struct written){(int)draw(&seed, VALUES) - 1,
                              (int)draw(&seed, 3) - 1,
                              (int)draw(&seed, 50) - 1,
                              (int)draw(&seed, 5),
                              {0}};
        end += sprintf(end, "%u,m,64,1,", draw(&seed, 100));
        if (w->session >= 0) end += sprintf(end, "s%d", w->session);
        end += sprintf(end, ",%s,", w->class_ < 0 ? "" : w->class_ ? "b" : "a");
        if (w->deadline >= 0) end += sprintf(end, "%d", w->deadline);
        *end++ = ',';
        for (int k = 0; k < w->blocks; k++)
            end += sprintf(end, "%d ", w->block[k] = (int)draw(&seed, VALUES));
        end += sprintf(end, "\n");
    }
    return text;
}

/* The numbers are the written values, renamed by first appearance. */
static void assert_renamed(int32_t number, int written, int *name, int *names) {
    if (written < 0) {
        assert_int_equal(number, -1);
        return;
    }
    if (name[written] < 0) name[written] = (*names)++;
    assert_int_equal(number, name[written]);
}

static void order_and_cut_keep_them(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct written row[ROWS];
        struct hd_trace_options asked = HD_TRACE_OPTIONS;
        asked.sort = true;
        if (seed > 5) asked.from = "+30s";
        if (seed > 10) asked.to = "+60s";
        struct hd_trace *t = load(write_rows(seed, row), asked);
        const struct hd_trace_extra *x = t->extra;
        int session[VALUES], class_[2] = {-1, -1}, block[VALUES], n[3] = {0};
        for (int i = 0; i < VALUES; i++) session[i] = block[i] = -1;
        assert_true(t->rows == ROWS || (seed > 5 && t->rows > 50));
        for (int64_t i = 0; i < t->rows; i++) {
            const struct written *w = &row[t->row[i].line - 2];
            assert_renamed(x->session[i], w->session, session, &n[0]);
            assert_renamed(x->class_[i], w->class_, class_, &n[1]);
            assert_true(x->deadline[i] ==
                        (w->deadline < 0 ? -1 : w->deadline * HD_TICKS_PER_S));
            assert_int_equal(x->prefix_first[i + 1] - x->prefix_first[i], w->blocks);
            for (int k = 0; k < w->blocks; k++)
                assert_renamed(x->prefix[x->prefix_first[i] + k], w->block[k], block,
                               &n[2]);
        }
        assert_int_equal(x->prefix_first[0], 0);
        assert_int_equal(x->sessions, n[0]);
        assert_int_equal(x->classes, n[1]);
        assert_int_equal(x->prefix_ids, n[2]);
        hd_trace_free(t);
    }
}

static void numbers_of_any_size(void **state) {
    (void)state;
    struct hd_number_map map = {0};
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 10000; i++) {
            uint64_t key = i % 2 ? UINT64_MAX - (uint64_t)i : (uint64_t)i << 32;
            assert_int_equal(hd_number_map(&map, key), i);
        }
    assert_int_equal(map.numbers, 10000);
    hd_number_map_free(&map);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_of_native),
        cmocka_unit_test(nothing_said_nothing_kept),
        cmocka_unit_test(mistakes),
        cmocka_unit_test(order_and_cut_keep_them),
        cmocka_unit_test(numbers_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
