/* Groups; see groups.h. */
#include <stdio.h>

#include <openssl/bn.h>

#include "decoy/protocols/ssh/groups.h"

#define MODULI_MAX 1024 /* lines that are kept; Debian's file has 424 */
#define LINE_MAX_  4096 /* 16384 bits in hexadecimal */

struct modulus {
	unsigned bits, generator;
	const char *hexadecimal;
};

struct ssh_groups {
	size_t count;
	struct modulus moduli[MODULI_MAX];
};

/* time type tests tries size generator modulus; only safe primes that were tested count. */
static void take_line(struct ssh_groups *groups, struct slice line, struct arena *arena)
{
	struct slice field[7];
	int64_t numbers[6];
	struct modulus *modulus = &groups->moduli[groups->count];

	line = slice_trim(line);
	if (line.length == 0 || line.at[0] == '#' || groups->count == MODULI_MAX)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(field); i++) {
		if (!slice_next(&line, ' ', &field[i]))
			return;
		if (i > 0 && i < 6 && slice_number(field[i], 0, 1 << 20, &numbers[i]) < 0)
			return;
	}
	if (numbers[1] != 2 || numbers[2] & 1 || !(numbers[2] & ~1))
		return;
	modulus->bits = (unsigned)numbers[4] + 1;
	modulus->generator = (unsigned)numbers[5];
	modulus->hexadecimal = arena_text(arena, field[6]);
	if (modulus->hexadecimal)
		groups->count++;
}

struct ssh_groups *ssh_groups_read(const char *share_folder, struct arena *arena)
{
	struct ssh_groups *groups = arena_take(arena, sizeof(*groups));
	char path[4096], line[LINE_MAX_];
	FILE *file;

	if (!groups || !share_folder)
		return groups;
	snprintf(path, sizeof(path), "%s/ssh/moduli", share_folder);
	file = fopen(path, "re");
	if (!file)
		return groups;
	while (fgets(line, sizeof(line), file))
		take_line(groups, slice_text(line), arena);
	fclose(file);
	return groups;
}

struct ssh_group ssh_group_fixed(unsigned number)
{
	switch (number) {
	case 1:
		return (struct ssh_group){BN_get_rfc2409_prime_1024(NULL), 2};
	case 16:
		return (struct ssh_group){BN_get_rfc3526_prime_4096(NULL), 2};
	case 18:
		return (struct ssh_group){BN_get_rfc3526_prime_8192(NULL), 2};
	default:
		return (struct ssh_group){BN_get_rfc3526_prime_2048(NULL), 2};
	}
}

/* The size nearest above what is wanted, else the largest below. */
static unsigned best_size(const struct ssh_groups *groups, unsigned minimum, unsigned wanted,
			  unsigned maximum)
{
	unsigned best = 0;

	for (size_t i = 0; i < groups->count; i++) {
		unsigned bits = groups->moduli[i].bits;

		if (bits < minimum || bits > maximum)
			continue;
		if ((bits > wanted && bits < best) || (bits > best && best < wanted))
			best = bits;
	}
	return best;
}

static struct ssh_group read_modulus(const struct modulus *modulus)
{
	struct ssh_group group = {NULL, modulus->generator};

	if (!BN_hex2bn(&group.prime, modulus->hexadecimal))
		group.prime = NULL;
	return group;
}

struct ssh_group ssh_group_choose(const struct ssh_groups *groups, unsigned minimum,
				  unsigned wanted, unsigned maximum, uint64_t draw)
{
	unsigned best = best_size(groups, minimum, wanted, maximum);
	size_t alike = 0;

	if (best == 0) /* as OpenSSH without a file: by the maximum alone */
		return ssh_group_fixed(maximum < 3072 ? 14 : maximum < 6144 ? 16 : 18);
	for (size_t i = 0; i < groups->count; i++)
		alike += groups->moduli[i].bits == best;
	draw %= alike;
	for (size_t i = 0; i < groups->count; i++) {
		if (groups->moduli[i].bits == best && draw-- == 0)
			return read_modulus(&groups->moduli[i]);
	}
	return (struct ssh_group){NULL, 0};
}
