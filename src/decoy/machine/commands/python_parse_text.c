/* Python's texts and numbers as they are written; see python_parse.h. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/commands/python_parse.h"

/* f-strings within each other. */
#define FIELD_DEPTH_MAX 4

static void add_letter(struct parser *p, struct text *out, uint32_t letter, bool bytes)
{
	if (bytes)
		text_add_byte(p->process, out, (uint8_t)letter);
	else
		python_add_letter(p->process, out, letter);
}

/* Behind a backslash; how much it took. */
static size_t add_escape(struct parser *p, struct text *out, struct slice rest, bool bytes)
{
	static const char letters[] = "abfnrtv\\'\"", means[] = "\a\b\f\n\r\t\v\\'\"";
	uint8_t c = rest.length ? rest.at[0] : 0;
	const char *found = c ? strchr(letters, c) : NULL;
	size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0, length = 1;
	uint32_t value = 0;

	if (found) {
		text_add_byte(p->process, out, (uint8_t)means[found - letters]);
		return 1;
	}
	if (c == '\n')
		return 1;
	if (c >= '0' && c <= '7') {
		for (length = 0; length < 3 && length < rest.length && rest.at[length] >= '0' &&
				 rest.at[length] <= '7';
		     length++)
			value = value * 8 + rest.at[length] - '0';
		add_letter(p, out, value, bytes);
		return length;
	}
	for (; digits && length <= digits && length < rest.length && isxdigit(rest.at[length]);
	     length++) {
		uint8_t digit = rest.at[length];

		value = value * 16 +
			(uint32_t)(isdigit(digit) ? digit - '0' : (digit | 32) - 'a' + 10);
	}
	if (digits && length == digits + 1) {
		add_letter(p, out, value & 0x1fffff, bytes);
		return length;
	}
	text_add_byte(p->process, out, '\\');
	return 0;
}

static struct slice unescape(struct parser *p, struct slice body, bool bytes)
{
	struct text out = {0};

	text_add_words(p->process, &out, "");
	for (size_t i = 0; i < body.length;) {
		if (body.at[i] == '\\') {
			i += 1 + add_escape(p, &out, slice_from(body, i + 1), bytes);
			continue;
		}
		text_add_byte(p->process, &out, body.at[i++]);
	}
	return text_slice(&out);
}

/* An expression within a text. */
static struct python_node *inner(struct parser *p, struct slice source)
{
	struct python_token *before = p->at, *start = p->tokens, *tokens;
	struct python_mistake mistake;
	struct python_node *node;

	source = slice_trim(source);
	if (!source.length) {
		parse_fail(p, "f-string: empty expression not allowed");
		return NULL;
	}
	tokens = python_lex(p->process, source, before->line, &mistake);
	if (!tokens) {
		p->beyond = p->failed = true;
		return NULL;
	}
	p->at = p->tokens = tokens;
	node = parse_expressions(p);
	if (!p->failed && p->at->kind != TOKEN_NEWLINE)
		p->beyond = p->failed = true;
	p->at = before;
	p->tokens = start;
	return node;
}

/* "{x!r:>10}" of an f-string: a is the value, b how (a NODE_JOINED), the text its r. */
static size_t add_field(struct parser *p, struct python_node *joined, struct slice body, bool raw,
			unsigned depth);

static void add_joined(struct parser *p, struct python_node *joined, struct slice body, bool raw,
		       unsigned depth)
{
	size_t start = 0;

	for (size_t i = 0; i <= body.length && !p->failed;) {
		bool brace = i < body.length && (body.at[i] == '{' || body.at[i] == '}');
		bool two = brace && i + 1 < body.length && body.at[i + 1] == body.at[i];

		if (i < body.length && !brace) {
			i++;
			continue;
		}
		if (i > start || two) {
			struct python_node *part = parse_node(p, NODE_CONSTANT);
			struct slice text = slice_of(body.at + start, i - start + two);

			part->value = python_text(raw ? text : unescape(p, text, false));
			parse_add(p, joined, part);
		}
		if (i == body.length)
			break;
		i += two ? 2 : add_field(p, joined, slice_from(body, i), raw, depth);
		start = i;
	}
}

/* Where the field's parts are: marks[0] the "!", marks[1] the ":", 0 without one; its end, or 0. */
static size_t field_end(struct slice body, size_t marks[2])
{
	size_t depth = 0;
	uint8_t quote = 0;

	for (size_t end = 1; end < body.length; end++) {
		uint8_t c = body.at[end];

		if (quote)
			quote = c == quote ? 0 : quote;
		else if ((c == '\'' || c == '"') && !marks[1])
			quote = c;
		else if (c == '(' || c == '[' || c == '{')
			depth++;
		else if (c == '}' && depth == 0)
			return end;
		else if ((c == ')' || c == ']' || c == '}') && depth)
			depth--;
		else if (c == ':' && !depth && !marks[1])
			marks[1] = end;
		else if (c == '!' && !depth && !marks[0] && !marks[1] &&
			 !(end + 1 < body.length && body.at[end + 1] == '='))
			marks[0] = end;
	}
	return 0;
}

static size_t add_field(struct parser *p, struct python_node *joined, struct slice body, bool raw,
			unsigned depth)
{
	struct python_node *field = parse_node(p, NODE_FORMAT);
	size_t marks[2] = {0, 0}, end = field_end(body, marks), stop;
	struct slice source;

	if (!end || depth >= FIELD_DEPTH_MAX) {
		if (!end && body.at[0] == '}')
			parse_fail(p, "f-string: single '}' is not allowed");
		else
			parse_fail(p, "f-string: expecting '}'");
		return body.length;
	}
	stop = marks[0] ? marks[0] : marks[1] ? marks[1] : end;
	source = slice_of(body.at + 1, stop - 1);
	if (slice_trim(source).length &&
	    slice_trim(source).at[slice_trim(source).length - 1] == '=') {
		/* {x=}: the words themselves, then the value as repr() has it. */
		struct python_node *words = parse_node(p, NODE_CONSTANT);

		words->value = python_text(source);
		parse_add(p, joined, words);
		source = slice_trim(source);
		source.length--;
		field->text = marks[0] || marks[1] ? field->text : SLICE("r");
	}
	field->a = inner(p, source);
	if (marks[0])
		field->text = slice_of(body.at + marks[0] + 1, 1);
	if (marks[1]) {
		field->b = parse_node(p, NODE_JOINED);
		add_joined(p, field->b, slice_of(body.at + marks[1] + 1, end - marks[1] - 1), raw,
			   depth + 1);
	}
	parse_add(p, joined, field);
	return end + 1;
}

struct python_node *parse_text(struct parser *p)
{
	struct python_node *joined = parse_node(p, NODE_JOINED), *part;
	bool plain = true, bytes = false;
	struct text all = {0};

	text_add_words(p->process, &all, "");
	for (; p->at->kind == TOKEN_TEXT && !p->failed; p->at++) {
		struct slice body = p->at->text;
		bool raw = false, formats = false;
		size_t quotes = 1;

		for (; body.at[0] != '"' && body.at[0] != '\''; body = slice_from(body, 1)) {
			raw = raw || (body.at[0] | 32) == 'r';
			bytes = bytes || (body.at[0] | 32) == 'b';
			formats = formats || (body.at[0] | 32) == 'f';
		}
		if (body.length >= 6 && body.at[1] == body.at[0] && body.at[2] == body.at[0])
			quotes = 3;
		body = slice_of(body.at + quotes, body.length - 2 * quotes);
		if (formats) {
			plain = false;
			add_joined(p, joined, body, raw, 0);
			continue;
		}
		part = parse_node(p, NODE_CONSTANT);
		part->value = python_text(raw ? body : unescape(p, body, bytes));
		text_add(p->process, &all, part->value.text);
		parse_add(p, joined, part);
	}
	if (!plain)
		return parse_end(p, joined, NULL);
	part = parse_node(p, NODE_CONSTANT);
	part->value = python_text(text_slice(&all));
	part->value.kind = bytes ? PYTHON_BYTES : PYTHON_TEXT;
	return parse_end(p, part, joined);
}

struct python_node *parse_number(struct parser *p)
{
	struct python_node *node = parse_node(p, NODE_CONSTANT);
	struct text digits = {0};
	const char *word;
	char *end;
	unsigned base = 10;

	for (size_t i = 0; i < p->at->text.length; i++)
		if (p->at->text.at[i] != '_')
			text_add_byte(p->process, &digits, p->at->text.at[i]);
	word = digits.data;
	if (word[0] == '0' && strchr("xXoObB", word[1]) && word[1])
		base = (word[1] | 32) == 'x' ? 16 : (word[1] | 32) == 'o' ? 8 : 2;
	errno = 0;
	if (base == 10 && word[strspn(word, "0123456789")])
		node->value = python_float(strtod(word, &end));
	else
		node->value =
			python_int((int64_t)strtoll(base == 10 ? word : word + 2, &end, (int)base));
	if (*end || (errno == ERANGE && node->value.kind == PYTHON_INT))
		p->beyond = p->failed = true; /* 1j, numbers without end */
	p->at++;
	return parse_end(p, node, NULL);
}
