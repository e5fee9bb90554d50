/* Lets through what draws, and nothing that acts: for showing an intruder's terminal on the
 * owner's.
 *
 * Kept: printable UTF-8, BS, HT, LF, CR, SO/SI-free text; of ECMA-48 the control sequences that
 * move the cursor, erase, insert, delete, scroll and colour, the scrolling region, and the private
 * modes of cursor, wrap and alternate screen. Dropped: everything that answers (DA, DSR), that
 * names or moves windows, that touches the clipboard, keys or character sets, strings (OSC, DCS,
 * APC, PM, SOS), C1 controls, BEL.
 */
#ifndef EXCHANGE_SCREEN_FILTER_H
#define EXCHANGE_SCREEN_FILTER_H

#include "base/bytes.h"

#define SCREEN_SEQUENCE_MAX 64 /* longer sequences are dropped */

struct screen_filter {
	enum {
		SCREEN_TEXT,
		SCREEN_ESCAPE,
		SCREEN_CONTROL,
		SCREEN_STRING,
		SCREEN_STRING_ESCAPE,
		SCREEN_SKIP_ONE
	} state;
	uint8_t sequence[SCREEN_SEQUENCE_MAX];
	size_t length;
	uint8_t character[4]; /* of UTF-8, not yet whole */
	size_t character_length;
};

/* Zeroed at first. */
void screen_filter(struct screen_filter *filter, struct slice bytes, struct writer *out);

#endif
