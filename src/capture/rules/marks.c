/* A bounded table of marks; see marks.h. */
#include "capture/rules/marks.h"

#include <stdlib.h>

#include "base/hash.h"

#define WAYS 4

/* Compared and hashed as bytes: no padding, unused bytes zero. */
struct mark_key {
	uint8_t addresses[2][16];
	uint8_t families[2];
	uint16_t name;
	uint32_t used; /* 1: there is a mark */
};

struct mark {
	struct mark_key key;
	int64_t until;
};

struct marks {
	uint64_t secret[2];
	struct mark marks[MARKS_MAX / WAYS][WAYS];
};

struct marks *marks_new(void)
{
	struct marks *marks = calloc(1, sizeof(*marks));

	if (marks)
		random_bytes(marks->secret, sizeof(marks->secret));
	return marks;
}

void marks_free(struct marks *marks)
{
	free(marks);
}

static void put_address(struct mark_key *key, size_t place, const struct address *address)
{
	memcpy(key->addresses[place], address->bytes, address->family == 4 ? 4 : 16);
	key->families[place] = address->family;
}

static struct mark_key key_of(unsigned name, const struct address *first,
			      const struct address *second)
{
	struct mark_key key = {.name = (uint16_t)name, .used = 1};

	if (second && memcmp(first->bytes, second->bytes, sizeof(first->bytes)) > 0) {
		const struct address *other = first;

		first = second;
		second = other;
	}
	put_address(&key, 0, first);
	if (second)
		put_address(&key, 1, second);
	return key;
}

static size_t set_of(const struct marks *marks, const struct mark_key *key)
{
	return hash_sip(marks->secret, slice_of(key, sizeof(*key))) % (MARKS_MAX / WAYS);
}

static const struct mark *find(const struct marks *marks, const struct mark_key *key)
{
	const struct mark *set = marks->marks[set_of(marks, key)];

	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(&set[i].key, key, sizeof(*key)) == 0)
			return &set[i];
	return NULL;
}

void marks_set(struct marks *marks, unsigned name, const struct address *first,
	       const struct address *second, int64_t now, int64_t until)
{
	struct mark_key key = key_of(name, first, second);
	struct mark *set = marks->marks[set_of(marks, &key)], *place = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (memcmp(&set[i].key, &key, sizeof(key)) == 0) {
			place = &set[i];
			break;
		}
		if (!set[i].key.used || set[i].until <= now || set[i].until < place->until)
			place = &set[i];
	}
	*place = (struct mark){.key = key, .until = until};
}

void marks_unset(struct marks *marks, unsigned name, const struct address *first,
		 const struct address *second)
{
	struct mark_key key = key_of(name, first, second);
	struct mark *set = marks->marks[set_of(marks, &key)];

	for (size_t i = 0; i < WAYS; i++)
		if (memcmp(&set[i].key, &key, sizeof(key)) == 0)
			set[i] = (struct mark){.until = 0};
}

bool marks_has(const struct marks *marks, unsigned name, const struct address *first,
	       const struct address *second, int64_t now)
{
	struct mark_key key = key_of(name, first, second);
	const struct mark *mark = find(marks, &key);

	return mark && mark->until > now;
}
