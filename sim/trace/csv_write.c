/* hotdesk's own CSV. */
#include "trace/csv_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "trace/notes.h"

enum {
    DIGITS_MAX = 13, /* 10^-13 s is less than half a tick */

};

struct columns {
    bool session, class_, deadline, prefix;
    int digits, deadline_digits;
    const char **session_name;
};

static int64_t power_of_ten(int exponent) {
    int64_t power = 1;
    while (exponent-- > 0) power *= 10;
    return power;
}

/* The nearest whole number of 10^-digits s. */
static hd_wide rounded(hd_wide at, int digits) {
    hd_wide scaled = at * power_of_ten(digits);
    hd_wide whole = scaled / HD_TICKS_PER_S, rest = scaled % HD_TICKS_PER_S;
    return whole + (rest >= HD_TICKS_PER_S - rest);
}

/* Whether that many digits read back to the same tick. */
static bool reads_back(hd_wide at, int digits) {
    int64_t unit = power_of_ten(digits);
    hd_wide scaled = rounded(at, digits) * HD_TICKS_PER_S;
    hd_wide whole = scaled / unit, rest = scaled % unit;
    return whole + (rest >= unit - rest) == at;
}

/* Of the fraction of a second alone, as whole seconds need no digits. Up to six digits
 * are none, three or six, as most files have them. */
static int digits_for(int64_t ticks_of_second, int digits) {
    while (digits < DIGITS_MAX && !reads_back(ticks_of_second, digits))
        digits += digits < 6 ? 3 : 1;
    return digits;
}

static int64_t fraction_of(hd_wide at) {
    int64_t rest = (int64_t)(at % HD_TICKS_PER_S);
    return rest < 0 ? rest + HD_TICKS_PER_S : rest;
}

static void find_columns(const struct hd_trace *t, struct columns *c) {
    const struct hd_trace_extra *x = t->extra;
    *c = (struct columns){0};
    for (int64_t i = 0; i < t->rows && c->digits < DIGITS_MAX; i++) {
        hd_trace_step(t, i);
        c->digits = digits_for(fraction_of(t->origin + t->row[i].at), c->digits);
    }
    if (!x) return;
    c->session = x->session;
    c->class_ = x->class_;
    c->deadline = x->deadline;
    c->prefix = x->prefix;
    for (int64_t i = 0; x->deadline && i < t->rows; i++) {
        hd_trace_step(t, i);
        if (x->deadline[i] >= 0)
            c->deadline_digits =
                digits_for(fraction_of(x->deadline[i]), c->deadline_digits);
    }
    if (!x->session) return;
    c->session_name = hd_alloc((size_t)x->sessions * sizeof *c->session_name);
    const char *name = x->session_text;
    for (int32_t i = 0; i < x->sessions; i++, name += strlen(name) + 1)
        c->session_name[i] = name;
}

static void put_name(const char *name, FILE *out) {
    if (!strpbrk(name, ",\"") && *name != '#') {
        fputs(name, out);
        return;
    }
    fputc('"', out);
    for (; *name; name++) {
        if (*name == '"') fputc('"', out);
        fputc(*name, out);
    }
    fputc('"', out);
}

static void put_fraction(int64_t fraction, int digits, FILE *out) {
    if (digits) fprintf(out, ".%0*" PRId64, digits, fraction);
}

static void put_time(const struct hd_trace *t, hd_wide at, int digits, FILE *out) {
    int64_t fraction = (int64_t)rounded(fraction_of(at), digits);
    hd_wide seconds = (at - fraction_of(at)) / HD_TICKS_PER_S;
    if (t->clock == HD_CLOCK_DATE) {
        char text[HD_CLOCK_TEXT_BYTES];
        hd_clock_text(HD_CLOCK_DATE, seconds * HD_TICKS_PER_S, text);
        text[strcspn(text, ".")] = '\0';
        fputs(text, out);
    } else {
        fprintf(out, "%" PRId64, (int64_t)seconds);
    }
    put_fraction(fraction, digits, out);
}

static void put_span(hd_tick ticks, int digits, FILE *out) {
    hd_wide all = rounded(ticks, digits);
    int64_t unit = power_of_ten(digits);
    fprintf(out, "%" PRId64, (int64_t)(all / unit));
    put_fraction((int64_t)(all % unit), digits, out);
}

static void put_optional(const struct hd_trace *t, const struct columns *c, int64_t i,
                         FILE *out) {
    const struct hd_trace_extra *x = t->extra;
    if (c->session) {
        fputc(',', out);
        if (x->session[i] >= 0) put_name(c->session_name[x->session[i]], out);
    }
    if (c->class_) {
        fputc(',', out);
        if (x->class_[i] >= 0) put_name(x->class_name[x->class_[i]], out);
    }
    if (c->deadline) {
        fputc(',', out);
        if (x->deadline[i] >= 0) put_span(x->deadline[i], c->deadline_digits, out);
    }
    if (!c->prefix) return;
    fputc(',', out);
    for (int64_t b = x->prefix_first[i]; b < x->prefix_first[i + 1]; b++)
        fprintf(out, "%s%" PRIu64, b > x->prefix_first[i] ? " " : "",
                x->prefix_identity[x->prefix[b]]);
}

static void put_notes(const struct hd_trace *t, const struct columns *c, FILE *out) {
    for (int i = 0; i < t->notes; i++)
        if (!c->prefix || strncmp(t->note[i], "prefix_block_tokens:", 20) != 0)
            fprintf(out, "# %s\n", t->note[i]);
    if (c->prefix && (t->extra->prefix_block_tokens != HD_BLOCK_TOKENS ||
                      hd_note(t->note, t->notes, "prefix_block_tokens")))
        fprintf(out, "# prefix_block_tokens: %d\n", t->extra->prefix_block_tokens);
}

bool hd_csv_trace_write(const struct hd_trace *t, FILE *out) {
    struct columns c;
    find_columns(t, &c);
    put_notes(t, &c, out);
    fprintf(out, "%s,model,input_tokens,output_tokens%s%s%s%s\n",
            t->clock == HD_CLOCK_DATE ? "arrival" : "arrival_s",
            c.session ? ",session" : "", c.class_ ? ",class" : "",
            c.deadline ? ",deadline_s" : "", c.prefix ? ",prefix" : "");
    for (int64_t i = 0; i < t->rows; i++) {
        hd_trace_step(t, i);
        const struct hd_trace_row *r = &t->row[i];
        put_time(t, t->origin + r->at, c.digits, out);
        fputc(',', out);
        put_name(t->model[r->model], out);
        fprintf(out, ",%" PRId32 ",%" PRId32, r->input_tokens, r->output_tokens);
        put_optional(t, &c, i, out);
        fputc('\n', out);
    }
    free(c.session_name);
    return fflush(out) == 0 && !ferror(out);
}
