/* Configuration: values, their bounds, and every message that an owner can be shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/config.h"

enum { RED, GREEN, BLUE };

struct settings {
	const char *text;
	int64_t number;
	int64_t any;
	int64_t below;
	double real;
	bool boolean;
	int64_t duration;
	int64_t size;
	int colour;
	struct config_texts texts;
	struct config_ports ports;
	const struct config_node *node;
};

static const char *const colours[] = {"red", "green", "blue", NULL};

#define AT(field) offsetof(struct settings, field)
static const struct directive directives[] = {
	{"text", DIRECTIVE_TEXT, AT(text), "a: text # with | marks", .help = "Any text"},
	{"number", DIRECTIVE_NUMBER, AT(number), "3", 2, 5, .help = "A number"},
	{"any", DIRECTIVE_NUMBER, AT(any), NULL},
	{"below", DIRECTIVE_NUMBER, AT(below), NULL, INT64_MIN, -5},
	{"real", DIRECTIVE_REAL, AT(real), "0.5"},
	{"boolean", DIRECTIVE_BOOLEAN, AT(boolean), "yes"},
	{"duration", DIRECTIVE_DURATION, AT(duration), "90s", MINUTE, HOUR},
	{"size", DIRECTIVE_SIZE, AT(size), "64K", 4096, 1 << 20},
	{"colour", DIRECTIVE_CHOICE, AT(colour), "green", .choices = colours},
	{"texts", DIRECTIVE_TEXTS, AT(texts), "[one, 'two: three']"},
	{"ports", DIRECTIVE_PORTS, AT(ports), "[80, 8000-8010]"},
	{"node", DIRECTIVE_NODE, AT(node), NULL},
};
#undef AT
static const struct config_section section = {"", directives, ARRAY_COUNT(directives),
					      "Settings of a test."};

static struct settings settings_of(struct config **config, const char *text)
{
	struct settings settings;

	*config = config_parse(slice_text(text), "x.yaml");
	assert_non_null(*config);
	config_take(*config, config_root(*config), &section, &settings);
	config_finish(*config);
	return settings;
}

/* The one error that this text makes. */
static void assert_error(const char *text, const char *message)
{
	struct config *config;

	settings_of(&config, text);
	for (size_t i = 0; i < config_error_count(config); i++) {
		if (i > 0 || strcmp(config_error_text(config, i), message) != 0)
			print_error("%s\n", config_error_text(config, i));
	}
	assert_string_equal(config_error_text(config, 0), message);
	assert_int_equal(config_error_count(config), 1);
	config_free(config);
}

static struct settings taken(struct config **config, const char *text)
{
	struct settings settings = settings_of(config, text);

	if (config_error_count(*config))
		fail_msg("%s", config_error_text(*config, 0));
	return settings;
}

static void test_defaults(void **state)
{
	struct arena arena = arena_of(65536);
	struct settings s;

	memset(&s, 0xff, sizeof(s));
	config_defaults(&section, &s, &arena);
	assert_string_equal(s.text, "a: text # with | marks");
	assert_int_equal(s.number, 3);
	assert_int_equal(s.any, 0);
	assert_true(s.real > 0.49 && s.real < 0.51);
	assert_true(s.boolean);
	assert_int_equal(s.duration, 90 * SECOND);
	assert_int_equal(s.size, 65536);
	assert_int_equal(s.colour, GREEN);
	assert_int_equal(s.texts.count, 2);
	assert_string_equal(s.texts.items[1], "two: three");
	assert_int_equal(s.ports.count, 2);
	assert_int_equal(s.ports.ranges[1].last, 8010);
	assert_null(s.node);
	arena_drop(&arena);
}

static void test_values(void **state)
{
	struct config *config;
	struct settings s = taken(&config, "text: 'yes'\nnumber: \"5\"\nany: -7\nreal: -1.5e2\n"
					   "boolean: \"No\"\nduration: 2m\nsize: 1M\ncolour: blue\n"
					   "texts: lone\nports: [80, \"443\", 8000-8010]\n"
					   "node: [a]\n");

	assert_string_equal(s.text, "yes");
	assert_int_equal(s.number, 5);
	assert_int_equal(s.any, -7);
	assert_true(s.real < -149.9 && s.real > -150.1);
	assert_false(s.boolean);
	assert_int_equal(s.duration, 120 * SECOND);
	assert_int_equal(s.size, 1 << 20);
	assert_int_equal(s.colour, BLUE);
	assert_int_equal(s.texts.count, 1);
	assert_string_equal(s.texts.items[0], "lone");
	assert_int_equal(s.ports.count, 3);
	assert_int_equal(s.ports.ranges[1].first, 443);
	assert_int_equal(s.ports.ranges[2].first, 8000);
	assert_string_equal(config_text(config_item(s.node, 0)), "a");
	config_free(config);
	s = taken(&config, "ports: 1-65535\nnumber:\ntexts: []\nboolean: ~\n");
	assert_int_equal(s.ports.ranges[0].last, 65535);
	assert_int_equal(s.number, 3);
	assert_int_equal(s.texts.count, 0);
	assert_true(s.boolean);
	config_free(config);
}

static void test_walking(void **state)
{
	struct config *config = config_parse(SLICE("node: {a: [1, {b: c}]}\nempty:\n"), "x.yaml");
	const char *name = NULL;
	const struct config_node *node = config_child(config_root(config), "node");
	const struct config_node *list = config_entry(node, 0, &name);
	const struct config_node *empty = config_child(config_root(config), "empty");

	assert_string_equal(name, "a");
	assert_null(config_entry(node, 1, &name));
	assert_true(config_is_mapping(node));
	assert_true(config_is_list(list));
	assert_int_equal(config_count(list), 2);
	assert_int_equal(config_count(node), 1);
	assert_ptr_equal(config_item(node, 0), node);
	assert_string_equal(config_text(config_item(list, 0)), "1");
	assert_string_equal(config_text(config_child(config_item(list, 1), "b")), "c");
	assert_null(config_item(list, 2));
	assert_int_equal(config_line(empty), 2);
	assert_string_equal(config_text(empty), "");
	assert_int_equal(config_count(empty), 0);
	assert_int_equal(config_count(NULL), 0);
	assert_null(config_child(NULL, "a"));
	assert_int_equal(config_finish(config), 0);
	config_free(config);
}

static void test_bounds(void **state)
{
	static const char *const good[] = {
		"number: 2",
		"number: 5",
		"below: -5",
		"below: -6",
		"duration: 60",
		"duration: 1h",
		"size: 4096",
		"size: 1024K",
		"ports: 1",
		"ports: 65535",
		"ports: 9-9",
		"real: 0",
		"any: 9223372036854775807",
		"any: -9223372036854775808",
	};
	static const char *const bad[] = {
		"number: 1",
		"number: 6",
		"below: -4",
		"duration: 59",
		"duration: 3601s",
		"size: 4095",
		"size: 1025K",
		"ports: 0",
		"ports: 65536",
		"ports: 9-8",
		"ports: [1, [2]]",
		"real: nan",
		"real: 0x1",
		"real: 1e999",
		"any: 9223372036854775808",
		"any: -9223372036854775809",
		"any: 1.5",
		"any: ''",
		"size: ''",
		"size: K",
		"size: 9999999999999999T",
		"duration: h",
		"boolean: 1",
		"colour: Red",
		"text: [a]",
		"texts: {a: b}",
		"texts: [a, [b]]",
		"texts: [~]",
		"ports: 80-",
		"ports: -80",
		"duration: {unknown: x}",
	};
	struct config *config;

	for (size_t i = 0; i < ARRAY_COUNT(good); i++) {
		taken(&config, good[i]);
		config_free(config);
	}
	for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
		settings_of(&config, bad[i]);
		if (config_error_count(config) != 1)
			fail_msg("%s: %zu errors", bad[i], config_error_count(config));
		config_free(config);
	}
}

static void test_messages(void **state)
{
	static const char *const cases[][2] = {
		{"number: 6", "x.yaml:1: number must be a whole number from 2 to 5, not '6'"},
		{"below: 0", "x.yaml:1: below must be a whole number of at most -5, not '0'"},
		{"\nany: x", "x.yaml:2: any must be a whole number, not 'x'"},
		{"any: [1]", "x.yaml:1: any must be a whole number, not a list"},
		{"text: {a: b}", "x.yaml:1: text must be a text, not a mapping"},
		{"real: x", "x.yaml:1: real must be a number such as 0.25, not 'x'"},
		{"boolean: maybe",
		 "x.yaml:1: boolean must be yes or no (or true, false, on, off), not 'maybe'"},
		{"duration: 2x",
		 "x.yaml:1: duration must be a length of time such as 90s, 15m, 24h "
		 "or 7d from 1m to 1h, not '2x'"},
		{"size: 2G",
		 "x.yaml:1: size must be a size such as 4096, 64K, 16M or 2G from 4K to "
		 "1M, not '2G'"},
		{"colour: gren", "x.yaml:1: colour must be one of red, green, blue, not 'gren' "
				 "(did you mean 'green'?)"},
		{"texts:\n- a\n-",
		 "x.yaml:3: texts must be a text or a list of texts, not nothing"},
		{"ports: [80,\n 0]", "x.yaml:2: ports must be a port (1 to 65535), a range such as "
				     "8000-8010, or a list of these, not '0'"},
		{"any: \"a\\x1b[31m\"", "x.yaml:1: any must be a whole number, not 'a\\x1b[31m'"},
		{"prots: 80", "x.yaml:1: unknown name 'prots' (did you mean 'ports'?)"},
		{"something: 80", "x.yaml:1: unknown name 'something'"},
		{"any: 1\n\nany: 2",
		 "x.yaml:3: 'any' was given in line 1 already: keep one of the two"},
		{"text: *a",
		 "x.yaml:1: aliases (*a) are not supported: write the value out, or quote "
		 "a text that begins with '*'"},
		{"text: &a b", "x.yaml:1: anchors (&a) are not supported: write the value out"},
		{"text: !!str b", "x.yaml:1: tags (such as !!str) are not supported: remove it"},
		{"text: a\n---\ntext: b",
		 "x.yaml:2: a second document begins here: remove the line '---'"},
		{"- a\n- b", "x.yaml:1: the file must be made of lines 'name: value', not of a "
			     "single list"},
		{"word", "x.yaml:1: the file must be made of lines 'name: value', not of a single "
			 "text"},
		{"text: \"\\0\"", "x.yaml:1: a NUL byte (\\0) cannot be part of a value"},
		{"any: 1\n? [a]\n: b",
		 "x.yaml:2: a name must be plain text, not a list or a mapping"},
		{"any: 1\ntext: [a\nnumber: 3\n", "x.yaml:3: this is not YAML: did not find "
						  "expected ',' or ']' (while parsing a flow "
						  "sequence that begins in line 2)"},
		{"any: 1\n\tnumber: 3\n", "x.yaml:2: this is not YAML: found a tab character that "
					  "violates indentation (while scanning a plain scalar "
					  "that begins in line 1)"},
		{"any: 1\ntext: \xff\n", "x.yaml:2: this is not YAML: invalid leading UTF-8 octet"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		assert_error(cases[i][0], cases[i][1]);
}

static void test_all_errors_in_order(void **state)
{
	static const char *const expected[] = {
		"x.yaml:1: unknown name 'nunber' (did you mean 'number'?)",
		"x.yaml:2: any must be a whole number, not 'x'",
		"x.yaml:4: unknown name 'b'",
		"x.yaml:5: 'any' was given in line 2 already: keep one of the two",
		"x.yaml:6: size must be a size such as 4096, 64K, 16M or 2G from 4K to 1M, not '1'",
	};
	struct config *config;
	struct settings settings =
		settings_of(&config, "nunber: 3\nany: x\nnode:\n  b: 1\nany: 2\nsize: 1\n");

	/* The same table once more says nothing new. */
	config_take(config, config_root(config), &section, &settings);
	assert_int_equal(config_finish(config), ARRAY_COUNT(expected));
	for (size_t i = 0; i < ARRAY_COUNT(expected); i++)
		assert_string_equal(config_error_text(config, i), expected[i]);
	config_free(config);
}

static void test_required_and_sections(void **state)
{
	struct settings s = {0};
	const struct directive needed[] = {{"text", DIRECTIVE_TEXT, offsetof(struct settings, text),
					    .required = true, .help = "what to say"}};
	const struct config_section inner = {"part[]", needed, 1, NULL};
	struct config *config = config_parse(SLICE("part:\n- text: a\n- txt: b\n- 5\n"), "x.yaml");
	const struct config_node *part = config_child(config_root(config), "part");

	for (size_t i = 0; i < config_count(part); i++)
		config_take(config, config_item(part, i), &inner, &s);
	config_take(config, NULL, &inner, &s); /* no mapping: nothing is missing from it */
	assert_int_equal(config_finish(config), 3);
	assert_string_equal(
		config_error_text(config, 0),
		"x.yaml:3: part[].text is missing, what to say: add a line 'text: ...'");
	assert_string_equal(config_error_text(config, 1),
			    "x.yaml:3: unknown name 'txt' (did you mean 'text'?)");
	assert_string_equal(config_error_text(config, 2),
			    "x.yaml:4: part[] must be made of lines 'name: value', not '5'");
	config_free(config);
	/* What a broken file lacks is not complained about. */
	config = config_parse(SLICE("text: [\n"), "x.yaml");
	config_take(config, config_root(config), &inner, &s);
	assert_int_equal(config_finish(config), 1);
	config_free(config);
}

static void test_limits(void **state)
{
	struct writer w = writer_growing(8 << 20);
	struct config *config;

	for (int depth = 32; depth <= 33; depth++) {
		writer_clear(&w);
		writer_text(&w, "node: ");
		for (int i = 1; i < depth; i++)
			writer_u8(&w, '[');
		for (int i = 1; i < depth; i++)
			writer_u8(&w, ']');
		writer_u8(&w, 0);
		settings_of(&config, (const char *)w.at);
		assert_int_equal(config_error_count(config), depth == 32 ? 0 : 1);
		config_free(config);
	}
	for (size_t count = 10000; count <= 10001; count++) {
		writer_clear(&w);
		writer_text(&w, "texts:\n");
		for (size_t i = 0; i < count; i++)
			writer_text(&w, "- a\n");
		writer_u8(&w, 0);
		settings_of(&config, (const char *)w.at);
		assert_int_equal(config_error_count(config), count == 10000 ? 0 : 1);
		config_free(config);
	}
	writer_clear(&w);
	for (size_t size = (4 << 20); size <= (4 << 20) + 1; size++) {
		while (w.length < size)
			writer_u8(&w, w.length ? 'a' : '#');
		config = config_parse(writer_slice(&w), "x.yaml");
		assert_int_equal(config_error_count(config), size > 4 << 20);
		config_free(config);
	}
	writer_free(&w);
}

static void test_files(void **state)
{
	char path[] = "config_test.XXXXXX";
	int file = mkstemp(path);
	struct config *config;

	assert_true(file >= 0);
	assert_int_equal(write(file, "any: 7\n", 7), 7);
	close(file);
	config = config_read(path);
	assert_int_equal(config_error_count(config), 0);
	assert_string_equal(config_text(config_child(config_root(config), "any")), "7");
	config_free(config);
	unlink(path);
	config = config_read("no/such.yaml");
	assert_string_equal(
		config_error_text(config, 0),
		"no/such.yaml: cannot be read: No such file or directory; make the file "
		"or give another one with -c");
	assert_int_equal(config_finish(config), 1);
	config_free(config);
	config = config_read(".");
	assert_string_equal(config_error_text(config, 0), ".: cannot be read: Is a directory");
	config_free(config);
}

static void test_distance(void **state)
{
	assert_int_equal(config_name_distance("ports", "ports"), 0);
	assert_int_equal(config_name_distance("ports", "prots"), 1);
	assert_int_equal(config_name_distance("", "abc"), 3);
	assert_int_equal(config_name_distance("kitten", "sitting"), 3);
	assert_int_equal(config_name_distance("abc", ""), 3);
}

static void test_describe(void **state)
{
	struct writer w = writer_growing(65536);

	config_describe(&section, &w);
	writer_u8(&w, 0);
	assert_non_null(strstr((char *)w.at, "Settings of a test.\n\n| Name | Type | Default |"));
	assert_non_null(
		strstr((char *)w.at,
		       "| `number` | number | `3` | a whole number from 2 to 5 | A number |\n"));
	assert_non_null(strstr((char *)w.at, "| `a: text # with \\| marks` | a text | Any text |"));
	assert_non_null(
		strstr((char *)w.at, "| `colour` | choice | `green` | one of red, green, blue"));
	writer_free(&w);
}

/* A file with a random byte or piece changed is read or refused, and never more. */
static void test_mutations(void **state)
{
	static const char valid[] =
		"text: 'yes'\nnumber: \"5\"\nany: -7\nreal: -1.5e2\nboolean: no\nduration: 2m\n"
		"size: 1M\ncolour: blue\ntexts: [a, b]\nports: [80, \"443\", 8000-8010]\n"
		"node: {a: [1, {b: c}]}\n# comment\nmore: |\n  block\n  text\nlast: >-\n  x\n";
	static const char bits[] = "&*!|>{}[]:,-?#'\"%@`\n\t \\\x80\xff\xc3";
	unsigned random = 12345;

	for (int round = 0; round < 4000; round++) {
		char text[2 * sizeof(valid)];
		size_t length = sizeof(valid) - 1;
		struct settings settings;
		struct config *config;

		memcpy(text, valid, length);
		for (int change = 0; change <= round % 4; change++) {
			size_t at;

			random = random * 1103515245 + 12345;
			at = (random >> 8) % length;
			if (random >> 30 == 0)
				length = at + 1;
			else if (random >> 30 == 1)
				memmove(text + at, text + (at + length) / 2,
					length - (at + length) / 2);
			else
				text[at] = bits[(random >> 4) % (sizeof(bits) - 1)];
		}
		config = config_parse(slice_of(text, length), "x");
		assert_non_null(config);
		config_take(config, config_root(config), &section, &settings);
		config_finish(config);
		config_free(config);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_walking),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_all_errors_in_order),
		cmocka_unit_test(test_required_and_sections),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_describe),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
