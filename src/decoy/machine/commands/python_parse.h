/* What the parts of Python's parser share; see python.h. */
#ifndef DECOY_MACHINE_COMMANDS_PYTHON_PARSE_H
#define DECOY_MACHINE_COMMANDS_PYTHON_PARSE_H

#include "decoy/machine/commands/python.h"

struct parser {
	struct python *py;
	struct process *process;
	struct slice source;
	struct python_token *tokens, *at;
	bool failed, beyond; /* beyond: Python's, but nothing that is run here */
	struct python_mistake *mistake;
	unsigned loops, functions; /* that the parser is in */
};

struct python_node *parse_node(struct parser *p, enum python_node_kind kind);
/* Its words end with the last token that was taken; they begin where `from` does, if given. */
struct python_node *parse_end(struct parser *p, struct python_node *node,
			      const struct python_node *from);
void parse_add(struct parser *p, struct python_node *to, struct python_node *item);
bool parse_is(const struct parser *p, const char *word);
bool parse_take(struct parser *p, const char *word);
void parse_want(struct parser *p, const char *word);
/* The mistake is at the current token, if there was none before. */
void parse_fail(struct parser *p, const char *words);
void parse_fail_at(struct parser *p, const char *words, unsigned line, struct slice at);
bool parse_is_keyword(struct slice word);
struct slice parse_name(struct parser *p);

/* python_parse_text.c */
struct python_node *parse_text(struct parser *p);
struct python_node *parse_number(struct parser *p);

/* python_parse.c */
struct python_node *parse_expression(struct parser *p);
struct python_node *parse_expressions(struct parser *p); /* or a tuple without parentheses */
struct python_node *parse_target(struct parser *p);      /* of for: names, tuples of them */
void parse_parameters(struct parser *p, struct python_node *function, const char *end);

#endif
