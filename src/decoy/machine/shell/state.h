/* What a shell is, and what its parts offer each other. */
#ifndef DECOY_MACHINE_SHELL_STATE_H
#define DECOY_MACHINE_SHELL_STATE_H

#include "decoy/machine/limits.h"
#include "decoy/machine/shell/shell.h"
#include "decoy/machine/shell/tree.h"

enum { SHELL_BASH = 1, SHELL_DASH = 2, SHELL_ASH = 4, SHELL_ANY = 7 };

/* Limits, with their reasons. */
/* Stack that a shell may use of its coroutine's 256 KiB before it refuses to go deeper; the rest is
 * for the builtin that runs at the bottom. */
#define SHELL_STACK_MAX ((size_t)176 * 1024)
/* Substitutions and compound commands within each other. */
#define SHELL_NESTING_MAX 40
/* One expansion's result: a real bash is ended by the kernel somewhere. */
#define SHELL_EXPANSION_MAX ((size_t)1024 * 1024)
#define SHELL_FIELDS_MAX    32768
/* A script that is read whole, and a here-document. */
#define SHELL_SCRIPT_MAX ((size_t)1024 * 1024)
#define SHELL_LINE_MAX   ((size_t)128 * 1024)
/* Elements of an array, jobs at a time. */
#define SHELL_ELEMENTS_MAX 65536
#define SHELL_JOBS_MAX     64
#define SHELL_HISTORY_MAX  500

/* --- variables.c: named values; variables_array.c; variables_special.c --- */

enum {
	VARIABLE_EXPORT = 1,
	VARIABLE_READONLY = 2,
	VARIABLE_INTEGER = 4,
	VARIABLE_INDEXED = 8,
	VARIABLE_ASSOCIATIVE = 16,
	VARIABLE_LOWER = 32,
	VARIABLE_UPPER = 64,
	VARIABLE_REFERENCE = 128,
	VARIABLE_LOCAL = 256,
	VARIABLE_TRACE = 512,
	VARIABLE_ARRAY = VARIABLE_INDEXED | VARIABLE_ASSOCIATIVE,
};

struct element {
	int64_t index; /* or, of an associative array, its bucket in bash's table */
	char *key;
	char *value;
};

struct array {
	struct element *items;
	size_t count, capacity;
};

struct variable {
	struct variable *next;
	char *value; /* NULL: has attributes, but no value */
	struct array *array;
	unsigned attributes;
	char name[];
};

/* What a function call hid: given back when it returns. */
struct hidden {
	struct hidden *next;
	struct variable *variable; /* NULL: there was none */
	char name[];
};
struct scope {
	struct scope *outer;
	struct hidden *hidden;
};

#define VARIABLE_BUCKETS 64

/* --- the rest of what it knows --- */

struct function {
	struct function *next;
	struct pool *pool;
	struct node *body;
	bool exported;
	char name[];
};

struct alias {
	struct alias *next;
	char *value;
	char name[];
};

struct hashed {
	struct hashed *next;
	char *path;
	unsigned hits;
	char name[];
};

struct job {
	struct job *next;
	unsigned number, group;
	size_t count;
	int *pids, *statuses; /* status: as of waitpid, -1 while it runs; pid 0: never started */
	char *text;
	const struct node *node; /* in place of the text, as long as it is waited for */
	bool background, told, disowned, controlled;
	unsigned touched; /* order: current and previous */
};

enum unwind { UNWIND_NONE, UNWIND_BREAK, UNWIND_CONTINUE, UNWIND_RETURN, UNWIND_LINE, UNWIND_EXIT };

/* Options of set. */
enum set_option {
	SET_ALLEXPORT,
	SET_BRACEEXPAND,
	SET_EMACS,
	SET_ERREXIT,
	SET_ERRTRACE,
	SET_FUNCTRACE,
	SET_HASHALL,
	SET_HISTEXPAND,
	SET_HISTORY,
	SET_IGNOREEOF,
	SET_INTERACTIVE_COMMENTS,
	SET_KEYWORD,
	SET_MONITOR,
	SET_NOCLOBBER,
	SET_NOEXEC,
	SET_NOGLOB,
	SET_NOLOG,
	SET_NOTIFY,
	SET_NOUNSET,
	SET_ONECMD,
	SET_PHYSICAL,
	SET_PIPEFAIL,
	SET_POSIX,
	SET_PRIVILEGED,
	SET_VERBOSE,
	SET_VI,
	SET_XTRACE,
	SET_OPTIONS,
	/* Options of shopt that change something here. */
	SHOPT_CDSPELL = 32,
	SHOPT_CMDHIST,
	SHOPT_CHECKWINSIZE,
	SHOPT_DOTGLOB,
	SHOPT_EXPAND_ALIASES,
	SHOPT_EXTGLOB,
	SHOPT_FAILGLOB,
	SHOPT_GLOBSTAR,
	SHOPT_HISTAPPEND,
	SHOPT_INHERIT_ERREXIT,
	SHOPT_LASTPIPE,
	SHOPT_NOCASEGLOB,
	SHOPT_NOCASEMATCH,
	SHOPT_NULLGLOB,
	SHOPT_PROMPTVARS,
	SHOPT_XPG_ECHO,
	SHOPT_LOGIN_SHELL,
	SHOPT_OTHER, /* others: kept, of no effect; see options.c */
};

/* The command of `coproc`; pid 0: there is none. */
struct coprocess {
	int pid, ends[2]; /* to read from, to write to */
	char *name;
};

/* What was used of the clock and the processor, in microseconds. */
struct timing {
	int64_t real, user, system, children_user, children_system;
};

struct history;
struct editor;

struct shell {
	struct process *process;
	unsigned personality;
	const char *name;   /* $0 */
	const char *called; /* how messages begin */
	const char *prefix; /* the same as a whole, of a child that could not start */
	char *command_text; /* of -c */
	const char *base;   /* of the stack */
	struct variable *variables[VARIABLE_BUCKETS];
	struct scope *scope;
	struct function *functions;
	struct alias *aliases;
	struct hashed *hashed;
	char **positional; /* each and the list in the process's memory */
	int positional_count;
	uint64_t options, more_options;
	int status, substitution_status;
	bool substituted;
	unsigned last_background;
	int *pipe_statuses;
	size_t pipe_status_count;
	enum unwind unwind;
	unsigned unwind_levels, loops, functions_deep, sourced, evaluated;
	struct frame *frame; /* functions and sourced files that run */
	struct job *jobs;
	unsigned job_touched;
	struct pool *scratch;
	struct text output; /* of the builtin that runs */
	bool output_failed;
	char **environment; /* of children, until an exported variable changes */
	char **traps;       /* by signal; 0: EXIT */
	uint64_t pending;   /* signals that came and wait for their trap */
	bool in_trap, exiting;
	bool interactive, login, restricted, reads_input, job_control, is_child, from_string;
	bool in_startup, interrupted;
	bool just_killed; /* what `kill` ended is told at the prompt after the next */
	unsigned line;    /* that runs */
	unsigned subshells, commands_read;
	unsigned shell_pid;
	uint64_t hidden_descriptors; /* the shell's own: children do not get them */
	int script_descriptor;
	const char *file; /* of the script that is read, for messages; NULL: none */
	const char *builtin;
	const char *origin; /* of a text that does not parse: "-c: " */
	const char *last_argument;
	char *user_name;     /* of the prompt, once it was asked for */
	struct lexer *lexer; /* that is being read */
	struct history *history;
	struct editor *editor;
	char **folders; /* pushd's */
	size_t folder_count;
	unsigned getopts_offset, getopts_index;
	uint64_t random;
	int64_t seconds_base;
	struct node *task; /* of a child */
	unsigned expansions_failed;
	unsigned arithmetic_depth;
	bool conditional;     /* status of a condition: errexit does not look */
	bool printed_stopped; /* "There are stopped jobs." was said */
	uint64_t disabled_builtins;
	struct coprocess coprocess;
	uint64_t children_cpu; /* of children that were waited for */
	uint64_t paced_cpu;    /* see timing_pace */
	int64_t paced_at;
};

/* A function or sourced file that runs: FUNCNAME, BASH_SOURCE, LINENO, positional parameters. */
struct frame {
	struct frame *outer;
	const char *function; /* NULL: a sourced file */
	const char *file;
	unsigned called_line;
	bool borrowed; /* positional parameters are not the shell's to give back */
};

static inline bool shell_has(const struct shell *shell, unsigned personalities)
{
	return (shell->personality & personalities) != 0;
}
static inline bool shell_option_is(const struct shell *shell, unsigned option)
{
	return (shell->options >> option) & 1;
}
static inline void shell_option_set(struct shell *shell, unsigned option, bool on)
{
	if (on)
		shell->options |= (uint64_t)1 << option;
	else
		shell->options &= ~((uint64_t)1 << option);
}
static inline bool shell_stack_is_low(const struct shell *shell)
{
	const char *here = __builtin_frame_address(0);

	return shell->base && (size_t)(shell->base - here) > SHELL_STACK_MAX;
}
bool shell_has_comments(const struct shell *shell);
bool shell_expands_aliases(const struct shell *shell);

/* --- startup.c, input.c --- */

/* Runs a text as `eval`, a trap or -c do; its lines are not told to the owner unless `report`. */
int input_run_text(struct shell *shell, struct slice text, const char *what, bool report);
/* A whole file, for `.` and startup files. Status, or -errno when it cannot be read. */
int input_run_file(struct shell *shell, const char *path, bool complain);
/* The main loop over standard input or a script. */
void input_run_lines(struct shell *shell, int descriptor);
/* Runs traps and history, and ends. */
_Noreturn void shell_exit(struct shell *shell, int status);
void startup_signals(struct shell *shell); /* what a terminal's shell does with signals */

/* --- message.c --- */

/* "bash: line 1: " and so on to standard error, after what waits on standard output. */
void message_say(struct shell *shell, const char *format, ...) PRINTF(2, 3);
/* The same with the builtin's name. */
void message_builtin(struct shell *shell, const char *format, ...) PRINTF(2, 3);
/* An expansion failed: told; the line (dash, ash, and bash without a terminal: the shell) ends. */
void message_fatal(struct shell *shell, int status, const char *format, ...) PRINTF(3, 4);
/* Without a prefix. */
void message_plain(struct shell *shell, const char *format, ...) PRINTF(2, 3);
/* What a builtin of dash and ash does on errors: ends the command (a script: the shell). Returns
 * the status. */
int message_special(struct shell *shell, int status);
const char *message_signal(int signal);
void message_prefix(struct shell *shell, struct text *out, const char *builtin);

void output_put(struct shell *shell, struct slice s);
void output_text(struct shell *shell, const char *text);
void output_format(struct shell *shell, const char *format, ...) PRINTF(2, 3);
/* 0, or -errno of the write. */
int output_flush(struct shell *shell);

/* --- variables.c --- */

struct variable *variables_find(struct shell *shell, const char *name);
struct variable *variables_make(struct shell *shell, const char *name);
/* Value or NULL; also the special ones. In scratch memory or the variable's: copy what must stay.
 */
const char *variables_get(struct shell *shell, const char *name);
/* 0, or -1 told (readonly ...). Follows attributes (integer, case, name references). */
int variables_set(struct shell *shell, const char *name, const char *value);
int variables_set_number(struct shell *shell, const char *name, int64_t number);
int variables_append(struct shell *shell, const char *name, const char *value);
int variables_unset(struct shell *shell, const char *name);
void variables_export(struct shell *shell, struct variable *variable, bool on);
void variables_changed(struct shell *shell, const struct variable *variable);
/* Hides a variable until the function returns; NULL: told. */
struct variable *variables_local(struct shell *shell, const char *name, bool inherit);
void variables_enter(struct shell *shell, struct scope *scope);
void variables_leave(struct shell *shell);
char **variables_environment(struct shell *shell);
/* Sorted by name; in scratch memory; ends with NULL. */
struct variable **variables_sorted(struct shell *shell, unsigned attributes, size_t *count);
void variables_import(struct shell *shell);
void variables_copy(struct shell *to, const struct shell *from);
const char *variables_ifs(struct shell *shell);
/* Resolves `declare -n`. */
const char *variables_target(struct shell *shell, const char *name);

/* variables_array.c */
struct array *array_new(struct shell *shell);
void array_free(struct shell *shell, struct array *array);
void array_clear(struct shell *shell, struct array *array);
struct array *array_copy(struct shell *shell, const struct array *from);
const char *array_get(const struct variable *variable, const char *key, int64_t index);
int array_set(struct shell *shell, struct variable *variable, const char *key, int64_t index,
	      const char *value, bool append);
void array_unset(struct shell *shell, struct variable *variable, const char *key, int64_t index);
/* Evaluates the subscript; -1: told. */
int array_subscript(struct shell *shell, const struct variable *variable, const char *text,
		    size_t length, const char **key, int64_t *index);
/* name[subscript], name or name+ = value. 0 or -1 told. */
int array_assign(struct shell *shell, const char *target, const char *value, bool append);
/* A variable that is or becomes an indexed array. */
struct variable *array_make(struct shell *shell, const char *name, bool associative);

/* variables_special.c: RANDOM, SECONDS, BASHPID ... NULL: none of that name. */
const char *special_get(struct shell *shell, const char *name);
/* True: the name is such a one and took the value. */
bool special_set(struct shell *shell, const char *name, const char *value);
/* $? $# $$ $! $- $0 $1 ...; NULL: not set. */
const char *special_parameter(struct shell *shell, const char *name, size_t length);
const char *special_array(struct shell *shell, const char *name, size_t index, size_t *count);
const char *special_name(size_t index);

/* --- names.c: functions, aliases, hashed paths --- */

struct function *names_function(struct shell *shell, const char *name);
void names_define(struct shell *shell, const char *name, struct pool *pool, struct node *body);
bool names_undefine(struct shell *shell, const char *name);
const char *names_alias(struct shell *shell, const char *name);
void names_set_alias(struct shell *shell, const char *name, const char *value);
bool names_unset_alias(struct shell *shell, const char *name);
void names_copy(struct shell *to, const struct shell *from);
bool names_is_reserved(const struct shell *shell, const char *word);
/* The program's path through PATH, remembered; in scratch memory. 0 or -errno (ENOENT, EACCES). */
int names_program(struct shell *shell, const char *name, const char **path);
void names_forget(struct shell *shell, const char *name); /* NULL: all */
/* All matches in PATH, from the index on; for `type -a`. NULL: no more. */
const char *names_in_path(struct shell *shell, const char *name, size_t index);

/* A line of /etc/passwd by name or (name NULL) number, in scratch memory; NULL: none. Unlike
 * command_account it keeps nothing: a shell lives long. */
const struct machine_account *names_account(struct shell *shell, const char *name, unsigned uid);

/* --- options.c --- */

int options_set_builtin(struct shell *shell, int argc, char **argv);
int options_shopt(struct shell *shell, int argc, char **argv);
/* Letters or a name of set. -1: none. */
int options_by_letter(const struct shell *shell, char letter);
int options_by_name(const struct shell *shell, const char *name);
void options_begin(struct shell *shell);
/* $-, SHELLOPTS, BASHOPTS; in scratch memory. */
const char *options_letters(struct shell *shell);
const char *options_list(struct shell *shell, bool shopt);
/* `set -o`'s or `set +o`'s table. */
void options_print(struct shell *shell, bool as_commands);

/* --- expand.c, expand_*.c --- */

enum {
	EXPAND_QUOTED = 1,    /* within double quotes */
	EXPAND_SINGLE = 2,    /* no field splitting, no globbing */
	EXPAND_PATTERN = 4,   /* quoted bytes are escaped with \ */
	EXPAND_HERE = 8,      /* text of a here-document: quotes stand for themselves */
	EXPAND_ASSIGN = 16,   /* tilde also after : */
	EXPAND_REGEX = 32,    /* like a pattern, for regcomp */
	EXPAND_NO_TILDE = 64, /* inside words of ${...} in quotes */
	EXPAND_NO_GLOB = 128,
	EXPAND_ARITHMETIC = 256,
	EXPAND_WORD = 512, /* word of ${x:-word}: its plain bytes are split, too */
};

/* How each byte came: kept beside the bytes. */
enum { MARK_PLAIN, MARK_QUOTED, MARK_SPLIT, MARK_BREAK, MARK_EMPTY };

struct expansion {
	struct shell *shell;
	struct text bytes, marks;
	bool failed, empty_list; /* "$@" without any */
};

struct fields {
	char **at; /* in scratch memory; NULL at the end */
	size_t count, capacity;
};

/* Adds the fields of words; -1: an expansion failed (told). */
MUST_CHECK int expand_words(struct shell *shell, const struct word *words, struct fields *fields);
MUST_CHECK int expand_word(struct shell *shell, const struct word *word, struct fields *fields);
/* One text, no splitting; in scratch memory; NULL: failed. */
char *expand_single(struct shell *shell, const char *text, unsigned flags);
char *expand_slice(struct shell *shell, struct slice text, unsigned flags);
void fields_add(struct shell *shell, struct fields *fields, char *text);
/* For the parts. */
void expand_into(struct expansion *out, const char *text, size_t length, unsigned flags);
void expand_put(struct expansion *out, struct slice s, unsigned mark);
void expand_value(struct expansion *out, struct slice s, unsigned flags);
void expand_free(struct expansion *out);
char *expand_take(struct expansion *out, unsigned flags);
/* ${...}, at the "$"; returns the offset behind it. */
size_t expand_parameter(struct expansion *out, const char *text, size_t length, unsigned flags);
void expand_command(struct expansion *out, const char *text, size_t length, unsigned flags,
		    bool backquoted);
void expand_dollar_single(struct expansion *out, const char *text, size_t length);
/* "~..." at the start: length that it replaced, or 0. */
size_t expand_tilde(struct expansion *out, const char *text, size_t length, unsigned flags);
/* The words that a{b,c}d or {1..3} stand for, in scratch memory. */
struct word *expand_braces(struct shell *shell, const struct word *word);
void expand_split(struct expansion *in, struct fields *fields, unsigned flags);
/* $* or $@ or ${a[*]} into the expansion. */
void expand_list(struct expansion *out, char **values, size_t count, bool star, unsigned flags);

/* --- arithmetic.c --- */

/* Of an expanded expression; -1: told. */
MUST_CHECK int arithmetic_value(struct shell *shell, const char *expression, int64_t *value);
/* Expands it first. */
MUST_CHECK int arithmetic_expand(struct shell *shell, struct slice text, int64_t *value);

/* --- pattern.c, glob.c --- */

/* `pattern` has \ before what is quoted. */
bool pattern_matches(struct shell *shell, const char *pattern, struct slice s, bool extended,
		     bool no_case);
bool pattern_has_magic(const char *pattern);
/* Removes the backslashes. */
char *pattern_plain(struct shell *shell, const char *pattern);
/* Adds the paths; count. */
size_t glob_expand(struct shell *shell, const char *pattern, struct fields *fields);

/* --- execute.c, execute_*.c --- */

enum { EXECUTE_TESTED = 1, EXECUTE_LAST = 2 };

int execute_node(struct shell *shell, const struct node *node, unsigned flags);
int execute_list(struct shell *shell, const struct node *list, unsigned flags);
int execute_simple(struct shell *shell, const struct node *node, unsigned flags);
int execute_compound(struct shell *shell, const struct node *node, unsigned flags);
int execute_test(struct shell *shell, const struct node *node);
/* Runs words as a command: function, builtin or program. */
enum { EXECUTE_NO_FUNCTION = 4, EXECUTE_PLAIN_PATH = 8, EXECUTE_REPLACE = 16 };
int execute_fields(struct shell *shell, int argc, char **argv, unsigned flags);
int execute_function(struct shell *shell, struct function *function, int argc, char **argv);
/* Takes what came, without running anything; an interactive shell may end here (SIGHUP). */
void execute_note_signals(struct shell *shell);
void execute_traps(struct shell *shell);
void execute_run_trap(struct shell *shell, int signal);
bool execute_assign(struct shell *shell, const struct word *word, bool export);
void execute_trace(struct shell *shell, const char *text);

void execute_tell_background(struct shell *shell, const struct job *job);

/* --- coproc.c --- */

int coproc_run(struct shell *shell, const struct node *node);
/* Takes the variables away once the command has ended. */
void coproc_check(struct shell *shell);

/* --- timing.c --- */

/* process_wait, with what the children used kept apart. */
int timing_wait(struct shell *shell, int pid, int flags, int *status);
/* Lets the clock catch up with the processor time that was pretended since the last call, when it
 * is more than `allowed` microseconds: a loop of programs takes its time. */
void timing_pace(struct shell *shell, uint64_t allowed);
struct timing timing_now(struct shell *shell);
void timing_tell(struct shell *shell, bool posix, const struct timing *since);

/* --- launch.c: children --- */

/* A copy of this shell that runs the node. pid or -errno. */
struct launch {
	unsigned group; /* 0 with `own_group`: its own */
	bool own_group, foreground, background;
	const int *descriptors; /* as of process_start; NULL: its own, less the shell's */
	size_t descriptor_count;
};
int launch_node(struct shell *shell, const struct node *node, const struct launch *how);
int launch_program(struct shell *shell, const char *path, char **argv, char **environment,
		   const struct launch *how);
/* In this process; returns the status when it cannot. */
int launch_replace(struct shell *shell, const char *name, const char *path, char **argv,
		   char **environment);
int launch_complain(struct shell *shell, const char *name, const char *path, int error);
process_main launch_child;
/* Descriptors for a child: the shell's own left out. */
size_t launch_descriptors(struct shell *shell, int *map);
/* Runs $(...) : output into text; -1: could not. */
int launch_substitution(struct shell *shell, const struct node *tree, struct text *output);
/* <(...): path for the word */
char *launch_process_substitution(struct shell *shell, const struct node *tree, bool reads);

/* --- redirect.c --- */

struct saved_descriptor {
	int descriptor, copy; /* copy -1: it was closed */
};
#define REDIRECTIONS_SAVED 24
struct redirections {
	struct saved_descriptor saved[REDIRECTIONS_SAVED];
	unsigned count;
	int opened[REDIRECTIONS_SAVED]; /* {name}: stay */
	unsigned opened_count;
};
/* Applies them to this process; -1: told, undone. keep: as exec does. */
MUST_CHECK int redirect_apply(struct shell *shell, const struct redirection *list,
			      struct redirections *undo, bool keep);
void redirect_undo(struct shell *shell, struct redirections *undo);
/* Applies them to a child's table instead; what was opened is to be closed after. */
struct redirect_table {
	int map[64];
	size_t count;
	int opened[REDIRECTIONS_SAVED];
	unsigned opened_count;
};
MUST_CHECK int redirect_map(struct shell *shell, const struct redirection *list,
			    struct redirect_table *table);
void redirect_close(struct shell *shell, struct redirect_table *table);
/* A copy of a descriptor out of the user's way, which children do not get; -errno. */
int redirect_hide(struct shell *shell, int descriptor);
void redirect_close_hidden(struct shell *shell, int descriptor);

/* --- jobs.c --- */

struct job *jobs_add(struct shell *shell, const int *pids, size_t count, unsigned group,
		     char *text);
char *jobs_text(struct shell *shell, const struct node *node);
/* Waits for a job in the foreground; its status. */
int jobs_wait(struct shell *shell, struct job *job);
/* Status of one child that is no job. */
int jobs_wait_pid(struct shell *shell, int pid);
/* Collects what ended in the background; tells when `tell`. */
void jobs_check(struct shell *shell, bool tell);
void jobs_free(struct shell *shell, struct job *job);
struct job *jobs_find(struct shell *shell, const char *spec, bool *ambiguous);
struct job *jobs_of_pid(struct shell *shell, int pid);
bool jobs_is_done(const struct job *job);
bool jobs_is_stopped(const struct job *job);
int jobs_status(const struct job *job);
void jobs_print(struct shell *shell, const struct job *job, char form);
int jobs_code(int status); /* of waitpid -> $? */
int jobs_continue(struct shell *shell, struct job *job, bool foreground);
bool jobs_record(struct shell *shell, int pid, int status);
void jobs_hang_up(struct shell *shell);

/* --- builtins --- */

typedef int builtin_main(struct shell *shell, int argc, char **argv);
struct builtin {
	const char *name;
	builtin_main *run;
	unsigned where;
	enum { BUILTIN_PLAIN, BUILTIN_SPECIAL, BUILTIN_ASSIGNS } kind;
	const char *usage;
};
const struct builtin *builtin_find(const struct shell *shell, const char *name);
const struct builtin *builtin_at(size_t index); /* NULL past the last */
bool builtin_is_enabled(const struct shell *shell, const struct builtin *builtin);
int builtin_run(struct shell *shell, const struct builtin *builtin, int argc, char **argv);
/* Options of a builtin, after bash's internal_getopt. -1: end; '?': told, return 2. */
struct builtin_options {
	int index;
	const char *at;
	char *argument;
	bool plus;
};
int builtin_option(struct shell *shell, struct builtin_options *options, int argc, char **argv,
		   const char *letters);
int builtin_usage(struct shell *shell);
builtin_main builtin_alias, builtin_bg, builtin_bind, builtin_break, builtin_builtin,
	builtin_caller, builtin_cd, builtin_colon, builtin_command, builtin_compgen,
	builtin_complete, builtin_compopt, builtin_continue, builtin_declare, builtin_dirs,
	builtin_disown, builtin_dot, builtin_echo, builtin_enable, builtin_eval, builtin_exec,
	builtin_exit, builtin_export, builtin_false, builtin_fc, builtin_fg, builtin_getopts,
	builtin_hash, builtin_help, builtin_history, builtin_jobs, builtin_kill, builtin_let,
	builtin_local, builtin_logout, builtin_mapfile, builtin_popd, builtin_printf, builtin_pushd,
	builtin_pwd, builtin_read, builtin_readonly, builtin_return, builtin_set, builtin_shift,
	builtin_shopt, builtin_suspend, builtin_test, builtin_times, builtin_trap, builtin_true,
	builtin_type, builtin_ulimit, builtin_umask, builtin_unalias, builtin_unset, builtin_wait;
/* Numbers of signals by name ("HUP", "SIGHUP", "1"); -1: none. */
int builtin_signal(const char *text);
const char *builtin_signal_name(int signal); /* without SIG */
/* test's primaries. */
int builtin_test_unary(struct shell *shell, const char *op, const char *operand);
/* Quoted so that the shell reads it back; in scratch memory. */
char *builtin_quoted(struct shell *shell, const char *text);
char *builtin_quoted_single(struct shell *shell, const char *text);
char *builtin_printf_text(struct shell *shell, int argc, char **argv, int *status);
/* The escapes of echo -e and %b. False: \c ended it. */
bool builtin_escapes(struct shell *shell, struct text *out, const char *text, bool echo);
void builtin_set_positional(struct shell *shell, int count, char **values);
void builtin_print_variable(struct shell *shell, const struct variable *variable, bool declare);
int builtin_change_folder(struct shell *shell, const char *folder, bool physical, bool print);
int builtin_number(const char *text, int64_t *number);

/* --- a terminal: readline.c, history.c, completion.c, prompt.c --- */

/* A line with its newline, or NULL at the end of input. *interrupted: ^C. In the process's memory.
 */
char *readline_line(struct shell *shell, const char *prompt, bool *interrupted);
struct terminal_modes;
/* ash's own editing. */
char *readline_simple(struct shell *shell, const char *prompt, bool *interrupted,
		      struct terminal_modes *modes);
/* A prompt with its escapes and expansions; in scratch memory. */
char *prompt_expand(struct shell *shell, const char *format);
char *prompt_text(struct shell *shell, bool more);

void history_add(struct shell *shell, const char *line);
void history_append_last(struct shell *shell, const char *line);
const char *history_at(struct shell *shell, size_t index); /* 0: oldest; NULL past the last */
size_t history_count(struct shell *shell);
size_t history_first(struct shell *shell); /* number of the oldest */
void history_delete(struct shell *shell, size_t index);
void history_clear(struct shell *shell);
void history_save(struct shell *shell, bool at_exit);
int history_read(struct shell *shell, const char *path);
int history_write(struct shell *shell, const char *path, bool append);
void history_free(struct shell *shell);
/* !-expansion: 0 no change, 1 changed (in *out), 2 only print, -1 told. */
int history_expand(struct shell *shell, const char *line, char **out);

/* Matches for a word that begins at `start` of the line; sorted, in scratch memory. */
struct fields completion_matches(struct shell *shell, const char *line, size_t start, size_t end,
				 bool *is_command);

#endif
