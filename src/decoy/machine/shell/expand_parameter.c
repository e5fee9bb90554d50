/* ${...}: names, arrays, and all operators of bash; dash and ash have fewer. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/expand_state.h"

/* name, name[...], a digit or a special one at the start: its length; 0: none. */
static size_t take_reference(struct shell *shell, const char *text, size_t length,
			     struct reference *reference)
{
	size_t name = lexer_name(text), depth = 0, end;

	memset(reference, 0, sizeof(*reference));
	if (name > length)
		name = length;
	if (!name && length) {
		if (isdigit((uint8_t)text[0]))
			name = strspn(text, "0123456789");
		else if (strchr("@*#?-$!", text[0]))
			name = 1;
		if (name > length)
			name = length;
		reference->special = true;
	}
	if (!name)
		return 0;
	reference->name = pool_text(shell->scratch, slice_of(text, name));
	if (reference->special && name == 1 && strchr("@*", text[0])) {
		reference->list = true;
		reference->star = text[0] == '*';
		return name;
	}
	if (reference->special || name == length || text[name] != '[' ||
	    !shell_has(shell, SHELL_BASH))
		return name;
	for (end = name; end < length; end++) {
		depth += text[end] == '[';
		if (text[end] == ']' && !--depth)
			break;
	}
	if (end >= length)
		return name;
	reference->subscript = pool_text(shell->scratch, slice_of(text + name + 1, end - name - 1));
	if (!strcmp(reference->subscript, "@") || !strcmp(reference->subscript, "*")) {
		reference->list = true;
		reference->star = reference->subscript[0] == '*';
	}
	return end + 1;
}

static void read_list(struct shell *shell, struct reference *reference)
{
	struct variable *variable;
	struct fields fields = {0};
	size_t count = 0;

	if (reference->special) {
		reference->values = shell->positional;
		reference->count = (size_t)shell->positional_count;
		return;
	}
	variable = variables_find(shell, reference->name);
	if (variable && variable->array) {
		for (size_t i = 0; i < variable->array->count; i++)
			fields_add(shell, &fields,
				   pool_text(shell->scratch,
					     slice_text(variable->array->items[i].value)));
	} else if (variable && variable->value) {
		fields_add(shell, &fields, variable->value);
	} else if (!variable && special_array(shell, reference->name, 0, &count)) {
		for (size_t i = 0; i < count; i++)
			fields_add(
				shell, &fields,
				(char *)(uintptr_t)special_array(shell, reference->name, i, NULL));
	} else if (!variable && special_get(shell, reference->name)) {
		fields_add(shell, &fields, (char *)(uintptr_t)special_get(shell, reference->name));
	}
	reference->values = fields.at;
	reference->count = fields.count;
}

static int read_value(struct shell *shell, struct reference *reference)
{
	struct variable *variable;
	const char *key, *value;
	int64_t index;

	if (reference->list) {
		read_list(shell, reference);
		reference->set = reference->count > 0;
		return 0;
	}
	if (reference->special) {
		value = special_parameter(shell, reference->name, strlen(reference->name));
	} else if (reference->subscript) {
		variable = variables_find(shell, reference->name);
		if (array_subscript(shell, variable, reference->subscript,
				    strlen(reference->subscript), &key, &index) < 0)
			return -1;
		value = variable ? array_get(variable, key, index)
				 : special_array(shell, reference->name, (size_t)index, NULL);
		if (!variable && !value && index == 0)
			value = special_get(shell, reference->name);
	} else {
		value = variables_get(shell, reference->name);
	}
	reference->set = value != NULL;
	reference->value = value ? pool_text(shell->scratch, slice_text(value)) : NULL;
	return 0;
}

static void bad_substitution(struct expansion *out, const char *text, size_t length)
{
	struct shell *shell = out->shell;

	out->failed = true;
	if (shell_has(shell, SHELL_BASH))
		message_fatal(shell, 1, "%.*s: bad substitution", (int)length, text);
	else
		message_fatal(shell, 2, "%s",
			      shell_has(shell, SHELL_DASH) ? "Bad substitution"
							   : "syntax error: bad substitution");
}

static bool check_set(struct expansion *out, const struct reference *reference)
{
	struct shell *shell = out->shell;

	if (reference->set || reference->list || !shell_option_is(shell, SET_NOUNSET))
		return true;
	message_fatal(shell, shell->interactive ? 1 : 127,
		      shell_has(shell, SHELL_BASH) ? "%s: unbound variable"
						   : "%s: parameter not set",
		      reference->name);
	if (!shell->interactive)
		shell->unwind = UNWIND_EXIT;
	out->failed = true;
	return false;
}

void expand_reference(struct expansion *out, const struct reference *reference, unsigned flags)
{
	if (reference->list)
		expand_list(out, reference->values, reference->count, reference->star, flags);
	else if (check_set(out, reference))
		expand_value(out, slice_text(reference->value), flags);
}

/* ${#...} */
static bool expand_length(struct expansion *out, const char *body, size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	struct reference reference;
	size_t taken, count;
	char text[24];

	if (length == 1) {
		snprintf(text, sizeof(text), "%d", shell->positional_count);
		expand_value(out, slice_text(text), flags);
		return true;
	}
	taken = take_reference(shell, body + 1, length - 1, &reference);
	if (!taken || taken != length - 1)
		return false;
	if (read_value(shell, &reference) < 0) {
		out->failed = true;
		return true;
	}
	if (!reference.set && !reference.list && !check_set(out, &reference))
		return true;
	count = reference.list ? reference.count : reference.set ? strlen(reference.value) : 0;
	if (reference.list && !shell_has(shell, SHELL_BASH)) {
		/* the length of them all, with a blank between */
		for (size_t i = 0; i < reference.count; i++)
			count += strlen(reference.values[i]);
		count -= count > 0;
	}
	snprintf(text, sizeof(text), "%zu", count);
	expand_value(out, slice_text(text), flags);
	return true;
}

/* ${!name*}, ${!name@}, ${!name[@]}; false: something else. */
static bool expand_names(struct expansion *out, const char *body, size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	size_t name = lexer_name(body + 1), count = 0;
	struct fields fields = {0};
	struct variable *variable;
	char last = body[length - 1];

	if (name && name + 2 == length && (last == '*' || last == '@')) {
		struct variable **all = variables_sorted(shell, 0, &count);

		for (size_t i = 0; i < count; i++)
			if (!strncmp(all[i]->name, body + 1, name) &&
			    (all[i]->value || all[i]->array))
				fields_add(shell, &fields, all[i]->name);
		expand_list(out, fields.at, fields.count, last == '*', flags);
		return true;
	}
	if (!name || name + 4 != length || body[name + 1] != '[' || last != ']' ||
	    !strchr("*@", body[name + 2]))
		return false;
	variable = variables_find(shell, pool_text(shell->scratch, slice_of(body + 1, name)));
	for (size_t i = 0; variable && variable->array && i < variable->array->count; i++) {
		struct element *item = &variable->array->items[i];
		char *text = pool_take(shell->scratch, 24);

		snprintf(text, 24, "%lld", (long long)item->index);
		fields_add(shell, &fields, item->key ? item->key : text);
	}
	if (variable && !variable->array && variable->value)
		fields_add(shell, &fields, pool_text(shell->scratch, SLICE("0")));
	expand_list(out, fields.at, fields.count, body[name + 2] == '*', flags);
	return true;
}

/* What ${!name} points to. False: told. */
static bool follow(struct expansion *out, struct reference *reference)
{
	struct shell *shell = out->shell;
	char *target;

	if (read_value(shell, reference) < 0) {
		out->failed = true;
		return false;
	}
	if (!reference->set || reference->list) {
		message_fatal(shell, 1, "%s: invalid indirect expansion", reference->name);
		out->failed = true;
		return false;
	}
	target = reference->value;
	if (!*target ||
	    take_reference(shell, target, strlen(target), reference) != strlen(target)) {
		message_fatal(shell, 1, "%s: invalid variable name", target);
		out->failed = true;
		return false;
	}
	return true;
}

static void assign_default(struct expansion *out, struct reference *reference, const char *word,
			   size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	char *value, *target = reference->name;
	int result;

	if (reference->special || reference->list) {
		if (shell_has(shell, SHELL_BASH))
			message_fatal(shell, 1, "$%s: cannot assign in this way", reference->name);
		else
			message_fatal(shell, 2, "%s: bad variable name", reference->name);
		out->failed = true;
		return;
	}
	value = expand_slice(shell, slice_of(word, length),
			     (flags & EXPAND_QUOTED) | EXPAND_WORD | EXPAND_SINGLE);
	if (!value) {
		out->failed = true;
		return;
	}
	if (reference->subscript) {
		struct text text = {0};

		text_format(shell->process, &text, "%s[%s]", reference->name, reference->subscript);
		target = pool_text(shell->scratch, text_slice(&text));
		process_give(shell->process, text.data);
	}
	result = variables_set(shell, target, value);
	if (result < 0) {
		out->failed = true;
		if (!shell->unwind)
			shell->unwind = UNWIND_LINE;
		return;
	}
	expand_value(out, slice_text(value), flags);
}

static void tell_unset(struct expansion *out, const struct reference *reference, const char *word,
		       size_t length, bool colon)
{
	struct shell *shell = out->shell;
	char *message = NULL;

	out->failed = true;
	if (length) {
		message = expand_slice(shell, slice_of(word, length), EXPAND_SINGLE | EXPAND_WORD);
		if (!message)
			return;
	}
	message_fatal(shell, 127, "%s: %s", reference->name,
		      message ? message
		      : shell_has(shell, SHELL_BASH)
			      ? (colon ? "parameter null or not set" : "parameter not set")
		      : colon ? "parameter not set or null"
			      : "parameter not set");
	if (!shell->interactive)
		shell->unwind = UNWIND_EXIT;
}

/* :- - := = :? ? :+ + ; true: it was one of them. */
static bool expand_default(struct expansion *out, struct reference *reference, const char *rest,
			   size_t length, unsigned flags)
{
	bool colon = rest[0] == ':', have;
	char op = rest[colon];
	const char *word = rest + colon + 1;
	size_t word_length = length - colon - 1;

	if (length < (size_t)colon + 1 || !op || !strchr("-=?+", op))
		return false;
	have = reference->set;
	if (have && colon) {
		if (reference->list)
			have = reference->count > 1 || (reference->count && *reference->values[0]);
		else
			have = *reference->value != '\0';
	}
	if (op == '+') {
		if (have)
			expand_into(out, word, word_length, flags | EXPAND_WORD);
		else
			out->empty_list = out->empty_list || reference->list;
	} else if (have) {
		expand_reference(out, reference, flags);
	} else if (op == '-') {
		expand_into(out, word, word_length, flags | EXPAND_WORD);
	} else if (op == '=') {
		assign_default(out, reference, word, word_length, flags);
	} else {
		tell_unset(out, reference, word, word_length, colon);
	}
	return true;
}

/* The operators behind the name; false: none of the language. */
static bool expand_operator(struct expansion *out, struct reference *reference, const char *rest,
			    size_t length, unsigned flags)
{
	bool more = shell_has(out->shell, SHELL_BASH | SHELL_ASH);

	if (!length) {
		expand_reference(out, reference, flags);
		return true;
	}
	if (expand_default(out, reference, rest, length, flags))
		return true;
	switch (rest[0]) {
	case '#':
	case '%':
		if (check_set(out, reference))
			expand_trim(out, reference, rest, length, flags);
		return true;
	case '/':
		if (more && check_set(out, reference))
			expand_replace(out, reference, rest, length, flags);
		return more;
	case ':':
		if (more && check_set(out, reference))
			expand_substring(out, reference, rest + 1, length - 1, flags);
		return more;
	case '^':
	case ',':
	case '~':
		if (!shell_has(out->shell, SHELL_BASH))
			return false;
		if (check_set(out, reference))
			expand_case(out, reference, rest, length, flags);
		return true;
	case '@':
		return shell_has(out->shell, SHELL_BASH) && length == 2 &&
		       expand_transform(out, reference, rest[1], flags);
	default:
		return false;
	}
}

size_t expand_parameter(struct expansion *out, const char *text, size_t length, unsigned flags)
{
	struct shell *shell = out->shell;
	struct lexer lexer = lexer_over(shell, text, length);
	struct reference reference;
	const char *body = text + 2;
	size_t size, taken;
	bool indirect;

	if (lexer_skip_dollar(&lexer, flags & (EXPAND_QUOTED | EXPAND_HERE)) < 0 || lexer.at < 3) {
		bad_substitution(out, text, length);
		return length;
	}
	size = lexer.at - 3;
	if (size && body[0] == '#' &&
	    (size == 1 || (!strchr(":-=+%#/", body[1]) || (size == 2 && strchr("-#", body[1])) ||
			   (body[1] == '?' && size == 2)))) {
		if (!expand_length(out, body, size, flags))
			bad_substitution(out, text, lexer.at);
		return lexer.at;
	}
	indirect = size > 1 && body[0] == '!' && shell_has(shell, SHELL_BASH) &&
		   (isalnum((uint8_t)body[1]) || strchr("_@*#?", body[1]));
	if (indirect && expand_names(out, body, size, flags))
		return lexer.at;
	taken = take_reference(shell, body + indirect, size - indirect, &reference);
	if (!taken) {
		bad_substitution(out, text, lexer.at);
		return lexer.at;
	}
	if (indirect && !follow(out, &reference))
		return lexer.at;
	if (read_value(shell, &reference) < 0)
		out->failed = true;
	else if (!expand_operator(out, &reference, body + indirect + taken, size - indirect - taken,
				  flags))
		bad_substitution(out, text, lexer.at);
	if (out->failed && !shell->unwind)
		shell->unwind = UNWIND_LINE;
	return lexer.at;
}
