/* Regular expressions of the fake machine's programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "decoy/machine/regex.h"

/* What regex.c needs of a process: memory that is counted. */
static size_t taken;

void *process_take(struct process *process, size_t size)
{
	taken++;
	return calloc(1, size ? size : 1);
}

void *process_retake(struct process *process, void *at, size_t size)
{
	if (!at)
		taken++;
	return realloc(at, size);
}

void process_give(struct process *process, void *at)
{
	if (at)
		taken--;
	free(at);
}

void process_step(struct process *process)
{
}

void process_complain(struct process *process, const char *format, ...)
{
}

static struct process process;

/* Where the pattern matches, as "start-end", or what is wrong with it. */
static const char *match(const char *pattern, enum regex_syntax syntax, unsigned flags,
			 const char *subject)
{
	static char result[64];
	const char *why;
	struct regex_span span;
	struct regex *regex = regex_new(&process, slice_text(pattern), syntax, flags, &why);

	if (!regex)
		return why;
	if (regex_match(&process, regex, slice_text(subject), 0, &span, 1))
		snprintf(result, sizeof(result), "%zu-%zu", span.start, span.end);
	else
		snprintf(result, sizeof(result), "none");
	regex_free(&process, regex);
	return result;
}

static void basic(void **state)
{
	assert_string_equal(match("b*", REGEX_BASIC, 0, "abb"), "0-0");
	assert_string_equal(match("*b", REGEX_BASIC, 0, "a*b"), "1-3");
	assert_string_equal(match("a\\+", REGEX_BASIC, 0, "baa"), "1-3");
	assert_string_equal(match("a+", REGEX_BASIC, 0, "a+"), "0-2");
	assert_string_equal(match("x\\|yz", REGEX_BASIC, 0, "ayz"), "1-3");
	assert_string_equal(match("\\(ab\\)\\1", REGEX_BASIC, 0, "ababab"), "0-4");
	assert_string_equal(match("a\\{2,3\\}", REGEX_BASIC, 0, "aaaa"), "0-3");
	assert_string_equal(match("x^y$z", REGEX_BASIC, 0, "x^y$z"), "0-5");
	assert_string_equal(match("[]x]", REGEX_BASIC, 0, "a]"), "1-2");
	assert_string_equal(match("[^]x]", REGEX_BASIC, 0, "]a"), "1-2");
	assert_string_equal(match("[[:digit:]x-z]*$", REGEX_BASIC, 0, "ay4"), "1-3");
	assert_string_equal(match("[a\\]b", REGEX_BASIC, 0, "\\b"), "0-2");
	assert_string_equal(match("\\<b", REGEX_BASIC, 0, "ab b"), "3-4");
	assert_string_equal(match("b\\>", REGEX_BASIC, 0, "bc b"), "3-4");
}

static void extended(void **state)
{
	assert_string_equal(match("a|ab|abc", REGEX_EXTENDED, 0, "abc"), "0-3");
	assert_string_equal(match("(a|ab)(c|bcd)", REGEX_EXTENDED, 0, "abcd"), "0-4");
	assert_string_equal(match("a**", REGEX_EXTENDED, REGEX_GREP, "aa"), "0-2");
	assert_string_equal(match("a+?", REGEX_EXTENDED, REGEX_GREP, "aa"), "0-2");
	assert_string_equal(match("a{,2}", REGEX_EXTENDED, 0, "aaa"), "0-2");
	assert_string_equal(match("a{x", REGEX_EXTENDED, 0, "a{x"), "0-3");
	assert_string_equal(match("()", REGEX_EXTENDED, 0, "a"), "0-0");
	assert_string_equal(match("a)", REGEX_EXTENDED, REGEX_GREP, "a)"), "0-2");
	assert_string_equal(match("(?:a)", REGEX_EXTENDED, REGEX_GREP, ":a"), "0-2");
	assert_string_equal(match("(*ACCEPT)", REGEX_EXTENDED, REGEX_GREP, "ACCEPT"), "0-6");
}

static void wrong(void **state)
{
	assert_string_equal(match("\\(a", REGEX_BASIC, 0, ""), "Unmatched ( or \\(");
	assert_string_equal(match("a)", REGEX_EXTENDED, 0, ""), "Unmatched ) or \\)");
	assert_string_equal(match("[a", REGEX_BASIC, 0, ""), "Unmatched [, [^, [:, [., or [=");
	assert_string_equal(match("a\\{2,1\\}", REGEX_BASIC, 0, ""), "Invalid content of \\{\\}");
	assert_string_equal(match("a\\{32768\\}", REGEX_BASIC, 0, ""),
			    "Regular expression too big");
	assert_string_equal(match("a\\", REGEX_BASIC, 0, ""), "Trailing backslash");
	assert_string_equal(match("\\1", REGEX_BASIC, 0, ""), "Invalid back reference");
	assert_string_equal(match("\\(a\\1\\)", REGEX_BASIC, 0, ""), "Invalid back reference");
	assert_string_equal(match("[b-a]", REGEX_BASIC, 0, ""), "Invalid range end");
	assert_string_equal(match("[[:x:]]", REGEX_BASIC, 0, ""), "Invalid character class name");
}

static void flags(void **state)
{
	assert_string_equal(match("A", REGEX_BASIC, REGEX_IGNORE_CASE, "ba"), "1-2");
	assert_string_equal(match("a\nb", REGEX_BASIC, REGEX_ANY_OF, "xb"), "1-2");
	assert_string_equal(match("\\(a\\)\\1\n\\(b\\)\\1", REGEX_BASIC, REGEX_ANY_OF, "abb"),
			    "1-3");
	assert_string_equal(match("ab", REGEX_BASIC, REGEX_WORD, "abc ab"), "4-6");
	assert_string_equal(match("a", REGEX_BASIC, REGEX_WHOLE, "ab"), "none");
	assert_string_equal(match("^b$", REGEX_BASIC, REGEX_LINES, "a\nb\nc"), "2-3");
	assert_string_equal(match("^b$", REGEX_BASIC, 0, "a\nb\nc"), "none");
	assert_string_equal(match("a$", REGEX_BASIC, 0, "a\n"), "none");
	assert_string_equal(match("a\\tb", REGEX_BASIC, REGEX_ESCAPES, "a\tb"), "0-3");
	assert_string_equal(match("a.b", REGEX_FIXED, 0, "axb a.b"), "4-7");
	assert_string_equal(match("a{2}", REGEX_AWK, 0, "aa a{2}"), "3-7");
	assert_string_equal(match("[\\]]", REGEX_AWK, 0, "\\]"), "1-2");
	assert_string_equal(match("a(?=b)", REGEX_PERL, 0, "aab"), "1-2");
}

/* What blows other engines up must end soon, with whatever result. */
static void hostile(void **state)
{
	char subject[2048], pattern[1024];

	memset(subject, 'a', sizeof(subject) - 1);
	subject[sizeof(subject) - 1] = '\0';
	assert_string_equal(match("(a+)+$", REGEX_EXTENDED, 0, subject), "0-2047");
	assert_string_equal(match("(a|aa)+b", REGEX_EXTENDED, 0, subject), "none");
	assert_string_equal(match("(a*)*(a*)*b", REGEX_EXTENDED, 0, subject), "none");
	match("((((a{1,200}){1,200}){1,200}){1,200}){1,200}", REGEX_EXTENDED, 0, subject);
	match("(\\1a|a)*b", REGEX_EXTENDED, 0, subject);
	match("(?R)(?R)(?R)", REGEX_PERL, 0, subject);
	memset(pattern, '(', sizeof(pattern) - 1);
	pattern[sizeof(pattern) - 1] = '\0';
	assert_string_equal(match(pattern, REGEX_EXTENDED, 0, subject),
			    "Regular expression too big");
}

static void memory(void **state)
{
	assert_int_equal(taken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(basic), cmocka_unit_test(extended), cmocka_unit_test(wrong),
		cmocka_unit_test(flags), cmocka_unit_test(hostile),  cmocka_unit_test(memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
