/* What owners change of rules: read, refused with line and reason, applied by the engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "capture/rules/engine.h"

static struct rule_changes *read_good(const char *text)
{
	char why[RULE_CHANGES_WHY];
	unsigned line;
	struct rule_changes *changes = rule_changes_read(slice_text(text), &line, why);

	if (!changes)
		fail_msg("line %u: %s", line, why);
	return changes;
}

static void changes_are_read(void **state)
{
	struct rule_changes *changes = read_good(
		"# mine\n\ndisable 5 # noisy\nenable 1:6\r\n disable 3:5\n"
		"threshold gen_id 1, sig_id 7, type limit, track by_dst, count 2, seconds 60\n"
		"event_filter gen_id 1, sig_id 8, type both, track by_src, count 3, seconds 9\n"
		"suppress gen_id 1, sig_id 9\n"
		"suppress gen_id 1, sig_id 10, track by_src, ip 192.0.2.0/24\n"
		"disable 11\nenable 11\n"
		"disable 7\n");
	const struct rule_change *change = rule_changes_find(changes, 1, 5);

	assert_non_null(change);
	assert_true(change->disabled && !change->enabled);
	assert_true(rule_changes_find(changes, 3, 5)->disabled);
	assert_null(rule_changes_find(changes, 2, 5));
	assert_null(rule_changes_find(changes, 1, 12));
	assert_true(rule_changes_find(changes, 1, 6)->enabled);
	change = rule_changes_find(changes, 1, 7);
	assert_int_equal(change->threshold.kind, THRESHOLD_LIMIT);
	assert_true(change->threshold.by_destination && change->disabled);
	assert_int_equal(change->threshold.count, 2);
	assert_int_equal(change->threshold.seconds, 60);
	assert_int_equal(rule_changes_find(changes, 1, 8)->threshold.kind, THRESHOLD_BOTH);
	assert_true(rule_changes_find(changes, 1, 9)->suppressed);
	change = rule_changes_find(changes, 1, 11); /* what is said later counts */
	assert_true(change->enabled && !change->disabled);
	assert_true(rule_changes_enable(changes));
	rule_changes_free(changes);
	changes = read_good("");
	assert_null(rule_changes_find(changes, 1, 1));
	assert_false(rule_changes_enable(changes));
	rule_changes_free(changes);
}

static void what_is_broken_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *why;
	} cases[] = {
		{"disable\n", 1, "number"},
		{"\ndisable all\n", 2, "number"},
		{"disable 0\n", 1, "number"},
		{"disable 1:2:3\n", 1, "number"},
		{"disable 99999999999\n", 1, "number"},
		{"remove 5\n", 1, "begins with"},
		{"disable 5\nthreshold gen_id 1, sig_id 5, type limit\n", 2, "needs"},
		{"threshold gen_id 1, type limit, track by_src, count 1, seconds 1\n", 1,
		 "sig_id is missing"},
		{"threshold gen_id 1, sig_id 2, type never, track by_src, count 1, seconds 1\n", 1,
		 "needs"},
		{"suppress gen_id 1, sig_id 2, track by_src, ip everywhere\n", 1, "ip is"},
		{"suppress gen_id 1, sig_id 2, ip 192.0.2.1\n", 1, "track is"},
		{"suppress gen_id 1, sig_id 2, type limit\n", 1, "suppress knows"},
	};

	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		char why[RULE_CHANGES_WHY] = "";
		unsigned line = 0;

		assert_null(rule_changes_read(slice_text(cases[i].text), &line, why));
		assert_int_equal(line, cases[i].line);
		if (!strstr(why, cases[i].why))
			fail_msg("case %zu: \"%s\" does not say \"%s\"", i, why, cases[i].why);
	}
}

/* --- with rules --- */

#define RULES                                                                   \
	"alert udp any any -> any any (msg:\"one\"; content:\"x\"; sid:1;)\n"   \
	"#alert udp any any -> any any (msg:\"two\"; content:\"x\"; sid:2;)\n"  \
	"alert udp any any -> any any (msg:\"three\"; content:\"x\"; sid:3;)\n" \
	"alert udp any any -> any any (msg:\"four\"; content:\"x\"; sid:4;)\n"

struct heard {
	unsigned alerts[8];
};

static void hear(void *context, const struct rule *rule, const struct inspection *inspection)
{
	struct heard *heard = context;

	heard->alerts[rule->sid]++;
}

static void play(const char *text, struct heard *heard, struct engine_counts *counts)
{
	static const uint8_t frame[] = {0x45, 0,   0, 29, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0,  2,
					9,    192, 0, 2,  1, 4, 1, 0, 99, 0,  9, 0, 0,   'x'};
	struct rule_changes *changes = read_good(text);
	struct variables variables;
	struct engine *engine;
	struct packet packet;
	struct buffer payload;
	struct inspection inspection = {.kind = INSPECT_PACKET, .packet = &packet};

	*heard = (struct heard){{0}};
	rule_variables_start(&variables);
	engine = engine_new(&variables);
	assert_non_null(engine);
	engine_set_changes(engine, changes);
	engine_add(engine, "test.rules", slice_text(RULES), NULL);
	assert_null(engine_ready(engine, -1));
	assert_int_equal(packet_decode(&packet, LINK_RAW, slice_of(frame, sizeof(frame)),
				       sizeof(frame), 1000000, false),
			 0);
	payload = (struct buffer){BUFFER_PAYLOAD, packet.payload};
	inspection.findings.buffers = &payload;
	inspection.findings.buffer_count = 1;
	inspection.time = packet.time;
	for (int i = 0; i < 3; i++)
		engine_inspect(engine, &inspection, hear, heard);
	*counts = engine_counts(engine);
	engine_free(engine);
	rule_changes_free(changes);
}

static void the_engine_applies_them(void **state)
{
	struct engine_counts counts;
	struct heard heard;

	play("", &heard, &counts);
	assert_int_equal(counts.loaded, 3);
	assert_int_equal(heard.alerts[1], 3);
	assert_int_equal(heard.alerts[2], 0);
	play("disable 1\nenable 2\n"
	     "threshold gen_id 1, sig_id 3, type limit, track by_src, count 1, seconds 60\n"
	     "suppress gen_id 1, sig_id 4, track by_src, ip 192.0.2.9\n",
	     &heard, &counts);
	assert_int_equal(counts.loaded, 3);
	assert_int_equal(counts.disabled, 1);
	assert_int_equal(heard.alerts[1], 0);
	assert_int_equal(heard.alerts[2], 3);
	assert_int_equal(heard.alerts[3], 1);
	assert_int_equal(heard.alerts[4], 0);
	play("suppress gen_id 1, sig_id 4, track by_dst, ip 192.0.2.9\n", &heard, &counts);
	assert_int_equal(heard.alerts[4], 3); /* that is the source */
	play("suppress gen_id 1, sig_id 4\n", &heard, &counts);
	assert_int_equal(heard.alerts[4], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(changes_are_read),
		cmocka_unit_test(what_is_broken_is_refused_with_its_line),
		cmocka_unit_test(the_engine_applies_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
