/* The gnuplot script of a trace's page. Data stand in it as named blocks, so that the
 * one file is all that a user needs to restyle the page. */
#include <math.h>
#include <string.h>

#include "command/trace_plot.h"
#include "output/figure.h"

/* Pixels. */
enum {
    WIDTH = 1500,
    TITLE = 70,
    RATE = 250,  /* height of the panel over the whole width */
    PANEL = 340, /* of the others, two in a row */
    BELOW = 75,  /* each panel: its axis */
    ABOVE = 50,  /* its title */
    KEY_LINE = 22,
    KEYS = 3 * KEY_LINE, /* its curves, between title and panel */
    LEFT = 120,
    RIGHT = 35,
    BETWEEN = 130,
};

/* Colours that people with colour blindness tell apart (Okabe and Ito, "Color
 * universal design", 2008). */
#define BLUE "#0072B2"
#define RED "#D55E00"
#define GREEN "#009E73"
#define GREY "#666666"

enum { CURVE_POINTS = 400 };

struct page {
    int height;
    int panels; /* drawn so far, two in a row below the rate */
};

/* ---- data ---------------------------------------------------------------- */

static void write_rate(const struct hd_trace_about *a, const struct hd_about_units *u,
                       FILE *f) {
    const struct hd_rate_over_time *r = &a->rate;
    fputs("# where an interval begins, and its rate\n$rate << EOD\n", f);
    for (int i = 0; i < r->intervals; i++) {
        double length = i + 1 < r->intervals ? r->interval_s : r->last_s;
        /* what is left of an interval at the end says nothing if it is short */
        if (i + 1 == r->intervals && length < r->interval_s / 2) break;
        fprintf(f, "%.9g %.6g\n", i * r->interval_s / u->time,
                (double)r->requests[i] / length * u->rate);
        if (i + 2 >= r->intervals || i + 1 == r->intervals)
            fprintf(f, "%.9g %.6g\n", (i * r->interval_s + length) / u->time,
                    (double)r->requests[i] / length * u->rate);
    }
    fputs("EOD\n", f);
}

static void write_popularity(const struct hd_trace_about *a, FILE *f) {
    const struct hd_trace *t = a->trace;
    const struct hd_popularity *p = &a->popularity;
    double sum = 0;
    for (int i = 0; i < t->models; i++) sum += pow(i + 1.0, -p->zipf);
    fputs("# rank, share of requests in %, the same by Zipf's law\n$models << EOD\n",
          f);
    for (int i = 0; i < t->models; i++)
        fprintf(f, "%d %.6g %.6g\n", i + 1,
                100.0 * (double)t->model_rows[a->order[i]] / (double)t->rows,
                100 * pow(i + 1.0, -p->zipf) / sum);
    fputs("EOD\n", f);
    if (p->hot == 0) return;
    double hot = 100 * p->hot_share / p->hot,
           cold = 100 * (1 - p->hot_share) / (t->models - p->hot);
    fprintf(f, "# the same by two classes\n$classes << EOD\n0.9 %.6g\n%.1f %.6g\n", hot,
            p->hot + 0.5, hot);
    fprintf(f, "%.1f %.6g\n%d %.6g\nEOD\n", p->hot + 0.5, cold, t->models, cold);
}

/* Every distinct length, or as many as a picture can show. */
static void write_lengths(const struct hd_token_counts *c, const char *block, FILE *f) {
    fprintf(f, "# tokens, requests with at most so many in %%\n$%s << EOD\n", block);
    double shown = -1;
    for (int i = 0; i < c->distinct; i++) {
        double share = (double)c->below[i + 1] / (double)c->rows;
        if (share - shown < 1.0 / CURVE_POINTS && i + 1 < c->distinct) continue;
        shown = share;
        if (c->tokens[i] > 0) fprintf(f, "%d %.6g\n", c->tokens[i], 100 * share);
    }
    fputs("EOD\n", f);
}

static void write_dispersion(const struct hd_trace *t, FILE *f) {
    static const int part[] = {1, 2, 5};
    fputs("# length of a bin in seconds, index of dispersion\n$dispersion << EOD\n", f);
    for (hd_tick unit = HD_TICKS_PER_US * 10000; unit < HD_TICKS_PER_S * 1000000;
         unit *= 10)
        for (int i = 0; i < 3; i++) {
            double peak;
            int64_t bins;
            double iod = hd_dispersion(t, unit * part[i], true, &peak, &bins);
            if (bins >= HD_DISPERSION_BINS_MIN && iod > 0)
                fprintf(f, "%.6g %.6g\n", hd_s_from_tick(unit * part[i]), iod);
        }
    fputs("EOD\n", f);
}

/* Levels that are next to never reached make the panel no wider. */
static bool active_shown(const struct hd_activity *a, int level) {
    return a->share[level] >= 2e-4 || a->poisson_share[level] >= 2e-4;
}

static void write_activity(const struct hd_activity *a, FILE *f) {
    fputs("# models active at once, share of the time in %, the same if independent\n"
          "$active << EOD\n",
          f);
    for (int k = 0; k < a->levels; k++)
        if (active_shown(a, k))
            fprintf(f, "%d %.6g %.6g\n", k, 100 * a->share[k],
                    100 * a->poisson_share[k]);
    fputs("EOD\n", f);
}

/* ---- panels -------------------------------------------------------------- */

static void place(const struct page *page, double left, double right, double top,
                  double height, FILE *f) {
    fprintf(f,
            "set lmargin at screen %.4f\nset rmargin at screen %.4f\n"
            "set tmargin at screen %.4f\nset bmargin at screen %.4f\n",
            left / WIDTH, right / WIDTH, 1 - top / page->height,
            1 - (top + height) / page->height);
}

/* Where the next panel goes; all settings of the one before are undone. */
static void next_panel(struct page *page, FILE *f) {
    double width = (WIDTH - LEFT - BETWEEN - RIGHT) / 2.0;
    int row = page->panels / 2, column = page->panels % 2;
    double left = LEFT + column * (width + BETWEEN);
    double top = TITLE + ABOVE + RATE + BELOW + row * (ABOVE + KEYS + PANEL + BELOW) +
                 ABOVE + KEYS;
    page->panels++;
    fputs("unset logscale\nset autoscale\nset format '%g'\nset xtics auto\n"
          "set ytics auto\nunset label\nunset arrow\n",
          f);
    place(page, left, left + width, top, PANEL, f);
}

/* The title, and below it as many lines of the key. */
static void head(const char *title, int keys, FILE *f) {
    fputs("set label 1 ", f);
    hd_figure_quote(f, title);
    fprintf(f,
            " at graph 0,%.4f left font ',15'\n"
            "set key at graph 0,%.4f left top Left reverse samplen 2.5 maxrows %d\n",
            1 + (keys * KEY_LINE + 22.0) / PANEL, 1 + (keys * KEY_LINE + 8.0) / PANEL,
            keys);
}

static void rate_panel(const struct page *page, const struct hd_trace_about *a,
                       const struct hd_about_units *u, FILE *f) {
    char first[HD_CLOCK_TEXT_BYTES] = "";
    if (a->trace->clock == HD_CLOCK_DATE)
        hd_trace_clock_text(a->trace, a->trace->row[0].at, first);
    first[strcspn(first, ".")] = '\0';
    place(page, LEFT, WIDTH - RIGHT, TITLE + ABOVE, RATE, f);
    fprintf(
        f,
        "set label 2 'Rate over time, in intervals of %s; the mean, %.3g per %s, is "
        "dashed' at graph 0,%.4f left font ',15'\n"
        "set xlabel '%s since the first request%s%s'\n"
        "set ylabel 'requests per %s'\n"
        "set yrange [0:*]\nset xrange [0:%.9g]\nset key off\n"
        "set arrow 1 from graph 0, first MEAN to graph 1, first MEAN nohead front "
        "linecolor rgb '" RED "' dashtype 2 linewidth 1.5\n"
        "plot $rate using 1:2 with fillsteps fillstyle solid 0.25 noborder "
        "linecolor rgb '" BLUE "', \\\n"
        "     $rate using 1:2 with steps linecolor rgb '" BLUE "' linewidth 1.6\n",
        hd_about_length(a->rate.interval_s).text, a->stats.rate_per_s * u->rate,
        u->rate_name, 1 + 22.0 / RATE, u->time_name, *first ? ", at " : "", first,
        u->rate_name, a->stats.span_s / u->time);
}

static void popularity_panel(struct page *page, const struct hd_trace_about *a,
                             FILE *f) {
    const struct hd_popularity *p = &a->popularity;
    char title[256];
    snprintf(title, sizeof title,
             "Popularity: top model %.1f %%, top five %.1f %%, colder half %.1f %%",
             100 * p->top1, 100 * p->top5, 100 * p->coldest_half);
    next_panel(page, f);
    head(title, 2 + (p->hot > 0), f);
    fprintf(
        f,
        "set xlabel 'rank of the model, the most popular first'\n"
        "set ylabel 'share of requests'\nset logscale xy\nset xrange [0.9:%g]\n"
        "set yrange [*:100]\nset format y '%%g %%%%'\n"
        "plot $models using 1:2 with points pointtype 7 pointsize 0.9 linecolor rgb "
        "'" BLUE "' title 'measured', \\\n"
        "     $models using 1:3 with lines linewidth 2 linecolor rgb '" RED
        "' title 'Zipf, exponent %.2f: %.0f %% of requests lie elsewhere'",
        a->trace->models * 1.15, p->zipf, 100 * p->zipf_off);
    if (p->hot)
        fprintf(
            f,
            ", \\\n     $classes using 1:2 with lines linewidth 2 dashtype 2 "
            "linecolor rgb '" GREEN
            "' title 'two classes, %d hot models have %.3g %%: %.0f %% lie elsewhere'",
            p->hot, 100 * p->hot_share, 100 * p->classes_off);
    putc('\n', f);
}

static void activity_panel(struct page *page, const struct hd_trace_about *a, FILE *f) {
    const struct hd_activity *is = &a->activity;
    char title[256];
    snprintf(title, sizeof title, "Models active at once, at %.4g s a request",
             is->service_s);
    int first = 0, last = is->levels - 1;
    while (first < last && !active_shown(is, first)) first++;
    while (last > first && !active_shown(is, last)) last--;
    next_panel(page, f);
    head(title, 2, f);
    fprintf(
        f,
        "set xlabel 'models active at once, of %d'\n"
        "set ylabel 'share of the time'\nset yrange [0:*]\n"
        "set format y '%%g %%%%'\nset boxwidth 0.85\nset xrange [%g:%g]\n"
        "plot $active using 1:2 with boxes fillstyle solid 0.35 noborder linecolor "
        "rgb '" BLUE "' title 'measured: mean %.3g, deviation %.3g', \\\n"
        "     $active using 1:3 with linespoints pointtype 7 pointsize 0.7 linewidth "
        "2 linecolor rgb '" RED
        "' title 'if arrivals were independent: mean %.3g, deviation %.3g'\n",
        a->trace->models, first - 0.6, last + 0.6, is->mean, is->deviation,
        is->poisson_mean, is->poisson_deviation);
}

static void lengths_panel(struct page *page, const struct hd_trace_about *a, FILE *f) {
    const struct hd_trace_stats *s = &a->stats;
    char title[256];
    snprintf(title, sizeof title,
             "Lengths: input and output, correlation of ranks %.2f",
             a->correlation.spearman);
    next_panel(page, f);
    head(title, 2, f);
    fprintf(f,
            "set xlabel 'tokens'\nset ylabel 'requests with at most so many'\n"
            "set logscale x\nset format x '%%.0s%%c'\nset yrange [0:100]\n"
            "set format y '%%g %%%%'\n"
            "plot $input using 1:2 with steps linewidth 2.2 linecolor rgb '" BLUE
            "' title 'input: mean %.0f, median %.0f, 99 %% at most %.0f', \\\n"
            "     $output using 1:2 with steps linewidth 2.2 linecolor rgb '" RED
            "' title 'output: mean %.0f, median %.0f, 99 %% at most %.0f'\n",
            s->input.mean, s->input.p50, s->input.p99, s->output.mean, s->output.p50,
            s->output.p99);
}

static void dispersion_panel(struct page *page, const struct hd_trace_about *a,
                             FILE *f) {
    char title[256];
    snprintf(title, sizeof title, "Burstiness by time scale; CV of gaps %.2f",
             a->stats.gap_cv);
    next_panel(page, f);
    head(title, 2, f);
    fputs("set xlabel 'length of the bins in which requests are counted'\n"
          "set ylabel 'variance / mean of the counts'\nset logscale xy\n"
          "set xtics ('10 ms' 0.01, '100 ms' 0.1, '1 s' 1, '10 s' 10, '1 min' 60, "
          "'10 min' 600, '1 h' 3600, '6 h' 21600, '1 d' 86400)\n"
          "set ytics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, "
          "5000, 1e4, 1e5, 1e6)\n"
          "stats $dispersion using 2 nooutput\n"
          "set yrange [(STATS_min < 1 ? STATS_min : 1) / 1.5:"
          "(STATS_max > 1 ? STATS_max : 1) * 1.5]\n"
          "plot $dispersion using 1:2 with linespoints pointtype 7 pointsize 0.9 "
          "linewidth 2 linecolor rgb '" BLUE "' title 'measured', \\\n"
          "     $dispersion using 1:(1) with lines linewidth 2 dashtype 2 linecolor "
          "rgb '" GREY "' title 'Poisson arrivals: 1 at every scale'\n",
          f);
}

void hd_trace_plot_script(const struct hd_trace_about *a, const char *picture,
                          FILE *f) {
    const struct hd_trace_stats *s = &a->stats;
    bool models = s->models > 1, lengths = s->input.max > 0 && s->output.max > 0;
    int panels = 1 + models + lengths + (models && a->activity.levels);
    struct page page = {.height = TITLE + ABOVE + RATE + BELOW +
                                  (panels + 1) / 2 * (ABOVE + KEYS + PANEL + BELOW)};
    struct hd_about_units units = hd_about_units(s);
    char title[512];
    snprintf(title, sizeof title, "%s: %s requests, %s, %s, %.3g per %s%s",
             a->trace->name, hd_say_count(s->rows).text,
             hd_say_things(s->models, "model").text, hd_say_span(s->span_s).text,
             s->rate_per_s * units.rate, units.rate_name,
             lengths ? "" : "; lengths are not told");
    fprintf(f,
            "# Draws %s. Run in this folder: gnuplot FILE.gp\n"
            "set terminal pngcairo size %d,%d font 'sans,13' linewidth 1.2\n"
            "set output ",
            picture, WIDTH, page.height);
    hd_figure_quote(f, picture);
    fputs("\nset encoding utf8\n\n", f);
    write_rate(a, &units, f);
    if (models) write_popularity(a, f);
    if (lengths) {
        write_lengths(&a->tokens[HD_INPUT], "input", f);
        write_lengths(&a->tokens[HD_OUTPUT], "output", f);
    }
    write_dispersion(a->trace, f);
    if (models && a->activity.levels) write_activity(&a->activity, f);
    fprintf(f,
            "\nMEAN = %.9g\nset border 3 linecolor rgb '#444444'\nset tics nomirror\n"
            "set grid linecolor rgb '#cccccc' linewidth 0.7 dashtype 1\n"
            "set multiplot\nset label 1 ",
            s->rate_per_s * units.rate);
    hd_figure_quote(f, title);
    fprintf(f, " at screen 0.5,%.4f center font ',18' noenhanced\n",
            1 - 34.0 / page.height);
    rate_panel(&page, a, &units, f);
    if (models) popularity_panel(&page, a, f);
    if (models && a->activity.levels) activity_panel(&page, a, f);
    if (lengths) lengths_panel(&page, a, f);
    dispersion_panel(&page, a, f);
    fputs("unset multiplot\n", f);
}
