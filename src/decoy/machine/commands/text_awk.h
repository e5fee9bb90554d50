/* awk as Debian's mawk 1.3.4: the program in memory, values, and who runs what.
 *
 * text_awk_lex.c and text_awk_parse.c make a tree of it, text_awk_eval.c walks the expressions,
 * text_awk.c the statements, text_awk_call.c the built-in functions, text_awk_value.c has
 * numbers, strings and arrays, text_awk_record.c lines and fields, text_awk_stream.c files and
 * pipes.
 */
#ifndef DECOY_MACHINE_COMMANDS_TEXT_AWK_H
#define DECOY_MACHINE_COMMANDS_TEXT_AWK_H

#include "decoy/machine/commands/text.h"
#include "decoy/machine/regex.h"

/* Stack that parser and evaluation may take, of the process's 256 KiB. */
#define AWK_STACK_MAX ((size_t)110 * 1024)
/* mawk's own. */
#define AWK_FIELDS_MAX  32767
#define AWK_STREAMS_MAX 64
#define AWK_REGEXES     8

/* --- values --- */

struct awk_string {
	unsigned references;
	size_t length;
	char bytes[]; /* ends with NUL */
};
enum awk_type {
	AWK_UNSET,
	AWK_NUMBER,
	AWK_STRING,
	AWK_INPUT /* a string, a number if it looks so */
};
struct awk_value {
	enum awk_type type;
	double number;
	struct awk_string *string;
};
struct awk_table;
struct awk_cell {
	struct awk_value value;
	struct awk_table *table;
	struct awk_cell *alias; /* a parameter that stands for the caller's variable */
};

/* --- the program --- */

enum awk_kind {
	/* expressions */
	AWK_NODE_CONSTANT,
	AWK_NODE_REGEX,
	AWK_NODE_GLOBAL,
	AWK_NODE_LOCAL,
	AWK_NODE_FIELD,
	AWK_NODE_INDEX,
	AWK_NODE_IN,
	AWK_NODE_ASSIGN,
	AWK_NODE_CONDITION,
	AWK_NODE_AND,
	AWK_NODE_OR,
	AWK_NODE_NOT,
	AWK_NODE_NEGATIVE,
	AWK_NODE_PLUS,
	AWK_NODE_ARITHMETIC,
	AWK_NODE_CONCATENATION,
	AWK_NODE_COMPARE,
	AWK_NODE_MATCH,
	AWK_NODE_STEP, /* ++ and -- */
	AWK_NODE_CALL,
	AWK_NODE_BUILTIN,
	AWK_NODE_GETLINE,
	AWK_NODE_GROUP, /* (a, b) */
	/* statements */
	AWK_NODE_BLOCK,
	AWK_NODE_EXPRESSION,
	AWK_NODE_PRINT,
	AWK_NODE_PRINTF,
	AWK_NODE_IF,
	AWK_NODE_WHILE,
	AWK_NODE_DO,
	AWK_NODE_FOR,
	AWK_NODE_FOR_IN,
	AWK_NODE_NEXT,
	AWK_NODE_NEXT_FILE,
	AWK_NODE_EXIT,
	AWK_NODE_RETURN,
	AWK_NODE_BREAK,
	AWK_NODE_CONTINUE,
	AWK_NODE_DELETE,
};

struct awk_node {
	enum awk_kind kind;
	int operation; /* a letter or token; what it means is the kind's */
	bool before;   /* AWK_NODE_STEP: ++x */
	unsigned index;
	struct awk_node *a, *b, *c, *d;
	struct awk_node *next; /* in a list */
	struct awk_value value;
	struct regex *regex;
};

struct awk_rule {
	enum { AWK_BEGIN, AWK_END, AWK_ALWAYS, AWK_PATTERN, AWK_RANGE } kind;
	struct awk_node *from, *to, *body; /* body NULL: print */
	bool within;
	struct awk_rule *next;
};

struct awk_function {
	struct awk_function *next;
	const char *name;
	unsigned index, parameters;
	struct awk_node *body;
	bool defined;
	unsigned line; /* of the first call */
};

/* Variables that mean something; the first of the table of globals. */
enum {
	AWK_NR,
	AWK_NF,
	AWK_FNR,
	AWK_FS,
	AWK_OFS,
	AWK_ORS,
	AWK_RS,
	AWK_FILENAME,
	AWK_SUBSEP,
	AWK_RSTART,
	AWK_RLENGTH,
	AWK_CONVFMT,
	AWK_OFMT,
	AWK_ENVIRON,
	AWK_ARGC,
	AWK_ARGV,
	AWK_SPECIALS
};

/* Tokens above the single letters. */
enum awk_token {
	AWK_TOKEN_END = 256,
	AWK_TOKEN_NUMBER,
	AWK_TOKEN_STRING,
	AWK_TOKEN_REGEX,
	AWK_TOKEN_NAME,
	AWK_TOKEN_CALL_NAME, /* with ( right behind it */
	AWK_TOKEN_BUILTIN,
	AWK_TOKEN_AND,
	AWK_TOKEN_OR,
	AWK_TOKEN_MATCH,
	AWK_TOKEN_NOT_MATCH,
	AWK_TOKEN_EQUAL,
	AWK_TOKEN_NOT_EQUAL,
	AWK_TOKEN_LESS_EQUAL,
	AWK_TOKEN_GREATER_EQUAL,
	AWK_TOKEN_INCREMENT,
	AWK_TOKEN_DECREMENT,
	AWK_TOKEN_APPEND,
	AWK_TOKEN_ASSIGN, /* += and so on; letter in `operation` */
	AWK_TOKEN_BEGIN,
	AWK_TOKEN_END_RULE,
	AWK_TOKEN_FUNCTION,
	AWK_TOKEN_IF,
	AWK_TOKEN_ELSE,
	AWK_TOKEN_WHILE,
	AWK_TOKEN_FOR,
	AWK_TOKEN_DO,
	AWK_TOKEN_BREAK,
	AWK_TOKEN_CONTINUE,
	AWK_TOKEN_NEXT,
	AWK_TOKEN_NEXT_FILE,
	AWK_TOKEN_EXIT,
	AWK_TOKEN_RETURN,
	AWK_TOKEN_DELETE,
	AWK_TOKEN_IN,
	AWK_TOKEN_PRINT,
	AWK_TOKEN_PRINTF,
	AWK_TOKEN_GETLINE,
};

enum awk_builtin {
	AWK_LENGTH,
	AWK_SUBSTR,
	AWK_INDEX,
	AWK_SPLIT,
	AWK_SUB,
	AWK_GSUB,
	AWK_MATCH,
	AWK_SPRINTF,
	AWK_SIN,
	AWK_COS,
	AWK_ATAN2,
	AWK_EXP,
	AWK_LOG,
	AWK_SQRT,
	AWK_INT,
	AWK_RAND,
	AWK_SRAND,
	AWK_TOLOWER,
	AWK_TOUPPER,
	AWK_CLOSE,
	AWK_SYSTEM,
	AWK_FFLUSH
};

struct awk_names { /* a list of names: globals, parameters */
	const char **names;
	unsigned count, capacity;
};

struct awk_stream {
	enum {
		AWK_CLOSED,
		AWK_OUTPUT,
		AWK_OUTPUT_PIPE,
		AWK_INPUT_FILE,
		AWK_INPUT_PIPE
	} kind; /* in this order */
	char *name;
	int descriptor, pid;
	struct line_reader reader;
	struct text buffer; /* of output */
};

enum awk_flow {
	AWK_GO_ON,
	AWK_FLOW_BREAK,
	AWK_FLOW_CONTINUE,
	AWK_FLOW_NEXT,
	AWK_FLOW_NEXT_FILE,
	AWK_FLOW_RETURN,
	AWK_FLOW_EXIT
};

struct awk {
	struct process *process;
	const char *stack_top;
	/* the text */
	const char *at, *end, *token_start;
	unsigned line;
	int token, operation, previous;
	struct text word;
	double number;
	bool no_greater; /* > is not an operator here */
	unsigned parentheses;
	/* the tree */
	struct awk_names globals, parameters;
	struct awk_function *functions;
	unsigned function_count;
	struct awk_function **by_index;
	struct awk_rule *rules, **rules_end;
	bool in_function, has_main, has_end;
	/* running */
	struct awk_cell *variables;
	struct awk_cell *frame; /* parameters of the function that runs */
	enum awk_flow flow;
	struct awk_value result; /* of return */
	int status;
	bool ending;
	/* the record */
	struct awk_value record;
	struct awk_value *fields; /* from 1 */
	size_t field_count, field_capacity;
	bool is_split, is_whole;
	/* main input */
	int argument;
	bool open, main_over, used_argument;
	struct line_reader input;
	struct awk_stream streams[AWK_STREAMS_MAX];
	struct {
		struct awk_string *pattern;
		struct regex *regex;
	} regexes[AWK_REGEXES];
	unsigned next_regex;
	uint64_t seed, random;
};

/* Ends the process with status 2: "awk: run time error: ...". */
_Noreturn void awk_fail(struct awk *awk, const char *words);
/* Stops when the stack that recursion may take is used up. */
void awk_check_stack(struct awk *awk);

/* text_awk_lex.c */
void awk_lex_start(struct awk *awk, struct slice text);
void awk_next(struct awk *awk); /* the next token */
/* The current token's / begins a regular expression: reads it into `word`. */
void awk_read_regex(struct awk *awk);
/* Escapes of a string constant (and of -v) taken away. */
void awk_unescape(struct awk *awk, struct slice text, struct text *out);
unsigned awk_intern(struct awk *awk, struct awk_names *names, const char *name);

/* text_awk_parse.c, text_awk_expression.c */
void awk_parse(struct awk *awk);
unsigned awk_function_index(struct awk *awk, const char *name);
struct awk_node *awk_node_new(struct awk *awk, enum awk_kind kind);
_Noreturn void awk_syntax_error(struct awk *awk);
void awk_expect(struct awk *awk, int token);
bool awk_accept(struct awk *awk, int token);
void awk_skip_newlines(struct awk *awk);
struct awk_node *awk_parse_expression(struct awk *awk);
/* Separated by commas up to the closing token; may be empty. */
struct awk_node *awk_parse_list(struct awk *awk, int closing);

/* text_awk_value.c */
struct awk_value awk_number(double number);
/* The text is copied. */
struct awk_value awk_string(struct awk *awk, enum awk_type type, struct slice text);
struct awk_string *awk_string_new(struct awk *awk, size_t length); /* one reference */
struct awk_value awk_keep(struct awk_value value);                 /* one reference more */
void awk_drop(struct awk *awk, struct awk_value value);
void awk_drop_string(struct awk *awk, struct awk_string *string);
double awk_to_number(const struct awk_value *value);
/* One reference for the caller. output: by OFMT in place of CONVFMT. */
struct awk_string *awk_to_string(struct awk *awk, const struct awk_value *value, bool output);
static inline struct slice awk_slice(const struct awk_string *string)
{
	return slice_of(string->bytes, string->length);
}
bool awk_is_true(const struct awk_value *value);
int awk_compare(struct awk *awk, const struct awk_value *a, const struct awk_value *b,
		int operation);
bool awk_looks_numeric(struct slice text, double *number);

struct awk_table *awk_table_new(struct awk *awk);
/* create: makes what is not there. */
struct awk_value *awk_table_find(struct awk *awk, struct awk_table *table, struct slice key,
				 bool create);
void awk_table_remove(struct awk *awk, struct awk_table *table, struct slice key);
void awk_table_clear(struct awk *awk, struct awk_table *table);
size_t awk_table_size(const struct awk_table *table);
/* All keys in mawk's order, one reference each; an array of the process's memory. */
struct awk_string **awk_table_keys(struct awk *awk, struct awk_table *table, size_t *count);

/* text_awk_record.c */
void awk_set_record(struct awk *awk, struct awk_value value); /* takes the reference */
struct awk_value awk_get_field(struct awk *awk, double index);
void awk_set_field(struct awk *awk, double index, struct awk_value value);
void awk_set_field_count(struct awk *awk, double count);
void awk_split_record(struct awk *awk);
/* Splits text as FS does; calls part for each piece. Count. */
size_t awk_split(struct awk *awk, struct slice text, struct slice separator, struct regex *regex,
		 void (*part)(struct awk *awk, void *context, size_t index, struct slice text),
		 void *context);
/* A record of a reader by RS; false at the end. */
bool awk_read_record(struct awk *awk, struct line_reader *reader, struct slice *record);
/* The next record of the main input; false: none. */
bool awk_main_record(struct awk *awk, struct slice *record);
void awk_skip_file(struct awk *awk);

/* text_awk_stream.c */
/* kind: '>', 'a' (>>), '|'. */
struct awk_stream *awk_output(struct awk *awk, struct slice name, int kind);
void awk_write(struct awk *awk, struct awk_stream *stream, struct slice bytes); /* NULL: stdout */
struct awk_stream *awk_input(struct awk *awk, struct slice name, bool command);
int awk_close(struct awk *awk, struct slice name); /* status or -1 */
void awk_flush(struct awk *awk);
void awk_close_all(struct awk *awk);

/* text_awk_eval.c */
struct awk_value awk_eval(struct awk *awk, struct awk_node *node); /* a reference for the caller */
double awk_eval_number(struct awk *awk, struct awk_node *node);
struct awk_string *awk_eval_string(struct awk *awk, struct awk_node *node);
bool awk_eval_true(struct awk *awk, struct awk_node *node);
struct awk_table *awk_eval_table(struct awk *awk, struct awk_node *node);
struct awk_string *awk_eval_key(struct awk *awk, struct awk_node *list);
void awk_assign(struct awk *awk, struct awk_node *target, struct awk_value value); /* takes it */
struct regex *awk_eval_regex(struct awk *awk, struct awk_node *node);
struct regex *awk_regex(struct awk *awk, struct slice pattern);
void awk_set_variable(struct awk *awk, unsigned index, struct awk_value value);

/* text_awk_call.c */
struct awk_value awk_call_builtin(struct awk *awk, struct awk_node *node);
/* True when it can be called with so many arguments. */
bool awk_builtin_takes(int function, const struct awk_node *arguments);
void awk_format(struct awk *awk, struct awk_node *arguments, struct text *out);

/* text_awk.c */
enum awk_flow awk_run(struct awk *awk, struct awk_node *statement);

#endif
