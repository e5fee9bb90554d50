/* The language of rules: lines, headers, options in two dialects; address and port expressions;
 * classes of attacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/rules/classes.h"
#include "capture/rules/sets.h"
#include "capture/rules/syntax.h"
#include "cli/rule_files.h"

#define ARENA_CAP ((size_t)64 * 1024 * 1024)

static struct arena arena;

static int setup(void **state)
{
	arena = arena_of(ARENA_CAP);
	return 0;
}

static int teardown(void **state)
{
	arena_drop(&arena);
	return 0;
}

/* The first rule of a text; fails when it is broken. */
static struct rule_text rule_of(const char *text)
{
	struct rule_reader reader = rule_reader_of(slice_text(text));
	struct rule_text rule;
	const char *why = NULL;

	if (rule_next(&reader, &arena, &rule, &why) != RULE_READ)
		fail_msg("%s: %s", text, why ? why : "nothing");
	return rule;
}

static void assert_slice(struct slice s, const char *text)
{
	if (!slice_is(s, text))
		fail_msg("\"%.*s\" is not \"%s\"", (int)s.length, (const char *)s.at, text);
}

static void assert_options(const struct rule_text *rule, const char *const *expected)
{
	size_t count = 0;

	for (; expected[count]; count += 2) {
		assert_true(count / 2 < rule->option_count);
		assert_slice(rule->options[count / 2].name, expected[count]);
		assert_slice(rule->options[count / 2].value, expected[count + 1]);
	}
	assert_int_equal(rule->option_count, count / 2);
}

/* --- lines --- */

static void test_lines(void **state)
{
	static const char text[] = "\xef\xbb\xbf# a remark\r\n"
				   "\r\n"
				   "alert tcp any any -> any any (sid:1;)\r\n"
				   "#alert tcp any any -> any any (sid:2;)\n"
				   "alert tcp any any -> any any ( \\\n"
				   "  msg:\"two\"; \\\r\n"
				   "  sid:3;)\n"
				   "  alert tcp any any -> any any (sid:4;)";
	static const unsigned lines[] = {3, 5, 8}, sids[] = {1, 3, 4};
	struct rule_reader reader = rule_reader_of(SLICE(text));
	struct rule_text rule;
	const char *why;

	for (size_t i = 0; i < ARRAY_COUNT(lines); i++) {
		int64_t sid;

		assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_READ);
		assert_int_equal(rule.line, lines[i]);
		assert_true(rule.enabled);
		assert_int_equal(slice_number(rule_option_named(&rule, "sid")->value, 0, 99, &sid),
				 0);
		assert_int_equal(sid, sids[i]);
	}
	assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_END);
	assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_END);
	assert_null(rule_option_named(&rule, "msg"));
}

static void test_disabled_rules(void **state)
{
	static const char text[] = "# A remark (with parentheses)\n"
				   "## alert tcp any any -> any any (sid:2;)\n"
				   "#alert tcp any any -> any any (sid:3\n";
	struct rule_reader reader = rule_reader_of(SLICE(text));
	struct rule_text rule;
	const char *why;

	reader.with_disabled = true;
	assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_READ);
	assert_false(rule.enabled);
	assert_int_equal(rule.line, 2);
	assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_END);
}

static void test_snort3_rules_over_lines(void **state)
{
	static const char text[] =
		"alert http\n"
		"(\n"
		"    msg:\"a\";\n"
		"    content:\"x\",depth 5;\n"
		"    sid:1;\n"
		")\n"
		"alert tcp any any -> any any ( content:\"y\",offset 1;\n"
		"alert tcp any any -> any any ( content:\"z\",depth 2; sid:3; )\n";
	struct rule_reader reader = rule_reader_of(SLICE(text));
	struct rule_text rule;
	const char *why;

	assert_int_equal(reader.dialect, DIALECT_SNORT3);
	assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_READ);
	assert_options(&rule, (const char *const[]){"msg", "\"a\"", "content", "\"x\"", "depth",
						    "5", "sid", "1", NULL});
	/* The one that never ends does not take the next one with it. */
	assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_BROKEN);
	assert_int_equal(rule.line, 7);
	assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_READ);
	assert_int_equal(rule.line, 8);
}

/* --- headers --- */

static void test_headers(void **state)
{
	struct rule_text rule =
		rule_of("drop  http [10.0.0.0/8, !10.1.0.0/16] any <> $HOME_NET [80,\t81](sid:1;)");

	assert_slice(rule.action, "drop");
	assert_slice(rule.protocol, "http");
	assert_slice(rule.source, "[10.0.0.0/8, !10.1.0.0/16]");
	assert_slice(rule.source_ports, "any");
	assert_true(rule.both_ways);
	assert_slice(rule.destination, "$HOME_NET");
	assert_slice(rule.destination_ports, "[80,\t81]");
	rule = rule_of("alert file ( sid:1; )");
	assert_slice(rule.protocol, "file");
	assert_int_equal(rule.source.length, 0);
	assert_int_equal(rule.destination_ports.length, 0);
	assert_false(rule.both_ways);
}

static void test_broken_rules_say_where(void **state)
{
	static const struct {
		const char *text, *why;
		unsigned column;
	} cases[] = {
		{"alert", "no options", 0},
		{"alert tcp any any -> any any", "no options", 0},
		{"alert tcp any any -> any any (sid:1;", "no options", 0},
		{"alert (sid:1;)", "begins with action and protocol", 0},
		{"alert tcp any any any any (sid:1;)", "no -> or <>", 19},
		{"alert tcp any any -> any (sid:1;)", "ends too early", 19},
		{"alert tcp any any -> any any x (sid:1;)", "more words", 19},
		{"alert tcp any any -> any any (sid:1; msg:\"a)", "without ; at its end", 38},
		{"alert tcp any any -> any any (sid:1;\\)", "without ; at its end", 37},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		struct rule_reader reader = rule_reader_of(slice_text(cases[i].text));
		struct rule_text rule;
		const char *why = "";

		assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_BROKEN);
		if (!strstr(why, cases[i].why) || rule.column != cases[i].column)
			fail_msg("%s: %s at %u", cases[i].text, why, rule.column);
		assert_int_equal(rule_next(&reader, &arena, &rule, &why), RULE_END);
	}
}

/* --- options --- */

static void test_options_end_at_a_semicolon_whatever_quotes_say(void **state)
{
	struct rule_text rule = rule_of("alert tcp any any -> any any (pcre:\"/a\"b\\;c/\"; "
					"msg:\"x: y\" ; ; nocase ;content : !\"\\\"\\\\\" ;)");

	assert_int_equal(rule.dialect, DIALECT_SURICATA);
	assert_options(&rule,
		       (const char *const[]){"pcre", "\"/a\"b\\;c/\"", "msg", "\"x: y\"", "nocase",
					     "", "content", "!\"\\\"\\\\\"", NULL});
	assert_null(rule.options[2].value.at);
}

static void test_snort3_quotes_and_modifiers(void **state)
{
	struct rule_text rule = rule_of(
		"alert tcp any any -> any any ( content:!\"a;b,c\",fast_pattern,nocase, depth 16 ; "
		"content:\"d\",fast_pattern_offset 3,fast_pattern_length 5; byte_test:1,>,2,3; )");

	assert_int_equal(rule.dialect, DIALECT_SNORT3);
	assert_options(&rule, (const char *const[]){"content", "!\"a;b,c\"", "fast_pattern", "",
						    "nocase", "", "depth", "16", "content", "\"d\"",
						    "byte_test", "1,>,2,3", NULL});
}

static void test_dialects(void **state)
{
	static const struct {
		const char *text;
		enum rule_dialect dialect;
	} cases[] = {
		{"", DIALECT_SURICATA},
		{"alert tcp any any -> any any (content:\"a\"; nocase; sid:1;)", DIALECT_SURICATA},
		{"alert tcp any any -> any any ( content:\"a\",nocase; sid:1; )", DIALECT_SNORT3},
		{"alert tcp any any -> any any ( content:\"a\",within 2,distance 1; sid:1; )",
		 DIALECT_SNORT3},
		{"alert tcp any any -> any any (content:\"a\"; depth:3; msg:\",nocase\"; sid:1;)\n"
		 "alert tcp any any -> any any (content:\"a\"; depth:3; sid:1;)",
		 DIALECT_SURICATA},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_int_equal(rule_dialect_of(slice_text(cases[i].text)), cases[i].dialect);
}

static void test_unquoting(void **state)
{
	struct slice inner;
	bool negated;

	assert_int_equal(rule_unquote(SLICE("\"a\""), &inner, &negated), 0);
	assert_slice(inner, "a");
	assert_false(negated);
	assert_int_equal(rule_unquote(SLICE("! \"\""), &inner, &negated), 0);
	assert_int_equal(inner.length, 0);
	assert_true(negated);
	assert_int_equal(rule_unquote(SLICE("\""), &inner, &negated), -1);
	assert_int_equal(rule_unquote(SLICE("a\""), &inner, &negated), -1);
	assert_int_equal(rule_unquote(SLICE(""), &inner, &negated), -1);
}

/* A rule with so many options, or so long. */
static enum rule_reading reading_of(size_t options, size_t length)
{
	struct writer w = writer_growing(RULE_TEXT_MAX * 2);
	struct rule_reader reader;
	struct rule_text rule;
	const char *why;
	enum rule_reading reading;

	writer_text(&w, "alert tcp any any -> any any (");
	for (size_t i = 0; i < options; i++)
		writer_text(&w, "a;");
	while (w.length + 1 < length)
		writer_u8(&w, ' ');
	writer_u8(&w, ')');
	assert_false(w.failed);
	reader = rule_reader_of(writer_slice(&w));
	reading = rule_next(&reader, &arena, &rule, &why);
	writer_free(&w);
	return reading;
}

static void test_limits(void **state)
{
	assert_int_equal(reading_of(RULE_OPTIONS_MAX - 1, 0), RULE_READ);
	assert_int_equal(reading_of(RULE_OPTIONS_MAX, 0), RULE_READ);
	assert_int_equal(reading_of(RULE_OPTIONS_MAX + 1, 0), RULE_BROKEN);
	assert_int_equal(reading_of(1, RULE_TEXT_MAX - 1), RULE_READ);
	assert_int_equal(reading_of(1, RULE_TEXT_MAX), RULE_READ);
	assert_int_equal(reading_of(1, RULE_TEXT_MAX + 1), RULE_BROKEN);
}

/* --- addresses and ports --- */

static struct variables variables;

static const char *address_reason(const char *expression)
{
	struct address_set *set;

	return address_set_read(slice_text(expression), &variables, &arena, &set);
}

static const char *port_reason(const char *expression)
{
	struct port_set *set;

	return port_set_read(slice_text(expression), &variables, &arena, &set);
}

static bool address_in(const char *expression, const char *text)
{
	struct address_set *set;
	struct address address;
	const char *why = address_set_read(slice_text(expression), &variables, &arena, &set);

	if (why)
		fail_msg("%s: %s", expression, why);
	assert_int_equal(address_parse(slice_text(text), &address), 0);
	return address_set_holds(set, &address);
}

static bool port_in(const char *expression, uint16_t port)
{
	struct port_set *set;
	const char *why = port_set_read(slice_text(expression), &variables, &arena, &set);

	if (why)
		fail_msg("%s: %s", expression, why);
	return port_set_holds(set, port);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *expression, *address;
		bool in;
	} cases[] = {
		{"any", "0.0.0.0", true},
		{"any", "::", true},
		{"10.0.0.0/8", "9.255.255.255", false},
		{"10.0.0.0/8", "10.0.0.0", true},
		{"10.0.0.0/8", "10.255.255.255", true},
		{"10.0.0.0/8", "11.0.0.0", false},
		{"10.9.8.7/8", "10.0.0.0", true},
		{"255.255.255.255", "255.255.255.255", true},
		{"0.0.0.0/0", "255.255.255.255", true},
		{"0.0.0.0/0", "::1", false},
		{"10.0.0.1-10.0.0.3", "10.0.0.3", true},
		{"10.0.0.1-10.0.0.3", "10.0.0.4", false},
		{"!10.0.0.1", "10.0.0.1", false},
		{"!10.0.0.1", "10.0.0.2", true},
		{"!10.0.0.1", "::1", true},
		{"[10.0.0.0/8,!10.1.0.0/16,10.1.2.3]", "10.1.2.3", false},
		{"[10.0.0.0/8,![10.1.0.0/16,!10.1.2.3]]", "10.1.2.3", true},
		{"[10.0.0.0/8,![10.1.0.0/16,!10.1.2.3]]", "10.1.2.4", false},
		{"[!10.0.0.1, !10.0.0.2]", "10.0.0.3", true},
		{"[!10.0.0.1, !10.0.0.2]", "10.0.0.2", false},
		{"10.0.0.1,10.0.0.3", "10.0.0.3", true},
		{"2001:db8::/32", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", true},
		{"2001:db8::/32", "2001:db9::", false},
		{"2001:db8::/32", "1.2.3.4", false},
		{"[::1,127.0.0.1]", "::1", true},
		{"[::1,127.0.0.1]", "127.0.0.1", true},
		{"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
		{"$MINE", "192.0.2.255", true},
		{"!$MINE", "192.0.2.0", false},
		{"[!$MINE,192.0.2.7,192.0.3.7]", "192.0.2.7", false},
		{"2001:db8::7", "2001:db8::7", true},
		{"2001:db8::7", "2001:db8::8", false},
		{"$OURS", "192.0.2.9", true},
		{"$OURS", "198.51.100.1", true},
		/* A variable that means everything excludes nothing. */
		{"!$EXTERNAL_NET", "192.0.2.9", true},
		{"[192.0.2.0/24,!$EXTERNAL_NET]", "192.0.2.9", true},
	};

	rule_variables_start(&variables);
	assert_int_equal(rule_variables_set(&variables, "MINE", "192.0.2.0/24"), 0);
	assert_int_equal(rule_variables_set(&variables, "OURS", "[$MINE,198.51.100.1]"), 0);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (address_in(cases[i].expression, cases[i].address) != cases[i].in)
			fail_msg("%s and %s", cases[i].expression, cases[i].address);
}

static void test_ports(void **state)
{
	static const struct {
		const char *expression;
		uint16_t port;
		bool in;
	} cases[] = {
		{"any", 0, true},
		{"80", 79, false},
		{"80", 80, true},
		{"80", 81, false},
		{"1024:", 1023, false},
		{"1024:", 1024, true},
		{"1024:", 65535, true},
		{":1023", 0, true},
		{":1023", 1023, true},
		{":1023", 1024, false},
		{"0:65535", 12, true},
		{"!80", 80, false},
		{"!80", 81, true},
		{"[80,8000:8100,!8080]", 8080, false},
		{"[80:90,!85:]", 84, true},
		{"[80:90,!85:]", 85, false},
		{"[!80,!443]", 443, false},
		{"[!80,!443]", 444, true},
		{"[80, [90,91] ,]", 91, true},
		{"!$HTTP_PORTS", 80, true},
		{"$SSH_PORTS", 2222, true},
	};

	rule_variables_start(&variables);
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		if (port_in(cases[i].expression, cases[i].port) != cases[i].in)
			fail_msg("%s and %u", cases[i].expression, cases[i].port);
}

static void test_broken_sets(void **state)
{
	static const char *const addresses[] = {"10.0.0.0/33",
						"10.0.0",
						"[10.0.0.1",
						"[]",
						"[,10.0.0.1]",
						"!any",
						"$NOBODY",
						"!",
						"$LOOP",
						"10.0.0.2-10.0.0.1",
						"::/129",
						"10.0.0.1-::2",
						"[10.0.0.1,!10.0.0.1]"};
	static const char *const ports[] = {"65536", "-1",  "a",     "81:80", "!any", "[80,!80]",
					    "!:",    "[80", "80 81", "!0:",   "$LOOP"};

	rule_variables_start(&variables);
	assert_int_equal(rule_variables_set(&variables, "LOOP", "[$LOOP]"), 0);
	for (size_t i = 0; i < ARRAY_COUNT(addresses); i++)
		if (!address_reason(addresses[i]))
			fail_msg("%s is taken", addresses[i]);
	for (size_t i = 0; i < ARRAY_COUNT(ports); i++)
		if (!port_reason(ports[i]))
			fail_msg("%s is taken", ports[i]);
}

static const char *nested(unsigned depth)
{
	static char text[2 * SET_DEPTH_MAX + 16];
	size_t at = 0;

	for (unsigned i = 0; i < depth; i++)
		text[at++] = '[';
	text[at++] = '7';
	for (unsigned i = 0; i < depth; i++)
		text[at++] = ']';
	text[at] = '\0';
	return text;
}

static void test_set_limits(void **state)
{
	char name[VARIABLES_MAX][24];
	struct writer w = writer_growing(4 * 1024 * 1024);
	struct port_set *set;

	rule_variables_start(&variables);
	assert_null(port_reason(nested(SET_DEPTH_MAX - 1)));
	assert_null(port_reason(nested(SET_DEPTH_MAX)));
	assert_non_null(port_reason(nested(SET_DEPTH_MAX + 1)));
	for (size_t i = 0; variables.count < VARIABLES_MAX; i++) {
		(void)snprintf(name[i], sizeof(name[i]), "N%zu", i);
		assert_int_equal(rule_variables_set(&variables, name[i], "1"), 0);
	}
	assert_int_equal(rule_variables_set(&variables, "ONE_MORE", "1"), -1);
	assert_int_equal(rule_variables_set(&variables, name[0], "2"), 0);
	assert_true(port_in("$N0", 2));
	/* Very long lists are refused, not fatal. */
	for (size_t i = 0; i < 300000; i++)
		writer_text(&w, "1,");
	assert_false(w.failed);
	assert_non_null(port_set_read(writer_slice(&w), &variables, &arena, &set));
	writer_free(&w);
}

/* --- sets against a plain reading of the same list --- */

static uint64_t random_state = 88172645463325252u;

static unsigned draw(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state % below);
}

/* Writes a list of ports below 64 and tells which of them it holds. */
static uint64_t random_list(struct writer *w, unsigned depth)
{
	uint64_t with = 0, without = 0;
	unsigned items = 1 + draw(4);
	bool positive = false;

	writer_u8(w, '[');
	for (unsigned i = 0; i < items; i++) {
		bool negated = draw(3) == 0;
		uint64_t holds;

		writer_text(w, i ? "," : "");
		writer_text(w, negated ? "!" : "");
		if (depth && draw(3) == 0) {
			holds = random_list(w, depth - 1);
		} else {
			unsigned low = draw(60), high = low + draw(4);

			writer_format(w, "%u:%u", low, high);
			holds = ((uint64_t)2 << high) - ((uint64_t)1 << low);
		}
		positive |= !negated;
		if (negated)
			without |= holds;
		else
			with |= holds;
	}
	writer_u8(w, ']');
	return (positive ? with : UINT64_MAX) & ~without;
}

static void test_random_lists(void **state)
{
	size_t empty = 0;

	rule_variables_start(&variables);
	for (unsigned round = 0; round < 3000; round++) {
		struct writer w = writer_growing(65536);
		uint64_t holds = random_list(&w, 3);
		struct port_set *set;
		const char *why = port_set_read(writer_slice(&w), &variables, &arena, &set);

		/* A list that is empty anywhere may be refused: such a rule never holds. */
		if (why) {
			assert_string_equal(why, "no port at all");
			assert_int_equal(holds, 0);
			empty++;
		}
		for (uint16_t port = 0; port < 64 && !why; port++)
			if (port_set_holds(set, port) != (holds >> port & 1))
				fail_msg("%.*s and %u", (int)w.length, (const char *)w.at, port);
		writer_free(&w);
	}
	assert_in_range(empty, 1, 1500);
}

/* --- classes --- */

static void test_classes(void **state)
{
	static const char text[] = "# remark\n\n"
				   "config classification: trojan-activity,A Trojan, 2\r\n"
				   "config classification: own,Own things,4\n";
	struct rule_classes classes;
	unsigned line;

	rule_classes_start(&classes);
	assert_int_equal(rule_class_named(&classes, "trojan-activity")->priority, 1);
	assert_null(rule_class_named(&classes, "own"));
	assert_null(rule_class_named(&classes, NULL));
	assert_null(rule_classes_read(&classes, SLICE(text), &arena, &line));
	assert_int_equal(rule_class_named(&classes, "trojan-activity")->priority, 2);
	assert_string_equal(rule_class_named(&classes, "trojan-activity")->title, "A Trojan");
	assert_int_equal(rule_class_named(&classes, "own")->priority, 4);
}

static void test_broken_classes(void **state)
{
	static const char *const texts[] = {"\nclassification: a,b,1", "\nconfig classification: a",
					    "\nconfig classification: a,b,0",
					    "\nconfig classification: a,b,256",
					    "\nconfig classification: ,b,1"};
	struct rule_classes classes;
	unsigned line;

	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		rule_classes_start(&classes);
		assert_non_null(rule_classes_read(&classes, slice_text(texts[i]), &arena, &line));
		assert_int_equal(line, 2);
	}
	rule_classes_start(&classes);
	while (classes.count < RULE_CLASSES_MAX)
		classes.items[classes.count++] = (struct rule_class){"x", NULL, 1};
	assert_non_null(rule_classes_read(&classes, SLICE("config classification: new,b,1"), &arena,
					  &line));
}

/* --- real rule sets, where they are at hand --- */

static const struct real_set {
	const char *path;
	size_t rules, broken;
	enum rule_dialect dialect;
} real_sets[] = {
	{"et-all.rules", 32835, 0, DIALECT_SURICATA},
	{"et-inbound.rules", 9510, 0, DIALECT_SURICATA},
	{"snort3-community/snort3-community.rules", 4017, 0, DIALECT_SNORT3},
	{"snort29-community/community.rules", 561, 0, DIALECT_SURICATA},
	{"abuse.ch/abuse.ch.sslblacklist.rules", 7359, 0, DIALECT_SURICATA},
	{"abuse.ch/abuse.ch.feodotracker.rules", 1, 0, DIALECT_SURICATA},
};

static char *read_real(const char *name, size_t *length)
{
	const char *folder = getenv("SUNDEW_DATA_RULES"), *source = getenv("SUNDEW_SOURCE");
	char path[1024];

	if (folder)
		(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	else
		(void)snprintf(path, sizeof(path), "%s/../shared/data/rules/%s",
			       source ? source : ".", name);
	return rule_files_read(path, length);
}

static void test_real_sets(void **state)
{
	for (size_t i = 0; i < ARRAY_COUNT(real_sets); i++) {
		const struct real_set *expected = &real_sets[i];
		size_t length, read = 0, broken = 0;
		int64_t started = clock_monotonic();
		char *text = read_real(expected->path, &length);
		struct rule_reader reader;
		struct rule_text rule;
		enum rule_reading reading;
		const char *why;

		if (!text) {
			print_message("%s is not here: skipped\n", expected->path);
			continue;
		}
		reader = rule_reader_of(slice_of(text, length));
		assert_int_equal(reader.dialect, expected->dialect);
		while ((reading = rule_next(&reader, &arena, &rule, &why)) != RULE_END) {
			read++;
			broken += reading == RULE_BROKEN;
			if (arena.taken > ARENA_CAP / 2)
				arena_drop(&arena);
		}
		print_message("%s: %zu rules, %zu broken, %.3f s\n", expected->path, read, broken,
			      (double)(clock_monotonic() - started) / 1e6);
		assert_int_equal(read, expected->rules);
		assert_int_equal(broken, expected->broken);
		free(text);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines),
		TEST(test_disabled_rules),
		TEST(test_snort3_rules_over_lines),
		TEST(test_headers),
		TEST(test_broken_rules_say_where),
		TEST(test_options_end_at_a_semicolon_whatever_quotes_say),
		TEST(test_snort3_quotes_and_modifiers),
		TEST(test_dialects),
		TEST(test_unquoting),
		TEST(test_limits),
		TEST(test_addresses),
		TEST(test_ports),
		TEST(test_broken_sets),
		TEST(test_set_limits),
		TEST(test_random_lists),
		TEST(test_classes),
		TEST(test_broken_classes),
		TEST(test_real_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
