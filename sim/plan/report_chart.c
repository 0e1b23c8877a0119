/* The chart of a comparison: GPUs needed against strictness, a line for each policy
 * and a panel for each target and rule; bars when there is one strictness only. The
 * script and the data that are written here can be edited and run by hand. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "output/figure.h"
#include "output/quantity.h"
#include "plan/report_parts.h"

/* Colours that people with colour blindness tell apart (Okabe and Ito, "Color
 * universal design", 2008), each with a point of its own shape. */
static const struct {
    const char *colour;
    int point;
} style[] = {{"#0072B2", 7},  {"#D55E00", 5},  {"#009E73", 9}, {"#CC79A7", 13},
             {"#E69F00", 11}, {"#56B4E9", 15}, {"#000000", 6}};
enum { STYLES = sizeof style / sizeof *style };

/* A text inside gnuplot's single quotes. */
static void quoted(FILE *f, const char *text) {
    putc('\'', f);
    for (; *text; text++) {
        if (*text == '\'') putc('\'', f);
        putc((unsigned char)*text < 0x20 ? '?' : *text, f);
    }
    putc('\'', f);
}

struct chart {
    const struct hd_question *q;
    const struct hd_comparison *c;
    const struct hd_answer **panel; /* the first answer of each, at the first scale */
    int panels, columns, rows;
    int most; /* GPUs, over all */
    bool baseline, bound, missing;
};

static const struct hd_answer *
find(const struct chart *k, const struct hd_answer *panel, int scale, int policy) {
    for (int i = 0; i < k->c->answers; i++) {
        const struct hd_answer *a = &k->c->answer[i];
        if (a->attain == panel->attain && a->rule == panel->rule &&
            a->policy == policy && a->scale == k->q->scale[scale])
            return a;
    }
    return NULL;
}

static int answered(const struct hd_answer *a) {
    return a && a->whole && a->reached ? a->gpus : 0;
}

static void survey(struct chart *k) {
    const struct hd_question *q = k->q;
    bool dedicated_asked = false;
    int rules = 0;
    for (int r = 0; r < HD_PASS_RULES; r++) rules += q->pass[r];
    for (int p = 0; p < q->policies; p++)
        if (strcmp(q->policy[p].script->name, "dedicated") == 0) dedicated_asked = true;
    k->most = k->c->one_each_gpus;
    for (int i = 0; i < k->c->answers; i++) {
        const struct hd_answer *a = &k->c->answer[i];
        if (a->scale == q->scale[0] && a->policy == k->c->answer[0].policy)
            k->panel[k->panels++] = a;
        if (answered(a) > k->most) k->most = a->gpus;
        if (!dedicated_asked && a->baseline_gpus > k->most) k->most = a->baseline_gpus;
        if (!dedicated_asked && a->baseline_gpus > 0) k->baseline = true;
        if (a->bound_gpus > 0) k->bound = true;
        if (a->whole && !a->reached) k->missing = true;
    }
    k->columns = k->panels % rules == 0 && rules > 1 ? rules
                 : k->panels < 3                     ? k->panels
                                                     : 2;
    k->rows = (k->panels + k->columns - 1) / k->columns;
}

/* ---- data -------------------------------------------------------------------------
 */

static void number(FILE *f, int gpus) {
    if (gpus > 0)
        fprintf(f, "\t%d", gpus);
    else
        fputs("\tNaN", f);
}

static void write_data(const struct chart *k, FILE *f) {
    const struct hd_question *q = k->q;
    fputs("# GPUs needed. A block for each panel; NaN: no number passes, or none is "
          "known.\n# slo_scale",
          f);
    for (int p = 0; p < q->policies; p++) {
        putc('\t', f);
        quoted(f, q->policy[p].label);
    }
    fputs("\tone_each\tdedicated\tlower_bound\n", f);
    for (int n = 0; n < k->panels; n++) {
        const struct hd_answer *panel = k->panel[n];
        fprintf(f, "%s# attain %g, rule %s\n", n ? "\n\n" : "", panel->attain,
                hd_pass_rule_name(panel->rule));
        for (int s = 0; s < q->scales; s++) {
            const struct hd_answer *any = NULL;
            fprintf(f, "%g", q->scale[s]);
            for (int p = 0; p < q->policies; p++) {
                const struct hd_answer *a = find(k, panel, s, p);
                number(f, answered(a));
                if (a) any = a;
            }
            number(f, k->c->one_each_gpus);
            number(f, any ? any->baseline_gpus : 0);
            number(f, any ? any->bound_gpus : 0);
            putc('\n', f);
        }
    }
}

/* ---- script ------------------------------------------------------------------------
 */

static void panel_title(const struct chart *k, const struct hd_answer *panel, FILE *f) {
    const char *what = k->q->metric == HD_METRIC_REQUEST ? "requests" : "tokens";
    fprintf(f, "  set title \"%s of %s in time, %s\"\n",
            hd_say_share(panel->attain).text, what,
            panel->rule == HD_PASS_MODEL ? "for each model" : "all models pooled");
}

/* "x0.5", and below it the limits that it means where there is one class. */
static void scale_label(const struct hd_question *q, double scale, FILE *f) {
    fprintf(f, "\"x%g", scale);
    if (q->classes == 1 && isfinite(q->slo[0].ttft_s))
        fprintf(f, "\\n%s", hd_say_seconds(q->slo[0].ttft_s * scale).text);
    if (q->classes == 1 && isfinite(q->slo[0].tbt_s))
        fprintf(f, "\\n%s", hd_say_seconds(q->slo[0].tbt_s * scale).text);
    putc('"', f);
}

/* Reference lines that are in the data's last three columns. */
static void reference(const struct chart *k, int panel, int column, const char *name,
                      const char *look, FILE *f) {
    fprintf(f,
            ", \\\n    'gpus.dat' index %d using (X($1)):%d with lines %s title '%s'",
            panel, k->q->policies + 2 + column, look, name);
}

static void plot_lines(const struct chart *k, int n, FILE *f) {
    const struct hd_question *q = k->q;
    for (int p = 0; p < q->policies; p++) {
        fprintf(f,
                "%s'gpus.dat' index %d using (X($1)):%d with linespoints linestyle %d "
                "title ",
                p ? ", \\\n    " : "  plot ", n, p + 2, p % STYLES + 1);
        quoted(f, q->policy[p].label);
    }
    for (int p = 0; p < q->policies; p++) /* each number above its point */
        fprintf(f,
                ", \\\n    '' index %d using (X($1)):%d:%d with labels offset 0,0.75 "
                "font ',13' textcolor rgb '%s' notitle",
                n, p + 2, p + 2, style[p % STYLES].colour);
    reference(k, n, 0, "one replica of each model", "linestyle 20", f);
    if (k->baseline) reference(k, n, 1, "dedicated (baseline)", "linestyle 21", f);
    if (k->bound) reference(k, n, 2, "lower bound", "linestyle 22", f);
    for (int p = 0; p < q->policies && k->missing; p++)
        fprintf(
            f,
            ", \\\n    '' index %d using (X($1)):(MISSING(column(%d), %d)) with points "
            "pointtype 2 linecolor rgb '%s' %s",
            n, p + 2, p, style[p % STYLES].colour,
            p == 0 ? "title 'no number of GPUs passes'" : "notitle");
    putc('\n', f);
}

static void plot_bars(const struct chart *k, int n, FILE *f) {
    const struct hd_question *q = k->q;
    for (int p = 0; p < q->policies; p++) {
        fprintf(f,
                "%s'gpus.dat' index %d using (%d):%d with boxes fillstyle solid 0.85 "
                "noborder linecolor rgb '%s' notitle",
                p ? ", \\\n    " : "  plot ", n, p, p + 2, style[p % STYLES].colour);
    }
    for (int p = 0; p < q->policies; p++) {
        const struct hd_answer *a = find(k, k->panel[n], 0, p);
        if (answered(a) && isfinite(a->saved))
            fprintf(
                f,
                ", \\\n    '' index %d using (%d):%d:(sprintf('%%d (saves %.0f %%%%)', "
                "column(%d)))",
                n, p, p + 2, a->saved * 100, p + 2);
        else if (answered(a))
            fprintf(f, ", \\\n    '' index %d using (%d):%d:%d", n, p, p + 2, p + 2);
        else
            fprintf(f, ", \\\n    '' index %d using (%d):(0):('none passes')", n, p);
        fputs(" with labels offset 0,0.8 notitle", f);
    }
    fprintf(
        f,
        ", \\\n    '' index %d using (-0.5):%d:(%d):(0) with vectors nohead linestyle "
        "20 title 'one replica of each model'",
        n, q->policies + 2, q->policies);
    if (k->baseline)
        fprintf(f,
                ", \\\n    '' index %d using (-0.5):%d:(%d):(0) with vectors nohead "
                "linestyle 21 title 'dedicated (baseline)'",
                n, q->policies + 3, q->policies);
    if (k->bound)
        fprintf(f,
                ", \\\n    '' index %d using (-0.5):%d:(%d):(0) with vectors nohead "
                "linestyle 22 title 'lower bound'",
                n, q->policies + 4, q->policies);
    putc('\n', f);
}

static void axes(const struct chart *k, FILE *f) {
    const struct hd_question *q = k->q;
    double strictest = q->scale[0], loosest = q->scale[0];
    for (int s = 1; s < q->scales; s++) {
        strictest = fmin(strictest, q->scale[s]);
        loosest = fmax(loosest, q->scale[s]);
    }
    if (q->scales == 1) {
        fprintf(f, "set xrange [-0.6:%d.6]\nset boxwidth 0.6\nset xtics (",
                q->policies - 1);
        for (int p = 0; p < q->policies; p++) {
            fputs(p ? ", " : "", f);
            quoted(f, q->policy[p].label);
            fprintf(f, " %d", p);
        }
        fputs(") noenhanced\n", f);
        return;
    }
    /* halving every limit is the same step everywhere */
    fprintf(f, "X(scale) = -log(scale) / log(2)\n");
    double margin = 0.08 * log2(loosest / strictest);
    fprintf(f, "set xrange [%g:%g]\n", -log2(loosest) - margin,
            -log2(strictest) + margin);
    fputs("set xtics (", f);
    for (int s = 0; s < q->scales; s++) {
        fputs(s ? ", " : "", f);
        scale_label(q, q->scale[s], f);
        fprintf(f, " %g", -log2(q->scale[s]));
    }
    fputs(")\n", f);
    if (q->classes == 1)
        fputs("set xlabel 'SLO: times the limits asked for, TTFT, TBT; stricter to the "
              "right'\n",
              f);
    else
        fputs("set xlabel 'SLO: times the limits asked for; stricter to the right'\n",
              f);
    fprintf(f, "MISSING(gpus, row) = gpus == gpus ? NaN : %g\n",
            1.2 * k->most); /* NaN differs from itself */
}

static void write_script(const struct chart *k, FILE *f) {
    const struct hd_question *q = k->q;
    int width = 760 * k->columns + 40, height = 560 * k->rows + 130;
    fputs("# Run in this folder: gnuplot gpus.gp\n", f);
    for (int i = 0; i < STYLES; i++)
        fprintf(f,
                "set style line %d linecolor rgb '%s' linewidth 2.5 pointtype %d "
                "pointsize 1.5\n",
                i + 1, style[i].colour, style[i].point);
    fputs("set style line 20 linecolor rgb '#777777' linewidth 1.5 dashtype 2\n"
          "set style line 21 linecolor rgb '#333333' linewidth 1.5 dashtype 4\n"
          "set style line 22 linecolor rgb '#000000' linewidth 1.5 dashtype 3\n"
          "set encoding utf8\nset border 3 linecolor rgb '#444444'\nset tics nomirror\n"
          "set grid ytics linecolor rgb '#dddddd' linewidth 1 dashtype 1\n"
          "set ylabel 'GPUs needed'\n",
          f);
    fprintf(f, "set yrange [0:%g]\n", k->most * 1.25);
    axes(k, f);
    fprintf(f,
            "do for [target in 'png pdf'] {\n"
            "  if (target eq 'png') {\n"
            "    set terminal pngcairo size %d,%d font 'sans,16' linewidth 1.4\n"
            "    set output '../compare.png'\n"
            "  } else {\n"
            "    set terminal pdfcairo size %.2fin,%.2fin font 'sans,16'\n"
            "    set output 'gpus.pdf'\n"
            "  }\n",
            width, height, width / 100.0, height / 100.0);
    fprintf(f,
            "  set multiplot layout %d,%d margins screen %.3f,%.3f,%.3f,%.3f spacing "
            "screen %.3f,%.3f\n",
            k->rows, k->columns, 85.0 / width, 1 - 25.0 / width, 190.0 / height,
            1 - 60.0 / height, 90.0 / width, 190.0 / height);
    fputs("  set key at screen 0.5,0.015 center bottom horizontal noenhanced\n", f);
    for (int n = 0; n < k->panels; n++) {
        panel_title(k, k->panel[n], f);
        if (q->scales > 1)
            plot_lines(k, n, f);
        else
            plot_bars(k, n, f);
        if (n == 0) fputs("  unset key\n", f);
    }
    fputs("  unset multiplot\n  unset output\n}\n", f);
}

/* ---- both
 * ---------------------------------------------------------------------------- */

static bool write_file(const struct chart *k, struct hd_outdir *dir, const char *name,
                       void (*write)(const struct chart *, FILE *),
                       struct hd_err *err) {
    FILE *f = hd_outdir_open(dir, name, err);
    if (!f) return false;
    write(k, f);
    return hd_outdir_close(dir, f, name, err);
}

bool hd_report_chart(const struct hd_report *report, const struct hd_comparison *c,
                     struct hd_outdir *dir, struct hd_err *no_figure,
                     struct hd_err *err) {
    static const char *const picture[] = {"../compare.png", "gpus.pdf"};
    struct chart k = {.q = report->question, .c = c};
    if (c->answers == 0) return true;
    k.panel = calloc((size_t)c->answers, sizeof *k.panel);
    if (!k.panel) return hd_fail(err, "out of memory");
    survey(&k);
    bool ok = write_file(&k, dir, "figures/gpus.dat", write_data, err) &&
              write_file(&k, dir, "figures/gpus.gp", write_script, err);
    free(k.panel);
    if (!ok) return false;
    char folder[4096];
    snprintf(folder, sizeof folder, "%s/figures", hd_outdir_folder(dir));
    hd_figure_draw(folder, "gpus.gp", picture, 2, no_figure);
    return true;
}
