/* What Python's texts and bytes can do; see python.h. */
#include <ctype.h>
#include <stdlib.h>

#include "decoy/machine/commands/python.h"

static struct python_value first_of(const struct python_arguments *arguments)
{
	return python_argument(arguments, 0, NULL);
}

/* Of the same kind as another. */
static struct python_value like(struct python_value self, struct slice text)
{
	self.text = text;
	return self;
}

/* An argument that must be of the kind of the text itself. */
static bool is_other(struct python *py, struct python_value self, struct python_value what)
{
	if (what.kind == self.kind || what.kind == PYTHON_OPAQUE)
		return false;
	if (self.kind == PYTHON_TEXT)
		(void)python_raise(py, "TypeError", "must be str, not %s", python_type_name(what));
	else
		(void)python_raise(py, "TypeError", "a bytes-like object is required, not '%s'",
				   python_type_name(what));
	return true;
}

/* --- letters --- */

static struct python_value mapped(struct python *py, struct python_value self, char how)
{
	struct text out = {0};
	bool within = false;

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < self.text.length; i++) {
		uint8_t c = self.text.at[i];
		bool up = how == 'u' || (how == 'c' && i == 0) || (how == 't' && !within) ||
			  (how == 's' && islower(c));

		if (i % 64 == 0)
			process_step(py->process);
		within = isalpha(c);
		text_add_byte(py->process, &out,
			      c >= 128 ? c : (uint8_t)(up ? toupper(c) : tolower(c)));
	}
	return like(self, text_slice(&out));
}

static struct python_value do_upper(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return mapped(py, self, 'u');
}

static struct python_value do_lower(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return mapped(py, self, 'l');
}

static struct python_value do_title(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return mapped(py, self, 't');
}

static struct python_value do_capitalize(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	return mapped(py, self, 'c');
}

static struct python_value do_swap(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	return mapped(py, self, 's');
}

static struct python_value all_are(struct python_value self, int is(int))
{
	for (size_t i = 0; i < self.text.length; i++)
		if (!(self.text.at[i] >= 128 && is == isalpha) && !is(self.text.at[i]))
			return python_bool(false);
	return python_bool(self.text.length > 0);
}

static struct python_value is_digits(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return all_are(self, isdigit);
}

static struct python_value is_letters(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	return all_are(self, isalpha);
}

static struct python_value is_either(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return all_are(self, isalnum);
}

static struct python_value is_blank(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return all_are(self, isspace);
}

static struct python_value is_small(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	bool any = false;

	for (size_t i = 0; i < self.text.length; i++) {
		if (isupper(self.text.at[i]))
			return python_bool(false);
		any = any || islower(self.text.at[i]);
	}
	return python_bool(any);
}

static struct python_value is_large(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	bool any = false;

	for (size_t i = 0; i < self.text.length; i++) {
		if (islower(self.text.at[i]))
			return python_bool(false);
		any = any || isupper(self.text.at[i]);
	}
	return python_bool(any);
}

/* --- looking for parts --- */

/* Bounds of the part that is looked through, given as arguments 1 and 2; false: there is none. */
static bool window(struct python_value self, const struct python_arguments *arguments, size_t *from,
		   size_t *to)
{
	struct python_value given[2] = {python_argument(arguments, 1, NULL),
					python_argument(arguments, 2, NULL)};
	bool letters = self.kind == PYTHON_TEXT;
	int64_t count = (int64_t)(letters ? python_letters(self.text) : self.text.length);
	int64_t bounds[2] = {0, count};

	for (size_t i = 0; i < 2; i++) {
		if (given[i].kind != PYTHON_INT)
			continue;
		bounds[i] = given[i].integer;
		if (bounds[i] < 0)
			bounds[i] = bounds[i] < -count ? 0 : bounds[i] + count;
		else if (bounds[i] > count)
			bounds[i] = i ? count : count + 1;
	}
	if (bounds[0] > bounds[1])
		return false;
	*from = letters ? python_letter_at(self.text, (size_t)bounds[0]) : (size_t)bounds[0];
	*to = letters ? python_letter_at(self.text, (size_t)bounds[1]) : (size_t)bounds[1];
	return true;
}

static size_t last_place(struct slice in, struct slice what)
{
	for (size_t i = in.length + 1; i-- > 0;)
		if (i + what.length <= in.length && memcmp(in.at + i, what.at, what.length) == 0)
			return i;
	return SIZE_MAX;
}

static struct python_value found(struct python *py, struct python_value self,
				 const struct python_arguments *arguments, bool last, bool must)
{
	struct python_value what = first_of(arguments);
	uint8_t byte = (uint8_t)what.integer;
	size_t from, to, at = SIZE_MAX;
	struct slice part;

	if (self.kind == PYTHON_BYTES && what.kind == PYTHON_INT)
		what = python_bytes(slice_of(&byte, 1));
	if (is_other(py, self, what))
		return python_none();
	if (window(self, arguments, &from, &to)) {
		part = slice_of(self.text.at + from, to - from);
		at = what.text.length == 0 ? (last ? part.length : 0)
		     : last                ? last_place(part, what.text)
					   : slice_find(part, what.text);
	}
	process_step(py->process);
	if (at == SIZE_MAX)
		return must ? python_raise(py, "ValueError",
					   self.kind == PYTHON_TEXT ? "substring not found"
								    : "subsection not found")
			    : python_int(-1);
	at += from;
	return python_int((int64_t)(self.kind == PYTHON_TEXT
					    ? python_letters(slice_first(self.text, at))
					    : at));
}

static struct python_value do_find(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	return found(py, self, arguments, false, false);
}

static struct python_value do_find_last(struct python *py, struct python_value self,
					struct python_arguments *arguments)
{
	return found(py, self, arguments, true, false);
}

static struct python_value do_index(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return found(py, self, arguments, false, true);
}

static struct python_value do_index_last(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	return found(py, self, arguments, true, true);
}

static struct python_value do_count(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	struct python_value what = first_of(arguments);
	struct slice rest = self.text;
	int64_t count = 0;
	size_t at;

	if (is_other(py, self, what))
		return python_none();
	if (!what.text.length)
		return python_int((int64_t)python_letters(self.text) + 1);
	while ((at = slice_find(rest, what.text)) != SIZE_MAX) {
		count++;
		rest = slice_from(rest, at + what.text.length);
		process_step(py->process);
	}
	return python_int(count);
}

static struct python_value has_end(struct python *py, struct python_value self,
				   struct python_value end, bool first)
{
	if (end.kind == PYTHON_TUPLE) {
		for (size_t i = 0; i < end.list->count; i++)
			if (python_truth(has_end(py, self, end.list->items[i], first)))
				return python_bool(true);
		return python_bool(false);
	}
	if (end.kind != self.kind)
		return python_raise(py, "TypeError",
				    "%s first arg must be %s or a tuple of %s, not %s",
				    first ? "startswith" : "endswith", python_type_name(self),
				    python_type_name(self), python_type_name(end));
	if (end.text.length > self.text.length)
		return python_bool(false);
	return python_bool(
		memcmp(first ? self.text.at : self.text.at + self.text.length - end.text.length,
		       end.text.at, end.text.length) == 0);
}

static struct python_value do_starts(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	size_t from, to;

	if (!window(self, arguments, &from, &to))
		return python_bool(false);
	return has_end(py, like(self, slice_of(self.text.at + from, to - from)),
		       first_of(arguments), true);
}

static struct python_value do_ends(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	return has_end(py, self, first_of(arguments), false);
}

/* --- taken apart and put together --- */

static bool is_among(uint8_t c, struct python_value set)
{
	return set.kind == PYTHON_TEXT || set.kind == PYTHON_BYTES
		       ? slice_find_byte(set.text, c) != SIZE_MAX
		       : isspace(c) != 0;
}

static struct python_value strip(struct python_value self, struct python_value set, bool left,
				 bool right)
{
	struct slice text = self.text;

	while (left && text.length && is_among(text.at[0], set))
		text = slice_from(text, 1);
	while (right && text.length && is_among(text.at[text.length - 1], set))
		text.length--;
	return like(self, text);
}

static struct python_value do_strip(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return strip(self, first_of(arguments), true, true);
}

static struct python_value do_strip_left(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	return strip(self, first_of(arguments), true, false);
}

static struct python_value do_strip_right(struct python *py, struct python_value self,
					  struct python_arguments *arguments)
{
	return strip(self, first_of(arguments), false, true);
}

static struct python_value do_remove_first(struct python *py, struct python_value self,
					   struct python_arguments *arguments)
{
	struct python_value end = first_of(arguments);

	return end.kind == self.kind && python_truth(has_end(py, self, end, true))
		       ? like(self, slice_from(self.text, end.text.length))
		       : self;
}

static struct python_value do_remove_last(struct python *py, struct python_value self,
					  struct python_arguments *arguments)
{
	struct python_value end = first_of(arguments);

	return end.kind == self.kind && python_truth(has_end(py, self, end, false))
		       ? like(self, slice_first(self.text, self.text.length - end.text.length))
		       : self;
}

static void split_blanks(struct python *py, struct python_value self, struct python_value made,
			 int64_t most)
{
	struct slice rest = strip(self, python_none(), true, false).text;

	while (rest.length && !py->raised) {
		size_t length = 0;

		while (length < rest.length && !isspace(rest.at[length]))
			length++;
		if (most-- == 0) {
			python_append(py, made,
				      strip(like(self, rest), python_none(), false, true));
			return;
		}
		python_append(py, made, like(self, slice_first(rest, length)));
		rest = strip(like(self, slice_from(rest, length)), python_none(), true, false).text;
	}
}

static struct python_value do_split(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	struct python_value by = python_argument(arguments, 0, "sep");
	struct python_value given = python_argument(arguments, 1, "maxsplit");
	int64_t most = given.kind == PYTHON_INT ? given.integer : -1;
	struct slice rest = self.text;
	size_t at;

	if (by.kind == PYTHON_NONE) {
		split_blanks(py, self, made, most);
		return made;
	}
	if (is_other(py, self, by))
		return python_none();
	if (!by.text.length)
		return python_raise(py, "ValueError", "empty separator");
	while (most-- != 0 && !py->raised && (at = slice_find(rest, by.text)) != SIZE_MAX) {
		python_append(py, made, like(self, slice_first(rest, at)));
		rest = slice_from(rest, at + by.text.length);
	}
	python_append(py, made, like(self, rest));
	return made;
}

static struct python_value do_split_last(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	struct python_value by = python_argument(arguments, 0, "sep");
	struct python_value given = python_argument(arguments, 1, "maxsplit");
	int64_t most = given.kind == PYTHON_INT ? given.integer : -1;
	struct slice rest = self.text;
	struct python_arguments none = {0};
	size_t at;

	if (most < 0 || by.kind != self.kind || !by.text.length)
		return do_split(py, self, arguments);
	while (most-- > 0 && !py->raised && (at = last_place(rest, by.text)) != SIZE_MAX) {
		python_append(py, made, like(self, slice_from(rest, at + by.text.length)));
		rest = slice_first(rest, at);
	}
	python_append(py, made, like(self, rest));
	(void)python_method(py, made, "reverse", &none);
	return made;
}

static struct python_value do_lines(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	bool keep = python_truth(python_argument(arguments, 0, "keepends"));
	struct slice rest = self.text;

	while (rest.length && !py->raised) {
		size_t end = 0, length;

		while (end < rest.length && rest.at[end] != '\n' && rest.at[end] != '\r')
			end++;
		length = end + (end < rest.length);
		if (length < rest.length && rest.at[end] == '\r' && rest.at[length] == '\n')
			length++;
		python_append(py, made, like(self, slice_first(rest, keep ? length : end)));
		rest = slice_from(rest, length);
	}
	return made;
}

static struct python_value parted(struct python *py, struct python_value self,
				  struct python_value by, bool last)
{
	struct python_value made = python_list(py, PYTHON_TUPLE), empty = like(self, SLICE(""));
	size_t at;

	if (is_other(py, self, by))
		return python_none();
	if (!by.text.length)
		return python_raise(py, "ValueError", "empty separator");
	at = last ? last_place(self.text, by.text) : slice_find(self.text, by.text);
	if (at == SIZE_MAX) {
		python_append(py, made, last ? empty : self);
		python_append(py, made, empty);
		python_append(py, made, last ? self : empty);
		return made;
	}
	python_append(py, made, like(self, slice_first(self.text, at)));
	python_append(py, made, by);
	python_append(py, made, like(self, slice_from(self.text, at + by.text.length)));
	return made;
}

static struct python_value do_part(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	return parted(py, self, first_of(arguments), false);
}

static struct python_value do_part_last(struct python *py, struct python_value self,
					struct python_arguments *arguments)
{
	return parted(py, self, first_of(arguments), true);
}

static bool is_too_long(struct python *py, size_t length)
{
	if (length <= PYTHON_TEXT_MAX)
		return false;
	(void)python_raise(py, "MemoryError", "%s", "");
	return true;
}

static struct python_value do_join(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	struct python_value of = first_of(arguments);
	struct python_list *items;
	struct text out = {0};

	if (python_is_number(of) || of.kind == PYTHON_NONE)
		return python_raise(py, "TypeError", "can only join an iterable");
	items = python_items(py, of);
	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < items->count && !py->raised; i++) {
		struct python_value item = items->items[i];

		if (item.kind == PYTHON_OPAQUE)
			continue;
		if (item.kind != self.kind)
			return python_raise(py, "TypeError",
					    self.kind == PYTHON_TEXT
						    ? "sequence item %zu: expected str instance, "
						      "%s found"
						    : "sequence item %zu: expected a bytes-like "
						      "object, %s found",
					    i, python_type_name(item));
		if (is_too_long(py, out.length + self.text.length + item.text.length))
			break;
		if (i)
			text_add(py->process, &out, self.text);
		text_add(py->process, &out, item.text);
		process_step(py->process);
	}
	return like(self, text_slice(&out));
}

static struct python_value do_replace(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	struct python_value from = first_of(arguments), to = python_argument(arguments, 1, NULL);
	struct python_value given = python_argument(arguments, 2, "count");
	int64_t most = given.kind == PYTHON_INT ? given.integer : -1;
	struct slice rest = self.text;
	struct text out = {0};
	size_t at;

	if (is_other(py, self, from) || is_other(py, self, to))
		return python_none();
	text_add_words(py->process, &out, "");
	while (most-- != 0 && !py->raised && from.text.length &&
	       (at = slice_find(rest, from.text)) != SIZE_MAX) {
		if (is_too_long(py, out.length + at + to.text.length))
			break;
		text_add(py->process, &out, slice_first(rest, at));
		text_add(py->process, &out, to.text);
		rest = slice_from(rest, at + from.text.length);
		process_step(py->process);
	}
	text_add(py->process, &out, rest);
	return like(self, text_slice(&out));
}

static struct python_value padded(struct python *py, struct python_value self,
				  const struct python_arguments *arguments, char how)
{
	struct python_value width = first_of(arguments), fill = python_argument(arguments, 1, NULL);
	size_t length = self.kind == PYTHON_TEXT ? python_letters(self.text) : self.text.length;
	size_t missing, before;
	struct text out = {0};

	if (width.kind != PYTHON_INT || width.integer <= (int64_t)length)
		return self;
	if (is_too_long(py, (size_t)width.integer))
		return python_none();
	missing = (size_t)width.integer - length;
	before = how == 'l'   ? 0
		 : how == 'c' ? missing / 2 + (missing & (size_t)width.integer & 1)
			      : missing;
	if (fill.kind != self.kind)
		fill = python_words(how == 'z' ? "0" : " ");
	if (how == 'z' && self.text.length && (self.text.at[0] == '-' || self.text.at[0] == '+')) {
		text_add(py->process, &out, slice_first(self.text, 1));
		self.text = slice_from(self.text, 1);
	}
	for (size_t i = 0; i < before; i++)
		text_add(py->process, &out, fill.text);
	text_add(py->process, &out, self.text);
	for (size_t i = before; i < missing; i++)
		text_add(py->process, &out, fill.text);
	return like(self, text_slice(&out));
}

static struct python_value do_left(struct python *py, struct python_value self,
				   struct python_arguments *arguments)
{
	return padded(py, self, arguments, 'l');
}

static struct python_value do_right(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return padded(py, self, arguments, 'r');
}

static struct python_value do_center(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return padded(py, self, arguments, 'c');
}

static struct python_value do_zeros(struct python *py, struct python_value self,
				    struct python_arguments *arguments)
{
	return padded(py, self, arguments, 'z');
}

static struct python_value do_format(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return like(self, python_format(py, self.text, arguments));
}

/* --- between texts and bytes --- */

static struct python_value do_encode(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	struct python_value name = python_argument(arguments, 0, "encoding");
	struct text out = {0};

	if (name.kind == PYTHON_TEXT &&
	    (slice_is_nocase(name.text, "ascii") || slice_is_nocase(name.text, "latin-1") ||
	     slice_is_nocase(name.text, "latin1")))
		for (size_t i = 0; i < self.text.length; i++)
			if (self.text.at[i] >= 128 && (name.text.at[0] | 32) == 'a')
				return python_raise(py, "UnicodeEncodeError",
						    "'ascii' codec can't encode character in "
						    "position %zu: ordinal not in range(128)",
						    python_letters(slice_first(self.text, i)));
	if (name.kind == PYTHON_TEXT && slice_starts_nocase(name.text, "latin")) {
		text_add_words(py->process, &out, "");
		for (size_t i = 0; i < self.text.length; i++) {
			uint8_t c = self.text.at[i];

			if (c >= 0xc0 && i + 1 < self.text.length)
				c = (uint8_t)(c << 6 | (self.text.at[++i] & 63));
			text_add_byte(py->process, &out, c);
		}
		return python_bytes(text_slice(&out));
	}
	return python_bytes(self.text);
}

static struct python_value not_letters(struct python *py, struct slice bytes, size_t at)
{
	bool start = bytes.at[at] < 0xc2 || bytes.at[at] > 0xf4;
	size_t left = bytes.length - at;
	bool ended = !start && left < (bytes.at[at] >= 0xf0 ? 4u : bytes.at[at] >= 0xe0 ? 3u : 2u);

	return python_raise(py, "UnicodeDecodeError",
			    "'utf-8' codec can't decode byte 0x%02x in position %zu: %s",
			    bytes.at[at], at,
			    start   ? "invalid start byte"
			    : ended ? "unexpected end of data"
				    : "invalid continuation byte");
}

static struct python_value do_decode(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	struct python_value name = python_argument(arguments, 0, "encoding");
	struct python_value errors = python_argument(arguments, 1, "errors");
	bool latin = name.kind == PYTHON_TEXT && slice_starts_nocase(name.text, "latin");
	struct slice rest = self.text;
	struct text out = {0};

	text_add_words(py->process, &out, "");
	while (rest.length) {
		size_t length = rest.at[0] < 128 ? 1 : utf8_sequence(rest);

		if (latin) {
			python_add_letter(py->process, &out, rest.at[0]);
			length = 1;
		} else if (length) {
			text_add(py->process, &out, slice_first(rest, length));
		} else if (errors.kind != PYTHON_TEXT || slice_is(errors.text, "strict")) {
			return not_letters(py, self.text, (size_t)(rest.at - self.text.at));
		} else {
			if (slice_is(errors.text, "replace"))
				text_add_words(py->process, &out, "\xef\xbf\xbd");
			length = 1;
		}
		rest = slice_from(rest, length);
		process_step(py->process);
	}
	return python_text(text_slice(&out));
}

static struct python_value do_hex(struct python *py, struct python_value self,
				  struct python_arguments *arguments)
{
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < self.text.length; i++)
		text_format(py->process, &out, "%02x", self.text.at[i]);
	return python_text(text_slice(&out));
}

static const struct python_method_entry methods[] = {
	{"upper", do_upper},
	{"lower", do_lower},
	{"title", do_title},
	{"capitalize", do_capitalize},
	{"swapcase", do_swap},
	{"casefold", do_lower},
	{"isdigit", is_digits},
	{"isnumeric", is_digits},
	{"isdecimal", is_digits},
	{"isalpha", is_letters},
	{"isalnum", is_either},
	{"isspace", is_blank},
	{"islower", is_small},
	{"isupper", is_large},
	{"find", do_find},
	{"rfind", do_find_last},
	{"index", do_index},
	{"rindex", do_index_last},
	{"count", do_count},
	{"startswith", do_starts},
	{"endswith", do_ends},
	{"strip", do_strip},
	{"lstrip", do_strip_left},
	{"rstrip", do_strip_right},
	{"removeprefix", do_remove_first},
	{"removesuffix", do_remove_last},
	{"split", do_split},
	{"rsplit", do_split_last},
	{"splitlines", do_lines},
	{"partition", do_part},
	{"rpartition", do_part_last},
	{"join", do_join},
	{"replace", do_replace},
	{"ljust", do_left},
	{"rjust", do_right},
	{"center", do_center},
	{"zfill", do_zeros},
	{0},
};
static const struct python_method_entry text_methods[] = {
	{"format", do_format}, {"encode", do_encode}, {0}};
static const struct python_method_entry bytes_methods[] = {
	{"decode", do_decode}, {"hex", do_hex}, {0}};

python_method_function *python_text_method(struct python_value self, const char *name)
{
	const struct python_method_entry *tables[] = {
		methods, self.kind == PYTHON_TEXT ? text_methods : bytes_methods};

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		for (const struct python_method_entry *entry = tables[i]; entry->name; entry++)
			if (strcmp(entry->name, name) == 0)
				return entry->run;
	return NULL;
}
