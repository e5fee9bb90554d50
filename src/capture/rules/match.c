/* Evaluating one rule; see rule.h. */
#include "capture/rules/rule.h"

bool compare_number(const struct number_test *test, int64_t value)
{
	switch (test->compare) {
	case COMPARE_EQUAL:
		return value == test->low;
	case COMPARE_NOT:
		return value != test->low;
	case COMPARE_LESS:
		return value < test->low;
	case COMPARE_MORE:
		return value > test->low;
	case COMPARE_AT_MOST:
		return value <= test->low;
	case COMPARE_AT_LEAST:
		return value >= test->low;
	case COMPARE_BETWEEN:
		return value >= test->low && value <= test->high;
	case COMPARE_AND:
		return value & test->low;
	case COMPARE_NAND:
		return !(value & test->low);
	case COMPARE_OR:
		return value ^ test->low;
	}
	return false;
}

/* The tests from `index` on, the one before having ended at `position`, the furthest of all before
 * at `furthest`: a match within bytes that were looked at before is no news. */
static bool match_from(struct match *m, const struct part *part, size_t index, size_t position,
		       size_t furthest)
{
	for (; index < part->count; index++) {
		const struct test *test = &part->tests[index];
		size_t from = 0, end = 0;

		if (!test->find) {
			m->position = position;
			if (test->holds(test, m) == test->negated)
				return false;
			position = m->position;
			continue;
		}
		if (test->negated) {
			if (test->find(test, m, position, &from, &end))
				return false;
			continue;
		}
		while (test->find(test, m, position, &from, &end)) {
			if (++m->steps > RULE_STEPS_MAX)
				return false;
			if (match_from(m, part, index + 1, end, end > furthest ? end : furthest))
				return true;
			if (!test->retried && !m->seen)
				return false;
		}
		return false;
	}
	m->position = position;
	return !m->seen || furthest > m->seen;
}

static bool match_buffer(struct match *m, const struct part *part, struct slice bytes)
{
	for (size_t i = 0; i < part->transform_count; i++) {
		struct writer *room = &m->rooms[i & 1];

		writer_clear(room);
		bytes = part->transforms[i].make(bytes, room, part->transforms[i].argument);
	}
	m->buffer = bytes;
	m->seen = m->inspection->kind == INSPECT_STREAM && part->buffer == BUFFER_PAYLOAD &&
				  m->rule->fast && m->rule->fast_buffer == BUFFER_PAYLOAD
			  ? m->inspection->seen
			  : 0;
	return match_from(m, part, 0, 0, 0);
}

static bool match_part(struct match *m, const struct part *part)
{
	const struct findings *findings = &m->inspection->findings;
	bool there = false;

	if (part->buffer == BUFFER_BASE64)
		return m->base64_known && match_buffer(m, part, m->base64);
	for (size_t i = 0; i < findings->buffer_count; i++) {
		if (findings->buffers[i].id != part->buffer)
			continue;
		there = true;
		if (match_buffer(m, part, findings->buffers[i].bytes))
			return true;
	}
	return !there && part->absent_too;
}

bool match_rule(struct match *m)
{
	const struct rule *rule = m->rule;

	for (size_t i = 0; i < rule->condition_count; i++)
		if (rule->conditions[i].holds(&rule->conditions[i], m) ==
		    rule->conditions[i].negated)
			return false;
	m->steps = 0;
	m->base64_known = false;
	for (size_t i = 0; i < rule->part_count; i++)
		if (!match_part(m, &rule->parts[i]))
			return false;
	return true;
}
