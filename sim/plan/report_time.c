/* time.csv: where the time of a run went, of its GPUs and of its requests. */
#include <math.h>

#include "output/csv_writer.h"
#include "plan/report_parts.h"

static const char *const blame_name[HD_BLAMES] = {"queue", "switch", "prefill",
                                                  "kv",    "decode", "wait"};

static void put(struct hd_csv_writer *w, const char *of, const char *part,
                double seconds, double all) {
    hd_csv_text(w, of);
    hd_csv_text(w, part);
    hd_csv_real(w, seconds);
    hd_csv_real(w, all > 0 ? seconds / all : NAN);
    hd_csv_end_row(w);
}

bool hd_report_time_csv(const struct hd_report *report, const struct hd_run_record *r,
                        FILE *file) {
    static const char *const header[] = {"of", "part", "seconds", "fraction"};
    struct hd_criterion c = hd_report_criterion(report->question);
    struct hd_run_figures f;
    struct hd_csv_writer w;
    hd_run_figures(report->question, r, &c, &f);
    hd_csv_start(&w, file);
    for (int n = 0; n < 4; n++) hd_csv_text(&w, header[n]);
    hd_csv_end_row(&w);
    for (int u = 0; u < HD_GPU_USES; u++)
        put(&w, "gpus", hd_gpu_use_name((enum hd_gpu_use)u), f.gpu_s[u], f.gpus_s);
    for (int b = 0; b < HD_BLAMES; b++)
        put(&w, "requests", blame_name[b], f.blame_s[b], f.latency_s);
    hd_run_figures_free(&f);
    return hd_csv_finish(&w);
}
