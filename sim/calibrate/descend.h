/* Minimising a function of several variables without its derivatives. */
#ifndef HD_CALIBRATE_DESCEND_H
#define HD_CALIBRATE_DESCEND_H

#include <gsl/gsl_multimin.h>

/* Nelder-Mead (GSL's nmsimplex2) from x with a fresh simplex whose edges are `step`
 * long, until it has shrunk to `size` or for `iterations`; leaves the best point in x
 * and returns its value. The same arguments give the same result. */
double hd_descend(gsl_multimin_function *, gsl_vector *x, double step, double size,
                  int iterations);

#endif
