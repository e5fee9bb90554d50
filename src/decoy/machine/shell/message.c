/* Error messages in each shell's manner, and the output of builtins. */
#include <stdio.h>

#include "decoy/machine/shell/state.h"

static const char *bash_name(const struct shell *shell)
{
	const char *slash;

	if (shell->interactive) {
		slash = strrchr(shell->called, '/');
		return slash ? slash + 1 : shell->called;
	}
	if (shell->frame)
		return shell->frame->file   ? shell->frame->file
		       : shell->file        ? shell->file
		       : shell->from_string ? "environment"
					    : shell->called;
	return shell->file ? shell->file : shell->called;
}

void message_prefix(struct shell *shell, struct text *out, const char *builtin)
{
	struct process *process = shell->process;

	if (shell->prefix) {
		text_add_words(process, out, shell->prefix);
		return;
	}
	switch (shell->personality) {
	case SHELL_BASH:
		text_format(process, out, "%s: %s", bash_name(shell),
			    shell->origin ? shell->origin : "");
		/* A script's commands and those of -c are counted; a terminal's not. */
		if (!shell->interactive && shell->line)
			text_format(process, out, "line %u: ", shell->line);
		if (builtin)
			text_format(process, out, "%s: ", builtin);
		break;
	case SHELL_DASH:
		text_format(process, out, "%s: %u: ", shell->called, shell->line ? shell->line : 1);
		if (builtin)
			text_format(process, out, "%s: ", builtin);
		break;
	default:
		text_format(process, out, "%s: ", shell->called);
		if (builtin)
			text_format(process, out, "%s: ", builtin);
		if (shell->file)
			text_format(process, out, "line %u: ", shell->line);
		else if (builtin && !shell->interactive)
			text_format(process, out,
				    "line %u: ", shell->from_string ? 0 : shell->line);
	}
}

static void PRINTF(3, 0)
	say(struct shell *shell, const char *builtin, const char *format, va_list arguments)
{
	struct text text = {0};

	output_flush(shell);
	process_flush(shell->process);
	message_prefix(shell, &text, builtin);
	text_vformat(shell->process, &text, format, arguments);
	text_add_byte(shell->process, &text, '\n');
	process_write(shell->process, 2, text_slice(&text));
	process_give(shell->process, text.data);
}

void message_say(struct shell *shell, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(shell, NULL, format, arguments);
	va_end(arguments);
}

void message_builtin(struct shell *shell, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(shell, shell->builtin, format, arguments);
	va_end(arguments);
}

void message_fatal(struct shell *shell, int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(shell, NULL, format, arguments);
	va_end(arguments);
	shell->status = shell_has(shell, SHELL_BASH) ? status : 2;
	if (shell->unwind != UNWIND_EXIT)
		shell->unwind = UNWIND_LINE;
	shell->expansions_failed++;
}

void message_plain(struct shell *shell, const char *format, ...)
{
	va_list arguments;
	struct text text = {0};
	char small[512];

	output_flush(shell);
	process_flush(shell->process);
	va_start(arguments, format);
	vsnprintf(small, sizeof(small), format, arguments);
	va_end(arguments);
	text_add_words(shell->process, &text, small);
	process_write(shell->process, 2, text_slice(&text));
	process_give(shell->process, text.data);
}

int message_special(struct shell *shell, int status)
{
	const struct builtin *builtin = shell->builtin ? builtin_find(shell, shell->builtin) : NULL;

	shell->status = status;
	if (builtin && builtin->kind != BUILTIN_SPECIAL && strcmp(builtin->name, "export") != 0 &&
	    strcmp(builtin->name, "readonly") != 0 && strcmp(builtin->name, "local") != 0)
		return status;
	if (shell->unwind != UNWIND_EXIT)
		shell->unwind = shell->interactive ? UNWIND_LINE : UNWIND_EXIT;
	return status;
}

const char *message_signal(int signal)
{
	/* glibc's words, which bash and dash print; strsignal() of ours may be translated. */
	static const char *const words[] = {
		[SIGHUP] = "Hangup",
		[SIGINT] = "Interrupt",
		[SIGQUIT] = "Quit",
		[SIGILL] = "Illegal instruction",
		[SIGTRAP] = "Trace/breakpoint trap",
		[SIGABRT] = "Aborted",
		[SIGBUS] = "Bus error",
		[SIGFPE] = "Floating point exception",
		[SIGKILL] = "Killed",
		[SIGUSR1] = "User defined signal 1",
		[SIGSEGV] = "Segmentation fault",
		[SIGUSR2] = "User defined signal 2",
		[SIGPIPE] = "Broken pipe",
		[SIGALRM] = "Alarm clock",
		[SIGTERM] = "Terminated",
		[SIGSTKFLT] = "Stack fault",
		[SIGSTOP] = "Stopped (signal)",
		[SIGTSTP] = "Stopped",
		[SIGTTIN] = "Stopped (tty input)",
		[SIGTTOU] = "Stopped (tty output)",
		[SIGXCPU] = "CPU time limit exceeded",
		[SIGXFSZ] = "File size limit exceeded",
		[SIGVTALRM] = "Virtual timer expired",
		[SIGPROF] = "Profiling timer expired",
		[SIGIO] = "I/O possible",
		[SIGPWR] = "Power failure",
		[SIGSYS] = "Bad system call",
	};

	if (signal > 0 && (size_t)signal < ARRAY_COUNT(words) && words[signal])
		return words[signal];
	return "Unknown signal";
}

int output_flush(struct shell *shell)
{
	ssize_t result;

	if (!shell->output.length)
		return 0;
	result = process_write(shell->process, 1, text_slice(&shell->output));
	if (shell->output.capacity > 1024) {
		process_give(shell->process, shell->output.data);
		shell->output = (struct text){0};
	}
	text_clear(&shell->output);
	if (result < 0) {
		shell->output_failed = true;
		return (int)result;
	}
	return 0;
}

void output_put(struct shell *shell, struct slice s)
{
	text_add(shell->process, &shell->output, s);
	if (shell->output.length >= 4096 && !shell->output_failed)
		output_flush(shell);
}

void output_text(struct shell *shell, const char *text)
{
	output_put(shell, slice_text(text));
}

void output_format(struct shell *shell, const char *format, ...)
{
	struct text text = {0};
	va_list arguments;

	va_start(arguments, format);
	text_vformat(shell->process, &text, format, arguments);
	va_end(arguments);
	output_put(shell, text_slice(&text));
	process_give(shell->process, text.data);
}
