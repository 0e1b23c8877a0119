/* The end of results. */
#include "plan/result.h"

#include <stdlib.h>

void hd_run_record_free(struct hd_run_record *r) {
    free(r->replicas);
    hd_measure_free(r->measure);
    free(r->timing);
    free(r->limit.models);
}

void hd_comparison_free(struct hd_comparison *c) {
    for (int n = 0; n < c->answers; n++) {
        free(c->answer[n].why_not);
        free(c->answer[n].note);
        free(c->answer[n].limit.models);
    }
    for (int n = 0; n < c->records; n++) hd_run_record_free(&c->record[n]);
    free(c->answer);
    free(c->record);
}
