/* Python's re; see python.h. A pattern's thing has its text and flags, a match's its groups. */
#include "decoy/machine/regex.h"

#include "decoy/machine/commands/python.h"

enum { IGNORE_CASE = 2, MANY_LINES = 8, DOT_ALL = 16 };

static struct python_value make_pattern(struct python *py, struct python_value of, int64_t flags)
{
	struct python_value made = python_thing(py, "re.Pattern");
	struct slice shown = python_repr(py, of);

	python_thing_set(py, made, "pattern", of);
	python_thing_set(py, made, "flags", python_int(flags));
	made.object->text = slice_text(process_format(py->process, "re.compile(%.*s)",
						      (int)shown.length, (const char *)shown.at));
	return made;
}

/* "(?P<name>" is Perl's "(?<name>" too, so the text stays; flags go before it. */
static struct regex *compiled(struct python *py, struct python_value pattern)
{
	struct python_value of = python_thing_get(py, pattern, "pattern");
	int64_t flags = python_integer(python_thing_get(py, pattern, "flags"));
	const char *why = NULL;
	struct text text = {0};
	struct regex *regex;

	if (of.kind != PYTHON_TEXT && of.kind != PYTHON_BYTES) {
		(void)python_raise(py, "TypeError",
				   "first argument must be string or compiled pattern");
		return NULL;
	}
	text_add_words(py->process, &text, flags & DOT_ALL ? "(?s)" : "");
	text_add(py->process, &text, of.text);
	regex = regex_new(py->process, text_slice(&text), REGEX_PERL,
			  (flags & IGNORE_CASE ? REGEX_IGNORE_CASE : 0u) |
				  (flags & MANY_LINES ? REGEX_LINES : 0u),
			  &why);
	if (!regex)
		(void)python_raise(py, "re.error", "%s", why ? why : "bad pattern");
	return regex;
}

static struct python_value group_at(struct python_value subject, const struct regex_span *span)
{
	if (span->start == SIZE_MAX)
		return python_none();
	subject.text = slice_of(subject.text.at + span->start, span->end - span->start);
	return subject;
}

static struct python_value make_match(struct python *py, struct regex *regex,
				      struct python_value subject, const struct regex_span *spans)
{
	struct python_value made = python_thing(py, "re.Match");
	struct python_value groups = python_list(py, PYTHON_TUPLE);
	struct slice shown = python_repr(py, group_at(subject, &spans[0]));

	for (unsigned i = 0; i <= regex_groups(regex) && i < REGEX_SPANS; i++)
		python_append(py, groups, group_at(subject, &spans[i]));
	python_thing_set(py, made, "groups_", groups);
	python_thing_set(py, made, "start_", python_int((int64_t)spans[0].start));
	python_thing_set(py, made, "end_", python_int((int64_t)spans[0].end));
	made.object->text = slice_text(process_format(
		py->process, "<re.Match object; span=(%zu, %zu), match=%.*s>", spans[0].start,
		spans[0].end, (int)shown.length, (const char *)shown.at));
	return made;
}

enum how { SEARCH, MATCH, WHOLE };

static struct python_value look(struct python *py, struct python_value pattern,
				struct python_value subject, enum how how)
{
	struct regex_span spans[REGEX_SPANS];
	struct regex *regex;
	struct python_value made = python_none();

	if (subject.kind == PYTHON_OPAQUE)
		return subject;
	if (subject.kind != PYTHON_TEXT && subject.kind != PYTHON_BYTES)
		return python_raise(py, "TypeError",
				    "expected string or bytes-like object, got '%s'",
				    python_type_name(subject));
	regex = compiled(py, pattern);
	if (!regex)
		return made;
	if (regex_match(py->process, regex, subject.text, 0, spans, REGEX_SPANS) &&
	    (how == SEARCH || spans[0].start == 0) &&
	    (how != WHOLE || spans[0].end == subject.text.length))
		made = make_match(py, regex, subject, spans);
	regex_free(py->process, regex);
	return made;
}

/* Each match in turn: false ends it. */
typedef void each_match(struct python *py, struct python_value match, struct python_value made);

static void walk(struct python *py, struct python_value pattern, struct python_value subject,
		 each_match *each, struct python_value made)
{
	struct regex *regex = compiled(py, pattern);
	struct regex_span spans[REGEX_SPANS];
	size_t at = 0;

	while (regex && at <= subject.text.length && !python_fails(py) &&
	       regex_match(py->process, regex, subject.text, at, spans, REGEX_SPANS)) {
		each(py, make_match(py, regex, subject, spans), made);
		at = spans[0].end > spans[0].start ? spans[0].end : spans[0].end + 1;
		process_step(py->process);
	}
	regex_free(py->process, regex);
}

static void keep_match(struct python *py, struct python_value match, struct python_value made)
{
	python_append(py, made, match);
}

static struct python_list *matches(struct python *py, struct python_value pattern,
				   struct python_value subject)
{
	struct python_value made = python_list(py, PYTHON_LIST);

	if (subject.kind == PYTHON_TEXT || subject.kind == PYTHON_BYTES)
		walk(py, pattern, subject, keep_match, made);
	return made.list;
}

static struct python_list *groups_of(struct python *py, struct python_value match)
{
	return python_thing_get(py, match, "groups_").list;
}

static struct python_value find_all(struct python *py, struct python_value pattern,
				    struct python_value subject)
{
	struct python_value made = python_list(py, PYTHON_LIST);
	struct python_list *all = matches(py, pattern, subject);

	for (size_t i = 0; i < all->count && !py->raised; i++) {
		struct python_list *groups = groups_of(py, all->items[i]);
		struct python_value row;

		if (groups->count <= 2) {
			python_append(py, made, groups->items[groups->count - 1]);
			continue;
		}
		row = python_list(py, PYTHON_TUPLE);
		for (size_t j = 1; j < groups->count; j++)
			python_append(py, row,
				      groups->items[j].kind == PYTHON_NONE ? python_words("")
									   : groups->items[j]);
		python_append(py, made, row);
	}
	return made;
}

static int64_t bound_of(struct python *py, struct python_value match, const char *name)
{
	return python_integer(python_thing_get(py, match, name));
}

/* "\1" and "\g<1>" within what replaces a match. */
static void add_template(struct python *py, struct text *out, struct slice words,
			 struct python_list *groups)
{
	for (size_t i = 0; i < words.length; i++) {
		uint8_t c = words.at[i], next = i + 1 < words.length ? words.at[i + 1] : 0;

		if (c == '\\' && next >= '0' && next <= '9') {
			size_t group = next - '0';

			if (group < groups->count)
				text_add(py->process, out, groups->items[group].text);
			i++;
		} else if (c == '\\' && next == 'g' && i + 4 < words.length &&
			   words.at[i + 2] == '<' && words.at[i + 4] == '>' &&
			   words.at[i + 3] >= '0' && words.at[i + 3] <= '9') {
			size_t group = words.at[i + 3] - '0';

			if (group < groups->count)
				text_add(py->process, out, groups->items[group].text);
			i += 4;
		} else if (c == '\\' && (next == 'n' || next == 't' || next == '\\')) {
			text_add_byte(py->process, out,
				      next == 'n'   ? '\n'
				      : next == 't' ? '\t'
						    : '\\');
			i++;
		} else {
			text_add_byte(py->process, out, c);
		}
	}
}

static struct python_value replaced(struct python *py, struct python_value pattern,
				    struct python_value by, struct python_value subject,
				    int64_t most)
{
	struct python_list *all = matches(py, pattern, subject);
	struct text out = {0};
	size_t at = 0;

	if (subject.kind != PYTHON_TEXT && subject.kind != PYTHON_BYTES)
		return subject.kind == PYTHON_OPAQUE
			       ? subject
			       : python_raise(py, "TypeError",
					      "expected string or bytes-like object, got '%s'",
					      python_type_name(subject));
	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < all->count && !python_fails(py) && (most <= 0 || (int64_t)i < most);
	     i++) {
		size_t start = (size_t)bound_of(py, all->items[i], "start_");

		text_add(py->process, &out, slice_of(subject.text.at + at, start - at));
		if (by.kind == PYTHON_TEXT || by.kind == PYTHON_BYTES) {
			add_template(py, &out, by.text, groups_of(py, all->items[i]));
		} else {
			struct slice none = {0};
			struct python_arguments one = {&all->items[i], &none, 1};

			text_add(py->process, &out, python_str(py, python_call(py, by, &one)));
		}
		at = (size_t)bound_of(py, all->items[i], "end_");
		if (out.length > PYTHON_TEXT_MAX)
			(void)python_raise(py, "MemoryError", "%s", "");
	}
	text_add(py->process, &out, slice_from(subject.text, at));
	subject.text = text_slice(&out);
	return subject;
}

static struct python_value split_by(struct python *py, struct python_value pattern,
				    struct python_value subject)
{
	struct python_value made = python_list(py, PYTHON_LIST), part = subject;
	struct python_list *all = matches(py, pattern, subject);
	size_t at = 0;

	for (size_t i = 0; i < all->count && !py->raised; i++) {
		struct python_list *groups = groups_of(py, all->items[i]);
		size_t start = (size_t)bound_of(py, all->items[i], "start_");

		part.text = slice_of(subject.text.at + at, start - at);
		python_append(py, made, part);
		for (size_t j = 1; j < groups->count; j++)
			python_append(py, made, groups->items[j]);
		at = (size_t)bound_of(py, all->items[i], "end_");
	}
	part.text = slice_from(subject.text, at);
	python_append(py, made, part);
	return made;
}

/* --- functions: a pattern, then what the method of one takes --- */

static struct python_value pattern_of(struct python *py, struct python_value given, int64_t flags)
{
	return given.kind == PYTHON_OBJECT ? given : make_pattern(py, given, flags);
}

static int64_t flags_of(const struct python_arguments *arguments, size_t place)
{
	struct python_value flags = python_argument(arguments, place, "flags");

	return flags.kind == PYTHON_INT ? flags.integer : 0;
}

static struct python_value looked(struct python *py, struct python_arguments *arguments,
				  enum how how)
{
	return look(
		py,
		pattern_of(py, python_argument(arguments, 0, "pattern"), flags_of(arguments, 2)),
		python_argument(arguments, 1, "string"), how);
}

static struct python_value do_search(struct python *py, struct python_arguments *arguments)
{
	return looked(py, arguments, SEARCH);
}

static struct python_value do_match(struct python *py, struct python_arguments *arguments)
{
	return looked(py, arguments, MATCH);
}

static struct python_value do_whole(struct python *py, struct python_arguments *arguments)
{
	return looked(py, arguments, WHOLE);
}

static struct python_value do_find_all(struct python *py, struct python_arguments *arguments)
{
	return find_all(
		py,
		pattern_of(py, python_argument(arguments, 0, "pattern"), flags_of(arguments, 2)),
		python_argument(arguments, 1, "string"));
}

static struct python_value do_sub(struct python *py, struct python_arguments *arguments)
{
	return replaced(
		py,
		pattern_of(py, python_argument(arguments, 0, "pattern"), flags_of(arguments, 4)),
		python_argument(arguments, 1, "repl"), python_argument(arguments, 2, "string"),
		python_integer(python_argument(arguments, 3, "count")));
}

static struct python_value do_split(struct python *py, struct python_arguments *arguments)
{
	return split_by(
		py,
		pattern_of(py, python_argument(arguments, 0, "pattern"), flags_of(arguments, 3)),
		python_argument(arguments, 1, "string"));
}

static struct python_value do_compile(struct python *py, struct python_arguments *arguments)
{
	struct python_value made =
		pattern_of(py, python_argument(arguments, 0, "pattern"), flags_of(arguments, 1));

	regex_free(py->process, compiled(py, made));
	return made;
}

static struct python_value do_escape(struct python *py, struct python_arguments *arguments)
{
	struct slice text = python_str(py, python_argument(arguments, 0, "pattern"));
	struct text out = {0};

	text_add_words(py->process, &out, "");
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] && strchr("()[]{}?*+-|^$\\.&~# \t\n\r\v\f", text.at[i]))
			text_add_byte(py->process, &out, '\\');
		text_add_byte(py->process, &out, text.at[i]);
	}
	return python_text(text_slice(&out));
}

const struct python_entry python_regex_functions[] = {
	{"re.search", do_search},    {"re.match", do_match},   {"re.fullmatch", do_whole},
	{"re.findall", do_find_all}, {"re.sub", do_sub},       {"re.split", do_split},
	{"re.compile", do_compile},  {"re.escape", do_escape}, {0}};

/* --- methods --- */

static struct python_value pattern_search(struct python *py, struct python_value self,
					  struct python_arguments *arguments)
{
	return look(py, self, python_argument(arguments, 0, "string"), SEARCH);
}

static struct python_value pattern_match(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	return look(py, self, python_argument(arguments, 0, "string"), MATCH);
}

static struct python_value pattern_find_all(struct python *py, struct python_value self,
					    struct python_arguments *arguments)
{
	return find_all(py, self, python_argument(arguments, 0, "string"));
}

static struct python_value pattern_sub(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	return replaced(py, self, python_argument(arguments, 0, "repl"),
			python_argument(arguments, 1, "string"), 0);
}

static struct python_value pattern_split(struct python *py, struct python_value self,
					 struct python_arguments *arguments)
{
	return split_by(py, self, python_argument(arguments, 0, "string"));
}

static struct python_value match_group(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	struct python_list *groups = groups_of(py, self);
	struct python_value which = python_argument(arguments, 0, NULL), made;

	if (which.kind == PYTHON_TEXT)
		return python_opaque();
	if (arguments->count > 1) {
		made = python_list(py, PYTHON_TUPLE);
		for (size_t i = 0; i < arguments->count; i++)
			if (arguments->values[i].kind == PYTHON_INT &&
			    (uint64_t)arguments->values[i].integer < groups->count)
				python_append(py, made,
					      groups->items[arguments->values[i].integer]);
		return made;
	}
	if (which.kind == PYTHON_INT && (uint64_t)which.integer >= groups->count)
		return python_raise(py, "IndexError", "no such group");
	return groups->items[which.kind == PYTHON_INT ? which.integer : 0];
}

static struct python_value match_groups(struct python *py, struct python_value self,
					struct python_arguments *arguments)
{
	struct python_list *groups = groups_of(py, self);
	struct python_value made = python_list(py, PYTHON_TUPLE);

	for (size_t i = 1; i < groups->count; i++)
		python_append(py, made, groups->items[i]);
	return made;
}

static struct python_value match_start(struct python *py, struct python_value self,
				       struct python_arguments *arguments)
{
	return python_thing_get(py, self, "start_");
}

static struct python_value match_end(struct python *py, struct python_value self,
				     struct python_arguments *arguments)
{
	return python_thing_get(py, self, "end_");
}

static struct python_value match_span(struct python *py, struct python_value self,
				      struct python_arguments *arguments)
{
	return python_pair(py, python_thing_get(py, self, "start_"),
			   python_thing_get(py, self, "end_"));
}

python_method_function *python_regex_method(const char *class, const char *name)
{
	static const struct {
		const char *class, *name;
		python_method_function *run;
	} methods[] = {
		{"re.Pattern", "search", pattern_search},
		{"re.Pattern", "match", pattern_match},
		{"re.Pattern", "findall", pattern_find_all},
		{"re.Pattern", "sub", pattern_sub},
		{"re.Pattern", "split", pattern_split},
		{"re.Match", "group", match_group},
		{"re.Match", "groups", match_groups},
		{"re.Match", "start", match_start},
		{"re.Match", "end", match_end},
		{"re.Match", "span", match_span},
	};

	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (strcmp(methods[i].class, class) == 0 && strcmp(methods[i].name, name) == 0)
			return methods[i].run;
	return NULL;
}
