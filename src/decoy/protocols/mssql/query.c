/* Batches of Transact-SQL, statement by statement. */
#include "query.h"

static void statement(struct query *query, struct sql_lexer *lexer);

/* --- answers --- */

void query_error(struct query *query, uint32_t number, uint8_t state, uint8_t severity,
		 const char *before, struct slice name, const char *after)
{
	struct tds_message message = {TDS_TOKEN_ERROR, number, state, severity, NULL, 1};
	uint8_t room[1024];
	struct writer text = writer_fixed(room, sizeof(room));

	writer_text(&text, before);
	writer_bytes(&text, slice_first(name, 600));
	writer_text(&text, after);
	tds_message(query->out, &message, writer_slice(&text));
	if (!query->in_procedure)
		query_done(query, TDS_DONE_ERROR, TDS_COMMAND_OTHER, 0);
}

void query_info(struct query *query, uint32_t number, const char *procedure, uint32_t line,
		struct slice text)
{
	struct tds_message message = {TDS_TOKEN_INFO, number, 1, 0, procedure, line};

	tds_message(query->out, &message, text);
}

void query_done(struct query *query, unsigned status, enum tds_command command, uint64_t rows)
{
	tds_done(query->out, query->in_procedure ? TDS_TOKEN_DONEINPROC : TDS_TOKEN_DONE, status,
		 command, rows);
	query->rows = (int64_t)rows;
}

/* --- variables --- */

void query_set(struct query *query, struct slice name, const struct tds_value *value)
{
	size_t i = 0;

	while (i < query->variable_count && !slice_equal(query->variables[i].name, name))
		i++;
	if (i == QUERY_VARIABLES_MAX)
		return;
	if (i == query->variable_count)
		query->variable_count++;
	query->variables[i] = (struct query_variable){name, *value};
}

struct tds_value query_get(struct query *query, struct slice name)
{
	if (slice_starts(name, "@@"))
		return catalog_property(query, name);
	for (size_t i = 0; i < query->variable_count; i++) {
		if (slice_equal(query->variables[i].name, name))
			return query->variables[i].value;
	}
	return (struct tds_value){.kind = TDS_NULL};
}

/* --- tables that the client made --- */

static struct mssql_table *made_table(const struct mssql *mssql, struct slice name)
{
	struct mssql_table *table = mssql->tables;

	while (table && !slice_equal(table->name, name))
		table = table->next;
	return table;
}

static struct mssql_table *make_table(struct query *query, struct slice name)
{
	struct arena *arena = session_arena(query->session);
	struct mssql *mssql = query->mssql;
	struct mssql_table *table = made_table(mssql, name);

	if (table || mssql->table_count == MSSQL_TABLES_MAX)
		return table;
	table = arena_take(arena, sizeof(*table));
	if (!table)
		return NULL;
	table->name = arena_copy(arena, slice_first(name, MSSQL_NAME_MAX));
	table->next = mssql->tables;
	mssql->tables = table;
	mssql->table_count++;
	return table;
}

/* --- the end of statements --- */

static bool begins_statement(const struct sql_lexer *lexer)
{
	static const char *const keywords[] = {
		"select",   "exec",    "execute",   "use",    "set",      "declare",     "print",
		"if",       "begin",   "end",       "else",   "while",    "create",      "alter",
		"drop",     "insert",  "update",    "delete", "truncate", "reconfigure", "waitfor",
		"backup",   "restore", "grant",     "deny",   "kill",     "dbcc",        "commit",
		"rollback", "return",  "raiserror", "bulk",   "revoke",   "shutdown",    "go",
	};

	if (lexer->now.kind != SQL_WORD || lexer->now.quoted)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(keywords); i++) {
		if (slice_is_nocase(lexer->now.text, keywords[i]))
			return true;
	}
	return false;
}

static bool at_end(const struct sql_lexer *lexer)
{
	return lexer->now.kind == SQL_END || sql_is_mark(lexer, ';') || begins_statement(lexer);
}

static void skip_statement(struct sql_lexer *lexer)
{
	while (!at_end(lexer)) {
		if (sql_is_mark(lexer, '('))
			expression_skip_brackets(lexer);
		else
			sql_advance(lexer);
	}
}

/* --- SELECT --- */

struct selection {
	struct tds_column columns[QUERY_COLUMNS_MAX];
	struct tds_value values[QUERY_COLUMNS_MAX];
	struct slice assigned; /* SELECT @x = ...: nothing is shown */
	size_t count;
	bool counts; /* COUNT(*) */
};

static void add_item(struct selection *selection, struct slice name, struct tds_value value)
{
	struct tds_column *column = &selection->columns[selection->count];

	if (selection->count == QUERY_COLUMNS_MAX)
		return;
	*column = (struct tds_column){.name = name, .kind = value.kind};
	column->nullable = value.kind == TDS_NULL;
	/* Names and functions yield text of any length: give the column room for longer rows. */
	column->width = (uint16_t)(value.text.length > 4000 ? 4000 : value.text.length);
	selection->values[selection->count++] = value;
}

static void add_all(struct query *query, struct selection *selection)
{
	const struct catalog_table *table = query->table;

	for (size_t i = 0; table && i < table->column_count && selection->count < QUERY_COLUMNS_MAX;
	     i++) {
		selection->columns[selection->count] = table->columns[i];
		selection->values[selection->count++] =
			query->row < table->rows
				? table->cell(query->session, query->mssql, query->row, i)
				: (struct tds_value){.kind = TDS_NULL};
	}
}

static void select_item(struct query *query, struct sql_lexer *lexer, struct selection *selection)
{
	struct sql_lexer before = *lexer;
	struct slice name = slice_of(NULL, 0), last;

	if (sql_take_mark(lexer, '*')) {
		add_all(query, selection);
		return;
	}
	if (lexer->now.kind == SQL_VARIABLE) {
		name = lexer->now.text;
		sql_advance(lexer);
		if (sql_take_mark(lexer, '=')) {
			struct tds_value value = expression(query, lexer);
			query_set(query, name, &value);
			selection->assigned = name;
			return;
		}
		*lexer = before;
		name = slice_of(NULL, 0);
	}
	if (lexer->now.kind == SQL_WORD && !sql_is(lexer, "null") && !sql_is(lexer, "case")) {
		sql_name(lexer, &query->scratch, &last);
		if (sql_is_mark(lexer, '('))
			selection->counts |= slice_is_nocase(last, "count");
		else if (sql_take_mark(lexer, '=')) /* alias = value */
			before = *lexer, name = last;
		else
			name = last;
		*lexer = before;
	}
	struct tds_value value = expression(query, lexer);
	if (sql_take(lexer, "as") ||
	    (!at_end(lexer) && !sql_is(lexer, "from") && !sql_is(lexer, "where") &&
	     !sql_is(lexer, "union") && !sql_is(lexer, "order") && !sql_is(lexer, "into") &&
	     !sql_is(lexer, "for") &&
	     (lexer->now.kind == SQL_WORD || lexer->now.kind == SQL_STRING))) {
		name = lexer->now.text;
		sql_advance(lexer);
	}
	add_item(selection, name, value);
}

static void select_items(struct query *query, struct sql_lexer *lexer, struct selection *selection)
{
	selection->count = 0;
	do {
		select_item(query, lexer, selection);
	} while (sql_take_mark(lexer, ','));
}

/* Passes over the select list to FROM, if there is one. */
static bool find_from(struct sql_lexer *lexer)
{
	while (!at_end(lexer) && !sql_is(lexer, "from")) {
		if (sql_is_mark(lexer, '('))
			expression_skip_brackets(lexer);
		else
			sql_advance(lexer);
	}
	return sql_take(lexer, "from");
}

/* Where columns come from a table, their kind and width are the table's, not those of one row. */
static void fit_columns(const struct catalog_table *table, struct selection *selection)
{
	for (size_t i = 0; i < selection->count; i++) {
		struct tds_column *column = &selection->columns[i];
		struct slice name = column->name;
		column->nullable = true;
		if (column->kind == TDS_NVARCHAR && column->width < 256)
			column->width = 256;
		for (size_t k = 0; k < table->column_count; k++) {
			if (slice_equal(name, table->columns[k].name))
				*column = table->columns[k];
		}
	}
}

static void select_rows(struct query *query, struct sql_lexer list, struct sql_lexer where,
			int64_t top)
{
	const struct catalog_table *table = query->table;
	struct selection selection = {.count = 0};
	struct sql_lexer lexer = list;
	uint64_t rows = 0;

	query->row = 0;
	select_items(query, &lexer, &selection);
	fit_columns(table, &selection);
	if (selection.counts) {
		selection.columns[0].kind = TDS_INT;
	}
	if (!selection.assigned.at)
		tds_columns(query->out, selection.columns, selection.count);
	for (size_t row = 0; row < table->rows && (int64_t)rows < top; row++) {
		struct sql_lexer condition = where;
		query->row = row;
		if (sql_take(&condition, "where") && !expression_holds(query, &condition))
			continue;
		rows++;
		if (selection.counts)
			continue;
		struct selection one = {.count = 0};
		lexer = list;
		select_items(query, &lexer, &one);
		if (!selection.assigned.at)
			tds_row(query->out, selection.columns, one.values, selection.count);
	}
	if (selection.counts) {
		selection.values[0] = (struct tds_value){.kind = TDS_INT, .number = (int64_t)rows};
		tds_row(query->out, selection.columns, selection.values, selection.count);
		rows = 1;
	}
	query_done(query, TDS_DONE_COUNT, TDS_COMMAND_SELECT, rows);
}

static void select_from(struct query *query, struct sql_lexer list, struct sql_lexer *lexer,
			int64_t top)
{
	struct slice last, name = sql_name(lexer, &query->scratch, &last);
	struct mssql_table *made = made_table(query->mssql, last);

	if (sql_is_mark(lexer, '(')) /* OPENROWSET(...) and the like */
		expression_skip_brackets(lexer);
	while (!at_end(lexer) && !sql_is(lexer, "where") && !sql_is(lexer, "order"))
		sql_advance(lexer);
	struct sql_lexer where = *lexer;
	skip_statement(lexer);
	query->table = catalog_named(last);
	if (made) {
		procedure_output(query, made->command);
	} else if (query->table) {
		select_rows(query, list, where, top);
	} else {
		query_error(query, 208, 1, 16, "Invalid object name '", name, "'.");
		query->stopped = true;
	}
	query->table = NULL;
}

static void run_select(struct query *query, struct sql_lexer *lexer)
{
	struct selection selection = {.count = 0};
	int64_t top = INT64_MAX;

	sql_take(lexer, "distinct");
	if (sql_take(lexer, "top")) {
		struct tds_value limit = expression(query, lexer);
		top = limit.number;
	}
	struct sql_lexer list = *lexer, from = *lexer;
	bool has_from = find_from(&from);
	if (query->muted) {
		skip_statement(lexer);
		return;
	}
	if (has_from) {
		*lexer = from;
		select_from(query, list, lexer, top);
		return;
	}
	query->unknown = slice_of(NULL, 0);
	if (at_end(lexer)) {
		query_error(query, 102, 1, 15, "Incorrect syntax near '", SLICE("select"), "'.");
		return;
	}
	select_items(query, lexer, &selection);
	skip_statement(lexer);
	if (query->unknown.length > 0) {
		query_error(query, 207, 1, 16, "Invalid column name '", query->unknown, "'.");
		query->stopped = true;
		return;
	}
	if (!selection.assigned.at) {
		tds_columns(query->out, selection.columns, selection.count);
		tds_row(query->out, selection.columns, selection.values, selection.count);
	}
	query_done(query, TDS_DONE_COUNT, TDS_COMMAND_SELECT, 1);
}

/* --- EXEC --- */

static size_t take_arguments(struct query *query, struct sql_lexer *lexer,
			     struct query_argument *arguments)
{
	size_t count = 0;

	while (!at_end(lexer) && count < QUERY_ARGUMENTS_MAX) {
		struct query_argument *argument = &arguments[count++];
		*argument = (struct query_argument){.value = {.kind = TDS_NULL}};
		if (lexer->now.kind == SQL_VARIABLE) {
			argument->variable = lexer->now.text;
			argument->value = query_get(query, lexer->now.text);
			sql_advance(lexer);
			if (sql_take_mark(lexer, '=')) {
				argument->name = argument->variable;
				argument->variable = slice_of(NULL, 0);
				argument->value = expression(query, lexer);
			}
			if (!sql_take(lexer, "output") && !sql_take(lexer, "out"))
				argument->variable = slice_of(NULL, 0);
		} else if (lexer->now.kind == SQL_WORD && !sql_is(lexer, "null")) {
			/* A bare word is a string here: xp_cmdshell whoami. */
			argument->value = (struct tds_value){TDS_NVARCHAR, 0, lexer->now.text};
			sql_advance(lexer);
		} else {
			argument->value = expression(query, lexer);
		}
		if (!sql_take_mark(lexer, ','))
			break;
	}
	return count;
}

static void run_exec(struct query *query, struct sql_lexer *lexer)
{
	struct query_argument arguments[QUERY_ARGUMENTS_MAX];
	struct slice last;

	if (sql_take_mark(lexer, '(')) {
		struct tds_value text = expression(query, lexer);
		sql_take_mark(lexer, ')');
		skip_statement(lexer);
		if (!query->muted)
			query_run(query, expression_text(query, &text));
		return;
	}
	if (lexer->now.kind == SQL_VARIABLE) { /* EXEC @result = procedure */
		sql_advance(lexer);
		sql_take_mark(lexer, '=');
	}
	struct slice name = sql_name(lexer, &query->scratch, &last);
	size_t count = take_arguments(query, lexer, arguments);
	skip_statement(lexer);
	if (!query->muted)
		procedure_run(query, name, last, arguments, count);
}

/* --- the other statements --- */

static void run_use(struct query *query, struct sql_lexer *lexer)
{
	static const char *const names[] = {"master", "tempdb", "model", "msdb"};
	struct mssql *mssql = query->mssql;
	struct slice wish = lexer->now.text;
	uint8_t room[256];
	struct writer w = writer_fixed(room, sizeof(room));

	skip_statement(lexer);
	if (query->muted)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		struct tds_message message = {TDS_TOKEN_INFO, 5701, 2, 0, NULL, 1};
		if (!slice_is_nocase(wish, names[i]))
			continue;
		tds_environment(query->out, TDS_ENV_DATABASE, slice_text(names[i]),
				mssql->database);
		mssql->database = slice_text(names[i]);
		writer_format(&w, "Changed database context to '%s'.", names[i]);
		tds_message(query->out, &message, writer_slice(&w));
		query_done(query, 0, TDS_COMMAND_NONE, 0);
		return;
	}
	query_error(query, 911, 1, 16, "Database '", slice_first(wish, MSSQL_NAME_MAX),
		    "' does not exist. Make sure that the name is entered correctly.");
}

/* SET @x = value, and options, which all are fine. */
static void run_set(struct query *query, struct sql_lexer *lexer)
{
	struct slice name = lexer->now.text;

	if (lexer->now.kind == SQL_VARIABLE) {
		sql_advance(lexer);
		sql_take_mark(lexer,
			      '+'); /* += drops the old value; no tool that we know needs it */
		sql_take_mark(lexer, '=');
		struct tds_value value = expression(query, lexer);
		if (!query->muted)
			query_set(query, name, &value);
	}
	skip_statement(lexer);
	if (!query->muted)
		query_done(query, 0, TDS_COMMAND_OTHER, 0);
}

static void run_declare(struct query *query, struct sql_lexer *lexer)
{
	while (lexer->now.kind == SQL_VARIABLE) {
		struct slice name = lexer->now.text;
		struct tds_value value = {.kind = TDS_NULL};
		sql_advance(lexer);
		while (!at_end(lexer) && !sql_is_mark(lexer, '=') && !sql_is_mark(lexer, ',')) {
			if (sql_is_mark(lexer, '('))
				expression_skip_brackets(lexer);
			else
				sql_advance(lexer);
		}
		if (sql_take_mark(lexer, '='))
			value = expression(query, lexer);
		if (!query->muted)
			query_set(query, name, &value);
		if (!sql_take_mark(lexer, ','))
			break;
	}
	skip_statement(lexer);
}

static void run_print(struct query *query, struct sql_lexer *lexer)
{
	struct tds_value value = expression(query, lexer);

	skip_statement(lexer);
	if (query->muted)
		return;
	query_info(query, 0, NULL, 1, expression_text(query, &value));
	query_done(query, 0, TDS_COMMAND_OTHER, 0);
}

static void run_branch(struct query *query, struct sql_lexer *lexer, bool taken)
{
	bool before = query->muted;

	query->muted |= !taken;
	statement(query, lexer);
	query->muted = before;
}

static void run_if(struct query *query, struct sql_lexer *lexer)
{
	bool holds = expression_holds(query, lexer);

	run_branch(query, lexer, holds);
	struct sql_lexer before = *lexer;
	while (sql_take_mark(lexer, ';'))
		;
	if (sql_take(lexer, "else"))
		run_branch(query, lexer, !holds);
	else
		*lexer = before;
}

/* A loop runs once: what it does is seen, and it cannot hold us up. */
static void run_while(struct query *query, struct sql_lexer *lexer)
{
	run_branch(query, lexer, expression_holds(query, lexer));
}

static void run_begin(struct query *query, struct sql_lexer *lexer)
{
	if (sql_take(lexer, "tran") || sql_take(lexer, "transaction")) {
		skip_statement(lexer);
		return;
	}
	bool block = sql_take(lexer, "try");
	bool caught = !block && sql_take(lexer, "catch");
	while (lexer->now.kind != SQL_END && !sql_is(lexer, "end") && !query->stopped) {
		if (caught)
			run_branch(query, lexer, false);
		else
			statement(query, lexer);
	}
	sql_take(lexer, "end");
	if (block || caught) {
		sql_take(lexer, "try");
		sql_take(lexer, "catch");
	}
}

static void run_reconfigure(struct query *query, struct sql_lexer *lexer)
{
	uint16_t *memory = session_memory(query->session, 2 * sizeof(uint16_t));

	skip_statement(lexer);
	if (query->muted)
		return;
	query->mssql->running = query->mssql->configured;
	if (memory)
		memory[1] = query->mssql->running;
	query_done(query, 0, TDS_COMMAND_OTHER, 0);
}

#define WAIT_MAX \
	(20 * SECOND) /* what injection tests ask for; longer waits hold a session for free */

static void run_waitfor(struct query *query, struct sql_lexer *lexer)
{
	bool delay = sql_take(lexer, "delay");
	struct slice rest = lexer->now.text, part;
	int64_t number, wait = 0;

	while (slice_next(&rest, ':', &part)) {
		if (slice_number(slice_first(part, slice_find_byte(part, '.')), 0, 59, &number) ==
		    0)
			wait = wait * 60 + number * SECOND;
	}
	skip_statement(lexer);
	if (query->muted)
		return;
	if (delay)
		session_delay(query->session, wait < WAIT_MAX ? wait : WAIT_MAX);
	query_done(query, 0, TDS_COMMAND_OTHER, 0);
}

/* CREATE TABLE is remembered; a procedure or trigger takes the rest of the batch. */
static void run_create(struct query *query, struct sql_lexer *lexer)
{
	struct slice last;

	if (sql_take(lexer, "table")) {
		sql_name(lexer, &query->scratch, &last);
		if (!query->muted)
			make_table(query, last);
	} else if (sql_is(lexer, "procedure") || sql_is(lexer, "proc") ||
		   sql_is(lexer, "trigger") || sql_is(lexer, "function")) {
		while (lexer->now.kind != SQL_END)
			sql_advance(lexer);
	}
	skip_statement(lexer);
	if (!query->muted)
		query_done(query, 0, TDS_COMMAND_OTHER, 0);
}

/* INSERT INTO table EXEC ...: the command is remembered, its output comes when the table is read.
 */
static void run_insert(struct query *query, struct sql_lexer *lexer)
{
	struct query_argument arguments[QUERY_ARGUMENTS_MAX];
	struct slice last, name;

	sql_take(lexer, "into");
	name = sql_name(lexer, &query->scratch, &last);
	struct mssql_table *table = made_table(query->mssql, last);
	if (sql_is_mark(lexer, '('))
		expression_skip_brackets(lexer);
	if (sql_take(lexer, "exec") || sql_take(lexer, "execute")) {
		struct slice procedure;
		sql_name(lexer, &query->scratch, &procedure);
		size_t count = take_arguments(query, lexer, arguments);
		if (!query->muted && table && count > 0 &&
		    slice_is_nocase(procedure, "xp_cmdshell")) {
			struct tds_stream hidden = {.bytes = writer_growing(MSSQL_RESPONSE_MAX)},
					  *out = query->out;
			query->out = &hidden;
			procedure_run(query, procedure, procedure, arguments, count);
			query->out = out;
			writer_free(&hidden.bytes);
			struct slice command = expression_text(query, &arguments[0].value);
			table->command = arena_copy(session_arena(query->session),
						    slice_first(command, MSSQL_NAME_MAX));
		}
	} else if (sql_is(lexer, "select")) {
		sql_advance(lexer);
	}
	skip_statement(lexer);
	if (query->muted)
		return;
	if (table || catalog_named(last))
		query_done(query, TDS_DONE_COUNT, TDS_COMMAND_INSERT, 1);
	else
		query_error(query, 208, 1, 16, "Invalid object name '", name, "'.");
}

static void run_other(struct query *query, struct sql_lexer *lexer)
{
	skip_statement(lexer);
	if (!query->muted)
		query_done(query, 0, TDS_COMMAND_OTHER, 0);
}

/* UPDATE t SET ..., BULK INSERT, BACKUP ... : one statement in spite of the keywords inside. */
static void run_joined(struct query *query, struct sql_lexer *lexer)
{
	skip_statement(lexer);
	if (sql_take(lexer, "set") || sql_take(lexer, "insert"))
		skip_statement(lexer);
	if (!query->muted)
		query_done(query, 0, TDS_COMMAND_OTHER, 0);
}

static const struct {
	const char *keyword;
	void (*run)(struct query *query, struct sql_lexer *lexer);
} statements[] = {
	{"select", run_select},
	{"exec", run_exec},
	{"execute", run_exec},
	{"use", run_use},
	{"set", run_set},
	{"declare", run_declare},
	{"print", run_print},
	{"if", run_if},
	{"while", run_while},
	{"begin", run_begin},
	{"reconfigure", run_reconfigure},
	{"waitfor", run_waitfor},
	{"create", run_create},
	{"alter", run_joined},
	{"drop", run_other},
	{"insert", run_insert},
	{"update", run_joined},
	{"delete", run_other},
	{"truncate", run_other},
	{"backup", run_other},
	{"restore", run_other},
	{"grant", run_joined},
	{"deny", run_joined},
	{"revoke", run_joined},
	{"kill", run_other},
	{"dbcc", run_other},
	{"commit", run_other},
	{"rollback", run_other},
	{"return", run_other},
	{"raiserror", run_other},
	{"bulk", run_joined},
	{"shutdown", run_other},
};

static void statement(struct query *query, struct sql_lexer *lexer)
{
	struct slice word = lexer->now.text;
	bool bare = lexer->now.kind == SQL_WORD && lexer->now.starts_line;

	if (lexer->now.kind == SQL_END || sql_take_mark(lexer, ';'))
		return;
	if (query->depth >= QUERY_DEPTH_MAX || ++query->statements > QUERY_STATEMENTS_MAX) {
		query->stopped = true;
		return;
	}
	query->depth++;
	for (size_t i = 0; i < ARRAY_COUNT(statements); i++) {
		if (sql_take(lexer, statements[i].keyword)) {
			statements[i].run(query, lexer);
			query->depth--;
			return;
		}
	}
	/* The first statement of a batch may be a procedure's name alone. */
	if (bare && query->statements == 1 && !begins_statement(lexer)) {
		run_exec(query, lexer);
	} else {
		if (!query->muted)
			query_error(query, 102, 1, 15, "Incorrect syntax near '",
				    slice_first(word, MSSQL_NAME_MAX), "'.");
		query->stopped = true;
	}
	query->depth--;
}

void query_run(struct query *query, struct slice sql)
{
	struct sql_lexer lexer = sql_lexer_of(sql);

	if (query->depth >= QUERY_DEPTH_MAX)
		return;
	query->depth++;
	while (lexer.now.kind != SQL_END && !query->stopped && !query->out->bytes.failed)
		statement(query, &lexer);
	query->depth--;
}

size_t mssql_headers_length(const struct mssql *mssql, struct slice message)
{
	struct cursor c = cursor_of(message);
	uint32_t length = cursor_u32le(&c);

	/* From TDS 7.2 on; the first header's own length shows that it is one. */
	if (mssql->version < TDS_VERSION_72 || length < 4 || length > message.length ||
	    length > 1024)
		return 0;
	return length;
}

static struct slice first_keyword(struct slice sql, char *verb, size_t size)
{
	struct sql_lexer lexer = sql_lexer_of(sql);
	struct slice word = slice_first(lexer.now.text, size - 1);

	for (size_t i = 0; i < word.length; i++) {
		uint8_t c = word.at[i];
		verb[i] = (char)((c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? c & ~0x20 : c);
	}
	verb[word.length] = 0;
	return word;
}

void mssql_run_text(struct session *session, struct mssql *mssql, struct query *query,
		    struct slice sql, const char *verb)
{
	struct slice tags[16];
	char word[32];

	first_keyword(sql, word, sizeof(word));
	size_t count = procedure_tags(query, sql, tags, ARRAY_COUNT(tags));
	struct event *event = session_event(session, "protocol.request");
	event_set_words(event, FIELD_REQUEST_VERB, verb ? verb : word);
	event_set_text(event, FIELD_REQUEST_TEXT, sql);
	event_set_text(event, FIELD_MSSQL_DATABASE, mssql->database);
	if (count > 0)
		event_set_texts(event, FIELD_TAGS, tags, count);
	session_report(session, event);
	query_run(query, sql);
}

void mssql_batch(struct session *session, struct mssql *mssql, struct slice message)
{
	struct tds_stream out = mssql_stream(session, mssql);
	struct query query = {.session = session,
			      .mssql = mssql,
			      .out = &out,
			      .scratch = arena_of(QUERY_SCRATCH_MAX)};
	struct writer sql = writer_growing(2 * MSSQL_MESSAGE_MAX);

	mssql_decode(mssql, slice_from(message, mssql_headers_length(mssql, message)), &sql);
	mssql_run_text(session, mssql, &query, writer_slice(&sql), NULL);
	if (!out.last_done)
		query_done(&query, 0, TDS_COMMAND_NONE, 0);
	mssql_send(session, mssql, &out);
	writer_free(&sql);
	arena_drop(&query.scratch);
}
