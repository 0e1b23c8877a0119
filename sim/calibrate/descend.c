#include "calibrate/descend.h"

#include <gsl/gsl_vector.h>

double hd_descend(gsl_multimin_function *f, gsl_vector *x, double step, double size,
                  int iterations) {
    gsl_vector *steps = gsl_vector_alloc(f->n);
    gsl_vector_set_all(steps, step);
    gsl_multimin_fminimizer *m =
        gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, f->n);
    gsl_multimin_fminimizer_set(m, f, x, steps);
    for (int n = 0; n < iterations; n++) {
        if (gsl_multimin_fminimizer_iterate(m)) break;
        if (gsl_multimin_fminimizer_size(m) < size) break;
    }
    gsl_vector_memcpy(x, m->x);
    double value = m->fval;
    gsl_multimin_fminimizer_free(m);
    gsl_vector_free(steps);
    return value;
}
