/* Expressions to ranges; see sets.h. Everything is a range of 128-bit numbers while it is read:
 * ports and IPv4 addresses are small ones. */
#include "capture/rules/sets.h"

#include <stdlib.h>

const struct variable rule_variables_default[] = {
	{"HOME_NET", "any"},
	{"EXTERNAL_NET", "any"},
	{"HTTP_SERVERS", "$HOME_NET"},
	{"SMTP_SERVERS", "$HOME_NET"},
	{"SQL_SERVERS", "$HOME_NET"},
	{"DNS_SERVERS", "$HOME_NET"},
	{"TELNET_SERVERS", "$HOME_NET"},
	{"SSH_SERVERS", "$HOME_NET"},
	{"FTP_SERVERS", "$HOME_NET"},
	{"SIP_SERVERS", "$HOME_NET"},
	{"AIM_SERVERS", "$EXTERNAL_NET"},
	{"DC_SERVERS", "$HOME_NET"},
	{"DNP3_SERVER", "$HOME_NET"},
	{"DNP3_CLIENT", "$HOME_NET"},
	{"MODBUS_CLIENT", "$HOME_NET"},
	{"MODBUS_SERVER", "$HOME_NET"},
	{"ENIP_CLIENT", "$HOME_NET"},
	{"ENIP_SERVER", "$HOME_NET"},
	{"HTTP_PORTS", "any"},
	{"SHELLCODE_PORTS", "!80"},
	{"ORACLE_PORTS", "[1521,1024:]"},
	{"SSH_PORTS", "[22,2222]"},
	{"DNP3_PORTS", "20000"},
	{"MODBUS_PORTS", "502"},
	{"FILE_DATA_PORTS", "any"},
	{"FTP_PORTS", "[21,2100,3535]"},
	{"SIP_PORTS", "[5060,5061,5600]"},
	{"GENEVE_PORTS", "6081"},
	{"VXLAN_PORTS", "4789"},
	{"TEREDO_PORTS", "3544"},
	{"MAIL_PORTS", "[110,143]"},
	{NULL, NULL},
};

void rule_variables_start(struct variables *variables)
{
	variables->count = 0;
	for (size_t i = 0; rule_variables_default[i].name; i++)
		variables->items[variables->count++] = rule_variables_default[i];
}

int rule_variables_set(struct variables *variables, const char *name, const char *value)
{
	for (size_t i = 0; i < variables->count; i++)
		if (strcmp(variables->items[i].name, name) == 0) {
			variables->items[i].value = value;
			return 0;
		}
	if (variables->count == VARIABLES_MAX)
		return -1;
	variables->items[variables->count++] = (struct variable){name, value};
	return 0;
}

/* --- ranges of numbers --- */

struct range {
	unsigned __int128 low, high;
};

/* A growing list; `why` is the first thing that went wrong. */
struct ranges {
	struct range *items;
	size_t count, capacity;
};

struct reading {
	const struct variables *variables;
	bool ports;
	unsigned family; /* of the pass: 4 or 6 */
	unsigned __int128 all;
};

static const char *add(struct ranges *ranges, unsigned __int128 low, unsigned __int128 high)
{
	if (ranges->count == ranges->capacity) {
		size_t capacity = ranges->capacity ? 2 * ranges->capacity : 16;
		struct range *grown;

		if (capacity > SET_RANGES_MAX * 2)
			return "a list of more than 100000 items";
		grown = reallocarray(ranges->items, capacity, sizeof(*grown));
		if (!grown)
			return "out of memory";
		ranges->items = grown;
		ranges->capacity = capacity;
	}
	ranges->items[ranges->count++] = (struct range){low, high};
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->low < right->low ? -1 : left->low > right->low;
}

/* Sorted, touching ones made one. */
static void tidy(struct ranges *ranges)
{
	size_t out = 0;

	if (!ranges->count)
		return;
	qsort(ranges->items, ranges->count, sizeof(struct range), compare);
	for (size_t i = 1; i < ranges->count; i++) {
		struct range *last = &ranges->items[out], *next = &ranges->items[i];

		if (next->low <= last->high || next->low == last->high + 1) {
			if (next->high > last->high)
				last->high = next->high;
		} else {
			ranges->items[++out] = *next;
		}
	}
	ranges->count = out + 1;
}

/* from minus `minus`, both tidy, into out. */
static const char *subtract(const struct ranges *from, const struct ranges *minus,
			    struct ranges *out)
{
	size_t k = 0;
	const char *why = NULL;

	for (size_t i = 0; i < from->count && !why; i++) {
		unsigned __int128 low = from->items[i].low, high = from->items[i].high;
		bool left = true;

		while (k < minus->count && minus->items[k].high < low)
			k++;
		for (size_t m = k; m < minus->count && minus->items[m].low <= high && left; m++) {
			if (minus->items[m].low > low && !why)
				why = add(out, low, minus->items[m].low - 1);
			left = minus->items[m].high < high;
			low = minus->items[m].high + 1;
		}
		if (left && !why)
			why = add(out, low, high);
	}
	return why;
}

static bool is_all(const struct ranges *ranges, unsigned __int128 all)
{
	return ranges->count == 1 && ranges->items[0].low == 0 && ranges->items[0].high == all;
}

/* --- expressions --- */

static const char *read_expression(struct reading *reading, struct slice text, unsigned depth,
				   struct ranges *out);

static const char *read_port(struct slice text, struct ranges *out)
{
	size_t colon = slice_find_byte(text, ':');
	int64_t low, high;

	if (colon == SIZE_MAX) {
		if (slice_number(text, 0, 65535, &low) < 0)
			return "not a port";
		high = low;
	} else {
		struct slice first = slice_first(text, colon), last = slice_from(text, colon + 1);

		low = 0;
		high = 65535;
		if ((first.length && slice_number(first, 0, 65535, &low) < 0) ||
		    (last.length && slice_number(last, 0, 65535, &high) < 0) || low > high)
			return "not a range of ports";
	}
	return add(out, (unsigned __int128)low, (unsigned __int128)high);
}

static unsigned __int128 number_of(const struct address *address)
{
	unsigned __int128 number = 0;

	for (size_t i = 0; i < (address->family == 4 ? 4 : 16); i++)
		number = number << 8 | address->bytes[i];
	return number;
}

static const char *read_address(struct reading *reading, struct slice text, struct ranges *out)
{
	size_t dash = slice_find_byte(text, '-');
	struct network network;
	unsigned __int128 low, high;

	if (dash != SIZE_MAX) {
		struct address first, last;

		if (address_parse(slice_trim(slice_first(text, dash)), &first) < 0 ||
		    address_parse(slice_trim(slice_from(text, dash + 1)), &last) < 0 ||
		    first.family != last.family || number_of(&first) > number_of(&last))
			return "not a range of addresses";
		if (first.family != reading->family)
			return NULL;
		return add(out, number_of(&first), number_of(&last));
	}
	if (network_parse(text, &network) < 0)
		return "not an address or network";
	if (network.address.family != reading->family)
		return NULL;
	network.address = address_network(&network.address, network.bits);
	low = number_of(&network.address);
	/* A shift by all the bits there are has no meaning in C. */
	high = network.bits == 0     ? reading->all
	       : network.bits == 128 ? low
				     : low | reading->all >> network.bits;
	return add(out, low, high);
}

/* "!$NAME" where the variable means everything (a honeypot that is told of no network of its own)
 * would hold for nothing: it is taken to exclude nothing. A written "!any" is a mistake. */
static bool excludes_all(const struct reading *reading, struct slice text,
			 const struct ranges *without)
{
	return is_all(without, reading->all) && slice_find_byte(text, '$') != SIZE_MAX;
}

/* A list: what is named without ! (all, if nothing is) minus what is named with it. */
static const char *read_list(struct reading *reading, struct slice text, unsigned depth,
			     struct ranges *out)
{
	struct ranges with = {0}, without = {0};
	const char *why = NULL;
	bool positive = false;
	size_t start = 0, i = 0;
	unsigned inner = 0;

	for (; i <= text.length && !why; i++) {
		struct slice item;

		if (i < text.length && text.at[i] == '[')
			inner++;
		if (i < text.length && text.at[i] == ']' && inner)
			inner--;
		if (i < text.length && (text.at[i] != ',' || inner))
			continue;
		item = slice_trim(slice_of(text.at + start, i - start));
		start = i + 1;
		if (!item.length) {
			if (i == text.length && positive)
				break; /* a comma at the end */
			why = "an empty item in a list";
		} else if (item.at[0] == '!') {
			struct ranges one = {0};

			item = slice_trim(slice_from(item, 1));
			why = read_expression(reading, item, depth + 1, &one);
			tidy(&one);
			for (size_t k = 0; k < one.count && !why; k++)
				if (!excludes_all(reading, item, &one))
					why = add(&without, one.items[k].low, one.items[k].high);
			free(one.items);
		} else {
			positive = true;
			why = read_expression(reading, item, depth + 1, &with);
		}
	}
	if (!why && !positive)
		why = add(&with, 0, reading->all);
	tidy(&with);
	tidy(&without);
	if (!why)
		why = subtract(&with, &without, out);
	free(with.items);
	free(without.items);
	return why;
}

static const char *read_negated(struct reading *reading, struct slice text, unsigned depth,
				struct ranges *out)
{
	struct range all = {0, reading->all};
	struct ranges whole = {&all, 1, 1}, without = {0};
	const char *why = read_expression(reading, text, depth + 1, &without);

	tidy(&without);
	if (!why && excludes_all(reading, text, &without))
		without.count = 0;
	if (!why)
		why = subtract(&whole, &without, out);
	free(without.items);
	return why;
}

static const char *read_expression(struct reading *reading, struct slice text, unsigned depth,
				   struct ranges *out)
{
	text = slice_trim(text);
	if (depth > SET_DEPTH_MAX)
		return "lists or variables nested too deeply";
	if (!text.length)
		return "empty";
	if (slice_is_nocase(text, "any"))
		return add(out, 0, reading->all);
	if (text.at[0] == '!')
		return read_negated(reading, slice_trim(slice_from(text, 1)), depth, out);
	if (text.at[0] == '[') {
		if (text.at[text.length - 1] != ']')
			return "a list without ]";
		return read_list(reading, slice_first(slice_from(text, 1), text.length - 2), depth,
				 out);
	}
	if (text.at[0] == '$') {
		struct slice name = slice_from(text, 1);

		for (size_t i = 0; i < reading->variables->count; i++)
			if (slice_is(name, reading->variables->items[i].name))
				return read_expression(
					reading, slice_text(reading->variables->items[i].value),
					depth + 1, out);
		return "an unknown variable";
	}
	/* Snort 2.9 lists without brackets. */
	if (slice_find_byte(text, ',') != SIZE_MAX)
		return read_list(reading, text, depth, out);
	return reading->ports ? read_port(text, out) : read_address(reading, text, out);
}

static void to_bytes(unsigned __int128 number, unsigned family, uint8_t bytes[16])
{
	size_t width = family == 4 ? 4 : 16;

	memset(bytes, 0, 16);
	for (size_t i = 0; i < width; i++)
		bytes[i] = (uint8_t)(number >> 8 * (width - 1 - i));
}

static const char *read_family(struct slice expression, const struct variables *variables,
			       unsigned family, struct arena *arena, struct address_set *set,
			       bool *all)
{
	struct reading reading = {.variables = variables,
				  .family = family,
				  .all = family == 4 ? UINT32_MAX : ~(unsigned __int128)0};
	struct ranges ranges = {0};
	const char *why = read_expression(&reading, expression, 0, &ranges);
	struct address_range *items = NULL;

	tidy(&ranges);
	*all = is_all(&ranges, reading.all);
	if (!why && ranges.count) {
		items = arena_take(arena, ranges.count * sizeof(*items));
		if (!items)
			why = "out of memory";
	}
	for (size_t i = 0; items && i < ranges.count; i++) {
		to_bytes(ranges.items[i].low, family, items[i].low);
		to_bytes(ranges.items[i].high, family, items[i].high);
	}
	if (family == 4) {
		set->v4 = items;
		set->v4_count = items ? ranges.count : 0;
	} else {
		set->v6 = items;
		set->v6_count = items ? ranges.count : 0;
	}
	free(ranges.items);
	return why;
}

const char *address_set_read(struct slice expression, const struct variables *variables,
			     struct arena *arena, struct address_set **set)
{
	struct address_set *made;
	bool all4, all6;
	const char *why;

	*set = NULL;
	if (!expression.length || slice_is_nocase(expression, "any"))
		return NULL;
	made = arena_take(arena, sizeof(*made));
	if (!made)
		return "out of memory";
	why = read_family(expression, variables, 4, arena, made, &all4);
	if (!why)
		why = read_family(expression, variables, 6, arena, made, &all6);
	if (why)
		return why;
	if (!made->v4_count && !made->v6_count)
		return "no address at all";
	if (!(all4 && all6))
		*set = made;
	return NULL;
}

const char *port_set_read(struct slice expression, const struct variables *variables,
			  struct arena *arena, struct port_set **set)
{
	struct reading reading = {.variables = variables, .ports = true, .all = 65535};
	struct ranges ranges = {0};
	struct port_set *made;
	const char *why;

	*set = NULL;
	if (!expression.length || slice_is_nocase(expression, "any"))
		return NULL;
	why = read_expression(&reading, expression, 0, &ranges);
	tidy(&ranges);
	if (!why && !ranges.count)
		why = "no port at all";
	if (!why && !is_all(&ranges, 65535)) {
		made = arena_take(arena, sizeof(*made));
		if (made)
			made->ranges = arena_take(arena, ranges.count * sizeof(*made->ranges));
		if (made && made->ranges) {
			for (size_t i = 0; i < ranges.count; i++)
				made->ranges[i] =
					(struct port_range){(uint16_t)ranges.items[i].low,
							    (uint16_t)ranges.items[i].high};
			made->count = ranges.count;
			*set = made;
		} else {
			why = "out of memory";
		}
	}
	free(ranges.items);
	return why;
}

bool address_set_holds(const struct address_set *set, const struct address *address)
{
	const struct address_range *ranges;
	size_t low = 0, high, width = address->family == 4 ? 4 : 16;

	if (!set)
		return true;
	ranges = address->family == 4 ? set->v4 : set->v6;
	high = address->family == 4 ? set->v4_count : set->v6_count;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memcmp(address->bytes, ranges[middle].low, width) < 0)
			high = middle;
		else if (memcmp(address->bytes, ranges[middle].high, width) > 0)
			low = middle + 1;
		else
			return true;
	}
	return false;
}

bool port_set_holds(const struct port_set *set, uint16_t port)
{
	size_t low = 0, high = set ? set->count : 0;

	if (!set)
		return true;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (port < set->ranges[middle].low)
			high = middle;
		else if (port > set->ranges[middle].high)
			low = middle + 1;
		else
			return true;
	}
	return false;
}
