/* Words of Transact-SQL. The lexer copies nothing and allocates nothing. */
#ifndef MSSQL_SQL_H
#define MSSQL_SQL_H

#include "base/arena.h"
#include "base/bytes.h"

enum sql_kind {
	SQL_END,
	SQL_WORD,     /* name or keyword; [quoted] names without the brackets */
	SQL_VARIABLE, /* @name or @@name */
	SQL_STRING,   /* without its quotes, quotes inside still doubled */
	SQL_WIDE,     /* N'...' */
	SQL_NUMBER,
	SQL_HEX,  /* digits behind 0x */
	SQL_MARK, /* one character */
};

struct sql_token {
	enum sql_kind kind;
	struct slice text;
	bool quoted; /* a [name] or "name": never a keyword */
	bool starts_line;
};

struct sql_lexer {
	struct slice rest; /* behind the current token */
	struct sql_token now;
};

struct sql_lexer sql_lexer_of(struct slice text);
/* Goes to the next token. */
void sql_advance(struct sql_lexer *lexer);
bool sql_is(const struct sql_lexer *lexer, const char *keyword);
bool sql_is_mark(const struct sql_lexer *lexer, char mark);
/* Goes on and returns true when the current token is this. */
bool sql_take(struct sql_lexer *lexer, const char *keyword);
bool sql_take_mark(struct sql_lexer *lexer, char mark);
/* A string's text with its doubled quotes undone, in the arena where that changes it. */
struct slice sql_string(const struct sql_token *token, struct arena *arena);
/* A name of up to four parts as written, brackets dropped ("master..sysdatabases"); *last is its
 * last part. Empty when there is none. */
struct slice sql_name(struct sql_lexer *lexer, struct arena *arena, struct slice *last);

#endif
