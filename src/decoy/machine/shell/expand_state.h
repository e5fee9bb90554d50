/* What ${...} works on; shared by expand_parameter.c and expand_operator.c. */
#ifndef DECOY_MACHINE_SHELL_EXPAND_STATE_H
#define DECOY_MACHINE_SHELL_EXPAND_STATE_H

#include "decoy/machine/shell/state.h"

struct reference {
	char *name, *subscript;
	bool special; /* no variable: $1, $?, $@ ... */
	bool list, star, set;
	char *value;
	char **values;
	size_t count;
};

void expand_reference(struct expansion *out, const struct reference *reference, unsigned flags);
/* # ## % %% */
void expand_trim(struct expansion *out, struct reference *reference, const char *op, size_t length,
		 unsigned flags);
/* / // /# /% */
void expand_replace(struct expansion *out, struct reference *reference, const char *op,
		    size_t length, unsigned flags);
/* :offset:length, behind the first colon */
void expand_substring(struct expansion *out, struct reference *reference, const char *text,
		      size_t length, unsigned flags);
/* ^ ^^ , ,, ~ ~~ */
void expand_case(struct expansion *out, struct reference *reference, const char *op, size_t length,
		 unsigned flags);
/* @Q and so on; false: no such operator. */
bool expand_transform(struct expansion *out, struct reference *reference, char op, unsigned flags);

#endif
