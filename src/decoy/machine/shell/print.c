/* Trees back into text, as bash prints them. */
#include "decoy/machine/shell/tree.h"

struct printing {
	struct process *process;
	struct text *out;
	unsigned indent;
	bool lines; /* over several lines, as declare -f */
	unsigned depth;
	const struct redirection *here[8]; /* whose text is still to come */
	unsigned here_count;
};

static void put(struct printing *printing, const char *words)
{
	text_add_words(printing->process, printing->out, words);
}

static void newline(struct printing *printing)
{
	put(printing, "\n");
	for (unsigned i = 0; i < printing->here_count; i++) {
		const struct redirection *here = printing->here[i];

		put(printing, here->here);
		put(printing, here->target.text);
		put(printing, "\n");
	}
	printing->here_count = 0;
	for (unsigned i = 0; i < printing->indent; i++)
		put(printing, " ");
}

static void print_node(struct printing *printing, const struct node *node);

static void print_words(struct printing *printing, const struct word *word, const char *between)
{
	for (bool first = true; word; word = word->next, first = false) {
		if (!first)
			put(printing, between);
		put(printing, word->text);
		if (word->flags & WORD_COMPOUND) {
			put(printing, "(");
			print_words(printing, word->elements, " ");
			put(printing, ")");
		}
	}
}

static void print_redirections(struct printing *printing, const struct redirection *redirection)
{
	static const char *const operators[] = {"<",  ">",  ">|",  ">>", "<>",  "<&",
						">&", "&>", "&>>", "<<", "<<-", "<<< "};
	static const int usual[] = {0, 1, 1, 1, 0, 0, 1, 1, 1, 0, 0, 0};

	for (; redirection; redirection = redirection->next) {
		bool spaced = redirection->kind <= REDIRECT_BOTH ||
			      redirection->kind == REDIRECT_ALL ||
			      redirection->kind == REDIRECT_APPEND_ALL;
		bool dup = redirection->kind == REDIRECT_FROM || redirection->kind == REDIRECT_TO;

		put(printing, " ");
		if (redirection->variable)
			text_format(printing->process, printing->out, "{%s}",
				    redirection->variable);
		else if (redirection->descriptor >= 0 &&
			 (dup || redirection->descriptor != usual[redirection->kind]))
			text_format(printing->process, printing->out, "%d",
				    redirection->descriptor);
		else if (dup)
			text_format(printing->process, printing->out, "%d",
				    usual[redirection->kind]);
		put(printing, operators[redirection->kind]);
		if (spaced)
			put(printing, " ");
		put(printing, redirection->target.text);
		if ((redirection->kind == REDIRECT_HERE ||
		     redirection->kind == REDIRECT_HERE_TABS) &&
		    printing->here_count < 8)
			printing->here[printing->here_count++] = redirection;
	}
}

/* The commands of a list, each on its line when `lines`. */
static void print_list(struct printing *printing, const struct node *list, bool last_semicolon)
{
	const struct node *node;

	if (!list)
		return;
	for (node = list->first; node; node = node->next) {
		print_node(printing, node);
		if (node->background)
			put(printing, node->next && !printing->lines ? " & " : " &");
		else if (node->next)
			put(printing, printing->lines ? ";" : "; ");
		else if (last_semicolon)
			put(printing, ";");
		if (node->next && printing->lines)
			newline(printing);
	}
}

static void print_body(struct printing *printing, const char *before, const struct node *list,
		       const char *after)
{
	put(printing, before);
	printing->indent += 4;
	if (printing->lines)
		newline(printing);
	else
		put(printing, " ");
	print_list(printing, list, true);
	printing->indent -= 4;
	if (printing->lines)
		newline(printing);
	else
		put(printing, " ");
	put(printing, after);
}

static void if_break(struct printing *printing)
{
	if (printing->lines)
		newline(printing);
	else
		put(printing, " ");
}

/* bash shows elif as else with an if of its own. There may be thousands: no recursion. */
static void print_if(struct printing *printing, const struct node *node)
{
	size_t within = 0;

	for (;; node = node->other) {
		bool lines = printing->lines;

		put(printing, "if ");
		printing->lines = false;
		print_list(printing, node->condition, true);
		printing->lines = lines;
		if (!node->other || node->other->kind != NODE_IF)
			break;
		print_body(printing, " then", node->first, "else");
		printing->indent += 4;
		within++;
		if_break(printing);
	}
	print_body(printing, " then", node->first, node->other ? "else" : "fi");
	if (node->other)
		print_body(printing, "", node->other, "fi");
	for (; within; within--) {
		put(printing, ";");
		printing->indent -= 4;
		if_break(printing);
		put(printing, "fi");
	}
}

static void print_case(struct printing *printing, const struct node *node)
{
	static const char *const ends[] = {";;", ";&", ";;&"};

	put(printing, "case ");
	put(printing, node->words->text);
	put(printing, " in ");
	printing->indent += 4;
	for (const struct case_item *item = node->cases; item; item = item->next) {
		if (printing->lines)
			newline(printing);
		else if (item != node->cases)
			put(printing, " ");
		print_words(printing, item->patterns, " | ");
		put(printing, ")");
		printing->indent += 4;
		if (printing->lines)
			newline(printing);
		else
			put(printing, " ");
		print_list(printing, item->body, false);
		printing->indent -= 4;
		if (printing->lines)
			newline(printing);
		put(printing, ends[item->end]);
	}
	printing->indent -= 4;
	if (printing->lines)
		newline(printing);
	else
		put(printing, " ");
	put(printing, "esac");
}

static void print_for(struct printing *printing, const struct node *node)
{
	if (node->kind == NODE_FOR_ARITHMETIC) {
		put(printing, "for ((");
		print_words(printing, node->words, "; ");
		put(printing, "))");
		if (printing->lines)
			newline(printing);
		else
			put(printing, "; ");
		print_body(printing, "do", node->first, "done");
		return;
	}
	put(printing, node->kind == NODE_SELECT ? "select " : "for ");
	put(printing, node->name);
	put(printing, " in ");
	if (node->has_in)
		print_words(printing, node->words, " ");
	else
		put(printing, "\"$@\"");
	put(printing, ";");
	if (printing->lines)
		newline(printing);
	else
		put(printing, " ");
	print_body(printing, "do", node->first, "done");
}

static void print_test(struct printing *printing, const struct node *node)
{
	if (++printing->depth > 64)
		return;
	switch (node->kind) {
	case NODE_TEST_NOT:
		put(printing, "! ");
		print_test(printing, node->first);
		break;
	case NODE_TEST_GROUP:
		put(printing, "( ");
		print_test(printing, node->first);
		put(printing, " )");
		break;
	case NODE_TEST_AND:
	case NODE_TEST_OR:
		print_test(printing, node->first);
		put(printing, node->kind == NODE_TEST_AND ? " && " : " || ");
		print_test(printing, node->other);
		break;
	default:
		if (node->words->next) {
			put(printing, node->words->text);
			put(printing, " ");
			put(printing, node->name);
			put(printing, " ");
			put(printing, node->words->next->text);
		} else {
			put(printing, node->name ? node->name : "-n");
			put(printing, " ");
			put(printing, node->words->text);
		}
	}
	printing->depth--;
}

static void print_members(struct printing *printing, const struct node *node)
{
	for (const struct node *member = node->first; member; member = member->next) {
		if (member != node->first)
			put(printing, node->kind == NODE_CHAIN
					      ? (member->joint == JOINT_AND ? " && " : " || ")
					      : " | ");
		print_node(printing, member);
		if (node->kind == NODE_PIPE && member->pipe_errors)
			put(printing, " 2>&1");
	}
}

static void print_function_node(struct printing *printing, const struct node *node)
{
	put(printing, "function ");
	put(printing, node->name);
	put(printing, " ()");
	if (printing->lines)
		newline(printing);
	else
		put(printing, " ");
	print_node(printing, node->first);
}

static void print_kind(struct printing *printing, const struct node *node)
{
	switch (node->kind) {
	case NODE_SIMPLE:
		print_words(printing, node->words, " ");
		break;
	case NODE_PIPE:
	case NODE_CHAIN:
		print_members(printing, node);
		break;
	case NODE_LIST:
		print_list(printing, node, false);
		break;
	case NODE_GROUP:
		print_body(printing, printing->lines ? "{ " : "{", node->first, "}");
		break;
	case NODE_SUBSHELL:
		put(printing, "( ");
		print_list(printing, node->first, false);
		put(printing, " )");
		break;
	case NODE_IF:
		print_if(printing, node);
		break;
	case NODE_WHILE:
	case NODE_UNTIL: {
		bool lines = printing->lines;

		put(printing, node->kind == NODE_WHILE ? "while " : "until ");
		printing->lines = false;
		print_list(printing, node->condition, true);
		printing->lines = lines;
		print_body(printing, " do", node->first, "done");
		break;
	}
	case NODE_FOR:
	case NODE_SELECT:
	case NODE_FOR_ARITHMETIC:
		print_for(printing, node);
		break;
	case NODE_CASE:
		print_case(printing, node);
		break;
	case NODE_FUNCTION:
		print_function_node(printing, node);
		break;
	case NODE_COPROC:
		put(printing, "coproc ");
		put(printing, node->name);
		put(printing, " ");
		print_node(printing, node->first);
		break;
	case NODE_TEST:
		put(printing, "[[ ");
		print_test(printing, node->other);
		put(printing, " ]]");
		break;
	case NODE_ARITHMETIC:
		put(printing, "((");
		put(printing, node->name);
		put(printing, "))");
		break;
	default:
		break;
	}
}

static void print_node(struct printing *printing, const struct node *node)
{
	if (++printing->depth > 64) {
		printing->depth--;
		return;
	}
	if (node->timed)
		put(printing, node->timed_posix ? "time -p " : "time ");
	if (node->negated)
		put(printing, "! ");
	print_kind(printing, node);
	if (node->kind == NODE_SIMPLE && !node->words && node->redirections) {
		struct text rest = {0}, *out = printing->out;

		/* no blank before the first */
		printing->out = &rest;
		print_redirections(printing, node->redirections);
		printing->out = out;
		put(printing, rest.data + 1);
		process_give(printing->process, rest.data);
	} else {
		print_redirections(printing, node->redirections);
	}
	printing->depth--;
}

void print_command(struct process *process, struct text *out, const struct node *node)
{
	struct printing printing = {.process = process, .out = out};

	print_node(&printing, node);
}

void print_function(struct process *process, struct text *out, const char *name,
		    const struct node *body)
{
	struct printing printing = {.process = process, .out = out, .lines = true};

	put(&printing, name);
	put(&printing, " () \n");
	if (body->kind == NODE_GROUP && !body->redirections) {
		printing.indent = 4;
		put(&printing, "{ ");
		newline(&printing);
		print_list(&printing, body->first, false);
		printing.indent = 0;
		newline(&printing);
		put(&printing, "}");
	} else {
		put(&printing, "{ ");
		printing.indent = 4;
		newline(&printing);
		print_node(&printing, body);
		printing.indent = 0;
		newline(&printing);
		put(&printing, "}");
	}
	put(&printing, "\n");
}
