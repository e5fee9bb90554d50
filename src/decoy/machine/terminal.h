/* The terminal driver: what stands between the client's keys and the programs (termios(3)).
 *
 * Canonical lines with erase, kill, word erase; echo; signals to the foreground group; NL and CR
 * translation both ways. No I/O: bytes in, bytes out.
 */
#ifndef DECOY_MACHINE_TERMINAL_H
#define DECOY_MACHINE_TERMINAL_H

#include "base/bytes.h"

enum { /* control characters, indices into terminal_modes.control */
       TERMINAL_INTR,
       TERMINAL_QUIT,
       TERMINAL_ERASE,
       TERMINAL_KILL,
       TERMINAL_EOF,
       TERMINAL_EOL,
       TERMINAL_EOL2,
       TERMINAL_START,
       TERMINAL_STOP,
       TERMINAL_SUSP,
       TERMINAL_REPRINT,
       TERMINAL_WERASE,
       TERMINAL_LNEXT,
       TERMINAL_CONTROLS
};

/* Flags by the names that stty uses; all as bits of one word each. */
enum { /* input */
       TERMINAL_IGNBRK = 1 << 0,
       TERMINAL_BRKINT = 1 << 1,
       TERMINAL_IGNPAR = 1 << 2,
       TERMINAL_PARMRK = 1 << 3,
       TERMINAL_INPCK = 1 << 4,
       TERMINAL_ISTRIP = 1 << 5,
       TERMINAL_INLCR = 1 << 6,
       TERMINAL_IGNCR = 1 << 7,
       TERMINAL_ICRNL = 1 << 8,
       TERMINAL_IUCLC = 1 << 9,
       TERMINAL_IXON = 1 << 10,
       TERMINAL_IXANY = 1 << 11,
       TERMINAL_IXOFF = 1 << 12,
       TERMINAL_IMAXBEL = 1 << 13,
       TERMINAL_IUTF8 = 1 << 14,
};
enum { /* output */
       TERMINAL_OPOST = 1 << 0,
       TERMINAL_OLCUC = 1 << 1,
       TERMINAL_ONLCR = 1 << 2,
       TERMINAL_OCRNL = 1 << 3,
       TERMINAL_ONOCR = 1 << 4,
       TERMINAL_ONLRET = 1 << 5,
};
enum { /* local */
       TERMINAL_ISIG = 1 << 0,
       TERMINAL_ICANON = 1 << 1,
       TERMINAL_ECHO = 1 << 2,
       TERMINAL_ECHOE = 1 << 3,
       TERMINAL_ECHOK = 1 << 4,
       TERMINAL_ECHONL = 1 << 5,
       TERMINAL_NOFLSH = 1 << 6,
       TERMINAL_TOSTOP = 1 << 7,
       TERMINAL_ECHOCTL = 1 << 8,
       TERMINAL_ECHOKE = 1 << 9,
       TERMINAL_IEXTEN = 1 << 10,
};

struct terminal_modes {
	uint32_t input, output, local;
	uint8_t control[TERMINAL_CONTROLS];
	uint8_t minimum, time; /* VMIN, VTIME */
	uint32_t input_speed, output_speed;
	unsigned columns, rows;
	char type[64]; /* TERM, as the client said */
};

void terminal_modes_usual(struct terminal_modes *modes);
/* From RFC 4254 section 8's encoding; unknown opcodes are passed over. */
void terminal_modes_decode(struct terminal_modes *modes, struct slice encoded);
/* Back to what was before, all but the window: it may have changed meanwhile. */
void terminal_modes_restore(struct terminal_modes *modes, const struct terminal_modes *before);

#endif
