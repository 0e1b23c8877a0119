/* Requests drawn from the windows of a ServeGen directory, client by client. */
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random_stream.h"
#include "trace/reader_parts.h"
#include "trace/servegen.h"

struct client {
    const struct hd_servegen_client *from;
    const struct hd_servegen_client *lengths; /* whose tokens its requests have */
    gsl_rng *gaps, *input, *output;
    int window;     /* of `at` */
    double at, due; /* s; due: what is left of the gap, in mean gaps */
    hd_wide next;   /* its next request, in ticks */
};

struct servegen_rows {
    struct hd_servegen *all;
    struct client *client; /* those with a request to come: a heap by (next, number) */
    int clients;
    long drawn;
};

static bool before(const struct client *a, const struct client *b) {
    if (a->next != b->next) return a->next < b->next;
    return a->from->number < b->from->number;
}

static void sift_down(struct servegen_rows *s, int at) {
    struct client moved = s->client[at];
    for (;;) {
        int child = 2 * at + 1;
        if (child >= s->clients) break;
        if (child + 1 < s->clients && before(&s->client[child + 1], &s->client[child]))
            child++;
        if (!before(&s->client[child], &moved)) break;
        s->client[at] = s->client[child];
        at = child;
    }
    s->client[at] = moved;
}

/* Runs the gap off through the windows: a gap is so many mean gaps long, and a window
 * holds its rate times its length of them. False: the windows are over. */
static bool advance(struct client *c) {
    for (; c->window < c->from->windows; c->window++) {
        const struct hd_servegen_window *w = &c->from->window[c->window];
        double end = (c->window + 1) * c->from->window_s;
        if (w->rate_per_s > 0 && c->due <= (end - c->at) * w->rate_per_s) {
            c->at += c->due / w->rate_per_s;
            c->next = (hd_wide)llround(c->at * 1e6) * (HD_TICKS_PER_S / 1000000);
            return true;
        }
        c->due -= (end - c->at) * w->rate_per_s;
        c->at = end;
    }
    return false;
}

static void draw_gap(struct client *c, bool first) {
    const struct hd_servegen_window *w = &c->from->window[c->window];
    struct hd_gaps law = hd_gaps_of(w->law, w->cv);
    c->due = first ? hd_gap_draw_first(&law, c->gaps) : hd_gap_draw(&law, c->gaps);
}

static void close_client(struct client *c) {
    gsl_rng_free(c->gaps);
    gsl_rng_free(c->input);
    gsl_rng_free(c->output);
}

static enum hd_got next(struct hd_reader *r, struct hd_row *out, struct hd_err *err) {
    (void)err;
    struct servegen_rows *s = r->state;
    if (!s->clients) return HD_GOT_END;
    struct client *c = &s->client[0];
    char name[32];
    int bytes = snprintf(name, sizeof name, "client-%d", c->from->number);
    *out = (struct hd_row){.at = c->next,
                           .model = hd_intern(&r->models, name, (size_t)bytes),
                           .line = ++s->drawn,
                           .session = -1,
                           .class_ = -1,
                           .deadline = -1};
    if (c->lengths) {
        const struct hd_servegen_period *p = hd_servegen_period_at(c->lengths, c->at);
        out->input_tokens = hd_token_law_value(&p->input, gsl_rng_uniform(c->input));
        out->output_tokens = hd_token_law_value(&p->output, gsl_rng_uniform(c->output));
    }
    draw_gap(c, false);
    if (!advance(c)) {
        close_client(c);
        *c = s->client[--s->clients];
    }
    if (s->clients) sift_down(s, 0);
    return HD_GOT_ROW;
}

static void close_rows(void *state) {
    struct servegen_rows *s = state;
    for (int i = 0; i < s->clients; i++) close_client(&s->client[i]);
    free(s->client);
    hd_servegen_close(s->all);
    free(s);
}

/* The busiest client whose tokens are told, or NULL. */
static const struct hd_servegen_client *most_told(const struct hd_servegen *all) {
    const struct hd_servegen_client *most = NULL;
    for (int i = 0; i < all->clients; i++) {
        const struct hd_servegen_client *c = &all->client[i];
        if (c->periods && (!most || c->rate_per_s > most->rate_per_s)) most = c;
    }
    return most;
}

static void say_parts(struct hd_reader *r, const struct servegen_rows *s,
                      const struct hd_servegen_client *most) {
    const char *slash = strrchr(r->path, '/');
    const char *name = slash && slash[1] ? slash + 1 : r->path;
    char *drawn = hd_format("arrivals: drawn from ServeGen's windows of %d clients in "
                            "%s, seed %llu",
                            s->clients, name, (unsigned long long)r->asked.seed);
    if (r->lengths) {
        r->parts =
            hd_format("%s; lengths: %s", drawn, hd_given_lengths_about(r->lengths));
    } else if (!most) { /* times alone were asked for */
        r->parts = hd_strdup(drawn);
    } else {
        int own = 0;
        for (int i = 0; i < s->clients; i++)
            own += s->client[i].from == s->client[i].lengths;
        r->parts =
            hd_format("%s; lengths: drawn from its distributions, input and "
                      "output apart, of %d clients from their own, of the others "
                      "from client %d's",
                      drawn, own, most->number);
    }
    free(drawn);
}

bool hd_servegen_rows_open(struct hd_reader *r, struct hd_err *err) {
    static const struct hd_source source = {next, close_rows};
    if (r->asked.format && strcmp(r->asked.format, "servegen") != 0)
        return hd_fail(err, "--format %.60s: %s is a directory; only servegen's are",
                       r->asked.format, r->path);
    struct hd_servegen *all = hd_servegen_open(r->path, !r->asked.lengths, err);
    if (!all) return false;
    struct servegen_rows *s = hd_alloc(sizeof *s);
    s->all = all;
    s->client = hd_alloc((size_t)all->clients * sizeof *s->client);
    r->source = &source;
    r->state = s;
    r->format = "servegen";
    r->clock = HD_CLOCK_SECONDS;
    memcpy(r->sha256, all->sha256, sizeof r->sha256);
    const struct hd_servegen_client *most = most_told(all);
    if (r->asked.lengths) {
        r->lengths = hd_given_lengths_open(r->asked.lengths, r->asked.seed, err);
        if (!r->lengths) return false;
    } else if (!most &&
               !hd_reader_needs_lengths(r, "no client's tokens are told", err)) {
        return false;
    }
    for (int i = 0; i < all->clients; i++) {
        const struct hd_servegen_client *from = &all->client[i];
        if (!(from->rate_per_s > 0)) continue;
        r->drawn += from->rate_per_s * from->window_s * from->windows;
        struct client *c = &s->client[s->clients++];
        *c = (struct client){
            .from = from,
            .lengths = from->periods ? from : most,
            .gaps = hd_random_stream(r->asked.seed, "servegen gaps", from->number),
            .input = hd_random_stream(r->asked.seed, "servegen input", from->number),
            .output = hd_random_stream(r->asked.seed, "servegen output", from->number)};
        while (!(from->window[c->window].rate_per_s > 0)) c->window++;
        c->at = c->window * from->window_s;
        draw_gap(c, true);
        if (!advance(c)) {
            close_client(c);
            s->clients--;
        }
    }
    free(r->parts);
    say_parts(r, s, most);
    for (int i = s->clients / 2; i-- > 0;) sift_down(s, i);
    return true;
}
