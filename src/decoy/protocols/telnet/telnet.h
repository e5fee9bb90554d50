/* Telnet (RFC 854): the parts of the decoy, seen from one another.
 *
 * telnet.c   the log-in dialogue, as login(1) or BusyBox's login hold it
 * option.c   negotiation (RFC 1143) in the order of inetutils' or BusyBox's telnetd
 * client.c   what the client tells of itself: terminal, size, environment
 * line.c     bytes to tokens, and the line editing that the terminal driver does
 * shell.c    what follows a log-in: the fake machine's terminal, seen through telnetd
 */
#ifndef DECOY_PROTOCOLS_TELNET_H
#define DECOY_PROTOCOLS_TELNET_H

#include "decoy/machine/machine.h"
#include "decoy/protocol.h"

#define TELNET_INPUT_MAX 8192 /* a full line, and as many option bytes among it */
#define TELNET_LINE_MAX  4095 /* the terminal driver keeps no more of a line */
#define TELNET_NAME_MAX  40   /* user names up to this stay out of the arena */
#define TELNET_YES_MAX   8    /* answers to "are you there": it is shorter than they are */

enum telnet_command {
	TELNET_EOF = 236,
	TELNET_SUSP = 237,
	TELNET_ABORT = 238,
	TELNET_SE = 240,
	TELNET_DM = 242,
	TELNET_BREAK = 243,
	TELNET_IP = 244,
	TELNET_AYT = 246,
	TELNET_EC = 247,
	TELNET_EL = 248,
	TELNET_SB = 250,
	TELNET_WILL = 251,
	TELNET_WONT = 252,
	TELNET_DO = 253,
	TELNET_DONT = 254,
	TELNET_IAC = 255,
};

enum telnet_option {
	TELNET_BINARY = 0,
	TELNET_ECHO = 1,
	TELNET_SGA = 3,
	TELNET_STATUS = 5,
	TELNET_TM = 6,
	TELNET_TTYPE = 24,
	TELNET_NAWS = 31,
	TELNET_TSPEED = 32,
	TELNET_LFLOW = 33,
	TELNET_LINEMODE = 34,
	TELNET_XDISPLOC = 35,
	TELNET_OLD_ENVIRON = 36,
	TELNET_AUTHENTICATION = 37,
	TELNET_ENCRYPT = 38,
	TELNET_NEW_ENVIRON = 39,
};

enum telnet_stage {
	TELNET_ASKING,   /* inetutils: terminal and environment are asked for */
	TELNET_FETCHING, /* ... and the values of those that the client has */
	TELNET_SETTLING, /* ... then echo, line mode, window size */
	TELNET_USER,
	TELNET_PASSWORD,
	TELNET_SHELL,
	TELNET_OVER,
};

enum {
	TELNET_BUSYBOX = 1 << 0,  /* the style; else inetutils */
	TELNET_AFTER_CR = 1 << 1, /* a LF or NUL that follows belongs to it */
	TELNET_LINED = 1 << 2,    /* line mode was taken up once */
	TELNET_ROOT = 1 << 3,     /* who logged in */
	TELNET_NO_SHELL = 1 << 4, /* ... and has no more than that */
};

enum telnet_style { TELNET_STYLE_PERSONA, TELNET_STYLE_INETUTILS, TELNET_STYLE_BUSYBOX };

struct telnet_options {
	int style;
	bool prompt;
	int64_t tries;    /* 0: as the style has it */
	int64_t timeout;  /* microseconds */
	int64_t evidence; /* bytes */
};

struct telnet_client;

/* What the client told of its terminal, for the shell; in the arena. */
struct telnet_window {
	uint16_t columns, rows;
	char type[60];    /* TERM, as telnetd hands it on: in small letters */
	char display[64]; /* DISPLAY, of the option for it */
};

/* What one session holds: ten thousand of these wait for a name (at most 128 bytes). */
struct telnet {
	uint32_t ours, theirs; /* option states, two bits each: see option.c */
	uint16_t replied;      /* options that the client answered, a bit each */
	uint16_t looked;       /* bytes of the unconsumed input that were acted on */
	uint16_t typed;        /* characters among them */
	uint8_t stage, flags, tries, yes_count, name_length;
	uint8_t name[TELNET_NAME_MAX];
	struct slice long_name; /* a longer one, in the arena */
	struct slice overflow;  /* a line that grew too long, in the arena */
	struct telnet_client *client;
	struct telnet_window *window; /* NULL: nothing was told */
	struct machine *machine;      /* once logged in */
	uint64_t evidence_left;       /* bytes of files that it may leave */
};
_Static_assert(sizeof(struct telnet) <= 128, "an idle session must stay small");

/* --- line.c --- */

enum telnet_token_kind {
	TOKEN_PART, /* not all of it is there */
	TOKEN_DATA,
	TOKEN_COMMAND,
	TOKEN_NEGOTIATION,
	TOKEN_SUBNEGOTIATION,
};

struct telnet_token {
	enum telnet_token_kind kind;
	uint8_t byte;      /* data, or the command */
	uint8_t option;    /* (sub)negotiation */
	struct slice body; /* subnegotiation, IAC still doubled */
	size_t length;     /* in the input */
};

struct telnet_token telnet_token(struct slice input);

/* What erase, kill and word-erase leave of the characters in the input. Returns its length. */
size_t telnet_line(struct slice input, uint8_t line[TELNET_LINE_MAX]);
/* True for a byte that edits the line in place of standing in it. */
bool telnet_edits(uint8_t byte);
/* Echoes one character as the terminal driver does. */
void telnet_echo(struct session *session, uint8_t byte);
/* Echoes what an editing byte does to the line. */
void telnet_echo_edit(struct session *session, struct slice line, uint8_t byte);

/* --- option.c --- */

/* Sends the style's first bytes. */
void telnet_greet(struct session *session, struct telnet *telnet);
void telnet_negotiate(struct session *session, struct telnet *telnet, uint8_t verb, uint8_t option);
void telnet_subnegotiate(struct session *session, struct telnet *telnet, uint8_t option,
			 struct slice body);
/* Goes on to the next stage once all that was asked is answered. True: it is time for the prompt.
 */
bool telnet_advance(struct session *session, struct telnet *telnet);
/* What inetutils' telnetd sends between the negotiation and the first prompt. */
void telnet_settle(struct session *session, struct telnet *telnet);
bool telnet_echoes(const struct telnet *telnet);

/* --- client.c --- */

/* Keeps what a subnegotiation tells. */
void telnet_client_learn(struct session *session, struct telnet *telnet, uint8_t option,
			 struct slice body);
/* Reports what was learnt since the last time, if anything, and gives its memory back. */
void telnet_client_report(struct session *session, struct telnet *telnet);

/* --- shell.c --- */

/* Shows what a log-in shows and starts the shell; may close the session. */
void telnet_shell_open(struct session *session, struct telnet *telnet, enum access_depth depth,
		       struct slice password);
/* How many bytes the shell takes now; with 0 the input is offered again a little later. */
size_t telnet_shell_room(struct session *session, struct telnet *telnet);
/* Bytes of the client, IAC undone and line ends as telnetd hands them on. */
void telnet_shell_input(struct session *session, struct telnet *telnet, struct slice bytes);
void telnet_shell_resize(struct session *session, struct telnet *telnet);
/* Lets the machine go on: its deadline came, there is room for output, or input was given. */
void telnet_shell_run(struct session *session, struct telnet *telnet);
void telnet_shell_close(struct telnet *telnet);

/* --- telnet.c --- */

struct slice telnet_user(const struct telnet *telnet);

#endif
