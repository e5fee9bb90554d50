/* JSON writer and reader; see json.h. */
#include <math.h>
#include <stdio.h>

#include "base/json.h"

static void before_value(struct json_writer *j)
{
	uint64_t bit = (uint64_t)1 << (j->depth % JSON_DEPTH_MAX);

	if (j->after_key)
		j->after_key = false;
	else if (j->has_items & bit)
		writer_u8(j->out, ',');
	j->has_items |= bit;
}

static void enter(struct json_writer *j, uint8_t bracket)
{
	before_value(j);
	writer_u8(j->out, bracket);
	if (++j->depth >= JSON_DEPTH_MAX)
		j->out->failed = true;
	j->has_items &= ~((uint64_t)1 << (j->depth % JSON_DEPTH_MAX));
}

void json_object(struct json_writer *j)
{
	enter(j, '{');
}

void json_object_end(struct json_writer *j)
{
	j->depth--;
	writer_u8(j->out, '}');
}

void json_array(struct json_writer *j)
{
	enter(j, '[');
}

void json_array_end(struct json_writer *j)
{
	j->depth--;
	writer_u8(j->out, ']');
}

static bool needs_escape(uint8_t byte)
{
	return byte < 0x20 || byte == '"' || byte == '\\' || byte >= 0x7f;
}

/* As UTF-16 units in hexadecimal; only for characters of the basic plane. */
static void escape_unicode(struct writer *out, struct slice sequence)
{
	const uint8_t *b = sequence.at;
	uint32_t code = b[0];

	if (sequence.length == 2)
		code = (b[0] & 0x1fu) << 6 | (b[1] & 0x3fu);
	else if (sequence.length == 3)
		code = (b[0] & 0x0fu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu);
	writer_text(out, "\\u");
	writer_hex(out, slice_of((const uint8_t[]){(uint8_t)(code >> 8), (uint8_t)code}, 2));
}

static size_t quote_special(struct writer *out, struct slice s)
{
	static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	size_t length = utf8_sequence(s);

	if (length > 1) {
		/* Somebody will show the line on a terminal. */
		if (utf8_acts_on_screen(slice_first(s, length)))
			escape_unicode(out, slice_first(s, length));
		else
			writer_bytes(out, slice_first(s, length));
		return length;
	}
	for (size_t i = 0; i < sizeof(short_forms) - 1; i += 2) {
		if ((uint8_t)short_forms[i] == s.at[0]) {
			writer_u8(out, '\\');
			writer_u8(out, (uint8_t)short_forms[i + 1]);
			return 1;
		}
	}
	if (length == 0)
		writer_text(out, "\xef\xbf\xbd");
	else
		escape_unicode(out, slice_first(s, 1));
	return 1;
}

void json_escape(struct writer *out, struct slice s)
{
	while (s.length) {
		size_t plain = 0;

		while (plain < s.length && !needs_escape(s.at[plain]))
			plain++;
		writer_bytes(out, slice_first(s, plain));
		s = slice_from(s, plain);
		if (s.length)
			s = slice_from(s, quote_special(out, s));
	}
}

void json_quote(struct writer *out, struct slice s)
{
	writer_u8(out, '"');
	json_escape(out, s);
	writer_u8(out, '"');
}

void json_key_slice(struct json_writer *j, struct slice key)
{
	before_value(j);
	json_quote(j->out, key);
	writer_u8(j->out, ':');
	j->after_key = true;
}

void json_key(struct json_writer *j, const char *key)
{
	json_key_slice(j, slice_text(key));
}

void json_string(struct json_writer *j, struct slice value)
{
	before_value(j);
	json_quote(j->out, value);
}

void json_text(struct json_writer *j, const char *value)
{
	json_string(j, slice_text(value));
}

void json_number(struct json_writer *j, int64_t value)
{
	before_value(j);
	writer_decimal(j->out, value);
}

void json_real(struct json_writer *j, double value)
{
	if (!isfinite(value)) {
		json_null(j);
		return;
	}
	before_value(j);
	writer_format(j->out, "%.10g", value);
}

void json_boolean(struct json_writer *j, bool value)
{
	before_value(j);
	writer_text(j->out, value ? "true" : "false");
}

void json_null(struct json_writer *j)
{
	before_value(j);
	writer_text(j->out, "null");
}

void json_raw(struct json_writer *j, struct slice json)
{
	before_value(j);
	writer_bytes(j->out, json);
}

enum reader_state { WANT_VALUE, WANT_FIRST, WANT_KEY, AFTER_VALUE, DONE, BROKEN };

static bool in_object(const struct json_reader *r)
{
	return r->depth && (r->is_object >> (r->depth - 1) & 1);
}

static enum json_kind broken(struct json_reader *r)
{
	r->state = BROKEN;
	return JSON_ERROR;
}

static void skip_blanks(struct json_reader *r)
{
	while (r->at < r->text.length && (r->text.at[r->at] == ' ' || r->text.at[r->at] == '\t' ||
					  r->text.at[r->at] == '\n' || r->text.at[r->at] == '\r'))
		r->at++;
}

static enum json_kind open_level(struct json_reader *r, bool object)
{
	if (r->depth >= JSON_DEPTH_MAX)
		return broken(r);
	r->is_object &= ~((uint64_t)1 << r->depth);
	r->is_object |= (uint64_t)object << r->depth;
	r->depth++;
	r->at++;
	r->state = WANT_FIRST;
	return object ? JSON_OBJECT : JSON_ARRAY;
}

static enum json_kind close_level(struct json_reader *r)
{
	bool object = in_object(r);

	r->depth--;
	r->at++;
	r->state = r->depth ? AFTER_VALUE : DONE;
	return object ? JSON_OBJECT_END : JSON_ARRAY_END;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Passes over bytes that mean nothing in a string, eight at a time. */
static size_t skip_plain(struct slice text, size_t at)
{
	uint64_t word, quote, backslash;

	for (; text.length - at >= 8; at += 8) {
		memcpy(&word, text.at + at, 8);
		quote = word ^ EACH_BYTE('"');
		backslash = word ^ EACH_BYTE('\\');
		/* A high bit where a byte is below 0x20, or zero after the xor. */
		if ((((word - EACH_BYTE(0x20)) & ~word) | ((quote - EACH_BYTE(1)) & ~quote) |
		     ((backslash - EACH_BYTE(1)) & ~backslash)) &
		    EACH_BYTE(0x80))
			break;
	}
	return at;
}

/* Reads a string from its opening quote; false when it is broken. */
static bool read_string(struct json_reader *r, struct slice *token)
{
	const uint8_t *text = r->text.at;
	size_t start = ++r->at;

	r->at = skip_plain(r->text, r->at);
	while (r->at < r->text.length && text[r->at] != '"') {
		if (text[r->at] < 0x20)
			return false;
		if (text[r->at] != '\\') {
			r->at++;
			continue;
		}
		r->at++;
		if (r->at >= r->text.length || !memchr("\"\\/bfnrtu", text[r->at], 9))
			return false;
		if (text[r->at] == 'u') {
			uint8_t code[2];

			if (r->text.length - r->at < 5 ||
			    slice_unhex(slice_of(text + r->at + 1, 4), code, 2) != 2)
				return false;
			r->at += 4;
		}
		r->at++;
	}
	if (r->at >= r->text.length)
		return false;
	*token = slice_of(text + start, r->at - start);
	r->at++;
	return true;
}

static size_t digits_at(const struct json_reader *r, size_t at)
{
	size_t count = 0;

	while (at + count < r->text.length && r->text.at[at + count] >= '0' &&
	       r->text.at[at + count] <= '9')
		count++;
	return count;
}

static bool read_number(struct json_reader *r, struct slice *token)
{
	const struct slice t = r->text;
	size_t start = r->at, at = r->at, digits;

	if (t.at[at] == '-')
		at++;
	digits = digits_at(r, at);
	if (digits == 0 || (digits > 1 && t.at[at] == '0'))
		return false;
	at += digits;
	if (at < t.length && t.at[at] == '.') {
		digits = digits_at(r, at + 1);
		if (digits == 0)
			return false;
		at += 1 + digits;
	}
	if (at < t.length && (t.at[at] | 0x20) == 'e') {
		at++;
		if (at < t.length && (t.at[at] == '+' || t.at[at] == '-'))
			at++;
		digits = digits_at(r, at);
		if (digits == 0)
			return false;
		at += digits;
	}
	*token = slice_of(t.at + start, at - start);
	r->at = at;
	return true;
}

static enum json_kind read_word(struct json_reader *r)
{
	static const struct {
		const char *word;
		enum json_kind kind;
	} words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (slice_starts(slice_from(r->text, r->at), words[i].word)) {
			r->at += strlen(words[i].word);
			return words[i].kind;
		}
	}
	return JSON_ERROR;
}

static enum json_kind read_value(struct json_reader *r, struct slice *token)
{
	enum json_kind kind;
	uint8_t byte = r->text.at[r->at];

	if (byte == '{' || byte == '[')
		return open_level(r, byte == '{');
	if (byte == '"')
		kind = read_string(r, token) ? JSON_STRING : JSON_ERROR;
	else if (byte == '-' || (byte >= '0' && byte <= '9'))
		kind = read_number(r, token) ? JSON_NUMBER : JSON_ERROR;
	else
		kind = read_word(r);
	if (kind == JSON_ERROR)
		return broken(r);
	r->state = r->depth ? AFTER_VALUE : DONE;
	return kind;
}

static enum json_kind read_key(struct json_reader *r, struct slice *token)
{
	if (r->text.at[r->at] != '"' || !read_string(r, token))
		return broken(r);
	skip_blanks(r);
	if (r->at >= r->text.length || r->text.at[r->at] != ':')
		return broken(r);
	r->at++;
	r->state = WANT_VALUE;
	return JSON_KEY;
}

enum json_kind json_next(struct json_reader *r, struct slice *token)
{
	uint8_t byte;

	*token = (struct slice){NULL, 0};
	if (r->state == BROKEN)
		return JSON_ERROR;
	skip_blanks(r);
	if (r->at >= r->text.length)
		return r->state == DONE ? JSON_END : broken(r);
	byte = r->text.at[r->at];
	switch (r->state) {
	case WANT_VALUE:
		return read_value(r, token);
	case WANT_FIRST:
		if (byte == (in_object(r) ? '}' : ']'))
			return close_level(r);
		return in_object(r) ? read_key(r, token) : read_value(r, token);
	case AFTER_VALUE:
		if (byte == (in_object(r) ? '}' : ']'))
			return close_level(r);
		if (byte != ',')
			return broken(r);
		r->at++;
		skip_blanks(r);
		if (r->at >= r->text.length)
			return broken(r);
		return in_object(r) ? read_key(r, token) : read_value(r, token);
	default:
		return broken(r);
	}
}

void json_jump(struct json_reader *r, size_t at, unsigned depth)
{
	r->at = at;
	r->depth = depth < JSON_DEPTH_MAX ? depth : JSON_DEPTH_MAX - 1;
	r->is_object = ((uint64_t)1 << r->depth) - 1;
	r->state = WANT_VALUE;
}

int json_skip(struct json_reader *r, enum json_kind kind)
{
	unsigned depth = r->depth;
	struct slice token;

	if (kind != JSON_OBJECT && kind != JSON_ARRAY)
		return kind == JSON_ERROR ? -1 : 0;
	while (r->depth >= depth) {
		if (json_next(r, &token) == JSON_ERROR)
			return -1;
	}
	return 0;
}

static void write_utf8(struct writer *out, uint32_t code)
{
	if (code < 0x80) {
		writer_u8(out, (uint8_t)code);
	} else if (code < 0x800) {
		writer_u8(out, (uint8_t)(0xc0 | code >> 6));
		writer_u8(out, (uint8_t)(0x80 | (code & 0x3f)));
	} else if (code < 0x10000) {
		writer_u8(out, (uint8_t)(0xe0 | code >> 12));
		writer_u8(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
		writer_u8(out, (uint8_t)(0x80 | (code & 0x3f)));
	} else {
		writer_u8(out, (uint8_t)(0xf0 | code >> 18));
		writer_u8(out, (uint8_t)(0x80 | (code >> 12 & 0x3f)));
		writer_u8(out, (uint8_t)(0x80 | (code >> 6 & 0x3f)));
		writer_u8(out, (uint8_t)(0x80 | (code & 0x3f)));
	}
}

/* The UTF-16 unit of a \uXXXX at the start of s, or -1. */
static int32_t utf16_unit(struct slice s)
{
	uint8_t bytes[2];

	if (s.length < 6 || s.at[0] != '\\' || s.at[1] != 'u' ||
	    slice_unhex(slice_first(slice_from(s, 2), 4), bytes, 2) != 2)
		return -1;
	return bytes[0] << 8 | bytes[1];
}

static size_t unescape_unicode(struct writer *out, struct slice s)
{
	int32_t high = utf16_unit(s), low;

	if (high >= 0xd800 && high < 0xdc00) {
		low = utf16_unit(slice_from(s, 6));
		if (low >= 0xdc00 && low < 0xe000) {
			write_utf8(out, 0x10000 + ((uint32_t)(high & 0x3ff) << 10 | (low & 0x3ff)));
			return 12;
		}
	}
	write_utf8(out, high < 0 || (high >= 0xd800 && high < 0xe000) ? 0xfffd : (uint32_t)high);
	return 6;
}

void json_unescape(struct writer *out, struct slice s)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";

	while (s.length) {
		size_t plain = slice_find_byte(s, '\\');
		const char *form;

		writer_bytes(out, slice_first(s, plain));
		if (plain == SIZE_MAX)
			return;
		s = slice_from(s, plain);
		if (s.length < 2)
			return;
		if (s.at[1] == 'u') {
			s = slice_from(s, unescape_unicode(out, s));
			continue;
		}
		form = strchr(from, s.at[1]);
		writer_u8(out, form && s.at[1] ? (uint8_t)to[form - from] : s.at[1]);
		s = slice_from(s, 2);
	}
}
