/* Prints coverage. */
#include "command/coverage_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/quantity.h"

/* ---- text ---------------------------------------------------------------- */

static void print_group(const struct hd_coverage_group *g, FILE *out) {
    fprintf(out, "%s%s%s%s%s  %s %s, %s to %s", hd_kernel_op_name(g->op),
            *g->kind ? " " : "", g->kind, *g->dtype ? " " : "", g->dtype,
            hd_say_count(g->rows).text, g->rows == 1 ? "row" : "rows",
            hd_say_seconds(g->least_us * 1e-6).text,
            hd_say_seconds(g->most_us * 1e-6).text);
    if (!isnan(g->spread)) fprintf(out, ", MAD %.1f %%", 100 * g->spread);
    fprintf(out, "; %s, %s\n", g->project, g->licence);
    int at = 0;
    for (int dim = 0; dim < HD_DIMS; dim++) {
        const struct hd_coverage_range *r = &g->range[dim];
        if (r->values == 0) continue;
        char *text =
            r->values == 1
                ? hd_format("%s %" PRId64, hd_kernel_dim_name(dim), r->least)
                : hd_format("%s %" PRId64 " to %" PRId64 " (%d)",
                            hd_kernel_dim_name(dim), r->least, r->most, r->values);
        int bytes = (int)strlen(text);
        bool wrap = at > 0 && at + 2 + bytes > 88;
        if (at == 0 || wrap)
            at = fprintf(out, "%s    %s", wrap ? "\n" : "", text) - wrap;
        else
            at += fprintf(out, "  %s", text);
        free(text);
    }
    if (at) putc('\n', out);
}

/* "512", "8k", "128M": a power of two in at most four letters. */
struct label {
    char text[24];
};

static struct label label_of(int64_t value) {
    static const char unit[] = " kMGT";
    int n = 0;
    while (value >= 1024 && n < 4) value /= 1024, n++;
    struct label label;
    snprintf(label.text, sizeof label.text, "%" PRId64 "%.*s", value, n > 0, &unit[n]);
    return label;
}

static char mark_of(int count, int depth) {
    return count == 0 ? '.' : count == depth ? '#' : 2 * count >= depth ? '+' : '-';
}

static bool is_full(const struct hd_coverage_grid *g) {
    for (int n = 0; n < g->downs * g->acrosses; n++)
        if (g->cell[n] != g->depth) return false;
    return true;
}

static void print_grid(const struct hd_coverage_grid *g, FILE *out) {
    int cells = g->downs * g->acrosses;
    fprintf(out, "%s%s%s %s: %s down, %s across", hd_kernel_op_name(g->op),
            *g->kind ? " " : "", g->kind, g->dtype, hd_kernel_dim_name(g->down),
            hd_kernel_dim_name(g->across));
    if (is_full(g)) {
        fprintf(out, "; all of %d octaves\n", cells);
        return;
    }
    fprintf(out, "; %d of %d octaves empty\n%6s", g->holes, cells, "");
    for (int x = 0; x < g->acrosses; x++)
        fprintf(out, "%5s", label_of(hd_coverage_octave(g->from_across, x)).text);
    putc('\n', out);
    for (int y = 0; y < g->downs; y++) {
        fprintf(out, "%6s", label_of(hd_coverage_octave(g->from_down, y)).text);
        for (int x = 0; x < g->acrosses; x++)
            fprintf(out, "%5c", mark_of(g->cell[y * g->acrosses + x], g->depth));
        putc('\n', out);
    }
}

void hd_coverage_text(const struct hd_coverage *c, FILE *out) {
    for (int n = 0; n < c->groups; n++) print_group(&c->group[n], out);
    if (c->grids)
        fprintf(out,
                "\nOctaves, each from its label on: # all shapes that were measured "
                "in the other\ndimensions, + half of them or more, - fewer, . a "
                "hole.\n");
    for (int n = 0; n < c->grids; n++) {
        bool both_full = n > 0 && is_full(&c->grid[n - 1]) && is_full(&c->grid[n]);
        if (!both_full) putc('\n', out);
        print_grid(&c->grid[n], out);
    }
}

/* ---- JSON ---------------------------------------------------------------- */

static void put_group(const struct hd_coverage_group *g, struct hd_json *j) {
    hd_json_object(j, NULL);
    hd_json_text(j, "op", hd_kernel_op_name(g->op));
    hd_json_text(j, "kind", g->kind);
    hd_json_text(j, "dtype", *g->dtype ? g->dtype : NULL);
    hd_json_int(j, "rows", g->rows);
    hd_json_object(j, "shape");
    for (int dim = 0; dim < HD_DIMS; dim++) {
        if (g->range[dim].values == 0) continue;
        hd_json_inline_object(j, hd_kernel_dim_name(dim));
        hd_json_int(j, "least", g->range[dim].least);
        hd_json_int(j, "most", g->range[dim].most);
        hd_json_int(j, "values", g->range[dim].values);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_real(j, "least_us", g->least_us);
    hd_json_real(j, "most_us", g->most_us);
    hd_json_real(j, "median_mad_share", g->spread);
    hd_json_text(j, "project", g->project);
    hd_json_text(j, "licence", g->licence);
    hd_json_close(j);
}

static void put_octaves(struct hd_json *j, const char *key, int64_t from, int count) {
    hd_json_inline_array(j, key);
    for (int n = 0; n < count; n++) hd_json_int(j, NULL, hd_coverage_octave(from, n));
    hd_json_close(j);
}

static void put_grid(const struct hd_coverage_grid *g, struct hd_json *j) {
    hd_json_object(j, NULL);
    hd_json_text(j, "op", hd_kernel_op_name(g->op));
    hd_json_text(j, "kind", g->kind);
    hd_json_text(j, "dtype", g->dtype);
    hd_json_text(j, "down", hd_kernel_dim_name(g->down));
    hd_json_text(j, "across", hd_kernel_dim_name(g->across));
    put_octaves(j, "down_from", g->from_down, g->downs);
    put_octaves(j, "across_from", g->from_across, g->acrosses);
    hd_json_int(j, "shapes", g->depth);
    hd_json_int(j, "holes", g->holes);
    hd_json_array(j, "measured");
    for (int y = 0; y < g->downs; y++) {
        hd_json_inline_array(j, NULL);
        for (int x = 0; x < g->acrosses; x++)
            hd_json_int(j, NULL, g->cell[y * g->acrosses + x]);
        hd_json_close(j);
    }
    hd_json_close(j);
    hd_json_close(j);
}

void hd_coverage_json(const struct hd_coverage *c, struct hd_json *j) {
    hd_json_array(j, "groups");
    for (int n = 0; n < c->groups; n++) put_group(&c->group[n], j);
    hd_json_close(j);
    hd_json_array(j, "grids");
    for (int n = 0; n < c->grids; n++) put_grid(&c->grid[n], j);
    hd_json_close(j);
}
