/* content and what modifies it; isdataat, bsize, and the old and new ways to name a buffer. */
#include "capture/rules/keyword.h"

/* --- finding bytes --- */

static bool same_nocase(const uint8_t *at, const uint8_t *lowered, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (ascii_lower(at[i]) != lowered[i])
			return false;
	return true;
}

/* The first occurrence that begins in [from, last]; SIZE_MAX: none. */
static size_t find_bytes(const struct content_test *test, struct slice in, size_t from, size_t last)
{
	size_t length = test->bytes.length;

	if (!test->nocase) {
		const uint8_t *found =
			memmem(in.at + from, last + length - from, test->bytes.at, length);

		return found ? (size_t)(found - in.at) : SIZE_MAX;
	}
	for (size_t at = from; at <= last; at++) {
		if (ascii_lower(in.at[at]) == test->bytes.at[0] &&
		    same_nocase(in.at + at, test->bytes.at, length))
			return at;
	}
	return SIZE_MAX;
}

/* The limits that a match must keep: it begins at *low or later, ends at *high or earlier. */
static bool limits(const struct test *test, const struct match *m, size_t position, int64_t *low,
		   int64_t *high)
{
	const struct content_test *content = &test->as.content;
	/* Offsets count from the stream's beginning: a later stretch lies beyond them. */
	int64_t origin =
		m->inspection->kind == INSPECT_STREAM ? -(int64_t)m->inspection->stream_offset : 0;

	*low = 0;
	*high = (int64_t)m->buffer.length;
	if (content->has_offset)
		*low = origin + match_number(m, &content->offset);
	if (content->has_depth) {
		int64_t end =
			(content->has_offset ? *low : origin) + match_number(m, &content->depth);

		*high = end < *high ? end : *high;
	}
	if (content->has_distance || content->has_within) {
		int64_t begin = (int64_t)position;

		if (content->has_distance)
			begin += match_number(m, &content->distance);
		if (content->has_within) {
			int64_t end = begin + match_number(m, &content->within);

			*high = end < *high ? end : *high;
		}
		*low = begin > *low ? begin : *low;
	}
	if (*low < 0)
		*low = 0;
	if (content->ends) {
		int64_t begin = (int64_t)m->buffer.length - (int64_t)content->bytes.length;

		*low = begin > *low ? begin : *low;
	}
	return *high - *low >= (int64_t)content->bytes.length;
}

static bool content_find(const struct test *test, struct match *m, size_t position, size_t *from,
			 size_t *end)
{
	const struct content_test *content = &test->as.content;
	int64_t low, high;
	size_t begin, found;

	if (!limits(test, m, position, &low, &high))
		return false;
	begin = (size_t)low > *from ? (size_t)low : *from;
	if (begin + content->bytes.length > (size_t)high)
		return false;
	found = find_bytes(content, m->buffer, begin, (size_t)high - content->bytes.length);
	if (found == SIZE_MAX)
		return false;
	*from = found + 1;
	*end = found + content->bytes.length;
	return true;
}

/* --- reading contents --- */

/* "a|0d 0a|\;": bytes as they are, hexadecimal between bars, and escapes. -1 with a reason. */
static int read_pattern(struct builder *b, struct slice text, struct slice *bytes)
{
	uint8_t *out = arena_take(b->arena, text.length + 1);
	size_t length = 0;
	bool hex = false;
	int high = -1;

	if (!out)
		return builder_fail(b, "out of memory");
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = text.at[i];

		if (byte == '|') {
			if (high >= 0)
				return builder_fail(b, "half a byte between | and |");
			hex = !hex;
		} else if (hex) {
			int digit;

			if (byte == ' ' || byte == '\t')
				continue;
			digit = hex_value(byte);
			if (digit < 0)
				return builder_fail(b, "%c is no hexadecimal digit", byte);
			if (high < 0) {
				high = digit;
			} else {
				out[length++] = (uint8_t)(high << 4 | digit);
				high = -1;
			}
		} else if (byte == '\\' && i + 1 < text.length) {
			out[length++] = text.at[++i];
		} else {
			out[length++] = byte;
		}
	}
	if (hex)
		return builder_fail(b, "| without its second |");
	if (!length || length > RULE_CONTENT_MAX)
		return builder_fail(b, "a content of %zu bytes", length);
	*bytes = slice_of(out, length);
	return 0;
}

static int read_content(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct slice inner;
	struct test *test;
	bool negated;

	if (rule_unquote(value, &inner, &negated) < 0)
		return builder_fail(b, "%s needs a text in quotes", keyword->name);
	test = builder_test(b);
	if (!test || read_pattern(b, inner, &test->as.content.bytes) < 0)
		return -1;
	test->find = content_find;
	test->negated = negated;
	b->last_content = b->test_count;
	if (keyword->argument)
		b->tests[b->test_count - 1].buffer = (enum buffer_id)keyword->argument;
	return 0;
}

static int read_nocase(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_last_content(b, keyword);
	uint8_t *bytes;

	if (!test)
		return -1;
	bytes = (uint8_t *)(uintptr_t)test->as.content.bytes.at; /* the arena's, ours */
	for (size_t i = 0; i < test->as.content.bytes.length; i++)
		bytes[i] = ascii_lower(bytes[i]);
	test->as.content.nocase = true;
	return 0;
}

enum { MODIFY_DEPTH, MODIFY_OFFSET, MODIFY_DISTANCE, MODIFY_WITHIN };

static int read_limit(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_last_content(b, keyword);
	struct content_test *content;
	struct rule_number number;

	if (!test || builder_number(b, value, -65535, 65535, &number) < 0)
		return -1;
	content = &test->as.content;
	switch (keyword->argument) {
	case MODIFY_DEPTH:
		content->has_depth = true;
		content->depth = number;
		if (!number.variable && number.value < (int64_t)content->bytes.length)
			return builder_fail(b, "depth %d is less than the content's length",
					    (int)number.value);
		break;
	case MODIFY_OFFSET:
		content->has_offset = true;
		content->offset = number;
		break;
	case MODIFY_DISTANCE:
		content->has_distance = true;
		content->distance = number;
		test->relative = true;
		break;
	case MODIFY_WITHIN:
		content->has_within = true;
		content->within = number;
		test->relative = true;
		if (!number.variable && number.value < (int64_t)content->bytes.length)
			return builder_fail(b, "within %d is less than the content's length",
					    (int)number.value);
		break;
	default:
		break;
	}
	if (!test->relative)
		b->has_offsets = true;
	return 0;
}

static int read_startswith(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_last_content(b, keyword);

	if (!test)
		return -1;
	test->as.content.starts = test->as.content.has_depth = true;
	test->as.content.depth = (struct rule_number){(int64_t)test->as.content.bytes.length, 0};
	b->has_offsets = true;
	return 0;
}

static int read_endswith(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_last_content(b, keyword);

	if (!test)
		return -1;
	test->as.content.ends = true;
	return 0;
}

static int read_fast_pattern(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_last_content(b, keyword);

	if (!test)
		return -1;
	/* "only" and "offset,length" narrow what is searched; searching all of it finds the same.
	 */
	test->as.content.fast = true;
	test->as.content.fast_only = slice_is(value, "only");
	return 0;
}

static int read_rawbytes(struct builder *b, const struct keyword *keyword, struct slice value)
{
	return builder_last_content(b, keyword) ? 0 : -1;
}

/* --- sizes --- */

static bool isdataat_holds(const struct test *test, struct match *m)
{
	int64_t count = match_number(m, &test->as.byte.count), length = (int64_t)m->buffer.length;

	/* Relative: so many bytes follow. Else: there is a byte at that offset. */
	return test->relative ? (int64_t)m->position + count <= length : count < length;
}

/* isdataat:[!]N[,relative][,rawbytes] */
static int read_isdataat(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct slice part, number;
	struct test *test = builder_test(b);

	if (!test)
		return -1;
	(void)slice_next(&value, ',', &number);
	number = slice_trim(number);
	if (number.length && number.at[0] == '!') {
		test->negated = true;
		number = slice_trim(slice_from(number, 1));
	}
	while (slice_next(&value, ',', &part)) {
		part = slice_trim(part);
		if (slice_is(part, "relative"))
			test->relative = true;
		else if (!slice_is(part, "rawbytes"))
			return builder_fail(b, "isdataat does not know %.*s", (int)part.length,
					    (const char *)part.at);
	}
	if (builder_number(b, number, 0, 65535, &test->as.byte.count) < 0)
		return -1;
	test->holds = isdataat_holds;
	return 0;
}

static bool bsize_holds(const struct test *test, struct match *m)
{
	size_t begin = test->relative ? m->position : 0;

	return compare_number(&test->as.number, (int64_t)m->buffer.length - (int64_t)begin);
}

/* bsize:N, Snort 3's bufferlen:N[,relative] */
static int read_bsize(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct slice number;

	(void)slice_next(&value, ',', &number);
	if (!test || builder_compare(b, number, &test->as.number) < 0)
		return -1;
	value = slice_trim(value);
	test->relative = slice_is(value, "relative");
	if (value.length && !test->relative)
		return builder_fail(b, "%s does not know %.*s", keyword->name,
				    (int)slice_first(value, 40).length, (const char *)value.at);
	test->holds = bsize_holds;
	return 0;
}

/* --- buffers by their older names --- */

static int read_sticky(struct builder *b, const struct keyword *keyword, struct slice value)
{
	if (value.length)
		return builder_fail(b, "%s with a value is not known", keyword->name);
	builder_select(b, (enum buffer_id)keyword->argument);
	return 0;
}

/* Snort 3's http_header:field NAME, for the headers that have buffers of their own. */
static int read_field(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const struct {
		const char *name;
		enum buffer_id buffer;
	} fields[] = {{"user-agent", BUFFER_HTTP_USER_AGENT},
		      {"referer", BUFFER_HTTP_REFERER},
		      {"host", BUFFER_HTTP_HOST_RAW},
		      {"content-type", BUFFER_HTTP_CONTENT_TYPE},
		      {"content-length", BUFFER_HTTP_CONTENT_LENGTH},
		      {"connection", BUFFER_HTTP_CONNECTION},
		      {"accept", BUFFER_HTTP_ACCEPT},
		      {"accept-language", BUFFER_HTTP_ACCEPT_LANGUAGE},
		      {"accept-encoding", BUFFER_HTTP_ACCEPT_ENCODING},
		      {"server", BUFFER_HTTP_SERVER},
		      {"location", BUFFER_HTTP_LOCATION}};
	struct slice name = slice_trim(slice_from(value, 6));

	for (size_t i = 0; i < ARRAY_COUNT(fields) && slice_starts(value, "field "); i++)
		if (slice_is_nocase(name, fields[i].name)) {
			builder_select(b, fields[i].buffer);
			return 0;
		}
	return builder_fail(b, "%s with a value is not known", keyword->name);
}

/* Snort 2.9: behind a content, for that one. Snort 3: in front, for all that follow. */
static int read_old_modifier(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test;

	if (b->text->dialect == DIALECT_SNORT3 && keyword->argument == BUFFER_HTTP_HEADER &&
	    value.length)
		return read_field(b, keyword, value);
	if (b->text->dialect == DIALECT_SNORT3 || value.length)
		return read_sticky(b, keyword, value);
	test = builder_last_content(b, keyword);
	if (!test)
		return -1;
	b->tests[b->last_content - 1].buffer = (enum buffer_id)keyword->argument;
	return 0;
}

static int read_pkt_data(struct builder *b, const struct keyword *keyword, struct slice value)
{
	builder_select(b, BUFFER_PAYLOAD);
	b->sticky = false;
	return 0;
}

/* tls.fingerprint:"xx:xx:...", in either case. */
static int read_fingerprint(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct keyword as = {keyword->name, NULL, NULL, BUFFER_TLS_FINGERPRINT};

	return read_content(b, &as, value) < 0 ? -1 : read_nocase(b, &as, value);
}

/* ssh.softwareversion:"text", with quotes or without. 2_compat is what calls itself 2 or 1.99. */
static int read_ssh(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct slice inner = value;
	struct test *test;
	bool negated;

	if (rule_unquote(value, &inner, &negated) < 0)
		inner = value;
	if (slice_is(inner, "2_compat"))
		return builder_fail(b, "%s:2_compat asks for two versions", keyword->name);
	test = builder_test(b);
	if (!test || read_pattern(b, inner, &test->as.content.bytes) < 0)
		return -1;
	test->find = content_find;
	test->negated = negated;
	b->tests[b->test_count - 1].buffer = (enum buffer_id)keyword->argument;
	return 0;
}

/* The older filename:"text"; without a value it is the buffer. */
static int read_file_name(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct keyword as = {keyword->name, NULL, NULL, BUFFER_FILE_NAME};

	if (!value.length)
		return read_sticky(b, &as, value);
	return read_content(b, &as, value) < 0 ? -1 : read_nocase(b, &as, value);
}

#define OLD(name, buffer)                                                                \
	{                                                                                \
		name, "The content before it is looked for in " name, read_old_modifier, \
			BUFFER_##buffer                                                  \
	}
#define NOW(name, buffer)                                                              \
	{                                                                              \
		name, "What follows is looked for there", read_sticky, BUFFER_##buffer \
	}

static const struct keyword table[] = {
	{"content", "Bytes to find", read_content, 0},
	{"tls.subject", "Text in a certificate's subject", read_content, BUFFER_TLS_SUBJECT},
	{"tls.issuerdn", "Text in a certificate's issuer", read_content, BUFFER_TLS_ISSUER},
	{"tls.fingerprint", "Fingerprint of a certificate", read_fingerprint, 0},
	{"ssh.protoversion", "Version of SSH", read_ssh, BUFFER_SSH_PROTOCOL},
	{"ssh.softwareversion", "Software of SSH", read_ssh, BUFFER_SSH_SOFTWARE},
	{"filename", "Name of a file", read_file_name, 0},
	{"uricontent", "Bytes to find in the URI", read_content, BUFFER_HTTP_URI},
	{"nocase", "Upper and lower case are alike", read_nocase, 0},
	{"depth", "The match ends before that many bytes", read_limit, MODIFY_DEPTH},
	{"offset", "The match begins there or later", read_limit, MODIFY_OFFSET},
	{"distance", "Bytes between the last match and this one", read_limit, MODIFY_DISTANCE},
	{"within", "The match ends within so many bytes after the last", read_limit, MODIFY_WITHIN},
	{"startswith", "The buffer begins so", read_startswith, 0},
	{"endswith", "The buffer ends so", read_endswith, 0},
	{"fast_pattern", "The content that the rule is found by", read_fast_pattern, 0},
	{"rawbytes", "Bytes as sent (all are)", read_rawbytes, 0},
	{"isdataat", "Whether there is data at that place", read_isdataat, 0},
	{"bsize", "Size of the buffer", read_bsize, 0},
	{"bufferlen", "Size of the buffer", read_bsize, 0},
	{"pkt_data", "Back to the payload", read_pkt_data, 0},
	{"raw_data", "Back to the payload", read_pkt_data, 0},
	NOW("file_data", FILE),
	NOW("dns_query", DNS_QUERY),
	NOW("tls_sni", TLS_SNI),
	NOW("tls_cert_subject", TLS_SUBJECT),
	NOW("tls_cert_issuer", TLS_ISSUER),
	NOW("tls_cert_serial", TLS_SERIAL),
	NOW("tls_cert_fingerprint", TLS_FINGERPRINT),
	NOW("ja3_hash", JA3_HASH),
	NOW("ja3_string", JA3_STRING),
	NOW("http_header_names", HTTP_HEADER_NAMES),
	NOW("http_start", HTTP_START),
	NOW("http_request_line", HTTP_REQUEST_LINE),
	NOW("http_response_line", HTTP_RESPONSE_LINE),
	NOW("http_accept", HTTP_ACCEPT),
	NOW("http_accept_lang", HTTP_ACCEPT_LANGUAGE),
	NOW("http_accept_enc", HTTP_ACCEPT_ENCODING),
	NOW("http_connection", HTTP_CONNECTION),
	NOW("http_content_type", HTTP_CONTENT_TYPE),
	NOW("http_content_len", HTTP_CONTENT_LENGTH),
	NOW("http_protocol", HTTP_PROTOCOL),
	NOW("http_referer", HTTP_REFERER),
	NOW("http_param", HTTP_URI),
	NOW("http_version", HTTP_PROTOCOL),
	NOW("ssh_proto", SSH_PROTOCOL),
	NOW("ssh_software", SSH_SOFTWARE),
	NOW("smb_named_pipe", SMB_NAMED_PIPE),
	NOW("smb_share", SMB_SHARE),
	NOW("ssh.hassh", HASSH),
	NOW("sip_header", PAYLOAD),
	NOW("sip_body", PAYLOAD),
	NOW("dce_data", DCERPC_STUB),
	NOW("vba_data", FILE),
	NOW("dcerpc.stub_data", DCERPC_STUB),
	OLD("http_uri", HTTP_URI),
	OLD("http_raw_uri", HTTP_URI_RAW),
	OLD("http_method", HTTP_METHOD),
	OLD("http_header", HTTP_HEADER),
	OLD("http_raw_header", HTTP_HEADER_RAW),
	OLD("http_cookie", HTTP_COOKIE),
	OLD("http_raw_cookie", HTTP_COOKIE),
	OLD("http_user_agent", HTTP_USER_AGENT),
	OLD("http_host", HTTP_HOST),
	OLD("http_raw_host", HTTP_HOST_RAW),
	OLD("http_client_body", HTTP_REQUEST_BODY),
	OLD("http_raw_body", HTTP_REQUEST_BODY),
	OLD("http_server_body", HTTP_RESPONSE_BODY),
	OLD("http_stat_code", HTTP_STATUS),
	OLD("http_stat_msg", HTTP_STATUS_MESSAGE),
	OLD("http_raw_status", HTTP_RESPONSE_LINE),
	OLD("http_raw_request", HTTP_REQUEST_LINE),
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_content = table;
