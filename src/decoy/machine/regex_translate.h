/* From POSIX patterns to Perl's; used by regex.c only. */
#ifndef DECOY_MACHINE_REGEX_TRANSLATE_H
#define DECOY_MACHINE_REGEX_TRANSLATE_H

#include "decoy/machine/regex.h"

struct regex_traits {
	bool alternatives, back_references;
	unsigned groups;
};

/* Appends the translation; NULL, or what is wrong with the pattern. */
const char *regex_translate(struct process *process, struct slice pattern, enum regex_syntax syntax,
			    unsigned flags, struct text *out, struct regex_traits *traits);

#endif
