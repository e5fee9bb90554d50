/* export, readonly, declare, local, unset. */
#include <stdio.h>

#include "decoy/machine/shell/state.h"

char *builtin_quoted_single(struct shell *shell, const char *text)
{
	struct text out = {0};
	char *copy;
	bool control = false;

	for (const char *at = text; *at; at++)
		control |= (uint8_t)*at < 32 || *at == 127;
	if (control && shell_has(shell, SHELL_BASH)) {
		text_add_words(shell->process, &out, "$'");
		for (const char *at = text; *at; at++) {
			static const char names[] = "\a\b\033\f\n\r\t\v\\'",
					  letters[] = "abEfnrtv\\'";
			const char *name = strchr(names, *at);

			if (name)
				text_format(shell->process, &out, "\\%c", letters[name - names]);
			else if ((uint8_t)*at < 32 || *at == 127)
				text_format(shell->process, &out, "\\%03o", (uint8_t)*at);
			else
				text_add_byte(shell->process, &out, (uint8_t)*at);
		}
		text_add_byte(shell->process, &out, '\'');
	} else {
		text_add_byte(shell->process, &out, '\'');
		for (const char *at = text; *at; at++) {
			if (*at == '\'')
				text_add_words(shell->process, &out,
					       shell_has(shell, SHELL_DASH) ? "'\"'\"'" : "'\\''");
			else
				text_add_byte(shell->process, &out, (uint8_t)*at);
		}
		text_add_byte(shell->process, &out, '\'');
	}
	copy = pool_text(shell->scratch, text_slice(&out));
	process_give(shell->process, out.data);
	return copy;
}

char *builtin_quoted(struct shell *shell, const char *text)
{
	if (*text &&
	    !text[strcspn(text, " \t\n'\"\\|&;()<>`$*?[]#~!{}^,\001\002\003\004\005\006\a\b"
				"\v\f\r\016\017\033\177")])
		return (char *)(uintptr_t)text;
	if (!*text)
		return (char *)(uintptr_t) "";
	return builtin_quoted_single(shell, text);
}

/* "..." with what must be escaped in it. */
static void put_double(struct shell *shell, const char *text)
{
	for (const char *at = text; *at; at++)
		if ((uint8_t)*at < 32 || *at == 127) {
			output_text(shell, builtin_quoted_single(shell, text));
			return;
		}
	output_text(shell, "\"");
	for (; *text; text++)
		output_format(shell, strchr("\"\\$`", *text) ? "\\%c" : "%c", *text);
	output_text(shell, "\"");
}

static void put_elements(struct shell *shell, const struct variable *variable)
{
	output_text(shell, "(");
	for (size_t i = 0; i < variable->array->count; i++) {
		const struct element *item = &variable->array->items[i];

		if (item->key)
			output_format(
				shell, "[%s]=",
				*item->key && !item->key[strcspn(item->key, " $`\"'\\&;()|<>*")]
					? item->key
					: "\"\"");
		else
			output_format(shell, "%s[%lld]=", i ? " " : "", (long long)item->index);
		put_double(shell, item->value);
		if (item->key)
			output_text(shell, " ");
	}
	output_text(shell, ")");
}

void builtin_print_variable(struct shell *shell, const struct variable *variable, bool declare)
{
	static const struct {
		unsigned attribute;
		char letter;
	} letters[] = {
		{VARIABLE_INDEXED, 'a'},   {VARIABLE_ASSOCIATIVE, 'A'}, {VARIABLE_INTEGER, 'i'},
		{VARIABLE_REFERENCE, 'n'}, {VARIABLE_READONLY, 'r'},    {VARIABLE_TRACE, 't'},
		{VARIABLE_EXPORT, 'x'},    {VARIABLE_LOWER, 'l'},       {VARIABLE_UPPER, 'u'}};
	char flags[16];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_COUNT(letters); i++)
		if (variable->attributes & letters[i].attribute)
			flags[count++] = letters[i].letter;
	if (!count)
		flags[count++] = '-';
	flags[count] = '\0';
	if (declare)
		output_format(shell, "declare -%s ", flags);
	output_text(shell, variable->name);
	if (variable->array) {
		output_text(shell, "=");
		put_elements(shell, variable);
	} else if (variable->value && declare) {
		output_text(shell, "=");
		put_double(shell, variable->value);
	} else if (variable->value) {
		output_format(shell, "=%s", builtin_quoted(shell, variable->value));
	}
	output_text(shell, "\n");
}

static void list(struct shell *shell, unsigned attributes, const char *word, bool declare)
{
	size_t count;
	struct variable **all = variables_sorted(shell, attributes, &count);

	for (size_t i = 0; i < count; i++) {
		process_step(shell->process);
		if (shell_has(shell, SHELL_BASH)) {
			builtin_print_variable(shell, all[i], declare);
			continue;
		}
		output_format(shell, "%s %s", word, all[i]->name);
		if (all[i]->value)
			output_format(shell, "=%s", builtin_quoted_single(shell, all[i]->value));
		output_text(shell, "\n");
	}
}

/* The name before "=", "+=" of an argument, in scratch memory; NULL: told, no name. */
static char *name_of(struct shell *shell, const char *argument, const char **value, bool *append)
{
	size_t length = lexer_name(argument), end = length;
	const char *rest;

	if (length && argument[length] == '[' && shell_has(shell, SHELL_BASH)) {
		const char *close = strchr(argument, ']');

		if (close)
			end = (size_t)(close - argument) + 1;
	}
	rest = argument + end;
	*append = rest[0] == '+' && rest[1] == '=';
	if (*append)
		rest++;
	if (!length || (*rest && *rest != '=')) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "`%s': not a valid identifier", argument);
		} else {
			size_t shown = strcspn(argument, "=");

			message_builtin(shell, "%.*s: bad variable name", (int)shown, argument);
			message_special(shell, 2);
		}
		return NULL;
	}
	*value = *rest ? rest + 1 : NULL;
	return pool_text(shell->scratch, slice_of(argument, end));
}

/* export and readonly. */
static int mark(struct shell *shell, int argc, char **argv, unsigned attribute)
{
	struct builtin_options options = {0};
	bool print = false, functions = false, off = false;
	int letter, status = 0;
	const char *letters = attribute == VARIABLE_EXPORT ? "fnp" : "aAfp";

	while ((letter =
			builtin_option(shell, &options, argc, argv,
				       shell_has(shell, SHELL_BASH) ? letters
				       : shell_has(shell, SHELL_ASH) && attribute == VARIABLE_EXPORT
					       ? "pn"
					       : "p")) != -1) {
		if (letter == '?')
			return 2;
		print |= letter == 'p';
		functions |= letter == 'f';
		off |= letter == 'n';
	}
	if (options.index >= argc) {
		if (!functions)
			list(shell, attribute, argv[0], true);
		return 0;
	}
	for (int i = options.index; i < argc; i++) {
		const char *value;
		struct variable *variable;
		bool append;
		char *name;

		if (functions) {
			struct function *function = names_function(shell, argv[i]);

			if (function) {
				function->exported = !off;
			} else {
				message_builtin(shell, "%s: not a function", argv[i]);
				status = 1;
			}
			continue;
		}
		name = name_of(shell, argv[i], &value, &append);
		if (!name) {
			status = shell_has(shell, SHELL_BASH) ? 1 : 2;
			if (shell->unwind)
				return status;
			continue;
		}
		if (value && (append ? variables_append(shell, name, value)
				     : variables_set(shell, name, value)) < 0) {
			status = 1;
			continue;
		}
		variable = variables_make(shell, name);
		if (attribute == VARIABLE_EXPORT)
			variables_export(shell, variable, !off);
		else
			variable->attributes |= attribute;
	}
	return status;
}

int builtin_export(struct shell *shell, int argc, char **argv)
{
	return mark(shell, argc, argv, VARIABLE_EXPORT);
}

int builtin_readonly(struct shell *shell, int argc, char **argv)
{
	return mark(shell, argc, argv, VARIABLE_READONLY);
}

struct declaring {
	unsigned on, off;
	bool print, functions, names_only, global, local;
};

static unsigned attribute_of(int letter)
{
	static const struct {
		char letter;
		unsigned attribute;
	} attributes[] = {
		{'a', VARIABLE_INDEXED}, {'A', VARIABLE_ASSOCIATIVE}, {'i', VARIABLE_INTEGER},
		{'l', VARIABLE_LOWER},   {'n', VARIABLE_REFERENCE},   {'r', VARIABLE_READONLY},
		{'t', VARIABLE_TRACE},   {'u', VARIABLE_UPPER},       {'x', VARIABLE_EXPORT}};

	for (size_t i = 0; i < ARRAY_COUNT(attributes); i++)
		if (attributes[i].letter == letter)
			return attributes[i].attribute;
	return 0;
}

static int declare_function(struct shell *shell, const char *name, const struct declaring *how)
{
	struct function *function = names_function(shell, name);

	if (!function)
		return 1;
	if (how->names_only)
		output_format(shell, "%s\n", name);
	else
		print_function(shell->process, &shell->output, name, function->body);
	return 0;
}

static int print_one(struct shell *shell, const char *name)
{
	struct variable *variable = variables_find(shell, name);
	const char *special;

	if (variable) {
		builtin_print_variable(shell, variable, true);
		return 0;
	}
	special = special_get(shell, name);
	if (special) {
		output_format(shell, "declare -- %s=\"%s\"\n", name, special);
		return 0;
	}
	message_builtin(shell, "%s: not found", name);
	return 1;
}

static int declare_one(struct shell *shell, const char *argument, const struct declaring *how)
{
	const char *value;
	bool append;
	char *name = name_of(shell, argument, &value, &append), *plain;
	struct variable *variable;
	unsigned readonly = how->on & VARIABLE_READONLY;
	size_t length;
	int result = 0;

	if (!name)
		return 1;
	length = lexer_name(name);
	plain = pool_text(shell->scratch, slice_of(name, length));
	if (how->local && shell->scope && !how->global) {
		variable = variables_local(shell, plain, append || !shell_has(shell, SHELL_BASH));
		if (!variable)
			return 1;
	} else {
		if (how->on & VARIABLE_REFERENCE)
			variables_unset(shell, plain);
		variable = variables_make(shell, plain);
	}
	if (variable->attributes & VARIABLE_READONLY && how->off & VARIABLE_READONLY) {
		message_builtin(shell, "%s: readonly variable", plain);
		return 1;
	}
	if (how->on & VARIABLE_ARRAY && !variable->array)
		variable = array_make(shell, plain, how->on & VARIABLE_ASSOCIATIVE);
	variable->attributes |=
		how->on & ~(unsigned)(VARIABLE_READONLY | VARIABLE_EXPORT | VARIABLE_ARRAY);
	if (how->on & VARIABLE_LOWER)
		variable->attributes &= ~(unsigned)VARIABLE_UPPER;
	if (how->on & VARIABLE_UPPER)
		variable->attributes &= ~(unsigned)VARIABLE_LOWER;
	if (value && how->on & VARIABLE_REFERENCE) {
		process_give(shell->process, variable->value);
		variable->value = process_copy_text(shell->process, value);
	} else if (value) {
		if (name[length] == '[')
			result = array_assign(shell, name, value, append);
		else
			result = append ? variables_append(shell, name, value)
					: variables_set(shell, name, value);
	}
	if (how->on & VARIABLE_EXPORT)
		variables_export(shell, variable, true);
	if (how->off & VARIABLE_EXPORT)
		variables_export(shell, variable, false);
	variable->attributes &= ~(how->off & ~(unsigned)(VARIABLE_ARRAY | VARIABLE_EXPORT));
	variable->attributes |= readonly;
	return result < 0;
}

static int declare(struct shell *shell, int argc, char **argv, struct declaring *how)
{
	struct builtin_options options = {0};
	int letter, status = 0;

	while ((letter = builtin_option(shell, &options, argc, argv, "+aAfFgiIlnprtux")) != -1) {
		if (letter == '?')
			return 2;
		how->print |= letter == 'p';
		how->functions |= letter == 'f' || letter == 'F';
		how->names_only |= letter == 'F';
		how->global |= letter == 'g';
		if (options.plus)
			how->off |= attribute_of(letter);
		else
			how->on |= attribute_of(letter);
	}
	if (options.index >= argc && how->functions) {
		for (struct function *function = shell->functions; function;
		     function = function->next)
			if (how->names_only)
				output_format(shell, "declare -f %s\n", function->name);
			else
				print_function(shell->process, &shell->output, function->name,
					       function->body);
		return 0;
	}
	if (options.index >= argc) {
		list(shell, how->on, argv[0], how->print || how->on);
		return 0;
	}
	for (int i = options.index; i < argc; i++) {
		int result;

		process_step(shell->process);
		if (how->functions)
			result = declare_function(shell, argv[i], how);
		else if (how->print)
			result = print_one(shell, argv[i]);
		else
			result = declare_one(shell, argv[i], how);
		if (result)
			status = result;
	}
	return status;
}

int builtin_declare(struct shell *shell, int argc, char **argv)
{
	struct declaring how = {.local = shell->functions_deep > 0};

	return declare(shell, argc, argv, &how);
}

int builtin_local(struct shell *shell, int argc, char **argv)
{
	struct declaring how = {.local = true};
	int status = 0;

	if (!shell->functions_deep || !shell->scope) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "can only be used in a function");
			return 1;
		}
		message_builtin(shell, "not in a function");
		return message_special(shell, 2);
	}
	if (shell_has(shell, SHELL_BASH)) {
		if (argc == 1) {
			list(shell, VARIABLE_LOCAL, "", false);
			return 0;
		}
		return declare(shell, argc, argv, &how);
	}
	for (int i = 1; i < argc; i++)
		if (declare_one(shell, argv[i], &how))
			status = 2;
	return status;
}

static int unset_element(struct shell *shell, const char *name)
{
	size_t length = lexer_name(name), end = strlen(name);
	struct variable *variable =
		variables_find(shell, pool_text(shell->scratch, slice_of(name, length)));
	const char *key;
	int64_t index;

	if (!variable || !variable->array || name[end - 1] != ']')
		return 0;
	if (variable->attributes & VARIABLE_READONLY) {
		message_builtin(shell, "%s: cannot unset: readonly variable", variable->name);
		return 1;
	}
	if (end == length + 3 && strchr("@*", name[length + 1])) {
		array_clear(shell, variable->array);
		return 0;
	}
	if (array_subscript(shell, variable, name + length + 1, end - length - 2, &key, &index) < 0)
		return 1;
	array_unset(shell, variable, key, index);
	return 0;
}

int builtin_unset(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool functions = false, variables = false, reference = false;
	int letter, status = 0;

	while ((letter = builtin_option(shell, &options, argc, argv,
					shell_has(shell, SHELL_BASH) ? "fvn" : "fv")) != -1) {
		if (letter == '?')
			return 2;
		functions |= letter == 'f';
		variables |= letter == 'v';
		reference |= letter == 'n';
	}
	for (int i = options.index; i < argc; i++) {
		size_t length = lexer_name(argv[i]);

		if (functions) {
			names_undefine(shell, argv[i]);
			continue;
		}
		if (!length || (argv[i][length] && argv[i][length] != '[')) {
			if (!variables && names_undefine(shell, argv[i]))
				continue;
			if (shell_has(shell, SHELL_BASH)) {
				message_builtin(shell, "`%s': not a valid identifier", argv[i]);
				status = 1;
				continue;
			}
			message_builtin(shell, "%s: bad variable name", argv[i]);
			return message_special(shell, 2);
		}
		if (argv[i][length]) {
			status |= unset_element(shell, argv[i]);
			continue;
		}
		if (reference) {
			struct variable *variable = variables_find(shell, argv[i]);

			(void)variable;
		}
		if (!variables_find(shell, argv[i]) && !variables && shell_has(shell, SHELL_BASH)) {
			names_undefine(shell, argv[i]);
			continue;
		}
		if (variables_unset(shell, argv[i]) < 0)
			status = 1;
	}
	return status;
}

int builtin_set(struct shell *shell, int argc, char **argv)
{
	return options_set_builtin(shell, argc, argv);
}

int builtin_shopt(struct shell *shell, int argc, char **argv)
{
	return options_shopt(shell, argc, argv);
}
