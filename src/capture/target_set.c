#include "capture/target_set.h"

#include <stdlib.h>

#include "base/hash.h"

#define ROOM_FIRST 8 /* a power of two */

static uint64_t mark_of(const uint64_t key[2], const struct address *address)
{
	uint64_t hash = hash_sip(key, slice_of(address, sizeof(*address)));

	return hash ? hash : 1;
}

static uint64_t *slot_of(uint64_t *slots, uint32_t room, uint64_t mark)
{
	uint32_t at = (uint32_t)mark & (room - 1);

	while (slots[at] && slots[at] != mark)
		at = (at + 1) & (room - 1);
	return &slots[at];
}

/* At most three quarters are taken. */
static bool make_room(struct target_set *set, const uint64_t key[2])
{
	uint32_t room = set->room ? set->room * 2 : ROOM_FIRST;
	uint64_t *slots;

	if (set->slots && (set->count + 1) * 4 <= set->room * 3)
		return true;
	slots = calloc(room, sizeof(*slots));
	if (!slots)
		return false;
	for (uint32_t i = 0; i < set->room; i++) {
		if (set->slots[i])
			*slot_of(slots, room, set->slots[i]) = set->slots[i];
	}
	if (!set->slots) {
		uint64_t mark = mark_of(key, &set->first);

		*slot_of(slots, room, mark) = mark;
	}
	free(set->slots);
	set->slots = slots;
	set->room = room;
	return true;
}

static bool add_mark(struct target_set *set, const uint64_t key[2], uint64_t mark)
{
	uint64_t *slot;

	if (set->slots && *slot_of(set->slots, set->room, mark) == mark)
		return true;
	if (set->count == TARGET_SET_MAX || !make_room(set, key)) {
		set->more = true;
		return set->count == TARGET_SET_MAX;
	}
	slot = slot_of(set->slots, set->room, mark);
	set->count += *slot == 0; /* the first may only now have come to stand there */
	*slot = mark;
	return true;
}

bool target_set_add(struct target_set *set, const uint64_t key[2], const struct address *address)
{
	if (set->count == 0) {
		set->first = *address;
		set->count = 1;
		return true;
	}
	if (address_equal(&set->first, address))
		return true;
	return add_mark(set, key, mark_of(key, address));
}

bool target_set_join(struct target_set *set, const uint64_t key[2], const struct target_set *other)
{
	bool whole = true;

	if (other->count)
		whole = target_set_add(set, key, &other->first);
	for (uint32_t i = 0; i < other->room; i++) {
		if (other->slots[i])
			whole &= add_mark(set, key, other->slots[i]);
	}
	set->more |= other->more;
	return whole;
}

size_t target_set_held(const struct target_set *set)
{
	return set->room * sizeof(set->slots[0]);
}

void target_set_drop(struct target_set *set)
{
	free(set->slots);
	*set = (struct target_set){0};
}
