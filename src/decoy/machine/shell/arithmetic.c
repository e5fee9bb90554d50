/* Arithmetic of $((...)), ((...)), let: C's operators on 64-bit numbers. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

#define ARITHMETIC_DEPTH_MAX 64

struct calculation {
	struct shell *shell;
	const char *text, *at, *token; /* whole, next, begin of the last token */
	bool failed;
	unsigned skipping; /* in the part of && || ?: that is not taken */
	unsigned depth;
};

static int64_t assignment(struct calculation *calculation);
static int64_t comma(struct calculation *calculation);

static void fail(struct calculation *calculation, const char *message, const char *token)
{
	struct shell *shell = calculation->shell;
	const char *text = calculation->text;

	if (calculation->failed)
		return;
	calculation->failed = true;
	while (isspace((uint8_t)*text))
		text++;
	switch (shell->personality) {
	case SHELL_BASH:
		if (shell->builtin && !strcmp(shell->builtin, "let"))
			message_builtin(shell, "%s: %s (error token is \"%s\")", text, message,
					token);
		else
			message_say(shell, "%s%s: %s (error token is \"%s\")",
				    shell->builtin && !strcmp(shell->builtin, "((") ? "((: " : "",
				    text, message, token);
		shell->status = 1;
		break;
	case SHELL_DASH:
		message_fatal(shell, 2, "arithmetic expression: %s: \"%s\"",
			      !strcmp(message, "division by 0") ? "division by zero"
			      : !strcmp(message, "syntax error: operand expected")
				      ? "expecting primary"
			      : !strcmp(message, "syntax error in expression") ? "expecting EOF"
									       : message,
			      calculation->text);
		break;
	default:
		message_fatal(shell, 2, "%s",
			      !strcmp(message, "division by 0") ? "divide by zero"
								: "arithmetic syntax error");
	}
}

static void skip_blanks(struct calculation *calculation)
{
	while (isspace((uint8_t)*calculation->at))
		calculation->at++;
}

static bool take(struct calculation *calculation, const char *op)
{
	size_t length = strlen(op);

	skip_blanks(calculation);
	if (strncmp(calculation->at, op, length) != 0)
		return false;
	calculation->token = calculation->at;
	calculation->at += length;
	return true;
}

/* The value of a variable, which may itself be an expression. */
static int64_t variable_value(struct calculation *calculation, const char *name)
{
	struct shell *shell = calculation->shell;
	const char *value = variables_get(shell, name);
	int64_t number = 0;
	char *end;

	if (!value || !*value) {
		if (!value && shell_option_is(shell, SET_NOUNSET)) {
			message_fatal(shell, 1,
				      shell_has(shell, SHELL_BASH) ? "%s: unbound variable"
								   : "%s: parameter not set",
				      name);
			calculation->failed = true;
		}
		return 0;
	}
	if (isdigit((uint8_t)value[0]) && value[0] != '0' &&
	    (number = (int64_t)strtoull(value, &end, 10), !*end))
		return number;
	if (shell->arithmetic_depth >= ARITHMETIC_DEPTH_MAX || shell_stack_is_low(shell)) {
		fail(calculation, "expression recursion level exceeded", value);
		return 0;
	}
	shell->arithmetic_depth++;
	/* A copy: the expression may assign to the variable that it is. */
	if (arithmetic_value(shell, pool_text(shell->scratch, slice_text(value)), &number) < 0)
		calculation->failed = true;
	shell->arithmetic_depth--;
	return number;
}

static int digit_value(char byte, int base)
{
	if (isdigit((uint8_t)byte))
		return byte - '0';
	if (islower((uint8_t)byte))
		return byte - 'a' + 10;
	if (isupper((uint8_t)byte))
		return base <= 36 ? byte - 'A' + 10 : byte - 'A' + 36;
	return byte == '@' ? 62 : byte == '_' ? 63 : 99;
}

static int64_t constant(struct calculation *calculation)
{
	const char *start = calculation->at, *digits = start;
	int base = 10;
	uint64_t value = 0;

	if (digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X')) {
		base = 16;
		digits += 2;
	} else if (digits[0] == '0') {
		base = 8;
	} else {
		size_t length = strspn(digits, "0123456789");

		if (digits[length] == '#' &&
		    shell_has(calculation->shell, SHELL_BASH | SHELL_ASH)) {
			base = (int)strtol(digits, NULL, 10);
			digits += length + 1;
			if (base < 2 || base > 64) {
				calculation->at +=
					strspn(start, "0123456789#abcdefghijklmnopqrstu");
				fail(calculation, "invalid arithmetic base", start);
				return 0;
			}
		}
	}
	for (; isalnum((uint8_t)*digits) || (base > 36 && (*digits == '@' || *digits == '_')) ||
	       (*digits == '_');
	     digits++) {
		int digit = digit_value(*digits, base);

		if (digit >= base) {
			size_t length = (size_t)(digits - start) + strspn(digits, "0123456789");
			char token[64];

			while (isalnum((uint8_t)start[length]))
				length++;
			snprintf(token, sizeof(token), "%.*s", (int)(length < 60 ? length : 60),
				 start);
			fail(calculation,
			     shell_has(calculation->shell, SHELL_DASH)
				     ? "syntax error in expression"
				     : "value too great for base",
			     token);
			return 0;
		}
		value = value * (uint64_t)base + (uint64_t)digit;
	}
	calculation->at = digits;
	return (int64_t)value;
}

/* A name, with a subscript: in scratch memory. NULL: there is none here. */
static char *take_name(struct calculation *calculation)
{
	size_t length, depth = 0;
	char *name;

	skip_blanks(calculation);
	length = lexer_name(calculation->at);
	if (!length)
		return NULL;
	calculation->token = calculation->at;
	if (calculation->at[length] == '[' && shell_has(calculation->shell, SHELL_BASH)) {
		do {
			depth += calculation->at[length] == '[';
			depth -= calculation->at[length] == ']';
			length++;
		} while (depth && calculation->at[length]);
	}
	name = pool_text(calculation->shell->scratch, slice_of(calculation->at, length));
	calculation->at += length;
	return name;
}

static int64_t name_value(struct calculation *calculation, const char *name)
{
	struct shell *shell = calculation->shell;
	struct variable *variable;
	const char *bracket = strchr(name, '['), *key, *value;
	char *plain;
	int64_t index, number = 0;

	if (calculation->skipping)
		return 0;
	if (!bracket)
		return variable_value(calculation, name);
	plain = pool_text(shell->scratch, slice_of(name, (size_t)(bracket - name)));
	variable = variables_find(shell, plain);
	if (array_subscript(shell, variable, bracket + 1, strlen(bracket) - 2, &key, &index) < 0) {
		calculation->failed = true;
		return 0;
	}
	value = variable ? array_get(variable, key, index) : NULL;
	if (!value || !*value)
		return 0;
	if (shell->arithmetic_depth++ >= ARITHMETIC_DEPTH_MAX ||
	    arithmetic_value(shell, pool_text(shell->scratch, slice_text(value)), &number) < 0)
		calculation->failed = true;
	shell->arithmetic_depth--;
	return number;
}

static void set_name(struct calculation *calculation, const char *name, int64_t value)
{
	char text[24];
	int result;

	if (calculation->skipping || calculation->failed)
		return;
	snprintf(text, sizeof(text), "%lld", (long long)value);
	result = strchr(name, '[') ? array_assign(calculation->shell, name, text, false)
				   : variables_set(calculation->shell, name, text);
	if (result < 0)
		calculation->failed = true;
}

static int64_t primary(struct calculation *calculation)
{
	const char *start;
	char *name;
	int64_t value;

	skip_blanks(calculation);
	start = calculation->at;
	if (calculation->depth > ARITHMETIC_DEPTH_MAX || shell_stack_is_low(calculation->shell)) {
		fail(calculation, "expression recursion level exceeded", start);
		return 0;
	}
	if (take(calculation, "(")) {
		calculation->depth++;
		value = comma(calculation);
		calculation->depth--;
		if (!take(calculation, ")"))
			fail(calculation, "missing `)'", calculation->token);
		return value;
	}
	if (isdigit((uint8_t)*start)) {
		calculation->token = start;
		return constant(calculation);
	}
	name = take_name(calculation);
	if (!name) {
		/* bash shows what is left, or the last operator when nothing is */
		fail(calculation, "syntax error: operand expected",
		     *start ? start : calculation->token);
		return 0;
	}
	value = name_value(calculation, name);
	if (calculation->at[0] == '+' && calculation->at[1] == '+' &&
	    !shell_has(calculation->shell, SHELL_DASH)) {
		calculation->at += 2;
		set_name(calculation, name, (int64_t)((uint64_t)value + 1));
	} else if (calculation->at[0] == '-' && calculation->at[1] == '-' &&
		   !shell_has(calculation->shell, SHELL_DASH)) {
		calculation->at += 2;
		set_name(calculation, name, (int64_t)((uint64_t)value - 1));
	}
	return value;
}

static int64_t unary(struct calculation *calculation)
{
	const char *start;
	int64_t value;

	if (calculation->failed || ++calculation->depth > ARITHMETIC_DEPTH_MAX) {
		if (!calculation->failed)
			fail(calculation, "expression recursion level exceeded", calculation->at);
		return 0;
	}
	skip_blanks(calculation);
	start = calculation->at;
	if ((start[0] == '+' && start[1] == '+') || (start[0] == '-' && start[1] == '-')) {
		char *name;

		calculation->at += 2;
		name = take_name(calculation);
		if (name) {
			value = (int64_t)((uint64_t)name_value(calculation, name) +
					  (start[0] == '+' ? 1u : (uint64_t)-1));
			set_name(calculation, name, value);
			calculation->depth--;
			return value;
		}
		calculation->at = start;
	}
	if (take(calculation, "!"))
		value = !unary(calculation);
	else if (take(calculation, "~"))
		value = ~unary(calculation);
	else if (take(calculation, "-"))
		value = (int64_t)(0 - (uint64_t)unary(calculation));
	else if (take(calculation, "+"))
		value = unary(calculation);
	else
		value = primary(calculation);
	calculation->depth--;
	return value;
}

static int64_t power(struct calculation *calculation)
{
	int64_t value = unary(calculation), exponent;
	uint64_t result = 1;

	skip_blanks(calculation);
	if (shell_has(calculation->shell, SHELL_DASH) || calculation->at[0] != '*' ||
	    calculation->at[1] != '*')
		return value;
	take(calculation, "**");
	if (++calculation->depth > ARITHMETIC_DEPTH_MAX) {
		fail(calculation, "expression recursion level exceeded", calculation->at);
		return 0;
	}
	exponent = power(calculation);
	calculation->depth--;
	if (exponent < 0) {
		fail(calculation, "exponent less than 0", calculation->token);
		return 0;
	}
	for (uint64_t base = (uint64_t)value; exponent; exponent >>= 1) {
		if (exponent & 1)
			result *= base;
		base *= base;
	}
	return (int64_t)result;
}

static const struct {
	const char *op;
	int level; /* higher binds tighter */
} binaries[] = {
	{"||", 1}, {"&&", 2}, {"==", 6}, {"!=", 6}, {"<<", 8}, {">>", 8},
	{"<=", 7}, {">=", 7}, {"|", 3},  {"^", 4},  {"&", 5},  {"<", 7},
	{">", 7},  {"+", 9},  {"-", 9},  {"*", 10}, {"/", 10}, {"%", 10},
};

/* The operator here that is at least that tight, and no assignment; -1: none. */
static int next_operator(struct calculation *calculation, int level)
{
	const char *at;

	skip_blanks(calculation);
	at = calculation->at;
	for (size_t i = 0; i < ARRAY_COUNT(binaries); i++) {
		size_t length = strlen(binaries[i].op);

		if (strncmp(at, binaries[i].op, length) != 0)
			continue;
		if (at[length] == '=' && !strchr("=!", at[0]) &&
		    strcmp(binaries[i].op, "<=") != 0 && strcmp(binaries[i].op, ">=") != 0)
			return -1;
		return binaries[i].level >= level ? (int)i : -1;
	}
	return -1;
}

static int64_t apply(struct calculation *calculation, const char *op, int64_t a, int64_t b)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b;

	switch (op[0]) {
	case '|':
		return op[1] ? a || b : a | b;
	case '&':
		return op[1] ? a && b : a & b;
	case '^':
		return a ^ b;
	case '=':
		return a == b;
	case '!':
		return a != b;
	case '<':
		return op[1] == '<' ? (int64_t)(x << (y & 63)) : op[1] ? a <= b : a < b;
	case '>':
		return op[1] == '>' ? a >> (y & 63) : op[1] ? a >= b : a > b;
	case '+':
		return (int64_t)(x + y);
	case '-':
		return (int64_t)(x - y);
	case '*':
		return (int64_t)(x * y);
	default:
		if (!b) {
			if (!calculation->skipping)
				fail(calculation, "division by 0", calculation->token);
			return 0;
		}
		if (b == -1)
			return op[0] == '/' ? (int64_t)(0 - x) : 0;
		return op[0] == '/' ? a / b : a % b;
	}
}

static int64_t binary(struct calculation *calculation, int level)
{
	int64_t left = power(calculation), right;
	int which;

	while (!calculation->failed && (which = next_operator(calculation, level)) >= 0) {
		const char *op = binaries[which].op;
		bool skip = (!strcmp(op, "||") && left) || (!strcmp(op, "&&") && !left);

		take(calculation, op);
		calculation->skipping += skip;
		skip_blanks(calculation);
		if (op[0] == '/' || op[0] == '%') {
			const char *operand = calculation->at;

			right = binary(calculation, binaries[which].level + 1);
			calculation->token = operand;
		} else {
			right = binary(calculation, binaries[which].level + 1);
		}
		calculation->skipping -= skip;
		if (calculation->failed)
			return 0;
		left = apply(calculation, op, left, right);
	}
	return left;
}

static int64_t conditional(struct calculation *calculation)
{
	int64_t value = binary(calculation, 1), yes, no;

	if (calculation->failed || !take(calculation, "?"))
		return value;
	if (++calculation->depth > ARITHMETIC_DEPTH_MAX) {
		fail(calculation, "expression recursion level exceeded", calculation->at);
		return 0;
	}
	calculation->skipping += !value;
	yes = comma(calculation);
	calculation->skipping -= !value;
	if (!take(calculation, ":")) {
		fail(calculation, "`:' expected for conditional expression", calculation->token);
		return 0;
	}
	calculation->skipping += value != 0;
	no = conditional(calculation);
	calculation->skipping -= value != 0;
	calculation->depth--;
	return value ? yes : no;
}

/* name op= expression */
static int64_t assignment(struct calculation *calculation)
{
	static const char *const operators[] = {
		"=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "<<=", ">>="};
	const char *start = calculation->at, *token = calculation->token;
	char *name = take_name(calculation);

	skip_blanks(calculation);
	for (size_t i = 0; name && i < ARRAY_COUNT(operators); i++) {
		const char *op = operators[i];
		size_t length = strlen(op);
		int64_t value, before = 0;

		if (strncmp(calculation->at, op, length) != 0 ||
		    (length == 1 && calculation->at[1] == '='))
			continue;
		if (++calculation->depth > ARITHMETIC_DEPTH_MAX)
			break;
		take(calculation, op);
		if (length > 1)
			before = name_value(calculation, name);
		skip_blanks(calculation);
		start = calculation->at;
		value = assignment(calculation);
		calculation->depth--;
		if (calculation->failed)
			return 0;
		calculation->token = start;
		if (length > 1)
			value = apply(calculation, op, before, value);
		set_name(calculation, name, value);
		return value;
	}
	calculation->at = start;
	calculation->token = token;
	return conditional(calculation);
}

static int64_t comma(struct calculation *calculation)
{
	int64_t value = assignment(calculation);

	while (!calculation->failed && !shell_has(calculation->shell, SHELL_DASH) &&
	       take(calculation, ","))
		value = assignment(calculation);
	return value;
}

int arithmetic_value(struct shell *shell, const char *expression, int64_t *value)
{
	struct calculation calculation = {
		.shell = shell, .text = expression, .at = expression, .token = expression};

	*value = 0;
	skip_blanks(&calculation);
	if (!*calculation.at && !shell_has(shell, SHELL_DASH))
		return 0;
	*value = comma(&calculation);
	skip_blanks(&calculation);
	if (!calculation.failed && *calculation.at) {
		const char *at = calculation.at;

		if (*at == '=' && shell_has(shell, SHELL_BASH))
			fail(&calculation, "attempted assignment to non-variable", at);
		else if (strchr("+-*/%<>&|^!~?:,)=", *at) || shell_has(shell, SHELL_DASH))
			fail(&calculation, "syntax error in expression", at);
		else if (isalnum((uint8_t)*at) || *at == '_')
			fail(&calculation, "syntax error in expression", at);
		else
			fail(&calculation, "syntax error: invalid arithmetic operator", at);
	}
	return calculation.failed ? -1 : 0;
}

int arithmetic_expand(struct shell *shell, struct slice text, int64_t *value)
{
	char *expanded =
		expand_slice(shell, text, EXPAND_SINGLE | EXPAND_QUOTED | EXPAND_ARITHMETIC);

	*value = 0;
	if (!expanded)
		return -1;
	return arithmetic_value(shell, expanded, value);
}
