/* The picture of the ladder: a stacked bar for each rung, all of them and, enlarged,
 * the upper ones, with the floor. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/new_file.h"
#include "output/figure.h"
#include "output/quantity.h"
#include "plan/ladder_report.h"

/* Colours that people with colour blindness tell apart (Okabe and Ito, "Color
 * universal design", 2008), in the order of the stages. */
static const struct {
    const char *name, *colour;
} stage_of[HD_STAGES] = {{"KV out", "#56B4E9"},        {"collection", "#F0E442"},
                         {"process start", "#000000"}, {"engine reinit", "#D55E00"},
                         {"weights", "#0072B2"},       {"KV in", "#009E73"}};

/* Whether what the stage takes is what nobody has published or measured. */
static bool is_assumed(const struct hd_ladder_report *r, enum hd_stage stage) {
    const struct hd_switch_cost_of *c = stage == HD_STAGE_GC ? &r->cost[HD_COST_GC]
                                        : stage == HD_STAGE_RESTART
                                            ? &r->cost[HD_COST_RESTART]
                                            : NULL;
    return c && strncmp(c->basis, "assumed", 7) == 0;
}

static void write_data(const struct hd_ladder_report *r, FILE *f) {
    fputs("# rung, seconds of each stage (KV out, collection, process start, engine "
          "reinit, weights,\n# KV in), of the switch\n",
          f);
    for (int n = 0; n < HD_RUNGS; n++) {
        fputs(hd_rung_name((enum hd_rung)n), f);
        for (int s = 0; s < HD_STAGES; s++)
            fprintf(f, "\t%.9g", hd_s_from_tick(r->rung[n].stage[s]));
        fprintf(f, "\t%.9g\t%s\n", hd_s_from_tick(r->rung[n].total),
                hd_say_seconds(hd_s_from_tick(r->rung[n].total)).text);
    }
}

/* Bars of the rungs from `first` on, against an axis up to `top`. */
static void panel(const struct hd_ladder_report *r, int first, double top, bool key,
                  const char *title, FILE *f) {
    double floor_s = hd_ladder_floor_s(r);
    fprintf(f, "set title '%s'\nset %skey\n", title, key ? "" : "no");
    fprintf(f, "set yrange [0:%g]\nset xrange [-0.6:%d.6]\n", top,
            HD_RUNGS - first - 1);
    fprintf(f, "unset arrow\nunset label\n");
    fprintf(
        f,
        "set arrow from graph 0, first %g to graph 1, first %g nohead front dt 2 lc "
        "rgb '#444444' lw 1.5\n",
        floor_s, floor_s);
    if (first)
        fprintf(f,
                "set label \"PCIe floor\\n%s\" at graph 0.995, first %g right offset "
                "0,-0.7 front\n",
                hd_say_seconds(floor_s).text, floor_s);
    fputs("plot ", f);
    for (int s = 0; s < HD_STAGES; s++)
        fprintf(f,
                "DATA every ::%d using %d:xtic(1) lc rgb '%s' title '%s%s', \\\n     ",
                first, s + 2, stage_of[s].colour, stage_of[s].name,
                is_assumed(r, (enum hd_stage)s) ? " (assumed)" : "");
    fprintf(f, "DATA every ::%d using 0:%d:%d with labels offset 0,0.7 notitle\n",
            first, HD_STAGES + 2, HD_STAGES + 3);
}

static void write_script(const struct hd_ladder_report *r, const char *stem, FILE *f) {
    double most = 0, late = 0;
    for (int n = 0; n < HD_RUNGS; n++) {
        double total = hd_s_from_tick(r->rung[n].total);
        if (total > most) most = total;
        if (n >= HD_RUNG_PIPELINED && total > late) late = total;
    }
    fprintf(f, "# Run in this folder: gnuplot '%s.gp'\nDATA = '%s.dat'\n", stem, stem);
    fprintf(f,
            "set terminal pngcairo size 1250,560 font 'Sans,11'\nset output '%s.png'\n",
            stem);
    fputs("set datafile separator '\\t'\nset style data histograms\n"
          "set style histogram rowstacked\nset style fill solid 0.9 noborder\n"
          "set boxwidth 0.65\nset xtics rotate by -30\nset tics nomirror\n"
          "set border 3\nset grid ytics lc rgb '#dddddd'\n"
          "set ylabel 'seconds of a switch'\nset key top right reverse Left "
          "noautotitle\n",
          f);
    fprintf(f,
            "set multiplot layout 1,2 title '%s on %s, TP %d: what each mechanism "
            "saves' noenhanced\n",
            r->model, r->gpu, r->world.tp);
    panel(r, 0, 1.12 * most, true, "all rungs", f);
    if (late < hd_ladder_floor_s(r)) late = hd_ladder_floor_s(r);
    panel(r, HD_RUNG_PIPELINED, 1.15 * late, false, "from `pipelined` on, enlarged", f);
    fputs("unset multiplot\n", f);
}

/* One of the files beside the picture. */
static bool put(const struct hd_ladder_report *r, const char *path, const char *stem,
                bool script, bool replace, struct hd_err *err) {
    struct hd_new_file file = {0};
    if (!hd_new_file_begin(&file, path, replace, err)) return false;
    if (script)
        write_script(r, stem, file.stream);
    else
        write_data(r, file.stream);
    bool fine = hd_new_file_keep(&file, err);
    hd_new_file_drop(&file);
    return fine;
}

bool hd_ladder_plot(const struct hd_ladder_report *r, const char *path_png,
                    bool replace, struct hd_err *err) {
    const char *slash = strrchr(path_png, '/');
    const char *name = slash ? slash + 1 : path_png;
    if (strpbrk(path_png, "'\n"))
        return hd_fail(err, "%s: expected a name without ' and line breaks", path_png);
    char *folder = slash ? hd_format("%.*s", (int)(slash - path_png) + 1, path_png)
                         : hd_strdup(".");
    char *stem = hd_format("%.*s", (int)strlen(name) - 4, name);
    char *script = hd_format("%s/%s.gp", folder, stem);
    char *data = hd_format("%s/%s.dat", folder, stem);
    char *script_name = hd_format("%s.gp", stem);
    FILE *there = replace ? NULL : fopen(path_png, "r");
    bool fine = !there;
    if (there) {
        fclose(there);
        hd_fail(err, "%s: is there already; --force replaces it", path_png);
    }
    fine = fine && put(r, data, stem, false, replace, err) &&
           put(r, script, stem, true, replace, err) &&
           hd_figure_draw(folder, script_name, &name, 1, err);
    free(folder);
    free(stem);
    free(script);
    free(data);
    free(script_name);
    return fine;
}
