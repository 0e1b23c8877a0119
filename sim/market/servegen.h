/* Windows of rate and variation of a ServeGen directory (trace/servegen.h). Internal to
 * this room. */
#ifndef HD_MARKET_SERVEGEN_H
#define HD_MARKET_SERVEGEN_H

#include "market/market.h"

/* The windows of each client by mean rate, the highest first, each scaled to a mean of
 * 1; clients without any request are left out. sha256: of the files' own, by number.
 * The caller frees them with hd_servegen_free. NULL with "PLACE: why" in err when there
 * is no such file or a row does not read so. */
struct hd_windows *hd_servegen_load(const char *directory, int *clients,
                                    char sha256[65], struct hd_err *err);
void hd_servegen_free(struct hd_windows *, int clients);

#endif
