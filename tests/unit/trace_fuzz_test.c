/* Random damage to valid files: a reader never crashes, and either reads rows that
 * keep its promises or says in one line which file and where. */
#include "base/mem.h"
#include "trace/reader.h"
#include "trace/stats.h"
#include "unit/trace_files.h"

enum { ROUNDS = 1500, BYTES_MAX = 4096 };

static const char *const seeds[] = {
    "# parts: all invented\narrival_s,model,input_tokens,output_tokens\n"
    "0.5,a,10,20\n0.75,b,30,0\n1.25,a,63.0,7\n3,c,1,2\n",
    "arrival,model,input_tokens,output_tokens\n2026-11-17 13:00:00.5,a,10,20\n"
    "2026-11-17T13:00:01,b,30,40\n2026-11-18 00:00:00,a,1,2\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:17:03.9799600,4808,10\r\n"
    "2023-11-16 18:17:04.0319600,3180,8\r\n2023-11-16 18:17:04.0781490,110,27",
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,2162,5\n"
    "2024-05-10 00:00:00+00:00,2399,6\n",
    "Request Time,Model Name,Input Length,Output Length\r\n"
    "00:00:00.418,synth_model_08,168,416\r\n00:00:02.253,synth_model_14,438,88\r\n",
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total "
    "tokens,Log Type\n5,x,1.5,ChatGPT,472,18,490,Conversation log\n"
    "45,y,,GPT-4,0,0,0,\"API, log\"\n",
    "arrived_at,num_prefill_tokens,num_decode_tokens\n0.0,4808,10\n0.052,3180,8\n",
    "\xEF\xBB\xBFreq_time_s,adapter,prompt_len,output_len\n"
    "0.20793754160099873,lora-13,13,199\n5e-01,lora-2,36,137\n",
};
enum { SEEDS = sizeof seeds / sizeof *seeds };

struct damage {
    unsigned char bytes[BYTES_MAX];
    size_t count;
    uint64_t random;
};

/* splitmix64 (Steele et al., OOPSLA 2014). */
static size_t below(struct damage *d, size_t n) {
    uint64_t z = d->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (size_t)((z ^ (z >> 31)) % n);
}

static void insert(struct damage *d, size_t at, const char *text, size_t count) {
    if (d->count + count > BYTES_MAX) return;
    memmove(d->bytes + at + count, d->bytes + at, d->count - at);
    memcpy(d->bytes + at, text, count);
    d->count += count;
}

static void erase(struct damage *d, size_t at, size_t count) {
    if (count > d->count - at) count = d->count - at;
    memmove(d->bytes + at, d->bytes + at + count, d->count - at - count);
    d->count -= count;
}

static void mutate(struct damage *d) {
    static const char *const words[] = {",",
                                        ",,",
                                        "\n",
                                        "\r",
                                        "\r\n",
                                        "\"",
                                        "\"\"",
                                        "-",
                                        ".",
                                        "e9",
                                        "e-9",
                                        "NaN",
                                        "inf",
                                        "1e400",
                                        "+",
                                        "#",
                                        ":",
                                        "Z",
                                        "+02:00",
                                        "99999999999999999999",
                                        "0.0000000000000000000001",
                                        "2024-02-30 00:00:00",
                                        "\xEF\xBB\xBF",
                                        "\xFF\xFE",
                                        "24:00:00",
                                        " "};
    size_t at = d->count ? below(d, d->count) : 0;
    switch (below(d, 7)) {
    case 0:
        if (d->count) d->bytes[at] = (unsigned char)below(d, 256);
        break;
    case 1:
        erase(d, at, 1 + below(d, 8));
        break;
    case 2:
        d->count = at; /* cut off */
        break;
    case 3: { /* a piece again */
        char piece[32];
        size_t count = 1 + below(d, sizeof piece - 1);
        if (count > d->count - at) count = d->count - at;
        memcpy(piece, d->bytes + at, count);
        insert(d, d->count ? below(d, d->count) : 0, piece, count);
        break;
    }
    case 4: { /* a digit for a digit */
        for (size_t i = 0; i < d->count; i++) {
            size_t place = (at + i) % d->count;
            if (d->bytes[place] < '0' || d->bytes[place] > '9') continue;
            d->bytes[place] = (unsigned char)('0' + below(d, 10));
            break;
        }
        break;
    }
    default: {
        const char *word = words[below(d, sizeof words / sizeof *words)];
        insert(d, at, word, strlen(word));
    }
    }
}

static void assert_error(const struct hd_err *err, const char *path) {
    const char *text = err->text;
    if (text[0] == '\0') fail_msg("an error without a word");
    if (strncmp(text, path, strlen(path)) != 0 || text[strlen(path)] != ':')
        fail_msg("no place in '%s'", text);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7E)
            fail_msg("byte %d in '%s'", (unsigned char)*c, text);
}

/* Returns whether the file was read to its end. */
static bool read_all(const char *path, bool any_order) {
    struct hd_err err = {0};
    struct hd_reader *reader =
        hd_reader_open(path, &(struct hd_reader_options){.any_order = any_order}, &err);
    if (!reader) {
        assert_error(&err, path);
        return false;
    }
    struct hd_row row;
    hd_wide last = 0;
    long line = 0;
    bool begun = false;
    int got;
    while ((got = hd_reader_next(reader, &row, &err)) > 0) {
        assert_in_range(row.input_tokens, 0, HD_TRACE_TOKENS_MAX);
        assert_in_range(row.output_tokens, 0, HD_TRACE_TOKENS_MAX);
        assert_in_range(row.model, 0, hd_reader_models(reader) - 1);
        assert_true(any_order || !begun || row.at >= last);
        assert_true(row.line > line);
        last = row.at;
        line = row.line;
        begun = true;
    }
    if (got < 0) assert_error(&err, path);
    hd_reader_close(reader);
    return got == 0;
}

static void load_all(const char *path, bool sort) {
    struct hd_err err = {0};
    struct hd_trace_options asked = HD_TRACE_OPTIONS;
    asked.sort = sort;
    struct hd_trace *t = hd_trace_load(path, &asked, &err);
    if (!t) {
        assert_error(&err, path);
        return;
    }
    assert_true(t->rows >= 1 && t->rows == t->rows_read);
    for (int64_t i = 0; i < t->rows; i++) {
        assert_true(t->row[i].at >= (i ? t->row[i - 1].at : 0));
        assert_true(t->row[i].at <= HD_TICK_SPAN_MAX);
    }
    struct hd_trace_stats s = hd_trace_stats(t, 16.79);
    assert_int_equal(s.rows, t->rows);
    hd_trace_free(t);
}

static void damaged_files(void **state) {
    (void)state;
    int read = 0;
    for (int round = 0; round < ROUNDS; round++) {
        struct damage *d = hd_alloc(sizeof *d);
        const char *seed = seeds[round % SEEDS];
        d->count = strlen(seed);
        d->random = (uint64_t)round * 1000003u + 17;
        memcpy(d->bytes, seed, d->count);
        for (size_t n = below(d, 5); n > 0; n--) mutate(d);
        const char *path = file_of_bytes(d->bytes, d->count);
        if (read_all(path, round % 3 == 0)) read++;
        load_all(path, round % 3 == 0);
        free(d);
    }
    print_message("%d of %d damaged files still read\n", read, ROUNDS);
    assert_true(read > ROUNDS / 10 && read < ROUNDS * 9 / 10); /* both sides tried */
}

static void junk(void **state) {
    (void)state;
    for (int round = 0; round < 200; round++) {
        struct damage *d = hd_alloc(sizeof *d);
        d->random = (uint64_t)round;
        d->count = below(d, BYTES_MAX);
        for (size_t i = 0; i < d->count; i++)
            d->bytes[i] =
                (unsigned char)(round % 2 ? below(d, 256) : ' ' + below(d, 95));
        assert_false(read_all(file_of_bytes(d->bytes, d->count), false));
        free(d);
    }
}

/* What a stamp says, written in other ways, is the same tick. */
static void stamps_in_many_notations(void **state) {
    (void)state;
    struct damage d = {.random = 99};
    for (int round = 0; round < 20000; round++) {
        long s = (long)below(&d, 10000000), ns = (long)below(&d, 1000000000);
        hd_wide expected = (hd_wide)s * HD_TICKS_PER_S + ns * HD_TICKS_PER_NS;
        struct hd_stamp stamp;
        char text[96];
        snprintf(text, sizeof text, "%ld.%09ld", s, ns);
        assert_null(hd_stamp_seconds(text, &stamp));
        assert_true(stamp.at == expected);
        snprintf(text, sizeof text, "%ld%09lde-9", s, ns);
        assert_null(hd_stamp_seconds(text, &stamp));
        assert_true(stamp.at == expected);
        snprintf(text, sizeof text, "%02ld:%02ld:%02ld.%09ld", s / 3600, s / 60 % 60,
                 s % 60, ns);
        assert_null(hd_stamp_time(text, &stamp));
        assert_true(stamp.at == expected);
        char back[HD_CLOCK_TEXT_BYTES];
        hd_clock_text(HD_CLOCK_TIME, expected, back);
        assert_null(hd_stamp_time(back, &stamp));
        assert_true(stamp.at == expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_files),
        cmocka_unit_test(junk),
        cmocka_unit_test(stamps_in_many_notations),
    };
    return cmocka_run_group_tests(tests, NULL, remove_file);
}
