/* Where commands come from: texts, files, standard input, a terminal. */
#include <fcntl.h>
#include <stdio.h>

#include "decoy/machine/shell/state.h"

/* Whether the shell goes on after a line that failed or was left. */
static bool goes_on(struct shell *shell)
{
	if (shell->unwind == UNWIND_LINE) {
		if (!shell_has(shell, SHELL_BASH) && !shell->interactive) {
			shell->unwind = UNWIND_EXIT;
			return false;
		}
		if (shell->is_child) {
			shell->unwind = UNWIND_EXIT;
			return false;
		}
		shell->unwind = UNWIND_NONE;
		return true;
	}
	return shell->unwind == UNWIND_NONE;
}

static void run(struct shell *shell, struct node *tree, unsigned flags)
{
	if (shell_option_is(shell, SET_NOEXEC) && !shell->interactive)
		return;
	execute_node(shell, tree, flags);
}

/* Whether nothing follows in the text: the last command needs no fork. */
static bool is_last(const struct lexer *lexer)
{
	size_t at = lexer->at;

	while (at < lexer->length && strchr(" \t\n;", lexer->text[at]))
		at++;
	return at >= lexer->length;
}

/* Commands of a lexer that has its whole text. */
static int run_all(struct shell *shell, struct lexer *lexer, bool last)
{
	struct lexer *outer = shell->lexer;
	bool failed = false;

	shell->lexer = lexer;
	for (;;) {
		struct pool *pool = pool_new(shell->process);
		struct parser parser = {.shell = shell, .lexer = lexer, .pool = pool};
		struct node *tree;
		enum parse_result result = parser_line(&parser, &tree);
		bool verbose = shell_option_is(shell, SET_VERBOSE);

		if (result == PARSE_COMMAND) {
			(void)verbose;
			run(shell, tree,
			    last && is_last(lexer) && !shell->traps && !shell->jobs ? EXECUTE_LAST
										    : 0);
		}
		pool_drop(pool);
		if (result == PARSE_END || result == PARSE_INTERRUPTED)
			break;
		if (result == PARSE_ERROR) {
			shell->status = 2;
			failed = true;
			break;
		}
		if (!goes_on(shell))
			break;
	}
	shell->lexer = outer;
	if (failed && !shell_has(shell, SHELL_BASH) && !shell->interactive)
		shell->unwind = UNWIND_EXIT;
	return shell->status;
}

int input_run_text(struct shell *shell, struct slice text, const char *what, bool report)
{
	struct lexer lexer = lexer_over(shell, "", 0);
	bool string = !strcmp(what, "-c");
	int status;

	if (report)
		process_report_command(shell->process, text);
	if (shell->line && !string && strcmp(what, "script") != 0)
		lexer.line = shell->line;
	lexer_add(&lexer, text);
	if (!string) {
		/* `eval` of nothing is a success */
		bool blank = slice_trim(text).length == 0;

		if (blank) {
			lexer_close(&lexer);
			return shell->status = 0;
		}
	}
	status = run_all(shell, &lexer, string);
	lexer_close(&lexer);
	return status;
}

static bool is_binary(const struct text *text)
{
	size_t end = text->length < 80 ? text->length : 80;

	for (size_t i = 0; i < end && text->data[i] != '\n'; i++)
		if (!text->data[i])
			return true;
	return false;
}

int input_run_file(struct shell *shell, const char *path, bool complain)
{
	struct text text = {0};
	struct file_status status;
	struct lexer lexer;
	int error = process_stat(shell->process, path, true, &status);

	if (error == 0 && S_ISDIR(status.mode))
		error = -EISDIR;
	if (error == 0)
		error = process_read_file(shell->process, path, SHELL_SCRIPT_MAX, &text);
	if (error < 0) {
		process_give(shell->process, text.data);
		if (!complain)
			return error;
		if (shell_has(shell, SHELL_BASH)) {
			if (error == -EISDIR)
				message_builtin(shell, "%s: is a directory", path);
			else
				message_say(shell, "%s: %s", path, strerror(-error));
			return 1;
		}
		if (shell_has(shell, SHELL_DASH))
			message_builtin(shell,
					error == -ENOENT ? "cannot open %s: No such file"
							 : "cannot open %s",
					path);
		else
			message_builtin(shell, "can't open '%s': %s", path, strerror(-error));
		return message_special(shell, 2);
	}
	if (is_binary(&text) && shell_has(shell, SHELL_BASH)) {
		message_builtin(shell, "%s: cannot execute binary file", path);
		process_give(shell->process, text.data);
		return 126;
	}
	lexer = lexer_over(shell, "", 0);
	lexer_add(&lexer, text_slice(&text));
	process_give(shell->process, text.data);
	shell->status = 0;
	run_all(shell, &lexer, false);
	lexer_close(&lexer);
	return shell->status;
}

/* --- lines of a descriptor or a terminal --- */

struct line_source {
	int descriptor;
	bool more; /* a second line of the same command */
	bool failed;
	struct text read; /* the command's lines as they came */
};

/* A line of a pipe, byte by byte: what follows is for the commands in it. */
static bool read_line(struct shell *shell, struct line_source *source, struct text *line)
{
	uint8_t byte;

	for (;;) {
		ssize_t got = process_read(shell->process, source->descriptor, &byte, 1);

		if (got == -EINTR) {
			execute_traps(shell);
			if (shell->unwind)
				return false;
			continue;
		}
		if (got <= 0)
			return line->length > 0;
		if (line->length < SHELL_LINE_MAX)
			text_add_byte(shell->process, line, byte);
		if (byte == '\n')
			return true;
	}
}

static bool more_input(struct lexer *lexer)
{
	struct line_source *source = lexer->context;
	struct shell *shell = lexer->shell;
	struct text line = {0};
	bool got;

	got = read_line(shell, source, &line);
	if (got) {
		lexer_add(lexer, text_slice(&line));
		if (shell_option_is(shell, SET_VERBOSE))
			process_write(shell->process, 2, text_slice(&line));
	}
	process_give(shell->process, line.data);
	return got;
}

/* What stands in a terminal's line after its history expansion; NULL: nothing to run. */
static char *expanded_line(struct shell *shell, char *line)
{
	char *expanded = NULL;
	int result;

	if (!shell_option_is(shell, SET_HISTEXPAND) || !strpbrk(line, "!^"))
		return line;
	result = history_expand(shell, line, &expanded);
	if (result == 0)
		return line;
	process_give(shell->process, line);
	if (result < 0)
		return NULL;
	output_text(shell, expanded);
	output_flush(shell);
	if (result == 2) {
		history_add(shell, expanded);
		process_give(shell->process, expanded);
		return NULL;
	}
	return expanded;
}

static bool more_typed(struct lexer *lexer)
{
	struct line_source *source = lexer->context;
	struct shell *shell = lexer->shell;
	bool interrupted = false;
	char *line;

	do {
		struct pool_mark mark = pool_place(shell->scratch);

		line = readline_line(shell, prompt_text(shell, source->more), &interrupted);
		pool_cut(shell->scratch, mark);
		if (interrupted) {
			lexer->interrupted = true;
			process_give(shell->process, line);
			return false;
		}
		if (!line)
			return false;
		line = expanded_line(shell, line);
	} while (!line && !source->more);
	if (!line) {
		lexer->interrupted = true;
		return false;
	}
	lexer_add(lexer, slice_text(line));
	if (shell_option_is(shell, SHOPT_CMDHIST) && source->more)
		history_append_last(shell, line);
	else
		history_add(shell, line);
	text_add_words(shell->process, &source->read, line);
	process_give(shell->process, line);
	source->more = true;
	return true;
}

static void run_prompt_command(struct shell *shell)
{
	const char *command = variables_get(shell, "PROMPT_COMMAND");
	int status = shell->status;
	char *copy;

	if (!command || !*command || !shell_has(shell, SHELL_BASH))
		return;
	copy = process_copy_text(shell->process, command);
	input_run_text(shell, slice_text(copy), "eval", false);
	process_give(shell->process, copy);
	if (shell->unwind != UNWIND_EXIT) {
		shell->unwind = UNWIND_NONE;
		shell->status = status;
	}
}

static void report(struct shell *shell, struct lexer *lexer, struct line_source *source)
{
	struct slice text =
		shell->interactive ? text_slice(&source->read) : slice_of(lexer->text, lexer->at);

	while (text.length && text.at[text.length - 1] == '\n')
		text.length--;
	if (shell->interactive || shell->reads_input)
		process_report_command(shell->process, text);
}

/* The end of input at a terminal. */
static bool end_of_terminal(struct shell *shell)
{
	if (shell_option_is(shell, SET_IGNOREEOF)) {
		message_plain(shell, "Use \"%s\" to leave the shell.\n",
			      shell->login ? "logout" : "exit");
		return false;
	}
	for (struct job *job = shell->jobs; job; job = job->next)
		if (jobs_is_stopped(job) && !shell->printed_stopped) {
			if (shell_has(shell, SHELL_BASH))
				message_plain(shell, "%s\n", shell->login ? "logout" : "exit");
			message_plain(shell, shell_has(shell, SHELL_BASH)
						     ? "There are stopped jobs.\n"
						     : "\nYou have stopped jobs.\n");
			shell->printed_stopped = true;
			return false;
		}
	if (shell_has(shell, SHELL_BASH))
		message_plain(shell, "%s\n", shell->login ? "logout" : "exit");
	else
		message_plain(shell, "\n");
	return true;
}

static bool run_one(struct shell *shell, struct lexer *lexer, struct line_source *source)
{
	struct pool *pool = pool_new(shell->process);
	struct parser parser = {.shell = shell, .lexer = lexer, .pool = pool};
	struct node *tree;
	enum parse_result result;
	bool stopped = shell->printed_stopped;

	source->more = false;
	text_clear(&source->read);
	result = parser_line(&parser, &tree);
	if (shell->interactive && !lexer->interrupted && lexer->ended && result == PARSE_END) {
		pool_drop(pool);
		lexer->ended = false;
		return !end_of_terminal(shell);
	}
	if ((result == PARSE_COMMAND || result == PARSE_ERROR) && !lexer->interrupted)
		report(shell, lexer, source);
	if (result == PARSE_COMMAND) {
		run(shell, tree, 0);
		if (stopped)
			shell->printed_stopped = false;
	} else if (result == PARSE_ERROR) {
		shell->status = 2;
		if (!shell->interactive) {
			pool_drop(pool);
			return false;
		}
	} else if (result == PARSE_INTERRUPTED) {
		shell->status = 130;
		shell->unwind = UNWIND_NONE;
	} else if (result == PARSE_END) {
		pool_drop(pool);
		return false;
	}
	pool_drop(pool);
	if (result == PARSE_ERROR || result == PARSE_INTERRUPTED) {
		lexer->at = lexer->length;
		lexer->interrupted = lexer->ended = false;
	}
	lexer_forget(lexer);
	return goes_on(shell);
}

void input_run_lines(struct shell *shell, int descriptor)
{
	struct line_source source = {.descriptor = descriptor};
	struct lexer lexer = lexer_over(shell, "", 0);

	lexer.more = shell->interactive ? more_typed : more_input;
	lexer.context = &source;
	lexer.ended = false;
	lexer_reserve(&lexer, 0);
	shell->lexer = &lexer;
	for (;;) {
		if (shell->interactive) {
			if (source.read.capacity > 256) {
				process_give(shell->process, source.read.data);
				source.read = (struct text){0};
			}
			execute_traps(shell);
			if (shell->unwind == UNWIND_EXIT)
				break;
			shell->unwind = UNWIND_NONE;
			if (!shell->just_killed)
				jobs_check(shell, true);
			shell->just_killed = false;
			run_prompt_command(shell);
		}
		if (!run_one(shell, &lexer, &source))
			break;
	}
	process_give(shell->process, source.read.data);
	lexer_close(&lexer);
}
