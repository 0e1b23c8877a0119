/* Every format, every quirk of real files, every way to be wrong. */
#include "trace/reader.h"

#include "unit/trace_files.h"

enum { ROWS_MAX = 16 };

struct content {
    int rows;
    struct hd_row row[ROWS_MAX];
    char models[256], format[32], unused[128], parts[64];
};

/* Reads the whole file; the error's text, or "" when it was fine. */
static const char *read_path(const char *path, const char *format, bool any_order,
                             struct content *out) {
    static struct hd_err err;
    err = (struct hd_err){0};
    *out = (struct content){0};
    struct hd_reader *reader = hd_reader_open(
        path, &(struct hd_reader_options){.format = format, .any_order = any_order},
        &err);
    if (!reader) return err.text;
    int got;
    struct hd_row row;
    while ((got = hd_reader_next(reader, &row, &err)) > 0 && out->rows < ROWS_MAX)
        out->row[out->rows++] = row;
    for (int i = 0; i < hd_reader_models(reader); i++) {
        if (i) strcat(out->models, " ");
        strcat(out->models, hd_reader_model_name(reader, i));
    }
    strcpy(out->format, hd_reader_format(reader));
    if (hd_reader_unused(reader)) strcpy(out->unused, hd_reader_unused(reader));
    const char *parts = hd_reader_note(reader, "parts");
    if (parts) snprintf(out->parts, sizeof out->parts, "%s", parts);
    hd_reader_close(reader);
    assert_true((got < 0) == (err.text[0] != '\0'));
    return err.text;
}

static const char *read_text(const char *text, struct content *out) {
    return read_path(file_of(text), NULL, false, out);
}

static void assert_row(const struct content *c, int i, hd_wide at, int model, int input,
                       int output, long line) {
    const struct hd_row *row = &c->row[i];
    assert_true(row->at == at);
    assert_int_equal(row->model, model);
    assert_int_equal(row->input_tokens, input);
    assert_int_equal(row->output_tokens, output);
    assert_int_equal(row->line, line);
}

#define MS(n) ((hd_wide)(n)*1000 * HD_TICKS_PER_US)
/* date -u -d '2023-11-16 18:17:03' +%s */
#define AZURE_FIRST ((hd_wide)1700158623 * HD_TICKS_PER_S)

static void native(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_text("arrival_s,model,input_tokens,output_tokens\n"
                                  "0.25,a,7,9\n0.25,b,8,10\n1,a,63.0,0\n",
                                  &c),
                        "");
    assert_string_equal(c.format, "native");
    assert_string_equal(c.models, "a b");
    assert_int_equal(c.rows, 3);
    assert_row(&c, 0, MS(250), 0, 7, 9, 2);
    assert_row(&c, 1, MS(250), 1, 8, 10, 3);
    assert_row(&c, 2, MS(1000), 0, 63, 0, 4);
}

static void dated(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_text("model,arrival,input_tokens,output_tokens\n"
                                  "a,2023-11-16T18:17:03.5,1,2\n",
                                  &c),
                        "");
    assert_string_equal(c.format, "dated");
    assert_row(&c, 0, AZURE_FIRST + MS(500), 0, 1, 2, 2);
}

/* As published: CRLF, seven decimals, no newline at the end. */
static void azure_2023(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_text("TIMESTAMP,ContextTokens,GeneratedTokens\r\n"
                                  "2023-11-16 18:17:03.9799600,4808,10\r\n"
                                  "2023-11-16 18:17:04.0319601,3180,8",
                                  &c),
                        "");
    assert_string_equal(c.format, "azure");
    assert_string_equal(c.models, "azure");
    assert_int_equal(c.rows, 2);
    assert_row(&c, 0, AZURE_FIRST + MS(979) + 960 * HD_TICKS_PER_US, 0, 4808, 10, 2);
    assert_row(&c, 1,
               AZURE_FIRST + MS(1031) + 960 * HD_TICKS_PER_US + 100 * HD_TICKS_PER_NS,
               0, 3180, 8, 3);
}

static void azure_2024_with_zones(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_text("TIMESTAMP,ContextTokens,GeneratedTokens\n"
                                  "2023-11-16 18:17:03.009930+00:00,2162,5\n"
                                  "2023-11-16 18:17:04+00:00,2399,6\n"
                                  "2023-11-16 19:17:05+01:00,1,1\n",
                                  &c),
                        "");
    assert_row(&c, 0, AZURE_FIRST + 9930 * HD_TICKS_PER_US, 0, 2162, 5, 2);
    assert_row(&c, 1, AZURE_FIRST + MS(1000), 0, 2399, 6, 3);
    assert_row(&c, 2, AZURE_FIRST + MS(2000), 0, 1, 1, 4);
    assert_says(read_text("TIMESTAMP,ContextTokens,GeneratedTokens\n"
                          "2023-11-16 18:17:03+00:00,1,1\n2023-11-16 18:17:04,1,1\n",
                          &c),
                ".csv:3: column 'TIMESTAMP': '2023-11-16 18:17:04' has no time zone");
}

static void aegaeon(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(
        read_text("Request Time,Model Name,Input Length,Output Length\r\n"
                  "00:00:00.418,synth_model_08,168,416\r\n"
                  "00:01:02.253,synth_model_14,438,88\r\n",
                  &c),
        "");
    assert_string_equal(c.format, "aegaeon");
    assert_string_equal(c.models, "synth_model_08 synth_model_14");
    assert_row(&c, 0, MS(418), 0, 168, 416, 2);
    assert_row(&c, 1, MS(62253), 1, 438, 88, 3);
}

/* The three headers of its releases; rows of zero tokens are handed out. */
static void burstgpt(void **state) {
    (void)state;
    static const char *const files[] = {
        "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "5,ChatGPT,472,18,490,Conversation log\n45,GPT-4,0,0,0,API log\n",
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total "
        "tokens,Log Type\n"
        "5,s1,1.5,ChatGPT,472,18,490,Conversation log\n45,s2,,GPT-4,0,0,0,API log\n",
        "Log Type,Total tokens,response Tokens,REQUEST TOKENS,model,timestamp\n"
        "Conversation log,490,18,472,ChatGPT,5.0\nAPI log,0,0,0,GPT-4,45\n"};
    for (int i = 0; i < 3; i++) {
        struct content c;
        assert_string_equal(read_text(files[i], &c), "");
        assert_string_equal(c.format, "burstgpt");
        assert_string_equal(c.models, "ChatGPT GPT-4");
        assert_row(&c, 0, MS(5000), 0, 472, 18, 2);
        assert_row(&c, 1, MS(45000), 1, 0, 0, 3);
        assert_string_equal(c.unused, i == 0   ? "Total tokens, Log Type"
                                      : i == 1 ? "Elapsed time, Total tokens, "
                                                 "Log Type"
                                               : "Log Type, Total tokens");
    }
}

static void vidur(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_text("arrived_at,num_prefill_tokens,num_decode_tokens\n"
                                  "0.0,4808,10\n0.098189,110,27\n",
                                  &c),
                        "");
    assert_string_equal(c.format, "vidur");
    assert_string_equal(c.models, "vidur");
    assert_row(&c, 1, 98189 * (hd_wide)HD_TICKS_PER_US, 0, 110, 27, 3);
}

static void arena(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_text("req_time_s,adapter,prompt_len,output_len\n"
                                  "0.20793754160099873,lora-13,13,199\n",
                                  &c),
                        "");
    assert_string_equal(c.format, "arena");
    assert_row(&c, 0, 212928042599, 0, 13, 199, 2);
}

/* ---- quirks -------------------------------------------------------------- */

#define HEADER "arrival_s,model,input_tokens,output_tokens\n"

static void quirks(void **state) {
    (void)state;
    static const struct {
        const char *why, *text;
        long line; /* of the only row: 1.5 s, model m, 2 in, 3 out */
    } files[] = {
        {"byte order mark", "\xEF\xBB\xBF" HEADER "1.5,m,2,3\n", 2},
        {"byte order mark, then a quote",
         "\xEF\xBB\xBF\"arrival_s\",model,input_tokens,output_tokens\n1.5,m,2,3\n", 2},
        {"no final newline", HEADER "1.5,m,2,3", 2},
        {"CRLF, no final newline",
         "arrival_s,model,input_tokens,output_tokens\r\n1.5,m,2,3", 2},
        {"CR alone", "arrival_s,model,input_tokens,output_tokens\r1.5,m,2,3\r", 2},
        {"quoted fields",
         "\"arrival_s\",\"model\",\"input_tokens\",output_tokens\n"
         "\"1.5\",\"m\",\"2\",\"3\"\n",
         2},
        {"blanks around names and fields",
         " arrival_s , model ,input_tokens, output_tokens\n 1.5 , m , 2 , 3 \n", 2},
        {"other order, other case",
         "OUTPUT_TOKENS,Model,Arrival_S,Input_Tokens\n3,m,1.5,2\n", 2},
        {"blank lines", "\n" HEADER "\n\n1.5,m,2,3\n\n\n", 5},
        {"floats for integers", HEADER "1.5,m,2.0,3.000\n", 2},
        {"plus signs", HEADER "+1.5,m,+2,+3\n", 2},
        {"a quoted blank around a field", HEADER "\" 1.5\",\" m \",2,3\n", 2},
        {"notes",
         "# parts: all invented, for a test\n#\n# made: by hand\n" HEADER "1.5,m,2,3\n",
         5},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct content c;
        const char *error = read_text(files[i].text, &c);
        if (*error) fail_msg("%s: %s", files[i].why, error);
        assert_int_equal(c.rows, 1);
        assert_string_equal(c.models, "m");
        assert_row(&c, 0, MS(1500), 0, 2, 3, files[i].line);
        if (i == sizeof files / sizeof *files - 1)
            assert_string_equal(c.parts, "all invented, for a test");
    }
}

static void ties_keep_file_order(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(
        read_text(HEADER "1,m,1,1\n1,m,2,1\n1.0,m,3,1\n1.00,m,4,1\n", &c), "");
    for (int i = 0; i < 4; i++) assert_row(&c, i, MS(1000), 0, i + 1, 1, i + 2);
}

static void names_in_any_script(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_text(HEADER "1,Mod\xC3\xA8le \xE6\xA8\xA1,1,1\n"
                                         "1,\"a,b \"\"c\"\"\",1,1\n",
                                  &c),
                        "");
    assert_string_equal(c.models, "Mod\xC3\xA8le \xE6\xA8\xA1 a,b \"c\"");
}

static void many_models(void **state) {
    (void)state;
    char *text = malloc(1 << 20), *end = text;
    end += sprintf(end, HEADER);
    for (int i = 0; i < 5000; i++) end += sprintf(end, "%d,m%d,1,1\n", i, i % 2500);
    struct hd_err err = {0};
    struct hd_reader *reader =
        hd_reader_open(file_of(text), &(struct hd_reader_options){0}, &err);
    assert_non_null(reader);
    struct hd_row row;
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(hd_reader_next(reader, &row, &err), 1);
        assert_int_equal(row.model, i % 2500);
    }
    assert_int_equal(hd_reader_next(reader, &row, &err), 0);
    assert_int_equal(hd_reader_models(reader), 2500);
    assert_string_equal(hd_reader_model_name(reader, 2499), "m2499");
    hd_reader_close(reader);
    free(text);
}

/* Across the reader's chunks, also where a chunk ends within CRLF. */
static void lines_are_counted(void **state) {
    (void)state;
    static const char *const ends[] = {"\n", "\r\n", "\r"};
    enum { ROWS = 15000 };
    char *text = malloc(ROWS * 16);
    for (int kind = 0; kind < 3; kind++) {
        for (int pad = 0; pad < 12; pad++) {
            char *end = text + sprintf(text,
                                       "# %*s%sarrival_s,model,input_tokens,"
                                       "output_tokens%s",
                                       pad, "", ends[kind], ends[kind]);
            for (int i = 0; i < ROWS; i++)
                end += sprintf(end, "1,m,1,%d%s", i % 100, ends[kind]);
            struct hd_err err = {0};
            struct hd_reader *reader =
                hd_reader_open(file_of(text), &(struct hd_reader_options){0}, &err);
            assert_non_null(reader);
            struct hd_row row;
            for (int i = 0; i < ROWS; i++) {
                assert_int_equal(hd_reader_next(reader, &row, &err), 1);
                assert_int_equal(row.line, i + 3);
                assert_int_equal(row.output_tokens, i % 100);
            }
            assert_int_equal(hd_reader_next(reader, &row, &err), 0);
            hd_reader_close(reader);
        }
    }
    free(text);
}

/* ---- what is wrong ------------------------------------------------------- */

static void bad_files(void **state) {
    (void)state;
    struct content c;
    static const struct {
        const char *text, *says;
    } files[] = {
        {"", ".csv: is empty; expected a header"},
        {"\n\n", ".csv: is empty"},
        {"# parts: x\n", ".csv: is empty"},
        {HEADER, ".csv: has a header but no request"},
        {"\x7F"
         "ELF\x02\x01,\xFF\xFE,3",
         ".csv:1: no known header (it begins '?ELF?\?')"},
        {"time,llm,in,out\n1,m,2,3\n", "known formats: native (arrival_s,model,"},
        {"1.5,m,2,3\n", ".csv:1: no known header"},
        {"arrival_s,model,input_tokens\n1,m,2\n",
         ".csv:1: no column 'output_tokens'; it looks most like format native"},
        {"TIMESTAMP,ContextTokens\nx,1\n", "no column 'GeneratedTokens'; it looks most "
                                           "like format azure, whose columns are "
                                           "TIMESTAMP,ContextTokens,GeneratedTokens"},
        {"arrival_s,model,input_tokens,output_tokens,Model\n1,m,2,3,n\n",
         ".csv:1: two columns are named 'model'"},
        {HEADER "1,m,2\n", ".csv:2: 3 fields; the header has 4"},
        {HEADER "1,m,2,3\n1,m,2,3,\n", ".csv:3: 5 fields; the header has 4"},
        {HEADER "1,m,2,3\n\n1\n", ".csv:4: 1 field; the header has 4"},
        {HEADER "1,m,-2,3\n", ".csv:2: column 'input_tokens': '-2' is negative"},
        {HEADER "1,m,2,1000000001\n", "'1000000001' is more than 1000000000 tokens"},
        {HEADER "1,m,2,99999999999999999999999999\n", "is more than 1000000000 tokens"},
        {HEADER "1,m,2,nan\n", "'nan' is not a whole number of tokens"},
        {HEADER "1,m,2.5,3\n", "'2.5' is not a whole number"},
        {HEADER "1,m,1e3,3\n", "'1e3' is not a whole number"},
        {HEADER "1,m,0x10,3\n", "'0x10' is not a whole number"},
        {HEADER "1,m,,3\n", ".csv:2: column 'input_tokens' is empty"},
        {HEADER "1,,2,3\n", ".csv:2: column 'model' is empty"},
        {HEADER "1,\" \",2,3\n", ".csv:2: column 'model' is empty"},
        {HEADER ",m,2,3\n", ".csv:2: column 'arrival_s' is empty"},
        {HEADER "NaN,m,2,3\n", "'NaN' is not a time in seconds"},
        {HEADER "-1,m,2,3\n", "'-1' is negative"},
        {HEADER "2,m,2,3\n1.5,m,2,3\n", ".csv:3: time runs backwards: 1.500 s after "
                                        "2.000 s (line 2)"},
        {HEADER "1,\xFF\xFE,2,3\n", "'?\?' is not printable UTF-8"},
        {HEADER "1,a\x01z,2,3\n", "'a?z' is not printable UTF-8"},
        {HEADER "1,\xED\xA0\x80,2,3\n", "is not printable UTF-8"},
        {HEADER "1,\"a\nb\",2,3\n", "'a?b' is not printable UTF-8"},
        {HEADER "1,m\"x,2,3\n", ".csv:2: a quote inside a field"},
        {HEADER "1,\"m,2,3\n4,5,6,7\n", ".csv:2: a quote opens and never closes"},
        {HEADER "\n\"1,m,2,3\n4,5,6,7\n", ".csv:3: a quote opens and never closes"},
        {"Request Time,Model Name,Input Length,Output Length\n00:00:61.000,m,1,1\n",
         "column 'Request Time': '00:00:61.000' has more than 59 seconds"},
        {"TIMESTAMP,ContextTokens,GeneratedTokens\n1700158623.5,1,1\n",
         "'1700158623.5' is not a date and time"},
        {"TIMESTAMP,ContextTokens,GeneratedTokens\n9999-12-31 23:00:00+00:00,1,1\n"
         "9999-12-31 23:00:00-02:00,1,1\n",
         ".csv:3: column 'TIMESTAMP': '9999-12-31 23:00:00-02:00' lies outside"},
    };
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_says(read_text(files[i].text, &c), files[i].says);
}

static void nul_bytes_and_missing_files(void **state) {
    (void)state;
    struct content c;
    static const char binary[] = HEADER "1,m\0n,2,3\n";
    assert_says(read_path(file_of_bytes(binary, sizeof binary - 1), NULL, false, &c),
                ".csv:2: a NUL byte: not a text file");
    assert_says(read_path("/nonexistent/x.csv", NULL, false, &c),
                "/nonexistent/x.csv: No such file");
    assert_says(read_path("/tmp", NULL, false, &c), "/tmp: is a directory");
    assert_says(read_path("/dev/null", NULL, false, &c),
                "/dev/null: is not a plain file");
}

static void long_names_are_refused(void **state) {
    (void)state;
    struct content c;
    char text[1024] = HEADER "1,";
    memset(text + strlen(text), 'x', 256);
    strcat(text, ",2,3\n");
    assert_says(read_text(text, &c), "is too long a name");
}

/* The user's word about the format outweighs the header's looks. */
static void format_by_name(void **state) {
    (void)state;
    struct content c;
    const char *both = "arrival_s,model,input_tokens,output_tokens,arrived_at,"
                       "num_prefill_tokens,num_decode_tokens\n1,m,2,3,4,5,6\n";
    assert_string_equal(read_path(file_of(both), NULL, false, &c), "");
    assert_string_equal(c.format, "native");
    assert_string_equal(read_path(file_of(both), "vidur", false, &c), "");
    assert_string_equal(c.format, "vidur");
    assert_row(&c, 0, MS(4000), 0, 5, 6, 2);
    assert_says(read_path(file_of(both), "arena", false, &c),
                ".csv:1: no column 'req_time_s'; it was read as format arena");
    assert_says(read_path(file_of(both), "csv", false, &c),
                "--format csv: no such format; expected one of native, dated, azure");
}

static void disorder_is_handed_out_on_request(void **state) {
    (void)state;
    struct content c;
    assert_string_equal(read_path(file_of(HEADER "2,m,1,1\n1,m,1,1\n"), NULL, true, &c),
                        "");
    assert_int_equal(c.rows, 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native),
        cmocka_unit_test(dated),
        cmocka_unit_test(azure_2023),
        cmocka_unit_test(azure_2024_with_zones),
        cmocka_unit_test(aegaeon),
        cmocka_unit_test(burstgpt),
        cmocka_unit_test(vidur),
        cmocka_unit_test(arena),
        cmocka_unit_test(quirks),
        cmocka_unit_test(ties_keep_file_order),
        cmocka_unit_test(names_in_any_script),
        cmocka_unit_test(many_models),
        cmocka_unit_test(lines_are_counted),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(nul_bytes_and_missing_files),
        cmocka_unit_test(long_names_are_refused),
        cmocka_unit_test(format_by_name),
        cmocka_unit_test(disorder_is_handed_out_on_request),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
