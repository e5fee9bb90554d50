/* Counts as packed pairs, and adding them up; see tally.h for the form. */
#ifndef STORE_TALLY_PACK_H
#define STORE_TALLY_PACK_H

#include "store/tally.h"

struct tally_packer {
	struct writer *out;
	uint64_t last;
};

/* Appends one pair; keys must rise. The writer's limit is the only failure (out->failed). */
void tally_pack(struct tally_packer *packer, uint64_t key, int64_t count);

/* Adds up packed pairs: of an hour only what the sensor counted (0: all); days and months are the
 * sensor's anyway. -1 when they are broken or memory is out. */
MUST_CHECK int tally_sums_add_packed(struct tally_sums *sums, struct slice packed, uint32_t sensor);

#endif
