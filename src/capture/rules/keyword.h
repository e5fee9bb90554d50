/* A keyword of the rule language: one const struct keyword, one line in keywords.def.
 *
 * `read` turns the option's value into tests of the rule that is being built, through the builder_*
 * functions. Names of buffers (buffers.def) are no keywords: the builder knows them.
 */
#ifndef CAPTURE_RULES_KEYWORD_H
#define CAPTURE_RULES_KEYWORD_H

#include "capture/rules/rule.h"
#include "capture/rules/syntax.h"

#define BUILDER_TESTS_MAX 256 /* of one rule */
#define BUILDER_PARTS_MAX 64

struct builder;

struct keyword {
	const char *name;
	const char *summary;
	/* 0, or -1 after builder_fail. `value` is empty with at NULL where the option has none. */
	int (*read)(struct builder *builder, const struct keyword *keyword, struct slice value);
	int64_t argument; /* what tells keywords apart that share a function */
};

struct rule_set_names; /* names of flowbits and their numbers */

/* The rule under construction. */
struct builder {
	const struct rule_text *text;
	struct rule *rule;
	struct arena *arena;
	struct rule_set_names *names;
	enum buffer_id buffer; /* that tests go to */
	bool sticky;           /* a buffer was named in front of the tests */
	struct {
		enum buffer_id buffer;
		struct test test;
		size_t transform_from, transform_count;
	} tests[BUILDER_TESTS_MAX];
	size_t test_count;
	struct test conditions[BUILDER_TESTS_MAX];
	size_t condition_count;
	size_t transform_from, transform_count; /* for the buffer at hand */
	struct {
		transform *make;
		struct slice argument;
	} transforms[64];
	size_t transforms_used;
	size_t last_content; /* index + 1 of the content that modifiers mean */
	char variables[RULE_VARIABLES_MAX][32];
	size_t variable_count;
	struct bit_step bit_steps[32];
	size_t bit_step_count;
	struct effect effects[32];
	size_t effect_count;
	bool packet_only, stream_only, has_offsets;
	bool asks_flow;        /* there is a flow keyword */
	bool asks_application; /* app-layer-protocol names one */
	bool prefilter;
	const uint8_t *at; /* the option that is read */
	char why[200];
};

/* Says why the rule is refused; returns -1. */
int builder_fail(struct builder *builder, const char *format, ...) PRINTF(2, 3);
/* A new test of the buffer at hand; NULL when there are too many. */
struct test *builder_test(struct builder *builder);
/* A new condition. */
struct test *builder_condition(struct builder *builder);
/* Something to do after a match; NULL when there are too many. */
struct effect *builder_effect(struct builder *builder);
/* The content that a modifier stands behind; NULL after builder_fail. */
struct test *builder_last_content(struct builder *builder, const struct keyword *keyword);
/* Directs tests to a buffer from here on. */
void builder_select(struct builder *builder, enum buffer_id buffer);
/* A number, or the name of a variable that byte_extract or byte_math made. */
int builder_number(struct builder *builder, struct slice text, int64_t minimum, int64_t maximum,
		   struct rule_number *number);
/* The number of a variable, made if it is new; + 1. 0 after builder_fail. */
uint8_t builder_variable(struct builder *builder, struct slice name);
/* "5", "<5", ">5", "<=5", "!5", "1-5", "1<>5" (between, exclusive), "1<=>5". */
int builder_compare(struct builder *builder, struct slice text, struct number_test *test);
/* The number of a flowbit's name (or that of another mark or number), or -1. */
int builder_bit(struct builder *builder, struct slice name);

/* The application that rules call so; APPLICATION_NONE: none is. */
enum application_id builder_application(struct slice name);

/* NULL: unknown. */
const struct keyword *keyword_named(struct slice name);

#endif
