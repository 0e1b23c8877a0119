/* Formats of other fields than time, model and tokens, and files that are no CSV: JSON
 * lines with prefix blocks and sessions, rows without a time, requests without tokens,
 * compressed files; and malformed rows that may be passed over. */
#include "trace/trace.h"

#include "base/mem.h"
#include "unit/trace_files.h"

static struct hd_trace *loaded(const char *path, const struct hd_trace_options *asked) {
    struct hd_err err = {0};
    struct hd_trace *t = hd_trace_load(path, asked, &err);
    if (!t) fail_msg("%s", err.text);
    return t;
}

static struct hd_trace *load_text(const char *text) {
    return loaded(file_of(text), &HD_TRACE_OPTIONS);
}

static void refused_with(const char *text, const struct hd_trace_options *asked,
                         const char *why) {
    struct hd_err err = {0};
    assert_null(hd_trace_load(file_of(text), asked, &err));
    assert_says(err.text, why);
}

static void refused(const char *text, const char *why) {
    refused_with(text, &HD_TRACE_OPTIONS, why);
}

static void assert_blocks(const struct hd_trace *t, int row, int count,
                          const int *expected) {
    const struct hd_trace_extra *x = t->extra;
    assert_int_equal(x->prefix_first[row + 1] - x->prefix_first[row], count);
    for (int b = 0; b < count; b++)
        assert_int_equal(x->prefix[x->prefix_first[row] + b], expected[b]);
}

static void mooncake(void **state) {
    (void)state;
    struct hd_trace *t = load_text(
        "{\"timestamp\": 0, \"input_length\": 1100, \"output_length\": 5, "
        "\"hash_ids\": "
        "[7, 8, 9]}\n\n"
        "{\"hash_ids\": [7, 8, 40], \"output_length\": 6.0, \"more\": {\"a\": [1]}, "
        "\"input_length\": 1500, \"timestamp\": 27.5, \"model\": \"big\"}");
    assert_string_equal(t->format, "mooncake");
    assert_int_equal(t->rows, 2);
    assert_int_equal(t->models, 2);
    assert_string_equal(t->model[0], "mooncake");
    assert_string_equal(t->model[1], "big");
    assert_true(t->row[1].at == hd_tick_from_s(0.0275));
    assert_int_equal(t->row[1].input_tokens, 1500);
    assert_int_equal(t->row[1].output_tokens, 6);
    assert_int_equal(t->row[1].line, 3);
    assert_int_equal(t->extra->prefix_block_tokens, 512);
    assert_blocks(t, 0, 3, (int[]){0, 1, 2});
    assert_blocks(t, 1, 3, (int[]){0, 1, 3});
    assert_null(t->extra->session);
    hd_trace_free(t);
}

/* Chat 3 answers in chat 1, whose own row is there; 4 in 99, which lies before. */
static void bailian(void **state) {
    (void)state;
    struct hd_trace *t = load_text(
        "{\"chat_id\": 1, \"parent_chat_id\": -1, \"timestamp\": 0.5, "
        "\"input_length\": "
        "20, \"output_length\": 5, \"type\": \"text\", \"turn\": 1, \"hash_ids\": [1, "
        "2]}\n"
        "{\"chat_id\": 2, \"parent_chat_id\": -1, \"timestamp\": 1, \"input_length\": "
        "3, "
        "\"output_length\": 5, \"type\": \"image\", \"turn\": 1, \"hash_ids\": []}\n"
        "{\"chat_id\": 3, \"parent_chat_id\": 1, \"timestamp\": 2, \"input_length\": "
        "33, "
        "\"output_length\": 5, \"type\": \"text\", \"turn\": 2, \"hash_ids\": [1, 2, "
        "5]}\n"
        "{\"chat_id\": 4, \"parent_chat_id\": 99, \"timestamp\": 2, \"input_length\": "
        "3, "
        "\"output_length\": 5, \"type\": \"text\", \"turn\": 2}\n"
        "{\"chat_id\": 5, \"parent_chat_id\": 3, \"timestamp\": 2, \"input_length\": "
        "3, "
        "\"output_length\": 5, \"type\": \"text\", \"turn\": 3}\n");
    assert_string_equal(t->format, "qwen-bailian");
    assert_int_equal(t->rows, 5);
    assert_true(t->row[0].at == hd_tick_from_s(0.5));
    const struct hd_trace_extra *x = t->extra;
    assert_int_equal(x->prefix_block_tokens, 16);
    assert_blocks(t, 2, 3, (int[]){0, 1, 2});
    assert_blocks(t, 1, 0, NULL);
    assert_int_equal(x->classes, 2);
    assert_string_equal(x->class_name[x->class_[1]], "image");
    assert_int_equal(x->sessions, 3);
    int session[] = {0, 1, 0, 2, 0};
    for (int i = 0; i < 5; i++) assert_int_equal(x->session[i], session[i]);
    hd_trace_free(t);
}

static void wrong_json(void **state) {
    (void)state;
#define ROW "{\"timestamp\": 1, \"input_length\": 10, \"output_length\": 5}\n"
    refused(ROW "{\"timestamp\": 1, \"input_length\": 10\n", ":2: is no JSON object");
    refused(ROW "[1]\n", ":2: is no JSON object; expected {");
    refused(ROW "{\"timestamp\": 1, \"input_length\": 10}\n",
            ":2: key 'output_length': is missing");
    refused(ROW "{\"timestamp\": 1, \"input_length\": 1.5, \"output_length\": 5}\n",
            ":2: key 'input_length': is not a whole number of tokens");
    refused(ROW "{\"timestamp\": 1, \"input_length\": -1, \"output_length\": 5}\n",
            ":2: key 'input_length': is negative");
    refused(ROW "{\"timestamp\": \"1\", \"input_length\": 1, \"output_length\": 5}\n",
            ":2: key 'timestamp': is no number");
    refused(ROW "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 5}\n",
            ":2: time runs backwards");
    refused(ROW "{\"timestamp\": 1, \"input_length\": 512, \"output_length\": 5, "
                "\"hash_ids\": [1, 2]}\n",
            ":2: key 'hash_ids': 2 blocks of 512 tokens; its 512 tokens fill 1");
    refused(ROW "{\"timestamp\": 1, \"input_length\": 9, \"output_length\": 5, "
                "\"hash_ids\": [\"x\"]}\n",
            ":2: key 'hash_ids': holds what is no whole number");
}

static void columns_of_others(void **state) {
    (void)state;
    struct hd_trace *t =
        load_text("request_id,request_type,application_id,arrival_timestamp,batch_size,"
                  "prompt_size,"
                  "token_size\n0,2,3,0.5,1,100,7\n1,2,0,0.75,1,101,8\n");
    assert_string_equal(t->format, "splitwise");
    assert_string_equal(t->model[0], "3");
    assert_int_equal(t->row[1].input_tokens, 101);
    assert_int_equal(t->row[1].output_tokens, 8);
    hd_trace_free(t);

    t = load_text("timestamp,architecture,scale,input_length,output_length\n"
                  "1500000,dense,7B,10,2\n,dense,7B,11,2\n2500000,moe,7B,12,2\n");
    assert_string_equal(t->format, "fineserve");
    assert_int_equal(t->rows, 2);
    assert_int_equal(t->rows_no_time, 1);
    assert_int_equal(t->models, 2);
    assert_true(t->row[0].at == hd_tick_from_s(1.5));
    hd_trace_free(t);

    t = load_text("TIMESTAMP,NumImages,ContextTokens,GeneratedTokens\n"
                  "2024-10-15 00:00:01.5,2,100,5\n2024-10-15 00:00:02,0,50,6\n");
    assert_string_equal(t->format, "azure");
    assert_int_equal(t->images, 2);
    assert_int_equal(t->rows_images, 1);
    hd_trace_free(t);
}

/* Tokens come from elsewhere, and what was made of parts says so. */
static void lengths_from_elsewhere(void **state) {
    (void)state;
    static const char calls[] = "app,func,end_timestamp,duration\n"
                                "a,f,1.5,0.5\na,g,2.5,0.25\nb,f,3,0\n";
    refused(calls, "have no tokens; expected --lengths");
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    asked.lengths = "40,4";
    struct hd_trace *t = loaded(file_of(calls), &asked);
    assert_int_equal(t->models, 3);
    assert_true(t->row[0].at == hd_tick_from_s(1));
    assert_true(t->row[1].at == hd_tick_from_s(2.25));
    assert_int_equal(t->row[2].input_tokens, 40);
    assert_int_equal(t->row[2].output_tokens, 4);
    assert_says(t->parts, "invented, 40 in and 4 out");
    hd_trace_free(t);
    asked.lengths = "40,4,4";
    refused_with(calls, &asked, "--lengths");
    asked.lengths = "40,4";
    refused_with("arrival_s,model,input_tokens,output_tokens\n0,a,1,1\n", &asked,
                 "says the lengths of its requests itself");
}

static void malformed_rows_are_counted(void **state) {
    (void)state;
    static const char text[] = "arrival_s,model,input_tokens,output_tokens\n"
                               "0,a,1,1\n1,a,x,1\n2,a,1\n3,a,1,1\n";
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    refused_with(text, &asked, ":3: column 'input_tokens': 'x' is not a whole number");
    asked.skip_bad = 1;
    refused_with(text, &asked, ":4: 3 fields");
    asked.skip_bad = 2;
    struct hd_trace *t = loaded(file_of(text), &asked);
    assert_int_equal(t->rows, 2);
    assert_int_equal(t->rows_bad, 2);
    assert_non_null(strstr(t->bad[0], ":3: column"));
    assert_non_null(strstr(t->bad[1], ":4: 3 fields"));
    hd_trace_free(t);
}

/* The same rows out of a compressed file; a cut one is an error. */
static void compressed(void **state) {
    (void)state;
    static const char text[] = "arrival_s,model,input_tokens,output_tokens\n"
                               "0,a,1,1\n1,b,2,3\n";
    static const char *const packers[] = {"gzip -c", "zstd -qc"};
    for (int i = 0; i < 2; i++) {
        const char *path = file_of(text);
        char *packed = hd_format("%s.packed", path);
        char *command = hd_format("%s %s >%s 2>/dev/null", packers[i], path, packed);
        if (system(command) != 0) { /* not everybody has the program */
            assert_int_equal(i, 1);
            print_message("no zstd here\n");
        } else {
            struct hd_trace *t = loaded(packed, &HD_TRACE_OPTIONS);
            assert_int_equal(t->rows, 2);
            assert_int_equal(t->row[1].output_tokens, 3);
            hd_trace_free(t);
            assert_int_equal(truncate(packed, 30), 0);
            struct hd_err err = {0};
            assert_null(hd_trace_load(packed, &HD_TRACE_OPTIONS, &err));
            assert_says(err.text, packed);
        }
        unlink(packed);
        free(command);
        free(packed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mooncake),
        cmocka_unit_test(bailian),
        cmocka_unit_test(wrong_json),
        cmocka_unit_test(columns_of_others),
        cmocka_unit_test(lengths_from_elsewhere),
        cmocka_unit_test(malformed_rows_are_counted),
        cmocka_unit_test(compressed),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
