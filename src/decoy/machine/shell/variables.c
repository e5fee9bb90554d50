/* Variables: a hash table; what a function call hides is kept in its scope until it returns. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

static unsigned bucket_of(const char *name)
{
	unsigned hash = 5381;

	for (; *name; name++)
		hash = hash * 33 + (uint8_t)*name;
	return hash % VARIABLE_BUCKETS;
}

static struct variable **place_of(struct shell *shell, const char *name)
{
	struct variable **at = &shell->variables[bucket_of(name)];

	while (*at && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

const char *variables_target(struct shell *shell, const char *name)
{
	for (unsigned i = 0; i < 8; i++) {
		struct variable *variable = *place_of(shell, name);

		if (!variable || !(variable->attributes & VARIABLE_REFERENCE) || !variable->value ||
		    !*variable->value)
			break;
		name = variable->value;
	}
	return name;
}

struct variable *variables_find(struct shell *shell, const char *name)
{
	return *place_of(shell, variables_target(shell, name));
}

static struct variable *variable_new(struct shell *shell, const char *name)
{
	size_t length = strlen(name);
	struct variable *variable = process_take(shell->process, sizeof(*variable) + length + 1);

	memcpy(variable->name, name, length + 1);
	return variable;
}

static void variable_free(struct shell *shell, struct variable *variable)
{
	process_give(shell->process, variable->value);
	array_free(shell, variable->array);
	process_give(shell->process, variable);
}

struct variable *variables_make(struct shell *shell, const char *name)
{
	struct variable **at;

	name = variables_target(shell, name);
	at = place_of(shell, name);
	if (!*at)
		*at = variable_new(shell, name);
	return *at;
}

void variables_changed(struct shell *shell, const struct variable *variable)
{
	if (variable->attributes & VARIABLE_EXPORT && shell->environment) {
		process_give(shell->process, shell->environment);
		shell->environment = NULL;
	}
	if (!strcmp(variable->name, "PATH"))
		names_forget(shell, NULL);
}

const char *variables_get(struct shell *shell, const char *name)
{
	struct variable *variable = variables_find(shell, name);

	if (!variable)
		return special_get(shell, variables_target(shell, name));
	if (variable->array)
		return array_get(variable, "0", 0);
	return variable->value;
}

static int refuse(struct shell *shell, const char *name)
{
	if (shell_has(shell, SHELL_BASH)) {
		message_say(shell, "%s: readonly variable", name);
	} else {
		message_say(shell, "%s: is read only", name);
		message_special(shell, 2);
	}
	return -1;
}

/* The value as the attributes want it: in scratch memory; NULL: told. */
static const char *shaped(struct shell *shell, const struct variable *variable, const char *value)
{
	char *copy;
	int64_t number;

	if (variable->attributes & VARIABLE_INTEGER) {
		if (arithmetic_value(shell, value, &number) < 0)
			return NULL;
		copy = pool_take(shell->scratch, 24);
		snprintf(copy, 24, "%lld", (long long)number);
		return copy;
	}
	if (variable->attributes & (VARIABLE_LOWER | VARIABLE_UPPER)) {
		copy = pool_text(shell->scratch, slice_text(value));
		for (char *at = copy; *at; at++)
			*at = (char)(variable->attributes & VARIABLE_LOWER ? tolower((uint8_t)*at)
									   : toupper((uint8_t)*at));
		return copy;
	}
	return value;
}

static void store(struct shell *shell, struct variable *variable, const char *value)
{
	char *old = variable->value;
	size_t length = strlen(value);

	variable->value = process_take(shell->process, length + 1);
	memcpy(variable->value, value, length + 1);
	process_give(shell->process, old);
	if (shell_option_is(shell, SET_ALLEXPORT))
		variable->attributes |= VARIABLE_EXPORT;
	variables_changed(shell, variable);
}

int variables_set(struct shell *shell, const char *name, const char *value)
{
	struct variable *variable;

	name = variables_target(shell, name);
	variable = *place_of(shell, name);
	if (variable && variable->attributes & VARIABLE_READONLY)
		return refuse(shell, name);
	if (!variable && special_set(shell, name, value))
		return 0;
	if (strchr(name, '['))
		return array_assign(shell, name, value, false);
	variable = variables_make(shell, name);
	value = shaped(shell, variable, value);
	if (!value)
		return -1;
	if (variable->array)
		return array_set(shell, variable, "0", 0, value, false);
	store(shell, variable, value);
	return 0;
}

int variables_set_number(struct shell *shell, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return variables_set(shell, name, text);
}

int variables_append(struct shell *shell, const char *name, const char *value)
{
	struct variable *variable = variables_find(shell, name);
	const char *before = variables_get(shell, name);
	char *both;
	size_t length;

	if (!before)
		before = "";
	if (variable && variable->attributes & VARIABLE_INTEGER) {
		length = strlen(before) + strlen(value) + 4;
		both = pool_take(shell->scratch, length);
		snprintf(both, length, "%s+%s", *before ? before : "0", value);
		return variables_set(shell, name, both);
	}
	length = strlen(before);
	if (length + strlen(value) > SHELL_EXPANSION_MAX) {
		message_fatal(shell, 1, "xrealloc: cannot allocate %zu bytes",
			      length + strlen(value));
		return -1;
	}
	both = process_take(shell->process, length + strlen(value) + 1);
	memcpy(both, before, length);
	memcpy(both + length, value, strlen(value) + 1);
	if (variable && !variable->array &&
	    !(variable->attributes & (VARIABLE_READONLY | VARIABLE_LOWER | VARIABLE_UPPER))) {
		process_give(shell->process, variable->value);
		variable->value = both;
		variables_changed(shell, variable);
		return 0;
	}
	length = (size_t)variables_set(shell, name, both);
	process_give(shell->process, both);
	return (int)length;
}

int variables_unset(struct shell *shell, const char *name)
{
	struct variable **at = place_of(shell, variables_target(shell, name)), *variable = *at;

	if (!variable)
		return 0;
	if (variable->attributes & VARIABLE_READONLY) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "%s: cannot unset: readonly variable", name);
			return -1;
		}
		return refuse(shell, name);
	}
	variables_changed(shell, variable);
	if (variable->attributes & VARIABLE_LOCAL) {
		/* Still local, but without a value, until the function returns. */
		process_give(shell->process, variable->value);
		array_free(shell, variable->array);
		variable->value = NULL;
		variable->array = NULL;
		variable->attributes = VARIABLE_LOCAL;
		return 0;
	}
	*at = variable->next;
	variable_free(shell, variable);
	return 0;
}

void variables_export(struct shell *shell, struct variable *variable, bool on)
{
	variable->attributes |= VARIABLE_EXPORT;
	variables_changed(shell, variable);
	if (!on)
		variable->attributes &= ~(unsigned)VARIABLE_EXPORT;
}

void variables_enter(struct shell *shell, struct scope *scope)
{
	scope->outer = shell->scope;
	scope->hidden = NULL;
	shell->scope = scope;
}

void variables_leave(struct shell *shell)
{
	struct hidden *hidden, *next;

	for (hidden = shell->scope->hidden; hidden; hidden = next) {
		struct variable **at = place_of(shell, hidden->name), *variable = *at;

		next = hidden->next;
		if (variable) {
			variables_changed(shell, variable);
			*at = variable->next;
			variable_free(shell, variable);
		}
		if (hidden->variable) {
			hidden->variable->next = shell->variables[bucket_of(hidden->name)];
			shell->variables[bucket_of(hidden->name)] = hidden->variable;
			variables_changed(shell, hidden->variable);
		}
		process_give(shell->process, hidden);
	}
	shell->scope = shell->scope->outer;
}

struct variable *variables_local(struct shell *shell, const char *name, bool inherit)
{
	struct variable **at = place_of(shell, name), *variable = *at;
	struct hidden *hidden;
	size_t length = strlen(name);

	for (hidden = shell->scope->hidden; hidden; hidden = hidden->next)
		if (!strcmp(hidden->name, name))
			return variables_make(shell, name);
	if (variable && variable->attributes & VARIABLE_READONLY && !variable->array) {
		message_builtin(shell, "%s: readonly variable", name);
		return NULL;
	}
	hidden = process_take(shell->process, sizeof(*hidden) + length + 1);
	memcpy(hidden->name, name, length + 1);
	hidden->variable = variable;
	hidden->next = shell->scope->hidden;
	shell->scope->hidden = hidden;
	if (variable) {
		variables_changed(shell, variable);
		*at = variable->next;
		variable->next = NULL;
	}
	at = &shell->variables[bucket_of(name)];
	variable = variable_new(shell, name);
	variable->next = *at;
	*at = variable;
	variable->attributes = VARIABLE_LOCAL;
	if (hidden->variable)
		variable->attributes |= hidden->variable->attributes & VARIABLE_EXPORT;
	/* dash's locals keep the value. */
	if (hidden->variable && hidden->variable->value && inherit)
		store(shell, variable, hidden->variable->value);
	return variable;
}

char **variables_environment(struct shell *shell)
{
	size_t count = 0, size = 0, at = 0;
	char **list, *text;

	if (shell->environment)
		return shell->environment;
	for (size_t i = 0; i < VARIABLE_BUCKETS; i++)
		for (struct variable *v = shell->variables[i]; v; v = v->next)
			if (v->attributes & VARIABLE_EXPORT && v->value && !v->array) {
				count++;
				size += strlen(v->name) + strlen(v->value) + 2;
			}
	list = process_take(shell->process, (count + 1) * sizeof(*list) + size);
	text = (char *)(list + count + 1);
	for (size_t i = 0; i < VARIABLE_BUCKETS; i++)
		for (struct variable *v = shell->variables[i]; v; v = v->next)
			if (v->attributes & VARIABLE_EXPORT && v->value && !v->array) {
				list[at++] = text;
				text += snprintf(text, size, "%s=%s", v->name, v->value) + 1;
			}
	shell->environment = list;
	return list;
}

static int compare(const void *a, const void *b)
{
	return strcmp((*(struct variable *const *)a)->name, (*(struct variable *const *)b)->name);
}

struct variable **variables_sorted(struct shell *shell, unsigned attributes, size_t *count)
{
	struct variable **list;
	size_t found = 0;

	for (size_t i = 0; i < VARIABLE_BUCKETS; i++)
		for (struct variable *v = shell->variables[i]; v; v = v->next)
			found++;
	list = pool_take(shell->scratch, (found + 1) * sizeof(struct variable *));
	found = 0;
	for (size_t i = 0; i < VARIABLE_BUCKETS; i++)
		for (struct variable *v = shell->variables[i]; v; v = v->next)
			if ((v->attributes & attributes) == attributes)
				list[found++] = v;
	if (found)
		qsort(list, found, sizeof(struct variable *), compare);
	list[found] = NULL;
	*count = found;
	return list;
}

void variables_import(struct shell *shell)
{
	for (char **at = shell->process->environment; at && *at; at++) {
		const char *equals = strchr(*at, '=');
		struct variable *variable;
		char *name;

		if (!equals)
			continue;
		name = process_copy_slice(shell->process, slice_of(*at, (size_t)(equals - *at)));
		if (lexer_name(name) == strlen(name) && *name) {
			variable = variables_make(shell, name);
			variable->attributes |= VARIABLE_EXPORT;
			store(shell, variable, equals + 1);
		}
		process_give(shell->process, name);
	}
}

void variables_copy(struct shell *to, const struct shell *from)
{
	for (size_t i = 0; i < VARIABLE_BUCKETS; i++) {
		struct variable **tail = &to->variables[i];

		for (const struct variable *v = from->variables[i]; v; v = v->next) {
			size_t name = strlen(v->name) + 1,
			       value = v->value ? strlen(v->value) + 1 : 0;
			struct variable *copy = process_take(to->process, sizeof(*copy) + name);

			memcpy(copy->name, v->name, name);
			copy->attributes = v->attributes;
			if (v->value) {
				copy->value = process_take(to->process, value);
				memcpy(copy->value, v->value, value);
			}
			copy->array = v->array ? array_copy(to, v->array) : NULL;
			*tail = copy;
			tail = &copy->next;
		}
	}
}

const char *variables_ifs(struct shell *shell)
{
	struct variable *variable = variables_find(shell, "IFS");

	return variable && variable->value ? variable->value : " \t\n";
}
