/* All ranges of all lists, sorted by where they begin; see ip_map.h.
 *
 * A range also knows how far any range before it reaches, so that a search walks back only as long
 * as one may still hold the address.
 */
#include "capture/rules/ip_map.h"

#include <stdlib.h>

struct entry {
	uint8_t low[16], high[16], reach[16]; /* reach: the highest end up to this entry */
	uint32_t rule;
};

struct list {
	struct entry *entries;
	size_t count, capacity;
};

enum { SOURCE_V4, SOURCE_V6, DESTINATION_V4, DESTINATION_V6, LISTS };

struct ip_map {
	struct list lists[LISTS];
	struct list any; /* rules without any address: low and high unused */
};

struct ip_map *ip_map_new(void)
{
	return calloc(1, sizeof(struct ip_map));
}

void ip_map_free(struct ip_map *map)
{
	if (!map)
		return;
	for (size_t i = 0; i < LISTS; i++)
		free(map->lists[i].entries);
	free(map->any.entries);
	free(map);
}

static struct entry *add(struct list *list, uint32_t rule)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? 2 * list->capacity : 64;
		struct entry *grown = reallocarray(list->entries, capacity, sizeof(*grown));

		if (!grown)
			return NULL;
		list->entries = grown;
		list->capacity = capacity;
	}
	list->entries[list->count] = (struct entry){.rule = rule};
	return &list->entries[list->count++];
}

static int add_ranges(struct list *list, const struct address_range *ranges, size_t count,
		      uint32_t rule)
{
	for (size_t i = 0; i < count; i++) {
		struct entry *entry = add(list, rule);

		if (!entry)
			return -1;
		memcpy(entry->low, ranges[i].low, 16);
		memcpy(entry->high, ranges[i].high, 16);
	}
	return 0;
}

static int add_set(struct ip_map *map, size_t v4, const struct address_set *set, uint32_t rule)
{
	if (add_ranges(&map->lists[v4], set->v4, set->v4_count, rule) < 0)
		return -1;
	return add_ranges(&map->lists[v4 + 1], set->v6, set->v6_count, rule);
}

int ip_map_add(struct ip_map *map, const struct rule *rule)
{
	int result = 0;

	if (!rule->source && !rule->destination)
		return add(&map->any, rule->index) ? 0 : -1;
	/* One end is enough to find it by; the engine asks for both. Either way round for <>. */
	if (rule->source)
		result |= add_set(map, SOURCE_V4, rule->source, rule->index);
	else
		result |= add_set(map, DESTINATION_V4, rule->destination, rule->index);
	if (rule->both_ways && rule->source)
		result |= add_set(map, DESTINATION_V4, rule->source, rule->index);
	else if (rule->both_ways)
		result |= add_set(map, SOURCE_V4, rule->destination, rule->index);
	return result;
}

static int compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return memcmp(left->low, right->low, 16);
}

int ip_map_ready(struct ip_map *map)
{
	for (size_t i = 0; i < LISTS; i++) {
		struct list *list = &map->lists[i];

		if (!list->count)
			continue;
		qsort(list->entries, list->count, sizeof(*list->entries), compare);
		for (size_t k = 0; k < list->count; k++) {
			struct entry *entry = &list->entries[k];
			const uint8_t *before = k ? entry[-1].reach : entry->high;

			memcpy(entry->reach,
			       memcmp(before, entry->high, 16) > 0 ? before : entry->high, 16);
		}
	}
	return 0;
}

static void find(const struct list *list, const struct address *address,
		 void (*found)(void *context, uint32_t rule), void *context)
{
	uint8_t key[16] = {0};
	size_t low = 0, high = list->count;

	memcpy(key, address->bytes, address->family == 4 ? 4 : 16);
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (memcmp(list->entries[middle].low, key, 16) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	while (low > 0 && memcmp(list->entries[low - 1].reach, key, 16) >= 0) {
		low--;
		if (memcmp(list->entries[low].high, key, 16) >= 0)
			found(context, list->entries[low].rule);
	}
}

void ip_map_find(const struct ip_map *map, const struct address *source,
		 const struct address *destination, void (*found)(void *context, uint32_t rule),
		 void *context)
{
	find(&map->lists[source->family == 4 ? SOURCE_V4 : SOURCE_V6], source, found, context);
	find(&map->lists[destination->family == 4 ? DESTINATION_V4 : DESTINATION_V6], destination,
	     found, context);
	for (size_t i = 0; i < map->any.count; i++)
		found(context, map->any.entries[i].rule);
}
