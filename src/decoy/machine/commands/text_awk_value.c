/* awk: numbers, strings and arrays. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/commands/text_awk.h"

/* --- strings --- */

struct awk_string *awk_string_new(struct awk *awk, size_t length)
{
	struct awk_string *string = process_take(awk->process, sizeof(*string) + length + 1);

	string->references = 1;
	string->length = length;
	return string;
}

void awk_drop_string(struct awk *awk, struct awk_string *string)
{
	if (string && --string->references == 0)
		process_give(awk->process, string);
}

struct awk_value awk_number(double number)
{
	return (struct awk_value){.type = AWK_NUMBER, .number = number};
}

struct awk_value awk_string(struct awk *awk, enum awk_type type, struct slice text)
{
	struct awk_value value = {.type = type};

	value.string = awk_string_new(awk, text.length);
	if (text.length > 0)
		memcpy(value.string->bytes, text.at, text.length);
	return value;
}

struct awk_value awk_keep(struct awk_value value)
{
	if (value.string)
		value.string->references++;
	return value;
}

void awk_drop(struct awk *awk, struct awk_value value)
{
	awk_drop_string(awk, value.string);
}

/* --- numbers --- */

bool awk_looks_numeric(struct slice text, double *number)
{
	const char *at = (const char *)text.at, *last = at + text.length;
	char *end;

	while (at < last && isspace((unsigned char)*at))
		at++;
	if (at == last)
		return false;
	*number = strtod(at, &end);
	if (end == at)
		return false;
	while (end < last && isspace((unsigned char)*end))
		end++;
	return end == last;
}

double awk_to_number(const struct awk_value *value)
{
	if (value->type == AWK_NUMBER)
		return value->number;
	if (value->type == AWK_UNSET || !value->string)
		return 0;
	return strtod(value->string->bytes, NULL);
}

/* A format that the program chose: only one conversion of a double may be in it. */
static bool safe_format(const char *format)
{
	const char *at = strchr(format, '%');
	unsigned digits = 0;

	if (!at)
		return false;
	for (at++; *at && strchr("0123456789.+- #", *at); at++)
		digits += isdigit((unsigned char)*at) != 0;
	if (digits > 3 || !*at || !strchr("eEfFgG", *at))
		return false;
	return strchr(at, '%') == NULL;
}

struct awk_string *awk_to_string(struct awk *awk, const struct awk_value *value, bool output)
{
	char digits[400];
	struct awk_value *format_value;
	const char *format = "%.6g";
	int length;

	if (value->string) {
		value->string->references++;
		return value->string;
	}
	if (value->type == AWK_UNSET)
		return awk_string_new(awk, 0);
	if (value->number >= -2147483647 && value->number <= 2147483647 &&
	    value->number == (double)(long)value->number) {
		length = snprintf(digits, sizeof(digits), "%ld", (long)value->number);
	} else {
		format_value = &awk->variables[output ? AWK_OFMT : AWK_CONVFMT].value;
		if (format_value->string && safe_format(format_value->string->bytes))
			format = format_value->string->bytes;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		length = snprintf(digits, sizeof(digits), format, value->number);
#pragma GCC diagnostic pop
	}
	if (length < 0)
		length = 0;
	if ((size_t)length >= sizeof(digits))
		length = (int)sizeof(digits) - 1;
	return awk_string(awk, AWK_STRING, slice_of(digits, (size_t)length)).string;
}

bool awk_is_true(const struct awk_value *value)
{
	double number;

	switch (value->type) {
	case AWK_UNSET:
		return false;
	case AWK_NUMBER:
		return value->number != 0;
	case AWK_INPUT:
		if (awk_looks_numeric(awk_slice(value->string), &number))
			return number != 0;
		return value->string->length > 0;
	default:
		return value->string->length > 0;
	}
}

static bool numeric(const struct awk_value *value, double *number)
{
	if (value->type == AWK_STRING)
		return false;
	if (value->type == AWK_INPUT)
		return awk_looks_numeric(awk_slice(value->string), number);
	*number = value->type == AWK_NUMBER ? value->number : 0;
	return true;
}

int awk_compare(struct awk *awk, const struct awk_value *a, const struct awk_value *b,
		int operation)
{
	struct awk_string *left, *right;
	double x, y;
	int order;

	if (numeric(a, &x) && numeric(b, &y)) {
		order = (x > y) - (x < y);
		if (isnan(x) || isnan(y))
			order = isnan(x) ? (isnan(y) ? 0 : 1) : -1;
	} else {
		left = awk_to_string(awk, a, false);
		right = awk_to_string(awk, b, false);
		order = slice_compare(awk_slice(left), awk_slice(right));
		awk_drop_string(awk, left);
		awk_drop_string(awk, right);
	}
	switch (operation) {
	case '<':
		return order < 0;
	case '>':
		return order > 0;
	case AWK_TOKEN_LESS_EQUAL:
		return order <= 0;
	case AWK_TOKEN_GREATER_EQUAL:
		return order >= 0;
	case AWK_TOKEN_EQUAL:
		return order == 0;
	default:
		return order != 0;
	}
}

/* --- arrays: in mawk's order, which its programs show in `for (key in array)` --- */

struct entry {
	struct entry *next;
	struct awk_string *key;
	uint32_t hash;
	uint64_t touched;
	struct awk_value value;
};
struct awk_table {
	struct entry **lists;
	size_t lists_count, count;
	uint64_t clock;
};

/* mawk's: lists at first, and the mean length at which they are doubled. */
#define FIRST_LISTS ((size_t)64)
#define MEAN_LENGTH ((size_t)12)

struct awk_table *awk_table_new(struct awk *awk)
{
	return process_take(awk->process, sizeof(struct awk_table));
}

/* FNV-1a. */
static uint32_t hash_of(struct slice key)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < key.length; i++)
		hash = (hash ^ key.at[i]) * 16777619u;
	return hash;
}

static void double_lists(struct awk *awk, struct awk_table *table)
{
	size_t count = table->lists_count * 2;
	struct entry **lists = process_take(awk->process, count * sizeof(*lists));

	for (size_t i = 0; i < table->lists_count; i++) {
		struct entry **ends[2] = {&lists[i], &lists[i + table->lists_count]};

		for (struct entry *entry = table->lists[i]; entry; entry = entry->next) {
			struct entry ***end = &ends[(entry->hash & table->lists_count) != 0];

			**end = entry;
			*end = &entry->next;
		}
		*ends[0] = *ends[1] = NULL;
	}
	process_give(awk->process, table->lists);
	table->lists = lists;
	table->lists_count = count;
}

struct awk_value *awk_table_find(struct awk *awk, struct awk_table *table, struct slice key,
				 bool create)
{
	uint32_t hash = hash_of(key);
	struct entry **list, *entry;

	if (!table->lists) {
		if (!create)
			return NULL;
		table->lists_count = FIRST_LISTS;
		table->lists = process_take(awk->process, FIRST_LISTS * sizeof(*table->lists));
	}
	list = &table->lists[hash & (table->lists_count - 1)];
	for (struct entry **at = list; (entry = *at); at = &entry->next) {
		if (entry->hash == hash && slice_equal(awk_slice(entry->key), key)) {
			*at = entry->next; /* to the front */
			entry->next = *list;
			*list = entry;
			entry->touched = ++table->clock;
			return &entry->value;
		}
	}
	if (!create)
		return NULL;
	entry = process_take(awk->process, sizeof(*entry));
	entry->key = awk_string(awk, AWK_STRING, key).string;
	entry->hash = hash;
	entry->touched = ++table->clock;
	entry->next = *list;
	*list = entry;
	if (++table->count > table->lists_count * MEAN_LENGTH)
		double_lists(awk, table);
	return &entry->value;
}

static void free_entry(struct awk *awk, struct entry *entry)
{
	awk_drop(awk, entry->value);
	awk_drop_string(awk, entry->key);
	process_give(awk->process, entry);
}

void awk_table_remove(struct awk *awk, struct awk_table *table, struct slice key)
{
	struct entry *entry;

	if (!awk_table_find(awk, table, key, false))
		return;
	entry = table->lists[hash_of(key) & (table->lists_count - 1)];
	table->lists[entry->hash & (table->lists_count - 1)] = entry->next;
	table->count--;
	free_entry(awk, entry);
}

void awk_table_clear(struct awk *awk, struct awk_table *table)
{
	for (size_t i = 0; i < table->lists_count; i++) {
		struct entry *next;

		for (struct entry *entry = table->lists[i]; entry; entry = next) {
			next = entry->next;
			free_entry(awk, entry);
		}
	}
	process_give(awk->process, table->lists);
	*table = (struct awk_table){0};
}

size_t awk_table_size(const struct awk_table *table)
{
	return table->count;
}

/* A key that was a small number: mawk keeps those in lists by their value and turns them into
 * strings, list by list, when the array is walked. */
static bool number_key(const struct entry *entry, uint64_t *number)
{
	int64_t value;

	if (entry->key->length > 1 && entry->key->bytes[0] == '0')
		return false;
	if (slice_number(awk_slice(entry->key), 0, INT32_MAX, &value) != 0)
		return false;
	*number = (uint64_t)value;
	return true;
}

/* True when a comes before b in its list. */
static bool goes_before(const struct entry *a, const struct entry *b, size_t mask)
{
	uint64_t x, y;
	bool number_a = number_key(a, &x), number_b = number_key(b, &y);

	if (!number_a || !number_b)
		return a->touched > b->touched;
	if ((x & mask) != (y & mask))
		return (x & mask) > (y & mask);
	return a->touched < b->touched;
}

static void sort_list(struct awk *awk, struct entry **list, size_t mask)
{
	struct entry *sorted = NULL, *next;

	for (struct entry *entry = *list; entry; entry = next) {
		struct entry **at = &sorted;

		next = entry->next;
		while (*at && !goes_before(entry, *at, mask)) {
			at = &(*at)->next;
			process_step(awk->process); /* keys may be chosen to share a list */
		}
		entry->next = *at;
		*at = entry;
	}
	*list = sorted;
}

struct awk_string **awk_table_keys(struct awk *awk, struct awk_table *table, size_t *count)
{
	struct awk_string **keys = process_take(awk->process, (table->count + 1) * sizeof(*keys));

	*count = 0;
	for (size_t i = 0; i < table->lists_count; i++) {
		if (table->lists[i] && table->lists[i]->next)
			sort_list(awk, &table->lists[i], table->lists_count - 1);
		for (struct entry *entry = table->lists[i]; entry; entry = entry->next) {
			entry->key->references++;
			keys[(*count)++] = entry->key;
		}
	}
	return keys;
}
