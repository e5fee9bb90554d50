/* PCRE2 behind a narrow door; see regex.h. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "capture/rules/regex.h"

#include <pcre2.h>
#include <stdlib.h>

#define STACK_FIRST (32 * 1024)
#define STACK_MOST  (512 * 1024)

struct regex_memory {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

struct regex_code *rule_regex_compile(struct slice pattern, unsigned flags, char why[120])
{
	uint32_t options = PCRE2_NEVER_UTF;
	PCRE2_SIZE offset;
	pcre2_code *code;
	int error;

	options |= flags & REGEX_NOCASE ? PCRE2_CASELESS : 0;
	options |= flags & REGEX_DOTALL ? PCRE2_DOTALL : 0;
	options |= flags & REGEX_MULTILINE ? PCRE2_MULTILINE : 0;
	options |= flags & REGEX_EXTENDED ? PCRE2_EXTENDED : 0;
	options |= flags & REGEX_ANCHORED ? PCRE2_ANCHORED : 0;
	options |= flags & REGEX_DOLLAR_END ? PCRE2_DOLLAR_ENDONLY : 0;
	options |= flags & REGEX_UNGREEDY ? PCRE2_UNGREEDY : 0;
	code = pcre2_compile(pattern.at, pattern.length, options, &error, &offset, NULL);
	if (!code) {
		pcre2_get_error_message(error, (PCRE2_UCHAR *)why, 120);
		return NULL;
	}
	/* Without it matching works too, slower. */
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return (struct regex_code *)code;
}

void rule_regex_free(struct regex_code *code)
{
	pcre2_code_free((pcre2_code *)code);
}

struct regex_memory *rule_regex_memory_new(void)
{
	struct regex_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return NULL;
	memory->data = pcre2_match_data_create(1, NULL);
	memory->context = pcre2_match_context_create(NULL);
	memory->stack = pcre2_jit_stack_create(STACK_FIRST, STACK_MOST, NULL);
	if (!memory->data || !memory->context || !memory->stack) {
		rule_regex_memory_free(memory);
		return NULL;
	}
	pcre2_set_match_limit(memory->context, REGEX_MATCH_LIMIT);
	pcre2_set_depth_limit(memory->context, REGEX_DEPTH_LIMIT);
	pcre2_set_heap_limit(memory->context, REGEX_HEAP_KIB);
	pcre2_jit_stack_assign(memory->context, NULL, memory->stack);
	return memory;
}

void rule_regex_memory_free(struct regex_memory *memory)
{
	if (!memory)
		return;
	pcre2_match_data_free(memory->data);
	pcre2_match_context_free(memory->context);
	pcre2_jit_stack_free(memory->stack);
	free(memory);
}

bool rule_regex_find(const struct regex_code *code, struct regex_memory *memory, struct slice in,
		     size_t from, size_t *begin, size_t *end)
{
	static const uint8_t nothing;
	const PCRE2_SIZE *place;
	int found;

	if (from > in.length)
		return false;
	found = pcre2_match((const pcre2_code *)code, in.at ? in.at : &nothing, in.length, from, 0,
			    memory->data, memory->context);
	if (found < 0)
		return false;
	place = pcre2_get_ovector_pointer(memory->data);
	*begin = place[0];
	*end = place[1] < place[0] ? place[0] : place[1];
	return true;
}

struct regex_capture {
	struct regex_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	struct regex_capture *next;
};

struct regex_capture *rule_regex_capture_new(struct slice pattern, struct regex_capture *next,
					     char why[120])
{
	struct regex_capture *capture = calloc(1, sizeof(*capture));
	uint32_t groups = 0;

	memcpy(why, "out of memory", sizeof("out of memory"));
	if (!capture)
		return NULL;
	capture->code = rule_regex_compile(pattern, 0, why);
	if (!capture->code)
		goto fail;
	(void)pcre2_pattern_info((const pcre2_code *)capture->code, PCRE2_INFO_CAPTURECOUNT,
				 &groups);
	if (groups != 1) {
		memcpy(why, "it needs one group", sizeof("it needs one group"));
		goto fail;
	}
	capture->data = pcre2_match_data_create(2, NULL);
	capture->context = pcre2_match_context_create(NULL);
	if (!capture->data || !capture->context)
		goto fail;
	pcre2_set_match_limit(capture->context, REGEX_MATCH_LIMIT);
	pcre2_set_depth_limit(capture->context, REGEX_DEPTH_LIMIT);
	pcre2_set_heap_limit(capture->context, REGEX_HEAP_KIB);
	capture->next = next;
	return capture;
fail:
	rule_regex_captures_free(capture);
	return NULL;
}

struct slice rule_regex_capture(struct regex_capture *capture, struct slice in)
{
	const PCRE2_SIZE *place = pcre2_get_ovector_pointer(capture->data);

	/* The group may have had no part in the match. */
	if (!in.length ||
	    pcre2_match((const pcre2_code *)capture->code, in.at, in.length, 0, 0, capture->data,
			capture->context) < 2 ||
	    place[3] < place[2] || place[3] > in.length)
		return in;
	return slice_of(in.at + place[2], place[3] - place[2]);
}

void rule_regex_captures_free(struct regex_capture *captures)
{
	while (captures) {
		struct regex_capture *next = captures->next;

		pcre2_match_context_free(captures->context);
		pcre2_match_data_free(captures->data);
		rule_regex_free(captures->code);
		free(captures);
		captures = next;
	}
}
