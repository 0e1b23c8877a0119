/* The notes of a trace: lines "# key: text" ahead of the header. */
#ifndef HD_TRACE_NOTES_H
#define HD_TRACE_NOTES_H

#include "trace/trace.h"

/* The text of the first note of that key among "key: text", or NULL. */
const char *hd_note(char *const *note, int notes, const char *key);

/* Gives a trace without notes copies of these, and what its fields say of them. */
void hd_trace_take_notes(struct hd_trace *, char *const *note, int notes);
void hd_trace_drop_notes(struct hd_trace *);

/* Puts a note in the place of the one of that key, or behind all. Control characters
 * become blanks. */
void hd_trace_set_note(struct hd_trace *, const char *key, const char *text);

#endif
