/* PS1 and its relatives. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "decoy/machine/host.h"
#include "decoy/machine/shell/state.h"

static void put_time(struct shell *shell, struct text *out, const char *format)
{
	char text[128];
	struct tm parts;
	time_t now = (time_t)(process_now(shell->process) / 1000000);

	if (!gmtime_r(&now, &parts))
		return;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	text[strftime(text, sizeof(text), format, &parts)] = '\0';
#pragma GCC diagnostic pop
	text_add_words(shell->process, out, text);
}

static void put_folder(struct shell *shell, struct text *out, bool last_part)
{
	const char *folder = variables_get(shell, "PWD"), *home = variables_get(shell, "HOME");
	size_t length = home ? strlen(home) : 0;
	const char *slash;

	if (!folder || folder[0] != '/')
		folder = process_folder(shell->process);
	if (length > 1 && !strncmp(folder, home, length) &&
	    (!folder[length] || folder[length] == '/')) {
		if (!folder[length] || !last_part) {
			text_format(shell->process, out, "~%s", folder + length);
			return;
		}
	}
	slash = strrchr(folder, '/');
	if (last_part && slash && slash[1])
		folder = slash + 1;
	text_add_words(shell->process, out, folder);
}

/* Whose shell it is, looked up once as in bash. */
static const char *user_name(struct shell *shell)
{
	const struct machine_account *account;

	if (!shell->user_name) {
		account = names_account(shell, NULL, shell->process->identity.effective_uid);
		shell->user_name = process_copy_text(shell->process,
						     account ? account->name : "I have no name!");
	}
	return shell->user_name;
}

static size_t job_count(const struct shell *shell)
{
	size_t count = 0;

	for (const struct job *job = shell->jobs; job; job = job->next)
		count++;
	return count;
}

/* One escape behind the backslash; the bytes that it took. */
static size_t put_escape(struct shell *shell, struct text *out, const char *at)
{
	struct process *process = shell->process;
	const struct host_names *names = host_names(process_host(process));
	const char *slash;
	unsigned value = 0;
	size_t count = 0;

	switch (*at) {
	case 'a':
		text_add_byte(process, out, 7);
		return 1;
	case 'd':
		put_time(shell, out, "%a %b %d");
		return 1;
	case 'D':
		if (at[1] == '{') {
			const char *end = strchr(at, '}');
			char format[64];

			if (!end)
				break;
			snprintf(format, sizeof(format), "%.*s", (int)(end - at - 2), at + 2);
			put_time(shell, out, *format ? format : "%X");
			return (size_t)(end - at) + 1;
		}
		break;
	case 'e':
		text_add_byte(process, out, 27);
		return 1;
	case 'h':
		text_format(process, out, "%.*s", (int)strcspn(names->node, "."), names->node);
		return 1;
	case 'H':
		text_add_words(process, out, names->node);
		return 1;
	case 'j':
		text_format(process, out, "%zu", job_count(shell));
		return 1;
	case 'l':
		slash = strrchr(process_terminal_name(process), '/');
		text_add_words(process, out, slash ? slash + 1 : process_terminal_name(process));
		return 1;
	case 'n':
		text_add_byte(process, out, '\n');
		return 1;
	case 'r':
		text_add_byte(process, out, '\r');
		return 1;
	case 's':
		slash = strrchr(shell->name, '/');
		text_add_words(process, out, slash ? slash + 1 : shell->name);
		return 1;
	case 't':
		put_time(shell, out, "%H:%M:%S");
		return 1;
	case 'T':
		put_time(shell, out, "%I:%M:%S");
		return 1;
	case '@':
		put_time(shell, out, "%I:%M %p");
		return 1;
	case 'A':
		put_time(shell, out, "%H:%M");
		return 1;
	case 'u':
		text_add_words(process, out, user_name(shell));
		return 1;
	case 'v':
		text_add_words(process, out, "5.2");
		return 1;
	case 'V':
		text_add_words(process, out, "5.2.15");
		return 1;
	case 'w':
	case 'W':
		put_folder(shell, out, *at == 'W');
		return 1;
	case '!':
		text_format(process, out, "%zu", history_first(shell) + history_count(shell));
		return 1;
	case '#':
		text_format(process, out, "%u", shell->commands_read + 1);
		return 1;
	case '$':
		text_add_byte(process, out, process->identity.effective_uid ? '$' : '#');
		return 1;
	case '[': /* what takes no room on the screen */
	case ']':
		text_add_byte(process, out, *at == '[' ? 1 : 2);
		return 1;
	case '\\':
		text_add_byte(process, out, '\\');
		return 1;
	default:
		while (count < 3 && at[count] >= '0' && at[count] <= '7')
			value = value * 8 + (unsigned)(at[count++] - '0');
		if (count) {
			text_add_byte(process, out, (uint8_t)value);
			return count;
		}
	}
	text_add_byte(process, out, '\\');
	return 0;
}

/* What the escapes gave must not be expanded again. */
static void put_guarded(struct shell *shell, struct text *out, const struct text *plain)
{
	for (size_t i = 0; i < plain->length; i++) {
		if (strchr("$`\\\"", plain->data[i]))
			text_add_byte(shell->process, out, '\\');
		text_add_byte(shell->process, out, (uint8_t)plain->data[i]);
	}
}

char *prompt_expand(struct shell *shell, const char *format)
{
	struct text out = {0};
	char *expanded;
	int status = shell->status;

	/* BusyBox's line editor knows bash's escapes. */
	if (!shell_has(shell, SHELL_BASH | SHELL_ASH)) {
		expanded =
			expand_single(shell, format, EXPAND_SINGLE | EXPAND_QUOTED | EXPAND_HERE);
		return expanded ? expanded : (char *)(uintptr_t) "";
	}
	while (*format) {
		struct text piece = {0};

		if (*format != '\\' || !format[1]) {
			text_add_byte(shell->process, &out, (uint8_t)*format++);
			continue;
		}
		format++;
		format += put_escape(shell, &piece, format);
		put_guarded(shell, &out, &piece);
		process_give(shell->process, piece.data);
	}
	if (!out.data)
		return (char *)(uintptr_t) "";
	if (shell_has(shell, SHELL_ASH) || shell_option_is(shell, SHOPT_PROMPTVARS)) {
		expanded = expand_slice(shell, text_slice(&out),
					EXPAND_SINGLE | EXPAND_QUOTED | EXPAND_HERE);
		if (!expanded)
			shell->unwind = UNWIND_NONE;
	} else {
		expanded = pool_text(shell->scratch, text_slice(&out));
	}
	process_give(shell->process, out.data);
	shell->status = status;
	return expanded ? expanded : (char *)(uintptr_t) "";
}

char *prompt_text(struct shell *shell, bool more)
{
	const char *format = variables_get(shell, more ? "PS2" : "PS1");

	if (!format)
		format = "";
	return prompt_expand(shell, pool_text(shell->scratch, slice_text(format)));
}
