/* Arrays: elements sorted by index; an associative array's in the order in which bash's own table
 * would show them. */
#include <stdio.h>

#include "decoy/machine/shell/state.h"

struct array *array_new(struct shell *shell)
{
	return process_take(shell->process, sizeof(struct array));
}

void array_clear(struct shell *shell, struct array *array)
{
	for (size_t i = 0; i < array->count; i++) {
		process_give(shell->process, array->items[i].key);
		process_give(shell->process, array->items[i].value);
	}
	array->count = 0;
}

void array_free(struct shell *shell, struct array *array)
{
	if (!array)
		return;
	array_clear(shell, array);
	process_give(shell->process, array->items);
	process_give(shell->process, array);
}

struct array *array_copy(struct shell *shell, const struct array *from)
{
	struct array *copy = array_new(shell);

	if (!from->count)
		return copy;
	copy->items = process_take(shell->process, from->count * sizeof(*copy->items));
	copy->count = copy->capacity = from->count;
	for (size_t i = 0; i < from->count; i++) {
		const struct element *item = &from->items[i];

		copy->items[i].index = item->index;
		copy->items[i].key =
			item->key ? process_copy_text(shell->process, item->key) : NULL;
		copy->items[i].value = process_copy_text(shell->process, item->value);
	}
	return copy;
}

/* bash hashes with FNV-1 into 1024 buckets and lists bucket by bucket, newest first. */
static int64_t bucket_of(const char *key)
{
	uint32_t hash = 2166136261u;

	for (; *key; key++) {
		hash *= 16777619u;
		hash ^= (uint8_t)*key;
	}
	return hash & 1023;
}

/* The element's place, or where it is to be put. */
static size_t place_of(const struct variable *variable, const char *key, int64_t index, bool *found)
{
	const struct array *array = variable->array;
	bool associative = variable->attributes & VARIABLE_ASSOCIATIVE;
	size_t low = 0, high = array->count;

	if (associative)
		index = bucket_of(key);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (array->items[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	*found = false;
	if (!associative) {
		*found = low < array->count && array->items[low].index == index;
		return low;
	}
	for (size_t i = low; i < array->count && array->items[i].index == index; i++)
		if (!strcmp(array->items[i].key, key)) {
			*found = true;
			return i;
		}
	return low;
}

/* A negative index counts from behind the last element; the largest one is INT64_MAX. */
static int64_t from_end(const struct array *array, int64_t index)
{
	return (int64_t)((uint64_t)index + (uint64_t)array->items[array->count - 1].index + 1);
}

const char *array_get(const struct variable *variable, const char *key, int64_t index)
{
	bool found;
	size_t at;

	if (!variable->array)
		return index == 0 ? variable->value : NULL;
	if (index < 0 && !(variable->attributes & VARIABLE_ASSOCIATIVE) && variable->array->count)
		index = from_end(variable->array, index);
	at = place_of(variable, key, index, &found);
	return found ? variable->array->items[at].value : NULL;
}

int array_set(struct shell *shell, struct variable *variable, const char *key, int64_t index,
	      const char *value, bool append)
{
	struct array *array;
	struct element *item;
	bool found;
	size_t at;
	char *old, *made;

	if (variable->attributes & VARIABLE_READONLY) {
		message_say(shell, "%s: readonly variable", variable->name);
		return -1;
	}
	if (!variable->array) {
		variable->array = array_new(shell);
		if (!(variable->attributes & VARIABLE_ARRAY))
			variable->attributes |= VARIABLE_INDEXED;
		if (variable->value) {
			old = variable->value;
			variable->value = NULL;
			if (array_set(shell, variable, "0", 0, old, false) < 0)
				return -1;
			process_give(shell->process, old);
		}
	}
	array = variable->array;
	if (index < 0 && !(variable->attributes & VARIABLE_ASSOCIATIVE) && array->count)
		index = from_end(array, index);
	at = place_of(variable, key, index, &found);
	if (!found) {
		if (array->count >= SHELL_ELEMENTS_MAX) {
			message_fatal(shell, 1, "xmalloc: cannot allocate %zu bytes",
				      array->count * 40);
			return -1;
		}
		if (array->count == array->capacity) {
			array->capacity = array->capacity ? array->capacity * 2 : 4;
			array->items = process_retake(shell->process, array->items,
						      array->capacity * sizeof(*array->items));
		}
		memmove(array->items + at + 1, array->items + at,
			(array->count - at) * sizeof(*array->items));
		array->count++;
		item = &array->items[at];
		*item = (struct element){.index = index};
		if (variable->attributes & VARIABLE_ASSOCIATIVE) {
			item->index = bucket_of(key);
			item->key = process_copy_text(shell->process, key);
		}
	}
	item = &array->items[at];
	old = item->value;
	made = append && old ? process_format(shell->process, "%s%s", old, value)
			     : process_copy_text(shell->process, value);
	item->value = made;
	process_give(shell->process, old);
	return 0;
}

void array_unset(struct shell *shell, struct variable *variable, const char *key, int64_t index)
{
	struct array *array = variable->array;
	bool found;
	size_t at;

	if (!array)
		return;
	if (index < 0 && !(variable->attributes & VARIABLE_ASSOCIATIVE) && array->count)
		index = from_end(array, index);
	at = place_of(variable, key, index, &found);
	if (!found)
		return;
	process_give(shell->process, array->items[at].key);
	process_give(shell->process, array->items[at].value);
	memmove(array->items + at, array->items + at + 1,
		(--array->count - at) * sizeof(*array->items));
}

int array_subscript(struct shell *shell, const struct variable *variable, const char *text,
		    size_t length, const char **key, int64_t *index)
{
	*key = "0";
	*index = 0;
	if (variable && variable->attributes & VARIABLE_ASSOCIATIVE) {
		*key = expand_slice(shell, slice_of(text, length), EXPAND_SINGLE);
		return *key ? 0 : -1;
	}
	if (arithmetic_expand(shell, slice_of(text, length), index) < 0)
		return -1;
	if (*index < 0) {
		int64_t last = -1;

		if (variable && variable->array && variable->array->count)
			last = variable->array->items[variable->array->count - 1].index;
		else if (variable && variable->value)
			last = 0;
		if (*index + last + 1 < 0) {
			message_say(shell, "%s[%.*s]: bad array subscript",
				    variable ? variable->name : "", (int)length, text);
			return -1;
		}
	}
	return 0;
}

struct variable *array_make(struct shell *shell, const char *name, bool associative)
{
	struct variable *variable = variables_make(shell, name);
	char *old = variable->value;

	if (variable->array)
		return variable;
	variable->array = array_new(shell);
	variable->attributes |= associative ? VARIABLE_ASSOCIATIVE : VARIABLE_INDEXED;
	variable->value = NULL;
	if (old)
		(void)array_set(shell, variable, "0", 0, old, false);
	process_give(shell->process, old);
	return variable;
}

int array_assign(struct shell *shell, const char *target, const char *value, bool append)
{
	size_t length = lexer_name(target), end = strlen(target);
	char *name = pool_text(shell->scratch, slice_of(target, length));
	struct variable *variable = variables_find(shell, name);
	const char *key;
	char *number;
	int64_t index, sum;

	if (end < length + 2 || target[length] != '[' || target[end - 1] != ']') {
		message_say(shell, "`%s': not a valid identifier", target);
		return -1;
	}
	if (end == length + 2) {
		message_say(shell, "%s: bad array subscript", target);
		return -1;
	}
	if (variable && variable->attributes & VARIABLE_READONLY) {
		message_say(shell, "%s: readonly variable", name);
		return -1;
	}
	if (array_subscript(shell, variable, target + length + 1, end - length - 2, &key, &index) <
	    0)
		return -1;
	variable = variables_make(shell, name);
	if (variable->attributes & VARIABLE_INTEGER) {
		int64_t before = 0;

		if (arithmetic_value(shell, value, &sum) < 0)
			return -1;
		if (append && array_get(variable, key, index) &&
		    arithmetic_value(shell, array_get(variable, key, index), &before) < 0)
			return -1;
		number = pool_take(shell->scratch, 24);
		snprintf(number, 24, "%lld", (long long)(sum + before));
		value = number;
		append = false;
	}
	return array_set(shell, variable, key, index, value, append);
}
