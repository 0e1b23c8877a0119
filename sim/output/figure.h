/* Figures are drawn by gnuplot, an external program: a script and its data are
 * written beside the picture, so that a user can restyle it. */
#ifndef HD_OUTPUT_FIGURE_H
#define HD_OUTPUT_FIGURE_H

#include <stdio.h>

#include "base/err.h"

/* Runs `gnuplot SCRIPT` inside `folder` (no shell; start-up files of the user are
 * not read; ended after a minute). Each of the `count` files, named relative to the
 * folder, must come out whole: otherwise those that exist are removed, and false
 * comes with one line in err. PDF files have their creation date taken out, so that
 * the same figure is the same bytes. */
bool hd_figure_draw(const char *folder, const char *script, const char *const *file,
                    int count, struct hd_err *err);

/* A text inside gnuplot's single quotes. */
void hd_figure_quote(FILE *, const char *text);

#endif
