/* What this program is made of. */
#include "command/version.h"

#include <csv.h>
#include <gsl/gsl_version.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>

#include "command/problem.h"
#include "hardware/catalog.h"
#include "timing/calibration.h"

int hd_print_version(void) {
    printf("hotdesk %s\n", HD_VERSION);
    printf("libraries    GSL %s, Lua %s.%s, libcsv %d.%d.%d\n", gsl_version,
           LUA_VERSION_MAJOR "." LUA_VERSION_MINOR, LUA_VERSION_RELEASE, CSV_MAJOR,
           CSV_MINOR, CSV_RELEASE);
    struct hd_problem problem = {0};
    struct hd_err err = {0};
    struct hd_catalog *catalog = hd_catalog_load(&err);
    if (!catalog) {
        hd_bad_input(&problem, "%s", err.text);
        return hd_problem_print(&problem);
    }
    int gpus;
    const struct hd_gpu_spec *gpu = hd_catalog_gpus(catalog, &gpus);
    for (int i = 0; i < gpus; i++) {
        struct hd_err none = {0};
        struct hd_calibration *c = hd_calibration_load(&gpu[i], NULL, &none);
        if (!c) continue;
        printf("calibration  %-20s %s  %s%s%s\n", gpu[i].name, c->revision,
               hd_calibration_basis_name(c->basis),
               c->basis == HD_CALIBRATION_SCALED ? " from " : "",
               c->basis == HD_CALIBRATION_SCALED ? c->fitted : "");
        hd_calibration_free(c);
    }
    hd_catalog_free(catalog);
    return HD_EXIT_OK;
}
