/* Inode numbers. ext4 gives them out in groups, by folder; nobody can tell why a file has its
 * number, but the same numbers on many hosts would tell that these are one. So the image's nodes
 * are laid out in groups of 1024 whose places each installation shuffles: multiplication by an odd
 * number modulo a power of two, which can be undone. */
#include "decoy/machine/file_system_inside.h"
#include "decoy/machine/host.h"

#define GROUP_BITS 10
/* The first that ext4 gives away; 2 is the root. */
#define FIRST_INODE 12
#define ROOT_INODE  2
/* Where procfs counts from. */
#define FIRST_LIVE ((node_number)0xf0000000)

static uint32_t inverse(uint32_t odd)
{
	uint32_t x = odd;

	for (int i = 0; i < 5; i++) /* Newton: doubles the right bits each time */
		x *= 2 - odd * x;
	return x;
}

void file_system_number_setup(struct file_systems *all)
{
	uint32_t random[2] = {0x9e3779b1, 0x12345};
	uint32_t groups = (all->image->node_count >> GROUP_BITS) + 1;

	if (all->host && host_persona(all->host))
		persona_derive(host_persona(all->host), "inodes", random, sizeof(random));
	all->span_bits = 10; /* a million inodes: a disk of 16 GB */
	while ((1u << all->span_bits) < groups * 4)
		all->span_bits++;
	all->scatter = random[0] | 1;
	all->scatter_back = inverse(all->scatter);
	all->scatter_add = random[1];
}

node_number file_system_number(const struct file_system *fs, uint32_t raw)
{
	const struct file_systems *all = fs->all;
	uint32_t mask = (1u << all->span_bits) - 1;
	node_number span = (node_number)1 << (all->span_bits + GROUP_BITS);

	if (raw == 0)
		return ROOT_INODE;
	if (raw_is_live(raw)) {
		const struct live_node *node = &fs->live[raw - RAW_LIVE];

		return FIRST_LIVE + (raw - RAW_LIVE) +
		       (node_number)LIVE_SLOTS_MAX * node->generation;
	}
	if (raw >= RAW_SOURCE)
		return FIRST_INODE + span + STORY_NODES_MAX + (raw - RAW_SOURCE);
	if (raw >= RAW_STORY)
		return FIRST_INODE + span + (raw - RAW_STORY);
	return FIRST_INODE +
	       (((node_number)(((raw >> GROUP_BITS) * all->scatter + all->scatter_add) & mask)
		 << GROUP_BITS) |
		(raw & ((1u << GROUP_BITS) - 1)));
}

uint32_t file_system_raw(const struct file_system *fs, node_number number)
{
	const struct file_systems *all = fs->all;
	uint32_t mask = (1u << all->span_bits) - 1, group, raw;
	node_number span = (node_number)1 << (all->span_bits + GROUP_BITS);

	if (number == ROOT_INODE)
		return 0;
	if (number < FIRST_INODE)
		return RAW_NONE;
	if (number >= FIRST_LIVE) {
		uint32_t slot = (uint32_t)((number - FIRST_LIVE) % LIVE_SLOTS_MAX);

		if (slot >= fs->live_count ||
		    fs->live[slot].generation != (number - FIRST_LIVE) / LIVE_SLOTS_MAX)
			return RAW_NONE;
		return RAW_LIVE + slot;
	}
	number -= FIRST_INODE;
	if (number >= span + STORY_NODES_MAX)
		return (uint32_t)(RAW_SOURCE + (number - span - STORY_NODES_MAX));
	if (number >= span)
		return (uint32_t)(RAW_STORY + (number - span));
	group = (((uint32_t)(number >> GROUP_BITS) - all->scatter_add) * all->scatter_back) & mask;
	raw = group << GROUP_BITS | ((uint32_t)number & ((1u << GROUP_BITS) - 1));
	return raw && raw < all->image->node_count ? raw : RAW_NONE;
}
