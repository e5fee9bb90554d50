/* awk as Debian's mawk 1.3.4: statements, rules and options. */
#include <ctype.h>

#include "decoy/machine/commands/text_awk.h"

/* --- statements --- */

static void print(struct awk *awk, struct awk_node *node)
{
	struct awk_stream *stream = NULL;
	struct text text = {0};

	text_add_words(awk->process, &text, "");
	if (node->kind == AWK_NODE_PRINTF) {
		awk_format(awk, node->a, &text);
	} else if (!node->a) {
		struct awk_value record = awk_get_field(awk, 0);
		struct awk_string *string = awk_to_string(awk, &record, true);

		text_add(awk->process, &text, awk_slice(string));
		awk_drop_string(awk, string);
		awk_drop(awk, record);
	}
	for (struct awk_node *part = node->kind == AWK_NODE_PRINT ? node->a : NULL; part;
	     part = part->next) {
		struct awk_value value = awk_eval(awk, part);
		struct awk_string *string = awk_to_string(awk, &value, true);

		text_add(awk->process, &text, awk_slice(string));
		awk_drop_string(awk, string);
		awk_drop(awk, value);
		if (part->next) {
			string = awk_to_string(awk, &awk->variables[AWK_OFS].value, false);
			text_add(awk->process, &text, awk_slice(string));
			awk_drop_string(awk, string);
		}
	}
	if (node->kind == AWK_NODE_PRINT) {
		struct awk_string *end = awk_to_string(awk, &awk->variables[AWK_ORS].value, false);

		text_add(awk->process, &text, awk_slice(end));
		awk_drop_string(awk, end);
	}
	if (node->operation) {
		struct awk_string *name = awk_eval_string(awk, node->b);

		stream = awk_output(awk, awk_slice(name), node->operation);
		awk_drop_string(awk, name);
	}
	awk_write(awk, stream, text_slice(&text));
	process_give(awk->process, text.data);
}

/* What a loop does with how its body ended: true when it goes on. */
static bool goes_on(struct awk *awk, enum awk_flow flow)
{
	process_step(awk->process);
	if (flow == AWK_GO_ON)
		return true;
	if (flow == AWK_FLOW_CONTINUE) {
		awk->flow = AWK_GO_ON;
		return true;
	}
	if (flow == AWK_FLOW_BREAK)
		awk->flow = AWK_GO_ON;
	return false;
}

static void loop(struct awk *awk, struct awk_node *node)
{
	switch (node->kind) {
	case AWK_NODE_WHILE:
		while (awk_eval_true(awk, node->a) && awk->flow == AWK_GO_ON &&
		       goes_on(awk, awk_run(awk, node->b)))
			continue;
		return;
	case AWK_NODE_DO:
		while (goes_on(awk, awk_run(awk, node->b)) && awk_eval_true(awk, node->a))
			continue;
		return;
	default:
		awk_run(awk, node->a);
		while ((!node->b || awk_eval_true(awk, node->b)) && awk->flow == AWK_GO_ON &&
		       goes_on(awk, awk_run(awk, node->d)))
			awk_run(awk, node->c);
		return;
	}
}

static void loop_keys(struct awk *awk, struct awk_node *node)
{
	struct awk_table *table = awk_eval_table(awk, node->b);
	size_t count;
	struct awk_string **keys = awk_table_keys(awk, table, &count);
	bool on = true;

	for (size_t i = 0; i < count; i++) {
		if (on) {
			awk_assign(awk, node->a,
				   (struct awk_value){.type = AWK_STRING, .string = keys[i]});
			on = goes_on(awk, awk_run(awk, node->d));
		} else
			awk_drop_string(awk, keys[i]);
	}
	process_give(awk->process, keys);
}

static void delete (struct awk *awk, struct awk_node *node)
{
	struct awk_table *table = awk_eval_table(awk, node->a);
	struct awk_string *key;

	if (!node->b) {
		awk_table_clear(awk, table);
		return;
	}
	key = awk_eval_key(awk, node->b);
	awk_table_remove(awk, table, awk_slice(key));
	awk_drop_string(awk, key);
}

static void leave(struct awk *awk, struct awk_node *node)
{
	switch (node->kind) {
	case AWK_NODE_NEXT:
		awk->flow = AWK_FLOW_NEXT;
		break;
	case AWK_NODE_NEXT_FILE:
		awk->flow = AWK_FLOW_NEXT_FILE;
		break;
	case AWK_NODE_BREAK:
		awk->flow = AWK_FLOW_BREAK;
		break;
	case AWK_NODE_CONTINUE:
		awk->flow = AWK_FLOW_CONTINUE;
		break;
	case AWK_NODE_EXIT:
		if (node->a)
			awk->status = (int)((int64_t)awk_eval_number(awk, node->a) & 255);
		awk->flow = AWK_FLOW_EXIT;
		break;
	default:
		if (node->a)
			awk->result = awk_eval(awk, node->a);
		if (awk->flow == AWK_GO_ON)
			awk->flow = AWK_FLOW_RETURN;
		break;
	}
}

enum awk_flow awk_run(struct awk *awk, struct awk_node *node)
{
	if (!node)
		return awk->flow;
	awk_check_stack(awk);
	process_step(awk->process);
	switch (node->kind) {
	case AWK_NODE_BLOCK:
		for (struct awk_node *one = node->a; one; one = one->next) {
			if (awk_run(awk, one) != AWK_GO_ON)
				break;
		}
		break;
	case AWK_NODE_EXPRESSION:
		awk_drop(awk, awk_eval(awk, node->a));
		break;
	case AWK_NODE_PRINT:
	case AWK_NODE_PRINTF:
		print(awk, node);
		break;
	case AWK_NODE_IF:
		awk_run(awk, awk_eval_true(awk, node->a) ? node->b : node->c);
		break;
	case AWK_NODE_WHILE:
	case AWK_NODE_DO:
	case AWK_NODE_FOR:
		loop(awk, node);
		break;
	case AWK_NODE_FOR_IN:
		loop_keys(awk, node);
		break;
	case AWK_NODE_DELETE:
		delete (awk, node);
		break;
	default:
		leave(awk, node);
		break;
	}
	return awk->flow;
}

/* --- rules --- */

static bool applies(struct awk *awk, struct awk_rule *rule)
{
	switch (rule->kind) {
	case AWK_ALWAYS:
		return true;
	case AWK_PATTERN:
		return awk_eval_true(awk, rule->from);
	case AWK_RANGE:
		if (!rule->within && !awk_eval_true(awk, rule->from))
			return false;
		rule->within = !awk_eval_true(awk, rule->to);
		return true;
	default:
		return false;
	}
}

static void run_record(struct awk *awk, struct awk_node *print_record)
{
	for (struct awk_rule *rule = awk->rules; rule; rule = rule->next) {
		if (rule->kind < AWK_ALWAYS || !applies(awk, rule))
			continue;
		awk_run(awk, rule->body ? rule->body : print_record);
		if (awk->flow != AWK_GO_ON)
			return;
	}
}

static void run_kind(struct awk *awk, int kind)
{
	for (struct awk_rule *rule = awk->rules; rule && awk->flow == AWK_GO_ON;
	     rule = rule->next) {
		if ((int)rule->kind == kind)
			awk_run(awk, rule->body);
	}
}

static void run_main(struct awk *awk)
{
	struct awk_node *print_record = awk_node_new(awk, AWK_NODE_PRINT);
	struct slice record;

	while (awk->flow == AWK_GO_ON && awk_main_record(awk, &record)) {
		struct awk_value *numbers[] = {&awk->variables[AWK_NR].value,
					       &awk->variables[AWK_FNR].value};

		for (size_t i = 0; i < ARRAY_COUNT(numbers); i++) {
			double number = awk_to_number(numbers[i]) + 1;

			awk_drop(awk, *numbers[i]);
			*numbers[i] = awk_number(number);
		}
		awk_set_record(awk, awk_string(awk, AWK_INPUT, record));
		run_record(awk, print_record);
		if (awk->flow == AWK_FLOW_NEXT_FILE)
			awk_skip_file(awk);
		if (awk->flow == AWK_FLOW_NEXT || awk->flow == AWK_FLOW_NEXT_FILE)
			awk->flow = AWK_GO_ON;
	}
}

static int run_program(struct awk *awk)
{
	run_kind(awk, AWK_BEGIN);
	if (awk->flow == AWK_GO_ON && (awk->has_main || awk->has_end))
		run_main(awk);
	if (awk->flow != AWK_FLOW_EXIT || awk->has_main || awk->has_end) {
		awk->flow = AWK_GO_ON;
		run_kind(awk, AWK_END);
	}
	awk_close_all(awk);
	return awk->status;
}

/* --- start --- */

static const char *const special_names[AWK_SPECIALS] = {
	[AWK_NR] = "NR",           [AWK_NF] = "NF",
	[AWK_FNR] = "FNR",         [AWK_FS] = "FS",
	[AWK_OFS] = "OFS",         [AWK_ORS] = "ORS",
	[AWK_RS] = "RS",           [AWK_FILENAME] = "FILENAME",
	[AWK_SUBSEP] = "SUBSEP",   [AWK_RSTART] = "RSTART",
	[AWK_RLENGTH] = "RLENGTH", [AWK_CONVFMT] = "CONVFMT",
	[AWK_OFMT] = "OFMT",       [AWK_ENVIRON] = "ENVIRON",
	[AWK_ARGC] = "ARGC",       [AWK_ARGV] = "ARGV",
};

static void put_key(struct awk *awk, unsigned array, struct slice key, struct slice text)
{
	struct awk_cell *cell = &awk->variables[array];

	if (!cell->table)
		cell->table = awk_table_new(awk);
	*awk_table_find(awk, cell->table, key, true) = awk_string(awk, AWK_INPUT, text);
}

static void prepare(struct awk *awk, int argc, char **argv)
{
	static const struct {
		unsigned index;
		const char *text;
	} defaults[] = {{AWK_FS, " "},         {AWK_OFS, " "},     {AWK_ORS, "\n"},
			{AWK_RS, "\n"},        {AWK_FILENAME, ""}, {AWK_SUBSEP, "\034"},
			{AWK_CONVFMT, "%.6g"}, {AWK_OFMT, "%.6g"}};

	awk->variables = process_take(awk->process, awk->globals.count * sizeof(*awk->variables));
	for (size_t i = 0; i < ARRAY_COUNT(defaults); i++)
		awk->variables[defaults[i].index].value =
			awk_string(awk, AWK_STRING, slice_text(defaults[i].text));
	awk->variables[AWK_NR].value = awk_number(0);
	awk->variables[AWK_FNR].value = awk_number(0);
	awk->variables[AWK_NF].value = awk_number(0);
	awk->variables[AWK_RLENGTH].value = awk_number(-1);
	awk->variables[AWK_RSTART].value = awk_number(0);
	awk->variables[AWK_ARGC].value = awk_number(argc);
	for (int i = 0; i < argc; i++) {
		char key[24];
		struct writer w = writer_fixed(key, sizeof(key));

		writer_decimal(&w, i);
		put_key(awk, AWK_ARGV, writer_slice(&w), slice_text(argv[i]));
	}
	for (char **at = awk->process->environment; at && *at; at++) {
		struct slice line = slice_text(*at);
		size_t equals = slice_find_byte(line, '=');

		if (equals != SIZE_MAX)
			put_key(awk, AWK_ENVIRON, slice_first(line, equals),
				slice_from(line, equals + 1));
	}
	awk->is_split = awk->is_whole = true;
	awk->record = awk_string(awk, AWK_INPUT, SLICE(""));
	awk->random = process_random_number(awk->process, UINT64_MAX) | 1;
	awk->seed = (uint64_t)(process_now(awk->process) / 1000000);
}

/* -v NAME=value and -F. */
static void set_given(struct awk *awk, const char *name, size_t length, struct slice text)
{
	struct text value = {0};

	awk_unescape(awk, text, &value);
	for (unsigned i = 0; i < awk->globals.count; i++) {
		if (slice_is(slice_of(name, length), awk->globals.names[i]))
			awk_set_variable(awk, i, awk_string(awk, AWK_INPUT, text_slice(&value)));
	}
	process_give(awk->process, value.data);
}

static const char help_words[] = "Usage: mawk [Options] [Program] [file ...]\n\n"
				 "Options:\n"
				 "    -f program-file  take the program from a file\n"
				 "    -F value         field separator\n"
				 "    -v var=value     assign before the program starts\n"
				 "    --               end of options\n"
				 "    -W version       version information\n"
				 "    -W help          this text\n";

struct awk_options {
	struct text program;
	bool has_program;
	const char *separator;
	char **assignments;
	int assignment_count, index;
};

_Noreturn static void wrong_option(struct process *process, const char *before, const char *option,
				   const char *behind)
{
	if (process->busybox)
		command_busybox_usage(process, process->argv[0]);
	else
		process_error(process, "%s: %s%s%s\n", process->argv[0], before, option, behind);
	process_exit(process, process->busybox ? 1 : 2);
}

static void add_program_file(struct process *process, struct awk_options *options, const char *name)
{
	int descriptor = text_open_quiet(process, name);
	int error = descriptor < 0 ? descriptor
				   : process_read_all(process, descriptor, TEXT_WHOLE_MAX,
						      &options->program);

	if (error < 0) {
		process_error(process, "%s: cannot open %s (%s)\n", process->argv[0], name,
			      strerror(-error));
		process_exit(process, 2);
	}
	text_close(process, descriptor);
	text_add_byte(process, &options->program, '\n');
	options->has_program = true;
}

static void implementation_option(struct process *process, const char *word)
{
	if (strncmp(word, "v", 1) == 0) {
		process_put_text(process,
				 "mawk 1.3.4 20200120\nCopyright 2008-2019,2020, Thomas E. "
				 "Dickey\nCopyright 1991-1996,2014, Michael D. Brennan\n\n"
				 "random-funcs:       srandom/random\n"
				 "regex-funcs:        internal\ncompiled limits:\n"
				 "sprintf buffer      8192\n"
				 "maximum-integer     2147483647\n");
		process_exit(process, 0);
	}
	if (strncmp(word, "h", 1) == 0 || strncmp(word, "u", 1) == 0) {
		process_put_text(process, help_words);
		process_exit(process, 0);
	}
}

static void read_options(struct process *process, struct awk_options *options, int argc,
			 char **argv)
{
	int i;

	options->assignments = process_take(process, (size_t)argc * sizeof(char *));
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *argument = argv[i] + 2;
		char letter = argv[i][1];

		if (strcmp(argv[i], "--") == 0) {
			i++;
			break;
		}
		if (!strchr("fFvW", letter))
			wrong_option(process, "not an option: ", argv[i], "");
		if (*argument == '\0') {
			if (++i == argc) {
				wrong_option(process, "option ", argv[i - 1], " lacks argument");
			}
			argument = argv[i];
		}
		if (letter == 'f')
			add_program_file(process, options, argument);
		else if (letter == 'F')
			options->separator = argument;
		else if (letter == 'W')
			implementation_option(process, argument);
		else {
			if (!strchr(argument, '='))
				wrong_option(process, "improper assignment: -v ", argument, "");
			options->assignments[options->assignment_count++] =
				process_copy_text(process, argument);
		}
	}
	options->index = i;
}

static int awk_main(struct process *process, int argc, char **argv)
{
	struct awk *awk = process_take(process, sizeof(*awk));
	struct awk_options options = {0};
	char **names;

	awk->process = process;
	awk->stack_top = __builtin_frame_address(0);
	awk->rules_end = &awk->rules;
	for (unsigned i = 0; i < AWK_SPECIALS; i++)
		awk_intern(awk, &awk->globals, special_names[i]);
	read_options(process, &options, argc, argv);
	if (!options.has_program) {
		if (options.index >= argc) {
			if (process->busybox)
				command_busybox_usage(process, argv[0]);
			else
				process_error(process, "%s", help_words);
			return process->busybox;
		}
		text_add_words(process, &options.program, argv[options.index++]);
	}
	awk_lex_start(awk, text_slice(&options.program));
	awk_parse(awk);
	names = process_take(process, ((size_t)argc + 1) * sizeof(*names));
	names[0] = argv[0];
	for (int i = options.index; i < argc; i++)
		names[i - options.index + 1] = argv[i];
	prepare(awk, argc - options.index + 1, names);
	if (options.separator)
		set_given(awk, "FS", 2, slice_text(options.separator));
	for (int i = 0; i < options.assignment_count; i++) {
		struct slice given = slice_text(options.assignments[i]);
		size_t equals = slice_find_byte(given, '=');

		set_given(awk, options.assignments[i], equals, slice_from(given, equals + 1));
	}
	return run_program(awk);
}

static const char *const awk_names[] = {"awk", "nawk", NULL};
static const struct command commands[] = {
	{"mawk", awk_main, COMMAND_DEBIAN, NULL, awk_names},
	{"awk", awk_main, COMMAND_BUSYBOX},
	{NULL},
};
const struct command_family command_family_text_awk = {"text_awk", commands};
