/* A fitted market as a recipe. */
#include <inttypes.h>
#include <math.h>

#include "market/fit.h"

static const char *figure(char text[24], double value) {
    if (!isfinite(value)) return "-";
    snprintf(text, 24, "%.3g", value);
    return text;
}

static void line(FILE *out, const char *lead, const char *what, const double value[4],
                 int columns) {
    char text[24];
    fprintf(out, "%s%-26s", lead, what);
    for (int i = 0; i < columns; i++) fprintf(out, "%12s", figure(text, value[i]));
    fputc('\n', out);
}

void hd_fit_check_write(const struct hd_fit_check *w, const struct hd_fit_check *h,
                        const char *lead, FILE *out) {
    int columns = h ? 4 : 2;
    static const char *const scale[] = {"dispersion at 1s", "dispersion at 10s",
                                        "dispersion at 60s", "dispersion at 600s"};
    fprintf(out, "%s%-26s%12s%12s", lead, "goodness of fit", "trace", "twin");
    if (h) fprintf(out, "%12s%12s", "second half", "twin of 1st");
    fprintf(out, "\n%s%-26s%12" PRId64 "%12" PRId64, lead, "requests", w->held,
            w->twin);
    if (h) fprintf(out, "%12" PRId64 "%12" PRId64, h->held, h->twin);
    fputc('\n', out);
    if (!h) h = w;
    line(out, lead, "requests/s",
         (double[]){w->of_held.rate_per_s, w->of_twin.rate_per_s, h->of_held.rate_per_s,
                    h->of_twin.rate_per_s},
         columns);
    line(out, lead, "CV of a model's gaps",
         (double[]){w->of_held.model_gap_cv, w->of_twin.model_gap_cv,
                    h->of_held.model_gap_cv, h->of_twin.model_gap_cv},
         columns);
    for (int s = 0; s < HD_DISTANCE_SCALES; s++)
        line(out, lead, scale[s],
             (double[]){w->of_held.dispersion[s], w->of_twin.dispersion[s],
                        h->of_held.dispersion[s], h->of_twin.dispersion[s]},
             columns);
    line(out, lead, "rank correlation in, out",
         (double[]){w->of_held.correlation, w->of_twin.correlation,
                    h->of_held.correlation, h->of_twin.correlation},
         columns);
    const struct hd_distance *a = &w->distance, *b = &h->distance;
    const struct {
        const char *what;
        double whole, half;
    } row[] = {{"KS of gaps", a->gaps, b->gaps},
               {"KS of a model's gaps", a->model_gaps, b->model_gaps},
               {"KS of input tokens", a->input, b->input},
               {"KS of output tokens", a->output, b->output},
               {"popularity", a->popularity, b->popularity}};
    fprintf(out, "%s%-26s%24s", lead, "distance, 0 alike, 1 not", "in sample");
    if (columns == 4) fprintf(out, "%24s", "held out");
    fputc('\n', out);
    char text[24];
    for (int i = 0; i < 5; i++) {
        fprintf(out, "%s%-26s%24s", lead, row[i].what, figure(text, row[i].whole));
        if (columns == 4) fprintf(out, "%24s", figure(text, row[i].half));
        fputc('\n', out);
    }
}

/* Numbers of a list, wrapped. */
static void write_list(FILE *out, const double *value, int count, const char *format,
                       const char *indent) {
    int column = 0;
    for (int i = 0; i < count; i++) {
        char text[32];
        int length = snprintf(text, sizeof text, format, value[i]);
        if (column == 0 || column + length + 2 > 84) {
            fprintf(out, "%s%s", i ? ",\n" : "", indent);
            column = (int)snprintf(NULL, 0, "%s", indent);
        } else {
            fputs(", ", out);
            column += 2;
        }
        fputs(text, out);
        column += length;
    }
    fputs(",\n", out);
}

static void write_quantiles(FILE *out, const char *side,
                            const struct hd_length_law *law) {
    fprintf(out, "    %s = {quantiles = {\n", side);
    write_list(out, law->quantile, law->quantiles, "%.0f", "      ");
    fputs("    }},\n", out);
}

void hd_fit_write(const struct hd_market *m, const char *about,
                  const struct hd_fit_check *whole, const struct hd_fit_check *halves,
                  FILE *out) {
    static const char *const laws[] = {"poisson", "gamma", "weibull"};
    fprintf(out, "-- Fitted by `hotdesk trace fit`. Not fitted: sessions, prefixes, "
                 "classes, lengths by\n-- model or over time, models that wake "
                 "together beyond the common rate.\n--\n");
    hd_fit_check_write(whole, halves, "-- ", out);
    fprintf(out, "return {\n  about = \"%s\",\n  models = %d,\n\n", about, m->models);
    fprintf(out,
            "  load = {rate_per_s = %.6g, span = \"%.6gs\", label = \"fitted\"},\n\n",
            m->rate_per_s, m->span_s);
    if (m->models == 1) {
        fputs("  popularity = {kind = \"uniform\", label = \"fitted\"},\n\n", out);
    } else {
        fputs("  popularity = {\n    kind = \"shares\", label = \"fitted\",\n", out);
        write_list(out, m->share, m->models, "%.6g", "    ");
        fputs("  },\n\n", out);
    }
    if (m->gaps == HD_GAP_POISSON)
        fputs("  arrivals = {kind = \"poisson\", label = \"fitted\"},\n\n", out);
    else
        fprintf(out, "  arrivals = {kind = \"%s\", cv = %.4g, label = \"fitted\"},\n\n",
                laws[m->gaps], m->gap_cv);
    if (m->rhythm.levels) {
        fprintf(out, "  rhythm = {\n    period = \"%.6gs\", label = \"fitted\",\n",
                m->rhythm.period_s);
        write_list(out, m->rhythm.level, m->rhythm.levels, "%.4g", "    ");
        fputs("  },\n\n", out);
    }
    fprintf(out,
            "  lengths = {\n    kind = \"joint\", correlation = %.6g, label = "
            "\"fitted\",\n",
            m->correlation);
    write_quantiles(out, "input", &m->input);
    write_quantiles(out, "output", &m->output);
    fputs("  },\n}\n", out);
}
