/* find: what its parts share. An expression is a tree in the process's memory. */
#ifndef DECOY_MACHINE_COMMANDS_FILES_FIND_H
#define DECOY_MACHINE_COMMANDS_FILES_FIND_H

#include "decoy/machine/commands/files.h"
#include "decoy/machine/regex.h"

/* Parentheses and ! within each other. */
#define FIND_NESTING_MAX 64
/* Parts of an expression: a row of them is as deep as it is long. */
#define FIND_TESTS_MAX 512

struct find;
struct find_file {
	const char *path, *name, *start;
	unsigned depth;
	struct file_status status;
	struct folder_entry *entry;
	unsigned names; /* length of the start's path within path */
};
struct find_test;
typedef bool find_function(struct find *find, const struct find_test *test, struct find_file *file);
struct find_test {
	find_function *run;
	const struct find_test *left, *right; /* of and, or, comma, not */
	const char *text;
	char letter;     /* which time, which comparison ... */
	char sign;       /* '+', '-', 0 */
	uint64_t number; /* size, days, mode ... */
	int64_t time;
	unsigned unit;
	bool no_case;
	struct regex *regex;
	char **arguments; /* of -exec */
	int argument_count;
	bool in_folder, asks;
	struct find_batch *batch;
	int output; /* descriptor */
};
struct find_batch {
	char **paths;
	size_t count, room, bytes;
};

struct find {
	struct process *process;
	const struct find_test *expression;
	unsigned least, most;
	bool depth_first, one_system, follow, follow_operands, acts, quit, prune, extended;
	int64_t now;
	unsigned mount;
	int status;
	char **argv;
	int argc, at;
	unsigned nesting, tests;
	const struct find_test *batches[8];
	size_t batch_count;
};

/* files_find_parse.c: the expression of argv[at...]; ends the process when it is wrong. */
const struct find_test *find_parse(struct find *find);
/* files_find_act.c */
find_function find_print, find_print0, find_printf, find_ls, find_delete, find_execute;
/* Runs what -exec ... + has gathered. */
void find_run_batch(struct find *find, const struct find_test *test);

#endif
