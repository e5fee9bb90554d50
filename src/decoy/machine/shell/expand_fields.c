/* From expansions to fields: splitting by IFS, globbing, and words as a whole. */
#include <ctype.h>

#include "decoy/machine/shell/state.h"

void fields_add(struct shell *shell, struct fields *fields, char *text)
{
	if (fields->count + 2 > fields->capacity) {
		size_t capacity = fields->capacity ? fields->capacity * 2 : 8;
		char **grown = pool_take(shell->scratch, capacity * sizeof(*grown));

		if (fields->count)
			memcpy(grown, fields->at, fields->count * sizeof(*grown));
		fields->at = grown;
		fields->capacity = capacity;
	}
	if (fields->count >= SHELL_FIELDS_MAX)
		return;
	fields->at[fields->count++] = text;
	fields->at[fields->count] = NULL;
}

/* A part of an expansion as text: plain, or as a pattern with \ before what was quoted. */
static char *part(struct expansion *in, size_t start, size_t end, bool pattern, bool regex,
		  bool *magic)
{
	const char *bytes = in->bytes.data, *marks = in->marks.data;
	char *text = pool_take(in->shell->scratch, (end - start) * (pattern ? 2 : 1) + 1),
	     *to = text;

	*magic = false;
	for (size_t i = start; i < end; i++) {
		if (marks[i] == MARK_EMPTY || marks[i] == MARK_BREAK)
			continue;
		if (pattern) {
			bool special = regex ? strchr("\\.[]()*+?{}|^$", bytes[i]) != NULL
					     : strchr("*?[]\\-!^@+()|:", bytes[i]) != NULL;

			if (special && marks[i] == MARK_QUOTED)
				*to++ = '\\';
			else if (strchr("*?[", bytes[i]))
				*magic = true;
			else if (bytes[i] == '(' && i > start && strchr("@!+", bytes[i - 1]))
				*magic = true;
		}
		*to++ = bytes[i];
	}
	*to = '\0';
	return text;
}

char *expand_take(struct expansion *out, unsigned flags)
{
	bool magic;

	return part(out, 0, out->bytes.length, flags & (EXPAND_PATTERN | EXPAND_REGEX),
		    flags & EXPAND_REGEX, &magic);
}

/* A field: globbed when it may be. */
static void add_part(struct expansion *in, size_t start, size_t end, struct fields *fields,
		     unsigned flags)
{
	struct shell *shell = in->shell;
	bool magic = false;
	char *pattern;

	if (!shell_option_is(shell, SET_NOGLOB) && !(flags & EXPAND_NO_GLOB)) {
		for (size_t i = start; i < end && !magic; i++)
			magic = in->marks.data[i] != MARK_QUOTED && in->bytes.data[i] &&
				strchr("*?[@!+", in->bytes.data[i]);
	}
	if (magic) {
		pattern = part(in, start, end, true, false, &magic);
		if (magic && pattern_has_magic(pattern)) {
			if (glob_expand(shell, pattern, fields))
				return;
			if (shell_option_is(shell, SHOPT_NULLGLOB))
				return;
			if (shell_option_is(shell, SHOPT_FAILGLOB)) {
				message_fatal(shell, 1, "no match: %s",
					      part(in, start, end, false, false, &magic));
				in->failed = true;
				return;
			}
		}
	}
	fields_add(shell, fields, part(in, start, end, false, false, &magic));
}

void expand_split(struct expansion *in, struct fields *fields, unsigned flags)
{
	const char *ifs = variables_ifs(in->shell), *bytes = in->bytes.data,
		   *marks = in->marks.data;
	size_t start = 0, length = in->bytes.length;
	bool have = false, delimited = true; /* delimited: a hard delimiter may follow at once */

	for (size_t i = 0; i < length && !in->failed; i++) {
		bool space;

		if (marks[i] == MARK_BREAK) {
			if (have)
				add_part(in, start, i, fields, flags);
			have = false;
			delimited = true;
			continue;
		}
		if (marks[i] != MARK_SPLIT || !strchr(ifs, bytes[i]) || !bytes[i]) {
			if (!have)
				start = i;
			have = true;
			delimited = false;
			continue;
		}
		space = isspace((uint8_t)bytes[i]);
		if (have) {
			add_part(in, start, i, fields, flags);
			have = false;
			/* after blanks one hard delimiter belongs to the same end */
			delimited = !space;
		} else if (!space) {
			if (delimited)
				add_part(in, i, i, fields, flags);
			delimited = true;
		}
	}
	if (have)
		add_part(in, start, length, fields, flags);
}

static int expand_one(struct shell *shell, const struct word *word, struct fields *fields)
{
	struct expansion out = {.shell = shell};
	unsigned flags = 0;

	if (!(word->flags & (WORD_QUOTES | WORD_DOLLAR | WORD_GLOB | WORD_TILDE))) {
		fields_add(shell, fields, word->text);
		return 0;
	}
	if (word->flags & WORD_ASSIGNMENT && shell_has(shell, SHELL_BASH)) {
		/* an argument of declare and its like: no splitting */
		char *text = strchr(word->text, '='), *value;
		char *whole;

		value = expand_single(shell, text + 1, EXPAND_ASSIGN);
		if (!value)
			return -1;
		whole = pool_take(shell->scratch, (size_t)(text - word->text) + strlen(value) + 2);
		memcpy(whole, word->text, (size_t)(text - word->text) + 1);
		memcpy(whole + (text - word->text) + 1, value, strlen(value) + 1);
		fields_add(shell, fields, whole);
		return 0;
	}
	/* Outside posix mode bash expands a tilde behind the = of any word that looks like an
	 * assignment, and behind its colons. */
	if (shell_has(shell, SHELL_BASH) && word->flags & WORD_TILDE) {
		size_t name = lexer_name(word->text);

		if (name && word->text[name] == '=') {
			expand_put(&out, slice_of(word->text, name + 1), MARK_PLAIN);
			expand_into(&out, word->text + name + 1, strlen(word->text) - name - 1,
				    EXPAND_ASSIGN);
			flags = 1;
		}
	}
	if (!flags)
		expand_into(&out, word->text, strlen(word->text), 0);
	if (!out.failed)
		expand_split(&out, fields, 0);
	expand_free(&out);
	return out.failed ? -1 : 0;
}

int expand_word(struct shell *shell, const struct word *word, struct fields *fields)
{
	const struct word *braces;

	if (!(word->flags & WORD_BRACE) || !shell_has(shell, SHELL_BASH) ||
	    !shell_option_is(shell, SET_BRACEEXPAND))
		return expand_one(shell, word, fields);
	for (braces = expand_braces(shell, word); braces; braces = braces->next)
		if (expand_one(shell, braces, fields) < 0)
			return -1;
	return 0;
}

int expand_words(struct shell *shell, const struct word *words, struct fields *fields)
{
	for (; words; words = words->next)
		if (expand_word(shell, words, fields) < 0)
			return -1;
	return 0;
}
