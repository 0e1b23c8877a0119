/* Climbing the ladder, and telling of it. */
#include "plan/ladder_report.h"

#include <string.h>

#include "output/json.h"
#include "output/quantity.h"
#include "output/text_table.h"

/* What is published of a 13B model (Aegaeon, SOSP'25, as secondary accounts give it).
 */
static const double PUBLISHED_NAIVE_S = 26.9, PUBLISHED_REUSE_SAVES = 0.8,
                    PUBLISHED_LAST_S = 1;

bool hd_ladder_climb(struct hd_ladder_report *r, struct hd_err *err) {
    double cost[HD_SWITCH_COSTS];
    for (int c = 0; c < HD_SWITCH_COSTS; c++) cost[c] = r->cost[c].value;
    for (int n = 0; n < HD_RUNGS; n++) {
        r->world.switching = hd_switching_rung((enum hd_rung)n, cost);
        if (!hd_ladder_run(&r->world, false, &r->rung[n], err)) return false;
    }
    return true;
}

double hd_ladder_floor_s(const struct hd_ladder_report *r) {
    return (double)r->world.weights_bytes / r->world.tp / r->world.pcie_bytes_per_s;
}

static double total_s(const struct hd_ladder_report *r, enum hd_rung rung) {
    return hd_s_from_tick(r->rung[rung].total);
}

/* Of the naive switch, what keeping the engine saves. */
static double reuse_saves(const struct hd_ladder_report *r) {
    return 1 - total_s(r, HD_RUNG_REUSE) / total_s(r, HD_RUNG_NAIVE);
}

/* ---- text ---------------------------------------------------------------- */

static void rate(char *text, size_t bytes, double bytes_per_s) {
    snprintf(text, bytes, "%s/s", hd_say_bytes(bytes_per_s).text);
}

static void value(char *text, size_t bytes, const char *unit, double x) {
    if (strcmp(unit, "bytes/s") == 0)
        rate(text, bytes, x);
    else if (strcmp(unit, "s") == 0)
        snprintf(text, bytes, "%s", hd_say_seconds(x).text);
    else
        snprintf(text, bytes, "%s", hd_say_bytes(x).text);
}

static void question_text(const struct hd_ladder_report *r, FILE *out) {
    const struct hd_ladder_case *w = &r->world;
    double batch = (double)w->requests * w->tokens * (double)w->kv_token_bytes;
    char pcie[48], disk[48];
    rate(pcie, sizeof pcie, w->pcie_bytes_per_s);
    rate(disk, sizeof disk, w->disk_bytes_per_s);
    fprintf(out, "model     %s on %s, TP %d: %s of weights\n", r->model, r->gpu, w->tp,
            hd_say_bytes((double)w->weights_bytes).text);
    fprintf(out,
            "switch    the KV of %s of %s leaves (%s), that of as many of another "
            "model of this size comes\n",
            hd_say_things(w->requests, "request").text,
            hd_say_things(w->tokens, "token").text, hd_say_bytes(batch).text);
    fprintf(out, "links     PCIe %s each way, for each GPU (%s)\n", pcie,
            r->pcie_basis);
    fprintf(out, "          disk %s (%s)\n\n", disk, r->disk_basis);
}

static void rungs_text(const struct hd_ladder_report *r, FILE *out) {
    static const char *const title[HD_STAGES] = {"KV\nout",        "collec-\ntion",
                                                 "process\nstart", "engine\nreinit",
                                                 "weights",        "KV\nin"};
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "rung", false);
    for (int s = 0; s < HD_STAGES; s++) hd_text_table_column(t, title[s], true);
    hd_text_table_column(t, "switch", true);
    hd_text_table_column(t, "what it adds", false);
    for (int n = 0; n < HD_RUNGS; n++) {
        hd_text_table_cell(t, "%s", hd_rung_name((enum hd_rung)n));
        for (int s = 0; s < HD_STAGES; s++)
            hd_text_table_cell(
                t, "%s",
                r->rung[n].stage[s]
                    ? hd_say_seconds(hd_s_from_tick(r->rung[n].stage[s])).text
                    : "-");
        hd_text_table_cell(t, "%s", hd_say_seconds(total_s(r, (enum hd_rung)n)).text);
        hd_text_table_cell(t, "%s", hd_rung_adds((enum hd_rung)n));
    }
    hd_text_table_print(t, 0, out);
    hd_text_table_free(t);
    char pcie[48], own[48];
    rate(pcie, sizeof pcie, r->world.pcie_bytes_per_s);
    rate(own, sizeof own, r->gpu_pcie_bytes_per_s);
    fprintf(out, "\nfloor     %s: the weights over the bus at %s, and nothing else",
            hd_say_seconds(hd_ladder_floor_s(r)).text, pcie);
    if (r->gpu_pcie_bytes_per_s != r->world.pcie_bytes_per_s)
        fprintf(out, " (%s at the %s of %s in runs)",
                hd_say_seconds(hd_ladder_floor_s(r) * r->world.pcie_bytes_per_s /
                               r->gpu_pcie_bytes_per_s)
                    .text,
                own, r->gpu);
    fputc('\n', out);
    fprintf(out, "hidden    %s of loading, in the turn before the last rung's switch\n",
            hd_say_seconds(hd_s_from_tick(r->rung[HD_RUNG_PREFETCH].ahead)).text);
}

static void published_text(const struct hd_ladder_report *r, FILE *out) {
    fprintf(out,
            "published for a 13B model: naive %s (here %s), below %s in the end (here "
            "%s, %s with\n          prefetch), and %.0f %% saved by reuse alone (here "
            "%.0f %%",
            hd_say_seconds(PUBLISHED_NAIVE_S).text,
            hd_say_seconds(total_s(r, HD_RUNG_NAIVE)).text,
            hd_say_seconds(PUBLISHED_LAST_S).text,
            hd_say_seconds(total_s(r, HD_RUNG_EVENTS)).text,
            hd_say_seconds(total_s(r, HD_RUNG_PREFETCH)).text,
            100 * PUBLISHED_REUSE_SAVES, 100 * reuse_saves(r));
    if (reuse_saves(r) < PUBLISHED_REUSE_SAVES)
        fprintf(
            out,
            ": at the published %s/s of the loader\n          the weights alone are "
            "%.0f %% of the naive switch, so not all three can hold of one GPU",
            hd_say_bytes(r->cost[HD_COST_LOAD_RATE].value).text,
            100 * hd_s_from_tick(r->rung[HD_RUNG_NAIVE].stage[HD_STAGE_LOAD]) /
                total_s(r, HD_RUNG_NAIVE));
    fputs(")\n", out);
}

static void costs_text(const struct hd_ladder_report *r, FILE *out) {
    char text[48], used[48];
    int assumed = 0;
    fputs("\ncosts     where from (--set NAME=VALUE sets one)\n", out);
    for (int c = 0; c < HD_SWITCH_COSTS; c++) {
        value(text, sizeof text, r->cost[c].unit, r->cost[c].value);
        fprintf(out, "%-9s %-10s %s\n", r->cost[c].name, text, r->cost[c].basis);
        assumed += strncmp(r->cost[c].basis, "assumed", 7) == 0;
    }
    fprintf(out, "%d of %d costs are assumed: nobody has published or measured them\n",
            assumed, (int)HD_SWITCH_COSTS);
    if (!r->checks) return;
    fprintf(out, "\nmeasured on %s by hotdesk-bench, beside what is used here\n",
            r->measured_on);
    for (int k = 0; k < r->checks; k++) {
        const struct hd_ladder_check *c = &r->check[k];
        value(text, sizeof text, c->unit, c->measured);
        value(used, sizeof used, c->unit, c->used);
        fprintf(out, "%-10s %s; %s: %s\n", text, c->what, c->beside, used);
    }
}

void hd_ladder_text(const struct hd_ladder_report *r, FILE *out) {
    question_text(r, out);
    rungs_text(r, out);
    published_text(r, out);
    costs_text(r, out);
}

/* ---- JSON ---------------------------------------------------------------- */

static void rungs_json(const struct hd_ladder_report *r, struct hd_json *j) {
    hd_json_array(j, "rungs");
    for (int n = 0; n < HD_RUNGS; n++) {
        hd_json_object(j, NULL);
        hd_json_text(j, "name", hd_rung_name((enum hd_rung)n));
        hd_json_text(j, "adds", hd_rung_adds((enum hd_rung)n));
        hd_json_inline_object(j, "stages");
        for (int s = 0; s < HD_STAGES; s++) {
            char key[32];
            snprintf(key, sizeof key, "%s_s", hd_stage_name((enum hd_stage)s));
            hd_json_real(j, key, hd_s_from_tick(r->rung[n].stage[s]));
        }
        hd_json_close(j);
        hd_json_real(j, "switch_s", total_s(r, (enum hd_rung)n));
        hd_json_real(j, "hidden_load_s", hd_s_from_tick(r->rung[n].ahead));
        hd_json_close(j);
    }
    hd_json_close(j);
}

static void costs_json(const struct hd_ladder_report *r, struct hd_json *j) {
    hd_json_array(j, "costs");
    for (int c = 0; c < HD_SWITCH_COSTS; c++) {
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "name", r->cost[c].name);
        hd_json_real(j, "value", r->cost[c].value);
        hd_json_text(j, "unit", r->cost[c].unit);
        hd_json_text(j, "basis", r->cost[c].basis);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_array(j, "measured");
    for (int k = 0; k < r->checks; k++) {
        const struct hd_ladder_check *c = &r->check[k];
        hd_json_inline_object(j, NULL);
        hd_json_text(j, "gpu", r->measured_on);
        hd_json_text(j, "what", c->what);
        hd_json_real(j, "value", c->measured);
        hd_json_text(j, "unit", c->unit);
        hd_json_text(j, "beside", c->beside);
        hd_json_real(j, "used", c->used);
        hd_json_close(j);
    }
    hd_json_close(j);
}

void hd_ladder_json(const struct hd_ladder_report *r, FILE *out) {
    const struct hd_ladder_case *w = &r->world;
    struct hd_json j;
    hd_json_start(&j, out);
    hd_json_object(&j, NULL);
    hd_json_text(&j, "schema", "hotdesk.ladder/1");
    hd_json_text(&j, "model", r->model);
    hd_json_text(&j, "gpu", r->gpu);
    hd_json_int(&j, "tp", w->tp);
    hd_json_int(&j, "weights_bytes", w->weights_bytes);
    hd_json_int(&j, "kv_token_bytes", w->kv_token_bytes);
    hd_json_int(&j, "requests", w->requests);
    hd_json_int(&j, "tokens", w->tokens);
    hd_json_real(&j, "pcie_bytes_per_s", w->pcie_bytes_per_s);
    hd_json_text(&j, "pcie_basis", r->pcie_basis);
    hd_json_real(&j, "disk_bytes_per_s", w->disk_bytes_per_s);
    hd_json_text(&j, "disk_basis", r->disk_basis);
    hd_json_real(&j, "floor_s", hd_ladder_floor_s(r));
    rungs_json(r, &j);
    costs_json(r, &j);
    hd_json_close(&j);
    hd_json_finish(&j);
}
