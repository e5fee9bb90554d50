/* tr. */
#include <ctype.h>

#include "decoy/machine/commands/text.h"

#define REPEATS_MAX 65536

/* A set of bytes in order; classes are remembered where case is to be changed. */
struct set {
	uint8_t *bytes;
	size_t length, capacity;
	size_t fill;       /* where [x*] is; SIZE_MAX: not */
	bool upper, lower; /* holds [:upper:], [:lower:] */
};

static void add(struct process *process, struct set *set, uint8_t byte)
{
	if (set->length == set->capacity) {
		set->capacity = set->capacity * 2 + 64;
		set->bytes = process_retake(process, set->bytes, set->capacity);
	}
	set->bytes[set->length++] = byte;
}

static bool add_class(struct process *process, struct set *set, struct slice name)
{
	static const struct {
		const char *name;
		int (*is)(int);
	} classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},
		       {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
		       {"lower", islower}, {"print", isprint}, {"punct", ispunct},
		       {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};

	for (size_t i = 0; i < ARRAY_COUNT(classes); i++) {
		if (!slice_is(name, classes[i].name))
			continue;
		set->upper = set->upper || classes[i].is == isupper;
		set->lower = set->lower || classes[i].is == islower;
		for (int byte = 0; byte < 256; byte++) {
			if (byte < 128 && classes[i].is(byte))
				add(process, set, (uint8_t)byte);
		}
		return true;
	}
	return false;
}

/* One byte, with escapes; steps over it. */
static int one_byte(const char **at)
{
	int byte;
	size_t length;

	if (**at != '\\')
		return (unsigned char)*(*at)++;
	(*at)++;
	if (**at == '\0')
		return '\\';
	if (**at == 'e' || **at == 'x' || **at == 'c' || **at == '"')
		return (unsigned char)*(*at)++;
	length = text_escape(*at, &byte, false);
	if (length == 0 || byte < 0)
		return (unsigned char)*(*at)++;
	*at += length;
	return byte;
}

/* [:class:], [=x=], [x*n] at the position; 0: none of them. */
static bool bracket(struct process *process, struct set *set, const char **at, bool second)
{
	const char *text = *at, *end;
	const char *inner = text + 1;
	int byte;

	if (text[1] == ':' && (end = strstr(text + 2, ":]"))) {
		struct slice name = slice_of(text + 2, (size_t)(end - text - 2));

		if (!add_class(process, set, name)) {
			process_complain(process, "invalid character class '%.*s'",
					 (int)name.length, (const char *)name.at);
			process_exit(process, 1);
		}
		*at = end + 2;
		return true;
	}
	if (text[1] == '=' && text[2] && text[3] == '=' && text[4] == ']') {
		add(process, set, (uint8_t)text[2]);
		*at = text + 5;
		return true;
	}
	if (!text[1])
		return false;
	byte = one_byte(&inner);
	if (*inner == '*') {
		size_t count = 0, base;

		inner++;
		base = *inner == '0' ? 8 : 10;
		while (isdigit((unsigned char)*inner) && count < REPEATS_MAX)
			count = count * base + (size_t)(*inner++ - '0');
		if (*inner != ']' || !second)
			return false;
		if (count == 0) {
			set->fill = set->length;
			add(process, set, (uint8_t)byte);
		}
		for (size_t i = 0; i < count && i < REPEATS_MAX; i++)
			add(process, set, (uint8_t)byte);
		*at = inner + 1;
		return true;
	}
	return false;
}

static struct set read_set(struct process *process, const char *text, bool second)
{
	struct set set = {.fill = SIZE_MAX};

	while (*text) {
		const char *start = text;
		int low, high;

		if (*text == '[' && bracket(process, &set, &text, second))
			continue;
		low = one_byte(&text);
		if (*text == '-' && text[1]) {
			const char *behind = text + 1;

			high = one_byte(&behind);
			if (high < low) {
				process_complain(
					process,
					"range-endpoints of '%.*s' are in reverse collating "
					"sequence order",
					(int)(behind - start), start);
				process_exit(process, 1);
			}
			for (int byte = low; byte <= high; byte++)
				add(process, &set, (uint8_t)byte);
			text = behind;
		} else
			add(process, &set, (uint8_t)low);
		process_step(process);
	}
	return set;
}

static struct set complement_of(struct process *process, const struct set *set)
{
	struct set inverse = {.fill = SIZE_MAX};
	bool in[256] = {false};

	for (size_t i = 0; i < set->length; i++)
		in[set->bytes[i]] = true;
	for (int byte = 0; byte < 256; byte++) {
		if (!in[byte])
			add(process, &inverse, (uint8_t)byte);
	}
	return inverse;
}

struct tr {
	bool complement, delete, squeeze, truncate;
	uint8_t map[256];
	bool deleted[256], squeezed[256];
};

/* The second set as long as the first: [x*] filled up, or its last byte again and again. */
static void fit(struct process *process, const struct tr *tr, const struct set *first,
		struct set *second)
{
	if (second->fill != SIZE_MAX && second->length < first->length + 1) {
		size_t more = first->length - (second->length - 1);
		uint8_t byte = second->bytes[second->fill];
		struct set fitted = {.fill = SIZE_MAX};

		for (size_t i = 0; i < second->fill; i++)
			add(process, &fitted, second->bytes[i]);
		for (size_t i = 0; i < more; i++)
			add(process, &fitted, byte);
		for (size_t i = second->fill + 1; i < second->length; i++)
			add(process, &fitted, second->bytes[i]);
		*second = fitted;
	}
	while (second->length > 0 && second->length < first->length && !tr->truncate)
		add(process, second, second->bytes[second->length - 1]);
}

static void translate(struct process *process, const struct tr *tr)
{
	uint8_t bytes[2048];
	int last = -1;
	ssize_t got;

	while ((got = process_read(process, 0, bytes, sizeof(bytes))) > 0) {
		size_t to = 0;

		for (ssize_t i = 0; i < got; i++) {
			uint8_t byte = bytes[i];

			if (tr->deleted[byte])
				continue;
			byte = tr->map[byte];
			if (tr->squeezed[byte] && byte == last)
				continue;
			last = byte;
			bytes[to++] = byte;
		}
		process_put(process, slice_of(bytes, to));
		process_step(process);
	}
}

static void check_operands(struct process *process, const struct tr *tr, int count, char **operands)
{
	int least = 1 + (tr->delete == tr->squeeze), most = 1 + (!tr->delete || tr->squeeze);

	if (count < least) {
		if (process->busybox)
			; /* only how it is called */
		else if (count == 0)
			process_complain(process, "missing operand");
		else
			process_complain(
				process, "missing operand after '%s'\n%s", operands[count - 1],
				tr->delete ? "Two strings must be given when both deleting "
					     "and squeezing repeats."
					   : "Two strings must be given when translating.");
		text_try_help(process, 1);
	}
	if (count > most) {
		process_complain(process, "extra operand '%s'", operands[most]);
		if (count == 2)
			process_error(process, "Only one string may be given when deleting without "
					       "squeezing repeats.\n");
		text_try_help(process, 1);
	}
}

static void prepare(struct process *process, struct tr *tr, int count, char **operands)
{
	struct set first = read_set(process, operands[0], false), second = {.fill = SIZE_MAX};
	const struct set *squeezed = &first;

	if (tr->complement)
		first = complement_of(process, &first);
	if (count == 2) {
		second = read_set(process, operands[1], true);
		squeezed = &second;
	}
	for (int byte = 0; byte < 256; byte++)
		tr->map[byte] = (uint8_t)byte;
	if (tr->delete) {
		for (size_t i = 0; i < first.length; i++)
			tr->deleted[first.bytes[i]] = true;
	} else if (count == 2) {
		if (second.length == 0) {
			process_complain(process,
					 "when not truncating set1, string2 must be non-empty");
			process_exit(process, 1);
		}
		fit(process, tr, &first, &second);
		for (size_t i = 0; i < first.length && i < second.length; i++)
			tr->map[first.bytes[i]] = second.bytes[i];
	}
	for (size_t i = 0; tr->squeeze && i < squeezed->length; i++)
		tr->squeezed[squeezed->bytes[i]] = true;
}

static int tr_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"complement", 'c'},
						   {"delete", 'd'},
						   {"squeeze-repeats", 's'},
						   {"truncate-set1", 't'},
						   TEXT_WORDS};
	struct option_state state = {0};
	struct tr tr = {0};
	int option;

	while ((option = option_next(process, &state, argc, argv, "+cCdst", words)) != -1) {
		if (option == 'c' || option == 'C')
			tr.complement = true;
		else if (option == 'd')
			tr.delete = true;
		else if (option == 's')
			tr.squeeze = true;
		else if (option == 't')
			tr.truncate = true;
		else
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... STRING1 [STRING2]\nTranslate, squeeze or "
					  "delete bytes of standard input.",
					  1);
	}
	check_operands(process, &tr, argc - state.index, argv + state.index);
	prepare(process, &tr, argc - state.index, argv + state.index);
	translate(process, &tr);
	return 0;
}

static const struct command commands[] = {
	{"tr", tr_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_tr = {"text_tr", commands};
