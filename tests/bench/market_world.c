/* A market, set up as `hotdesk replay` does: see the header. */
#include "bench/market_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

void market_world_make(struct market_world *w, const char *trace, const char *fleet) {
    *w = (struct market_world){0};
    static const struct hd_help help = {"", "", {NULL}};
    char *words[] = {"replay",
                     "--trace",
                     (char *)trace,
                     "--models",
                     "*=qwen2.5-7b:24,yi-1.5-9b:8,llama-2-13b:8",
                     "--fleet",
                     (char *)fleet,
                     "--policy",
                     "aegaeon",
                     "--json", /* no tables */
                     "--quiet",
                     NULL};
    struct hd_problem problem = {0};
    int count = sizeof words / sizeof *words - 1;
    if (!hd_session_begin(&w->session, HD_FOR_REPLAY, &help, count, words, &problem))
        exit(hd_problem_print(&problem));
    struct hd_err err = {0};
    w->setup = hd_setup_new(&w->session.resolved.question, &err);
    if (!w->setup) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

static void close_scene(struct market_world *w) {
    if (w->open) hd_scene_close(&w->scene);
    w->open = false;
}

void market_world_free(struct market_world *w) {
    close_scene(w);
    hd_setup_free(w->setup);
    hd_session_end(&w->session);
}

struct hd_measure *market_world_measure(struct market_world *w) {
    close_scene(w);
    hd_scene_open(w->setup, &(struct hd_case){.scale = 1, .model = -1}, &w->scene);
    w->open = true;
    return hd_setup_measure(w->setup, -1);
}
