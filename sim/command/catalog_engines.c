/* Engine profiles as text, JSON and CSV. */
#include "command/catalog_engines.h"

#include <stdio.h>
#include <string.h>

#include "output/text_table.h"

/* A constant and a letter for where it is from. */
static void cell(struct hd_text_table *t, const struct hd_engine_profile *p,
                 const char *column, double value) {
    hd_text_table_cell(t, "%g %c", value, hd_engine_provenance(p, column)[0]);
}

void hd_engines_text(const struct hd_engines *e) {
    int count;
    const struct hd_engine_profile *all = hd_engines_all(e, &count);
    struct hd_text_table *t = hd_text_table_new();
    hd_text_table_column(t, "engine", false);
    hd_text_table_column(t, "also", false);
    hd_text_table_column(t, "steps", false);
    hd_text_table_column(t, "kernels", false);
    hd_text_table_column(t, "host us\na step", true);
    hd_text_table_column(t, "us a\nsequence", true);
    hd_text_table_column(t, "us a\nlayer", true);
    hd_text_table_column(t, "front\nms", true);
    hd_text_table_column(t, "ms a\nsequence", true);
    hd_text_table_column(t, "sequences", true);
    hd_text_table_column(t, "tokens\na step", true);
    hd_text_table_column(t, "prompts", false);
    hd_text_table_column(t, "prefix\ncache", false);
    for (int n = 0; n < count; n++) {
        const struct hd_engine_profile *p = &all[n];
        hd_text_table_cell(t, "%s", p->name);
        hd_text_table_cell(t, "%.*s", (int)strcspn(p->aliases, " "), p->aliases);
        hd_text_table_cell(t, "%s", p->async ? "async" : "sync");
        hd_text_table_cell(t, "%s",
                           !p->tables ? "fitted"
                           : p->graph ? "graph"
                                      : "eager");
        if (p->tables) {
            cell(t, p, "step_us", p->step_s * 1e6);
            cell(t, p, "sequence_us", p->sequence_s * 1e6);
            cell(t, p, "layer_us", p->layer_s * 1e6);
        } else {
            for (int c = 0; c < 3; c++) hd_text_table_cell(t, "fitted");
        }
        cell(t, p, "front_ms", p->front_s * 1e3);
        cell(t, p, "front_sequence_ms", p->front_sequence_s * 1e3);
        cell(t, p, "max_batch", p->max_batch);
        cell(t, p, "step_tokens", p->step_tokens);
        hd_text_table_cell(t, "%s", p->chunked ? "in chunks" : "first, whole");
        hd_text_table_cell(t, "%s", p->prefix_cache ? "on" : "off");
    }
    hd_text_table_print(t, 0, stdout);
    hd_text_table_free(t);
    printf(
        "\nm: measured, p: published, a: assumed. fitted: in the iterations that were "
        "measured on\neach GPU as a whole. Sources: --json.\n");
}

void hd_engines_json(const struct hd_engines *e, struct hd_json *j) {
    int count;
    const struct hd_engine_profile *all = hd_engines_all(e, &count);
    hd_json_array(j, "engines");
    for (int n = 0; n < count; n++) {
        const struct hd_engine_profile *p = &all[n];
        const struct {
            const char *column, *name;
            double value;
        } constant[] = {
            {"step_us", "step_s", p->step_s},
            {"sequence_us", "sequence_s", p->sequence_s},
            {"layer_us", "layer_s", p->layer_s},
            {"front_ms", "front_s", p->front_s},
            {"front_sequence_ms", "front_sequence_s", p->front_sequence_s},
            {"max_batch", "max_batch", p->max_batch},
            {"step_tokens", "step_tokens", p->step_tokens},
            {"gpu_memory", "gpu_memory", p->gpu_memory},
            {"watermark", "watermark", p->watermark},
        };
        const struct {
            const char *name;
            bool value;
        } flag[] = {{"async", p->async},
                    {"tables", p->tables},
                    {"graph", p->graph},
                    {"chunked", p->chunked},
                    {"prefix_cache", p->prefix_cache}};
        hd_json_object(j, NULL);
        hd_json_text(j, "name", p->name);
        hd_json_text(j, "aliases", p->aliases);
        for (size_t c = 0; c < sizeof flag / sizeof *flag; c++) {
            hd_json_inline_object(j, flag[c].name);
            hd_json_bool(j, "value", flag[c].value);
            hd_json_text(j, "basis", hd_engine_provenance(p, flag[c].name));
            hd_json_close(j);
        }
        for (size_t c = 0; c < sizeof constant / sizeof *constant; c++) {
            hd_json_inline_object(j, constant[c].name);
            hd_json_real(j, "value", constant[c].value);
            hd_json_text(j, "basis", hd_engine_provenance(p, constant[c].column));
            hd_json_close(j);
        }
        hd_json_text(j, "revision", p->revision);
        hd_json_text(j, "source", p->source);
        hd_json_close(j);
    }
    hd_json_close(j);
}

void hd_engines_csv(const struct hd_engines *e, struct hd_csv_writer *w) {
    static const char *const header[] = {
        "engine",           "async",      "tables",      "graph",
        "step_s",           "sequence_s", "layer_s",     "front_s",
        "front_sequence_s", "max_batch",  "step_tokens", "chunked",
        "prefix_cache",     "gpu_memory", "watermark",   "measured",
        "published",        "assumed",    "revision",    "source"};
    for (size_t n = 0; n < sizeof header / sizeof *header; n++)
        hd_csv_text(w, header[n]);
    hd_csv_end_row(w);
    int count;
    const struct hd_engine_profile *all = hd_engines_all(e, &count);
    for (int n = 0; n < count; n++) {
        const struct hd_engine_profile *p = &all[n];
        hd_csv_text(w, p->name);
        hd_csv_text(w, p->async ? "yes" : "no");
        hd_csv_text(w, p->tables ? "yes" : "no");
        hd_csv_text(w, p->graph ? "yes" : "no");
        hd_csv_real(w, p->step_s);
        hd_csv_real(w, p->sequence_s);
        hd_csv_real(w, p->layer_s);
        hd_csv_real(w, p->front_s);
        hd_csv_real(w, p->front_sequence_s);
        hd_csv_int(w, p->max_batch);
        hd_csv_int(w, p->step_tokens);
        hd_csv_text(w, p->chunked ? "yes" : "no");
        hd_csv_text(w, p->prefix_cache ? "yes" : "no");
        hd_csv_real(w, p->gpu_memory);
        hd_csv_real(w, p->watermark);
        hd_csv_text(w, p->measured);
        hd_csv_text(w, p->published);
        hd_csv_text(w, p->assumed);
        hd_csv_text(w, p->revision);
        hd_csv_text(w, p->source);
        hd_csv_end_row(w);
    }
}
