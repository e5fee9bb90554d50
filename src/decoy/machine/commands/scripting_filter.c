/* perl -pe, -ne, -lane: what is done to each line, as far as one-liners go; see scripting.h. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/commands/scripting.h"
#include "decoy/machine/regex.h"

#define STATEMENTS_MAX 24
#define FIELDS_MAX     64
#define TEXT_MAX       ((size_t)1024 * 1024)

enum action { NOTHING, SUBSTITUTE, TRANSLITERATE, PRINT, NEXT, LAST };
enum condition { ALWAYS, MATCHES, COMPARES };

struct statement {
	enum action action;
	enum condition condition;
	bool negated, all;
	struct regex *what, *matches;
	struct slice from, to; /* of s and tr; what is printed, "" the line */
	/* a comparison: "$." or "$F[1]", "==", and what with */
	struct slice left, right;
	const char *operator;
};

struct filter {
	struct process *process;
	const struct script_filter *given;
	const char *at;
	struct statement statements[STATEMENTS_MAX];
	size_t count;
	bool failed;
	/* of the line that is worked on */
	struct text text;
	struct regex_span spans[REGEX_SPANS];
	struct slice subject; /* that the spans are of */
	struct slice fields[FIELDS_MAX];
	size_t field_count;
	int64_t number;
	struct text *out; /* NULL: standard output */
};

/* --- read --- */

static void blanks(struct filter *f)
{
	while (*f->at == ' ' || *f->at == '\t' || *f->at == '\n')
		f->at++;
}

static bool take(struct filter *f, const char *word)
{
	size_t length = strlen(word);

	blanks(f);
	if (strncmp(f->at, word, length) != 0 ||
	    (isalpha((unsigned char)word[length - 1]) &&
	     (isalnum((unsigned char)f->at[length]) || f->at[length] == '_')))
		return false;
	f->at += length;
	return true;
}

/* As far as the delimiter, which is passed; a backslash before it goes. */
static struct slice delimited(struct filter *f, char end)
{
	struct text out = {0};

	text_add_words(f->process, &out, "");
	for (; *f->at && *f->at != end; f->at++) {
		if (*f->at == '\\' && f->at[1] == end && end != '|') {
			f->at++;
		} else if (*f->at == '\\' && f->at[1]) {
			text_add_byte(f->process, &out, (uint8_t)*f->at++);
		}
		text_add_byte(f->process, &out, (uint8_t)*f->at);
	}
	if (*f->at)
		f->at++;
	else
		f->failed = true;
	return text_slice(&out);
}

static char closing(char open)
{
	return open == '{' ? '}' : open == '(' ? ')' : open == '[' ? ']' : open;
}

static struct regex *read_pattern(struct filter *f, struct slice pattern, bool *all)
{
	unsigned flags = 0;
	const char *why;
	struct text text = {0};
	struct regex *regex;

	for (; isalpha((unsigned char)*f->at); f->at++) {
		*all = *all || *f->at == 'g';
		flags |= *f->at == 'i' ? REGEX_IGNORE_CASE : 0u;
		flags |= *f->at == 'm' ? REGEX_LINES : 0u;
		if (*f->at == 's')
			text_add_words(f->process, &text, "(?s)");
		if (!strchr("gimsx", *f->at))
			f->failed = true;
	}
	/* $ is the end, or before a newline there. */
	if (pattern.length && pattern.at[pattern.length - 1] == '$' && !(flags & REGEX_LINES) &&
	    (pattern.length == 1 || pattern.at[pattern.length - 2] != '\\')) {
		text_add(f->process, &text, slice_first(pattern, pattern.length - 1));
		text_add_words(f->process, &text, "(?=\\n?\\z)");
	} else {
		text_add(f->process, &text, pattern);
	}
	regex = regex_new(f->process, text_slice(&text), REGEX_PERL, flags, &why);
	f->failed = f->failed || !regex;
	return regex;
}

static struct slice read_variable(struct filter *f)
{
	size_t length = f->at[1] == 'F' ? strcspn(f->at, "]") + 1 : 2;
	struct slice name;

	length = length <= strlen(f->at) ? length : strlen(f->at);
	name = slice_of(f->at, length);
	f->at += length;
	return name;
}

static void read_comparison(struct filter *f, struct statement *s)
{
	static const char *const operators[] = {"==", "!=", ">=", "<=", ">", "<", "eq", "ne"};

	s->condition = COMPARES;
	s->left = read_variable(f);
	for (size_t i = 0; i < ARRAY_COUNT(operators) && !s->operator; i++)
		if (take(f, operators[i]))
			s->operator= operators[i];
	blanks(f);
	if (*f->at == '"' || *f->at == '\'') {
		f->at++;
		s->right = delimited(f, f->at[-1]);
	} else {
		size_t length = strspn(f->at, "0123456789.");

		s->right = slice_of(f->at, length);
		f->at += length;
		f->failed = f->failed || !length;
	}
	f->failed = f->failed || !s->operator;
}

static void read_condition(struct filter *f, struct statement *s)
{
	bool round = take(f, "("), all = false;

	if (take(f, "!"))
		s->negated = !s->negated;
	blanks(f);
	if (f->at[0] == '$' && f->at[1] && (f->at[1] != '_' || !strstr(f->at, "=~"))) {
		read_comparison(f, s);
	} else {
		if (take(f, "$_"))
			f->failed = f->failed || !take(f, "=~");
		blanks(f);
		if (*f->at == 'm' && ispunct((unsigned char)f->at[1]))
			f->at++;
		if (!ispunct((unsigned char)*f->at) || strchr("$@%\"'", *f->at)) {
			f->failed = true;
			return;
		}
		s->condition = MATCHES;
		f->at++;
		s->matches = read_pattern(f, delimited(f, closing(f->at[-1])), &all);
	}
	if (round && !take(f, ")"))
		f->failed = true;
}

/* "..." and $F[1], $_, $1 with commas between: one text with all of it. */
static struct slice read_list(struct filter *f)
{
	struct text out = {0};

	text_add_words(f->process, &out, "");
	do {
		blanks(f);
		if (*f->at == '"') {
			f->at++;
			text_add(f->process, &out, delimited(f, '"'));
		} else if (*f->at == '$') {
			text_add(f->process, &out, read_variable(f));
		} else {
			f->failed = true;
		}
	} while (!f->failed && (take(f, ",") || take(f, ".")));
	return text_slice(&out);
}

static void read_pair(struct filter *f, struct statement *s)
{
	char open = *f->at++;

	s->from = delimited(f, closing(open));
	if (closing(open) != open) {
		blanks(f);
		f->at += *f->at != '\0';
	}
	s->to = delimited(f, closing(open));
}

static bool begins_pair(const char *at, const char *name)
{
	size_t length = strlen(name);

	return strncmp(at, name, length) == 0 && ispunct((unsigned char)at[length]) &&
	       !strchr("=;,_", at[length]);
}

static void read_statement(struct filter *f)
{
	struct statement *s = &f->statements[f->count++];

	blanks(f);
	if (begins_pair(f->at, "s")) {
		f->at++;
		s->action = SUBSTITUTE;
		read_pair(f, s);
		s->what = read_pattern(f, s->from, &s->all);
	} else if (begins_pair(f->at, "tr") || begins_pair(f->at, "y")) {
		f->at += *f->at == 't' ? 2 : 1;
		s->action = TRANSLITERATE;
		read_pair(f, s);
	} else if (take(f, "print")) {
		s->action = PRINT;
		blanks(f);
		if (*f->at && *f->at != ';' && strncmp(f->at, "if", 2) != 0 &&
		    strncmp(f->at, "unless", 6) != 0)
			s->to = read_list(f);
	} else if (take(f, "next")) {
		s->action = NEXT;
	} else if (take(f, "last") || take(f, "exit")) {
		s->action = LAST;
	} else if (take(f, "chomp")) {
		s->action = NOTHING;
	} else {
		f->failed = true;
	}
	if (take(f, "unless")) {
		s->negated = true;
		read_condition(f, s);
	} else if (take(f, "if")) {
		read_condition(f, s);
	}
}

static bool read_program(struct filter *f, const char *program)
{
	f->at = program;
	for (;;) {
		while (take(f, ";"))
			;
		if (!*f->at || f->failed)
			return !f->failed;
		if (f->count == STATEMENTS_MAX)
			return false;
		read_statement(f);
		blanks(f);
		if (*f->at && !take(f, ";"))
			return false;
	}
}

/* --- done --- */

static void put(struct filter *f, struct slice bytes)
{
	if (f->out)
		text_add(f->process, f->out, bytes);
	else
		process_put(f->process, bytes);
}

/* What "$1" and the like stand for; *length: how long the name is. */
static struct slice variable(struct filter *f, struct slice at, size_t *length)
{
	uint8_t c = at.length > 1 ? at.at[1] : 0;
	const struct regex_span *span;
	int64_t field;
	size_t end;

	*length = 2;
	if (c == '_')
		return text_slice(&f->text);
	if (c == '.')
		return slice_text(process_format(f->process, "%lld", (long long)f->number));
	if (isdigit(c) || c == '&') {
		span = &f->spans[c == '&' ? 0 : c - '0'];
		return span->start == SIZE_MAX || !f->subject.at
			       ? (struct slice){0}
			       : slice_of(f->subject.at + span->start, span->end - span->start);
	}
	end = slice_find_byte(at, ']');
	if (c == 'F' && at.length > 3 && at.at[2] == '[' && end != SIZE_MAX &&
	    slice_number(slice_of(at.at + 3, end - 3), -FIELDS_MAX, FIELDS_MAX, &field) == 0) {
		*length = end + 1;
		field += field < 0 ? (int64_t)f->field_count : 0;
		return field >= 0 && (size_t)field < f->field_count ? f->fields[field]
								    : (struct slice){0};
	}
	*length = 1;
	return SLICE("$");
}

static void expand(struct filter *f, struct slice words, struct text *out)
{
	static const char letters[] = "ntr0\\\"$@/", means[] = "\n\t\r\0\\\"$@/";

	text_add_words(f->process, out, "");
	while (words.length) {
		size_t length = 1;

		if (words.at[0] == '\\' && words.length > 1) {
			const char *found = memchr(letters, words.at[1], sizeof(letters) - 1);

			length = 2;
			if (isdigit(words.at[1]) && words.at[1] != '0')
				text_add(f->process, out, variable(f, words, &length));
			else
				text_add_byte(f->process, out,
					      found ? (uint8_t)means[found - letters]
						    : words.at[1]);
		} else if (words.at[0] == '$') {
			text_add(f->process, out, variable(f, words, &length));
		} else {
			text_add_byte(f->process, out, words.at[0]);
		}
		words = slice_from(words, length);
	}
}

static void substitute(struct filter *f, const struct statement *s)
{
	struct slice line =
		slice_of(process_copy_slice(f->process, text_slice(&f->text)), f->text.length);
	struct text out = {0};
	size_t at = 0, from = 0;

	text_add_words(f->process, &out, "");
	while (at <= line.length && out.length < TEXT_MAX &&
	       regex_match(f->process, s->what, line, at, f->spans, REGEX_SPANS)) {
		struct text made = {0};

		f->subject = line;
		expand(f, s->to, &made);
		text_add(f->process, &out, slice_of(line.at + from, f->spans[0].start - from));
		text_add(f->process, &out, text_slice(&made));
		process_give(f->process, made.data);
		from = f->spans[0].end;
		at = from > f->spans[0].start ? from : from + 1;
		process_step(f->process);
		if (!s->all)
			break;
	}
	text_add(f->process, &out, slice_from(line, from));
	process_give(f->process, f->text.data);
	f->text = out; /* the line stays: spans are of it */
}

/* The letters of "a-z": with its ranges written out. */
static struct slice spread(struct filter *f, struct slice set)
{
	struct text out = {0};

	text_add_words(f->process, &out, "");
	for (size_t i = 0; i < set.length; i++) {
		if (i + 2 < set.length && set.at[i + 1] == '-') {
			for (unsigned c = set.at[i]; c <= set.at[i + 2]; c++)
				text_add_byte(f->process, &out, (uint8_t)c);
			i += 2;
		} else if (set.at[i] == '\\' && i + 1 < set.length) {
			i++;
			text_add_byte(f->process, &out,
				      set.at[i] == 'n'   ? '\n'
				      : set.at[i] == 't' ? '\t'
							 : set.at[i]);
		} else {
			text_add_byte(f->process, &out, set.at[i]);
		}
	}
	return text_slice(&out);
}

static void transliterate(struct filter *f, const struct statement *s)
{
	struct slice from = spread(f, s->from), to = spread(f, s->to);

	for (size_t i = 0; i < f->text.length && to.length; i++) {
		size_t at = slice_find_byte(from, (uint8_t)f->text.data[i]);

		if (at != SIZE_MAX)
			f->text.data[i] = (char)to.at[at < to.length ? at : to.length - 1];
		if (i % 64 == 0)
			process_step(f->process);
	}
}

static bool compares(struct filter *f, const struct statement *s)
{
	size_t length;
	struct slice left = variable(f, s->left, &length);
	double x, y;

	if (s->operator[0] == 'e' || s->operator[0] == 'n')
		return slice_equal(left, s->right) == (s->operator[0] == 'e');
	x = strtod(process_copy_slice(f->process, left), NULL);
	y = strtod(process_copy_slice(f->process, s->right), NULL);
	switch (s->operator[0]) {
	case '=':
		return x == y;
	case '!':
		return x != y;
	case '>':
		return s->operator[1] ? x >= y : x> y;
	default:
		return s->operator[1] ? x <= y : x<y;
	}
}

static bool holds(struct filter *f, const struct statement *s)
{
	bool true_of = true;

	if (s->condition == COMPARES)
		true_of = compares(f, s);
	if (s->condition == MATCHES) {
		struct slice line = slice_of(process_copy_slice(f->process, text_slice(&f->text)),
					     f->text.length);

		true_of = regex_match(f->process, s->matches, line, 0, f->spans, REGEX_SPANS);
		if (true_of)
			f->subject = line;
		else
			process_give(f->process, (void *)line.at);
	}
	return true_of != s->negated;
}

static void split(struct filter *f)
{
	struct slice rest = text_slice(&f->text);
	char by = f->given->separator;

	f->field_count = 0;
	if (!by)
		rest = slice_trim(rest);
	while (rest.length && f->field_count < FIELDS_MAX) {
		size_t end = 0;

		while (end < rest.length &&
		       (by ? rest.at[end] != (uint8_t)by : !isspace(rest.at[end])))
			end++;
		f->fields[f->field_count++] =
			slice_of(process_copy_slice(f->process, slice_first(rest, end)), end);
		rest = slice_from(rest, end + (by != 0));
		while (!by && rest.length && isspace(rest.at[0]))
			rest = slice_from(rest, 1);
	}
}

/* One line; false: the rest is not looked at. */
static bool work(struct filter *f, struct slice line)
{
	bool shown = f->given->prints, goes_on = true;

	text_clear(&f->text);
	text_add_words(f->process, &f->text, "");
	text_add(f->process, &f->text, line);
	f->number++;
	if (f->given->splits)
		split(f);
	for (size_t i = 0; i < f->count; i++) {
		const struct statement *s = &f->statements[i];
		struct text made = {0};

		if (!holds(f, s))
			continue;
		if (s->action == NEXT || s->action == LAST) {
			goes_on = s->action != LAST;
			shown = shown && s->action == NEXT;
			break;
		}
		if (s->action == SUBSTITUTE)
			substitute(f, s);
		else if (s->action == TRANSLITERATE)
			transliterate(f, s);
		if (s->action != PRINT)
			continue;
		if (s->to.at)
			expand(f, s->to, &made);
		else
			text_add(f->process, &made, text_slice(&f->text));
		put(f, text_slice(&made));
		if (f->given->lines)
			put(f, SLICE("\n"));
		process_give(f->process, made.data);
	}
	if (shown) {
		put(f, text_slice(&f->text));
		if (f->given->lines)
			put(f, SLICE("\n"));
	}
	return goes_on;
}

static bool work_on(struct filter *f, int descriptor)
{
	struct line_reader reader;
	struct slice line;
	struct text whole = {0};
	bool newline;

	if (f->given->whole) {
		(void)process_read_all(f->process, descriptor, TEXT_MAX, &whole);
		return work(f, text_slice(&whole));
	}
	line_reader_open(&reader, descriptor);
	while (line_reader_next(f->process, &reader, &line, &newline)) {
		struct text with = {0};
		bool goes_on;

		text_add_words(f->process, &with, "");
		text_add(f->process, &with, line);
		if (newline && !f->given->lines)
			text_add_byte(f->process, &with, '\n');
		goes_on = work(f, text_slice(&with));
		process_give(f->process, with.data);
		process_step(f->process);
		if (!goes_on)
			return false;
	}
	return true;
}

static void write_back(struct filter *f, const char *path)
{
	int file = process_open(f->process, path, O_WRONLY | O_TRUNC, 0);

	if (file < 0)
		return;
	(void)process_write(f->process, file, text_slice(f->out));
	(void)process_close(f->process, file);
}

int script_filter(struct process *p, const struct script_filter *given, int count, char **files)
{
	struct filter *f = process_take(p, sizeof(*f));
	struct text out = {0};

	f->process = p;
	f->given = given;
	if (!read_program(f, given->program))
		return -1;
	if (count == 0)
		(void)work_on(f, 0);
	for (int i = 0; i < count; i++) {
		int file = process_open(p, files[i], O_RDONLY, 0);
		bool goes_on;

		if (file < 0) {
			process_error(p, "Can't open %s: %s.\n", files[i], strerror(-file));
			continue;
		}
		text_clear(&out);
		text_add_words(p, &out, "");
		f->out = given->in_place ? &out : NULL;
		goes_on = work_on(f, file);
		(void)process_close(p, file);
		if (given->in_place)
			write_back(f, files[i]);
		if (!goes_on)
			break;
	}
	return 0;
}
