/* Simple commands: assignments, functions, builtins, programs. */
#include <stdio.h>

#include "decoy/machine/shell/state.h"

void execute_trace(struct shell *shell, const char *text)
{
	const char *ps4 = variables_get(shell, "PS4");
	struct text line = {0};

	shell_option_set(shell, SET_XTRACE, false);
	output_flush(shell);
	text_add_words(shell->process, &line, prompt_expand(shell, ps4 ? ps4 : "+ "));
	shell_option_set(shell, SET_XTRACE, true);
	text_format(shell->process, &line, "%s\n", text);
	process_write(shell->process, 2, text_slice(&line));
	process_give(shell->process, line.data);
}

static void trace_fields(struct shell *shell, const struct fields *fields)
{
	struct text text = {0};

	for (size_t i = 0; i < fields->count; i++) {
		const char *field = fields->at[i];

		if (i)
			text_add_byte(shell->process, &text, ' ');
		if (shell_has(shell, SHELL_ASH))
			field = !*field || field[strcspn(field, "|&;<>()$`\\\"' \t\n*?[#~=%")]
					? builtin_quoted_single(shell, field)
					: field;
		if (shell_has(shell, SHELL_BASH))
			field = !*field || field[strcspn(field, " \t\n'\"\\|&;()<>`$*?[]#~!{}^,")]
					? builtin_quoted_single(shell, field)
					: field;
		text_add_words(shell->process, &text, field);
	}
	execute_trace(shell, text.data ? text.data : "");
	process_give(shell->process, text.data);
}

static int64_t after(int64_t index)
{
	return index < INT64_MAX ? index + 1 : index;
}

/* name=( ... ) */
static bool assign_compound(struct shell *shell, const char *name, const struct word *word,
			    bool append)
{
	struct variable *variable = variables_find(shell, name);
	int64_t index = 0;

	if (variable && variable->attributes & VARIABLE_READONLY) {
		message_say(shell, "%s: readonly variable", name);
		return false;
	}
	if (!append && variable && variable->array)
		array_clear(shell, variable->array);
	if (!append && variable && !variable->array && variable->value) {
		process_give(shell->process, variable->value);
		variable->value = NULL;
	}
	variable = array_make(shell, name, false);
	if (append && variable->array->count && !(variable->attributes & VARIABLE_ASSOCIATIVE))
		index = after(variable->array->items[variable->array->count - 1].index);
	for (const struct word *each = word->elements; each; each = each->next) {
		struct fields fields = {0};
		const char *end = each->text[0] == '[' ? strstr(each->text, "]=") : NULL, *key;
		char *value;

		if (end) {
			value = expand_single(shell, end + 2, EXPAND_ASSIGN);
			if (!value ||
			    array_subscript(shell, variable, each->text + 1,
					    (size_t)(end - each->text) - 1, &key, &index) < 0 ||
			    array_set(shell, variable, key, index, value, false) < 0)
				return false;
			index = after(index);
			continue;
		}
		if (expand_word(shell, each, &fields) < 0)
			return false;
		for (size_t i = 0; i < fields.count; i++) {
			if (variable->attributes & VARIABLE_ASSOCIATIVE) {
				const char *next = i + 1 < fields.count ? fields.at[i + 1]
						   : each->next         ? each->next->text
									: "";

				if (array_set(shell, variable, fields.at[i], 0, next, false) < 0)
					return false;
				if (i + 1 >= fields.count && each->next)
					each = each->next;
				i++;
				continue;
			}
			if (array_set(shell, variable, "", index, fields.at[i], false) < 0)
				return false;
			index = after(index);
		}
	}
	variables_changed(shell, variable);
	return true;
}

bool execute_assign(struct shell *shell, const struct word *word, bool export)
{
	size_t length = lexer_name(word->text), end;
	char *name, *value;
	bool append, done;

	for (end = length; word->text[end] && word->text[end] != '='; end++)
		if (word->text[end] == '[') {
			size_t depth = 0;

			for (; word->text[end]; end++) {
				depth += word->text[end] == '[';
				if (word->text[end] == ']' && !--depth)
					break;
			}
		}
	append = end > length && word->text[end - 1] == '+';
	name = pool_text(shell->scratch, slice_of(word->text, end - append));
	if (word->flags & WORD_COMPOUND)
		return assign_compound(shell, name, word, append);
	value = expand_single(shell, word->text + end + 1, EXPAND_ASSIGN);
	if (!value)
		return false;
	if (shell_option_is(shell, SET_XTRACE)) {
		struct text text = {0};

		text_format(shell->process, &text, "%s%s=%s", name, append ? "+" : "",
			    *value && value[strcspn(value, " \t\n'\"\\|&;()<>`$*?[]#~!{}^,")]
				    ? builtin_quoted_single(shell, value)
				    : value);
		execute_trace(shell, text.data);
		process_give(shell->process, text.data);
	}
	if (name[length] == '[')
		done = array_assign(shell, name, value, append) == 0;
	else if (append)
		done = variables_append(shell, name, value) == 0;
	else
		done = variables_set(shell, name, value) == 0;
	if (done && export) {
		struct variable *variable = variables_find(shell, name);

		if (variable)
			variables_export(shell, variable, true);
	}
	return done;
}

/* Assignments before a command: only for it. */
static bool assign_for_command(struct shell *shell, const struct word *words, struct scope *scope)
{
	variables_enter(shell, scope);
	for (; words && words->flags & WORD_ASSIGNMENT; words = words->next) {
		size_t length = lexer_name(words->text);
		char *name = pool_text(shell->scratch, slice_of(words->text, length));
		struct variable *variable = variables_find(shell, name);

		if (variable && variable->attributes & VARIABLE_READONLY) {
			if (variables_set(shell, name, "") < 0 && !shell_has(shell, SHELL_BASH))
				return false;
			continue; /* bash runs the command all the same */
		}
		if (words->flags & WORD_COMPOUND || words->text[length] == '[')
			continue;
		if (!variables_local(shell, name, words->text[length] == '+'))
			return false;
		if (!execute_assign(shell, words, true))
			return false;
	}
	return true;
}

int execute_function(struct shell *shell, struct function *function, int argc, char **argv)
{
	struct frame frame = {.outer = shell->frame,
			      .function = function->name,
			      .file = shell->file,
			      .called_line = shell->line,
			      .borrowed = true};
	char **positional = shell->positional;
	int count = shell->positional_count;
	unsigned loops = shell->loops, offset = shell->getopts_offset;
	struct pool *pool = function->pool;
	struct node *body = function->body;
	struct scope scope;
	char *name = process_copy_text(shell->process, function->name);

	frame.function = name;
	shell->positional = argv + 1;
	shell->positional_count = argc - 1;
	shell->frame = &frame;
	shell->loops = 0;
	shell->functions_deep++;
	pool_hold(pool);
	variables_enter(shell, &scope);
	execute_node(shell, body, 0);
	variables_leave(shell);
	pool_drop(pool);
	if (shell->unwind == UNWIND_RETURN)
		shell->unwind = UNWIND_NONE;
	if (!frame.borrowed) /* `set --` made its own */
		builtin_set_positional(shell, 0, NULL);
	shell->positional = positional;
	shell->positional_count = count;
	shell->frame = frame.outer;
	shell->loops = loops;
	shell->getopts_offset = offset;
	shell->functions_deep--;
	shell->line = frame.called_line;
	process_give(shell->process, name);
	return shell->status;
}

/* The first program of a log-in tells its -c; one that took its place would tell again. */
static bool would_tell_again(const struct shell *shell, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return !shell->process->parent && (!strcmp(name, "bash") || !strcmp(name, "sh") ||
					   !strcmp(name, "dash") || !strcmp(name, "busybox"));
}

static int run_program(struct shell *shell, const struct node *node, struct fields *fields,
		       unsigned flags)
{
	struct launch how = {.own_group = shell->job_control, .foreground = shell->job_control};
	struct redirect_table table;
	struct redirections undo;
	struct job *job;
	const char *path;
	int error = names_program(shell, fields->at[0], &path), pid;

	if (error == 0 && shell->restricted && strchr(fields->at[0], '/')) {
		message_say(shell, "%s: restricted: cannot specify `/' in command names",
			    fields->at[0]);
		return 127;
	}
	if (error == 0 && would_tell_again(shell, path))
		flags &= ~(unsigned)EXECUTE_LAST;
	if (error < 0 || (flags & EXECUTE_LAST && !shell->interactive) ||
	    (flags & EXECUTE_LAST && shell->is_child)) {
		if (redirect_apply(shell, node->redirections, &undo, error == 0) < 0)
			return shell_has(shell, SHELL_DASH) ? 2 : 1;
		if (error == 0)
			return launch_replace(shell, fields->at[0], path, fields->at,
					      variables_environment(shell));
		if (error == -ENOENT && shell_has(shell, SHELL_BASH) && !shell->is_child &&
		    names_function(shell, "command_not_found_handle")) {
			struct fields all = {0};

			fields_add(shell, &all, (char *)(uintptr_t) "command_not_found_handle");
			for (size_t i = 0; i < fields->count; i++)
				fields_add(shell, &all, fields->at[i]);
			error = execute_function(shell,
						 names_function(shell, "command_not_found_handle"),
						 (int)all.count, all.at);
		} else {
			error = launch_complain(shell, fields->at[0], path, error);
		}
		redirect_undo(shell, &undo);
		return error;
	}
	if (redirect_map(shell, node->redirections, &table) < 0)
		return shell_has(shell, SHELL_DASH) ? 2 : 1;
	how.descriptors = table.map;
	how.descriptor_count = table.count;
	pid = launch_program(shell, path, fields->at, variables_environment(shell), &how);
	redirect_close(shell, &table);
	if (pid < 0)
		return pid == -E2BIG ? 126 : shell->status;
	job = jobs_add(shell, &pid, 1, how.own_group ? (unsigned)pid : 0, NULL);
	job->node = node;
	return jobs_wait(shell, job);
}

/* Arguments of declare and its like that are name=(...): assigned after the builtin has run. */
static void assign_arguments(struct shell *shell, const struct word *words)
{
	for (; words; words = words->next)
		if (words->flags & WORD_COMPOUND && !execute_assign(shell, words, false))
			shell->status = 1;
}

static int run_builtin(struct shell *shell, const struct builtin *builtin, const struct node *node,
		       const struct word *words, struct fields *fields)
{
	bool keep = builtin->run == builtin_exec;
	struct redirections undo;
	int status;

	if (redirect_apply(shell, node->redirections, &undo, keep) < 0) {
		if (!shell_has(shell, SHELL_BASH) && builtin->kind == BUILTIN_SPECIAL)
			return message_special(shell, 2);
		return shell_has(shell, SHELL_DASH) ? 2 : 1;
	}
	status = builtin_run(shell, builtin, (int)fields->count, fields->at);
	if (builtin->kind == BUILTIN_ASSIGNS) {
		shell->status = status;
		assign_arguments(shell, words);
		status = shell->status;
	}
	redirect_undo(shell, &undo);
	return status;
}

static int run_fields(struct shell *shell, const struct node *node, const struct word *words,
		      struct fields *fields, unsigned flags)
{
	const struct builtin *builtin = builtin_find(shell, fields->at[0]);
	struct function *function = names_function(shell, fields->at[0]);
	struct redirections undo;
	int status;

	if (function) {
		if (redirect_apply(shell, node->redirections, &undo, false) < 0)
			return 1;
		status = execute_function(shell, function, (int)fields->count, fields->at);
		redirect_undo(shell, &undo);
		return status;
	}
	if (builtin)
		return run_builtin(shell, builtin, node, words, fields);
	return run_program(shell, node, fields, flags);
}

/* Only assignments and redirections. */
static int run_nothing(struct shell *shell, const struct node *node)
{
	struct redirections undo;
	int status;

	for (const struct word *word = node->words; word && word->flags & WORD_ASSIGNMENT;
	     word = word->next)
		if (!execute_assign(shell, word, false)) {
			if (!shell->unwind)
				shell->unwind = UNWIND_LINE;
			return shell_has(shell, SHELL_BASH) ? 1 : 2;
		}
	status = shell->substituted ? shell->substitution_status : 0;
	if (node->redirections) {
		if (redirect_apply(shell, node->redirections, &undo, false) < 0)
			return shell_has(shell, SHELL_DASH) ? 2 : 1;
		redirect_undo(shell, &undo);
	}
	return status;
}

/* The words' fields; a name=(...) argument is its name. */
static int expand_all(struct shell *shell, const struct word *words, struct fields *fields)
{
	for (; words; words = words->next) {
		if (words->flags & WORD_COMPOUND) {
			size_t length = strcspn(words->text, "=+");

			fields_add(shell, fields,
				   pool_text(shell->scratch, slice_of(words->text, length)));
		} else if (expand_word(shell, words, fields) < 0) {
			return -1;
		}
	}
	return 0;
}

static void remember_argument(struct shell *shell, const struct fields *fields)
{
	const char *last = fields->at[fields->count - 1];

	if (!shell_has(shell, SHELL_BASH) || strlen(last) > 1024 ||
	    (shell->last_argument && !strcmp(shell->last_argument, last)))
		return;
	process_give(shell->process, (char *)(uintptr_t)shell->last_argument);
	shell->last_argument = process_copy_text(shell->process, last);
}

/* Before a special builtin of POSIX, assignments stay; in bash only before a lone exec. */
static bool keeps_assignments(const struct shell *shell, const char *name)
{
	const struct builtin *builtin = builtin_find(shell, name);

	if (shell_has(shell, SHELL_BASH))
		return false;
	return builtin && builtin->kind == BUILTIN_SPECIAL;
}

static void assign_all(struct shell *shell, const struct word *words)
{
	for (; words && words->flags & WORD_ASSIGNMENT; words = words->next)
		if (!execute_assign(shell, words, false))
			break;
}

int execute_simple(struct shell *shell, const struct node *node, unsigned flags)
{
	struct pool_mark mark = pool_place(shell->scratch);
	const struct word *words = node->words;
	struct fields fields = {0};
	struct scope scope;
	bool scoped = false, failed;
	int status;

	if (!shell->in_trap)
		shell->line = node->line;
	shell->substituted = false;
	while (words && words->flags & WORD_ASSIGNMENT)
		words = words->next;
	if (expand_all(shell, words, &fields) < 0) {
		if (!shell->status)
			shell->status = 1;
		pool_cut(shell->scratch, mark);
		return shell->status;
	}
	if (!fields.count) {
		status = run_nothing(shell, node);
		shell->status = status;
		pool_cut(shell->scratch, mark);
		return status;
	}
	scoped = node->words->flags & WORD_ASSIGNMENT && !keeps_assignments(shell, fields.at[0]);
	if (node->words->flags & WORD_ASSIGNMENT && !scoped)
		assign_all(shell, node->words);
	failed = scoped && !assign_for_command(shell, node->words, &scope);
	if (!failed && shell_option_is(shell, SET_XTRACE))
		trace_fields(shell, &fields);
	status = failed ? (shell->unwind ? shell->status : 1)
			: run_fields(shell, node, words, &fields, flags);
	remember_argument(shell, &fields);
	if (scoped)
		variables_leave(shell);
	shell->status = status;
	if (shell->pipe_status_count) {
		process_give(shell->process, shell->pipe_statuses);
		shell->pipe_statuses = NULL;
		shell->pipe_status_count = 0;
	}
	pool_cut(shell->scratch, mark);
	return status;
}

int execute_fields(struct shell *shell, int argc, char **argv, unsigned flags)
{
	struct fields fields = {.at = argv, .count = (size_t)argc};
	static const struct node none;
	const struct builtin *builtin = builtin_find(shell, argv[0]);

	if (!(flags & EXECUTE_NO_FUNCTION) && names_function(shell, argv[0]))
		return execute_function(shell, names_function(shell, argv[0]), argc, argv);
	if (builtin)
		return builtin_run(shell, builtin, argc, argv);
	return run_program(shell, &none, &fields, flags & EXECUTE_LAST);
}
