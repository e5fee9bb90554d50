/* Regular expressions of the fake machine's programs: POSIX basic and extended with GNU's
 * additions, awk's and Perl's, translated to PCRE2 and matched within limits, so that no pattern
 * costs more than a few milliseconds or the process's share of memory (glibc's own engine has no
 * bounds).
 *
 * Bytes, not letters, as in the C locale. Where alternatives differ in length the longest match is
 * looked for as POSIX asks; sub-matches within it are Perl's.
 */
#ifndef DECOY_MACHINE_REGEX_H
#define DECOY_MACHINE_REGEX_H

#include "decoy/machine/process.h"

enum regex_syntax {
	REGEX_FIXED,
	REGEX_BASIC,
	REGEX_EXTENDED,
	REGEX_AWK, /* extended; no {n,m} as mawk 1.3.4 of Debian 12; escapes in brackets */
	REGEX_PERL,
};
enum {
	REGEX_IGNORE_CASE = 1,
	REGEX_LINES = 2,   /* ^ and $ match at line ends within the subject (sed's M) */
	REGEX_ANY_OF = 4,  /* each line of the pattern is a pattern (grep) */
	REGEX_WORD = 8,    /* matches whole words (grep -w) */
	REGEX_WHOLE = 16,  /* matches the whole subject (grep -x) */
	REGEX_GREP = 32,   /* forgives what grep forgives: a** a) *a */
	REGEX_ESCAPES = 64 /* \n \t \xHH and so on mean control characters (sed) */
};

struct regex;
struct regex_span {
	size_t start, end; /* SIZE_MAX: took no part */
};
#define REGEX_SPANS 10

/* In the process's memory. NULL with *why, glibc's words ("Unmatched ( or \\("). */
struct regex *regex_new(struct process *process, struct slice pattern, enum regex_syntax syntax,
			unsigned flags, const char **why);
void regex_free(struct process *process, struct regex *regex); /* accepts NULL */
/* Number of ( ) groups. */
unsigned regex_groups(const struct regex *regex);
/* The leftmost longest match at or after `start`; what stands before start is seen by ^ and \<.
 * spans may be NULL, else count of them are filled. A match that would take too long is none. */
bool regex_match(struct process *process, struct regex *regex, struct slice subject, size_t start,
		 struct regex_span *spans, size_t count);
/* For a pattern once: true when it matches anywhere in the subject. -1: wrong pattern. */
int regex_test(struct process *process, const char *pattern, enum regex_syntax syntax,
	       unsigned flags, struct slice subject);

#endif
