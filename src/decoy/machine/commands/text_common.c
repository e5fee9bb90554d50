/* What the text commands share; see text.h. */
#include <ctype.h>
#include <fcntl.h>

#include <sys/wait.h>

#include "decoy/machine/commands/text.h"

void text_try_help(struct process *process, int status)
{
	if (process->busybox)
		command_busybox_usage(process, process->argv[0]);
	else
		process_error(process, "Try '%s --help' for more information.\n", process->argv[0]);
	process_exit(process, status);
}

void text_other_option(struct process *process, int option, const char *version, const char *usage,
		       int status)
{
	const char *last = strrchr(process->argv[0], '/');

	if (option == TEXT_HELP && process->busybox)
		command_busybox_usage(process, process->argv[0]);
	else if (option == TEXT_HELP)
		process_print(process, "Usage: %s %s\n", process->argv[0], usage);
	else if (option == TEXT_VERSION)
		process_print(process, "%s %s\n", last ? last + 1 : process->argv[0], version);
	else
		process_exit(process, status);
	process_exit(process, 0);
}

int text_open_quiet(struct process *process, const char *name)
{
	struct file_status status;
	int descriptor;

	if (strcmp(name, "-") == 0)
		return 0;
	descriptor = process_open(process, name, O_RDONLY, 0);
	if (descriptor >= 0 && process_status_of(process, descriptor, &status) == 0 &&
	    S_ISDIR(status.mode)) {
		(void)process_close(process, descriptor);
		return -EISDIR;
	}
	return descriptor;
}

int text_open(struct process *process, const char *name)
{
	int descriptor = text_open_quiet(process, name);

	if (descriptor >= 0)
		return descriptor;
	if (process->busybox && descriptor == -EISDIR)
		process_complain(process, "read error: %s", strerror(EISDIR));
	else if (process->busybox)
		process_complain(process, "can't open '%s': %s", name, strerror(-descriptor));
	else
		process_complain(process, "%s: %s", name, strerror(-descriptor));
	return -1;
}

int text_names(struct process *process, const struct option_state *state, int argc, char **argv,
	       char ***names)
{
	if (state->index < argc) {
		*names = argv + state->index;
		return argc - state->index;
	}
	*names = process_take(process, 2 * sizeof(**names));
	(*names)[0] = process_copy_text(process, "-");
	return 1;
}

void text_close(struct process *process, int descriptor)
{
	if (descriptor > 0)
		(void)process_close(process, descriptor);
}

int text_copy(struct process *process, int descriptor, uint64_t most)
{
	uint8_t bytes[2048];

	while (most > 0) {
		size_t wanted = most < sizeof(bytes) ? (size_t)most : sizeof(bytes);
		ssize_t got = process_read(process, descriptor, bytes, wanted);

		if (got <= 0)
			return (int)got;
		process_put(process, slice_of(bytes, (size_t)got));
		most -= (uint64_t)got;
		process_step(process);
	}
	return 0;
}

int text_read_whole(struct process *process, const char *name, struct text *text)
{
	int descriptor = text_open(process, name);
	int error;

	if (descriptor < 0)
		return -1;
	error = process_read_all(process, descriptor, TEXT_WHOLE_MAX, text);
	text_close(process, descriptor);
	if (error != 0) {
		process_complain(process, "%s: %s", name, strerror(-error));
		return -1;
	}
	return 0;
}

size_t text_escape(const char *behind, int *byte, bool echo)
{
	static const char letters[] = "abefnrtv\\", bytes[] = "\a\b\033\f\n\r\t\v\\";
	const char *found = *behind ? strchr(letters, *behind) : NULL;
	unsigned value = 0;
	size_t length = 0, start = 0;

	if (found) {
		*byte = (unsigned char)bytes[found - letters];
		return 1;
	}
	*byte = -1;
	if (*behind == 'c') {
		*byte = -2;
		return 1;
	}
	if (*behind == 'x') {
		while (length < 2 && isxdigit((unsigned char)behind[1 + length])) {
			int digit = tolower((unsigned char)behind[1 + length++]);

			value = value * 16 +
				(unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
		}
		if (length > 0)
			*byte = (int)value;
		return length > 0 ? length + 1 : 0;
	}
	if (echo && *behind == '0')
		start = 1;
	while (length < 3 && behind[start + length] >= '0' && behind[start + length] <= '7')
		value = value * 8 + (unsigned)(behind[start + length++] - '0');
	if (length > 0 || start > 0)
		*byte = (int)(value & 255);
	return start + length;
}

/* The bracket at the pattern's position: *end behind it, whether the letter is of it. */
static bool glob_bracket(const char *pattern, uint8_t letter, const char **end)
{
	const char *at = pattern + 1;
	bool inverse = *at == '!' || *at == '^';
	bool found = false;

	at += inverse;
	for (const char *first = at; *at && (*at != ']' || at == first); at++) {
		uint8_t low = (uint8_t)*at;

		if (at[1] == '-' && at[2] && at[2] != ']') {
			found = found || (letter >= low && letter <= (uint8_t)at[2]);
			at += 2;
		} else
			found = found || letter == low;
	}
	*end = *at ? at + 1 : NULL;
	return found != inverse;
}

/* One step of the pattern on one letter; NULL: no match. */
static const char *glob_step(const char *pattern, char letter)
{
	const char *end;

	if (*pattern == '?')
		return pattern + 1;
	if (*pattern == '[') {
		bool of_it = glob_bracket(pattern, (uint8_t)letter, &end);

		if (end)
			return of_it ? end : NULL;
	}
	if (*pattern == '\\' && pattern[1])
		pattern++;
	return *pattern == letter && *pattern ? pattern + 1 : NULL;
}

bool text_glob(const char *pattern, const char *name)
{
	const char *star = NULL, *resume = NULL;

	while (*name) {
		const char *next;

		if (*pattern == '*') {
			star = ++pattern;
			resume = name;
			continue;
		}
		next = glob_step(pattern, *name);
		if (next) {
			pattern = next;
			name++;
		} else if (star) {
			pattern = star;
			name = ++resume;
		} else
			return false;
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

static int run_line(struct process *process, int argc, char **argv)
{
	int error = process_execute(process, "/bin/sh", argv, process->environment);

	process_exit(process, error == -ENOENT ? 127 : 126);
}

int text_start_line(struct process *process, const char *line, const int descriptors[3])
{
	char *argv[] = {process_copy_text(process, "sh"), process_copy_text(process, "-c"),
			process_copy_text(process, line), NULL};
	struct process_start start = {.name = "sh",
				      .run = run_line,
				      .argc = 3,
				      .argv = argv,
				      .descriptors = descriptors,
				      .descriptor_count = 3};
	int pid;

	process_flush(process);
	pid = process_spawn(process, &start);
	for (int i = 0; i < 3; i++)
		process_give(process, argv[i]);
	return pid;
}

int text_capture(struct process *process, const char *line, struct text *text)
{
	int ends[2], descriptors[3] = {0, -1, 2}, status = 0, pid;

	if (process_make_pipe(process, ends) != 0)
		return 127;
	descriptors[1] = ends[1];
	pid = text_start_line(process, line, descriptors);
	(void)process_close(process, ends[1]);
	if (pid > 0) {
		(void)process_read_all(process, ends[0], TEXT_WHOLE_MAX, text);
		while (process_wait(process, pid, 0, &status) == -EINTR)
			continue;
	}
	(void)process_close(process, ends[0]);
	if (pid < 0)
		return 127;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
