/* A drawn market as a native trace. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "market/market.h"

/* Identities of prompt blocks. A block within the system prompt is that prompt's; one
 * beyond it is the session's, as what was said only grows; the last one, where it is
 * not full, is the request's own. They are numbered in that order, by model, by session
 * and by request, so that none needs to be looked up. */
struct blocks {
    int tokens, prompts;
    int64_t *of_prompt;  /* first identity, by model and prompt */
    int64_t *of_session; /* by session; NULL: a request is alone */
    int64_t next;        /* of requests */
};

static int64_t whole_blocks(const struct blocks *b, int64_t tokens) {
    return tokens / b->tokens;
}

static void blocks_begin(struct blocks *b, const struct hd_market *m,
                         const struct hd_market_requests *all) {
    *b = (struct blocks){.tokens = m->prefixes.block_tokens,
                         .prompts = m->prefixes.prompts};
    if (!b->tokens) return;
    int prompts = m->models * b->prompts;
    b->of_prompt = hd_alloc((size_t)prompts * sizeof *b->of_prompt);
    for (int i = 0; i < prompts; i++) {
        b->of_prompt[i] = b->next;
        b->next += whole_blocks(b, all->system_tokens[i]);
    }
    if (!(m->sessions.turns > 0)) return;
    int64_t sessions = 0;
    for (int64_t i = 0; i < all->count; i++)
        if (all->of[i].session >= sessions) sessions = all->of[i].session + 1;
    b->of_session = hd_alloc((size_t)sessions * sizeof *b->of_session);
    for (int64_t i = 0; i < all->count; i++) { /* the longest prompt of each */
        const struct hd_market_request *r = &all->of[i];
        int64_t blocks = whole_blocks(b, r->input_tokens);
        if (blocks > b->of_session[r->session]) b->of_session[r->session] = blocks;
    }
    for (int64_t s = 0; s < sessions; s++) {
        int64_t blocks = b->of_session[s];
        b->of_session[s] = b->next;
        b->next += blocks;
    }
}

/* A request without a session has one identity for all that is its own: no other
 * request has any of it. */
static void write_prefix(struct blocks *b, const struct hd_market_requests *all,
                         const struct hd_market_request *r, FILE *out) {
    int prompt = r->model * b->prompts + r->prompt;
    int64_t shared = whole_blocks(b, all->system_tokens[prompt]);
    int64_t whole = whole_blocks(b, r->input_tokens);
    for (int64_t i = 0; i < shared; i++)
        fprintf(out, "%s%" PRId64, i ? " " : "", b->of_prompt[prompt] + i);
    for (int64_t i = shared; b->of_session && i < whole; i++)
        fprintf(out, "%s%" PRId64, i ? " " : "", b->of_session[r->session] + i);
    if (!b->of_session ? r->input_tokens > shared * b->tokens
                       : r->input_tokens > whole * b->tokens)
        fprintf(out, "%s%" PRId64, (b->of_session ? whole : shared) ? " " : "",
                b->next++);
}

static void write_notes(const struct hd_market *m, const char *made, FILE *out) {
    if (m->about) fprintf(out, "# about: %s\n", m->about);
    fprintf(out, "# parts: %s\n# made: %s\n", m->parts, made);
    if (m->sources) fprintf(out, "# sources: %s\n", m->sources);
    if (m->text) fprintf(out, "# recipe: %s\n", m->text);
    if (m->prefixes.block_tokens)
        fprintf(out, "# prefix_block_tokens: %d\n", m->prefixes.block_tokens);
}

static bool any_deadline(const struct hd_market *m) {
    for (int c = 0; c < m->classes; c++)
        if (m->class_[c].deadline_s >= 0) return true;
    return false;
}

static void write_class(const struct hd_market *m, const struct hd_market_request *r,
                        bool deadline, FILE *out) {
    const struct hd_class_law *law = &m->class_[r->class_];
    fprintf(out, ",%s", law->name);
    if (!deadline) return;
    fputc(',', out);
    if (law->deadline_s >= 0)
        fprintf(out, "%.3f",
                law->deadline_s + r->output_tokens * law->deadline_per_token_s);
}

bool hd_market_write(const struct hd_market *m, const char *made,
                     const struct hd_market_requests *all, FILE *out) {
    int width = snprintf(NULL, 0, "%d", m->models);
    bool deadline = any_deadline(m), sessions = m->sessions.turns > 0;
    struct blocks blocks;
    blocks_begin(&blocks, m, all);
    write_notes(m, made, out);
    fprintf(out, "arrival_s,model,input_tokens,output_tokens%s%s%s%s\n",
            sessions ? ",session" : "", m->classes ? ",class" : "",
            deadline ? ",deadline_s" : "", blocks.tokens ? ",prefix" : "");
    for (int64_t i = 0; i < all->count; i++) {
        const struct hd_market_request *r = &all->of[i];
        fprintf(out, "%" PRId64 ".%06" PRId64 ",", r->at_us / 1000000,
                r->at_us % 1000000);
        if (m->name)
            fputs(m->name[r->model], out);
        else
            fprintf(out, "m%0*d", width, r->model + 1);
        fprintf(out, ",%d,%d", r->input_tokens, r->output_tokens);
        if (sessions) fprintf(out, ",%d", r->session);
        if (m->classes) write_class(m, r, deadline, out);
        if (blocks.tokens) {
            fputc(',', out);
            write_prefix(&blocks, all, r, out);
        }
        fputc('\n', out);
    }
    free(blocks.of_prompt);
    free(blocks.of_session);
    return fflush(out) == 0 && !ferror(out);
}
