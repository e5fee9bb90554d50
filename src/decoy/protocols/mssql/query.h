/* A batch while it runs: what the files that play SQL share. */
#ifndef MSSQL_QUERY_H
#define MSSQL_QUERY_H

#include "mssql.h"
#include "sql.h"

#define QUERY_VARIABLES_MAX  24
#define QUERY_DEPTH_MAX      12 /* EXEC inside EXEC, BEGIN inside BEGIN */
#define QUERY_BRACKETS_MAX   32
#define QUERY_CONDITIONS_MAX 4    /* brackets in conditions are read twice: 2^4 times at most */
#define QUERY_STATEMENTS_MAX 1000 /* a batch; what follows is recorded but not run */
#define QUERY_COLUMNS_MAX    64
#define QUERY_SCRATCH_MAX \
	((size_t)4 * 1024 * 1024) /* a batch of 1 MiB, as UTF-8, and its strings */
#define QUERY_ARGUMENTS_MAX 16

struct query_variable {
	struct slice name;
	struct tds_value value;
};

/* Rows that a SELECT reads. */
struct catalog_table {
	const char *name; /* its last part */
	const struct tds_column *columns;
	size_t column_count;
	size_t rows;
	/* Value of a cell. */
	struct tds_value (*cell)(struct session *session, const struct mssql *mssql, size_t row,
				 size_t column);
};

struct query {
	struct session *session;
	struct mssql *mssql;
	struct tds_stream *out;
	struct arena scratch;
	struct query_variable variables[QUERY_VARIABLES_MAX];
	size_t variable_count;
	unsigned depth, brackets, conditions;
	unsigned statements; /* run so far: a batch has a bound */
	bool muted; /* inside a branch that is not taken: nothing happens and nothing is answered */
	bool stopped;      /* an error ended the batch */
	bool in_procedure; /* DONEINPROC instead of DONE */
	int64_t rows;      /* @@rowcount */
	/* The row that names in an expression stand for. */
	const struct catalog_table *table;
	size_t row;
	struct slice unknown; /* a name in an expression that is no column */
};

/* --- query.c --- */

void query_run(struct query *query, struct slice sql);
/* Reports the text as a request, its tags and blobs too, and runs it; verb NULL: its first word. */
void mssql_run_text(struct session *session, struct mssql *mssql, struct query *query,
		    struct slice sql, const char *verb);
void query_error(struct query *query, uint32_t number, uint8_t state, uint8_t severity,
		 const char *before, struct slice name, const char *after);
void query_info(struct query *query, uint32_t number, const char *procedure, uint32_t line,
		struct slice text);
void query_done(struct query *query, unsigned status, enum tds_command command, uint64_t rows);
void query_set(struct query *query, struct slice name, const struct tds_value *value);
struct tds_value query_get(struct query *query, struct slice name);

/* --- expression.c --- */

struct tds_value expression(struct query *query, struct sql_lexer *lexer);
/* The same, as a condition. */
bool expression_holds(struct query *query, struct sql_lexer *lexer);
struct slice expression_text(struct query *query, const struct tds_value *value);
/* Passes over a bracket and all up to the one that closes it. */
void expression_skip_brackets(struct sql_lexer *lexer);

/* --- catalog.c --- */

const struct catalog_table *catalog_named(struct slice name);
/* SERVERPROPERTY and @@NAMES; NULL kind where there is none. */
struct tds_value catalog_property(struct query *query, struct slice name);
/* Settings of sp_configure. */
struct catalog_setting {
	const char *name;
	int minimum, maximum, standard;
	bool advanced;
};
#define CATALOG_SETTINGS 12
enum { CATALOG_ADVANCED = 0, CATALOG_XP_CMDSHELL = 1, CATALOG_OLE = 2 };
extern const struct catalog_setting catalog_settings[CATALOG_SETTINGS];

/* --- procedure.c --- */

struct query_argument {
	struct slice name; /* @name, or empty */
	struct tds_value value;
	struct slice variable; /* @variable OUTPUT, or empty */
};

/* Runs a procedure; `written` is its name as the client wrote it. */
void procedure_run(struct query *query, struct slice written, struct slice name,
		   const struct query_argument *arguments, size_t count);
/* Marks and evidence of a batch, before it runs. Returns the number of tags. */
size_t procedure_tags(struct query *query, struct slice sql, struct slice *tags, size_t capacity);
/* The rows that a command makes. */
void procedure_output(struct query *query, struct slice command);

/* --- shell.c --- */

/* Appends what cmd.exe prints, lines ended by \n. */
void shell_run(struct session *session, struct slice command, struct writer *out);

#endif
