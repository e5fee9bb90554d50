/* if, while, for, case, select, functions, [[ ]], (( )). */
#include <ctype.h>
#include <stdio.h>

#include "decoy/machine/regex.h"
#include "decoy/machine/shell/state.h"

/* After a loop's body: whether the loop ends. */
static bool leaves_loop(struct shell *shell)
{
	if (shell->unwind == UNWIND_NONE)
		return false;
	if (shell->unwind != UNWIND_BREAK && shell->unwind != UNWIND_CONTINUE)
		return true;
	if (shell->unwind_levels > 1) {
		shell->unwind_levels--;
		return true;
	}
	if (shell->unwind == UNWIND_BREAK) {
		shell->unwind = UNWIND_NONE;
		return true;
	}
	shell->unwind = UNWIND_NONE;
	return false;
}

static int condition_of(struct shell *shell, const struct node *condition)
{
	return execute_node(shell, condition, EXECUTE_TESTED);
}

static int run_while(struct shell *shell, const struct node *node)
{
	int status = 0;

	shell->loops++;
	for (;;) {
		bool met;

		process_step(shell->process);
		met = (condition_of(shell, node->condition) == 0) == (node->kind == NODE_WHILE);
		if (shell->unwind) {
			status = shell->status;
			if (leaves_loop(shell))
				break;
			continue;
		}
		if (!met)
			break;
		status = execute_node(shell, node->first, 0);
		if (leaves_loop(shell))
			break;
	}
	shell->loops--;
	if (shell->unwind != UNWIND_EXIT && shell->unwind != UNWIND_RETURN)
		shell->status = status;
	return shell->status;
}

static int run_for(struct shell *shell, const struct node *node)
{
	struct pool_mark mark = pool_place(shell->scratch);
	struct fields fields = {0};
	int status = 0;

	shell->line = node->line;
	if (lexer_name(node->name) != strlen(node->name)) {
		message_say(shell, "`%s': not a valid identifier", node->name);
		return shell->status = 1;
	}
	if (node->has_in) {
		if (expand_words(shell, node->words, &fields) < 0)
			goto out;
	} else {
		for (int i = 0; i < shell->positional_count; i++)
			fields_add(shell, &fields,
				   pool_text(shell->scratch, slice_text(shell->positional[i])));
	}
	shell->loops++;
	for (size_t i = 0; i < fields.count; i++) {
		process_step(shell->process);
		if (shell_option_is(shell, SET_XTRACE) && shell_has(shell, SHELL_BASH) && 0)
			execute_trace(shell, node->name);
		if (variables_set(shell, node->name, fields.at[i]) < 0) {
			status = 1;
			break;
		}
		status = execute_node(shell, node->first, 0);
		if (leaves_loop(shell))
			break;
	}
	shell->loops--;
	if (shell->unwind != UNWIND_EXIT && shell->unwind != UNWIND_RETURN)
		shell->status = status;
out:
	pool_cut(shell->scratch, mark);
	return shell->status;
}

static bool arithmetic_of(struct shell *shell, const char *text, int64_t *value)
{
	const char *builtin = shell->builtin;
	struct pool_mark mark = pool_place(shell->scratch);
	int result;

	shell->builtin = "((";
	result = arithmetic_expand(shell, slice_text(text), value);
	shell->builtin = builtin;
	pool_cut(shell->scratch, mark);
	return result == 0;
}

static int run_for_arithmetic(struct shell *shell, const struct node *node)
{
	const char *first = node->words->text, *second = "", *third = "";
	int64_t value;
	int status = 0;

	shell->line = node->line;
	if (node->words->next) {
		second = node->words->next->text;
		if (node->words->next->next)
			third = node->words->next->next->text;
	}
	if (!arithmetic_of(shell, first, &value))
		return shell->status = 1;
	shell->loops++;
	for (;;) {
		process_step(shell->process);
		value = 1;
		if (*second && !arithmetic_of(shell, second, &value)) {
			status = 1;
			break;
		}
		if (!value)
			break;
		status = execute_node(shell, node->first, 0);
		if (leaves_loop(shell))
			break;
		if (*third && !arithmetic_of(shell, third, &value)) {
			status = 1;
			break;
		}
	}
	shell->loops--;
	if (shell->unwind != UNWIND_EXIT && shell->unwind != UNWIND_RETURN)
		shell->status = status;
	return shell->status;
}

static int run_case(struct shell *shell, const struct node *node)
{
	struct pool_mark mark = pool_place(shell->scratch);
	char *subject = expand_single(shell, node->words->text, EXPAND_SINGLE);
	bool falls = false;

	shell->line = node->line;
	if (!subject)
		goto out;
	shell->status = 0;
	for (const struct case_item *item = node->cases; item; item = item->next) {
		bool met = falls;

		for (const struct word *word = item->patterns; word && !met; word = word->next) {
			char *pattern = expand_single(shell, word->text, EXPAND_PATTERN);

			if (!pattern)
				goto out;
			met = pattern_matches(shell, pattern, slice_text(subject),
					      shell_option_is(shell, SHOPT_EXTGLOB),
					      shell_option_is(shell, SHOPT_NOCASEMATCH));
		}
		if (!met)
			continue;
		if (item->body->first)
			execute_node(shell, item->body, 0);
		falls = item->end == CASE_FALLS;
		if (shell->unwind || item->end == CASE_ENDS)
			break;
	}
out:
	pool_cut(shell->scratch, mark);
	return shell->status;
}

static void show_choices(struct shell *shell, const struct fields *fields)
{
	struct text text = {0};
	size_t width = 0, digits = 1, columns, rows, each, screen = 80;

	for (size_t i = 0; i < fields->count; i++)
		if (strlen(fields->at[i]) > width)
			width = strlen(fields->at[i]);
	for (size_t i = fields->count; i >= 10; i /= 10)
		digits++;
	each = width + digits + 4;
	columns = each < screen ? screen / each : 1;
	rows = (fields->count + columns - 1) / columns;
	if (rows == 1)
		rows = fields->count;
	for (size_t row = 0; row < rows; row++) {
		for (size_t i = row; i < fields->count; i += rows) {
			text_format(shell->process, &text, "%*zu) %s", (int)digits, i + 1,
				    fields->at[i]);
			if (i + rows < fields->count)
				text_format(shell->process, &text, "%*s",
					    (int)(width - strlen(fields->at[i]) + 2), "");
		}
		text_add_byte(shell->process, &text, '\n');
	}
	process_write(shell->process, 2, text_slice(&text));
	process_give(shell->process, text.data);
}

static int run_select(struct shell *shell, const struct node *node)
{
	struct pool_mark mark = pool_place(shell->scratch);
	struct fields fields = {0};
	char *arguments[] = {(char *)(uintptr_t) "read", (char *)(uintptr_t) "REPLY", NULL};
	bool show = true;

	if (node->has_in) {
		if (expand_words(shell, node->words, &fields) < 0)
			goto out;
	} else {
		for (int i = 0; i < shell->positional_count; i++)
			fields_add(shell, &fields, shell->positional[i]);
	}
	shell->status = 0;
	shell->loops++;
	while (fields.count) {
		const char *prompt = variables_get(shell, "PS3"), *reply;
		int64_t number;

		process_step(shell->process);
		if (show)
			show_choices(shell, &fields);
		message_plain(shell, "%s", prompt ? prompt : "#? ");
		if (builtin_read(shell, 2, arguments)) {
			message_plain(shell, "\n");
			shell->status = 1;
			break;
		}
		reply = variables_get(shell, "REPLY");
		show = !reply || !*reply;
		if (show)
			continue;
		if (builtin_number(reply, &number) < 0 || number < 1 ||
		    number > (int64_t)fields.count)
			number = 0;
		variables_set(shell, node->name, number ? fields.at[number - 1] : "");
		execute_node(shell, node->first, 0);
		if (leaves_loop(shell))
			break;
	}
	shell->loops--;
out:
	pool_cut(shell->scratch, mark);
	return shell->status;
}

static int define(struct shell *shell, const struct node *node)
{
	struct pool *pool;
	char *name;

	shell->line = node->line;
	name = node->name;
	if (name[strcspn(name, "$`'\"\\")] ||
	    (!shell_has(shell, SHELL_BASH) && lexer_name(name) != strlen(name) && 0)) {
		message_say(shell, "`%s': not a valid identifier", name);
		return shell->status = 1;
	}
	pool = pool_new(shell->process);
	names_define(shell, name, pool, tree_copy(pool, node->first));
	return shell->status = 0;
}

static int match_regex(struct shell *shell, const char *subject, const char *pattern)
{
	const char *why;
	struct regex_span spans[REGEX_SPANS];
	struct variable *variable;
	struct regex *regex =
		regex_new(shell->process, slice_text(pattern), REGEX_EXTENDED,
			  shell_option_is(shell, SHOPT_NOCASEMATCH) ? REGEX_IGNORE_CASE : 0, &why);
	unsigned groups;

	if (!regex)
		return 2;
	variable = array_make(shell, "BASH_REMATCH", false);
	array_clear(shell, variable->array);
	if (!regex_match(shell->process, regex, slice_text(subject), 0, spans, REGEX_SPANS)) {
		regex_free(shell->process, regex);
		return 1;
	}
	groups = regex_groups(regex);
	for (unsigned i = 0; i <= groups && i < REGEX_SPANS; i++) {
		struct slice part = {0};

		if (spans[i].start != SIZE_MAX)
			part = slice_of(subject + spans[i].start, spans[i].end - spans[i].start);
		(void)array_set(shell, variable, "", i, pool_text(shell->scratch, part), false);
	}
	regex_free(shell->process, regex);
	return 0;
}

static int compare_numbers(struct shell *shell, const char *op, const char *a, const char *b)
{
	int64_t left, right;
	bool met = false;

	if (arithmetic_value(shell, a, &left) < 0 || arithmetic_value(shell, b, &right) < 0)
		return 1;
	if (!strcmp(op, "-eq"))
		met = left == right;
	else if (!strcmp(op, "-ne"))
		met = left != right;
	else if (!strcmp(op, "-lt"))
		met = left < right;
	else if (!strcmp(op, "-le"))
		met = left <= right;
	else if (!strcmp(op, "-gt"))
		met = left > right;
	else
		met = left >= right;
	return !met;
}

static int test_two(struct shell *shell, const struct node *node)
{
	const char *op = node->name;
	const char *source = node->words->next->text;
	char *left = expand_single(shell, node->words->text, EXPAND_SINGLE), *right;
	int order;

	if (!left)
		return 1;
	if (!strcmp(op, "=~")) {
		right = expand_single(shell, source, EXPAND_REGEX);
		return right ? match_regex(shell, left, right) : 1;
	}
	if (!strcmp(op, "=") || !strcmp(op, "==") || !strcmp(op, "!=")) {
		right = expand_single(shell, source, EXPAND_PATTERN);
		if (!right)
			return 1;
		return pattern_matches(shell, right, slice_text(left), true,
				       shell_option_is(shell, SHOPT_NOCASEMATCH)) == (op[0] == '!');
	}
	right = expand_single(shell, source, EXPAND_SINGLE);
	if (!right)
		return 1;
	if (op[0] == '<' || op[0] == '>') {
		order = strcmp(left, right);
		return op[0] == '<' ? order >= 0 : order <= 0;
	}
	if (op[1] == 'n' && op[2] == 't') {
		char *arguments[] = {(char *)(uintptr_t) "test", left, (char *)(uintptr_t)op, right,
				     NULL};

		return builtin_test(shell, 4, arguments);
	}
	if (op[1] == 'o' || !strcmp(op, "-ef")) {
		char *arguments[] = {(char *)(uintptr_t) "test", left, (char *)(uintptr_t)op, right,
				     NULL};

		return builtin_test(shell, 4, arguments);
	}
	return compare_numbers(shell, op, left, right);
}

static int test_node(struct shell *shell, const struct node *node)
{
	char *operand;
	int result;

	process_step(shell->process);
	if (shell_stack_is_low(shell))
		return 2;
	switch (node->kind) {
	case NODE_TEST_NOT:
		result = test_node(shell, node->first);
		return result > 1 ? result : !result;
	case NODE_TEST_GROUP:
		return test_node(shell, node->first);
	case NODE_TEST_AND:
		result = test_node(shell, node->first);
		return result ? result : test_node(shell, node->other);
	case NODE_TEST_OR:
		result = test_node(shell, node->first);
		return result ? test_node(shell, node->other) : 0;
	default:
		break;
	}
	if (node->words->next)
		return test_two(shell, node);
	operand = expand_single(shell, node->words->text, EXPAND_SINGLE);
	if (!operand)
		return 1;
	if (!node->name)
		return !*operand;
	return builtin_test_unary(shell, node->name, operand);
}

int execute_test(struct shell *shell, const struct node *node)
{
	struct pool_mark mark = pool_place(shell->scratch);

	shell->line = node->line;
	shell->status = test_node(shell, node->other);
	pool_cut(shell->scratch, mark);
	return shell->status;
}

static int run_arithmetic(struct shell *shell, const struct node *node)
{
	int64_t value;

	shell->line = node->line;
	if (!arithmetic_of(shell, node->name, &value))
		return shell->status = 1;
	return shell->status = !value;
}

static int run_if(struct shell *shell, const struct node *node, unsigned flags)
{
	for (;;) {
		int status = condition_of(shell, node->condition);

		if (shell->unwind)
			return shell->status;
		if (status == 0)
			return execute_node(shell, node->first, flags);
		if (!node->other)
			return shell->status = 0;
		if (node->other->kind != NODE_IF)
			return execute_node(shell, node->other, flags);
		node = node->other;
	}
}

static int run(struct shell *shell, const struct node *node, unsigned flags)
{
	switch (node->kind) {
	case NODE_GROUP:
		return execute_node(shell, node->first, flags);
	case NODE_IF:
		return run_if(shell, node, flags);
	case NODE_WHILE:
	case NODE_UNTIL:
		return run_while(shell, node);
	case NODE_FOR:
		return run_for(shell, node);
	case NODE_FOR_ARITHMETIC:
		return run_for_arithmetic(shell, node);
	case NODE_SELECT:
		return run_select(shell, node);
	case NODE_CASE:
		return run_case(shell, node);
	case NODE_FUNCTION:
		return define(shell, node);
	case NODE_COPROC:
		return coproc_run(shell, node);
	case NODE_TEST:
		return execute_test(shell, node);
	case NODE_ARITHMETIC:
		return run_arithmetic(shell, node);
	default:
		return shell->status;
	}
}

int execute_compound(struct shell *shell, const struct node *node, unsigned flags)
{
	struct redirections undo;

	flags &= EXECUTE_TESTED | EXECUTE_LAST;
	if (!node->redirections)
		return run(shell, node, flags);
	shell->line = node->line;
	if (redirect_apply(shell, node->redirections, &undo, false) < 0)
		return shell->status = shell_has(shell, SHELL_DASH) ? 2 : 1;
	run(shell, node, flags & EXECUTE_TESTED);
	redirect_undo(shell, &undo);
	return shell->status;
}
