/* The gnuplot scripts of the pictures. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/plot_parts.h"
#include "output/figure.h"
#include "output/quantity.h"

/* Colours that people with colour blindness tell apart (Okabe and Ito, "Color
 * universal design", 2008); with as many shapes as are coprime to them no two of the
 * first 42 groups look alike. */
static const char *const colour[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
                                     "#E69F00", "#56B4E9", "#000000"};
static const int shape[] = {7, 5, 9, 13, 11, 6};
enum {
    COLOURS = sizeof colour / sizeof *colour,
    SHAPES = sizeof shape / sizeof *shape
};

/* Pixels. */
enum {
    WIDTH = 1500,
    PANEL = 580,
    LEFT = 150,
    RIGHT = 45,
    TOP = 95,
    AXIS = 80,
    KEY_LINE = 27,
    KEYS_ACROSS = 4
};

/* Many points are drawn small, so that they do not hide each other. */
static double point_size(int points) {
    return points > 5000 ? 0.35 : points > 200 ? 0.55 : 0.8;
}

static void styles(const struct hd_plot *plot, FILE *f) {
    for (int g = 0; g < plot->groups; g++)
        fprintf(f, "set style line %d linecolor rgb '%s' pointtype %d pointsize %.2f\n",
                g + 1, colour[g % COLOURS], shape[g % SHAPES],
                point_size(plot->group[g].points));
}

static void head(const struct hd_plot *plot, const char *script, const char *picture,
                 int width, int height, FILE *f) {
    fprintf(f,
            "# Run in this folder: gnuplot %s\n"
            "set terminal pngcairo size %d,%d font 'sans,14' linewidth 1.3\n"
            "set output '%s'\n"
            "set encoding utf8\nset border 3 linecolor rgb '#444444'\n"
            "set tics nomirror\nset grid linecolor rgb '#dddddd' linewidth 0.7 "
            "dashtype 1\n",
            script, width, height, picture);
    styles(plot, f);
}

static void title(const char *text, int height, FILE *f) {
    fputs("set label 1 ", f);
    hd_figure_quote(f, text);
    fprintf(f, " at screen 0.5,%.4f center font ',18' noenhanced\n", 1 - 32.0 / height);
}

static void margins(double left, double right, double bottom, double top, int width,
                    int height, FILE *f) {
    fprintf(f,
            "set lmargin at screen %.4f\nset rmargin at screen %.4f\n"
            "set bmargin at screen %.4f\nset tmargin at screen %.4f\n",
            left / width, right / width, bottom / height, top / height);
}

typedef bool choice(const struct hd_plot_group *);

static int count(const struct hd_plot *plot, choice *is) {
    int groups = 0;
    for (int g = 0; g < plot->groups; g++) groups += is(&plot->group[g]);
    return groups;
}

static bool has_prediction(const struct hd_plot_group *g) {
    return g->predicted > 0;
}

static bool has_roof(const struct hd_plot_group *g) {
    return hd_plot_computes(g) || hd_plot_streams(g);
}

static int key_height(int keys) {
    return KEY_LINE * ((keys + KEYS_ACROSS - 1) / KEYS_ACROSS) + 10;
}

/* The key is a plot of its own below the panels, so that these stay equally large. */
static void plot_key(const struct hd_plot *plot, choice *is, int height, FILE *f) {
    margins(0, WIDTH, 0, key_height(count(plot, is)), WIDTH, height, f);
    fprintf(f,
            "unset title\nunset xlabel\nunset ylabel\nunset tics\nunset grid\n"
            "unset logscale\nunset object\nunset label\nset border 0\n"
            "set xrange [0:1]\nset yrange [0:1]\n"
            "set key on inside center center horizontal Left reverse samplen 1.5 "
            "maxcols %d width 1 noenhanced\n",
            KEYS_ACROSS);
    const char *between = "plot ";
    for (int g = 0; g < plot->groups; g++) {
        if (!is(&plot->group[g])) continue;
        char *label = hd_plot_label(&plot->group[g]);
        fprintf(f, "%sNaN with points linestyle %d pointsize 1.2 title ", between,
                g + 1);
        hd_figure_quote(f, label);
        free(label);
        between = ", \\\n    ";
    }
    fputs("\nunset multiplot\n", f);
}

static const char *plot_groups(const struct hd_plot *plot, choice *is,
                               const char *columns, const char *between, FILE *f) {
    for (int g = 0; g < plot->groups; g++) {
        if (!is(&plot->group[g])) continue;
        fprintf(f, "%s'points.dat' index %d using %s with points linestyle %d notitle",
                between, g, columns, g + 1);
        between = ", \\\n    ";
    }
    return between;
}

/* ---- roofline ------------------------------------------------------------- */

/* The range of a column of some groups, a bit wider: "set xrange [...]". */
static void range(const struct hd_plot *plot, choice *is,
                  double (*value)(const struct hd_plot_point *), const char *axis,
                  FILE *f) {
    double least = INFINITY, most = 0;
    for (int g = 0; g < plot->groups; g++)
        for (int n = 0; is(&plot->group[g]) && n < plot->group[g].points; n++) {
            double x = value(&plot->group[g].point[n]);
            if (!(x > 0)) continue;
            least = fmin(least, x);
            most = fmax(most, x);
        }
    fprintf(f, "set %srange [%.4g:%.4g]\n", axis, least / 1.5, most * 1.5);
}

static double intensity(const struct hd_plot_point *p) {
    return p->flops / p->bytes;
}

static double bytes_of(const struct hd_plot_point *p) {
    return p->bytes;
}

static void compute_panel(const struct hd_plot *plot, FILE *f) {
    const struct hd_gpu_spec *gpu = plot->gpu;
    bool narrow = false;
    for (int g = 0; g < plot->groups; g++)
        narrow |= hd_plot_computes(&plot->group[g]) &&
                  hd_kernel_dtype_bytes(plot->group[g].dtype) == 1;
    narrow = narrow && gpu->fp8_flops > 0;
    fprintf(f,
            "set title 'kernels that compute' font ',15'\n"
            "set xlabel 'FLOP for each byte of weights, activations and KV'\n"
            "set format y '%%.0s %%cFLOP/s'\nset format x '%%g'\nset logscale xy\n"
            "BW = %.6g; PEAK = %.6g; NARROW = %.6g\n"
            "set label 2 '16 bit: %.0f TFLOP/s' at graph 0.02, first PEAK * 1.15 left "
            "font ',12'\n",
            gpu->hbm_bytes_per_s, gpu->bf16_flops, narrow ? gpu->fp8_flops : 0,
            gpu->bf16_flops * 1e-12);
    if (narrow)
        fprintf(f,
                "set label 3 '8 bit: %.0f TFLOP/s' at graph 0.02, first NARROW * 1.15 "
                "left font ',12'\n",
                gpu->fp8_flops * 1e-12);
    fprintf(f,
            "set label 4 'memory: %.2f TB/s' at first PEAK / BW / 8, first PEAK / 6 "
            "right font ',12'\n",
            gpu->hbm_bytes_per_s * 1e-12);
    range(plot, hd_plot_computes, intensity, "x", f);
    fputs("set yrange [*:(NARROW > PEAK ? NARROW : PEAK) * 2]\n", f);
    const char *between = plot_groups(plot, hd_plot_computes, "3:4", "plot ", f);
    fprintf(f,
            "%s(x * BW < PEAK ? x * BW : PEAK) with lines linewidth 2 linecolor rgb "
            "'#333333' notitle",
            between);
    if (narrow)
        fputs(", \\\n    (x * BW < NARROW ? x * BW : NARROW) with lines linewidth 2 "
              "dashtype 2 linecolor rgb '#333333' notitle",
              f);
    fputs("\nunset label 2\nunset label 3\nunset label 4\n", f);
}

static void memory_panel(const struct hd_plot *plot, FILE *f) {
    fprintf(f,
            "set title 'kernels that only move bytes' font ',15'\n"
            "set xlabel 'bytes read and written'\nset logscale xy\n"
            "set format y '%%.0s %%cB/s'\nset format x '%%.0s %%cB'\n"
            "BW = %.6g\nset yrange [*:BW * 4]\n"
            "set label 2 'memory: %.2f TB/s' at graph 0.02, first BW * 1.2 left font "
            "',12'\n",
            plot->gpu->hbm_bytes_per_s, plot->gpu->hbm_bytes_per_s * 1e-12);
    range(plot, hd_plot_streams, bytes_of, "x", f);
    fprintf(f,
            "%sBW with lines linewidth 2 linecolor rgb '#333333' notitle\nunset label "
            "2\n",
            plot_groups(plot, hd_plot_streams, "5:6", "plot ", f));
}

void hd_plot_script_roofline(const struct hd_plot *plot, FILE *f) {
    bool two = count(plot, hd_plot_computes) && count(plot, hd_plot_streams);
    int key = key_height(count(plot, has_roof));
    int height = TOP + 560 + AXIS + key;
    head(plot, "roofline.gp", hd_plot_pictures[0], WIDTH, height, f);
    char text[128];
    snprintf(text, sizeof text, "%s: measured kernels under the data sheet's roofline",
             plot->gpu->name);
    title(text, height, f);
    fputs("set multiplot\nset logscale xy\nset key off\nset samples 400\n", f);
    double bottom = key + AXIS, top = height - TOP, right = WIDTH - RIGHT;
    if (count(plot, hd_plot_computes)) {
        margins(LEFT, two ? LEFT + PANEL : right, bottom, top, WIDTH, height, f);
        compute_panel(plot, f);
        fputs("unset label 1\n", f);
    }
    if (count(plot, hd_plot_streams)) {
        margins(two ? right - PANEL : LEFT, right, bottom, top, WIDTH, height, f);
        memory_panel(plot, f);
    }
    plot_key(plot, has_roof, height, f);
}

/* ---- predicted against measured ------------------------------------------- */

static const char ratio_tics[] = "0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 1, 1.25, 2, 5, "
                                 "10, 20, 50, 100";

/* Around `y` in the picture's own terms. */
static void bands(const struct hd_plot *plot, const char *y, FILE *f) {
    if (isnan(plot->claim_p90)) return;
    static const char *const tone[] = {"#e8e8e8", "#cfcfcf"};
    const double half[] = {plot->claim_p90, plot->claim_p50};
    for (int n = 0; n < 2; n++)
        fprintf(f,
                "'+' using 1:(%s * %.6g):(%s * %.6g) with filledcurves linecolor rgb "
                "'%s' notitle, \\\n    ",
                y, fmax(1 - half[n], 0.01), y, 1 + half[n], tone[n]);
}

static double ratio(const struct hd_plot_point *p) {
    return p->predicted_us / p->row->time_us;
}

void hd_plot_script_predicted(const struct hd_plot *plot, FILE *f) {
    int key = key_height(count(plot, has_prediction));
    int height = TOP + 560 + AXIS + key;
    head(plot, "predicted.gp", hd_plot_pictures[1], WIDTH, height, f);
    char text[192];
    snprintf(
        text, sizeof text,
        "%s: predicted against measured, %s; off by %.1f %% (median), %.1f %% (p90)",
        plot->gpu->name, hd_say_things(plot->predicted, "point").text,
        100 * plot->error.p50, 100 * plot->error.p90);
    title(text, height, f);
    fputs("set multiplot\nset logscale xy\nset key off\nset samples 200\n"
          "set format x '%.0s %cs'\n",
          f);
    double bottom = key + AXIS, top = height - TOP;
    margins(LEFT, LEFT + PANEL, bottom, top, WIDTH, height, f);
    fputs("set title '1:1 and the band' font ',15'\nset xlabel 'measured'\n"
          "set ylabel 'predicted' offset 0.5,0\nset format y '%.0s %cs'\n",
          f);
    /* the same range on both axes */
    double least = INFINITY, most = 0;
    for (int g = 0; g < plot->groups; g++)
        for (int n = 0; n < plot->group[g].points; n++) {
            const struct hd_plot_point *p = &plot->group[g].point[n];
            if (!(p->predicted_us > 0)) continue;
            least = fmin(least, fmin(p->row->time_us, p->predicted_us) * 1e-6);
            most = fmax(most, fmax(p->row->time_us, p->predicted_us) * 1e-6);
        }
    fprintf(f, "set xrange [%.4g:%.4g]\nset yrange [%.4g:%.4g]\nplot ", least / 1.5,
            most * 1.5, least / 1.5, most * 1.5);
    bands(plot, "$1", f);
    fputs("x with lines linewidth 1.5 linecolor rgb '#333333' notitle", f);
    plot_groups(plot, has_prediction, "($1*1e-6):($2*1e-6)", ", \\\n    ", f);
    fputs("\nunset label 1\n", f);
    margins(WIDTH - RIGHT - PANEL, WIDTH - RIGHT, bottom, top, WIDTH, height, f);
    if (isnan(plot->claim_p90))
        fputs("set title 'how far off", f);
    else
        fprintf(f,
                "set title 'band: error that predictions carry, %.1f %% (p50) and "
                "%.1f %% (p90)",
                100 * plot->claim_p50, 100 * plot->claim_p90);
    fprintf(f,
            "' font ',13'\nset ylabel 'predicted / measured' offset 0.5,0\n"
            "set ytics (%s)\nset format y '%%g'\n",
            ratio_tics);
    range(plot, has_prediction, ratio, "y", f);
    fputs("plot ", f);
    bands(plot, "1", f);
    fputs("1 with lines linewidth 1.5 linecolor rgb '#333333' notitle", f);
    plot_groups(plot, has_prediction, "($1*1e-6):($2/$1)", ", \\\n    ", f);
    fputs("\n", f);
    plot_key(plot, has_prediction, height, f);
}

/* ---- errors by op ---------------------------------------------------------- */

void hd_plot_script_errors(const struct hd_plot *plot, FILE *f) {
    int rows = count(plot, has_prediction);
    double least = 0.5, most = 2;
    size_t letters = 0; /* of the longest label */
    for (int g = 0; g < plot->groups; g++) {
        if (!has_prediction(&plot->group[g])) continue;
        least = fmin(least, plot->group[g].ratio[0]);
        most = fmax(most, plot->group[g].ratio[4]);
        char *label = hd_plot_label(&plot->group[g]);
        if (strlen(label) > letters) letters = strlen(label);
        free(label);
    }
    int left = 120 + 10 * (int)letters, width = left + 800;
    int height = TOP + 44 * rows + AXIS + 40;
    head(plot, "errors.gp", hd_plot_pictures[2], width, height, f);
    char text[192];
    snprintf(text, sizeof text, "%s: error of predicted times by op", plot->gpu->name);
    title(text, height, f);
    margins(left, width - RIGHT, AXIS + 40, height - TOP, width, height, f);
    fprintf(f,
            "set label 2 'box: half of the points, line: 90 %% of them, grey: p90 of "
            "the error that predictions carry, mean' at screen 0.5,%.4f center font "
            "',12'\n"
            "set logscale x\nset xrange [%.4g:%.4g]\nset yrange [-0.6:%d.6]\n"
            "set key off\nset xlabel 'predicted / measured'\n"
            "set arrow from 1, graph 0 to 1, graph 1 nohead linecolor rgb '#333333' "
            "front\n"
            "set xtics (%s)\n"
            "set style fill solid 1 noborder\nset ytics (",
            22.0 / height, least / 1.1, most * 1.1, rows - 1, ratio_tics);
    int place = 0;
    for (int g = plot->groups - 1; g >= 0; g--) {
        if (!has_prediction(&plot->group[g])) continue;
        char *label = hd_plot_label(&plot->group[g]);
        char text[256];
        snprintf(text, sizeof text, "%s, %s", label,
                 hd_say_count(plot->group[g].predicted).text);
        fputs(place ? ", " : "", f);
        hd_figure_quote(f, text);
        fprintf(f, " %d", place++);
        free(label);
    }
    fputs(") noenhanced\nset border 1\n"
          "plot 'errors.dat' using (1):1:(1 - $7):(1 + $7):($1 - 0.36):($1 + 0.36) "
          "with boxxyerror linecolor rgb '#dddddd', \\\n"
          "    'errors.dat' using 2:1:($6 - $2):(0) with vectors nohead linewidth 2 "
          "linecolor rgb '#0072B2', \\\n"
          "    'errors.dat' using 4:1:3:5:($1 - 0.2):($1 + 0.2) with boxxyerror "
          "linecolor rgb '#0072B2', \\\n"
          "    'errors.dat' using 4:($1 - 0.2):(0):(0.4) with vectors nohead linewidth "
          "2 linecolor rgb '#000000'\n",
          f);
}
