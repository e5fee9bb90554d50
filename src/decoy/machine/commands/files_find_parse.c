/* find's expressions: parsing, and the tests on names, kinds, times, sizes, owners. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "decoy/machine/commands/files_find.h"

/* --- tests --- */

static bool match(struct find *find, const struct find_test *test, const char *subject)
{
	char *lower, *at;
	bool found;

	if (!test->no_case)
		return text_glob(test->text, subject);
	lower = process_copy_text(find->process, subject);
	for (at = lower; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	found = text_glob(test->text, lower);
	process_give(find->process, lower);
	return found;
}

static bool test_name(struct find *find, const struct find_test *test, struct find_file *file)
{
	return match(find, test, file->name);
}

static bool test_path(struct find *find, const struct find_test *test, struct find_file *file)
{
	return match(find, test, file->path);
}

static bool test_link_name(struct find *find, const struct find_test *test, struct find_file *file)
{
	char target[MACHINE_PATH_MAX];

	return S_ISLNK(file->status.mode) &&
	       process_readlink(find->process, file->path, target, sizeof(target)) >= 0 &&
	       match(find, test, target);
}

static bool test_regex(struct find *find, const struct find_test *test, struct find_file *file)
{
	return regex_match(find->process, test->regex, slice_text(file->path), 0, NULL, 0);
}

static bool test_type(struct find *find, const struct find_test *test, struct find_file *file)
{
	static const char letters[] = "fdlcbps";
	static const unsigned types[] = {S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR,
					 S_IFBLK, S_IFIFO, S_IFSOCK};

	for (const char *at = test->text; *at; at++) {
		const char *found = strchr(letters, *at);

		if (found && (file->status.mode & S_IFMT) == types[found - letters])
			return true;
	}
	return false;
}

static bool compare(const struct find_test *test, uint64_t value)
{
	if (test->sign == '+')
		return value > test->number;
	if (test->sign == '-')
		return value < test->number;
	return value == test->number;
}

static bool test_size(struct find *find, const struct find_test *test, struct find_file *file)
{
	return compare(test, (file->status.size + test->unit - 1) / test->unit);
}

static int64_t time_of(const struct find_test *test, const struct file_status *status)
{
	return test->letter == 'a'   ? status->accessed
	       : test->letter == 'c' ? status->changed
	       : test->letter == 'B' ? status->born
				     : status->modified;
}

static bool test_age(struct find *find, const struct find_test *test, struct find_file *file)
{
	int64_t age = test->time - time_of(test, &file->status);
	int64_t unit = (int64_t)test->unit * SECOND, limit = (int64_t)test->number * unit;

	if (test->sign == '-')
		return age < limit;
	if (test->sign == '+')
		return age >= limit + unit;
	return age >= limit && age < limit + unit;
}

static bool test_newer(struct find *find, const struct find_test *test, struct find_file *file)
{
	return time_of(test, &file->status) > test->time;
}

static bool test_perm(struct find *find, const struct find_test *test, struct find_file *file)
{
	unsigned mode = file->status.mode & 07777;

	if (test->sign == '-')
		return (mode & test->number) == test->number;
	if (test->sign == '/')
		return !test->number || (mode & test->number);
	return mode == test->number;
}

static bool test_owner(struct find *find, const struct find_test *test, struct find_file *file)
{
	switch (test->letter) {
	case 'u':
		return compare(test, file->status.uid);
	case 'g':
		return compare(test, file->status.gid);
	case 'l':
		return compare(test, file->status.links);
	default:
		return compare(test, file->status.inode);
	}
}

static bool test_nobody(struct find *find, const struct find_test *test, struct find_file *file)
{
	const char *name = test->letter == 'u'
				   ? command_user_name(find->process, file->status.uid)
				   : command_group_name(find->process, file->status.gid);

	return name[0] >= '0' && name[0] <= '9';
}

static bool test_access(struct find *find, const struct find_test *test, struct find_file *file)
{
	return process_access(find->process, file->path, (int)test->number) == 0;
}

static bool test_empty(struct find *find, const struct find_test *test, struct find_file *file)
{
	struct folder_entry *entries;
	ssize_t count;

	if (S_ISREG(file->status.mode))
		return file->status.size == 0;
	if (!S_ISDIR(file->status.mode))
		return false;
	count = files_list(find->process, file->path, &entries);
	if (count >= 0)
		files_list_free(find->process, entries, count);
	return count == 0;
}

static bool test_true(struct find *find, const struct find_test *test, struct find_file *file)
{
	return test->number != 0;
}

static bool test_prune(struct find *find, const struct find_test *test, struct find_file *file)
{
	find->prune = true;
	return true;
}

static bool test_quit(struct find *find, const struct find_test *test, struct find_file *file)
{
	find->quit = true;
	return true;
}

static bool test_file_system(struct find *find, const struct find_test *test,
			     struct find_file *file)
{
	struct file_system_status status;

	return process_file_system_status(find->process, file->path, &status) == 0 &&
	       !strcmp(status.type, test->text);
}

static bool test_and(struct find *find, const struct find_test *test, struct find_file *file)
{
	return test->left->run(find, test->left, file) &&
	       (find->quit || test->right->run(find, test->right, file));
}

static bool test_or(struct find *find, const struct find_test *test, struct find_file *file)
{
	return test->left->run(find, test->left, file) ||
	       (!find->quit && test->right->run(find, test->right, file));
}

static bool test_comma(struct find *find, const struct find_test *test, struct find_file *file)
{
	(void)test->left->run(find, test->left, file);
	return !find->quit && test->right->run(find, test->right, file);
}

static bool test_not(struct find *find, const struct find_test *test, struct find_file *file)
{
	return !test->left->run(find, test->left, file);
}

/* --- parsing --- */

#define wrong(find, ...)                                        \
	do {                                                    \
		process_complain((find)->process, __VA_ARGS__); \
		process_exit((find)->process, 1);               \
	} while (0)

static struct find_test *new_test(struct find *find, find_function *run)
{
	struct find_test *test;

	if (++find->tests > FIND_TESTS_MAX)
		wrong(find, "the expression is too complex");
	test = process_take(find->process, sizeof(*test));
	test->run = run;
	return test;
}

static const char *argument_of(struct find *find, const char *name)
{
	if (find->at >= find->argc)
		wrong(find, "missing argument to `%s'", name);
	return find->argv[find->at++];
}

static void parse_number(struct find *find, const char *name, const char *text,
			 struct find_test *test)
{
	char *end;

	if (*text == '+' || *text == '-')
		test->sign = *text++;
	test->number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end)
		wrong(find, "invalid argument `%s' to `%s'", text, name);
}

static struct find_test *parse_size(struct find *find, const char *text)
{
	struct find_test *test = new_test(find, test_size);
	const char *at = text;
	char *end;

	if (*at == '+' || *at == '-')
		test->sign = *at++;
	test->number = strtoull(at, &end, 10);
	test->unit = *end == 'c'            ? 1
		     : *end == 'w'          ? 2
		     : *end == 'k'          ? 1024
		     : *end == 'M'          ? 1024 * 1024
		     : *end == 'G'          ? 1024 * 1024 * 1024
		     : *end == 'b' || !*end ? 512
					    : 0;
	if (end == at || !test->unit || (*end && end[1])) {
		if (end != at && *end && !end[1] && !test->unit)
			wrong(find, "invalid -size type `%c'", *end);
		wrong(find, "Invalid argument `%s' to -size", text);
	}
	return test;
}

static struct find_test *parse_perm(struct find *find, const char *text)
{
	struct find_test *test = new_test(find, test_perm);
	unsigned mode;
	const char *at = text;

	if (*at == '-' || *at == '/')
		test->sign = *at++;
	if (files_parse_mode(at, 0, false, 0, &mode) < 0)
		wrong(find, "invalid mode %s", files_quote(find->process, text));
	test->number = mode;
	return test;
}

static struct find_test *parse_newer(struct find *find, const char *name)
{
	struct find_test *test = new_test(find, test_newer);
	const char *text = argument_of(find, name);
	struct file_status status;
	char what = 'm', against = 'm';
	int error;

	if (!strcmp(name, "-anewer"))
		what = 'a';
	else if (!strcmp(name, "-cnewer"))
		what = 'c';
	else if (strlen(name) == 8) {
		what = name[6];
		against = name[7];
	}
	test->letter = what;
	if (against == 't') {
		if (files_parse_date(find->process, text, &test->time) < 0)
			wrong(find, "I cannot figure out how to interpret %s as a date or time",
			      files_quote(find->process, text));
		return test;
	}
	error = process_stat(find->process, text, true, &status);
	if (error < 0)
		wrong(find, "%s: %s", files_quote(find->process, text), strerror(-error));
	test->time = against == 'a'   ? status.accessed
		     : against == 'c' ? status.changed
				      : status.modified;
	return test;
}

static struct find_test *parse_owner(struct find *find, const char *name, char letter)
{
	struct find_test *test = new_test(find, test_owner);
	const char *text = argument_of(find, name);
	unsigned id = 0, group = 0;

	test->letter = letter;
	if (letter == 'u' && !strcmp(name, "-user") &&
	    command_user_id(find->process, text, &id, &group) == 0)
		test->number = id;
	else if (letter == 'g' && !strcmp(name, "-group") &&
		 command_group_id(find->process, text, &id) == 0)
		test->number = id;
	else if (!strcmp(name, "-user") && (*text < '0' || *text > '9'))
		wrong(find, "%s is not the name of a known user", files_quote(find->process, text));
	else if (!strcmp(name, "-group") && (*text < '0' || *text > '9'))
		wrong(find, "%s is not the name of an existing group",
		      files_quote(find->process, text));
	else
		parse_number(find, name, text, test);
	return test;
}

static struct find_test *parse_exec(struct find *find, const char *name)
{
	struct find_test *test = new_test(find, find_execute);
	int start = find->at;

	test->in_folder = strstr(name, "dir") != NULL;
	test->asks = name[1] == 'o';
	while (find->at < find->argc && strcmp(find->argv[find->at], ";") != 0) {
		if (!strcmp(find->argv[find->at], "+") && find->at > start &&
		    !strcmp(find->argv[find->at - 1], "{}") && !test->asks) {
			test->batch = process_take(find->process, sizeof(*test->batch));
			break;
		}
		find->at++;
	}
	if (find->at >= find->argc || find->at == start)
		wrong(find, "missing argument to `%s'", name);
	test->arguments = find->argv + start;
	test->argument_count = find->at - start - (test->batch ? 1 : 0);
	find->at++;
	find->acts = true;
	if (test->batch && find->batch_count < ARRAY_COUNT(find->batches))
		find->batches[find->batch_count++] = test;
	return test;
}

static struct find_test *parse_regex(struct find *find, const char *name, bool no_case)
{
	struct find_test *test = new_test(find, test_regex);
	const char *text = argument_of(find, name), *why = NULL;

	/* Emacs' syntax is the basic one but for + and ?. */
	test->regex = regex_new(find->process, slice_text(text),
				find->extended ? REGEX_EXTENDED : REGEX_BASIC,
				REGEX_WHOLE | (no_case ? REGEX_IGNORE_CASE : 0), &why);
	if (!test->regex)
		wrong(find, "failed to compile regular expression '%s': %s", text,
		      why ? why : "Invalid regular expression");
	return test;
}

static struct find_test *parse_output(struct find *find, const char *name)
{
	bool to_file = name[1] == 'f';
	struct find_test *test = new_test(find, strstr(name, "print0")   ? find_print0
						: strstr(name, "printf") ? find_printf
						: strstr(name, "ls")     ? find_ls
									 : find_print);

	find->acts = true;
	test->output = 1;
	if (to_file) {
		const char *path = argument_of(find, name);

		test->output =
			process_open(find->process, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
		if (test->output < 0)
			wrong(find, "%s: %s", files_quote(find->process, path),
			      strerror(-test->output));
	}
	if (strstr(name, "printf"))
		test->text = argument_of(find, name);
	return test;
}

static struct find_test *parse_pattern(struct find *find, const char *name, find_function *run,
				       bool no_case)
{
	struct find_test *test = new_test(find, run);
	char *text = process_copy_text(find->process, argument_of(find, name));

	for (char *at = text; no_case && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	test->text = text;
	test->no_case = no_case;
	return test;
}

static struct find_test *parse_age(struct find *find, const char *name)
{
	struct find_test *test = new_test(find, test_age);

	test->letter = name[1];
	test->unit = !strcmp(name + 2, "min") ? 60 : 86400;
	test->time = find->now;
	parse_number(find, name, argument_of(find, name), test);
	/* -mmin counts whole minutes upwards. */
	if (test->unit == 60 && test->sign != '-') {
		test->number = test->number && test->sign == 0 ? test->number - 1 : test->number;
		if (test->sign == '+')
			test->number = test->number ? test->number - 1 : 0;
	}
	return test;
}

static struct find_test *constant(struct find *find, uint64_t value)
{
	struct find_test *test = new_test(find, test_true);

	test->number = value;
	return test;
}

static unsigned level(struct find *find, const char *name)
{
	const char *text = argument_of(find, name);
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (!*text || *end || value > 100000)
		wrong(find, "Expected a positive decimal integer argument to %s, but got %s", name,
		      files_quote(find->process, text));
	return (unsigned)value;
}

/* Options that are true wherever they stand. NULL: it is none. */
static struct find_test *parse_option(struct find *find, const char *name)
{
	if (!strcmp(name, "-maxdepth"))
		find->most = level(find, name);
	else if (!strcmp(name, "-mindepth"))
		find->least = level(find, name);
	else if (!strcmp(name, "-depth") || !strcmp(name, "-d"))
		find->depth_first = true;
	else if (!strcmp(name, "-xdev") || !strcmp(name, "-mount"))
		find->one_system = true;
	else if (!strcmp(name, "-follow"))
		find->follow = true;
	else if (!strcmp(name, "-regextype"))
		find->extended = strstr(argument_of(find, name), "ext") != NULL ||
				 strstr(find->argv[find->at - 1], "egrep") != NULL;
	else if (strcmp(name, "-daystart") != 0 && strcmp(name, "-noleaf") != 0 &&
		 strcmp(name, "-warn") != 0 && strcmp(name, "-nowarn") != 0 &&
		 strcmp(name, "-ignore_readdir_race") != 0)
		return NULL;
	return constant(find, 1);
}

static struct find_test *parse_test(struct find *find, const char *name)
{
	struct find_test *test = parse_option(find, name);
	static const char *const accesses[] = {"-executable", "-writable", "", "-readable"};

	if (test)
		return test;
	if (!strcmp(name, "-name"))
		return parse_pattern(find, name, test_name, false);
	if (!strcmp(name, "-iname"))
		return parse_pattern(find, name, test_name, true);
	if (!strcmp(name, "-path") || !strcmp(name, "-wholename"))
		return parse_pattern(find, name, test_path, false);
	if (!strcmp(name, "-ipath") || !strcmp(name, "-iwholename"))
		return parse_pattern(find, name, test_path, true);
	if (!strcmp(name, "-lname") || !strcmp(name, "-ilname"))
		return parse_pattern(find, name, test_link_name, name[1] == 'i');
	if (!strcmp(name, "-regex") || !strcmp(name, "-iregex"))
		return parse_regex(find, name, name[1] == 'i');
	if (!strcmp(name, "-fstype"))
		return parse_pattern(find, name, test_file_system, false);
	if (!strcmp(name, "-type") || !strcmp(name, "-xtype")) {
		test = parse_pattern(find, name, test_type, false);
		if (!test->text[0])
			wrong(find, "Arguments to -type should contain at least one letter");
		for (const char *at = test->text; *at; at++)
			if (!strchr("fdlcbpsD,", *at))
				wrong(find, "Unknown argument to -type: %c", *at);
		return test;
	}
	if (!strcmp(name, "-perm"))
		return parse_perm(find, argument_of(find, name));
	if (!strcmp(name, "-size"))
		return parse_size(find, argument_of(find, name));
	if (strchr("mac", name[1]) && name[1] &&
	    (!strcmp(name + 2, "time") || !strcmp(name + 2, "min")))
		return parse_age(find, name);
	if (!strncmp(name, "-newer", 6) || !strcmp(name, "-anewer") || !strcmp(name, "-cnewer"))
		return parse_newer(find, name);
	if (!strcmp(name, "-user") || !strcmp(name, "-uid"))
		return parse_owner(find, name, 'u');
	if (!strcmp(name, "-group") || !strcmp(name, "-gid"))
		return parse_owner(find, name, 'g');
	if (!strcmp(name, "-links"))
		return parse_owner(find, name, 'l');
	if (!strcmp(name, "-inum"))
		return parse_owner(find, name, 'i');
	if (!strcmp(name, "-nouser") || !strcmp(name, "-nogroup")) {
		test = new_test(find, test_nobody);
		test->letter = name[3];
		return test;
	}
	for (unsigned i = 0; i < ARRAY_COUNT(accesses); i++)
		if (!strcmp(name, accesses[i])) {
			test = new_test(find, test_access);
			test->number = 1u << i;
			return test;
		}
	if (!strcmp(name, "-empty"))
		return new_test(find, test_empty);
	if (!strcmp(name, "-true") || !strcmp(name, "-false"))
		return constant(find, name[1] == 't');
	if (!strcmp(name, "-prune"))
		return new_test(find, test_prune);
	if (!strcmp(name, "-quit"))
		return new_test(find, test_quit);
	if (!strcmp(name, "-delete")) {
		find->acts = find->depth_first = true;
		return new_test(find, find_delete);
	}
	if (!strcmp(name, "-print") || !strcmp(name, "-print0") || !strcmp(name, "-printf") ||
	    !strcmp(name, "-ls") || !strcmp(name, "-fprint") || !strcmp(name, "-fprint0") ||
	    !strcmp(name, "-fprintf") || !strcmp(name, "-fls"))
		return parse_output(find, name);
	if (!strcmp(name, "-exec") || !strcmp(name, "-execdir") || !strcmp(name, "-ok") ||
	    !strcmp(name, "-okdir"))
		return parse_exec(find, name);
	wrong(find, "unknown predicate `%s'", name);
}

static const struct find_test *parse_comma(struct find *find);

static const struct find_test *parse_one(struct find *find)
{
	const char *name;
	struct find_test *test;

	if (find->at >= find->argc && strcmp(find->argv[find->argc - 1], "(") != 0)
		wrong(find, "expected an expression after '%s'", find->argv[find->argc - 1]);
	if (find->at >= find->argc)
		wrong(find,
		      "invalid expression; expected to find a ')' but didn't see one.  Perhaps "
		      "you need an extra predicate after '%s'",
		      find->argv[find->argc - 1]);
	if (++find->nesting > FIND_NESTING_MAX)
		wrong(find, "the expression is too complex");
	name = find->argv[find->at++];
	if (!strcmp(name, "!") || !strcmp(name, "-not")) {
		test = new_test(find, test_not);
		if (find->at >= find->argc)
			wrong(find, "expected an expression after '%s'", name);
		test->left = parse_one(find);
		find->nesting--;
		return test;
	}
	if (!strcmp(name, "(")) {
		const struct find_test *inner;

		if (find->at < find->argc && !strcmp(find->argv[find->at], ")"))
			wrong(find, "invalid expression; empty parentheses are not allowed.");
		inner = parse_comma(find);
		if (find->at >= find->argc || strcmp(find->argv[find->at], ")") != 0)
			wrong(find,
			      "invalid expression; I was expecting to find a ')' somewhere but "
			      "did not see one.");
		find->at++;
		find->nesting--;
		return inner;
	}
	find->nesting--;
	if (!strcmp(name, ")"))
		wrong(find, "invalid expression; you have too many ')'");
	if (!strcmp(name, "-o") || !strcmp(name, "-or") || !strcmp(name, "-a") ||
	    !strcmp(name, "-and") || !strcmp(name, ","))
		wrong(find,
		      "invalid expression; you have used a binary operator '%s' with nothing "
		      "before it.",
		      name);
	if (name[0] != '-') {
		const char *before = find->at >= 4 ? find->argv[find->at - 3] : "";

		process_complain(find->process, "paths must precede expression: `%s'", name);
		/* A shell put names in place of the pattern. */
		if (!strcmp(before, "-name") || !strcmp(before, "-iname") ||
		    !strcmp(before, "-path") || !strcmp(before, "-ipath"))
			process_complain(find->process,
					 "possible unquoted pattern after predicate `%s'?", before);
		process_exit(find->process, 1);
	}
	return parse_test(find, name);
}

static bool next_is(const struct find *find, const char *a, const char *b)
{
	return find->at < find->argc &&
	       (!strcmp(find->argv[find->at], a) || !strcmp(find->argv[find->at], b));
}

static const struct find_test *parse_and(struct find *find)
{
	const struct find_test *left = parse_one(find);

	while (find->at < find->argc && !next_is(find, "-o", "-or") && !next_is(find, ",", ")")) {
		struct find_test *test = new_test(find, test_and);

		if (next_is(find, "-a", "-and"))
			find->at++;
		test->left = left;
		test->right = parse_one(find);
		left = test;
	}
	return left;
}

static const struct find_test *parse_or(struct find *find)
{
	const struct find_test *left = parse_and(find);

	while (next_is(find, "-o", "-or")) {
		struct find_test *test = new_test(find, test_or);

		find->at++;
		test->left = left;
		test->right = parse_and(find);
		left = test;
	}
	return left;
}

static const struct find_test *parse_comma(struct find *find)
{
	const struct find_test *left = parse_or(find);

	while (next_is(find, ",", ",")) {
		struct find_test *test = new_test(find, test_comma);

		find->at++;
		test->left = left;
		test->right = parse_or(find);
		left = test;
	}
	return left;
}

const struct find_test *find_parse(struct find *find)
{
	const struct find_test *expression =
		find->at < find->argc ? parse_comma(find) : constant(find, 1);
	struct find_test *both, *print;

	if (find->at < find->argc) {
		if (!strcmp(find->argv[find->at], ")"))
			wrong(find, "invalid expression; you have too many ')'");
		wrong(find, "paths must precede expression: `%s'", find->argv[find->at]);
	}
	if (find->acts)
		return expression;
	both = new_test(find, test_and);
	print = new_test(find, find_print);
	print->output = 1;
	both->left = expression;
	both->right = print;
	return both;
}
