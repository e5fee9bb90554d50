/* Remote procedure calls (MS-TDS 2.2.6.6): sp_executesql and its kin, and procedures by name. */
#include "query.h"

static const struct {
	uint16_t id;
	const char *name;
} numbered[] = {
	{2, "sp_cursoropen"}, {10, "sp_executesql"}, {11, "sp_prepare"},    {12, "sp_execute"},
	{13, "sp_prepexec"},  {15, "sp_unprepare"},  {9, "sp_cursorclose"},
};

/* A value in pieces (nvarchar(max)): total length, then pieces up to an empty one. */
static struct slice take_pieces(struct query *query, struct cursor *c)
{
	struct writer whole = writer_growing(MSSQL_MESSAGE_MAX);
	struct slice value;
	uint32_t length;

	if (cursor_u64le(c) == UINT64_MAX)
		return slice_of(NULL, 0);
	while ((length = cursor_u32le(c)) > 0 && !c->failed)
		writer_bytes(&whole, cursor_take(c, length));
	value = arena_copy(&query->scratch, writer_slice(&whole));
	writer_free(&whole);
	return value;
}

static struct tds_value wide_text(struct query *query, struct slice bytes)
{
	struct writer w = writer_growing(2 * MSSQL_MESSAGE_MAX);
	struct tds_value value = {.kind = TDS_NVARCHAR};

	tds_to_utf8(bytes, &w);
	value.text = arena_copy(&query->scratch, writer_slice(&w));
	writer_free(&w);
	return value;
}

static struct tds_value number_of(struct slice bytes)
{
	struct tds_value value = {.kind = bytes.length > 4 ? TDS_BIGINT : TDS_INT};
	uint64_t number = 0;

	for (size_t i = bytes.length; i-- > 0;)
		number = number << 8 | bytes.at[i];
	value.number = bytes.length == 4 ? (int32_t)number : (int64_t)number;
	return bytes.length ? value : (struct tds_value){.kind = TDS_NULL};
}

/* Bytes of a type without a length; 0 where it has one. */
static size_t fixed_size(uint8_t type)
{
	switch (type) {
	case 0x30:
	case 0x32:
		return 1;
	case 0x34:
		return 2;
	case 0x38:
	case 0x3a:
	case 0x3b:
	case 0x7a:
		return 4;
	case 0x3c:
	case 0x3d:
	case 0x3e:
	case 0x7f:
		return 8;
	default:
		return 0;
	}
}

static struct tds_value take_long(struct query *query, struct cursor *c, uint8_t type)
{
	bool is_text = type == 0xe7 || type == 0xef || type == 0xa7 || type == 0xaf;
	uint16_t most = cursor_u16le(c);
	struct slice bytes;

	if (is_text && query->mssql->version >= TDS_VERSION_71)
		cursor_skip(c, 5);
	if (most == 0xffff) {
		bytes = take_pieces(query, c);
	} else {
		uint16_t length = cursor_u16le(c);
		if (length == 0xffff)
			return (struct tds_value){.kind = TDS_NULL};
		bytes = cursor_take(c, length);
	}
	if (type == 0xe7 || type == 0xef)
		return wide_text(query, bytes);
	return (struct tds_value){.kind = is_text ? TDS_VARCHAR : TDS_BINARY, .text = bytes};
}

/* TEXT, NTEXT and IMAGE: lengths of four bytes. */
static struct tds_value take_blob(struct query *query, struct cursor *c, uint8_t type)
{
	cursor_skip(c, 4);
	if (type != 0x22 && query->mssql->version >= TDS_VERSION_71)
		cursor_skip(c, 5);
	uint32_t length = cursor_u32le(c);
	struct slice bytes = length == UINT32_MAX ? slice_of(NULL, 0) : cursor_take(c, length);
	if (type == 0x63)
		return wide_text(query, bytes);
	return (struct tds_value){.kind = type == 0x22 ? TDS_BINARY : TDS_VARCHAR, .text = bytes};
}

static struct tds_value take_value(struct query *query, struct cursor *c)
{
	uint8_t type = cursor_u8(c);
	size_t size = fixed_size(type);

	if (size)
		return number_of(cursor_take(c, size));
	switch (type) {
	case 0xe7:
	case 0xef:
	case 0xa7:
	case 0xaf:
	case 0xa5:
	case 0xad:
		return take_long(query, c, type);
	case 0x22:
	case 0x23:
	case 0x63:
		return take_blob(query, c, type);
	case 0x6a: /* decimals say precision and scale too */
	case 0x6c:
		cursor_skip(c, 3);
		(void)cursor_take(c, cursor_u8(c));
		return (struct tds_value){.kind = TDS_NULL};
	case 0x26:
	case 0x68:
	case 0x6d:
	case 0x6e:
	case 0x6f:
	case 0x24:
		cursor_skip(c, 1);
		return number_of(slice_first(cursor_take(c, cursor_u8(c)), 8));
	case 0x27:
	case 0x2f:
	case 0x25:
	case 0x2d:
		cursor_skip(c, 1);
		return (struct tds_value){.kind = TDS_VARCHAR,
					  .text = cursor_take(c, cursor_u8(c))};
	case 0x29: /* time kinds say their scale */
	case 0x2a:
	case 0x2b:
		cursor_skip(c, 1);
		__attribute__((fallthrough));
	case 0x28:
		(void)cursor_take(c, cursor_u8(c));
		return (struct tds_value){.kind = TDS_NULL};
	default:
		c->failed = true;
		return (struct tds_value){.kind = TDS_NULL};
	}
}

static struct slice take_text(struct query *query, struct cursor *c, size_t length)
{
	bool wide = query->mssql->version >= TDS_VERSION_70;
	struct slice raw = cursor_take(c, wide ? 2 * length : length);

	return wide ? wide_text(query, raw).text : raw;
}

static size_t take_arguments(struct query *query, struct cursor *c,
			     struct query_argument *arguments)
{
	size_t count = 0;

	/* 0x80 and 0xff end a call where several come in one request. */
	while (c->left > 0 && *c->at != 0xff && !c->failed && count < QUERY_ARGUMENTS_MAX) {
		struct query_argument argument = {.value = {.kind = TDS_NULL}};
		argument.name = take_text(query, c, cursor_u8(c));
		cursor_skip(c, 1);
		argument.value = take_value(query, c);
		if (!c->failed)
			arguments[count++] = argument;
	}
	return count;
}

/* The statement in a call: the first text that is no list of parameters. */
static struct slice statement_of(const char *name, const struct query_argument *arguments,
				 size_t count)
{
	size_t at = slice_is_nocase(slice_text(name), "sp_executesql")   ? 0
		    : slice_is_nocase(slice_text(name), "sp_cursoropen") ? 1
									 : 2;

	return at < count ? arguments[at].value.text : slice_of(NULL, 0);
}

static void run_statement(struct query *query, const char *name, struct slice text,
			  const struct query_argument *arguments, size_t count)
{
	bool prepares = slice_starts(slice_text(name), "sp_prep");
	bool runs = !slice_is(slice_text(name), "sp_prepare");

	if (prepares)
		query->mssql->prepared = arena_copy(session_arena(query->session),
						    slice_first(text, MSSQL_PREPARED_MAX));
	for (size_t i = 0; i < count; i++) {
		if (arguments[i].name.length > 0)
			query_set(query, arguments[i].name, &arguments[i].value);
	}
	query->in_procedure = true;
	if (runs)
		mssql_run_text(query->session, query->mssql, query, text, name);
	else
		session_report_request(query->session, name, text);
	tds_return_status(query->out, 0);
	if (prepares)
		tds_return_number(query->out, 0, "", 1);
	tds_done(query->out, TDS_TOKEN_DONEPROC, 0, TDS_COMMAND_EXECUTE, 0);
}

static void run_call(struct query *query, struct slice name, const struct query_argument *arguments,
		     size_t count)
{
	static const char *const takers[] = {"sp_executesql", "sp_prepare", "sp_prepexec",
					     "sp_cursoropen"};
	struct slice last = name;
	size_t dot;

	for (size_t i = 0; i < ARRAY_COUNT(takers); i++) {
		if (slice_is_nocase(name, takers[i])) {
			run_statement(query, takers[i], statement_of(takers[i], arguments, count),
				      arguments, count);
			return;
		}
	}
	if (slice_is_nocase(name, "sp_execute")) {
		run_statement(query, "sp_execute", query->mssql->prepared, arguments, count);
		return;
	}
	while ((dot = slice_find_byte(last, '.')) != SIZE_MAX)
		last = slice_from(last, dot + 1);
	struct event *event = session_event(query->session, "protocol.request");
	struct slice texts[QUERY_ARGUMENTS_MAX], tags[4];
	size_t marked = procedure_tags(query, name, tags, ARRAY_COUNT(tags));
	for (size_t i = 0; i < count; i++)
		texts[i] = expression_text(query, &arguments[i].value);
	event_set_words(event, FIELD_REQUEST_VERB, "RPC");
	event_set_text(event, FIELD_REQUEST_TEXT, name);
	event_set_texts(event, FIELD_REQUEST_ARGUMENTS, texts, count);
	if (marked > 0)
		event_set_texts(event, FIELD_TAGS, tags, marked);
	session_report(query->session, event);
	procedure_run(query, name, last, arguments, count);
}

void mssql_request(struct session *session, struct mssql *mssql, struct slice message)
{
	struct tds_stream out = mssql_stream(session, mssql);
	struct query query = {.session = session,
			      .mssql = mssql,
			      .out = &out,
			      .scratch = arena_of(QUERY_SCRATCH_MAX)};
	struct cursor c = cursor_of(slice_from(message, mssql_headers_length(mssql, message)));
	struct query_argument arguments[QUERY_ARGUMENTS_MAX];
	struct slice name = slice_of(NULL, 0);
	uint16_t length = mssql->version == TDS_VERSION_42 ? cursor_u8(&c) : cursor_u16le(&c);

	if (length == 0xffff) {
		uint16_t id = cursor_u16le(&c);
		for (size_t i = 0; i < ARRAY_COUNT(numbered); i++) {
			if (numbered[i].id == id)
				name = slice_text(numbered[i].name);
		}
	} else {
		name = take_text(&query, &c, length);
	}
	cursor_skip(&c, 2);
	size_t count = take_arguments(&query, &c, arguments);
	if (name.length == 0)
		session_report_garbage(session, "remote call that cannot be read", message);
	run_call(&query, name, arguments, count);
	mssql_send(session, mssql, &out);
	arena_drop(&query.scratch);
}
