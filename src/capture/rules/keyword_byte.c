/* Numbers inside buffers: byte_test, byte_jump, byte_extract, byte_math; and base64_decode. */
#include "capture/rules/keyword.h"

#include <ctype.h>

#define DIGITS_MAX 23

/* --- reading a number out of the buffer --- */

static bool read_binary(const struct byte_test *t, struct slice bytes, uint64_t *value)
{
	*value = 0;
	if (bytes.length > 8)
		return false;
	for (size_t i = 0; i < bytes.length; i++) {
		size_t at = t->flags & BYTE_LITTLE ? bytes.length - 1 - i : i;

		*value = *value << 8 | bytes.at[at];
	}
	return true;
}

static bool read_digits(const struct byte_test *t, struct slice bytes, uint64_t *value)
{
	unsigned base = t->base ? t->base : 10;
	size_t digits = 0;

	*value = 0;
	if (bytes.length > DIGITS_MAX)
		return false;
	bytes = slice_trim(bytes);
	if (base == 16 && slice_starts_nocase(bytes, "0x"))
		bytes = slice_from(bytes, 2);
	for (; digits < bytes.length; digits++) {
		uint8_t byte = bytes.at[digits];
		unsigned digit = isdigit(byte)    ? (unsigned)byte - '0'
				 : isxdigit(byte) ? (unsigned)(byte | 32) - 'a' + 10
						  : 99;

		if (digit >= base)
			break;
		*value = *value * base + digit;
	}
	return digits > 0;
}

/* The number at the offset; *end is behind its bytes. */
static bool extract(const struct byte_test *t, struct match *m, uint64_t *value, size_t *end)
{
	int64_t offset = match_number(m, &t->offset);
	int64_t count = match_number(m, &t->count);
	int64_t at = offset + (t->flags & BYTE_RELATIVE ? (int64_t)m->position : 0);
	struct slice bytes;

	if (at < 0 || count < 0 || at > (int64_t)m->buffer.length)
		return false;
	if (t->flags & BYTE_STRING && at + count > (int64_t)m->buffer.length)
		count = (int64_t)m->buffer.length - at;
	if (count <= 0 || at + count > (int64_t)m->buffer.length)
		return false;
	bytes = slice_of(m->buffer.at + at, (size_t)count);
	*end = (size_t)(at + count);
	if (!(t->flags & BYTE_STRING ? read_digits(t, bytes, value) : read_binary(t, bytes, value)))
		return false;
	if (t->bitmask)
		*value = (*value & t->bitmask) >> t->bitmask_shift;
	return true;
}

static bool byte_test_holds(const struct test *test, struct match *m)
{
	const struct byte_test *t = &test->as.byte;
	uint64_t value, wanted;
	size_t end;
	bool holds = false;

	if (!extract(t, m, &value, &end))
		return false;
	wanted = (uint64_t)match_number(m, &t->value);
	switch (t->compare) {
	case COMPARE_EQUAL:
		holds = value == wanted;
		break;
	case COMPARE_LESS:
		holds = value < wanted;
		break;
	case COMPARE_MORE:
		holds = value > wanted;
		break;
	case COMPARE_AT_MOST:
		holds = value <= wanted;
		break;
	case COMPARE_AT_LEAST:
		holds = value >= wanted;
		break;
	case COMPARE_AND:
		holds = value & wanted;
		break;
	case COMPARE_OR:
		holds = value ^ wanted;
		break;
	default:
		break;
	}
	return holds != t->not_;
}

static bool byte_jump_holds(const struct test *test, struct match *m)
{
	const struct byte_test *t = &test->as.byte;
	uint64_t value = 0;
	size_t end = 0;
	int64_t to;

	/* byte_jump:0,... only moves. */
	if (t->count.variable || t->count.value) {
		if (!extract(t, m, &value, &end))
			return false;
	} else {
		int64_t at = match_number(m, &t->offset) +
			     (t->flags & BYTE_RELATIVE ? (int64_t)m->position : 0);

		if (at < 0 || at > (int64_t)m->buffer.length)
			return false;
		end = (size_t)at;
	}
	if (value > UINT32_MAX)
		return false;
	value *= t->multiplier ? t->multiplier : 1;
	if (t->flags & BYTE_ALIGN)
		value = (value + t->align - 1) / t->align * t->align;
	to = t->flags & BYTE_FROM_BEGINNING ? 0
	     : t->flags & BYTE_FROM_END     ? (int64_t)m->buffer.length
					    : (int64_t)end;
	to += (int64_t)value + t->post;
	if (to < 0 || to > (int64_t)m->buffer.length)
		return false;
	m->position = (size_t)to;
	return true;
}

static bool byte_extract_holds(const struct test *test, struct match *m)
{
	const struct byte_test *t = &test->as.byte;
	uint64_t value;
	size_t end;

	if (!extract(t, m, &value, &end))
		return false;
	value *= t->multiplier ? t->multiplier : 1;
	if (t->flags & BYTE_ALIGN)
		value = (value + t->align - 1) / t->align * t->align;
	m->variables[t->variable - 1] = value;
	m->position = end;
	return true;
}

static bool byte_math_holds(const struct test *test, struct match *m)
{
	const struct byte_test *t = &test->as.byte;
	uint64_t value, right;
	size_t end;

	if (!extract(t, m, &value, &end))
		return false;
	right = (uint64_t)match_number(m, &t->value);
	switch (t->compare) {
	case '+':
		value += right;
		break;
	case '-':
		value -= right;
		break;
	case '*':
		value *= right;
		break;
	case '/':
		if (!right)
			return false;
		value /= right;
		break;
	case '<':
		value = right < 64 ? value << right : 0;
		break;
	case '>':
		value = right < 64 ? value >> right : 0;
		break;
	default:
		return false;
	}
	if (t->bitmask)
		value = (value & t->bitmask) >> t->bitmask_shift;
	m->variables[t->variable - 1] = value;
	m->position = end;
	return true;
}

/* --- reading the options --- */

static int read_bitmask(struct builder *b, struct slice text, struct byte_test *t)
{
	uint8_t bytes[8];
	uint8_t padded[8] = "00000000";
	int count;

	if (slice_starts_nocase(text, "0x"))
		text = slice_from(text, 2);
	if (!text.length || text.length > 8)
		return builder_fail(b, "a bitmask has one to eight hexadecimal digits");
	memcpy(padded + 8 - text.length, text.at, text.length);
	count = slice_unhex(slice_of(padded, 8), bytes, sizeof(bytes));
	if (count != 4)
		return builder_fail(b, "a bitmask is hexadecimal");
	t->bitmask = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		     bytes[3];
	if (!t->bitmask)
		return builder_fail(b, "a bitmask of zero");
	t->bitmask_shift = (uint8_t)__builtin_ctz(t->bitmask);
	return 0;
}

/* A word that all four share. 1 when it was one. */
static int read_word(struct builder *b, struct slice word, struct test *test)
{
	static const struct {
		const char *word;
		uint8_t flags, base;
	} words[] = {
		{"big", 0, 0},
		{"little", BYTE_LITTLE, 0},
		{"relative", BYTE_RELATIVE, 0},
		{"string", BYTE_STRING, 0},
		{"hex", 0, 16},
		{"dec", 0, 10},
		{"oct", 0, 8},
		{"from_beginning", BYTE_FROM_BEGINNING, 0},
		{"from_end", BYTE_FROM_END, 0},
		{"dce", BYTE_DCE | BYTE_LITTLE, 0},
		{"align", BYTE_ALIGN, 0},
	};
	struct byte_test *t = &test->as.byte;
	size_t space = slice_find_byte(word, ' ');
	struct slice name = slice_first(word, space);
	struct slice rest =
		space == SIZE_MAX ? slice_of(NULL, 0) : slice_trim(slice_from(word, space));
	int64_t number;

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (!slice_is(name, words[i].word))
			continue;
		t->flags |= words[i].flags;
		if (words[i].base)
			t->base = words[i].base;
		if (words[i].flags & BYTE_RELATIVE)
			test->relative = true;
		if (words[i].flags & BYTE_ALIGN) {
			t->align = 4;
			if (rest.length && slice_number(rest, 2, 4, &number) == 0)
				t->align = (uint8_t)number;
		}
		return 1;
	}
	if (slice_is(name, "multiplier") && slice_number(rest, 1, 65535, &number) == 0)
		t->multiplier = (uint32_t)number;
	else if (slice_is(name, "post_offset") && slice_number(rest, -65535, 65535, &number) == 0)
		t->post = (int32_t)number;
	else if (slice_is(name, "bitmask"))
		return read_bitmask(b, rest, t) < 0 ? -1 : 1;
	else
		return 0;
	return 1;
}

static int read_words(struct builder *b, const struct keyword *keyword, struct slice rest,
		      struct test *test)
{
	struct slice word;

	while (slice_next(&rest, ',', &word)) {
		int found;

		word = slice_trim(word);
		found = read_word(b, word, test);
		if (found < 0)
			return -1;
		if (!found)
			return builder_fail(b, "%s does not know %.*s", keyword->name,
					    (int)word.length, (const char *)word.at);
	}
	return 0;
}

static int read_operator(struct builder *b, struct slice text, struct byte_test *t)
{
	static const struct {
		const char *sign;
		uint8_t compare;
	} signs[] = {{"<=", COMPARE_AT_MOST}, {">=", COMPARE_AT_LEAST}, {"<", COMPARE_LESS},
		     {">", COMPARE_MORE},     {"=", COMPARE_EQUAL},     {"&", COMPARE_AND},
		     {"^", COMPARE_OR}};

	if (text.length && text.at[0] == '!') {
		t->not_ = true;
		text = slice_trim(slice_from(text, 1));
		if (!text.length) {
			t->compare = COMPARE_EQUAL;
			return 0;
		}
	}
	for (size_t i = 0; i < ARRAY_COUNT(signs); i++)
		if (slice_is(text, signs[i].sign)) {
			t->compare = signs[i].compare;
			return 0;
		}
	return builder_fail(b, "%.*s is no operator", (int)text.length, (const char *)text.at);
}

static struct slice next_word(struct slice *rest)
{
	struct slice word;

	(void)slice_next(rest, ',', &word);
	return slice_trim(word);
}

/* A number that may be hexadecimal; byte_test's values are. */
static int read_value(struct builder *b, struct slice text, struct rule_number *number)
{
	if (slice_starts_nocase(text, "0x")) {
		uint64_t value;
		struct byte_test digits = {.base = 16};

		if (!read_digits(&digits, text, &value) || value > UINT32_MAX)
			return builder_fail(b, "%.*s is no number", (int)text.length,
					    (const char *)text.at);
		*number = (struct rule_number){(int64_t)value, 0};
		return 0;
	}
	return builder_number(b, text, INT32_MIN, UINT32_MAX, number);
}

/* byte_test:count,[!]operator,value,offset[,words] */
static int read_byte_test(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct byte_test *t;

	if (!test)
		return -1;
	t = &test->as.byte;
	test->holds = byte_test_holds;
	if (builder_number(b, next_word(&value), 0, DIGITS_MAX, &t->count) < 0 ||
	    read_operator(b, next_word(&value), t) < 0 ||
	    read_value(b, next_word(&value), &t->value) < 0 ||
	    builder_number(b, next_word(&value), -65535, 65535, &t->offset) < 0)
		return -1;
	return read_words(b, keyword, value, test);
}

/* byte_jump:count,offset[,words] */
static int read_byte_jump(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct byte_test *t;

	if (!test)
		return -1;
	t = &test->as.byte;
	test->holds = byte_jump_holds;
	if (builder_number(b, next_word(&value), 0, DIGITS_MAX, &t->count) < 0 ||
	    builder_number(b, next_word(&value), -65535, 65535, &t->offset) < 0)
		return -1;
	return read_words(b, keyword, value, test);
}

/* byte_extract:count,offset,name[,words] */
static int read_byte_extract(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct byte_test *t;

	if (!test)
		return -1;
	t = &test->as.byte;
	test->holds = byte_extract_holds;
	if (builder_number(b, next_word(&value), 1, DIGITS_MAX, &t->count) < 0 ||
	    builder_number(b, next_word(&value), -65535, 65535, &t->offset) < 0)
		return -1;
	t->variable = builder_variable(b, next_word(&value));
	if (!t->variable)
		return -1;
	return read_words(b, keyword, value, test);
}

/* byte_math:bytes N, offset N, oper O, rvalue N, result NAME[, words] */
static int read_byte_math(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct byte_test *t;
	struct slice word;

	if (!test)
		return -1;
	t = &test->as.byte;
	test->holds = byte_math_holds;
	while (slice_next(&value, ',', &word)) {
		size_t space;
		struct slice name, rest;
		int known = 1;

		word = slice_trim(word);
		space = slice_find_byte(word, ' ');
		name = slice_first(word, space);
		rest = space == SIZE_MAX ? slice_of(NULL, 0) : slice_trim(slice_from(word, space));
		if (slice_is(name, "bytes"))
			known = builder_number(b, rest, 1, 10, &t->count) < 0 ? -1 : 1;
		else if (slice_is(name, "offset"))
			known = builder_number(b, rest, -65535, 65535, &t->offset) < 0 ? -1 : 1;
		else if (slice_is(name, "rvalue"))
			known = read_value(b, rest, &t->value) < 0 ? -1 : 1;
		else if (slice_is(name, "oper"))
			t->compare = rest.length ? rest.at[0] : 0;
		else if (slice_is(name, "result"))
			known = (t->variable = builder_variable(b, rest)) ? 1 : -1;
		else if (slice_is(name, "endian"))
			known = read_word(b, rest, test);
		else if (slice_is(name, "string"))
			known = (t->flags |= BYTE_STRING, read_word(b, rest, test));
		else
			known = read_word(b, word, test);
		if (known < 0)
			return -1;
		if (!known)
			return builder_fail(b, "byte_math does not know %.*s", (int)word.length,
					    (const char *)word.at);
	}
	if (!t->variable || !t->compare)
		return builder_fail(b, "byte_math needs oper and result");
	return 0;
}

/* --- base64 --- */

static int sextet(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return byte - 'A';
	if (byte >= 'a' && byte <= 'z')
		return byte - 'a' + 26;
	if (byte >= '0' && byte <= '9')
		return byte - '0' + 52;
	return byte == '+' || byte == '-' ? 62 : byte == '/' || byte == '_' ? 63 : -1;
}

/* Decodes up to the first byte that is neither a digit of it nor white space (RFC 2045). */
static bool base64_holds(const struct test *test, struct match *m)
{
	const struct base64_test *t = &test->as.base64;
	int64_t at = match_number(m, &t->offset) + (t->relative ? (int64_t)m->position : 0);
	size_t limit = RULE_BASE64_MAX;
	struct slice in;
	uint32_t bits = 0;
	unsigned count = 0;

	if (at < 0 || at >= (int64_t)m->buffer.length)
		return false;
	in = slice_from(m->buffer, (size_t)at);
	if (t->bytes.variable || t->bytes.value)
		in = slice_first(in, (size_t)match_number(m, &t->bytes));
	writer_clear(m->base64_room);
	for (size_t i = 0; i < in.length && m->base64_room->length < limit; i++) {
		int value = sextet(in.at[i]);

		if (in.at[i] == '\r' || in.at[i] == '\n' || in.at[i] == ' ' || in.at[i] == '\t')
			continue;
		if (value < 0)
			break;
		bits = bits << 6 | (uint32_t)value;
		if (++count % 4 != 1)
			writer_u8(m->base64_room, (uint8_t)(bits >> (count % 4 == 2   ? 4
								     : count % 4 == 3 ? 2
										      : 0)));
	}
	m->base64 = writer_slice(m->base64_room);
	m->base64_known = m->base64.length > 0;
	return m->base64_known;
}

/* base64_decode[:bytes N, offset N, relative] */
static int read_base64_decode(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct slice word;

	if (!test)
		return -1;
	test->holds = base64_holds;
	while (slice_next(&value, ',', &word)) {
		word = slice_trim(word);
		if (slice_is(word, "relative"))
			test->relative = test->as.base64.relative = true;
		else if (slice_starts(word, "bytes ")) {
			if (builder_number(b, slice_trim(slice_from(word, 6)), 0, 65535,
					   &test->as.base64.bytes) < 0)
				return -1;
		} else if (slice_starts(word, "offset ")) {
			if (builder_number(b, slice_trim(slice_from(word, 7)), 0, 65535,
					   &test->as.base64.offset) < 0)
				return -1;
		} else
			return builder_fail(b, "base64_decode does not know %.*s", (int)word.length,
					    (const char *)word.at);
	}
	return 0;
}

static const struct keyword table[] = {
	{"byte_test", "Compares a number in the buffer", read_byte_test, 0},
	{"byte_jump", "Moves on by a number in the buffer", read_byte_jump, 0},
	{"byte_extract", "Gives a number in the buffer a name", read_byte_extract, 0},
	{"byte_math", "Calculates with a number in the buffer", read_byte_math, 0},
	{"base64_decode", "Decodes base64, for base64_data", read_base64_decode, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_byte = table;
