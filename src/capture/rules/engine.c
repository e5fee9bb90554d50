/* Loading rules, and looking at inspections with them; see engine.h. */
#include "capture/rules/engine.h"

#include <stdlib.h>

#include "capture/rules/ip_map.h"
#include "capture/rules/marks.h"
#include "capture/rules/prefilter.h"
#include "capture/rules/regex.h"
#include "capture/rules/thresholds.h"
#include "capture/stream.h"

#define ROOM_MAX (1024 * 1024) /* of a transform's output */

/* Rules that are looked at without a content, by kind. */
struct always {
	uint32_t *rules;
	size_t count, capacity;
};

struct engine {
	struct arena arena;
	const struct variables *variables;
	struct rule_set_names names;
	struct rule_classes classes;
	struct engine_double *doubles;
	size_t double_count;
	struct rule **rules;
	size_t count, capacity;
	struct prefilter *prefilter;
	struct ip_map *ip_map;
	struct always always[8]; /* by bit set of kinds: PACKET, STREAM, TRANSACTION */
	struct always once;      /* rules of an application alone */
	struct always first;     /* ... that want to be asked once a flow */
	struct always sums;      /* rules that look at packets with wrong sums */
	struct thresholds *thresholds;
	const struct rule_changes *changes; /* NULL: none */
	struct wants wants;
	struct engine_counts counts;
	/* of the inspection at hand */
	uint32_t *candidates;
	size_t candidate_count;
	uint32_t *stamps; /* by rule: the last inspection that it was a candidate in */
	uint32_t stamp;
	struct match match;
	struct writer rooms[2], base64_room;
};

struct engine *engine_new(const struct variables *variables)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->arena = arena_of(ENGINE_MEMORY_MAX);
	e->variables = variables;
	rule_classes_start(&e->classes);
	e->prefilter = prefilter_new();
	e->ip_map = ip_map_new();
	e->thresholds = thresholds_new();
	e->match.regex_memory = rule_regex_memory_new();
	e->match.marks = marks_new();
	e->rooms[0] = writer_growing(ROOM_MAX);
	e->rooms[1] = writer_growing(ROOM_MAX);
	e->base64_room = writer_growing(ROOM_MAX);
	e->match.rooms = e->rooms;
	e->match.base64_room = &e->base64_room;
	if (!e->prefilter || !e->ip_map || !e->thresholds || !e->match.regex_memory ||
	    !e->match.marks) {
		engine_free(e);
		return NULL;
	}
	return e;
}

/* --- loading --- */

static int keep(struct engine *e, struct rule *rule)
{
	if (e->count == e->capacity) {
		size_t capacity = e->capacity ? 2 * e->capacity : 256;
		struct rule **grown = reallocarray(e->rules, capacity, sizeof(struct rule *));

		if (!grown)
			return -1;
		e->rules = grown;
		e->capacity = capacity;
	}
	rule->index = (uint32_t)e->count;
	e->rules[e->count++] = rule;
	return 0;
}

void engine_set_classes(struct engine *e, const struct rule_classes *classes)
{
	e->classes = *classes;
}

void engine_set_changes(struct engine *e, const struct rule_changes *changes)
{
	e->changes = changes;
}

static uint32_t number_of(const struct rule_text *text, const char *option, uint32_t standard)
{
	const struct rule_option *found = rule_option_named(text, option);
	int64_t number;

	return found && slice_number(found->value, 0, UINT32_MAX, &number) == 0 ? (uint32_t)number
										: standard;
}

/* Whether the owner wants the rule at all. */
static bool is_wanted(const struct engine *e, const struct rule_text *text)
{
	const struct rule_change *change = NULL;

	if (e->changes)
		change = rule_changes_find(e->changes, number_of(text, "gid", 1),
					   number_of(text, "sid", 0));
	if (!text->enabled)
		return change && change->enabled;
	return !change || !change->disabled;
}

static void apply_changes(const struct engine *e, struct rule *rule)
{
	const struct rule_change *change = rule_changes_find(e->changes, rule->gid, rule->sid);

	if (!change)
		return;
	if (change->threshold.kind != THRESHOLD_NONE)
		rule->threshold = change->threshold;
	rule->suppressed = change->suppressed;
}

static void set_class(const struct engine *e, struct rule *rule)
{
	const struct rule_class *class = rule_class_named(&e->classes, rule->class_type);

	if (class)
		rule->class_title = class->title;
	if (!rule->priority)
		rule->priority = class ? class->priority : RULE_PRIORITY_DEFAULT;
}

static void refuse(struct engine *e, const struct engine_report *report, const char *file,
		   const struct rule_text *text, const char *why)
{
	e->counts.refused++;
	if (report && report->refused)
		report->refused(report->context, file, text, why);
}

void engine_add(struct engine *e, const char *file, struct slice text,
		const struct engine_report *report)
{
	struct rule_reader reader = rule_reader_of(text);
	struct rule_text one;
	enum rule_reading reading;
	char why[200];
	const char *broken = NULL;

	reader.with_disabled = rule_changes_enable(e->changes);
	while ((reading = rule_next(&reader, &e->arena, &one, &broken)) != RULE_END) {
		struct rule *rule;

		if (reading == RULE_READ ? !is_wanted(e, &one) : !one.enabled) {
			e->counts.disabled += one.enabled;
			continue;
		}
		rule = arena_take(&e->arena, sizeof(*rule));
		e->counts.read++;
		if (reading == RULE_READ && rule && e->count < ENGINE_RULES_MAX)
			broken = rule_build(&one, e->variables, &e->names, &e->arena, rule, why);
		else if (reading == RULE_READ)
			broken = "more rules than there is room for";
		if (!broken && keep(e, rule) < 0) {
			rule_drop(rule);
			broken = "out of memory";
		}
		if (broken) {
			refuse(e, report, file, &one, broken);
			continue;
		}
		rule->file = file;
		rule->text = one.text;
		set_class(e, rule);
		apply_changes(e, rule);
		e->counts.loaded++;
	}
}

/* --- getting ready --- */

/* Order of evaluation: what clears marks before what sets them, and that before what asks for them;
 * passes first of all. */
static int order_of(const struct rule *rule)
{
	return (rule->action == ACTION_PASS ? 0 : 8) + (rule->tests_bits ? 4 : 0) +
	       (rule->only_clears ? 0
		: rule->sets_bits ? 1
				  : 2);
}

static int compare_order(const void *a, const void *b)
{
	const struct rule *left = *(struct rule *const *)a, *right = *(struct rule *const *)b;

	if (order_of(left) != order_of(right))
		return order_of(left) - order_of(right);
	if (left->priority != right->priority)
		return left->priority - right->priority;
	return left->sid < right->sid ? -1 : left->sid > right->sid;
}

static int compare_sid(const void *a, const void *b)
{
	const struct rule *left = *(struct rule *const *)a, *right = *(struct rule *const *)b;

	if (left->gid != right->gid)
		return left->gid < right->gid ? -1 : 1;
	if (left->sid != right->sid)
		return left->sid < right->sid ? -1 : 1;
	if (left->revision != right->revision)
		return left->revision > right->revision ? -1 : 1;
	return left->index < right->index ? -1 : left->index > right->index;
}

static bool is_double(const struct rule *rule, const struct rule *before)
{
	return rule->sid == before->sid && rule->gid == before->gid;
}

static size_t count_doubles(const struct engine *e)
{
	size_t count = 0;

	for (size_t i = 1; i < e->count; i++)
		count += is_double(e->rules[i], e->rules[i - 1]);
	return count;
}

/* Of several with one sid the highest revision stays, or else the one that came first. */
static void drop_doubles(struct engine *e)
{
	size_t out = 0;

	if (!e->count)
		return;
	qsort(e->rules, e->count, sizeof(*e->rules), compare_sid);
	e->doubles = calloc(count_doubles(e) + 1, sizeof(*e->doubles));
	for (size_t i = 0; i < e->count; i++) {
		if (i && is_double(e->rules[i], e->rules[out - 1])) {
			rule_drop(e->rules[i]);
			if (e->doubles)
				e->doubles[e->double_count++] =
					(struct engine_double){e->rules[i], e->rules[out - 1]};
			e->counts.loaded--;
			e->counts.refused++;
			continue;
		}
		e->rules[out++] = e->rules[i];
	}
	e->count = out;
}

static int add_always(struct always *always, uint32_t rule)
{
	if (always->count == always->capacity) {
		size_t capacity = always->capacity ? 2 * always->capacity : 16;
		uint32_t *grown = reallocarray(always->rules, capacity, sizeof(*grown));

		if (!grown)
			return -1;
		always->rules = grown;
		always->capacity = capacity;
	}
	always->rules[always->count++] = rule;
	return 0;
}

/* Raw bytes: the group of all, and that of packets whose bytes a stream shows as well. */
static int add_raw(struct engine *e, const struct rule *rule, unsigned which, enum direction side)
{
	int result = prefilter_add(e->prefilter, group_of_raw(which, side, false), rule);

	if (rule->kinds & KIND_PACKET && !rule->packet_without_stream)
		result |= prefilter_add(e->prefilter, group_of_raw(which, side, true), rule);
	return result;
}

static int add_to_groups(struct engine *e, const struct rule *rule)
{
	int result = 0;

	for (enum direction side = TO_SERVER; side <= TO_CLIENT; side++) {
		if (!(rule->sides & (side == TO_SERVER ? SIDE_SERVER : SIDE_CLIENT)))
			continue;
		if (rule->fast_buffer != BUFFER_PAYLOAD)
			result |= prefilter_add(e->prefilter,
						group_of_buffer(rule->fast_buffer, side), rule);
		else if (rule->application)
			result |= add_raw(e, rule, 8u + rule->application, side);
		else
			for (unsigned t = 0; t <= TRANSPORT_SCTP; t++)
				if (rule->transports >> t & 1)
					result |= add_raw(e, rule, t, side);
	}
	return result;
}

static int place(struct engine *e, struct rule *rule)
{
	for (size_t p = 0; p < rule->part_count; p++) {
		enum buffer_id buffer = rule->parts[p].buffer;

		e->wants.buffers[buffer / 64] |= (uint64_t)1 << (buffer % 64);
	}
	if (rule->asks_sums && add_always(&e->sums, rule->index) < 0)
		return -1;
	if (rule->first_only)
		return add_always(&e->first, rule->index);
	if (rule->ip_only)
		return ip_map_add(e->ip_map, rule);
	if (rule->once)
		return add_always(&e->once, rule->index);
	if (rule->fast)
		return add_to_groups(e, rule);
	e->counts.always++;
	return add_always(&e->always[rule->kinds], rule->index);
}

const char *engine_ready(struct engine *e, int cache)
{
	const char *why;

	drop_doubles(e);
	if (e->count)
		qsort(e->rules, e->count, sizeof(*e->rules), compare_order);
	e->candidates = calloc(e->count + 1, sizeof(*e->candidates));
	e->stamps = calloc(e->count + 1, sizeof(*e->stamps));
	if (!e->candidates || !e->stamps)
		return "out of memory";
	for (size_t i = 0; i < e->count; i++) {
		e->rules[i]->index = (uint32_t)i;
		if (place(e, e->rules[i]) < 0)
			return "out of memory";
	}
	if (ip_map_ready(e->ip_map) < 0)
		return "out of memory";
	why = prefilter_ready(e->prefilter, cache);
	prefilter_measure(e->prefilter, &e->counts.databases, &e->counts.patterns,
			  &e->counts.bytes);
	return why;
}

const struct wants *engine_wants(const struct engine *e)
{
	return &e->wants;
}

struct engine_counts engine_counts(const struct engine *e)
{
	return e->counts;
}

const struct engine_double *engine_doubles(const struct engine *e, size_t *count)
{
	*count = e->double_count;
	return e->doubles;
}

const struct rule *const *engine_rules(const struct engine *e, size_t *count)
{
	*count = e->count;
	return (const struct rule *const *)e->rules;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->count; i++)
		rule_drop(e->rules[i]);
	for (size_t i = 0; i < ARRAY_COUNT(e->always); i++)
		free(e->always[i].rules);
	free(e->once.rules);
	free(e->first.rules);
	free(e->sums.rules);
	free(e->rules);
	free(e->doubles);
	free(e->candidates);
	free(e->stamps);
	prefilter_free(e->prefilter);
	ip_map_free(e->ip_map);
	thresholds_free(e->thresholds);
	rule_regex_memory_free(e->match.regex_memory);
	marks_free(e->match.marks);
	writer_free(&e->rooms[0]);
	writer_free(&e->rooms[1]);
	writer_free(&e->base64_room);
	arena_drop(&e->arena);
	free(e);
}

/* --- candidates --- */

static void add_candidate(void *context, uint32_t rule)
{
	struct engine *e = context;

	if (e->stamps[rule] == e->stamp)
		return;
	e->stamps[rule] = e->stamp;
	e->candidates[e->candidate_count++] = rule;
}

static void add_all(struct engine *e, const struct always *always)
{
	for (size_t i = 0; i < always->count; i++)
		add_candidate(e, always->rules[i]);
}

static unsigned transport_of(const struct inspection *i)
{
	return i->flow     ? i->flow->transport
	       : i->packet ? (unsigned)i->packet->transport
			   : TRANSPORT_OTHER;
}

/* Once a flow and direction: addresses, and the application when it is known. */
static void add_once(struct engine *e, const struct inspection *i)
{
	struct flow *flow = i->flow;
	unsigned side = i->direction == TO_SERVER ? 1 : 2;

	if (i->kind != INSPECT_PACKET)
		return;
	if (!flow || !(flow->addresses_seen & side)) {
		if (flow)
			flow->addresses_seen |= (uint8_t)side;
		if (i->packet && i->packet->version)
			ip_map_find(e->ip_map, &i->packet->source, &i->packet->destination,
				    add_candidate, e);
	}
	if (flow && i->application && !(flow->application_seen & side)) {
		if (!flow->application_seen)
			add_all(e, &e->first);
		flow->application_seen |= (uint8_t)side;
		add_all(e, &e->once);
	}
}

/* Whether the packet's bytes are shown in a stretch of its stream too. */
static bool reaches_stream(const struct inspection *i)
{
	const struct flow *flow = i->flow;

	/* What a SYN carries is read as well (RFC 7413). */
	return flow && flow->transport == TRANSPORT_TCP &&
	       (flow->state != FLOW_NEW ||
		(i->packet && i->packet->payload.length && flow->streams[i->direction] &&
		 flow->streams[i->direction]->started));
}

static void find_candidates(struct engine *e, const struct inspection *i)
{
	static const uint8_t kind_bits[] = {KIND_PACKET, KIND_STREAM, KIND_TRANSACTION};

	e->candidate_count = 0;
	if (++e->stamp == 0) {
		memset(e->stamps, 0, e->count * sizeof(*e->stamps));
		e->stamp = 1;
	}
	if (i->kind == INSPECT_PACKET && i->packet &&
	    i->packet->flaws & (FLAW_NETWORK_CHECKSUM | FLAW_TRANSPORT_CHECKSUM)) {
		add_all(e, &e->sums);
		return;
	}
	for (size_t b = 0; b < i->findings.buffer_count; b++) {
		const struct buffer *buffer = &i->findings.buffers[b];
		bool again = i->kind == INSPECT_PACKET && reaches_stream(i);

		if (buffer->id != BUFFER_PAYLOAD) {
			prefilter_search(e->prefilter, group_of_buffer(buffer->id, i->direction),
					 buffer->bytes, add_candidate, e);
			continue;
		}
		/* Of a transaction, raw bytes are only what its rules look at besides. */
		if (i->kind == INSPECT_TRANSACTION) {
			if (i->application)
				prefilter_search(
					e->prefilter,
					group_of_application(i->application, i->direction, again),
					buffer->bytes, add_candidate, e);
			continue;
		}
		prefilter_search(e->prefilter,
				 group_of_transport(transport_of(i), i->direction, again),
				 buffer->bytes, add_candidate, e);
		if (i->application)
			prefilter_search(e->prefilter,
					 group_of_application(i->application, i->direction, again),
					 buffer->bytes, add_candidate, e);
	}
	for (size_t k = 0; k < ARRAY_COUNT(e->always); k++)
		if (k & kind_bits[i->kind])
			add_all(e, &e->always[k]);
	add_once(e, i);
}

static int compare_index(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return left < right ? -1 : left > right;
}

/* Mostly there are a handful. */
static void sort_candidates(uint32_t *items, size_t count)
{
	if (count > 32) {
		qsort(items, count, sizeof(*items), compare_index);
		return;
	}
	for (size_t i = 1; i < count; i++) {
		uint32_t item = items[i];
		size_t k = i;

		for (; k && items[k - 1] > item; k--)
			items[k] = items[k - 1];
		items[k] = item;
	}
}

/* --- evaluating --- */

struct ends {
	const struct address *source, *destination;
	uint16_t source_port, destination_port;
};

static struct ends ends_of(const struct inspection *i)
{
	const struct flow *flow = i->flow;
	const struct packet *packet = i->packet;

	if (i->kind == INSPECT_PACKET && packet)
		return (struct ends){&packet->source, &packet->destination, packet->source_port,
				     packet->destination_port};
	if (i->direction == TO_SERVER)
		return (struct ends){&flow->client, &flow->server, flow->client_port,
				     flow->server_port};
	return (struct ends){&flow->server, &flow->client, flow->server_port, flow->client_port};
}

static bool ends_match(const struct rule *rule, const struct ends *ends)
{
	return port_set_holds(rule->destination_ports, ends->destination_port) &&
	       port_set_holds(rule->source_ports, ends->source_port) &&
	       address_set_holds(rule->source, ends->source) &&
	       address_set_holds(rule->destination, ends->destination);
}

static bool flow_matches(const struct rule *rule, const struct inspection *i)
{
	const struct flow *flow = i->flow;
	bool established = flow && flow->state != FLOW_NEW;

	if (!(rule->sides & (i->direction == TO_SERVER ? SIDE_SERVER : SIDE_CLIENT)))
		return false;
	if (rule->sides != (SIDE_SERVER | SIDE_CLIENT) && !flow)
		return false;
	if (rule->established && !established)
		return false;
	if (rule->not_established && established)
		return false;
	/* DCE/RPC is spoken over SMB's pipes too. */
	if (rule->application && rule->application != (uint8_t)i->application &&
	    !(rule->application == APPLICATION_DCERPC && i->application == APPLICATION_SMB &&
	      i->kind == INSPECT_TRANSACTION))
		return false;
	return rule->transports >> transport_of(i) & 1;
}

/* Whether a rule of this kind looks at an inspection of that one. */
static bool kind_matches(const struct rule *rule, const struct inspection *i)
{
	static const uint8_t bits[] = {KIND_PACKET, KIND_STREAM, KIND_TRANSACTION};

	if (!(rule->kinds & bits[i->kind]))
		return false;
	/* The stream's stretches show these bytes as well. */
	return !(i->kind == INSPECT_PACKET && rule->packet_without_stream && reaches_stream(i));
}

static bool bit_is_set(const struct flow *flow, uint16_t bit)
{
	return flow->bits && flow->bits[bit / 64] >> (bit % 64) & 1;
}

static bool bits_match(const struct rule *rule, const struct flow *flow)
{
	for (size_t s = 0; s < rule->bit_step_count; s++) {
		const struct bit_step *step = &rule->bit_steps[s];
		bool any = false;

		if (step->action < BIT_IS_SET)
			continue;
		for (size_t k = 0; k < step->count && flow; k++)
			any |= bit_is_set(flow, step->bits[k]);
		if (any != (step->action == BIT_IS_SET))
			return false;
	}
	return true;
}

static void set_bits(const struct rule *rule, struct flow *flow, size_t names)
{
	if (!flow || !rule->bit_step_count)
		return;
	if (!flow->bits)
		flow->bits = calloc((names + 63) / 64, sizeof(uint64_t));
	for (size_t s = 0; s < rule->bit_step_count && flow->bits; s++) {
		const struct bit_step *step = &rule->bit_steps[s];

		for (size_t k = 0; k < step->count; k++) {
			uint64_t *word = &flow->bits[step->bits[k] / 64];
			uint64_t bit = (uint64_t)1 << (step->bits[k] % 64);

			if (step->action == BIT_SET)
				*word |= bit;
			else if (step->action == BIT_UNSET)
				*word &= ~bit;
			else if (step->action == BIT_TOGGLE)
				*word ^= bit;
		}
	}
}

static bool rule_matches(struct engine *e, const struct rule *rule, const struct inspection *i,
			 const struct ends *ends)
{
	struct ends swapped = {ends->destination, ends->source, ends->destination_port,
			       ends->source_port};

	if (!kind_matches(rule, i) || !flow_matches(rule, i))
		return false;
	if (!ends_match(rule, ends) && !(rule->both_ways && ends_match(rule, &swapped)))
		return false;
	if (rule->tests_bits && !bits_match(rule, i->flow))
		return false;
	e->match.rule = rule;
	e->match.inspection = i;
	return match_rule(&e->match);
}

void engine_inspect(struct engine *e, const struct inspection *i,
		    void (*alert)(void *context, const struct rule *rule,
				  const struct inspection *inspection),
		    void *context)
{
	struct ends ends;

	e->counts.inspections++;
	find_candidates(e, i);
	if (!e->candidate_count)
		return;
	sort_candidates(e->candidates, e->candidate_count);
	ends = ends_of(i);
	for (size_t c = 0; c < e->candidate_count; c++) {
		struct rule *rule = e->rules[e->candidates[c]];

		e->counts.candidates++;
		if (!rule_matches(e, rule, i, &ends))
			continue;
		if (rule->sets_bits)
			set_bits(rule, i->flow, e->names.count);
		for (size_t k = 0; k < rule->effect_count; k++)
			rule->effects[k].take(&rule->effects[k], &e->match);
		if (rule->action == ACTION_PASS)
			return;
		if (rule->no_alert)
			continue;
		if (rule->threshold.kind != THRESHOLD_NONE &&
		    !threshold_lets(e->thresholds, rule, ends.source, ends.destination, i->time)) {
			e->counts.shed++;
			continue;
		}
		if (rule->suppressed &&
		    rule_changes_suppress(e->changes, rule, ends.source, ends.destination)) {
			e->counts.shed++;
			continue;
		}
		rule->hits++;
		if (i->flow)
			i->flow->alerts++;
		e->counts.alerts++;
		alert(context, rule, i);
	}
}
