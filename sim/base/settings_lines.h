/* On which line a key of a Lua table constructor is assigned, for messages: Lua
 * itself does not keep it. */
#ifndef HD_BASE_SETTINGS_LINES_H
#define HD_BASE_SETTINGS_LINES_H

struct hd_lines;

struct hd_lines *hd_lines_scan(const char *source);
void hd_lines_free(struct hd_lines *);

/* The constructor behind the last `return`, or -1. */
int hd_lines_root(const struct hd_lines *);

/* The line on which a constructor assigns a key (NULL: element `index`, from 1), or
 * 0; *inside is the constructor that is its value, or -1. */
int hd_lines_find(const struct hd_lines *, int constructor, const char *key, int index,
                  int *inside);

#endif
