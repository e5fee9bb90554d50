/* python3 as far as one-liners and small scripts go: a parser that makes a tree, and what runs it.
 *
 * What is outside of it (classes, decorators, generators) makes a program "beyond": it is not run,
 * its owner learns whom it would have called. Everything is in the process's memory and goes with
 * it.
 */
#ifndef DECOY_MACHINE_COMMANDS_PYTHON_H
#define DECOY_MACHINE_COMMANDS_PYTHON_H

#include "decoy/machine/process.h"

/* How far trees and calls within each other may go down the process's stack of 256 KiB; what they
 * call (a shell's line, a regular expression) needs the rest. */
#define PYTHON_STACK_MAX ((size_t)192 * 1024)
/* Of functions whose frames would otherwise lie in those that call each other. */
#define PYTHON_APART __attribute__((noinline))
/* Calls within each other, as sys.getrecursionlimit() says. */
#define PYTHON_FRAMES_MAX 1000
/* Lists within each other, where they are compared, hashed and shown. */
#define PYTHON_NESTED_MAX 60
/* What one text, and one list, may hold. */
#define PYTHON_TEXT_MAX ((size_t)1024 * 1024)
#define PYTHON_LIST_MAX 50000

enum python_kind {
	PYTHON_NONE,
	PYTHON_BOOL,
	PYTHON_INT,
	PYTHON_FLOAT,
	PYTHON_TEXT,
	PYTHON_BYTES,
	PYTHON_LIST,
	PYTHON_TUPLE,
	PYTHON_SET,
	PYTHON_DICT,
	PYTHON_RANGE,
	PYTHON_FUNCTION,
	PYTHON_BUILTIN, /* its name: "os.system" */
	PYTHON_METHOD,
	PYTHON_MODULE,
	PYTHON_FILE,
	PYTHON_OBJECT, /* of a library: its class's name, a text and a number */
	PYTHON_ERROR,  /* an exception: its class's name and words; self: its arguments */
	PYTHON_TYPE,   /* a class: of exceptions, or int, str, list ... */
	PYTHON_OPAQUE  /* whatever: calls of it and names within it are the same again */
};

struct python_value {
	enum python_kind kind;
	union {
		struct slice text; /* first, so that what is none is empty */
		int64_t integer;
		double real;
		struct python_list *list; /* of a dict: key, value, key, value */
		const int64_t *range;     /* start, stop, step */
		struct python_function *function;
		struct python_object *object;
		const char *name;
	};
};

struct python_list {
	struct python_value *items;
	size_t count, capacity;
	const char *shown;         /* what it passes for: "dict_keys", "map"; NULL: what it is */
	const char *const *fields; /* of a tuple: names of its items; ends with NULL */
	/* Of a dict and a set: where a key is, found by its hash; NULL while there are few. */
	uint32_t *places;
	size_t place_count, placed;
};

struct python_object {
	const char *name;         /* class, method, exception */
	struct python_value self; /* of a method; what it holds */
	struct slice text;        /* of a library's thing: what repr() shows, if it is known ... */
	struct slice shown;       /* ... and what str() does, if that is something else */
	int64_t number;           /* descriptor, status */
	struct line_reader *reader; /* of a file */
	void *waiting;              /* of a Popen: what is to be run */
};

enum python_node_kind {
	NODE_CONSTANT,
	NODE_NAME,
	NODE_ATTRIBUTE,
	NODE_CALL,
	NODE_KEYWORD,
	NODE_STAR,
	NODE_INDEX,
	NODE_SLICE,
	NODE_LIST,
	NODE_TUPLE,
	NODE_SET,
	NODE_DICT,
	NODE_UNARY,
	NODE_BINARY,
	NODE_COMPARE,
	NODE_AND,
	NODE_OR,
	NODE_CHOICE,
	NODE_LAMBDA,
	NODE_COMPREHENSION,
	NODE_CLAUSE,
	NODE_FORMAT,
	NODE_JOINED,
	NODE_ASSIGN,
	NODE_AUGMENT,
	NODE_WALRUS,
	NODE_EXPRESSION,
	NODE_IF,
	NODE_WHILE,
	NODE_FOR,
	NODE_FUNCTION,
	NODE_RETURN,
	NODE_BREAK,
	NODE_CONTINUE,
	NODE_PASS,
	NODE_IMPORT,
	NODE_FROM,
	NODE_TRY,
	NODE_HANDLER,
	NODE_WITH,
	NODE_RAISE,
	NODE_GLOBAL,
	NODE_DELETE,
	NODE_ASSERT,
	NODE_BLOCK
};

/* What a, b, c and the items are is told where the parser makes them. */
struct python_node {
	enum python_node_kind kind;
	unsigned line;
	struct slice text;         /* a name; an operator */
	struct slice words;        /* the whole of it in the source */
	struct python_value value; /* of a name, too: itself, NUL-terminated */
	struct python_node *a, *b, *c;
	struct python_node **items;
	size_t count;
};

struct python_variable {
	struct slice name;
	struct python_value value;
};
struct python_scope {
	struct python_scope *outer;
	struct python_variable *variables;
	size_t count, capacity;
	struct slice *globals; /* names that `global` made the module's */
	size_t global_count;
	bool kept; /* a function was made in it */
};
/* A text that is run; its lines are shown with errors when it is a file. */
struct python_code {
	const char *file; /* "<string>", "/root/x.py" */
	struct slice source;
};
struct python_function {
	const struct python_node *node;
	const struct python_code *code;
	struct python_scope *scope; /* where it was made */
	struct python_value *defaults;
};

enum python_flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE, FLOW_RETURN };

/* A call that is under way: what was called, and where it was called from. */
struct python_frame {
	struct slice name;
	const struct python_code *code;
	const struct python_node *at;
};
struct python_frames {
	struct python_frame *items;
	size_t count, capacity;
};
/* A line of a library's file that an error comes through; the last has no file. */
struct python_place {
	const char *file, *function;  /* below /usr/lib/python3.11 */
	unsigned line, column, width; /* width 0: no marks below the line */
	const char *words;            /* of the line: releases of Debian differ by a few lines */
};

struct python {
	struct process *process;
	const char *stack; /* where it begins */
	uint64_t key[2];   /* of hashes */
	const struct python_code *code;
	bool interactive;
	struct python_scope *globals, *scope;
	const struct python_node *at; /* what is being worked on */
	struct python_frames frames;
	enum python_flow flow;
	struct python_value result; /* of return */
	bool raised, beyond, exited;
	struct python_value error, handled; /* handled: what an except clause is busy with */
	struct python_frames error_frames;  /* where it was raised */
	const struct python_place *error_places;
	const struct python_place *before_places; /* of the error that this one came from ... */
	const char *before_words;                 /* ... and that as it is told; NULL: none */
	const struct python_mistake *mistake;     /* that exec found */
	const struct python_code *mistake_code;
	bool too_deep; /* the stack ended before Python's own limit of calls */
	int status;
	char **argv;
	int argc;
	char *words[4]; /* of python_argument_words, in turn */
	unsigned next_words;
	struct python_value environment; /* os.environ, when it was asked for */
	struct python_value
		standard[3]; /* sys.stdin, stdout, stderr; None until they are asked for */
};

struct python_arguments {
	struct python_value *values;
	struct slice *names; /* of keywords; empty: in order */
	size_t count;
};

/* --- python_lex.c, python_parse.c --- */

enum python_token_kind {
	TOKEN_NAME,
	TOKEN_NUMBER,
	TOKEN_TEXT,
	TOKEN_OPERATOR,
	TOKEN_NEWLINE,
	TOKEN_INDENT,
	TOKEN_DEDENT,
	TOKEN_END
};
struct python_token {
	enum python_token_kind kind;
	struct slice text; /* of a text: with prefix and quotes */
	unsigned line;
};
/* Why a text is none of Python's; a zeroed one: it is not known. */
struct python_mistake {
	const char *kind; /* NULL: SyntaxError */
	const char *words;
	unsigned line;
	struct slice at; /* in the source; without a place: the end of the line */
	bool unfinished; /* more lines could mend it */
};
/* The tokens, ended by TOKEN_END; NULL with the mistake. */
struct python_token *python_lex(struct process *process, struct slice source, unsigned line,
				struct python_mistake *mistake);

enum python_parsed { PYTHON_PARSED, PYTHON_WRONG, PYTHON_BEYOND };
/* A program, or what exec gets. PYTHON_WRONG: the mistake tells why. */
enum python_parsed python_parse(struct python *py, struct slice source, struct python_node **tree,
				struct python_mistake *mistake);

/* --- python_run.c --- */

void python_execute(struct python *py, const struct python_node *block);
struct python_value python_evaluate(struct python *py, const struct python_node *node);
void python_assign(struct python *py, const struct python_node *target, struct python_value value);
struct python_value python_function(struct python *py, const struct python_node *node);
struct python_value python_attribute(struct python *py, struct python_value of, const char *name);
/* Notes that a function (NULL: a text) is called; false: too many within each other. */
bool python_enter(struct python *py, const struct python_node *function);
struct python_value python_call(struct python *py, struct python_value function,
				struct python_arguments *arguments);
/* True when the stack is near its end; raises RecursionError. */
bool python_deep(struct python *py);
bool python_fails(const struct python *py);
/* A name's value, or NULL. */
struct python_value *python_get(struct python_scope *scope, struct slice name);
/* The same for what is shown as a path of a library that called it. */
struct python_value python_raise_in(struct python *py, const struct python_place *places,
				    const char *kind, const char *words);
/* Whether an error of that class is caught by who names this one. */
bool python_is_below(const char *kind, const char *class);
/* Runs source in the scope that is current (exec, eval with its value). */
struct python_value python_run_source(struct python *py, struct slice source, bool value);
void python_set(struct python *py, struct python_scope *scope, struct slice name,
		struct python_value value);
/* Raises; words as printf. Gives None. */
struct python_value python_raise(struct python *py, const char *kind, const char *format, ...)
	PRINTF(3, 4);
/* Errors of the system under their names: FileNotFoundError: [Errno 2] ...: 'x'. */
struct python_value python_raise_system(struct python *py, int error, const char *path);
/* Raises KeyboardInterrupt when ^C was typed. */
void python_interrupted(struct python *py);
void python_raise_mistake(struct python *py, const struct python_code *code,
			  const struct python_mistake *mistake);
void python_tell_error(struct python *py);
void python_tell_mistake(struct python *py, const struct python_code *code,
			 const struct python_mistake *mistake);
/* Runs a program; its exit status. */
int python_run(struct process *process, struct slice source, const char *file, int argc,
	       char **argv);
/* For the prompt: false when the text goes on in the next line. The source must stay. */
struct python *python_new(struct process *process, const char *file, int argc, char **argv);
void python_interactive(struct python *py);
bool python_exited(const struct python *py);
int python_status(const struct python *py);
bool python_run_text(struct python *py, const char *file, struct slice source, bool complete);

/* --- python_operate.c --- */

struct python_value python_binary(struct python *py, struct slice operator, struct python_value a,
				  struct python_value b);
bool python_contains(struct python *py, struct python_value in, struct python_value what);
struct python_value python_index(struct python *py, struct python_value of,
				 struct python_value index);
/* Of a node that is unary, binary, a comparison or an index. */
struct python_value python_operate(struct python *py, const struct python_node *node);

/* --- python_value.c, python_show.c, python_format.c --- */

struct python_value python_none(void);
struct python_value python_bool(bool truth);
struct python_value python_int(int64_t number);
struct python_value python_float(double number);
struct python_value python_text(struct slice text);
struct python_value python_words(const char *text);
struct python_value python_opaque(void);
struct python_value python_object(struct python *py, enum python_kind kind, const char *name,
				  struct slice text, int64_t number);
struct python_value python_list(struct python *py, enum python_kind kind);
void python_append(struct python *py, struct python_value list, struct python_value item);
/* Where an item of a set or a key of a dict is; SIZE_MAX: nowhere. Raises for what has no hash. */
size_t python_find(struct python *py, struct python_value in, struct python_value key);
/* Takes it out of the list, set or dict. */
void python_remove(struct python *py, struct python_value from, size_t at);
void python_set_add(struct python *py, struct python_value set, struct python_value item);
struct python_value python_bytes(struct slice bytes);
struct python_value python_type(const char *name);
struct python_value python_pair(struct python *py, struct python_value a, struct python_value b);
struct python_value *python_dict_find(struct python *py, struct python_value dict,
				      struct python_value key);
void python_dict_set(struct python *py, struct python_value dict, struct python_value key,
		     struct python_value value);
bool python_truth(struct python_value value);
bool python_equal(struct python *py, struct python_value a, struct python_value b);
/* Less than 0, 0, more; raises TypeError, which names the operator, for what has no order. */
int python_compare(struct python *py, const char *operator, struct python_value a,
		   struct python_value b);
const char *python_type_name(struct python_value value);
struct slice python_str(struct python *py, struct python_value value);
struct slice python_repr(struct python *py, struct python_value value);
/* 0 for what is no number (and no whole one). */
double python_number(struct python_value value);
int64_t python_integer(struct python_value value);
bool python_is_number(struct python_value value);
/* Letters of a text, which is UTF-8; where letter number `letter` begins. */
size_t python_letters(struct slice text);
size_t python_letter_at(struct slice text, size_t letter);
void python_add_letter(struct process *process, struct text *out, uint32_t letter);
int64_t python_range_count(const int64_t *range);
/* The items of whatever can be walked over; raises TypeError for the rest. */
struct python_list *python_items(struct python *py, struct python_value value);
/* "{:>10.2f}": the value as the part behind the colon says. */
struct slice python_format_value(struct python *py, struct python_value value, struct slice how);
struct slice python_percent(struct python *py, struct slice format, struct python_value values);
struct slice python_format(struct python *py, struct slice format,
			   const struct python_arguments *arguments);

/* --- python_builtin.c, python_method.c, python_library.c --- */

typedef struct python_value python_builtin_function(struct python *py,
						    struct python_arguments *arguments);
typedef struct python_value python_method_function(struct python *py, struct python_value self,
						   struct python_arguments *arguments);
struct python_entry {
	const char *name;
	python_builtin_function *run;
};
struct python_method_entry {
	const char *name;
	python_method_function *run;
};
/* A table's function of that name, or NULL. The end of a table has no name. */
python_builtin_function *python_entry_find(const struct python_entry *entries, const char *name);

/* False: there is none of that name. */
bool python_builtin(struct python *py, const char *name, struct python_arguments *arguments,
		    struct python_value *result);
bool python_is_builtin(struct slice name);
extern const struct python_entry python_classes[];
/* A float that is whole as an int; raises for what is none. */
struct python_value python_whole(struct python *py, double number);
bool python_is_class(struct slice name);
/* What `key` says of an item; the item itself if it is None. */
struct python_value python_sort_key(struct python *py, struct python_value key,
				    struct python_value item);
/* The same as text, NUL-terminated; gone after three more calls. */
char *python_argument_words(struct python *py, const struct python_arguments *arguments,
			    size_t place);
/* Sorts the list in place; keys: of its items, NULL: themselves. Stable. */
void python_sort(struct python *py, struct python_list *list, struct python_value *keys, int sign);
/* list.sort and sorted: with their arguments key and reverse. */
void python_sort_as(struct python *py, struct python_list *list,
		    const struct python_arguments *arguments);
/* The one of that place or name; None. */
struct python_value python_argument(const struct python_arguments *arguments, size_t place,
				    const char *name);
/* --- python_file.c --- */

struct python_value python_standard(struct python *py, unsigned descriptor);
/* A line with its end, without bytes at the end of the file. */
struct slice python_read_line(struct python *py, struct python_value file);
/* At most so many bytes. */
struct slice python_read(struct python *py, struct python_value file, size_t most);
struct python_value python_file(struct python *py, int descriptor, const char *name,
				const char *mode);
/* NULL: none of that name. */
python_method_function *python_file_method(const char *name);
/* Before others write: as CPython, what is buffered waits for the end unless a terminal reads it.
 */
void python_flush(struct python *py);
/* To standard error, past what is buffered. */
void python_tell(struct python *py, const char *format, ...) PRINTF(2, 3);
/* Opens a file as open() does, with the errors of that. */
struct python_value python_open(struct python *py, struct slice path, const char *mode);

/* Of texts and bytes; python_text.c. NULL: none of that name. */
python_method_function *python_text_method(struct python_value self, const char *name);
bool python_has_method(struct python_value self, const char *name);
struct python_value python_method(struct python *py, struct python_value self, const char *name,
				  struct python_arguments *arguments);

/* "os.getcwd": */
struct python_value python_library_call(struct python *py, const char *name,
					struct python_arguments *arguments);
struct python_value python_library_attribute(struct python *py, const char *module,
					     struct slice name);
/* from os import *: its names into the scope. */
void python_library_all(struct python *py, const char *module);
bool python_library_knows(struct python *py, struct slice module);
bool python_library_is_package(struct slice module);
/* Methods and attributes of things of libraries (sockets, answers, patterns); false: not known. */
bool python_library_method(struct python *py, struct python_value self, const char *name,
			   struct python_arguments *arguments, struct python_value *result);
bool python_library_field(struct python *py, struct python_value self, const char *name,
			  struct python_value *result);

/* --- the libraries: functions under their whole names, constants under them too --- */

extern const struct python_entry python_os_functions[], python_path_functions[],
	python_process_functions[], python_network_functions[], python_data_functions[],
	python_time_functions[], python_json_functions[], python_regex_functions[];
/* False: none of that name. */
bool python_os_constant(struct python *py, const char *name, struct python_value *result);
bool python_network_constant(struct python *py, const char *name, struct python_value *result);
bool python_time_constant(struct python *py, const char *name, struct python_value *result);
bool python_data_constant(struct python *py, const char *name, struct python_value *result);

/* A thing with attributes: its class's name and a dict. */
struct python_value python_thing(struct python *py, const char *class);
void python_thing_set(struct python *py, struct python_value thing, const char *name,
		      struct python_value value);
struct python_value python_thing_get(struct python *py, struct python_value thing,
				     const char *name);
/* A tuple whose items have names, which end with NULL; values in their order. */
struct python_value python_named(struct python *py, const char *shown, const char *const *fields,
				 const struct python_value *values);

/* Methods of python_thing's things: "Popen.communicate" and so on, self before the rest. */
python_method_function *python_process_method(const char *class, const char *name);
python_method_function *python_network_method(const char *class, const char *name);
python_method_function *python_data_method(const char *class, const char *name);
python_method_function *python_regex_method(const char *class, const char *name);
python_method_function *python_time_method(const char *class, const char *name);

/* Makes os.environ that of the process, before others see it. */
void python_os_export(struct python *py);
/* Base64 as binascii has it; false: it is none. */
bool python_data_decode(struct python *py, struct slice from, struct text *out);

#endif
