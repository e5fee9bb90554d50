/* Lines that were typed: kept in ~/.bash_history over log-ins. The file is read when somebody asks
 * for what was before; an idle shell holds only its own lines. */
#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "decoy/machine/shell/state.h"

#define HISTORY_FILE_MAX ((size_t)256 * 1024)

struct history {
	char **lines;
	size_t count, capacity;
	size_t fresh;  /* those at the end that the file does not have */
	size_t missed; /* that fell off the front */
	bool loaded;
};

static struct history *history_of(struct shell *shell)
{
	if (!shell->history)
		shell->history = process_take(shell->process, sizeof(*shell->history));
	return shell->history;
}

static void put(struct shell *shell, struct history *history, struct slice line)
{
	if (history->count >= SHELL_HISTORY_MAX) {
		process_give(shell->process, history->lines[0]);
		memmove(history->lines, history->lines + 1,
			(--history->count) * sizeof(*history->lines));
		history->missed++;
	}
	if (history->count == history->capacity) {
		history->capacity = history->capacity ? history->capacity * 2 : 8;
		history->lines = process_retake(shell->process, history->lines,
						history->capacity * sizeof(*history->lines));
	}
	history->lines[history->count++] = process_copy_slice(shell->process, line);
}

/* Lines of a file behind those that are there. */
static int load(struct shell *shell, struct history *history, const char *path)
{
	struct text text = {0};
	struct slice rest, line;
	int error = process_read_file(shell->process, path, HISTORY_FILE_MAX, &text);

	rest = text_slice(&text);
	while (error >= 0 && slice_next(&rest, '\n', &line))
		if (line.length)
			put(shell, history, line);
	process_give(shell->process, text.data);
	return error < 0 ? error : 0;
}

/* What was before this log-in goes in front. */
static struct history *loaded(struct shell *shell)
{
	struct history *history = history_of(shell);
	const char *path = variables_get(shell, "HISTFILE");
	char **own = history->lines;
	size_t count = history->count;

	if (history->loaded)
		return history;
	history->loaded = true;
	if (!shell->interactive || !path || !*path || !shell_has(shell, SHELL_BASH))
		return history;
	history->lines = NULL;
	history->count = history->capacity = 0;
	load(shell, history, path);
	for (size_t i = 0; i < count; i++) {
		put(shell, history, slice_text(own[i]));
		process_give(shell->process, own[i]);
	}
	process_give(shell->process, own);
	return history;
}

static bool is_ignored(struct shell *shell, struct history *history, const char *line)
{
	const char *control = variables_get(shell, "HISTCONTROL");
	bool space = control && (strstr(control, "ignorespace") || strstr(control, "ignoreboth"));
	bool same = control && (strstr(control, "ignoredups") || strstr(control, "ignoreboth"));
	const char *size = variables_get(shell, "HISTSIZE");

	if (size && !strcmp(size, "0"))
		return true;
	if (space && line[0] == ' ')
		return true;
	return same && history->count && !strcmp(history->lines[history->count - 1], line);
}

void history_add(struct shell *shell, const char *line)
{
	struct history *history;
	size_t length = strlen(line);
	char *copy;

	if (!shell_option_is(shell, SET_HISTORY) && shell_has(shell, SHELL_BASH))
		return;
	while (length && line[length - 1] == '\n')
		length--;
	if (!length)
		return;
	history = history_of(shell);
	copy = process_copy_slice(shell->process, slice_of(line, length));
	if (!is_ignored(shell, history, copy)) {
		put(shell, history, slice_text(copy));
		history->fresh++;
	}
	process_give(shell->process, copy);
}

void history_append_last(struct shell *shell, const char *line)
{
	struct history *history = history_of(shell);
	size_t length = strlen(line);
	char *joined, *last;
	const char *joint = "; ";

	while (length && line[length - 1] == '\n')
		length--;
	if (!history->count || !length)
		return;
	last = history->lines[history->count - 1];
	if (*last && strchr("{(;&|", last[strlen(last) - 1]))
		joint = " ";
	for (const char *const *word = (const char *const[]){"do", "then", "else", "in", NULL};
	     *word; word++) {
		size_t a = strlen(last), b = strlen(*word);

		if (a >= b && !strcmp(last + a - b, *word))
			joint = " ";
	}
	if (last[0] && last[strlen(last) - 1] == '\\') {
		last[strlen(last) - 1] = '\0';
		joint = "";
	}
	joined = process_format(shell->process, "%s%s%.*s", last, joint, (int)length, line);
	process_give(shell->process, last);
	history->lines[history->count - 1] = joined;
}

const char *history_at(struct shell *shell, size_t index)
{
	struct history *history = loaded(shell);

	return index < history->count ? history->lines[index] : NULL;
}

size_t history_count(struct shell *shell)
{
	return loaded(shell)->count;
}

size_t history_first(struct shell *shell)
{
	return loaded(shell)->missed + 1;
}

void history_delete(struct shell *shell, size_t index)
{
	struct history *history = loaded(shell);

	if (index >= history->count)
		return;
	process_give(shell->process, history->lines[index]);
	memmove(history->lines + index, history->lines + index + 1,
		(--history->count - index) * sizeof(*history->lines));
	if (history->fresh > history->count)
		history->fresh = history->count;
}

void history_clear(struct shell *shell)
{
	struct history *history = history_of(shell);

	while (history->count)
		process_give(shell->process, history->lines[--history->count]);
	history->fresh = history->missed = 0;
	history->loaded = true;
}

int history_write(struct shell *shell, const char *path, bool append)
{
	struct history *history = append ? history_of(shell) : loaded(shell);
	size_t first =
		append && history->fresh <= history->count ? history->count - history->fresh : 0;
	struct text text = {0};
	int descriptor = process_open(shell->process, path,
				      O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC), 0600);

	if (descriptor < 0)
		return descriptor;
	for (size_t i = first; i < history->count; i++)
		text_format(shell->process, &text, "%s\n", history->lines[i]);
	process_write(shell->process, descriptor, text_slice(&text));
	process_close(shell->process, descriptor);
	process_give(shell->process, text.data);
	history->fresh = 0;
	return 0;
}

int history_read(struct shell *shell, const char *path)
{
	return load(shell, loaded(shell), path);
}

void history_save(struct shell *shell, bool at_exit)
{
	const char *path = variables_get(shell, "HISTFILE"), *size;

	(void)at_exit;
	size = variables_get(shell, "HISTFILESIZE");
	if (!shell->interactive || shell->is_child || !shell_has(shell, SHELL_BASH) || !path ||
	    !*path || !shell->history || !shell->history->fresh)
		return;
	if (size && !strcmp(size, "0"))
		process_truncate(shell->process, path, 0);
	else
		history_write(shell, path, true);
}

/* --- the builtins --- */

static void list(struct shell *shell, size_t last)
{
	size_t count = history_count(shell), first = history_first(shell);

	for (size_t i = last < count ? count - last : 0; i < count; i++)
		output_format(shell, "%5zu  %s\n", first + i, history_at(shell, i));
}

static int use_file(struct shell *shell, int letter, const char *path)
{
	int error = 0;

	if (!path)
		path = variables_get(shell, "HISTFILE");
	if (!path || !*path)
		return 0;
	if (letter == 'w' || letter == 'a')
		error = history_write(shell, path, letter == 'a');
	else
		error = history_read(shell, path);
	if (error < 0)
		message_builtin(shell, "%s: cannot %s: %s", path,
				letter == 'w' || letter == 'a' ? "create" : "open",
				strerror(-error));
	return error < 0;
}

static int delete_range(struct shell *shell, const char *text)
{
	int64_t number, first = (int64_t)history_first(shell),
			count = (int64_t)history_count(shell);

	if (builtin_number(text, &number) < 0 || number == 0) {
		message_builtin(shell, "%s: history position out of range", text);
		return 1;
	}
	if (number < 0)
		number += first + count;
	if (number < first || number >= first + count) {
		message_builtin(shell, "%s: history position out of range", text);
		return 1;
	}
	history_delete(shell, (size_t)(number - first));
	return 0;
}

int builtin_history(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	int letter, file = 0;
	int64_t number;
	bool store = false, print = false;

	while ((letter = builtin_option(shell, &options, argc, argv, "acd:npsrw")) != -1) {
		if (letter == '?')
			return 2;
		if (letter == 'c') {
			history_clear(shell);
			print = true;
		}
		if (letter == 'd')
			return delete_range(shell, options.argument);
		if (strchr("anrw", letter))
			file = letter;
		store |= letter == 's';
		print |= letter == 'p';
	}
	if (file)
		return use_file(shell, file, options.index < argc ? argv[options.index] : NULL);
	if (store && options.index < argc) {
		history_delete(shell, history_count(shell) - 1);
		history_add(shell, argv[options.index]);
		return 0;
	}
	if (print) {
		for (int i = options.index; i < argc; i++)
			output_format(shell, "%s\n", argv[i]);
		return 0;
	}
	if (options.index >= argc) {
		list(shell, SIZE_MAX);
		return 0;
	}
	if (builtin_number(argv[options.index], &number) < 0) {
		message_builtin(shell, "%s: numeric argument required", argv[options.index]);
		return 1;
	}
	list(shell, number < 0 ? 0 : (size_t)number);
	return 0;
}

int builtin_fc(struct shell *shell, int argc, char **argv)
{
	struct builtin_options options = {0};
	bool show = false, plain = false, again = false;
	size_t count = history_count(shell), first;
	int letter;

	while ((letter = builtin_option(shell, &options, argc, argv, "e:lnrs")) != -1) {
		if (letter == '?')
			return 2;
		show |= letter == 'l';
		plain |= letter == 'n';
		again |= letter == 's';
	}
	if (again && count > 1) {
		char *line = process_copy_text(shell->process, history_at(shell, count - 2));
		int status;

		output_format(shell, "%s\n", line);
		status = input_run_text(shell, slice_text(line), "eval", false);
		process_give(shell->process, line);
		return status;
	}
	if (!show)
		return 0;
	first = count > 17 ? count - 17 : 0;
	for (size_t i = first; i + 1 < count; i++) {
		if (plain)
			output_format(shell, "\t %s\n", history_at(shell, i));
		else
			output_format(shell, "%zu\t %s\n", history_first(shell) + i,
				      history_at(shell, i));
	}
	return 0;
}

/* --- !-expansion --- */

/* The line that an event stands for, at the "!": the bytes it took; 0: none; *found NULL: told. */
static size_t find_event(struct shell *shell, const char *at, const char **found)
{
	size_t count = history_count(shell), length = 1;
	int64_t first = (int64_t)history_first(shell), number;
	bool anywhere = at[1] == '?';
	char *text, *end;

	*found = NULL;
	if (at[1] == '!') {
		*found = count ? history_at(shell, count - 1) : NULL;
		return 2;
	}
	if (at[1] == '$' || at[1] == '*' || at[1] == '^' || at[1] == ':') {
		*found = count ? history_at(shell, count - 1) : NULL;
		return 1;
	}
	if (isdigit((uint8_t)at[1]) || (at[1] == '-' && isdigit((uint8_t)at[2]))) {
		number = strtol(at + 1, &end, 10);
		number = number < 0 ? (int64_t)count + number : number - first;
		*found = number >= 0 ? history_at(shell, (size_t)number) : NULL;
		return (size_t)(end - at);
	}
	length += anywhere;
	while (at[length] && !strchr(anywhere ? "?\n" : " \t\n;&|<>()\"':", at[length]))
		length++;
	text = pool_text(shell->scratch, slice_of(at + 1 + anywhere, length - 1 - anywhere));
	for (size_t i = count; i-- > 0;) {
		const char *line = history_at(shell, i);

		if (anywhere ? strstr(line, text) != NULL : !strncmp(line, text, strlen(text))) {
			*found = line;
			break;
		}
	}
	return length + (anywhere && at[length] == '?');
}

/* The n-th word of a line, or (last) its last one, in scratch memory. */
static char *word_of(struct shell *shell, const char *line, size_t n, bool last, bool rest)
{
	struct lexer lexer = lexer_over(shell, line, strlen(line));
	struct slice word = {0};

	for (size_t index = 0;; index++) {
		size_t start;

		while (lexer.at < lexer.length && strchr(" \t\n", line[lexer.at]))
			lexer.at++;
		start = lexer.at;
		if (start >= lexer.length)
			break;
		while (lexer.at < lexer.length && !strchr(" \t\n", line[lexer.at])) {
			int skipped = 0;

			if (line[lexer.at] == '\'')
				skipped = lexer_skip_single(&lexer);
			else if (line[lexer.at] == '"')
				skipped = lexer_skip_double(&lexer);
			else
				lexer.at += line[lexer.at] == '\\' && line[lexer.at + 1] ? 2 : 1;
			if (skipped < 0)
				lexer.at = lexer.length;
		}
		word = slice_of(line + start, lexer.at - start);
		if (!last && index == n)
			return pool_text(shell->scratch, rest ? slice_text(line + start) : word);
	}
	return last ? pool_text(shell->scratch, word) : NULL;
}

static int quick_substitution(struct shell *shell, const char *line, struct text *out)
{
	size_t count = history_count(shell), old, new;
	const char *last = count ? history_at(shell, count - 1) : NULL, *place;
	char *from, *to;

	old = strcspn(line + 1, "^\n");
	from = pool_text(shell->scratch, slice_of(line + 1, old));
	new = line[1 + old] == '^' ? strcspn(line + 2 + old, "^\n") : 0;
	to = pool_text(shell->scratch, slice_of(line + 2 + old, new));
	place = last && *from ? strstr(last, from) : NULL;
	if (!place) {
		message_say(shell, ":s%.*s: substitution failed", (int)strcspn(line, "\n"), line);
		return -1;
	}
	text_add(shell->process, out, slice_of(last, (size_t)(place - last)));
	text_add_words(shell->process, out, to);
	text_add_words(shell->process, out, place + strlen(from));
	text_add_byte(shell->process, out, '\n');
	return 1;
}

/* One event at "!" with its word and modifier; the bytes it took; 0: told. */
static size_t put_event(struct shell *shell, const char *at, struct text *out, bool *only_print)
{
	const char *found;
	size_t length = find_event(shell, at, &found);
	const char *word;

	if (!found) {
		message_say(shell, "%.*s: event not found", (int)length, at);
		return 0;
	}
	word = found;
	if (at[length] == ':' && at[length + 1] && strchr("0123456789$^*", at[length + 1]))
		length++;
	if (at[length] == '$') {
		word = word_of(shell, found, 0, true, false);
		length++;
	} else if (at[length] == '^') {
		word = word_of(shell, found, 1, false, false);
		length++;
	} else if (at[length] == '*') {
		word = word_of(shell, found, 1, false, true);
		length++;
	} else if (at[length - 1] == ':' && isdigit((uint8_t)at[length])) {
		word = word_of(shell, found, (size_t)(at[length] - '0'), false, false);
		length++;
	}
	if (at[length] == ':' && at[length + 1] == 'p') {
		*only_print = true;
		length += 2;
	}
	if (!word && at[length - 1] != '*') {
		message_say(shell, "%.*s: bad word specifier", (int)length, at);
		return 0;
	}
	text_add_words(shell->process, out, word ? word : "");
	return length;
}

int history_expand(struct shell *shell, const char *line, char **out)
{
	struct text text = {0};
	bool single = false, doubled = false, changed = false, only_print = false;
	int result;

	*out = NULL;
	if (line[0] == '^') {
		result = quick_substitution(shell, line, &text);
		*out = text.data;
		return result;
	}
	for (const char *at = line; *at;) {
		size_t length = 1;

		if (*at == '\\' && at[1]) {
			text_add(shell->process, &text, slice_of(at, 2));
			at += 2;
			continue;
		}
		if (*at == '\'' && !doubled)
			single = !single;
		else if (*at == '"' && !single)
			doubled = !doubled;
		if (*at != '!' || single || !at[1] || strchr(" \t\n=(", at[1]) ||
		    (doubled && at[1] == '"') || (at > line && at[-1] == '$') ||
		    (at > line && at[-1] == '[' && strchr(at, ']')) ||
		    (at > line + 1 && at[-1] == '{' && at[-2] == '$')) {
			text_add_byte(shell->process, &text, (uint8_t)*at++);
			continue;
		}
		length = put_event(shell, at, &text, &only_print);
		if (!length) {
			process_give(shell->process, text.data);
			return -1;
		}
		changed = true;
		at += length;
	}
	if (!changed) {
		process_give(shell->process, text.data);
		return 0;
	}
	*out = text.data;
	return only_print ? 2 : 1;
}
