/* A sorted list of changes and a list of suppressions; see changes.h. */
#include "capture/rules/changes.h"

#include <stdio.h>
#include <stdlib.h>

#include "capture/rules/thresholds.h"

struct suppression {
	uint32_t gid, sid;
	bool by_source, by_destination;
	bool everywhere; /* no address is named */
	struct network network;
};

struct rule_changes {
	struct rule_change *items;
	size_t count, capacity;
	struct suppression *suppressions;
	size_t suppression_count, suppression_capacity;
	bool enables;
};

static int compare_changes(const void *a, const void *b)
{
	const struct rule_change *left = a, *right = b;

	if (left->sid != right->sid)
		return left->sid < right->sid ? -1 : 1;
	return left->gid < right->gid ? -1 : left->gid > right->gid;
}

/* Lines of one rule stay in their order. */
static int compare_lines(const void *a, const void *b)
{
	const struct rule_change *left = a, *right = b;
	int order = compare_changes(a, b);

	return order ? order : (left->line > right->line) - (left->line < right->line);
}

static bool make_room(void *list, size_t count, size_t *capacity, size_t size)
{
	void **at = list, *grown;

	if (count < *capacity)
		return true;
	if (count >= RULE_CHANGES_MAX)
		return false;
	grown = reallocarray(*at, *capacity ? 2 * *capacity : 64, size);
	if (!grown)
		return false;
	*capacity = *capacity ? 2 * *capacity : 64;
	*at = grown;
	return true;
}

/* A change of that rule; those of one rule are joined at the end. */
static struct rule_change *change_of(struct rule_changes *changes, uint32_t gid, uint32_t sid)
{
	if (!make_room(&changes->items, changes->count, &changes->capacity,
		       sizeof(*changes->items)))
		return NULL;
	changes->items[changes->count] =
		(struct rule_change){.gid = gid, .sid = sid, .line = (unsigned)changes->count};
	return &changes->items[changes->count++];
}

/* SID or GID:SID */
static bool read_number(struct slice text, uint32_t *gid, uint32_t *sid)
{
	size_t colon = slice_find_byte(text, ':');
	int64_t group = 1, number;

	if (colon != SIZE_MAX && slice_number(slice_first(text, colon), 0, UINT32_MAX, &group) < 0)
		return false;
	if (colon != SIZE_MAX)
		text = slice_from(text, colon + 1);
	if (slice_number(text, 1, UINT32_MAX, &number) < 0)
		return false;
	*gid = (uint32_t)group;
	*sid = (uint32_t)number;
	return true;
}

static const char *read_switch(struct rule_changes *changes, struct slice rest, bool enable)
{
	uint32_t gid, sid;
	struct rule_change *change;

	if (!read_number(rest, &gid, &sid))
		return "write a rule's number: SID or GID:SID";
	change = change_of(changes, gid, sid);
	if (!change)
		return "too many changes";
	change->enabled = enable;
	change->disabled = !enable;
	changes->enables |= enable;
	return NULL;
}

/* Takes the named part ("sig_id 5") out of a list; the others are appended to `others`. */
static bool take_part(struct slice word, const char *name, struct slice *value)
{
	size_t space = slice_find_byte(word, ' ');

	if (space == SIZE_MAX || !slice_is(slice_first(word, space), name))
		return false;
	*value = slice_trim(slice_from(word, space));
	return true;
}

struct parts {
	int64_t gid, sid;
	struct slice track, ip;
	struct writer others;
};

static const char *read_parts(struct slice rest, bool suppress, struct parts *parts)
{
	struct slice word, value;

	while (slice_next(&rest, ',', &word)) {
		word = slice_trim(word);
		if (take_part(word, "gen_id", &value)) {
			if (slice_number(value, 0, UINT32_MAX, &parts->gid) < 0)
				return "gen_id is a number";
		} else if (take_part(word, "sig_id", &value)) {
			if (slice_number(value, 1, UINT32_MAX, &parts->sid) < 0)
				return "sig_id is a number";
		} else if (suppress && take_part(word, "track", &value)) {
			parts->track = value;
		} else if (suppress && take_part(word, "ip", &value)) {
			parts->ip = value;
		} else if (suppress) {
			return "suppress knows gen_id, sig_id, track and ip";
		} else {
			writer_format(&parts->others, "%s%.*s", parts->others.length ? "," : "",
				      (int)word.length, (const char *)word.at);
		}
	}
	return parts->sid ? NULL : "sig_id is missing";
}

static const char *read_threshold_line(struct rule_changes *changes, struct slice rest)
{
	uint8_t room[512];
	struct parts parts = {.gid = 1, .others = writer_fixed(room, sizeof(room))};
	const char *why = read_parts(rest, false, &parts);
	struct threshold threshold = {.kind = THRESHOLD_NONE};
	struct rule_change *change;
	struct slice bad;

	if (why)
		return why;
	if (parts.others.failed ||
	    threshold_read(writer_slice(&parts.others), &threshold, &bad) < 0)
		return "a threshold needs type limit, threshold or both, track, count and seconds";
	change = change_of(changes, (uint32_t)parts.gid, (uint32_t)parts.sid);
	if (!change)
		return "too many changes";
	change->threshold = threshold;
	return NULL;
}

static const char *read_suppression(struct rule_changes *changes, struct slice rest)
{
	struct parts parts = {.gid = 1};
	const char *why = read_parts(rest, true, &parts);
	struct suppression *one;
	struct rule_change *change;

	if (why)
		return why;
	if (!make_room(&changes->suppressions, changes->suppression_count,
		       &changes->suppression_capacity, sizeof(*changes->suppressions)))
		return "too many suppressions";
	one = &changes->suppressions[changes->suppression_count];
	*one = (struct suppression){.gid = (uint32_t)parts.gid,
				    .sid = (uint32_t)parts.sid,
				    .everywhere = parts.ip.length == 0};
	if (parts.ip.length && network_parse(parts.ip, &one->network) < 0)
		return "ip is an address or a network: 192.0.2.0/24";
	one->by_source = slice_is(parts.track, "by_src") || slice_is(parts.track, "by_either");
	one->by_destination = slice_is(parts.track, "by_dst") || slice_is(parts.track, "by_either");
	if (parts.ip.length && !one->by_source && !one->by_destination)
		return "track is by_src, by_dst or by_either";
	change = change_of(changes, one->gid, one->sid);
	if (!change)
		return "too many changes";
	change->suppressed = true;
	changes->suppression_count++;
	return NULL;
}

static const char *read_line(struct rule_changes *changes, struct slice line)
{
	size_t space = slice_find_byte(line, ' ');
	struct slice verb = slice_first(line, space == SIZE_MAX ? line.length : space);
	struct slice rest = slice_trim(slice_from(line, verb.length));

	if (slice_is(verb, "disable"))
		return read_switch(changes, rest, false);
	if (slice_is(verb, "enable"))
		return read_switch(changes, rest, true);
	if (slice_is(verb, "threshold") || slice_is(verb, "event_filter"))
		return read_threshold_line(changes, rest);
	if (slice_is(verb, "suppress"))
		return read_suppression(changes, rest);
	return "a change begins with disable, enable, threshold or suppress";
}

/* Several lines about one rule become one change; what is said later counts. */
static void join_changes(struct rule_changes *changes)
{
	size_t kept = 0;

	for (size_t i = 0; i < changes->count; i++) {
		struct rule_change *change = &changes->items[i], *last;

		last = kept ? &changes->items[kept - 1] : NULL;
		if (!last || compare_changes(last, change) != 0) {
			changes->items[kept++] = *change;
			continue;
		}
		if (change->enabled || change->disabled) {
			last->enabled = change->enabled;
			last->disabled = change->disabled;
		}
		if (change->threshold.kind != THRESHOLD_NONE)
			last->threshold = change->threshold;
		last->suppressed |= change->suppressed;
	}
	changes->count = kept;
}

struct rule_changes *rule_changes_read(struct slice text, unsigned *line,
				       char why[RULE_CHANGES_WHY])
{
	struct rule_changes *changes = calloc(1, sizeof(*changes));
	struct slice one;
	const char *broken = changes ? NULL : "out of memory";

	*line = 0;
	while (!broken && slice_next(&text, '\n', &one)) {
		++*line;
		one = slice_trim(slice_first(one, slice_find_byte(one, '#')));
		if (one.length)
			broken = read_line(changes, one);
	}
	if (broken) {
		snprintf(why, RULE_CHANGES_WHY, "%s", broken);
		rule_changes_free(changes);
		return NULL;
	}
	if (changes->count)
		qsort(changes->items, changes->count, sizeof(*changes->items), compare_lines);
	join_changes(changes);
	return changes;
}

const struct rule_change *rule_changes_find(const struct rule_changes *changes, uint32_t gid,
					    uint32_t sid)
{
	struct rule_change wanted = {.gid = gid, .sid = sid};

	if (!changes || !changes->count)
		return NULL;
	return bsearch(&wanted, changes->items, changes->count, sizeof(*changes->items),
		       compare_changes);
}

bool rule_changes_enable(const struct rule_changes *changes)
{
	return changes && changes->enables;
}

bool rule_changes_suppress(const struct rule_changes *changes, const struct rule *rule,
			   const struct address *source, const struct address *destination)
{
	for (size_t i = 0; i < changes->suppression_count; i++) {
		const struct suppression *one = &changes->suppressions[i];

		if (one->sid != rule->sid || one->gid != rule->gid)
			continue;
		if (one->everywhere || (one->by_source && network_holds(&one->network, source)) ||
		    (one->by_destination && network_holds(&one->network, destination)))
			return true;
	}
	return false;
}

void rule_changes_free(struct rule_changes *changes)
{
	if (!changes)
		return;
	free(changes->items);
	free(changes->suppressions);
	free(changes);
}
