/* A terminal recording: what was typed and what was shown, with the time, as asciicast v2
 * (docs.asciinema.org/manual/asciicast/v2): a header line, then one JSON array a line,
 * [seconds, "o" | "i" | "r", text].
 *
 * Nothing is lost: a byte that is no UTF-8 is written as the lone surrogate \udcNN (Python's
 * surrogateescape; players show a replacement character).
 */
#ifndef DECOY_MACHINE_RECORDING_H
#define DECOY_MACHINE_RECORDING_H

#include "decoy/machine/machine.h"

struct recording;

/* command: of an exec without a terminal; NULL: a shell. NULL when memory or the limits say no: all
 * that follows accepts it. */
struct recording *recording_begin(struct session *session, const struct machine_start *start);
void recording_output(struct recording *recording, struct slice bytes);
void recording_input(struct recording *recording, struct slice bytes);
void recording_resize(struct recording *recording, unsigned columns, unsigned rows);
/* Finishes the evidence and frees. */
void recording_end(struct recording *recording);

#endif
