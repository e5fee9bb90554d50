/* Lines to rules, rules to options; see syntax.h. */
#include "capture/rules/syntax.h"

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* --- lines --- */

static bool begins_with_action(struct slice line)
{
	static const char *const actions[] = {"alert ", "drop ",  "pass ",    "reject ", "log ",
					      "block ", "react ", "rewrite ", "alert(",  "block("};

	for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
		if (slice_starts(line, actions[i]))
			return true;
	return false;
}

/* Snort 3: a rule goes on until its parenthesis closes, on as many lines as it likes. Another rule
 * after it says that it was never closed. */
static bool goes_on(enum rule_dialect dialect, struct slice line, struct slice after)
{
	line = slice_trim(line);
	return dialect == DIALECT_SNORT3 && line.length < RULE_TEXT_MAX &&
	       begins_with_action(line) && line.at[line.length - 1] != ')' &&
	       !begins_with_action(slice_trim(after));
}

/* Without the backslashes before the ends of lines. */
static struct slice joined(struct slice line, struct arena *arena)
{
	uint8_t *out = arena_take(arena, line.length);
	size_t length = 0;

	for (size_t i = 0; out && i < line.length; i++) {
		size_t next = i + 1;

		if (next < line.length && line.at[next] == '\r')
			next++;
		if (line.at[i] == '\\' && next < line.length && line.at[next] == '\n')
			i = next;
		else
			out[length++] = line.at[i];
	}
	return slice_of(out, length);
}

/* The next logical line: physical ones joined at a backslash before the line's end. Empty with at
 * NULL when there was no room to join it. */
static bool next_line(struct rule_reader *reader, struct arena *arena, struct slice *line,
		      unsigned *number)
{
	const uint8_t *at = reader->rest.at;
	bool backslashes = false;
	size_t end = 0;

	if (!reader->rest.length)
		return false;
	*number = reader->line;
	for (;; end++) {
		size_t stop;
		bool backslash;

		while (end < reader->rest.length && at[end] != '\n')
			end++;
		reader->line++;
		if (end >= reader->rest.length)
			break;
		stop = end && at[end - 1] == '\r' ? end - 1 : end;
		backslash = stop && at[stop - 1] == '\\';
		backslashes |= backslash;
		if (!backslash && !goes_on(reader->dialect, slice_first(reader->rest, end),
					   slice_from(reader->rest, end + 1)))
			break;
	}
	*line = slice_first(reader->rest, end);
	reader->rest = slice_from(reader->rest, end + 1);
	if (backslashes && line->length <= RULE_TEXT_MAX)
		*line = joined(*line, arena);
	return true;
}

enum rule_dialect rule_dialect_of(struct slice text)
{
	static const char *const marks[] = {",depth ",       ",offset ",       ",within ",
					    ",distance ",    ",fast_pattern,", "\",nocase",
					    ",fast_pattern;"};
	unsigned modern = 0, old = 0;
	struct slice line;

	for (size_t i = 0; i < 4096 && slice_next(&text, '\n', &line); i++) {
		bool found = false;

		for (size_t k = 0; k < ARRAY_COUNT(marks) && !found; k++)
			found = slice_find(line, slice_text(marks[k])) != SIZE_MAX;
		modern += found;
		old += !found && slice_find(line, SLICE("\"; ")) != SIZE_MAX &&
		       (slice_find(line, SLICE("depth:")) != SIZE_MAX ||
			slice_find(line, SLICE("nocase;")) != SIZE_MAX);
	}
	return modern > old ? DIALECT_SNORT3 : DIALECT_SURICATA;
}

struct rule_reader rule_reader_of(struct slice text)
{
	if (slice_starts(text, "\xef\xbb\xbf"))
		text = slice_from(text, 3);
	return (struct rule_reader){.rest = text, .line = 1, .dialect = rule_dialect_of(text)};
}

/* --- header --- */

/* A word of the header; a [list] is one word whatever spaces are in it. */
static struct slice header_word(struct slice *rest)
{
	unsigned depth = 0;
	size_t end = 0;
	struct slice word;

	*rest = slice_trim(*rest);
	while (end < rest->length && (depth || !is_space(rest->at[end]))) {
		if (rest->at[end] == '[')
			depth++;
		else if (rest->at[end] == ']' && depth)
			depth--;
		else if (rest->at[end] == '(' && !depth)
			break;
		end++;
	}
	word = slice_first(*rest, end);
	*rest = slice_trim(slice_from(*rest, end));
	return word;
}

static const char *read_header(struct slice header, struct rule_text *rule)
{
	struct slice arrow;

	rule->action = header_word(&header);
	rule->protocol = header_word(&header);
	if (!rule->protocol.length)
		return "a rule begins with action and protocol";
	/* Snort 3: no addresses, any. */
	if (!header.length)
		return NULL;
	rule->source = header_word(&header);
	rule->source_ports = header_word(&header);
	rule_broken_at(rule, header.at);
	arrow = header_word(&header);
	rule->destination = header_word(&header);
	rule->destination_ports = header_word(&header);
	if (slice_is(arrow, "<>"))
		rule->both_ways = true;
	else if (!slice_is(arrow, "->"))
		return "no -> or <> between source and destination";
	if (!rule->destination_ports.length)
		return "the header ends too early";
	if (header.length)
		return "more words in the header than address, port, ->, address, port";
	rule->column = 0;
	return NULL;
}

/* --- options --- */

static bool add_option(struct rule_text *rule, struct slice name, struct slice value)
{
	if (rule->option_count == RULE_OPTIONS_MAX)
		return false;
	rule->options[rule->option_count++] = (struct rule_option){slice_trim(name), value};
	return true;
}

/* Where the option that begins the slice ends (at its `;`), or SIZE_MAX. */
static size_t option_end(struct slice body, bool quotes)
{
	bool quoted = false;

	for (size_t i = 0; i < body.length; i++) {
		if (body.at[i] == '\\' && i + 1 < body.length)
			i++;
		else if (quotes && body.at[i] == '"')
			quoted = !quoted;
		else if (body.at[i] == ';' && !quoted)
			return i;
	}
	return SIZE_MAX;
}

/* Where a Snort 3 content's own text ends and the modifiers begin. */
static size_t first_comma(struct slice value)
{
	bool quoted = false;

	for (size_t i = 0; i < value.length; i++) {
		if (value.at[i] == '\\')
			i++;
		else if (value.at[i] == '"')
			quoted = !quoted;
		else if (value.at[i] == ',' && !quoted)
			return i;
	}
	return SIZE_MAX;
}

/* Snort 3: content:"x",depth 16,nocase becomes three options. */
static bool add_with_modifiers(struct rule_text *rule, struct slice name, struct slice value)
{
	size_t comma = first_comma(value);
	struct slice rest = slice_from(value, comma == SIZE_MAX ? value.length : comma + 1), part;

	if (!add_option(rule, name, slice_trim(slice_first(value, comma))))
		return false;
	while (slice_next(&rest, ',', &part)) {
		size_t space;

		part = slice_trim(part);
		space = slice_find_byte(part, ' ');
		if (slice_starts(part, "fast_pattern_")) {
			/* fast_pattern_offset and _length narrow it; all of it serves as well. */
			continue;
		}
		if (space == SIZE_MAX ? !add_option(rule, part, slice_of(NULL, 0))
				      : !add_option(rule, slice_first(part, space),
						    slice_trim(slice_from(part, space))))
			return false;
	}
	return true;
}

static const char *read_options(struct slice body, struct arena *arena, struct rule_text *rule)
{
	bool modern = rule->dialect == DIALECT_SNORT3;
	size_t most = 1;

	for (size_t i = 0; i < body.length; i++)
		most += body.at[i] == ';' || (modern && body.at[i] == ',');
	if (most > RULE_OPTIONS_MAX)
		most = RULE_OPTIONS_MAX;
	rule->options = arena_take(arena, most * sizeof(*rule->options));
	if (!rule->options)
		return "out of memory";
	for (body = slice_trim(body); body.length; body = slice_trim(body)) {
		size_t end = option_end(body, modern), colon;
		struct slice option, name, value = {NULL, 0};
		bool added;

		rule_broken_at(rule, body.at);
		if (end == SIZE_MAX)
			return "an option without ; at its end";
		option = slice_trim(slice_first(body, end));
		body = slice_from(body, end + 1);
		if (!option.length)
			continue;
		colon = slice_find_byte(option, ':');
		name = slice_first(option, colon);
		if (colon != SIZE_MAX)
			value = slice_trim(slice_from(option, colon + 1));
		added = modern && (slice_is(name, "content") || slice_is(name, "uricontent"))
				? add_with_modifiers(rule, name, value)
				: add_option(rule, name, value);
		if (!added)
			return "more options than a rule may have";
	}
	rule->column = 0;
	return NULL;
}

static const char *read_rule(struct slice line, struct arena *arena, struct rule_text *rule)
{
	size_t open = slice_find_byte(line, '(');
	const char *why;

	if (line.length > RULE_TEXT_MAX)
		return "a rule longer than 256 KiB";
	if (open == SIZE_MAX || line.at[line.length - 1] != ')')
		return "no options in parentheses";
	why = read_header(slice_first(line, open), rule);
	if (why)
		return why;
	return read_options(slice_first(slice_from(line, open + 1), line.length - open - 2), arena,
			    rule);
}

/* Whether a comment looks like a rule that was switched off. */
static bool is_disabled_rule(struct slice line)
{
	return begins_with_action(line) && slice_find_byte(line, '(') != SIZE_MAX &&
	       line.at[line.length - 1] == ')';
}

enum rule_reading rule_next(struct rule_reader *reader, struct arena *arena, struct rule_text *rule,
			    const char **why)
{
	struct slice line;
	unsigned number;

	while (next_line(reader, arena, &line, &number)) {
		bool enabled = true;

		line = slice_trim(line);
		while (line.length && line.at[0] == '#') {
			enabled = false;
			line = slice_trim(slice_from(line, 1));
		}
		if (!line.length ||
		    (!enabled && !(reader->with_disabled && is_disabled_rule(line))))
			continue;
		*rule = (struct rule_text){.enabled = enabled,
					   .dialect = reader->dialect,
					   .line = number,
					   .text = line};
		*why = read_rule(line, arena, rule);
		return *why ? RULE_BROKEN : RULE_READ;
	}
	return RULE_END;
}

const struct rule_option *rule_option_named(const struct rule_text *rule, const char *name)
{
	for (size_t i = 0; i < rule->option_count; i++)
		if (slice_is(rule->options[i].name, name))
			return &rule->options[i];
	return NULL;
}

void rule_broken_at(struct rule_text *rule, const uint8_t *at)
{
	if (at >= rule->text.at && at <= rule->text.at + rule->text.length)
		rule->column = (unsigned)(at - rule->text.at) + 1;
}

int rule_unquote(struct slice value, struct slice *inner, bool *negated)
{
	*negated = false;
	if (value.length && value.at[0] == '!') {
		*negated = true;
		value = slice_trim(slice_from(value, 1));
	}
	if (value.length < 2 || value.at[0] != '"' || value.at[value.length - 1] != '"')
		return -1;
	*inner = slice_of(value.at + 1, value.length - 2);
	return 0;
}
