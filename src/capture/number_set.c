#include "capture/number_set.h"

#include <stdlib.h>

#define LIST_FIRST 4
#define BEYOND     65536u /* no number */

/* Where it stands in the list, or would stand. */
static uint32_t place_of(const struct number_set *set, unsigned number)
{
	uint32_t low = 0, high = set->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (set->list[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool become_bits(struct number_set *set)
{
	uint8_t *bits = calloc(1, NUMBER_SET_BITS);

	if (!bits)
		return false;
	for (uint32_t i = 0; i < set->count; i++)
		bits[set->list[i] / 8] |= (uint8_t)(1u << set->list[i] % 8);
	free(set->list);
	*set = (struct number_set){.bits = bits, .count = set->count};
	return true;
}

static bool make_room(struct number_set *set)
{
	uint32_t room = set->room ? set->room * 2 : LIST_FIRST;
	uint16_t *list;

	if (set->count < set->room)
		return true;
	if (room > NUMBER_SET_LIST_MAX)
		return become_bits(set);
	list = realloc(set->list, room * sizeof(*list));
	if (!list)
		return false;
	set->list = list;
	set->room = room;
	return true;
}

bool number_set_add(struct number_set *set, uint16_t number)
{
	uint32_t place = 0;

	if (!set->bits) {
		place = place_of(set, number);
		if (place < set->count && set->list[place] == number)
			return true;
		if (!make_room(set))
			return false;
	}
	if (set->bits) {
		uint8_t bit = (uint8_t)(1u << number % 8), *byte = &set->bits[number / 8];

		set->count += !(*byte & bit);
		*byte |= bit;
		return true;
	}
	memmove(set->list + place + 1, set->list + place,
		(set->count - place) * sizeof(set->list[0]));
	set->list[place] = number;
	set->count++;
	return true;
}

/* The first number from there on, or BEYOND. */
static unsigned next_number(const struct number_set *set, unsigned from)
{
	if (!set->bits) {
		uint32_t place = place_of(set, from);

		return place < set->count ? set->list[place] : BEYOND;
	}
	while (from < BEYOND && !(set->bits[from / 8] >> from % 8 & 1))
		from += from % 8 == 0 && set->bits[from / 8] == 0 ? 8 : 1;
	return from;
}

bool number_set_join(struct number_set *set, const struct number_set *other)
{
	bool whole = true;

	for (unsigned n = next_number(other, 0); n < BEYOND; n = next_number(other, n + 1))
		whole &= number_set_add(set, (uint16_t)n);
	return whole;
}

size_t number_set_held(const struct number_set *set)
{
	return set->bits ? NUMBER_SET_BITS : set->room * sizeof(set->list[0]);
}

bool number_set_text(const struct number_set *set, size_t most, struct writer *out)
{
	size_t start = out->length;
	unsigned first, last;

	for (first = next_number(set, 0); first < BEYOND; first = next_number(set, last + 1)) {
		const char *comma = out->length > start ? "," : "";

		last = first;
		while (last + 1 < BEYOND && next_number(set, last + 1) == last + 1)
			last++;
		if (out->length - start + sizeof("65535-65535,") > most) {
			writer_format(out, "%s...", comma);
			return false;
		}
		writer_format(out, last > first ? "%s%u-%u" : "%s%u", comma, first, last);
	}
	return true;
}

void number_set_drop(struct number_set *set)
{
	free(set->list);
	free(set->bits);
	*set = (struct number_set){0};
}
