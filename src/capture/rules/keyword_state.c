/* What rules remember besides flowbits: numbers of a flow (flowint), marks that addresses bear for
 * a time (xbits, hostbits). Questions are conditions; what sets something happens after the match.
 */
#include "capture/rules/keyword.h"

#include <stdlib.h>

#include "base/clock.h"
#include "capture/rules/marks.h"

/* --- flowint:name,operator,value --- */

/* flow->numbers: how many there are, then pairs of name and value. */
static uint32_t *number_place(const struct flow *flow, uint16_t name)
{
	uint32_t count = flow && flow->numbers ? flow->numbers[0] : 0;

	for (uint32_t i = 0; i < count; i++)
		if (flow->numbers[1 + 2 * i] == name)
			return &flow->numbers[2 + 2 * i];
	return NULL;
}

/* Made with 0 if it is not there; NULL when there are too many. */
static uint32_t *number_made(struct flow *flow, uint16_t name)
{
	uint32_t *place = number_place(flow, name);

	if (place || !flow)
		return place;
	if (!flow->numbers)
		flow->numbers = calloc(1 + 2 * FLOW_NUMBERS_MAX, sizeof(uint32_t));
	if (!flow->numbers || flow->numbers[0] == FLOW_NUMBERS_MAX)
		return NULL;
	place = &flow->numbers[1 + 2 * flow->numbers[0]++];
	place[0] = name;
	return &place[1];
}

/* The right side: false when it is a number that the flow has not. */
static bool right_side(const struct flow_number_test *test, const struct flow *flow,
		       uint32_t *value)
{
	const uint32_t *other = test->other ? number_place(flow, test->other - 1) : &test->value;

	if (other)
		*value = *other;
	return other;
}

static bool flow_number_holds(const struct test *test, struct match *m)
{
	const struct flow_number_test *asked = &test->as.flow_number;
	const struct flow *flow = m->inspection->flow;
	const uint32_t *left = number_place(flow, asked->name);
	struct number_test compared = {.compare = (enum compare)asked->compare};
	uint32_t right;

	if (asked->presence)
		return flow && left;
	if (!left || !right_side(asked, flow, &right))
		return false;
	compared.low = right;
	return compare_number(&compared, *left);
}

static void take_flow_number(const struct effect *effect, struct match *m)
{
	const struct flow_number_test *step = &effect->as.flow_number;
	struct flow *flow = m->inspection->flow;
	uint32_t right, *left;

	if (!right_side(step, flow, &right))
		return;
	left = number_made(flow, step->name);
	if (!left)
		return;
	switch (step->compare) {
	case '+':
		*left = *left > UINT32_MAX - right ? UINT32_MAX : *left + right;
		break;
	case '-':
		*left = *left < right ? 0 : *left - right;
		break;
	default:
		*left = right;
	}
}

/* A number, or the name of another one. */
static int read_right_side(struct builder *b, struct slice text, struct flow_number_test *test)
{
	int64_t number;
	int name;

	if (slice_number(text, 0, UINT32_MAX, &number) == 0) {
		test->value = (uint32_t)number;
		return 0;
	}
	name = builder_bit(b, text);
	test->other = (uint16_t)(name + 1);
	return name < 0 ? -1 : 0;
}

static int add_question(struct builder *b, const struct flow_number_test *asked, bool negated)
{
	struct test *test = builder_condition(b);

	if (!test)
		return -1;
	test->holds = flow_number_holds;
	test->negated = negated;
	test->as.flow_number = *asked;
	b->rule->tests_bits = true;
	return 0;
}

static int add_step(struct builder *b, const struct flow_number_test *step)
{
	struct effect *effect = builder_effect(b);

	if (!effect)
		return -1;
	*effect = (struct effect){take_flow_number, {.flow_number = *step}};
	return 0;
}

static int read_flowint(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const struct {
		const char *sign;
		char effect;
		enum compare compare;
	} signs[] = {{"=", '=', 0},
		     {"+", '+', 0},
		     {"-", '-', 0},
		     {"==", 0, COMPARE_EQUAL},
		     {"!=", 0, COMPARE_NOT},
		     {"<", 0, COMPARE_LESS},
		     {">", 0, COMPARE_MORE},
		     {"<=", 0, COMPARE_AT_MOST},
		     {">=", 0, COMPARE_AT_LEAST}};
	struct flow_number_test step = {.presence = true};
	struct slice name, sign;
	int number;

	(void)slice_next(&value, ',', &name);
	(void)slice_next(&value, ',', &sign);
	sign = slice_trim(sign);
	number = builder_bit(b, slice_trim(name));
	if (number < 0)
		return -1;
	step.name = (uint16_t)number;
	if (slice_is(sign, "isset") || slice_is(sign, "isnotset") || slice_is(sign, "notset"))
		return add_question(b, &step, !slice_is(sign, "isset"));
	step.presence = false;
	for (size_t i = 0; i < ARRAY_COUNT(signs); i++) {
		if (!slice_is(sign, signs[i].sign))
			continue;
		if (read_right_side(b, slice_trim(value), &step) < 0)
			return -1;
		step.compare =
			signs[i].effect ? (uint8_t)signs[i].effect : (uint8_t)signs[i].compare;
		return signs[i].effect ? add_step(b, &step) : add_question(b, &step, false);
	}
	return builder_fail(b, "flowint does not know %.*s", (int)slice_first(sign, 40).length,
			    (const char *)sign.at);
}

/* --- xbits and hostbits --- */

#define XBITS_SECONDS    30 /* Suricata's defaults */
#define HOSTBITS_SECONDS 300

/* Who bears the mark; false: nobody, there is no address here. */
static bool bearers(const struct mark_test *mark, const struct match *m,
		    const struct address **first, const struct address **second)
{
	const struct inspection *i = m->inspection;
	const struct address *source, *destination;

	if (i->kind == INSPECT_PACKET && i->packet) {
		source = &i->packet->source;
		destination = &i->packet->destination;
	} else if (i->flow) {
		source = i->direction == TO_SERVER ? &i->flow->client : &i->flow->server;
		destination = i->direction == TO_SERVER ? &i->flow->server : &i->flow->client;
	} else {
		return false;
	}
	*first = mark->track == MARK_DESTINATION ? destination : source;
	*second = mark->track == MARK_PAIR ? destination : NULL;
	return (*first)->family;
}

static bool mark_holds(const struct test *test, struct match *m)
{
	const struct mark_test *mark = &test->as.mark;
	const struct address *first, *second;

	return bearers(mark, m, &first, &second) &&
	       marks_has(m->marks, mark->name, first, second, m->inspection->time);
}

static void take_mark(const struct effect *effect, struct match *m)
{
	const struct mark_test *mark = &effect->as.mark;
	const struct address *first, *second;
	int64_t now = m->inspection->time;

	if (!bearers(mark, m, &first, &second))
		return;
	if (mark->action == BIT_UNSET ||
	    (mark->action == BIT_TOGGLE && marks_has(m->marks, mark->name, first, second, now)))
		marks_unset(m->marks, mark->name, first, second);
	else
		marks_set(m->marks, mark->name, first, second, now,
			  now + (int64_t)mark->seconds * SECOND);
}

static int add_mark(struct builder *b, const struct mark_test *mark)
{
	if (mark->action >= BIT_IS_SET) {
		struct test *test = builder_condition(b);

		if (!test)
			return -1;
		test->holds = mark_holds;
		test->negated = mark->action == BIT_IS_NOT_SET;
		test->as.mark = *mark;
		b->rule->tests_bits = true;
	} else {
		struct effect *effect = builder_effect(b);

		if (!effect)
			return -1;
		*effect = (struct effect){take_mark, {.mark = *mark}};
	}
	return 0;
}

static const struct track {
	const char *word;
	enum mark_track track;
} tracks[] = {{"track ip_src", MARK_SOURCE}, {"track ip_dst", MARK_DESTINATION},
	      {"track ip_pair", MARK_PAIR},  {"src", MARK_SOURCE},
	      {"dst", MARK_DESTINATION},     {"both", MARK_PAIR}};

/* xbits:action,name,track ip_src|ip_dst|ip_pair[,expire N]; hostbits:action,name[,src|dst|both] */
static int read_marks(struct builder *b, const struct keyword *keyword, struct slice value)
{
	static const char *const actions[] = {[BIT_SET] = "set",
					      [BIT_UNSET] = "unset",
					      [BIT_TOGGLE] = "toggle",
					      [BIT_IS_SET] = "isset",
					      [BIT_IS_NOT_SET] = "isnotset"};
	struct mark_test mark = {.seconds = (uint32_t)keyword->argument};
	struct slice word, name;
	int number;

	(void)slice_next(&value, ',', &word);
	(void)slice_next(&value, ',', &name);
	word = slice_trim(word);
	if (slice_is(word, "noalert")) {
		b->rule->no_alert = true;
		return 0;
	}
	while (mark.action < ARRAY_COUNT(actions) && !slice_is(word, actions[mark.action]))
		mark.action++;
	number = mark.action == ARRAY_COUNT(actions) ? -1 : builder_bit(b, slice_trim(name));
	if (number < 0)
		return builder_fail(b, "%s needs set, unset, toggle, isset or isnotset and a name",
				    keyword->name);
	mark.name = (uint16_t)number;
	while (slice_next(&value, ',', &word)) {
		int64_t seconds;
		size_t i = 0;

		word = slice_trim(word);
		if (slice_starts(word, "expire ") &&
		    slice_number(slice_trim(slice_from(word, 7)), 1, UINT32_MAX, &seconds) == 0) {
			mark.seconds = (uint32_t)seconds;
			continue;
		}
		while (i < ARRAY_COUNT(tracks) && !slice_is(word, tracks[i].word))
			i++;
		if (i == ARRAY_COUNT(tracks))
			return builder_fail(b, "%s does not know %.*s", keyword->name,
					    (int)slice_first(word, 40).length,
					    (const char *)word.at);
		mark.track = (uint8_t)tracks[i].track;
	}
	return add_mark(b, &mark);
}

static const struct keyword table[] = {
	{"flowint", "Numbers of the flow that rules count and compare", read_flowint, 0},
	{"xbits", "Marks on addresses that rules set and ask for", read_marks, XBITS_SECONDS},
	{"hostbits", "Marks on addresses that rules set and ask for", read_marks, HOSTBITS_SECONDS},
	{NULL, NULL, NULL, 0},
};

const struct keyword *const keywords_state = table;
