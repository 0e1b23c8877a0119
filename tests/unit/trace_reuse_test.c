/* Reuse of prefixes, sessions, levels and deadlines: by hand, and prefixes against a
 * search through all earlier prompts. */
#include "trace/stats_reuse.h"

#include <math.h>

#include "base/mem.h"
#include "unit/trace_files.h"

#define HEADER                                                                         \
    "arrival_s,model,input_tokens,output_tokens,session,class,deadline_s,prefix\n"

static struct hd_trace *load(const char *text) {
    struct hd_err err = {0};
    struct hd_trace *trace = hd_trace_load(file_of(text), &HD_TRACE_OPTIONS, &err);
    if (!trace) fail_msg("%s", err.text);
    return trace;
}

static void by_hand(void **state) {
    (void)state;
    struct hd_trace *t = load("# prefix_block_tokens: 10\n" HEADER
                              "0,a,25,1,s,gold,2,1 2 3\n"  /* nothing before it */
                              "1,a,38,1,s,gold,,1 2 9 3\n" /* 2 of 4: 9 is new */
                              "2,a,25,1,,free,8,1 2 3\n"   /* whole */
                              "3,b,20,1,t,,5,1 2\n"        /* of another model */
                              "4,a,7,1,s,free,,\n"
                              "5,a,95,1,,,,1 2\n" /* whole: all 95 tokens */);
    struct hd_reuse r;
    hd_reuse(t, &r);
    assert_int_equal(r.prefixed, 5);
    assert_int_equal(r.blocks, 14);
    assert_int_equal(r.blocks_hit, 2 + 3 + 2);
    assert_int_equal(r.blocks_distinct, 6);
    assert_int_equal(r.tokens, 108 + 95);
    assert_int_equal(r.tokens_hit, 20 + 25 + 95);
    assert_int_equal(r.full_hits, 2);
    assert_int_equal(r.block_tokens, 10);
    assert_int_equal(r.sessions, 2);
    assert_int_equal(r.in_session, 4);
    assert_int_equal(r.single_turn, 1);
    assert_int_equal(r.turns_most, 3);
    assert_true(r.turns_mean == 2 && r.turns_p50 == 2);
    assert_int_equal(r.class_rows[0], 2);
    assert_int_equal(r.class_rows[1], 2);
    assert_int_equal(r.deadlines, 3);
    assert_true(r.deadline_least_s == 2 && r.deadline_p50_s == 5 &&
                r.deadline_most_s == 8);
    hd_reuse_free(&r);
    hd_trace_free(t);
    t = load("arrival_s,model,input_tokens,output_tokens\n0,a,1,1\n");
    hd_reuse(t, &r);
    assert_true(r.prefixed == 0 && r.sessions == 0 && !r.class_rows && !r.deadlines);
    hd_reuse_free(&r);
    hd_trace_free(t);
}

/* Prompts that branch off each other: the hit of each is the longest head that any
 * earlier prompt of its model has. */
static void against_a_search(void **state) {
    (void)state;
    enum { ROWS = 120, DEEP = 12 };
    int block[ROWS][DEEP], depth[ROWS], model[ROWS], hit = 0, blocks = 0;
    char *text = hd_alloc(ROWS * 200), *end = text + sprintf(text, HEADER);
    unsigned random = 5;
    for (int i = 0, fresh = 1000; i < ROWS; i++) {
        random = random * 1103515245u + 12345u;
        int from = i ? (int)(random >> 16) % i : 0, kept = (int)(random >> 9) % DEEP;
        depth[i] = 1 + (int)(random >> 20) % DEEP;
        model[i] = (int)(random >> 12) % 2;
        end += sprintf(end, "%d,m%d,%d,1,,,,", i, model[i], depth[i] * 16);
        for (int b = 0; b < depth[i]; b++) {
            bool old = i && b < kept && b < depth[from];
            block[i][b] = old ? block[from][b] : fresh++;
            end += sprintf(end, "%s%d", b ? " " : "", block[i][b]);
        }
        end += sprintf(end, "\n");
        int longest = 0;
        for (int k = 0; k < i; k++) {
            int same = 0;
            while (model[k] == model[i] && same < depth[k] && same < depth[i] &&
                   block[k][same] == block[i][same])
                same++;
            if (same > longest) longest = same;
        }
        hit += longest;
        blocks += depth[i];
    }
    struct hd_trace *t = load(text);
    struct hd_reuse r;
    hd_reuse(t, &r);
    assert_int_equal(r.blocks, blocks);
    assert_int_equal(r.blocks_hit, hit);
    assert_int_equal(r.tokens_hit, 16 * hit);
    assert_true(hit > blocks / 20 && hit < blocks);
    hd_reuse_free(&r);
    hd_trace_free(t);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(against_a_search),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
