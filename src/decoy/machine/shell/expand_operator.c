/* What ${name OPERATOR} makes of values. */
#include <ctype.h>
#include <stdio.h>

#include "decoy/machine/shell/expand_state.h"

typedef char *change(struct shell *shell, const char *value, const void *how);

/* Changes the value or each of the list and puts them. */
static void put_changed(struct expansion *out, struct reference *reference, change *changed,
			const void *how, unsigned flags)
{
	struct shell *shell = out->shell;

	if (reference->list) {
		struct fields fields = {0};

		for (size_t i = 0; i < reference->count; i++)
			fields_add(shell, &fields, changed(shell, reference->values[i], how));
		expand_list(out, fields.at, fields.count, reference->star, flags);
		return;
	}
	expand_value(out, slice_text(changed(shell, reference->value ? reference->value : "", how)),
		     flags);
}

static char *pattern_of(struct expansion *out, const char *text, size_t length)
{
	char *pattern =
		expand_slice(out->shell, slice_of(text, length), EXPAND_PATTERN | EXPAND_SINGLE);

	if (!pattern)
		out->failed = true;
	return pattern;
}

struct trimming {
	const char *pattern;
	bool longest, suffix;
};

static bool extended(const struct shell *shell)
{
	return shell_option_is(shell, SHOPT_EXTGLOB);
}

static char *trim(struct shell *shell, const char *value, const void *how)
{
	const struct trimming *trimming = how;
	size_t length = strlen(value);

	for (size_t i = 0; i <= length; i++) {
		size_t cut = trimming->longest ? length - i : i;
		struct slice part = trimming->suffix ? slice_of(value + length - cut, cut)
						     : slice_of(value, cut);

		if (i % 64 == 63)
			process_step(shell->process);
		if (!pattern_matches(shell, trimming->pattern, part, extended(shell), false))
			continue;
		return pool_text(shell->scratch, trimming->suffix
							 ? slice_of(value, length - cut)
							 : slice_of(value + cut, length - cut));
	}
	return (char *)(uintptr_t)value;
}

void expand_trim(struct expansion *out, struct reference *reference, const char *op, size_t length,
		 unsigned flags)
{
	struct trimming trimming = {.suffix = op[0] == '%',
				    .longest = length > 1 && op[1] == op[0]};
	size_t skip = trimming.longest ? 2 : 1;

	trimming.pattern = pattern_of(out, op + skip, length - skip);
	if (trimming.pattern)
		put_changed(out, reference, trim, &trimming, flags);
}

struct replacing {
	const char *pattern, *with;
	bool all, prefix, suffix;
};

/* Length of the longest match at the start of value, or SIZE_MAX. */
static size_t match_length(struct shell *shell, const struct replacing *replacing,
			   const char *value, size_t left)
{
	if (!pattern_has_magic(replacing->pattern)) {
		const char *plain = pattern_plain(shell, replacing->pattern);
		size_t length = strlen(plain);

		return length <= left && !strncmp(value, plain, length) ? length : SIZE_MAX;
	}
	for (size_t length = left + 1; length-- > 0;) {
		if (length % 64 == 63)
			process_step(shell->process);
		if (pattern_matches(shell, replacing->pattern, slice_of(value, length),
				    extended(shell), false))
			return length;
	}
	return SIZE_MAX;
}

static char *replace(struct shell *shell, const char *value, const void *how)
{
	const struct replacing *replacing = how;
	struct pool_mark mark;
	struct text text = {0};
	size_t left = strlen(value), at = 0;
	char *result;

	if (!*replacing->pattern && !replacing->prefix && !replacing->suffix)
		return (char *)(uintptr_t)value;
	while (at <= left && text.length < SHELL_EXPANSION_MAX) {
		size_t length = SIZE_MAX;

		mark = pool_place(shell->scratch);
		if (replacing->suffix) {
			if (pattern_matches(shell, replacing->pattern,
					    slice_of(value + at, left - at), extended(shell),
					    false))
				length = left - at;
		} else if (at < left || replacing->prefix || !left) {
			length = match_length(shell, replacing, value + at, left - at);
		}
		pool_cut(shell->scratch, mark);
		if (length != SIZE_MAX &&
		    (length || replacing->prefix || replacing->suffix || !left)) {
			text_add_words(shell->process, &text, replacing->with);
			at += length;
			if (!replacing->all || !length)
				break;
			continue;
		}
		if (replacing->prefix)
			break;
		if (at < left)
			text_add_byte(shell->process, &text, (uint8_t)value[at]);
		at++;
		process_step(shell->process);
	}
	if (at < left)
		text_add_words(shell->process, &text, value + at);
	result = pool_text(shell->scratch, text_slice(&text));
	process_give(shell->process, text.data);
	return result;
}

void expand_replace(struct expansion *out, struct reference *reference, const char *op,
		    size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	struct replacing replacing = {0};
	struct lexer lexer;
	size_t at = 1, end;

	if (at < length && op[at] == '/') {
		replacing.all = true;
		at++;
	} else if (at < length && (op[at] == '#' || op[at] == '%') &&
		   shell_has(shell, SHELL_BASH)) {
		replacing.prefix = op[at] == '#';
		replacing.suffix = op[at] == '%';
		at++;
	}
	/* The pattern ends at the next slash that is not quoted. */
	lexer = lexer_over(shell, op, length);
	for (end = at; end < length && op[end] != '/';) {
		int skipped = 0;

		lexer.at = end;
		switch (op[end]) {
		case '\\':
			lexer.at = end + 2;
			break;
		case '\'':
			skipped = lexer_skip_single(&lexer);
			break;
		case '"':
			skipped = lexer_skip_double(&lexer);
			break;
		case '$':
			skipped = lexer_skip_dollar(&lexer, false);
			break;
		case '[': /* a slash within a set is one of its bytes */
			lexer.at = end + 1;
			break;
		default:
			lexer.at = end + 1;
		}
		end = skipped < 0 || lexer.at > length ? length : lexer.at;
	}
	replacing.pattern = pattern_of(out, op + at, end - at);
	replacing.with = "";
	if (end < length) {
		char *with = expand_slice(shell, slice_of(op + end + 1, length - end - 1),
					  EXPAND_SINGLE);

		if (!with)
			out->failed = true;
		replacing.with = with;
	}
	if (!out->failed)
		put_changed(out, reference, replace, &replacing, flags);
}

/* Splits "offset:length" at the colon that is no part of ?: or parentheses. */
static size_t colon_at(const char *text, size_t length)
{
	size_t depth = 0, questions = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '(' || text[i] == '{')
			depth++;
		else if (text[i] == ')' || text[i] == '}')
			depth--;
		else if (text[i] == '?' && !depth)
			questions++;
		else if (text[i] == ':' && !depth && !questions--)
			return i;
	}
	return length;
}

static bool substring_range(struct expansion *out, const char *text, size_t length, int64_t total,
			    int64_t *start, int64_t *count)
{
	size_t colon = colon_at(text, length);

	if (arithmetic_expand(out->shell, slice_of(text, colon), start) < 0)
		goto failed;
	if (*start < 0)
		*start += total;
	*count = *start < 0 ? 0 : total - *start;
	if (colon < length) {
		struct slice rest = slice_of(text + colon + 1, length - colon - 1);

		if (arithmetic_expand(out->shell, rest, count) < 0)
			goto failed;
		if (*count < 0 && *start >= 0 && *start <= total)
			*count += total - *start;
		if (*count < 0 && *start >= 0 && *start <= total) {
			message_fatal(out->shell, 1, "%.*s: substring expression < 0",
				      (int)rest.length, (const char *)rest.at);
			goto failed;
		}
	}
	if (*start < 0 || *start > total)
		*count = 0;
	else if (*count > total - *start)
		*count = total - *start;
	return true;
failed:
	out->failed = true;
	return false;
}

void expand_substring(struct expansion *out, struct reference *reference, const char *text,
		      size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	int64_t start, count;

	if (!reference->list) {
		const char *value = reference->value ? reference->value : "";

		if (substring_range(out, text, length, (int64_t)strlen(value), &start, &count) &&
		    count > 0)
			expand_value(out, slice_of(value + start, (size_t)count), flags);
		return;
	}
	if (reference->special) {
		/* ${@:0} begins with $0 */
		struct fields fields = {0};

		fields_add(shell, &fields, (char *)(uintptr_t)shell->name);
		for (size_t i = 0; i < reference->count; i++)
			fields_add(shell, &fields, reference->values[i]);
		reference->values = fields.at;
		reference->count = fields.count;
	}
	if (!substring_range(out, text, length, (int64_t)reference->count, &start, &count))
		return;
	expand_list(out, count > 0 ? reference->values + start : NULL,
		    count > 0 ? (size_t)count : 0, reference->star, flags);
}

struct casing {
	char op;
	bool all;
	const char *pattern;
};

static char *change_case(struct shell *shell, const char *value, const void *how)
{
	const struct casing *casing = how;
	char *changed = pool_text(shell->scratch, slice_text(value));

	for (size_t i = 0; changed[i]; i++) {
		uint8_t byte = (uint8_t)changed[i];

		if (!*casing->pattern ||
		    pattern_matches(shell, casing->pattern, slice_of(&byte, 1), true, false))
			changed[i] = (char)(casing->op == '^'   ? toupper(byte)
					    : casing->op == ',' ? tolower(byte)
					    : isupper(byte)     ? tolower(byte)
								: toupper(byte));
		if (!casing->all)
			break;
	}
	return changed;
}

void expand_case(struct expansion *out, struct reference *reference, const char *op, size_t length,
		 unsigned flags)
{
	struct casing casing = {.op = op[0], .all = length > 1 && op[1] == op[0]};
	size_t skip = casing.all ? 2 : 1;

	casing.pattern = pattern_of(out, op + skip, length - skip);
	if (casing.pattern)
		put_changed(out, reference, change_case, &casing, flags);
}

static char *transformed(struct shell *shell, const char *value, const void *how)
{
	char op = *(const char *)how;
	struct expansion out = {.shell = shell};
	struct casing casing = {.op = '^', .all = true, .pattern = ""};
	char *result;

	switch (op) {
	case 'Q':
	case 'K':
		return builtin_quoted_single(shell, value);
	case 'P':
		return prompt_expand(shell, value);
	case 'u':
		casing.all = false;
		return change_case(shell, value, &casing);
	case 'L':
		casing.op = ',';
		return change_case(shell, value, &casing);
	case 'U':
		return change_case(shell, value, &casing);
	default: /* E */
		expand_dollar_single(&out, value, strlen(value));
		result = expand_take(&out, 0);
		expand_free(&out);
		return result;
	}
}

static void put_attributes(struct expansion *out, struct reference *reference, unsigned flags)
{
	struct variable *variable =
		reference->special ? NULL : variables_find(out->shell, reference->name);
	static const struct {
		unsigned attribute;
		char letter;
	} letters[] = {
		{VARIABLE_INDEXED, 'a'},   {VARIABLE_ASSOCIATIVE, 'A'}, {VARIABLE_INTEGER, 'i'},
		{VARIABLE_REFERENCE, 'n'}, {VARIABLE_READONLY, 'r'},    {VARIABLE_TRACE, 't'},
		{VARIABLE_EXPORT, 'x'},    {VARIABLE_LOWER, 'l'},       {VARIABLE_UPPER, 'u'}};

	for (size_t i = 0; variable && i < ARRAY_COUNT(letters); i++)
		if (variable->attributes & letters[i].attribute)
			expand_value(out, slice_of(&letters[i].letter, 1), flags);
}

bool expand_transform(struct expansion *out, struct reference *reference, char op, unsigned flags)
{
	if (!strchr("QEPAUuLKa", op))
		return false;
	if (op == 'a') {
		put_attributes(out, reference, flags);
		return true;
	}
	if (!reference->set)
		return true;
	if (op == 'A') {
		struct text text = {0};

		text_format(out->shell->process, &text, "%s=%s", reference->name,
			    builtin_quoted_single(out->shell,
						  reference->value ? reference->value : ""));
		expand_value(out, text_slice(&text), flags);
		process_give(out->shell->process, text.data);
		return true;
	}
	put_changed(out, reference, transformed, &op, flags);
	return true;
}
