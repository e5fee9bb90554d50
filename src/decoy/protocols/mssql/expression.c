/* Expressions of Transact-SQL, as far as tools use them: constants, variables, functions, columns
 * of the few tables there are, +, comparisons, AND, OR and NOT. What is beyond that is NULL. */
#include "query.h"

#include <stdio.h>

static const struct tds_value null_value = {.kind = TDS_NULL};

static struct tds_value number_value(int64_t number)
{
	return (struct tds_value){.kind = number < INT32_MIN || number > INT32_MAX ? TDS_BIGINT
										   : TDS_INT,
				  .number = number};
}

static struct tds_value text_value(struct slice text)
{
	return (struct tds_value){.kind = TDS_NVARCHAR, .text = text};
}

struct slice expression_text(struct query *query, const struct tds_value *value)
{
	char room[32];

	switch (value->kind) {
	case TDS_NULL:
		return slice_of(NULL, 0);
	case TDS_INT:
	case TDS_BIGINT:
	case TDS_BIT:
	case TDS_DATETIME: {
		struct writer w = writer_fixed(room, sizeof(room));
		writer_decimal(&w, value->number);
		return arena_copy(&query->scratch, writer_slice(&w));
	}
	default:
		return value->text;
	}
}

static int64_t to_number(const struct tds_value *value)
{
	int64_t number = value->number;

	if (value->kind >= TDS_VARCHAR && value->kind <= TDS_BINARY &&
	    slice_number(value->text, INT64_MIN, INT64_MAX, &number) != 0)
		return 0;
	return number;
}

void expression_skip_brackets(struct sql_lexer *lexer)
{
	unsigned depth = 0;

	do {
		if (sql_is_mark(lexer, '('))
			depth++;
		if (sql_is_mark(lexer, ')'))
			depth--;
		sql_advance(lexer);
	} while (depth > 0 && lexer->now.kind != SQL_END);
}

/* --- functions --- */

/* CAST(x AS type) and CONVERT(type, x): only the change between bytes and text matters. */
static struct tds_value convert(struct query *query, struct tds_value value, struct slice type)
{
	struct writer w = writer_growing(QUERY_SCRATCH_MAX);
	bool wide = slice_starts_nocase(type, "n");

	if (value.kind == TDS_NULL)
		return value;
	if (slice_contains_nocase(type, "char") || slice_contains_nocase(type, "text") ||
	    slice_is_nocase(type, "sysname")) {
		if (value.kind == TDS_BINARY && wide) {
			tds_to_utf8(value.text, &w);
			value.text = arena_copy(&query->scratch, writer_slice(&w));
			writer_free(&w);
		} else {
			value.text = expression_text(query, &value);
		}
		value.kind = wide ? TDS_NVARCHAR : TDS_VARCHAR;
	} else if (slice_contains_nocase(type, "binary")) {
		value.text = expression_text(query, &value);
		value.kind = TDS_BINARY;
	} else if (slice_contains_nocase(type, "int") || slice_is_nocase(type, "bit")) {
		value = number_value(to_number(&value));
	}
	return value;
}

/* A type: a word and perhaps (n) or (n, m). */
static struct slice take_type(struct sql_lexer *lexer)
{
	struct slice type = lexer->now.text;

	sql_advance(lexer);
	if (sql_is_mark(lexer, '('))
		expression_skip_brackets(lexer);
	return type;
}

static struct tds_value cast(struct query *query, struct sql_lexer *lexer, bool type_first)
{
	struct slice type = {NULL, 0};
	struct tds_value value;

	if (type_first) {
		type = take_type(lexer);
		sql_take_mark(lexer, ',');
	}
	value = expression(query, lexer);
	if (!type_first && sql_take(lexer, "as"))
		type = take_type(lexer);
	while (lexer->now.kind != SQL_END && !sql_is_mark(lexer, ')')) {
		if (sql_is_mark(lexer, '('))
			expression_skip_brackets(lexer);
		else
			sql_advance(lexer);
	}
	sql_take_mark(lexer, ')');
	return convert(query, value, type);
}

enum function {
	F_PROPERTY,
	F_DATABASE,
	F_LOGIN,
	F_SYSADMIN,
	F_NOW,
	F_HOST,
	F_APPLICATION,
	F_LENGTH,
	F_UPPER,
	F_LOWER,
	F_SUBSTRING,
	F_CHAR,
	F_ASCII,
	F_ISNULL,
	F_FIRST,
	F_ONE,
	F_NULL,
	F_DB_ID,
	F_MEMBER,
	F_REPLACE,
	F_SCHEMA,
};

static const struct {
	const char *name;
	enum function function;
} functions[] = {
	{"serverproperty", F_PROPERTY},
	{"db_name", F_DATABASE},
	{"user_name", F_SCHEMA},
	{"suser_sname", F_LOGIN},
	{"suser_name", F_LOGIN},
	{"original_login", F_LOGIN},
	{"is_srvrolemember", F_SYSADMIN},
	{"is_member", F_MEMBER},
	{"is_rolemember", F_MEMBER},
	{"getdate", F_NOW},
	{"sysdatetime", F_NOW},
	{"getutcdate", F_NOW},
	{"host_name", F_HOST},
	{"app_name", F_APPLICATION},
	{"len", F_LENGTH},
	{"datalength", F_LENGTH},
	{"upper", F_UPPER},
	{"lower", F_LOWER},
	{"substring", F_SUBSTRING},
	{"char", F_CHAR},
	{"nchar", F_CHAR},
	{"ascii", F_ASCII},
	{"unicode", F_ASCII},
	{"isnull", F_ISNULL},
	{"coalesce", F_ISNULL},
	{"rtrim", F_FIRST},
	{"ltrim", F_FIRST},
	{"trim", F_FIRST},
	{"quotename", F_FIRST},
	{"max", F_FIRST},
	{"min", F_FIRST},
	{"has_dbaccess", F_ONE},
	{"db_id", F_DB_ID},
	{"object_id", F_NULL},
	{"replace", F_REPLACE},
	{"schema_name", F_SCHEMA},
	{"has_perms_by_name", F_SYSADMIN},
	{"convert_implicit", F_NULL},
};

static struct tds_value substring(const struct tds_value *a, size_t count)
{
	int64_t start = count > 1 ? to_number(&a[1]) : 1, length = count > 2 ? to_number(&a[2]) : 0;

	if (start < 1)
		start = 1;
	if (length < 0)
		length = 0;
	return text_value(slice_first(slice_from(a[0].text, (size_t)start - 1), (size_t)length));
}

static struct tds_value changed_case(struct query *query, struct slice text, bool upper)
{
	uint8_t *copy = arena_take(&query->scratch, text.length ? text.length : 1);

	for (size_t i = 0; copy && i < text.length; i++) {
		uint8_t c = text.at[i];
		bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		copy[i] = letter ? (uint8_t)(upper ? c & ~0x20 : c | 0x20) : c;
	}
	return copy ? text_value(slice_of(copy, text.length)) : null_value;
}

static struct tds_value replaced(struct query *query, const struct tds_value *a)
{
	struct writer w = writer_growing(MSSQL_MESSAGE_MAX);
	struct slice rest = a[0].text;
	size_t at;

	while (a[1].text.length > 0 && (at = slice_find(rest, a[1].text)) != SIZE_MAX) {
		writer_bytes(&w, slice_first(rest, at));
		writer_bytes(&w, a[2].text);
		rest = slice_from(rest, at + a[1].text.length);
	}
	writer_bytes(&w, rest);
	struct tds_value value = text_value(arena_copy(&query->scratch, writer_slice(&w)));
	writer_free(&w);
	return value;
}

static struct tds_value character(struct query *query, int64_t code)
{
	uint8_t unit[2] = {(uint8_t)code, (uint8_t)(code >> 8)}, room[4];
	struct writer w = writer_fixed(room, sizeof(room));

	tds_to_utf8(slice_of(unit, 2), &w);
	return text_value(arena_copy(&query->scratch, writer_slice(&w)));
}

static struct tds_value call(struct query *query, enum function function, const struct tds_value *a,
			     size_t count)
{
	struct mssql *mssql = query->mssql;

	switch (function) {
	case F_PROPERTY:
		return catalog_property(query, a[0].text);
	case F_DATABASE:
		return text_value(mssql->database);
	case F_SCHEMA:
		return text_value(mssql->administrator ? SLICE("dbo") : SLICE("guest"));
	case F_LOGIN:
		return text_value(mssql->user);
	case F_SYSADMIN:
		return number_value(mssql->administrator || slice_is_nocase(a[0].text, "public"));
	case F_MEMBER:
		return number_value(mssql->administrator);
	case F_NOW:
		return (struct tds_value){.kind = TDS_DATETIME,
					  .number = session_now(query->session)};
	case F_HOST:
		return text_value(mssql->host);
	case F_APPLICATION:
		return text_value(mssql->application);
	case F_LENGTH:
		return a[0].kind == TDS_NULL
			       ? null_value
			       : number_value((int64_t)expression_text(query, &a[0]).length);
	case F_UPPER:
	case F_LOWER:
		return changed_case(query, a[0].text, function == F_UPPER);
	case F_SUBSTRING:
		return substring(a, count);
	case F_REPLACE:
		return replaced(query, a);
	case F_CHAR:
		return character(query, to_number(&a[0]) & 0xffff);
	case F_ASCII:
		return a[0].text.length ? number_value(a[0].text.at[0]) : null_value;
	case F_ISNULL:
		for (size_t i = 0; i < count; i++) {
			if (a[i].kind != TDS_NULL)
				return a[i];
		}
		return null_value;
	case F_FIRST:
		return a[0];
	case F_ONE:
		return number_value(1);
	case F_DB_ID:
		return number_value(1);
	case F_NULL:
		break;
	}
	return null_value;
}

static struct tds_value call_named(struct query *query, struct sql_lexer *lexer, struct slice name)
{
	struct tds_value arguments[QUERY_ARGUMENTS_MAX] = {{.kind = TDS_NULL}};
	size_t count = 0;

	sql_advance(lexer); /* the bracket */
	if (slice_is_nocase(name, "cast") || slice_is_nocase(name, "try_cast"))
		return cast(query, lexer, false);
	if (slice_is_nocase(name, "convert") || slice_is_nocase(name, "try_convert"))
		return cast(query, lexer, true);
	while (lexer->now.kind != SQL_END && !sql_is_mark(lexer, ')')) {
		struct tds_value value = expression(query, lexer);
		if (count < QUERY_ARGUMENTS_MAX)
			arguments[count++] = value;
		if (!sql_take_mark(lexer, ',') && !sql_is_mark(lexer, ')'))
			sql_advance(lexer);
	}
	sql_take_mark(lexer, ')');
	for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
		if (slice_is_nocase(name, functions[i].name))
			return call(query, functions[i].function, arguments, count);
	}
	return null_value;
}

/* --- operands --- */

static struct tds_value column(struct query *query, struct slice name)
{
	const struct catalog_table *table = query->table;

	for (size_t i = 0; table && i < table->column_count; i++) {
		if (slice_is_nocase(name, (const char *)table->columns[i].name.at))
			return table->cell(query->session, query->mssql, query->row, i);
	}
	/* A table that we know has more columns than we do: those are NULL. */
	if (!table && query->unknown.length == 0)
		query->unknown = name;
	return null_value;
}

static struct tds_value binary(struct query *query, struct slice digits)
{
	uint8_t *bytes = arena_take(&query->scratch, digits.length / 2 + 1);
	int length;

	/* An odd number of digits has a zero in front; attack tools send even ones. */
	if (digits.length % 2)
		digits = slice_from(digits, 1);
	length = bytes ? slice_unhex(digits, bytes, digits.length / 2 + 1) : -1;
	if (length < 0)
		return null_value;
	return (struct tds_value){.kind = TDS_BINARY, .text = slice_of(bytes, (size_t)length)};
}

/* CASE WHEN condition THEN a ... ELSE b END, and CASE x WHEN y THEN a ... */
static struct tds_value choice(struct query *query, struct sql_lexer *lexer)
{
	struct tds_value result = null_value, subject = null_value, value;
	bool simple = !sql_is(lexer, "when"), found = false, matches;

	if (simple)
		subject = expression(query, lexer);
	while (sql_take(lexer, "when")) {
		if (simple) {
			value = expression(query, lexer);
			matches = slice_equal(expression_text(query, &value),
					      expression_text(query, &subject));
		} else {
			matches = expression_holds(query, lexer);
		}
		sql_take(lexer, "then");
		value = expression(query, lexer);
		if (matches && !found)
			result = value;
		found |= matches;
	}
	if (sql_take(lexer, "else")) {
		value = expression(query, lexer);
		if (!found)
			result = value;
	}
	sql_take(lexer, "end");
	return result;
}

static struct tds_value named(struct query *query, struct sql_lexer *lexer)
{
	struct slice last;

	if (sql_take(lexer, "null"))
		return null_value;
	if (sql_take(lexer, "case"))
		return choice(query, lexer);
	(void)sql_name(lexer, &query->scratch, &last);
	if (sql_is_mark(lexer, '('))
		return call_named(query, lexer, last);
	if (slice_is_nocase(last, "current_user") || slice_is_nocase(last, "user"))
		return call(query, F_SCHEMA, &null_value, 0);
	if (slice_is_nocase(last, "system_user"))
		return call(query, F_LOGIN, &null_value, 0);
	if (slice_is_nocase(last, "current_timestamp"))
		return call(query, F_NOW, &null_value, 0);
	return column(query, last);
}

static struct tds_value operand(struct query *query, struct sql_lexer *lexer)
{
	struct sql_token token = lexer->now;
	struct tds_value value = null_value;
	int64_t number;

	switch (token.kind) {
	case SQL_NUMBER:
		sql_advance(lexer);
		if (slice_number(token.text, 0, INT64_MAX, &number) == 0)
			return number_value(number);
		return (struct tds_value){.kind = TDS_VARCHAR, .text = token.text};
	case SQL_STRING:
	case SQL_WIDE:
		sql_advance(lexer);
		value.kind = token.kind == SQL_WIDE ? TDS_NVARCHAR : TDS_VARCHAR;
		value.text = sql_string(&token, &query->scratch);
		return value;
	case SQL_HEX:
		sql_advance(lexer);
		return binary(query, token.text);
	case SQL_VARIABLE:
		sql_advance(lexer);
		return query_get(query, token.text);
	case SQL_WORD:
		return named(query, lexer);
	case SQL_MARK:
		sql_advance(lexer);
		if (token.text.at[0] == '-') {
			/* One sign only: the rest of a row of them is not worth a stack. */
			while (sql_is_mark(lexer, '-'))
				sql_advance(lexer);
			if (lexer->now.kind == SQL_MARK)
				return value;
			value = operand(query, lexer);
			return value.kind == TDS_INT ? number_value(-value.number) : value;
		}
		if (token.text.at[0] == '(') {
			if (sql_is(lexer, "select"))
				sql_advance(lexer); /* a query of one value: its expression alone */
			value = expression(query, lexer);
			while (lexer->now.kind != SQL_END && !sql_is_mark(lexer, ')')) {
				if (sql_is_mark(lexer, '('))
					expression_skip_brackets(lexer);
				else
					sql_advance(lexer);
			}
			sql_take_mark(lexer, ')');
		}
		return value;
	case SQL_END:
		break;
	}
	return value;
}

static struct tds_value concatenated(struct query *query, const struct tds_value *a,
				     const struct tds_value *b)
{
	struct slice first = expression_text(query, a), second = expression_text(query, b);
	uint8_t *at = arena_take(&query->scratch, first.length + second.length + 1);

	if (!at || a->kind == TDS_NULL || b->kind == TDS_NULL)
		return null_value;
	if (first.length)
		memcpy(at, first.at, first.length);
	if (second.length)
		memcpy(at + first.length, second.at, second.length);
	struct tds_value value = {.kind = a->kind,
				  .text = slice_of(at, first.length + second.length)};
	if (value.kind < TDS_VARCHAR || b->kind == TDS_NVARCHAR)
		value.kind = TDS_NVARCHAR;
	return value;
}

static struct tds_value computed(struct query *query, uint8_t mark, const struct tds_value *a,
				 const struct tds_value *b)
{
	int64_t x = to_number(a), y = to_number(b), result = 0;
	bool overflow = false;

	if (mark == '+' && (a->text.at || b->text.at))
		return concatenated(query, a, b);
	if (a->kind == TDS_NULL || b->kind == TDS_NULL)
		return null_value;
	switch (mark) {
	case '+':
		overflow = __builtin_add_overflow(x, y, &result);
		break;
	case '-':
		overflow = __builtin_sub_overflow(x, y, &result);
		break;
	case '*':
		overflow = __builtin_mul_overflow(x, y, &result);
		break;
	default:
		overflow = y == 0 || (x == INT64_MIN && y == -1);
		if (!overflow)
			result = mark == '/' ? x / y : x % y;
	}
	return overflow ? null_value : number_value(result);
}

struct tds_value expression(struct query *query, struct sql_lexer *lexer)
{
	if (query->brackets >= QUERY_BRACKETS_MAX) {
		sql_advance(lexer);
		return null_value;
	}
	query->brackets++;
	struct tds_value value = operand(query, lexer);
	while (lexer->now.kind == SQL_MARK && memchr("+-*/%", lexer->now.text.at[0], 5)) {
		uint8_t mark = lexer->now.text.at[0];
		sql_advance(lexer);
		struct tds_value next = operand(query, lexer);
		value = computed(query, mark, &value, &next);
	}
	query->brackets--;
	return value;
}

/* --- conditions --- */

static int compare(struct query *query, const struct tds_value *a, const struct tds_value *b)
{
	struct slice x = expression_text(query, a), y = expression_text(query, b);

	if (!a->text.at || !b->text.at) {
		int64_t m = to_number(a), n = to_number(b);
		return m < n ? -1 : m > n;
	}
	size_t shorter = x.length < y.length ? x.length : y.length;
	for (size_t i = 0; i < shorter; i++) {
		int m = x.at[i] | 0x20, n = y.at[i] | 0x20;
		if (m != n)
			return m - n;
	}
	return x.length < y.length ? -1 : x.length > y.length;
}

/* x IN (a, b): behind IN. */
static bool in_list(struct query *query, struct sql_lexer *lexer, const struct tds_value *value)
{
	bool found = false;

	if (!sql_take_mark(lexer, '('))
		return false;
	do {
		struct tds_value item = expression(query, lexer);
		found |= item.kind != TDS_NULL && compare(query, value, &item) == 0;
	} while (sql_take_mark(lexer, ','));
	sql_take_mark(lexer, ')');
	return found;
}

/* %x%, x%, %x: what tools ask for. */
static bool is_like(struct slice text, struct slice pattern)
{
	bool front = pattern.length > 0 && pattern.at[0] == '%';
	bool back = pattern.length > 1 && pattern.at[pattern.length - 1] == '%';
	char word[MSSQL_NAME_MAX + 1];

	pattern = slice_first(slice_from(pattern, front), pattern.length - front - back);
	pattern = slice_first(pattern, MSSQL_NAME_MAX);
	memcpy(word, pattern.length ? (const void *)pattern.at : "", pattern.length);
	word[pattern.length] = 0;
	if (front)
		return slice_contains_nocase(text, word);
	return back ? slice_starts_nocase(text, word) : slice_is_nocase(text, word);
}

static bool compared(struct query *query, struct sql_lexer *lexer, const struct tds_value *value)
{
	bool less = false, equal = false, more = false, any = false;

	while (lexer->now.kind == SQL_MARK && memchr("<>=!", lexer->now.text.at[0], 4)) {
		uint8_t mark = lexer->now.text.at[0];
		less |= mark == '<' || mark == '!';
		more |= mark == '>' || mark == '!';
		equal |= mark == '=';
		if (mark == '!')
			equal = true; /* undone by the '=' that follows */
		any = true;
		sql_advance(lexer);
		if (mark == '!') {
			sql_take_mark(lexer, '=');
			equal = false;
		}
	}
	if (!any)
		return value->kind != TDS_NULL && to_number(value) != 0;
	struct tds_value other = expression(query, lexer);
	if (value->kind == TDS_NULL || other.kind == TDS_NULL)
		return false;
	int order = compare(query, value, &other);
	return (order < 0 && less) || (order == 0 && equal) || (order > 0 && more);
}

static bool plain_predicate(struct query *query, struct sql_lexer *lexer)
{
	if (sql_take(lexer, "exists")) {
		expression_skip_brackets(lexer);
		return false;
	}
	struct sql_lexer before = *lexer;
	if (sql_take_mark(lexer, '(') && !sql_is(lexer, "select")) {
		bool holds = expression_holds(query, lexer);
		if (sql_take_mark(lexer, ')') &&
		    !(lexer->now.kind == SQL_MARK && memchr("<>=!+-*/%", lexer->now.text.at[0], 9)))
			return holds;
	}
	*lexer = before;
	struct tds_value value = expression(query, lexer);
	if (sql_take(lexer, "is")) {
		bool negated = sql_take(lexer, "not");
		sql_take(lexer, "null");
		return (value.kind == TDS_NULL) != negated;
	}
	bool negated = sql_take(lexer, "not");
	if (sql_take(lexer, "in"))
		return in_list(query, lexer, &value) != negated;
	if (sql_take(lexer, "like")) {
		struct tds_value pattern = expression(query, lexer);
		return is_like(expression_text(query, &value), pattern.text) != negated;
	}
	return compared(query, lexer, &value) != negated;
}

static bool predicate(struct query *query, struct sql_lexer *lexer)
{
	bool inverted = false;

	while (sql_take(lexer, "not"))
		inverted = !inverted;
	return plain_predicate(query, lexer) != inverted;
}

bool expression_holds(struct query *query, struct sql_lexer *lexer)
{
	/* Brackets may be read twice, as a condition and as an operand: the depth bounds that. */
	if (query->conditions >= QUERY_CONDITIONS_MAX) {
		sql_advance(lexer);
		return false;
	}
	query->conditions++;
	bool holds = predicate(query, lexer);
	for (;;) {
		if (sql_take(lexer, "and"))
			holds &= predicate(query, lexer);
		else if (sql_take(lexer, "or"))
			holds |= predicate(query, lexer);
		else
			break;
	}
	query->conditions--;
	return holds;
}
