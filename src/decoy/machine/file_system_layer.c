/* A layer: the nodes that differ from what is below, and of folders the names that do. */
#include <stdlib.h>

#include "decoy/machine/file_system_inside.h"

static uint32_t slot_of(const struct layer *layer, uint32_t raw)
{
	uint32_t at = (raw * 0x9e3779b1u) & (layer->room - 1);

	while (layer->table[at] && layer->table[at]->raw != raw)
		at = (at + 1) & (layer->room - 1);
	return at;
}

struct upper_node *layer_find(const struct layer *layer, uint32_t raw)
{
	return layer->room ? layer->table[slot_of(layer, raw)] : NULL;
}

static bool grow(struct layer *layer)
{
	struct layer larger = {.room = layer->room ? layer->room * 2 : 16};

	larger.table = calloc(larger.room, sizeof(struct upper_node *));
	if (!larger.table)
		return false;
	for (uint32_t i = 0; i < layer->room; i++)
		if (layer->table[i])
			larger.table[slot_of(&larger, layer->table[i]->raw)] = layer->table[i];
	free(layer->table);
	layer->table = larger.table;
	layer->room = larger.room;
	return true;
}

struct upper_node *layer_add(struct layer *layer, uint32_t raw)
{
	struct upper_node *node;

	if ((layer->count + 1) * 4 > layer->room * 3 && !grow(layer))
		return NULL;
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->raw = raw;
	layer->table[slot_of(layer, raw)] = node;
	layer->count++;
	return node;
}

static void node_free(struct upper_node *node)
{
	for (uint32_t i = 0; i < node->change_count; i++)
		free(node->changes[i].name);
	free(node->changes);
	free(node->name);
	free(node->target);
	if (node->content != CONTENT_LENT)
		free(node->bytes);
	free(node);
}

void layer_drop(struct layer *layer, struct upper_node *node)
{
	uint32_t hole = slot_of(layer, node->raw), at = hole;

	layer->table[hole] = NULL;
	layer->count--;
	layer->names -= node->change_count;
	node_free(node);
	/* Those behind it move up where their way led through the hole. */
	for (;;) {
		uint32_t home;

		at = (at + 1) & (layer->room - 1);
		if (!layer->table[at])
			return;
		home = (layer->table[at]->raw * 0x9e3779b1u) & (layer->room - 1);
		if (((at - home) & (layer->room - 1)) >= ((at - hole) & (layer->room - 1))) {
			layer->table[hole] = layer->table[at];
			layer->table[at] = NULL;
			hole = at;
		}
	}
}

void layer_free(struct layer *layer)
{
	for (uint32_t i = 0; i < layer->room; i++)
		if (layer->table[i])
			node_free(layer->table[i]);
	free(layer->table);
	*layer = (struct layer){0};
}

uint32_t changes_at(const struct upper_node *folder, uint64_t hash)
{
	uint32_t low = 0, high = folder->change_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (folder->changes[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct change *changes_find(const struct upper_node *folder, uint64_t hash, const char *name,
				  size_t length)
{
	uint32_t at = changes_at(folder, hash);
	const struct change *change = folder->changes + at;

	if (at == folder->change_count || change->hash != hash ||
	    strncmp(change->name, name, length) != 0 || change->name[length])
		return NULL;
	return change;
}

int changes_set(struct upper_node *folder, uint64_t hash, const char *name, size_t length,
		uint32_t raw)
{
	uint32_t at = changes_at(folder, hash);
	char *copy;

	if (at < folder->change_count && folder->changes[at].hash == hash) {
		if (strncmp(folder->changes[at].name, name, length) ||
		    folder->changes[at].name[length])
			return -EEXIST;
		folder->changes[at].raw = raw;
		return 0;
	}
	if (folder->change_count == folder->change_room) {
		uint32_t room = folder->change_room ? folder->change_room * 2 : 4;
		struct change *grown = realloc(folder->changes, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		folder->changes = grown;
		folder->change_room = room;
	}
	copy = strndup(name, length);
	if (!copy)
		return -ENOMEM;
	memmove(folder->changes + at + 1, folder->changes + at,
		(folder->change_count - at) * sizeof(*folder->changes));
	folder->changes[at] = (struct change){hash, copy, raw};
	folder->change_count++;
	return 0;
}

void changes_unset(struct upper_node *folder, uint64_t hash)
{
	uint32_t at = changes_at(folder, hash);

	if (at == folder->change_count || folder->changes[at].hash != hash)
		return;
	free(folder->changes[at].name);
	folder->change_count--;
	memmove(folder->changes + at, folder->changes + at + 1,
		(folder->change_count - at) * sizeof(*folder->changes));
}
