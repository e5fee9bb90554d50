/* test and [. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

struct testing {
	struct shell *shell;
	char **words;
	int count, at;
	bool failed;
	unsigned depth;
};

static bool is_unary(const char *word)
{
	return word[0] == '-' && word[1] && !word[2] &&
	       strchr("abcdefghknoprstuvwxzGLNORS", word[1]) != NULL;
}

static bool is_binary(const struct testing *testing, const char *word)
{
	static const char *const names[] = {"=",   "!=",  "-eq", "-ne", "-lt", "-le", "-gt",
					    "-ge", "-nt", "-ot", "-ef", "<",   ">"};

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (!strcmp(word, names[i]))
			return true;
	return !strcmp(word, "==") && !shell_has(testing->shell, SHELL_DASH);
}

static int fail(struct testing *testing, const char *what, const char *word)
{
	struct shell *shell = testing->shell;

	if (!testing->failed) {
		if (shell_has(shell, SHELL_BASH))
			message_builtin(shell, "%s%s%s", word ? word : "", word ? ": " : "", what);
		else if (shell_has(shell, SHELL_DASH))
			message_builtin(shell, "%s%s%s", word ? word : "", word ? ": " : "",
					!strcmp(what, "binary operator expected")
						? "unexpected operator"
					: !strcmp(what, "argument expected") ? "argument expected"
									     : what);
		else
			message_say(shell, "%s%s%s", word ? word : "", word ? ": " : "",
				    !strcmp(what, "binary operator expected") ? "unknown operand"
									      : what);
	}
	testing->failed = true;
	return 2;
}

static int64_t number_of(struct testing *testing, const char *word)
{
	struct shell *shell = testing->shell;
	int64_t number = 0;

	if (builtin_number(word, &number) == 0 || testing->failed)
		return number;
	testing->failed = true;
	if (shell_has(shell, SHELL_BASH))
		message_builtin(shell, "%s: integer expression expected", word);
	else if (shell_has(shell, SHELL_DASH))
		message_builtin(shell, "Illegal number: %s", word);
	else
		message_say(shell, "%s: bad number", word);
	return 0;
}

int builtin_test_unary(struct shell *shell, const char *op, const char *operand)
{
	struct process *process = shell->process;
	struct file_status status;
	int64_t number;
	bool met = false;

	switch (op[1]) {
	case 'n':
		return !*operand;
	case 'z':
		return *operand != '\0';
	case 't':
		return builtin_number(operand, &number) < 0 || number < 0 || number > 255 ||
		       !process_is_terminal(process, (int)number);
	case 'o':
		return options_by_name(shell, operand) < 0 ||
		       !shell_option_is(shell, (unsigned)options_by_name(shell, operand));
	case 'v': {
		const char *bracket = strchr(operand, '[');
		struct variable *variable;
		const char *key;
		int64_t index;

		if (!bracket)
			return variables_get(shell, operand) == NULL;
		variable = variables_find(
			shell,
			pool_text(shell->scratch, slice_of(operand, (size_t)(bracket - operand))));
		if (!variable || array_subscript(shell, variable, bracket + 1, strlen(bracket) - 2,
						 &key, &index) < 0)
			return 1;
		return array_get(variable, key, index) == NULL;
	}
	case 'R': {
		struct variable *variable = variables_find(shell, operand);

		return !variable || !(variable->attributes & VARIABLE_REFERENCE);
	}
	case 'r':
		return process_access(process, operand, 4) != 0;
	case 'w':
		return process_access(process, operand, 2) != 0;
	case 'x':
		return process_access(process, operand, 1) != 0;
	default:
		break;
	}
	if (process_stat(process, operand, op[1] != 'L' && op[1] != 'h', &status) < 0)
		return 1;
	switch (op[1]) {
	case 'a':
	case 'e':
		met = true;
		break;
	case 'f':
		met = S_ISREG(status.mode);
		break;
	case 'd':
		met = S_ISDIR(status.mode);
		break;
	case 'b':
		met = S_ISBLK(status.mode);
		break;
	case 'c':
		met = S_ISCHR(status.mode);
		break;
	case 'p':
		met = S_ISFIFO(status.mode);
		break;
	case 'S':
		met = S_ISSOCK(status.mode);
		break;
	case 'L':
	case 'h':
		met = S_ISLNK(status.mode);
		break;
	case 's':
		met = status.size > 0;
		break;
	case 'u':
		met = status.mode & 04000;
		break;
	case 'g':
		met = status.mode & 02000;
		break;
	case 'k':
		met = status.mode & 01000;
		break;
	case 'O':
		met = status.uid == process->identity.effective_uid;
		break;
	case 'G':
		met = status.gid == process->identity.effective_gid;
		break;
	case 'N':
		met = status.modified > status.accessed;
		break;
	default:
		break;
	}
	return !met;
}

static int compare_files(struct testing *testing, const char *left, const char *op,
			 const char *right)
{
	struct file_status a, b;
	bool have_a = process_stat(testing->shell->process, left, true, &a) == 0;
	bool have_b = process_stat(testing->shell->process, right, true, &b) == 0;

	if (op[1] == 'e')
		return !(have_a && have_b && a.inode == b.inode && a.mount == b.mount);
	if (op[1] == 'n')
		return !(have_a && (!have_b || a.modified > b.modified));
	return !(have_b && (!have_a || a.modified < b.modified));
}

static int test_binary(struct testing *testing, const char *left, const char *op, const char *right)
{
	int64_t a, b;

	switch (op[0]) {
	case '=':
		return strcmp(left, right) != 0;
	case '!':
		return strcmp(left, right) == 0;
	case '<':
		return strcmp(left, right) >= 0;
	case '>':
		return strcmp(left, right) <= 0;
	default:
		break;
	}
	if (!strcmp(op, "-nt") || !strcmp(op, "-ot") || !strcmp(op, "-ef"))
		return compare_files(testing, left, op, right);
	a = number_of(testing, left);
	b = number_of(testing, right);
	if (testing->failed)
		return 2;
	if (!strcmp(op, "-eq"))
		return a != b;
	if (!strcmp(op, "-ne"))
		return a == b;
	if (!strcmp(op, "-lt"))
		return a >= b;
	if (!strcmp(op, "-le"))
		return a > b;
	return op[2] == 't' ? a <= b : a < b;
}

static int test_or(struct testing *testing);

static int test_primary(struct testing *testing)
{
	char **words = testing->words + testing->at;
	int left = testing->count - testing->at, result;

	if (left <= 0)
		return fail(testing, "argument expected", NULL);
	if (++testing->depth > 100 || shell_stack_is_low(testing->shell))
		return fail(testing, "too many arguments", NULL);
	if (left > 2 && is_binary(testing, words[1])) {
		testing->at += 3;
		result = test_binary(testing, words[0], words[1], words[2]);
	} else if (!strcmp(words[0], "!") && left > 1) {
		testing->at++;
		result = test_primary(testing);
		result = testing->failed ? 2 : !result;
	} else if (!strcmp(words[0], "(") && left > 1) {
		testing->at++;
		result = test_or(testing);
		if (testing->at >= testing->count || strcmp(testing->words[testing->at], ")") != 0)
			return fail(testing, "`)' expected", NULL);
		testing->at++;
	} else if (left > 1 && is_unary(words[0])) {
		testing->at += 2;
		result = builtin_test_unary(testing->shell, words[0], words[1]);
	} else {
		testing->at++;
		result = !*words[0];
	}
	testing->depth--;
	return result;
}

static int test_and(struct testing *testing)
{
	int result = test_primary(testing);

	while (!testing->failed && testing->at < testing->count &&
	       !strcmp(testing->words[testing->at], "-a")) {
		int right;

		testing->at++;
		right = test_primary(testing);
		result = result || right;
	}
	return testing->failed ? 2 : result;
}

static int test_or(struct testing *testing)
{
	int result = test_and(testing);

	while (!testing->failed && testing->at < testing->count &&
	       !strcmp(testing->words[testing->at], "-o")) {
		int right;

		testing->at++;
		right = test_and(testing);
		result = result && right;
	}
	return testing->failed ? 2 : result;
}

/* POSIX fixes what up to four arguments mean. */
static int test_by_count(struct testing *testing, char **words, int count)
{
	struct shell *shell = testing->shell;

	switch (count) {
	case 0:
		return 1;
	case 1:
		return !*words[0];
	case 2:
		if (!strcmp(words[0], "!"))
			return *words[1] != '\0';
		if (is_unary(words[0]))
			return builtin_test_unary(shell, words[0], words[1]);
		if (shell_has(shell, SHELL_BASH))
			return fail(testing, "unary operator expected", words[0]);
		return fail(testing, "binary operator expected",
			    shell_has(shell, SHELL_DASH) ? words[0] : words[1]);
	case 3:
		if (is_binary(testing, words[1]))
			return test_binary(testing, words[0], words[1], words[2]);
		if (!strcmp(words[1], "-a"))
			return !(*words[0] && *words[2]);
		if (!strcmp(words[1], "-o"))
			return !(*words[0] || *words[2]);
		if (!strcmp(words[0], "!")) {
			int result = test_by_count(testing, words + 1, 2);

			return testing->failed ? 2 : !result;
		}
		if (!strcmp(words[0], "(") && !strcmp(words[2], ")"))
			return !*words[1];
		return fail(testing, "binary operator expected",
			    shell_has(shell, SHELL_DASH) ? words[0] : words[1]);
	case 4:
		if (!strcmp(words[0], "!")) {
			int result = test_by_count(testing, words + 1, 3);

			return testing->failed ? 2 : !result;
		}
		if (!strcmp(words[0], "(") && !strcmp(words[3], ")"))
			return test_by_count(testing, words + 1, 2);
		break;
	default:
		break;
	}
	return -1;
}

int builtin_test(struct shell *shell, int argc, char **argv)
{
	struct testing testing = {.shell = shell, .words = argv + 1, .count = argc - 1};
	int result;

	if (!strcmp(argv[0], "[") || !strcmp(argv[0], "[[")) {
		const char *close = argv[0][1] ? "]]" : "]";

		if (!testing.count || strcmp(argv[argc - 1], close) != 0) {
			if (shell_has(shell, SHELL_BASH))
				message_builtin(shell, "missing `]'");
			else if (shell_has(shell, SHELL_DASH))
				message_builtin(shell, "missing ]");
			else
				message_say(shell, "missing %s", close);
			return 2;
		}
		testing.count--;
	}
	result = test_by_count(&testing, testing.words, testing.count);
	if (testing.failed)
		return 2;
	if (result >= 0)
		return result;
	result = test_or(&testing);
	if (!testing.failed && testing.at < testing.count) {
		if (shell_has(shell, SHELL_BASH))
			return fail(&testing, "too many arguments", NULL);
		return fail(&testing, "binary operator expected", testing.words[testing.at]);
	}
	return testing.failed ? 2 : result;
}
