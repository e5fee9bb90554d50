/* test, [ and expr. */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/text.h"
#include "decoy/machine/regex.h"

/* Parentheses and negations within each other. */
#define DEPTH_MAX 100

/* --- test --- */

struct test {
	struct process *process;
	char **words;
	int count, at;
	unsigned depth;
};

_Noreturn static void test_wrong(struct test *test, const char *format, const char *word)
{
	const char *quote = word ? "'" : "";

	process_error(test->process, "%s: %s%s%s%s\n", test->process->argv[0], quote,
		      word ? word : "", quote, format);
	process_exit(test->process, 2);
}

static const char *test_next(struct test *test)
{
	if (test->at >= test->count)
		test_wrong(test,
			   process_format(test->process, "missing argument after '%s'",
					  test->count ? test->words[test->count - 1] : ""),
			   NULL);
	return test->words[test->at++];
}

static int64_t test_number(struct test *test, const char *word)
{
	int64_t number;
	struct slice text = slice_trim(slice_text(word));

	if (text.length > 0 && text.at[0] == '+')
		text = slice_from(text, 1);
	if (slice_number(text, INT64_MIN, INT64_MAX, &number) != 0)
		test_wrong(test, process_format(test->process, "invalid integer '%s'", word), NULL);
	return number;
}

static bool is_unary(const char *word)
{
	return word[0] == '-' && word[1] && !word[2] && strchr("bcdefgGhkLNnOprsStuwxz", word[1]);
}

static bool is_binary(const char *word)
{
	static const char *const words[] = {"=",   "==",  "!=",  "-eq", "-ne", "-lt",
					    "-le", "-gt", "-ge", "-nt", "-ot", "-ef"};

	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (strcmp(words[i], word) == 0)
			return true;
	}
	return false;
}

static bool test_file(struct test *test, char letter, const char *name)
{
	struct file_status status;

	if (letter == 'r' || letter == 'w' || letter == 'x')
		return process_access(test->process, name,
				      letter == 'r'   ? R_OK
				      : letter == 'w' ? W_OK
						      : X_OK) == 0;
	if (process_stat(test->process, name, letter != 'h' && letter != 'L', &status) != 0)
		return false;
	switch (letter) {
	case 'b':
		return S_ISBLK(status.mode);
	case 'c':
		return S_ISCHR(status.mode);
	case 'd':
		return S_ISDIR(status.mode);
	case 'f':
		return S_ISREG(status.mode);
	case 'g':
		return status.mode & S_ISGID;
	case 'h':
	case 'L':
		return S_ISLNK(status.mode);
	case 'k':
		return status.mode & S_ISVTX;
	case 'p':
		return S_ISFIFO(status.mode);
	case 's':
		return status.size > 0;
	case 'S':
		return S_ISSOCK(status.mode);
	case 'u':
		return status.mode & S_ISUID;
	case 'O':
		return status.uid == test->process->identity.effective_uid;
	case 'G':
		return status.gid == test->process->identity.effective_gid;
	case 'N':
		return status.modified > status.accessed;
	default:
		return true;
	}
}

static bool test_unary(struct test *test)
{
	char letter = test_next(test)[1];
	const char *word = test_next(test);

	if (letter == 'n')
		return *word != '\0';
	if (letter == 'z')
		return *word == '\0';
	if (letter == 't')
		return process_is_terminal(test->process, (int)test_number(test, word));
	return test_file(test, letter, word);
}

static bool compare_files(struct test *test, const char *left, char how, const char *right)
{
	struct file_status a, b;
	bool has_a = process_stat(test->process, left, true, &a) == 0;
	bool has_b = process_stat(test->process, right, true, &b) == 0;

	if (how == 'e')
		return has_a && has_b && a.inode == b.inode && a.mount == b.mount;
	if (how == 'n')
		return has_a && (!has_b || a.modified > b.modified);
	return has_b && (!has_a || a.modified < b.modified);
}

static bool test_binary(struct test *test)
{
	const char *left = test_next(test), *how = test_next(test), *right = test_next(test);
	int64_t a, b;

	if (*how == '=' || *how == '!')
		return (strcmp(left, right) == 0) == (*how == '=');
	if (strcmp(how, "-nt") == 0 || strcmp(how, "-ot") == 0 || strcmp(how, "-ef") == 0)
		return compare_files(test, left, how[1], right);
	a = test_number(test, left);
	b = test_number(test, right);
	switch (how[1] << 8 | how[2]) {
	case 'e' << 8 | 'q':
		return a == b;
	case 'n' << 8 | 'e':
		return a != b;
	case 'l' << 8 | 't':
		return a < b;
	case 'l' << 8 | 'e':
		return a <= b;
	case 'g' << 8 | 't':
		return a > b;
	default:
		return a >= b;
	}
}

static bool test_or(struct test *test);

static bool test_term(struct test *test)
{
	int left = test->count - test->at;
	bool result;

	if (++test->depth > DEPTH_MAX)
		test_wrong(test, "too many arguments", NULL);
	if (left <= 0)
		test_wrong(test, "argument expected", NULL);
	if (strcmp(test->words[test->at], "!") == 0 && left > 1) {
		test->at++;
		result = !test_term(test);
	} else if (strcmp(test->words[test->at], "(") == 0 && left > 1) {
		test->at++;
		result = test_or(test);
		if (test->at >= test->count)
			test_wrong(test, "')' expected", NULL);
		if (strcmp(test->words[test->at], ")") != 0)
			test_wrong(test,
				   process_format(test->process, "')' expected, found %s",
						  test->words[test->at]),
				   NULL);
		test->at++;
	} else if (left >= 3 && is_binary(test->words[test->at + 1]))
		result = test_binary(test);
	else if (is_unary(test->words[test->at]) && left > 1)
		result = test_unary(test);
	else
		result = *test_next(test) != '\0';
	test->depth--;
	return result;
}

static bool test_and(struct test *test)
{
	bool result = test_term(test);

	while (test->at < test->count && strcmp(test->words[test->at], "-a") == 0) {
		test->at++;
		result = test_term(test) && result;
	}
	return result;
}

static bool test_or(struct test *test)
{
	bool result = test_and(test);

	while (test->at < test->count && strcmp(test->words[test->at], "-o") == 0) {
		test->at++;
		result = test_and(test) || result;
	}
	return result;
}

/* By the number of words, as POSIX has it. */
static bool test_words(struct test *test)
{
	char **words = test->words;
	bool result;

	if (test->count == 0)
		return false;
	if (test->count == 1)
		return *words[0] != '\0';
	if (test->count == 2) {
		if (strcmp(words[0], "!") == 0)
			return *words[1] == '\0';
		if (is_unary(words[0]))
			return test_unary(test);
		if (words[0][0] == '-' && words[0][1] && !words[0][2])
			test_wrong(test, ": unary operator expected", words[0]);
		test_wrong(test,
			   process_format(test->process, "missing argument after '%s'", words[1]),
			   NULL);
	}
	if (test->count == 3) {
		if (is_binary(words[1]))
			return test_binary(test);
		if (strcmp(words[1], "-a") == 0)
			return *words[0] && *words[2];
		if (strcmp(words[1], "-o") == 0)
			return *words[0] || *words[2];
		if (strcmp(words[0], "(") == 0 && strcmp(words[2], ")") == 0)
			return *words[1] != '\0';
		if (strcmp(words[0], "!") != 0)
			test_wrong(test, ": binary operator expected", words[1]);
	}
	result = test_or(test);
	if (test->at < test->count)
		test_wrong(
			test,
			process_format(test->process, "extra argument '%s'", test->words[test->at]),
			NULL);
	return result;
}

static int test_main(struct process *process, int argc, char **argv)
{
	struct test test = {.process = process, .words = argv + 1, .count = argc - 1};
	const char *last = strrchr(argv[0], '/');

	if (strcmp(last ? last + 1 : argv[0], "[") == 0) {
		if (argc == 2 && strcmp(argv[1], "--help") == 0)
			text_other_option(process, TEXT_HELP, "", "EXPRESSION ]", 2);
		if (argc == 2 && strcmp(argv[1], "--version") == 0)
			text_other_option(process, TEXT_VERSION, COREUTILS, "", 2);
		if (argc < 2 || strcmp(argv[argc - 1], "]") != 0) {
			process_complain(process, "missing ']'");
			return 2;
		}
		test.count--;
	}
	return !test_words(&test);
}

/* --- expr --- */

struct expr {
	struct process *process;
	char **words;
	int count, at;
	unsigned depth;
};

_Noreturn static void expr_wrong(struct expr *expr, const char *words)
{
	process_complain(expr->process, "%s", words);
	process_exit(expr->process, 2);
}

static bool expr_accept(struct expr *expr, const char *word)
{
	if (expr->at >= expr->count || strcmp(expr->words[expr->at], word) != 0)
		return false;
	expr->at++;
	return true;
}

static const char *expr_or(struct expr *expr);

static bool expr_integer(const char *word, int64_t *number)
{
	return slice_number(slice_text(word), INT64_MIN, INT64_MAX, number) == 0;
}

static int64_t expr_number(struct expr *expr, const char *word)
{
	int64_t number;

	if (!expr_integer(word, &number))
		expr_wrong(expr, "non-integer argument");
	return number;
}

static const char *expr_of(struct expr *expr, int64_t number)
{
	return process_format(expr->process, "%lld", (long long)number);
}

static bool expr_is_null(const char *word)
{
	if (*word == '\0')
		return true;
	if (*word == '-')
		word++;
	return *word && word[strspn(word, "0")] == '\0';
}

static const char *expr_match(struct expr *expr, const char *text, const char *pattern)
{
	char *anchored =
		process_format(expr->process, "^%s", *pattern == '^' ? pattern + 1 : pattern);
	struct regex_span spans[2];
	const char *why;
	struct regex *regex =
		regex_new(expr->process, slice_text(anchored), REGEX_BASIC, REGEX_GREP, &why);

	if (!regex)
		expr_wrong(expr, why);
	if (!regex_match(expr->process, regex, slice_text(text), 0, spans, 2))
		return regex_groups(regex) > 0 ? "" : "0";
	if (regex_groups(regex) == 0)
		return expr_of(expr, (int64_t)spans[0].end);
	if (spans[1].start == SIZE_MAX)
		return "";
	return process_copy_slice(expr->process,
				  slice_of(text + spans[1].start, spans[1].end - spans[1].start));
}

static const char *expr_primary(struct expr *expr)
{
	const char *word;

	if (expr->at >= expr->count)
		expr_wrong(expr, process_format(expr->process,
						"syntax error: missing argument after '%s'",
						expr->words[expr->count - 1]));
	if (++expr->depth > DEPTH_MAX)
		expr_wrong(expr, "syntax error");
	if (expr_accept(expr, "(")) {
		word = expr_or(expr);
		if (expr->at >= expr->count)
			expr_wrong(expr, process_format(expr->process,
							"syntax error: expecting ')' after '%s'",
							expr->words[expr->count - 1]));
		if (!expr_accept(expr, ")"))
			expr_wrong(expr, process_format(expr->process,
							"syntax error: expecting ')' instead of "
							"'%s'",
							expr->words[expr->at]));
	} else if (strcmp(expr->words[expr->at], ")") == 0)
		expr_wrong(expr, "syntax error: unexpected ')'");
	else {
		if (expr->at + 1 < expr->count)
			(void)expr_accept(expr, "+");
		word = expr->words[expr->at++];
	}
	expr->depth--;
	return word;
}

static const char *expr_function(struct expr *expr)
{
	int left = expr->count - expr->at;
	const char *first, *second;

	if (left > 1 && expr_accept(expr, "length"))
		return expr_of(expr, (int64_t)strlen(expr_function(expr)));
	if (left > 2 && expr_accept(expr, "match")) {
		first = expr_function(expr);
		return expr_match(expr, first, expr_function(expr));
	}
	if (left > 2 && expr_accept(expr, "index")) {
		size_t at;

		first = expr_function(expr);
		second = expr_function(expr);
		at = strcspn(first, second);
		return expr_of(expr, first[at] ? (int64_t)at + 1 : 0);
	}
	if (left > 3 && expr_accept(expr, "substr")) {
		int64_t from, length;
		struct slice text;

		first = expr_function(expr);
		second = expr_function(expr);
		if (!expr_integer(second, &from) || !expr_integer(expr_function(expr), &length) ||
		    from < 1 || length < 1 || from > (int64_t)strlen(first))
			return "";
		text = slice_from(slice_text(first), (size_t)from - 1);
		return process_copy_slice(expr->process, slice_first(text, (size_t)length));
	}
	return expr_primary(expr);
}

static const char *expr_colon(struct expr *expr)
{
	const char *left = expr_function(expr);

	while (expr_accept(expr, ":"))
		left = expr_match(expr, left, expr_function(expr));
	return left;
}

static const char *expr_product(struct expr *expr)
{
	const char *left = expr_colon(expr);

	for (;;) {
		char operation = expr_accept(expr, "*")   ? '*'
				 : expr_accept(expr, "/") ? '/'
				 : expr_accept(expr, "%") ? '%'
							  : 0;
		int64_t a, b, result = 0;

		if (!operation)
			return left;
		b = expr_number(expr, expr_colon(expr));
		a = expr_number(expr, left);
		if (operation != '*' && b == 0)
			expr_wrong(expr, "division by zero");
		if (operation == '*' && __builtin_mul_overflow(a, b, &result))
			result = 0;
		if (operation != '*' && b == -1)
			result = operation == '/' ? (int64_t)(0 - (uint64_t)a) : 0;
		else if (operation != '*')
			result = operation == '/' ? a / b : a % b;
		left = expr_of(expr, result);
	}
}

static const char *expr_sum(struct expr *expr)
{
	const char *left = expr_product(expr);

	for (;;) {
		char operation = expr_accept(expr, "+") ? '+' : expr_accept(expr, "-") ? '-' : 0;
		int64_t a, b;

		if (!operation)
			return left;
		b = expr_number(expr, expr_product(expr));
		a = expr_number(expr, left);
		left = expr_of(expr, operation == '+' ? (int64_t)((uint64_t)a + (uint64_t)b)
						      : (int64_t)((uint64_t)a - (uint64_t)b));
	}
}

static const char *expr_compare(struct expr *expr)
{
	static const char *const operators[] = {"<=", "<", "==", "=", "!=", ">=", ">"};
	const char *left = expr_sum(expr);

	for (;;) {
		size_t which = 0;
		const char *right;
		int64_t a, b;
		int order;
		bool is;

		while (which < ARRAY_COUNT(operators) && !expr_accept(expr, operators[which]))
			which++;
		if (which == ARRAY_COUNT(operators))
			return left;
		right = expr_sum(expr);
		if (expr_integer(left, &a) && expr_integer(right, &b))
			order = (a > b) - (a < b);
		else
			order = strcmp(left, right);
		is = which == 0   ? order <= 0
		     : which == 1 ? order < 0
		     : which <= 3 ? order == 0
		     : which == 4 ? order != 0
		     : which == 5 ? order >= 0
				  : order > 0;
		left = is ? "1" : "0";
	}
}

static const char *expr_and(struct expr *expr)
{
	const char *left = expr_compare(expr);

	while (expr_accept(expr, "&")) {
		const char *right = expr_compare(expr);

		if (expr_is_null(left) || expr_is_null(right))
			left = "0";
	}
	return left;
}

static const char *expr_or(struct expr *expr)
{
	const char *left = expr_and(expr);

	while (expr_accept(expr, "|")) {
		const char *right = expr_and(expr);

		if (expr_is_null(left))
			left = expr_is_null(right) ? "0" : right;
	}
	return left;
}

static int expr_main(struct process *process, int argc, char **argv)
{
	struct expr expr = {.process = process, .words = argv + 1, .count = argc - 1};
	const char *result;

	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		text_other_option(process, TEXT_HELP, "", "EXPRESSION", 2);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		text_other_option(process, TEXT_VERSION, COREUTILS, "", 2);
	if (argc > 1 && strcmp(argv[1], "--") == 0) {
		expr.words++;
		expr.count--;
	}
	if (expr.count < 1) {
		process_complain(process, "missing operand");
		text_try_help(process, 2);
	}
	result = expr_or(&expr);
	if (expr.at < expr.count)
		expr_wrong(&expr, process_format(process, "syntax error: unexpected argument '%s'",
						 expr.words[expr.at]));
	process_print(process, "%s\n", result);
	return expr_is_null(result);
}

static const char *const test_names[] = {"[", NULL};
static const struct command commands[] = {
	{"test", test_main, COMMAND_BOTH, NULL, test_names},
	{"expr", expr_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_test = {"text_test", commands};
