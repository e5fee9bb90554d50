/* Regular expressions on PCRE2, within limits; see regex.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "decoy/machine/regex.h"
#include "decoy/machine/regex_translate.h"

/* Steps of one match, before it counts as none: some milliseconds at the very most. */
#define MATCH_STEPS_MAX 200000
/* Memory of one match in KiB, within what the log-in may hold. */
#define MATCH_KILOBYTES_MAX 512
/* A translated pattern; PCRE2's own bound on compiled ones is 64 KiB. */
#define PATTERN_BYTES_MAX ((size_t)256 * 1024)
/* Groups within each other, for the compiler recurses. */
#define NESTING_MAX 120
/* Numbers of work space of the matcher that finds the longest. */
#define LONGEST_WORKSPACE 1024

struct regex {
	pcre2_general_context *memory;
	pcre2_match_context *limits;
	pcre2_code *code;
	pcre2_match_data *data;
	struct regex_traits traits;
	int *workspace; /* of the longest match; made when it is needed first */
};

/* PCRE2's memory is the process's, so it goes with the process. */
static void *take(size_t size, void *context)
{
	return process_take(context, size);
}

static void give(void *at, void *context)
{
	process_give(context, at);
}

static const char *compile(struct process *process, struct regex *regex, struct slice pattern,
			   uint32_t options, bool perl)
{
	pcre2_compile_context *context = pcre2_compile_context_create(regex->memory);
	int error = 0;
	PCRE2_SIZE offset;

	pcre2_set_parens_nest_limit(context, NESTING_MAX);
	pcre2_set_max_pattern_length(context, PATTERN_BYTES_MAX);
	regex->code =
		pcre2_compile(pattern.at ? pattern.at : (const uint8_t *)"", pattern.length,
			      options | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_UTF |
				      PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C,
			      &error, &offset, context);
	pcre2_compile_context_free(context);
	if (!regex->code && perl) {
		uint8_t *words = process_take(process, 128);

		pcre2_get_error_message(error, words, 128);
		return (const char *)words;
	}
	return regex->code ? NULL : "Regular expression too big";
}

/* Each line of the pattern as an alternative. */
static const char *translate_all(struct process *process, struct slice pattern,
				 enum regex_syntax syntax, unsigned flags, struct text *out,
				 struct regex_traits *traits)
{
	const char *why = NULL;

	if ((flags & REGEX_ANY_OF) == 0)
		return regex_translate(process, pattern, syntax, flags, out, traits);
	while (!why) {
		size_t end = slice_find_byte(pattern, '\n');
		struct slice part = slice_first(pattern, end);

		text_add_words(process, out, "(?:");
		why = regex_translate(process, part, syntax, flags, out, traits);
		text_add_words(process, out, ")");
		if (end == SIZE_MAX)
			break;
		traits->alternatives = true;
		text_add_words(process, out, "|");
		pattern = slice_from(pattern, end + 1);
	}
	return why;
}

static const char *build(struct process *process, struct regex *regex, struct slice pattern,
			 enum regex_syntax syntax, unsigned flags)
{
	struct text text = {0};
	const char *why = NULL;
	uint32_t options = 0;

	if (flags & REGEX_IGNORE_CASE)
		options |= PCRE2_CASELESS;
	if (flags & REGEX_LINES)
		options |= PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX;
	if (flags & REGEX_WHOLE)
		text_add_words(process, &text, "\\A(?:");
	if (flags & REGEX_WORD)
		text_add_words(process, &text, "(?<!\\w)(?:");
	if (syntax == REGEX_PERL) {
		text_add(process, &text, pattern);
		regex->traits.back_references = true; /* never the longest: Perl's first */
	} else
		why = translate_all(process, pattern, syntax, flags, &text, &regex->traits);
	if (flags & REGEX_WORD)
		text_add_words(process, &text, ")(?!\\w)");
	if (flags & REGEX_WHOLE)
		text_add_words(process, &text, ")\\z");
	if (!why)
		why = compile(process, regex, text_slice(&text), options, syntax == REGEX_PERL);
	process_give(process, text.data);
	return why;
}

struct regex *regex_new(struct process *process, struct slice pattern, enum regex_syntax syntax,
			unsigned flags, const char **why)
{
	struct regex *regex = process_take(process, sizeof(*regex));

	regex->memory = pcre2_general_context_create(take, give, process);
	*why = build(process, regex, pattern, syntax, flags);
	if (*why) {
		regex_free(process, regex);
		return NULL;
	}
	regex->limits = pcre2_match_context_create(regex->memory);
	pcre2_set_match_limit(regex->limits, MATCH_STEPS_MAX);
	pcre2_set_depth_limit(regex->limits, MATCH_STEPS_MAX);
	pcre2_set_heap_limit(regex->limits, MATCH_KILOBYTES_MAX);
	regex->data = pcre2_match_data_create(REGEX_SPANS, regex->memory);
	return regex;
}

void regex_free(struct process *process, struct regex *regex)
{
	if (!regex)
		return;
	pcre2_match_data_free(regex->data);
	pcre2_match_context_free(regex->limits);
	pcre2_code_free(regex->code);
	pcre2_general_context_free(regex->memory);
	process_give(process, regex->workspace);
	process_give(process, regex);
}

unsigned regex_groups(const struct regex *regex)
{
	uint32_t count = 0;

	pcre2_pattern_info(regex->code, PCRE2_INFO_CAPTURECOUNT, &count);
	return count;
}

/* The longest match at or after start, by the matcher without back-tracking: its end, and where it
 * starts; false: none, or this matcher cannot. */
static bool longest(struct process *process, struct regex *regex, struct slice subject,
		    size_t start, uint32_t options, struct regex_span *span)
{
	const size_t *found;
	int count;

	if (regex->traits.back_references)
		return false;
	if (!regex->workspace)
		regex->workspace =
			process_take(process, LONGEST_WORKSPACE * sizeof(*regex->workspace));
	count = pcre2_dfa_match(regex->code, subject.at, subject.length, start, options,
				regex->data, regex->limits, regex->workspace, LONGEST_WORKSPACE);
	if (count < 0)
		return false;
	found = pcre2_get_ovector_pointer(regex->data);
	span->start = found[0];
	span->end = found[1];
	return true;
}

static void fill(const struct regex *regex, int count, struct regex_span *spans, size_t wanted)
{
	const size_t *found = pcre2_get_ovector_pointer(regex->data);

	if (count == 0) /* more groups than we ask for */
		count = REGEX_SPANS;
	for (size_t i = 0; i < wanted; i++) {
		bool set = i < (size_t)count && i < REGEX_SPANS;

		spans[i].start = set ? found[2 * i] : SIZE_MAX;
		spans[i].end = set ? found[2 * i + 1] : SIZE_MAX;
	}
}

bool regex_match(struct process *process, struct regex *regex, struct slice subject, size_t start,
		 struct regex_span *spans, size_t count)
{
	struct regex_span span;
	int found;

	if (!subject.at)
		subject.at = (const uint8_t *)"";
	found = pcre2_match(regex->code, subject.at, subject.length, start, 0, regex->data,
			    regex->limits);
	if (found == PCRE2_ERROR_NOMATCH)
		return false;
	if (found < 0) { /* took too long: this one does not look back */
		if (!longest(process, regex, subject, start, 0, &span))
			return false;
		for (size_t i = 0; i < count; i++)
			spans[i] = i == 0 ? span : (struct regex_span){SIZE_MAX, SIZE_MAX};
		return true;
	}
	if (count == 0)
		return true;
	fill(regex, found, spans, count);
	if (!regex->traits.alternatives || regex->traits.back_references ||
	    !longest(process, regex, subject, spans[0].start, PCRE2_ANCHORED, &span) ||
	    span.end <= spans[0].end)
		return true;
	/* The first match that Perl finds is shorter: find the groups of the longest. */
	found = count == 1 ? -1
			   : pcre2_match(regex->code, subject.at, span.end, span.start,
					 PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NOTEOL,
					 regex->data, regex->limits);
	if (found >= 0)
		fill(regex, found, spans, count);
	spans[0] = span;
	return true;
}

int regex_test(struct process *process, const char *pattern, enum regex_syntax syntax,
	       unsigned flags, struct slice subject)
{
	const char *why;
	struct regex *regex = regex_new(process, slice_text(pattern), syntax, flags, &why);
	bool matches;

	if (!regex)
		return -1;
	matches = regex_match(process, regex, subject, 0, NULL, 0);
	regex_free(process, regex);
	return matches;
}
