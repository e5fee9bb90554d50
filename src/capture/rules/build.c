/* Building rules; see build.h. */
#include "capture/rules/build.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/rules/regex.h"

#define FAMILY(name) extern const struct keyword *const keywords_##name;
#include "capture/rules/keywords.def"
#undef FAMILY

const struct keyword *keyword_named(struct slice name)
{
	const struct keyword *const tables[] = {
#define FAMILY(name) keywords_##name,
#include "capture/rules/keywords.def"
#undef FAMILY
	};

	for (size_t i = 0; i < ARRAY_COUNT(tables); i++)
		for (const struct keyword *keyword = tables[i]; keyword->name; keyword++)
			if (slice_is(name, keyword->name))
				return keyword;
	return NULL;
}

int builder_fail(struct builder *b, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(b->why, sizeof(b->why), format, arguments);
	va_end(arguments);
	return -1;
}

struct test *builder_test(struct builder *b)
{
	if (b->test_count == BUILDER_TESTS_MAX) {
		(void)builder_fail(b, "more than %d tests", BUILDER_TESTS_MAX);
		return NULL;
	}
	b->tests[b->test_count].buffer = b->buffer;
	b->tests[b->test_count].transform_from = b->transform_from;
	b->tests[b->test_count].transform_count = b->transform_count;
	memset(&b->tests[b->test_count].test, 0, sizeof(struct test));
	return &b->tests[b->test_count++].test;
}

struct test *builder_condition(struct builder *b)
{
	if (b->condition_count == BUILDER_TESTS_MAX) {
		(void)builder_fail(b, "more than %d conditions", BUILDER_TESTS_MAX);
		return NULL;
	}
	memset(&b->conditions[b->condition_count], 0, sizeof(struct test));
	return &b->conditions[b->condition_count++];
}

struct effect *builder_effect(struct builder *b)
{
	if (b->effect_count == ARRAY_COUNT(b->effects)) {
		(void)builder_fail(b, "more than %zu effects", ARRAY_COUNT(b->effects));
		return NULL;
	}
	b->rule->sets_bits = true;
	return &b->effects[b->effect_count++];
}

struct test *builder_last_content(struct builder *b, const struct keyword *keyword)
{
	if (!b->last_content) {
		(void)builder_fail(b, "%s needs a content in front of it", keyword->name);
		return NULL;
	}
	return &b->tests[b->last_content - 1].test;
}

void builder_select(struct builder *b, enum buffer_id buffer)
{
	b->buffer = buffer;
	b->sticky = true;
	b->transform_from = b->transforms_used;
	b->transform_count = 0;
}

uint8_t builder_variable(struct builder *b, struct slice name)
{
	if (!name.length || name.length >= sizeof(b->variables[0])) {
		(void)builder_fail(b, "a variable's name has 1 to 31 letters");
		return 0;
	}
	for (size_t i = 0; i < b->variable_count; i++)
		if (slice_is(name, b->variables[i]))
			return (uint8_t)(i + 1);
	if (b->variable_count == RULE_VARIABLES_MAX) {
		(void)builder_fail(b, "more than %d variables", RULE_VARIABLES_MAX);
		return 0;
	}
	memcpy(b->variables[b->variable_count], name.at, name.length);
	b->variables[b->variable_count][name.length] = '\0';
	return (uint8_t)++b->variable_count;
}

int builder_number(struct builder *b, struct slice text, int64_t minimum, int64_t maximum,
		   struct rule_number *number)
{
	int64_t value;

	text = slice_trim(text);
	if (text.length && text.at[0] == '+')
		text = slice_from(text, 1);
	if (slice_number(text, minimum, maximum, &value) == 0) {
		*number = (struct rule_number){value, 0};
		return 0;
	}
	for (size_t i = 0; i < b->variable_count; i++)
		if (slice_is(text, b->variables[i])) {
			*number = (struct rule_number){0, (uint8_t)(i + 1)};
			return 0;
		}
	return builder_fail(b, "%.*s is neither a number from %lld to %lld nor a variable",
			    (int)slice_first(text, 40).length, (const char *)text.at,
			    (long long)minimum, (long long)maximum);
}

/* Decimal or 0x hexadecimal. */
static int plain_number(struct slice text, int64_t *number)
{
	int64_t value = 0;

	text = slice_trim(text);
	if (!slice_starts_nocase(text, "0x"))
		return slice_number(text, 0, INT64_MAX, number);
	text = slice_from(text, 2);
	if (!text.length || text.length > 15)
		return -1;
	for (size_t i = 0; i < text.length; i++) {
		int digit = hex_value(text.at[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	*number = value;
	return 0;
}

static bool read_range(struct slice text, const char *between, struct number_test *test)
{
	size_t at = slice_find(text, slice_text(between));

	if (at == SIZE_MAX || at == 0)
		return false;
	test->compare = COMPARE_BETWEEN;
	return plain_number(slice_first(text, at), &test->low) == 0 &&
	       plain_number(slice_from(text, at + strlen(between)), &test->high) == 0;
}

int builder_compare(struct builder *b, struct slice text, struct number_test *test)
{
	static const struct {
		const char *sign;
		enum compare compare;
	} signs[] = {{"<=", COMPARE_AT_MOST}, {">=", COMPARE_AT_LEAST}, {"!=", COMPARE_NOT},
		     {"<", COMPARE_LESS},     {">", COMPARE_MORE},      {"!", COMPARE_NOT},
		     {"=", COMPARE_EQUAL}};

	text = slice_trim(text);
	if (read_range(text, "<=>", test) || read_range(text, "-", test))
		return 0;
	/* "1<>5": neither 1 nor 5. */
	if (read_range(text, "<>", test)) {
		test->low++;
		test->high--;
		return 0;
	}
	test->compare = COMPARE_EQUAL;
	for (size_t i = 0; i < ARRAY_COUNT(signs); i++)
		if (slice_starts(text, signs[i].sign)) {
			test->compare = signs[i].compare;
			text = slice_from(text, strlen(signs[i].sign));
			break;
		}
	if (plain_number(text, &test->low) < 0)
		return builder_fail(b, "%.*s is no number or range of numbers",
				    (int)slice_first(text, 40).length, (const char *)text.at);
	return 0;
}

int builder_bit(struct builder *b, struct slice name)
{
	struct rule_set_names *names = b->names;

	if (!name.length)
		return builder_fail(b, "a flowbit without a name");
	for (size_t i = 0; i < names->count; i++)
		if (slice_equal(names->items[i], name))
			return (int)i;
	if (names->count == NAMES_MAX)
		return builder_fail(b, "more than %d names of flowbits", NAMES_MAX);
	names->items[names->count] = arena_copy(b->arena, name);
	if (!names->items[names->count].at)
		return builder_fail(b, "out of memory");
	return (int)names->count++;
}

/* --- header --- */

static int read_action(struct builder *b)
{
	static const struct {
		const char *name;
		enum rule_action action;
	} actions[] = {{"alert", ACTION_ALERT},      {"pass", ACTION_PASS},
		       {"drop", ACTION_DROP},        {"reject", ACTION_REJECT},
		       {"block", ACTION_DROP},       {"log", ACTION_LOG},
		       {"rejectsrc", ACTION_REJECT}, {"rejectdst", ACTION_REJECT},
		       {"rejectboth", ACTION_REJECT}};

	for (size_t i = 0; i < ARRAY_COUNT(actions); i++)
		if (slice_is(b->text->action, actions[i].name)) {
			b->rule->action = (uint8_t)actions[i].action;
			return 0;
		}
	return builder_fail(b, "no action is called %.*s",
			    (int)slice_first(b->text->action, 40).length,
			    (const char *)b->text->action.at);
}

#define ALL_TRANSPORTS                                                          \
	((1 << TRANSPORT_OTHER) | (1 << TRANSPORT_TCP) | (1 << TRANSPORT_UDP) | \
	 (1 << TRANSPORT_ICMP) | (1 << TRANSPORT_SCTP))

enum application_id builder_application(struct slice name)
{
	/* Suricata and Snort 3 name some applications in more than one way. */
	static const struct {
		const char *name;
		enum application_id application;
	} others[] = {{"http1", APPLICATION_HTTP},
		      {"ssl", APPLICATION_TLS},
		      {"netbios-ssn", APPLICATION_SMB}};

	for (size_t i = 0; i < ARRAY_COUNT(others); i++)
		if (slice_is_nocase(name, others[i].name))
			return others[i].application;
	return application_named(name);
}

static bool version_holds(const struct test *test, struct match *m)
{
	const struct inspection *i = m->inspection;

	return i->packet ? i->packet->version == test->as.number.low
	       : i->flow ? i->flow->client.family == test->as.number.low
			 : false;
}

/* ipv4, icmpv6 ... */
static int add_version(struct builder *b, struct slice name)
{
	uint8_t last = name.length ? name.at[name.length - 1] : 0;
	struct test *test;

	if (last != '4' && last != '6')
		return 0;
	test = builder_condition(b);
	if (!test)
		return -1;
	test->holds = version_holds;
	test->as.number.low = last - '0';
	return 0;
}

static int read_protocol(struct builder *b)
{
	static const struct {
		const char *name;
		uint8_t transports;
		bool packet, stream;
	} names[] = {
		{"ip", ALL_TRANSPORTS, false, false},
		{"ipv4", ALL_TRANSPORTS, false, false},
		{"ipv6", ALL_TRANSPORTS, false, false},
		{"ip4", ALL_TRANSPORTS, false, false},
		{"ip6", ALL_TRANSPORTS, false, false},
		{"pkthdr", ALL_TRANSPORTS, true, false},
		{"file", ALL_TRANSPORTS, false, false},
		{"tcp", 1 << TRANSPORT_TCP, false, false},
		{"tcp-pkt", 1 << TRANSPORT_TCP, true, false},
		{"tcp-stream", 1 << TRANSPORT_TCP, false, true},
		{"udp", 1 << TRANSPORT_UDP, false, false},
		{"icmp", 1 << TRANSPORT_ICMP, false, false},
		{"icmpv4", 1 << TRANSPORT_ICMP, false, false},
		{"icmpv6", 1 << TRANSPORT_ICMP, false, false},
		{"sctp", 1 << TRANSPORT_SCTP, false, false},
	};
	struct slice name = b->text->protocol;

	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (slice_is_nocase(name, names[i].name)) {
			b->rule->transports = names[i].transports;
			b->packet_only |= names[i].packet;
			b->stream_only |= names[i].stream;
			return add_version(b, name);
		}
	b->rule->transports = 1 << TRANSPORT_TCP | 1 << TRANSPORT_UDP;
	b->rule->application = (uint8_t)builder_application(name);
	if (!b->rule->application)
		return builder_fail(b, "no protocol is called %.*s",
				    (int)slice_first(name, 40).length, (const char *)name.at);
	return 0;
}

static int read_header(struct builder *b, const struct variables *variables)
{
	struct rule *rule = b->rule;
	const struct rule_text *text = b->text;
	const char *why;

	if (read_action(b) < 0 || read_protocol(b) < 0)
		return -1;
	why = address_set_read(text->source, variables, b->arena, &rule->source);
	if (!why)
		why = address_set_read(text->destination, variables, b->arena, &rule->destination);
	if (why)
		return builder_fail(b, "addresses: %s", why);
	why = port_set_read(text->source_ports, variables, b->arena, &rule->source_ports);
	if (!why)
		why = port_set_read(text->destination_ports, variables, b->arena,
				    &rule->destination_ports);
	if (why)
		return builder_fail(b, "ports: %s", why);
	rule->both_ways = text->both_ways;
	return 0;
}

/* --- options to parts --- */

static bool same_transforms(const struct builder *b, const struct part *part, size_t from,
			    size_t count)
{
	if (part->transform_count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (part->transforms[i].make != b->transforms[from + i].make ||
		    !slice_equal(part->transforms[i].argument, b->transforms[from + i].argument))
			return false;
	return true;
}

static struct part *part_for(struct builder *b, size_t test)
{
	struct rule *rule = b->rule;
	enum buffer_id buffer = b->tests[test].buffer;
	bool moved = buffer_descriptions[buffer].application != APPLICATION_NONE && !b->sticky;
	size_t from = b->tests[test].transform_from;
	size_t count = moved ? 0 : b->tests[test].transform_count;
	struct part *part;

	for (size_t i = 0; i < rule->part_count; i++)
		if (rule->parts[i].buffer == buffer &&
		    same_transforms(b, &rule->parts[i], from, count))
			return &rule->parts[i];
	if (rule->part_count == BUILDER_PARTS_MAX)
		return NULL;
	part = &rule->parts[rule->part_count++];
	part->buffer = buffer;
	part->transform_count = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		part->transforms[i].make = b->transforms[from + i].make;
		part->transforms[i].argument = b->transforms[from + i].argument;
	}
	return part;
}

/* Which finds are worth another try: those that a relative test stands on. */
static void mark_retries(struct part *part)
{
	part->absent_too = part->count > 0;
	for (size_t i = 0; i < part->count; i++) {
		part->absent_too &= part->tests[i].negated && part->tests[i].find;
		for (size_t k = i + 1; k < part->count && part->tests[i].find; k++) {
			if (part->tests[k].relative) {
				part->tests[i].retried = true;
				break;
			}
			if (part->tests[k].find && !part->tests[k].negated)
				break;
		}
	}
}

/* content:"a"; http_uri; isdataat:5,relative: the old modifier moved the content alone, and what is
 * relative to it goes along. */
static void follow_contents(struct builder *b)
{
	for (size_t i = 1; i < b->test_count; i++)
		if (b->tests[i].test.relative && !b->tests[i].test.find &&
		    b->tests[i].buffer == BUFFER_PAYLOAD)
			b->tests[i].buffer = b->tests[i - 1].buffer;
}

static int make_parts(struct builder *b)
{
	struct rule *rule = b->rule;
	struct part parts[BUILDER_PARTS_MAX];
	size_t of[BUILDER_TESTS_MAX];

	memset(parts, 0, sizeof(parts));
	follow_contents(b);
	rule->parts = parts;
	for (size_t i = 0; i < b->test_count; i++) {
		struct part *part;

		/* Behind an old modifier, what is relative goes where its content went. */
		if (i && !b->sticky && b->tests[i].test.relative && !b->tests[i].test.find)
			b->tests[i].buffer = b->tests[i - 1].buffer;
		part = part_for(b, i);

		if (!part)
			return builder_fail(b, "more than %d buffers", BUILDER_PARTS_MAX);
		of[i] = (size_t)(part - parts);
		part->count++;
	}
	rule->parts = arena_take(b->arena, (rule->part_count + 1) * sizeof(struct part));
	if (!rule->parts)
		return builder_fail(b, "out of memory");
	for (size_t p = 0; p < rule->part_count; p++) {
		size_t count = 0;

		rule->parts[p] = parts[p];
		rule->parts[p].tests = arena_take(b->arena, parts[p].count * sizeof(struct test));
		if (!rule->parts[p].tests)
			return builder_fail(b, "out of memory");
		for (size_t i = 0; i < b->test_count; i++)
			if (of[i] == p)
				rule->parts[p].tests[count++] = b->tests[i].test;
		mark_retries(&rule->parts[p]);
	}
	return 0;
}

/* --- what it is found by --- */

unsigned content_strength(struct slice bytes)
{
	uint64_t seen[4] = {0};
	unsigned strength = 0;

	for (size_t i = 0; i < bytes.length && i < 64; i++) {
		uint8_t byte = bytes.at[i];
		bool again = seen[byte / 64] >> (byte % 64) & 1;
		bool letter = (byte | 32) >= 'a' && (byte | 32) <= 'z';
		bool usual = byte == 0 || byte == 1 || byte == 0xff || (byte >= 32 && byte < 127);

		seen[byte / 64] |= (uint64_t)1 << (byte % 64);
		strength += again ? 1 : letter ? 3 : usual ? 4 : 6;
	}
	return strength;
}

/* Buffers of the application before raw bytes; short and everyday ones last. */
static unsigned buffer_worth(enum buffer_id buffer)
{
	switch (buffer) {
	case BUFFER_PAYLOAD:
		return 1;
	case BUFFER_HTTP_METHOD:
	case BUFFER_HTTP_STATUS:
	case BUFFER_HTTP_STATUS_MESSAGE:
	case BUFFER_HTTP_PROTOCOL:
	case BUFFER_HTTP_CONTENT_LENGTH:
	case BUFFER_HTTP_CONNECTION:
	case BUFFER_NETWORK_HEADER4:
	case BUFFER_NETWORK_HEADER6:
	case BUFFER_TCP_HEADER:
	case BUFFER_UDP_HEADER:
		return 0;
	default:
		return 2;
	}
}

/* The bytes that must be in the buffer as it is before its transforms; NULL: nobody knows. A dot
 * put in front is all that most transforms do, and one at a content's beginning may be that one. */
static const struct content_test *before_transforms(struct builder *b, const struct part *part,
						    const struct content_test *content)
{
	struct content_test *bare;

	if (!part->transform_count)
		return content;
	if (part->transform_count > 1 || !transform_adds_dot(part->transforms[0].make) ||
	    content->bytes.length < 2)
		return NULL;
	if (content->bytes.at[0] != '.')
		return content;
	bare = arena_take(b->arena, sizeof(*bare));
	if (bare) {
		*bare = *content;
		bare->bytes = slice_from(content->bytes, 1);
	}
	return bare;
}

static void choose_fast(struct builder *b)
{
	struct rule *rule = b->rule;
	unsigned best = 0;

	for (size_t p = 0; p < rule->part_count; p++) {
		const struct part *part = &rule->parts[p];

		for (size_t i = 0; i < part->count && part->buffer != BUFFER_BASE64; i++) {
			const struct content_test *content = &part->tests[i].as.content;
			unsigned worth;

			if (!part->tests[i].find || part->tests[i].negated || part->tests[i].regex)
				continue;
			content = before_transforms(b, part, content);
			if (!content)
				continue;
			worth = 1 + content_strength(content->bytes) +
				(buffer_worth(part->buffer) << 12) + (content->fast ? 1u << 20 : 0);
			if (worth > best) {
				best = worth;
				rule->fast = content;
				rule->fast_buffer = part->buffer;
			}
		}
	}
}

/* --- when it is looked at --- */

static void choose_kinds(struct builder *b)
{
	struct rule *rule = b->rule;
	bool headers = false, application = rule->kinds & KIND_TRANSACTION;

	for (size_t i = 0; i < rule->part_count; i++) {
		enum buffer_id buffer = rule->parts[i].buffer;

		headers |= buffer >= BUFFER_NETWORK_HEADER4 && buffer <= BUFFER_ICMP6_HEADER;
		application |= buffer > BUFFER_BASE64;
		if (!rule->application)
			rule->application = (uint8_t)buffer_descriptions[buffer].application;
	}
	if (application) {
		rule->kinds = KIND_TRANSACTION;
		return;
	}
	if (b->packet_only || headers || (!rule->part_count && !b->stream_only))
		rule->kinds = KIND_PACKET;
	else if (b->stream_only)
		rule->kinds = KIND_STREAM;
	else
		rule->kinds = KIND_PACKET | KIND_STREAM;
	rule->packet_without_stream =
		rule->kinds & KIND_STREAM && !b->packet_only && !b->has_offsets && rule->part_count;
	rule->ip_only = !rule->part_count && !b->condition_count && !rule->tests_bits &&
			!b->asks_flow && !rule->source_ports && !rule->destination_ports;
	/* Only the application is asked for: once a flow and direction is enough. */
	rule->once = rule->ip_only || (!rule->part_count && rule->application && !b->asks_flow);
	rule->first_only = b->prefilter && b->asks_application && !rule->part_count;
}

static int keep_conditions(struct builder *b)
{
	struct rule *rule = b->rule;

	rule->condition_count = b->condition_count;
	rule->bit_step_count = b->bit_step_count;
	rule->conditions = arena_take(b->arena, (b->condition_count + 1) * sizeof(struct test));
	rule->bit_steps = arena_take(b->arena, (b->bit_step_count + 1) * sizeof(struct bit_step));
	rule->effect_count = b->effect_count;
	rule->effects = arena_take(b->arena, (b->effect_count + 1) * sizeof(struct effect));
	if (!rule->conditions || !rule->bit_steps || !rule->effects)
		return builder_fail(b, "out of memory");
	memcpy(rule->conditions, b->conditions, b->condition_count * sizeof(struct test));
	memcpy(rule->bit_steps, b->bit_steps, b->bit_step_count * sizeof(struct bit_step));
	memcpy(rule->effects, b->effects, b->effect_count * sizeof(struct effect));
	rule->only_clears = b->bit_step_count && !b->effect_count;
	for (size_t i = 0; i < b->bit_step_count; i++) {
		bool asks = b->bit_steps[i].action >= BIT_IS_SET;

		rule->tests_bits |= asks;
		rule->sets_bits |= !asks;
		rule->only_clears &= b->bit_steps[i].action == BIT_UNSET;
	}
	return 0;
}

static int read_options(struct builder *b)
{
	for (size_t i = 0; i < b->text->option_count; i++) {
		const struct rule_option *option = &b->text->options[i];
		const struct keyword *keyword = keyword_named(option->name);
		enum buffer_id buffer;

		b->at = option->name.at;
		if (keyword) {
			if (keyword->read(b, keyword, option->value) < 0) {
				if (!b->why[0])
					(void)builder_fail(b, "%s is not right", keyword->name);
				return -1;
			}
			continue;
		}
		buffer = buffer_named(option->name);
		if (buffer == BUFFER_COUNT)
			return builder_fail(b, "unknown keyword %.*s",
					    (int)slice_first(option->name, 40).length,
					    (const char *)option->name.at);
		if (option->value.length)
			return builder_fail(b, "%.*s with a value is not known",
					    (int)slice_first(option->name, 40).length,
					    (const char *)option->name.at);
		builder_select(b, buffer);
	}
	b->at = NULL;
	return 0;
}

void rule_drop(struct rule *rule)
{
	for (size_t p = 0; p < rule->part_count; p++)
		for (size_t i = 0; i < rule->parts[p].count; i++)
			if (rule->parts[p].tests[i].regex)
				rule_regex_free(rule->parts[p].tests[i].as.regex.code);
	rule->part_count = 0;
	rule_regex_captures_free(rule->captures);
	rule->captures = NULL;
}

const char *rule_build(struct rule_text *text, const struct variables *variables,
		       struct rule_set_names *names, struct arena *arena, struct rule *rule,
		       char why[200])
{
	struct builder *b = calloc(1, sizeof(*b));
	bool good;

	if (!b)
		return "out of memory";
	memset(rule, 0, sizeof(*rule));
	b->text = text;
	b->rule = rule;
	b->arena = arena;
	b->names = names;
	rule->gid = 1;
	rule->line = text->line;
	rule->sides = SIDE_SERVER | SIDE_CLIENT;
	good = read_header(b, variables) == 0 && read_options(b) == 0 && keep_conditions(b) == 0 &&
	       make_parts(b) == 0;
	if (good && !rule->sid)
		good = builder_fail(b, "a rule without sid") == 0;
	if (good) {
		choose_kinds(b);
		choose_fast(b);
	} else {
		if (b->at)
			rule_broken_at(text, b->at);
		for (size_t i = 0; i < b->test_count; i++)
			if (b->tests[i].test.regex)
				rule_regex_free(b->tests[i].test.as.regex.code);
		memcpy(why, b->why, sizeof(b->why));
		rule->part_count = 0;
		rule_drop(rule);
	}
	free(b);
	return good ? NULL : why;
}
