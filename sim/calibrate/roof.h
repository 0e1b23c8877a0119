/* What a data sheet says of a kernel: no estimate, a yardstick against wrong units. */
#ifndef HD_CALIBRATE_ROOF_H
#define HD_CALIBRATE_ROOF_H

#include "calibrate/kernel.h"

/* Microseconds that the row's operations take at the data sheet's dense peak or its
 * bytes at the peak bandwidth (weights, activations and KV through memory once;
 * collectives: the bytes once over the link), whichever is longer: the roofline of
 * Williams, Waterman, Patterson (2009). 0: nothing to go by. model: of a step's row. */
double hd_kernel_roof_us(const struct hd_kernel_row *,
                         const struct hd_model_spec *model);

/* Whether a row's time can be that of what it claims: not below half a microsecond or a
 * tenth of the above, not above 200 times that plus 5 us. False with one line in why:
 * what a factor of 1000 between units looks like. True where there is nothing to go by.
 */
bool hd_kernel_is_possible(const struct hd_kernel_row *, const struct hd_model_spec *,
                           struct hd_err *why);

/* Operations (multiply and add count as two) and bytes of it. */
struct hd_kernel_work {
    double flops, bytes;
};
struct hd_kernel_work hd_kernel_work_of(const struct hd_kernel_row *,
                                        const struct hd_model_spec *model);

#endif
