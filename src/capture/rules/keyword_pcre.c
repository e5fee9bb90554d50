/* pcre:"/expression/flags": capital flags name the buffer it is looked for in. */
#include "capture/rules/keyword.h"
#include "capture/rules/regex.h"

#include <stdlib.h>

static const struct {
	char flag;
	enum buffer_id buffer;
} buffer_flags[] = {
	{'U', BUFFER_HTTP_URI},           {'I', BUFFER_HTTP_URI_RAW},
	{'P', BUFFER_HTTP_REQUEST_BODY},  {'H', BUFFER_HTTP_HEADER},
	{'D', BUFFER_HTTP_HEADER_RAW},    {'M', BUFFER_HTTP_METHOD},
	{'C', BUFFER_HTTP_COOKIE},        {'K', BUFFER_HTTP_COOKIE},
	{'S', BUFFER_HTTP_STATUS},        {'Y', BUFFER_HTTP_STATUS_MESSAGE},
	{'Q', BUFFER_HTTP_RESPONSE_BODY}, {'V', BUFFER_HTTP_USER_AGENT},
	{'W', BUFFER_HTTP_HOST},          {'Z', BUFFER_HTTP_HOST_RAW},
};

static const struct {
	char flag;
	unsigned option;
} option_flags[] = {
	{'i', REGEX_NOCASE},   {'s', REGEX_DOTALL},   {'m', REGEX_MULTILINE},
	{'x', REGEX_EXTENDED}, {'A', REGEX_ANCHORED}, {'E', REGEX_DOLLAR_END},
	{'G', REGEX_UNGREEDY},
};

/* A relative expression sees the rest of the buffer as if it began there. */
static bool regex_test_find(const struct test *test, struct match *m, size_t position, size_t *from,
			    size_t *end)
{
	size_t base = test->relative ? position : 0, begin;
	struct slice in;

	if (base > m->buffer.length)
		return false;
	in = slice_from(m->buffer, base);
	if (!rule_regex_find(test->as.regex.code, m->regex_memory, in, *from, &begin, end))
		return false;
	*from = begin + 1;
	*end += base;
	return true;
}

/* "\;" is how a rule writes a semicolon, "\/" a slash; both mean themselves in PCRE too. */
static int read_flags(struct builder *b, struct slice flags, unsigned *options, struct test *test)
{
	for (size_t i = 0; i < flags.length; i++) {
		char flag = (char)flags.at[i];
		bool known = flag == 'B' || flag == 'O'; /* raw bytes, no limit: ours stays */

		if (flag == 'R') {
			test->relative = true;
			continue;
		}
		for (size_t k = 0; k < ARRAY_COUNT(option_flags); k++)
			if (option_flags[k].flag == flag) {
				*options |= option_flags[k].option;
				known = true;
			}
		for (size_t k = 0; k < ARRAY_COUNT(buffer_flags) && !known; k++)
			if (buffer_flags[k].flag == flag) {
				b->tests[b->test_count - 1].buffer = buffer_flags[k].buffer;
				known = true;
			}
		if (!known)
			return builder_fail(b, "pcre does not know the flag %c", flag);
	}
	return 0;
}

static int read_pcre(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_test(b);
	struct slice inner, flags;
	unsigned options = 0;
	char why[120], delimiter;
	bool negated;
	size_t end;

	if (!test)
		return -1;
	if (rule_unquote(value, &inner, &negated) < 0)
		/* Suricata takes it without quotes too. */
		inner = negated ? slice_trim(slice_from(value, 1)) : value;
	/* "/re/flags, flow:name, ...": variables are read and not kept. */
	if (inner.length < 2)
		return builder_fail(b, "pcre needs /expression/");
	if (inner.at[0] == 'm' && inner.length > 2)
		inner = slice_from(inner, 1);
	delimiter = (char)inner.at[0];
	inner = slice_from(inner, 1);
	end = inner.length;
	while (end && inner.at[end - 1] != (uint8_t)delimiter)
		end--;
	if (!end)
		return builder_fail(b, "pcre without its second %c", delimiter);
	flags = slice_from(inner, end);
	flags = slice_first(flags, slice_find_byte(flags, ','));
	if (read_flags(b, flags, &options, test) < 0)
		return -1;
	test->negated = negated;
	test->find = regex_test_find;
	test->as.regex.code = rule_regex_compile(slice_first(inner, end - 1), options, why);
	if (!test->as.regex.code)
		return builder_fail(b, "pcre: %s", why);
	test->regex = true;
	return 0;
}

static const struct keyword table[] = {
	{"pcre", "A regular expression to find", read_pcre, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_pcre = table;
