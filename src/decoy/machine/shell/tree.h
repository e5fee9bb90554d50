/* Commands as a tree, and how text becomes one.
 *
 * A tree lives in a pool: memory that is dropped in one step when the last holder gives it back, so
 * that a function outlives the line that defined it. Words keep their source text: quotes and
 * substitutions are read again when they are expanded.
 */
#ifndef DECOY_MACHINE_SHELL_TREE_H
#define DECOY_MACHINE_SHELL_TREE_H

#include "decoy/machine/process.h"

struct shell;

/* --- pool.c --- */

struct pool_chunk;
struct pool {
	struct process *process;
	struct pool_chunk *chunk; /* newest */
	unsigned references;
};
/* A place in a pool, to which it can be cut back. */
struct pool_mark {
	struct pool_chunk *chunk;
	size_t used;
};

/* Held once. */
struct pool *pool_new(struct process *process);
void pool_hold(struct pool *pool);
void pool_drop(struct pool *pool);
void *pool_take(struct pool *pool, size_t size); /* zeroed */
char *pool_text(struct pool *pool, struct slice s);
struct pool_mark pool_place(const struct pool *pool);
void pool_cut(struct pool *pool, struct pool_mark place);

/* --- the tree --- */

enum { /* what a word's text may contain */
       WORD_QUOTES = 1,
       WORD_DOLLAR = 2, /* $ or ` */
       WORD_GLOB = 4,
       WORD_TILDE = 8,
       WORD_BRACE = 16,
       WORD_ASSIGNMENT = 32,
       WORD_COMPOUND = 64, /* name=(...): elements follow in `elements` */
       WORD_PROCESS = 128, /* <(...) or >(...) */
};

struct word {
	char *text;
	struct word *next;
	struct word *elements;
	unsigned flags;
};

enum redirection_kind {
	REDIRECT_READ,
	REDIRECT_WRITE,
	REDIRECT_CLOBBER,
	REDIRECT_APPEND,
	REDIRECT_BOTH,        /* <> */
	REDIRECT_FROM,        /* <& */
	REDIRECT_TO,          /* >& */
	REDIRECT_ALL,         /* &> */
	REDIRECT_APPEND_ALL,  /* &>> */
	REDIRECT_HERE,        /* << */
	REDIRECT_HERE_TABS,   /* <<- */
	REDIRECT_HERE_STRING, /* <<< */
};

struct redirection {
	struct redirection *next;
	enum redirection_kind kind;
	int descriptor; /* -1: the usual one */
	char *variable; /* {name}> */
	struct word target;
	char *here;      /* text of a here-document */
	bool here_plain; /* its delimiter was quoted */
};

enum node_kind {
	NODE_SIMPLE,
	NODE_PIPE,     /* first: two or more, by next */
	NODE_CHAIN,    /* first: members of && and ||, by next; each has its `joint` */
	NODE_LIST,     /* first: commands, by next; `background` */
	NODE_GROUP,    /* { } */
	NODE_SUBSHELL, /* ( ) */
	NODE_IF,       /* condition, first, other */
	NODE_WHILE,
	NODE_UNTIL,
	NODE_FOR, /* name, words, first */
	NODE_SELECT,
	NODE_FOR_ARITHMETIC, /* words: three; first */
	NODE_CASE,           /* words: subject; cases */
	NODE_FUNCTION,       /* name, first */
	NODE_COPROC,         /* name, first */
	NODE_TEST,           /* [[ ]]: other is a tree of NODE_TEST_* */
	NODE_ARITHMETIC,     /* (( )): name */
	NODE_TEST_WORD,      /* name: operator (NULL: -n); words: one or two operands */
	NODE_TEST_NOT,
	NODE_TEST_AND,
	NODE_TEST_OR,
	NODE_TEST_GROUP,
};

enum node_joint { JOINT_NONE, JOINT_AND, JOINT_OR };

struct case_item {
	struct case_item *next;
	struct word *patterns;
	struct node *body;
	enum { CASE_ENDS, CASE_FALLS, CASE_TESTS_ON } end; /* ;; ;& ;;& */
};

struct node {
	uint8_t kind, joint;
	bool background, negated, timed, timed_posix, pipe_errors; /* |& */
	bool has_in;                                               /* for x in */
	unsigned line;
	struct node *next;
	struct redirection *redirections;
	struct word *words; /* of a simple command: assignments first */
	struct node *condition, *first, *other;
	struct case_item *cases;
	char *name;
};

/* --- tree.c, print.c --- */

/* A copy in another pool (of another process, too). */
struct node *tree_copy(struct pool *pool, const struct node *node);
/* As bash prints commands: for `jobs` on one line, for `declare -f` over several. */
void print_command(struct process *process, struct text *out, const struct node *node);
void print_function(struct process *process, struct text *out, const char *name,
		    const struct node *body);

/* --- lexer.c --- */

struct lexer {
	struct shell *shell;
	char *text; /* what was read and not yet dropped */
	size_t length, capacity, at;
	bool owned, ended;
	/* Adds a line; false: no more. NULL: the text is all there is. */
	bool (*more)(struct lexer *lexer);
	void *context;
	bool interrupted;  /* ^C while reading */
	unsigned line;     /* of `counted` */
	size_t counted;    /* lines before here are in `line` */
	char unterminated; /* the quote or bracket that has no end, once something failed */
	unsigned unterminated_line;
	unsigned depth;
	/* Aliases whose text is being read, so that none is expanded within itself. */
	struct {
		const char *name;
		size_t end;
	} aliases[8];
	unsigned alias_count;
	bool alias_next; /* the alias ended with a blank: the next word is one, too */
};

struct lexer lexer_over(struct shell *shell, const char *text, size_t length);
void lexer_close(struct lexer *lexer);
void lexer_add(struct lexer *lexer, struct slice s);
/* Room for more bytes, in memory of its own. */
void lexer_reserve(struct lexer *lexer, size_t more);
/* Drops what was read. */
void lexer_forget(struct lexer *lexer);
/* The byte at an offset from here, or -1 at the end. Reads on. */
int lexer_byte(struct lexer *lexer, size_t offset);
unsigned lexer_line(struct lexer *lexer);
/* Each goes from the opening to behind the end; -1: there is none (unterminated is set). */
MUST_CHECK int lexer_skip_single(struct lexer *lexer);
MUST_CHECK int lexer_skip_dollar_single(struct lexer *lexer); /* at the quote */
MUST_CHECK int lexer_skip_double(struct lexer *lexer);
MUST_CHECK int lexer_skip_backquote(struct lexer *lexer);
MUST_CHECK int lexer_skip_dollar(struct lexer *lexer, bool quoted);
/* True when "((" here begins arithmetic: its end is "))". *end: the offset of that; SIZE_MAX: there
 * is none. */
bool lexer_is_arithmetic(struct lexer *lexer, size_t *end);

enum token_kind {
	TOKEN_END,
	TOKEN_NEWLINE,
	TOKEN_WORD,
	TOKEN_NUMBER,   /* before a redirection: descriptor */
	TOKEN_VARIABLE, /* {name} before a redirection */
	TOKEN_SEMICOLON,
	TOKEN_BACKGROUND,
	TOKEN_PIPE,
	TOKEN_PIPE_ERRORS,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_CASE_ENDS,
	TOKEN_CASE_FALLS,
	TOKEN_CASE_TESTS_ON,
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_REDIRECTION, /* kind in `redirection` */
	TOKEN_ERROR,
};

struct token {
	enum token_kind kind;
	struct word word;
	int descriptor;
	enum redirection_kind redirection;
	unsigned line;
	size_t start;
};

enum lexer_mode {
	LEXER_COMMAND, /* words may be aliases, assignments */
	LEXER_WORDS,
	LEXER_TEST,  /* within [[ ]] */
	LEXER_REGEX, /* after =~ */
};

void lexer_next(struct lexer *lexer, struct pool *pool, enum lexer_mode mode, struct token *token);
/* How a token is told in a message. */
const char *lexer_token_words(const struct token *token);
/* Length of a name ([A-Za-z_][A-Za-z0-9_]*) at the start; 0: none. */
size_t lexer_name(const char *text);
bool lexer_has_quotes(const char *text);

/* --- parser.c, parser_*.c --- */

enum parse_result {
	PARSE_COMMAND,
	PARSE_NOTHING, /* an empty line */
	PARSE_END,
	PARSE_ERROR, /* told */
	PARSE_INTERRUPTED,
};

#define PARSER_HERE_MAX 16

struct parser {
	struct shell *shell;
	struct lexer *lexer;
	struct pool *pool;
	struct token token;
	bool have_token, failed, silent;
	bool wants_command; /* behind | or && */
	unsigned depth;
	unsigned tests; /* operators of the [[ ]] at hand: it is as deep as they are many */
	struct redirection *here[PARSER_HERE_MAX]; /* whose text follows the line */
	unsigned here_count;
	unsigned here_line;
};

/* A complete command line (up to a newline or the end), with its tree in the pool. */
enum parse_result parser_line(struct parser *parser, struct node **tree);
/* Reads commands up to the ")" that ends $(...), and it. -1: told. */
MUST_CHECK int parser_substitution(struct shell *shell, struct lexer *lexer, struct pool *pool,
				   struct node **tree);
/* For the parts of the parser. */
struct token *parser_peek(struct parser *parser, enum lexer_mode mode);
void parser_take(struct parser *parser);
struct node *parser_node(struct parser *parser, enum node_kind kind);
struct node *parser_list(struct parser *parser, const char *const *ends);
struct node *parser_command(struct parser *parser);
struct node *parser_test(struct parser *parser);
/* The rest of a simple command; first: the word that was taken already, or NULL. */
struct node *parser_simple(struct parser *parser, struct word *first);
bool parser_is_word(struct parser *parser, const char *word);
/* Takes that reserved word or fails. */
MUST_CHECK bool parser_expect(struct parser *parser, const char *word);
void parser_skip_newlines(struct parser *parser);
bool parser_redirection(struct parser *parser, struct redirection ***tail);
/* parser_error.c: tells it in the shell's own words, once. */
void *parser_unexpected(struct parser *parser, const char *expected);
void parser_unterminated(struct parser *parser);
/* What bash puts before the line number: "-c: ", "eval: " or NULL. */
const char *parser_origin(const struct shell *shell);

#endif
