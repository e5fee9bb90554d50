/* head and tail. */
#include "decoy/machine/commands/text.h"

/* What tail keeps of a pipe before it drops what is too old. */
#define KEPT_SLACK ((size_t)64 * 1024)

struct ends {
	bool bytes;   /* count bytes, not lines */
	bool inverse; /* head -n -5, tail -n +5 */
	uint64_t count;
	bool quiet, verbose, first_shown;
	uint8_t delimiter;
	/* tail */
	bool follow, by_name, retry;
	int64_t pause; /* microseconds */
	unsigned watched_pid;
};

static void show_name(struct process *process, struct ends *ends, const char *name)
{
	if (strcmp(name, "-") == 0)
		name = "standard input";
	process_print(process, "%s==> %s <==\n", ends->first_shown ? "\n" : "", name);
	ends->first_shown = true;
}

/* "5", "-5", "+5", "1K"; ends the process with GNU's complaint. */
static void read_count(struct process *process, struct ends *ends, const char *text, bool bytes,
		       char sign)
{
	const char *digits = text;

	ends->bytes = bytes;
	ends->inverse = *digits == sign;
	if (*digits == '-' || *digits == '+')
		digits++;
	if (*digits == '-' || command_size(digits, &ends->count) != 0) {
		if (process->busybox)
			process_complain(process, "invalid number '%s'", text);
		else
			process_complain(process, "invalid number of %s: '%s'",
					 bytes ? "bytes" : "lines", digits);
		process_exit(process, 1);
	}
}

/* --- head --- */

static void head_lines(struct process *process, const struct ends *ends, int descriptor)
{
	uint8_t bytes[2048];
	uint64_t left = ends->count;
	ssize_t got;

	while (left > 0 && (got = process_read(process, descriptor, bytes, sizeof(bytes))) > 0) {
		size_t used = 0;

		while (left > 0 && used < (size_t)got)
			left -= bytes[used++] == ends->delimiter;
		process_put(process, slice_of(bytes, used));
		process_step(process);
		if (left == 0 && used < (size_t)got) /* the rest is for who reads on */
			process_seek(process, descriptor, (int64_t)used - got, SEEK_CUR);
	}
}

/* All but the last so many. */
static void head_all_but(struct process *process, const struct ends *ends, int descriptor)
{
	struct text text = {0};
	size_t length;

	if (process_read_all(process, descriptor, TEXT_WHOLE_MAX, &text) != 0)
		return;
	length = text.length;
	if (ends->bytes)
		length = ends->count > length ? 0 : length - (size_t)ends->count;
	else if (ends->count > 0) {
		uint64_t left = ends->count;

		if (length > 0 && (uint8_t)text.data[length - 1] != ends->delimiter)
			left--;
		while (length > 0) {
			if ((uint8_t)text.data[length - 1] == ends->delimiter && left-- == 0)
				break;
			length--;
		}
	}
	process_put(process, slice_of(text.data, length));
	process_give(process, text.data);
}

static int head_file(struct process *process, struct ends *ends, const char *name, bool titled)
{
	int descriptor = text_open_quiet(process, name);

	if (descriptor < 0 && descriptor != -EISDIR) {
		process_complain(process,
				 process->busybox ? "%s: %s" : "cannot open '%s' for reading: %s",
				 name, strerror(-descriptor));
		return 1;
	}
	if (titled)
		show_name(process, ends, name);
	if (descriptor == -EISDIR) {
		process_complain(process, process->busybox ? "%s: %s" : "error reading '%s': %s",
				 name, strerror(EISDIR));
		return 1;
	}
	if (ends->inverse)
		head_all_but(process, ends, descriptor);
	else if (ends->bytes)
		(void)text_copy(process, descriptor, ends->count);
	else
		head_lines(process, ends, descriptor);
	text_close(process, descriptor);
	return 0;
}

/* -5, -5c, -5qv as the first argument, the old way: becomes the options that they mean. */
static char **old_count(struct process *process, int argc, char **argv, int *count)
{
	char **words = process_take(process, ((size_t)argc + 4) * sizeof(*words));
	size_t digits;
	int to = 1;
	char unit = 'n';
	const char *rest;

	*count = argc;
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	if (argc < 2 || argv[1][0] != '-' || argv[1][1] < '0' || argv[1][1] > '9')
		return words;
	digits = strspn(argv[1] + 1, "0123456789");
	rest = argv[1] + 1 + digits;
	if (*rest == 'c' || *rest == 'b' || *rest == 'k' || *rest == 'm') {
		unit = 'c';
		rest += *rest == 'c';
	} else if (*rest == 'l')
		rest++;
	words[to++] = process_format(process, "-%c", unit);
	words[to++] = process_format(process, "%.*s%.*s", (int)digits, argv[1] + 1,
				     *rest && strchr("bkm", *rest) ? 1 : 0, rest);
	if (*rest && strchr("bkm", *rest))
		rest++;
	if (*rest)
		words[to++] = process_format(process, "-%s", rest);
	for (int i = 2; i < argc; i++)
		words[to++] = argv[i];
	*count = to;
	return words;
}

static int head_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {{"bytes", 'c', OPTION_NEEDS},
						   {"lines", 'n', OPTION_NEEDS},
						   {"quiet", 'q'},
						   {"silent", 'q'},
						   {"verbose", 'v'},
						   {"zero-terminated", 'z'},
						   TEXT_WORDS};
	struct ends ends = {.count = 10, .delimiter = '\n'};
	struct option_state state = {0};
	int option, status = 0, count;
	char **names;

	argv = old_count(process, argc, argv, &argc);
	while ((option = option_next(process, &state, argc, argv, "c:n:qvz", words)) != -1) {
		if (option == 'c' || option == 'n')
			read_count(process, &ends, state.argument, option == 'c', '-');
		else if (option == 'q')
			ends.quiet = true;
		else if (option == 'v')
			ends.verbose = true;
		else if (option == 'z')
			ends.delimiter = 0;
		else
			text_other_option(process, option, COREUTILS,
					  "[OPTION]... [FILE]...\nWrite the first 10 lines of each "
					  "FILE, or as many as -n or -c say.",
					  1);
	}
	count = text_names(process, &state, argc, argv, &names);
	for (int i = 0; i < count; i++)
		status |= head_file(process, &ends, names[i],
				    ends.verbose || (count > 1 && !ends.quiet));
	return status;
}

/* --- tail --- */

/* Where the last lines or bytes begin in a text. */
static size_t tail_start(const struct ends *ends, struct slice text)
{
	uint64_t left = ends->count;
	size_t at = text.length;

	if (ends->bytes)
		return left > text.length ? 0 : text.length - (size_t)left;
	if (left == 0)
		return text.length;
	if (at > 0 && text.at[at - 1] == ends->delimiter)
		at--;
	while (at > 0) {
		if (text.at[at - 1] == ends->delimiter && --left == 0)
			return at;
		at--;
	}
	return 0;
}

/* Everything from line or byte number `count` on. */
static void tail_from(struct process *process, const struct ends *ends, int descriptor)
{
	struct ends skipped = *ends;
	uint8_t bytes[2048];
	ssize_t got;

	skipped.count = ends->count > 0 ? ends->count - 1 : 0;
	while (skipped.count > 0 &&
	       (got = process_read(process, descriptor, bytes, sizeof(bytes))) > 0) {
		size_t used = 0;

		while (skipped.count > 0 && used < (size_t)got) {
			if (ends->bytes || bytes[used] == ends->delimiter)
				skipped.count--;
			used++;
		}
		process_put(process, slice_of(bytes + used, (size_t)got - used));
		process_step(process);
	}
	(void)text_copy(process, descriptor, UINT64_MAX);
}

/* The end of a file that can be read backwards. */
static bool tail_of_file(struct process *process, const struct ends *ends, int descriptor)
{
	struct file_status status;
	uint64_t back = 4096;

	if (process_status_of(process, descriptor, &status) != 0 || !S_ISREG(status.mode) ||
	    status.size == 0 || process_seek(process, descriptor, 0, SEEK_CUR) != 0)
		return false;
	for (;; back *= 4) {
		struct text text = {0};
		uint64_t from = back < status.size ? status.size - back : 0;
		size_t start;

		if (process_seek(process, descriptor, (int64_t)from, SEEK_SET) < 0 ||
		    process_read_all(process, descriptor, TEXT_WHOLE_MAX, &text) != 0)
			return false;
		start = tail_start(ends, text_slice(&text));
		if (start > 0 || from == 0 || (ends->bytes && ends->count <= back) ||
		    back > TEXT_WHOLE_MAX / 8) {
			process_put(process, slice_from(text_slice(&text), start));
			process_give(process, text.data);
			return true;
		}
		process_give(process, text.data);
	}
}

static void tail_of_pipe(struct process *process, const struct ends *ends, int descriptor)
{
	struct text text = {0};
	size_t start, checked = 0;
	uint8_t bytes[2048];
	ssize_t got;

	while ((got = process_read(process, descriptor, bytes, sizeof(bytes))) > 0) {
		text_add(process, &text, slice_of(bytes, (size_t)got));
		process_step(process);
		if (text.length - checked < KEPT_SLACK)
			continue;
		start = tail_start(ends, text_slice(&text));
		memmove(text.data, text.data + start, text.length - start);
		text.length -= start;
		checked = text.length;
	}
	start = tail_start(ends, text_slice(&text));
	process_put(process, slice_from(text_slice(&text), start));
	process_give(process, text.data);
}

struct followed {
	const char *name;
	int descriptor; /* -1: not there */
	bool shown;
	uint64_t inode, size;
};

static int tail_file(struct process *process, struct ends *ends, struct followed *file, bool titled)
{
	int descriptor = text_open_quiet(process, file->name);

	file->descriptor = -1;
	if (descriptor < 0 && descriptor != -EISDIR) {
		process_complain(process,
				 process->busybox ? "can't open '%s': %s"
						  : "cannot open '%s' for reading: %s",
				 file->name, strerror(-descriptor));
		return 1;
	}
	if (titled)
		show_name(process, ends, file->name);
	if (descriptor == -EISDIR) {
		process_complain(process, process->busybox ? "%s: %s" : "error reading '%s': %s",
				 file->name, strerror(EISDIR));
		return 1;
	}
	if (ends->inverse)
		tail_from(process, ends, descriptor);
	else if (!tail_of_file(process, ends, descriptor))
		tail_of_pipe(process, ends, descriptor);
	file->descriptor = descriptor;
	file->shown = true;
	if (!ends->follow)
		text_close(process, descriptor);
	return 0;
}

/* What came behind the end since. */
static void follow_one(struct process *process, struct ends *ends, struct followed *files,
		       int index, int *last, bool titled)
{
	struct followed *file = &files[index];
	struct file_status status;
	uint8_t bytes[1024];
	ssize_t got;

	if (ends->by_name && process_stat(process, file->name, true, &status) == 0 &&
	    status.inode != file->inode) {
		int descriptor = text_open_quiet(process, file->name);

		if (descriptor >= 0) {
			if (file->inode != 0)
				process_complain(
					process, "'%s' has %s;  following new file", file->name,
					file->descriptor < 0 ? "appeared" : "been replaced");
			text_close(process, file->descriptor);
			file->descriptor = descriptor;
			file->inode = status.inode;
			file->size = 0;
		}
	}
	if (file->descriptor < 0)
		return;
	if (process_status_of(process, file->descriptor, &status) == 0 && S_ISREG(status.mode)) {
		if (status.size < file->size) {
			process_complain(process, "%s: file truncated", file->name);
			process_seek(process, file->descriptor, 0, SEEK_SET);
		}
		file->size = status.size;
	}
	while ((got = process_read(process, file->descriptor, bytes, sizeof(bytes))) > 0) {
		if (titled && *last != index)
			show_name(process, ends, file->name);
		*last = index;
		process_put(process, slice_of(bytes, (size_t)got));
	}
}

static void follow(struct process *process, struct ends *ends, struct followed *files, int count,
		   bool titled)
{
	int last = count - 1;
	bool any = false;

	for (int i = 0; i < count; i++) {
		struct file_status status;

		if (files[i].descriptor >= 0 &&
		    process_status_of(process, files[i].descriptor, &status) == 0) {
			files[i].inode = status.inode;
			files[i].size = status.size;
			any = any || S_ISREG(status.mode) || S_ISCHR(status.mode);
		}
	}
	if (!any && !ends->retry) {
		bool pipes = true;

		for (int i = 0; i < count; i++)
			pipes = pipes && files[i].descriptor == 0;
		if (!pipes)
			process_complain(process, "no files remaining");
		process_exit(process, !pipes);
	}
	for (;;) {
		process_flush(process);
		process_sleep(process, ends->pause);
		for (int i = 0; i < count; i++)
			follow_one(process, ends, files, i, &last, titled);
		if (ends->watched_pid > 0 &&
		    process_kill(process, (int)ends->watched_pid, 0) == -ESRCH)
			return;
	}
}

enum { OPTION_PID = TEXT_OWN, OPTION_RETRY, OPTION_FOLLOW, OPTION_UNCHANGED };

static void tail_option(struct process *process, struct ends *ends, int option,
			const char *argument)
{
	int64_t number;

	switch (option) {
	case 'c':
	case 'n':
		read_count(process, ends, argument, option == 'c', '+');
		break;
	case 'q':
		ends->quiet = true;
		break;
	case 'v':
		ends->verbose = true;
		break;
	case 'z':
		ends->delimiter = 0;
		break;
	case 'F':
		ends->follow = ends->by_name = ends->retry = true;
		break;
	case 'f':
		ends->follow = true;
		break;
	case OPTION_FOLLOW:
		ends->follow = true;
		ends->by_name = argument && strcmp(argument, "name") == 0;
		break;
	case OPTION_RETRY:
		ends->retry = true;
		break;
	case OPTION_PID:
		if (slice_number(slice_text(argument), 0, INT32_MAX, &number) == 0)
			ends->watched_pid = (unsigned)number;
		break;
	case 's':
		if (slice_number(slice_text(argument), 0, 86400, &number) == 0 && number > 0)
			ends->pause = number * 1000000;
		break;
	case OPTION_UNCHANGED:
		break;
	default:
		text_other_option(process, option, COREUTILS,
				  "[OPTION]... [FILE]...\nWrite the last 10 lines of each FILE, "
				  "or as many as -n or -c say; -f waits for more.",
				  1);
	}
}

/* tail -5, -5f, +5, +5c. */
static char **old_tail(struct process *process, int argc, char **argv, int *count)
{
	char **words = process_take(process, ((size_t)argc + 4) * sizeof(*words));
	const char *first = argc > 1 ? argv[1] : "";
	size_t digits = *first == '-' || *first == '+' ? strspn(first + 1, "0123456789") : 0;
	const char *rest = digits ? first + 1 + digits : first;
	int to = 1;
	char unit = 'n';

	*count = argc;
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	if (digits == 0 || strspn(rest, "bclf") != strlen(rest) || (*first == '+' && argc > 3))
		return words;
	if (*rest == 'c' || *rest == 'b' || *rest == 'l')
		unit = *rest++ == 'l' ? 'n' : 'c';
	words[to++] = process_format(process, "-%c", unit);
	words[to++] = process_format(process, "%s%.*s%s", *first == '+' ? "+" : "", (int)digits,
				     first + 1, rest[-1] == 'b' ? "b" : "");
	if (*rest == 'f')
		words[to++] = process_copy_text(process, "-f");
	for (int i = 2; i < argc; i++)
		words[to++] = argv[i];
	*count = to;
	return words;
}

static int tail_main(struct process *process, int argc, char **argv)
{
	static const struct option_word words[] = {
		{"bytes", 'c', OPTION_NEEDS},
		{"follow", OPTION_FOLLOW, OPTION_MAY},
		{"lines", 'n', OPTION_NEEDS},
		{"max-unchanged-stats", OPTION_UNCHANGED, OPTION_NEEDS},
		{"pid", OPTION_PID, OPTION_NEEDS},
		{"quiet", 'q'},
		{"retry", OPTION_RETRY},
		{"silent", 'q'},
		{"sleep-interval", 's', OPTION_NEEDS},
		{"verbose", 'v'},
		{"zero-terminated", 'z'},
		TEXT_WORDS};
	struct ends ends = {.count = 10, .delimiter = '\n', .pause = 1000000};
	struct option_state state = {0};
	struct followed *files;
	int option, status = 0, count;
	char **names;
	bool titled;

	argv = old_tail(process, argc, argv, &argc);
	while ((option = option_next(process, &state, argc, argv, "c:n:fFqs:vz", words)) != -1)
		tail_option(process, &ends, option, state.argument);
	count = text_names(process, &state, argc, argv, &names);
	files = process_take(process, (size_t)count * sizeof(*files));
	titled = ends.verbose || (count > 1 && !ends.quiet);
	for (int i = 0; i < count; i++) {
		files[i].name = names[i];
		status |= tail_file(process, &ends, &files[i], titled);
	}
	if (process->busybox && status) {
		bool any = false;

		for (int i = 0; i < count; i++)
			any = any || files[i].shown;
		if (!any)
			process_complain(process, "no files");
	}
	if (ends.follow)
		follow(process, &ends, files, count, titled);
	return status;
}

static const struct command commands[] = {
	{"head", head_main, COMMAND_BOTH},
	{"tail", tail_main, COMMAND_BOTH},
	{NULL},
};
const struct command_family command_family_text_ends = {"text_ends", commands};
