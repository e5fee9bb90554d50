/* umask, ulimit, and what a terminal has: history, fc, bind, compgen, complete. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/host.h"
#include "decoy/machine/shell/state.h"

/* u=rwx,g=rx,o= and the like, on the bits that are allowed. -1: wrong. */
static int symbolic(const char *text, unsigned allowed)
{
	while (*text) {
		unsigned who = 0, bits = 0;
		char op;

		for (; *text && strchr("ugoa", *text); text++)
			who |= *text == 'u'   ? 0700u
			       : *text == 'g' ? 070u
			       : *text == 'o' ? 07u
					      : 0777u;
		if (!who)
			who = 0777;
		op = *text;
		if (!op || !strchr("+-=", op))
			return -1;
		for (text++; *text && strchr("rwx", *text); text++)
			bits |= *text == 'r' ? 0444u : *text == 'w' ? 0222u : 0111u;
		bits &= who;
		allowed = op == '+'   ? allowed | bits
			  : op == '-' ? allowed & ~bits
				      : (allowed & ~who) | bits;
		if (*text == ',')
			text++;
		else if (*text)
			return -1;
	}
	return (int)allowed;
}

static void put_symbolic(struct shell *shell, unsigned mask)
{
	for (unsigned i = 0; i < 3; i++) {
		unsigned bits = ~mask >> (6 - 3 * i) & 7;

		output_format(shell, "%s%c=%s%s%s", i ? "," : "", "ugo"[i], bits & 4 ? "r" : "",
			      bits & 2 ? "w" : "", bits & 1 ? "x" : "");
	}
	output_text(shell, "\n");
}

int builtin_umask(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool words = false, again = false;
	const char *text;
	int letter, value;

	while ((letter = builtin_option(shell, &options, argc, argv,
					shell_has(shell, SHELL_BASH) ? "Sp" : "S")) != -1) {
		if (letter == '?')
			return 2;
		words |= letter == 'S';
		again |= letter == 'p';
	}
	if (options.index >= argc) {
		if (again)
			output_format(shell, "umask %s", words ? "-S " : "");
		if (words)
			put_symbolic(shell, shell->process->umask);
		else
			output_format(shell, "%04o\n", shell->process->umask);
		return 0;
	}
	text = argv[options.index];
	if (isdigit((uint8_t)*text)) {
		unsigned long mask = strtoul(text, NULL, 8);

		if (text[strspn(text, "01234567")] || mask > 0777) {
			if (shell_has(shell, SHELL_BASH)) {
				message_builtin(shell, "%s: octal number out of range", text);
				return 1;
			}
			message_builtin(shell,
					shell_has(shell, SHELL_DASH) ? "Illegal number: %s"
								     : "illegal mode: %s",
					text);
			return message_special(shell, 2);
		}
		shell->process->umask = (unsigned)mask;
		return 0;
	}
	value = symbolic(text, ~shell->process->umask & 0777);
	if (value < 0) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "`%c': invalid symbolic mode operator", *text);
			return 1;
		}
		message_builtin(shell,
				shell_has(shell, SHELL_DASH) ? "Illegal mode: %s"
							     : "illegal mode: %s",
				text);
		return message_special(shell, 2);
	}
	shell->process->umask = ~(unsigned)value & 0777;
	return 0;
}

static const struct {
	char letter;
	const char *bash, *dash, *ash; /* how `ulimit -a` names it; NULL: not there */
	const char *value;             /* NULL: of the host's memory */
} limits[] = {
	{'R', "real-time non-blocking time  (microseconds, -R) ", NULL, NULL, "unlimited"},
	{'c', "core file size              (blocks, -c) ", "coredump(blocks)     ",
	 "core file size (blocks)         (-c) ", "0"},
	{'d', "data seg size               (kbytes, -d) ", "data(kbytes)         ",
	 "data seg size (kb)              (-d) ", "unlimited"},
	{'e', "scheduling priority                 (-e) ", NULL,
	 "scheduling priority             (-e) ", "0"},
	{'f', "file size                   (blocks, -f) ", "file(blocks)         ",
	 "file size (blocks)              (-f) ", "unlimited"},
	{'i', "pending signals                     (-i) ", NULL,
	 "pending signals                 (-i) ", NULL},
	{'l', "max locked memory           (kbytes, -l) ", "locked memory(kbytes) ",
	 "max locked memory (kb)          (-l) ", "+"},
	{'m', "max memory size             (kbytes, -m) ", "memory(kbytes)       ",
	 "max memory size (kb)            (-m) ", "unlimited"},
	{'n', "open files                          (-n) ", "nofiles              ",
	 "open files                      (-n) ", "1024"},
	{'p', "pipe size                (512 bytes, -p) ", NULL, NULL, "8"},
	{'q', "POSIX message queues         (bytes, -q) ", NULL,
	 "POSIX message queues (bytes)    (-q) ", "819200"},
	{'r', "real-time priority                  (-r) ", "rtprio               ",
	 "real-time priority              (-r) ", "0"},
	{'s', "stack size                  (kbytes, -s) ", "stack(kbytes)        ",
	 "stack size (kb)                 (-s) ", "8192"},
	{'t', "cpu time                   (seconds, -t) ", "time(seconds)        ",
	 "cpu time (seconds)              (-t) ", "unlimited"},
	{'u', "max user processes                  (-u) ", "process              ",
	 "max user processes              (-u) ", NULL},
	{'v', "virtual memory              (kbytes, -v) ", "vmemory(kbytes)      ",
	 "virtual memory (kb)             (-v) ", "unlimited"},
	{'x', "file locks                          (-x) ", "locks                ",
	 "file locks                      (-x) ", "unlimited"},
};

static void put_limit(struct shell *shell, size_t index)
{
	struct host_memory memory =
		host_memory(process_host(shell->process), process_now(shell->process));

	if (!limits[index].value) /* a process for each 32 KiB or so */
		output_format(shell, "%llu\n", (unsigned long long)memory.total / 261);
	else if (*limits[index].value == '+')
		output_format(shell, "%llu\n", (unsigned long long)memory.total / 8);
	else
		output_format(shell, "%s\n", limits[index].value);
}

static int list_limits(struct shell *shell)
{
	static const char dash_order[] = "tfdscmlunvxr";

	if (shell_has(shell, SHELL_DASH)) {
		for (const char *letter = dash_order; *letter; letter++)
			for (size_t i = 0; i < ARRAY_COUNT(limits); i++)
				if (limits[i].letter == *letter && limits[i].dash) {
					output_text(shell, limits[i].dash);
					put_limit(shell, i);
				}
		return 0;
	}
	for (size_t i = 0; i < ARRAY_COUNT(limits); i++) {
		const char *name = shell_has(shell, SHELL_BASH) ? limits[i].bash : limits[i].ash;

		if (!name)
			continue;
		output_text(shell, name);
		put_limit(shell, i);
	}
	return 0;
}

int builtin_ulimit(struct shell *shell, int argc, char **argv)
{
	size_t which = ARRAY_COUNT(limits);
	const char *value = NULL;

	for (int i = 1; i < argc; i++) {
		if (argv[i][0] != '-') {
			value = argv[i];
			continue;
		}
		for (const char *letter = argv[i] + 1; *letter; letter++) {
			size_t found = 0;

			if (*letter == 'a')
				return list_limits(shell);
			if (*letter == 'H' || *letter == 'S')
				continue;
			while (found < ARRAY_COUNT(limits) && limits[found].letter != *letter)
				found++;
			if (found == ARRAY_COUNT(limits)) {
				if (shell_has(shell, SHELL_BASH)) {
					message_builtin(shell, "-%c: invalid option", *letter);
					return builtin_usage(shell);
				}
				message_builtin(shell, "Illegal option -%c", *letter);
				return message_special(shell, 2);
			}
			which = found;
		}
	}
	if (which == ARRAY_COUNT(limits))
		which = 4; /* file size */
	if (!value) {
		put_limit(shell, which);
		return 0;
	}
	if (strcmp(value, "unlimited") != 0 && strcmp(value, "hard") != 0 &&
	    strcmp(value, "soft") != 0 && value[strspn(value, "0123456789")]) {
		if (shell_has(shell, SHELL_BASH)) {
			message_builtin(shell, "%s: invalid number", value);
			return 1;
		}
		message_builtin(shell, "bad number");
		return message_special(shell, 2);
	}
	return 0;
}

int builtin_bind(struct shell *shell, int argc, char **argv)
{
	if (!shell->interactive)
		message_builtin(shell, "warning: line editing not enabled");
	return 0;
}

int builtin_complete(struct shell *shell, int argc, char **argv)
{
	return 0;
}

int builtin_compopt(struct shell *shell, int argc, char **argv)
{
	message_builtin(shell, "not currently executing completion function");
	return 1;
}

int builtin_compgen(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	int letter, found = 1;
	const char *words = NULL, *prefix = "";
	const struct builtin *builtin;
	char kind = 0;

	while ((letter = builtin_option(shell, &options, argc, argv,
					"abcdefgjksuvo:A:G:W:P:S:X:F:C:")) != -1) {
		if (letter == '?')
			return 2;
		if (letter == 'W')
			words = options.argument;
		else if (strchr("abcdfjkuv", letter))
			kind = (char)letter;
	}
	if (options.index < argc)
		prefix = argv[options.index];
	if (words) {
		struct word word = {.text = (char *)(uintptr_t)words,
				    .flags = WORD_DOLLAR | WORD_QUOTES};
		struct expansion out = {.shell = shell};
		struct fields fields = {0};

		expand_put(&out, slice_text(word.text), MARK_SPLIT);
		expand_split(&out, &fields, EXPAND_NO_GLOB);
		expand_free(&out);
		for (size_t i = 0; i < fields.count; i++)
			if (!strncmp(fields.at[i], prefix, strlen(prefix))) {
				output_format(shell, "%s\n", fields.at[i]);
				found = 0;
			}
		return found;
	}
	for (size_t i = 0; kind == 'b' && (builtin = builtin_at(i)); i++)
		if (shell_has(shell, builtin->where) &&
		    !strncmp(builtin->name, prefix, strlen(prefix))) {
			output_format(shell, "%s\n", builtin->name);
			found = 0;
		}
	if (kind == 'c' || kind == 'f' || kind == 'd' || kind == 'u' || kind == 'v') {
		bool command;
		struct fields fields =
			completion_matches(shell, prefix, 0, strlen(prefix), &command);

		for (size_t i = 0; i < fields.count; i++) {
			output_format(shell, "%s\n", fields.at[i]);
			found = 0;
		}
	}
	return found;
}
