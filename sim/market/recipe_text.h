/* A recipe on one line. Internal to this room. */
#ifndef HD_MARKET_RECIPE_TEXT_H
#define HD_MARKET_RECIPE_TEXT_H

#include "base/settings.h"

/* The table as Lua, the same for recipes that say the same: fields in order of their
 * names, numbers as short as they read back, text in single quotes, files without their
 * folders. The caller frees it. */
char *hd_recipe_text(const struct hd_value *root);

#endif
