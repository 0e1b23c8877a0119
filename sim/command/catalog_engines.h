/* The list of engine profiles, as `hotdesk catalog engines` prints it. */
#ifndef HD_COMMAND_CATALOG_ENGINES_H
#define HD_COMMAND_CATALOG_ENGINES_H

#include "hardware/engines.h"
#include "output/csv_writer.h"
#include "output/json.h"

void hd_engines_text(const struct hd_engines *);
void hd_engines_json(const struct hd_engines *, struct hd_json *);
void hd_engines_csv(const struct hd_engines *, struct hd_csv_writer *);

#endif
