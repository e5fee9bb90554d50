/* sort. */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "decoy/machine/commands/text.h"

#define KEYS_MAX 32

struct sort_order {
	bool blanks, dictionary, fold, general, human, printable, month, number, random, reverse,
		version;
};

struct sort_key {
	size_t field, letter;         /* where it starts: from 0 */
	size_t end_field, end_letter; /* where it ends; end_field SIZE_MAX: with the line */
	bool end_blanks;
	struct sort_order order;
	bool own_order;
};

struct sort {
	struct process *process;
	struct sort_key keys[KEYS_MAX];
	size_t key_count;
	struct sort_order order;
	int separator; /* -1: blanks */
	bool unique, stable, check, check_quiet;
	uint8_t end;
	const char *output;
	uint64_t seed;
	struct text text;
	uint32_t *lines; /* where they start in the text: many lines are to fit into memory */
	size_t count;
};

/* --- comparing --- */

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t' || byte == '\n';
}

static size_t skip_field(const struct sort *sort, struct slice line, size_t at)
{
	if (sort->separator >= 0) {
		while (at < line.length && line.at[at] != sort->separator)
			at++;
		return at;
	}
	while (at < line.length && is_blank(line.at[at]))
		at++;
	while (at < line.length && !is_blank(line.at[at]))
		at++;
	return at;
}

static size_t key_begin(const struct sort *sort, const struct sort_key *key, struct slice line)
{
	size_t at = 0;

	for (size_t i = 0; i < key->field && at < line.length; i++) {
		at = skip_field(sort, line, at);
		if (sort->separator >= 0 && at < line.length)
			at++;
	}
	if (key->order.blanks)
		while (at < line.length && is_blank(line.at[at]))
			at++;
	at += key->letter;
	return at < line.length ? at : line.length;
}

static size_t key_end(const struct sort *sort, const struct sort_key *key, struct slice line)
{
	size_t at = 0;
	size_t fields = key->end_field;

	if (key->end_field == SIZE_MAX)
		return line.length;
	if (key->end_letter == 0) /* to the end of the field */
		fields++;
	for (size_t i = 0; i < fields && at < line.length; i++) {
		at = skip_field(sort, line, at);
		if (sort->separator >= 0 && at < line.length &&
		    (i + 1 < fields || key->end_letter > 0))
			at++;
	}
	if (key->end_letter > 0) {
		if (key->end_blanks)
			while (at < line.length && is_blank(line.at[at]))
				at++;
		at += key->end_letter;
	}
	return at < line.length ? at : line.length;
}

struct decimal { /* views into the text */
	bool negative;
	struct slice whole, part;
	int unit;
};

static struct decimal decimal_of(struct slice text)
{
	struct decimal decimal = {0};
	size_t at = 0, start;

	while (at < text.length && is_blank(text.at[at]))
		at++;
	if (at < text.length && text.at[at] == '-') {
		decimal.negative = true;
		at++;
	}
	while (at < text.length && text.at[at] == '0')
		at++;
	start = at;
	while (at < text.length && isdigit(text.at[at]))
		at++;
	decimal.whole = slice_of(text.at + start, at - start);
	if (at < text.length && text.at[at] == '.') {
		start = ++at;
		while (at < text.length && isdigit(text.at[at]))
			at++;
		decimal.part = slice_of(text.at + start, at - start);
		while (decimal.part.length > 0 && decimal.part.at[decimal.part.length - 1] == '0')
			decimal.part.length--;
	}
	if (at < text.length) {
		static const char units[] = "KMGTPEZY";
		const char *unit = strchr(units, text.at[at] == 'k' ? 'K' : text.at[at]);

		if (unit && *unit && decimal.whole.length + decimal.part.length > 0)
			decimal.unit = (int)(unit - units) + 1;
	}
	if (decimal.whole.length + decimal.part.length == 0)
		decimal.negative = false;
	return decimal;
}

static int compare_decimals(struct slice a, struct slice b, bool units)
{
	struct decimal x = decimal_of(a), y = decimal_of(b);
	int order;

	if (x.negative != y.negative)
		return x.negative ? -1 : 1;
	if (units && x.unit != y.unit)
		order = x.unit < y.unit ? -1 : 1;
	else if (x.whole.length != y.whole.length)
		order = x.whole.length < y.whole.length ? -1 : 1;
	else {
		order = slice_compare(x.whole, y.whole);
		if (order == 0)
			order = slice_compare(x.part, y.part);
	}
	return x.negative ? -order : order;
}

static int month_of(struct slice text)
{
	static const char months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
	size_t at = 0;

	while (at < text.length && is_blank(text.at[at]))
		at++;
	if (text.length - at < 3)
		return 0;
	for (int i = 0; i < 12; i++) {
		if (toupper(text.at[at]) == months[3 * i] &&
		    toupper(text.at[at + 1]) == months[3 * i + 1] &&
		    toupper(text.at[at + 2]) == months[3 * i + 2])
			return i + 1;
	}
	return 0;
}

static int version_weight(struct slice text, size_t at)
{
	int byte = at < text.length ? text.at[at] : -1;

	if (byte < 0 || isdigit(byte))
		return 0;
	if (isalpha(byte))
		return byte;
	return byte == '~' ? -1 : byte + 256;
}

static int compare_versions(struct slice a, struct slice b)
{
	size_t i = 0, j = 0;

	while (i < a.length || j < b.length) {
		int difference = 0;

		while ((i < a.length && !isdigit(a.at[i])) || (j < b.length && !isdigit(b.at[j]))) {
			int x = version_weight(a, i), y = version_weight(b, j);

			if (x != y)
				return x < y ? -1 : 1;
			i++;
			j++;
		}
		while (i < a.length && a.at[i] == '0')
			i++;
		while (j < b.length && b.at[j] == '0')
			j++;
		while (i < a.length && isdigit(a.at[i]) && j < b.length && isdigit(b.at[j])) {
			if (difference == 0)
				difference = a.at[i] - b.at[j];
			i++;
			j++;
		}
		if (i < a.length && isdigit(a.at[i]))
			return 1;
		if (j < b.length && isdigit(b.at[j]))
			return -1;
		if (difference != 0)
			return difference;
	}
	return 0;
}

static int compare_general(struct slice a, struct slice b)
{
	char x[64], y[64], *end_x, *end_y;
	double p, q;

	memcpy(x, a.at, a.length < 63 ? a.length : 63);
	x[a.length < 63 ? a.length : 63] = '\0';
	memcpy(y, b.at, b.length < 63 ? b.length : 63);
	y[b.length < 63 ? b.length : 63] = '\0';
	p = strtod(x, &end_x);
	q = strtod(y, &end_y);
	if (end_x == x || end_y == y)
		return (end_x != x) - (end_y != y);
	return (p > q) - (p < q);
}

static uint64_t random_hash(const struct sort *sort, struct slice text)
{
	uint64_t hash = sort->seed;

	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ text.at[i]) * 1099511628211u;
	return hash ^ (hash >> 29);
}

static bool left_out(const struct sort_order *order, uint8_t byte)
{
	return (order->dictionary && !isalnum(byte) && !is_blank(byte)) ||
	       (order->printable && !isprint(byte));
}

static int compare_letters(const struct sort_order *order, struct slice a, struct slice b)
{
	size_t i = 0, j = 0;

	if (!order->dictionary && !order->printable && !order->fold)
		return slice_compare(a, b);
	for (;; i++, j++) {
		int x, y;

		while (i < a.length && left_out(order, a.at[i]))
			i++;
		while (j < b.length && left_out(order, b.at[j]))
			j++;
		x = i < a.length ? (order->fold ? toupper(a.at[i]) : a.at[i]) : -1;
		y = j < b.length ? (order->fold ? toupper(b.at[j]) : b.at[j]) : -1;
		if (x != y || x < 0)
			return (x > y) - (x < y);
	}
}

static int compare_by(const struct sort *sort, const struct sort_order *order, struct slice a,
		      struct slice b)
{
	int result;

	if (order->number || order->human)
		result = compare_decimals(a, b, order->human);
	else if (order->general)
		result = compare_general(a, b);
	else if (order->month)
		result = month_of(a) - month_of(b);
	else if (order->version)
		result = compare_versions(a, b);
	else if (order->random) {
		uint64_t x = random_hash(sort, a), y = random_hash(sort, b);

		result = (x > y) - (x < y);
	} else
		result = compare_letters(order, a, b);
	return order->reverse ? -result : result;
}

static struct slice key_of(const struct sort *sort, const struct sort_key *key, struct slice line)
{
	size_t begin = key_begin(sort, key, line), end = key_end(sort, key, line);

	return slice_of(line.at + begin, end > begin ? end - begin : 0);
}

static int compare_keys(const struct sort *sort, struct slice a, struct slice b)
{
	int result;

	if (sort->key_count == 0) {
		struct sort_key whole = {.end_field = SIZE_MAX, .order = sort->order};

		return compare_by(sort, &whole.order, key_of(sort, &whole, a),
				  key_of(sort, &whole, b));
	}
	for (size_t i = 0; i < sort->key_count; i++) {
		const struct sort_key *key = &sort->keys[i];

		result = compare_by(sort, &key->order, key_of(sort, key, a), key_of(sort, key, b));
		if (result != 0)
			return result;
	}
	return 0;
}

static int compare(const struct sort *sort, struct slice a, struct slice b)
{
	int result = compare_keys(sort, a, b);

	if (result != 0 || sort->unique || sort->stable)
		return result;
	result = slice_compare(a, b);
	return sort->order.reverse ? -result : result;
}

/* --- sorting --- */

static struct slice line_at(const struct sort *sort, uint32_t start)
{
	const char *line = sort->text.data + start;
	const char *end = memchr(line, sort->end, sort->text.length - start);

	return slice_of(line, end ? (size_t)(end - line) : sort->text.length - start);
}

static void merge(struct sort *sort, uint32_t *from, uint32_t *to, size_t low, size_t middle,
		  size_t high)
{
	size_t i = low, j = middle;

	for (size_t k = low; k < high; k++) {
		process_step(sort->process);
		if (i < middle && (j >= high || compare(sort, line_at(sort, from[i]),
							line_at(sort, from[j])) <= 0))
			to[k] = from[i++];
		else
			to[k] = from[j++];
	}
}

static void merge_sort(struct sort *sort)
{
	uint32_t *other = process_take(sort->process, (sort->count + 1) * sizeof(*other));

	for (size_t width = 1; width < sort->count; width *= 2) {
		uint32_t *swap = sort->lines;

		for (size_t low = 0; low < sort->count; low += 2 * width) {
			size_t middle = low + width < sort->count ? low + width : sort->count;
			size_t high = low + 2 * width < sort->count ? low + 2 * width : sort->count;

			merge(sort, sort->lines, other, low, middle, high);
		}
		sort->lines = other;
		other = swap;
	}
	process_give(sort->process, other);
}

static void find_lines(struct sort *sort)
{
	size_t capacity = 0, at = 0;

	sort->text.data = process_retake(sort->process, sort->text.data, sort->text.length + 1);
	sort->text.capacity = sort->text.length + 1;
	for (at = 0; at < sort->text.length; at++)
		capacity += (uint8_t)sort->text.data[at] == sort->end;
	sort->lines = process_take(sort->process, (capacity + 1) * sizeof(*sort->lines));
	for (at = 0; at < sort->text.length;) {
		struct slice line = line_at(sort, (uint32_t)at);

		process_step(sort->process);
		sort->lines[sort->count++] = (uint32_t)at;
		at += line.length + 1;
	}
}

static int check_order(struct sort *sort, const char *name)
{
	for (size_t i = 1; i < sort->count; i++) {
		int order = compare(sort, line_at(sort, sort->lines[i - 1]),
				    line_at(sort, sort->lines[i]));

		process_step(sort->process);
		if (order > 0 || (order == 0 && sort->unique)) {
			if (!sort->check_quiet)
				process_complain(sort->process, "%s:%zu: disorder: %.*s", name,
						 i + 1, (int)line_at(sort, sort->lines[i]).length,
						 sort->text.data + sort->lines[i]);
			return 1;
		}
	}
	return 0;
}

static void read_input(struct sort *sort, const char *name)
{
	struct process *process = sort->process;
	int descriptor = text_open_quiet(process, name);
	int error = descriptor;

	if (descriptor >= 0)
		error = process_read_all(process, descriptor, TEXT_WHOLE_MAX, &sort->text);
	if (error < 0) {
		if (process->busybox)
			process_complain(process, "%s: %s", name, strerror(-error));
		else
			process_complain(process, "%s: %s: %s",
					 error == -EISDIR ? "read failed" : "cannot read", name,
					 strerror(-error));
		process_exit(process, 2);
	}
	text_close(process, descriptor);
	if (sort->text.length > 0 && (uint8_t)sort->text.data[sort->text.length - 1] != sort->end)
		text_add_byte(process, &sort->text, sort->end);
}

static void write_lines(struct sort *sort)
{
	struct process *process = sort->process;
	int descriptor;

	if (sort->output) {
		descriptor =
			process_open(process, sort->output, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (descriptor < 0) {
			process_complain(process, "open failed: %s: %s", sort->output,
					 strerror(-descriptor));
			process_exit(process, 2);
		}
		process_flush(process);
		process_duplicate(process, descriptor, 1);
		text_close(process, descriptor);
	}
	for (size_t i = 0; i < sort->count; i++) {
		process_step(process);
		if (sort->unique && i > 0 &&
		    compare_keys(sort, line_at(sort, sort->lines[i - 1]),
				 line_at(sort, sort->lines[i])) == 0) {
			sort->lines[i] = sort->lines[i - 1]; /* the first of the equal stays */
			continue;
		}
		process_put(process, line_at(sort, sort->lines[i]));
		process_put_byte(process, sort->end);
	}
}

/* --- options --- */

static bool set_order(struct sort_order *order, char letter)
{
	switch (letter) {
	case 'b':
		order->blanks = true;
		break;
	case 'd':
		order->dictionary = true;
		break;
	case 'f':
		order->fold = true;
		break;
	case 'g':
		order->general = true;
		break;
	case 'h':
		order->human = true;
		break;
	case 'i':
		order->printable = true;
		break;
	case 'M':
		order->month = true;
		break;
	case 'n':
		order->number = true;
		break;
	case 'R':
		order->random = true;
		break;
	case 'r':
		order->reverse = true;
		break;
	case 'V':
		order->version = true;
		break;
	default:
		return false;
	}
	return true;
}

_Noreturn static void bad_key(struct sort *sort, const char *words, const char *where)
{
	process_complain(sort->process, "%s: invalid field specification '%s'", words, where);
	process_exit(sort->process, 2);
}

static size_t key_number(struct sort *sort, const char **at, const char *whole, const char *words)
{
	size_t number = 0;

	if (!isdigit((unsigned char)**at)) {
		process_complain(sort->process, "invalid number %s: invalid count at start of '%s'",
				 words, *at);
		process_exit(sort->process, 2);
	}
	while (isdigit((unsigned char)**at)) {
		if (number < 1000000000)
			number = number * 10 + (size_t)(**at - '0');
		(*at)++;
	}
	(void)whole;
	return number;
}

static void key_letters(struct sort_key *key, const char **at, bool end)
{
	for (;; (*at)++) {
		if (**at == 'b' && end)
			key->end_blanks = true;
		else if (!set_order(&key->order, **at))
			return;
		key->own_order = true;
	}
}

static void add_key(struct sort *sort, const char *text)
{
	struct sort_key *key;
	const char *at = text;

	if (sort->key_count == KEYS_MAX)
		return;
	key = &sort->keys[sort->key_count++];
	*key = (struct sort_key){.end_field = SIZE_MAX};
	key->field = key_number(sort, &at, text, "at field start");
	if (key->field-- == 0)
		bad_key(sort, "field number is zero", text);
	if (*at == '.') {
		at++;
		key->letter = key_number(sort, &at, text, "after '.'");
		if (key->letter-- == 0)
			bad_key(sort, "character offset is zero", text);
	}
	key_letters(key, &at, false);
	if (*at == ',') {
		at++;
		key->end_field = key_number(sort, &at, text, "after ','");
		if (key->end_field-- == 0)
			bad_key(sort, "field number is zero", text);
		if (*at == '.') {
			at++;
			key->end_letter = key_number(sort, &at, text, "after '.'");
		}
		key_letters(key, &at, true);
	}
	if (*at)
		bad_key(sort, "stray character in field spec", text);
}

static void set_separator(struct sort *sort, const char *text)
{
	if (*text == '\0') {
		process_complain(sort->process, "empty tab");
		process_exit(sort->process, 2);
	}
	if (text[1] != '\0' && strcmp(text, "\\0") != 0) {
		process_complain(sort->process, "multi-character tab '%s'", text);
		process_exit(sort->process, 2);
	}
	sort->separator = text[1] ? 0 : (uint8_t)*text;
}

enum { OPTION_SORT = TEXT_OWN, OPTION_IGNORED };

static void by_word(struct sort *sort, const char *word)
{
	static const char *const words[] = {"general-numeric", "human-numeric", "month",
					    "numeric",         "random",        "version"};
	static const char letters[] = "ghMnRV";

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcmp(words[i], word) == 0)
			set_order(&sort->order, letters[i]);
	}
}

static void sort_option(struct sort *sort, int option, const char *argument)
{
	if (option < 128 && set_order(&sort->order, (char)option))
		return;
	switch (option) {
	case 'k':
		add_key(sort, argument);
		break;
	case 't':
		set_separator(sort, argument);
		break;
	case 'u':
		sort->unique = true;
		break;
	case 's':
		sort->stable = true;
		break;
	case 'c':
		sort->check = true;
		sort->check_quiet = argument && strcmp(argument, "diagnose-first") != 0;
		break;
	case 'C':
		sort->check = sort->check_quiet = true;
		break;
	case 'o':
		sort->output = argument;
		break;
	case 'z':
		sort->end = 0;
		break;
	case OPTION_SORT:
		by_word(sort, argument);
		break;
	case 'm':
	case 'S':
	case 'T':
	case OPTION_IGNORED:
		break;
	default:
		text_other_option(sort->process, option, COREUTILS,
				  "[OPTION]... [FILE]...\nWrite the lines of all FILEs in order.",
				  2);
	}
}

static void finish_keys(struct sort *sort)
{
	static const struct sort_order none;

	for (size_t i = 0; i < sort->key_count; i++) {
		struct sort_key *key = &sort->keys[i];

		if (!key->own_order) {
			key->order = sort->order;
			key->end_blanks = sort->order.blanks;
		}
	}
	if (sort->unique && sort->key_count == 0 && memcmp(&sort->order, &none, sizeof(none)) == 0)
		sort->stable = true;
	process_random(sort->process, &sort->seed, sizeof(sort->seed));
}

static int sort_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"ignore-leading-blanks", 'b'},
						   {"check", 'c', OPTION_MAY},
						   {"dictionary-order", 'd'},
						   {"ignore-case", 'f'},
						   {"general-numeric-sort", 'g'},
						   {"human-numeric-sort", 'h'},
						   {"ignore-nonprinting", 'i'},
						   {"key", 'k', OPTION_NEEDS},
						   {"merge", 'm'},
						   {"month-sort", 'M'},
						   {"numeric-sort", 'n'},
						   {"output", 'o', OPTION_NEEDS},
						   {"random-sort", 'R'},
						   {"reverse", 'r'},
						   {"sort", OPTION_SORT, OPTION_NEEDS},
						   {"stable", 's'},
						   {"buffer-size", 'S', OPTION_NEEDS},
						   {"field-separator", 't', OPTION_NEEDS},
						   {"temporary-directory", 'T', OPTION_NEEDS},
						   {"unique", 'u'},
						   {"version-sort", 'V'},
						   {"zero-terminated", 'z'},
						   {"parallel", OPTION_IGNORED, OPTION_NEEDS},
						   {"batch-size", OPTION_IGNORED, OPTION_NEEDS},
						   {"debug", OPTION_IGNORED},
						   TEXT_WORDS};
	struct sort *sort = process_take(process, sizeof(*sort));
	struct option_state state = {0};
	char **names;
	int option, count;

	sort->process = process;
	sort->separator = -1;
	sort->end = '\n';
	while ((option = option_next(process, &state, argc, argv, "bcCdfghik:mMno:rRsS:t:T:uVz",
				     words)) != -1)
		sort_option(sort, option, state.argument);
	finish_keys(sort);
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++)
		read_input(sort, names[i]);
	find_lines(sort);
	if (sort->check)
		return check_order(sort, names[0]);
	merge_sort(sort);
	write_lines(sort);
	return 0;
}

static const struct command commands[] = {
	{"sort", sort_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_sort = {"text_sort", commands};
