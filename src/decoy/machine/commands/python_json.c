/* Python's json; see python.h. */
#include <math.h>
#include <stdlib.h>

#include "decoy/machine/commands/python.h"

struct reader {
	struct python *py;
	struct slice text;
	size_t at;
	unsigned depth;
	bool failed;
};

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

/* --- read --- */

static void fail(struct reader *r, const char *words, size_t at)
{
#define DECODED                                         \
	{                                               \
		"json/__init__.py", "loads", 346, 7, 26 \
	}
	static const struct python_place none[] = {
		DECODED,
		{"json/decoder.py", "decode", 337, 11, 37, "self.raw_decode(s, idx"},
		{"json/decoder.py", "raw_decode", 355, 0, 0, "Expecting value"},
		{NULL}};
	static const struct python_place wrong[] = {
		DECODED,
		{"json/decoder.py", "decode", 337, 11, 37, "self.raw_decode(s, idx"},
		{"json/decoder.py", "raw_decode", 353, 11, 22, "self.scan_once(s, idx)"},
		{NULL}};
	static const struct python_place more[] = {
		DECODED, {"json/decoder.py", "decode", 340, 0, 0, "Extra data"}, {NULL}};
	unsigned line = 1;
	size_t start = 0;

	if (r->failed)
		return;
	r->failed = true;
	for (size_t i = 0; i < at; i++)
		if (r->text.at[i] == '\n') {
			line++;
			start = i + 1;
		}
	(void)python_raise_in(r->py,
			      strcmp(words, "Expecting value") == 0 ? none
			      : strcmp(words, "Extra data") == 0    ? more
								    : wrong,
			      "json.decoder.JSONDecodeError",
			      process_format(r->py->process, "%s: line %u column %zu (char %zu)",
					     words, line, at - start + 1, at));
}

static uint8_t ahead(struct reader *r)
{
	while (r->at < r->text.length && r->text.at[r->at] && strchr(" \t\n\r", r->text.at[r->at]))
		r->at++;
	return r->at < r->text.length ? r->text.at[r->at] : 0;
}

static struct python_value value_of(struct reader *r);

/* \uXXXX, and the second half of a pair. */
static uint32_t escaped_letter(struct reader *r)
{
	uint8_t bytes[2];
	uint32_t letter;

	if (slice_unhex(slice_first(slice_from(r->text, r->at), 4), bytes, 2) != 2) {
		fail(r, "Invalid \\uXXXX escape", r->at);
		return 0;
	}
	r->at += 4;
	letter = (uint32_t)bytes[0] << 8 | bytes[1];
	if (letter >= 0xd800 && letter < 0xdc00 && r->at + 6 <= r->text.length &&
	    r->text.at[r->at] == '\\' && r->text.at[r->at + 1] == 'u' &&
	    slice_unhex(slice_of(r->text.at + r->at + 2, 4), bytes, 2) == 2 && bytes[0] >= 0xdc) {
		r->at += 6;
		letter = 0x10000 + ((letter & 0x3ff) << 10) +
			 ((uint32_t)(bytes[0] & 3) << 8 | bytes[1]);
	}
	return letter;
}

static struct python_value text_of(struct reader *r)
{
	static const char letters[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
	struct process *p = r->py->process;
	struct text out = {0};
	size_t start = r->at++;

	text_add_words(p, &out, "");
	while (r->at < r->text.length && !r->failed) {
		uint8_t c = r->text.at[r->at++];
		const char *found;

		if (c == '"')
			return python_text(text_slice(&out));
		if (c < ' ')
			fail(r, "Invalid control character at", r->at - 1);
		if (c != '\\') {
			text_add_byte(p, &out, c);
			continue;
		}
		c = r->at < r->text.length ? r->text.at[r->at++] : 0;
		found = c ? strchr(letters, c) : NULL;
		if (found)
			text_add_byte(p, &out, (uint8_t)means[found - letters]);
		else if (c == 'u')
			python_add_letter(p, &out, escaped_letter(r));
		else
			fail(r, "Invalid \\escape", r->at - 2);
		process_step(p);
	}
	fail(r, "Unterminated string starting at", start);
	return python_none();
}

static struct python_value object_of(struct reader *r)
{
	struct python_value made = python_list(r->py, PYTHON_DICT), key;

	r->at++;
	if (ahead(r) == '}') {
		r->at++;
		return made;
	}
	while (!r->failed && !r->py->raised) {
		if (ahead(r) != '"') {
			fail(r, "Expecting property name enclosed in double quotes", r->at);
			break;
		}
		key = text_of(r);
		if (ahead(r) != ':') {
			fail(r, "Expecting ':' delimiter", r->at);
			break;
		}
		r->at++;
		(void)ahead(r);
		python_dict_set(r->py, made, key, value_of(r));
		if (ahead(r) == '}') {
			r->at++;
			break;
		}
		if (ahead(r) != ',')
			fail(r, "Expecting ',' delimiter", r->at);
		r->at++;
	}
	return made;
}

static struct python_value list_of(struct reader *r)
{
	struct python_value made = python_list(r->py, PYTHON_LIST);

	r->at++;
	if (ahead(r) == ']') {
		r->at++;
		return made;
	}
	while (!r->failed && !r->py->raised) {
		(void)ahead(r);
		python_append(r->py, made, value_of(r));
		if (ahead(r) == ']') {
			r->at++;
			break;
		}
		if (ahead(r) != ',')
			fail(r, "Expecting ',' delimiter", r->at);
		r->at++;
	}
	return made;
}

static struct python_value number_of(struct reader *r)
{
	size_t start = r->at, end = start;
	bool real = false;
	char *word;
	struct python_value made;

	for (;
	     end < r->text.length && r->text.at[end] && strchr("-+.eE0123456789", r->text.at[end]);
	     end++)
		real = real || strchr(".eE", r->text.at[end]);
	if (end == start || end - start > 400 || (end - start == 1 && r->text.at[start] == '-')) {
		fail(r, "Expecting value", start);
		return python_none();
	}
	r->at = end;
	word = process_copy_slice(r->py->process, slice_of(r->text.at + start, end - start));
	errno = 0;
	made = real ? python_float(strtod(word, NULL))
		    : python_int((int64_t)strtoll(word, NULL, 10));
	if (!real && errno == ERANGE)
		made = python_float(strtod(word, NULL));
	process_give(r->py->process, word);
	return made;
}

static struct python_value value_of(struct reader *r)
{
	static const struct {
		const char *word;
		struct python_value value;
	} words[] = {{"null", {.kind = PYTHON_NONE}},
		     {"true", {.kind = PYTHON_BOOL, .integer = 1}},
		     {"false", {.kind = PYTHON_BOOL, .integer = 0}},
		     {"NaN", {.kind = PYTHON_FLOAT, .real = (double)NAN}},
		     {"Infinity", {.kind = PYTHON_FLOAT, .real = (double)INFINITY}}};
	uint8_t c = ahead(r);

	process_step(r->py->process);
	if (python_deep(r->py)) {
		r->failed = true;
		return python_none();
	}
	if (c == '{')
		return object_of(r);
	if (c == '[')
		return list_of(r);
	if (c == '"')
		return text_of(r);
	for (size_t i = 0; i < ARRAY_COUNT(words); i++)
		if (slice_starts(slice_from(r->text, r->at), words[i].word)) {
			r->at += strlen(words[i].word);
			return words[i].value;
		}
	return number_of(r);
}

static struct python_value read_text(struct python *py, struct slice text)
{
	struct reader r = {.py = py, .text = text};
	struct python_value made = value_of(&r);

	if (ahead(&r))
		fail(&r, "Extra data", r.at);
	return r.failed ? python_none() : made;
}

static struct python_value loads(struct python *py, struct python_arguments *arguments)
{
	struct python_value of = first_of(arguments);

	if (of.kind == PYTHON_OPAQUE)
		return of;
	if (of.kind != PYTHON_TEXT && of.kind != PYTHON_BYTES)
		return python_raise(py, "TypeError",
				    "the JSON object must be str, bytes or bytearray, not %s",
				    python_type_name(of));
	return read_text(py, of.text);
}

static struct python_value load(struct python *py, struct python_arguments *arguments)
{
	struct python_value file = first_of(arguments);

	if (file.kind != PYTHON_FILE)
		return python_opaque();
	return read_text(py, python_read(py, file, SIZE_MAX));
}

/* --- written --- */

struct shape {
	int64_t indent; /* -1: all in a line */
	bool sorted, plain;
	struct slice comma, colon;
};

static void add_value(struct python *py, struct text *out, struct python_value v,
		      const struct shape *shape, unsigned depth);

static void add_letter(struct python *py, struct text *out, struct slice letter)
{
	static const uint8_t masks[] = {0, 0, 0x1f, 0x0f, 0x07};
	uint32_t code = letter.at[0] & masks[letter.length];

	for (size_t i = 1; i < letter.length; i++)
		code = code << 6 | (letter.at[i] & 63);
	if (code < 0x10000)
		text_format(py->process, out, "\\u%04x", code);
	else
		text_format(py->process, out, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10),
			    0xdc00 + ((code - 0x10000) & 0x3ff));
}

static void add_text(struct python *py, struct text *out, struct slice text, bool plain)
{
	static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";

	text_add_byte(py->process, out, '"');
	while (text.length) {
		uint8_t c = text.at[0];
		const char *found = c ? strchr(special, c) : NULL;
		size_t length = 1;

		if (found) {
			text_format(py->process, out, "\\%c", letters[found - special]);
		} else if (c < ' ') {
			text_format(py->process, out, "\\u%04x", c);
		} else if (c < 128) {
			text_add_byte(py->process, out, c);
		} else {
			length = utf8_sequence(text);
			if (length && !plain)
				add_letter(py, out, slice_first(text, length));
			else
				text_add(py->process, out, slice_first(text, length ? length : 1));
			length = length ? length : 1;
		}
		text = slice_from(text, length);
		process_step(py->process);
	}
	text_add_byte(py->process, out, '"');
}

static void add_break(struct python *py, struct text *out, const struct shape *shape,
		      unsigned depth)
{
	if (shape->indent < 0)
		return;
	text_add_byte(py->process, out, '\n');
	for (int64_t i = 0; i < shape->indent * depth; i++)
		text_add_byte(py->process, out, ' ');
}

static void add_items(struct python *py, struct text *out, struct python_value v,
		      const struct shape *shape, unsigned depth)
{
	bool dict = v.kind == PYTHON_DICT;
	struct python_list *items = v.list;

	if (!items->count) {
		text_add_words(py->process, out, dict ? "{}" : "[]");
		return;
	}
	if (dict && shape->sorted) {
		struct python_value pairs =
			python_method(py, v, "items", &(struct python_arguments){0});
		struct python_value ordered = python_list(py, PYTHON_LIST);

		python_sort(py, pairs.list, NULL, 1);
		for (size_t i = 0; i < pairs.list->count; i++) {
			python_append(py, ordered, pairs.list->items[i].list->items[0]);
			python_append(py, ordered, pairs.list->items[i].list->items[1]);
		}
		items = ordered.list;
	}
	text_add_byte(py->process, out, dict ? '{' : '[');
	for (size_t i = 0; i < items->count && !py->raised; i += dict ? 2 : 1) {
		if (i)
			text_add(py->process, out, shape->comma);
		add_break(py, out, shape, depth + 1);
		if (dict) {
			struct python_value key = items->items[i];

			add_text(py, out,
				 key.kind == PYTHON_NONE ? SLICE("null")
				 : key.kind == PYTHON_BOOL
					 ? key.integer ? SLICE("true") : SLICE("false")
					 : python_str(py, key),
				 shape->plain);
			text_add(py->process, out, shape->colon);
		}
		add_value(py, out, items->items[dict ? i + 1 : i], shape, depth + 1);
		if (out->length > PYTHON_TEXT_MAX)
			(void)python_raise(py, "MemoryError", "%s", "");
	}
	add_break(py, out, shape, depth);
	text_add_byte(py->process, out, dict ? '}' : ']');
}

static void add_value(struct python *py, struct text *out, struct python_value v,
		      const struct shape *shape, unsigned depth)
{
	if (depth > PYTHON_NESTED_MAX) {
		(void)python_raise(py, "ValueError", "Circular reference detected");
		return;
	}
	switch (v.kind) {
	case PYTHON_NONE:
		text_add_words(py->process, out, "null");
		break;
	case PYTHON_BOOL:
		text_add_words(py->process, out, v.integer ? "true" : "false");
		break;
	case PYTHON_INT:
	case PYTHON_FLOAT:
		text_add(py->process, out,
			 v.kind == PYTHON_FLOAT && isnan(v.real) ? SLICE("NaN")
			 : v.kind == PYTHON_FLOAT && isinf(v.real)
				 ? v.real < 0 ? SLICE("-Infinity") : SLICE("Infinity")
				 : python_repr(py, v));
		break;
	case PYTHON_TEXT:
		add_text(py, out, v.text, shape->plain);
		break;
	case PYTHON_LIST:
	case PYTHON_TUPLE:
	case PYTHON_DICT:
		add_items(py, out, v, shape, depth);
		break;
	case PYTHON_OPAQUE:
		text_add_words(py->process, out, "{}");
		break;
	default:
		(void)python_raise(py, "TypeError", "Object of type %s is not JSON serializable",
				   python_type_name(v));
	}
}

static struct slice written(struct python *py, const struct python_arguments *arguments)
{
	struct python_value indent = python_argument(arguments, SIZE_MAX, "indent");
	struct python_value marks = python_argument(arguments, SIZE_MAX, "separators");
	struct shape shape = {.indent = -1, .comma = SLICE(", "), .colon = SLICE(": ")};
	struct text out = {0};

	if (indent.kind == PYTHON_INT) {
		shape.indent = indent.integer < 0 ? 0 : indent.integer > 40 ? 40 : indent.integer;
		shape.comma = SLICE(",");
	}
	if (marks.kind == PYTHON_TUPLE && marks.list->count == 2 &&
	    marks.list->items[0].kind == PYTHON_TEXT && marks.list->items[1].kind == PYTHON_TEXT) {
		shape.comma = marks.list->items[0].text;
		shape.colon = marks.list->items[1].text;
	}
	shape.sorted = python_truth(python_argument(arguments, SIZE_MAX, "sort_keys"));
	for (size_t i = 0; i < arguments->count; i++)
		if (slice_is(arguments->names[i], "ensure_ascii"))
			shape.plain = !python_truth(arguments->values[i]);
	text_add_words(py->process, &out, "");
	add_value(py, &out, first_of(arguments), &shape, 0);
	return text_slice(&out);
}

static struct python_value dumps(struct python *py, struct python_arguments *arguments)
{
	return python_text(written(py, arguments));
}

static struct python_value dump(struct python *py, struct python_arguments *arguments)
{
	struct python_value file = python_argument(arguments, 1, "fp");
	struct python_value text = python_text(written(py, arguments));
	struct slice none = {0};
	struct python_arguments one = {&text, &none, 1};

	if (file.kind == PYTHON_FILE && !py->raised)
		(void)python_method(py, file, "write", &one);
	return python_none();
}

const struct python_entry python_json_functions[] = {{"json.loads", loads},
						     {"json.load", load},
						     {"json.dumps", dumps},
						     {"json.dump", dump},
						     {0}};
