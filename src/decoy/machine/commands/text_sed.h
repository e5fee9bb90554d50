/* sed's script in memory; see text_sed_parse.c and text_sed.c. */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_SED_H
#define DECOY_MACHINE_COMMANDS_TEXT_SED_H

#include "decoy/machine/commands/text.h"
#include "decoy/machine/regex.h"

/* Commands of a script; blocks within each other. */
#define SED_COMMANDS_MAX 4096
#define SED_DEPTH_MAX    64

enum sed_address_kind {
	SED_NONE,
	SED_LINE,
	SED_STEP, /* first~step */
	SED_LAST, /* $ */
	SED_REGEX,
	SED_PLUS,  /* addr,+N */
	SED_UNTIL, /* addr,~N */
};
struct sed_address {
	enum sed_address_kind kind;
	uint64_t number, step;
	struct regex *regex; /* NULL: the last that was used */
};

/* A part of a replacement: text, then a group (-1: none); letter-case changes before it. */
struct sed_part {
	char change; /* L U E: from here on; l u: the next letter; 0 */
	struct slice text;
	int group;
};

struct sed_output {
	struct sed_output *next;
	const char *name;
	int descriptor;
	bool missing_newline;
};

struct sed_command {
	struct sed_address from, to;
	bool inverse;
	char letter;
	enum { SED_INACTIVE, SED_ACTIVE, SED_CLOSED } range;
	uint64_t range_end;
	struct slice text;         /* a i c, file names, labels, e */
	int64_t number;            /* q Q l */
	size_t target;             /* { b t T: index of the command to go on with */
	struct sed_output *file;   /* w, W, s///w */
	struct line_reader *lines; /* R: opened */
	/* s */
	struct regex *regex;
	struct sed_part *parts;
	size_t part_count;
	bool global, print, evaluate;
	uint64_t which;
	/* y */
	uint8_t *map;
};

struct sed {
	struct process *process;
	struct sed_command *commands;
	size_t count, capacity;
	bool quiet, extended, separate, in_place, unbuffered, posix, nul;
	const char *suffix;
	int64_t wrap;
	struct sed_output *outputs;
	/* While the script is read. */
	const char *where; /* "-e expression #1" or "file x" */
	bool in_file;
	unsigned expression;
	const char *base, *at, *end;
	size_t line;
	size_t blocks[SED_DEPTH_MAX];
	unsigned depth;
	struct sed_command *open_text; /* a\ at the end of an -e: the next one is its text */
	struct text pending;
};

/* Adds a piece of the script (an -e, or a file); complains and ends the process when it is wrong.
 */
void sed_parse(struct sed *sed, struct slice script);
/* After the last piece: joins labels and blocks. */
void sed_parse_end(struct sed *sed);
/* Runs the script over the files; the exit status. */
int sed_run(struct sed *sed, char **names, int count);
struct sed_output *sed_output_open(struct sed *sed, const char *name);

#endif
