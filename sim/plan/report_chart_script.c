/* The gnuplot script of the chart. */
#include <math.h>

#include "output/figure.h"
#include "output/quantity.h"
#include "plan/report_chart.h"

/* Colours that people with colour blindness tell apart (Okabe and Ito, "Color
 * universal design", 2008), each with a point of its own shape. */
static const struct {
    const char *colour;
    int point;
} style[] = {{"#0072B2", 7},  {"#D55E00", 5},  {"#009E73", 9}, {"#CC79A7", 13},
             {"#E69F00", 11}, {"#56B4E9", 15}, {"#000000", 6}};
enum { STYLES = sizeof style / sizeof *style };

/* A policy's name on the chart; one that could not be deployed is marked. */
static void policy_name(const struct hd_policy_choice *p, FILE *f) {
    char name[256];
    snprintf(name, sizeof name, "%s%s", p->label,
             p->script->clairvoyant ? " (sees the future)" : "");
    hd_figure_quote(f, name);
}

static void panel_title(const struct hd_chart *k, const struct hd_answer *panel,
                        FILE *f) {
    const char *what = k->q->metric == HD_METRIC_REQUEST ? "requests" : "tokens";
    fprintf(f, "  set title \"%s of %s in time, %s\" offset 0,-0.5\n",
            hd_say_share(panel->attain).text, what,
            panel->rule == HD_PASS_MODEL ? "for each model" : "all models pooled");
}

/* "x0.5", and below it the limits that it means where there is one class. */
static void scale_label(const struct hd_question *q, double scale, FILE *f) {
    fprintf(f, "\"x%g", scale);
    if (q->classes == 1 && isfinite(q->slo[0].ttft_s))
        fprintf(f, "\\n%s", hd_say_limit(q->slo[0].ttft_s * scale).text);
    if (q->classes == 1 && isfinite(q->slo[0].tbt_s))
        fprintf(f, "\\n%s", hd_say_limit(q->slo[0].tbt_s * scale).text);
    putc('"', f);
}

/* A line across the panel, from the block of references. */
static void reference(const struct hd_chart *k, int panel, int column, int look,
                      FILE *f) {
    int block = panel * (k->q->policies + 1) + k->q->policies;
    fprintf(f, ", \\\n    DATA index %d ", block);
    if (k->q->scales > 1)
        fprintf(f, "using 2:%d with lines", column);
    else
        fprintf(f, "using (-0.5):%d:(%d):(0) with vectors nohead", column,
                k->q->policies);
    fprintf(f, " linestyle %d notitle", look);
}

static void references(const struct hd_chart *k, int panel, FILE *f) {
    reference(k, panel, 3, 20, f);
    if (k->baseline) reference(k, panel, 4, 21, f);
    if (k->bound) reference(k, panel, 5, 22, f);
}

/* The key is a plot of its own, as wide as the picture. */
static void plot_key(const struct hd_chart *k, FILE *f) {
    const char *between = "  plot ";
    for (int p = 0; p < k->q->policies && k->q->scales > 1; p++) {
        fprintf(f, "%sNaN with linespoints linestyle %d title ", between,
                p % STYLES + 1);
        policy_name(&k->q->policy[p], f);
        between = ", ";
    }
    fprintf(f, "%sNaN with lines linestyle 20 title 'one replica of each model'",
            between);
    if (k->baseline)
        fputs(", NaN with lines linestyle 21 title 'dedicated (baseline)'", f);
    if (k->bound) fputs(", NaN with lines linestyle 22 title 'lower bound'", f);
    if (k->missing && k->q->scales > 1)
        fputs(", NaN with points linestyle 23 title 'no number passes'", f);
    putc('\n', f);
}

static void plot_lines(const struct hd_chart *k, int n, FILE *f) {
    const struct hd_question *q = k->q;
    int first = n * (q->policies + 1);
    for (int p = 0; p < q->policies; p++) {
        fprintf(f, "%sDATA index %d using 2:3 with linespoints linestyle %d notitle",
                p ? ", \\\n    " : "  plot ", first + p, p % STYLES + 1);
    }
    references(k, n, f);
    for (int p = 0; p < q->policies; p++) {
        const char *colour = style[p % STYLES].colour;
        for (int side = 0; side < 2; side++)
            fprintf(
                f,
                ", \\\n    DATA index %d using 2:%d:%d with labels boxed offset 0,%s "
                "font SMALL textcolor rgb '%s' notitle",
                first + p, 4 + side, 4 + side, side ? "-0.8" : "0.8", colour);
    }
    for (int p = 0; p < q->policies && k->missing; p++)
        fprintf(f,
                ", \\\n    DATA index %d using 2:6 with points linestyle 23 linecolor "
                "rgb '%s' notitle",
                first + p, style[p % STYLES].colour);
    putc('\n', f);
}

static void plot_bars(const struct hd_chart *k, int n, FILE *f) {
    const struct hd_question *q = k->q;
    int first = n * (q->policies + 1);
    for (int p = 0; p < q->policies; p++)
        fprintf(f,
                "%sDATA index %d using (%d):3 with boxes fillstyle solid 0.85 "
                "noborder linecolor rgb '%s' notitle",
                p ? ", \\\n    " : "  plot ", first + p, p, style[p % STYLES].colour);
    references(k, n, f);
    for (int p = 0; p < q->policies; p++) {
        const struct hd_answer *a = hd_chart_find(k, k->panel[n], 0, p);
        fprintf(f, ", \\\n    DATA index %d using (%d):", first + p, p);
        if (hd_chart_gpus(a) && a->saved > 0)
            fputs("3:(sprintf(\"%d GPUs\\nsaves %.0f %%\", $3, $7)) with labels boxed "
                  "offset "
                  "0,1.5 font SMALL notitle",
                  f);
        else if (hd_chart_gpus(a))
            fputs("3:(sprintf('%d GPUs', $3)) with labels boxed offset 0,0.8 font "
                  "SMALL notitle",
                  f);
        else
            fputs(
                "(0):('none passes') with labels boxed offset 0,0.8 font SMALL notitle",
                f);
    }
    putc('\n', f);
}

static void axes(const struct hd_chart *k, FILE *f) {
    const struct hd_question *q = k->q;
    fprintf(f, "set yrange [0:%g]\n", k->most * 1.25);
    if (q->scales == 1) {
        fprintf(f, "set xrange [-0.6:%d.6]\nset boxwidth 0.6\nset xtics (",
                q->policies - 1);
        for (int p = 0; p < q->policies; p++) {
            fputs(p ? ", " : "", f);
            policy_name(&q->policy[p], f);
            fprintf(f, " %d", p);
        }
        fputs(") noenhanced\n", f);
        return;
    }
    double first = k->x[0], last = k->x[0];
    for (int s = 1; s < q->scales; s++) {
        first = fmin(first, k->x[s]);
        last = fmax(last, k->x[s]);
    }
    double margin = 0.07 * (last - first);
    fprintf(f, "set xrange [%g:%g]\nset xtics (", first - margin, last + margin);
    for (int s = 0; s < q->scales; s++) {
        fputs(s ? ", " : "", f);
        scale_label(q, q->scale[s], f);
        fprintf(f, " %g", k->x[s]);
    }
    fputs(")\n", f);
}

static void write_head(const struct hd_chart *k, FILE *f) {
    fputs("# Run in this folder: gnuplot gpus.gp\nDATA = 'gpus.dat'\n", f);
    for (int i = 0; i < STYLES; i++)
        fprintf(f,
                "set style line %d linecolor rgb '%s' linewidth 2.5 pointtype %d "
                "pointsize 1.5\n",
                i + 1, style[i].colour, style[i].point);
    fputs(
        "set style line 20 linecolor rgb '#777777' linewidth 1.6 dashtype 2\n"
        "set style line 21 linecolor rgb '#333333' linewidth 1.6 dashtype 4\n"
        "set style line 22 linecolor rgb '#000000' linewidth 1.6 dashtype 3\n"
        "set style textbox opaque noborder margins 0.4,0.2\n"
        "set style line 23 linecolor rgb '#000000' linewidth 2.5 pointtype 2 pointsize "
        "1.5\n"
        "set encoding utf8\nset border 3 linecolor rgb '#444444'\nset tics nomirror\n"
        "set grid ytics linecolor rgb '#cccccc' linewidth 0.7 dashtype 1\n",
        f);
    axes(k, f);
}

/* Pixels of the PNG; the PDF has the same proportions. */
struct page {
    int width, height, key, axis, top; /* key, axis: heights below all panels */
    int panel_width, panel_height, labels;
};

static struct page lay_out_page(const struct hd_chart *k) {
    bool lines = k->q->scales > 1;
    int keys = 1 + k->baseline + k->bound + (lines ? k->q->policies + k->missing : 0);
    struct page page = {.panel_width = k->columns > 1 ? 600 : 760,
                        .panel_height = 400,
                        .labels = lines ? 90 : 35,
                        .top = 50,
                        .axis = lines ? 34 : 0};
    page.width = 105 + k->columns * page.panel_width + (k->columns - 1) * 75 + 25;
    int in_a_row = page.width / 400;
    page.key = 27 * ((keys + in_a_row - 1) / in_a_row) + 12;
    page.height = page.top + k->rows * (64 + page.panel_height + page.labels) +
                  page.axis + page.key;
    return page;
}

static void margins(const struct page *page, double left, double right, double bottom,
                    double top, FILE *f) {
    fprintf(f,
            "  set lmargin at screen %.4f\n  set rmargin at screen %.4f\n"
            "  set bmargin at screen %.4f\n  set tmargin at screen %.4f\n",
            left / page->width, right / page->width, bottom / page->height,
            top / page->height);
}

static void write_terminals(const struct page *page, FILE *f) {
    fprintf(f,
            "do for [target in 'png pdf'] {\n"
            "  if (target eq 'png') {\n"
            "    set terminal pngcairo size %d,%d font 'sans,16' linewidth 1.4\n"
            "    set output '../compare.png'\n"
            "    SMALL = ',13'; LARGE = ',19'\n"
            "  } else {\n"
            "    set terminal pdfcairo size %.2fin,%.2fin font 'sans,8' linewidth "
            "0.7 pointscale 0.5\n"
            "    set output 'gpus.pdf'\n"
            "    SMALL = ',6.5'; LARGE = ',9.5'\n"
            "  }\n  set multiplot\n",
            page->width, page->height, page->width / 200.0, page->height / 200.0);
}

static void write_captions(const struct hd_chart *k, const struct page *page, FILE *f) {
    char title[512];
    snprintf(title, sizeof title, "GPUs that keep the SLO: %s, %s on %s%s",
             k->q->trace->name, hd_say_things(k->q->models, "model").text,
             k->q->part[0].gpu->name, k->c->complete ? "" : " (incomplete)");
    fputs("  set label 1 ", f);
    hd_figure_quote(f, title);
    fprintf(f, " at screen 0.5,%.4f center font LARGE noenhanced\n",
            1 - 24.0 / page->height);
    if (k->q->scales > 1)
        fprintf(f,
                "  set label 2 'SLO, stricter to the right: factor%s' at screen "
                "0.5,%.4f center\n",
                k->q->classes == 1 ? ", TTFT limit, TBT limit" : " of every limit",
                (page->key + page->axis / 2.0) / page->height);
}

void hd_chart_script(const struct hd_chart *k, FILE *f) {
    struct page page = lay_out_page(k);
    write_head(k, f);
    write_terminals(&page, f);
    write_captions(k, &page, f);
    fputs("  set border 3\n  set key off\n  set tics\n", f);
    for (int n = 0; n < k->panels; n++) {
        int column = n % k->columns, row = n / k->columns;
        double left = 105 + column * (page.panel_width + 75);
        double top =
            page.height - page.top - 44 - row * (64 + page.panel_height + page.labels);
        margins(&page, left, left + page.panel_width, top - page.panel_height, top, f);
        panel_title(k, k->panel[n], f);
        fputs(column ? "  unset ylabel\n" : "  set ylabel 'GPUs needed' offset 0.5,0\n",
              f);
        if (k->q->scales > 1)
            plot_lines(k, n, f);
        else
            plot_bars(k, n, f);
        if (n == 0) fputs("  unset label\n", f);
    }
    margins(&page, 0, page.width, 0, page.key, f);
    fputs("  unset title\n  unset ylabel\n  unset tics\n  set border 0\n"
          "  set key on inside center center horizontal Left reverse samplen 3 "
          "noenhanced\n",
          f);
    plot_key(k, f);
    fputs("  unset multiplot\n  unset output\n}\n", f);
}
