/* Coverage for a person, and as JSON. */
#ifndef HD_COMMAND_COVERAGE_TEXT_H
#define HD_COMMAND_COVERAGE_TEXT_H

#include "calibrate/coverage.h"
#include "output/json.h"

/* A paragraph per group, then a map per grid in which holes are dots. */
void hd_coverage_text(const struct hd_coverage *, FILE *);

/* The members "groups" and "grids" of the object that is open. */
void hd_coverage_json(const struct hd_coverage *, struct hd_json *);

#endif
