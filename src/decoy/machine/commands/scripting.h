/* The few lines of Perl that intruders type, understood as far as they usually go. */
#ifndef DECOY_MACHINE_COMMANDS_SCRIPTING_H
#define DECOY_MACHINE_COMMANDS_SCRIPTING_H

#include "decoy/machine/process.h"

enum script_kind { SCRIPT_NONE, SCRIPT_NUMBER, SCRIPT_TEXT, SCRIPT_LIST, SCRIPT_OPAQUE };

struct script_value {
	enum script_kind kind;
	double number;
	bool fraction;
	struct slice text;
	struct script_value *items;
	size_t count;
};

struct script_variable {
	const char *name;
	struct script_value value;
};

#define SCRIPT_VARIABLES 64
#define SCRIPT_DEPTH     24
#define SCRIPT_ITEMS     64

struct script {
	struct process *process;
	bool lines;           /* -l: print ends its line */
	const char *at, *end; /* the program; what is left of it */
	unsigned depth, line;
	bool beyond; /* something that is not understood: the rest is passed over */
	int status;
	bool exited;
	struct script_variable variables[SCRIPT_VARIABLES];
	size_t variable_count;
};

/* Runs a program of Perl; its exit status. */
int script_run(struct process *process, bool lines, struct slice program);
/* Runs a part of it. */
int script_run_line(struct script *script, struct slice line);

/* perl's -n and -p: a program for each line. */
struct script_filter {
	const char *program;
	bool prints, in_place;
	bool lines;     /* -l: without their ends, which come back when they are printed */
	bool splits;    /* -a: into @F ... */
	char separator; /* ... at this letter; 0: at blanks */
	bool whole;     /* -0777: all of a file is one line */
};
/* Exit status, or -1 when the program is beyond this. */
int script_filter(struct process *process, const struct script_filter *filter, int count,
		  char **files);

/* Tells the owner of addresses that a program names, and waits, if asked, as a connection to one
 * would. True when there was one. */
bool script_connects(struct process *process, struct slice program, bool waits);

/* Values, and the text of one as the language prints it. */
struct script_value script_none(void);
struct script_value script_opaque(void);
struct script_value script_text_value(struct slice text);
struct script_value script_number_value(double number, bool fraction);
struct slice script_as_text(struct script *script, const struct script_value *value);
/* A call whose name ends like that; arguments are evaluated. */
struct script_value script_call(struct script *script, struct slice name,
				const struct script_value *arguments, size_t count);
/* Output of a line of shell. */
struct slice script_output_of(struct script *script, struct slice line);

#endif
