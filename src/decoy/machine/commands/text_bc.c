/* bc as GNU's 1.07, for what is asked of it on a command line: expressions, variables, scale,
 * ibase, obase, sqrt, length and the functions of -l. Numbers have up to 38 digits.
 */
#include <ctype.h>
#include <math.h>

#include "decoy/machine/commands/text.h"

#define DEPTH_MAX     100
#define VARIABLES_MAX 64
#define SCALE_MAX     30
#define SHOWN_MAX     37 /* digits behind the point that are shown */

__extension__ typedef __int128 wide;

struct number {
	wide digits; /* value times ten to the scale */
	int scale;
};

struct bc {
	struct process *process;
	const char *at, *end;
	unsigned line, depth;
	int scale, ibase, obase;
	bool failed, assigned, quit, library;
	struct number last;
	struct {
		char name[32];
		struct number value;
	} variables[VARIABLES_MAX];
	size_t variable_count;
};

static void fail(struct bc *bc, const char *words)
{
	process_flush(bc->process);
	if (!bc->failed)
		process_error(bc->process, "%s\n", words);
	bc->failed = true;
}

static void syntax_error(struct bc *bc)
{
	process_flush(bc->process);
	if (!bc->failed)
		process_error(bc->process, "(standard_in) %u: syntax error\n",
			      bc->line + (bc->at >= bc->end || *bc->at == '\n'));
	bc->failed = true;
}

/* --- numbers --- */

/* The least of all has no counterpart: it counts as too big, so that a sign can be turned. */
static struct number checked(struct bc *bc, struct number n)
{
	static const wide most_digits = (((wide)1 << 126) - 1) * 2 + 1;

	if (n.digits >= -most_digits)
		return n;
	fail(bc, "Runtime error: number too big");
	return (struct number){0};
}

static wide power_of_ten(int count)
{
	wide result = 1;

	for (; count > 0; count--)
		result *= 10;
	return result;
}

static struct number rescale(struct bc *bc, struct number n, int scale)
{
	if (scale > n.scale) {
		if (scale - n.scale > 37 ||
		    __builtin_mul_overflow(n.digits, power_of_ten(scale - n.scale), &n.digits)) {
			fail(bc, "Runtime error: number too big");
			return (struct number){0};
		}
	} else
		n.digits /= power_of_ten(n.scale - scale > 37 ? 37 : n.scale - scale);
	n.scale = scale;
	return n;
}

static struct number add(struct bc *bc, struct number a, struct number b, int sign)
{
	int scale = a.scale > b.scale ? a.scale : b.scale;

	a = rescale(bc, a, scale);
	b = rescale(bc, b, scale);
	if (sign < 0 ? __builtin_sub_overflow(a.digits, b.digits, &a.digits)
		     : __builtin_add_overflow(a.digits, b.digits, &a.digits))
		fail(bc, "Runtime error: number too big");
	return checked(bc, a);
}

static int most(int a, int b)
{
	return a > b ? a : b;
}

static struct number multiply(struct bc *bc, struct number a, struct number b)
{
	struct number result = {.scale = a.scale + b.scale};
	int scale = most(bc->scale, most(a.scale, b.scale));

	if (__builtin_mul_overflow(a.digits, b.digits, &result.digits)) {
		fail(bc, "Runtime error: number too big");
		return (struct number){0};
	}
	result = checked(bc, result);
	return result.scale > scale ? rescale(bc, result, scale) : result;
}

static struct number divide(struct bc *bc, struct number a, struct number b, int scale)
{
	struct number result;
	wide left;

	if (b.digits == 0) {
		fail(bc, "Runtime error (func=(main), adr=3): Divide by zero");
		return (struct number){0};
	}
	result = (struct number){a.digits / b.digits, a.scale - b.scale};
	left = a.digits % b.digits;
	for (; result.scale < scale && !bc->failed; result.scale++) { /* digit by digit */
		if (__builtin_mul_overflow(left, (wide)10, &left) ||
		    __builtin_mul_overflow(result.digits, (wide)10, &result.digits))
			fail(bc, "Runtime error: number too big");
		result.digits += left / b.digits;
		left %= b.digits;
	}
	return rescale(bc, result, scale);
}

static struct number remainder_of(struct bc *bc, struct number a, struct number b)
{
	struct number quotient = divide(bc, a, b, bc->scale);
	struct number product = {.scale = quotient.scale + b.scale};

	if (__builtin_mul_overflow(quotient.digits, b.digits, &product.digits))
		fail(bc, "Runtime error: number too big");
	return add(bc, a, product, -1);
}

static struct number power(struct bc *bc, struct number a, struct number b)
{
	struct number result = {1, 0};
	wide asked = rescale(bc, b, 0).digits;
	int64_t exponent = asked > INT64_MAX    ? INT64_MAX
			   : asked < -INT64_MAX ? -INT64_MAX
						: (int64_t)asked;
	int scale = exponent < 0 ? bc->scale : most(bc->scale, a.scale);
	int64_t count = exponent < 0 ? -exponent : exponent;

	for (int64_t i = 0; i < count && !bc->failed; i++) {
		if (__builtin_mul_overflow(result.digits, a.digits, &result.digits))
			fail(bc, "Runtime error: number too big");
		result = checked(bc, result);
		result.scale += a.scale;
		if (result.scale > most(scale, 18))
			result = rescale(bc, result, most(scale, 18));
		process_step(bc->process);
		if (a.digits == 0 || (a.digits == 1 && a.scale == 0))
			break;
	}
	if (exponent < 0)
		return divide(bc, (struct number){1, 0}, result, bc->scale);
	return result.scale > scale ? rescale(bc, result, scale) : result;
}

static long double to_float(struct number n)
{
	return (long double)n.digits / powl(10, n.scale);
}

static struct number from_float(struct bc *bc, long double value, int scale)
{
	if (scale > 18)
		scale = 18; /* what a long double knows */
	if (!(fabsl(value) < 1e19L)) {
		fail(bc, "Runtime error: number too big");
		return (struct number){0};
	}
	return (struct number){(wide)(value * powl(10, scale)), scale};
}

static struct number square_root(struct bc *bc, struct number n)
{
	int scale = most(bc->scale, n.scale);
	wide target, low = 0, high;

	if (n.digits < 0) {
		fail(bc, "Runtime error (func=(main), adr=3): Square root of a negative number");
		return (struct number){0};
	}
	if (2 * scale > 34)
		scale = 17;
	target = rescale(bc, n, 2 * scale).digits;
	high = (wide)4000000000000000000 * 4;
	while (low < high) { /* the greatest whose square is not above */
		wide middle = low + (high - low + 1) / 2;

		if (middle <= target / middle)
			low = middle;
		else
			high = middle - 1;
	}
	return (struct number){low, scale};
}

/* --- output --- */

static void put_based(struct bc *bc, wide value)
{
	char digits[140];
	size_t at = sizeof(digits);

	if (value == 0)
		digits[--at] = '0';
	for (; value > 0 && at > 0; value /= bc->obase)
		digits[--at] = "0123456789ABCDEF"[(size_t)(value % bc->obase)];
	process_put(bc->process, slice_of(digits + at, sizeof(digits) - at));
}

static void put_number(struct bc *bc, struct number n)
{
	wide unit = power_of_ten(n.scale > 37 ? 37 : n.scale);
	wide whole, part;
	char digits[SHOWN_MAX];

	if (n.scale > SHOWN_MAX) {
		n = rescale(bc, n, SHOWN_MAX);
		unit = power_of_ten(SHOWN_MAX);
	}
	if (n.digits < 0) {
		process_put_byte(bc->process, '-');
		n.digits = -n.digits;
	}
	whole = n.digits / unit;
	part = n.digits % unit;
	if (whole != 0 || part == 0)
		put_based(bc, whole);
	if (n.digits == 0 || n.scale == 0)
		return;
	process_put_byte(bc->process, '.');
	for (int i = n.scale; i-- > 0; part /= 10)
		digits[i] = (char)('0' + (int)(part % 10));
	process_put(bc->process, slice_of(digits, (size_t)n.scale));
}

/* --- reading --- */

static void skip_blanks(struct bc *bc)
{
	while (bc->at < bc->end) {
		if (*bc->at == ' ' || *bc->at == '\t')
			bc->at++;
		else if (*bc->at == '\\' && bc->at + 1 < bc->end && bc->at[1] == '\n')
			bc->at += 2;
		else if (*bc->at == '#') {
			while (bc->at < bc->end && *bc->at != '\n')
				bc->at++;
		} else
			return;
	}
}

static bool take_mark(struct bc *bc, const char *mark)
{
	size_t length = strlen(mark);

	skip_blanks(bc);
	if ((size_t)(bc->end - bc->at) < length || memcmp(bc->at, mark, length) != 0)
		return false;
	bc->at += length;
	return true;
}

static char peek(struct bc *bc)
{
	skip_blanks(bc);
	return bc->at < bc->end ? *bc->at : '\0';
}

static struct number expression(struct bc *bc);

static struct number read_number(struct bc *bc)
{
	struct number n = {0};
	bool point = false, digits = false;

	for (; bc->at < bc->end; bc->at++) {
		char c = *bc->at;
		int digit = isdigit((unsigned char)c) ? c - '0' : c - 'A' + 10;

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (!isdigit((unsigned char)c) && (c < 'A' || c > 'F'))
			break;
		digits = true;
		if (point && n.scale >= SCALE_MAX)
			continue;
		if (__builtin_mul_overflow(n.digits, (wide)(point ? 10 : bc->ibase), &n.digits) ||
		    __builtin_add_overflow(n.digits, (wide)digit, &n.digits))
			fail(bc, "Runtime error: number too big");
		n.scale += point;
	}
	if (!digits)
		syntax_error(bc);
	return n;
}

static struct number *variable(struct bc *bc, const char *name, size_t length)
{
	for (size_t i = 0; i < bc->variable_count; i++) {
		if (slice_is(slice_of(name, length), bc->variables[i].name))
			return &bc->variables[i].value;
	}
	if (bc->variable_count == VARIABLES_MAX || length >= sizeof(bc->variables[0].name)) {
		fail(bc, "Runtime error: too many variables");
		return &bc->variables[0].value;
	}
	memcpy(bc->variables[bc->variable_count].name, name, length);
	return &bc->variables[bc->variable_count++].value;
}

static int number_length(struct number n)
{
	int length = 0;

	for (wide left = n.digits; left != 0; left /= 10)
		length++;
	return most(length, n.scale > 0 ? n.scale : 1);
}

static struct number call(struct bc *bc, struct slice name)
{
	struct number n = expression(bc);

	if (!take_mark(bc, ")"))
		syntax_error(bc);
	if (slice_is(name, "sqrt"))
		return square_root(bc, n);
	if (slice_is(name, "length"))
		return (struct number){number_length(n), 0};
	if (slice_is(name, "scale"))
		return (struct number){n.scale, 0};
	if (bc->library && name.length == 1) {
		long double value = to_float(n);

		switch (name.at[0]) {
		case 's':
			return from_float(bc, sinl(value), bc->scale);
		case 'c':
			return from_float(bc, cosl(value), bc->scale);
		case 'a':
			return from_float(bc, atanl(value), bc->scale);
		case 'l':
			return from_float(bc, logl(value), bc->scale);
		case 'e':
			return from_float(bc, expl(value), bc->scale);
		default:
			break;
		}
	}
	if (!bc->failed)
		process_error(bc->process,
			      "Runtime error (func=(main), adr=5): Function %.*s not defined.\n",
			      (int)name.length, (const char *)name.at);
	bc->failed = true;
	return n;
}

static struct number assign(struct bc *bc, struct slice name, struct number old, char operation)
{
	struct number n = expression(bc);
	struct number whole;

	n = operation == '+'   ? add(bc, old, n, 1)
	    : operation == '-' ? add(bc, old, n, -1)
	    : operation == '*' ? multiply(bc, old, n)
	    : operation == '/' ? divide(bc, old, n, bc->scale)
	    : operation == '%' ? remainder_of(bc, old, n)
	    : operation == '^' ? power(bc, old, n)
			       : n;
	whole = rescale(bc, n, 0);
	bc->assigned = true;
	if (slice_is(name, "scale"))
		bc->scale = whole.digits < 0           ? 0
			    : whole.digits > SCALE_MAX ? SCALE_MAX
						       : (int)whole.digits;
	else if (slice_is(name, "ibase"))
		bc->ibase = whole.digits < 2 ? 2 : whole.digits > 16 ? 16 : (int)whole.digits;
	else if (slice_is(name, "obase"))
		bc->obase = whole.digits < 2 ? 2 : whole.digits > 16 ? 16 : (int)whole.digits;
	else
		*variable(bc, (const char *)name.at, name.length) = n;
	return n;
}

static struct number named(struct bc *bc)
{
	const char *start = bc->at;
	struct slice name;
	struct number value;

	while (bc->at < bc->end && (islower((unsigned char)*bc->at) || *bc->at == '_' ||
				    isdigit((unsigned char)*bc->at)))
		bc->at++;
	name = slice_of(start, (size_t)(bc->at - start));
	if (take_mark(bc, "("))
		return call(bc, name);
	if (slice_is(name, "scale"))
		value = (struct number){bc->scale, 0};
	else if (slice_is(name, "ibase"))
		value = (struct number){bc->ibase, 0};
	else if (slice_is(name, "obase"))
		value = (struct number){bc->obase, 0};
	else if (slice_is(name, "last"))
		value = bc->last;
	else
		value = *variable(bc, start, name.length);
	skip_blanks(bc);
	if (bc->end - bc->at >= 2 && strchr("+-*/%^", *bc->at) && bc->at[1] == '=') {
		char operation = *bc->at;

		bc->at += 2;
		return assign(bc, name, value, operation);
	}
	if (bc->end - bc->at >= 2 &&
	    (memcmp(bc->at, "++", 2) == 0 || memcmp(bc->at, "--", 2) == 0)) {
		*variable(bc, start, name.length) =
			add(bc, value, (struct number){1, 0}, *bc->at == '+' ? 1 : -1);
		bc->at += 2;
		return value;
	}
	if (peek(bc) == '=' && !(bc->at + 1 < bc->end && bc->at[1] == '=')) {
		bc->at++;
		return assign(bc, name, value, '=');
	}
	return value;
}

static struct number primary(struct bc *bc)
{
	struct number n = {0};
	char c = peek(bc);

	if (++bc->depth > DEPTH_MAX || bc->failed) {
		syntax_error(bc);
		bc->depth--;
		return n;
	}
	if (c == '(') {
		bc->at++;
		n = expression(bc);
		bc->assigned = false;
		if (!take_mark(bc, ")"))
			syntax_error(bc);
	} else if (c == '-') {
		bc->at++;
		n = primary(bc);
		n.digits = -n.digits;
	} else if (c == '!') {
		bc->at++;
		n = (struct number){primary(bc).digits == 0, 0};
	} else if (islower((unsigned char)c))
		n = named(bc);
	else if (isdigit((unsigned char)c) || c == '.' || (c >= 'A' && c <= 'F'))
		n = read_number(bc);
	else
		syntax_error(bc);
	bc->depth--;
	return n;
}

static struct number raised(struct bc *bc)
{
	struct number n = primary(bc);

	if (peek(bc) == '^' && ++bc->depth <= DEPTH_MAX) {
		bc->at++;
		n = power(bc, n, raised(bc));
		bc->depth--;
	}
	return n;
}

static struct number product(struct bc *bc)
{
	struct number n = raised(bc);

	while (!bc->failed && (peek(bc) == '*' || peek(bc) == '/' || peek(bc) == '%')) {
		char operation = *bc->at++;
		struct number other = raised(bc);

		bc->assigned = false;
		n = operation == '*'   ? multiply(bc, n, other)
		    : operation == '/' ? divide(bc, n, other, bc->scale)
				       : remainder_of(bc, n, other);
	}
	return n;
}

static struct number sum(struct bc *bc)
{
	struct number n = product(bc);

	while (!bc->failed && (peek(bc) == '+' || peek(bc) == '-')) {
		int sign = *bc->at++ == '+' ? 1 : -1;

		n = add(bc, n, product(bc), sign);
		bc->assigned = false;
	}
	return n;
}

static struct number comparison(struct bc *bc)
{
	static const char *const operators[] = {"==", "<=", ">=", "!=", "<", ">"};
	struct number n = sum(bc);

	for (size_t i = 0; i < ARRAY_COUNT(operators) && !bc->failed; i++) {
		wide difference;

		if (!take_mark(bc, operators[i]))
			continue;
		difference = add(bc, n, sum(bc), -1).digits;
		bc->assigned = false;
		n = (struct number){i == 0   ? difference == 0
				    : i == 1 ? difference <= 0
				    : i == 2 ? difference >= 0
				    : i == 3 ? difference != 0
				    : i == 4 ? difference < 0
					     : difference > 0,
				    0};
	}
	return n;
}

static struct number expression(struct bc *bc)
{
	struct number n = comparison(bc);

	while (!bc->failed) {
		bool both = take_mark(bc, "&&");
		struct number other;

		if (!both && !take_mark(bc, "||"))
			break;
		other = comparison(bc);
		n = (struct number){both ? n.digits && other.digits : n.digits || other.digits, 0};
	}
	return n;
}

/* --- statements --- */

static void statement(struct bc *bc)
{
	struct number n;

	process_step(bc->process);
	if (take_mark(bc, "\"")) {
		const char *start = bc->at;

		while (bc->at < bc->end && *bc->at != '"')
			bc->at++;
		process_put(bc->process, slice_of(start, (size_t)(bc->at - start)));
		bc->at += bc->at < bc->end;
		return;
	}
	if (take_mark(bc, "quit") || take_mark(bc, "halt")) {
		bc->quit = true;
		return;
	}
	bc->assigned = false;
	n = expression(bc);
	if (bc->failed || bc->assigned)
		return;
	put_number(bc, n);
	process_put_byte(bc->process, '\n');
	bc->last = n;
}

static void run(struct bc *bc, struct slice text)
{
	bc->at = (const char *)text.at;
	bc->end = bc->at + text.length;
	while (!bc->quit) {
		char c = peek(bc);

		if (bc->at >= bc->end)
			return;
		if (c == ';' || c == '\n') {
			bc->line += c == '\n';
			bc->at++;
			continue;
		}
		bc->failed = false;
		bc->depth = 0;
		statement(bc);
		c = peek(bc);
		if (!bc->failed && bc->at < bc->end && c != ';' && c != '\n' && !bc->quit)
			syntax_error(bc);
		while (bc->failed && bc->at < bc->end && *bc->at != '\n')
			bc->at++;
	}
}

static int bc_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"mathlib", 'l'},     {"quiet", 'q'},
						   {"standard", 's'},    {"warn", 'w'},
						   {"interactive", 'i'}, TEXT_WORDS};
	struct bc *bc = process_take(process, sizeof(*bc));
	struct option_state state = {0};
	struct line_reader reader;
	struct slice line;
	bool newline, quiet = false;
	int option;

	bc->process = process;
	bc->ibase = bc->obase = 10;
	bc->line = 1;
	while ((option = option_next(process, &state, argc, argv, "hilqsvw", words)) != -1) {
		if (option == 'l') {
			bc->library = true;
			bc->scale = 20;
		} else if (option == 'q')
			quiet = true;
		else if (option == 'v' || option == TEXT_VERSION) {
			process_put_text(process, "bc 1.07.1\n");
			return 0;
		} else if (!strchr("isw", option) || option > 128)
			text_other_option(process, option == 'h' ? TEXT_HELP : option, "",
					  "[options] [file ...]", 1);
	}
	if (!quiet && process_is_terminal(process, 0) && process_is_terminal(process, 1))
		process_put_text(process, "bc 1.07.1\nThis is free software with ABSOLUTELY NO "
					  "WARRANTY.\nFor details type `warranty'. \n");
	for (int i = state.index; i < argc; i++) {
		struct text text = {0};

		if (process_read_file(process, argv[i], TEXT_WHOLE_MAX, &text) != 0) {
			process_error(process, "File %s is unavailable.\n", argv[i]);
			return 1;
		}
		run(bc, text_slice(&text));
		process_give(process, text.data);
	}
	line_reader_open(&reader, 0);
	while (!bc->quit && line_reader_next(process, &reader, &line, &newline)) {
		run(bc, line);
		bc->line++;
	}
	return 0;
}

static const struct command commands[] = {
	{"bc", bc_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_bc = {"text_bc", commands};
