/* The chart of a comparison: GPUs needed against strictness, a line for each policy
 * and a panel for each target and rule; bars when there is one strictness only. The
 * script and the data that are written here can be edited and run by hand. */
#include "plan/report_chart.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/figure.h"

const struct hd_answer *hd_chart_find(const struct hd_chart *k,
                                      const struct hd_answer *panel, int scale,
                                      int policy) {
    for (int i = 0; i < k->c->answers; i++) {
        const struct hd_answer *a = &k->c->answer[i];
        if (a->attain == panel->attain && a->rule == panel->rule &&
            a->policy == policy && a->scale == k->q->scale[scale])
            return a;
    }
    return NULL;
}

int hd_chart_gpus(const struct hd_answer *a) {
    return a && a->whole && a->reached ? a->gpus : 0;
}

static void survey(struct hd_chart *k) {
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
        if (hd_chart_gpus(a) > k->most) k->most = a->gpus;
        if (!dedicated_asked && a->baseline_gpus > k->most) k->most = a->baseline_gpus;
        if (!dedicated_asked && a->baseline_gpus > 0) k->baseline = true;
        if (a->bound_gpus > 0) k->bound = true;
        if (a->whole && !a->reached) k->missing = true;
    }
    if (k->most < 1) k->most = 1;
    k->columns = rules > 1 ? rules : k->panels < 3 ? k->panels : 2;
    k->rows = (k->panels + k->columns - 1) / k->columns;
}

/* Halving every limit is the same step everywhere; but scales too near each other
 * for their labels are set at equal steps. */
static void lay_out_scales(struct hd_chart *k) {
    const struct hd_question *q = k->q;
    double first = INFINITY, last = -INFINITY, nearest = INFINITY;
    for (int s = 0; s < q->scales; s++) {
        k->x[s] = -log2(q->scale[s]);
        first = fmin(first, k->x[s]);
        last = fmax(last, k->x[s]);
        for (int r = 0; r < s; r++) nearest = fmin(nearest, fabs(k->x[s] - k->x[r]));
    }
    if (nearest >= 0.16 * (last - first)) return;
    for (int s = 0; s < q->scales; s++) { /* rank from loose to strict */
        k->x[s] = 0;
        for (int r = 0; r < q->scales; r++) k->x[s] += q->scale[r] > q->scale[s];
    }
}

static void number(FILE *f, double gpus) {
    if (gpus > 0)
        fprintf(f, "\t%g", gpus);
    else
        fputs("\tNaN", f);
}

/* Where a point's number stands: 1 above it, -1 below, 0 nowhere, so that numbers
 * keep clear of the points of other policies. */
static int number_side(const struct hd_chart *k, const struct hd_answer *panel,
                       int scale, int policy) {
    int own = hd_chart_gpus(hd_chart_find(k, panel, scale, policy)), up = 0, down = 0;
    double clear = 0.085 * 1.2 * k->most; /* two lines of text */
    double above = INFINITY, below = INFINITY;
    for (int p = 0; p < k->q->policies; p++) {
        int other = hd_chart_gpus(hd_chart_find(k, panel, scale, p));
        if (p == policy || other == 0) continue;
        if (other > own || (other == own && p < policy))
            above = fmin(above, other - own), up++;
        else
            below = fmin(below, own - other), down++;
    }
    if (up == 0 || above >= 2 * clear) return 1;
    if (down == 0 || below >= 2 * clear) return -1;
    return above >= clear ? 1 : below >= clear ? -1 : 0;
}

static void write_policy(const struct hd_chart *k, const struct hd_answer *panel, int p,
                         FILE *f) {
    fputs("# ", f);
    hd_figure_quote(f, k->q->policy[p].label);
    fprintf(f, ", attain %g, rule %s\n", panel->attain, hd_pass_rule_name(panel->rule));
    for (int s = 0; s < k->q->scales; s++) {
        const struct hd_answer *a = hd_chart_find(k, panel, s, p);
        int side = number_side(k, panel, s, p);
        fprintf(f, "%g\t%g", k->q->scale[s], k->x[s]);
        number(f, hd_chart_gpus(a));
        number(f, side > 0 ? hd_chart_gpus(a) : 0);
        number(f, side < 0 ? hd_chart_gpus(a) : 0);
        number(f, a && a->whole && !a->reached ? 1.17 * k->most : 0);
        number(f, hd_chart_gpus(a) && a->saved > 0 ? 100 * a->saved : 0);
        putc('\n', f);
    }
    fputs("\n\n", f);
}

static void write_data(const struct hd_chart *k, FILE *f) {
    const struct hd_question *q = k->q;
    fputs(
        "# A block for each panel and policy: SLO scale, place on the axis, GPUs, the "
        "same where\n# the number stands above the point, and below it, height of the "
        "mark where no number\n# of GPUs passes, percent saved. NaN: there is none.\n"
        "# Behind each panel's policies a block of references: SLO scale, place, one "
        "replica of\n# each model, dedicated, lower bound.\n",
        f);
    for (int n = 0; n < k->panels; n++) {
        for (int p = 0; p < q->policies; p++) write_policy(k, k->panel[n], p, f);
        fputs("# references\n", f);
        for (int s = 0; s < q->scales; s++) {
            const struct hd_answer *a = hd_chart_find(k, k->panel[n], s, 0);
            fprintf(f, "%g\t%g", q->scale[s], k->x[s]);
            number(f, k->c->one_each_gpus);
            number(f, a ? a->baseline_gpus : 0);
            number(f, a ? a->bound_gpus : 0);
            putc('\n', f);
        }
        fputs("\n\n", f);
    }
}

static bool write_file(const struct hd_chart *k, struct hd_outdir *dir,
                       const char *name, void (*write)(const struct hd_chart *, FILE *),
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
    struct hd_chart k = {.q = report->question, .c = c};
    if (c->answers == 0) return true;
    k.panel = hd_alloc((size_t)c->answers * sizeof *k.panel);
    survey(&k);
    lay_out_scales(&k);
    bool ok = write_file(&k, dir, "figures/gpus.dat", write_data, err) &&
              write_file(&k, dir, "figures/gpus.gp", hd_chart_script, err);
    free(k.panel);
    if (!ok) return false;
    char *folder = hd_format("%s/figures", hd_outdir_folder(dir));
    hd_figure_draw(folder, "gpus.gp", picture, 2, no_figure);
    free(folder);
    return true;
}
