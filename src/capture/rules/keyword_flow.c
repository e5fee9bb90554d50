/* What a rule asks of the flow and remembers of it: flow, flowbits, thresholds. */
#include "capture/rules/keyword.h"
#include "capture/rules/thresholds.h"

#include <stdio.h>

static int read_flow(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct rule *rule = b->rule;
	struct slice word;

	b->asks_flow = true;
	while (slice_next(&value, ',', &word)) {
		word = slice_trim(word);
		if (slice_is_nocase(word, "to_server") || slice_is_nocase(word, "from_client"))
			rule->sides = SIDE_SERVER;
		else if (slice_is_nocase(word, "to_client") || slice_is_nocase(word, "from_server"))
			rule->sides = SIDE_CLIENT;
		else if (slice_is_nocase(word, "established"))
			rule->established = true;
		else if (slice_is_nocase(word, "not_established"))
			rule->not_established = true;
		else if (slice_is_nocase(word, "no_stream"))
			b->packet_only = true;
		else if (slice_is_nocase(word, "only_stream"))
			b->stream_only = true;
		else if (!slice_is_nocase(word, "stateless") && !slice_is_nocase(word, "no_frag") &&
			 !slice_is_nocase(word, "only_frag"))
			return builder_fail(b, "flow does not know %.*s", (int)word.length,
					    (const char *)word.at);
	}
	return 0;
}

static int read_flowbits(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const struct {
		const char *word;
		enum bit_action action;
	} actions[] = {{"set", BIT_SET},
		       {"unset", BIT_UNSET},
		       {"toggle", BIT_TOGGLE},
		       {"isset", BIT_IS_SET},
		       {"isnotset", BIT_IS_NOT_SET}};
	struct slice word, name;
	struct bit_step *step;
	size_t names = 1;

	(void)slice_next(&value, ',', &word);
	word = slice_trim(word);
	if (slice_is(word, "noalert")) {
		b->rule->no_alert = true;
		return 0;
	}
	/* "reset" clears a group in Snort 2.9; nothing here has groups. */
	if (b->bit_step_count == ARRAY_COUNT(b->bit_steps))
		return builder_fail(b, "more than %zu flowbits", ARRAY_COUNT(b->bit_steps));
	step = &b->bit_steps[b->bit_step_count];
	for (size_t i = 0;; i++) {
		if (i == ARRAY_COUNT(actions))
			return builder_fail(b, "flowbits does not know %.*s", (int)word.length,
					    (const char *)word.at);
		if (slice_is(word, actions[i].word)) {
			step->action = actions[i].action;
			break;
		}
	}
	/* Snort's group behind a second comma is not needed. */
	(void)slice_next(&value, ',', &name);
	name = slice_trim(name);
	for (size_t i = 0; i < name.length; i++)
		names += name.at[i] == '|' || name.at[i] == '&';
	step->bits = arena_take(b->arena, names * sizeof(*step->bits));
	if (!step->bits)
		return builder_fail(b, "out of memory");
	while (name.length) {
		struct slice one;
		int bit;

		(void)slice_next(&name, slice_find_byte(name, '&') != SIZE_MAX ? '&' : '|', &one);
		bit = builder_bit(b, slice_trim(one));
		if (bit < 0)
			return -1;
		step->bits[step->count++] = (uint16_t)bit;
	}
	if (!step->count)
		return builder_fail(b, "flowbits needs a name");
	b->bit_step_count++;
	return 0;
}

static int read_threshold(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct threshold *t = &b->rule->threshold;
	struct slice bad;

	t->kind = keyword->argument ? THRESHOLD_FILTER : THRESHOLD_NONE;
	if (threshold_read(value, t, &bad) == 0)
		return 0;
	if (bad.length)
		return builder_fail(b, "%s does not know %.*s", keyword->name, (int)bad.length,
				    (const char *)bad.at);
	return builder_fail(b, "%s needs type, track, count and seconds", keyword->name);
}

static int read_noalert(struct builder *b, const struct keyword *keyword, struct slice value)
{
	b->rule->no_alert = true;
	return 0;
}

/* --- stream_size:side,operator,number; Snort 3: number,direction --- */

static bool stream_size_holds(const struct test *test, struct match *m)
{
	const struct flow *flow = m->inspection->flow;
	const struct number_test *number = &test->as.number;
	uint64_t server, client;

	if (!flow)
		return false;
	client = flow->bytes[TO_SERVER];
	server = flow->bytes[TO_CLIENT];
	switch (number->fact) {
	case 's':
		return compare_number(number, (int64_t)server);
	case 'c':
		return compare_number(number, (int64_t)client);
	case 'e':
		return compare_number(number, (int64_t)server) ||
		       compare_number(number, (int64_t)client);
	default:
		return compare_number(number, (int64_t)server) &&
		       compare_number(number, (int64_t)client);
	}
}

static int read_stream_size(struct builder *b, const struct keyword *keyword, struct slice value)
{
	struct test *test = builder_condition(b);
	struct slice side, sign, number;
	char text[40];

	if (!test)
		return -1;
	(void)slice_next(&value, ',', &side);
	(void)slice_next(&value, ',', &sign);
	number = slice_trim(value);
	side = slice_trim(side);
	sign = slice_trim(sign);
	if (b->text->dialect == DIALECT_SNORT3 || !number.length) {
		/* number,side; who sends to the server is the client */
		struct slice towards = sign;

		number = side;
		side = slice_is(towards, "to_server")   ? SLICE("client")
		       : slice_is(towards, "to_client") ? SLICE("server")
							: towards;
		sign = slice_of(NULL, 0);
	}
	if (!slice_is(side, "server") && !slice_is(side, "client") && !slice_is(side, "either") &&
	    !slice_is(side, "both"))
		return builder_fail(b, "stream_size needs server, client, either or both");
	(void)snprintf(text, sizeof(text), "%.*s%.*s",
		       slice_is(sign, "=") ? 0 : (int)slice_first(sign, 2).length,
		       (const char *)sign.at, (int)slice_first(number, 20).length,
		       (const char *)number.at);
	if (builder_compare(b, slice_text(text), &test->as.number) < 0)
		return -1;
	test->as.number.fact = side.at[0];
	test->holds = stream_size_holds;
	return 0;
}

static const struct keyword table[] = {
	{"flow", "Direction and state of the flow", read_flow, 0},
	{"flowbits", "Marks on the flow that rules set and ask for", read_flowbits, 0},
	{"threshold", "How often the alert is told", read_threshold, 0},
	{"detection_filter", "From which match on the alert is told", read_threshold, 1},
	{"noalert", "It only sets marks", read_noalert, 0},
	{"stream_size", "Bytes that the sides sent so far", read_stream_size, 0},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_flow = table;
